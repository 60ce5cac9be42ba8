"""From numbers, findings, repairs and handles to what is highlighted on map and sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from plugins.review.ui.highlight import Highlight

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from planner_app.domain.finding import Finding
    from plugins.review.model.cases.workflow import CheckedDrawing, OpenDrawing
    from plugins.review.model.checking.types import Row
    from plugins.review.model.drawing.types import Entity

#: A text without a height is shown as a box of this many drawing units.
_TEXT = 2.0


def of_local(opened: OpenDrawing, local: BaseGeometry | None, token: str, handles: Iterable[str] = ()) -> Highlight:
    """Something known in metres in the drawing's axes."""
    moved = opened.to_project(local) if local is not None and opened.to_project is not None else None
    return Highlight(moved, token, local, tuple(handles))


def of_evidence(
    opened: OpenDrawing | None, evidence: Mapping[str, Any], token: str, handles: Iterable[str] = ()
) -> Highlight:
    """Something known as GeoJSON in the project's CRS."""
    from shapely.geometry import shape

    geometry = shape(dict(evidence))
    back = opened.to_drawing if opened is not None else None
    return Highlight(geometry, token, back(geometry) if back is not None else None, tuple(handles))


def of_handles(opened: OpenDrawing, handles: Iterable[str], token: str) -> list[Highlight]:
    """Entities of the drawing; nothing for handles that are not in it."""
    import shapely

    wanted = set(handles)
    scale = opened.plan.units.metres_per_unit
    shapes = [shape_of(one, scale) for one in opened.drawing.entities if one.handle in wanted]
    shapes = [one for one in shapes if one is not None]
    return [of_local(opened, shapely.GeometryCollection(shapes), token, wanted)] if shapes else []


def shape_of(entity: Entity, scale: float) -> BaseGeometry | None:
    """An entity's outline in metres in the drawing's axes; None where it has no extent at all."""
    import shapely

    if entity.rings:
        return shapely.MultiLineString([ring * scale for ring in entity.rings if len(ring) > 1])
    points = entity.points * scale
    if len(points) > 1:
        if entity.closed and len(points) > 2:
            return shapely.LinearRing(points)
        return shapely.LineString(points)
    if len(points) == 1:
        x, y = points[0]
        size = (entity.size or _TEXT) * scale
        return shapely.box(x, y, x + size * max(len(entity.text), 1) * 0.8, y + size)
    return None


def of_finding(opened: OpenDrawing | None, finding: Finding) -> list[Highlight]:
    """Where a rule saw what it says."""
    token = "needs_certificate" if finding.borderline else finding.verdict.value
    return [of_evidence(opened, finding.evidence, token)] if finding.evidence else []


def of_row(checked: CheckedDrawing, row: Row, part: str) -> list[Highlight]:
    """What a number of the table 申报 / 实测 / 规定 was taken from.

    Args:
        part: ``declared``, ``measured`` or ``limit``.
    """
    opened = checked.opened
    if part == "declared":
        handle = opened.plan.declared_handles.get(row.key, "")
        return of_handles(opened, [handle], "accent") if handle else []
    indicator = checked.indicators.values.get(row.key)
    token = "needs_certificate" if row.borderline else row.verdict.value
    found: list[Highlight] = []
    if row.evidence:
        found.append(of_evidence(opened, row.evidence, token, row.handles))
    if part == "measured" and indicator is not None and indicator.geometry is not None:
        found.append(of_local(opened, indicator.geometry, "accent", indicator.handles))
    return found or of_handles(opened, row.handles, "accent")
