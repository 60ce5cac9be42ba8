"""The report of a conflict check, from a fresh result or from a result layer with people's decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app import __version__
from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Project
from planner_app.report.document import hectares, number
from planner_app.report.findings import verdict_word
from planner_app.report.sketch import SketchLayer, sketch_svg
from plugins.planning.model.causes import CAUSES, Cause
from plugins.planning.model.conflict_result import GRAVITY, NO_CLASS, ConflictResult
from plugins.planning.model.crosswalk import MAPPING_SETTING, SAME, Crosswalk, LandClass, read_mapping, relate
from plugins.planning.model.matrix import OUTSIDE
from plugins.planning.model.result_layer import CAUSE_COLOURS, FIELDS, metadata, patch_columns, read_metadata
from plugins.planning.model.wording import cause_word, decision_word, kind_word, standard_word

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_COLOURS = {cause.value: colour for cause, colour in CAUSE_COLOURS.items()}
#: Rows that a printed report lists; the workbook has all of them.
_MOST_PATCHES, _MOST_CLASSES, _MOST_DROPPED, _MOST_REPAIRED = 120, 40, 20, 20
_GRID_ROWS, _GRID_COLUMNS = 14, 9
_DECIDED = ("", "a_yields", "b_yields", "no_conflict", "pending")


@dataclass(slots=True)
class ConflictReport:
    """All that a report shows.

    Attributes:
        project: the project's name; run: what was compared (``result_layer.metadata``).
        columns: the patches, fields of ``result_layer.FIELDS``; geometry: their shapes, same order, largest first.
        backdrop: outlines of the first plan for the sketch map, may be empty.
    """

    project: str
    run: dict[str, Any]
    columns: dict[str, list[Any]]
    geometry: NDArray[np.object_]
    crosswalk: Crosswalk
    backdrop: NDArray[np.object_]
    _labels: dict[tuple[str, str | None, str], str] = field(default_factory=dict)

    @classmethod
    def of_result(cls, project: Project, result: ConflictResult) -> ConflictReport:
        """From a result that may not have been saved."""
        columns = patch_columns(result, language())
        return cls(
            project.name, metadata(result), columns, result.patches.geometry, _crosswalk(project), result.a.geometry
        )

    @classmethod
    def of_layer(cls, project: Project, layer_id: str) -> ConflictReport:
        """From a saved result, with its decisions.

        Raises:
            PlannerError: ``planning.not_conflicts``.
        """
        run = read_metadata(project, layer_id)
        layer = project.layer(layer_id)
        table = project.read(layer.id, columns=[info.name for info in FIELDS])
        shapes = shapely.from_wkb(table.geometry)
        order = np.argsort(-np.asarray(table.columns["area_m2"], dtype=float), kind="stable")
        columns = {name: [values[row] for row in order] for name, values in table.columns.items()}
        backdrop = np.zeros(0, dtype=object)
        if any(one.id == run["a"]["layer"] for one in project.layers()):
            backdrop = shapely.from_wkb(project.read(run["a"]["layer"], columns=[]).geometry)
        return cls(project.name, run, columns, shapes[order], _crosswalk(project), backdrop)

    def label(self, key: str, raw: str | None) -> str:
        """A class of side ``a`` or ``b`` with its name in the chosen language."""
        if raw == OUTSIDE:
            return tr("outside the boundary")
        known = (key, raw, language())
        if known not in self._labels:
            land = self.crosswalk.classify(None if raw == NO_CLASS else raw, self.run[key]["standard"])
            self._labels[known] = land.label(language())
        return self._labels[known]

    def reason(self, row: int) -> str:
        """Why a patch has its verdict, in the chosen language whatever the layer was saved in."""
        kept = self.columns["reason"][row] or ""
        chinese = language() == "zh_CN"
        return next((str(pair[chinese]) for pair in self.run["reasons"] if kept in pair), kept)

    def order(self) -> list[int]:
        """Rows as a reader wants them: true conflicts first, gravest verdicts first, largest first."""
        causes, verdicts, areas = self.columns["cause"], self.columns["verdict"], self.areas()
        rank = [cause.value for cause in (Cause.TRUE_CONFLICT, Cause.OUTDATED_VERSION, *CAUSES)]
        return sorted(
            range(len(areas)), key=lambda row: (rank.index(causes[row]), GRAVITY.index(verdicts[row]), -areas[row])
        )

    def areas(self) -> list[float]:
        """Area of each patch on the run's basis, m²."""
        planar = self.run["options"]["basis"] == "planar"
        return self.columns["area_m2" if planar else "area_ellipsoidal_m2"]


