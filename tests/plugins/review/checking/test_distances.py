"""Setbacks, lines reached over, spacing, basements: kept, broken, borderline, without data."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import shapely

from plugins.review.model.checking.types import Surroundings
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.reading.types import Role
from tests.plugins.review.checking.judged import ground, judged, one, subject, told
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site, zongping


def parcel(*setbacks: tuple[Any, ...]) -> Conditions:
    return Conditions("A-01", setbacks=tuple(EdgeSetback(*each) for each in setbacks))


def test_setback_of_the_synthetic_plan() -> None:
    found = one("review.setback", subject(zongping(), parcel(("", 8.0))))
    assert told(found) == ("fail", False, True)
    assert (found.feature, found.measured, found.limit) == ("2号楼 E2", pytest.approx(7.40), 8.0)
    line = shapely.geometry.shape(found.evidence)
    assert line.length == pytest.approx(7.40)
    assert line.bounds[0] > 40_500_000
    assert found.params is not None
    assert (found.params["side_zh"], found.params["value"]) == ("东侧", "7.40")


def test_setbacks_kept_borderline_and_without_data() -> None:
    kept = one("review.setback", subject(zongping(), parcel(("", 7.0))))
    assert told(kept) == ("pass", False, False)
    assert kept.measured == pytest.approx(7.40)
    near = one("review.setback", subject(zongping(), parcel(("", 7.37))))
    assert told(near) == ("pass", True, False)
    exactly = one("review.setback", subject(zongping(), parcel(("", 7.4))))
    assert exactly.verdict == "pass"
    bare = one("review.setback", subject(zongping()))
    assert (bare.verdict, bare.message, bare.measured) == ("cannot_judge", "review.no_conditions", pytest.approx(7.40))
    assert one("review.setback", subject(zongping(), parcel())).message == "review.not_demanded"
    assert (
        one("review.setback", subject(plan(house("1#", box(0, 0, 9, 9))), parcel(("", 5.0)))).message
        == "review.no_site"
    )


def test_a_side_goes_before_every_side() -> None:
    found = one("review.setback", subject(zongping(), parcel(("", 10.0), ("E", 7.0))))
    assert found.verdict == "pass"
    wide = judged("review.setback", subject(zongping(), parcel(("", 5.0), ("W", 15.0), ("N", 25.0))))
    assert [(each.feature, each.limit) for each in wide] == [("1号楼 W4", 15.0), ("2号楼 N1", 25.0)]


def test_a_step_holds_above_its_height_only() -> None:
    stepped = parcel(("", 5.0), ("", 12.0, 24.0))
    podium, tower = box(6, 10, 60, 40), box(20, 15, 40, 35)
    floors = [
        made(Role.FLOOR_AREA, podium if floor < 4 else tower, "1#", floor=floor, coefficient=1.0, counts_far=True)
        for floor in range(1, 11)
    ]
    drawn = [site(), made(Role.FOOTPRINT, podium, "1#")]
    tall = made(Role.HEIGHT, shapely.Point(0, 0), "1#", value=40.0)
    assert one("review.setback", subject(plan(*drawn, tall, *floors), stepped)).verdict == "pass"  # tower stands back
    whole = judged("review.setback", subject(plan(*drawn, tall), stepped))
    assert [(each.feature, each.message) for each in whole] == [
        ("1# S3", "review.setback.short_above"), ("1# W4", "review.setback.short_above"),
    ]  # fmt: skip
    low = made(Role.HEIGHT, shapely.Point(0, 0), "1#", value=20.0)
    assert one("review.setback", subject(plan(*drawn, low), stepped)).verdict == "pass"
    unknown = judged("review.setback", subject(plan(*drawn), stepped))
    assert {each.message for each in unknown} == {"review.setback.no_height"}


def test_setback_from_the_road() -> None:
    road = parcel(("road", 20.0))
    assert one("review.setback", subject(zongping(), road)).verdict == "pass"  # 23 m to the drawing's own line
    far = parcel(("road", 25.0))
    assert [each.feature for each in judged("review.setback", subject(zongping(), far))] == ["1号楼 S1"]
    bare = plan(site(), house("1#", box(10, 10, 30, 20)))
    assert one("review.setback", subject(bare, road)).message == "review.setback.no_road_line"
    around = Surroundings(lines=(("道路红线", "road_line", ground(box(-50, -20, 150, -2))),), searched=("road_line",))
    short = one("review.setback", subject(bare, road, around=around))
    assert (short.verdict, short.measured) == ("fail", pytest.approx(12.0))
    assert one("review.setback", subject(bare, parcel(("road", 12.0)), around=around)).borderline


def test_encroachment_of_the_synthetic_plan() -> None:
    found = one("review.over_build_to", subject(zongping()))
    assert told(found) == ("fail", False, True)
    assert (found.feature, found.measured) == ("2号楼", pytest.approx(12.0))
    polygon = shapely.geometry.shape(found.evidence)
    assert polygon.area == pytest.approx(12.0, abs=1e-6)
    assert polygon.bounds == pytest.approx(ground(box(112, 40, 112.6, 60)).bounds)
    assert found.params is not None
    assert found.params["depth"] == pytest.approx(0.6)


def test_lines_kept_touched_and_missing() -> None:
    assert one("review.over_road_line", subject(zongping())).verdict == "pass"
    assert one("review.over_site", subject(zongping())).verdict == "pass"
    body, inside = house("1#", box(10, 10, 30, 20)), made(Role.BUILD_TO, box(5, 5, 30, 40))
    assert told(one("review.over_build_to", subject(plan(site(), body, inside)))) == ("pass", False, False)
    hair = made(Role.BUILD_TO, box(5, 5, 29.998, 40))
    assert told(one("review.over_build_to", subject(plan(site(), body, hair)))) == ("pass", True, False)
    assert one("review.over_build_to", subject(plan(site(), body))).message == "review.encroachment.no_build_to"
    assert one("review.over_road_line", subject(plan(site(), body))).message == "review.encroachment.no_road_line"
    assert one("review.over_site", subject(plan(body))).message == "review.encroachment.no_site"
    assert one("review.over_build_to", subject(plan(site(), inside))).message == "review.no_footprint"
    road = made(Role.ROAD_LINE, shapely.LineString([(-10, 12), (130, 12)]))
    over = one("review.over_road_line", subject(plan(site(), body, road)))
    assert (over.verdict, over.measured) == ("fail", pytest.approx(40.0))
    outside = one("review.over_site", subject(plan(site(), house("1#", box(90, 10, 103, 20)))))
    assert (outside.verdict, outside.measured) == ("fail", pytest.approx(30.0))


def pair(gap: float, first: float | None, second: float | None, text: str = "办公") -> Any:
    return plan(
        site(200), house("1#", box(10, 10, 30, 20), 0, first, text=text),
        house("2#", box(30 + gap, 10, 50 + gap, 20), 0, second, text=text),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gap", "first", "second", "limit", "expected"),
    [
        (20, 30, 40, 13, ("pass", False)), (13, 30, 40, 13, ("pass", True)),
        (12.96, 30, 40, 13, ("needs_certificate", True)),
        (10, 30, 40, 13, ("needs_certificate", False)), (3.9, 30, 40, 13, ("fail", False)),
        (10, 30, 12, 9, ("pass", False)), (8, 30, 12, 9, ("needs_certificate", False)),
        (7, 12, 12, 6, ("pass", False)), (5, 12, 12, 6, ("needs_certificate", False)), (3, 12, 12, 6, ("fail", False)),
        (0, 12, 12, 6, ("needs_certificate", False)),
    ],
)  # fmt: skip
def test_fire_separation(gap: float, first: float, second: float, limit: float, expected: tuple[str, bool]) -> None:
    found = one("review.fire_separation", subject(pair(gap, first, second)))
    assert (found.verdict.value, found.borderline) == expected
    assert (found.limit, found.measured, found.blocking) == (limit, pytest.approx(gap), False)


def test_fire_separation_by_use_and_without_heights() -> None:
    housing = one("review.fire_separation", subject(pair(10, 26.0, 26.0, "住宅")))  # 26 m is no high-rise of housing
    assert (housing.verdict, housing.limit) == ("pass", 6.0)
    offices = one("review.fire_separation", subject(pair(10, 26.0, 26.0)))
    assert (offices.verdict, offices.limit) == ("needs_certificate", 13.0)
    assert one("review.fire_separation", subject(pair(10, None, 12.0))).message == "review.heights_missing"
    near = one("review.fire_separation", subject(pair(3, None, 12.0)))
    assert (near.verdict, near.limit) == ("fail", 6.0)  # too near whatever the height
    far = one("review.fire_separation", subject(pair(14, None, 12.0)))
    assert far.message == "review.spacing.no_neighbours"
    assert one("review.fire_separation", subject(plan(site()))).message == "review.no_footprint"


def test_fire_separation_to_neighbours() -> None:
    body = plan(site(), house("1#", box(10, 10, 30, 20), 0, 12.0))
    near = Surroundings(neighbours=(("老房子", ground(box(10, -2, 30, 5)), 9.0),), searched=("building",))
    found = one("review.fire_separation", subject(body, around=near))
    assert (found.verdict, found.feature, found.measured) == ("needs_certificate", "1# – 老房子", pytest.approx(5.0))
    assert shapely.geometry.shape(found.evidence).length == pytest.approx(5.0)
    alone = one("review.fire_separation", subject(body, around=Surroundings(searched=("building",))))
    assert alone.message == "review.spacing.alone"
    assert one("review.fire_separation", subject(body)).verdict == "cannot_judge"


def test_the_edition_of_the_permits_date() -> None:
    before = one("review.fire_separation", subject(pair(10, 30, 40), on=date(2022, 5, 1)))
    after = one("review.fire_separation", subject(pair(10, 30, 40), on=date(2024, 5, 1)))
    assert (before.standard, before.clause, before.edition) == ("GB 50016-2014", "5.2.2", "2018")
    assert (after.standard, after.edition, after.confidence) == ("GB 55037-2022", "2022", "medium")


@pytest.mark.parametrize(("gap", "expected"), [(16, ("pass", False)), (15.02, ("pass", True)), (14, ("fail", False))])
def test_spacing_of_a_city(gap: float, expected: tuple[str, bool]) -> None:
    found = one("review.city_spacing", subject(pair(gap, 30.0, 12.0), city="示例市"))
    assert (found.verdict.value, found.borderline, found.blocking) == (*expected, False)
    assert found.limit == 15.0


def test_spacing_of_a_city_without_heights() -> None:
    assert one("review.city_spacing", subject(pair(10, None, 12.0), city="示例市")).verdict == "cannot_judge"


def test_basements() -> None:
    def deep(shape: Any, **more: Any) -> Any:
        return plan(site(), made(Role.BASEMENT, shape, "地下室"), **more)

    assert told(one("review.underground", subject(deep(box(5, 5, 95, 75))))) == ("pass", False, False)
    assert told(one("review.underground", subject(deep(box(0, 5, 95, 75))))) == ("pass", True, False)
    over = one("review.underground", subject(deep(box(-2, 5, 95, 75))))
    assert (told(over), over.measured) == (("fail", False, True), pytest.approx(-2.0))
    assert shapely.geometry.shape(over.evidence).area == pytest.approx(140.0)
    city = one("review.underground", subject(deep(box(2, 5, 95, 75)), city="示例市"))
    assert (city.verdict, city.limit, city.blocking) == ("fail", 3.0, False)
    assert judged("review.underground", subject(plan(site()))) == []
    said = one("review.underground", subject(plan(site(), declared={"gfa_below_m2": 900.0})))
    assert said.message == "review.underground.no_outline"
    assert one("review.underground", subject(plan(made(Role.BASEMENT, box(0, 0, 5, 5))))).message == "review.no_site"
