"""Geometry repair: what comes out is polygonal and valid, and every row that was touched is named."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.executor import run_chunks
from planner_app.domain.progress import NoProgress, Progress

Geometries = NDArray[np.object_]

_POLYGON, _MULTIPOLYGON = shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON
_COLLECTION = shapely.GeometryType.GEOMETRYCOLLECTION

#: Beginning of what GEOS says about an invalid geometry → our code (worded in resources/i18n/messages/compute.toml).
_REASONS = {
    "Self-intersection": "repair.self_intersection",
    "Ring Self-intersection": "repair.ring_self_intersection",
    "Hole lies outside shell": "repair.hole_outside",
    "Holes are nested": "repair.holes_nested",
    "Interior is disconnected": "repair.interior_disconnected",
    "Nested shells": "repair.shells_nested",
    "Duplicate Rings": "repair.duplicate_rings",
    "Too few points in geometry component": "repair.too_few_points",
    "Invalid Coordinate": "repair.invalid_coordinate",
}

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Repaired:
    """A layer whose polygons are valid.

    Attributes:
        geoms: polygons and multipolygons, None where nothing is left; as long as the input, Z kept.
        repaired: (index, reason code) of each geometry that was changed.
        rejected: (index, reason code) of each geometry that has no area to work with.
    """

    geoms: Geometries
    repaired: list[tuple[int, str]]
    rejected: list[tuple[int, str]]


def repair(geoms: Any, *, executor: Executor | None = None, progress: Progress | None = None) -> Repaired:
    """Make every geometry a valid polygon or multipolygon (GEOS ``MakeValid``, its default ``linework`` method).

    Nothing raises and nothing disappears unnamed: null, empty, point and line geometries, and those with coordinates
    that are no numbers, are rejected with the reason.

    Args:
        geoms: shapely geometries, None allowed, shape (n,).
        executor: runs the chunks; None runs them here.

    Raises:
        Cancelled: the person asked to stop.
    """
    array = np.asarray(geoms, dtype=object)
    slices = [slice(start, start + _CHUNK) for start in range(0, len(array), _CHUNK)]
    progress = progress or NoProgress()
    if executor is None:
        parts = [_repair_chunk(array[part]) for part in slices]
    else:
        tasks = ((array[part],) for part in slices)
        weights = [1.0] * len(slices)
        parts = list(run_chunks(executor, _repair_chunk, tasks, len(slices), weights, progress, "stage.overlay_repair"))
    result = Repaired(np.concatenate([part.geoms for part in parts]) if parts else array, [], [])
    for start, part in zip(range(0, len(array), _CHUNK), parts, strict=True):
        result.repaired.extend((start + index, reason) for index, reason in part.repaired)
        result.rejected.extend((start + index, reason) for index, reason in part.rejected)
    return result


def polygonal_part(geoms: Geometries) -> Geometries:
    """The polygons in each geometry as one polygon or multipolygon; None where there are none."""
    kind = shapely.get_type_id(geoms)
    flat = (kind == _POLYGON) | (kind == _MULTIPOLYGON)
    if flat.all() and not shapely.is_empty(geoms).any():
        return geoms
    result: Geometries = geoms.copy()
    result[~flat | shapely.is_empty(geoms)] = None
    for index in np.flatnonzero(kind == _COLLECTION):
        result[index] = _polygons_of(geoms[index])
    return result


def _polygons_of(collection: shapely.GeometryCollection) -> shapely.Geometry | None:
    parts = list(collection.geoms)
    polygons = []
    while parts:
        part = parts.pop()
        if shapely.get_type_id(part) == _COLLECTION:
            parts.extend(part.geoms)
        elif shapely.get_type_id(part) in (_POLYGON, _MULTIPOLYGON) and not part.is_empty:
            polygons.append(part if part.is_valid else shapely.make_valid(part))
    union = shapely.union_all(polygons) if polygons else None
    return union if union is not None and shapely.get_type_id(union) in (_POLYGON, _MULTIPOLYGON) else None


def _repair_chunk(geoms: Geometries) -> Repaired:
    kind = shapely.get_type_id(geoms)
    polygonal = (kind == _POLYGON) | (kind == _MULTIPOLYGON)
    sound = polygonal & shapely.is_valid(geoms) & ~shapely.is_empty(geoms)
    if sound.all():
        return Repaired(geoms, [], [])
    result = geoms.copy()
    repaired: list[tuple[int, str]] = []
    rejected: list[tuple[int, str]] = []
    for index in map(int, np.flatnonzero(~sound)):
        result[index], reason = _repair_one(geoms[index])
        (rejected if result[index] is None else repaired).append((index, reason))
    return Repaired(result, repaired, rejected)


def _repair_one(geometry: shapely.Geometry | None) -> tuple[shapely.Geometry | None, str]:
    if geometry is None:
        return None, "repair.null"
    if geometry.is_empty:
        return None, "repair.empty"
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        return None, "repair.invalid_coordinate"
    if shapely.get_dimensions(geometry) < 2:
        return None, "repair.not_polygonal"
    reason = "repair.mixed_geometry" if geometry.is_valid else _reason(geometry)
    part = polygonal_part(np.array([shapely.make_valid(geometry)], dtype=object))[0]
    return (part, reason) if part is not None and part.area > 0 else (None, "repair.no_area")


def _reason(geometry: shapely.Geometry) -> str:
    said = shapely.is_valid_reason(geometry)
    return next((code for beginning, code in _REASONS.items() if said.startswith(beginning)), "repair.invalid")
