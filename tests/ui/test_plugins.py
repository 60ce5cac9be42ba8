"""Panels of plugins in the window, from a real plugin folder; a broken one is named and left out."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

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


@pytest.fixture
def with_plugins(opened: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    from planner_app.plugin_host import PluginHost

    root = tmp_path / "someones_plugins"
    write_plugin(root, "survey", ui=GOOD, model=MODEL)
    write_plugin(root, "unlucky", ui=BAD)
    host = PluginHost([root])
    host.load_uis()
    caplog.clear()  # the host logs the broken one, as it should
    opened.host = host
    opened.window.add_plugins(host)
    return opened


def context_of(desktop: Any) -> Any:
    return desktop.window._contexts["survey"]


def test_panel_stands_on_the_rail_and_is_open(with_plugins: Any) -> None:
    window = with_plugins.window
    assert list(window.rail.buttons) == ["layers", "survey", "broken"]
    assert window.task.current == "survey"
    assert window.task.title.text() == "Survey"
    assert "hello from the panel" in [label.text() for label in window.task.findChildren(QLabel)]
    assert window.rail.buttons["survey"].isChecked()
    window.rail.buttons["survey"].click()
    assert not window.task.isVisible()
    window.commands.trigger("panel.survey")
    assert window.task.isVisible()


def test_broken_plugin_is_named_and_the_rest_works(with_plugins: Any) -> None:
    bar = with_plugins.window.map_area.messages
    assert bar.isVisible()
    assert "unlucky" in bar.text()
    assert "Traceback" not in bar.text()


def test_panel_that_cannot_be_made_shows_its_error(with_plugins: Any, caplog: pytest.LogCaptureFixture) -> None:
    window = with_plugins.window
    window.rail.buttons["broken"].click()
    assert "This panel could not be opened." in [label.text() for label in window.task.findChildren(QLabel)]
    window.rail.buttons["survey"].click()
    assert window.task.title.text() == "Survey"
    caplog.clear()


def test_actions_and_tools_reach_search_and_toolbar(with_plugins: Any) -> None:
    window = with_plugins.window
    assert "survey.greet" in [spec.id for spec in window.commands.specs()]
    window.commands.trigger("survey.greet")
    assert window.map_area.messages.text() == "hello"
    assert "survey.pin" in window.canvas.tool_ids()
    assert "survey.pin" in window.map_area.tools.buttons


def test_context_gives_project_selection_settings_and_theme(with_plugins: Any, qtbot: Any) -> None:
    from planner_app.project import RenameLayer

    context, session = context_of(with_plugins), with_plugins.session
    assert context.project is session.project
    heard: list[Any] = []
    context.data_changed.connect(lambda change, initiator: heard.append((change.command, initiator)))
    assert context.execute(RenameLayer(session.layers()[0].id, "甲"), context) is not None
    assert heard == [("rename_layer", context)]
    assert context.setting("survey.limit") == 2.5
    context.set_setting("survey.limit", 4.0)
    assert context.setting("survey.limit") == 4.0
    with pytest.raises(KeyError):
        context.setting("survey.unknown")
    assert context.colour("accent") == session.theme.tokens["accent"]
    with qtbot.waitSignal(context.theme_changed, timeout=2000):
        with_plugins.window.commands.trigger("app.theme")
    results: list[int] = []
    context.run_job("sum", lambda progress: 1 + 1, results.append)
    qtbot.waitUntil(lambda: results == [2], timeout=5000)


def test_table_of_a_panel_stands_left_in_the_dock(with_plugins: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    assert window.dock.bar.tabText(0) == "Findings"
    window.toggle_dock()
    context.table.show()
    assert window.dock.isVisible()
    assert window.dock.current() == "plugin:survey:t"
    assert context.add_table("t", "Again") is context.table


def test_showing_a_layer_is_undoable(with_plugins: Any) -> None:
    context, session = context_of(with_plugins), with_plugins.session
    layer = session.layers()[0]
    context.show_layer(layer.id, False)
    assert not session.layer(layer.id).visible
    session.undo()
    assert session.layer(layer.id).visible
