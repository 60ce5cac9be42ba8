"""What is pointed at, painted on paper: shapes of findings and entities, in the same way on map and sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from plugins.review.ui.sheet.paint import Frame, Mask, area_path, drawing_font, line_path
from plugins.review.ui.sheet.scene import Extent, Points

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.ui.highlight import Highlight
    from plugins.review.ui.sheet.live import ToScreen
    from plugins.review.ui.sheet.model import SheetModel, Shown
    from plugins.review.ui.sheet.scene import Scene

#: Tokens as colours on paper: map and sheet are white in both themes.
ON_PAPER = {
    "fail": "#C0322B", "pass": "#1F7A3D", "needs_certificate": "#A05F00", "cannot_judge": "#66707D",
    "accent": "#1F5FAE", "ink": "#1D2430",
}  # fmt: skip
#: Entities outlined one by one when pointed at; more are too many to be told apart.
MOST_ENTITIES = 3_000


def shapes_of(mark: Highlight, shown: Shown | None, on_map: bool) -> list[BaseGeometry]:
    """A highlight's shapes in the map's coordinates or the sheet's; empty where it has none there."""
    from shapely.geometry import shape

    if on_map:
        if mark.geometry is not None:
            return [shape(dict(mark.geometry)) if isinstance(mark.geometry, Mapping) else mark.geometry]
        scene = shown.on_map if shown is not None else None
    else:
        scene = shown.sheet if shown is not None else None
        local = mark.local
        if local is None and mark.geometry is not None and shown is not None and shown.opened.to_drawing is not None:
            given = shape(dict(mark.geometry)) if isinstance(mark.geometry, Mapping) else mark.geometry
            try:
                local = shown.opened.to_drawing(given)
            except PlannerError:  # beyond where the drawing's coordinate system reaches
                return []
        if local is not None and shown is not None:
            return [_scaled(local, 1.0 / shown.metres_per_unit)]
    return outlines(scene, mark.handles) if scene is not None else []


def outlines(scene: Scene, handles: Iterable[str]) -> list[BaseGeometry]:
    """Lines around entities: their curves, the rings of their areas, boxes about their words."""
    import shapely

    numbers = scene.numbers(handles)[:MOST_ENTITIES]
    found: list[BaseGeometry] = []
    for curves in (scene.lines, scene.fills):
        for at in np.flatnonzero(np.isin(curves.entity, numbers)).tolist():
            points = curves.curve(at)
            if np.isfinite(points).all():
                found.append(shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0]))
    words = scene.words
    for corners in words.corners(np.flatnonzero(np.isin(words.entity, numbers))):
        if np.isfinite(corners).all():
            found.append(shapely.LinearRing(corners))
    return found


@dataclass(frozen=True)
class Trace:
    """Shapes of one colour as arrays, so that painting them costs no loop over vertices.

    Attributes:
        xy, first: vertices of all lines and rings, and where each begins; rings: of areas alone; dots: points.
    """

    xy: Points
    first: Mask
    rings: tuple[Points, ...]
    dots: Points
    colour: QColor


def trace(shapes: Iterable[BaseGeometry], colour: str) -> Trace:
    """Shapes of any kind, made ready once for many paints."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(shapely.get_parts(np.array(list(shapes), dtype=object))))
    parts = parts[~(shapely.is_missing(parts) | shapely.is_empty(parts))]
    kinds = shapely.get_type_id(parts)
    areas = kinds == shapely.GeometryType.POLYGON
    points = kinds == shapely.GeometryType.POINT
    rings = shapely.get_rings(parts[areas])
    xy, whose = shapely.get_coordinates(np.concatenate([rings, parts[~areas & ~points]]), return_index=True)
    first = np.diff(whose, prepend=-1) != 0
    return Trace(
        xy, first, tuple(shapely.get_coordinates(ring) for ring in rings), shapely.get_coordinates(parts[points]),
        QColor(colour),
    )  # fmt: skip


def paint_trace(painter: QPainter, shape: Trace, to_screen: ToScreen) -> None:
    """Outlines with a white casing; areas lightly filled; points as rings."""
    device = painter.device()
    frame = Frame(0.0, 0.0, 1.0, device.width() if device else 1, device.height() if device else 1)
    rings = _pixels(shape.xy, to_screen)
    if shape.rings:
        fill = QColor(shape.colour)
        fill.setAlphaF(0.22)
        painter.fillPath(area_path([_pixels(ring, to_screen) for ring in shape.rings], frame), fill)
    path = line_path(rings, shape.first, frame)
    dots = [QPointF(x, y) for x, y in _pixels(shape.dots, to_screen).tolist()]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, width in ((QColor(255, 255, 255, 210), 4.5), (shape.colour, 2.2)):
        painter.setPen(QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)
        for dot in dots:
            painter.drawEllipse(dot, 6.0, 6.0)


def _pixels(xy: Points, to_screen: ToScreen) -> Points:
    """Both surfaces show north up and all directions alike: three places tell how."""
    if not len(xy):
        return xy
    x, y = float(xy[0, 0]), float(xy[0, 1])
    left, top = to_screen(x, y)
    right, _ = to_screen(x + 1.0, y)
    _, bottom = to_screen(x, y + 1.0)
    return (xy - (x, y)) * (right - left, bottom - top) + (left, top)


class Pointed:
    """What one surface points at: the panel's highlights and the selected entity, made ready once."""

    def __init__(self, model: SheetModel, on_map: bool) -> None:
        self._model, self._on_map = model, on_map
        self._highlights: list[Trace] = []
        self._selected: list[Trace] = []
        self.extent: Extent | None = None
        for signal in (model.changed, model.highlights_changed):
            signal.connect(self._take_highlights)
        for signal in (model.changed, model.selection_changed):
            signal.connect(self._take_selected)

    def _take_highlights(self) -> None:
        import shapely

        shown, boxes = self._model.shown, []
        self._highlights = []
        for mark in self._model.highlights:
            found = shapes_of(mark, shown, self._on_map)
            self._highlights.append(trace(found, ON_PAPER.get(mark.token, ON_PAPER["accent"])))
            boxes += [shape.bounds for shape in found if not shape.is_empty]
        bounds = shapely.total_bounds(shapely.box(*np.array(boxes).T)) if boxes else None
        self.extent = None if bounds is None else (bounds[0], bounds[1], bounds[2], bounds[3])

    def _take_selected(self) -> None:
        model = self._model
        scene = None if model.shown is None else model.shown.on_map if self._on_map else model.shown.sheet
        chosen = outlines(scene, [model.selected]) if scene is not None and model.selected else []
        self._selected = [trace(chosen, ON_PAPER["accent"])] if chosen else []

    def paint(self, painter: QPainter, to_screen: ToScreen, *, selection: bool = True) -> None:
        """The selection, and what is pointed at above it."""
        for shape in (*(self._selected if selection else ()), *self._highlights):
            paint_trace(painter, shape, to_screen)


