"""The declared values: however the table of indicators is drawn and worded."""

from __future__ import annotations

import pytest

from plugins.review.model.reading.declared import read_value
from tests.plugins.review.reading.sheets import Sheet, codes, small_plan

LAYER = "JJZB-经济技术指标"


def declared(sheet: Sheet) -> dict[str, float]:
    return dict(sheet.read().declared)


@pytest.mark.parametrize(
    ("key", "text", "unit", "expected"),
    [
        ("far", "1:1.40", "", 1.4),
        ("far", "2.0", "", 2.0),
        ("far", "140%", "", 1.4),
        ("green_ratio", "30.5%", "", 0.305),
        ("green_ratio", "30.5", "%", 0.305),
        ("green_ratio", "0.305", "", 0.305),
        ("density", "２２．０６％", "", 0.2206),
        ("density", "22.06", "", 0.2206),
        ("site_area_m2", "9,600.00㎡", "", 9600),
        ("site_area_m2", "9600.00 平方米", "", 9600),
        ("site_area_m2", "12 345.6", "", 12345.6),
        ("site_area_m2", "0.96公顷", "", 9600),
        ("site_area_m2", "0.96", "ha", 9600),
        ("site_area_m2", "0.0195_HA", "", 195),
        ("site_area_m2", "14.4亩", "", 9600),
        ("gfa_m2", "1.42万㎡", "", 14200),
        ("gfa_m2", "1.42", "万m²", 14200),
        ("site_area_m2", "2275 sq.ft", "", 211.354416),
        ("height_m", "54300mm", "", 54.3),
        ("height_m", "≈54.30 m", "", 54.3),
        ("parking", "474（其中地下381）", "", 474),
        ("far", "按规划条件", "", None),
        ("far", "", "", None),
    ],
)
def test_numbers_as_they_are_written(key: str, text: str, unit: str, expected: float | None) -> None:
    assert read_value(key, text, unit) == (None if expected is None else pytest.approx(expected))


def test_one_block_of_text() -> None:
    sheet = small_plan(Sheet())
    assert declared(sheet) == pytest.approx({"site_area_m2": 9600, "far": 1.4, "green_ratio": 0.305})


def test_lead_ins_numbering_and_several_in_a_line() -> None:
    sheet = Sheet()
    words = (
        "1、规划总用地面积（公顷）：0.96\n2、总建筑面积 14,200㎡  其中：计容建筑面积 13440㎡\n"
        "（3）容积率为1.40；建筑密度：15.86%，绿地率 30.5%\n4. 建筑高度：54.30m\n地上停车位：93个\n地下停车位：381个\n"
        "1#楼建筑面积：9000㎡\n非计容总建筑面积：760㎡"
    )
    sheet.mtext(LAYER, words, (0, 0))
    assert declared(sheet) == pytest.approx(
        {
            "site_area_m2": 9600, "gfa_m2": 14200, "far_area_m2": 13440, "far": 1.4, "density": 0.1586,
            "green_ratio": 0.305, "height_m": 54.3, "parking_surface": 93, "parking_basement": 381, "parking": 474,
        }
    )  # fmt: skip


ROWS = [
    ("项目", "单位", "数值", "规划条件", "备注"),
    ("总用地面积", "㎡", "9600.00", "9600", ""),
    ("总建筑面积", "万㎡", "1.42", "—", ""),
    ("容积率", "—", "1.40", "≤2.00", ""),
    ("建筑密度", "%", "15.86", "≤28", ""),
    ("绿地率", "%", "30.5", "≥35", "含屋顶"),
    ("机动车停车位", "个", "160", "150", ""),
]


@pytest.mark.parametrize("turn", [0.0, 30.0, 90.0])
def test_rows_and_columns(turn: float) -> None:
    import math

    sheet = Sheet()
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    for line, row in enumerate(ROWS):
        for column, words in enumerate(row):
            x, y = column * 25.0, -line * 6.0
            if words:
                sheet.text(LAYER, words, (x * cos - y * sin, x * sin + y * cos), turn=turn)
    assert declared(sheet) == pytest.approx(
        {"site_area_m2": 9600, "gfa_m2": 14200, "far": 1.4, "density": 0.1586, "green_ratio": 0.305, "parking": 160}
    )


def test_the_demanded_value_left_of_the_declared_one() -> None:
    sheet = Sheet()
    for line, row in enumerate(
        [
            ("指标", "规划要求", "设计值"),
            ("容积率", "2.00", "1.40"),
            ("绿地率（%）", "35", "30.5"),
            ("用地面积（ha）", "0.95", "0.96"),
        ]
    ):
        for column, words in enumerate(row):
            sheet.text(LAYER, words, (column * 30, -6 * line))
    assert declared(sheet) == pytest.approx({"far": 1.4, "green_ratio": 0.305, "site_area_m2": 9600})


