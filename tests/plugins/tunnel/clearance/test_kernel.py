"""Distances of pipes in space against a dense sampling, and pairs against all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.tunnel.model.clearance.kernel import Pieces, near_pairs, nearest

_places = st.lists(st.floats(-50, 50).map(lambda v: round(v, 3)), min_size=12, max_size=12)


@settings(max_examples=300, deadline=None)
@given(_places, st.booleans())
def test_nearest_is_never_more_than_any_two_points_and_is_reached(values: list[float], parallel: bool) -> None:
    a0, a1, b0, b1 = np.array(values).reshape(4, 1, 3)
    if parallel:
        b1 = b0 + (a1 - a0) * 1.7
    distance, s, t = nearest(a0, a1, b0, b1)
    reached = np.linalg.norm(a0 + s[:, None] * (a1 - a0) - b0 - t[:, None] * (b1 - b0), axis=1)
    assert reached[0] == pytest.approx(distance[0], abs=1e-9)
    steps = np.linspace(0, 1, 41)
    one = a0 + steps[:, None] * (a1 - a0)
    two = b0 + steps[:, None] * (b1 - b0)
    sampled = float(np.linalg.norm(one[:, None] - two[None], axis=2).min())
    assert distance[0] <= sampled + 1e-9
    cell = (np.linalg.norm(a1 - a0) + np.linalg.norm(b1 - b0)) / 40
    assert distance[0] >= sampled - cell


def pieces(
    rows: list[tuple[tuple[float, ...], tuple[float, ...], float]], nodes: list[tuple[int, int]] | None = None
) -> Pieces:
    return Pieces(
        np.array([row[0] for row in rows], float),
        np.array([row[1] for row in rows], float),
        np.array([row[2] for row in rows]),
        np.arange(len(rows)),
        np.array(nodes if nodes else [(-1, -1)] * len(rows)),
    )


def test_a_crossing_beside_and_a_collision() -> None:
    found = near_pairs(
        pieces(
            [
                ((0, 0, 0), (10, 0, 0), 0.2),
                ((5, -5, 1), (5, 5, 1), 0.3),  # crosses 1 m above
                ((0, 2, 0), (10, 2, 0), 0.5),  # beside the first, hit by the second's plan at 1 m height
                ((0, 9, 0.1), (10, 9, 0.1), 0.1),
            ]
        ),
        3.0,
    )
    rows = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(found.a, found.b, strict=True))}
    assert set(rows) == {(0, 1), (0, 2), (1, 2)}
    crossing, beside = rows[0, 1], rows[0, 2]
    assert (found.plan[crossing], found.vertical[crossing], found.true[crossing]) == pytest.approx((0, 0.5, 0.5))
    assert (found.plan[beside], found.true[beside]) == pytest.approx((1.3, 1.3))
    assert math.isnan(found.vertical[beside])
    assert found.vertical[rows[1, 2]] == pytest.approx(0.2)
    assert tuple(found.where[crossing]) == pytest.approx((5, 0))


def test_unknown_height_stays_unknown() -> None:
    nan = float("nan")
    found = near_pairs(pieces([((0, 0, nan), (10, 0, nan), 0.2), ((5, -5, 1), (5, 5, 1), 0.3)]), 3.0)
    assert found.plan.tolist() == [0.0]
    assert np.isnan(found.true).all()
    assert np.isnan(found.vertical).all()


def test_joined_pieces_are_not_measured() -> None:
    rows = [((0, 0, 0), (10, 0, 0), 0.2), ((10, 0, 0), (20, 0, 0), 0.2), ((20, 1, 0), (30, 1, 0), 0.2)]
    found = near_pairs(pieces(rows, [(1, 2), (2, 3), (4, 5)]), 3.0)
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(1, 2)]


@pytest.mark.parametrize("seed", range(4))
def test_pairs_equal_all_pairs(seed: int) -> None:
    """Lines of several pieces, some without height, against every pair of pieces measured one by one."""
    rng = np.random.default_rng(seed)
    count, reach = 240, 4.0
    start = np.column_stack([rng.uniform(0, 120, (count, 2)), rng.uniform(-6, 0, count)])
    end = start + np.column_stack([rng.normal(0, 12, (count, 2)), rng.normal(0, 0.4, count)])
    start[rng.random(count) < 0.05, 2] = np.nan
    some = Pieces(start, end, rng.uniform(0.05, 0.6, count), rng.integers(0, 60, count), np.full((count, 2), -1))
    found = near_pairs(some, reach)
    expected: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for i in range(count):
        for j in range(i + 1, count):
            pair = tuple(sorted((int(some.line[i]), int(some.line[j]))))
            if pair[0] == pair[1]:
                continue
            radii = some.radius[i] + some.radius[j]
            flat = nearest(start[[i], :2], end[[i], :2], start[[j], :2], end[[j], :2])[0][0]
            if flat - radii > reach:
                continue
            space = nearest(start[[i]], end[[i]], start[[j]], end[[j]])[0][0] - radii
            expected.setdefault(pair, []).append((max(flat - radii, 0.0), space))
    pairs = [tuple(sorted((int(some.line[a]), int(some.line[b])))) for a, b in zip(found.a, found.b, strict=True)]
    assert sorted(pairs) == sorted(expected)
    for k, pair in enumerate(pairs):
        measured = expected[pair]
        assert found.plan[k] == pytest.approx(min(plan for plan, _ in measured))
        if any(math.isnan(space) for _, space in measured):
            assert math.isnan(found.true[k])
        else:
            assert found.true[k] == pytest.approx(min(space for _, space in measured))


@pytest.mark.parametrize("seed", range(3))
def test_long_slanted_pieces_among_short_ones(seed: int) -> None:
    """Pieces are searched by their boxes, long slanted ones by their distance: no pair is lost or doubled."""
    rng = np.random.default_rng(seed)
    start = np.column_stack([rng.uniform(0, 900, (400, 2)), rng.uniform(-6, 0, 400)])
    way = rng.normal(0, 3, (400, 3))
    way[:12] = rng.choice([-1, 1], (12, 3)) * rng.uniform(200, 600, (12, 3))
    some = Pieces(start, start + way, rng.uniform(0.05, 0.6, 400), np.arange(400), np.full((400, 2), -1))
    found = near_pairs(some, 5.0)
    i, j = np.triu_indices(400, 1)
    flat = nearest(some.start[i, :2], some.end[i, :2], some.start[j, :2], some.end[j, :2])[0]
    near = flat - some.radius[i] - some.radius[j] <= 5.0
    pairs = sorted((min(a, b), max(a, b)) for a, b in zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert pairs == list(zip(i[near].tolist(), j[near].tolist(), strict=True))
    assert sum(a < 12 for a, _ in pairs) > 20


def test_two_sets() -> None:
    pipes = pieces([((0, 0, 0), (10, 0, 0), 0.2)])
    piles = pieces([((5, 1, 2), (5, 1, -8), 0.4), ((50, 50, 0), (50, 50, -8), 0.4)])
    found = near_pairs(pipes, 2.0, piles)
    assert (found.a.tolist(), found.b.tolist()) == ([0], [0])
    assert found.true[0] == pytest.approx(0.4)


def test_lines_of_two_sets_are_numbered_apart() -> None:
    """Line 0 of one set with line 1 of the other is not line 1 with line 0."""
    one = pieces([((0, 0, 0), (10, 0, 0), 0.1), ((0, 50, 0), (10, 50, 0), 0.1)])
    two = pieces([((0, 51, 0), (10, 51, 0), 0.1), ((0, 2, 0), (10, 2, 0), 0.1)])
    found = near_pairs(one, 3.0, two)
    assert sorted(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(0, 1), (1, 0)]
    assert sorted(found.true.tolist()) == pytest.approx([0.8, 1.8])
