"""Odd things: edits that escaped the triggers, a server that says what no file can hold, a server with another past."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.project import Project
from planner_app.sync.client.session import Syncer, state
from planner_app.sync.types import DefChange, PushHeader, RowChange
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import foreign
from tests.server.builders import key, push
from tests.unit.sync.conftest import OpenDesk


def town(server: MemoryServer) -> str:
    return next(iter(server.projects))


def without_triggers(desk: Desk, *statements: str) -> None:
    """As a program that takes the triggers off a table and edits it."""
    with foreign(desk.project.path) as other:
        for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if name.startswith(f"planner_{desk.layer.id}"):
                other.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            other.execute(statement.format(t=f'"{desk.layer.id}"'))


def test_edits_that_escaped_the_log_are_found(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="seen")
    pia.edit(5, code="pia")
    pia.sync()
    without_triggers(
        paul,
        "UPDATE {t} SET far = 9.5 WHERE storeys = 2",
        "DELETE FROM {t} WHERE storeys = 3",
        "UPDATE {t} SET geom = (SELECT geom FROM {t} WHERE storeys = 9) WHERE storeys = 4",
        "UPDATE {t} SET code = 'mine' WHERE storeys = 5",
        "INSERT INTO {t} (uuid, storeys, code) VALUES ('01000000-0000-4000-8000-000000000001', 60, 'new')",
    )
    paul.project.poll()
    report = paul.sync()
    assert [(one.column, one.mine, one.theirs) for one in report.conflicts] == [("code", "mine", "pia")]
    assert report.pushed == 5
    pia.sync()
    assert_alike(paul, pia)
    assert (pia.cell(2, "far"), pia.cell(60, "code"), 3 in pia.storeys()) == (9.5, "new", False)
    assert state(paul.project).to_push == 0
    assert paul.sync().pushed == 0


def test_a_server_that_says_what_no_file_can_hold(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    layer = pia.layer.uuid
    hostile = server.connect("anna")
    fields = tuple(FieldInfo(name, "text") for name in (" ", "fid", "ROWID", "CODE", "good", "Good"))
    definition = replace(server.projects[town(server)].layers[layer].definition, fields=fields)
    changes = [
        DefChange("layer", layer, "update", {"extra": "no json", "locked": "1", "name": " "}, definition),
        DefChange("plan", "p", "insert", {"kind": "from tomorrow", "name": "p"}),
    ]
    new = replace(definition, uuid=key(), table="'; --", cells={"name": "hostile", "role": ""})
    assert (
        push(hostile, town(server), definitions=[*changes, DefChange("layer", new.uuid, "insert", {}, new)]).revision
        == 2
    )
    cells = dict.fromkeys(("CODE", "good", "fid"), "x")
    push(hostile, town(server), [RowChange(new.uuid, key(), "insert", cells)])
    for desk in (paul, pia):
        desk.sync()
    made = pia.project.layer("hostile")
    assert pia.project.read(made.id).columns == {"CODE": ["x"], "good": ["x"]}
    assert [field.name for field in next(one for one in pia.project.layers() if one.uuid == layer).fields][-1] == "good"
    assert [plan.kind.value for plan in pia.project.plans()] == ["other"]
    assert_alike(paul, pia)
    assert state(pia.project).kind == "synced"
    assert pia.sync().pushed == 0


@pytest.mark.parametrize("code", ["sync.server_older", "sync.history_changed"])
def test_a_server_with_another_past_is_refused(server: MemoryServer, paul: Desk, pia: Desk, code: str) -> None:
    paul.edit(1, code="x")
    paul.sync()
    city = server.projects[town(server)]
    if code == "sync.server_older":
        city.revision, city.chains = 1, city.chains[:2]
    else:
        city.chains[2] = city.chains[2][::-1]
        city.revision += 1
        city.chains.append("later")
    paul.edit(2, code="kept")
    for act in (paul.sync, paul.syncer.pull, paul.syncer.look):
        with pytest.raises(PlannerError) as caught:
            act()
        assert caught.value.code == code
    assert paul.cell(2, "code") == "kept"
    assert "commit" not in paul.transport.calls[-3:]


def test_a_commit_that_arrives_late_finds_nothing(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    """The line broke, the edit was taken back; the commit that was on its way must not bring it back."""
    sent: list[PushHeader] = []
    commit = paul.transport.commit

    def lost(header: PushHeader) -> object:
        sent.append(header)
        raise PlannerError("sync.offline", server="memory")

    paul.edit(1, code="taken back")
    paul.transport.commit = lost  # type: ignore[method-assign, assignment]
    with pytest.raises(PlannerError):
        paul.sync()
    paul.transport.commit = commit  # type: ignore[method-assign]
    paul.project.undo()
    paul.sync()
    with pytest.raises(PlannerError) as caught:
        commit(sent[0])
    assert caught.value.code == "sync.stage_incomplete"
    pia.sync()
    assert_alike(paul, pia)
    assert pia.cell(1, "code") == "R1"


def test_a_project_of_another_file_with_the_same_name(
    server: MemoryServer, paul: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("other") / "other.planner"
    with Project.create(path, "EPSG:4549", "town") as project:
        with pytest.raises(PlannerError) as caught:
            Syncer(project, server.connect("paul")).sync()
        assert caught.value.code == "sync.name_taken"
        assert state(project).kind == "unregistered"


def test_who_was_offline_says_since_when(paul: Desk) -> None:
    paul.transport.fuse = 0
    with pytest.raises(PlannerError):
        paul.sync()
    found = state(paul.project)
    assert (found.kind, bool(found.offline_since), bool(found.last)) == ("offline", True, True)
    paul.transport.fuse = None
    paul.syncer.look()
    assert state(paul.project).kind == "synced"


def test_many_who_push_the_same_record(paul: Desk, open_desk: OpenDesk) -> None:
    from planner_app.sync.client import session

    paul.edit(1, code="x")
    paul.transport.hook = lambda name: _bump(paul) if name == "commit" else None
    other = open_desk("pia")

    def _bump(desk: Desk) -> None:
        other.edit(1, photo=bytes([len(desk.transport.calls) % 256]))
        other.sync()

    before, session._TRIES = session._TRIES, 3  # type: ignore[misc]
    try:
        with pytest.raises(PlannerError) as caught:
            paul.sync()
    finally:
        session._TRIES = before  # type: ignore[misc]
    assert caught.value.code == "sync.too_many_tries"
    paul.transport.hook = lambda name: None
    assert paul.sync().pushed == 1
