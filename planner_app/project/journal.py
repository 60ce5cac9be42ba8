"""One entry of the log while it is written, and what it says to the views."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from planner_app.domain.changeset import ChangeSet, TableTouch
from planner_app.project import capture, schema

#: More touched rows than this are not listed one by one in a ChangeSet.
_MOST_FIDS: Final = 5000


@dataclass(slots=True)
class Entry:
    """The entry being written."""

    id: int
    command: str
    params: dict[str, Any]
    joined: bool = False
    kept: bool = False
    written: bool = False
    rows: int | None = None
    changes: ChangeSet = field(default_factory=lambda: ChangeSet(0, ""))


def now() -> str:
    """The time as the log keeps it: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def ends(connection: sqlite3.Connection) -> tuple[int, int]:
    """The newest log row and the newest entry."""
    row = connection.execute(
        "SELECT (SELECT coalesce(max(seq), 0) FROM planner_log), (SELECT coalesce(max(id), 0) FROM planner_txn)"
    ).fetchone()
    return int(row[0]), int(row[1])


def schema_version(connection: sqlite3.Connection) -> int:
    """SQLite's counter of schema changes: whoever adds a field or table moves it."""
    return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def fields_adopted(connection: sqlite3.Connection) -> str:
    """Counts how often what another program did to tables' fields was taken over."""
    row = connection.execute("SELECT value FROM planner_meta WHERE key = 'fields_adopted'").fetchone()
    return "0" if row is None else str(row[0])


def changes_after(
    connection: sqlite3.Connection,
    entry_id: int,
    command: str,
    params: dict[str, Any],
    after: int,
    condition: str,
    values: tuple[Any, ...] = (),
) -> ChangeSet:
    """The ChangeSet of the log rows after a sequence number."""
    tables = dict(connection.execute("SELECT number, table_name FROM planner_capture").fetchall())
    where = f"seq > ? AND op <> {capture.REPLACED} AND {condition}"
    found: dict[int, list[tuple[int, bool, bool]]] = {}
    for tbl, fid, inserted, deleted in connection.execute(
        f"SELECT tbl, fid, max(op = {capture.INSERT}), max(op = {capture.DELETE}) FROM planner_log WHERE {where} "
        "GROUP BY tbl, fid",
        (after, *values),
    ):
        found.setdefault(tbl, []).append((fid, bool(inserted), bool(deleted)))
    touches, in_registry = [], False
    for tbl, rows in found.items():
        table = tables[tbl]
        if table in schema.REGISTRY:
            in_registry = True
            continue
        fids = tuple(sorted(row[0] for row in rows)) if len(rows) <= _MOST_FIDS else None
        made = sum(inserted and not deleted for _, inserted, deleted in rows)
        gone = sum(deleted and not inserted for _, inserted, deleted in rows)
        touches.append(TableTouch(table, made, len(rows) - made - gone, gone, fids))
    return ChangeSet(entry_id, command, params, tuple(touches), in_registry)
