"""Identities of features and processes."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from pathlib import Path

_UUID = re.compile("-".join(f"[0-9a-f]{{{count}}}" for count in (8, 4, 4, 4, 12)))
#: After this long without a sign of life the work of another machine counts as orphaned, in seconds.
_STALE = 3600.0


def new_uuids(count: int) -> list[str]:
    """UUIDs of version 7 (RFC 9562): ordered by time, so that the uuid index grows at its end."""
    head = f"{time.time_ns() // 1_000_000:012x}"
    random = os.urandom(8 * count).hex()
    made = []
    for row in range(count):
        # 12 bits of rand_a count within a slice of 4096; rand_b is random behind the two variant bits.
        tail = random[row * 16 : row * 16 + 16]
        variant = "89ab"[int(tail[0], 16) & 3]
        made.append(f"{head[:8]}-{head[8:]}-7{row & 0xFFF:03x}-{variant}{tail[1:4]}-{tail[4:]}")
    return made


def is_uuid(text: object) -> bool:
    """True for a UUID in its usual lower-case form."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


def this_process() -> str:
    """Process id and start, so that a reused id is not mistaken for its former owner."""
    return f"{os.getpid()}:{_started(os.getpid())}"


def is_running(process: str) -> bool:
    """True if the process of :func:`this_process` on this machine still runs."""
    pid_text, _, started = process.partition(":")
    pid = int(pid_text)
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return False
        code = ctypes.c_ulong()
        ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
        ctypes.windll.kernel32.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(pid) == started


def is_orphan(machine: str, process: str, heartbeat: float) -> bool:
    """True if the maker of something unfinished is gone."""
    if machine == host():
        return not is_running(process)
    return time.time() - heartbeat > _STALE


def _started(pid: int) -> str:
    """Start of a process in clock ticks since boot (field 22 of /proc/PID/stat); empty where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
