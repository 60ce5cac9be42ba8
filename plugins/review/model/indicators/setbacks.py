"""Distances of buildings to the sides of the site, to road lines and to build-to lines, and what reaches over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from plugins.review.model.indicators.edges import Edge, azimuth_between, bearing_of, edges_of
from plugins.review.model.indicators.types import Building, Setback
from plugins.review.model.reading.types import Role, SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: A distance below this (m) is the drawing's own grid.
GRID = 1e-6
#: What reaches over a side runs along it for more than this (m).
CONTACT = 0.01
#: Lines farther from a building than this (m) are measured only if nothing is nearer.
NEAR = 100.0


def setbacks(site: BaseGeometry | None, plan: SitePlan, buildings: Sequence[Building]) -> list[Setback]:
    """Every building to every side of the site; to its nearest side of a build-to line and each it crosses; to each
    road line.

    Args:
        site: polygon(s) in metres; None: only road and build-to lines are measured.
        buildings: their ``outline`` is measured.
    """
    if not buildings:
        return []
    found: list[Setback] = []
    if site is not None:
        found += to_edges(buildings, edges_of(site), site, "site")
    area, lines = build_to_area(plan)
    if area is not None:
        per_edge = to_edges(buildings, edges_of(area), area, "build_to")
        nearest = {one.building: one for one in sorted(per_edge, key=lambda one: -one.distance_m)}
        found += [one for one in per_edge if one.distance_m < 0 or nearest[one.building] is one]
    found += to_lines(buildings, lines, site, "build_to")
    found += to_lines(buildings, [one.geometry for one in plan.of(Role.ROAD_LINE)], site, "road_line")
    return found


def build_to_area(plan: SitePlan) -> tuple[BaseGeometry | None, list[BaseGeometry]]:
    """(area that buildings must keep within, build-to lines that enclose nothing)."""
    shapes = [one.geometry for one in plan.of(Role.BUILD_TO)]
    areas = [one for one in shapes if one.geom_type in ("Polygon", "MultiPolygon")]
    lines = [one for one in shapes if one.geom_type not in ("Polygon", "MultiPolygon")]
    if lines:
        closed = list(shapely.get_parts(shapely.polygonize(lines)))
        if closed:
            rest = shapely.difference(shapely.union_all(lines), shapely.union_all([one.boundary for one in closed]))
            areas, lines = areas + closed, [one for one in shapely.get_parts(rest) if one.length > GRID]
    return (shapely.union_all(areas) if areas else None), lines


def to_edges(buildings: Sequence[Building], edges: Sequence[Edge], area: BaseGeometry, to: str) -> list[Setback]:
    """Every building to every edge of an area it belongs in; negative where it reaches over that edge."""
    outlines: Any = np.array([one.outline or one.geometry for one in buildings], dtype=object)
    sides: Any = np.array([edge.geometry for edge in edges], dtype=object)
    shapely.prepare(outlines)
    distances = shapely.distance(outlines[:, None], sides[None, :])
    lines = shapely.shortest_line(outlines[:, None], sides[None, :])
    overs = shapely.difference(outlines, area)
    found = []
    for i, building in enumerate(buildings):
        reach = _reaches(overs[i], sides) if not overs[i].is_empty else {}
        for j, edge in enumerate(edges):
            depth, line = reach.get(j, (0.0, None))
            distance = -depth if line is not None else float(distances[i, j])
            connection = line if line is not None else lines[i, j]
            found.append(Setback(building.name, edge.number, edge.bearing, to, distance, edge.geometry, connection))
    return found


def _reaches(over: BaseGeometry, sides: Any) -> dict[int, tuple[float, BaseGeometry]]:
    """Edge index → (how far the parts outside reach over it, line from it to the farthest point)."""
    found: dict[int, tuple[float, BaseGeometry]] = {}
    for part in shapely.get_parts(over):
        if part.area < GRID:
            continue
        contact = shapely.length(shapely.intersection(part.boundary, shapely.buffer(sides, GRID * 100)))
        touched = np.flatnonzero(contact > CONTACT)  # a corner alone is no side it reaches over
        points = shapely.points(shapely.get_coordinates(part))
        for j in touched if len(touched) else [int(np.argmin(shapely.distance(part, sides)))]:
            line = _extended(sides[j], part)
            depths = np.where(_left_of(line, shapely.get_coordinates(points)), shapely.distance(points, line), 0.0)
            k = int(np.argmax(depths))
            if depths[k] > GRID and depths[k] > found.get(int(j), (0.0,))[0]:
                found[int(j)] = (float(depths[k]), shapely.shortest_line(line, points[k]))
    return found


def _extended(side: Any, part: Any) -> Any:
    """A side lengthened at both ends, so that what lies round its corner is measured straight across it."""
    xy = shapely.get_coordinates(side)
    far = float(shapely.length(shapely.envelope(shapely.union(side, part)).boundary))
    first, last = xy[0] - xy[1], xy[-1] - xy[-2]
    start, end = xy[0] + first / np.hypot(*first) * far, xy[-1] + last / np.hypot(*last) * far
    return shapely.linestrings(np.vstack([start, xy, end]))


def _left_of(line: Any, xy: Any) -> Any:
    """Which points lie on the outer side of an edge, by the nearest of its chords."""
    ends = shapely.get_coordinates(line)
    chords = shapely.linestrings(np.stack([ends[:-1], ends[1:]], axis=1))
    nearest = np.argmin(shapely.distance(shapely.points(xy)[:, None], chords[None, :]), axis=1)
    along, to = ends[nearest + 1] - ends[nearest], xy - ends[nearest]
    return along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0] > 0


def to_lines(
    buildings: Sequence[Building], lines: Sequence[BaseGeometry], site: BaseGeometry | None, to: str
) -> list[Setback]:
    """Every building to road or build-to lines, open or closed: the nearest, those within ``NEAR`` m, those it reaches
    over (negative).

    ``edge`` is the number of the line in the drawing, ``bearing`` where it lies as seen from the building.
    """
    if not lines:
        return []
    outlines: Any = np.array([one.outline or one.geometry for one in buildings], dtype=object)
    borders = [one.boundary if one.geom_type in ("Polygon", "MultiPolygon") else one for one in lines]
    distances = np.stack([shapely.distance(outlines, border) for border in borders], axis=1)
    overs = np.stack([beyond_all(outlines, line, site) for line in lines], axis=1)
    reach = shapely.area(overs) > GRID
    nearest = np.argmin(distances, axis=1)
    found = []
    for i, building in enumerate(buildings):
        for j in np.flatnonzero((distances[i] < NEAR) | reach[i] | (np.arange(len(lines)) == nearest[i])):
            distance, connection = float(distances[i, j]), shapely.shortest_line(outlines[i], borders[j])
            start = shapely.get_point(connection, 0) if distance > GRID else outlines[i].representative_point()
            bearing = bearing_of(azimuth_between(start, shapely.get_point(connection, -1)))
            if reach[i, j]:
                points = shapely.points(shapely.get_coordinates(overs[i, j]))
                depths = shapely.distance(points, borders[j])
                k = int(np.argmax(depths))
                distance, connection = -float(depths[k]), shapely.shortest_line(borders[j], points[k])
            found.append(Setback(building.name, int(j) + 1, bearing, to, distance, borders[j], connection))
    return found


def beyond_all(outlines: Any, line: Any, site: Any) -> Any:
    """The parts of outlines on the far side of a line: away from the site's main part. Empty where there are none.

    Args:
        outlines: array of polygons.
        line: an open line; or an area: one that holds the site's middle must not be left, another not be entered.
        site: polygon(s), None if not known: then the larger part of what a line divides is on the near side.
    """
    main = _main_part(site, line)
    if line.geom_type in ("Polygon", "MultiPolygon"):
        homes = [main] * len(outlines) if main is not None else shapely.point_on_surface(outlines)
        inside = shapely.intersects(line, homes)
        return np.where(inside, shapely.difference(outlines, line), shapely.intersection(outlines, line))
    found: Any = np.full(len(outlines), shapely.Polygon(), dtype=object)
    met = shapely.intersects(outlines, line)
    if main is not None:
        away = _crossings(outlines, main, line) % 2 == 1
        found[away & ~met] = outlines[away & ~met]
    for i in np.flatnonzero(met):
        parts = np.array([piece for part in shapely.get_parts(outlines[i]) for piece in _divided(part, line)])
        home = main if main is not None else max(parts, key=lambda piece: piece.area).representative_point()
        found[i] = shapely.union_all(parts[_crossings(parts, home, line) % 2 == 1])
    return found


def beyond(outline: Any, line: Any, site: Any) -> Any:
    """:func:`beyond_all` for one outline."""
    return beyond_all(np.array([outline], dtype=object), line, site)[0]


def _main_part(site: Any, line: Any) -> Any:
    """A point inside the largest part into which a line divides the site."""
    if site is None:
        return None
    pieces = list(shapely.get_parts(site))
    if line.geom_type not in ("Polygon", "MultiPolygon"):
        pieces = [piece for part in pieces for piece in _divided(part, line)]
    else:
        pieces = [one for part in pieces for one in shapely.get_parts(shapely.difference(part, line.boundary))]
    return max(pieces, key=lambda piece: piece.area).representative_point() if pieces else None


def _divided(polygon: Any, line: Any) -> list[Any]:
    """The pieces into which a line divides a polygon."""
    if not polygon.intersects(line):
        return [polygon]
    pieces = shapely.get_parts(shapely.polygonize([shapely.union(polygon.boundary, line)]))
    inside = [piece for piece in pieces if polygon.contains(piece.representative_point())]
    return inside or [polygon]


def _crossings(shapes: Any, home: Any, line: Any) -> Any:
    """How often the way from each shape to a point crosses a line."""
    starts = shapely.get_coordinates(shapely.point_on_surface(shapes))
    end = np.broadcast_to(shapely.get_coordinates(home)[0], starts.shape)
    met = shapely.intersection(shapely.linestrings(np.stack([starts, end], axis=1)), line)
    return np.where(shapely.is_empty(met), 0, shapely.get_num_geometries(met))
