"""The register of assets: its tables, finding an asset by its code or a place by its chainage, statistics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.status import STATES, state_of
from plugins.tunnel.model.tables import LINE

#: Tables of assets in the order of a tree, and the prefix of ids on the command line.
ASSETS = (
    "tunnel", "tunnel_section", "compartment", "fire_zone", "tunnel_node", "net_line", "net_node", "valve",
    "service_point", "sensor", "equipment", "support",
)  # fmt: skip
_PREFIX = {"net_line": "line", "net_node": "node", "tunnel_section": "section", "service_point": "service"}
_STATION = re.compile(r"(?:^|(?<=\s))[Kk]?\s*(\d+)\s*\+\s*(\d+(?:\.\d+)?)|(?:^|(?<=\s))[Kk](\d+(?:\.\d+)?)(?=\s|$)")
#: What the QR code of an asset's label begins with, before its UUID.
LABEL = "planner:asset/"
#: Parts of other assets, not counted by state.
_PARTS = ("tunnel_section", "net_node", "support")
_BANDS = (10, 20, 30, 50)
_MOST = 60


@dataclass(frozen=True, slots=True)
class Found:
    """An asset, or a place along a tunnel (``m`` set, the tunnel's row). ``xy``: where, in the project's CRS."""

    table: str
    layer_id: str
    fid: int
    code: str
    name: str = ""
    m: float | None = None
    xy: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        """``line:GX00012``, as the command line writes it."""
        return f"{_PREFIX.get(self.table, self.table)}:{self.code}"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Lengths in km by what a line is; counts of the other tables.

    ``by_kind`` etc.: (key, km, lines), longest first; ages in years at a day.
    """

    tunnel_km: float
    line_km: float
    lines: int
    by_kind: tuple[tuple[str, float, int], ...]
    by_material: tuple[tuple[str, float, int], ...]
    by_status: tuple[tuple[str, float, int], ...]
    by_age: tuple[tuple[str, float, int], ...]
    by_owner: tuple[tuple[str, float, int], ...]
    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)


def asset_layers(project: Project) -> dict[str, LayerInfo]:
    """Table → layer of the assets a project has, in order; found by role, else by the table's id."""
    layers = project.layers()
    by_role = {one.role: one for one in reversed(layers)}
    by_id = {one.id: one for one in layers}
    found = {name: by_role.get(f"tunnel.{name}") or by_id.get(name) for name in ASSETS}
    return {name: layer for name, layer in found.items() if layer is not None}


def parse_place(text: str) -> tuple[str, float] | None:
    """(tunnel or section, metres) in ``GL01 K1+250``, ``K1+250 GL01``, ``GL01 1+250``; None if there is no chainage."""
    found = _STATION.search(text)
    if found is None:
        return None
    m = float(found[1]) * 1000 + float(found[2]) if found[1] is not None else float(found[3])
    rest = (text[: found.start()] + " " + text[found.end() :]).replace(",", " ").strip()
    return rest, m


def search(project: Project, text: str, limit: int = _MOST) -> list[Found]:
    """Assets whose code or name fits, best first: exact, beginning so, containing it; or a place by its chainage.

    What a scanned label says finds its asset.

    Raises:
        PlannerError: ``tunnel.chainage_outside`` if a chainage lies beyond its tunnel.
    """
    wanted = text.strip()
    if not wanted:
        return []
    layers = asset_layers(project)
    if wanted.startswith(LABEL):
        return _labelled(project, layers, wanted.removeprefix(LABEL))
    place = parse_place(wanted)
    if place is not None and "tunnel" in layers:
        return _places(project, layers, *place)
    prefix, colon, rest = wanted.partition(":")
    only = next((name for name in ASSETS if colon and prefix in (name, _PREFIX.get(name))), "")
    wanted = rest if only else wanted
    folded = wanted.casefold()
    ranked: list[tuple[int, int, str, Found]] = []
    for order, (table, layer) in enumerate(layers.items()):
        names = [name for name in ("code", "name") if layer.field(name) is not None]
        if not names or table == "support" or table != (only or table):
            continue
        like = " OR ".join(f"\"{name}\" LIKE '%{_escaped(wanted)}%' ESCAPE '\\'" for name in names)
        found = project.read(layer.id, columns=names, where=like, geometry=False, limit=400)
        cells = [found.columns.get(name, [None] * len(found)) for name in ("code", "name")]
        for fid, code, name in zip(found.fids, *cells, strict=True):
            texts = [str(one or "").casefold() for one in (code, name)]
            rank = 0 if folded in texts else 1 if any(one.startswith(folded) for one in texts) else 2
            shown = str(code or name or fid)
            ranked.append((rank, order, shown, Found(table, layer.id, int(fid), shown, str(name or ""))))
    ranked.sort(key=lambda one: one[:3])
    return [one for *_, one in ranked[:limit]]


