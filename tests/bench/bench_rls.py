"""What rights cost: the same spatial queries on a layer table with and without row-level security, in one run.

    python -m tests.bench.bench_rls [--rows 200000] [--rounds 200]

``owner`` reads without policies, ``viewer`` with the policy of every layer, ``district`` with an area that he does
not see beyond; ``viewer, not leakproof`` is a server whose extent test PostgreSQL does not trust. Medians of
interleaved queries, milliseconds; target: viewer at most 2 × owner on a window of the map.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import uuid
from typing import Any

import psycopg

from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import NoProgress
from planner_app.sync.server.migrations import initialise
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import DefChange, LayerDef, Page, ProjectDef, PushHeader
from tests.helpers.postgres import PrivateCluster

SIDE = 20_000.0
#: Shown name → (member, SQL with a window).
QUERIES = {
    "window 300 m, &&": (300.0, "SELECT count(*) FROM {t} WHERE geom && {box}"),
    "window 300 m, rows": (300.0, "SELECT uuid, name, ST_AsBinary(geom) FROM {t} WHERE geom && {box}"),
    "window 3 km, &&": (3000.0, "SELECT count(*) FROM {t} WHERE geom && {box}"),
    "ST_Intersects and &&": (300.0, "SELECT count(*) FROM {t} WHERE geom && {box} AND ST_Intersects(geom, {box})"),
    "ST_Intersects alone": (300.0, "SELECT count(*) FROM {t} WHERE ST_Intersects(geom, {box})"),
    "by key, as QGIS asks": (0.0, "SELECT * FROM {t} WHERE \"uuid\"::text = '{key}'"),
}


def fill(dsn: str, rows: int) -> tuple[str, list[str]]:
    """A layer of small polygons; returns its table and keys."""
    import numpy as np
    import shapely

    numbers = np.random.default_rng(7)
    x, y = numbers.uniform(500_000, 500_000 + SIDE, rows), numbers.uniform(3_500_000, 3_500_000 + SIDE, rows)
    shapes = shapely.to_wkb(shapely.multipolygons([[g] for g in shapely.buffer(shapely.points(x, y), 15, quad_segs=4)]))
    keys = [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(rows)]
    layer = LayerDef(str(uuid.uuid4()), "parcel", "polygon", False, True, (FieldInfo("name", "text"),), {"role": ""})
    transport, project = PostgresTransport(dsn), str(uuid.uuid4())
    transport.register(ProjectDef(project, "Town", "EPSG:4547"))
    push = PushHeader(str(uuid.uuid4()), project, "bench", 0, 0, "d")
    transport.stage(push, [DefChange("layer", layer.uuid, "insert", {}, layer)], [], NoProgress())
    transport.stage_layer(push, layer, [Page(keys, shapes.tolist(), [keys])], NoProgress())
    transport.commit(push)
    transport.close()
    return "project_1.parcel", keys


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    with PrivateCluster() as cluster, psycopg.connect(cluster.dsn, autocommit=True) as dba:
        initialise(dba)
        table, keys = fill(cluster.dsn, arguments.rows)
        for name in ("viewer", "district"):
            dba.execute(f"CREATE ROLE {name} LOGIN".encode())
            dba.execute(f"GRANT planner_viewer TO {name}".encode())
            dba.execute("INSERT INTO planner.member (name, role) VALUES (%s, 'viewer')", (name,))
        west = "POLYGON((500000 3500000, 512000 3500000, 512000 3520000, 500000 3520000, 500000 3500000))"
        said = {"member": "district", "project": "Town", "district": west, "only_there": True}
        dba.execute("SELECT planner.put_permission(%s)", (psycopg.types.json.Jsonb(said),))
        sides = {
            name: psycopg.connect(cluster.dsn.replace("postgres dbname", f"{name} dbname"))
            for name in ("viewer", "district")
        }
        took = rounds({"owner": dba, **sides}, table, keys, arguments.rounds)
        dba.execute("ALTER FUNCTION geometry_overlaps(geometry, geometry) NOT LEAKPROOF")
        few = max(5, arguments.rounds // 20)
        took |= {
            ("viewer, not leakproof", q): t
            for (_, q), t in rounds({"viewer": sides["viewer"]}, table, keys, few).items()
        }
        for connection in sides.values():
            connection.close()
    names = ["owner", "viewer", "district", "viewer, not leakproof"]
    print(f"{arguments.rows} rows" + " " * 10 + "".join(f"{name:>24}" for name in names) + f"{'viewer/owner':>15}")
    for query in QUERIES:
        medians = [statistics.median(took[name, query]) * 1000 for name in names]
        print(f"{query:<22}" + "".join(f"{value:>21.2f} ms" for value in medians) + f"{medians[1] / medians[0]:>15.2f}")


def rounds(
    sides: dict[str, psycopg.Connection[Any]], table: str, keys: list[str], count: int
) -> dict[tuple[str, str], list[float]]:
    """Seconds of each query of each side, interleaved, at random places that are the same for all."""
    chance = random.Random(3)
    took: dict[tuple[str, str], list[float]] = {(name, query): [] for name in sides for query in QUERIES}
    for number in range(count + 3):
        for query, (size, sql) in QUERIES.items():
            x, y = 500_000 + chance.random() * (SIDE - size), 3_500_000 + chance.random() * (SIDE - size)
            box = f"ST_MakeEnvelope({x}, {y}, {x + size}, {y + size}, 4547)"
            text = sql.replace("{t}", table).replace("{box}", box).replace("{key}", chance.choice(keys)).encode()
            for name, connection in sides.items():
                started = time.perf_counter()
                connection.execute(text).fetchall()
                if number >= 3:  # caches and plans are warm
                    took[name, query].append(time.perf_counter() - started)
    return took


if __name__ == "__main__":
    main()
