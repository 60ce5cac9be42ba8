"""One click on the map says where a new asset stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt

from planner_app.i18n import tr


class PlaceTool:
    """A map tool, see ``MapView.use_tool``; clicks snap, Esc leaves it."""

    cursor = Qt.CursorShape.CrossCursor
    snaps = True

    def __init__(self, what: str, picked: Callable[[float, float], None]) -> None:
        self._what, self._picked = what, picked

    def hint(self) -> str:
        """What the click means."""
        return tr("{what}: click its place; Esc leaves", what=self._what)

    def press(self, event: Any) -> None:
        """Take the place."""
        if event.left:
            self._picked(event.x, event.y)
