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


def with_valves(path: Path, rng: np.random.Generator, share: float = 0.4) -> Network:
    """A real network with isolation valves at some ends of its pipes."""
    from plugins.tunnel.model.network.epanet import read_epanet
    from plugins.tunnel.model.network.from_epanet import network_of

    file = read_epanet(path)
    places = [
        (f"V{number}", line.id, node)
        for number, line in enumerate(file.lines)
        for node in (line.start, line.end)
        if rng.random() < share / 2
    ]
    return network_of(file, [(f"{valve}-{at}", line, node) for at, (valve, line, node) in enumerate(places)])


def plain_isolation(net: Network, kind: str, number: int, seized: set[int]) -> dict[str, set[int]]:
    """Nodes and lines as vertices; whether a line's end is open is asked edge by edge; searches, no components."""
    valve_at = {
        (int(v_l), int(v_n)): int(v)
        for v, v_l, v_n in zip(net.place_valve, net.place_line, net.place_node, strict=True)
    }

    def graph(shut) -> nx.Graph:
        made = nx.Graph()
        made.add_nodes_from(("node", n) for n in range(len(net.node_ids)))
        for line in range(len(net.start)):
            made.add_node(("line", line))
            for node in {int(net.start[line]), int(net.end[line])}:
                valve = valve_at.get((line, node))
                if net.passable[line]:
                    if valve is None or not shut(valve):
                        made.add_edge(("line", line), ("node", node))
                elif valve is None and node == int(net.start[line]):
                    made.add_edge(("line", line), ("node", node))
        return made

    def stays_open(valve: int) -> bool:
        return bool(net.valve_open[valve]) and (not net.valve_operable[valve] or valve in seized)

    reach = graph(lambda valve: not stays_open(valve))
    dry = nx.node_connected_component(reach, (kind, number))
    close = set()
    for (line, node), valve in valve_at.items():
        if net.passable[line] and net.valve_open[valve] and (("line", line) in dry) != (("node", node) in dry):
            close.add(valve)
    sources = {("node", int(n)) for n in np.flatnonzero(net.source)}

    def fed(made: nx.Graph) -> set:
        return set().union(*(nx.node_connected_component(made, s) for s in sources if s in made), set())

    before = fed(graph(lambda valve: not net.valve_open[valve]))
    after_graph = graph(lambda valve: not net.valve_open[valve] or valve in close)
    after_graph.remove_nodes_from(dry)
    lost = before - fed(after_graph) - dry
    return {
        "close": close,
        "nodes": {n for k, n in dry if k == "node"},
        "lines": {n for k, n in dry if k == "line"},
        "cut_off": {n for k, n in lost if k == "node"},
        "unserved": {
            s
            for s, (node, line) in enumerate(zip(net.service_node.tolist(), net.service_line.tolist(), strict=True))
            if (("node", node) if node >= 0 else ("line", line)) in dry | lost
        },
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
