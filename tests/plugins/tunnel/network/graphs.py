"""Networks to try things on, and the same questions answered by NetworkX in the plainest way."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np

from plugins.tunnel.model.network.network import Network


def random_network(rng: np.random.Generator, nodes: int, lines: int, valves: int, sources: int) -> Network:
    """A network with parallel lines, loops at one node, dead ends and separate parts."""
    start, end = rng.integers(0, nodes, (2, lines)).astype(np.int32)
    line = rng.integers(0, lines, valves)
    at_end = rng.random(valves) < 0.5
    pairs = sorted({(int(one), int(end[one] if last else start[one])) for one, last in zip(line, at_end, strict=True)})
    place_line, place_node = np.array(pairs, np.int32).reshape(-1, 2).T
    source = np.zeros(nodes, bool)
    source[rng.choice(nodes, sources, replace=False)] = True
    count = len(pairs)
    return Network(
        node_ids=[f"N{n}" for n in range(nodes)],
        line_ids=[f"N{n}" for n in range(lines)],  # one id for two kinds, as real files have it
        start=start,
        end=end,
        length=rng.uniform(1, 100, lines),
        source=source,
        passable=rng.random(lines) > 0.03,
        valve_ids=[f"V{n}" for n in range(count)],
        place_valve=np.arange(count, dtype=np.int32),
        place_line=place_line,
        place_node=place_node,
        valve_open=rng.random(count) > 0.1,
        valve_operable=rng.random(count) > 0.1,
        service_ids=[f"S{n}" for n in range(nodes)],
        service_node=np.where(np.arange(nodes) % 3 == 0, -1, np.arange(nodes)).astype(np.int32),
        service_line=np.where(np.arange(nodes) % 3 == 0, np.arange(nodes) % lines, -1).astype(np.int32),
        service_customers=rng.integers(0, 50, nodes),
        service_critical=rng.random(nodes) < 0.05,
    )


def with_valves(path: Path, rng: np.random.Generator, share: float = 0.4, copies_to: int = 0) -> Network:
    """A real network with isolation valves at some ends of its pipes, a few of them shut or stuck, and customers.

    ``copies_to``: copies of it side by side, each joined to the one before by three pipes, up to so many nodes.
    """
    from plugins.tunnel.model.network.epanet import read_epanet

    file = read_epanet(path)
    number = {node.id: at for at, node in enumerate(file.nodes)}
    n, copies = len(file.nodes), -(-copies_to // len(file.nodes)) or 1
    total = copies_to or n
    ends = [(number[one.start] + c * n, number[one.end] + c * n) for c in range(copies) for one in file.lines]
    joins = [tuple(rng.integers(0, n, 2) + np.array([(c - 1) * n, c * n])) for c in range(1, copies) for _ in range(3)]
    rows = [at for at, pair in enumerate([*ends, *joins]) if max(pair) < total]
    start, end = np.array([*ends, *joins], np.int32)[rows].T
    closed = np.array([*(one.closed for _ in range(copies) for one in file.lines), *(False for _ in joins)])[rows]
    source = np.array([node.kind != "junction" for _ in range(copies) for node in file.nodes])[:total]
    line, side = np.nonzero(rng.random((len(rows), 2)) < share / 2)
    node = np.where(side == 0, start[line], end[line])
    keep = ~((side == 1) & (start[line] == end[line]))
    count, served = int(keep.sum()), rng.choice(total, total // 3, replace=False)
    return Network(
        node_ids=[f"N{at}" for at in range(total)],
        line_ids=[f"L{at}" for at in range(len(rows))],
        start=start,
        end=end,
        length=rng.uniform(5, 200, len(rows)),
        source=source,
        passable=~closed,
        valve_ids=[f"V{at}" for at in range(count)],
        place_valve=np.arange(count, dtype=np.int32),
        place_line=line[keep].astype(np.int32),
        place_node=node[keep].astype(np.int32),
        valve_open=rng.random(count) > 0.04,
        valve_operable=rng.random(count) > 0.03,
        service_ids=[f"S{at}" for at in served],
        service_node=served.astype(np.int32),
        service_line=np.full(len(served), -1, np.int32),
        service_customers=rng.integers(1, 90, len(served)),
        service_critical=rng.random(len(served)) < 0.05,
    )


class Plain:
    """Nodes and lines as the vertices of one NetworkX graph, joined where a line ends at a node; a valve is written on
    the edge it sits on. Every question is a search that asks edge by edge whether it may pass. No segments."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.graph = nx.Graph()
        self.graph.add_nodes_from(("node", at) for at in range(len(net.node_ids)))
        self.graph.add_nodes_from(("line", at) for at in range(len(net.line_ids)))
        sits = {
            (int(line), int(node)): int(valve)
            for valve, line, node in zip(net.place_valve, net.place_line, net.place_node, strict=True)
        }
        for line in range(len(net.line_ids)):
            for node in {int(net.start[line]), int(net.end[line])}:
                valve = sits.get((line, node))
                if net.passable[line] or (valve is None and node == net.start[line]):
                    # A shut line carries nothing: it hangs on its first node and on nothing else.
                    self.graph.add_edge(("line", line), ("node", node), valve=valve)
        self.sources = [("node", int(at)) for at in np.flatnonzero(net.source)]
        self.fed_now = self.search(self.sources, lambda valve: bool(net.valve_open[valve]), set())

    def search(self, begin, passes, without: set) -> set:
        """Everything reached from some vertices over edges without a valve or whose valve ``passes``."""
        view = nx.subgraph_view(
            self.graph,
            filter_node=lambda one: one not in without,
            filter_edge=lambda a, b: self.graph.edges[a, b]["valve"] is None or passes(self.graph.edges[a, b]["valve"]),
        )
        found: set = set()
        for one in begin:
            if one not in found and one not in without:
                found |= {one} | {b for _, b in nx.bfs_edges(view, one)}
        return found

    def _valves_at(self, node: tuple[str, int]) -> set[int | None]:
        return {data["valve"] for _, _, data in self.graph.edges(node, data=True)}

    def isolation(self, kind: str, number: int, seized: set[int]) -> dict[str, set[int]]:
        """What closing valves around a place does, some of them seized."""
        net = self.net

        def stays_open(valve: int) -> bool:
            return bool(net.valve_open[valve]) and (not net.valve_operable[valve] or valve in seized)

        dry = self.search([(kind, number)], stays_open, set())
        close = {
            data["valve"]
            for a, b, data in self.graph.edges(data=True)
            if data["valve"] is not None
            and net.valve_open[data["valve"]]
            and net.passable[(a if a[0] == "line" else b)[1]]
            and (a in dry) != (b in dry)
        }
        after = self.search(self.sources, lambda valve: bool(net.valve_open[valve]) and valve not in close, dry)
        lost = self.fed_now - after - dry
        hangs = [
            ("line", li) if li >= 0 else ("node", no) for no, li in zip(net.service_node, net.service_line, strict=True)
        ]
        # The bare point of a valve that shuts every line there is part of the valve.
        several = {v for v in close if np.count_nonzero(net.passable[net.place_line[net.place_valve == v]]) > 1}
        bare = {one for one in lost if one[0] == "node" and one not in hangs and one not in self.sources}
        lost -= {one for one in bare if self._valves_at(one) <= several and self.graph.degree(one)}
        return {
            "close": close,
            "nodes": {at for kind, at in dry if kind == "node"},
            "lines": {at for kind, at in dry if kind == "line"},
            "cut_off": {at for kind, at in lost if kind == "node"},
            "unserved": {at for at, place in enumerate(hangs) if place in dry or place in lost},
        }


