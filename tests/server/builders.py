"""Layers, changes and pushes for tests of carriers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

import shapely

from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import NoProgress
from planner_app.sync.transport import Transport
from planner_app.sync.types import DefChange, LayerDef, PushHeader, PushResult, RemoteRow, RowChange, Scope

Connect = Callable[[str], Transport]
ALL = Scope()
FIELDS = (
    FieldInfo("name", "text", "名称"), FieldInfo("far", "real"), FieldInfo("floors", "integer"),
    FieldInfo("approved", "boolean"), FieldInfo("since", "date"), FieldInfo("seen", "datetime"),
    FieldInfo("raw", "blob"),
)  # fmt: skip


def square(x: float, y: float, size: float = 10.0) -> bytes:
    """A MultiPolygon as WKB."""
    return bytes(shapely.to_wkb(shapely.MultiPolygon([shapely.box(x, y, x + size, y + size)]), byte_order=1))


def layer(table: str = "parcel", fields: Sequence[FieldInfo] = FIELDS, **cells: str) -> LayerDef:
    kind = cells.pop("geometry", "polygon")
    return LayerDef(
        str(uuid.uuid4()), table, kind, False, kind != "none", tuple(fields), {"name": table, "role": ""} | cells
    )  # type: ignore[arg-type]


def new_layer(of: LayerDef) -> DefChange:
    return DefChange("layer", of.uuid, "insert", dict(of.cells), of)


def insert(of: LayerDef, key: str, geometry: bytes | None = None, **cells: str | None) -> RowChange:
    return RowChange(of.uuid, key, "insert", cells, geometry, geometry is not None)


def update(of: LayerDef, key: str, **cells: str | None) -> RowChange:
    return RowChange(of.uuid, key, "update", cells)


def move(of: LayerDef, key: str, geometry: bytes | None) -> RowChange:
    return RowChange(of.uuid, key, "update", {}, geometry, True)


def delete(of: LayerDef, key: str) -> RowChange:
    return RowChange(of.uuid, key, "delete")


def key() -> str:
    return str(uuid.uuid4())


def push(
    transport: Transport,
    project: str,
    rows: Sequence[RowChange] = (),
    definitions: Sequence[DefChange] = (),
    *,
    seen: int | None = None,
    push_id: str = "",
    **more: object,
) -> PushResult:
    """Stage and commit; ``seen``: the head if not said."""
    at = transport.head(project).revision if seen is None else seen
    header = PushHeader(push_id or key(), project, "desk-1", at, len(rows), key(), **more)  # type: ignore[arg-type]
    transport.stage(header, definitions, rows, NoProgress())
    return transport.commit(header)


def changes(transport: Transport, project: str, of: LayerDef, after: int, scope: Scope = ALL) -> dict[str, RemoteRow]:
    with transport.pull(project, after) as state:
        return {row.uuid: row for row in state.changes(of.uuid, scope)}


def rows(transport: Transport, project: str, of: LayerDef, scope: Scope = ALL) -> dict[str, RemoteRow]:
    with transport.pull(project, 0) as state:
        return {row.uuid: row for row in state.rows(of.uuid, scope)}
