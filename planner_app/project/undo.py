"""Taking an entry back: old values are written over what it left, and that is an entry of its own.

Redo is the undo of the undo. Nothing is ever overwritten that came later: a cell, or a row, that no longer is as the
entry left it stands on it, and the undo is refused naming the entries that touched it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from planner_app.domain.changeset import RowChange
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.project import capture, spatial
from planner_app.project.changelog import LogReader, LogRow, Net, Span, entries, fold, tables_of, without_ghosts
from planner_app.project.geometry import to_wkb
from planner_app.project.reading import FID_LIST, fid_text
from planner_app.project.schema import REGISTRY
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import marks, quote
from planner_app.project.transaction import add_column, drop_column

#: Registry cells that only say how a layer is shown: changing them does not stand on the layer's making.
_VIEW_STATE = frozenset(REGISTRY["planner_layer"][1].index(name) for name in ("position", "visible", "opacity"))


@dataclass(slots=True)
class _TableState:
    """One table of an entry: what the entry did, how it left the rows, how they are now."""

    table: str
    slots: dict[str, int]
    nets: dict[int, Net]
    #: cells as the entry left them, by fid and slot, where anything was logged since
    left: dict[int, dict[int, Any]] = field(default_factory=dict)
    #: log rows written after the entry
    later: list[LogRow] = field(default_factory=list)
    now: dict[int, dict[int, Any]] = field(default_factory=dict)


def _state(connection: sqlite3.Connection, span: Span, number: int, table: str) -> _TableState:
    reader = LogReader(connection)
    slots = capture.slots(connection, table)
    where, values = span.where()
    rows = reader.rows(f"{where} AND tbl = ?", (*values, number), slots.values())
    state = _TableState(table, slots, fold(rows))
    fids = fid_text(state.nets)
    key = quote(capture.key_of(table))
    later = reader.rows(f"seq > ? AND tbl = ? AND fid IN {FID_LIST}", (span.first, number, fids), slots.values())
    own = (lambda row: row.txn is None) if span.foreign else (lambda row: row.txn == span.id)
    state.later = [row for row in without_ghosts(later) if not (row.seq <= span.last and own(row))]
    for row in state.later:
        cells = state.left.setdefault(row.fid, {})
        for slot, value in row.old.items():
            cells.setdefault(slot, value)
    exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if exists:
        names = list(slots)
        found = connection.execute(
            f"SELECT {key}{', ' if names else ''}{column_list(names)} FROM {quote(table)} WHERE {key} IN {FID_LIST}",
            (fids,),
        )
        state.now = {row[0]: dict(zip(slots.values(), row[1:], strict=True)) for row in found}
    return state


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def _standing(state: _TableState) -> set[int]:
    """Fids whose row is not as the entry left it, in the cells the entry touched."""
    standing = set()
    for fid, net in state.nets.items():
        now, left = state.now.get(fid), state.left.get(fid, {})
        if (now is None) != (net.operation == "delete"):
            standing.add(fid)
        elif now is not None:
            cells = set(left) if net.operation == "insert" else left.keys() & net.old.keys()
            if state.table == "planner_layer" and net.operation == "insert":
                cells -= _VIEW_STATE
            if any(slot in now and not _same(left[slot], now[slot]) for slot in cells):
                standing.add(fid)
    return standing


def _edits_of_added_layers(connection: sqlite3.Connection, layers: _TableState, span: Span) -> set[int]:
    """Log rows of later edits to layers that the entry made: they stand on it as well."""
    seqs: set[int] = set()
    for fid, net in layers.nets.items():
        row = connection.execute("SELECT id FROM planner_layer WHERE fid = ?", (fid,)).fetchone()
        if net.operation != "insert" or row is None:
            continue
        number = capture.number_of(connection, row[0])
        found = connection.execute(
            "SELECT min(log.seq) FROM planner_log AS log JOIN planner_txn AS entry "
            "ON entry.undone_by IS NULL AND entry.undoes IS NULL AND (entry.id = log.txn OR (log.txn IS NULL "
            "AND entry.tbl = log.tbl AND log.seq BETWEEN entry.first_seq AND entry.last_seq)) "
            "WHERE log.tbl = ? AND log.seq > ?",
            (number, span.last),
        ).fetchone()[0]
        if found is not None:
            seqs.add(found)
    return seqs


def revert(connection: sqlite3.Connection, span: Span) -> None:
    """Write back what an entry changed, inside the running transaction.

    Raises:
        PlannerError: ``project.undo_conflict`` (with the later entries), ``project.undo_gone`` where a table or field
            that the entry touched no longer exists.
    """
    states = [_state(connection, span, number, table) for number, table in tables_of(connection, span).items()]
    blocking: set[int] = set()
    rows = 0
    for state in states:
        standing = _standing(state)
        rows += len(standing)
        blocking |= {row.seq for row in state.later if row.fid in standing}
    layers = next((s for s in states if s.table == "planner_layer"), None)
    columns = next((s for s in states if s.table == "planner_column"), None)
    if layers is not None:
        edits = _edits_of_added_layers(connection, layers, span)
        blocking |= edits
        rows += len(edits)
    if rows:
        raise _conflict(connection, blocking, rows)
    # What comes into being goes first, what goes away goes last: rows are written while table and columns are there.
    if columns is not None:
        _columns(connection, columns, appear=True)
    if layers is not None:
        _write(connection, layers, ("delete",))
        _register(connection, layers)
    for state in states:
        if state.table == "planner_layer":
            _write(connection, state, ("update",))
        elif state.table == "planner_plan":
            _write(connection, _without_plans_in_use(connection, state, layers), ("delete", "update", "insert"))
        elif state.table in REGISTRY:
            if state.table != "planner_column":
                _write(connection, state, ("delete", "update", "insert"))
        else:
            if not connection.execute("SELECT 1 FROM planner_layer WHERE id = ?", (state.table,)).fetchone():
                raise PlannerError("project.undo_gone", table=state.table)
            current = capture.slots(connection, state.table)
            _write(connection, _TableState(state.table, current, state.nets), ("delete", "update", "insert"))
    if layers is not None:
        _unregister(connection, layers)
        _write(connection, layers, ("insert",))
    if columns is not None:
        _columns(connection, columns, appear=False)


def _without_plans_in_use(
    connection: sqlite3.Connection, plans: _TableState, layers: _TableState | None
) -> _TableState:
    """Leave plans registered that layers other than the ones about to go belong to."""
    going = fid_text(fid for fid, net in layers.nets.items() if net.operation == "insert") if layers else "[]"
    kept = {
        fid: net
        for fid, net in plans.nets.items()
        if net.operation != "insert"
        or not connection.execute(
            "SELECT 1 FROM planner_layer WHERE plan_id = (SELECT id FROM planner_plan WHERE fid = ?) "
            f"AND fid NOT IN {FID_LIST}",
            (fid, going),
        ).fetchone()
    }
    return _TableState(plans.table, plans.slots, kept)


def _conflict(connection: sqlite3.Connection, seqs: set[int], rows: int) -> PlannerError:
    found = []
    for entry in entries(connection, where="last_seq >= ?", values=(min(seqs, default=0),)):
        row = connection.execute(
            "SELECT first_seq, last_seq, origin, undoes FROM planner_txn WHERE id = ?", (entry.id,)
        ).fetchone()
        if any(row[0] <= seq <= row[1] for seq in seqs) and not entry.undone and row[3] is None:
            found.append({"id": entry.id, "command": entry.command, "params": entry.params, "time": entry.time})
    return PlannerError(
        "project.undo_conflict",
        rows=rows,
        entries=found,
        standing=", ".join(f"{e['id']} ({e['command']})" for e in found),
    )


def _write(connection: sqlite3.Connection, state: _TableState, operations: tuple[str, ...]) -> None:
    """Invert the nets of some operations: deletes are inserted again, inserts deleted, updates set back."""
    table, key = quote(state.table), quote(capture.key_of(state.table))
    names = {slot: name for name, slot in state.slots.items()}
    removed = [fid for fid, net in state.nets.items() if net.operation == "insert" and "insert" in operations]
    connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(fid,) for fid in removed])
    for fid, net in state.nets.items():
        if net.operation not in operations or net.operation == "insert":
            continue
        cells = {names[slot]: value for slot, value in net.old.items() if slot in names}
        if len(cells) < len(net.old) and net.operation == "update":
            raise PlannerError("project.undo_gone", table=state.table)
        if net.operation == "delete":
            targets = column_list([capture.key_of(state.table), *cells])
            connection.execute(
                f"INSERT INTO {table} ({targets}) VALUES ({marks(len(cells) + 1)})",
                (fid, *cells.values()),
            )
        elif cells:
            assignments = ", ".join(f"{quote(name)} = ?" for name in cells)
            connection.execute(f"UPDATE {table} SET {assignments} WHERE {key} = ?", (*cells.values(), fid))


def _register(connection: sqlite3.Connection, layers: _TableState) -> None:
    """Show layers again whose registry rows have just come back from the log."""
    for fid, net in layers.nets.items():
        if net.operation != "delete":
            continue
        layer = connection.execute(
            "SELECT id, geometry, srid, multi, has_z FROM planner_layer WHERE fid = ?", (fid,)
        ).fetchone()
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (layer[0],)).fetchone():
            raise PlannerError("project.undo_gone", table=layer[0])
        spatial.register(connection, layer[0], layer[1], layer[2], multi=bool(layer[3]), has_z=bool(layer[4]))


def _unregister(connection: sqlite3.Connection, layers: _TableState) -> None:
    """Hide layers whose registry rows are about to go."""
    for fid, net in layers.nets.items():
        if net.operation == "insert":
            (table,) = connection.execute("SELECT id FROM planner_layer WHERE fid = ?", (fid,)).fetchone()
            spatial.unregister(connection, table)


def _columns(connection: sqlite3.Connection, columns: _TableState, *, appear: bool) -> None:
    """Set ``live`` flags back, and the tables' columns with them."""
    slot = columns.slots["live"]
    for fid, net in columns.nets.items():
        if slot not in net.old or bool(net.old[slot]) != appear:
            continue
        connection.execute("UPDATE planner_column SET live = ? WHERE fid = ?", (int(appear), fid))
        table, name, kind, alias = connection.execute(
            "SELECT table_name, name, type, alias FROM planner_column WHERE fid = ?", (fid,)
        ).fetchone()
        if appear:
            add_column(connection, table, FieldInfo(name, kind, alias))
        else:
            drop_column(connection, table, name)


