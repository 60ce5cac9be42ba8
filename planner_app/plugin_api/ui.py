"""What a plugin's ``ui`` module registers and the context its panels are given. Never the window or the application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from PySide6.QtCore import QAbstractItemModel, QObject, SignalInstance
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.layer import LayerInfo
from planner_app.domain.progress import Progress
from planner_app.plugin_api.model import Command, Project, Rule

Edge = Literal["left", "right"]


class Selection(Protocol):
    """The one selection of the window: ids per layer. Selecting anywhere selects everywhere."""

    changed: SignalInstance
    """``changed()``"""

    def set(self, layer_id: str, fids: Sequence[int]) -> None: ...
    def clear(self) -> None: ...
    def fids(self, layer_id: str) -> tuple[int, ...]: ...
    def layer_ids(self) -> tuple[str, ...]: ...


class MapView(Protocol):
    """The map as a plugin sees it. Coordinates are (easting, northing) in the project's CRS, metres."""

    view_changed: SignalInstance
    """``view_changed()`` after a pan, zoom or resize"""
    cursor_moved: SignalInstance
    """``cursor_moved(float x, float y)``"""

    def zoom_to_extent(self, extent: tuple[float, float, float, float], margin: float = 0.15) -> None: ...
    def zoom_to_features(self, layer_id: str, fids: Sequence[int]) -> None: ...
    def extent(self) -> tuple[float, float, float, float]: ...
    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by pixels, as a dragging hand does."""

    def add_overlay(
        self, paint: Callable[[QPainter, Callable[[float, float], tuple[float, float]]], None], *, above: bool = False
    ) -> object:
        """Draw above the map with a painter and a function from map to widget coordinates; returns a handle.

        Overlays are drawn in the order they were added; what nothing may hide (an alarm) is added ``above`` them all.
        """

    def remove_overlay(self, handle: object) -> None: ...
    def update_overlays(self) -> None:
        """Paint overlays and tool anew and ask the tool for its hint."""

    def draw_polygon(self, finished: Callable[[bytes | None], None]) -> None:
        """Let the person draw a polygon; ``finished`` gets its WKB, or None if Esc was pressed."""

    def use_tool(self, factory: Callable[[], Any] | None) -> None:
        """Take up a tool that has no button in the map's toolbar; None: put it down again.

        ``factory`` makes an object with any of the methods of ``ui.tools.tool.Tool`` (``paint(painter, to_screen)``
        as overlays have it) and of its attributes ``cursor``, ``wants_shift``, ``shows_hover``, ``snaps``. With
        ``snaps`` events carry the snapped point unless Alt is held; cursor and snapping may change with every move.
        ``owns_key(event)`` keeps a key (Del, Backspace) from the window's shortcuts. ``deactivate`` is called when
        the person takes up another tool or leaves this one with Esc.
        """


class DockTable(Protocol):
    """A table in the bottom dock that a panel owns."""

    row_activated: SignalInstance
    """``row_activated(int source_row)`` on double click or Enter"""
    current_changed: SignalInstance
    """``current_changed(list source_rows)``"""
    cell_clicked: SignalInstance
    """``cell_clicked(int source_row, int column)``"""

    def set_model(self, model: QAbstractItemModel) -> None: ...
    def set_title(self, title: str) -> None: ...
    def select_rows(self, rows: Sequence[int]) -> None: ...
    def selected_rows(self) -> list[int]: ...
    def show(self) -> None: ...
    def set_empty(self, text: str, button: str = "", on_click: Callable[[], None] | None = None) -> None: ...
    def set_actions(self, actions: Sequence[tuple[str, str, Callable[[], None]]]) -> None:
        """Text buttons at the right of the tab bar: (id, title, handler)."""


class Floating(Protocol):
    """A frame over the map or over a view; hidden until shown."""

    def show(self) -> None: ...
    def hide(self) -> None: ...
    def visible(self) -> bool: ...


class SideView(Protocol):
    """A view beside the map, on a tab."""

    closed: SignalInstance
    """``closed()`` the person closed it"""

    def show(self) -> None: ...
    def hide(self) -> None: ...
    def set_title(self, title: str) -> None: ...
    def visible(self) -> bool: ...


class DockPage(Protocol):
    """Any widget as a tab of the bottom dock, as wide as the dock."""

    def show(self, share: float = 0.0) -> None:
        """Bring the tab to the front; the dock is opened if it was hidden.

        Args:
            share: the dock grows to at least this part of the height it has with the map, at most half.
        """

    def visible(self) -> bool:
        """True while it is the tab in front of an open dock."""

    def set_title(self, title: str) -> None: ...
    def set_actions(self, actions: Sequence[tuple[str, str, Callable[[], None]]]) -> None:
        """Text buttons at the right of the tab bar: (id, title, handler)."""


class PanelContext(Protocol):
    """All a panel may use. One per panel; lives as long as the panel."""

    selection: Selection
    map: MapView
    project_changed: SignalInstance
    """``project_changed()`` another project was opened or closed"""
    data_changed: SignalInstance
    """``data_changed(ChangeSet changeset, object initiator)``"""
    theme_changed: SignalInstance
    """``theme_changed()``"""

    @property
    def project(self) -> Project | None: ...
    @property
    def user(self) -> str:
        """Who is at the desk, as the history names them."""

    def execute(self, command: Command, initiator: QObject | None = None) -> ChangeSet | None:
        """Run a quick command (under 0.1 s) now; an error is worded and shown, and None returned."""

    def run_job(
        self,
        title: str,
        work: Callable[[Progress], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run long work off the UI thread with a bar and a cancel button; ``done`` runs on the UI thread.

        Without ``failed`` an error is shown in the message bar. Cancelling is silent.
        """

    def in_background(
        self,
        key: str,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run quick work that nobody watches (pictures, picks) off the UI thread; ``done`` runs on the UI thread.

        The newest of a key wins: what waits under it is dropped, and the answer of what runs is thrown away.
        """

    def rules(self, prefix: str) -> list[Rule]: ...
    def setting(self, key: str) -> str | int | float | bool: ...
    def set_setting(self, key: str, value: str | int | float | bool) -> None: ...
    def add_table(self, table_id: str, title: str) -> DockTable: ...
    def add_side_view(self, view_id: str, title: str, widget: QWidget) -> SideView:
        """A view beside the map, hidden until shown; asking again for the same id gives the same view."""

    def add_dock_page(self, page_id: str, title: str, widget: QWidget) -> DockPage:
        """A tab of the bottom dock; asking again for the same id gives the same page."""

    def add_floating(self, widget: QWidget, edge: Edge = "left", over: QWidget | None = None) -> Floating:
        """Let a widget float at an edge of the map (or of ``over``), below what floats there already."""

    def open_panel(self, panel_id: str) -> None:
        """Bring a task panel to the front."""

    def show_layer(self, layer_id: str, visible: bool = True) -> None: ...
    def notify(self, message: str, *, level: str = "info", hint: str = "") -> None:
        """Message bar: level ``info`` | ``success`` | ``warning`` | ``error``."""

    def word(self, error: Exception) -> tuple[str, str]:
        """(sentence, hint) of an error, to show it in the panel where it happened."""

    def ask_open(self, title: str, patterns: str) -> Path | None: ...
    def ask_save(self, title: str, name: str, patterns: str) -> Path | None: ...
    def colour(self, token: str) -> str:
        """``#rrggbb`` of a theme token: ink, secondary, tertiary, panel, background, line, accent, on_accent,
        accent_ground, hover, pass, fail, needs_certificate, cannot_judge."""

    def icon(self, name: str) -> Any: ...
    def render_map(
        self,
        extent: tuple[float, float, float, float],
        size: tuple[int, int],
        done: Callable[[bytes], None],
        layers: Sequence[str] | None = None,
        dpi: float = 96.0,
    ) -> None:
        """Ask the engine for a PNG of the map (visible layers unless named); ``b""`` if it cannot, which is shown."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A task panel with its entry on the activity rail; lower ``order`` stands higher.

    ``title``: message id of its name on the rail; ``heading``: of the one above the open panel, where that is longer.
    """

    id: str
    title: str
    icon: str
    factory: Callable[[PanelContext], QWidget]
    order: int = 100
    shortcut: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """An entry of menus and the command palette. ``enabled``: asked each time it is shown."""

    id: str
    title: str
    handler: Callable[[PanelContext], None]
    icon: str = ""
    shortcut: str = ""
    enabled: Callable[[PanelContext], bool] | None = None


@dataclass(frozen=True, slots=True)
class MapTool:
    """A tool for the map: ``factory`` gets the context and returns an object like ``ui.tools.tool.Tool``."""

    id: str
    title: str
    icon: str
    factory: Callable[[PanelContext], Any]
    shortcut: str = ""


@dataclass(frozen=True, slots=True)
class FeatureFact:
    """A line below a feature's form; with ``fids`` a click shows those features of ``layer_id`` on the map."""

    caption: str
    value: str
    layer_id: str = ""
    fids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """What a plugin knows of features of other layers, shown under a heading in the feature form.

    Attributes:
        title: message id of the heading.
        applies: whether it has anything to say about features of a layer; quick, on the UI thread.
        facts: (project, layer id, fid) → lines, off the UI thread; none: nothing is shown.
    """

    id: str
    title: str
    applies: Callable[[LayerInfo], bool]
    facts: Callable[[Project, str, int], Sequence[FeatureFact]]


@dataclass(slots=True)
class UiApi:
    """Collects one plugin's registrations for the window."""

    plugin_id: str
    folder: Path
    panels: list[Panel] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    tools: list[MapTool] = field(default_factory=list)
    feature_facts: list[FeatureFacts] = field(default_factory=list)
    watchers: list[Callable[[PanelContext], object]] = field(default_factory=list)

    def add_panel(self, panel: Panel) -> None:
        """Add a task panel."""
        self.panels.append(panel)

    def add_action(self, action: Action) -> None:
        """Add an action."""
        self.actions.append(action)

    def add_feature_facts(self, facts: FeatureFacts) -> None:
        """Add lines to the form of features that the plugin knows something about."""
        self.feature_facts.append(facts)

    def add_map_tool(self, tool: MapTool) -> None:
        """Add a map tool."""
        self.tools.append(tool)

    def add_watcher(self, factory: Callable[[PanelContext], object]) -> None:
        """Add what looks on from the window's start, whether or not a panel of the plugin was ever opened.

        ``factory`` is called once per window, after its panels are on the rail; what it returns lives as long as the
        window. It must be quick and import nothing heavy; a project may be open already or come later
        (``project_changed``). If it fails, that is said and the rest of the plugin works.
        """
        self.watchers.append(factory)
