"""Smooth lines, organic outlines and smooth noise: what keeps a drawn town from looking like a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Array = npt.NDArray[np.float64]
Geometry = Any
"""A shapely geometry (shapely ships no types)."""

Point = tuple[float, float]


class Noise:
    """Smooth noise in about [-1, 1]: a sum of plane waves of about ``wavelength`` metres."""

    def __init__(self, rng: np.random.Generator, wavelength: float, waves: int = 7) -> None:
        direction = rng.uniform(0, 2 * np.pi, waves)
        number = 2 * np.pi / (wavelength * rng.uniform(0.6, 1.7, waves))
        self._kx, self._ky = number * np.cos(direction), number * np.sin(direction)
        self._phase = rng.uniform(0, 2 * np.pi, waves)

    def __call__(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
        """Noise at the points, same shape as ``x``."""
        xs, ys = np.asarray(x, float)[..., None], np.asarray(y, float)[..., None]
        value: Array = np.sin(xs * self._kx + ys * self._ky + self._phase).mean(-1) * 1.7
        return value


class Drift:
    """A smooth shift of the plane, as a second digitising of the same map has it.

    The shift varies over ``wavelength`` metres, so neighbours move together: a coverage stays a coverage. With
    ``patchy`` only some districts were digitised anew; elsewhere the borders agree to a few centimetres.
    """

    def __init__(self, rng: np.random.Generator, amplitude: float, wavelength: float, *, patchy: bool = False) -> None:
        self._dx, self._dy, self._amplitude = Noise(rng, wavelength), Noise(rng, wavelength), amplitude
        self._where = Noise(rng, 2200) if patchy else None

    def __call__(self, geometry: Geometry) -> Geometry:
        """The geometry (or array of geometries), each vertex moved by up to about the amplitude (metres)."""

        def moved(xy: Array) -> Array:
            shift: Array = np.stack([self._dx(xy[:, 0], xy[:, 1]), self._dy(xy[:, 0], xy[:, 1])], -1)
            shift *= self._amplitude
            if self._where is not None:
                shift *= np.clip(1.5 * self._where(xy[:, 0], xy[:, 1]) - 0.1, 0.02, 1.0)[:, None]
            return xy + shift

        return shapely.transform(geometry, moved)


def spline(points: Sequence[Point] | Array, *, closed: bool = False, step: float = 20.0) -> Array:
    """Catmull-Rom curve through the points, one vertex about every ``step`` metres. Shape (n, 2)."""
    p = np.asarray(points, float)
    if closed:
        p = np.concatenate([p[-1:], p, p[:2]])
    else:
        p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        count = max(2, int(np.hypot(*(c - b)) / step))
        t = np.linspace(0, 1, count, endpoint=False)[:, None]
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    if not closed:
        pieces.append(p[-2:-1])
    return np.concatenate(pieces)


def line(points: Sequence[Point] | Array, step: float = 20.0) -> Geometry:
    """The smooth open line through the points."""
    return shapely.linestrings(spline(points, step=step))


def outline(points: Sequence[Point] | Array, step: float = 20.0) -> Geometry:
    """The smooth closed area through the points."""
    return clean(shapely.polygons(spline(points, closed=True, step=step)))


def blob(
    rng: np.random.Generator, centre: Point, radius: float, *, stretch: float = 1.0, turn: float = 0.0, corners: int = 9
) -> Geometry:
    """An organic outline about a point: radius in metres, stretched along the direction ``turn`` (radians)."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(-0.2, 0.2, corners)
    r = radius * rng.uniform(0.72, 1.22, corners)
    x, y = r * np.cos(angle) * np.sqrt(stretch), r * np.sin(angle) / np.sqrt(stretch)
    c, s = np.cos(turn), np.sin(turn)
    return outline(np.stack([centre[0] + c * x - s * y, centre[1] + s * x + c * y], -1), step=max(4.0, radius / 8))


def jitter(rng: np.random.Generator, points: Sequence[Point], amount: float) -> Array:
    """The points, each moved by a normal deviate of ``amount`` metres."""
    p = np.asarray(points, float)
    return p + rng.normal(0, amount, p.shape)


def ribbon(axis: Array, half_width: Array) -> Geometry:
    """The area along an axis (n, 2) whose half width (n,) changes from vertex to vertex."""
    tangent = np.gradient(axis, axis=0)
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1) * half_width[:, None]
    return clean(shapely.polygons(np.concatenate([axis + normal, (axis - normal)[::-1]])))


def clean(geometry: Geometry) -> Geometry:
    """A valid area of the same shape."""
    return geometry if shapely.is_valid(geometry) else geometry.buffer(0)


def parts(geometry: Geometry, min_area: float = 0.0) -> list[Geometry]:
    """The single polygons of a geometry (or array) with more than ``min_area`` m²."""
    if geometry is None:
        return []
    flat = shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(geometry, dtype=object))))
    return [g for g in flat if g.geom_type == "Polygon" and g.area > min_area]


def line_parts(geometry: Geometry) -> list[Geometry]:
    """The single lines of a geometry (or array)."""
    flat = shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(geometry, dtype=object))))
    return [g for g in flat if g.geom_type in ("LineString", "LinearRing") and g.length > 0]


def boundaries(polygons: Iterable[Geometry]) -> list[Geometry]:
    """The rings of polygons as lines."""
    return line_parts(shapely.boundary(np.array(list(polygons), dtype=object)))


def faces_of(lines: Sequence[Geometry], grid: float = 0.01) -> list[Geometry]:
    """The faces that lines cut the plane into; vertices snap to a ``grid`` in metres, so neighbours share them."""
    noded = shapely.union_all(np.array(list(lines), dtype=object), grid_size=grid)
    return parts(shapely.polygonize([noded]))


def direction(polygon: Geometry) -> tuple[Array, float, float]:
    """(unit vector along the longer side, length, breadth) of the smallest rectangle about a polygon."""
    ring = np.asarray(shapely.oriented_envelope(polygon).exterior.coords)
    side_a, side_b = ring[1] - ring[0], ring[2] - ring[1]
    a, b = float(np.hypot(*side_a)), float(np.hypot(*side_b))
    long, length, breadth = (side_a, a, b) if a >= b else (side_b, b, a)
    return long / max(length, 1e-9), length, breadth


def rounded(polygon: Geometry, radius: float) -> Geometry:
    """The polygon with its corners rounded (metres)."""
    return polygon.buffer(-radius, quad_segs=4).buffer(radius, quad_segs=4)
