"""What can be done to a review, one command per intent: each is one transaction, one undo step, one line of history.

Records carry their ids (:func:`store.new_id`); numbers (GA-0001, D-0001, #1) are given inside the transaction where
the record has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, NewLayer
from planner_app.i18n import language
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.review.model.cases import elements, tables
from plugins.review.model.cases.elements import ElementRow
from plugins.review.model.cases.records import (
    Case,
    CaseStatus,
    Comment,
    DrawingRecord,
    Issue,
    IssueStatus,
    Markup,
    OutsideReport,
    SignOff,
)
from plugins.review.model.cases.store import equals
from plugins.review.model.cases.tables import TABLES, Table
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.reading.types import ReadingOptions

R = TypeVar("R")


@dataclass(frozen=True)
class PrepareReview(Command):
    """Make the tables of a review where they are missing."""

    name: ClassVar[str] = "review_prepare"

    def apply(self, tx: Transaction) -> None:
        if tables.layer_of(tx.layers(), elements.ROLE) is None:
            elements.make_layer(tx)
        for table in TABLES:
            layer_for(tx, table)


def prepare(project: Project) -> None:
    """Make the tables if this project has none yet: a step of its own, so that later ones can be undone alone."""
    roles = {layer.role for layer in project.layers()}
    if not roles.issuperset({elements.ROLE, *(table.role for table in TABLES)}):
        project.execute(PrepareReview())


def layer_for(tx: Transaction, table: Table[Any]) -> LayerInfo:
    """The table's layer; made, or given columns that came with a newer version, where needed."""
    layer = tables.layer_of(tx.layers(), table.role)
    if layer is None:
        title = table.title_zh if language() == "zh_CN" else table.title
        new = NewLayer(
            title, table.geometry, table.fields(), role=table.role, label_field=table.label,
            qml=elements.table_style(table),
        )  # fmt: skip
        return tx.create_layer(new, table=table.name)
    missing = [one for one in table.fields() if layer.field(one.name) is None]
    for one in missing:
        tx.add_field(layer.id, one)
    return tx.layer(layer.id) if missing else layer


def _insert(tx: Transaction, table: Table[R], records: Iterable[R]) -> None:
    batch = table.batch(records)
    if len(batch):
        tx.insert(layer_for(tx, table).id, batch)


def _find(tx: Transaction, table: Table[R], identity: str) -> tuple[LayerInfo, int, R]:
    """(layer, fid, record) of a row.

    Raises:
        PlannerError: ``review.record_gone``.
    """
    layer = layer_for(tx, table)
    names = [one.name for one in table.fields()]
    found = tx.read(layer.id, columns=names, where=equals("uuid", identity))
    if not len(found):
        raise PlannerError("review.record_gone", table=table.name, id=identity)
    cells = {name: values[0] for name, values in found.columns.items()}
    return layer, int(found.fids[0]), table.decode(identity, cells, found.geometry[0])


def _change(tx: Transaction, table: Table[R], identity: str, values: Mapping[str, Any]) -> R:
    """Set fields of a record (``wkb`` too); returns it as it is now."""
    layer, fid, record = _find(tx, table, identity)
    plain = {name: value for name, value in values.items() if name != "wkb"}
    tx.update(layer.id, [fid], {name: [cell] for name, cell in table.cells(plain).items()})
    changed: R = replace(record, **dict(values))  # type: ignore[type-var]
    if table.area is not None:
        before, after = table.area(record), table.area(changed)
        if before != after:
            tx.update_geometry(layer.id, {fid: after})
    return changed


def _remove(tx: Transaction, table: Table[R], where: str) -> int:
    layer = layer_for(tx, table)
    fids = tx.read(layer.id, columns=[], where=where, geometry=False).fids.tolist()
    tx.delete(layer.id, fids)
    return len(fids)


def _number(tx: Transaction, table: Table[Any], prefix: str) -> str:
    """The next number with a prefix: GA-0001 …"""
    layer = layer_for(tx, table)
    numbers = tx.read(layer.id, columns=["number"], geometry=False).columns["number"]
    tails = [str(one).removeprefix(prefix) for one in numbers]
    return f"{prefix}{max((int(tail) for tail in tails if tail.isdigit()), default=0) + 1:04d}"


# ---------------------------------------------------------------- cases and drawings


