"""What goes dead when a distribution point fails: everything it feeds, and what that feeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner_app.plugin_api.model import Project
from plugins.tunnel.model.emergency.equipment import Item
from plugins.tunnel.model.emergency.scene import Device, Values
from plugins.tunnel.model.monitoring.sensors import SENSOR
from plugins.tunnel.model.network.spaces import Spaces
from plugins.tunnel.model.space.load import number, rows, text


@dataclass(frozen=True, slots=True)
class Dead:
    """Equipment and sensors without power, and the compartments they stand in."""

    devices: list[Device]
    spaces: list[int]


def dead(
    project: Project, spaces: Spaces, items: Sequence[Item] | None, roots: Sequence[str], at: int, values: Values
) -> Dead:
    """Trace the supply from some points (codes of equipment or power lines).

    Without roots, a whole compartment loses power and what its boards feed elsewhere; where nothing says what feeds
    what, everything in the compartment of the root does (told as an assumption).
    """
    sensors = _sensors(project, spaces)
    every = [*(items or ()), *sensors]
    inside = [one for one in every if one.space == at and one.id not in roots]
    reached = set(roots) or {one.id for one in inside}
    grown = True
    while grown:
        more = {one.id for one in every if one.fed_by in reached} - reached
        grown = bool(more)
        reached |= more
    fed = [one for one in every if one.id in reached - set(roots)]
    named = {one.id for one in every}
    if not fed or not (roots or any(one.fed_by in named for one in inside)):
        values.assume("tunnel.assumed_supply", zone=spaces.items[at].id)
        fed = fed or inside
    elif not any(one.fed_by for one in sensors):
        values.assume("tunnel.assumed_sensor_supply")
        rooms = {one.space for one in fed}
        fed += [one for one in sensors if one.space in rooms and one not in fed]
    devices = [_device(one, spaces) for one in fed if one.kind not in ("fire_door", "cover")]
    if items is None:
        for kind in ("fan", "pump"):
            values.assume("tunnel.assumed_equipment", kind=kind, known=0)
            name = spaces.items[at].id
            devices.append(Device(f"{name}/{kind}", kind, name, "dead", known=False))
    return Dead(devices, sorted({one.space for one in fed if one.space is not None}))


def _device(one: Item, spaces: Spaces) -> Device:
    zone = "" if one.space is None else spaces.items[one.space].id
    return Device(one.id, one.kind, zone, "dead", 0.0, True, one.xy)


def _sensors(project: Project, spaces: Spaces) -> list[Item]:
    found = []
    for row in rows(project, SENSOR, geometry=True):
        m, place = number(row["m"]), row["shape"]
        space = spaces.at(text(row["tunnel"]), text(row["compartment"]), m)
        xy = None if place is None or place.is_empty else (float(place.x), float(place.y))
        found.append(Item(text(row["code"]), "sensor", space, m, text(row["fed_by"]), None, xy))
    return found
