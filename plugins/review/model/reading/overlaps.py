"""What is drawn more than once is counted once: outlines drawn twice, an outline and its hatch, overlapping greens."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from plugins.review.model.reading.ledger import SAME, SLIVER, Ledger
from plugins.review.model.reading.outlines import Outline, cut, same_ring, unite

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

#: A hatch and the outline it was picked from may be tessellated differently: 1 cm.
_HATCH_SAME = 0.012
_CELL = 0.25
#: Of an outline's area: a smaller one inside is no land taken out of it.
_LEAST_HOLE = 0.01
#: More pairs than this are not looked at one by one.
_MANY = 100_000


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
    kept.sort(key=lambda outline: ledger.rank(outline.handles[0]))
    return kept


#: (outline, an edge of it, whether that is a single ring of a hatch that may be drawn as an outline too)
_Mark = tuple[Outline, "BaseGeometry", bool]


def _drop(outlines: list[Outline], ledger: Ledger) -> list[Outline]:
    order = sorted(outlines, key=lambda one: (not one.hatch, ledger.rank(one.handles[0])))
    edges = shapely.boundary(np.array([one.geometry for one in order], dtype=object)).tolist()
    seen: dict[tuple[int, int], list[_Mark]] = defaultdict(list)
    for one in order:
        for ring in one.rings:
            seen[_cells(*ring.bounds[:2])[0]].append((one, ring, True))
    kept: list[Outline] = []
    for one, edge, corner in zip(order, edges, shapely.bounds(edges)[:, :2].tolist(), strict=True):
        cells = _cells(*corner)
        twin = _twin(one, edge, cells, seen)
        if twin is not None:
            params = {"kept": twin.handles[0], "area_m2": float(one.geometry.area)}
            if ledger.enter("dropped_duplicate", one.handles, one.layer, one.geometry.envelope, **params):
                continue
            one.twice = True
        kept.append(one)
        seen[cells[0]].append((one, edge, False))
    return kept


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
    one: Outline, edge: BaseGeometry, cells: Sequence[tuple[int, int]], seen: Mapping[tuple[int, int], Sequence[_Mark]]
) -> Outline | None:
    """What was kept and lies where this outline does: the same kind of thing, or a hatch one of whose rings it is."""
    for cell in cells:
        for other, its, ring in seen.get(cell, ()):
            if other is one or (one.hatch and (ring or not other.hatch)):
                continue
            if same_ring(edge, its, _HATCH_SAME if ring else SAME):
                return other
    return None


def merge_overlaps(outlines: Sequence[Outline], ledger: Ledger, scope: Callable[[Outline], Hashable]) -> list[Outline]:
    """Outlines of a scope that overlap become one: what lies on what is counted once."""
    by_scope: dict[Hashable, list[Outline]] = defaultdict(list)
    for outline in outlines:
        by_scope[scope(outline)].append(outline)
    made: list[Outline] = []
    for here in by_scope.values():
        made += _merge(here, ledger) if len(here) > 1 else here
    made.sort(key=lambda outline: ledger.rank(outline.handles[0]))
    return made


def _overlapping(outlines: Sequence[Outline]) -> list[list[int]]:
    """Numbers of outlines that share ground with each other, in groups."""
    shapes = np.array([one.geometry for one in outlines], dtype=object)
    tree = shapely.STRtree(shapes)
    sample = shapes[:: max(len(shapes) // 200, 1)]
    if len(tree.query(sample)[0]) / len(sample) * len(shapes) > _MANY:
        return _overlapping_parts(shapes)
    a, b = tree.query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.area(shapely.intersection(shapes[a], shapes[b])) > SLIVER if len(a) else np.zeros(0, dtype=bool)
    parent = list(range(len(shapes)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for one, other in zip(a[shared].tolist(), b[shared].tolist(), strict=True):
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for k in range(len(shapes)):
        groups[root(k)].append(k)
    return list(groups.values())


def _overlapping_parts(shapes: NDArray[np.object_]) -> list[list[int]]:
    """As :func:`_overlapping` without looking at pairs, of which there may be millions: by the parts of the union."""
    parts = shapely.get_parts(shapely.union_all(shapes))
    which, part = shapely.STRtree(parts).query(shapely.point_on_surface(shapes), predicate="intersects")
    groups: dict[int, list[int]] = defaultdict(list)
    for k, number in zip(which.tolist(), part.tolist(), strict=True):
        groups[number].append(k)
    found: list[list[int]] = []
    for number, members in groups.items():
        apart = shapely.area(shapes[members]).sum() - parts[number].area <= SLIVER
        found += [[k] for k in members] if apart else [members]
    return found


def _merge(outlines: Sequence[Outline], ledger: Ledger) -> list[Outline]:
    made = [one for one in outlines if one.twice]
    merging = [one for one in outlines if not one.twice]
    for group in _overlapping(merging):
        together = [merging[k] for k in sorted(group)]
        if len(together) == 1:
            made += together
            continue
        union = unite([one.geometry for one in together])
        shared = sum(one.geometry.area for one in together) - union.area
        handles = tuple(h for one in together for h in one.handles)
        if ledger.enter("merged_overlap", handles, together[0].layer, union.envelope, area_m2=shared):
            made.append(replace(together[0], geometry=union, handles=handles))
        else:
            made += together
    return made


def cut_holes(outlines: Sequence[Outline], ledger: Ledger) -> list[Outline]:
    """An outline well inside another of the site is land taken out of it (保留地块); one inside that is in again.

    Frames of symbols and numbers on the layer are too small to be meant.
    """
    shapes: Any = np.array([one.geometry for one in outlines], dtype=object)
    tree = shapely.STRtree(shapes)
    around: dict[int, list[int]] = defaultdict(list)
    for inner, outer in tree.query(shapes, predicate="within").T.tolist():
        larger = shapes[inner].area < (1 - _LEAST_HOLE) * shapes[outer].area
        if larger and not shapely.intersects(shapes[inner], shapes[outer].boundary):
            around[inner].append(outer)
    made = dict(enumerate(outlines))
    for k in sorted(around, key=lambda k: len(around[k])):
        host = min(around[k], key=lambda n: (shapes[n].area, n))
        one, area = outlines[k], float(shapes[k].area)
        if len(around[k]) % 2 == 0 or host not in made or area < _LEAST_HOLE * shapes[host].area:
            continue
        if ledger.enter("site_hole", one.handles, one.layer, one.geometry.envelope, area_m2=area):
            made[host] = replace(made[host], geometry=cut(made[host].geometry, one.geometry))
            del made[k]
    return list(made.values())


def cut_lower(outlines: Sequence[Outline], ledger: Ledger, rank: Callable[[Outline], int]) -> list[Outline]:
    """Where outlines of different rank overlap, the ground belongs to the lower number (a kind of green to another)."""
    made: list[Outline] = []
    taken: BaseGeometry = shapely.Polygon()
    levels = sorted({rank(one) for one in outlines})
    for level in levels:
        here = [one for one in outlines if rank(one) == level]
        for one in here:
            hit = not one.twice and shapely.intersects(taken, one.geometry)
            shared = float(shapely.intersection(one.geometry, taken).area) if hit else 0.0
            where = one.geometry.envelope
            if shared > SLIVER and ledger.enter("cut_overlap", one.handles, one.layer, where, area_m2=shared):
                one = replace(one, geometry=cut(one.geometry, taken))
            if one.geometry.area > SLIVER:
                made.append(one)
        if level != levels[-1]:
            taken = unite([taken, *(one.geometry for one in here)])
            shapely.prepare(taken)
    return made