@dataclass(frozen=True)
class OpenCase(Command):
    """Open a case."""

    name: ClassVar[str] = "review_open_case"
    case: Case

    def params(self) -> dict[str, Any]:
        return {"title": self.case.title or self.case.parcel}

    def apply(self, tx: Transaction) -> None:
        number = self.case.number or _number(tx, tables.CASES, "GA-")
        _insert(tx, tables.CASES, [replace(self.case, number=number)])


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
        _change(tx, tables.CASES, self.case_id, self.values)


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
        number = self.drawing.number or _number(tx, tables.DRAWINGS, "D-")
        _insert(tx, tables.DRAWINGS, [replace(self.drawing, number=number)])
        elements.write(tx, number, self.elements)
        for issue_id, values in self.reanchored.items():
            _change(tx, tables.ISSUES, issue_id, values)


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
        record = _change(tx, tables.DRAWINGS, self.drawing_id, values)
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
        _change(tx, tables.DRAWINGS, self.drawing_id, self.values)


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
        layer, fid, record = _find(tx, tables.DRAWINGS, self.drawing_id)
        for table, column in (
            (tables.ISSUES, "drawing_id"), (tables.ISSUES, "raised_on"), (tables.SIGNOFFS, "drawing_id"),
            (tables.DRAWINGS, "replaces"),
        ):  # fmt: skip
            users = tx.read(layer_for(tx, table).id, columns=[], where=equals(column, record.id), geometry=False)
            if len(users):
                raise PlannerError("review.drawing_in_use", drawing=record.number, table=table.name, count=len(users))
        _remove(tx, tables.MARKUPS, equals("drawing_id", record.id))
        elements.write(tx, record.number, ())
        tx.delete(layer.id, [fid])


# ---------------------------------------------------------------- issues


@dataclass(frozen=True)
class RaiseIssue(Command):
    """Raise an issue with its first comments and marks; one without a number gets the next of its case."""

    name: ClassVar[str] = "review_raise_issue"
    issue: Issue
    comments: Sequence[Comment] = ()
    markups: Sequence[Markup] = ()

    def params(self) -> dict[str, Any]:
        return {"title": self.issue.title}

    def apply(self, tx: Transaction) -> None:
        ImportIssues("", [self.issue], self.comments, self.markups).apply(tx)


@dataclass(frozen=True)
class ImportIssues(Command):
    """Take over issues with threads and marks (from a BCF file); fields of known ones change as ``changed`` says."""

    name: ClassVar[str] = "review_import_issues"
    file: str
    issues: Sequence[Issue]
    comments: Sequence[Comment] = ()
    markups: Sequence[Markup] = ()
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        return {"file": self.file, "count": len(self.issues) + len(self.changed)}

    def apply(self, tx: Transaction) -> None:
        given: list[Issue] = []
        next_number: dict[str, int] = {}
        for issue in self.issues:
            if issue.case_id not in next_number:
                layer = layer_for(tx, tables.ISSUES)
                found = tx.read(layer.id, columns=["number"], where=equals("case_id", issue.case_id), geometry=False)
                next_number[issue.case_id] = max((int(n or 0) for n in found.columns["number"]), default=0) + 1
            number = issue.number or next_number[issue.case_id]
            next_number[issue.case_id] = max(next_number[issue.case_id], number + 1)
            given.append(replace(issue, number=number, raised_on=issue.raised_on or issue.drawing_id))
        _insert(tx, tables.ISSUES, given)
        _insert(tx, tables.COMMENTS, self.comments)
        _insert(tx, tables.MARKUPS, self.markups)
        for issue_id, values in self.changed.items():
            _change(tx, tables.ISSUES, issue_id, values)


@dataclass(frozen=True)
class EditIssue(Command):
    """Change fields of an issue (status, assignee, due date, anchors …), with an entry for its thread if given."""

    name: ClassVar[str] = "review_edit_issue"
    issue_id: str
    values: Mapping[str, Any]
    comment: Comment | None = None
    title: str = ""

    def params(self) -> dict[str, Any]:
        return {"title": self.title, "fields": ", ".join(self.values)}

    def apply(self, tx: Transaction) -> None:
        _change(tx, tables.ISSUES, self.issue_id, self.values)
        if self.comment is not None:
            _insert(tx, tables.COMMENTS, [self.comment])


@dataclass(frozen=True)
class DeleteIssue(Command):
    """Delete an issue with its thread and its marks."""

    name: ClassVar[str] = "review_delete_issue"
    issue_id: str
    title: str = ""

    def params(self) -> dict[str, Any]:
        return {"title": self.title}

    def apply(self, tx: Transaction) -> None:
        layer, fid, _ = _find(tx, tables.ISSUES, self.issue_id)
        _remove(tx, tables.COMMENTS, equals("issue_id", self.issue_id))
        _remove(tx, tables.MARKUPS, equals("issue_id", self.issue_id))
        tx.delete(layer.id, [fid])


