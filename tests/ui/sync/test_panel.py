"""The panel: state, conflicts to choose in, records held back, rights, and what they show on the map."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from planner_app.domain.errors import PlannerError
from planner_app.i18n import RESOURCES, compile_catalogues
from planner_app.sync.types import LayerRight, Rights
from planner_app.ui.sync.conflict_list import DisputeCard
from planner_app.ui.sync.panel import CONFLICTS, HELD, RIGHTS, SyncPanel
from planner_app.ui.sync.rights import refusal, remark
from tests.ui.sync.fakes import CONNINFO, FakeBackend
from tests.ui.test_look import clipped


@pytest.fixture
def panel(at_server: Any, qtbot: Any) -> SyncPanel:
    at_server.window.top.sync.click()
    made = at_server.window.task.panel("sync")
    assert isinstance(made, SyncPanel)
    qtbot.waitUntil(lambda: bool(made.disputes))
    return made


def words(widget: Any) -> str:
    labels = [one.text() for one in widget.findChildren(QLabel) if one.isVisibleTo(widget)]
    return "\n".join(labels + [one.text() for one in widget.findChildren(QPushButton) if one.isVisibleTo(widget)])


def opened_card(panel: SyncPanel) -> DisputeCard:
    return next(one for one in panel.conflicts.findChildren(DisputeCard) if one.choices)


def test_pill_opens_the_panel_and_rail_and_panel_say_how_it_stands(
    at_server: Any, panel: SyncPanel, qtbot: Any
) -> None:
    window = at_server.window
    assert window.rail.buttons["sync"].isChecked()
    assert list(window.rail.buttons)[-1] == "sync"
    assert window.top.sync.text() == "10 to decide"
    assert panel.word.text() == "10 to decide"
    assert panel.server.whole_text() == "gis.example.cn / planner · wang (planner)"
    assert panel.tls.toolTip().startswith("Encrypted; the server proves")
    assert [one.text() for one in panel.figures._values] == ["4", "0", "7", "3"]
    assert panel.tabs.tabText(CONFLICTS) == "Conflicts: 7"
    assert panel.tabs.tabText(HELD) == "3 held back"
    assert not panel.local.isVisible()

    # Records are listed with what differs.
    titles = [one.title for one in panel.disputes]
    assert titles == [
        "规划用地 · 地块 0000", "规划用地 · 地块 0001", "规划用地 · 地块 0002", "规划用地 · 地块 0003", "农田",
    ]  # fmt: skip
    said = re.compile("Geometry, 容积率, floors · wang, .+, revision 2")  # who it was comes from the server
    qtbot.waitUntil(lambda: said.search(words(panel.conflicts)) is not None)
    text = words(panel.conflicts)
    assert "Deleted here" in text

    # The table below has every cell.
    table = at_server.window.sync._table
    assert table is not None
    model = table._model
    rows = [[model.index(n, c).data() for c in range(7)] for n in range(model.rowCount())]
    assert ["规划用地", "地块 0000", "容积率", "0", "2", "2.2", "2"] in rows
    assert ["规划用地", "地块 0002", "The whole record", "", "deleted", "changed, kept", "2"] in rows
    assert ["农田", "", "Code list", "gb50137", "mnr2023", "dltb", "2"] in rows
    table._chosen([3])
    assert panel.conflicts.opened().uuid == panel.disputes[1].uuid  # type: ignore[union-attr]


def test_a_local_project_offers_to_connect(opened: Any, qtbot: Any) -> None:
    opened.window.sync.put_on_rail()
    opened.window.open_panel("sync")
    made = opened.window.task.panel("sync")
    qtbot.wait(50)
    assert made.local.isVisible()
    assert made.connect_button.isVisible()
    assert not made.tabs.isVisible()
    assert opened.window.top.sync.text() == "Local file"


def test_opening_a_record_shows_all_values_and_the_outlines(at_server: Any, panel: SyncPanel, qtbot: Any) -> None:
    panel.conflicts.open(panel.disputes[0].key)
    card = opened_card(panel)
    text = words(card)
    assert "6,400.00 m²" in text
    assert "7,600.00 m²" in text
    assert "2.2" in text
    on_map = at_server.window.sync.on_map
    assert on_map.shown("dispute") == ["Was", "Mine", "Server"]
    west, _, east, _ = at_server.window.canvas.extent()
    assert west < 500000 < 500110 < east
    layer = next(one for one in at_server.session.layers() if one.name == "规划用地")
    assert at_server.session.selection.fids(layer.id) == (1,)
    panel.open_tab(RIGHTS)
    assert on_map.shown("dispute") == []

    # Their names stand where the outlines differ.
    from planner_app.ui.sync.outline_overlay import Outline, prepare

    conflict = panel.disputes[0].geometry()
    assert conflict is not None
    sides = (conflict.base, conflict.mine, conflict.theirs)
    drawn, box = prepare([Outline(str(n), "#000000", wkb) for n, wkb in enumerate(sides)])
    assert box == (500000, 2860000, 500110, 2860080)
    assert drawn[1].anchor[0] == 500110  # the new part
    assert drawn[2].anchor == (500040, 2860050)  # the corner that was cut out


def test_a_choice_is_made_before_anything_is_written(panel: SyncPanel) -> None:
    asked: list[Any] = []
    panel.conflicts.settle.disconnect()
    panel.conflicts.settle.connect(lambda *what: asked.append(what))
    panel.conflicts.open(panel.disputes[0].key)
    card = opened_card(panel)
    assert not card.apply.isEnabled()
    assert [one.chosen() for one in card.choices] == ["", "", ""]
    card.choices[0].buttons["mine"].click()
    assert card.apply.isEnabled()
    card.choices[1].buttons["theirs"].click()
    assert card.choices[2].chosen() == "theirs"  # floor area and its ratio belong together
    assert card.apply.text() == "Apply 3"
    card.apply.click()
    mine = card.choices[0].conflict.mine
    assert asked == [([1, 2, 3], "theirs", {1: mine})]  # both sides at once are one step to undo

    # Another value is checked.
    asked.clear()
    choice = opened_card(panel).choices[1]
    assert choice.editor is not None
    choice._edit()
    choice.editor.setText("about 3")
    opened_card(panel).apply.click()
    assert asked == []
    assert "about 3" in panel.notice.text()
    choice.editor.setText("2.1")
    opened_card(panel).apply.click()
    assert asked == [([1, 2, 3], "theirs", {1: mine, 2: 2.1})]


def test_a_shape_is_taken_and_its_vertices_edited(
    at_server: Any, panel: SyncPanel, backend: FakeBackend, qtbot: Any
) -> None:
    window, asked = at_server.window, []

    def settle(*what: Any) -> bool:
        asked.append(what)
        backend.waiting = [one for one in backend.waiting if one.id not in what[0]]
        panel.reload()
        return True

    panel.settle = settle  # type: ignore[method-assign]
    backend.waiting = [one for one in backend.waiting if one.id in (1, 5)]
    panel.reload()
    qtbot.waitUntil(lambda: len(panel.disputes) == 2)
    panel.conflicts.open(panel.disputes[0].key)
    assert opened_card(panel).choices[0].pencil is None  # the geometry is not among what may be edited
    at_server.session.sync.rights = None
    panel.conflicts._show()
    qtbot.wait(20)
    card = opened_card(panel)
    card.choices[0].buttons["theirs"].click()
    assert card.choices[0].pencil is not None
    card.choices[0].pencil.click()
    assert asked == [([1], "theirs", {})]
    qtbot.waitUntil(lambda: len(panel.disputes) == 1)
    assert panel.conflicts.opened() is None  # the next record does not take the map away
    assert window.canvas.tool_id == "edit_vertices"
    qtbot.waitUntil(lambda: window.canvas.tool.subject is not None)
    assert window.canvas.tool.subject.fid == 1
    assert (window.sync.on_map.shown("dispute"), window.sync.on_map.shown("guide")) == ([], ["Mine"])
    window.canvas.leave_tool()
    assert window.sync.on_map.shown("guide") == []


def test_all_of_a_layer_can_be_settled_at_once(panel: SyncPanel) -> None:
    asked: list[Any] = []
    panel.settle = lambda *what: asked.append(what)  # type: ignore[method-assign, assignment]
    assert panel.foot.isVisible()
    layer = panel.disputes[0].layer
    panel.conflicts._filter(layer)
    assert len(panel.conflicts.shown()) == 4
    panel.all_theirs.click()
    assert asked == [([1, 2, 3, 4, 5, 6], "theirs", {})]


def test_the_next_record_opens_when_one_is_settled(panel: SyncPanel, backend: FakeBackend, qtbot: Any) -> None:
    panel.conflicts.open(panel.disputes[1].key)
    backend.waiting = [one for one in backend.waiting if one.id != 4]
    panel.reload()
    qtbot.waitUntil(lambda: len(panel.disputes) == 4)
    opened = panel.conflicts.opened()
    assert opened is not None
    assert opened.title == "规划用地 · 地块 0002"


def test_records_held_back_say_why_and_what_can_be_done(panel: SyncPanel, backend: FakeBackend, qtbot: Any) -> None:
    asked: list[Any] = []
    panel.held_list.fix.disconnect()
    panel.held_list.fix.connect(lambda *what: asked.append(what))
    panel.open_tab(HELD)
    panel.held_list.open("1")
    qtbot.wait(30)
    text = words(panel.held_list)
    assert "约3.5" in text
    assert "Write it like 1234.5." in text
    knobs = {one.text(): one for one in panel.held_list.findChildren(QPushButton) if one.isVisibleTo(panel)}
    assert not panel.sign_in.isVisible()
    knobs["Convert the value"].click()
    assert asked[0][1] == "convert"
    assert asked[0][0] in ([1], [1, 2])
    assert "All 2 with this reason:" in text

    # Nothing waiting says so.
    backend.waiting, backend.held = [], []
    panel.reload()
    qtbot.waitUntil(lambda: not panel.disputes)
    assert panel.held_list.empty.isVisible()
    panel.open_tab(CONFLICTS)
    assert panel.conflicts.empty.isVisible()
    assert not panel.foot.isVisible()


def test_rights_are_said_before_an_edit(at_server: Any, panel: SyncPanel, qtbot: Any) -> None:
    window, session = at_server.window, at_server.session
    layers = {one.name: one for one in session.layers()}
    assert refusal(session, layers["建筑"]) == ""
    assert "read but not edited" in refusal(session, layers["农田"])
    assert refusal(session, layers["规划用地"], "far") == ""
    assert "cannot be edited" in refusal(session, layers["规划用地"], "code")
    assert "district" in remark(session, layers["地类图斑"])
    index = window.layers.model.index_of(layers["农田"].id)
    assert "read but not edited" in index.data(Qt.ItemDataRole.ToolTipRole)
    session.set_current_layer(layers["农田"].id)
    assert not window.map_area.tools.buttons["draw_polygon"].isEnabled()
    assert "read but not edited" in window.map_area.tools.buttons["edit_vertices"].toolTip()
    session.set_current_layer(layers["建筑"].id)
    assert window.map_area.tools.buttons["draw_polygon"].isEnabled()
    session.selection.set(layers["规划用地"].id, [1])
    window.show_form()
    form = window.task.panel("feature")
    qtbot.waitUntil(lambda: bool(form._editors))
    assert form._editors["far"].isEnabled()
    assert not form._editors["code"].isEnabled()
    assert "only these fields" in form._right.text()
    assert form.log.isVisible()


def test_rights_tab_lists_what_is_limited_and_shows_a_district(
    at_server: Any, panel: SyncPanel, backend: FakeBackend, qtbot: Any
) -> None:
    panel.open_tab(RIGHTS)
    qtbot.wait(30)
    text = words(panel.rights)
    assert "Your role: planner." in text
    assert "Only: 名称, 容积率" in text
    assert "You may edit all others (1)." in text
    district = next(one for one in at_server.session.layers() if one.name == "地类图斑")
    panel.rights._chosen(district.id)
    assert at_server.window.sync.on_map.shown("district") == ["地类图斑"]
    panel.open_tab(CONFLICTS)
    assert at_server.window.sync.on_map.shown("district") == []

    # Whoever may only look is told so.
    layers = {one.uuid: LayerRight(one.uuid, True, False) for one in at_server.session.layers()}
    backend.user_rights = Rights("viewer", "s2", False, layers)
    at_server.session.sync.refresh()
    qtbot.waitUntil(lambda: at_server.session.sync.rights.role == "viewer")
    panel.rights.refresh()
    assert "look at all layers, but edit none" in words(panel.rights)
    model = at_server.window.layers.model
    tips = [model.index_of(one.id).data(Qt.ItemDataRole.ToolTipRole) for one in at_server.session.layers()]
    assert all("(viewer)" in tip for tip in tips)


def test_a_sync_shows_its_progress_and_its_report(panel: SyncPanel, backend: FakeBackend, qtbot: Any) -> None:
    import threading

    backend.hold = threading.Event()
    panel.sync_button.click()
    qtbot.waitUntil(lambda: panel.running.isVisible() and panel.bar.value() == 500)
    assert not panel.sync_button.isEnabled()
    assert panel.word.text() == "Syncing 50%"
    backend.standing = replace(backend.standing, conflicts=0, quarantined=0)
    backend.hold.set()
    qtbot.waitUntil(lambda: panel.word.text().startswith("Synced"))
    assert not panel.running.isVisible()
    assert panel.notice.text() == "2 sent, 5 taken over"


def test_what_stopped_it_is_said_with_a_way_to_sign_in(panel: SyncPanel, backend: FakeBackend, qtbot: Any) -> None:
    backend.fail = PlannerError("sync.denied", server="gis")
    panel.sync_button.click()
    qtbot.waitUntil(lambda: panel.sign_in.isVisible())
    assert panel.notice.isVisible()
    assert "sync.denied" not in panel.notice.text()
    assert panel.word.text() == "Sync stopped"
    backend.fail = None
    panel.sync_button.click()
    qtbot.waitUntil(lambda: not panel.sign_in.isVisible())


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_is_clipped_in_the_smallest_window(at_server: Any, qtbot: Any, language: str) -> None:
    compile_catalogues(RESOURCES)
    at_server.choose_language(language)
    try:
        window = at_server.window
        window.resize(1280, 720)
        window.columns.setSizes([290, 640, 340])
        window.open_panel("sync")
        panel = window.task.panel("sync")
        qtbot.waitUntil(lambda: bool(panel.disputes))
        panel.conflicts.open(panel.disputes[0].key)
        panel.held_list.open("1")
        for tab in range(panel.tabs.count()):
            panel.open_tab(tab)
            qtbot.waitUntil(lambda: clipped(panel) == [])
            qtbot.waitUntil(lambda: panel._scroll.widget().width() <= panel._scroll.viewport().width())
        assert clipped(window.top) == []
    finally:
        at_server.choose_language("en")


def test_the_address_in_the_file_never_holds_a_password(at_server: Any) -> None:
    assert at_server.session.sync.conninfo == CONNINFO
    assert "password" not in at_server.session.sync.conninfo


def test_what_is_typed_survives_what_others_do(opened: Any, qtbot: Any) -> None:
    from planner_app.project import EditCells

    layer = next(one for one in opened.session.layers() if one.name == "规划用地")
    opened.session.selection.set(layer.id, [1])
    opened.window.show_form()
    form = opened.window.task.panel("feature")
    qtbot.waitUntil(lambda: bool(form._editors))
    form._editors["name"].setText("half a na")
    opened.session.execute(EditCells(layer.id, (1,), "far", (9.0,)))
    qtbot.wait(100)
    assert form._editors["name"].text() == "half a na"
    assert "changed elsewhere" in form.notice.text()
    form.reset.click()
    qtbot.waitUntil(lambda: form._editors["far"].text() == "9.0")
    assert form._editors["name"].text() == "地块 0000"
