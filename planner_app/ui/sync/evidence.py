"""The server's log as evidence: who changed what, when, from where, why, each revision with its place in the chain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.i18n import tr
from planner_app.sync.types import Head, HistoryRow, Revision
from planner_app.ui.sync.audit import (
    Change,
    History,
    Subject,
    operation_word,
    origin,
    read_changes,
    read_changes_of,
    why,
)
from planner_app.ui.sync.status import long_time

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.project import Project
    from planner_app.sync.transport import Transport


#: Records of a revision that are read: what the server gives at once. Lines of a revision in a PDF: a layer that was
#: brought whole would fill a thousand pages.
MOST, MOST_LINES = 100_000, 500


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is written down, as it was read from the server.

    Attributes:
        head: where the project stood; before: chain value before each revision, by its number.
        rows: records changed, by revision (of the subject); changes: the same cell by cell, in words.
    """

    project: str
    uuid: str
    server: str
    user: str
    time: str
    subject: Subject
    head: Head
    revisions: tuple[Revision, ...]
    before: Mapping[int, str]
    rows: Mapping[int, Sequence[HistoryRow]]
    changes: Mapping[int, Sequence[Change]]


def gather(
    transport: Transport,
    project: Project,
    uuid: str,
    layers: Mapping[str, LayerInfo],
    server: str,
    history: History,
    progress: Progress,
) -> Evidence:
    """Read what belongs to these revisions; for the line's thread.

    Args:
        uuid: of the project on the server; layers: by UUID.

    Raises:
        PlannerError: what the transport raises. Cancelled.
    """
    rows: dict[int, Sequence[HistoryRow]] = {}
    before: dict[int, str] = {}
    for number, one in enumerate(history.revisions):
        check(progress)
        progress.update(number / len(history.revisions))
        whole = history.subject.kind == "all"
        rows[one.revision] = (
            read_changes(transport, uuid, one.revision, MOST) if whole else history.changes(one.revision)
        )
        before[one.revision] = transport.head(uuid, one.revision - 1).chain_at if one.revision > 1 else ""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    changes = {number: read_changes_of(project, some, layers) for number, some in rows.items()}
    return Evidence(
        project.name, uuid, server, project.user, now, history.subject, transport.head(uuid), history.revisions,
        before, rows, changes,
    )  # fmt: skip


def write_evidence(evidence: Evidence, path: Path) -> None:
    """Write .pdf, .xlsx or .json; the suffix decides.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written`` and what writing raises.
    """
    suffix = path.suffix.casefold()
    if suffix == ".json":
        _write_json(evidence, path)
    elif suffix == ".xlsx":
        _write_xlsx(evidence, path)
    elif suffix == ".pdf":
        _write_pdf(evidence, path)
    else:
        raise PlannerError("report.format_unknown", file=path.name, known=".pdf, .xlsx, .json")


def _subject(evidence: Evidence) -> str:
    return evidence.subject.name or tr("the newest revisions")


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    numbers = [one.revision for one in evidence.revisions]
    span = f"{min(numbers):,} – {max(numbers):,}" if numbers else "—"
    return [
        (tr("Name of the project"), evidence.project), (tr("Identity"), evidence.uuid), (tr("Server"), evidence.server),
        (tr("About"), _subject(evidence)), (tr("Revision no."), span), (tr("Exported by"), evidence.user),
        (tr("Exported at"), f"{long_time(evidence.time)} ({evidence.time})"),
        (tr("Newest revision"), f"{evidence.head.revision:,}"), (tr("Its chain value"), evidence.head.chain),
    ]  # fmt: skip


def _note() -> str:
    return tr(
        "Each revision's chain value is the SHA-256 of the chain value before it and of the revision's content: "
        "a log that was changed afterwards no longer gives these values. “planner server verify” checks it."
    )


