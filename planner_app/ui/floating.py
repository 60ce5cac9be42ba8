"""Frames that float over the map or over a plugin's own view: bars of tools, lists of layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from planner_app.ui.controls import FloatingFrame, column
from planner_app.ui.theme import Theme

if TYPE_CHECKING:
    from planner_app.plugin_api.ui import Edge

#: Pixels between two frames and to the edge; a frame's own margin for its shadow comes on top.
_GAP = -4


class Floats(QObject):
    """Keeps frames at the left and right edge of a widget, one below the other from the top.

    Args:
        host: what they float over.
        top: pixels taken at the top of an edge by what stands there already.

    Attributes:
        arranged: called whenever the frames were put in their places.
    """

    def __init__(self, theme: Theme, host: QWidget, top: Callable[[Edge], int] = lambda _edge: 0) -> None:
        super().__init__(host)
        self._theme, self._host, self._top = theme, host, top
        self._frames: list[tuple[FloatingFrame, Edge]] = []
        self._arranging = False
        self.arranged: Callable[[], None] = lambda: None
        host.installEventFilter(self)

    def add(self, widget: QWidget, edge: Literal["left", "right"] = "left") -> FloatingFrame:
        """Frame a widget; hidden until shown."""
        frame = FloatingFrame(self._theme, self._host)
        frame.setLayout(column(widget, spacing=0, margins=(4, 4, 4, 4)))
        frame.setVisible(False)
        self._frames.append((frame, edge))
        frame.installEventFilter(self)
        return frame

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = (QEvent.Type.Resize,) if watched is self._host else (
            QEvent.Type.ShowToParent, QEvent.Type.HideToParent, QEvent.Type.LayoutRequest
        )  # fmt: skip
        if event.type() in kinds:
            self.arrange()
        return False

    def arrange(self) -> None:
        """Put every shown frame in its place; one that is too large gives way to the host's edges."""
        if self._arranging:
            return
        self._arranging = True
        used: dict[Edge, int] = {}
        for frame, edge in self._frames:
            if frame.isHidden():
                continue
            y = used.get(edge, self._top(edge) or -_GAP)
            wanted = frame.sizeHint()
            width, height = min(wanted.width(), self._host.width() - 2 * _GAP), self._host.height() - y
            frame.resize(width, max(0, min(wanted.height(), height)))
            frame.move(-_GAP if edge == "left" else self._host.width() - frame.width() + _GAP, y)
            frame.raise_()
            used[edge] = y + frame.height() + 2 * _GAP
        self._arranging = False
        self.arranged()

    def foot(self, left: int, right: int) -> int:
        """Where what is shown between two abscissas ends; 0 where nothing is."""
        shown = (frame.geometry() for frame, _ in self._frames if not frame.isHidden())
        return max((box.bottom() + 1 for box in shown if box.left() < right and box.right() > left), default=0)


class FloatingHandle:
    """A frame of a plugin. See ``plugin_api.ui.Floating``."""

    def __init__(self, frame: FloatingFrame) -> None:
        self._frame = frame

    def show(self) -> None:
        """Show it."""
        self._frame.show()

    def hide(self) -> None:
        """Hide it."""
        self._frame.hide()

    def visible(self) -> bool:
        """True while it is shown."""
        return not self._frame.isHidden()