def _crosswalk(project: Project) -> Crosswalk:
    return Crosswalk(read_mapping(project.setting(MAPPING_SETTING, "")))


def write_conflict_report(report: ConflictReport, path: Path, map_png: bytes | None = None) -> None:
    """Write the report as .pdf, .html or .xlsx.

    Args:
        report: what to print.
        path: where to; the suffix decides.
        map_png: a map picture by the engine; without it a sketch of the patches is drawn.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``.
    """
    from planner_app.report.document import render_html, write_html, write_pdf

    suffix = path.suffix.casefold()
    if suffix == ".xlsx":
        from plugins.planning.model.conflict_workbook import write_conflict_workbook

        write_conflict_workbook(report, path)
    elif suffix in (".pdf", ".html"):
        html = render_html("conflicts.html", template_values(report, map_png), [TEMPLATES])
        (write_pdf if suffix == ".pdf" else write_html)(html, path)
    else:
        raise PlannerError("report.format_unknown", file=path.name, known=".pdf, .html, .xlsx")


def template_values(report: ConflictReport, map_png: bytes | None) -> dict[str, Any]:
    """What the template ``conflicts.html`` shows, worded in the chosen language."""
    run, columns = report.run, report.columns
    made = datetime.now(UTC).astimezone()
    classes = class_rows(report)
    dropped = run["dropped"][:_MOST_DROPPED]
    repaired = list(repaired_rows(report))
    count = len(columns["code"])
    return {
        "title": tr("Plan conflict report"),
        "project": report.project,
        "subtitle": tr(
            "{a} × {b} · {crs} · {date}",
            a=run["a"]["name"], b=run["b"]["name"], crs=run["crs"], date=made.strftime("%Y-%m-%d"),
        ),
        "foot": tr("Made {date} · Planner {version}", date=made.strftime("%Y-%m-%d %H:%M"), version=__version__),
        "sides": [side_facts(report, key) for key in ("a", "b")],
        "figures": figures(report),
        "causes": cause_rows(report),
        "total": _total(report),
        "decision_names": [decision_word(name) for name in _DECIDED],
        "cause_note": tr(
            "A boundary sliver is a patch along a shared boundary narrower than {width} m on average, long for its"
            " width, and small against both features.",
            width=f"{run['options']['sliver_width']:g}",
        ),
        "map_png": map_png,
        "map_svg": "" if map_png else _sketch(report),
        "map_caption": tr("Patches by cause; colours as in the bar above."),
        "class_rows": classes[:_MOST_CLASSES],
        "class_total": len(classes),
        "class_notes": _class_notes(report, classes),
        "grid": _grid(report),
        "patches": [_patch(report, row) for row in report.order()[:_MOST_PATCHES]],
        "patch_count": number(count),
        "patch_note": ""
        if count <= _MOST_PATCHES
        else tr(
            "The first {shown} of {count} patches, true conflicts first; the workbook lists all.",
            shown=_MOST_PATCHES, count=number(count),
        ),
        "ledger": _ledger(report),
        "dropped": [_dropped(report, row) for row in dropped],
        "dropped_note": ""
        if run["dropped_pairs"] <= len(dropped)
        else tr("The {shown} largest of {count}; see the workbook.", shown=len(dropped), count=run["dropped_pairs"]),
        "repaired": repaired[:_MOST_REPAIRED],
        "repaired_note": ""
        if len(repaired) <= _MOST_REPAIRED
        else tr("{shown} of {count}; see the workbook.", shown=_MOST_REPAIRED, count=len(repaired)),
        "method": method(report),
    }  # fmt: skip


