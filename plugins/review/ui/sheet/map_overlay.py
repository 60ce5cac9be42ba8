"""The placed drawing above the map, as vectors; what is pointed at; the line between two revisions."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QPainter, QTransform

from planner_app.plugin_api.ui import PanelContext
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.ui.sheet.live import Layered, LivePicture, ToScreen
from plugins.review.ui.sheet.model import SheetModel, sheet_to_map
from plugins.review.ui.sheet.pages import page_frame
from plugins.review.ui.sheet.paint import Frame
from plugins.review.ui.sheet.pointing import Pointed, paint_cross, paint_legend, paint_swipe

#: An image on the map: pixels of its longer side, and how much of the map it hides.
_IMAGE_PIXELS, _IMAGE_OPACITY = 4000, 0.75


class MapOverlay(QObject):
    """Draws above the map while there is a placed drawing.

    Args:
        model: what to draw.
    """

    def __init__(self, context: PanelContext, model: SheetModel) -> None:
        super().__init__(model)
        self._context, self._model = context, model
        self._layered = Layered(context, "map", self, context.map.update_overlays)
        self._image = LivePicture(context, "map-image", self)
        self._image.updated.connect(context.map.update_overlays)
        self._pointed = Pointed(model, on_map=True)
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
        model = self._model
        frame = self._frame(painter, to_screen)
        self.width = frame.width
        if model.on_map:
            self._paint_image(painter, to_screen)
        scenes = model.scenes(True) if model.on_map else []
        swipe = model.comparison.swipe if model.comparison is not None else None
        self._layered.paint(painter, scenes, model.content(True), frame, to_screen, swipe)
        self._pointed.paint(painter, to_screen, selection=bool(scenes))
        if model.pointer is not None and model.pointer_from == "sheet":
            place = model.pointer_on_map()
            if place is not None:
                paint_cross(painter, *to_screen(*place))
        if model.comparison is not None and scenes:
            paint_legend(painter, 110, frame.height - 8)
        if swipe is not None and scenes:
            paint_swipe(painter, frame.width * swipe, frame.height, model.revision_names())

    def _paint_image(self, painter: QPainter, to_screen: ToScreen) -> None:
        """A placed image has no lines: it is laid on the map as a whole, and the map is seen through it."""
        model, shown = self._model, self._model.shown
        page, pages = model.shown_page, model.pages
        image = shown is not None and shown.opened.drawing.format is DrawingFormat.IMAGE
        if shown is None or page is None or pages is None or not image:
            self._image.clear()
            return
        corners = sheet_to_map(shown, [(0.0, page.height), (page.width, page.height), (0.0, 0.0)])
        if corners is None:
            return
        content = (shown.turn, page.number)
        self._image.want(
            page_frame(page, _IMAGE_PIXELS), content, lambda part, wanted: pages.draw(page, part, wanted), margin=0.0
        )
        picture = self._image.picture
        if picture is not None:
            (x0, y0), (x1, y1), (x2, y2) = (to_screen(*corner) for corner in corners)
            width, height = picture.image.width(), picture.image.height()
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(_IMAGE_OPACITY)
            turn = QTransform(
                (x1 - x0) / width, (y1 - y0) / width, (x2 - x0) / height, (y2 - y0) / height, x0, y0
            )  # fmt: skip
            painter.setTransform(turn, combine=True)
            painter.drawImage(0, 0, picture.image)
            painter.restore()

    def _frame(self, painter: QPainter, to_screen: ToScreen) -> Frame:
        xmin, ymin, xmax, ymax = self._context.map.extent()
        left, top = to_screen(xmin, ymax)
        right, bottom = to_screen(xmax, ymin)
        width, height = max(round(right - left), 1), max(round(bottom - top), 1)
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        return Frame(xmin, ymax, (xmax - xmin) / width, width, height, ratio)
