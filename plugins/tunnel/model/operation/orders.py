"""Work orders: opening them, their permit and gas tests, and the one way from open to closed.

Functions here check what they are given and return commands; whoever has the project executes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule
from planner_app.i18n import word
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model.operation import entry, rows, tables
from plugins.tunnel.model.operation.forms import a_day, a_moment, somebody
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import (
    ORDER_KINDS,
    Defect,
    DefectStatus,
    Examination,
    GasTest,
    OrderStatus,
    Passed,
    Permit,
    Step,
    WorkOrder,
)
from plugins.tunnel.model.operation.words import status_word

if TYPE_CHECKING:
    from plugins.tunnel.model.network.isolation import Isolation

S = OrderStatus
#: Where an order may go from where it stands; the first is the way on, the others lead back.
WAYS: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    S.OPEN: (S.PERMITTED,),
    S.PERMITTED: (S.IN_PROGRESS, S.OPEN),
    S.IN_PROGRESS: (S.DONE,),
    S.DONE: (S.CLOSED, S.IN_PROGRESS),
    S.CLOSED: (),
}


@dataclass(frozen=True)
class OpenOrder(Command):
    """Open a work order."""

    name: ClassVar[str] = "tunnel_open_order"
    order: WorkOrder

    def params(self) -> dict[str, Any]:
        return {"title": self.order.title}

    def apply(self, tx: Transaction) -> None:
        rows.insert(tx, tables.ORDERS, [self.order])


@dataclass(frozen=True)
class SetOrder(Command):
    """Change fields of a work order: its permit, gas tests, steps, who is responsible."""

    name: ClassVar[str] = "tunnel_set_order"
    order_id: str
    values: Mapping[str, Any]
    number: str = ""

    def params(self) -> dict[str, Any]:
        return {"number": self.number, "fields": ", ".join(self.values)}

    def sets(self, order: WorkOrder) -> Mapping[str, Any]:
        """What it makes of an order as it stands."""
        if order.status is S.CLOSED:
            raise PlannerError("tunnel.order_closed", number=order.number)
        return self.values

    def apply(self, tx: Transaction) -> None:
        rows.change(tx, tables.ORDERS, self.order_id, self.sets(rows.find(tx, tables.ORDERS, self.order_id)[2]))


@dataclass(frozen=True)
class AddGasTest(Command):
    """Add a gas test to a work order."""

    name: ClassVar[str] = "tunnel_gas_test"
    order_id: str
    test: GasTest
    number: str = ""

    def params(self) -> dict[str, Any]:
        return {"number": self.number, "place": self.test.place}

    def sets(self, order: WorkOrder) -> Mapping[str, Any]:
        """What it makes of an order as it stands."""
        if order.status is S.CLOSED:
            raise PlannerError("tunnel.order_closed", number=order.number)
        return {"gas_tests": (*order.gas_tests, self.test)}

    def apply(self, tx: Transaction) -> None:
        rows.change(tx, tables.ORDERS, self.order_id, self.sets(rows.find(tx, tables.ORDERS, self.order_id)[2]))


@dataclass(frozen=True)
class AdvanceOrder(Command):
    """A work order takes a step of its life; ``before`` is where it stood when that was decided.

    With ``repaired`` the defect it came from is closed in the same step.
    """

    name: ClassVar[str] = "tunnel_advance_order"
    order_id: str
    before: OrderStatus
    passed: Passed
    values: Mapping[str, Any]
    number: str = ""
    repaired: str = ""

    def params(self) -> dict[str, Any]:
        return {"number": self.number, "status": self.passed.status, "by": self.passed.by}

    def sets(self, order: WorkOrder) -> Mapping[str, Any]:
        """What it makes of an order as it stands."""
        if order.status is not self.before:
            raise PlannerError("tunnel.order_moved", number=order.number, status=status_word(order.status))
        return dict(self.values) | {"status": S(self.passed.status), "life": (*order.life, self.passed)}

    def apply(self, tx: Transaction) -> None:
        order = rows.find(tx, tables.ORDERS, self.order_id)[2]
        rows.change(tx, tables.ORDERS, self.order_id, self.sets(order))
        if self.repaired:
            repaired(tx, self.repaired, self.passed.by, self.passed.time, order.number)


def repaired(tx: Transaction, defect_id: str, by: str, time: str, text: str) -> None:
    """Close a defect; its history says by whom and with which order or words."""
    defect: Defect = rows.find(tx, tables.DEFECTS, defect_id)[2]
    if defect.status is DefectStatus.CLOSED:
        return
    closed = {"status": DefectStatus.CLOSED, "closed_at": time, "closed_by": by}
    rows.change(tx, tables.DEFECTS, defect_id, closed)
    seen = Examination(
        rows.new_id(), defect_id, event="repaired", grade=defect.grade, text=text, by=by, time=time
    )  # fmt: skip
    rows.insert(tx, tables.EXAMINATIONS, [seen])


# ---------------------------------------------------------------- opening


def new_order(
    project: Project,
    title: str,
    *,
    by: str,
    kind: str = "other",
    subject: str = "",
    steps: Sequence[str] = (),
    tunnel: str = "",
    m: float | None = None,
    compartment: str = "",
    source: str = "",
    responsible: str = "",
    due: str = "",
) -> WorkOrder:
    """An order with everything checked, not yet written.

    Args:
        m: chainage in the tunnel; steps: what to do, in order; due: ISO date.

    Raises:
        PlannerError: ``tunnel.order_untitled``, ``tunnel.nobody``, ``tunnel.order_kind``, ``tunnel.date_wrong``, and
            those of :class:`Places` for a place that is none.
    """
    if not title.strip():
        raise PlannerError("tunnel.order_untitled")
    if kind not in ORDER_KINDS:
        raise PlannerError("tunnel.order_kind", kind=kind, known=", ".join(ORDER_KINDS))
    by, due = somebody(by), a_day(due)
    wkb = None
    if tunnel:
        places = Places(project)
        places.axis(tunnel)
        if m is not None:
            m = places.check(tunnel, m)
            wkb = places.wkb(tunnel, m)
    told = tuple(Step(text.strip()) for text in steps if text.strip())
    time = rows.now()
    return WorkOrder(
        rows.new_id(), title=title.strip(), kind=kind, subject=subject, source=source, tunnel=tunnel,
        m=m if tunnel else None, compartment=compartment, responsible=responsible.strip(), due=due, steps=told,
        life=(Passed(S.OPEN.value, by, time),), created_by=by, created_at=time, wkb=wkb,
    )  # fmt: skip


def open_order(project: Project, order: WorkOrder) -> WorkOrder:
    """Write an order (the tables of operation are made if needed); returns it with its number."""
    rows.prepare(project)
    project.execute(OpenOrder(order))
    return rows.one(project, tables.ORDERS, order.id)


def isolation_steps(answer: Isolation) -> tuple[str, ...]:
    """What people do for an isolation, worded: close in order, check what is shut already, restore in reverse."""
    told: list[tuple[str, dict[str, Any]]] = (
        [("tunnel.step_tell", {"count": answer.customers})] if answer.customers else []
    )
    told += [("tunnel.step_critical", {"name": name}) for name in answer.critical]
    told += [("tunnel.step_close", {"valve": valve}) for valve in answer.close]
    told += [("tunnel.step_check_shut", {"valve": valve}) for valve in answer.already_closed]
    told += [("tunnel.step_seized", {"valve": valve}) for valve in answer.seized]
    told += [("tunnel.step_work", {})]
    told += [("tunnel.step_open", {"valve": valve}) for valve in reversed(answer.close)]
    return tuple(word(code, params) for code, params in told)


def isolation_order(
    project: Project,
    answer: Isolation,
    at: str,
    *,
    by: str,
    tunnel: str = "",
    m: float | None = None,
    responsible: str = "",
    due: str = "",
) -> WorkOrder:
    """A work order from an isolation of the place ``at`` (``line:12``), not yet written (see :func:`open_order`)."""
    title = word("tunnel.order_isolation", {"place": at})
    return new_order(
        project, title, by=by, kind="isolation", subject=at, steps=isolation_steps(answer), tunnel=tunnel, m=m,
        source=f"isolation:{at}", responsible=responsible, due=due,
    )  # fmt: skip


# ---------------------------------------------------------------- permit and tests


def check_permit(permit: Permit) -> Permit:
    """The permit if it says who, when and with whom.

    Raises:
        PlannerError: ``tunnel.permit_times``, ``tunnel.permit_nobody`` (``what``: issuer, names, attendant).
    """
    start, end = a_moment(permit.valid_from), a_moment(permit.valid_to)
    if end <= start:
        raise PlannerError("tunnel.permit_times", start=permit.valid_from, end=permit.valid_to)
    missing = [
        what
        for what, there in (
            ("issuer", permit.issued_by.strip()),
            ("names", any(name.strip() for name in permit.names)),
            ("attendant", permit.attendant.strip() or not permit.entry),
        )
        if not there
    ]
    if missing:
        raise PlannerError("tunnel.permit_nobody", what=", ".join(word(f"tunnel.permit_{one}") for one in missing))
    if permit.accepted.strip() and not permit.accepted_by.strip():
        raise PlannerError("tunnel.permit_nobody", what=word("tunnel.permit_accepted_by"))
    return replace(
        permit, valid_from=rows.moment(start), valid_to=rows.moment(end),
        names=tuple(name.strip() for name in permit.names if name.strip()),
        measures=tuple(text.strip() for text in permit.measures if text.strip()),
    )  # fmt: skip


def check_test(test: GasTest) -> GasTest:
    """The test if its readings can be readings.

    Raises:
        PlannerError: ``tunnel.gas_wrong``, ``tunnel.gas_none``, ``tunnel.moment_wrong``, ``tunnel.nobody``.
    """
    for gas in entry.GASES:
        value = getattr(test, gas)
        if value is not None and (not math.isfinite(value) or value < 0 or value > _MOST[gas]):
            raise PlannerError("tunnel.gas_wrong", gas=gas.upper(), value=value, most=_MOST[gas])
    if all(getattr(test, gas) is None for gas in entry.GASES):
        raise PlannerError("tunnel.gas_none")
    return replace(test, time=rows.moment(a_moment(test.time)), by=somebody(test.by))


#: Readings beyond these are typing errors: % vol, %LEL, mg/m³, mg/m³.
_MOST = {"o2": 100.0, "ch4": 100.0, "h2s": 100_000.0, "co": 100_000.0}


def judge_order(order: WorkOrder, rules: Sequence[Rule], at: datetime, city: str = "") -> list[Finding]:
    """Findings on an order's gas tests for entry at a moment; none where nobody goes in."""
    if order.permit is not None and not order.permit.entry:
        return []
    return entry.judge_entry(order.gas_tests, rules, at, city)


