"""The pill in the top bar: how the project stands to the server, in a word; a click opens the sync panel."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton

from planner_app.ui.session import Session
from planner_app.ui.sync.status import LOOKS, state_sentence, state_word


class SyncPill(QToolButton):
    """Icon and word in the state's colour. ``clicked`` is Qt's own."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        theme = session.theme
        self.setProperty("look", "pill")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(theme.px(14), theme.px(14)))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        session.sync.changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the state as it is."""
        status, theme = self._session.sync.status, self._session.theme
        icon, token = LOOKS[status.kind]
        self.setText(state_word(status))
        self.setIcon(theme.icon(icon, token, 14))
        self.setToolTip(state_sentence(status))
        self.setAccessibleName(f"{state_word(status)}. {state_sentence(status)}")
