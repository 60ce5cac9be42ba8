from __future__ import annotations

import pytest
import shapely
from pyproj import CRS, Geod, Transformer
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from planner_app.ui.canvas.quantities import (
    format_area,
    format_length,
    format_position,
    format_scale_length,
    is_northing_first,
    round_length,
)
from planner_app.ui.tools.measure import MeasureTool, measure
from tests.ui.canvas.fake_town import EAST, NORTH, Bench

ALT = Qt.KeyboardModifier.AltModifier
RING = [(EAST, NORTH), (EAST + 400, NORTH + 30), (EAST + 380, NORTH + 500), (EAST - 20, NORTH + 420)]


def geographic(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    system = CRS("EPSG:4549")
    lon, lat = Transformer.from_crs(system, system.geodetic_crs, always_xy=True).transform(*zip(*points, strict=True))
    return list(lon), list(lat)


def test_line_against_shapely_and_pyproj() -> None:
    found = measure(RING, "EPSG:4549", closed=False)
    assert found.length == pytest.approx(shapely.LineString(RING).length, rel=1e-12)
    assert found.ellipsoidal_length == pytest.approx(
        CRS("EPSG:4549").get_geod().line_length(*geographic(RING)), rel=1e-9
    )
    assert sum(found.segments) == pytest.approx(found.length)
    assert found.area == 0


def test_ring_against_shapely_and_pyproj() -> None:
    found = measure(RING, "EPSG:4549", closed=True)
    assert found.area == pytest.approx(shapely.Polygon(RING).area, rel=1e-9)
    geod: Geod = CRS("EPSG:4549").get_geod()
    area, perimeter = geod.polygon_area_perimeter(*geographic(RING))
    assert found.ellipsoidal_area == pytest.approx(abs(area), rel=1e-6)
    assert found.ellipsoidal_length == pytest.approx(perimeter, rel=1e-9)
    assert len(found.segments) == 4


def test_ring_that_crosses_itself_has_no_area() -> None:
    found = measure([(0, 0), (10, 10), (10, 0), (0, 10)], "EPSG:4549", closed=True)
    assert found.crossing
    assert found.area == 0


def tool(bench: Bench, tool_id: str) -> MeasureTool:
    bench.canvas.set_tool(tool_id)
    assert isinstance(bench.canvas.tool, MeasureTool)
    return bench.canvas.tool


def test_length_reads_out_while_the_pointer_moves(bench: Bench) -> None:
    length = tool(bench, "measure_length")
    bench.click(0, 30, ALT)
    bench.move(100, 30)
    bench.until(lambda: length.result is not None)
    assert length.result.length == pytest.approx(100, abs=2 * bench.canvas.viewport.resolution)  # type: ignore[union-attr]
    assert length.text().startswith("Length (planar): ")


def test_double_click_ends_and_copy_gives_both_bases(bench: Bench) -> None:
    area = tool(bench, "measure_area")
    bench.until(lambda: not bench.canvas.background.busy("snapping"))
    for x, y in ((0, 0), (100, 0), (100, 100)):
        bench.click(x, y)
    bench.double_click(0, 100)
    assert area.finished
    assert len(area.points) == 4
    bench.until(lambda: area.result is not None and len(area.result.points) == 4)
    bench.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line.split(": ")[0] for line in lines] == ["Area (planar)", "Area (ellipsoidal)", "Perimeter"]
    bench.click(50, 50)
    assert not area.finished
    assert len(area.points) == 1


def test_first_vertex_closes(bench: Bench) -> None:
    area = tool(bench, "measure_area")
    for x, y in ((20, 20), (80, 20), (80, 80)):
        bench.click(x, y, ALT)
    bench.click(20, 20, ALT)
    assert area.finished
    assert len(area.points) == 3


def test_backspace_takes_back_and_escape_drops(bench: Bench) -> None:
    length = tool(bench, "measure_length")
    bench.click(10, 10, ALT)
    bench.click(90, 10, ALT)
    bench.key(Qt.Key.Key_Backspace)
    assert len(length.points) == 1
    bench.key(Qt.Key.Key_Escape)
    assert length.points == []
    assert length.result is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234.50 m²"), (23714.6, "2.3715 ha"), (2.5e9, "2,500.000 km²"), (0, "0.00 m²")],
)
def test_areas(value: float, text: str) -> None:
    assert format_area(value) == text


@pytest.mark.parametrize(("value", "text"), [(12.3456, "12.346 m"), (1234.5, "1,234.50 m"), (12345.6, "12.346 km")])
def test_lengths(value: float, text: str) -> None:
    assert format_length(value) == text


@pytest.mark.parametrize(("limit", "length"), [(137, 100), (50, 50), (0.27, 0.2), (999, 500), (1000, 1000)])
def test_round_lengths(limit: float, length: float) -> None:
    assert round_length(limit) == pytest.approx(length)


def test_scale_bar_words() -> None:
    assert [format_scale_length(v) for v in (0.05, 0.5, 20, 1000, 2e5)] == ["5 cm", "50 cm", "20 m", "1 km", "200 km"]


def test_positions_read_north_first_in_chinese_systems() -> None:
    assert format_position(512384.27, 2861940.55, "EPSG:4549") == "X 2,861,940.55   Y 512,384.27 m"
    assert format_position(236000, 901000, "EPSG:26986", 0) == "E 236,000   N 901,000 m"
    assert is_northing_first("EPSG:4526")
    assert not is_northing_first("EPSG:32650")


def test_axis_order_agrees_with_the_projection_library() -> None:
    from planner_app.domain.crs import is_chinese_projected

    for number in (2326, 2327, 2390, 2391, 2401, 2442, 3857, 4490, 4491, 4549, 4554, 21413, 21483, 26986, 32650):
        assert is_northing_first(f"EPSG:{number}") == is_chinese_projected(f"EPSG:{number}"), number
