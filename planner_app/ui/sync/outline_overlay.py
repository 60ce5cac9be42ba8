"""The outlines of a geometry that two people changed: before, mine, the server's, each with its name on the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from planner_app.ui.canvas.outlines import to_polygon
from planner_app.ui.tools import sketch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner_app.plugin_api.ui import MapView


@dataclass(frozen=True, slots=True)
class Outline:
    """A geometry to draw: its name on the map (may be empty), colour, WKB; dashed for what is no more.

    Where two share an edge, the wider one that was given before the narrower stays seen.
    """

    name: str
    colour: str
    wkb: bytes
    dashed: bool = False
    width: float = 2.2


@dataclass(frozen=True, slots=True)
class _Drawn:
    outline: Outline
    rings: tuple[NDArray[np.float64], ...]
    areal: bool
    anchor: tuple[float, float]


def prepare(
    outlines: Sequence[Outline], beside: Sequence[bytes] = ()
) -> tuple[list[_Drawn], tuple[float, float, float, float] | None]:
    """Coordinates of the outlines, where each one's name stands (where it differs most from the others and from
    ``beside``, which is not drawn), their box.
    """
    import numpy as np
    import shapely

    shapes = [shapely.from_wkb(one.wkb) for one in outlines]
    apart = [shapely.from_wkb(one) for one in beside]
    drawn: list[_Drawn] = []
    for outline, shape in zip(outlines, shapes, strict=True):
        if shape is None or shape.is_empty:
            continue
        areal = shape.area > 0
        parts = shapely.get_parts([shape])
        lines = shapely.get_rings(parts) if areal else parts
        rings = tuple(shapely.get_coordinates(one) for one in lines)
        corners = np.concatenate(rings)
        others = [one for one in (*shapes, *apart) if one is not shape and one is not None and not one.is_empty]
        distance = np.zeros(len(corners))
        if outline.name and others:
            points = shapely.points(corners)
            distance = np.min([shapely.distance(points, shapely.boundary(o) if o.area > 0 else o) for o in others], 0)
        if distance.max() > 0:
            at = corners[int(distance.argmax())]
        else:  # the same as another: names stand beside each other at different corners
            at = corners[(len(corners) // 3 * len(drawn)) % len(corners)]
        drawn.append(_Drawn(outline, rings, areal, (float(at[0]), float(at[1]))))
    if not drawn:
        return [], None
    west, south, east, north = shapely.total_bounds([one for one in shapes if one is not None])
    return drawn, (float(west), float(south), float(east), float(north))


class OutlineOverlay:
    """Draws outlines above the map while there are any."""

    def __init__(self, map_view: MapView, font: QFont) -> None:
        self._map, self._font = map_view, font
        self._handle: object | None = None
        self._drawn: list[_Drawn] = []

    def show(
        self, outlines: Sequence[Outline], beside: Sequence[bytes] = ()
    ) -> tuple[float, float, float, float] | None:
        """Draw these in place of the others, named where they differ from each other and ``beside``; their box."""
        self._drawn, box = prepare(outlines, beside)
        if self._drawn and self._handle is None:
            self._handle = self._map.add_overlay(self._paint)
        elif not self._drawn and self._handle is not None:
            self._map.remove_overlay(self._handle)
            self._handle = None
        self._map.update_overlays()
        return box

    def shown(self) -> list[str]:
        """Names of what is drawn."""
        return [one.outline.name for one in self._drawn]

    def _paint(self, painter: QPainter, to_screen: Callable[[float, float], tuple[float, float]]) -> None:
        x0, y0 = to_screen(0.0, 0.0)
        x1, y1 = to_screen(1000.0, 1000.0)
        scale_x, scale_y = (x1 - x0) / 1000, (y1 - y0) / 1000
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rings = [
            (one, to_polygon(_screen(ring, x0, y0, scale_x, scale_y))) for one in self._drawn for ring in one.rings
        ]
        for one, polygon in rings:
            _fill(painter, polygon, one)
        for one, polygon in rings:
            _stroke(painter, polygon, QPen(QColor(255, 255, 255, 220), one.outline.width + 3))
        for one, polygon in rings:
            style = Qt.PenStyle.DashLine if one.outline.dashed else Qt.PenStyle.SolidLine
            _stroke(painter, polygon, QPen(QColor(one.outline.colour), one.outline.width, style))
        for one in self._drawn:
            if not one.outline.name:
                continue
            x, y = to_screen(*one.anchor)
            painter.setPen(sketch.pen(QColor(one.outline.colour), 2))
            painter.setBrush(sketch.PAPER)
            painter.drawEllipse(QPointF(x, y), 4, 4)
            sketch.paint_chip(painter, self._font, x, y - 20, one.outline.name, QColor(one.outline.colour))


def _fill(painter: QPainter, polygon: QPolygonF, one: _Drawn) -> None:
    if one.areal and not one.outline.dashed:
        colour = QColor(one.outline.colour)
        colour.setAlphaF(0.10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(polygon)


def _stroke(painter: QPainter, polygon: QPolygonF, pen: QPen) -> None:
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if polygon.count() == 1:
        pen.setWidthF(pen.widthF() + 6)
        painter.setPen(pen)
        painter.drawPoint(polygon.first())
    else:
        painter.setPen(pen)
        painter.drawPolyline(polygon)


def _screen(ring: NDArray[np.float64], x0: float, y0: float, sx: float, sy: float) -> NDArray[np.float64]:
    import numpy as np

    return np.column_stack([x0 + ring[:, 0] * sx, y0 + ring[:, 1] * sy])
