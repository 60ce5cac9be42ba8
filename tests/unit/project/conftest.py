"""A project with one layer of a few parcels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.domain.layer import LayerInfo, NewLayer
from planner_app.project import Project
from tests.helpers.project_files import FIELDS, parcels


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "city.planner", "EPSG:4549") as made:
        yield made


@pytest.fixture
def layer(project: Project) -> LayerInfo:
    """Ten parcels."""
    return project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(10)])
