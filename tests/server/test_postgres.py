"""PostgreSQL as the carrier of a sync."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import pytest

from planner_app.domain.progress import NoProgress
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import ProjectDef, PushHeader
from tests.server.builders import insert, key, layer, new_layer, push, square
from tests.server.conftest import City
from tests.server.contract import TransportContract

pytestmark = pytest.mark.server


class TestPostgres(TransportContract):
    """The contract on the real server."""


def test_what_lies_on_the_stage_slows_nobody_down(city: City, connect: Callable[[str], PostgresTransport]) -> None:
    transport, project, parcels = connect("paul"), key(), layer()
    transport.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    push(transport, project, definitions=[new_layer(parcels)])
    for count in (900, 3000):
        made = [insert(parcels, key(), square(n, n), name=f"n{n}", far="1.5", floors="3") for n in range(count)]
        if count == 900:  # broken off; from these the statistics expect nothing of any other push
            transport.stage(PushHeader(key(), project, "desk", 1, count, "d"), [], made, NoProgress())
            with psycopg.connect(city.dba, autocommit=True) as connection:
                connection.execute("ANALYZE planner.stage")
    started = time.perf_counter()
    assert push(transport, project, made, seen=1).applied == 3000
    assert time.perf_counter() - started < 8  # judging each row again for each took a minute
