"""Water fills compartments: level surfaces, over sills and through doors from one to the next, less what pumps take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plugins.tunnel.model.emergency.scene import Values
from plugins.tunnel.model.network.spaces import Link, Space, Spaces

#: Seconds of a step, and steps of height of the tables of volumes.
_STEP, _LEVELS = 20.0, 600
_SWEEPS = 8


@dataclass(slots=True)
class Flood:
    """Over time: seconds, and by number of compartment the depth at its lowest place (m) and the volume (m³)."""

    t: list[float] = field(default_factory=list)
    depth: dict[int, list[float]] = field(default_factory=dict)
    volume: dict[int, list[float]] = field(default_factory=dict)
    pumped: float = 0.0

    def when(self, at: int, deep: float) -> float | None:
        """Seconds until the water is so deep, m."""
        depths = self.depth.get(at, [])
        return next((t for t, d in zip(self.t, depths, strict=True) if d >= deep), None)


def _summed(d: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """The integral from 0 to d of depths clipped to 0 … height."""
    within = np.clip(d, 0.0, height)
    found: NDArray[np.float64] = within**2 / 2 + height * np.maximum(d - height, 0.0)
    return found


class _Tub:
    """A sloping compartment: volume (m³) below each height of the common table."""

    def __init__(self, space: Space, z: NDArray[np.float64], width: float, height: float) -> None:
        low, high = sorted((float(space.floor[0] or 0.0), float(space.floor[1] or 0.0)))
        self.low = low
        if high - low > 1e-9:
            # The mean over the slope, exactly: the depth summed up from the lower end to the upper one.
            depth = (_summed(z - low, height) - _summed(z - high, height)) / (high - low)
        else:
            depth = np.clip(z - low, 0.0, height)
        self.volume: NDArray[np.float64] = depth * width * space.length
        self.z = z
        self.full = float(self.volume[-1])

    def level(self, volume: float) -> float:
        """Height of the surface."""
        return float(np.interp(volume, self.volume, self.z)) if volume > 0 else self.low

    def below(self, z: float) -> float:
        """Volume below a height."""
        return float(np.interp(z, self.z, self.volume))


def fill(spaces: Spaces, start: int, inflow: float, pumps: Mapping[int, float], values: Values) -> Flood:
    """Let ``inflow`` (m³/s) run into a compartment.

    Args:
        pumps: m³/s by number of compartment; a pump works while there is water.
    """
    z = _heights(spaces)
    tubs: dict[int, _Tub] = {}
    for at, one in enumerate(spaces.items):
        height = one.height or 3.0
        tubs[at] = _Tub(one, z, (one.area or 0.0) / height, height)
    held, flood = dict.fromkeys(tubs, 0.0), Flood()
    horizon = values("horizon_s")
    ways: list[tuple[Link, float]] = [
        (link, _sill(spaces, link)) for link in spaces.links if link.via != "wall" and link.openable
    ]
    for step in range(int(horizon / _STEP) + 1):
        flood.t.append(step * _STEP)
        for at, volume in held.items():
            flood.volume.setdefault(at, []).append(volume)
            flood.depth.setdefault(at, []).append(tubs[at].level(volume) - tubs[at].low if volume > 0 else 0.0)
        held[start] += inflow * _STEP
        for at, rate in pumps.items():
            taken = min(held[at], rate * _STEP)
            held[at] -= taken
            flood.pumped += taken
        wet = {at for at, volume in held.items() if volume > 0}
        for _ in range(_SWEEPS):
            moved = 0.0
            for link, sill in ways:
                if link.a in wet or link.b in wet:
                    moved += _level_out(tubs, held, link, sill)
                    wet |= {at for at in (link.a, link.b) if held[at] > 0}
            if moved < 1e-3:
                break
    return flood


def _level_out(tubs: Mapping[int, _Tub], held: dict[int, float], link: Link, sill: float) -> float:
    """Let water pass a way until both surfaces are level or the higher one is at the sill; returns m³ moved."""
    a, b = link.a, link.b
    if tubs[a].level(held[a]) < tubs[b].level(held[b]):
        a, b = b, a
    high = tubs[a].level(held[a])
    if held[a] <= 0 or high <= sill + 1e-4:
        return 0.0
    total, kept = held[a] + held[b], min(held[a], tubs[a].below(sill))
    if tubs[b].level(total - kept) > sill:
        z = float(np.interp(total, tubs[a].volume + tubs[b].volume, tubs[a].z))
        kept = min(max(tubs[a].below(max(z, sill)), 0.0), held[a])
    give = min(held[a] - kept, tubs[b].full - held[b])
    if give <= 1e-6:
        return 0.0
    held[a] -= give
    held[b] += give
    return give


def _heights(spaces: Spaces) -> NDArray[np.float64]:
    floors = [z for one in spaces.items for z in one.floor if z is not None]
    most = max((one.height or 3.0 for one in spaces.items), default=3.0)
    return np.linspace(min(floors), max(floors) + most, _LEVELS)


def _sill(spaces: Spaces, link: Link) -> float:
    """Height water has to reach to pass: the sill, else the floor on the higher side of the way."""
    if link.sill is not None:
        return link.sill
    places = [(spaces.axes.get(spaces.items[at].tunnel), spaces.station(link, at)) for at in (link.a, link.b)]
    found = [axis.at(m)[2] for axis, m in places if axis is not None]
    known = [z for z in found if z == z]
    return max(known) if known else float(spaces.items[link.a].floor[0] or 0.0)
