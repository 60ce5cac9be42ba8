"""Asking the window's engine for a map picture from a job's thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QThread, Signal

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Extent, Project
    from planner_app.plugin_api.ui import PanelContext

_MOST_SECONDS = 60.0


class MapBridge(QObject):
    """``bridge(project, extent, size)`` is a ``RenderMap`` for work off the window's thread.

    Make it on the window's thread.
    """

    _asked = Signal(object, object, object)

    def __init__(self, context: PanelContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._asked.connect(self._render, Qt.ConnectionType.QueuedConnection)

    def __call__(self, project: Project, extent: Extent, size: tuple[int, int]) -> bytes:
        """The map as PNG; empty where the engine cannot or takes too long."""
        answer: list[bytes] = []
        ready = threading.Event()

        def done(png: bytes) -> None:
            answer.append(png)
            ready.set()

        if QThread.currentThread() is self.thread():
            self._render(extent, size, done)  # nobody could answer while this thread waits
        else:
            self._asked.emit(extent, size, done)
            ready.wait(_MOST_SECONDS)
        return answer[0] if answer else b""

    def _render(self, extent: Extent, size: tuple[int, int], done: object) -> None:
        self._context.render_map(extent, size, done, dpi=150.0)  # type: ignore[arg-type]
