"""Changing and deleting assets, each as one step to undo, with what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Command, Transaction
from plugins.tunnel.model.assets import cjj61

#: Who names an asset by its code: table of the asset → (other table, its column).
_REFERENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "net_node": (("net_line", "from_node"), ("net_line", "to_node"), ("valve", "node"), ("service_point", "node")),
    "net_line": (("valve", "line"), ("service_point", "line"), ("line_placement", "line")),
    "tunnel": (("tunnel_section", "tunnel"), ("tunnel_node", "tunnel"), ("sensor", "tunnel"), ("fire_zone", "tunnel")),
    "tunnel_section": (("compartment", "section"), ("support", "section"), ("line_placement", "section")),
}
#: What goes with a line; everything else keeps what it hangs on from being deleted.
_GOES_WITH = {("net_line", "line_placement"), ("net_line", "valve"), ("net_line", "service_point")}
#: Choices of columns, as CJJ 61 words them; other values stay possible.
CHOICES: dict[str, tuple[str, ...]] = {
    "kind_code": tuple(cjj61.KINDS),
    "material": cjj61.MATERIALS,
    "laying": cjj61.LAYING,
    "z_ref": ("top", "invert", "axis", "bottom"),
}


@dataclass(frozen=True)
class EditAsset(Command):
    """Set cells of one asset; a changed code is changed where others name it, too.

    Raises:
        PlannerError: ``tunnel.code_taken``, ``tunnel.code_empty``; what the table refuses.
    """

    name: ClassVar[str] = "tunnel_edit_asset"
    layer_id: str
    fid: int
    values: Mapping[str, Any]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "fields": ", ".join(self.values)}

    def apply(self, tx: Transaction) -> None:
        layer = tx.layer(self.layer_id)
        if "code" in self.values:
            self._rename(tx, layer, str(self.values["code"] or "").strip())
        tx.update(layer.id, [self.fid], {name: [value] for name, value in self.values.items()})

    def _rename(self, tx: Transaction, layer: LayerInfo, code: str) -> None:
        names = ["code", *(["network"] if layer.field("network") is not None else [])]
        mine = tx.read(layer.id, columns=names, fids=[self.fid], geometry=False).columns
        old, network = mine["code"][0], mine.get("network", [""])[0]
        if not code:
            raise PlannerError("tunnel.code_empty", id=old or self.fid)
        if code == old:
            return
        check_code(tx, layer, {"code": code, "network": network})
        for there, column, fids in _references(tx, layer, [(str(old), network)]):
            tx.update(there.id, fids, {column: [code] * len(fids)})


def check_code(tx: Transaction, layer: LayerInfo, values: Mapping[str, Any]) -> None:
    """Refuse a new row's code that is empty or that another one of its network has.

    Raises:
        PlannerError: ``tunnel.code_empty``, ``tunnel.code_taken``.
    """
    code, network = str(values.get("code") or "").strip(), values.get("network") or ""
    if not code:
        raise PlannerError("tunnel.code_empty", id=layer.name)
    names = [name for name in ("code", "network") if layer.field(name) is not None]
    there = tx.read(layer.id, columns=names, geometry=False).columns
    networks = there.get("network") or [""] * len(there["code"])
    if (code, network) in {(str(one), other or "") for one, other in zip(there["code"], networks, strict=True)}:
        raise PlannerError("tunnel.code_taken", id=code)


@dataclass(frozen=True)
class DeleteAssets(Command):
    """Delete assets; placements, valves and service points of a line go with it.

    Raises:
        PlannerError: ``tunnel.asset_used`` where something else hangs on one.
    """

    name: ClassVar[str] = "tunnel_delete_assets"
    layer_id: str
    fids: Sequence[int]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "count": len(self.fids)}

    def apply(self, tx: Transaction) -> None:
        layer = tx.layer(self.layer_id)
        names = [name for name in ("code", "network") if layer.field(name) is not None]
        found = tx.read(layer.id, columns=names, fids=list(self.fids), geometry=False)
        networks = found.columns.get("network", [""] * len(found))
        keys = [(str(code), network) for code, network in zip(found.columns.get("code", []), networks, strict=False)]
        table = _table_of(layer)
        for there, _, fids in _references(tx, layer, keys):
            if (table, _table_of(there)) not in _GOES_WITH:
                used = ", ".join(code for code, _ in keys[:3])
                raise PlannerError("tunnel.asset_used", id=used, layer=there.name, count=len(fids))
            tx.delete(there.id, fids)
        tx.delete(layer.id, list(self.fids))


def _table_of(layer: LayerInfo) -> str:
    return layer.role.removeprefix("tunnel.") if layer.role.startswith("tunnel.") else layer.id


def _references(
    tx: Transaction, layer: LayerInfo, keys: Sequence[tuple[str, Any]]
) -> list[tuple[LayerInfo, str, list[int]]]:
    """(layer, column, fids) of rows that name one of the assets (code, network)."""
    layers = {_table_of(one): one for one in tx.layers()}
    found = []
    for table, column in _REFERENCES.get(_table_of(layer), ()):
        there = layers.get(table)
        if there is None or there.field(column) is None:
            continue
        by_network = there.field("network") is not None
        rows = tx.read(there.id, columns=[column, *(["network"] if by_network else [])], geometry=False)
        networks = rows.columns["network"] if by_network else [None] * len(rows)
        wanted = set(keys) if by_network else {(code, None) for code, _ in keys}
        fids = [
            int(fid)
            for fid, code, network in zip(rows.fids, rows.columns[column], networks, strict=True)
            if code is not None and (str(code), network) in wanted
        ]
        if fids:
            found.append((there, column, fids))
    return found
