from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from planner_app.plugin_api.viewport import contains
from tests.ui.canvas.fake_town import EAST, NORTH, Bench

MIDDLE = Qt.MouseButton.MiddleButton
SHIFT = Qt.KeyboardModifier.ShiftModifier


def wheel(bench: Bench, at: QPoint, angle: int = 0, pixels: int = 0, modifiers: object = None) -> None:
    phase = Qt.ScrollPhase.ScrollUpdate if pixels else Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        QPointF(at),
        QPointF(bench.canvas.mapToGlobal(at)),
        QPoint(0, pixels),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifiers or Qt.KeyboardModifier.NoModifier,
        phase,
        False,
    )
    QApplication.sendEvent(bench.canvas, event)


def test_opening_shows_everything_and_asks_once(bench: Bench) -> None:
    assert len(bench.view.requests) == 1
    xmin, ymin, xmax, ymax = bench.view.requests[0].extent
    assert xmin < EAST
    assert ymin < NORTH
    assert xmax > EAST + 200
    assert ymax > NORTH + 200
    assert [layer.id for layer in bench.view.requests[0].layers] == ["lines", "parcels"]


@pytest.mark.parametrize("angle", [120, -120, 480])
def test_wheel_keeps_the_point_under_the_pointer(bench: Bench, angle: int) -> None:
    at = QPoint(123, 456)
    before, resolution = bench.canvas.viewport.to_map(123, 456), bench.canvas.viewport.resolution
    wheel(bench, at, angle)
    assert bench.canvas.viewport.to_map(123, 456) == pytest.approx(before, abs=1e-6)
    assert bench.canvas.viewport.resolution == pytest.approx(resolution / 2 ** (angle / 240))


def test_touchpad_zooms_smoothly_and_ctrl_finely(bench: Bench) -> None:
    start = bench.canvas.viewport.resolution
    wheel(bench, QPoint(10, 10), angle=120, pixels=22)
    assert bench.canvas.viewport.resolution == pytest.approx(start / 2**0.1)
    wheel(bench, QPoint(10, 10), angle=-120, modifiers=Qt.KeyboardModifier.ControlModifier)
    assert bench.canvas.viewport.resolution == pytest.approx(start / 2**0.1 * 2**0.0625)


def test_no_gesture_renders_synchronously_and_many_become_one_request(bench: Bench) -> None:
    asked = len(bench.view.requests)
    for step in range(10):
        wheel(bench, QPoint(400, 300), 120 if step % 2 else -60)
        bench.drag(QPoint(300, 300), QPoint(310, 305), MIDDLE)
        bench.key(Qt.Key.Key_Right)
    assert len(bench.view.requests) == asked
    bench.until(lambda: len(bench.view.requests) > asked)
    QTest.qWait(100)
    assert len(bench.view.requests) == asked + 1
    assert bench.view.requests[-1].extent == bench.canvas.extent()


@pytest.mark.parametrize("way", ["drag", "middle", "space"])
def test_panning_moves_the_map_with_the_hand(bench: Bench, way: str) -> None:
    if way != "drag":
        bench.canvas.set_tool("measure_length")
    under = bench.canvas.viewport.to_map(200, 200)
    if way == "space":
        QTest.keyPress(bench.canvas, Qt.Key.Key_Space)
    bench.drag(QPoint(200, 200), QPoint(260, 230), MIDDLE if way == "middle" else Qt.MouseButton.LeftButton)
    if way == "space":
        QTest.keyRelease(bench.canvas, Qt.Key.Key_Space)
    assert bench.canvas.viewport.to_map(260, 230) == pytest.approx(under)
    assert bench.canvas.cursor().shape() == bench.canvas.tool.cursor


