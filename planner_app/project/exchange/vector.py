"""GIS formats through GDAL (pyogrio): Shapefile, GeoPackage, GeoJSON, TopoJSON, GML, KML, FlatGeobuf, MapInfo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType, Geometry
from planner_app.project.exchange import text_encoding
from planner_app.project.exchange.source import CHUNK_ROWS, SAMPLE_ROWS, Chunk, SourceInfo, SourceLayer

_FORMATS = {
    ".shp": "Shapefile", ".gpkg": "GeoPackage", ".geojson": "GeoJSON", ".json": "GeoJSON", ".topojson": "TopoJSON",
    ".gml": "GML", ".xml": "GML", ".zip": "ZIP", ".kml": "KML", ".fgb": "FlatGeobuf", ".tab": "MapInfo",
    ".mif": "MapInfo", ".sqlite": "SpatiaLite", ".gdb": "File Geodatabase",
}  # fmt: skip
#: Formats that are parsed as a whole at every opening: read at once.
_WHOLE = {".geojson", ".json", ".topojson", ".gml", ".xml", ".kml", ".zip"}


class VectorSource:
    """A file GDAL reads."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        self.path = path
        self._suffix = path.suffix.casefold()
        self._where = f"/vsizip/{path}" if self._suffix == ".zip" else str(path)
        self._warnings: list[tuple[str, dict[str, Any]]] = []
        self.encoding = self._choose_encoding(encoding)
        self._metas: dict[str, dict[str, Any]] = {}

    def _choose_encoding(self, encoding: str) -> str:
        if encoding:
            chosen = text_encoding.known(encoding)
            if not chosen:
                raise PlannerError("import.encoding_unknown", encoding=encoding)
            return chosen
        if self._suffix != ".shp":
            return ""
        found, wrong = text_encoding.dbf_encoding(self.path)
        if wrong:
            self._warnings.append(
                ("import.encoding_overruled", {"file": self.path.name, "named": wrong, "used": found})
            )
        return found

    def info(self) -> SourceInfo:
        """Layers with their first rows."""
        import pyogrio

        try:
            names = [str(name) for name, _ in pyogrio.list_layers(self._where)]
        except Exception as error:
            raise self._unreadable(error) from error
        if not names:
            raise PlannerError("import.no_layers", file=self.path.name)
        layers = tuple(self._layer(name) for name in names)
        return SourceInfo(self.path, _FORMATS.get(self._suffix, "GDAL"), layers, self.encoding, tuple(self._warnings))

    def _unreadable(self, error: Exception) -> PlannerError:
        if "type is not supported" in str(error):
            return PlannerError("import.solids", file=self.path.name)
        return PlannerError("import.unreadable", file=self.path.name, detail=str(error).splitlines()[0][:300])

    def _layer(self, name: str) -> SourceLayer:
        import pyogrio

        try:
            meta = pyogrio.read_info(
                self._where,
                layer=name,
                encoding=self.encoding or None,
                force_feature_count=True,
                force_total_bounds=True,
            )
        except Exception as error:
            raise self._unreadable(error) from error
        self._metas[name] = meta
        sample: list[tuple[Any, ...]] = []
        fields = _fields(meta)
        geometry = _kind(str(meta.get("geometry_type") or ""))
        count = int(meta.get("features", -1))
        if count:
            _, _, wkb, columns = self._raw(name, columns=None, geometry=geometry is None, limit=SAMPLE_ROWS)
            lists = [_values(array, info) for array, info in zip(columns, fields, strict=True)]
            sample = list(zip(*lists, strict=True)) if lists else []
        if geometry is None:
            _, _, wkb, _ = self._raw(name, columns=[], geometry=True)
            geometry = commonest(_shapes(wkb))
        bounds = meta.get("total_bounds")
        extent = tuple(float(value) for value in bounds) if bounds is not None else None
        if extent is not None and not all(np.isfinite(extent)):
            extent = None
        return SourceLayer(name, geometry, count, fields, self._crs(meta), extent, tuple(sample))  # type: ignore[arg-type]

    def _crs(self, meta: dict[str, Any]) -> str | None:
        stated = meta.get("crs")
        if not stated:
            return None
        from planner_app.domain.crs import authority_code, parse_crs

        try:
            crs = parse_crs(str(stated))
        except PlannerError:
            return None
        if crs.is_engineering:
            return None
        if crs.is_compound:
            crs = crs.sub_crs_list[0]
        if crs.is_geographic and len(crs.axis_info) == 3:
            crs = crs.to_2d()
        return authority_code(crs)

    def _raw(
        self, name: str, *, columns: list[str] | None, geometry: bool = True, skip: int = 0, limit: int | None = None
    ) -> Any:
        import pyogrio.raw

        try:
            return pyogrio.raw.read(
                self._where,
                layer=name,
                encoding=self.encoding or None,
                columns=columns,
                read_geometry=geometry,
                skip_features=skip,
                max_features=limit,
            )
        except Exception as error:
            raise self._unreadable(error) from error

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Its features; in chunks where the format can be entered in the middle."""
        step = None if self._suffix in _WHOLE else CHUNK_ROWS
        start = 0
        while True:
            _, _, wkb, columns = self._raw(layer.name, columns=None, skip=start, limit=step)
            count = len(columns[0]) if len(columns) else (len(wkb) if wkb is not None else 0)
            if wkb is None:
                wkb = np.full(count, None, dtype=object)
            values = {info.name: _values(array, info) for info, array in zip(layer.fields, columns, strict=True)}
            for first in range(0, count, CHUNK_ROWS):
                part = slice(first, first + CHUNK_ROWS)
                yield Chunk(
                    start + first + 1, _shapes(wkb[part]), {name: cells[part] for name, cells in values.items()}
                )
            start += count
            if step is None or count < step:
                return


def _shapes(wkb: Any) -> Any:
    """WKB as shapely geometries; what GEOS cannot read (curves, broken WKB) becomes None and is rejected later."""
    return shapely.from_wkb(wkb, on_invalid="ignore")


def commonest(shapes: Any) -> Geometry:
    """The kind of geometry most features have."""
    counts = np.bincount(np.maximum(shapely.get_dimensions(shapes), -1) + 1, minlength=4)[1:]
    if not counts.any():
        return "none"
    kinds: tuple[Geometry, ...] = ("point", "line", "polygon")
    return kinds[int(np.argmax(counts))]


def _kind(name: str) -> Geometry | None:
    """Kind of geometry of GDAL's type name; None where the layer mixes kinds."""
    plain = name.replace("Multi", "").replace("25D", "").replace("2.5D", "").split(" ")[0]
    known: dict[str, Geometry | None] = {
        "Point": "point", "LineString": "line", "Curve": "line", "CompoundCurve": "line", "Polygon": "polygon",
        "Surface": "polygon", "CurvePolygon": "polygon", "PolyhedralSurface": "polygon", "TIN": "polygon",
        "None": "none", "": "none",
    }  # fmt: skip
    return known.get(plain)


