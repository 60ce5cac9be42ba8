"""Project files on the real server: verbs, random histories, cut lines, killed programs."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from planner_app.cli import run_verb
from planner_app.domain.layer import NewLayer
from planner_app.project import EditCells, Project
from planner_app.sync.client.clone import clone
from planner_app.sync.client.session import Syncer, state
from planner_app.sync.server.postgres import PostgresTransport
from tests.helpers.cut_proxy import CutProxy
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.project_files import FIELDS, foreign, parcels
from tests.helpers.sync_machine import SyncMachine, WithQgis, live, twice
from tests.server.conftest import City

pytestmark = pytest.mark.server
SOAK = bool(os.environ.get("PLANNER_SOAK"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project file with ten parcels that no server knows."""
    path = tmp_path_factory.mktemp("fresh") / "town.planner"
    with Project.create(path, "EPSG:4549", "town") as project:
        project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(10)])
    return path


def new_town(fresh: Path, path: Path) -> None:
    """A copy of the file that is a project of its own."""
    shutil.copyfile(fresh, path)
    with Project.open(path) as project, project.door.write() as connection:
        key = str(uuid.uuid4())
        connection.execute("UPDATE planner_meta SET value = ? WHERE key = 'uuid'", (key,))
        connection.execute("UPDATE planner_meta SET value = ? WHERE key = 'name'", (f"town {key}",))


def desk_on(path: Path, dsn: str) -> Desk:
    project = Project.open(path)
    return Desk(project, Syncer(project, PostgresTransport(dsn), server=dsn))


@pytest.fixture
def paul(fresh: Path, city: City, tmp_path: Path) -> Iterator[Desk]:
    new_town(fresh, tmp_path / "paul.planner")
    desk = desk_on(tmp_path / "paul.planner", city.dsn("paul"))
    desk.sync()
    yield desk
    desk.project.close()
    desk.syncer.transport.close()


@pytest.fixture
def pia(paul: Desk, city: City, tmp_path: Path) -> Iterator[Desk]:
    transport = PostgresTransport(city.dsn("pia"))
    clone(transport, paul.project.name, tmp_path / "pia.planner", server=city.dsn("pia"))
    transport.close()
    desk = desk_on(tmp_path / "pia.planner", city.dsn("pia"))
    yield desk
    desk.project.close()
    desk.syncer.transport.close()


def test_edit_conflict_choose(paul: Desk, pia: Desk) -> None:
    assert_alike(paul, pia)
    paul.edit(1, code="paul", far=0.1 + 0.2)
    pia.edit(1, code="pia", photo=b"\x00\xff")
    pia.insert(77, code="new")
    paul.delete(3)
    paul.sync()
    (conflict,) = pia.sync().conflicts
    assert (conflict.base, conflict.mine, conflict.theirs) == ("R1", "pia", "paul")
    pia.sync(resolve="ours")
    paul.sync()
    assert_alike(paul, pia)
    assert (paul.cell(1, "code"), paul.cell(1, "photo"), paul.storeys()[-1]) == ("pia", b"\x00\xff", 77)
    assert state(paul.project).kind == state(pia.project).kind == "synced"


