"""The card for the thing under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from planner_app.ui.canvas.feature_text import FeatureText
from planner_app.ui.controls import FloatingFrame
from planner_app.ui.theme import Theme

_PADDING = 11
_WIDEST = 360
_AWAY = 8


class HoverCard(FloatingFrame):
    """A floating card with a title and a few lines; the mouse goes through it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._canvas = parent
        self.text: FeatureText | None = None
        self._rows: list[tuple[str, QFont, str]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_text(self, text: FeatureText, at: QPoint) -> None:
        """Show a feature's card beside a point of the canvas, inside the canvas."""
        self.text = text
        title, line = self.theme.font(13, QFont.Weight.DemiBold), self.theme.font(12, tabular=True)
        self._rows = [(text.title, title, "ink"), *((words, line, "secondary") for words in text.lines)]
        widest, elide = self.theme.px(_WIDEST), Qt.TextElideMode.ElideRight
        self._rows = [(QFontMetrics(f).elidedText(words, elide, widest), f, c) for words, f, c in self._rows]
        width = max(QFontMetrics(font).horizontalAdvance(words) for words, font, _ in self._rows)
        height = sum(self._height(font) for _, font, _ in self._rows)
        frame = 2 * (self.theme.px(_PADDING) + self.MARGIN)
        size = QSize(width + frame, height + frame - self.theme.px(4))
        self.setGeometry(*self._place(at, size), size.width(), size.height())
        self.show()
        self.raise_()
        self.update()

    def _height(self, font: QFont) -> int:
        return QFontMetrics(font).height() + self.theme.px(2)

    def _place(self, at: QPoint, size: QSize) -> tuple[int, int]:
        parent = self._canvas
        x, y = at.x() + _AWAY, at.y() + _AWAY
        if x + size.width() > parent.width():
            x = at.x() - _AWAY - size.width()
        if y + size.height() > parent.height():
            y = at.y() - _AWAY - size.height()
        return max(x, 0), max(y, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame and its rows."""
        super().paintEvent(event)
        painter = QPainter(self)
        edge = self.MARGIN + self.theme.px(_PADDING)
        y = edge - self.theme.px(2)
        for words, font, colour in self._rows:
            painter.setFont(font)
            painter.setPen(self.theme.qcolour(colour))
            painter.drawText(QPointF(edge, y + QFontMetrics(font).ascent()), words)
            y += self._height(font)
