from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from planner_app.ui.tools.draw_polygon import DrawPolygonTool, polygon_wkb, typed_point
from planner_app.ui.tools.edit_vertices import EditVerticesTool
from planner_app.ui.tools.editable import Corner, EditablePolygon, insert_shared, move_shared, remove_shared
from tests.ui.canvas.fake_town import EAST, NORTH, Bench, square

ALT = Qt.KeyboardModifier.AltModifier
HOLED = shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 6, 6))


def editable(shape: Any) -> EditablePolygon:
    return EditablePolygon.from_wkb(shapely.to_wkb(shape))


# the polygon itself


def test_wkb_round_trip_keeps_holes_parts_and_heights() -> None:
    shape = shapely.MultiPolygon([HOLED, shapely.box(20, 0, 30, 10)])
    assert shapely.equals_exact(shapely.from_wkb(editable(shape).to_wkb()), shape)
    high = shapely.MultiPolygon([shapely.Polygon([(0, 0, 5), (10, 0, 6), (10, 10, 7)])])
    back = shapely.from_wkb(editable(high).inserted(Corner(0, 0, 0), 5, 0).to_wkb())
    assert shapely.get_coordinates(back, include_z=True)[:, 2].tolist() == [5, 5.5, 6, 7, 5]


def test_move_insert_remove() -> None:
    polygon = editable(shapely.box(0, 0, 10, 10))
    corner = polygon.nearest_vertex(9, 9, 3)
    assert corner is not None
    assert polygon.vertex(corner) == (10, 10)
    assert polygon.moved(corner, 12, 12).area() == pytest.approx(120)
    edge, x, y = polygon.nearest_edge(5, 10.4, 1)  # type: ignore[misc]
    assert (x, y) == (5, 10)
    more = polygon.inserted(edge, 5, 12)
    assert more.area() == pytest.approx(110)
    assert more.removed(more.nearest_vertex(5, 12, 1)).area() == pytest.approx(100)  # type: ignore[arg-type, union-attr]


def test_a_triangle_hole_goes_whole_and_the_last_triangle_stays() -> None:
    holed = editable(shapely.Polygon([(0, 0), (9, 0), (0, 9)], [[(1, 1), (2, 1), (1, 2)]]))
    without = holed.removed(Corner(0, 1, 0))
    assert without is not None
    assert len(without.parts[0]) == 1
    assert without.removed(Corner(0, 0, 0)) is None


def test_problems_are_named() -> None:
    polygon = editable(HOLED)
    assert polygon.problem() == ""
    corner = polygon.nearest_vertex(0, 0, 1)
    assert corner is not None
    assert polygon.moved(corner, 12, 8).problem() == "crossing"
    assert editable(shapely.box(0, 0, 2, 2)).translated(5, 5).problem() == ""
    hole = polygon.parts[0][1] + [20, 0]
    assert EditablePolygon(((polygon.parts[0][0], hole),)).problem() == "outside"


def test_shared_corners_move_together() -> None:
    left, right = editable(shapely.box(0, 0, 10, 10)), editable(shapely.box(10, 0, 20, 10))
    far = editable(shapely.box(50, 0, 60, 10))
    others = {2: right, 3: far}
    moved = move_shared(others, (10, 10), (11, 12))
    assert list(moved) == [2]
    assert moved[2].nearest_vertex(11, 12, 0.1) is not None
    inserted = insert_shared(others, (10, 10), (10, 0), (10, 5))
    assert list(inserted) == [2]
    assert inserted[2].area() == pytest.approx(100)
    assert len(inserted[2].parts[0][0]) == 5
    assert list(remove_shared(others, (10, 0))) == [2]
    assert left.edge_between((0, 0), (10, 10)) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=8, unique=True))
def test_a_drawn_polygon_is_valid_or_refused(points: list[tuple[int, int]]) -> None:
    wkb, problem = polygon_wkb([(float(x), float(y)) for x, y in points])
    expected = shapely.Polygon(points)
    if wkb is None:
        assert problem
        assert not expected.is_valid or expected.area == 0
    else:
        assert shapely.from_wkb(wkb).area == pytest.approx(expected.area)
        assert expected.is_valid


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("3450100.5, 512000", (512000, 3450100.5)),
        ("3450100 512000", (512000, 3450100)),
        ("@10，-20", (80, 210)),
        ("12", None),
        ("a, b", None),
    ],
)
def test_typed_points_read_north_first(text: str, point: tuple[float, float] | None) -> None:
    assert typed_point(text, (100, 200), northing_first=True) == point


