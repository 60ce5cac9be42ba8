"""The arrays of an EPANET file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from plugins.tunnel.model.network.epanet import EpanetFile, Note
from plugins.tunnel.model.network.network import Network, components

#: Parts without a source named one by one.
_MOST_PARTS = 20


def network_of(file: EpanetFile, valves: Sequence[tuple[str, str, str]] = ()) -> Network:
    """Nodes and lines of a file, with isolation valves (valve, line, node); sources are reservoirs and tanks.

    Valves that name an unknown line, or a node that is not at an end of it, are left out; :func:`valve_notes` says so.
    """
    node_number = {node.id: number for number, node in enumerate(file.nodes)}
    line_number = {line.id: number for number, line in enumerate(file.lines)}
    good = good_valves(ends_of(file), valves)
    names = list(dict.fromkeys(valve for valve, _, _ in good))
    valve_number = {name: number for number, name in enumerate(names)}
    return Network(
        node_ids=list(node_number),
        line_ids=list(line_number),
        start=np.array([node_number[line.start] for line in file.lines], np.int32),
        end=np.array([node_number[line.end] for line in file.lines], np.int32),
        length=np.nan_to_num(np.array([line.length for line in file.lines], float)),
        source=np.array([node.kind != "junction" for node in file.nodes], bool),
        passable=np.array([not line.closed for line in file.lines], bool),
        valve_ids=names,
        place_valve=np.array([valve_number[valve] for valve, _, _ in good], np.int32),
        place_line=np.array([line_number[line] for _, line, _ in good], np.int32),
        place_node=np.array([node_number[node] for _, _, node in good], np.int32),
        valve_open=np.ones(len(names), bool),
        valve_operable=np.ones(len(names), bool),
    )


def ends_of(file: EpanetFile) -> dict[str, tuple[str, str]]:
    """The nodes at the ends of each line."""
    return {line.id: (line.start, line.end) for line in file.lines}


def good_valves(
    ends: Mapping[str, tuple[str, str]], valves: Sequence[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """The rows of a valve file that say a place; ``ends``: nodes at the ends of each line."""
    return [row for row, note in zip(valves, _judged(ends, valves), strict=True) if note is None]


def valve_notes(
    ends: Mapping[str, tuple[str, str]], valves: Sequence[tuple[str, str, str]], numbers: Sequence[int]
) -> list[Note]:
    """What is wrong with rows of the valve file; ``numbers`` are theirs in it."""
    judged = zip(_judged(ends, valves), numbers, strict=True)
    notes = [(note[0], note[1] | {"row": number}) for note, number in judged if note is not None]
    return notes + apart_notes((valve, node) for valve, _, node in good_valves(ends, valves))


def apart_notes(places: Iterable[tuple[str, str]]) -> list[Note]:
    """Valves whose places (valve, node) are not all at one node: most likely several valves of one id."""
    nodes: dict[str, dict[str, None]] = {}
    for valve, node in places:
        nodes.setdefault(valve, {})[node] = None
    return [
        ("tunnel.valve_apart", {"valve": valve, "count": len(at), "nodes": ", ".join(list(at)[:5])})
        for valve, at in nodes.items()
        if len(at) > 1
    ]


def unfed_notes(file: EpanetFile) -> list[Note]:
    """Which parts of the network no source reaches; one part after the other, the largest first."""
    if not any(node.kind != "junction" for node in file.nodes):
        return [("tunnel.no_source", {})]
    network = network_of(file)
    through = network.passable
    part = components(len(network.node_ids), network.start[through], network.end[through])
    fed = np.zeros(int(part.max()) + 1, bool)
    fed[part[network.source]] = True
    count = np.bincount(part) * ~fed
    notes: list[Note] = []
    for number in np.argsort(-count, kind="stable")[: np.count_nonzero(count)].tolist():
        nodes = np.flatnonzero(part == number)[:5].tolist()
        ids = ", ".join(network.node_ids[node] for node in nodes) + (" …" if count[number] > len(nodes) else "")
        notes.append(("tunnel.part_unfed", {"count": int(count[number]), "ids": ids}))
        if len(notes) == _MOST_PARTS and np.count_nonzero(count) > _MOST_PARTS:
            rest = int(count.sum()) - sum(note[1]["count"] for note in notes)
            notes.append(("tunnel.parts_unfed", {"parts": np.count_nonzero(count) - _MOST_PARTS, "count": rest}))
            break
    return notes


def _judged(ends: Mapping[str, tuple[str, str]], valves: Sequence[tuple[str, str, str]]) -> list[Note | None]:
    seen: set[tuple[str, str]] = set()
    found: list[Note | None] = []
    for valve, line, node in valves:
        note: Note | None = None
        if not valve:
            note = ("tunnel.valve_unnamed", {"line": line, "node": node})
        elif line not in ends:
            note = ("tunnel.valve_line_unknown", {"valve": valve, "line": line})
        elif node not in ends[line]:
            note = (
                "tunnel.valve_node_wrong",
                {"valve": valve, "line": line, "node": node, "ends": ", ".join(ends[line])},
            )
        elif (line, node) in seen:
            note = ("tunnel.valve_twice", {"valve": valve, "line": line, "node": node})
        else:
            seen.add((line, node))
        found.append(note)
    return found
