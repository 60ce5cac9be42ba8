"""Replays an emergency on the graph of compartments, pipes and equipment.

A screening (初判): every value that is not the standard's is listed as an assumption.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.emergency import power
from plugins.tunnel.model.emergency.equipment import Item, act, load_equipment
from plugins.tunnel.model.emergency.exits import Ways
from plugins.tunnel.model.emergency.flood import fill
from plugins.tunnel.model.emergency.leak import leak, outflow, pressure_mpa
from plugins.tunnel.model.emergency.scene import Device, Event, Scene, Values, WayOut, Zone
from plugins.tunnel.model.network.reach import HAZARDS, Graph
from plugins.tunnel.model.space.load import lines_of, number, text

KINDS = ("leak", "fire", "flood", "power")
_GAS_ROOMS = ("燃气", "天然气", "gas")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where it happens: a compartment, perhaps a line or a piece of equipment in it."""

    space: int
    line: int | None = None
    item: Item | None = None


@dataclass(slots=True)
class _Stage:
    """What every kind of emergency works with."""

    project: Project
    graph: Graph
    values: Values
    items: list[Item] | None
    ways: Ways
    at: str
    rate: float | None

    def name(self, space: int) -> str:
        """Id of a compartment."""
        return self.graph.spaces.items[space].id

    def held(self, space: int, kinds: frozenset[str]) -> list[int]:
        """Lines of some kinds in a compartment."""
        loaded = self.graph.loaded
        codes = self.graph.spaces.lines.get(space, ())
        return [n for n in self.graph.line_numbers(codes) if loaded is not None and loaded.line_kinds[n] in kinds]

    def codes(self, lines: Sequence[int]) -> list[str]:
        """Codes of lines."""
        return [self.graph.loaded.line_codes[line] for line in lines] if self.graph.loaded else []

    def valves(self, lines: Sequence[int]) -> tuple[str, ...]:
        """Valves that cut lines."""
        loaded = self.graph.loaded
        if loaded is None:
            return ()
        places = [("line", n) for n in lines if loaded.line_networks[n] in self.graph.valved]
        return self.graph.segments.isolate_all(places, alternatives=False).close if places else ()

    def exits(self, spaces: Sequence[int], closed: Sequence[int]) -> list[WayOut]:
        """Ways out of compartments."""
        return [self.ways.out(space, closed) for space in dict.fromkeys(spaces)]

    def scene(
        self, kind: str, events: list[Event], zones: list[Zone], devices: list[Device], exits: list[WayOut], **more: Any
    ) -> Scene:
        """The answer."""
        events.sort(key=lambda one: one.t)
        values = sorted(self.values.used.values(), key=lambda one: (one.clause == "", one.id))
        return Scene(
            kind, self.at, events, zones, devices, exits, tuple(self.values.assumed), values, self.graph.notes,
            duration=max((one.t for one in events), default=0.0), **more,
        )  # fmt: skip


def replay(
    project: Project,
    kind: str,
    at: str,
    rules: Sequence[Rule],
    *,
    rate: float | None = None,
    graph: Graph | None = None,
) -> Scene:
    """Replay an emergency.

    Args:
        kind: leak | fire | flood | power.
        at: ``compartment:ID``, ``zone:ID``, ``sensor:ID``, ``equipment:ID``, ``line:ID`` or ``node:ID`` in a tunnel, or
            a bare id.
        rules: those in force; their ``tunnel.emergency_value`` are used.
        rate: of the gas or water that comes in, m³/h; without it from the pipe there.

    Raises:
        PlannerError: ``tunnel.no_spaces``, ``tunnel.emergency_outside``, ``tunnel.emergency_unknown``,
            ``tunnel.emergency_rate``, ``tunnel.emergency_not_gas``, ``tunnel.space_unmeasured``.
    """
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise PlannerError("tunnel.emergency_rate", rate=rate)
    graph = graph or Graph(project)
    if not graph.spaces.items:
        raise PlannerError("tunnel.no_spaces")
    values = Values(rules)
    items = load_equipment(project, graph.spaces)
    stage = _Stage(project, graph, values, items, Ways(project, graph.spaces, values), at, rate)
    target = _target(stage)
    return {"leak": _leak, "fire": _fire, "flood": _flood, "power": _power}[kind](stage, target)


