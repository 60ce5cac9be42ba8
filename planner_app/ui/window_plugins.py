"""What plugins add to the window: panels, actions, map tools, watchers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.ui.actions import ActionSpec
from planner_app.ui.plugin_context import Places, PluginContext
from planner_app.ui.tools.tool import ToolInfo
from planner_app.ui.window_actions import tool_action

if TYPE_CHECKING:
    from planner_app.plugin_api.ui import Action, MapTool, Panel, UiApi
    from planner_app.plugin_host import PluginHost
    from planner_app.ui.main_window import MainWindow


def put_plugins(window: MainWindow, host: PluginHost) -> tuple[dict[str, PluginContext], list[object]]:
    """Put everything in; say which plugins were left out.

    Returns:
        The plugins' contexts by their id, and what keeps watch for as long as the window lives.
    """
    places = Places(
        window.side, window.map_area.floats, window.canvas.background, window.reveal_dock, window.grow_dock,
        window.open_panel,
    )  # fmt: skip
    contexts: dict[str, PluginContext] = {}
    panels: list[tuple[UiApi, Panel]] = []
    roles = [role for api in host.model_apis for role in api.layer_roles]
    window.session.hide_roles(role.id for role in roles if role.hidden)
    for api in host.ui_apis:
        context = PluginContext(api.plugin_id, window.session, host, window.canvas, window.dock, window, places)
        contexts[api.plugin_id] = context
        panels += [(api, panel) for panel in api.panels]
        for action in api.actions:
            _add_action(window, context, action)
        for tool in api.tools:
            _add_tool(window, context, api, tool)
    window.map_area.rebuild_tools()
    window.panel_plugins = {panel.id: api.plugin_id for api, panel in panels}
    for api, panel in sorted(panels, key=lambda pair: pair[1].order):
        _add_panel(window, contexts[api.plugin_id], panel)
    watchers = [kept for api in host.ui_apis for kept in contexts[api.plugin_id].start_watchers(api)]
    if host.failures:
        count = len(host.failures)
        window.session.say(
            host.failures[0].sentence if count == 1 else tr("{count} plugins were left out.", count=count), "warning",
            tr("The rest of the program works. See Plugins in the project menu."),
        )  # fmt: skip
    return contexts, watchers


def _add_panel(window: MainWindow, context: PluginContext, panel: Panel) -> None:
    title = tr(panel.title)
    window.task.add(panel.id, tr(panel.heading) or title, lambda: panel.factory(context))
    tip = f"{title} ({panel.shortcut})" if panel.shortcut else title
    window.rail.add(panel.id, panel.icon, title, tip, lambda: window.toggle_panel(panel.id))
    window.commands.add(
        ActionSpec(
            f"panel.{panel.id}", title, lambda: window.open_panel(panel.id), panel.icon, panel.shortcut,
            lambda: window.session.project is not None,
        )
    )  # fmt: skip


def _add_action(window: MainWindow, context: PluginContext, action: Action) -> None:
    asked = action.enabled
    window.commands.add(
        ActionSpec(
            action.id, tr(action.title), lambda: action.handler(context), action.icon, action.shortcut,
            (lambda: asked(context)) if asked is not None else None,
        )
    )  # fmt: skip


def _add_tool(window: MainWindow, context: PluginContext, api: UiApi, tool: MapTool) -> None:
    info = ToolInfo(tool.id, tr(tool.title), tool.icon, tool.shortcut, group=f"plugin:{api.plugin_id}")
    window.canvas.add_tool(info, partial(tool.factory, context))
    window.commands.add(tool_action(window, info))
