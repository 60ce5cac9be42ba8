"""Pens and marks that tools draw with: on paper, in both themes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF, QTextLayout

from planner_app.plugin_api.viewport import Viewport

INK = QColor("#1F5FAE")
DARK = QColor("#1D2430")
PAPER = QColor("#FFFFFF")
WRONG = QColor("#C0322B")
SNAPPED = QColor("#A05F00")

Point = tuple[float, float]


def screen(viewport: Viewport, points: Iterable[Sequence[float]]) -> QPolygonF:
    """Map points as a Qt polygon in logical pixels."""
    return QPolygonF([QPointF(*viewport.to_screen(float(p[0]), float(p[1]))) for p in points])


def pen(colour: QColor = INK, width: float = 2.0, dashed: bool = False) -> QPen:
    """A round pen; dashed for what is not fixed yet."""
    style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
    return QPen(colour, width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def paint_line(painter: QPainter, line: QPolygonF, colour: QColor = INK, dashed: bool = False) -> None:
    """A line with a white casing."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(QColor(255, 255, 255, 200), 4.5))
    painter.drawPolyline(line)
    painter.setPen(pen(colour, 2.0, dashed))
    painter.drawPolyline(line)


def paint_area(painter: QPainter, area: QPolygonF, colour: QColor = INK) -> None:
    """A light fill."""
    fill = QColor(colour)
    fill.setAlphaF(0.14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(area)


def paint_handles(painter: QPainter, points: QPolygonF, colour: QColor = INK, size: float = 7) -> None:
    """Square handles on vertices."""
    painter.setPen(pen(colour, 1.5))
    painter.setBrush(PAPER)
    for point in points.toList():
        painter.drawRect(QRectF(point.x() - size / 2, point.y() - size / 2, size, size))


def paint_box(painter: QPainter, start: QPointF, end: QPointF, colour: QColor = INK) -> None:
    """A rubber box."""
    fill = QColor(colour)
    fill.setAlphaF(0.10)
    painter.setBrush(fill)
    painter.setPen(pen(colour, 1.2))
    painter.drawRect(QRectF(start, end).normalized())


def paint_chip(painter: QPainter, font: QFont, x: float, y: float, text: str, colour: QColor = DARK) -> QRectF:
    """A small label on a white ground, centred on (x, y); returns its rectangle."""
    metrics = QFontMetricsF(font)
    lines = text.split("\n")
    width = max(metrics.horizontalAdvance(line) for line in lines) + 12
    height = metrics.height() * len(lines) + 6
    box = QRectF(x - width / 2, y - height / 2, width, height)
    painter.save()
    painter.setFont(font)
    painter.setPen(QPen(QColor(0, 0, 0, 36), 1))
    painter.setBrush(QColor(255, 255, 255, 235))
    painter.drawRoundedRect(box, 5, 5)
    painter.setPen(colour)
    for number, line in enumerate(lines):
        row = QRectF(box.left(), box.top() + 3 + number * metrics.height(), width, metrics.height())
        painter.drawText(row, Qt.AlignmentFlag.AlignCenter, line)
    painter.restore()
    return box


def wrapped(font: QFont, text: str, width: float) -> list[str]:
    """A text in lines of at most so many pixels."""
    layout = QTextLayout(text.replace("\n", "\u2028"), font)
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        lines.append(text[line.textStart() : line.textStart() + line.textLength()].strip())
    layout.endLayout()
    return lines


def paint_snap(painter: QPainter, x: float, y: float, vertex: bool) -> None:
    """The mark of a snapped point: a square on a vertex, a cross on an edge."""
    painter.setPen(pen(SNAPPED, 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if vertex:
        painter.drawRect(QRectF(x - 6, y - 6, 12, 12))
    else:
        painter.drawLine(QPointF(x - 6, y - 6), QPointF(x + 6, y + 6))
        painter.drawLine(QPointF(x - 6, y + 6), QPointF(x + 6, y - 6))
