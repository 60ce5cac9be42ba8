"""A project with a handful of sensors whose readings are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.project import Project
from tests.plugins.tunnel.monitoring.plants import add_sensors, feed


@pytest.fixture
def gas(tmp_path: Path) -> Iterator[Project]:
    """Sensor 1 rises to 30 %LEL in its last hours and stands; 2 is quiet; 3 never sent and its calibration is due."""
    with Project.create(tmp_path / "gas.sqlite", "EPSG:4549", "管廊") as project:
        add_sensors(
            project,
            (1, "CH4-1", "ch4", 100.0, ""),
            (2, "CH4-2", "ch4", 300.0, ""),
            (3, "CH4-3", "ch4", 500.0, "2020-01-01"),
        )
        feed(project, 1, [1.0 + 0.1 * (n % 3) for n in range(90)] + [6.0, 12.0, 18.0, 24.0, 30.0, 29.0])
        feed(project, 2, [1.0 + 0.1 * (n % 4) for n in range(96)])
        yield project
