"""Finds out what lies under a resting pointer, off the UI thread, and shows its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer

from planner_app.ui.canvas.feature_text import FeatureText, describe
from planner_app.ui.canvas.hover_card import HoverCard
from planner_app.ui.canvas.picking import pick

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

REST_MS = 280
REACH = 3.0


class Hover(QObject):
    """Waits for the pointer to rest, then reads; any movement off the spot hides the card."""

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.card = HoverCard(canvas.session.theme, canvas)
        self._at = QPoint()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._read)

    def moved(self, at: QPoint, wanted: bool) -> None:
        """The pointer is here now; ``wanted``: the tool lets a card appear."""
        if not wanted:
            self.hide()
            return
        if self.card.isVisible() and (at - self._at).manhattanLength() < 6:
            return
        self.hide()
        self._at = at
        self._timer.start()

    def hide(self) -> None:
        """Hide the card and forget what is being read."""
        self._timer.stop()
        self._canvas.background.drop("hover")
        self.card.hide()

    def _read(self) -> None:
        project = self._canvas.session.project
        layers = {layer.id: layer for layer in self._canvas.visible_layers()}
        if project is None or not layers:
            return
        x, y = self._canvas.viewport.to_map(self._at.x(), self._at.y())
        tolerance = REACH * self._canvas.viewport.resolution

        def work() -> FeatureText | None:
            hits = pick(project, list(layers.values()), x, y, tolerance).drawn
            return describe(project, layers[hits[0][0]], hits[0][1]) if hits else None

        def done(text: FeatureText | None) -> None:
            if text is not None:
                self.card.show_text(text, self._at)

        self._canvas.background.run("hover", work, done)
