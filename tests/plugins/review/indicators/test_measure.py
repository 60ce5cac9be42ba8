"""Indicators of plans whose figures are worked out by hand."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely

from planner_app.plugin_api.model import PlannerError
from plugins.review.model.drawing.types import Drawing, DrawingFormat, IfcBuilding, Storey
from plugins.review.model.indicators.measure import measure
from plugins.review.model.indicators.rule_sets import CityRules, RuleSets, load_rule_sets, parse_rule_set
from plugins.review.model.indicators.types import KEYS
from plugins.review.model.reading.types import Role
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site, zongping

OLD, NEW = date(2022, 6, 1), date(2024, 6, 1)


def codes(notes: tuple[tuple[str, dict[str, object]], ...]) -> set[str]:
    return {code for code, _ in notes}


def test_the_synthetic_plan() -> None:
    found = measure(zongping(), on=NEW)
    assert set(found.values) == set(KEYS)
    assert found.value("site_area_m2") == pytest.approx(9600)
    assert found.value("footprint_m2") == pytest.approx(675 + 852)
    assert found.value("density") == pytest.approx(1527 / 9600)
    assert found.value("green_m2") == pytest.approx(1148)
    assert found.value("green_ratio") == pytest.approx(1148 / 9600)
    assert found.green_by_kind == pytest.approx({"集中": 868, "宅旁": 280, "屋顶": 0})
    far = found.values["far"]
    assert far.value is None
    assert far.notes == (("review.no_floor_area", {}),)
    assert found.value("height_m") == 54.3
    assert codes(found.values["height_m"].notes) == {"review.height_from_text"}
    assert [(one.name, one.height_m, one.height_source, one.storeys, one.use) for one in found.buildings] == [
        ("1号楼", 54.3, "text", 18, "residential"),
        ("2号楼", 12.6, "text", 3, "retail"),
    ]


def test_setbacks_of_the_synthetic_plan() -> None:
    found = measure(zongping(), on=NEW)
    per = {(one.building, one.to, one.bearing): one.distance_m for one in found.setbacks}
    assert per["2号楼", "site", "E"] == pytest.approx(7.40)
    assert per["2号楼", "build_to", "E"] == pytest.approx(-0.60)
    assert per["1号楼", "build_to", "W"] == pytest.approx(4.0)
    assert per["1号楼", "road_line", "S"] == pytest.approx(23.0)
    assert len([one for one in found.setbacks if one.to == "site"]) == 8
    assert found.spacings[0].distance_m == pytest.approx(np.hypot(13, 10))


def test_floor_areas_as_the_layers_say() -> None:
    outline = box(10, 10, 30, 20)
    balcony = box(10, 8.5, 14, 10)
    found = measure(
        plan(
            site(), house("1#", outline, 3, 10.2),
            made(Role.FLOOR_AREA, balcony, "1#", floor=2, floors=2, coefficient=0.5, counts_far=True),
            made(Role.FLOOR_AREA, box(5, 5, 50, 50), "地下室", floor=-1, coefficient=1.0, counts_far=False),
            made(Role.FLOOR_AREA, box(60, 0, 70, 10), "2#", floor=1, coefficient=0.0, counts_far=True),
        ), on=NEW,
    )  # fmt: skip
    assert found.value("gfa_m2") == pytest.approx(600 + 6 + 2025)
    assert found.value("far_area_m2") == pytest.approx(606)
    assert found.value("far") == pytest.approx(606 / 8000)
    (first,) = found.buildings
    assert (first.storeys, first.gfa_m2, first.height_source) == (3, pytest.approx(606), "dimension")
    assert found.values["far"].sure
    assert not found.values["far"].partial


def test_storeys_without_a_number_lie_over_each_other() -> None:
    outline = box(10, 10, 30, 20)
    areas = [made(Role.FLOOR_AREA, outline, "1#", layer=f"MJ-1#-{name}-全-计容", coefficient=1.0, counts_far=True)
             for name in ("夹层", "RF", "机房", "机房")]  # fmt: skip
    assert measure(plan(site(), *areas), on=NEW).value("gfa_m2") == pytest.approx(3 * 200)


def test_two_editions_of_the_floor_area_rules() -> None:
    low = made(Role.FLOOR_AREA, box(10, 10, 30, 20), "1#", floor=2, coefficient=0.5, counts_far=True, value=2.1)
    drawn = plan(site(), house("1#", box(10, 10, 30, 20), 1, 6.0), low)
    before, after = measure(drawn, on=OLD), measure(drawn, on=NEW)
    assert (before.area_rules, before.value("gfa_m2")) == ("GB/T 50353-2013", pytest.approx(200 + 100))
    assert (after.area_rules, after.value("gfa_m2")) == ("GB 55031-2022", pytest.approx(200))
    differs = [params for code, params in after.notes if code == "review.coefficient_differs"]
    assert [(one["said"], one["ruled"]) for one in differs] == [(0.5, 0.0)]
    assert not after.values["far"].sure  # a rule from memory decides against the drawing: it cannot block
    assert before.values["far"].sure


def test_balcony_inside_the_main_structure_counts_whole_before_2023() -> None:
    outline, balcony = box(10, 10, 30, 20), box(10, 10, 14, 11)
    part = made(Role.FLOOR_AREA, balcony, "1#", floor=1, kind="balcony")
    drawn = plan(site(), house("1#", outline, 1), part)
    found = measure(drawn, on=OLD)
    assert found.value("gfa_m2") == pytest.approx(200)  # it lies in the floor's outline: counted there, once
    assert "review.floor_overlap" in codes(found.notes)
    outside = replace(part, geometry=box(10, 8, 14, 10))
    assert measure(plan(site(), house("1#", outline, 1), outside), on=OLD).value("gfa_m2") == pytest.approx(204)


@pytest.mark.parametrize(
    ("layer", "old", "new"),
    [
        ("MJ-1#-F02-阳台", 5, 5), ("MJ-1#-F02-封闭阳台", 5, 10), ("MJ-1#-F02-无柱雨篷", 5, 0),
        ("MJ-1#-F02-架空层 层高2.1", 5, 0), ("MJ-1#-F02-坡屋面 净高1.9", 5, 0), ("MJ-1#-F02 层高 2.20", 10, 10),
    ],
)  # fmt: skip
def test_parts_of_a_building(layer: str, old: float, new: float) -> None:
    drawn = plan(site(), made(Role.FLOOR_AREA, box(0, 0, 5, 2), "1#", floor=2, layer=layer))
    assert measure(drawn, on=OLD).value("gfa_m2") == pytest.approx(old)
    assert measure(drawn, on=NEW).value("gfa_m2") == pytest.approx(new)


def test_deductions() -> None:
    found = measure(
        plan(
            site(),
            made(Role.FOOTPRINT, box(0, 0, 20, 10), "BLK_1"),
            made(Role.FOOTPRINT, box(5, 5, 7, 7), "BLK_1", kind="deduct"),
            made(Role.FLOOR_AREA, box(200, 0, 220, 10), "BLK_1", floor=1),
            made(Role.FLOOR_AREA, box(205, 2, 215, 5), "BLK_1", floor=1, kind="deduct"),
            made(Role.FLOOR_AREA, box(300, 0, 302, 5), "BLK_1", floor=1, kind="deduct"),
        ),
        on=NEW,
    )
    assert found.value("footprint_m2") == pytest.approx(196)
    assert found.value("gfa_m2") == pytest.approx(200 - 30 - 10)
    assert found.value("far_area_m2") == pytest.approx(160)
    assert found.values["far"].sure  # whole floors above the ground
    assert {"review.coefficient_assumed", "review.far_assumed"} <= codes(found.notes)


def test_a_deduction_drawn_elsewhere() -> None:
    found = measure(
        plan(
            made(Role.FOOTPRINT, box(0, 0, 20, 10), "1"), made(Role.FOOTPRINT, box(90, 0, 95, 2), "1", kind="deduct")
        ), on=NEW,
    )  # fmt: skip
    assert found.value("footprint_m2") == pytest.approx(190)
    assert "review.deduction_elsewhere" in codes(found.notes)


def test_nothing_is_ever_zero_for_want_of_data() -> None:
    found = measure(plan(roles={"parking": ("TCW",)}), on=NEW)
    assert all(found.value(key) is None for key in KEYS)
    assert all(found.values[key].notes for key in KEYS)
    assert found.values["parking"].notes[0] == ("review.no_parking_empty", {"layers": "TCW"})
    assert found.values["green_ratio"].notes[0][0] == "review.no_green"


def test_missing_floors_make_the_ratio_partial() -> None:
    drawn = plan(site(), house("1#", box(10, 10, 30, 20), 2), made(Role.FOOTPRINT, box(50, 10, 60, 20), "2#"))
    far = measure(drawn, on=NEW).values["far"]
    assert far.partial
    assert far.notes == (("review.building_no_floors", {"building": "2#"}),)
    tall = plan(site(), house("1#", box(10, 10, 30, 20), 2), made(Role.FOOTPRINT, box(10, 10, 30, 20), "1#", storeys=6))
    (note,) = measure(tall, on=NEW).values["far"].notes
    assert note == ("review.floors_missing", {"building": "1#", "floors": "3–6", "storeys": 6})


def test_green_counts_once_within_the_site_and_not_under_buildings() -> None:
    found = measure(
        plan(
            site(), house("1#", box(10, 10, 30, 20)),
            made(Role.GREEN, box(90, 0, 110, 10), kind="集中"),  # half of it outside
            made(Role.GREEN, box(92, 0, 98, 10), kind="宅旁"),  # on top of the first
            made(Role.GREEN, box(20, 10, 40, 20), kind="宅旁"),  # half of it under the building
            made(Role.GREEN, box(12, 12, 20, 18), kind="屋顶"),
        ), on=NEW,
    )  # fmt: skip
    assert found.value("green_m2") == pytest.approx(100 + 100)
    told = dict(found.values["green_m2"].notes)
    assert told["review.green_outside"]["area"] == pytest.approx(100)
    assert told["review.green_under_building"]["area"] == pytest.approx(100)
    assert told["review.green_coefficient"]["coefficient"] == 0.0


def test_a_citys_own_rules() -> None:
    flat = house("1#", box(10, 10, 30, 20), 1, text="住宅")
    high = made(Role.FLOOR_AREA, box(10, 10, 30, 20), "1#", floor=2, coefficient=1.0, counts_far=True, value=4.2)
    roof = made(Role.GREEN, box(12, 12, 22, 18), kind="屋顶")
    drawn = plan(site(), flat, high, roof, made(Role.BALCONY, box(10, 8.5, 14, 10), "1#"))
    plain, city = measure(drawn, on=NEW), measure(drawn, on=NEW, city="示例市")
    assert plain.value("far_area_m2") == pytest.approx(400)
    assert city.value("far_area_m2") == pytest.approx(200 + 1.5 * 200)
    assert city.value("green_m2") == pytest.approx(0.3 * 60)
    assert city.values["far"].partial  # the ground floor's height is not known: it may count more
    south = {one.bearing: one.distance_m for one in plain.setbacks}["S"]
    with_balcony = {one.bearing: one.distance_m for one in city.setbacks}["S"]
    assert (south, with_balcony) == (pytest.approx(10), pytest.approx(8.5))
    unknown = measure(drawn, on=NEW, city="无名市")
    assert unknown.value("far_area_m2") == plain.value("far_area_m2")
    assert "review.city_rules_missing" in codes(unknown.notes)


@pytest.mark.parametrize(("length", "distance"), [(3.0, 10.0), (8.0, 8.5)])
def test_projections_count_by_their_share_of_the_wall(length: float, distance: float) -> None:
    sets = RuleSets(load_rule_sets().area, (CityRules("default", outline="share"),))
    drawn = plan(site(), house("1#", box(10, 10, 30, 20)), made(Role.BALCONY, box(10, 8.5, 10 + length, 10), "1#"))
    found = measure(drawn, on=NEW, rule_sets=sets)
    assert {one.bearing: one.distance_m for one in found.setbacks}["S"] == pytest.approx(distance)


def test_a_model_of_storeys() -> None:
    envelope = box(0, 0, 18, 8.7)
    drawing = Drawing(
        "duplex.ifc", "0" * 64, DrawingFormat.IFC, "IFC2X3", (), (),
        storeys=(
            Storey("f", "T/FDN", -1.25, 1.25, envelope, above=False, building="A"),
            Storey("b", "Basement", -3.0, 3.0, box(0, 0, 10, 8), building="A", below_ground=True),
            Storey("1", "Level 1", 0.0, 3.1, envelope, building="A", outside_m2=12.0),
            Storey("2", "Level 2", 3.1, 3.0, envelope, building="A", void_m2=20.0),
            Storey("r", "Roof", 6.1, None, None, above=False, building="A"),
        ),
        buildings=(IfcBuilding("g", "A", top=7.2, grade=-0.3, grade_source="terrain"),),
    )  # fmt: skip
    found = measure(plan(), drawing, on=NEW)
    assert found.value("footprint_m2") == pytest.approx(156.6)
    assert found.value("gfa_m2") == pytest.approx(2 * 156.6 + 80)
    assert found.value("far_area_m2") == pytest.approx(2 * 156.6)
    assert found.value("far") is None
    assert found.values["far"].notes[0][0] == "review.no_site"
    (building,) = found.buildings
    assert (building.height_m, building.height_source, building.storeys) == (pytest.approx(7.5), "model", 2)
    assert {"review.storey_void", "review.storey_outside"} <= codes(found.notes)


def test_a_broken_rule_set_says_what_is_wrong() -> None:
    with pytest.raises(PlannerError) as error:
        parse_rule_set("[city]\nname = 'X'\n[distances]\noutline = 'roof'\n", "x.toml")
    assert error.value.code == "review.rule_set_broken"
    assert "roof" in error.value.params["detail"]
    with pytest.raises(PlannerError):
        parse_rule_set("[floor_area]\nid = 'x'\n", "x.toml")


def test_hundreds_of_buildings_at_once() -> None:
    rng = np.random.default_rng(4)
    shapes = [box(x, y, x + 20, y + 10) for x in range(0, 800, 40) for y in range(0, 600, 30)]
    houses = [
        house(f"{n}#", shapely.affinity.rotate(shape, float(rng.uniform(0, 90))), 12, 36.0)
        for n, shape in enumerate(shapes)
    ]
    drawn = plan(made(Role.SITE, box(-20, -20, 820, 620)), *houses)
    started = time.process_time()
    found = measure(drawn, on=NEW)
    assert time.process_time() - started < 2.0
    assert len(found.buildings) == 400
    assert len(found.setbacks) == 1600
    assert found.value("gfa_m2") == pytest.approx(400 * 200 * 12)
