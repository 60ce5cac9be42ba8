"""The scale bar at the map's foot."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.quantities import format_scale_length, round_length

#: The map is paper in both themes, so what is drawn on it keeps the light theme's ink.
INK = QColor("#1D2430")
PAPER = QColor("#FFFFFF")
LONGEST = 130


def bar_length(viewport: Viewport, longest: float = LONGEST) -> tuple[float, float]:
    """(length in metres, length in logical pixels) of the longest round bar that fits ``longest`` pixels."""
    metres = round_length(longest * viewport.resolution)
    return metres, metres / viewport.resolution


def paint_scale_bar(painter: QPainter, viewport: Viewport, font: QFont, x: float = 20, foot: float = 18) -> None:
    """Draw the bar ``x`` px from the left and ``foot`` px above the bottom of the window."""
    metres, pixels = bar_length(viewport)
    label = format_scale_length(metres)
    base = viewport.height - foot
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    bracket = QPolygonF(
        [QPointF(x, base - 6), QPointF(x, base), QPointF(x + pixels, base), QPointF(x + pixels, base - 6)]
    )
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    text = QRectF(x, base - 7 - metrics.height(), pixels, metrics.height())
    halo = QColor(PAPER)
    halo.setAlphaF(0.75)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo)
    painter.drawRoundedRect(QRectF(x - 6, text.top() - 2, pixels + 12, base - text.top() + 8), 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(INK, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin))
    painter.drawPolyline(bracket)
    painter.drawText(text, Qt.AlignmentFlag.AlignCenter, label)
    painter.restore()
