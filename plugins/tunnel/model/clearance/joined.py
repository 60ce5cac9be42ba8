"""Which lines belong together: joined by fittings and branches, leaving a tunnel, serving a building."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from plugins.tunnel.model.clearance.kernel import Ints, Near, Pieces, is_upright
from plugins.tunnel.model.clearance.lines import Lines
from plugins.tunnel.model.clearance.tunnels import Tunnels

#: An end so near to the wall of another pipe of its kind is tapped into it (m).
_TAP = 0.05


def only(pieces: Pieces, keep: Any) -> Pieces:
    """Some of the pieces."""
    return Pieces(pieces.start[keep], pieces.end[keep], pieces.radius[keep], pieces.line[keep], pieces.nodes[keep])


def leads_to_crossing(line_a: Ints, line_b: Ints, ends_a: Ints, ends_b: Ints, crosses: Any, *, one_set: bool) -> Any:
    """Pairs that do not cross, of a line that goes on in one that crosses the other: near it of necessity."""
    if not crosses.any():
        return crosses
    count = int(max(line_a.max(), line_b.max())) + 1
    of_a, of_b = ends_a * count + line_b[:, None], ends_b * count + line_a[:, None]
    known_a, known_b = of_a[crosses & (ends_a >= 0).all(axis=1)], of_b[crosses & (ends_b >= 0).all(axis=1)]
    if one_set:
        known_a = known_b = np.concatenate([known_a, known_b])
    return ~crosses & (np.isin(of_a, known_a).any(axis=1) | np.isin(of_b, known_b).any(axis=1))


def own_tunnels(lines: Lines, tunnels: Tunnels) -> dict[int, set[int]]:
    """Buried lines that go on from a line inside a tunnel: which tunnels their common node lies in."""
    nodes = np.unique(lines.ends[lines.inside])
    found: dict[int, set[int]] = {}
    touching = np.isin(lines.ends, nodes) & ~lines.inside[:, None]
    for line, side in np.argwhere(touching).tolist():
        xy = shapely.get_coordinates(lines.shapes[line])[0 if side == 0 else -1]
        place = shapely.points(xy)
        mine = {n for n, one in enumerate(tunnels.items) if shapely.distance(one.footprint, place) <= _TAP}
        if mine:
            found.setdefault(line, set()).update(mine)
    return found


def cut(lines: Lines, pieces: Pieces, tunnels: Tunnels, own: dict[int, set[int]]) -> Pieces:
    """Pieces without what lies within the walls of the tunnels that their lines come from."""
    if not own:
        return pieces
    mine = np.isin(pieces.line, list(own))
    risers = np.flatnonzero(mine & is_upright(pieces))
    rows = np.flatnonzero(mine & ~is_upright(pieces))
    prints = {line: shapely.union_all([tunnels.items[n].footprint for n in mine]) for line, mine in own.items()}
    start, end = pieces.start[rows], pieces.end[rows]
    flat = shapely.linestrings(np.stack([start[:, :2], end[:, :2]], axis=1))
    walls = np.array([prints[int(line)] for line in pieces.line[rows]], object)
    parts, source = shapely.get_parts(shapely.difference(flat, walls), return_index=True)
    some = ~shapely.is_empty(parts)
    parts, source = parts[some], source[some]
    way = (end - start)[source]
    square = np.einsum("ij,ij->i", way[:, :2], way[:, :2])
    ends = []
    for at in (0, -1):
        point = shapely.get_coordinates(shapely.get_point(parts, at)).reshape(-1, 2)
        t = np.einsum("ij,ij->i", point - start[source, :2], way[:, :2]) / square
        ends.append(start[source] + t[:, None] * way)
    rest = np.ones(len(pieces), bool)
    rest[rows] = False
    around = np.array([prints[int(line)] for line in pieces.line[risers]], object)
    rest[risers] = ~shapely.intersects(shapely.points(pieces.start[risers, :2]), around)
    kept, at = only(pieces, rest), rows[source]
    return Pieces(
        np.concatenate([kept.start, ends[0]]), np.concatenate([kept.end, ends[1]]),
        np.concatenate([kept.radius, pieces.radius[at]]), np.concatenate([kept.line, pieces.line[at]]),
        np.concatenate([kept.nodes, pieces.nodes[at]]),
    )  # fmt: skip


def through_fitting(lines: Lines, a: Ints, b: Ints, fitting_m: float) -> Any:
    """Rows whose lines are joined by a short line of the same network between them."""
    short = lines.ends[(lines.length < fitting_m)]
    short = short[short[:, 0] != short[:, 1]]
    if not len(short):
        return np.zeros(len(a), bool)
    count = int(lines.ends.max()) + 1
    known = np.unique(np.minimum(short[:, 0], short[:, 1]) * count + np.maximum(short[:, 0], short[:, 1]))
    found = np.zeros(len(a), bool)
    for i in (0, 1):
        for j in (0, 1):
            one, two = lines.ends[a, i], lines.ends[b, j]
            found |= np.isin(np.minimum(one, two) * count + np.maximum(one, two), known)
    return found


def tapped_into(lines: Lines, near: Near, a: Ints, b: Ints) -> Any:
    """Rows of lines of one network and kind of which one ends on the other's wall or axis: a branch without a node."""
    found = np.zeros(len(a), bool)
    rows = np.flatnonzero((near.plan <= 0) & ~(near.true > 0))
    same = [
        lines.network[x] == lines.network[y] and lines.profiles[x].kind == lines.profiles[y].kind
        for x, y in zip(a[rows].tolist(), b[rows].tolist(), strict=True)
    ]
    rows = rows[same] if len(rows) else rows
    if not len(rows):
        return found
    radius = np.zeros(len(lines))
    radius[lines.pieces.line] = lines.pieces.radius
    for one, two in ((a[rows], b[rows]), (b[rows], a[rows])):
        for vertex in (0, -1):
            ends = shapely.points([shapely.get_coordinates(lines.shapes[n])[vertex] for n in one.tolist()])
            found[rows] |= shapely.distance(ends, lines.shapes[two]) <= radius[two] + _TAP
    pair = np.minimum(a, b) * len(lines) + np.maximum(a, b)
    return np.isin(pair, pair[found])


def ends_in(lines: Lines, outlines: Any, line: Ints, owner: Ints) -> Any:
    """Rows of a line and a building in which one of the line's free ends lies."""
    if not len(line):
        return np.zeros(0, bool)
    degree = np.bincount(lines.ends.ravel())
    found = np.zeros(len(line), bool)
    for side in (0, 1):
        free = np.flatnonzero(degree[lines.ends[line, side]] == 1)
        xy = [shapely.get_coordinates(lines.shapes[n])[0 if side == 0 else -1] for n in line[free].tolist()]
        if xy:
            found[free] |= shapely.distance(shapely.points(xy), outlines[owner[free]]) <= _TAP
    return found


def meet(tunnels: Tunnels, i: int, j: int) -> bool:
    """True if one tunnel begins or ends inside the other."""
    for one, two in ((tunnels.items[i], tunnels.items[j]), (tunnels.items[j], tunnels.items[i])):
        ends = shapely.points(shapely.get_coordinates(one.axis)[[0, -1]])
        if shapely.intersects(two.footprint, ends).any():
            return True
    return False
