"""Base of the tools that put down one point after another: drawing a polygon, measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter

from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.snapping import Snap
from planner_app.ui.tools import sketch
from planner_app.ui.tools.tool import Tool, ToolEvent

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

Point = tuple[float, float]
#: A click this near to the first point closes the shape.
CLOSE_PIXELS = 9.0


class PointsTool(Tool):
    """Collects points. Click adds (Alt: not snapped), Backspace removes the last, double click or Enter ends."""

    cursor = Qt.CursorShape.CrossCursor
    snaps = True
    closes = True

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self.points: list[Point] = []
        self.pointer: Point | None = None
        self._snap: Snap | None = None
        self._double = False

    # what a tool built on this says

    def changed(self) -> None:
        """Points or pointer changed."""

    def completed(self) -> None:
        """The person ended the shape; ``points`` holds it."""

    # events

    def snapped(self, event: ToolEvent) -> Point:
        """The event's point, snapped unless Alt is held."""
        self._snap = None if event.alt else self.canvas.snapper.snap(event.x, event.y)
        return (self._snap.x, self._snap.y) if self._snap is not None else (event.x, event.y)

    def press(self, event: ToolEvent) -> None:
        if not event.left:
            return
        if self._near_first(event):
            self.finish()
            return
        self.add(*self.snapped(event))

    def add(self, x: float, y: float) -> None:
        """Put down a point; the same place twice is one point."""
        if not self.points or self.points[-1] != (x, y):
            self.points.append((x, y))
        self.pointer = (x, y)
        self._refresh()

    def move(self, event: ToolEvent) -> None:
        self.pointer = self.snapped(event)
        self._refresh()

    def double_click(self, event: ToolEvent) -> None:
        self.finish()

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
            return True
        if event.key() == Qt.Key.Key_Backspace and self.points:
            self.points.pop()
            self._refresh()
            return True
        return False

    def finish(self) -> None:
        """End the shape."""
        self.completed()
        self._refresh()

    def cancel(self) -> bool:
        had = bool(self.points)
        self.points, self._snap = [], None
        self._refresh()
        return had

    def deactivate(self) -> None:
        self.points, self.pointer, self._snap = [], None, None
        self._refresh()

    def _near_first(self, event: ToolEvent) -> bool:
        if not self.closes or len(self.points) < 3:
            return False
        x, y = self.canvas.viewport.to_screen(*self.points[0])
        return abs(x - event.px) <= CLOSE_PIXELS and abs(y - event.py) <= CLOSE_PIXELS

    def _refresh(self) -> None:
        self.changed()
        self.canvas.update_hint()
        self.canvas.update()

    def live_points(self) -> list[Point]:
        """The points and the pointer behind them."""
        if self.pointer is None or (self.points and self.points[-1] == self.pointer):
            return list(self.points)
        return [*self.points, self.pointer]

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        fixed, live = sketch.screen(viewport, self.points), sketch.screen(viewport, self.live_points())
        if self.points:
            if self.closes and live.size() > 2:
                sketch.paint_area(painter, live)
                closing = sketch.screen(viewport, [self.live_points()[-1], self.points[0]])
                sketch.paint_line(painter, closing, dashed=True)
            sketch.paint_line(painter, live, dashed=True)
            sketch.paint_line(painter, fixed)
            sketch.paint_handles(painter, fixed, size=6)
        if self._snap is not None:
            sketch.paint_snap(painter, *viewport.to_screen(self._snap.x, self._snap.y), vertex=self._snap.vertex)
