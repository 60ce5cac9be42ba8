"""Which valves to close so that one place runs dry, what lies dry with it, and what else can be done.

A segment is what hangs together without crossing a valve (as WNTR's ``valve_segments``; Walski 1993). It is found once
for the whole network; an answer then only looks at the graph of segments, whose edges are the valves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from plugins.tunnel.model.network.network import Bools, Ints, Network, components


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way: valves to close and what it costs beside the first answer.

    ``reason``: ``seized`` (a valve of the smallest set does not close: its far segment goes dry as well) or ``fewer``
    (fewer valves to close, more nodes without supply).
    """

    reason: str
    valve: str
    close: tuple[str, ...]
    cut_off_nodes: int
    customers: int


@dataclass(frozen=True, slots=True)
class Isolation:
    """The answer for one place. All ids without their kind.

    Attributes:
        close: valves to close, nearest to the sources first: that is also the order of closing; open them in the
            reverse order.
        already_closed: valves of the boundary that are shut now and must stay so.
        nodes, lines: the segment that runs dry.
        cut_off: nodes outside the segment that lose every source; cut_off_lines: lines among them.
        customers, critical: people or connections without service; ids of the critical service points among them.
        open_ends: the segment holds a source itself: closing valves cannot make it dry.
        seized: valves of the boundary that cannot be closed and were passed over.
    """

    close: tuple[str, ...]
    already_closed: tuple[str, ...]
    nodes: tuple[str, ...]
    lines: tuple[str, ...]
    cut_off: tuple[str, ...]
    cut_off_lines: tuple[str, ...]
    customers: int
    critical: tuple[str, ...]
    open_ends: bool
    seized: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = field(default=())


