"""What stands in red on a drawing: marks, issues and violated rules, in the drawing's own coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.i18n import tr
from planner_app.plugin_api.model import Project
from planner_app.report.findings import finding_message, verdict_word
from plugins.review.model.cases import store
from plugins.review.model.cases.opened import OpenDrawing, open_drawing
from plugins.review.model.cases.records import Comment, Issue, IssueStatus, Markup
from plugins.review.model.drawing.types import DrawingFormat, Note
from plugins.review.model.exchange.places import place_of, polygons_on_sheet
from plugins.review.model.exchange.shapes import Point, cloud_reach, corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Name of the layer in DXF copies, and of the group in PDF viewers.
LAYER = "审查-意见"
COLOURS = {Verdict.FAIL: "#C0322B", Verdict.NEEDS_CERTIFICATE: "#A86400", Verdict.CANNOT_JUDGE: "#66707D"}
RED = "#C0322B"


@dataclass(frozen=True, slots=True)
class Redline:
    """One thing drawn in red.

    Attributes:
        kind: as of a mark (``MARKUPS``); ``label``: a line of text beside something.
        points: drawing units (points of a PDF page as shown); of clouds and rectangles all corners.
        text: shown on the sheet; subject: what it is about (``#3 …``); thread: what was said, line by line.
        width: of the line, pixels on a screen; size: of the text, the same.
        measured: what a dimension or an area reads.
        picture: of a photo, PNG or JPEG.
    """

    kind: str
    points: tuple[Point, ...]
    page: int = 0
    text: str = ""
    subject: str = ""
    thread: str = ""
    author: str = ""
    time: str = ""
    colour: str = RED
    width: float = 2.0
    size: float = 14.0
    measured: str = ""
    picture: bytes = b""
    id: str = ""


@dataclass(slots=True)
class Redlines:
    """All of a drawing's redlines. ``elsewhere``: lines about what has no place on this drawing."""

    marks: list[Redline] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def write_redlines(
    project: Project,
    ref: str,
    path: Path,
    *,
    findings: Sequence[Finding] = (),
    markups: bool = True,
    issues: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a copy of a drawing with its redlines: annotations of a PDF, a layer of a DXF.

    Of a DWG the copy is a DXF with the redlines only, in the DWG's coordinates.

    Args:
        ref: see :func:`store.drawing`; findings: of a check, those that do not pass are drawn.
        path: where to write; never the original, which stays as it is inside the project.

    Returns:
        ``redlines``: how many were drawn; ``listed``: how many have no place and stand in a list; ``notes``: doubts.

    Raises:
        PlannerError: ``review.redlines_format``, ``review.redlines_none``, ``review.redlines_unwritable``, what
            opening the drawing refuses. Cancelled: nothing is written.
    """
    progress = progress or NoProgress()
    record = store.drawing(project, ref)
    if record.format not in (DrawingFormat.PDF, DrawingFormat.DXF, DrawingFormat.DWG):
        raise PlannerError("review.redlines_format", file=record.file_name, format=record.format.upper())
    opened = open_drawing(project, record.id, SubProgress(progress, 0.0, 0.6))
    found = collect(project, opened, findings, markups=markups, issues=issues)
    if not found.marks and not found.elsewhere:
        raise PlannerError("review.redlines_none", file=record.file_name)
    check(progress)
    progress.update(0.7, "stage.review_redlines")
    content = project.read_attachment(record.sha256)
    if record.format == DrawingFormat.PDF:
        from plugins.review.model.exchange.pdf_redlines import draw_pdf

        data = draw_pdf(content, found, record.file_name)
    else:
        from plugins.review.model.exchange.dxf_redlines import draw_dxf

        data = draw_dxf(
            content if record.format == DrawingFormat.DXF else None, found, opened.drawing, text_height(opened)
        )
    check(progress)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        detail = error.strerror or str(error)
        raise PlannerError("review.redlines_unwritable", file=str(path), detail=detail) from error
    progress.update(1.0)
    return {"redlines": len(found.marks), "listed": len(found.elsewhere), "notes": found.notes}


def collect(
    project: Project, opened: OpenDrawing, findings: Sequence[Finding], *, markups: bool = True, issues: bool = True
) -> Redlines:
    """Redlines of one drawing."""
    record, found = opened.record, Redlines()
    threads: dict[str, list[Comment]] = {}
    for comment in store.comments(project):
        threads.setdefault(comment.issue_id, []).append(comment)
    every = {one.id: one for one in store.issues(project, record.case_id)}
    marks = [
        one for one in store.markups(project, record.case_id)
        if one.surface == "map" or one.drawing_id in ("", record.id)
    ]  # fmt: skip
    for mark in marks if markups else ():
        issue = every.get(mark.issue_id)
        drawn = _mark(project, opened, mark, found.notes)
        if drawn is None:
            if mark.surface == "sheet" or opened.to_drawing is not None:
                found.notes.append(("review.redlines_mark", {"kind": mark.kind}))
        elif issue is not None:
            found.marks.append(replace(drawn, subject=_title(issue), thread=_thread(issue, threads.get(issue.id, ()))))
        else:
            found.marks.append(drawn)
    if opened.to_drawing is None and any(one.surface == "map" for one in marks):
        found.notes.append(("review.redlines_not_placed", {"drawing": record.number}))
    standing = {one.id for one in found.marks}
    spoken_for = {one.issue_id for one in marks if one.id in standing}
    for issue in every.values() if issues else ():
        if issue.drawing_id in ("", record.id) and issue.id not in spoken_for:
            _issue(project, opened, issue, _thread(issue, threads.get(issue.id, ())), found)
    for finding in findings:
        if finding.verdict is not Verdict.PASS:
            _finding(opened, finding, found)
    return found


def text_height(opened: OpenDrawing) -> float:
    """Height of texts that goes with the drawing's own and with the site's size, drawing units."""
    x0, y0, x1, y1 = opened.plan.region or opened.drawing.extent or (0.0, 0.0, 100.0, 100.0)
    inside = (
        one.size
        for one in opened.drawing.entities
        if one.visible and one.text and one.size > 0 and len(one.points) and x0 <= one.points[0, 0] <= x1
    )
    heights = sorted(inside)
    diagonal = math.hypot(x1 - x0, y1 - y0) or 1.0
    usual = heights[len(heights) // 2] * 1.2 if heights else 0.0
    return min(max(usual, diagonal / 130), diagonal / 50)


def _mark(project: Project, opened: OpenDrawing, mark: Markup, notes: list[Note]) -> Redline | None:
    points = corners(mark.points) if mark.kind in ("cloud", "rectangle") and len(mark.points) == 2 else mark.points
    if mark.surface == "map":
        if opened.to_drawing is None or not points:
            return None
        points = _to_sheet(opened, points)
    if not points or not np.isfinite(np.asarray(points)).all():
        return None
    picture = b""
    if mark.kind == "photo" and mark.attachment:
        try:
            picture = project.read_attachment(mark.attachment)
        except PlannerError as error:
            notes.append(("review.bcf_no_attachment", {"sha256": mark.attachment[:12], "detail": error.code}))
    style = mark.style
    return Redline(
        mark.kind,
        tuple(points),
        mark.page if mark.surface == "sheet" else 0,
        mark.text,
        author=mark.author,
        time=mark.time,
        colour=_colour(style.get("colour")),
        width=_number(style.get("width"), 2.0, 0.5, 12.0),
        size=_number(style.get("size"), 14.0, 8.0, 60.0),
        measured=_measured(opened, mark),
        picture=picture,
        id=mark.id,
    )


def _issue(project: Project, opened: OpenDrawing, issue: Issue, thread: str, found: Redlines) -> None:
    """A cloud round the place of an issue that no mark stands for, with its title."""
    place = place_of(project, issue, (), opened)
    lines = place.sheet_lines if place is not None else []
    if not lines:
        found.elsewhere += [_title(issue), *(f"    {line}" for line in thread.splitlines())]
        return
    base = Redline("label", (), issue.anchors.page, _title(issue), _title(issue), thread, issue.created_by,
                   issue.created_at, colour=RED if issue.status is not IssueStatus.CLOSED else "#66707D",
                   id=issue.id)  # fmt: skip
    points = np.asarray([point for line in lines for point in line], np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = max(float((high - low).max()) * 0.06, text_height(opened) * 0.8)
    low, high = low - margin, high + margin
    box = corners(((float(low[0]), float(low[1])), (float(high[0]), float(high[1]))))
    found.marks.append(replace(base, kind="cloud", points=box))
    at = (float(low[0]), float(high[1]) + cloud_reach(box))
    found.marks.append(replace(base, points=(at,), thread="", id=f"{issue.id}-label"))


def _finding(opened: OpenDrawing, finding: Finding, found: Redlines) -> None:
    said = finding_message(finding)
    basis = " ".join(part for part in (finding.standard, finding.clause, finding.edition) if part)
    head = " ".join(part for part in (verdict_word(finding.verdict), finding.feature) if part)
    thread = "\n".join(part for part in (said, basis, finding.rule) if part)
    rings = polygons_on_sheet(finding.evidence, opened)
    if not rings:
        found.elsewhere += [head, *(f"    {line}" for line in thread.splitlines())]
        return
    colour = COLOURS.get(finding.verdict, RED)
    for number, (ring, closed) in enumerate(rings):
        kind = "area" if closed and len(ring) > 2 else "line"
        if len(ring) == 1:
            kind = "text"
        mark = Redline(kind, tuple(ring), 0, head if kind == "text" else "", f"{head}: {said}", thread, colour=colour,
                       id=f"{finding.rule}|{finding.feature}|{number}")  # fmt: skip
        found.marks.append(mark)
    if len(rings[0][0]) > 1:
        points = np.asarray(rings[0][0], np.float64)
        at = (float(points[:, 0].min()), float(points[:, 1].max()))
        label = replace(mark, kind="label", points=(at,), text=f"{head}: {said}", thread="", id=f"{mark.id}-label")
        found.marks.append(label)


def _to_sheet(opened: OpenDrawing, points: Iterable[Point]) -> tuple[Point, ...]:
    assert opened.to_drawing is not None
    moved = opened.to_drawing(shapely.multipoints(list(points)))
    scale = opened.plan.units.metres_per_unit
    return tuple((float(x) / scale, float(y) / scale) for x, y in shapely.get_coordinates(moved))


def _measured(opened: OpenDrawing, mark: Markup) -> str:
    """What a dimension or an area reads: the same as on the screen; nothing on a sheet without a scale."""
    if mark.surface == "sheet" and opened.plan.units.source == "assumed":
        return ""
    metres = 1.0 if mark.surface == "map" else opened.plan.units.metres_per_unit
    points: NDArray[np.float64] = np.asarray(mark.points, np.float64).reshape(-1, 2)
    if mark.kind == "dimension" and len(points) > 1:
        return f"{math.dist(points[0], points[1]) * metres:,.2f} m"
    if mark.kind == "area" and len(points) > 2:
        return f"{shapely.polygons(points).area * metres * metres:,.1f} m²"
    return ""


def _title(issue: Issue) -> str:
    return f"#{issue.number} {issue.title}"


#: English message ids of where an issue stands.
_STATUSES = {
    IssueStatus.OPEN: "Awaiting reply", IssueStatus.NEEDS_DRAWING: "Awaiting drawing",
    IssueStatus.ANSWERED: "Answered", IssueStatus.CLOSED: "Closed",
}  # fmt: skip


def _thread(issue: Issue, thread: Iterable[Comment]) -> str:
    state = [tr(_STATUSES[issue.status]), issue.assignee, tr("due {date}", date=issue.due) if issue.due else ""]
    said = [
        f"{one.author} {one.time[:10]}: {one.text}" for one in thread if one.text and not one.kind.startswith("bcf")
    ]
    return "\n".join([" · ".join(part for part in state if part), *said])


def _colour(value: object) -> str:
    text = str(value or "")
    plain = len(text) == 7 and text[0] == "#" and all(one in "0123456789abcdefABCDEF" for one in text[1:])
    return text if plain else RED


def _number(value: object, usual: float, low: float, high: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return usual
    return min(max(number, low), high) if math.isfinite(number) else usual
