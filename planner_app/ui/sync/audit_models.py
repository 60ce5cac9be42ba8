"""The tables of the history page: revisions, and the cells a revision changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import PILL_ROLE, SORT_ROLE, WIDTH_ROLE
from planner_app.sync.types import Revision
from planner_app.ui.sync.audit import Change, operation_word, why
from planner_app.ui.sync.status import short_time

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RowsModel(QAbstractTableModel):
    """Rows of anything; a subclass says heads and cells."""

    def __init__(self, heads: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._heads = heads
        self.rows: list[Any] = []
        self.right: frozenset[int] = frozenset()
        self.widths: dict[int, int] = {}

    def show(self, rows: Sequence[Any]) -> None:
        """Show these."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == WIDTH_ROLE:
            return self.widths.get(section)
        return _RIGHT if role == Qt.ItemDataRole.TextAlignmentRole and section in self.right else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.text(row, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in self.right:
            return _RIGHT
        return self.more(row, index.column(), role)

    def text(self, row: Any, column: int) -> str:
        """A cell."""
        raise NotImplementedError

    def more(self, row: Any, column: int, role: int) -> Any:
        """Other roles of a cell."""
        return None


class RevisionModel(RowsModel):
    """Who made which revision when and why."""

    def __init__(self, layers: Callable[[], Iterable[LayerInfo]], parent: QObject | None = None) -> None:
        super().__init__((tr("Rev."), tr("Time"), tr("Who"), tr("Why")), parent)
        self._layers = layers
        self.right = frozenset({0})
        self.widths = {0: 62, 2: 92, 3: 90}  # the last takes what is left

    def text(self, row: Revision, column: int) -> str:
        return (f"{row.revision:,}", short_time(row.time), row.user, why(row, self._layers()))[column]

    def more(self, row: Revision, column: int, role: int) -> Any:
        if role == SORT_ROLE:
            return row.revision if column < 2 else None
        return None


class ChangeModel(RowsModel):
    """What a revision changed, a line per cell."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__((tr("Done"), tr("Feature"), tr("Field"), tr("Value before"), tr("Value after")), parent)
        self.widths = {0: 70, 1: 150, 2: 96, 3: 130, 4: 130}

    def text(self, row: Change, column: int) -> str:
        record = f"{row.layer_name} · {row.record}"
        return (operation_word(row.row.operation)[1], record, row.column, row.before, row.after)[column]

    def more(self, row: Change, column: int, role: int) -> Any:
        return operation_word(row.row.operation)[0] if role == PILL_ROLE and column == 0 else None
