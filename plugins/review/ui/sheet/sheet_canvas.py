"""The drawing by itself: pan, zoom, select, mark up. Paper stays white in both themes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.viewport import Viewport
from plugins.review.ui.sheet.live import Layered
from plugins.review.ui.sheet.markup.board import MarkBoard
from plugins.review.ui.sheet.markup.painting import paint_marks
from plugins.review.ui.sheet.markup.tool import MarkTool
from plugins.review.ui.sheet.model import SheetModel
from plugins.review.ui.sheet.pages import LivePage
from plugins.review.ui.sheet.paint import Frame, drawing_font
from plugins.review.ui.sheet.pick import pick
from plugins.review.ui.sheet.pointing import Pointed, paint_cross, paint_hint, paint_legend, paint_swipe
from plugins.review.ui.sheet.scene import Extent

_CLICK_PIXELS = 4.0
_PICK_PIXELS = 5.0
_SWIPE_PIXELS = 8.0
#: As on the map: one notch of a wheel zooms by the square root of two, a touchpad's 220 pixels double.
_UNITS_PER_DOUBLING, _PIXELS_PER_DOUBLING = 240.0, 220.0
_FIT = 0.06
_ARROWS = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}


@dataclass(frozen=True, slots=True)
class SheetEvent:
    """A mouse event as the mark-up tool takes it (see ``ui.tools.tool.ToolEvent`` for the map's)."""

    x: float
    y: float
    px: float
    py: float
    left: bool = False
    left_held: bool = False
    shift: bool = False
    alt: bool = False


class SheetCanvas(QWidget):
    """Shows one page of one drawing.

    Signals:
        pointed(x, y): drawing units under the pointer.
        left(): the pointer went away.
        failed(Exception): the file's own picture could not be drawn.
    """

    pointed = Signal(float, float)
    left = Signal()
    failed = Signal(object)

    def __init__(
        self,
        context: PanelContext,
        model: SheetModel,
        board: MarkBoard,
        write: Callable[[str, Callable[[str], None]], None],
        open_photo: Callable[[Any], None],
    ) -> None:
        super().__init__()
        self._context, self._model, self._board = context, model, board
        self.view = Viewport()
        self.tool = MarkTool(board, "sheet", self.update, self.pan, write, open_photo)
        self._layered = Layered(context, "sheet", self, self.update)
        self._pointed = Pointed(model, on_map=False)
        self._page = LivePage(context, self)
        self._page.updated.connect(self.update)
        self._page.failed.connect(self.failed)
        self._record = ""
        self._fit_later = True
        self._pan_from: QPointF | None = None
        self._pressed: QPointF | None = None
        self._swiping = False
        self._space = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(200, 160)
        for signal in (model.look_changed, model.selection_changed, model.pointer_changed, board.changed):
            signal.connect(self.update)
        model.changed.connect(self._another)
        model.highlights_changed.connect(self._pointed_at)
        board.tool_changed.connect(self._tool_changed)
        context.theme_changed.connect(self.update)
        self._another()

    # view

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Logical pixel of a place in drawing units."""
        return self.view.to_screen(x, y)

    def to_sheet(self, px: float, py: float) -> tuple[float, float]:
        """Place in drawing units under a logical pixel."""
        return self.view.to_map(px, py)

    def fit(self, extent: Extent | None = None, margin: float = _FIT) -> None:
        """Show an extent (all of the drawing) whole."""
        extent = extent or self._whole()
        if extent is None or self.width() < 2:
            return
        self._go(self._sized().fitted(extent, 2 * margin))

    def show_extent(self, extent: Extent) -> None:
        """Bring an extent into view with its surroundings; not nearer than a third of what is seen now."""
        whole = self._whole()
        least = max(whole[2] - whole[0], whole[3] - whole[1]) / 40 if whole is not None else 0.0
        xmin, ymin, xmax, ymax = extent
        grow = max(0.0, least - max(xmax - xmin, ymax - ymin)) / 2
        self.fit((xmin - grow, ymin - grow, xmax + grow, ymax + grow), 0.4)

    def zoom(self, factor: float, px: float | None = None, py: float | None = None) -> None:
        """Zoom in by a factor about a pixel (the middle)."""
        px, py = self.width() / 2 if px is None else px, self.height() / 2 if py is None else py
        whole = self._whole()
        size = max(whole[2] - whole[0], whole[3] - whole[1]) if whole is not None else 1.0
        self._go(replace(self._sized(), least=size * 1e-8, most=size).zoomed(factor, px, py))

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by pixels."""
        self._go(self.view.panned(dx, dy))

    def _sized(self) -> Viewport:
        return replace(
            self.view.resized(self.width(), self.height(), self.devicePixelRatioF()), least=0.0, most=math.inf
        )

    def _go(self, view: Viewport) -> None:
        if view != self.view and math.isfinite(view.x + view.y + view.resolution):
            self.view = view
            self.update()

    def _whole(self) -> Extent | None:
        page = self._model.shown_page
        if page is not None:
            return 0.0, 0.0, page.width, page.height
        scenes = self._model.scenes(False)
        if not scenes:
            return None
        scene, look, _ = scenes[-1]
        return scene.main_extent(look.shown) or scene.extent()

    def _another(self) -> None:
        """Another drawing: show it whole."""
        shown = self._model.shown
        record = shown.opened.record.id if shown is not None else self._record
        if record != self._record:
            self._record, self._fit_later = record, True
        if shown is None or not self._model.is_raster:
            self._page.clear()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.view = self._sized()
        if event.oldSize().width() < 2:
            self._fit_later = True

    def _pointed_at(self) -> None:
        """Bring what the panel points at into view."""
        if self._pointed.extent is not None and self.isVisible():
            self.show_extent(self._pointed.extent)
        self.update()

    # painting

    @property
    def ready(self) -> bool:
        """True when the picture shows the view as it is."""
        page = self._model.shown_page
        return self._layered.ready if page is None else self._page.ready

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._fit_later and self._model.shown is not None:
            self._fit_later = False
            self.fit()
        painter = QPainter(self)
        try:
            self._paint(painter)
        finally:
            painter.end()

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        page, model = self._model.shown_page, self._model
        painter.fillRect(self.rect(), QColor("#FFFFFF" if page is None else self._context.colour("background")))
        shown = model.shown
        if shown is None:
            self._paint_empty(painter)
            return
        frame = Frame(*self.to_sheet(0, 0), self.view.resolution, self.width(), self.height(), self.devicePixelRatioF())
        if page is not None and model.comparison is None:
            if model.pages is not None:
                self._page.paint(painter, page, shown.turn, model.pages, frame, self.to_screen)
        else:  # of a PDF that is compared, its lines alone
            swipe = model.comparison.swipe if model.comparison is not None else None
            self._layered.paint(painter, model.scenes(False), model.content(False), frame, self.to_screen, swipe)
        self._pointed.paint(painter, self.to_screen)
        self.tool.see(self.to_screen)
        paint_marks(painter, self._board, "sheet", self.to_screen, self.tool.draft)
        if self._board.active:
            self.tool.paint(painter, self.to_screen)
            paint_hint(painter, self.tool.hint(), self.width(), self.height())
        if model.pointer is not None and model.pointer_from == "map":
            paint_cross(painter, *self.to_screen(*model.pointer))
        if model.comparison is not None:
            paint_legend(painter, 8, self.height() - 8)
        if model.comparison is not None and model.comparison.swipe is not None:
            paint_swipe(painter, self.width() * model.comparison.swipe, self.height(), model.revision_names())

    def _paint_empty(self, painter: QPainter) -> None:
        painter.setFont(drawing_font(13))
        painter.setPen(QColor("#5B6675"))
        text = tr("The drawing is being opened…") if self._model.state.busy else tr("No drawing is open.")
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, text)

    # mouse

    def _event(self, event: QMouseEvent) -> SheetEvent:
        at, keys = event.position(), event.modifiers()
        x, y = self.to_sheet(at.x(), at.y())
        return SheetEvent(
            x, y, at.x(), at.y(), event.button() == Qt.MouseButton.LeftButton,
            bool(event.buttons() & Qt.MouseButton.LeftButton), bool(keys & Qt.KeyboardModifier.ShiftModifier),
            bool(keys & Qt.KeyboardModifier.AltModifier),
        )  # fmt: skip

    def _on_swipe(self, at: QPointF) -> bool:
        comparison = self._model.comparison
        return (
            comparison is not None and comparison.swipe is not None
            and abs(at.x() - comparison.swipe * self.width()) <= _SWIPE_PIXELS
        )  # fmt: skip

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._pan_from = event.position()
        elif left and self._on_swipe(event.position()):
            self._swiping = True
        elif self._board.active:
            self.tool.press(self._event(event))
        elif left:
            self._pressed = event.position()
        self._show_cursor(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pan_from is not None:
            delta, self._pan_from = at - self._pan_from, at
            self.pan(delta.x(), delta.y())
        elif self._swiping:
            self._model.set_swipe(min(max(at.x() / max(self.width(), 1), 0.0), 1.0))
        elif self._board.active:
            self.tool.move(self._event(event))
        elif self._pressed is not None and (at - self._pressed).manhattanLength() >= _CLICK_PIXELS:
            self._pan_from, self._pressed = at, None
        self._show_cursor(at)
        self.pointed.emit(*self.to_sheet(at.x(), at.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
        elif self._swiping:
            self._swiping = False
        elif self._board.active:
            self.tool.release(self._event(event))
        elif self._pressed is not None and event.button() == Qt.MouseButton.LeftButton:
            self._click(event.position())
        self._pressed = None
        self._show_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._board.active:
            self.tool.double_click(self._event(event))
        else:
            self.zoom(2.0, event.position().x(), event.position().y())

    def leaveEvent(self, event: QEvent) -> None:
        self.left.emit()

    def _click(self, at: QPointF) -> None:
        """A mark is on top of the drawing; else the entity under the pointer."""
        mark = self.tool.under(at.x(), at.y())
        self._board.select(mark.id if mark is not None else "")
        if mark is None:
            self._model.select(self.entity_at(at.x(), at.y()))

    def entity_at(self, px: float, py: float) -> str:
        """Handle of the entity under a pixel, "" if there is none."""
        scenes = self._model.scenes(False)
        if not scenes:
            return ""
        scene, look, _ = scenes[-1]
        found = pick(scene, look.shown, *self.to_sheet(px, py), _PICK_PIXELS * self.view.resolution)
        return "" if found is None else scene.handles[found]

    def _show_cursor(self, at: QPointF) -> None:
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._swiping or self._on_swipe(at):
            shape = Qt.CursorShape.SplitHCursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        else:
            shape = self.tool.cursor if self._board.active else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def _tool_changed(self) -> None:
        if not self._board.active:
            self.tool.cancel_all()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        fine = 0.125 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1.0
        pixels = event.pixelDelta()
        if not pixels.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase:
            doublings = pixels.y() / _PIXELS_PER_DOUBLING
        else:
            doublings = event.angleDelta().y() / _UNITS_PER_DOUBLING
        self.zoom(2.0 ** (doublings * fine), event.position().x(), event.position().y())
        event.accept()

    # keys

    def event(self, event: QEvent) -> bool:
        """Keys that are shortcuts of the window belong to the sheet while it needs them."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(max(1.0 + event.value(), 0.1), event.position().x(), event.position().y())
            return True
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = self._board.active and self.tool.owns_key(event)
            if own or event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.escape()
        elif key == Qt.Key.Key_Space:
            self._space = True
        elif self._board.active and self.tool.key(event):
            self.update()
        elif key in _ARROWS:
            dx, dy = _ARROWS[Qt.Key(key)]
            self.pan(dx * self.width() / 8, dy * self.height() / 8)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(2.0)
        elif key == Qt.Key.Key_Minus:
            self.zoom(0.5)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_0):
            self.fit()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
        super().keyReleaseEvent(event)

    def escape(self) -> None:
        """Drop what is begun, then leave the tools, then let the selection go."""
        if self._board.active:
            if not self.tool.cancel():
                self._board.stop()
        elif self._model.selected:
            self._model.select("")
        else:
            self._board.select("")
        self.update()
