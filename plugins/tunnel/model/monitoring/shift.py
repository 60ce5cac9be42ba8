"""The shift log: what those on duty note, and how one hands over to the next (交接班).

A hand-over freezes what stood at its moment, so that it still says so when the alarms are long over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model.field_names import field_of
from plugins.tunnel.model.monitoring.engine import Alarm
from plugins.tunnel.model.monitoring.standing import Overview
from plugins.tunnel.model.monitoring.words import clause, limit_text, rule_title

ENTRY_ROLE, HANDOVER_ROLE, ORDER_ROLE = "tunnel.shift_entry", "tunnel.handover", "tunnel.work_order"
_NAMES = {ENTRY_ROLE: "值班记录", HANDOVER_ROLE: "交接班记录"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log. ``at``: ISO 8601 with zone; ``sensor``, ``rule``, ``raised``: the alarm it speaks of."""

    id: str
    at: str = ""
    author: str = ""
    text: str = ""
    sensor: str = ""
    rule: str = ""
    raised: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """From ``giver`` to ``taker`` at ``at``, for the shift since ``since`` (empty: the first one).

    ``alarms``: those that stood (sensor, level, title, raised, value, unit, limit, clause, acknowledged_by);
    ``orders``: work orders that were open (number, title, status, responsible, due); ``figures``: sensors, silent, due.
    """

    id: str
    number: str = ""
    at: str = ""
    since: str = ""
    giver: str = ""
    taker: str = ""
    remark: str = ""
    alarms: tuple[Mapping[str, Any], ...] = ()
    orders: tuple[Mapping[str, Any], ...] = ()
    figures: Mapping[str, Any] | None = None


_JSON = frozenset({"alarms", "orders", "figures"})
_TIMES = frozenset({"at", "since", "raised"})


def new_id() -> str:
    """An id for a new record."""
    return str(uuid4())


