"""Readers of foreign files work in a process of their own, within limits.

GDAL keeps Python's lock for as long as it parses or writes (16 s for a GeoJSON of 390 MB), so in the desktop's process
every gesture would wait for it; it cannot be cancelled, and a crash in one of its drivers would take unsaved work
along. And its SQLite never shares a process with the one that holds the project file. The same holds for readers of
drawings, whose files come from anywhere.

Frames on the pipes are pickles behind their length. The child is ours and does only what it is asked.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, check

_LENGTH = struct.Struct("<Q")
#: Seconds between two looks at the cancel button.
_POLL_S = 0.1
#: Seconds between two looks of a child at its memory.
_LOOK_S = 0.02
#: Answers read ahead of whoever uses them.
_AHEAD = 4
_ROOT = Path(__file__).resolve().parents[2]
#: Exit code of a child that found itself over its memory limit.
_TOO_BIG = 77
#: What runtimes say on standard error when an allocation fails.
_NO_MEMORY_WORDS = ("MemoryError", "bad_alloc", "memory allocation of", "out of memory")

Requests = Callable[[], Any]
Answers = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: seconds from its start, bytes of memory; None: no limit."""

    seconds: float | None = None
    memory: int | None = None


_UNLIMITED = Limits()


class SeparateProcess:
    """A child that runs ``work(requests, answers)``. Use as a context manager: leaving it ends the child.

    Args:
        work: a function of a module; its answers are what :meth:`receive` gives.
        file: name of the file it is about, for errors.
        limits: beyond which it is ended.
    """

    def __init__(
        self,
        work: Callable[[Requests, Answers], None],
        file: str,
        progress: Progress | None = None,
        limits: Limits = _UNLIMITED,
    ) -> None:
        self._file, self._progress, self._limits = file, progress or NoProgress(), limits
        # The child's temporary files lie in here, so that they go even if it is killed.
        self._folder = tempfile.TemporaryDirectory(prefix="planner-exchange-")
        self._errors = (Path(self._folder.name) / "stderr").open("w+b")
        environment = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._folder.name)
        if limits.memory:  # address space is what is limited: no pools for threads that never run
            environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
        self._child = subprocess.Popen(
            [
                sys.executable,
                "-X",
                "utf8",
                "-c",
                f"from {__name__} import main; main()",
                work.__module__,
                work.__name__,
                str(limits.seconds or 0),
                str(limits.memory or 0),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | environment,
            start_new_session=True,  # Ctrl+C in a terminal is for us: we end the child
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._deadline = time.monotonic() + limits.seconds if limits.seconds else None
        self._frames: queue.Queue[tuple[str, Any]] = queue.Queue(_AHEAD)
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name="exchange", daemon=True)
        self._thread.start()

    def __enter__(self) -> SeparateProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._closed = True
        self._child.kill()
        with suppress(queue.Empty):
            while True:
                self._frames.get_nowait()
        self._thread.join(timeout=5)
        self._child.wait(timeout=5)
        for pipe in (self._child.stdin, self._child.stdout, self._errors):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._folder.cleanup()

    def send(self, request: object) -> None:
        """Ask for something. A dead child is noticed at the next answer."""
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):
            _write(self._child.stdin, request)

    def receive(self, seconds: float | None = None) -> Any:
        """The next answer, within ``seconds`` if given.

        Raises:
            PlannerError: what the child raised; ``exchange.process_died``, ``exchange.no_memory``,
                ``exchange.too_slow``. Cancelled.
        """
        until = self._deadline if seconds is None else time.monotonic() + seconds
        while True:
            check(self._progress)
            if until is not None and time.monotonic() > until:
                raise PlannerError("exchange.too_slow", file=self._file, seconds=seconds or self._limits.seconds)
            with suppress(queue.Empty):
                kind, value = self._frames.get(timeout=_POLL_S)
                break
        if kind == "error":
            code, params = value
            raise self._too_big() if code == "exchange.no_memory" else PlannerError(code, **params)
        if kind == "died":
            raise self._died()
        return value

    def _listen(self) -> None:
        assert self._child.stdout is not None
        alive = True
        while alive and not self._closed:
            try:
                frame = _read(self._child.stdout)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                frame, alive = ("died", None), False
            while not self._closed:
                with suppress(queue.Full):
                    self._frames.put(frame, timeout=_POLL_S)
                    break

    def _died(self) -> PlannerError:
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=2)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        if self._child.returncode == _TOO_BIG or any(word in line for line in said for word in _NO_MEMORY_WORDS):
            return self._too_big()
        detail = said[-1][:300] if said else f"exit {self._child.returncode}"
        return PlannerError("exchange.process_died", file=self._file, detail=detail)

    def _too_big(self) -> PlannerError:
        return PlannerError("exchange.no_memory", file=self._file, limit=self._limits.memory)


def _write(pipe: Any, frame: object) -> None:
    data = pickle.dumps(frame, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: BinaryIO | Any) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - both ends are this program


def main() -> None:
    """The child's entry: ``module function seconds bytes``; frames in on standard input, out on standard output."""
    import faulthandler
    import importlib
    import warnings

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")  # GDAL's remarks on single fields; what matters is in our own warnings
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    seconds, memory = float(sys.argv[3]), int(sys.argv[4])
    if seconds:  # whoever started it ends it sooner, unless they are dead themselves
        faulthandler.dump_traceback_later(seconds + 10.0, exit=True)
    if memory:
        _limit_memory(memory)
    try:
        work = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
        work(lambda: _read(sys.stdin.buffer), lambda answer: _write(out, ("answer", answer)))
    except PlannerError as error:
        _write(out, ("error", (error.code, error.params)))
    except MemoryError:
        os._exit(_TOO_BIG)  # nothing that needs memory can be said any more
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nobody listens any more; nothing is left to flush


def _limit_memory(size: int) -> None:
    """End this process once it has more than ``size`` bytes.

    It looks at itself. On Linux the system refuses what lies far beyond, for libraries that let nobody look. Refusing
    is but the second line: CPython 3.11 can hang for ever when it is refused a few bytes for an exception.
    """
    if sys.platform == "linux":
        import resource

        most = size + size // 4
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    def watch() -> None:
        with suppress(MemoryError):
            while _used() <= size:
                time.sleep(_LOOK_S)
        os._exit(_TOO_BIG)

    threading.Thread(target=watch, name="memory", daemon=True).start()


def _used() -> int:
    """Bytes that this process has: address space on Linux, elsewhere memory at most."""
    if sys.platform == "linux":
        return int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    elif sys.platform == "win32":
        import ctypes

        # PROCESS_MEMORY_COUNTERS: two 32-bit numbers, then sizes; the first is the peak working set.
        counters = (ctypes.c_size_t * 9)()
        counters[0] = ctypes.sizeof(counters)
        kernel = ctypes.windll.kernel32
        kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(-1), counters, ctypes.sizeof(counters))
        return int(counters[1])
    else:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
