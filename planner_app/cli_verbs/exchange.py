"""``planner import`` and ``planner export``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from planner_app.domain.crs import CityTransform
    from planner_app.project.exchange import Note, RowNote


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=tr("project file"))
    parser.add_argument("source", type=Path, metavar="SOURCE", help=tr("file to import"))
    parser.add_argument("--layer", default="", metavar="L", help=tr("which layer of the source"))
    parser.add_argument("--name", default="", metavar="N", help=tr("name of the new layer"))
    parser.add_argument("--crs", default="", metavar="EPSG:N", help=tr("CRS of the source where it states none"))
    parser.add_argument("--encoding", default="", metavar="E", help=tr("encoding of the attributes"))
    parser.add_argument("--plan", default="", metavar="KIND", help=tr("kind of plan the layer is"))
    parser.add_argument("--class-field", default="", metavar="F", help=tr("field that holds the land class"))
    parser.add_argument("--class-standard", default="", metavar="S", help=tr("gb50137, mnr2023, dltb or text"))
    parser.add_argument("--wkt", default="", metavar="COLUMN", help=tr("geometry of a CSV, written as WKT"))
    parser.add_argument("--x", default="", metavar="COLUMN", help=tr("easting or longitude of a CSV"))
    parser.add_argument("--y", default="", metavar="COLUMN", help=tr("northing or latitude of a CSV"))
    parser.add_argument(
        "--city", type=Path, metavar="JSON|CSV", help=tr("the city's parameters (JSON) or control points (CSV)")
    )


def _run_import(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.project.exchange import import_layer

    pair = (arguments.x, arguments.y) if arguments.x and arguments.y else arguments.wkt or None
    with context.open_project(arguments.file) as project:
        city = read_city(arguments.city, arguments.crs, project.crs) if arguments.city else None
        report = import_layer(
            project,
            arguments.source,
            sublayer=arguments.layer,
            name=arguments.name,
            crs=arguments.crs,
            encoding=arguments.encoding,
            plan=arguments.plan or None,
            class_field=arguments.class_field,
            class_standard=arguments.class_standard,
            transform=city,
            csv_xy=pair,
            language=language(),
            progress=context.progress,
        )
        if city is not None:
            from planner_app.domain.crs import SETTING

            project.set_setting(SETTING, city.to_json())
    layer = report.layer
    return VerbResult(
        {
            "layer": layer.id,
            "name": layer.name,
            "features": report.features,
            "geometry": layer.geometry,
            "crs": report.source_crs,
            "class_field": layer.class_field,
            "class_standard": layer.class_standard,
            "repaired": [_row(note) for note in report.repaired],
            "rejected": [_row(note) for note in report.rejected],
            "warnings": [_warning(note) for note in report.warnings],
        }
    )


def _row(note: RowNote) -> dict[str, Any]:
    return {"row": note.row, "reason": word(note.reason, note.params), "code": note.reason, **note.params}


def _warning(note: Note) -> dict[str, str]:
    return {"code": note.code, "message": word(note.code, note.params)}


def read_city(path: Path, source: str, target: str) -> CityTransform:
    """A city's transformation from a file: JSON as the project keeps it, or control points ``x,y,x',y'`` as CSV.

    Raises:
        PlannerError: ``crs.city_file``, ``crs.city_parameters``, ``crs.control_points``.
    """
    import csv

    from planner_app.domain.crs import CityTransform, fit_four_parameters

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PlannerError("crs.city_file", file=str(path), detail=str(error)) from error
    if path.suffix.casefold() == ".json":
        return CityTransform.from_json(text)
    points = []
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        try:
            old_x, old_y, new_x, new_y = (float(cell) for cell in row[:4])
        except ValueError as error:
            if number == 1:
                continue  # a head
            raise PlannerError("crs.city_file", file=str(path), detail=f"{number}: {','.join(row)}") from error
        points.append((old_x, old_y, new_x, new_y))
    if not source:
        raise PlannerError("crs.city_source", file=str(path))
    return fit_four_parameters(source, target, points)[0]


def _configure_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=tr("project file"))
    parser.add_argument("layer", metavar="LAYER", help=tr("id or name of the layer"))
    parser.add_argument("dest", type=Path, metavar="DEST", help=tr("file to write (.gpkg .geojson .shp .csv .xlsx)"))


def _run_export(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.project.exchange import export_layer

    with context.open_project(arguments.file) as project:
        report = export_layer(project, arguments.layer, arguments.dest, progress=context.progress)
    return VerbResult(
        {
            "out": str(report.path),
            "layer": report.layer,
            "features": report.features,
            "crs": report.crs,
            "warnings": [_warning(note) for note in report.warnings],
        }
    )


VERBS = [
    Verb("import", "Import a layer of a foreign file", _configure_import, _run_import),
    Verb("export", "Export a layer", _configure_export, _run_export),
]
