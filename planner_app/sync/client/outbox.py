"""What was edited here and the server does not have: the change log after the last push, folded row by row.

An edit of ours makes a cell dirty, with its first old value as the base; an entry that writes what the server has makes
it clean. Whoever wrote an edit (this program, QGIS, plain SQL, an undo) makes no difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planner_app.project import capture, replica
from planner_app.project.changelog import LogReader, LogRow, without_ghosts
from planner_app.project.reading import FID_LIST, fid_text
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote
from planner_app.sync.client.merging import same
from planner_app.sync.client.writing import lenient

#: Slots in ``planner_replica_carry`` that are none.
_UNKNOWN, _DELETED = -1, -2
_FAR = 1 << 62


@dataclass(slots=True)
class Edited:
    """A row that was edited here.

    Attributes:
        known: the server has it; here: the file has it.
        old: what the server has of the cells edited here, by slot (all cells of a row that was deleted).
        seq: newest log row of ours.
    """

    known: bool
    here: bool
    old: dict[int, Any] = field(default_factory=dict)
    seq: int = 0


@dataclass(slots=True)
class Record:
    """A record that was edited here, whatever rows it went through.

    Attributes:
        fid: its row here, None if it was deleted here; fids: all rows it was or is.
        known: the server has it.
        base: what the server has of the cells edited here, by column.
        mine: those cells as they are here; every cell of a record that the server does not have.
        moved: the row of a known record now bears another identity.
    """

    uuid: str
    fid: int | None
    known: bool
    base: dict[str, Any]
    mine: dict[str, Any]
    seq: int
    fids: tuple[int, ...]
    moved: bool = False


def end_of_log(connection: sqlite3.Connection) -> int:
    """The newest log row's number."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM planner_log").fetchone()[0])


def acked(connection: sqlite3.Connection) -> int:
    """Up to where the log has been dealt with."""
    return int(replica.get(connection, "acked", "0"))


def touched(
    connection: sqlite3.Connection, tables: Mapping[str, int], upto: int = _FAR
) -> dict[str, dict[int, Edited]]:
    """Edited rows of layer tables (table → log row to begin after), tables without any left out."""
    start = acked(connection)
    numbers = {row[0] for row in connection.execute("SELECT DISTINCT tbl FROM planner_replica_carry")}
    numbers |= {
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT tbl FROM planner_log WHERE seq > ? AND seq <= ? AND (txn IS NULL OR txn NOT IN "
            "(SELECT id FROM planner_txn WHERE origin = ? AND last_seq > ?))",
            (start, upto, replica.SYNC, start),
        )
    }
    names = dict(connection.execute("SELECT number, table_name FROM planner_capture").fetchall())
    found = {}
    for number in numbers:
        table = names.get(number, "")
        if table in tables:
            rows = carried(connection, number)
            advance(connection, table, rows, max(start, tables[table]), upto)
            if rows:
                found[table] = rows
    return found


def advance(
    connection: sqlite3.Connection, table: str, rows: dict[int, Edited], after: int, upto: int = _FAR
) -> set[int]:
    """Fold the log rows of a table after a number into what is known of its edited rows; returns those looked at."""
    number = capture.number_of(connection, table)
    by_server = {
        row[0]
        for row in connection.execute(
            "SELECT id FROM planner_txn WHERE origin = ? AND last_seq > ?", (replica.SYNC, after)
        )
    }
    # The server's writes only matter on rows that were edited here as well.
    where = (
        "seq > ? AND seq <= ? AND tbl = ? AND fid IN (SELECT fid FROM planner_log WHERE seq > ? AND seq <= ? "
        "AND tbl = ? AND (txn IS NULL OR txn NOT IN (SELECT id FROM planner_txn WHERE origin = ? AND last_seq > ?)) "
        "UNION SELECT value FROM json_each(?))"
    )
    values = (after, upto, number, after, upto, number, replica.SYNC, after, fid_text(rows))
    reader = LogReader(connection, capture.slots_ever(connection, table))
    seen: set[int] = set()
    with lenient(connection):
        for row in without_ghosts(reader.rows(where, values)):
            _fold(rows, row, row.txn in by_server)
            seen.add(row.fid)
    return seen


