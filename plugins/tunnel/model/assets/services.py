"""Which services reach a parcel: by the service points in it, the lines that end in it or cross it, and the mains in
its street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.register import asset_layers
from plugins.tunnel.model.assets.status import state_of
from plugins.tunnel.model.tables import LINE, SERVICE

#: How far a main may lie from a parcel to count as its street's, m.
REACH = 60.0
#: A service that ends this far before the boundary still serves the parcel, m.
_AT_BOUNDARY = 1.0
#: What people call a parcel's number.
PARCEL_FIELDS = (
    "parcel_no", "parcel", "parcel_id", "地块编号", "地块号", "地块编码", "宗地号", "宗地编号", "dkbh", "dkbm", "zddm",
)  # fmt: skip
#: Kinds a parcel is usually asked about, in order.
WANTED = ("JS", "WS", "YS", "RQ", "DL", "TX", "RL", "ZS")


@dataclass(frozen=True, slots=True)
class Service:
    """A line, service point or tunnel by a parcel.

    Attributes:
        kind: abbreviation of CJJ 61, ``ZH`` for tunnels; how: ``served`` (ends in the parcel or feeds a customer
            there), ``crossing``, ``street`` (a main within reach).
        code: of the line or tunnel; fid, layer_id: its row.
        distance_m: from the parcel's boundary in plan; 0 inside. customers: fed there.
    """

    kind: str
    how: str
    code: str
    layer_id: str
    fid: int
    distance_m: float = 0.0
    dn_mm: int | None = None
    status: str = "in_use"
    customers: int = 0


def parcel_field(layer: LayerInfo) -> str:
    """The field of a layer of areas that holds parcel numbers; empty if none does."""
    if layer.geometry != "polygon":
        return ""
    names = {one.name.casefold(): one.name for one in layer.fields}
    names |= {one.alias.casefold(): one.name for one in layer.fields if one.alias}
    return next((names[name] for name in PARCEL_FIELDS if name in names), "")


def find_parcel(project: Project, parcel: str, layer: str = "") -> tuple[LayerInfo, int, Any]:
    """(layer, fid, polygon) of a parcel by its number; layers of plots before others that only name them.

    Raises:
        PlannerError: ``tunnel.parcel_unknown``, ``layer.unknown``.
    """
    layers = [project.layer(layer)] if layer else project.layers()
    named = [(one, name) for one in layers if (name := parcel_field(one))]
    # A layer that mentions parcels (buildings) has many rows of one number; one of parcels has one.
    found = []
    for one, name in named:
        text = parcel.replace("'", "''")
        rows = project.read(one.id, columns=[], where=f"\"{name}\" = '{text}'", limit=50)
        if len(rows) and rows.geometry[0] is not None:
            found.append((len(rows), one, int(rows.fids[0]), shapely.from_wkb(rows.geometry[0])))
    if not found:
        known = ", ".join(one.name for one, _ in named)
        raise PlannerError("tunnel.parcel_unknown", parcel=parcel, layers=known or "–")
    _, chosen, fid, shape = min(found, key=lambda one: (one[0], -one[3].area))
    return chosen, fid, shape


def services_of(project: Project, shape: Any, reach: float = REACH) -> list[Service]:
    """What serves a polygon in the project's CRS, by kind; of the mains in the street the nearest of each kind."""
    layers = asset_layers(project)
    found: list[Service] = []
    line = layers.get(LINE.id)
    x0, y0, x1, y1 = shape.bounds
    box = (x0 - reach, y0 - reach, x1 + reach, y1 + reach)
    if line is not None:
        found += _lines(project, line, layers.get(SERVICE.id), shape, box, reach)
    tunnel = layers.get("tunnel")
    if tunnel is not None:
        table = project.read(tunnel.id, columns=["code"], bbox=box)
        for fid, code, wkb in zip(table.fids, table.columns["code"], table.geometry, strict=True):
            away = float(shapely.distance(shape, shapely.force_2d(shapely.from_wkb(wkb))))
            if away <= reach:
                found.append(Service("ZH", "street", str(code), tunnel.id, int(fid), away))
    order = {kind: at for at, kind in enumerate((*WANTED, "ZH"))}
    ranks = {"served": 0, "crossing": 1, "street": 2}
    found.sort(key=lambda one: (order.get(_asked(one.kind), 50), ranks[one.how], one.distance_m, one.code))
    return found


