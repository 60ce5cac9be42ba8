"""Hostile polygons: corners on a small lattice, so that vertices coincide, edges overlap and polygons touch."""

from __future__ import annotations

import numpy as np
import shapely

from planner_app.compute.repair import Geometries, repair

Rng = np.random.Generator


def lattice_polygons(rng: Rng, count: int, size: int) -> Geometries:
    """Valid polygons and multipolygons, some with holes and enclaves, corners in 0 … size."""
    makers = (_random_ring, _union_of_boxes, _ring_with_hole)
    return repaired(np.array([makers[rng.integers(3)](rng, size) for _ in range(count)], dtype=object))


def moved(rng: Rng, *layers: Geometries) -> list[Geometries]:
    """The layers turned, scaled and pushed together to where city coordinates are: nothing is exact any more."""
    angle, scale = rng.uniform(0, 2 * np.pi), rng.choice([0.5, 1.0, 10.0, 37.7])
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    push = rng.uniform(-5e6, 5e6, 2)
    return [repaired(shapely.transform(layer, lambda xy: xy @ turn + push)) for layer in layers]


def repaired(geoms: Geometries) -> Geometries:
    """Valid polygons, those without area left out."""
    result = repair(geoms).geoms
    return result[~shapely.is_missing(result)]


def _random_ring(rng: Rng, size: int) -> shapely.Geometry:
    return shapely.Polygon(rng.integers(0, size + 1, (rng.integers(3, 9), 2)))


def _union_of_boxes(rng: Rng, size: int) -> shapely.Geometry:
    corners = rng.integers(0, size, (rng.integers(2, 8), 2))
    sides = rng.integers(1, 3, corners.shape)
    return shapely.union_all(shapely.box(*corners.T, *(corners + sides).T))


def _ring_with_hole(rng: Rng, size: int) -> shapely.Geometry:
    x, y = rng.integers(0, size, 2)
    outer = shapely.make_valid(_random_ring(rng, size))
    return shapely.difference(outer, shapely.box(x, y, x + 1, y + 1))
