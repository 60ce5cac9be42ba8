"""What the dialogs of roles have in common: margins, a notice for what went wrong in them, jobs that lock them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from planner_app.domain.errors import Cancelled
from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets.basics import Notice, button, px

if TYPE_CHECKING:
    from planner_app.plugin_api.ui import PanelContext


class TaskDialog(QDialog):
    """A modeless dialog: the map can be looked at and picked on while it is open. Another project closes it.

    Args:
        title: of its window.
        accept: wording of its main button, which does what ``apply`` does; empty for a dialog that is only closed.
        stays: the main button does not close it, so there is nothing to cancel.
    """

    def __init__(
        self, context: PanelContext, title: str, accept: str, parent: QWidget | None = None, *, stays: bool = False
    ) -> None:
        super().__init__(parent)
        self.context = context
        self._closed = False
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.notice = Notice()
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.box = QDialogButtonBox()
        self.ok: QPushButton | None = None
        if accept:
            self.ok = self.box.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
            self.ok.setProperty("look", "primary")
        closing = tr("Cancel") if accept and not stays else tr("Close")
        self.cancel = self.box.addButton(closing, QDialogButtonBox.ButtonRole.RejectRole)
        self.box.accepted.connect(self.apply)
        self.box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addLayout(self.body, 1)
        column.addWidget(self.notice)
        self._foot = QHBoxLayout()
        self._foot.setSpacing(8)
        self._foot.addWidget(self.box, 1)
        column.addLayout(self._foot)
        context.project_changed.connect(self.reject)

    def apply(self) -> None:
        """The main button was pressed."""
        self.accept()

    def add_button(self, text: str, clicked: Callable[[], None]) -> QPushButton:
        """A button at the left of the foot."""
        knob = button(text, clicked)
        knob.setAutoDefault(False)
        self._foot.insertWidget(self._foot.count() - 1, knob)
        return knob

    def run(self, title: str, work: Callable[[Progress], Any], done: Callable[[Any], None]) -> None:
        """A job of this dialog: its main button waits, an error is said here; nothing is done once it is closed."""
        self.notice.clear()
        self._enable(False)

        def finished(answer: Any) -> None:
            if self.alive():
                self._enable(True)
                done(answer)

        def failed(error: Exception) -> None:
            if self.alive():
                self._enable(True)
                self.say(error)

        self.context.run_job(title, work, finished, failed)

    def say(self, error: Exception) -> None:
        """Say what went wrong, here."""
        if not isinstance(error, Cancelled):
            self.notice.say(*self.context.word(error), level="error")

    def fit(self, width: int, height: int) -> None:
        """Give it a size drawn for 13 px text, within the screen it is on."""
        room = self.screen().availableSize()
        self.resize(min(px(width), room.width() - px(40)), min(px(height), room.height() - px(60)))

    def alive(self) -> bool:
        """False once it is closed: what a job brings then comes too late."""
        return bool(isValid(self)) and not self._closed

    def done(self, result: int) -> None:
        self._closed = True
        super().done(result)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # Qt lets a window's wrapped words be cut off
            QTimer.singleShot(0, self._grow)
        return super().event(event)

    def _grow(self) -> None:
        if self.alive() and (layout := self.layout()) is not None and layout.hasHeightForWidth():
            needed = layout.totalHeightForWidth(self.width())
            if needed > self.height():
                self.resize(self.width(), needed)

    def _enable(self, enabled: bool) -> None:
        if self.ok is not None:
            self.ok.setEnabled(enabled)
