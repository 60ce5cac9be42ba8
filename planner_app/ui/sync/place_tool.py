"""Dragging a box on the map to ask for the history of what lies in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from planner_app.i18n import tr
from planner_app.ui.tools import sketch
from planner_app.ui.tools.tool import ToolEvent

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

Box = tuple[float, float, float, float]
#: A click without dragging asks for this many pixels around it.
CLICK_PIXELS = 6


class PlaceTool:
    """An ad-hoc tool of the canvas; ``drawn(box)`` in the project's CRS."""

    cursor = Qt.CursorShape.CrossCursor
    shows_hover = False

    def __init__(self, canvas: MapCanvas, drawn: Callable[[Box], None]) -> None:
        self._canvas, self._drawn = canvas, drawn
        self._start: ToolEvent | None = None
        self._end: ToolEvent | None = None

    def hint(self) -> str:
        """What to do."""
        return tr("Drag a box, or click: the server's log of that place appears below.")

    def press(self, event: ToolEvent) -> None:
        """Begin the box."""
        if event.left:
            self._start = self._end = event

    def move(self, event: ToolEvent) -> None:
        """Draw the box."""
        if self._start is not None:
            self._end = event
            self._canvas.update()

    def release(self, event: ToolEvent) -> None:
        """Ask."""
        start = self._start
        self._start = self._end = None
        if start is None or not event.left:
            return
        reach = CLICK_PIXELS * self._canvas.viewport.resolution
        xs, ys = sorted((start.x, event.x)), sorted((start.y, event.y))
        if max(xs[1] - xs[0], ys[1] - ys[0]) < reach:
            xs, ys = [xs[0] - reach, xs[0] + reach], [ys[0] - reach, ys[0] + reach]
        self._drawn((xs[0], ys[0], xs[1], ys[1]))

    def cancel(self) -> bool:
        """Drop a box that was begun."""
        begun, self._start = self._start is not None, None
        return begun

    def paint(self, painter: QPainter, _to_screen: object) -> None:
        """The box."""
        if self._start is not None and self._end is not None:
            sketch.paint_box(painter, QPointF(self._start.px, self._start.py), QPointF(self._end.px, self._end.py))
