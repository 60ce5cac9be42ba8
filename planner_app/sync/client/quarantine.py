"""Records that do not go out: refused by the server, or no value of their column's type. The others go."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final, Literal

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldType
from planner_app.project import Command, Project, Transaction, registry, replica
from planner_app.project.geometry import to_wkb
from planner_app.project.identity import new_uuids
from planner_app.project.sql import quote
from planner_app.sync.client import definitions, outbox
from planner_app.sync.client.adopting import discard_definition
from planner_app.sync.client.writing import lenient

#: ``clear``: empty the cell; ``convert``: write the value the column's type makes of it; ``repair``: make the geometry
#: valid; ``discard``: take the record back to what the server has; ``retry``: send it once more with the next push.
Fix = Literal["clear", "convert", "repair", "discard", "retry"]
#: In place of the log row that a record is compared with: the next push looks at it in any case.
AGAIN: Final = -1


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record held back.

    Attributes:
        layer: the layer's id here (empty for plans); layer_name: as people read it.
        uuid, fid: the record (the layer's or plan's own for the registry); fid None: it was deleted here.
        code, params: why, as a coded message (``sync.wrong_value``, ``sync.refused_district`` …).
        refused: the server refused it (else it never was sent). whole: the layer's or plan's definition is meant.
        fixes: what can be done with one click; editing the record is always the other way.
        again: a fix was chosen: the next sync tries again.
    """

    id: int
    layer: str
    layer_name: str
    uuid: str
    fid: int | None
    code: str
    params: Mapping[str, str]
    refused: bool
    fixes: tuple[Fix, ...]
    whole: bool = False
    again: bool = False


def quarantine(project: Project) -> list[Quarantined]:
    """All records held back."""
    with project.door.read() as connection:
        return [] if not replica.has_tables(connection) else _held(connection)


def _held(connection: sqlite3.Connection) -> list[Quarantined]:
    layers = {row.info.uuid: row.info for row in registry.read_layers(connection)}
    found = []
    for number, layer, uuid, fid, code, params, refused, seq in connection.execute(
        "SELECT id, layer, uuid, fid, code, params, refused, seq FROM planner_replica_quarantine ORDER BY id"
    ):
        info = layers.get(layer)
        values = {key: value for key, value in json.loads(params).items() if not key.startswith("_")}
        values |= {"layer": info.name if info else layer}
        found.append(
            Quarantined(
                number, info.id if info else "", info.name if info else "", uuid.split(" ")[0] or layer, fid, code,
                values, bool(refused), _fixes(code, bool(refused), bool(uuid)), not uuid, seq == AGAIN,
            )
        )  # fmt: skip
    return found


def _fixes(code: str, refused: bool, record: bool) -> tuple[Fix, ...]:
    if not record:
        return ("retry", "discard") if refused else () if code == "sync.field_type" else ("discard",)
    if refused:
        return ("retry", "discard")
    return _BY_CODE.get(code, ("discard",))


_BY_CODE: Final[dict[str, tuple[Fix, ...]]] = {
    "sync.wrong_value": ("convert", "clear", "discard"),
    "sync.wrong_geometry": ("repair", "clear", "discard"),
    "sync.not_finite": ("clear", "discard"),
    "sync.uuid_twice": ("repair", "discard"),
    "sync.uuid_wrong": ("repair", "discard"),
}


@dataclass(frozen=True)
class FixQuarantined(Command):
    """Apply a fix to records held back; a normal edit (``retry`` writes nothing)."""

    name: ClassVar[str] = "fix_quarantined"
    ids: tuple[int, ...]
    fix: Fix

    def params(self) -> dict[str, Any]:
        return {"count": len(self.ids), "fix": self.fix}

    def apply(self, tx: Transaction) -> None:
        """Write the fix.

        Raises:
            PlannerError: ``sync.no_fix`` where this one does not help, ``sync.quarantine_unknown``,
                ``sync.record_gone`` for a record that was deleted meanwhile.
        """
        held = {one.id: one for one in _held(tx.connection)}
        for number in self.ids:
            one = held.get(number)
            if one is None:
                raise PlannerError("sync.quarantine_unknown", record=number)
            if self.fix not in one.fixes:
                raise PlannerError("sync.no_fix", layer=one.layer_name, fix=self.fix)
            tx.connection.execute("UPDATE planner_replica_quarantine SET seq = ? WHERE id = ?", (AGAIN, number))
            if self.fix == "discard" and one.whole:
                discard_definition(tx.connection, one.uuid)
            elif self.fix == "discard":
                _discard(tx.connection, one)
            elif self.fix != "retry" and one.fid is not None:
                with lenient(tx.connection):
                    _mend(tx, one, one.fid, self.fix)


