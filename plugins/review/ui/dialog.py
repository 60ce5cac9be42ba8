"""What the review's dialogs have in common: margins, a notice for what went wrong in them, jobs that lock them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QRegularExpression, Qt, QTimer
from PySide6.QtGui import QFontInfo, QRegularExpressionValidator
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.errors import Cancelled
from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Notice, button, label

if TYPE_CHECKING:
    from plugins.review.ui.state import ReviewState


def px(size: float) -> int:
    """A size drawn for 13 px body text, scaled to the font in use."""
    return max(1, round(size * max(QFontInfo(QApplication.font()).pixelSize() / 13.0, 1.0)))


class TaskDialog(QDialog):
    """A dialog of the review. It is modeless: the map can be looked at and picked on while it is open.

    Args:
        title: of its window.
        accept_text: wording of its main button; "" for a dialog that is only closed.
        stays: the main button does not close it, so there is nothing to cancel.
    """

    def __init__(
        self, state: ReviewState, title: str, accept_text: str, parent: QWidget | None = None, *, stays: bool = False
    ) -> None:
        super().__init__(parent)
        self.state = state
        self._closed = False
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.notice = Notice()
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.box = QDialogButtonBox()
        self.ok: QPushButton | None = None
        if accept_text:
            self.ok = self.box.addButton(accept_text, QDialogButtonBox.ButtonRole.AcceptRole)
            self.ok.setProperty("look", "primary")
            self.ok.setDefault(True)
        self.cancel = self.box.addButton(
            tr("Cancel") if accept_text and not stays else tr("Close"), QDialogButtonBox.ButtonRole.RejectRole
        )
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
        state.context.project_changed.connect(self.reject)

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
        if self.ok is not None:
            self.ok.setEnabled(False)

        def finished(answer: Any) -> None:
            if self._alive():
                if self.ok is not None:
                    self.ok.setEnabled(True)
                done(answer)

        def failed(error: Exception) -> None:
            if self._alive():
                if self.ok is not None:
                    self.ok.setEnabled(True)
                self.failed(error)

        self.state.context.run_job(title, work, finished, failed)

    def fit(self, width: int, height: int) -> None:
        """Give it a size drawn for 13 px text, within the screen it is on."""
        room = self.screen().availableSize()
        self.resize(min(px(width), room.width() - px(40)), min(px(height), room.height() - px(60)))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # Qt lets a window's wrapped words be cut off
            QTimer.singleShot(0, self._grow)
        return super().event(event)

    def _grow(self) -> None:
        if self._alive() and (layout := self.layout()) is not None and layout.hasHeightForWidth():
            needed = layout.totalHeightForWidth(self.width())
            if needed > self.height():
                self.resize(self.width(), needed)

    def failed(self, error: Exception) -> None:
        """Say what went wrong, here."""
        if not isinstance(error, Cancelled):
            self.notice.say(*self.state.context.word(error), level="error")

    def _alive(self) -> bool:
        from shiboken6 import isValid

        return bool(isValid(self)) and not self._closed

    def done(self, result: int) -> None:
        self._closed = True
        super().done(result)


class NumberEdit(QWidget):
    """A number that may be missing: an empty field says so.

    Args:
        unit: shown behind the field; factor: value = shown × factor (0.01 for percent).
    """

    def __init__(self, value: float | None, unit: str = "", factor: float = 1.0) -> None:
        super().__init__()
        self._factor = factor
        self.edit = QLineEdit("" if value is None else f"{value / factor:.6f}".rstrip("0").rstrip("."))
        self.edit.setPlaceholderText(tr("not set"))
        self.edit.setToolTip(tr("Empty: the document says nothing about it"))
        validator = QRegularExpressionValidator(QRegularExpression(r"\s*[\d,]*\.?\d*\s*"), self.edit)
        self.edit.setValidator(validator)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.edit, 1)
        if unit:
            line.addWidget(label(unit, "secondary"))
        self.setFocusProxy(self.edit)

    def value(self) -> float | None:
        """The number, None while the field is empty."""
        text = self.edit.text().replace(",", "").strip()
        try:
            return float(text) * self._factor
        except ValueError:
            return None


def in_cell(field: QWidget) -> QWidget:
    """A field with air around it, as a table's cell widget."""
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(2, 3, 8, 3)
    line.addWidget(field)
    holder.setFocusProxy(field)
    return holder


def right_aligned(table: QTableWidget, *columns: int) -> None:
    """Heads of columns of figures stand over their figures."""
    for column in columns:
        head = table.horizontalHeaderItem(column)
        if head is not None:
            head.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
