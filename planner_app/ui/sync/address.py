"""Where a server is and as whom we speak to it, without any password; as libpq's connection string and back."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: How far the line is trusted, strictest first: names of libpq's ``sslmode``.
TLS_MODES = ("verify-full", "verify-ca", "require", "disable")
_PAIR = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))")


def _quoted(value: str) -> str:
    if value and not re.search(r"[\s'\\]", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def parse(text: str) -> dict[str, str]:
    """Keys and values of ``key=value key='other value'``.

    Raises:
        ValueError: the text is no connection string.
    """
    found: dict[str, str] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            raise ValueError(text[at:])
        quoted, plain = match.group(2), match.group(3)
        found[match.group(1)] = re.sub(r"\\(.)", r"\1", quoted if quoted is not None else plain)
        at = match.end()
        while at < len(text) and text[at].isspace():
            at += 1
    return found


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server. With ``service`` the rest comes from the person's service file (``pg_service.conf``).

    Attributes:
        tls: one of :data:`TLS_MODES`; root_certificate: file of the authority that signed the server's certificate.
        other: what else stood in the connection string, kept as it is.
    """

    host: str = ""
    port: int = 5432
    database: str = ""
    user: str = ""
    service: str = ""
    tls: str = TLS_MODES[0]
    root_certificate: str = ""
    other: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(text: str) -> ServerAddress:
        """Of a connection string; a password in it is dropped.

        Raises:
            ValueError: the text is no connection string.
        """
        if text.startswith(("postgresql://", "postgres://")):
            from psycopg import ProgrammingError
            from psycopg.conninfo import conninfo_to_dict

            try:
                values = {key: str(value) for key, value in conninfo_to_dict(text).items() if value is not None}
            except ProgrammingError as error:
                raise ValueError(text) from error
        else:
            values = parse(text)
        values.pop("password", None)
        taken = {key: values.pop(key, "") for key in ("host", "port", "dbname", "user", "service", "sslmode")}
        certificate = values.pop("sslrootcert", "")
        port = int(taken["port"]) if taken["port"] else 5432
        tls = taken["sslmode"] or ("disable" if taken["host"].startswith("/") else TLS_MODES[0])
        return ServerAddress(
            taken["host"], port, taken["dbname"], taken["user"], taken["service"], tls, certificate,
            tuple(values.items()),
        )  # fmt: skip

    def conninfo(self) -> str:
        """As libpq's connection string, without a password."""
        if self.service:
            pairs = [("service", self.service)]
        else:
            pairs = [("host", self.host), ("port", str(self.port)), ("dbname", self.database), ("user", self.user)]
            if not self.host.startswith("/"):  # a socket of this computer has no TLS
                pairs += [("sslmode", self.tls), ("sslrootcert", self.root_certificate)]
        return " ".join(f"{key}={_quoted(value)}" for key, value in (*pairs, *self.other) if value)

    def label(self) -> str:
        """What people call it: the service, or host and database."""
        if self.service:
            return self.service
        place = self.host if self.port == 5432 else f"{self.host}:{self.port}"
        if self.host.startswith("/"):
            place = "localhost"
        return f"{place} / {self.database}"
