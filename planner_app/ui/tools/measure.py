"""Measuring lengths and areas on both bases: the plane of the project's CRS and its ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.quantities import format_area, format_length
from planner_app.ui.tools import sketch
from planner_app.ui.tools.drawing import Point, PointsTool
from planner_app.ui.tools.tool import ToolEvent

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured, metres and square metres.

    Attributes:
        segments: planar length of each side (the closing one last for an area).
        length, ellipsoidal_length: along all sides (the perimeter for an area).
        area, ellipsoidal_area: 0 for a line.
        crossing: the ring crosses itself, so it has no area.
    """

    points: tuple[Point, ...]
    segments: tuple[float, ...]
    length: float
    ellipsoidal_length: float
    area: float = 0.0
    ellipsoidal_area: float = 0.0
    crossing: bool = False


def measure(points: list[Point], crs: str, closed: bool) -> Measure:
    """Measure a line, or a ring if ``closed``. For worker threads: imports shapely and pyproj."""
    import numpy as np
    import shapely

    from planner_app.ui.canvas.geodesy import geodesic_lengths

    ring = [*points, points[0]] if closed and len(points) > 2 else points
    path = np.asarray(ring, dtype=float)
    if len(path) < 2:
        return Measure(tuple(points), (), 0.0, 0.0)
    sides = np.hypot(*np.diff(path, axis=0).T)
    lengths = float(sides.sum()), float(geodesic_lengths(path, crs).sum())
    if ring is points:
        return Measure(tuple(points), tuple(map(float, sides)), *lengths)
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid:
        return Measure(tuple(points), tuple(map(float, sides)), *lengths, crossing=True)
    from planner_app.domain.area import ellipsoidal, planar

    wkb = [shapely.to_wkb(polygon)]
    areas = float(planar(wkb)[0]), float(ellipsoidal(wkb, crs)[0])
    return Measure(tuple(points), tuple(map(float, sides)), *lengths, *areas)


class MeasureTool(PointsTool):
    """Live readout at the pointer; the finished measure stays until the next click; Ctrl+C copies it."""

    def __init__(self, canvas: MapCanvas, area: bool) -> None:
        super().__init__(canvas)
        self.closes = area
        self.result: Measure | None = None
        self.finished = False

    def hint(self) -> str:
        if self.finished:
            return tr("Ctrl+C copies the result. Click to measure anew.")
        if not self.points:
            return tr("Click the first point. Alt: no snapping.")
        return tr("Double click ends, Backspace takes back the last point, Esc drops all.")

    def press(self, event: ToolEvent) -> None:
        if self.finished and event.left:
            self._restart()
        super().press(event)

    def move(self, event: ToolEvent) -> None:
        if self.finished:
            return
        super().move(event)

    def double_click(self, event: ToolEvent) -> None:
        if not self.finished:
            super().double_click(event)

    def changed(self) -> None:
        project = self.canvas.session.project
        points = self.points if self.finished else self.live_points()
        if project is None or len(points) < 2:
            self.canvas.background.drop("measure")
            self.result = None
            return
        points, crs, closed = list(points), project.crs, self.closes
        self.canvas.background.run("measure", lambda: measure(points, crs, closed), self._measured)

    def _measured(self, result: Measure) -> None:
        self.result = result
        self.canvas.update()

    def completed(self) -> None:
        if len(self.points) >= (3 if self.closes else 2):
            self.finished = True
            self.pointer = None
            self.canvas.update_hint()

    def _restart(self) -> None:
        self.points, self.result, self.finished = [], None, False
        self.canvas.update_hint()

    def cancel(self) -> bool:
        had = super().cancel()
        self._restart()
        return had

    def deactivate(self) -> None:
        super().deactivate()
        self._restart()

    def key(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Copy) and self.result is not None:
            clipboard = QGuiApplication.clipboard()
            clipboard.setText(self.text())
            self.canvas.say("success", tr("The measure was copied."))
            return True
        if self.finished and event.key() == Qt.Key.Key_Backspace:
            self.finished = False
        return super().key(event)

    def text(self) -> str:
        """The readout, one figure per line."""
        result = self.result
        if result is None:
            return ""
        lines = []
        if self.closes and len(result.points) > 2:
            if result.crossing:
                return tr("The outline crosses itself: no area.")
            lines.append(tr("Area (planar): {value}", value=format_area(result.area)))
            lines.append(tr("Area (ellipsoidal): {value}", value=format_area(result.ellipsoidal_area, result.area)))
            lines.append(tr("Perimeter: {value}", value=format_length(result.length)))
        else:
            lines.append(tr("Length (planar): {value}", value=format_length(result.length)))
            lines.append(
                tr("Length (ellipsoidal): {value}", value=format_length(result.ellipsoidal_length, result.length))
            )
        return "\n".join(lines)

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        super().paint(painter, viewport)
        result = self.result
        if result is None or len(result.points) < 2:
            return
        font = self.canvas.session.theme.font(12, tabular=True)
        corners = sketch.screen(viewport, [*result.points, result.points[0]]).toList()
        for number, length in enumerate(result.segments):
            a, b = corners[number], corners[number + 1]
            if len(result.segments) > 1 and abs(a.x() - b.x()) + abs(a.y() - b.y()) > 90:
                sketch.paint_chip(painter, font, (a.x() + b.x()) / 2, (a.y() + b.y()) / 2, format_length(length))
        sketch.paint_chip(painter, font, *self._label_at(corners[:-1], viewport), self.text())

    def _label_at(self, corners: list[QPointF], viewport: Viewport) -> tuple[float, float]:
        if self.closes and self.finished:
            x, y = sum(p.x() for p in corners) / len(corners), sum(p.y() for p in corners) / len(corners)
        else:
            # Away from what was measured, where no segment's length stands.
            last, rest = corners[-1], corners[:-1]
            left = last.x() < sum(p.x() for p in rest) / len(rest)
            above = last.y() < sum(p.y() for p in rest) / len(rest)
            x, y = last.x() + (-104 if left else 104), last.y() + (-40 if above else 40)
        return min(max(x, 120), viewport.width - 120), min(max(y, 40), viewport.height - 40)
