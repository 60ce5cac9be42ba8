"""Qt without a screen; a desk with a case and a drawing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner_app.project import Project
from tests.plugins.review_ui.sheet.desk import Desk

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _application(qapp: Any) -> None:
    """Fonts need one."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def desk(project: Project) -> Desk:
    """The site of 100 m by 80 m, turned by 30° on the map."""
    return Desk(project)
