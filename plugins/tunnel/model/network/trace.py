"""What lies up- and downstream of a place, or hangs together with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from plugins.tunnel.model.network.network import Bools, Ints, Network

Direction = Literal["up", "down", "both"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Numbers of the nodes and lines reached, ascending, and the length of those lines in m."""

    nodes: Ints
    lines: Ints
    length_m: float


class Tracer:
    """Traces on one network; keeps its graphs. Closed valves and lines that are not passable stop a trace."""

    def __init__(self, network: Network) -> None:
        self.network = network
        shut = np.zeros(len(network.start), bool)
        closed = ~network.valve_open[network.place_valve]
        shut[network.place_line[closed]] = True
        self._through: Bools = network.passable & ~shut
        self._closed_at = {
            (int(line), int(node))
            for line, node in zip(network.place_line[closed], network.place_node[closed], strict=True)
        }
        self._down = self._graph(network.start, network.end)
        self._up = self._graph(network.end, network.start)
        self._both: csr_matrix | None = None

    def _graph(self, a: Ints, b: Ints) -> csr_matrix:
        n, through = len(self.network.node_ids), self._through
        return csr_matrix((np.ones(int(through.sum()), np.int8), (a[through], b[through])), shape=(n, n))

    def trace(self, kind: str, number: int, direction: Direction = "both") -> Trace:
        """Everything reached from a node, line or valve.

        ``down`` follows the lines' direction, ``up`` goes against it, ``both`` ignores it. Lines count if they can be
        entered from a node that was reached; a line one starts from counts itself. A line with a closed valve at its
        far end is reached but leads nowhere.
        """
        network = self.network
        starts = self._starts(kind, number, direction)
        reached = np.zeros(len(network.node_ids), bool)
        for start in starts:
            if not reached[start]:
                order = breadth_first_order(self._of(direction), start, directed=True, return_predecessors=False)
                reached[order] = True
        lines = self._lines(reached, direction)
        if kind == "line":
            lines[number] = True
        found = np.flatnonzero(lines).astype(np.int32)
        return Trace(np.flatnonzero(reached).astype(np.int32), found, float(network.length[found].sum()))

    def _starts(self, kind: str, number: int, direction: Direction) -> list[int]:
        network = self.network
        if kind == "node":
            return [number]
        if kind == "valve":
            return sorted({int(node) for node in network.place_node[network.place_valve == number]})
        ends = {"down": [network.end[number]], "up": [network.start[number]]}.get(
            direction, [network.start[number], network.end[number]]
        )
        if not network.passable[number]:
            return []
        return [int(node) for node in ends if (number, int(node)) not in self._closed_at]

    def _of(self, direction: Direction) -> csr_matrix:
        if direction == "both":
            if self._both is None:
                self._both = (self._down + self._up).tocsr()
            return self._both
        return self._down if direction == "down" else self._up

    def _lines(self, reached: Bools, direction: Direction) -> Bools:
        network = self.network
        entered = {
            "down": reached[network.start],
            "up": reached[network.end],
            "both": reached[network.start] | reached[network.end],
        }[direction]
        lines: Bools = entered & network.passable
        # Lines with a closed valve count only if they can be entered at an end whose valve is open.
        for line, node in self._closed_at:
            if lines[line]:
                ends = {"down": (network.start[line],), "up": (network.end[line],)}.get(
                    direction, (network.start[line], network.end[line])
                )
                lines[line] = any(reached[end] and (line, int(end)) not in self._closed_at for end in ends)
                del node
        return lines
