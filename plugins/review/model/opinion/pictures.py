"""Pictures of an opinion, drawn from the reading: the whole site with what the rules saw, and a close view of each
finding and issue. Vectors, so that they print sharp and their labels stay text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.report.sketch import SketchLabel, SketchLayer, sketch_svg
from plugins.review.model.cases.records import Issue, Markup
from plugins.review.model.checking.types import Surroundings
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.opinion.types import Shot
from plugins.review.model.reading.types import Role, SitePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry

    Mover = Callable[[BaseGeometry], BaseGeometry]
    Extent = tuple[float, float, float, float]

#: Colours of verdicts on the map; the same as in the window.
COLOURS = {
    Verdict.FAIL: "#C0322B", Verdict.NEEDS_CERTIFICATE: "#A86400", Verdict.CANNOT_JUDGE: "#66707D",
    Verdict.PASS: "#1F7A3D",
}  # fmt: skip
#: Vertices of the drawing's own lines behind a picture, and close views of an opinion, at most.
_MOST_VERTICES, MOST_VIEWS = 12_000, 60
#: (role, fill, stroke, width, opacity of the fill, dash), first below.
_LOOKS: tuple[tuple[Role, str, str, float, float, str], ...] = (
    (Role.GREEN, "#CFE8CB", "#5FA05A", 0.7, 0.8, ""),
    (Role.ROAD, "#ECEDEF", "#B9C0C9", 0.6, 0.8, ""),
    (Role.PARKING, "#F4F5F7", "#9AA4B1", 0.6, 0.8, ""),
    (Role.FOOTPRINT, "#DDE1E6", "#1D2430", 1.2, 0.9, ""),
    (Role.BASEMENT, "none", "#7A6A9A", 1.0, 1.0, "7 4"),
    (Role.ROAD_LINE, "none", "#B5651D", 1.4, 1.0, "10 4 2 4"),
    (Role.BUILD_TO, "none", "#2B6CC4", 1.4, 1.0, "8 5"),
    (Role.SITE, "none", "#C0322B", 2.2, 1.0, ""),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What lies on the site, ready to be drawn at any extent, in the project's CRS (north up) or, where the drawing has
    no place, in metres of its own axes."""

    layers: tuple[SketchLayer, ...]
    labels: tuple[SketchLabel, ...]
    extent: Extent | None
    north: bool = True

    def picture(
        self,
        extent: Extent,
        size: tuple[int, int],
        over: Sequence[SketchLayer] = (),
        labels: Sequence[SketchLabel] = (),
    ) -> bytes:
        """One SVG."""
        west, south, east, north = extent
        inside = [one for one in self.labels if west <= one.x <= east and south <= one.y <= north]
        svg = sketch_svg([*self.layers, *over], extent, *size, labels=[*inside, *labels], north=self.north)
        return svg.encode()


