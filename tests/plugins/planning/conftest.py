"""Projects with hand-made plans whose areas can be worked out on paper. Coordinates are (easting, northing) in m."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.i18n import RESOURCES, add_folder, compile_catalogues
from planner_app.project import Batch, Project

PLUGIN = Path(__file__).resolve().parents[3] / "plugins" / "planning"
EAST, NORTH = 560_000.0, 3_400_000.0
"""Corner of the test ground, 60 km east of the central meridian of EPSG:4549 near 30.7°N."""


@pytest.fixture(scope="session", autouse=True)
def _words() -> None:
    for folder in (RESOURCES / "i18n", PLUGIN / "i18n"):
        compile_catalogues(folder)
    add_folder(PLUGIN / "i18n")


@pytest.fixture
def box() -> Callable[..., Any]:
    """``box(x0, y0, x1, y1)`` in metres from the corner of the test ground."""
    return lambda x0, y0, x1, y1: shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


AddLayer = Callable[..., LayerInfo]


@pytest.fixture
def add(project: Project) -> AddLayer:
    """``add(name, [(class, shape), …], kind=…, …)``: a polygon layer with the class field 用地代码."""

    def add_layer(
        name: str,
        rows: Sequence[tuple[Any, Any]],
        kind: PlanKind | None = None,
        *,
        standard: str = "",
        plan: PlanInfo | None = None,
        extra: dict[str, list[Any]] | None = None,
        geometry: str = "polygon",
        uuids: list[str] | None = None,
    ) -> LayerInfo:
        more = extra or {}
        new = NewLayer(
            name,
            geometry,  # type: ignore[arg-type]
            (FieldInfo("用地代码", "text"), *(FieldInfo(key, "text") for key in more)),
            plan=plan or (PlanInfo(f"plan-{name}", kind, name) if kind else None),
            class_field="用地代码",
            class_standard=standard,
        )
        wkb = [None if shape is None else shapely.to_wkb(shape) for _, shape in rows]
        columns: dict[str, Sequence[Any]] = {"用地代码": [value for value, _ in rows], **more}
        return project.add_layer(new, [Batch(wkb=wkb, columns=columns, uuids=uuids)])

    return add_layer
