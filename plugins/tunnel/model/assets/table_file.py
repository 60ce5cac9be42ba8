"""Tables of a survey as text: CSV in whatever encoding, sheets of a workbook; heads of one row or two."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.text_encoding import read_text
from plugins.tunnel.model.assets.mapping import meaning, plain, recognise

#: Titles and dates may stand above a head.
_SEARCHED_ROWS = 15
_MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table: its sheet, heads, other readings of each head, rows of text, and the number of each row in the file."""

    sheet: str
    heads: tuple[str, ...]
    readings: tuple[tuple[str, ...], ...]
    rows: list[list[str]]
    numbers: list[int]

    def recognised(self) -> dict[str, str]:
        """Meaning → head."""
        return recognise(self.heads, self.readings)


def is_table_file(path: Path) -> bool:
    """True for the files this module reads."""
    return path.suffix.casefold() in (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls")


def read_tables(path: Path, encoding: str = "", mapped: Collection[str] = ()) -> list[RawTable]:
    """The tables of a file that have a head and rows.

    Args:
        mapped: heads that a person's mapping names, beside those that are known.

    Raises:
        PlannerError: ``tunnel.table_unreadable``, ``tunnel.table_old_excel``, ``tunnel.table_empty``, ``import.*``.
    """
    suffix = path.suffix.casefold()
    if suffix == ".xls":
        raise PlannerError("tunnel.table_old_excel", file=path.name)
    if not path.is_file():
        raise PlannerError("import.no_file", file=str(path))
    raw = _workbook(path) if suffix in (".xlsx", ".xlsm") else {path.stem: _csv(path, encoding)}
    named = frozenset(plain(head) for head in mapped)
    tables = [table for sheet, rows in raw.items() if (table := _table(sheet, rows, named)) is not None]
    if not tables:
        raise PlannerError("tunnel.table_empty", file=path.name)
    return tables


def _csv(path: Path, encoding: str) -> list[list[str]]:
    text, _ = read_text(path, encoding)
    csv.field_size_limit(2**24)
    head = "\n".join(text.split("\n", _SEARCHED_ROWS)[:_SEARCHED_ROWS])
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=head.count)))
    except csv.Error as error:
        raise PlannerError("tunnel.table_unreadable", file=path.name, detail=str(error)) from error


def _workbook(path: Path) -> dict[str, list[list[str]]]:
    import warnings
    import zipfile

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            sheets = {}
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # some programs write a wrong size
                sheets[sheet.title] = [
                    [_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True, max_row=_MOST_ROWS)
                ]
            book.close()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PlannerError("tunnel.table_unreadable", file=path.name, detail=str(error)) from error
    return sheets


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def _table(sheet: str, rows: Sequence[Sequence[str]], mapped: frozenset[str]) -> RawTable | None:
    """The table of a sheet below the row that reads most like its head; None if none does."""
    best, found = 0, None
    for at in range(min(len(rows), _SEARCHED_ROWS)):
        for tall in (1, 2):
            readings = _readings(rows, at, tall)
            known = len(recognise([str(n) for n in range(len(readings))], readings))
            known += sum(any(plain(one) in mapped for one in names) for names in readings)
            if known > best and _is_head(rows[at : at + tall]):
                best, found = known, (at, tall, readings)
    if found is None:
        return None
    at, tall, readings = found
    heads = _distinct(
        [next((one for one in names if plain(one) in mapped or meaning(one)), names[0]) for names in readings]
    )
    first = [plain(cell) for cell in rows[at]]
    kept, numbers = [], []
    for number, row in enumerate(rows[at + tall :], at + tall + 1):
        cells = [cell.strip() for cell in (*row[: len(heads)], *[""] * (len(heads) - len(row)))]
        repeated = [plain(cell) for cell in cells[: len(first)]] == first[: len(cells)]  # pages repeat the head
        if any(cells) and not repeated:
            kept.append(cells)
            numbers.append(number)
    return RawTable(sheet, tuple(heads), tuple(readings), kept, numbers)


def _is_head(rows: Sequence[Sequence[str]]) -> bool:
    """A head has words, not numbers."""
    numbers = sum(_number(cell) for row in rows for cell in row if cell)
    return numbers == 0


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _readings(rows: Sequence[Sequence[str]], at: int, tall: int) -> list[tuple[str, ...]]:
    """How each column's head may be read: of two rows the upper one stands above the blanks at its right."""
    upper = [cell.strip() for cell in rows[at]]
    if tall == 1 or at + 1 >= len(rows):
        return [(cell,) for cell in upper]
    lower = [cell.strip() for cell in rows[at + 1]]
    wide = max(len(upper), len(lower))
    upper, lower = upper + [""] * (wide - len(upper)), lower + [""] * (wide - len(lower))
    over, above = [], ""
    for top, below in zip(upper, lower, strict=True):
        above = top or (above if below else "")
        over.append(above)
    return [
        (below, below + top, top + below, top) if below and top else (below or top,)
        for top, below in zip(over, lower, strict=True)
    ]


def _distinct(names: Sequence[str]) -> list[str]:
    used: dict[str, int] = {}
    made = []
    for at, name in enumerate(names, 1):
        base = name or f"#{at}"
        used[base] = used.get(base, 0) + 1
        made.append(base if used[base] == 1 else f"{base} ({used[base]})")
    return made
