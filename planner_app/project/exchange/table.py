"""CSV files with a geometry column (WKT) or with two coordinate columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType, Geometry
from planner_app.domain.text_encoding import read_text
from planner_app.project.exchange.source import CHUNK_ROWS, SAMPLE_ROWS, Chunk, SourceInfo, SourceLayer, TableGeometry

_WKT = ("wkt", "geometry", "geom", "the_geom", "geometry_wkt", "shape")
#: Names of (easting, northing) columns; X and Y alone are decided by their values.
_PAIRS = (
    ("easting", "northing"), ("east", "north"), ("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"),
    ("东坐标", "北坐标"), ("经度", "纬度"), ("y坐标", "x坐标"), ("横坐标", "纵坐标"), ("x", "y"),
)  # fmt: skip


class TableSource:
    """A CSV file; rows whose coordinates are no numbers come with no geometry and are rejected by the import."""

    def __init__(self, path: Path, encoding: str = "", csv_xy: TableGeometry = None) -> None:
        self.path = path
        text, self._encoding = read_text(path, encoding)
        csv.field_size_limit(2**31 - 1)  # a polygon's WKT is long
        head = text.split("\n", 1)[0]
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=head.count)))
        except csv.Error as error:
            raise PlannerError("import.unreadable", file=path.name, detail=str(error)) from error
        if not rows or len(rows) < 2:
            raise PlannerError("import.table_empty", file=path.name)
        self._names = [name.strip().lstrip("\ufeff") or f"column_{at}" for at, name in enumerate(rows[0], start=1)]
        width = len(self._names)
        self._rows = [[*row[:width], *[""] * (width - len(row))] for row in rows[1:] if any(row)]
        self._warnings: list[tuple[str, dict[str, Any]]] = []
        self._wkt, self._x, self._y = self._find_geometry(csv_xy)

    def _find_geometry(self, csv_xy: TableGeometry) -> tuple[int, int, int]:
        folded = [name.casefold() for name in self._names]
        if csv_xy is not None:
            for name in (csv_xy,) if isinstance(csv_xy, str) else csv_xy:
                if name.casefold() not in folded:
                    raise PlannerError("import.column_missing", file=self.path.name, column=name)
            if isinstance(csv_xy, str):
                return folded.index(csv_xy.casefold()), -1, -1
            return -1, folded.index(csv_xy[0].casefold()), folded.index(csv_xy[1].casefold())
        for name in _WKT:
            if name in folded:
                return folded.index(name), -1, -1
        for east, north in _PAIRS:
            if east in folded and north in folded:
                return (-1, *self._as_written(folded.index(east), folded.index(north), east))
        return -1, -1, -1

    def _as_written(self, first: int, second: int, name: str) -> tuple[int, int]:
        """X and Y of a Chinese survey are north and east: seven digits in X and six or eight in Y tell."""
        if name != "x":
            return first, second
        x = np.array([_number(row[first]) for row in self._rows[:200]])
        y = np.array([_number(row[second]) for row in self._rows[:200]])
        if np.isnan(x).all() or np.isnan(y).all():
            return first, second
        north, east = float(np.nanmedian(x)), float(np.nanmedian(y))
        if 1.8e6 < north < 6.0e6 and (1e5 < east < 1e6 or 1.3e7 < east < 4.6e7):
            self._warnings.append(("import.xy_north_east", {"file": self.path.name}))
            return second, first
        return first, second

    def _geometry(self, rows: list[list[str]]) -> Any:
        if self._wkt >= 0:
            return shapely.from_wkt([row[self._wkt] or None for row in rows], on_invalid="ignore")
        if self._x < 0:
            return np.full(len(rows), None, dtype=object)
        xy = np.array([[_number(row[self._x]), _number(row[self._y])] for row in rows]).reshape(-1, 2)
        shapes = np.full(len(rows), None, dtype=object)
        good = np.isfinite(xy).all(axis=1)
        shapes[good] = shapely.points(xy[good])
        return shapes

    def info(self) -> SourceInfo:
        """One layer."""
        fields = tuple(FieldInfo(self._names[at], self._type(at)) for at in self._attribute_columns())
        shapes = self._geometry(self._rows)
        geometry: Geometry = "none" if self._wkt < 0 and self._x < 0 else "point"
        if self._wkt >= 0:
            from planner_app.project.exchange.vector import commonest

            geometry = commonest(shapes)
        bounds = tuple(float(value) for value in shapely.total_bounds(shapes))
        chunk = self._columns(self._rows[:SAMPLE_ROWS], fields)
        sample = tuple(zip(*chunk.values(), strict=True)) if chunk else ()
        lonlat = self._x >= 0 and self._names[self._x].casefold() in ("lon", "lng", "longitude", "经度")
        extent = bounds if all(map(math.isfinite, bounds)) else None
        layer = SourceLayer(
            self.path.stem, geometry, len(self._rows), fields, None, extent, sample  # type: ignore[arg-type]
        )  # fmt: skip
        if lonlat:
            self._warnings.append(("import.lonlat_crs", {"file": self.path.name}))
        return SourceInfo(self.path, "CSV", (layer,), self._encoding, tuple(self._warnings))

    def _attribute_columns(self) -> list[int]:
        return [at for at in range(len(self._names)) if at != self._wkt]

    def _type(self, column: int) -> FieldType:
        """Integer or real only if every filled cell is one and none would lose a leading zero (codes such as 0702)."""
        cells = [row[column].strip() for row in self._rows if row[column].strip()]
        if not cells or any(len(cell) > 1 and cell.lstrip("-")[:1] == "0" and "." not in cell for cell in cells):
            return "text"
        if all(cell.lstrip("+-").isdecimal() and len(cell) < 18 for cell in cells):
            return "integer"
        return "real" if all(math.isfinite(_number(cell)) for cell in cells) else "text"

    def _columns(self, rows: list[list[str]], fields: tuple[FieldInfo, ...]) -> dict[str, list[Any]]:
        convert = {"integer": int, "real": float, "text": str}
        columns = {}
        for at, info in zip(self._attribute_columns(), fields, strict=True):
            kind = convert[info.type]
            columns[info.name] = [kind(row[at].strip()) if row[at].strip() else None for row in rows]
        return columns

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """All rows in chunks."""
        for start in range(0, len(self._rows), CHUNK_ROWS):
            rows = self._rows[start : start + CHUNK_ROWS]
            shapes = self._geometry(rows)
            faults = {}
            if self._wkt >= 0 or self._x >= 0:
                reason = "import.bad_wkt" if self._wkt >= 0 else "import.bad_coordinates"
                faults = {
                    int(at): reason for at in np.flatnonzero(shapely.is_missing(shapes)) if self._filled(rows[at])
                }
            yield Chunk(start + 1, shapes, self._columns(rows, layer.fields), faults)

    def _filled(self, row: list[str]) -> bool:
        """True if the row's geometry cells hold anything."""
        cells = (row[self._wkt],) if self._wkt >= 0 else (row[self._x], row[self._y])
        return any(cell.strip() for cell in cells)


def _number(cell: str) -> float:
    try:
        return float(cell.strip())
    except ValueError:
        return math.nan
