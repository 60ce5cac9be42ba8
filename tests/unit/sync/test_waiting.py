"""What waits for a person: conflicts and records held back; choosing and mending are edits that can be undone."""

from __future__ import annotations

import struct

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.project import SetLayer
from planner_app.sync.client.conflicts import ResolveConflicts, conflicts
from planner_app.sync.client.quarantine import Fix, FixQuarantined, converted, quarantine
from planner_app.sync.client.session import state
from tests.helpers.desks import Desk, assert_alike
from tests.helpers.project_files import assert_whole, foreign, square


@pytest.fixture
def clash(paul: Desk, pia: Desk) -> int:
    """Both changed one cell; pia has synced. Its conflict's id."""
    paul.edit(1, code="paul")
    pia.edit(1, code="pia")
    paul.sync()
    return pia.sync().conflicts[0].id


def test_mine_theirs_or_a_third_value(paul: Desk, pia: Desk, clash: int) -> None:
    pia.project.execute(ResolveConflicts((clash,), "mine", {clash: "both"}))
    assert conflicts(pia.project) == []
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "code") == "both"
    with pytest.raises(PlannerError) as caught:
        pia.project.execute(ResolveConflicts((clash,), "mine"))
    assert caught.value.code == "sync.conflict_unknown"


def test_a_choice_can_be_undone(paul: Desk, pia: Desk, clash: int) -> None:
    pia.project.execute(ResolveConflicts((clash,), "mine"))
    assert pia.cell(1, "code") == "pia"
    pia.project.undo()
    assert (pia.cell(1, "code"), [one.id for one in conflicts(pia.project)]) == ("paul", [clash])
    pia.project.redo()
    assert (pia.cell(1, "code"), conflicts(pia.project)) == ("pia", [])
    assert_whole(pia.project)


def test_theirs_writes_nothing(paul: Desk, pia: Desk, clash: int) -> None:
    pia.project.execute(ResolveConflicts((clash,), "theirs"))
    assert (conflicts(pia.project), state(pia.project).kind) == ([], "synced")
    pia.project.undo()
    assert len(conflicts(pia.project)) == 1


def test_a_waiting_conflict_shows_what_the_server_has_now(paul: Desk, pia: Desk, clash: int) -> None:
    paul.edit(1, code="newer")
    paul.sync()
    (one,) = pia.sync().conflicts
    assert (one.id, one.base, one.mine, one.theirs) == (clash, "R1", "pia", "newer")
    pia.edit(1, code="again")
    paul.edit(1, code="newest")
    paul.sync()
    first, second = pia.sync().conflicts
    assert (first.mine, first.theirs) == ("pia", "newest")
    assert (second.base, second.mine, second.theirs) == ("newer", "again", "newest")


def test_a_record_with_a_waiting_conflict_is_not_deleted_from_elsewhere(paul: Desk, pia: Desk, clash: int) -> None:
    paul.delete(1)
    paul.sync()
    assert sorted(one.kind for one in pia.sync().conflicts) == ["cell", "deleted_there"]
    assert 1 in pia.storeys()
    pia.project.execute(ResolveConflicts((clash,), "mine"))
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "code") == "pia"


def test_both_sides_are_chosen_in_one_step(paul: Desk, pia: Desk) -> None:
    for desk, code, x in ((paul, "paul", 300.0), (pia, "pia", 400.0)):
        desk.edit(1, code=code)
        desk.move(1, x)
    paul.sync()
    found = {one.column: one for one in pia.sync().conflicts}
    shape = found["geom"]
    ids = tuple(one.id for one in found.values())
    steps = len(pia.project.log(100))
    pia.project.execute(ResolveConflicts(ids, "theirs", {shape.id: shape.mine}))
    assert len(pia.project.log(100)) == steps + 1
    assert conflicts(pia.project) == []
    pia.project.undo()
    assert len(conflicts(pia.project)) == 2
    pia.project.redo()
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert (paul.cell(1, "code"), paul.project.extent(paul.layer.id)[2]) == ("paul", 500_410.0)


def test_geometries_conflict_as_a_whole(paul: Desk, pia: Desk) -> None:
    paul.move(1, 300.0)
    pia.move(1, 400.0)
    paul.sync()
    (one,) = pia.sync().conflicts
    assert [shapely.from_wkb(value).bounds[0] for value in (one.base, one.mine, one.theirs)] == [
        500_020.0, 500_400.0, 500_300.0,
    ]  # fmt: skip
    pia.project.execute(ResolveConflicts((one.id,), "mine", {one.id: square(350.0, 0)}))
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert paul.project.extent(paul.layer.id)[2] == 500_360.0


