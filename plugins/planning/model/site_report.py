"""The report of a site check: verdict, map, control lines, land classes of each plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner_app import __version__
from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from planner_app.i18n import language, tr, word
from planner_app.report.document import number, render_html, write_html, write_pdf
from planner_app.report.findings import finding_message, verdict_word
from planner_app.report.sketch import SketchLayer, sketch_svg
from plugins.planning.model.control import AreaRow, LineCheck, SiteCheck
from plugins.planning.model.control_rules import gates

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
#: Outline and fill of the land where a line speaks against the site, by verdict.
_COLOURS = {Verdict.FAIL: "#C0322B", Verdict.NEEDS_CERTIFICATE: "#D98A2B", Verdict.CANNOT_JUDGE: "#8792A2"}
_MOST_DROPPED = 20


def write_site_report(check: SiteCheck, path: Path, project: str, map_png: bytes | None = None) -> None:
    """Write the report as .pdf, .html or .xlsx.

    Args:
        check: what was found.
        path: where to; the suffix decides.
        project: the project's name.
        map_png: a map picture by the engine; without it a sketch is drawn.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``.
    """
    suffix = path.suffix.casefold()
    if suffix == ".xlsx":
        _write_workbook(check, path, project)
    elif suffix in (".pdf", ".html"):
        html = render_html("site_check.html", template_values(check, project, map_png), [TEMPLATES])
        (write_pdf if suffix == ".pdf" else write_html)(html, path)
    else:
        raise PlannerError("report.format_unknown", file=path.name, known=".pdf, .html, .xlsx")


def template_values(check: SiteCheck, project: str, map_png: bytes | None) -> dict[str, Any]:
    """What the template ``site_check.html`` shows, worded in the chosen language."""
    made = datetime.now(UTC).astimezone()
    lines = [line_row(line) for line in check.lines]
    dropped = [
        {"line": row["line"], "area": spot.area, "width": spot.width}
        for line, row in zip(check.lines, lines, strict=True)
        for spot in line.dropped
    ]
    verdict = check.verdict()
    return {
        "title": tr("Site check report"),
        "project": project,
        "subtitle": tr("{site} · {crs} · {date}", site=check.site.name, crs=check.crs, date=made.strftime("%Y-%m-%d")),
        "foot": tr("Made {date} · Planner {version}", date=made.strftime("%Y-%m-%d %H:%M"), version=__version__),
        "overall": {"verdict": verdict.value, "word": verdict_word(verdict.value), "text": summary_sentence(check)},
        "figures": [
            {"value": number(check.site_area, 2), "unit": "m²", "label": tr("site area, planar")},
            {"value": number(check.site_area_ellipsoidal, 2), "unit": "m²", "label": tr("site area, ellipsoidal")},
            {"value": number(_count(check, Verdict.FAIL)), "unit": "", "label": verdict_word("fail")},
            {"value": number(_count(check, Verdict.CANNOT_JUDGE)), "unit": "", "label": verdict_word("cannot_judge")},
        ],
        "map_png": map_png,
        "map_svg": "" if map_png else _sketch(check),
        "map_caption": tr("Site in blue; red: fails, orange: needs a certificate."),
        "lines": lines,
        "line_notes": _line_notes(check),
        "plans": plan_tables(check),
        "dropped": dropped[:_MOST_DROPPED],
        "dropped_note": ""
        if len(dropped) <= _MOST_DROPPED
        else tr("{shown} of {count}; see the workbook.", shown=_MOST_DROPPED, count=len(dropped)),
        "method": method(check),
    }


def _count(check: SiteCheck, verdict: Verdict) -> int:
    return sum(1 for finding in check.findings if finding.verdict is verdict)


def summary_sentence(check: SiteCheck) -> str:
    """The lines behind the overall verdict, gravest first."""
    parts = []
    for verdict in (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE):
        names = [line_row(line)["line"] for line in check.lines if line.finding.verdict is verdict]
        if names:
            separator = "、" if language() == "zh_CN" else ", "
            parts.append(tr("{verdict}: {lines}", verdict=verdict_word(verdict.value), lines=separator.join(names)))
    if not parts:
        return tr("The site keeps clear of every control line.")
    return ("；" if language() == "zh_CN" else "; ").join(parts)


def line_row(line: LineCheck) -> dict[str, Any]:
    """One control line as the tables show it; areas are those in breach."""
    finding, rule = line.finding, line.rule
    chinese = language() == "zh_CN"
    name = (rule.title_zh if chinese else rule.title) if rule else tr("Control line")
    measured = finding.unit == "m²" and finding.measured is not None
    return {
        "line": name,
        "layer": line.layer.name if line.layer else "–",
        "area": finding.measured if measured else None,
        "area_ellipsoidal": line.breach_ellipsoidal if measured else None,
        "inside": line.inside if line.layer else None,
        "inside_ellipsoidal": line.inside_ellipsoidal if line.layer else None,
        "verdict": finding.verdict.value,
        "verdict_word": verdict_word(finding.verdict.value),
        "message": finding_message(finding),
        "clause": f"{finding.standard} {finding.clause}".strip(),
        "uncertain": bool(rule) and not (rule is not None and rule.may_block),
        "blocking": finding.blocking,
        "borderline": finding.borderline,
    }


def _line_notes(check: SiteCheck) -> list[str]:
    areas = {gates(line.rule) for line in check.lines}
    notes = [
        tr("Pieces of at most {area} m² or {width} m mean width are left out and listed.", area=f"{area:g}",
           width=f"{width:g}")
        for area, width in sorted(areas)
    ]  # fmt: skip
    if any(line_row(line)["uncertain"] for line in check.lines):
        notes.append(
            tr("* The rule's text was not at hand in print or its confidence is not high: it warns and does not block"
               " until the city has confirmed it.")
        )  # fmt: skip
    return notes


def plan_tables(check: SiteCheck) -> list[dict[str, Any]]:
    """Per plan the land classes inside the site."""
    plans: dict[str, list[AreaRow]] = {}
    for row in check.areas:
        if row.kind == "plan":
            plans.setdefault(row.layer, []).append(row)
    tables = []
    for name, rows in plans.items():
        area, ellipsoidal = sum(row.area for row in rows), sum(row.area_ellipsoidal for row in rows)
        notes = []
        if check.unmapped.get(name):
            notes.append(
                tr("Without a counterpart in the 2023 guide: {values}", values=", ".join(check.unmapped[name]))
            )
        if area > check.site_area * (1 + 1e-6):
            notes.append(tr("Features of this plan overlap; the sum exceeds the site."))
        tables.append(
            {
                "name": name,
                "field": "",
                "rows": [_area_row(check, row) for row in rows],
                "area": area,
                "area_ellipsoidal": ellipsoidal,
                "share": area / check.site_area,
                "notes": notes,
            }
        )
    return tables


def _area_row(check: SiteCheck, row: AreaRow) -> dict[str, Any]:
    land = row.land
    label = land.label(language()) if land else tr("not covered by the plan")
    guide = " / ".join(land.codes) + (" *" if land.approximate else "") if land and land.mapped else "–"
    share = row.area / check.site_area
    return {"label": label, "guide": guide, "area": row.area, "area_ellipsoidal": row.area_ellipsoidal, "share": share}


def method(check: SiteCheck) -> list[tuple[str, str]]:
    """Where the site came from and how it was judged."""
    west, south, east, north = check.site.geometry.bounds
    return [
        (tr("Site"), check.site.name),
        (tr("Source"), check.site.source),
        (tr("Coordinate system"), check.crs),
        (tr("Extent"), f"X {south:,.2f} – {north:,.2f} · Y {west:,.2f} – {east:,.2f}"),
        (tr("Notes"), " ".join(word(code, _worded(params)) for code, params in check.site.notes)),
        (tr("Rules as of"), check.on),
        (tr("Declared purpose"), check.purpose),
    ]


def _worded(params: dict[str, Any]) -> dict[str, Any]:
    return {key: word(value) if key == "reason" else value for key, value in params.items()}


def _sketch(check: SiteCheck) -> str:
    west, south, east, north = check.site.geometry.bounds
    margin = 0.3 * max(east - west, north - south)
    layers = [
        SketchLayer(check.surroundings, "#F1F2F4", "#C9CFD6", 0.8),
        SketchLayer([check.site.geometry], "#E8F0FA", "#1F5FAE", 2.2, 0.8),
    ]
    for verdict in (Verdict.CANNOT_JUDGE, Verdict.NEEDS_CERTIFICATE, Verdict.FAIL):
        shapes = [spot.geometry for line in check.lines if line.finding.verdict is verdict for spot in line.counted]
        layers.append(SketchLayer(shapes, _COLOURS[verdict], _COLOURS[verdict], 1.2, 0.35))
    layers.append(SketchLayer([check.site.geometry], "none", "#1F5FAE", 2.2))
    return sketch_svg(layers, (west - margin, south - margin, east + margin, north + margin), height=560)


def _write_workbook(check: SiteCheck, path: Path, project: str) -> None:
    from planner_app.report.workbook import Column, Sheet, Summary, write_xlsx

    lines = [line_row(line) for line in check.lines]
    summary = Summary(
        tr("Summary"),
        tr("Site check report"),
        [
            (tr("Project"), project),
            (tr("Verdict"), verdict_word(check.verdict().value)),
            (tr("Control lines"), summary_sentence(check)),
            (tr("Site area, planar (m²)"), float(check.site_area)),
            (tr("Site area, ellipsoidal (m²)"), float(check.site_area_ellipsoidal)),
            ("", tr("Site and method")),
            *[line for line in method(check) if line[1]],
            (tr("Software"), f"Planner {__version__}"),
        ],
    )
    control = Sheet(
        tr("Control lines"),
        [
            Column(tr("Control line")), Column(tr("Layer")), Column(tr("Verdict")),
            Column(tr("In breach, planar (m²)"), "area"), Column(tr("In breach, ellipsoidal (m²)"), "area"),
            Column(tr("Inside, planar (m²)"), "area"),
            Column(tr("Inside, ellipsoidal (m²)"), "area"), Column(tr("Blocks approval")), Column(tr("Borderline")),
            Column(tr("Finding"), "wide"), Column(tr("Clause"), "wide"),
        ],
        [
            [row["line"], row["layer"], row["verdict_word"], row["area"], row["area_ellipsoidal"], row["inside"],
             row["inside_ellipsoidal"], _yes(row["blocking"]), _yes(row["borderline"]), row["message"], row["clause"]]
            for row in lines
        ],
    )  # fmt: skip
    classes = Sheet(
        tr("Land classes"),
        [
            Column(tr("Plan")), Column(tr("Land class"), "wide"), Column(tr("2023 guide")),
            Column(tr("Planar (m²)"), "area"), Column(tr("Ellipsoidal (m²)"), "area"), Column(tr("Share"), "share"),
        ],
        [
            [plan["name"], row["label"], row["guide"], row["area"], row["area_ellipsoidal"], row["share"]]
            for plan in plan_tables(check)
            for row in plan["rows"]
        ],
    )  # fmt: skip
    dropped: Sequence[Sequence[Any]] = [
        [row["line"], spot.area, spot.width]
        for line, row in zip(check.lines, lines, strict=True)
        for spot in line.dropped
    ]
    left_out = Sheet(
        tr("Dropped"),
        [Column(tr("Control line")), Column(tr("Area (m²)"), "area"), Column(tr("Width (m)"), "length")],
        dropped,
    )
    write_xlsx(summary, [control, classes, left_out], path)


def _yes(value: bool) -> str:
    return tr("yes") if value else ""
