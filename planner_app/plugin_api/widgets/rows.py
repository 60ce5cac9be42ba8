"""Tables of the dock from a list of columns: each says how a row reads, sorts and is coloured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from planner_app.plugin_api.widgets.basics import PILL_ROLE, SORT_ROLE, WIDTH_ROLE

T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column.

    Attributes:
        text: what the cell reads; sort: the number it sorts by, None last; right: figures.
        pill: theme token of a pill, None for plain text; link: whether a click leads on, shown in the accent colour.
        width: most pixels (of a 13 px font) it takes at first; 0: all it needs.
        tip: longer text of the tooltip.
    """

    title: str
    text: Callable[[T], str]
    sort: Callable[[T], float | None] | None = None
    right: bool = False
    pill: Callable[[T], str | None] | None = None
    link: Callable[[T], bool] | None = None
    width: int = 0
    tip: Callable[[T], str] | None = None


class RowTable(QAbstractTableModel, Generic[T]):
    """Rows of one type.

    Args:
        columns: from left to right.
        colour: theme token → ``#rrggbb``; needed for columns with links.
    """

    def __init__(
        self, columns: Sequence[Column[T]], parent: QObject | None = None, *, colour: Callable[[str], str] | None = None
    ) -> None:
        super().__init__(parent)
        self.columns, self._colour = tuple(columns), colour
        self.rows: list[T] = []

    def show(self, rows: Sequence[T], *, keep: bool = False) -> None:
        """Show these rows. ``keep``: they are the same ones, read again; while their number stays, selection and
        scroll position stay too."""
        if keep and rows and len(rows) == len(self.rows):
            self.rows = list(rows)
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.columns) - 1))
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole and column.right:
            return _RIGHT
        return column.width or None if role == WIDTH_ROLE else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return (column.tip or column.text)(row) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.right else None
        if role == PILL_ROLE and column.pill is not None:
            return column.pill(row)
        if role == Qt.ItemDataRole.ForegroundRole and self._colour and column.link is not None and column.link(row):
            return QColor(self._colour("accent"))
        if role == SORT_ROLE and column.sort is not None:
            value = column.sort(row)
            return float("-inf") if value is None else value
        return None
