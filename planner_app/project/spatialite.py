"""Loading mod_spatialite so that its libraries stay its own.

SQLite loads extensions with ``RTLD_GLOBAL``. The system's GEOS and PROJ behind mod_spatialite then answer calls that
shapely, pyproj and pyogrio, imported later, mean for the versions in their wheels: seen were a shapely that could not
write WKT, a pyproj that ran PROJ 9.1 instead of its own 9.5, and aborts at exit. On Linux the library is therefore
opened with ``RTLD_LOCAL`` and its entry point called through SQLite's own hook for new connections. Windows and macOS
keep libraries apart by themselves.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Final

from planner_app.domain.errors import PlannerError

_NAMES: Final = (
    "mod_spatialite",
    "mod_spatialite.so",
    "mod_spatialite.so.8",
    "mod_spatialite.so.7",
    "/usr/lib/x86_64-linux-gnu/mod_spatialite.so",
    "/usr/lib/aarch64-linux-gnu/mod_spatialite.so",
    "mod_spatialite.dll",
    "mod_spatialite.dylib",
)
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def _names() -> list[str]:
    """Names to try; ``PLANNER_SPATIALITE`` overrides them."""
    own = os.environ.get("PLANNER_SPATIALITE")
    return [own] if own else list(_NAMES)


def connect(database: str, timeout: float, statements: int) -> sqlite3.Connection:
    """A connection (URI, no implicit transactions, any thread) with SpatiaLite in it.

    Raises:
        PlannerError: ``project.no_spatialite`` if Python's SQLite takes no extensions or none of the names loads.
        sqlite3.OperationalError: the file cannot be opened.
    """

    def plain() -> sqlite3.Connection:
        return sqlite3.connect(
            database,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=timeout,
            cached_statements=statements,
        )

    private = _private() if sys.platform.startswith("linux") else None
    connection = plain() if private is None else private.connect(plain)
    if not _is_loaded(connection):
        try:
            _load_globally(connection)
        except PlannerError:
            connection.close()
            raise
    return connection


def _is_loaded(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT spatialite_version()").fetchone()
    except sqlite3.OperationalError:
        return False
    return True


def _load_globally(connection: sqlite3.Connection) -> None:
    enable = getattr(connection, "enable_load_extension", None)
    if enable is None:
        raise PlannerError("project.no_spatialite", detail="this Python's sqlite3 was built without extensions")
    detail = ""
    enable(True)
    try:
        for name in _names():
            try:
                connection.load_extension(name)
                return
            except sqlite3.OperationalError as error:
                detail = detail or str(error)
    finally:
        enable(False)
    raise PlannerError("project.no_spatialite", detail=detail)


class _Private:
    """mod_spatialite opened for itself alone, and SQLite's hook that runs an entry point on new connections."""

    def __init__(self, library: ctypes.CDLL, sqlite: ctypes.CDLL) -> None:
        self._init = library.sqlite3_modspatialite_init
        self._init.argtypes = [ctypes.c_void_p] * 3
        self._init.restype = ctypes.c_int
        self._register = sqlite.sqlite3_auto_extension
        self._cancel = sqlite.sqlite3_cancel_auto_extension
        self._register.argtypes = self._cancel.argtypes = [ctypes.c_void_p]
        self._entry = _ENTRY(self._enter)  # kept: SQLite holds only its address
        self._lock = threading.Lock()
        self._thread = 0

    def _enter(self, database: int, message: int, api: int) -> int:
        # The hook sees every new connection of the process, those that SpatiaLite opens for itself included.
        if self._thread != threading.get_ident():
            return 0
        self._thread = 0
        self._init(database, message, api)
        return 0

    def connect(self, plain: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """Open a connection with the hook in place."""
        address = ctypes.cast(self._entry, ctypes.c_void_p)
        with self._lock:
            self._thread = threading.get_ident()
            self._register(address)
            try:
                return plain()
            finally:
                self._cancel(address)
                self._thread = 0


@functools.cache
def _private() -> _Private | None:
    """The privately opened library, or None where this Python or system does not allow it."""
    import _sqlite3

    for name in _names():
        try:
            library = ctypes.CDLL(name, mode=os.RTLD_LOCAL | os.RTLD_NOW)
            return _Private(library, ctypes.CDLL(getattr(_sqlite3, "__file__", None)))
        except (OSError, AttributeError):
            continue
    return None
