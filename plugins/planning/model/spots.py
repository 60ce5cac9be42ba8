"""Patches as contiguous spots of ground, and the ground outside a growth boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray


@dataclass(slots=True)
class Spots:
    """Contiguous spots: the rows of the two sides they belong to (-1: outside a growth boundary) and their shapes."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    geometry: NDArray[np.object_]

    def take(self, chosen: NDArray[Any]) -> Spots:
        """The spots at an index or under a mask."""
        return Spots(self.i[chosen], self.j[chosen], self.geometry[chosen])

    def plus(self, other: Spots) -> Spots:
        """Both lists one after the other."""
        return Spots(
            np.concatenate([self.i, other.i]),
            np.concatenate([self.j, other.j]),
            np.concatenate([self.geometry, other.geometry]),
        )


def split(
    i: NDArray[np.int64], j: NDArray[np.int64], geometry: NDArray[np.object_], min_area: float, min_width: float
) -> Spots:
    """Split pairs into spots; spots below the gates stay with the pair's largest one, so that no ground is lost.

    Args:
        i, j: rows of each pair; geometry: its polygon or multipolygon, shapes (n,).
        min_area, min_width: gates in m² and m (mean width 2·area/perimeter).
    """
    shapes, pair = shapely.get_parts(geometry, return_index=True)
    alone = (np.bincount(pair, minlength=len(geometry)) == 1)[pair]
    several = np.flatnonzero(~alone)
    single = [np.flatnonzero(alone)]
    merged_pair: list[int] = []
    merged: list[Any] = []
    if len(several):
        area = shapely.area(shapes[several])
        below = (area < min_area) | (2.0 * area / shapely.length(shapes[several]) < min_width)
        for group in np.split(np.arange(len(several)), np.flatnonzero(np.diff(pair[several])) + 1):
            if not below[group].any():
                single.append(several[group])
                continue
            largest = group[np.argmax(area[group])]
            single.append(several[group[~below[group] & (group != largest)]])
            together = group[below[group] | (group == largest)]
            merged_pair.append(int(pair[several[largest]]))
            merged.append(shapely.multipolygons(shapes[several[together]]))
    index = np.concatenate(single)
    rows = np.concatenate([pair[index], np.array(merged_pair, dtype=np.int64)])
    shapes_of_merged = np.empty(len(merged), dtype=object)
    shapes_of_merged[:] = merged
    return Spots(i[rows], j[rows], np.concatenate([shapes[index], shapes_of_merged]))


def outside(boundary: NDArray[np.object_], other: NDArray[np.object_], min_area: float, min_width: float) -> Spots:
    """What features have outside a boundary layer: ``i`` is the feature's row, ``j`` is -1.

    Args:
        boundary, other: repaired polygons, None allowed.
        min_area, min_width: gates in m² and m.
    """
    whole = shapely.union_all(boundary[~shapely.is_missing(boundary)])
    shapely.prepare(whole)
    rows = np.flatnonzero(~shapely.is_missing(other))
    rows = rows[~shapely.covered_by(other[rows], whole)]
    rest = shapely.difference(other[rows], whole)
    area, length = shapely.area(rest), shapely.length(rest)
    large = (area >= min_area) & (area > 0)
    large &= 2.0 * area >= min_width * length
    return split(rows[large], np.full(int(large.sum()), -1, dtype=np.int64), rest[large], min_area, min_width)
