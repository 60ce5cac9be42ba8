"""Equipment of tunnels: an optional table; without it only what a compartment must have is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner_app.plugin_api.model import Project
from plugins.tunnel.model.emergency.scene import Device, Values
from plugins.tunnel.model.network.spaces import Spaces
from plugins.tunnel.model.space.load import number, rows, text
from plugins.tunnel.model.tables import find, table_spec

EQUIPMENT = table_spec(
    "equipment",
    "附属设施",
    "point",
    "code kind tunnel compartment m:real fed_by rated_m3h:real status",
)
#: Words of kinds in tables.
_KINDS = {
    "fan": "fan 风机 排风机 送风机", "pump": "pump 水泵 排水泵 潜污泵", "light": "light 照明 灯",
    "fire_door": "fire_door 防火门 常开防火门", "damper": "damper 防火阀 风阀", "camera": "camera 摄像机 摄像头",
    "distribution": "distribution 配电 配电箱 配电柜 变电所", "cover": "cover 井盖",
    "extinguisher": "extinguisher 灭火",
}  # fmt: skip
_BY_WORD = {word: kind for kind, words in _KINDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Item:
    """One piece: ``space``: number of the compartment it stands in, None outside; ``rate``: m³/h."""

    id: str
    kind: str
    space: int | None
    m: float | None
    fed_by: str
    rate: float | None
    xy: tuple[float, float] | None


def load_equipment(project: Project, spaces: Spaces) -> list[Item] | None:
    """The project's equipment and sensors that name their supply; None where it has no table of equipment."""
    if find(project, EQUIPMENT) is None:
        return None
    found = []
    for row in rows(project, EQUIPMENT, geometry=True, extra="zone pump_m3h air_m3h"):
        stated = text(row["kind"]).strip().casefold()
        kind = _BY_WORD.get(stated) or next((k for word, k in _BY_WORD.items() if word in stated), stated)
        place, m = row["shape"], number(row["m"])
        zone = text(row["zone"])
        space = spaces.numbers.get(zone) if zone else spaces.at(text(row["tunnel"]), text(row["compartment"]), m)
        rates = (number(row[name]) for name in ("rated_m3h", "pump_m3h", "air_m3h"))
        xy = None if place is None or place.is_empty else (float(place.centroid.x), float(place.centroid.y))
        rate = next((rate for rate in rates if rate is not None), None)
        found.append(Item(text(row["code"]), kind, space, m, text(row["fed_by"]), rate, xy))
    return found


def act(
    items: list[Item] | None,
    spaces: Spaces,
    where: Iterable[int],
    kind: str,
    action: str,
    values: Values,
    t: float = 0.0,
) -> list[Device]:
    """What equipment of a kind in compartments does. Where none is listed, one is assumed and said so."""
    found = []
    for at in where:
        name = spaces.items[at].id
        listed = [one for one in items or () if one.kind == kind and one.space == at]
        found += [Device(one.id, kind, name, action, t, True, one.xy) for one in listed]
        if not listed:
            values.assume("tunnel.assumed_equipment", kind=kind, known=0 if items is None else 1)
            found.append(Device(f"{name}/{kind}", kind, name, action, t, known=False))
    return found
