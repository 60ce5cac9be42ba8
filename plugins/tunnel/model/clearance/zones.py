"""Works inside the protection and control zones of tunnels: what they need, and where the tunnel is watched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from planner_app.domain.rule import Rule
from plugins.tunnel.model.clearance.others import Others
from plugins.tunnel.model.clearance.tunnels import Tunnel, Tunnels


@dataclass(frozen=True, slots=True)
class Watched:
    """A monitoring point: chainage (m) and place on the tunnel's axis."""

    m: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Intrusion:
    """One work in one tunnel's zone.

    Attributes:
        distance: from the tunnel's outer face in plan, m (0: over or under it).
        depth: of the work, m; NaN: not known. below_floor: how far its bottom lies below the tunnel's lower face (m).
        from_m, to_m: chainage beside the part of the work that lies in the zone.
        approvals, quantities: ids worded as ``tunnel.need_<id>`` and ``tunnel.watch_<id>``.
        assumed: the tunnel's method is not known and the zone of open cut was taken.
    """

    feature: str
    name: str
    layer: str
    tunnel: Tunnel
    zone: str
    rule: Rule
    distance: float
    depth: float
    below_floor: float
    method: str
    from_m: float
    to_m: float
    approvals: tuple[str, ...]
    quantities: tuple[str, ...]
    spacing: float
    points: tuple[Watched, ...]
    assumed: bool


def intrusions(work: Others, tunnels: Tunnels, rules: Sequence[Rule]) -> list[Intrusion]:
    """Features of a layer inside zones, each in the narrowest zone that it touches."""
    found = []
    for number, tunnel in enumerate(tunnels.items):
        zones = _zones(tunnel, rules)
        if not zones or not len(work.shapes):
            continue
        distance = np.maximum(shapely.distance(work.shapes, tunnel.footprint) - work.radius, 0.0)
        for at in np.flatnonzero(distance <= zones[-1].params["reach_m"]).tolist():
            rule = next(one for one in zones if distance[at] <= one.params["reach_m"])
            found.append(_intrusion(work, at, tunnels, number, rule, float(distance[at])))
    return sorted(found, key=lambda one: (one.rule.params["reach_m"], one.distance))


def _zones(tunnel: Tunnel, rules: Sequence[Rule]) -> list[Rule]:
    """Zones of a tunnel, the narrowest first; a city's rule stands in place of the national one of its zone."""
    method = tunnel.method or "open_cut"
    by_zone: dict[str, Rule] = {}
    for rule in sorted((one for one in rules if one.kind == "tunnel.zone"), key=lambda one: bool(one.city)):
        methods = rule.params.get("methods")
        if methods is None or method in methods:
            by_zone[rule.params["zone"]] = rule
    return sorted(by_zone.values(), key=lambda one: float(one.params["reach_m"]))


def _intrusion(work: Others, at: int, tunnels: Tunnels, number: int, rule: Rule, distance: float) -> Intrusion:
    tunnel, params = tunnels.items[number], rule.params
    # The faces of a round pile are drawn a hair too near to its middle.
    wide = params["reach_m"] + 1e-6 + 0.01 * float(work.radius[at])
    shape = shapely.buffer(work.shapes[at], work.radius[at]) if work.radius[at] else work.shapes[at]
    inside = shapely.intersection(shape, shapely.buffer(tunnel.footprint, wide))
    beside = [tunnel.measured.locate(x, y)[0] for x, y in shapely.get_coordinates(inside).tolist()]
    low, high = (min(beside), max(beside)) if beside else (math.nan, math.nan)
    spacing = float(params["monitoring_spacing_m"])
    return Intrusion(
        work.ids[at], work.names[at], work.layer.name, tunnel, params["zone"], rule, distance, float(work.depth[at]),
        _below(tunnels, number, inside, float(work.bottom[at])), work.methods[at], low, high,
        tuple(params["approvals"]), tuple(params["monitoring"]), spacing, _points(tunnel, low, high, spacing),
        tunnel.method is None,
    )  # fmt: skip


def _below(tunnels: Tunnels, number: int, inside: Any, bottom: float) -> float:
    """How far a work's bottom lies below the lower face of the tunnel beside it; negative: above it; NaN: not known."""
    rows = np.flatnonzero(tunnels.bodies.owner == number)
    if math.isnan(bottom) or not len(rows):
        return math.nan
    nearest = rows[int(np.argmin(shapely.distance(tunnels.bodies.plan[rows], inside)))]
    place = shapely.get_coordinates(shapely.centroid(inside)).reshape(-1, 2)
    return float(tunnels.bodies.under(np.array([nearest]), place)[0]) - bottom


def _points(tunnel: Tunnel, low: float, high: float, spacing: float) -> tuple[Watched, ...]:
    """Evenly along the axis from a spacing before to a spacing behind the work, within the tunnel."""
    if math.isnan(low):
        return ()
    begin, end = tunnel.measured.ends
    first, last = max(low - spacing, begin), min(high + spacing, end)
    count = max(2, math.ceil((last - first) / spacing - 1e-9) + 1)
    return tuple(Watched(m, *tunnel.measured.at(m)[:2]) for m in np.linspace(first, last, count).tolist())
