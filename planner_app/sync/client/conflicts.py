"""Cells that two people changed: what the file keeps of them, and the person's choice as a command."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import PlanKind
from planner_app.project import Command, Project, Transaction, registry, replica
from planner_app.project.sql import quote
from planner_app.sync.client.merging import shown

#: ``cell``: both changed it, the server's value is shown. ``deleted_here``: deleted here, changed there; it is back.
#: ``deleted_there``: changed here, deleted (or out of reach) there; it was kept. ``layer``, ``plan``: a cell of the
#: registry.
ConflictKind = Literal["cell", "deleted_here", "deleted_there", "layer", "plan"]
Choice = Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell, or a whole record, that waits for a choice.

    Attributes:
        layer: the layer's id here (empty for plans); layer_name: as people read it.
        uuid: of the record (of the layer, id of the plan for the registry); fid: its row here, None if it has none.
        column: the field, ``geom`` for the geometry, empty where the record as a whole is meant.
        base, mine, theirs: values as SQLite stores them, geometries as WKB. ``theirs`` is what the file shows.
        group: conflicts of columns that belong together (floor area and its ratio) have the same number, else 0.
        revision: the server's revision that brought ``theirs``.
    """

    id: int
    kind: ConflictKind
    layer: str
    layer_name: str
    uuid: str
    fid: int | None
    column: str
    base: Any
    mine: Any
    theirs: Any
    group: int
    revision: int


def conflicts(project: Project) -> list[Conflict]:
    """All that wait, in the order they came up."""
    with project.door.read() as connection:
        return [] if not replica.has_tables(connection) else _waiting(connection)


def _waiting(connection: sqlite3.Connection) -> list[Conflict]:
    layers = {row.info.uuid: row.info for row in registry.read_layers(connection)}
    found = []
    for number, kind, layer, uuid, name, *values, bundle, revision in connection.execute(
        "SELECT id, kind, layer, uuid, name, base, mine, theirs, bundle, revision FROM planner_replica_conflict "
        "ORDER BY id"
    ).fetchall():
        info, fid = layers.get(layer), None
        if info is not None and kind != "layer":
            row = connection.execute(f"SELECT fid FROM {quote(info.id)} WHERE uuid = ?", (uuid,)).fetchone()
            fid = row[0] if row else None
        base, mine, theirs = (shown(name, value) for value in values)
        found.append(
            Conflict(
                number, kind, info.id if info else "", info.name if info else "", uuid, fid, name, base, mine, theirs,
                bundle or 0, revision or 0,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class ResolveConflicts(Command):
    """Settle conflicts: keep what the server has, write mine over it, or write edited values (by conflict id).

    With both sides in one choice, it is ``theirs`` and the values are those of mine. The write is a normal edit,
    pushed by the next sync; undoing it brings the conflict back.
    """

    name: ClassVar[str] = "resolve_conflicts"
    ids: tuple[int, ...]
    choice: Choice
    values: Mapping[int, Any] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        return {"count": len(self.ids), "choice": self.choice}

    def apply(self, tx: Transaction) -> None:
        """Write what was chosen.

        Raises:
            PlannerError: ``sync.conflict_unknown`` for one that was settled before, ``sync.record_gone`` where mine
                is to be written into a record that is no longer here; what the edit itself raises.
        """
        waiting = {one.id: one for one in _waiting(tx.connection)}
        for number in self.ids:
            if number not in waiting:
                raise PlannerError("sync.conflict_unknown", conflict=number)
        # Where the record as a whole is deleted, nothing is left to write its cells into.
        deleted = {
            waiting[number].uuid for number in self.ids
            if waiting[number].kind == "deleted_here" and (self.choice == "mine" or number in self.values)
        }  # fmt: skip
        for number in self.ids:
            one = waiting[number]
            if one.kind == "cell" and one.uuid in deleted:
                continue
            if number in self.values or self.choice == "mine":
                self._write_mine(tx, one, self.values.get(number, one.mine))
            elif one.kind == "deleted_there" and one.fid is not None:
                tx.delete(one.layer, [one.fid])
            elif one.kind == "layer" and not one.column and one.layer:
                tx.drop_layer(one.layer)
        replica.settle(tx.connection, self.ids)

    def _write_mine(self, tx: Transaction, one: Conflict, value: Any) -> None:
        if one.kind == "deleted_here" and one.fid is not None:
            tx.delete(one.layer, [one.fid])
        elif one.kind == "cell" and one.fid is None:
            raise PlannerError("sync.record_gone", layer=one.layer_name, uuid=one.uuid)
        elif one.kind == "cell" and one.column == "geom":
            tx.update_geometry(one.layer, {one.fid or 0: value})
        elif one.kind == "cell":
            tx.update(one.layer, [one.fid or 0], {one.column: [value]})
        elif one.kind == "layer" and one.column:
            _set_layer(tx, one, "" if value is None else str(value))
        elif one.kind == "plan" and one.column:
            plan = next(plan for plan in tx.plans() if plan.id == one.uuid)
            cell: Any = PlanKind(value) if one.column == "kind" else value or ""
            tx.set_plan(replace(plan, **{one.column: cell}))


def _set_layer(tx: Transaction, one: Conflict, value: str) -> None:
    if one.column == "style":
        tx.set_style(one.layer, value)
    elif one.column == "extra":
        tx.set_layer(one.layer, **json.loads(value or "{}"))
    else:
        tx.set_layer(one.layer, **{one.column: value == "true" if one.column == "locked" else value})
