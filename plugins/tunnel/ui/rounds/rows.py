"""The dock's table of operation: rounds, defects or work orders, whichever tab of the page is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from planner_app.plugin_api.widgets import PILL_ROLE, SORT_ROLE, WIDTH_ROLE

Index = QModelIndex | QPersistentModelIndex
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class Column:
    """``text``: what a cell reads; ``sort``: the figure it sorts by; ``right``: figures; ``pill``: theme token;
    ``width``: most pixels it takes at first."""

    title: str
    text: Callable[[Any], str]
    sort: Callable[[Any], float] | None = None
    right: bool = False
    pill: Callable[[Any], str] | None = None
    width: int = 0


class Rows(QAbstractTableModel):
    """Records under columns that say how each reads."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self.rows: list[Any] = []

    def show(self, rows: Sequence[Any]) -> None:
        """Show these records."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole and column.right:
            return _RIGHT
        return column.width or None if role == WIDTH_ROLE else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], self._columns[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole and column.right:
            return _RIGHT
        if role == PILL_ROLE and column.pill is not None:
            return column.pill(row)
        return column.sort(row) if role == SORT_ROLE and column.sort is not None else None
