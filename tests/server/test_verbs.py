"""``planner server …`` from the first init to a restored backup."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import ProjectDef
from tests.server.builders import insert, key, layer, new_layer, push, rows, square, update
from tests.server.conftest import City

pytestmark = pytest.mark.server


@pytest.fixture
def planner(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a verb and returns its exit code and JSON."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = run_verb([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


def dsn_of(city: City, database: str, user: str = "postgres") -> str:
    return city.cluster.dsn.replace("dbname=postgres", f"dbname={database}").replace("user=postgres", f"user={user}")


def test_a_servers_life(city: City, planner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dba, paul = dsn_of(city, "life"), dsn_of(city, "life", "life_paul")
    status, said = planner("server", "init", dba)
    assert (status, said["error"]["code"]) == (2, "sync.no_database")
    status, said = planner("server", "init", dba, "--database")
    assert (status, said["version"], said["applied"][0]) == (0, 1, "database life")
    assert planner("server", "init", dba, "--database")[1]["applied"] == []
    # Users.
    monkeypatch.setattr("sys.stdin", io.StringIO("a password\n"))
    status, said = planner("server", "user", "add", dba, "life_paul", "--role", "planner", "--password-stdin")
    made = {"name": "life_paul", "role": "planner", "new_login": True, "exception": None, "warnings": []}
    assert (status, said) == (0, made)
    assert "a password" not in city.log()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert planner("server", "user", "add", dba, "x", "--role", "viewer", "--password-stdin")[1]["error"]["code"] == (
        "sync.password_empty"
    )
    transport, project, parcels = PostgresTransport(paul), key(), layer()
    transport.register(ProjectDef(project, "新城", "EPSG:4547"))
    one, other = key(), key()
    push(transport, project, [insert(parcels, one, square(0, 0), name="a"), insert(parcels, other, square(500, 0))],
         [new_layer(parcels)])  # fmt: skip
    district = "POLYGON((0 0, 100 0, 100 100, 0 100, 0 0))"
    status, said = planner(
        "server", "user", "grant", dba, "life_paul", "--project", "新城", "--layer", "parcel", "--district", district,
        "--columns", "name,far",
    )  # fmt: skip
    assert status == 0
    assert [r.code for r in push(transport, project, [update(parcels, other, name="b")]).refused] == [
        "sync.refused_district"
    ]
    said_of_all = planner("server", "user", "list", dba)[1]
    [listed], [line] = said_of_all["users"], said_of_all["exceptions"]
    assert (line["for"], line["everyone"], line["layer"], line["columns"], line["district"]) == (
        "life_paul", False, "parcel", "name, far", True,
    )  # fmt: skip
    [exception] = listed["exceptions"]
    assert (listed["name"], exception["layer"], exception["columns"]) == ("life_paul", "parcel", ["name", "far"])
    assert planner("server", "user", "grant", dba, "--remove", str(said["exception"]))[1] == {"removed": True}
    assert planner("server", "user", "grant", dba, "life_paul")[1]["error"]["code"] == "sync.nothing_granted"
    gone = planner("server", "user", "grant", dba, "--remove", str(said["exception"]))
    assert (gone[0], gone[1]["error"]["code"]) == (2, "sync.exception_unknown")
    own = planner("server", "user", "list", paul)[1]
    assert ([user["name"] for user in own["users"]], own["exceptions"]) == (["life_paul"], [])
    assert planner("server", "status", paul)[1]["error"]["code"] == "sync.admins_only"
    # How it is.
    status, said = planner("server", "status", dba)
    [town] = said["projects"]
    assert (town["name"], town["revision"], town["layers"], town["changes"]) == ("新城", 1, 1, 2)
    assert (town["clients"][0]["user"], said["refusals"]) == ("life_paul", 2)
    assert [(one["project"], one["user"]) for one in said["clients"]] == [("新城", "life_paul")]
    status, said = planner("server", "verify", dba)
    assert (status, said["ok"]) == (0, True)
    # Backup, a little more, restore elsewhere.
    with psycopg.connect(dba, autocommit=True) as connection:
        connection.execute("INSERT INTO planner.member (name, role) VALUES ('elsewhere', 'viewer')")
    file = tmp_path / "城市.dump"
    assert planner("server", "backup", dba, str(file))[1]["bytes"] > 10_000
    later = push(transport, project, [update(parcels, one, name="later")])
    status, said = planner("server", "restore", dba, str(file))
    assert (status, said["error"]["code"]) == (2, "sync.restore_not_empty")
    back = dsn_of(city, "life again")
    status, said = planner("server", "restore", back.replace("life again", "'life again'"), str(file))
    assert (status, said["ok"], said["members_without_login"]) == (0, True, ["elsewhere"])
    assert "elsewhere" in said["warnings"][0]["message"]
    restored = PostgresTransport(paul.replace("dbname=life", "dbname='life again'"))
    assert rows(restored, project, parcels)[one].cells["name"] == "a"
    # Who was there later recognises the older state, and is not let on.
    head = restored.head(project, later.revision)
    assert (head.revision, head.chain_at) == (1, "")
    with pytest.raises(PlannerError) as caught:
        push(restored, project, [update(parcels, one, name="x")], seen=later.revision)
    assert caught.value.code == "sync.server_older"
    assert push(restored, project, [update(parcels, one, name="on")], seen=1).revision == 2
    # Somebody meddles.
    with psycopg.connect(dba, autocommit=True) as connection:
        connection.execute("UPDATE planner.revision SET member = 'somebody' WHERE revision = 1")
    status, said = planner("server", "verify", dba)
    assert (status, said["ok"]) == (1, False)
    assert [check["name"] for check in said["checks"] if not check["ok"]] == ["chain: 新城"]
    assert planner("server", "user", "remove", dba, "life_paul")[1] == {"removed": "life_paul"}
    for opened in (transport, restored):
        opened.close()


def test_a_newer_server_is_left_alone(city: City, planner: Any) -> None:
    dba = dsn_of(city, "newer")
    planner("server", "init", dba, "--database")
    with psycopg.connect(dba, autocommit=True) as connection:
        connection.execute("INSERT INTO planner.migration (version, name) VALUES (99, 'of tomorrow')")
    assert planner("server", "init", dba)[1]["error"]["code"] == "sync.server_newer"


def test_init_by_an_administrator_who_is_no_superuser(city: City, planner: Any) -> None:
    with psycopg.connect(city.cluster.dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE dba LOGIN CREATEROLE CREATEDB")
        connection.execute("CREATE DATABASE modest OWNER dba")
    with psycopg.connect(dsn_of(city, "modest"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
    dba = dsn_of(city, "modest", "dba")
    status, said = planner("server", "init", dba)
    assert (status, said.get("version")) == (0, 1), said
    assert {warning["code"] for warning in said["warnings"]} >= {"sync.not_leakproof"}
    assert planner("server", "user", "add", dba, "modest_paul", "--role", "planner")[0] == 0
    assert planner("server", "verify", dba)[1]["ok"]
    assert planner("server", "status", dba)[0] == 0
    # A member cannot do any of it.
    paul = dsn_of(city, "modest", "modest_paul")
    assert planner("server", "init", paul)[1]["error"]["code"] == "sync.needs_dba"
    assert planner("server", "user", "add", paul, "friend", "--role", "admin")[1]["error"]["code"] == "sync.admins_only"
    assert planner("server", "user", "remove", paul, "dba")[1]["error"]["code"] == "sync.admins_only"
    assert planner("server", "verify", paul)[1]["error"]["code"] == "sync.admins_only"
    with psycopg.connect(dba, autocommit=True) as connection:
        noted = connection.execute("SELECT count(*) FROM planner.denied WHERE member = 'modest_paul'").fetchone()
        assert noted is not None
        assert noted[0] >= 2
    # Logins are the database's: who administers the city server only is told so.
    planner("server", "user", "add", dba, "modest_anna", "--role", "admin")
    anna = dsn_of(city, "modest", "modest_anna")
    assert planner("server", "status", anna)[0] == 0
    for verb in (("add", anna, "friend", "--role", "viewer"), ("remove", anna, "modest_paul")):
        said = planner("server", "user", *verb)[1]
        assert said["error"]["code"] == "sync.needs_dba", verb
    with psycopg.connect(city.cluster.dsn, autocommit=True) as connection:
        assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'friend'").fetchone() is None


def test_restore_needs_a_backup(city: City, planner: Any, tmp_path: Path) -> None:
    assert planner("server", "restore", dsn_of(city, "none"), str(tmp_path / "none"))[1]["error"]["code"] == (
        "sync.restore_missing"
    )
    broken, foreign = tmp_path / "broken", tmp_path / "foreign"
    broken.write_bytes(b"no dump")
    subprocess.run(["pg_dump", "-Fc", "-f", foreign, "-d", city.cluster.dsn], check=True, timeout=60)
    for file in (broken, foreign):
        said = planner("server", "restore", dsn_of(city, "broken"), str(file))[1]["error"]
        assert said["code"] == "sync.not_a_backup"
    with psycopg.connect(city.cluster.dsn) as connection:  # nothing was made for it
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = 'broken'").fetchone() is None


def test_backups_that_cannot_be(city: City, planner: Any, tmp_path: Path) -> None:
    def refused(dsn: str, dest: Path | str) -> str:
        status, said = planner("server", "backup", dsn, str(dest))
        assert status == 2
        return str(said["error"]["code"])

    here = tmp_path / "x.dump"
    for place in (tmp_path / "no folder" / "x", tmp_path, "."):
        assert refused(dsn_of(city, "city"), place) == "sync.backup_place"
    assert refused(city.cluster.dsn, here) == "sync.no_server"
    assert refused(city.dsn("vera"), here) == "sync.needs_dba"
    assert refused(city.dsn("anna"), here) == "sync.needs_dba"
    assert refused("host=localhost port=1 dbname=x user=y", here) == "sync.offline"
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_lacks_a_part_is_not_called_none(city: City, planner: Any) -> None:
    dba = dsn_of(city, "lacking")
    planner("server", "init", dba, "--database")
    with psycopg.connect(dba, autocommit=True) as connection:
        connection.execute("DROP FUNCTION planner.status()")
    status, said = planner("server", "status", dba)
    assert (status, said["error"]["code"]) == (2, "sync.server_incomplete")
    assert "planner.status" in said["error"]["message"]
    functions = {one["name"]: one for one in planner("server", "verify", dba)[1]["checks"]}["functions"]
    assert not functions["ok"]
    assert "planner.status is missing" in functions["detail"]


def test_a_closed_door_opens_again(city: City, planner: Any) -> None:
    dba, paul = dsn_of(city, "city"), dsn_of(city, "city", "again_paul")
    status, said = planner("server", "user", "add", dba, "again_paul", "--role", "planner")
    assert [one["code"] for one in said["warnings"]] == ["sync.login_without_password"]
    assert planner("server", "user", "remove", dba, "again_paul")[0] == 0
    assert planner("server", "user", "list", paul)[1]["error"]["code"] == "sync.login_closed"
    status, said = planner("server", "user", "add", dba, "again_paul", "--role", "viewer")
    assert (status, said["new_login"]) == (0, False)
    assert planner("server", "user", "list", paul)[1]["users"][0]["role"] == "viewer"


def test_exceptions_that_say_nothing(city: City, planner: Any) -> None:
    """Misspelt names are told and change nothing."""
    dba, name = dsn_of(city, "city"), f"Town {key()}"
    anna, parcels = PostgresTransport(city.dsn("anna")), layer()
    project = key()
    anna.register(ProjectDef(project, name, "EPSG:4547"))
    push(anna, project, [insert(parcels, key(), square(0, 0), name="a")], [new_layer(parcels)])
    anna.close()

    def refused(*arguments: str) -> dict[str, Any]:
        status, said = planner("server", "user", *arguments)
        assert status == 2, said
        return said["error"]

    assert refused("grant", dba, "paul", "--layer", "parcel", "--write", "no")["code"] == "sync.which_project"
    wrong = refused("grant", dba, "paul", "--project", f"{name}!", "--write", "no")
    assert (wrong["code"], name in wrong["message"]) == ("sync.no_such_project", True)
    assert refused("add", dba, "paul", "--role", "planner", "--project", f"{name}!")["code"] == "sync.no_such_project"
    here = ("grant", dba, "paul", "--project", name, "--layer", "parcel", "--columns")
    wrong = refused(*here, "name, farr")
    assert (wrong["code"], "farr" in wrong["message"], "far" in wrong["hint"]) == ("sync.columns_unknown", True, True)
    assert refused(*here, " , ")["code"] == "sync.columns_unknown"
    status, said = planner("server", "user", *here, " name , geom ")
    assert status == 0
    lines = {one["id"]: one for one in planner("server", "user", "list", dba)[1]["exceptions"]}
    assert lines[said["exception"]]["columns"] == "name, geom"
    planner("server", "user", "grant", dba, "--remove", str(said["exception"]))
