"""The views of the map a person came from."""

from __future__ import annotations

from planner_app.plugin_api.viewport import Viewport


class History:
    """Views to go back and forward to, as in a browser."""

    def __init__(self, limit: int = 100) -> None:
        self._views: list[Viewport] = []
        self._at = -1
        self._limit = limit

    def push(self, view: Viewport) -> None:
        """Remember a view a person came to; what lay forward is forgotten. The same view again is not kept."""
        if self._at >= 0 and self._views[self._at].same_view(view):
            return
        del self._views[self._at + 1 :]
        self._views.append(view)
        del self._views[: -self._limit]
        self._at = len(self._views) - 1

    def back(self) -> Viewport | None:
        """The previous view, or None at the oldest."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self._views[self._at]

    def forward(self) -> Viewport | None:
        """The next view, or None at the newest."""
        if self._at + 1 >= len(self._views):
            return None
        self._at += 1
        return self._views[self._at]

    def clear(self) -> None:
        """Forget all views."""
        self._views.clear()
        self._at = -1
