"""Dragging the line between two revisions on the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt

from planner_app.i18n import tr
from plugins.review.ui.sheet.model import SheetModel


class SwipeTool:
    """A map tool (see ``planner_app.plugin_api.ui.MapView.use_tool``): drag anywhere moves the line."""

    cursor = Qt.CursorShape.SplitHCursor

    def __init__(self, model: SheetModel, width: Callable[[], float], left: Callable[[], None]) -> None:
        self._model, self._width, self._left = model, width, left

    def hint(self) -> str:
        """What to do."""
        return tr("Drag the line: the older revision on its left, the newer on its right. Esc leaves it there.")

    def press(self, event: Any) -> None:
        """Take the line to the pointer."""
        if event.left:
            self._to(event.px)

    def move(self, event: Any) -> None:
        """Follow the hand."""
        if event.left_held:
            self._to(event.px)

    def deactivate(self) -> None:
        """Another tool was taken up."""
        self._left()

    def _to(self, px: float) -> None:
        self._model.set_swipe(min(max(px / max(self._width(), 1.0), 0.0), 1.0))
