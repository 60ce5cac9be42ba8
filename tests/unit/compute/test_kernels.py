"""The compiled kernels against GEOS."""

from __future__ import annotations

import os

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_app.compute.accelerated import kernels
from planner_app.compute.layer import Layer
from planner_app.compute.repair import Geometries
from tests.unit.compute.lattice import lattice_polygons, moved, repaired

module = kernels()
if module is None:
    pytest.skip("numba is missing: GEOS does all the work", allow_module_level=True)


def _pairs_agree(
    a: Geometries, b: Geometries, rng: np.random.Generator, count: int, tolerance: float
) -> tuple[int, int]:
    """Check random pairs; returns how many share ground and how many of these the clipper left to GEOS."""
    one, two = Layer.of(a), Layer.of(b)
    i, j = rng.integers(0, len(one), count), rng.integers(0, len(two), count)
    truth = shapely.intersection(one.geoms[i], two.geoms[j])
    true_area = shapely.area(truth)
    area = module.areas(one.rings(), two.rings(), i, j)
    np.testing.assert_allclose(area, true_area, rtol=1e-9, atol=1e-6)

    shared = np.flatnonzero(true_area > 1e-4)
    patches = module.clip(one.rings(), two.rings(), i[shared], j[shared], area[shared])
    done = ~shapely.is_missing(patches)
    assert shapely.is_valid(patches[done]).all()
    wrong = shapely.area(shapely.symmetric_difference(patches[done], truth[shared][done]))
    # GEOS 3.14 calls two polygons wholly different whose vertices are the same to 1e-13 m: there distances judge.
    apart = shapely.hausdorff_distance(patches[done], truth[shared][done])
    assert wrong[apart > 1e-9].max(initial=0.0) <= tolerance
    return len(shared), int((~done).sum())


@pytest.mark.parametrize("seed", range(3))
def test_hostile_lattice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 7))
    a, b = lattice_polygons(rng, 200, size), lattice_polygons(rng, 200, size)
    shared, left = _pairs_agree(a, b, rng, 2_000, 1e-9)
    assert left < 0.05 * shared
    _pairs_agree(*moved(rng, a, b), rng, 2_000, 1e-5)


@pytest.mark.soak
def test_hostile_lattice_long() -> None:
    shared = left = seed = 0
    while shared < int(os.environ.get("PLANNER_SOAK_PAIRS", "100000")):
        rng = np.random.default_rng(1_000 + seed)
        size = int(rng.integers(3, 8))
        a, b = lattice_polygons(rng, 300, size), lattice_polygons(rng, 300, size)
        for layers, tolerance in (((a, b), 1e-9), (moved(rng, a, b), 1e-5)):
            more = _pairs_agree(*layers, rng, 5_000, tolerance)
            shared, left = shared + more[0], left + more[1]
        seed += 1
    assert left < 0.02 * shared


coordinate = st.floats(-1_000, 1_000, allow_nan=False, width=32)
polygon = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12).map(shapely.Polygon)


@settings(max_examples=150, deadline=None)
@given(polygon, polygon)
def test_any_two_polygons(first: shapely.Polygon, second: shapely.Polygon) -> None:
    a, b = repaired(np.array([first], dtype=object)), repaired(np.array([second], dtype=object))
    if len(a) and len(b):
        # A spike of up to 1e-7 m may be cut off along an edge.
        _pairs_agree(a, b, np.random.default_rng(0), 1, 1e-6 + 1e-7 * (first.length + second.length))


@pytest.mark.parametrize("vertices", [30, 300, 30_000])
@pytest.mark.parametrize("shift", [0.0, 1e-7, 0.3, 40.0])
def test_coasts(vertices: int, shift: float) -> None:
    """Polygons of many vertices: blocks, runs above the window and slabs are all in use."""
    rng = np.random.default_rng(vertices)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = 2_000 * (1 + 0.2 * np.sin(5 * angle)) + rng.uniform(-1, 1, vertices) * 2_000 / vertices
    coast = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + np.array([500_000, 3_400_000])
    moved_coast = coast + np.array([shift, 0.7 * shift])
    box = shapely.box(499_000, 3_399_500, 501_000, 3_400_700)
    polygons = [shapely.Polygon(coast), shapely.Polygon(moved_coast), box]
    geoms = repaired(np.array(polygons, dtype=object))
    assert len(geoms) == 3
    _pairs_agree(geoms, geoms, rng, 40, 1e-3)


def test_areas_far_from_the_origin() -> None:
    """Areas lose no digits to large coordinates (GEOS cannot tell them: its vertices are rounded there)."""
    rng = np.random.default_rng(5)
    far = [shapely.transform(lattice_polygons(rng, 200, 5), lambda xy: xy * 64 + 2.0**33) for _ in range(2)]
    near = [repaired(shapely.transform(layer, lambda xy: xy - 2.0**33)) for layer in far]
    a, b = (Layer.of(shapely.transform(layer, lambda xy: xy + 2.0**33)) for layer in near)
    i, j = rng.integers(0, len(a), 500), rng.integers(0, len(b), 500)
    area = module.areas(a.rings(), b.rings(), i, j)
    truth = shapely.area(shapely.intersection(near[0][a.row[i]], near[1][b.row[j]]))
    np.testing.assert_allclose(area, truth, rtol=1e-9, atol=1e-6)
