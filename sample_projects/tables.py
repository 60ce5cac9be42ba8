"""Layers of the sample before they are written: geometry in the local frame, columns, plan and look."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import FieldInfo, FieldType, Geometry, PlanInfo
from sample_projects import curves

#: Easting and northing (EPSG:4549, metres) of the local frame's origin: a stretch of coast at 26.6° N, 120.06° E.
ORIGIN = (506_000.0, 2_942_000.0)
CRS = "EPSG:4549"


@dataclass(slots=True)
class Table:
    """One layer: ``shapes`` are shapely geometries in the local frame (empty list for a plain table)."""

    id: str
    name: str
    geometry: Geometry
    fields: tuple[FieldInfo, ...]
    shapes: list[Any]
    columns: dict[str, Sequence[Any]]
    plan: PlanInfo | None = None
    class_field: str = ""
    class_standard: str = ""
    label_field: str = ""
    visible: bool = True
    opacity: float = 1.0
    source: str = ""
    role: str = ""
    look: str = ""
    """name of the style in ``looks``; empty: the standard colours of its class field"""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), self.shapes))

    def world(self) -> Any:
        """Shapes in EPSG:4549, on a millimetre grid, as multi geometries where the kind needs it."""
        return to_world(self.shapes)

    def digest(self) -> str:
        """SHA-256 of geometry and columns: equal for equal seeds."""
        mark = hashlib.sha256(b"".join(shapely.to_wkb(self.world())) if self.shapes else b"")
        mark.update(repr([(k, list(v)) for k, v in self.columns.items()]).encode())
        return mark.hexdigest()


def to_world(shapes: Sequence[Any]) -> Any:
    """Local shapes moved to EPSG:4549 coordinates; third coordinates stay."""
    array = np.array(list(shapes), dtype=object)
    if not len(array):
        return array
    has_z = bool(shapely.has_z(array).any())
    offset = np.array([*ORIGIN, 0.0] if has_z else ORIGIN)
    return shapely.transform(array, lambda xy: np.round(xy + offset, 3), include_z=has_z)


class Rows:
    """Collects the rows of a table, field by field in order."""

    def __init__(self, *fields: tuple[str, FieldType, str]) -> None:
        self.fields = tuple(FieldInfo(name, kind, alias) for name, kind, alias in fields)
        self.shapes: list[Any] = []
        self.columns: dict[str, list[Any]] = {name: [] for name, _, _ in fields}

    def add(self, shape: Any, *values: Any) -> None:
        """Add one row; ``shape`` None for a plain table."""
        if len(values) != len(self.fields):
            raise ValueError(f"{len(values)} values for {len(self.fields)} fields")
        if shape is not None:
            self.shapes.append(shape)
        for name, value in zip(self.columns, values, strict=True):
            self.columns[name].append(value)

    def table(self, id: str, name: str, geometry: Geometry, **about: Any) -> Table:
        """The rows as a table."""
        return Table(id, name, geometry, self.fields, self.shapes, dict(self.columns), **about)


@dataclass(frozen=True, slots=True)
class Town:
    """Everything drawn so far, as the plans need it."""

    seed: int
    terrain: Any
    network: Any
    parcels: list[Any]
    districts: list[curves.Geometry]
    country: Any
    extra: dict[str, Any] = field(default_factory=dict)


def hectares(geometry: curves.Geometry) -> float:
    """Area in hectares with four decimals, as plans state it."""
    return round(float(geometry.area) / 1e4, 4)
