"""What is pointed at, painted on paper: shapes of findings and entities, in the same way on map and sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from planner_app.i18n import tr
from plugins.review.ui.sheet.paint import drawing_font

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.ui.sheet.live import ToScreen
    from plugins.review.ui.sheet.model import Shown
    from plugins.review.ui.sheet.scene import Scene
    from plugins.review.ui.state import Highlight

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
            local = shown.opened.to_drawing(given)
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


def paint_shapes(painter: QPainter, shapes: Iterable[BaseGeometry], colour: QColor, to_screen: ToScreen) -> None:
    """Outlines in a colour with a white casing; areas lightly filled."""
    for geometry in shapes:
        path, area, dots = _path(geometry, to_screen)
        fill = QColor(colour)
        fill.setAlphaF(0.22)
        if area:
            painter.fillPath(path, fill)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ink, width in ((QColor(255, 255, 255, 210), 4.5), (colour, 2.2)):
            painter.setPen(QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
            painter.drawPath(path)
            for dot in dots:
                painter.drawEllipse(dot, 6.0, 6.0)


def _path(geometry: BaseGeometry, to_screen: ToScreen) -> tuple[QPainterPath, bool, list[QPointF]]:
    """(path in pixels, it is an area, points)."""
    import shapely

    path, dots, area = QPainterPath(), [], False
    path.setFillRule(Qt.FillRule.OddEvenFill)
    for part in shapely.get_parts(shapely.get_parts(geometry)):
        if part.geom_type == "Point":
            dots.append(QPointF(*to_screen(part.x, part.y)))
            continue
        rings = (part.exterior, *part.interiors) if part.geom_type == "Polygon" else (part,)
        area = area or part.geom_type == "Polygon"
        for ring in rings:
            for number, (x, y, *_) in enumerate(ring.coords):
                at = QPointF(*to_screen(x, y))
                path.lineTo(at) if number else path.moveTo(at)
    return path, area, dots


def _scaled(geometry: BaseGeometry, factor: float) -> BaseGeometry:
    import shapely

    return shapely.transform(geometry, lambda xy: xy * factor)


def paint_highlights(
    painter: QPainter, marks: Iterable[Highlight], shown: Shown | None, on_map: bool, to_screen: ToScreen
) -> None:
    """Everything the panel points at."""
    for mark in marks:
        colour = QColor(ON_PAPER.get(mark.token, ON_PAPER["accent"]))
        paint_shapes(painter, shapes_of(mark, shown, on_map), colour, to_screen)


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
    words = ((tr("went"), ON_PAPER["fail"]), (tr("came"), ON_PAPER["pass"]), (tr("unchanged"), "#8B95A1"))
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


def paint_cross(painter: QPainter, x: float, y: float) -> None:
    """Where the pointer is on the other surface."""
    painter.save()
    for colour, width in ((QColor(255, 255, 255, 210), 4.0), (QColor(ON_PAPER["accent"]), 1.6)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(x - 9, y), QPointF(x + 9, y))
        painter.drawLine(QPointF(x, y - 9), QPointF(x, y + 9))
    painter.restore()
