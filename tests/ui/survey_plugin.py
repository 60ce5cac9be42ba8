"""A plugin with a panel, an action, a tool and a setting, and one that is broken."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

GOOD = """
    from PySide6.QtGui import QStandardItem, QStandardItemModel
    from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
    from planner_app.plugin_api.ui import Action, MapTool, Panel

    contexts = []

    def panel(context):
        contexts.append(context)
        inner = QWidget()
        box = QVBoxLayout(inner)
        box.addWidget(QLabel("hello from the panel"))
        table = context.add_table("t", "Findings")
        model = QStandardItemModel(0, 1)
        model.appendRow(QStandardItem("first"))
        table.set_model(model)
        context.table = table
        return inner

    def broken_panel(context):
        raise RuntimeError("no panel today")

    class Tool:
        def __init__(self, context):
            self.context = context

    def register(api):
        api.add_panel(Panel("survey", "Survey", "map", panel, order=1, shortcut="Ctrl+1"))
        api.add_panel(Panel("broken", "Broken", "box", broken_panel, order=2))
        api.add_action(Action("survey.greet", "Greet everyone", lambda c: c.notify("hello", level="success")))
        api.add_map_tool(MapTool("survey.pin", "Pin", "map-pin", Tool))
"""
MODEL = """
    from planner_app.plugin_api.model import Setting

    def register(api):
        api.add_setting(Setting("survey.limit", "Limit", 2.5))
"""
BAD = """
    def register(api):
        raise ValueError("broken on purpose")
"""


def write_plugin(root: Path, plugin: str, **parts: str) -> None:
    folder = root / plugin
    folder.mkdir(parents=True)
    manifest = (
        f'id = "{plugin}"\nname = "{plugin} plugin"\nname_zh = "{plugin}插件"\nversion = "1.0"\napi = 1\nroles = []\n'
    )
    (folder / "plugin.toml").write_text(manifest, encoding="utf-8")
    for name, text in parts.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")


def context_of(desktop: Any) -> Any:
    return desktop.window._contexts["survey"]
