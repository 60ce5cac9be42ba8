"""Where the site plan lies in a modelspace that also holds floor plans, sections and copies of the site plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity
from plugins.review.model.reading.outlines import is_curve, sound
from plugins.review.model.reading.types import Role

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.reading.convention import LayerMatch

Box = tuple[float, float, float, float]

#: Roles that are drawn on the site plan itself; the others (floor plans, sections, tables) may stand anywhere.
ON_SITE = frozenset(
    {
        Role.SITE, Role.ROAD_LINE, Role.BUILD_TO, Role.FOOTPRINT, Role.BASEMENT, Role.GREEN, Role.ROAD, Role.VEGETATION,
        Role.CONTROL_POINT, Role.BALCONY, Role.PIPE,
    }
)  # fmt: skip
#: Room around the site outline that belongs to the site plan, as a share of its longer side.
_MARGIN = 0.5
#: Farther apart than this many times their size, two outlines of different shape are on different sheets.
_FAR = 3.0
#: A drawing with more site outlines than this is a parcel map, read as a whole.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Region:
    """A candidate in drawing units; ``sites``: areas of its site outlines, ``rings`` their polygons."""

    box: Box
    rings: tuple[BaseGeometry, ...]
    score: tuple[float, ...]

    @property
    def area(self) -> float:
        """Area of the site, in square units."""
        return float(shapely.union_all(list(self.rings)).area)


def boxes(items: Sequence[tuple[Entity, LayerMatch]]) -> NDArray[np.float64]:
    """(n, 4) bounds of entities in drawing units; NaN for those without a place."""
    made = np.full((len(items), 4), np.nan)
    for k, (entity, _) in enumerate(items):
        points = entity.points if len(entity.points) else np.concatenate(entity.rings) if entity.rings else None
        if points is not None:
            made[k, :2], made[k, 2:] = points.min(axis=0), points.max(axis=0)
    return made


def rough_rings(entities: Sequence[Entity]) -> list[BaseGeometry]:
    """Site outlines before the unit is known: closed curves, and open ones that nearly close, without duplicates."""
    rings: dict[tuple[float, ...], BaseGeometry] = {}
    for entity in entities:
        for points in entity.rings or ((entity.points,) if is_curve(entity) else ()):
            if len(points) < 3:
                continue
            course = np.hypot(*np.diff(points, axis=0).T).sum()
            if entity.closed or entity.rings or np.hypot(*(points[-1] - points[0])) <= 0.01 * course:
                polygon = sound(shapely.Polygon(points))
                if polygon.area > 0:
                    # Drawn twice, its middle and its size are the same but for a hundredth.
                    grid = 0.01 * float(np.sqrt(polygon.area))
                    middle = shapely.get_coordinates(polygon.centroid)[0]
                    key = (*np.round(middle / grid).tolist(), round(float(np.log(polygon.area)), 1))
                    rings.setdefault(key, polygon)
    if not rings:
        lines = [shapely.LineString(entity.points) for entity in entities if is_curve(entity)]
        faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines)])) if lines else []
        return [face for face in faces if face.area > 0]
    return list(rings.values())


def find_regions(
    rings: Sequence[BaseGeometry], items: Sequence[tuple[Entity, LayerMatch]], bounds: NDArray[np.float64]
) -> list[Region]:
    """Candidates, best first: what shows the most of a site plan.

    Args:
        rings: site outlines in drawing units.
        items: entities of the roles in :data:`ON_SITE`; bounds: theirs, as of :func:`boxes`.
    """
    groups = _groups(rings, items, bounds)
    hulls: list[Box] = [tuple(shapely.total_bounds([rings[k] for k in group]).tolist()) for group in groups]
    regions = []
    for number, group in enumerate(groups):
        x0, y0, x1, y1 = hulls[number]
        margin = _MARGIN * max(x1 - x0, y1 - y0)
        for other, hull in enumerate(hulls):
            if other != number:
                margin = min(margin, max(_gap(hulls[number], hull) / 2, 0.0))
        box = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
        inside = [item for item, there in zip(items, within(items, bounds, box), strict=True) if there]
        roles = {match.role for _, match in inside}
        buildings = sum(match.role == Role.FOOTPRINT for _, match in inside)
        area = sum(rings[k].area for k in group)
        score = (float(Role.FOOTPRINT in roles), float(len(roles)), float(buildings), float(len(inside)), float(area))
        regions.append(Region(box, tuple(rings[k] for k in group), score))
    return sorted(regions, key=lambda region: (*(-part for part in region.score), region.box))


def within(items: Sequence[tuple[Entity, LayerMatch]], bounds: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    """Which entities belong to a region: areas by their middle, lines if they touch it. (n,)"""
    if not len(items):
        return np.zeros(0, dtype=bool)
    x0, y0, x1, y1 = box
    with np.errstate(invalid="ignore"):
        middle = (bounds[:, :2] + bounds[:, 2:]) / 2
        centred = (middle >= (x0, y0)).all(axis=1) & (middle <= (x1, y1)).all(axis=1)
        touching = (bounds[:, 2:] >= (x0, y0)).all(axis=1) & (bounds[:, :2] <= (x1, y1)).all(axis=1)
    area = np.array([entity.closed or bool(entity.rings) for entity, _ in items])
    made: NDArray[np.bool_] = np.where(area, centred, touching)
    return made


def _groups(
    rings: Sequence[BaseGeometry], items: Sequence[tuple[Entity, LayerMatch]], bounds: NDArray[np.float64]
) -> list[list[int]]:
    """Outlines that make one site together (parcels side by side); copies of one site plan are apart."""
    if len(rings) > _MOST:
        return [list(range(len(rings)))]
    content = [_content(ring, items, bounds) for ring in rings]
    groups: list[list[int]] = []
    for k in sorted(range(len(rings)), key=lambda k: (-round(rings[k].area, 3), rings[k].bounds)):
        mine = next((g for g in groups if all(_together(rings, content, k, other) for other in g)), None)
        if mine is None:
            groups.append([k])
        else:
            mine.append(k)
    return groups


@dataclass(frozen=True, slots=True)
class _Content:
    """Buildings inside an outline: names from their layers, extents relative to the outline's."""

    names: frozenset[str]
    sizes: tuple[float, ...]


