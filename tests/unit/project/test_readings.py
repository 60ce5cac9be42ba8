"""Readings of sensors: once each, fast, summed up by quarter hours that are never wrong, outside the log."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_app.domain.errors import PlannerError
from planner_app.project import Project, latest, migrations
from planner_app.project.readings import BAD, QUARTER
from tests.helpers.project_files import assert_whole

HOUR = 4 * QUARTER
START = 1_727_712_000_000  # 2024-10-01 00:00 Beijing time


def test_what_is_stored_comes_back(project: Project) -> None:
    ts = START + np.arange(5) * 60_000
    stored = project.readings.add(7, ts, [1.0, 2.5, None, float("nan"), -0.125], [0, 0, 0, 1, 2])
    assert (stored.new, stored.known) == (5, 0)
    series = project.readings.read(7)
    assert series.ts.tolist() == ts.tolist()
    assert [None if math.isnan(v) else v for v in series.value] == [1.0, 2.5, None, None, -0.125]
    assert series.quality.tolist() == [0, 0, 0, 1, 2]
    assert len(project.readings.read(8)) == 0
    assert project.readings.read(7, int(ts[1]), int(ts[3])).ts.tolist() == ts[1:3].tolist()
    assert_whole(project)


def test_a_reading_delivered_twice_counts_once_and_the_first_stays(project: Project) -> None:
    ts = START + np.arange(100) * 1000
    project.readings.add(1, ts, np.ones(100))
    again = project.readings.add(1, ts, np.full(100, 9.0))
    assert (again.new, again.known) == (0, 100)
    assert project.readings.read(1).value.tolist() == [1.0] * 100
    assert project.readings.quarters(1).good.tolist() == [100]


def test_not_in_the_log(project: Project) -> None:
    before = project.log()
    project.readings.add(1, [START], [1.0])
    assert project.log() == before
    assert project.can_undo() is None


def test_the_last_of_each_and_who_has_any(project: Project) -> None:
    project.readings.add(np.repeat([3, 900, 20], 4), START + np.tile(np.arange(4), 3) * 1000, np.arange(12.0))
    assert project.readings.sensors() == [3, 20, 900]
    latest = project.readings.latest()
    assert latest.sensor.tolist() == [3, 20, 900]
    assert latest.ts.tolist() == [START + 3000] * 3
    assert latest.value.tolist() == [3.0, 11.0, 7.0]
    assert project.readings.latest([900, 5]).sensor.tolist() == [900]
    assert project.readings.span(900) == (START, START + 3000)
    assert project.readings.span() == (START, START + 3000)
    assert project.readings.span(5) is None


def test_parts_of_different_length_are_refused(project: Project) -> None:
    with pytest.raises(PlannerError) as caught:
        project.readings.add(1, [START, START + 1], [1.0])
    assert caught.value.code == "reading.length"
    assert project.readings.count() == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(1, 3),
                st.integers(-2 * HOUR, 2 * HOUR),
                st.floats(-1e6, 1e6) | st.none(),
                st.integers(0, 2),
            ),
            max_size=30,
        ),
        max_size=5,
    ),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_quarter_hours_are_those_of_the_readings(tmp_path_factory, deliveries, looks) -> None:
    """However deliveries and looks alternate, each quarter hour says what its raw readings say."""
    path = tmp_path_factory.mktemp("readings") / "p.sqlite"
    kept: dict[tuple[int, int], tuple[float | None, int]] = {}
    with Project.create(path, "EPSG:4549") as project:
        for number, delivery in enumerate(deliveries):
            for sensor, ts, value, quality in delivery:
                kept.setdefault((sensor, ts), (value, quality))
            columns = [list(column) for column in zip(*delivery, strict=True)] or [[], [], [], []]
            project.readings.add(*columns)
            if number in looks:
                project.readings.quarters(1)
        assert project.readings.count() == len(kept)
        for sensor in (1, 2, 3):
            quarters = project.readings.quarters(sensor)
            expected: dict[int, list[float]] = {}
            for (one, ts), (value, quality) in kept.items():
                if one == sensor:
                    good = expected.setdefault(ts - ts % QUARTER, [])
                    if value is not None and quality < BAD:
                        good.append(value)
            assert quarters.ts.tolist() == sorted(expected)
            for place, ts in enumerate(sorted(expected)):
                good = expected[ts]
                assert quarters.good[place] == len(good)
                if good:
                    assert (quarters.low[place], quarters.high[place]) == (min(good), max(good))
                    assert quarters.mean[place] == pytest.approx(math.fsum(good) / len(good), abs=1e-6)


def test_old_readings_go_and_their_quarter_hours_stay(project: Project) -> None:
    ts = START + np.arange(0, 48 * HOUR, 60_000)
    project.readings.add(1, ts, np.sin(ts / HOUR))
    before = project.readings.quarters(1)
    gone = project.readings.prune(START + 24 * HOUR + 5)
    assert gone == 24 * 60
    assert project.readings.count() == 24 * 60
    after = project.readings.quarters(1)
    assert after.ts.tolist() == before.ts.tolist()
    assert np.array_equal(after.mean, before.mean)
    late = project.readings.add(1, [START, START + 60 * HOUR], [5.0, 5.0])
    assert (late.new, late.late) == (1, 1)
    assert np.array_equal(project.readings.quarters(1).mean[:-1], before.mean)
    assert_whole(project)


def _looked_up(project: Project) -> list[tuple[int, int, float | None, int]]:
    """The last readings, found in the readings themselves."""
    with project.door.read() as connection:
        rows = latest.scan(connection, project.readings.sensors()).tolist()
    return [(sensor, ts, None if math.isnan(value) else value, grade) for sensor, ts, value, grade in rows]


def _kept(project: Project) -> list[tuple[int, int, float | None, int]]:
    found = project.readings.latest()
    columns = (column.tolist() for column in (found.sensor, found.ts, found.value, found.quality))
    return [(s, ts, None if math.isnan(v) else v, q) for s, ts, v, q in zip(*columns, strict=True)]


_SENSORS = st.sampled_from([-300, -1, 0, 1, 255, 256, 70_000, 1 << 40])
_STEP = st.tuples(
    st.sampled_from(["here", "server", "prune"]),
    st.lists(
        st.tuples(_SENSORS, st.integers(-20, 20), st.floats(-9, 9) | st.none() | st.just(math.inf), st.integers(0, 2)),
        max_size=20,
    ),
    st.integers(-20, 20),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_STEP, max_size=6))
def test_the_last_ones_kept_are_the_last_ones_there_are(tmp_path_factory, steps) -> None:
    """Late, doubled and missing readings, one's own and a server's, and pruning in between."""
    with Project.create(tmp_path_factory.mktemp("last") / "p.sqlite", "EPSG:4549") as project:
        for what, delivery, ticks in steps:
            if what == "prune":
                project.readings.prune(ticks * QUARTER)
                continue
            columns = [list(column) for column in zip(*delivery, strict=True)] or [[], [], [], []]
            columns[1] = [ts * QUARTER // 2 for ts in columns[1]]
            project.readings.add(*columns, from_server=what == "server")
            assert _kept(project) == _looked_up(project)
        assert _kept(project) == _looked_up(project)
        asked = [256, 5, -1, 256]
        there = {row[0]: row for row in _kept(project)}
        found = project.readings.latest(asked)
        assert found.sensor.tolist() == [one for one in asked if one in there]
        assert found.ts.tolist() == [there[one][1] for one in asked if one in there]


def test_files_of_before_learn_the_last_ones_or_are_looked_through(tmp_path, monkeypatch) -> None:
    path = tmp_path / "old.sqlite"
    with monkeypatch.context() as old:
        old.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:4])
        old.setattr(latest, "advance", lambda *_: None)
        with Project.create(path, "EPSG:4549") as project:
            project.readings.add([9, 300, 9], [START, START, START + 5], [1.0, None, 2.0])
            expected = [(9, START + 5, 2.0, 0), (300, START, None, 0)]
            assert _kept(project) == expected
            assert project.readings.latest([300, 8]).sensor.tolist() == [300]
    with Project.open(path) as project:
        assert _kept(project) == expected == _looked_up(project)
        project.readings.add(9, [START + 1, START + 6], [7.0, 8.0])
        assert _kept(project) == [(9, START + 6, 8.0, 0), (300, START, None, 0)]


def test_copies_carry_them_and_old_files_learn_them(project: Project, tmp_path) -> None:
    project.readings.add(1, [START], [2.0])
    project.save_copy(tmp_path / "copy.sqlite")
    with Project.open(tmp_path / "copy.sqlite") as copy:
        assert copy.readings.read(1).value.tolist() == [2.0]
