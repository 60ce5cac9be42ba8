"""What goes over the line: rows packed for PostgreSQL's binary COPY, definitions as JSON, and back."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from planner_app.domain.layer import FieldInfo, FieldType
from planner_app.sync.types import DefChange, LayerDef, PushResult, Refused, RemoteRow, RowChange, Why

_TEXT_OID: Final = 25
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NULL: Final = b"\xff\xff\xff\xff"
_EMPTY_ARRAY: Final = struct.pack("!iii", 0, 0, _TEXT_OID)
#: What a piece of the line's traffic may weigh: rows behind a cut are sent again.
CHUNK_ROWS: Final = 2_000
CHUNK_BYTES: Final = 4 << 20
#: Largest row that is sent at all.
_MOST_ROW: Final = 48 << 20


class _UnsendableError(ValueError):
    """A row PostgreSQL could not even read (NUL in a text, half of a surrogate pair, too large): refused unsent."""


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


# Whole layers. A row's types are looked at together: a list of types is met once and then known.

_OID_TYPES: Final[dict[FieldType, str]] = {
    "integer": "int8", "real": "float8", "text": "text", "boolean": "bool", "date": "date", "datetime": "text",
    "blob": "bytea",
}  # fmt: skip
_ALLOWED: Final[dict[FieldType, tuple[type, ...]]] = {
    "integer": (int,), "real": (float, int), "text": (str,), "boolean": (int, bool), "date": (str,),
    "datetime": (str,), "blob": (bytes, bytearray, memoryview),
}  # fmt: skip


def is_uuid(text: str) -> bool:
    """True for a UUID as the server takes it."""
    return _UUID.fullmatch(text) is not None


_WKB_TYPES: Final = {"point": 1, "line": 2, "polygon": 3}


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
        self._signatures: dict[tuple[type, ...], bool] = {}
        self._headers: dict[bytes, bytes | None] = {}
        kind = _WKB_TYPES.get(layer.geometry, 0) + 3 * layer.multi
        self._kinds = {kind + 1000, kind | 0x80000000} if layer.has_z else {kind}
        self._srid = srid
        self._ints = [at for at, f in enumerate(layer.fields) if f.type == "integer"]
        self._texts = [at for at, f in enumerate(layer.fields) if f.type in ("text", "datetime")]
        self._other: list[tuple[int, Callable[[Any], Any]]] = [
            (at, _BULK[f.type]) for at, f in enumerate(layer.fields) if f.type in _BULK
        ]

    def rows(self, rows: Iterable[tuple[str, bytes | None, Sequence[object]]]) -> Iterator[tuple[int, list[Any]]]:
        """(about how many bytes, row) of those that can go."""
        for uuid, wkb, values in rows:
            try:
                row: list[Any] = list(values)
                reason = self._check(uuid, row)
                if not reason and self._spatial:
                    reason = "" if wkb is None else self._wkb_fault(wkb)
                    row.insert(0, None if wkb is None else self._ewkb(wkb))
            except (ValueError, OverflowError):
                reason = "value"
            if reason:
                code = "sync.refused_geometry" if reason in ("type", "unreadable") else f"sync.refused_{reason}"
                self.faults.append((_clean(str(uuid))[:100], code, reason))
                continue
            row.insert(0, bytes.fromhex(uuid.replace("-", "")))
            yield 12 * len(row) + len(wkb or b""), row

    def _check(self, uuid: str, row: list[Any]) -> str:
        if not (isinstance(uuid, str) and _UUID.fullmatch(uuid)):
            return "uuid"
        signature = tuple(map(type, row))
        fits = self._signatures.get(signature)
        if fits is None:
            fits = self._signatures[signature] = self._fit(signature)
        if not fits:
            return "value"
        for at in self._ints:
            if row[at] is not None and not -(2**63) <= row[at] < 2**63:
                return "value"
        for at in self._texts:
            if row[at] is not None and ("\x00" in row[at] or (not row[at].isascii() and not _encodes(row[at]))):
                return "value"
        for at, convert in self._other:
            if row[at] is not None:
                row[at] = convert(row[at])
        return ""

    def _fit(self, signature: tuple[type, ...]) -> bool:
        return len(signature) == len(self._fields) and all(
            kind is type(None) or kind in _ALLOWED[f.type] for kind, f in zip(signature, self._fields, strict=True)
        )

    def _wkb_fault(self, wkb: bytes) -> str:
        return "" if self._ewkb(wkb) is not None else "type"

    def _ewkb(self, wkb: bytes) -> bytes | None:
        """WKB with the SRID in its head, as a typed column wants it; None if the head is of another type."""
        head = bytes(wkb[:5])
        if head not in self._headers:
            self._headers[head] = self._head(head)
        made = self._headers[head]
        return None if made is None else made + wkb[5:]

    def _head(self, head: bytes) -> bytes | None:
        if len(head) < 5 or head[0] > 1:
            return None
        order = "<" if head[0] else ">"
        kind = struct.unpack(f"{order}I", head[1:])[0]
        if kind not in self._kinds:
            return None
        if not self._srid:
            return head
        return head[:1] + struct.pack(f"{order}Ii", kind | 0x20000000, self._srid)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _real(value: Any) -> float:
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


_BULK: Final[dict[FieldType, Callable[[Any], Any]]] = {
    "real": _real, "boolean": _boolean, "date": _date, "blob": bytes,
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


def canonical(text: str | None, kind: FieldType) -> str | None:
    """A cell as :func:`planner_app.sync.cells.encode` writes it (PostgreSQL writes 5 for 5.0)."""
    return repr(float(text)) if kind == "real" and text is not None and not text.endswith("Infinity") else text


def named(
    fields: Sequence[FieldInfo], cells: Sequence[str | None] | None, slots: Iterable[int] | None
) -> dict[str, str | None]:
    """Cells by name of the slots asked for (None: all)."""
    if cells is None:
        cells = ()
    wanted = range(1, len(fields) + 1) if slots is None else [slot for slot in slots if 0 < slot <= len(fields)]
    return {
        fields[slot - 1].name: canonical(cells[slot - 1] if slot <= len(cells) else None, fields[slot - 1].type)
        for slot in wanted
    }


def remote_row(
    fields: Sequence[FieldInfo], uuid: Any, revision: int, gone: bool, slots: Sequence[int] | None,
    cells: Sequence[str | None], geometry: bytes | None,
) -> RemoteRow:  # fmt: skip
    """A row of ``planner.pull_changes``."""
    if gone:
        return RemoteRow(str(uuid), revision, gone=True)
    changed = None
    if slots is not None:
        changed = frozenset("geom" if slot == 0 else fields[slot - 1].name for slot in slots if slot <= len(fields))
    return RemoteRow(str(uuid), revision, False, changed, named(fields, cells, slots), geometry)
