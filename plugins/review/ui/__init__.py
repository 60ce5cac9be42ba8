"""The review plugin's window parts: its task panel, the sheet view, mark-up tools."""

from __future__ import annotations

from planner_app.plugin_api.ui import UiApi


def register(api: UiApi) -> None:
    """Register the panels, actions and tools with the window."""