def _scaled(geometry: BaseGeometry, factor: float) -> BaseGeometry:
    import shapely

    return shapely.transform(geometry, lambda xy: xy * factor)


def paint_swipe(painter: QPainter, x: float, height: float, names: tuple[str, str]) -> None:
    """The line between the older revision and the newer, with a handle to drag it by and their names at its top."""
    painter.save()
    for colour, width in ((QColor(255, 255, 255, 220), 4.0), (QColor(ON_PAPER["ink"]), 1.6)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(x, 0), QPointF(x, height))
    middle = QPointF(x, height / 2)
    painter.setPen(QPen(QColor(ON_PAPER["ink"]), 1.4))
    painter.setBrush(QColor("#FFFFFF"))
    painter.drawEllipse(middle, 11, 11)
    painter.setPen(QPen(QColor(ON_PAPER["ink"]), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for side in (-1, 1):
        tip = middle + QPointF(side * 7, 0)
        painter.drawLine(tip, tip + QPointF(-side * 3, -3))
        painter.drawLine(tip, tip + QPointF(-side * 3, 3))
    painter.setFont(drawing_font(12))
    metrics = painter.fontMetrics()
    for text, side, token in ((names[0], -1, "fail"), (names[1], 1, "pass")):
        width = metrics.horizontalAdvance(text) + 14
        box = QRectF(x + 8 if side > 0 else x - 8 - width, height - 64, width, metrics.height() + 6)
        painter.setPen(QPen(QColor(ON_PAPER[token]), 1))
        painter.setBrush(QColor(255, 255, 255, 235))
        painter.drawRoundedRect(box, 4, 4)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def paint_legend(painter: QPainter, left: float, bottom: float) -> None:
    """What the colours of a comparison mean."""
    painter.save()
    painter.setFont(drawing_font(12))
    metrics = painter.fontMetrics()
    words = ((tr("removed"), ON_PAPER["fail"]), (tr("added"), ON_PAPER["pass"]), (tr("unchanged"), "#8B95A1"))
    width = sum(metrics.horizontalAdvance(text) + 34 for text, _ in words) + 4
    box = QRectF(left, bottom - 26, width, 26)
    painter.setPen(QPen(QColor(0, 0, 0, 36), 1))
    painter.setBrush(QColor(255, 255, 255, 235))
    painter.drawRoundedRect(box, 5, 5)
    x = box.left() + 8
    for text, colour in words:
        painter.setPen(QPen(QColor(colour), 2.4))
        painter.drawLine(QPointF(x, box.center().y()), QPointF(x + 16, box.center().y()))
        painter.setPen(QColor(ON_PAPER["ink"]))
        painter.drawText(QPointF(x + 21, box.center().y() + metrics.ascent() / 2 - 1.5), text)
        x += metrics.horizontalAdvance(text) + 34
    painter.restore()


def paint_hint(painter: QPainter, text: str, width: int, height: int) -> None:
    """What to do next, at the foot of a surface of this size; nothing where there is nothing to say."""
    if not text:
        return
    painter.setFont(drawing_font(12))
    wide = min(painter.fontMetrics().horizontalAdvance(text) + 16, width - 8)
    box = QRectF((width - wide) / 2, height - 34, wide, 24)
    painter.setPen(QPen(QColor(0, 0, 0, 36), 1))
    painter.setBrush(QColor(255, 255, 255, 235))
    painter.drawRoundedRect(box, 5, 5)
    painter.setPen(QColor(ON_PAPER["ink"]))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, round(wide) - 12)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)


def paint_cross(painter: QPainter, x: float, y: float) -> None:
    """Where the pointer is on the other surface."""
    painter.save()
    for colour, width in ((QColor(255, 255, 255, 210), 4.0), (QColor(ON_PAPER["accent"]), 1.6)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(x - 9, y), QPointF(x + 9, y))
        painter.drawLine(QPointF(x, y - 9), QPointF(x, y + 9))
    painter.restore()
