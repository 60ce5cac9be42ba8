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

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.project.exchange.notes import Note
from planner_app.project.exchange.vector_export import DRIVERS, write_vector
from planner_app.project.store import Project

FORMATS = (*DRIVERS, ".csv", ".xlsx")
#: A worksheet's rows, less the head.
_MOST_ROWS = 1_048_575


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
                report.crs = write_vector(layer, table.columns, shapes, project.crs, part, report.warnings, progress)
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
