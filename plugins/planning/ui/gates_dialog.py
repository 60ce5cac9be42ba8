"""What a check leaves out: the smallest area and mean width that count."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, label


class GatesDialog(QDialog):
    """Asks for the two gates in m² and m."""

    def __init__(self, gates: tuple[float, float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Ignore small patches"))
        self._area, self._width = QDoubleSpinBox(), QDoubleSpinBox()
        for box, value, suffix, most in ((self._area, gates[0], " m²", 1e6), (self._width, gates[1], " m", 1e3)):
            box.setDecimals(2)
            box.setRange(0.0, most)
            box.setSuffix(suffix)
            box.setValue(value)
        form = Form()
        form.add(tr("Smaller than"), self._area)
        form.add(tr("Narrower than"), self._width)
        note = label(
            tr("What is left out is counted and listed in the report. Mean width = 2 × area ÷ perimeter."),
            "small",
            wrap=True,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("Use"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("Cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        for widget in (form, note, buttons):
            column.addWidget(widget)

    def gates(self) -> tuple[float, float]:
        """(area in m², width in m)."""
        return self._area.value(), self._width.value()
