"""Files inside the project file, by the SHA-256 of their content: drawings, photos, reports, sealed opinions.

Written in pieces of 1 MiB, each in a transaction of its own, so that nobody waits long for the lock; an attachment
counts once the last transaction has named its hash. What a killed writer left is swept by whoever opens the file next.
Attachments never change and are never deleted: records that an undo brings back must find theirs.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.project import identity
from planner_app.project.connection import Door, patiently

#: Bytes of one piece, which is what one write transaction holds.
PIECE = 1 << 20
_PAUSE = 0.002
_MOST_NAME = 120

TABLES = (
    # sha256 is NULL while the attachment is being written; host, process and heartbeat say by whom.
    "CREATE TABLE planner_attachment (id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT UNIQUE, name TEXT NOT NULL, "
    "media_type TEXT NOT NULL DEFAULT '', size INTEGER NOT NULL DEFAULT 0, added TEXT NOT NULL DEFAULT '', "
    "host TEXT NOT NULL DEFAULT '', process TEXT NOT NULL DEFAULT '', heartbeat REAL NOT NULL DEFAULT 0)",
    "CREATE TABLE planner_attachment_piece (id INTEGER PRIMARY KEY, attachment INTEGER NOT NULL, "
    "number INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (attachment, number))",
)
_ROW = "id, sha256, name, media_type, size, added"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept in the project. ``size`` in bytes; ``added``: ISO 8601 UTC."""

    sha256: str
    name: str
    media_type: str
    size: int
    added: str


def create_tables(connection: sqlite3.Connection) -> None:
    """Migration 2."""
    for statement in TABLES:
        connection.execute(statement)


def attach(door: Door, source: Path | bytes, name: str, media_type: str, progress: Progress) -> str:
    """Keep a file or bytes; the same content is kept once, under the name it first came with.

    Returns:
        The SHA-256, in hexadecimal.

    Raises:
        PlannerError: ``attachment.unreadable``, ``project.read_only``. Cancelled: nothing is left.
    """
    try:
        known = _hash_of(source, progress)
        if _find(door, known) is not None:
            return known
        return _write(door, source, name, media_type or mimetypes.guess_type(name)[0] or "", progress)
    except OSError as error:
        raise PlannerError("attachment.unreadable", file=str(source), detail=error.strerror or str(error)) from error


