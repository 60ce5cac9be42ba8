"""The registry: which layers, fields, plans and styles a project has."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, PlanInfo, PlanKind
from planner_app.project import spatial
from planner_app.project.sql import quote

_LAYER_COLUMNS = (
    "id, uuid, name, geometry, srid, plan_id, role, class_field, class_standard, label_field, position, visible, "
    "opacity, source, source_crs, locked, extra, has_z, multi"
)
#: What SetLayer may change.
SETTABLE = frozenset(
    {"name", "plan_id", "role", "class_field", "class_standard", "label_field", "visible", "opacity", "source",
     "source_crs", "locked"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer with what only the store needs to know: extra registry values and the geometry column's exact type."""

    info: LayerInfo
    extra: dict[str, str]
    has_z: bool
    multi: bool


def read_layers(connection: sqlite3.Connection) -> list[LayerRow]:
    """All layers in drawing order (0 on top)."""
    fields = _fields(connection)
    rows = connection.execute(f"SELECT {_LAYER_COLUMNS} FROM planner_layer ORDER BY position, fid").fetchall()
    layers = []
    for position, r in enumerate(rows):
        info = LayerInfo(
            id=r[0], uuid=r[1], name=r[2], geometry=r[3], srid=r[4], fields=tuple(fields.get(r[0], ())), plan_id=r[5],
            role=r[6], class_field=r[7], class_standard=r[8], label_field=r[9], position=position, visible=bool(r[11]),
            opacity=r[12], source=r[13], source_crs=r[14], locked=bool(r[15]),
        )  # fmt: skip
        layers.append(LayerRow(info, json.loads(r[16]), bool(r[17]), bool(r[18])))
    return layers


def _fields(connection: sqlite3.Connection) -> dict[str, list[FieldInfo]]:
    fields: dict[str, list[FieldInfo]] = {}
    for table, name, kind, alias in connection.execute(
        "SELECT table_name, name, type, alias FROM planner_column WHERE live AND type NOT IN ('uuid', 'geom') "
        "ORDER BY table_name, slot"
    ):
        fields.setdefault(table, []).append(FieldInfo(name, kind, alias))
    return fields


def read_plans(connection: sqlite3.Connection) -> list[PlanInfo]:
    """All plans in the order they were made."""
    rows = connection.execute(
        "SELECT id, kind, name, authority, version, valid_from, valid_to, source FROM planner_plan ORDER BY fid"
    )
    return [PlanInfo(r[0], PlanKind(r[1]), *r[2:]) for r in rows]


def write_plan(connection: sqlite3.Connection, plan: PlanInfo) -> None:
    """Insert a plan, or update the one of that id."""
    values = (
        plan.kind.value, plan.name, plan.authority, plan.version, plan.valid_from, plan.valid_to, plan.source, plan.id,
    )  # fmt: skip
    found = connection.execute(
        "SELECT kind, name, authority, version, valid_from, valid_to, source, id FROM planner_plan WHERE id = ?",
        (plan.id,),
    ).fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO planner_plan (kind, name, authority, version, valid_from, valid_to, source, id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
    elif found != values:
        connection.execute(
            "UPDATE planner_plan SET kind = ?, name = ?, authority = ?, version = ?, valid_from = ?, valid_to = ?, "
            "source = ? WHERE id = ?",
            values,
        )


def read_style(connection: sqlite3.Connection, layer_id: str) -> str:
    """The QML of a layer's default style, as QGIS would pick it; empty if it has none."""
    row = connection.execute(
        "SELECT styleQML FROM layer_styles WHERE f_table_name = ? AND styleQML IS NOT NULL "
        "ORDER BY useAsDefault DESC, update_time DESC, id DESC LIMIT 1",
        (layer_id,),
    ).fetchone()
    return str(row[0]) if row else ""


def write_style(connection: sqlite3.Connection, layer: LayerInfo, qml: str) -> None:
    """Make ``qml`` the layer's default style in ``layer_styles``, where QGIS Desktop finds it."""
    found = connection.execute(
        "SELECT id, styleQML FROM layer_styles WHERE f_table_name = ? "
        "ORDER BY useAsDefault DESC, update_time DESC, id DESC LIMIT 1",
        (layer.id,),
    ).fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, styleSLD, useAsDefault, description, owner) "
            "VALUES (NULL, NULL, ?, ?, ?, ?, NULL, 1, NULL, NULL)",
            (layer.id, "geom" if layer.geometry != "none" else "", layer.name, qml),
        )
    elif found[1] != qml:
        connection.execute(
            "UPDATE layer_styles SET styleQML = ?, styleSLD = NULL, useAsDefault = 1, update_time = CURRENT_TIMESTAMP "
            "WHERE id = ?",
            (qml, found[0]),
        )


