"""The map: a pane that shows pictures of the engine, with tools, selection, hover card and overlays on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.sync.types import GEOMETRY
from planner_app.ui.canvas.empty_state import empty_text, engine_note, paint_empty
from planner_app.ui.canvas.gestures import Gestures
from planner_app.ui.canvas.hover import Hover
from planner_app.ui.canvas.map_pane import MapPane
from planner_app.ui.canvas.overlays import Overlays, Paint
from planner_app.ui.canvas.picture import paint_pictures
from planner_app.ui.canvas.scale_bar import paint_scale_bar
from planner_app.ui.canvas.selection_layer import SelectionLayer
from planner_app.ui.canvas.snapping import Snapper
from planner_app.ui.sync.rights import refusal
from planner_app.ui.tools import sketch
from planner_app.ui.tools.catalogue import DEFAULT, own_tools
from planner_app.ui.tools.draw_polygon import DrawPolygonTool
from planner_app.ui.tools.measure import measure
from planner_app.ui.tools.tool import PluginTool, Tool, ToolInfo

if TYPE_CHECKING:
    from planner_app.domain.changeset import ChangeSet
    from planner_app.domain.layer import LayerInfo
    from planner_app.ui.session import Session


#: The tool of :meth:`MapCanvas.use_tool`.
AD_HOC = "ad_hoc"


class MapCanvas(MapPane):
    """The map widget: a pane with gestures, tools, selection, hover card and overlays.

    Signals:
        cursor_moved(x, y): map coordinates under the pointer.
        tool_changed(id): another tool is active.
    """

    cursor_moved = Signal(float, float)
    tool_changed = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.overlays = Overlays()
        self.selection_layer = SelectionLayer(session.selection, self.background, self)
        self.snapper = Snapper(self.background, self)
        self.hover = Hover(self)
        self.gestures = Gestures(self)
        self._tools: dict[str, Tool] = {}
        self._infos: list[ToolInfo] = []
        for info, make in own_tools():
            self._infos.append(info)
            self._tools[info.id] = make(self)
        self._tool_id = DEFAULT
        #: Asked to leave what is shown over the map (another time); True if there was something to leave.
        self.escapes: list[Callable[[], bool]] = []
        self._hint = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_cursor(self.tool.cursor)
        # The pane's own slots were connected before these: what they ask of it is up to date.
        self.view_changed.connect(self._after_move)
        session.project_changed.connect(self._after_opening)
        session.data_changed.connect(self._after_change)
        session.current_layer_changed.connect(self.update_hint)
        session.theme.changed.connect(self.update)
        self.selection_layer.updated.connect(self.update)
        self.scheduler.updated.connect(self._warm_up)
        self._open_project()
        self._after_opening()

    # following the pane

    def _after_move(self) -> None:
        self.hover.hide()
        self.selection_layer.set_view(self.viewport)
        self.snapper.set_view(self.viewport)
        self.tool.view_changed()

    def _after_opening(self) -> None:
        self.leave_tool()
        self.selection_layer.set_project(self.session.project)
        self.snapper.set_source(self.session.project, self.visible_layer_ids())
        self._after_move()
        self.tool_changed.emit(self._tool_id)

    def _after_change(self, change: ChangeSet, _initiator: object) -> None:
        self.hover.hide()
        self.update_hint()
        self.snapper.set_source(self.session.project, self.visible_layer_ids())
        if change.tables() & set(self.session.selection.layer_ids()):
            self.selection_layer.reload()

    def paint_map(self, painter: QPainter, area: QRectF) -> None:
        """Pictures, selection and overlays."""
        super().paint_map(painter, area)
        selected = self.selection_layer.picture
        if self.shown_content is not None and selected is not None:
            paint_pictures(painter, self.viewport, [selected])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.overlays.paint(painter, self.viewport)

    def _warm_up(self) -> None:
        """Load what measures and the hover card need once the first map stands: 0.3 s, before the hand asks for it."""
        project = self.session.project
        if project is not None and self.scheduler.is_final():
            self.scheduler.updated.disconnect(self._warm_up)
            crs = project.crs
            self.background.run("warm", lambda: measure([(0, 0), (1, 0), (1, 1)], crs, True), lambda _: None)

    # layers

    def target_layer(self) -> LayerInfo | None:
        """The polygon layer that new polygons go into: the current one if it takes polygons."""
        layer = self.content.layer(self.session.current_layer)
        return layer if layer is not None and layer.geometry == "polygon" and not self.refusal(layer) else None

    def refusal(self, layer: LayerInfo | None = None) -> str:
        """Why geometries of a layer (the current one) may not be edited, "" if they may."""
        layer = layer or self.content.layer(self.session.current_layer)
        return refusal(self.session, layer, GEOMETRY) if layer is not None else ""

    def delete_selection(self) -> None:
        """Delete the selected features, one undoable command per layer."""
        from planner_app.project.commands import DeleteFeatures

        selection, count = self.session.selection, 0
        for layer_id in selection.layer_ids():
            fids = selection.fids(layer_id)
            layer = self.content.layer(layer_id)
            if layer is not None and self.refusal(layer):
                self.say("warning", self.refusal(layer))
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
        """Ids of the tools that have a button."""
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

    def use_tool(self, make: Callable[[], Any] | None) -> None:
        """Take up a plugin's tool that has no button; None: put it down again. See ``plugin_api.ui.MapView``."""
        if self._tool_id == AD_HOC:
            self.leave_tool()
        if make is not None:
            self._tools[AD_HOC] = PluginTool(self, make)
            self.set_tool(AD_HOC)
            self.setFocus()

    def tool_failed(self, error: Exception) -> None:
        """A plugin's tool failed: leave it and say so."""
        self.leave_tool()
        self.say("error", tr("The tool stopped: {detail}", detail=str(error) or type(error).__name__))

    def escape(self) -> None:
        """Drop what the tool began; else leave the tool; else what is shown over the map; else clear the selection."""
        if self.gestures.cancel() or self.tool.cancel():
            self.update()
        elif self._tool_id != DEFAULT:
            self.leave_tool()
        elif not any(leave() for leave in self.escapes):
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

    def update_hint(self, _changed: object = None) -> None:
        """Show the tool's hint anew."""
        hint = self.tool.hint()
        if hint != self._hint:
            self._hint = hint
            self.update()

    # overlays

    def add_overlay(self, paint: Paint, *, above: bool = False) -> object:
        """Draw above the map with a painter and a function from map to widget coordinates; returns a handle."""
        handle = self.overlays.add(paint, above=above)
        self.update()
        return handle

    def remove_overlay(self, handle: object) -> None:
        """Take an overlay away."""
        self.overlays.remove(handle)
        self.update()

    def update_overlays(self) -> None:
        """Paint overlays and tool anew and ask the tool for its hint."""
        self.update_hint()
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
        self.paint_map(painter, area)
        text = empty_text(self.session, self.content, self.scheduler.is_final())
        if text is not None:
            paint_empty(painter, self.session.theme, QRectF(self.rect()), text)
        if self.shown_content is None:
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
            lines = sketch.wrapped(font, note, self.width() - 40)
            metrics = QFontMetricsF(font)
            wide = max(metrics.horizontalAdvance(line) for line in lines) > self.width() - 260
            bottom = 92 if wide else 26  # above the scale bar and a tool's legend where there is no room beside it
            y = self.height() - bottom - (len(lines) - 1) * metrics.height() / 2
            sketch.paint_chip(painter, font, self.width() / 2, y, "\n".join(lines))

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
        self.paint_map(painter, QRectF(self.rect()))
        painter.end()
        return image
