"""The printed conflict report: what the template ``conflicts.html`` shows."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from planner_app import __version__
from planner_app.i18n import language, tr
from planner_app.report.document import hectares, number
from planner_app.report.findings import verdict_word
from planner_app.report.sketch import SketchLayer, sketch_svg
from plugins.planning.model.causes import Cause
from plugins.planning.model.conflict_report import ConflictReport
from plugins.planning.model.conflict_tables import (
    DECISIONS,
    cause_rows,
    class_rows,
    decision_counts,
    gate_word,
    method,
    repaired_rows,
    shortened,
    side_facts,
)
from plugins.planning.model.crosswalk import SAME, LandClass, relate
from plugins.planning.model.result_layer import CAUSE_COLOURS
from plugins.planning.model.wording import cause_word, decision_word

_COLOURS = {cause.value: colour for cause, colour in CAUSE_COLOURS.items()}
#: Rows that a printed report lists; the workbook has all of them.
_MOST_PATCHES, _MOST_CLASSES, _MOST_DROPPED, _MOST_REPAIRED = 120, 40, 20, 20
_GRID_ROWS, _GRID_COLUMNS = 14, 9


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
        "figures": _figures(report),
        "causes": cause_rows(report),
        "total": _total(report),
        "decision_names": [decision_word(name) for name in DECISIONS],
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


def _figures(report: ConflictReport) -> list[dict[str, str]]:
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


def _total(report: ConflictReport) -> dict[str, Any]:
    rows = range(len(report.columns["code"]))
    return {
        "patches": len(rows),
        "pairs": report.run["pairs"],
        "area": sum(report.areas()),
        "decisions": decision_counts(report, rows),
    }


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


def _dropped(report: ConflictReport, row: list[Any]) -> dict[str, Any]:
    a_fid, b_fid, a_class, b_class, area, width, why = row
    classes = f"{report.label('a', a_class)} × {report.label('b', b_class)}"
    return {"a_fid": a_fid, "b_fid": b_fid, "classes": classes, "area": area, "width": width, "why": gate_word(why)}


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
