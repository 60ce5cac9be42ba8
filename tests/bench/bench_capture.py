"""What capturing changes costs: the same edits on a layer with and without the capture triggers, in one run.

    python -m tests.bench.bench_capture [--rows 100000] [--rounds 5]

The layer has 20 attributes and polygons, with R-tree and SpatiaLite's own triggers on both sides. ``mix`` is 10,000
edits (60 % attribute, 20 % geometry, 10 % insert, 10 % delete), ``bulk`` one UPDATE of all rows. CPU seconds, medians
of interleaved rounds; targets: mix at most 1.3, bulk at most 1.6.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project, capture
from planner_app.project.connection import connect

TARGETS = {"mix": 1.3, "bulk": 1.6}


def build(path: Path, rows: int) -> str:
    """A project with one layer of ``rows`` small polygons and 20 attributes; returns the table."""
    import numpy as np
    import shapely

    random_numbers = np.random.default_rng(7)
    x = random_numbers.uniform(500_000, 520_000, rows)
    y = random_numbers.uniform(3_500_000, 3_520_000, rows)
    shapes = shapely.to_wkb(shapely.buffer(shapely.points(x, y), 15, quad_segs=4)).tolist()
    texts = tuple(FieldInfo(f"t{n}", "text") for n in range(8))
    reals = tuple(FieldInfo(f"r{n}", "real") for n in range(8))
    integers = tuple(FieldInfo(f"i{n}", "integer") for n in range(4))
    columns: dict[str, list[object]] = {f.name: [f"{f.name} {row % 97}" for row in range(rows)] for f in texts}
    columns |= {f.name: random_numbers.uniform(0, 5, rows).tolist() for f in reals}
    columns |= {f.name: random_numbers.integers(0, 10**6, rows).tolist() for f in integers}
    with Project.create(path, "EPSG:4547") as project:
        layer = project.add_layer(NewLayer("bench", "polygon", texts + reals + integers), [Batch(shapes, columns)])
    return layer.id


def mix(connection: sqlite3.Connection, table: str, edits: int = 10_000, seed: int = 3) -> None:
    """Mixed edits of rows chosen by chance, in one transaction, one statement per row, as QGIS saves them.

    60 % attribute, 20 % geometry, 10 % insert, 10 % delete.
    """
    chance = random.Random(seed)
    rows = [row[0] for row in connection.execute(f'SELECT fid FROM "{table}"')]
    chosen = chance.sample(rows, edits)
    donors = chance.sample(sorted(set(rows) - set(chosen)), 50)
    shapes = [connection.execute(f'SELECT geom FROM "{table}" WHERE fid = ?', (d,)).fetchone()[0] for d in donors]
    connection.execute("BEGIN IMMEDIATE")
    for number, fid in enumerate(chosen):
        kind = number % 10
        if kind < 6:
            name = ("t1", "r2", "i3")[kind % 3]
            cell = {"t1": f"v{seed} {number}", "r2": seed + number / 7, "i3": seed * number}[name]
            connection.execute(f'UPDATE "{table}" SET {name} = ? WHERE fid = ?', (cell, fid))
        elif kind < 8:
            connection.execute(f'UPDATE "{table}" SET geom = ? WHERE fid = ?', (shapes[number % 50], fid))
        elif kind < 9:
            connection.execute(
                f'INSERT INTO "{table}" (uuid, t0, r0, i0, geom) VALUES (?, ?, ?, ?, ?)',
                (f"{seed:08x}-0000-4000-8000-{number:012x}", "new", 1.5, number, shapes[number % 50]),
            )
        else:
            connection.execute(f'DELETE FROM "{table}" WHERE fid = ?', (fid,))
    connection.execute("COMMIT")


def bulk(connection: sqlite3.Connection, table: str) -> None:
    """One UPDATE of every row."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f'UPDATE "{table}" SET r1 = r1 * 1.0625 + 1')
    connection.execute("COMMIT")


def measure(master: Path, table: str, rows: int, *, captured: bool) -> dict[str, float]:
    """CPU seconds of both jobs on a fresh copy."""
    copy = master.with_name("copy.sqlite")
    for rest in master.parent.glob("copy.sqlite*"):
        rest.unlink()
    copy.write_bytes(master.read_bytes())
    took = {}
    with closing(connect(copy, spatial=True)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        if not captured:
            capture.stop(connection, table)
        connection.execute(f'SELECT sum(length(geom)) FROM "{table}"').fetchone()
        for name in ("mix", "bulk"):
            started = time.process_time()
            if name == "mix":
                mix(connection, table)
            else:
                bulk(connection, table)
            took[name] = time.process_time() - started
    return took


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        master = Path(folder) / "master.sqlite"
        table = build(master, arguments.rows)
        off: dict[str, list[float]] = {name: [] for name in TARGETS}
        on: dict[str, list[float]] = {name: [] for name in TARGETS}
        for _ in range(arguments.rounds):
            for side, captured in ((off, False), (on, True)):
                for name, seconds in measure(master, table, arguments.rows, captured=captured).items():
                    side[name].append(seconds)
    print(f"{'edits':<6}{'off':>9}{'on':>9}{'ratio':>8}{'target':>8}")
    for name, target in TARGETS.items():
        ratio = statistics.median(b / a for a, b in zip(off[name], on[name], strict=True))
        print(
            f"{name:<6}{statistics.median(off[name]):>8.2f}s{statistics.median(on[name]):>8.2f}s"
            f"{ratio:>8.2f}{target:>8.1f}"
        )


if __name__ == "__main__":
    main()
