"""The map with a real project and a real engine behind it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtGui import QColor

from planner_app.domain.layer import NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, to_qml
from planner_app.engine_client import EngineClient
from planner_app.project import Batch, Project
from planner_app.project.commands import EditGeometry
from planner_app.ui.canvas.map_canvas import MapCanvas
from planner_app.ui.session import Session
from planner_app.ui.settings import Settings
from planner_app.ui.theme import Theme
from tests.ui.canvas.fake_town import EAST, NORTH, square

pytestmark = pytest.mark.qgis


@pytest.fixture
def canvas(qtbot: Any, tmp_path: Path, qgis_python: str) -> Iterator[MapCanvas]:
    """One yellow square of 100 m, drawn by QGIS."""
    path = tmp_path / "town.sqlite"
    qml = to_qml(LayerStyle(classes=(StyleClass(fill="#ffff00", stroke=""),)), "polygon")
    with Project.create(path, "EPSG:4549") as project:
        project.add_layer(NewLayer("地块", "polygon", qml=qml), [Batch([shapely.to_wkb(square(0, 0))], {})])
    engine = EngineClient()
    session = Session(Settings(path=tmp_path / "settings.toml"), Theme("light"), engine)
    made = MapCanvas(session)
    made.resize(500, 400)
    qtbot.addWidget(made)
    made.show()
    engine.start()
    session.adopt(Project.open(path, user="planner", origin="desktop"))
    qtbot.waitUntil(made.scheduler.is_final, timeout=60_000)
    yield made
    made.close_canvas()
    session.shutdown()


def colour(canvas: MapCanvas, x: float, y: float) -> str:
    px, py = canvas.viewport.to_screen(EAST + x, NORTH + y)
    return QColor(canvas.snapshot().pixel(round(px), round(py))).name()


def test_what_qgis_draws_lies_where_the_map_says(canvas: MapCanvas, qtbot: Any) -> None:
    assert colour(canvas, 50, 50) == "#ffff00"
    one = 1.5 * canvas.viewport.resolution
    for x, y in ((0, 50), (100, 50), (50, 0), (50, 100)):
        outward = (x - 50) / 50 * one, (y - 50) / 50 * one
        assert colour(canvas, x - outward[0], y - outward[1]) == "#ffff00"
        assert colour(canvas, x + outward[0], y + outward[1]) == "#ffffff"
    canvas.zoom_about(2**0.5, 100, 300)
    qtbot.waitUntil(canvas.scheduler.is_final, timeout=20_000)
    assert colour(canvas, 50, 50) == "#ffff00"


def test_an_edit_and_its_undo_are_drawn(canvas: MapCanvas, qtbot: Any) -> None:
    session = canvas.session
    layer = session.layers()[0].id
    session.execute(EditGeometry(layer, {1: shapely.to_wkb(shapely.MultiPolygon([square(0, 0, 40)]))}))
    qtbot.waitUntil(lambda: canvas.scheduler.is_final() and colour(canvas, 70, 70) == "#ffffff", timeout=20_000)
    assert colour(canvas, 20, 20) == "#ffff00"
    session.undo()
    qtbot.waitUntil(lambda: canvas.scheduler.is_final() and colour(canvas, 70, 70) == "#ffff00", timeout=20_000)


def test_a_killed_engine_costs_a_redraw(canvas: MapCanvas, qtbot: Any) -> None:
    engine = canvas.session.engine
    assert engine is not None
    canvas.zoom_about(1.7, 250, 200)
    os.kill(engine.process_id, getattr(signal, "SIGKILL", signal.SIGTERM))
    assert colour(canvas, 50, 50) == "#ffff00"
    qtbot.waitUntil(lambda: engine.state == "restarting", timeout=10_000)
    qtbot.waitUntil(canvas.scheduler.is_final, timeout=60_000)
    assert colour(canvas, 50, 50) == "#ffff00"
