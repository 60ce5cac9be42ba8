"""What the review's dialogs have in common: margins, a notice for what went wrong in them, jobs that lock them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.errors import Cancelled
from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Notice

if TYPE_CHECKING:
    from plugins.review.ui.state import ReviewState


class TaskDialog(QDialog):
    """A dialog of the review. It is modeless: the map can be looked at and picked on while it is open.

    Args:
        title: of its window.
        accept_text: wording of its main button; "" for a dialog that is only closed.
    """

    def __init__(self, state: ReviewState, title: str, accept_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
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
            tr("Cancel") if accept_text else tr("Close"), QDialogButtonBox.ButtonRole.RejectRole
        )
        self.box.accepted.connect(self.apply)
        self.box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addLayout(self.body, 1)
        column.addWidget(self.notice)
        column.addWidget(self.box)
        state.context.project_changed.connect(self.reject)

    def apply(self) -> None:
        """The main button was pressed."""
        self.accept()

    def add_button(self, text: str, clicked: Callable[[], None]) -> QPushButton:
        """A button at the left of the foot."""
        knob = self.box.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
        knob.setAutoDefault(False)
        knob.clicked.connect(lambda *_: clicked())
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

    def failed(self, error: Exception) -> None:
        """Say what went wrong, here."""
        if not isinstance(error, Cancelled):
            self.notice.say(*self.state.context.word(error), level="error")

    def _alive(self) -> bool:
        from shiboken6 import isValid

        return bool(isValid(self)) and (self.isVisible() or self.parent() is None)

    def showEvent(self, event: QShowEvent) -> None:
        for spin in self.findChildren(QAbstractSpinBox):
            inner = spin.findChild(QLineEdit)
            if inner is not None:  # a style sheet's padding does not reach it
                inner.setTextMargins(6, 0, 0, 0)
        super().showEvent(event)


class NumberEdit(QWidget):
    """A number that may be missing: a field that says so while it is empty.

    Args:
        unit: shown behind the number; factor: value = shown × factor (0.01 for percent).
    """

    def __init__(self, value: float | None, unit: str = "", factor: float = 1.0, digits: int = 2) -> None:
        super().__init__()
        self._factor = factor
        self.given = QCheckBox()
        self.spin = QDoubleSpinBox()
        self.spin.setRange(0.0, 1e9)
        self.spin.setDecimals(digits)
        self.spin.setGroupSeparatorShown(True)
        self.spin.setSuffix(f" {unit}" if unit else "")
        self.spin.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.spin.setValue((value or 0.0) / factor)
        self.given.setChecked(value is not None)
        self.given.setToolTip(tr("Off: the document says nothing about it"))
        self.given.toggled.connect(self._toggled)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.given)
        line.addWidget(self.spin, 1)
        self._toggled(value is not None)
        self.setFocusProxy(self.given)

    def _toggled(self, given: bool) -> None:
        self.spin.setEnabled(given)
        self.spin.setSpecialValueText("" if given else tr("not set"))
        self.spin.setMinimum(0.0 if given else -1.0)
        if not given:
            self._kept = self.spin.value()
            self.spin.setValue(-1.0)
        elif self.spin.value() < 0:
            self.spin.setValue(max(getattr(self, "_kept", 0.0), 0.0))

    def value(self) -> float | None:
        """The number, None while it is off."""
        return self.spin.value() * self._factor if self.given.isChecked() else None
