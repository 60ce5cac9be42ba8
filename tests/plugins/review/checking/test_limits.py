"""Rules on numbers: kept, broken, borderline, without data."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from plugins.review.model.checking.types import Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.reading.types import Role, SitePlan
from tests.plugins.review.checking.judged import ground, judged, one, subject, told
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site, stated

#: 8,000 m² of site, a house of 20 × 10 m with 10 storeys: FAR 0.25, density 2.5 %, height 30 m.
HOUSE = box(10, 10, 30, 20)


def drawn(*more: Any, height: float | None = 30.0, storeys: int = 10, declared: Any = None) -> SitePlan:
    return plan(site(), house("1#", HOUSE, storeys, height), *more, declared=declared)


def parcel(**limits: Any) -> Conditions:
    return Conditions("A-01", number="规条 2026-014", issued="2026-01-05", **limits)


@pytest.mark.parametrize(
    ("far", "expected"),
    [
        (0.30, ("pass", False, False)), (0.25, ("pass", True, False)), (0.255, ("pass", True, False)),
        (0.2499, ("fail", True, True)), (0.20, ("fail", False, True)),
    ],
)  # fmt: skip
def test_far_most(far: float, expected: tuple[str, bool, bool]) -> None:
    found = one("review.far_max", subject(drawn(), parcel(far_max=far)))
    assert told(found) == expected
    assert (found.measured, found.limit) == (pytest.approx(0.25), far)
    assert (found.standard, found.clause, found.edition) == ("规划条件 规条 2026-014", "容积率", "2026-01-05")


def test_far_is_judged_unrounded_and_worded_so_that_both_differ() -> None:
    found = one("review.far_max", subject(drawn(), parcel(far_max=0.2496)))
    assert found.verdict == "fail"
    assert found.params is not None
    assert (found.params["value"], found.params["permitted"]) == ("0.2500", "0.2496")


def test_far_without_data() -> None:
    assert one("review.far_max", subject(drawn())).message == "review.no_conditions"
    assert one("review.far_max", subject(drawn(), parcel())).message == "review.not_demanded"
    nothing = one("review.far_max", subject(plan(site()), parcel(far_max=2.0)))
    assert (nothing.verdict, nothing.message, nothing.limit) == ("cannot_judge", "review.no_floor_area", 2.0)


def test_incomplete_floor_areas_never_pass_but_may_fail() -> None:
    half = drawn(made(Role.FOOTPRINT, box(50, 10, 70, 20), "2#"))
    assert one("review.far_max", subject(half, parcel(far_max=2.0))).message == "review.limit.partial"
    assert one("review.far_max", subject(half, parcel(far_max=0.1))).verdict == "fail"
    assert one("review.far_min", subject(half, parcel(far_min=0.1))).verdict == "pass"
    assert one("review.far_min", subject(half, parcel(far_min=0.5))).message == "review.limit.partial"


def test_far_least() -> None:
    assert judged("review.far_min", subject(drawn(), parcel())) == []
    assert told(one("review.far_min", subject(drawn(), parcel(far_min=0.2)))) == ("pass", False, False)
    assert told(one("review.far_min", subject(drawn(), parcel(far_min=1.2)))) == ("fail", False, True)
    assert told(one("review.far_min", subject(drawn(), parcel(far_min=0.245)))) == ("pass", True, False)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.03, "pass"), (0.025, "pass"), (0.02, "fail"), (None, "cannot_judge")],
)
def test_density(limit: float | None, expected: str) -> None:
    found = one("review.density", subject(drawn(), parcel(density_max=limit)))
    assert found.verdict == expected
    assert found.borderline is (limit == 0.025)
    assert (found.evidence is not None) is (expected == "fail")


@pytest.mark.parametrize(
    ("limit", "verdict", "borderline"),
    [(0.10, "pass", False), (0.125, "pass", True), (0.1255, "fail", True), (0.35, "fail", False)],
)
def test_green_ratio(limit: float, verdict: str, borderline: bool) -> None:
    green = made(Role.GREEN, box(40, 10, 90, 30), kind="集中")  # 1,000 of 8,000 m²
    found = one("review.green_ratio", subject(drawn(green), parcel(green_min=limit)))
    assert (found.verdict, found.borderline) == (verdict, borderline)
    if verdict == "fail":
        assert found.evidence is not None
        assert shapely.geometry.shape(found.evidence).equals(ground(box(40, 10, 90, 30)))


def test_green_ratio_without_green() -> None:
    assert one("review.green_ratio", subject(drawn(), parcel(green_min=0.3))).message == "review.no_green"


def test_height() -> None:
    both = drawn(house("2#", box(50, 10, 70, 20), 3, 12.0))
    assert told(one("review.height", subject(both, parcel(height_max=36.0)))) == ("pass", False, False)
    assert told(one("review.height", subject(both, parcel(height_max=30.05)))) == ("pass", True, False)
    found = one("review.height", subject(both, parcel(height_max=27.0)))
    assert (told(found), found.feature, found.measured) == (("fail", False, True), "1#", 30.0)
    assert len(judged("review.height", subject(both, parcel(height_max=10.0)))) == 2


def test_height_without_data_and_from_a_text() -> None:
    assert one("review.height", subject(drawn(height=None), parcel(height_max=36.0))).message == "review.no_height"
    unknown = drawn(made(Role.FOOTPRINT, box(50, 10, 70, 20), "2#"))
    assert one("review.height", subject(unknown, parcel(height_max=36.0))).message == "review.heights_missing"
    over = judged("review.height", subject(unknown, parcel(height_max=20.0)))
    assert [each.verdict for each in over] == ["fail", "cannot_judge"]
    text = drawn(stated("1#", 33.0, "1# 10F H=33.0"), height=None)
    found = one("review.height", subject(text, parcel(height_max=36.0)))
    assert (found.measured, found.declared, found.message) == (None, 33.0, "review.height.within_text")
    assert one("review.height", subject(text, parcel(height_max=30.0))).message == "review.height.over_text"


@pytest.mark.parametrize(
    ("deed", "expected"),
    [(8000.0, ("pass", False)), (8003.0, ("pass", True)), (8100.0, ("fail", False)), (7000.0, ("fail", False))],
)
def test_site_area(deed: float, expected: tuple[str, bool]) -> None:
    found = one("review.site_area", subject(drawn(), parcel(site_area_m2=deed)))
    assert (found.verdict, found.borderline) == expected


def test_site_area_against_the_parcel_itself_or_nothing() -> None:
    wkb = bytes(shapely.to_wkb(ground(box(0, 0, 100, 80))))
    assert one("review.site_area", subject(drawn(), parcel(wkb=wkb))).verdict == "pass"
    assert one("review.site_area", subject(drawn(), parcel())).verdict == "cannot_judge"
    assert one("review.site_area", subject(plan(), parcel(site_area_m2=1.0))).message == "review.no_site"


def stalls(count: int) -> list[Any]:
    return [made(Role.PARKING, box(3 * n, 60, 3 * n + 2.5, 65)) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(25, ("pass", False, False)), (20, ("pass", True, False)), (19, ("fail", True, True)), (9, ("fail", False, True))],
)
def test_parking_by_floor_area(count: int, expected: tuple[str, bool, bool]) -> None:
    found = one("review.parking", subject(drawn(*stalls(count)), parcel(parking=1.0, parking_per="100m2")))
    assert (told(found), found.limit) == (expected, pytest.approx(20.0))


def test_parking_by_households_and_in_all() -> None:
    per_flat = parcel(parking=1.2, parking_per="household")
    flats = drawn(*stalls(20), declared={"households": 20.0})
    found = one("review.parking", subject(flats, per_flat))
    assert (found.verdict, found.limit) == ("fail", pytest.approx(24))
    assert one("review.parking", subject(drawn(*stalls(20)), per_flat)).message == "review.parking.no_households"
    in_all = parcel(parking=15, parking_per="total")
    assert one("review.parking", subject(drawn(*stalls(20)), in_all)).verdict == "pass"


def test_parking_without_places() -> None:
    empty = plan(site(), house("1#", HOUSE, 10, 30.0), roles={"parking": ("TCW",)}, declared={"parking": 30.0})
    found = one("review.parking", subject(empty, parcel(parking=1.0, parking_per="100m2")))
    assert (found.verdict, found.message, found.declared) == ("cannot_judge", "review.no_parking_empty", 30.0)


def housing(green: float, footprint: Any = HOUSE) -> SitePlan:
    return plan(
        site(100, 20), house("1#", footprint, 8, 24.0, text="住宅"),
        made(Role.GREEN, box(40, 0, 40 + green / 20, 20), kind="集中"),
    )  # fmt: skip


def test_the_national_table_for_housing() -> None:
    found = judged("review.housing_table", subject(housing(700.0), zone="Ⅲ"))
    assert {each.feature: each.verdict.value for each in found} == {
        "容积率": "pass", "建筑密度": "pass", "绿地率": "pass", "建筑高度": "pass",
    }  # fmt: skip
    short = judged("review.housing_table", subject(housing(500.0, box(0, 0, 38, 20)), zone="Ⅲ"))
    failed = {each.feature: (each.limit, each.blocking) for each in short if each.verdict == "fail"}
    assert failed == {"容积率": (2.1, False), "建筑密度": (0.30, False), "绿地率": (0.30, False)}
    near = judged("review.housing_table", subject(housing(600.0), zone="Ⅲ"), tolerance=0.001)
    assert [each.feature for each in near if each.borderline] == ["绿地率"]


def test_the_table_needs_a_zone_and_housing() -> None:
    assert one("review.housing_table", subject(housing(700.0))).message == "review.housing.no_zone"
    assert judged("review.housing_table", subject(drawn(), zone="Ⅲ")) == []
    silent = plan(site(), house("1#", HOUSE, 0, 24.0, text="住宅"))
    assert one("review.housing_table", subject(silent, zone="Ⅲ")).message == "review.housing.no_storeys"


def surfaces(limit: float) -> Surroundings:
    airport = (("机场净空", ground(box(0, 0, 200, 15)), limit),)
    return Surroundings(surfaces=airport, searched=("height_surface",))


def test_height_surfaces_where_the_project_has_them() -> None:
    assert judged("review.height_surface", subject(drawn())) == []
    assert one("review.height_surface", subject(drawn(), around=surfaces(45.0))).verdict == "pass"
    near = one("review.height_surface", subject(drawn(), around=surfaces(30.05)))
    assert told(near) == ("pass", True, False)
    over = one("review.height_surface", subject(drawn(), around=surfaces(24.0)))
    assert (over.verdict, over.feature, over.limit) == ("needs_certificate", "1#", 24.0)
    unknown = one("review.height_surface", subject(drawn(height=None), around=surfaces(24.0)))
    assert unknown.verdict == "cannot_judge"
    assert one("review.height_surface", subject(drawn(), around=surfaces(24.0), placed=False)).verdict == "cannot_judge"
