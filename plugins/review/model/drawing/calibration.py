"""How long a unit of a PDF or picture is on the ground: by a known length, or by the scale printed on the sheet."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import Drawing, DrawingFormat

#: A point of a PDF on paper, m.
POINT_M = 0.0254 / 72.0
#: Scales that plans have; others in a text are ratios of something else.
_SCALES = frozenset(n * 10**p for n in (1, 2, 25, 3, 4, 5, 75, 8) for p in range(5)) | {15, 150, 1500, 125, 1250}
_MOST_LETTERS = 2_000
_PRINTED = re.compile(
    r"(?P<word>比例尺?|出图比例|scale|масштаб|m(?=\s*1))?\s*[:：=]?\s*(?<!\d)1\s*[:：∶/]\s*"
    r"(?P<n>\d{1,3}(?:[ ,，]?\d{3})*|\d+)(?!\d|\s*[:：.]\s*\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PrintedScale:
    """A scale found in a text.

    Attributes:
        denominator: 500 of 1:500; metres_per_unit: what it means for the page's unit if it was not resized, 0 where
            that is not known (pictures without a resolution).
        handle: the text it stands in; sure: it stands beside a word for scale.
    """

    denominator: float
    metres_per_unit: float
    page: int
    handle: str
    text: str
    sure: bool


def paper_unit(drawing: Drawing) -> float:
    """Metres on paper of a drawing unit: points of a PDF, pixels of a picture that states its resolution; else 0."""
    if drawing.format is DrawingFormat.PDF:
        return POINT_M
    dpi = float(drawing.properties.get("dpi", 0.0)) if drawing.format is DrawingFormat.IMAGE else 0.0
    return 0.0254 / dpi if dpi > 0.0 else 0.0


def printed_scales(drawing: Drawing) -> list[PrintedScale]:
    """Scales printed on the sheets, the likeliest first; a suggestion only: a PDF may have been printed smaller."""
    paper = paper_unit(drawing)
    found = []
    for entity in drawing.entities:
        for match in _PRINTED.finditer(" ".join(entity.text[:_MOST_LETTERS].split())) if entity.text else ():
            number = int(re.sub(r"\D", "", match["n"]))
            sure = match["word"] is not None
            if number in _SCALES and (sure or 100 <= number <= 50_000):
                found.append(PrintedScale(number, number * paper, entity.page, entity.handle, entity.text, sure))
    return sorted(found, key=lambda one: (not one.sure, one.page))


def by_known_length(first: Sequence[float], second: Sequence[float], length_m: float) -> float:
    """Metres per unit from two points of the drawing and what lies between them in truth.

    Raises:
        PlannerError: ``review.calibration`` for points that coincide or a length that is no length.
    """
    apart = math.dist(first[:2], second[:2])
    if not (math.isfinite(apart) and apart > 0.0 and math.isfinite(length_m) and length_m > 0.0):
        raise PlannerError("review.calibration", length=length_m)
    return length_m / apart
