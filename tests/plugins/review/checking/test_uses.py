"""Uses, and what a report made elsewhere must answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from plugins.review.model.checking.types import Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.reading.types import Role
from tests.plugins.review.checking.judged import ground, judged, one, subject, told
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site, zongping


def parcel(**of: Any) -> Conditions:
    return Conditions("A-01", **of)


def mixed(shops: int = 1) -> Any:
    return plan(
        site(), house("1#", box(10, 10, 30, 20), 9, 27.0, text="住宅"),
        house("2#", box(50, 10, 70, 20), shops, 6.0, text="商业"),
        house("3#", box(80, 10, 85, 12), 1, 4.0, text="配电房"),
    )  # fmt: skip


def test_uses_of_the_parcel() -> None:
    assert one("review.use", subject(mixed(), parcel(use="R2", compatible=("B1",)))).verdict == "pass"
    found = one("review.use", subject(mixed(), parcel(use="R2")))
    assert (told(found), found.feature) == (("fail", False, False), "2#")  # read from texts: it warns
    both = judged("review.use", subject(mixed(), parcel(use="0902")))
    assert [each.feature for each in both] == ["1#", "2#"]
    assert one("review.use", subject(mixed(), parcel(use="二类居住用地", compatible=("商业",)))).verdict == "pass"


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.2, ("pass", False)), (0.1, ("pass", True)), (0.098, ("fail", True)), (0.05, ("fail", False))],
)
def test_share_of_compatible_uses(share: float, expected: tuple[str, bool]) -> None:
    found = one("review.use", subject(mixed(), parcel(use="R2", compatible=("B1",), compatible_share=share)))
    assert (found.verdict.value, found.borderline) == expected
    assert found.measured == pytest.approx(0.1)


def test_uses_without_data() -> None:
    silent = plan(site(), house("1#", box(10, 10, 30, 20), 1, 5.0))
    assert one("review.use", subject(silent, parcel(use="R2"))).message == "review.use.not_said"
    assert one("review.use", subject(mixed())).message == "review.no_conditions"
    assert one("review.use", subject(mixed(), parcel(use="H9"))).message == "review.use.unknown_class"
    areas = parcel(use="R2", compatible=("B1",), compatible_share=0.3)
    assert one("review.use", subject(zongping(), areas)).message == "review.use.no_areas"
    half = plan(site(), house("1#", box(10, 10, 30, 20), 1, 5.0, text="住宅"), house("2#", box(50, 10, 60, 20), 1))
    assert one("review.use", subject(half, parcel(use="R2"))).message == "review.use.silent"


def test_sunlight_of_housing_needs_its_report() -> None:
    needed = one("review.sunlight", subject(mixed()))
    assert (needed.verdict, needed.standard, needed.clause) == ("needs_certificate", "GB 50180-2018", "4.0.9")
    answered = one("review.sunlight", subject(mixed(), reports={"review.sunlight": "日照分析报告"}))
    assert (answered.verdict, answered.message) == ("needs_certificate", "review.certificate.answered")
    earlier = one("review.sunlight", subject(mixed(), on=date(2016, 1, 1)))
    assert (earlier.standard, earlier.clause) == ("GB 50180-93", "5.0.2.1")


def test_sunlight_of_neighbours() -> None:
    works = plan(site(), house("1#", box(10, 10, 30, 20), 1, 8.0, text="厂房"))
    far = Surroundings(neighbours=(("x", ground(box(400, 0, 420, 9)), 9.0),), searched=("building",))
    assert judged("review.sunlight", subject(works, around=far)) == []
    near = Surroundings(
        neighbours=(("x", ground(box(40, 0, 60, 9)), 9.0),), searched=("building",), neighbour_uses=("residential",)
    )
    assert one("review.sunlight", subject(works, around=near)).verdict == "needs_certificate"
    assert one("review.sunlight", subject(works)).verdict == "needs_certificate"  # nobody knows what is around
    shops = Surroundings(
        neighbours=(("x", ground(box(40, 0, 60, 9)), 9.0),), searched=("building",), neighbour_uses=("retail",)
    )
    assert judged("review.sunlight", subject(works, around=shops)) == []


def test_traffic_by_floor_area() -> None:
    big = plan(site(), house("1#", box(0, 0, 80, 60), 11, 33.0, text="住宅"))  # 52,800 m²
    assert one("review.traffic", subject(big)).verdict == "needs_certificate"
    assert one("review.traffic", subject(big, reports={"review.traffic": "交评"})).verdict == "needs_certificate"
    small = one("review.traffic", subject(mixed()))
    assert (small.verdict, small.limit) == ("pass", 20_000.0)  # the shops' threshold
    unknown = one("review.traffic", subject(zongping()))
    assert unknown.message == "review.no_floor_area"
    assert one("review.traffic", subject(zongping(), reports={"review.traffic": "交评"})).verdict == "needs_certificate"
    half = plan(
        site(), house("1#", box(0, 0, 10, 10), 1, 3.0, text="住宅"), made(Role.FOOTPRINT, box(20, 0, 30, 10), "2#")
    )
    assert one("review.traffic", subject(half)).message == "review.limit.partial"
