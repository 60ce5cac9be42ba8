"""Is the file whole? Every check says what it looked at and what it found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from planner_app.domain.progress import Progress, check
from planner_app.project import attachments, capture, identity, migrations, registry, schema, spatial
from planner_app.project.connection import Door, connect, patiently
from planner_app.project.sql import quote

#: What rounding outwards to single precision adds at most, of a value (SQLite's rtreeValueDown, …Up: 1 + 1/2²³).
_SINGLE = 2.0**-22


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its name (worded under ``check.<name>``), whether it passed, and what was found in plain figures."""

    name: str
    ok: bool
    detail: str


def verify(door: Door, progress: Progress) -> list[CheckResult]:
    """Run all checks on one state of the file.

    Raises:
        PlannerError: ``project.no_spatialite``. Cancelled.
    """
    steps: dict[str, Callable[[sqlite3.Connection], Iterator[CheckResult]]] = {
        "integrity": _sqlite, "schema": _schema, "layers": _layers, "spatial_indexes": _indexes,
        "identities": _identities, "capture": _capture, "log": _log, "orphans": _orphans,
        "attachments": partial(_attachments, progress=progress),
    }  # fmt: skip
    results: list[CheckResult] = []
    # Not of the pool: SpatiaLite's checks want to make temporary tables, which those connections refuse.
    with closing(connect(door.path, door.mode, spatial=True)) as connection:
        patiently(lambda: connection.execute("BEGIN"), door.path)
        try:
            for number, (name, step) in enumerate(steps.items()):
                check(progress)
                progress.update(number / len(steps), "stage.verifying")
                try:
                    results += step(connection)
                except sqlite3.DatabaseError as error:  # so damaged that it cannot be looked at
                    results.append(CheckResult(name, False, str(error)))
        finally:
            connection.execute("ROLLBACK")
    progress.update(1.0)
    return results


def _result(name: str, faults: list[str], good: str) -> CheckResult:
    shown = "; ".join(faults[:20]) + (f"; and {len(faults) - 20} more" if len(faults) > 20 else "")
    return CheckResult(name, not faults, shown or good)