def scene(
    drawing: Drawing | None,
    plan: SitePlan,
    indicators: Indicators,
    surroundings: Surroundings = Surroundings(),  # noqa: B008 - frozen
    to_project: Mover | None = None,
    approved: Sequence[BaseGeometry] = (),
) -> Scene:
    """The site as it was read: neighbours and control lines, the drawing's own lines, its elements, building names;
    ``approved``: outlines as approved, in the project's CRS, over them."""
    import shapely

    move: Mover = to_project or (lambda shape: shape)
    layers = [
        SketchLayer([shape for _, shape, _ in surroundings.neighbours], "#F1F2F4", "#C9CFD6", 0.7),
        SketchLayer([shape for _, _, shape in surroundings.lines], "none", "#5FA05A", 1.0, 1.0, "2 3"),
    ]
    lines: list[BaseGeometry] = []
    if drawing is not None:
        # Moved as one shape, drawn as many: a close view takes only the lines it shows.
        lines = [part for shape in _lines(drawing, plan) for part in shapely.get_parts(move(shape))]
        layers.append(SketchLayer(lines, "none", "#C3CAD2", 0.5))
    shapes: list[BaseGeometry] = []
    for role, fill, stroke, width, opacity, dash in _LOOKS:
        found = [move(one.geometry) for one in plan.of(role) if not one.geometry.is_empty]
        layers.append(SketchLayer(found, fill, stroke, width, opacity, dash))
        shapes += found
    layers.append(SketchLayer(approved, "none", "#1F5FAE", 1.1, 1.0, "4 3"))
    labels = []
    for building in indicators.buildings:
        place = move(building.geometry).representative_point()
        storeys = f" {building.storeys}F" if building.storeys else ""
        labels.append(SketchLabel(place.x, place.y, f"{building.name}{storeys}", size=14))
    shapes = shapes or lines
    bounds = shapely.total_bounds(shapes) if shapes else None
    extent = tuple(float(value) for value in bounds) if bounds is not None and math.isfinite(bounds[0]) else None
    return Scene(tuple(layers), tuple(labels), extent, to_project is not None)  # type: ignore[arg-type]


def _lines(drawing: Drawing, plan: SitePlan) -> list[BaseGeometry]:
    """The drawing's visible lines inside the region read, in metres, the longest of them."""
    import numpy as np
    import shapely

    factor = plan.units.metres_per_unit
    west, south, east, north = plan.region or (-math.inf, -math.inf, math.inf, math.inf)
    found: list[tuple[float, Any]] = []
    for entity in drawing.entities:
        points = entity.points
        if not entity.visible or len(points) < 2 or entity.kind in ("DIMENSION", "TEXT", "MTEXT", "HATCH"):
            continue
        if entity.page > 1 or not (west <= points[0][0] <= east and south <= points[0][1] <= north):
            continue
        ring = np.vstack([points, points[:1]]) if entity.closed else points
        length = float(np.abs(np.diff(ring, axis=0)).sum())
        if math.isfinite(length) and length > 0:
            found.append((length, ring))
    found.sort(key=lambda one: -one[0])
    lines, left = [], _MOST_VERTICES
    for _, ring in found:
        left -= len(ring)
        if left < 0:
            break
        lines.append(shapely.LineString(ring[:, :2] * factor))
    return [shapely.multilinestrings(lines)] if lines else []


def shape_of(evidence: Mapping[str, Any] | None) -> BaseGeometry | None:
    """A GeoJSON geometry as a shape; None where there is none or it is empty."""
    if not evidence:
        return None
    from shapely.geometry import shape

    try:
        made = shape(evidence)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return None if made.is_empty else made


def site_shot(made: Scene, findings: Sequence[tuple[str, Finding]], markups: Iterable[Markup]) -> Shot | None:
    """The whole site; each finding that speaks against the drawing with its number."""
    if made.extent is None:
        return None
    over, labels = [], []
    for number, finding in findings:
        evidence = shape_of(finding.evidence)
        if evidence is not None and finding.verdict is not Verdict.PASS:
            colour = COLOURS[finding.verdict]
            over.append(SketchLayer([evidence], colour, colour, 1.6, 0.35))
            place = evidence.representative_point()
            labels.append(SketchLabel(place.x, place.y, number, colour, 22))
    drawn, texts = markup_layers(markups)
    picture = made.picture(_wider(made.extent, 0.06), (1000, 700), [*over, *drawn], [*labels, *texts])
    return Shot("site", "image/svg+xml", picture)


def close_shot(
    made: Scene, kind: str, number: str, evidence: BaseGeometry, colour: str, markups: Iterable[Markup] = ()
) -> Shot:
    """A close view of one place with the marks that belong to it."""
    import shapely

    drawn, texts = markup_layers(markups)
    west, south, east, north = shapely.total_bounds([evidence, *(one for layer in drawn for one in layer.geometry)])
    reach = max(12.0, 0.2 * max(east - west, north - south))
    extent = (west - reach, south - reach, east + reach, north + reach)
    over = [SketchLayer([evidence], colour, colour, 2.2, 0.4)]
    return Shot(kind, "image/svg+xml", made.picture(extent, (460, 330), [*over, *drawn], texts), number)