def plain_trace(net: Network, kind: str, number: int, direction: str) -> tuple[set[int], set[int]]:
    """Steps from line to line, asking of each whether one may enter and leave it."""
    shut = {
        (int(line), int(node))
        for v, line, node in zip(net.place_valve, net.place_line, net.place_node, strict=True)
        if not net.valve_open[v]
    }
    at: dict[int, list[int]] = {}
    for line in range(len(net.start)):
        if net.passable[line]:
            at.setdefault(int(net.start[line]), []).append(line)
            if net.end[line] != net.start[line]:
                at.setdefault(int(net.end[line]), []).append(line)
    nodes: set[int] = set()
    lines: set[int] = set()
    waiting: list[int] = []
    if kind == "node":
        waiting = [number]
    else:
        lines.add(number)
        if net.passable[number]:
            ends = {"down": [net.end[number]], "up": [net.start[number]]}.get(
                direction, [net.start[number], net.end[number]]
            )
            waiting = [int(node) for node in ends if (number, int(node)) not in shut]
    while waiting:
        node = waiting.pop()
        if node in nodes:
            continue
        nodes.add(node)
        for line in at.get(node, []):
            for here, there in ((net.start[line], net.end[line]), (net.end[line], net.start[line])):
                forward = here == net.start[line] and (here != net.end[line] or direction != "up")
                if (
                    int(here) != node
                    or (direction == "down" and not forward)
                    or (direction == "up" and here != net.end[line])
                ):
                    continue
                if (line, int(here)) in shut:
                    continue
                lines.add(line)
                if (line, int(there)) not in shut:
                    waiting.append(int(there))
    return nodes, lines
