"""The tree of what there is: tunnels with their parts, networks, single tables. A click lists the rows."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem

from planner_app.i18n import tr
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.overview import PARTS, Overview
from plugins.tunnel.ui.assets import words

_KEY = int(Qt.ItemDataRole.UserRole)
_SINGLE = ("net_node", "valve", "service_point", "sensor", "equipment")


class Group(NamedTuple):
    """What an entry stands for: rows of a table, all or those of a tunnel or a network."""

    table: str
    tunnel: str = ""
    network: str | None = None
    title: str = ""


class AssetTree(QTreeWidget):
    """Entries with their figures at the right.

    Signals:
        chosen(Group): an entry was clicked or reached by key.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRootIsDecorated(True)
        self.setIndentation(16)
        self.setUniformRowHeights(True)
        self.setIconSize(QSize(11, 11))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.itemClicked.connect(self._picked)
        self.itemActivated.connect(self._picked)
        self.itemExpanded.connect(lambda _: self._fit())
        self.itemCollapsed.connect(lambda _: self._fit())
        self._open: set[str] = set()

    def show_overview(self, overview: Overview) -> None:
        """Show everything anew; what was open stays open."""
        first = self.topLevelItemCount() == 0
        if not first:
            self._open = {key for key, item in self._roots() if item.isExpanded()}
        self.clear()
        for tunnel in overview.tunnels:
            title = f"{tunnel.code} {tunnel.name}".strip()
            root = self._add(None, title, f"{tunnel.km:,.2f} km", Group("tunnel", tunnel.code, None, title))
            for table in PARTS:
                if count := tunnel.counts.get(table):
                    name = words.table(table)
                    self._add(root, name, f"{count:,}", Group(table, tunnel.code, None, f"{tunnel.code} {name}"))
        if overview.networks:
            title = tr("Pipes & cables")
            stats = overview.statistics
            root = self._add(
                None, title, f"{stats.line_km:,.1f} km" if stats else "", Group("net_line", "", None, title)
            )
            for network in overview.networks:
                name = words.network(network.name) or tr("without a network")
                item = self._add(root, name, f"{network.km:,.1f} km", Group("net_line", "", network.name, name))
                item.setIcon(0, _swatch(cjj61.colour_of(network.kind, network.name)))
        for table in _SINGLE:
            layer = overview.layers.get(table)
            count = overview.statistics.counts.get(table, 0) if overview.statistics else 0
            if layer is not None and count:
                name = words.table(table)
                self._add(None, name, f"{count:,}", Group(table, "", None, name))
        for at, (key, item) in enumerate(self._roots()):
            item.setExpanded(at == 0 if first else key in self._open)
        self._fit()

    def _add(self, parent: QTreeWidgetItem | None, text: str, figure: str, group: Group) -> QTreeWidgetItem:
        item = QTreeWidgetItem(self if parent is None else parent, [text, figure])
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setData(0, _KEY, group)
        item.setToolTip(0, text)
        return item

    def _roots(self) -> list[tuple[str, QTreeWidgetItem]]:
        items = [self.topLevelItem(at) for at in range(self.topLevelItemCount())]
        return [(item.text(0), item) for item in items if item is not None]

    def _picked(self, item: QTreeWidgetItem) -> None:
        group = item.data(0, _KEY)
        if group is not None:
            self.chosen.emit(Group(*group))

    def _fit(self) -> None:
        """As tall as what is open: the page scrolls, not the tree."""
        rows = sum(1 + (item.childCount() if item.isExpanded() else 0) for _, item in self._roots())
        first = self.topLevelItem(0)
        row = self.visualItemRect(first).height() if first is not None else 0
        self.setFixedHeight(rows * max(row, self.sizeHintForRow(0), 26) + 4)


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(22, 22)
    picture.fill(Qt.GlobalColor.transparent)
    picture.setDevicePixelRatio(2)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(0, 0, 11, 11, 2, 2)
    painter.end()
    return QIcon(picture)
