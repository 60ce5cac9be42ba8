"""Project files on the real server: verbs, random histories, cut lines, killed programs."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from planner_app.cli import run_verb
from planner_app.domain.layer import NewLayer
from planner_app.project import EditCells, Project
from planner_app.sync.client.clone import clone
from planner_app.sync.client.session import Syncer, state
from planner_app.sync.server.postgres import PostgresTransport
from tests.helpers.cut_proxy import CutProxy
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.project_files import FIELDS, parcels
from tests.helpers.sync_machine import SyncMachine, twice
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
    settled = planner("sync", "conflicts", second, "--settle", conflict["id"], "mine")
    assert (settled["settled"], settled["conflicts"]) == (1, [])
    assert planner("sync", second)["pushed"] == 1
    assert planner("sync", first)["pulled"] == 1
    with Project.open(first) as project:
        assert project.read(table, fids=[1]).columns["code"] == ["two"]
        assert {entry.origin for entry in project.log()} == {"cli", "sync"}
    wrong = planner("sync", first, second, code=2)
    assert wrong["error"]["code"] == "sync.one_file"


def test_whatever_happens_all_end_alike(fresh: Path, city: City) -> None:
    class Machine(SyncMachine):
        def prepare(self, folder: Path) -> list[Desk]:
            new_town(fresh, folder / "first.planner")
            with Project.open(folder / "first.planner") as project:
                transport = PostgresTransport(city.dsn("paul"))
                Syncer(project, transport).sync()
                transport.close()
            (folder / "socket").mkdir()
            there = conninfo_to_dict(city.cluster.dsn)
            self.proxy = CutProxy(folder / "socket", str(there["host"]), int(there.get("port", 5432)))
            desks = []
            for number, member in enumerate(("paul", "pia", "pia")):
                shutil.copyfile(folder / "first.planner", folder / f"{number}.planner")
                dsn = city.dsn(member)
                desks.append(desk_on(folder / f"{number}.planner", dsn))
                twice(desks[-1].syncer.transport)
            return desks

        def cut(self, desk: Desk, steps: int | None) -> None:
            member = desk.syncer.transport.hello().user if steps is not None else ""
            if steps is not None:
                desk.syncer.transport.close()
                self.proxy.budget = None
                dsn = make_conninfo(city.dsn(member), host=self.proxy.host, port=5432)
                desk.syncer.transport = PostgresTransport(dsn)
                twice(desk.syncer.transport)
                self.proxy.budget = 300 * steps
                self.member = member
            elif (
                isinstance(desk.syncer.transport, PostgresTransport) and self.proxy.host in desk.syncer.transport.server
            ):
                desk.syncer.transport.close()
                desk.syncer.transport = PostgresTransport(city.dsn(self.member))
                twice(desk.syncer.transport)

        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "proxy"):
                self.proxy.close()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=400 if SOAK else 4,
            stateful_step_count=25 if SOAK else 15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
