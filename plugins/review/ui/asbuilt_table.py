"""The dock's table 竣工核实: approved and as built side by side; accepting the survey updates the base map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Column, RowTable
from planner_app.report.findings import finding_message, verdict_word
from plugins.review.ui import words
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding


class AsBuiltTable:
    """Shows the findings of the current as-built comparison.

    Args:
        choose: asks for the approved drawing and the survey; accept: asks whether to take the survey over.
    """

    def __init__(self, state: ReviewState, choose: Callable[[], None], accept: Callable[[], None]) -> None:
        self._state = state
        context = state.context
        self._titles: dict[str, str] = {}
        self.table = context.add_table("asbuilt", tr("As-built"))
        self.model: RowTable[Finding] = RowTable(
            [
                Column(tr("Checked"), lambda row: self._titles.get(row.rule, row.rule), width=200),
                Column(tr("Subject"), lambda row: row.feature, width=150),
                Column(tr("Approved"), lambda row: _value(row, row.declared), lambda row: row.declared, right=True),
                Column(tr("As built"), lambda row: _value(row, row.measured), lambda row: row.measured, right=True),
                Column(tr("Tolerance"), lambda row: _value(row, row.limit), lambda row: row.limit, right=True),
                Column(tr("Unit"), lambda row: row.unit, width=60),
                Column(tr("Verdict"), lambda row: words.pill(row)[1], pill=lambda row: words.pill(row)[0], width=150),
                Column(tr("Finding"), finding_message, width=380),
                Column(
                    tr("Basis"), lambda row: words.clause(row.standard, row.clause, row.edition), width=260,
                ),
            ],
        )  # fmt: skip
        self.table.set_model(self.model)
        self.table.set_empty(
            tr("No survey compared. A survey is measured like the drawing and compared with what was approved."),
            tr("Compare a survey…"),
            choose,
        )
        self.table.set_actions([("asbuilt-choose", tr("Compare…"), choose), ("asbuilt-accept", tr("Accept…"), accept)])
        self.table.current_changed.connect(lambda rows: self._show(rows, zoom=False))
        self.table.row_activated.connect(lambda row: self._show([row]))
        state.built_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current comparison."""
        found = self._state.built
        self._titles = {one.id: words.rule_title(one, one.id) for one in self._state.context.rules("asbuilt.")}
        self.model.show(found.findings if found is not None else ())
        title = (
            tr("As-built") if found is None else tr("As-built: {verdict}", verdict=verdict_word(found.verdict.value))
        )
        self.table.set_title(title)
        if found is not None:
            self.table.show()

    def _show(self, rows: Sequence[int], *, zoom: bool = True) -> None:
        from plugins.review.ui.marks import of_finding

        found = self._state.built
        if found is not None:
            marks = [mark for row in rows for mark in of_finding(found.facts.survey, self.model.rows[row])]
            self._state.show(marks, zoom=zoom)


def _value(finding: Finding, value: float | None) -> str:
    if value is None:
        return words.NONE
    return words.number(
        value * 100 if finding.unit == "%" else value, 0 if not finding.unit and value == int(value) else 2
    )
