"""Planning conditions of a parcel as a document (规划条件通知书), with a map and the coordinates of its outline."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app import __version__
from planner_app.i18n import language, tr
from planner_app.report.document import number
from planner_app.report.paper import (
    Block,
    Column,
    Facts,
    Heading,
    Paper,
    Picture,
    Signature,
    Signatures,
    Table,
    Text,
    write_paper,
)
from plugins.review.model.conditions.types import Conditions, EdgeSetback

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

_SIDES = {
    "N": "North side", "NE": "North-east side", "E": "East side", "SE": "South-east side", "S": "South side",
    "SW": "South-west side", "W": "West side", "NW": "North-west side", "road": "Towards roads", "": "Every side",
}  # fmt: skip
_PER = {"household": "places per household", "100m2": "places per 100 m² of floor area", "total": "places in all"}


def write_conditions(
    conditions: Conditions, path: Path, map_png: bytes | None = None, *, project: str = "", crs: str = ""
) -> None:
    """Write the conditions of a parcel as .docx, .pdf or .html; the suffix decides.

    Args:
        map_png: a map picture of the parcel; without it its outline is drawn.
        project: name of the project, above the title; crs: of the parcel's coordinates (``EPSG:n``).

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``.
    """
    write_paper(conditions_paper(conditions, map_png, project=project, crs=crs), path)


def conditions_paper(
    conditions: Conditions, map_png: bytes | None = None, *, project: str = "", crs: str = ""
) -> Paper:
    """The document, worded in the chosen language."""
    rings = outline_rings(conditions.wkb)
    blocks: list[Block] = [
        Facts(_parcel_lines(conditions, crs)),
        Heading(tr("Control indicators")),
        Table(
            [Column(tr("Indicator"), 34), Column(tr("Requirement"), 36, "right"), Column(tr("Unit"), 30)],
            indicator_rows(conditions),
            tr("The document sets no indicators."),
        ),
        Heading(tr("Setbacks"), str(len(conditions.setbacks) or "")),
        Table(
            [Column(tr("Side"), 34), Column(tr("At least (m)"), 36, "right"), Column(tr("Applies to"), 30)],
            [setback_cells(one) for one in conditions.setbacks],
            tr("The document sets no setbacks."),
        ),
    ]
    demands = [*conditions.other, *(f"{key}: {value}" for key, value in conditions.extra.items())]
    if demands:
        blocks.append(Heading(tr("Further demands"), str(len(demands))))
        blocks += [Text(text, lead=f"{at}.") for at, text in enumerate(demands, start=1)]
    if map_png:
        blocks += [Heading(tr("Map")), Picture(tr("Parcel {parcel}", parcel=conditions.parcel), png=map_png)]
    if rings:
        blocks += _outline_blocks(conditions, rings, crs)
    blocks.append(
        Signatures(
            [
                Signature(tr("Prepared by"), [(tr("Signed by"), ""), (tr("Signed on"), "")]),
                Signature(tr("Issued by (seal)"), [(tr("Signed by"), ""), (tr("Signed on"), "")]),
            ]
        )
    )
    if conditions.source == "layer":
        blocks.append(
            Text(tr("Read from the detailed zoning plan of the project; the plan document prevails."), "note")
        )
    return Paper(
        tr("Notice of planning conditions"),
        blocks,
        over=project,
        under=tr("No. {number} · {date}", number=conditions.number or "–", date=conditions.issued or "–"),
        foot=tr("Planner {version}", version=__version__),
        author=project,
    )


def _parcel_lines(conditions: Conditions, crs: str) -> list[tuple[str, str]]:
    share = conditions.compatible_share
    compatible = ("、" if language() == "zh_CN" else ", ").join(conditions.compatible)
    if compatible and share is not None:
        compatible += tr(" (at most {share}% of the floor area)", share=_ratio(share * 100))
    area = _area(conditions.wkb)
    return [
        (tr("Parcel"), conditions.parcel),
        (tr("City"), conditions.city),
        (tr("Land use"), conditions.use),
        (tr("Compatible uses"), compatible),
        (tr("Site area (document)"), f"{number(conditions.site_area_m2, 2)} m²" if conditions.site_area_m2 else ""),
        (tr("Site area (outline)"), f"{number(area, 2)} m²" if area else ""),
        (tr("Coordinate system"), crs_name(crs)),
    ]


def indicator_rows(conditions: Conditions) -> list[list[str]]:
    """(indicator, requirement, unit) of what the conditions set; ``≥ 1.20, ≤ 2.00``."""
    rows = []
    for title, least, most, factor, unit in (
        (tr("Floor area ratio"), conditions.far_min, conditions.far_max, 1, ""),
        (tr("Building density"), None, conditions.density_max, 100, "%"),
        (tr("Green ratio"), conditions.green_min, None, 100, "%"),
        (tr("Building height"), None, conditions.height_max, 1, "m"),
    ):
        told = [f"≥ {_ratio(least * factor)}"] if least is not None else []
        told += [f"≤ {_ratio(most * factor)}"] if most is not None else []
        if told:
            rows.append([title, ", ".join(told), unit])
    if conditions.parking is not None:
        unit = tr(_PER[conditions.parking_per]) if conditions.parking_per in _PER else conditions.parking_per
        rows.append([tr("Parking"), f"≥ {_ratio(conditions.parking)}", unit])
    return rows


def setback_cells(setback: EdgeSetback) -> list[str]:
    """(side, metres, which parts of buildings)."""
    above = tr("parts above {height} m", height=f"{setback.above_m:g}") if setback.above_m else tr("all parts")
    side = tr(_SIDES[setback.side]) if setback.side in _SIDES else setback.side
    return [side, _ratio(setback.metres), above]


def _ratio(value: float) -> str:
    """At least two decimals, and as many as the document has: rounding a limit would change it."""
    text = f"{value:.10f}".rstrip("0")
    return text if len(text.rpartition(".")[2]) >= 2 else f"{value:.2f}"


def _outline_blocks(conditions: Conditions, rings: list[NDArray[Any]], crs: str) -> list[Block]:
    import shapely

    shape = shapely.from_wkb(conditions.wkb)
    rows: list[list[str]] = []
    for ring in rings:
        names = [f"J{len(rows) + at}" for at in range(1, len(ring) + 1)]
        for at, (x, y) in enumerate(ring):
            after = (at + 1) % len(ring)
            length = math.hypot(ring[after][0] - x, ring[after][1] - y)
            rows.append([names[at], f"{y:.3f}", f"{x:.3f}", f"{names[at]}–{names[after]}", f"{length:.3f}"])
    columns = [
        Column(tr("Point"), 12), Column(tr("X (north, m)"), 26, "right"), Column(tr("Y (east, m)"), 26, "right"),
        Column(tr("Edge"), 18, "right"), Column(tr("Length (m)"), 18, "right"),
    ]  # fmt: skip
    return [
        Heading(tr("Outline of the parcel"), tr("{count} points", count=len(rows))),
        Picture(tr("Outline with point numbers"), svg=outline_svg(shape, rings), width=0.72),
        Table(columns, rows),
        Text(tr("Coordinates in {crs}; X is north, Y is east.", crs=crs_name(crs) or "–"), "note"),
    ]


def outline_rings(wkb: bytes | None) -> list[NDArray[Any]]:
    """Rings of a parcel without the closing point, each (n, 2) (easting, northing): outer ones clockwise from the
    north-west corner, as surveys number them; holes after their outline, anticlockwise."""
    if not wkb:
        return []
    import numpy as np
    import shapely

    rings = []
    for polygon in shapely.get_parts(shapely.from_wkb(wkb)):
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        oriented = shapely.normalize(polygon)  # outer rings clockwise, holes anticlockwise
        for ring in (oriented.exterior, *oriented.interiors):
            points = np.asarray(ring.coords)[:-1, :2]
            first = int(np.argmax(points[:, 1] - points[:, 0]))
            rings.append(np.roll(points, -first, axis=0))
    return rings


def outline_svg(shape: BaseGeometry, rings: list[NDArray[Any]]) -> str:
    """The outline with the numbers of its points; of many points every so manieth is numbered."""
    import numpy as np
    import shapely

    from planner_app.report.sketch import SketchLabel, SketchLayer, sketch_svg

    every = np.vstack(rings)
    west, south = (float(value) for value in every.min(axis=0))
    east, north = (float(value) for value in every.max(axis=0))
    margin = 0.12 * max(east - west, north - south, 1.0)
    step = max(1, round(len(every) / 40))
    middle = (west + east) / 2, (south + north) / 2
    labels = []
    for at, (x, y) in enumerate(every):
        if at % step == 0:
            away = math.hypot(x - middle[0], y - middle[1]) or 1.0
            shift = margin * 0.42 / away
            labels.append(SketchLabel(x + (x - middle[0]) * shift, y + (y - middle[1]) * shift, f"J{at + 1}", size=17))
    layers = [
        SketchLayer([shape], "#E8F0FA", "#C0322B", 2.4, 0.7),
        SketchLayer([shapely.Point(x, y) for x, y in every[::step]], "#C0322B", "none"),
    ]
    return sketch_svg(layers, (west - margin, south - margin, east + margin, north + margin), 900, 620, labels)


def crs_name(crs: str) -> str:
    """``CGCS2000 / 3° GK CM 120E (EPSG:4549)``."""
    from planner_app.domain.crs import chinese_name

    code = crs.upper().removeprefix("EPSG:")
    return f"{chinese_name(int(code))} (EPSG:{code})" if code.isdigit() else crs[:80]


def _area(wkb: bytes | None) -> float | None:
    if not wkb:
        return None
    import shapely

    return float(shapely.from_wkb(wkb).area)
