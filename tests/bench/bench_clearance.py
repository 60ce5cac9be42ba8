"""Clearances of a town of 200,000 straight pieces of pipe: the kernel, the whole report, and shapely pair by pair.

    .venv/bin/python -m tests.bench.bench_clearance [PIECES]

The limit is the product's own: 2 s for the kernel. Shapely knows no heights (it drops Z in every distance), so the
brute force measures the plan only, on a sample, and is scaled up; the pairs of the sample must agree.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import shapely

from plugins.tunnel.model.clearance.kernel import Pieces, near_pairs, near_pieces

REACH = 5.0
SAMPLE = 400


def town(count: int) -> Pieces:
    """Pipes of ten pieces along and across streets 120 m apart, six beside each other, at depths of 0.7 to 4 m."""
    rng = np.random.default_rng(5)
    lines = count // 10
    side = int(np.sqrt(lines / 12)) + 1
    street = rng.integers(0, side, lines)
    block = rng.integers(0, side, lines)
    aside = rng.choice([-9.0, -6.5, -4.0, 2.0, 5.0, 8.0], lines) + rng.normal(0, 0.3, lines)
    along = np.linspace(0, 100, 11)[None] + block[:, None] * 120.0 + rng.normal(0, 0.1, (lines, 11))
    across = street[:, None] * 120.0 + aside[:, None] + rng.normal(0, 0.1, (lines, 11))
    east = rng.random(lines) < 0.5
    x, y = np.where(east[:, None], along, across), np.where(east[:, None], across, along)
    z = -rng.uniform(0.7, 4.0, lines)[:, None] + np.cumsum(rng.normal(0, 0.02, (lines, 11)), axis=1)
    points = np.stack([x + 500_000, y + 3_400_000, z], axis=-1)
    return Pieces(
        points[:, :-1].reshape(-1, 3),
        points[:, 1:].reshape(-1, 3),
        np.repeat(rng.choice([0.05, 0.1, 0.2, 0.4], lines), 10),
        np.repeat(np.arange(lines), 10),
        np.full((lines * 10, 2), -1),
    )


def brute(pieces: Pieces, sample: np.ndarray) -> tuple[int, float]:
    """Pairs within reach of the sampled pieces by every distance to all others, and how long that took."""
    flat = shapely.linestrings(np.stack([pieces.start[:, :2], pieces.end[:, :2]], axis=1))
    found = 0
    began = time.perf_counter()
    for at in sample:
        gap = shapely.distance(flat[at], flat) - pieces.radius - pieces.radius[at]
        found += int(((gap <= REACH) & (pieces.line != pieces.line[at])).sum())
    return found, time.perf_counter() - began


def main() -> int:
    """Print the figures; 1 if the limit does not hold or the sample disagrees."""
    pieces = town(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    near_pairs(town(1_000), REACH)
    began = time.perf_counter()
    pairs = near_pairs(pieces, REACH)
    kernel = time.perf_counter() - began
    print(f"kernel: {len(pieces):,} pieces, {len(pairs.a):,} pairs of lines within {REACH} m: {kernel:.2f} s")
    sample = np.random.default_rng(1).choice(len(pieces), min(SAMPLE, len(pieces)), replace=False)
    found = near_pieces(pieces, REACH)
    member = np.zeros(len(pieces), bool)
    member[sample] = True
    ours = int(member[found.a].sum() + member[found.b].sum())
    theirs, took = brute(pieces, sample)
    print(f"shapely pair by pair: {took:.1f} s for {len(sample):,}, {took * len(pieces) / len(sample):,.0f} s for all")
    print(f"pairs of the sample: {ours:,} and {theirs:,}")
    return int(ours != theirs or (kernel > 2.0 and len(pieces) <= 200_000))


if __name__ == "__main__":
    raise SystemExit(main())
