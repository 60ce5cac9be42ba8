"""What an administrator does with a server: set it up, let people in, look how it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.sync.server.migrations import ROLES, Initialised, initialise
from planner_app.sync.server.session import is_unchecked, label, open_connection, parameters, worded

if TYPE_CHECKING:
    import psycopg

#: Names of roles that PostgreSQL or this product keep for themselves.
_RESERVED = ("pg_", "planner_")


def init(
    dsn: str, password: str | None = None, *, make_database: bool = False, server_log: bool = False
) -> Initialised:
    """Make or upgrade the city server in a database.

    Args:
        make_database: make the DSN's database if it is not there.
        server_log: let PostgreSQL's own log name user, database and address in every line (ALTER SYSTEM).

    Raises:
        PlannerError: as :func:`planner_app.sync.server.migrations.initialise` and of connecting.
    """
    made = make_database_of(dsn, password) if make_database else ""
    with open_connection(dsn, password) as connection, worded(label(parameters(dsn))):
        done = initialise(connection)
        if made:
            done.applied.insert(0, f"database {made}")
        if server_log:
            connection.execute("ALTER SYSTEM SET log_line_prefix = '%m [%p] %u@%d %h '")
            connection.execute("SELECT pg_reload_conf()")
            done.applied.append("log_line_prefix")
        elif "%u" not in str(_one(connection, "SHOW log_line_prefix")):
            done.warnings.append("sync.log_without_user")
        if is_unchecked(dsn):
            done.warnings.append("sync.unchecked")
    return done


def make_database_of(dsn: str, password: str | None) -> str:
    """Make the DSN's database if it is not there; returns its name, or nothing if it is."""
    from psycopg import sql

    name = parameters(dsn).get("dbname", "")
    with open_connection(f"{_conninfo(dsn)} dbname=postgres", password) as connection, worded(label(parameters(dsn))):
        if not name or _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
            return ""
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
        )
    return name


def _conninfo(dsn: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(**{key: value for key, value in parameters(dsn).items() if key != "dbname"})


def _one(connection: psycopg.Connection[Any], statement: str, *values: Any) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    return None if row is None else row[0]


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise PlannerError(answer["error"], name=answer.get("name", ""))
    return answer


def add_user(
    connection: psycopg.Connection[Any], name: str, role: str, projects: Sequence[str] = (), password: str | None = None
) -> bool:
    """Let somebody in, or change what he is: a login (made if it is not there) and a member.

    Args:
        projects: names of the only projects he sees; none: all.

    Returns:
        True if the login is new.

    Raises:
        PlannerError: ``sync.user_name``, ``sync.project_unknown``, ``sync.denied``.
    """
    from psycopg import sql

    if not name or len(name.encode()) > 63 or not name.isprintable() or name.startswith(_RESERVED):
        raise PlannerError("sync.user_name", name=name)
    login = sql.Identifier(name)
    with connection.transaction():
        new = _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name) is None
        if new:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        if password is not None:
            # The server only ever gets the SCRAM verifier: its log may keep statements.
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(login, sql.Literal(verifier)))
        for other in ROLES:
            held = _one(
                connection, "SELECT 1 FROM pg_auth_members WHERE roleid = %s::regrole AND member = "
                "(SELECT oid FROM pg_roles WHERE rolname = %s)", f"planner_{other}", name,
            )  # fmt: skip
            if held and other != role:
                connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(f"planner_{other}"), login))
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(f"planner_{role}"), login))
        _said(_one(connection, "SELECT planner.put_member(%s, %s, %s)", name, role, list(projects) or None))
    return new


def remove_user(connection: psycopg.Connection[Any], name: str) -> None:
    """Close the door for somebody. The login stays without entry: the log's names must never be somebody else's.

    Raises:
        PlannerError: ``sync.member_unknown``, ``sync.denied``.
    """
    from psycopg import sql

    with connection.transaction():
        _said(_one(connection, "SELECT planner.remove_member(%s)", name))
        if _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s AND NOT rolsuper", name):
            for role in ROLES:
                group = sql.Identifier(f"planner_{role}")
                connection.execute(sql.SQL("REVOKE {} FROM {}").format(group, sql.Identifier(name)))
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(name)))


def grant(connection: psycopg.Connection[Any], exception: dict[str, Any]) -> int:
    """Make an exception from a role's rights: see ``planner.put_permission``; returns its number.

    Raises:
        PlannerError: ``sync.project_unknown``, ``sync.layer_unknown``, ``sync.district_wrong``,
            ``sync.member_unknown``, ``sync.denied``.
    """
    from psycopg.types.json import Jsonb

    return int(_said(_one(connection, "SELECT planner.put_permission(%s)", Jsonb(exception)))["id"])


def ungrant(connection: psycopg.Connection[Any], number: int) -> bool:
    """Take an exception back; False if there is none of that number."""
    return bool(_said(_one(connection, "SELECT planner.remove_permission(%s)", number))["ok"])


def users(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Members with their exceptions."""
    return list(_one(connection, "SELECT planner.members()"))


def status(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Version, projects, clients and how far they are behind, refusals.

    Raises:
        PlannerError: ``sync.denied``.
    """
    return _said(_one(connection, "SELECT planner.status()"))
