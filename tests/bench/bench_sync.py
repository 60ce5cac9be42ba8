"""Sync of a project file from end to end, beside ogr2ogr and pygeodiff doing the like in one run.

    python -m tests.bench.bench_sync [--rows 100000] [--rounds 3] [--no-qgis]

100,000 polygons with 20 attributes; the server on loopback with TLS. Edits: 60 % attribute, 20 % geometry, 10 % insert,
10 % delete, made by plain SQL and captured by the file's triggers.

- ``upload``: connect, register a project and send all of it: rights, every value checked on both sides, a table keyed
  by UUID with a spatial index, an index for what QGIS asks for, statistics, hash and log. ogr2ogr from start to end:
  COPY in one transaction into a table keyed by its own ``fid`` with a spatial index; UUIDs are text without an index,
  nothing is checked, hashed or analysed, and 94 % of the reals arrive altered.
- ``clone``: a new project file with spatial index and triggers, synced as a whole before it gets its name; ogr2ogr to a
  SpatiaLite file with spatial index, in one transaction that is synced.
- ``push``: everything a push does, the pull before it included; pygeodiff ``create_changeset`` and ``apply_changeset``
  on GeoPackages as ogr2ogr makes them (no server, no log, no rights).
- ``pull``: into a file without edits of its own, with log; pygeodiff ``apply_changeset``, without. Both are on the disk
  in the end; ours in the write-ahead log, which is written back in the background (all of pygeodiff's costs count).
- ``merge``: 10 k changes into a file with 10 k edits of its own; pygeodiff ``create_rebased_changeset``,
  which is then applied.
- ``QGIS``: saving 10 k edits with QGIS's SpatiaLite provider with and without the capture triggers.

Each job of the others runs right after ours, so that both meet the same load. ``fsync`` is off for both sides.
Wall seconds, medians of rounds. Targets: upload 1.5×, clone 1.5×, push 1 k 2×, 10 k 1.1×, pull 1.5×, QGIS at most 2×.
Every real must arrive with its bits.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from planner_app.project import Project, capture
from planner_app.project.connection import connect
from planner_app.sync.client.clone import clone
from planner_app.sync.client.session import Syncer
from planner_app.sync.server.administration import add_user
from planner_app.sync.server.migrations import initialise
from planner_app.sync.server.postgres import PostgresTransport
from tests.bench.bench_capture import build, mix
from tests.helpers.postgres import PrivateCluster

TARGETS = {"upload": 1.5, "clone": 1.5, "push 1000": 2.0, "push 10000": 1.1, "pull 10000": 1.5, "merge 10000": 1.5}
_QGIS = """
import sys, time, json, random
from qgis.core import QgsApplication, QgsDataSourceUri, QgsFeature, QgsVectorLayer
app = QgsApplication([], False); app.initQgis()
uri = QgsDataSourceUri(); uri.setDatabase(sys.argv[1]); uri.setDataSource("", sys.argv[2], "geom", "", "fid")
layer = QgsVectorLayer(uri.uri(), "x", "spatialite")
chance, fields = random.Random(3), layer.fields()
features = {f.id(): f for f in layer.getFeatures()}
ids = chance.sample(sorted(features), 10000)
layer.startEditing()
for number, fid in enumerate(ids):
    kind = number % 10
    if kind < 6:
        name = ("t1", "r2", "i3")[kind % 3]
        layer.changeAttributeValue(fid, fields.indexOf(name), f"new {number}" if name == "t1" else number)
    elif kind < 8:
        layer.changeGeometry(fid, features[ids[number - 1]].geometry())
    elif kind < 9:
        new = QgsFeature(fields); new.setGeometry(features[fid].geometry()); layer.addFeature(new)
    else:
        layer.deleteFeature(fid)
started = time.perf_counter()
assert layer.commitChanges(), layer.commitErrors()
print("@@" + json.dumps(time.perf_counter() - started)); sys.stdout.flush()
import os; os._exit(0)
"""


class Times:
    """Wall seconds by job and side."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, list[float]]] = {}

    def clock(self, job: str, side: str, work: Callable[[], Any]) -> Any:
        """Run and note."""
        started = time.perf_counter()
        done = work()
        self.taken.setdefault(job, {}).setdefault(side, []).append(time.perf_counter() - started)
        return done


