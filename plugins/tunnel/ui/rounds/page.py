"""Inspection rounds, defects and work orders."""

from __future__ import annotations

from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import TaskPage
from plugins.tunnel.ui.state import state_of


class RoundsPage(TaskPage):
    """Inspection rounds, defects and work orders."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.state = state_of(context)
