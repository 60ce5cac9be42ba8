"""Labels, buttons, choosers and notices: the smallest parts of a panel, and the roles of table items."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import (
    QFontInfo,
    QKeyEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QLabel,
    QPushButton,
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


def px(size: float) -> int:
    """A size drawn for 13 px text, at the size of the text in use."""
    return max(1, round(size * max(QFontInfo(QApplication.font()).pixelSize() / 13.0, 1.0)))


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
    if widget.property("look") != look:
        widget.setProperty("look", look)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def pill(token: str, text: str) -> QLabel:
    """A word in an outline: verdicts are word, colour and outline, never colour alone."""
    made = label(text, f"pill-{token}")
    made.setSizePolicy(
        QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed
    )  # it hugs its word, whatever the row's height
    return made


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
