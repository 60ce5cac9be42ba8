"""What lies on the stage: gone with the push that was given up, swept after two days, counted in the status."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest

from planner_app.domain.progress import NoProgress
from planner_app.sync.server import administration
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import LayerDef, Page, ProjectDef, PushHeader
from tests.server.builders import insert, key, layer, new_layer, push, square, update
from tests.server.conftest import City

pytestmark = pytest.mark.server


@pytest.fixture
def parcels(connect: Any, project: str) -> LayerDef:
    """A layer that planners write, in a project that all see."""
    anna, made = connect("anna"), layer()
    anna.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    push(anna, project, [insert(made, key(), square(0, 0), name="first")], [new_layer(made)])
    return made


def lying(city: City, project: str) -> list[dict[str, Any]]:
    """What the status says of a project's stage."""
    with psycopg.connect(city.dba, autocommit=True) as connection:
        found = administration.status(connection)["staged"]
    return [one for one in found if one["project"] == f"Town {project}"]


def content(city: City, push_id: str) -> tuple[int, int]:
    """(records, tables) on the stage under a push."""
    with psycopg.connect(city.dba) as connection:
        rows = connection.execute("SELECT count(*) FROM planner.stage WHERE push_id = %s", (push_id,)).fetchone()
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'planner_stage' AND tablename IN "
            "(SELECT 'b_' || md5(%s || layer) FROM (SELECT uuid::text AS layer FROM planner.layer UNION "
            "SELECT layer::text FROM planner.stage_bulk) AS l)",
            (push_id,),
        ).fetchone()
    assert rows is not None
    assert tables is not None
    return rows[0], tables[0]


def stage(transport: PostgresTransport, project: str, of: LayerDef, whole: LayerDef | None = None) -> str:
    """Send a push and do not commit it."""
    header = PushHeader(key(), project, "desk", 1, 1, "d")
    transport.stage(header, [new_layer(whole)] if whole else [], [insert(of, key(), name="never")], NoProgress())
    if whole:
        transport.stage_layer(header, whole, [Page.of([(key(), square(1, 1), ["n", *[None] * 6])])], NoProgress())
    return header.push_id


def test_who_was_behind_leaves_nothing(city: City, connect: Any, project: str, parcels: LayerDef) -> None:
    paul, pia, one = connect("paul"), connect("pia"), key()
    push(paul, project, [insert(parcels, one, name="one")])
    push(paul, project, [update(parcels, one, name="two")])
    push_id = key()
    assert push(pia, project, [update(parcels, one, name="three")], seen=2, push_id=push_id).behind
    assert lying(city, project) == []
    assert content(city, push_id) == (0, 0)
    assert pia.result(project, push_id) is None


def test_what_is_withdrawn_leaves_nothing(city: City, connect: Any, project: str, parcels: LayerDef) -> None:
    paul = connect("paul")
    push_id = stage(paul, project, parcels, layer("whole"))
    (one,) = lying(city, project)
    assert (one["user"], one["records"], one["layers"]) == ("paul", 1, 1)
    assert content(city, push_id) == (1, 1)
    paul.stage(PushHeader(push_id, project, "", 1, 0, "withdrawn"), [], [], NoProgress())
    assert lying(city, project) == []
    assert content(city, push_id) == (0, 0)


def test_what_nobody_comes_back_for_is_swept(city: City, connect: Any, project: str, parcels: LayerDef) -> None:
    """Whoever it was of: a computer may never come again. What is younger may be on its way and stays."""
    paul = connect("paul")
    old, young = stage(paul, project, parcels, layer("old")), stage(paul, project, parcels, layer("young"))
    with psycopg.connect(city.dba) as connection:
        connection.execute(
            "UPDATE planner.stage_push SET begun = begun - interval '49 hours' WHERE push_id = %s", (old,)
        )
    push(connect("pia"), project, [insert(parcels, key(), name="pia's")])
    assert [one["records"] for one in lying(city, project)] == [1]
    assert (content(city, old), content(city, young)) == ((0, 0), (1, 1))


def test_a_push_is_withdrawn_once_its_commit_is_over(city: City, connect: Any, project: str, parcels: LayerDef) -> None:
    """Else somebody would think a push lost that is committed a moment later, and send it twice."""
    paul, push_id, record = connect("paul"), str(uuid.uuid4()), key()
    header = PushHeader(push_id, project, "desk", 1, 1, "d")
    paul.stage(header, [], [insert(parcels, record, name="once")], NoProgress())
    told: list[Any] = []

    def withdraw() -> None:
        other = PostgresTransport(city.dsn("paul"))
        other.stage(PushHeader(push_id, project, "", 1, 0, "withdrawn"), [], [], NoProgress())
        told.append(other.result(project, push_id))
        other.close()

    with psycopg.connect(city.dsn("paul")) as slow:
        slow.execute("SELECT planner.commit_push(%s, %s, 'desk', 1, 1, 'd', '[]', '')", (push_id, project))
        thread = threading.Thread(target=withdraw)
        thread.start()
        thread.join(1.0)
        assert told == []
        slow.commit()
        thread.join(20)
    assert [result.revision for result in told] == [2]


def test_how_far_behind_somebody_is(city: City, connect: Any, project: str, parcels: LayerDef) -> None:
    def lag() -> dict[str, int]:
        with psycopg.connect(city.dba, autocommit=True) as connection:
            found = administration.status(connection)["projects"]
        (here,) = (one for one in found if one["name"] == f"Town {project}")
        return {one["user"]: one["lag"] for one in here["clients"]}

    paul, pia = connect("paul"), connect("pia")
    for transport in (paul, pia):
        with transport.pull(project, 0):
            pass
    assert (lag()["paul"], lag()["pia"]) == (0, 0)
    push(paul, project, [insert(parcels, key(), name="x")])
    assert (lag()["paul"], lag()["pia"]) == (0, 1)
    with pia.pull(project, 1):
        pass
    assert lag()["pia"] == 0
