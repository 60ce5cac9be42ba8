"""Inspection rounds, defects and work orders in the window: the page, its dialogs, routes on the map."""

from __future__ import annotations

from typing import Any

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.state import TunnelState


def install(context: PanelContext, state: TunnelState) -> None:
    """Offer ``work_order(title, kind, subject, steps, tunnel, m, compartment, source)`` to the role's other parts: it
    opens the dialog for a new work order, filled in."""

    def work_order(title: str = "", **given: Any) -> None:
        from plugins.tunnel.ui.rounds.actions import Actions
        from plugins.tunnel.ui.rounds.desk import desk_of

        Actions(desk_of(context, state)).new_order(title, **given)

    state.commands["work_order"] = work_order
