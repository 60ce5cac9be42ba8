"""The tab 时间线: what happened in a case, newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import label
from planner_app.report.findings import verdict_word
from plugins.review.ui import words
from plugins.review.ui.issues import UNSPOKEN
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project
    from plugins.review.model.cases.records import Case

_CHECKS = "review.checks."
_MOST_CHECKS = 40
_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``target``: (``drawing`` | ``issue``, id) it leads to, or None."""

    time: str
    icon: str
    title: str
    detail: str = ""
    target: tuple[str, str] | None = None


def record_check(project: Project, drawing_id: str, user: str, time: str, verdict: str, counts: dict[str, int]) -> None:
    """Remember that a drawing was checked and with what result. The same result is kept once, with its latest time."""
    entries = checks_of(project, drawing_id)
    entry = {"time": time, "user": user, "verdict": verdict, "counts": counts}
    if entries and (entries[-1]["verdict"], entries[-1]["counts"]) == (verdict, counts):
        entries.pop()
    project.set_setting(_CHECKS + drawing_id, json.dumps([*entries, entry][-_MOST_CHECKS:], ensure_ascii=False))


def checks_of(project: Project, drawing_id: str) -> list[dict[str, Any]]:
    """Checks of a drawing, oldest first."""
    try:
        found = json.loads(project.setting(_CHECKS + drawing_id, "[]"))
        return [one for one in found if {"time", "user", "verdict", "counts"} <= one.keys()]
    except (ValueError, AttributeError, TypeError):
        return []


def read_events(project: Project, case: Case) -> list[Event]:
    """Everything that happened in a case, newest first."""
    from plugins.review.model.cases import store
    from plugins.review.model.opinion.wording import conclusion_words, role_words

    events = [Event(case.created_at, "folder-open", tr("Case {number} opened", number=case.number), case.created_by)]
    for drawing in store.drawings(project, case.id):
        name = f"{drawing.number} {drawing.title}"
        title = (
            tr("Revision {revision} received: {name}", revision=drawing.revision, name=name)
            if drawing.replaces
            else tr("{kind} received: {name}", kind=words.drawing_kind(drawing.kind), name=name)
        )
        target = ("drawing", drawing.id)
        events.append(Event(drawing.imported_at, "file-plus-2", title, drawing.imported_by, target))
        for entry in checks_of(project, drawing.id):
            title = tr("{drawing} checked: {verdict}", drawing=drawing.number, verdict=verdict_word(entry["verdict"]))
            counts = ", ".join(f"{verdict_word(key)} {entry['counts'][key]}" for key in words.VERDICTS
                               if entry["counts"].get(key))  # fmt: skip
            detail = " · ".join(text for text in (str(entry["user"]), counts) if text)
            events.append(Event(str(entry["time"]), "list-checks", title, detail, target))
    events += _said(project, case)
    for sign in store.signoffs(project, case.id):
        told = {"name": sign.name, "role": role_words(sign.role), "verdict": conclusion_words(sign.verdict)}
        title = tr("Signed by {name} ({role}): {verdict}", **told)
        events.append(Event(sign.time, "stamp", title, sign.remark, ("drawing", sign.drawing_id)))
    for report in store.reports(project, case.id):
        title = tr("Report attached: {title}", title=report.title)
        events.append(Event(report.added_at, "paperclip", title, report.institution))
    return sorted(events, key=lambda one: one.time)[::-1]


def _said(project: Project, case: Case) -> list[Event]:
    from plugins.review.model.cases import store

    events = []
    issues = {one.id: one for one in store.issues(project, case.id)}
    for issue in issues.values():
        title = tr("Issue #{number}: {title}", number=issue.number, title=issue.title)
        events.append(Event(issue.created_at, "message-square", title, issue.created_by, ("issue", issue.id)))
    begun: set[str] = set()
    for one in store.comments(project):
        about = issues.get(one.issue_id)
        first = one.issue_id not in begun  # what an issue is raised with
        begun.add(one.issue_id)
        if about is None or one.kind in UNSPOKEN or (first and one.time == about.created_at):
            continue
        spoken = one.kind == "comment"
        title = tr("#{number} answered", number=about.number) if spoken else f"#{about.number} {one.text}"
        detail = " · ".join(text for text in (one.author, one.text if spoken else "") if text)
        events.append(Event(one.time, "reply", title, detail, ("issue", about.id)))
    return events


class Timeline(QWidget):
    """The events of the current case.

    Args:
        open_target: shows the drawing or the issue an event is about.
    """

    def __init__(self, state: ReviewState, open_target: Callable[[str, str], None]) -> None:
        super().__init__()
        self._state, self._open = state, open_target
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.events: list[Event] = []

    def show_events(self, events: Sequence[Event]) -> None:
        """Replace what is listed."""
        self.events = list(events)
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if not self.events:
            self._column.addWidget(label(tr("Nothing has happened yet."), "secondary"))
        for event in self.events[:_MOST_ROWS]:
            row = _Row(event, self._state.context.icon(event.icon))
            if event.target is not None:
                row.leads_to(partial(self._open, *event.target))
            self._column.addWidget(row)


class _Row(QWidget):
    def __init__(self, event: Event, icon: Any) -> None:
        super().__init__()
        self._pressed: Callable[[], None] | None = None
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 6, 0, 6)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        sign = QLabel()
        sign.setPixmap(icon.pixmap(16, 16))
        grid.addWidget(sign, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(event.title, wrap=True), 0, 1)
        grid.addWidget(label(words.day_time(event.time), "tertiary"), 0, 2, Qt.AlignmentFlag.AlignTop)
        if event.detail:
            grid.addWidget(label(event.detail, "small", wrap=True), 1, 1, 1, 2)
        self.setAccessibleName(event.title)

    def leads_to(self, pressed: Callable[[], None]) -> None:
        """A click or Enter shows what the event is about."""
        self._pressed = pressed
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and self.rect().contains(event.position().toPoint()):
            self._pressed()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._pressed is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._pressed()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(self.palette().color(QPalette.ColorRole.Accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
