"""Many clients at once: nobody is lost, nobody is blocked, revisions have no gaps."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.bench.bench_clients import check, client, prepare
from tests.server.conftest import City

pytestmark = pytest.mark.server


@pytest.mark.parametrize("seconds", [4.0, pytest.param(300.0, marks=pytest.mark.soak)])
def test_eight_clients(city: City, seconds: float) -> None:
    project, of, shared = prepare(city.dsn("paul"))
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(client, city.dsn(("paul", "pia")[seed % 2]), project, of, shared, seconds, 12, seed)
            for seed in range(8)
        ]
        outcomes = [job.result(timeout=seconds + 100) for job in jobs]
    assert all(len(outcome.revisions) >= 2 for outcome in outcomes)
    check(city.dba, project, outcomes)
    if os.environ.get("PLANNER_SOAK"):
        pushes = sum(len(outcome.revisions) for outcome in outcomes)
        print(f"{pushes / seconds:.0f} revisions/s, {sum(o.applied for o in outcomes) / seconds:.0f} records/s")
