"""Pictures in a file that both processes map. A view's file has a few slots used in turn, so that a picture is not
overwritten while the shell copies it. Pixels are 32-bit premultiplied ARGB in the machine's byte order.

The shell makes the file and reserves its room before it asks for a picture: writing into a mapped file that the disk
or ``/dev/shm`` (64 MB in many containers) has no room for would kill the engine with a bus error.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from pathlib import Path

#: Pictures of a view in flight at once; partial ones come 0.2 s apart, a copy takes milliseconds.
SLOTS = 4
BYTES_PER_PIXEL = 4
_MEMORY = "/dev/shm"  # noqa: S108 - mkstemp makes the names


def new_file(name: str, in_memory: bool = True) -> Path:
    """An empty file readable by this user only, in memory where that is wanted and the machine has such a folder."""
    folder = _MEMORY if in_memory and os.access(_MEMORY, os.W_OK) else None
    handle, path = tempfile.mkstemp(prefix=f"planner-{os.getpid()}-{name}-", suffix=".pixels", dir=folder)
    os.close(handle)
    return Path(path)


def remove_orphans() -> list[Path]:
    """Delete pixel files and sockets of shells that were killed; returns what was deleted."""
    if os.name != "posix":
        return []  # there files in use cannot be told from others, and sockets leave no file
    found = [path for folder in (_MEMORY, tempfile.gettempdir()) for path in Path(folder).glob("planner-*-*")]
    removed = []
    for path in found:
        process = path.name.split("-")[1]
        with contextlib.suppress(OSError):
            if process.isdigit() and (path.suffix == ".pixels" or path.is_socket()) and not _alive(int(process)):
                path.unlink()
                removed.append(path)
    return removed


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class PixelFile:
    """One side's view of a pixel file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("r+b")
        self._map: mmap.mmap | None = None
        self._slot_bytes = 0
        self._next = 0

    def close(self) -> None:
        """Let go of the mapping; the file stays."""
        if self._map is not None:
            self._map.close()
            self._map = None
        self._file.close()

    def remove(self) -> None:
        """Let go and delete the file."""
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def reserve(self, slot_bytes: int) -> None:
        """Make room for pictures of this size.

        Raises:
            OSError: there is none.
        """
        size = slot_bytes * SLOTS
        if os.fstat(self._file.fileno()).st_size >= size:
            return
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file.fileno(), 0, size)
        else:
            self._file.truncate(size)

    def _mapped(self, slot_bytes: int) -> mmap.mmap:
        if self._map is None or self._slot_bytes != slot_bytes:
            if self._map is not None:
                self._map.close()
                self._map = None
            self._map = mmap.mmap(self._file.fileno(), slot_bytes * SLOTS)
            self._slot_bytes = slot_bytes
        return self._map

    def write(self, data: memoryview, slot_bytes: int) -> int:
        """Put a picture into the next slot of ``slot_bytes`` bytes; returns the slot.

        Raises:
            ValueError: no room was reserved for it.
        """
        target = self._mapped(slot_bytes)
        slot, self._next = self._next, (self._next + 1) % SLOTS
        target[slot * slot_bytes : slot * slot_bytes + len(data)] = data
        return slot

    def read(self, slot: int, slot_bytes: int, length: int) -> memoryview:
        """The picture in a slot, to be copied at once.

        Raises:
            ValueError: the file is shorter than the slot says.
        """
        source = self._mapped(slot_bytes)
        return memoryview(source)[slot * slot_bytes : slot * slot_bytes + length]
