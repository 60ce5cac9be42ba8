"""Gas leaks into a compartment: a well-mixed zone, V·dC/dt = q − n·V·C, with fan rates by clause."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from plugins.tunnel.model.emergency.scene import Device, Event, Values, Zone
from plugins.tunnel.model.network.reach import Graph

#: Methane: kg/mol, ratio of specific heats, J/(mol·K), K, kg/m³ at 20 °C and 101,325 Pa, Pa.
_MOLAR, _GAMMA, _R, _KELVIN, _DENSITY, _AIR_PA = 0.01604, 1.31, 8.314, 293.15, 0.668, 101_325.0
_MPA = re.compile(r"(\d+(?:\.\d+)?)\s*MPa", re.IGNORECASE)


def outflow(hole_m: float, gauge_pa: float, discharge: float = 1.0) -> float:
    """Gas leaving a round hole of a pipe, m³/s at 20 °C and atmospheric pressure (HJ 169-2018 annex F.1.2).

    Sonic above the critical pressure ratio, subsonic below.
    """
    p = gauge_pa + _AIR_PA
    critical = (2 / (_GAMMA + 1)) ** (_GAMMA / (_GAMMA - 1))
    ratio = max(_AIR_PA / p, critical)
    flow = 2 * _GAMMA / (_GAMMA - 1) * (ratio ** (2 / _GAMMA) - ratio ** ((_GAMMA + 1) / _GAMMA))
    mass = discharge * math.pi * hole_m**2 / 4 * p * math.sqrt(flow * _MOLAR / (_R * _KELVIN))
    return mass / _DENSITY


@dataclass(frozen=True, slots=True)
class Mixed:
    """A well-mixed zone: ``volume`` m³, ``q`` m³/s of gas, ``n`` air changes per second, ``start`` share of volume."""

    volume: float
    q: float
    n: float
    start: float = 0.0

    @property
    def steady(self) -> float:
        """Share of volume that it comes to."""
        return self.q / (self.n * self.volume) if self.n > 0 else (math.inf if self.q > 0 else self.start)

    def at(self, t: float) -> float:
        """Share of volume after ``t`` seconds."""
        if self.n <= 0:
            return self.start + self.q / self.volume * t
        return self.steady + (self.start - self.steady) * math.exp(-self.n * t)

    def until(self, share: float) -> float | None:
        """Seconds until it holds that share of gas, rising or falling; None: never."""
        if share == self.start:
            return 0.0
        if self.n <= 0:
            t = (share - self.start) * self.volume / self.q if self.q > 0 else -1.0
            return t if t >= 0 else None
        gone = (share - self.steady) / (self.start - self.steady) if self.start != self.steady else -1.0
        return -math.log(gone) / self.n if 0 < gone <= 1 else None


@dataclass(slots=True)
class Leak:
    """What a leak comes to: the events, what concerns zones and equipment, the concentration over time (s, share)."""

    events: list[Event]
    zones: list[Zone]
    devices: list[Device]
    curve: list[tuple[float, float]]


def leak(graph: Graph, at: int, volume: float, q: float, values: Values, valves: Sequence[str], *, gas: bool) -> Leak:
    """Follow a leak of ``q`` m³/s in a compartment of ``volume`` m³.

    Args:
        valves: to close for it; gas: it is a gas compartment (more air changes).
    """
    space, ids = graph.spaces.items[at], graph.spaces.items
    around = [other for other, _ in graph.spaces.beside[at]]
    names = tuple(dict.fromkeys(ids[one].id for one in (at, *around)))
    suffix = "_gas" if gas else ""
    lel, alarm, cut = values("lel"), values("gas_alarm"), values("gas_cutoff")
    stated = space.value("air_changes")
    normal = values(f"air_normal{suffix}") if stated is None else stated
    accident, horizon = max(values(f"air_accident{suffix}"), normal), values("horizon_s")
    phase, began = Mixed(volume, q, normal / 3600), 0.0
    steady = {"percent": round(phase.steady / lel * 100, 1), "n": normal, "q": round(q * 3600, 1)}
    events = [Event(0.0, "tunnel.event_leak", steady, (space.id,), "warning")]
    phases = [(0.0, phase)]
    warned = phase.until(alarm * lel)
    cut_at: float | None = None
    if warned is None or warned > horizon:
        events.append(Event(horizon, "tunnel.event_below_alarm", steady | {"alarm": alarm * 100}, (space.id,)))
    else:
        events.append(Event(warned, "tunnel.event_alarm", {"alarm": alarm * 100}, (space.id,), "danger"))
        events.append(Event(warned, "tunnel.event_accident_air", {"n": accident}, names, "warning"))
        events.append(Event(warned, "tunnel.event_leave", {}, names, "warning"))
        phase, began = Mixed(volume, q, accident / 3600, alarm * lel), warned
        phases.append((began, phase))
        more = phase.until(cut * lel) if phase.steady > phase.start else None
        if more is None or warned + more > horizon:
            told = {"percent": round(phase.steady / lel * 100, 1), "cut": cut * 100}
            events.append(Event(horizon, "tunnel.event_below_cutoff", told, (space.id,)))
        else:
            cut_at = warned + more
            shut = cut_at + values("valve_s")
            which = {"cut": cut * 100, "valves": ", ".join(valves) or "–"}
            events.append(Event(cut_at, "tunnel.event_cutoff", which, (space.id,), "danger"))
            peak = phase.at(shut - began)
            events.append(
                Event(shut, "tunnel.event_shut", {"percent": round(peak / lel * 100, 1)}, (space.id,), "warning")
            )
            if peak >= lel:
                over = began + (phase.until(lel) or 0.0)
                events.append(Event(over, "tunnel.event_explosive", {}, (space.id,), "danger"))
            phase, began = Mixed(volume, 0.0, accident / 3600, peak), shut
            phases.append((began, phase))
            clear = phase.until(alarm * lel)
            if clear is not None:
                events.append(Event(shut + clear, "tunnel.event_clear", {"alarm": alarm * 100}, (space.id,)))
    end = max(max(event.t for event in events if event.t < horizon) * 1.25, 600.0)
    curve = []
    for step in range(121):
        t = end * step / 120
        since, here = next(one for one in reversed(phases) if one[0] <= t)
        curve.append((t, here.at(t - since)))
    figures = {"volume_m3": volume, "q_m3s": q, "n_normal": normal, "n_accident": accident}
    zones = [Zone(space.id, "source", 0.0, figures | {"peak_lel": max(c for _, c in curve) / lel})]
    zones += [Zone(ids[one].id, "adjoining", warned or 0.0) for one in around]
    devices = []
    if cut_at is not None:
        devices = [Device(one, "valve", space.id, "close", cut_at) for one in valves]
    return Leak(sorted(events, key=lambda one: one.t), zones, devices, curve)


def pressure_mpa(rating: str) -> float | None:
    """Pressure that a rating states (中压A 0.4 MPa), MPa."""
    found = _MPA.findall(rating)
    return float(found[-1]) if found else None
