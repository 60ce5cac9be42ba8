"""Key figures and distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from planner_app.plugin_api.widgets.basics import label, restyle
from planner_app.plugin_api.widgets.flow import FlowLayout


class KeyFigures(QFrame):
    """Figures side by side, each a large number over its caption."""

    def __init__(self, count: int = 3) -> None:
        super().__init__()
        self.setProperty("look", "figures")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        self._values: list[QLabel] = []
        self._captions: list[QLabel] = []
        for at in range(count):
            if at:
                rule = QFrame()
                rule.setProperty("look", "vline")
                line.addWidget(rule)
            cell = QVBoxLayout()
            cell.setContentsMargins(11, 8, 8, 8)
            cell.setSpacing(1)
            self._values.append(label("—", "figure"))
            self._captions.append(label("", "small"))
            cell.addWidget(self._values[-1])
            cell.addWidget(self._captions[-1])
            line.addLayout(cell, 1)

    def set(self, figures: Sequence[tuple[str, str]], tokens: Sequence[str] = ()) -> None:
        """Show (value, caption) pairs, as many as there are places; ``tokens``: verdicts that colour the values."""
        for at, (value, caption) in enumerate(figures):
            self._values[at].setText(value)
            self._captions[at].setText(caption)
            look = f"figure-{tokens[at]}" if at < len(tokens) and tokens[at] else "figure"
            if self._values[at].property("look") != look:
                restyle(self._values[at], look)

    def set_one(self, place: int, value: str, caption: str) -> None:
        """Change one figure."""
        self._values[place].setText(value)
        self._captions[place].setText(caption)


@dataclass(frozen=True, slots=True)
class Share:
    """A segment of a distribution bar."""

    key: str
    text: str
    value: float
    colour: str
    shown: str = ""


class DistributionBar(QWidget):
    """A bar of shares with its legend; clicking a legend entry filters by it."""

    clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._bar = Bar(8)
        self._legend = QWidget()
        self._flow = FlowLayout(self._legend, spacing=12)
        column.addWidget(self._bar)
        column.addWidget(self._legend)

    def set(self, shares: Sequence[Share], chosen: str = "") -> None:
        """Show the shares; ``chosen`` is the key the view is filtered by."""
        self._bar.set([(share.value, share.colour, not chosen or share.key == chosen) for share in shares])
        self._flow.clear()
        for share in shares:
            entry = _LegendEntry(share, share.key == chosen)
            entry.pressed.connect(self.clicked)
            self._flow.addWidget(entry)


class Bar(QWidget):
    """Segments side by side; of the whole width, or of the part of it that ``reach`` says."""

    def __init__(self, height: int) -> None:
        super().__init__()
        self._segments: list[tuple[float, str, bool]] = []
        self._reach = 1.0
        self.setFixedHeight(height)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set(self, segments: Sequence[tuple[float, str, bool]], reach: float = 1.0) -> None:
        """Show (value, colour, lit) segments."""
        self._segments = [segment for segment in segments if segment[0] > 0]
        self._reach = reach
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        total = sum(value for value, _, _ in self._segments)
        if total <= 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        shape = QPainterPath()
        whole = max(self.width() * self._reach, 2.0)
        shape.addRoundedRect(QRectF(0.0, 0.0, whole, self.height()), self.height() / 2, self.height() / 2)
        painter.setClipPath(shape)
        left = 0.0
        for value, colour_name, lit in self._segments:
            width = whole * value / total
            colour = QColor(colour_name)
            if not lit:
                colour.setAlpha(60)
            painter.setBrush(colour)
            painter.drawRect(QRectF(left, 0.0, max(width, 1.5), self.height()))
            left += width


class _LegendEntry(QWidget):
    """A square and its words; underlined under the pointer and, thicker, while it is the filter."""

    pressed = Signal(str)

    def __init__(self, share: Share, chosen: bool) -> None:
        super().__init__()
        self._share, self._chosen = share, chosen
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 2, 0, 4)
        line.setSpacing(5)
        square = QLabel()
        square.setFixedSize(11, 11)
        square.setStyleSheet(f"background: {share.colour}; border-radius: 2px;")
        line.addWidget(square)
        line.addWidget(label(f"{share.text} {share.shown}".strip(), "small"))
        if chosen:
            line.addWidget(label("✕", "small"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(f"{share.text} {share.shown}")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        accent = self.palette().color(QPalette.ColorRole.Accent)
        if self._chosen:
            painter.fillRect(QRectF(0, self.height() - 2, self.width(), 2), accent)
        elif self.underMouse():
            painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), accent)
        if self.hasFocus():
            painter.setPen(accent)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.pressed.emit(self._share.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return):
            self.pressed.emit(self._share.key)
        else:
            super().keyPressEvent(event)
