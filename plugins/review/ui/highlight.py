"""What the panel points at, on map and sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class Highlight(NamedTuple):
    """Something pointed at.

    Attributes:
        geometry: GeoJSON or a shape in the project's CRS; None where the drawing has no place on the map.
        token: theme token of its colour (fail, pass, needs_certificate, cannot_judge, accent).
        local: the same in metres in the drawing's axes, where it is known.
        handles: entities of the drawing it stands for.
    """

    geometry: Mapping[str, Any] | BaseGeometry | None
    token: str
    local: BaseGeometry | None = None
    handles: tuple[str, ...] = ()


def extent_of(marks: Iterable[Highlight]) -> tuple[float, float, float, float] | None:
    """Where highlights lie on the map, or None."""
    from shapely.geometry import shape

    boxes = []
    for mark in marks:
        if mark.geometry is not None:
            geometry = shape(mark.geometry) if isinstance(mark.geometry, Mapping) else mark.geometry
            if not geometry.is_empty:
                boxes.append(geometry.bounds)
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
