"""The drawing on map and sheet: pictures that follow the view, layers, selection, pages, comparison."""

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

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import DrawingFormat, DrawingLayer, IfcBuilding, Page, Storey
from plugins.review.model.revisions.diff import diff
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.sheet import install
from plugins.review.ui.sheet.layer_list import LayerList
from plugins.review.ui.sheet.live import LivePicture
from plugins.review.ui.sheet.model import ADDED, REMOVED, UNCHANGED, SheetModel
from plugins.review.ui.sheet.paint import Frame
from plugins.review.ui.sheet.pick import pick, snap
from plugins.review.ui.sheet.scene import build_scene
from plugins.review.ui.sheet.sheet_view import describe
from tests.plugins.review_ui.sheet.desk import Desk, opened, turned
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, drawing, entity, hatch, site, square


@pytest.fixture
def sheets(desk: Desk, qtbot: Any) -> Any:
    """The window's sheet, 600 by 480 pixels, shown whole."""
    made = install(desk.context, desk.state)  # type: ignore[arg-type]
    made.show_sheet()
    view = made.sheet
    qtbot.addWidget(view)
    view.resize(600, 540)
    view.show()
    qtbot.waitExposed(view)
    yield made
    if made.model.pages is not None:
        made.model.pages.close()


def pixel(widget: Any, x: float, y: float) -> QColor:
    """The strongest colour about a place of the sheet."""
    px, py = widget.to_screen(EAST + x, NORTH + y)
    image = widget.grab().toImage()
    around = [image.pixelColor(round(px) + i, round(py) + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return min(around, key=lambda colour: colour.lightness())


def click(canvas: Any, x: float, y: float) -> None:
    px, py = canvas.to_screen(EAST + x, NORTH + y)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(px), round(py)))


# ---------------------------------------------------------------- pictures


def test_a_picture_is_drawn_again_when_the_view_rests(desk: Desk, qtbot: Any) -> None:
    frames: list[Frame] = []

    def draw(frame: Frame, wanted: Any) -> QImage:
        frames.append(frame)
        return QImage(8, 8, QImage.Format.Format_ARGB32)

    live = LivePicture(desk.context, "test")  # type: ignore[arg-type]
    first = Frame(0, 100, 1.0, 100, 100)
    live.want(first, "a", draw)
    qtbot.waitUntil(lambda: live.ready, timeout=2000)
    assert len(frames) == 1
    live.want(replace(first, west=5.0), "a", draw)  # within the margin
    assert live.ready
    for west in range(20, 90, 10):
        live.want(replace(first, west=float(west)), "a", draw)
        assert not live.ready
    qtbot.waitUntil(lambda: live.ready, timeout=2000)
    assert len(frames) == 2  # once for the whole gesture
    live.want(replace(first, west=80.0), "b", draw)
    qtbot.waitUntil(lambda: live.ready, timeout=2000)
    assert len(frames) == 3


def test_a_picture_of_what_is_no_longer_asked_for_is_not_shown(desk: Desk, qtbot: Any) -> None:
    desk.context.held = True
    live = LivePicture(desk.context, "test")  # type: ignore[arg-type]
    frame = Frame(0, 100, 1.0, 100, 100)

    def draw(_frame: Frame, _wanted: Any) -> QImage:
        return QImage(8, 8, QImage.Format.Format_ARGB32)

    live.want(frame, "old", draw)
    qtbot.waitUntil(lambda: "test" in desk.context.waiting, timeout=2000)
    late = desk.context.waiting.pop("test")
    live.want(frame, "new", draw)
    late()
    assert live.picture is None
    qtbot.waitUntil(lambda: "test" in desk.context.waiting, timeout=2000)
    desk.context.waiting.pop("test")()
    assert live.picture is not None
    assert live.picture.content == "new"


