"""Triangles of IFC products, cut by a level plane or seen from above. Metres in the file's own axes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

#: A curve's chord may leave it by this much, m.
DEFLECTION = 0.005
#: Half the thickness given to walls drawn as bare surfaces, m.
SKIN = 0.01
#: A product with more triangles is seen from above as its convex hull.
MOST_TRIANGLES = 20_000


@dataclass(slots=True)
class Solid:
    """A product's triangles. ``points`` (n, 3), ``faces`` (m, 3) indices; ``low``, ``high``: heights of its ends."""

    id: int
    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    low: float
    high: float
    _plan: BaseGeometry | None = None

    def plan(self) -> BaseGeometry:
        """Its outline seen from above; empty for what stands upright without thickness."""
        if self._plan is None:
            self._plan = _plan(self)
        return self._plan

    def section(self, height: float) -> BaseGeometry | None:
        """Polygons of the cut by the level plane at ``height``; None where it is not touched."""
        return None if not self.low < height < self.high else _section(self, height)

    def height_at(self, x: float, y: float) -> float | None:
        """Height of its upper side at a place; None beside it."""
        a, b, c = (self.points[self.faces[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        flat = np.abs(area) > 1e-9
        a, b, c, area = a[flat], b[flat], c[flat], area[flat]
        v = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (y - a[:, 1])) / area
        w = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])) / area
        inside = (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9)
        if not inside.any():
            return None
        heights = a[:, 2] + v * (b[:, 2] - a[:, 2]) + w * (c[:, 2] - a[:, 2])
        return float(heights[inside].max())


def triangulate(file: Any, products: Iterable[Any], until: float, scale: float = 1.0) -> tuple[dict[int, Solid], int]:
    """Triangles of products, openings not cut out.

    Args:
        until: ``time.monotonic()`` at which to stop.
        scale: by what to multiply (files without units).

    Returns:
        Solids by instance id, and how many products were not reached in time. Products whose geometry is missing or
        broken are in neither.
    """
    import ifcopenshell.geom

    geom: Any = ifcopenshell.geom  # half typed
    wanted = [product for product in products if getattr(product, "Representation", None)]
    if not wanted:
        return {}, 0
    if time.monotonic() >= until:
        return {}, len(wanted)
    settings = geom.settings()
    for name, value in (
        ("use-world-coords", True), ("disable-opening-subtractions", True), ("mesher-linear-deflection", DEFLECTION),
        ("no-normals", True), ("apply-default-materials", False),
    ):  # fmt: skip
        settings.set(name, value)
    solids: dict[int, Solid] = {}
    iterator = geom.iterator(settings, file, 2, include=wanted)
    done, going = 0, bool(iterator.initialize())
    while going:
        shape = iterator.get()
        points = np.asarray(shape.geometry.verts, np.float64).reshape(-1, 3) * scale
        faces = np.asarray(shape.geometry.faces, np.int64).reshape(-1, 3)
        done += 1
        if len(faces) and np.isfinite(points).all():
            if (before := solids.get(shape.id)) is not None:  # a product with several bodies
                faces = np.vstack([before.faces, faces + len(before.points)])
                points = np.vstack([before.points, points])
            heights = points[:, 2]
            solids[shape.id] = Solid(shape.id, points, faces, float(heights.min()), float(heights.max()))
        going = bool(iterator.next())
        if going and time.monotonic() > until:
            return solids, max(1, len(wanted) - done)
    return solids, 0


def merged(parts: Iterable[BaseGeometry | None]) -> BaseGeometry:
    """The union of polygons; empty for none."""
    return shapely.union_all([one for one in parts if one is not None and not one.is_empty], grid_size=1e-6)


def polygons_of(geometry: BaseGeometry | None) -> list[BaseGeometry]:
    """The polygons of any geometry."""
    if geometry is None:
        return []
    return [one for one in shapely.get_parts(geometry) if one.geom_type == "Polygon" and not one.is_empty]


def _section(solid: Solid, height: float) -> BaseGeometry | None:
    points, distance = solid.points, solid.points[:, 2] - height
    distance = np.where(np.abs(distance) < 1e-7, 1e-7, distance)  # no vertex lies on the plane
    up = distance > 0
    crossing = up[solid.faces].sum(axis=1)
    faces = solid.faces[(crossing == 1) | (crossing == 2)]
    if not len(faces):
        return None
    # The lone corner first: the plane cuts both edges that leave it.
    sides = up[faces]
    lone = np.where(sides.sum(axis=1, keepdims=True) == 1, sides, ~sides).argmax(axis=1)
    rows = np.arange(len(faces))
    first = faces[rows, lone]
    ends = np.stack([_cut(points, distance, first, faces[rows, (lone + k) % 3]) for k in (1, 2)], axis=1)
    ends = np.round(ends, 6)
    ends = ends[(ends[:, 0] != ends[:, 1]).any(axis=1)]
    if not len(ends):
        return None
    lines = shapely.linestrings(ends)
    areas, cuts, dangles, invalid = shapely.polygonize_full(lines)
    inside = [one for one in polygons_of(areas) if _odd(one, ends)]
    loose = [one for part in (cuts, dangles, invalid) for one in shapely.get_parts(part)]
    skin = shapely.union_all(loose).buffer(SKIN, cap_style="square", join_style="mitre") if loose else None
    found = merged([*inside, skin])
    return None if found.is_empty else found


def _cut(
    points: NDArray[np.float64], distance: NDArray[np.float64], a: NDArray[np.int64], b: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where edges cross the plane; computed from the lower index, so that neighbours agree to the last bit."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    share = (distance[low] / (distance[low] - distance[high]))[:, None]
    cut: NDArray[np.float64] = points[low, :2] + share * (points[high, :2] - points[low, :2])
    return cut


def _odd(polygon: BaseGeometry, ends: NDArray[np.float64]) -> bool:
    """Whether a face of the cut is material: a ray from it crosses the cut's edges an odd number of times."""
    x, y = shapely.get_coordinates(polygon.representative_point())[0]
    y0, y1 = ends[:, 0, 1], ends[:, 1, 1]
    across = (y0 > y) != (y1 > y)
    span = np.where(across, y1 - y0, 1.0)
    return bool((across & (ends[:, 0, 0] + (y - y0) / span * (ends[:, 1, 0] - ends[:, 0, 0]) > x)).sum() % 2)


def _plan(solid: Solid) -> BaseGeometry:
    corners = solid.points[solid.faces][:, :, :2]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    doubled = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    corners = corners[doubled > 1e-6]
    if not len(corners):
        return shapely.from_wkt("POLYGON EMPTY")
    if len(corners) > MOST_TRIANGLES:
        return shapely.convex_hull(shapely.multipoints(corners.reshape(-1, 2)))
    rings = np.concatenate([corners, corners[:, :1]], axis=1)
    return merged(shapely.polygons(shapely.linearrings(rings)))