def _sqlite(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
    yield _result("integrity", [text for text in found if text != "ok"], "ok")
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    yield _result("foreign_keys", [f"{row[0]} row {row[1]} → {row[2]}" for row in broken], "ok")


def _schema(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    version = migrations.version_of(connection)
    recorded = [row[0] for row in connection.execute("SELECT version FROM planner_migration ORDER BY version")]
    expected = [step.version for step in migrations.MIGRATIONS]
    faults = [] if version == migrations.LATEST else [f"version {version}, expected {migrations.LATEST}"]
    if recorded != expected:
        faults.append(f"recorded migrations {recorded}, expected {expected}")
    yield _result("schema", faults, f"version {version}")


def _layer_ids(connection: sqlite3.Connection) -> list[str]:
    """Registered layers whose tables exist."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT id FROM planner_layer WHERE id IN (SELECT name FROM sqlite_master WHERE type = 'table') "
            "ORDER BY fid"
        )
    ]


def _layers(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    faults, features = [], 0
    layers = registry.read_layers(connection)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT f_table_name, geometry_type, srid, spatial_index_enabled FROM geometry_columns"
        )
    }
    for row in layers:
        info = row.info
        if info.id not in tables:
            faults.append(f"{info.id}: no table")
            continue
        features += connection.execute(f"SELECT count(*) FROM {quote(info.id)}").fetchone()[0]
        added, missing = registry.column_differences(connection, info.id)
        faults += [f"{info.id}: column {name} is not registered" for name, _ in added]
        faults += [f"{info.id}: column {name} is missing" for name in missing]
        registered = columns.pop(info.id, None)
        if info.geometry == "none":
            continue
        wanted = (spatial.geometry_type(info.geometry, row.multi, row.has_z), info.srid, 1)
        if registered != wanted:
            faults.append(f"{info.id}: geometry registered as {registered}, expected {wanted}")
    faults += [f"{table}: a spatial table that is no layer" for table in columns]
    styles = connection.execute(
        "SELECT DISTINCT f_table_name FROM layer_styles WHERE f_table_name NOT IN (SELECT name FROM sqlite_master)"
    )
    faults += [f"style of {row[0]}, which does not exist" for row in styles]
    plans = connection.execute(
        "SELECT id, plan_id FROM planner_layer WHERE plan_id <> '' AND plan_id NOT IN (SELECT id FROM planner_plan)"
    )
    faults += [f"{row[0]}: plan {row[1]} is not registered" for row in plans]
    yield _result("layers", faults, f"{len(layers)} layers, {features} features")


def _indexes(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    faults, checked = [], 0
    spatial_layers = connection.execute("SELECT f_table_name FROM geometry_columns").fetchall()
    for (table,) in spatial_layers:
        found = connection.execute("SELECT rtreecheck(?)", (f"idx_{table}_geom",)).fetchone()[0]
        if found != "ok":
            faults.append(f"{table}: {str(found)[:200]}")
        elif not _index_fits(connection, table):
            faults.append(f"{table}: the spatial index does not match the geometries")
        checked += 1
    yield _result("spatial_indexes", faults, f"{checked} indexes")


def _index_fits(connection: sqlite3.Connection, table: str) -> bool:
    """Each geometry's box lies in its own of the index, which is no bigger than single precision makes it.

    SpatiaLite's ``CheckSpatialIndex`` calls indexes wrong where coordinates are beyond 2²³ (zone numbers).
    """
    index = quote(f"idx_{table}_geom")
    sides = " AND ".join(
        f"{big} - {small} BETWEEN -1e-9 AND 1e-9 + {_SINGLE} * abs({big})"
        for big, small in (
            ("MbrMinX(t.geom)", "i.xmin"), ("i.xmax", "MbrMaxX(t.geom)"),
            ("MbrMinY(t.geom)", "i.ymin"), ("i.ymax", "MbrMaxY(t.geom)"),
        )
    )  # fmt: skip
    wrong = connection.execute(
        f"SELECT 1 FROM {quote(table)} t LEFT JOIN {index} i ON i.pkid = t.rowid "
        f"WHERE MbrMinX(t.geom) IS NOT NULL AND (i.pkid IS NULL OR NOT ({sides})) LIMIT 1"
    ).fetchone()
    stray = connection.execute(
        f"SELECT 1 FROM {index} i LEFT JOIN {quote(table)} t ON t.rowid = i.pkid WHERE t.geom IS NULL LIMIT 1"
    ).fetchone()
    return wrong is None and stray is None


def _identities(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    faults = []
    for table in _layer_ids(connection):
        bad = connection.execute(
            f"SELECT count(*) FROM {quote(table)} WHERE uuid IS NULL OR uuid NOT GLOB ?", (capture.UUID_SHAPE,)
        ).fetchone()[0]
        twice = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {quote(table)} WHERE uuid IS NOT NULL "
            "GROUP BY uuid HAVING count(*) > 1)"
        ).fetchone()[0]
        if bad:
            faults.append(f"{table}: {bad} rows without a valid uuid")
        if twice:
            faults.append(f"{table}: {twice} uuids used twice")
    yield _result("identities", faults, "unique and valid")


def _capture(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    tables = [*schema.REGISTRY, *_layer_ids(connection)]
    faults = [f"{table}: triggers missing or outdated" for table in tables if not capture.is_current(connection, table)]
    yield _result("capture", faults, f"{len(tables)} tables")


def _log(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    faults = []
    if connection.execute("SELECT count(*), max(txn) FROM planner_state").fetchone() != (1, None):
        faults.append("a transaction is marked as being written")
    stray = connection.execute(
        "SELECT count(*) FROM planner_log WHERE txn > 0 AND NOT EXISTS (SELECT 1 FROM planner_txn "
        "WHERE id = txn AND seq BETWEEN first_seq AND last_seq)"
    ).fetchone()[0]
    if stray:
        faults.append(f"{stray} rows belong to no entry")
    numbers = connection.execute(
        "SELECT count(*) FROM planner_log WHERE tbl NOT IN (SELECT number FROM planner_capture)"
    ).fetchone()[0]
    if numbers:
        faults.append(f"{numbers} rows of unknown tables")
    empty = connection.execute(
        "SELECT count(*) FROM planner_txn AS entry WHERE origin <> 'foreign' AND first_seq > 0 AND NOT EXISTS "
        "(SELECT 1 FROM planner_log WHERE seq = entry.first_seq AND txn = entry.id)"
    ).fetchone()[0]
    if empty:
        faults.append(f"{empty} entries have lost their first row")
    links = connection.execute(
        "SELECT count(*) FROM planner_txn AS entry WHERE undone_by IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM planner_txn WHERE id = entry.undone_by AND undoes = entry.id)"
    ).fetchone()[0]
    if links:
        faults.append(f"{links} undone entries without their undo")
    entries, rows = connection.execute(
        "SELECT (SELECT count(*) FROM planner_txn), (SELECT count(*) FROM planner_log)"
    ).fetchone()
    yield _result("log", faults, f"{entries} entries, {rows} rows")


def _orphans(connection: sqlite3.Connection) -> Iterator[CheckResult]:
    pending = connection.execute("SELECT table_name, host, process, heartbeat FROM planner_pending").fetchall()
    faults = [f"{row[0]}: its import was broken off" for row in pending if identity.is_orphan(*row[1:])]
    waiting = attachments.unfinished(connection)
    faults += [f"{row[1]}: its attaching was broken off" for row in waiting if identity.is_orphan(*row[2:])]
    known = (
        "SELECT id FROM planner_layer UNION SELECT table_name FROM planner_pending "
        "UNION SELECT table_name FROM planner_capture"
    )
    nobody = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'idx\\_%\\_geom' ESCAPE '\\' "
        f"AND substr(name, 5, length(name) - 9) NOT IN ({known}) AND substr(name, 5, length(name) - 9) NOT IN "
        "(SELECT f_table_name FROM geometry_columns)"
    )
    faults += [f"{row[0]}: an index without its table" for row in nobody]
    yield _result("orphans", faults, f"{len(pending)} imports in progress")


def _attachments(connection: sqlite3.Connection, progress: Progress) -> Iterator[CheckResult]:
    faults, count, size = attachments.faults(connection, progress)
    yield _result("attachments", faults, f"{count} attachments, {size} bytes")
