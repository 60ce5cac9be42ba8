"""Draws geometries into a transparent picture off the UI thread.

Each Qt call on a thread holds Python's lock, and one path of 150,000 vertices holds it for seconds; so rings go to the
painter one by one, built from NumPy through ``QDataStream`` (0.007 ms each), and the UI thread never waits over 5 ms.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QDataStream, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from planner_app.plugin_api.viewport import Viewport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: With fewer features than this an outline gets a white casing, which keeps it readable on any land-use colour.
CASED = 400
#: What a ring of :func:`screen_rings` is; all but lines are true.
LINE, OUTER, HOLE = range(3)
#: A feature smaller than this on screen is drawn as a dot.
DOT_PIXELS = 3.0


@dataclass(frozen=True, slots=True)
class OutlineStyle:
    """How to draw. ``filled``: areas only, without outlines (for very many features)."""

    colour: QColor
    width: float = 2.0
    filled: bool = False
    fill_alpha: float = 0.0


def to_polygon(points: NDArray[np.float64]) -> QPolygonF:
    """A Qt polygon of an (n, 2) array."""
    data = struct.pack(">I", len(points)) + points.astype(">f8").tobytes()
    polygon = QPolygonF()
    QDataStream(QByteArray(data)) >> polygon
    return polygon


def screen_rings(geometries: Any, viewport: Viewport) -> tuple[list[tuple[NDArray[np.float64], int]], Any]:
    """Geometries as pixel rings, generalised to half a pixel.

    Args:
        geometries: array of shapely geometries of any kind.

    Returns:
        List of ((n, 2) pixels, what it is: :data:`LINE`, :data:`OUTER` or a :data:`HOLE` in the outer ring before it),
        and the (m, 2) pixels of what is too small for a ring or is a point.
    """
    import numpy as np
    import shapely

    geometries = np.asarray(geometries, dtype=object)
    geometries = geometries[~(shapely.is_missing(geometries) | shapely.is_empty(geometries))]
    xmin, ymin, xmax, ymax = viewport.extent()
    margin = 0.25 * max(xmax - xmin, ymax - ymin)
    box = (xmin - margin, ymin - margin, xmax + margin, ymax + margin)
    bounds = shapely.bounds(geometries).reshape(-1, 4)
    seen = (bounds[:, 0] <= box[2]) & (bounds[:, 2] >= box[0]) & (bounds[:, 1] <= box[3]) & (bounds[:, 3] >= box[1])
    geometries, bounds = geometries[seen], bounds[seen]
    size = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    small = size < DOT_PIXELS * viewport.resolution
    centres = np.column_stack([bounds[small, 0] + bounds[small, 2], bounds[small, 1] + bounds[small, 3]]) / 2
    parts = shapely.get_parts(shapely.simplify(geometries[~small], viewport.resolution / 2, preserve_topology=False))
    kinds = shapely.get_type_id(parts)
    polygons, lines = parts[kinds == shapely.GeometryType.POLYGON], parts[kinds == shapely.GeometryType.LINESTRING]
    points = shapely.get_coordinates(parts[kinds == shapely.GeometryType.POINT])
    closed, owner = shapely.get_rings(polygons, return_index=True)
    kind = np.where(np.diff(owner, prepend=-1) > 0, OUTER, HOLE)
    rings: list[tuple[NDArray[np.float64], int]] = []
    for lineal, what in ((closed, kind), (lines, np.full(len(lines), LINE))):
        coordinates, index = shapely.get_coordinates(lineal, return_index=True)
        if len(coordinates):
            starts = np.flatnonzero(np.diff(index, prepend=-1))
            split = np.split(_to_screen(coordinates, viewport), starts[1:])
            rings += zip(split, what[index[starts]].tolist(), strict=True)
    return rings, _to_screen(np.concatenate([centres, points]), viewport)


def _to_screen(coordinates: NDArray[np.float64], viewport: Viewport) -> NDArray[np.float64]:
    import numpy as np

    x = (coordinates[:, 0] - viewport.x) / viewport.resolution + viewport.width / 2
    y = (viewport.y - coordinates[:, 1]) / viewport.resolution + viewport.height / 2
    return np.column_stack([x, y])


def fill_areas(painter: QPainter, rings: Sequence[tuple[QPolygonF, int]]) -> None:
    """Fill polygons with the painter's brush and draw their edges with its pen; holes stay open."""
    for number, (ring, what) in enumerate(rings):
        if what != OUTER:
            continue
        end = number + 1
        while end < len(rings) and rings[end][1] == HOLE:
            end += 1
        if end == number + 1:
            painter.drawPolygon(ring)
        else:
            path = QPainterPath()
            for one, _ in rings[number:end]:
                path.addPolygon(one)
            painter.drawPath(path)


def draw_outlines(geometries: Any, viewport: Viewport, style: OutlineStyle) -> QImage:
    """A transparent picture of a window's size with the geometries drawn into it. Safe on any thread."""
    image = QImage(
        round(viewport.width * viewport.dpr),
        round(viewport.height * viewport.dpr),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    image.fill(Qt.GlobalColor.transparent)
    rings, dots = screen_rings(geometries, viewport)
    painter = QPainter(image)
    painter.scale(viewport.dpr, viewport.dpr)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, not style.filled)
    polygons = [(to_polygon(points), closed) for points, closed in rings]
    if style.filled or style.fill_alpha > 0:
        fill = QColor(style.colour)
        fill.setAlphaF(0.45 if style.filled else style.fill_alpha)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        fill_areas(painter, polygons)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    passes = [QPen(style.colour, style.width)]
    if len(polygons) <= CASED:
        passes.insert(0, QPen(QColor(255, 255, 255, 200), style.width + 2.5))
    for pen in passes:
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for polygon, closed in polygons:
            if not (style.filled and closed):
                painter.drawPolyline(polygon)
    painter.setPen(QPen(style.colour, 2 * style.width + 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for start in range(0, len(dots), 2000):
        painter.drawPoints(to_polygon(dots[start : start + 2000]))
    painter.end()
    return image
