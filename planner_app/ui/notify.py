"""The one exit for messages without a panel of their own: the message bar above the map, and unexpected errors."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import Notice, button
from planner_app.ui.theme import Theme

_log = logging.getLogger(__name__)
_SHOW_MS = 6000


class MessageBar(Notice):
    """Floats at the top of its parent. Information leaves by itself, warnings and errors stay until closed.

    Args:
        top: pixels taken at the parent's top by what floats there between two abscissas.
    """

    def __init__(self, theme: Theme, parent: QWidget, top: Callable[[int, int], int] = lambda _left, _right: 0) -> None:
        super().__init__(theme, closable=True)
        self.setParent(parent)
        self._top = top
        self.theme = theme
        self._close.setToolTip(tr("Close"))
        self._details = ""
        self._copy = button(tr("Copy details"), self._copy_details, "link")
        self.buttons.addWidget(self._copy)
        self.buttons.addStretch(1)
        self._leave = QTimer(self)
        self._leave.setSingleShot(True)
        self._leave.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def say(self, level: str, text: str, hint: str = "", details: str = "") -> None:
        """Show a message; ``details`` can be copied by the person."""
        self._details = details
        self._copy.setVisible(bool(details))
        self.show_text(text, level, hint)
        self.place()
        self.raise_()
        self._leave.stop()
        if level in ("info", "success"):
            self._leave.start(_SHOW_MS)

    def say_defect(self, error: BaseException) -> None:
        """Word an unexpected error; the traceback goes to the log and, when asked for, to the clipboard."""
        details = "".join(traceback.format_exception(error))
        self.say(
            "error",
            tr("Something unexpected happened; what you did last may not have worked."),
            tr("Your project is safe. Please copy the details and send them to the makers."),
            details,
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self.place()
        return False

    def place(self) -> None:
        """Stand in the middle, below what floats there."""
        parent = self.parentWidget()
        if parent is None:
            return
        width = min(self.theme.px(560), parent.width() - 32)
        self.setFixedWidth(max(width, 200))
        self.ensurePolished()
        height = self.heightForWidth(self.width())
        self.resize(self.width(), height if height > 0 else self.sizeHint().height())
        left = (parent.width() - self.width()) // 2
        self.move(left, max(self.theme.px(56), self._top(left, left + self.width())))

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
        self._copy.setText(tr("Copied"))


class DefectHook(QObject):
    """Replaces ``sys.excepthook``: logs what nobody caught and hands it to the window. Never a traceback on screen."""

    happened = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._before = sys.excepthook

    def install(self) -> None:
        """Take over; the hook before is restored by :meth:`remove`."""
        sys.excepthook = self._hook

    def remove(self) -> None:
        """Give the hook back."""
        sys.excepthook = self._before

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before(kind, error, trace)
            return
        _log.error("uncaught", exc_info=(kind, error, trace))
        self.happened.emit(error)
