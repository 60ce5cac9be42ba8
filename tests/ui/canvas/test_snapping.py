from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from planner_app.ui.canvas import snapping
from planner_app.ui.canvas.snapping import build_index
from planner_app.ui.tools.tool import ToolEvent
from tests.ui.canvas.fake_town import EAST, NORTH, Bench


def index(*shapes: object) -> snapping.SnapIndex:
    wkb = np.array([shapely.to_wkb(s) for s in shapes], dtype=object)
    return build_index([("a", np.arange(1, len(shapes) + 1), wkb)])


def test_a_vertex_wins_over_a_nearer_edge() -> None:
    snap = index(shapely.box(0, 0, 100, 100)).nearest(96, 1, 10)
    assert snap == snapping.Snap(100.0, 0.0, True)


def test_an_edge_gives_its_nearest_point() -> None:
    snap = index(shapely.box(0, 0, 100, 100)).nearest(50, -3, 10)
    assert snap == snapping.Snap(50.0, 0.0, False)


def test_nothing_in_reach() -> None:
    assert index(shapely.box(0, 0, 100, 100)).nearest(50, 50, 10) is None
    assert index().nearest(0, 0, 10) is None


def test_holes_lines_and_points_are_snapped_to() -> None:
    ring = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))
    built = index(ring, shapely.LineString([(200, 0), (300, 0)]), shapely.MultiPoint([(500, 5), (600, 6)]))
    assert len(built) == 4 + 4 + 1 + 2
    assert built.nearest(41, 41, 3) == snapping.Snap(40.0, 40.0, True)
    assert built.nearest(250, 2, 3) == snapping.Snap(250.0, 0.0, False)
    assert built.nearest(601, 6, 3) == snapping.Snap(600.0, 6.0, True)


def test_what_is_edited_can_be_left_out() -> None:
    built = index(shapely.box(0, 0, 100, 100), shapely.box(103, 0, 200, 100))
    assert built.nearest(101, 0, 10).x == 100  # type: ignore[union-attr]
    assert built.nearest(101, 0, 10, [("a", 1)]).x == 103  # type: ignore[union-attr]
    assert built.nearest(101, 0, 10, [("a", 1), ("a", 2), ("b", 9)]) is None


eighths = st.integers(0, 800).map(lambda n: n / 8)
lines = st.lists(st.tuples(eighths, eighths), min_size=2, max_size=6, unique=True)


@given(st.lists(lines, min_size=1, max_size=5), eighths, eighths, st.floats(1, 60))
def test_the_nearest_is_found_as_shapely_finds_it(
    shapes: list[list[tuple[float, float]]], x: float, y: float, reach: float
) -> None:
    geometry = [shapely.LineString(points) for points in shapes]
    snap = index(*geometry).nearest(x, y, reach)
    point = shapely.Point(x, y)
    vertices = shapely.distance(shapely.points([p for s in shapes for p in s]), point).min()
    edges = min(shapely.distance(g, point) for g in geometry)
    if abs(vertices - reach) < 1e-6 or abs(edges - reach) < 1e-6:
        return
    if snap is None:
        assert edges > reach
    else:
        expected = vertices if snap.vertex else edges
        assert shapely.distance(point, shapely.Point(snap.x, snap.y)) == pytest.approx(expected, abs=1e-9)
        assert snap.vertex == (vertices <= reach)


def ready(bench: Bench) -> None:
    bench.until(lambda: bench.canvas.snapper.snap(EAST, NORTH) is not None)


def test_drawing_snaps_to_what_is_in_view_and_alt_does_not(bench: Bench) -> None:
    assert bench.canvas.snapper.snap(EAST, NORTH) is None
    bench.canvas.set_tool("measure_length")
    ready(bench)
    near = 6 * bench.canvas.viewport.resolution
    bench.click(100 + near, 100 - near)
    bench.click(50, 100 + near)
    bench.click(near, near, Qt.KeyboardModifier.AltModifier)
    points = bench.canvas.tool.points  # type: ignore[attr-defined]
    assert points[0] == (EAST + 100, NORTH + 100)
    assert points[1][1] == NORTH + 100
    assert points[2] != (EAST, NORTH)


def test_too_much_in_view_is_not_snapped_to_until_zoomed_in(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapping, "MOST_SEGMENTS", 9)
    bench.canvas.set_tool("measure_length")
    bench.until(lambda: bench.canvas.snapper.crowded)
    bench.canvas.zoom_to_extent((EAST + 1, NORTH + 1, EAST + 40, NORTH + 40), 0.0)
    bench.until(lambda: not bench.canvas.snapper.crowded)
    ready(bench)


def test_a_tool_of_a_plugin_gets_snapped_points_unless_alt_is_held(bench: Bench) -> None:
    class Points:
        snaps = True

        def __init__(self) -> None:
            self.pressed: list[tuple[float, float]] = []

        def press(self, event: ToolEvent) -> None:
            self.pressed.append((event.x, event.y))

    tool = Points()
    bench.canvas.use_tool(lambda: tool)
    ready(bench)
    near = 6 * bench.canvas.viewport.resolution
    bench.click(100 + near, 100 - near)
    bench.click(near, near, Qt.KeyboardModifier.AltModifier)
    assert tool.pressed[0] == (EAST + 100, NORTH + 100)
    assert tool.pressed[1] != (EAST, NORTH)
    tool.snaps = False  # it draws by free hand now
    bench.move(50, 50)
    bench.click(100 + near, 100 - near)
    assert tool.pressed[2] != (EAST + 100, NORTH + 100)
    assert not bench.canvas.snapper.enabled
