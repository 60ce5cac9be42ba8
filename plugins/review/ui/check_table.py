"""The dock's table 指标核对: declared, measured and permitted side by side, each number leading to its polygons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Column, RowTable
from planner_app.report.findings import verdict_word
from plugins.review.ui import words
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.checking.types import Row

_PARTS = {1: "declared", 2: "measured", 3: "limit"}


class CheckTable:
    """Shows the current check; a click on a number highlights what it was taken from.

    Args:
        run: starts the check (the button of the empty table).
        export: writes the opinion (the button at the right of the tabs).
    """

    def __init__(self, state: ReviewState, run: Callable[[], None], export: Callable[[], None]) -> None:
        self._state = state
        context = state.context
        self.table = context.add_table("indicators", tr("Indicators"))
        self.model: RowTable[Row] = RowTable(
            [
                Column(tr("Indicator"), title_of, width=170),
                Column(
                    tr("Declared"),
                    lambda row: _shown(row, row.declared),
                    lambda row: row.declared,
                    right=True,
                    link=_declared,
                ),
                Column(
                    tr("Measured"),
                    lambda row: _shown(row, row.measured, row.limit),
                    lambda row: row.measured,
                    right=True,
                    link=_measured,
                ),
                Column(tr("Permitted"), _permitted, lambda row: row.limit, right=True, width=120),
                Column(tr("Unit"), lambda row: row.unit, width=60),
                Column(tr("Verdict"), _verdict, pill=_token, width=150),
                Column(tr("Basis"), lambda row: row.clause, width=420),
            ],
            colour=context.colour,
        )
        self.table.set_model(self.model)
        self.table.set_empty(
            tr("Nothing checked yet. The check measures the drawing and compares it with what it declares and may be."),
            tr("Check drawing"),
            run,
        )
        self.table.set_actions([("review-opinion", tr("Export…"), export)])
        self.table.cell_clicked.connect(self._clicked)
        self.table.row_activated.connect(lambda row: self._show(row, "measured"))
        state.check_changed.connect(self.refresh)
        context.theme_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current check."""
        check = self._state.check
        rows = check.rows if check is not None else ()
        self.model.show(rows)
        self.table.set_title(tr("Indicators {count}", count=len(rows)) if rows else tr("Indicators"))

    def _clicked(self, row: int, column: int) -> None:
        self._show(row, _PARTS.get(column, "measured"), zoom=column in _PARTS)

    def _show(self, row: int, part: str, *, zoom: bool = True) -> None:
        from plugins.review.ui.marks import of_row

        checked = self._state.checked
        if checked is not None:
            self._state.show(of_row(checked, self.model.rows[row], part), zoom=zoom)


def title_of(row: Row) -> str:
    """The indicator's name, with the building or edge it is about."""
    return " · ".join(text for text in (tr(row.title), row.feature) if text)


def _shown(row: Row, value: float | None, other: float | None = None) -> str:
    """A value of a row; with more digits where it would read like ``other``, which it is not."""
    from plugins.review.model.opinion.wording import number

    if value is None:
        return words.NONE
    factor = 100.0 if row.unit == "%" else 1.0
    digits = 0 if row.unit == "" and row.key == "parking" else 2
    return number(value * factor, digits, apart_from=None if other is None else other * factor)


def _permitted(row: Row) -> str:
    if row.limit is None:
        return words.NONE
    return f"{row.relation} {_shown(row, row.limit)}".strip()


def _verdict(row: Row) -> str:
    return tr("borderline, check by hand") if row.borderline else verdict_word(row.verdict.value)


def _token(row: Row) -> str:
    return "needs_certificate" if row.borderline else row.verdict.value


def _declared(row: Row) -> bool:
    return row.declared is not None


def _measured(row: Row) -> bool:
    return row.measured is not None
