"""What a page says while it has nothing to show."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import button, label
from plugins.tunnel.ui.state import TunnelState


class Empty(QWidget):
    """What an empty page says, what to do, and the button that does it."""

    def __init__(self, context: PanelContext, state: TunnelState) -> None:
        super().__init__()
        self._context, self._state = context, state
        column = QVBoxLayout(self)
        column.addStretch(1)
        self._text = label("", "secondary", wrap=True)
        self._hint = label("", "tertiary", wrap=True)
        for part in (self._text, self._hint):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(part)
        self.button = button(tr("Open the assets"), self._assets)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def say(self, text: str, hint: str = "", *, offer: bool = False) -> None:
        """Say it; ``offer`` shows the button."""
        self._text.setText(text)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.button.setVisible(offer)

    def say_nothing(self, hint: str) -> None:
        """That there is no tunnel, and what to do; without a project only that."""
        if self._context.project is None:
            self.say(tr("No project is open."))
        else:
            self.say(tr("This project has no tunnel."), hint, offer=True)

    def _assets(self) -> None:
        self._context.open_panel("tunnel")
        self._state.run("assets")

    def text(self) -> str:
        """What it says."""
        return f"{self._text.text()} {self._hint.text()}".strip()