def _target(stage: _Stage) -> _Target:
    """The place meant by ``at``."""
    kind, mark, name = stage.at.partition(":")
    item = next((one for one in stage.items or () if one.id == (name if mark else stage.at)), None)
    if kind == "equipment" or (not mark and item is not None):
        if item is None:
            raise PlannerError("tunnel.emergency_unknown", id=stage.at)
        if item.space is None:
            raise PlannerError("tunnel.emergency_outside", id=stage.at)
        return _Target(item.space, item=item)
    if not mark:
        for guess in ("compartment", "sensor"):
            try:
                return _middle(stage, stage.graph.start(f"{guess}:{stage.at}")[0])
            except PlannerError as error:
                if error.code not in ("tunnel.compartment_unknown", "tunnel.sensor_unknown"):
                    raise
    if kind in ("compartment", "zone", "fire_zone", "sensor"):
        return _middle(stage, stage.graph.start(stage.at)[0])
    code = name if kind == "line" else stage.at
    in_no_network = (kind == "line" or not mark) and not stage.graph.line_numbers([code])  # a cable
    if in_no_network and (held := stage.graph.spaces.holding([code])):
        return _middle(stage, held)
    if stage.graph.loaded is None:
        raise PlannerError("tunnel.emergency_unknown", id=stage.at)
    what, place = stage.graph.network.find(stage.at)
    net = stage.graph.network
    if what == "valve":
        what, place = "line", int(net.place_line[net.place_valve == place][0])
    lines = [place] if what == "line" else [int(n) for n in ((net.start == place) | (net.end == place)).nonzero()[0]]
    found = stage.graph.spaces.holding(stage.codes(lines))
    if not found:
        raise PlannerError("tunnel.emergency_outside", id=stage.at)
    return _Target(_middle(stage, found).space, lines[0])


