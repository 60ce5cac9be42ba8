"""Finds the carrier and the password for a server's address."""

from __future__ import annotations

from planner_app.domain.errors import PlannerError
from planner_app.sync import secrets
from planner_app.sync.transport import Transport


def connect(dsn: str, password: str | None = None) -> Transport:
    """A connection to a city server.

    Without ``password`` libpq looks where it always does (the DSN, the service file, pgpass), then this computer's
    keyring is asked.

    Args:
        dsn: PostgreSQL conninfo, URI or ``service=…``.

    Raises:
        PlannerError: ``sync.password_needed`` if nobody knows one, ``sync.no_client`` if psycopg is not installed, and
            as :func:`planner_app.sync.server.session.open_connection`.
    """
    try:
        import psycopg  # noqa: F401 - its own error says which part of it is missing
    except ImportError as error:
        raise PlannerError("sync.no_client", detail=str(error)) from error
    from planner_app.sync.server.postgres import PostgresTransport

    if password is not None:
        return PostgresTransport(dsn, password)
    try:
        return PostgresTransport(dsn)
    except PlannerError as error:
        found = secrets.kept(dsn) if error.code == "sync.password_needed" else None
        if found is None:
            raise
    return PostgresTransport(dsn, found)
