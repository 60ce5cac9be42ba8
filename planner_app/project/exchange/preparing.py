"""From chunks of a foreign file to batches for the project: moved, repaired, and book kept of every row touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import shapely

from planner_app.domain.crs import Transformation
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, Geometry
from planner_app.project.exchange.notes import RowNote
from planner_app.project.exchange.source import Chunk
from planner_app.project.features import Batch
from planner_app.project.values import to_sql

#: Distinct class values remembered for the style and the guess of the class standard.
MOST_VALUES = 300
_DIMENSION = {"point": 0, "line": 1, "polygon": 2}


class Preparation:
    """Turns chunks into batches.

    Args:
        geometry: kind of the new layer; other kinds are rejected by name.
        names: field name in the source → in the project.
        move: to the project's CRS.
        class_field: field of the project whose distinct values are collected, may be empty.
        fields: of the new layer; values that do not fit them (30 February) are left out by name.

    Attributes:
        repaired, rejected: rows of the source from 1, with reasons.
        values: distinct values of the class field, at most :data:`MOST_VALUES`.
        kept: features that came through.
    """

    def __init__(
        self,
        geometry: Geometry,
        names: Mapping[str, str],
        move: Transformation,
        class_field: str = "",
        fields: Sequence[FieldInfo] = (),
    ) -> None:
        self._geometry, self._names, self._move, self._class_field = geometry, names, move, class_field
        self._fields = fields
        self.repaired: list[RowNote] = []
        self.rejected: list[RowNote] = []
        self.values: set[str] = set()
        self.kept = 0

    def batch(self, chunk: Chunk) -> Batch:
        """A batch in the project's CRS; rows without a usable geometry are left out and named."""
        columns = {self._names[name]: values for name, values in chunk.columns.items()}
        for info in self._fields:
            columns[info.name] = self._fitting(info, columns[info.name], chunk.first)
        wkb: list[bytes | None] = []
        if self._geometry == "none":
            self.kept += len(chunk.geometry)
        else:
            with np.errstate(invalid="ignore"):  # coordinates that are no numbers are found and named
                shapes, good = self._shapes(chunk)
            if not good.all():
                keep = np.flatnonzero(good)
                columns = {name: [values[at] for at in keep] for name, values in columns.items()}
                shapes = shapes[keep]
            self.kept += len(shapes)
            wkb = list(shapely.to_wkb(shapes, flavor="iso"))
        if self._class_field and len(self.values) < MOST_VALUES:
            self.values |= {str(value) for value in columns[self._class_field] if value not in (None, "")}
        return Batch(wkb, columns)

    def _fitting(self, info: FieldInfo, values: list[Any], first: int) -> list[Any]:
        """The values as the project keeps them; those it would refuse are left empty and named."""
        with suppress(PlannerError):
            return to_sql(info, values, "")
        made: list[Any] = []
        for at, value in enumerate(values):
            try:
                made += to_sql(info, [value], "")
            except PlannerError:
                made.append(None)
                shown = repr(value) if isinstance(value, bytes) else str(value).encode("utf-8", "replace").decode()
                self.repaired.append(
                    RowNote(first + at, "import.value_unfit", {"field": info.name, "value": shown[:80]})
                )
        return made

    def _shapes(self, chunk: Chunk) -> tuple[Any, Any]:
        given = np.array([one is not None for one in chunk.geometry], dtype=bool)
        shapes = chunk.geometry.copy()
        wkb = np.array([isinstance(one, bytes) for one in shapes], dtype=bool)
        if wkb.any():
            shapes[wkb] = shapely.from_wkb(shapes[wkb], on_invalid="ignore")
        good = np.ones(len(shapes), dtype=bool)

        def reject(rows: Any, reason: str) -> None:
            fresh = np.flatnonzero(good & rows)
            good[fresh] = False
            self.rejected += [RowNote(chunk.first + int(at), reason) for at in fresh]

        for at, reason in chunk.faults.items():
            alone = np.zeros(len(shapes), dtype=bool)
            alone[at] = True
            reject(alone, reason)
        missing = shapely.is_missing(shapes)
        reject(missing & given, "import.broken_geometry")
        reject(missing, "import.no_geometry")
        reject(shapely.is_empty(shapes), "import.empty_geometry")
        reject(_not_finite(shapes), "import.not_a_number")
        wanted = _DIMENSION[self._geometry]
        if self._geometry != "polygon":  # collections with polygons are the business of the repair
            collections = good & (shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
            for at in np.flatnonzero(collections).tolist():
                shapes[at] = _parts_of(shapes[at], wanted)
                if shapely.get_dimensions(shapes[at]) == wanted:
                    self.repaired.append(RowNote(chunk.first + at, "repair.mixed_geometry"))
        reject(good & (shapely.get_dimensions(shapes) != wanted), "import.other_kind")
        if not self._move.is_identity:
            self._transform(shapes, good)
            reject(good & _not_finite(shapes), "import.not_transformable")
        if self._geometry == "polygon":
            self._repair(shapes, good, chunk.first, reject)
        elif self._geometry == "line":
            reject(good & (shapely.length(shapes) == 0.0), "import.no_length")
        self.rejected.sort(key=lambda entry: entry.row)
        return shapes, good

    def _transform(self, shapes: Any, good: Any) -> None:
        def moved(coordinates: Any) -> Any:
            x, y = self._move.transform(coordinates[:, 0], coordinates[:, 1])
            return np.column_stack([x, y, *coordinates[:, 2:].T])

        for flat in (True, False):
            some = good & (shapely.has_z(shapes) != flat)
            if some.any():
                shapes[some] = shapely.transform(shapes[some], moved, include_z=not flat)

    def _repair(self, shapes: Any, good: Any, first: int, reject: Any) -> None:
        from planner_app.compute.repair import repair

        rows = np.flatnonzero(good)
        done = repair(shapes[rows])
        for at, reason in done.repaired:
            change = {"area_before_m2": float(shapes[rows[at]].area), "area_after_m2": float(done.geoms[at].area)}
            self.repaired.append(RowNote(first + int(rows[at]), reason, change))
        shapes[rows] = done.geoms
        for at, reason in done.rejected:
            alone = np.zeros(len(shapes), dtype=bool)
            alone[rows[at]] = True
            reject(alone, reason)


def _not_finite(shapes: Any) -> Any:
    """Which geometries have a coordinate that is no number."""
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    broken = np.zeros(len(shapes), dtype=bool)
    broken[of[~np.isfinite(xy).all(axis=1)]] = True
    return broken


def _parts_of(shape: Any, dimension: int) -> Any:
    """The parts of a collection that have the wanted dimension; the collection itself if none has."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == dimension]
    if not parts:
        return shape
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)
