"""The drawing on the sheet: view, selection, layers, pages, and the tools of the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from plugins.review.model.drawing.types import DrawingFormat, DrawingLayer, IfcBuilding, Page, Storey
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.sheet import install
from plugins.review.ui.sheet.layer_list import LayerList
from plugins.review.ui.sheet.model import SheetModel
from tests.plugins.review_ui.sheet.desk import Desk, click, pixel, turned
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, drawing, entity, site, square

# ---------------------------------------------------------------- the sheet


def test_the_sheet_shows_the_drawing_whole_and_zooms_about_the_pointer(sheets: Any, qtbot: Any) -> None:
    canvas = sheets.sheet.canvas
    qtbot.waitUntil(lambda: canvas.ready, timeout=3000)
    assert pixel(canvas, 50, 0).red() > 150
    left, top = canvas.to_screen(EAST, NORTH + 80)
    assert 0 < left < 60
    assert 0 < top < canvas.height() / 2
    at = QPointF(200, 150)
    before = canvas.to_sheet(at.x(), at.y())
    wheel = QWheelEvent(
        at, QPointF(canvas.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    resolution = canvas.view.resolution
    QApplication.sendEvent(canvas, wheel)
    assert canvas.view.resolution == pytest.approx(resolution / 2)
    assert canvas.to_sheet(at.x(), at.y()) == pytest.approx(before)
    canvas.pan(30, 0)
    assert canvas.to_screen(*before) == pytest.approx((230, 150))
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.view.resolution == pytest.approx(resolution)


def test_a_stray_point_does_not_make_the_sheet_a_speck(desk: Desk, sheets: Any) -> None:
    many = [entity(str(n), "LINE", "L", [(EAST + n % 50, NORTH), (EAST + n % 50, NORTH + 40)]) for n in range(400)]
    desk.show(drawing([*many, entity("F", "POINT", "L", [(0, 0)])]))
    canvas = sheets.sheet.canvas
    canvas.fit()
    assert canvas.view.resolution < 0.5


def test_clicking_selects_an_entity_and_says_what_it_is(sheets: Any, qtbot: Any) -> None:
    canvas = sheets.sheet.canvas
    heard: list[str] = []
    sheets.entity_selected.connect(heard.append)
    click(canvas, 20, 10)  # on the outline of building 1
    assert heard == ["11"]
    about = sheets.sheet.about.whole()
    assert "JZJD-1号楼" in about
    assert "80.000 m" in about
    assert "400.00 m²" in about
    click(canvas, 15, 50)  # within the hatch
    assert sheets.model.selected == "13"
    assert "800.00 m²" in sheets.sheet.about.whole()  # its hole left open
    click(canvas, 14, 19)  # on a text
    assert sheets.model.selected == "14"
    click(canvas, 50, 40)  # a layer that is off
    assert sheets.model.selected == "10"  # the area around it
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert sheets.model.selected == ""
    assert sheets.sheet.about.whole() == ""


def test_what_the_panel_points_at_is_seen_on_both(desk: Desk, sheets: Any, qtbot: Any) -> None:
    from plugins.review.ui.sheet.pointing import shapes_of

    shown = sheets.model.shown
    local = shapely.box(EAST + 60, NORTH + 10, EAST + 80, NORTH + 30)
    marks = [Highlight(turned(local), "fail", local), Highlight(turned(local).__geo_interface__, "pass")]
    desk.state.highlight.emit(marks)
    canvas = sheets.sheet.canvas
    assert abs(canvas.to_screen(EAST + 70, NORTH + 20)[0] - canvas.width() / 2) < 2
    qtbot.waitUntil(lambda: canvas.ready, timeout=3000)
    inner = pixel(canvas, 70, 12)
    assert inner.red() > inner.blue()
    for mark in marks:
        for on_map, wanted in ((True, turned(local)), (False, local)):
            (found,) = shapes_of(mark, shown, on_map)
            assert found.hausdorff_distance(wanted) < 1e-6
    (outline,) = shapes_of(Highlight(None, "accent", None, ("11",)), shown, True)
    assert outline.hausdorff_distance(turned(shapely.LinearRing(square(EAST + 10, NORTH + 10, 20)))) < 1e-6
    assert shapes_of(Highlight(None, "accent", None, ("gone",)), shown, True) == []


def test_the_pointer_is_seen_on_the_other_surface(desk: Desk, sheets: Any) -> None:
    place = turned(shapely.Point(EAST + 30, NORTH + 20))
    desk.context.map.cursor_moved.emit(place.x, place.y)
    assert sheets.model.pointer == pytest.approx((EAST + 30, NORTH + 20))
    sheets.sheet.canvas.pointed.emit(EAST + 40, NORTH + 50)
    assert sheets.model.pointer_on_map() == pytest.approx(
        shapely.get_coordinates(turned(shapely.Point(EAST + 40, NORTH + 50)))[0]
    )
    assert "m" in sheets.sheet.place.text()
    sheets.sheet.canvas.left.emit()
    assert sheets.model.pointer is None


def test_layers_are_switched_in_the_list(desk: Desk, sheets: Any, qtbot: Any) -> None:
    layers = LayerList(desk.context, sheets.model)  # type: ignore[arg-type]
    qtbot.addWidget(layers)
    items = {layers.list.item(row).text(): layers.list.item(row) for row in range(layers.list.count())}
    assert items["off-轴线"].checkState() == Qt.CheckState.Unchecked
    items["off-轴线"].setCheckState(Qt.CheckState.Checked)
    items["TXT"].setCheckState(Qt.CheckState.Unchecked)
    assert sheets.model.hidden == {"TXT"}
    ((_, look, _),) = sheets.model.scenes(False)
    names = [sheets.model.shown.sheet.handles[n] for n in np.flatnonzero(look.shown)]
    assert "18" in names
    assert "14" not in names
    layers._all(False)
    assert len(sheets.model.hidden) == layers.list.count()
    layers._as_in_file()
    assert sheets.model.hidden == {"off-轴线"}


def test_what_was_switched_is_kept_when_the_drawing_is_read_anew(desk: Desk, sheets: Any) -> None:
    sheets.model.set_layer(["TXT"], False)
    desk.show(site())
    assert sheets.model.hidden == {"TXT", "off-轴线"}


def test_storeys_of_a_building_are_chosen_like_pages(desk: Desk, sheets: Any) -> None:
    ring = square(0, 0, 10)
    entities = [
        entity(f"{n}", "IfcBuildingStorey", name, ring, closed=True, visible=n == 1)
        for n, name in enumerate(("Level 1", "Level 2"), start=1)
    ] + [entity("9", "IfcWall", "Level 2 · IfcWall", ring, closed=True, visible=False)]
    made = drawing(
        entities, format=DrawingFormat.IFC, storeys=(Storey("a", "Level 1", 0.0, 3.0, None),
        Storey("b", "Level 2", 3.0, 3.0, None)), buildings=(IfcBuilding("x", "A"),),
        layers=(DrawingLayer("Level 1"), DrawingLayer("Level 2", hidden=True),
        DrawingLayer("Level 2 · IfcWall", hidden=True)),
    )  # fmt: skip
    desk.show(made)
    box = sheets.sheet.page_box
    assert [box.itemText(n) for n in range(box.count())] == ["Level 1", "Level 2"]
    assert box.currentText() == "Level 1"
    box.setCurrentIndex(1)
    sheets.sheet._page_chosen()
    ((_, look, _),) = sheets.model.scenes(False)
    assert look.shown.tolist() == [False, True, True]
    assert box.currentText() == "Level 2"


def test_pages_are_drawn_as_their_file_looks(desk: Desk, sheets: Any, qtbot: Any, tmp_path: Path) -> None:
    """An image of 300 x 200 pixels with a red corner, kept in the project: each pixel where it belongs."""
    picture = QImage(300, 200, QImage.Format.Format_RGB32)
    picture.fill(QColor("#FFFFFF"))
    painter = QPainter(picture)
    painter.fillRect(0, 0, 150, 100, QColor("#cc2020"))  # the upper left quarter
    painter.end()
    picture.save(str(tmp_path / "scan.png"))
    sha256 = desk.project.attach(tmp_path / "scan.png", name="scan.png")
    desk.record = replace(desk.record, sha256=sha256, file_name="scan.png", format="image")
    some = entity("1", "TEXT", "page", [(10, 10)], text="x", size=5.0, page=1)
    made = drawing([some], format=DrawingFormat.IMAGE, pages=(Page(1, 300.0, 200.0),))
    desk.show(made, placed=False)
    canvas = sheets.sheet.canvas
    canvas.fit()
    canvas.update()
    qtbot.waitUntil(lambda: canvas.ready, timeout=20_000)
    image = canvas.grab().toImage()

    def colour(x: float, y: float) -> str:
        px, py = canvas.to_screen(x, y)
        return image.pixelColor(round(px), round(py)).name()

    assert colour(30, 170) == "#cc2020"
    assert colour(140, 110) == "#cc2020"
    assert colour(170, 170) == "#ffffff"
    assert colour(30, 30) == "#ffffff"
    canvas.zoom(8.0, *canvas.to_screen(150, 100))
    qtbot.waitUntil(lambda: canvas.ready, timeout=20_000)
    image = canvas.grab().toImage()
    assert colour(148, 102) == "#cc2020"
    assert colour(152, 102) == "#ffffff"
    assert colour(148, 98) == "#ffffff"


def test_a_page_that_cannot_be_drawn_is_said_in_the_sheet(desk: Desk, sheets: Any, qtbot: Any) -> None:
    desk.record = replace(desk.record, sha256=desk.project.attach(b"no picture", name="scan.png"), format="image")
    some = entity("1", "TEXT", "page", [(10, 10)], text="x", size=5.0, page=1)
    desk.show(drawing([some], format=DrawingFormat.IMAGE, pages=(Page(1, 300.0, 200.0),)), placed=False)
    qtbot.waitUntil(lambda: not sheets.sheet.problem.isHidden(), timeout=20_000)
    assert sheets.sheet.problem.text()


# ---------------------------------------------------------------- tools of the window


def test_marking_begins_and_ends_on_map_and_sheet_alike(desk: Desk, sheets: Any) -> None:
    world = desk.context.map
    sheets.start_marking("cloud")
    assert world.tool is sheets.map_tool
    assert sheets.sheet._palette.visible()
    world.use_tool(None)  # the person took up another tool of the map
    assert not sheets.board.active
    assert not sheets.sheet._palette.visible()
    sheets.start_marking("cloud")
    canvas = sheets.sheet.canvas
    for _ in range(2):
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not sheets.board.active
    assert world.tool is None


def test_marks_are_drawn_with_the_mouse_on_the_sheet(desk: Desk, sheets: Any) -> None:
    canvas = sheets.sheet.canvas
    sheets.start_marking("rectangle")
    for place, act in (((55, 50), QTest.mousePress), ((75, 70), QTest.mouseRelease)):
        px, py = canvas.to_screen(EAST + place[0], NORTH + place[1])
        act(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(px), round(py)))
    (mark,) = sheets.board.marks
    assert np.allclose(mark.points, [(EAST + 55, NORTH + 50), (EAST + 75, NORTH + 70)], atol=0.2)
    sheets.stop_marking()
    heard: list[str] = []
    sheets.mark_selected.connect(heard.append)
    click(canvas, 65, 50)
    assert heard == [mark.id]
    assert sheets.model.selected == ""
    assert pixel(canvas, 65, 50).red() > 150


def test_installing_twice_gives_the_same(desk: Desk, sheets: Any) -> None:
    assert install(desk.context, desk.state) is sheets  # type: ignore[arg-type]


def test_closing_the_project_leaves_an_empty_sheet(desk: Desk, sheets: Any) -> None:
    desk.state.case = desk.state.record = desk.state.opened = None
    desk.state.case_changed.emit()
    desk.state.drawing_changed.emit()
    assert sheets.model.shown is None
    assert sheets.model.scenes(True) == []
    sheets.sheet.canvas.grab()
    assert not sheets._bar_frame.visible()


def test_the_model_follows_the_drawing_that_is_opened(desk: Desk) -> None:
    desk.context.held = True
    model = SheetModel(desk.context, desk.state)  # type: ignore[arg-type]
    late = desk.context.waiting.pop("sheet")
    desk.state.opened = None
    desk.state.drawing_changed.emit()
    assert model.shown is None
    late()
    assert model.shown is None  # it was closed meanwhile
