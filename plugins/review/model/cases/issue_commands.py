"""Commands on issues, marks, signatures and attached reports (see :mod:`~plugins.review.model.cases.commands`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from planner_app.plugin_api.model import Command, Transaction
from plugins.review.model.cases import tables
from plugins.review.model.cases.records import (
    Case,
    CaseStatus,
    Comment,
    Issue,
    IssueStatus,
    Markup,
    OutsideReport,
    SignOff,
)
from plugins.review.model.cases.rows import change, find, insert, layer_for, next_number, remove
from plugins.review.model.cases.store import equals


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
    """Take over issues with threads and marks (from a BCF file); fields of known ones change as ``changed`` says.

    With ``case`` that case is opened in the same step.
    """

    name: ClassVar[str] = "review_import_issues"
    file: str
    issues: Sequence[Issue]
    comments: Sequence[Comment] = ()
    markups: Sequence[Markup] = ()
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    case: Case | None = None

    def params(self) -> dict[str, Any]:
        return {"file": self.file, "count": len(self.issues) + len(self.changed)}

    def apply(self, tx: Transaction) -> None:
        if self.case is not None:
            insert(tx, tables.CASES, [replace(self.case, number=next_number(tx, tables.CASES, "GA-"))])
        given: list[Issue] = []
        numbers: dict[str, int] = {}
        for issue in self.issues:
            if issue.case_id not in numbers:
                layer = layer_for(tx, tables.ISSUES)
                found = tx.read(layer.id, columns=["number"], where=equals("case_id", issue.case_id), geometry=False)
                numbers[issue.case_id] = max((int(n or 0) for n in found.columns["number"]), default=0) + 1
            number = issue.number or numbers[issue.case_id]
            numbers[issue.case_id] = max(numbers[issue.case_id], number + 1)
            given.append(replace(issue, number=number, raised_on=issue.raised_on or issue.drawing_id))
        insert(tx, tables.ISSUES, given)
        insert(tx, tables.COMMENTS, self.comments)
        insert(tx, tables.MARKUPS, self.markups)
        for issue_id, values in self.changed.items():
            change(tx, tables.ISSUES, issue_id, values)


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
        change(tx, tables.ISSUES, self.issue_id, self.values)
        if self.comment is not None:
            insert(tx, tables.COMMENTS, [self.comment])


@dataclass(frozen=True)
class DeleteIssue(Command):
    """Delete an issue with its thread and its marks."""

    name: ClassVar[str] = "review_delete_issue"
    issue_id: str
    title: str = ""

    def params(self) -> dict[str, Any]:
        return {"title": self.title}

    def apply(self, tx: Transaction) -> None:
        layer, fid, _ = find(tx, tables.ISSUES, self.issue_id)
        remove(tx, tables.COMMENTS, equals("issue_id", self.issue_id))
        remove(tx, tables.MARKUPS, equals("issue_id", self.issue_id))
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
            change(tx, tables.ISSUES, issue_id, values)


@dataclass(frozen=True)
class AddComment(Command):
    """Reply to an issue; ``status`` changes it along with the reply."""

    name: ClassVar[str] = "review_comment"
    comment: Comment
    status: IssueStatus | None = None

    def params(self) -> dict[str, Any]:
        return {"text": self.comment.text[:60]}

    def apply(self, tx: Transaction) -> None:
        find(tx, tables.ISSUES, self.comment.issue_id)
        insert(tx, tables.COMMENTS, [self.comment])
        if self.status is not None:
            change(tx, tables.ISSUES, self.comment.issue_id, {"status": self.status})


# ---------------------------------------------------------------- marks


@dataclass(frozen=True)
class AddMarkup(Command):
    """Draw marks."""

    name: ClassVar[str] = "review_markup"
    markups: Sequence[Markup]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.markups)}

    def apply(self, tx: Transaction) -> None:
        insert(tx, tables.MARKUPS, self.markups)


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
        change(tx, tables.MARKUPS, self.markup_id, self.values)


@dataclass(frozen=True)
class DeleteMarkup(Command):
    """Delete marks."""

    name: ClassVar[str] = "review_delete_markup"
    markup_ids: Sequence[str]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.markup_ids)}

    def apply(self, tx: Transaction) -> None:
        for markup_id in self.markup_ids:
            layer, fid, _ = find(tx, tables.MARKUPS, markup_id)
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
        insert(tx, tables.SIGNOFFS, [self.signoff])
        if self.status is not None:
            change(tx, tables.CASES, self.signoff.case_id, {"status": self.status})


@dataclass(frozen=True)
class AttachReport(Command):
    """Attach a report made elsewhere."""

    name: ClassVar[str] = "review_attach_report"
    report: OutsideReport

    def params(self) -> dict[str, Any]:
        return {"title": self.report.title}

    def apply(self, tx: Transaction) -> None:
        insert(tx, tables.REPORTS, [self.report])


@dataclass(frozen=True)
class RemoveReport(Command):
    """Take an attached report off the case; its file stays in the project."""

    name: ClassVar[str] = "review_remove_report"
    report_id: str
    title: str = ""

    def params(self) -> dict[str, Any]:
        return {"title": self.title}

    def apply(self, tx: Transaction) -> None:
        layer, fid, _ = find(tx, tables.REPORTS, self.report_id)
        tx.delete(layer.id, [fid])
