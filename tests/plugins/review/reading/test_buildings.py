"""Buildings: names, storeys and heights from layers, texts and dimensions; floor areas and parking places."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity
from plugins.review.model.reading.labels import building_key, read_label
from plugins.review.model.reading.types import Role, SitePlan
from tests.plugins.review.reading.sheets import CONVENTIONS, Sheet, codes, corners, read, small_plan


@pytest.mark.parametrize(
    ("words", "name", "storeys", "below", "height"),
    [
        ("1号楼 18F/-1F H=54.30m 住宅", "1号楼", 18, 1, 54.3),
        ("12# 11F H=33.5", "12#", 11, None, 33.5),
        ("A栋 地上18层 地下2层 建筑高度：54.30米", "A栋", 18, 2, 54.3),
        ("S1#商业 3F", "S1#", 3, None, None),
        ("3#楼\n11+1F\nＨ＝３６．２ｍ", "3#楼", 12, None, 36.2),
        ("Block 3, 12 storeys, height 40.5 m", "Block3", 12, None, 40.5),
        ("砼6", "", 6, None, None),
        ("混凝土18", "", None, None, None),
        ("幼儿园 3层 H=12600mm", "幼儿园", 3, None, 12.6),
        ("H=54300", "", None, None, 54.3),
        ("层高 H=3.0m", "", None, None, None),
        ("女儿墙 H=1.2", "", None, None, None),
        ("FLR_HT_M=3.00", "", None, None, None),
        ("集中绿地", "", None, None, None),
        ("用地红线", "", None, None, None),
        ("8mm @100mm c/c", "", None, None, None),
    ],
)
def test_what_texts_say(words: str, name: str, storeys: int | None, below: int | None, height: float | None) -> None:
    entity = Entity("1", "MTEXT", "WZ", np.zeros((1, 2)), text=words)
    label = read_label(entity, CONVENTIONS["bureau"])
    assert (label.name, label.storeys, label.storeys_below, label.height) == (name, storeys, below, height)


def test_spellings_of_one_building() -> None:
    assert (
        len({building_key(name) for name in ("1号楼", "1#", "1", "1栋", "１＃楼", "1#住宅楼", "BLK_1", "Building 1")})
        == 1
    )
    assert building_key("10#") != building_key("1#")
    assert building_key("综合楼") != building_key("教学楼")


def heights(plan: SitePlan) -> dict[str, list[tuple[float, bool]]]:
    found: dict[str, list[tuple[float, bool]]] = {}
    for one in plan.of(Role.HEIGHT):
        found.setdefault(one.building, []).append((round(one.value or 0, 3), one.measured))
    return {name: sorted(values) for name, values in found.items()}


def test_a_dimension_is_measured_a_text_declared() -> None:
    sheet = small_plan()
    sheet.dimension("GD-1号楼", (130, 0), (130, 56.9))
    sheet.text("GD-2号楼", "12.90", (150, 50))
    plan = sheet.read()
    assert heights(plan) == {"1#": [(54.3, False), (56.9, True)], "2#": [(12.6, False), (12.9, False)]}


def test_a_dimension_lettered_otherwise_is_said() -> None:
    sheet = small_plan()
    sheet.dimension("GD-1#", (130, 0), (130, 56.9), text="54.30")
    plan = sheet.read()
    assert (56.9, True) in heights(plan)["1#"]
    assert "review.height_overridden" in codes(plan)
    same = small_plan()
    same.dimension("GD-1#", (130, 0), (130, 56.9), text="56900")
    assert "review.height_overridden" not in codes(same.read())


def test_heights_on_a_common_layer_go_to_the_nearest_building() -> None:
    sheet = small_plan()
    sheet.dimension("GD", (52, 10), (52, 64.3))
    assert (54.3, True) in heights(sheet.read())["1#"]


def test_dimensions_lettered_as_heights() -> None:
    sheet = small_plan()
    sheet.dimension("BZ-尺寸", (52, 10), (52, 64.3), text="H=<>")
    sheet.dimension("BZ-尺寸", (54, 10), (54, 13.0), text="层高H=3.0")
    sheet.dimension("BZ-尺寸", (56, 10), (56, 40))
    assert [v for v in heights(sheet.read())["1#"] if v[1]] == [(54.3, True)]


def test_names_from_texts_where_layers_have_none() -> None:
    sheet = Sheet()
    sheet.box("YDHX", 0, 0, 120, 80)
    sheet.box("JZJD", 10, 10, 40, 15)
    sheet.box("A-MAST-ROOF", 70, 40, 30, 20)
    sheet.box("JZJD", 10, 50, 20, 15)
    sheet.text("0", "1#楼 6F", (12, 15))
    sheet.text("0", "2#楼 3F H=12.6m", (72, 62))  # above its outline, but it is the nearest
    sheet.text("0", "幼儿园", (12, 55))
    sheet.box("MJ-F01-全-计容", 10, 10, 40, 15)
    sheet.box("MJ-F01-全-计容", 70, 40, 30, 20)
    plan = sheet.read()
    assert {one.building: one.storeys for one in plan.of(Role.FOOTPRINT)} == {"1#楼": 6, "2#楼": 3, "幼儿园": None}
    assert sorted(one.building for one in plan.of(Role.FLOOR_AREA)) == ["1#楼", "2#楼"]


def test_a_text_that_names_another_building_is_not_its_neighbours() -> None:
    sheet = small_plan()
    sheet.text("WZ", "2号楼 H=99.0m", (20, 12))  # inside 1#
    plan = sheet.read()
    assert (99.0, False) in heights(plan)["2#"]
    assert (99.0, False) not in heights(plan)["1#"]


def test_several_blocks_of_edcr() -> None:
    sheet = Sheet()
    sheet.box("PLOT_BOUNDARY", 0, 0, 80, 60)
    for block, x in ((1, 5), (2, 40)):
        sheet.box(f"BLK_{block}_COVERED_AREA", x, 5, 20, 10 * block)
        sheet.box(f"BLK_{block}_COVERED_AREA_DEDUCT", x + 2, 7, 2, 2)
        sheet.dimension(f"BLK_{block}_HT_OF_BLDG", (200 + x, 0), (200 + x, 9.0 * block))
        for level in (-1, 0, 1):
            sheet.box(f"BLK_{block}_FLR_{level}_BLT_UP_AREA", 300 + 30 * level, 100 * block, 20, 10 * block)
        sheet.box(f"BLK_{block}_FLR_1_BLT_UP_AREA_DEDUCT", 330, 100 * block, 5, 4)
        sheet.mtext(f"BLK_{block}_FLR_1_BLT_UP_AREA", "TYPICAL_FLOOR_PLAN=1,2 to 4", (330, 90 * block), 1)
    sheet.box("TWO_WHEELER_PARKING", 5, 50, 10, 2)
    for k in range(3):
        sheet.box("PARKING_SLOT", 30 + 3 * k, 50, 2.7, 5.5)
    sheet.box("BLK_1_LVL_0_BLDG_FOOT_PRINT_BASEMENT", 4, 4, 60, 40)
    plan = sheet.read()
    assert plan.convention == "edcr"
    assert {one.building: one.geometry.area for one in plan.of(Role.FOOTPRINT)} == pytest.approx(
        {"BLK_1": 196, "BLK_2": 396}
    )
    assert heights(plan) == {"BLK_1": [(9.0, True)], "BLK_2": [(18.0, True)]}
    floors = {(e.building, e.floor, e.kind): (round(e.geometry.area), e.floors) for e in plan.of(Role.FLOOR_AREA)}
    assert floors == {
        ("BLK_1", -1, ""): (200, 1), ("BLK_1", 1, ""): (200, 1), ("BLK_1", 2, ""): (200, 4),
        ("BLK_1", 2, "deduct"): (20, 4), ("BLK_2", -1, ""): (400, 1), ("BLK_2", 1, ""): (400, 1),
        ("BLK_2", 2, ""): (400, 4), ("BLK_2", 2, "deduct"): (20, 4),
    }  # fmt: skip
    assert len(plan.of(Role.PARKING)) == 3
    assert plan.unread == {"TWO_WHEELER_PARKING": 1}
    assert len(plan.of(Role.BASEMENT)) == 1


def test_a_typical_floor_whose_others_are_drawn_too_counts_once() -> None:
    sheet = Sheet()
    sheet.box("PLOT_BOUNDARY", 0, 0, 80, 60)
    for level in (1, 2):
        sheet.box(f"BLK_1_FLR_{level}_BLT_UP_AREA", 100 * level, 100, 20, 10)
    sheet.mtext("BLK_1_FLR_1_BLT_UP_AREA", "TYPICAL_FLOOR_PLAN=1-3", (100, 90), 1)
    assert {one.floor: one.floors for one in sheet.read().of(Role.FLOOR_AREA)} == {2: 2, 3: 1}


def test_ranges_of_floors() -> None:
    sheet = small_plan()
    sheet.box("MJ-1#-F02~17-全-计容", 10, 10, 40, 15)
    sheet.box("MJ-1#-F02~F17-半-计容-阳台", 12, 8.5, 7, 1.5)
    plan = sheet.read()
    assert [(one.floor, one.floors, one.coefficient, one.kind) for one in plan.of(Role.FLOOR_AREA)] == [
        (2, 16, 1.0, ""),
        (2, 16, 0.5, "balcony"),
    ]


# ---------------------------------------------------------------- parking


def places(sheet: Sheet) -> int:
    return len(sheet.read().of(Role.PARKING))


def site() -> Sheet:
    sheet = Sheet()
    sheet.box("YDHX", 0, 0, 120, 80)
    return sheet


def test_places_in_the_basement_are_told_apart() -> None:
    sheet = site()
    sheet.box("TCW", 10, 10, 2.5, 5.3)
    sheet.box("TCW-B01", 10, 10, 2.5, 5.3)  # right below
    sheet.box("TCW-B01", 300, 10, 2.5, 5.3)  # on the basement's own plan
    plan = sheet.read()
    assert sorted(one.floor or 0 for one in plan.of(Role.PARKING)) == [-1, -1, 0]


def test_a_row_drawn_as_lines() -> None:
    sheet = site()
    for y in (10, 15.3):
        sheet.line("TCW", (10, y), (35, y))
    for k in range(11):
        sheet.line("TCW", (10 + 2.5 * k, 10), (10 + 2.5 * k, 15.3))
    assert places(sheet) == 10


def test_a_row_drawn_as_one_outline_with_lines_across() -> None:
    sheet = site()
    sheet.box("TCW", 10, 10, 25, 5.3)
    for k in range(1, 10):
        sheet.line("TCW", (10 + 2.5 * k, 10), (10 + 2.5 * k, 15.3))
    assert places(sheet) == 10


def test_what_is_too_large_or_too_small_is_no_place() -> None:
    sheet = site()
    sheet.box("TCW", 10, 10, 2.5, 5.3)
    sheet.box("TCW", 10.3, 10.3, 1.9, 4.5)  # the car drawn in it
    sheet.box("TCW", 40, 10, 30, 20)
    sheet.box("TCW", 80, 10, 0.6, 2.0)
    sheet.box("TCW-非机动车", 90, 10, 2.5, 5.3)
    plan = sheet.read()
    assert len(plan.of(Role.PARKING)) == 1
    assert {"review.parking_lots", "review.parking_small"} <= set(codes(plan))


def test_a_lot_with_its_number_written_in_it() -> None:
    sheet = site()
    sheet.box("TCW", 40, 10, 30, 20)
    sheet.text("WZ", "地面停车场 50辆", (45, 15))
    sheet.box("TCW", 80, 10, 30, 20)
    plan = sheet.read()
    assert [(one.value, one.measured) for one in plan.of(Role.PARKING)] == [(50.0, False)]
    assert "review.parking_lots" in codes(plan)


def test_a_sample_in_the_legend_is_no_place() -> None:
    sheet = site()
    sheet.box("TCW", 10, 10, 2.5, 5.3)
    sheet.box("TCW", 140, 10, 2.5, 5.3)
    plan = sheet.read()
    assert len(plan.of(Role.PARKING)) == 1
    assert "review.parking_outside" in codes(plan)
    elsewhere = site()
    elsewhere.box("TCW", 140, 10, 2.5, 5.3)
    assert places(elsewhere) == 1


def stall(sheet: Sheet, name: str = "停车位", layer: str = "0") -> str:
    block = sheet.doc.blocks.new(name)
    block.add_lwpolyline(corners(0, 0, 2.5, 5.3), close=True, dxfattribs={"layer": layer})
    block.add_lwpolyline(corners(0.3, 0.3, 1.9, 4.5), close=True, dxfattribs={"layer": layer})
    return name


def test_blocks_are_places_each() -> None:
    sheet = site()
    name = stall(sheet)
    for k in range(5):
        sheet.space.add_blockref(name, (10 + 2.5 * k, 10), dxfattribs={"layer": "TCW-停车位", "rotation": 30})
    symbol = sheet.doc.blocks.new("车")  # parts on a layer of their own, and no outline of a place
    symbol.add_line((0, 0), (2, 4), dxfattribs={"layer": "CAR"})
    sheet.space.add_blockref("车", (60, 10), dxfattribs={"layer": "TCW-停车位"})
    stall(sheet, "非机动车位")
    sheet.space.add_blockref("非机动车位", (80, 10), dxfattribs={"layer": "TCW-停车位"})
    assert places(sheet) == 6


def test_blocks_in_blocks() -> None:
    sheet = site()
    name = stall(sheet)
    row = sheet.doc.blocks.new("一排")
    for k in range(4):
        row.add_blockref(name, (2.5 * k, 0), dxfattribs={"layer": "0"})
    sheet.space.add_blockref("一排", (10, 10), dxfattribs={"layer": "TCW"})
    sheet.space.add_blockref("一排", (10, 30), dxfattribs={"layer": "TCW", "rotation": 45})
    pair = sheet.doc.blocks.new("两个")
    for k in range(2):
        pair.add_lwpolyline(corners(2.5 * k, 0, 2.5, 5.3), close=True)
    sheet.space.add_blockref("两个", (60, 10), dxfattribs={"layer": "TCW"})
    assert places(sheet) == 10


def test_a_large_drawing_is_read_within_a_second() -> None:
    def entity(k: int, layer: str, x: float, y: float, w: float, h: float, **how: object) -> Entity:
        points = np.add(corners(x, y, w, h), (500_000, 3_300_000))
        return Entity(f"{k:X}", "LWPOLYLINE", layer, points, closed=True, **how)  # type: ignore[arg-type]

    made = [entity(1, "YDHX-用地红线", 0, 0, 1000, 1000)]
    for b in range(60):
        x, y = (b % 8) * 120 + 10, (b // 8) * 110 + 10
        made.append(entity(len(made) + 1, f"JZJD-{b}#-建筑基底", x, y, 60, 15))
        made += [entity(len(made) + 1 + f, f"MJ-{b}#-F{f + 1:02d}-全-计容", x, y, 60, 15) for f in range(30)]
    while len(made) < 25_000:
        k = len(made)
        x, y = (k % 350) * 2.6 + 5, (k // 350) * 6 + 5
        layer = ("TCW", "LD-宅旁", "墙", "TCW-B01")[k % 4]
        made.append(entity(k + 1, layer, x, y, 2.5, 5.3))
    drawing = Drawing("x", "", DrawingFormat.DXF, "", tuple(made), (), 1.0)
    read(drawing)
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        plan = read(replace(drawing))
        best = min(best, time.process_time() - start)
    assert len(plan.elements) > 18_000
    assert best < 1.5  # 0.7 s alone; other work may run beside
