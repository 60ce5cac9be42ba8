"""Attribute table, form, dock tables, history, search, layer order: on a real project file."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.plugin_api.widgets import PILL_ROLE, SORT_ROLE
from planner_app.ui.dock import DockTableView
from planner_app.ui.palette import match_score
from planner_app.ui.panels.attribute_model import parse_cell
from planner_app.ui.panels.layer_panel import reorder
from planner_app.ui.status_bar import parse_scale


def layer_id(desktop: Any, name: str) -> str:
    return next(layer.id for layer in desktop.session.layers() if layer.name == name)


def show_table(desktop: Any, name: str, qtbot: Any) -> Any:
    window = desktop.window
    desktop.session.set_current_layer(layer_id(desktop, name))
    window.show_table()
    table = window.table
    qtbot.waitUntil(lambda: table.model.layer is not None and table.model.layer.name == name, timeout=5000)
    return table


def cell(table: Any, row: int, column: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> Any:
    return table.model.data(table.model.index(row, column), role)


def test_table_shows_rows_with_figures_right(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    assert table.model.rowCount() == 40
    assert [cell(table, 2, c) for c in range(1, 5)] == ["G1", "地块 0002", "0.2", "2"]
    assert table.model.headerData(3, Qt.Orientation.Horizontal) == "容积率"
    assert cell(table, 0, 3, Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert table.count.text() == "40 rows"


def test_edit_in_the_table_can_be_undone(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    index = table.model.index(5, 3)
    assert table.model.setData(index, "2.75")
    assert cell(table, 5, 3) == "2.75"
    assert opened.session.project.log(1)[0].command == "edit_cells"
    assert opened.window.top.undo.toolTip() != "Undo: nothing yet (Ctrl+Z)"
    opened.session.undo()
    assert cell(table, 5, 3) == "0.5"


def test_wrong_value_is_refused_in_words(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    entries = len(opened.session.project.log(100))
    assert not table.model.setData(table.model.index(5, 3), "much")
    assert "much" in opened.window.map_area.messages.text()
    assert len(opened.session.project.log(100)) == entries


def test_filter_by_text_and_by_expression(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    table.filter.setText("0012")
    qtbot.waitUntil(lambda: table.model.rowCount() == 1, timeout=5000)
    table.filter.setText("=far >= 3 AND code = 'R2'")
    qtbot.waitUntil(lambda: table.model.rowCount() == 4, timeout=5000)
    assert [cell(table, r, 2) for r in range(4)] == ["地块 0030", "地块 0033", "地块 0036", "地块 0039"]
    table.select_filtered()
    assert opened.session.selection.count() == 4
    table.filter.setText("=nonsense(")
    qtbot.waitUntil(table.notice.isVisible, timeout=5000)


def test_sorting_by_a_column(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    table.view.horizontalHeader().setSortIndicator(4, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: cell(table, 0, 4) == "39", timeout=5000)
    assert cell(table, 39, 4) == "0"


def test_selection_goes_both_ways(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    this = layer_id(opened, "规划用地")
    table.view.selectRow(7)
    assert opened.session.selection.fids(this) == (8,)
    assert opened.window.status.selected.text() == "1 selected"
    opened.session.selection.set(this, [3, 20])
    assert sorted(i.row() for i in table.view.selectionModel().selectedRows()) == [2, 19]


def test_deleting_the_selection_is_undoable(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    this = layer_id(opened, "规划用地")
    opened.session.selection.set(this, [1, 2, 3])
    opened.window.commands.trigger("edit.delete")
    assert opened.session.project.count(this) == 37
    assert opened.session.selection.count() == 0
    qtbot.waitUntil(lambda: table.model.rowCount() == 37, timeout=5000)
    opened.session.undo()
    qtbot.waitUntil(lambda: table.model.rowCount() == 40, timeout=5000)


def test_form_saves_several_fields_as_one_step(opened: Any, qtbot: Any) -> None:
    table = show_table(opened, "规划用地", qtbot)
    this = layer_id(opened, "规划用地")
    opened.session.selection.set(this, [4])
    table.form.click()
    form = opened.window.task.panel("feature")
    qtbot.waitUntil(lambda: bool(form._editors), timeout=5000)
    assert form.title.text() == "规划用地 · 地块 0003"
    form._editors["name"].setText("改名")
    form._editors["far"].setText("1.9")
    form.save.click()
    entry = opened.session.project.log(1)[0]
    assert entry.command == "edit_feature"
    read = opened.session.project.read(this, fids=[4], geometry=False).columns
    assert (read["name"], read["far"]) == (["改名"], [1.9])
    opened.session.undo()
    read = opened.session.project.read(this, fids=[4], geometry=False).columns
    assert (read["name"], read["far"]) == (["地块 0003"], [0.3])


def test_history_takes_an_entry_back(opened: Any, qtbot: Any) -> None:
    from planner_app.project import RenameLayer

    this = layer_id(opened, "建筑")
    opened.session.execute(RenameLayer(this, "房屋"))
    opened.window.show_dock("history")
    history = opened.window.history
    qtbot.waitUntil(lambda: history.model.rowCount() > 0, timeout=5000)
    row = next(i for i, e in enumerate(history.model.entries) if e.command == "rename_layer")
    assert "command." not in history.model.data(history.model.index(row, 2))
    history.view.selectRow(row)
    assert history.undo.isEnabled()
    history.undo.click()
    qtbot.waitUntil(lambda: opened.session.layer(this).name == "建筑", timeout=5000)
    qtbot.waitUntil(lambda: any(e.undone for e in history.model.entries), timeout=5000)


def test_search_finds_commands_layers_and_features(opened: Any, qtbot: Any) -> None:
    window = opened.window
    palette = window.palette_
    window.commands.trigger("view.search")
    window.top.search.setText("export")
    palette.refresh()
    assert "Export a layer" in [hit.title for hit in palette.hits]
    window.top.search.setText("地类")
    palette.refresh()
    assert ("layer", "地类图斑") in [(hit.kind, hit.title) for hit in palette.hits]
    window.top.search.setText("0017")
    palette._typed("0017")
    qtbot.waitUntil(lambda: any(hit.kind == "feature" for hit in palette.hits), timeout=5000)
    palette.list.setCurrentRow(next(i for i, hit in enumerate(palette.hits) if hit.kind == "feature"))
    palette.accept()
    assert opened.session.selection.count() == 1
    assert not palette.isVisible()


def test_dragging_changes_the_drawing_order_in_one_step(opened: Any) -> None:
    panel = opened.window.layers
    model = panel.model
    order = [layer.name for layer in opened.session.layers()]
    assert order == ["建筑", "地类图斑", "农田", "规划用地"]
    group = next(i for i, g in enumerate(model.groups) if g.title.startswith("土地"))
    top = model.index(group, 0)
    moved = reorder(model, model.index(1, 0, top), model.index(0, 0, top), after=False)
    assert moved == [layer_id(opened, n) for n in ("建筑", "农田", "地类图斑", "规划用地")]
    last = model.index(len(model.groups) - 1, 0)
    assert reorder(model, model.index(0, 0, top), last, after=False) is None  # a layer stays in its plan
    panel._dropped(panel.proxy.mapFromSource(last), panel.proxy.mapFromSource(model.index(0, 0)), False)
    assert [layer.name for layer in opened.session.layers()] == ["规划用地", "建筑", "地类图斑", "农田"]
    opened.session.undo()
    assert [layer.name for layer in opened.session.layers()] == order


def test_dock_table_sorts_by_value_filters_and_reports_source_rows(desktop: Any, qtbot: Any) -> None:
    table = DockTableView(desktop.window.dock, "plugin:test:t", "Results", lambda: None)
    model = QStandardItemModel(0, 2)
    for name, area in (("C-10", 9.0), ("C-9", 100.0), ("C-1", 20.0)):
        figure = QStandardItem(f"{area:,.1f}")
        figure.setData(area, SORT_ROLE)
        verdict = QStandardItem(name)
        verdict.setData("fail", PILL_ROLE)
        model.appendRow([verdict, figure])
    table.set_model(model)
    shown = lambda c: [table.proxy.index(r, c).data() for r in range(table.proxy.rowCount())]  # noqa: E731
    assert shown(0) == ["C-10", "C-9", "C-1"]
    table.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert shown(1) == ["9.0", "20.0", "100.0"]
    table.view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert shown(0) == ["C-1", "C-9", "C-10"]
    reported: list[list[int]] = []
    table.current_changed.connect(reported.append)
    table.view.selectRow(0)
    assert reported == [[2]]
    table.select_rows([1])
    assert table.selected_rows() == [1]
    assert reported == [[2]]  # a selection from outside is not reported back
    table.filter.setText("c-9")
    qtbot.waitUntil(lambda: shown(0) == ["C-9"], timeout=2000)
    assert desktop.window.dock.bar.tabText(0) == "Results"


def test_empty_dock_table_offers_its_button(desktop: Any) -> None:
    pressed: list[int] = []
    table = DockTableView(desktop.window.dock, "plugin:test:e", "Results", lambda: None)
    table.set_empty("Run the check to fill this.", "Run", lambda: pressed.append(1))
    table._empty._button.click()
    assert pressed == [1]
    assert table._stack.currentIndex() == 0


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("real", "1,234.5", 1234.5),
        ("integer", "12", 12),
        ("text", " 甲 ", "甲"),
        ("date", "2035/1/2", "2035-01-02"),
        ("date", "2035年12月31日", "2035-12-31"),
        ("boolean", "是", True),
        ("real", "", None),
    ],
)
def test_typed_values(kind: Any, text: str, value: object) -> None:
    assert parse_cell(FieldInfo("f", kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text"), [("real", "x"), ("integer", "1.5"), ("date", "soon"), ("date", "2035-02-30"), ("integer", "inf")]
)
def test_typed_values_that_make_no_sense(kind: Any, text: str) -> None:
    with pytest.raises(PlannerError):
        parse_cell(FieldInfo("f", kind), text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1:2000", 2000), ("1 : 12,000", 12000), ("5000", 5000), ("1：2万", 20000), ("x", None), ("0", None)],
)
def test_typed_scale(text: str, value: float | None) -> None:
    assert parse_scale(text) == value


def test_match_score_prefers_the_beginning() -> None:
    assert match_score("lay", "Layer panel") > match_score("lay", "Zoom to the layer") > match_score("yer", "Layer") > 0
    assert match_score("zoom layer", "Zoom to the layer") > 0
    assert match_score("xyz", "Layer") == 0