def missing(found: Sequence[Service], kinds: Sequence[str] = WANTED[:6]) -> list[str]:
    """Kinds that neither serve the parcel nor lie in its street."""
    there = {_asked(one.kind) for one in found if one.status != "abandoned"}
    return [kind for kind in kinds if kind not in there and not (kind in ("WS", "YS") and {"PS", "HS"} & there)]


def _asked(kind: str) -> str:
    """The kind people ask about: minor kinds stand for their major one; drains and reclaimed water do not."""
    if kind in ("WS", "YS", "HS", "ZS", "ZH"):
        return kind
    return cjj61.KINDS[kind].major if kind in cjj61.KINDS else kind


def _lines(
    project: Project, layer: LayerInfo, points: LayerInfo | None, shape: Any, box: tuple[float, float, float, float],
    reach: float,
) -> list[Service]:  # fmt: skip
    fed = _customers(project, points, shape, box) if points is not None else {}
    names = [name for name in ("code", "network", "kind_code", "dn_mm", "status") if layer.field(name) is not None]
    table = project.read(layer.id, columns=names, bbox=box)
    wide = shape.buffer(_AT_BOUNDARY)
    made: list[Service] = []
    street: dict[str, Service] = {}
    for at, (fid, wkb) in enumerate(zip(table.fids, table.geometry, strict=True)):
        row = {name: values[at] for name, values in table.columns.items()}
        if wkb is None:
            continue
        course = shapely.force_2d(shapely.from_wkb(wkb))
        away = float(shapely.distance(shape, course))
        code = str(row.get("code") or fid)
        customers = fed.get((str(row.get("network") or ""), code), 0)
        if away > reach and not customers:
            continue
        network = str(row.get("network") or "")
        kind = cjj61.kind_of(str(row.get("kind_code") or "")) or cjj61.NETWORKS.get(network, "BM")
        ends = [part for one in shapely.get_parts(course) for part in shapely.get_parts(one.boundary)]
        ends_here = sum(bool(wide.covers(end)) for end in ends)
        how = "served" if customers or ends_here == 1 else "crossing" if away == 0 else "street"
        state = state_of(row.get("status"))
        one = Service(kind, how, code, layer.id, int(fid), away, row.get("dn_mm"), state, customers)
        if how != "street":
            made.append(one)
        elif one.status != "abandoned":
            key = _asked(kind)
            if key not in street or away < street[key].distance_m:
                street[key] = one
    inside = {_asked(one.kind) for one in made if one.how == "served" and one.distance_m == 0}
    made = [one for one in made if one.distance_m == 0 or _asked(one.kind) not in inside]  # its piece before the wall
    return made + list(street.values())


def _customers(
    project: Project, layer: LayerInfo, shape: Any, box: tuple[float, float, float, float]
) -> dict[tuple[str, str], int]:
    """(network, line) → customers of the service points in the polygon."""
    names = [name for name in ("line", "network", "customer_count") if layer.field(name) is not None]
    table = project.read(layer.id, columns=names, bbox=box)
    found: dict[tuple[str, str], int] = {}
    for at, wkb in enumerate(table.geometry):
        if wkb is not None and shape.distance(shapely.from_wkb(wkb)) <= _AT_BOUNDARY:
            row = {name: values[at] for name, values in table.columns.items()}
            key = (str(row.get("network") or ""), str(row.get("line") or ""))
            found[key] = found.get(key, 0) + max(int(row.get("customer_count") or 0), 1)
    return found


def has_networks(project: Project) -> bool:
    """True if the project has lines or tunnels to speak of."""
    return tables.find(project, LINE) is not None or "tunnel" in asset_layers(project)
