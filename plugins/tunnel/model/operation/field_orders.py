"""Work orders in a field package: which go out, what people do to them there, and how they come back.

Gas tests and the entries of an order's life are only ever added, by either side, and stand side by side. Its status is
one thing: where both sides took it on, a person decides, and the life of the side that lost stays in the package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule, in_force
from planner_app.i18n import word_error
from planner_app.plugin_api.model import Project, Transaction
from plugins.tunnel.model.operation import entry, orders, rows, tables
from plugins.tunnel.model.operation.field_package import Package, keep
from plugins.tunnel.model.operation.figures import Book
from plugins.tunnel.model.operation.forms import a_moment
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import ORDER_KINDS, Conflict, OrderStatus, WorkOrder
from plugins.tunnel.model.operation.rounds import photo_type
from plugins.tunnel.model.operation.words import status_word

Cells = dict[str, Any]
Span = tuple[float, float]
#: What goes along of the tunnel on both sides of a work order's place, m.
_AROUND = 100.0
#: What a rule of entry says in its parameters.
_LIMITS = ("gas", "low", "high", "inclusive", "max_min")
_STATUS, _LIFE, _TESTS, _STEPS = "status", "life", "gas_tests", "steps"

# ---------------------------------------------------------------- going out


def chosen_orders(
    book: Book, refs: Sequence[str] | None, spans: Mapping[str, Span], tunnels: Sequence[str], *, everything: bool
) -> list[WorkOrder]:
    """Open orders: those named, else those on the way (``spans``) and in ``tunnels``, else ``everything``.

    Raises:
        PlannerError: ``tunnel.record_unknown``, ``tunnel.order_closed``.
    """
    going = book.open_orders()
    if refs is not None:
        return list({one.id: one for one in (_by_ref(book.orders, ref) for ref in refs)}.values())
    if everything and not tunnels:
        return going
    return [
        one
        for one in going
        if one.tunnel in tunnels
        or (one.tunnel in spans and (one.m is None or spans[one.tunnel][0] - 1 <= one.m <= spans[one.tunnel][1] + 1))
    ]


def _by_ref(every: Sequence[WorkOrder], ref: str) -> WorkOrder:
    folded = ref.strip().casefold()
    for one in every:
        number = one.number.casefold()
        if folded in (one.id, number, number.removeprefix("gd-").lstrip("0")):
            if one.status is OrderStatus.CLOSED:
                raise PlannerError("tunnel.order_closed", number=one.number)
            return one
    known = ", ".join(one.number or one.id for one in every if one.status is not OrderStatus.CLOSED) or "–"
    raise PlannerError(
        "tunnel.record_unknown", id=ref, table=tables.ORDERS.title, table_zh=tables.ORDERS.title_zh, known=known
    )


def with_orders(spans: Mapping[str, Span], work: Sequence[WorkOrder], places: Places) -> dict[str, Span]:
    """Stretches of tunnels that people need to know, orders' places included."""
    found = dict(spans)
    known = {code for code, _ in places.tunnels()}
    for one in work:
        if one.tunnel not in known:
            continue
        low, high = places.axis(one.tunnel).ends
        if one.m is not None:
            low, high = max(low, one.m - _AROUND), min(high, one.m + _AROUND)
        there = found.get(one.tunnel, (low, high))
        found[one.tunnel] = (min(low, there[0]), max(high, there[1]))
    return found


def entry_forms(rules: Sequence[Rule], day: date) -> list[dict[str, Any]]:
    """What a gas test before entry is judged by, for programs that do not have the rules."""
    return [
        {
            "kind": rule.kind, **{name: rule.params.get(name) for name in _LIMITS},
            "unit": rule.unit, "title": {"en": rule.title, "zh": rule.title_zh}, "standard": rule.standard,
            "clause": rule.clause, "blocks": rule.may_block,
        }
        for rule in in_force(rules, day)
        if rule.kind in (entry.LIMIT, entry.AGE)
    ]  # fmt: skip


