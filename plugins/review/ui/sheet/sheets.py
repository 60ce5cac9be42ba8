"""What the panel drives: the drawing above the map and beside it, mark-up, comparison. One per window."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext, SideView
from plugins.review.ui.sheet.bar import SheetBar
from plugins.review.ui.sheet.compare_view import SwipeTool
from plugins.review.ui.sheet.layer_list import LayerList
from plugins.review.ui.sheet.live import ToScreen
from plugins.review.ui.sheet.map_overlay import MapOverlay
from plugins.review.ui.sheet.markup.board import MarkBoard, read_picture
from plugins.review.ui.sheet.markup.painting import paint_marks
from plugins.review.ui.sheet.markup.photo import PhotoDialog
from plugins.review.ui.sheet.markup.strip import Palette, write_at_pointer
from plugins.review.ui.sheet.markup.tool import MarkTool
from plugins.review.ui.sheet.model import SheetModel
from plugins.review.ui.sheet.sheet_view import SheetView
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner_app.plugin_api.model import Project
    from plugins.review.model.cases.opened import OpenDrawing
    from plugins.review.model.cases.records import Markup
    from plugins.review.model.revisions.diff import DrawingDiff


class Sheets(QObject):
    """The drawing on the screen.

    Signals:
        entity_selected(str): handle of the entity a person clicked on the sheet, "" for none.
        mark_selected(str): id of the selected mark, "" for none.
    """

    entity_selected = Signal(str)
    mark_selected = Signal(str)

    def __init__(self, context: PanelContext, state: ReviewState) -> None:
        super().__init__(state)
        self.context, self.state = context, state
        self.model = SheetModel(context, state)
        self.board = MarkBoard(self.model, state)
        self.overlay = MapOverlay(context, self.model)
        # Above the drawing and what is pointed at, so that nothing hides a reviewer's hand.
        context.map.add_overlay(self._paint_marks)
        self.map_tool = MarkTool(
            self.board,
            "map",
            context.map.update_overlays,
            context.map.pan,
            self._write,
            self.open_photo,
            self._map_tool_left,
        )
        self._sheet: SheetView | None = None
        self._on_map = False
        self._bar = SheetBar(self)
        self._bar_frame = context.add_floating(self._bar)
        self._palette = context.add_floating(Palette(context, self.board))
        self._layers = context.add_floating(LayerList(context, self.model))
        self.board.changed.connect(context.map.update_overlays)
        self.board.tool_changed.connect(self._tool_changed)
        self.board.selected_changed.connect(self.mark_selected)
        self.model.selection_changed.connect(lambda: self.entity_selected.emit(self.model.selected))
        self.model.changed.connect(self._follow)
        self.model.look_changed.connect(self._bar.follow)
        context.map.cursor_moved.connect(self._map_pointed)
        state.commands.update(
            sheet=lambda: self.hide_sheet() if self.sheet_visible else self.show_sheet(),
            on_map=lambda: self.show_on_map(not self.model.on_map),
            sheet_layers=self.toggle_layers,
            markup=lambda: self.stop_marking() if self.board.active else self.start_marking(),
        )
        self._follow()

    # what the panel calls

    def show_sheet(self) -> None:
        """Open the sheet beside the map."""
        if self._sheet is None:
            self._sheet = SheetView(self.context, self.model, self.board, self._write, self.open_photo)
            self._side().closed.connect(self._tool_changed)
        self._side().show()
        self._follow()
        self._tool_changed()

    def hide_sheet(self) -> None:
        """Close the sheet; what it showed is kept."""
        if self._sheet is not None:
            self._side().hide()
            self._tool_changed()

    @property
    def sheet_visible(self) -> bool:
        """True while the sheet stands beside the map."""
        return self._sheet is not None and self._side().visible()

    @property
    def sheet(self) -> SheetView | None:
        """The sheet view, once it has been opened."""
        return self._sheet

    def show_on_map(self, visible: bool) -> None:
        """Show the placed drawing above the map, or not."""
        self.model.set_on_map(visible)

    def start_marking(self, kind: str = "select") -> None:
        """Take up the mark-up tools on map and sheet; ``kind`` as in ``records.MARKUPS``."""
        self.board.use(kind)

    def stop_marking(self) -> None:
        """Put the mark-up tools down."""
        self.board.stop()

    def compare(self, old: OpenDrawing, diff: DrawingDiff) -> None:
        """Show what a revision changed: what went red, what came green, the rest grey."""
        self.model.compare(old, diff)

    def stop_comparing(self) -> None:
        """Show the current revision alone."""
        self.context.map.use_tool(None)
        self.model.stop_comparing()

    def end_comparing(self) -> None:
        """A person ends the comparison: everywhere, in the table too."""
        self.stop_comparing()
        self.state.compare("")

    def toggle_swipe(self) -> None:
        """Put the line between the revisions up or away."""
        comparison = self.model.comparison
        if comparison is None:
            return
        if comparison.swipe is None:
            self.board.stop()
            self.model.set_swipe(0.5)
            if self.model.shown is None or self.model.shown.on_map is None:
                return
            tool = SwipeTool(self.model, lambda: self.overlay.width, self.context.map.pan, self._bar.follow)
            self.context.map.use_tool(lambda: tool)
        else:
            self.context.map.use_tool(None)
            self.model.set_swipe(None)

    def toggle_layers(self) -> None:
        """Show or hide the list of the drawing's layers over the map."""
        self._layers.hide() if self._layers.visible() else self._layers.show()
        self._bar.follow()

    @property
    def layers_visible(self) -> bool:
        """True while the list of layers floats over the map."""
        return self._layers.visible()

    def open_photo(self, mark: Markup) -> None:
        """Show a photo large."""
        project = self.state.project
        if project is None or not mark.attachment:
            return
        taken = project
        read = partial(_read_photo, taken, mark.attachment)
        PhotoDialog(self.context, mark, read, self._parent()).open()

    # inside

    def _side(self) -> SideView:
        assert self._sheet is not None
        return self.context.add_side_view("sheet", tr("Sheet"), self._sheet)

    def _parent(self) -> QWidget:
        return self._sheet if self._sheet is not None else self._bar

    def _write(self, text: str, done: Callable[[str], None]) -> None:
        write_at_pointer(self._parent(), text, done)

    def _paint_marks(self, painter: QPainter, to_screen: ToScreen) -> None:
        self.map_tool.see(to_screen)
        paint_marks(painter, self.board, "map", to_screen, self.map_tool.draft)

    def _map_pointed(self, x: float, y: float) -> None:
        if self.sheet_visible:
            self.model.point((x, y), "map")

    def _tool_changed(self) -> None:
        active = self.board.active
        if active and not self._on_map:
            self._on_map = True
            self.context.map.use_tool(lambda: self.map_tool)
        elif not active and self._on_map:
            self._on_map = False
            self.context.map.use_tool(None)
        # One palette for both: where the person looks at the drawing.
        self._palette.show() if active and not self.sheet_visible else self._palette.hide()
        self._bar.follow()
        self.context.map.update_overlays()

    def _map_tool_left(self) -> None:
        """Esc on the map, or another tool was taken up."""
        self._on_map = False
        self.board.stop()

    def _follow(self) -> None:
        self._bar_frame.show() if self.state.case is not None else self._bar_frame.hide()
        if self.model.shown is None:
            self._layers.hide()
        if self._sheet is not None and self.state.record is not None:
            self._side().set_title(f"{self.state.record.number} · {self.state.record.title}")
        self._bar.follow()


def _read_photo(project: Project, sha256: str) -> QImage:
    return read_picture(project.read_attachment(sha256))
