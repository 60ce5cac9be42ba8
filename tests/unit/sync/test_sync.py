"""Two project files and a server: what was edited comes to the other, cell by cell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import NewLayer
from planner_app.domain.progress import NoProgress
from planner_app.project import EditCells, Project
from planner_app.sync.client.clone import clone
from planner_app.sync.client.session import state
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import FIELDS, assert_whole, foreign, parcels
from tests.unit.sync.conftest import OpenDesk


def test_registering_sends_everything_and_a_clone_has_it(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    city = server.projects[next(iter(server.projects))]
    assert (city.definition.name, city.revision, len(city.log)) == ("town", 1, 10)
    assert_alike(paul, pia)
    assert state(paul.project).kind == state(pia.project).kind == "synced"
    assert state(paul.project).revision == 1


def test_edits_come_to_the_other(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="R9", far=0.1 + 0.2)
    paul.move(2, 777.125)
    paul.insert(100, code="new", photo=b"\x00\xff")
    paul.delete(3)
    assert state(paul.project).to_push == 4
    report = paul.sync()
    assert (report.pushed, report.revision, report.conflicts, report.quarantined) == (4, 2, (), ())
    assert state(paul.project).kind == "synced"
    assert pia.syncer.look().to_pull == 1
    assert state(pia.project).kind == "behind"
    assert pia.sync().pulled == 4
    assert_alike(paul, pia)
    assert pia.cell(1, "far").hex() == (0.1 + 0.2).hex()
    assert 3 not in pia.storeys()


def test_a_pull_leaves_nothing_to_push(paul: Desk, pia: Desk) -> None:
    for number in range(5):
        paul.edit(number, code=f"x{number}")
    paul.sync()
    pia.sync()
    assert state(pia.project).to_push == 0
    calls = len(pia.transport.calls)
    assert pia.sync().pushed == 0
    assert "commit" not in pia.transport.calls[calls:]


def test_different_cells_of_one_record_merge(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="paul")
    pia.edit(1, photo=b"pia")
    pia.move(1, 5.0)
    paul.sync()
    report = pia.sync()
    assert report.conflicts == ()
    paul.sync()
    assert_alike(paul, pia)
    assert (paul.cell(1, "code"), paul.cell(1, "photo")) == ("paul", b"pia")


def test_there_and_back_is_no_change(paul: Desk, pia: Desk) -> None:
    before = paul.cell(1, "code")
    paul.edit(1, code="x")
    paul.edit(1, code=before)
    pia.edit(1, code="pia")
    pia.sync()
    assert paul.sync().conflicts == ()
    assert paul.cell(1, "code") == "pia"


def test_the_same_edit_on_both_sides_is_no_conflict(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="same")
    pia.edit(1, code="same")
    paul.sync()
    report = pia.sync()
    assert (report.conflicts, report.pushed) == ((), 0)
    # From now on it is the server's: what comes next is nobody's conflict.
    paul.edit(1, code="next")
    paul.sync()
    assert pia.sync().conflicts == ()
    assert_alike(paul, pia)


def test_conflicting_cells_show_the_servers_value_until_somebody_chooses(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="paul")
    pia.edit(1, code="pia", photo=b"kept")
    paul.sync()
    report = pia.sync()
    assert [(c.kind, c.column, c.base, c.mine, c.theirs, c.fid) for c in report.conflicts] == [
        ("cell", "code", "R1", "pia", "paul", pia.fid(1))
    ]
    assert pia.cell(1, "code") == "paul"
    assert state(pia.project).kind == "conflicts"
    paul.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "photo") == b"kept"


def test_records_nobody_else_touched_do_not_wait(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="paul")
    pia.edit(2, code="pia")

    def meanwhile(name: str) -> None:
        if name == "commit":  # somebody else's revision arrives between pia's pull and her commit
            pia.transport.hook = lambda name: None
            paul.sync()

    pia.transport.hook = meanwhile
    report = pia.sync()
    assert (report.pushed, report.pulled, report.revision) == (1, 1, 3)  # what she sent does not count as news
    assert pia.transport.calls.count("commit") == 1
    paul.sync()
    assert_alike(paul, pia)


def test_who_is_behind_merges_and_tries_again(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="paul")
    pia.edit(1, photo=b"pia")

    def meanwhile(name: str) -> None:
        if name == "commit":
            pia.transport.hook = lambda name: None
            paul.sync()

    pia.transport.hook = meanwhile
    report = pia.sync()
    assert pia.transport.calls.count("commit") == 2
    assert report.pushed == 1
    paul.sync()
    assert_alike(paul, pia)
    assert (paul.cell(1, "code"), paul.cell(1, "photo")) == ("paul", b"pia")


def test_editing_goes_on_while_a_push_is_on_its_way(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="sent")

    def meanwhile(name: str) -> None:
        if name == "commit":
            paul.edit(1, code="later")
            paul.edit(2, code="later too")

    paul.transport.hook = meanwhile
    assert paul.sync().pushed == 1
    paul.transport.hook = lambda name: None
    assert state(paul.project).to_push == 2
    pia.sync()
    assert pia.cell(1, "code") == "sent"
    assert paul.sync().pushed == 2
    pia.sync()
    assert_alike(paul, pia)
    assert (pia.cell(1, "code"), pia.cell(2, "code")) == ("later", "later too")


def test_edits_of_other_programs_are_sent(paul: Desk, pia: Desk) -> None:
    table = paul.layer.id
    with foreign(paul.project.path) as other:
        other.execute(f'UPDATE "{table}" SET code = "sql" WHERE storeys = 1')
        other.execute(f'INSERT INTO "{table}" (storeys, code) VALUES (50, "sql")')
        other.execute(f'INSERT OR REPLACE INTO "{table}" (fid, storeys, code) VALUES ({paul.fid(4)}, 44, "ghost")')
        other.execute(f'DELETE FROM "{table}" WHERE storeys = 5')
        other.execute(f'UPDATE "{table}" SET fid = fid + 1000 WHERE storeys = 6')
        other.execute(f'UPDATE "{table}" SET fid = fid + 1000, code = "moved" WHERE storeys = 7')
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert pia.storeys() == [0, 1, 2, 3, 6, 7, 8, 9, 44, 50]
    assert (pia.cell(1, "code"), pia.cell(7, "code")) == ("sql", "moved")
    assert state(paul.project).to_push == 0


def test_undo_and_redo_are_edits_like_others(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="x")
    paul.delete(2)
    paul.sync()
    paul.project.undo()
    paul.sync()
    pia.sync()
    assert 2 in pia.storeys()
    paul.project.redo()
    paul.project.undo()
    paul.project.undo()
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert pia.cell(1, "code") == "R1"


def test_what_the_server_wrote_is_not_on_the_undo_stack(paul: Desk, pia: Desk) -> None:
    pia.edit(5, code="mine")
    paul.edit(1, code="theirs")
    paul.sync()
    pia.sync()
    assert pia.project.can_undo() == "edit_cells"
    pia.project.undo()
    assert (pia.cell(5, "code"), pia.cell(1, "code")) == ("R2", "theirs")


def test_edit_beats_delete_both_ways(paul: Desk, pia: Desk) -> None:
    paul.delete(1)
    paul.edit(2, code="paul")
    pia.edit(1, code="pia")
    pia.delete(2)
    paul.sync()
    report = pia.sync()
    assert sorted((c.kind, c.column) for c in report.conflicts) == [("deleted_here", ""), ("deleted_there", "")]
    paul.sync()
    assert_alike(paul, pia)
    assert (paul.cell(1, "code"), paul.cell(2, "code")) == ("pia", "paul")


@pytest.mark.parametrize("by_undo", [True, False])
def test_what_both_deleted_and_one_brings_back_is_sent(paul: Desk, pia: Desk, by_undo: bool) -> None:
    paul.delete(3)
    if by_undo:
        pia.delete(3)
    else:
        with foreign(pia.project.path) as other:
            other.execute(f'CREATE TEMP TABLE kept AS SELECT * FROM "{pia.layer.id}" WHERE storeys = 3')
            other.execute(f'DELETE FROM "{pia.layer.id}" WHERE storeys = 3')
            paul.sync()
            pia.syncer.pull()
            other.execute(f'INSERT INTO "{pia.layer.id}" SELECT * FROM kept')
        pia.project.poll()
    paul.sync()
    assert pia.syncer.pull().conflicts == ()
    if by_undo:
        pia.project.undo()
    assert state(pia.project).to_push == 1
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert 3 in paul.storeys()


def test_a_group_of_columns_conflicts_together(paul: Desk, pia: Desk) -> None:
    paul.edit(1, far=2.5)
    pia.edit(1, storeys=77)
    paul.sync()
    report = pia.sync()
    assert {(c.column, c.base, c.mine, c.theirs) for c in report.conflicts} == {
        ("storeys", 1, 77, 1), ("far", 0.1, 0.1, 2.5),
    }  # fmt: skip
    assert len({c.group for c in report.conflicts}) == 1
    assert report.conflicts[0].group > 0
    assert pia.cell(1, "far") == 2.5


@pytest.mark.parametrize("resolve", ["ours", "theirs"])
def test_conflicts_settled_at_once(paul: Desk, pia: Desk, resolve: str) -> None:
    paul.edit(1, code="paul")
    pia.edit(1, code="pia")
    paul.sync()
    report = pia.sync(resolve=resolve)
    assert report.conflicts == ()
    paul.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "code") == ("pia" if resolve == "ours" else "paul")


def test_a_dry_run_writes_nothing(paul: Desk, pia: Desk, server: MemoryServer) -> None:
    paul.edit(1, code="paul")
    paul.edit(2, code="two")
    pia.edit(1, code="pia")
    pia.edit(3, code="three")
    paul.sync()
    report = pia.sync(dry_run=True)
    assert (report.pushed, report.pulled, len(report.conflicts)) == (1, 2, 1)
    assert (pia.cell(2, "code"), state(pia.project).to_push) == ("R2", 2)
    assert next(iter(server.projects.values())).revision == 2


def test_three_files_end_alike(paul: Desk, open_desk: OpenDesk) -> None:
    pia, second = open_desk("pia"), open_desk("paul")
    for number, desk in enumerate((paul, pia, second)):
        desk.edit(number, code=f"own {number}")
        desk.edit(5, far=number / 3)
        desk.insert(100 + number)
    for desk in (paul, pia, second, paul, pia):
        desk.sync()
    assert_alike(paul, pia, second)
    assert paul.storeys()[-3:] == [100, 101, 102]


def test_a_copy_of_a_file_is_another_client(paul: Desk, pia: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    from planner_app.project import Project
    from planner_app.sync.client.session import Syncer

    paul.edit(1, code="before the copy")
    paul.insert(60, code="before the copy")
    path = tmp_path_factory.mktemp("copy") / "copy.planner"
    paul.project.save_copy(path)
    with Project.open(path) as project:
        copy = Desk(project, Syncer(project, pia.transport.server.connect("paul")))
        paul.sync()
        copy.project.execute(EditCells(copy.layer.id, [copy.fid(60)], "photo", [b"copy"]))
        report = copy.sync()
        assert (report.conflicts, report.pushed) == ((), 1)
        paul.sync()
        pia.sync()
        assert_alike(paul, copy, pia)
        clients = {one.client_id for one in paul.transport.revisions(next(iter(paul.transport.server.projects)))}
        assert len(clients) == 2


def test_what_goes_over_the_line_is_counted(paul: Desk, pia: Desk) -> None:
    content = bytes(range(256)) * 10
    paul.project.attach(content, name="photo")
    paul.edit(1, code="x" * 5000, photo=b"\0" * 300)
    sent = paul.sync().bytes
    assert 2560 + 5000 + 600 < sent < 2560 + 5000 + 600 + 200
    assert 5000 + 600 < pia.sync().bytes < 5000 + 600 + 200
    assert pia.sync().bytes == 0
    paul.project.add_layer(NewLayer("whole", "polygon", FIELDS), [parcels(100)])
    sent, taken = paul.sync().bytes, pia.sync().bytes
    assert 100 * (36 + 93 + 3) < sent < 100 * 300
    assert 100 * (36 + 93 + 3) < taken < 100 * 300


def test_a_clone_is_whole_or_not_there(server: MemoryServer, paul: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "clones"
    folder.mkdir()
    path, transport = folder / "new.planner", server.connect("pia")
    seen: list[bool] = []
    transport.hook = lambda name: seen.append(path.exists())

    class Stop(NoProgress):
        def is_cancelled(self) -> bool:
            return len(seen) > 8

    with pytest.raises(Cancelled):
        clone(transport, "town", path, progress=Stop())
    assert list(folder.iterdir()) == []
    seen.clear()
    dead, alive = folder / ".new.planner.1.new", folder / ".new.planner.2.new"
    for left in (dead, alive):
        left.touch()
    os.utime(dead, (0, 0))
    clone(transport, "town", path)
    assert seen
    assert not any(seen)
    assert {file.name for file in folder.iterdir()} == {"new.planner", alive.name}
    with pytest.raises(PlannerError, match=r"project\.exists.*new\.planner"):
        clone(transport, "town", path)
    with Project.open(path) as project:
        assert_whole(project)
