"""A whole server as a file, by PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.sync.server.administration import init, make_database_of
from planner_app.sync.server.migrations import Initialised, make_roles
from planner_app.sync.server.session import label, open_connection, parameters, worded

if TYPE_CHECKING:
    import psycopg

_TIMEOUT_S = 24 * 3600


def backup(dsn: str, dest: Path, password: str | None = None) -> None:
    """Write the whole database to a file (pg_dump's custom format), whole or not at all.

    Raises:
        PlannerError: ``sync.backup_place``, ``sync.no_server``, ``sync.needs_dba``, ``sync.backup_failed``,
            ``sync.no_programs`` and as :func:`planner_app.sync.server.session.open_connection`.
    """
    if not dest.name or dest.is_dir() or not dest.parent.is_dir():
        raise PlannerError("sync.backup_place", file=str(dest))
    server = label(parameters(dsn))
    with open_connection(dsn, password) as connection, worded(server):
        row = connection.execute("SELECT has_table_privilege('planner.code', 'SELECT')").fetchone()
        if row is None or not row[0]:
            raise PlannerError("sync.needs_dba", detail="pg_dump")
    making = dest.with_name(f".{dest.name}.new")
    try:
        _program(
            "pg_dump",
            dsn,
            password,
            "-Fc",
            "--no-password",
            "--no-unlogged-table-data",
            "--exclude-schema=planner_stage",
            "-f",
            str(making),
        )
        making.replace(dest)
    except OSError as error:
        raise PlannerError("sync.backup_failed", detail=error.strerror or str(error)) from error
    finally:
        making.unlink(missing_ok=True)


def restore(dsn: str, source: Path, password: str | None = None) -> list[str]:
    """Put a backup into an empty database (made if it is not there), with the roles it needs.

    Returns:
        Members who have no login on this server: a backup does not bring logins.

    Raises:
        PlannerError: ``sync.restore_missing``, ``sync.not_a_backup``, ``sync.restore_not_empty``,
            ``sync.backup_failed``, ``sync.no_programs``.
    """
    if not source.is_file():
        raise PlannerError("sync.restore_missing", file=str(source))
    _check_backup(source)
    make_database_of(dsn, password)
    with open_connection(dsn, password) as connection, worded(label(parameters(dsn))):
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'planner'").fetchone():
            raise PlannerError("sync.restore_not_empty", server=label(parameters(dsn)))
        _roles(connection)
    _program("pg_restore", dsn, password, "--no-password", "--exit-on-error", "--single-transaction", str(source))
    with open_connection(dsn, password) as connection, worded(label(parameters(dsn))):
        connection.execute("DELETE FROM planner.code")  # what a dump leaves out is put back with the functions
    init(dsn, password)
    with open_connection(dsn, password) as connection, worded(label(parameters(dsn))):
        rows = connection.execute(
            "SELECT name FROM planner.member WHERE name NOT IN (SELECT rolname FROM pg_roles WHERE rolcanlogin) "
            "ORDER BY 1"
        )
        return [row[0] for row in rows]


def _check_backup(source: Path) -> None:
    """Refuse a file that is no backup of a city server before anything is made."""
    done = subprocess.run(
        [_found("pg_restore"), "--list", str(source)], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode != 0 or " SCHEMA - planner " not in done.stdout:
        raise PlannerError("sync.not_a_backup", file=str(source))


def _found(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise PlannerError("sync.no_programs", program=name)
    return program


def _roles(connection: psycopg.Connection[Any]) -> None:
    """A dump names roles but does not bring them."""
    with connection.transaction():
        make_roles(connection, Initialised(0))


def _program(name: str, dsn: str, password: str | None, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database; secrets go by the environment or a file, never by the arguments,
    which everybody on this computer can read."""
    from psycopg.conninfo import make_conninfo

    program, made = _found(name), parameters(dsn)
    made.pop("application_name", None)
    secret = made.pop("password", None) or password
    environment = os.environ | ({"PGPASSWORD": secret} if secret else {})
    with tempfile.TemporaryDirectory(prefix="planner-service-") as folder:
        if "sslpassword" in made and "service" not in made:
            service = Path(folder) / "service.conf"
            service.write_text("[planner]\n" + "".join(f"{key}={value}\n" for key, value in made.items()), "utf-8")
            environment, made = environment | {"PGSERVICEFILE": str(service)}, {"service": "planner"}
        done = subprocess.run(
            [program, *arguments[:-1], "-d", make_conninfo(**made), arguments[-1]] if name == "pg_restore"
            else [program, *arguments, "-d", make_conninfo(**made)],
            env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise PlannerError("sync.backup_failed", detail=said[0][:300] if said else str(done.returncode))
