"""A small picture of a drawing, in drawing units: to look at, to choose the site plan's region, to pick points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.viewport import Viewport

if TYPE_CHECKING:
    from plugins.review.ui.sheet.paint import Frame, Picture
    from plugins.review.ui.sheet.scene import Scene

Box = tuple[float, float, float, float]
_MARGIN = 0.06
_SETTLE_MS = 60
#: A click takes the drawing's vertex within this many pixels.
_SNAP = 9.0
_DRAG = 5.0
#: This part of the entities at each side may be strays, if there are not few of them.
_STRAY, _FEW = 0.005, 200


class DrawingPicture(QWidget):
    """The picture. The wheel zooms, dragging moves it; in mode ``region`` dragging draws a box.

    Signals:
        region_drawn(tuple): xmin, ymin, xmax, ymax in drawing units.
        candidate_clicked(int): number of a candidate region.
        point_picked(float, float): in drawing units, snapped to a vertex nearby.
    """

    region_drawn = Signal(tuple)
    candidate_clicked = Signal(int)
    point_picked = Signal(float, float)

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.setMinimumSize(280, 240)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.mode = "look"
        self.candidates: Sequence[Box] = ()
        self.region: Box | None = None
        self.points: Sequence[tuple[float, float, str]] = ()
        self.empty_text = tr("Reading …")
        self._scene: Scene | None = None
        self._raster: tuple[QImage, Box] | None = None
        self._extent: Box = (0.0, 0.0, 1.0, 1.0)
        self._view = Viewport(least=0.0, most=math.inf)
        self._fitted = True
        self._picture: Picture | None = None
        self._turn = 0
        self._pressed: QPointF | None = None
        self._last = QPointF()
        self._dragged = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._render)

    def sizeHint(self) -> QSize:
        return QSize(460, 420)

    # what is shown

    def show_scene(self, scene: Scene, raster: tuple[QImage, Box] | None = None) -> None:
        """Show a drawing; ``raster``: a page's picture and where it lies, below the entities."""
        self._scene, self._raster, self._picture = scene, raster, None
        found = raster[1] if raster is not None else _robust(scene)
        self._extent = found or (0.0, 0.0, 1.0, 1.0)
        self.empty_text = "" if found is not None else tr("There is nothing to draw in this file.")
        self.fit()

    def show_regions(self, candidates: Sequence[Box], region: Box | None) -> None:
        """Outline the candidate regions; the one in use is bright."""
        self.candidates, self.region = candidates, region
        if region is not None:
            self._extent = _around(self._extent, region)
        self.fit() if self._fitted else self.update()

    def show_points(self, points: Sequence[tuple[float, float, str]]) -> None:
        """Mark these points (x, y, name)."""
        self.points = points
        self.update()

    def set_mode(self, mode: str) -> None:
        """``look`` | ``region`` | ``pick``."""
        self.mode = mode
        self.setCursor(Qt.CursorShape.ArrowCursor if mode == "look" else Qt.CursorShape.CrossCursor)

    def fit(self, box: Box | None = None) -> None:
        """Show everything, or a box."""
        self._fitted = box is None
        self._view = self._sized().fitted(box or self._extent, 2 * _MARGIN)
        self._changed()

    def _sized(self) -> Viewport:
        return self._view.resized(self.width(), self.height(), self.devicePixelRatioF())

    def _changed(self) -> None:
        self._settle.start()
        self.update()

    # rendering, off this thread

    def _frame(self) -> Frame:
        from plugins.review.ui.sheet.paint import Frame

        view = self._view = self._sized()
        return Frame(*view.to_map(0, 0), view.resolution, view.width, view.height, view.dpr)

    def _render(self) -> None:
        scene = self._scene
        if scene is None or self._raster is not None or self.width() < 2:  # a page's picture shows all there is
            return
        self._turn += 1
        turn, frame = self._turn, self._frame()

        def work() -> Picture | None:
            from plugins.review.ui.sheet.paint import Look, Picture, render

            image = render(scene, frame, Look(scene.shown(scene.hidden)), lambda: turn == self._turn)
            return Picture(image, frame) if image is not None else None

        def done(picture: Picture | None) -> None:
            if turn == self._turn and picture is not None and isValid(self):
                self._picture = picture
                self.update()

        self._context.in_background(f"picture-{id(self)}", work, done)

    def hideEvent(self, event: Any) -> None:
        self._turn += 1  # nobody looks: stop drawing
        super().hideEvent(event)

    # coordinates

    def _to_drawing(self, place: QPointF) -> tuple[float, float]:
        return self._view.to_map(place.x(), place.y())

    def _rect(self, box: Box) -> QRectF:
        return QRectF(*self._view.rectangle(box))

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor("#FBFBF9"))  # paper: in both themes, as the drawing's colours expect
        if self._raster is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._rect(self._raster[1]), self._raster[0])
        if self._picture is not None:
            from plugins.review.ui.sheet.paint import paint_picture

            paint_picture(painter, self._picture, self._view.to_screen)
        self._paint_regions(painter)
        self._paint_points(painter)
        if self.mode == "region" and self._pressed is not None and self._dragged:
            painter.setPen(QPen(self._accent(), 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self._pressed, self._last).normalized())
        painter.setPen(
            QPen(self.palette().color(QPalette.ColorRole.Accent if self.hasFocus() else QPalette.ColorRole.Mid))
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        if self.empty_text:
            painter.setPen(QColor("#5B6675"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.empty_text)

    def _accent(self) -> QColor:
        return QColor("#1F5FAE")  # on paper, whatever the theme

    def _paint_regions(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, box in enumerate(self.candidates, start=1):
            used = self.region is not None and box == self.region
            painter.setPen(
                QPen(self._accent() if used else QColor("#8893A1"), 2.0 if used else 1.0, Qt.PenStyle.DashLine)
            )
            rect = self._rect(box)
            painter.drawRect(rect)
            painter.drawText(rect.topLeft() + QPointF(4, 14), str(number))
        if self.region is not None and self.region not in self.candidates:
            painter.setPen(QPen(self._accent(), 2.0))
            painter.drawRect(self._rect(self.region))

    def _paint_points(self, painter: QPainter) -> None:
        for x, y, name in self.points:
            place = QPointF(*self._view.to_screen(x, y))
            painter.setPen(QPen(QColor("#FFFFFF"), 4))
            painter.drawEllipse(place, 5, 5)
            painter.setPen(QPen(QColor("#C0322B"), 2))
            painter.drawEllipse(place, 5, 5)
            painter.drawText(place + QPointF(9, -6), name)

    # what the person does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self._last = event.position()
        self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        place = event.position()
        step = place - self._last
        self._dragged |= math.hypot(*(place - self._pressed).toTuple()) > _DRAG
        if self._dragged and (self.mode != "region" or event.buttons() & Qt.MouseButton.MiddleButton):
            self._fitted = False
            self._view = self._view.panned(step.x(), step.y())
            self._changed()
        self._last = place
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is None:
            return
        if self._dragged and self.mode == "region":
            (x0, y0), (x1, y1) = self._to_drawing(pressed), self._to_drawing(event.position())
            self.region_drawn.emit((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        elif not self._dragged and self.mode == "pick":
            self.point_picked.emit(*self._snapped(event.position()))
        elif not self._dragged:
            x, y = self._to_drawing(event.position())
            hits = [at for at, (a, b, c, d) in enumerate(self.candidates) if a <= x <= c and b <= y <= d]
            if hits:
                self.candidate_clicked.emit(min(hits, key=lambda at: _area(self.candidates[at])))
        self.update()

    def _snapped(self, place: QPointF) -> tuple[float, float]:
        """The vertex nearest to a click, or the click itself."""
        x, y = self._to_drawing(place)
        if self._scene is None:
            return x, y
        import numpy as np

        parts = [part.xy for part in (self._scene.lines, self._scene.fills) if len(part.xy)]
        best, reach = (x, y), _SNAP * self._view.resolution
        for xy in parts:
            gap = np.hypot(xy[:, 0] - x, xy[:, 1] - y)
            at = int(np.nanargmin(gap)) if np.isfinite(gap).any() else -1
            if at >= 0 and gap[at] < reach:
                best, reach = (float(xy[at, 0]), float(xy[at, 1])), float(gap[at])
        return best

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._zoom(1.25 if event.angleDelta().y() > 0 else 0.8, event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle = QPointF(self.width() / 2, self.height() / 2)
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom(1.25, middle)
        elif event.key() == Qt.Key.Key_Minus:
            self._zoom(0.8, middle)
        elif event.key() == Qt.Key.Key_Home:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _zoom(self, factor: float, place: QPointF) -> None:
        self._fitted = False
        self._view = self._view.zoomed(factor, place.x(), place.y())
        self._changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._view = self._sized()
        self.fit() if self._fitted else self._changed()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()


def _robust(scene: Scene) -> Box | None:
    """Where the drawing is, but for strays: a point left over far away would make everything else a dot."""
    import numpy as np

    whole = scene.extent()
    boxes = [part.box for part in (scene.lines, scene.fills) if len(part.entity)]
    every = np.concatenate(boxes) if boxes else np.empty((0, 4))
    every = every[np.isfinite(every).all(axis=1)]
    if whole is None or len(every) < _FEW:
        return whole
    low, high = np.quantile(every[:, :2], _STRAY, axis=0), np.quantile(every[:, 2:], 1 - _STRAY, axis=0)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return box if _area(box) < _area(whole) / 2 else whole


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
