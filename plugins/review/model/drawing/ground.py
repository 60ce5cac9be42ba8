"""The project's side of placing a drawing: where its CRS holds, where its data lie, what coordinates look like."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from planner_app.domain.crs import Transformation, parse_crs, zone_crs, zone_of, zone_prefix
from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, into_project
from plugins.review.model.drawing.placement import Matrix
from plugins.review.model.drawing.types import Drawing, Note

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


Box = tuple[float, float, float, float]

#: How far beyond its CRS's area a plan may lie, m: cities near a zone's edge keep one central meridian.
MARGIN_M = 150_000.0
#: Farther from everything in the project than this a drawing is in another place, m.
FAR_FROM_PROJECT_M = 50_000.0


class Ground:
    """The project's side: its CRS, where that holds, where the project's data and the parcel lie."""

    def __init__(self, project: Project, parcel: BaseGeometry | None) -> None:
        self.crs = project.crs
        self.area = area_of(project.crs)
        self.parcel: Box | None = bounds(parcel)
        self.data: Box | None = project.extent()
        self._project = project

    def holds(self, box: Box | None) -> bool:
        """True if a box lies where the project's coordinates lie."""
        if box is None:
            return False
        if self.area is not None:
            return inside(box, self.area, MARGIN_M)
        near = self.parcel or self.data
        return near is not None and apart(box, near) < FAR_FROM_PROJECT_M

    def knows(self, box: Box) -> bool:
        """True if a box lies near the parcel or the project's data; without either nothing is known to be near."""
        near = self.parcel or self.data
        return near is not None and apart(box, near) < FAR_FROM_PROJECT_M

    def reach(self, crs: str) -> Transformation:
        """From a CRS to the project's, through the city's own parameters where they are for it."""
        return into_project(crs, self._project)


def recognised(box: Box, ground: Ground) -> tuple[str | None, tuple[Note, ...]]:
    """The CRS coordinates are in: "" the project's own, a code with a note, or None with what they look like."""
    if ground.holds(box):
        return "", ()
    zone, prefixed = zone_of(ground.crs)
    found = zone_prefix(box[0])
    if found and found == zone_prefix(box[2]):
        code = zone_crs(found, ground.crs)
        if code and inside(box, area_of(code), MARGIN_M):
            return code, (("review.zone_recognised", {"zone": found, "crs": code, "project": ground.crs}),)
    if zone and prefixed:
        code = zone_crs(zone, ground.crs, prefixed=False)
        shifted = (box[0] + zone * 1e6, box[1], box[2] + zone * 1e6, box[3])
        if inside(box, area_of(code), MARGIN_M) and ground.knows(shifted):
            return code, (("review.zone_missing", {"zone": zone, "crs": code, "project": ground.crs}),)
    area = ground.area
    looks = hint(box, area) if area is not None else {"looks": ""}
    if looks["looks"]:
        return None, ((f"review.looks_{looks['looks']}", {"x": box[0], "y": box[1]}),)
    return None, ()


def hint(box: Box, area: Box) -> dict[str, str]:
    """What is wrong with coordinates outside an area: axes the other way round, millimetres, a zone number."""

    def fits(one: Box) -> bool:
        return inside(one, area, MARGIN_M)

    x0, y0, x1, y1 = box
    if fits((y0, x0, y1, x1)):
        return {"looks": "swapped"}
    if fits((x0 / 1e3, y0 / 1e3, x1 / 1e3, y1 / 1e3)):
        return {"looks": "millimetres"}
    zone = zone_prefix(y0)
    if zone and fits((y0 - zone * 1e6, x0, y1 - zone * 1e6, x1)):
        return {"looks": "swapped"}
    return {"looks": ""}


def core(drawing: Drawing, metres_per_unit: float) -> Box | None:
    """Where the middle half of a drawing's entities lie, metres: details drawn elsewhere do not count."""
    places = [
        (one.points[0] if len(one.points) else one.rings[0][0])
        for one in drawing.entities
        if one.visible and (len(one.points) or one.rings)
    ]
    if not places:
        return None
    low, high = np.quantile(np.array(places), (0.25, 0.75), axis=0) * metres_per_unit
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


@lru_cache(maxsize=64)
def area_of(crs: str) -> Box | None:
    """Where a projected CRS holds, in its own coordinates; None if it does not say."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        system = parse_crs(crs)
        area, geodetic = system.area_of_use, system.geodetic_crs
        if area is None or geodetic is None or not system.is_projected:
            return None
        way = Transformer.from_crs(geodetic, system, always_xy=True)
        west, south, east, north = way.transform_bounds(area.west, area.south, area.east, area.north)
    except (PlannerError, ProjError):
        return None
    return (west, south, east, north) if all(map(math.isfinite, (west, south, east, north))) else None


def bounds(shape: Any) -> Box | None:
    if shape is None or shape.is_empty:
        return None
    west, south, east, north = shape.bounds
    return (float(west), float(south), float(east), float(north))


def inside(box: Box, area: Box | None, margin: float) -> bool:
    return area is not None and (
        box[0] >= area[0] - margin
        and box[1] >= area[1] - margin
        and box[2] <= area[2] + margin
        and box[3] <= area[3] + margin
    )


def apart(one: Box, other: Box) -> float:
    """Distance of two boxes, m."""
    across = max(one[0] - other[2], other[0] - one[2], 0.0)
    up = max(one[1] - other[3], other[1] - one[3], 0.0)
    return math.hypot(across, up)


def moved_box(box: Box, matrix: Matrix) -> Box:
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = [a * x + b * y + c for x, y in corners], [d * x + e * y + f for x, y in corners]
    return (min(xs), min(ys), max(xs), max(ys))
