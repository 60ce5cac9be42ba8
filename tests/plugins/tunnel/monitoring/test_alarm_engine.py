"""The alarm engine on hand-made series: each rule kind true and false, hysteresis, delay, silence, clauses, replay."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner_app.domain.rule import Rule, parse_rules
from planner_app.project import Project
from plugins.tunnel.model.monitoring.detectors import Usual
from plugins.tunnel.model.monitoring.engine import AlarmEngine, Sensor, at_time, calibration_alarms, replay
from plugins.tunnel.model.monitoring.sensors import load_sensors
from tests.plugins.tunnel.monitoring.plants import add_sensors, feed

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


def test_a_gap_is_no_proof_that_a_sensor_is_stuck() -> None:
    """Ten equal readings, half a day of silence, the same again: nobody saw it stand still. One that is always slow is
    judged by its own pace."""
    engine = AlarmEngine([CH4], [rule("flatline", hours=12)])
    for minute in [*range(10), *range(13 * 60, 13 * 60 + 10)]:
        engine.feed(1, START + minute * MINUTE, 5.0)
    assert not engine.alarms
    for minute in range(13 * 60 + 10, 26 * 60):
        engine.feed(1, START + minute * MINUTE, 5.0)
    assert [alarm.raised for alarm in engine.alarms.values()] == [START + 25 * 60 * MINUTE]
    assert run(rule("flatline", hours=12), [5.0] * 9, step=7 * 60 * MINUTE) == [(7, None)]


def test_what_a_wrong_clock_dates_ahead_is_not_judged(tmp_path: Path) -> None:
    """One reading of next year does not make all others silent since."""
    rules = [rule("missing", after_s=600), rule("limit", high=20.0)]
    ahead = round(datetime.now(UTC).timestamp() * 1000) + 86_400_000 * 300
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as project:
        add_sensors(project, (1, "CH4-1", "ch4", 100.0, ""), (2, "CH4-2", "ch4", 300.0, ""))
        feed(project, 1, [5.0] * 20, step=MINUTE)
        feed(project, 2, [5.0] * 20, step=MINUTE)
        project.readings.add(1, [ahead], [99.0], 1)
        assert not replay(project, load_sensors(project), rules).alarms
        assert len(replay(project, load_sensors(project), rules, end=START + 60 * MINUTE).alarms) == 2


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
    odd = rule("outlier", times=6.0, days=0.1, delay_s=60, clear_s=180)
    assert run(odd, wave) == []
    assert run(odd, [*wave, 40.0, 41.0, *wave[:8]]) == [(201, 202)]
    assert run(odd, [*wave, 40.0, *wave[:8]]) == []  # one reading alone may be a slip
    assert run(rule("outlier", times=6.0, days=0.1, least=40.0, delay_s=60), [*wave, 40.0, 41.0, *wave[:8]]) == []
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


def test_a_drift_that_no_single_reading_shows() -> None:
    step, slow = 15 * MINUTE, rule("drift", slack=1.5, sum_h=18, days=28)
    month = [20 + math.sin(n / 96 * 2 * math.pi) + 0.3 * math.sin(n * 1.7) for n in range(30 * 96)]
    assert run(slow, month, step=step) == []
    away = [*month, *[20 + math.sin(n / 96 * 2 * math.pi) + 0.02 * n for n in range(3 * 96)]]
    ((begin, end),) = run(slow, away, step=step)
    assert len(month) + 96 < begin < len(month) + 3 * 96
    assert end is None
    ((_, over),) = run(slow, [*away, *[20.0] * 96 * 8], step=step)
    assert over is not None
    assert run(slow, [5.0] * 3000, step=step) == []  # a constant has no spread, and no drift


def test_what_is_usual_is_known_again_after_a_start(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as project:
        add_sensors(project, (1, "T-1", "temp", 100.0, ""))
        wave = [20 + math.sin(n / 96 * 2 * math.pi) for n in range(30 * 96)]
        feed(project, 1, [*wave, *[29.0] * 4])
        sensors = load_sensors(project)
        odd = replace(rule("outlier", times=5.0, days=14), id="odd")
        start = START + (30 * 96 - 8) * 15 * MINUTE
        found = replay(project, sensors, [odd], start=start)
        assert [(one.raised - START) // (15 * MINUTE) for one in found.alarms.values()] == [30 * 96 + 2]
        bare = AlarmEngine(sensors, [odd])
        series = project.readings.read(1, start)
        for ts, value in zip(series.ts.tolist(), series.value.tolist(), strict=True):
            bare.feed(1, ts, value)
        assert bare.alarms == {}


@given(st.lists(st.floats(-50, 50), min_size=60, max_size=300), st.integers(1, 40))
def test_usual_is_the_median_of_what_it_keeps_and_keeps_little(values: list[float], minutes: int) -> None:
    usual = Usual(1.0)
    for n, value in enumerate(values):
        usual.score(START + n * minutes * MINUTE, value)
        usual.add(START + n * minutes * MINUTE, value)
    assert len(usual._ordered) == len(usual._kept) <= 674
    assert usual._ordered == sorted(value for _, value in usual._kept)
    assert usual._kept[-1][0] - usual._kept[0][0] <= usual.length


@pytest.mark.data
def test_quality_on_real_series(data_dir: Path) -> None:
    """The table of tests/bench/bench_alarms.py without the generated month: what may not get worse."""
    from tests.bench import bench_alarms

    scores = {(one.series, one.method): one for one in bench_alarms.table(data_dir / "series", with_sample=False)}
    mine, peer = scores["NAB temperature", "ours: outlier or drift"], scores["NAB temperature", "3-sigma"]
    assert mine.hits == peer.hits == 2
    assert mine.false * 2 <= peer.false
    for fault, finder in bench_alarms.FOUND_BY.items():
        found = scores[f"NAB, planted: {fault}", f"ours: {finder}"]
        assert found.hits >= found.events * 0.6, fault
        assert found.false / found.weeks <= 0.1, fault
    assert scores["NAB ×3, one goes off", "ours: neighbours"].hits == 6


@pytest.mark.data
def test_the_change_of_clocks_is_no_silence(data_dir: Path) -> None:
    from tests.bench import bench_alarms

    points = bench_alarms.series(data_dir / "series", "river_water_flow_hourly.csv")
    raised = bench_alarms.ours(points, bench_alarms.family(bench_alarms.shipped(), "missing"))
    assert len(raised) == len(bench_alarms.gaps(points))  # each real gap once
    change = round(datetime(2022, 3, 27, 1, tzinfo=UTC).timestamp() * 1000)
    assert not any(abs(ts - change) < 6 * 3_600_000 for ts in raised)
