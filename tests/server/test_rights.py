"""Rights by role, layer, district and column, each tried through the member's own connection."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.sync.server import administration
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import DefChange, LayerDef, ProjectDef, PushResult, RowChange
from tests.server.builders import (
    ALL,
    changes,
    delete,
    insert,
    key,
    layer,
    move,
    new_layer,
    push,
    rows,
    square,
    update,
)
from tests.server.conftest import City

pytestmark = pytest.mark.server
Connect = Callable[[str], PostgresTransport]
DISTRICT = "POLYGON((0 0, 100 0, 100 100, 0 100, 0 0))"


@pytest.fixture
def anna(connect: Connect, project: str) -> PostgresTransport:
    """The administrator; the project is registered."""
    transport = connect("anna")
    transport.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    return transport


@pytest.fixture
def parcels(anna: PostgresTransport, project: str) -> LayerDef:
    made = layer()
    push(anna, project, definitions=[new_layer(made)])
    return made


@pytest.fixture
def except_from(city: City, project: str) -> Callable[..., int]:
    """Makes an exception in this project, as the administrator does."""

    def make(**said: object) -> int:
        with psycopg.connect(city.dsn("anna"), autocommit=True) as connection:
            return administration.grant(connection, said | {"project": f"Town {project}"})

    return make


def codes(result: PushResult) -> list[str]:
    return [refused.code for refused in result.refused]


@pytest.mark.parametrize(
    ("role", "writers"),
    [("", {"paul", "anna"}), ("planning.conflicts", {"paul", "anna"}), ("review.case", {"rita", "anna"}),
     ("tunnel.sensor", {"olaf", "anna"}), ("heritage.site", {"anna"})],
)  # fmt: skip
def test_each_role_writes_its_own_layers(
    anna: PostgresTransport, connect: Connect, project: str, role: str, writers: set[str]
) -> None:
    made = layer(role=role)
    push(anna, project, definitions=[new_layer(made)])
    for member in ("vera", "paul", "rita", "olaf", "anna"):
        transport = connect(member)
        right = transport.rights(project).layers[made.uuid]
        assert (right.read, right.write) == (True, member in writers)
        result = push(transport, project, [insert(made, key(), name=member)])
        assert codes(result) == ([] if member in writers else ["sync.refused_right"])
        mine = layer(role=role)
        added = push(transport, project, definitions=[new_layer(mine)])
        assert codes(added) == ([] if member in writers else ["sync.refused_right"])
    assert {row.cells["name"] for row in rows(anna, project, made).values()} == writers


def test_nobody_takes_a_layer_into_a_role_that_is_not_his(
    anna: PostgresTransport, connect: Connect, project: str, parcels: LayerDef
) -> None:
    steal = DefChange("layer", parcels.uuid, "update", {"role": "tunnel.mine"})
    assert codes(push(connect("olaf"), project, definitions=[steal])) == ["sync.refused_right"]
    assert codes(push(connect("paul"), project, definitions=[steal])) == ["sync.refused_right"]
    assert codes(push(connect("vera"), project, definitions=[DefChange("layer", parcels.uuid, "delete")])) == [
        "sync.refused_right"
    ]
    assert codes(push(connect("rita"), project, definitions=[DefChange("plan", "p", "insert", {"name": "x"})])) == [
        "sync.refused_right"
    ]


def test_a_district(
    anna: PostgresTransport, connect: Connect, project: str, parcels: LayerDef, except_from: Callable[..., int]
) -> None:
    paul, inside, outside, border, nowhere = connect("paul"), key(), key(), key(), key()
    push(anna, project, [insert(parcels, inside, square(10, 10)), insert(parcels, outside, square(200, 200)),
                         insert(parcels, border, square(95, 0)), insert(parcels, nowhere, name="n")])  # fmt: skip
    before = paul.rights(project)
    except_from(member="paul", district=DISTRICT)
    now = paul.rights(project)
    assert now.stamp != before.stamp
    area = now.layers[parcels.uuid].district
    assert area is not None
    assert shapely.from_wkb(area).equals(shapely.from_wkt(DISTRICT))
    tries = [
        update(parcels, inside, name="yes"), update(parcels, outside, name="no"), update(parcels, border, name="no"),
        update(parcels, nowhere, name="no"), insert(parcels, key(), square(150, 0)), insert(parcels, key(), name="no"),
        insert(parcels, key(), square(90.005, 90.005)), move(parcels, key(), None),
    ]  # fmt: skip
    result = push(paul, project, tries)
    assert [(r.uuid, r.code) for r in result.refused] == [
        (tries[at].uuid, "sync.refused_gone" if at == 7 else "sync.refused_district") for at in (1, 2, 3, 4, 5, 7)
    ]
    # Not out, not in, not gone.
    assert codes(push(paul, project, [move(parcels, inside, square(95, 95))])) == ["sync.refused_district"]
    assert codes(push(paul, project, [move(parcels, outside, square(1, 1))])) == ["sync.refused_district"]
    assert codes(push(paul, project, [move(parcels, inside, None)])) == ["sync.refused_district"]
    assert codes(push(paul, project, [delete(parcels, border)])) == ["sync.refused_district"]
    # He still sees everything.
    assert set(rows(paul, project, parcels)) >= {inside, outside, border, nowhere}
    assert push(paul, project, [delete(parcels, inside)]).applied == 1


def test_crossing_rings_do_not_reach_over_a_district(
    anna: PostgresTransport, connect: Connect, project: str, parcels: LayerDef, except_from: Callable[..., int]
) -> None:
    except_from(member="paul", district=DISTRICT)
    bow = shapely.MultiPolygon([shapely.Polygon([(10, 10), (20, 20), (20, 10), (10, 20)])])
    over = shapely.MultiPolygon([shapely.Polygon([(10, 10), (300, 20), (20, 300), (300, 10), (10, 20)])])
    spike = shapely.MultiPolygon([shapely.Polygon([(10, 10), (50, 10), (500, 10), (50, 10), (50, 50), (10, 50)])])
    for shape, wanted in ((bow, []), (over, ["sync.refused_district"]), (spike, ["sync.refused_district"])):
        wkb = bytes(shapely.to_wkb(shape, byte_order=1))
        assert codes(push(connect("paul"), project, [insert(parcels, key(), wkb)])) == wanted


def test_who_sees_only_a_district(
    anna: PostgresTransport, connect: Connect, city: City, project: str, parcels: LayerDef,
    except_from: Callable[..., int],
) -> None:  # fmt: skip
    vera, inside, outside, mover = connect("vera"), key(), key(), key()
    except_from(member="vera", district=DISTRICT, only_there=True)
    push(anna, project, [insert(parcels, inside, square(10, 10), name="in"), insert(parcels, outside, square(200, 200)),
                         insert(parcels, mover, square(50, 50)), insert(parcels, key(), name="nowhere")])  # fmt: skip
    at = anna.head(project).revision
    assert set(rows(vera, project, parcels)) == {inside, mover}
    assert set(changes(vera, project, parcels, 1)) == {inside, mover}
    away = RowChange(parcels.uuid, outside, "update", {"name": "secret"}, square(300, 300), True)
    assert push(anna, project, [move(parcels, mover, square(500, 500)), away]).refused == ()
    seen = changes(vera, project, parcels, at)
    assert (set(seen), seen[mover].gone) == ({mover}, True)
    # Neither by history, nor by time travel, nor past our functions.
    assert {row.uuid for row in vera.history(project, layer=parcels.uuid)} == {inside, mover}
    assert vera.history(project, layer=parcels.uuid, uuid=outside) == []
    assert {row.uuid for row in vera.as_of(project, parcels.uuid, at, ALL)} == {inside, mover}
    with psycopg.connect(city.dsn("vera")) as connection, vera.pull(project, 0) as state:
        table = state._registry["layers"][0]["table"]  # type: ignore[attr-defined]
        number = state._registry["id"]  # type: ignore[attr-defined]
        found = connection.execute(f"SELECT uuid::text FROM project_{number}.{table}".encode()).fetchall()
        assert {row[0] for row in found} == {inside}
    # Brought back into sight, a record comes whole.
    at = anna.head(project).revision
    push(anna, project, [move(parcels, outside, square(20, 20))])
    came = changes(vera, project, parcels, at)[outside]
    assert (came.changed, came.cells["name"]) == (None, "secret")


def test_columns(
    anna: PostgresTransport, connect: Connect, project: str, parcels: LayerDef, except_from: Callable[..., int]
) -> None:
    rita, one = connect("rita"), key()
    push(anna, project, [insert(parcels, one, square(0, 0), name="a")])
    except_from(role="reviewer", layer="parcel", write=True, columns=["approved", "name"])
    right = rita.rights(project).layers[parcels.uuid]
    assert (right.write, right.columns) == (True, {"approved", "name"})
    assert push(rita, project, [update(parcels, one, approved="true", far=None)]).applied == 1  # far is NULL already
    for change in (update(parcels, one, name="b", far="1"), move(parcels, one, None), delete(parcels, one),
                   insert(parcels, key(), name="x")):  # fmt: skip
        assert codes(push(rita, project, [change])) == ["sync.refused_column"]
    field = DefChange("layer", parcels.uuid, "update", {"name": "mine"})
    assert codes(push(rita, project, definitions=[field])) == ["sync.refused_right"]


def test_the_more_particular_exception_counts(
    anna: PostgresTransport, connect: Connect, project: str, parcels: LayerDef, except_from: Callable[..., int]
) -> None:
    other = layer("review", role="review.case")
    push(anna, project, definitions=[new_layer(other)])
    except_from(role="planner", write=False)
    except_from(role="planner", prefix="review.", write=True)
    except_from(role="planner", layer=parcels.uuid, read=False)
    paul, pia = connect("paul"), connect("pia")
    number = except_from(member="paul", layer="parcel", write=True)
    mine, hers = paul.rights(project).layers, pia.rights(project).layers
    assert [(mine[u].read, mine[u].write) for u in (parcels.uuid, other.uuid)] == [(True, True), (True, True)]
    assert [(hers[u].read, hers[u].write) for u in (parcels.uuid, other.uuid)] == [(False, False), (True, True)]
    with pia.pull(project, 0) as state:
        assert [of.uuid for of in state.layers] == [other.uuid]
        assert list(state.rows(parcels.uuid, ALL)) == []
    assert codes(push(pia, project, [insert(parcels, key(), name="x")])) == ["sync.refused_right"]
    with psycopg.connect(anna._connection.info.dsn, autocommit=True) as connection:
        administration.ungrant(connection, number)
        with pytest.raises(PlannerError, match=r"sync\.exception_unknown"):
            administration.ungrant(connection, number)
    assert not paul.rights(project).layers[parcels.uuid].write


def test_a_member_of_one_project_sees_no_other(
    anna: PostgresTransport, city: City, connect: Connect, project: str
) -> None:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        administration.add_user(connection, "guest of one", "planner", [f"Town {project}"])
        with pytest.raises(PlannerError) as caught:
            administration.add_user(connection, "guest of one", "planner", ["no such town"])
        assert caught.value.code == "sync.no_such_project"
    guest = connect("'guest of one'")
    assert [p.uuid for p in guest.hello().projects] == [project]
    other = key()
    anna.register(ProjectDef(other, f"Town {other}", "EPSG:4547"))
    secret = layer()
    push(anna, other, [insert(secret, key(), name="secret")], [new_layer(secret)])
    for ask in (lambda: guest.head(other), lambda: guest.rights(other), lambda: guest.revisions(other)):
        with pytest.raises(PlannerError) as caught:
            ask()
        assert caught.value.code == "sync.project_unknown"
    with pytest.raises(PlannerError) as caught:
        guest.register(ProjectDef(key(), "my own town", "EPSG:4547"))
    assert caught.value.code == "sync.denied"


def test_who_is_put_out_stays_out(anna: PostgresTransport, city: City, connect: Connect, project: str) -> None:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        assert administration.add_user(connection, "leaver", "planner", password="correct horse")
        leaver = connect("leaver")
        assert leaver.hello().role == "planner"
        administration.remove_user(connection, "leaver")
        with pytest.raises(PlannerError) as caught:
            administration.remove_user(connection, "leaver")
        assert caught.value.code == "sync.member_unknown"
    with pytest.raises(PlannerError) as caught:  # the connection that was open, too
        leaver.hello()
    assert caught.value.code == "sync.not_a_member"
    with pytest.raises(PlannerError) as caught:
        connect("leaver")
    assert caught.value.code == "sync.login_closed"


@pytest.mark.parametrize("name", ["", "pg_root", "planner_owner", "a" * 64, "line\nbreak", "nul\x00"])
def test_names_that_are_none(city: City, name: str) -> None:
    with psycopg.connect(city.dba, autocommit=True) as connection, pytest.raises(PlannerError) as caught:
        administration.add_user(connection, name, "planner")
    assert caught.value.code == "sync.user_name"


def test_hostile_user_names_are_only_names(city: City, anna: PostgresTransport, connect: Connect, project: str) -> None:
    name = "\"; DROP SCHEMA planner CASCADE; --' %s $1 王"
    made = layer()
    with psycopg.connect(city.dba, autocommit=True) as connection:
        administration.add_user(connection, name, "planner", password="x'; --")
        shown = {user["name"] for user in administration.users(connection)}
    assert name in shown
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    transport = connect(f"'{quoted}'")
    assert push(transport, project, [insert(made, key(), name="x")], [new_layer(made)]).applied == 1
    assert anna.revisions(project)[0].user == name


@pytest.mark.parametrize(
    ("said", "code"),
    [({"layer": "none"}, "sync.layer_unknown"), ({"district": "POLYGON((0 0"}, "sync.district_wrong"),
     ({"district": "POINT(0 0)"}, "sync.district_wrong"), ({"member": "nobody"}, "sync.member_unknown"),
     ({"district": "'; DROP TABLE planner.member; --"}, "sync.district_wrong")],
)  # fmt: skip
def test_exceptions_that_are_none(
    anna: PostgresTransport, except_from: Callable[..., int], said: dict[str, str], code: str
) -> None:
    with pytest.raises(PlannerError) as caught:
        except_from(**({"member": "paul", "write": True} | said))
    assert caught.value.code == code


def test_a_district_from_a_layer(
    anna: PostgresTransport, connect: Connect, project: str, parcels: LayerDef, except_from: Callable[..., int]
) -> None:
    districts = layer("districts")
    push(anna, project, [insert(districts, key(), square(0, 0, 50)), insert(districts, key(), square(50, 0, 50))],
         [new_layer(districts)])  # fmt: skip
    except_from(member="paul", layer="parcel", district="districts")
    assert push(connect("paul"), project, [insert(parcels, key(), square(45, 10))]).applied == 1
    assert codes(push(connect("paul"), project, [insert(parcels, key(), square(95, 10))])) == ["sync.refused_district"]
