"""Why a patch differs."""

from __future__ import annotations

import numpy as np
import pytest

from planner_app.domain.layer import PlanInfo, PlanKind
from plugins.planning.model.causes import CAUSES, Cause, SliverTest, classify, ended, expired, successor


@pytest.mark.parametrize(
    ("width", "length", "smaller", "sliver"),
    [
        (1.0, 100.0, 10_000.0, True),  # a strip along a parcel's edge
        (1.0, 3.0, 10_000.0, False),  # a corner: compact
        (3.0, 100.0, 10_000.0, False),  # too wide for a parcel of a hectare
        (3.0, 300.0, 250_000.0, True),  # 0.6 % of the side of a 500 m block
        (6.0, 900.0, 1e8, False),  # never above five metres
        (1.0, 100.0, 150.0, False),  # a footpath of its own: most of the feature
    ],
)
def test_sliver(width: float, length: float, smaller: float, sliver: bool) -> None:
    area, perimeter = np.array([width * length]), np.array([2 * (width + length)])
    assert SliverTest().find(area, perimeter, np.array([smaller])).tolist() == [sliver]


def test_order_of_causes() -> None:
    yes, no = np.array([True]), np.array([False])

    def cause(*masks: np.ndarray) -> Cause:
        return CAUSES[int(classify(*masks)[0])]

    assert cause(no, no, no, no) is Cause.TRUE_CONFLICT
    assert cause(no, no, no, yes) is Cause.CLASS_DIFFERENCE
    assert cause(no, no, yes, yes) is Cause.BOUNDARY_SLIVER
    assert cause(no, yes, yes, yes) is Cause.OUTDATED_VERSION
    assert cause(yes, yes, yes, yes) is Cause.SAME_CLASS


def test_ends_of_validity() -> None:
    values = ["2020-12-31", "2020年6月1日", "20351231", None, "permanent", "2026-11-20"]
    assert ended(values, "2026-11-20").tolist() == [True, True, False, False, False, False]


def _plan(number: str, name: str, start: str, end: str = "", kind: PlanKind = PlanKind.LAND_USE) -> PlanInfo:
    return PlanInfo(number, kind, name, valid_from=start, valid_to=end)


def test_successor() -> None:
    old = _plan("a", "土地利用规划 2010-2020", "2010-01-01", "2020-12-31")
    new = _plan("b", "土地利用规划 2020-2035", "2021-01-01", "2035-12-31")
    draft = _plan("c", "土地利用规划 2050", "2040-01-01")
    other = _plan("d", "总体规划 2035", "2022-01-01", kind=PlanKind.MASTER)
    plans = [old, new, draft, other]
    assert successor(old, plans, "2026-11-20") == new
    assert successor(new, plans, "2026-11-20") is None
    assert successor(other, plans, "2026-11-20") is None
    assert successor(None, plans, "2026-11-20") is None
    assert expired(old, "2026-11-20")
    assert not expired(new, "2026-11-20")
    assert not expired(None, "2026-11-20")


def test_another_name_follows_an_expired_plan_only() -> None:
    old = _plan("a", "土地利用总体规划", "2010-01-01")
    new = _plan("b", "国土空间用途规划", "2021-01-01")
    assert successor(old, [old, new], "2026-11-20") is None
    ended_plan = _plan("a", "土地利用总体规划", "2010-01-01", "2020-12-31")
    assert successor(ended_plan, [ended_plan, new], "2026-11-20") == new
