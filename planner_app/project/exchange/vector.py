"""GIS formats through GDAL (pyogrio): Shapefile, GeoPackage, GeoJSON, TopoJSON, GML, KML, FlatGeobuf, MapInfo."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain import text_encoding
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType, Geometry
from planner_app.project.exchange.source import CHUNK_ROWS, SAMPLE_ROWS, Chunk, SourceInfo, SourceLayer

_FORMATS = {
    ".shp": "Shapefile", ".gpkg": "GeoPackage", ".geojson": "GeoJSON", ".json": "GeoJSON", ".topojson": "TopoJSON",
    ".gml": "GML", ".xml": "GML", ".kml": "KML", ".fgb": "FlatGeobuf", ".tab": "MapInfo", ".mif": "MapInfo",
    ".sqlite": "SpatiaLite", ".gdb": "File Geodatabase",
}  # fmt: skip
#: Formats that can be entered in the middle; the others are parsed as a whole at every opening, so they are read once.
_ENTERED = {".shp", ".gpkg", ".gdb"}
#: Attributes of Shapefiles are read byte for byte and decoded here: GDAL gives up at a character cut off in the middle,
#: as fixed widths cut Chinese field names and texts.
_BYTEWISE = "ISO-8859-1"
#: What the maker of dates says to 30 February, month 13 and year 0.
_NO_DATE = re.compile("(day|month|year) .*(out of range|must be in)")
#: Larger integers do not survive the floating-point columns in which integers with gaps arrive.
_EXACT = 2**53
_ENVELOPE = re.compile(rb"lowerCorner>\s*([-\d.eE]+)\s+([-\d.eE]+).*?upperCorner>\s*([-\d.eE]+)\s+([-\d.eE]+)", re.S)


@dataclass(slots=True)
class _Table:
    """A layer, or some of it, as GDAL gives it."""

    meta: dict[str, Any]
    fids: Any
    wkb: Any
    columns: list[Any]

    def __len__(self) -> int:
        return len(self.fids)


class VectorSource:
    """A file GDAL reads."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        self.path = path
        self._suffix = path.suffix.casefold()
        self._warnings: list[tuple[str, dict[str, Any]]] = []
        self._where = str(path)
        if self._suffix in (".gml", ".xml"):
            self._where = self._copied()
        self.encoding = self._choose_encoding(encoding)
        self._tables: dict[str, _Table] = {}
        self._metas: dict[str, dict[str, Any]] = {}
        self._swapped: set[str] = set()

    def _copied(self) -> str:
        """A copy of a GML file and its schema in a folder of our own: GDAL writes a .gfs file beside what it reads."""
        self._folder = tempfile.TemporaryDirectory(prefix="planner-import-")
        for file in (self.path, self.path.with_suffix(".xsd")):
            if file.exists():
                shutil.copyfile(file, Path(self._folder.name) / file.name)
        return str(Path(self._folder.name) / self.path.name)

    def _choose_encoding(self, encoding: str) -> str:
        if encoding:
            return text_encoding.named(encoding)
        if self._suffix != ".shp":
            return ""
        found, wrong = text_encoding.dbf_encoding(self.path)
        if wrong:
            self._warnings.append(
                ("import.encoding_overruled", {"file": self.path.name, "named": wrong, "used": found})
            )
        return found

    def info(self) -> SourceInfo:
        """Layers with their first rows; layers that cannot be read are left out with a warning."""
        import pyogrio

        try:
            if self._suffix == ".geojson":  # one layer: listing it would parse the file once more
                listed = [(self.path.stem, "Unknown")]
            else:
                listed = [(str(name), kind) for name, kind in pyogrio.list_layers(self._where)]
        except Exception as error:  # GDAL's errors have no common base
            raise self._unreadable(error) from error
        if self._suffix in (".sqlite", ".gpkg", ".gdb"):
            listed = [one for one in listed if one[1] is not None] or listed
        layers = []
        failed: PlannerError | None = None
        for name, _ in listed:
            try:
                layers.append(self._layer(name))
            except PlannerError as error:
                failed = error
                params = {"layer": name, "detail": error.params.get("detail", "")}
                self._warnings.append(("import.layer_unreadable", params))
        if not layers:
            raise failed or PlannerError("import.no_layers", file=self.path.name)
        title = _FORMATS.get(self._suffix, "GDAL")
        return SourceInfo(self.path, title, tuple(layers), self.encoding, tuple(self._warnings))

    def _unreadable(self, error: Exception) -> PlannerError:
        if "type is not supported" in str(error):
            return PlannerError("import.solids", file=self.path.name)
        said = str(error).strip().splitlines() or [type(error).__name__]
        return PlannerError("import.unreadable", file=self.path.name, detail=said[0][:300])

    def _layer(self, name: str) -> SourceLayer:
        if self._suffix in _ENTERED:
            meta = self._metas[name] = self._read_info(name)
            count = int(meta["features"])
            bounds = meta.get("total_bounds")
            first = self._raw(name, limit=SAMPLE_ROWS)
            geometry = _kind(str(meta["geometry_type"] or ""))
            if geometry is None:
                geometry = commonest(_shapes(self._raw(name, columns=[]).wkb))
        else:
            first = self._tables[name] = self._raw(name)
            meta, count = first.meta, len(first)
            shapes = _shapes(first.wkb) if first.wkb is not None else np.empty(0, dtype=object)
            bounds = shapely.total_bounds(shapes)
            geometry = commonest(shapes) if first.wkb is not None else "none"
            if self._suffix in (".gml", ".xml") and self._is_swapped(bounds):
                self._swapped.add(name)
                bounds = [bounds[1], bounds[0], bounds[3], bounds[2]]
        fields = _fields(meta)
        lists = [_values(array[:SAMPLE_ROWS], info) for array, info in zip(first.columns, fields, strict=True)]
        sample = tuple(zip(*lists, strict=True)) if lists else ()
        extent = None
        if bounds is not None and np.isfinite(bounds).all():
            extent = (float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3]))
        return SourceLayer(name, geometry, count, fields, _crs(meta), extent, sample)

    def _is_swapped(self, bounds: Any) -> bool:
        """True if GDAL left latitude first: the file's envelope, which has it first, holds the numbers as they are."""
        with open(self._where, "rb") as file:
            found = _ENVELOPE.search(file.read(200_000))
        if found is None or not np.isfinite(bounds).all():
            return False
        south, west, north, east = (float(text) for text in found.groups())
        slack = 0.01
        as_is = south - slack <= bounds[0] <= bounds[2] <= north + slack
        turned = west - slack <= bounds[0] <= bounds[2] <= east + slack
        return as_is and not turned and b"EPSG" in found.string[: found.start()]

    def _read_info(self, name: str) -> dict[str, Any]:
        import pyogrio

        try:
            found: dict[str, Any] = pyogrio.read_info(
                self._where,
                layer=None if self._suffix == ".geojson" else name,
                encoding=self._gdal_encoding(),
                force_feature_count=True,
                force_total_bounds=True,
            )
        except Exception as error:
            raise self._unreadable(error) from error
        return self._named(found)

    def _gdal_encoding(self) -> str | None:
        return _BYTEWISE if self._suffix == ".shp" and self.encoding else self.encoding or None

    def _named(self, meta: dict[str, Any]) -> dict[str, Any]:
        """The layer's description with legible and distinct field names; those GDAL knows stay under ``stored``."""
        stored = [str(name) for name in meta["fields"]]
        names: list[str] = []
        for name in (self._decoded(one) for one in stored):
            candidate, number = name, 1
            while candidate in names:
                candidate, number = f"{name}_{number}", number + 1
            names.append(candidate)
        return {**meta, "fields": names, "stored": stored}

    def _decoded(self, text: Any) -> Any:
        """A text of a Shapefile in its real encoding; other formats and values as they are."""
        if self._gdal_encoding() != _BYTEWISE or not isinstance(text, str) or text.isascii():
            return text
        return text_encoding.fixed_width(text.encode(_BYTEWISE, "replace"), self.encoding)

    def _raw(self, name: str, **options: Any) -> _Table:
        layer = None if self._suffix == ".geojson" else name
        wanted: dict[str, Any] = {"layer": layer, "max_features": options.pop("limit", None), **options}
        try:
            table = self._gdal_table(**wanted)
        except UnicodeDecodeError as error:
            raise self._unreadable(error) from error
        except ValueError as error:
            if "columns" in wanted or not _NO_DATE.search(str(error)):
                raise self._unreadable(error) from error
            table = self._with_dates_as_text(name, wanted)
        except Exception as error:
            raise self._unreadable(error) from error
        if self._gdal_encoding() == _BYTEWISE:
            for column in table.columns:
                if column.dtype == object:
                    column[:] = [self._decoded(value) for value in column]
        return table

    def _gdal_table(self, **options: Any) -> _Table:
        import pyogrio.raw

        meta, fids, wkb, columns = pyogrio.raw.read(
            self._where, encoding=self._gdal_encoding(), return_fids=True, datetime_as_string=True, **options
        )
        return _Table(self._named(meta), fids, wkb, list(columns))

    def _with_dates_as_text(self, name: str, wanted: dict[str, Any]) -> _Table:
        """A layer that holds dates like 30 February, at which the reader gives up: they stay as they were written."""
        meta = self._read_info(name)
        dated = [at for at, kind in enumerate(meta["ogr_types"]) if kind == "OFTDate"]
        rest = [at for at in range(len(meta["stored"])) if at not in dated]
        quoted = {at: '"' + meta["stored"][at].replace("\\", "\\\\").replace('"', '\\"') + '"' for at in dated}
        asked = ", ".join(f"CAST({field} AS CHARACTER(32)) AS d{at}" for at, field in quoted.items())
        where = f" WHERE {wanted['where']}" if wanted.get("where") else ""
        layer = str(meta["layer_name"]).replace('"', '\\"')
        pages = {key: value for key, value in wanted.items() if key in ("max_features", "skip_features", "fids")}
        try:
            table = self._gdal_table(**wanted, columns=[meta["stored"][at] for at in rest])
            dates = self._gdal_table(
                sql=f'SELECT {asked} FROM "{layer}"{where}', sql_dialect="OGRSQL", read_geometry=False, **pages
            )
        except Exception as error:
            raise self._unreadable(error) from error
        columns = dict(zip(rest, table.columns, strict=True)) | dict(zip(dated, dates.columns, strict=True))
        for at in dated:
            columns[at][:] = [None if text is None else text.replace("/", "-") for text in columns[at]]
        described = {key: meta[key] for key in ("fields", "stored", "ogr_types", "ogr_subtypes")}
        return _Table(table.meta | described, table.fids, table.wkb, [columns[at] for at in sorted(columns)])

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Its features in chunks."""
        row = 1
        for table in self._parts(layer.name):
            columns = [
                self._exact(layer.name, table, array, info, stored)
                for array, info, stored in zip(table.columns, layer.fields, table.meta["stored"], strict=True)
            ]
            wkb = table.wkb if table.wkb is not None else np.full(len(table), None, dtype=object)
            for first in range(0, len(table), CHUNK_ROWS):
                part = slice(first, first + CHUNK_ROWS)
                geometry: Any = wkb[part]
                if layer.name in self._swapped:
                    geometry = _turned(geometry)
                values = {info.name: cells[part] for info, cells in zip(layer.fields, columns, strict=True)}
                yield Chunk(row + first, geometry, values)
            row += len(table)

    def _parts(self, name: str) -> Iterator[_Table]:
        if name in self._tables:
            yield self._tables.pop(name)
            return
        after: Any = None
        key = str(self._metas.get(name, {}).get("fid_column") or "")
        done = 0
        while True:
            options: dict[str, Any] = {"limit": CHUNK_ROWS}
            if key:  # by key: skipping would read everything before once more
                options |= {"where": f'"{key}" > {after}'} if after is not None else {}
            else:
                options |= {"skip_features": done}
            table = self._raw(name, **options)
            if len(table):
                yield table
                after = int(table.fids[-1])
                done += len(table)
            if len(table) < CHUNK_ROWS:
                return

    def _exact(self, name: str, table: _Table, array: Any, info: FieldInfo, stored: str) -> list[Any]:
        """Values of a column; long integers that came as floating point because of gaps are read again without them."""
        values = _values(array, info)
        if info.type != "integer" or array.dtype.kind != "f" or not (np.abs(np.nan_to_num(array)) >= _EXACT).any():
            return values
        rows = np.flatnonzero(~np.isnan(array))
        again = self._raw(name, columns=[stored], read_geometry=False, fids=table.fids[rows])
        for at, value in zip(rows, again.columns[0].tolist(), strict=True):
            values[at] = int(value)
        return values


def _crs(meta: dict[str, Any]) -> str | None:
    from planner_app.domain.crs import authority_code, parse_crs

    if not meta.get("crs"):
        return None
    try:
        crs = parse_crs(str(meta["crs"]))
    except PlannerError:
        return None
    if crs.is_engineering:
        return None
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.is_geographic and len(crs.axis_info) == 3:
        crs = crs.to_2d()
    return authority_code(crs)


def _shapes(wkb: Any) -> Any:
    """WKB as shapely geometries; what GEOS cannot read (broken WKB) becomes None."""
    return shapely.from_wkb(wkb, on_invalid="ignore")


def _turned(wkb: Any) -> Any:
    """Latitude and longitude swapped."""
    shapes = _shapes(wkb)
    for flat in (True, False):
        some = ~shapely.is_missing(shapes) & (shapely.has_z(shapes) != flat)
        if some.any():
            order = [1, 0] if flat else [1, 0, 2]
            shapes[some] = shapely.transform(shapes[some], lambda xyz, order=order: xyz[:, order], include_z=not flat)
    return shapes


def commonest(shapes: Any) -> Geometry:
    """The kind of geometry most features have."""
    counts = np.bincount(np.maximum(shapely.get_dimensions(shapes), -1) + 1, minlength=4)[1:]
    if not counts.any():
        return "none"
    kinds: tuple[Geometry, ...] = ("polygon", "line", "point")  # what plans are made of wins a draw
    return kinds[int(np.argmax(counts[::-1]))]


def _kind(name: str) -> Geometry | None:
    """Kind of geometry of GDAL's type name; None where the layer mixes kinds."""
    plain = name.replace("Multi", "").replace("2.5D", "").split(" ")[0]
    known: dict[str, Geometry | None] = {
        "Point": "point", "LineString": "line", "Curve": "line", "CompoundCurve": "line", "Polygon": "polygon",
        "Surface": "polygon", "CurvePolygon": "polygon", "PolyhedralSurface": "polygon", "TIN": "polygon",
        "None": "none", "": "none",
    }  # fmt: skip
    return known.get(plain)


