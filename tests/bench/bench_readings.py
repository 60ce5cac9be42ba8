"""Readings of 10,000 sensors: kept, a week of one sensor drawn, the latest of all, against plain sqlite3 done naively.

    .venv/bin/python -m tests.bench.bench_readings [--rounds 3] [--sensors 10000] [--ticks 100]

``ours`` is ``project.readings`` in a project file. ``plain`` is what one writes first: a table with an id, an index
over (sensor, time), the same journal mode and transactions; each reading once by asking first (``plain``) or by a
unique index and OR IGNORE (``plain unique``). Steps: ``insert``: all sensors tick by tick, as they arrive; ``again``:
a tenth of it sent twice; ``chart``: a week of one sensor that sends every 10 s (60,480 readings) as 672 quarter hours
with low, high and mean, for the first and the second time; ``latest``: the last reading of every sensor.

Limits (the product's own): 200,000 rows/s (of the processor's time: a busy disk is not the store's), a week's chart
50 ms, the latest of all 20 ms. Ends with 1 if one does not hold.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import harness

START, TICK, WEEK, QUARTER = 1_727_712_000_000, 60_000, 7 * 86_400_000, 900_000
STEPS = ("insert_s", "again_s", "chart_first_s", "chart_s", "latest_s")


def _tick(number: int, sensors: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(number)
    who = rng.permutation(sensors) + 2
    return who, START + number * TICK + rng.integers(0, 1000, sensors), rng.normal(20, 3, sensors)


def _week() -> tuple[np.ndarray, np.ndarray]:
    ts = np.arange(START, START + WEEK, 10_000)
    return ts, 20 + 5 * np.sin(ts / 8e6) + np.random.default_rng(1).normal(0, 0.2, len(ts))


class _Clock:
    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        begun, spent = time.perf_counter(), time.process_time()
        made = work()
        self.steps[name] = time.perf_counter() - begun
        self.steps[name.replace("_s", "_cpu_s")] = time.process_time() - spent
        return made


def ours(path: Path, sensors: int, ticks: int) -> None:
    """In a process of its own."""
    from planner_app.project import Project

    with Project.create(path, "EPSG:4549") as project:
        readings = project.readings
        data = [_tick(number, sensors) for number in range(ticks)]
        readings.add(1, *_week())
        clock = _Clock()

        def insert(some: list[Any]) -> int:
            return sum(readings.add(who, ts, value).new for who, ts, value in some)

        def work() -> dict[str, Any]:
            assert clock("insert_s", lambda: insert(data)) == sensors * ticks
            assert clock("again_s", lambda: insert(data[:: max(1, ticks // 10)])) == 0
            clock("chart_first_s", lambda: readings.quarters(1, START, START + WEEK))
            assert len(clock("chart_s", lambda: readings.quarters(1, START, START + WEEK)).ts) == WEEK // QUARTER
            assert len(clock("latest_s", readings.latest).ts) == sensors + 1
            return {**clock.steps, "rows": float(sensors * ticks), "bytes": float(path.stat().st_size)}

        harness.measured(work)


def plain(path: Path, sensors: int, ticks: int, unique: bool) -> None:
    """In a process of its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE reading (id INTEGER PRIMARY KEY, sensor INTEGER, ts INTEGER, value REAL, q INTEGER)"
    )
    connection.execute(f"CREATE {'UNIQUE' if unique else ''} INDEX by_sensor ON reading (sensor, ts)")
    data = [_tick(number, sensors) for number in range(ticks)]
    clock = _Clock()

    def insert(some: list[Any]) -> int:
        before = connection.total_changes
        for who, ts, value in some:
            rows = zip(who.tolist(), ts.tolist(), value.tolist(), strict=True)
            connection.execute("BEGIN IMMEDIATE")
            if unique:
                connection.executemany("INSERT OR IGNORE INTO reading VALUES (NULL, ?, ?, ?, 0)", rows)
            else:
                for sensor, when, shown in rows:
                    known = connection.execute("SELECT 1 FROM reading WHERE sensor = ? AND ts = ?", (sensor, when))
                    if known.fetchone() is None:
                        connection.execute("INSERT INTO reading VALUES (NULL, ?, ?, ?, 0)", (sensor, when, shown))
            connection.execute("COMMIT")
        return connection.total_changes - before

    week = _week()
    insert([(np.ones(len(week[0]), np.int64), *week)])

    def chart() -> list[Any]:
        return connection.execute(
            f"SELECT ts / {QUARTER}, min(value), max(value), avg(value) FROM reading WHERE sensor = 1 AND ts >= ? "
            "AND ts < ? GROUP BY 1",
            (START, START + WEEK),
        ).fetchall()

    def latest() -> list[Any]:
        return connection.execute("SELECT sensor, max(ts), value, q FROM reading GROUP BY sensor").fetchall()

    def work() -> dict[str, Any]:
        assert clock("insert_s", lambda: insert(data)) == sensors * ticks
        assert clock("again_s", lambda: insert(data[:: max(1, ticks // 10)])) == 0
        clock("chart_first_s", chart)
        assert len(clock("chart_s", chart)) == WEEK // QUARTER
        assert len(clock("latest_s", latest)) == sensors + 1
        return {**clock.steps, "rows": float(sensors * ticks), "bytes": float(path.stat().st_size)}

    harness.measured(work)
    connection.close()


def main() -> int:
    """The command; 1 if a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sensors", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=100)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--method", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        with tempfile.TemporaryDirectory(prefix="planner-bench-") as folder:
            path = Path(folder) / "readings.sqlite"
            if arguments.method == "ours":
                ours(path, arguments.sensors, arguments.ticks)
            else:
                plain(path, arguments.sensors, arguments.ticks, arguments.method == "plain unique")
        return 0
    size = ["--sensors", str(arguments.sensors), "--ticks", str(arguments.ticks)]
    methods = [
        harness.Method(name, [sys.executable, "-m", "tests.bench.bench_readings", *size, "--method", name])
        for name in ("ours", "plain", "plain unique")
    ]
    results = harness.run(methods, arguments.rounds)
    print(harness.table(results, "ours"))
    own = results["ours"]
    for name, row in results.items():
        if "error" in row or "error" in own:
            continue
        rate, spent = row["rows"] / row["insert_s"], row["rows"] / row["insert_cpu_s"]
        steps = ", ".join(
            f"{step[:-2]} {row[step] * 1000:.1f} ms ({row[step] / own[step]:.2f}×)" for step in STEPS if step in row
        )
        print(f"{name}: {rate:,.0f} rows/s ({spent:,.0f} by processor time), {row['bytes'] / 1e6:.0f} MB; {steps}")
    harness.save(results, arguments.json)
    if "error" in own:
        return 1
    slow = own["rows"] / own["insert_cpu_s"] < 200_000 or own["chart_s"] > 0.05 or own["latest_s"] > 0.02
    return int(slow)


if __name__ == "__main__":
    raise SystemExit(main())