def edit(file: Path, table: str, count: int, seed: int) -> None:
    """Mixed edits of rows chosen by chance, in one transaction."""
    with closing(connect(file, spatial=True)) as connection:
        if file.suffix == ".gpkg":
            connection.execute("SELECT EnableGpkgAmphibiousMode()")
        mix(connection, table, count, seed)


def ours(dsn: str, master: Path, folder: Path, times: Times, others: Others) -> None:
    """One round, from the first sync to a merge."""
    first, second = folder / "first.planner", folder / "second.planner"
    for file in (first, second):
        for rest in folder.glob(f"{file.name}*"):
            rest.unlink()
    shutil.copyfile(master, first)
    with Project.open(first) as project, project.door.write() as connection:
        name = os.urandom(8).hex()
        connection.execute("UPDATE planner_meta SET value = ? WHERE key = 'name'", (name,))
        key = f"{name[:8]}-{name[8:12]}-4000-8000-{name[4:]}"
        connection.execute("UPDATE planner_meta SET value = ? WHERE key = 'uuid'", (key,))
    lines: list[PostgresTransport] = []

    def connected() -> PostgresTransport:
        lines.append(PostgresTransport(dsn))
        return lines[-1]

    with Project.open(first) as project:
        syncer = times.clock("upload", "ours", lambda: _first_sync(project, connected()))
        others.upload()
        times.clock("clone", "ours", lambda: clone(connected(), name, second))
        others.clone()
        with Project.open(second) as other:
            there, table = Syncer(other, lines[1]), project.layers()[0].id
            mine = other.layers()[0].id
            assert _reals(first, table) == _reals(second, mine), "not bit for bit"
            for number, count in enumerate((1_000, 10_000)):
                edit(first, table, count, 10 + number)
                project.poll()
                assert times.clock(f"push {count}", "ours", syncer.push).pushed > 0.99 * count
                others.push(number, count)
                assert times.clock(f"pull {count}", "ours", there.pull).pulled > 0.99 * count
                others.pull(count)
            edit(first, table, 10_000, 20)
            edit(second, mine, 10_000, 21)
            for one in (project, other):
                one.poll()
            syncer.push()
            times.clock("merge 10000", "ours", there.pull)
            others.merge()
            there.push()
            there.sync(resolve="theirs")
            syncer.sync()
            assert _reals(first, table) == _reals(second, mine), "not alike after the merge"
    for line in lines:
        line.close()


def _first_sync(project: Project, line: PostgresTransport) -> Syncer:
    syncer = Syncer(project, line)
    syncer.sync()
    return syncer


def _reals(file: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f'SELECT uuid, r0, r2, geom FROM "{table}" ORDER BY uuid').fetchall()


class Others:
    """The same jobs done by ogr2ogr and, on GeoPackages, pygeodiff."""

    def __init__(self, pg: str, master: Path, table: str, base: Path, folder: Path, times: Times) -> None:
        import pygeodiff

        self._pg, self._master, self._table, self._base = pg, master, table, base
        self._folder, self._times, self._diff = folder, times, pygeodiff.GeoDiff()
        self._changes = str(folder / "changes.diff")

    def _ogr(self, job: str, *arguments: str) -> None:
        command = ["ogr2ogr", "-q", "-gt", "100000", *arguments]
        environment = os.environ | {"PG_USE_COPY": "YES"}
        self._times.clock(job, "other", lambda: subprocess.run(command, check=True, env=environment, timeout=600))

    def upload(self) -> None:
        """All rows into a fresh table of PostGIS."""
        self._ogr(
            "upload", "-f", "PostgreSQL", f"PG:{self._pg}", str(self._master), self._table, "-nln", "ogr_bench",
            "-overwrite", "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=GIST", "-nlt", "MULTIPOLYGON",
        )  # fmt: skip

    def clone(self) -> None:
        """That table into a SpatiaLite file."""
        out = self._folder / "ogr.sqlite"
        out.unlink(missing_ok=True)
        self._ogr("clone", "-f", "SQLite", "-dsco", "SPATIALITE=YES", str(out), f"PG:{self._pg}", "ogr_bench")

    def _copy(self, name: str, source: Path | None = None) -> Path:
        shutil.copyfile(source or self._base, self._folder / name)
        return self._folder / name

    def push(self, number: int, count: int) -> None:
        """Find the changes and apply them to what stands for the server."""
        changed, server = self._copy("changed.gpkg"), self._copy("server.gpkg")
        edit(changed, "bench", count, 10 + number)

        def work() -> None:
            self._diff.create_changeset(str(self._base), str(changed), self._changes)
            self._diff.apply_changeset(str(server), self._changes)

        self._times.clock(f"push {count}", "other", work)

    def pull(self, count: int) -> None:
        """Apply the same changes to another file."""
        target = str(self._copy("target.gpkg"))
        self._times.clock(f"pull {count}", "other", lambda: self._diff.apply_changeset(target, self._changes))

    def merge(self) -> None:
        """Rebase edits onto others' and apply them."""
        mine, theirs = self._copy("mine.gpkg"), self._copy("theirs.gpkg")
        edit(theirs, "bench", 10_000, 20)
        edit(mine, "bench", 10_000, 21)
        self._diff.create_changeset(str(self._base), str(theirs), self._changes)

        def work() -> None:
            rebased, conflicts = str(self._folder / "rebased.diff"), str(self._folder / "conflicts.json")
            self._diff.create_rebased_changeset(str(self._base), str(mine), self._changes, rebased, conflicts)
            self._diff.apply_changeset(str(self._copy("merged.gpkg", theirs)), rebased)

        self._times.clock("merge 10000", "other", work)


