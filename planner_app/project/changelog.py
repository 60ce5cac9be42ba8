"""Reading the change log: entries, what each did net, and what others wrote."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from planner_app.domain.changeset import Operation
from planner_app.project import capture
from planner_app.project.schema import MASK_BITS

#: Edits of other programs to one table belong together until nothing is written for this long, in days (2 s).
PAUSE: Final = 2.0 / 86400
FOREIGN: Final = "foreign"
AUTOMATIC: Final = "auto"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One command, or one group of edits another program made.

    Attributes:
        time: ISO 8601, UTC.
        origin: ``desktop``, ``cli``, ``auto`` (what the program kept by itself), ``foreign``, ``sync`` (what the server
            has) or ``merge`` (edits written again on top of that).
        command: command name; ``undo`` and ``redo`` are entries of their own, with the entry and its command in
            ``params``; ``foreign_edit`` has the layer's name there.
        rows: rows touched (features, for an added layer).
        undone: it has been undone (and not redone since).
    """

    id: int
    time: str
    user: str
    origin: str
    command: str
    params: dict[str, Any]
    rows: int
    undone: bool = False
    session: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry's rows stand in the log."""

    id: int
    foreign: bool
    tbl: int | None
    first: int
    last: int

    def where(self) -> tuple[str, tuple[int, ...]]:
        """SQL condition and values that select the entry's rows."""
        if self.foreign:
            return "seq BETWEEN ? AND ? AND txn IS NULL AND tbl = ?", (self.first, self.last, self.tbl or 0)
        return "seq BETWEEN ? AND ? AND txn = ?", (self.first, self.last, self.id)


@dataclass(slots=True)
class Net:
    """What an entry did to one row in the end. ``old`` holds the values before it, by slot."""

    operation: Operation
    old: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of the log, decoded: ``old`` by slot (changed cells of an update, all of a delete)."""

    seq: int
    txn: int | None
    fid: int
    op: int
    old: dict[int, Any]


def entries(
    connection: sqlite3.Connection, limit: int | None = None, where: str = "", values: Iterable[Any] = ()
) -> list[LogEntry]:
    """Entries, newest first."""
    rows = connection.execute(
        "SELECT id, time, user, origin, command, params, rows, undone_by IS NOT NULL, session FROM planner_txn "
        f"{'WHERE ' + where if where else ''} ORDER BY id DESC LIMIT ?",
        (*values, -1 if limit is None else limit),
    )
    return [LogEntry(i, t, u, o, c, json.loads(p), n, bool(undone), s) for i, t, u, o, c, p, n, undone, s in rows]


def span_of(connection: sqlite3.Connection, entry_id: int) -> Span | None:
    """Where an entry's rows stand, or None if there is no such entry."""
    row = connection.execute(
        "SELECT id, origin = ?, tbl, first_seq, last_seq FROM planner_txn WHERE id = ?", (FOREIGN, entry_id)
    ).fetchone()
    return Span(row[0], bool(row[1]), row[2], row[3], row[4]) if row else None


def tables_of(connection: sqlite3.Connection, span: Span) -> dict[int, str]:
    """The captured tables an entry touched, by number."""
    where, values = span.where()
    return dict(
        connection.execute(
            "SELECT number, table_name FROM planner_capture "
            f"WHERE number IN (SELECT DISTINCT tbl FROM planner_log WHERE {where})",
            values,
        ).fetchall()
    )


