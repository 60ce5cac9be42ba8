"""The rows of a conflict report that the printed one and the workbook share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from planner_app.i18n import tr, word
from planner_app.report.document import number
from planner_app.report.findings import verdict_word
from plugins.planning.model.causes import CAUSES
from plugins.planning.model.conflict_report import ConflictReport
from plugins.planning.model.conflict_result import GRAVITY
from plugins.planning.model.result_layer import CAUSE_COLOURS
from plugins.planning.model.wording import cause_word, kind_word, standard_word

DECISIONS = ("", "a_yields", "b_yields", "no_conflict", "pending")


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
                "colour": CAUSE_COLOURS[cause],
                "patches": len(mine),
                "pairs": len({_pair(report, row) for row in mine}),
                "area": area,
                "share": area / total,
                "decisions": decision_counts(report, mine),
            }
        )
    return rows


def _pair(report: ConflictReport, row: int) -> tuple[Any, Any]:
    return report.columns["a_fid"][row], report.columns["b_fid"][row]


def decision_counts(report: ConflictReport, rows: Sequence[int]) -> list[int]:
    """How many of some patches were decided how, in the order of ``DECISIONS``."""
    found = Counter(report.columns["decision"][row] or "" for row in rows)
    return [found.get(name, 0) for name in DECISIONS]


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


def shortened(values: Sequence[str], most: int = 30) -> str:
    """A list for a sentence, cut with the number left out."""
    text = ", ".join(values[:most])
    return text if len(values) <= most else tr("{values} and {count} more", values=text, count=len(values) - most)


def gate_word(why: str) -> str:
    """Which gate left a pair out."""
    return tr("area") if why == "area" else tr("width")


def repaired_rows(report: ConflictReport) -> list[dict[str, Any]]:
    """What was repaired or rejected before comparing, both plans."""
    run = report.run
    return [
        {"plan": run[key]["name"], "fid": fid, "outcome": outcome, "reason": word(reason)}
        for what, outcome in (("rejected", tr("rejected")), ("repaired", tr("repaired")))
        for key in ("a", "b")
        for fid, reason in run[what][key]
    ]


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
