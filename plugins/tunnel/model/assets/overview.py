"""What the assets' page shows: tunnels with what belongs to them, networks, and rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.adopt import CasePipes, waiting_cases
from plugins.tunnel.model.assets.joining import by_case, propose
from plugins.tunnel.model.assets.register import Statistics, asset_layers, statistics
from plugins.tunnel.model.assets.status import Event, history, state_of

#: What belongs to a tunnel, in the order of the tree.
PARTS = ("tunnel_section", "compartment", "fire_zone", "net_line", "tunnel_node", "sensor", "equipment", "support")
_ROW = (
    "code", "name", "kind", "kind_code", "network", "type", "dn_mm", "material", "status", "year", "built_year",
    "owner", "tunnel", "section", "compartment", "m", "from_m", "to_m", "customer_count", "length_m",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TunnelItem:
    """A tunnel and how many rows of each table belong to it."""

    code: str
    name: str
    fid: int
    km: float
    status: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NetworkItem:
    """A network: its name, the kind of most of its lines, km and lines."""

    name: str
    kind: str
    km: float
    lines: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows before something is chosen. ``joins``: by case, how many ends of its adopted pipes
    could be joined to the city's networks."""

    layers: Mapping[str, LayerInfo] = field(default_factory=dict)
    statistics: Statistics | None = None
    tunnels: Sequence[TunnelItem] = ()
    networks: Sequence[NetworkItem] = ()
    waiting: Sequence[CasePipes] = ()
    joins: Mapping[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """True if the project has neither tunnels nor networks."""
        return not any(table in self.layers for table in ("tunnel", "net_line"))


@dataclass(frozen=True, slots=True)
class AssetRow:
    """A row of a table of assets. ``kind``: abbreviation of CJJ 61 for lines, else as stated; ``length`` in m."""

    table: str
    layer_id: str
    fid: int
    code: str
    kind: str
    size: str
    material: str
    status: str
    year: int | None
    length: float | None
    place: str
    m: float | None
    owner: str


@dataclass(frozen=True, slots=True)
class Details:
    """One asset: its row, cells by column, history, and the section it lies in (of what has a place in a tunnel)."""

    row: AssetRow
    values: Mapping[str, Any]
    events: Sequence[Event]
    section: str = ""
    tunnel: str = ""


def read_overview(project: Project) -> Overview:
    """The overview; cheap enough for every change."""
    layers = asset_layers(project)
    waiting = [one for one in waiting_cases(project) if one.waiting]
    if not layers:
        return Overview(layers, waiting=waiting)
    stats = statistics(project)
    joins = by_case(propose(project))
    return Overview(layers, stats, _tunnels(project, layers), _networks(project, layers), waiting, joins)


def _tunnels(project: Project, layers: Mapping[str, LayerInfo]) -> list[TunnelItem]:
    layer = layers.get("tunnel")
    if layer is None:
        return []
    owner = _members(project, layers)
    counts = {table: Counter(names.values()) for table, names in owner.items()}
    names = [name for name in ("code", "name", "status") if layer.field(name) is not None]
    table = project.read(layer.id, columns=names)
    km = np.nan_to_num(shapely.length(shapely.from_wkb(table.geometry))) / 1000 if len(table) else []
    made = []
    for at, fid in enumerate(table.fids):
        row = {name: values[at] for name, values in table.columns.items()}
        code = str(row.get("code") or fid)
        there = {name: counts[name][code] for name in PARTS if name in counts and counts[name][code]}
        made.append(TunnelItem(code, str(row.get("name") or ""), int(fid), float(km[at]), state_of(row.get("status")),
                               there))  # fmt: skip
    return made


def _members(project: Project, layers: Mapping[str, LayerInfo]) -> dict[str, dict[int, str]]:
    """Table → fid → code of the tunnel a row belongs to."""

    def cells(layer: LayerInfo, name: str) -> list[tuple[int, str]]:
        if layer.field(name) is None:
            return []
        found = project.read(layer.id, columns=[name], geometry=False)
        return [(int(fid), str(value)) for fid, value in zip(found.fids, found.columns[name], strict=True) if value]

    of_section: dict[str, str] = {}
    sections = layers.get("tunnel_section")
    if sections is not None and sections.field("tunnel") is not None and sections.field("code") is not None:
        found = project.read(sections.id, columns=["code", "tunnel"], geometry=False)
        of_section = {str(c): str(t) for c, t in zip(found.columns["code"], found.columns["tunnel"], strict=True)}
    members: dict[str, dict[int, str]] = {}
    for table in PARTS:
        layer = layers.get(table)
        if layer is None:
            continue
        direct = cells(layer, "tunnel")
        by_section = [(fid, of_section.get(code, "")) for fid, code in cells(layer, "section")]
        members[table] = dict(direct or by_section)
    line = layers.get("net_line")
    placed = next((one for one in project.layers() if one.role == "tunnel.line_placement"), None)
    placed = placed or next((one for one in project.layers() if one.id == "line_placement"), None)
    if line is not None and placed is not None:
        found = project.read(placed.id, columns=["line", "section"], geometry=False)
        pairs = zip(found.columns["line"], found.columns["section"], strict=True)
        where = {str(code): of_section.get(str(section), "") for code, section in pairs}
        members["net_line"] = {fid: where[code] for fid, code in cells(line, "code") if code in where}
    return members


def _networks(project: Project, layers: Mapping[str, LayerInfo]) -> list[NetworkItem]:
    layer = layers.get("net_line")
    if layer is None or layer.field("network") is None:
        return []
    names = [name for name in ("network", "kind_code") if layer.field(name) is not None]
    table = project.read(layer.id, columns=names)
    km = np.nan_to_num(shapely.length(shapely.from_wkb(table.geometry))) / 1000 if len(table) else []
    kinds: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    codes = table.columns.get("kind_code", [None] * len(table))
    for name, code, length in zip(table.columns["network"], codes, km, strict=True):
        key = str(name or "")
        kinds.setdefault(key, Counter())[cjj61.kind_of(str(code or "")) or cjj61.NETWORKS.get(key, "BM")] += 1
        total[key] += float(length)  # type: ignore[assignment]
    made = [
        NetworkItem(key, kinds[key].most_common(1)[0][0], float(total[key]), sum(kinds[key].values())) for key in kinds
    ]
    return sorted(made, key=lambda one: -one.km)


def rows_of(
    project: Project, table: str, *, tunnel: str = "", network: str | None = None, fids: Sequence[int] | None = None
) -> list[AssetRow]:
    """Rows of a table: all, those of a tunnel, or those of a network."""
    layers = asset_layers(project)
    layer = layers.get(table)
    if layer is None:
        return []
    if tunnel:
        members = _members(project, layers).get(table, {})
        fids = [fid for fid, code in members.items() if code == tunnel]
    names = [name for name in _ROW if layer.field(name) is not None]
    lines = layer.geometry == "line"
    found = project.read(layer.id, columns=names, fids=fids, geometry=lines)
    length = np.nan_to_num(shapely.length(shapely.from_wkb(found.geometry))) if lines and len(found) else None
    made = []
    for at, fid in enumerate(found.fids):
        row = {name: values[at] for name, values in found.columns.items()}
        if network is None or str(row.get("network") or "") == network:
            made.append(_row(table, layer.id, int(fid), row, None if length is None else float(length[at])))
    return made


def _row(table: str, layer_id: str, fid: int, row: Mapping[str, Any], length: float | None) -> AssetRow:
    kind = str(row.get("kind_code") or row.get("type") or row.get("kind") or "")
    network = str(row.get("network") or "")
    if table == "net_line":
        kind = cjj61.kind_of(kind) or cjj61.NETWORKS.get(network, "") or "BM"
    size = f"DN{row['dn_mm']}" if row.get("dn_mm") else ""
    m = row.get("m") if row.get("m") is not None else row.get("from_m")
    place = str(row.get("tunnel") or row.get("section") or network)
    year = row.get("year") or row.get("built_year")
    return AssetRow(
        table, layer_id, fid, str(row.get("code") or fid), kind, size, str(row.get("material") or ""),
        state_of(row.get("status")) if "status" in row else "", int(year) if year else None, length,
        place, float(m) if m is not None else None, str(row.get("owner") or ""),
    )  # fmt: skip


def read_details(project: Project, table: str, fid: int) -> Details | None:
    """Everything about one asset; None if it is gone."""
    rows = rows_of(project, table, fids=[fid])
    if not rows:
        return None
    layer = asset_layers(project)[table]
    names = [one.name for one in layer.fields if one.type != "blob"]
    cells = project.read(layer.id, columns=names, fids=[fid], geometry=False).columns
    values = {name: column[0] for name, column in cells.items()}
    section, tunnel = str(values.get("section") or ""), str(values.get("tunnel") or "")
    if table in ("tunnel", "tunnel_section"):
        section, tunnel = (rows[0].code, tunnel) if table == "tunnel_section" else ("", rows[0].code)
    elif table == "net_line":
        section = _placed(project, rows[0].code)
    return Details(rows[0], values, history(project, layer.id, fid), section, tunnel)


def _placed(project: Project, line: str) -> str:
    """The section a line is placed in; empty if it is buried."""
    placed = next((one for one in project.layers() if one.role == "tunnel.line_placement"), None)
    placed = placed or next((one for one in project.layers() if one.id == "line_placement"), None)
    if placed is None:
        return ""
    quoted = line.replace("'", "''")
    found = project.read(placed.id, columns=["section"], where=f"\"line\" = '{quoted}'", geometry=False, limit=1)
    return str(found.columns["section"][0] or "") if len(found) else ""
