"""All conflicts in the dock, a line per cell: to be sorted, filtered and gone through at the full width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import SWATCH_ROLE
from planner_app.ui.dock import DockTableView
from planner_app.ui.sync.audit_models import RowsModel
from planner_app.ui.sync.conflict_list import COLOURS
from planner_app.ui.sync.disputes import Dispute, column_name, sides

if TYPE_CHECKING:
    from planner_app.ui.sync.room import SyncRoom


class ConflictModel(RowsModel):
    """Rows: (dispute, column's name, before, mine, the server's, revision)."""

    def __init__(self, parent: QObject | None = None) -> None:
        heads = (tr("Layer"), tr("Feature"), tr("Field"), tr("Was"), tr("Mine"), tr("Server"), tr("Rev."))
        super().__init__(heads, parent)
        self.right = frozenset({6})
        self.widths = {0: 110, 1: 150, 2: 100, 3: 145, 4: 145, 5: 145, 6: 56}

    def text(self, row: Any, column: int) -> str:
        dispute, name, before, mine, theirs, revision = row
        return (
            dispute.layer_name, dispute.name, name, before, mine, theirs, f"{revision:,}" if revision else "",
        )[column]  # fmt: skip

    def more(self, row: Any, column: int, role: int) -> Any:
        if role == SWATCH_ROLE and self.text(row, column):
            return {3: COLOURS["base"], 4: COLOURS["mine"], 5: COLOURS["theirs"]}.get(column)
        return None


class ConflictTable(QObject):
    """The table and what choosing a line does."""

    def __init__(self, room: SyncRoom) -> None:
        super().__init__(room)
        self._room = room
        self._model = ConflictModel(self)
        self.view = DockTableView(
            room.window.dock, "plugin:sync:conflicts", tr("Conflicts: {count}", count=0), room.window.reveal_dock
        )
        self.view.set_model(self._model)
        self.view.set_empty(tr("Nothing to choose: what you and others changed fits together."))
        self.view.current_changed.connect(self._chosen)
        self._laid_out = False

    def show_disputes(self, disputes: Sequence[Dispute]) -> None:
        """Show these."""
        rows = []
        for dispute in disputes:
            layer = self._room.session.layer(dispute.layer)
            for one in dispute.conflicts:
                field = layer.field(one.column) if layer is not None and one.kind == "cell" else None
                words = sides(one, field.type if field is not None else "")
                rows.append((dispute, column_name(one, layer), *words, one.revision))
        self._model.show(rows)
        if rows and not self._laid_out:  # sides are compared: their columns are alike, whatever the first rows hold
            self._laid_out = True
            for column, width in self._model.widths.items():
                self.view.view.horizontalHeader().resizeSection(column, self._room.session.theme.px(width))
        self.view.set_title(tr("Conflicts: {count}", count=len(rows)))

    def select(self, key: str) -> None:
        """Mark the lines of a record."""
        self.view.select_rows([number for number, row in enumerate(self._model.rows) if row[0].key == key])

    def _chosen(self, rows: list[int]) -> None:
        if rows:
            self._room.open_dispute(self._model.rows[rows[0]][0].key)
