"""An operator at the monitoring page: what stands, acknowledging, table and map, import, replay, hand-over, notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from planner_app.project import Project
from plugins.tunnel.model.monitoring.alarm_table import AcknowledgeAlarm, WriteAlarms, kept_alarms
from plugins.tunnel.model.monitoring.heartbeat import Heartbeat, write_heartbeat
from plugins.tunnel.model.monitoring.standing import Monitor
from plugins.tunnel.ui.monitor.import_dialog import ImportDialog
from plugins.tunnel.ui.monitor.live import live_of
from plugins.tunnel.ui.monitor.replay import ReplayDialog
from plugins.tunnel.ui.monitor.shift_dialog import ShiftDialog
from tests.plugins.tunnel.monitoring.plants import EAST, MINUTE, NORTH, START, add_sensors, alarm_rules, feed

STEP = 15 * MINUTE


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """Gas stands at 29 %LEL on sensor 1, 2 is quiet, 3 never sent."""
    with Project.create(tmp_path / "gas.sqlite", "EPSG:4549", "管廊") as project:
        rows = [
            (1, "CH4-1", "ch4", 100.0, ""),
            (2, "CH4-2", "ch4", 300.0, ""),
            (3, "CH4-3", "ch4", 500.0, "2020-01-01"),
        ]
        add_sensors(project, *rows)
        feed(project, 1, [1.0 + 0.1 * (n % 3) for n in range(90)] + [6.0, 12.0, 18.0, 24.0, 30.0, 29.0])
        feed(project, 2, [1.0 + 0.1 * (n % 4) for n in range(96)])
    return tmp_path / "gas.sqlite"


@pytest.fixture
def desk(plant: Path, open_window: Callable[[Path], Any]) -> Any:
    """The monitoring page, loaded."""
    made = open_window(plant)
    made.page_ = made.page("monitor")
    made.live = made.page_.live
    made.until(lambda: made.live.loaded)
    return made


def texts(model: Any, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def dialog(kind: type[Any]) -> Any:
    return [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()][-1]


def test_figures_cards_and_tables_say_the_same(desk: Any) -> None:
    page = desk.page_
    assert [one.text() for one in page.levels._values] == ["2", "1", "0"]
    assert [one.text() for one in page.figures._values] == ["3", "1", "1"]
    assert len(page.cards.keys()) == 3
    assert texts(page.tables._alarms, 2) == ["CH4-1"] * 3
    assert texts(page.tables._alarms, 4)[:2] == ["≥ 25 %LEL", "≥ 20 %LEL"]
    assert texts(page.tables._alarms, 10)[0] == "GB 50838-2015 7.5.8"
    assert texts(page.tables._sensors, 3) == ["alarm", "normal", "silent"]
    page.filter.setCurrentIndex(page.filter.findData("due"))
    page._show()
    assert page.shown()[0].alarm.code == "CH4-3"
    assert "751" not in page._pulse.text()
    assert page._pulse.text() == "no collector"


def test_a_card_selects_everywhere_and_is_acknowledged_with_a_name(desk: Any) -> None:
    page, live = desk.page_, desk.live
    sections: list[tuple[Any, ...]] = []
    desk.state.commands["section"] = lambda *words: sections.append(words)
    page._card_chosen(page.cards.keys()[0])
    (layer,) = desk.context.selection.layer_ids()
    assert desk.context.selection.fids(layer) == (live.overview.sensors[1].fid,)
    west, south, east, north = desk.context.map.extent()
    assert west < EAST + 100 < east
    assert south < NORTH < north
    assert east - west < 1_200
    assert sections == [("GL01", 100.0)]
    assert desk.state.asset.code == "CH4-1"
    assert page.tables.alarms.selected_rows() == [0]
    assert page.foot.isVisible()
    page.foot.name.setText("")
    page.foot.ok.click()
    assert page.notice.isVisible()  # nobody cannot acknowledge
    page.foot.name.setText("王工")
    page.foot.remark.setText("已通知燃气公司")
    page.foot.ok.click()
    desk.until(lambda: bool(live.chosen() and live.chosen().ack_by))
    assert live.chosen().ack_remark == "已通知燃气公司"
    assert not page.foot.ok.isVisible()
    page.filter.setCurrentIndex(page.filter.findData("unacked"))
    page._show()
    assert len(page.cards.keys()) == 2
    desk.session.undo()
    desk.until(lambda: len(page.cards.keys()) == 3)


def test_selecting_a_sensor_on_the_map_chooses_its_alarm(desk: Any) -> None:
    layer = next(one for one in desk.session.layers() if one.role == "tunnel.sensor")
    desk.context.selection.set(layer.id, [desk.live.overview.sensors[1].fid])
    assert desk.live.sensor == 1
    assert desk.live.chosen().alarm.rule == "alarm.ch4_cutoff"
    assert desk.page_.tables.sensors.selected_rows() == [0]


def test_badges_join_near_alarms_and_stand_at_every_scale(desk: Any) -> None:
    badges = desk.page_.badges
    for metres_per_pixel in (0.1, 10.0, 1000.0):
        found = badges.gather(lambda x, y, m=metres_per_pixel: ((x - EAST) / m, (NORTH - y) / m))
        assert [len(one.alarms) for one in found] == [3]
        assert found[0].alarms[0].alarm.rule == "alarm.ch4_cutoff"
    assert {one.code for one in desk.state.marks} == {"CH4-1"}
    picture = desk.window.canvas.grab().toImage()
    desk.page_._hide_badges()
    desk.qtbot.wait(5)
    assert desk.window.canvas.grab().toImage() != picture


def test_readings_of_a_file_come_in_through_the_dialog(desk: Any, tmp_path: Path) -> None:
    file = tmp_path / "CH4-2.csv"
    rows = [f"2024-10-01 {n // 4:02d}:{n % 4 * 15:02d}:07,{26 if 40 <= n < 44 else 2 + n % 3 / 10}" for n in range(90)]
    file.write_text("采集时间,浓度\n" + "\n".join(rows) + "\n2024-13-01 00:00,3\n", encoding="utf-8")
    page = desk.page_
    ImportDialog(desk.live, file, page._taken_in, desk.window).show()
    opened = dialog(ImportDialog)
    desk.until(lambda: opened.read is not None)
    assert opened.sensor.currentText() == "CH4-2"
    assert opened.time.currentText() == "采集时间"
    assert "90" in opened.summary.text()
    assert "2024-13-01" in opened.list.toPlainText()
    opened.zone.setEditText("Mars/Olympus")
    desk.until(lambda: opened.notice.isVisible() and not opened.ok.isEnabled())
    opened.zone.setEditText("Asia/Shanghai")
    desk.until(lambda: opened.read is not None and opened.ok.isEnabled())
    opened.apply()
    desk.until(lambda: "CH4-2" in {one.alarm.code for one in desk.live.overview.alarms})
    assert len(kept_alarms(desk.session.project)) == 3
    desk.until(lambda: page.notice.isVisible())
    assert desk.session.project.readings.count(2) == 96 + 90


def test_a_running_collector_and_its_readings_are_seen(desk: Any) -> None:
    now = round(time.time() * 1000)
    project, live = desk.session.project, desk.live
    live._look_for_news()
    desk.until(lambda: live._seen is not None)
    write_heartbeat(project, Heartbeat("mqtt:1883", "srv", 7, now - 60_000, now, 0, True))
    feed(project, 2, [3.5], now - 1000)
    live._look_for_news()
    desk.until(lambda: desk.page_._pulse.text() == "collecting")
    assert live.overview.sensors[2].value == 3.5
    assert not live.overview.stale
    write_heartbeat(project, Heartbeat("mqtt:1883", "srv", 7, now - 600_000, now - 300_000, 0, True))
    live._look_for_news()
    desk.until(lambda: desk.page_._pulse.text() == "collector lost")


def test_a_replay_is_marked_and_everything_follows_its_clock(desk: Any) -> None:
    page, live = desk.page_, desk.live
    desk.state.run("chart", 1)
    page.replay()
    opened = dialog(ReplayDialog)
    opened.begin.set_ms(START)
    opened.end.set_ms(START - STEP)
    opened.apply()
    desk.until(lambda: opened.notice.isVisible())
    opened.end.set_ms(START + 96 * STEP)
    opened.apply()
    desk.until(lambda: live.past is not None)
    assert page.past_notice.isVisible()
    assert page.cards.keys() == []
    assert desk.state.marks == ()
    bar = page.replay_bar
    assert bar.isVisible()
    bar.go_to_next()
    assert live.when == START + 91 * STEP  # the rise, before the limit
    assert [one.level for one in desk.state.marks] == ["warning"]
    assert all(one.past for one in desk.state.marks)
    assert live.sensors()[1].value == 12.0
    live.go_to(START + 94 * STEP)
    assert {one.alarm.rule for one in live.standing()} == {"alarm.ch4", "alarm.ch4_cutoff", "alarm.ch4_rise"}
    page._card_chosen(page.cards.keys()[0])
    assert not page.foot.ok.isVisible()  # the past is not acknowledged
    live.go_to(START)
    bar.speed.setCurrentIndex(bar.speed.count() - 1)
    bar.toggle()
    assert bar.playing
    bar._tick()
    assert live.when == START + 72 * MINUTE
    live.go_to(live.past.end)
    bar._tick()
    assert not bar.playing
    live.end_replay()
    assert not page.past_notice.isVisible()
    assert len(page.cards.keys()) == 3


def test_notes_and_hand_over_in_the_dialog(desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = desk.page_
    page._card_chosen(page.cards.keys()[0])
    page._asked("note")
    opened = dialog(ShiftDialog)
    opened.author.setText("王工")
    opened.text.setText("已通知燃气公司")
    opened.add()
    assert len(opened.entries.keys()) == 1
    opened.giver.setText("王工")
    opened.hand_over()
    assert opened.notice.isVisible()  # nobody takes over
    opened.taker.setText("李工")
    opened.hand_over()
    assert opened.past.count() == 1
    assert "3" in opened._stands.text()
    assert opened.entries.keys() == []  # a new shift
    made = tmp_path / "JB.docx"
    monkeypatch.setattr(desk.context, "ask_save", lambda *_: made, raising=False)
    opened.print()
    desk.until(made.exists)
    opened.reject()


def test_a_new_alarm_is_told_though_the_panel_was_never_opened(
    plant: Path, open_window: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(plant) as project:
        alarms = [one.alarm for one in Monitor(project, alarm_rules()).look(today=date(2024, 10, 1)).standing]
        project.execute(WriteAlarms(alarms[2:]))  # stood when the project was opened
    heard: list[str] = []
    monkeypatch.setattr(QApplication, "beep", lambda: heard.append("beep"))
    monkeypatch.setattr(QApplication, "alert", lambda *_: heard.append("alert"))
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    made = open_window(plant)
    watcher = next(one for one in made.window._watchers if type(one).__name__ == "AlarmWatcher")
    made.until(lambda: watcher._known is not None)
    assert heard == []
    with Project.open(plant) as other:
        other.execute(WriteAlarms(alarms[:1]))
    made.session.poll()
    made.until(lambda: bool(heard))
    assert heard == ["beep", "alert"]
    message = made.window.map_area.messages.text()
    assert "CH4-1" in message
    assert "GB 50838-2015 7.5.8" in message
    with Project.open(plant) as other:  # taken note of at once, by somebody else: no news
        other.execute(AcknowledgeAlarm(alarms[1], "王工", "2024-10-02T00:00:00+00:00"))
    made.session.poll()
    made.until(lambda: len(watcher._known) == 3)
    assert heard == ["beep", "alert"]
    made.context.set_setting("tunnel.alarm_sound", False)
    with Project.open(plant) as other:
        other.execute(WriteAlarms([alarms[0].__class__(2, "CH4-2", "alarm.ch4", "alarm", START, None, 30.0, 30.0)]))
    made.session.poll()
    made.until(lambda: len(heard) == 3)
    assert heard[-1] == "alert"


def test_an_empty_project_says_what_fills_it(tmp_path: Path, open_window: Callable[[Path], Any]) -> None:
    Project.create(tmp_path / "e.sqlite", "EPSG:4549").close()
    made = open_window(tmp_path / "e.sqlite")
    page = made.page("monitor")
    made.until(lambda: live_of(made.state).loaded)
    assert "No sensors yet" in page._none.text()
    page.replay()
    assert page.notice.isVisible()