def _fold(rows: dict[int, Edited], row: LogRow, by_server: bool) -> None:
    one = rows.get(row.fid)
    if by_server:
        if row.op != capture.UPDATE:
            rows.pop(row.fid, None)
        elif one is not None and one.known:
            for slot in row.old:
                one.old.pop(slot, None)
            if one.here and not one.old:
                del rows[row.fid]
        return
    if one is None:
        one = rows[row.fid] = Edited(row.op != capture.INSERT, True)
    one.seq = row.seq
    if row.op == capture.INSERT:
        one.here = True
        return
    if one.known:
        one.old = row.old | one.old
    if row.op == capture.DELETE:
        one.here = False
        if not one.known:
            del rows[row.fid]


def carried(connection: sqlite3.Connection, number: int) -> dict[int, Edited]:
    """Rows of a table that were edited before ``acked`` and are not on the server."""
    rows: dict[int, Edited] = {}
    for fid, slot, value in connection.execute(
        "SELECT fid, slot, value FROM planner_replica_carry WHERE tbl = ?", (number,)
    ):
        one = rows.setdefault(fid, Edited(True, True))
        if slot == _UNKNOWN:
            one.known = False
        elif slot == _DELETED:
            one.here = False
        else:
            one.old[slot] = value
    return rows


def carry(connection: sqlite3.Connection, table: str, rows: Mapping[int, Edited]) -> None:
    """Remember edited rows beyond the log; what was remembered of the table before goes."""
    number = capture.number_of(connection, table)
    connection.execute("DELETE FROM planner_replica_carry WHERE tbl = ?", (number,))
    cells: list[tuple[int, int, int, Any]] = []
    for fid, one in rows.items():
        if not one.known:
            cells.append((number, fid, _UNKNOWN, None))
        if not one.here:
            cells.append((number, fid, _DELETED, None))
        cells += [(number, fid, slot, value) for slot, value in one.old.items()]
    connection.executemany("INSERT INTO planner_replica_carry VALUES (?, ?, ?, ?)", cells)


def records(connection: sqlite3.Connection, table: str, rows: Mapping[int, Edited]) -> dict[str, Record]:
    """Edited rows as records by UUID, with base and present values; edits that came to nothing are left out."""
    slots = capture.slots(connection, table)
    names = {slot: name for name, slot in slots.items()}
    with lenient(connection):
        now = _values(connection, table, rows, names)
    found: dict[str, Record] = {}
    for fid, one in rows.items():
        base = {names[slot]: value for slot, value in one.old.items() if slot in names and names[slot] != "uuid"}
        here = now.get(fid)
        identity = here["uuid"] if here else one.old.get(slots["uuid"])
        was = one.old.get(slots["uuid"], identity)
        mine = {} if here is None else {name: value for name, value in here.items() if name != "uuid"}
        if one.known and here is not None and was != identity:
            # Its row was given another identity: the record it was is gone, the one it is now is new.
            _add(found, Record(str(was), None, True, mine | base, {}, one.seq, (fid,), moved=True))
            _add(found, Record(str(identity), fid, False, {}, mine, one.seq, (fid,)))
        elif one.known:
            _add(found, Record(str(was), fid if here else None, True, base, mine, one.seq, (fid,)))
        elif here is not None:
            _add(found, Record(str(identity), fid, False, {}, mine, one.seq, (fid,)))
    return {uuid: record for uuid, record in found.items() if _differs(record)}


def _add(found: dict[str, Record], record: Record) -> None:
    """Two rows of one record (its fid was changed, or it was deleted and made again elsewhere) are one edit."""
    other = found.get(record.uuid)
    if other is None or (other.fid is not None and record.fid is not None):
        # Two rows of one identity: the validation holds the second back.
        found[record.uuid if other is None else f"{record.uuid} {record.fid}"] = record
        return
    gone, made = (other, record) if other.fid is None else (record, other)
    if gone.known and not made.known:
        base = {name: value for name, value in gone.base.items() if name in made.mine}
        base |= dict.fromkeys(made.mine.keys() - base.keys())
        fids = (*gone.fids, *made.fids)
        found[record.uuid] = Record(
            record.uuid, made.fid, True, base, made.mine, max(gone.seq, made.seq), fids, moved=gone.moved
        )
    else:
        found[record.uuid] = made


