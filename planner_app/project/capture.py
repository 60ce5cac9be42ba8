"""The triggers that feed the change log, whoever writes: this program, QGIS Desktop or plain SQL.

One log row per changed row: the table's number, the row's fid, the operation, a mask of the changed columns and their
*old* values. New values are the table's own or the next log row's. Rows of other programs carry no transaction number
but the time (Julian day). The triggers never RAISE: QGIS loses a save that a trigger stops, and says it succeeded.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from planner_app.project.schema import MASK_BITS, REGISTRY
from planner_app.project.sql import literal, quote

INSERT: Final = 1
UPDATE: Final = 2
DELETE: Final = 3
#: An INSERT OR REPLACE (or an UPDATE of fid) may be about to remove this row without firing a delete trigger. It has
#: happened if the table's next log row for the fid is an insert, else nothing came of it.
REPLACED: Final = 4

_TXN = "(SELECT txn FROM planner_state WHERE id = 1)"
_AT = f"CASE WHEN {_TXN} IS NULL THEN julianday('now') END"
_NEW_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || "
    "substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
_HEX = "[0-9a-f]"
UUID_SHAPE: Final = "-".join(_HEX * n for n in (8, 4, 4, 4, 12))


def slots(connection: sqlite3.Connection, table: str) -> dict[str, int]:
    """The live columns of a captured table and the slots of their old values."""
    if table in REGISTRY:
        return {name: slot for slot, name in enumerate(REGISTRY[table][1])}
    rows = connection.execute(
        "SELECT name, slot FROM planner_column WHERE table_name = ? AND live ORDER BY slot", (table,)
    )
    return dict(rows.fetchall())


def slots_ever(connection: sqlite3.Connection, table: str) -> list[int]:
    """The slots of all columns a captured table has or had."""
    if table in REGISTRY:
        return list(range(len(REGISTRY[table][1])))
    rows = connection.execute("SELECT slot FROM planner_column WHERE table_name = ? ORDER BY slot", (table,))
    return [row[0] for row in rows]


def key_of(table: str) -> str:
    """The integer key column of a captured table."""
    return REGISTRY[table][0] if table in REGISTRY else "fid"


def number_of(connection: sqlite3.Connection, table: str) -> int:
    """The number a captured table's log rows carry.

    Raises:
        LookupError: the table is not captured.
    """
    row = connection.execute("SELECT number FROM planner_capture WHERE table_name = ?", (table,)).fetchone()
    if row is None:
        raise LookupError(table)
    return int(row[0])


def start(connection: sqlite3.Connection, table: str) -> None:
    """Make (or make anew, after its columns changed) the capture triggers of a table."""
    columns = slots(connection, table)
    fingerprint = json.dumps(columns, ensure_ascii=False, sort_keys=True)
    connection.execute(
        "INSERT INTO planner_capture (table_name, columns) VALUES (?, ?) "
        "ON CONFLICT (table_name) DO UPDATE SET columns = excluded.columns",
        (table, fingerprint),
    )
    _widen_log(connection, max(columns.values(), default=0))
    stop(connection, table)
    for statement in statements(table, key_of(table), number_of(connection, table), columns):
        connection.execute(statement)


def stop(connection: sqlite3.Connection, table: str) -> None:
    """Drop a table's capture triggers (before a column is dropped, which they would stop)."""
    for name, _sql in _present(connection, table):
        connection.execute(f"DROP TRIGGER {quote(name)}")


def _present(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    """Name and text of the capture triggers a table has, those of earlier versions of this program included."""
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
    )
    return [(name, sql) for name, sql in triggers if name.startswith(_name(table, ""))]


def is_current(connection: sqlite3.Connection, table: str) -> bool:
    """True if the table's triggers are in place and made for the columns it has now."""
    row = connection.execute("SELECT number, columns FROM planner_capture WHERE table_name = ?", (table,)).fetchone()
    if row is None:
        return False
    wanted = {_plain(sql) for sql in statements(table, key_of(table), int(row[0]), slots(connection, table))}
    found = {_plain(sql) for _name, sql in _present(connection, table)}
    return wanted == found


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def _name(table: str, suffix: str) -> str:
    return f"planner_{table}_{suffix}"


