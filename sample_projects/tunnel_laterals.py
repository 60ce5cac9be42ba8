"""Buried pipes from a tunnel's stations to the parcels along its road.

As a street is laid out: from each station a branch rises through the tunnel's roof and crosses to a main that runs
along the parcels, and services leave the main square to it. Every kind keeps its own depth and its own distance from
the parcels, so that pipes cross with room between them and run beside each other as far apart as the code asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from sample_projects.blocks import Parcel
from sample_projects.curves import Array, Geometry
from sample_projects.tunnel_sections import GROUND, Level, Line, Place

if TYPE_CHECKING:
    from sample_projects.tunnel_pipes import Networks

#: Metres from a tunnel's axis within which a parcel fronts on its road.
REACH = 90.0
#: Where the parcels' own ground begins for a service, m behind their boundary.
BEHIND = 1.5
#: Parcels that stand farther back than the others on a side have no service from the main, m.
ASKEW = 8.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How one kind is laid: cover of its axis under the street, m; distance of its main before the parcels, m; how far
    behind the station its branch rises and how far beside its pipe, m; shift of its services along the street, m;
    diameters of branch and main and of services, mm; how many parcels a station feeds on one side; whose classes.
    """

    cover: float
    before: float
    behind: float
    beside: float
    shift: float
    main: int
    service: int
    most: int
    serves: str


#: GB 50289-2016: gas highest, reclaimed water half a metre under drinking water; mains from the parcels outward.
MANNERS = {
    "gas": Manner(1.0, 2.4, 0.0, 0.3, -1.6, 200, 110, 4, "RAB"),
    "water": Manner(1.5, 1.0, 4.0, 0.55, 0.0, 300, 160, 6, "RABM"),
    "reclaimed": Manner(2.3, 3.9, 8.0, -0.25, 1.6, 160, 110, 2, "G"),
}


@dataclass(frozen=True, slots=True)
class Front:
    """A parcel as seen from the road: chainage of its service and distances of its boundary and of the service's
    end from the axis, m."""

    parcel: int
    m: float
    edge: float


