"""Layers as GeoPackage, Shapefile and GeoJSON, written in a process of its own (see ``separate``)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.compute.separate import Answers, Requests, SeparateProcess
from planner_app.domain.crs import transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo
from planner_app.domain.progress import Progress
from planner_app.project.exchange.geojson_export import WGS84, serve_geojson
from planner_app.project.exchange.notes import Note, note
from planner_app.project.features import FeatureTable

DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}
_TYPES = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "Point"}
_DBF_NAME_BYTES = 10


def write_vector(
    layer: LayerInfo,
    tables: Iterable[FeatureTable],
    crs: str,
    part: Path,
    warnings: list[Note],
    progress: Progress,
) -> str:
    """Write features to ``part``; its suffix says the format. Returns the CRS written, empty without geometry.

    Raises:
        PlannerError: ``export.not_written``, ``crs.ballpark`` where GeoJSON's WGS 84 cannot be reached. Cancelled.
    """
    suffix = part.suffix.casefold()
    names = [info.name for info in layer.fields]
    written = crs if layer.geometry != "none" else ""
    if suffix == ".geojson":
        written = WGS84
        transformer(crs, written)  # refused here, before anything is read
    elif suffix == ".shp":
        names = short_names(names, warnings)
    with SeparateProcess(serve_geojson if suffix == ".geojson" else serve, part.name, progress) as child:
        child.send((part, layer, names, crs))
        for table in tables:
            child.send((list(table.geometry), [table.columns[info.name] for info in layer.fields]))
        child.send(None)
        progress.update(None, "stage.export_write")
        child.receive()
    return written


def serve(requests: Requests, answers: Answers) -> None:
    """The child: collect the features and let GDAL write one file."""
    import pyogrio.raw

    part, layer, names, crs = requests()
    wkb: list[bytes | None] = []
    columns: list[list[Any]] = [[] for _ in layer.fields]
    while (table := requests()) is not None:
        wkb += table[0]
        for column, values in zip(columns, table[1], strict=True):
            column += values
    shapes = shapely.from_wkb(np.array(wkb, dtype=object))
    cells = [_array(column, info) for column, info in zip(columns, layer.fields, strict=True)]
    suffix = part.suffix.casefold()
    try:
        pyogrio.raw.write(
            str(part),
            geometry=None if layer.geometry == "none" else _multi(shapes, layer.geometry),
            field_data=[array for array, _ in cells],
            field_mask=[mask for _, mask in cells],
            fields=names,
            layer=layer.name if suffix == ".gpkg" else None,
            driver=DRIVERS[suffix],
            geometry_type=_geometry_type(layer, shapes),
            crs=crs if layer.geometry != "none" else None,
            encoding="UTF-8",
        )
    except Exception as error:  # GDAL's errors have no common base
        raise PlannerError("export.not_written", file=part.name, detail=str(error)[:300]) from error
    answers(None)


def _geometry_type(layer: LayerInfo, shapes: Any) -> str | None:
    if layer.geometry == "none":
        return None
    found = _TYPES[layer.geometry]
    if layer.geometry == "point" and (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT).any():
        found = "MultiPoint"
    return f"{found} Z" if shapely.has_z(shapes).any() else found


def _multi(shapes: Any, geometry: str) -> Any:
    """WKB; single parts as multi ones for lines and polygons, and for points if any is multi."""
    kinds = shapely.get_type_id(shapes)
    single, make = {
        "point": (shapely.GeometryType.POINT, shapely.multipoints),
        "line": (shapely.GeometryType.LINESTRING, shapely.multilinestrings),
        "polygon": (shapely.GeometryType.POLYGON, shapely.multipolygons),
    }[geometry]
    alone = kinds == single
    if alone.any() and (geometry != "point" or (kinds == shapely.GeometryType.MULTIPOINT).any()):
        shapes = shapes.copy()
        shapes[alone] = make(shapes[alone].reshape(-1, 1))
    return shapely.to_wkb(shapes)


def _array(values: list[Any], info: FieldInfo) -> tuple[Any, Any]:
    """A column as GDAL takes it, and which cells are missing (None: none are)."""
    missing = np.fromiter((value is None for value in values), bool, len(values))
    mask = missing if missing.any() else None
    present = [value for value in values if value is not None]
    if info.type == "boolean" and all(value in (0, 1) for value in present):
        return np.array([bool(value) for value in values]), mask
    if info.type == "integer" and all(isinstance(value, int) for value in present):
        return np.array([value or 0 for value in values], dtype=np.int64), mask
    if info.type == "real" and all(isinstance(value, int | float) for value in present):
        return np.array([np.nan if value is None else float(value) for value in values]), mask
    if info.type in ("date", "datetime"):
        times = _times(values, info)
        if times is not None:
            return times, mask
    texts = np.empty(len(values), dtype=object)
    texts[:] = [None if value is None else value.hex() if isinstance(value, bytes) else str(value) for value in values]
    return texts, mask


def _times(values: list[Any], info: FieldInfo) -> Any:
    """Dates or local times; None where a cell is neither or has a time zone: then the column stays text."""
    try:
        read = [None if value is None else datetime.fromisoformat(str(value)) for value in values]
    except ValueError:
        return None
    if any(one is not None and one.tzinfo is not None for one in read):
        return None
    unit = "D" if info.type == "date" else "ms"
    return np.array([np.datetime64("NaT") if one is None else np.datetime64(one) for one in read]).astype(
        f"datetime64[{unit}]"
    )


def short_names(names: list[str], warnings: list[Note]) -> list[str]:
    """Field names cut to the ten bytes a Shapefile has, each one once."""
    made: list[str] = []
    for name in names:
        short = _cut(name, _DBF_NAME_BYTES)
        number = 1
        while short.casefold() in (other.casefold() for other in made):
            tail = f"_{number}"
            short = _cut(name, _DBF_NAME_BYTES - len(tail)) + tail
            number += 1
        if short != name:
            warnings.append(note("export.field_renamed", field=name, name=short))
        made.append(short)
    return made


def _cut(name: str, most: int) -> str:
    return name.encode("utf-8")[:most].decode("utf-8", "ignore")
