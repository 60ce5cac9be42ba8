"""The clearance report as a workbook, a table of text or a printed paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Project
from planner_app.report.findings import verdict_word
from plugins.tunnel.model.clearance.report import Pair, Report
from plugins.tunnel.model.clearance.verbs import pair_json, zone_json

#: Pairs printed on paper; all of them are in the workbook.
_MOST_PRINTED = 400


def write_clearance(project: Project, report: Report, pairs: Sequence[Pair], path: Path, map_png: bytes = b"") -> None:
    """Write pairs of a report by the file's suffix: .xlsx, .csv or .pdf.

    Raises:
        PlannerError: ``report.not_written``, ``tunnel.export_kind``.
    """
    rows = [pair_json(one) for one in pairs]
    zones = [zone_json(one) for one in report.zones]
    notes = [word(code, params) for code, params in report.notes]
    writers = {".xlsx": _workbook, ".csv": _csv, ".pdf": _paper}
    writer = writers.get(path.suffix.casefold())
    if writer is None:
        raise PlannerError("tunnel.export_kind", suffix=path.suffix or "–", known=", ".join(writers))
    writer(project, rows, zones, notes, path, map_png)


def _heads() -> list[str]:
    return [
        tr("A"), tr("B"), tr("Plan (m)"), tr("Vertical (m)"), tr("True (m)"), tr("Required (m)"), tr("Verdict"),
        tr("Clause"), tr("Easting"), tr("Northing"), tr("Judgement"),
    ]  # fmt: skip


def _cells(row: dict[str, Any]) -> list[Any]:
    clause = f"{row['standard']} {row['clause']}".strip()
    return [
        row["a"], row["b"], row["plan_m"], row["vertical_m"], row["true_m"], row["required_m"],
        verdict_word(row["verdict"]), clause, *row["where"], row["message"],
    ]  # fmt: skip


def _zone_heads() -> list[str]:
    return [
        tr("Planned work"), tr("Layer"), tr("Tunnel"), tr("Protection zone"), tr("Distance (m)"), tr("From (m)"),
        tr("To (m)"), tr("Needed"), tr("Monitoring"), tr("Clause"),
    ]  # fmt: skip


def _zone_cells(row: dict[str, Any]) -> list[Any]:
    watch = row["monitoring"]
    points = tr("{what}, {count} points every {m} m", what=tr(", ").join(q["title"] for q in watch["quantities"]),
                count=len(watch["points"]), m=f"{watch['spacing_m']:g}")  # fmt: skip
    return [
        row["name"] or row["feature"], row["layer"], row["tunnel"].removeprefix("tunnel:"), row["title"],
        row["distance_m"], row["from_m"], row["to_m"], tr(", ").join(one["title"] for one in row["approvals"]), points,
        f"{row['standard']} {row['clause']}",
    ]  # fmt: skip


def _workbook(
    project: Project, rows: Sequence[Any], zones: Sequence[Any], notes: Sequence[str], path: Path, _map: bytes
) -> None:
    from planner_app.report.workbook import Column, Kind, Sheet, Summary, write_xlsx

    wide: dict[int, Kind] = {7: "wide", 10: "wide", **dict.fromkeys((2, 3, 4, 5, 8, 9), "length")}
    columns = [Column(head, wide.get(at, "text")) for at, head in enumerate(_heads())]
    kinds: dict[int, Kind] = {7: "wide", 8: "wide", **dict.fromkeys((4, 5, 6), "length")}
    zone_columns = [Column(head, kinds.get(at, "text")) for at, head in enumerate(_zone_heads())]
    lines: list[tuple[str, Any]] = [(tr("Project"), project.name), (tr("Pairs"), len(rows))]
    lines += [(verdict_word(one), sum(row["verdict"] == one for row in rows)) for one in _VERDICTS]
    lines += [(tr("Works in zones"), len(zones)), ("", tr("Notes")), *((tr("Note"), note) for note in notes)]
    sheets = [
        Sheet(tr("Clearances"), columns, (_cells(row) for row in rows)),
        Sheet(tr("Works in zones"), zone_columns, (_zone_cells(row) for row in zones)),
    ]
    write_xlsx(Summary(tr("Summary"), tr("Clearances of pipes and tunnels"), lines), sheets, path)


_VERDICTS = ("fail", "needs_certificate", "cannot_judge", "pass")


def _csv(
    _project: Project, rows: Sequence[Any], _zones: Sequence[Any], _notes: Sequence[str], path: Path, _map: bytes
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_heads())
    writer.writerows(["" if cell is None else cell for cell in _cells(row)] for row in rows)
    try:
        path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error


def _paper(
    project: Project, rows: Sequence[Any], zones: Sequence[Any], notes: Sequence[str], path: Path, map_png: bytes
) -> None:
    from planner_app.report.paper import Block, Cell, Column, Facts, Heading, Paper, Picture, Table, Text, write_paper

    def metres(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    counts = [(verdict_word(one), f"{sum(row['verdict'] == one for row in rows):,}") for one in _VERDICTS]
    blocks: list[Block] = [Facts([(tr("Pairs"), f"{len(rows):,}"), *counts, (tr("Works in zones"), str(len(zones)))])]
    if map_png:
        blocks.append(Picture(tr("Pairs that fail or need a certificate"), png=map_png))
    if zones:
        blocks.append(Heading(tr("Works in zones"), str(len(zones))))
        shown = [_zone_cells(row) for row in zones]
        heads = [
            Column(tr("Planned work"), 18), Column(tr("Tunnel"), 10), Column(tr("Protection zone"), 18),
            Column(tr("Distance (m)"), 10, "right"), Column(tr("Needed"), 24), Column(tr("Monitoring"), 20),
        ]  # fmt: skip
        blocks.append(Table(heads, [[c[0], c[2], c[3], metres(c[4]), c[7], c[8]] for c in shown]))
    blocks.append(Heading(tr("Clearances"), f"{len(rows):,}"))
    columns = [Column(tr("A"), 13), Column(tr("B"), 13), Column(tr("Plan (m)"), 8, "right"),
               Column(tr("Vertical (m)"), 8, "right"), Column(tr("True (m)"), 8, "right"),
               Column(tr("Required (m)"), 9, "right"), Column(tr("Verdict"), 13), Column(tr("Clause"), 28)]  # fmt: skip
    table = [
        [
            row["a"].partition(":")[2] or row["a"], row["b"].partition(":")[2] or row["b"],
            *(metres(row[key]) for key in ("plan_m", "vertical_m", "true_m", "required_m")),
            Cell(verdict_word(row["verdict"]), tone=row["verdict"]), f"{row['standard']} {row['clause']}",
        ]
        for row in rows[:_MOST_PRINTED]
    ]  # fmt: skip
    blocks.append(Table(columns, table, empty=tr("No pair lies so near.")))
    if len(rows) > _MOST_PRINTED:
        blocks.append(Text(tr("{count} more pairs: see the workbook.", count=len(rows) - _MOST_PRINTED), "note"))
    blocks += [Text(note, "note") for note in notes]
    write_paper(Paper(tr("Clearances of pipes and tunnels"), blocks, over=project.name), path)
