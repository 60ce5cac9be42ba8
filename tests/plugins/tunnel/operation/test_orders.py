"""Work orders: what they are opened from, who may go in, and the one way from open to closed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from plugins.tunnel.model.network.isolation import Isolation
from plugins.tunnel.model.operation import entry, orders, rows, tables
from plugins.tunnel.model.operation.records import GasTest, OrderStatus, Permit

S = OrderStatus
AT = datetime(2024, 10, 30, 2, 0, tzinfo=UTC)
PERMIT = Permit(
    valid_from="2024-10-30T01:30:00Z", valid_to="2024-10-30T08:00:00Z", issued_by="李工", names=("王工", "赵工"),
    attendant="孙工", measures=("强制通风 30 min",),
)  # fmt: skip
GOOD = GasTest("2024-10-30T01:45:00Z", "K0+100", 20.9, 0.0, 0.0, 1.0, "王工")


def an_order(project, **values):
    return orders.open_order(project, orders.new_order(project, "更换支架", by="王工", **values))


def walk(project, order, to, **values):
    """The order after a step."""
    project.execute(orders.advance(order, to, by="李工", **values))
    return rows.one(project, tables.ORDERS, order.id)


def refused(order, rules, at=AT):
    with pytest.raises(PlannerError) as error:
        orders.advance(order, S.IN_PROGRESS, by="王工", at=rows.moment(at), rules=rules)
    return error.value


def test_an_order_is_kept_with_its_place_and_can_be_undone(project):
    order = an_order(project, tunnel="T1", m=50.0, steps=["挂牌", " ", "更换"])
    assert (order.number, order.status, [step.text for step in order.steps]) == ("GD-0001", S.OPEN, ["挂牌", "更换"])
    assert order.wkb is not None
    assert [rows.one(project, tables.ORDERS, ref).id for ref in ("1", "gd-0001", order.id)] == [order.id] * 3
    project.undo()
    assert rows.read(project, tables.ORDERS) == []
    project.redo()
    assert rows.read(project, tables.ORDERS) == [order]


def test_an_isolation_becomes_an_order_with_its_steps(project):
    told = {"close": ("F1", "F2"), "already_closed": ("F3",), "customers": 12, "critical": ("医院",), "seized": ("F9",)}
    answer = Isolation(**{one.name: told.get(one.name, ()) for one in fields(Isolation)})
    order = orders.open_order(project, orders.isolation_order(project, answer, "line:L1", by="王工"))
    assert (order.kind, order.source, order.subject) == ("isolation", "isolation:line:L1", "line:L1")
    named = [name for step in order.steps for name in ("医院", "F1", "F2", "F3", "F9") if name in step.text]
    assert named == ["医院", "F1", "F2", "F3", "F9", "F2", "F1"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"tunnel": "T9"}, "tunnel.tunnel_unknown"),
        ({"tunnel": "T1", "m": 200.2}, "tunnel.m_outside"),
        ({"tunnel": "T1", "m": float("nan")}, "tunnel.m_outside"),
        ({"kind": "nonsense"}, "tunnel.order_kind"),
        ({"due": "2024-13-01"}, "tunnel.date_wrong"),
        ({"by": " "}, "tunnel.nobody"),
    ],
)
def test_bad_values_are_refused(project, values, code):
    with pytest.raises(PlannerError) as error:
        orders.new_order(project, "检修", **({"by": "王工"} | values))
    assert error.value.code == code


def test_the_way_from_open_to_closed(project, rules):
    order = an_order(project)
    for wrong in (S.IN_PROGRESS, S.DONE, S.CLOSED, S.OPEN):
        with pytest.raises(PlannerError, match="order_way"):
            orders.advance(order, wrong, by="王工")
    with pytest.raises(PlannerError, match="order_no_permit"):
        orders.advance(order, S.PERMITTED, by="王工")
    project.execute(orders.SetOrder(order.id, {"permit": orders.check_permit(PERMIT)}))
    project.execute(orders.AddGasTest(order.id, orders.check_test(GOOD)))
    order = walk(project, rows.one(project, tables.ORDERS, order.id), S.PERMITTED)
    order = walk(project, order, S.IN_PROGRESS, at=rows.moment(AT), rules=rules)
    with pytest.raises(PlannerError, match="order_no_result"):
        orders.advance(order, S.DONE, by="王工")
    order = walk(project, walk(project, order, S.DONE, result="已更换"), S.CLOSED)
    assert [one.status for one in order.life] == ["open", "permitted", "in_progress", "done", "closed"]
    assert (order.result, order.permit, order.gas_tests) == ("已更换", PERMIT, (GOOD,))
    with pytest.raises(PlannerError, match="order_closed"):
        project.execute(orders.SetOrder(order.id, {"title": "x"}))


def test_a_step_that_somebody_else_took_first_is_refused(project):
    order = an_order(project)
    project.execute(orders.SetOrder(order.id, {"permit": PERMIT}))
    order = rows.one(project, tables.ORDERS, order.id)
    step = orders.advance(order, S.PERMITTED, by="李工")
    project.execute(step)
    with pytest.raises(PlannerError, match="order_moved"):
        project.execute(step)


def permitted(project, permit=PERMIT, tests=(GOOD,)):
    order = an_order(project)
    return replace(order, status=S.PERMITTED, permit=permit, gas_tests=tuple(tests))


def test_entry_is_refused_without_a_test_and_names_every_clause(project, rules):
    error = refused(permitted(project, tests=()), rules)
    assert error.code == "tunnel.entry_refused"
    for clause in ("GB/T 50493-2019 5.5.2", "GB 50838-2015 7.5.8", "GBZ 2.1-2019"):
        assert clause in error.params["clause"]


@pytest.mark.parametrize("gas", entry.GASES)
def test_a_gas_nobody_measured_is_no_pass(project, rules, gas):
    assert refused(permitted(project, tests=[replace(GOOD, **{gas: None})]), rules).code == "tunnel.entry_refused"


@pytest.mark.parametrize(
    ("reading", "refuses", "blocks"),
    [
        ({"o2": 19.5}, False, False), ({"o2": 19.4}, True, True), ({"o2": 23.5}, False, False),
        ({"o2": 23.6}, True, False), ({"ch4": 10.0}, False, False), ({"ch4": 10.1}, True, False),
        ({"ch4": 19.9}, True, False), ({"ch4": 20.0}, True, True), ({"h2s": 9.9}, False, False),
        ({"h2s": 10.0}, True, True), ({"co": 20.0}, False, False), ({"co": 20.1}, True, False),
    ],
)  # fmt: skip
def test_limits_and_what_an_issuer_may_accept(project, rules, reading, refuses, blocks):
    """Rules that are not sure enough to block alone are refused, too, until the issuer accepts them in writing."""
    tests = [replace(GOOD, **reading)]
    accepted = replace(PERMIT, accepted="持续通风", accepted_by="李工")
    for permit, expected in ((PERMIT, refuses), (accepted, blocks)):
        order = permitted(project, permit, tests)
        if expected:
            assert refused(order, rules).code == "tunnel.entry_refused"
        else:
            assert orders.advance(order, S.IN_PROGRESS, by="王工", at=rows.moment(AT), rules=rules)


def test_the_newest_test_of_each_place_counts_and_none_from_after_the_entry(rules):
    bad = replace(GOOD, o2=18.0)
    later = replace(GOOD, time="2024-10-30T01:50:00Z")

    def verdicts(*tests):
        found = entry.judge_entry(tests, rules, AT)
        return {one.verdict for one in found if one.rule == "entry.o2_low"}

    assert verdicts(bad, later) == verdicts(later, bad) == {Verdict.PASS}
    assert verdicts(later, replace(bad, time="2024-10-30T02:10:00Z")) == {Verdict.PASS}
    assert verdicts(later, replace(bad, place="K0+180")) == {Verdict.PASS, Verdict.FAIL}
    assert verdicts(replace(later, time="2024-10-30T02:10:00Z")) == {Verdict.CANNOT_JUDGE}


def test_an_old_test_and_a_permit_of_another_time_are_refused(project, rules):
    old = replace(GOOD, time="2024-10-30T01:29:00Z")
    assert "31.0 min" in refused(permitted(project, tests=[old]), rules).params["reasons"]
    for hours in (-1, 7):
        assert refused(permitted(project), rules, AT + timedelta(hours=hours)).code == "tunnel.permit_over"


def test_without_rules_for_every_gas_nobody_goes_in(project, rules):
    some = [rule for rule in rules if rule.id != "entry.co"]
    assert refused(permitted(project), some).code == "tunnel.entry_no_rules"


def test_outside_work_needs_no_gas_test(project):
    order = permitted(project, replace(PERMIT, entry=False, attendant=""), tests=())
    assert orders.advance(order, S.IN_PROGRESS, by="王工", at=rows.moment(AT)).passed.status == "in_progress"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"valid_to": PERMIT.valid_from}, "tunnel.permit_times"),
        ({"valid_from": "heute"}, "tunnel.moment_wrong"),
        ({"issued_by": ""}, "tunnel.permit_nobody"),
        ({"names": (" ",)}, "tunnel.permit_nobody"),
        ({"attendant": ""}, "tunnel.permit_nobody"),
        ({"accepted": "ja"}, "tunnel.permit_nobody"),
    ],
)
def test_a_permit_says_who_when_and_with_whom(values, code):
    with pytest.raises(PlannerError) as error:
        orders.check_permit(replace(PERMIT, **values))
    assert error.value.code == code


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"o2": 101.0}, "tunnel.gas_wrong"), ({"co": -1.0}, "tunnel.gas_wrong"),
        ({"h2s": float("nan")}, "tunnel.gas_wrong"), ({"by": ""}, "tunnel.nobody"),
        ({"time": "x"}, "tunnel.moment_wrong"),
        ({"o2": None, "ch4": None, "h2s": None, "co": None}, "tunnel.gas_none"),
    ],
)  # fmt: skip
def test_readings_that_cannot_be_are_refused(values, code):
    with pytest.raises(PlannerError) as error:
        orders.check_test(replace(GOOD, **values))
    assert error.value.code == code
