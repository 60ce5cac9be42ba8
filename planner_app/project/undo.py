"""Taking an entry back: old values are written over what it left, and that is an entry of its own.

Redo is the undo of the undo. Nothing is ever overwritten that came later: a cell, or a row, that no longer is as the
entry left it stands on it, and the undo is refused naming the entries that touched it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.project import capture, spatial
from planner_app.project.changelog import Span, entries
from planner_app.project.effects import Effect, effects
from planner_app.project.reading import FID_LIST, fid_text
from planner_app.project.schema import REGISTRY
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import marks, quote
from planner_app.project.transaction import add_column, drop_column

_ALL: Final = ("delete", "update", "insert")


@dataclass(frozen=True, slots=True)
class Reversal:
    """What taking an entry back will write, worked out before the write lock is taken.

    Attributes:
        seq: end of the log when it was worked out; if more was logged since it must be worked out again.
    """

    effects: list[Effect]
    seq: int

    def of(self, table: str) -> Effect | None:
        """The effect on one table, if any."""
        return next((effect for effect in self.effects if effect.table == table), None)


def plan(connection: sqlite3.Connection, span: Span) -> Reversal:
    """Work out how to take an entry back; reads only.

    Raises:
        PlannerError: ``project.undo_conflict`` with the later entries that stand on it.
    """
    reversal = Reversal(effects(connection, span), end_of_log(connection))
    blocking: set[int] = set()
    rows = 0
    for effect in reversal.effects:
        standing = effect.standing()
        rows += len(standing)
        blocking |= {row.seq for row in effect.later if row.fid in standing}
    layers = reversal.of("planner_layer")
    if layers is not None:
        edits = _edits_of_added_layers(connection, layers, span)
        back = _dropped_layers_back(connection, layers)
        blocking |= edits | back
        rows += len(edits) + len(back)
    rows += _cells_of_added_fields(connection, reversal)
    if rows:
        raise _conflict(connection, blocking, rows)
    return reversal


def _cells_of_added_fields(connection: sqlite3.Connection, reversal: Reversal) -> int:
    """Number of cells, not filled by the entry itself, in fields whose making is about to be undone."""
    columns = reversal.of("planner_column")
    if columns is None:
        return 0
    filled = 0
    for fid in columns.fids("update"):
        if columns.nets[fid].old.get(columns.slots["live"]) != 0:
            continue
        table, name = connection.execute("SELECT table_name, name FROM planner_column WHERE fid = ?", (fid,)).fetchone()
        own = reversal.of(table)
        query = f"SELECT count(*) FROM {quote(table)} WHERE {quote(name)} IS NOT NULL AND fid NOT IN {FID_LIST}"
        filled += connection.execute(query, (fid_text(own.nets if own else ()),)).fetchone()[0]
    return filled


def end_of_log(connection: sqlite3.Connection) -> int:
    """The newest log row's number."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM planner_log").fetchone()[0])


def _edits_of_added_layers(connection: sqlite3.Connection, layers: Effect, span: Span) -> set[int]:
    """Log rows of later edits to layers that the entry made: they stand on it as well."""
    seqs: set[int] = set()
    for fid in layers.fids("insert"):
        row = connection.execute("SELECT id FROM planner_layer WHERE fid = ?", (fid,)).fetchone()
        if row is None:
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


def _dropped_layers_back(connection: sqlite3.Connection, layers: Effect) -> set[int]:
    """Log rows that brought layers back which the entry had dropped (a sync does: others went on with them)."""
    seqs: set[int] = set()
    slot = layers.slots["uuid"]
    for fid in layers.fids("delete"):
        row = connection.execute(
            "SELECT fid FROM planner_layer WHERE uuid = ?", (layers.nets[fid].old.get(slot),)
        ).fetchone()
        if row is not None:
            number = capture.number_of(connection, "planner_layer")
            found = connection.execute("SELECT max(seq) FROM planner_log WHERE tbl = ? AND fid = ?", (number, row[0]))
            seqs.add(found.fetchone()[0] or 0)
    return seqs


def apply(connection: sqlite3.Connection, reversal: Reversal) -> None:
    """Write back what an entry changed, inside the running transaction.

    What comes into being goes first, what goes away goes last: rows are written while table and columns are there.

    Raises:
        PlannerError: ``project.undo_gone`` where a table or field that the entry touched no longer exists.
    """
    columns, layers = reversal.of("planner_column"), reversal.of("planner_layer")
    if columns is not None:
        _columns(connection, columns, appear=True)
    if layers is not None:
        _write(connection, layers, ("delete",))
        _register(connection, layers)
    for effect in reversal.effects:
        if effect.table == "planner_layer":
            _write(connection, effect, ("update",))
        elif effect.table == "planner_plan":
            _write(connection, _without_plans_in_use(connection, effect, layers), _ALL)
        elif effect.table not in REGISTRY:
            _write_features(connection, effect)
        elif effect.table != "planner_column":
            _write(connection, effect, _ALL)
    if layers is not None:
        _unregister(connection, layers)
        _write(connection, layers, ("insert",))
    if columns is not None:
        _columns(connection, columns, appear=False)


