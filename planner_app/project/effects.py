"""What an entry of the log did to the rows of each table, how it left them, and how they are now."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from planner_app.domain.changeset import RowChange
from planner_app.project import capture
from planner_app.project.changelog import LogReader, LogRow, Net, Span, fold, tables_of, without_ghosts
from planner_app.project.geometry import to_wkb
from planner_app.project.reading import FID_LIST, fid_text
from planner_app.project.schema import REGISTRY
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote

#: Registry cells that only say how a layer is shown: changing them does not stand on the layer's making.
_VIEW_STATE = frozenset(REGISTRY["planner_layer"][1].index(name) for name in ("position", "visible", "opacity"))


@dataclass(slots=True)
class Effect:
    """What an entry did to one table.

    Attributes:
        slots: the table's live columns and their slots.
        nets: what it did to each row in the end, by fid.
        left: cells as it left them, by fid and slot, where anything was logged since.
        later: log rows of these fids written after it.
        now: the rows as they are: the cells of ``left`` (all that matter if read in full), by fid and slot.
    """

    table: str
    slots: dict[str, int]
    nets: dict[int, Net]
    left: dict[int, dict[int, Any]] = field(default_factory=dict)
    later: list[LogRow] = field(default_factory=list)
    now: dict[int, dict[int, Any]] = field(default_factory=dict)

    def fids(self, operation: str) -> list[int]:
        """Rows with that net operation."""
        return [fid for fid, net in self.nets.items() if net.operation == operation]

    def standing(self) -> set[int]:
        """Fids whose row is not as the entry left it, in the cells it touched: later edits stand on them.

        Values are compared, not log rows: an edit that was itself undone does not stand in the way.
        """
        found = set()
        for fid, net in self.nets.items():
            now, left = self.now.get(fid), self.left.get(fid, {})
            if (now is None) != (net.operation == "delete"):
                found.add(fid)
            elif now is not None and left:
                cells = set(left) if net.operation == "insert" else left.keys() & net.old.keys()
                if self.table == "planner_layer" and net.operation == "insert":
                    cells -= _VIEW_STATE
                if any(slot in now and not _same(left[slot], now[slot]) for slot in cells):
                    found.add(fid)
        return found


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def effects(connection: sqlite3.Connection, span: Span, *, full: bool = False) -> list[Effect]:
    """The effect of an entry on each table it touched.

    Args:
        full: read the present value of every cell the entry set, for showing it.
    """
    return [_effect(connection, span, *numbered, full) for numbered in tables_of(connection, span).items()]


def _effect(connection: sqlite3.Connection, span: Span, number: int, table: str, full: bool) -> Effect:
    slots, ever = capture.slots(connection, table), capture.slots_ever(connection, table)
    reader = LogReader(connection, ever)
    where, values = span.where()
    effect = Effect(table, slots, fold(reader.rows(f"{where} AND tbl = ?", (*values, number))))
    fids = fid_text(effect.nets)
    if connection.execute(
        "SELECT 1 FROM planner_log WHERE seq > ? AND tbl = ? LIMIT 1", (span.last, number)
    ).fetchone():
        later = reader.rows(f"seq > ? AND tbl = ? AND fid IN {FID_LIST}", (span.last, number, fids))
        effect.later = list(without_ghosts(later))
    for row in effect.later:
        cells = effect.left.setdefault(row.fid, {})
        for slot, value in row.old.items():
            cells.setdefault(slot, value)
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
        return effect
    wanted = {slot for cells in effect.left.values() for slot in cells}
    if full:
        wanted |= {slot for net in effect.nets.values() for slot in net.old} | {slots.get("uuid", 0)}
        if effect.fids("insert"):
            wanted |= set(slots.values())
    names = {slot: name for name, slot in slots.items() if slot in wanted}
    key = quote(capture.key_of(table))
    targets = column_list([capture.key_of(table), *names.values()])
    found = connection.execute(f"SELECT {targets} FROM {quote(table)} WHERE {key} IN {FID_LIST}", (fids,))
    effect.now = {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
    return effect


def row_changes(connection: sqlite3.Connection, span: Span) -> list[RowChange]:
    """What an entry did to each row, with old and new values."""
    changes = []
    for effect in effects(connection, span, full=True):
        names = {slot: name for name, slot in effect.slots.items()}
        for fid, net in sorted(effect.nets.items()):
            left, now = effect.left.get(fid, {}), effect.now.get(fid, {})
            new: dict[int, Any] = {}
            if net.operation != "delete":
                after = {slot: left.get(slot, now.get(slot)) for slot in names}
                new = after if net.operation == "insert" else {slot: after.get(slot) for slot in net.old}
            old = {names[slot]: _readable(value, names[slot]) for slot, value in net.old.items() if slot in names}
            fresh = {names[slot]: _readable(value, names[slot]) for slot, value in new.items() if slot in names}
            if net.operation == "update":
                same = [name for name in old if _same(old[name], fresh.get(name))]
                for name in same:
                    del old[name], fresh[name]
            identity = left.get(0, now.get(0, net.old.get(0))) if effect.slots.get("uuid") == 0 else ""
            changes.append(RowChange(effect.table, fid, str(identity or ""), net.operation, old, fresh))
    return changes


def _readable(value: Any, name: str) -> Any:
    return to_wkb(value) if name == "geom" and isinstance(value, bytes) else value
