"""A small curve over time with limits and a cursor: gas in a compartment, or the depth of water."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.analysis.words import duration
from plugins.tunnel.ui.space.looks import Looks, scaled


class Curve(QWidget):
    """Click or drag: ``pointed(float seconds)``."""

    pointed = Signal(float)

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._looks = Looks(context)
        self._points: Sequence[tuple[float, float]] = ()
        self._limits: Sequence[tuple[float, str, str]] = ()
        self._title = ""
        self.t = 0.0
        self.setFixedHeight(scaled(120))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        context.theme_changed.connect(self.update)

    def show_curve(
        self, points: Sequence[tuple[float, float]], title: str, limits: Sequence[tuple[float, str, str]] = ()
    ) -> None:
        """Show (seconds, value) points with limits (value, text, token)."""
        self._points, self._title, self._limits = points, title, limits
        self.setVisible(bool(points))
        self.update()

    def set_time(self, t: float) -> None:
        """Move the cursor."""
        self.t = t
        self.update()

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(scaled(4), scaled(20), -scaled(4), -scaled(18))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        plot, end = self._plot(), self._points[-1][0] if self._points else 0.0
        if end > 0:
            self.pointed.emit(min(max((event.position().x() - plot.left()) / plot.width(), 0.0), 1.0) * end)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._points:
            return
        painter, looks, plot = QPainter(self), self._looks, self._plot()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        end = self._points[-1][0] or 1.0
        most = max([value for _, value in self._points] + [value for value, _, _ in self._limits]) * 1.15 or 1.0

        def at(t: float, value: float) -> QPointF:
            return QPointF(plot.left() + plot.width() * t / end, plot.bottom() - plot.height() * value / most)

        painter.setFont(looks.font(12))
        painter.setPen(looks.token("secondary"))
        painter.drawText(QPointF(plot.left(), scaled(13)), self._title)
        painter.setPen(QPen(looks.token("line"), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        for side, (value, text, token) in enumerate(self._limits):
            painter.setPen(QPen(looks.token(token), 1, Qt.PenStyle.DashLine))
            left = at(0, value)
            painter.drawLine(left, at(end, value))
            # Two limits lie near each other: one is named above its line, the other below.
            top = left.y() + 1 if side == 0 and len(self._limits) > 1 else left.y() - scaled(16)
            where = QRectF(left.x(), top, plot.width(), scaled(15))
            painter.drawText(where, Qt.AlignmentFlag.AlignRight, text)
        painter.setPen(QPen(looks.token("accent"), 2))
        painter.drawPolyline(QPolygonF([at(t, value) for t, value in self._points]))
        painter.setPen(QPen(looks.token("ink"), 1))
        x = at(min(self.t, end), 0).x()
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setPen(looks.token("tertiary"))
        foot = QRectF(plot.left(), plot.bottom() + 2, plot.width(), scaled(16))
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, "0:00")
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, duration(end))
