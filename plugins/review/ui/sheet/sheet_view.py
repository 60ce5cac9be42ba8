"""The sheet beside the map: the canvas with its bar, its floating tools and a line that says what is pointed at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import combo, label
from plugins.review.model.drawing.types import DrawingFormat, Entity
from plugins.review.ui.sheet.knobs import Knob, scaled
from plugins.review.ui.sheet.layer_list import LayerList
from plugins.review.ui.sheet.markup.board import MarkBoard, area_of
from plugins.review.ui.sheet.markup.strip import Palette
from plugins.review.ui.sheet.model import SheetModel, sheet_to_map, storey_names, storey_of
from plugins.review.ui.sheet.sheet_canvas import SheetCanvas


class SheetView(QWidget):
    """One drawing by itself."""

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
        self.canvas = SheetCanvas(context, model, board, write, open_photo)
        self.canvas.failed.connect(self._failed)
        self.page_box = combo(self._page_chosen)
        self.page_box.setMaximumWidth(scaled(220))
        self.layers = Knob(context, "layers", tr("Layers of the drawing"), self._toggle_layers, checkable=True)
        self.marking = Knob(context, "square-pen", tr("Mark up"), self._toggle_marking, checkable=True)
        self.swipe = Knob(
            context, "square-split-horizontal", tr("Swipe between the revisions"), self._toggle_swipe, checkable=True
        )
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 6, 3)
        bar.setSpacing(2)
        bar.addWidget(self.page_box)
        bar.addStretch(1)
        for knob in (
            self.swipe, self.layers, self.marking,
            Knob(context, "plus", tr("Zoom in (+)"), lambda: self.canvas.zoom(2.0)),
            Knob(context, "minus", tr("Zoom out (-)"), lambda: self.canvas.zoom(0.5)),
            Knob(context, "maximize", tr("The whole sheet (Home)"), self.canvas.fit),
        ):  # fmt: skip
            bar.addWidget(knob)
        self.about = _Elided()
        self.place = label("", "small")
        self.copy = Knob(context, "copy", tr("Copy the handle"), self._copy_handle, size=22)
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 0, 8, 0)
        foot.setSpacing(8)
        foot.addWidget(self.about, 1)
        foot.addWidget(self.copy)
        foot.addWidget(self.place)
        self.problem = label("", "error", wrap=True)
        self.problem.setContentsMargins(8, 2, 8, 2)
        self.problem.hide()
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addLayout(bar)
        body.addWidget(self.problem)
        body.addWidget(self.canvas, 1)
        body.addLayout(foot)
        self._palette = context.add_floating(Palette(context, board), over=self.canvas)
        self._layer_list = context.add_floating(LayerList(context, model), edge="right", over=self.canvas)
        self.canvas.pointed.connect(self._pointed)
        self.canvas.left.connect(lambda: self._left())
        model.changed.connect(self._follow)
        model.look_changed.connect(self._follow_look)
        model.selection_changed.connect(self._say_selection)
        board.tool_changed.connect(self._follow_tool)
        self._follow()
        self._follow_tool()

    # following

    def _follow(self) -> None:
        self.problem.hide()
        self._fill_pages()
        self._follow_look()
        self._say_selection()

    def _fill_pages(self) -> None:
        self.page_box.clear()
        shown = self._model.shown
        if shown is not None:
            drawing = shown.opened.drawing
            if drawing.format is DrawingFormat.IFC:
                for name in storey_names(shown.opened):
                    self.page_box.addItem(name, name)
            elif len(drawing.pages) > 1:
                for page in drawing.pages:
                    title = tr("Page {number}", number=page.number)
                    self.page_box.addItem(" · ".join(part for part in (title, page.label) if part), page.number)
        self.page_box.setVisible(self.page_box.count() > 1)

    def _follow_look(self) -> None:
        model = self._model
        comparison = model.comparison
        self.swipe.setVisible(comparison is not None)
        self.swipe.setChecked(comparison is not None and comparison.swipe is not None)
        shown = model.shown
        if shown is None:
            return
        if shown.opened.drawing.format is DrawingFormat.IFC:
            storeys = storey_names(shown.opened)
            on = [storey_of(layer, storeys) for layer in shown.sheet.layers if layer not in model.hidden]
            self.page_box.setCurrentIndex(self.page_box.findData(next((one for one in on if one), "")))
        else:
            self.page_box.setCurrentIndex(self.page_box.findData(model.page))

    def _follow_tool(self) -> None:
        self.marking.setChecked(self._board.active)
        self._palette.show() if self._board.active else self._palette.hide()

    def _page_chosen(self) -> None:
        chosen = self.page_box.currentData()
        if isinstance(chosen, str):
            self._model.show_storey(chosen)
        elif chosen is not None:
            self._model.set_page(int(chosen))
        self.canvas.fit()

    def _toggle_layers(self) -> None:
        self._layer_list.show() if self.layers.isChecked() else self._layer_list.hide()

    def _toggle_marking(self) -> None:
        self._board.use("select") if self.marking.isChecked() else self._board.stop()
        self._follow_tool()

    def _toggle_swipe(self) -> None:
        self._model.set_swipe(0.5 if self.swipe.isChecked() else None)

    def _failed(self, error: Exception) -> None:
        self.problem.setText(" ".join(part for part in self._context.word(error) if part))
        self.problem.show()

    # saying

    def _pointed(self, x: float, y: float) -> None:
        self._model.point((x, y), "sheet")
        shown = self._model.shown
        if shown is None:
            return
        moved = sheet_to_map(shown, [(x, y)])
        if moved:
            east, north = moved[0]
            self.place.setText(tr("X {north}  Y {east} m", north=f"{north:,.2f}", east=f"{east:,.2f}"))
        elif self._model.is_raster:
            self.place.setText(f"{x:,.0f}, {y:,.0f}")
        else:
            self.place.setText(f"{x:,.2f}, {y:,.2f}")

    def _left(self) -> None:
        self._model.point(None, "sheet")
        self.place.setText("")

    def _say_selection(self) -> None:
        entity = self.selected_entity()
        shown = self._model.shown
        self.copy.setVisible(entity is not None)
        if entity is None or shown is None:
            self.about.setText("")
        else:
            self.about.setText(describe(entity, shown.metres_per_unit))

    def selected_entity(self) -> Entity | None:
        """The selected entity."""
        shown, handle = self._model.shown, self._model.selected
        if shown is None or handle not in shown.sheet.index:
            return None
        return shown.opened.drawing.entities[shown.sheet.index[handle]]

    def _copy_handle(self) -> None:
        QGuiApplication.clipboard().setText(self._model.selected)


class _Elided(QLabel):
    """One line that ends in … where there is no room; the tooltip has all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("look", "small")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(scaled(24))
        self._whole = ""

    def setText(self, text: str) -> None:
        self._whole = text
        self._elide()

    def whole(self) -> str:
        """The text without elision."""
        return self._whole

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 0))
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


