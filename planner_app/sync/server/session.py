"""A connection to PostgreSQL whose failures are said in this product's words."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from planner_app.domain.errors import PlannerError

if TYPE_CHECKING:
    import psycopg

#: A line that is dead for this long is a broken one.
_LINE: Final = {
    "connect_timeout": "10", "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5",
    "keepalives_count": "3", "tcp_user_timeout": "30000", "application_name": "planner",
}  # fmt: skip
_OFFLINE_STATES: Final = ("57P01", "57P02", "57P03", "57014", "25P03")
_CODES: Final = {
    "PLN01": "sync.project_unknown", "42501": "sync.denied", "3F000": "sync.no_server",
    "42P01": "sync.no_server", "28000": "sync.login_failed", "28P01": "sync.login_failed",
    "23505": "sync.under_way",
}  # fmt: skip
#: What libpq itself (not the server) says when there is no line; the server's own words may be in any language.
_NO_LINE: Final = (
    "could not translate host name", "connection refused", "timeout expired", "timed out", "no route to host",
    "network is unreachable", "server closed the connection", "could not connect", "connection reset",
    "could not receive", "could not send", "no such file", "starting up", "shutting down",
    "connection is bad: no error", "failed to resolve host", "errno", "failed: permission denied",
)  # fmt: skip
#: How PostgreSQL says in English and Chinese that a database is not there; of a failed login libpq tells no state.
_NO_DATABASE: Final = re.compile('(?:database|数据库) ?["“]([^"”]*)["”] ?(?:does not exist|不存在)')
#: Why nobody was let in, in the order in which the reasons count: several attempts may stand in one answer.
_TURNED_AWAY: Final = (
    (re.compile("authentication failed|认证失败|身份验证失败"), "sync.login_failed"),
    (re.compile('(?:role|角色) ?["“][^"”]*["”] ?(?:does not exist|不存在)'), "sync.login_unknown"),
    (re.compile('not permitted to log in|["”] ?登[录陆]'), "sync.login_closed"),
    (
        re.compile("(?<![A-Za-z])CONNECT(?![A-Za-z])|permission denied for database|数据库.{0,80}权限不够"),
        "sync.no_connect",
    ),
    (re.compile(r"pg_hba\.conf"), "sync.not_admitted"),
    (re.compile("too many c|connection slots|太多的?(?:客户端|连接)|连接槽"), "sync.server_full"),
)
#: How libpq says that a part of the address makes no sense.
_BAD_OPTION: Final = re.compile("invalid .*(?:value|number|option)|could not match")
#: How PostgreSQL says that somebody who is logged in may not even look at the city server.
_OUTSIDE: Final = re.compile('(?:schema|模式) ?["“]?planner')


def parameters(dsn: str) -> dict[str, str]:
    """Connection parameters of a conninfo, a URI or ``service=…``, with our defaults.

    TCP hosts are spoken to with TLS and the server's certificate and name are checked (``verify-full``) unless the DSN,
    the service or ``PGSSLMODE`` say otherwise.

    Raises:
        PlannerError: ``sync.bad_dsn``.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.ProgrammingError as error:
        # What it quotes may be a part of the password.
        raise PlannerError("sync.bad_dsn", detail=_unquoted(error)) from None
    known = _service(given.get("service") or os.environ.get("PGSERVICE", "")) | given
    made = {key: value for key, value in _LINE.items() if key not in known} | given
    if is_remote(known) and "sslmode" not in known and "PGSSLMODE" not in os.environ:
        made["sslmode"] = "verify-full"
    if made.get("sslmode", known.get("sslmode")) == "verify-full" and "sslrootcert" not in known:
        own = Path.home() / ".postgresql" / "root.crt"
        if "PGSSLROOTCERT" not in os.environ and not own.is_file():
            made["sslrootcert"] = "system"
    return made


def is_remote(known: dict[str, str]) -> bool:
    """True if any of the hosts is reached by TCP."""
    host = known.get("host") or os.environ.get("PGHOST", "")
    if known.get("hostaddr") or os.environ.get("PGHOSTADDR"):
        return True
    return any(not name.startswith(("/", "@")) for name in host.split(",")) if host else os.name == "nt"


def is_unchecked(dsn: str) -> bool:
    """True if this DSN reaches a TCP host without checking who answers: worth a warning."""
    made = parameters(dsn)
    known = _service(made.get("service", "")) | made
    return is_remote(known) and known.get("sslmode", os.environ.get("PGSSLMODE", "")) != "verify-full"


