"""Why two plans differ on a patch: the cause decides who has to do what.

|cause|what it is|what it asks for|
|--|--|--|
|outdated_version|the plan or feature is no longer valid, or a newer version changed it here|use the newer plan|
|boundary_sliver|a thin strip along a boundary both plans mean to share|align the boundary|
|class_difference|the two classes mean the same or nearly (crosswalk, group, matrix)|note it in the class table|
|true_conflict|two uses of one piece of land|decide which plan yields|
|same_class|no difference at all; only listed when every pair is asked for|nothing|

Where several hold the first of this table counts, but an equal class is always ``same_class``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner_app.domain.layer import PlanInfo

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Cause(StrEnum):
    """Causes of a patch; the order is that of reports."""

    TRUE_CONFLICT = "true_conflict"  # 真实冲突
    BOUNDARY_SLIVER = "boundary_sliver"  # 边界碎屑
    CLASS_DIFFERENCE = "class_difference"  # 仅分类差异
    OUTDATED_VERSION = "outdated_version"  # 版本过期
    SAME_CLASS = "same_class"  # 类别一致


CAUSES = tuple(Cause)


@dataclass(frozen=True, slots=True)
class SliverTest:
    """When a patch is a sliver of a shared boundary rather than land that two plans want.

    All must hold: mean width (2·area/perimeter) below ``width`` metres, or below ``relative`` × the square root of the
    smaller feature's area but never above ``most`` metres; compactness (4π·area/perimeter², square 0.79, strip of 1:6
    0.38) below ``compactness``; and the patch takes less than ``share`` of the smaller feature, so that a narrow strip
    that a plan drew on purpose (a ditch, a footpath) is not explained away.
    """

    width: float = 2.0
    relative: float = 0.01
    most: float = 5.0
    compactness: float = 0.4
    share: float = 0.5

    def find(self, area: Floats, perimeter: Floats, smaller_area: Floats) -> Mask:
        """Slivers among patches; areas in m², perimeters in m, all of shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            width = 2.0 * area / perimeter
            compact = 4.0 * np.pi * area / perimeter**2
            share = area / smaller_area
        limit = np.clip(self.relative * np.sqrt(smaller_area), self.width, max(self.width, self.most))
        return np.asarray((width < limit) & (compact < self.compactness) & (share < self.share))


def classify(same: Mask, outdated: Mask, sliver: Mask, related: Mask) -> NDArray[np.int8]:
    """The cause of each patch as an index into :data:`CAUSES`."""
    order = [same, outdated, sliver, related]
    chosen = [Cause.SAME_CLASS, Cause.OUTDATED_VERSION, Cause.BOUNDARY_SLIVER, Cause.CLASS_DIFFERENCE]
    numbers = [CAUSES.index(cause) for cause in chosen]
    return np.select(order, numbers, CAUSES.index(Cause.TRUE_CONFLICT)).astype(np.int8)


#: Fields in which a plan's features carry the end of their own validity.
END_FIELDS = ("valid_to", "有效期至", "失效日期", "截止日期")
_DATE = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})")


def ended(values: list[Any], on: str) -> Mask:
    """Features whose own end of validity lies before the ISO day ``on``; what is no date has no end."""
    found = [_DATE.match(str(value)) if value else None for value in values]
    days = ["{}-{:0>2}-{:0>2}".format(*match.groups()) if match else "9999-12-31" for match in found]
    return np.array([day < on for day in days], dtype=bool)


def expired(plan: PlanInfo | None, on: str) -> bool:
    """True if the plan's validity ended before the ISO day ``on``."""
    return plan is not None and bool(plan.valid_to) and plan.valid_to < on


def successor(plan: PlanInfo | None, plans: list[PlanInfo], on: str) -> PlanInfo | None:
    """The newest version of a plan that is in force on a day: same kind, and same name but for years and versions.

    An expired plan is also followed by a plan of its kind under another name.
    """
    if plan is None:
        return None
    later = [
        other
        for other in plans
        if other.id != plan.id
        and other.kind is plan.kind
        and (other.valid_from, other.version) > (plan.valid_from, plan.version)
        and other.valid_from
        and other.valid_from <= on
        and not expired(other, on)
        and (_plain_name(other.name) == _plain_name(plan.name) or expired(plan, on))
    ]
    return max(later, key=lambda other: (other.valid_from, other.version), default=None)


def _plain_name(name: str) -> str:
    return re.sub(r"[\d\s\W_]+|年|版|修编|修改|调整|v(?=\d)", "", name.casefold())
