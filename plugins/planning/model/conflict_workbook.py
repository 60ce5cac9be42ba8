"""The conflict report as a workbook: summary, by cause, by class, class areas, patches, dropped, repaired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from planner_app import __version__
from planner_app.i18n import tr
from planner_app.report.findings import verdict_word
from planner_app.report.workbook import Column, Sheet, Summary, write_xlsx
from plugins.planning.model.conflict_report import ConflictReport
from plugins.planning.model.conflict_tables import (
    cause_rows,
    class_rows,
    gate_word,
    method,
    repaired_rows,
    side_facts,
)
from plugins.planning.model.wording import cause_word, decision_word, severity_word


def write_conflict_workbook(report: ConflictReport, path: Path) -> None:
    """Write all of a report's tables with unrounded numbers.

    Raises:
        PlannerError: ``report.not_written``, ``report.too_many_rows``.
    """
    run = report.run
    classes = [
        Column(tr("Plan A")), Column(tr("Plan B")), Column(tr("Pairs"), "count"), Column(tr("Patches"), "count"),
        Column(tr("Area (m²)"), "area"), Column(tr("Share"), "share"), Column(tr("Verdict")),
        Column(tr("Reason"), "wide"), Column(tr("Clause"), "wide"),
    ]  # fmt: skip
    causes = [
        Column(tr("Cause")), Column(tr("Patches"), "count"), Column(tr("Pairs"), "count"),
        Column(tr("Area (m²)"), "area"), Column(tr("Share"), "share"),
    ]  # fmt: skip
    sheets = [
        Sheet(tr("By cause"), causes, (
            [row["name"], row["patches"], row["pairs"], row["area"], row["share"]] for row in cause_rows(report)
        )),
        Sheet(tr("By class"), classes, (
            [row["a"], row["b"], row["pairs"], row["patches"], row["area"], row["share"], row["verdict_word"],
             row["reason"], row["clause"]]
            for row in class_rows(report)
        )),
        Sheet(
            tr("Class areas"),
            [Column(tr("Plan A"), "wide"), Column(tr("Plan B"), "wide"), Column(tr("Planar (m²)"), "area")],
            (
                [_label(report, "a", row), _label(report, "b", column), area]
                for row, column, area in sorted(run["class_areas"], key=lambda cell: -cell[2])
            ),
            [tr("Every overlap is included, whatever its classes and size.")],
        ),
        Sheet(tr("Patches"), _patch_columns(), _patches(report)),
        Sheet(
            tr("Dropped"),
            [
                Column(tr("Feature of A"), "count"), Column(tr("Feature of B"), "count"), Column(tr("Plan A")),
                Column(tr("Plan B")), Column(tr("Area (m²)"), "area"), Column(tr("Width (m)"), "length"),
                Column(tr("Left out by")),
            ],
            (
                [a, b, report.label("a", one), report.label("b", other), area, width, gate_word(why)]
                for a, b, one, other, area, width, why in run["dropped"]
            ),
            [tr("{count} pairs, {area} m² in all.", count=run["dropped_pairs"], area=f"{run['dropped_area']:.3f}")],
        ),
        Sheet(
            tr("Repaired"),
            [Column(tr("Plan")), Column(tr("Feature"), "count"), Column(tr("Outcome")), Column(tr("Reason"), "wide")],
            ([row["plan"], row["fid"], row["outcome"], row["reason"]] for row in repaired_rows(report)),
        ),
    ]  # fmt: skip
    write_xlsx(_summary(report), sheets, path)


def _label(report: ConflictReport, key: str, index: int) -> str:
    return report.label(key, report.run[key]["classes"][index])


def _summary(report: ConflictReport) -> Summary:
    run = report.run
    lines: list[tuple[str, Any]] = [(tr("Project"), report.project)]
    for key in ("a", "b"):
        side = side_facts(report, key)
        lines += [
            ("", f"{side['letter']}  {side['name']}"),
            *((label, value) for label, value in side["facts"] if value),
        ]
        if run[key]["unmapped"]:
            lines.append((tr("Without a counterpart"), ", ".join(run[key]["unmapped"])))
    lines += [
        ("", tr("Result")),
        (tr("patches"), len(report.columns["code"])),
        (tr("pairs of features"), int(run["pairs"])),
        (tr("Planar (m²)"), float(sum(report.columns["area_m2"]))),
        (tr("Ellipsoidal (m²)"), float(sum(report.columns["area_ellipsoidal_m2"]))),
        (tr("Dropped pairs"), int(run["dropped_pairs"])),
        (tr("Dropped area (m²)"), float(run["dropped_area"])),
        ("", tr("How this was computed")),
        *method(report),
        (tr("Software"), f"Planner {__version__}"),
    ]
    return Summary(tr("Summary"), tr("Plan conflict report"), lines)


def _patch_columns() -> list[Column]:
    return [
        Column(tr("No.")), Column(tr("Cause")), Column(tr("Plan A")), Column(tr("Plan B")),
        Column(tr("Planar (m²)"), "area"), Column(tr("Ellipsoidal (m²)"), "area"), Column(tr("Width (m)"), "length"),
        Column(tr("Verdict")), Column(tr("Severity")), Column(tr("Reason"), "wide"), Column(tr("Clause"), "wide"),
        Column(tr("Decision")), Column(tr("Ground"), "wide"), Column(tr("Decided by")), Column(tr("Decided at")),
        Column(tr("Feature of A"), "count"), Column(tr("Feature of B"), "count"),
    ]  # fmt: skip


def _patches(report: ConflictReport) -> Iterator[list[Any]]:
    columns = report.columns
    for row in report.order():
        yield [
            columns["code"][row],
            cause_word(columns["cause"][row]),
            report.label("a", columns["a_class"][row]),
            report.label("b", columns["b_class"][row]),
            columns["area_m2"][row],
            columns["area_ellipsoidal_m2"][row],
            columns["width_m"][row],
            verdict_word(columns["verdict"][row]),
            severity_word(columns["severity"][row] or ""),
            report.reason(row),
            columns["clause"][row] or "",
            decision_word(columns["decision"][row]),
            columns["ground"][row] or "",
            columns["decided_by"][row] or "",
            columns["decided_at"][row] or "",
            columns["a_fid"][row],
            columns["b_fid"][row],
        ]
