"""The parts every task panel is made of, so that a person who knows one role's panel knows all.

Inputs at the top, the main button, three key figures, a distribution bar, then cards. Looks (``look`` properties) come
from the window's style sheet; what is painted here asks the panel's context for the theme's colours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

#: Item data roles that the window's tables understand.
SORT_ROLE = int(Qt.ItemDataRole.UserRole)
"""The value to sort by; without it the text."""
PILL_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""A theme token: the cell's text is drawn as an outlined pill in that colour."""
SWATCH_ROLE = int(Qt.ItemDataRole.UserRole) + 2
"""``#rrggbb``: a small square before the cell's text."""


def label(text: str, look: str = "", *, wrap: bool = False) -> QLabel:
    """A label with a look of the style sheet. Plain text always: data never becomes markup."""
    widget = QLabel(text)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setWordWrap(wrap)
    if look:
        widget.setProperty("look", look)
    return widget


def button(text: str, clicked: Callable[[], None], look: str = "") -> QPushButton:
    """A push button; ``primary`` once per panel."""
    widget = QPushButton(text)
    if look:
        widget.setProperty("look", look)
    widget.clicked.connect(lambda *_: clicked())
    return widget


def combo(changed: Callable[[], None] | None = None) -> QComboBox:
    """A drop-down that gives way to a narrow panel instead of widening it."""
    widget = QComboBox()
    widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    widget.setMinimumContentsLength(8)
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    if changed is not None:
        widget.activated.connect(lambda *_: changed())
    return widget


