from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest

from planner_app.domain.changeset import ChangeSet, TableTouch
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.picture import MapPicture, PictureCache, paint_pictures
from tests.ui.canvas.fake_town import EAST, NORTH, Bench

VIEW = Viewport(0, 0, 1.0, 200, 100)


def picture(view: Viewport, colour: str, content: str = "c", opaque: bool = True) -> MapPicture:
    image = QImage(view.width, view.height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor(colour))
    return MapPicture(image, view, content, opaque)


def painted(view: Viewport, *pictures: MapPicture) -> QImage:
    image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    paint_pictures(painter, view, pictures)
    painter.end()
    return image


def test_an_old_picture_moves_and_scales_with_the_view() -> None:
    red = picture(VIEW, "red")
    image = painted(VIEW.panned(50, 0), red)
    assert image.pixelColor(49, 50) == QColor("white")
    assert image.pixelColor(50, 50) == QColor("red")
    image = painted(VIEW.zoomed(0.5, 100, 50), red)
    assert image.pixelColor(48, 50) == QColor("white")
    assert image.pixelColor(52, 50) == QColor("red")
    assert image.pixelColor(100, 22) == QColor("white")
    deep = VIEW.zoomed(1e4, 17, 33)
    assert painted(deep, red).pixelColor(199, 0) == QColor("red")


def test_the_first_picture_lies_on_top_and_others_fill_what_it_leaves_free() -> None:
    out = VIEW.zoomed(0.25, 100, 50)
    image = painted(out, picture(VIEW, "red"), picture(out, "blue"))
    assert image.pixelColor(100, 50) == QColor("red")
    assert image.pixelColor(10, 10) == QColor("blue")


def test_empty_pixels_of_a_partial_picture_show_the_old_one() -> None:
    clear = picture(VIEW, "transparent", opaque=False)
    assert painted(VIEW, clear, picture(VIEW, "red")).pixelColor(100, 50) == QColor("red")


def test_cache_finds_by_view_and_content_and_drops_the_oldest() -> None:
    cache = PictureCache(limit=3 * VIEW.width * VIEW.height * 4)
    views = [VIEW.panned(1000 * n, 0) for n in range(4)]
    for view in views[:3]:
        cache.put(picture(view, "red"))
    assert cache.find(views[0], "c") is not None
    assert cache.find(views[0], "other") is None
    cache.put(picture(views[3], "red"))
    assert [cache.find(v, "c") is not None for v in views] == [True, False, True, True]


def test_near_pictures_come_by_scale() -> None:
    cache = PictureCache()
    for factor in (0.1, 0.8, 4.0):
        cache.put(picture(VIEW.zoomed(factor, 100, 50), "red"))
    assert [round(p.viewport.resolution, 2) for p in cache.near(VIEW, "c")] == [1.25, 0.25, 10.0]
    assert cache.near(VIEW.panned(1e6, 0), "c") == []


def shown(bench: Bench, x: float = 400, y: float = 300) -> str:
    return bench.canvas.grab(QRect(0, 0, 800, 600)).toImage().pixelColor(QPoint(round(x), round(y))).name()


def test_moved_old_picture_then_partial_then_final(bench: Bench) -> None:
    bench.canvas.pan(-30, 0)
    assert shown(bench) == "#ff0000"
    bench.until(lambda: len(bench.view.requests) == 2)
    assert shown(bench) == "#ff0000"
    bench.view.partial.emit(bench.view.picture("lime"))
    assert shown(bench) == "#00ff00"
    bench.view.finish("blue")
    assert shown(bench) == "#0000ff"
    assert not bench.canvas.scheduler.is_rendering()


def test_a_picture_of_a_superseded_request_is_not_taken(bench: Bench) -> None:
    bench.canvas.pan(-30, 0)
    bench.until(lambda: len(bench.view.requests) == 2)
    bench.canvas.pan(-30, 0)
    bench.until(lambda: len(bench.view.requests) == 3)
    bench.view.finish("lime", number=2)
    assert shown(bench) == "#ff0000"
    bench.view.finish("blue", number=3)
    assert shown(bench) == "#0000ff"