@dataclass(frozen=True)
class Reanchor(Command):
    """Carry issues over to another revision: fields by issue id."""

    name: ClassVar[str] = "review_reanchor"
    changes: Mapping[str, Mapping[str, Any]]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.changes)}

    def apply(self, tx: Transaction) -> None:
        for issue_id, values in self.changes.items():
            _change(tx, tables.ISSUES, issue_id, values)


@dataclass(frozen=True)
class AddComment(Command):
    """Reply to an issue; ``status`` changes it along with the reply."""

    name: ClassVar[str] = "review_comment"
    comment: Comment
    status: IssueStatus | None = None

    def params(self) -> dict[str, Any]:
        return {"text": self.comment.text[:60]}

    def apply(self, tx: Transaction) -> None:
        _find(tx, tables.ISSUES, self.comment.issue_id)
        _insert(tx, tables.COMMENTS, [self.comment])
        if self.status is not None:
            _change(tx, tables.ISSUES, self.comment.issue_id, {"status": self.status})


# ---------------------------------------------------------------- marks


@dataclass(frozen=True)
class AddMarkup(Command):
    """Draw marks."""

    name: ClassVar[str] = "review_markup"
    markups: Sequence[Markup]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.markups)}

    def apply(self, tx: Transaction) -> None:
        _insert(tx, tables.MARKUPS, self.markups)


@dataclass(frozen=True)
class EditMarkup(Command):
    """Change a mark (points, text, style, issue)."""

    name: ClassVar[str] = "review_edit_markup"
    markup_id: str
    values: Mapping[str, Any]

    def joins(self) -> str:
        return " ".join([self.markup_id, *sorted(self.values)])

    def params(self) -> dict[str, Any]:
        return {"fields": ", ".join(self.values)}

    def apply(self, tx: Transaction) -> None:
        _change(tx, tables.MARKUPS, self.markup_id, self.values)


@dataclass(frozen=True)
class DeleteMarkup(Command):
    """Delete marks."""

    name: ClassVar[str] = "review_delete_markup"
    markup_ids: Sequence[str]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.markup_ids)}

    def apply(self, tx: Transaction) -> None:
        for markup_id in self.markup_ids:
            layer, fid, _ = _find(tx, tables.MARKUPS, markup_id)
            tx.delete(layer.id, [fid])


# ---------------------------------------------------------------- opinion


@dataclass(frozen=True)
class SignOffCommand(Command):
    """Sign a sealed opinion; ``status`` is where the case stands after it."""

    name: ClassVar[str] = "review_sign"
    signoff: SignOff
    status: CaseStatus | None = None

    def params(self) -> dict[str, Any]:
        return {"name": self.signoff.name, "role": self.signoff.role, "verdict": self.signoff.verdict}

    def apply(self, tx: Transaction) -> None:
        _insert(tx, tables.SIGNOFFS, [self.signoff])
        if self.status is not None:
            _change(tx, tables.CASES, self.signoff.case_id, {"status": self.status})


@dataclass(frozen=True)
class AttachReport(Command):
    """Attach a report made elsewhere."""

    name: ClassVar[str] = "review_attach_report"
    report: OutsideReport

    def params(self) -> dict[str, Any]:
        return {"title": self.report.title}

    def apply(self, tx: Transaction) -> None:
        _insert(tx, tables.REPORTS, [self.report])


@dataclass(frozen=True)
class RemoveReport(Command):
    """Take an attached report off the case; its file stays in the project."""

    name: ClassVar[str] = "review_remove_report"
    report_id: str
    title: str = ""

    def params(self) -> dict[str, Any]:
        return {"title": self.title}

    def apply(self, tx: Transaction) -> None:
        layer, fid, _ = _find(tx, tables.REPORTS, self.report_id)
        tx.delete(layer.id, [fid])


COMMANDS: tuple[type[Command], ...] = (
    PrepareReview, OpenCase, SetCase, AddDrawing, SetReading, SetPlacement, SetDrawing, RemoveDrawing, RaiseIssue,
    ImportIssues, EditIssue, DeleteIssue, Reanchor, AddComment, AddMarkup, EditMarkup, DeleteMarkup, SignOffCommand,
    AttachReport, RemoveReport,
)  # fmt: skip
