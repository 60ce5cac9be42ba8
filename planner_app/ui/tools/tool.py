"""What every map tool is: the application's own and those of plugins.

A plugin's tool need not inherit from :class:`Tool`; any of its methods may be missing (see :class:`PluginTool`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter

from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.tools import sketch

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas
    from planner_app.ui.canvas.snapping import Snap

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolEvent:
    """A mouse event on the map.

    Attributes:
        x, y: map coordinates (easting, northing) in metres.
        px, py: logical pixels in the canvas.
        button: the button pressed or released; ``NoButton`` for a move.
        buttons: the buttons held.
    """

    x: float
    y: float
    px: float
    py: float
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    buttons: Qt.MouseButton = Qt.MouseButton.NoButton
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier

    @property
    def shift(self) -> bool:
        """Shift is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ShiftModifier)

    @property
    def ctrl(self) -> bool:
        """Ctrl (Command on a Mac) is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ControlModifier)

    @property
    def alt(self) -> bool:
        """Alt is held: snapping is off."""
        return bool(self.modifiers & Qt.KeyboardModifier.AltModifier)

    @property
    def left(self) -> bool:
        """The left button was pressed or released."""
        return self.button == Qt.MouseButton.LeftButton

    @property
    def left_held(self) -> bool:
        """The left button is held."""
        return bool(self.buttons & Qt.MouseButton.LeftButton)


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """How a tool stands in a toolbar. ``title`` is translated already; ``group`` separates the toolbar's parts."""

    id: str
    title: str
    icon: str
    shortcut: str = ""
    group: str = "look"


class Tool:
    """Base of the tools. All coordinates are map coordinates unless called px, py."""

    cursor: Qt.CursorShape = Qt.CursorShape.ArrowCursor
    #: Shift with the left button belongs to the tool; otherwise it draws a box to zoom to.
    wants_shift = False
    #: The hover card may appear under this tool.
    shows_hover = False
    #: The canvas keeps a snapping index of the view while the tool is active.
    snaps = False

    def __init__(self, canvas: MapCanvas) -> None:
        self.canvas = canvas

    def activate(self) -> None:
        """The tool was chosen."""

    def deactivate(self) -> None:
        """Another tool was chosen; drop what is unfinished."""

    def press(self, event: ToolEvent) -> None:
        """A button went down."""

    def move(self, event: ToolEvent) -> None:
        """The pointer moved, with or without a button."""

    def release(self, event: ToolEvent) -> None:
        """A button went up."""

    def double_click(self, event: ToolEvent) -> None:
        """The left button was clicked twice; a press and a release came before."""

    def key(self, event: QKeyEvent) -> bool:
        """A key was pressed (not Esc); True if the tool used it."""
        return False

    def owns_key(self, event: QKeyEvent) -> bool:
        """True for a key that is the tool's now even where it is the shortcut of an action."""
        return False

    def cancel(self) -> bool:
        """Esc: drop what is unfinished; False if there was nothing, then the canvas leaves the tool."""
        return False

    def hint(self) -> str:
        """What to do next in a few words, shown at the map's foot; "" for nothing."""
        return ""

    def view_changed(self) -> None:
        """The map was panned or zoomed."""

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw above the map, in logical pixels."""


class PluginTool(Tool):
    """A plugin's tool behind the base's methods. One that fails is logged, said and left.

    Its ``paint(painter, to_screen)`` gets a function from map to widget coordinates, as overlays do.
    """

    def __init__(self, canvas: MapCanvas, make: Callable[[], Any]) -> None:
        super().__init__(canvas)
        self._make = make
        self._tool: Any = None
        self._snap: Snap | None = None

    def _call(self, name: str, *args: Any) -> Any:
        method = getattr(self._tool, name, None)
        if method is None:
            return None
        try:
            return method(*args)
        except Exception as error:
            log.exception("a plugin's map tool failed")
            self._tool = None
            self.canvas.tool_failed(error)
            return None

    def activate(self) -> None:
        try:
            self._tool = self._make()
        except Exception as error:
            log.exception("a plugin's map tool could not be made")
            self.canvas.tool_failed(error)
            return
        self.cursor = getattr(self._tool, "cursor", Qt.CursorShape.CrossCursor)
        self.wants_shift = bool(getattr(self._tool, "wants_shift", False))
        self.shows_hover = bool(getattr(self._tool, "shows_hover", False))
        self.snaps = bool(getattr(self._tool, "snaps", False))
        self._call("activate")

    def deactivate(self) -> None:
        self._call("deactivate")
        self._tool = self._snap = None

    def _snapped(self, event: ToolEvent) -> ToolEvent:
        self._snap = self.canvas.snapper.snap(event.x, event.y) if self.snaps and not event.alt else None
        return event if self._snap is None else replace(event, x=self._snap.x, y=self._snap.y)

    def press(self, event: ToolEvent) -> None:
        self._call("press", self._snapped(event))

    def move(self, event: ToolEvent) -> None:
        self._call("move", self._snapped(event))
        self.cursor = getattr(self._tool, "cursor", self.cursor)
        self.canvas.set_cursor(self.cursor)
        snaps = bool(getattr(self._tool, "snaps", False))
        if snaps != self.snaps:  # the tool does something else now
            self.snaps = snaps
            self.canvas.snapper.set_enabled(snaps)
            self.canvas.snapper.set_view(self.canvas.viewport)

    def release(self, event: ToolEvent) -> None:
        self._call("release", self._snapped(event))

    def double_click(self, event: ToolEvent) -> None:
        self._call("double_click", self._snapped(event))

    def key(self, event: QKeyEvent) -> bool:
        return bool(self._call("key", event))

    def owns_key(self, event: QKeyEvent) -> bool:
        return bool(self._call("owns_key", event))

    def cancel(self) -> bool:
        return bool(self._call("cancel"))

    def hint(self) -> str:
        return str(self._call("hint") or "")

    def view_changed(self) -> None:
        self._call("view_changed")

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        self._call("paint", painter, viewport.to_screen)
        if self._snap is not None:
            sketch.paint_snap(painter, *viewport.to_screen(self._snap.x, self._snap.y), vertex=self._snap.vertex)
