"""A real engine on a small project file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, to_qml
from planner_app.engine_client import EngineClient
from planner_app.engine_client.qgis_python import qgis_python as find_python
from planner_app.project import Batch, Project

EAST, NORTH = 509_000.0, 2_944_000.0
EXTENT = (EAST, NORTH, EAST + 1000.0, NORTH + 1000.0)
RED, BLUE = "#C03020", "#2060C0"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """Two layers: ``west`` (red, covers the left half) and ``east`` (blue, right half, labelled in Chinese)."""
    path = tmp_path / "town.sqlite"
    with Project.create(path, "EPSG:4549") as project:
        for name, colour, offset, labels in (("west", RED, 0.0, ""), ("east", BLUE, 500.0, "name")):
            style = LayerStyle(
                classes=(StyleClass(fill=colour, stroke=colour),),
                label_field=labels,
                label_size=24.0,
                label_min_scale=0.0,
            )
            fields = (FieldInfo("name", "text"),)
            new = NewLayer(name, "polygon", fields, qml=to_qml(style, "polygon"))
            box = shapely.box(EAST + offset, NORTH, EAST + offset + 500.0, NORTH + 1000.0)
            project.add_layer(new, [Batch([shapely.to_wkb(box)], {"name": ["滨海新城"]})])
    return path


@pytest.fixture
def wait(qapp: Any) -> Callable[..., None]:
    """Let the event loop run until something holds."""

    def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it took too long"
            qapp.processEvents()
            time.sleep(0.005)

    return until


@pytest.fixture(scope="session")
def running(qapp: Any, qgis_python: str) -> Iterator[list[EngineClient]]:
    """The client that the next test may have: starting QGIS takes longer than most tests."""
    kept: list[EngineClient] = []
    yield kept
    for client in kept:
        client.stop()


@pytest.fixture
def engine(running: list[EngineClient], town: Path, wait: Callable[..., None]) -> Iterator[EngineClient]:
    """A client whose engine has opened ``town``: the one before's, unless it came to harm there."""
    find_python.cache_clear()
    client = running.pop() if running else EngineClient()
    client.open_project(town)
    client.start()
    wait(lambda: client.state == "ready")
    process, pulse = client.process_id, client._ping.interval()
    yield client
    client.close_project()
    with suppress(AssertionError):
        wait(lambda: client.state == "ready", 2.0)
    if client.state != "ready" or (client.process_id, client._ping.interval()) != (process, pulse):
        client.stop()
        return
    for view in client._views.values():
        view.close()
        view.deleteLater()
    client._views.clear()
    running.append(client)
