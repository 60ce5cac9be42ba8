"""One trace over compartments, the pipes in them and the buried ones: alarm → rooms → valves → buildings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.clearance.others import is_building
from plugins.tunnel.model.monitoring.sensors import find_sensor
from plugins.tunnel.model.network.isolation import Isolation, Segments
from plugins.tunnel.model.network.network import Network
from plugins.tunnel.model.network.project_network import Loaded, load_network
from plugins.tunnel.model.network.spaces import Note, Space, Spaces, load_spaces
from plugins.tunnel.model.network.trace import Direction, Tracer
from plugins.tunnel.model.space.load import rows, text
from plugins.tunnel.model.tables import LINE, NODE, SERVICE

#: What an alarm of a kind of sensor comes from; the others may come from any line.
HAZARDS = {
    "ch4": frozenset({"gas"}),
    "level": frozenset({"water", "reclaimed", "rain", "sewage", "combined", "drainage"}),
    "cable_temp": frozenset({"power"}),
}
#: A service point serves the building that stands so near (m).
_NEAR = 60.0
_ROOMS = ("compartment", "zone", "fire_zone")


@dataclass(frozen=True, slots=True)
class Served:
    """A service point and the buildings it serves: (layer, fid, name)."""

    id: str
    name: str
    customers: int
    critical: bool
    xy: tuple[float, float] | None
    buildings: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What a trace found.

    Attributes:
        nodes, lines: numbers in the network; length_m: of the lines.
        spaces: (space, ways from the start, through what), the start first; empty where lines lie in no compartment.
        held: lines that run in the first space and may be the cause of its alarm.
        isolation: of those lines, where valves part them; unvalved: networks among them that have no valves.
        served: who is without service once the valves are closed.
    """

    nodes: Sequence[int]
    lines: Sequence[int]
    length_m: float
    spaces: Sequence[tuple[Space, int, str]] = ()
    held: Sequence[int] = ()
    isolation: Isolation | None = None
    unvalved: tuple[str, ...] = ()
    served: Sequence[Served] = ()
    notes: Sequence[Note] = field(default=())


