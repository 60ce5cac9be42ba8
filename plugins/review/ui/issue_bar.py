"""What can be done with the selected issue: reply with text or a photo, close, reopen, delete."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import button, label
from plugins.review.model.cases.records import Comment, IssueStatus
from plugins.review.ui.issues import Said, highlight_of
from plugins.review.ui.state import ReviewState


class IssueBar(QWidget):
    """Foot of the panel while an issue is open.

    Signals:
        status_wanted(IssueStatus): close or reopen it.
    """

    status_wanted = Signal(object)

    def __init__(self, state: ReviewState, failed: Callable[[Exception], None]) -> None:
        super().__init__()
        self._state, self._failed = state, failed
        self._said: Said | None = None
        self._title = label("", "heading")
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(tr("Reply… (Ctrl+Enter sends)"))
        self.text.setTabChangesFocus(True)
        self.text.setProperty("look", "boxed")
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * 2 + 16)
        self.text.textChanged.connect(self._typed)
        keys = QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Return), self.text)
        keys.setContext(Qt.ShortcutContext.WidgetShortcut)
        keys.activated.connect(self.reply)
        self.send = button(tr("Reply"), self.reply)
        self.photo = button(tr("Photo…"), self.add_photo)
        self.close_issue = button(tr("Close issue"), self._toggle)
        more = QToolButton()
        more.setIcon(state.context.icon("ellipsis"))
        more.setToolTip(tr("More for this issue"))
        more.setAccessibleName(more.toolTip())
        more.clicked.connect(lambda: self._menu(more))
        state.context.theme_changed.connect(lambda: more.setIcon(state.context.icon("ellipsis")))
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in (self.send, self.photo, self.close_issue):
            line.addWidget(widget)
        line.addStretch(1)
        line.addWidget(more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self.text)
        column.addLayout(line)
        self._typed()
        self.hide()

    def show_for(self, said: Said | None) -> None:
        """Offer what can be done with this issue; hidden without one."""
        before = self._said.issue.id if self._said is not None else ""
        self._said = said
        self.setVisible(said is not None)
        if said is None:
            return
        if said.issue.id != before:
            self.text.clear()
        metrics = self._title.fontMetrics()
        title = f"#{said.issue.number} {said.issue.title}"
        self._title.setText(metrics.elidedText(title, Qt.TextElideMode.ElideRight, max(self.width() - 8, 260)))
        closed = said.issue.status is IssueStatus.CLOSED
        self.close_issue.setText(tr("Reopen") if closed else tr("Close issue"))

    def _typed(self) -> None:
        self.send.setEnabled(bool(self.text.toPlainText().strip()))

    def reply(self) -> None:
        """Add the text to the thread."""
        text = self.text.toPlainText().strip()
        if text and self._add(text):
            self.text.clear()

    def _add(self, text: str, attachment: str = "") -> bool:
        from plugins.review.model.cases import store
        from plugins.review.model.cases.commands import AddComment

        if self._said is None:
            return False
        user = self._state.context.user
        comment = Comment(store.new_id(), self._said.issue.id, text, user, store.now(), attachment=attachment)
        return self._state.execute(AddComment(comment), self) is not None

    def add_photo(self) -> None:
        """Attach a picture (or another file) with the text typed, if any."""
        context, project = self._state.context, self._state.project
        patterns = tr("Photos") + " (*.jpg *.jpeg *.png *.webp *.tif *.tiff);;" + tr("All files") + " (*)"
        path = context.ask_open(tr("Photo for the issue"), patterns) if project is not None else None
        if path is None or project is None:
            return
        text = self.text.toPlainText().strip()

        def work(progress: Progress) -> str:
            return project.attach(path, name=path.name, media_type=media_type(path), progress=progress)

        def done(sha: str) -> None:
            if self._add(text, sha):
                self.text.clear()

        context.run_job(tr("Adding {name}", name=path.name), work, done, self._failed)

    def _toggle(self) -> None:
        if self._said is not None:
            closed = self._said.issue.status is IssueStatus.CLOSED
            self.status_wanted.emit(IssueStatus.OPEN if closed else IssueStatus.CLOSED)

    def _menu(self, knob: QToolButton) -> None:
        menu = QMenu(self)
        for title, run in ((tr("Zoom to its place"), self._zoom), (tr("Delete the issue"), self._delete)):
            action = QAction(title, menu)
            action.triggered.connect(lambda _=False, run=run: run())
            menu.addAction(action)
        menu.exec(knob.mapToGlobal(QPoint(0, knob.height())))

    def _zoom(self) -> None:
        if self._said is not None:
            self._state.show(highlight_of(self._said.issue))

    def _delete(self) -> None:
        from plugins.review.model.cases.commands import DeleteIssue

        if self._said is not None:
            issue = self._said.issue
            self._state.select_issue("")
            self._state.execute(DeleteIssue(issue.id, issue.title), self)


def media_type(path: Path) -> str:
    """Guessed from the file's name."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