def side_facts(report: ConflictReport, key: str) -> dict[str, Any]:
    """Name and facts of one plan, as the title block shows them."""
    side = report.run[key]
    validity = " – ".join(part or "…" for part in (side["valid_from"], side["valid_to"]))
    return {
        "letter": tr("A") if key == "a" else tr("B"),
        "name": side["name"],
        "facts": [
            (tr("Plan"), side["plan"] if side["plan"] != side["name"] else ""),
            (tr("Kind"), kind_word(side["kind"])),
            (tr("Authority"), side["authority"]),
            (tr("Version"), side["version"]),
            (tr("Valid"), validity if side["valid_from"] or side["valid_to"] else ""),
            (tr("Replaced by"), side["newer"]),
            (tr("Class field"), side["field"]),
            (tr("Class standard"), standard_word(side["standard"])),
            (tr("Features"), number(side["features"])),
            (tr("Source"), Path(side["source"]).name),
        ],
    }


def figures(report: ConflictReport) -> list[dict[str, str]]:
    """The key figures."""
    decided = sum(1 for decision in report.columns["decision"] if decision and decision != "pending")
    count = len(report.columns["code"])
    planar = report.run["options"]["basis"] == "planar"
    true = sum(
        area
        for area, cause in zip(report.areas(), report.columns["cause"], strict=True)
        if cause == Cause.TRUE_CONFLICT
    )
    return [
        {"value": number(count), "unit": "", "label": tr("patches")},
        {"value": hectares(true), "unit": "ha", "label": tr("true conflicts")},
        {
            "value": hectares(sum(report.areas())),
            "unit": "ha",
            "label": tr("planar area") if planar else tr("ellipsoidal area"),
        },
        {"value": f"{number(decided)} / {number(count)}", "unit": "", "label": tr("decided")},
    ]


def cause_rows(report: ConflictReport) -> list[dict[str, Any]]:
    """Sums per cause, with how many patches were decided how."""
    areas, total = report.areas(), sum(report.areas()) or 1.0
    by_cause: dict[str, list[int]] = defaultdict(list)
    for row, cause in enumerate(report.columns["cause"]):
        by_cause[cause].append(row)
    rows = []
    for cause in CAUSES:
        mine = by_cause.get(cause.value, [])
        if not mine and cause.value == "same_class":
            continue
        area = sum(areas[row] for row in mine)
        rows.append(
            {
                "name": cause_word(cause.value),
                "colour": _COLOURS[cause.value],
                "patches": len(mine),
                "pairs": len({_pair(report, row) for row in mine}),
                "area": area,
                "share": area / total,
                "decisions": _decisions(report, mine),
            }
        )
    return rows


def _pair(report: ConflictReport, row: int) -> tuple[Any, Any]:
    return report.columns["a_fid"][row], report.columns["b_fid"][row]


def _decisions(report: ConflictReport, rows: Sequence[int]) -> list[int]:
    found = Counter(report.columns["decision"][row] or "" for row in rows)
    return [found.get(name, 0) for name in _DECIDED]


def _total(report: ConflictReport) -> dict[str, Any]:
    rows = range(len(report.columns["code"]))
    return {
        "patches": len(rows),
        "pairs": report.run["pairs"],
        "area": sum(report.areas()),
        "decisions": _decisions(report, rows),
    }


def class_rows(report: ConflictReport) -> list[dict[str, Any]]:
    """Sums per pair of classes, gravest verdict first, then largest."""
    columns, areas = report.columns, report.areas()
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, pair in enumerate(zip(columns["a_class"], columns["b_class"], strict=True)):
        groups[pair].append(row)
    total = sum(areas) or 1.0
    rows = []
    for (a, b), mine in groups.items():
        gravest = min(mine, key=lambda row: GRAVITY.index(columns["verdict"][row]))
        area = sum(areas[row] for row in mine)
        rows.append(
            {
                "a": report.label("a", a),
                "b": report.label("b", b),
                "pairs": len({_pair(report, row) for row in mine}),
                "patches": len(mine),
                "area": area,
                "share": area / total,
                "verdict": columns["verdict"][gravest],
                "verdict_word": verdict_word(columns["verdict"][gravest]),
                "reason": report.reason(gravest),
                "clause": columns["clause"][gravest] or "",
                "uncertain": bool(columns["clause"][gravest]) and columns["confidence"][gravest] != "high",
            }
        )
    return sorted(rows, key=lambda row: (GRAVITY.index(str(row["verdict"])), -float(row["area"])))


