"""The schema's history. Each migration is recorded in the file; an existing file is copied before it is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from planner_app.project import attachments, capture, latest, readings, replica, schema


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; ``apply`` runs inside the transaction that records it."""

    version: int
    name: str
    apply: Callable[[sqlite3.Connection], None]


def _initial(connection: sqlite3.Connection) -> None:
    for statement in schema.TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(schema.log_table())
    connection.execute(schema.LAYER_STYLES)
    for table in ("planner_plan", "planner_layer", "planner_column", "layer_styles"):
        capture.start(connection, table)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "initial", _initial),
    Migration(2, "attachments", attachments.create_tables),
    Migration(3, "readings", readings.create_tables),
    Migration(4, "replica", replica.create_tables),
    Migration(5, "last readings", latest.create_table),
)

#: The version this program writes.
LATEST = MIGRATIONS[-1].version


def version_of(connection: sqlite3.Connection) -> int:
    """The file's schema version (0: none yet)."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, backup: str = "") -> list[Migration]:
    """Apply what is missing, each step in a transaction of its own.

    Args:
        connection: a writer with SpatiaLite loaded and no transaction open.
        backup: the copy that was made before, recorded with each step.
    """
    done = []
    for step in MIGRATIONS:
        if step.version <= version_of(connection):
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            if step.version > version_of(connection):  # another program may have been faster
                step.apply(connection)
                connection.execute(
                    "INSERT INTO planner_migration VALUES (?, ?, ?, ?)",
                    (step.version, step.name, datetime.now(UTC).isoformat(timespec="seconds"), backup),
                )
                connection.execute(f"PRAGMA user_version = {int(step.version)}")
                done.append(step)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    return done
