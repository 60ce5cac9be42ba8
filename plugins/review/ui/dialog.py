"""What the review's dialogs have in common: its state, fields for numbers that may be missing, cells of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTableWidget, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import TaskDialog, label

if TYPE_CHECKING:
    from plugins.review.ui.state import ReviewState


class ReviewDialog(TaskDialog):
    """A dialog on the state of the review; its main button is what Enter does."""

    def __init__(
        self, state: ReviewState, title: str, accept: str, parent: QWidget | None = None, *, stays: bool = False
    ) -> None:
        super().__init__(state.context, title, accept, parent, stays=stays)
        self.state = state
        if self.ok is not None:
            self.ok.setDefault(True)


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
