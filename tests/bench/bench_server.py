"""A whole layer up to the city server and out again, beside GDAL doing the same in one run; pushes and pulls on it.

    python -m tests.bench.bench_server [--rows 100000] [--rounds 3]

Both sides read the same project file (20 attributes, polygons) and speak TLS on loopback. ``upload``: ours checks
rights and every value, makes a primary key, the index on ``uuid::text``, the spatial index, the hash of the content and
a revision of the chain; ogr2ogr (COPY) makes a primary key and the spatial index. ``out``: ours hands over rows as
SQLite stores them, ogr2ogr writes a GeoPackage without an index. Wall seconds, medians; targets: upload and out 1.5×.
``push``/``pull``: 60 % attribute, 20 % geometry, 10 % insert, 10 % delete. Every real must come back with its bits.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg

from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import NoProgress
from planner_app.project import Project
from planner_app.project.connection import connect
from planner_app.sync.server.administration import add_user
from planner_app.sync.server.migrations import initialise
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import DefChange, LayerDef, Page, ProjectDef, PushHeader, RowChange, Scope
from tests.bench.bench_capture import build
from tests.helpers.postgres import PrivateCluster

Row = tuple[str, bytes | None, list[object]]


def read(file: Path, table: str, fields: tuple[FieldInfo, ...]) -> Iterator[Row]:
    """Records of the project file as a client sends them."""
    columns = ", ".join(f'"{f.name}"' for f in fields)
    with closing(connect(file, spatial=True)) as connection:
        for key, shape, *values in connection.execute(
            f'SELECT uuid, AsBinary(geom), {columns} FROM "{table}" ORDER BY fid'
        ):
            yield key, shape, values


def edits(chance: random.Random, rows: list[Row], layer: LayerDef, count: int) -> list[RowChange]:
    """A mixed push; what is deleted leaves ``rows``."""
    made = []
    for number, at in enumerate(chance.sample(range(len(rows)), count)):
        key, kind = rows[at][0], number % 10
        other = rows[(at + 1) % len(rows)][1]
        if kind < 6:
            made.append(
                RowChange(layer.uuid, key, "update", {("t1", "r2", "i3")[kind % 3]: str(chance.randrange(10**6))})
            )
        elif kind < 8:
            made.append(RowChange(layer.uuid, key, "update", {}, other, True))
        elif kind < 9:
            made.append(RowChange(layer.uuid, str(uuid.uuid4()), "insert", {"t0": "new", "r0": "1.5"}, other, True))
        else:
            made.append(RowChange(layer.uuid, key, "delete"))
    gone = {change.uuid for change in made if change.operation == "delete"}
    rows[:] = [row for row in rows if row[0] not in gone]
    return made


def ours(dsn: str, file: Path, table: str, fields: tuple[FieldInfo, ...], took: dict[str, list[float]]) -> None:
    """One round of our side."""
    layer = LayerDef(str(uuid.uuid4()), "bench", "polygon", False, True, fields, {"name": "bench", "role": ""})
    project, chance = str(uuid.uuid4()), random.Random(5)
    transport = PostgresTransport(dsn)
    transport.register(ProjectDef(project, project, "EPSG:4547"))

    def clock(name: str, started: float) -> None:
        took.setdefault(name, []).append(time.perf_counter() - started)

    def push(rows: list[RowChange], definitions: list[DefChange], bulk: bool = False) -> None:
        header = PushHeader(str(uuid.uuid4()), project, "bench", transport.head(project).revision, len(rows), "d")
        transport.stage(header, definitions, rows, NoProgress())
        if bulk:
            transport.stage_layer(header, layer, [Page.of(read(file, table, fields))], NoProgress())
        result = transport.commit(header)
        assert not result.behind
        assert not result.refused

    started = time.perf_counter()
    push([], [DefChange("layer", layer.uuid, "insert", {}, layer)], bulk=True)
    clock("upload", started)
    started = time.perf_counter()
    with transport.pull(project, 0) as state:
        came = [(k, shape, list(v)) for page in state.bulk(layer.uuid, Scope()) for k, shape, v in page.rows()]
    clock("out", started)
    rows = sorted(read(file, table, fields))
    assert sorted(came) == rows, "not bit for bit"
    for count in (1_000, 10_000):
        before = transport.head(project).revision
        changes = edits(chance, rows, layer, count)
        started = time.perf_counter()
        push(changes, [])
        clock(f"push {count}", started)
        started = time.perf_counter()
        with transport.pull(project, before) as state:
            assert len(list(state.changes(layer.uuid, Scope()))) > 0.99 * count  # an edit may change nothing
        clock(f"pull {count}", started)
    transport.close()


def theirs(pg: str, file: Path, table: str, folder: Path, took: dict[str, list[float]]) -> int:
    """One round of GDAL; returns how many of the reals came back with other bits."""
    environment = os.environ | {"PG_USE_COPY": "YES", "OGR_TRUNCATE": "NO"}
    out = folder / "out.gpkg"
    out.unlink(missing_ok=True)
    common = ["ogr2ogr", "-q", "-gt", "100000"]
    up = [*common, "-f", "PostgreSQL", f"PG:{pg}", str(file), table, "-nln", "ogr_bench", "-overwrite",
          "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=GIST", "-nlt", "MULTIPOLYGON"]  # fmt: skip
    down = [*common, "-f", "GPKG", str(out), f"PG:{pg}", "ogr_bench", "-lco", "SPATIAL_INDEX=NO"]
    for name, command in (("upload", up), ("out", down)):
        started = time.perf_counter()
        subprocess.run(command, check=True, env=environment, timeout=600)
        took.setdefault(name, []).append(time.perf_counter() - started)
    with closing(connect(file, spatial=True)) as source, psycopg.connect(pg) as server:
        mine = dict(source.execute(f'SELECT uuid, r0 FROM "{table}"').fetchall())
        rows = server.execute("SELECT uuid, r0 FROM ogr_bench").fetchall()
    return sum(mine[key] != value for key, value in rows)


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, PrivateCluster(tls=True) as cluster:
        folder = Path(name)
        file = folder / "master.sqlite"
        table = build(file, arguments.rows)
        with Project.open(file) as project:
            fields = next(layer.fields for layer in project.layers() if layer.id == table)
        with psycopg.connect(cluster.dsn, autocommit=True) as dba:
            initialise(dba)
            add_user(dba, "paul", "planner", password="bench")
            dba.execute("CREATE ROLE ogr LOGIN SUPERUSER PASSWORD 'bench'")
        common = f"host=localhost port={cluster.port} dbname=postgres password=bench sslmode=verify-full"
        common += f" sslrootcert={cluster.authority}"
        mine: dict[str, list[float]] = {}
        other: dict[str, list[float]] = {}
        altered = 0
        for _ in range(arguments.rounds):
            ours(f"{common} user=paul", file, table, fields, mine)
            altered = theirs(f"{common} user=ogr", file, table, folder, other)
    print(f"{'':<12}{'ours':>9}{'ogr2ogr':>10}{'ratio':>8}")
    for name, times in mine.items():
        line = f"{name:<12}{statistics.median(times):>8.2f}s"
        if name in other:
            ratio = statistics.median(b / a for a, b in zip(times, other[name], strict=True))
            line += f"{statistics.median(other[name]):>9.2f}s{ratio:>8.2f}"
        print(line)
    print(f"reals that ogr2ogr altered: {altered} of {arguments.rows}; ours: 0")


if __name__ == "__main__":
    main()