def restyle(widget: QWidget, look: str) -> None:
    """Change a widget's look after it was shown."""
    widget.setProperty("look", look)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Form(QWidget):
    """Inputs at the top of a panel: captions on the left, all in one column."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)

    def add(self, caption: str, widget: QWidget) -> QLabel:
        """Add a row; returns its caption."""
        row = self._grid.rowCount()
        text = label(caption, "secondary")
        text.setBuddy(widget)
        self._grid.addWidget(text, row, 0)
        self._grid.addWidget(widget, row, 1)
        return text

    def add_buttons(self, *buttons: QWidget) -> None:
        """Add a row of buttons under the inputs."""
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in buttons:
            line.addWidget(widget)
        line.addStretch(1)
        self._grid.addLayout(line, self._grid.rowCount(), 1)


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

    def set(self, figures: Sequence[tuple[str, str]]) -> None:
        """Show (value, caption) pairs, as many as there are places."""
        for at, (value, caption) in enumerate(figures):
            self._values[at].setText(value)
            self._captions[at].setText(caption)

    def set_one(self, place: int, value: str) -> None:
        """Change one figure."""
        self._values[place].setText(value)


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
        self._bar = _Bar()
        self._legend = QWidget()
        self._flow = FlowLayout(self._legend, spacing=10)
        column.addWidget(self._bar)
        column.addWidget(self._legend)

    def set(self, shares: Sequence[Share], chosen: str = "") -> None:
        """Show the shares; ``chosen`` is the key the view is filtered by."""
        self._bar.shares = [share for share in shares if share.value > 0]
        self._bar.chosen = chosen
        self._bar.update()
        self._flow.clear()
        for share in shares:
            entry = _LegendEntry(share, share.key == chosen)
            entry.pressed.connect(self.clicked)
            self._flow.addWidget(entry)


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.shares: list[Share] = []
        self.chosen = ""
        self.setFixedHeight(8)

    def paintEvent(self, event: QPaintEvent) -> None:
        total = sum(share.value for share in self.shares)
        if total <= 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        left = 0.0
        for share in self.shares:
            width = self.width() * share.value / total
            colour = QColor(share.colour)
            if self.chosen and share.key != self.chosen:
                colour.setAlpha(70)
            painter.setBrush(colour)
            painter.drawRect(QRectF(left, 0.0, max(width, 1.5), self.height()))
            left += width


class _LegendEntry(QWidget):
    pressed = Signal(str)

    def __init__(self, share: Share, chosen: bool) -> None:
        super().__init__()
        self._share = share
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(5)
        square = QLabel()
        square.setFixedSize(11, 11)
        square.setStyleSheet(f"background: {share.colour}; border-radius: 2px;")
        line.addWidget(square)
        line.addWidget(label(f"{share.text} {share.shown}".strip(), "heading" if chosen else "small"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{share.text} {share.shown}")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit(self._share.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return):
            self.pressed.emit(self._share.key)
        else:
            super().keyPressEvent(event)


class FlowLayout(QLayout):
    """Widgets side by side, wrapped to the width there is (after Qt's flow layout example)."""

    def __init__(self, parent: QWidget, spacing: int = 8) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def clear(self) -> None:
        """Remove and delete all widgets."""
        while self._items:
            widget = self._items.pop().widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.invalidate()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            hint = item.sizeHint()
            if x > rect.x() and x + hint.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + 4, 0
            if move:
                item.setGeometry(QRect(x, y, hint.width(), hint.height()))
            x += hint.width() + self.spacing()
            line = max(line, hint.height())
        return y + line - rect.y()


@dataclass(frozen=True, slots=True)
class CardText:
    """What a card shows: a title with a figure at its right, a line below it, and perhaps a pill (token, text)."""

    key: str
    title: str
    figure: str = ""
    detail: str = ""
    pill: tuple[str, str] | None = None


class Card(QFrame):
    """One card; click or Enter chooses it."""

    chosen = Signal(str)

    def __init__(self, text: CardText) -> None:
        super().__init__()
        self.key = text.key
        self.setProperty("look", "card")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{text.title} {text.figure}")
        column = QVBoxLayout(self)
        column.setContentsMargins(11, 9, 11, 9)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(text.title, wrap=True), 1)
        head.addWidget(label(text.figure), 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        detail = label(text.detail, "small", wrap=True)
        foot.addWidget(detail, 1)
        if text.pill is not None:
            foot.addWidget(pill(*text.pill), 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(foot)

    def set_selected(self, selected: bool) -> None:
        """Show the card as the chosen one."""
        restyle(self, "card-selected" if selected else "card")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.chosen.emit(self.key)
        else:
            super().keyPressEvent(event)


def pill(token: str, text: str) -> QLabel:
    """A word in an outline: verdicts are word, colour and outline, never colour alone."""
    return label(text, f"pill-{token}")


class CardList(QScrollArea):
    """Cards below one another; the chosen one is outlined."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(8)
        self._column.addStretch(1)
        self._cards: list[Card] = []
        self.setWidget(inner)

    def set(self, texts: Sequence[CardText]) -> None:
        """Replace all cards."""
        for card in self._cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = [Card(text) for text in texts]
        for at, card in enumerate(self._cards):
            card.chosen.connect(self.chosen)
            self._column.insertWidget(at, card)

    def select(self, key: str) -> None:
        """Outline the card of that key (none if there is none)."""
        for card in self._cards:
            card.set_selected(card.key == key)
            if card.key == key:
                self.ensureWidgetVisible(card)


class Notice(QFrame):
    """What happened and what to do, in the panel where it happened. Hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(11, 8, 11, 8)
        column.setSpacing(3)
        self._sentence = label("", wrap=True)
        self._hint = label("", "small", wrap=True)
        column.addWidget(self._sentence)
        column.addWidget(self._hint)
        self.hide()

    def say(self, sentence: str, hint: str = "", level: str = "info") -> None:
        """Show a sentence; level ``info`` | ``success`` | ``warning`` | ``error``."""
        self._sentence.setText(sentence)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        restyle(self, f"notice-{level}")
        self.show()

    def clear(self) -> None:
        """Hide it."""
        self.hide()


class EnterFilter(QObject):
    """Calls back when Enter is pressed in a widget (a form's inputs start its main button)."""

    def __init__(self, pressed: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._pressed = pressed

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Return:
            self._pressed()
            return True
        return super().eventFilter(watched, event)