def _differs(record: Record) -> bool:
    """Drop cells that are again what the server has. True if something is left."""
    if not record.known or record.fid is None:
        return True
    record.base = {name: value for name, value in record.base.items() if not same(value, record.mine.get(name))}
    record.mine = {name: record.mine.get(name) for name in record.base}
    return bool(record.base)


def _values(
    connection: sqlite3.Connection, table: str, rows: Mapping[int, Edited], names: Mapping[int, str]
) -> dict[int, dict[str, Any]]:
    """Present values of the cells that matter, and the UUID, of the rows that are here."""
    identity = next(slot for slot, name in names.items() if name == "uuid")
    alike: dict[frozenset[int], list[int]] = {}
    for fid, one in rows.items():
        if one.here:
            whole = not one.known or identity in one.old
            wanted = frozenset(names if whole else one.old.keys() & names.keys())
            alike.setdefault(wanted, []).append(fid)
    found: dict[int, dict[str, Any]] = {}
    for wanted, fids in alike.items():
        cells = ["uuid", *(names[slot] for slot in sorted(wanted) if slot != identity)]
        query = f"SELECT fid, {column_list(cells)} FROM {quote(table)} WHERE fid IN {FID_LIST}"
        for row in connection.execute(query, (fid_text(fids),)):
            found[row[0]] = dict(zip(cells, row[1:], strict=True))
    return found


def moved(connection: sqlite3.Connection, table: str, rows: Mapping[int, Edited]) -> list[int]:
    """Rows of records that the server knows which bear another identity now."""
    slot = capture.slots(connection, table)["uuid"]
    was = {fid: one.old[slot] for fid, one in rows.items() if one.known and one.here and slot in one.old}
    now = connection.execute(f"SELECT fid, uuid FROM {quote(table)} WHERE fid IN {FID_LIST}", (fid_text(was),))
    return [fid for fid, uuid in now if uuid != was[fid]]


def refresh(
    connection: sqlite3.Connection,
    table: str,
    rows: Mapping[int, Edited],
    seen: set[int],
    known: dict[str, Record],
) -> None:
    """Bring records up to date after some rows were edited; the others stay as they are.

    Args:
        seen: the rows; known: what :func:`records` said before, changed in place.
    """
    fids = set(seen)
    while True:
        stale = {key for key, record in known.items() if not fids.isdisjoint(record.fids)}
        fids.update(fid for key in stale for fid in known[key].fids)
        for key in stale:
            del known[key]
        made = records(connection, table, {fid: rows[fid] for fid in fids if fid in rows})
        taken = made.keys() & known.keys()
        if not taken:
            known.update(made)
            return
        # Another row bears, or bore, one of these identities: they are one record.
        fids.update(fid for key in taken for fid in known[key].fids)


def backfill(connection: sqlite3.Connection, table: str, rows: dict[int, Edited], fields: Iterable[str]) -> None:
    """Add the cells of fields that the server does not have yet: whatever they hold is new to it."""
    slots = capture.slots(connection, table)
    for name in fields:
        for (fid,) in connection.execute(f"SELECT fid FROM {quote(table)} WHERE {quote(name)} IS NOT NULL"):
            one = rows.setdefault(fid, Edited(True, True))
            if one.known:
                one.old.setdefault(slots[name], None)


def count(connection: sqlite3.Connection) -> int:
    """How many rows were edited here, at most (an edit that was taken back by hand counts)."""
    tables = dict(connection.execute("SELECT table_name, since FROM planner_replica_layer WHERE live").fetchall())
    return sum(len(rows) for rows in touched(connection, tables).values())