def moment() -> str:
    """This moment: ISO 8601, UTC; to the millisecond, as lines are told apart from the hand-over before them by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_entries(project: Project | Transaction) -> list[Entry]:
    """All lines, oldest first."""
    return sorted((Entry(**row) for row in _read(project, ENTRY_ROLE, Entry)), key=lambda one: one.at)


def read_handovers(project: Project | Transaction) -> list[HandOver]:
    """All hand-overs, oldest first."""
    made = []
    for row in _read(project, HANDOVER_ROLE, HandOver):
        row |= {name: _unpacked(row[name]) for name in _JSON}
        made.append(HandOver(**row | {name: tuple(row[name] or ()) for name in ("alarms", "orders")}))
    return sorted(made, key=lambda one: one.at)


def entries_between(entries: Iterable[Entry], since: str, until: str) -> list[Entry]:
    """Lines of a shift: after ``since`` (empty: from the first) until ``until`` (empty: to the last)."""
    return [one for one in entries if one.at > since and (not until or one.at <= until)]


def entry_of(author: str, text: str, alarm: Alarm | None = None) -> Entry:
    """A line of this moment, about an alarm if one is given."""
    if alarm is None:
        return Entry(new_id(), moment(), author, text)
    raised = datetime.fromtimestamp(alarm.raised / 1000, UTC).isoformat(timespec="seconds")
    return Entry(new_id(), moment(), author, text, alarm.code, alarm.rule, raised)


@dataclass(frozen=True)
class AddEntry(Command):
    """Write a line into the shift log.

    Raises:
        PlannerError: ``tunnel.shift_nobody``, ``tunnel.shift_empty``.
    """

    name: ClassVar[str] = "tunnel_shift_entry"
    entry: Entry

    def params(self) -> dict[str, Any]:
        return {"author": self.entry.author}

    def apply(self, tx: Transaction) -> None:
        if not self.entry.author.strip():
            raise PlannerError("tunnel.shift_nobody")
        if not self.entry.text.strip():
            raise PlannerError("tunnel.shift_empty")
        _insert(tx, ENTRY_ROLE, self.entry)


@dataclass(frozen=True)
class HandOverShift(Command):
    """Hand the shift over; its number and the shift's begin are given here.

    Raises:
        PlannerError: ``tunnel.shift_nobody`` without both names, ``tunnel.shift_same`` if they are one person's.
    """

    name: ClassVar[str] = "tunnel_hand_over"
    record: HandOver

    def params(self) -> dict[str, Any]:
        return {"giver": self.record.giver, "taker": self.record.taker}

    def apply(self, tx: Transaction) -> None:
        record = self.record
        giver, taker = record.giver.strip(), record.taker.strip()
        if not giver or not taker:
            raise PlannerError("tunnel.shift_nobody")
        if giver == taker:
            raise PlannerError("tunnel.shift_same", name=giver)
        before = read_handovers(tx)
        highest = max((int(one.number[3:]) for one in before if one.number[3:].isdigit()), default=0)
        since = before[-1].at if before else ""
        _insert(tx, HANDOVER_ROLE, record, number=f"JB-{highest + 1:04d}", since=since, giver=giver, taker=taker)


def open_orders(project: Project) -> list[dict[str, Any]]:
    """Work orders that nobody closed, from the table of work orders if the project has one."""
    layer = _find(project, ORDER_ROLE)
    wanted = ("number", "title", "status", "responsible", "due")
    if layer is None or layer.field("status") is None:
        return []
    there = [name for name in wanted if layer.field(name) is not None]
    found = project.read(layer.id, columns=there, geometry=False)
    rows = [dict(zip(there, row, strict=True)) for row in zip(*(found.columns[name] for name in there), strict=True)]
    return [{name: str(row.get(name) or "") for name in wanted} for row in rows if row["status"] not in ("closed",)]


def handover_of(
    project: Project, overview: Overview, giver: str, taker: str, remark: str = "", at: str = ""
) -> HandOver:
    """The hand-over of this moment: what stands and what is open."""
    alarms = [
        {
            "sensor": one.alarm.code, "level": one.alarm.level, "title": rule_title(overview.rules, one.alarm.rule),
            "raised": datetime.fromtimestamp(one.alarm.raised / 1000, UTC).isoformat(timespec="seconds"),
            "value": one.alarm.value, "unit": one.alarm.unit,
            "limit": limit_text(overview.rules.get(one.alarm.rule), one.alarm), "clause": clause(one.alarm),
            "acknowledged_by": one.ack_by,
        }
        for one in overview.standing
    ]  # fmt: skip
    figures = {
        "sensors": len(overview.sensors),
        "silent": sum(one.silent for one in overview.sensors.values()),
        "due": len(overview.due),
    }
    return HandOver(
        new_id(), at=at or moment(), giver=giver, taker=taker, remark=remark, alarms=tuple(alarms),
        orders=tuple(open_orders(project)), figures=figures,
    )  # fmt: skip


def _find(project: Project | Transaction, role: str) -> LayerInfo | None:
    return next((layer for layer in project.layers() if layer.role == role), None)


def _fields(role: str, record: type) -> tuple[FieldInfo, ...]:
    named = [one.name for one in fields(record) if one.name != "id"]
    table = role.replace(".", "_")
    return tuple(field_of(table, name, "datetime" if name in _TIMES else "text") for name in named)


def _read(project: Project | Transaction, role: str, record: type) -> list[dict[str, Any]]:
    layer = _find(project, role)
    if layer is None:
        return []
    names = [info.name for info in _fields(role, record)]
    found = project.read(layer.id, columns=["uuid", *names], geometry=False)
    rows = zip(*(found.columns[name] for name in names), strict=True)
    return [
        {"id": identity} | {name: "" if value is None else str(value) for name, value in zip(names, row, strict=True)}
        for identity, row in zip(found.columns["uuid"], rows, strict=True)
    ]


def _insert(tx: Transaction, role: str, record: Entry | HandOver, **given: str) -> None:
    layer = _find(tx, role)
    named = _fields(role, type(record))
    if layer is None:
        new = NewLayer(_NAMES[role], "none", named, role=role, label_field="author" if role == ENTRY_ROLE else "number")
        layer = tx.create_layer(new, table=role.replace(".", "_"))
    values = {info.name: given.get(info.name, getattr(record, info.name)) for info in named}
    cells = {
        name: json.dumps(value, ensure_ascii=False, allow_nan=False) if name in _JSON else value or None
        for name, value in values.items()
    }
    tx.insert(layer.id, Batch([None], {name: [value] for name, value in cells.items()}, [record.id]))


def _unpacked(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def find_handover(handovers: Sequence[HandOver], number: str = "") -> HandOver:
    """A hand-over by number, the last one without.

    Raises:
        PlannerError: ``tunnel.handover_unknown``.
    """
    found = [one for one in handovers if one.number == number] if number else list(handovers[-1:])
    if not found:
        raise PlannerError("tunnel.handover_unknown", number=number or "–", count=len(handovers))
    return found[0]
