"""Monitoring in the window: the page, tables and chart in the dock, badges on the map, replay, shift log, notices."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.state import TunnelState

if TYPE_CHECKING:
    from plugins.tunnel.ui.monitor.chart_page import ChartPage
    from plugins.tunnel.ui.monitor.live import Live


def install(context: PanelContext, state: TunnelState) -> None:
    """Offer ``chart(sensor number)`` to the role's other parts; the chart is made when first asked for."""
    made: list[ChartPage] = []

    def chart(sensor: int) -> None:
        from plugins.tunnel.ui.monitor.chart_page import ChartPage
        from plugins.tunnel.ui.monitor.live import live_of

        if not made:
            made.append(ChartPage(live_of(state)))
        made[0].show_sensor(sensor)

    state.commands["chart"] = chart
    for name in ("replay", "shift"):
        state.commands[name] = partial(_by_page, state, name)


def follow(state: TunnelState) -> Live:
    """Judge readings and show standing alarms on the map from now on, whether or not the page is ever opened."""
    from plugins.tunnel.ui.monitor.badges import badges_of
    from plugins.tunnel.ui.monitor.live import live_of

    live = live_of(state)
    badges_of(live)
    return live


def _by_page(state: TunnelState, name: str) -> None:
    """Open the page, which offers the command itself from then on, and ask it."""
    before = state.commands[name]
    state.run("monitor")
    if state.commands[name] is not before:
        state.run(name)
