"""Where a plugin may stand in the window: tables and pages of the dock, views beside the map, frames over it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel, QPushButton

from tests.ui.survey_plugin import context_of


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