class Laterals:
    """Lays the buried pipes of one tunnel into the tables of ``nets``."""

    def __init__(self, nets: Networks, line: Line, level: Level, stations: dict[tuple[str, int, int], str]) -> None:
        self._nets, self._line, self._level, self._stations = nets, line, level, stations
        self._parcels: list[Parcel] = [one for one in level.town.parcels if one.kind != "road"]
        self._tree = shapely.STRtree([one.geometry for one in self._parcels])
        self._fronts = {side: self._seen(side) for side in (-1, 1)}

    def lay(self, places: Sequence[Place]) -> None:
        """Branches, mains and services of every kind that leaves the tunnel."""
        for k, place in enumerate(places):
            if place.network in MANNERS:
                for n in range(1, len(self._line.stations) - 1):
                    self._station(k, n, place, MANNERS[place.network])

    def _seen(self, side: int) -> list[Front]:
        """The parcels on one side, each at the middle of what the road sees of it."""
        seen: dict[int, list[tuple[float, float]]] = {}
        for m in np.arange(20.0, self._line.axis.length - 20, 5.0):
            axis = self._line.at(m)
            ray = shapely.linestrings([axis, self._line.at(m, side * REACH)])
            met = self._tree.query(ray, "intersects")
            if len(met):
                cuts = [shapely.intersection(self._parcels[i].geometry, ray) for i in met]
                far = shapely.distance(shapely.points(axis), cuts)
                first = int(np.argmin(far))
                seen.setdefault(int(met[first]), []).append((float(m), float(far[first])))
        fronts = []
        for parcel, rays in seen.items():
            near = min(edge for _, edge in rays)
            straight = [(m, edge) for m, edge in rays if edge < near + 3 and self._free(m)]
            if straight:
                fronts.append(Front(parcel, *straight[len(straight) // 2]))
        return fronts

    def _free(self, m: float) -> bool:
        """True where no branch crosses the street."""
        return all(not -6 < m - one < 16 for one in self._line.stations)

    def _station(self, k: int, n: int, place: Place, how: Manner) -> None:
        m = self._line.stations[n] + how.behind
        sides = {side: found for side in (-1, 1) if (found := self._fed(n, side, how))}
        if not sides:
            return
        pipe = replace(place, dn_mm=how.main, material="球墨铸铁" if place.network == "water" else "PE100")
        up = GROUND - how.cover
        start = self._line.at(self._line.stations[n], place.x)
        foot = self._line.at(m, place.x + how.beside)
        top = self._nets.node(place.network, foot, up, "三通" if len(sides) > 1 else "弯头")
        riser = self._shape([(start, place.y), (foot, place.y), (foot, up)])
        ends = self._stations[self._line.code, k, n], top
        self._nets.pipe(riser, pipe, ends, "直埋", 2021)
        for side, fronts in sides.items():
            self._main(top, foot, m, side * (self._edge(n, side) - how.before), fronts, pipe, how)

    def _edge(self, n: int, side: int) -> float:
        """Distance of the parcels' boundary from the axis on one side of a station, m: one line for all kinds."""
        here = self._line.stations[n]
        return min((one.edge for one in self._fronts[side] if abs(one.m - here) < 400), default=REACH)

    def _fed(self, n: int, side: int, how: Manner) -> list[Front]:
        """The nearest parcels whose nearest station this is, with no water between."""
        here = self._line.stations[n]
        inner = self._line.stations[1:-1]
        edge = self._edge(n, side)
        wet = [one.m for one in self._fronts[side] if self._parcels[one.parcel].kind == "water"]

        def fed(front: Front) -> bool:
            nearest = min(inner, key=lambda m: abs(m - front.m)) == here and abs(front.m - here) < 400
            dry = not any(min(front.m, here) < m < max(front.m, here) for m in wet)
            lies = front.edge < edge + ASKEW
            return nearest and dry and lies and self._parcels[front.parcel].code[:1] in tuple(how.serves)

        found = sorted((one for one in self._fronts[side] if fed(one)), key=lambda one: abs(one.m - here))
        return found[: how.most]

    def _main(
        self, top: str, foot: Array, m: float, aside: float, fronts: Sequence[Front], pipe: Place, how: Manner
    ) -> None:
        """The branch across the street with its valve, the main along the parcels, a service to each."""
        up, side = GROUND - how.cover, 1 if aside > 0 else -1
        wall = self._line.at(m, aside - side * 0.8)
        gate = self._nets.node(pipe.network, wall, up, "阀门")
        self._nets.valve(gate, wall, up, pipe)
        self._nets.pipe(self._shape([(foot, up), (wall, up)]), pipe, (top, gate), "直埋", 2021)
        stops = {m: self._nets.node(pipe.network, self._line.at(m, aside), up, "三通")}
        self._nets.pipe(self._shape([(wall, up), (self._line.at(m, aside), up)]), pipe, (gate, stops[m]), "直埋", 2021)
        for front in fronts:
            at = front.m + how.shift
            stops[at] = self._nets.node(pipe.network, self._line.at(at, aside), up, "三通")
        for a, b in pairwise(sorted(stops)):
            low, high = (a, b) if a >= m else (b, a)  # away from the station
            along = self._level.run(self._line, a, b, aside, up)
            shape = along if a >= m else shapely.reverse(along)
            self._nets.pipe(shape, pipe, (stops[low], stops[high]), "直埋", 2021)
        for front in fronts:
            self._service(stops[front.m + how.shift], front, aside, pipe, how)

    def _service(self, tee: str, front: Front, aside: float, pipe: Place, how: Manner) -> None:
        """From the main to just inside a parcel, with a valve at its boundary and the customer at its end."""
        m, up, parcel = front.m + how.shift, GROUND - how.cover, self._parcels[front.parcel]
        side = 1 if aside > 0 else -1
        small = replace(pipe, dn_mm=how.service, material="PE100")
        start = self._line.at(m, aside)
        gate = self._line.at(m, side * (front.edge - 0.5))
        end = self._line.at(m, side * (front.edge + BEHIND))
        at_gate = self._nets.node(pipe.network, gate, up, "阀门")
        at_end = self._nets.node(pipe.network, end, up, "进户点")
        self._nets.pipe(self._shape([(start, up), (gate, up)]), small, (tee, at_gate), "直埋", 2021)
        year = 2021 + front.parcel % 4
        code = self._nets.pipe(self._shape([(gate, up), (end, up)]), small, (at_gate, at_end), "直埋", year)
        self._nets.valve(at_gate, gate, up, small)
        home = parcel.code[0] == "R"
        count = 1 if parcel.code[0] == "G" else int(parcel.geometry.area / (28 if home else 900)) + 1
        self._nets.customer(end, code, pipe.network, count, parcel.code in ("A5", "A33"), parcel.number)

    def _shape(self, points: Sequence[tuple[Array, float]]) -> Geometry:
        """A line through points, each with its height above the tunnel's floor."""
        return shapely.linestrings([(*xy.round(3), self._level.z(xy, up)) for xy, up in points])
