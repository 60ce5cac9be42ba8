"""The card for the thing under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from planner_app.ui.canvas.feature_text import FeatureText
from planner_app.ui.theme import Theme

_SHADOW = 8
_PADDING = 12
_WIDEST = 360


class HoverCard(QWidget):
    """A floating card with a title and a few lines; the mouse goes through it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._canvas = parent
        self.text: FeatureText | None = None
        self._title = ""
        self._lines: list[str] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        theme.changed.connect(self.update)

    def show_text(self, text: FeatureText, at: QPoint) -> None:
        """Show a feature's card beside a point of the canvas, inside the canvas."""
        self.text = text
        title_font, line_font = self._fonts()
        title, line = QFontMetrics(title_font), QFontMetrics(line_font)
        elide = Qt.TextElideMode.ElideRight
        widest = self._theme.px(_WIDEST)
        self._title = title.elidedText(text.title, elide, widest)
        self._lines = [line.elidedText(t, elide, widest) for t in text.lines]
        width = max([title.horizontalAdvance(self._title), *(line.horizontalAdvance(t) for t in self._lines)])
        height = title.height() + self._theme.px(4) + len(self._lines) * self._step(line)
        frame = 2 * (_PADDING + _SHADOW)
        size = QSize(width + frame + 2, height + frame - 4)
        self.setGeometry(*self._place(at, size), size.width(), size.height())
        self.show()
        self.raise_()
        self.update()

    def _place(self, at: QPoint, size: QSize) -> tuple[int, int]:
        parent = self._canvas
        gap = 14 - _SHADOW
        x, y = at.x() + gap, at.y() + gap
        if x + size.width() > parent.width():
            x = at.x() - gap - size.width()
        if y + size.height() > parent.height():
            y = at.y() - gap - size.height()
        return max(x, 0), max(y, 0)

    def _fonts(self) -> tuple[QFont, QFont]:
        return self._theme.font(13, QFont.Weight.DemiBold), self._theme.font(12, tabular=True)

    def _step(self, metrics: QFontMetrics) -> int:
        return metrics.height() + 1

    def paintEvent(self, event: QPaintEvent) -> None:
        """A rounded panel with a soft shadow."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        panel = QRectF(self.rect()).adjusted(_SHADOW, _SHADOW, -_SHADOW, -_SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        for spread in range(_SHADOW, 0, -1):
            shade = self._theme.qcolour("shadow")
            shade.setAlphaF(0.018 * (_SHADOW - spread + 1) / 2)
            painter.setBrush(shade)
            painter.drawRoundedRect(panel.adjusted(-spread, -spread + 2, spread, spread), 6 + spread, 6 + spread)
        painter.setBrush(QColor(self._theme.colour("panel")))
        painter.setPen(QPen(QColor(self._theme.colour("line")), 1))
        painter.drawRoundedRect(panel.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        title_font, line_font = self._fonts()
        x, y = panel.left() + _PADDING, panel.top() + _PADDING - 4
        painter.setFont(title_font)
        painter.setPen(QColor(self._theme.colour("ink")))
        metrics = QFontMetrics(title_font)
        painter.drawText(QPoint(round(x), round(y + metrics.ascent())), self._title)
        y += metrics.height() + self._theme.px(4)
        painter.setFont(line_font)
        painter.setPen(QColor(self._theme.colour("secondary")))
        metrics = QFontMetrics(line_font)
        for text in self._lines:
            painter.drawText(QPoint(round(x), round(y + metrics.ascent())), text)
            y += self._step(metrics)
