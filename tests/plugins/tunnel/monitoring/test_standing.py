"""What a desk sees: figures, alarms that nobody kept yet, new readings without judging all anew, a collector's life."""

from __future__ import annotations

import time
from datetime import date

from planner_app.project import Project
from plugins.tunnel.model.monitoring.alarm_table import AcknowledgeAlarm, WriteAlarms, kept_alarms
from plugins.tunnel.model.monitoring.heartbeat import LOST_MS, Heartbeat, read_heartbeat, write_heartbeat
from plugins.tunnel.model.monitoring.standing import Monitor
from tests.plugins.tunnel.monitoring.plants import EAST, HOUR, MINUTE, START, alarm_rules, feed

TODAY = date(2024, 10, 1)


def test_what_stands_at_the_last_reading(gas: Project) -> None:
    seen = Monitor(gas, alarm_rules()).look(today=TODAY)
    assert seen.stale
    assert seen.now == seen.last == START + 95 * 15 * MINUTE
    assert [(one.alarm.code, one.alarm.rule, one.fid) for one in seen.standing] == [
        ("CH4-1", "alarm.ch4_cutoff", 0), ("CH4-1", "alarm.ch4", 0), ("CH4-1", "alarm.ch4_rise", 0),
    ]  # fmt: skip
    assert seen.sensors[1].level == "alarm"
    assert (seen.sensors[1].x, seen.sensors[1].value) == (EAST + 100, 29.0)
    assert [number for number, one in seen.sensors.items() if one.silent] == [3]
    assert [one.alarm.code for one in seen.due] == ["CH4-3"]


def test_new_readings_are_judged_on_top_of_the_old(gas: Project) -> None:
    monitor = Monitor(gas, alarm_rules())
    monitor.look(today=TODAY)
    engine = monitor._engine
    feed(gas, 1, [2.0] * 6, START + 96 * 15 * MINUTE)
    seen = monitor.look(today=TODAY)
    assert monitor._engine is engine
    assert seen.standing == []
    fresh = Monitor(gas, alarm_rules()).look(today=TODAY)
    assert [one.alarm for one in seen.alarms] == [one.alarm for one in fresh.alarms]
    feed(gas, 2, [25.0] * 4, START + 30 * MINUTE + 1)  # older ones, from a file
    monitor.forget()
    assert "CH4-2" in {one.alarm.code for one in monitor.look(today=TODAY).alarms}


def test_an_acknowledged_alarm_is_a_row_and_stays_one(gas: Project) -> None:
    monitor = Monitor(gas, alarm_rules())
    first = monitor.look(today=TODAY).standing[0]
    gas.execute(AcknowledgeAlarm(first.alarm, "王工", "2024-10-01T12:00:00+00:00", "已关阀"))
    again = next(one for one in monitor.look(today=TODAY).standing if one.alarm.rule == first.alarm.rule)
    assert (again.fid > 0, again.ack_by, again.ack_remark) == (True, "王工", "已关阀")
    assert len(monitor.look(today=TODAY).standing) == 3


def test_with_a_collector_its_rows_are_the_truth(gas: Project) -> None:
    now = round(time.time() * 1000)
    monitor = Monitor(gas, alarm_rules())
    alarm = monitor.look(today=TODAY).standing[0].alarm
    write_heartbeat(gas, Heartbeat("mqtt:1883", "srv", 7, now - HOUR, now, 0, True))
    assert monitor.look(today=TODAY).standing == []
    gas.execute(WriteAlarms([alarm]))
    seen = monitor.look(today=TODAY)
    assert [one.alarm for one in seen.standing] == [alarm]
    assert not seen.stale
    assert seen.collector is not None
    assert seen.collector.alive(now)
    assert not seen.collector.alive(now + LOST_MS + 60_000)
    write_heartbeat(gas, Heartbeat("mqtt:1883", at=now, ended=now))
    assert monitor.look(today=TODAY).stale
    assert len(kept_alarms(gas)) == 1


def test_a_broken_heartbeat_is_none(gas: Project) -> None:
    assert read_heartbeat(gas) is None
    gas.set_setting("tunnel.watch", "[1")
    assert read_heartbeat(gas) is None
    gas.set_setting("tunnel.watch", '{"host": "x"}')
    assert read_heartbeat(gas) is None


def test_an_empty_project(tmp_path: object) -> None:
    from pathlib import Path

    with Project.create(Path(str(tmp_path)) / "e.sqlite", "EPSG:4549") as project:
        seen = Monitor(project, alarm_rules()).look(today=TODAY)
    assert (seen.last, seen.alarms, dict(seen.sensors), seen.collector) == (None, [], {}, None)
