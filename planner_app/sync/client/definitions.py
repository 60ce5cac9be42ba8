"""The registry as the server knows it: layers, their fields and styles, plans; and how it differs from the file's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from planner_app.domain.layer import FieldInfo
from planner_app.project import registry, replica
from planner_app.project.schema import REGISTRY
from planner_app.sync.types import DefChange, LayerDef

#: Cells of a layer that everybody shares; place, visibility and opacity are each person's own.
LAYER_CELLS: Final = (
    "name", "plan_id", "role", "class_field", "class_standard", "label_field", "source", "source_crs", "locked",
    "extra", "style",
)  # fmt: skip
PLAN_CELLS: Final = REGISTRY["planner_plan"][1][1:]


@dataclass(frozen=True, slots=True)
class Known:
    """A layer that the server has: its table here (None: not in this file), its definition as of the last sync."""

    uuid: str
    table: str
    definition: LayerDef
    live: bool
    since: int


def layers_here(connection: sqlite3.Connection) -> dict[str, LayerDef]:
    """Definitions of the file's layers by UUID."""
    return {
        row.info.uuid: LayerDef(
            uuid=row.info.uuid, table=row.info.id, geometry=row.info.geometry, has_z=row.has_z, multi=row.multi,
            fields=row.info.fields,
            cells={name: str(getattr(row.info, name)) for name in LAYER_CELLS if hasattr(row.info, name)}
            | {
                "locked": "true" if row.info.locked else "false",
                "extra": registry.extra_text(row.extra),
                "style": registry.read_style(connection, row.info.id),
            },
        )
        for row in registry.read_layers(connection)
    }  # fmt: skip


def plans_here(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Cells of the file's plans by id."""
    rows = connection.execute(f"SELECT id, {', '.join(PLAN_CELLS)} FROM planner_plan ORDER BY fid")
    return {row[0]: dict(zip(PLAN_CELLS, row[1:], strict=True)) for row in rows}


def known_layers(connection: sqlite3.Connection) -> dict[str, Known]:
    """The layers that the server has, by UUID."""
    rows = connection.execute("SELECT uuid, table_name, definition, live, since FROM planner_replica_layer")
    return {row[0]: Known(row[0], row[1], from_json(row[2]), bool(row[3]), row[4]) for row in rows}


def known_plans(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Cells of the plans that the server has, by id."""
    return {row[0]: json.loads(row[1]) for row in connection.execute("SELECT id, cells FROM planner_replica_plan")}


def remember_layer(connection: sqlite3.Connection, layer: LayerDef, table: str, *, live: bool = True) -> None:
    """Remember a layer as the server has it."""
    connection.execute(
        "INSERT INTO planner_replica_layer (uuid, table_name, definition, live) VALUES (?, ?, ?, ?) ON CONFLICT (uuid) "
        "DO UPDATE SET table_name = excluded.table_name, definition = excluded.definition, live = excluded.live",
        (layer.uuid, table, to_json(layer), int(live)),
    )


def remember_plan(connection: sqlite3.Connection, key: str, cells: Mapping[str, str | None]) -> None:
    """Remember a plan as the server has it."""
    connection.execute(
        "INSERT INTO planner_replica_plan VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET cells = excluded.cells",
        (key, replica.to_json(dict(cells))),
    )


def changes(connection: sqlite3.Connection) -> list[DefChange]:
    """What the registry has that the server does not have; plans before the layers that need them."""
    found: list[DefChange] = []
    plans, theirs = plans_here(connection), known_plans(connection)
    for key, cells in plans.items():
        if key not in theirs:
            found.append(DefChange("plan", key, "insert", cells))
        elif changed := {name: value for name, value in cells.items() if value != theirs[key].get(name)}:
            found.append(DefChange("plan", key, "update", changed))
    found += _layer_changes(layers_here(connection), known_layers(connection))
    found += [DefChange("plan", key, "delete") for key in theirs if key not in plans]
    return found


def _layer_changes(here: Mapping[str, LayerDef], known: Mapping[str, Known]) -> list[DefChange]:
    found = []
    for uuid, layer in here.items():
        there = known.get(uuid)
        if there is None or not there.live:
            # One that was retired comes back with the fields it had, and those that were added here since.
            found.append(DefChange("layer", uuid, "insert", layer.cells, layer))
            continue
        cells = {name: value for name, value in layer.cells.items() if value != there.definition.cells.get(name)}
        names = {field.name.casefold() for field in there.definition.fields}
        added = tuple(field for field in layer.fields if field.name.casefold() not in names)
        if cells or added:
            more = replace(layer, fields=added, cells=cells) if added else None
            found.append(DefChange("layer", uuid, "update", cells, more))
    gone = (uuid for uuid, there in known.items() if there.live and there.table and uuid not in here)
    return found + [DefChange("layer", uuid, "delete") for uuid in gone]


def columns(definition: LayerDef, fields: Sequence[FieldInfo]) -> dict[str, FieldInfo]:
    """Columns that server and file have in common: name here → field there. SQLite's names ignore case."""
    there = {field.name.casefold(): field for field in definition.fields}
    pairs = ((field, there.get(field.name.casefold())) for field in fields)
    return {here.name: field for here, field in pairs if field is not None and field.type == here.type}


def to_json(layer: LayerDef) -> str:
    """A layer's definition as the replica keeps it."""
    return replica.to_json(
        {
            "uuid": layer.uuid, "table": layer.table, "geometry": layer.geometry, "has_z": layer.has_z,
            "multi": layer.multi, "fields": [[field.name, field.type, field.alias] for field in layer.fields],
            "cells": dict(layer.cells),
        }
    )  # fmt: skip


def from_json(text: str) -> LayerDef:
    """The definition that :func:`to_json` wrote."""
    values: dict[str, Any] = json.loads(text)
    return LayerDef(**values | {"fields": tuple(FieldInfo(*one) for one in values["fields"])})
