"""The window as a whole: start, open, panels, undo, themes, languages, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication

from planner_app.domain.changeset import ChangeSet, TableTouch
from planner_app.domain.errors import PlannerError
from planner_app.i18n import set_language


def layer_index(panel: Any, name: str) -> QModelIndex:
    layer = next(layer for layer in panel.session.layers() if layer.name == name)
    return panel.proxy.mapFromSource(panel.model.index_of(layer.id))


def test_start_page_stands_without_a_project(desktop: Any) -> None:
    window = desktop.window
    assert window.pages.currentWidget() is window.start
    assert window.windowTitle() == "Planner"
    assert not window.top.undo.isVisible()
    assert not window.commands["project.import"].isEnabled()


def test_opening_shows_layers_grouped_by_plan(opened: Any) -> None:
    window = opened.window
    assert window.pages.currentWidget() is not window.start
    assert [group.title for group in window.layers.model.groups] == [
        "Other layers",
        "土地利用规划 2020",
        "总体规划 2035",
    ]
    assert window.layers.count.text() == "4 / 4"
    assert "town.sqlite" in window.top.place.whole_text()
    assert "120E" in window.top.place.whole_text()
    assert opened.session.engine.opened == [Path(opened.session.project.path)]
    assert opened.session.settings.recent[0].endswith("town.sqlite")


def test_empty_project_says_what_fills_it(desktop: Any, tmp_path: Path, qtbot: Any) -> None:
    with qtbot.waitSignal(desktop.session.project_changed, timeout=10_000):
        desktop.window.flows.create(tmp_path / "new.sqlite", "EPSG:4549", "空项目")
    layers = desktop.window.layers
    assert desktop.session.project.name == "空项目"
    assert layers._stack.currentIndex() == 0
    assert layers._empty._button.text() == "Import a layer…"


def test_toggling_a_layer_is_a_command(opened: Any) -> None:
    panel = opened.window.layers
    index = layer_index(panel, "建筑")
    assert panel.proxy.setData(index, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    layer = next(layer for layer in opened.session.layers() if layer.name == "建筑")
    assert not layer.visible
    assert opened.session.project.log(1)[0].command == "set_layer"
    assert panel.count.text() == "3 / 4"
    opened.session.undo()
    assert all(layer.visible for layer in opened.session.layers())
    assert panel.count.text() == "4 / 4"


def test_undo_tooltip_names_the_command(opened: Any) -> None:
    from planner_app.project import RenameLayer

    top = opened.window.top
    assert not top.undo.isEnabled()
    layer = opened.session.layers()[0]
    opened.session.execute(RenameLayer(layer.id, "新名"))
    assert top.undo.isEnabled()
    assert top.undo.toolTip().startswith("Undo: ")
    assert "command." not in top.undo.toolTip()
    opened.window.commands.trigger("edit.undo")
    assert not top.undo.isEnabled()
    assert top.redo.isEnabled()
    assert opened.session.layers()[0].name == layer.name


def test_f9_hides_all_panels_and_brings_back_what_was_open(opened: Any) -> None:
    window = opened.window
    window.toggle_dock()
    window.commands.trigger("view.panels")
    assert not window.layers.isVisible()
    assert not window.dock.isVisible()
    window.commands.trigger("view.panels")
    assert window.layers.isVisible()
    assert not window.dock.isVisible()


def test_sizes_and_panels_are_remembered(opened: Any, tmp_path: Path) -> None:
    from planner_app.ui.settings import Settings

    window = opened.window
    window.columns.setSizes([333, 900, 300])
    window.toggle_dock()
    window.remember()
    stored = Settings.load(tmp_path / "config")
    assert stored.columns == window.columns.sizes()
    assert stored.dock is False


def test_theme_switches_at_once(opened: Any) -> None:
    window, theme = opened.window, opened.session.theme
    assert not theme.is_dark()
    light = window.grab().toImage().pixelColor(700, 10).lightness()
    window.commands.trigger("app.theme")
    assert theme.is_dark()
    dark = window.grab().toImage().pixelColor(700, 10).lightness()
    assert light > 200
    assert dark < 80
    assert opened.session.settings.theme == "dark"


def test_language_switches_at_once_and_keeps_the_project(opened: Any, qtbot: Any) -> None:
    opened.session.selection.set(opened.session.layers()[0].id, [1])
    opened.choose_language("zh_CN")
    try:
        window = opened.window
        qtbot.waitExposed(window)
        assert window.dock.bar.tabText(0) == "属性表"
        assert window.top.search.placeholderText().startswith("搜索")
        assert opened.session.project is not None
        assert opened.session.selection.count() == 1
        assert window.layers.count.text() == "4 / 4"
    finally:
        set_language("en")


def test_known_error_is_worded_in_the_message_bar(opened: Any) -> None:
    opened.session.show_error(PlannerError("layer.unknown", layer="x", known="a, b"))
    bar = opened.window.map_area.messages
    assert bar.isVisible()
    assert "layer.unknown" not in bar.text()
    assert not bar._copy.isVisible()


def test_defect_never_shows_a_traceback(opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("secret internals")
    except ValueError as error:
        opened.session.show_error(error)
    bar = opened.window.map_area.messages
    assert bar.isVisible()
    assert "Traceback" not in bar.text()
    assert "secret" not in bar.text()
    bar._copy.click()
    assert "secret internals" in QApplication.clipboard().text()
    assert "internal error" in caplog.text
    caplog.clear()


def test_uncaught_exception_reaches_the_window(desktop: Any, qtbot: Any, caplog: pytest.LogCaptureFixture) -> None:
    desktop.hook.install()
    try:
        raise RuntimeError("boom")
    except RuntimeError as error:
        import sys

        sys.excepthook(type(error), error, error.__traceback__)
    assert desktop.window.start_messages.isVisible()
    caplog.clear()


def test_foreign_change_refreshes_the_window(opened: Any, town: Path) -> None:
    from planner_app.project import Project, RenameLayer

    with Project.open(town, origin="cli") as other:
        other.execute(RenameLayer(other.layers()[0].id, "别处改名"))
    opened.session.poll()
    assert "别处改名" in [layer.name for layer in opened.session.layers()]
    assert opened.window.layers.model.index_of(opened.session.layers()[0].id).data() == "别处改名"


def test_closing_goes_back_to_the_start_page(opened: Any) -> None:
    opened.window.commands.trigger("project.close")
    window = opened.window
    assert window.pages.currentWidget() is window.start
    assert opened.session.selection.count() == 0
    assert "town.sqlite" in window.start._recent.itemAt(0).widget().path


def test_a_file_that_is_no_project_is_refused_in_words(desktop: Any, tmp_path: Path, qtbot: Any) -> None:
    wrong = tmp_path / "wrong.sqlite"
    wrong.write_text("this is no database", encoding="utf-8")
    with qtbot.waitSignal(desktop.session.message, timeout=10_000) as said:
        desktop.session.open_project(wrong)
    assert said.args[0] == "error"
    assert "wrong.sqlite" in said.args[1]


def test_engine_that_keeps_stopping_is_said_and_can_be_started_again(opened: Any, qtbot: Any) -> None:
    engine = opened.session.engine
    engine.state = "failed"
    engine.state_changed.emit("failed")
    window = opened.window
    assert "keeps stopping" in window.map_area.messages.text()
    assert "Engine stopped" in window.status.engine.text()
    with qtbot.waitSignal(engine.state_changed, timeout=2000):
        window.commands.trigger("app.engine")


def test_rows_changed_along_with_the_registry_are_drawn_anew(opened: Any) -> None:
    engine = opened.session.engine
    engine.refreshed.clear()
    change = ChangeSet(1, "resolve_conflicts", touches=(TableTouch("plan", updated=1),), registry=True)
    opened.session.data_changed.emit(change, None)
    assert engine.refreshed == [None, ["plan"]]


def test_view_changes_do_not_make_the_engine_read_the_registry_again(opened: Any) -> None:
    from planner_app.project import RenameLayer, SetLayer

    engine, layer = opened.session.engine, opened.session.layers()[0]
    engine.refreshed.clear()
    opened.session.execute(SetLayer(layer.id, {"visible": False}))
    opened.session.execute(SetLayer(layer.id, {"opacity": 0.5}))
    assert engine.refreshed == []
    opened.session.execute(RenameLayer(layer.id, "新"))
    assert engine.refreshed == [None]


def test_edited_rows_make_the_engine_reload_only_their_layer(opened: Any) -> None:
    from planner_app.project import EditCells

    engine, layer = opened.session.engine, opened.session.layers()[0]
    engine.refreshed.clear()
    opened.session.execute(EditCells(layer.id, [1], "name", ["新"]))
    assert engine.refreshed == [[layer.id]]


def test_typed_scale_goes_to_the_map(opened: Any) -> None:
    window = opened.window
    window.status.scale.setText("1:2500")
    window.status.scale.editingFinished.emit()
    assert window.canvas.scale() == pytest.approx(2500, rel=1e-6)
    assert window.status.scale.text() == "1 : 2,500"
    window.status.scale.setText("nonsense")
    window.status.scale.editingFinished.emit()
    assert "not a scale" in window.map_area.messages.text()
    assert window.status.scale.text() == "1 : 2,500"


def test_position_reads_north_before_east(opened: Any) -> None:
    opened.window.canvas.cursor_moved.emit(500123.45, 2860678.9)
    text = opened.window.status.position.text()
    assert text.index("2,860,678.90") < text.index("500,123.45")


def test_report_picture_is_asked_of_the_engine(opened: Any, tmp_path: Path) -> None:
    from planner_app.ui.map_picture import render_png

    got: list[bytes] = []
    engine = opened.session.engine

    def write(method: str, params: dict[str, Any], done: Any, failed: Any = None) -> int:
        Path(params["out"]).write_bytes(b"png")
        assert [layer["id"] for layer in params["layers"]] == [layer.id for layer in opened.session.layers()]
        done({})
        return 1

    engine.request = write
    render_png(opened.session, (0, 0, 1, 1), (10, 10), got.append)
    assert got == [b"png"]


def test_a_report_gets_no_picture_where_the_engine_cannot_draw(opened: Any) -> None:
    from planner_app.domain.errors import PlannerError
    from planner_app.ui.map_picture import render_png

    got: list[bytes] = []

    def refuse(method: str, params: dict[str, Any], done: Any, failed: Any = None) -> int:
        failed(PlannerError("engine.not_running"))
        return 1

    opened.session.engine.request = refuse
    render_png(opened.session, (0, 0, 1, 1), (10, 10), got.append)
    assert got == [b""]
