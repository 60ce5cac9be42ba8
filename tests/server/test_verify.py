"""Whatever somebody with all rights over the database changes behind the functions' back is found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress
from planner_app.sync.server.migrations import initialise
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.server.verifying import verify
from planner_app.sync.types import Page, ProjectDef, PushHeader
from tests.server.builders import delete, insert, key, layer, live_through, move, new_layer, push, square, update
from tests.server.conftest import City

pytestmark = pytest.mark.server


@dataclass
class Town:
    """A project with a bit of everything in a database of its own. ``table``: of the layer that grew by pushes."""

    dba: str
    connection: psycopg.Connection[tuple[object, ...]]
    table: str
    bulk: str


@pytest.fixture(scope="module")
def town(city: City) -> Iterator[Town]:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        connection.execute("CREATE DATABASE tampered")
    dba = city.dba.replace("dbname=city", "dbname=tampered")
    with psycopg.connect(dba, autocommit=True) as connection:
        initialise(connection)
        transport = PostgresTransport(dba)
        live_through(transport)
        row = connection.execute("SELECT id FROM planner.project").fetchone()
        tables = connection.execute("SELECT table_name FROM planner.layer ORDER BY made").fetchall()
        assert row is not None
        grown, came = (f'project_{row[0]}."{name}"' for (name,) in tables)
        yield Town(dba, connection, grown, came)
        transport.close()


def faults(town: Town) -> dict[str, str]:
    return {r.name: r.detail for r in verify(town.connection, "town", NoProgress()) if not r.ok}


def test_an_untouched_server_is_whole(town: Town) -> None:
    assert faults(town) == {}


#: Each column of the log and its neighbours, changed to something that could be.
TAMPER = {
    "revision.time": "UPDATE planner.revision SET time = time + interval '1 microsecond' WHERE revision = 2",
    "revision.member": "UPDATE planner.revision SET member = 'somebody' WHERE revision = 1",
    "revision.address": "UPDATE planner.revision SET address = '10.0.0.1' WHERE revision = 1",
    "revision.client_id": "UPDATE planner.revision SET client_id = 'desk-9' WHERE revision = 1",
    "revision.seen": "UPDATE planner.revision SET seen = 1 WHERE revision = 1",
    "revision.digest": "UPDATE planner.revision SET digest = 'x' WHERE revision = 4",
    "revision.message": "UPDATE planner.revision SET message = 'last' WHERE revision = 1",
    "revision.why": "UPDATE planner.revision SET why = '[]' WHERE revision = 1",
    "revision.rows": "UPDATE planner.revision SET rows = rows + 1 WHERE revision = 3",
    "revision.refused": "UPDATE planner.revision SET refused = '[]' WHERE revision = 4",
    "revision.chain": "UPDATE planner.revision SET chain = sha256('x') WHERE revision = 2",
    "revision.push_id": "UPDATE planner.revision SET push_id = gen_random_uuid() WHERE revision = 2",
    "revision.revision": "UPDATE planner.revision SET revision = 9 WHERE revision = 4",
    "revision gone": "DELETE FROM planner.revision WHERE revision = 4",
    "revision in the middle gone": "DELETE FROM planner.revision WHERE revision = 2",
    "head": "UPDATE planner.project SET revision = 3",
    "head chain": "UPDATE planner.project SET chain = '\\x00'",
    "project uuid": "UPDATE planner.project SET uuid = gen_random_uuid()",
    "change.layer": "UPDATE planner.change SET layer = gen_random_uuid() WHERE revision = 1",
    "change.uuid": "UPDATE planner.change SET uuid = gen_random_uuid() WHERE revision = 4 AND operation = 'u'",
    "change.operation": "UPDATE planner.change SET operation = 'u' WHERE revision = 4 AND operation = 'i'",
    "change.fields": "UPDATE planner.change SET fields = '{1}' WHERE revision = 1",
    "change.before": "UPDATE planner.change SET before[1] = 'x' WHERE revision = 3 AND operation = 'u'",
    "change.after": "UPDATE planner.change SET after[1] = 'x' WHERE revision = 1",
    "change.geometry_before": "UPDATE planner.change SET geometry_before = '\\x00' "
    "WHERE revision = 4 AND operation = 'u'",
    "change.geometry_after": "UPDATE planner.change SET geometry_after = NULL WHERE operation = 'i'",
    "change.place": "UPDATE planner.change SET place = '(1,1),(0,0)' WHERE revision = 1",
    "change.revision": "UPDATE planner.change SET revision = 2 WHERE revision = 4 AND operation = 'd'",
    "change gone": "DELETE FROM planner.change WHERE revision = 4 AND operation = 'u'",
    "change made up": "INSERT INTO planner.change SELECT project, 2, layer, gen_random_uuid(), operation, fields "
    "FROM planner.change LIMIT 1",
    "change beyond the head": "INSERT INTO planner.change SELECT project, 7, layer, uuid, operation, fields "
    "FROM planner.change LIMIT 1",
    "definition.before": "UPDATE planner.definition SET before = '{}' WHERE kind = 'plan'",
    "definition.after": "UPDATE planner.definition SET after = after || '{\"x\": 1}' WHERE kind = 'plan'",
    "definition.kind": "UPDATE planner.definition SET kind = 'layer' WHERE kind = 'plan'",
    "definition.key": "UPDATE planner.definition SET key = 'p2' WHERE kind = 'plan'",
    "definition.operation": "UPDATE planner.definition SET operation = 'delete' WHERE kind = 'plan'",
    "definition gone": "DELETE FROM planner.definition WHERE revision = 3",
    "bulk.digest": "UPDATE planner.bulk SET digest = sha256('x')",
    "bulk.rows": "UPDATE planner.bulk SET rows = rows - 1",
    "bulk.slots": "UPDATE planner.bulk SET slots = slots - 1",
    "bulk.revision": "UPDATE planner.bulk SET revision = 1",
    "bulk gone": "DELETE FROM planner.bulk",
    "push.applied": "UPDATE planner.push SET applied = 0 WHERE revision = 1",
    "push.refused": "UPDATE planner.push SET refused = '[]' WHERE revision = 4",
    "push.revision": "UPDATE planner.push SET revision = 2 WHERE revision = 3",
    "push gone": "DELETE FROM planner.push WHERE revision = 2",
    "plan": "UPDATE planner.plan SET cells = '{\"name\": \"other\"}'",
    "plan.retired": "UPDATE planner.plan SET retired = true",
    "plan.changed": "UPDATE planner.plan SET changed = 2",
    "layer.cells": "UPDATE planner.layer SET cells = cells || '{\"locked\": \"1\"}'",
    "layer.retired": "UPDATE planner.layer SET retired = true",
    "layer.made": "UPDATE planner.layer SET made = 2 WHERE made = 1",
    "layer made up": "INSERT INTO planner.layer "
    "SELECT project, gen_random_uuid(), 'x', 'none', false, false, '{}', 1, 1 FROM planner.layer LIMIT 1",
    "field.alias": "UPDATE planner.field SET alias = 'x' WHERE name = 'far'",
    "field.name": "UPDATE planner.field SET name = 'x' WHERE name = 'late'",
    "record.text": "UPDATE {table} SET name = name || ' ' WHERE name = 'a2'",
    "record.real": "UPDATE {table} SET far = far + 2.5e-16 WHERE far = 1.5",
    "record.geometry": "UPDATE {table} SET geom = ST_Translate(geom, 1e-9, 0)",
    "record.never written": "UPDATE {table} SET raw = '\\x01' WHERE name = 'b2'",
    "record.rev": "UPDATE {table} SET rev = rev - 1 WHERE name = 'a2'",
    "record.uuid": "UPDATE {table} SET uuid = gen_random_uuid() WHERE name = 'b2'",
    "record gone": "DELETE FROM {table} WHERE name = 'b2'",
    "record made up": "INSERT INTO {table} (uuid, rev) VALUES (gen_random_uuid(), 4)",
    "bulk record.text": "UPDATE {bulk} SET name = 'x' WHERE name = 'n5'",
    "bulk record.real": "UPDATE {bulk} SET far = far + 2e-16 WHERE name = 'n4'",
    "bulk record.geometry": "UPDATE {bulk} SET geom = NULL WHERE name = 'n6'",
    "bulk record.rev": "UPDATE {bulk} SET rev = 3 WHERE name = 'n6'",
    "bulk record.changed": "UPDATE {bulk} SET far = 1 WHERE far = 9.5",
    "bulk record.other cell of a changed one": "UPDATE {bulk} SET floors = 77 WHERE far = 9.5",
    "bulk record gone": "DELETE FROM {bulk} WHERE name = 'n7'",
    "bulk record made up": "INSERT INTO {bulk} (uuid, rev) VALUES (gen_random_uuid(), 2)",
    "attachment": "UPDATE planner.blob_chunk SET data = 'Drawing'",
    "attachment gone": "DELETE FROM planner.blob_chunk",
    "function": "CREATE OR REPLACE FUNCTION planner.my_role() RETURNS text LANGUAGE sql AS $$SELECT 'admin'$$",
    "function added": "CREATE FUNCTION planner.helper() RETURNS int LANGUAGE sql AS $$SELECT 1$$",
    "open function": "GRANT EXECUTE ON FUNCTION planner_inner.make_table(text, jsonb, integer) TO PUBLIC",
    "policy off": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "writable layer": "GRANT UPDATE ON {table} TO planner_planner",
    "writable log": "GRANT TRUNCATE ON planner.change TO paul",
    "writable column": "GRANT UPDATE (message) ON planner.revision TO paul",
    "trigger": "CREATE TRIGGER t BEFORE UPDATE ON {table} FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "rule": "CREATE RULE r AS ON DELETE TO planner.change DO INSTEAD NOTHING",
    "triggers off": "ALTER TABLE planner.project DISABLE TRIGGER ALL",
    "owner": "ALTER TABLE planner.denied OWNER TO postgres",
    "owner of the log": "ALTER TABLE planner.revision OWNER TO postgres",
    "migration": "INSERT INTO planner.migration (version, name) VALUES (99, 'x')",
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPER)
def test_tampering_is_found(town: Town, what: str) -> None:
    town.connection.execute("BEGIN")
    try:
        town.connection.execute("SET LOCAL session_replication_role = replica")  # what an intruder would do
        town.connection.execute(TAMPER[what].replace("{table}", town.table).replace("{bulk}", town.bulk).encode())
        town.connection.execute("SET LOCAL session_replication_role = origin")
        found = verify(Inside(town.connection), "town", NoProgress())  # type: ignore[arg-type]
    finally:
        town.connection.execute("ROLLBACK")
    assert [result.name for result in found if not result.ok], f"{what} was not found"


class Inside:
    """A connection whose transaction stays open: the tampering is undone by a rollback."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def execute(self, statement: str, *more: object, **options: object) -> object:
        if statement.startswith("BEGIN"):
            statement = "SAVEPOINT verifying"
        elif statement == "ROLLBACK":
            statement = "ROLLBACK TO SAVEPOINT verifying"
        return self._connection.execute(statement, *more, **options)  # type: ignore[arg-type,call-overload]