def test_shift_drag_zooms_to_a_box(bench: Bench) -> None:
    corners = bench.pixel(0, 100), bench.pixel(100, 0)
    bench.drag(*corners, modifiers=SHIFT)
    xmin, ymin, xmax, ymax = bench.canvas.extent()
    assert ymax - ymin == pytest.approx(100, abs=3)
    assert xmin < EAST
    assert xmax > EAST + 100
    assert (xmin + xmax) / 2 == pytest.approx(EAST + 50, abs=2)


def test_keys_pan_and_zoom(bench: Bench) -> None:
    x, resolution = bench.canvas.viewport.x, bench.canvas.viewport.resolution
    bench.key(Qt.Key.Key_Right)
    assert bench.canvas.viewport.x == pytest.approx(x + 100 * resolution)
    bench.key(Qt.Key.Key_Plus)
    assert bench.canvas.viewport.resolution == pytest.approx(resolution / 2)
    bench.key(Qt.Key.Key_Minus)
    assert bench.canvas.viewport.resolution == pytest.approx(resolution)


def test_views_can_be_gone_back_to(bench: Bench) -> None:
    first = bench.canvas.viewport
    bench.canvas.zoom_to_extent((EAST, NORTH, EAST + 100, NORTH + 100))
    second = bench.canvas.viewport
    wheel(bench, QPoint(5, 5), 240)
    bench.canvas.view_back()
    assert bench.canvas.viewport.same_view(second)
    bench.canvas.view_back()
    assert bench.canvas.viewport.same_view(first)
    bench.canvas.view_forward()
    assert bench.canvas.viewport.same_view(second)


def test_typed_scale_layer_and_selection(bench: Bench) -> None:
    bench.canvas.set_scale(500)
    assert bench.canvas.scale() == pytest.approx(500)
    bench.canvas.zoom_to_layer("lines")
    assert bench.canvas.viewport.x == pytest.approx(EAST + 100)
    assert bench.canvas.viewport.y == pytest.approx(NORTH + 150)
    bench.session.selection.set("parcels", [4])
    bench.canvas.zoom_to_selection()
    bench.until(lambda: bench.canvas.viewport.x == pytest.approx(EAST + 150))
    bench.canvas.zoom_full()
    assert bench.canvas.viewport.x == pytest.approx(EAST + 100)


def test_pointer_position_is_told(bench: Bench) -> None:
    with bench.qtbot.waitSignal(bench.canvas.cursor_moved) as told:
        bench.move(30, 40)
    assert told.args == pytest.approx([EAST + 30, NORTH + 40], abs=bench.canvas.viewport.resolution)


def test_resizing_keeps_the_centre(bench: Bench) -> None:
    bench.canvas.set_viewport(bench.canvas.viewport.panned(30, 20))
    x, y, resolution = bench.canvas.viewport.x, bench.canvas.viewport.y, bench.canvas.viewport.resolution
    bench.canvas.resize(500, 400)
    bench.until(lambda: bench.canvas.viewport.width == 500)
    assert (bench.canvas.viewport.x, bench.canvas.viewport.y, bench.canvas.viewport.resolution) == (x, y, resolution)


def test_a_map_shown_whole_stays_whole_when_resized(bench: Bench) -> None:
    whole = bench.canvas.content.extent()
    bench.canvas.zoom_full()
    before = bench.canvas.viewport.resolution
    bench.canvas.resize(400, 300)
    bench.until(lambda: bench.canvas.viewport.width == 400)
    assert bench.canvas.viewport.resolution > before
    assert contains(bench.canvas.extent(), whole)


def test_escape_leaves_the_tool_then_clears_the_selection(bench: Bench) -> None:
    bench.session.selection.set("parcels", [1])
    bench.canvas.set_tool("measure_area")
    bench.click(10, 10)
    bench.key(Qt.Key.Key_Escape)
    assert bench.canvas.tool_id == "measure_area"
    bench.key(Qt.Key.Key_Escape)
    assert bench.canvas.tool_id == "pan"
    assert bench.session.selection.fids("parcels") == (1,)
    bench.key(Qt.Key.Key_Escape)
    assert bench.session.selection.layer_ids() == ()
