"""A whole layer on its way to the server, which has nothing of it yet: page by page, wrong records left out."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from planner_app.domain.layer import FieldInfo, FieldType
from planner_app.project.connection import Door, patiently
from planner_app.project.identity import is_uuid
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote
from planner_app.sync.client.judging import Shapes, Wrong, cell
from planner_app.sync.client.outgoing import Held
from planner_app.sync.client.writing import lenient
from planner_app.sync.types import GEOMETRY, LayerDef, Page
from planner_app.sync.uuids import uuid_bytes

_PAGE: Final = 1000
#: What SQLite gives back of a good value; of which that does not tell enough.
_PLAIN: Final[Mapping[str, type]] = {
    "integer": int, "real": float, "text": str, "datetime": str, "blob": bytes, "boolean": int, "date": str,
}  # fmt: skip
_PARTICULAR: Final = ("boolean", "date")
#: What a number and each value's length weigh.
_NUMBER, _LENGTH = 8, 4
#: Up to here doubles hold all whole numbers.
_WHOLE: Final = 2.0**53


def whole_pages(door: Door, layer: LayerDef, held: list[Held]) -> Iterator[Page]:
    """All rows of a layer, so that nobody waits for a reader. Wrong ones are left out and added to ``held``."""
    geometry = layer.geometry != "none"
    wanted = column_list(["fid", "uuid", *(one.name for one in layer.fields), *([GEOMETRY] if geometry else [])])
    query = f"SELECT {wanted} FROM {quote(layer.table)} WHERE fid > ? ORDER BY fid LIMIT {_PAGE}"
    last, seen, end = -(1 << 63), set[str](), 2 + len(layer.fields)
    judge = Shapes(layer)
    while rows := _rows(door, query, last):
        last = rows[-1][0]
        columns = list(zip(*rows, strict=True))
        fids, uuids, cells = columns[0], columns[1], columns[2:end]
        values, doubtful, size = _judged(cells, layer.fields)
        shapes, faults = judge.wkb(uuids, columns[end]) if geometry else ([None] * len(rows), {})
        bad = _bad(layer, fids, uuids, cells, doubtful, faults, seen)
        held += bad.values()
        page = Page(uuids, shapes, values, size + sum(len(wkb) for wkb in shapes if wkb))
        if bad:
            page = Page.of([row for at, row in enumerate(page.rows()) if at not in bad], len(cells))
        yield page


def _rows(door: Door, query: str, after: int) -> list[tuple[Any, ...]]:
    with door.read() as connection:
        try:
            return patiently(lambda: connection.execute(query, (after,)).fetchall(), door.path)
        except sqlite3.OperationalError:  # a text that is no UTF-8
            with lenient(connection):
                return patiently(lambda: connection.execute(query, (after,)).fetchall(), door.path)


def _bad(
    layer: LayerDef,
    fids: Sequence[int],
    uuids: Sequence[Any],
    cells: Sequence[Sequence[Any]],
    doubtful: Sequence[int],
    faults: Mapping[str, tuple[str, str]],
    seen: set[str],
) -> dict[int, Held]:
    """Records of a page, by number, that are not sent; ``seen`` are the UUIDs before."""
    if not doubtful and not faults and _all_new(uuids, seen):
        return {}
    found = {}
    for at, (fid, uuid) in enumerate(zip(fids, uuids, strict=True)):
        try:
            if not is_uuid(uuid) or uuid in seen:
                raise Wrong("sync.uuid_twice" if uuid in seen else "sync.uuid_wrong", uuid=uuid)
            seen.add(uuid)
            if uuid in faults:
                raise Wrong(faults[uuid][0], detail=faults[uuid][1])
            for number in doubtful:
                cell(layer.fields[number], cells[number][at])
        except Wrong as wrong:
            key = f"{uuid} {fid}" if wrong.code == "sync.uuid_twice" else str(uuid)
            found[at] = Held(layer.uuid, key, fid, wrong.code, wrong.params, 0)
    return found


def _all_new(uuids: Sequence[Any], seen: set[str]) -> bool:
    """True if all are UUIDs that were not seen before; then they are."""
    try:
        uuid_bytes(uuids)
    except (ValueError, TypeError):
        return False
    new = set(uuids)
    if len(new) != len(uuids) or not seen.isdisjoint(new):
        return False
    seen |= new
    return True


def _judged(cells: Sequence[Sequence[Any]], fields: Sequence[FieldInfo]) -> tuple[list[Sequence[Any]], list[int], int]:
    """Columns, numbers packed where they can be; fields (by number) with a value to be looked at by itself; about how
    much all weigh."""
    columns: list[Sequence[Any]] = []
    found, size = [], 36 * len(cells[0]) if cells else 0
    for at, (one, values) in enumerate(zip(fields, cells, strict=True)):
        packed = _packed(one.type, values)
        columns.append(values if packed is None else packed)
        size += _LENGTH * len(values)
        if packed is not None:
            size += _NUMBER * len(values)
            continue
        kinds = set(map(type, values)) - {type(None)}
        plain = _PLAIN[one.type]
        if not kinds <= {plain} or (one.type in _PARTICULAR and not _all_fit(one, set(values))):
            found.append(at)
        elif plain is str:
            weight = _weight("".join(filter(None, values)))
            if weight is None:
                found.append(at)
            size += weight or 0
        else:
            size += _NUMBER * len(values)
    return columns, found, size


def _packed(kind: FieldType, values: Sequence[Any]) -> array[Any] | None:
    """Numbers as an array; None if they are no such numbers, or not all of them."""
    import numpy as np

    try:
        if kind == "integer":
            return array("q", values)
        if kind == "real":
            made = array("d", values)
            # A whole number beyond these may have lost something.
            return made if np.abs(np.frombuffer(made)).max() < _WHOLE else None
    except (TypeError, OverflowError):
        pass
    return None


def _all_fit(field: FieldInfo, values: set[Any]) -> bool:
    try:
        for value in values:
            cell(field, value)
    except Wrong:
        return False
    return True


def _weight(text: str) -> int | None:
    """Bytes of texts that every database takes; None if it does not."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return None
    return None if b"\x00" in raw else len(raw)
