"""``planner server …``: set up and look after a city server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    import psycopg

_ROLES = ("planner", "reviewer", "operator", "viewer", "admin")


def _dsn(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dsn", metavar="DSN", help="database: postgresql://user@host/name, host=… dbname=…, service=…")


def _password(dsn: str) -> str | None:
    """What libpq does not find itself: from this computer's keyring."""
    from planner_app.sync import secrets

    return secrets.kept(dsn)


@contextmanager
def _open(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    from planner_app.sync.server.session import label, open_connection, parameters, worded

    try:
        connection = open_connection(dsn)
    except PlannerError as error:
        found = _password(dsn) if error.code == "sync.password_needed" else None
        if found is None:
            raise
        connection = open_connection(dsn, found)
    try:
        with connection, worded(label(parameters(dsn))):
            yield connection
    except PlannerError as error:
        if error.code != "sync.denied":
            raise
        raise PlannerError("sync.admins_only") from None


def _configure_init(parser: argparse.ArgumentParser) -> None:
    _dsn(parser)
    parser.add_argument("--database", action="store_true", help="make the database if it is not there")
    parser.add_argument(
        "--server-log", action="store_true", help="let every line of PostgreSQL's log name user and address"
    )


def _init(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.cli_verbs.sync import warnings_of
    from planner_app.i18n import word
    from planner_app.sync.server.administration import init

    done = init(
        arguments.dsn, _password(arguments.dsn), make_database=arguments.database, server_log=arguments.server_log
    )
    warnings = [{"code": code, "message": word(code, {})} for code in done.warnings if code != "sync.unchecked"]
    warnings += warnings_of(arguments.dsn)
    return VerbResult({"version": done.version, "applied": done.applied, "warnings": warnings})


def _configure_exception(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="P", help="only in this project")
    parser.add_argument("--layer", metavar="L", help="only this layer (its name on the server or its UUID)")
    parser.add_argument("--prefix", metavar="ROLE", help="only layers whose role begins with this, e.g. tunnel.")
    parser.add_argument("--district", metavar="WKT|LAYER", help="only records that lie wholly in this area")
    parser.add_argument("--only-there", action="store_true", help="nothing outside the district is seen either")
    parser.add_argument("--columns", metavar="A,B", help="only these fields may be changed (geom: the geometry)")
    parser.add_argument("--write", choices=("yes", "no"), help="may, or may not, change")
    parser.add_argument("--read", choices=("yes", "no"), help="may, or may not, see")


def _exception(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the arguments say beyond the role; empty if nothing."""
    from planner_app.cli_verbs.sync import listed

    flag = {"yes": True, "no": False, None: None}
    said = {
        "layer": arguments.layer, "prefix": arguments.prefix, "district": arguments.district,
        "columns": None if arguments.columns is None else listed(arguments.columns),
        "only_there": arguments.only_there or None, "write": flag[arguments.write], "read": flag[arguments.read],
    }  # fmt: skip
    return {key: value for key, value in said.items() if value is not None}


def _configure_add(parser: argparse.ArgumentParser) -> None:
    _dsn(parser)
    parser.add_argument("name", metavar="NAME", help="login")
    parser.add_argument("--role", required=True, choices=_ROLES)
    _configure_exception(parser)
    parser.add_argument("--password-stdin", action="store_true", help="read the login's password from standard input")


def _add(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.i18n import word
    from planner_app.sync.server import administration

    password = _typed() if arguments.password_stdin else None
    if arguments.password_stdin and not password:
        raise PlannerError("sync.password_empty")
    said, name = _exception(arguments), arguments.name
    projects = [arguments.project] if arguments.project else []
    with _open(arguments.dsn) as connection:
        administration.check_admin(connection, name)
        with connection.transaction():
            new = administration.add_user(connection, name, arguments.role, projects, password)
            number = None
            if said:
                number = administration.grant(connection, said | {"member": name, "project": arguments.project})
        codes = ["sync.login_without_password"] if administration.is_without_password(connection, name) else []
    warnings = [{"code": code, "message": word(code, {"name": name})} for code in codes]
    return VerbResult(
        {"name": name, "role": arguments.role, "new_login": new, "exception": number, "warnings": warnings}
    )


def _typed() -> str:
    """A password from standard input; typed on a terminal it is not shown."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("")
    return sys.stdin.readline().rstrip("\r\n")


def _configure_remove(parser: argparse.ArgumentParser) -> None:
    _dsn(parser)
    parser.add_argument("name", metavar="NAME", help="login")


def _remove(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.server import administration

    with _open(arguments.dsn) as connection:
        administration.check_admin(connection, arguments.name)
        administration.remove_user(connection, arguments.name)
    return VerbResult({"removed": arguments.name})


def _users(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.server import administration

    with _open(arguments.dsn) as connection:
        data = {"users": administration.users(connection), "exceptions": administration.exceptions(connection)}
    return VerbResult(data)


def _configure_grant(parser: argparse.ArgumentParser) -> None:
    _dsn(parser)
    parser.add_argument("name", metavar="NAME|ROLE", nargs="?", help="a login, or a role for all who have it")
    _configure_exception(parser)
    parser.add_argument("--remove", type=int, metavar="N", help="take the exception of this number back")


def _grant(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.server import administration

    with _open(arguments.dsn) as connection:
        if arguments.remove is not None:
            administration.ungrant(connection, arguments.remove)
            return VerbResult({"removed": True})
        said = _exception(arguments)
        if not said or not arguments.name:
            raise PlannerError("sync.nothing_granted")
        who = {"role": arguments.name} if arguments.name in _ROLES else {"member": arguments.name}
        return VerbResult({"exception": administration.grant(connection, said | who | {"project": arguments.project})})


def _status(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.server import administration

    with _open(arguments.dsn) as connection:
        found = administration.status(connection)
    clients = [{"project": one["name"], **client} for one in found["projects"] for client in one["clients"]]
    return VerbResult(found | {"clients": clients})


def _verify(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.server.session import label, parameters
    from planner_app.sync.server.verifying import verify

    with _open(arguments.dsn) as connection:
        results = verify(connection, label(parameters(arguments.dsn)), context.progress)
    checks = [{"name": result.name, "ok": result.ok, "detail": result.detail} for result in results]
    ok = all(result.ok for result in results)
    return VerbResult({"ok": ok, "checks": checks}, 0 if ok else 1)


def _configure_backup(parser: argparse.ArgumentParser) -> None:
    _dsn(parser)
    parser.add_argument("out", type=Path, metavar="OUT", help="file to write")


def _backup(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.server.backup import backup

    backup(arguments.dsn, arguments.out, _password(arguments.dsn))
    return VerbResult({"out": str(arguments.out), "bytes": arguments.out.stat().st_size})


def _configure_restore(parser: argparse.ArgumentParser) -> None:
    _dsn(parser)
    parser.add_argument("file", type=Path, metavar="IN", help="what backup wrote")


def _restore(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.i18n import word
    from planner_app.sync.server.backup import restore

    missing = restore(arguments.dsn, arguments.file, _password(arguments.dsn))
    verified = _verify(context, arguments)
    code = "sync.members_without_login"
    warnings = [{"code": code, "message": word(code, {"names": ", ".join(missing)})}] if missing else []
    found = {"members_without_login": missing, "warnings": warnings}
    return VerbResult(verified.data | found, verified.exit_code)


VERBS = [
    Verb("server init", "Make a city server in a PostgreSQL database, or upgrade one", _configure_init, _init),
    Verb("server user add", "Let somebody into the city server, or change his role", _configure_add, _add),
    Verb("server user list", "List who may come in, with which rights", _dsn, _users),
    Verb("server user remove", "Close the city server to somebody", _configure_remove, _remove),
    Verb("server user grant", "Make or take back an exception from a role's rights", _configure_grant, _grant),
    Verb("server status", "Show projects, sizes, clients and refusals of a city server", _dsn, _status),
    Verb("server verify", "Check the city server's chain, records, attachments and guards", _dsn, _verify),
    Verb("server backup", "Write the whole city server to a file", _configure_backup, _backup),
    Verb("server restore", "Restore a city server into an empty database and verify it", _configure_restore, _restore),
]
