"""Geometry between a placed drawing and the project's CRS, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from planner_app.domain.crs import transformer, zone_of
from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, into_project
from plugins.review.model.drawing.placement import Placement

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


Mover = Callable[["BaseGeometry"], "BaseGeometry"]


def mover(placement: Placement, project: Project) -> Mover:
    """From metres in the drawing to the project's CRS.

    Raises:
        PlannerError: ``crs.*`` where the placement's CRS cannot be reached any more.
    """
    import shapely

    forward = _forward(placement, project)
    return lambda shape: shapely.transform(shape, forward)


def mover_back(placement: Placement, project: Project) -> Mover:
    """From the project's CRS to metres in the drawing: the inverse of :func:`mover`, to 0.1 mm.

    Raises:
        PlannerError: ``crs.*``; when used, ``review.no_way_back`` for a place that no point of the drawing leads to.
    """
    import shapely

    forward = _forward(placement, project)

    def back(there: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(there):
            return there
        start = np.tile(_start(placement, project, there.mean(axis=0)), (len(there), 1))
        here = start
        # Newton's method with one Jacobian for all: the way is all but linear over a site.
        step = 10.0
        east, north = np.array([step, 0.0]), np.array([0.0, step])
        for _ in range(12):
            centre = here.mean(axis=0)
            probe = forward(np.array([centre, centre + east, centre + north]))
            slope = np.array([probe[1] - probe[0], probe[2] - probe[0]]) / step
            miss = there - forward(here)
            if not np.isfinite(miss).all() or not np.isfinite(slope).all():
                break
            here = here + np.linalg.solve(slope.T, miss.T).T
            if np.abs(miss).max() < 1e-5:
                return here
        raise PlannerError("review.no_way_back", east=float(there[0, 0]), north=float(there[0, 1]))

    return lambda shape: shapely.transform(shape, back)


def _start(placement: Placement, project: Project, near: NDArray[np.float64]) -> NDArray[np.float64]:
    """A first guess for the way back: through PROJ's own inverse where there is one."""
    a, b, c, d, e, f = placement.matrix
    x, y = float(near[0]), float(near[1])
    if placement.crs:
        try:
            xs, ys = transformer(project.crs, placement.crs).transform(np.array([x]), np.array([y]))
            x, y = float(xs[0]), float(ys[0])
        except PlannerError:  # only the city's parameters lead there; a shift of zone is what differs most
            x += (
                zone_of(placement.crs)[1] * zone_of(placement.crs)[0]
                - zone_of(project.crs)[1] * zone_of(project.crs)[0]
            ) * 1e6
    found: NDArray[np.float64] = np.linalg.solve(np.array([[a, b], [d, e]]), np.array([x - c, y - f]))
    return found


def _forward(placement: Placement, project: Project) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    a, b, c, d, e, f = placement.matrix
    move = into_project(placement.crs, project) if placement.crs else None

    def forward(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points[:, 0], points[:, 1]
        east, north = a * x + b * y + c, d * x + e * y + f
        if move is not None:
            east, north = move.transform(east, north)
        return np.column_stack([east, north])

    return forward
