"""Edits that escaped the change log: another program had taken the triggers off a table (``transform`` of sqlite-utils
does). What the server had at the file's revision tells what they were; from then on they are edits like all others.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from planner_app.project import Project, capture, registry, replica
from planner_app.project.geometry import prepare, to_wkb
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote
from planner_app.sync import cells
from planner_app.sync.client import adopting, definitions, outbox, standing
from planner_app.sync.client.merging import same
from planner_app.sync.client.outbox import Edited
from planner_app.sync.client.writing import lenient
from planner_app.sync.transport import Transport
from planner_app.sync.types import GEOMETRY, RemoteRow, Scope


def recall(project: Project, transport: Transport) -> None:
    """Find the edits of layers whose triggers were gone for a time."""
    with project.door.read() as connection:
        tables = json.loads(replica.get(connection, "suspect", "[]"))
        if not tables:
            return
        key, cursor, _ = standing.place(connection)
        known = [one for one in definitions.known_layers(connection).values() if one.live and one.table in tables]
        here = definitions.layers_here(connection)
        box = standing.scope(connection).box
    for one in known:
        if one.uuid in here and cursor:
            there = {row.uuid: row for row in transport.as_of(key, one.uuid, cursor, Scope(box=box))}
            with project.transaction(relaxed=True) as connection, lenient(connection):
                _compare(connection, one, there)
    with project.door.write(relaxed=True) as connection:
        replica.put(connection, suspect="[]")


def _compare(connection: sqlite3.Connection, known: definitions.Known, there: dict[str, RemoteRow]) -> None:
    layer = next(row for row in registry.read_layers(connection) if row.info.uuid == known.uuid)
    shared, slots = adopting.writer_columns(connection, known), capture.slots(connection, known.table)
    rows = outbox.touched(connection, {known.table: known.since}).get(known.table, {})
    names = [*shared, *([GEOMETRY] if layer.info.geometry != "none" else [])]
    found = connection.execute(f"SELECT fid, {column_list(['uuid', *names])} FROM {quote(known.table)}").fetchall()
    free = -1 - abs(min((row[0] for row in found), default=0))
    gone = there.keys() - {row[1] for row in found} - _moved(rows, slots)
    for fid, uuid, *values in found:
        if fid in rows:
            continue
        if uuid not in there:
            rows[fid] = Edited(False, True)
            continue
        old = _base(layer, there[uuid], shared)
        pairs = zip(names, values, strict=True)
        changed: dict[int, Any] = {slots[name]: old[name] for name, now in pairs if not _alike(name, old[name], now)}
        if changed:
            rows[fid] = Edited(True, True, changed)
    for number, uuid in enumerate(sorted(gone)):
        # Its row is not known any more; any that nobody else has will do.
        lost = {slots[name]: value for name, value in _base(layer, there[uuid], shared).items()}
        rows[free - number] = Edited(True, False, lost | {slots["uuid"]: uuid})
    connection.execute(
        "UPDATE planner_replica_layer SET since = ? WHERE uuid = ?", (outbox.end_of_log(connection), known.uuid)
    )
    outbox.carry(connection, known.table, rows)


def _moved(rows: dict[int, Edited], slots: dict[str, int]) -> set[Any]:
    """Records of the server that are known to be gone, or to be another one here."""
    return {one.old[slots["uuid"]] for one in rows.values() if slots["uuid"] in one.old}


def _base(layer: registry.LayerRow, row: RemoteRow, shared: dict[str, Any]) -> dict[str, Any]:
    values = {name: cells.decode(row.cells.get(field.name), field.type) for name, field in shared.items()}
    if layer.info.geometry != "none":
        shapes: Sequence[bytes | None] = [row.geometry]
        made = prepare(shapes, layer.info.geometry, layer.info.srid, has_z=layer.has_z, multi=layer.multi)
        values[GEOMETRY] = made.blobs[0]
    return values


def _alike(name: str, old: Any, now: Any) -> bool:
    if name == GEOMETRY and isinstance(now, bytes) and isinstance(old, bytes):
        return to_wkb(old) == to_wkb(now)
    return same(old, now)