@pytest.fixture
def planner(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Runs a verb and returns its JSON; ``code``: the exit code it must have."""

    def run(*arguments: object, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert run_verb([*map(str, arguments), "--json"]) == code
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


def test_verbs(fresh: Path, city: City, tmp_path: Path, planner: Callable[..., dict[str, Any]]) -> None:
    first, second, dsn = tmp_path / "a.planner", tmp_path / "b.planner", city.dsn("paul")
    new_town(fresh, first)
    with Project.open(first) as project:
        name, table = project.name, project.layer("地块").id
    assert planner("sync", first, "--status")["kind"] == "unregistered"
    assert planner("sync", first, code=2)["error"]["code"] == "sync.which_server"
    dry = planner("sync", first, "--server", dsn, "--dry-run")
    assert (dry["pushed"], dry["revision"]) == (11, 0)
    made = planner("sync", first, "--server", f"{dsn} password=geheim", "--message", "first")
    assert (made["pushed"], made["pulled"], made["revision"], made["conflicts"]) == (11, 0, 1, [])
    assert b"geheim" not in first.read_bytes()
    box = planner("clone", city.dsn("pia"), name, tmp_path / "c.planner", "--bbox", "500000,3500000,500025,3500005")
    assert box["features"] == 2
    wrong = planner("clone", dsn, name, tmp_path / "d.planner", "--layers", "x", code=2)
    assert wrong["error"]["code"] == "sync.layers_unknown"
    wrong = planner("clone", dsn, "no town", tmp_path / "d.planner", code=2)
    assert wrong["error"]["code"] == "sync.no_such_project"
    assert not (tmp_path / "d.planner").exists()
    assert planner("clone", city.dsn("pia"), name, second, "--layers", "地块")["features"] == 10
    for file, text in ((first, "one"), (second, "two")):
        with Project.open(file) as project:
            project.execute(EditCells(project.layer("地块").id, [1], "code", [text]))
    assert planner("sync", first, "--status")["to_push"] == 1
    assert planner("sync", first)["pushed"] == 1
    (conflict,) = planner("sync", second)["conflicts"]
    with Project.open(second) as project:
        assert conflict["table"] == project.layer("地块").id
    assert {key: conflict[key] for key in ("column", "base", "ours", "theirs")} == {
        "column": "code", "base": "R0", "ours": "two", "theirs": "one",
    }  # fmt: skip
    assert planner("sync", "conflicts", second)["conflicts"] == [conflict]
    for wrong, code in (
        (("all", "both"), "sync.choice_wrong"), (("x", "mine"), "sync.choice_wrong"),
        ((999, "mine"), "sync.conflict_unknown"),
        (("all", "mine", "--settle", conflict["id"], "theirs"), "sync.chosen_twice"),
    ):  # fmt: skip
        assert planner("sync", "conflicts", second, "--settle", *wrong, code=2)["error"]["code"] == code
    settled = planner("sync", "conflicts", second, "--settle", "all", "mine")
    assert (settled["settled"], settled["conflicts"]) == ([conflict | {"choice": "mine"}], [])
    assert planner("sync", second)["pushed"] == 1
    assert planner("sync", first)["pulled"] == 1
    with Project.open(first) as project:
        assert project.read(table, fids=[1]).columns["code"] == ["two"]
        assert {entry.origin for entry in project.log()} == {"cli", "sync"}
    wrong = planner("sync", first, second, code=2)
    assert wrong["error"]["code"] == "sync.one_file"


def through(proxy: CutProxy, dsn: str) -> str:
    """The same server by the line that can be cut."""
    return make_conninfo(dsn, host=proxy.host, port=5432)


def proxy_to(city: City, folder: Path) -> CutProxy:
    """A line to the server that can be cut."""
    there = conninfo_to_dict(city.dba)
    return CutProxy(folder, str(there["host"]), int(there.get("port", 5432)))


def test_verbs_for_what_is_held_back(
    fresh: Path, city: City, tmp_path: Path, planner: Callable[..., dict[str, Any]]
) -> None:
    file, other = tmp_path / "a.planner", tmp_path / "b.planner"
    new_town(fresh, file)
    planner("sync", file, "--server", city.dsn("paul"))
    with Project.open(file) as project:
        name, table = project.name, project.layer("地块").id
    with foreign(file) as program:
        for fid, cells in ((1, "far = 'x'"), (2, "far = 'y'"), (3, "far = '2.50 m'"), (4, "code = 'good'")):
            program.execute(f'UPDATE "{table}" SET {cells} WHERE fid = ?', (fid,))
    done = planner("sync", file)
    assert done["pushed"] == 1
    held = planner("sync", "quarantine", file)["quarantined"]
    assert held == done["quarantined"]
    assert [(one["code"], one["fixes"], one["next_sync"]) for one in held] == [
        ("sync.wrong_value", ["convert", "clear", "discard"], False)
    ] * 3
    assert all(one["hint"] and "far" in one["message"] for one in held)
    status = planner("sync", file, "--status")
    assert (status["kind"], status["to_push"], status["quarantined"]) == ("held", 0, 3)
    assert "quarantine" in status["message"]
    # What makes no sense is said, and nothing is done.
    first, second, third = (one["id"] for one in held)
    for arguments, code in (
        (("--fix", first, "repair"), "sync.fix_wrong"), (("--retry", first), "sync.fix_wrong"),
        (("--fix", 999, "clear"), "sync.quarantine_unknown"), (("--drop", "x"), "sync.quarantine_unknown"),
        (("--drop", first, "--fix", first, "clear"), "sync.chosen_twice"),
        (("--drop", first, "--fix", 999, "clear"), "sync.quarantine_unknown"),
        (("--settle", first, "mine"), "sync.wrong_option"), (("--dry-run",), "sync.wrong_option"),
    ):  # fmt: skip
        assert planner("sync", "quarantine", file, *arguments, code=2)["error"]["code"] == code
    assert planner("sync", file, "--drop", first, code=2)["error"]["code"] == "sync.wrong_option"
    assert planner("sync", "quarantine", code=2)["error"]["code"] == "sync.one_file"
    assert planner("sync", "quarantine", file)["quarantined"] == held
    # What makes sense.
    done = planner("sync", "quarantine", file, "--fix", first, "clear", "--drop", second)
    assert {one["id"]: one["fix"] for one in done["fixed"]} == {first: "clear", second: "discard"}
    assert {one["id"]: one["next_sync"] for one in done["quarantined"]} == {first: True, second: True, third: False}
    done = planner("sync", file)
    assert (done["pushed"], [one["id"] for one in done["quarantined"]]) == (1, [third])
    assert planner("sync", "quarantine", file, "--drop", "all")["fixed"][0]["id"] == third
    assert planner("sync", file)["quarantined"] == []
    assert planner("sync", file, "--status")["kind"] == "synced"
    planner("clone", city.dsn("pia"), name, other)
    with Project.open(file) as mine, Project.open(other) as hers:
        here, there = (project.read(table, columns=["uuid", "far"], geometry=False) for project in (mine, hers))
        assert here.columns["far"][0] is None
        assert here.columns["far"][1:3] != ["y", "2.50 m"]
        assert dict(zip(here.columns["uuid"], here.columns["far"], strict=True)) == dict(
            zip(there.columns["uuid"], there.columns["far"], strict=True)
        )


def test_the_verb_tells_what_it_settled(
    fresh: Path, city: City, tmp_path: Path, planner: Callable[..., dict[str, Any]]
) -> None:
    first, second = tmp_path / "a.planner", tmp_path / "b.planner"
    new_town(fresh, first)
    planner("sync", first, "--server", city.dsn("paul"))
    with Project.open(first) as project:
        name = project.name
    planner("clone", city.dsn("pia"), name, second)
    for file, text in ((first, "one"), (second, "two")):
        with Project.open(file) as project:
            project.execute(EditCells(project.layer("地块").id, [1], "code", [text]))
    planner("sync", first)
    dry = planner("sync", second, "--resolve", "ours", "--dry-run")
    done = planner("sync", second, "--resolve", "ours")
    for said in (dry, done):
        (one,) = said["settled"]
        assert (one["column"], one["ours"], one["theirs"], one["choice"]) == ("code", "two", "one", "mine")
        assert (said["conflicts"], said["pushed"]) == ([], 1)


def test_whatever_happens_all_end_alike(
    fresh: Path, city: City, tally: Counter[str], request: pytest.FixtureRequest
) -> None:
    class Machine(WithQgis if SOAK else SyncMachine):  # type: ignore[misc]
        def prepare(self, folder: Path) -> list[Desk]:
            new_town(fresh, folder / "first.planner")
            with Project.open(folder / "first.planner") as project:
                transport = PostgresTransport(city.dsn("paul"))
                Syncer(project, transport).sync()
                transport.close()
            (folder / "socket").mkdir()
            self.proxy = proxy_to(city, folder / "socket")
            self.members = dict(enumerate(("paul", "pia", "pia")))
            for number in self.members:
                shutil.copyfile(folder / "first.planner", folder / f"{number}.planner")
            desks = [desk_on(folder / f"{number}.planner", city.dsn(who)) for number, who in self.members.items()]
            for desk in desks:
                twice(desk.syncer.transport)
            return desks

        def cut(self, desk: Desk, steps: int | None) -> None:
            dsn = city.dsn(self.members[self.desks.index(desk)])
            if steps is None and self.proxy.budget is None:
                return
            desk.syncer.transport.close()
            self.proxy.budget = None
            desk.syncer.transport = PostgresTransport(dsn if steps is None else through(self.proxy, dsn))
            twice(desk.syncer.transport)
            self.proxy.budget = None if steps is None else 400 * steps

        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "proxy"):
                self.proxy.close()

    Machine.tally = tally
    if SOAK:
        Machine.qgis = request.getfixturevalue("qgis")
    live(Machine, int(os.environ.get("PLANNER_HISTORIES", "400" if SOAK else "4")), 25 if SOAK else 15)
