"""Issues made of findings, and the form for one raised by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form
from planner_app.report.findings import finding_message
from plugins.review.model.cases.records import Anchors, Comment, Issue, IssueStatus, Markup
from plugins.review.ui import words
from plugins.review.ui.dialog import TaskDialog
from plugins.review.ui.issues import date_edit, iso_date
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from plugins.review.model.cases.workflow import OpenDrawing

_RED = "#C0322B"
#: A cloud keeps this distance from what it is about: part of its size, and at least so many metres.
_AROUND, _AT_LEAST = 0.15, 1.0
_MOST_HANDLES = 20
#: Evidence that takes this part of the site's box is about the whole of it.
_WHOLE = 0.25


def issue_of(state: ReviewState, finding: Finding) -> tuple[Issue, Comment, list[Markup]] | None:
    """An issue with its first comment and, where the finding has evidence, a cloud around it on the map."""
    from plugins.review.model.cases import store

    case, record = state.case, state.record
    if case is None or record is None:
        return None
    rule = next((one for one in state.rules() if one.id == finding.rule), None)
    title = words.rule_title(rule, finding.rule)
    title = f"{title} · {finding.feature}" if finding.feature else title
    status = IssueStatus.NEEDS_DRAWING if finding.verdict.value == "cannot_judge" else IssueStatus.OPEN
    user, time = state.context.user, store.now()
    priority = "high" if finding.blocking else "normal"
    issue = Issue(
        store.new_id(), case.id, 0, title, record.id, record.id, status, priority, case.designer, "", finding.rule,
        finding.feature, anchors_of(state.opened, finding), "ok", user, time,
    )  # fmt: skip
    source = words.clause(finding.standard, finding.clause, finding.edition)
    text = "\n".join(one for one in (finding_message(finding), source) if one)
    comment = Comment(store.new_id(), issue.id, text, user, time)
    return issue, comment, _cloud(state.opened, issue, finding, user, time)


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

    from plugins.review.model.cases import store

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


class RaiseDialog(TaskDialog):
    """An issue by hand: what, to whom, until when. Its place is what is selected on the map, if anything."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Raise an issue"), tr("Raise"), parent)
        self.title = QLineEdit()
        self.title.setPlaceholderText(tr("What is wrong, in a few words"))
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setProperty("look", "boxed")
        self.text.setPlaceholderText(tr("What is asked for"))
        self.assignee = QLineEdit(state.case.designer if state.case is not None else "")
        self.due = date_edit()
        form = Form()
        form.add(tr("Title"), self.title)
        form.add(tr("Request"), self.text, tall=True)
        form.add(tr("Assigned to"), self.assignee)
        form.add(tr("Due"), self.due)
        self.body.addWidget(form)
        self.fit(460, 320)

    def apply(self) -> None:
        """Raise it."""
        from plugins.review.model.cases import store
        from plugins.review.model.cases.commands import RaiseIssue

        case, record = self.state.case, self.state.record
        title = self.title.text().strip()
        if not title or case is None:
            self.notice.say(tr("An issue needs a title."), level="warning")
            self.title.setFocus()
            return
        user, time = self.state.context.user, store.now()
        drawing = record.id if record is not None else ""
        issue = Issue(
            store.new_id(), case.id, 0, title, drawing, drawing, assignee=self.assignee.text().strip(),
            due=iso_date(self.due), anchors=Anchors(_selected_place(self.state)), created_by=user, created_at=time,
        )  # fmt: skip
        text = self.text.toPlainText().strip()
        comments = [Comment(store.new_id(), issue.id, text, user, time)] if text else []
        if self.state.execute(RaiseIssue(issue, comments), self) is not None:
            self.accept()
            self.state.select_issue(issue.id)


def _selected_place(state: ReviewState) -> dict[str, Any] | None:
    """GeoJSON of the features selected on the map, None if nothing (or far too much) is selected."""
    import shapely
    from shapely.geometry import mapping

    project, selection = state.project, state.context.selection
    shapes = []
    for layer_id in selection.layer_ids() if project is not None else ():
        fids = selection.fids(layer_id)
        if project is None or len(fids) > _MOST_HANDLES or project.layer(layer_id).geometry == "none":
            continue
        shapes += [one for one in shapely.from_wkb(project.read(layer_id, columns=[], fids=fids).geometry) if one]
    return dict(mapping(shapely.union_all(shapes))) if shapes else None
