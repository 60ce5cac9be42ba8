"""The triggers that feed the change log, whoever writes: this program, QGIS Desktop or plain SQL.

One log row per changed row and group of columns: the table's number, the row's fid, the operation, a mask of the
changed columns and their *old* values. New values are the table's own or the next log row's. Rows of other programs
carry no transaction number, only the time (Julian day). The triggers never RAISE: QGIS loses a save that a trigger
stops, and says it succeeded.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

from planner_app.project.schema import MASK_BITS, REGISTRY
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import literal, quote

INSERT: Final = 1
UPDATE: Final = 2
DELETE: Final = 3
#: An INSERT OR REPLACE (or an UPDATE of fid) may be about to remove this row without firing a delete trigger. It has
#: happened if the table's next log row for the fid is an insert, else nothing came of it.
REPLACED: Final = 4
#: Attributes that share an update trigger.
_GROUP: Final = 5

_TXN = "(SELECT txn FROM planner_state WHERE id = 1)"
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


def was_whole(connection: sqlite3.Connection, table: str) -> bool:
    """True if the triggers made for the table's columns are all in place: no edit has escaped them. Their wording does
    not matter, which an earlier version of this program may have chosen."""
    row = connection.execute("SELECT number, columns FROM planner_capture WHERE table_name = ?", (table,)).fetchone()
    if row is None:
        return False
    made = statements(table, key_of(table), int(row[0]), json.loads(row[1]))
    return {sql.split('"')[1] for sql in made} <= {name for name, _sql in _present(connection, table)}


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

    Updates are captured by groups of columns: QGIS prepares a statement per changed feature, and SQLite compiles with
    it every trigger that the statement's columns can fire (20 columns in one trigger cost 100 µs, in groups 30 µs).

    Args:
        table: its name; key: its integer primary key; number: what its log rows carry.
        columns: captured columns and their slots.
    """
    t, k = quote(table), quote(key)

    def trigger(suffix: str, event: str, *body: str) -> str:
        return f"CREATE TRIGGER {quote(_name(table, suffix))} {event} BEGIN {' '.join(b + ';' for b in body)} END"

    def log(op: int, fid: str, cells: dict[str, str] | None = None, source: str = "") -> str:
        """One log row; ``cells``: further columns of the log and what goes into them."""
        targets, values = "".join(f", {c}" for c in cells or {}), "".join(f", {v}" for v in (cells or {}).values())
        head = f"INSERT INTO planner_log (txn, tbl, fid, op, at{targets})"
        row = f"{_TXN}, {number}, {fid}, {op}, julianday('now'){values}"
        return f"{head} SELECT {row} {source}" if source else f"{head} VALUES ({row})"

    def update(suffix: str, group: list[str], *more: str) -> str:
        changed = [f"OLD.{quote(name)} IS NOT NEW.{quote(name)}" for name in group]
        cells: dict[str, str] = {}
        for name, test in zip(group, changed, strict=True):
            word, bit = divmod(columns[name], MASK_BITS)
            set_bit = str(1 << bit) if len(group) == 1 else f"(({test}) << {bit})"
            cells[f"mask{word}"] = f"{cells[f'mask{word}']} | {set_bit}" if f"mask{word}" in cells else set_bit
        for name, test in zip(group, changed, strict=True):
            old = f"OLD.{quote(name)}"
            cells[f"v{columns[name]}"] = old if len(group) == 1 else f"CASE WHEN {test} THEN {old} END"
        event = f"AFTER UPDATE OF {column_list(group)} ON {t} WHEN OLD.{k} IS NEW.{k} AND ({' OR '.join(changed)})"
        return trigger(suffix, event, log(UPDATE, f"OLD.{k}", cells), *more)

    # A column whose trigger does more than log, or whose values are large, is a group of its own.
    alone = [name for name in columns if table not in REGISTRY and name in ("uuid", "geom")]
    rest = [name for name in columns if name not in alone]
    groups = [rest[first : first + _GROUP] for first in range(0, len(rest), _GROUP)]
    if "geom" in alone:
        groups.append(["geom"])
    made = [update(f"upd{at}", group) for at, group in enumerate(groups)]
    if table == "planner_column":
        # Columns are added and retired by their ``live`` flag; a row, once there, stays to keep old entries readable.
        return made
    taken = f"EXISTS (SELECT 1 FROM {t} AS other WHERE other.uuid = NEW.uuid AND other.{k} <> NEW.{k})"
    bad_uuid = f"(NEW.uuid IS NULL OR NEW.uuid NOT GLOB {literal(UUID_SHAPE)} OR {taken})"
    this = f"WHERE {k} = NEW.{k} AND {_TXN} IS NULL AND {bad_uuid}"
    name_it: list[str] = []
    if "uuid" in alone:
        # Pasted and split rows get an identity of their own. An edit that breaks one (NULL, no uuid, another row's)
        # is taken back in silence. Both after the log row, in one trigger: SQLite promises no order between triggers.
        name_it = [f"UPDATE {t} SET uuid = {_NEW_UUID} {this}"]
        keep_it = f"UPDATE {t} SET uuid = coalesce(OLD.uuid, {_NEW_UUID}) {this}"
        made.append(update("uuid", ["uuid"], keep_it))
    every_old = {f"v{slot}": f"OLD.{quote(name)}" for name, slot in columns.items()}
    every_own = {f"v{slot}": quote(name) for name, slot in columns.items()}
    # SpatiaLite's own triggers leave the R-tree behind when a fid changes.
    index = quote(f"idx_{table}_geom")
    follow = [f"DELETE FROM {index} WHERE pkid = NEW.{k}", f"UPDATE {index} SET pkid = NEW.{k} WHERE pkid = OLD.{k}"]
    replaced = log(REPLACED, f"NEW.{k}", every_own, f"FROM {t} WHERE {k} = NEW.{k}")
    other_key = f"OLD.{k} IS NOT NEW.{k}"
    return [
        *made,
        trigger("ins", f"AFTER INSERT ON {t}", log(INSERT, f"NEW.{k}"), *name_it),
        trigger("del", f"AFTER DELETE ON {t}", log(DELETE, f"OLD.{k}", every_old)),
        trigger("rep", f"BEFORE INSERT ON {t} WHEN EXISTS (SELECT 1 FROM {t} WHERE {k} = NEW.{k})", replaced),
        trigger("fid", f"BEFORE UPDATE OF {k} ON {t} WHEN {other_key}", replaced),
        trigger(
            "key",
            f"AFTER UPDATE OF {k} ON {t} WHEN {other_key}",
            log(DELETE, f"OLD.{k}", every_old),
            log(INSERT, f"NEW.{k}"),
            *name_it,
            *(follow if "geom" in alone else []),
        ),
    ]


def log_filled(connection: sqlite3.Connection, table: str, names: Iterable[str]) -> None:
    """Log what another program wrote into columns it had added before there were triggers for them.

    A column begins empty, so that the old values are known: the edit can be undone like any other.
    """
    live = slots(connection, table)
    for name in names:
        word, bit = divmod(live[name], MASK_BITS)
        connection.execute(
            f"INSERT INTO planner_log (tbl, fid, op, at, mask{word}) SELECT ?, {quote(key_of(table))}, {UPDATE}, "
            f"julianday('now'), {1 << bit} FROM {quote(table)} WHERE {quote(name)} IS NOT NULL",
            (number_of(connection, table),),
        )