def _widen_log(connection: sqlite3.Connection, highest_slot: int) -> None:
    """Give the log columns up to a slot; adding columns rewrites nothing."""
    have = {row[1] for row in connection.execute("PRAGMA table_info(planner_log)")}
    for slot in range(highest_slot + 1):
        if f"v{slot}" not in have:
            connection.execute(f"ALTER TABLE planner_log ADD COLUMN v{slot}")
    for word in range(highest_slot // MASK_BITS + 1):
        if f"mask{word}" not in have:
            connection.execute(f"ALTER TABLE planner_log ADD COLUMN mask{word} INTEGER")


def statements(table: str, key: str, number: int, columns: dict[str, int]) -> list[str]:
    """The triggers of one table as SQL.

    Args:
        table: its name; key: its integer primary key; number: what its log rows carry.
        columns: captured columns and their slots.
    """
    t, k = quote(table), quote(key)
    targets = "".join(f", v{slot}" for slot in columns.values())
    old_all = "".join(f", OLD.{quote(name)}" for name in columns)
    own_all = "".join(f", {quote(name)}" for name in columns)
    has_uuid = "uuid" in columns and table not in REGISTRY
    masks: dict[int, list[str]] = {}
    for name, slot in columns.items():
        changed = f"(OLD.{quote(name)} IS NOT NEW.{quote(name)})"
        masks.setdefault(slot // MASK_BITS, []).append(
            f"{changed} << {slot % MASK_BITS}" if slot % MASK_BITS else changed
        )
    mask_targets = "".join(f", mask{word}" for word in masks)
    mask_values = "".join(", " + " | ".join(f"({bit})" for bit in bits) for bits in masks.values())
    old_changed = "".join(
        f", CASE WHEN OLD.{quote(name)} IS NOT NEW.{quote(name)} THEN OLD.{quote(name)} END" for name in columns
    )

    def trigger(suffix: str, event: str, *body: str) -> str:
        return f"CREATE TRIGGER {quote(_name(table, suffix))} {event} BEGIN {' '.join(b + ';' for b in body)} END"

    def log(op: int, fid: str, more: str = "", values: str = "", source: str = "") -> str:
        head = f"INSERT INTO planner_log (txn, tbl, fid, op, at{more})"
        row = f"{_TXN}, {number}, {fid}, {op}, {_AT}{values}"
        return f"{head} SELECT {row} {source}" if source else f"{head} VALUES ({row})"

    if table == "planner_column":
        # Columns are added and retired by their ``live`` flag; a row, once there, stays to keep old entries readable.
        row = log(UPDATE, f"OLD.{k}", mask_targets + targets, mask_values + old_changed)
        return [trigger("upd", f"AFTER UPDATE ON {t}", row)]
    taken = f"EXISTS (SELECT 1 FROM {t} AS other WHERE other.uuid = NEW.uuid AND other.{k} <> NEW.{k})"
    bad_uuid = f"(NEW.uuid IS NULL OR NEW.uuid NOT GLOB {literal(UUID_SHAPE)} OR {taken})"
    # Pasted and split rows get an identity of their own. An edit that breaks one (NULL, no uuid, another row's) is
    # taken back in silence. After the log row, and in one trigger: SQLite promises no order between triggers.
    this = f"WHERE {k} = NEW.{k} AND {_TXN} IS NULL AND {bad_uuid}"
    name_it = [f"UPDATE {t} SET uuid = {_NEW_UUID} {this}"] if has_uuid else []
    keep_it = (
        [f"UPDATE {t} SET uuid = coalesce(OLD.uuid, {_NEW_UUID}) {this} AND OLD.uuid IS NOT NEW.uuid"]
        if has_uuid
        else []
    )
    # SpatiaLite's own triggers leave the R-tree behind when a fid changes.
    index = quote(f"idx_{table}_geom")
    follow = [f"DELETE FROM {index} WHERE pkid = NEW.{k}", f"UPDATE {index} SET pkid = NEW.{k} WHERE pkid = OLD.{k}"]
    if "geom" not in columns:
        follow = []
    made = [
        trigger("ins", f"AFTER INSERT ON {t}", log(INSERT, f"NEW.{k}"), *name_it),
        trigger(
            "upd",
            f"AFTER UPDATE ON {t} WHEN OLD.{k} IS NEW.{k}",
            log(UPDATE, f"OLD.{k}", mask_targets + targets, mask_values + old_changed),
            *keep_it,
        ),
        trigger("del", f"AFTER DELETE ON {t}", log(DELETE, f"OLD.{k}", targets, old_all)),
        trigger(
            "rep",
            f"BEFORE INSERT ON {t} WHEN EXISTS (SELECT 1 FROM {t} WHERE {k} = NEW.{k})",
            log(REPLACED, "NEW." + k, targets, own_all, f"FROM {t} WHERE {k} = NEW.{k}"),
        ),
        trigger(
            "fid",
            f"BEFORE UPDATE OF {k} ON {t} WHEN OLD.{k} IS NOT NEW.{k}",
            log(REPLACED, "NEW." + k, targets, own_all, f"FROM {t} WHERE {k} = NEW.{k}"),
        ),
        trigger(
            "key",
            f"AFTER UPDATE OF {k} ON {t} WHEN OLD.{k} IS NOT NEW.{k}",
            log(DELETE, f"OLD.{k}", targets, old_all),
            log(INSERT, f"NEW.{k}"),
            *keep_it,
            *follow,
        ),
    ]
    return made
