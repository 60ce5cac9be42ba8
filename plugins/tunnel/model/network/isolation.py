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
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from plugins.tunnel.model.network.network import Bools, Ints, Network, components, gather


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
        close: valves to close, those behind which supply goes on first (``feeding`` of them): that is also the order
            of closing; open them in the reverse order.
        already_closed: valves of the boundary that are shut now and must stay so.
        nodes, lines: the segment that runs dry.
        cut_off: nodes outside the segment that lose every source; cut_off_lines: lines among them.
        customers, unserved, critical: people or connections without service; ids of their service points; of the
            critical ones among them.
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
    unserved: tuple[str, ...]
    open_ends: bool
    seized: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = field(default=())
    feeding: int = 0


@dataclass(frozen=True, slots=True)
class _Cut:
    """Segments that run dry (bool (count,) and their numbers), the places around them, valves to close, seized ones."""

    dry: Bools
    numbers: Ints
    boundary: Ints
    close: Ints
    met: Ints


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
        joins = np.flatnonzero(~at_start & ~at_end & network.passable)
        labels = components(n, network.start[joins], network.end[joins])
        parts = int(labels.max()) + 1 if n else 0
        self.node_segment: Ints = labels
        line = gather(labels, np.where(at_start, network.end, network.start))
        # A line between two valves is a segment of its own, and a loop at one node behind its only valve.
        alone = at_start & (at_end | (network.start == network.end) | ~network.passable)
        own = int(np.count_nonzero(alone))
        line[alone] = np.arange(parts, parts + own, dtype=np.int32)
        self.line_segment: Ints = line
        self.count = parts + own
        # Nothing flows through a shut line, so that its valves part nothing.
        live: Any = gather(network.passable, network.place_line)
        live = slice(None) if live.all() else live
        self.valve: Ints = network.place_valve[live]
        self._sides: Ints = np.empty((len(self.valve), 2), np.int32)
        self.near, self.far = self._sides.T
        gather(labels, network.place_node[live], self.near)
        gather(line, network.place_line[live], self.far)
        sources = np.zeros(self.count, bool)
        sources[labels[network.source]] = True
        self.has_source: Bools = sources
        self._seized: Bools = ~network.valve_operable & network.valve_open
        self._open: Bools = gather(network.valve_open, self.valve)

    def at(self, kind: str, number: int) -> Ints:
        """Segments that a node, line or valve (both its sides) touches."""
        if kind == "node":
            return self.node_segment[[number]]
        if kind == "line":
            return self.line_segment[[number]]
        places = self.valve == number
        if not places.any():  # all its lines are shut: it parts nothing, and only what it sits on has to run dry
            return np.unique(self.node_segment[self.network.place_node[self.network.place_valve == number]])
        return np.unique(np.concatenate([self.near[places], self.far[places]]))

    def isolate(self, kind: str, number: int, seized: Iterable[str] = (), *, alternatives: bool = True) -> Isolation:
        """The valves to close for a place.

        Args:
            kind, number: as :meth:`Network.find` returns them; a valve stands for both segments it parts.
            seized: ids of valves that cannot be closed, beside those known to be inoperable.

        Raises:
            PlannerError: ``tunnel.id_unknown`` for a seized valve that does not exist.
        """
        return self.isolate_all([(kind, number)], seized, alternatives=alternatives)

    def isolate_all(
        self, places: Sequence[tuple[str, int]], seized: Iterable[str] = (), *, alternatives: bool = True
    ) -> Isolation:
        """The valves to close so that several places run dry at once; see :meth:`isolate`."""
        stuck = self._seized.copy()
        for name in seized:
            stuck[self.network.find(f"valve:{name.removeprefix('valve:')}")[1]] = True
        first = np.unique(np.concatenate([self.at(*place) for place in places]))
        cut = self._grow(first, stuck)
        return self._answer(cut, self._alternatives(first, cut, stuck) if alternatives else ())

    def around(self, places: Sequence[tuple[str, int]]) -> tuple[str, ...]:
        """Open valves next to places, whether or not they can be closed."""
        cut = self._grow(np.unique(np.concatenate([self.at(*place) for place in places])), np.zeros_like(self._seized))
        return _names(self.network.valve_ids, cut.close)

    @cached_property
    def _beside(self) -> tuple[Ints, Ints, Ints]:
        """(first, place, other): the places around segment s are ``place[first[s]:first[s + 1]]`` and ``other`` the
        segments behind them. A last row, numbered ``count``, leads to all segments with a source."""
        places, sources = len(self.valve), np.flatnonzero(self.has_source)
        ends, rows = np.empty((2, 2 * places + len(sources)), np.int32)
        ends[: 2 * places], ends[2 * places :] = self._sides[:, ::-1].reshape(-1), sources
        rows[: 2 * places], rows[2 * places :] = self._sides.reshape(-1), self.count
        # Two segments a place, turned over in one pass: sorted by segment, and nothing is summed or checked.
        first = np.arange(0, 2 * places + 2, 2, dtype=np.int32)
        first = np.append(first, first[-1] + np.arange(1, len(sources) + 1, dtype=np.int32))
        found = csr_matrix((ends, rows, first), (len(first) - 1, self.count + 1)).tocsc()
        return found.indptr, found.indices, found.data

    def _around(self, segments: Ints) -> tuple[Ints, Ints, Ints]:
        """(place, segment behind it, which of ``segments`` it was reached from) for all places around segments."""
        first, place, other = self._beside
        begin, count = first[segments], first[segments + 1] - first[segments]
        owner = np.repeat(np.arange(len(segments)), count)
        at = begin[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        return place[at], other[at], segments[owner]

    def _grow(self, first: Ints, stuck: Bools) -> _Cut:
        """What runs dry from some segments on: seized valves let the segment behind them in."""
        dry = np.zeros(self.count, bool)
        dry[first] = True
        front, places = first, []
        while len(front):
            near_by, behind, _ = self._around(front)
            places.append(near_by)
            front = np.unique(behind[self._open[near_by] & stuck[self.valve[near_by]] & ~dry[behind]])
            dry[front] = True
        around = np.unique(np.concatenate(places))
        parts = dry[self.near[around]] != dry[self.far[around]]
        met = around[~parts & self._open[around] & stuck[self.valve[around]]]
        boundary = around[parts]
        close = np.unique(self.valve[boundary[self._open[boundary]]])
        return _Cut(dry, np.flatnonzero(dry).astype(np.int32), boundary, close, np.unique(self.valve[met]))

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
    def _supply(self) -> Ints:
        """Int32 (count,): by which segment each is fed, on a shortest way from a source (``count``: holds one itself;
        below 0: not fed)."""
        first, place, other = self._beside
        if not self._open.all():
            last = first[self.count]
            owner = np.repeat(np.arange(self.count, dtype=np.int32), np.diff(first[:-1]))
            other = other.copy()
            np.copyto(other[:last], owner, where=~self._open[place[:last]])
        every = np.broadcast_to(np.float64(1), other.shape)  # a search asks where ways lead, not what they weigh
        graph = csr_matrix((every, other, first), (self.count + 1, self.count + 1))
        before = breadth_first_order(graph, self.count, directed=True, return_predecessors=True)[1]
        return np.asarray(before[:-1], np.int32)

    def _lost(self, cut: _Cut, *, closing: bool = True) -> Ints:
        """Segments that are fed now and no more once ``dry`` ones are cut out and the valves closed: of those fed
        through either, all that no other way leads to. A valve that shuts several lines at its node parts more than
        what runs dry; the bare point at which it sits does not count.

        Args:
            closing: without it the valves stay open: what would still be fed right behind them.
        """
        supply, dry, numbers = self._supply, cut.dry, cut.numbers
        several = cut.close[self._several[cut.close]] if closing else cut.close[:0]
        past = self._fed_past(several, dry)
        hung = np.zeros(self.count, bool)  # fed through a dry one, or past a valve that closes
        hung[past] = True
        front, found = np.concatenate([numbers, past]), [past] if len(past) else []
        for _ in range(_LEVELS):
            _, other, owner = self._around(front)
            front = other[(supply[other] == owner) & ~hung[other] & ~dry[other]]
            if not len(front):
                break
            front = np.unique(front)
            hung[front] = True
            found.append(front)
        else:
            closed = ~self.network.valve_open
            closed[several] = True
            fed = self.supplied(closed, dry)
            return self._without_points(np.flatnonzero((supply >= 0) & ~fed & ~dry).astype(np.int32), several)
        if not found:
            return np.empty(0, np.int32)
        below = np.unique(np.concatenate(found))
        place, other, owner = self._around(below)
        ways = self._open[place] & ~dry[other]
        if len(several):
            ways &= ~np.isin(self.valve[place], several)
        inner = ways & hung[other]
        labels = components(len(below), np.searchsorted(below, owner[inner]), np.searchsorted(below, other[inner]))
        outer = ways & ~hung[other] & (supply[other] >= 0)
        fed = np.zeros(len(below), bool)
        fed[labels[np.searchsorted(below, owner[outer])]] = True
        fed[labels[self.has_source[below]]] = True
        return self._without_points(below[~fed[labels]], several)

    @cached_property
    def _several(self) -> Bools:
        """Bool (v,): valves with more than one place."""
        return np.bincount(self.valve, minlength=len(self.network.valve_ids)) > 1

    @cached_property
    def _places_of(self) -> tuple[Any, Any]:
        """(order, first): the places of valve v are ``order[first[v]:first[v + 1]]``."""
        order = np.argsort(self.valve, kind="stable")
        return order, np.searchsorted(self.valve[order], np.arange(len(self.network.valve_ids) + 1))

    def _fed_past(self, valves: Ints, dry: Bools) -> Ints:
        """Wet segments that are fed from wet ones through one of these valves."""
        if not len(valves):
            return np.empty(0, np.int32)
        order, first = self._places_of
        places = np.concatenate([order[first[valve] : first[valve + 1]] for valve in valves.tolist()])
        places = places[~dry[self.near[places]] & ~dry[self.far[places]]]
        near, far, supply = self.near[places], self.far[places], self._supply
        return np.unique(np.concatenate([far[supply[far] == near], near[supply[near] == far]]))

    @cached_property
    def _bare(self) -> Bools:
        """Bool (count,): a node without a line, source or service point: where a valve sits on every line."""
        found: Bools = np.bincount(self.line_segment, minlength=self.count) == 0
        found &= ~self.has_source
        net = self.network
        found[self.node_segment[net.service_node[net.service_node >= 0]]] = False
        return found

    def _without_points(self, lost: Ints, several: Ints) -> Ints:
        """Lost segments but for the bare points of valves that shut every line there: part of the valve itself."""
        points = lost[self._bare[lost]] if len(several) else several
        if not len(points):
            return lost
        place, _, owner = self._around(points)
        others = owner[~np.isin(self.valve[place], several)]
        return np.setdiff1d(lost, np.setdiff1d(points, others))

    def _answer(self, cut: _Cut, alternatives: tuple[Alternative, ...]) -> Isolation:
        network, lost = self.network, self._lost(cut)
        state = np.zeros(self.count, np.int8)
        state[cut.numbers], state[lost] = 1, 2
        nodes, lines = gather(state, self.node_segment), gather(state, self.line_segment)
        shut = np.unique(self.valve[cut.boundary[~self._open[cut.boundary]]])
        unserved = self._unserved(state > 0)
        if self._several[cut.close].any():  # before they close: what stands behind each is fed still
            state = np.zeros(self.count, np.int8)
            state[cut.numbers], state[self._lost(cut, closing=False)] = 1, 2
        close, feeding = self._in_order(cut, state)
        return Isolation(
            close=_names(network.valve_ids, close),
            already_closed=_names(network.valve_ids, shut),
            nodes=_names(network.node_ids, np.flatnonzero(nodes == 1)),
            lines=_names(network.line_ids, np.flatnonzero(lines == 1)),
            cut_off=_names(network.node_ids, np.flatnonzero(nodes == 2)),
            cut_off_lines=_names(network.line_ids, np.flatnonzero(lines == 2)),
            customers=int(network.service_customers[unserved].sum()),
            critical=_names(network.service_ids, np.flatnonzero(unserved & network.service_critical)),
            unserved=_names(network.service_ids, np.flatnonzero(unserved)),
            open_ends=bool(self.has_source[cut.numbers].any()),
            seized=_names(network.valve_ids, cut.met),
            alternatives=alternatives,
            feeding=feeding,
        )

    def _in_order(self, cut: _Cut, state: Any) -> tuple[Ints, int]:
        """Supply side first, so that no pressure builds up behind the last valve: by whether the far side is fed."""
        places = cut.boundary[self._open[cut.boundary]]
        outer = np.where(cut.dry[self.near[places]], self.far[places], self.near[places])
        fed = (state[outer] == 0) & (self._supply[outer] >= 0)
        feeding = np.isin(cut.close, self.valve[places[fed]])
        return cut.close[np.argsort(~feeding, kind="stable")], int(feeding.sum())

    def _alternatives(self, first: Ints, cut: _Cut, stuck: Bools) -> tuple[Alternative, ...]:
        found = []
        for valve in cut.close[:_MOST_ALTERNATIVES]:
            also = stuck.copy()
            also[valve] = True
            found.append(self._alternative("seized", str(self.network.valve_ids[valve]), self._grow(first, also)))
        fewer = self._fewer(cut, stuck)
        return (*found, self._alternative("fewer", "", fewer)) if fewer is not None else tuple(found)

    def _alternative(self, reason: str, valve: str, cut: _Cut) -> Alternative:
        without = cut.dry.copy()
        without[self._lost(cut)] = True
        customers = int(self.network.service_customers[self._unserved(without)].sum())
        close = _names(self.network.valve_ids, cut.close)
        return Alternative(reason, valve, close, int(self._size[without].sum()), customers)

    @cached_property
    def _size(self) -> Ints:
        """Nodes of each segment."""
        return np.asarray(np.bincount(self.node_segment, minlength=self.count))

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

    def _fewer(self, first: _Cut, stuck: Bools) -> _Cut | None:
        """Fewer valves nearer to the sources, if a segment further out is held by fewer than the first answer."""
        best, cut = None, first
        for _ in range(_RINGS):
            boundary = cut.boundary[self._open[cut.boundary]]
            if not len(boundary):
                break
            grown = np.unique(np.concatenate([cut.numbers, self.near[boundary], self.far[boundary]]))
            if self.has_source[grown].any():
                break
            cut = self._grow(grown, stuck)
            if self.has_source[cut.numbers].any():
                break
            if len(cut.close) < len((best or first).close):
                best = cut
        return best


#: Alternatives are worked out for so many valves; a bigger set has no use for the person who has to walk to them.
_MOST_ALTERNATIVES = 12
#: Rings of segments tried for an answer with fewer valves.
_RINGS = 3
#: A way of supply is followed over so many segments before the whole network is searched instead.
_LEVELS = 2_000


def _names(ids: Sequence[str], numbers: Any) -> tuple[str, ...]:
    return tuple(ids[number] for number in numbers.tolist())
