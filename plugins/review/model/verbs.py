"""``planner review …``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import blocks
from planner_app.i18n import tr
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult
from plugins.review.model.cases import store

#: Names of units that people write, in metres.
_UNITS = {"mm": 0.001, "cm": 0.01, "dm": 0.1, "m": 1.0, "km": 1000.0, "in": 0.0254, "ft": 0.3048}
_KINDS = ("site_plan", "as_built", "other")


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=tr("project file"))


def _drawing(parser: argparse.ArgumentParser, name: str = "drawing") -> None:
    parser.add_argument(name, metavar=name.upper(), help=tr("a drawing's number, id, sha256 or file name"))


def _dated(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help=tr("day whose rules apply (the permit's)"))
    parser.add_argument("--city", default="", metavar="NAME", help=tr("city whose own rules go first"))


def _case(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--case", default="", metavar="CASE", help=tr("number, id or title of a review case"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise PlannerError("review.date_wrong", value=text) from error


def _region(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise PlannerError("review.region_wrong", value=text) from error
    if x0 == x1 or y0 == y1 or not all(abs(value) < float("inf") for value in (x0, y0, x1, y1)):
        raise PlannerError("review.region_wrong", value=text)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _unit(text: str) -> float | None:
    if not text:
        return None
    try:
        metres = _UNITS.get(text.casefold()) or float(text)
    except ValueError as error:
        raise PlannerError("review.unit_wrong", value=text, known=", ".join(_UNITS)) from error
    if not 0 < metres < float("inf"):
        raise PlannerError("review.unit_wrong", value=text, known=", ".join(_UNITS))
    return metres


# ---------------------------------------------------------------- import


def _configure_import(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("drawing", type=Path, metavar="DRAWING", help=tr("DXF, DWG, PDF, IFC or an image"))
    parser.add_argument("--parcel", default="", metavar="ID", help=tr("parcel of the detailed zoning plan"))
    parser.add_argument("--convention", default="", metavar="NAME", help=tr("layer convention (default: the best fit)"))
    placing = parser.add_mutually_exclusive_group()
    placing.add_argument("--crs", default="", metavar="EPSG:N", help=tr("coordinate system of the drawing"))
    placing.add_argument("--control", type=Path, default=None, metavar="CSV", help=tr("control points"))
    _case(parser)
    parser.add_argument(
        "--replaces", default="", metavar="DRAWING", help=tr("drawing it is a revision of, or “latest”")
    )
    parser.add_argument("--kind", default="", choices=("", *_KINDS), metavar="KIND", help=", ".join(_KINDS))
    parser.add_argument("--title", default="", metavar="TEXT", help=tr("title of a new case"))
    parser.add_argument("--region", default="", metavar="X0,Y0,X1,Y1", help=tr("site plan within the sheet"))
    parser.add_argument("--unit", default="", metavar="M", help=tr("length of a drawing unit: mm, cm, m, ft or metres"))
    _dated(parser)


def _import(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import imported_json
    from plugins.review.model.cases.workflow import import_drawing

    region, unit, day = _region(arguments.region), _unit(arguments.unit), _day(arguments.date)
    with context.open_project(arguments.file) as project:
        found = import_drawing(
            project, arguments.drawing, parcel=arguments.parcel, convention=arguments.convention, crs=arguments.crs,
            control=arguments.control, case=arguments.case, kind=arguments.kind, replaces=arguments.replaces,
            city=arguments.city, title=arguments.title, permit_date=day.isoformat() if day else "", region=region,
            metres_per_unit=unit, progress=context.progress,
        )  # fmt: skip
        return VerbResult(imported_json(found))


# ---------------------------------------------------------------- check, diff, asbuilt


def _configure_check(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _drawing(parser)
    parser.add_argument("--parcel", default="", metavar="ID", help=tr("parcel whose conditions apply"))
    _dated(parser)


def _check(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import checked_json
    from plugins.review.model.cases.workflow import check_drawing

    day = _day(arguments.date)
    with context.open_project(arguments.file) as project:
        found = check_drawing(
            project, arguments.drawing, rules=context.rules("review."), parcel=arguments.parcel, on=day,
            city=arguments.city, progress=context.progress,
        )  # fmt: skip
        return VerbResult(checked_json(found), 1 if blocks(list(found.check.findings)) else 0)


def _configure_diff(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _drawing(parser, "drawing_a")
    _drawing(parser, "drawing_b")


def _diff(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import comparison_json
    from plugins.review.model.revisions.compare import compare_drawings

    with context.open_project(arguments.file) as project:
        found = compare_drawings(project, arguments.drawing_a, arguments.drawing_b, context.progress)
        return VerbResult(comparison_json(found))


def _configure_asbuilt(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _drawing(parser, "approved")
    _drawing(parser, "survey")
    _dated(parser)
    parser.add_argument("--accept", action="store_true", help=tr("write what was built into the base map"))
    parser.add_argument("--layer", default="", metavar="LAYER", help=tr("layer of buildings that is updated"))


def _asbuilt(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.report.findings import finding_json
    from plugins.review.model.answers import notes_json
    from plugins.review.model.asbuilt.accept import plan_acceptance
    from plugins.review.model.asbuilt.compare import as_built_json, compare_as_built

    day = _day(arguments.date)
    with context.open_project(arguments.file) as project:
        found = compare_as_built(
            project, arguments.approved, arguments.survey, rules=context.rules("asbuilt."), on=day,
            city=arguments.city, progress=context.progress,
        )  # fmt: skip
        data: dict[str, Any] = {
            "verdict": found.verdict.value,
            "findings": [finding_json(one) for one in found.findings],
            **as_built_json(found),
            "date": found.on.isoformat(),
            "warnings": notes_json(found.notes),
        }
        if arguments.accept:
            command = plan_acceptance(project, found, arguments.layer)
            project.execute(command)
            data["accepted"] = command.params()
        return VerbResult(data, 1 if blocks(list(found.findings)) else 0)


# ---------------------------------------------------------------- opinion, bcf


def _configure_opinion(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _drawing(parser)
    parser.add_argument(
        "--out", type=Path, required=True, nargs="+", metavar="FILE",
        help=tr(".pdf .docx .html .json; several files hold one and the same opinion"),
    )  # fmt: skip
    parser.add_argument("--approved", default="", metavar="DRAWING", help=tr("approved drawing of an as-built survey"))
    parser.add_argument("--parcel", default="", metavar="ID", help=tr("parcel whose conditions apply"))
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help=tr("day whose rules apply (the permit's)"))
    parser.add_argument("--no-embed", action="store_true", help=tr("name the drawing by its hash only"))


def _opinion(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.opinion.write import export_opinion

    day = _day(arguments.date)
    with context.open_project(arguments.file) as project:
        written = export_opinion(
            project, arguments.drawing, *arguments.out, rules=[*context.rules("review."), *context.rules("asbuilt.")],
            render_map=context.render_map, approved=arguments.approved, parcel=arguments.parcel, on=day,
            embed=not arguments.no_embed, progress=context.progress,
        )  # fmt: skip
    return VerbResult({
        "out": str(arguments.out[0]), "sha256": written.sha256[0], "seal": written.seal, "number": written.number,
        "state": written.state.key,
        "files": [
            {"out": str(path), "sha256": sha} for path, sha in zip(arguments.out, written.sha256, strict=True)
        ],
    })  # fmt: skip


def _configure_bcf(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--export", type=Path, metavar="BCF", help=tr("write the issues of a case, or of all"))
    way.add_argument("--import", type=Path, dest="source", metavar="BCF", help=tr("take over topics as issues"))
    _case(parser)
    parser.add_argument("--version", default="2.1", choices=("2.1", "3.0"), help=tr("BCF version to write"))


def _bcf(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import notes_json
    from plugins.review.model.exchange.bcf import export_bcf, import_bcf

    with context.open_project(arguments.file) as project:
        case = store.case(project, arguments.case) if arguments.case else None
        if arguments.export:
            told = export_bcf(
                project, case.id if case else "", arguments.export, version=arguments.version,
                progress=context.progress, render_map=context.render_map,
            )  # fmt: skip
            told["out"] = str(arguments.export)
        else:
            told = import_bcf(
                project, arguments.source, case.id if case else "", new_case=arguments.source.stem,
                progress=context.progress,
            )  # fmt: skip
    cases = told["cases"]
    one = {"case": cases[0] if len(cases) == 1 else None}
    return VerbResult({**told, **one, "notes": notes_json(told["notes"])})


# ---------------------------------------------------------------- lists


def _configure_list(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _case(parser)


def _cases(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import case_json

    with context.open_project(arguments.file) as project:
        rows = [
            case_json(one, store.drawings(project, one.id), store.issues(project, one.id))
            for one in store.cases(project)
        ]
    return VerbResult({"cases": rows})


def _drawings(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import drawing_json

    with context.open_project(arguments.file) as project:
        wanted = store.case(project, arguments.case).id if arguments.case else ""
        cases = {one.id: one for one in store.cases(project)}
        rows = [drawing_json(one, cases.get(one.case_id)) for one in store.drawings(project, wanted)]
    return VerbResult({"drawings": rows})


def _issues(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import issue_json

    with context.open_project(arguments.file) as project:
        wanted = store.case(project, arguments.case).id if arguments.case else ""
        cases = {one.id: one for one in store.cases(project)}
        numbers = {one.id: one.number for one in store.drawings(project)}
        rows = [
            issue_json(one, cases.get(one.case_id), numbers.get(one.drawing_id, ""))
            for one in store.issues(project, wanted)
        ]
    return VerbResult({"issues": rows})


def _configure_raise(parser: argparse.ArgumentParser) -> None:
    _configure_check(parser)
    parser.add_argument(
        "--rule", action="append", default=[], metavar="RULE",
        help=tr("only findings of this rule, whatever their verdict; may be given again"),
    )  # fmt: skip


def _raise(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import issue_json
    from plugins.review.model.cases.commands import ImportIssues
    from plugins.review.model.cases.raising import issue_of, worth_raising
    from plugins.review.model.cases.workflow import check_drawing

    rules = context.rules("review.")
    with context.open_project(arguments.file) as project:
        found = check_drawing(
            project, arguments.drawing, rules=rules, parcel=arguments.parcel, on=_day(arguments.date),
            city=arguments.city, progress=context.progress,
        )  # fmt: skip
        record = found.opened.record
        case = next((one for one in store.cases(project) if one.id == record.case_id), None)
        if case is None:
            raise PlannerError("review.raise_no_case", drawing=record.number)
        by_id = {rule.id: rule for rule in rules}
        findings = worth_raising(project, case, found.check.findings, arguments.rule)
        made = [issue_of(one, case, record, found.opened, by_id, project.user) for one in findings]
        if made:
            marks = [mark for one in made for mark in one.markups]
            project.execute(ImportIssues("", [one.issue for one in made], [one.comment for one in made], marks))
        raised = {one.issue.id for one in made}
        rows = [issue_json(one, case, record.number) for one in store.issues(project, case.id) if one.id in raised]
    return VerbResult({"case": case.number, "drawing": record.number, "raised": rows})


def _configure_conditions(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--parcel", default="", metavar="ID", help=tr("parcel of the detailed zoning plan"))
    which.add_argument("--case", default="", metavar="CASE", help=tr("number, id or title of a review case"))
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help=".docx .pdf .html")


def _conditions(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.answers import conditions_answer
    from plugins.review.model.cases.context import conditions_for, parcel_shape

    with context.open_project(arguments.file) as project:
        case = store.case(project, arguments.case) if arguments.case else None
        found, _ = conditions_for(project, case, arguments.parcel)
        if found is None and case is not None:
            raise PlannerError("review.case_no_conditions", case=case.number, parcel=case.parcel or "–")
        if found is None:
            raise PlannerError("review.parcel_unknown", parcel=arguments.parcel)
        data = dict(conditions_answer(found))
        if arguments.out:
            from plugins.review.model.conditions.print import write_conditions

            shape = parcel_shape(found)
            picture = b""
            if shape is not None:
                x0, y0, x1, y1 = shape.bounds
                margin = 0.4 * max(x1 - x0, y1 - y0)
                extent = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
                picture = context.render_map(project, extent, (1600, 1100))
            write_conditions(found, arguments.out, picture or None, project=project.name, crs=project.crs)
            data["out"] = str(arguments.out)
        return VerbResult(data)


def _verb(name: str, help_text: str, configure: Callable[[argparse.ArgumentParser], None], run: Any) -> Verb:
    return Verb(f"review {name}", help_text, configure, run)


VERBS = [
    _verb("import", "Take a drawing into a review case: read, place, measure it", _configure_import, _import),
    _verb("check", "Check a drawing against its parcel's planning conditions", _configure_check, _check),
    _verb("diff", "Compare two revisions of a drawing", _configure_diff, _diff),
    _verb("asbuilt", "Compare an as-built survey with the approved drawing", _configure_asbuilt, _asbuilt),
    _verb("opinion", "Write the review opinion of a drawing", _configure_opinion, _opinion),
    _verb("bcf", "Write or read issues as a BCF file", _configure_bcf, _bcf),
    _verb("cases", "List the review cases", _file, _cases),
    _verb("drawings", "List the drawings under review", _configure_list, _drawings),
    _verb("issues", "List the issues of a review", _configure_list, _issues),
    _verb("raise", "Raise an issue for each finding that fails", _configure_raise, _raise),
    _verb("conditions", "Show or print the planning conditions of a parcel", _configure_conditions, _conditions),
]
