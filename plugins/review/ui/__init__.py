"""The review plugin's window parts: its task panel, the sheet view, mark-up tools."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from planner_app.plugin_api.ui import Action, Panel, PanelContext, UiApi
from plugins.review.ui.sheet import ACTIONS as SHEET_ACTIONS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

#: (id, title, icon) of what the palette offers; the panel says what each does.
ACTIONS = (
    ("import", "Import a drawing…", "file-plus-2"),
    ("new_case", "New case…", "plus"),
    ("check", "Check the drawing", "list-checks"),
    ("raise", "Raise an issue…", "message-square"),
    ("conditions", "Planning conditions…", "file-check"),
    ("layers", "Layer convention…", "layers"),
    ("reading", "Region and units…", "ruler"),
    ("place", "Place the drawing…", "map-pin"),
    ("compare", "Compare revisions…", "git-compare"),
    ("asbuilt", "As-built check…", "clipboard-check"),
    ("opinion", "Opinion…", "stamp"),
    ("verify", "Verify a sealed opinion…", "shield-check"),
    ("reports", "Reports made elsewhere…", "paperclip"),
    ("bcf", "Exchange issues (BCF)…", "upload"),
    ("copies", "Copies with redlines…", "file-down"),
    *SHEET_ACTIONS,
)


def register(api: UiApi) -> None:
    """Register the panel and its actions with the window."""
    api.add_panel(Panel("review", "Review", "file-check", _panel, order=20, heading="Drawing review"))
    for name, title, icon in ACTIONS:
        run = partial(_run, name)
        api.add_action(Action(f"review.{name}", title, run, icon, enabled=lambda context: context.project is not None))


def _panel(context: PanelContext) -> QWidget:
    from plugins.review.ui.panel import ReviewPanel

    return ReviewPanel(context)


def _run(name: str, context: PanelContext) -> None:
    """Open the panel and let it do it."""
    from plugins.review.ui.state import state_of

    context.open_panel("review")
    command = state_of(context).commands.get(name)
    if command is not None:
        command()