def test_two_pairs_in_a_row_and_labels_above_values() -> None:
    sheet = Sheet()
    for at, words in (((0, 0), "用地面积"), ((20, 0), "9600"), ((45, 0), "容积率"), ((60, 0), "1.40")):
        sheet.text(LAYER, words, at)
    assert declared(sheet) == pytest.approx({"site_area_m2": 9600, "far": 1.4})
    below = Sheet()
    for at, words in (
        ((0, 0), "用地面积"),
        ((30, 0), "容积率"),
        ((60, 0), "绿地率"),
        ((0, -5), "9600"),
        ((30, -5), "1.40"),
        ((60, -5), "30.5%"),
    ):
        below.text(LAYER, words, at)
    assert declared(below) == pytest.approx({"site_area_m2": 9600, "far": 1.4, "green_ratio": 0.305})


def test_labels_and_values_as_two_blocks() -> None:
    sheet = Sheet()
    sheet.mtext(LAYER, "用地面积（㎡）\n容积率\n建筑密度（%）", (0, 0))
    sheet.mtext(LAYER, "9600.00\n1.40\n15.86", (40, 0))
    assert declared(sheet) == pytest.approx({"site_area_m2": 9600, "far": 1.4, "density": 0.1586})


def test_attributes_of_a_title_block() -> None:
    sheet = Sheet()
    block = sheet.doc.blocks.new("TABLE")
    block.add_lwpolyline([(0, 0), (10, 0), (10, 10), (0, 10)], close=True)
    insert = sheet.space.add_blockref("TABLE", (0, 0), dxfattribs={"layer": LAYER})
    insert.add_attrib("用地面积", "9600㎡", (1, 1), dxfattribs={"layer": LAYER})
    insert.add_attrib("PLOT_RATIO", "1.40", (1, 5), dxfattribs={"layer": LAYER})
    assert declared(sheet) == pytest.approx({"site_area_m2": 9600, "far": 1.4})


def test_in_english() -> None:
    sheet = Sheet()
    sheet.mtext(
        LAYER,
        "Site area: 9,600 sqm\nGross floor area = 14,200 m2\nFAR 1.40\nSite coverage: 15.86 %\nGreen ratio: 30.5%",
        (0, 0),
    )
    sheet.mtext(LAYER, "Max. building height 54.3 m\nCar parking spaces: 160\nTwo wheeler parking: 12", (0, -60))
    found = declared(sheet)
    assert {
        key: found[key] for key in ("site_area_m2", "gfa_m2", "far", "density", "green_ratio", "parking")
    } == pytest.approx(
        {"site_area_m2": 9600, "gfa_m2": 14200, "far": 1.4, "density": 0.1586, "green_ratio": 0.305, "parking": 160}
    )


def test_keys_of_edcr() -> None:
    sheet = Sheet()
    sheet.box("PLOT_BOUNDARY", 0, 0, 20, 10)
    sheet.mtext(
        "PLAN_INFO", "PLAN INFO\nWARD_NO=03\nPLOT_AREA_M2=195\nAVG_PLOT_DEPTH= 18.293\nMECHANICAL_PARKING=0", (50, 0)
    )
    assert declared(sheet) == pytest.approx({"site_area_m2": 195})


def test_other_texts_are_asked_only_where_no_layer_holds_the_table() -> None:
    sheet = small_plan()
    sheet.mtext("0", "容积率：9.9\n绿地率：99%\n建筑密度：88%", (300, 0))
    assert declared(sheet)["far"] == 1.4
    free = Sheet()
    free.box("YDHX", 0, 0, 120, 80)
    free.mtext("0", "用地面积：9600㎡\n容积率：1.40\n绿地率：30.5%", (140, 0))
    plan = free.read()
    assert plan.declared["far"] == 1.4
    assert "review.declared_elsewhere" in codes(plan)
    stray = Sheet()
    stray.box("YDHX", 0, 0, 120, 80)
    stray.text("0", "绿地率：30.5%", (140, 0))
    assert stray.read().declared == {}


def test_two_different_declarations_are_said() -> None:
    sheet = Sheet()
    sheet.mtext(LAYER, "容积率：1.40\n绿地率：30.5%\n容积率：1.60", (0, 0))
    plan = sheet.read()
    assert plan.declared["far"] == 1.4
    assert "review.declared_twice" in codes(plan)


def test_every_value_leads_to_its_text() -> None:
    sheet = Sheet()
    label, value = sheet.text(LAYER, "容积率", (0, 0)), sheet.text(LAYER, "1.40", (30, 0))
    plan = sheet.read()
    assert plan.declared_handles == {"far": value}
    assert plan.declared_texts == {"far": "1.40"}
    assert label != value
