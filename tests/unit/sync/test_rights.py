"""Rights: refused before an edit is made; what other programs write all the same waits; what is out of sight goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import (
    AddField,
    Batch,
    Command,
    DeleteFeatures,
    DropLayer,
    EditCells,
    EditGeometry,
    InsertFeatures,
    MoveLayer,
    RenameLayer,
    SetLayer,
    SetPlan,
    SetStyle,
)
from planner_app.sync.client.quarantine import FixQuarantined
from planner_app.sync.client.session import rights, state
from planner_app.sync.types import LayerRight
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import foreign, square
from tests.unit.sync.conftest import OpenDesk


def refused(desk: Desk, command: Command) -> str:
    with pytest.raises(PlannerError) as caught:
        desk.project.execute(command)
    return caught.value.code


def commands(desk: Desk) -> list[Command]:
    table, fid = desk.layer.id, desk.fid(1)
    return [
        EditCells(table, [fid], "code", ["x"]), EditGeometry(table, {fid: square(0, 0)}), DeleteFeatures(table, [fid]),
        InsertFeatures(table, [square(0, 0)], {}), RenameLayer(table, "x"), SetStyle(table, "<qgis/>"),
        AddField(table, FieldInfo("new", "text")), DropLayer(table), SetLayer(table, {"class_field": "code"}),
        SetPlan(PlanInfo("p", PlanKind.OTHER, "p")),
    ]  # fmt: skip


def test_a_viewer_changes_nothing(open_desk: OpenDesk) -> None:
    vera = open_desk("vera")
    assert {refused(vera, command) for command in commands(vera)} == {"layer.no_right"}
    with pytest.raises(PlannerError) as caught:
        vera.project.add_layer(NewLayer("x", "none"), [])
    assert caught.value.code == "layer.no_right"
    # How the map looks is his own.
    vera.project.execute(SetLayer(vera.layer.id, {"visible": False, "opacity": 0.3}))
    vera.project.execute(MoveLayer(vera.layer.id, 0))
    assert vera.sync().quarantined == ()
    known = rights(vera.project)
    assert known is not None
    assert (known.role, known.layers[vera.layer.uuid].write) == ("viewer", False)


def test_what_another_program_writes_without_a_right_waits(open_desk: OpenDesk, paul: Desk) -> None:
    vera = open_desk("vera")
    with foreign(vera.project.path) as other:
        other.execute(f'UPDATE "{vera.layer.id}" SET code = "vera" WHERE storeys = 1')
        other.execute(f'DELETE FROM "{vera.layer.id}" WHERE storeys = 2')
        other.execute(f'INSERT INTO "{vera.layer.id}" (storeys) VALUES (33)')
    report = vera.sync()
    assert [q.code for q in report.quarantined] == ["sync.no_right"] * 3
    assert "commit" not in vera.transport.calls
    vera.project.execute(FixQuarantined(tuple(q.id for q in report.quarantined), "discard"))
    assert vera.sync().quarantined == ()
    assert_alike(paul, vera)


def test_columns_and_district(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    district = shapely.to_wkb(shapely.box(500_000, 3_500_000, 500_050, 3_500_100))
    server.exceptions["pia", pia.layer.uuid] = LayerRight(
        pia.layer.uuid, True, True, frozenset({"code", "geom"}), district
    )
    pia.sync()
    inside, outside = pia.fid(1), pia.fid(9)
    table = pia.layer.id
    pia.project.execute(EditCells(table, [inside], "code", ["fine"]))
    pia.project.execute(EditGeometry(table, {inside: square(30, 20)}))
    assert refused(pia, EditCells(table, [inside], "far", [1.0])) == "layer.no_right_field"
    assert refused(pia, DeleteFeatures(table, [inside])) == "layer.no_right_field"
    assert refused(pia, EditCells(table, [outside], "code", ["x"])) == "layer.no_right_here"
    assert refused(pia, EditGeometry(table, {inside: square(300, 20)})) == "layer.no_right_here"
    assert refused(pia, EditGeometry(table, {inside: None})) == "layer.no_right_here"
    assert pia.sync().pushed == 1
    # A program that does not ask is refused by the server, record by record.
    with foreign(pia.project.path) as other:
        other.execute(f'UPDATE "{table}" SET code = "sql" WHERE storeys IN (2, 9)')
    report = pia.sync()
    assert [(q.code, q.refused, q.fid) for q in report.quarantined] == [("sync.refused_district", True, outside)]
    calls = pia.transport.calls.count("commit")
    assert len(pia.sync().quarantined) == 1
    assert pia.transport.calls.count("commit") == calls  # not asked again and again
    paul.sync()
    assert paul.cell(2, "code") == "sql"
    # Once the right is there it goes by itself.
    del server.exceptions["pia", pia.layer.uuid]
    assert (pia.sync().pushed, pia.sync().quarantined) == (1, ())
    paul.sync()
    assert_alike(paul, pia)


def test_a_refused_record_that_is_edited_is_sent_again(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    key = pia.layer.uuid
    server.exceptions["pia", key] = LayerRight(key, True, True, frozenset({"code"}))
    with foreign(pia.project.path) as other:
        other.execute(f'UPDATE "{pia.layer.id}" SET far = 9.5 WHERE storeys = 1')
    (held,) = pia.sync().quarantined
    assert held.code == "sync.refused_column"
    pia.project.execute(FixQuarantined((held.id,), "retry"))
    assert len(pia.sync().quarantined) == 1
    assert pia.transport.calls.count("commit") == 2
    pia.project.execute(FixQuarantined(tuple(q.id for q in pia.sync().quarantined), "discard"))
    assert (pia.sync().quarantined, pia.cell(1, "far"), state(pia.project).kind) == ((), 0.1, "synced")
    paul.sync()
    assert_alike(paul, pia)


def test_a_locked_layer_refuses_what_was_edited_meanwhile(paul: Desk, pia: Desk) -> None:
    pia.edit(1, code="too late")
    paul.project.execute(SetLayer(paul.layer.id, {"locked": True}))
    paul.sync()
    assert [q.code for q in pia.sync().quarantined] == ["sync.refused_locked"]
    with pytest.raises(PlannerError) as caught:
        pia.edit(2, code="x")
    assert caught.value.code == "layer.locked"
    paul.project.execute(SetLayer(paul.layer.id, {"locked": False}))
    paul.sync()
    report = pia.sync()  # what was refused is tried again
    assert (report.pushed, report.quarantined) == (1, ())
    paul.sync()
    assert paul.cell(1, "code") == "too late"


def test_a_new_layer_that_is_refused_stays_here(server: MemoryServer, paul: Desk, open_desk: OpenDesk) -> None:
    rita = open_desk("rita")
    made = rita.project.add_layer(
        NewLayer("意见", "none", (FieldInfo("t", "text"),), role="planning.x"), [Batch((), {"t": ["1"]})]
    )
    (held,) = rita.sync().quarantined
    assert (held.code, held.uuid, held.refused) == ("sync.refused_right", made.uuid, True)
    commits = rita.transport.calls.count("commit")
    assert len(rita.sync().quarantined) == 1
    assert rita.transport.calls.count("commit") == commits
    rita.project.execute(SetLayer(made.id, {"role": "review.x"}))
    assert rita.sync().quarantined == ()
    paul.sync()
    assert paul.project.read(made.id).columns == {"t": ["1"]}


@pytest.mark.parametrize("edited", [False, True])
def test_a_layer_that_may_not_be_read_any_more_goes(server: MemoryServer, paul: Desk, pia: Desk, edited: bool) -> None:
    key = pia.layer.uuid
    if edited:
        pia.edit(1, code="mine")
    server.exceptions["pia", key] = LayerRight(key, False, False)
    report = pia.sync()
    assert [one.name for one in pia.project.layers()] == (["地块"] if edited else [])
    assert [q.code for q in report.quarantined] == (["sync.no_right"] if edited else [])
    paul.edit(2, code="meanwhile")
    paul.sync()
    del server.exceptions["pia", key]
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert pia.cell(2, "code") == "meanwhile"
    assert pia.cell(1, "code") == ("mine" if edited else "R1")


def test_records_out_of_sight_go(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    pia.edit(9, code="mine")
    server.sight["pia", pia.layer.uuid] = shapely.to_wkb(shapely.box(500_000, 3_500_000, 500_065, 3_500_100))
    pia.sync()
    assert pia.storeys() == [0, 1, 2, 3, 9]  # the edited one was on its way
    server.sight["pia", pia.layer.uuid] = shapely.to_wkb(shapely.box(500_000, 3_500_000, 500_045, 3_500_100))
    pia.sync()
    assert pia.storeys() == [0, 1, 2]
    paul.move(0, 800.0)
    paul.sync()
    pia.sync()
    assert pia.storeys() == [1, 2]
    server.sight.clear()
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)


def test_plans_are_the_planners(open_desk: OpenDesk, paul: Desk) -> None:
    rita = open_desk("rita")
    assert refused(rita, SetPlan(PlanInfo("p", PlanKind.OTHER, "p"))) == "layer.no_right"
    with foreign(rita.project.path) as other:
        other.execute("INSERT INTO planner_plan (id, kind, name) VALUES ('p', 'other', 'sql')")
    assert [(q.code, q.uuid) for q in rita.sync().quarantined] == [("sync.no_right", "p")]


@pytest.mark.parametrize("change", [lambda s: s.members.update(pia="viewer"), lambda s: s.members.pop("pia")])
def test_a_member_who_is_none_any_more(server: MemoryServer, pia: Desk, change: Callable[[MemoryServer], Any]) -> None:
    pia.edit(1, code="x")
    change(server)
    if "pia" in server.members:
        assert [q.code for q in pia.sync().quarantined] == ["sync.no_right"]
    else:
        with pytest.raises(PlannerError) as caught:
            pia.sync()
        assert caught.value.code == "sync.denied"
    assert pia.cell(1, "code") == "x"


def test_a_definition_that_is_not_allowed_can_be_discarded(server: MemoryServer, pia: Desk, paul: Desk) -> None:
    """Made before the right was taken away."""
    table = pia.layer.id
    pia.project.execute(SetPlan(PlanInfo("p", PlanKind.OTHER, "p")))
    pia.project.execute(RenameLayer(table, "renamed"))
    new = pia.project.add_layer(NewLayer("new", "none"), [])
    server.members["pia"] = "viewer"
    held = pia.sync().quarantined
    assert {(q.code, q.whole) for q in held} == {("sync.no_right", True)}
    assert {q.uuid for q in held} == {"p", pia.project.layer("renamed").uuid, new.uuid}
    pia.project.execute(FixQuarantined(tuple(q.id for q in held), "discard"))
    assert pia.sync().quarantined == ()
    assert_alike(paul, pia)
    pia.project.undo()
    assert {one.name for one in pia.project.layers()} == {"renamed", "new"}


def test_a_drop_that_is_not_allowed_can_be_discarded(server: MemoryServer, pia: Desk, paul: Desk) -> None:
    pia.project.execute(DropLayer(pia.layer.id))
    server.members["pia"] = "viewer"
    (held,) = pia.sync().quarantined
    paul.edit(1, code="meanwhile")
    paul.sync()
    pia.project.execute(FixQuarantined((held.id,), "discard"))
    assert pia.sync().quarantined == ()
    assert_alike(paul, pia)
