"""Placing by control points: fitted, doubted, and told what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner_app.domain.crs import authority_code, parse_crs, zone_crs, zone_of, zone_prefix
from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.control_points import (
    REMARKABLE_M,
    SCALE_TOLERANCE,
    distinct,
    fit,
    is_mirrored,
    outlier,
    swapped_drawing,
    swapped_ground,
)
from plugins.review.model.drawing.ground import MARGIN_M, Box, Ground, area_of, inside
from plugins.review.model.drawing.placement import ControlPoint, Placement
from plugins.review.model.drawing.types import Note


def by_control(
    points: list[ControlPoint], ground: Ground, crs: str, allow_scale: bool, metres_per_unit: float, box: Box | None
) -> Placement:
    points, notes = distinct(points)
    points, code, more = _on_the_ground(points, ground, crs)
    notes += more
    if is_mirrored(points):
        turned = swapped_drawing(points)
        if box is None or _covers(box, turned) <= _covers(box, points):
            raise PlannerError("review.control_mirrored", points=len(points))
        points = turned
        notes.append(("review.control_drawing_swapped", {}))
    free = fit(points, free_scale=True).free
    if metres_per_unit != 1.0 and math.isclose(free, metres_per_unit, rel_tol=SCALE_TOLERANCE):
        points = [replace(one, x=one.x * metres_per_unit, y=one.y * metres_per_unit) for one in points]
        notes.append(("review.control_drawing_units", {"metres_per_unit": metres_per_unit}))
    found = fit(points, free_scale=allow_scale)
    odd = outlier(points, found)
    if abs(found.free - 1.0) > SCALE_TOLERANCE and not allow_scale:
        raise _wrong_scale(found.free, odd)
    if odd is not None:
        point, away, rms = odd
        notes.append(("review.control_outlier", {"point": point.name, "away": away, "rms": rms}))
    elif found.rms > REMARKABLE_M:
        notes.append(("review.control_rms", {"rms": found.rms, "worst": max(found.residuals)}))
    used = [one for one in points if one.used]
    if len(used) == 2:
        notes.append(("review.control_two", {}))
    elif _thin(used):
        notes.append(("review.control_collinear", {}))
    if abs(found.free - 1.0) > 1e-5:
        code_ = "review.control_scaled" if allow_scale else "review.control_scale_left"
        notes.append((code_, {"scale": found.free, "ppm": (found.free - 1.0) * 1e6}))
    fitted = tuple(replace(one, residual=away) for one, away in zip(points, found.residuals, strict=True))
    return Placement("control", code, found.matrix, fitted, found.rms, found.free, tuple(notes))


def _on_the_ground(points: list[ControlPoint], ground: Ground, crs: str) -> tuple[list[ControlPoint], str, list[Note]]:
    """The points with easting before northing, and the CRS ("" the project's) their ground coordinates are in."""
    notes: list[Note] = []
    code = authority_code(parse_crs(crs)) if crs else ground.crs
    area = area_of(code)

    def allinside(some: Sequence[ControlPoint], where: Box | None) -> bool:
        return where is not None and all(
            inside((one.east, one.north, one.east, one.north), where, MARGIN_M) for one in some
        )

    if area is not None and not allinside(points, area):
        for turned in (False, True):
            given = swapped_ground(points) if turned else points
            candidate = code
            zones = {zone_prefix(one.east) for one in given}
            if len(zones) == 1 and 0 not in zones and not crs:
                candidate = zone_crs(zones.pop(), ground.crs) or code
            if allinside(given, area_of(candidate)):
                if candidate != code:
                    zone, _ = zone_of(candidate)
                    notes.append(("review.zone_recognised", {"zone": zone, "crs": candidate, "project": ground.crs}))
                if turned:
                    notes.append(("review.control_swapped", {}))
                points, code = given, candidate
                break
        else:
            first = points[0]
            notes.append(("review.control_outside", {"crs": code, "east": first.east, "north": first.north}))
    same = parse_crs(code).equals(parse_crs(ground.crs), ignore_axis_order=True)
    if not same:
        ground.reach(code)
    return points, "" if same else code, notes


def _wrong_scale(scale: float, odd: tuple[ControlPoint, float, float] | None) -> PlannerError:
    if odd is not None:
        point, away, rms = odd
        return PlannerError("review.control_wrong_point", point=point.name, away=away, rms=rms, scale=scale)
    for power, unit in ((0.001, "mm"), (1000.0, "mm"), (0.01, "cm"), (0.3048, "ft"), (0.0254, "in")):
        if math.isclose(scale, power, rel_tol=0.02):
            return PlannerError("review.control_unit", scale=scale, unit=unit)
    return PlannerError("review.control_scale", scale=scale, ppm=(scale - 1.0) * 1e6)


def _covers(box: Box, points: Sequence[ControlPoint]) -> int:
    """How many points lie on the drawing, with a margin of its own size around it."""
    margin = max(box[2] - box[0], box[3] - box[1])
    return sum(inside((one.x, one.y, one.x, one.y), box, margin) for one in points)


def _thin(points: Sequence[ControlPoint]) -> bool:
    """True if the points lie in a line: what is wrong across it cannot be seen."""
    table = np.array([(one.x, one.y) for one in points])
    sizes = np.linalg.svd(table - table.mean(axis=0), compute_uv=False)
    return bool(sizes[1] < 0.02 * sizes[0])
