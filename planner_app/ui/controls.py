"""The few small widgets that many places share: labels and buttons by look, icon buttons, empty states, notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import restyle
from planner_app.ui.theme import Theme


def label(text: str = "", look: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A label in one of the looks of :mod:`planner_app.ui.theme`. Text is shown as it is, never as HTML."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if look:
        made.setProperty("look", look)
    if look.startswith(("pill", "key")):  # an outline hugs its word, whatever the row's height
        made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    made.setWordWrap(wrap)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def button(text: str, on_click: Callable[[], object] | None = None, look: str = "") -> QPushButton:
    """A push button in one of the looks."""
    made = QPushButton(text)
    if look:
        made.setProperty("look", look)
    made.setAutoDefault(look == "primary")
    if on_click is not None:
        made.clicked.connect(lambda *_: on_click())
    return made


def line(vertical: bool = False) -> QFrame:
    """A one-pixel line."""
    made = QFrame()
    made.setProperty("look", "vline" if vertical else "line")
    return made


def row(
    *items: QWidget | QLayout | int | None, spacing: int = 8, margins: tuple[int, ...] = (0, 0, 0, 0)
) -> QHBoxLayout:
    """A row: widgets and layouts; None stretches, a number is a gap."""
    made = QHBoxLayout()
    _fill(made, items, spacing, margins)
    return made


def column(
    *items: QWidget | QLayout | int | None, spacing: int = 8, margins: tuple[int, ...] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """A column: widgets and layouts; None stretches, a number is a gap."""
    made = QVBoxLayout()
    _fill(made, items, spacing, margins)
    return made


def _fill(
    layout: QBoxLayout, items: Sequence[QWidget | QLayout | int | None], spacing: int, margins: tuple[int, ...]
) -> None:
    layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)


def pad_spin_boxes(root: QWidget) -> None:
    """Give number fields the inner margin of text fields; a style sheet's padding does not reach them."""
    for spin in root.findChildren(QAbstractSpinBox):
        inner = spin.findChild(QLineEdit)
        if inner is not None:
            inner.setTextMargins(6, 0, 0, 0)


