"""Profiles from a project: along lines between two nodes of a network, or along a tunnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.network.network import Network
from plugins.tunnel.model.network.project_network import load_network
from plugins.tunnel.model.space.kinds import line_kind
from plugins.tunnel.model.space.load import (
    Note,
    Row,
    Tunnel,
    among,
    lines_of,
    load_tunnel,
    number,
    placement_of,
    room_heights,
    rows,
    single,
    text,
)  # fmt: skip
from plugins.tunnel.model.space.profile import Crossing, Point, Profile, Run, Stop, between
from plugins.tunnel.model.space.tables import PLACEMENT
from plugins.tunnel.model.space.terrain import ground_between, terrain_along
from plugins.tunnel.model.tables import LINE, NODE

_LINE_COLUMNS = [
    "code", "network", "kind_code", "from_node", "to_node", "dn_mm", "outer_d", "material", "z_ref", "z1", "z2",
    "depth1", "depth2", "length_m", "laying",
]  # fmt: skip
_NODE_COLUMNS = ["code", "network", "feature_code", "kind", "ground_z"]
_TOP, _INVERT = frozenset({"top", "管顶", "外顶"}), frozenset({"invert", "bottom", "管底", "内底", "管内底"})
#: Stated heights at the ends and those of the geometry that differ by less (m) are the same survey.
_SAME = 0.02
#: Two lines of one node meet there; a crossing nearer to it (m) is none.
_AT_NODE = 0.5


def path_profile(project: Project, start: str, end: str) -> Profile:
    """The profile along the shortest way between two nodes, whether its valves are open or not.

    Args:
        start, end: ids as the networks name them (``node:ID``, ``valve:ID``, ``line:ID``: the line's first node).

    Raises:
        PlannerError: ``tunnel.no_table``, ``tunnel.id_unknown``, ``tunnel.id_ambiguous``, ``tunnel.no_path``.
    """
    loaded = load_network(project)
    net = loaded.network
    a, b = (_node_of(net, *net.find(name)) for name in (start, end))
    way = _way(net, a, b)
    if way is None:
        raise PlannerError("tunnel.no_path", start=start, end=end)
    nodes, lines = way
    line_rows = _by_fid(project, LINE, [loaded.line_fids[k] for k in lines], _LINE_COLUMNS)
    node_rows = _by_fid(project, NODE, [loaded.node_fids[k] for k in nodes], _NODE_COLUMNS)
    notes: list[Note] = []
    runs: list[Run] = []
    xy: list[tuple[float, float, float]] = []
    m = 0.0
    for at, row in enumerate(line_rows):
        backward = int(net.start[lines[at]]) != nodes[at]
        ends = (node_rows[at + 1], node_rows[at]) if backward else (node_rows[at], node_rows[at + 1])
        along, places, heights = line_heights(row, ends, notes)
        if backward:
            along, places, heights = along[-1] - along[::-1], places[::-1], heights[::-1]
        points = tuple((m + float(d), z) for d, z in zip(along, heights, strict=True))
        xy += [
            (m + float(d), float(x), float(y)) for d, (x, y) in zip(along, places, strict=True) if np.isfinite(x + y)
        ]
        runs.append(_run(row, points))
        m += float(along[-1])
    stops = _stops(node_rows, runs)
    surveyed = [(stop.code, stop.m, stop.ground_z) for stop in stops]
    base = [(stop.m, stop.ground_z) for stop in stops]
    ground = ground_between(terrain_along(project, xy, notes), xy, base, surveyed, notes)
    codes = {text(row["code"]) for row in line_rows}
    crossings = _crossings(project, xy, codes, [text(row["code"]) for row in node_rows], stops)
    name = f"{net.node_ids[a]} – {net.node_ids[b]}"
    return Profile("pipe", name, tuple(runs), ground, stops, (), crossings, tuple(xy), tuple(notes))


def tunnel_profile(project: Project, code: str, start: float | None = None, end: float | None = None) -> Profile:
    """The profile along a tunnel, between two chainages or from end to end.

    Raises:
        PlannerError: ``tunnel.no_table``, ``tunnel.tunnel_unknown``, ``tunnel.no_axis``, ``tunnel.section_range``.
    """
    tunnel = load_tunnel(project, code)
    first, last = tunnel.axis.ends
    low, high = first if start is None else start, last if end is None else end
    low, high = min(low, high), max(low, high)
    if low < first - 0.01 or high > last + 0.01 or high <= low:
        raise PlannerError("tunnel.section_range", id=code, m=high if high > last else low, low=first, high=last)
    heights = room_heights(project, [text(row["code"]) for row in tunnel.sections])
    spans: list[tuple[float, float, Row]] = [
        (max(low, number(row["from_m"]) or 0.0), min(high, number(row["to_m"]) or last), row) for row in tunnel.sections
    ] or [(low, high, tunnel.row)]
    main = tuple(
        Run(
            text(row["code"]),
            "tunnel",
            _floor(tunnel, a, b),
            heights.get(text(row["code"])),
            profile=text(row.get("profile")),
        )
        for a, b, row in spans
        if b > a
    )
    stops = tuple(
        Stop(node.code, node.kind, node.m, node.z, between(_floor(tunnel, low, high), node.m))
        for node in tunnel.nodes
        if low - 0.01 <= node.m <= high + 0.01
    )
    marks = sorted({low, high, *(float(m) for m in tunnel.axis.m if low < m < high), *(stop.m for stop in stops)})
    xy = tuple((m, *tunnel.axis.at(m)[:2]) for m in marks)
    notes: list[Note] = list(tunnel.notes)
    base = [(m, tunnel.ground_z(m)) for m in marks]
    surveyed = [(stop.code, stop.m, stop.ground_z) for stop in stops]
    ground = ground_between(terrain_along(project, xy, notes), xy, base, surveyed, notes)
    within, codes = _within(project, tunnel, low, high)
    crossings = _crossings(project, xy, codes, [], ())
    name = " ".join(part for part in (code, text(tunnel.row["name"])) if part)
    return Profile("tunnel", name, main, ground, stops, within, crossings, xy, tuple(notes))


def _floor(tunnel: Tunnel, low: float, high: float) -> tuple[Point, ...]:
    inner = [float(m) for m in tunnel.axis.m if low + 1e-6 < m < high - 1e-6]
    return tuple((m, number(tunnel.axis.at(m)[2])) for m in (low, *inner, high))


def _within(project: Project, tunnel: Tunnel, low: float, high: float) -> tuple[tuple[Run, ...], set[str]]:
    """Lines placed in the tunnel between two chainages, and the codes of all lines in it."""
    there = rows(project, PLACEMENT, among("section", [text(row["code"]) for row in tunnel.sections]))
    lines = lines_of(project, [text(row["line"]) for row in there])
    found = []
    for row in there:
        one = placement_of(row, lines.get(text(row["line"]), {}), ())
        a, b = max(low, number(row["from_m"]) or 0.0), min(high, number(row["to_m"]) or high)
        if b <= a:
            continue
        y = one.y
        points = tuple((m, None if z is None or y is None else z + y) for m, z in _floor(tunnel, a, b))
        found.append(Run(one.line, one.kind, points, one.outer_d, one.dn_mm, one.material))
    return tuple(found), {text(row["line"]) for row in there}


def _node_of(net: Network, kind: str, at: int) -> int:
    if kind == "node":
        return at
    if kind == "line":
        return int(net.start[at])
    places = np.flatnonzero(net.place_valve == at)
    if not len(places):
        raise PlannerError("tunnel.id_unknown", id=net.valve_ids[at], nodes=len(net.node_ids), lines=len(net.line_ids))
    return int(net.place_node[places[0]])


def _way(net: Network, a: int, b: int) -> tuple[list[int], list[int]] | None:
    """(nodes, lines) of the shortest way; None if there is none."""
    if a == b:
        return None
    n = len(net.node_ids)
    low, high = np.minimum(net.start, net.end).astype(np.int64), np.maximum(net.start, net.end).astype(np.int64)
    length = np.maximum(net.length, 1e-6)
    order = np.lexsort((length, low * n + high))
    key = (low * n + high)[order]
    best = order[np.concatenate([[True], key[1:] != key[:-1]])] if len(order) else order  # the shortest of parallels
    best = best[low[best] != high[best]]
    graph = coo_matrix((length[best], (low[best], high[best])), shape=(n, n)).tocsr()
    _, before = dijkstra(graph, directed=False, indices=a, return_predecessors=True)
    line_of = {(int(low[k]), int(high[k])): int(k) for k in best}
    nodes = [b]
    while nodes[-1] != a:
        back = int(before[nodes[-1]])
        if back < 0:
            return None
        nodes.append(back)
    nodes.reverse()
    lines = [line_of[min(p, q), max(p, q)] for p, q in pairwise(nodes)]
    return nodes, lines


def _by_fid(project: Project, spec: tables.TableSpec, fids: Sequence[int], names: Sequence[str]) -> list[Row]:
    layer = tables.need(project, spec)
    there = [name for name in names if layer.field(name) is not None]
    table = project.read(layer.id, columns=there, fids=sorted({int(fid) for fid in fids}))
    shapes = shapely.from_wkb(table.geometry)
    found = {
        int(fid): dict.fromkeys(names) | {name: table.columns[name][at] for name in there} | {"shape": shapes[at]}
        for at, fid in enumerate(table.fids)
    }
    return [found[int(fid)] for fid in fids]


def _outer(row: Mapping[str, Any]) -> float | None:
    outer, dn = number(row.get("outer_d")), number(row.get("dn_mm"))
    return outer if outer else dn / 1000 if dn else None


def _run(row: Row, points: tuple[Point, ...]) -> Run:
    kind = line_kind(text(row["kind_code"]), text(row["network"]))
    return Run(text(row["code"]), kind, points, _outer(row), number(row["dn_mm"]), text(row["material"]))


def line_heights(row: Row, ends: tuple[Row, Row] | None, notes: list[Note]) -> tuple[Any, Any, list[float | None]]:
    """(length along, places (n, 2), height of the axis) at a line's vertices in its own direction.

    A stated length is the line's length, as in traces. Heights stated at the ends count first, else ground less depth,
    else the geometry's; between stated ends the geometry's heights count if they agree. Unknown heights are None.
    """
    shape = single(row["shape"])
    if shape is None or shape.length <= 0:
        length = number(row["length_m"]) or 0.0
        places = np.full((2, 2), np.nan)
        for k, node in enumerate(ends or ()):
            if node["shape"] is not None and not node["shape"].is_empty:
                places[k] = node["shape"].x, node["shape"].y
        along, z = np.array([0.0, length]), np.full(2, np.nan)
    else:
        xyz = shapely.get_coordinates(shape, include_z=True)
        places, z = xyz[:, :2], xyz[:, 2]
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    own_length = number(row["length_m"])
    if own_length and along[-1] > 0:
        along = along * (own_length / along[-1])
    stated = [_stated(row, k, ends) for k in (0, 1)]
    own = [number(z[0]), number(z[-1])]
    agree = all(
        s is None or (g is not None and abs(s - g) <= _SAME) for s, g in zip(stated, own, strict=True)
    ) and bool(np.isfinite(z).all())
    if not agree:
        first, last = (s if s is not None else g for s, g in zip(stated, own, strict=True))
        z = np.full(len(along), np.nan)
        if first is not None and last is not None:
            z = np.interp(along, [0.0, max(along[-1], 1e-9)], [first, last])
        else:
            z[0], z[-1] = (np.nan if one is None else one for one in (first, last))
    return along, places, [None if value is None else value + _to_axis(row, notes) for value in map(number, z)]


def _stated(row: Row, k: int, ends: tuple[Row, Row] | None) -> float | None:
    z = number(row[f"z{k + 1}"])
    if z is not None or ends is None:
        return z
    depth, ground = number(row[f"depth{k + 1}"]), number(ends[k]["ground_z"])
    return None if depth is None or ground is None else ground - depth


def _to_axis(row: Row, notes: list[Note]) -> float:
    """From the height a survey states (top, invert, axis) to the axis (m)."""
    reference, outer = text(row["z_ref"]).strip().casefold(), _outer(row)
    if reference not in _TOP and reference not in _INVERT:
        return 0.0
    if outer is None:
        note: Note = ("tunnel.size_unknown", {"id": text(row["code"])})
        if note not in notes:
            notes.append(note)
        return 0.0
    return outer / 2 if reference in _INVERT else -outer / 2


def _stops(node_rows: Sequence[Row], runs: Sequence[Run]) -> tuple[Stop, ...]:
    found = []
    for at, row in enumerate(node_rows):
        m = runs[at].from_m if at < len(runs) else runs[-1].to_m
        z = runs[at].points[0][1] if at < len(runs) else None
        z = runs[at - 1].points[-1][1] if z is None and at else z
        label = text(row["feature_code"]) or text(row["kind"])
        found.append(Stop(text(row["code"]), label, m, number(row["ground_z"]), z))
    return tuple(found)


def _crossings(
    project: Project, xy: Sequence[tuple[float, float, float]], own: set[str], nodes: Sequence[str],
    stops: Sequence[Stop],
) -> tuple[Crossing, ...]:  # fmt: skip
    """Lines that cross the profile's line in plan, not those that meet it at a node."""
    places = list(dict.fromkeys((m, x, y) for m, x, y in xy))
    layer = tables.find(project, LINE)
    if len(places) < 2 or layer is None:
        return ()
    m = np.array([one[0] for one in places])
    flat = np.array([one[1:] for one in places])
    path = shapely.linestrings(flat)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T))])
    there = [name for name in _LINE_COLUMNS if layer.field(name) is not None]
    xmin, ymin, xmax, ymax = (float(one) for one in path.bounds)
    table = project.read(layer.id, columns=there, bbox=(xmin, ymin, xmax, ymax))
    shapes = shapely.from_wkb(table.geometry)
    hits = np.flatnonzero(shapely.intersects(path, shapes))
    at_node = dict(zip(nodes, (stop.m for stop in stops), strict=True)) if stops else {}
    found = []
    for k in hits:
        row: dict[str, Any] = dict.fromkeys(_LINE_COLUMNS) | {name: table.columns[name][k] for name in there}
        row["shape"] = shapes[k]
        if text(row["code"]) in own:
            continue
        meets = [at_node[end] for end in (text(row["from_node"]), text(row["to_node"])) if end in at_node]
        distance, _, heights = line_heights(row, None, [])
        points = list(zip((float(d) for d in distance), heights, strict=True))
        for part in shapely.get_parts(shapely.intersection(path, shapes[k])):
            point = part if part.geom_type == "Point" else shapely.line_interpolate_point(part, 0.5, normalized=True)
            where = float(np.interp(shapely.line_locate_point(path, point), along, m))
            if any(abs(where - meet) <= _AT_NODE for meet in meets):
                continue
            share = float(shapely.line_locate_point(single(shapes[k]), point, normalized=True))
            z = between(points, share * float(distance[-1]))
            kind = line_kind(text(row["kind_code"]), text(row["network"]))
            found.append(Crossing(text(row["code"]), kind, where, z, _outer(row)))
    return tuple(sorted(found, key=lambda one: one.m))
