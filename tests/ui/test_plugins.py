"""Panels of plugins in the window, from a real plugin folder; a broken one is named and left out."""

from __future__ import annotations

import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

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


def test_table_of_a_panel_stands_left_in_the_dock(with_plugins: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    assert window.dock.bar.tabText(0) == "Findings"
    window.toggle_dock()
    context.table.show()
    assert window.dock.isVisible()
    assert window.dock.current() == "plugin:survey:t"
    assert context.add_table("t", "Again") is context.table


def test_the_dock_shows_the_tabs_of_the_role_whose_panel_is_open(with_plugins: Any) -> None:
    window, dock = with_plugins.window, with_plugins.window.dock

    def shown() -> list[str]:
        return [dock.bar.tabText(at) for at in range(dock.bar.count()) if dock.bar.isTabVisible(at)]

    dock.add("plugin:other:t", "Pipes & cables", QLabel(), first=True)
    dock.serve("other")
    assert "Pipes && cables" in shown()  # one ampersand would be taken for a shortcut's mark
    own = dock.current()
    window.open_panel("survey")
    assert "Pipes && cables" not in shown()
    assert {"Findings", "Attribute table"} <= set(shown())
    dock.open("plugin:other:t")  # asked for by name it is there
    assert "Pipes && cables" in shown()
    dock.open(own)
    assert "Pipes && cables" not in shown()
    dock.set_title("plugin:other:t", "A & B")
    dock.serve("other")
    assert "A && B" in shown()
    assert "Findings" not in shown()


def test_a_wide_page_of_the_dock_leaves_the_panels_their_width(with_plugins: Any, qtbot: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    window.resize(1280, 720)
    qtbot.wait(20)
    before = window.columns.sizes()
    wide = QLabel()
    wide.setMinimumWidth(before[1] + 200)
    context.add_dock_page("wide", "Wide", wide).show()
    qtbot.wait(20)
    assert window.columns.sizes() == before


def test_showing_a_layer_is_undoable(with_plugins: Any) -> None:
    context, session = context_of(with_plugins), with_plugins.session
    layer = session.layers()[0]
    context.show_layer(layer.id, False)
    assert not session.layer(layer.id).visible
    session.undo()
    assert session.layer(layer.id).visible


def hidden_and_shown(desktop: Any, tmp_path: Path) -> tuple[str, str]:
    """Ids of a hidden table and of a layer of a role of the same plugin, added by a plugin that declares both."""
    from planner_app.domain.layer import FieldInfo, NewLayer
    from planner_app.plugin_host import PluginHost
    from planner_app.project import Batch

    model = """
        from planner_app.plugin_api.model import LayerRole

        def register(api):
            api.add_layer_role(LayerRole("notes.note", "Notes", hidden=True))
            api.add_layer_role(LayerRole("notes.place", "Places"))
    """
    root = tmp_path / "notes_plugins"
    write_plugin(root, "notes", model=model, ui="def register(api): pass")
    host = PluginHost([root])
    host.load_uis()
    project = desktop.session.project
    made = [
        project.add_layer(NewLayer(name, "none", (FieldInfo("text", "text"),), role=role), [Batch([], {"text": ["a"]})])
        for name, role in (("note_table", "notes.note"), ("place_table", "notes.place"))
    ]
    desktop.window.add_plugins(host)
    return made[0].id, made[1].id


def test_hidden_layers_stay_out_of_sight_and_within_reach(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    from planner_app.ui.tools.select_expression import SelectExpressionDialog

    window, session = opened.window, opened.session
    hidden, shown = hidden_and_shown(opened, tmp_path)
    panel = [layer.id for group in window.layers.model.groups for layer in group.layers]
    assert shown in panel
    assert hidden not in panel
    assert window.table.layers.findData(shown) >= 0
    assert window.table.layers.findData(hidden) < 0
    window.open_palette()
    found = []
    for name in ("note_table", "place_table"):
        window.palette_.field.setText(name)
        window.palette_.refresh()
        found += [hit.title for hit in window.palette_.hits if hit.kind == "layer"]
    window.palette_.dismiss()
    assert found == ["place_table"]
    dialog = SelectExpressionDialog(session, window)
    qtbot.addWidget(dialog)
    assert dialog.layer_box.findData(shown) >= 0
    assert dialog.layer_box.findData(hidden) < 0
    assert session.project.read(hidden).columns["text"] == ["a"]


def test_arranging_layers_leaves_hidden_ones_whole(opened: Any, tmp_path: Path) -> None:
    hidden, _ = hidden_and_shown(opened, tmp_path)
    session = opened.session
    ids = [layer.id for layer in session.layers()]
    from planner_app.ui.commands import ArrangeLayers

    session.execute(ArrangeLayers(tuple(reversed(ids))))
    assert [layer.id for layer in session.layers()] == ids[::-1]
    assert hidden in [layer.id for layer in session.project.layers()]


def test_a_view_stands_beside_the_map(with_plugins: Any, qtbot: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    drawing, profile = QLabel("drawing"), QLabel("profile")
    view = context.add_side_view("drawing", "Drawing", drawing)
    assert context.add_side_view("drawing", "Again", QLabel()) is view
    assert not view.visible()
    assert not window.side.isVisible()
    view.show()
    other = context.add_side_view("profile", "Profile", profile)
    other.show()
    qtbot.wait(20)
    assert window.map_area.isVisible()
    assert profile.isVisible()
    assert not drawing.isVisible()
    assert [window.side.bar.tabText(i) for i in range(window.side.bar.count())] == ["Drawing", "Profile"]
    view.show()
    view.set_title("D-0001")
    assert drawing.isVisible()
    assert window.side.bar.tabText(0) == "D-0001"
    window.views.setSizes([300, 700])
    width = window.side.width()
    view.hide()
    assert profile.isVisible()
    closed: list[str] = []
    view.closed.connect(lambda: closed.append("drawing"))
    other.closed.connect(lambda: closed.append("profile"))
    window.side._close(window.side.current())
    assert closed == ["profile"]
    assert not window.side.isVisible()
    assert not other.visible()
    view.show()
    qtbot.wait(20)
    assert abs(window.side.width() - width) <= 2
    assert window.map_area.isVisible()
    window.remember()
    assert with_plugins.session.settings.views == window.views.sizes()


def test_any_widget_is_a_page_of_the_dock(with_plugins: Any, qtbot: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    section = QLabel("section")
    page = context.add_dock_page("section", "Cross section", section)
    assert context.add_dock_page("section", "Again", QLabel()) is page
    pressed: list[str] = []
    page.set_actions([("export", "Export", lambda: pressed.append("export"))])
    window.toggle_dock()
    assert not page.visible()
    page.show(share=0.5)
    qtbot.wait(20)
    assert page.visible()
    assert section.isVisible()
    assert section.width() >= window.dock.width() - 4
    above, below = window.rows.sizes()
    assert abs(above - below) <= 2
    window.dock.findChild(QPushButton, "export").click()
    assert pressed == ["export"]
    page.set_title("K0+120")
    assert "K0+120" in [window.dock.bar.tabText(i) for i in range(window.dock.bar.count())]
    window.dock.open("history")
    assert not page.visible()
    page.show()
    assert window.rows.sizes() == [above, below]


def test_a_panel_can_be_brought_to_the_front(with_plugins: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    window.toggle_task()
    context.open_panel("survey")
    assert window.task.isVisible()
    assert window.task.current == "survey"


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


def test_widgets_float_over_the_map_and_over_a_view(with_plugins: Any, qtbot: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    area = window.map_area
    knobs = [QPushButton(text) for text in ("one", "two", "three")]
    first, second = context.add_floating(knobs[0]), context.add_floating(knobs[1])
    third = context.add_floating(knobs[2], edge="right")
    assert not first.visible()
    assert not knobs[0].isVisible()
    for frame in (first, second, third):
        frame.show()
    qtbot.wait(20)
    place = [knob.mapTo(area, QPoint(0, 0)) for knob in knobs]
    assert place[0].y() > area.tools.geometry().bottom() - 10
    assert place[1].y() > place[0].y() + knobs[0].height()
    assert place[2].x() > area.width() / 2
    first.hide()
    qtbot.wait(20)
    assert knobs[1].mapTo(area, QPoint(0, 0)) == place[0]
    window.resize(1400, 900)
    qtbot.wait(20)
    assert knobs[2].mapTo(area, QPoint(0, 0)).x() > area.width() - 100
    sheet, tall = QLabel("sheet"), QLabel("\n".join(str(n) for n in range(200)))
    context.add_side_view("sheet", "Sheet", sheet).show()
    context.add_floating(tall, over=sheet).show()
    context.add_floating(QPushButton("beside"), edge="right", over=sheet).show()
    qtbot.wait(20)
    assert tall.isVisible()
    assert tall.window() is window
    assert tall.mapTo(sheet, QPoint(0, 0)).y() + tall.height() <= sheet.height()
    wide = QLabel("x" * 400)
    wide.setMinimumWidth(50)
    context.add_floating(wide, edge="right", over=sheet).show()
    qtbot.wait(20)
    assert wide.mapTo(sheet, QPoint(0, 0)).x() >= 0


def test_a_message_stands_below_what_floats_over_the_map(with_plugins: Any, qtbot: Any) -> None:
    window, context = with_plugins.window, context_of(with_plugins)
    bar = window.map_area.messages
    context.notify("A warning stays", level="warning")
    above = bar.y()
    wide = QLabel("a bar that runs a clock")
    wide.setFixedSize(bar.geometry().center().x(), 60)
    floating = context.add_floating(wide)
    floating.show()
    qtbot.waitUntil(lambda: bar.y() > above)
    frame = wide.parentWidget()
    assert bar.y() > frame.geometry().bottom()
    floating.hide()
    qtbot.waitUntil(lambda: bar.y() == above)


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
