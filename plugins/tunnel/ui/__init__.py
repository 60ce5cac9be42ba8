"""The tunnel plugin's window parts: the task panel with its four pages, section and profile in the bottom dock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from planner_app.plugin_api.ui import Action, Panel, PanelContext, UiApi
from plugins.tunnel.ui.assets import facts

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

#: (id, title, icon) of what the palette offers; the page that does it puts its handler into ``TunnelState.commands``.
ACTIONS: tuple[tuple[str, str, str], ...] = (
    ("assets", "Tunnel assets", "database"),
    ("find_asset", "Find an asset or a chainage", "search"),
    ("import_network", "Import pipes and networks", "import"),
    ("monitor", "Alarms and readings", "bell"),
    ("replay", "Replay past readings", "history"),
    ("shift", "Shift log and hand-over", "clipboard-list"),
    ("rounds", "Inspection rounds", "clipboard-check"),
    ("record_round", "Record a round", "square-pen"),
    ("work_order", "New work order", "wrench"),
    ("take_in_field", "Take in a field package", "package"),
    ("trace", "Trace a network", "route"),
    ("isolate", "Valves to close", "git-branch"),
    ("clearance", "Clearances and works near tunnels", "ruler"),
    ("emergency", "Replay an emergency", "siren"),
    ("section", "Cross section of a tunnel", "square-split-horizontal"),
    ("profile", "Longitudinal profile of a tunnel", "activity"),
    ("path_profile", "Longitudinal profile between two nodes", "spline"),
)


def register(api: UiApi) -> None:
    """Register the panel and its actions with the window."""
    api.add_panel(Panel("tunnel", "Tunnels", "tunnel", _panel, order=30, heading="Utility tunnels and pipes"))
    for name, title, icon in ACTIONS:
        run = partial(_run, name)
        api.add_action(Action(f"tunnel.{name}", title, run, icon, enabled=lambda context: context.project is not None))
    api.add_watcher(_watch_alarms)
    api.add_watcher(_watch_zones)
    facts.register(api)


def _panel(context: PanelContext) -> QWidget:
    from plugins.tunnel.ui.panel import TunnelPanel

    return TunnelPanel(context)


def _watch_alarms(context: PanelContext) -> object:
    from plugins.tunnel.ui.monitor.watcher import AlarmWatcher

    return AlarmWatcher(context)


def _watch_zones(context: PanelContext) -> object:
    from plugins.tunnel.ui.analysis.watcher import watcher_of

    return watcher_of(context)


def _run(name: str, context: PanelContext) -> None:
    """Open the panel and let it do it."""
    from plugins.tunnel.ui.state import state_of

    context.open_panel("tunnel")
    command = state_of(context).commands.get(name)
    if command is not None:
        command()
