"""A project with a detailed plan of a few parcels. Metres in EPSG:4549."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import Batch, Project

EAST, NORTH = 560_000.0, 3_400_000.0
AddLayer = Callable[..., LayerInfo]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def add(project: Project) -> AddLayer:
    """``add(name, fields, rows, plan=…)``: rows are (shape relative to the test ground, values …)."""

    def add_layer(
        name: str, fields: Sequence[FieldInfo], rows: Sequence[Sequence[Any]], plan: PlanInfo | None = None
    ) -> LayerInfo:
        wkb = [shapely.to_wkb(shapely.affinity.translate(row[0], EAST, NORTH)) for row in rows]
        columns = {one.name: [row[n] for row in rows] for n, one in enumerate(fields, start=1)}
        kind = "line" if rows and rows[0][0].geom_type == "LineString" else "polygon"
        return project.add_layer(NewLayer(name, kind, tuple(fields), plan=plan), [Batch(wkb, columns)])  # type: ignore[arg-type]

    return add_layer


def detailed(name: str, valid_from: str, valid_to: str = "") -> PlanInfo:
    return PlanInfo(f"plan-{name}", PlanKind.DETAILED, name, valid_from=valid_from, valid_to=valid_to, version="修编")