def _content(ring: BaseGeometry, items: Sequence[tuple[Entity, LayerMatch]], bounds: NDArray[np.float64]) -> _Content:
    box = within(items, bounds, ring.bounds)
    inside = [k for k in np.flatnonzero(box).tolist() if items[k][1].role == Role.FOOTPRINT]
    scale = float(np.sqrt(ring.area))
    sizes = sorted(round(float(np.hypot(*(bounds[k, 2:] - bounds[k, :2]))) / scale, 2) for k in inside)
    return _Content(frozenset(items[k][1].building for k in inside) - {""}, tuple(sizes))


def _together(rings: Sequence[BaseGeometry], content: Sequence[_Content], a: int, b: int) -> bool:
    one, other = rings[a], rings[b]
    apart = float(shapely.distance(one, other))
    size = max(one.bounds[2] - one.bounds[0], one.bounds[3] - one.bounds[1])
    if apart <= 0.01 * size:
        return True
    similar = abs((one.length**2 / one.area) / (other.length**2 / other.area) - 1) < 0.005
    if similar:
        mine, theirs = content[a], content[b]
        if mine.names and theirs.names:
            if mine.names & theirs.names:
                return False
        elif mine.sizes == theirs.sizes or not mine.sizes or not theirs.sizes:
            return False
    larger = max(size, other.bounds[2] - other.bounds[0], other.bounds[3] - other.bounds[1])
    return bool(apart <= _FAR * larger)


def _gap(a: Box, b: Box) -> float:
    """How far two boxes are apart along the axis on which they are farther apart."""
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])
