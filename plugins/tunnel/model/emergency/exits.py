"""Ways out of compartments: along them, through doors and shafts, to the nearest opening for people."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from planner_app.plugin_api.model import Project
from plugins.tunnel.model.emergency.scene import Values, WayOut
from plugins.tunnel.model.network.spaces import Spaces
from plugins.tunnel.model.space.load import load_tunnel

_EXITS = ("人员出入口", "逃生口", "entrance", "escape")


class Exit(NamedTuple):
    """An opening for people: its node's code and kind, chainage, place."""

    code: str
    kind: str
    m: float
    xy: tuple[float, float]


class Ways:
    """The project's exits by compartment, and the shortest ways to them."""

    def __init__(self, project: Project, spaces: Spaces, values: Values) -> None:
        self._spaces, self._values = spaces, values
        self._lent: dict[int, tuple[str, str]] = {}
        self.exits: Mapping[int, list[Exit]] = self._exits(project)

    def _exits(self, project: Project) -> dict[int, list[Exit]]:
        """Those of a compartment's own; in a tunnel that lists none for a kind of compartment, all of the tunnel."""
        spaces = self._spaces
        found: dict[int, list[Exit]] = {at: [] for at in range(len(spaces.items))}
        for tunnel, axis in spaces.axes.items():
            nodes = [
                (node.compartment, Exit(node.code, node.kind, node.m, node.xy or axis.at(node.m)[:2]))
                for node in load_tunnel(project, tunnel).nodes
                if any(word in node.kind for word in _EXITS)
            ]
            for kind in sorted({one.kind for one in spaces.items if one.tunnel == tunnel}):
                mine = [at for at, one in enumerate(spaces.items) if one.tunnel == tunnel and one.kind == kind]
                rooms = {code for at in mine for code in spaces.items[at].rooms} | {kind, ""}
                own = [one for room, one in nodes if room in rooms]
                if nodes and not own:
                    self._lent |= dict.fromkeys(mine, (tunnel, kind))
                    own = [one for _, one in nodes]
                for one in own:
                    at = next((a for a in mine if spaces.items[a].from_m <= one.m <= spaces.items[a].to_m), None)
                    if at is not None:
                        found[at].append(one)
        return found

    def out(self, start: int, closed: Iterable[int] = ()) -> WayOut:
        """The shortest way from the middle of a compartment; ``closed`` ones are not passed, but may be left."""
        spaces, shut = self._spaces, set(closed) - {start}
        space = spaces.items[start]
        middle = (space.from_m + space.to_m) / 2
        speed = self._values("walk")
        # Dijkstra over places: the start, both sides of every way; an exit ends it.
        heap: list[tuple[float, int, int, float, tuple[tuple[int, float], ...]]] = [(0.0, 0, start, middle, ())]
        done: set[tuple[int, float]] = set()
        while heap:
            walked, ended, at, m, trail = heapq.heappop(heap)
            trail = (*trail, (at, m))
            if ended:
                if at in self._lent:
                    tunnel, kind = self._lent[at]
                    self._values.assume("tunnel.assumed_exits", tunnel=tunnel, compartment=kind)
                exit_ = next(one for one in self.exits[at] if one.m == m)
                rooms = tuple(dict.fromkeys(spaces.items[a].id for a, _ in trail))
                path = (*(place for a, x in trail[:-1] if (place := self._place(a, x)) is not None), exit_.xy)
                return WayOut(space.id, exit_.code, exit_.kind, m, rooms, path, walked, walked / speed)
            if (at, m) in done:
                continue
            done.add((at, m))
            for one in self.exits[at]:
                heapq.heappush(heap, (walked + abs(one.m - m), 1, at, one.m, trail))
            for other, link in spaces.beside[at]:
                if other in shut or not link.openable:
                    continue
                here, there = spaces.station(link, at), spaces.station(link, other)
                heapq.heappush(heap, (walked + abs(here - m), 0, other, there, (*trail, (at, here))))
        return WayOut(space.id, "", "", middle, (space.id,), (), 0.0, 0.0)

    def _place(self, at: int, m: float) -> tuple[float, float] | None:
        axis = self._spaces.axes.get(self._spaces.items[at].tunnel)
        if axis is None:
            return None
        x, y, _ = axis.at(m)
        return x, y
