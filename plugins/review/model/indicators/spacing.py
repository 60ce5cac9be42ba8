"""Shortest distances between buildings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from plugins.review.model.indicators.types import Building, Spacing

#: Pairs farther apart than this (m) are measured only if nothing is nearer.
WITHIN = 100.0


def spacings(buildings: Sequence[Building], within: float = WITHIN) -> list[Spacing]:
    """Pairs of buildings nearer than ``within`` m, the closest first; every building at least with its nearest.

    Touching or overlapping buildings have distance 0.
    """
    if len(buildings) < 2:
        return []
    outlines: Any = np.array([one.outline or one.geometry for one in buildings], dtype=object)
    tree = shapely.STRtree(outlines)
    first, second = tree.query(outlines, predicate="dwithin", distance=within)
    pairs = {(int(a), int(b)) for a, b in zip(first, second, strict=True) if a < b}
    lonely = set(range(len(buildings))) - {i for pair in pairs for i in pair}
    for i in lonely:
        others = [j for j in range(len(buildings)) if j != i]
        nearest = others[int(np.argmin(shapely.distance(outlines[i], outlines[others])))]
        pairs.add((min(i, nearest), max(i, nearest)))
    ordered = np.array(sorted(pairs))
    a, b = outlines[ordered[:, 0]], outlines[ordered[:, 1]]
    distances, lines = shapely.distance(a, b), shapely.shortest_line(a, b)
    found = [
        Spacing(buildings[i].name, buildings[j].name, float(distance), line)
        for (i, j), distance, line in zip(ordered.tolist(), distances, lines, strict=True)
    ]
    return sorted(found, key=lambda one: one.distance_m)
