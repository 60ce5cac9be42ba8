"""What goes to the server: the edits since the last push, checked record by record; wrong ones are held back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from planner_app.domain.layer import FieldInfo
from planner_app.project import replica
from planner_app.project.geometry import to_wkb
from planner_app.project.identity import is_uuid
from planner_app.project.sql import quote
from planner_app.sync.client import definitions, outbox, standing
from planner_app.sync.client.judging import Wrong, cell, geometry_faults
from planner_app.sync.client.outbox import Record
from planner_app.sync.types import GEOMETRY, DefChange, LayerDef, Rights, RowChange, Why

#: Commands named in a push; older ones are summed up by the file's own log.
_MOST_WHY: Final = 200
_MOST_PARAMS: Final = 2000


@dataclass(frozen=True, slots=True)
class Held:
    """A record (or, without a UUID, a layer's definition) that is not sent, and why."""

    layer: str
    uuid: str
    fid: int | None
    code: str
    params: Mapping[str, object]
    seq: int
    refused: bool = False


@dataclass(slots=True)
class Freeze:
    """All that goes out in one push, as of one state of the file.

    Attributes:
        seq: end of the log then. whole: layers that the server does not know, sent with all their rows.
        became: the registry as the server has it once it took the push, as JSON for the file.
    """

    seq: int
    definitions: list[DefChange] = field(default_factory=list)
    whole: list[LayerDef] = field(default_factory=list)
    rows: list[RowChange] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    why: tuple[Why, ...] = ()
    became: str = "{}"

    @property
    def empty(self) -> bool:
        """Nothing to send."""
        return not (self.definitions or self.rows)


def freeze(connection: sqlite3.Connection) -> Freeze:
    """Work out a push; the connection must read one state of the file (a transaction is open)."""
    made = Freeze(outbox.end_of_log(connection))
    refused, allowed = _refused(connection), standing.rights(connection)
    made.definitions = [
        one
        for one in definitions.changes(connection)
        if not _still_refused(refused, one, made) and not _not_allowed(allowed, one, made)
    ]
    here, known = definitions.layers_here(connection), definitions.known_layers(connection)
    for change in made.definitions:
        if change.kind == "layer" and change.operation == "insert" and change.layer and change.key not in known:
            made.whole.append(change.layer)
    waiting = standing.to_compare(connection)
    sendable = {
        one.table: one
        for uuid, one in known.items()
        if uuid in here and one.table and (uuid, "") not in refused and (uuid not in waiting or not _may(allowed, uuid))
    }
    added = {change.key: change.layer.fields for change in made.definitions if change.layer and change.key in known}
    edited = outbox.touched(connection, {table: one.since for table, one in sendable.items()})
    for table, one in sendable.items():
        rows = edited.get(table, {})
        new = [item for item in added.get(one.uuid, ()) if item not in one.definition.fields]
        outbox.backfill(connection, table, rows, [item.name for item in new])
        if rows:
            layer = replace(one.definition, table=table, fields=(*one.definition.fields, *new))
            if not _may(allowed, one.uuid):
                made.held += [
                    Held(
                        one.uuid, key, record.fid, "sync.no_right", {"layer": here[one.uuid].cells["name"]}, record.seq
                    )
                    for key, record in outbox.records(connection, table, rows).items()
                ]
                continue
            _layer_rows(connection, made, layer, here[one.uuid], outbox.records(connection, table, rows), refused)
    made.why = _why(connection, outbox.acked(connection), made.seq)
    made.became = became(made.definitions, here)
    return made


def became(changes: Sequence[DefChange], here: Mapping[str, LayerDef]) -> str:
    """What is to be remembered of the registry once the server took these changes."""
    return json.dumps(
        [
            [one.kind, one.key, one.operation, dict(one.cells), _definition(one, here), fingerprint(one)]
            for one in changes
        ],
        ensure_ascii=False,
    )


def _definition(change: DefChange, here: Mapping[str, LayerDef]) -> str:
    return definitions.to_json(here[change.key]) if change.kind == "layer" and change.key in here else ""


def _refused(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[int, str, dict[str, object]]]:
    """What the server refused: (log row, code, params) by layer and record."""
    rows = connection.execute("SELECT layer, uuid, seq, code, params FROM planner_replica_quarantine WHERE refused")
    return {(row[0], row[1]): (row[2], row[3], json.loads(row[4])) for row in rows}


def _still_refused(
    refused: Mapping[tuple[str, str], tuple[int, str, dict[str, object]]], change: DefChange, made: Freeze
) -> bool:
    """True for a definition that the server refused as it is, unless it is to be tried again."""
    held = refused.get((change.key, ""))
    if held is None or held[0] < 0 or held[2].get("_change") != fingerprint(change):
        return False
    made.held.append(Held(change.key, "", None, held[1], held[2], held[0], refused=True))
    return True


def _may(allowed: Rights | None, layer: str) -> bool:
    """May records of a layer be sent?"""
    right = allowed.layers.get(layer) if allowed is not None else None
    return right is None or right.write


def _not_allowed(allowed: Rights | None, change: DefChange, made: Freeze) -> bool:
    """True for a definition that the server would refuse: it need not be asked."""
    if allowed is None:
        return False
    right = allowed.layers.get(change.key)
    if change.kind == "plan":
        fine = allowed.role in ("planner", "admin")
    else:
        fine = allowed.add_layers if right is None else right.write and right.columns is None
    if not fine:
        name = change.cells.get("name") or change.key
        made.held.append(Held(change.key, "", None, "sync.no_right", {"layer": name}, made.seq))
    return not fine


def fingerprint(change: DefChange) -> str:
    """Tells whether a definition is still the one that was refused."""
    names = [item.name for item in change.layer.fields] if change.layer else []
    text = replica.to_json([change.kind, change.key, change.operation, dict(change.cells), names])
    return hashlib.sha256(text.encode()).hexdigest()


def _twice(connection: sqlite3.Connection, table: str, uuids: Sequence[str]) -> set[str]:
    """Identities that several rows have."""
    rows = connection.execute(
        f"SELECT uuid FROM {quote(table)} WHERE uuid IN (SELECT value FROM json_each(?)) GROUP BY uuid "
        "HAVING count(*) > 1",
        (replica.to_json(uuids),),
    )
    return {row[0] for row in rows}


def _layer_rows(
    connection: sqlite3.Connection,
    made: Freeze,
    layer: LayerDef,
    here: LayerDef,
    records: Mapping[str, Record],
    refused: Mapping[tuple[str, str], tuple[int, str, dict[str, object]]],
) -> None:
    columns = definitions.columns(layer, here.fields)
    for name in (one.name for one in here.fields if one.name not in columns):
        made.held.append(Held(layer.uuid, "", None, "sync.field_type", {"field": name}, made.seq))
    faults = geometry_faults({r.uuid: r.mine[GEOMETRY] for r in records.values() if r.mine.get(GEOMETRY) is not None})
    twice = _twice(connection, layer.table, [record.uuid for record in records.values() if not record.known])
    for key, record in records.items():
        before = refused.get((layer.uuid, record.uuid))
        if before is not None and record.seq <= before[0]:
            made.held.append(Held(layer.uuid, record.uuid, record.fid, before[1], before[2], before[0], refused=True))
            continue
        try:
            if key != record.uuid or record.uuid in twice:
                raise Wrong("sync.uuid_twice", uuid=record.uuid)
            change = _row(layer.uuid, record, columns, faults)
        except Wrong as wrong:
            made.held.append(Held(layer.uuid, key, record.fid, wrong.code, wrong.params, record.seq))
            continue
        if change is not None:
            made.rows.append(change)


def _row(
    layer: str, record: Record, columns: Mapping[str, FieldInfo], faults: Mapping[str, tuple[str, str]]
) -> RowChange | None:
    """A record's change as it travels; None if nothing of it is the server's business.

    Raises:
        Wrong: why it is held back.
    """
    if not is_uuid(record.uuid):
        raise Wrong("sync.uuid_wrong", uuid=record.uuid)
    if record.fid is None:
        return RowChange(layer, record.uuid, "delete")
    if record.uuid in faults:
        code, detail = faults[record.uuid]
        raise Wrong(code, detail=detail)
    texts = {columns[name].name: cell(columns[name], value) for name, value in record.mine.items() if name in columns}
    blob = record.mine.get(GEOMETRY)
    wkb = None if blob is None else to_wkb(blob)
    if not record.known:
        texts = {name: text for name, text in texts.items() if text is not None}
        return RowChange(layer, record.uuid, "insert", texts, wkb, wkb is not None)
    if not texts and GEOMETRY not in record.mine:
        return None
    return RowChange(layer, record.uuid, "update", texts, wkb, GEOMETRY in record.mine)


def _why(connection: sqlite3.Connection, after: int, upto: int) -> tuple[Why, ...]:
    """The commands behind a push, oldest first."""
    rows = connection.execute(
        "SELECT command, params, time, rows FROM planner_txn WHERE last_seq > ? AND first_seq <= ? "
        "AND origin NOT IN (?, ?) ORDER BY id DESC LIMIT ?",
        (after, upto, replica.SYNC, replica.MERGE, _MOST_WHY),
    ).fetchall()
    return tuple(Why(c, p if len(p) <= _MOST_PARAMS else "{}", t, n) for c, p, t, n in reversed(rows))


def digest(changes: Iterable[DefChange], rows: Iterable[RowChange]) -> str:
    """SHA-256 over what is sent, so that a push that arrives in part is never taken for the whole."""
    found = hashlib.sha256()
    for one in changes:
        found.update(replica.to_json([one.kind, one.key, one.operation, dict(one.cells)]).encode())
    for row in rows:
        found.update(f"{row.layer} {row.uuid} {row.operation} {row.cells!r}".encode())
        found.update(row.geometry or b"")
    return found.hexdigest()