def _fields(meta: dict[str, Any]) -> tuple[FieldInfo, ...]:
    return tuple(
        FieldInfo(str(name), _type(str(dtype))) for name, dtype in zip(meta["fields"], meta["dtypes"], strict=True)
    )


def _type(dtype: str) -> FieldType:
    if dtype.startswith(("int", "uint")):
        return "integer"
    if dtype.startswith("float"):
        return "real"
    if dtype == "bool":
        return "boolean"
    if dtype.startswith("datetime64[D"):
        return "date"
    if dtype.startswith("datetime64"):
        return "datetime"
    return "text"


def _values(array: Any, info: FieldInfo) -> list[Any]:
    """A column as Python values, None for missing ones."""
    if info.type == "integer":
        if array.dtype.kind == "f":  # integers with gaps come as floats
            return [None if value != value else int(value) for value in array.tolist()]
        return list(array.tolist())
    if info.type == "real":
        return [None if value != value else value for value in array.astype(float).tolist()]
    if info.type in ("date", "datetime"):
        missing = np.isnat(array)
        texts = np.datetime_as_string(array, unit="D" if info.type == "date" else "ms")
        return [None if gone else str(text) for gone, text in zip(missing, texts, strict=True)]
    if info.type == "boolean":
        return [None if value is None else bool(value) for value in array.tolist()]
    return [_text(value) for value in array.tolist()]


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
