"""Panels of plugins in the window, from a real plugin folder; a broken one is named and left out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel

from tests.ui.survey_plugin import context_of, write_plugin


def test_panel_stands_on_the_rail_and_is_open(with_plugins: Any) -> None:
    window = with_plugins.window
    assert list(window.rail.buttons) == ["layers", "survey", "broken", "sync"]
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


def test_showing_a_layer_is_undoable(with_plugins: Any) -> None:
    context, session = context_of(with_plugins), with_plugins.session
    layer = session.layers()[0]
    context.show_layer(layer.id, False)
    assert not session.layer(layer.id).visible
    session.undo()
    assert session.layer(layer.id).visible


class AdHoc:
    """A tool that writes down what it is told."""

    snaps = False

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.said = "Click twice"

    def activate(self) -> None:
        self.heard.append("activate")

    def deactivate(self) -> None:
        self.heard.append("deactivate")

    def press(self, event: Any) -> None:
        self.heard.append(f"press {event.px:.0f} {event.py:.0f}")

    def hint(self) -> str:
        return self.said


def test_a_tool_without_a_button(with_plugins: Any, qtbot: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    canvas = window.canvas
    first, second = AdHoc(), AdHoc()
    context.map.use_tool(lambda: first)
    assert "ad_hoc" not in canvas.tool_ids()
    assert not any(knob.isChecked() for knob in window.map_area.tools.buttons.values())
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert first.heard == ["activate", "press 200 150"]
    assert canvas._hint == "Click twice"
    first.said = "Once more"
    context.map.update_overlays()
    assert canvas._hint == "Once more"
    context.map.use_tool(lambda: second)
    assert first.heard[-1] == "deactivate"
    canvas.escape()
    assert second.heard == ["activate", "deactivate"]
    assert canvas.tool_id == "pan"
    canvas.set_tool("measure_length")
    context.map.use_tool(None)  # the person took up another tool meanwhile: it stays
    assert canvas.tool_id == "measure_length"


def test_quick_work_runs_off_the_ui_thread_and_the_newest_wins(with_plugins: Any, qtbot: Any) -> None:
    context = context_of(with_plugins)
    here, answers, began = threading.get_ident(), [], threading.Event()
    hold = threading.Event()

    def slow() -> tuple[str, int]:
        began.set()
        hold.wait(5)
        return "old", threading.get_ident()

    context.in_background("picture", slow, answers.append)
    assert began.wait(5)
    context.in_background("picture", lambda: ("new", threading.get_ident()), answers.append)
    context.in_background("other", lambda: ("other", 0), answers.append)
    hold.set()
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=5000)
    qtbot.wait(50)
    assert sorted(name for name, _ in answers) == ["new", "other"]
    assert here not in [thread for _, thread in answers]


def test_a_tool_keeps_a_key_from_the_window_while_it_needs_it(with_plugins: Any) -> None:
    """Del deletes the tool's own mark, not the features that happen to be selected: no shortcut sees the key."""
    window, context = with_plugins.window, context_of(with_plugins)

    class Deleting:
        has_mark = True

        def owns_key(self, event: Any) -> bool:
            return self.has_mark and bool(event.key() == Qt.Key.Key_Delete)

    def kept(key: Qt.Key) -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QApplication.sendEvent(window.canvas, event)
        return event.isAccepted()

    tool = Deleting()
    context.map.use_tool(lambda: tool)
    assert kept(Qt.Key.Key_Delete)
    assert not kept(Qt.Key.Key_P)
    tool.has_mark = False
    assert not kept(Qt.Key.Key_Delete)


WATCHERS = """
    from PySide6.QtCore import QObject

    seen = []

    class Watcher(QObject):
        def __init__(self, context):
            super().__init__()
            self.project, self.heard = context.project, []
            context.data_changed.connect(lambda change, _: self.heard.append(change.command))
            seen.append(self)

    def broken(context):
        raise RuntimeError("no watch today")

    def register(api):
        api.add_watcher(broken)
        api.add_watcher(Watcher)
"""


def test_a_watcher_looks_on_though_no_panel_was_opened(
    opened: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    from planner_app.plugin_host import PluginHost
    from planner_app.project import RenameLayer

    root = tmp_path / "lookouts"
    write_plugin(root, "lookout", ui=WATCHERS)
    host = PluginHost([root])
    host.load_uis()
    opened.window.add_plugins(host)
    assert "no watch today" in caplog.text
    caplog.clear()
    message = opened.window.map_area.messages.text()
    assert "lookout" in message
    assert "Traceback" not in message
    (watcher,) = sys.modules["planner_plugin_lookout.ui"].seen
    assert watcher.project is opened.session.project
    assert watcher.parent() is opened.window._contexts["lookout"]  # and so it goes with its window
    opened.session.execute(RenameLayer(opened.session.layers()[0].id, "甲"))
    assert watcher.heard == ["rename_layer"]
