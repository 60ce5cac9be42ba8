"""Metres per drawing unit. The header may lie, so it is the last to be asked, and doubts are said.

Each piece of evidence votes for the units it fits; the heaviest sum wins. A unit that would make the site absurd
(under 30 m² or over 3 km²), a building (under 4 m² or over 20 ha) or the sheet (under 15 m or over 60 km) is out of the
question.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity, Note
from plugins.review.model.reading.labels import plain
from plugins.review.model.reading.types import ReadingOptions, UnitCheck

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Units drawings are made in: m, mm, cm, dm; foot and inch only where the header speaks of one of them.
METRIC = (1.0, 0.001, 0.01, 0.1)
IMPERIAL = (0.3048, 0.0254)
#: How far a declared area's side length may lie from the measured one and still tell the unit (a false declaration
#: is found later; units are at least a factor of 3 apart).
_AREA_SLACK = 0.18
_LENGTH_SLACK = 0.01
#: What counts how much; the first of these that agrees with the outcome is named as the source.
_VOTES = {"parcel": 4, "declared": 3, "dimension_text": 3, "parking": 3, "coordinates": 2, "header": 2, "text_size": 1}
_SITE_M2 = (30.0, 3e6)
_SHEET_M = (15.0, 60_000.0)
_BUILDING_M2 = (4.0, 200_000.0)
_PLACE_M2 = (9.0, 25.0)
_PLACES = 4  # fewer outlines may be anything
_TEXT_M = (0.15, 12.0)


@dataclass(frozen=True, slots=True)
class UnitClues:
    """What a drawing shows of its unit, in drawing units.

    Attributes:
        site_area: of the site outline; site_edges: (n, 4) its edges x0, y0, x1, y1.
        places: areas of outlines on parking layers; buildings: of outlines on footprint layers.
        declared_m2: site area of the indicator table; parcel_m2: of the parcel under review.
    """

    site_area: float | None = None
    site_edges: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 4)))
    places: Sequence[float] = ()
    buildings: Sequence[float] = ()
    declared_m2: float | None = None
    parcel_m2: float | None = None


def check_units(drawing: Drawing, entities: Sequence[Entity], options: ReadingOptions, clues: UnitClues) -> UnitCheck:
    """Metres per unit of a drawing, from where, with doubts as notes.

    Args:
        entities: the visible ones.

    Raises:
        PlannerError: ``review.unit_wrong``, ``review.known_length_missing``: what the person set can't be.
    """
    header = drawing.metres_per_unit
    if options.metres_per_unit is not None:
        if not 1e-6 < options.metres_per_unit < 1e6:
            raise PlannerError("review.unit_wrong", value=options.metres_per_unit, known="m, mm, cm, dm, ft, in")
        return UnitCheck(options.metres_per_unit, "person", header)
    if options.known_length is not None:
        return _known(drawing, options.known_length, header)
    if drawing.format in (DrawingFormat.IFC, DrawingFormat.IMAGE):
        return UnitCheck(header or 1.0, "header" if header else "assumed", header)
    if drawing.format == DrawingFormat.PDF:
        return _sheet(entities, header)
    places = np.array([entity.points[0] for entity in entities if len(entity.points)]).reshape(-1, 2)
    votes = _votes(entities, places, clues, header)
    possible = [unit for unit in _candidates(header) if _plausible(unit, clues, places)] or list(_candidates(header))
    sums = {unit: sum(_VOTES[kind] for kind, units in votes.items() if unit in units) for unit in possible}
    best = max(possible, key=lambda unit: (sums[unit], -possible.index(unit)))
    agreeing = [kind for kind in _VOTES if best in votes.get(kind, ())]
    notes: list[Note] = []
    if header is not None and abs(header / best - 1) > 1e-6:
        notes.append(("review.unit_header_lies", {"header": unit_name(header), "unit": unit_name(best)}))
    against = [
        kind
        for kind in ("parcel", "declared", "dimension_text", "parking")
        if votes.get(kind) and best not in votes[kind]
    ]
    for kind in against:
        other = max(votes[kind], key=lambda unit: sums.get(unit, 0))
        notes.append((f"review.unit_doubt.{kind}", {"unit": unit_name(best), "other": unit_name(other)}))
    if not set(agreeing) - {"text_size", "header"}:
        code = "review.unit_unchecked" if header is not None and "header" in agreeing else "review.unit_assumed"
        notes.append((code, {"unit": unit_name(best)}))
    return UnitCheck(best, agreeing[0] if agreeing else "assumed", header, tuple(notes))


def unit_name(metres: float) -> str:
    """``m``, ``mm`` … or the number of metres."""
    names = {1.0: "m", 0.001: "mm", 0.01: "cm", 0.1: "dm", 0.3048: "ft", 0.0254: "in", 1000.0: "km"}
    return next((name for value, name in names.items() if abs(metres / value - 1) < 1e-4), f"{metres:.6g} m")


def _known(drawing: Drawing, known: tuple[str, float], header: float | None) -> UnitCheck:
    handle, metres = known
    entity = next((one for one in drawing.entities if one.handle == handle), None)
    drawn = None
    if entity is not None:
        drawn = entity.value
        if drawn is None and len(entity.points) > 1:
            drawn = float(np.hypot(*np.diff(entity.points, axis=0).T).sum())
    if drawn is None or not drawn > 0 or not metres > 0:
        raise PlannerError("review.known_length_missing", handle=handle, metres=metres)
    exact = metres / drawn
    near = next((unit for unit in (*METRIC, *IMPERIAL) if abs(exact / unit - 1) <= 0.02), None)
    unit = exact if near is None or drawing.format in (DrawingFormat.PDF, DrawingFormat.IMAGE) else near
    notes: list[Note] = []
    if header is not None and abs(header / unit - 1) > 0.02:
        notes.append(("review.unit_header_lies", {"header": unit_name(header), "unit": unit_name(unit)}))
    if near is None and drawing.format in (DrawingFormat.DXF, DrawingFormat.DWG):
        notes.append(("review.unit_odd", {"unit": f"{exact:.6g}"}))
    return UnitCheck(unit, "known_length", header, tuple(notes))


def _sheet(entities: Sequence[Entity], header: float | None) -> UnitCheck:
    """A PDF page is in points; a scale written on it (1:500) tells metres, and is to be checked by a known length."""
    scales = set()
    for entity in entities:
        found = re.search(r"(?<![\d:])1\s*:\s*(\d{2,5})(?![\d.])", plain(entity.text)) if entity.text else None
        if found:
            scales.add(int(found[1]))
    if len(scales) == 1:
        scale = scales.pop()
        return UnitCheck(scale * 0.0254 / 72, "scale_text", header, (("review.unit_scale_text", {"scale": scale}),))
    return UnitCheck(header or 1.0, "assumed", header, (("review.unit_uncalibrated", {"scales": len(scales)}),))


def _candidates(header: float | None) -> tuple[float, ...]:
    if header is None or any(abs(header / unit - 1) < 1e-4 for unit in METRIC):
        return METRIC
    known = any(abs(header / unit - 1) < 1e-4 for unit in IMPERIAL)
    return (*METRIC, *IMPERIAL) if known else (*METRIC, *IMPERIAL, header)


def _plausible(unit: float, clues: UnitClues, places: NDArray[np.float64]) -> bool:
    if clues.buildings and not _BUILDING_M2[0] <= float(np.median(clues.buildings)) * unit**2 <= _BUILDING_M2[1]:
        return False
    if clues.site_area:
        return _SITE_M2[0] <= clues.site_area * unit * unit <= _SITE_M2[1]
    if len(places) < 2:
        return True
    # Where nine tenths of the entities lie: one stray far away says nothing.
    low, high = np.quantile(places, (0.05, 0.95), axis=0)
    return bool(_SHEET_M[0] <= (high - low).max() * unit <= _SHEET_M[1])


def _votes(
    entities: Sequence[Entity], places: NDArray[np.float64], clues: UnitClues, header: float | None
) -> dict[str, set[float]]:
    """Kind of evidence → units it fits (empty: it fits none, or there is no such evidence)."""
    votes: dict[str, set[float]] = {}
    units = _candidates(header)
    for kind, area in (("parcel", clues.parcel_m2), ("declared", clues.declared_m2)):
        if area and clues.site_area:
            votes[kind] = _near([(area / clues.site_area) ** 0.5], units, _AREA_SLACK)
    votes["dimension_text"] = _near(_lettered(entities, clues, units), units, _LENGTH_SLACK)
    if len(clues.places) >= _PLACES:
        sizes = np.array(clues.places)[:, None] * np.array(units) ** 2
        most = ((sizes >= _PLACE_M2[0]) & (sizes <= _PLACE_M2[1])).mean(axis=0) > 0.7
        votes["parking"] = {unit for unit, fits in zip(units, most.tolist(), strict=True) if fits}
    votes["coordinates"] = _grid_units(places)
    letters = [entity.size for entity in entities if entity.text and entity.size > 0]
    if letters:
        middle = float(np.median(letters))
        votes["text_size"] = {unit for unit in units if _TEXT_M[0] <= middle * unit <= _TEXT_M[1]}
    if header is not None:
        votes["header"] = {unit for unit in units if abs(header / unit - 1) < 1e-4}
    return votes


def _near(ratios: Sequence[float], units: Sequence[float], slack: float) -> set[float]:
    """The unit that most ratios (true ÷ drawn) are near to."""
    counts: dict[float, int] = defaultdict(int)
    for ratio in ratios:
        for unit in units:
            if abs(ratio / unit - 1) <= slack:
                counts[unit] += 1
    most = max(counts.values(), default=0)
    return {unit for unit, count in counts.items() if count == most}


def _lettered(entities: Sequence[Entity], clues: UnitClues, units: Sequence[float]) -> list[float]:
    """True ÷ drawn length where a number stands: texts that override a dimension, numbers beside edges of the site.

    An override in mm on a drawing in m (``8000`` on 8) would be 1000 and is no vote, nor is a 1:1 override: dimensions
    in mm are written the same as lengths in m.
    """
    ratios = []
    numbers: list[tuple[float, float, float, float]] = []
    for entity in entities:
        if not entity.text:
            continue
        number = re.fullmatch(r"(\d{1,5}\.\d{1,3})\s*(?:m|米|M)?", plain(entity.text))
        if number is None:
            continue
        if entity.kind == "DIMENSION" and entity.value:
            ratios.append(float(number[1]) / entity.value)
        elif len(entity.points):
            numbers.append((*entity.points[0].tolist(), float(number[1]), entity.size))
    return ratios + _beside(np.array(numbers), clues.site_edges, units)


def _beside(numbers: NDArray[np.float64], edges: NDArray[np.float64], units: Sequence[float]) -> list[float]:
    """Numbers near the middle of an edge ÷ its length, where that is near a unit; at least three must agree."""
    if not len(numbers) or not len(edges):
        return []
    lengths = np.hypot(edges[:, 2] - edges[:, 0], edges[:, 3] - edges[:, 1])
    edges, lengths = edges[lengths > 0], lengths[lengths > 0]
    ratios: list[float] = []
    middle = (edges[:, :2] + edges[:, 2:]) / 2
    for x, y, value, size in numbers.tolist():
        away = np.hypot(middle[:, 0] - x, middle[:, 1] - y)
        for k in np.flatnonzero(away < lengths * 0.35 + 4 * size).tolist():
            ratios.append(value / float(lengths[k]))
    found = _near(ratios, units, _LENGTH_SLACK)
    agreeing = [r for r in ratios if any(abs(r / unit - 1) <= _LENGTH_SLACK for unit in found)]
    return agreeing if len(agreeing) >= 3 else []


def _grid_units(places: NDArray[np.float64]) -> set[float]:
    """Units in which the coordinates look like those of a national grid: easting with or without zone, northing."""
    if len(places) < 2:
        return set()
    middle = np.abs(np.median(places, axis=0))
    found = set()
    for unit in (1.0, 0.001, 0.01):
        # Plans may have the axes the other way round; a zoned easting is always the larger, a plain one the smaller.
        small, large = sorted((middle * unit).tolist())
        # China lies 0.4 to 5.9 million m north and, in 3° and 6° zones, within 350 km of 500 km east; a zone number
        # (13 to 45) may stand in front of the easting.
        zoned = 13e6 < large < 46e6 and 1.5e5 < large % 1e6 < 8.5e5 and 4e5 < small < 6e6
        plain = 1.5e5 < small < 8.5e5 and 1e6 < large < 6.5e6
        if zoned or plain:
            found.add(unit)
    return found