def _escaped(text: str) -> str:
    return _quoted(text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_"))


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _labelled(project: Project, layers: dict[str, LayerInfo], uuid: str) -> list[Found]:
    for table, layer in layers.items():
        names = [name for name in ("code", "name") if layer.field(name) is not None]
        row = project.read(layer.id, columns=names, where=f"uuid = '{_quoted(uuid.lower())}'", geometry=False)
        if len(row):
            code, name = (str(row.columns[one][0] or "") if one in names else "" for one in ("code", "name"))
            return [Found(table, layer.id, int(row.fids[0]), code or name or str(row.fids[0]), name)]
    return []


def _places(project: Project, layers: dict[str, LayerInfo], where: str, m: float) -> list[Found]:
    from plugins.tunnel.model.space.load import load_tunnel

    layer = layers["tunnel"]
    found = project.read(layer.id, columns=["code"], geometry=False)
    codes = {str(code): int(fid) for fid, code in zip(found.fids, found.columns["code"], strict=True)}
    named = [code for code in codes if where and (code.casefold() == where.casefold() or where.startswith(f"{code}-"))]
    made, spans = [], []
    for code in named or ([] if where else codes):
        axis = load_tunnel(project, code).axis
        low, high = axis.ends
        spans.append(f"{code} {low:.0f}–{high:.0f} m")
        if low - 0.01 <= m <= high + 0.01:
            x, y, _ = axis.at(m)
            made.append(Found("tunnel", layer.id, codes[code], code, "", m, (x, y)))
    if not made and spans:
        raise PlannerError("tunnel.chainage_outside", m=m, spans="; ".join(spans))
    return made


def find_one(project: Project, reference: str) -> Found:
    """The asset that ``line:GX00012`` or a code alone names.

    Raises:
        PlannerError: ``tunnel.asset_unknown``, ``tunnel.asset_ambiguous``.
    """
    kind, _, code = reference.partition(":") if ":" in reference else ("", "", reference)
    table = next((name for name in ASSETS if kind in (name, _PREFIX.get(name))), "")
    found = [one for one in search(project, code) if one.code == code and (not kind or one.table == table)]
    if not found:
        raise PlannerError("tunnel.asset_unknown", id=reference)
    if len(found) > 1:
        raise PlannerError("tunnel.asset_ambiguous", id=reference, known=", ".join(one.id for one in found))
    return found[0]


def place_of(project: Project, layer_id: str, fid: int) -> tuple[float, float, float, float] | None:
    """Extent of an asset; None if it has no shape."""
    table = project.read(layer_id, columns=[], fids=[fid])
    if not len(table) or table.geometry[0] is None:
        return None
    x0, y0, x1, y1 = shapely.from_wkb(table.geometry[0]).bounds
    return float(x0), float(y0), float(x1), float(y1)


def statistics(project: Project, on: date | None = None) -> Statistics:
    """Kilometres of tunnels and lines by kind, material, state, age and owner; assets by state."""
    layers = asset_layers(project)
    counts = {name: project.count(layer.id) for name, layer in layers.items()}
    states = dict.fromkeys(STATES, 0)
    for name, layer in layers.items():
        if name not in _PARTS and layer.field("status") is not None:
            values = project.read(layer.id, columns=["status"], geometry=False).columns["status"]
            for value in values:
                states[state_of(value)] += 1
    tunnel_km = _lengths(project, layers["tunnel"]).sum() / 1000 if "tunnel" in layers else 0.0
    line = layers.get(LINE.id)
    if line is None:
        return Statistics(float(tunnel_km), 0.0, 0, (), (), (), (), (), counts, states)
    names = ["kind_code", "network", "material", "status", "year", "owner"]
    _, found = tables.columns(project, line, names)
    km = _lengths(project, line) / 1000
    kinds = [
        cjj61.kind_of(str(kind or "")) or cjj61.NETWORKS.get(str(network or ""), "") or "BM"
        for kind, network in zip(found["kind_code"], found["network"], strict=True)
    ]
    year = (on or date.today()).year
    return Statistics(
        float(tunnel_km), float(km.sum()), len(km),
        _shares(kinds, km),
        _shares([str(one or "") for one in found["material"]], km),
        _shares([state_of(one) for one in found["status"]], km),
        tuple(sorted(_shares([age_band(one, year) for one in found["year"]], km), key=lambda one: one[0] or "~")),
        _shares([str(one or "") for one in found["owner"]], km),
        counts, states,
    )  # fmt: skip


def _lengths(project: Project, layer: LayerInfo) -> Any:
    """Length of every row in plan, m; 0 without a shape."""
    shapes = shapely.from_wkb(project.read(layer.id, columns=[]).geometry)
    return np.nan_to_num(shapely.length(shapes)) if len(shapes) else np.zeros(0)


def _shares(keys: Sequence[str], km: Any) -> tuple[tuple[str, float, int], ...]:
    if not keys:
        return ()
    names, number = np.unique(np.array(keys, dtype=object), return_inverse=True)

    length = np.bincount(number, km, minlength=len(names))
    count = np.bincount(number, minlength=len(names))
    rows = [(str(name), float(length[at]), int(count[at])) for at, name in enumerate(names)]
    return tuple(sorted(rows, key=lambda one: -one[1]))


def age_band(year: Any, now: int) -> str:
    """A line's band of ages ``00–9``, ``10–19`` … ``50–``; empty where the year is not known."""
    if not isinstance(year, int) or not 1800 < year <= now:
        return ""
    age = now - year
    lower = max([0, *(one for one in _BANDS if one <= age)])
    upper = next((one for one in _BANDS if one > age), None)
    return f"{lower:02d}–{upper - 1}" if upper else f"{lower}–"
