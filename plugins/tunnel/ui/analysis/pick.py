"""Pointing at a pipe, node, valve or compartment on the map; what would be taken is shown under the pointer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPen

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.analysis.ground import Ground, Hit
from plugins.tunnel.ui.space.looks import Looks, paint_chip, scaled

_REACH_PX = 14.0


class PickTool:
    """A map tool; see ``MapView.use_tool``. It stays in hand until Esc, so that a second place is one more click."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self, context: PanelContext, ground: Callable[[], Ground | None], kinds: Collection[str],
        picked: Callable[[str], None], left: Callable[[], None],
    ) -> None:  # fmt: skip
        self._context, self._ground, self._kinds = context, ground, kinds
        self._picked, self._left = picked, left
        self._looks = Looks(context)
        self._metres_per_pixel = 1.0
        self.hit: Hit | None = None

    def hint(self) -> str:
        """What to do."""
        if self._ground() is None:
            return tr("Reading the networks…")
        if "line" in self._kinds:
            return tr("Click a pipe, node, valve or compartment. Esc: done")
        return tr("Click a compartment. Esc: done")

    def _find(self, event: Any) -> Hit | None:
        ground = self._ground()
        if ground is None:
            return None
        return ground.nearest(event.x, event.y, _REACH_PX * self._metres_per_pixel, self._kinds)

    def move(self, event: Any) -> None:
        """Show what a click would take."""
        hit = self._find(event)
        if hit != self.hit:
            self.hit = hit
            self._context.map.update_overlays()

    def press(self, event: Any) -> None:
        """Take it."""
        if event.left:
            hit = self._find(event)
            if hit is not None:
                self._picked(hit.reference)

    def deactivate(self) -> None:
        """Put down."""
        self.hit = None
        self._left()

    def paint(self, painter: QPainter, to_screen: Callable[[float, float], tuple[float, float]]) -> None:
        """The thing under the pointer."""
        (x, _), (x1, _) = to_screen(0.0, 0.0), to_screen(1000.0, 0.0)
        self._metres_per_pixel = 1000.0 / max(x1 - x, 1e-9)
        ground, hit = self._ground(), self.hit
        if hit is None or ground is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._looks.token("accent", 0.7), scaled(6), c=Qt.PenCapStyle.RoundCap))
        lines = [ground.line_xy[hit.number]] if hit.kind == "line" else []
        lines = ground.room_xy[hit.number] if hit.kind == "compartment" else lines
        for line in lines:
            painter.drawPolyline([QPointF(*to_screen(float(x), float(y))) for x, y in line])
        at = QPointF(*to_screen(hit.x, hit.y))
        if not lines:
            painter.drawEllipse(at, scaled(9), scaled(9))
        paint_chip(painter, self._looks, hit.reference.partition(":")[2], at + QPointF(0, -scaled(22)), "accent")
