"""Foreign files are read in a process of their own.

GDAL keeps Python's lock for as long as it parses (16 s for a GeoJSON of 390 MB), so in the desktop's process every
gesture would wait for it; it cannot be cancelled, and a crash in one of its drivers would take unsaved work along. And
its SQLite never shares a process with the one that holds the project file.

Frames on the pipe are pickles behind their length. The child is ours and reads only what we ask it to.
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
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.project.exchange.source import Chunk, SourceInfo, SourceLayer, TableGeometry

_LENGTH = struct.Struct("<Q")
#: Seconds between two looks at the cancel button.
_POLL_S = 0.1
#: Chunks read ahead of whoever writes them.
_AHEAD = 4
#: Geometry in one frame, bytes.
_PORTION_BYTES = 4_000_000
_ROOT = Path(__file__).resolve().parents[3]


class SeparateSource:
    """A file that a child process reads. Use as a context manager: leaving it ends the child."""

    def __init__(
        self, path: Path, encoding: str = "", csv_xy: TableGeometry = None, progress: Progress | None = None
    ) -> None:
        self.path = path
        self._progress = progress or NoProgress()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._child = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-c", f"from {__name__} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])},
            start_new_session=True,  # Ctrl+C in a terminal is for us: we end the child
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._frames: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._closed = False
        self._thread = threading.Thread(target=self._receive, name="import reader", daemon=True)
        self._thread.start()
        self._send((path.resolve(), encoding, csv_xy))

    def __enter__(self) -> SeparateSource:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._closed = True
        if self._child.poll() is None:
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

    def info(self) -> SourceInfo:
        """What is in the file.

        Raises:
            PlannerError: what the reader raises; ``import.reader_died``. Cancelled.
        """
        found = self._next()
        if not isinstance(found, SourceInfo):
            raise self._died()
        return found

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Features of a layer in order; geometry as WKB.

        Raises:
            PlannerError: what the reader raises; ``import.reader_died``. Cancelled.
        """
        self._send(layer.name)
        while (chunk := self._next()) is not None:
            yield chunk

    def _send(self, request: object) -> None:
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # a dead child is noticed at the next answer
            _write(self._child.stdin, request)

    def _receive(self) -> None:
        assert self._child.stdout is not None
        while not self._closed:
            try:
                frame = _read(self._child.stdout)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                frame = ("died", None)
            while not self._closed:
                with suppress(queue.Full):
                    self._frames.put(frame, timeout=_POLL_S)
                    break
            if frame[0] == "died":
                return

    def _next(self) -> Any:
        while True:
            check(self._progress)
            with suppress(queue.Empty):
                kind, value = self._frames.get(timeout=_POLL_S)
                break
        if kind == "error":
            code, params = value
            raise PlannerError(code, **params)
        if kind == "died":
            raise self._died()
        return value

    def _died(self) -> PlannerError:
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=2)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        code = self._child.returncode
        return PlannerError(
            "import.reader_died", file=self.path.name, detail=said[-1][:300] if said else f"exit {code}"
        )


def _write(pipe: Any, frame: object) -> None:
    data = pickle.dumps(frame, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: Any) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - both ends are this program


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """The child: open one file, say what is in it, hand over layers until nobody asks any more."""
    from planner_app.project.exchange.source import open_here

    path, encoding, csv_xy = _read(requests)
    try:
        source = open_here(path, encoding, csv_xy)
        info = source.info()
        layers = {layer.name: layer for layer in info.layers}
        _write(answers, ("info", info))
        while True:
            for chunk in source.read(layers[_read(requests)]):
                for part in _portions(chunk):
                    _write(answers, ("chunk", part))
            _write(answers, ("end", None))
    except PlannerError as error:
        _write(answers, ("error", (error.code, error.params)))
    except (EOFError, BrokenPipeError):
        return
    except MemoryError:
        _write(answers, ("error", ("import.no_memory", {"file": path.name})))


def _portions(chunk: Chunk) -> Iterator[Chunk]:
    """The chunk with WKB for geometry, cut so that whoever works on a portion can be cancelled within a second."""
    import numpy as np
    import shapely

    geometry = chunk.geometry
    if not all(one is None or isinstance(one, bytes) for one in geometry):
        geometry = np.asarray(shapely.to_wkb(geometry, flavor="iso"), dtype=object)
    sizes = np.cumsum([len(one or b"") for one in geometry])
    start = 0
    while start < len(geometry) or start == 0:
        before = int(sizes[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(sizes, before + _PORTION_BYTES, "right")))
        columns = {name: values[start:stop] for name, values in chunk.columns.items()}
        faults = {at - start: reason for at, reason in chunk.faults.items() if start <= at < stop}
        yield Chunk(chunk.first + start, geometry[start:stop], columns, faults)
        start = stop


def main() -> None:
    """The child's entry: frames in on standard input, out on standard output."""
    import warnings

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")  # GDAL's remarks on single fields; what matters is in SourceInfo.warnings
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    serve(sys.stdin.buffer, answers)
