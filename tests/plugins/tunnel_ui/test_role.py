"""Where the role's pages meet: alarms seen from every page, dialogs that other pages ask for, another project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea

from planner_app.project import Project
from planner_app.project.commands import EditCells
from plugins.tunnel.model.monitoring.shift import AddEntry, entry_of
from plugins.tunnel.ui.monitor.badges import badges_of
from plugins.tunnel.ui.monitor.live import live_of
from plugins.tunnel.ui.monitor.shift_dialog import ShiftDialog
from plugins.tunnel.ui.panel import MONITOR
from plugins.tunnel.ui.rounds.order_dialogs import NewOrderDialog
from tests.plugins.tunnel.monitoring.plants import EAST, NORTH, add_sensors, feed


@pytest.fixture
def gas(tmp_path: Path, open_window: Callable[[Path], Any]) -> Any:
    """The role open on its first page; gas stands at 29 %LEL on one sensor, another is quiet."""
    path = tmp_path / "gas.sqlite"
    with Project.create(path, "EPSG:4549", "管廊") as project:
        add_sensors(project, (1, "CH4-1", "ch4", 100.0, ""), (2, "CH4-2", "ch4", 300.0, ""))
        feed(project, 1, [1.0 + 0.1 * (n % 3) for n in range(90)] + [6.0, 12.0, 18.0, 24.0, 30.0, 29.0])
        feed(project, 2, [1.0 + 0.1 * (n % 4) for n in range(96)])
    made = open_window(path)
    assert list(made.panel.pages) == [0]
    return made


def dialogs(kind: type) -> list[Any]:
    return [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]


def test_alarms_are_seen_whichever_page_is_open(gas: Any) -> None:
    tabs = gas.panel.tabs
    gas.until(lambda: tabs.tabText(MONITOR) == "Monitoring 3")
    assert list(gas.panel.pages) == [0]
    assert {one.code for one in gas.state.marks} == {"CH4-1"}
    live = live_of(gas.state)
    gas.context.map.zoom_to_extent((EAST, NORTH - 100, EAST + 200, NORTH + 100))

    def seen() -> str:
        x, y = gas.window.canvas.viewport.to_screen(EAST + 100, NORTH)
        return str(gas.window.canvas.grab().toImage().pixelColor(round(x) - 7, round(y) + 6).name().upper())

    gas.until(lambda: seen() == gas.context.colour("fail"))
    gas.context.map.add_overlay(lambda painter, _: painter.fillRect(0, 0, 4000, 4000, QColor("white")))
    assert seen() == gas.context.colour("fail")  # nothing another page draws hides it
    assert gas.page("monitor").badges is badges_of(live)


def test_an_alarm_is_named_on_the_map_while_it_is_what_is_selected(gas: Any) -> None:
    live = live_of(gas.state)
    gas.until(lambda: live.loaded)
    live.choose(1)
    assert live.selected()
    assert gas.state.asset.table == "sensor"
    (layer,) = gas.context.selection.layer_ids()
    gas.context.selection.clear()
    assert not live.selected()
    gas.context.selection.set(layer, [live.overview.sensors[2].fid])
    assert (live.sensor, live.selected()) == (2, True)


def test_what_a_closed_dialog_listened_to_goes_on(gas: Any) -> None:
    gas.page("monitor")
    gas.until(lambda: live_of(gas.state).loaded)
    gas.state.run("shift")
    (dialog,) = dialogs(ShiftDialog)
    dialog.reject()
    gas.qtbot.wait(5)
    assert not dialogs(ShiftDialog)
    told: list[Any] = []
    gas.state.records_changed.connect(told.append)
    gas.session.project.execute(AddEntry(entry_of("王工", "已通知燃气公司")))
    gas.until(lambda: bool(told))  # a slot that fails fails the test


def test_enter_writes_the_note_down_and_hands_nothing_over(gas: Any) -> None:
    gas.page("monitor")
    gas.until(lambda: live_of(gas.state).loaded)
    gas.state.run("shift")
    (dialog,) = dialogs(ShiftDialog)
    dialog.giver.setText("王工")
    dialog.taker.setText("李工")
    dialog.text.setText("已通知燃气公司")
    QTest.keyClick(dialog.text, Qt.Key.Key_Return)
    assert len(dialog.entries.keys()) == 1
    assert not dialog.notice.isVisible()
    assert dialog.past.count() == 0
    dialog.reject()


def test_a_work_order_asked_for_by_another_page_has_the_window_as_its_owner(gas: Any) -> None:
    gas.state.run("work_order", "Close the valve", source="isolation:line:1")
    (dialog,) = dialogs(NewOrderDialog)
    assert dialog.parent() is gas.window
    dialog.reject()


def test_another_project_finds_nothing_of_the_one_before(
    sample: Path, tmp_path: Path, open_window: Callable[[Path], Any]
) -> None:
    Project.create(tmp_path / "e.sqlite", "EPSG:4549").close()
    made = open_window(sample)
    made.page("assets").search.run("GL01 K1+250")
    bar = made.window.dock.bar

    def titles() -> list[str]:
        return [bar.tabText(at) for at in range(bar.count())]

    made.until(lambda: any(one.startswith("Section GL01") for one in titles()))  # a chainage opens its section
    assert made.window.dock.current() == "plugin:tunnel:section"
    made.state.run("profile")
    made.until(lambda: "Profile GL01" in titles())
    made.state.run("trace", "line:GX00012")
    trace = made.page("analysis").trace
    made.until(lambda: trace.found is not None)
    lines = next(one for one in made.session.layers() if one.id == "net_line")
    made.context.show_layer(lines.id, not lines.visible)
    made.qtbot.wait(20)
    assert trace.found is not None  # showing a layer changes no network
    made.session.project.execute(EditCells(lines.id, [made.session.project.fid_list(lines.id)[0]], "material", ["PE"]))
    made.until(lambda: trace.found is None)
    made.session.open_project(tmp_path / "e.sqlite")
    made.until(lambda: made.session.project.name != "滨海新城" and not made.session.jobs.active())
    made.until(lambda: made.page("assets").overview.empty)
    assert [one for one in titles() if "GL01" in one] == []
    assert made.page("analysis").trace.place.place == ""
    assert made.panel.tabs.tabText(MONITOR) == "Monitoring"


def test_nothing_is_clipped_in_the_smallest_window(sample: Path, open_window: Callable[[Path], Any]) -> None:
    made = open_window(sample)
    made.window.resize(1280, 720)

    def wide() -> list[str]:
        areas = [one for one in made.panel.findChildren(QScrollArea) if one.isVisible() and one.widget() is not None]
        outer = made.panel.parentWidget()
        found = [f"{type(one.widget()).__name__} {one.widget().width()} > {one.viewport().width()}"
                 for one in areas if one.widget().width() > one.viewport().width()]  # fmt: skip
        return found + ([f"panel {made.panel.width()} > {outer.width()}"] if made.panel.width() > outer.width() else [])

    seen: dict[str, list[str]] = {}
    for name in ("assets", "monitor", "rounds", "analysis"):
        page = made.page(name)
        tabs = {"rounds": [0, 1, 2], "analysis": ["trace", "isolate", "clearance", "emergency"]}.get(name, [""])
        for tab in tabs:
            if name == "rounds":
                made.until(lambda page=page: page.book is not None)
                page.tabs.setCurrentIndex(tab)
                page._card_chosen(page.cards.keys()[0])
            elif name == "analysis":
                page.open(tab)
            elif name == "monitor":
                made.until(lambda page=page: page.live.loaded)
                page._card_chosen(page.cards.keys()[0])
            else:
                page.search.run("GX00012")
                made.until(lambda page=page: page.card.isVisible())
            made.qtbot.wait(30)
            seen[f"{name} {tab}"] = wide()
    for name in ("section", "profile"):
        made.state.run(name, "GL01")
    made.state.run("chart", 1)
    made.qtbot.wait(30)
    for tab in made.window.dock._tabs:
        if tab.key.startswith("plugin:tunnel:") and tab.page.minimumSizeHint().width() > made.window.dock.width():
            seen[tab.key] = [f"{tab.page.minimumSizeHint().width()} > {made.window.dock.width()}"]
    assert made.panel.width() >= 380
    assert {name: found for name, found in seen.items() if found} == {}
