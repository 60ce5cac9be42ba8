"""The mark-up tool: draws the kind that the board says, or selects and changes marks. One for map and sheet alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen

from planner_app.i18n import tr
from plugins.review.model.cases.records import Markup
from plugins.review.ui.sheet.markup.board import MarkBoard
from plugins.review.ui.sheet.markup.hold import CLICK_PIXELS, Hold
from plugins.review.ui.sheet.markup.painting import paint_handles, paint_mark
from plugins.review.ui.sheet.markup.shapes import (
    CORNERED,
    PATHS,
    WORDED,
    Drawn,
    Place,
    corners,
    outline,
)
from plugins.review.ui.sheet.pick import snap

if TYPE_CHECKING:
    from plugins.review.ui.sheet.live import ToScreen

#: A click this near to the first point closes the shape.
CLOSE_PIXELS = 9.0
_SNAP_PIXELS = 9.0
#: A line by free hand is thinned by this much.
_FREEHAND_PIXELS = 0.8
_SNAPPING = frozenset({"dimension", "area", "polygon", "line"})
_CURSORS = {"text": Qt.CursorShape.IBeamCursor, "select": Qt.CursorShape.ArrowCursor}


class MarkTool:
    """A tool as map and sheet take it: see ``planner_app.plugin_api.ui.MapView.use_tool``.

    Args:
        surface: ``map`` or ``sheet``.
        repaint: asks the surface for a new paint; pan: moves its picture by pixels.
        write: asks the person for a text: (text so far, what to do with the answer).
        open_photo: shows a photo large.
    """

    wants_shift = True

    def __init__(
        self,
        board: MarkBoard,
        surface: str,
        repaint: Callable[[], None],
        pan: Callable[[float, float], None],
        write: Callable[[str, Callable[[str], None]], None],
        open_photo: Callable[[Markup], None],
        left: Callable[[], None] = lambda: None,
    ) -> None:
        self._board, self._surface, self._repaint, self._pan = board, surface, repaint, pan
        self._write, self._open_photo, self._left = write, open_photo, left
        self._points: list[Place] = []
        self._pointer: Place | None = None
        self._pressed: tuple[float, float] | None = None
        self._to_screen: ToScreen = lambda x, y: (x, y)
        self._snapped: Place | None = None
        self._panning: tuple[float, float] | None = None
        self._hold = Hold(board, surface)

    # what the surface asks

    @property
    def cursor(self) -> Qt.CursorShape:
        """The pointer over the surface."""
        if self._board.kind == "select":
            return self._hold.over
        return _CURSORS.get(self._board.kind, Qt.CursorShape.CrossCursor)

    @property
    def snaps(self) -> bool:
        """Marks that measure snap to what is there."""
        return self._board.kind in _SNAPPING

    def hint(self) -> str:
        """What to do next."""
        kind = self._board.kind
        if kind == "select":
            mark = self._board.mark(self._board.selected)
            if mark is None:
                return tr("Click a mark to select it, or take a tool. Esc leaves.")
            if mark.kind in WORDED:
                return tr("Drag to move, double click to edit the text, Del deletes.")
            return tr("Drag the mark or its corners, Del deletes.")
        if kind in PATHS:
            if self._points:
                return tr("Click the next point; double click or Enter ends, Backspace takes the last one back.")
            return tr("Click the first point.")
        if kind in ("text", "stamp", "photo"):
            return tr("Click the place.")
        if kind == "callout":
            return tr("Drag from what is meant to where the note stands.")
        return tr("Drag, or click twice. Esc drops it.")

    def activate(self) -> None:
        """Nothing to prepare."""

    def deactivate(self) -> None:
        """The surface took up another tool."""
        self.cancel_all()
        self._left()

    def owns_key(self, event: QKeyEvent) -> bool:
        """Del and Backspace are ours while there is something to take back or away."""
        if event.key() == Qt.Key.Key_Delete:
            return bool(self._board.selected)
        return bool(event.key() == Qt.Key.Key_Backspace and self._points)

    def key(self, event: QKeyEvent) -> bool:
        """Enter ends a shape, Backspace takes its last point back, Del deletes the selected mark."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._points:
            self._finish_path()
        elif key == Qt.Key.Key_Backspace and self._points:
            self._points.pop()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2) and self._board.selected:
            self._edit_text()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self._board.selected:
            self._board.delete(self._board.selected)
        else:
            return False
        self._repaint()
        return True

    def cancel(self) -> bool:
        """Esc: drop what is begun, else take the arrow, else let the selection go; False: leave the tool."""
        if self._points or self._hold.holding:
            self._drop()
        elif self._board.kind != "select":
            self._board.use("select")
        elif self._board.selected:
            self._board.select("")
        else:
            return False
        self._repaint()
        return True

    def cancel_all(self) -> None:
        """Drop whatever is begun."""
        self._drop()

    def _drop(self) -> None:
        self._points, self._pointer, self._pressed, self._snapped = [], None, None, None
        self._panning = None
        self._hold.drop()

    # events

    def _place(self, event: Any) -> Place:
        """The event's place: on a vertex of the drawing where one is near and the kind measures."""
        self._snapped = None
        if self.snaps and not event.alt and self._board.model.shown is not None:
            scenes = self._board.model.scenes(self._surface == "map")
            per_pixel = self._units_per_pixel(event)
            for scene, look, _ in reversed(scenes):
                found = snap(scene, look.shown, event.x, event.y, _SNAP_PIXELS * per_pixel)
                if found is not None:
                    self._snapped = found
                    return found
        if event.shift and self._points and self._board.kind in ("line", "arrow", "dimension"):
            return _straight(self._points[-1], (event.x, event.y))
        return event.x, event.y

    def _units_per_pixel(self, event: Any) -> float:
        x0, y0 = self._to_screen(event.x, event.y)
        x1, y1 = self._to_screen(event.x + 1.0, event.y)
        return 1.0 / max(math.hypot(x1 - x0, y1 - y0), 1e-12)

    def press(self, event: Any) -> None:
        """Begin, go on with, or end a mark; or take hold of one."""
        if not event.left:
            return
        self._pressed = (event.px, event.py)
        kind = self._board.kind
        if kind == "select":
            if self._hold.take(event):
                self._repaint()
            else:
                self._panning = (event.px, event.py)
            return
        place = self._place(event)
        if kind in ("text", "stamp", "photo"):
            return  # on release: a popup that opens on a press loses it
        if kind in ("polygon", "area") and self._closes(event):
            self._finish_path()
        elif kind == "freehand":
            self._points = [place]
        elif not self._points or self._points[-1] != place:
            self._points.append(place)
        self._pointer = place
        self._repaint()

    def move(self, event: Any) -> None:
        """Follow the pointer."""
        kind = self._board.kind
        if kind == "select":
            if self._panning is not None and event.left_held:
                self._pan(event.px - self._panning[0], event.py - self._panning[1])
                self._panning = (event.px, event.py)
            elif self._hold.holding and event.left_held:
                if self._hold.drag(event):
                    self._repaint()
            else:
                self._hold.look_over(event)
            return
        place = self._place(event)
        if kind == "freehand" and self._points and event.left_held:
            self._points.append(place)
        self._pointer = place
        self._repaint()

    def release(self, event: Any) -> None:
        """End what is drawn by dragging."""
        if not event.left:
            return
        kind, pressed, self._pressed = self._board.kind, self._pressed, None
        if kind == "select":
            self._panning = None
            self._hold.let_go()
            self._repaint()
            return
        place = self._place(event)
        dragged = pressed is not None and math.hypot(event.px - pressed[0], event.py - pressed[1]) >= CLICK_PIXELS
        if kind in ("text", "stamp", "photo"):
            if pressed is not None:
                self._put(kind, place)
        elif kind == "freehand":
            self._finish_freehand()
        elif kind not in PATHS and (dragged or len(self._points) > 1):
            self._complete([self._points[0], place if dragged else self._points[-1]])
        elif kind == "line" and dragged and len(self._points) == 1:
            self._complete([self._points[0], place])
        self._repaint()

    def double_click(self, event: Any) -> None:
        """End a path; edit the text under the pointer."""
        if self._board.kind in PATHS:
            self._finish_path()
        elif self._board.kind == "select":
            self._hold.drop()
            self._edit_text()
        self._repaint()

    def view_changed(self) -> None:
        """Nothing is kept in pixels."""

    # drawing

    def _closes(self, event: Any) -> bool:
        if len(self._points) < 3:
            return False
        x, y = self._to_screen(*self._points[0])
        return bool(abs(x - event.px) <= CLOSE_PIXELS and abs(y - event.py) <= CLOSE_PIXELS)

    def _finish_path(self) -> None:
        least = 2 if self._board.kind == "line" else 3
        if len(self._points) >= least:
            self._complete(self._points)

    def _finish_freehand(self) -> None:
        import shapely

        if len(self._points) > 2:
            x, y = self._points[0]
            a, b = self._to_screen(x, y), self._to_screen(x + 1.0, y)
            tolerance = _FREEHAND_PIXELS / max(math.hypot(b[0] - a[0], b[1] - a[1]), 1e-12)
            thinned = shapely.LineString(self._points).simplify(tolerance)
            self._complete([(float(px), float(py)) for px, py, *_ in thinned.coords])
        else:
            self._drop()

    def _complete(self, points: list[Place]) -> None:
        kind, points = self._board.kind, list(points)
        self._drop()
        if kind in CORNERED and (points[0][0] == points[-1][0] or points[0][1] == points[-1][1]):
            return
        if kind == "callout":
            self._put(kind, points[0], points[-1])
        else:
            self._board.add(kind, points, self._surface)

    def _put(self, kind: str, *points: Place) -> None:
        """Marks that need a word, a stamp or a photo first."""
        board, surface = self._board, self._surface
        if kind == "photo":
            board.attach_photo(points[0], surface)
        elif kind == "stamp":
            board.add("stamp", points, surface)
        else:
            self._write("", lambda text: _add_worded(board, kind, points, surface, text))

    # selecting and changing

    def under(self, px: float, py: float) -> Markup | None:
        """The topmost mark under a pixel."""
        return self._hold.under(px, py)

    def _edit_text(self) -> None:
        board = self._board
        mark = board.mark(board.selected)
        if mark is None:
            return
        if mark.kind == "photo":
            self._open_photo(mark)
        elif mark.kind in WORDED:
            self._write(mark.text, lambda text: board.edit(mark.id, text=text) if text else board.delete(mark.id))

    # painting

    @property
    def draft(self) -> Markup | None:
        """The selected mark as it is being dragged."""
        return self._hold.draft

    def see(self, to_screen: ToScreen) -> None:
        """Take the surface's view; said with every paint."""
        self._to_screen = self._hold.to_screen = to_screen

    def paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        """What is being drawn, the handles of what is selected, the vertex snapped to."""
        self.see(to_screen)
        board = self._board
        if self._points:
            live = [*self._points, *([self._pointer] if self._pointer is not None else [])]
            self._paint_begun(painter, to_screen, live)
        mark = self._hold.draft or board.mark(board.selected)
        if mark is not None and board.kind == "select":
            drawn = board.drawn(mark, self._surface)
            if drawn is not None:
                paint_handles(painter, outline(drawn, to_screen))
        if self._snapped is not None:
            x, y = to_screen(*self._snapped)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor("#A05F00"), 2))
            painter.drawRect(round(x) - 6, round(y) - 6, 12, 12)

    def _paint_begun(self, painter: QPainter, to_screen: ToScreen, live: list[Place]) -> None:
        board, kind = self._board, self._board.kind
        shown = "line" if kind in PATHS and len(live) < 3 else kind
        if kind in CORNERED:
            live = list(corners([live[0], live[-1]]))
        elif kind not in PATHS and kind != "freehand":
            live = [live[0], live[-1]]
        mark = Markup("", "", shown, tuple(live), self._surface, style=dict(board.style), text=" ")
        paint_mark(painter, Drawn(mark, tuple(live), board.measured(mark)), to_screen)


def _add_worded(board: MarkBoard, kind: str, points: Sequence[Place], surface: str, text: str) -> None:
    if text:
        board.add(kind, points, surface, text=text)


def _straight(start: Place, end: Place) -> Place:
    """The end turned to the nearest eighth of a circle."""
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    angle = round(math.atan2(end[1] - start[1], end[0] - start[0]) / (math.pi / 4)) * math.pi / 4
    return start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)