def _class_notes(report: ConflictReport, rows: list[dict[str, Any]]) -> list[str]:
    notes = []
    if len(rows) > _MOST_CLASSES:
        notes.append(
            tr("The first {shown} of {count} pairs of classes, gravest first; the workbook lists all.",
               shown=_MOST_CLASSES, count=number(len(rows)))
        )  # fmt: skip
    if any(row["uncertain"] for row in rows[:_MOST_CLASSES]):
        notes.append(tr("* Clause from memory: check the printed standard before relying on it."))
    for key in ("a", "b"):
        unmapped = report.run[key]["unmapped"]
        if unmapped:
            notes.append(
                tr("Plan {letter}: {count} class values without a counterpart in the 2023 guide, never taken as equal:"
                   " {values}", letter=tr(key.upper()), count=len(unmapped), values=shortened(unmapped))
            )  # fmt: skip
    return notes


def shortened(values: Sequence[str], most: int = 30) -> str:
    """A list for a sentence, cut with the number left out."""
    text = ", ".join(values[:most])
    return text if len(values) <= most else tr("{values} and {count} more", values=text, count=len(values) - most)


def _grid(report: ConflictReport) -> dict[str, Any]:
    """The largest classes of both plans against each other, ha; equal classes are greyed."""
    run = report.run
    table: dict[tuple[int, int], float] = {(row, column): area for row, column, area in run["class_areas"]}
    names = {key: run[key]["classes"] for key in ("a", "b")}
    rows = _largest([cell[0] for cell in table], list(table.values()), _GRID_ROWS)
    columns = _largest([cell[1] for cell in table], list(table.values()), _GRID_COLUMNS)
    lands: dict[tuple[str, int], LandClass] = {
        (key, index): report.crosswalk.classify(names[key][index], run[key]["standard"])
        for key, chosen in (("a", rows), ("b", columns))
        for index in chosen
    }
    shown = []
    for row in rows:
        cells = []
        for column in columns:
            area = table.get((row, column), 0.0)
            same = relate(lands["a", row], lands["b", column]) == SAME
            look = "none" if area <= 0 else "same" if same else ""
            cells.append({"text": hectares(area) if area > 0 else "·", "look": look})
        shown.append({"label": lands["a", row].label(language()), "cells": cells})
    left = len({row for row, _ in table}) - len(rows) + len({column for _, column in table}) - len(columns)
    note = tr("Rows: plan A; columns: plan B; planar, every overlap included. Grey: equal classes.")
    if left > 0:
        note += " " + tr("{count} smaller classes are in the workbook.", count=left)
    return {"columns": [lands["b", column].label(language()) for column in columns], "rows": shown, "note": note}


def _largest(index: list[int], areas: list[float], most: int) -> list[int]:
    sums: dict[int, float] = defaultdict(float)
    for number_, area in zip(index, areas, strict=True):
        sums[number_] += area
    return sorted(sums, key=lambda one: -sums[one])[:most]


def _patch(report: ConflictReport, row: int) -> dict[str, Any]:
    columns = report.columns
    return {
        "code": columns["code"][row],
        "cause": cause_word(columns["cause"][row]),
        "colour": _COLOURS[columns["cause"][row]],
        "a": report.label("a", columns["a_class"][row]),
        "b": report.label("b", columns["b_class"][row]),
        "area": columns["area_m2"][row],
        "area_ellipsoidal": columns["area_ellipsoidal_m2"][row],
        "width": columns["width_m"][row],
        "verdict": columns["verdict"][row],
        "verdict_word": verdict_word(columns["verdict"][row]),
        "decision": decision_word(columns["decision"][row]),
        "ground": columns["ground"][row] or "",
        "clause": columns["clause"][row] or "",
        "reason": report.reason(row),
    }