def _service(name: str) -> dict[str, str]:
    """What a service file says under a name (libpq reads it too; we need to know what it leaves open)."""
    if not name:
        return {}
    places = [os.environ.get("PGSERVICEFILE"), Path.home() / ".pg_service.conf"]
    if "PGSYSCONFDIR" in os.environ:
        places.append(Path(os.environ["PGSYSCONFDIR"]) / "pg_service.conf")
    for place in places:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            if place and parser.read(place, encoding="utf-8") and name in parser:
                return dict(parser[name])
        except configparser.Error:
            continue
    return {}


def label(made: dict[str, str]) -> str:
    """The server as people may read it: ``user@host:port/database``, never a password."""
    known = _service(made.get("service", "")) | made
    host = known.get("host") or known.get("hostaddr") or "localhost"
    port = f":{known['port']}" if "port" in known else ""
    return f"{known.get('user', '')}@{host}{port}/{known.get('dbname', '')}".lstrip("@")


def open_connection(dsn: str, password: str | None = None) -> psycopg.Connection[Any]:
    """A connection in autocommit.

    Raises:
        PlannerError: ``sync.bad_dsn``, ``sync.service_unknown``, ``sync.offline``, ``sync.no_database``,
            ``sync.password_needed``, ``sync.certificate``, ``sync.login_failed`` (PostgreSQL does not say whether it is
            the name or the password), ``sync.login_unknown``, ``sync.login_closed``, ``sync.no_connect``,
            ``sync.not_admitted``, ``sync.server_full``, else ``sync.server_error``.
    """
    import psycopg

    made = parameters(dsn)
    if password is not None:
        made["password"] = password
    try:
        return psycopg.connect(**made, autocommit=True, prepare_threshold=3)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise _connect_error(error, made) from None  # its text may quote the parameters
    except psycopg.ProgrammingError as error:
        raise PlannerError("sync.bad_dsn", detail=_unquoted(error)) from None


def _connect_error(error: psycopg.OperationalError, made: dict[str, str]) -> PlannerError:
    server, said = label(made), str(error).lower()
    user = _service(made.get("service", "")).get("user", "") or made.get("user", "") or os.environ.get("PGUSER", "")
    if found := _NO_DATABASE.search(str(error)):
        return PlannerError("sync.no_database", server=server.rpartition("/")[0] or server, database=found[1])
    if "definition of service" in said:
        return PlannerError("sync.service_unknown", service=made.get("service", ""))
    if "no password supplied" in said:
        return PlannerError("sync.password_needed", server=server)
    for words, code in _TURNED_AWAY:
        if words.search(str(error)):
            return PlannerError(code, server=server, user=user)
    if _BAD_OPTION.search(said):
        return PlannerError("sync.bad_dsn", detail=_unquoted(error))
    if "certificate" in said or ("ssl" in said and "fatal" not in said):
        return PlannerError("sync.certificate", server=server, detail=_first_line(error))
    if any(words in said for words in _NO_LINE):
        return PlannerError("sync.offline", server=server)
    return PlannerError("sync.server_error", server=server, detail=_unquoted(error))


def _unquoted(error: BaseException) -> str:
    """What an error says, without what it quotes."""
    return re.sub("\"[^\"]*\"|'[^']*'", "…", _first_line(error))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


@contextmanager
def worded(server: str) -> Iterator[None]:
    """Turns PostgreSQL's errors into ours."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise translate(error, server) from error


def translate(error: psycopg.Error, server: str) -> PlannerError:
    """The error in our words."""
    import psycopg

    state = error.sqlstate or ""
    if state == "42501" and _OUTSIDE.search(error.diag.message_primary or ""):
        return PlannerError("sync.not_a_member", server=server)
    if state == "42883":  # the schema is there, a function of it is not
        return PlannerError("sync.server_incomplete", server=server, detail=error.diag.message_primary or "")
    if state in _CODES:
        return PlannerError(_CODES[state], server=server)
    if (
        state.startswith("08")
        or state in _OFFLINE_STATES
        or (not state and isinstance(error, psycopg.OperationalError))
    ):
        return PlannerError("sync.offline", server=server)
    if state.startswith("53"):
        return PlannerError("sync.server_full", server=server)
    return PlannerError("sync.server_error", server=server, detail=f"{state} {_first_line(error)}".strip())
