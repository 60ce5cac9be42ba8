"""The field package: handed out, written into without the program, taken in twice, in conflict, damaged, hostile."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.operation import defects, rounds, rows, tables
from plugins.tunnel.model.operation.field_making import field_observation, field_round, make_package
from plugins.tunnel.model.operation.field_merge import decide, take_in
from plugins.tunnel.model.operation.field_package import read_package, write_package
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import Defect, DefectStatus, Observation, Plan

NOBODY = "00000000-0000-4000-8000-000000000000"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def handed(project, tmp_path):
    """A weekly plan and two defects handed out on 2024-10-30."""
    project.set_setting(rounds.DAY_SETTING, "2024-10-30")
    rows.prepare(project)
    plan = Plan(rows.new_id(), "", "每周巡检", "T1", 0.0, 200.0, (), 7, start="2024-10-28")
    project.execute(rounds.SavePlan(rounds.check_plan(project, plan)))
    for m in (50.0, 120.0):
        new = Defect("", "", "T1", m, None, "综合", "顶板", "seepage", 2, text="渗水")
        photo = project.attach(PNG, name="a.png")
        project.execute(defects.new_defect(Places(project), new, by="王工", time="2024-10-20T02:00:00Z", photo=photo))
    path = tmp_path / "xun.fieldpkg"
    make_package(project, path, by="李工")
    return path


def content(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def edit(path: Path, change, target=None) -> Path:
    """Write a package as another program would: only with the JSON."""
    entries = content(path)
    data = json.loads(entries["data.json"])
    change(data)
    entries["data.json"] = json.dumps(data).encode()
    return pack(target or path, entries)


def pack(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in entries.items() if isinstance(entries, dict) else entries:
            archive.writestr(name, value)
    return path


def merged(project, path):
    command = take_in(project, read_package(path))
    if not command.empty:
        project.execute(command)
    return command


def dump(project):
    return {table.name: sorted(rows.read(project, table), key=lambda one: one.id) for table in tables.TABLES}


def first(project):
    return rows.one(project, tables.DEFECTS, "QX-0001")


def test_the_package_says_what_people_need_and_can_be_read_with_a_zip_reader(handed):
    entries = content(handed)
    about, data = json.loads(entries["about.json"]), json.loads(entries["data.json"])
    assert json.loads(entries["manifest.json"])["format"] == "planner-fieldpkg"
    assert hashlib.sha256(entries["base.json"]).hexdigest() == json.loads(entries["manifest.json"])["base_sha256"]
    assert [(one["code"], one["to_m"], one["compartments"]) for one in about["tunnels"]] == [
        ("T1", 200.0, ["综合", "燃气"])
    ]
    assert about["tunnels"][0]["axis"][0] == [0.0, 500000.0, 3000000.0, 0.0]
    assert {(one["table"], one["code"]) for one in about["assets"]} >= {("tunnel_node", "J2")}
    assert [one["state"] for one in about["rounds"]] == ["due"]
    assert [row["m"] for row in data["defect"].values()] == [50.0, 120.0]
    assert entries[f"media/{hashlib.sha256(PNG).hexdigest()}"] == PNG


def test_observations_written_offline_come_in_once(project, handed):
    package = read_package(handed)
    round_ = field_round(package, "", "赵工", "2024-10-30T06:00:00Z")
    photo = PNG + b"1"
    field_observation(
        package,
        round_,
        Observation("", "", "T1", 51.0, "综合", "顶板", "滴漏", "seepage", 3),
        photo=photo,
        same="QX-0001",
    )
    assert field_round(package, "XJ-0001", "赵工", "2024-10-30T07:00:00Z").id == round_.id
    field_observation(package, round_, Observation("", "", "T1", 150.0, text="照明不亮", code="lighting", grade=1))
    write_package(package, handed)
    done = merged(project, handed)
    assert (len(done.inserts), done.conflicts) == (4, ())
    (inspection,) = rows.read(project, tables.INSPECTIONS)
    assert (inspection.number, inspection.by, inspection.from_m, inspection.to_m) == ("XC-0001", "赵工", 0.0, 200.0)
    assert first(project).grade == 3
    assert [one.grade for one in defects.history(project, first(project).id)] == [2, 3]
    assert project.read_attachment(hashlib.sha256(photo).hexdigest()) == photo
    kept = dump(project)
    assert merged(project, handed).empty
    assert dump(project) == kept
    # What the desk does afterwards is no conflict with what it has already taken in.
    (one,) = [seen for seen in rows.read(project, tables.OBSERVATIONS) if seen.code == "lighting"]
    project.execute(defects.defect_of(Places(project), one))
    assert merged(project, handed).empty


def test_an_undone_package_comes_in_again(project, handed):
    package = read_package(handed)
    field_observation(package, field_round(package, "", "赵工"), Observation("", "", "T1", 5.0, text="x"))
    write_package(package, handed)
    merged(project, handed)
    kept = dump(project)
    project.undo()
    assert rows.read(project, tables.OBSERVATIONS) == []
    merged(project, handed)
    assert dump(project)["observation"] == kept["observation"]


def test_both_sides_edited_is_a_conflict_that_a_person_decides(project, handed):
    ids = [one.id for one in rows.read(project, tables.DEFECTS)]

    def change(data):
        data["defect"][ids[0]] |= {"text": "外业：滴水成线", "position": "左侧壁"}
        data["defect"][ids[1]]["text"] = "外业"

    edit(handed, change)
    layer = tables.layer_of(project.layers(), "tunnel.defect").id

    class Desk(defects.CloseDefect):
        def apply(self, tx):
            tx.update(layer, [1], {"text": ["内业：已核实"]})

    project.execute(Desk(ids[0], "李工", rows.now()))
    done = merged(project, handed)
    assert [(one.row, one.column_name) for one in done.conflicts] == [(ids[0], "text")]
    both = rows.read(project, tables.CONFLICTS)[0]
    assert (json.loads(both.base), json.loads(both.ours), json.loads(both.theirs)) == (
        "渗水", "内业：已核实", "外业：滴水成线",
    )  # fmt: skip
    assert (first(project).text, first(project).position) == ("内业：已核实", "左侧壁")
    assert rows.one(project, tables.DEFECTS, ids[1]).text == "外业"
    assert merged(project, handed).empty
    with pytest.raises(PlannerError, match="keep_wrong"):
        decide(project, both, "both", "李工")
    project.execute(decide(project, both, "theirs", "李工"))
    assert first(project).text == "外业：滴水成线"
    with pytest.raises(PlannerError, match="conflict_decided"):
        project.execute(decide(project, both, "ours", "李工"))
    assert merged(project, handed).empty


def test_a_row_the_desk_deleted_and_the_field_changed_is_not_lost(project, handed):
    victim = first(project)
    edit(handed, lambda data: data["defect"][victim.id].update(text="外业"))
    layer = tables.layer_of(project.layers(), "tunnel.defect").id

    class Delete(defects.CloseDefect):
        def apply(self, tx):
            tx.delete(layer, [1])

    project.execute(Delete(victim.id, "李工", rows.now()))
    (conflict,) = merged(project, handed).conflicts
    assert conflict.column_name == "*"
    project.execute(decide(project, conflict, "theirs", "李工"))
    back = rows.one(project, tables.DEFECTS, victim.id)
    assert (back.text, back.number, back.wkb) == ("外业", victim.number, victim.wkb)


def test_examinations_of_both_sides_stand_side_by_side(project, handed):
    package = read_package(handed)
    seen = Observation("", "", "T1", 50.0, "综合", text="加重", code="seepage", grade=4, time="2024-10-30T06:00:00Z")
    field_observation(package, field_round(package, "", "赵工", "2024-10-30T05:00:00Z"), seen, same="QX-0001")
    write_package(package, handed)
    project.execute(defects.examine(first(project), 3, by="李工", time="2024-10-30T09:00:00Z"))
    project.execute(defects.close(first(project), by="李工", time="2024-10-30T05:30:00Z"))
    assert merged(project, handed).conflicts == ()
    after = first(project)
    assert (after.grade, after.last_seen, after.status) == (3, "2024-10-30T09:00:00Z", DefectStatus.OPEN)
    assert sorted(one.grade for one in defects.history(project, after.id)) == [2, 3, 3, 4]


def test_another_projects_package_is_refused(project, handed):
    package = read_package(handed)
    package.manifest["crs"] = "EPSG:4490"
    with pytest.raises(PlannerError, match="field_crs"):
        take_in(project, package)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("m", 5000.0), ("m", "50"), ("m", 10**400), ("grade", 5), ("grade", True), ("tunnel", "T9"),
        ("time", "gestern"), ("text", "x" * 30_000), ("text", "\ud800"), ("text", {"a": 1}),
        ("inspection_id", NOBODY), ("defect_id", NOBODY), ("photo", "0" * 64),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_kept_is_named_and_nothing_comes_in(project, handed, column, value):
    package = read_package(handed)
    field_observation(package, field_round(package, "", "赵工"), Observation("", "", "T1", 5.0, text="x"))
    write_package(package, handed)
    kept = dump(project)
    edit(handed, lambda data: next(iter(data["observation"].values())).update({column: value}))
    with pytest.raises(PlannerError) as error:
        merged(project, handed)
    assert error.value.code == ("tunnel.field_media" if column == "photo" else "tunnel.field_row")
    assert column == "photo" or error.value.params["column"] in (column, "tunnel")
    assert dump(project) == kept


def hostile(entries):
    """Packages that are none, by what is wrong with them."""
    good = list(entries.items())
    bomb = b"\0" * (65 << 20)
    media = f"media/{'0' * 64}"
    return {
        "traversal": [*good, ("../../evil", b"x")],
        "absolute": [*good, ("/evil", b"x")],
        "unknown": [*good, ("readme.txt", b"x")],
        "named_wrong": [*good, (media, PNG)],
        "no_photo": [*good, (f"media/{hashlib.sha256(b'MZ').hexdigest()}", b"MZ")],
        "bomb": [*good, (media, bomb)],
        "base_changed": [(k, b"{}" if k == "base.json" else v) for k, v in good],
        "no_data": [one for one in good if one[0] != "data.json"],
        "no_json": [(k, b"{" if k == "data.json" else v) for k, v in good],
        "nan": [(k, b'{"defect": NaN}' if k == "data.json" else v) for k, v in good],
        "deep": [(k, b"[" * 200_000 if k == "data.json" else v) for k, v in good],
        "other_table": [(k, b'{"planner_meta": {}}' if k == "data.json" else v) for k, v in good],
        "uuid": [(k, b'{"defect": {"../x": {}}}' if k == "data.json" else v) for k, v in good],
        "version": [(k, v.replace(b'"version": 2', b'"version": 3')) for k, v in good],
        "format": [(k, v.replace(b"planner-fieldpkg", b"something-else")) for k, v in good],
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("traversal", "entry"), ("absolute", "entry"), ("unknown", "entry"), ("named_wrong", "hash"),
        ("no_photo", "entry"), ("bomb", "large"), ("base_changed", "hash"), ("no_data", "unreadable"),
        ("no_json", "unreadable"), ("nan", "unreadable"), ("deep", "unreadable"), ("other_table", "entry"),
        ("uuid", "row"), ("version", "version"), ("format", "unreadable"),
    ],
)  # fmt: skip
def test_hostile_packages_are_refused(handed, name, code):
    pack(handed, hostile(content(handed))[name])
    with pytest.raises(PlannerError) as error:
        read_package(handed)
    assert error.value.code == f"tunnel.field_{code}"


def test_a_size_that_lies_and_a_directory_that_is_none_are_bounded(handed, tmp_path):
    data = handed.read_bytes()
    end = data.rfind(b"PK\x05\x06")
    for name, broken in {
        "many": data[: end + 10] + b"\xff\xff" + data[end + 12 :],
        "directory": data[: end + 12] + b"\xff\xff\xff\x7f" + data[end + 16 :],
        "cut": data[: len(data) // 2],
        "empty": b"",
        "garbage": bytes(range(256)) * 40,
        "flipped": data[:60] + bytes(byte ^ 0xFF for byte in data[60:90]) + data[90:],
    }.items():
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(PlannerError, match=r"field_(unreadable|large|entry|hash)"):
            read_package(tmp_path / name)
    with pytest.raises(PlannerError, match="field_unreadable"):
        read_package(tmp_path / "missing")


def test_what_the_field_may_not_write_is_refused_there(handed):
    package = read_package(handed)
    round_ = field_round(package, "", "赵工")
    seen = Observation("", "", "T1", 5.0, "综合", text="x")
    for values, code in (
        ({"m": 500.0}, "m_outside"), ({"grade": 7}, "grade_wrong"), ({"code": "x"}, "defect_code_unknown"),
        ({"compartment": "热力"}, "compartment_kind_unknown"), ({"text": ""}, "observation_empty"),
        ({"tunnel": "T9"}, "tunnel_unknown"),
    ):  # fmt: skip
        with pytest.raises(PlannerError, match=code):
            field_observation(package, round_, replace(seen, **values))
    with pytest.raises(PlannerError, match="record_unknown"):
        field_observation(package, round_, seen, same="QX-0099")
    with pytest.raises(PlannerError, match="photo_unreadable"):
        field_observation(package, round_, seen, photo=b"MZ")
    with pytest.raises(PlannerError, match="record_unknown"):
        field_round(package, "XJ-9", "赵工")


def test_nothing_due_is_nothing_to_hand_out(project, tmp_path):
    with pytest.raises(PlannerError, match="field_nothing"):
        make_package(project, tmp_path / "x.fieldpkg", by="李工")
