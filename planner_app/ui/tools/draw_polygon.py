"""Drawing a polygon: for a panel that asked for one (site check), or as a new feature of the current layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.quantities import format_length, is_northing_first
from planner_app.ui.tools import sketch
from planner_app.ui.tools.drawing import Point, PointsTool
from planner_app.ui.tools.editable import EditablePolygon

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

_TYPED = re.compile(r"^(@?)\s*([-+]?\d+(?:\.\d*)?)\s*[,，;\s]\s*([-+]?\d+(?:\.\d*)?)$")


def typed_point(text: str, last: Point | None, northing_first: bool) -> Point | None:
    """A point typed as ``X, Y`` in the CRS's axis order, or ``@dX, dY`` from the last point; None if it is neither.

    Returns:
        (easting, northing).
    """
    match = _TYPED.match(text.strip())
    if match is None:
        return None
    first, second = float(match[2]), float(match[3])
    x, y = (second, first) if northing_first else (first, second)
    if match[1]:
        return None if last is None else (last[0] + x, last[1] + y)
    return x, y


def polygon_wkb(points: list[Point]) -> tuple[bytes | None, str]:
    """(WKB of the multipolygon, problem); without WKB the problem says why (see :meth:`EditablePolygon.problem`)."""
    import numpy as np

    if len(points) < 3:
        return None, "few"
    polygon = EditablePolygon(((np.asarray(points, dtype=float),),))
    problem = polygon.problem()
    if not problem and polygon.area() <= 0:
        problem = "flat"
    return (None, problem) if problem else (polygon.to_wkb(), "")


def word_problem(problem: str) -> str:
    """A sentence for why a polygon is refused."""
    return {
        "few": tr("A polygon needs three points or more."),
        "flat": tr("This polygon has no area."),
        "crossing": tr("The outline would cross or touch itself; move the point elsewhere."),
        "outside": tr("A hole would lie outside its polygon; move the point elsewhere."),
        "overlap": tr("Two parts of the polygon would overlap; move the point elsewhere."),
    }.get(problem, tr("This would not be a valid polygon; move the point elsewhere."))


class DrawPolygonTool(PointsTool):
    """Click points; double click, Enter or the first point closes. Coordinates can be typed."""

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self._finished: Callable[[bytes | None], None] | None = None
        self.typed = ""

    def ask(self, finished: Callable[[bytes | None], None]) -> None:
        """Draw for a caller instead of into the current layer; it gets the WKB, or None if the drawing was dropped."""
        self._answer(None)
        self._finished = finished
        self.canvas.update_hint()

    def hint(self) -> str:
        if self.typed:
            return self.typed
        if self._finished is None and self.canvas.target_layer() is None:
            return self.canvas.refusal() or tr("Choose a polygon layer to draw into.")
        if not self.points:
            names = "X, Y" if self._northing_first() else "E, N"
            return tr("Click the first corner, or type {names}. Alt: no snapping.", names=names)
        return tr("Double click or Enter closes, Backspace takes back, Esc drops. @dX, dY types a step.")

    def key(self, event: QKeyEvent) -> bool:
        text = event.text()
        if self.typed and event.key() == Qt.Key.Key_Backspace:
            self.typed = self.typed[:-1]
        elif self.typed and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take_typed()
        elif text and (text in "@-+0123456789" or (self.typed and text in ".,，; ")):
            self.typed += text
        else:
            return super().key(event)
        self.canvas.update_hint()
        return True

    def _take_typed(self) -> None:
        last = self.points[-1] if self.points else None
        point = typed_point(self.typed, last, self._northing_first())
        if point is None:
            self.canvas.say("warning", tr("“{typed}” is no point. Type two numbers with a comma.", typed=self.typed))
            return
        self.typed = ""
        self.add(*point)
        if not self.canvas.viewport.extent()[0] <= point[0] <= self.canvas.viewport.extent()[2]:
            self.canvas.centre_on(*point)

    def completed(self) -> None:
        wkb, problem = polygon_wkb(self.points)
        if wkb is None:
            self.canvas.say("warning", word_problem(problem))
            return
        self.points, self.pointer = [], None
        if self._finished is not None:
            self._answer(wkb)
            self.canvas.leave_tool()
        else:
            self._insert(wkb)

    def _insert(self, wkb: bytes) -> None:
        layer = self.canvas.target_layer()
        if layer is None:
            self.canvas.say("warning", self.canvas.refusal() or tr("Choose a polygon layer to draw into."))
            return
        from planner_app.project.commands import InsertFeatures

        change = self.canvas.session.execute(InsertFeatures(layer.id, (wkb,), {}), self.canvas)
        touched = next((t for t in change.touches if t.table == layer.id), None) if change is not None else None
        if touched is not None and touched.fids:
            self.canvas.session.selection.set(layer.id, touched.fids)

    def _answer(self, wkb: bytes | None) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(wkb)

    def cancel(self) -> bool:
        if self.typed:
            self.typed = ""
            self.canvas.update_hint()
            return True
        return super().cancel()

    def deactivate(self) -> None:
        self.typed = ""
        super().deactivate()
        self._answer(None)

    def _northing_first(self) -> bool:
        project = self.canvas.session.project
        return project is not None and is_northing_first(project.crs)

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        super().paint(painter, viewport)
        if self.points and self.pointer is not None:
            a, b = self.points[-1], self.pointer
            length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
            if length > 30 * viewport.resolution:
                x, y = viewport.to_screen(*b)
                font = self.canvas.session.theme.font(12, tabular=True)
                sketch.paint_chip(painter, font, x + 46, y + 24, format_length(length))
