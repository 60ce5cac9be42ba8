"""Export of a layer: written beside its destination and moved into place, so that there is all of it or nothing."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.crs import transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.project.exchange.notes import Note, note
from planner_app.project.store import Project

FORMATS = (".gpkg", ".geojson", ".shp", ".csv", ".xlsx")
#: A worksheet's rows, less the head.
_MOST_ROWS = 1_048_575
_DBF_NAME_BYTES = 10


@dataclass(slots=True)
class ExportReport:
    """What was written: CRS as ``EPSG:n``, empty for tables without geometry."""

    path: Path
    layer: str
    features: int
    crs: str
    warnings: list[Note] = field(default_factory=list)


def export_layer(
    project: Project,
    layer_id: str,
    dest: Path,
    *,
    fids: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a layer (or some of its features) to .gpkg, .geojson, .shp, .csv or .xlsx; an old file is replaced.

    GeoJSON is in WGS 84 as RFC 7946 wants; everything else in the project's CRS.

    Raises:
        PlannerError: ``export.*``, ``layer.unknown``, ``crs.ballpark``.
        Cancelled: nothing was written.
    """
    progress = progress or NoProgress()
    dest = Path(dest)
    layer = project.layer(layer_id)
    suffix = dest.suffix.casefold()
    if suffix not in FORMATS:
        raise PlannerError("export.format_unknown", file=dest.name, known=", ".join(FORMATS))
    if dest.exists() and Path(project.path).exists() and os.path.samefile(dest, project.path):
        raise PlannerError("export.own_project", file=dest.name)
    if not dest.parent.is_dir():
        raise PlannerError("export.no_folder", folder=str(dest.parent))
    if suffix in (".geojson", ".shp") and layer.geometry == "none":
        raise PlannerError("export.needs_geometry", layer=layer.name, format=suffix)
    progress.update(0.05, "stage.export_read")
    table = project.read(layer.id, fids=fids)
    check(progress)
    report = ExportReport(dest, layer.name, len(table), project.crs if layer.geometry != "none" else "")
    shapes = shapely.from_wkb(table.geometry)
    progress.update(0.3, "stage.export_write")
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=dest.parent) as folder:
            part = Path(folder) / dest.name
            if suffix == ".xlsx":
                _write_xlsx(layer, table.columns, shapes, part, progress)
            elif suffix == ".csv":
                _write_csv(layer, table.columns, shapes, part, progress)
            else:
                _write_vector(project, layer, table.columns, shapes, part, suffix, report)
            check(progress)
            _move(Path(folder), dest)
    except OSError as error:
        raise PlannerError("export.not_written", file=str(dest), detail=error.strerror or str(error)) from error
    progress.update(1.0)
    return report


def _move(folder: Path, dest: Path) -> None:
    """Put the files in place; parts of an older Shapefile of that name go."""
    made = sorted(folder.iterdir())
    if dest.suffix.casefold() == ".shp":
        fresh = {file.suffix.casefold() for file in made}
        for ending in (".qix", ".sbn", ".sbx", ".shp.xml"):
            old = dest.with_suffix(ending)
            if ending not in fresh and old.exists():
                old.unlink()
    for file in made:
        os.replace(file, dest.parent / file.name)


def _write_vector(
    project: Project,
    layer: LayerInfo,
    columns: dict[str, list[Any]],
    shapes: Any,
    part: Path,
    suffix: str,
    report: ExportReport,
) -> None:
    import pyogrio.raw

    options: dict[str, Any] = {}
    names = [info.name for info in layer.fields]
    driver = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}[suffix]
    if suffix == ".geojson":
        move = transformer(project.crs, "EPSG:4326")
        if not move.is_identity:
            shapes = _moved(shapes, move)
        report.crs = "EPSG:4326"
        options = {"RFC7946": "YES", "COORDINATE_PRECISION": "9"}
    elif suffix == ".shp":
        names = _short_names(names, report)
    arrays, masks = (
        zip(*(_array(columns[info.name], info) for info in layer.fields), strict=True) if layer.fields else ((), ())
    )
    geometry_type = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "Point", "none": None}[
        layer.geometry
    ]
    if layer.geometry == "point" and (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT).any():
        geometry_type = "MultiPoint"
        shapes = np.array([shapely.multipoints(shapely.get_parts(one)) if one is not None else None for one in shapes])
    if geometry_type is not None and shapely.has_z(shapes).any():
        geometry_type += " Z"
    try:
        pyogrio.raw.write(
            str(part),
            geometry=None if geometry_type is None else _multi(shapes, layer.geometry),
            field_data=list(arrays),
            field_mask=list(masks),
            fields=names,
            layer=layer.name if suffix == ".gpkg" else None,
            driver=driver,
            geometry_type=geometry_type,
            crs=report.crs or None,
            encoding="UTF-8",
            layer_options=options,
        )
    except Exception as error:
        raise PlannerError("export.not_written", file=report.path.name, detail=str(error)[:300]) from error