@pytest.mark.parametrize(
    ("kind", "choice"), [("here", "mine"), ("here", "theirs"), ("there", "mine"), ("there", "theirs")]
)
def test_deleted_or_kept(paul: Desk, pia: Desk, kind: str, choice: str) -> None:
    deleter, editor = (pia, paul) if kind == "here" else (paul, pia)
    deleter.delete(1)
    editor.edit(1, code="edited")
    paul.sync()
    (one,) = pia.sync().conflicts
    pia.project.execute(ResolveConflicts((one.id,), choice))
    pia.sync()
    paul.sync()
    assert_alike(paul, pia)
    assert (1 in paul.storeys()) == ((kind, choice) in (("here", "theirs"), ("there", "mine")))


# records held back

POISON = {
    "integer": ("storeys", "'many'"), "real": ("far", "'2,5'"), "text": ("code", "CAST(x'66ff' AS TEXT)"),
    "nul": ("code", "CAST(x'610062' AS TEXT)"), "blob": ("photo", "'text'"),
}  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
def test_a_wrong_value_blocks_no_other(paul: Desk, pia: Desk, poison: str) -> None:
    column, value = POISON[poison]
    fid = paul.fid(1)
    with foreign(paul.project.path) as other:
        other.execute(f'UPDATE "{paul.layer.id}" SET "{column}" = {value} WHERE fid = ?', (fid,))
    paul.edit(2, code="good")
    report = paul.sync()
    assert [(q.code, q.fid, q.params["field"], q.refused) for q in report.quarantined] == [
        ("sync.wrong_value", fid, column, False)
    ]
    assert (report.pushed, state(paul.project).to_push, state(paul.project).quarantined) == (1, 0, 1)
    pia.sync()
    assert pia.cell(2, "code") == "good"
    # It is looked at again with every sync, and others' changes reach it.
    pia.edit(1, **{"photo": b"pia"} if column != "photo" else {"code": "pia"})
    pia.sync()
    assert len(paul.sync().quarantined) == 1
    paul.project.execute(FixQuarantined((quarantine(paul.project)[0].id,), "clear"))
    assert paul.sync().quarantined == ()
    pia.sync()
    assert_alike(paul, pia)


def test_fixes(paul: Desk, pia: Desk) -> None:
    fid = paul.fid(1)

    def broken(value: object) -> int:
        with foreign(paul.project.path) as other:
            other.execute(f'UPDATE "{paul.layer.id}" SET far = ? WHERE fid = ?', (value, fid))
        return paul.sync().quarantined[0].id

    paul.project.execute(FixQuarantined((broken("about 2.5"),), "discard"))
    assert (paul.cell(1, "far"), paul.sync().quarantined, state(paul.project).kind) == (0.1, (), "synced")
    with foreign(paul.project.path) as other:
        other.execute(f'UPDATE "{paul.layer.id}" SET storeys = "7.0 " WHERE fid = ?', (fid,))
    held = paul.sync().quarantined
    assert not held  # SQLite made a number of it
    one = broken("x")
    with pytest.raises(PlannerError) as caught:
        paul.project.execute(FixQuarantined((one,), "repair"))
    assert caught.value.code == "sync.no_fix"
    paul.project.execute(FixQuarantined((one,), "convert"))
    assert paul.sync().quarantined == ()
    pia.sync()
    assert_alike(paul, pia)


@pytest.mark.parametrize(
    ("value", "kind", "made"),
    [
        ("12.6", "integer", 13), ("9007199254740993", "integer", 9007199254740993), ("x", "integer", None),
        (" 2.5", "real", 2.5), ("是", "boolean", 1), ("2026年3月1日", "date", "2026-03-01"),
        ("2026/13/1", "date", None),
        (5, "text", "5"), ("t", "blob", b"t"), ("a\x00b", "text", "ab"), (b"\xff", "text", "\ufffd"),
    ],
)  # fmt: skip
def test_conversions(value: object, kind: str, made: object) -> None:
    assert converted(value, kind) == made  # type: ignore[arg-type]


def _blob(wkb: bytes) -> bytes:
    head = struct.pack("<BBi4dB", 0, 1, 4549, 500_000, 3_500_000, 500_010, 3_500_010, 0x7C)
    return head + wkb[1:9] + b"\x69" + wkb[10:] + b"\xfe"


