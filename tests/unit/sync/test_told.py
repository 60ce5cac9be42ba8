"""What a sync tells of itself: what it settled, what it changed here, what is held back, fields of other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.project import Project, SetLayer
from planner_app.sync.client.quarantine import FixQuarantined, quarantine
from planner_app.sync.client.session import Syncer, state
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import foreign
from tests.unit.sync.conftest import OpenDesk


def clash(paul: Desk, pia: Desk) -> None:
    """Both change parcel 1; paul's is on the server."""
    paul.edit(1, code="paul")
    pia.edit(1, code="pia")
    paul.sync()


@pytest.mark.parametrize(("resolve", "choice", "left"), [("ours", "mine", "pia"), ("theirs", "theirs", "paul")])
def test_what_was_settled_is_told(paul: Desk, pia: Desk, resolve: str, choice: str, left: str) -> None:
    clash(paul, pia)
    dry = pia.sync(dry_run=True, resolve=resolve)
    report = pia.sync(resolve=resolve)
    for told in (dry, report):
        ((one, chosen),) = told.settled
        assert (one.column, one.base, one.mine, one.theirs, chosen) == ("code", "R1", "pia", "paul", choice)
        assert told.conflicts == ()
        assert told.pushed == (choice == "mine")
    assert pia.cell(1, "code") == left
    assert pia.sync(resolve=resolve).settled == ()


def test_what_could_not_be_settled_is_not_told_as_settled(paul: Desk, pia: Desk) -> None:
    clash(paul, pia)
    pia.sync()
    paul.project.execute(SetLayer(paul.layer.id, {"locked": True}))
    paul.sync()
    report = pia.sync(resolve="ours")
    assert (report.settled, len(report.conflicts)) == ((), 1)


def test_what_both_wrote_is_no_news(paul: Desk, pia: Desk) -> None:
    for desk in (paul, pia):
        desk.edit(1, code="same")
    pia.edit(2, code="pia's")
    paul.edit(3, code="paul's")
    paul.sync()
    report = pia.sync()
    assert (report.pulled, report.pushed, report.conflicts) == (1, 1, ())  # parcel 3, parcel 2
    paul.sync()
    assert_alike(paul, pia)


def test_a_conflict_counts_once(paul: Desk, pia: Desk) -> None:
    clash(paul, pia)
    assert pia.sync().pulled == 1


def test_a_record_kept_against_a_delete_is_no_news(paul: Desk, pia: Desk) -> None:
    paul.delete(1)
    pia.edit(1, code="kept")
    paul.sync()
    report = pia.sync()
    assert (report.pulled, [one.kind for one in report.conflicts]) == (0, ["deleted_there"])
    assert paul.sync().pulled == 1


def broken(desk: Desk, *numbers: int) -> None:
    """Another program writes words into a number's field."""
    fids = [desk.fid(number) for number in numbers]
    with foreign(desk.project.path) as other:
        other.executemany(f"UPDATE \"{desk.layer.id}\" SET far = 'x' WHERE fid = ?", [(fid,) for fid in fids])


def test_only_held_back_records_are_left(paul: Desk) -> None:
    broken(paul, 1, 2)
    assert (state(paul.project).kind, state(paul.project).to_push) == ("ahead", 2)
    paul.sync()
    now = state(paul.project)
    assert (now.kind, now.to_push, now.quarantined) == ("held", 0, 2)
    paul.edit(5, code="more")
    now = state(paul.project)
    assert (now.kind, now.to_push, now.quarantined) == ("ahead", 1, 2)
    paul.sync()
    # A chosen fix is sent by the next sync, and counts.
    paul.project.execute(FixQuarantined((quarantine(paul.project)[0].id,), "clear"))
    now = state(paul.project)
    assert (now.kind, now.to_push, now.quarantined) == ("ahead", 1, 2)
    assert [one.again for one in quarantine(paul.project)] == [True, False]
    assert paul.sync().pushed == 1
    assert (state(paul.project).kind, state(paul.project).quarantined) == ("held", 1)
    paul.project.execute(FixQuarantined((quarantine(paul.project)[0].id,), "discard"))
    paul.sync()
    assert (state(paul.project).kind, state(paul.project).quarantined) == ("synced", 0)


def test_a_refused_definition_is_held_and_not_waiting(open_desk: OpenDesk) -> None:
    vera = open_desk("vera")
    with foreign(vera.project.path) as other:  # this program itself would not let her
        other.execute("UPDATE planner_layer SET name = 'mine'")
    assert state(vera.project).to_push == 1
    (held,) = vera.sync().quarantined
    assert held.whole
    assert (state(vera.project).kind, state(vera.project).to_push) == ("held", 0)


