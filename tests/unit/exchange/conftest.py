"""An empty project in a CGCS2000 zone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "project.sqlite", "EPSG:4549") as made:
        yield made