def qgis(master: Path, table: str, folder: Path, times: Times) -> None:
    """One round of QGIS saving, with and without capture."""
    python = os.environ.get("PLANNER_QGIS_PYTHON", "/usr/bin/python3")
    for side in ("other", "ours"):
        file = folder / f"qgis-{side}.sqlite"
        for rest in folder.glob(f"{file.name}*"):
            rest.unlink()
        shutil.copyfile(master, file)
        if side == "other":
            with closing(connect(file, spatial=True)) as connection:
                capture.stop(connection, table)
        done = subprocess.run(
            [python, "-c", _QGIS, str(file), table], capture_output=True, text=True, timeout=600, check=True,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        )  # fmt: skip
        seconds = next(line for line in done.stdout.splitlines() if line.startswith("@@"))[2:]
        times.taken.setdefault("QGIS save", {}).setdefault(side, []).append(float(seconds))


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-qgis", action="store_true")
    arguments = parser.parse_args()
    times = Times()
    with tempfile.TemporaryDirectory() as name, PrivateCluster(tls=True) as cluster:
        folder = Path(name)
        master, base = folder / "master.sqlite", folder / "base.gpkg"
        table = build(master, arguments.rows)
        subprocess.run(
            ["ogr2ogr", "-q", "-f", "GPKG", str(base), str(master), table, "-nln", "bench"],
            check=True,
            timeout=600,
        )
        with psycopg.connect(cluster.dsn, autocommit=True) as dba:
            initialise(dba)
            add_user(dba, "paul", "planner", password="bench")
            dba.execute("CREATE ROLE ogr LOGIN SUPERUSER PASSWORD 'bench'")
        common = f"host=localhost port={cluster.port} dbname=postgres password=bench sslmode=verify-full"
        common += f" sslrootcert={cluster.authority}"
        others = Others(f"{common} user=ogr", master, table, base, folder, times)
        for _ in range(arguments.rounds):
            ours(f"{common} user=paul", master, folder, times, others)
            if not arguments.no_qgis:
                qgis(master, table, folder, times)
    print(f"{'':<14}{'ours':>9}{'other':>9}{'ratio':>8}{'target':>8}")
    for job, sides in times.taken.items():
        line = f"{job:<14}{statistics.median(sides['ours']):>8.3f}s"
        if "other" in sides:
            ratio = statistics.median(b / a for a, b in zip(sides["ours"], sides["other"], strict=True))
            if job == "QGIS save":
                line += f"{statistics.median(sides['other']):>8.3f}s{1 / ratio:>8.2f}{'≤ 2':>8}"
            else:
                line += f"{statistics.median(sides['other']):>8.3f}s{ratio:>8.2f}{TARGETS.get(job, ''):>8}"
        print(line)


if __name__ == "__main__":
    main()
