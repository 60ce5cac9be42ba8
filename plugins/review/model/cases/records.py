"""What the project file keeps of a review: one record class per table.

Times are ISO 8601 UTC, dates ISO, ids are uuids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.reading.types import ReadingOptions


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"  # 审查中
    RETURNED = "returned"  # 退回修改
    APPROVED = "approved"  # 已出具意见: 通过
    REJECTED = "rejected"  # 已出具意见: 不通过
    BUILT = "built"  # 竣工核实完成


@dataclass(frozen=True, slots=True)
class Case:
    """A project under review on one parcel. ``number``: GA-0001 …; ``permit_date``: whose rules hold ("" = today)."""

    id: str
    number: str
    title: str
    parcel: str = ""
    applicant: str = ""
    designer: str = ""
    city: str = ""
    permit_date: str = ""
    status: CaseStatus = CaseStatus.OPEN
    conditions: Conditions | None = None
    created_by: str = ""
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class DrawingRecord:
    """A drawing in a case; its file is the attachment ``sha256`` and never changes.

    Attributes:
        number: ``D-0001``: what people and the command line call it.
        kind: site_plan | as_built | other; revision: 1 for the first, then as in the chain of ``replaces`` (a
            drawing id).
        wkb: outline of the site (or the drawing's extent) in the project's CRS once placed.
        options: how it is read; placement: where it lies; summary: what the last reading measured (JSON for lists).
    """

    id: str
    number: str
    case_id: str
    title: str
    file_name: str
    sha256: str
    format: str
    kind: str = "site_plan"
    revision: int = 1
    replaces: str = ""
    options: ReadingOptions = field(default_factory=ReadingOptions)
    placement: Placement = field(default_factory=Placement)
    summary: dict[str, Any] = field(default_factory=dict)
    wkb: bytes | None = None
    imported_by: str = ""
    imported_at: str = ""


class IssueStatus(StrEnum):
    """Where an issue stands."""

    OPEN = "open"  # 待回复
    NEEDS_DRAWING = "needs_drawing"  # 待补图
    ANSWERED = "answered"  # 已答复
    CLOSED = "closed"  # 已关闭


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where an issue sits: any of four. It survives revisions: re-anchored, or flagged as lost.

    Attributes:
        geometry: GeoJSON in the project's CRS.
        handles: handles of entities (with the drawing of the issue); fingerprints: of the same, for finding them again.
        page, quad: page of a PDF and 8 numbers x1,y1 … x4,y4 in points, y up.
        guids: IFC GlobalIds.
    """

    geometry: dict[str, Any] | None = None
    handles: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    page: int = 0
    quad: tuple[float, ...] = ()
    guids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    """One opinion on a drawing, with its thread.

    ``number`` counts within the case (#1 …); ``rule``/``finding``: the rule and feature it came from, "" if a
    person's own;
    ``anchor_state``: ok | moved | lost; ``drawing_id``: the revision the anchors speak of; ``raised_on``: the
    first one.
    """

    id: str
    case_id: str
    number: int
    title: str
    drawing_id: str = ""
    raised_on: str = ""
    status: IssueStatus = IssueStatus.OPEN
    priority: str = "normal"
    assignee: str = ""
    due: str = ""
    rule: str = ""
    finding: str = ""
    anchors: Anchors = field(default_factory=Anchors)
    anchor_state: str = "ok"
    created_by: str = ""
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """An entry of an issue's thread; ``attachment``: sha256 of a photo or file, or ""; ``kind``: comment | [...]"""

    id: str
    issue_id: str
    text: str
    author: str
    time: str
    kind: str = "comment"
    attachment: str = ""


#: Kinds of mark-up.
MARKUPS = (
    "cloud", "arrow", "line", "rectangle", "polygon", "freehand", "text", "callout", "dimension", "area", "stamp",
    "photo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Markup:
    """A mark on the map (``surface`` map: project CRS) or on a sheet (``sheet``: drawing units, or points of a PDF
    page).

    ``points``: the shape's own points (two corners, the line's vertices, a text's place, callout: tip then box);
    ``style``: ``{"colour": "#C0322B", "width": 2, "size": 14}``; ``attachment``: sha256 of a photo.
    """

    id: str
    case_id: str
    kind: str
    points: tuple[tuple[float, float], ...]
    surface: str = "map"
    drawing_id: str = ""
    page: int = 0
    issue_id: str = ""
    text: str = ""
    style: dict[str, Any] = field(default_factory=dict)
    attachment: str = ""
    author: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class SignOff:
    """One role's signature under a sealed opinion.

    ``role``: reviewer | approver; ``seal``: sha256 of the sealed JSON.
    """

    id: str
    case_id: str
    drawing_id: str
    role: str
    name: str
    verdict: str
    time: str
    seal: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class OutsideReport:
    """A report made elsewhere (sunlight, traffic) attached to the case; ``serves``: id of the rule it answers."""

    id: str
    case_id: str
    kind: str
    title: str
    institution: str
    issued: str
    conclusion: str
    serves: str
    attachment: str
    added_by: str = ""
    added_at: str = ""