def _write_json(evidence: Evidence, path: Path) -> None:
    def row(one: HistoryRow) -> dict[str, Any]:
        return {
            "layer": one.layer, "uuid": one.uuid, "operation": one.operation, "before": dict(one.before),
            "after": dict(one.after),
            "geometry_before": one.geometry_before.hex() if one.geometry_before is not None else None,
            "geometry_after": one.geometry_after.hex() if one.geometry_after is not None else None,
        }  # fmt: skip

    told = {
        "project": {"name": evidence.project, "uuid": evidence.uuid}, "server": evidence.server,
        "read_by": evidence.user, "read_at": evidence.time, "subject": asdict(evidence.subject),
        "head": {"revision": evidence.head.revision, "chain": evidence.head.chain},
        "revisions": [
            {
                **asdict(one), "chain_before": evidence.before.get(one.revision, ""),
                "changes": [row(each) for each in evidence.rows.get(one.revision, ())],
            }
            for one in evidence.revisions
        ],
    }  # fmt: skip
    try:
        path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error


def _write_xlsx(evidence: Evidence, path: Path) -> None:
    from planner_app.report.workbook import Column, Sheet, Summary, write_xlsx

    revisions = Sheet(
        tr("Revision list"),
        [Column(tr("Revision no."), "count"), Column(tr("Time")), Column(tr("Who")), Column(tr("From where")),
         Column(tr("Why"), "wide"), Column(tr("Records"), "count"), Column(tr("Chain before"), "wide"),
         Column(tr("Chain"), "wide")],
        [
            (one.revision, long_time(one.time), one.user, origin(one), why(one), one.rows,
             evidence.before.get(one.revision, ""), one.chain)
            for one in evidence.revisions
        ],
        [_note()],
    )  # fmt: skip
    changes = Sheet(
        tr("Changed cells"),
        [Column(tr("Revision no."), "count"), Column(tr("Operation")), Column(tr("Layer")), Column(tr("Feature")),
         Column(tr("Identity"), "wide"), Column(tr("Field")), Column(tr("Value before"), "wide"),
         Column(tr("Value after"), "wide")],
        [
            (one.revision, operation_word(each.row.operation)[1], each.layer_name, each.record, each.row.uuid,
             each.column, each.before, each.after)
            for one in evidence.revisions for each in evidence.changes[one.revision]
        ],
    )  # fmt: skip
    write_xlsx(Summary(tr("Evidence"), tr("Audit evidence"), _facts(evidence)), [revisions, changes], path)


def _write_pdf(evidence: Evidence, path: Path) -> None:
    from planner_app.report.paper import Block, Cell, Column, Facts, Heading, Paper, Table, Text, write_paper

    blocks: list[Block] = [Facts(_facts(evidence)), Text(_note(), "note"), Heading(tr("Revision list"))]
    blocks.append(
        Table(
            [Column(tr("Revision no."), 9, "right"), Column(tr("Time"), 17), Column(tr("Who"), 14),
             Column(tr("From where"), 14), Column(tr("Why"), 36), Column(tr("Records"), 10, "right")],
            [
                (f"{one.revision:,}", long_time(one.time), one.user, origin(one), Cell(why(one), one.chain),
                 f"{one.rows:,}")
                for one in evidence.revisions
            ],
        )
    )  # fmt: skip
    for one in evidence.revisions:
        changes = evidence.changes[one.revision]
        blocks.append(Heading(tr("Revision {number}", number=f"{one.revision:,}"), f"{len(changes):,}", 3))
        if len(changes) > MOST_LINES:
            blocks.append(
                Text(
                    tr("The first {count} of {all}; an export as JSON or XLSX holds them all.",
                       count=f"{MOST_LINES:,}", all=f"{len(changes):,}"),
                    "note",
                )
            )  # fmt: skip
        blocks.append(
            Table(
                [Column(tr("Operation"), 9), Column(tr("Layer"), 17), Column(tr("Feature"), 18),
                 Column(tr("Field"), 16), Column(tr("Value before"), 20), Column(tr("Value after"), 20)],
                [
                    (operation_word(each.row.operation)[1], each.layer_name, Cell(each.record, each.row.uuid),
                     each.column, each.before, each.after)
                    for each in changes[:MOST_LINES]
                ],
                tr("Nothing in the layers of this file."),
            )
        )  # fmt: skip
    under = f"{_subject(evidence)} · {long_time(evidence.time)}"
    write_paper(Paper(tr("Audit evidence"), blocks, evidence.project, under, evidence.uuid, author=evidence.user), path)
