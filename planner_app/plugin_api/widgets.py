"""The parts every task panel is made of, so that a person who knows one role's panel knows all.

Inputs at the top, the main button, three key figures, a distribution bar, then cards. Looks (``look`` properties) come
from the window's style sheet; what is painted here asks the panel's context for the theme's colours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QWheelEvent,
)
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
WIDTH_ROLE = int(Qt.ItemDataRole.UserRole) + 3
"""Of a head: the most pixels (of a 13 px font) a column takes at first; a long text is elided, not the next column."""
#: Free pixels at both sides of a task panel; the scroll bar stands in them.
GUTTER = 14


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


class _Combo(QComboBox):
    """Turning the wheel over it scrolls the panel; only the one that has the focus changes its value."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def combo(changed: Callable[[], None] | None = None) -> QComboBox:
    """A drop-down that gives way to a narrow panel instead of widening it."""
    widget = _Combo()
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


class TaskPage(QWidget):
    """A panel's page: its parts scroll as one, the foot (what can be done with the selection) stays in view."""

    def __init__(self) -> None:
        super().__init__()
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        inner = QWidget()
        self._parts = QVBoxLayout(inner)
        self._parts.setContentsMargins(GUTTER, 8, GUTTER, GUTTER)
        self._parts.setSpacing(12)
        self._parts.addStretch(1)
        self._scroll.setWidget(inner)
        self._scroll.verticalScrollBar().rangeChanged.connect(self._bar_changed)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._scroll, 1)

    def add(self, *parts: QWidget) -> None:
        """Add parts below those that are there."""
        for part in parts:
            self._parts.insertWidget(self._parts.count() - 1, part)

    def set_foot(self, foot: QWidget) -> None:
        """What stays in view at the lower edge while it is shown."""
        rule = QFrame()
        rule.setProperty("look", "line")
        holder = _Foot(foot, rule)
        self._column.addWidget(holder)

    def _bar_changed(self, lowest: int, highest: int) -> None:
        """The bar stands in the gutter, so that everything keeps its width and its right edge."""
        bar = self._scroll.verticalScrollBar().sizeHint().width() if highest > lowest else 0
        margins = self._parts.contentsMargins()
        margins.setRight(max(GUTTER - bar, 0))
        self._parts.setContentsMargins(margins)


class _Foot(QWidget):
    """A rule above the foot; both hidden together."""

    def __init__(self, foot: QWidget, rule: QWidget) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        padded = QVBoxLayout()
        padded.setContentsMargins(GUTTER, 10, GUTTER, GUTTER - 2)
        padded.addWidget(foot)
        column.addWidget(rule)
        column.addLayout(padded)
        self._foot = foot
        foot.installEventFilter(self)
        self.setVisible(foot.isVisibleTo(self))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.HideToParent, QEvent.Type.ShowToParent):
            self.setVisible(event.type() == QEvent.Type.ShowToParent)
        return super().eventFilter(watched, event)


class Form(QWidget):
    """Inputs at the top of a panel: captions on the left, all in one column."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)

    def add(self, caption: str, widget: QWidget, *, tall: bool = False) -> QLabel:
        """Add a row; returns its caption, which stands at the first line of a ``tall`` widget."""
        row = self._grid.rowCount()
        text = label(caption, "secondary")
        text.setBuddy(widget)
        if tall:
            text.setContentsMargins(0, 5, 0, 0)
        self._grid.addWidget(text, row, 0, Qt.AlignmentFlag.AlignTop if tall else Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(widget, row, 1)
        return text

    def add_row(self, caption: str, *widgets: QWidget) -> None:
        """Add a row of buttons, with a caption unless it is empty."""
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in widgets:
            line.addWidget(widget)
        line.addStretch(1)
        row = self._grid.rowCount()
        if caption:
            self._grid.addWidget(label(caption, "secondary"), row, 0)
        self._grid.addLayout(line, row, 1)

    def add_buttons(self, *buttons: QWidget) -> None:
        """Add a row of buttons under the inputs."""
        self.add_row("", *buttons)


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
        self._bar = _Bar(8)
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


class _Bar(QWidget):
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
    """What a card shows: a title with a figure at its right, a line below it, and perhaps a pill (token, text).

    Without a figure the pill stands in its place.
    ``segments``: (share, colour) of a bar at the card's foot; shares of the card's width, so that the bars of a list
    of cards are a chart.
    """

    key: str
    title: str
    figure: str = ""
    detail: str = ""
    pill: tuple[str, str] | None = None
    segments: tuple[tuple[float, str], ...] = ()


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
        if text.figure:
            head.addWidget(label(text.figure), 0, Qt.AlignmentFlag.AlignTop)
        elif text.pill is not None:
            head.addWidget(pill(*text.pill), 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        if text.detail:
            foot.addWidget(label(text.detail, "small", wrap=True), 1)
        if text.figure and text.pill is not None:
            foot.addWidget(pill(*text.pill), 0, Qt.AlignmentFlag.AlignBottom)
        if foot.count():
            column.addLayout(foot)
        if text.segments:
            bar = _Bar(3)
            bar.set([(share, colour, True) for share, colour in text.segments], sum(s for s, _ in text.segments))
            column.addSpacing(2)
            column.addWidget(bar)
        self._column = column

    def add(self, part: QWidget) -> None:
        """Add a part at the card's foot."""
        self._column.addWidget(part)

    def set_selected(self, selected: bool) -> None:
        """Show the card as the chosen one."""
        restyle(self, "card-selected" if selected else "card")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(self.palette().color(QPalette.ColorRole.Accent))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.key)
        elif event.key() == Qt.Key.Key_Down:
            self.focusNextChild()
        elif event.key() == Qt.Key.Key_Up:
            self.focusPreviousChild()
        else:
            super().keyPressEvent(event)


def pill(token: str, text: str) -> QLabel:
    """A word in an outline: verdicts are word, colour and outline, never colour alone."""
    made = label(text, f"pill-{token}")
    made.setSizePolicy(
        QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed
    )  # it hugs its word, whatever the row's height
    return made


class CardList(QWidget):
    """Cards below one another; the chosen one is outlined. The page they stand on scrolls."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._cards: list[Card] = []

    def set(self, texts: Sequence[CardText]) -> None:
        """Replace all cards."""
        self.set_cards([Card(text) for text in texts])

    def set_cards(self, cards: Sequence[Card]) -> None:
        """Replace all cards by ones with parts of their own."""
        for card in self._cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = list(cards)
        for card in self._cards:
            card.chosen.connect(self.chosen)
            self._column.addWidget(card)

    def keys(self) -> list[str]:
        """Keys of the cards, from above."""
        return [card.key for card in self._cards]

    def select(self, key: str) -> None:
        """Outline the card of that key (none if there is none) and scroll to it."""
        for card in self._cards:
            card.set_selected(card.key == key)
            if card.key == key:
                above = self.parentWidget()
                while above is not None and not isinstance(above, QScrollArea):
                    above = above.parentWidget()
                if isinstance(above, QScrollArea):
                    above.ensureWidgetVisible(card, 0, 12)


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
