"""The alarm engine on hand-made series: each rule kind true and false, hysteresis, delay, silence, clauses, replay."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest

from planner_app.domain.rule import Rule, parse_rules
from planner_app.project import Project
from plugins.tunnel.model.monitoring.engine import AlarmEngine, Sensor, at_time, calibration_alarms, replay

MINUTE = 60_000
START = 1_727_712_000_000
SHIPPED = Path(__file__).resolve().parents[4] / "plugins" / "tunnel" / "rules" / "alarms.toml"
CH4 = Sensor(1, "CH4-1", "ch4", "%LEL", "GL01", "燃气", 100.0)


def rule(kind: str, **params: object) -> Rule:
    return Rule("r", f"tunnel.{kind}", "t", "t", params={"sensor_kind": "", **params}, standard="S", clause="1.2")


def run(one: Rule, values: list[float], step: int = MINUTE, quality: int = 0) -> list[tuple[int, int | None]]:
    """(raised, cleared) in steps after the start."""
    engine = AlarmEngine([CH4], [one])
    for number, value in enumerate(values):
        engine.feed(1, START + number * step, value, quality)
    return [
        ((a.raised - START) // step, None if a.cleared is None else (a.cleared - START) // step)
        for a in engine.alarms.values()
    ]


def test_a_limit_with_hysteresis() -> None:
    one = rule("limit", high=20.0, hysteresis=2.0)
    assert run(one, [5, 19.9, 5]) == []
    assert run(one, [5, 20, 19, 21, 18.5, 17.9, 5, 25]) == [(1, 5), (7, None)]  # one alarm while it wavers


def test_a_limit_that_must_last() -> None:
    one = rule("limit", high=20.0, delay_s=180)
    assert run(one, [25, 25, 25, 5, 25, 25, 5]) == []
    assert run(one, [5, 25, 25, 25, 25, 5]) == [(4, 5)]
    assert run(rule("limit", high=20.0, clear_s=120), [25, 5, 25, 5, 5, 5, 5]) == [(0, 3)]


def test_both_sides_and_the_very_limit() -> None:
    assert run(rule("limit", low=19.5, high=23.5, inclusive=False), [19.5, 23.5, 19.4, 20]) == [(2, 3)]
    assert run(rule("limit", low=19.5, hysteresis=0.5), [19.5, 19.8, 20.1]) == [(0, 2)]


def test_bad_and_missing_readings_judge_nothing() -> None:
    one = rule("limit", high=20.0)
    assert run(one, [99, 99], quality=2) == []
    assert run(one, [math.nan, math.nan, 21, math.nan, 5]) == [(2, 4)]


def test_rise_before_the_limit() -> None:
    one = rule("rise", per_hour=6.0, window_s=1800, clear_s=0)
    assert run(one, [5 + 0.09 * n for n in range(60)]) == []
    assert run(one, [5.0] * 30 + [5 + 0.2 * n for n in range(30)])[0][0] in range(40, 60)
    assert run(rule("rise", per_hour=-6.0), [50 - 0.2 * n for n in range(60)]) != []
    assert run(one, [5, 9]) == []  # two readings make no slope


def test_a_stuck_sensor() -> None:
    one = rule("flatline", hours=1)
    assert run(one, [7.0] * 60) == []
    assert run(one, [7.0] * 70 + [7.1]) == [(60, 70)]
    assert run(rule("flatline", hours=1, span=0.5), [7.0, 7.2] * 40) != []


def test_silence() -> None:
    engine = AlarmEngine([CH4], [rule("missing", after_s=600, level="fault")])
    engine.feed(1, START, 1.0)
    assert engine.advance(START + 10 * MINUTE) == []
    raised = engine.advance(START + 11 * MINUTE)
    assert [(a.raised - START, a.value, a.level) for a in raised] == [(10 * MINUTE, None, "fault")]
    assert engine.advance(START + 12 * MINUTE) == []
    cleared = engine.feed(1, START + 30 * MINUTE, 1.0)
    assert [a.cleared for a in cleared] == [START + 30 * MINUTE]


def test_a_gap_is_noticed_when_the_sensor_speaks_again() -> None:
    assert run(rule("missing", after_s=90), [1, 1]) == []
    engine = AlarmEngine([CH4], [rule("missing", after_s=90)])
    for minute in (0, 1, 2, 60, 61):
        engine.feed(1, START + minute * MINUTE, 1.0)
    (alarm,) = engine.alarms.values()
    assert (alarm.raised, alarm.cleared) == (START + 6 * MINUTE, START + 60 * MINUTE)


def test_a_gauge_read_once_a_day_is_not_missed_every_hour() -> None:
    day = 24 * 60 * MINUTE
    assert run(rule("missing", after_s=7200), [1.0] * 30, step=day) == []
    assert run(rule("missing", after_s=7200), [1.0] * 10 + [math.nan] * 6 + [1.0] * 3, step=day) == [(13, 16)]


def test_outlier_and_neighbours() -> None:
    wave = [10 + math.sin(n / 5) for n in range(200)]
    assert run(rule("outlier", times=6.0), wave) == []
    assert run(rule("outlier", times=6.0), [*wave, 40.0, *wave[:8]]) == [(200, 204)]
    sensors = [Sensor(n, f"T{n}", "temp", "℃", "GL01", "电力", 100.0 * n) for n in range(4)]
    engine = AlarmEngine(sensors, [rule("neighbours", more_than=5.0, delay_s=600, within_m=1000)])
    for minute in range(40):
        for sensor in sensors:
            engine.feed(sensor.number, START + minute * MINUTE, 40.0 if sensor.number == 2 and minute > 10 else 25.0)
    assert {alarm.code for alarm in engine.alarms.values()} == {"T2"}


def test_an_alarm_quotes_its_clause_and_knows_its_worst() -> None:
    rules = [one for one in parse_rules(SHIPPED.read_text(encoding="utf-8"), "alarms") if one.id == "alarm.ch4"]
    engine = AlarmEngine([CH4], rules)
    for minute, value in enumerate([1, 22, 24, 21, 1, 1, 1, 1, 1, 1, 1]):
        engine.feed(1, START + minute * MINUTE, value)
    (alarm,) = engine.alarms.values()
    assert (alarm.standard, alarm.clause, alarm.level, alarm.unit) == ("GB 50838-2015", "7.5.8", "alarm", "%LEL")
    assert (alarm.value, alarm.worst) == (22, 24)
    assert [one.code for one in at_time(engine.alarms, START + 2 * MINUTE)] == ["CH4-1"]
    assert at_time(engine.alarms, START + 9 * MINUTE) == []


def test_rules_of_a_compartment_and_of_the_year_it_was_built() -> None:
    room = rule("limit", high=1.0, compartment="电力")
    assert run(room, [5]) == []
    old = Sensor(1, "A", "ch4", built="GB 50838-2012")
    engine = AlarmEngine([old], [rule("limit", high=1.0, built="GB 50838-2015")])
    engine.feed(1, START, 5.0)
    assert engine.alarms == {}


def test_calibration() -> None:
    due = Sensor(1, "A", "ch4", due=date(2024, 6, 1))
    rules = [rule("calibration", level="fault")]
    assert calibration_alarms([due], rules, date(2024, 5, 31)) == []
    assert [alarm.level for alarm in calibration_alarms([due], rules, date(2024, 6, 1))] == ["fault"]


def test_a_replay_says_what_was_said_live(tmp_path: Path) -> None:
    rules = [rule("limit", high=20.0, hysteresis=2.0, delay_s=120), rule("missing", after_s=600)]
    rules[1] = Rule("m", "tunnel.missing", "t", "t", params={"sensor_kind": "", "after_s": 600})
    values = [5 + 20 * math.sin(n / 9) for n in range(200)]
    live = AlarmEngine([CH4], rules)
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as project:
        for number, value in enumerate(values):
            if not 60 <= number < 90:
                project.readings.add(1, [START + number * MINUTE], [value])
                live.feed(1, START + number * MINUTE, value)
        again = replay(project, [CH4], rules)
        assert again.alarms == live.alarms
        assert {alarm.rule for alarm in again.alarms.values()} == {"r", "m"}
        early = replay(project, [CH4], rules, end=START + 30 * MINUTE)
        assert set(early.alarms) <= set(live.alarms)
        assert replay(project, [], rules).alarms == {}


@pytest.mark.parametrize("text", [SHIPPED.read_text(encoding="utf-8")])
def test_shipped_rules_can_be_made(text: str) -> None:
    rules = parse_rules(text, "alarms")
    kinds = ["o2", "ch4", "h2s", "co", "temp", "rh", "cable_temp", "level"]
    sensors = [Sensor(n, k, k, m=1.0 * n, tunnel="A", compartment="B") for n, k in enumerate(kinds)]
    engine = AlarmEngine(sensors, rules)
    for sensor in sensors:
        engine.feed(sensor.number, START, 1.0)
    assert {alarm.rule for alarm in engine.alarms.values()} == {"alarm.o2_low"}
