"""Nobody holds up the others: neither by sitting on a lock nor by reading slowly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.sync.server import postgres
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import DefChange, LayerDef, ProjectDef
from tests.server.builders import ALL, insert, key, layer, new_layer, push, update
from tests.server.conftest import City

pytestmark = pytest.mark.server
Connect = Callable[[str], PostgresTransport]


@pytest.fixture
def slow(city: City) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    connection = psycopg.connect(city.dsn("olaf"))
    yield connection
    connection.close()


def by_hand(connection: psycopg.Connection[tuple[object, ...]], project: str, of: LayerDef) -> None:
    """A commit in a transaction that its maker does not end."""
    push_id = key()
    connection.execute("SELECT planner.stage_begin(%s, %s, 'd')", (push_id, project))
    connection.execute(
        "INSERT INTO planner.stage (push_id, ordinal, layer, uuid, operation, names, cells, has_geometry) "
        "VALUES (%s, 1, %s, %s, 'insert', '{}', '{}', false)", (push_id, of.uuid, key()),
    )  # fmt: skip
    connection.execute("SELECT planner.commit_push(%s, %s, 'evil', 1, 1, 'd', '[]', '')", (push_id, project))


def test_who_sits_on_the_head_is_shown_the_door(
    city: City, connect: Connect, project: str, secret: LayerDef, slow: psycopg.Connection[tuple[object, ...]]
) -> None:
    slow.execute("SET idle_in_transaction_session_timeout = 0")
    by_hand(slow, project, secret)
    started = time.monotonic()
    assert push(connect("anna"), project, [insert(secret, key(), name="next")], seen=1).revision == 2
    assert time.monotonic() - started < 12
    with pytest.raises(psycopg.OperationalError):
        slow.execute("SELECT 1")
    with psycopg.connect(city.dba) as connection:
        noted = connection.execute("SELECT detail FROM planner.denied WHERE what = 'held the head'").fetchall()
    assert {"holder": "olaf"} in [row[0] for row in noted]


def test_a_slow_reader_blocks_nobody(
    connect: Connect, project: str, secret: LayerDef, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody clones over a bad line for an hour: others push, and only new fields of that layer wait for him."""
    monkeypatch.setattr(postgres, "_PREPARE_TRIES", 1)
    anna = connect("anna")
    with connect("olaf").pull(project, 0) as state:
        assert len(list(state.rows(secret.uuid, ALL))) == 1
        started = time.monotonic()
        assert push(anna, project, [insert(secret, key(), name="x")]).applied == 1
        assert push(anna, project, definitions=[new_layer(layer("new"))]).revision == 3
        assert push(anna, project, definitions=[DefChange("layer", secret.uuid, "update", {"name": "y"})]).revision == 4
        assert time.monotonic() - started < 2
        wider = LayerDef(secret.uuid, "valves", "polygon", False, True, (*secret.fields, FieldInfo("more", "text")))
        more = DefChange("layer", secret.uuid, "update", {}, wider)
        other = connect("anna")
        with pytest.raises(PlannerError) as caught:
            push(other, project, definitions=[more])
        assert caught.value.code == "sync.server_busy"
        assert push(anna, project, [insert(secret, key(), name="still")]).applied == 1
    assert push(anna, project, definitions=[more]).refused == ()


def test_advisory_locks_stop_nobody(city: City, connect: Connect, slow: psycopg.Connection[tuple[object, ...]]) -> None:
    slow.execute(
        "SELECT pg_advisory_lock(hashtext('planner.' || n)) "
        "FROM unnest('{register,finish_blob,reading_partition}'::text[]) n"
    )
    fresh = key()
    started = time.monotonic()
    connect("anna").register(ProjectDef(fresh, f"Town {fresh}", "EPSG:4547"))
    connect("olaf").put_readings(fresh, [(1, 1_500_000_000_000, 1.0, 0)])
    assert time.monotonic() - started < 2


def test_what_the_planner_believes_of_the_stage_costs_nothing(
    city: City, connect: Connect, project: str, secret: LayerDef
) -> None:
    """Statistics of small pushes must not make a large one quadratic (it took 150 s)."""
    anna = connect("anna")
    for _ in range(8):  # plans become generic
        push(anna, project, [insert(secret, key(), name="small")])
        with psycopg.connect(city.dba, autocommit=True) as connection:
            connection.execute("ANALYZE planner.stage")
    keys = [key() for _ in range(4000)]
    started = time.monotonic()
    assert push(anna, project, [insert(secret, k, name="large", far="1.5") for k in keys]).applied == 4000
    at = anna.head(project).revision
    changes = [update(secret, k, name="changed", far="wrong" if n % 2 else "2.5") for n, k in enumerate(keys)]
    result = push(anna, project, changes)
    assert (result.applied, len(result.refused)) == (2000, 2000)
    assert push(connect("olaf"), project, [update(secret, k, floors="1") for k in keys], seen=at).behind
    assert len(list(anna.as_of(project, secret.uuid, at, ALL))) == 4000 + 9
    assert time.monotonic() - started < 40
