"""The place a task asks about: typed, pointed at on the map, or the asset selected elsewhere."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from planner_app.i18n import tr
from plugins.tunnel.ui.analysis.desk import AnalysisDesk
from plugins.tunnel.ui.space.looks import Knob

_EVERY = ("valve", "node", "line", "compartment")


class PlaceRow(QWidget):
    """A field with a button that picks on the map.

    Signals:
        chosen(str): another place was chosen, as ``line:12``.
    """

    chosen = Signal(str)

    def __init__(self, desk: AnalysisDesk, kinds: Collection[str] = _EVERY) -> None:
        super().__init__()
        self._desk, self._kinds = desk, kinds
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("line:… or click on the map"))
        self.field.setClearButtonEnabled(True)
        self.field.returnPressed.connect(lambda: self.choose(self.field.text()))
        self.button = Knob(
            desk.context, "crosshair", tr("Pick on the map (Esc: done)"), self.pick, checkable=True
        )  # fmt: skip
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.field, 1)
        line.addWidget(self.button)
        self.setFocusProxy(self.field)
        desk.picking_changed.connect(self._picking_changed)

    @property
    def place(self) -> str:
        """The place as written."""
        return self.field.text().strip()

    def set_place(self, place: str) -> None:
        """Write a place without asking about it."""
        self.field.setText(place)

    def choose(self, place: str) -> None:
        """Take a place and tell of it."""
        self.field.setText(place.strip())
        if place.strip():
            self.chosen.emit(place.strip())

    def pick(self) -> None:
        """Take up the tool, or put it down again."""
        self._desk.pick(self._kinds, self.choose)

    def _picking_changed(self) -> None:
        self.button.setChecked(self._desk.picking and self.isVisible())
