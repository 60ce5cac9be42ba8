"""What a page says while it has nothing to show."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from planner_app.plugin_api.widgets import button, label


class Empty(QWidget):
    """What an empty page says, what to do, and the button that does it."""

    def __init__(self, title: str, pressed: Callable[[], None]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.addStretch(1)
        self._text = label("", "secondary", wrap=True)
        self._hint = label("", "tertiary", wrap=True)
        for part in (self._text, self._hint):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(part)
        self.button = button(title, pressed)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def say(self, text: str, hint: str = "", *, offer: bool = False) -> None:
        """Say it; ``offer`` shows the button."""
        self._text.setText(text)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.button.setVisible(offer)

    def text(self) -> str:
        """What it says."""
        return f"{self._text.text()} {self._hint.text()}".strip()
