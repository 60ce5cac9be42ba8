"""Where a drawing lies: by control points, a named CRS, what the file says, or coordinates that speak for themselves.

Nothing moves in silence: what is recognised is said, what is doubtful is not done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner_app.domain.crs import authority_code, parse_crs, zone_crs, zone_of, zone_prefix
from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.control_placing import by_control
from plugins.review.model.drawing.control_points import read_control_csv
from plugins.review.model.drawing.ground import (
    FAR_FROM_PROJECT_M,
    MARGIN_M,
    Box,
    Ground,
    apart,
    area_of,
    core,
    hint,
    inside,
    moved_box,
    recognised,
)
from plugins.review.model.drawing.moving import mover, mover_back
from plugins.review.model.drawing.placement import IDENTITY, ControlPoint, Placement
from plugins.review.model.drawing.types import Drawing, Note

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from planner_app.plugin_api.model import Project

__all__ = ["mover", "mover_back", "place", "read_control_csv"]

#: Farther from its parcel than this a drawing is in another place, m.
FAR_FROM_PARCEL_M = 1_000.0


def place(
    drawing: Drawing,
    metres_per_unit: float,
    project: Project,
    *,
    crs: str = "",
    control: Sequence[ControlPoint] = (),
    allow_scale: bool = False,
    parcel: BaseGeometry | None = None,
) -> Placement:
    """Find a drawing's place, by the first of: control points, ``crs``, the file's own statement, its coordinates.

    Args:
        metres_per_unit: of the drawing, as decided by its reading.
        crs: of the drawing's coordinates (with ``control``: of the control points' ground coordinates).
        control: drawing metres to ground coordinates; residuals come back in ``Placement.points``.
        allow_scale: apply a scale found by the control points.
        parcel: where the drawing is expected, project CRS; only for doubts.

    Returns:
        A placement; method ``none`` with a note where the place is not known.

    Raises:
        PlannerError: ``review.control_*``; ``crs.*`` where the named CRS is unknown or cannot be reached.
    """
    box = core(drawing, metres_per_unit)
    ground = Ground(project, parcel)
    if control:
        made = by_control(list(control), ground, crs, allow_scale, metres_per_unit, box)
    elif crs:
        made = _by_crs(drawing, crs, ground, box)
    else:
        made = _by_itself(drawing, ground, box)
    return _doubted(made, ground, box)


def _by_crs(drawing: Drawing, crs: str, ground: Ground, box: Box | None) -> Placement:
    wanted = parse_crs(crs)
    notes: list[Note] = []
    stated = drawing.georeference
    if stated is not None and stated.crs:
        if parse_crs(stated.crs).equals(wanted, ignore_axis_order=True):
            if stated.matrix is not None:
                return _by_statement(drawing, ground)
        else:
            notes.append(("review.crs_overrides", {"stated": stated.crs, "crs": authority_code(wanted)}))
    code = authority_code(wanted)
    same = wanted.equals(parse_crs(ground.crs), ignore_axis_order=True)
    ground.reach(code)
    area = area_of(code)
    if box is not None and area is not None and not inside(box, area, MARGIN_M):
        zone, prefixed = zone_of(code)
        if zone and not prefixed and zone_prefix(box[0]) == zone:  # named without the number that stands there
            code, same = zone_crs(zone, code), False
            notes.append(("review.zone_recognised", {"zone": zone, "crs": code, "project": ground.crs}))
            return Placement("crs", code, notes=tuple(notes))
        notes.append(("review.outside_crs", {"crs": code, "x": box[0], "y": box[1], **hint(box, area)}))
    return Placement("crs", "" if same else code, notes=tuple(notes))


def _by_itself(drawing: Drawing, ground: Ground, box: Box | None) -> Placement:
    notes: tuple[Note, ...] = ()
    if drawing.georeference is not None:
        made = _by_statement(drawing, ground)
        if made.placed:
            return made
        notes = made.notes
    made = _by_coordinates(ground, box)
    return replace(made, notes=(*notes, *made.notes))


def _by_statement(drawing: Drawing, ground: Ground) -> Placement:
    """By what the file says of itself; not trusted where that looks like a default or leads nowhere."""
    stated = drawing.georeference
    assert stated is not None
    if stated.suspicion is not None:
        return Placement(notes=(stated.suspicion, ("review.statement_doubted", {"crs": stated.crs})))
    same = not stated.crs or parse_crs(stated.crs).equals(parse_crs(ground.crs), ignore_axis_order=True)
    method = "map_conversion" if stated.method == "map_conversion" else "geodata"
    made = Placement(method, "" if same else stated.crs, stated.matrix or IDENTITY)
    if not stated.crs:
        origin = moved_box((0.0, 0.0, 1.0, 1.0), made.matrix)
        code, note = recognised(origin, ground)
        if code is None:
            return Placement(notes=(("review.statement_without_crs", {"x": origin[0], "y": origin[1]}), *note))
        made = replace(made, crs=code, notes=note)
    try:
        ground.reach(made.crs or ground.crs)
    except PlannerError as error:
        return Placement(notes=(("review.statement_unreachable", {"crs": made.crs, "reason": error.code}),))
    return made


def _by_coordinates(ground: Ground, box: Box | None) -> Placement:
    if box is None:
        return Placement(notes=(("review.place_unknown", {}),))
    code, notes = recognised(box, ground)
    if code is None:
        return Placement(notes=notes or (("review.place_unknown", {}),))
    return Placement("coordinates", code, notes=notes)


def _doubted(made: Placement, ground: Ground, box: Box | None) -> Placement:
    """The placement with a note if it leads far from where the drawing is expected; none if it leads nowhere."""
    if not made.placed or box is None:
        return made
    corners = moved_box(box, made.matrix)
    if made.crs:
        move = ground.reach(made.crs)
        xs, ys = move.transform(
            np.array([corners[0], corners[2], corners[2], corners[0]]),
            np.array([corners[1], corners[1], corners[3], corners[3]]),
        )
        if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
            return replace(Placement(), notes=(*made.notes, ("review.place_impossible", {"crs": made.crs})))
        corners = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
    away: list[Note] = []
    if ground.area is not None and not inside(corners, ground.area, MARGIN_M):
        away.append(("review.outside_project", {"crs": ground.crs, "x": corners[0], "y": corners[1]}))
        if made.method not in ("control", "crs"):
            return Placement(notes=(*made.notes, *away))
    elif ground.parcel is not None:
        if (metres := apart(corners, ground.parcel)) > FAR_FROM_PARCEL_M:
            away.append(("review.far_from_parcel", {"km": metres / 1e3}))
    elif ground.data is not None and (metres := apart(corners, ground.data)) > FAR_FROM_PROJECT_M:
        away.append(("review.far_from_project", {"km": metres / 1e3}))
    return replace(made, notes=(*made.notes, *away))