def test_typed_step_needs_a_point() -> None:
    assert typed_point("@1,2", None, northing_first=False) is None
    assert typed_point("@1,2", (5, 5), northing_first=False) == (6, 7)


# drawing


def test_drawing_for_a_panel_gives_wkb_and_leaves_the_tool(bench: Bench) -> None:
    got: list[bytes | None] = []
    bench.canvas.draw_polygon(got.append)
    for x, y in ((20, 20), (80, 20), (80, 80)):
        bench.click(x, y, ALT)
    bench.key(Qt.Key.Key_Return)
    assert shapely.from_wkb(got[0]).area == pytest.approx(1800, rel=0.05)
    assert bench.canvas.tool_id == "pan"
    assert bench.project.executed == []


def test_escape_while_drawing_for_a_panel_answers_none(bench: Bench) -> None:
    got: list[bytes | None] = []
    bench.canvas.draw_polygon(got.append)
    bench.click(20, 20, ALT)
    bench.key(Qt.Key.Key_Escape)
    assert got == []
    bench.key(Qt.Key.Key_Escape)
    assert got == [None]


def test_typed_corners_make_a_polygon(bench: Bench) -> None:
    got: list[bytes | None] = []
    bench.canvas.draw_polygon(got.append)
    for text in (f"{NORTH:.0f}, {EAST:.0f}", "@0,100", "@100,0", "@0,-100"):
        bench.qtbot.keyClicks(bench.canvas, text)
        bench.key(Qt.Key.Key_Return)
    bench.key(Qt.Key.Key_Return)
    assert shapely.equals(shapely.from_wkb(got[0]), square(0, 0))


def test_crossing_outline_is_refused_and_kept_for_mending(bench: Bench) -> None:
    got: list[bytes | None] = []
    bench.canvas.draw_polygon(got.append)
    for x, y in ((20, 20), (80, 80), (80, 20), (20, 80)):
        bench.click(x, y, ALT)
    with bench.qtbot.waitSignal(bench.canvas.message) as said:
        bench.key(Qt.Key.Key_Return)
    assert "cross" in said.args[1]
    assert got == []
    assert isinstance(bench.canvas.tool, DrawPolygonTool)
    assert len(bench.canvas.tool.points) == 4


def test_drawing_into_the_current_layer_inserts_and_selects(bench: Bench) -> None:
    bench.session.set_current_layer("parcels")
    bench.canvas.set_tool("draw_polygon")
    for x, y in ((20, 20), (80, 20), (80, 80)):
        bench.click(x, y, ALT)
    bench.double_click(20, 80)
    assert [c.name for c in bench.project.executed] == ["insert_features"]
    assert bench.session.selection.fids("parcels") == (5,)


# vertices


@pytest.fixture
def editor(bench: Bench) -> EditVerticesTool:
    bench.canvas.zoom_to_extent((EAST - 20, NORTH - 20, EAST + 220, NORTH + 220), 0.0)
    bench.canvas.set_tool("edit_vertices")
    tool = bench.canvas.tool
    assert isinstance(tool, EditVerticesTool)
    bench.session.selection.set("parcels", [1])
    bench.until(lambda: tool.subject is not None)
    bench.until(lambda: bench.canvas.snapper.snap(EAST, NORTH) is not None)
    return tool


def geometries(bench: Bench) -> dict[int, Any]:
    command = bench.project.executed[-1]
    assert command.name == "edit_geometry"
    return {fid: shapely.from_wkb(wkb) for fid, wkb in command.geometries.items()}


def test_click_chooses_the_polygon(bench: Bench) -> None:
    bench.canvas.set_tool("edit_vertices")
    bench.session.set_current_layer("parcels")
    bench.click(150, 50)
    tool = bench.canvas.tool
    assert isinstance(tool, EditVerticesTool)
    bench.until(lambda: tool.subject is not None and tool.subject.fid == 2)


def test_dragging_a_vertex_is_one_command_with_its_neighbours(bench: Bench, editor: EditVerticesTool) -> None:
    bench.drag(bench.pixel(100, 100), bench.pixel(120, 130), modifiers=ALT)
    changed = geometries(bench)
    assert sorted(changed) == [1, 2, 3, 4]
    assert len(bench.project.executed) == 1
    assert shapely.unary_union(list(changed.values())).area == pytest.approx(40_000)
    assert changed[1].area == pytest.approx(10_000 + 100 * (20 + 30) / 2, rel=0.02)


