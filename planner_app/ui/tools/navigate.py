"""Moving about: drag the map, draw a box to zoom to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.tools import sketch
from planner_app.ui.tools.select import choose, mode_of, select_at
from planner_app.ui.tools.tool import Tool, ToolEvent

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

#: A press that moves less than this is a click.
CLICK_PIXELS = 4.0


class PanTool(Tool):
    """Drag moves the map, a click selects what is under it."""

    cursor = Qt.CursorShape.OpenHandCursor
    shows_hover = True
    _pressed: tuple[float, float] | None = None
    _dragging = False

    def press(self, event: ToolEvent) -> None:
        if event.left:
            self._pressed, self._dragging = (event.px, event.py), False

    def move(self, event: ToolEvent) -> None:
        if self._pressed is None or not event.left_held:
            return
        dx, dy = event.px - self._pressed[0], event.py - self._pressed[1]
        if self._dragging or abs(dx) + abs(dy) >= CLICK_PIXELS:
            self._dragging = True
            self.canvas.set_cursor(Qt.CursorShape.ClosedHandCursor)
            self.canvas.pan(dx, dy)
            self._pressed = (event.px, event.py)

    def release(self, event: ToolEvent) -> None:
        if event.left and self._pressed is not None:
            if not self._dragging:
                select_at(self.canvas, event.x, event.y, mode_of(event))
            self.deactivate()

    def double_click(self, event: ToolEvent) -> None:
        self.canvas.zoom_about(2.0, event.px, event.py)

    def deactivate(self) -> None:
        self._pressed, self._dragging = None, False
        self.canvas.set_cursor(self.cursor)


class BoxTool(Tool):
    """Base of tools that draw a box; a click is a box without size."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self._start: ToolEvent | None = None
        self._end: ToolEvent | None = None

    def press(self, event: ToolEvent) -> None:
        if event.left:
            self._start = self._end = event

    def move(self, event: ToolEvent) -> None:
        if self._start is not None and event.left_held:
            self._end = event
            self.canvas.update()

    def release(self, event: ToolEvent) -> None:
        if not event.left or self._start is None:
            return
        start, self._start, self._end = self._start, None, None
        self.canvas.update()
        if abs(event.px - start.px) + abs(event.py - start.py) < CLICK_PIXELS:
            self.clicked(event)
        else:
            xs, ys = sorted((start.x, event.x)), sorted((start.y, event.y))
            self.boxed((xs[0], ys[0], xs[1], ys[1]), event)

    def clicked(self, event: ToolEvent) -> None:
        """A click without a box."""

    def boxed(self, extent: tuple[float, float, float, float], event: ToolEvent) -> None:
        """A box was drawn."""

    def cancel(self) -> bool:
        drawing, self._start, self._end = self._start is not None, None, None
        self.canvas.update()
        return drawing

    def deactivate(self) -> None:
        self.cancel()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        if self._start is not None and self._end is not None:
            sketch.paint_box(painter, QPointF(self._start.px, self._start.py), QPointF(self._end.px, self._end.py))


class ZoomBoxTool(BoxTool):
    """Draw a box to zoom to; a click zooms in about it."""

    def hint(self) -> str:
        return tr("Draw a box to zoom to. Shift and drag does this in any tool.")

    def clicked(self, event: ToolEvent) -> None:
        self.canvas.zoom_about(2.0, event.px, event.py)

    def boxed(self, extent: tuple[float, float, float, float], event: ToolEvent) -> None:
        self.canvas.zoom_to_extent(extent, 0.0)


class SelectTool(BoxTool):
    """Click or box selects; Shift adds, Ctrl toggles; Del deletes what is selected."""

    cursor = Qt.CursorShape.ArrowCursor
    wants_shift = True
    shows_hover = True

    def hint(self) -> str:
        return tr("Click or draw a box to select. Shift adds, Ctrl toggles.")

    def key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Delete:
            self.canvas.delete_selection()
            return True
        return False

    def clicked(self, event: ToolEvent) -> None:
        select_at(self.canvas, event.x, event.y, mode_of(event))

    def boxed(self, extent: tuple[float, float, float, float], event: ToolEvent) -> None:
        choose(self.canvas, extent, mode_of(event))
