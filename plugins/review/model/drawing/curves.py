"""Curves as vertices: arcs, bulges and ellipses flattened so that no chord is farther than a tolerance from its arc."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

#: Chords of a full turn at least and at most, whatever the tolerance says.
FEWEST, MOST = 8, 2000


def steps(radius: float, angle: float, tolerance: float) -> int:
    """Chords for an arc of ``angle`` radians: sagitta r(1 − cos(θ/2)) ≤ tolerance."""
    if not (radius > 0.0 and math.isfinite(radius)):
        return 1
    step = 2.0 * math.acos(max(1.0 - tolerance / radius, math.cos(math.pi / FEWEST)))
    step = max(step, 2.0 * math.pi / MOST)
    return max(1, math.ceil(abs(angle) / step - 1e-9))


def arc(x: float, y: float, radius: float, start: float, angle: float, tolerance: float) -> Points:
    """An arc from ``start`` over ``angle`` (radians, signed) with both ends; a full turn repeats no vertex."""
    count = steps(radius, angle, tolerance)
    full = math.isclose(abs(angle), 2.0 * math.pi)
    at = start + angle * np.arange(count + (not full)) / count
    return np.column_stack([x + radius * np.cos(at), y + radius * np.sin(at)])


def ellipse(
    centre: tuple[float, float],
    major: tuple[float, float],
    minor: tuple[float, float],
    start: float,
    angle: float,
    tolerance: float,
) -> Points:
    """Part of an ellipse by its half axes and parameters in radians; a full turn repeats no vertex."""
    count = steps(max(math.hypot(*major), math.hypot(*minor)), angle, tolerance)
    full = math.isclose(abs(angle), 2.0 * math.pi)
    at = start + angle * np.arange(count + (not full)) / count
    cos, sin = np.cos(at), np.sin(at)
    return np.column_stack([centre[0] + major[0] * cos + minor[0] * sin, centre[1] + major[1] * cos + minor[1] * sin])


def bulged(points: Points, bulges: NDArray[np.float64], closed: bool, tolerance: float) -> Points:
    """A polyline with its arcs flattened.

    Args:
        points: vertices (n, 2); bulges: (n,), tan of a quarter of the arc's angle from each vertex to the next.
    """
    count = len(points) if closed else len(points) - 1
    curved = np.flatnonzero(np.abs(bulges[: max(count, 0)]) > 1e-9)
    if not len(curved):
        return points
    parts: list[Points] = []
    done = 0
    for at in curved.tolist():
        bulge = float(bulges[at])
        x0, y0 = points[at]
        x1, y1 = points[(at + 1) % len(points)]
        dx, dy = x1 - x0, y1 - y0
        chord = math.hypot(dx, dy)
        parts.append(points[done : at + 1])
        done = at + 1
        if chord == 0.0:
            continue
        angle = 4.0 * math.atan(bulge)
        away = (1.0 - bulge * bulge) / (4.0 * bulge)  # of the centre from the chord's middle, in chords
        cx, cy = (x0 + x1) / 2.0 - dy * away, (y0 + y1) / 2.0 + dx * away
        radius = chord * (1.0 + bulge * bulge) / (4.0 * abs(bulge))
        inner = arc(cx, cy, radius, math.atan2(y0 - cy, x0 - cx), angle, tolerance)
        parts.append(inner[1:-1])
    parts.append(points[done:])
    return np.concatenate(parts)


def without_repeats(points: Points, closed: bool, least: float = 0.0) -> Points:
    """The vertices without those that repeat the one before (or, if closed, the first)."""
    if len(points) < 2:
        return points
    apart = np.abs(np.diff(points, axis=0)).max(axis=1) > least
    if not apart.all():
        points = points[np.concatenate([[True], apart])]
    if closed and len(points) > 1 and np.abs(points[0] - points[-1]).max() <= least:
        points = points[:-1]
    return points
