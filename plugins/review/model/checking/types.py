"""What a check is given and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.reading.types import SitePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the project knows around the site, in the project's CRS: (layer name, kind of line, geometry) and
    neighbours.

    ``lines``: control lines and road lines near the site (name, role such as green_line, road_line; geometry).
    ``neighbours``: existing buildings near it (name, geometry, height or None). ``parcel``: the approved parcel,
    or None.
    """

    lines: tuple[tuple[str, str, BaseGeometry], ...] = ()
    neighbours: tuple[tuple[str, BaseGeometry, float | None], ...] = ()
    parcel: BaseGeometry | None = None
    searched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """All a rule may look at.

    ``to_project`` moves geometry from the drawing's metres to the project's CRS (None: not placed).
    """

    plan: SitePlan
    indicators: Indicators
    conditions: Conditions | None
    on: date
    city: str = ""
    to_project: Callable[[BaseGeometry], BaseGeometry] | None = None
    surroundings: Surroundings = Surroundings()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table 申报 / 实测 / 规定. ``permitted`` is worded (``≤ 2.00``); numbers unrounded."""

    key: str
    title: str
    declared: float | None
    measured: float | None
    limit: float | None
    relation: str
    unit: str
    verdict: Verdict
    borderline: bool = False
    blocking: bool = False
    clause: str = ""
    handles: tuple[str, ...] = ()
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The result: findings of every rule in force on ``on``, the table, the verdict over all."""

    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    verdict: Verdict
    on: date
    rule_set: tuple[Mapping[str, Any], ...] = field(default=())
    notes: tuple[Note, ...] = ()
