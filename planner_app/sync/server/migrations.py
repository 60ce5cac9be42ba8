"""Makes or upgrades the ``planner`` schema: numbered migrations once each, functions and grants when they changed.

Everything belongs to the role ``planner_owner``, which nobody logs in as. All in one transaction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.sync.types import Role

if TYPE_CHECKING:
    import psycopg

ROLES: tuple[Role, ...] = ("viewer", "planner", "reviewer", "operator", "admin")
OWNER = "planner_owner"
#: Functions that act for the owner see only what is named here, whatever the caller set.
_DEFINER = (
    "SECURITY DEFINER SET search_path = pg_catalog, planner, @postgis@, pg_temp SET jit = off SET bytea_output = 'hex' "
    "SET datestyle = 'ISO, YMD' SET extra_float_digits = 1 SET timezone = 'UTC' SET standard_conforming_strings = on"
)
_BOOTSTRAP = """
CREATE SCHEMA IF NOT EXISTS planner AUTHORIZATION planner_owner;
CREATE SCHEMA IF NOT EXISTS planner_inner AUTHORIZATION planner_owner;
CREATE SCHEMA IF NOT EXISTS planner_stage AUTHORIZATION planner_owner;
"""
_MIGRATION = """
CREATE TABLE IF NOT EXISTS planner.migration (
    version integer PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT clock_timestamp(),
    applier text NOT NULL DEFAULT session_user
);
CREATE TABLE IF NOT EXISTS planner.code (
    sha256 text NOT NULL, applied timestamptz NOT NULL DEFAULT clock_timestamp(),
    applier text NOT NULL DEFAULT session_user
);
"""


@dataclass(slots=True)
class Initialised:
    """What :func:`initialise` did. ``warnings``: codes of what could not be done with the rights there were."""

    version: int
    applied: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def numbered() -> list[tuple[int, str, str]]:
    """(version, name, SQL) of all migrations in order."""
    found = sorted(path.name for path in _folder().iterdir() if path.name.endswith(".sql"))
    return [(int(name[:3]), name[4:-4], (_folder() / name).read_text("utf-8")) for name in found]


def code() -> str:
    """All functions and grants as one text."""
    folder = _folder() / "code"
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(".sql"))
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _folder() -> Any:
    return files("planner_app.sync.server") / "sql"


def initialise(connection: psycopg.Connection[Any]) -> Initialised:
    """Make or upgrade the schema; doing it again changes nothing.

    Args:
        connection: of a superuser, or of a role with CREATEROLE and CREATE on the database where PostGIS is there.

    Raises:
        PlannerError: ``sync.server_newer`` (made by a newer program), ``sync.needs_dba``, ``sync.no_postgis``.
    """
    import psycopg

    done = Initialised(0)
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('planner.init'))")
            superuser = _one(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            make_roles(connection, done)
            postgis = _postgis(connection, done)
            _leakproof(connection, postgis, superuser, done)
            _schema(connection, postgis, done)
            if not superuser:  # a superuser counts as an administrator anyway
                connection.execute("GRANT planner_admin TO CURRENT_USER")
                connection.execute(
                    "INSERT INTO planner.member (name, role) VALUES (session_user, 'admin') "
                    "ON CONFLICT (name) DO UPDATE SET role = 'admin', projects = NULL"
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise PlannerError("sync.needs_dba", detail=str(error).splitlines()[0]) from error
    return done


def _one(connection: psycopg.Connection[Any], statement: str, values: tuple[Any, ...] = ()) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    return None if row is None else row[0]


def make_roles(connection: psycopg.Connection[Any], done: Initialised) -> None:
    """Group roles: everybody reads as a viewer does; what else a role may do, functions decide."""
    have = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'planner\\_%'")}
    for role in [OWNER, *(f"planner_{name}" for name in ROLES)]:
        if role not in have:
            connection.execute(f"CREATE ROLE {role} NOLOGIN".encode())
            done.applied.append(f"role {role}")
    for name in ROLES[1:]:
        connection.execute(f"GRANT planner_viewer TO planner_{name}".encode())
    connection.execute(f"GRANT {OWNER} TO CURRENT_USER".encode())
    # To see who sits on a lock without working, and to end that.
    connection.execute(f"GRANT pg_read_all_stats, pg_signal_backend TO {OWNER}".encode())
    database = _one(connection, "SELECT quote_ident(current_database())")
    connection.execute(f"GRANT CREATE ON DATABASE {database} TO {OWNER}".encode())
    connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC".encode())
    connection.execute(f"GRANT CONNECT ON DATABASE {database} TO planner_viewer".encode())


def _postgis(connection: psycopg.Connection[Any], done: Initialised) -> str:
    """The (quoted) schema PostGIS is in; made if it is not there."""
    import psycopg

    where = (
        "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'postgis'"
    )
    found = _one(connection, where)
    if found is None:
        try:
            connection.execute("CREATE EXTENSION postgis SCHEMA public")
        except psycopg.Error as error:
            raise PlannerError("sync.no_postgis", detail=str(error).splitlines()[0]) from error
        done.applied.append("extension postgis")
        found = _one(connection, where)
    try:
        with connection.transaction():
            # Nobody places a function of his own beside PostGIS's.
            connection.execute(f"REVOKE CREATE ON SCHEMA {found} FROM PUBLIC".encode())
            connection.execute(f"GRANT USAGE ON SCHEMA {found} TO {OWNER}, planner_viewer".encode())
            connection.execute(f"GRANT SELECT, INSERT ON {found}.spatial_ref_sys TO {OWNER}".encode())
    except psycopg.errors.InsufficientPrivilege:
        done.warnings.append("sync.public_open")
    return str(found)


#: What tells nothing about its arguments: the extent test, and the cast in QGIS's ``"uuid"::text = …``. Policies come
#: before conditions that might tell what they see, and before their indexes. {p} is PostGIS's schema.
_LEAKPROOF = (
    "{p}.geometry_overlaps({p}.geometry, {p}.geometry)",
    "pg_catalog.uuid_out(uuid)",
    "pg_catalog.textin(cstring)",
)


def _leakproof(connection: psycopg.Connection[Any], postgis: str, superuser: bool, done: Initialised) -> None:
    for name in (template.format(p=postgis) for template in _LEAKPROOF):
        if _one(connection, "SELECT proleakproof FROM pg_proc WHERE oid = %s::regprocedure", (name,)):
            continue
        if superuser:
            connection.execute(f"ALTER FUNCTION {name} LEAKPROOF".encode())
            done.applied.append(f"{name.partition('(')[0]} is leakproof")
        elif "sync.not_leakproof" not in done.warnings:
            done.warnings.append("sync.not_leakproof")


def _schema(connection: psycopg.Connection[Any], postgis: str, done: Initialised) -> None:
    connection.execute(_BOOTSTRAP.encode())
    connection.execute(f"SET LOCAL ROLE {OWNER}".encode())
    connection.execute(f"SET LOCAL search_path = pg_catalog, planner, {postgis}, pg_temp".encode())
    connection.execute("SET LOCAL check_function_bodies = off")  # they name each other
    connection.execute(_MIGRATION.encode())
    connection.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    current = int(_one(connection, "SELECT coalesce(max(version), 0) FROM planner.migration"))
    steps = numbered()
    if current > steps[-1][0]:
        raise PlannerError("sync.server_newer", version=current, known=steps[-1][0])
    for version, name, sql in steps:
        if version > current:
            connection.execute(filled(sql, postgis).encode())
            connection.execute("INSERT INTO planner.migration (version, name) VALUES (%s, %s)", (version, name))
            done.applied.append(f"{version:03} {name}")
    text = filled(code(), postgis)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest != _one(connection, "SELECT sha256 FROM planner.code"):
        connection.execute(text.encode())
        connection.execute("DELETE FROM planner.code")
        connection.execute("INSERT INTO planner.code (sha256) VALUES (%s)", (digest,))
        done.applied.append("functions")
    done.version = steps[-1][0]
    connection.execute("RESET ROLE")


def filled(sql: str, postgis: str) -> str:
    """SQL with the schema of PostGIS (quoted) and the functions' settings put in."""
    return sql.replace("@definer@", _DEFINER).replace("@postgis@", postgis)
