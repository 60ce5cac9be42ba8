"""Coverages: areas that tile the plane, sharing every vertex of their common borders."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import shapely

from sample_projects.curves import Geometry, boundaries, faces_of, parts

Key = TypeVar("Key", bound=Hashable)


def tile(areas: Sequence[Geometry], smallest: float = 25.0) -> list[Geometry | None]:
    """Make areas that may overlap or miss one another by a hair into a clean coverage.

    All borders are noded on a 1 cm grid; each face goes to the first area that holds it. Faces under ``smallest`` m²
    join the neighbour with the longest common border, so no slivers are left.

    Returns:
        For each input its share of the coverage, None where nothing is left.
    """
    areas = [shapely.multipolygons(parts(a)) if a.geom_type == "GeometryCollection" else a for a in areas]
    faces = np.array(faces_of(boundaries(areas)), dtype=object)
    inside = shapely.point_on_surface(faces)
    face, area = shapely.STRtree(inside).query(np.array(list(areas), dtype=object), predicate="contains")[::-1]
    owner = np.full(len(faces), len(areas))
    np.minimum.at(owner, face, area)
    known = owner < len(areas)
    faces, owner = faces[known], owner[known]
    _absorb(faces, owner, smallest)
    return [unite(faces[owner == k]) for k in range(len(areas))]


def _absorb(faces: Geometry, owner: npt.NDArray[np.int64], smallest: float) -> None:
    """Give small faces to the owner of the neighbour they share most border with, larger ones first (in place)."""
    small = np.flatnonzero(shapely.area(faces) < smallest)
    small = small[np.argsort(-shapely.area(faces[small]), kind="stable")]
    row, near = shapely.STRtree(faces).query(faces[small], predicate="intersects")
    other = near != small[row]
    row, near = row[other], near[other]
    shared = shapely.length(shapely.intersection(faces[small[row]], faces[near]))
    best = np.lexsort((near, -shared, row))
    first = best[np.unique(row[best], return_index=True)[1]]
    for k in first[shared[first] > 0]:
        owner[small[row[k]]] = owner[near[k]]


def unite(faces: Geometry) -> Geometry | None:
    """The union of polygons that share their borders exactly, or None for none."""
    if len(faces) == 0:
        return None
    if len(faces) == 1:
        return faces[0]
    united = shapely.coverage_union_all(faces)
    return united if shapely.is_valid(united) else shapely.union_all(faces)


def dissolve(pieces: Sequence[Geometry], keys: Sequence[Key]) -> list[tuple[Key, Geometry]]:
    """Unite pieces of a coverage that have the same key: a row for each connected area, in the order of first sight."""
    groups: dict[Key, list[Geometry]] = {}
    for piece, key in zip(pieces, keys, strict=True):
        groups.setdefault(key, []).append(piece)
    return [
        (key, part) for key, members in groups.items() for part in parts(unite(np.array(parts(members), dtype=object)))
    ]
