"""Killed programs and cut lines on the real server: the old or the new state, nothing lost, nothing twice."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
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
from tests.server.test_two_desktops import SOAK, desk_on, fresh, new_town, paul, pia, proxy_to, through

pytestmark = pytest.mark.server
__all__ = ["fresh", "new_town", "paul", "pia"]
TRIES = 200 if SOAK else 8


@pytest.fixture
def proxy(city: City) -> Iterator[CutProxy]:
    with tempfile.TemporaryDirectory() as folder, closing(proxy_to(city, Path(folder))) as line:
        yield line  # the path of a socket is short: not in the test's own folder


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
    """P2: all texts of this round are in the server's log, or wait in a conflict."""
    with desk.project.door.read() as connection:
        waiting = {row[0] for row in connection.execute("SELECT mine FROM planner_replica_conflict")}
    logged = {text for row in desk.syncer.transport.history(town(desk), limit=1_000) for text in row.after.values()}
    assert texts <= logged | waiting


def chain_holds(city: City, desk: Desk) -> None:
    """P8, P10."""
    with psycopg.connect(city.dba, autocommit=True) as connection:
        found = [one for one in verify(connection, "city", NoProgress()) if desk.project.name in one.detail + one.name]
        assert found
        assert [one for one in found if not one.ok] == []


def test_killed_anywhere(city: City, paul: Desk, pia: Desk, tally: Counter[str]) -> None:
    chance, most = random.Random(5), 400
    path = pia.project.path
    pia.project.close()
    while tally["kills"] < TRIES:
        theirs = edit(paul.project.path, chance, f"paul{tally['syncs']}")
        paul.project.poll()
        paul.sync()
        mine = edit(path, chance, f"pia{tally['syncs']}")
        before = head(paul)
        steps = sync_and_die(path, lambda: PostgresTransport(city.dsn("pia")), chance.randrange(1, most))
        tally["syncs"] += 1
        tally["kills"] += steps is None
        tally["of them after COMMIT"] += steps is None and head(paul) > before
        most = steps + 5 if steps is not None else most
        with Project.open(path) as project:
            assert_whole(project)
            again = Desk(project, Syncer(project, pia.syncer.transport))
            again.sync()
            paul.sync()
            assert_alike(paul, again)
            nothing_lost(again, mine | theirs)
    tally["revisions"] = head(paul)
    chain_holds(city, paul)


@pytest.mark.parametrize("trap", ["anywhere", "commit answered"])
def test_cut_anywhere(city: City, paul: Desk, pia: Desk, proxy: CutProxy, trap: str, tally: Counter[str]) -> None:
    chance = random.Random(7)
    dsn = through(proxy, city.dsn("pia"))
    path, most, tries = pia.project.path, 40_000, TRIES if trap == "anywhere" or SOAK else 3
    pia.project.close()
    while tally["cuts that hit"] < tries:
        theirs = edit(paul.project.path, chance, f"paul{tally['syncs']}")
        paul.project.poll()
        paul.sync()
        mine = edit(path, chance, f"pia{tally['syncs']}")
        before = head(paul)
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
        tally["syncs"] += 1
        tally["cuts that hit"] += cut
        tally["of them after COMMIT"] += cut and head(paul) > before
        most = proxy.passed + 500 if not cut else most
        proxy.budget, proxy.trap = None, b""
        with Project.open(path) as project:
            assert_whole(project)
            again = Desk(project, Syncer(project, pia.syncer.transport))
            again.sync()
            if trap == "commit answered":
                assert cut
                assert head(paul) == before + 1  # one revision, not two
            paul.sync()
            assert_alike(paul, again)
            nothing_lost(again, mine | theirs)
    tally["revisions"] = head(paul)
    chain_holds(city, paul)


def head(desk: Desk) -> int:
    """The project's newest revision."""
    return desk.syncer.transport.head(town(desk)).revision


def town(desk: Desk) -> str:
    """The project's UUID, from its name."""
    return desk.project.name.removeprefix("town ")


def test_a_large_layer_goes_on_where_it_was_cut(city: City, paul: Desk, proxy: CutProxy) -> None:
    round_ones = shapely.buffer(shapely.points(500_000.0 + np.arange(2_500), 3_500_000.0), 5, quad_segs=250)
    made = paul.project.add_layer(NewLayer("large", "polygon"), [Batch(shapely.to_wkb(round_ones))])
    path = paul.project.path
    paul.project.close()
    dsn = through(proxy, city.dsn("paul"))
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
