"""The form for an issue raised by hand."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form
from plugins.review.model.cases.records import Anchors, Comment, Issue
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.issues import date_edit, iso_date
from plugins.review.ui.state import ReviewState

#: More selected features than these are no place.
_MOST_FEATURES = 20


class RaiseDialog(ReviewDialog):
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
        if project is None or len(fids) > _MOST_FEATURES or project.layer(layer_id).geometry == "none":
            continue
        shapes += [one for one in shapely.from_wkb(project.read(layer_id, columns=[], fids=fids).geometry) if one]
    return dict(mapping(shapely.union_all(shapes))) if shapes else None
