"""The one door to a project file: a writer behind a lock, a pool of readers, journal mode by file system.

Nothing else in the shell's process may open the file: a second SQLite library, or a plain ``open`` and ``close``, drops
the POSIX locks of every connection here.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from planner_app.domain.errors import PlannerError
from planner_app.project import spatialite

T = TypeVar("T")

#: How long a write or read waits for other programs before it gives up, in seconds. A lock is held under a second
#: by well-behaved programs; QGIS may hold one for as long as a save takes.
PATIENCE = 120.0
_BUSY_MS = 50
_STATEMENTS = 256
#: Pages in the write-ahead log after which a commit writes them back into the file: SQLite's own number, and that of
#: relaxed commits, which come in series.
_PAGES, _PAGES_RELAXED = 1000, 16_000

_NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb2", "smb3",
    "smbfs", "sshfs", "vboxsf", "virtiofs", "vmhgfs",
}  # fmt: skip
_PORTABLE = {"exfat", "fuseblk", "hfsplus", "iso9660", "msdos", "ntfs", "ntfs3", "udf", "vfat"}


def write_ahead_is_safe(path: Path) -> bool:
    """True where WAL works and stays with its file: local, built-in disks. Shares and removable media: DELETE mode."""
    if sys.platform == "win32":
        import ctypes

        anchor = str(path.resolve().anchor)
        if anchor.startswith("\\\\"):
            return False
        return bool(ctypes.windll.kernel32.GetDriveTypeW(anchor) in (3, 6))  # DRIVE_FIXED, DRIVE_RAMDISK
    kind = _file_system(path)
    if kind in _NETWORK or kind in _PORTABLE or (kind.startswith("fuse.") and kind not in ("fuse.overlayfs",)):
        return False
    return not _is_removable(path)


def _file_system(path: Path) -> str:
    """The type of the file system a path lies on, from /proc/mounts (the longest mount point that contains it)."""
    best, kind = "", ""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return kind
    folder = str(path.resolve().parent)
    for line in mounts:
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def _is_removable(path: Path) -> bool:
    try:
        device = path.resolve().parent.stat().st_dev
        block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
    except (OSError, AttributeError):
        return False
    for folder in (block, block.parent):  # a partition has the flag in its disk's folder
        with suppress(OSError):
            if (folder / "removable").read_text().strip() == "1":
                return True
    return False


def is_busy(error: sqlite3.Error) -> bool:
    """True if another program holds the lock (as against a broken statement or file)."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return "locked" in str(error)


def is_damage(error: sqlite3.Error) -> bool:
    """True if the file's pages are broken."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def cannot_write(error: sqlite3.Error) -> bool:
    """True if the disk or folder refuses (as against a mistake of ours)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


