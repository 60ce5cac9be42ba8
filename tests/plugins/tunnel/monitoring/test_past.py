"""A past period, curves with gaps, and readings of a file judged at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from plugins.tunnel.model.monitoring.alarm_table import AcknowledgeAlarm, KeptAlarm, kept_alarms
from plugins.tunnel.model.monitoring.csv_readings import csv_columns, read_csv
from plugins.tunnel.model.monitoring.curves import curve, write_curves
from plugins.tunnel.model.monitoring.intake import take_in
from plugins.tunnel.model.monitoring.past import past
from plugins.tunnel.model.monitoring.standing import Monitor, sensor_states
from tests.plugins.tunnel.monitoring.plants import HOUR, MINUTE, START, alarm_rules, feed

STEP = 15 * MINUTE


def test_a_moment_of_the_past_knows_nothing_of_what_came_after(gas: Project) -> None:
    first = Monitor(gas, alarm_rules()).look().standing[0].alarm
    gas.execute(AcknowledgeAlarm(first, "王工", datetime.fromtimestamp((START + 95 * STEP) / 1000, UTC).isoformat()))
    feed(gas, 1, [1.0] * 8, START + 96 * STEP)
    period = past(gas, alarm_rules(), START, START + 104 * STEP)
    assert period.standing(START + 89 * STEP) == []
    at_93 = {one.alarm.rule: one for one in period.standing(START + 93 * STEP)}
    assert "alarm.ch4" in at_93
    assert "alarm.ch4_cutoff" not in at_93
    at_94 = {one.alarm.rule: one for one in period.standing(START + 94 * STEP)}
    assert at_94["alarm.ch4_cutoff"].ack_by == ""
    assert at_94["alarm.ch4_cutoff"].alarm.cleared is None
    assert {one.alarm.rule: one.ack_by for one in period.standing(START + 95 * STEP)}["alarm.ch4_cutoff"] == "王工"
    assert {one.alarm.rule for one in period.standing(START + 103 * STEP)} == {"alarm.silent"}  # the other sensor
    states = period.states(START + 93 * STEP + 1)
    assert (states[1].value, states[1].level, states[3].silent) == (24.0, "alarm", True)
    assert period.states(START + 92 * STEP)[1].value == 18.0


def test_periods_that_cannot_be_replayed(gas: Project) -> None:
    for start, end, code in (
        (START + HOUR, START, "tunnel.period_wrong"),
        (START, START + 93 * 24 * HOUR, "tunnel.period_wrong"),
        (START - 48 * HOUR, START - HOUR, "tunnel.period_empty"),
    ):
        with pytest.raises(PlannerError) as failed:
            past(gas, alarm_rules(), start, end)
        assert failed.value.code == code


def test_gaps_missing_and_bad_readings_break_a_curve(gas: Project) -> None:
    ts = [START + n * STEP for n in range(40) if not 10 <= n < 14]
    value = [float(n) for n in range(len(ts))]
    value[20] = float("nan")
    quality = [0] * len(ts)
    quality[30], quality[31] = 2, 1
    gas.readings.add(3, ts, value, quality)
    shown = curve(gas, sensor_states(gas)[3].sensor, START, START + 40 * STEP, alarm_rules())
    assert shown.raw
    assert shown.pieces == [(0, 10), (10, 20), (21, 30), (31, 36)]
    assert [(one.value, one.high, one.level, one.source) for one in shown.limits] == [
        (20.0, True, "alarm", "GB 50838-2015 7.5.8"), (25.0, True, "alarm", "GB 50838-2015 7.5.8"),
    ]  # fmt: skip
    assert shown.at(START + 12 * STEP) is None
    assert shown.at(START + 5 * STEP + 1000) == 5


def test_dense_readings_are_shown_as_quarter_hours(gas: Project) -> None:
    seconds = np.arange(7 * 24 * 360) * 10_000 + START
    keep = (seconds < START + 30 * HOUR) | (seconds >= START + 36 * HOUR)
    value = np.sin(np.arange(len(seconds)) / 400)
    gas.readings.add(3, seconds[keep], value[keep])
    shown = curve(gas, sensor_states(gas)[3].sensor, START, START + 7 * 24 * HOUR)
    assert not shown.raw
    assert len(shown.ts) == 7 * 96 - 24
    assert len(shown.pieces) == 2
    assert (shown.high >= shown.value).all()
    one_day = curve(gas, sensor_states(gas)[3].sensor, START, START + 24 * HOUR)
    assert one_day.raw
    assert len(one_day.ts) == 24 * 360


def test_alarms_within_the_period_shade_it(gas: Project) -> None:
    seen = Monitor(gas, alarm_rules()).look()
    rules = list(seen.rules.values())
    shown = curve(gas, seen.sensors[1].sensor, START, START + 96 * STEP, rules, seen.alarms)
    assert {one.alarm.rule for one in shown.spans} == {"alarm.ch4", "alarm.ch4_cutoff", "alarm.ch4_rise"}
    assert curve(gas, seen.sensors[1].sensor, START, START + 80 * STEP, rules, seen.alarms).spans == []
    over: list[KeptAlarm] = [one for one in seen.alarms if one.alarm.sensor == 2]
    assert over == []


def test_curves_as_csv(gas: Project, tmp_path: Path) -> None:
    states = sensor_states(gas)
    curves = [curve(gas, states[number].sensor, START, START + 4 * STEP) for number in (1, 2)]
    assert write_curves(tmp_path / "c.csv", curves, ZoneInfo("Asia/Shanghai")) == 8
    lines = (tmp_path / "c.csv").read_text("utf-8-sig").splitlines()
    assert lines[1] == "2024-10-01T00:00:00+08:00,CH4-1,1,1,1,%LEL,0"
    assert lines[8].startswith("2024-10-01T00:45:00+08:00,CH4-2,")
    with pytest.raises(PlannerError):
        write_curves(tmp_path / "no" / "c.csv", curves, UTC)


def test_a_file_is_judged_when_it_comes_in(gas: Project, tmp_path: Path) -> None:
    file = tmp_path / "导出.csv"
    rows = [f"2024-10-01 {n // 4:02d}:{n % 4 * 15:02d}:07,{26 if 40 <= n < 44 else 2 + n % 3 / 10}" for n in range(90)]
    file.write_text("采集时间,浓度\n" + "\n".join(rows) + "\n2024-10-01 25:00,3\n", encoding="gb18030")
    assert csv_columns(file) == (["采集时间", "浓度"], "采集时间", "浓度")
    done = take_in(gas, read_csv(file), "CH4-2", alarm_rules())
    assert (done.stored, done.known, done.new_sensor) == (90, 0, False)
    assert {one.alarm.rule for one in kept_alarms(gas)} == {"alarm.ch4", "alarm.ch4_cutoff", "alarm.ch4_rise"}
    assert (done.alarms, done.standing) == (3, 0)
    again = take_in(gas, read_csv(file), "CH4-2", alarm_rules())
    assert (again.stored, again.known, again.alarms) == (0, 90, 0)
    assert len(kept_alarms(gas)) == 3
    assert take_in(gas, read_csv(file), "新-1", alarm_rules(), kind="temp").new_sensor
