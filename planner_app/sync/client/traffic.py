"""Counts what a sync sends and receives, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from planner_app.domain.progress import Progress
from planner_app.sync.transport import Pull, Transport
from planner_app.sync.types import DefChange, LayerDef, Page, PushHeader, RemoteRow, RowChange, Scope

_UUID = 36
_READING = 26


class Metered:
    """A transport whose traffic is counted; all other calls go straight through.

    Attributes:
        bytes: content both ways: names and values of cells, geometries, identities, definitions, pieces of attachments
            and readings; neither encryption nor most heads of the protocol.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def stage(
        self, push: PushHeader, definitions: Sequence[DefChange], rows: Iterable[RowChange], progress: Progress
    ) -> None:
        self.bytes += sum(map(_definition, definitions))
        self._transport.stage(push, definitions, self._changes(rows), progress)

    def stage_layer(
        self,
        push: PushHeader,
        layer: LayerDef,
        pages: Iterable[Page],
        progress: Progress,
    ) -> None:
        self._transport.stage_layer(push, layer, self._pages(pages), progress)

    @contextmanager
    def pull(self, project: str, after: int) -> Iterator[Pull]:
        with self._transport.pull(project, after) as source:
            self.bytes += sum(map(_definition, source.definitions))
            yield _MeteredPull(source, self)

    def put_piece(self, project: str, sha256: str, number: int, data: bytes) -> None:
        self.bytes += len(data)
        self._transport.put_piece(project, sha256, number, data)

    def get_piece(self, project: str, sha256: str, number: int) -> bytes:
        data = self._transport.get_piece(project, sha256, number)
        self.bytes += len(data)
        return data

    def put_readings(self, project: str, rows: Sequence[tuple[int, int, float | None, int]]) -> int:
        self.bytes += _READING * len(rows)
        return self._transport.put_readings(project, rows)

    def readings(self, project: str, after: int) -> Iterator[tuple[int, int, int, float | None, int]]:
        for row in self._transport.readings(project, after):
            self.bytes += _READING
            yield row

    def _changes(self, rows: Iterable[RowChange]) -> Iterator[RowChange]:
        for row in rows:
            self.bytes += _UUID + _cells(row.cells) + len(row.geometry or b"")
            yield row

    def _pages(self, pages: Iterable[Page]) -> Iterator[Page]:
        for page in pages:
            self.bytes += page.size
            yield page


class _MeteredPull:
    def __init__(self, source: Pull, meter: Metered) -> None:
        self._source, self._meter = source, meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def changes(self, layer: str, scope: Scope) -> Iterator[RemoteRow]:
        return self._rows(self._source.changes(layer, scope))

    def rows(self, layer: str, scope: Scope, uuids: Sequence[str] | None = None) -> Iterator[RemoteRow]:
        return self._rows(self._source.rows(layer, scope, uuids))

    def bulk(self, layer: str, scope: Scope) -> Iterator[Page]:
        return self._meter._pages(self._source.bulk(layer, scope))

    def keys(self, layer: str, scope: Scope) -> Iterator[str]:
        for key in self._source.keys(layer, scope):
            self._meter.bytes += _UUID
            yield key

    def _rows(self, rows: Iterable[RemoteRow]) -> Iterator[RemoteRow]:
        for row in rows:
            self._meter.bytes += _UUID + _cells(row.cells) + len(row.geometry or b"")
            yield row


def _cells(cells: Mapping[str, str | None]) -> int:
    return len("".join([*cells, *filter(None, cells.values())]).encode(errors="replace"))


def _definition(change: DefChange) -> int:
    layer = change.layer
    named = [] if layer is None else [f.name + f.type + f.alias for f in layer.fields]
    more = 0 if layer is None or layer.cells is change.cells else _cells(layer.cells)
    return len(change.key) + _cells(change.cells) + more + len("".join(named).encode(errors="replace"))
