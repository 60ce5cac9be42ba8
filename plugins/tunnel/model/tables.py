"""The layers of a project that hold tunnels and pipes: found by role or table id, made when first needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, Geometry, LayerInfo, NewLayer, PlanInfo
from planner_app.plugin_api.model import Project, Transaction


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One kind of record. ``id`` is the table's id and, behind ``tunnel.``, the layer's role."""

    id: str
    name: str
    geometry: Geometry
    fields: tuple[FieldInfo, ...]
    label_field: str = "code"

    @property
    def role(self) -> str:
        """Role of the layer."""
        return f"tunnel.{self.id}"


def _fields(text: str) -> tuple[FieldInfo, ...]:
    """``code:text dn_mm:integer`` as fields."""
    return tuple(FieldInfo(name, kind) for name, _, kind in (part.partition(":") for part in text.split()))  # type: ignore[arg-type]


NODE = TableSpec(
    "net_node",
    "管点",
    "point",
    _fields("code:text network:text feature_code:text ground_z:real source:boolean kind:text demand:real status:text"),
)
LINE = TableSpec(
    "net_line",
    "管线",
    "line",
    _fields(
        "code:text network:text kind_code:text from_node:text to_node:text shape:text dn_mm:integer material:text "
        "laying:text z_ref:text z1:real z2:real depth1:real depth2:real rating:text cables:integer status:text "
        "year:integer length_m:real closed:boolean owner:text source:text deviation_m:real"
    ),
)
VALVE = TableSpec(
    "valve",
    "阀门",
    "point",
    _fields(
        "code:text node:text line:text network:text type:text normally_open:boolean is_open:boolean operable:boolean "
        "last_exercised:date dn_mm:integer"
    ),
)
SERVICE = TableSpec(
    "service_point",
    "用户点",
    "point",
    _fields("code:text line:text node:text network:text customer_count:integer critical:boolean name:text"),
)
EVENT = TableSpec(
    "asset_event",
    "资产履历",
    "none",
    _fields("asset_table:text asset:text code:text was:text now:text by:text time:text note:text source:text"),
)


def find(project: Project | Transaction, spec: TableSpec) -> LayerInfo | None:
    """The project's layer of a kind: by role, else by table id."""
    layers = project.layers()
    by_role = next((layer for layer in layers if layer.role == spec.role), None)
    return by_role or next((layer for layer in layers if layer.id == spec.id), None)


def need(project: Project, spec: TableSpec) -> LayerInfo:
    """The layer of a kind.

    Raises:
        PlannerError: ``tunnel.no_table`` if the project has none.
    """
    layer = find(project, spec)
    if layer is None:
        raise PlannerError("tunnel.no_table", id=spec.id)
    return layer


def ensure(tx: Transaction, spec: TableSpec, wanted: Sequence[str] = ()) -> LayerInfo:
    """The layer of a kind within a transaction: made if missing, with the fields ``wanted`` added to an old one."""
    layer = find(tx, spec)
    if layer is None:
        from plugins.tunnel.model.assets.styles import class_field, style_of

        return tx.create_layer(
            NewLayer(
                spec.name, spec.geometry, spec.fields, role=spec.role, label_field=spec.label_field,
                class_field=class_field(spec), qml=style_of(spec), has_z=spec.geometry != "none", plan=plan_of(tx),
            ),
            table=spec.id,
        )  # fmt: skip
    for info in spec.fields:
        if info.name in wanted and layer.field(info.name) is None:
            tx.add_field(layer.id, info)
    return tx.layer(layer.id)


def plan_of(tx: Transaction) -> PlanInfo | None:
    """The plan that the project's tunnels and pipes stand under in the layer panel; None where they have none."""
    mine = (layer.plan_id for layer in tx.layers() if layer.plan_id and _ours(layer))
    wanted = next(mine, "")
    return next((plan for plan in tx.plans() if plan.id == wanted), None)


def _ours(layer: LayerInfo) -> bool:
    return layer.role.startswith("tunnel.") or layer.id in ("tunnel", NODE.id, LINE.id)


def columns(project: Project | Transaction, layer: LayerInfo, names: Sequence[str]) -> tuple[Any, dict[str, list[Any]]]:
    """(fids, columns by name) of a layer; a field that the layer lacks is all None."""
    there = [name for name in names if layer.field(name) is not None]
    table = project.read(layer.id, columns=there, geometry=False)
    missing: list[Any] = [None] * len(table)
    return table.fids, {name: table.columns.get(name, missing) for name in names}
