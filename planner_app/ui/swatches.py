"""Small pictures of how a layer is drawn, for the layer panel and menus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from planner_app.ui.controls import swatch_colour

Colours = Sequence[tuple[str, str]]
"""(fill, stroke) of the classes to show, at most four are drawn."""


def swatch(
    geometry: str, colours: Colours, width: int, height: int, ratio: float, opacity: float = 1.0, *, paper: bool = False
) -> QPixmap:
    """A picture ``width`` × ``height`` device-independent px: area, line or point in the style's colours.

    ``paper`` puts the map's white below it: in the dark theme a black line would vanish.
    """
    image = QPixmap(round(width * ratio), round(height * ratio))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if paper and geometry != "point":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#F4F5F7"))
        painter.drawRoundedRect(QRectF(0, 0, width, height), 2, 2)
    painter.setOpacity(max(0.25, opacity))
    shown = list(colours)[:4] or [("#B9C0C9", "#7A8491")]
    box = QRectF(0.5, 0.5, width - 1, height - 1)
    if geometry == "line":
        _line(painter, box, shown)
    elif geometry == "point":
        painter.setPen(QPen(QColor(0, 0, 0, 90), 1))
        painter.setBrush(swatch_colour(shown[0][0]))
        painter.drawEllipse(box.center(), height / 2 - 1.5, height / 2 - 1.5)
    else:
        _area(painter, box, shown)
    painter.end()
    return image


def _area(painter: QPainter, box: QRectF, colours: Colours) -> None:
    step = box.width() / len(colours)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setClipRect(box)
    for number, (ground, _stroke) in enumerate(colours):
        painter.setBrush(swatch_colour(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(box.left() + number * step, box.top(), step + 1, box.height()))
    painter.setClipping(False)
    fill, stroke = colours[0] if len(colours) == 1 else ("#000000", "")
    # A style without an outline still needs an edge on a ground of its own colour.
    own = bool(stroke) and stroke != fill
    painter.setPen(QPen(swatch_colour(stroke) if own else QColor(0, 0, 0, 70), 1 if fill else 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 2, 2)


def _line(painter: QPainter, box: QRectF, colours: Colours) -> None:
    step = box.height() / (len(colours) + 1)
    for number, (fill, stroke) in enumerate(colours, start=1):
        colour = swatch_colour(stroke)
        pen = QPen(colour if colour.alpha() > 0 else swatch_colour(fill), 2 if len(colours) < 3 else 1.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        y = box.top() + number * step
        painter.drawLine(QLineF(QPointF(box.left() + 1, y), QPointF(box.right() - 1, y)))
