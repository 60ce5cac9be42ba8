"""The layers of a project that hold tunnels and pipes: found by role or table id, made when first needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, Geometry, LayerInfo, NewLayer, PlanInfo
from planner_app.plugin_api.model import Project, Transaction
from plugins.tunnel.model.field_names import fields_of


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


def table_spec(id: str, name: str, geometry: Geometry, columns: str, label_field: str = "code") -> TableSpec:
    """A kind of record with its columns written as :func:`fields_of` reads them."""
    return TableSpec(id, name, geometry, fields_of(id, columns), label_field)


NODE = table_spec(
    "net_node", "管点", "point", "code network feature_code ground_z:real source:boolean kind demand:real status"
)
LINE = table_spec(
    "net_line", "管线", "line",
    "code network kind_code from_node to_node shape dn_mm:integer material laying z_ref z1:real z2:real depth1:real "
    "depth2:real rating cables:integer status year:integer length_m:real closed:boolean owner source deviation_m:real",
)  # fmt: skip
VALVE = table_spec(
    "valve", "阀门", "point",
    "code node line network type normally_open:boolean is_open:boolean operable:boolean last_exercised:date "
    "dn_mm:integer",
)  # fmt: skip
SERVICE = table_spec(
    "service_point", "用户点", "point", "code line node network customer_count:integer critical:boolean name"
)
EVENT = table_spec("asset_event", "资产履历", "none", "asset_table asset code was now by time note source")


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
