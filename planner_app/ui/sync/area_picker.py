"""A small map of a project on the server, to draw the wanted area on before anything is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.outlines import OutlineStyle, draw_outlines
from planner_app.ui.tools import sketch

if TYPE_CHECKING:
    from planner_app.ui.theme import Theme

Box = tuple[float, float, float, float]
#: Records drawn of a layer: enough to know one's way.
MOST = 4_000


class AreaPicker(QWidget):
    """Outlines of one layer; dragging draws the area. ``changed()``."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._geometries: Any = None
        self._viewport: Viewport | None = None
        self._image: QImage | None = None
        self._text = ""
        self._start: QPointF | None = None
        self.box: Box | None = None
        self.setMinimumHeight(theme.px(230))
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(tr("Extent"))

    def say(self, text: str) -> None:
        """Say something in place of a map."""
        self._text, self._geometries, self._image = text, None, None
        self.update()

    def show_geometries(self, geometries: Any) -> None:
        """Show these shapely geometries; the area drawn stays."""
        self._geometries, self._text = geometries, "" if len(geometries) else tr("This layer has no records.")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._image = None
        if self._geometries is not None and len(self._geometries):
            import shapely

            west, south, east, north = shapely.total_bounds(self._geometries)
            extent = (float(west), float(south), float(east), float(north))
            view = Viewport(width=self.width(), height=self.height(), dpr=self.devicePixelRatioF())
            self._viewport = view.fitted(extent, 0.06)
            style = OutlineStyle(QColor("#8A94A3"), width=0.8, fill_alpha=0.18)
            self._image = draw_outlines(self._geometries, self._viewport, style)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.qcolour("line"))
        painter.setBrush(QColor("#FBFBF9"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        if self._image is not None:
            painter.drawImage(QRectF(self.rect()), self._image)
        if self._text:
            painter.setPen(QColor("#5B6675"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        if self.box is not None and self._viewport is not None:
            first, last = (QPointF(*self._viewport.to_screen(x, y)) for x, y in (self.box[:2], self.box[2:]))
            sketch.paint_box(painter, first, last)
            km = (self.box[2] - self.box[0]) / 1000, (self.box[3] - self.box[1]) / 1000
            text = tr("{wide} × {high} km", wide=f"{km[0]:,.2f}", high=f"{km[1]:,.2f}")
            middle = (first + last) / 2
            sketch.paint_chip(painter, self._theme.font(12), middle.x(), middle.y(), text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._viewport is not None:
            self._start = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._start is not None and self._viewport is not None:
            ends = [self._viewport.to_map(p.x(), p.y()) for p in (self._start, event.position())]
            xs, ys = sorted(p[0] for p in ends), sorted(p[1] for p in ends)
            if xs[1] > xs[0] and ys[1] > ys[0]:
                self.box = (xs[0], ys[0], xs[1], ys[1])
                self.changed.emit()
                self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._start = None

    def set_box(self, box: Box | None) -> None:
        """Set or drop the area."""
        self.box = box
        self.update()
