"""Layers, fields, styles and plans: made, changed, dropped, brought back on one desktop and the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import (
    AddField,
    Batch,
    Command,
    DropLayer,
    EditCells,
    Project,
    RenameLayer,
    SetLayer,
    SetPlan,
    SetStyle,
    Transaction,
)
from planner_app.sync.client.conflicts import ResolveConflicts
from planner_app.sync.client.session import Syncer, state
from planner_app.sync.types import Scope
from tests.helpers.desks import Desk, assert_alike, content
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import FIELDS, foreign, parcels
from tests.unit.sync.conftest import OpenDesk

QML = '<qgis version="3.40"><renderer-v2 type="{}"/></qgis>'


class _Case(Command):
    """A layer that a part of the program makes under a name of its own."""

    name = "make_case"

    def __init__(self, number: int, extra: str = "") -> None:
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "extra", extra)

    def apply(self, tx: Transaction) -> None:
        fields = (FieldInfo("number", "integer"), *((FieldInfo(self.extra, "text"),) if self.extra else ()))
        made = tx.create_layer(NewLayer("案件", "none", fields, role="planning.case"), table="review_case")
        tx.insert(made.id, Batch((), {"number": [self.number]}))


def layer(project: Project, uuid: str) -> LayerInfo:
    return next(one for one in project.layers() if one.uuid == uuid)


def test_what_is_said_of_a_layer_comes_to_the_other(paul: Desk, pia: Desk) -> None:
    plan = PlanInfo("p1", PlanKind.DETAILED, "控规", "city", "2", "2026-01-01")
    paul.project.execute(SetPlan(plan))
    paul.project.execute(SetLayer(paul.layer.id, {"plan_id": "p1", "class_field": "code", "note": "extra value"}))
    paul.project.execute(SetStyle(paul.layer.id, QML.format("one")))
    paul.project.execute(SetLayer(paul.layer.id, {"locked": True}))
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert pia.project.plans() == [plan]
    assert pia.project.style(pia.layer.id) == QML.format("one")
    assert pia.project.extra(pia.layer.id)["note"] == "extra value"
    assert pia.layer.locked
    assert state(pia.project).kind == "synced"


def test_how_layers_are_shown_is_everybodys_own(paul: Desk, pia: Desk) -> None:
    paul.project.execute(SetLayer(paul.layer.id, {"visible": False, "opacity": 0.5}))
    assert state(paul.project).kind == "synced"
    paul.project.execute(RenameLayer(paul.layer.id, "other name"))
    paul.sync()
    pia.sync()
    assert (layer(pia.project, paul.project.layers()[0].uuid).visible, pia.project.layers()[0].opacity) == (True, 1.0)


def test_a_layer_renamed_on_both_sides(paul: Desk, pia: Desk) -> None:
    paul.project.execute(RenameLayer(paul.layer.id, "paul's"))
    pia.project.execute(RenameLayer(pia.layer.id, "pia's"))
    paul.sync()
    (conflict,) = pia.sync().conflicts
    assert (conflict.kind, conflict.column, conflict.base, conflict.mine, conflict.theirs) == (
        "layer", "name", "地块", "pia's", "paul's",
    )  # fmt: skip
    pia.project.execute(ResolveConflicts((conflict.id,), "mine"))
    pia.sync()
    paul.sync()
    assert paul.project.layers()[0].name == "pia's"
    assert_alike(paul, pia)


def test_new_layers_of_every_kind(paul: Desk, pia: Desk) -> None:
    points = [shapely.to_wkb(shapely.Point(500_000 + n, 3_500_000, n), output_dimension=3) for n in range(3)]
    lines = [shapely.to_wkb(shapely.LineString([(500_000, 3_500_000), (500_010 + n, 3_500_000)])) for n in range(3)]
    every = tuple(FieldInfo(kind, kind) for kind in ("integer", "real", "text", "date", "datetime", "boolean", "blob"))
    values = {
        "integer": [-(2**63), 2**63 - 1, None], "real": [5e-324, 1e16, 0.1 + 0.2], "text": ["", "a'\"\\\n字", None],
        "date": ["2024-02-29", None, "0001-01-01"], "datetime": ["2026-01-01T08:00:00+08:00", None, "2026-01-01"],
        "boolean": [True, False, None], "blob": [b"", b"\x00\xff", None],
    }  # fmt: skip
    paul.project.add_layer(NewLayer("井", "point", every), [Batch(points, values)])
    paul.project.add_layer(NewLayer("管线", "line", (FieldInfo("d", "real"),)), [Batch(lines, {"d": [1.0, 2.0, 3.5]})])
    paul.project.add_layer(NewLayer("表", "none", (FieldInfo("x", "text"),)), [Batch((), {"x": ["1", "2"]})])
    paul.project.add_layer(NewLayer("empty", "polygon"), [])
    assert paul.sync().pushed == 4 + 8
    assert pia.sync().pulled == 8
    assert_alike(paul, pia)
    names = [one.name for one in pia.project.layers()]
    assert set(names) == {"井", "管线", "表", "empty", "地块"}
    tables = {one.name: one.id for one in pia.project.layers()}
    pia.project.execute(EditCells(tables["井"], [1], "boolean", [False]))
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)


def test_the_same_layer_made_on_both_sides_is_one(paul: Desk, pia: Desk) -> None:
    paul.project.execute(_Case(1))
    pia.project.execute(_Case(2, extra="remark"))
    paul.sync()
    report = pia.sync()
    assert report.conflicts == ()
    paul.sync()
    assert_alike(paul, pia)
    made = paul.project.read("review_case")
    assert sorted(made.columns["number"]) == [1, 2]
    assert "remark" in made.columns


def test_a_field_comes_with_its_values(paul: Desk, pia: Desk) -> None:
    paul.project.execute(AddField(paul.layer.id, FieldInfo("height", "real", "高度")))
    paul.edit(1, height=12.5)
    paul.sync()
    pia.edit(1, code="pia")
    pia.sync()
    assert pia.cell(1, "height") == 12.5
    assert pia.layer.fields[-1] == FieldInfo("height", "real", "高度")
    paul.sync()
    assert_alike(paul, pia)


def test_a_field_that_another_program_added(paul: Desk, pia: Desk) -> None:
    with foreign(paul.project.path) as other:
        other.execute(f'ALTER TABLE "{paul.layer.id}" ADD COLUMN height DOUBLE')
        other.execute(f'UPDATE "{paul.layer.id}" SET height = 3.5 WHERE storeys < 4')
    paul.project.poll()
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert (pia.cell(3, "height"), pia.cell(4, "height")) == (3.5, None)


def test_a_field_that_another_program_renamed_is_a_new_one_with_its_values(paul: Desk, pia: Desk) -> None:
    with foreign(paul.project.path) as other:
        for name in [row[0] for row in other.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            if name.startswith(f"planner_{paul.layer.id}"):
                other.execute(f'DROP TRIGGER "{name}"')
        other.execute(f'ALTER TABLE "{paul.layer.id}" RENAME COLUMN code TO zone')
    paul.project.poll()
    paul.sync()
    pia.sync()
    assert pia.cell(1, "zone") == "R1"
    assert "code" in [field.name for field in pia.layer.fields]


def test_a_field_of_another_type_stays_here(paul: Desk, pia: Desk) -> None:
    paul.project.execute(AddField(paul.layer.id, FieldInfo("height", "real")))
    pia.project.execute(AddField(pia.layer.id, FieldInfo("Height", "text")))
    paul.edit(1, height=2.5)
    pia.edit(1, Height="tall", code="pia")
    paul.sync()
    report = pia.sync()
    assert [(one.code, one.params["field"]) for one in report.quarantined] == [("sync.field_type", "Height")]
    paul.sync()
    assert (paul.cell(1, "code"), paul.cell(1, "height"), pia.cell(1, "Height")) == ("pia", 2.5, "tall")


def test_a_field_on_both_sides_ignores_case(paul: Desk, pia: Desk) -> None:
    paul.project.execute(AddField(paul.layer.id, FieldInfo("height", "real")))
    pia.project.execute(AddField(pia.layer.id, FieldInfo("HEIGHT", "real")))
    paul.edit(1, height=2.5)
    pia.edit(2, HEIGHT=7.5)
    paul.sync()
    pia.sync()
    paul.sync()
    assert (paul.cell(2, "height"), pia.cell(1, "HEIGHT")) == (7.5, 2.5)
    assert state(pia.project).kind == state(paul.project).kind == "synced"


def test_a_dropped_layer_goes_and_comes_back(paul: Desk, pia: Desk) -> None:
    paul.edit(1, code="before")
    paul.project.execute(DropLayer(paul.layer.id))
    paul.sync()
    pia.sync()
    assert pia.project.layers() == []
    paul.project.undo()
    paul.edit(2, code="after")
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert (pia.cell(1, "code"), pia.cell(2, "code")) == ("before", "after")
    # What is edited in the table that came back is sent like before.
    pia.edit(3, code="pia")
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)


def test_a_layer_edited_here_and_dropped_there_is_kept(paul: Desk, pia: Desk) -> None:
    paul.project.execute(DropLayer(paul.layer.id))
    pia.edit(1, code="pia")
    paul.sync()
    (conflict,) = pia.sync().conflicts
    assert (conflict.kind, conflict.column) == ("layer", "")
    paul.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "code") == "pia"
    pia.project.execute(ResolveConflicts((conflict.id,), "theirs"))
    pia.sync()
    paul.sync()
    assert paul.project.layers() == pia.project.layers() == []


def test_a_layer_replaced(paul: Desk, pia: Desk) -> None:
    paul.project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(4)], replace=paul.layer.id)
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert len(pia.project.layers()) == 1
    assert pia.project.count(pia.layer.id) == 4
    paul.project.undo()
    paul.sync()
    pia.sync()
    assert pia.project.count(pia.layer.id) == 10
    assert_alike(paul, pia)


def test_a_layer_made_and_undone_before_it_was_sent(paul: Desk, pia: Desk) -> None:
    paul.project.add_layer(NewLayer("x", "polygon", FIELDS), [parcels(2)])
    paul.project.undo()
    assert paul.sync().pushed == 0
    paul.project.redo()
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)


def test_a_plan_dropped_there_and_needed_here_is_kept(paul: Desk, pia: Desk) -> None:
    paul.project.execute(SetPlan(PlanInfo("p1", PlanKind.DETAILED, "控规")))
    paul.sync()
    pia.sync()
    pia.project.execute(SetLayer(pia.layer.id, {"plan_id": "p1"}))
    paul.project.undo()  # the plan goes
    paul.sync()
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert [plan.id for plan in paul.project.plans()] == ["p1"]


def test_an_area_and_some_layers(paul: Desk, open_desk: OpenDesk) -> None:
    other = paul.project.add_layer(NewLayer("other", "polygon", FIELDS), [parcels(3)])
    paul.sync()
    here = Scope(frozenset({paul.layer.uuid}), (500_000.0, 3_499_990.0, 500_050.0, 3_500_005.0))
    pia = open_desk("pia", here)
    assert [one.name for one in pia.project.layers()] == ["地块"]
    assert pia.storeys() == [0, 1, 2]
    paul.move(1, 900.0)  # leaves the area
    paul.move(9, 30.0)  # comes into it
    paul.edit(8, code="far away")
    paul.project.execute(EditCells(other.id, [1], "code", ["not held"]))
    paul.sync()
    pia.sync()
    assert pia.storeys() == [0, 2, 9]
    assert state(pia.project).kind == "synced"
    # Edited here, moved out of the area there: the edit arrives, the record stays until it is sent.
    pia.edit(0, code="pia")
    paul.move(0, 800.0)
    paul.sync()
    report = pia.sync()
    assert report.conflicts == ()
    paul.sync()
    assert paul.cell(0, "code") == "pia"
    # Layers made here are held here and sent.
    pia.project.add_layer(NewLayer("mine", "polygon", FIELDS), [parcels(1)])
    pia.sync()
    paul.sync()
    pia.sync()
    assert {one.name for one in paul.project.layers()} == {"地块", "other", "mine"}
    assert {one.name for one in pia.project.layers()} == {"地块", "mine"}
    assert content(paul.project)[other.uuid][3][0][0]


def test_undo_of_a_drop_where_the_layer_has_come_back(paul: Desk, pia: Desk) -> None:
    paul.project.execute(DropLayer(paul.layer.id))
    pia.edit(1, code="pia goes on")
    paul.sync()
    pia.sync()
    paul.sync()
    assert paul.cell(1, "code") == "pia goes on"
    with pytest.raises(PlannerError, match=r"project\.undo_conflict"):
        paul.project.undo()
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)


@pytest.mark.parametrize("act", ["edit", "move", "delete"])
def test_edited_here_and_moved_out_of_the_area_there(paul: Desk, open_desk: OpenDesk, act: str) -> None:
    part = open_desk("pia", Scope(box=(500_000.0, 3_499_990.0, 500_050.0, 3_500_005.0)))
    paul.move(1, 900)
    paul.sync()
    if act == "edit":
        part.edit(1, code="part")
    elif act == "move":
        part.move(1, 25)
    else:
        part.delete(1)
    kinds = [(one.kind, one.column) for one in part.sync().conflicts]
    assert kinds == {"edit": [], "move": [("cell", "geom")], "delete": [("deleted_here", "")]}[act]
    paul.sync()
    mine, theirs = (desk.project.read(desk.layer.id, fids=[desk.fid(1)]) for desk in (part, paul))
    assert (mine.geometry[0], mine.columns) == (theirs.geometry[0], theirs.columns)
    assert paul.cell(1, "code") == ("part" if act == "edit" else "R1")


def test_extra_values_are_merged_one_by_one(paul: Desk, pia: Desk) -> None:
    paul.project.execute(SetLayer(paul.layer.id, {"a": "paul", "shared": "old", "going": "x"}))
    paul.sync()
    pia.sync()
    paul.project.execute(SetLayer(paul.layer.id, {"b": "paul", "shared": "paul"}))
    with foreign(paul.project.path) as other:
        other.execute("UPDATE planner_layer SET extra = json_remove(extra, '$.going')")
    pia.project.execute(SetLayer(pia.layer.id, {"c": "pia"}))
    paul.sync()
    assert pia.sync().conflicts == ()
    paul.sync()
    assert_alike(paul, pia)
    noted = {name: paul.project.extra(paul.layer.id).get(name) for name in ("a", "b", "c", "shared", "going")}
    assert noted == {"a": "paul", "b": "paul", "c": "pia", "shared": "paul", "going": None}
    # The same one on both sides: a conflict, whose choice leaves the others alone.
    for desk, name in ((paul, "paul"), (pia, "pia")):
        desk.project.execute(SetLayer(desk.layer.id, {"shared": f"{name} again", f"own {name}": "1"}))
    paul.sync()
    (conflict,) = pia.sync().conflicts
    assert conflict.column == "extra"
    pia.project.execute(ResolveConflicts((conflict.id,), "mine"))
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    extra = paul.project.extra(paul.layer.id)
    assert (extra["shared"], extra["own paul"], extra["own pia"], extra["c"]) == ("pia again", "1", "1", "pia")


def test_a_copy_of_the_file_from_before_the_server_meets_it_without_a_conflict(
    tmp_path: Path,
) -> None:
    """Passed on by memory stick, and synced by both."""
    fresh = MemoryServer({"paul": "planner", "pia": "planner"})
    with Project.create(tmp_path / "first.planner", "EPSG:4549", "stick") as project:
        project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(10)])
        project.save_copy(tmp_path / "second.planner")
        Syncer(project, fresh.connect("paul")).sync()
    with Project.open(tmp_path / "second.planner") as copy:
        report = Syncer(copy, fresh.connect("pia")).sync()
        assert (report.pulled, report.pushed, report.conflicts) == (0, 0, ())
        assert state(copy).kind == "synced"
    with Project.open(tmp_path / "second.planner") as copy, pytest.raises(PlannerError) as caught:
        Syncer(copy, fresh.connect("pia"), name="else").sync()
    assert caught.value.code == "sync.registered_already"


def test_a_field_whose_making_is_taken_back_comes_back_with_its_values(paul: Desk, pia: Desk) -> None:
    paul.project.execute(AddField(paul.layer.id, FieldInfo("late", "real")))
    paul.edit(1, late=1.5)
    paul.sync()
    paul.project.undo()
    paul.project.undo()
    assert "late" not in [field.name for field in paul.layer.fields]
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "late") == 1.5


def test_a_field_that_nobody_filled_comes_back_too(paul: Desk, pia: Desk) -> None:
    paul.project.execute(AddField(paul.layer.id, FieldInfo("late", "real")))
    paul.sync()
    paul.project.undo()
    assert "late" not in [field.name for field in paul.layer.fields]
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)
    assert "late" in [field.name for field in paul.layer.fields]
