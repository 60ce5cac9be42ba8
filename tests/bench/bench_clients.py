"""Eight clients at once on one project: what the server takes, how long each waits, and that nothing is lost.

    python -m tests.bench.bench_clients [--clients 8] [--seconds 60] [--rows 20]

Every client edits records of its own and some that all share, pulls when it is behind and pushes again. One more holds
a snapshot open and reads it a record at a time all the while. Afterwards revisions have no gaps, every push that was
answered is in the log once, and ``verify`` finds nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from planner_app.domain.progress import NoProgress
from planner_app.sync.server.migrations import initialise
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.server.verifying import verify
from planner_app.sync.types import LayerDef, ProjectDef, PushHeader, RowChange, Scope
from tests.helpers.postgres import PrivateCluster
from tests.server.builders import insert, key, layer, new_layer, push, square

SHARED = 200


@dataclass
class Outcome:
    """What a client did. ``seconds``: of each push that was taken, retries included."""

    revisions: list[int] = field(default_factory=list)
    applied: int = 0
    behind: int = 0
    seconds: list[float] = field(default_factory=list)


def client(dsn: str, project: str, of: LayerDef, shared: list[str], seconds: float, rows: int, seed: int) -> Outcome:
    """Push until the time is over."""
    chance, done = random.Random(seed), Outcome()
    transport = PostgresTransport(dsn)
    mine = [key() for _ in range(10 * rows)]
    cursor = transport.head(project).revision
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        picked = chance.sample(mine, rows - 2)
        changes = [insert(of, k, square(chance.random() * 1e4, chance.random() * 1e4), name=str(seed)) for k in picked]
        changes += [RowChange(of.uuid, k, "update", {"far": repr(chance.random())}) for k in chance.sample(shared, 2)]
        began = time.monotonic()
        while True:
            header = PushHeader(key(), project, f"desk-{seed}", cursor, len(changes), "d")
            transport.stage(header, [], changes, NoProgress())
            result = transport.commit(header)
            if not result.behind:
                break
            done.behind += 1
            with transport.pull(project, cursor) as state:
                for _ in state.changes(of.uuid, Scope()):
                    pass
                cursor = state.head.revision
        assert not result.refused, result.refused
        done.seconds.append(time.monotonic() - began)
        done.revisions.append(result.revision)
        done.applied += result.applied
    transport.close()
    return done


def prepare(dsn: str) -> tuple[str, LayerDef, list[str]]:
    """A project with the records that all share."""
    project, of, shared = key(), layer(), [key() for _ in range(SHARED)]
    transport = PostgresTransport(dsn)
    transport.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    push(transport, project, [insert(of, k, square(0, 0)) for k in shared], [new_layer(of)])
    transport.close()
    return project, of, shared


def apart(
    dsns: Sequence[str], project: str, of: LayerDef, shared: list[str], seconds: float, rows: int
) -> list[subprocess.Popen[str]]:
    """Clients in processes of their own."""
    said = {"project": project, "layer": of.uuid, "shared": shared, "rows": rows, "seconds": seconds}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bench_clients", "--as-client",
             json.dumps(said | {"seed": seed, "dsn": dsn})],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2],
        )
        for seed, dsn in enumerate(dsns)
    ]  # fmt: skip


def outcome_of(running: subprocess.Popen[str], seconds: float) -> Outcome:
    """What one of them did, once it is done."""
    said = running.communicate(timeout=seconds)[0]
    assert running.returncode == 0, "a client failed"
    return Outcome(*json.loads(said))


def check(dsn: str, project: str, outcomes: list[Outcome]) -> None:
    """Nothing is missing, nothing is there twice."""
    made = sorted(revision for outcome in outcomes for revision in outcome.revisions)
    transport = PostgresTransport(dsn)
    assert made == list(range(2, transport.head(project).revision + 1)), "revisions have gaps"
    transport.close()
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            "SELECT sum(rows)::bigint FROM planner.revision r JOIN planner.project p ON p.id = r.project "
            "WHERE p.uuid = %s",
            (project,),
        ).fetchone()
        assert row is not None
        assert row[0] == sum(outcome.applied for outcome in outcomes) + SHARED
        found = [r for r in verify(connection, "bench", NoProgress()) if not r.ok]
        assert not found, found


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--as-client", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_client:
        said = json.loads(arguments.as_client)
        of = layer()
        object.__setattr__(of, "uuid", said["layer"])
        done = client(said["dsn"], said["project"], of, said["shared"], said["seconds"], said["rows"], said["seed"])
        print(json.dumps([done.revisions, done.applied, done.behind, done.seconds]))
        return
    with PrivateCluster() as cluster:
        with psycopg.connect(cluster.dsn, autocommit=True) as connection:
            initialise(connection)
        project, of, shared = prepare(cluster.dsn)
        running = apart(
            [cluster.dsn] * arguments.clients, project, of, shared, arguments.seconds, arguments.rows
        )  # fmt: skip
        slow = PostgresTransport(cluster.dsn)
        with slow.pull(project, 0) as state:
            for _ in state.rows(of.uuid, Scope()):
                time.sleep(min(0.2, arguments.seconds / SHARED))
        slow.close()
        outcomes = [outcome_of(one, arguments.seconds + 120) for one in running]
        check(cluster.dsn, project, outcomes)
    times = sorted(seconds for outcome in outcomes for seconds in outcome.seconds)
    pushes, applied = len(times), sum(outcome.applied for outcome in outcomes)
    behind = sum(outcome.behind for outcome in outcomes) / pushes
    print(f"{arguments.clients} clients, {arguments.seconds:.0f} s: {pushes / arguments.seconds:.0f} revisions/s, "
          f"{applied / arguments.seconds:.0f} records/s, behind {behind:.2f} times per push, "
          f"a push {statistics.median(times) * 1000:.0f} ms median, {times[int(0.99 * pushes)] * 1000:.0f} ms at 99 %, "
          f"{times[-1] * 1000:.0f} ms at most; revisions without gaps, verified")  # fmt: skip


if __name__ == "__main__":
    main()
