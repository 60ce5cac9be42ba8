"""The map: shows pictures the engine drew, moves them at once under the hand, and lets tools work on it.

A gesture only changes the viewport and asks for a repaint; nothing here waits for a render, a query or a file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.ui.canvas.background import Background
from planner_app.ui.canvas.content import MapContent
from planner_app.ui.canvas.empty_state import empty_text, engine_note, paint_empty
from planner_app.ui.canvas.gestures import Gestures
from planner_app.ui.canvas.hover import Hover
from planner_app.ui.canvas.overlays import Overlays, Paint
from planner_app.ui.canvas.picture import paint_pictures
from planner_app.ui.canvas.render_scheduler import RenderScheduler
from planner_app.ui.canvas.scale_bar import paint_scale_bar
from planner_app.ui.canvas.selection_layer import SelectionLayer, feature_extent
from planner_app.ui.canvas.snapping import Snapper
from planner_app.ui.canvas.viewport import Extent, History, Viewport, united
from planner_app.ui.tools import sketch
from planner_app.ui.tools.catalogue import DEFAULT, own_tools
from planner_app.ui.tools.draw_polygon import DrawPolygonTool
from planner_app.ui.tools.measure import measure
from planner_app.ui.tools.tool import PluginTool, Tool, ToolInfo

if TYPE_CHECKING:
    from planner_app.domain.changeset import ChangeSet
    from planner_app.domain.layer import LayerInfo
    from planner_app.ui.session import Session

log = logging.getLogger(__name__)

PAPER = QColor("#FFFFFF")
#: After this long without movement a view becomes one to go back to.
REMEMBER_MS = 600
FULL_MARGIN = 0.06
#: States of an engine that answers nothing; stopping it also ends its views. Not started yet counts as stopped too.
ENGINE_GONE = ("stopped", "failed", "missing")
#: A single point or a tiny feature is shown with this much around it, in metres.
SMALLEST_ZOOM = 40.0


class MapCanvas(QWidget):
    """The map widget.

    Signals:
        view_changed(): after a pan, zoom or resize.
        cursor_moved(x, y): map coordinates under the pointer.
        tool_changed(id): another tool is active.
        history_changed(): previous/next view became possible or not.
        rendering_changed(bool): the engine draws for this map, or stopped.
        message(level, text): something to say; level info|success|warning|error.
    """

    view_changed = Signal()
    cursor_moved = Signal(float, float)
    tool_changed = Signal(str)
    history_changed = Signal()
    rendering_changed = Signal(bool)
    message = Signal(str, str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.viewport = Viewport(width=self.width(), height=self.height())
        self.history = History()
        self.background = Background(self)
        self.overlays = Overlays()
        self.content = MapContent(session)
        self.scheduler = RenderScheduler(self._request, self)
        self.selection_layer = SelectionLayer(session.selection, self.background, self)
        self.snapper = Snapper(self.background, self)
        self.hover = Hover(self)
        self.gestures = Gestures(self)
        self._unfitted = True
        self._engine_state = ""
        self._tools: dict[str, Tool] = {}
        self._infos: list[ToolInfo] = []
        for info, make in own_tools():
            self._infos.append(info)
            self._tools[info.id] = make(self)
        self._tool_id = DEFAULT
        self._hint = ""
        self._remember = QTimer(self)
        self._remember.setSingleShot(True)
        self._remember.setInterval(REMEMBER_MS)
        self._remember.timeout.connect(self._remember_view)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(200, 150)
        self.set_cursor(self.tool.cursor)
        self._connect()
        self._project_changed()

    def _connect(self) -> None:
        session = self.session
        session.project_changed.connect(self._project_changed)
        session.data_changed.connect(self._data_changed)
        session.theme.changed.connect(self.update)
        self.scheduler.updated.connect(self.update)
        self.scheduler.updated.connect(self._warm_up)
        self.scheduler.rendering_changed.connect(self.rendering_changed)
        self.scheduler.failed.connect(self._render_failed)
        self.selection_layer.updated.connect(self.update)
        session.current_layer_changed.connect(self.update_hint)
        if session.engine is not None:
            session.engine.state_changed.connect(self._engine_changed)
            if session.engine.state not in ENGINE_GONE[1:]:
                self.scheduler.set_renderer(session.engine.view("map"))

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(900, 640)

    # project, data, engine

    def _project_changed(self) -> None:
        self.scheduler.clear()
        self.history.clear()
        self.hover.hide()
        self.leave_tool()
        self.content.reload()
        project = self.session.project
        self._unfitted = True
        self.selection_layer.set_project(project)
        self._layers_reloaded()
        self._fit_first()
        self.history_changed.emit()
        self.tool_changed.emit(self._tool_id)

    def _data_changed(self, change: ChangeSet, _initiator: object) -> None:
        if self.session.project is None:
            return
        drawn_anew = self.content.changed(change)
        self.update()
        self.update_hint()
        if not drawn_anew:
            return
        self.hover.hide()
        if change.tables() & set(self.session.selection.layer_ids()):
            self.selection_layer.reload()
        self._layers_reloaded()
        self._fit_first()
        self._show(at_once=True)

    def _layers_reloaded(self) -> None:
        extent = self.content.extent()
        self.scheduler.set_full_extent(extent)
        self.snapper.set_source(self.session.project, self.visible_layer_ids())
        self.update()

    def _fit_first(self) -> None:
        """Show everything when a project gets its first extent."""
        extent = self.content.extent()
        if self._unfitted and extent is not None and self.width() > 1:
            self._unfitted = False
            self._go(self.viewport.fitted(extent, FULL_MARGIN))

    def _engine_changed(self, state: str) -> None:
        engine = self.session.engine
        if engine is None or state in ENGINE_GONE:
            self.scheduler.set_renderer(None)
        elif not self.scheduler.has_renderer():
            self.scheduler.set_renderer(engine.view("map"))
        # From busy to ready is the end of some request: asking again then would repeat one that fails for ever.
        returned, self._engine_state = self._engine_state != "busy", state
        if state == "ready" and returned:
            self._show(at_once=True)
        self.update()

    def _warm_up(self) -> None:
        """Load what measures and the hover card need once the first map stands: 0.3 s, before the hand asks for it."""
        project = self.session.project
        if project is not None and self.scheduler.is_final():
            self.scheduler.updated.disconnect(self._warm_up)
            crs = project.crs
            self.background.run("warm", lambda: measure([(0, 0), (1, 0), (1, 1)], crs, True), lambda _: None)

    def _render_failed(self, error: object) -> None:
        if isinstance(error, Exception):
            self.report(error)
        self.update()

    def _request(self, viewport: Viewport) -> Any:
        from planner_app.engine_client import LayerDraw, RenderRequest

        layers = [LayerDraw(layer.id, layer.opacity) for layer in self.content.visible]
        return RenderRequest(
            extent=viewport.extent(),
            width=round(viewport.width * viewport.dpr),
            height=round(viewport.height * viewport.dpr),
            dpr=viewport.dpr,
            layers=layers,
        )

    # view

    def extent(self) -> Extent:
        """Map extent of the window."""
        return self.viewport.extent()

    def scale(self) -> float:
        """Denominator of the scale."""
        return self.viewport.scale

    def set_scale(self, denominator: float) -> None:
        """Show the same centre at 1 : denominator."""
        if denominator > 0:
            self._go(self.viewport.scaled(denominator))

    def set_viewport(self, viewport: Viewport, *, at_once: bool = False) -> None:
        """Show another view; part of a gesture unless ``at_once``."""
        if viewport == self.viewport:
            return
        self.viewport = viewport
        self.hover.hide()
        self._show(at_once=at_once)
        self._remember.start()
        self.tool.view_changed()
        self.update()
        self.view_changed.emit()

    def _go(self, viewport: Viewport) -> None:
        """Jump to a view and remember both ends."""
        self._remember_view()
        self.set_viewport(viewport, at_once=True)
        self._remember_view()

    def _show(self, at_once: bool = False) -> None:
        self.scheduler.want(self.viewport, self._content(), at_once=at_once)
        self.selection_layer.set_view(self.viewport)
        self.snapper.set_view(self.viewport)

    def _content(self) -> Hashable:
        return self.content.key if self.session.project is not None and not self._unfitted else None

    def _remember_view(self) -> None:
        self._remember.stop()
        if not self._unfitted:
            self.history.push(self.viewport)
            self.history_changed.emit()

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by pixels."""
        self.set_viewport(self.viewport.panned(dx, dy))

    def zoom_about(self, factor: float, px: float, py: float) -> None:
        """Zoom in by ``factor`` with the map point under (px, py) held."""
        self.set_viewport(self.viewport.zoomed(factor, px, py))

    def centre_on(self, x: float, y: float) -> None:
        """Move a map point to the middle."""
        px, py = self.viewport.to_screen(x, y)
        self.set_viewport(self.viewport.panned(self.width() / 2 - px, self.height() / 2 - py), at_once=True)

    def zoom_in(self) -> None:
        """Twice as near."""
        self.zoom_about(2.0, self.width() / 2, self.height() / 2)

    def zoom_out(self) -> None:
        """Twice as far."""
        self.zoom_about(0.5, self.width() / 2, self.height() / 2)

    def zoom_full(self) -> None:
        """Show everything that is visible (everything there is, if nothing is)."""
        extent = self.content.extent()
        if extent is not None:
            self._go(self.viewport.fitted(extent, FULL_MARGIN))

    def zoom_to_extent(self, extent: Extent, margin: float = 0.15) -> None:
        """Show an extent with ``margin`` of its size left free; a tiny one is shown with its surroundings."""
        x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
        half = max(extent[2] - extent[0], extent[3] - extent[1], SMALLEST_ZOOM) / 2
        tiny = max(extent[2] - extent[0], extent[3] - extent[1]) < SMALLEST_ZOOM and margin > 0
        self._unfitted = False
        self._go(self.viewport.fitted((x - half, y - half, x + half, y + half) if tiny else extent, margin))

    def zoom_to_layer(self, layer_id: str) -> None:
        """Show a layer whole."""
        project = self.session.project
        extent = project.extent(layer_id) if project is not None else None
        if extent is None:
            self.say("info", tr("This layer has no geometry to show."))
        else:
            self.zoom_to_extent(extent, FULL_MARGIN)

    def zoom_to_features(self, layer_id: str, fids: Sequence[int]) -> None:
        """Show features; their geometry is read off the UI thread."""
        self._zoom_to({layer_id: tuple(fids)})

    def zoom_to_selection(self) -> None:
        """Show the selection."""
        selection = self.session.selection
        self._zoom_to({layer: selection.fids(layer) for layer in selection.layer_ids()})

    def _zoom_to(self, features: dict[str, tuple[int, ...]]) -> None:
        project = self.session.project
        if project is None or not features:
            return

        def work() -> Extent | None:
            found = [feature_extent(project, layer, fids) for layer, fids in features.items()]
            return united([extent for extent in found if extent is not None])

        def done(extent: Extent | None) -> None:
            if extent is not None:
                self.zoom_to_extent(extent, 0.6)

        self.background.run("zoom", work, done, self.report)

    def view_back(self) -> None:
        """The previous view."""
        self._remember_view()
        self._return_to(self.history.back())

    def view_forward(self) -> None:
        """The next view."""
        self._return_to(self.history.forward())

    def _return_to(self, view: Viewport | None) -> None:
        if view is not None:
            self.set_viewport(view.resized(self.width(), self.height(), self.devicePixelRatioF()), at_once=True)
            self._remember.stop()
            self.history_changed.emit()

    # layers

    def visible_layers(self) -> list[LayerInfo]:
        """Layers with a geometry that are switched on, topmost first."""
        return self.content.visible

    def visible_layer_ids(self) -> list[str]:
        """Their ids."""
        return [layer.id for layer in self.content.visible]

    def target_layer(self) -> LayerInfo | None:
        """The polygon layer that new polygons go into: the current one if it takes polygons."""
        layer = self.content.layer(self.session.current_layer)
        return layer if layer is not None and layer.geometry == "polygon" and not layer.locked else None

    def delete_selection(self) -> None:
        """Delete the selected features, one undoable command per layer."""
        from planner_app.project.commands import DeleteFeatures

        selection, count = self.session.selection, 0
        for layer_id in selection.layer_ids():
            fids = selection.fids(layer_id)
            layer = self.content.layer(layer_id)
            if layer is not None and layer.locked:
                self.say("warning", tr("“{layer}” is locked.", layer=layer.name))
            elif self.session.execute(DeleteFeatures(layer_id, fids), self) is not None:
                count += len(fids)
        if count:
            self.say("info", tr("{count} deleted. Ctrl+Z brings them back.", count=count))

    # tools

    @property
    def tool(self) -> Tool:
        """The active tool."""
        return self._tools[self._tool_id]

    @property
    def tool_id(self) -> str:
        """Id of the active tool."""
        return self._tool_id

    def tool_ids(self) -> list[str]:
        """Ids of all tools."""
        return [info.id for info in self._infos]

    def tool_infos(self) -> list[ToolInfo]:
        """Data for toolbars: id, title, icon, shortcut, group."""
        return list(self._infos)

    def add_tool(self, info: ToolInfo, make: Callable[[], Any]) -> None:
        """Add a plugin's tool; it is made each time it is chosen."""
        if info.id not in self._tools:
            self._infos.append(info)
            self._tools[info.id] = PluginTool(self, make)

    def set_tool(self, tool_id: str) -> None:
        """Choose a tool; an unknown id is ignored."""
        if tool_id not in self._tools or tool_id == self._tool_id:
            return
        self.tool.deactivate()
        self.hover.hide()
        self._tool_id = tool_id
        self.tool.activate()
        self.snapper.set_enabled(self.tool.snaps)
        self.snapper.set_view(self.viewport)
        self.set_cursor(self.tool.cursor)
        self.update_hint()
        self.tool_changed.emit(tool_id)

    def leave_tool(self) -> None:
        """Back to the default tool."""
        self.set_tool(DEFAULT)

    def tool_failed(self, error: Exception) -> None:
        """A plugin's tool failed: leave it and say so."""
        self.leave_tool()
        self.say("error", tr("The tool stopped: {detail}", detail=str(error) or type(error).__name__))

    def escape(self) -> None:
        """Drop what the tool began; else leave the tool; else clear the selection."""
        if self.gestures.cancel() or self.tool.cancel():
            self.update()
        elif self._tool_id != DEFAULT:
            self.leave_tool()
        else:
            self.session.selection.clear()

    def draw_polygon(self, finished: Callable[[bytes | None], None]) -> None:
        """Let the person draw a polygon; ``finished`` gets its WKB, or None if it was dropped."""
        tool = self._tools["draw_polygon"]
        assert isinstance(tool, DrawPolygonTool)
        self.set_tool("draw_polygon")
        tool.ask(finished)
        self.setFocus()

    def set_cursor(self, shape: Qt.CursorShape) -> None:
        """Show a pointer; a running pan gesture keeps its own."""
        if not self.gestures.panning() and self.cursor().shape() != shape:
            self.setCursor(shape)

    # saying things

    def say(self, level: str, text: str) -> None:
        """Say something in the message bar."""
        self.message.emit(level, text)

    def report(self, error: Exception) -> None:
        """Word an error and say it."""
        if isinstance(error, PlannerError):
            sentence, hint = self.session.word(error)
            self.say("error", f"{sentence} {hint}".strip())
        else:
            self.session.show_error(error)

    def update_hint(self, _changed: object = None) -> None:
        """Show the tool's hint anew."""
        hint = self.tool.hint()
        if hint != self._hint:
            self._hint = hint
            self.update()

    # overlays

    def add_overlay(self, paint: Paint) -> object:
        """Draw above the map with a painter and a function from map to widget coordinates; returns a handle."""
        handle = self.overlays.add(paint)
        self.update()
        return handle

    def remove_overlay(self, handle: object) -> None:
        """Take an overlay away."""
        self.overlays.remove(handle)
        self.update()

    def update_overlays(self) -> None:
        """Paint the overlays anew."""
        self.update()

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Old and new pictures, selection, overlays, tool, scale bar."""
        painter = QPainter(self)
        try:
            self._paint(painter, QRectF(event.rect()))
        finally:
            painter.end()

    def _paint(self, painter: QPainter, area: QRectF) -> None:
        self._paint_map(painter, area)
        text = empty_text(self.session, self.content, self.scheduler.is_final())
        if text is not None:
            paint_empty(painter, self.session.theme, QRectF(self.rect()), text)
        if self._content() is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        self.tool.paint(painter, self.viewport)
        self.gestures.paint(painter)
        painter.restore()
        font = self.session.theme.font(12)
        paint_scale_bar(painter, self.viewport, font)
        note = self._note()
        if note:
            sketch.paint_chip(painter, font, self.width() / 2, self.height() - 26, note)

    def _paint_map(self, painter: QPainter, area: QRectF) -> None:
        painter.fillRect(area, PAPER)
        content = self._content()
        if content is None:
            return
        paint_pictures(painter, self.viewport, self.scheduler.pictures(self.viewport, content))
        selected = self.selection_layer.picture
        if selected is not None:
            paint_pictures(painter, self.viewport, [selected])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.overlays.paint(painter, self.viewport)

    def _note(self) -> str:
        starting = engine_note(self.session)
        if starting or self._hint:
            return starting or self._hint
        if self.selection_layer.shortened:
            count = self.session.selection.count()
            return tr("{count} selected: shown as areas without outlines", count=f"{count:,}")
        if self.snapper.enabled and self.snapper.crowded:
            return tr("Too much in view to snap to; zoom in.")
        return ""

    def snapshot(self) -> QImage:
        """The map with selection and overlays as it stands in the window, without tool and scale bar."""
        ratio = self.devicePixelRatioF()
        image = QImage(round(self.width() * ratio), round(self.height() * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        self._paint_map(painter, QRectF(self.rect()))
        painter.end()
        return image

    # size and end

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the centre and resolution."""
        self.resized()

    def resized(self) -> None:
        """The window or its pixel ratio changed: keep centre and resolution."""
        view = self.viewport.resized(self.width(), self.height(), self.devicePixelRatioF())
        if view != self.viewport:
            self.viewport = view
            self._fit_first()
            self._show()
            self.update()
            self.view_changed.emit()

    def point(self, position: QPointF) -> tuple[float, float]:
        """Map point under a widget position."""
        return self.viewport.to_map(position.x(), position.y())

    def close_canvas(self) -> None:
        """Stop background work; called once when the window closes."""
        self.scheduler.set_renderer(None)
        self.background.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop background work."""
        self.close_canvas()
        super().closeEvent(event)