def _multi(shapes: Any, geometry: str) -> Any:
    """WKB, single parts as multi ones for lines and polygons."""
    if geometry in ("line", "polygon"):
        single = shapely.get_type_id(shapes) == (1 if geometry == "line" else 3)
        if single.any():
            shapes = shapes.copy()
            make = shapely.multilinestrings if geometry == "line" else shapely.multipolygons
            shapes[single] = make(shapes[single].reshape(-1, 1))
    return shapely.to_wkb(shapes)


def _moved(shapes: Any, move: Any) -> Any:
    def change(coordinates: Any) -> Any:
        x, y = move.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([x, y, *coordinates[:, 2:].T])

    result = shapes.copy()
    for flat in (True, False):
        some = shapely.has_z(shapes) != flat
        if some.any():
            result[some] = shapely.transform(shapes[some], change, include_z=not flat)
    return result


def _array(values: list[Any], info: FieldInfo) -> tuple[Any, Any]:
    """A column as GDAL takes it, and which cells are missing (None: none are)."""
    missing = np.fromiter((value is None for value in values), bool, len(values))
    mask = missing if missing.any() else None
    if info.type in ("integer", "boolean") and all(isinstance(v, int) for v in values if v is not None):
        return np.array([0 if value is None else int(value) for value in values], dtype=np.int64), mask
    if info.type == "real" and all(isinstance(v, int | float) for v in values if v is not None):
        return np.array([np.nan if value is None else float(value) for value in values]), mask
    if info.type == "date":
        try:
            dates = np.array([np.datetime64("NaT") if v is None else np.datetime64(str(v)[:10]) for v in values])
            return dates.astype("datetime64[D]"), mask
        except ValueError:
            pass  # text that is no date stays text
    texts = np.empty(len(values), dtype=object)
    texts[:] = [None if value is None else value.hex() if isinstance(value, bytes) else str(value) for value in values]
    return texts, mask


def _short_names(names: list[str], report: ExportReport) -> list[str]:
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
            report.warnings.append(note("export.field_renamed", field=name, name=short))
        made.append(short)
    return made


def _cut(name: str, most: int) -> str:
    return name.encode("utf-8")[:most].decode("utf-8", "ignore")


def _plain_rows(layer: LayerInfo, columns: dict[str, list[Any]], shapes: Any) -> tuple[list[str], list[list[Any]]]:
    """Heads and columns for tables; points get their coordinates."""
    heads = [info.name for info in layer.fields]
    lists = [columns[name] for name in heads]
    if layer.geometry == "point":
        xy = [(None, None) if s is None else (s.centroid.x, s.centroid.y) for s in shapes]
        heads = [*heads, "east", "north"]
        lists = [*lists, [x for x, _ in xy], [y for _, y in xy]]
    return heads, lists


def _write_csv(layer: LayerInfo, columns: dict[str, list[Any]], shapes: Any, part: Path, progress: Progress) -> None:
    heads, lists = _plain_rows(layer, columns, shapes)
    if layer.geometry in ("line", "polygon"):
        heads.append("geometry_wkt")
        lists.append(list(shapely.to_wkt(shapes, rounding_precision=-1)))
    with part.open("w", encoding="utf-8-sig", newline="") as file:  # the mark lets Excel see UTF-8
        writer = csv.writer(file)
        writer.writerow(heads)
        for number, row in enumerate(zip(*lists, strict=True)):
            if number % 5000 == 0:
                check(progress)
            writer.writerow(["" if value is None else value for value in row])


def _write_xlsx(layer: LayerInfo, columns: dict[str, list[Any]], shapes: Any, part: Path, progress: Progress) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    heads, lists = _plain_rows(layer, columns, shapes)
    if lists and len(lists[0]) > _MOST_ROWS:
        raise PlannerError("export.too_many_rows", layer=layer.name, rows=len(lists[0]), most=_MOST_ROWS)
    if layer.geometry == "polygon":
        heads.append("area_m2")
        lists.append(shapely.area(shapes).tolist())
    elif layer.geometry == "line":
        heads.append("length_m")
        lists.append(shapely.length(shapes).tolist())
    book = Workbook(write_only=True)
    sheet = book.create_sheet("".join("_" if c in "[]:*?/\\" else c for c in layer.name)[:31] or "layer")
    sheet.freeze_panes = "A2"
    bold = []
    for head in heads:
        cell = WriteOnlyCell(sheet, value=head)
        cell.font = Font(bold=True)
        bold.append(cell)
    sheet.append(bold)
    for number, row in enumerate(zip(*lists, strict=True)):
        if number % 2000 == 0:
            check(progress)
        sheet.append([_cell(value) for value in row])
    book.save(part)


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, str):
        clean = "".join(c for c in value if c >= " " or c in "\t\n")
        return f"'{clean}" if clean.startswith("=") else clean
    return value