def tick(order: WorkOrder, numbers: Sequence[int], by: str, at: str) -> SetOrder:
    """The command that writes steps (counted from 1) down as done.

    Raises:
        PlannerError: ``tunnel.nobody``, ``tunnel.order_step``.
    """
    steps, by = list(order.steps), somebody(by)
    for number in numbers:
        if not 1 <= number <= len(steps):
            raise PlannerError("tunnel.order_step", number=order.number, step=number, count=len(steps))
        steps[number - 1] = replace(steps[number - 1], done_by=by, done_at=at)
    return SetOrder(order.id, {"steps": tuple(steps)}, order.number)


# ---------------------------------------------------------------- its life


def advance(
    order: WorkOrder,
    to: OrderStatus,
    *,
    by: str,
    at: str = "",
    rules: Sequence[Rule] = (),
    city: str = "",
    result: str = "",
    photo: str = "",
    remark: str = "",
    close_defect: bool = True,
) -> AdvanceOrder:
    """The command that takes an order on.

    Args:
        at: the moment, now if empty.
        rules: of kinds ``tunnel.entry.*``, for going in.
        close_defect: closing also closes the defect the order came from.

    Raises:
        PlannerError: ``tunnel.order_way`` (no such step), ``tunnel.order_no_permit``, ``tunnel.permit_over``,
            ``tunnel.entry_refused`` naming gas, value and clause, ``tunnel.entry_no_rules``,
            ``tunnel.order_no_result``.
    """
    by, time = somebody(by), a_moment(at) if at else datetime.now(UTC)
    if to not in WAYS[order.status]:
        ways = ", ".join(status_word(one) for one in WAYS[order.status]) or "–"
        told = {"status": status_word(order.status), "to": status_word(to), "ways": ways}
        raise PlannerError("tunnel.order_way", number=order.number, **told)
    values: dict[str, Any] = {}
    if to is S.PERMITTED:
        check_permit(_permit(order))
    elif to is S.IN_PROGRESS and order.status is S.PERMITTED:
        check_entry(order, rules, time, city)
    elif to is S.DONE:
        if not (result or order.result).strip():
            raise PlannerError("tunnel.order_no_result", number=order.number)
        values = {"result": (result or order.result).strip(), "photo": photo or order.photo}
    defect = order.source.removeprefix("defect:") if order.source.startswith("defect:") else ""
    return AdvanceOrder(
        order.id, order.status, Passed(to.value, by, rows.moment(time), remark.strip()), values, order.number,
        defect if to is S.CLOSED and close_defect else "",
    )  # fmt: skip


def check_entry(order: WorkOrder, rules: Sequence[Rule], at: datetime, city: str = "") -> None:
    """Pass if work may begin now.

    Raises:
        PlannerError: as :func:`advance` says.
    """
    permit = _permit(order)
    start, end = a_moment(permit.valid_from), a_moment(permit.valid_to)
    if not start <= at <= end:
        raise PlannerError(
            "tunnel.permit_over", number=order.number, start=permit.valid_from, end=permit.valid_to, at=rows.moment(at)
        )
    if not permit.entry:
        return
    if not entry.covers_all_gases(rules, at.date(), city):
        raise PlannerError("tunnel.entry_no_rules")
    against = entry.refusals(entry.judge_entry(order.gas_tests, rules, at, city), permit.accepted)
    if against:
        told = [word(one.message, dict(one.params or {})) for one in against]
        clause = ", ".join(dict.fromkeys(f"{one.standard} {one.clause}".strip() for one in against))
        raise PlannerError("tunnel.entry_refused", number=order.number, reasons="; ".join(told), clause=clause)


def _permit(order: WorkOrder) -> Permit:
    if order.permit is None:
        raise PlannerError("tunnel.order_no_permit", number=order.number)
    return order.permit
