"""Making, opening, migrating and copying project files."""

from __future__ import annotations

import getpass
import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.project import attachments, bulk, capture, migrations, reference_systems, registry, replica, schema
from planner_app.project.connection import Door, cannot_write, connect, patiently
from planner_app.project.journal import fields_adopted

_PAGES = 2048  # of 4 KiB: copied between two looks at the progress


def user_name() -> str:
    """The person's login name, empty if the system has none to tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def create(path: Path, crs: str, name: str) -> None:
    """Make an empty project file: first beside its place, then renamed, so that it is whole or not there.

    Raises:
        PlannerError: ``project.exists``, ``project.crs_unknown``, ``crs.not_projected``, ``project.no_spatialite``,
            ``project.cannot_write``.
    """
    if path.exists():
        raise PlannerError("project.exists", file=str(path))
    making = beside(path)
    try:
        with closing(connect(making, "rwc", spatial=True)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("SELECT InitSpatialMetaData(1, 'NONE')").fetchone()
            srid, stated = reference_systems.insert(connection, crs)
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            migrations.migrate(connection)
            meta = {
                "name": name, "crs": stated, "srid": str(srid), "uuid": str(uuid.uuid4()),
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            }  # fmt: skip
            connection.executemany("INSERT INTO planner_meta VALUES (?, ?)", meta.items())
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = DELETE")
        put_in_place(making, path)
    except (OSError, sqlite3.OperationalError) as error:
        if isinstance(error, sqlite3.Error) and not cannot_write(error):
            raise
        raise PlannerError("project.cannot_write", file=str(path), detail=str(error)) from error
    finally:
        for rest in (making, making.with_name(making.name + "-journal")):
            rest.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """Where a file is made before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def put_in_place(made: Path, path: Path) -> None:
    """Bring a file that was made beside its place to the disk and rename it.

    Raises:
        PlannerError: ``project.exists``. OSError.
    """
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    if path.exists():
        raise PlannerError("project.exists", file=str(path))
    _replace(made, path)


def open_door(path: Path, *, alone: bool = False) -> Door:
    """Open a project file, bring it up to date and tidy what dead programs left.

    Args:
        alone: see :class:`Door`.

    Raises:
        PlannerError: ``project.missing``, ``project.not_a_project``, ``project.newer``, ``project.no_spatialite``,
            ``project.damaged``, ``project.busy``, ``project.cannot_read``.
    """
    if not path.is_file():
        raise PlannerError("project.missing", file=str(path))
    try:
        _check_kind(path)
        door = Door(path, alone=alone)
    except sqlite3.OperationalError as error:
        raise PlannerError("project.cannot_read", file=str(path), detail=str(error)) from error
    try:
        with door.read() as reader:
            kind = patiently(lambda: reader.execute("PRAGMA application_id").fetchone()[0], path)
            if kind != schema.APPLICATION_ID:
                raise PlannerError("project.not_a_project", file=str(path), detail="")
            version = patiently(lambda: migrations.version_of(reader), path)
        if version > migrations.LATEST:
            raise PlannerError("project.newer", file=str(path), version=version, known=migrations.LATEST)
        if not door.read_only:
            if version < migrations.LATEST:
                _migrate(door, version)
            bulk.sweep(door)
            attachments.sweep(door)
            repair_capture(door)
        return door
    except BaseException:
        door.close()
        raise


def _check_kind(path: Path) -> None:
    """Refuse foreign files before a writer touches them."""
    try:
        with closing(connect(path, "ro")) as connection:
            kind = patiently(lambda: connection.execute("PRAGMA application_id").fetchone()[0], path)
    except sqlite3.OperationalError as error:
        # A program died in the middle of a write: only a writer may roll its journal back.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
            return
        raise
    if kind != schema.APPLICATION_ID:
        raise PlannerError("project.not_a_project", file=str(path), detail="")


def _migrate(door: Door, version: int) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    backup = door.path.with_name(f"{door.path.name}.v{version}-{stamp}.bak")
    with door.read() as reader:
        copy_to(reader, backup)
    migrations.migrate(door.writer, backup.name)


