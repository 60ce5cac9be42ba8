"""What plugins and panels draw above the map."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtGui import QPainter

from planner_app.plugin_api.viewport import Viewport

log = logging.getLogger(__name__)

Paint = Callable[[QPainter, Callable[[float, float], tuple[float, float]]], None]


class Overlay:
    """Handle of one overlay."""

    def __init__(self, paint: Paint, above: bool) -> None:
        self.paint, self.above = paint, above


class Overlays:
    """Overlays in the order they were added, those that stand above the others last.

    One that fails is logged and left out; the others go on.
    """

    def __init__(self) -> None:
        self._overlays: list[Overlay] = []

    def add(self, paint: Paint, *, above: bool = False) -> Overlay:
        """Add a painter; returns its handle."""
        overlay = Overlay(paint, above)
        self._overlays.append(overlay)
        self._overlays.sort(key=lambda one: one.above)
        return overlay

    def remove(self, handle: object) -> None:
        """Remove by handle; an unknown one is ignored."""
        self._overlays = [o for o in self._overlays if o is not handle]

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Let each draw with a painter of its own state."""
        for overlay in list(self._overlays):
            painter.save()
            try:
                overlay.paint(painter, viewport.to_screen)
            except Exception:
                log.exception("an overlay failed and is no longer drawn")
                self.remove(overlay)
            finally:
                painter.restore()
