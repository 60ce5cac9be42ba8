"""The case's issues as cards: the chosen one opens to its thread, its fields and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import (
    QDateEdit,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Card, CardList, CardText, Form, button, combo, label
from plugins.review.model.cases.records import Anchors, Comment, Issue, IssueStatus
from plugins.review.ui import words
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project

_THUMB = 160
_NO_DATE = QDate(2000, 1, 1)
#: Entries that keep what another program wrote besides (a BCF file, its views): nobody said them.
UNSPOKEN = ("bcf", "bcf_edit", "bcf_view")


@dataclass(frozen=True, slots=True)
class Said:
    """An issue with its thread."""

    issue: Issue
    comments: tuple[Comment, ...] = ()


def read_issues(project: Project, case_id: str) -> list[Said]:
    """Issues of a case, open ones first, each with its thread."""
    from plugins.review.model.cases import store

    threads: dict[str, list[Comment]] = {}
    for comment in store.comments(project):
        threads.setdefault(comment.issue_id, []).append(comment)
    found = [Said(issue, tuple(threads.get(issue.id, ()))) for issue in store.issues(project, case_id)]
    return sorted(found, key=lambda said: (said.issue.status is IssueStatus.CLOSED, -said.issue.number))


def highlight_of(issue: Issue) -> list[Highlight]:
    """Where an issue sits."""
    anchors = issue.anchors
    token = "cannot_judge" if issue.status is IssueStatus.CLOSED else words.ISSUE_TOKENS[issue.status.value]
    return [Highlight(anchors.geometry, token, None, anchors.handles)] if _placed(anchors) else []


def _placed(anchors: Anchors) -> bool:
    return bool(anchors.geometry or anchors.handles or anchors.quad or anchors.guids)


def _place_words(issue: Issue) -> str:
    """What the reviewer must know of an anchor that did not stay where it was."""
    if issue.anchor_state == "moved":
        return tr("Its place moved with the new revision.")
    if issue.anchor_state == "lost":
        return tr("What it was about is no longer in the drawing: check it and close it or place it anew.")
    return ""


class IssueCard(Card):
    """One issue; opened it shows thread and fields.

    Signals:
        edited(dict): fields to set.
        picture_wanted(str): sha256 of an attachment to show large.
    """

    edited = Signal(dict)
    picture_wanted = Signal(str)

    def __init__(self, said: Said, opened: bool) -> None:
        issue = said.issue
        first = next((one.text for one in said.comments if one.kind == "comment"), "")
        who = " → ".join(text for text in (issue.created_by, issue.assignee) if text)
        due = tr("due {day}", day=words.day(issue.due)) if issue.due else words.day(issue.created_at)
        below = " · ".join(text for text in (who, due) if text)
        detail = "" if opened else "\n".join(text for text in (_short(first), below) if text)
        status = issue.status.value
        pill = (words.ISSUE_TOKENS[status], words.issue_status(status))
        super().__init__(CardText(issue.id, f"#{issue.number} {issue.title}", "", detail, pill))
        self._thumbs: dict[str, QLabel] = {}
        if words_of_place := _place_words(issue):
            self.add(label(words_of_place, "warning", wrap=True))
        self._body = QWidget(self)
        self._body.setVisible(opened)
        self._body.setCursor(Qt.CursorShape.ArrowCursor)
        if opened:
            column = QVBoxLayout(self._body)
            column.setContentsMargins(0, 2, 0, 0)
            column.setSpacing(6)
            for comment in said.comments:
                if comment.kind not in UNSPOKEN:
                    column.addWidget(self._entry(comment))
            column.addWidget(self._fields(issue))
            self.add(self._body)
        self.set_selected(opened)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self._body.isVisible() and self._body.geometry().contains(event.position().toPoint())
        if not inside:  # there people read, select and type
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.hasFocus():  # not Enter in one of its fields
            super().keyPressEvent(event)

    def _entry(self, comment: Comment) -> QWidget:
        entry = QWidget()
        column = QVBoxLayout(entry)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(label(f"{comment.author or tr('System')} · {words.day_time(comment.time)}", "tertiary"))
        if comment.text:
            text = label(comment.text, "" if comment.kind == "comment" else "small", wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setCursor(Qt.CursorShape.IBeamCursor)
            column.addWidget(text)
        if comment.attachment:
            thumb = _Thumb(tr("Loading the picture…"))
            thumb.pressed.connect(lambda sha=comment.attachment: self.picture_wanted.emit(sha))
            self._thumbs[comment.attachment] = thumb
            column.addWidget(thumb)
        return entry

    def _fields(self, issue: Issue) -> QWidget:
        form = Form()
        status = combo()
        for one in IssueStatus:
            status.addItem(words.issue_status(one.value), one)
        status.setCurrentIndex(status.findData(issue.status))
        status.activated.connect(lambda _: self.edited.emit({"status": IssueStatus(status.currentData())}))
        assignee = QLineEdit(issue.assignee)
        assignee.setPlaceholderText(tr("nobody yet"))
        assignee.editingFinished.connect(lambda: self._set(issue, "assignee", assignee.text().strip()))
        due = date_edit(issue.due)
        due.editingFinished.connect(lambda: self._set(issue, "due", iso_date(due)))
        if (calendar := due.calendarWidget()) is not None:
            calendar.clicked.connect(lambda _: self._set(issue, "due", iso_date(due)))
        form.add(tr("Status"), status)
        form.add(tr("Assigned to"), assignee)
        form.add(tr("Due"), due)
        form.setContentsMargins(0, 6, 0, 0)
        return form

    def _set(self, issue: Issue, name: str, value: str) -> None:
        if getattr(issue, name) != value:
            self.edited.emit({name: value})

    def attachments(self) -> list[str]:
        """Attachments whose picture the card would like to show."""
        return list(self._thumbs)

    def show_picture(self, sha: str, picture: QImage | None, name: str) -> None:
        """A picture has been read, or what the attachment is called if it is none."""
        thumb = self._thumbs.get(sha)
        if thumb is None:
            return
        if picture is None:
            thumb.setText(name)
        else:
            thumb.setPixmap(QPixmap.fromImage(picture))
        thumb.setToolTip(name)


class _Thumb(QLabel):
    pressed = Signal()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setProperty("look", "small")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()


def _short(text: str, most: int = 90) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def date_edit(text: str = "") -> QDateEdit:
    """A date field that may be empty."""
    edit = QDateEdit()
    edit.setCalendarPopup(True)
    edit.setDisplayFormat("yyyy-MM-dd")
    edit.setMinimumDate(_NO_DATE)
    edit.setSpecialValueText(tr("none"))
    found = QDate.fromString(text[:10], "yyyy-MM-dd")
    edit.setDate(found if found.isValid() else _NO_DATE)
    if not found.isValid() and (calendar := edit.calendarWidget()) is not None:
        today = QDate.currentDate()
        calendar.setCurrentPage(today.year(), today.month())
    return edit


def iso_date(edit: QDateEdit) -> str:
    """Its ISO date, "" if empty."""
    return "" if edit.date() == _NO_DATE else edit.date().toString("yyyy-MM-dd")


class IssueList(QWidget):
    """The tab 意见: cards of the case's issues and a link to raise one by hand.

    Signals:
        raise_wanted(): raise an issue by hand.
    """

    raise_wanted = Signal()
    picture_wanted = Signal(str)

    def __init__(self, state: ReviewState, failed: Callable[[Exception], None]) -> None:
        super().__init__()
        self._state, self._failed = state, failed
        self.said: list[Said] = []
        self._shown: list[IssueCard] = []
        self._pictures: dict[str, tuple[QImage | None, str]] = {}
        self._empty = label(
            tr("No issues yet. Turn a finding under Rules into one, mark the sheet or the map, or raise one by hand."),
            "secondary",
            wrap=True,
        )
        self.cards = CardList()
        self.cards.chosen.connect(self._chosen)
        self._raise = flush_link(tr("Raise an issue…"), self.raise_wanted.emit)
        line = QHBoxLayout()
        line.addWidget(self._raise)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._empty)
        column.addLayout(line)
        column.addWidget(self.cards)
        state.issue_selected.connect(lambda _: self.show_cards())

    def show_issues(self, said: Sequence[Said]) -> None:
        """Replace what is listed."""
        if list(said) != self.said:
            self.said = list(said)
            self.show_cards()

    def show_cards(self) -> None:
        """Draw the cards anew, the selected issue's open."""
        chosen = self._state.issue_id
        cards = []
        for one in self.said:
            card = IssueCard(one, one.issue.id == chosen)
            card.edited.connect(lambda values, one=one: self._edit(one.issue, values))
            card.picture_wanted.connect(self.picture_wanted)
            cards.append(card)
        self._empty.setVisible(not self.said)
        self._shown = cards
        self.cards.set_cards(cards)
        self.cards.select(chosen)
        for sha in {sha for card in cards for sha in card.attachments()}:
            self._show_picture(sha)

    def selected(self) -> Said | None:
        """The issue that is open."""
        return next((one for one in self.said if one.issue.id == self._state.issue_id), None)

    def _chosen(self, issue_id: str) -> None:
        opened = issue_id == self._state.issue_id
        self._state.select_issue("" if opened else issue_id)
        said = self.selected()
        self._state.show(highlight_of(said.issue) if said is not None else [])

    def _edit(self, issue: Issue, values: Mapping[str, Any]) -> None:
        from plugins.review.model.cases.commands import EditIssue

        self._state.execute(EditIssue(issue.id, values, self._trace(issue, values), issue.title), self)

    def _trace(self, issue: Issue, values: Mapping[str, Any]) -> Comment | None:
        """A change of status stands in the thread, as said by whoever made it."""
        from plugins.review.model.cases import store

        status = values.get("status")
        if status is None or status == issue.status:
            return None
        text = f"{words.issue_status(issue.status.value)} → {words.issue_status(status.value)}"
        return Comment(store.new_id(), issue.id, text, self._state.context.user, store.now(), "status")

    def set_status(self, status: IssueStatus) -> None:
        """Close or reopen the open issue."""
        said = self.selected()
        if said is not None:
            self._edit(said.issue, {"status": status})

    def _show_picture(self, sha: str) -> None:
        project = self._state.project

        def work() -> tuple[QImage | None, str]:
            return read_picture(project, sha, _THUMB)

        def done(found: tuple[QImage | None, str]) -> None:
            self._pictures[sha] = found
            for card in self._shown:
                card.show_picture(sha, *found)

        if sha in self._pictures:
            done(self._pictures[sha])
        else:
            self._state.context.in_background(f"photo-{sha}", work, done, self._failed)


def flush_link(text: str, clicked: Callable[[], None]) -> QPushButton:
    """A link whose text begins where the lines above and below it begin."""
    made = button(text, clicked, "link")
    made.setStyleSheet("QPushButton { padding-left: 0px; }")
    return made


def read_picture(project: Project | None, sha: str, edge: int) -> tuple[QImage | None, str]:
    """(picture no larger than ``edge``, name) of an attachment; no picture if it is none."""
    assert project is not None
    found = project.attachment(sha)
    image = QImage.fromData(project.read_attachment(sha)) if found.media_type.startswith("image/") else QImage()
    if image.isNull():
        return None, found.name
    mode = Qt.TransformationMode.SmoothTransformation
    smaller = image.width() > edge or image.height() > edge
    return (image.scaled(edge, edge, Qt.AspectRatioMode.KeepAspectRatio, mode) if smaller else image), found.name
