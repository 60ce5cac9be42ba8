"""Foreign files, read in a process of their own (see ``separate``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from planner_app.compute.separate import Answers, Requests, SeparateProcess
from planner_app.domain.progress import Progress
from planner_app.project.exchange.source import Chunk, SourceInfo, SourceLayer, TableGeometry

#: Geometry in one answer, bytes: whoever works on it can be cancelled within a second.
_PORTION_BYTES = 4_000_000


class SeparateSource:
    """A file that a child process reads. Use as a context manager: leaving it ends the child."""

    def __init__(
        self, path: Path, encoding: str = "", csv_xy: TableGeometry = None, progress: Progress | None = None
    ) -> None:
        self._child = SeparateProcess(serve, path.name, progress)
        self._child.send((path.resolve(), encoding, csv_xy))

    def __enter__(self) -> SeparateSource:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.close()

    def info(self) -> SourceInfo:
        """What is in the file.

        Raises:
            PlannerError: what the reader raises; ``exchange.process_died``. Cancelled.
        """
        found = self._child.receive()
        assert isinstance(found, SourceInfo)
        return found

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Features of a layer in order; geometry as WKB.

        Raises:
            PlannerError: what the reader raises; ``exchange.process_died``. Cancelled.
        """
        self._child.send(layer.name)
        while (chunk := self._child.receive()) is not None:
            yield chunk


def serve(requests: Requests, answers: Answers) -> None:
    """The child: open one file, say what is in it, hand over layers until nobody asks any more."""
    from planner_app.project.exchange.source import open_here

    source = open_here(*requests())
    info = source.info()
    layers = {layer.name: layer for layer in info.layers}
    answers(info)
    while True:
        for chunk in source.read(layers[requests()]):
            for part in _portions(chunk):
                answers(part)
        answers(None)


def _portions(chunk: Chunk) -> Iterator[Chunk]:
    """The chunk with WKB for geometry, cut into parts of a few megabytes."""
    import numpy as np
    import shapely

    geometry: Any = chunk.geometry
    if not all(one is None or isinstance(one, bytes) for one in geometry):
        geometry = np.asarray(shapely.to_wkb(geometry, flavor="iso"), dtype=object)
    sizes = np.cumsum([len(one or b"") for one in geometry])
    start = 0
    while start < len(geometry):
        before = int(sizes[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(sizes, before + _PORTION_BYTES, "right")))
        columns = {name: values[start:stop] for name, values in chunk.columns.items()}
        faults = {at - start: reason for at, reason in chunk.faults.items() if start <= at < stop}
        yield Chunk(chunk.first + start, geometry[start:stop], columns, faults)
        start = stop
