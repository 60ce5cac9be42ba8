"""Asking for a place on the map: one click, Esc leaves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt

from planner_app.plugin_api.ui import PanelContext

Place = tuple[float, float]


class _PickTool:
    """A map tool for a single click; see ``planner_app.plugin_api.ui.MapView.use_tool``."""

    cursor = Qt.CursorShape.CrossCursor
    snaps = True

    def __init__(self, hint: str, answer: Callable[[Place | None], None]) -> None:
        self._hint, self._answer = hint, answer

    def hint(self) -> str:
        return self._hint

    def press(self, event: Any) -> None:
        if event.left:
            self._give((event.x, event.y))

    def deactivate(self) -> None:
        self._give(None)

    def _give(self, place: Place | None) -> None:
        answer, self._answer = self._answer, _nothing
        answer(place)


def _nothing(place: Place | None) -> None:
    return None


def pick_point(context: PanelContext, hint: str, picked: Callable[[Place | None], None]) -> None:
    """Let the person click a place (easting, northing); ``picked`` gets None if the tool was left."""

    def answer(place: Place | None) -> None:
        if place is not None:
            context.map.use_tool(None)
        picked(place)

    context.map.use_tool(lambda: _PickTool(hint, answer))