def repair_capture(door: Door) -> list[str]:
    """Make the capture triggers of tables whose columns another program changed (or whose triggers it dropped) anew.

    Returns the tables. What was written into columns others added is logged now; what else was edited without
    triggers cannot be known, and the log has a gap.
    """
    with door.read() as reader:
        outdated = patiently(lambda: _outdated(reader), door.path)
    if not outdated:
        return []
    with door.write() as connection:
        connection.execute("UPDATE planner_state SET txn = 0")  # housekeeping: no entry, nothing to undo
        for table in _outdated(connection):
            if table not in schema.REGISTRY and not capture.was_whole(connection, table):
                replica.suspect(connection, table)
            added = registry.adopt_columns(connection, table) if table not in schema.REGISTRY else []
            capture.start(connection, table)
            capture.log_filled(connection, table, added)
        count = str(int(fields_adopted(connection)) + 1)
        connection.execute("INSERT OR REPLACE INTO planner_meta VALUES ('fields_adopted', ?)", (count,))
        connection.execute("UPDATE planner_state SET txn = NULL")
    return outdated


def _outdated(connection: sqlite3.Connection) -> list[str]:
    # A layer whose table is gone cannot be mended here: verify says so.
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    layers = [row[0] for row in connection.execute("SELECT id FROM planner_layer") if row[0] in tables]
    found = [table for table in schema.REGISTRY if table in tables and not capture.is_current(connection, table)]
    for table in layers:
        changed = any(registry.column_differences(connection, table))
        if changed or not capture.is_current(connection, table):
            found.append(table)
    return found


def save_copy(door: Door, dest: Path, progress: Progress) -> None:
    """Copy the project as it is at this moment into one whole file; an existing file is replaced at the end.

    Raises:
        PlannerError: ``project.copy_onto_itself``, ``project.cannot_write``.
        Cancelled: nothing is left.
    """
    if dest.exists() and dest.samefile(door.path):
        raise PlannerError("project.copy_onto_itself", file=str(dest))
    with door.read() as reader:
        copy_to(reader, dest, progress, replica.become_copy)


def copy_to(
    connection: sqlite3.Connection,
    dest: Path,
    progress: Progress | None = None,
    finish: Callable[[sqlite3.Connection], None] | None = None,
) -> None:
    """Copy a project through the backup API, then take the copy out of WAL mode and unfinished imports out of it.

    Args:
        finish: what else to do to the copy.
    """
    making = dest.with_name(f".{dest.name}.{os.getpid()}.new")

    def report(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            check(progress)
            progress.update(1.0 - remaining / max(total, 1), "stage.copying")

    try:
        with closing(sqlite3.connect(making, isolation_level=None)) as copy:
            # An open read transaction pins one state: writers of other programs cannot make the copy start again.
            connection.execute("BEGIN")
            try:
                connection.execute("SELECT 1 FROM sqlite_master").fetchone()
                connection.backup(copy, pages=_PAGES, progress=report, sleep=0)
            finally:
                connection.execute("ROLLBACK")
        with closing(sqlite3.connect(making, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE").fetchone()
            bulk.discard_all(copy)
            attachments.discard_all(copy)
            if finish is not None:
                finish(copy)
        with making.open("rb+") as file:
            os.fsync(file.fileno())
        _replace(making, dest)
    except (OSError, sqlite3.OperationalError) as error:
        if isinstance(error, sqlite3.Error) and not cannot_write(error):
            raise
        raise PlannerError("project.cannot_write", file=str(dest), detail=str(error)) from error
    finally:
        for rest in (making, *(making.with_name(making.name + end) for end in ("-journal", "-wal", "-shm"))):
            with suppress(OSError):
                rest.unlink(missing_ok=True)


def _replace(source: Path, dest: Path) -> None:
    """Rename over; on Windows a virus scanner may hold a fresh file for a moment."""
    for attempt in range(5):
        try:
            source.replace(dest)
            return
        except PermissionError:
            if attempt == 4:
                raise
            time.sleep(0.2)