_OGR_TYPES: dict[str, FieldType] = {
    "OFTInteger": "integer", "OFTInteger64": "integer", "OFTReal": "real", "OFTDate": "date", "OFTDateTime": "datetime",
    "OFTBinary": "blob",
}  # fmt: skip


def _fields(meta: dict[str, Any]) -> tuple[FieldInfo, ...]:
    return tuple(
        FieldInfo(str(name), "boolean" if subtype == "OFSTBoolean" else _OGR_TYPES.get(kind, "text"))
        for name, kind, subtype in zip(meta["fields"], meta["ogr_types"], meta["ogr_subtypes"], strict=True)
    )


def _values(array: Any, info: FieldInfo) -> list[Any]:
    """A column as Python values, None for missing ones; dates as ISO text."""
    cells = array.tolist()
    if info.type in ("integer", "boolean"):
        convert = bool if info.type == "boolean" else int
        return [None if value is None or value != value else convert(value) for value in cells]
    if info.type == "real":
        return [None if value is None or value != value else float(value) for value in cells]
    if info.type == "date":
        return [None if value is None else str(value)[:10] for value in cells]
    if info.type == "datetime":
        return [None if value is None else str(value) for value in cells]
    if info.type == "blob":
        return [None if value is None else bytes(value) for value in cells]
    return [_text(value) for value in cells]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, np.ndarray | list | tuple):
        return ", ".join(str(one) for one in value)
    return str(value)
