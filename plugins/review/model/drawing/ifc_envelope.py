"""The ground area a storey encloses: cut walls → gaps closed → rooms filled, courtyards left open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from plugins.review.model.drawing.ifc_solids import merged, polygons_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry

#: Gaps between walls are bridged by the least of these distances (to each side, m) that closes as much as the largest.
BRIDGES = (0.02, 0.1, 0.25, 0.5)
#: Wings thinner than twice this (m) are free-standing walls, not floor area.
WING = 0.3
#: A hole up to this size (m²) is a shaft: part of the floor.
SHAFT = 2.0
#: An inner region larger than this (m²) could be a courtyard.
COURT = 20.0
#: Islands smaller than this (m²) that enclose nothing are pillars.
PILLAR = 4.0


@dataclass(frozen=True, slots=True)
class Cover:
    """What tells a room from a courtyard: what lies above, floors below, and spaces of the storey."""

    above: BaseGeometry
    floor: BaseGeometry
    spaces: BaseGeometry


@dataclass(frozen=True, slots=True)
class Outline:
    """What walls enclose.

    Attributes:
        area: polygons; courtyards are holes.
        gap: widest gap bridged, m.
        enclosed: area of the rooms, m²; 0 where the walls close nothing.
        unsure: area of inner regions (m²) taken for rooms although nothing tells rooms from courtyards.
    """

    area: BaseGeometry
    gap: float
    enclosed: float
    unsure: float


def enclose(parts: Iterable[BaseGeometry | None], cover: Cover) -> Outline:
    """The area within cut walls.

    Gaps are closed by growing and shrinking with mitred corners, which keeps right angles and straight edges exact.
    """
    walls = merged(parts)
    if walls.is_empty:
        return Outline(walls, 0.0, 0.0, 0.0)
    tried = []
    for bridge in BRIDGES:
        closed = _grow(_grow(walls, bridge), -bridge)
        tried.append((bridge, closed, sum(hole.area for hole in _holes(closed))))
    most = max(rooms for _, _, rooms in tried)
    bridge, closed, _ = next(one for one in tried if one[2] >= 0.97 * most)
    outer = merged(shapely.polygons(part.exterior) for part in polygons_of(closed))
    above, floor = (part.intersection(outer).area >= 0.5 * outer.area for part in (cover.above, cover.floor))
    known = cover.above if above else cover.floor if floor else None
    rooms: list[BaseGeometry] = []
    courts: list[BaseGeometry] = []
    unsure = 0.0
    for region in polygons_of(outer.difference(closed)):
        if region.area <= SHAFT or cover.spaces.intersection(region).area >= 0.3 * region.area:
            rooms.append(region)
        elif known is not None:
            (rooms if known.intersection(region).area >= 0.5 * region.area else courts).append(region)
        else:
            rooms.append(region)
            if region.area > COURT and region.distance(outer.boundary) > 1.0:
                unsure += region.area
    inner = merged(rooms)
    kept = [
        _without_wings(part)
        for part in polygons_of(outer.difference(merged(courts)))
        if part.area >= PILLAR or part.intersects(inner)
    ]
    return Outline(merged(kept).simplify(5e-4), 2 * bridge, inner.area, unsure)


def void_area(envelope: BaseGeometry, floor: BaseGeometry, walls: BaseGeometry) -> float:
    """Area within the envelope without a floor, m²; slits along walls do not count."""
    if floor.intersection(envelope).area < 0.5 * envelope.area:
        return 0.0  # floors are not modelled
    return thick_area(envelope.difference(floor).difference(walls))


def thick_area(area: BaseGeometry) -> float:
    """Area in m² of what is wider than a slit."""
    return float(_grow(_grow(area, -WING), WING).area)


def _grow(geometry: BaseGeometry, distance: float) -> BaseGeometry:
    return geometry.buffer(distance, join_style="mitre", mitre_limit=5.0)


def _holes(geometry: BaseGeometry) -> list[BaseGeometry]:
    return [shapely.polygons(ring) for part in polygons_of(geometry) for ring in part.interiors]


def _without_wings(area: BaseGeometry) -> BaseGeometry:
    body = _grow(_grow(area, -WING), WING)
    wings = [one for one in polygons_of(area.difference(body)) if one.area > 0.05]
    return area.difference(merged(wings)) if wings and not body.is_empty else area
