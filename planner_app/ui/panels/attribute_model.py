"""The attribute table's rows: ids in order are held, cells are read in pages when they come into view."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from typing import Any, NoReturn

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo
from planner_app.i18n import tr
from planner_app.ui.canvas.feature_text import shown
from planner_app.ui.session import Session
from planner_app.ui.sync.rights import refusal

Index = QModelIndex | QPersistentModelIndex
_PAGE = 128
_PAGES_KEPT = 48
_NUMBERS = ("integer", "real")


def split_filter(text: str) -> tuple[str, str]:
    """(text to look for in every column, SQL condition) of what was typed: ``=far > 2.5`` is a condition."""
    text = text.strip()
    return ("", text[1:].strip()) if text.startswith("=") else (text, "")


def parse_cell(info: FieldInfo, text: str) -> Any:
    """The value a person typed for a field; empty text is no value.

    Raises:
        PlannerError: ``ui.not_a_number``, ``ui.not_a_whole_number``, ``ui.not_a_date``.
    """
    text = text.strip()
    if text == "":
        return None
    name = info.alias or info.name
    if info.type in _NUMBERS:
        cleaned = text.replace(",", "").replace("，", "").replace(" ", "")
        try:
            number = float(cleaned)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise PlannerError("ui.not_a_number", text=text, field=name)
        if info.type == "real":
            return number
        if not number.is_integer():
            raise PlannerError("ui.not_a_whole_number", text=text, field=name)
        # Through the text: a float holds whole numbers only up to 2^53.
        return int(cleaned) if cleaned.lstrip("+-").isdecimal() else int(number)
    if info.type == "boolean":
        return text.casefold() in ("1", "true", "yes", "y", "是", tr("yes").casefold())
    if info.type == "date":
        found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", text)
        try:
            return date(*map(int, found.groups())).isoformat() if found else _no_date(text, name)
        except ValueError:
            _no_date(text, name)
    return text


def _no_date(text: str, name: str) -> NoReturn:
    raise PlannerError("ui.not_a_date", text=text, field=name) from None


class AttributeModel(QAbstractTableModel):
    """Rows of one layer. Column 0 is the feature's number, then the fields."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.layer: LayerInfo | None = None
        self.fids: list[int] = []
        self._rows: dict[int, int] = {}
        self._pages: OrderedDict[int, dict[int, tuple[Any, ...]]] = OrderedDict()

    def show(self, layer: LayerInfo | None, fids: Sequence[int]) -> None:
        """Show these features of a layer in this order."""
        self.beginResetModel()
        self.layer = layer
        self.fids = list(fids)
        self._rows = {fid: row for row, fid in enumerate(self.fids)}
        self._pages.clear()
        self.endResetModel()

    def row_of(self, fid: int) -> int:
        """The row of a feature, -1 if it is filtered out."""
        return self._rows.get(fid, -1)

    def values(self, fid: int) -> tuple[Any, ...] | None:
        """Field values of a shown feature, in the layer's order."""
        row = self.row_of(fid)
        return self._cells(row) if row >= 0 else None

    def forget(self, change: ChangeSet) -> None:
        """Cells of this layer changed: read them again when they are looked at."""
        self._pages.clear()
        if self.fids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.fids) - 1, self.columnCount() - 1))

    def _cells(self, row: int) -> tuple[Any, ...] | None:
        number = row // _PAGE
        page = self._pages.get(number)
        if page is None:
            page = self._read(number)
            self._pages[number] = page
            while len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page.get(self.fids[row])

    def _read(self, number: int) -> dict[int, tuple[Any, ...]]:
        project = self.session.project
        if project is None or self.layer is None:
            return {}
        wanted = self.fids[number * _PAGE : (number + 1) * _PAGE]
        names = [f.name for f in self.layer.fields]
        try:
            table = project.read(self.layer.id, columns=names, fids=wanted, geometry=False)
        except PlannerError as error:
            self.session.show_error(error)
            return {}
        columns = [table.columns[name] for name in names]
        return {int(fid): tuple(column[i] for column in columns) for i, fid in enumerate(table.fids)}

    # QAbstractTableModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.fids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.layer is None else len(self.layer.fields) + 1

    def field(self, column: int) -> FieldInfo | None:
        """The field of a column, None for the feature's number."""
        return self.layer.fields[column - 1] if self.layer is not None and column > 0 else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or self.layer is None:
            return None
        info = self.field(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return tr("No.") if info is None else info.alias or info.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Feature number in the file (fid)") if info is None else f"{info.name} ({info.type})"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(info)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        info = self.field(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(info)
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return None
        if info is None:
            return str(self.fids[index.row()])
        cells = self._cells(index.row())
        value = cells[index.column() - 1] if cells is not None else None
        if role == Qt.ItemDataRole.EditRole:
            return "" if value is None else str(value)
        return shown(value)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        info = self.field(index.column())
        if info is None or info.type == "blob" or self.layer is None:
            return flags
        if not refusal(self.session, self.layer, info.name):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        info = self.field(index.column())
        if role != Qt.ItemDataRole.EditRole or info is None or self.layer is None:
            return False
        if str(value) == self.data(index, Qt.ItemDataRole.EditRole):
            return False
        from planner_app.project.commands import EditCells

        try:
            parsed = parse_cell(info, str(value))
        except PlannerError as error:
            self.session.show_error(error)
            return False
        command = EditCells(self.layer.id, [self.fids[index.row()]], info.name, [parsed])
        return self.session.execute(command, self) is not None


def _alignment(info: FieldInfo | None) -> Qt.AlignmentFlag:
    right = info is not None and info.type in _NUMBERS
    return (Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
