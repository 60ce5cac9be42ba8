"""The placed drawing above the map, as vectors; what is pointed at; the line between two revisions."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QPainter

from planner_app.plugin_api.ui import PanelContext
from plugins.review.ui.sheet.live import Layered, ToScreen
from plugins.review.ui.sheet.model import SheetModel
from plugins.review.ui.sheet.paint import Frame
from plugins.review.ui.sheet.pointing import (
    ON_PAPER,
    outlines,
    paint_cross,
    paint_highlights,
    paint_legend,
    paint_shapes,
    paint_swipe,
)


class MapOverlay(QObject):
    """Draws above the map while there is a placed drawing.

    Args:
        model: what to draw.
    """

    def __init__(self, context: PanelContext, model: SheetModel) -> None:
        super().__init__(model)
        self._context, self._model = context, model
        self._layered = Layered(context, "map", self, context.map.update_overlays)
        self.to_screen: ToScreen = lambda x, y: (x, y)
        self.width = 1.0
        context.map.add_overlay(self.paint)
        for signal in (
            model.changed, model.look_changed, model.selection_changed, model.highlights_changed,
            model.pointer_changed,
        ):  # fmt: skip
            signal.connect(context.map.update_overlays)

    @property
    def ready(self) -> bool:
        """True when the picture shows the view as it is."""
        return self._layered.ready

    def paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        """The overlay of the map."""
        self.to_screen = to_screen
        model = self._model
        frame = self._frame(painter, to_screen)
        self.width = frame.width
        scenes = model.scenes(True) if model.on_map else []
        swipe = model.comparison.swipe if model.comparison is not None else None
        self._layered.paint(painter, scenes, model.content(True), frame, to_screen, swipe)
        shown = model.shown
        if shown is not None and shown.on_map is not None and model.selected and scenes:
            chosen = outlines(shown.on_map, [model.selected])
            paint_shapes(painter, chosen, QColor(ON_PAPER["accent"]), to_screen)
        paint_highlights(painter, model.highlights, shown, True, to_screen)
        if model.pointer is not None and model.pointer_from == "sheet":
            place = model.pointer_on_map()
            if place is not None:
                paint_cross(painter, *to_screen(*place))
        if model.comparison is not None and scenes:
            paint_legend(painter, 110, frame.height - 8)
        if swipe is not None and scenes:
            paint_swipe(painter, frame.width * swipe, frame.height, model.revision_names())

    def _frame(self, painter: QPainter, to_screen: ToScreen) -> Frame:
        xmin, ymin, xmax, ymax = self._context.map.extent()
        left, top = to_screen(xmin, ymax)
        right, bottom = to_screen(xmax, ymin)
        width, height = max(round(right - left), 1), max(round(bottom - top), 1)
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        return Frame(xmin, ymax, (xmax - xmin) / width, width, height, ratio)
