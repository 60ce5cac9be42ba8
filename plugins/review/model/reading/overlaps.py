"""What is drawn more than once is counted once: outlines drawn twice, an outline and its hatch, overlapping greens."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.reading.ledger import SAME, SLIVER, Ledger, handle_key
from plugins.review.model.reading.outlines import Outline, areal, same_ring

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: A hatch and the outline it was picked from may be tessellated differently: 1 cm.
_HATCH_SAME = 0.012
_CELL = 0.25


def drop_duplicates(outlines: Sequence[Outline], ledger: Ledger, scope: Callable[[Outline], Hashable]) -> list[Outline]:
    """Outlines of a scope that lie on another of it (within 1 mm; within 1 cm of a hatch's ring) are dropped.

    A hatch is kept rather than the outlines along its rings, since it knows its holes; else the smallest handle is.
    """
    by_scope: dict[Hashable, list[Outline]] = defaultdict(list)
    for outline in outlines:
        by_scope[scope(outline)].append(outline)
    kept: list[Outline] = []
    for here in by_scope.values():
        kept += _drop(here, ledger) if len(here) > 1 else here
    kept.sort(key=lambda outline: handle_key(outline.handles[0]))
    return kept


_Mark = tuple[Outline, "BaseGeometry", bool]


def _drop(outlines: list[Outline], ledger: Ledger) -> list[Outline]:
    order = sorted(outlines, key=lambda one: (not one.hatch, handle_key(one.handles[0])))
    edges = [_edge(one) for one in order]
    seen: dict[tuple[int, int], list[_Mark]] = defaultdict(list)
    for one in order:
        for ring in one.rings:
            seen[_cells(*ring.bounds[:2])[0]].append((one, ring, True))
    corners = shapely.bounds(np.array(edges, dtype=object))[:, :2].tolist()
    kept: list[Outline] = []
    for one, ring, corner in zip(order, edges, corners, strict=True):
        cells = _cells(*corner) if ring is not None else []
        twin = _twin(one, ring, cells, seen) if ring is not None else None
        if twin is not None:
            params = {"kept": twin.handles[0], "area_m2": float(one.geometry.area)}
            if ledger.enter("dropped_duplicate", one.handles, one.layer, one.geometry.envelope, **params):
                continue
        kept.append(one)
        if ring is not None and not one.hatch:
            seen[cells[0]].append((one, ring, False))
    return kept


def _edge(one: Outline) -> BaseGeometry | None:
    """The outer ring of a plain outline; None of a mended one in several parts."""
    return one.geometry.exterior if one.geometry.geom_type == "Polygon" else None


def _cells(x: float, y: float) -> list[tuple[int, int]]:
    """Grid cells of a corner: its own first, then those it may fall in if drawn a little differently."""
    own = (math.floor(x / _CELL), math.floor(y / _CELL))
    i, j = x / _CELL - own[0], y / _CELL - own[1]
    slack = _HATCH_SAME / _CELL
    if slack < i < 1 - slack and slack < j < 1 - slack:
        return [own]
    xs = {own[0], math.floor(x / _CELL - slack), math.floor(x / _CELL + slack)}
    ys = {own[1], math.floor(y / _CELL - slack), math.floor(y / _CELL + slack)}
    return [own, *((a, b) for a in xs for b in ys if (a, b) != own)]


def _twin(
    one: Outline, ring: BaseGeometry, cells: Sequence[tuple[int, int]], seen: Mapping[tuple[int, int], Sequence[_Mark]]
) -> Outline | None:
    for cell in cells:
        for other, edge, hatch in seen.get(cell, ()):
            if other is one:
                continue
            if one.hatch:
                # Two hatches are the same only if all of their areas are.
                if other.hatch and shapely.symmetric_difference(one.geometry, other.geometry).area <= SLIVER:
                    kept = min(one, other, key=lambda o: handle_key(o.handles[0]))
                    if kept is other:
                        return other
            elif same_ring(ring, edge, _HATCH_SAME if hatch else SAME) and (hatch or _same_holes(one, other)):
                return other
    return None


def _same_holes(a: Outline, b: Outline) -> bool:
    return len(shapely.get_parts(a.geometry)) == len(shapely.get_parts(b.geometry)) and (
        shapely.get_num_interior_rings(a.geometry) == shapely.get_num_interior_rings(b.geometry)
    )


def merge_overlaps(outlines: Sequence[Outline], ledger: Ledger, scope: Callable[[Outline], Hashable]) -> list[Outline]:
    """Outlines of a scope that overlap become one: what lies on what is counted once."""
    by_scope: dict[Hashable, list[Outline]] = defaultdict(list)
    for outline in outlines:
        by_scope[scope(outline)].append(outline)
    made: list[Outline] = []
    for here in by_scope.values():
        made += _merge(here, ledger) if len(here) > 1 else here
    made.sort(key=lambda outline: handle_key(outline.handles[0]))
    return made


def overlapping(outlines: Sequence[Outline]) -> list[tuple[int, int]]:
    """Pairs of outlines that share more than a sliver."""
    shapes = np.array([one.geometry for one in outlines], dtype=object)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    forward = a < b
    a, b = a[forward], b[forward]
    shared = shapely.area(shapely.intersection(shapes[a], shapes[b])) > SLIVER if len(a) else np.zeros(0, dtype=bool)
    return list(zip(a[shared].tolist(), b[shared].tolist(), strict=True))


def _merge(outlines: Sequence[Outline], ledger: Ledger) -> list[Outline]:
    parent = list(range(len(outlines)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in overlapping(outlines):
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    members: dict[int, list[Outline]] = defaultdict(list)
    for number, one in enumerate(outlines):
        members[root(number)].append(one)
    made = []
    for together in members.values():
        if len(together) == 1:
            made += together
            continue
        union = areal(shapely.union_all([one.geometry for one in together]))
        shared = sum(one.geometry.area for one in together) - union.area
        handles = tuple(h for one in together for h in one.handles)
        if ledger.enter("merged_overlap", handles, together[0].layer, union.envelope, area_m2=shared):
            made.append(replace(together[0], geometry=union, handles=handles))
        else:
            made += together
    return made


def cut_lower(outlines: Sequence[Outline], ledger: Ledger, rank: Callable[[Outline], int]) -> list[Outline]:
    """Where outlines of different rank overlap, the ground belongs to the lower number (a kind of green to another)."""
    made = list(outlines)
    pairs = [(a, b) for a, b in overlapping(made) if rank(made[a]) != rank(made[b])] if len(made) > 1 else []
    for pair in sorted(pairs):
        winner, loser = sorted(pair, key=lambda k: rank(made[k]))
        shared = shapely.intersection(made[winner].geometry, made[loser].geometry).area
        if shared <= SLIVER:
            continue
        handles = (*made[winner].handles, *made[loser].handles)
        where = made[loser].geometry.envelope
        if ledger.enter("merged_overlap", handles, made[loser].layer, where, area_m2=shared):
            rest = areal(shapely.difference(made[loser].geometry, made[winner].geometry))
            made[loser] = replace(made[loser], geometry=rest)
    return [one for one in made if one.geometry.area > SLIVER]