def describe(entity: Entity, metres_per_unit: float) -> str:
    """Layer, kind, handle, size of an entity, in one line."""
    parts = [entity.layer, entity.kind, tr("handle {handle}", handle=entity.handle)]
    if entity.text:
        parts.append(f"“{entity.text.replace(chr(10), ' ')[:60]}”")
    points = entity.points
    if entity.kind == "DIMENSION" and entity.value is not None:
        parts.append(tr("{length} m", length=f"{entity.value * metres_per_unit:,.3f}"))
    elif entity.rings:
        area = _rings_area(entity) * metres_per_unit**2
        parts.append(tr("{area} m²", area=f"{area:,.2f}"))
    elif len(points) > 1:
        closed = entity.closed or (len(points) > 3 and bool(np.allclose(points[0], points[-1])))
        ring = np.concatenate([points, points[:1]]) if entity.closed else points
        length = float(np.hypot(*np.diff(ring, axis=0).T).sum()) * metres_per_unit
        parts.append(tr("{length} m", length=f"{length:,.3f}"))
        if closed and len(points) > 2:
            area = area_of([(float(x), float(y)) for x, y in points]) * metres_per_unit**2
            parts.append(tr("{area} m²", area=f"{area:,.2f}"))
    return " · ".join(parts)


def _rings_area(entity: Entity) -> float:
    """Area of a hatch, holes left open (even-odd)."""
    import shapely

    whole = shapely.Polygon()
    for ring in entity.rings:
        if len(ring) > 2:
            whole = shapely.symmetric_difference(whole, shapely.make_valid(shapely.Polygon(ring)))
    return float(whole.area)
