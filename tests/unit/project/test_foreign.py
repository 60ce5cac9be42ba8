"""What other programs write is captured, grouped, shown and undone like our own."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer
from planner_app.project import AddField, EditCells, Project, identity
from tests.helpers.project_files import FIELDS, assert_whole, everything, foreign, parcels

_BOX = "CastToMulti(BuildMbr(500000, 3500000, 500001, 3500001, 4549))"


def test_foreign_edits_are_one_entry_and_undone(project: Project, layer: LayerInfo) -> None:
    before = everything(project, layer.id)
    with foreign(project.path) as other:
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'QGIS', far = far / 3 WHERE fid < 4")
        other.execute(f'UPDATE "{layer.id}" SET geom = {_BOX} WHERE fid = 5')
        other.execute(f'DELETE FROM "{layer.id}" WHERE fid = 6')
        other.execute(f"INSERT INTO \"{layer.id}\" (code, geom) VALUES ('new', {_BOX})")
    entry = project.log()[0]
    assert (entry.origin, entry.command, entry.params) == ("foreign", "foreign_edit", {"layer": "地块"})
    assert entry.rows == 6
    operations = sorted(row.operation for row in project.rows_of(entry.id))
    assert operations == ["delete", "insert", "update", "update", "update", "update"]
    assert project.can_undo() == "add_layer"  # Ctrl+Z is for one's own
    undone = project.undo_entry(entry.id)
    assert everything(project, layer.id) == before
    project.undo_entry(undone.id)
    assert project.read(layer.id, fids=[1, 11]).columns["code"] == ["QGIS", "new"]
    project.undo_entry(entry.id)
    assert everything(project, layer.id) == before
    assert_whole(project)


def test_groups_end_at_pauses_tables_and_our_own_commands(project: Project, layer: LayerInfo) -> None:
    second = project.add_layer(NewLayer("b", "polygon", FIELDS), [parcels(3)])
    with foreign(project.path) as other:
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'a' WHERE fid = 1")
        other.execute(f"UPDATE \"{second.id}\" SET code = 'b' WHERE fid = 1")
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'c' WHERE fid = 2")
        assert [(e.params["layer"], e.rows) for e in project.log(2)] == [("b", 1), ("地块", 2)]
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'd' WHERE fid = 3")  # within two seconds: the same entry
        assert [(e.params["layer"], e.rows) for e in project.log(2)] == [("b", 1), ("地块", 3)]
        project.execute(EditCells(layer.id, [9], "code", ["ours"]))
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'e' WHERE fid = 4")
        assert [e.rows for e in project.log(2)] == [1, 1]
        time.sleep(2.1)
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'f' WHERE fid = 5")
    assert [e.command for e in project.log(3)] == ["foreign_edit", "foreign_edit", "edit_cells"]
    assert_whole(project)


def test_poll_tells_what_others_did(project: Project, layer: LayerInfo) -> None:
    assert project.poll() == []
    project.execute(EditCells(layer.id, [1], "code", ["ours"]))
    assert project.poll() == []
    with foreign(project.path) as other:
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'a' WHERE fid IN (1, 2)")
        (changes,) = project.poll()
        assert changes.command == "foreign_edit"
        assert [(t.table, t.updated, t.fids) for t in changes.touches] == [(layer.id, 2, (1, 2))]
        assert project.poll() == []
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'b' WHERE fid = 3")
        (changes,) = project.poll()
        assert [t.fids for t in changes.touches] == [(3,)]
    with Project.open(project.path, user="wang") as second:
        second.execute(EditCells(layer.id, [4], "far", [1.0]))
        second.add_layer(NewLayer("neu", "none"), [])
    edit, added = project.poll()
    assert (edit.command, edit.touches[0].fids, edit.registry) == ("edit_cells", (4,), False)
    assert (added.command, added.registry) == ("add_layer", True)
    assert project.layer("neu")
    assert project.count(layer.id) == 10


def test_counts_and_rows_follow_others(project: Project, layer: LayerInfo) -> None:
    assert project.count(layer.id) == 10
    assert len(project.fid_list(layer.id, filter_text="R1")) == 3
    with foreign(project.path) as other:
        other.execute(f'DELETE FROM "{layer.id}" WHERE fid < 4')
    assert project.count(layer.id) == 7
    assert len(project.fid_list(layer.id, filter_text="R1")) == 2


@pytest.mark.parametrize("given", ["NULL", "''", "'no uuid'", "'{same}'", "upper('{same}')"])
def test_identities_are_repaired(project: Project, layer: LayerInfo, given: str) -> None:
    (same,) = project.read(layer.id, columns=["uuid"], fids=[1], geometry=False).columns["uuid"]
    value = given.format(same=same)
    with foreign(project.path) as other:
        other.execute(f'INSERT INTO "{layer.id}" (uuid, code) VALUES ({value}, 1)')  # paste, split
        other.execute(f'UPDATE "{layer.id}" SET uuid = {value} WHERE fid = 2')
    uuids = project.read(layer.id, columns=["uuid"], geometry=False).columns["uuid"]
    assert len(set(uuids)) == 11
    assert all(identity.is_uuid(uuid) for uuid in uuids)
    assert uuids[0] == same
    assert_whole(project)


def test_replaced_rows_are_not_lost(project: Project, layer: LayerInfo) -> None:
    before = everything(project, layer.id)
    with foreign(project.path) as other:
        other.execute(f"INSERT OR REPLACE INTO \"{layer.id}\" (fid, code, geom) VALUES (3, 'ghost', {_BOX})")
        other.execute(f"INSERT OR IGNORE INTO \"{layer.id}\" (fid, code) VALUES (4, 'nothing')")
        other.execute(
            f"INSERT INTO \"{layer.id}\" (fid, code) VALUES (5, 'x') ON CONFLICT (fid) DO UPDATE SET far = 7.5"
        )
        other.execute(f'UPDATE "{layer.id}" SET fid = 50 WHERE fid = 7')
        other.execute(f'UPDATE OR REPLACE "{layer.id}" SET fid = 8 WHERE fid = 9')
    rows = {row.fid: row for row in project.rows_of(project.log()[0].id)}
    assert {fid: row.operation for fid, row in rows.items()} == {
        3: "update", 5: "update", 7: "delete", 50: "insert", 8: "update", 9: "delete",
    }  # fmt: skip
    assert rows[3].old["code"] == "R2"
    assert rows[5].old == {"far": 0.4}
    assert rows[8].new["code"] == "R2"
    project.undo_entry(project.log()[0].id)
    assert everything(project, layer.id) == before
    assert_whole(project)


def test_foreign_styles_and_registry_edits_are_captured(project: Project, layer: LayerInfo) -> None:
    with foreign(project.path) as other:
        other.execute(
            "INSERT INTO layer_styles (f_table_name, f_geometry_column, styleName, styleQML, useAsDefault) "
            f"VALUES ('{layer.id}', 'geom', 'from QGIS', '<qgis version=\"3\"/>', 1)"
        )
    assert project.style(layer.id) == '<qgis version="3"/>'
    (changes,) = project.poll()
    assert changes.registry
    project.undo_entry(project.log()[0].id)
    assert project.style(layer.id) == ""
    assert_whole(project)


def test_foreign_edit_does_not_survive_under_an_undo(project: Project, layer: LayerInfo) -> None:
    ours = project.execute(EditCells(layer.id, [1], "code", ["ours"]))
    with foreign(project.path) as other:
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'theirs' WHERE fid = 1")
    with pytest.raises(PlannerError) as caught:
        project.undo()
    assert caught.value.code == "project.undo_conflict"
    assert [e["command"] for e in caught.value.params["entries"]] == ["foreign_edit"]  # type: ignore[attr-defined]
    project.undo_entry(project.log()[0].id)
    project.undo_entry(ours.id)
    assert project.read(layer.id, fids=[1]).columns["code"] == ["R0"]


def test_a_field_added_by_others_is_taken_over(project: Project, layer: LayerInfo) -> None:
    path = project.path
    with foreign(path) as other:
        other.execute(f'ALTER TABLE "{layer.id}" ADD COLUMN height DOUBLE')
        other.execute(f'UPDATE "{layer.id}" SET height = 12 WHERE fid = 1')
    assert [result.name for result in project.verify() if not result.ok] == ["layers"]
    edit, fields = project.poll()
    assert edit.touches[0].fids == (1,)  # found, though there was no trigger for the column yet
    assert fields.registry
    (row,) = project.rows_of(edit.id)
    assert (row.old, row.new) == ({"height": None}, {"height": 12.0})
    project.undo_entry(edit.id)
    assert project.read(layer.id, fids=[1]).columns["height"] == [None]
    assert project.layer(layer.id).fields[-1].name == "height"
    assert_whole(project)
    with foreign(path) as other:
        other.execute(f'ALTER TABLE "{layer.id}" ADD COLUMN note TEXT')
    project.close()
    with Project.open(path) as again:
        assert again.layer(layer.id).fields == (*FIELDS, FieldInfo("height", "real"), FieldInfo("note", "text"))
        with foreign(path) as other:
            other.execute(f'UPDATE "{layer.id}" SET height = 99 WHERE fid = 1')
        (row,) = again.rows_of(again.log()[0].id)
        assert (row.old, row.new) == ({"height": None}, {"height": 99.0})
        assert_whole(again)


def test_a_field_dropped_by_others(project: Project, layer: LayerInfo) -> None:
    path = project.path
    edit = project.execute(EditCells(layer.id, [1], "far", [9.0]))
    with foreign(path) as other:
        with pytest.raises(sqlite3.OperationalError):
            other.execute(f'ALTER TABLE "{layer.id}" DROP COLUMN far')  # the triggers stand in the way: nothing is lost
        for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if name.startswith(f"planner_{layer.id}_"):
                other.execute(f'DROP TRIGGER "{name}"')  # as programs do that write tables anew
        other.execute(f'ALTER TABLE "{layer.id}" DROP COLUMN far')
    project.close()
    with Project.open(path) as again:
        assert [field.name for field in again.layer(layer.id).fields] == ["code", "storeys", "photo"]
        assert_whole(again)
        with pytest.raises(PlannerError, match="undo_gone"):
            again.undo_entry(edit.id)
        again.execute(AddField(layer.id, FieldInfo("far", "text")))
        again.execute(EditCells(layer.id, [1], "code", ["R8"]))
        again.undo()
        assert again.read(layer.id, fids=[1]).columns["code"] == ["R0"]
        assert_whole(again)


def test_a_renamed_field_keeps_its_history(project: Project, layer: LayerInfo) -> None:
    path = project.path
    edit = project.execute(EditCells(layer.id, [1], "code", ["A"]))
    with foreign(path) as other:
        other.execute(f'ALTER TABLE "{layer.id}" RENAME COLUMN code TO landuse')
    project.close()
    with Project.open(path) as again:
        assert again.rows_of(edit.id)[0].old == {"landuse": "R0"}
        again.undo()
        assert again.read(layer.id, fids=[1]).columns["landuse"] == ["R0"]
        assert_whole(again)


def test_our_triggers_never_raise(project: Project, layer: LayerInfo) -> None:
    """A trigger that stops a save makes QGIS lose it in silence."""
    with closing(sqlite3.connect(project.path)) as connection:
        ours = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'planner%'")
        bodies = [row[0] for row in ours]
    assert len(bodies) > 20
    assert not [body for body in bodies if "RAISE" in body.upper()]