class LogReader:
    """Decodes the log rows of one table.

    Args:
        slots: every slot the table's columns have or had.
    """

    def __init__(self, connection: sqlite3.Connection, slots: Iterable[int]) -> None:
        self._connection = connection
        self._slots = sorted(slots)
        self._words = range(max(self._slots, default=0) // MASK_BITS + 1)
        self._first = 4 + len(self._words)
        self._place = {slot: self._first + index for index, slot in enumerate(self._slots)}
        self._select = ", ".join(
            ["seq", "txn", "fid", "op", *(f"mask{word}" for word in self._words), *(f"v{slot}" for slot in self._slots)]
        )
        self._masks: dict[tuple[int | None, ...], list[tuple[int, int]]] = {}

    def rows(self, where: str, values: Iterable[Any]) -> Iterator[LogRow]:
        """Log rows in the order they were written."""
        every = list(self._place.items())
        query = f"SELECT {self._select} FROM planner_log WHERE {where} ORDER BY seq"
        for row in self._connection.execute(query, tuple(values)):
            seq, txn, fid, op = row[:4]
            if op == capture.INSERT:
                old = {}
            else:
                cells = self._changed(row[4 : self._first]) if op == capture.UPDATE else every
                old = {slot: row[place] for slot, place in cells}
            yield LogRow(seq, txn, fid, op, old)

    def _changed(self, masks: tuple[int | None, ...]) -> list[tuple[int, int]]:
        """(slot, place in the row) of the bits of a mask."""
        known = self._masks.get(masks)
        if known is None:
            bits = sum((mask or 0) << (MASK_BITS * word) for word, mask in enumerate(masks))
            known = self._masks[masks] = [(slot, place) for slot, place in self._place.items() if bits >> slot & 1]
        return known


def without_ghosts(rows: Iterable[LogRow]) -> Iterator[LogRow]:
    """Turn "may have been replaced" into a delete where the row's next log row is an insert; else drop it."""
    waiting: dict[int, LogRow] = {}
    for row in rows:
        ghost = waiting.pop(row.fid, None)
        if ghost is not None and row.op == capture.INSERT:
            yield LogRow(ghost.seq, ghost.txn, ghost.fid, capture.DELETE, ghost.old)
        if row.op == capture.REPLACED:
            waiting[row.fid] = row
        else:
            yield row


def fold(rows: Iterable[LogRow]) -> dict[int, Net]:
    """What rows of one table did net, by fid: the first old value of each cell counts; insert + delete is nothing."""
    nets: dict[int, Net | None] = {}
    for row in without_ghosts(rows):
        net = nets.get(row.fid)
        if row.op == capture.INSERT:
            if net is not None and net.operation == "delete":
                net.operation = "update"  # deleted and made again: every cell may differ, the old ones are known
            else:
                nets[row.fid] = Net("insert")
        elif row.op == capture.UPDATE:
            if net is None:
                nets[row.fid] = Net("update", dict(row.old))
            elif net.operation == "update":
                net.old = row.old | net.old
        elif row.op == capture.DELETE:
            if net is None:
                nets[row.fid] = Net("delete", dict(row.old))
            elif net.operation == "insert":
                nets[row.fid] = None
            elif net.operation == "update":
                net.operation, net.old = "delete", row.old | net.old
    return {fid: net for fid, net in nets.items() if net is not None}


def adopt(connection: sqlite3.Connection) -> list[int]:
    """Give the rows other programs wrote since the last entry an entry each, grouped by table and by pauses.

    Must run inside a write transaction. Returns the ids of the entries made or extended.
    """
    seen = connection.execute("SELECT coalesce(max(last_seq), 0) FROM planner_txn").fetchone()[0]
    rows = connection.execute(
        "SELECT seq, tbl, at FROM planner_log WHERE seq > ? AND txn IS NULL ORDER BY seq", (seen,)
    ).fetchall()
    touched: list[int] = []
    groups: dict[int, _Group] = {}
    for seq, tbl, at in rows:
        moment = at if at is not None else 0.0
        group = groups.get(tbl)
        if group is None:
            group = _resume(connection, tbl, seen)
        if group is None or abs(moment - group.last_at) > PAUSE:
            if group is not None and tbl in groups:
                touched.append(_store(connection, group))
            group = _Group(tbl, seq, moment)
        group.last, group.last_at = seq, moment
        groups[tbl] = group
    touched += [_store(connection, group) for group in groups.values()]
    return touched


@dataclass(slots=True)
class _Group:
    tbl: int
    first: int
    first_at: float
    last: int = 0
    last_at: float = 0.0
    id: int = 0

    def __post_init__(self) -> None:
        self.last_at = self.last_at or self.first_at


def _resume(connection: sqlite3.Connection, tbl: int, seen: int) -> _Group | None:
    """The table's newest foreign entry, if nothing of ours was written since and it has not been undone."""
    row = connection.execute(
        "SELECT id, first_seq, last_seq, last_at FROM planner_txn WHERE origin = ? AND tbl = ? "
        "AND undone_by IS NULL AND last_seq >= coalesce((SELECT max(last_seq) FROM planner_txn WHERE origin <> ?), 0) "
        "AND last_seq <= ? ORDER BY id DESC LIMIT 1",
        (FOREIGN, tbl, FOREIGN, seen),
    ).fetchone()
    if row is None or row[3] is None:
        return None
    return _Group(tbl, row[1], row[3], row[2], row[3], row[0])


def _store(connection: sqlite3.Connection, group: _Group) -> int:
    rows = connection.execute(
        "SELECT count(DISTINCT fid) FROM planner_log WHERE seq BETWEEN ? AND ? AND tbl = ? AND txn IS NULL AND op <> ?",
        (group.first, group.last, group.tbl, capture.REPLACED),
    ).fetchone()[0]
    if group.id:
        connection.execute(
            "UPDATE planner_txn SET last_seq = ?, last_at = ?, rows = ? WHERE id = ?",
            (group.last, group.last_at, rows, group.id),
        )
        return group.id
    table = connection.execute("SELECT table_name FROM planner_capture WHERE number = ?", (group.tbl,)).fetchone()
    named = connection.execute("SELECT name FROM planner_layer WHERE id = ?", (table[0] if table else "",)).fetchone()
    params = {"layer": named[0] if named else (table[0] if table else "")}
    cursor = connection.execute(
        "INSERT INTO planner_txn (time, user, origin, session, command, params, tbl, first_seq, last_seq, rows, "
        "last_at) VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', ?), '', ?, '', 'foreign_edit', ?, ?, ?, ?, ?, ?)",
        (
            group.first_at,
            FOREIGN,
            json.dumps(params, ensure_ascii=False),
            group.tbl,
            group.first,
            group.last,
            rows,
            group.last_at,
        ),
    )
    return int(cursor.lastrowid or 0)
