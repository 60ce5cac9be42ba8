"""What goes over the line: rows packed for PostgreSQL's binary COPY, definitions as JSON, and back."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from planner_app.domain.layer import FieldInfo
from planner_app.sync.types import GEOMETRY, DefChange, LayerDef, PushResult, Refused, RemoteRow, RowChange, Why

_TEXT_OID: Final = 25
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NULL: Final = b"\xff\xff\xff\xff"
_EMPTY_ARRAY: Final = struct.pack("!iii", 0, 0, _TEXT_OID)
#: What a piece of the line's traffic may weigh: rows behind a cut are sent again.
CHUNK_ROWS: Final = 2_000
CHUNK_BYTES: Final = 4 << 20
#: Largest row that is sent at all.
_MOST_ROW: Final = 48 << 20


class UnsendableError(ValueError):
    """A row PostgreSQL could not even read (NUL in a text, half of a surrogate pair, too large): refused unsent."""

    def __init__(self, reason: str = "value") -> None:
        super().__init__(reason)
        self.reason = reason


def packed_text(text: str) -> bytes:
    """A text as PostgreSQL takes it.

    Raises:
        UnsendableError: it cannot.
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise UnsendableError from error
    if b"\x00" in raw:
        raise UnsendableError
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
            raw = packed_text(value)
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
                raise UnsendableError
            packed_text(row.layer + row.uuid)
            staged: tuple[Any, ...] = (
                push_id, ordinal, row.layer, row.uuid, row.operation, packed_names, cells, row.geometry,
                row.has_geometry, None,
            )  # fmt: skip
        except UnsendableError:
            known = clean_text(row.layer), clean_text(row.uuid)
            fault = "sync.refused_value"
            staged = (push_id, ordinal, *known, row.operation, _EMPTY_ARRAY, _EMPTY_ARRAY, None, False, fault)
            size = 0
        yield size + 150, staged


def clean_text(text: str) -> str:
    """The text as PostgreSQL can hold it."""
    return text.encode(errors="replace").decode().replace("\x00", "\N{SYMBOL FOR NULL}")


def is_uuid(text: str) -> bool:
    """True for a UUID as the server takes it."""
    return _UUID.fullmatch(text) is not None


# definitions and answers


def definition_json(change: DefChange) -> dict[str, Any]:
    """A registry change for the server."""
    try:
        for text in (change.key, *change.cells, *(value for value in change.cells.values() if value is not None)):
            packed_text(text)
        layer = None if change.layer is None else layer_json(change.layer)
    except UnsendableError:
        return {"kind": change.kind, "key": clean_text(change.key), "operation": change.operation, "fault": True}
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
        packed_text(text)
    for f in layer.fields:
        packed_text(f.name + f.alias)
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
        {"command": clean_text(w.command), "params": clean_text(w.params), "time": clean_text(w.time), "rows": w.rows}
        for w in why
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