def test_numbers_of_what_is_held_back_stay_and_are_nobody_elses(paul: Desk) -> None:
    broken(paul, 1, 2)
    paul.sync()
    first, second = quarantine(paul.project)
    broken(paul, 3)
    paul.project.execute(FixQuarantined((first.id,), "clear"))
    paul.sync()
    left, new = quarantine(paul.project)
    assert left == second
    assert new.id not in (first.id, second.id)
    paul.project.execute(FixQuarantined((left.id, new.id), "clear"))
    assert paul.sync().quarantined == ()
    broken(paul, 4)
    (last,) = paul.sync().quarantined
    assert last.id > new.id


def test_what_is_refused_again_keeps_its_number(paul: Desk, pia: Desk, server: MemoryServer) -> None:
    paul.project.execute(SetLayer(paul.layer.id, {"locked": True}))
    paul.sync()
    with foreign(pia.project.path) as other:
        other.execute(f"UPDATE \"{pia.layer.id}\" SET code = 'x' WHERE storeys < 2")
    held = pia.sync().quarantined
    assert [one.code for one in held] == ["sync.refused_locked"] * 2
    pia.project.execute(FixQuarantined((held[1].id,), "retry"))
    again = pia.sync().quarantined
    assert [(one.id, one.uuid) for one in again] == [(one.id, one.uuid) for one in held]
    broken(pia, 5)
    assert pia.sync().quarantined[-1].id == held[1].id + 1


def test_a_field_that_another_program_adds_while_the_file_is_open(paul: Desk, pia: Desk) -> None:
    with foreign(paul.project.path) as other:
        other.execute(f'ALTER TABLE "{paul.layer.id}" ADD COLUMN "备注" TEXT')
        other.execute(f'UPDATE "{paul.layer.id}" SET "备注" = \'n\' || storeys WHERE storeys < 4')
    report = paul.sync()
    assert (report.pushed, report.quarantined) == (5, ())  # the definition and four records
    pia.sync()
    assert [pia.cell(number, "备注") for number in (1, 3, 4)] == ["n1", "n3", None]
    assert_alike(paul, pia)
    # And what is written into it from now on is seen as it is written.
    with foreign(paul.project.path) as other:
        other.execute(f'UPDATE "{paul.layer.id}" SET "备注" = \'later\' WHERE storeys = 5')
    assert state(paul.project).to_push == 1
    paul.sync()
    pia.sync()
    assert pia.cell(5, "备注") == "later"


def test_a_window_hears_of_such_a_field_though_a_sync_beside_it_found_it(paul: Desk) -> None:
    with Project.open(paul.project.path) as window:
        window.poll()
        with foreign(paul.project.path) as other:
            other.execute(f'ALTER TABLE "{paul.layer.id}" ADD COLUMN note TEXT')
        with Project.open(paul.project.path) as beside:
            Syncer(beside, paul.transport).sync()
        assert any(change.registry for change in window.poll())
        assert not any(change.registry for change in window.poll())
        assert window.layer("地块").field("note") is not None


def test_a_server_that_is_not_the_one_is_not_remembered(paul: Desk, server: MemoryServer) -> None:
    """Restored from an older backup, say: the next sync goes where the file belongs."""
    older = server.copy()
    paul.edit(1, code="newer")
    paul.sync()
    for line, code in ((older, "sync.server_older"), (MemoryServer({"paul": "planner"}), "sync.project_unknown")):
        with pytest.raises(PlannerError) as caught:
            Syncer(paul.project, line.connect("paul"), server="elsewhere").sync()
        assert (caught.value.code, state(paul.project).server) == (code, "memory")
    Syncer(paul.project, server.connect("paul"), server="moved").sync()
    assert state(paul.project).server == "moved"


def test_who_may_not_register_is_told(server: MemoryServer, tmp_path: Path) -> None:
    with Project.create(tmp_path / "new.planner", "EPSG:4549", "another town") as project:
        with pytest.raises(PlannerError) as caught:
            Syncer(project, server.connect("vera")).sync()
        assert (caught.value.code, caught.value.params) == ("sync.may_not_register", {"project": "another town"})
        assert state(project).kind == "unregistered"


def test_a_project_whose_name_is_taken_gets_another(server: MemoryServer, tmp_path: Path) -> None:
    with Project.create(tmp_path / "new.planner", "EPSG:4549", "town") as project:
        with pytest.raises(PlannerError, match=r"sync\.name_taken"):
            Syncer(project, server.connect("paul")).sync()
        Syncer(project, server.connect("paul"), name="town 2").sync()
        assert project.name == "town 2"
        with pytest.raises(PlannerError, match=r"sync\.registered_already"):
            Syncer(project, server.connect("paul"), name="town 3").sync()
    with Project.open(tmp_path / "new.planner") as project:
        assert project.name == "town 2"
    assert {one.name for one in server.connect("paul").hello().projects} == {"town", "town 2"}
