"""What an analysis draws above the map: lines with arrows, numbered symbols, shaded compartments, ways out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.space.looks import Looks, paint_chip, scaled

ToScreen = Callable[[float, float], tuple[float, float]]
Points = NDArray[np.float64]
#: Arrows stand so far apart (pixels), and on lines at least so long.
_ARROWS, _ARROW_LINE = 90.0, 26.0
#: The map is light in both themes, and so are the colours that stand on it.
_ON_MAP = {
    "accent": "#1F5FAE", "pass": "#1F7A3D", "fail": "#C0322B", "needs_certificate": "#A86400",
    "cannot_judge": "#66707D",
}  # fmt: skip
#: More symbols than this are drawn as dots without their text.
_MOST_TEXTS = 150


@dataclass(slots=True)
class Strokes:
    """Lines of one look. ``arrows``: their direction matters; ``width`` in pixels, ``ground`` in metres if more."""

    lines: Sequence[Points]
    token: str
    width: float = 3.0
    dashed: bool = False
    arrows: bool = False
    alpha: float = 1.0
    ground: float = 0.0


@dataclass(slots=True)
class Spot:
    """A symbol: ``shape`` valve | shut | seized | dot | start | exit | ring; ``text`` stands in or beside it."""

    x: float
    y: float
    token: str
    shape: str = "dot"
    text: str = ""
    key: str = ""


@dataclass(slots=True)
class Picture:
    """Everything one answer shows."""

    strokes: list[Strokes] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)


class Marks(QObject):
    """Draws the picture of the task in front; nothing else stays behind."""

    def __init__(self, context: PanelContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._looks = context, Looks(context)
        self.picture = Picture()
        self.chosen = ""
        self._paths: list[tuple[QPainterPath, tuple[float, float]]] = []
        context.map.add_overlay(self._paint)
        context.theme_changed.connect(context.map.update_overlays)

    def show(self, picture: Picture | None = None, chosen: str = "") -> None:
        """Show a picture; without one nothing."""
        self.picture, self.chosen = picture or Picture(), chosen
        self._paths = [_path(one.lines) for one in self.picture.strokes]
        self._context.map.update_overlays()

    def choose(self, key: str) -> None:
        """Ring the symbol of a key."""
        self.chosen = key
        self._context.map.update_overlays()

    def _paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        if not self.picture.strokes and not self.picture.spots:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        view = QRectF(painter.window())
        for one, (path, origin) in zip(self.picture.strokes, self._paths, strict=True):
            self._stroke(painter, to_screen, one, path, origin, view)
        spots = [(spot, QPointF(*to_screen(spot.x, spot.y))) for spot in self.picture.spots if not math.isnan(spot.x)]
        near = view.adjusted(-40, -40, 40, 40)
        seen = [(spot, at) for spot, at in spots if near.contains(at)]
        taken: list[QPointF] = []
        for spot, at in seen:
            if spot.shape in ("valve", "shut", "seized"):  # two valves of one node stand side by side
                while any(_length(at, other) < scaled(17) for other in taken):
                    at = at + QPointF(scaled(20), 0)
                taken.append(at)
            self._spot(painter, spot, at, texts=len(seen) <= _MOST_TEXTS)

    def _stroke(
        self, painter: QPainter, to_screen: ToScreen, one: Strokes, path: QPainterPath, origin: tuple[float, float],
        view: QRectF,
    ) -> None:  # fmt: skip
        (x, y), (x1, _) = to_screen(*origin), to_screen(origin[0] + 1000.0, origin[1])
        scale = (x1 - x) / 1000.0
        transform = QTransform(scale, 0, 0, -scale, x, y)
        width = max(scaled(one.width), one.ground * scale)
        colour = QColor(_ON_MAP.get(one.token, one.token))
        colour.setAlphaF(one.alpha)
        shown = transform.map(path)
        if one.alpha == 1.0 and not one.ground:  # a light edge, so that it reads above any map colour
            painter.setPen(QPen(QColor(255, 255, 255, 170), width + 2.5, c=Qt.PenCapStyle.RoundCap))
            painter.drawPath(shown)
        cap = Qt.PenCapStyle.FlatCap if one.dashed or one.ground else Qt.PenCapStyle.RoundCap
        pen = QPen(colour, width, c=cap, j=Qt.PenJoinStyle.RoundJoin)
        if one.dashed:
            pen.setDashPattern([2.5, 1.5])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shown)
        if one.arrows:
            self._arrows(painter, to_screen, one, colour, view)

    def _arrows(self, painter: QPainter, to_screen: ToScreen, one: Strokes, colour: QColor, view: QRectF) -> None:
        painter.setPen(QPen(QColor(255, 255, 255, 200), 1))
        painter.setBrush(colour)
        size, drawn = scaled(6), 0
        for line in one.lines:
            points = [QPointF(*to_screen(float(px), float(py))) for px, py in line]
            total = sum(_length(a, b) for a, b in pairwise(points))
            if total < _ARROW_LINE or drawn > 600:
                continue
            count = max(1, int(total / _ARROWS))
            for step in range(count):
                at, angle = _along(points, total * (step + 0.5) / count)
                if view.contains(at):
                    drawn += 1
                    turn = QTransform().translate(at.x(), at.y()).rotateRadians(angle)
                    head = [QPointF(size, 0), QPointF(-size * 0.7, -size * 0.75), QPointF(-size * 0.7, size * 0.75)]
                    painter.drawPolygon(turn.map(QPolygonF(head)))

    def _spot(self, painter: QPainter, one: Spot, at: QPointF, *, texts: bool) -> None:
        looks, r = self._looks, scaled(9)
        colour, panel = QColor(_ON_MAP.get(one.token, one.token)), QColor("#FFFFFF")
        if one.key and one.key == self.chosen:
            painter.setPen(QPen(QColor(_ON_MAP["accent"]), scaled(3)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, r + scaled(5), r + scaled(5))
        painter.setPen(QPen(panel, 1.5))
        painter.setBrush(colour)
        if one.shape in ("valve", "shut", "seized"):
            painter.drawRoundedRect(QRectF(at.x() - r, at.y() - r, 2 * r, 2 * r), 4, 4)
            sign = {"shut": "×", "seized": "!"}.get(one.shape, one.text)
            painter.setFont(looks.font(12, bold=True))
            painter.setPen(panel)
            painter.drawText(QRectF(at.x() - r * 2, at.y() - r, 4 * r, 2 * r), Qt.AlignmentFlag.AlignCenter, sign)
        elif one.shape == "exit":
            painter.drawPolygon(QPolygonF([at + QPointF(0, -r), at + QPointF(r, r * 0.8), at + QPointF(-r, r * 0.8)]))
        elif one.shape == "start":
            painter.drawEllipse(at, r * 0.9, r * 0.9)
            painter.setBrush(panel)
            painter.drawEllipse(at, r * 0.35, r * 0.35)
        else:
            small = r * 0.5
            painter.drawEllipse(at, small, small)
        if one.text and one.shape not in ("valve", "shut", "seized") and texts:
            paint_chip(painter, looks, one.text, at + QPointF(0, -scaled(20)), one.token)


def _path(lines: Iterable[Points]) -> tuple[QPainterPath, tuple[float, float]]:
    """Lines as one path about an origin of their own (single precision would not hold map coordinates)."""
    kept = [line for line in lines if len(line) > 1 and not np.isnan(line).any()]
    path = QPainterPath()
    origin = (float(kept[0][0][0]), float(kept[0][0][1])) if kept else (0.0, 0.0)
    for line in kept:
        path.addPolygon(QPolygonF([QPointF(float(x) - origin[0], float(y) - origin[1]) for x, y in line]))
    return path, origin


def _length(a: QPointF, b: QPointF) -> float:
    return math.hypot(b.x() - a.x(), b.y() - a.y())


def _along(points: Sequence[QPointF], way: float) -> tuple[QPointF, float]:
    """(place, direction in radians) after a length along a line."""
    for a, b in pairwise(points):
        step = _length(a, b)
        if way <= step and step > 0:
            return a + (b - a) * (way / step), math.atan2(b.y() - a.y(), b.x() - a.x())
        way -= step
    return points[-1], 0.0
