"""The small bar over the map: the drawing above it or not, its layers, mark-up, comparison, the sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QWidget

from planner_app.i18n import tr
from plugins.review.ui.sheet.knobs import Knob, rule

if TYPE_CHECKING:
    from plugins.review.ui.sheet.sheets import Sheets


class SheetBar(QWidget):
    """Five buttons; those that mean nothing now are disabled."""

    def __init__(self, sheets: Sheets) -> None:
        super().__init__()
        self._sheets = sheets
        context = sheets.context
        self.on_map = Knob(context, "eye", tr("The drawing above the map"), self._on_map, checkable=True)
        self.layers = Knob(context, "layers", tr("Layers of the drawing"), sheets.toggle_layers, checkable=True)
        self.marking = Knob(context, "square-pen", tr("Mark up"), self._marking, checkable=True)
        self.swipe = Knob(
            context, "square-split-horizontal", tr("Swipe between the revisions"), self._swipe, checkable=True
        )
        self.sheet = Knob(context, "panel-right", tr("The sheet beside the map"), self._sheet, checkable=True)
        self.end = Knob(context, "x", tr("End the comparison"), sheets.end_comparing)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(2)
        for part in (self.on_map, self.layers, self.marking, self.sheet):
            body.addWidget(part)
        self._rule = rule(vertical=True)
        for extra in (self._rule, self.swipe, self.end):
            body.addWidget(extra)

    def follow(self) -> None:
        """Show what is on and what can be done."""
        sheets, model = self._sheets, self._sheets.model
        shown = model.shown
        placed = shown is not None and shown.on_map is not None
        self.on_map.setEnabled(placed)
        self.on_map.setChecked(placed and model.on_map)
        nowhere = shown is not None and not placed
        self.on_map.set_tip(
            tr("The drawing has no place on the map yet") if nowhere else tr("The drawing above the map")
        )
        self.layers.setEnabled(shown is not None)
        self.layers.setChecked(sheets.layers_visible)
        self.marking.setEnabled(sheets.state.case is not None)
        self.marking.setChecked(sheets.board.active)
        self.sheet.setEnabled(shown is not None or sheets.sheet_visible)
        self.sheet.setChecked(sheets.sheet_visible)
        comparing = model.comparison is not None
        for part in (self._rule, self.swipe, self.end):
            part.setVisible(comparing)
        self.swipe.setChecked(model.comparison is not None and model.comparison.swipe is not None)

    def _on_map(self) -> None:
        self._sheets.show_on_map(self.on_map.isChecked())

    def _marking(self) -> None:
        self._sheets.start_marking() if self.marking.isChecked() else self._sheets.stop_marking()

    def _swipe(self) -> None:
        self._sheets.toggle_swipe()

    def _sheet(self) -> None:
        self._sheets.show_sheet() if self.sheet.isChecked() else self._sheets.hide_sheet()
