"""Valves and service points of a project's tables as arrays of a network; ids that several networks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.network.epanet import Note
from plugins.tunnel.model.network.from_epanet import apart_notes
from plugins.tunnel.model.tables import SERVICE, VALVE

Key = tuple[str, str]


def key_of(network: Any, code: Any) -> Key:
    """(network, code) as texts."""
    return (str(network or ""), str(code or ""))


def ids_of(keys: Sequence[Key]) -> list[str]:
    """Codes; ``NETWORK/ID`` where two networks share one."""
    count: dict[str, int] = {}
    for _, code in keys:
        count[code] = count.get(code, 0) + 1
    return [code if count[code] == 1 else f"{network}/{code}" for network, code in keys]


def valve_arrays(
    project: Project,
    nodes: Mapping[Key, int],
    lines: Mapping[Key, int],
    start: Sequence[int],
    end: Sequence[int],
    notes: list[Note],
) -> dict[str, Any]:
    """Valves on one end of a line, or, where only the node is known, on every line that ends there."""
    layer = tables.find(project, VALVE)
    if layer is None:
        return {}
    fids, rows = tables.columns(project, layer, ["code", "network", "line", "node", "is_open", "operable"])
    at_node: dict[int, list[int]] = {}
    for line, ends in enumerate(zip(start, end, strict=True)):
        for node in set(ends):
            at_node.setdefault(node, []).append(line)
    numbers: dict[Key, int] = {}
    places: dict[tuple[int, int], int] = {}
    is_open: list[bool] = []
    operable: list[bool] = []
    for fid, network, code, line_code, node_code, opened, works in zip(
        fids, rows["network"], rows["code"], rows["line"], rows["node"], rows["is_open"], rows["operable"], strict=True
    ):
        key, node_key = key_of(network, code), key_of(network, node_code)
        found: list[tuple[int, int]] = []
        if line_code:
            line_at, node_at = lines.get(key_of(network, line_code)), nodes.get(node_key)
            if line_at is not None and node_at in (start[line_at], end[line_at]):
                found = [(line_at, int(node_at or 0))]
        elif node_key in nodes:
            found = [(line_at, nodes[node_key]) for line_at in at_node.get(nodes[node_key], [])]
        if not found:
            notes.append(("tunnel.valve_lost", {"valve": code, "line": line_code or "–", "node": node_code or "–"}))
            continue
        number = numbers.setdefault(key, len(numbers))
        if number == len(is_open):
            is_open.append(opened is None or bool(opened))
            operable.append(works is None or bool(works))
        for place in found:
            if place in places:
                at = {"valve": code, "line": line_code or "–", "node": node_code, "row": int(fid)}
                notes.append(("tunnel.valve_twice", at))
            else:
                places[place] = number
    names = ids_of(list(numbers))
    if len(places) > len(names):
        at_nodes = list(nodes)
        notes += apart_notes((names[number], at_nodes[node][1]) for (_, node), number in places.items())
    pairs = np.array(list(places), np.int32).reshape(-1, 2)
    return {
        "valve_ids": names,
        "place_valve": np.array(list(places.values()), np.int32),
        "place_line": pairs[:, 0],
        "place_node": pairs[:, 1],
        "valve_open": np.array(is_open, bool),
        "valve_operable": np.array(operable, bool),
    }


def service_arrays(
    project: Project, nodes: Mapping[Key, int], lines: Mapping[Key, int], notes: list[Note]
) -> dict[str, Any]:
    """Service points on a node or a line; those on nothing known are named in the notes."""
    layer = tables.find(project, SERVICE)
    if layer is None:
        return {}
    _, rows = tables.columns(project, layer, ["code", "network", "line", "node", "customer_count", "critical", "name"])
    ids, on_node, on_line, customers, critical = [], [], [], [], []
    for at, code in enumerate(rows["code"]):
        network = rows["network"][at]
        node = nodes.get(key_of(network, rows["node"][at]), -1) if rows["node"][at] else -1
        line = lines.get(key_of(network, rows["line"][at]), -1) if rows["line"][at] else -1
        if node < 0 and line < 0:
            place = {"service": code, "line": rows["line"][at] or "–", "node": rows["node"][at] or "–"}
            notes.append(("tunnel.service_lost", place))
            continue
        ids.append(str(code))
        on_node.append(-1 if line >= 0 else node)
        on_line.append(line)
        customers.append(int(rows["customer_count"][at] or 0))
        critical.append(bool(rows["critical"][at]))
    return {
        "service_ids": ids,
        "service_node": np.array(on_node, np.int32),
        "service_line": np.array(on_line, np.int32),
        "service_customers": np.array(customers, np.int64),
        "service_critical": np.array(critical, bool),
    }
