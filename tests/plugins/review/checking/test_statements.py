"""What a drawing says of itself: declared values, their sums, floors, outlines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import shapely

from plugins.review.model.reading.types import Repair, Role
from tests.plugins.review.checking.judged import ground, judged, one, subject, told
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site, stated, zongping

HOUSE = box(10, 10, 30, 20)


def by_feature(rule: str, drawn: Any) -> dict[str, Any]:
    return {each.feature: each for each in judged(rule, subject(drawn))}


def test_the_false_green_ratio_of_the_synthetic_plan() -> None:
    found = by_feature("review.declared", zongping())
    green = found["绿地率"]
    assert told(green) == ("fail", False, True)
    assert (green.declared, green.measured, green.message) == (
        0.305,
        pytest.approx(1148 / 9600),
        "review.declared.more",
    )
    assert green.params is not None
    assert (green.params["said"], green.params["value"]) == ("30.50%", "11.96%")
    assert shapely.geometry.shape(green.evidence).area == pytest.approx(1148)
    assert found["用地面积"].verdict == "pass"
    assert (found["容积率"].verdict, found["容积率"].message) == ("cannot_judge", "review.no_floor_area")
    assert set(found) == {"用地面积", "总建筑面积", "计容建筑面积", "容积率", "建筑密度", "绿地率"}


@pytest.mark.parametrize(
    ("declared", "text", "expected"),
    [
        (0.25, "0.25", ("pass", False)), (0.2501, "0.2501", ("pass", True)), (0.2501, "0.25", ("pass", False)),
        (0.26, "0.26", ("fail", False)), (0.2, "0.20", ("fail", False)),
    ],
)  # fmt: skip
def test_declared_far(declared: float, text: str, expected: tuple[str, bool]) -> None:
    drawn = plan(site(), house("1#", HOUSE, 10, 30.0), declared={"far": declared}, texts={"far": text})
    found = one("review.declared", subject(drawn))
    assert (found.verdict.value, found.borderline) == expected


def test_declared_places_must_be_exact_and_missing_ones_are_not_judged() -> None:
    drawn = plan(site(), made(Role.PARKING, box(0, 0, 2.5, 5)), declared={"parking": 2.0})
    assert one("review.declared", subject(drawn)).verdict == "fail"
    nothing = plan(site(), declared={"parking": 608.0}, roles={"parking": ("TCW",)})
    assert one("review.declared", subject(nothing)).message == "review.no_parking_empty"
    assert one("review.declared", subject(plan(site()))).message == "review.declared.none"


def test_declared_more_than_what_could_be_measured_is_not_judged() -> None:
    half = [site(), house("1#", HOUSE, 10, 30.0), made(Role.FOOTPRINT, box(50, 10, 70, 20), "2#")]
    assert one("review.declared", subject(plan(*half, declared={"gfa_m2": 2600.0}))).verdict == "cannot_judge"
    less = one("review.declared", subject(plan(*half, declared={"gfa_m2": 1500.0})))
    assert (less.verdict, less.message) == ("fail", "review.declared.less")


def test_a_height_text_that_lies() -> None:
    drawn = plan(site(), house("1#", HOUSE, 10, 55.6), stated("1#", 48.4, "1# H=48.40"), declared={"height_m": 48.4})
    found = judged("review.declared", subject(drawn))
    assert [(each.feature, each.declared, each.measured) for each in found] == [
        ("建筑高度", 48.4, 55.6), ("1#", 48.4, 55.6),
    ]  # fmt: skip
    only = plan(site(), made(Role.FOOTPRINT, HOUSE, "1#"), stated("1#", 48.4, "H"), declared={"height_m": 48.4})
    assert one("review.declared", subject(only)).verdict == "cannot_judge"  # a text against a text


@pytest.mark.parametrize(
    ("declared", "texts", "expected"),
    [
        ({"far": 1.40, "far_area_m2": 13440.0, "site_area_m2": 9600.0}, {"far": "1.40"}, {"容积率": "pass"}),
        ({"far": 1.98, "far_area_m2": 13440.0, "site_area_m2": 9600.0}, {"far": "1.98"}, {"容积率": "fail"}),
        ({"density": 0.1586, "footprint_m2": 1521.6, "site_area_m2": 9600.0}, {}, {"建筑密度": "pass"}),
        ({"gfa_m2": 100.0, "gfa_above_m2": 60.0, "gfa_below_m2": 30.0}, {}, {"总建筑面积": "fail"}),
        ({"parking": 10.0, "parking_surface": 4.0, "parking_basement": 6.0}, {}, {"停车位": "pass"}),
        ({"far": 1.0}, {}, {"": "cannot_judge"}),
    ],
)  # fmt: skip
def test_declared_values_among_one_another(
    declared: dict[str, float], texts: dict[str, str], expected: dict[str, str]
) -> None:
    found = by_feature("review.declared_sums", plan(site(), declared=declared, texts=texts))
    assert {feature: each.verdict.value for feature, each in found.items()} == expected


def floors(*shapes: Any, storeys: int | None = None) -> Any:
    outline = made(Role.FOOTPRINT, HOUSE, "1#", storeys=storeys)
    areas = [
        made(Role.FLOOR_AREA, shape, "1#", floor=n, coefficient=1.0, counts_far=True)
        for n, shape in enumerate(shapes, start=1)
    ]
    return plan(site(), outline, areas)


def test_floors_and_footprints() -> None:
    assert one("review.floors", subject(floors(HOUSE, HOUSE))).verdict == "pass"
    assert one("review.floors", subject(floors(box(10, 10, 30.3, 20)))).verdict == "pass"  # 3 m² of 200: within 2 %
    differ = one("review.floors", subject(floors(box(10, 10, 34, 20))))
    assert (differ.verdict, differ.measured, differ.limit, differ.blocking) == ("fail", 240.0, 200.0, False)
    assert one("review.floors", subject(floors(HOUSE, HOUSE, storeys=6))).message == "review.floors_missing"
    assert one("review.floors", subject(floors())).message == "review.building_no_floors"
    assert one("review.floors", subject(plan(site()))).message == "review.no_footprint"
    elsewhere = floors(shapely.affinity.translate(HOUSE, 300, 0))  # eDCR draws floors beside the site plan
    assert one("review.floors", subject(elsewhere)).verdict == "pass"


def test_outlines() -> None:
    drawn = floors(HOUSE)
    assert told(one("review.topology", subject(drawn))) == ("pass", False, False)
    where = box(10, 10, 30, 20)
    gap = Repair("a", "closed_gap", "A2", "LAYER", ("reading.gap", {}), where)
    mended = one("review.topology", subject(replace(drawn, repairs=(gap,))))
    assert told(mended) == ("pass", True, False)
    left_out = replace(gap, id="b", kind="open_outline", handle="B7")
    found = judged("review.topology", subject(replace(drawn, repairs=(gap, left_out))))
    assert [(each.verdict.value, each.feature) for each in found] == [("fail", "B7"), ("pass", "")]
    assert shapely.geometry.shape(found[0].evidence).equals(ground(where))
    taken_back = replace(left_out, undone=True)
    assert told(one("review.topology", subject(replace(drawn, repairs=(taken_back,))))) == ("pass", False, False)
    assert one("review.topology", subject(plan())).verdict == "cannot_judge"
