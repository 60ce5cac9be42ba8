"""Distances of pipes to bodies against a dense sampling, and the outer shape of bent tunnels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from plugins.tunnel.model.clearance.bodies import Bodies, body_gaps, flat_bodies, near_bodies
from plugins.tunnel.model.clearance.kernel import Pieces
from plugins.tunnel.model.clearance.tunnels import join, rectangles


def piece(a: np.ndarray, b: np.ndarray, radius: float) -> Pieces:
    return Pieces(a[None], b[None], np.array([radius]), np.array([0]), np.array([[-1, -1]]))


@pytest.mark.parametrize("seed", range(60))
def test_a_pipe_and_a_body_against_sampling(seed: int) -> None:
    """A random pipe near a random box, level or rising: plan, upright and true distance."""
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, np.pi)
    outline = np.array([[-4, -2], [4, -2], [4, 2], [-4, 2]]) @ [
        [np.cos(turn), np.sin(turn)],
        [-np.sin(turn), np.cos(turn)],
    ]
    gradient = rng.normal(0, 0.02, (1, 2)) if seed % 2 else np.zeros((1, 2))
    bodies = Bodies(
        np.array([shapely.polygons(outline)]),
        np.zeros((1, 2)),
        np.array([-1.5]),
        gradient,
        np.array([3.0]),
        np.array([0]),
    )
    middle = np.array([*rng.uniform(-7, 7, 2), rng.uniform(-4, 4)])
    way = np.array([*rng.normal(0, 5, 2), rng.normal(0, 0.6)])
    a, b, radius = middle - way, middle + way, rng.uniform(0.05, 0.5)
    found = near_bodies(piece(a, b, radius), bodies, 100.0)

    t = np.linspace(0, 1, 4001)
    at = a + t[:, None] * (b - a)
    flat = shapely.distance(shapely.points(at[:, :2]), bodies.plan[0])
    under = -1.5 + at[:, :2] @ gradient[0]
    rise = np.maximum(under - at[:, 2], at[:, 2] - under - 3.0)
    step = float(np.linalg.norm(b - a)) / 4000
    assert found.plan[0] == pytest.approx(max(flat.min() - radius, 0), abs=step)
    space = np.hypot(flat, np.maximum(rise, 0)).min() - radius
    over = rise[flat <= 0]
    if len(over) and over.min() < 0:  # within it
        assert found.true[0] == pytest.approx(min(over.min() - radius, space), abs=2 * step)
    else:
        assert found.true[0] == pytest.approx(space, abs=2 * step)
    if flat.min() > radius + step:
        assert math.isnan(found.vertical[0])
    elif len(over) > 2:
        assert found.vertical[0] == pytest.approx(over.min() - radius, abs=2 * step)


def test_a_true_distance_is_that_in_space() -> None:
    """The one case that needs no slope: beside and above a box, the distance is that to its edge."""
    box = flat_bodies(np.array([shapely.box(0, 0, 10, 10)]), np.array([-3.0]), np.array([0.0]))
    found = near_bodies(piece(np.array([13.0, -5, 4]), np.array([13.0, 15, 4]), 0.5), box, 5.0)
    assert (found.plan[0], found.true[0]) == pytest.approx((2.5, 4.5))
    unknown = flat_bodies(box.plan, np.array([np.nan]), np.array([np.nan]))
    found = near_bodies(piece(np.array([13.0, -5, 4]), np.array([13.0, 15, 4]), 0.5), unknown, 5.0)
    assert found.plan[0] == pytest.approx(2.5)
    assert np.isnan(found.true[0])


def test_a_bent_tunnel_has_no_gap_and_its_walls_keep_their_distance() -> None:
    turn = np.linspace(0, np.pi / 2, 12)
    axis = shapely.linestrings(np.column_stack([100 * np.sin(turn), 100 * (1 - np.cos(turn)), -5 + turn]))
    bodies = join(rectangles(axis, (-3.0, -0.4, 2.0, 3.4), 0))
    whole = shapely.union_all(bodies.plan)
    line = shapely.force_2d(axis)
    # Right of the axis (outside of the bend to the left) 2 m, left 3 m.
    expected = shapely.union_all(
        [
            line.buffer(-2.0, single_sided=True, join_style="mitre"),
            line.buffer(3.0, single_sided=True, join_style="mitre"),
        ]
    )
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert shapely.hausdorff_distance(whole, expected) < 0.02
    ends = bodies.under(np.array([0, len(bodies) - 1]), shapely.get_coordinates(line)[[0, -1]])
    assert ends == pytest.approx([-5.4, -5.4 + np.pi / 2])


def test_bodies_beside_and_over_each_other() -> None:
    low = flat_bodies(np.array([shapely.box(0, 0, 10, 10)]), np.array([-9.0]), np.array([-6.0]))
    high = flat_bodies(
        np.array([shapely.box(13, 0, 20, 10), shapely.box(5, 5, 8, 20), shapely.box(5, 5, 8, 20)]),
        np.array([-2.0, -5.0, -7.0]),
        np.array([0.0, 0.0, 0.0]),
    )
    found = body_gaps(low, high, 4.0)
    rows = {int(b): (found.plan[k], found.vertical[k], found.true[k]) for k, b in enumerate(found.b)}
    assert rows[0] == (3.0, pytest.approx(math.nan, nan_ok=True), 5.0)
    assert rows[1] == (0.0, 1.0, 1.0)
    assert rows[2] == (0.0, -1.0, -1.0)
