"""The planner's panel: conflict check and site check."""

from __future__ import annotations

from planner_app.plugin_api.ui import Panel, UiApi


def register(api: UiApi) -> None:
    """Add the role's entry on the rail."""
    from plugins.planning.ui.panel import PlanningPanel

    api.add_panel(Panel("planning", "Planning", "map", PlanningPanel, order=10))