class IconButton(QToolButton):
    """A tool button whose icon follows the theme."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        tip: str,
        on_click: Callable[[], object] | None = None,
        *,
        size: int = 18,
        tint: str = "secondary",
        checkable: bool = False,
    ) -> None:
        super().__init__()
        self._theme, self._icon, self._size, self._tint = theme, icon, size, tint
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setCheckable(checkable)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(theme.px(size), theme.px(size)))
        self._retint()
        theme.changed.connect(self._retint)
        if on_click is not None:
            self.clicked.connect(lambda *_: on_click())

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._retint()

    def _retint(self) -> None:
        self.setIcon(self._theme.icon(self._icon, self._tint, self._size))


class ThemedIcon(QLabel):
    """An icon that follows the theme."""

    def __init__(self, theme: Theme, icon: str, size: int = 18, tint: str = "secondary") -> None:
        super().__init__()
        self._theme, self._icon, self._size, self._tint = theme, icon, size, tint
        self._retint()
        theme.changed.connect(self._retint)

    def set_icon(self, icon: str, tint: str) -> None:
        """Show another icon or colour."""
        self._icon, self._tint = icon, tint
        self._retint()

    def _retint(self) -> None:
        edge = self._theme.px(self._size)
        self.setPixmap(
            self._theme.icon(self._icon, self._tint, self._size).pixmap(QSize(edge, edge), self.devicePixelRatioF())
        )


class ElidedLabel(QLabel):
    """A one-line label that ends in … when there is no room; the tooltip then has the whole text."""

    def __init__(self, text: str = "", look: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._whole = text
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        if look:
            self.setProperty("look", look)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def setText(self, text: str) -> None:
        self._whole = text
        self.updateGeometry()
        self._elide()

    def whole_text(self) -> str:
        """The text without elision."""
        return self._whole

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 4, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        width = min(self.fontMetrics().horizontalAdvance(self._whole), self.fontMetrics().averageCharWidth() * 6)
        return QSize(width, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(0, self.contentsRect().width()))
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class EmptyState(QWidget):
    """What an empty view says: what fills it, with the button that does."""

    clicked = Signal()

    def __init__(self, theme: Theme, text: str, button_text: str = "", icon: str = "", hint: str = "") -> None:
        super().__init__()
        self._text = label(text, "secondary", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint = label(hint, "tertiary", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setVisible(bool(hint))
        self._button = button(button_text, self.clicked.emit)
        self._button.setVisible(bool(button_text))
        picture = ThemedIcon(theme, icon or "info", 28, "tertiary")
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setVisible(bool(icon))
        layout = column(None, picture, self._text, self._hint, 4, spacing=6, margins=(24, 12, 24, 12))
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.setLayout(layout)

    def set(self, text: str, button_text: str = "", hint: str = "") -> None:
        """Say something else."""
        self._text.setText(text)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._button.setText(button_text)
        self._button.setVisible(bool(button_text))


class Notice(QFrame):
    """A sentence with its hint in the panel where it happened; level info | success | warning | error."""

    _ICONS = (
        ("info", "info", "accent"),
        ("success", "circle-check", "pass"),
        ("warning", "triangle-alert", "needs_certificate"),
        ("error", "circle-alert", "fail"),
    )

    def __init__(self, theme: Theme, closable: bool = False) -> None:
        super().__init__()
        self._icon = ThemedIcon(theme, "info", 16, "accent")
        self._text = label("", wrap=True, selectable=True)
        self._hint = label("", "small", wrap=True, selectable=True)
        self.buttons = row(spacing=6)
        self._close = IconButton(theme, "x", tr("Close"), self.hide, size=14)
        self._close.setVisible(closable)
        words = column(self._text, self._hint, spacing=2)
        holder = QWidget()  # an empty layout would hold the words to its own width, none
        holder.setLayout(self.buttons)
        words.addWidget(holder)
        layout = row(spacing=8, margins=(10, 8, 8, 8))
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)
        self.setVisible(False)

    def show_text(self, text: str, level: str = "info", hint: str = "") -> None:
        """Show a sentence and what to do."""
        for name, icon, token in self._ICONS:
            if name == level:
                self._icon.set_icon(icon, token)
        restyle(self, f"notice-{level}")
        self._text.setText(text)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.setVisible(True)

    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()


class FloatingFrame(QFrame):
    """A frame that floats over the map: round corners, a hairline and a soft shadow painted in its own margin.

    Painted by hand: a graphics effect would repaint the map below it through an extra buffer.
    """

    MARGIN = 8

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setContentsMargins(self.MARGIN, self.MARGIN, self.MARGIN, self.MARGIN)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = self.rect().adjusted(self.MARGIN, self.MARGIN, -self.MARGIN, -self.MARGIN)
        radius = self.theme.px(6)
        painter.setPen(Qt.PenStyle.NoPen)
        strength = 0.02 if self.theme.is_dark() else 0.012
        for spread in range(self.MARGIN, 0, -1):
            painter.setBrush(self.theme.qcolour("shadow", strength))
            painter.drawRoundedRect(
                inner.adjusted(-spread, -spread + 2, spread, spread), radius + spread, radius + spread
            )
        painter.setPen(self.theme.qcolour("line"))
        painter.setBrush(self.theme.qcolour("panel"))
        painter.drawRoundedRect(inner, radius, radius)


def swatch_colour(text: str) -> QColor:
    """A colour from ``#RRGGBB`` or QGIS's ``r,g,b,a``; grey where it is neither."""
    parts = text.split(",")
    if len(parts) >= 3:
        try:
            return QColor(*(int(float(p)) for p in parts[:4]))
        except ValueError:
            return QColor("#999999")
    colour = QColor(text)
    return colour if colour.isValid() else QColor("#999999")