def test_the_overlay_draws_the_drawing_where_it_stands_on_the_map(desk: Desk, sheets: Any, qtbot: Any) -> None:
    world = desk.context.map
    image = QImage(800, 600, QImage.Format.Format_RGB32)

    def paint() -> None:
        image.fill(QColor("#FFFFFF"))
        painter = QPainter(image)
        for overlay in world.overlays:
            overlay(painter, world.to_screen)
        painter.end()

    def at(x: float, y: float) -> QColor:
        place = turned(shapely.Point(EAST + x, NORTH + y))
        px, py = world.to_screen(place.x, place.y)
        around = [image.pixelColor(round(px) + i, round(py) + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        return min(around, key=lambda colour: colour.lightness())

    place = turned(shapely.box(EAST, NORTH, EAST + 100, NORTH + 80)).bounds
    world.box = (place[0], place[1], place[0] + 150, place[1] + 112.5)
    paint()
    qtbot.waitUntil(lambda: sheets.overlay.ready, timeout=3000)
    paint()
    assert at(50, 0).red() - at(50, 0).blue() > 60  # the red line
    assert at(50, 70) == QColor("#FFFFFF")
    sheets.show_on_map(False)
    paint()
    assert at(50, 0) == QColor("#FFFFFF")
    sheets.show_on_map(True)
    sheets.model.set_layer(["YDHX-用地红线"], False)
    paint()
    qtbot.wait(50)
    paint()
    assert at(50, 0) == QColor("#FFFFFF")
    assert at(20, 10) != QColor("#FFFFFF")


def test_a_drawing_without_a_place_is_on_the_sheet_only(desk: Desk, sheets: Any) -> None:
    desk.show(site(), placed=False)
    assert sheets.model.scenes(True) == []
    assert len(sheets.model.scenes(False)) == 1
    assert not sheets._bar.on_map.isEnabled()
    assert sheets._bar.sheet.isEnabled()


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


# ---------------------------------------------------------------- comparison


def revised() -> Any:
    """Building 2 moved, the text gone, a line new."""
    kept = [one for one in site().entities if one.handle not in ("12", "15")]
    moved = entity("12", "LWPOLYLINE", "JZJD-2号楼", square(EAST + 65, NORTH + 12, 20), closed=True)
    new = entity("20", "LINE", "TXT", [(EAST + 5, NORTH + 70), (EAST + 45, NORTH + 70)])
    return drawing([*kept, moved, new])


def printed(made: Any) -> Any:
    """With fingerprints, as readers give them."""
    return replace(
        made,
        entities=tuple(replace(e, fingerprint=f"{e.kind}{e.points.tolist()}{e.text}") for e in made.entities),
    )


def test_two_revisions_are_laid_over_each_other(desk: Desk, sheets: Any, qtbot: Any) -> None:
    old, new = printed(site()), printed(revised())
    desk.show(new)
    sheets.compare(opened(desk.record, old), diff(old, new))
    scenes = {part: (scene, look) for scene, look, part in sheets.model.scenes(False)}

    def colour(part: str, handle: str) -> int:
        scene, look = scenes[part]
        return int(look.colour[scene.index[handle]])

    assert (colour("old", "12"), colour("new", "12")) == (REMOVED, ADDED)
    assert (colour("old", "15"), colour("new", "20")) == (REMOVED, ADDED)
    assert (colour("old", "11"), colour("new", "11")) == (UNCHANGED, UNCHANGED)
    canvas = sheets.sheet.canvas
    canvas.fit()
    qtbot.waitUntil(lambda: canvas.ready, timeout=3000)
    qtbot.wait(50)
    assert pixel(canvas, 60, 20).red() > pixel(canvas, 60, 20).green() + 40
    assert pixel(canvas, 85, 20).green() > pixel(canvas, 85, 20).red() + 20
    sheets.model.set_swipe(1.0)  # the older alone
    qtbot.wait(20)
    assert pixel(canvas, 75, 32) == QColor("#FFFFFF")
    sheets.stop_comparing()
    assert [part for *_, part in sheets.model.scenes(False)] == ["new"]


def test_the_line_between_revisions_is_dragged(desk: Desk, sheets: Any) -> None:
    sheets.compare(opened(desk.record, site()), diff(site(), site()))
    canvas = sheets.sheet.canvas
    sheets.model.set_swipe(0.5)
    start = QPoint(canvas.width() // 2, 100)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(canvas, QPoint(canvas.width() // 4, 100))
    QTest.mouseRelease(
        canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(canvas.width() // 4, 100)
    )
    assert sheets.model.comparison.swipe == pytest.approx(0.25, abs=0.01)
    sheets.toggle_swipe()
    assert sheets.model.comparison.swipe is None
    sheets.toggle_swipe()
    assert desk.context.map.tool is not None
    sheets.stop_comparing()
    assert desk.context.map.tool is None


def test_a_drawing_moved_as_a_whole_is_laid_on_the_other(desk: Desk, sheets: Any) -> None:
    from plugins.review.ui.sheet.model import make_comparison, make_shown

    by = np.array([7.0, 3.0])
    shifted = [replace(e, points=e.points + by, rings=tuple(r + by for r in e.rings)) for e in site().entities]
    old, new = make_shown(opened(desk.record, site())), make_shown(opened(desk.record, drawing(shifted)))
    found = replace(diff(site(), site()), shift=(7.0, 3.0))
    comparison = make_comparison(old, new, found)
    assert np.allclose(comparison.old.sheet.lines.xy, new.sheet.lines.xy)


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


# ---------------------------------------------------------------- picking


def test_the_nearest_line_wins_then_the_smallest_area() -> None:
    x, y = EAST, NORTH
    scene = build_scene(
        drawing(
            [
                entity("1", "LWPOLYLINE", "A", square(x, y, 50), closed=True),
                entity("2", "LWPOLYLINE", "A", square(x + 10, y + 10, 10), closed=True),
                hatch("3", "B", square(x + 60, y, 20), square(x + 65, y + 5, 10)),
                entity("4", "LINE", "A", [(x + 30, y - 5), (x + 30, y + 55)]),
            ]
        )
    )
    shown = scene.shown(frozenset())

    def at(px: float, py: float) -> str:
        found = pick(scene, shown, x + px, y + py, 1.0)
        return "" if found is None else scene.handles[found]

    assert at(30.6, 25) == "4"
    assert at(15, 15) == "2"
    assert at(5, 40) == "1"
    assert at(62, 10) == "3"
    assert at(70, 10) == ""  # its hole
    assert at(90, 90) == ""
    assert snap(scene, shown, x + 10.4, y + 19.7, 1.0) == (x + 10, y + 20)
    assert snap(scene, shown, x + 40, y + 40, 1.0) is None
    assert pick(scene, scene.shown(frozenset({"A"})), x + 15, y + 15, 1.0) is None


def test_the_description_measures_in_metres() -> None:
    line = entity("7", "LINE", "轴线", [(0, 0), (3000, 4000)])
    assert describe(line, 0.001).endswith("5.000 m")
    assert "“高度 H=18”" in describe(entity("8", "TEXT", "T", [(0, 0)], text="高度\nH=18", size=2.0), 1.0)


def test_the_model_follows_the_drawing_that_is_opened(desk: Desk) -> None:
    desk.context.held = True
    model = SheetModel(desk.context, desk.state)  # type: ignore[arg-type]
    late = desk.context.waiting.pop("sheet")
    desk.state.opened = None
    desk.state.drawing_changed.emit()
    assert model.shown is None
    late()
    assert model.shown is None  # it was closed meanwhile


def test_a_placed_image_is_laid_on_the_map_turned(desk: Desk, sheets: Any, qtbot: Any, tmp_path: Path) -> None:
    """A scan of 100 m by 80 m, one pixel a metre, its upper left quarter red."""
    picture = QImage(100, 80, QImage.Format.Format_RGB32)
    picture.fill(QColor("#2040cc"))
    painter = QPainter(picture)
    painter.fillRect(0, 0, 50, 40, QColor("#cc2020"))
    painter.end()
    picture.save(str(tmp_path / "scan.png"))
    sha256 = desk.project.attach(tmp_path / "scan.png", name="scan.png")
    desk.record = replace(desk.record, sha256=sha256, file_name="scan.png", format="image")
    some = entity("1", "TEXT", "page", [(10, 10)], text="x", size=1.0, page=1)
    desk.show(drawing([some], format=DrawingFormat.IMAGE, pages=(Page(1, 100.0, 80.0),)))
    world = desk.context.map
    box = turned(shapely.box(0, 0, 100, 80)).bounds
    world.box = (box[0], box[1], box[0] + 160, box[1] + 120)
    image = QImage(800, 600, QImage.Format.Format_RGB32)

    def paint() -> None:
        image.fill(QColor("#FFFFFF"))
        painter = QPainter(image)
        sheets.overlay.paint(painter, world.to_screen)
        painter.end()

    paint()
    qtbot.waitUntil(lambda: sheets.overlay._image.ready, timeout=20_000)
    paint()

    def at(x: float, y: float) -> QColor:
        place = turned(shapely.Point(x, y))
        px, py = world.to_screen(place.x, place.y)
        return image.pixelColor(round(px), round(py))

    for x, y, red in ((10, 70, True), (45, 45, True), (55, 45, False), (45, 35, False), (95, 5, False)):
        assert (at(x, y).red() > at(x, y).blue()) is red, (x, y)
    assert at(-5, 40) == QColor("#FFFFFF")


def test_places_that_the_drawing_cannot_reach_are_no_error(desk: Desk, sheets: Any) -> None:
    """The pointer far off, a mark on the map there, something pointed at there: nothing of it on the sheet."""

    def no_way(_geometry: Any) -> Any:
        raise PlannerError("review.no_way_back", east=0.0, north=0.0)

    desk.state.opened = replace(desk.state.opened, to_drawing=no_way)  # type: ignore[type-var]
    desk.state.drawing_changed.emit()
    desk.context.map.cursor_moved.emit(1.0, 1.0)
    assert sheets.model.pointer is None
    desk.state.highlight.emit([Highlight(shapely.box(0, 0, 1, 1), "fail")])
    mark = sheets.board.mark(sheets.board.add("cloud", [(0, 0), (5, 5)], "map"))
    assert sheets.board.drawn(mark, "sheet") is None
    assert sheets.board.drawn(mark, "map") is not None
    sheets.sheet.canvas.grab()
