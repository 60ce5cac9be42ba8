"""Passwords of city servers in this computer's keyring: never in the project file, a setting or a log."""

from __future__ import annotations

from planner_app.domain.errors import PlannerError

_SERVICE = "planner-city-server"


def _name(dsn: str) -> str:
    from planner_app.sync.server.session import label, parameters

    return label(parameters(dsn))


def kept(dsn: str) -> str | None:
    """The password kept for a server and user, or None (also where there is no keyring)."""
    try:
        import keyring

        return keyring.get_password(_SERVICE, _name(dsn))
    except PlannerError:
        raise
    except Exception:  # a keyring that does not work knows nothing; backends raise what they like
        return None


def keep(dsn: str, password: str) -> None:
    """Keep a password.

    Raises:
        PlannerError: ``sync.no_keyring``, ``sync.bad_dsn``.
    """
    name = _name(dsn)
    try:
        import keyring

        keyring.set_password(_SERVICE, name, password)
    except Exception as error:
        raise PlannerError("sync.no_keyring", server=name, detail=type(error).__name__) from None


def forget(dsn: str) -> None:
    """Remove what is kept for a server and user, if anything is."""
    from contextlib import suppress

    name = _name(dsn)
    with suppress(Exception):
        import keyring

        keyring.delete_password(_SERVICE, name)
