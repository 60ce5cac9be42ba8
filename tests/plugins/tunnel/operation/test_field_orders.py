"""Work orders in the field package: out with their forms, worked on without a project, back to the desk."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.operation import defects, orders, rounds, rows, tables
from plugins.tunnel.model.operation.field_making import make_package
from plugins.tunnel.model.operation.field_merge import decide, take_in
from plugins.tunnel.model.operation.field_orders import field_do, field_order, field_photo
from plugins.tunnel.model.operation.field_package import read_package, write_package
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import Defect, DefectStatus, GasTest, OrderStatus, Permit, Step

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
AT = "2024-10-30T02:00:00Z"
PERMIT = Permit(True, "2024-10-30T01:00:00Z", "2024-10-30T09:00:00Z", "李工", ("赵工", "钱工"), "孙工", ("通风",))
GOOD = GasTest("2024-10-30T01:50:00Z", "K0+050", 20.9, 0.0, 0.0, 1.0, "孙工", "四合一")
S = OrderStatus


@pytest.fixture
def handed(project, tmp_path, rules):
    """A repair at K0+050, an order of another place and a closed one; the package has what is open."""
    project.set_setting(rounds.DAY_SETTING, "2024-10-30")
    rows.prepare(project)
    new = Defect("", "", "T1", 50.0, None, "综合", "顶板", "seepage", 3, text="渗水")
    project.execute(defects.new_defect(Places(project), new, by="王工", time="2024-10-20T02:00:00Z"))
    (defect,) = rows.read(project, tables.DEFECTS)
    for title, given in (
        ("堵漏", {"tunnel": "T1", "m": 50.0, "source": f"defect:{defect.id}", "steps": ["清理", "注浆"]}),
        ("检修阀门", {"kind": "isolation", "subject": "line:12"}),
        ("旧单", {}),
    ):
        orders.open_order(project, orders.new_order(project, title, by="王工", **given))
    closed = rows.one(project, tables.ORDERS, "3")
    project.execute(Raw(closed.id, {"status": S.CLOSED, "result": "x"}))
    path = tmp_path / "gong.fieldpkg"
    make_package(project, path, by="李工", rules=rules)
    return path


class Raw(orders.SetOrder):
    """Writes whatever, as another program may."""

    def sets(self, order):
        return self.values


def order(project, number="1"):
    return rows.one(project, tables.ORDERS, number)


def in_package(path, *steps: Any):
    package = read_package(path)
    for step in steps:
        field_do(package, step(field_order(package, "GD-0001")))
    write_package(package, path)
    return package


def permitted(one):
    step = orders.advance(replace(one, permit=PERMIT), S.PERMITTED, by="李工", at="2024-10-30T01:00:00Z")
    return replace(step, values={"permit": PERMIT})


def with_test(one):
    return orders.AddGasTest(one.id, GOOD)


def begun(rules):
    return lambda one: orders.advance(one, S.IN_PROGRESS, by="赵工", at=AT, rules=rules)


def merged(project, path, rules=None):
    command = take_in(project, read_package(path), rules=rules)
    if not command.empty:
        project.execute(command)
    return command


def test_open_orders_go_out_with_their_forms(project, handed, rules):
    package = read_package(handed)
    assert [row["title"] for row in package.data["work_order"].values()] == ["堵漏", "检修阀门"]
    assert {one["gas"] for one in package.about["entry"] if one["gas"]} == {"o2", "ch4", "h2s", "co"}
    assert all(one["title"]["zh"] and one["standard"] for one in package.about["entry"])
    assert [row["text"] for row in package.data["defect"].values()] == ["渗水"]
    assert [one["code"] for one in package.about["tunnels"]] == ["T1"]
    only = make_package(project, handed.with_name("one.fieldpkg"), by="李工", orders=["GD-0002"], rules=rules)
    assert [row["title"] for row in only.data["work_order"].values()] == ["检修阀门"]
    assert only.data["inspection_plan"] == only.data["defect"] == {}
    for ref, code in (("3", "tunnel.order_closed"), ("99", "tunnel.record_unknown")):
        with pytest.raises(PlannerError) as error:
            make_package(project, handed, by="李工", orders=[ref])
        assert error.value.code == code


def test_an_order_goes_its_way_in_the_field_and_comes_back_with_everything(project, handed, rules, tmp_path):
    photo = tmp_path / "p.png"
    photo.write_bytes(PNG)
    package = in_package(handed, permitted, with_test, begun(rules), lambda one: orders.tick(one, [1, 2], "赵工", AT))
    seen = field_photo(package, photo)
    one = field_order(package, "1")
    for to, result, shown in ((S.DONE, "已注浆", seen), (S.CLOSED, "", "")):
        one = field_do(package, orders.advance(one, to, by="李工", at=AT, result=result, photo=shown))
    write_package(package, handed)
    done = merged(project, handed, rules)
    assert (len(done.updates), done.conflicts, done.notes) == (1, (), ())
    back = order(project)
    assert back == replace(one, wkb=back.wkb)
    assert back.wkb
    assert [entry.status for entry in back.life] == ["open", "permitted", "in_progress", "done", "closed"]
    assert back.permit == PERMIT
    assert back.gas_tests == (GOOD,)
    assert all(step.done_by == "赵工" for step in back.steps)
    assert project.read_attachment(back.photo) == PNG
    (defect,) = rows.read(project, tables.DEFECTS)
    assert (defect.status, defect.closed_by) == (DefectStatus.CLOSED, "李工")
    assert defects.history(project, defect.id)[-1].event == "repaired"
    assert merged(project, handed, rules).empty
    project.undo()
    assert order(project).status is S.OPEN
    assert rows.read(project, tables.DEFECTS)[0].status is DefectStatus.OPEN


def test_nobody_goes_in_in_the_field_without_a_test(handed, rules):
    with pytest.raises(PlannerError) as error:
        in_package(handed, permitted, begun(rules))
    assert error.value.code == "tunnel.entry_refused"


def test_tests_and_steps_of_both_sides_stand_side_by_side(project, handed):
    in_package(handed, permitted, with_test, lambda one: orders.tick(one, [2], "赵工", AT))
    early = replace(GOOD, time="2024-10-30T01:20:00Z", place="K0+040")
    project.execute(orders.AddGasTest(order(project).id, early))
    project.execute(orders.tick(order(project), [1], "李工", AT))
    project.execute(orders.SetOrder(order(project).id, {"responsible": "周工"}))
    assert merged(project, handed).conflicts == ()
    after = order(project)
    assert after.gas_tests == (early, GOOD)
    assert after.steps == (Step("清理", "李工", AT), Step("注浆", "赵工", AT))
    assert (after.status, after.responsible, after.permit) == (S.PERMITTED, "周工", PERMIT)


@pytest.mark.parametrize("keep", ["ours", "theirs"])
def test_an_order_that_both_sides_took_on_is_one_conflict(project, handed, rules, keep):
    in_package(handed, permitted, with_test, begun(rules))
    mine = replace(PERMIT, names=("吴工",))
    step = orders.advance(replace(order(project), permit=mine), S.PERMITTED, by="周工", at="2024-10-30T00:30:00Z")
    project.execute(replace(step, values={"permit": mine}))
    found = {one.column_name: one for one in merged(project, handed).conflicts}
    assert set(found) == {"status", "permit"}
    assert (order(project).status, order(project).permit, len(order(project).life)) == (S.PERMITTED, mine, 2)
    for one in found.values():
        project.execute(decide(project, one, keep, "李工"))
    after = order(project)
    assert (after.status, after.permit) == ((S.PERMITTED, mine) if keep == "ours" else (S.IN_PROGRESS, PERMIT))
    if keep == "theirs":
        assert [one.status for one in after.life] == ["open", "permitted", "permitted", "in_progress"]
    assert merged(project, handed).empty


def test_an_order_the_desk_deleted_can_come_back(project, handed):
    in_package(handed, permitted)
    victim = order(project)
    layer = tables.layer_of(project.layers(), "tunnel.work_order").id

    class Delete(orders.SetOrder):
        def apply(self, tx):
            tx.delete(layer, [1])

    project.execute(Delete(victim.id, {}))
    (conflict,) = merged(project, handed).conflicts
    project.execute(decide(project, conflict, "theirs", "李工"))
    assert (order(project).status, order(project).wkb) == (S.PERMITTED, victim.wkb)


def test_work_that_began_unsafely_is_taken_in_and_said(project, handed, rules):
    bad = replace(GOOD, o2=17.0)
    passed = orders.advance(replace(order(project), permit=PERMIT), S.PERMITTED, by="李工", at=AT).passed

    def went(one):
        life = (*one.life, passed, replace(passed, status="in_progress", by="赵工"))
        return Raw(one.id, {"permit": PERMIT, "gas_tests": (bad,), "status": S.IN_PROGRESS, "life": life})

    in_package(handed, went)
    ((code, told),) = merged(project, handed, rules).notes
    assert (code, told["number"], told["by"]) == ("tunnel.field_entry_unsafe", "GD-0001", "赵工")
    assert order(project).status is S.IN_PROGRESS


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""}, {"kind": "nonsense"}, {"tunnel": "T9"}, {"m": 5000.0}, {"status": "nonsense"},
        {"status": "done"}, {"status": "permitted"}, {"life": [{"status": "open", "by": "", "time": AT}]},
        {"gas_tests": [{"time": AT, "o2": 900.0, "by": "x"}]}, {"gas_tests": [{"time": "gestern", "o2": 20.0}]},
        {"permit": {"valid_from": AT, "valid_to": AT}}, {"permit": "yes"}, {"steps": {"a": 1}}, {"photo": "0" * 64},
        {"life": [{"status": "open", "by": "x", "time": AT}, {"status": "done", "by": "x", "time": AT}],
         "status": "done", "result": "x", "permit": {"entry": False}},
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_kept_is_named_and_nothing_comes_in(project, handed, change):
    kept = {table.name: rows.read(project, table) for table in tables.TABLES}
    with zipfile.ZipFile(handed) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    data = json.loads(entries["data.json"])
    data["work_order"][order(project).id].update(change)
    with zipfile.ZipFile(handed, "w") as archive:
        for name, value in (entries | {"data.json": json.dumps(data).encode()}).items():
            archive.writestr(name, value)
    with pytest.raises(PlannerError) as error:
        merged(project, handed)
    assert error.value.code == ("tunnel.field_media" if "photo" in change else "tunnel.field_row")
    assert {table.name: rows.read(project, table) for table in tables.TABLES} == kept


def test_a_package_of_before_is_still_taken_in(project, handed):
    with zipfile.ZipFile(handed) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    import hashlib

    for name in ("base.json", "data.json"):
        plain = json.loads(entries[name])
        plain.pop("work_order")
        entries[name] = json.dumps(plain).encode()
    manifest = json.loads(entries["manifest.json"])
    manifest |= {"version": 1, "base_sha256": hashlib.sha256(entries["base.json"]).hexdigest()}
    with zipfile.ZipFile(handed, "w") as archive:
        for name, value in (entries | {"manifest.json": json.dumps(manifest).encode()}).items():
            archive.writestr(name, value)
    assert merged(project, handed).empty


def test_the_verb_hands_out_works_offline_and_takes_in(tunnel, run, tmp_path):
    run("tunnel", "orders", tunnel, "--new", "堵漏", "--tunnel", "T1", "--m", "50", "--step", "注浆", "--by", "王工")
    package, photo = tmp_path / "a.fieldpkg", tmp_path / "p.png"
    photo.write_bytes(PNG)
    made = run("tunnel", "field", tunnel, "--out", package, "--by", "李工")
    assert made["work_order"] == 1
    field = ("tunnel", "field", package, "--order", "1", "--by", "赵工")
    window = ("2024-10-30T08:00:00+08:00", "2024-10-30T18:00:00+08:00")
    run(*field, "--permit", *window, "--names", "赵工", "--attendant", "孙工", "--status", "permitted",
        "--at", "2024-10-30T08:00:00+08:00")  # fmt: skip
    refused = run(*field, "--status", "in_progress", "--at", "2024-10-30T09:00:00+08:00", code=2)
    assert refused["error"]["code"] == "tunnel.entry_refused"
    run(*field, "--gas", "o2=20.9 ch4=0 h2s=0 co=1", "--at", "2024-10-30T08:55:00+08:00")
    run(*field, "--status", "in_progress", "--at", "2024-10-30T09:00:00+08:00")
    told = run(*field, "--did", "1", "--status", "done", "--result", "已注浆", "--photo", photo,
               "--at", "2024-10-30T11:00:00+08:00")  # fmt: skip
    assert told["order"]["status"] == "done"
    assert [one["status"] for one in run("tunnel", "field", package)["orders"]] == ["done"]
    taken = run("tunnel", "field", tunnel, "--take-in", package)
    assert (taken["changed"], taken["conflicts"], taken["notes"]) == (1, [], [])
    (back,) = run("tunnel", "orders", tunnel)["orders"]
    assert (back["status"], back["result"], back["steps"][0]["done_by"]) == ("done", "已注浆", "赵工")
    assert run(*field, "--did", "7", code=2)["error"]["code"] == "tunnel.order_step"