def test_alone_if_wished(bench: Bench, editor: EditVerticesTool) -> None:
    bench.key(Qt.Key.Key_S)
    bench.drag(bench.pixel(100, 100), bench.pixel(90, 90), modifiers=ALT)
    assert list(geometries(bench)) == [1]


def test_dragged_vertex_snaps_to_a_neighbour(bench: Bench, editor: EditVerticesTool) -> None:
    bench.key(Qt.Key.Key_S)
    target = bench.pixel(200, 0)
    target.setX(target.x() - 5)
    bench.drag(bench.pixel(100, 0), target)
    assert (EAST + 200, NORTH) in [tuple(p) for p in shapely.get_coordinates(geometries(bench)[1])]


def test_double_click_on_an_edge_adds_for_both_sides(bench: Bench, editor: EditVerticesTool) -> None:
    bench.double_click(100, 50)
    changed = geometries(bench)
    assert sorted(changed) == [1, 2]
    assert [len(shapely.get_coordinates(g)) for g in changed.values()] == [6, 6]


def test_delete_takes_the_vertex_under_the_pointer(bench: Bench, editor: EditVerticesTool) -> None:
    bench.move(0, 0)
    bench.key(Qt.Key.Key_Delete)
    assert geometries(bench)[1].area == pytest.approx(5_000)


def test_delete_off_the_vertices_deletes_the_polygon(bench: Bench, editor: EditVerticesTool) -> None:
    bench.move(50, 50)
    bench.key(Qt.Key.Key_Delete)
    assert bench.project.executed[-1].name == "delete_features"
    bench.until(lambda: editor.subject is None)


def test_dragging_the_inside_moves_it_whole(bench: Bench, editor: EditVerticesTool) -> None:
    bench.drag(bench.pixel(50, 50), bench.pixel(20, 50), modifiers=ALT)
    moved = geometries(bench)[1]
    assert moved.area == pytest.approx(10_000)
    assert moved.centroid.x == pytest.approx(EAST + 20, abs=2)


def test_an_invalid_result_is_refused_with_a_sentence(bench: Bench, editor: EditVerticesTool) -> None:
    with bench.qtbot.waitSignal(bench.canvas.message) as said:
        bench.drag(bench.pixel(0, 0), bench.pixel(150, 60), modifiers=ALT)
    assert said.args == ["warning", "The outline would cross or touch itself; move the point elsewhere."]
    assert bench.project.executed == []
    assert editor.draft is None


def test_escape_drops_the_drag(bench: Bench, editor: EditVerticesTool) -> None:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    left = Qt.MouseButton.LeftButton
    QTest.mousePress(bench.canvas, left, ALT, bench.pixel(100, 100))
    at = QPointF(bench.pixel(130, 130))
    event = QMouseEvent(QMouseEvent.Type.MouseMove, at, at, Qt.MouseButton.NoButton, left, ALT)
    QApplication.sendEvent(bench.canvas, event)
    assert editor.draft is not None
    bench.key(Qt.Key.Key_Escape)
    QTest.mouseRelease(bench.canvas, left, ALT, bench.pixel(130, 130))
    assert bench.project.executed == []
    assert bench.canvas.tool_id == "edit_vertices"


def test_what_undo_brings_back_is_shown(bench: Bench, editor: EditVerticesTool) -> None:
    bench.drag(bench.pixel(50, 50), bench.pixel(20, 50), modifiers=ALT)
    from planner_app.domain.changeset import ChangeSet, TableTouch

    bench.project.tables["parcels"].geometry[1] = square(0, 0)
    bench.project.tell(ChangeSet(2, "undo", touches=(TableTouch("parcels", updated=1, fids=(1,)),)))
    bench.until(lambda: editor.subject is not None and editor.subject.polygon.bounds()[0] == EAST)


def test_locked_layers_are_not_edited(bench: Bench) -> None:
    bench.project.set_layer("parcels", locked=True)
    bench.canvas.set_tool("edit_vertices")
    bench.session.selection.set("parcels", [1])
    bench.qtbot.wait(80)
    tool = bench.canvas.tool
    assert isinstance(tool, EditVerticesTool)
    assert tool.subject is None
    assert np.all([c.name != "edit_geometry" for c in bench.project.executed])
