"""Why each valve of an isolation has to be closed, as codes that the edges word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plugins.tunnel.model.network.isolation import Isolation, Segments


@dataclass(frozen=True, slots=True)
class Step:
    """One valve to close.

    Attributes:
        order: 1 is closed first (and opened last). why: code of the wording files with ``params``.
        lines, nodes: where it sits.
    """

    order: int
    valve: str
    lines: tuple[str, ...]
    nodes: tuple[str, ...]
    why: str
    params: dict[str, Any]


def explain(segments: Segments, places: Sequence[tuple[str, int]], answer: Isolation) -> list[Step]:
    """The valves of an answer for some places, in the order of closing, each with its reason.

    A valve is closed because supply goes on behind it; because what stands behind it, cut off now, would drain back;
    or because a valve nearer to the place does not close.
    """
    net = segments.network
    nearest = set(segments.around(places)) if answer.seized else set(answer.close)
    steps = []
    for order, valve in enumerate(answer.close, start=1):
        sits = net.place_valve == net.valve_number[valve]
        lines = tuple(net.line_ids[line] for line in net.place_line[sits].tolist())
        nodes = tuple(dict.fromkeys(net.node_ids[node] for node in net.place_node[sits].tolist()))
        params = {"line": ", ".join(lines), "node": ", ".join(nodes), "seized": ", ".join(answer.seized)}
        why = "supply" if order <= answer.feeding else "drain"
        if valve not in nearest:
            why = f"seized_{why}"
        steps.append(Step(order, valve, lines, nodes, f"tunnel.why_{why}", params))
    return steps