def test_zooming_out_shows_the_wider_older_picture_around(bench: Bench) -> None:
    bench.canvas.zoom_to_extent((EAST + 80, NORTH + 80, EAST + 120, NORTH + 120), 0.0)
    bench.settle("blue")
    bench.canvas.zoom_full()
    bench.canvas.zoom_about(0.9, 400, 300)
    assert shown(bench) in ("#0000ff", "#ff0000")
    assert shown(bench, 150, 60) == "#ff0000"


def test_a_view_seen_before_is_final_at_once_without_a_request(bench: Bench) -> None:
    first = bench.canvas.viewport
    for factor in (2**0.5,) * 5:
        bench.canvas.zoom_about(factor, 111, 222)
    bench.settle("blue")
    asked = len(bench.view.requests)
    for factor in (2**-0.5,) * 5:
        bench.canvas.zoom_about(factor, 111, 222)
    assert bench.canvas.viewport.same_view(first)
    assert bench.canvas.scheduler.is_final()
    assert shown(bench) == "#ff0000"
    QTest.qWait(120)
    assert len(bench.view.requests) == asked


def test_changed_rows_are_drawn_anew_and_the_old_picture_stays_until_then(bench: Bench) -> None:
    bench.project.tell(ChangeSet(1, "edit_cells", touches=(TableTouch("parcels", updated=1),)))
    bench.until(lambda: len(bench.view.requests) == 2)
    assert shown(bench) == "#ff0000"
    bench.view.finish("blue")
    assert shown(bench) == "#0000ff"


def test_a_change_elsewhere_asks_for_nothing(bench: Bench) -> None:
    bench.project.tell(ChangeSet(1, "edit_cells", touches=(TableTouch("notes", updated=1),)))
    QTest.qWait(120)
    assert len(bench.view.requests) == 1


def test_a_layer_switched_off_and_on_again_comes_from_the_cache(bench: Bench) -> None:
    bench.project.set_layer("parcels", visible=False)
    bench.settle("blue")
    assert [layer.id for layer in bench.view.requests[-1].layers] == ["lines"]
    bench.project.set_layer("parcels", visible=True)
    assert shown(bench) == "#ff0000"
    QTest.qWait(120)
    assert len(bench.view.requests) == 2


def test_long_gesture_is_drawn_now_and_then(bench: Bench) -> None:
    start = time.monotonic()
    while time.monotonic() - start < 1.0:
        bench.canvas.pan(1, 0)
        QTest.qWait(15)
    assert 2 <= len(bench.view.requests) <= 4


def test_engine_started_anew_is_asked_through_its_new_view(bench: Bench) -> None:
    old = bench.view
    bench.engine.views.clear()
    bench.engine.state_changed.emit("stopped")
    bench.canvas.zoom_in()
    QTest.qWait(80)
    assert len(old.requests) == 1
    bench.engine.state_changed.emit("starting")
    bench.engine.state_changed.emit("ready")
    bench.until(lambda: len(bench.view.requests) == 1)
    old.finished.emit(old.picture("lime"))
    bench.view.finish("blue")
    assert shown(bench) == "#0000ff"


def test_a_dying_engine_s_view_asks_its_successor_by_itself(bench: Bench) -> None:
    bench.canvas.zoom_in()
    bench.until(lambda: len(bench.view.requests) == 2)
    for state in ("restarting", "ready"):
        bench.engine.state_changed.emit(state)
    QTest.qWait(80)
    assert len(bench.view.requests) == 2
    bench.view.finish("blue")
    assert shown(bench) == "#0000ff"


