"""What can be done to a review, one command per intent: each is one transaction, one undo step, one line of history.

Records carry their ids (:func:`store.new_id`); numbers (GA-0001, D-0001, #1) are given inside the transaction where
the record has none. Those on issues, marks and signatures stand in ``issue_commands.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Command, Transaction
from plugins.review.model.cases import elements, tables
from plugins.review.model.cases.elements import ElementRow
from plugins.review.model.cases.issue_commands import (
    AddComment,
    AddMarkup,
    AttachReport,
    DeleteIssue,
    DeleteMarkup,
    EditIssue,
    EditMarkup,
    ImportIssues,
    RaiseIssue,
    Reanchor,
    RemoveReport,
    SignOffCommand,
)
from plugins.review.model.cases.records import Case, DrawingRecord
from plugins.review.model.cases.rows import (
    PrepareReview,
    change,
    find,
    insert,
    layer_for,
    next_number,
    prepare,
    remove,
)
from plugins.review.model.cases.store import equals
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.reading.types import ReadingOptions

__all__ = [
    "COMMANDS", "AddComment", "AddDrawing", "AddMarkup", "AttachReport", "DeleteIssue", "DeleteMarkup", "EditIssue",
    "EditMarkup", "ImportIssues", "OpenCase", "PrepareReview", "RaiseIssue", "Reanchor", "RemoveDrawing",
    "RemoveReport", "SetCase", "SetDrawing", "SetPlacement", "SetReading", "SignOffCommand", "prepare",
]  # fmt: skip


@dataclass(frozen=True)
class OpenCase(Command):
    """Open a case."""

    name: ClassVar[str] = "review_open_case"
    case: Case

    def params(self) -> dict[str, Any]:
        return {"title": self.case.title or self.case.parcel}

    def apply(self, tx: Transaction) -> None:
        number = self.case.number or next_number(tx, tables.CASES, "GA-")
        insert(tx, tables.CASES, [replace(self.case, number=number)])


@dataclass(frozen=True)
class SetCase(Command):
    """Change fields of a case (its conditions, title, applicant, status …)."""

    name: ClassVar[str] = "review_set_case"
    case_id: str
    values: Mapping[str, Any]
    title: str = ""

    def params(self) -> dict[str, Any]:
        return {"title": self.title, "fields": ", ".join(self.values)}

    def apply(self, tx: Transaction) -> None:
        change(tx, tables.CASES, self.case_id, self.values)


@dataclass(frozen=True)
class AddDrawing(Command):
    """Put a drawing into a case; with ``case`` that case is opened in the same step.

    Attributes:
        elements: what the map shows of it (:func:`elements.element_rows`).
        reanchored: fields of issues carried over to this revision, by issue id.
    """

    name: ClassVar[str] = "review_import"
    drawing: DrawingRecord
    case: Case | None = None
    elements: Sequence[ElementRow] = ()
    reanchored: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        return {"file": self.drawing.file_name, "sha256": self.drawing.sha256}

    def apply(self, tx: Transaction) -> None:
        if self.case is not None:
            OpenCase(self.case).apply(tx)
        number = self.drawing.number or next_number(tx, tables.DRAWINGS, "D-")
        insert(tx, tables.DRAWINGS, [replace(self.drawing, number=number)])
        elements.write(tx, number, self.elements)
        for issue_id, values in self.reanchored.items():
            change(tx, tables.ISSUES, issue_id, values)


@dataclass(frozen=True)
class _SetDrawing(Command):
    drawing_id: str
    file: str = field(default="", kw_only=True)
    summary: Mapping[str, Any] | None = field(default=None, kw_only=True)
    wkb: bytes | None = field(default=None, kw_only=True)
    elements: Sequence[ElementRow] = field(default=(), kw_only=True)

    def params(self) -> dict[str, Any]:
        return {"file": self.file}

    def values(self) -> dict[str, Any]:
        """Fields to set beside summary, outline and elements."""
        return {}

    def apply(self, tx: Transaction) -> None:
        values = self.values() | {"wkb": self.wkb}
        if self.summary is not None:
            values["summary"] = dict(self.summary)
        record = change(tx, tables.DRAWINGS, self.drawing_id, values)
        elements.write(tx, record.number, self.elements)


@dataclass(frozen=True)
class SetReading(_SetDrawing):
    """Change how a drawing is read; outline, summary and elements are those of the new reading.

    ``placement``: where it lies in the units of the new reading, if that changed too.
    """

    name: ClassVar[str] = "review_set_reading"
    options: ReadingOptions = field(default_factory=ReadingOptions)
    placement: Placement | None = None

    def values(self) -> dict[str, Any]:
        return {"options": self.options} | ({} if self.placement is None else {"placement": self.placement})


@dataclass(frozen=True)
class SetPlacement(_SetDrawing):
    """Change where a drawing lies."""

    name: ClassVar[str] = "review_set_placement"
    placement: Placement = field(default_factory=Placement)

    def values(self) -> dict[str, Any]:
        return {"placement": self.placement}


@dataclass(frozen=True)
class SetDrawing(Command):
    """Change other fields of a drawing: title, kind, case, what it replaces."""

    name: ClassVar[str] = "review_set_drawing"
    drawing_id: str
    values: Mapping[str, Any]
    file: str = ""

    def params(self) -> dict[str, Any]:
        return {"file": self.file, "fields": ", ".join(self.values)}

    def apply(self, tx: Transaction) -> None:
        change(tx, tables.DRAWINGS, self.drawing_id, self.values)


@dataclass(frozen=True)
class RemoveDrawing(Command):
    """Take a drawing out of its case, with the marks on it; its file stays in the project.

    Raises:
        PlannerError: ``review.drawing_in_use`` where an issue, a signature or a later revision stands on it.
    """

    name: ClassVar[str] = "review_remove_drawing"
    drawing_id: str
    file: str = ""

    def params(self) -> dict[str, Any]:
        return {"file": self.file}

    def apply(self, tx: Transaction) -> None:
        layer, fid, record = find(tx, tables.DRAWINGS, self.drawing_id)
        for table, column in (
            (tables.ISSUES, "drawing_id"), (tables.ISSUES, "raised_on"), (tables.SIGNOFFS, "drawing_id"),
            (tables.DRAWINGS, "replaces"),
        ):  # fmt: skip
            users = tx.read(layer_for(tx, table).id, columns=[], where=equals(column, record.id), geometry=False)
            if len(users):
                raise PlannerError("review.drawing_in_use", drawing=record.number, table=table.name, count=len(users))
        remove(tx, tables.MARKUPS, equals("drawing_id", record.id))
        elements.write(tx, record.number, ())
        tx.delete(layer.id, [fid])


COMMANDS: tuple[type[Command], ...] = (
    PrepareReview, OpenCase, SetCase, AddDrawing, SetReading, SetPlacement, SetDrawing, RemoveDrawing, RaiseIssue,
    ImportIssues, EditIssue, DeleteIssue, Reanchor, AddComment, AddMarkup, EditMarkup, DeleteMarkup, SignOffCommand,
    AttachReport, RemoveReport,
)  # fmt: skip