def _mend(tx: Transaction, one: Quarantined, fid: int, fix: Fix) -> None:
    table = quote(one.layer)
    if not tx.connection.execute(f"SELECT 1 FROM {table} WHERE fid = ?", (fid,)).fetchone():
        raise PlannerError("sync.record_gone", layer=one.layer_name, uuid=one.uuid)
    if one.code.startswith("sync.uuid"):
        tx.connection.execute(f"UPDATE {table} SET uuid = ? WHERE fid = ?", (new_uuids(1)[0], fid))
    elif one.code == "sync.wrong_value":
        column = tx.layer(one.layer).field(one.params["field"])
        if column is None:
            raise PlannerError("sync.no_fix", layer=one.layer_name, fix=fix)
        (value,) = tx.connection.execute(f"SELECT {quote(column.name)} FROM {table} WHERE fid = ?", (fid,)).fetchone()
        tx.update(one.layer, [fid], {column.name: [None if fix == "clear" else converted(value, column.type)]})
    elif fix == "clear":
        tx.update_geometry(one.layer, {fid: None})
    else:
        (blob,) = tx.connection.execute(f"SELECT geom FROM {table} WHERE fid = ?", (fid,)).fetchone()
        tx.update_geometry(one.layer, {fid: _repaired(blob, one)})


def converted(value: Any, kind: FieldType) -> Any:
    """What a column's type makes of a value of another; None if nothing."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\x00", "").strip()
    try:
        if kind == "integer":
            number = float(text)
            return round(number) if abs(number) < 2**53 else int(text)
        if kind == "real":
            return float(text)
        if kind == "boolean":
            folded = text.casefold()
            return 1 if folded in _TRUE else 0 if folded in _FALSE else None
        if kind == "date":
            parts = [int(part) for part in re.split(r"[-/.年月日\sT:]+", text) if part][:3]
            return date(*parts).isoformat() if len(parts) == 3 else None
        return text.encode() if kind == "blob" else text
    except (ValueError, OverflowError):
        return None


_TRUE: Final = frozenset({"1", "1.0", "true", "t", "yes", "y", "是", "真"})
_FALSE: Final = frozenset({"0", "0.0", "false", "f", "no", "n", "否", "假"})


def _repaired(blob: Any, one: Quarantined) -> bytes | None:
    """A geometry whose rings are closed and whose lines are long enough."""
    import shapely

    try:
        shape = shapely.from_wkb(to_wkb(blob), on_invalid="fix")
    except (shapely.errors.GEOSException, PlannerError, TypeError, ValueError) as error:
        raise PlannerError("sync.no_fix", layer=one.layer_name, fix="repair") from error
    return None if shape is None else bytes(shapely.to_wkb(shape, flavor="iso"))


def _discard(connection: sqlite3.Connection, one: Quarantined) -> None:
    """Take a record back to what the server has; no right is needed for that."""
    known = next((k for k in definitions.known_layers(connection).values() if k.table == one.layer), None)
    if known is None:
        if one.fid is not None:
            connection.execute(f"DELETE FROM {quote(one.layer)} WHERE fid = ?", (one.fid,))
        return
    with lenient(connection):
        rows = outbox.touched(connection, {known.table: known.since}).get(known.table, {})
        records = outbox.records(connection, known.table, rows)
        record = next(
            (r for r in records.values() if (r.uuid == one.uuid and r.fid == one.fid) or (r.fid and r.fid == one.fid)),
            None,
        )
    if record is None:
        return
    if not record.known or one.code == "sync.refused_gone":
        connection.execute(f"DELETE FROM {quote(one.layer)} WHERE fid = ?", (record.fid,))
    elif record.fid is None:
        values = {"fid": record.fids[0], "uuid": record.uuid, **record.base}
        names = ", ".join(quote(name) for name in values)
        connection.execute(
            f"INSERT INTO {quote(one.layer)} ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
        )
    else:
        assignments = ", ".join(f"{quote(name)} = ?" for name in record.base)
        connection.execute(
            f"UPDATE {quote(one.layer)} SET {assignments} WHERE fid = ?", (*record.base.values(), record.fid)
        )
