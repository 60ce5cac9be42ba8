"""Many clients at once: nobody is lost, nobody is blocked, revisions have no gaps."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from planner_app.domain.progress import NoProgress
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import LayerDef, PushHeader, RowChange, Scope
from tests.bench.bench_clients import SHARED, Outcome, apart, check, client, outcome_of, prepare
from tests.server.builders import insert, key, square
from tests.server.conftest import City

pytestmark = pytest.mark.server
ROWS = 12


def reads_slowly(dsn: str, project: str, of: LayerDef, pause: float, over: Event) -> None:
    """Clone as over a very bad line: one state of the project, however long it takes."""
    transport = PostgresTransport(dsn)
    with transport.pull(project, 0) as state:
        seen = set()
        for row in state.rows(of.uuid, Scope()):
            seen.add((row.uuid, row.revision))
            over.wait(pause)
        assert state.head.revision == 1
        assert [revision for _, revision in seen] == [1] * SHARED  # whatever was pushed meanwhile
    transport.close()


def sends_slowly(dsn: str, project: str, of: LayerDef, pause: float, over: Event) -> Outcome:
    """Push a record now and then all the while, in one push that is committed when all others are done."""

    def rows() -> Iterator[RowChange]:
        for number in range(SHARED):
            over.wait(pause)
            yield insert(of, key(), square(number, 0), name="slow")

    transport = PostgresTransport(dsn)
    header = PushHeader(key(), project, "slow", 1, SHARED, "d")
    transport.stage(header, [], rows(), NoProgress())
    over.wait()
    result = transport.commit(header)
    transport.close()
    return Outcome([result.revision], result.applied)


@pytest.mark.parametrize("seconds", [4.0, pytest.param(300.0, marks=pytest.mark.soak)])
def test_eight_clients(city: City, seconds: float, tally: Counter[str]) -> None:
    project, of, shared = prepare(city.dsn("paul"))
    dsns, over, pause = [city.dsn(("paul", "pia")[seed % 2]) for seed in range(8)], Event(), 1.2 * seconds / SHARED
    with ThreadPoolExecutor(10) as pool:
        reader = pool.submit(reads_slowly, city.dsn("vera"), project, of, pause, over)
        sender = pool.submit(sends_slowly, city.dsn("anna"), project, of, pause, over)
        try:
            if seconds > 60:
                outcomes = [outcome_of(one, seconds + 100) for one in apart(dsns, project, of, shared, seconds, ROWS)]
            else:
                given = (project, of, shared, seconds, ROWS)
                jobs = [pool.submit(client, dsn, *given, seed) for seed, dsn in enumerate(dsns)]
                outcomes = [job.result(timeout=seconds + 100) for job in jobs]
            assert not reader.done()
            assert not sender.done()
        finally:
            over.set()
        reader.result(timeout=60)
        slow = sender.result(timeout=60)
    assert all(len(outcome.revisions) >= 2 for outcome in outcomes)
    assert slow.applied == SHARED
    check(city.dba, project, [*outcomes, slow])
    times = sorted(time for outcome in outcomes for time in outcome.seconds)
    assert times[-1] < 20
    tally["revisions"] = len(times) + 2
    tally["pushes a second"] = round(len(times) / seconds)
    tally["records a second"] = round(sum(outcome.applied for outcome in outcomes) / seconds)
    tally["times behind"] = sum(outcome.behind for outcome in outcomes)
    tally["ms a push (median)"] = round(1000 * statistics.median(times))
    tally["ms (99 %)"] = round(1000 * times[int(0.99 * len(times))])
    tally["ms (slowest)"] = round(1000 * times[-1])