def check_layer_values(values: dict[str, Any]) -> dict[str, Any]:
    """Values of registry columns as SQLite takes them; names outside the registry go to ``extra``.

    Raises:
        PlannerError: ``layer.value_wrong`` for an opacity outside 0…1 or an empty name.
    """
    if "opacity" in values and not 0.0 <= float(values["opacity"]) <= 1.0:
        raise PlannerError("layer.value_wrong", key="opacity", value=values["opacity"])
    if "name" in values and not str(values["name"]).strip():
        raise PlannerError("layer.value_wrong", key="name", value=values["name"])
    return {key: int(value) if isinstance(value, bool) else value for key, value in values.items()}


def extra_text(extra: dict[str, str]) -> str:
    """A layer's extra values as the registry stores them."""
    return json.dumps(extra, ensure_ascii=False, sort_keys=True)


def column_differences(connection: sqlite3.Connection, table: str) -> tuple[list[tuple[str, str]], list[str]]:
    """What others did to a layer table's columns: (added as (name, declared type), missing) against the registry."""
    present = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({quote(table)})") if row[1] != "fid"}
    known = [
        row[0] for row in connection.execute("SELECT name FROM planner_column WHERE table_name = ? AND live", (table,))
    ]
    added = [(name, kind) for name, kind in present.items() if name not in known]
    return added, [name for name in known if name not in present]


def adopt_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Take over columns that another program added, dropped or renamed. Returns the added ones.

    A column that went while another came at the same place in the table was renamed and keeps its slot.
    """
    added, missing = column_differences(connection, table)
    if not added and not missing:
        return []
    order = [row[1] for row in connection.execute(f"PRAGMA table_info({quote(table)})") if row[1] != "fid"]
    slots = connection.execute(
        "SELECT name, slot FROM planner_column WHERE table_name = ? AND live ORDER BY slot", (table,)
    ).fetchall()
    if len(added) == len(missing) == 1:
        new, kind = added[0]
        rest = [name for name, _ in slots if name != missing[0]]
        if [name for name in order if name != new] == rest or len(slots) == len(order):
            connection.execute(
                "UPDATE planner_column SET name = ? WHERE table_name = ? AND name = ? AND live",
                (new, table, missing[0]),
            )
            return []
    for name in missing:
        connection.execute("UPDATE planner_column SET live = 0 WHERE table_name = ? AND name = ?", (table, name))
    for name, kind in added:
        add_column_row(connection, table, FieldInfo(name, spatial.field_type(kind)), live=True)
    return [name for name, _ in added]


def add_column_row(connection: sqlite3.Connection, table: str, field: FieldInfo, *, live: bool, kind: str = "") -> int:
    """Register a column in the next free slot of its table. Returns the row's fid."""
    cursor = connection.execute(
        "INSERT INTO planner_column (table_name, slot, name, type, alias, live) VALUES (?, "
        "(SELECT coalesce(max(slot), -1) + 1 FROM planner_column WHERE table_name = ?), ?, ?, ?, ?)",
        (table, table, field.name, kind or field.type, field.alias, int(live)),
    )
    return int(cursor.lastrowid or 0)
