"""The tools against a real project file: what they do is in its log and can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import Qt

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from planner_app.ui.canvas.map_canvas import MapCanvas
from planner_app.ui.session import Session
from planner_app.ui.settings import Settings
from planner_app.ui.theme import Theme
from planner_app.ui.tools.edit_vertices import EditVerticesTool
from planner_app.ui.tools.select import select_by_expression
from tests.ui.canvas.fake_town import EAST, NORTH, Bench, FakeEngine, square

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def real(qtbot: Any, tmp_path: Path) -> Iterator[Bench]:
    """Four parcels in a project file, shown."""
    path = tmp_path / "town.sqlite"
    corners = ((0, 0), (100, 0), (0, 100), (100, 100))
    with Project.create(path, "EPSG:4549") as project:
        fields = (FieldInfo("code", "text"), FieldInfo("floors", "integer"))
        wkb = [shapely.to_wkb(square(x, y)) for x, y in corners]
        columns: dict[str, list[object]] = {"code": ["R2", "R2", "G1", "B1"], "floors": [1, 2, 3, 4]}
        layer = project.add_layer(NewLayer("地块", "polygon", fields), [Batch(wkb, columns)])
    engine = FakeEngine()
    session = Session(Settings(path=tmp_path / "settings.toml"), Theme("light"), engine)  # type: ignore[arg-type]
    canvas = MapCanvas(session)
    canvas.resize(800, 600)
    qtbot.addWidget(canvas)
    canvas.show()
    opened = Project.open(path, user="planner", origin="desktop")
    session.adopt(opened)
    session.set_current_layer(layer.id)
    bench = Bench(canvas, session, opened, engine, qtbot)  # type: ignore[arg-type]
    bench.settle()
    yield bench
    canvas.close_canvas()
    session.shutdown()


def shapes(bench: Bench) -> dict[int, Any]:
    table = bench.project.read(bench.session.current_layer)
    return dict(zip(table.fids.tolist(), shapely.from_wkb(table.geometry), strict=True))


def test_a_vertex_moved_by_hand_is_one_undoable_command(real: Bench) -> None:
    layer = real.session.current_layer
    before = shapes(real)
    real.canvas.set_tool("edit_vertices")
    tool = real.canvas.tool
    assert isinstance(tool, EditVerticesTool)
    real.click(50, 50)
    real.until(lambda: tool.subject is not None)
    real.drag(real.pixel(100, 100), real.pixel(115, 120), modifiers=ALT)
    after = shapes(real)
    assert [fid for fid in before if not shapely.equals(before[fid], after[fid])] == [1, 2, 3, 4]
    assert shapely.unary_union(list(after.values())).area == pytest.approx(40_000)
    assert real.session.can_undo()
    real.session.undo()
    assert all(shapely.equals(before[fid], shape) for fid, shape in shapes(real).items())
    real.until(lambda: tool.subject is not None and tool.subject.polygon.area() == pytest.approx(10_000))
    assert real.session.selection.fids(layer) == (1,)


def test_drawing_and_deleting_and_undoing(real: Bench) -> None:
    layer = real.session.current_layer
    real.canvas.set_tool("draw_polygon")
    for x, y in ((20, 20), (80, 20), (80, 80)):
        real.click(x, y, ALT)
    real.key(Qt.Key.Key_Return)
    assert real.project.count(layer) == 5  # type: ignore[attr-defined]
    real.until(lambda: real.session.selection.fids(layer) == (5,))
    real.canvas.set_tool("select")
    real.key(Qt.Key.Key_Delete)
    assert real.project.count(layer) == 4  # type: ignore[attr-defined]
    real.session.undo()
    assert real.project.count(layer) == 5  # type: ignore[attr-defined]


def test_click_box_expression_and_hover(real: Bench) -> None:
    layer, selection = real.session.current_layer, real.session.selection
    real.canvas.set_tool("select")
    real.click(150, 50)
    real.until(lambda: selection.fids(layer) == (2,))
    real.drag(real.pixel(20, 20), real.pixel(60, 180))
    real.until(lambda: selection.fids(layer) == (1, 3))
    errors: list[Exception] = []
    select_by_expression(real.session, layer, "floors >= 3 AND code <> 'G1'")
    real.until(lambda: selection.fids(layer) == (4,))
    select_by_expression(real.session, layer, "nothing > 3", failed=errors.append)
    real.until(lambda: len(errors) == 1)
    real.move(50, 50)
    real.until(real.canvas.hover.card.isVisible)
    assert real.canvas.hover.card.text is not None
    assert real.canvas.hover.card.text.title == "地块 R2"
    real.canvas.zoom_to_layer(layer)
    assert real.canvas.viewport.x == pytest.approx(EAST + 100)
    assert real.canvas.viewport.y == pytest.approx(NORTH + 100)
