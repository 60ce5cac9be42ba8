"""The dock's table of assets: the rows of what is chosen in the tree, linked with page and map both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import SWATCH_ROLE, Column, RowTable
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.overview import AssetRow
from plugins.tunnel.ui.assets import words
from plugins.tunnel.ui.state import Asset, TunnelState

Index = QModelIndex | QPersistentModelIndex


class _AssetRows(RowTable[AssetRow]):
    """Rows with the standard's colour before the kind of a line."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == SWATCH_ROLE and index.isValid() and index.column() == 1:
            row = self.rows[index.row()]
            return cjj61.colour_of(row.kind) if row.table == "net_line" else None
        return super().data(index, role)


class AssetTable(QObject):
    """The table in the bottom dock.

    Signals:
        activated(AssetRow): double click or Enter.
    """

    activated = Signal(object)

    def __init__(self, context: PanelContext, state: TunnelState, on_import: Callable[[], None]) -> None:
        super().__init__(state)
        self._context, self._state = context, state
        self._quiet = False
        self._columns: list[Column[AssetRow]] = [
            Column(tr("Code"), lambda one: one.code, width=150),
            Column(tr("Kind"), lambda one: words.kind(one.kind) if one.table == "net_line" else words.word_of(one.kind),
                   width=170),
            Column(tr("Nominal size"), lambda one: one.size, lambda one: float(one.size[2:] or 0), right=True),
            Column(tr("Material"), lambda one: one.material, width=130),
            Column(tr("State"), lambda one: words.status(one.status) if one.status else "",
                   pill=lambda one: words.STATUS_TOKEN.get(one.status)),
            Column(tr("Year laid"), lambda one: str(one.year or ""), lambda one: float(one.year or 0), right=True),
            Column(tr("Length, m"), lambda one: "" if one.length is None else f"{one.length:,.1f}",
                   lambda one: one.length or 0.0, right=True),
            Column(tr("Belongs to"), lambda one: words.network(one.place), width=150),
            Column(tr("Chainage"), lambda one: words.station(one.m), lambda one: -1.0 if one.m is None else one.m,
                   right=True),
            Column(tr("Owner"), lambda one: one.owner, width=130),
        ]  # fmt: skip
        self.model = _AssetRows(self._columns, self)
        self.table = context.add_table("assets", tr("Assets"))
        self.table.set_model(self.model)
        self.table.set_empty(
            tr("Choose tunnels, pipes or equipment in the panel to list them here."), tr("Import…"), on_import
        )
        self.table.current_changed.connect(self._chosen)
        self.table.row_activated.connect(lambda at: self.activated.emit(self.model.rows[at]))
        context.selection.changed.connect(self._map_selected)

    def show(self, title: str, rows: Sequence[AssetRow], *, front: bool = True) -> None:
        """List these rows under a title; columns in which nothing stands are left out."""
        self.table.set_title(f"{title} {len(rows):,}")
        self.model.beginResetModel()
        some = rows[:300]
        self.model.columns = tuple(
            one for at, one in enumerate(self._columns) if at < 2 or any(one.text(row) for row in some)
        )
        self.model.rows = list(rows)
        self.model.endResetModel()
        self._map_selected()
        if front:
            self.table.show()

    def selected(self) -> list[AssetRow]:
        """Rows chosen in the table."""
        return [self.model.rows[at] for at in self.table.selected_rows() if at < len(self.model.rows)]

    def _chosen(self, places: Sequence[int]) -> None:
        rows = [self.model.rows[at] for at in places if at < len(self.model.rows)]
        if not rows:
            return
        self._quiet = True
        self._context.selection.set(rows[0].layer_id, [one.fid for one in rows])
        self._quiet = False
        self._state.select(Asset(rows[0].table, rows[0].fid, rows[0].code))

    def _map_selected(self) -> None:
        if self._quiet or not self.model.rows:
            return
        fids = set(self._context.selection.fids(self.model.rows[0].layer_id))
        places = [at for at, row in enumerate(self.model.rows) if row.fid in fids] if fids else []
        self.table.select_rows(places)