def gate_word(why: str) -> str:
    """Which gate left a pair out."""
    return tr("area") if why == "area" else tr("width")


def _dropped(report: ConflictReport, row: list[Any]) -> dict[str, Any]:
    a_fid, b_fid, a_class, b_class, area, width, why = row
    classes = f"{report.label('a', a_class)} × {report.label('b', b_class)}"
    return {"a_fid": a_fid, "b_fid": b_fid, "classes": classes, "area": area, "width": width, "why": gate_word(why)}


def repaired_rows(report: ConflictReport) -> list[dict[str, Any]]:
    """What was repaired or rejected before comparing, both plans."""
    run = report.run
    return [
        {"plan": run[key]["name"], "fid": fid, "outcome": outcome, "reason": word(reason)}
        for what, outcome in (("rejected", tr("rejected")), ("repaired", tr("repaired")))
        for key in ("a", "b")
        for fid, reason in run[what][key]
    ]


def _ledger(report: ConflictReport) -> list[str]:
    run, options = report.run, report.run["options"]
    repaired = sum(len(rows) for rows in run["repaired"].values())
    rejected = sum(len(rows) for rows in run["rejected"].values())
    lines = [
        tr("Pairs sharing less than {area} m² or narrower than {width} m were left out: {count} pairs, {sum} m².",
           area=f"{options['min_area']:g}", width=f"{options['min_width']:g}", count=number(run["dropped_pairs"]),
           sum=number(run["dropped_area"], 3)),
    ]  # fmt: skip
    if repaired or rejected:
        lines.append(
            tr("{repaired} geometries were repaired before comparing, {rejected} had no area and were rejected.",
               repaired=number(repaired), rejected=number(rejected))
        )  # fmt: skip
    else:
        lines.append(tr("No geometry had to be repaired."))
    return lines


def method(report: ConflictReport) -> list[tuple[str, str]]:
    """Options and versions by which the result can be computed again."""
    run, options = report.run, report.run["options"]
    if options["every_pair"]:
        scope = tr("every pair that shares ground")
    elif options["matrix"]:
        scope = tr("pairs that the conflict matrix calls a conflict")
    else:
        scope = tr("pairs of different class after the crosswalk")
    basis = tr("planar, in the project's coordinate system")
    if options["basis"] == "ellipsoidal":
        basis = tr("ellipsoidal")
    return [
        (tr("Compared"), scope),
        (tr("Conflict matrix"), f"{run['matrix']['name']} {run['matrix']['edition']}".strip()),
        (tr("Area basis"), basis),
        (tr("Coordinate system"), run["crs"]),
        (tr("Rules as of"), options["on"]),
        (tr("Computed"), tr("{at} in {seconds} s", at=_moment(run["at"]), seconds=number(run["seconds"], 1))),
        (tr("Content of A"), "SHA-256 " + run["a"]["content"][:16]),
        (tr("Content of B"), "SHA-256 " + run["b"]["content"][:16]),
        (tr("Width of a patch"), tr("2 × area ÷ perimeter")),
    ]


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M")


def _sketch(report: ConflictReport) -> str:
    shapes = report.geometry
    frame = shapes if len(shapes) else report.backdrop
    frame = frame[~shapely.is_missing(frame)] if len(frame) else frame
    if not len(frame):
        return ""
    bounds = shapely.total_bounds(frame)
    west, south, east, north = (float(value) for value in bounds)
    causes = np.array(report.columns["cause"], dtype=object)
    layers = [SketchLayer(list(report.backdrop), stroke="#C9CFD6", stroke_width=0.5)]
    for name, colour in reversed(_COLOURS.items()):
        layers.append(SketchLayer(list(shapes[causes == name]), colour, colour, 0.9, 0.62))
    return sketch_svg(layers, (west, south, east, north), height=545)
