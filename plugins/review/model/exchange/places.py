"""Where an issue is: on the map, on its sheet, in its model; as lines to draw and as a view to look from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np
import shapely

from planner_app.plugin_api.model import Project
from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import DrawingRecord, Issue, Markup
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.model.exchange.bcf_view import Place, view_from_above

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.exchange.picture import Stroke

Line = list[tuple[float, float]]

#: A view is at least this wide, m; the camera stands this far above what it looks at, m.
LEAST, ABOVE = 20.0, 60.0


@dataclass(slots=True)
class IssuePlace:
    """Lines of an issue's place.

    Attributes:
        map_lines: in the project's CRS; sheet_lines: in drawing units (points of a PDF page).
        marks: (line, colour, on the sheet) of its mark-up.
        metres: per drawing unit; 0 where the sheet has no scale (a PDF page).
        model: the drawing is a building model, whose own coordinates a BCF viewer wants.
        top: height above which to stand, m.
    """

    map_lines: list[Line] = field(default_factory=list)
    sheet_lines: list[Line] = field(default_factory=list)
    marks: list[tuple[Line, str, bool]] = field(default_factory=list)
    page: int = 0
    metres: float = 1.0
    model: bool = False
    top: float = 0.0

    @property
    def on_map(self) -> NDArray[np.float64] | None:
        """All points in the project's CRS, (n, 2)."""
        return _points([*self.map_lines, *(line for line, _, sheet in self.marks if not sheet)])

    @property
    def on_sheet(self) -> NDArray[np.float64] | None:
        """All points in drawing units, (n, 2)."""
        return _points([*self.sheet_lines, *(line for line, _, sheet in self.marks if sheet)])

    @property
    def least(self) -> float:
        """Least width of a picture in drawing units."""
        return LEAST / self.metres if self.metres else 150.0

    def strokes(self, *, sheet: bool) -> list[Stroke]:
        """What to draw in red over a picture of the sheet or the map."""
        from plugins.review.model.exchange.picture import Stroke

        lines = [Stroke(line) for line in (self.sheet_lines if sheet else self.map_lines)]
        return lines + [Stroke(line, colour, 3) for line, colour, on_sheet in self.marks if on_sheet is sheet]

    def info(self, guid: str, issue: Issue, record: DrawingRecord | None) -> Element | None:
        """A view from above in metres: of the model, else of the project's map, else of the drawing; None without."""
        sheet = self.model or self.on_map is None
        points = self.on_sheet if sheet else self.on_map
        if points is None or (sheet and not self.metres):
            return None
        factor = self.metres if sheet else 1.0
        drawn = [*(self.sheet_lines if sheet else self.map_lines), *(one for one, _, on in self.marks if on is sheet)]
        low, high = points.min(axis=0) * factor, points.max(axis=0) * factor
        lines = (pair for line in drawn for pair in _segments(line, factor, self.top))
        handles = [one for one in issue.anchors.handles if one not in issue.anchors.guids]
        return view_from_above(
            guid,
            (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
            self.top + ABOVE,
            lines,
            issue.anchors.guids,
            handles[:200],
            record.file_name if record is not None else "",
        )


def place_of(
    project: Project, issue: Issue, markups: Iterable[Markup], opened: OpenDrawing | None
) -> IssuePlace | None:
    """Where an issue is; None where it is nowhere."""
    anchors = issue.anchors
    place = IssuePlace(page=anchors.page)
    geometry = _shape(anchors.geometry)
    if geometry is not None:
        place.map_lines = list(_lines(geometry))
    if opened is not None:
        kind = opened.drawing.format
        place.model = kind is DrawingFormat.IFC
        place.metres = 0.0 if kind in (DrawingFormat.PDF, DrawingFormat.IMAGE) else opened.plan.units.metres_per_unit
        place.top = max((one.top for one in opened.drawing.buildings if one.top is not None), default=0.0)
        if geometry is not None and opened.to_drawing is not None:
            scale = 1 / opened.plan.units.metres_per_unit
            moved = shapely.transform(opened.to_drawing(geometry), lambda points: points * scale)
            place.sheet_lines = list(_lines(moved))
        named = {*anchors.handles, *anchors.guids}
        if named and not place.sheet_lines:
            for entity in opened.drawing.entities:
                if entity.handle in named:
                    for part in (entity.points, *entity.rings):
                        line = [(float(x), float(y)) for x, y in part]
                        place.sheet_lines += (
                            [[*line, line[0]] if entity.closed or entity.rings else line] if line else []
                        )
        if len(anchors.quad) == 8 and not place.metres:
            x, y = anchors.quad[0::2], anchors.quad[1::2]
            corners = list(zip(x, y, strict=True))
            place.sheet_lines.append([*corners, corners[0]])
    for mark in markups:
        sheet = mark.surface == "sheet"
        if not sheet or (opened is not None and mark.drawing_id == opened.record.id and mark.page in (0, place.page)):
            place.marks.append((shape_of(mark), str(mark.style.get("colour") or "#C0322B"), sheet))
    return place if place.on_map is not None or place.on_sheet is not None else None


def polygons_on_sheet(data: dict[str, object] | None, opened: OpenDrawing) -> list[tuple[Line, bool]]:
    """(line in drawing units, closed) of a GeoJSON geometry of the project on a drawing; none where it has no place."""
    geometry = _shape(data)
    if geometry is None or opened.to_drawing is None:
        return []
    scale = 1 / opened.plan.units.metres_per_unit
    moved = shapely.transform(opened.to_drawing(geometry), lambda points: points * scale)
    return [(line[:-1] if len(line) > 3 and line[0] == line[-1] else line, len(line) > 3 and line[0] == line[-1])
            for line in _lines(moved)]  # fmt: skip


def shape_of(mark: Markup) -> Line:
    """A mark's line: boxes closed, the rest as drawn."""
    points = list(mark.points)
    if mark.kind in ("rectangle", "cloud", "stamp", "photo") and len(points) == 2:
        (x0, y0), (x1, y1) = points
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    closed = mark.kind in ("polygon", "area", "cloud") and len(points) > 2
    return [*points, points[0]] if closed and points[0] != points[-1] else points


def _shape(data: dict[str, object] | None) -> BaseGeometry | None:
    from shapely.geometry import shape

    if not data:
        return None
    try:
        geometry = shape(data)
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError):
        return None
    return None if geometry.is_empty else geometry


def _lines(geometry: BaseGeometry) -> Iterator[Line]:
    for part in shapely.get_parts(geometry):
        if part.geom_type == "GeometryCollection":
            yield from _lines(part)
        elif part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                yield [(float(x), float(y)) for x, y in shapely.get_coordinates(ring)]
        else:
            yield [(float(x), float(y)) for x, y in shapely.get_coordinates(part)]


def _points(lines: Iterable[Line]) -> NDArray[np.float64] | None:
    every = [point for line in lines for point in line]
    return np.asarray(every, np.float64) if every else None


def _segments(line: Line, factor: float, z: float) -> Iterator[tuple[Place, Place]]:
    """A line's pieces; a single point becomes a small cross."""
    places = [(x * factor, y * factor) for x, y in line]
    if len(places) == 1:
        (x, y), r = places[0], 0.5
        places = [(x - r, y), (x + r, y), (x, y), (x, y - r), (x, y + r)]
    for (x0, y0), (x1, y1) in pairwise(places):
        yield (x0, y0, z), (x1, y1, z)
