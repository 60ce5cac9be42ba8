"""Export of a layer: written beside its destination and moved into place, so that there is all of it or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.project.exchange.notes import Note
from planner_app.project.exchange.table_export import write_csv, write_xlsx
from planner_app.project.exchange.vector_export import DRIVERS, write_vector
from planner_app.project.features import FeatureTable
from planner_app.project.store import Project

FORMATS = (*DRIVERS, ".csv", ".xlsx")
#: Features read at a time; between two the person may cancel.
_CHUNK_ROWS = 4_000
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
    if dest.exists() and os.path.samefile(dest, project.path):
        raise PlannerError("export.own_project", file=dest.name)
    if not dest.parent.is_dir():
        raise PlannerError("export.no_folder", folder=str(dest.parent))
    if suffix in (".geojson", ".shp") and layer.geometry == "none":
        raise PlannerError("export.needs_geometry", layer=layer.name, format=suffix)
    wanted = project.fid_list(layer.id) if fids is None else list(fids)
    if suffix == ".xlsx" and len(wanted) > _MOST_ROWS:
        raise PlannerError("export.too_many_rows", layer=layer.name, rows=len(wanted), most=_MOST_ROWS)
    report = ExportReport(dest, layer.name, 0, project.crs if layer.geometry != "none" else "")
    part_of_it = SubProgress(progress, 0.0, 0.6 if suffix in DRIVERS else 0.95)

    def tables() -> Iterator[FeatureTable]:
        for start in range(0, len(wanted), _CHUNK_ROWS):
            table = project.read(layer.id, fids=wanted[start : start + _CHUNK_ROWS])
            check(progress)
            report.features += len(table)
            part_of_it.update(min(1.0, (start + _CHUNK_ROWS) / len(wanted)), "stage.export_read")
            yield table

    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=dest.parent) as folder:
            part = Path(folder) / dest.name
            if suffix == ".xlsx":
                write_xlsx(layer, tables(), part)
            elif suffix == ".csv":
                write_csv(layer, tables(), part)
            else:
                report.crs = write_vector(layer, tables(), project.crs, part, report.warnings, progress)
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
