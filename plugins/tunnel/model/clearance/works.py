"""Planned construction near tunnels: which layers hold it, and what a change there means for the zones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.clearance.judge import Settings
from plugins.tunnel.model.clearance.others import is_work, read_others
from plugins.tunnel.model.clearance.tunnels import Tunnels, project_tunnels
from plugins.tunnel.model.clearance.words import words
from plugins.tunnel.model.clearance.zones import Intrusion, intrusions

_ELEMENT = "review.element"


def watched(project: Project, layer: LayerInfo, on: date | None = None) -> bool:
    """True for layers in which somebody draws planned construction: works, reviewed designs, plans in force."""
    if layer.geometry == "none" or (layer.role.startswith("tunnel.") and not is_work(layer)):
        return False
    if layer.role == _ELEMENT or is_work(layer):
        return True
    plan = next((one for one in project.plans() if one.id == layer.plan_id), None)
    if plan is None or layer.role:
        return False
    day = (on or date.today()).isoformat()
    return plan.kind.value in words()["work"]["plans"] and not (plan.valid_to and plan.valid_to < day)


def zones_of(project: Project, rules: Sequence[Rule]) -> Tunnels:
    """The tunnels whose zones are watched."""
    return project_tunnels(project, Settings.of(rules).wall_m)


def near_zones(project: Project, layer: LayerInfo, tunnels: Tunnels, rules: Sequence[Rule]) -> set[int]:
    """Features of a layer whose bounds come near a zone: a look at the index, so that whole layers may be asked for."""
    reach = _reach(rules)
    found: set[int] = set()
    for one in tunnels.items if reach else ():
        west, south, east, north = one.footprint.bounds
        bounds = (west - reach, south - reach, east + reach, north + reach)
        found.update(project.read(layer.id, columns=[], bbox=bounds, geometry=False).fids.tolist())
    return found


def _reach(rules: Sequence[Rule]) -> float:
    return max((float(one.params["reach_m"]) for one in rules if one.kind == "tunnel.zone"), default=0.0)


def touched(
    project: Project, layer: LayerInfo, fids: Sequence[int] | None, tunnels: Tunnels, rules: Sequence[Rule]
) -> list[Intrusion]:
    """What features of a layer (all without ``fids``) mean for the zones: nothing is read of those far away."""
    reach = _reach(rules)
    if not tunnels.items or not reach:
        return []
    elements = layer.role == _ELEMENT and layer.field("role") is not None
    table = project.read(layer.id, columns=["role"] if elements else [], fids=fids)
    if not len(table):
        return []
    shapes = np.array(shapely.from_wkb(table.geometry), object)
    footprint = shapely.union_all([one.footprint for one in tunnels.items])
    shapely.prepare(footprint)
    near = shapely.dwithin(shapes, footprint, reach) & (shapely.area(shapes) <= words()["work"]["most_ha"] * 1e4)
    if elements:
        near &= np.isin([str(role or "") for role in table.columns["role"]], words()["work"]["elements"])
    mine = [int(table.fids[at]) for at in np.flatnonzero(near)]
    return intrusions(read_others(project, layer, mine), tunnels, rules) if mine else []
