"""An opinion with all that goes into it: one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from planner_app.domain.rule import Rule
from plugins.review.model.cases.records import Case, Comment, DrawingRecord, Issue, Markup, OutsideReport, SignOff
from plugins.review.model.checking.types import Check, Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.rule_sets import RuleSets
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.reading.convention import Convention
from plugins.review.model.reading.types import SitePlan

#: Kinds of opinion: 规划审查意见书, 竣工规划核实意见.
DESIGN, AS_BUILT = "design", "as_built"
#: Who signs: 审查人 first, 审定人 after.
REVIEWER, APPROVER = ROLES = ("reviewer", "approver")
#: What a signature may conclude: 同意, 修改后重报, 不同意.
CONCLUSIONS = ("approved", "returned", "rejected")


@dataclass(frozen=True, slots=True)
class Thread:
    """An issue with all that was said about it, oldest first."""

    issue: Issue
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of the opinion.

    Attributes:
        kind: ``map`` (the project's map), ``site`` (the drawing with what the rules saw), ``sheet`` (a page of a PDF or
            an image), ``finding`` or ``issue``; ``key``: number of the finding or issue it belongs to, or the page.
        media: ``image/png`` or ``image/svg+xml``.
    """

    kind: str
    media: str
    data: bytes
    key: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the result was computed from, beside the drawing and the conditions: enough to compute it again elsewhere.

    Attributes:
        conventions: the layer conventions the reading was given, by name.
        rules: every rule of the edition in use, in force or not.
        rule_sets: dated rules of floor area and the cities' rules; city: whose hold.
        surroundings: what the project knew around the site; answers: rule id → title of the report that answers it.
        parcel_areas: m² by which a drawing's units were checked, by its SHA-256.
        settings: settings of the project that move coordinates (a city's own transformation).
        drawings: content of the drawings by SHA-256, those that are to be embedded.
    """

    conventions: Mapping[str, Convention] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    rule_sets: RuleSets = field(default_factory=lambda: RuleSets((), ()))
    city: str = ""
    surroundings: Surroundings = field(default_factory=Surroundings)
    answers: Mapping[str, str] = field(default_factory=dict)
    parcel_areas: Mapping[str, float | None] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    drawings: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """One drawing of an opinion as it was read and measured."""

    record: DrawingRecord
    plan: SitePlan
    indicators: Indicators
    drawing_notes: tuple[Note, ...] = ()
    entities: int = 0


@dataclass(frozen=True, slots=True)
class Opinion:
    """An opinion on a drawing.

    Attributes:
        kind: :data:`DESIGN` or :data:`AS_BUILT`.
        number: ``GA-0001-D-0002-1``; supersedes: seal of the signed opinion it takes the place of, or "".
        made: ISO 8601 UTC; made_by: who had it made; crs: of the project.
        subject: the drawing under review (of an as-built opinion: the survey); approved: the approved drawing that the
            survey was compared with, else None; as_built: how they differ.
        chain: revisions of the drawing, first to newest.
        signoffs: signatures under this very content; empty as long as nobody has signed.
    """

    kind: str
    number: str
    made: str
    made_by: str
    project: str
    crs: str
    case: Case
    conditions: Conditions | None
    subject: Subject
    check: Check
    inputs: Inputs
    approved: Subject | None = None
    as_built: Any = None
    chain: tuple[DrawingRecord, ...] = ()
    threads: tuple[Thread, ...] = ()
    markups: tuple[Markup, ...] = ()
    reports: tuple[OutsideReport, ...] = ()
    shots: tuple[Shot, ...] = ()
    supersedes: str = ""
    signoffs: tuple[SignOff, ...] = ()