def _write_features(connection: sqlite3.Connection, effect: Effect) -> None:
    if not connection.execute("SELECT 1 FROM planner_layer WHERE id = ?", (effect.table,)).fetchone():
        raise PlannerError("project.undo_gone", table=effect.table)
    _write(connection, Effect(effect.table, capture.slots(connection, effect.table), effect.nets), _ALL)


def _without_plans_in_use(connection: sqlite3.Connection, plans: Effect, layers: Effect | None) -> Effect:
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
    return Effect(plans.table, plans.slots, kept)


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


def _write(connection: sqlite3.Connection, effect: Effect, operations: Iterable[str]) -> None:
    """Invert the nets of some operations: deletes are inserted again, inserts deleted, updates set back."""
    table, key = quote(effect.table), quote(capture.key_of(effect.table))
    names = {slot: name for name, slot in effect.slots.items()}
    if "insert" in operations:
        removed = [(fid,) for fid in effect.fids("insert")]
        connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", removed)
    for operation in ("delete", "update"):
        if operation not in operations:
            continue
        # One statement per set of cells, run over all rows that share it.
        alike: dict[tuple[int, ...], list[tuple[Any, ...]]] = {}
        for fid in effect.fids(operation):
            # A row replaced by other programs is logged whole, with NULL for fields that came only later.
            old = {slot: value for slot, value in effect.nets[fid].old.items() if slot in names or value is not None}
            alike.setdefault(tuple(old), []).append((*(old[s] for s in old if s in names), fid))
        for slots, rows in alike.items():
            cells = [names[slot] for slot in slots if slot in names]
            if operation == "delete":
                targets = column_list([*cells, capture.key_of(effect.table)])
                connection.executemany(f"INSERT INTO {table} ({targets}) VALUES ({marks(len(cells) + 1)})", rows)
            elif len(cells) < len(slots):
                raise PlannerError("project.undo_gone", table=effect.table)
            elif cells:
                assignments = ", ".join(f"{quote(name)} = ?" for name in cells)
                connection.executemany(f"UPDATE {table} SET {assignments} WHERE {key} = ?", rows)


def _register(connection: sqlite3.Connection, layers: Effect) -> None:
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


def _unregister(connection: sqlite3.Connection, layers: Effect) -> None:
    """Hide layers whose registry rows are about to go."""
    for fid, net in layers.nets.items():
        if net.operation == "insert":
            (table,) = connection.execute("SELECT id FROM planner_layer WHERE fid = ?", (fid,)).fetchone()
            spatial.unregister(connection, table)


def _columns(connection: sqlite3.Connection, columns: Effect, *, appear: bool) -> None:
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


def target(connection: sqlite3.Connection, entry_id: int) -> tuple[int, int]:
    """What undoing an entry means: (entry to revert, command it is about). Undoing a redo undoes its command.

    Raises:
        PlannerError: ``project.entry_unknown``, ``project.already_undone``.
    """
    found = "SELECT command, undoes, undone_by FROM planner_txn WHERE id = ?"
    row = connection.execute(found, (entry_id,)).fetchone()
    if row is not None and row[0] == "redo":
        return target(connection, row[1])
    if row is None:
        raise PlannerError("project.entry_unknown", entry=entry_id)
    command, root, undone_by = row
    if command != "undo":
        root = entry_id
    else:
        undone_by = None if connection.execute(found, (root,)).fetchone()[2] == entry_id else entry_id
    if undone_by is not None:
        raise PlannerError("project.already_undone", entry=entry_id)
    return entry_id, root


def undoable(connection: sqlite3.Connection, session: str, *, redo: bool) -> tuple[int, str, dict[str, Any]] | None:
    """The next entry to undo or redo: (id, command, params), or None.

    Args:
        session: only that session's commands; empty: every session's (the command line). What other programs or the
            server wrote, or the program kept by itself, never counts.
        redo: the entry undone last, unless a new command followed.
    """
    mine = "origin NOT IN ('foreign', 'sync', 'merge', 'auto') AND undoes IS NULL AND (? = '' OR session = ?)"
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
