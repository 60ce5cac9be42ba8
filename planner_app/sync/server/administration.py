"""What an administrator does with a server: set it up, let people in, look how it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def _said(connection: psycopg.Connection[Any], answer: dict[str, Any]) -> dict[str, Any]:
    code, name = answer.get("error", ""), answer.get("name", "")
    if code == "sync.project_unknown" and name:
        known = [row[0] for row in connection.execute("SELECT name FROM planner.project ORDER BY name")]
        code = "sync.no_such_project" if known else "sync.no_projects"
        raise PlannerError(code, project=name, known=", ".join(known))
    if code:
        raise PlannerError("sync.admins_only" if code == "sync.denied" else code, name=name)
    return answer


def check_admin(connection: psycopg.Connection[Any], about: str) -> None:
    """Refuse whoever does not administer the city server; outside of a transaction, so that the refusal is noted.

    Args:
        about: the user who was to be let in or put out.

    Raises:
        PlannerError: ``sync.admins_only``.
    """
    if _one(connection, "SELECT planner.my_role()") != "admin":
        _said(connection, _one(connection, "SELECT planner.put_member(%s, '', NULL)", about))


@contextmanager
def _of_the_database(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Logins are the database's: whoever administers the city server only cannot make or change them."""
    import psycopg

    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise PlannerError("sync.needs_dba", detail=error.diag.message_primary or "") from None


def add_user(
    connection: psycopg.Connection[Any], name: str, role: str, projects: Sequence[str] = (), password: str | None = None
) -> bool:
    """Let somebody in, or change what he is: a login (made if it is not there) and a member.

    Args:
        projects: names of the only projects he sees; none: all.

    Returns:
        True if the login is new.

    Raises:
        PlannerError: ``sync.user_name``, ``sync.no_such_project``, ``sync.admins_only``, ``sync.needs_dba``.
    """
    from psycopg import sql

    if not name or len(name.encode()) > 63 or not name.isprintable() or name.startswith(_RESERVED):
        raise PlannerError("sync.user_name", name=name)
    login = sql.Identifier(name)
    with _of_the_database(connection), connection.transaction():
        may = _one(connection, "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", name)
        new = may is None
        if new:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        elif not may:  # the door was closed for him before
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(login))
        if password is not None:
            # The server only ever gets the SCRAM verifier: its log may keep statements.
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(login, sql.Literal(verifier)))
        for other in ROLES:
            held = _one(
                connection, "SELECT 1 FROM pg_auth_members WHERE roleid = %s::regrole AND member = "
                "(SELECT oid FROM pg_roles WHERE rolname = %s)", f"planner_{other}", name,
            )  # fmt: skip
            if held and other != role:
                connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(f"planner_{other}"), login))
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(f"planner_{role}"), login))
        wanted = list(projects) or None
        _said(connection, _one(connection, "SELECT planner.put_member(%s, %s, %s)", name, role, wanted))
    return new


def is_without_password(connection: psycopg.Connection[Any], name: str) -> bool:
    """True if it is known that a login has no password; only a superuser may look."""
    import psycopg

    try:
        with connection.transaction():
            return bool(_one(connection, "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = %s", name))
    except psycopg.errors.InsufficientPrivilege:
        return False


def remove_user(connection: psycopg.Connection[Any], name: str) -> None:
    """Close the door for somebody. The login stays without entry: the log's names must never be somebody else's.

    Raises:
        PlannerError: ``sync.member_unknown``, ``sync.admins_only``, ``sync.needs_dba``.
    """
    from psycopg import sql

    with _of_the_database(connection), connection.transaction():
        _said(connection, _one(connection, "SELECT planner.remove_member(%s)", name))
        if _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s AND NOT rolsuper", name):
            for role in ROLES:
                group = sql.Identifier(f"planner_{role}")
                connection.execute(sql.SQL("REVOKE {} FROM {}").format(group, sql.Identifier(name)))
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(name)))


def grant(connection: psycopg.Connection[Any], exception: dict[str, Any]) -> int:
    """Make an exception from a role's rights: see ``planner.put_permission``; returns its number.

    Raises:
        PlannerError: ``sync.which_project`` where a layer or an area needs one, ``sync.no_such_project``,
            ``sync.layer_unknown``, ``sync.columns_unknown``, ``sync.district_wrong``, ``sync.member_unknown``,
            ``sync.admins_only``.
    """
    from psycopg.types.json import Jsonb

    if exception.get("project") is None and (exception.get("layer") or exception.get("district")):
        raise PlannerError("sync.which_project")
    with connection.transaction():
        made = _said(connection, _one(connection, "SELECT planner.put_permission(%s)", Jsonb(exception)))
        _check_columns(connection, exception)
    return int(made["id"])


def _check_columns(connection: psycopg.Connection[Any], exception: dict[str, Any]) -> None:
    """Fields that no layer in question has were misspelt: the exception would forbid all changes."""
    wanted = exception.get("columns")
    if wanted is None:
        return
    rows = connection.execute(
        "SELECT DISTINCT f.name FROM planner.field f "
        "JOIN planner.layer l ON l.project = f.project AND l.uuid = f.layer "
        "JOIN planner.project p ON p.id = l.project WHERE NOT l.retired AND (%(project)s::text IS NULL OR "
        "p.name = %(project)s) AND (%(layer)s::text IS NULL OR l.uuid::text = %(layer)s OR "
        "l.cells ->> 'name' = %(layer)s OR l.table_name = %(layer)s) ORDER BY 1",
        {"project": exception.get("project"), "layer": exception.get("layer")},
    )
    known = [row[0] for row in rows]
    wrong = [name for name in wanted if name not in ("geom", *known)]
    if wrong or not wanted:
        raise PlannerError(
            "sync.columns_unknown", columns=", ".join(wrong) or "—", known=", ".join([*known[:60], "geom"])
        )


def ungrant(connection: psycopg.Connection[Any], number: int) -> None:
    """Take an exception back.

    Raises:
        PlannerError: ``sync.exception_unknown``, ``sync.admins_only``.
    """
    if not _said(connection, _one(connection, "SELECT planner.remove_permission(%s)", number))["ok"]:
        raise PlannerError("sync.exception_unknown", number=number)


def users(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Members with their exceptions."""
    return list(_one(connection, "SELECT planner.members()"))


def exceptions(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """All exceptions in short, for administrators (nobody else gets any); ``everyone``: it is for a whole role."""
    if _one(connection, "SELECT planner.my_role()") != "admin":
        return []
    rows = connection.execute(
        "SELECT x.id, coalesce(x.member, x.role), x.role IS NOT NULL, p.name, l.cells ->> 'name', x.prefix, "
        "x.can_read, x.can_write, array_to_string(x.columns, ', '), x.district IS NOT NULL, x.only_there "
        "FROM planner.permission x LEFT JOIN planner.project p ON p.id = x.project "
        "LEFT JOIN planner.layer l ON l.project = x.project AND l.uuid = x.layer ORDER BY x.id"
    )
    names = (
        "id",
        "for",
        "everyone",
        "project",
        "layer",
        "prefix",
        "read",
        "write",
        "columns",
        "district",
        "only_there",
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def status(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Version, projects, clients and how far they are behind, refusals.

    Raises:
        PlannerError: ``sync.admins_only``.
    """
    return _said(connection, _one(connection, "SELECT planner.status()"))
