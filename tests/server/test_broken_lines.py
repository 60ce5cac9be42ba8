"""Killed programs and cut lines on the real server: the old or the new state, nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import NewLayer
from planner_app.domain.progress import NoProgress
from planner_app.project import Batch, Project
from planner_app.sync.client.session import Syncer, state
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.server.verifying import verify
from planner_app.sync.types import Scope
from tests.helpers.cut_proxy import CutProxy
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.killed import sync_and_die
from tests.helpers.project_files import assert_whole, foreign
from tests.helpers.sync_machine import expect
from tests.server.conftest import City
from tests.server.test_two_desktops import desk_on, fresh, new_town, paul, pia

pytestmark = pytest.mark.server
__all__ = ["fresh", "new_town", "paul", "pia"]
TRIES = 200 if os.environ.get("PLANNER_SOAK") else 8


@pytest.fixture
def proxy(city: City, tmp_path: Path) -> Iterator[CutProxy]:
    values = dict(part.split("=") for part in city.dba.split())
    (tmp_path / "s").mkdir()
    line = CutProxy(tmp_path / "s", values["host"], int(values.get("port", 5432)))
    yield line
    line.close()


def edit(path: Path, chance: random.Random, tag: str) -> set[str]:
    """Some edits, as another program makes them; returns the texts written that must not get lost."""
    texts = set()
    with foreign(path) as other:
        table = other.execute("SELECT id FROM planner_layer").fetchone()[0]
        fids = [row[0] for row in other.execute(f'SELECT fid FROM "{table}"')]
        other.execute("BEGIN IMMEDIATE")
        for number, fid in enumerate(chance.sample(fids, min(6, len(fids)))):
            text = f"{tag}.{number}"
            texts.add(text)
            other.execute(f'UPDATE "{table}" SET code = ?, far = ? WHERE fid = ?', (text, chance.random(), fid))
        for number in range(3):
            texts.add(f"{tag}+{number}")
            shape = f'(SELECT geom FROM "{table}" WHERE geom IS NOT NULL LIMIT 1)'
            other.execute(f'INSERT INTO "{table}" (code, geom) VALUES (?, {shape})', (f"{tag}+{number}",))
        other.execute(f'DELETE FROM "{table}" WHERE fid = ?', (chance.choice(fids),))
        other.execute("COMMIT")
        kept = {row[0] for row in other.execute(f'SELECT code FROM "{table}"')}
    return texts & kept


def nothing_lost(desk: Desk, texts: set[str]) -> None:
    """P2: all texts are in the server's log, or wait in a conflict."""
    with desk.project.door.read() as connection:
        waiting = {row[0] for row in connection.execute("SELECT mine FROM planner_replica_conflict")}
    logged = {text for row in desk.syncer.transport.history(town(desk), limit=100_000) for text in row.after.values()}
    assert texts <= logged | waiting


def chain_holds(city: City, desk: Desk) -> None:
    """P8, P10."""
    with psycopg.connect(city.dba, autocommit=True) as connection:
        found = [one for one in verify(connection, "city", NoProgress()) if desk.project.name in one.detail + one.name]
        assert found
        assert [one for one in found if not one.ok] == []


def test_killed_anywhere(city: City, paul: Desk, pia: Desk) -> None:
    chance, killed, most = random.Random(5), 0, 400
    path = pia.project.path
    pia.project.close()
    while killed < TRIES:
        theirs = edit(paul.project.path, chance, f"paul{killed}")
        paul.project.poll()
        paul.sync()
        mine = edit(path, chance, f"pia{killed}")
        steps = sync_and_die(path, lambda: PostgresTransport(city.dsn("pia")), chance.randrange(1, most))
        killed += steps is None
        most = steps + 5 if steps is not None else most
        with Project.open(path) as project:
            assert_whole(project)
            again = Desk(project, Syncer(project, pia.syncer.transport))
            again.sync()
            paul.sync()
            assert_alike(paul, again)
            nothing_lost(again, mine | theirs)
    chain_holds(city, paul)


@pytest.mark.parametrize("trap", ["anywhere", "commit answered"])
def test_cut_anywhere(city: City, paul: Desk, pia: Desk, proxy: CutProxy, trap: str) -> None:
    chance = random.Random(7)
    values = dict(part.split("=") for part in city.dsn("pia").split())
    dsn = f"host={proxy.host} port=5432 user={values['user']} dbname={values['dbname']}"
    path, most, tries = pia.project.path, 40_000, TRIES if trap == "anywhere" else max(3, TRIES // 4)
    pia.project.close()
    while proxy.cuts < tries:
        theirs = edit(paul.project.path, chance, f"paul{proxy.cuts}")
        paul.project.poll()
        paul.sync()
        mine = edit(path, chance, f"pia{proxy.cuts}")
        before = paul.syncer.transport.head(town(paul)).revision
        proxy.passed, proxy.budget = 0, None
        if trap == "anywhere":
            proxy.budget = chance.randrange(1, most)
        else:
            proxy.trap = b"commit_push"
        cut = False
        desk = None
        try:
            desk = desk_on(path, dsn)
            desk.sync()
        except PlannerError as error:
            expect(error, "sync.offline")
            cut = True
        finally:
            if desk is not None:
                desk.project.close()
                desk.syncer.transport.close()
        most = proxy.passed + 500 if not cut else most
        proxy.budget, proxy.trap = None, b""
        with Project.open(path) as project:
            assert_whole(project)
            again = Desk(project, Syncer(project, pia.syncer.transport))
            again.sync()
            if trap == "commit answered":
                assert cut
                assert paul.syncer.transport.head(town(paul)).revision == before + 1  # one revision, not two
            paul.sync()
            assert_alike(paul, again)
            nothing_lost(again, mine | theirs)
    chain_holds(city, paul)


def town(desk: Desk) -> str:
    """The project's UUID, from its name."""
    return desk.project.name.removeprefix("town ")


def test_a_large_layer_goes_on_where_it_was_cut(city: City, paul: Desk, proxy: CutProxy) -> None:
    round_ones = shapely.buffer(shapely.points(500_000.0 + np.arange(2_500), 3_500_000.0), 5, quad_segs=250)
    made = paul.project.add_layer(NewLayer("large", "polygon"), [Batch(shapely.to_wkb(round_ones))])
    path = paul.project.path
    paul.project.close()
    values = dict(part.split("=") for part in city.dsn("paul").split())
    dsn = f"host={proxy.host} port=5432 user={values['user']} dbname={values['dbname']}"
    for budget in (25_000_000, None):
        proxy.budget, proxy.passed = budget, 0
        desk = desk_on(path, dsn)
        try:
            desk.sync()
        except PlannerError as error:
            expect(error, "sync.offline")
        finally:
            desk.project.close()
            desk.syncer.transport.close()
    assert proxy.cuts == 1
    with Project.open(path) as project:
        assert state(project).kind == "synced"
        size = sum(len(shape) for shape in project.read(made.id, columns=()).geometry)
        assert proxy.passed < 0.7 * size  # the rest was there already
    with paul.syncer.transport.pull(town(paul), 0) as there:
        assert len(set(there.keys(made.uuid, Scope()))) == 2_500