def test_without_an_engine_nothing_is_asked_or_said(bench: Bench) -> None:
    said: list[str] = []
    bench.canvas.message.connect(lambda level, text: said.append(text))
    bench.engine.state_changed.emit("missing")
    bench.canvas.zoom_in()
    QTest.qWait(80)
    assert len(bench.view.requests) == 1
    assert said == []


def test_a_failing_render_is_said_once_and_not_asked_for_again(bench: Bench) -> None:
    from planner_app.domain.errors import PlannerError

    said: list[str] = []
    bench.canvas.message.connect(lambda level, text: said.append(text))
    bench.canvas.zoom_in()
    bench.until(lambda: len(bench.view.requests) == 2)
    bench.engine.state_changed.emit("busy")
    bench.view.failed.emit(PlannerError("engine.render_failed", layer="x"))
    bench.engine.state_changed.emit("ready")
    QTest.qWait(120)
    assert len(bench.view.requests) == 2
    assert len(said) == 1
    assert shown(bench) == "#ff0000"
    bench.canvas.pan(5, 0)
    bench.until(lambda: len(bench.view.requests) == 3)


@pytest.mark.parametrize(("state", "words"), [("missing", "not installed"), ("failed", "does not start")])
def test_a_missing_engine_is_said_calmly(make_bench: object, state: str, words: str) -> None:
    from planner_app.ui.canvas.empty_state import empty_text
    from tests.ui.canvas.fake_town import parcels_layer

    bench = make_bench(parcels_layer())  # type: ignore[operator]
    bench.engine.state = state
    bench.engine.state_changed.emit(state)
    text = empty_text(bench.session, bench.canvas.content, bench.canvas.scheduler.is_final())
    assert text is not None
    assert words in text[0]


def test_empty_states(make_bench: object) -> None:
    from planner_app.ui.canvas.empty_state import empty_text
    from tests.ui.canvas.fake_town import parcels_layer

    bench = make_bench(open_project=False)  # type: ignore[operator]
    assert empty_text(bench.session, bench.canvas.content, False)[0] == "No project is open"
    bench.session.adopt(bench.project)
    assert empty_text(bench.session, bench.canvas.content, False)[0] == "This project has no layers yet"
    bench.project.tables["parcels"] = parcels_layer()
    bench.project.set_layer("parcels", visible=False)
    assert empty_text(bench.session, bench.canvas.content, False)[0] == "All layers are switched off"
    assert bench.view.requests == []
    bench.project.set_layer("parcels", visible=True)
    bench.settle("blue")
    assert shown(bench) == "#0000ff"


def test_snapshot_is_the_map_without_scale_bar(bench: Bench) -> None:
    image = bench.canvas.snapshot()
    colours = {image.pixelColor(x, 585).name() for x in range(0, 200, 2)}
    assert colours == {"#ff0000"}


def test_overlays_draw_above_and_a_failing_one_is_left_out(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def draw(painter: QPainter, to_screen: object) -> None:
        x, y = to_screen(EAST + 100, NORTH + 100)  # type: ignore[operator]
        painter.fillRect(round(x) - 3, round(y) - 3, 6, 6, QColor("black"))

    handle = bench.canvas.add_overlay(draw)
    bench.canvas.add_overlay(lambda painter, to_screen: 1 / 0)
    assert shown(bench) == "#000000"
    assert "overlay failed" in caplog.text
    caplog.clear()
    bench.canvas.remove_overlay(handle)
    assert shown(bench) == "#ff0000"


def test_an_overlay_that_nothing_may_hide_is_drawn_last(bench: Bench) -> None:
    def cover(colour: str) -> Callable[[QPainter, object], None]:
        return lambda painter, _: painter.fillRect(0, 0, 2000, 2000, QColor(colour))

    handle = bench.canvas.add_overlay(cover("black"), above=True)
    bench.canvas.add_overlay(cover("white"))
    assert shown(bench) == "#000000"
    bench.canvas.remove_overlay(handle)
    assert shown(bench) == "#ffffff"