def patiently(work: Callable[[], T], path: Path) -> T:
    """Run ``work`` again while another program holds the lock.

    Raises:
        PlannerError: ``project.busy`` after :data:`PATIENCE` seconds, ``project.damaged``, ``project.not_a_project``.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                no_database = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB
                code = "project.not_a_project" if no_database else "project.damaged"
                raise PlannerError(code, file=str(path), detail=str(error)) from error
            if not is_busy(error):
                raise
            if time.monotonic() > deadline:
                raise PlannerError("project.busy", file=str(path)) from error
            # SQLite's own waiting looks every 0.1 s in the end, and starves beside a busy writer.
            time.sleep(0.004)


def connect(path: Path, mode: str = "rw", *, spatial: bool = False) -> sqlite3.Connection:
    """A plain connection: no implicit transactions, usable from any thread (the callers hold a lock or a pool).

    Args:
        mode: SQLite's ``ro``, ``rw`` or ``rwc`` (create).
        spatial: with SpatiaLite (0.06 s the first time).

    Raises:
        PlannerError: ``project.no_spatialite``, ``project.busy``, ``project.damaged``, ``project.not_a_project``.
    """
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    if spatial:
        connection = spatialite.connect(uri, _BUSY_MS / 1000, _STATEMENTS)
    else:
        connection = sqlite3.connect(
            uri,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_MS / 1000,
            cached_statements=_STATEMENTS,
        )
    try:
        # The first look into the file: another program may have it to itself for a moment.
        patiently(lambda: connection.execute("PRAGMA cache_size = -32000"), path)
    except BaseException:
        connection.close()
        raise
    return connection


class Door:
    """Connections of one open project file.

    Args:
        path: an existing SQLite file.
        alone: nobody else knows the file yet, and it is thrown away if it is not finished: it is written without a
            thought for crashes and other programs, and must be brought to the disk as a whole at the end.

    Attributes:
        read_only: the file or its folder cannot be written; :meth:`write` then raises ``project.read_only``.
        mode: SQLite's name for that, ``ro`` or ``rw``.
    """

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        self.path, self.alone = path, alone
        self.read_only = not (os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK))
        self.mode = "ro" if self.read_only else "rw"
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        self._relaxed: bool | None = None
        self._settling: threading.Thread | None = None
        self._watch_lock = threading.Lock()
        self._watcher = connect(path, self.mode)
        if not self.read_only and not alone and write_ahead_is_safe(path):
            # Fails while another program reads in DELETE mode. Both modes are correct, WAL only waits less.
            with suppress(sqlite3.OperationalError):
                self._watcher.execute("PRAGMA journal_mode = WAL").fetchone()

    @property
    def writer(self) -> sqlite3.Connection:
        """The writer, opened at the first write: whoever only reads needs no SpatiaLite."""
        with self._write_lock:
            if self._writer is None:
                self._writer = connect(self.path, spatial=True)
                if self.alone:
                    self._writer.execute("PRAGMA journal_mode = MEMORY").fetchone()
                    self._writer.execute("PRAGMA synchronous = OFF")
            return self._writer

    @contextmanager
    def write(self, *, relaxed: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back if the body raises. Waits for other writers.

        Args:
            relaxed: the commit does not wait for the disk (in WAL mode): a power cut may take it back with all that
                came after it. For what can be made again.

        Raises:
            PlannerError: ``project.read_only``, ``project.busy``, ``project.no_spatialite``.
        """
        if self.read_only:
            raise PlannerError("project.read_only", file=str(self.path))
        with self._write_lock:
            writer = self.writer
            if writer.in_transaction:
                raise RuntimeError("a transaction is already open on this thread")
            self._relax(writer, relaxed)
            patiently(lambda: writer.execute("BEGIN IMMEDIATE"), self.path)
            try:
                yield writer
                # In DELETE mode a commit waits for readers to finish; the transaction stays open meanwhile.
                patiently(lambda: writer.execute("COMMIT"), self.path)
            except BaseException as error:
                # Already rolled back if SpatiaLite's own constraint raised.
                with suppress(sqlite3.OperationalError):
                    writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error) and is_damage(error):
                    raise PlannerError("project.damaged", file=str(self.path), detail=str(error)) from error
                raise

    def _relax(self, writer: sqlite3.Connection, relaxed: bool) -> None:
        if self.alone:
            return
        # In DELETE mode nothing is relaxed: there the file itself would be at risk.
        relaxed = relaxed and writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        if relaxed is not self._relaxed:
            self._relaxed = relaxed
            writer.execute(f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}")
            writer.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_RELAXED if relaxed else _PAGES}").fetchone()

    def settle(self) -> None:
        """After a series of relaxed writes: write the log back into the file in the background, so that nobody's next
        commit pays for it."""

        def work() -> None:
            with suppress(PlannerError, sqlite3.Error), self.read() as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

        with self._pool_lock:
            if self._closed or self.read_only or (self._settling is not None and self._settling.is_alive()):
                return
            self._settling = threading.Thread(target=work, name="settle")
            self._settling.start()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A reading connection of the pool, for this ``with`` only."""
        with self._pool_lock:
            if self._closed:
                raise PlannerError("project.closed", file=str(self.path))
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self.path, self.mode)
            connection.execute("PRAGMA query_only = 1")
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    def data_version(self) -> int:
        """A number that changes whenever anyone (this process included) has committed."""
        with self._watch_lock:
            if self._closed:
                raise PlannerError("project.closed", file=str(self.path))
            row = patiently(lambda: self._watcher.execute("PRAGMA data_version").fetchone(), self.path)
        return int(row[0])

    def close(self) -> None:
        """Close all connections; the last program to leave turns the file back to DELETE mode, whole in one file."""
        with self._pool_lock:
            if self._closed:
                return
            self._closed = True
            idle, self._idle = self._idle, []
        if self._settling is not None:
            self._settling.join()
        for connection in idle:
            connection.close()
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
        with self._watch_lock:
            if not self.read_only:
                # Refused while another program has the file open: then that one does it.
                with suppress(sqlite3.OperationalError):
                    self._watcher.execute("PRAGMA busy_timeout = 0")
                    self._watcher.execute("PRAGMA journal_mode = DELETE").fetchone()
            self._watcher.close()
