"""Readings on disk between the broker and the project file, so that a busy or read-only file loses nothing.

Every batch is appended and synced before the broker is told that it arrived. Segments are taken out oldest first and
deleted once the project file has them; what is read twice after a crash is the same reading and counts once.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.monitoring.payloads import Sample

_SEGMENT = 4 << 20


class Journal:
    """A folder of segments, written by one thread and emptied by another; one program at a time.

    Args:
        limit: bytes on disk beyond which nothing is taken (:meth:`append` answers False).

    Attributes:
        torn: lines that a crash left half written; nobody was told that they arrived.

    Raises:
        PlannerError: ``tunnel.watch_running`` if another program holds the folder, ``tunnel.buffer_unwritable``.
    """

    def __init__(self, folder: Path, limit: int = 4 << 30) -> None:
        self.folder, self.limit, self.torn = folder, limit, 0
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._held = (folder / "lock").open("ab")
        except OSError as error:
            raise PlannerError("tunnel.buffer_unwritable", folder=str(folder), detail=str(error)) from error
        if not _hold(self._held):
            self._held.close()
            raise PlannerError("tunnel.watch_running", folder=str(folder))
        known = self._segments()
        self._number = int(known[-1].stem) if known else 0
        self._bytes = sum(one.stat().st_size for one in known)

    def append(self, samples: Iterable[Sample]) -> bool:
        """Keep samples for good; False if the disk or the limit has no room (nothing of it is kept then).

        The lines count only if all of them and the sync succeed: after an error the segment is cut back.
        """
        data = "".join(f"{_line(one)}\n" for one in samples).encode()
        with self._lock:
            if self._bytes + len(data) > self.limit:
                return False
            before = -1
            try:
                if self._file is None or self._file.tell() > _SEGMENT:
                    self._next()
                assert self._file is not None
                before = self._file.tell()
                if self._file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    if self._file is not None and before >= 0:
                        self._file.truncate(before)
                        self._file.seek(before)
                return False
            self._bytes += len(data)
            return True

    def _next(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._number += 1
        self._file = (self.folder / f"{self._number:09d}.jsonl").open("ab", buffering=0)
        if sys.platform != "win32":  # the new name too
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def waiting(self) -> int:
        """Bytes that the project file does not have yet."""
        return self._bytes

    def oldest(self) -> tuple[Path, list[Sample]] | None:
        """The oldest segment, closed for writing, and what it holds; None if nothing waits."""
        with self._lock:
            known = self._segments()
            if not known:
                return None
            if self._file is not None and len(known) == 1:
                self._file.close()
                self._file = None
        samples = []
        for line in known[0].read_bytes().splitlines(keepends=True):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError
                sensor, ts, value, quality, kind, unit, timed = json.loads(line)
                samples.append(
                    Sample(sensor, int(ts), math.nan if value is None else value, quality, kind, unit, timed)
                )
            except (ValueError, TypeError):
                self.torn += 1
        return known[0], samples

    def drop(self, segment: Path) -> None:
        """A segment is in the project file."""
        with self._lock:
            self._bytes = max(0, self._bytes - segment.stat().st_size)
            segment.unlink()

    def close(self) -> None:
        """Leave the folder to others; what waits stays."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            self._held.close()

    def _segments(self) -> list[Path]:
        return sorted(self.folder.glob("*.jsonl"))


def _line(sample: Sample) -> str:
    value = None if math.isnan(sample.value) else sample.value
    return json.dumps([*sample[:2], value, *sample[3:]], ensure_ascii=False)


def _hold(file: IO[bytes]) -> bool:
    """Lock a file for this program; the system lets go when the program ends, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