# ---------------------------------------------------------------- in the field, without a project


def package_orders(package: Package) -> list[WorkOrder]:
    """The orders of a package as the field has them now."""
    every = package.data.get(tables.ORDERS.name, {})
    return [tables.ORDERS.from_plain(uuid, row) for uuid, row in every.items()]


def field_order(package: Package, ref: str) -> WorkOrder:
    """An order of a package by number or id.

    Raises:
        PlannerError: ``tunnel.record_unknown``, ``tunnel.order_closed``.
    """
    return _by_ref(package_orders(package), ref)


def field_do(package: Package, command: Any) -> WorkOrder:
    """Carry out a command on an order (``SetOrder``, ``AddGasTest``, ``AdvanceOrder``) in a package, which is not saved
    by this. A defect that the order closes is closed when the package is taken in.

    Raises:
        PlannerError: those of the command.
    """
    order = next(one for one in package_orders(package) if one.id == command.order_id)
    changed = replace(order, **command.sets(order))
    keep(package, tables.ORDERS, changed)
    return changed


def field_photo(package: Package, path: Path) -> str:
    """Put a photo into a package; returns what its rows call it.

    Raises:
        PlannerError: ``tunnel.photo_unreadable``.
    """
    import hashlib

    try:
        data = path.read_bytes()
    except OSError as error:
        raise PlannerError("tunnel.photo_unreadable", file=path.name, detail=error.strerror or str(error)) from error
    if not photo_type(data):
        raise PlannerError("tunnel.photo_unreadable", file=path.name, detail="JPEG, PNG, WebP")
    digest = hashlib.sha256(data).hexdigest()
    package.new_media[digest] = data
    return digest


# ---------------------------------------------------------------- coming back


def order_cells(base: Cells, theirs: Cells, mine: Cells) -> tuple[Cells, list[str]]:
    """(cells to change, columns a person decides on) of what is more than one cell: tests, steps, status with life."""
    changed: Cells = {}
    both: list[str] = []
    if tests := _added(mine.get(_TESTS), theirs.get(_TESTS), base.get(_TESTS)):
        changed[_TESTS] = sorted(tests, key=lambda one: a_moment(str(one["time"])))
    steps, before, here = (one.get(_STEPS) or [] for one in (theirs, base, mine))
    if steps not in (before, here) and _STEPS in theirs:
        done = [a if a.get("done_at") or not b.get("done_at") else b for a, b in zip(here, steps, strict=False)]
        if here == before:
            changed[_STEPS] = steps
        elif [one.get("text") for one in steps] == [one.get("text") for one in here]:
            changed |= {_STEPS: done} if done != here else {}
        else:
            both.append(_STEPS)
    moved = _STATUS in theirs and theirs[_STATUS] != base.get(_STATUS)
    if moved and mine.get(_STATUS) not in (base.get(_STATUS), theirs[_STATUS]):
        both.append(_STATUS)
    else:
        changed |= {_STATUS: theirs[_STATUS]} if moved and mine.get(_STATUS) != theirs[_STATUS] else {}
        if life := _added(mine.get(_LIFE), theirs.get(_LIFE), base.get(_LIFE)):
            changed[_LIFE] = life
    return changed, both


#: Columns that :func:`order_cells` settles.
TOGETHER = frozenset({_STATUS, _LIFE, _TESTS, _STEPS})


def _added(mine: Any, theirs: Any, base: Any) -> list[Any]:
    """Both sides' entries, the desk's first; empty if the field added none."""
    here, before = mine or [], base or []
    new = [one for one in theirs or [] if one not in here and one not in before]
    return [*here, *new] if new else []


