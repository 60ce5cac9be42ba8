"""Which part of a modelspace is the site plan."""

from __future__ import annotations

import pytest
import shapely

from plugins.review.model.reading.types import Role
from tests.plugins.review.reading.sheets import Sheet, area, codes, read, small_plan


def copy_of(sheet: Sheet, dx: float, dy: float, *, buildings: bool = True, size: float = 1.0) -> None:
    """A second site plan beside the first, as for a diagram of fire lanes or green."""
    sheet.box("YDHX-用地红线", dx, dy, 120 * size, 80 * size)
    if buildings:
        sheet.box("JZJD-1#-建筑基底", dx + 10 * size, dy + 10 * size, 40 * size, 15 * size)
        sheet.box("JZJD-2#-建筑基底", dx + 70 * size, dy + 40 * size, 30 * size, 20 * size)
    sheet.box("LD-集中绿地", dx + 10 * size, dy + 60 * size, 30 * size, 12 * size)


def test_a_site_plan_alone_is_its_own_region() -> None:
    plan = small_plan().read()
    assert plan.regions == (plan.region,)
    assert plan.region is not None
    assert shapely.box(*plan.region).contains(plan.of(Role.SITE)[0].geometry)


@pytest.mark.parametrize("at", [(200, 0), (-150, 10), (0, 95), (700, 700)])
@pytest.mark.parametrize("buildings", [True, False])
def test_a_diagram_beside_the_plan_is_not_counted(at: tuple[float, float], buildings: bool) -> None:
    sheet = small_plan()
    copy_of(sheet, *at, buildings=buildings)
    plan = sheet.read()
    assert len(plan.regions) == 2
    assert {"review.several_regions", "review.outside_region"} <= set(codes(plan))
    assert area(plan, Role.SITE) == pytest.approx(9600)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1200)
    assert area(plan, Role.GREEN) == pytest.approx(460)
    assert plan.of(Role.SITE)[0].geometry.bounds == pytest.approx((0, 0, 120, 80))


def test_a_location_map_in_a_smaller_scale_is_not_counted() -> None:
    sheet = small_plan()
    copy_of(sheet, 150, 0, size=0.2)
    plan = sheet.read()
    assert area(plan, Role.SITE) == pytest.approx(9600)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1200)


def test_the_person_chooses_the_other_one() -> None:
    sheet = small_plan()
    copy_of(sheet, 200, 0, buildings=False)
    drawing = sheet.drawing()
    other = read(drawing).regions[1]
    plan = read(drawing, region=other)
    assert plan.region == other
    assert plan.of(Role.SITE)[0].geometry.bounds == pytest.approx((200, 0, 320, 80))
    assert area(plan, Role.GREEN) == pytest.approx(360)
    assert area(plan, Role.FOOTPRINT) == 0


def test_two_parcels_across_a_road_are_one_site() -> None:
    sheet = small_plan()
    sheet.box("YDHX-用地红线", 145, 0, 60, 80)
    sheet.box("JZJD-3#-建筑基底", 155, 10, 30, 20)
    plan = sheet.read()
    assert len(plan.regions) == 1
    assert area(plan, Role.SITE) == pytest.approx(9600 + 4800)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1800)


def test_equal_parcels_with_buildings_of_other_names_are_one_site() -> None:
    sheet = small_plan()
    sheet.box("YDHX-用地红线", 140, 0, 120, 80)
    sheet.box("JZJD-3#-建筑基底", 150, 10, 40, 15)
    sheet.box("JZJD-4#-建筑基底", 210, 40, 30, 20)
    assert area(sheet.read(), Role.SITE) == pytest.approx(19200)


def test_floor_plans_and_tables_count_wherever_they_stand() -> None:
    sheet = small_plan()
    sheet.box("MJ-1#-F01-全-计容", 500, 500, 40, 15)
    sheet.dimension("GD-1#", (800, 0), (800, 54.3))
    plan = sheet.read()
    assert area(plan, Role.FLOOR_AREA) == pytest.approx(600)
    assert [one.value for one in plan.of(Role.HEIGHT) if one.measured] == [pytest.approx(54.3)]
    assert plan.declared["far"] == 1.4


def test_an_outline_far_from_the_site_is_left_out_and_said() -> None:
    sheet = small_plan()
    sheet.box("JZJD-1#-建筑基底", 400, 300, 40, 15)
    plan = sheet.read()
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1200)
    said = dict(plan.notes)["review.outside_region"]
    assert said == {"count": 1, "layers": "JZJD-1#-建筑基底"}


def test_a_building_over_the_red_line_stays() -> None:
    sheet = small_plan()
    sheet.box("JZJD-3#-建筑基底", 110, 30, 40, 10)
    assert area(sheet.read(), Role.FOOTPRINT) == pytest.approx(1600)


def test_without_a_red_line_everything_is_read() -> None:
    sheet = Sheet()
    sheet.box("JZJD-1#-建筑基底", 0, 0, 40, 15)
    sheet.box("JZJD-2#-建筑基底", 900, 0, 40, 15)
    plan = sheet.read()
    assert (plan.region, plan.regions) == (None, ())
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1200)


def test_a_map_of_a_thousand_parcels_is_read_as_a_whole() -> None:
    sheet = Sheet()
    for k in range(1000):
        sheet.box("JZD", (k % 40) * 30, (k // 40) * 30, 20, 20)
    sheet.box("JMD", 5, 5, 10, 10)
    plan = sheet.read()
    assert len(plan.regions) == 1
    assert len(plan.of(Role.SITE)) == 1000
