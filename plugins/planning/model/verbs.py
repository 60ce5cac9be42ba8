"""The verbs ``conflicts`` and ``control``."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import blocks
from planner_app.domain.progress import SubProgress
from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult


def _configure_conflicts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--a", required=True, metavar="LAYER:FIELD", help=tr("first plan and its class field"))
    parser.add_argument("--b", required=True, metavar="LAYER:FIELD", help=tr("second plan and its class field"))
    parser.add_argument("--a-standard", default="", metavar="STANDARD", help=tr("gb50137, mnr2023, dltb or text"))
    parser.add_argument("--b-standard", default="", metavar="STANDARD", help=tr("gb50137, mnr2023, dltb or text"))
    parser.add_argument("--all", action="store_true", help=tr("every pair that shares ground, whatever its classes"))
    parser.add_argument("--matrix", default="", metavar="NAME|TOML", help=tr("conflict matrix that decides"))
    parser.add_argument("--min-area", type=float, default=1.0, metavar="M2")
    parser.add_argument("--min-width", type=float, default=0.1, metavar="M")
    parser.add_argument(
        "--basis", choices=("planar", "ellipsoidal"), default="planar", help=tr("area basis of the sums")
    )
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help=tr("day on which validity is judged (today)"))
    parser.add_argument("--save", default="", metavar="NAME", help=tr("keep the patches as a layer of the project"))
    _add_report(parser)


def _configure_control(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--site",
        required=True,
        metavar="LAYER|TXT|DXF",
        help=tr("layer (LAYER#FID: one feature), .txt, .dxf or .geojson"),
    )
    parser.add_argument(
        "--lines", default=None, metavar="LAYER,…", help=tr("control-line layers (default: all there are)")
    )
    parser.add_argument(
        "--plans", default="", metavar="LAYER:FIELD,…", help=tr("plans whose land classes are summed up")
    )
    parser.add_argument(
        "--site-layer", default="", metavar="NAME", help=tr("layer of the drawing that holds the outline")
    )
    parser.add_argument("--purpose", default="", metavar="NAME", help=tr("limited_activity or national_project"))
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help=tr("day whose rules apply (today)"))
    parser.add_argument("--city", default="", metavar="NAME", help=tr("city whose own rules go first"))
    _add_report(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--report",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help=tr(".pdf, .html or .xlsx; may be repeated"),
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        raise PlannerError("planning.date_wrong", value=text) from error


def _check_reports(paths: list[Path]) -> None:
    """Refuse an unknown format before the work, not after it."""
    for path in paths:
        if path.suffix.casefold() not in (".pdf", ".html", ".xlsx"):
            raise PlannerError("report.format_unknown", file=path.name, known=".pdf, .html, .xlsx")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def run_conflicts_verb(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner conflicts``: compare two plans, and keep or print the result if asked to."""
    from plugins.planning.model.conflict_report import ConflictReport, write_conflict_report
    from plugins.planning.model.conflict_result import ConflictOptions
    from plugins.planning.model.conflicts import run_conflicts
    from plugins.planning.model.headless import conflict_map
    from plugins.planning.model.plan_side import LayerField
    from plugins.planning.model.result_layer import save_result

    _check_reports(arguments.report)
    options = ConflictOptions(
        every_pair=arguments.all,
        matrix=arguments.matrix,
        min_area=arguments.min_area,
        min_width=arguments.min_width,
        basis=arguments.basis,
        on=_day(arguments.date),
    )
    with context.open_project(arguments.file) as project:
        sides = []
        for text, code_list in ((arguments.a, arguments.a_standard), (arguments.b, arguments.b_standard)):
            wanted = LayerField.parse(text, project)
            sides.append(LayerField(wanted.layer, wanted.field, code_list))
        result = run_conflicts(project, sides[0], sides[1], options, SubProgress(context.progress, 0.0, 0.8))
        data = result.as_json()
        report, picture = None, None
        if arguments.save:
            saved = SubProgress(context.progress, 0.8, 0.9)
            layer = save_result(project, result, arguments.save, language=language(), progress=saved)
            data["layer"] = layer.id
            report = ConflictReport.of_layer(project, layer.id) if arguments.report else None
            picture = conflict_map(project, layer.id, context.render_map) if arguments.report else None
        for path in arguments.report:
            report = report or ConflictReport.of_result(project, result)
            write_conflict_report(report, path, picture)
    if arguments.report:
        data["reports"] = [str(path) for path in arguments.report]
    return VerbResult(data)


def run_control_verb(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner control``: check a site; exit code 1 if a blocking finding fails."""
    from plugins.planning.model.control import check_site
    from plugins.planning.model.plan_side import LayerField
    from plugins.planning.model.site import read_site
    from plugins.planning.model.site_report import write_site_report

    _check_reports(arguments.report)
    with context.open_project(arguments.file) as project:
        site = read_site(project, arguments.site, drawing_layer=arguments.site_layer)
        check = check_site(
            project,
            site,
            lines=None if arguments.lines is None else _names(arguments.lines),
            plans=[LayerField.parse(text, project) for text in _names(arguments.plans)],
            rules=context.rules("planning."),
            on=_day(arguments.date),
            purpose=arguments.purpose,
            city=arguments.city,
            progress=context.progress,
        )
        for path in arguments.report:
            write_site_report(check, path, project.name)
    data = control_json(check)
    if arguments.report:
        data["reports"] = [str(path) for path in arguments.report]
    return VerbResult(data, 1 if blocks(check.findings) else 0)


def control_json(check: Any) -> dict[str, Any]:
    """A site check as ``planner control --json`` prints it."""
    from planner_app.report.findings import finding_json
    from plugins.planning.model.conflict_result import NO_CLASS

    def class_name(row: Any) -> str:
        if row.kind == "line":
            return ""
        if not row.covered:
            return "(not covered)"
        return NO_CLASS if row.land.raw is None else str(row.land.raw)

    return {
        "verdict": check.verdict().value,
        "findings": [
            {**finding_json(line.finding), "layer": line.layer.name if line.layer else None} for line in check.lines
        ],
        "areas": [
            {
                "layer": row.layer,
                "class": class_name(row),
                "area_m2": row.area,
                "area_ellipsoidal_m2": row.area_ellipsoidal,
            }
            for row in check.areas
        ],
        "site_area_m2": check.site_area,
        "site_area_ellipsoidal_m2": check.site_area_ellipsoidal,
        "dropped": [
            {"rule": line.finding.rule, "area_m2": spot.area, "width_m": spot.width}
            for line in check.lines
            for spot in line.dropped
        ],
        "notes": [{"code": code, "message": word(code, params)} for code, params in check.site.notes],
        "unmapped": check.unmapped,
    }


CONFLICTS = Verb(
    "conflicts", "compare two plans and list where they disagree", _configure_conflicts, run_conflicts_verb
)
CONTROL = Verb("control", "check a site against control lines and plans", _configure_control, run_control_verb)
