"""What a check is given and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.rule_sets import CityRules
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.reading.types import SitePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the project knows around the site, in the project's CRS.

    Attributes:
        lines: control lines and road lines near the site (name, kind such as green_line, road_line; geometry).
        neighbours: existing buildings near it (name, geometry, height or None), those on the site left out.
        parcel: the approved parcel that the site lies on most, or None.
        searched: kinds of line (and ``building``, ``height_surface``, ``facility``, ``parcel``) of which the project
            has a layer, whether something of it lies near or not. A kind that is missing here was not checked.
        layers: the names of those layers by kind.
        surfaces: surfaces that limit heights (airport, heritage): (name, geometry, metres above the ground).
        facilities: parcels of the detailed plan within reach (layer name, class, geometry).
        neighbour_uses: use of each neighbour (:mod:`~plugins.review.model.indicators.uses`), "" where not known.
        notes: what was left out.
    """

    lines: tuple[tuple[str, str, BaseGeometry], ...] = ()
    neighbours: tuple[tuple[str, BaseGeometry, float | None], ...] = ()
    parcel: BaseGeometry | None = None
    searched: tuple[str, ...] = ()
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    surfaces: tuple[tuple[str, BaseGeometry, float], ...] = ()
    facilities: tuple[tuple[str, str, BaseGeometry], ...] = ()
    neighbour_uses: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """All a rule may look at.

    Attributes:
        to_project: moves geometry from the drawing's metres to the project's CRS (None: not placed).
        reports: rule id → title of the report made elsewhere that answers it (sunlight, traffic).
        city_rules: the city's parameters (climate zone, …); None: those shipped for ``city``.
    """

    plan: SitePlan
    indicators: Indicators
    conditions: Conditions | None
    on: date
    city: str = ""
    to_project: Callable[[BaseGeometry], BaseGeometry] | None = None
    surroundings: Surroundings = Surroundings()
    reports: Mapping[str, str] = field(default_factory=dict)
    city_rules: CityRules | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table 申报 / 实测 / 规定. Numbers unrounded, ratios as fractions.

    Attributes:
        key: an indicator key, or ``setback``, ``spacing``, ``far_min`` …
        title: English message id (``tr``): Site area, FAR, Setback east …
        relation: ``≤`` or ``≥`` between measured and limit, "" without a limit.
        unit: ``m²``, ``m``, ``%`` (the values are fractions, shown × 100) or "".
        clause: standard and clause of the finding that decides.
        feature: what it is about where not the whole project (``2号楼 E2``); rule: id of the deciding finding's rule.
    """

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
    feature: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """The result: findings of every rule in force on ``on``, the table, the verdict over all."""

    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    verdict: Verdict
    on: date
    rule_set: tuple[Mapping[str, Any], ...] = field(default=())
    notes: tuple[Note, ...] = ()
