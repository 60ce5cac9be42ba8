"""The dock's table 读图修复: what was done to read the drawing; every entry can be undone and accepted again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Column, RowTable
from plugins.review.ui import words
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.reading.types import Repair


class RepairTable:
    """The repair ledger of the current drawing."""

    def __init__(self, state: ReviewState) -> None:
        self._state = state
        context = state.context
        self.table = context.add_table("repairs", tr("Repairs"))
        self.model: RowTable[Repair] = RowTable(
            [
                Column(tr("Repair"), lambda row: kind_word(row.kind), width=170),
                Column(tr("Layer"), lambda row: row.layer, width=180),
                Column(tr("Entity"), lambda row: row.handle, width=130),
                Column(
                    tr("State"), lambda row: tr("undone") if row.undone else tr("accepted"),
                    pill=lambda row: "needs_certificate" if row.undone else "pass", width=110,
                ),
                Column(tr("What was done"), lambda row: words.note(row.detail), width=560),
            ],
        )  # fmt: skip
        self.table.set_model(self.model)
        self.table.set_actions(
            [
                ("repair-undo", tr("Undo repair"), lambda: self._set(undone=True)),
                ("repair-accept", tr("Accept repair"), lambda: self._set(undone=False)),
                ("repair-zoom", tr("Zoom to"), lambda: self._show(self.table.selected_rows())),
            ]
        )
        self.table.current_changed.connect(lambda rows: self._show(rows, zoom=False))
        self.table.row_activated.connect(lambda row: self._show([row]))
        state.drawing_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current drawing's ledger."""
        opened = self._state.opened
        rows = opened.plan.repairs if opened is not None else ()
        self.table.set_empty(
            tr("This drawing was read without a repair.") if opened is not None
            else tr("No drawing is open. What is repaired while reading one is listed here.")
        )  # fmt: skip
        self.model.show(rows)
        self.table.set_title(tr("Repairs {count}", count=len(rows)) if rows else tr("Repairs"))

    def _show(self, rows: list[int], *, zoom: bool = True) -> None:
        from plugins.review.ui.marks import of_handles, of_local

        opened = self._state.opened
        if opened is None:
            return
        found: list[Highlight] = []
        for repair in (self.model.rows[row] for row in rows):
            if repair.where is not None:
                found.append(of_local(opened, repair.where, "needs_certificate", [repair.handle]))
            else:
                found += of_handles(opened, [repair.handle], "needs_certificate")
        self._state.show(found, zoom=zoom)

    def _set(self, *, undone: bool) -> None:
        """Read the drawing again with (or without) the selected repairs taken back."""
        opened, project = self._state.opened, self._state.project
        rows = self.table.selected_rows()
        if opened is None or project is None or not rows:
            return
        chosen = {self.model.rows[row].id for row in rows}
        options = opened.record.options
        before = set(options.undone_repairs)
        after = before | chosen if undone else before - chosen
        if after == before:
            return
        self._state.reread(replace(options, undone_repairs=tuple(sorted(after))))


def kind_word(kind: str) -> str:
    """A kind of repair in a word or two."""
    return {
        "closed_gap": tr("Gap closed"),
        "joined": tr("Lines joined"),
        "dropped_duplicate": tr("Duplicate dropped"),
        "hatch_ring": tr("Hatch ring"),
        "self_crossing": tr("Self-crossing"),
        "sliver": tr("Sliver dropped"),
        "merged_overlap": tr("Overlap merged"),
        "cut_overlap": tr("Overlap cut"),
        "site_hole": tr("Taken out of the site"),
        "flattened": tr("Height dropped"),
        "open_outline": tr("Outline left open"),
        "tangled": tr("Tangled outline"),
    }.get(kind, kind)
