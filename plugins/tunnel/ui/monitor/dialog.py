"""What the dialogs of monitoring have in common: margins, a notice for what went wrong in them, jobs that lock them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QDateTime, Qt, QTimeZone
from PySide6.QtWidgets import QDateTimeEdit, QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from planner_app.domain.errors import Cancelled
from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Notice


class MonitorDialog(QDialog):
    """A modeless dialog: the map stays usable. ``apply`` is what its main button does."""

    def __init__(self, context: PanelContext, title: str, accept: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.context = context
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
        self.box.addButton(tr("Cancel") if accept else tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        self.box.accepted.connect(self.apply)
        self.box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addLayout(self.body, 1)
        column.addWidget(self.notice)
        column.addWidget(self.box)
        context.project_changed.connect(self.reject)

    def apply(self) -> None:
        """The main button was pressed."""
        self.accept()

    def run(self, title: str, work: Callable[[Progress], Any], done: Callable[[Any], None]) -> None:
        """A job of this dialog: its main button waits, an error is said here; nothing is done once it is closed."""
        self.notice.clear()
        self._enable(False)

        def finished(answer: Any) -> None:
            if isValid(self):
                self._enable(True)
                done(answer)

        def failed(error: Exception) -> None:
            if isValid(self):
                self._enable(True)
                self.say(error)

        self.context.run_job(title, work, finished, failed)

    def say(self, error: Exception) -> None:
        """Say what went wrong, here."""
        if not isinstance(error, Cancelled):
            self.notice.say(*self.context.word(error), level="error")

    def _enable(self, enabled: bool) -> None:
        if self.ok is not None:
            self.ok.setEnabled(enabled)


class MomentEdit(QDateTimeEdit):
    """A moment at the desk, in the zone of monitoring."""

    def __init__(self, zone_name: str) -> None:
        super().__init__()
        self._zone = QTimeZone(zone_name.encode())
        if not self._zone.isValid():
            self._zone = QTimeZone.systemTimeZone()
        self.setTimeZone(self._zone)
        self.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.setCalendarPopup(True)

    def set_ms(self, ts: int) -> None:
        """Show a moment (Unix ms)."""
        self.setDateTime(QDateTime.fromMSecsSinceEpoch(ts, self._zone))

    def ms(self) -> int:
        """The moment, Unix ms."""
        return int(self.dateTime().toMSecsSinceEpoch())
