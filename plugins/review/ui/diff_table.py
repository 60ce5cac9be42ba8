"""The dock's table 版本差异: what a revision changed, and which issues that touches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Column, RowTable
from plugins.review.ui import words
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Issue
    from plugins.review.model.reading.types import Element
    from plugins.review.model.revisions.compare import Comparison
    from plugins.review.model.revisions.diff import Change

_TOKENS = {
    "added": "pass", "removed": "fail", "changed": "needs_certificate", "ok": "pass", "moved": "needs_certificate",
    "lost": "fail",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the table.

    Attributes:
        subject: what kind of thing: indicator, element, entity, issue; state: added | removed | changed | moved | lost.
        old, new: handles in the older and the newer drawing; issue: the issue's id.
    """

    subject: str
    state: str
    what: str
    before: str = ""
    after: str = ""
    detail: str = ""
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    issue: str = ""
    elements: tuple[Element | None, Element | None] = (None, None)


def rows_of(comparison: Comparison, issues: Sequence[Issue] = ()) -> list[DiffRow]:
    """Touched issues first, then indicators, elements and entities.

    Args:
        issues: of the case; those carried to the newer drawing already are told by what became of their place.
    """
    from plugins.review.model.opinion.wording import indicator_words

    rows = []
    for one in comparison.touched():
        now = one.values.get("anchors", one.issue.anchors)
        detail = tr("found: {found}, gone: {gone}", found=one.found, gone=one.gone)
        title = f"#{one.issue.number} {one.issue.title}"
        old = one.issue.anchors.handles
        rows.append(DiffRow(tr("Issue"), one.state, title, "", "", detail, old, now.handles, one.issue.id))
    newer = comparison.after.record.id
    for issue in issues:
        if issue.drawing_id == newer != issue.raised_on and issue.anchor_state != "ok":
            title = f"#{issue.number} {issue.title}"
            handles = issue.anchors.handles
            rows.append(DiffRow(tr("Issue"), issue.anchor_state, title, "", "", "", (), handles, issue.id))
    for key, was, is_now in comparison.indicators:
        rows.append(DiffRow(tr("Indicator"), "changed", indicator_words(key)[0], _value(key, was), _value(key, is_now)))
    for change in comparison.elements:
        state = "added" if change.before is None else "removed" if change.after is None else "changed"
        state = "moved" if change.moved else state
        far = tr("its outline lies up to {metres} m from where it was", metres=words.number(change.moved))
        what = " ".join(text for text in (words.role(change.role), change.name) if text)
        before, after = (
            words.number(size) if size is not None else "" for size in (change.size_before, change.size_after)
        )
        rows.append(
            DiffRow(tr("Element"), state, what, before, after, far if change.moved else "",
                    elements=(change.before, change.after),
                    old=change.before.handles if change.before is not None else (),
                    new=change.after.handles if change.after is not None else ())
        )  # fmt: skip
    for state, changes in (
        ("changed", comparison.diff.changed), ("removed", comparison.diff.removed), ("added", comparison.diff.added)
    ):  # fmt: skip
        rows += [_entity_row(state, change) for change in changes]
    return rows


def _entity_row(state: str, change: Change) -> DiffRow:
    entity = (change.after or change.before)[0]
    told = "; ".join(words.note(note) for note in change.what) or entity.layer
    old, new = (tuple(one.handle for one in part) for part in (change.before, change.after))
    return DiffRow(tr("Drawing entity"), state, f"{entity.kind} {change.handle}", detail=told, old=old, new=new)


def _value(key: str, value: float | None) -> str:
    if value is None:
        return words.NONE
    return f"{value * 100:,.2f} %" if words.is_share(key) else words.number(value, 0 if key == "parking" else 2)


def state_word(state: str) -> str:
    """What became of it."""
    return {
        "added": tr("added"),
        "removed": tr("removed"),
        "changed": tr("changed"),
        "ok": tr("stays"),
        "moved": tr("moved"),
        "lost": tr("place lost"),
    }[state]


class DiffTable:
    """Shows the current comparison; a row highlights what it is about, in red as it was and in green as it is.

    Args:
        choose: asks for the revision to compare with.
        open_issue: shows an issue by its id.
    """

    def __init__(self, state: ReviewState, choose: Callable[[], None], open_issue: Callable[[str], None]) -> None:
        self._state, self._open_issue = state, open_issue
        context = state.context
        self.table = context.add_table("revisions", tr("Changes"))
        self.model: RowTable[DiffRow] = RowTable(
            [
                Column(tr("Part"), lambda row: row.subject, width=130),
                Column(tr("Change"), lambda row: state_word(row.state), pill=lambda row: _TOKENS[row.state], width=110),
                Column(tr("Subject"), lambda row: row.what, width=300),
                Column(tr("Before"), lambda row: row.before, right=True, width=110),
                Column(tr("After"), lambda row: row.after, right=True, width=110),
                Column(tr("Detail"), lambda row: row.detail, width=460),
            ],
        )
        self.table.set_model(self.model)
        self.table.set_empty(
            tr("Nothing compared. Two revisions of a case are compared entity by entity."), tr("Compare…"), choose
        )
        self.table.set_actions(
            [
                ("diff-choose", tr("Compare with…"), choose),
                ("diff-stop", tr("Stop comparing"), lambda: state.compare("")),
            ]
        )
        self.table.current_changed.connect(lambda rows: self._show(rows, zoom=False))
        self.table.row_activated.connect(self._activated)
        state.comparison_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current comparison."""
        comparison = self._state.comparison
        rows = rows_of(comparison, self._state.issues()) if comparison is not None else []
        self.model.show(rows)
        self.table.set_title(tr("Changes {count}", count=f"{len(rows):,}") if rows else tr("Changes"))
        if comparison is not None:
            self.table.show()
            if not rows:
                self.table.set_empty(tr("The two drawings do not differ."))

    def _activated(self, row: int) -> None:
        if self.model.rows[row].issue:
            self._open_issue(self.model.rows[row].issue)
        self._show([row])

    def _show(self, rows: Sequence[int], *, zoom: bool = True) -> None:
        from plugins.review.ui.marks import of_handles, of_local

        comparison = self._state.comparison
        if comparison is None:
            return
        found: list[Highlight] = []
        for row in (self.model.rows[at] for at in rows):
            before, after = row.elements
            if before is not None or after is not None:
                found += [of_local(comparison.before, before.geometry, "fail", row.old)] if before is not None else []
                found += [of_local(comparison.after, after.geometry, "pass", row.new)] if after is not None else []
            else:
                found += of_handles(comparison.before, row.old, "fail")
                found += of_handles(comparison.after, row.new, "pass")
        self._state.show(found, zoom=zoom)
