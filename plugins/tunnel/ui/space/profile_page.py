"""The longitudinal profile in the bottom dock: of a tunnel, or of the way between two nodes of a network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import combo, label, tab_bar
from plugins.tunnel.model.space.axis import Axis, station
from plugins.tunnel.model.space.export import PROFILE_SUFFIXES, write_profile
from plugins.tunnel.ui.space.empty import Empty
from plugins.tunnel.ui.space.finding_list import FindingList
from plugins.tunnel.ui.space.looks import Knob, scaled
from plugins.tunnel.ui.space.map_link import NodePick
from plugins.tunnel.ui.space.profile_canvas import EXAGGERATIONS, ProfileCanvas
from plugins.tunnel.ui.space.profile_paint import slope_pieces
from plugins.tunnel.ui.space.reading import JudgedProfile, read_profile

if TYPE_CHECKING:
    from plugins.tunnel.ui.space.desk import SpaceDesk

_FINDINGS, _SLOPES, _NOTES = range(3)


class ProfilePage(QWidget):
    """Chooser, canvas, findings and slopes."""

    def __init__(self, desk: SpaceDesk) -> None:
        super().__init__()
        self.desk, self.context, self.state = desk, desk.context, desk.state
        self.shown: JudgedProfile | None = None
        self.tunnel = ""
        self._path: tuple[str, str] | None = None
        self._wanted: str | None = None
        self.canvas = ProfileCanvas(self.context)
        self.findings = FindingList(self.context)
        self.slopes = _slope_table()
        self.notes = QListWidget()
        self.notes.setWordWrap(True)
        self.notes.setSpacing(4)
        self.empty = Empty(self.context, self.state)
        self._stack = QStackedWidget()
        self._lay_out()
        self.canvas.cursor_moved.connect(self._cursor_moved)
        self.canvas.clicked.connect(self._clicked)
        self.findings.chosen.connect(self._finding_chosen)
        self.slopes.itemSelectionChanged.connect(self._slope_chosen)
        desk.catalogue_changed.connect(self._catalogue_changed)
        self.state.pointed.connect(self._pointed)
        self.state.asset_changed.connect(self._asset_changed)
        self._catalogue_changed()

    def _lay_out(self) -> None:
        self.tunnels = combo(self._tunnel_chosen)
        self.tunnels.setAccessibleName(tr("Tunnel"))
        self.tunnels.setToolTip(tr("Profile of this tunnel"))
        self.start, self.end = QLineEdit(), QLineEdit()
        for field, title in ((self.start, tr("From node")), (self.end, tr("To node"))):
            field.setPlaceholderText(title)
            field.setAccessibleName(title)
            field.setMinimumWidth(scaled(52))
            field.setMaximumWidth(scaled(104))
            field.returnPressed.connect(self._codes_entered)
        self.pick_button = Knob(self.context, "crosshair", tr("Pick two nodes on the map"), self.pick)
        self.times = combo(self._times_chosen)
        self.times.setAccessibleName(tr("Exaggeration of heights"))
        self.times.setToolTip(tr("Exaggeration of heights"))
        self.times.addItem(tr("Heights: auto"), 0)
        for times in EXAGGERATIONS:
            self.times.addItem(tr("Heights ×{times}", times=times), times)
        head = QHBoxLayout()
        head.setContentsMargins(scaled(10), scaled(5), scaled(8), scaled(5))
        head.setSpacing(6)
        self.tunnels.setMaximumWidth(scaled(260))
        for box in (self.tunnels, self.times):
            box.setMinimumContentsLength(4)
        head.addWidget(self.tunnels, 3)
        for part in (label(tr("or"), "small"), self.start, self.end, self.pick_button):
            head.addWidget(part)
        head.addWidget(self.times, 2)
        head.addStretch(2)
        for icon, title, run in (
            ("minus", tr("Zoom out"), lambda: self.canvas.zoom(0.7)),
            ("plus", tr("Zoom in"), lambda: self.canvas.zoom(1.4)),
            ("maximize", tr("Show the whole line"), self.canvas.fit),
            ("download", tr("Export…"), self.export),
        ):
            head.addWidget(Knob(self.context, icon, title, run))
        self.tabs = tab_bar("", "", "")
        self._lists = QStackedWidget()
        self._lists.addWidget(self.findings)
        self._lists.addWidget(self.slopes)
        self._lists.addWidget(self.notes)
        self.tabs.currentChanged.connect(self._lists.setCurrentIndex)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.tabs)
        column.addWidget(self._lists, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.canvas)
        split.addWidget(side)
        split.setStretchFactor(0, 1)
        split.setSizes([scaled(760), scaled(260)])
        split.setChildrenCollapsible(False)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(split)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self._stack, 1)

    # of what

    def open(self, tunnel: str = "") -> None:
        """The profile of a tunnel, of the first without a code (what is shown stays if there is something)."""
        catalogue = self.desk.catalogue
        if catalogue is None:
            self._wanted = tunnel
            return
        code = catalogue.tunnel_of(tunnel) or tunnel
        if not code and self.shown is not None:
            return
        code = code or next((one for one in catalogue.axes), "") or next((one for one, _ in catalogue.tunnels), "")
        if not code:
            self._say_empty()
            return
        self._load(code, None)

    def open_path(self, a: str, b: str) -> None:
        """The profile of the shortest way between two nodes, by their codes."""
        a, b = (one if ":" in one else f"node:{one}" for one in (a.strip(), b.strip()))
        self._load("", (a, b))

    def pick(self) -> None:
        """Let the person pick two nodes on the map."""
        if self.context.project is not None:
            self.context.map.use_tool(lambda: NodePick(self.context, self._picked))

    def _picked(self, a: str, b: str) -> None:
        self.start.setText(a)
        self.end.setText(b)
        self.desk.path_profile(a, b)

    def forget(self) -> None:
        """Another project: nothing of the old one stays."""
        self.shown, self.tunnel, self._path, self._wanted = None, "", None, None
        self.canvas.show_profile(None)
        self.findings.set(())
        self.start.clear()
        self.end.clear()
        self._say_empty()

    def path_axis(self) -> Axis | None:
        """The way between two nodes in plan by chainage; None while a tunnel is shown."""
        return self.shown.axis if self.shown is not None and not self.tunnel else None

    def _tunnel_chosen(self) -> None:
        code = str(self.tunnels.currentData() or "")
        if code:
            self._load(code, None)

    def _codes_entered(self) -> None:
        if self.start.text().strip() and self.end.text().strip():
            self.open_path(self.start.text(), self.end.text())
        else:
            (self.end if self.start.text().strip() else self.start).setFocus()

    def _load(self, tunnel: str, path: tuple[str, str] | None) -> None:
        project = self.context.project
        if project is None:
            return
        work = partial(read_profile, project, tunnel, path or ("", ""), self.context.rules("tunnel.along"))
        self.context.in_background(
            "space.profile", work, partial(self._take, project, tunnel, path), partial(self._failed, project)
        )

    def _take(self, project: object, tunnel: str, path: tuple[str, str] | None, judged: JudgedProfile) -> None:
        if project is not self.context.project:
            return
        same = self.shown is not None and (tunnel, path) == (self.tunnel, self._path)
        self.shown, self.tunnel, self._path = judged, tunnel, path
        self._stack.setCurrentIndex(1)
        self.canvas.tunnel = tunnel
        self.canvas.show_profile(judged.profile, judged.findings, keep=same)
        self.findings.set(judged.findings)
        self._fill_slopes()
        bad = sum(one.verdict is not Verdict.PASS for one in judged.findings)
        self.tabs.setTabText(_FINDINGS, tr("Findings {count}", count=bad))
        self.tabs.setTabText(_SLOPES, tr("Slopes {count}", count=self.slopes.rowCount()))
        self.tabs.setTabVisible(_FINDINGS, bool(tunnel))
        notes = [word(code, params) for code, params in judged.profile.notes]
        self.notes.clear()
        self.notes.addItems(notes)
        self.tabs.setTabText(_NOTES, tr("Notes {count}", count=len(notes)))
        self.tabs.setTabVisible(_NOTES, bool(notes))
        if not same or not self.tabs.isTabVisible(self.tabs.currentIndex()):
            self.tabs.setCurrentIndex(_FINDINGS if tunnel else _SLOPES)
        if path is not None:
            self.start.setText(path[0].removeprefix("node:"))
            self.end.setText(path[1].removeprefix("node:"))
        self._fill_tunnels()
        if self.desk.link.place is not None and self.desk.link.place[0] != tunnel:
            self.state.point("", 0.0)
        self.desk.rename("profile", tr("Profile {name}", name=tunnel or judged.profile.name))
        self.desk.link.update()

    def _failed(self, project: object, error: Exception) -> None:
        if not isinstance(error, PlannerError):
            raise error
        if project is not self.context.project:
            return
        self.shown, self.tunnel, self._path = None, "", None
        self.canvas.show_profile(None)
        self.empty.say(*self.context.word(error))
        self._stack.setCurrentIndex(0)
        self._fill_tunnels()
        self.desk.link.update()

    def _say_empty(self) -> None:
        self.empty.say_nothing(tr("Import tunnels on the assets page, or choose two nodes of a pipe network."))
        self._stack.setCurrentIndex(0)

    def _catalogue_changed(self) -> None:
        catalogue = self.desk.catalogue
        if catalogue is None:
            return
        self._fill_tunnels()
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.open(wanted)
        elif self.shown is not None and (self._path is not None or catalogue.tunnel_of(self.tunnel)):
            self._load(self.tunnel, self._path)
        elif self.shown is not None or not catalogue.tunnels:
            self.shown, self.tunnel, self._path = None, "", None
            self.canvas.show_profile(None)
            self._say_empty()

    def _fill_tunnels(self) -> None:
        with QSignalBlocker(self.tunnels):
            self.tunnels.clear()
            for code, name in self.desk.catalogue.tunnels if self.desk.catalogue is not None else ():
                self.tunnels.addItem(f"{code} {name}".strip(), code)
            if not self.tunnel:
                self.tunnels.insertItem(0, tr("Tunnel…"), "")
            self.tunnels.setCurrentIndex(self.tunnels.findData(self.tunnel))

    def _fill_slopes(self) -> None:
        assert self.shown is not None
        pieces = slope_pieces(self.shown.profile)
        with QSignalBlocker(self.slopes):
            self.slopes.clearSelection()
            self.slopes.setRowCount(len(pieces))
            for n, (a, b, text, _) in enumerate(pieces):
                for column, cell in enumerate((station(a), f"{b - a:.1f}", text)):
                    item = QTableWidgetItem(cell)
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    self.slopes.setItem(n, column, item)

    # cursors, both ways

    def _cursor_moved(self, m: float | None) -> None:
        if self.tunnel:
            self.state.point(self.tunnel if m is not None else "", m or 0.0)
        else:
            self.desk.link.update()

    def _pointed(self, tunnel: str, m: float) -> None:
        if self.tunnel:
            self.canvas.set_cursor(m if tunnel == self.tunnel else None)

    def _asset_changed(self) -> None:
        asset = self.state.asset
        if asset is not None and asset.table == "tunnel" and self.desk.visible("profile"):
            self.open(asset.code)

    def _clicked(self, m: float) -> None:
        if self.tunnel:
            self.desk.section(self.tunnel, m)
            return
        place = self.shown.profile.place(m) if self.shown is not None else None
        if place is not None:
            self.context.map.zoom_to_extent((place[0] - 60, place[1] - 60, place[0] + 60, place[1] + 60))

    def _finding_chosen(self, finding: Finding | None) -> None:
        params = (finding.params or {}) if finding is not None else {}
        if "from_m" in params:
            self.canvas.show_span(float(params["from_m"]), float(params["to_m"]))

    def _slope_chosen(self) -> None:
        row = self.slopes.currentRow()
        if self.shown is not None and self.slopes.selectedItems() and row >= 0:
            low, high, _, _ = slope_pieces(self.shown.profile)[row]
            self.canvas.show_span(low, high)

    def _times_chosen(self) -> None:
        self.canvas.set_exaggeration(int(self.times.currentData()))

    def export(self) -> None:
        """Write the profile as a drawing or table."""
        if self.shown is not None:
            judged = self.shown
            name = "_".join(judged.profile.name.replace(":", " ").replace("–", " ").split()) + ".pdf"
            write = partial(write_profile, judged.profile, judged.findings)
            self.desk.save(tr("Export the profile"), name, (".pdf", *PROFILE_SUFFIXES), write)


def _slope_table() -> QTableWidget:
    table = QTableWidget(0, 3)
    table.setHorizontalHeaderLabels([tr("From chainage"), tr("Slope length (m)"), tr("Slope (‰)")])
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.verticalHeader().hide()
    table.setShowGrid(False)
    head = table.horizontalHeader()
    head.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    return table