@pytest.mark.parametrize(
    ("what", "fix", "left"), [("unclosed", "repair", True), ("nan", "clear", False), ("unclosed", "discard", True)]
)
def test_geometries_that_sqlite_takes_and_nobody_else(paul: Desk, pia: Desk, what: str, fix: Fix, left: bool) -> None:
    ring = [
        (500_000, 3_500_000),
        (500_010, 3_500_000),
        (500_010, 3_500_010),
        (500_000, 3_500_010),
        (500_000, 3_500_000),
    ]
    if what == "nan":
        ring[2] = (float("nan"), 3_500_010)
    points = ring[:4] if what == "unclosed" else ring
    wkb = struct.pack("<BIIBIII", 1, 6, 1, 1, 3, 1, len(points)) + b"".join(struct.pack("<2d", *p) for p in points)
    fid = paul.fid(1)
    with foreign(paul.project.path) as other:
        other.execute(f'UPDATE "{paul.layer.id}" SET geom = ? WHERE fid = ?', (_blob(wkb), fid))
    paul.edit(2, code="good")
    report = paul.sync()
    assert [q.code for q in report.quarantined] == ["sync.wrong_geometry" if what == "unclosed" else "sync.not_finite"]
    assert report.pushed == 1
    paul.project.execute(FixQuarantined((report.quarantined[0].id,), fix))
    assert paul.sync().quarantined == ()
    pia.sync()
    assert_alike(paul, pia)
    assert (paul.project.read(paul.layer.id, fids=[fid]).geometry[0] is not None) == left


def test_identities(paul: Desk, pia: Desk) -> None:
    first, second, third = (paul.fid(n) for n in (1, 2, 3))
    uuid = paul.project.read(paul.layer.id, columns=["uuid"], fids=[first]).columns["uuid"][0]
    with paul.project.door.write() as connection:  # as a program that drops our triggers would
        connection.execute("UPDATE planner_state SET txn = 0")
        connection.execute(f'UPDATE "{paul.layer.id}" SET uuid = ? WHERE fid = ?', (uuid, second))
        connection.execute(f'UPDATE "{paul.layer.id}" SET uuid = ? WHERE fid = ?', ("no uuid", third))
        connection.execute("UPDATE planner_state SET txn = NULL")
    report = paul.sync()
    assert sorted(q.code for q in report.quarantined) == ["sync.uuid_twice", "sync.uuid_wrong"]
    paul.project.execute(FixQuarantined(tuple(q.id for q in report.quarantined), "repair"))
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)


def test_a_whole_layer_with_a_bad_row(paul: Desk, pia: Desk) -> None:
    from planner_app.domain.layer import NewLayer
    from tests.helpers.project_files import FIELDS, parcels

    made = paul.project.add_layer(NewLayer("new", "polygon", FIELDS), [parcels(5)])
    with foreign(paul.project.path) as other:
        other.execute(f"UPDATE \"{made.id}\" SET storeys = 'x' WHERE fid = 3")
    report = paul.sync()
    assert (report.pushed, [q.fid for q in report.quarantined]) == (5, [3])
    pia.sync()
    assert pia.project.count(made.id) == 4
    paul.edit(1, code="else")
    assert len(paul.sync().quarantined) == 1
    paul.project.execute(FixQuarantined((quarantine(paul.project)[0].id,), "clear"))
    paul.sync()
    pia.sync()
    assert_alike(paul, pia)


def test_all_mine_where_the_record_was_deleted_since(paul: Desk, pia: Desk, clash: int) -> None:
    pia.delete(1)
    report = pia.sync(resolve="ours")
    paul.sync()
    assert (report.conflicts, report.pushed) == ((), 1)
    assert_alike(paul, pia)
    assert 1 not in paul.storeys()


def test_all_mine_where_a_deleted_record_came_back_with_cells_that_wait(paul: Desk, pia: Desk, clash: int) -> None:
    pia.delete(1)
    paul.edit(1, code="newer")
    paul.sync()
    assert {one.kind for one in pia.sync().conflicts} == {"cell", "deleted_here"}
    assert pia.sync(resolve="ours").conflicts == ()
    paul.sync()
    assert_alike(paul, pia)
    assert 1 not in paul.storeys()


def test_what_cannot_be_settled_blocks_nothing(paul: Desk, pia: Desk, clash: int) -> None:
    paul.project.execute(SetLayer(paul.layer.id, {"locked": True}))
    paul.sync()
    (one,) = pia.sync(resolve="ours").conflicts
    assert one.id == clash
    paul.project.execute(SetLayer(paul.layer.id, {"locked": False}))
    paul.sync()
    assert pia.sync(resolve="ours").conflicts == ()
    paul.sync()
    assert_alike(paul, pia)
    assert paul.cell(1, "code") == "pia"
