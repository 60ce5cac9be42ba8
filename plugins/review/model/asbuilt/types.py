"""What an as-built comparison found out, before and after the rules judge it. Metres, in the survey's axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from plugins.review.model.asbuilt.outline import OutlineShift
from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.types import Building, Indicators, Setback
from plugins.review.model.reading.types import Element

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class Pair:
    """A building as approved and as built; one of them is None where it is missing or was not approved.

    ``approved_shape``: the approved footprint in the survey's axes; ``by``: overlap | name, how they were matched.
    """

    name: str
    approved: Building | None = None
    built: Building | None = None
    approved_shape: BaseGeometry | None = None
    shift: OutlineShift | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """An approved green area in the survey's axes and which part of it is there; None where the survey cannot tell."""

    element: Element
    shape: BaseGeometry
    built_share: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rules look at.

    Attributes:
        before, after: indicators as approved and as built; what the survey does not show of the plan (site, road and
            build-to lines) is taken from the approved drawing.
        setbacks: approved distances, and those of the built outlines to the same lines.
        from_plan: roles the survey does not show.
        same_ground: false where the two drawings have no common axes: no position can be judged.
        evidence: GeoJSON in the project's CRS of a shape in the survey's axes, None while the survey is not placed.
    """

    approved: OpenDrawing
    survey: OpenDrawing
    conditions: Conditions | None
    before: Indicators
    after: Indicators
    pairs: tuple[Pair, ...]
    patches: tuple[Patch, ...]
    setbacks: tuple[tuple[Setback, Setback], ...]
    from_plan: tuple[str, ...]
    same_ground: bool
    evidence: Callable[[BaseGeometry | None], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class AsBuilt:
    """The comparison with its verdict."""

    facts: Facts
    findings: tuple[Finding, ...]
    verdict: Verdict
    on: date
    city: str = ""
    notes: tuple[Note, ...] = ()
