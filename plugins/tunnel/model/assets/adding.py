"""A new asset by hand: what is known of its place, and the row as one step to undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets.edit import check_code
from plugins.tunnel.model.emergency.equipment import EQUIPMENT
from plugins.tunnel.model.space.tables import TUNNEL_NODE
from plugins.tunnel.model.tables import NODE, SERVICE, VALVE, TableSpec

#: Assets that stand at one point. Lines come with surveys and drawings, sensors with their readings.
ADDABLE: dict[str, TableSpec] = {one.id: one for one in (TUNNEL_NODE, EQUIPMENT, NODE, VALVE, SERVICE)}
#: How far a click may be from the node that a valve or a customer hangs on, m.
_NODE_REACH = 5.0


def known_of(project: Project, table: str, x: float, y: float) -> dict[str, Any]:
    """What the place says of a new asset: tunnel and chainage, or the pipe node it stands at; a valve is open."""
    found: dict[str, Any] = {}
    names = {one.name for one in ADDABLE[table].fields}
    if "tunnel" in names:
        from plugins.tunnel.model.operation.places import Places

        near = Places(project).nearest(x, y)
        if near is not None:
            found |= {"tunnel": near[0], "m": near[1]}
    if "node" in names:
        found |= _node_at(project, x, y)
    return found | {name: True for name in ("normally_open", "is_open", "operable") if name in names}


def _node_at(project: Project, x: float, y: float) -> dict[str, Any]:
    import shapely

    layer = tables.find(project, NODE)
    if layer is None or layer.field("code") is None:
        return {}
    names = [name for name in ("code", "network") if layer.field(name) is not None]
    box = (x - _NODE_REACH, y - _NODE_REACH, x + _NODE_REACH, y + _NODE_REACH)
    there = project.read(layer.id, columns=names, bbox=box)
    away = [float(one) for one in shapely.distance(shapely.from_wkb(there.geometry), shapely.Point(x, y))]
    if not away or min(away) > _NODE_REACH:
        return {}
    at = away.index(min(away))
    return {"node" if name == "code" else name: there.columns[name][at] for name in names}


@dataclass(frozen=True)
class AddAsset(Command):
    """A new row of one of :data:`ADDABLE`, in use.

    Attributes:
        values: by column; wkb: a point in the project's CRS.

    Raises:
        PlannerError: ``tunnel.code_empty``, ``tunnel.code_taken``; what the table refuses.
    """

    name: ClassVar[str] = "tunnel_add_asset"
    table: str
    values: Mapping[str, Any]
    wkb: bytes

    def params(self) -> dict[str, Any]:
        return {"layer": self.table, "code": str(self.values.get("code") or "")}

    def apply(self, tx: Transaction) -> None:
        spec = ADDABLE[self.table]
        layer = tables.ensure(tx, spec, tuple(self.values))
        check_code(tx, layer, self.values)
        status = {"status": "in_use"} if layer.field("status") is not None else {}
        columns = {name: [value] for name, value in (status | dict(self.values)).items()}
        tx.insert(layer.id, Batch([self.wkb], columns))
