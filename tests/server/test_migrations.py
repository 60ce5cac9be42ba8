"""Servers of earlier versions are upgraded with all they hold. Each version's dump was written by that version."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from planner_app.domain.progress import NoProgress
from planner_app.sync.server.backup import restore
from planner_app.sync.server.migrations import code, initialise, numbered
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.server.verifying import verify
from tests.server.builders import ALL, insert, key, push, rows, square
from tests.server.conftest import City

pytestmark = pytest.mark.server
DUMPS = sorted((Path(__file__).parent / "data").glob("version_*.dump"))


def test_migrations_are_numbered_without_gaps() -> None:
    assert [version for version, _, _ in numbered()] == list(range(1, len(numbered()) + 1))
    assert "CREATE OR REPLACE FUNCTION planner.commit_push" in code()


def test_every_version_has_its_dump() -> None:
    assert {int(dump.stem.split("_")[1]) for dump in DUMPS} >= {version for version, _, _ in numbered()}


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_an_earlier_server_is_upgraded(city: City, dump: Path) -> None:
    dsn = city.cluster.dsn.replace("dbname=postgres", f"dbname=was_{dump.stem}")
    assert restore(dsn, dump) == []
    with psycopg.connect(dsn, autocommit=True) as connection:
        assert initialise(connection).applied == []
        assert [(r.name, r.detail) for r in verify(connection, "old", NoProgress()) if not r.ok] == []
    paul = PostgresTransport(dsn.replace("user=postgres", "user=paul"))
    [town] = paul.hello().projects
    assert (town.name, paul.head(town.uuid).revision) == ("Town", 4)
    with paul.pull(town.uuid, 0) as state:
        layers = {of.table: of for of in state.layers}
    grown, came = layers["parcel"], layers["came_whole"]
    assert {row.cells["name"] for row in rows(paul, town.uuid, grown).values()} == {"a2", "b2"}
    assert len(rows(paul, town.uuid, came)) == 20
    assert len(list(paul.as_of(town.uuid, came.uuid, 2, ALL))) == 20
    assert [blob.name for blob in paul.blobs(town.uuid)] == ["x.dwg"]
    assert [row[1:] for row in paul.readings(town.uuid, 0)] == [
        (1, 1_500_000_000_000, None, 2), (1, 1_760_000_000_000, 20.5, 0),
    ]  # fmt: skip
    assert push(paul, town.uuid, [insert(grown, key(), square(1, 1), name="new")]).revision == 5
    assert [r.code for r in push(paul, town.uuid, [insert(grown, key(), square(5000, 1))]).refused] == [
        "sync.refused_district"
    ]
    paul.close()