def life_of(tx: Project | Transaction, conflict: Conflict) -> Cells:
    """The life that goes with a status taken from the field: both sides' entries."""
    where = " AND ".join(
        rows.equals(*one)
        for one in (("package", conflict.package), ("row", conflict.row), ("table_name", "work_order"))
    )
    taken = rows.read(tx, tables.FIELD_ROWS, where)
    theirs = json.loads(taken[0].taken).get(_LIFE) if taken else None
    now = rows.read(tx, tables.ORDERS, rows.equals("uuid", conflict.row))
    life = _added(tables.ORDERS.plain(now[0])[_LIFE], theirs, None) if now else []
    return {_LIFE: life} if life else {}


def close_defects(tx: Transaction, order_id: str) -> None:
    """A repair that came back closed closes its defect, as at the desk."""
    found = rows.read(tx, tables.ORDERS, rows.equals("uuid", order_id))
    order = found[0] if found else None
    if order is None or order.status is not OrderStatus.CLOSED or not order.source.startswith("defect:"):
        return
    defect = order.source.removeprefix("defect:")
    if order.life and rows.read(tx, tables.DEFECTS, rows.equals("uuid", defect)):
        orders.repaired(tx, defect, order.life[-1].by, order.life[-1].time, order.number)


def order_checks(order: WorkOrder, base: Cells) -> Iterator[tuple[str, Callable[[], object]]]:
    """(column, check) pairs: what the desk itself would not have kept raises."""
    before = tables.ORDERS.from_plain(order.id, base)
    if not order.title.strip():
        yield "title", lambda: _refuse("tunnel.order_untitled")
    if order.kind not in ORDER_KINDS:
        yield "kind", lambda: _refuse("tunnel.order_kind", kind=order.kind, known=", ".join(ORDER_KINDS))
    permit = order.permit
    if permit is not None and permit != before.permit:
        yield "permit", lambda: orders.check_permit(permit)
    for test in order.gas_tests:
        if test not in before.gas_tests:
            yield _TESTS, lambda test=test: orders.check_test(test)  # type: ignore[misc]
    for step in order.steps:
        if step.done_at:
            yield _STEPS, lambda step=step: a_moment(step.done_at)  # type: ignore[misc]
    if order.life != before.life or order.status is not before.status:
        yield _LIFE, lambda: _check_life(order)
    if order.status is not OrderStatus.OPEN and permit is None:
        yield "permit", lambda: _refuse("tunnel.order_no_permit", number=order.number)
    if order.status in (OrderStatus.DONE, OrderStatus.CLOSED) and not order.result.strip():
        yield "result", lambda: _refuse("tunnel.order_no_result", number=order.number)


def _refuse(code: str, **params: Any) -> None:
    raise PlannerError(code, **params)


def _check_life(order: WorkOrder) -> None:
    """Each entry leads on from the one before it, and the last one is where the order stands."""
    stands: OrderStatus | None = None
    for passed in order.life:
        a_moment(passed.time)
        to = OrderStatus(passed.status) if passed.status in {one.value for one in OrderStatus} else None
        if to is None or not passed.by.strip() or (stands is not None and to not in orders.WAYS[stands]):
            raise PlannerError("tunnel.order_status", status=passed.status, known=", ".join(OrderStatus))
        stands = to
    if stands is not order.status:
        told = status_word(order.status)
        raise PlannerError("tunnel.order_moved", number=order.number, status=told)


def entry_notes(order: WorkOrder, base: Cells, rules: Sequence[Rule]) -> list[tuple[str, dict[str, Any]]]:
    """Work that began in the field although nobody should have gone in: it happened, and the desk is told."""
    before = tables.ORDERS.from_plain(order.id, base).life
    notes = []
    for at, passed in enumerate(order.life):
        began = passed.status == OrderStatus.IN_PROGRESS.value and passed not in before
        if not began or (at and order.life[at - 1].status == OrderStatus.DONE.value):
            continue
        try:
            orders.check_entry(order, rules, a_moment(passed.time))
        except PlannerError as error:
            told = {"number": order.number or order.title, "by": passed.by, "time": passed.time}
            notes.append(("tunnel.field_entry_unsafe", told | {"detail": word_error(error)[0]}))
    return notes
