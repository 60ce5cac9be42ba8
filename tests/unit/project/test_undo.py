"""Undo writes old values back, to the bit, and never over what came later."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import shapely

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
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
    Project,
    RenameLayer,
    SetLayer,
    SetPlan,
    SetStyle,
    Transaction,
)
from tests.helpers.project_files import FIELDS, assert_whole, everything, parcels, square

_PLAN = PlanInfo("p", PlanKind.MASTER, "总规")


def _commands(table: str) -> list[Command]:
    return [
        EditCells(table, [1, 5], "far", [1 / 3, None]),
        EditCells(table, [2], "photo", [b"\x00\xff\x00"]),
        EditGeometry(table, {3: square(7, 7, 0.1), 4: None}),
        InsertFeatures(table, [square(0, 50), None], {"code": ["新", None]}),
        DeleteFeatures(table, [1, 6, 7]),
        RenameLayer(table, "其他名"),
        SetLayer(table, {"opacity": 0.3, "class_field": "code", "note": "自己的"}),
        SetStyle(table, "<qgis/>", 0.5),
        SetPlan(_PLAN),
        AddField(table, FieldInfo("高度", "real", "建筑高度")),
        DropLayer(table),
    ]


class _Kept(EditCells):
    """What the program keeps by itself."""

    automatic = True


def test_undo_passes_over_what_the_program_kept_by_itself(project: Project, layer: LayerInfo) -> None:
    def values() -> list[object]:
        return list(project.read(layer.id, columns=["far"], where="fid IN (1, 2)", geometry=False).columns["far"])

    before = values()
    project.execute(EditCells(layer.id, [1], "far", [5.0]))
    first = project.execute(_Kept(layer.id, [2], "far", [7.0]))
    project.execute(_Kept(layer.id, [2], "far", [8.0]))
    assert [entry.origin for entry in project.log()[:3]] == ["auto", "auto", "cli"]
    assert project.undo() is not None
    assert values() == [before[0], 8.0]
    project.execute(_Kept(layer.id, [2], "far", [9.0]))
    assert project.redo() is not None  # what the program keeps is no new step of a person
    assert values() == [5.0, 9.0]
    with pytest.raises(PlannerError) as caught:  # asked for by name it is refused like anything changed since
        project.undo_entry(first.id)
    assert caught.value.code == "project.undo_conflict"


@pytest.mark.parametrize("number", range(11))
def test_each_command_and_back_and_again(project: Project, layer: LayerInfo, number: int) -> None:
    tables = [layer.id, "layer_styles", "planner_plan"]
    registry = (project.layers(), project.plans(), project.extra(layer.id))
    before = [everything(project, table) for table in tables]
    command = _commands(layer.id)[number]
    done = project.execute(command)
    assert done.id
    assert project.can_undo() == command.name
    after_registry = (project.layers(), project.plans())
    after = [everything(project, table) for table in tables]
    assert (after, after_registry) != (before, registry[:2])
    for _ in range(2):
        undone = project.undo()
        assert undone is not None
        assert undone.command == "undo"
        assert undone.params["entry"] == done.id
        assert [everything(project, table) for table in tables] == before
        assert (project.layers(), project.plans(), project.extra(layer.id)) == registry
        assert_whole(project)
        assert project.can_redo() == command.name
        redone = project.redo()
        assert redone is not None
        assert [everything(project, table) for table in tables] == after
        assert (project.layers(), project.plans()) == after_registry
        assert project.can_redo() is None
        assert_whole(project)


def test_a_command_that_fails_leaves_nothing(project: Project, layer: LayerInfo) -> None:
    class Half(Command):
        name = "half"

        def apply(self, tx: Transaction) -> None:
            tx.delete(layer.id, [1, 2])
            tx.update(layer.id, [3], {"far": ["high"]})

    before, log = everything(project, layer.id), project.log()
    with pytest.raises(PlannerError, match=r"field\.value_wrong"):
        project.execute(Half())
    assert everything(project, layer.id) == before
    assert project.log() == log
    with pytest.raises(PlannerError, match=r"feature\.unknown"):
        project.execute(DeleteFeatures(layer.id, [1, 99]))
    with pytest.raises(PlannerError, match=r"geometry\.wrong_kind"):
        project.execute(EditGeometry(layer.id, {1: shapely.to_wkb(shapely.Point(0, 0))}))
    assert everything(project, layer.id) == before


def test_a_transaction_sees_itself(project: Project, layer: LayerInfo) -> None:
    seen: list[object] = []

    class Look(Command):
        name = "look"

        def apply(self, tx: Transaction) -> None:
            fids = tx.insert(layer.id, Batch([square(0, 99)], {"code": ["mine"]}))
            seen.extend(tx.read(layer.id, fids=fids).columns["code"])

    project.execute(Look())
    assert seen == ["mine"]


def test_nothing_done_is_no_entry(project: Project, layer: LayerInfo) -> None:
    log = project.log()
    assert project.execute(SetLayer(layer.id, {})).id == 0
    assert project.log() == log


def test_later_edits_stand_on_an_entry(project: Project, layer: LayerInfo) -> None:
    first = project.execute(EditCells(layer.id, [1, 2], "code", ["A", "A"]))
    second = project.execute(EditCells(layer.id, [2], "code", ["B"]))
    project.execute(EditCells(layer.id, [1], "far", [9.0]))
    before = everything(project, layer.id)
    with pytest.raises(PlannerError) as caught:
        project.undo_entry(first.id)
    assert caught.value.code == "project.undo_conflict"
    assert [entry["id"] for entry in caught.value.params["entries"]] == [second.id]  # type: ignore[attr-defined]
    assert everything(project, layer.id) == before
    project.undo_entry(second.id)
    project.undo_entry(first.id)
    assert project.read(layer.id, fids=[1, 2]).columns["code"] == ["R0", "R1"]
    assert project.read(layer.id, fids=[1]).columns["far"] == [9.0]
    with pytest.raises(PlannerError, match="already_undone"):
        project.undo_entry(first.id)
    assert_whole(project)


def test_edits_of_an_added_layer_stand_on_it(project: Project, layer: LayerInfo) -> None:
    made = project.log()[0]
    edit = project.execute(EditCells(layer.id, [1], "code", ["A"]))
    with pytest.raises(PlannerError, match="undo_conflict"):
        project.undo_entry(made.id)
    project.undo_entry(edit.id)
    project.execute(SetLayer(layer.id, {"visible": False}))
    project.undo_entry(made.id)
    assert project.layers() == []
    with pytest.raises(PlannerError, match="undo_gone"):
        project.undo_entry(edit.id + 1)  # the undo of the edit: its table is in the trash
    assert_whole(project)


def test_undoing_an_undo_is_redo(project: Project, layer: LayerInfo) -> None:
    edit = project.execute(EditCells(layer.id, [1], "code", ["A"]))
    undo = project.undo_entry(edit.id)
    assert not next(e for e in project.log() if e.id == undo.id).undone
    redo = project.undo_entry(undo.id)
    assert redo.command == "redo"
    assert project.read(layer.id, fids=[1]).columns["code"] == ["A"]
    again = project.undo_entry(redo.id)
    assert again.params["entry"] == edit.id
    assert project.read(layer.id, fids=[1]).columns["code"] == ["R0"]
    with pytest.raises(PlannerError, match="already_undone"):
        project.undo_entry(undo.id)
    assert_whole(project)


def test_a_new_command_ends_redo(project: Project, layer: LayerInfo) -> None:
    project.execute(EditCells(layer.id, [1], "code", ["A"]))
    project.undo()
    assert project.can_redo() == "edit_cells"
    project.execute(EditCells(layer.id, [1], "code", ["B"]))
    assert project.can_redo() is None
    assert project.redo() is None


def test_whose_commands_undo_takes_back(project: Project, layer: LayerInfo, tmp_path: Path) -> None:
    project.execute(EditCells(layer.id, [1], "code", ["A"]))
    with Project.open(project.path, user="li", origin="desktop") as desktop:
        assert desktop.can_undo() is None
        assert desktop.undo() is None
        desktop.execute(EditCells(layer.id, [2], "code", ["B"]))
        assert desktop.can_undo() == "edit_cells"
        project.undo()  # the command line takes back whatever is newest
        assert desktop.can_undo() is None
        assert desktop.can_redo() == "edit_cells"
        entry = project.log()[1]
        assert (entry.user, entry.origin, entry.command, entry.undone) == ("li", "desktop", "edit_cells", True)


def test_dragging_a_slider_is_one_step(project: Project, layer: LayerInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    for opacity in (0.9, 0.8, 0.7):
        project.execute(SetLayer(layer.id, {"opacity": opacity}))
    assert [entry.command for entry in project.log()] == ["set_layer", "add_layer"]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    project.execute(SetLayer(layer.id, {"opacity": 0.1}))
    project.undo()
    assert project.layer(layer.id).opacity == 0.7
    project.undo()
    assert project.layer(layer.id).opacity == 1.0
    assert_whole(project)


def test_order_of_layers(project: Project) -> None:
    for name in "abc":
        project.add_layer(NewLayer(name, "none"), [])
    assert [layer.name for layer in project.layers()] == ["c", "b", "a"]
    project.execute(MoveLayer(project.layer("c").id, 1))
    assert [(layer.name, layer.position) for layer in project.layers()] == [("b", 0), ("c", 1), ("a", 2)]
    project.undo()
    assert [layer.name for layer in project.layers()] == ["c", "b", "a"]


def test_locked_layers_take_no_edits(project: Project, layer: LayerInfo) -> None:
    project.execute(SetLayer(layer.id, {"locked": True}))
    for command in _commands(layer.id)[:5]:
        with pytest.raises(PlannerError, match=r"layer\.locked"):
            project.execute(command)
    assert project.count(layer.id) == 10


def test_observers_hear_every_change(project: Project, layer: LayerInfo) -> None:
    heard: list[tuple[ChangeSet, object]] = []
    stop = project.subscribe(lambda changes, initiator: heard.append((changes, initiator)))
    done = project.execute(EditCells(layer.id, [2, 3], "code", ["A", "B"]), "table")
    project.undo("menu")
    stop()
    project.redo()
    assert [initiator for _, initiator in heard] == ["table", "menu"]
    assert heard[0][0] == done
    (touch,) = done.touches
    assert (touch.table, touch.updated, touch.fids, done.registry) == (layer.id, 2, (2, 3), False)
    assert done.params == {"layer": "地块", "layer_id": layer.id, "field": "code", "count": 2}


def test_rows_of_an_entry(project: Project, layer: LayerInfo) -> None:
    edit = project.execute(EditCells(layer.id, [1], "far", [2.5]))
    project.execute(EditCells(layer.id, [1], "far", [3.5]))
    move = project.execute(EditGeometry(layer.id, {2: square(1, 1)}))
    added = project.execute(InsertFeatures(layer.id, [square(0, 0)], {"code": ["x"]}))
    gone = project.execute(DeleteFeatures(layer.id, [11]))
    (row,) = project.rows_of(edit.id)
    assert (row.operation, row.old, row.new) == ("update", {"far": 0.0}, {"far": 2.5})
    (row,) = project.rows_of(move.id)
    assert shapely.from_wkb(row.new["geom"]).equals(shapely.from_wkb(square(1, 1)))
    (insert,) = project.rows_of(added.id)
    (delete,) = project.rows_of(gone.id)
    assert insert.new["code"] == "x"
    assert delete == insert.inverted()
    assert len(insert.uuid) == 36
    project.undo()
    assert project.rows_of(added.id) == [insert]
    assert project.rows_of(gone.id) == [delete]


def test_field_with_values_is_not_undone_from_below(project: Project, layer: LayerInfo) -> None:
    added = project.execute(AddField(layer.id, FieldInfo("高度", "real")))
    project.execute(EditCells(layer.id, [1], "高度", [24.0]))
    with pytest.raises(PlannerError, match="undo_conflict"):
        project.undo_entry(added.id)
    project.undo()
    project.undo()
    assert project.layer(layer.id).fields == FIELDS
    project.redo()
    project.redo()
    assert project.read(layer.id, fids=[1]).columns["高度"] == [24.0]
    assert_whole(project)


def test_more_columns_than_a_mask_has_bits(project: Project) -> None:
    fields = tuple(FieldInfo(f"c{n}", "integer") for n in range(150))
    layer = project.add_layer(
        NewLayer("wide", "none", fields), [Batch((), {f.name: [n] for n, f in enumerate(fields)})]
    )
    before = everything(project, layer.id)
    for number in (0, 57, 58, 59, 60, 119, 149):
        project.execute(EditCells(layer.id, [1], f"c{number}", [-1]))
        (row,) = project.rows_of(project.log(1)[0].id)
        assert row.old == {f"c{number}": number}
    project.execute(DeleteFeatures(layer.id, [1]))
    for _ in range(8):
        project.undo()
    assert everything(project, layer.id) == before
    assert_whole(project)


def test_undo_of_many_rows(project: Project) -> None:
    layer = project.add_layer(NewLayer("many", "polygon", FIELDS), [parcels(6000)])
    before = everything(project, layer.id)
    fids = list(range(1, 6001))
    done = project.execute(EditCells(layer.id, fids, "far", [n / 7 for n in fids]))
    assert done.touches[0].fids is None
    project.execute(DeleteFeatures(layer.id, fids[::2]))
    project.undo()
    project.undo()
    assert everything(project, layer.id) == before
    assert_whole(project)
