"""Panel pages on a real project file, with a context that stands in for the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import Batch, Project
from tests.helpers.panel_context import FakeContext

EAST, NORTH = 560_000.0, 3_400_000.0


def planning_context(project: Project) -> FakeContext:
    """With the plugin's setting."""
    return FakeContext(project, settings={"planning.basis": "planar"})


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def plans(project: Project) -> tuple[LayerInfo, LayerInfo]:
    """A master plan of four parcels over a land-use plan: two conflicts, one sliver of 0.5 m, one that agrees."""

    def box(x0: float, y0: float, x1: float, y1: float) -> bytes:
        return shapely.to_wkb(shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1))

    def add(name: str, kind: PlanKind, standard: str, rows: list[tuple[str, bytes]]) -> LayerInfo:
        new = NewLayer(
            name,
            "polygon",
            (FieldInfo("class", "text"),),
            plan=PlanInfo(name, kind, name),
            class_field="class",
            class_standard=standard,
        )
        return project.add_layer(new, [Batch([wkb for _, wkb in rows], {"class": [value for value, _ in rows]})])

    land = add(
        "土规",
        PlanKind.LAND_USE,
        "dltb",
        [("0101", box(0, 0, 200, 100)), ("0101", box(300, 0, 400.5, 100)), ("0301", box(0, 200, 100, 300))],
    )
    master = add(
        "总规",
        PlanKind.MASTER,
        "mnr2023",
        [
            ("070102", box(0, 0, 100, 100)),
            ("100101", box(100, 0, 150, 100)),
            ("0101", box(300, 0, 400, 100)),
            ("070102", box(400, 0, 500, 100)),
            ("0301", box(0, 200, 100, 300)),
        ],
    )
    return master, land


@pytest.fixture
def context(qtbot: Any, project: Project, plans: tuple[LayerInfo, LayerInfo]) -> FakeContext:
    return planning_context(project)
