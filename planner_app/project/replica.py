"""What a project file remembers of the city server it is a replica of. No secrets; the work is done in ``sync``.

What was edited here and not yet sent is not kept: it is the change log after ``acked`` (entries of origin ``sync``
write what the server has, all others what it does not have), beside what was held back before that (``carry``).
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable
from typing import Any, Final

from planner_app.project import capture

#: Origin of entries that write what the server has.
SYNC: Final = "sync"
#: Origin of entries that write a person's edits again, on top of what the server has.
MERGE: Final = "merge"

TABLES: Final = (
    # project, server, client_id, cursor, chain, acked, head, rights (JSON), scope (JSON), last, offline_since …
    "CREATE TABLE planner_replica (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # Layers and plans as the server has them. since: the log before it says nothing about what the server lacks.
    "CREATE TABLE planner_replica_layer (uuid TEXT PRIMARY KEY, table_name TEXT NOT NULL, definition TEXT NOT NULL, "
    "live INTEGER NOT NULL DEFAULT 1, since INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE TABLE planner_replica_plan (id TEXT PRIMARY KEY, cells TEXT NOT NULL) WITHOUT ROWID",
    # Records that the server does not have as they are here, from before ``acked``: slot -1: it does not have them at
    # all, -2: they are deleted here; other slots: the value it has (no type: doubles and blobs keep their bits).
    "CREATE TABLE planner_replica_carry (tbl INTEGER NOT NULL, fid INTEGER NOT NULL, slot INTEGER NOT NULL, value, "
    "PRIMARY KEY (tbl, fid, slot)) WITHOUT ROWID",
    "CREATE TABLE planner_replica_conflict (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, layer TEXT, uuid TEXT, "
    "name TEXT, base, mine, theirs, bundle INTEGER, revision INTEGER)",
    "CREATE INDEX planner_replica_conflict_record ON planner_replica_conflict (layer, uuid)",
    # seq: newest log row of the record when it was held back; it is looked at again once it was edited after that.
    "CREATE TABLE planner_replica_quarantine (id INTEGER PRIMARY KEY, layer TEXT NOT NULL, uuid TEXT NOT NULL, "
    "fid INTEGER, code TEXT NOT NULL, params TEXT NOT NULL, refused INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "UNIQUE (layer, uuid))",
    # The push under way: what becomes true here once the server has taken it.
    "CREATE TABLE planner_replica_push (push_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, seen INTEGER NOT NULL, "
    "digest TEXT NOT NULL, definitions TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE planner_replica_right (layer TEXT PRIMARY KEY, read INTEGER NOT NULL, write INTEGER NOT NULL, "
    "columns TEXT, district BLOB) WITHOUT ROWID",
    "CREATE TABLE planner_replica_blob (sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, media_type TEXT NOT NULL, "
    "size INTEGER NOT NULL, chunks INTEGER NOT NULL) WITHOUT ROWID",
    # Quarter hours with readings that the server may lack.
    "CREATE TABLE planner_replica_reading (sensor INTEGER NOT NULL, ts INTEGER NOT NULL, turn INTEGER NOT NULL "
    "DEFAULT 0, PRIMARY KEY (sensor, ts)) WITHOUT ROWID",
)  # fmt: skip


def create_tables(connection: sqlite3.Connection) -> None:
    """Migration 4."""
    for statement in TABLES:
        connection.execute(statement)
    capture.start(connection, "planner_replica_conflict")


def get(connection: sqlite3.Connection, key: str, default: str = "") -> str:
    """A value the replica remembers."""
    row = connection.execute("SELECT value FROM planner_replica WHERE key = ?", (key,)).fetchone()
    return default if row is None else str(row[0])


def put(connection: sqlite3.Connection, **values: object) -> None:
    """Remember values."""
    connection.executemany(
        "INSERT INTO planner_replica VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(key, str(value)) for key, value in values.items()],
    )


def has_tables(connection: sqlite3.Connection) -> bool:
    """False for an older file that may not be written."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'planner_replica'").fetchone() is not None


def is_replica(connection: sqlite3.Connection) -> bool:
    """True if the file belongs to a project on a server."""
    return has_tables(connection) and bool(get(connection, "project"))


def become_copy(connection: sqlite3.Connection) -> None:
    """Give a copy of a file a name of its own before the server."""
    if is_replica(connection):
        put(connection, client_id=uuid.uuid4())


def layer_uuid(connection: sqlite3.Connection, table: str) -> str:
    """UUID of a layer that a part of the program makes under a name of its own: the same in every copy of a project."""
    project = connection.execute("SELECT value FROM planner_meta WHERE key = 'uuid'").fetchone()[0]
    return str(uuid.uuid5(uuid.UUID(project), table))


def suspect(connection: sqlite3.Connection, table: str) -> None:
    """Edits of a layer have escaped the log: before the next push it is compared with what the server had."""
    if is_replica(connection):
        known = {*json.loads(get(connection, "suspect", "[]")), table}
        put(connection, suspect=to_json(sorted(known)))


def mark_readings(connection: sqlite3.Connection, quarters: Iterable[Any]) -> None:
    """Remember that the server may lack readings of these (sensor, start of a quarter hour)."""
    if is_replica(connection):
        connection.executemany(
            "INSERT INTO planner_replica_reading (sensor, ts) VALUES (?, ?) "
            "ON CONFLICT (sensor, ts) DO UPDATE SET turn = turn + 1",
            quarters,
        )


def settle(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Take conflicts off the list; captured, so that an undo puts them back."""
    connection.executemany("DELETE FROM planner_replica_conflict WHERE id = ?", [(int(one),) for one in ids])


def to_json(value: object) -> str:
    """JSON as the replica's tables keep it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