def _middle(stage: _Stage, spaces: Sequence[int]) -> _Target:
    """Of the compartments something runs through, the middle one (told)."""
    one = spaces[len(spaces) // 2]
    if len(spaces) > 1:
        stage.values.assume("tunnel.assumed_place", id=stage.at, zone=stage.name(one), count=len(spaces))
    return _Target(one)


def _leak(stage: _Stage, target: _Target) -> Scene:
    values, graph = stage.values, stage.graph
    space = graph.spaces.items[target.space]
    lines = stage.held(target.space, HAZARDS["ch4"])
    if target.line is not None and target.line not in lines:
        raise PlannerError("tunnel.emergency_not_gas", id=stage.at)
    if space.volume is None:
        raise PlannerError("tunnel.space_unmeasured", id=space.id)
    lines = [target.line] if target.line is not None else lines
    if stage.rate is not None:
        q = stage.rate / 3600
        values.assume("tunnel.assumed_rate", rate=stage.rate)
    else:
        rows = lines_of(stage.project, stage.codes(lines))
        stated = [mpa for row in rows.values() if (mpa := pressure_mpa(text(row.get("rating")))) is not None]
        if not lines:
            values.assume("tunnel.assumed_gas_line", zone=space.id)
        pressure = max(stated) if stated else values("gas_mpa")
        if stated:
            values.assume("tunnel.assumed_pressure", mpa=pressure, line=", ".join(rows))
        q = outflow(values("hole_mm") / 1000, pressure * 1e6, values("discharge"))
    values.assume("tunnel.assumed_mixed")
    valves = stage.valves(lines)
    gas_room = any(word in space.kind.casefold() for word in _GAS_ROOMS)
    found = leak(graph, target.space, space.volume, q, values, valves, gas=gas_room)
    around = [other for other, _ in graph.spaces.beside[target.space]]
    warned = next((event.t for event in found.events if event.code == "tunnel.event_alarm"), None)
    devices = found.devices
    if warned is not None:
        devices += act(stage.items, graph.spaces, [target.space, *around], "fan", "start", values, warned)
    exits = stage.exits([target.space, *around], [target.space])
    _out(found.events, exits, warned or 0.0)
    return stage.scene("leak", found.events, found.zones, devices, exits, closed=(space.id,), curve=found.curve)


def _fire(stage: _Stage, target: _Target) -> Scene:
    values, spaces = stage.values, stage.graph.spaces
    fire, name = target.space, stage.name(target.space)
    stopped = list(spaces.within([fire], int(values("fans_stop"))))
    names = tuple(stage.name(at) for at in stopped)
    events = [
        Event(0.0, "tunnel.event_fire", {"zone": name}, (name,), "danger"),
        Event(0.0, "tunnel.event_fans_stop", {"zones": ", ".join(names)}, names, "warning"),
    ]
    devices = act(stage.items, spaces, stopped, "fan", "stop", values)
    devices += act(stage.items, spaces, stopped, "damper", "close", values)
    doors = [link for _, link in spaces.beside[fire] if link.via == "door"]
    for link in doors:
        pair = f"{stage.name(link.a)} | {stage.name(link.b)}"
        devices.append(Device(pair, "fire_door", name, "close", 0.0, link.stated, _xy(stage, fire, link.m)))
    if doors:
        events.append(Event(0.0, "tunnel.event_doors", {"count": len(doors)}, (name,), "warning"))
    if any(link.via == "open" for _, link in spaces.beside[fire]):
        values.assume("tunnel.assumed_open", zone=name)
    listed = [one for one in stage.items or () if one.kind == "extinguisher" and one.space == fire]
    if listed:
        devices += [Device(one.id, one.kind, name, "start", 0.0, True, one.xy) for one in listed]
        events.append(Event(0.0, "tunnel.event_extinguish", {"count": len(listed)}, (name,)))
    else:
        values.assume("tunnel.assumed_no_extinguisher", zone=name)
    power_lines = stage.held(fire, HAZARDS["cable_temp"])
    if power_lines:
        told = {"lines": ", ".join(stage.codes(power_lines))}
        events.append(Event(0.0, "tunnel.event_switch_off", told, (name,), "warning"))
    gas = stage.held(fire, HAZARDS["ch4"])
    valves = stage.valves(gas)
    if gas:
        events.append(Event(0.0, "tunnel.event_gas_off", {"valves": ", ".join(valves) or "–"}, (name,), "danger"))
        devices += [Device(one, "valve", name, "close") for one in valves]
    exits = stage.exits(list(spaces.within([fire], 2)), [fire])
    _out(events, exits, 0.0)
    last = max((one.seconds for one in exits if one.exit), default=0.0)
    events.append(Event(last, "tunnel.event_smoke", {}, names))
    zones = [Zone(name, "source", 0.0), *(Zone(stage.name(at), "adjoining", 0.0) for at in stopped if at != fire)]
    return stage.scene("fire", events, zones, devices, exits, closed=(name,))


def _flood(stage: _Stage, target: _Target) -> Scene:
    values, spaces = stage.values, stage.graph.spaces
    start, name = target.space, stage.name(target.space)
    if any(one.area is None or one.floor[0] is None for one in (spaces.items[start],)):
        raise PlannerError("tunnel.space_unmeasured", id=name)
    lines = stage.held(start, HAZARDS["level"])
    lines = [target.line] if target.line in lines and target.line is not None else lines
    if stage.rate is not None:
        inflow = stage.rate / 3600
        values.assume("tunnel.assumed_rate", rate=stage.rate)
    else:
        rows = lines_of(stage.project, stage.codes(lines))
        bores = [dn for row in rows.values() if (dn := number(row.get("dn_mm"))) is not None]
        inflow = math.pi * (max(bores) / 1000) ** 2 / 4 * values("burst_ms") if bores else values("inflow_m3h") / 3600
        if bores:
            values.assume("tunnel.assumed_burst", dn=max(bores), rate=round(inflow * 3600))
    values.assume("tunnel.assumed_doors_leak")
    pumps = _pumps(stage)
    flood = fill(spaces, start, inflow, pumps, values)
    deep = values("deep_m")
    events = [Event(0.0, "tunnel.event_inflow", {"rate": round(inflow * 3600)}, (name,), "danger")]
    zones, shut = [], []
    for at, one in enumerate(spaces.items):
        wet = flood.when(at, 0.01)
        if wet is None and at != start:
            continue
        since, peak = (wet or 0.0), max(flood.depth[at])
        if at != start:
            events.append(Event(since, "tunnel.event_wet", {"zone": one.id}, (one.id,), "warning"))
        over = flood.when(at, deep)
        if over is not None:
            events.append(Event(over, "tunnel.event_deep", {"zone": one.id, "m": deep}, (one.id,), "danger"))
            if over <= values("early_s"):
                shut.append(at)
        full = flood.when(at, (one.height or 3.0) + abs((one.floor[1] or 0.0) - (one.floor[0] or 0.0)) - 0.02)
        if full is not None:
            events.append(Event(full, "tunnel.event_full", {"zone": one.id}, (one.id,), "danger"))
        figures = {"depth_m": peak, "volume_m3": flood.volume[at][-1], "pump_m3s": pumps.get(at, 0.0)}
        zones.append(Zone(one.id, "source" if at == start else "flooded", since, figures))
    valves = stage.valves(lines)
    if valves:
        events.append(Event(0.0, "tunnel.event_water_off", {"valves": ", ".join(valves)}, (name,), "warning"))
    devices = [Device(one, "valve", name, "close") for one in valves]
    flooded = [spaces.numbers[zone.id] for zone in zones]
    with_pump = [at for at in flooded if pumps.get(at)]
    for at in with_pump:
        listed = [one for one in stage.items or () if one.kind == "pump" and one.space == at]
        devices += [Device(one.id, "pump", stage.name(at), "start", 0.0, True, one.xy) for one in listed]
        if not listed:  # the fire zone itself says that it has one
            devices.append(Device(f"{stage.name(at)}/pump", "pump", stage.name(at), "start"))
    end = flood.t[-1]
    total = sum(volumes[-1] for volumes in flood.volume.values())
    events.append(Event(end, "tunnel.event_horizon", {"m3": round(total), "pumped": round(flood.pumped)}, ()))
    exits = stage.exits(flooded, shut)
    _out(events, exits, 0.0)
    depth = [(t, max(depths)) for t, depths in zip(flood.t, zip(*flood.depth.values(), strict=True), strict=True)]
    return stage.scene(
        "flood", events, sorted(zones, key=lambda one: one.since), devices, exits,
        closed=tuple(stage.name(at) for at in shut), curve=depth[:: max(1, len(depth) // 120)],
    )  # fmt: skip


def _pumps(stage: _Stage) -> dict[int, float]:
    """Pump rates, m³/s by compartment: of equipment, else of the fire zone's own figure; unknown ones pump nothing."""
    found: dict[int, float] = {}
    for one in stage.items or ():
        if one.kind == "pump" and one.space is not None and one.rate:
            found[one.space] = found.get(one.space, 0.0) + one.rate / 3600
    missing = 0
    for at, space in enumerate(stage.graph.spaces.items):
        if at not in found:
            rate = space.value("sump_pump_m3h")
            missing += rate is None
            if rate:
                found[at] = rate / 3600
    if missing:
        stage.values.assume("tunnel.assumed_no_pump", count=missing)
    return found


def _power(stage: _Stage, target: _Target) -> Scene:
    spaces = stage.graph.spaces
    codes = [target.item.id] if target.item else stage.codes([target.line]) if target.line is not None else []
    dead = power.dead(stage.project, spaces, stage.items, codes, target.space, stage.values)
    dark = dict.fromkeys([*([] if codes else [target.space]), *(at for at in dead.spaces)])
    names = tuple(stage.name(at) for at in dark)
    counts = {kind: sum(one.kind == kind for one in dead.devices) for kind in ("fan", "pump", "sensor")}
    events = [Event(0.0, "tunnel.event_power", {"zones": ", ".join(names) or "–"}, names, "danger")]
    if counts["fan"]:
        events.append(Event(0.0, "tunnel.event_no_air", {"count": counts["fan"]}, names, "warning"))
    if counts["pump"]:
        events.append(Event(0.0, "tunnel.event_no_pump", {"count": counts["pump"]}, names, "warning"))
    if counts["sensor"]:
        ups = stage.values("ups_s")
        events.append(Event(ups, "tunnel.event_blind", {"count": counts["sensor"]}, names, "danger"))
    exits = stage.exits(list(dark), [])
    _out(events, exits, 0.0)
    return stage.scene("power", events, [Zone(name, "dark", 0.0) for name in names], dead.devices, exits)


def _out(events: list[Event], exits: Sequence[WayOut], begin: float) -> None:
    """When each compartment is left, and which have no way out."""
    for one in exits:
        if one.exit:
            told = {"zone": one.zone, "exit": one.exit, "m": round(one.length)}
            events.append(Event(begin + one.seconds, "tunnel.event_out", told, (one.zone,)))
        else:
            events.append(Event(begin, "tunnel.event_no_exit", {"zone": one.zone}, (one.zone,), "danger"))


def _xy(stage: _Stage, space: int, m: float) -> tuple[float, float] | None:
    axis = stage.graph.spaces.axes.get(stage.graph.spaces.items[space].tunnel)
    return None if axis is None else axis.at(m)[:2]