class Segments:
    """The segments of a network: every node and every line is in one.

    Attributes:
        count: number of segments; node_segment: int32 (n,); line_segment: int32 (m,).
        valve, near, far: int32 (k,): for each place of a valve on a line in use, its number and the segments on the
            node's and on the line's side.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        n = len(network.node_ids)
        at_start, at_end = network.cut_ends
        joins = ~at_start & ~at_end & network.passable
        labels = components(n, network.start[joins], network.end[joins])
        parts = int(labels.max()) + 1 if n else 0
        self.node_segment: Ints = labels
        line = labels[network.start].copy()
        line[at_start] = labels[network.end[at_start]]
        # A line between two valves is a segment of its own, and a loop at one node behind its only valve.
        alone = at_start & (at_end | (network.start == network.end) | ~network.passable)
        line[alone] = parts + np.arange(int(alone.sum()), dtype=np.int32)
        self.line_segment: Ints = line
        self.count = parts + int(alone.sum())
        # Nothing flows through a shut line, so that its valves part nothing.
        live = network.passable[network.place_line]
        self.valve: Ints = network.place_valve[live]
        self.near: Ints = labels[network.place_node[live]]
        self.far: Ints = line[network.place_line[live]]
        sources = np.zeros(self.count, bool)
        sources[labels[network.source]] = True
        self.has_source: Bools = sources
        self._seized: Bools = ~network.valve_operable & network.valve_open

    def at(self, kind: str, number: int) -> Ints:
        """Segments that a node, line or valve (both its sides) touches."""
        if kind == "node":
            return self.node_segment[[number]]
        if kind == "line":
            return self.line_segment[[number]]
        places = self.valve == number
        return np.unique(np.concatenate([self.near[places], self.far[places]]))

    def isolate(self, kind: str, number: int, seized: Iterable[str] = (), *, alternatives: bool = True) -> Isolation:
        """The valves to close for a place.

        Args:
            kind, number: as :meth:`Network.find` returns them; a valve stands for both segments it parts.
            seized: ids of valves that cannot be closed, beside those known to be inoperable.

        Raises:
            PlannerError: ``tunnel.id_unknown`` for a seized valve that does not exist.
        """
        stuck = self._seized.copy()
        for name in seized:
            stuck[self.network.find(f"valve:{name.removeprefix('valve:')}")[1]] = True
        first = self.at(kind, number)
        dry, close, met = self._grow(first, stuck)
        answer = self._answer(dry, close, met)
        if not alternatives:
            return answer
        return self._with_alternatives(answer, first, close, stuck)

    def _grow(self, first: Ints, stuck: Bools) -> tuple[Bools, Ints, Ints]:
        """(segments that go dry, valves to close, seized valves met): seized valves let the segment behind them in."""
        valves, network = self.valve, self.network
        dry = np.zeros(self.count, bool)
        dry[first] = True
        through = stuck[valves] & network.valve_open[valves]
        while True:
            reached = through & (dry[self.near] != dry[self.far])
            if not reached.any():
                break
            dry[self.near[reached]] = dry[self.far[reached]] = True
        boundary = dry[self.near] != dry[self.far]
        met = np.unique(valves[through & dry[self.near] & dry[self.far]])
        return dry, np.unique(valves[boundary & network.valve_open[valves]]), met

    def supplied(self, closed: Bools, dry: Bools | None = None) -> Bools:
        """Segments (bool (count,)) a source reaches past ``closed`` valves (bool (v,)), not through ``dry`` ones."""
        open_places = ~closed[self.valve]
        a, b = self.near[open_places], self.far[open_places]
        sources = self.has_source
        if dry is not None:
            keep = ~(dry[a] | dry[b])
            a, b = a[keep], b[keep]
            sources = sources & ~dry
        labels = components(self.count, a, b)
        fed = np.zeros(self.count, bool)
        fed[labels[sources]] = True
        reached: Bools = fed[labels]
        return reached & ~dry if dry is not None else reached

    @cached_property
    def _fed_now(self) -> Bools:
        return self.supplied(~self.network.valve_open)

    def _left(self, dry: Bools) -> Bools:
        """What sources still reach: valves to close border on dry segments, so closing changes nothing else."""
        return self.supplied(~self.network.valve_open, dry)

    def _answer(self, dry: Bools, close: Ints, met: Ints) -> Isolation:
        network, left = self.network, self._left(dry)
        lost = self._fed_now & ~left & ~dry
        boundary = dry[self.near] != dry[self.far]
        shut = np.unique(self.valve[boundary & ~network.valve_open[self.valve]])
        inside, outside = dry[self.node_segment], lost[self.node_segment]
        unserved = self._unserved(dry | lost)
        return Isolation(
            close=_names(network.valve_ids, self._in_order(close, dry, left)),
            already_closed=_names(network.valve_ids, shut),
            nodes=_names(network.node_ids, np.flatnonzero(inside)),
            lines=_names(network.line_ids, np.flatnonzero(dry[self.line_segment])),
            cut_off=_names(network.node_ids, np.flatnonzero(outside)),
            cut_off_lines=_names(network.line_ids, np.flatnonzero(lost[self.line_segment])),
            customers=int(network.service_customers[unserved].sum()),
            critical=_names(network.service_ids, np.flatnonzero(unserved & network.service_critical)),
            open_ends=bool((self.has_source & dry).any()),
            seized=_names(network.valve_ids, met),
        )

    def _in_order(self, close: Ints, dry: Bools, fed: Bools) -> Ints:
        """Supply side first, so that no pressure builds up behind the last valve: by whether the far side is fed."""
        places = np.flatnonzero(np.isin(self.valve, close))
        outer = np.where(dry[self.near[places]], self.far[places], self.near[places])
        feeding = np.zeros(len(self.network.valve_ids), bool)
        feeding[self.valve[places[fed[outer]]]] = True
        return close[np.argsort(~feeding[close], kind="stable")]

    def _with_alternatives(self, answer: Isolation, first: Ints, close: Ints, stuck: Bools) -> Isolation:
        found = []
        for valve in close[:_MOST_ALTERNATIVES]:
            also = stuck.copy()
            also[valve] = True
            dry, other, _ = self._grow(first, also)
            found.append(self._alternative("seized", str(self.network.valve_ids[valve]), dry, other))
        fewer = self._fewer(first, close, stuck)
        if fewer is not None:
            found.append(fewer)
        return Isolation(**{name: getattr(answer, name) for name in _ANSWER}, alternatives=tuple(found))

    def _alternative(self, reason: str, valve: str, dry: Bools, close: Ints) -> Alternative:
        network, lost = self.network, self._fed_now & ~self._left(dry) & ~dry
        nodes = int((dry | lost)[self.node_segment].sum())
        customers = int(network.service_customers[self._unserved(dry | lost)].sum())
        return Alternative(reason, valve, _names(network.valve_ids, close), nodes, customers)

    def _unserved(self, without: Bools) -> Bools:
        """Bool (s,): service points on segments that are ``without``."""
        network = self.network
        on_line = network.service_line >= 0
        segment = np.where(
            on_line,
            self.line_segment[np.where(on_line, network.service_line, 0)] if len(self.line_segment) else 0,
            self.node_segment[np.where(on_line, 0, network.service_node)] if len(self.node_segment) else 0,
        )
        found: Bools = without[segment]
        return found

    def _fewer(self, first: Ints, close: Ints, stuck: Bools) -> Alternative | None:
        """Fewer valves nearer to the sources, if a segment further out is held by fewer than the first answer."""
        best: tuple[int, Bools, Ints] | None = None
        dry, front = self._grow(first, stuck)[:2]
        for _ in range(_RINGS):
            near, far, valves = self.near, self.far, self.valve
            boundary = (dry[near] != dry[far]) & self.network.valve_open[valves]
            if not boundary.any():
                break
            grown = dry.copy()
            grown[near[boundary]] = grown[far[boundary]] = True
            if (grown & self.has_source).any():
                break
            dry, front, _ = self._grow(np.flatnonzero(grown).astype(np.int32), stuck)
            if (dry & self.has_source).any():
                break
            if len(front) < len(close) and (best is None or len(front) < best[0]):
                best = (len(front), dry, front)
        return None if best is None else self._alternative("fewer", "", best[1], best[2])


#: Alternatives are worked out for so many valves; a bigger set has no use for the person who has to walk to them.
_MOST_ALTERNATIVES = 12
#: Rings of segments tried for an answer with fewer valves.
_RINGS = 3
_ANSWER = (
    "close", "already_closed", "nodes", "lines", "cut_off", "cut_off_lines", "customers", "critical", "open_ends",
    "seized",
)  # fmt: skip


def _names(ids: Sequence[str], numbers: Any) -> tuple[str, ...]:
    return tuple(ids[number] for number in numbers.tolist())
