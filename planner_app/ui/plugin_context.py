"""What a plugin's panel is given: implementation of ``planner_app.plugin_api.ui.PanelContext``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress
from planner_app.domain.rule import Rule
from planner_app.ui.canvas.background import Background
from planner_app.ui.dock import Dock, DockPageHandle, DockTableView
from planner_app.ui.floating import FloatingHandle, Floats
from planner_app.ui.session import Session, user_name
from planner_app.ui.side_area import SideArea, SideViewHandle

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance

    from planner_app.plugin_api.model import Command, Project
    from planner_app.plugin_api.ui import DockPage, DockTable, Edge, Floating, MapView, Selection, SideView, UiApi
    from planner_app.plugin_host import PluginHost

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where in the window a plugin may put something, without the window."""

    side: SideArea
    floats: Floats
    background: Background
    reveal_dock: Callable[[], None]
    grow_dock: Callable[[float], None]
    open_panel: Callable[[str], None]


class PluginContext(QObject):
    """One per panel or plugin; never hands out the window or the application."""

    if TYPE_CHECKING:
        project_changed: SignalInstance
        data_changed: SignalInstance
        theme_changed: SignalInstance
    else:
        project_changed = Signal()
        data_changed = Signal(object, object)
        theme_changed = Signal()

    def __init__(
        self,
        plugin_id: str,
        session: Session,
        host: PluginHost,
        map_view: MapView,
        dock: Dock,
        window: QWidget,
        places: Places,
    ) -> None:
        super().__init__(window)
        self._plugin_id, self._session, self._host = plugin_id, session, host
        self._dock, self._window, self._places = dock, window, places
        self._tables: dict[str, DockTableView] = {}
        self._pages: dict[str, DockPageHandle] = {}
        self._views: dict[str, SideViewHandle] = {}
        self.selection: Selection = cast("Selection", session.selection)
        self.map: MapView = map_view
        session.project_changed.connect(self.project_changed)
        session.data_changed.connect(self.data_changed)
        session.theme.changed.connect(self.theme_changed)
        mine = [one for api in host.ui_apis if api.plugin_id == plugin_id for one in api.feature_facts]
        session.feature_facts += [(one, self._show_features) for one in mine]

    def _show_features(self, layer_id: str, fids: Sequence[int]) -> None:
        self.selection.set(layer_id, fids)
        self.map.zoom_to_features(layer_id, fids)

    def start_watchers(self, api: UiApi) -> list[object]:
        """Call the plugin's watchers, one by one: a failing one is said and keeps nobody from working."""
        made: list[object] = []
        for factory in api.watchers:
            try:
                watcher = factory(self)
            except Exception as error:  # a plugin may fail in any way
                _log.warning("plugin %s: a watcher failed", self._plugin_id, exc_info=True)
                detail = f"{type(error).__name__}: {error}"
                self._session.show_error(PlannerError("plugin.watcher_failed", plugin=self._plugin_id, detail=detail))
                continue
            if isinstance(watcher, QObject) and watcher.parent() is None and not isinstance(watcher, QWidget):
                watcher.setParent(self)
            made.append(watcher)
        return made

    @property
    def project(self) -> Project | None:
        """The open project."""
        return self._session.project

    @property
    def user(self) -> str:
        """Who is at the desk, as the history names them."""
        return user_name()

    def execute(self, command: Command, initiator: QObject | None = None) -> ChangeSet | None:
        """Run a quick command; an error is worded and shown."""
        return self._session.execute(command, initiator)

    def run_job(
        self,
        title: str,
        work: Callable[[Progress], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run long work off the UI thread."""
        self._session.jobs.run(title, work, done, failed)

    def in_background(
        self,
        key: str,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run quick work off the UI thread; the newest of a key wins."""
        self._places.background.run(f"{self._plugin_id}:{key}", work, done, failed)

    def rules(self, prefix: str) -> list[Rule]:
        """Dated rules whose kind starts with ``prefix``."""
        return self._host.rules(prefix)

    def setting(self, key: str) -> str | int | float | bool:
        """A declared setting's value: the person's, else its default."""
        stored = self._session.settings.plugins.get(key)
        declared = {setting.key: setting.default for setting in self._host.settings()}
        if key not in declared:
            raise KeyError(key)
        default = declared[key]
        return stored if stored is not None and type(stored) is type(default) else default

    def set_setting(self, key: str, value: str | int | float | bool) -> None:
        """Keep a setting's value."""
        self._session.settings.plugins[key] = value
        self._session.settings.save()

    def add_table(self, table_id: str, title: str) -> DockTable:
        """A table in the dock; asking again for the same id gives the same table."""
        key = f"plugin:{self._plugin_id}:{table_id}"
        if key not in self._tables:
            self._tables[key] = DockTableView(self._dock, key, title, self._places.reveal_dock)
        return cast("DockTable", self._tables[key])

    def add_dock_page(self, page_id: str, title: str, widget: QWidget) -> DockPage:
        """A widget as a tab of the dock; asking again for the same id gives the same page."""
        key = f"plugin:{self._plugin_id}:{page_id}"
        if key not in self._pages:
            self._pages[key] = DockPageHandle(self._dock, key, title, widget, self._places.grow_dock)
        return self._pages[key]

    def add_side_view(self, view_id: str, title: str, widget: QWidget) -> SideView:
        """A view beside the map; asking again for the same id gives the same view."""
        key = f"plugin:{self._plugin_id}:{view_id}"
        if key not in self._views:
            self._views[key] = SideViewHandle(self._places.side, key, title, widget)
        return self._views[key]

    def add_floating(self, widget: QWidget, edge: Edge = "left", over: QWidget | None = None) -> Floating:
        """Let a widget float over the map or over a view of the plugin's own."""
        if over is None:
            return FloatingHandle(self._places.floats.add(widget, edge))
        floats = over.findChild(Floats, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return FloatingHandle((floats or Floats(self._session.theme, over)).add(widget, edge))

    def open_panel(self, panel_id: str) -> None:
        """Bring a task panel to the front."""
        self._places.open_panel(panel_id)

    def show_layer(self, layer_id: str, visible: bool = True) -> None:
        """Show or hide a layer."""
        from planner_app.project.commands import SetLayer

        layer = self._session.layer(layer_id)
        if layer is not None and layer.visible != visible:
            self._session.execute(SetLayer(layer_id, {"visible": visible}), self)

    def notify(self, message: str, *, level: str = "info", hint: str = "") -> None:
        """Show a sentence in the message bar."""
        self._session.say(message, level, hint)

    def word(self, error: Exception) -> tuple[str, str]:
        """(sentence, hint) of an error."""
        return self._session.word(error)

    def ask_open(self, title: str, patterns: str) -> Path | None:
        """Ask for a file to read; ``patterns`` as Qt's: ``"Drawings (*.dxf);;Text (*.txt)"``."""
        folder = self._session.settings.last_folder
        name, _ = QFileDialog.getOpenFileName(self._window, title, folder, patterns)
        return self._remember(name)

    def ask_save(self, title: str, name: str, patterns: str) -> Path | None:
        """Ask for a file to write."""
        folder = self._session.settings.last_folder
        chosen, _ = QFileDialog.getSaveFileName(self._window, title, str(Path(folder) / name), patterns)
        return self._remember(chosen)

    def _remember(self, name: str) -> Path | None:
        if not name:
            return None
        self._session.settings.last_folder = str(Path(name).parent)
        return Path(name)

    def colour(self, token: str) -> str:
        """``#rrggbb`` of a theme token."""
        return self._session.theme.colour(token)

    def icon(self, name: str) -> Any:
        """A line icon in the theme's colour."""
        return self._session.theme.icon(name)

    def render_map(
        self,
        extent: tuple[float, float, float, float],
        size: tuple[int, int],
        done: Callable[[bytes], None],
        layers: Sequence[str] | None = None,
        dpi: float = 96.0,
    ) -> None:
        """Ask the engine for a PNG of the map (visible layers unless named)."""
        from planner_app.ui.map_picture import render_png

        render_png(self._session, extent, size, done, layers, dpi)
