"""The window: top bar, rail, layers, map, dock, task panel, status bar, and what ties them together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QWidget

from planner_app.i18n import language, tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.canvas.map_canvas import MapCanvas
from planner_app.ui.controls import column, row
from planner_app.ui.dock import Dock
from planner_app.ui.layer_flows import LayerFlows
from planner_app.ui.map_area import MapArea
from planner_app.ui.notify import MessageBar
from planner_app.ui.palette import Palette
from planner_app.ui.panels.attribute_table import AttributeTable
from planner_app.ui.panels.feature_form import FeatureForm
from planner_app.ui.panels.history_panel import HistoryPanel
from planner_app.ui.panels.jobs_panel import JobsPanel
from planner_app.ui.panels.layer_panel import LayerPanel
from planner_app.ui.project_flows import ProjectFlows
from planner_app.ui.rail import Rail
from planner_app.ui.session import Session
from planner_app.ui.side_area import SideArea
from planner_app.ui.start_page import StartPage
from planner_app.ui.status_bar import StatusBar
from planner_app.ui.sync.room import SyncRoom
from planner_app.ui.task_area import TaskArea
from planner_app.ui.top_bar import TopBar
from planner_app.ui.window_actions import window_actions
from planner_app.ui.window_flows import WindowFlows

if TYPE_CHECKING:
    from planner_app.plugin_host import PluginHost
    from planner_app.ui.plugin_context import PluginContext

FEATURE = "feature"


class MainWindow(QMainWindow):
    """The one window. It owns widgets only; what it shows lives in the session."""

    language_chosen = Signal(str)
    first_shown = Signal()

    def __init__(self, session: Session, host: PluginHost | None = None) -> None:
        super().__init__()
        self.session = session
        self.host = host
        theme = session.theme
        self.setWindowTitle(tr("Planner"))
        self.setMinimumSize(1280, 720)
        self.resize(1600, 1000)
        self.setAcceptDrops(True)
        self.commands = ActionRegistry(self, theme)
        self.canvas = MapCanvas(session)
        self.flows = ProjectFlows(session, self)
        self.layer_flows = LayerFlows(session, self)
        self.program = WindowFlows(session, self)
        self.layers = LayerPanel(session, self.commands, self._role_titles)
        self.map_area = MapArea(theme, self.canvas)
        self.side = SideArea(theme)
        self.dock = Dock(theme)
        self.task = TaskArea(session)
        self.rail = Rail(theme)
        self.table = AttributeTable(session, self.commands)
        for spec in window_actions(self):
            self.commands.add(spec)
        self.top = TopBar(session, self.commands)
        self.status = StatusBar(session)
        self.start = StartPage(session, self.commands)
        self._fill_dock()
        self._lay_out()
        self.sync = SyncRoom(self)
        self.palette_ = Palette(session, self.commands, self.top.search, self)
        self.start_messages = MessageBar(theme, self.start)
        self._wire()
        self._panels_hidden = False
        self._contexts: dict[str, PluginContext] = {}
        self.panel_plugins: dict[str, str] = {}
        self._restore()
        if host is not None:
            self.add_plugins(host)
        self._project_changed()

    # building

    def _fill_dock(self) -> None:
        self.history = HistoryPanel(self.session)
        self.jobs = JobsPanel(self.session)
        self.dock.add("table", tr("Attribute table"), self.table)
        self.dock.add("jobs", tr("Jobs"), self.jobs)
        self.dock.add("history", tr("History"), self.history)
        self.dock.set_buttons("history", [self.history.undo])

    def _lay_out(self) -> None:
        self.rows = QSplitter(Qt.Orientation.Vertical)
        self.views = QSplitter(Qt.Orientation.Horizontal)
        self.views.addWidget(self.map_area)
        self.views.addWidget(self.side)
        self.rows.addWidget(self.views)
        self.rows.addWidget(self.dock)
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.addWidget(self.layers)
        self.columns.addWidget(self.rows)
        self.columns.addWidget(self.task)
        for splitter, grows in ((self.views, 0), (self.rows, 0), (self.columns, 1)):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
            splitter.setStretchFactor(grows, 1)
        workspace = QWidget()
        body = row(self.rail, spacing=0)
        body.addWidget(self.columns, 1)
        workspace.setLayout(body)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(workspace)
        whole = QWidget()
        layout = column(self.top, spacing=0)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.status)
        whole.setLayout(layout)
        self.setCentralWidget(whole)
        self.rail.add("layers", "layers", tr("Layers"), tr("Layer panel (Ctrl+L)"), self.toggle_layers, quiet=True)
        self.task.add(FEATURE, tr("Feature"), lambda: FeatureForm(self.session), on_rail=False)

    def _wire(self) -> None:
        session, canvas = self.session, self.canvas
        session.project_changed.connect(self._project_changed)
        session.message.connect(self.say)
        session.internal_error.connect(self.say_defect)
        session.jobs.changed.connect(self._jobs_title)
        canvas.view_changed.connect(lambda: self.status.show_scale(canvas.scale()))
        canvas.cursor_moved.connect(self.status.show_position)
        self.status.scale_typed.connect(self._scale_typed)
        self.status.selection_clicked.connect(self.show_selected)
        self.status.jobs_clicked.connect(lambda: self.show_dock("jobs"))
        self.status.engine_restart.connect(self.program.restart_engine)
        self.layers.zoom_requested.connect(canvas.zoom_to_layer)
        self.table.zoom_requested.connect(canvas.zoom_to_features)
        self.dock.hide_clicked.connect(self.toggle_dock)
        self.task.hide_clicked.connect(self.toggle_task)
        self.side.appeared.connect(self._share_views)
        self.side.going.connect(self._remember_views)
        self.top.language_chosen.connect(self.language_chosen)
        self.start.open_path.connect(lambda path: self.flows.open_path(Path(path)))
        self.palette_.layer_chosen.connect(self._layer_found)
        self.palette_.feature_chosen.connect(self._feature_found)
        if session.engine is not None:
            session.engine.state_changed.connect(self.program.engine_changed)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._escape)

    # plugins

    def _role_titles(self) -> dict[str, str]:
        apis = self.host.model_apis if self.host is not None else []
        return {role.id: tr(role.title) for api in apis for role in api.layer_roles}

    def add_plugins(self, host: PluginHost) -> None:
        """Put the plugins' panels, actions and tools into the window; say which were left out."""
        from planner_app.ui.window_plugins import put_plugins

        self.host = host
        self._contexts, self._watchers = put_plugins(self, host)
        self.sync.put_on_rail()
        self.layers.reload()
        if self.session.project is not None:
            self._open_first_panel()

    # panels

    def open_panel(self, panel_id: str) -> None:
        """Show a task panel."""
        self.task.setVisible(True)
        self.task.open(panel_id)
        if panel_id in self.panel_plugins:
            self.dock.serve(self.panel_plugins[panel_id])
        if panel_id != FEATURE:
            self.session.settings.panel = panel_id
        self._mark_rail()

    def toggle_panel(self, panel_id: str) -> None:
        """Rail click: open it, or hide the side if it is open."""
        if self.task.current == panel_id and self.task.isVisible():
            self.task.setVisible(False)
            self._mark_rail()
        else:
            self.open_panel(panel_id)

    def show_form(self) -> None:
        """The form of the selected feature; again: back to the task panel."""
        if self.task.current == FEATURE and self.task.isVisible():
            if self.task.ids():
                self._open_first_panel()
            else:
                self.toggle_task()
        else:
            self.open_panel(FEATURE)

    def toggle_layers(self) -> None:
        """Show or hide the layer panel."""
        self.layers.setVisible(not self.layers.isVisible())
        self._mark_rail()

    def toggle_dock(self) -> None:
        """Show or hide the bottom dock."""
        self.dock.setVisible(not self.dock.isVisible())

    def toggle_task(self) -> None:
        """Show or hide the task panel."""
        panels = [self.task.current, *self.task.ids()]
        if self.task.isVisible() or not any(panels):
            self.task.setVisible(False)
        else:
            self.open_panel(next(filter(None, panels)))
        self._mark_rail()

    def toggle_panels(self) -> None:
        """F9: only the map, or what was open before."""
        parts: tuple[QWidget, ...] = (self.layers, self.dock, self.task)
        if not self._panels_hidden:
            self._before_f9 = [part.isVisible() for part in parts]
            for part in parts:
                part.setVisible(False)
        else:
            for part, was in zip(parts, self._before_f9, strict=True):
                part.setVisible(was)
        self._panels_hidden = not self._panels_hidden
        self._mark_rail()

    def reveal_dock(self) -> None:
        """Show the dock if it is hidden."""
        self.dock.setVisible(True)

    def grow_dock(self, share: float) -> None:
        """Show the dock with at least this part of the height it shares with the map, at most half."""
        self.reveal_dock()
        above, below = self.rows.sizes()
        wanted = round((above + below) * min(share, 0.5))
        if below < wanted:
            self.rows.setSizes([above + below - wanted, wanted])

    def show_dock(self, key: str) -> None:
        """Bring a tab of the dock to the front."""
        self.reveal_dock()
        self.dock.open(key)

    def show_table(self) -> None:
        """Attribute table of the current layer."""
        self.show_dock("table")

    def show_selected(self) -> None:
        """The selected rows in the attribute table."""
        self.show_dock("table")
        self.table.show_selected()

    def open_palette(self) -> None:
        """Ctrl+K."""
        self.palette_.open()

    def _mark_rail(self) -> None:
        self.rail.set_checked("layers", self.layers.isVisible())
        for panel_id in self.task.ids():
            self.rail.set_checked(panel_id, self.task.isVisible() and self.task.current == panel_id)

    def _open_first_panel(self) -> None:
        ids = self.task.ids()
        wanted = self.session.settings.panel
        if ids and self.session.settings.task_panel:
            self.open_panel(wanted if wanted in ids else ids[0])
        elif not ids and self.host is not None:  # before plugins are loaded their place is kept: the map must not jump
            self.task.setVisible(False)
        self._mark_rail()

    # following the session

    def _project_changed(self) -> None:
        project = self.session.project
        self.pages.setCurrentIndex(1 if project is not None else 0)
        self.setWindowTitle(f"{project.name} — {tr('Planner')}" if project is not None else tr("Planner"))
        self.commands.refresh()
        if project is not None:
            self._open_first_panel()
            layers = self.session.layers()
            if layers and not self.session.current_layer:
                self.session.set_current_layer(layers[0].id)

    def _jobs_title(self) -> None:
        active = len(self.session.jobs.active())
        self.dock.set_title("jobs", tr("Jobs {count}", count=active) if active else tr("Jobs"))

    def say(self, level: str, text: str, hint: str = "") -> None:
        """Show a message where the person looks."""
        bar = self.map_area.messages if self.session.project is not None else self.start_messages
        bar.say(level, text, hint)

    def say_defect(self, error: BaseException) -> None:
        """Show an unexpected error with its details for copying."""
        bar = self.map_area.messages if self.session.project is not None else self.start_messages
        bar.say_defect(error)

    def _scale_typed(self, denominator: float) -> None:
        if denominator:
            self.canvas.set_scale(denominator)
        else:
            self.session.say(tr("This is not a scale. Type one such as 1:2000."), "warning")
        self.status.show_scale(self.canvas.scale())

    def _layer_found(self, layer_id: str) -> None:
        self.session.set_current_layer(layer_id)
        self.layers.setVisible(True)
        self._mark_rail()
        self.canvas.zoom_to_layer(layer_id)

    def _feature_found(self, layer_id: str, fid: int) -> None:
        self.session.set_current_layer(layer_id)
        self.session.selection.set(layer_id, [fid])
        self.canvas.zoom_to_features(layer_id, [fid])

    def _escape(self) -> None:
        # Esc leaves the tool, then clears the selection: the canvas knows how far it is.
        if self.palette_.isVisible():
            self.palette_.dismiss()
        else:
            self.canvas.escape()

    def switch_language(self) -> None:
        """The other language."""
        self.language_chosen.emit("en" if language() == "zh_CN" else "zh_CN")

    # window

    def _restore(self) -> None:
        settings = self.session.settings
        if settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(settings.geometry.encode()))
        self.columns.setSizes(settings.columns)
        self.rows.setSizes(settings.rows)
        self.views.setSizes(settings.views)
        self.layers.setVisible(settings.layer_panel)
        self.dock.setVisible(settings.dock)
        self.task.setVisible(settings.task_panel)
        self._mark_rail()

    def remember(self) -> None:
        """Keep sizes and what is open."""
        settings = self.session.settings
        settings.geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        if self.session.project is not None and not self._panels_hidden:
            settings.columns, settings.rows = self.columns.sizes(), self.rows.sizes()
            self._remember_views()
            settings.layer_panel = self.layers.isVisible()
            settings.dock = self.dock.isVisible()
            settings.task_panel = self.task.isVisible()
        settings.save()

    def _share_views(self) -> None:
        """Map and side view stand as they were left, in a window of any width."""
        kept, room = self.session.settings.views, sum(self.views.sizes())
        total = max(sum(kept), 1)
        self.views.setSizes([round(room * size / total) for size in kept])

    def _remember_views(self) -> None:
        if not self.side.isHidden():
            self.session.settings.views = self.views.sizes()

    def closeEvent(self, event: QCloseEvent) -> None:
        active = self.session.jobs.active()
        if active and not self.flows.confirm(
            tr("{count} jobs are still running.", count=len(active)),
            tr("Quitting cancels them; nothing is left half-written."),
            tr("Quit"),
        ):
            event.ignore()
            return
        self.remember()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.palette_.hide()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        QTimer.singleShot(0, self, self.first_shown.emit)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        self.program.take(files)
