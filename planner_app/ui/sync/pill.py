"""The pill in the top bar: how the project stands to the server, in a word; a click opens the sync panel."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QIcon, QPaintEvent
from PySide6.QtWidgets import QStyle, QStyleOptionToolButton, QStylePainter, QToolButton

from planner_app.ui.session import Session
from planner_app.ui.sync.status import LOOKS, state_sentence, state_word

#: Pixels of the icon, between it and the word, and at both ends.
_ICON, _GAP, _END = 14, 6, 11


class SyncPill(QToolButton):
    """Icon in the state's colour and word, painted here: Qt's own leaves more room at one end than at the other."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        theme = session.theme
        self.setProperty("look", "pill")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        session.sync.changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the state as it is."""
        status, theme = self._session.sync.status, self._session.theme
        icon, token = LOOKS[status.kind]
        self.setText(state_word(status))
        self.setIcon(theme.icon(icon, token, _ICON))
        self.setToolTip(state_sentence(status))
        self.setAccessibleName(f"{state_word(status)}. {state_sentence(status)}")

    def sizeHint(self) -> QSize:
        px = self._session.theme.px
        width = self.fontMetrics().horizontalAdvance(self.text()) + px(_ICON) + px(_GAP) + 2 * px(_END)
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, option, painter = self._session.theme.px, QStyleOptionToolButton(), QStylePainter(self)
        self.initStyleOption(option)
        option.text, option.icon = "", QIcon()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        room = QRect(px(_END), 0, px(_ICON), self.height())
        self.icon().paint(painter, room)
        painter.setPen(self._session.theme.qcolour("secondary"))
        words = self.rect().adjusted(room.right() + 1 + px(_GAP), 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