def _pieces(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(0, len(source), PIECE):
            yield source[start : start + PIECE]
        return
    with source.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _hash_of(source: Path | bytes, progress: Progress) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(source):
        check(progress)
        digest.update(piece)
    return digest.hexdigest()


def _write(door: Door, source: Path | bytes, name: str, media_type: str, progress: Progress) -> str:
    total = len(source) if isinstance(source, bytes) else source.stat().st_size
    with door.write() as connection:
        made = connection.execute(
            "INSERT INTO planner_attachment (name, media_type, host, process, heartbeat) VALUES (?, ?, ?, ?, ?)",
            (Path(name).name, media_type, identity.host(), identity.this_process(), time.time()),
        )
    number, size, digest = int(made.lastrowid or 0), 0, hashlib.sha256()
    try:
        for count, piece in enumerate(_pieces(source)):
            check(progress)
            with door.write() as connection:
                connection.execute(
                    "INSERT INTO planner_attachment_piece (attachment, number, data) VALUES (?, ?, ?)",
                    (number, count, piece),
                )
                connection.execute("UPDATE planner_attachment SET heartbeat = ? WHERE id = ?", (time.time(), number))
            digest.update(piece)
            size += len(piece)
            progress.update(min(1.0, size / max(total, 1)), "stage.attaching")
            time.sleep(_PAUSE)
        sha256 = digest.hexdigest()  # of what was written: the file may have changed since it was looked at
        with door.write() as connection:
            # Another program may have attached the same content meanwhile.
            named = connection.execute(
                "UPDATE OR IGNORE planner_attachment SET sha256 = ?, size = ?, added = ?, host = '', process = '' "
                "WHERE id = ?",
                (sha256, size, datetime.now(UTC).isoformat(timespec="seconds"), number),
            ).rowcount
    except BaseException:
        with suppress(PlannerError, sqlite3.Error):
            _discard(door, number)
        raise
    if not named:
        _discard(door, number)
    return sha256


def _rows(door: Door, where: str, *values: str) -> list[tuple[int, Attachment]]:
    def read(connection: sqlite3.Connection) -> list[tuple[int, Attachment]]:
        if not _has_tables(connection):  # an older file that may not be written
            return []
        rows = connection.execute(f"SELECT {_ROW} FROM planner_attachment WHERE {where} ORDER BY id", values)
        return [(int(row[0]), Attachment(*row[1:])) for row in rows]

    with door.read() as connection:
        return patiently(lambda: read(connection), door.path)


def _has_tables(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'planner_attachment_piece'").fetchone()
    return found is not None


def _find(door: Door, sha256: str) -> tuple[int, Attachment] | None:
    return next(iter(_rows(door, "sha256 = ?", sha256)), None)


def get(door: Door, sha256: str) -> tuple[int, Attachment]:
    """Number and description of an attachment.

    Raises:
        PlannerError: ``attachment.missing``.
    """
    found = _find(door, sha256)
    if found is None:
        raise PlannerError("attachment.missing", sha256=sha256)
    return found


def every(door: Door) -> list[Attachment]:
    """All attachments in the order they were added."""
    return [attachment for _, attachment in _rows(door, "sha256 IS NOT NULL")]


def content(door: Door, sha256: str) -> Iterator[bytes]:
    """The content, piece by piece; a wrong hash is told at the end, so that only whole files are ever handed on.

    Raises:
        PlannerError: ``attachment.missing``, ``attachment.damaged``.
    """
    number, attachment = get(door, sha256)
    digest, count = hashlib.sha256(), 0
    with door.read() as connection:
        while (piece := patiently(partial(_piece, connection, number, count), door.path)) is not None:
            digest.update(piece)
            yield piece
            count += 1
    if digest.hexdigest() != sha256:
        raise PlannerError("attachment.damaged", name=attachment.name, sha256=sha256)


def _piece(connection: sqlite3.Connection, number: int, count: int) -> bytes | None:
    """One piece of an attachment, None behind the last."""
    row = connection.execute(
        "SELECT data FROM planner_attachment_piece WHERE attachment = ? AND number = ?", (number, count)
    ).fetchone()
    return None if row is None else bytes(row[0])


def write_out(door: Door, sha256: str, dest: Path) -> Path:
    """Write an attachment to a file, or into a folder under its own name; whole or not at all.

    Raises:
        PlannerError: ``attachment.missing``, ``attachment.damaged``, ``attachment.not_written``.
    """
    _, attachment = get(door, sha256)
    if dest.is_dir():
        dest /= safe_name(attachment.name, sha256)
    making = dest.with_name(f".{dest.name}.{os.getpid()}.new")
    try:
        with making.open("wb") as file:
            for piece in content(door, sha256):
                file.write(piece)
        making.replace(dest)
    except OSError as error:
        raise PlannerError("attachment.not_written", file=str(dest), detail=error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            making.unlink(missing_ok=True)
    return dest


def safe_name(name: str, sha256: str) -> str:
    """A file name that every system takes: names of attachments come from other people's files."""
    kept = "".join("_" if mark in '<>:"/\\|?*' or ord(mark) < 32 else mark for mark in name).strip(". ")
    stem, suffix = os.path.splitext(kept[-_MOST_NAME:])
    return f"{stem or sha256[:12]}{suffix}"


def _discard(door: Door, number: int) -> None:
    """Remove what was written of an unfinished attachment, a bit at a time."""
    gone = 16
    while gone == 16:
        with door.write() as connection:
            gone = connection.execute(
                "DELETE FROM planner_attachment_piece WHERE id IN "
                "(SELECT id FROM planner_attachment_piece WHERE attachment = ? LIMIT 16)",
                (number,),
            ).rowcount
            if gone < 16:
                connection.execute("DELETE FROM planner_attachment WHERE id = ?", (number,))


def discard_all(connection: sqlite3.Connection) -> None:
    """Remove every unfinished attachment from a copy, where nobody will finish it."""
    if not _has_tables(connection):  # the copy made before a migration
        return
    connection.execute(
        "DELETE FROM planner_attachment_piece WHERE attachment NOT IN "
        "(SELECT id FROM planner_attachment WHERE sha256 IS NOT NULL)"
    )
    connection.execute("DELETE FROM planner_attachment WHERE sha256 IS NULL")


def unfinished(connection: sqlite3.Connection) -> list[tuple[int, str, str, str, float]]:
    """(number, name, host, process, heartbeat) of attachments being written, or left by a writer that is gone."""
    return connection.execute(
        "SELECT id, name, host, process, heartbeat FROM planner_attachment WHERE sha256 IS NULL"
    ).fetchall()


def sweep(door: Door) -> None:
    """Remove what writers that are gone left unfinished."""
    with door.read() as reader:
        waiting = patiently(lambda: unfinished(reader), door.path)
    for number, _, host, process, heartbeat in waiting:
        if identity.is_orphan(host, process, heartbeat):
            _discard(door, number)


def piece(door: Door, number: int, count: int) -> bytes | None:
    """One piece of an attachment by its number in the file, None behind the last."""
    with door.read() as connection:
        return patiently(lambda: _piece(connection, number, count), door.path)


#: In place of a machine's name: an attachment that is being fetched. It may be gone on with by whoever comes next.
_FETCHING = "(server)"


def fetching(door: Door, sha256: str, name: str, media_type: str) -> tuple[int, set[int]]:
    """Begin, or go on, to bring in an attachment from elsewhere: (its number in the file, pieces that are there)."""
    with door.write() as connection:
        row = connection.execute(
            "SELECT id FROM planner_attachment WHERE sha256 IS NULL AND host = ? AND process = ?", (_FETCHING, sha256)
        ).fetchone()
        if row is None:
            made = connection.execute(
                "INSERT INTO planner_attachment (name, media_type, host, process, heartbeat) VALUES (?, ?, ?, ?, ?)",
                (Path(name).name, media_type, _FETCHING, sha256, time.time()),
            )
            return int(made.lastrowid or 0), set()
        connection.execute("UPDATE planner_attachment SET heartbeat = ? WHERE id = ?", (time.time(), row[0]))
        have = connection.execute("SELECT number FROM planner_attachment_piece WHERE attachment = ?", (row[0],))
        return int(row[0]), {number for (number,) in have}


def keep_piece(door: Door, number: int, count: int, data: bytes) -> None:
    """Keep a piece of an attachment that is being fetched."""
    with door.write() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO planner_attachment_piece (attachment, number, data) VALUES (?, ?, ?)",
            (number, count, data),
        )
        connection.execute("UPDATE planner_attachment SET heartbeat = ? WHERE id = ?", (time.time(), number))


def fetched(door: Door, number: int, sha256: str) -> None:
    """All pieces are there: let the attachment count.

    Raises:
        PlannerError: ``attachment.damaged`` if the content has another hash; what was fetched is thrown away then.
    """
    digest, size, count = hashlib.sha256(), 0, 0
    while (data := piece(door, number, count)) is not None:
        digest.update(data)
        size, count = size + len(data), count + 1
    right = digest.hexdigest() == sha256
    with door.write() as connection:
        (name,) = connection.execute("SELECT name FROM planner_attachment WHERE id = ?", (number,)).fetchone()
        named = (
            right
            and connection.execute(
                "UPDATE OR IGNORE planner_attachment SET sha256 = ?, size = ?, added = ?, host = '', process = '' "
                "WHERE id = ?",
                (sha256, size, datetime.now(UTC).isoformat(timespec="seconds"), number),
            ).rowcount
        )
    if not named:
        _discard(door, number)
    if not right:
        raise PlannerError("attachment.damaged", name=name, sha256=sha256)


def faults(connection: sqlite3.Connection, progress: Progress) -> tuple[list[str], int, int]:
    """(what is wrong, number of attachments, bytes): every content is read and hashed again.

    Raises:
        Cancelled: the person stopped it.
    """
    found, bytes_read = [], 0
    rows = connection.execute(f"SELECT {_ROW} FROM planner_attachment WHERE sha256 IS NOT NULL ORDER BY id").fetchall()
    for number, sha256, name, _, size, _ in rows:
        digest, length, count = hashlib.sha256(), 0, 0
        while (piece := _piece(connection, number, count)) is not None:
            check(progress)
            digest.update(piece)
            length, count = length + len(piece), count + 1
        bytes_read += length
        if digest.hexdigest() != sha256 or length != size:
            found.append(f"{name} ({sha256[:12]}): {length} of {size} bytes, content does not match its hash")
    stray = connection.execute(
        "SELECT count(*) FROM planner_attachment_piece WHERE attachment NOT IN (SELECT id FROM planner_attachment)"
    ).fetchone()[0]
    if stray:
        found.append(f"{stray} pieces belong to no attachment")
    return found, len(rows), bytes_read
