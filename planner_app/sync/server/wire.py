"""What goes over the line: rows packed for PostgreSQL's binary COPY, definitions as JSON, and back."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final

from planner_app.domain.layer import FieldInfo, FieldType
from planner_app.sync.types import GEOMETRY, DefChange, LayerDef, PushResult, Refused, RemoteRow, RowChange, Why

_TEXT_OID: Final = 25
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUIDS: Final = re.compile(f"(?:{_UUID.pattern})+")
_NULL: Final = b"\xff\xff\xff\xff"
_EMPTY_ARRAY: Final = struct.pack("!iii", 0, 0, _TEXT_OID)
#: What a piece of the line's traffic may weigh: rows behind a cut are sent again.
CHUNK_ROWS: Final = 2_000
CHUNK_BYTES: Final = 4 << 20
#: Largest row that is sent at all.
_MOST_ROW: Final = 48 << 20


class _UnsendableError(ValueError):
    """A row PostgreSQL could not even read (NUL in a text, half of a surrogate pair, too large): refused unsent."""

    def __init__(self, reason: str = "value") -> None:
        super().__init__(reason)
        self.reason = reason


def _packed(text: str) -> bytes:
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise _UnsendableError from error
    if b"\x00" in raw:
        raise _UnsendableError
    return raw


def text_array(values: Sequence[str | None]) -> bytes:
    """A ``text[]`` in PostgreSQL's binary form."""
    if not values:
        return _EMPTY_ARRAY
    parts = [struct.pack("!iiiii", 1, int(None in values), _TEXT_OID, len(values), 1)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            raw = _packed(value)
            parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(parts)


#: Types of a staged row's columns; arrays come packed.
STAGE_COLUMNS: Final = "push_id, ordinal, layer, uuid, operation, names, cells, geometry, has_geometry, fault"
STAGE_TYPES: Final = ["uuid", "int4", "text", "text", "text", "bytea", "bytea", "bytea", "bool", "text"]


def stage_rows(push_id: Any, rows: Iterable[RowChange], first: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """(bytes, staged row) of each change, numbered from ``first``; what cannot be sent goes as its fault."""
    names: dict[tuple[str, ...], bytes] = {}
    for ordinal, row in enumerate(rows, first):
        try:
            keys = tuple(row.cells)
            packed_names = names.get(keys)
            if packed_names is None:
                packed_names = names[keys] = text_array(keys)
            cells = text_array(list(row.cells.values()))
            size = len(cells) + len(row.geometry or b"")
            if size > _MOST_ROW:
                raise _UnsendableError
            _packed(row.layer + row.uuid)
            staged: tuple[Any, ...] = (
                push_id, ordinal, row.layer, row.uuid, row.operation, packed_names, cells, row.geometry,
                row.has_geometry, None,
            )  # fmt: skip
        except _UnsendableError:
            known = _clean(row.layer), _clean(row.uuid)
            fault = "sync.refused_value"
            staged = (push_id, ordinal, *known, row.operation, _EMPTY_ARRAY, _EMPTY_ARRAY, None, False, fault)
            size = 0
        yield size + 150, staged


def _clean(text: str) -> str:
    """The text as PostgreSQL can hold it."""
    return text.encode(errors="replace").decode().replace("\x00", "\N{SYMBOL FOR NULL}")


# Whole layers. Values are checked by columns of a few hundred rows, which C does; one by one only where one is bad.

_OID_TYPES: Final[dict[FieldType, str]] = {
    "integer": "int8", "real": "float8", "text": "text", "boolean": "bool", "date": "date", "datetime": "text",
    "blob": "bytea",
}  # fmt: skip
_ALLOWED: Final[dict[FieldType, frozenset[type]]] = {
    "integer": frozenset({int}), "real": frozenset({float, int}), "text": frozenset({str}),
    "boolean": frozenset({int, bool}), "date": frozenset({str}), "datetime": frozenset({str}),
    "blob": frozenset({bytes, bytearray, memoryview}),
}  # fmt: skip
_WKB_TYPES: Final = {"point": 1, "line": 2, "polygon": 3}
_BATCH: Final = 500
_Bulk = tuple[str, bytes | None, Sequence[Any]]


def is_uuid(text: str) -> bool:
    """True for a UUID as the server takes it."""
    return _UUID.fullmatch(text) is not None


class BulkRows:
    """Turns (uuid, WKB, values) into rows for COPY into a layer's typed table.

    Attributes:
        types: of the columns, for ``Copy.set_types``.
        faults: (uuid, code, reason) of the rows that were held back.
    """

    def __init__(self, layer: LayerDef, srid: int) -> None:
        self._fields = layer.fields
        self._spatial = layer.geometry != "none"
        self.types = ["bytea", *(["bytea"] if self._spatial else []), *(_OID_TYPES[f.type] for f in layer.fields)]
        self.faults: list[tuple[str, str, str]] = []
        self._heads: dict[bytes, bytes] = {}
        kind = _WKB_TYPES.get(layer.geometry, 0) + 3 * layer.multi
        self._kinds = {kind + 1000, kind | 0x80000000} if layer.has_z else {kind}
        self._srid = srid

    def rows(self, rows: Iterable[_Bulk]) -> Iterator[tuple[int, Sequence[Any]]]:
        """(about how many bytes, row) of those that can go."""
        source = iter(rows)
        while batch := list(islice(source, _BATCH)):
            try:
                yield from self._columns(batch)
            except (ValueError, TypeError, OverflowError):
                yield from self._singly(batch)

    def _singly(self, batch: Sequence[_Bulk]) -> Iterator[tuple[int, Sequence[Any]]]:
        for row in batch:
            try:
                yield from self._columns([row])
            except (ValueError, TypeError, OverflowError) as error:
                reason = error.reason if isinstance(error, _UnsendableError) else "value"
                code = "sync.refused_geometry" if reason == "type" else f"sync.refused_{reason}"
                self.faults.append((_clean(str(row[0]))[:100], code, reason))

    def _columns(self, batch: Sequence[_Bulk]) -> list[tuple[int, Sequence[Any]]]:
        uuids = "".join([row[0] for row in batch])
        if len(uuids) != 36 * len(batch) or not _UUIDS.fullmatch(uuids):
            raise _UnsendableError("uuid")
        raw = bytes.fromhex(uuids.replace("-", ""))
        columns: list[Sequence[Any]] = [[raw[at : at + 16] for at in range(0, len(raw), 16)]]
        if self._spatial:
            columns.append([None if row[1] is None else self._ewkb(row[1]) for row in batch])
        values = list(zip(*(row[2] for row in batch), strict=True))
        if len(values) != len(self._fields):
            raise _UnsendableError
        columns += [_column(column, field.type) for column, field in zip(values, self._fields, strict=True)]
        about = 12 * len(columns)
        return [
            (about + len(shape or b""), row)
            for (_, shape, _), row in zip(batch, zip(*columns, strict=True), strict=True)
        ]

    def _ewkb(self, wkb: bytes) -> bytes:
        """WKB with the SRID in its head, as a typed column wants it."""
        head = wkb[:5]
        made = self._heads.get(head)
        if made is None:
            made = self._heads[head] = self._head(head)
        return made + wkb[5:]

    def _head(self, head: bytes) -> bytes:
        if len(head) < 5 or head[0] > 1:
            raise _UnsendableError("type")
        order = "<" if head[0] else ">"
        kind = struct.unpack(f"{order}I", head[1:])[0]
        if kind not in self._kinds:
            raise _UnsendableError("type")
        if not self._srid:
            return head
        return head[:1] + struct.pack(f"{order}Ii", kind | 0x20000000, self._srid)


def _column(column: Sequence[Any], kind: FieldType) -> Sequence[Any]:
    """A column's values as PostgreSQL takes them.

    Raises:
        ValueError: one does not belong in it.
    """
    there: Sequence[Any] = column
    types = set(map(type, column))
    if type(None) in types:
        types.remove(type(None))
        there = [value for value in column if value is not None]
    if not types <= _ALLOWED[kind]:
        raise _UnsendableError
    if not there:
        return column
    if kind in ("text", "datetime"):
        _packed("".join(there))
    elif kind == "integer":
        if min(there) < -(2**63) or max(there) >= 2**63:
            raise _UnsendableError
    elif kind == "real" and types == {float}:
        if math.isnan(sum(there)) and any(map(math.isnan, there)):
            raise _UnsendableError
    else:
        convert = _CONVERT[kind]
        return [None if value is None else convert(value) for value in column]
    return column


def _whole(value: Any) -> float:
    number = float(value)
    if math.isnan(number) or (isinstance(value, int) and int(number) != value):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _date(value: Any) -> date:
    found = date.fromisoformat(value)
    if found.isoformat() != value:
        raise ValueError
    return found


_CONVERT: Final[dict[FieldType, Callable[[Any], Any]]] = {
    "real": _whole, "boolean": _boolean, "date": _date, "blob": bytes,
}  # fmt: skip


# definitions and answers


def definition_json(change: DefChange) -> dict[str, Any]:
    """A registry change for the server."""
    try:
        for text in (change.key, *change.cells, *(value for value in change.cells.values() if value is not None)):
            _packed(text)
        layer = None if change.layer is None else layer_json(change.layer)
    except _UnsendableError:
        return {"kind": change.kind, "key": _clean(change.key), "operation": change.operation, "fault": True}
    return {
        "kind": change.kind, "key": change.key, "operation": change.operation, "cells": dict(change.cells),
        "layer": layer,
    }  # fmt: skip


def layer_json(layer: LayerDef) -> dict[str, Any]:
    """A layer's definition for the server.

    Raises:
        ValueError: a text that PostgreSQL cannot hold.
    """
    for text in (layer.uuid, layer.table, *layer.cells, *layer.cells.values()):
        _packed(text)
    for f in layer.fields:
        _packed(f.name + f.alias)
    return {
        "uuid": layer.uuid, "table": layer.table, "geometry": layer.geometry, "has_z": layer.has_z,
        "multi": layer.multi, "cells": dict(layer.cells),
        "fields": [{"name": f.name, "type": f.type, "alias": f.alias} for f in layer.fields],
    }  # fmt: skip


def layer_of(data: Mapping[str, Any]) -> LayerDef:
    """A layer's definition from the server's registry."""
    fields = tuple(FieldInfo(f["name"], f["type"], f["alias"]) for f in data["fields"])
    return LayerDef(
        data["uuid"], data["table"], data["geometry"], data["has_z"], data["multi"], fields, dict(data["cells"])
    )


def result_of(data: Mapping[str, Any]) -> PushResult:
    """What became of a push."""
    refused = tuple(Refused(r["layer"] or "", r["uuid"] or "", r["code"], r["params"]) for r in data["refused"])
    return PushResult(False, data["revision"], data["chain"], data["applied"], refused)


def why_json(why: Sequence[Why]) -> list[dict[str, Any]]:
    """Reasons for the server."""
    return [
        {"command": _clean(w.command), "params": _clean(w.params), "time": _clean(w.time), "rows": w.rows} for w in why
    ]


class Cells:
    """Names a layer's cells; reals as ``planner_app.sync.cells.encode`` writes them (PostgreSQL writes 5 for 5.0)."""

    def __init__(self, fields: Sequence[FieldInfo]) -> None:
        self._names = [f.name for f in fields]
        self._reals = [f.name for f in fields if f.type == "real"]
        self._is_real = [f.type == "real" for f in fields]

    def whole(self, cells: Sequence[str | None]) -> dict[str, str | None]:
        """All cells of a record; an array of an older state may be shorter."""
        made = dict.fromkeys(self._names) | dict(zip(self._names, cells, strict=False))
        for name in self._reals:
            made[name] = _real(made[name])
        return made

    def some(self, cells: Sequence[str | None] | None, slots: Iterable[int]) -> dict[str, str | None]:
        """The cells of some slots (from 1; 0, the geometry, is left out)."""
        made = {}
        for slot in slots:
            if 0 < slot <= len(self._names):
                cell = None if cells is None or slot > len(cells) else cells[slot - 1]
                made[self._names[slot - 1]] = _real(cell) if self._is_real[slot - 1] else cell
        return made

    def row(
        self, uuid: Any, revision: int, gone: bool, slots: Sequence[int] | None, cells: Sequence[str | None],
        geometry: bytes | None,
    ) -> RemoteRow:  # fmt: skip
        """A row of ``planner.pull_changes``."""
        if gone:
            return RemoteRow(str(uuid), revision, gone=True)
        if slots is None:
            return RemoteRow(str(uuid), revision, False, None, self.whole(cells), geometry)
        some = self.some(cells, slots)
        changed = frozenset(some) | ({GEOMETRY} if 0 in slots else frozenset())
        return RemoteRow(str(uuid), revision, False, changed, some, geometry)


def _real(text: str | None) -> str | None:
    return text if text is None or text.endswith("y") else repr(float(text))  # Infinity
