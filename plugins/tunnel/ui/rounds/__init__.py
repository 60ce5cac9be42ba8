"""Inspection rounds, defects and work orders in the window: the page, its dialogs, routes on the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.state import TunnelState

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from plugins.tunnel.ui.rounds.actions import Actions


def install(context: PanelContext, state: TunnelState, panel: QWidget) -> None:
    """Offer ``work_order(title, kind, subject, steps, tunnel, m, compartment, source)`` to the role's other parts: it
    opens the dialog for a new work order, filled in. ``record_round`` and ``take_in_field`` are the palette's."""

    def actions() -> Actions:
        from plugins.tunnel.ui.rounds.actions import Actions
        from plugins.tunnel.ui.rounds.desk import desk_of

        desk = desk_of(context, state)
        desk.ensure()
        return Actions(desk, panel)

    def work_order(title: str = "", **given: Any) -> None:
        actions().new_order(title, **given)

    state.commands["work_order"] = work_order

    def on_page(run: Callable[[Actions], None]) -> None:
        state.run("rounds")  # what goes wrong is said there
        run(actions())

    state.commands["record_round"] = lambda: on_page(lambda its: its.record())
    state.commands["take_in_field"] = lambda: on_page(lambda its: its.take_in())