def row_changes(connection: sqlite3.Connection, span: Span) -> list[RowChange]:
    """What an entry did to each row, with old and new values."""
    changes = []
    for number, table in tables_of(connection, span).items():
        state = _state(connection, span, number, table)
        names = {slot: name for name, slot in state.slots.items()}
        for fid, net in sorted(state.nets.items()):
            left, now = state.left.get(fid, {}), state.now.get(fid, {})
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
            identity = left.get(0, now.get(0, net.old.get(0))) if state.slots.get("uuid") == 0 else ""
            changes.append(RowChange(table, fid, str(identity or ""), net.operation, old, fresh))
    return changes


def _readable(value: Any, name: str) -> Any:
    return to_wkb(value) if name == "geom" and isinstance(value, bytes) else value


def undoable(connection: sqlite3.Connection, session: str, *, redo: bool) -> tuple[int, str, dict[str, Any]] | None:
    """The next entry to undo or redo: (id, command, params), or None.

    Args:
        session: only that session's commands; empty: every session's (the command line), foreign edits never.
        redo: the entry undone last, unless a new command followed.
    """
    mine = "origin <> 'foreign' AND undoes IS NULL AND (? = '' OR session = ?)"
    if not redo:
        row = connection.execute(
            f"SELECT id, command, params FROM planner_txn WHERE {mine} AND undone_by IS NULL ORDER BY id DESC LIMIT 1",
            (session, session),
        ).fetchone()
    else:
        row = connection.execute(
            f"SELECT id, command, params FROM planner_txn WHERE {mine} "
            f"AND undone_by > (SELECT max(id) FROM planner_txn WHERE {mine}) ORDER BY undone_by DESC LIMIT 1",
            (session, session, session, session),
        ).fetchone()
    return (row[0], row[1], json.loads(row[2])) if row else None
