"""An operator at the analysis page in the real window: trace, valves, emergencies; and what stands in no page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from planner_app.project import Project
from plugins.tunnel.ui.state import Asset
from tests.plugins.tunnel.network import station


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """Two tunnels, a gas main with two valves, a hospital."""
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "管廊") as project:
        station.tunnels(project)
        station.pipes(project)
    return tmp_path / "town.sqlite"


@pytest.fixture
def desk(town: Path, open_window: Callable[[Path], Any]) -> Any:
    """The analysis page in front."""
    made = open_window(town)
    made.page_ = made.page("analysis")
    made.until(made.page_.isVisible)
    return made


def ask(desk: Any, task: str, place: str, kind: str = "") -> Any:
    """Ask as other pages do; returns the task once it answered."""
    page = desk.page_
    assert desk.state.run(task, place, *([kind] if kind else []))
    found = page.tasks[task]
    answered = {"trace": lambda: found.found, "isolate": lambda: found.answer, "emergency": lambda: found.scene}[task]
    desk.until(lambda: answered() is not None)
    return found


def marks(desk: Any) -> Any:
    return desk.page_.desk.marks.picture


def look(page: Any, name: str) -> list[str]:
    return [one.text() for one in getattr(page, name)._values]


def press(desk: Any, x: float, y: float) -> None:
    """A click of the left button at a place of the map."""
    canvas = desk.window.canvas
    px, py = canvas.viewport.to_screen(x, y)
    spot = QPointF(px, py).toPoint()
    QTest.mouseMove(canvas, spot)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)


def test_an_empty_project_says_what_is_missing(tmp_path: Path, open_window: Callable[[Path], Any]) -> None:
    Project.create(tmp_path / "empty.sqlite", "EPSG:4549", "空").close()
    desk = open_window(tmp_path / "empty.sqlite")
    page = desk.page("analysis")
    for task in ("trace", "isolate", "emergency"):
        part = page.tasks[task]
        page.open(task)
        part.place.set_place("")
        part.run.click()
        assert "No place" in part.notice._sentence.text()
        desk.state.run(task, "line:1")
        desk.until(lambda part=part: "net_node" in part.notice._sentence.text())
        assert part.before.isVisible()
    page.open("clearance")
    page.clearance.run.click()
    desk.until(page.clearance.notice.isVisible)
    assert "net_line" in page.clearance.notice._sentence.text()


def test_a_gas_alarm_is_traced_to_rooms_valves_and_buildings(desk: Any) -> None:
    page = ask(desk, "trace", "sensor:CH4-300")
    assert look(page, "figures") == ["4", "0.66", "41"]
    assert page.rooms.keys() == ["T1-G2", "T1-G1", "T1-G3"]
    assert page.served.keys() == ["s2", "s1"]
    assert [one.text for one in marks(desk).spots if one.shape == "valve"] == ["1", "2"]
    assert {one.key for one in marks(desk).spots if one.shape == "dot"} == {"s1", "s2"}
    page.direction.setCurrentIndex(page.direction.findData("down"))
    page.direction.activated.emit(1)
    desk.until(lambda: len(page.found.lines) == 3)
    assert any(one.arrows for one in marks(desk).strokes)
    page._served_chosen("s2")
    assert desk.page_.desk.marks.chosen == "s2"
    page.cut.click()  # the same place, on the next task
    desk.until(lambda: desk.page_.isolate.answer is not None)
    assert (desk.page_.task, desk.page_.isolate.place.place) == ("isolate", "sensor:CH4-300")
    desk.state.run("trace", "line:nowhere")
    desk.until(lambda: "nowhere" in page.notice._sentence.text())
    assert page.found is None
    assert not marks(desk).strokes


def test_valves_in_order_seized_recorded_and_undone(desk: Any) -> None:
    page = ask(desk, "isolate", "line:G2")
    assert page.valves.keys() == ["v1", "v2"]
    assert look(page, "figures") == ["2", "41", "1"]
    assert page.served.keys() == ["s2", "s1"]
    picture = marks(desk)
    assert [(one.key, one.text) for one in picture.spots if one.shape == "valve"] == [("v1", "1"), ("v2", "2")]
    assert [one.dashed for one in picture.strokes] == [True, False]  # cut off, dry
    page.mark("v2")
    desk.until(lambda: page.answer.isolation.close == ("v1",))
    assert page._seized_row.isVisible()
    assert [one.shape for one in marks(desk).spots if one.key == "v2"] == ["seized"]
    page.record()
    project = desk.session.project
    valves = next(layer.id for layer in project.layers() if layer.role == "tunnel.valve")
    assert project.read(valves, columns=["operable"]).columns["operable"] == [1, 0]
    desk.until(lambda: page.valves.keys() == ["v1", "v2"])
    assert any("asset says" in one.text() for one in page.valves._cards[-1].findChildren(type(page.more)))
    assert page.seized == []
    project.undo()
    desk.until(lambda: page.answer.isolation.close == ("v1", "v2"))
    page.mark("v1")
    desk.until(lambda: "v1" not in page.answer.isolation.close)
    page.mark("v1")  # a second time: not seized after all
    desk.until(lambda: page.answer.isolation.close == ("v1", "v2"))


def test_an_answer_becomes_a_work_order(desk: Any) -> None:
    page = ask(desk, "isolate", "line:G2")
    orders: list[Any] = []
    desk.state.commands["work_order"] = lambda title, **fields: orders.append((title, fields))
    page.order.click()
    ((title, fields),) = orders
    assert "line:G2" in title
    assert (fields["kind"], fields["subject"], fields["tunnel"]) == ("isolation", "line:G2", "T1")
    assert [step for step in fields["steps"] if "v1" in step or "v2" in step]
    assert 200 <= fields["m"] <= 400


def test_a_place_is_picked_on_the_map_and_esc_ends_it(desk: Any) -> None:
    page = desk.page_.trace
    desk.page_.open("trace")
    desk.context.map.zoom_to_extent((500_150.0, 3_399_950.0, 500_450.0, 3_400_100.0))
    desk.qtbot.wait(10)
    page.place.button.click()
    desk.until(lambda: desk.page_.desk.ground is not None)
    assert page.place.button.isChecked()
    press(desk, 500_300.0, 3_400_003.0)
    desk.until(lambda: page.found is not None)
    assert page.place.place == "line:G2"
    press(desk, 500_400.0, 3_400_003.0)  # the tool stays in hand
    desk.until(lambda: page.place.place == "valve:v2")
    QTest.keyClick(desk.window.canvas, Qt.Key.Key_Escape)
    desk.until(lambda: not desk.page_.desk.picking)
    assert not page.place.button.isChecked()
    page.place.button.click()
    assert desk.page_.desk.picking
    page.place.button.click()  # a second click puts it down
    assert not desk.page_.desk.picking


def test_the_asset_selected_elsewhere_is_the_place(desk: Any) -> None:
    page = ask(desk, "isolate", "line:G1")
    fid = list(desk.page_.desk.ground.graph.loaded.line_codes).index("G3")
    line = desk.page_.desk.ground.graph.loaded.line_fids[fid]
    desk.state.select(Asset("net_line", line, "G3"))
    desk.until(lambda: page.answer.at == "line:G3")
    desk.page_.open("emergency")
    desk.state.select(Asset("sensor", 1, "CH4-300"))
    desk.until(lambda: desk.page_.emergency.scene is not None)
    assert desk.page_.emergency.place.place == "sensor:CH4-300"


def test_marks_stand_only_while_the_page_is_in_front(desk: Any) -> None:
    ask(desk, "isolate", "line:G2")
    assert marks(desk).spots
    desk.state.run("assets")
    assert not marks(desk).spots
    desk.state.run("analysis")
    assert marks(desk).spots
    desk.page_.open("emergency")
    assert not marks(desk).spots
    desk.window.canvas.grab()  # painted without an error


def test_an_emergency_is_played(desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ask(desk, "emergency", "compartment:T1-G2", "leak")
    page.rate.setValue(360)
    page.run.click()
    desk.until(lambda: page.scene.zones[0].figures["q_m3s"] == pytest.approx(0.1))
    assert "Screening" in page.notice._sentence.text()
    assert page.curve.isVisible()
    assert page.clock.isVisible()
    assert "GB 50838-2015 7.5.8" in page.assumed.text()
    assert "assumption" in page.assumed.text()

    def shut() -> set[str]:
        return {one.key for one in marks(desk).spots if one.shape == "shut"}

    page.set_time(0.0)
    assert shut() == set()
    assert len([one for one in marks(desk).strokes if one.ground]) == 1  # the neighbours come with the alarm
    cut = next(at for at, one in enumerate(page.scene.timeline) if one.code == "tunnel.event_cutoff")
    page._event_chosen(str(cut))
    assert shut() == {"v1", "v2"}
    assert len([one for one in marks(desk).strokes if one.ground]) == 3
    assert {one.shape for one in marks(desk).spots} >= {"exit", "shut"}
    page.set_time(0.0)
    page.play()
    desk.until(lambda: page.t > 0)
    page.play()
    stood = page.t
    assert not page._timer.isActive()
    page.slider.setValue(1000)
    assert page.t == page.scene.duration > stood
    desk.window.canvas.grab()
    page.kind.setCurrentIndex(page.kind.findData("power"))
    page._kind_chosen()
    desk.until(lambda: page.scene.kind == "power")
    assert not page.curve.isVisible()
    assert not page.rate.isVisible()
    report = tmp_path / "推演.html"
    monkeypatch.setattr(type(desk.context), "ask_save", lambda *_: report)
    monkeypatch.setattr(type(desk.context), "render_map", lambda self, extent, size, done, **_: done(b""))
    page.exporter.click()
    desk.until(lambda: "written" in page.notice._sentence.text())
    assert "T1-G2" in report.read_text(encoding="utf-8")


def test_fire_closes_the_way_and_says_who_cannot_leave(desk: Any) -> None:
    page = ask(desk, "emergency", "compartment:T1-Z2", "fire")
    assert look(page, "figures")[2] == "1"
    assert page.figures._values[2].property("look") == "figure-fail"
    stuck = next(at for at, one in enumerate(page.scene.exits) if not one.exit)
    assert page._exit_card(stuck, page.scene.exits[stuck]).pill == ("fail", "closed")
    page._exit_chosen(str(1 - min(stuck, 1)))
    press_kind = SimpleNamespace(x=500_300.0, y=3_400_100.0, left=True)
    page.place.pick()
    tool = desk.window.canvas.tool._tool
    tool.move(press_kind)
    assert "compartment" in tool.hint()
    tool.press(press_kind)
    desk.until(lambda: page.scene.at == "compartment:T2-Z1")
