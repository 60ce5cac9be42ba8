"""Cards and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from planner_app.plugin_api.widgets.basics import label, pill, restyle
from planner_app.plugin_api.widgets.figures import Bar


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
            bar = Bar(3)
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
