"""Dragging the line between two revisions on the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt

from planner_app.i18n import tr
from plugins.review.ui.sheet.model import SheetModel

#: A press this near to the line takes hold of it; elsewhere the map is moved.
_REACH = 12.0


class SwipeTool:
    """A map tool (see ``planner_app.plugin_api.ui.MapView.use_tool``).

    Args:
        width: of the map in pixels; pan: moves it; left: called when another tool is taken up.
    """

    def __init__(
        self,
        model: SheetModel,
        width: Callable[[], float],
        pan: Callable[[float, float], None],
        left: Callable[[], None],
    ) -> None:
        self._model, self._width, self._pan, self._left = model, width, pan, left
        self._held = False
        self._from: tuple[float, float] | None = None
        self.cursor = Qt.CursorShape.OpenHandCursor

    def hint(self) -> str:
        """What to do."""
        return tr("Drag the line: the older revision on its left, the newer on its right. Esc leaves it there.")

    def press(self, event: Any) -> None:
        """Take hold of the line, or of the map."""
        if event.left:
            self._held = self._near(event)
            self._from = (event.px, event.py)

    def move(self, event: Any) -> None:
        """Follow the hand."""
        if self._held and event.left_held:
            self._model.set_swipe(min(max(event.px / max(self._width(), 1.0), 0.0), 1.0))
        elif self._from is not None and event.left_held:
            self._pan(event.px - self._from[0], event.py - self._from[1])
            self._from = (event.px, event.py)
        near = self._held or self._near(event)
        self.cursor = Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.OpenHandCursor

    def release(self, event: Any) -> None:
        """Let go."""
        self._held, self._from = False, None

    def deactivate(self) -> None:
        """Another tool was taken up."""
        self._left()

    def _near(self, event: Any) -> bool:
        comparison = self._model.comparison
        swipe = comparison.swipe if comparison is not None else None
        return swipe is not None and bool(abs(event.px - swipe * self._width()) <= _REACH)