class Graph:
    """A project's compartments and networks, read once; searches over both."""

    def __init__(self, project: Project) -> None:
        self.spaces: Spaces = load_spaces(project)
        piped = tables.find(project, LINE) is not None and tables.find(project, NODE) is not None
        if not piped and not self.spaces.items:
            tables.need(project, NODE)
        self.loaded: Loaded | None = load_network(project) if piped else None
        self._project = project

    @property
    def network(self) -> Network:
        """The networks.

        Raises:
            PlannerError: ``tunnel.no_table`` if the project has none.
        """
        if self.loaded is None:
            raise PlannerError("tunnel.no_table", id=NODE.id)
        return self.loaded.network

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is wrong in the tables, and what was derived."""
        return (*(self.loaded.notes if self.loaded else ()), *(self.spaces.notes if self.spaces.items else ()))

    @cached_property
    def segments(self) -> Segments:
        """Isolation on the networks."""
        return Segments(self.network)

    @cached_property
    def tracer(self) -> Tracer:
        """Traces on the networks."""
        return Tracer(self.network)

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, code in enumerate(self.loaded.line_codes if self.loaded else ()):
            found.setdefault(code, []).append(at)
        return found

    def line_numbers(self, codes: Iterable[str]) -> list[int]:
        """Numbers of lines by the codes that placements use."""
        return sorted({at for code in codes for at in self._numbers.get(code, ())})

    @cached_property
    def valved(self) -> frozenset[str]:
        """Names of the networks that have valves."""
        if self.loaded is None:
            return frozenset()
        return frozenset(self.loaded.line_networks[line] for line in set(self.network.place_line.tolist()))

    def start(self, reference: str) -> tuple[list[int], frozenset[str]]:
        """(spaces, kinds of lines an alarm there points at; empty: any) of ``compartment:ID`` or ``sensor:ID``.

        Raises:
            PlannerError: ``tunnel.compartment_unknown``, ``tunnel.no_spaces``, ``tunnel.sensor_unknown``,
                ``tunnel.sensor_nowhere``.
        """
        kind, _, name = reference.partition(":")
        if kind in _ROOMS:
            return self.spaces.find(name), frozenset()
        sensor = find_sensor(self._project, name)
        at = self.spaces.at(sensor.tunnel, sensor.compartment, sensor.m)
        if at is None:
            raise PlannerError("tunnel.sensor_nowhere", sensor=sensor.code, tunnel=sensor.tunnel or "–", m=sensor.m)
        return [at], HAZARDS.get(sensor.kind, frozenset())

    def places(self, reference: str) -> list[tuple[str, int]]:
        """What an isolation of ``node:``, ``line:``, ``valve:`` or ``compartment:ID`` is about: all valved lines there.

        Raises:
            PlannerError: see :meth:`start` and :meth:`Network.find`; ``tunnel.nothing_to_close``.
        """
        if reference.partition(":")[0] not in (*_ROOMS, "sensor"):
            return [self.network.find(reference)]
        first, kinds = self.start(reference)
        found = [("line", line) for line in self._held(first, kinds) if self._networks[line] in self.valved]
        if not found:
            raise PlannerError("tunnel.nothing_to_close", id=reference)
        return found

    def missing_valves(self, places: Sequence[tuple[str, int]]) -> tuple[Note, ...]:
        """A note for each network among places that has no valves, so that nothing can be closed, and for lines that
        are shut or not in use: nobody knows at which end, so that what stands beside them is not counted."""
        net, lines = self.network, [at for kind, at in places if kind == "line"]
        nodes = [at for kind, at in places if kind == "node"]
        lines += np.flatnonzero(np.isin(net.start, nodes) | np.isin(net.end, nodes)).tolist() if nodes else []
        names = sorted({self._networks[line] for line in lines} - self.valved)
        shut = [net.line_ids[at] for kind, at in places if kind == "line" and not net.passable[at]]
        notes: list[Note] = [("tunnel.no_valves", {"network": name or "–"}) for name in names]
        return (*notes, *(("tunnel.line_shut", {"lines": ", ".join(shut[:8])}) for _ in shut[:1]))

    def station(self, places: Sequence[tuple[str, int]]) -> tuple[str, float | None]:
        """(tunnel, chainage) of the first place that lies in a compartment; ("", None) for buried ones."""
        codes = [self.loaded.line_codes[at] for kind, at in places if kind == "line" and self.loaded is not None]
        at = next(iter(self.spaces.holding(codes)), None)
        if at is None:
            return "", None
        space = self.spaces.items[at]
        return space.tunnel, round((space.from_m + space.to_m) / 2, 2)

    @property
    def _networks(self) -> Sequence[str]:
        return self.loaded.line_networks if self.loaded else ()

    def _held(self, first: Sequence[int], kinds: frozenset[str]) -> list[int]:
        held = self.line_numbers(code for at in first for code in self.spaces.lines.get(at, ()))
        return [line for line in held if not kinds or (self.loaded and self.loaded.line_kinds[line] in kinds)]

    def trace(self, reference: str, direction: Direction = "both", *, steps: int = 1, served: bool = True) -> Reach:
        """Everything reached from a node, line, valve, compartment or sensor.

        From a compartment or sensor: the compartments ``steps`` ways around it, the lines in it (of a gas alarm only
        gas) and all that hangs on them in the direction, the valves that cut those lines, and who is then without.

        Raises:
            PlannerError: see :meth:`start` and :meth:`Network.find`.
        """
        if reference.partition(":")[0] not in (*_ROOMS, "sensor"):
            found = self.tracer.trace(*self.network.find(reference), direction)
            codes = [self.loaded.line_codes[line] for line in found.lines.tolist()] if self.loaded else []
            rooms = [(self.spaces.items[at], 0, "") for at in self.spaces.holding(codes)]
            return Reach(found.nodes.tolist(), found.lines.tolist(), found.length_m, rooms, notes=self.notes)
        first, kinds = self.start(reference)
        around = self.spaces.within(first, steps)
        rooms = [(self.spaces.items[at], *how) for at, how in around.items()]
        if self.loaded is None:
            return Reach((), (), 0.0, rooms, notes=self.notes)
        held = self._held(first, kinds)
        net = self.network
        nodes, lines = np.zeros(len(net.node_ids), bool), np.zeros(len(net.line_ids), bool)
        for line in held:
            found = self.tracer.trace("line", line, direction)
            nodes[found.nodes], lines[found.lines] = True, True
        names = {self._networks[line] for line in held}
        shut = [("line", line) for line in held if self._networks[line] in self.valved]
        isolation = self.segments.isolate_all(shut, alternatives=False) if shut else None
        without = self.served(isolation.unserved) if isolation and served else ()
        return Reach(
            np.flatnonzero(nodes).tolist(), np.flatnonzero(lines).tolist(), float(net.length[lines].sum()), rooms,
            held, isolation, tuple(sorted(names - self.valved)), without, self.notes,
        )  # fmt: skip

    def served(self, ids: Iterable[str]) -> list[Served]:
        """Service points with the buildings they serve: those on the parcel of their name, else the nearest."""
        wanted = set(ids)
        points = [row for row in rows(self._project, SERVICE, geometry=True) if text(row["code"]) in wanted]
        if not points:
            return []
        buildings = [_Buildings(self._project, layer) for layer in self._project.layers() if is_building(layer)]
        found = []
        for row in points:
            shape = row["shape"]
            xy = None if shape is None or shape.is_empty else (float(shape.x), float(shape.y))
            stand = [one for layer in buildings for one in layer.of(text(row["name"]), shape)]
            found.append(
                Served(
                    text(row["code"]), text(row["name"]), int(row["customer_count"] or 0), bool(row["critical"]), xy,
                    tuple(stand),
                )
            )  # fmt: skip
        return sorted(found, key=lambda one: (not one.critical, -one.customers, one.id))


class _Buildings:
    """A layer of buildings, searched by parcel and by place."""

    def __init__(self, project: Project, layer: Any) -> None:
        names = [name for name in ("name", "code", "parcel_no") if layer.field(name) is not None]
        table = project.read(layer.id, columns=names)
        missing: list[Any] = [None] * len(table)
        self.layer, self.fids = layer.id, [int(fid) for fid in table.fids]
        self.names = [
            text(name or code)
            for name, code in zip(table.columns.get("name", missing), table.columns.get("code", missing), strict=True)
        ]
        self.by_parcel: dict[str, list[int]] = {}
        for at, parcel in enumerate(table.columns.get("parcel_no", missing)):
            if parcel:
                self.by_parcel.setdefault(text(parcel), []).append(at)
        self.tree = shapely.STRtree(shapely.from_wkb(table.geometry))

    def of(self, parcel: str, place: Any) -> list[tuple[str, int, str]]:
        """The buildings of a service point."""
        at = self.by_parcel.get(parcel, []) if parcel else []
        if not at and place is not None and not place.is_empty:
            at = [int(one) for one in self.tree.query_nearest(place, max_distance=_NEAR, all_matches=False)]
        return [(self.layer, self.fids[one], self.names[one]) for one in at]
