"""The activity rail: which task panel stands on the right. The map never goes away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton

from planner_app.ui.controls import column
from planner_app.ui.theme import Theme


class RailButton(QToolButton):
    """An icon over a short word."""

    def __init__(
        self, theme: Theme, icon: str, text: str, tip: str, on_click: Callable[[], object], quiet: bool
    ) -> None:
        super().__init__()
        self._theme, self._icon = theme, icon
        self.setProperty("look", "rail")
        self.setProperty("quiet", quiet)
        self.setText(text)
        self.setToolTip(tip)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(theme.px(18), theme.px(18)))
        self.setFixedWidth(theme.px(52) - 3)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._retint()
        theme.changed.connect(self._retint)
        self.clicked.connect(lambda *_: on_click())

    def _retint(self) -> None:
        self.setIcon(self._theme.icon(self._icon))


class Rail(QFrame):
    """52 px at the left edge."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.theme = theme
        self.setFixedWidth(theme.px(52))
        self.buttons: dict[str, RailButton] = {}
        self._layout = column(None, spacing=4, margins=(1, 8, 1, 8))
        self._layout.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setLayout(self._layout)

    def add(
        self, key: str, icon: str, text: str, tip: str, on_click: Callable[[], object], *, quiet: bool = False
    ) -> RailButton:
        """Add an entry below the others; a ``quiet`` one only colours its icon while on."""
        made = RailButton(self.theme, icon, text, tip, on_click, quiet)
        self.buttons[key] = made
        self._layout.insertWidget(self._layout.count() - 1, made)
        return made

    def set_checked(self, key: str, on: bool) -> None:
        """Mark an entry as open."""
        if key in self.buttons:
            self.buttons[key].setChecked(on)
