"""Small buttons of the bars on map and sheet."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFrame, QToolButton

from planner_app.plugin_api.ui import PanelContext


def scaled(size: float) -> int:
    """Pixels of a size drawn for 13 px text, at the size of the text in use."""
    return round(size * max(1.0, QApplication.font().pixelSize() / 13.0))


class Knob(QToolButton):
    """A tool button with a line icon that follows the theme."""

    def __init__(
        self,
        context: PanelContext,
        icon: str,
        tip: str,
        clicked: Callable[[], None],
        *,
        checkable: bool = False,
        size: int = 28,
    ) -> None:
        super().__init__()
        self._context, self._name = context, icon
        self.setAutoRaise(True)
        self.setCheckable(checkable)
        self.setFixedSize(scaled(size), scaled(size))
        self.setIconSize(QSize(scaled(size - 10), scaled(size - 10)))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_tip(tip)
        self.clicked.connect(lambda *_: clicked())
        context.theme_changed.connect(self._retint)
        self._retint()

    def set_tip(self, tip: str) -> None:
        """What it does, for the pointer and for screen readers."""
        self.setToolTip(tip)
        self.setAccessibleName(tip)

    def _retint(self) -> None:
        self.setIcon(self._context.icon(self._name))


class Swatch(QToolButton):
    """A small round choice: a colour, or a line of some width."""

    def __init__(
        self, context: PanelContext, tip: str, clicked: Callable[[], None], *, colour: str = "", width: float = 0.0
    ) -> None:
        super().__init__()
        self._context, self._colour, self._width = context, colour, width
        self.setCheckable(True)
        self.setFixedSize(scaled(20), scaled(20))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.clicked.connect(lambda *_: clicked())
        context.theme_changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Painted whole: a style sheet's padding would leave a dot of four pixels."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(self.rect().center()) + QPointF(0.5, 0.5)
        chosen = self.isChecked()
        if self.underMouse() or self.hasFocus() or chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._context.colour("accent_ground" if chosen else "hover")))
            painter.drawRoundedRect(self.rect(), 4, 4)
        if self._colour:
            # Black on the dark theme's panel needs an edge.
            painter.setPen(QPen(QColor(self._context.colour("accent" if chosen else "line")), 1.6 if chosen else 1))
            painter.setBrush(QColor(self._colour))
            painter.drawEllipse(middle, scaled(6.5), scaled(6.5))
        else:
            ink = QColor(self._context.colour("accent" if chosen else "secondary"))
            painter.setPen(QPen(ink, self._width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(middle + QPointF(-5, 4), middle + QPointF(5, -4))
        painter.end()


def rule(vertical: bool = False) -> QFrame:
    """A one-pixel line between groups."""
    made = QFrame()
    made.setProperty("look", "vline" if vertical else "line")
    return made
