"""Workbooks with real numbers: one sheet per table, units in the head, head frozen and filterable."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from planner_app.domain.errors import PlannerError

Kind = Literal["text", "count", "area", "length", "share", "wide"]

_FORMATS: dict[str, str] = {"count": "#,##0", "area": "#,##0.00", "length": "#,##0.00", "share": "0.0%"}
_WIDTHS: dict[str, float] = {"text": 18, "count": 10, "area": 18, "length": 12, "share": 10, "wide": 46}

#: Rows of one worksheet in the file format, less the head.
MOST_ROWS = 1_048_576 - 2
_ILLEGAL = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head (with the unit) and what it holds."""

    head: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. ``rows`` may be an iterator; ``notes`` stand under the table."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The first sheet: a title and (label, value) lines; a line with an empty label is a heading."""

    title: str
    heading: str
    lines: Sequence[tuple[str, Any]] = field(default_factory=tuple)


def write_xlsx(summary: Summary, sheets: Sequence[Sheet], path: Path) -> None:
    """Write a workbook.

    Raises:
        PlannerError: ``report.not_written``, ``report.too_many_rows``.
    """
    from openpyxl import Workbook

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")  # refused before the work, not after it
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error
    book = Workbook(write_only=True)
    try:
        with file:
            _write_summary(book, summary)
            for sheet in sheets:
                _write_sheet(book, sheet)
            book.save(file)
    except BaseException:
        for sheet in book.worksheets:
            with suppress(Exception):
                sheet.close()
        path.unlink(missing_ok=True)
        raise


def _styles() -> dict[str, Any]:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    thin = Side(style="thin", color="DFE3E8")
    return {
        "title": Font(size=16, bold=True, color="1D2430"),
        "heading": Font(bold=True, color="1F5FAE"),
        "label": Font(color="5B6675"),
        "head": Font(bold=True, color="1D2430"),
        "note": Font(italic=True, color="5B6675"),
        "fill": PatternFill("solid", fgColor="EEF1F4"),
        "line": Border(bottom=thin),
        "right": Alignment(horizontal="right", vertical="center", wrap_text=True),
        "left": Alignment(horizontal="left", vertical="center", wrap_text=True),
        "top": Alignment(vertical="top", wrap_text=True),
    }


def _cell(sheet: Any, value: Any, **look: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet)
    _fill(cell, value)
    for name, setting in look.items():
        setattr(cell, name, setting)
    return cell


def _fill(cell: Any, value: Any) -> None:
    if isinstance(value, str):
        cell.value = value.translate(_ILLEGAL)
        cell.data_type = "s"  # a class named "=A1" is a text, not a formula
    elif isinstance(value, float) and not math.isfinite(value):
        cell.value = None
    else:
        cell.value = value


def _write_summary(book: Any, summary: Summary) -> None:
    look = _styles()
    sheet = book.create_sheet(_title(summary.title))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 74
    sheet.sheet_view.showGridLines = False
    sheet.append([_cell(sheet, summary.heading, font=look["title"])])
    for label, value in summary.lines:
        if not label:
            sheet.append([])
            sheet.append([_cell(sheet, value, font=look["heading"])])
            continue
        form = {"number_format": "#,##0.00"} if isinstance(value, float) else {}
        form |= {"number_format": "#,##0"} if isinstance(value, int) else {}
        shown = _cell(sheet, value, alignment=look["left"], **form)
        sheet.append([_cell(sheet, label, font=look["label"], alignment=look["left"]), shown])


def _write_sheet(book: Any, table: Sheet) -> None:
    from openpyxl.utils import get_column_letter

    look = _styles()
    sheet = book.create_sheet(_title(table.title))
    sheet.freeze_panes = "A2"
    for number, column in enumerate(table.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS[column.kind]
    heads = []
    for column in table.columns:
        side = look["left"] if column.kind in ("text", "wide") else look["right"]
        heads.append(
            _cell(sheet, column.head, font=look["head"], fill=look["fill"], border=look["line"], alignment=side)
        )
    sheet.append(heads)
    count = 0
    kinds = [column.kind for column in table.columns]
    cells = [_cell(sheet, None, number_format=_FORMATS.get(kind, "General")) for kind in kinds]
    for row in table.rows:
        count += 1
        if count > MOST_ROWS:
            raise PlannerError("report.too_many_rows", sheet=table.title, most=MOST_ROWS)
        for cell, value in zip(cells, row, strict=True):  # the writer is done with a cell once its row is appended
            _fill(cell, value)
        sheet.append(cells)
    if count:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{count + 1}"
    for note in table.notes:
        sheet.append([])
        sheet.append([_cell(sheet, note, font=look["note"])])


def _title(text: str) -> str:
    """A sheet name as the file format allows it: 31 characters, none of ``[]:*?/\\``."""
    return "".join("-" if char in "[]:*?/\\" else char for char in text)[:31]
