"""Reading what the project file keeps of a review."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import tables
from plugins.review.model.cases.records import (
    Case,
    Comment,
    DrawingRecord,
    Issue,
    Markup,
    OutsideReport,
    SignOff,
)
from plugins.review.model.cases.tables import Table

R = TypeVar("R")

_SHA = re.compile(r"[0-9a-f]{8,64}")


def new_id() -> str:
    """An id for a new record."""
    return str(uuid4())


def now() -> str:
    """This moment as records keep it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read(project: Project, table: Table[R], where: str = "") -> list[R]:
    """Records of a table in the order they were made; none where the table is not there yet."""
    layer = tables.layer_of(project.layers(), table.role)
    if layer is None:
        return []
    names = [one.name for one in table.fields() if layer.field(one.name) is not None]
    found = project.read(layer.id, columns=["uuid", *names], where=where)
    rows = zip(*(found.columns[name] for name in names), strict=True)
    return [
        table.decode(identity, dict(zip(names, row, strict=True)), wkb)
        for identity, wkb, row in zip(found.columns["uuid"], found.geometry, rows, strict=True)
    ]


def equals(column: str, value: str) -> str:
    """The condition ``column = value`` for :func:`read`; anything may stand in the value."""
    escaped = value.replace("'", "''").replace("\x00", "")
    return f"\"{column}\" = '{escaped}'"


# ---------------------------------------------------------------- cases and drawings


def cases(project: Project) -> list[Case]:
    """All cases in the order they were opened."""
    return read(project, tables.CASES)


def case(project: Project, ref: str) -> Case:
    """A case by id, number, title or parcel; of several with one title or parcel the one opened last.

    Raises:
        PlannerError: ``review.case_unknown`` naming the known ones.
    """
    every = cases(project)
    folded = ref.strip().casefold()
    for name in ("id", "number", "title", "parcel"):
        found = [one for one in every if folded and str(getattr(one, name)).casefold() == folded]
        if found:
            return found[-1]
    raise PlannerError("review.case_unknown", case=ref, known=_list([f"{one.number} {one.title}" for one in every]))


def drawings(project: Project, case_id: str = "") -> list[DrawingRecord]:
    """Drawings of a case, or all, in the order they came."""
    return read(project, tables.DRAWINGS, equals("case_id", case_id) if case_id else "")


def drawing(project: Project, ref: str) -> DrawingRecord:
    """A drawing by number, id, sha256 (or its first 8 digits), file name, title, or the path of a file imported before.

    Raises:
        PlannerError: ``review.drawing_unknown`` naming the known ones, ``review.drawing_ambiguous`` where a name or a
            file stands for several.
    """
    every = drawings(project)
    text = ref.strip()
    folded = text.casefold()
    path = Path(text).expanduser()
    number = f"d-{int(text):04d}" if text.isascii() and text.isdigit() and len(text) < 6 else folded
    tries = [
        [one for one in every if folded == one.id or number == one.number.casefold()],
        [one for one in every if _SHA.fullmatch(folded) and one.sha256.startswith(folded)],
    ]
    if path.is_file():
        digest = file_digest(path)
        tries.append([one for one in every if one.sha256 == digest])
    else:
        tries.append([one for one in every if folded and one.file_name.casefold() == path.name.casefold()])
        tries.append([one for one in every if folded and one.title.casefold() == folded])
    for found in tries:
        if len(found) == 1:
            return found[0]
        if found:
            raise PlannerError("review.drawing_ambiguous", drawing=ref, found=_list([_name(one) for one in found]))
    raise PlannerError("review.drawing_unknown", drawing=ref, known=_list([_name(one) for one in every]))


def revisions(project: Project, record: DrawingRecord) -> list[DrawingRecord]:
    """The chain of revisions a drawing stands in, first to newest; branches in the order they were made."""
    every = {one.id: one for one in drawings(project, record.case_id)}
    first, seen = record, {record.id}
    while first.replaces in every and first.replaces not in seen:
        first = every[first.replaces]
        seen.add(first.id)
    chain, ids = [first], {first.id}
    for one in every.values():
        if one.replaces in ids and one.id not in ids:
            chain.append(one)
            ids.add(one.id)
    return chain


def file_digest(path: Path) -> str:
    """sha256 of a file's content.

    Raises:
        PlannerError: ``review.file_missing``.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PlannerError("review.file_missing", file=str(path), detail=str(error.strerror or error)) from error


def _name(record: DrawingRecord) -> str:
    return f"{record.number} {record.file_name}"


def _list(names: Sequence[str]) -> str:
    if not names:
        return "–"
    return ", ".join(names[-30:]) + ("" if len(names) <= 30 else " …")


# ---------------------------------------------------------------- what was said


def issues(project: Project, case_id: str = "", drawing_id: str = "") -> list[Issue]:
    """Issues of a case, of a drawing (the revision their anchors speak of), or all; by number within their case."""
    parts = [equals("case_id", case_id)] if case_id else []
    parts += [equals("drawing_id", drawing_id)] if drawing_id else []
    return sorted(read(project, tables.ISSUES, " AND ".join(parts)), key=lambda one: (one.case_id, one.number))


def comments(project: Project, issue_id: str = "") -> list[Comment]:
    """The thread of an issue, or all comments, oldest first."""
    return read(project, tables.COMMENTS, equals("issue_id", issue_id) if issue_id else "")


def markups(project: Project, case_id: str = "", drawing_id: str = "", issue_id: str = "") -> list[Markup]:
    """Marks of a case, drawn on one of its drawings, or belonging to an issue."""
    given = {"case_id": case_id, "drawing_id": drawing_id, "issue_id": issue_id}
    return read(project, tables.MARKUPS, " AND ".join(equals(key, value) for key, value in given.items() if value))


def signoffs(project: Project, case_id: str = "", drawing_id: str = "") -> list[SignOff]:
    """Signatures under the opinions of a case or a drawing, oldest first."""
    given = {"case_id": case_id, "drawing_id": drawing_id}
    return read(project, tables.SIGNOFFS, " AND ".join(equals(key, value) for key, value in given.items() if value))


def reports(project: Project, case_id: str = "") -> list[OutsideReport]:
    """Reports made elsewhere that a case cites."""
    return read(project, tables.REPORTS, equals("case_id", case_id) if case_id else "")
