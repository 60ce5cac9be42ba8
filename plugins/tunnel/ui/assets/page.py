"""What there is: search, figures, a tree of tunnels and networks, the chosen asset with what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import (
    Card,
    CardList,
    CardText,
    DistributionBar,
    Form,
    KeyFigures,
    Notice,
    Share,
    TaskPage,
    button,
    combo,
    label,
)
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.overview import AssetRow, Details, Overview, read_details, read_overview, rows_of
from plugins.tunnel.ui.assets import words
from plugins.tunnel.ui.assets.actions import Actions
from plugins.tunnel.ui.assets.card import AssetCard
from plugins.tunnel.ui.assets.rows import AssetTable
from plugins.tunnel.ui.assets.search import SearchBox
from plugins.tunnel.ui.assets.tree import AssetTree, Group
from plugins.tunnel.ui.state import Asset, state_of

_GROUPS = ("kind", "status", "material", "age", "owner")
_GREYS = ("#1F5FAE", "#2E8B8B", "#8A5FB5", "#B5793A", "#5B8C3E", "#A34A6B", "#66707D", "#3D7FD0")
_STATE_COLOURS = {"planned": "#66707D", "building": "#D08A2A", "in_use": "#1F7A3D", "abandoned": "#C0322B"}
_MOST_SHARES = 8
#: Tables of ``model.assets.adding.ADDABLE``, which loads too much for the window's start.
_ADDABLE = ("tunnel_node", "equipment", "net_node", "valve", "service_point")


class AssetsPage(TaskPage):
    """The page."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.state = state_of(context)
        self.overview = Overview()
        self.details: Details | None = None
        self._group: Group | None = None
        self._filter = ""
        self._tables: frozenset[str] = frozenset()
        self.notice = Notice()
        self.doing = Actions(context, self.state, self, self.notice)
        self.table = AssetTable(context, self.state, self.doing.import_file)
        self.table.activated.connect(self.doing.zoom)
        self._build()
        self.state.records_changed.connect(self._records_changed)
        self.state.project_changed.connect(self._project_changed)
        self.state.asset_changed.connect(self._asset_changed)
        self.state.commands["find_asset"] = self.search.run
        self.state.commands["import_network"] = self.doing.import_file
        context.selection.changed.connect(self._map_selected)
        context.theme_changed.connect(self._show)
        for part in self._parts_when_read():
            part.hide()
        self.reload()

    def _parts_when_read(self) -> tuple[QWidget, ...]:
        return (
            self.figures, self._grouped, self.bar, self.tree, self.labeller, self.importer, self.adder,
            self._nothing, self._start, self.waiting,
        )  # fmt: skip

    def _build(self) -> None:
        self.search = SearchBox(self._context, self.state)
        form = Form()
        form.add(tr("Find"), self.search, tall=True)
        self.importer = button(tr("Import…"), self.doing.import_file)
        self.labeller = button(tr("Labels…"), self.labels)
        self.adder = QPushButton(tr("New…"))
        self.adder.setMenu(self._new_menu())
        form.add_buttons(self.importer, self.adder, self.labeller)
        self.waiting = CardList()
        self.figures = KeyFigures(3)
        self.grouping = combo(self._show_shares)
        for key in _GROUPS:
            self.grouping.addItem(words.group(key), key)
        self._grouped = Form()
        self._grouped.add(tr("Kilometres by"), self.grouping)
        self.bar = DistributionBar()
        self.bar.clicked.connect(self._share_clicked)
        self.tree = AssetTree()
        self.tree.chosen.connect(self.show_group)
        self._nothing = label(
            tr(
                "This project holds no tunnels or pipes yet. Import a surveyed pipe table (CSV, XLSX), an EPANET "
                "network, CityGML utilities or any layer of lines; pipes of approved drawings are offered here."
            ),
            "secondary",
            wrap=True,
        )
        self.first_import = button(tr("Import pipes…"), self.doing.import_file, "primary")
        self._start = _left(self.first_import)
        self.add(form, self.notice, self.waiting, self._nothing, self._start, self.figures,
                 self._grouped, self.bar, self.tree)  # fmt: skip
        self.card = AssetCard(self.act)
        self.set_foot(self.card)

    def _new_menu(self) -> QMenu:
        menu = QMenu(self)
        for table in _ADDABLE:
            menu.addAction(words.table(table), partial(self.doing.add, table))
        return menu

    # reading

    def reload(self) -> None:
        """Read everything that is shown."""
        project = self._context.project
        if project is None:
            self._take(Overview())
            return

        def work() -> Overview:
            return read_overview(project)

        self._context.in_background("assets.overview", work, self._take, self._failed)
        if self._group is not None:
            self.show_group(self._group, front=False)
        self._read_details()

    def _take(self, overview: Overview) -> None:
        self.overview = overview
        self._tables = frozenset(layer.id for layer in overview.layers.values())
        self._show()

    def _failed(self, error: Exception) -> None:
        self.notice.say(*self._context.word(error), level="error")

    def _records_changed(self, touched: frozenset[str]) -> None:
        reviewed = any(name.startswith("review_") for name in touched)
        if "" in touched or reviewed or touched & self._tables or any("asset_event" in name for name in touched):
            self.reload()

    def _project_changed(self) -> None:
        self._group, self._filter = None, ""
        self.notice.clear()
        self.search.forget()
        self.table.show(tr("Assets"), [], front=False)
        self.reload()

    # showing

    def _show(self) -> None:
        overview, stats = self.overview, self.overview.statistics
        empty = overview.empty
        for part in (self.figures, self._grouped, self.bar, self.tree, self.labeller, self.importer, self.adder):
            part.setVisible(not empty)
        self._nothing.setVisible(empty)
        self._start.setVisible(empty)
        self.first_import.setEnabled(self._context.project is not None)
        cards = [self._waiting_card(at) for at in range(len(overview.waiting))]
        cards += [self._join_card(case, count) for case, count in overview.joins.items()]
        self.waiting.set_cards(cards)
        self.waiting.setVisible(bool(cards))
        if stats is not None:
            coming = stats.states.get("planned", 0) + stats.states.get("building", 0)
            self.figures.set(
                [
                    (f"{stats.tunnel_km:,.2f}", tr("km tunnel")),
                    (f"{stats.line_km:,.1f}", tr("km pipes, cables")),
                    (f"{coming:,}", tr("planned, building")),
                ]
            )
        self._show_shares()
        self.tree.show_overview(overview)

    def _waiting_card(self, at: int) -> Card:
        one = self.overview.waiting[at]
        parts = []
        if one.new:
            parts.append(tr("{count} approved pipes of case {case} are not assets yet.", count=len(one.new),
                            case=one.number))  # fmt: skip
        if one.moved:
            parts.append(tr("{count} planned pipes were changed by a newer drawing.", count=len(one.moved)))
        if one.built:
            parts.append(tr("{count} pipes are built as the survey of case {case} shows.", count=len(one.built),
                            case=one.number))  # fmt: skip
        if one.extra:
            parts.append(tr("{count} surveyed pipes were not in the design.", count=len(one.extra)))
        title = " · ".join(part for part in (one.number, one.title) if part)
        card = Card(CardText(one.number, title, "", " ".join(parts), ("needs_certificate", tr("to adopt"))))
        card.add(_left(button(tr("Adopt"), partial(self.doing.adopt, one.number))))
        return card

    def _join_card(self, case: str, count: int) -> Card:
        said = tr("{count} ends of the adopted pipes could be joined to the city's network.", count=count)
        card = Card(CardText(f"join:{case}", case, "", said, ("needs_certificate", tr("to join"))))
        card.add(_left(button(tr("Join…"), partial(self.doing.join, case))))
        return card

    def _show_shares(self) -> None:
        stats = self.overview.statistics
        if stats is None:
            return
        key = str(self.grouping.currentData())
        rows: Sequence[tuple[str, float, int]] = {
            "kind": stats.by_kind, "status": stats.by_status, "material": stats.by_material, "age": stats.by_age,
            "owner": stats.by_owner,
        }[key]  # fmt: skip
        shares = []
        for at, (name, km, _) in enumerate(rows[:_MOST_SHARES]):
            text, colour = name or tr("not stated"), _GREYS[at % len(_GREYS)]
            if key == "kind":
                text, colour = words.kind(name), cjj61.KINDS[name].colour if name in cjj61.KINDS else "#6600CC"
            elif key == "status":
                text, colour = words.status(name), _STATE_COLOURS[name]
            elif key == "age":
                text = words.band(name)
            shares.append(Share(name or "-", text, km, colour, f"{km:,.1f} km"))
        self.bar.set(shares, self._filter)

    def _share_clicked(self, key: str) -> None:
        """List the lines behind a share; a second click lists all."""
        self._filter = "" if key == self._filter else key
        self._show_shares()
        self.show_group(Group("net_line", "", None, tr("Pipes & cables")))

    def show_group(self, group: Group, *, front: bool = True) -> None:
        """List the rows of an entry of the tree in the dock."""
        project = self._context.project
        if project is None:
            return
        self._group = group
        if group.table == "tunnel" and group.tunnel and front:
            self._choose_tunnel(group.tunnel)
        keep = self._keep() if group.table == "net_line" and not group.tunnel and group.network is None else None

        def work() -> list[AssetRow]:
            tunnel = "" if group.table == "tunnel" else group.tunnel
            found = rows_of(project, group.table, tunnel=tunnel, network=group.network)
            return found if keep is None else [one for one in found if keep(one)]

        self._context.in_background("assets.rows", work, partial(self._rows_read, group, front), self._failed)

    def _rows_read(self, group: Group, front: bool, rows: list[AssetRow]) -> None:
        self.table.show(group.title or words.table(group.table), rows, front=front)

    def _keep(self) -> Callable[[AssetRow], bool] | None:
        """The filter of the distribution bar."""
        wanted = "" if self._filter == "-" else self._filter
        if not self._filter:
            return None
        key = str(self.grouping.currentData())
        if key == "age":
            from datetime import date

            from plugins.tunnel.model.assets.register import age_band

            now = date.today().year
            return lambda one: age_band(one.year, now) == wanted
        return lambda one: str(getattr(one, key)) == wanted

    def _choose_tunnel(self, code: str) -> None:
        tunnel = next((one for one in self.overview.tunnels if one.code == code), None)
        layer = self.overview.layers.get("tunnel")
        if tunnel is not None and layer is not None:
            self._context.selection.set(layer.id, [tunnel.fid])
            self._context.map.zoom_to_features(layer.id, [tunnel.fid])
            self.state.select(Asset("tunnel", tunnel.fid, tunnel.code))

    # the chosen asset

    def _map_selected(self) -> None:
        """A feature chosen on the map is the asset chosen here."""
        selection = self._context.selection
        for table, layer in self.overview.layers.items():
            fids = selection.fids(layer.id)
            if len(fids) == 1:
                asset = self.state.asset
                if asset is None or (asset.table, asset.fid) != (table, fids[0]):
                    self._choose(table, fids[0])
                return

    def _choose(self, table: str, fid: int) -> None:
        project = self._context.project
        if project is None:
            return

        def work() -> Details | None:
            return read_details(project, table, fid)

        def done(details: Details | None) -> None:
            if details is not None:
                self.state.select(Asset(table, fid, details.row.code))

        self._context.in_background("assets.choose", work, done, self._failed)

    def _asset_changed(self) -> None:
        self._read_details()

    def _read_details(self) -> None:
        asset, project = self.state.asset, self._context.project
        if asset is None or project is None:
            self._show_details(None)
            return

        def work() -> Details | None:
            return read_details(project, asset.table, asset.fid)

        self._context.in_background("assets.details", work, self._show_details, self._failed)

    def _show_details(self, details: Details | None) -> None:
        self.details = details
        self.card.show_details(details)

    def act(self, action: str) -> None:
        """Do something with the chosen asset."""
        if action == "close" or self.details is None:
            self.state.select(None)
        else:
            self.doing.act(action, self.details)

    def labels(self) -> None:
        """Label sheets for what is selected in the table, else for all it lists."""
        rows = self.table.selected()
        rows = rows if len(rows) > 1 else list(self.table.model.rows)
        if not rows:
            self.notice.say(tr("Choose an entry of the tree first: labels are made for what the table lists."))
            return
        self.doing.labels(rows[0].table, [one.fid for one in rows])


def _left(widget: QWidget) -> QWidget:
    """A widget of its own width at the left of a row."""
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(widget)
    line.addStretch(1)
    return holder