def issue_shape(issue: Issue) -> BaseGeometry | None:
    """Where an issue sits on the map."""
    return shape_of(issue.anchors.geometry)


def _wider(extent: Extent, share: float) -> Extent:
    margin = share * max(extent[2] - extent[0], extent[3] - extent[1], 1.0)
    return (extent[0] - margin, extent[1] - margin, extent[2] + margin, extent[3] + margin)


# ---------------------------------------------------------------- marks


def markup_layers(markups: Iterable[Markup]) -> tuple[list[SketchLayer], list[SketchLabel]]:
    """Marks on the map as the opinion shows them: outlines in their colour, texts at their place."""
    layers, labels = [], []
    for mark in markups:
        if mark.surface != "map" or not mark.points:
            continue
        colour = str(mark.style.get("colour", "#C0322B"))
        shape = _markup_shape(mark)
        if shape is not None:
            layers.append(SketchLayer([shape], "none", colour, float(mark.style.get("width", 2))))
        if mark.text:
            x, y = mark.points[-1] if mark.kind == "callout" else mark.points[0]
            labels.append(SketchLabel(x, y, mark.text[:40], colour, 14))
    return layers, labels


def _markup_shape(mark: Markup) -> BaseGeometry | None:
    import shapely

    points = list(mark.points)
    if mark.kind in ("text", "stamp", "photo") or len(points) < 2:
        return shapely.Point(points[0]) if mark.kind == "photo" else None
    if mark.kind == "arrow":
        return shapely.MultiLineString([points, _arrow_head(points[-2], points[-1])])
    if mark.kind == "callout":
        return shapely.LineString([points[0], points[-1]])
    if mark.kind in ("cloud", "rectangle") and len(points) == 2:
        ring = shapely.box(*_ordered(points)).exterior
        return _cloud(list(ring.coords)) if mark.kind == "cloud" else ring
    if mark.kind == "cloud":
        return _cloud([*points, points[0]])
    if mark.kind in ("polygon", "area"):
        return shapely.LineString([*points, points[0]])
    return shapely.LineString(points)


def _ordered(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    (ax, ay), (bx, by) = points
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def _arrow_head(start: tuple[float, float], tip: tuple[float, float]) -> list[tuple[float, float]]:
    angle = math.atan2(tip[1] - start[1], tip[0] - start[0])
    size = 0.18 * math.dist(start, tip)
    return [
        (tip[0] - size * math.cos(angle - 0.45), tip[1] - size * math.sin(angle - 0.45)),
        tip,
        (tip[0] - size * math.cos(angle + 0.45), tip[1] - size * math.sin(angle + 0.45)),
    ]


def _cloud(ring: Sequence[tuple[float, float]]) -> BaseGeometry:
    """A revision cloud along a ring: half circles outwards, some forty of them."""
    import shapely

    line = shapely.LineString(ring)
    if shapely.LinearRing(ring).is_ccw:
        line = line.reverse()
    count = max(8, min(60, round(line.length / max(line.length / 40, 0.01))))
    marks = [line.interpolate(at / count, normalized=True) for at in range(count + 1)]
    points: list[tuple[float, float]] = []
    for one, other in pairwise(marks):
        middle, radius = ((one.x + other.x) / 2, (one.y + other.y) / 2), one.distance(other) / 2
        start = math.atan2(one.y - middle[1], one.x - middle[0])
        turns = (start - step * math.pi / 6 for step in range(7))
        points += [(middle[0] + radius * math.cos(turn), middle[1] + radius * math.sin(turn)) for turn in turns]
    return shapely.LineString(points)
