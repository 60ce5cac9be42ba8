"""Layers, changes and pushes for tests of carriers."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence

import shapely

from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import NoProgress
from planner_app.sync.transport import Transport
from planner_app.sync.types import (
    Blob,
    DefChange,
    LayerDef,
    Page,
    ProjectDef,
    PushHeader,
    PushResult,
    RemoteRow,
    RowChange,
    Scope,
    Why,
)

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


def live_through(transport: Transport) -> None:
    """Four revisions: pushes, a plan, a layer that came whole, fields added, records that came back, an attachment."""
    project, parcels, came = key(), layer(), layer("came whole")
    transport.register(ProjectDef(project, "Town", "EPSG:4547"))
    a, b, c, keys = key(), key(), key(), [key() for _ in range(20)]
    plan, why = DefChange("plan", "p1", "insert", {"name": "控规"}), (Why("X", "{}", "t", 2),)
    first = [insert(parcels, a, square(0, 0), name="a", far="1.5"), insert(parcels, b, name="b")]
    push(transport, project, first, [plan, new_layer(parcels)], why=why, message="first")
    header = PushHeader(key(), project, "desk", 1, 0, "d")
    transport.stage(header, [new_layer(came)], [], NoProgress())
    whole = [(k, square(n, n), [f"n{n}", n / 3, n, 1, "2024-01-01", None, b"x"]) for n, k in enumerate(keys)]
    transport.stage_layer(header, came, [Page.of(whole)], NoProgress())
    transport.commit(header)
    wider = LayerDef(came.uuid, "came", "polygon", False, True, (*FIELDS, FieldInfo("late", "text")))
    third = [
        update(parcels, a, name="a2"), delete(parcels, b), update(wider, keys[0], far="9.5", late="l"),
        delete(came, keys[1]), insert(came, keys[2], square(7, 7), name="again"), insert(came, c, square(1, 1)),
    ]  # fmt: skip
    push(transport, project, third, [DefChange("layer", came.uuid, "update", {"name": "came"}, wider)])
    fourth = [
        insert(parcels, b, square(3, 3), name="b2"), move(parcels, a, square(5, 5)), delete(came, c),
        insert(came, keys[1], square(9, 9)), update(parcels, key(), name="refused"),
    ]  # fmt: skip
    assert push(transport, project, fourth).revision == 4
    name = hashlib.sha256(b"drawing").hexdigest()
    transport.put_piece(project, name, 0, b"drawing")
    transport.finish_blob(project, Blob(name, "x.dwg", "", 7, 1))
