"""Mouse, wheel, touchpad and keys on the map. Panning and zooming work under every tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QWheelEvent,
)  # fmt: skip

from planner_app.ui.tools import sketch
from planner_app.ui.tools.tool import ToolEvent

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

#: One notch of a wheel (120 units) zooms by the square root of two, a notch with Ctrl by an eighth of that.
UNITS_PER_DOUBLING = 240.0
#: A touchpad's scroll of this many pixels doubles.
PIXELS_PER_DOUBLING = 220.0
BOX_PIXELS = 5.0
ARROWS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class Gestures(QObject):
    """Turns the canvas's input events into views, or hands them to the tool."""

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._space = False
        self._pan_from: QPointF | None = None
        self._pan_button = Qt.MouseButton.NoButton
        self._box: tuple[QPointF, QPointF] | None = None
        canvas.installEventFilter(self)

    def panning(self) -> bool:
        """True while the hand drags the map by middle button or space."""
        return self._pan_from is not None or self._space

    def cancel(self) -> bool:
        """Esc: drop a box being drawn."""
        drawing, self._box = self._box is not None, None
        return drawing

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle what belongs to the map; everything else goes its way."""
        kind = event.type()
        if isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseMove:
                self._move(event)
            elif kind == QEvent.Type.MouseButtonPress:
                self._press(event)
            elif kind == QEvent.Type.MouseButtonRelease:
                self._release(event)
            elif kind == QEvent.Type.MouseButtonDblClick:
                self._double(event)
            else:
                return False
            event.accept()
            return True
        if isinstance(event, QWheelEvent):
            self._wheel(event)
            return True
        if isinstance(event, QNativeGestureEvent):
            return self._native(event)
        if isinstance(event, QKeyEvent):
            if kind == QEvent.Type.ShortcutOverride and self._canvas.tool.owns_key(event):
                event.accept()
                return True
            if kind == QEvent.Type.KeyPress:
                return self._key_press(event)
            if kind == QEvent.Type.KeyRelease:
                return self._key_release(event)
        if kind == QEvent.Type.Leave:
            self._canvas.hover.hide()
        elif kind == QEvent.Type.FocusOut and self._space:
            self._space = False
            self._canvas.set_cursor(self._canvas.tool.cursor)
        elif kind == QEvent.Type.DevicePixelRatioChange:
            self._canvas.resized()
        return False

    def _tool_event(self, event: QMouseEvent) -> ToolEvent:
        at = event.position()
        x, y = self._canvas.viewport.to_map(at.x(), at.y())
        return ToolEvent(x, y, at.x(), at.y(), event.button(), event.buttons(), event.modifiers())

    def _press(self, event: QMouseEvent) -> None:
        self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        self._canvas.hover.hide()
        left = event.button() == Qt.MouseButton.LeftButton
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._pan_from, self._pan_button = event.position(), event.button()
        elif left and shift and not self._canvas.tool.wants_shift:
            self._box = (event.position(), event.position())
        else:
            self._canvas.tool.press(self._tool_event(event))

    def _move(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pan_from is not None:
            delta = at - self._pan_from
            self._pan_from = at
            self._canvas.pan(delta.x(), delta.y())
        elif self._box is not None:
            self._box = (self._box[0], at)
            self._canvas.update()
        else:
            self._canvas.tool.move(self._tool_event(event))
            resting = event.buttons() == Qt.MouseButton.NoButton
            self._canvas.hover.moved(at.toPoint(), resting and self._canvas.tool.shows_hover)
        self._canvas.cursor_moved.emit(*self._canvas.viewport.to_map(at.x(), at.y()))

    def _release(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() == self._pan_button:
            self._pan_from = None
            self._canvas.setCursor(Qt.CursorShape.OpenHandCursor if self._space else self._canvas.tool.cursor)
        elif self._box is not None and event.button() == Qt.MouseButton.LeftButton:
            self._zoom_to_box(event)
        else:
            self._canvas.tool.release(self._tool_event(event))

    def _zoom_to_box(self, event: QMouseEvent) -> None:
        assert self._box is not None
        start, self._box = self._box[0], None
        end = event.position()
        self._canvas.update()
        if abs(end.x() - start.x()) < BOX_PIXELS or abs(end.y() - start.y()) < BOX_PIXELS:
            # No box after all: Shift with a click belongs to the tool (adding to the selection).
            self._canvas.tool.press(self._tool_event(event))
            self._canvas.tool.release(self._tool_event(event))
            return
        (x1, y1), (x2, y2) = self._canvas.point(start), self._canvas.point(end)
        self._canvas.zoom_to_extent((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), 0.0)

    def _double(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._canvas.tool.double_click(self._tool_event(event))

    def _wheel(self, event: QWheelEvent) -> None:
        event.accept()
        pixels: QPoint = event.pixelDelta()
        fine = 0.125 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1.0
        if not pixels.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase:
            doublings = pixels.y() / PIXELS_PER_DOUBLING
        else:
            doublings = event.angleDelta().y() / UNITS_PER_DOUBLING
        if doublings:
            at = event.position()
            self._canvas.zoom_about(2.0 ** (doublings * fine), at.x(), at.y())
            self._canvas.cursor_moved.emit(*self._canvas.viewport.to_map(at.x(), at.y()))

    def _native(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        at = event.position()
        self._canvas.zoom_about(max(1.0 + event.value(), 0.1), at.x(), at.y())
        return True

    def _key_press(self, event: QKeyEvent) -> bool:
        canvas, key = self._canvas, event.key()
        if key == Qt.Key.Key_Escape:
            canvas.escape()
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = True
                canvas.setCursor(Qt.CursorShape.OpenHandCursor)
        elif canvas.tool.key(event):
            canvas.update()
        elif key in ARROWS and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            dx, dy = ARROWS[Qt.Key(key)]
            canvas.pan(dx * canvas.width() / 8, dy * canvas.height() / 8)
        elif event.matches(QKeySequence.StandardKey.ZoomIn) or key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            canvas.zoom_in()
        elif event.matches(QKeySequence.StandardKey.ZoomOut) or key == Qt.Key.Key_Minus:
            canvas.zoom_out()
        else:
            return False
        event.accept()
        return True

    def _key_release(self, event: QKeyEvent) -> bool:
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        self._space = False
        if self._pan_from is None:
            self._canvas.setCursor(self._canvas.tool.cursor)
        return True

    def paint(self, painter: QPainter) -> None:
        """The box being drawn."""
        if self._box is not None:
            sketch.paint_box(painter, *self._box)
