"""What the sync has in the window: its rail entry, panel, tables, dialogs, what it shows on the map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from planner_app.i18n import tr
from planner_app.ui.actions import ActionSpec
from planner_app.ui.sync.on_map import OnMap

if TYPE_CHECKING:
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.types import ProjectDef, Revision, Scope
    from planner_app.ui.main_window import MainWindow
    from planner_app.ui.sync.audit import Subject
    from planner_app.ui.sync.conflict_table import ConflictTable
    from planner_app.ui.sync.disputes import Dispute
    from planner_app.ui.sync.history_page import HistoryPage
    from planner_app.ui.sync.restore_dialog import Wanted
    from planner_app.ui.sync.time_travel import TimeTravel

PANEL = "sync"
VERTICES = "edit_vertices"
_HISTORY = "plugin:sync:log"


class SyncRoom(QObject):
    """One per window; its parts are made when first needed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.session, self.canvas = window, window.session, window.canvas
        self.map_area, self.commands = window.map_area, window.commands
        self._page: HistoryPage | None = None
        self._table: ConflictTable | None = None
        self.on_map = OnMap(self.canvas)
        self._travel: TimeTravel | None = None
        self._uuid: tuple[object, str] = (None, "")
        window.task.add(PANEL, tr("City server"), self._make_panel, on_rail=False)
        for spec in self._actions():
            window.commands.add(spec)
        self.session.project_changed.connect(self.on_map.clear)
        self.session.log_asked.connect(self.history_of_feature)
        self.canvas.tool_changed.connect(self._tool_changed)
        self._connected = False
        self.session.sync.changed.connect(self._sync_changed)

    def _sync_changed(self) -> None:
        """Shortcuts of a project with a server work as soon as it is known that it has one."""
        connected = bool(self.session.sync.conninfo)
        if connected != self._connected:
            self._connected = connected
            self.commands.refresh()

    def put_on_rail(self) -> None:
        """Below the entries of plugins."""
        if PANEL not in self.window.task.ids():
            self.window.task.put_on_rail(PANEL)
            self.window.panel_plugins[PANEL] = PANEL  # its tabs in the dock come and go with it, as a role's do
            self.window.rail.add(
                PANEL, "refresh-cw", tr("Sync"), tr("City server: sync, conflicts, history"),
                lambda: self.window.toggle_panel(PANEL),
            )  # fmt: skip

    def _actions(self) -> list[ActionSpec]:
        def opened() -> bool:
            return self.session.project is not None

        def connected() -> bool:
            return opened() and bool(self.session.sync.conninfo)

        def feature() -> bool:
            return connected() and self.session.selection.count() > 0

        sync = self.session.sync
        return [
            ActionSpec("sync.panel", tr("City server: sync, conflicts, history"), self.open, "refresh-cw", "", opened),
            ActionSpec("sync.now", tr("Sync now"), sync.sync_now, "refresh-cw", "F5", connected),
            ActionSpec("sync.connect", tr("City server…"), self.connect_server, "cloud-cog", "", opened),
            ActionSpec("sync.clone", tr("Open a project of the server…"), self.open_from_server, "cloud-download"),
            ActionSpec(
                "sync.feature", tr("History of the selected feature"), self.history_of_feature, "history",
                "Ctrl+Shift+H", feature,
            ),
            ActionSpec("sync.place", tr("History of a place on the map…"), self.history_of_place, "history", "",
                       connected),
            ActionSpec("sync.revisions", tr("All revisions of the server"), self.show_history, "git-branch", "",
                       connected),
            ActionSpec("sync.evidence", tr("Export the log as evidence…"), self.export_evidence, "file-check", "",
                       connected),
        ]  # fmt: skip

    def _make_panel(self) -> QWidget:
        from planner_app.ui.sync.panel import SyncPanel

        return SyncPanel(self)

    # what is where

    def open(self) -> None:
        """The panel."""
        self.window.open_panel(PANEL)

    def project_uuid(self) -> str:
        """What names the open project on the server; "" where it has none."""
        project = self.session.project
        if project is None or not self.session.sync.conninfo:
            return ""
        if self._uuid[0] is not project:
            self._uuid = (project, self.session.sync.backend.project_uuid(project))
        return self._uuid[1]

    def history_page(self) -> HistoryPage:
        """The log's page in the dock."""
        if self._page is None:
            from planner_app.ui.sync.history_page import HistoryPage

            self._page = HistoryPage(self)
            self.window.dock.add(_HISTORY, tr("Server log"), self._page)
            self.window.dock.set_buttons(_HISTORY, self._page.buttons())
        return self._page

    def show_history(self, revision: int = 0) -> None:
        """All revisions; one of them chosen."""
        from planner_app.ui.sync.audit import Subject

        self._ask(Subject(), revision)

    def history_of_feature(self) -> None:
        """The log of the selected feature."""
        from planner_app.ui.sync.audit import Subject

        project, selection = self.session.project, self.session.selection
        layer = self.session.layer(next(iter(selection.layer_ids()), ""))
        if project is None or layer is None:
            self.session.say(tr("Select a feature first, on the map or in the table."))
            return
        fid = selection.fids(layer.id)[0]

        def work(_progress: object) -> Subject:
            from planner_app.ui.canvas.feature_text import feature_name

            table = project.read(layer.id, fids=[fid], columns=["uuid", *(one.name for one in layer.fields)])
            values = {name: cells[0] for name, cells in table.columns.items()}
            name = feature_name(layer, values) or tr("Feature {fid}", fid=fid)
            return Subject("record", f"{layer.name} · {name}", layer.uuid, str(values["uuid"]))

        self.session.jobs.run(tr("Read a feature"), work, self._ask, listed=False)

    def history_of_place(self) -> None:
        """The log of a place that the person draws on the map."""
        from planner_app.ui.sync.audit import Subject
        from planner_app.ui.sync.place_tool import PlaceTool

        def drawn(box: tuple[float, float, float, float]) -> None:
            self.canvas.use_tool(None)
            wide, high = (box[2] - box[0], box[3] - box[1])
            name = tr("Place {x}, {y} · {wide} × {high} m", x=f"{(box[1] + box[3]) / 2:,.0f}",
                      y=f"{(box[0] + box[2]) / 2:,.0f}", wide=f"{wide:,.0f}", high=f"{high:,.0f}")  # fmt: skip
            self._ask(Subject("place", name, box=box))

        self.canvas.use_tool(lambda: PlaceTool(self.canvas, drawn))

    def _ask(self, subject: Subject, revision: int = 0) -> None:
        page = self.history_page()
        self.window.show_dock(_HISTORY)
        self.window.grow_dock(0.36)
        page.ask(subject, choose=revision)

    def show_dispute(self, dispute: Dispute | None) -> None:
        """What a conflict is about, on the map and in the table; None: take it away."""
        self.on_map.show_dispute(dispute)
        if dispute is not None and self._table is not None:
            self._table.select(dispute.key)

    def edit_shape(self, conflict: Conflict, side: str) -> None:
        """Edit the vertices of a record whose geometry was chosen, the other side's outline in view."""
        self.on_map.show_dispute(None)
        self.on_map.show_record(conflict.layer, conflict.fid, zoom=False)
        self.canvas.set_tool(VERTICES)
        self.on_map.show_guide(conflict, "theirs" if side == "mine" else "mine")
        self.canvas.setFocus()

    def _tool_changed(self, tool_id: str) -> None:
        if tool_id != VERTICES:
            self.on_map.show_guide(None, "")

    def open_dispute(self, key: str) -> None:
        """Open a record's card in the panel."""
        from planner_app.ui.sync.panel import CONFLICTS, SyncPanel

        self.open()
        panel = self.window.task.panel(PANEL)
        if isinstance(panel, SyncPanel):
            panel.open_tab(CONFLICTS)
            panel.conflicts.open(key)

    def show_table(self, disputes: list[Dispute]) -> None:
        """All conflicts as a table in the dock."""
        if self._table is None and disputes:
            from planner_app.ui.sync.conflict_table import ConflictTable

            self._table = ConflictTable(self)
        if self._table is not None:
            self._table.show_disputes(disputes)

    # time travel, restoring, evidence

    def _traveller(self) -> TimeTravel:
        if self._travel is None:
            from planner_app.ui.sync.time_travel import TimeTravel

            self._travel = TimeTravel(self)
        return self._travel

    def travel(self) -> None:
        """Show the map as it was after the chosen revision."""
        revision = self.history_page().revision()
        if revision is not None:
            self._traveller().show(revision)

    def travel_follow(self, revision: Revision) -> None:
        """While the map shows the past, another revision chosen in the table is shown instead."""
        if self._travel is not None and self._travel.revision not in (None, revision):
            self._travel.show(revision)

    def restore(self) -> None:
        """Ask what to bring back from the chosen revision, then do it."""
        from planner_app.ui.sync.restore_dialog import RestoreDialog, Wanted

        page = self.history_page()
        revision, change = page.revision(), page.change()
        if revision is None:
            return
        layers = {one.uuid: one for one in self.session.layers()}
        choices = []
        if change is not None and change.row.layer in layers:
            title = tr("The record “{name}”", name=change.record)
            choices.append(Wanted(title, (layers[change.row.layer],), (change.row.uuid,)))
        elif page.subject.kind == "record" and page.subject.layer in layers:
            title = tr("The record “{name}”", name=page.subject.name)
            choices.append(Wanted(title, (layers[page.subject.layer],), (page.subject.uuid,)))
        visible = tuple(one for one in self.canvas.visible_layers() if one.geometry != "none")
        box = page.subject.box or self.canvas.extent()
        where = tr("The drawn place") if page.subject.box else tr("What the map shows now")
        choices.append(Wanted(tr("{place}, in all visible layers", place=where), visible, (), box))
        current = self.session.layer(self.session.current_layer)
        if current is not None:
            choices.append(Wanted(tr("The whole layer “{layer}”", layer=current.name), (current,)))
        dialog = RestoreDialog(self.session, revision, choices, self.window)
        dialog.wanted.connect(lambda wanted: self._restore(revision, wanted))
        dialog.open()

    def _restore(self, revision: Revision, wanted: Wanted) -> None:
        project, service = self.session.project, self.session.sync
        if project is None:
            return

        def work(progress: Any) -> int:
            from planner_app.sync.client.history import restore

            rows = 0
            for number, layer in enumerate(wanted.layers):
                progress.update(number / len(wanted.layers))
                uuids = list(wanted.uuids) or None
                rows += service.wait(
                    lambda transport, layer=layer, uuids=uuids: restore(  # type: ignore[misc]
                        project, transport, layer.id, revision.revision, uuids=uuids, scope=wanted.scope()
                    ),
                    progress,
                ).rows
            return rows

        def done(rows: int) -> None:
            if rows:
                text = tr("Restored to the state after revision {number}: {count}", count=f"{rows:,}",
                          number=revision.revision)  # fmt: skip
                self.session.say(text, "success", tr("Ctrl+Z takes it back."))
            else:
                self.session.say(tr("Nothing is different there; nothing was restored."))

        self.session.jobs.run(tr("Restore revision {number}", number=revision.revision), work, done)

    def export_evidence(self) -> None:
        """Ask for a file, then write what the log page shows (or the newest revisions)."""
        from planner_app.ui.sync.audit import History, Subject, read_history
        from planner_app.ui.sync.evidence import gather, write_evidence

        project, service, uuid = self.session.project, self.session.sync, self.project_uuid()
        if project is None or not uuid:
            return
        folder = Path(self.window.flows.folder())
        name, _ = QFileDialog.getSaveFileName(
            self.window, tr("Export the log as evidence"), str(folder / f"{project.name}-{tr('evidence')}.pdf"),
            "PDF (*.pdf);;XLSX (*.xlsx);;JSON (*.json)",
        )  # fmt: skip
        if not name:
            return
        path = Path(name) if Path(name).suffix else Path(f"{name}.pdf")
        self.session.settings.last_folder = str(path.parent)
        shown = self._page.shown_history() if self._page is not None else None
        layers = {one.uuid: one for one in self.session.layers()}
        server = service.label()

        def work(progress: Any) -> None:
            def read(transport: Any) -> Any:
                history: History = shown or read_history(transport, uuid, Subject())
                return gather(transport, project, uuid, layers, server, history, progress)

            write_evidence(service.wait(read, progress), path)

        def done(_result: object) -> None:
            self.session.say(tr("Evidence was written to “{path}”.", path=str(path)), "success")

        self.session.jobs.run(tr("Export evidence"), work, done)

    # connecting

    def connect_server(self) -> None:
        """Sign in, or connect a local project for the first time."""
        from planner_app.ui.sync.connect_dialog import ConnectDialog

        dialog = ConnectDialog(self.session, self.window, to_open=False)
        dialog.registered.connect(self._registered)
        dialog.open()

    def _registered(self, conninfo: str, password: str | None) -> None:
        self.session.sync.use(conninfo, password)
        self.open()
        self.session.sync.sync_now()

    def open_from_server(self) -> None:
        """Connect, choose a project, its layers and area, fetch it into a file and open that."""
        from planner_app.ui.sync.connect_dialog import ConnectDialog

        dialog = ConnectDialog(self.session, self.window, to_open=True)
        dialog.opened.connect(self._choose_part)
        dialog.open()

    def _choose_part(self, conninfo: str, password: str | None, project: ProjectDef) -> None:
        from planner_app.ui.sync.clone_dialog import CloneDialog

        dialog = CloneDialog(self.session, conninfo, password, project, self.window.flows.folder(), self.window)
        dialog.wanted.connect(lambda name, path, scope: self._fetch(conninfo, password, name, path, scope))
        dialog.open()

    def _fetch(self, conninfo: str, password: str | None, name: str, path: Path, scope: Scope) -> None:
        service = self.session.sync

        def work(progress: Any) -> None:
            service.backend.clone(conninfo, password, name, path, scope, progress)

        def done(_result: object) -> None:
            service.remember(conninfo, password)
            self.session.open_project(path)

        self.session.jobs.run(tr("Fetch “{name}” from the server", name=name), work, done)
