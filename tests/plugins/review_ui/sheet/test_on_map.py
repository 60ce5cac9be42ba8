"""The drawing above the map: pictures that follow the view, where it stands, what has no place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely
from PySide6.QtGui import QColor, QImage, QPainter

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import DrawingFormat, Page
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.sheet.live import LivePicture
from plugins.review.ui.sheet.paint import Frame
from tests.plugins.review_ui.sheet.desk import Desk, turned
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, drawing, entity, site


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
