"""Segments and isolation of a network of 1,000,000 nodes: ours against NetworkX and WNTR, in interleaved rounds.

    .venv/bin/python -m tests.bench.bench_network [--side 1000] [--rounds 3] [--json OUT]

ours             1.2 million lines, 780,000 valves as arrays → segments (``build_s``); valves to close for a random
                 line, the first answer and the median of 50 more with alternatives (``first_s``, ``answer_s``)
networkx         the same graph without the valved lines from the same arrays → connected components
ours small       Net6 (3,356 nodes) with valves on a third of its pipes' ends → segments
wntr small       ``wntr.metrics.valve_segments`` of the same (it is quadratic: a million nodes are out of its reach)

Limits (the product's own): build ≤ 0.1 s, an answer ≤ 0.1 s, the first one too, which also finds the ways of supply for
all that follow (medians of the rounds). Both pairs must find equally many segments.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import harness

DATA = Path(os.environ.get("PLANNER_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
LIMIT_S = 0.1
METHODS = ("ours", "networkx", "ours small", "wntr small")


class Names:
    """Ids of a million things without a million strings."""

    def __init__(self, letter: str, count: int) -> None:
        self.letter, self.count = letter, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, at: int) -> str:
        return f"{self.letter}{at}"


def city(side: int) -> Any:
    """Streets of ``side`` × ``side`` crossings, each joined east and every fifth north; two of three lines valved."""
    from plugins.tunnel.model.network.network import Network

    rng = np.random.default_rng(1)
    n = side * side
    at = np.arange(n, dtype=np.int32).reshape(side, side)
    start = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()[::5]])
    end = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()[::5]])
    m = len(start)
    line = np.flatnonzero(rng.random(m) < 0.65).astype(np.int32)
    node = np.where(rng.random(len(line)) < 0.5, start[line], end[line])
    source = np.zeros(n, bool)
    source[rng.choice(n, 5, replace=False)] = True
    k = len(line)
    return Network(
        Names("N", n), Names("L", m), start, end, np.ones(m), source, np.ones(m, bool), Names("V", k),
        np.arange(k, dtype=np.int32), line, node, np.ones(k, bool), np.ones(k, bool),
    )  # fmt: skip


def ours(side: int) -> dict[str, Any]:
    """Build, then answer."""
    from plugins.tunnel.model.network.isolation import Segments

    Segments(city(20)).isolate("line", 7)  # modules loaded
    net = city(side)

    def work() -> dict[str, Any]:
        began = time.perf_counter()
        segments = Segments(net)
        built = time.perf_counter() - began
        asked = np.random.default_rng(2).integers(0, len(net.start), 51).tolist()
        took = []
        for line in asked:
            began = time.perf_counter()
            segments.isolate("line", line)
            took.append(time.perf_counter() - began)
        found = {"build_s": built, "first_s": took[0], "answer_s": statistics.median(took[1:])}
        return {**found, "worst_s": max(took[1:]), "segments": segments.count}

    return harness.timed(work) | {"nodes": len(net.source), "lines": len(net.start), "valves": len(net.place_valve)}


def by_networkx(side: int) -> dict[str, Any]:
    """Build and components; a valved line hangs on the end without the valve."""
    import networkx as nx

    net = city(side)
    at_start, at_end = net.cut_ends

    def work() -> dict[str, Any]:
        began = time.perf_counter()
        graph = nx.Graph()
        graph.add_nodes_from(range(len(net.source)))
        free = ~(at_start | at_end)
        graph.add_edges_from(zip(net.start[free].tolist(), net.end[free].tolist(), strict=True))
        built = time.perf_counter() - began
        count = nx.number_connected_components(graph)
        return {"build_s": built, "segments": count + int((at_start & at_end).sum())}

    return harness.timed(work)


def small(wntr_too: bool) -> dict[str, Any]:
    """Net6 with valves, by us or by WNTR."""
    from plugins.tunnel.model.network.epanet import read_epanet
    from plugins.tunnel.model.network.from_epanet import network_of
    from plugins.tunnel.model.network.isolation import Segments

    path = DATA / "water_networks" / "Net6.inp"
    file = read_epanet(path)
    rng = np.random.default_rng(3)
    ends = [(line.id, node) for line in file.lines for node in {line.start: 0, line.end: 0} if rng.random() < 1 / 3]
    net = network_of(file, [(f"V{at}", *place) for at, place in enumerate(ends)])
    if not wntr_too:
        Segments(net)
        # WNTR knows no shut lines.
        net.passable[:] = True
        return harness.timed(lambda: {"segments": Segments(net).count})
    import warnings

    import pandas as pd

    warnings.simplefilter("ignore")
    import wntr

    graph = wntr.network.WaterNetworkModel(str(path)).to_graph()
    layer = pd.DataFrame(ends, columns=["link", "node"])
    return harness.timed(lambda: {"segments": len(wntr.metrics.valve_segments(graph, layer)[2])})


def main() -> int:
    """Print the table; 1 if a limit does not hold or the counts differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        side = arguments.side
        run = {"ours": lambda: ours(side), "networkx": lambda: by_networkx(side)}
        harness.report(run.get(arguments.method, lambda: small(arguments.method == "wntr small"))())
        return 0
    command = [sys.executable, "-m", "tests.bench.bench_network", "--side", str(arguments.side), "--method"]
    found = harness.run([harness.Method(name, [*command, name]) for name in METHODS], arguments.rounds)
    harness.save(found, arguments.json)
    if any("error" in row for row in found.values()):
        print(harness.table(found, "ours"))
        return 1
    mine = found["ours"]
    print(f"{mine['nodes']:,} nodes, {mine['lines']:,} lines, {mine['valves']:,} valves, {mine['segments']:,} segments")
    print(f"build from arrays {mine['build_s']:.3f} s, first answer {mine['first_s']:.3f} s, "
          f"then {mine['answer_s']:.3f} s with alternatives (worst of 50: {mine['worst_s']:.3f} s)")  # fmt: skip
    nx_s = found["networkx"]["wall_s"]
    print(f"NetworkX, build and components: {nx_s:.2f} s = {nx_s / mine['build_s']:.0f} × ours")
    ours_s, wntr_s = found["ours small"]["wall_s"], found["wntr small"]["wall_s"]
    print(f"Net6: WNTR {wntr_s:.2f} s, ours {ours_s * 1e3:.2f} ms = {wntr_s / ours_s:,.0f} × ours")
    same = all(
        found[a]["segments"] == found[b]["segments"] for a, b in (("ours", "networkx"), ("ours small", "wntr small"))
    )
    print("segments agree" if same else f"segments differ: {[row['segments'] for row in found.values()]}")
    slow = arguments.side <= 1_000 and max(mine["build_s"], mine["first_s"], mine["answer_s"]) > LIMIT_S
    return int(not same or slow)


if __name__ == "__main__":
    raise SystemExit(main())
