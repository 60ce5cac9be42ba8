"""Issues made of findings: title, first comment with the clause, the place, a cloud around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner_app.report.findings import finding_message
from plugins.review.model.cases import store
from plugins.review.model.cases.records import Anchors, Case, Comment, DrawingRecord, Issue, IssueStatus, Markup
from plugins.review.model.opinion.wording import rule_title

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from planner_app.domain.rule import Rule
    from planner_app.plugin_api.model import Project
    from plugins.review.model.cases.workflow import OpenDrawing

_RED = "#C0322B"
#: A cloud keeps this distance from what it is about: part of its size, and at least so many metres.
_AROUND, _AT_LEAST = 0.15, 1.0
_MOST_HANDLES = 20
#: Evidence that takes this part of the site's box is about the whole of it.
_WHOLE = 0.25
_RAISED_FOR = ("fail", "needs_certificate")


@dataclass(frozen=True, slots=True)
class Raised:
    """An issue ready to be raised, with its first comment and, where the finding has a place, a cloud on the map."""

    issue: Issue
    comment: Comment
    markups: list[Markup]


def issue_of(
    finding: Finding,
    case: Case,
    record: DrawingRecord,
    opened: OpenDrawing | None,
    rules: Mapping[str, Rule],
    user: str,
) -> Raised:
    """An issue of a finding, addressed to the case's designer."""
    title = rule_title(rules, finding.rule)
    title = f"{title} · {finding.feature}" if finding.feature else title
    status = IssueStatus.NEEDS_DRAWING if finding.verdict.value == "cannot_judge" else IssueStatus.OPEN
    time = store.now()
    issue = Issue(
        store.new_id(), case.id, 0, title, record.id, record.id, status, "high" if finding.blocking else "normal",
        case.designer, "", finding.rule, finding.feature, anchors_of(opened, finding), "ok", user, time,
    )  # fmt: skip
    source = " ".join(text for text in (finding.standard, finding.clause, finding.edition) if text)
    text = "\n".join(one for one in (finding_message(finding), source) if one)
    comment = Comment(store.new_id(), issue.id, text, user, time)
    return Raised(issue, comment, _cloud(opened, issue, finding, user, time))


def worth_raising(
    project: Project, case: Case, findings: Iterable[Finding], rules: Iterable[str] = ()
) -> list[Finding]:
    """Findings that fail or need a certificate (of the rules named, if any) and have no issue in the case yet."""
    wanted = set(rules)
    there = {(one.rule, one.finding) for one in store.issues(project, case.id)}
    return [
        one
        for one in findings
        if (one.rule in wanted if wanted else one.verdict.value in _RAISED_FOR) and (one.rule, one.feature) not in there
    ]


def anchors_of(opened: OpenDrawing | None, finding: Finding) -> Anchors:
    """Where a finding sits: its evidence on the map and the entities of the drawing it touches."""
    if not finding.evidence:
        return Anchors()
    from shapely.geometry import shape

    geometry = shape(finding.evidence)
    handles: list[str] = []
    if opened is not None and opened.to_drawing is not None:
        local = opened.to_drawing(geometry).buffer(0.05)
        for element in opened.plan.elements:
            if element.role.value in ("footprint", "basement", "green", "parking") and element.geometry.intersects(
                local
            ):
                handles += [one for one in element.handles if one not in handles]
    handles = handles[:_MOST_HANDLES]
    prints = {one.handle: one.fingerprint for one in opened.drawing.entities} if opened is not None and handles else {}
    return Anchors(dict(finding.evidence), tuple(handles), tuple(prints.get(one, "") for one in handles))


def can_be_marked(opened: OpenDrawing | None, finding: Finding) -> bool:
    """Whether a finding is about a place; one about the whole site has no place that a cloud could show."""
    if not finding.evidence:
        return False
    site = opened.site() if opened is not None else None
    moved = opened.to_project(site) if opened is not None and opened.to_project is not None and site else None
    if moved is None:
        return True
    from shapely.geometry import box, shape

    return bool(box(*shape(finding.evidence).bounds).area < _WHOLE * box(*moved.bounds).area)


def _cloud(opened: OpenDrawing | None, issue: Issue, finding: Finding, user: str, time: str) -> list[Markup]:
    if not can_be_marked(opened, finding) or not finding.evidence:
        return []
    from shapely.geometry import shape

    west, south, east, north = shape(finding.evidence).bounds
    pad = max((east - west) * _AROUND, (north - south) * _AROUND, _AT_LEAST)
    points = ((west - pad, south - pad), (east + pad, north + pad))
    style: dict[str, Any] = {"colour": _RED, "width": 2}
    return [
        Markup(
            store.new_id(), issue.case_id, "cloud", points, "map", issue.drawing_id, 0, issue.id, "", style, "", user,
            time,
        )
    ]  # fmt: skip