def test_verify_is_for_administrators(town: Town) -> None:
    with (
        psycopg.connect(town.dba.replace("user=postgres", "user=paul"), autocommit=True) as connection,
        pytest.raises(PlannerError),
    ):
        verify(connection, "town", NoProgress())


def test_histories_by_chance_verify(city: City, connect: Callable[[str], PostgresTransport], project: str) -> None:
    """Random pushes, bulk layers with them: what the functions write is always what verify expects."""
    chance, paul = random.Random(5), connect("paul")
    paul.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    grown, came, keys = layer(), layer("whole"), [key() for _ in range(30)]
    header = PushHeader(key(), project, "d", 0, 0, "d")
    paul.stage(header, [new_layer(grown), new_layer(came)], [], NoProgress())
    whole = [(k, square(n, n), [None, n * 1.1, None, 0, None, "x", None]) for n, k in enumerate(keys)]
    paul.stage_layer(header, came, [Page.of(whole)], NoProgress())
    paul.commit(header)
    for _ in range(25):
        rows = []
        for record in chance.sample(keys, 12):
            of = chance.choice((grown, came))
            shape = chance.choice((None, square(chance.random() * 100, 5)))
            cells = {"name": chance.choice((None, "a", "b")), "far": repr(chance.choice((0.0, -0.0, chance.random())))}
            kinds = (insert(of, record, shape, **cells), update(of, record, **cells), move(of, record, shape))
            rows.append(chance.choice((*kinds, delete(of, record))))
        push(paul, project, rows)
    with psycopg.connect(city.dba, autocommit=True) as connection:
        mine = [r for r in verify(connection, "city", NoProgress()) if project in r.name]
    assert [(r.name, r.detail) for r in mine if not r.ok] == []
    assert len(mine) == 4


def test_many_records_that_came_one_by_one_take_no_time(city: City) -> None:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        connection.execute("CREATE DATABASE verified")
    dba = city.dba.replace("dbname=city", "dbname=verified")
    with psycopg.connect(dba, autocommit=True) as connection:
        initialise(connection)
        transport, project, parcels = PostgresTransport(dba), key(), layer()
        transport.register(ProjectDef(project, "Town", "EPSG:4547"))
        made = [insert(parcels, key(), square(n, n), name=f"n{n}", far="1.5", floors="3") for n in range(3000)]
        push(transport, project, made, [new_layer(parcels)])
        connection.execute("SET statement_timeout = '5s'")  # comparing each with each other takes ten times that
        assert all(result.ok for result in verify(connection, "city", NoProgress()))
        transport.close()
