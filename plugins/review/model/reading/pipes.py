"""Pipes and cables of a design or survey: the lines on layers for them, with their kind, the diameter written beside
them, and their levels where the drawing has them: as Z of a line's ends, or written at its ends."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity
from plugins.review.model.reading.ledger import Frame
from plugins.review.model.reading.outlines import Item, is_curve
from plugins.review.model.reading.types import Element, Role

#: A text speaks of a line that runs within this distance of where it begins, m.
_BESIDE = 4.0
#: Shorter curves are ticks and arrow heads, m.
_SHORT = 0.5
#: An elevation nearer to zero than this was not measured, m.
_FLAT = 0.0005
#: What a level written at a pipe's end speaks of. Levels of the ground or of covers are none of the pipe's.
_REFERENCES = {
    "管内底": "invert", "内底": "invert", "管外底": "bottom", "管底": "invert", "沟底": "invert", "管顶": "top",
    "管中心": "axis", "管中": "axis", "管心": "axis",
}  # fmt: skip
_LEVEL = re.compile(rf"({'|'.join(_REFERENCES)})\s*(?:标高|高程)?\s*[=:]?\s*([-+]?\d+(?:\.\d+)?)\s*m?(?![\dA-Za-z])")
_DIAMETER = re.compile(r"(?:DN|De|[φΦØø⌀]|(?<![A-Za-z])[dD])\s*=?\s*(\d{2,4})(?!\d)")
_BOX = re.compile(r"(?<!\d)(\d{3,4})\s*[×xX*]\s*(\d{3,4})(?!\d)")


def diameter(text: str) -> int | None:
    """The nominal diameter (larger side of a box) in mm that a text states: ``DN300``, ``d800``, ``1200×800``."""
    plain = unicodedata.normalize("NFKC", text)
    if box := _BOX.search(plain):
        return max(int(box[1]), int(box[2]))
    found = _DIAMETER.search(plain)
    return int(found[1]) if found else None


def level(text: str) -> tuple[float, str] | None:
    """The level in m that a text states and what it speaks of: ``管底标高 3.52`` → (3.52, ``invert``)."""
    found = _LEVEL.search(unicodedata.normalize("NFKC", text))
    return (float(found[2]), _REFERENCES[found[1]]) if found else None


def read_pipes(items: Sequence[Item], texts: Sequence[Entity], frame: Frame) -> list[Element]:
    """The open curves of pipe layers, in local metres.

    ``kind``: abbreviation of CJJ 61 (``JS``, ``WS`` …); ``value``: diameter in mm from the nearest text that states
    one, else from the layer's name; ``text``: that text. ``levels``: a line's own Z, else from the nearest text at each
    end that states one.
    """
    stated = [(entity, size) for entity in texts if len(entity.points) and (size := diameter(entity.text)) is not None]
    places = shapely.points(np.array([frame.local(entity.points[0]) for entity, _ in stated]).reshape(-1, 2))
    written = [(entity, told) for entity in texts if len(entity.points) and (told := level(entity.text)) is not None]
    spots = shapely.points(np.array([frame.local(entity.points[0]) for entity, _ in written]).reshape(-1, 2))
    made = []
    for entity, match in items:
        if not is_curve(entity) or entity.closed or entity.kind in ("CIRCLE", "SOLID"):
            continue
        line = shapely.linestrings(frame.local(entity.points))
        if line.length < _SHORT:
            continue
        size, said = diameter(entity.layer), ""
        if len(places):
            away = shapely.distance(line, places)
            near = int(np.argmin(away))
            if away[near] <= _BESIDE:
                size, said = stated[near][1], stated[near][0].text
        levels, reference, source = _own_levels(entity, frame.metres_per_unit), "", "curve"
        if levels == (None, None):
            levels, reference = _written_levels(line, [one for _, one in written], spots)
            source = "text" if levels != (None, None) else ""
        made.append(
            Element(
                Role.PIPE, line, (entity.handle,), entity.layer, kind=match.kind,
                value=None if size is None else float(size), measured=False, text=said, levels=levels,
                level_ref=reference, level_from=source,
            )
        )  # fmt: skip
    return made


def _own_levels(entity: Entity, scale: float) -> tuple[float | None, float | None]:
    """Z of both ends of a 3D line, m; an end at exactly zero was not measured."""
    if entity.z_end is None:
        return None, None
    first, last = (value * scale if abs(value * scale) > _FLAT else None for value in (entity.z, entity.z_end))
    return first, last


def _written_levels(
    line: shapely.LineString, said: Sequence[tuple[float, str]], spots: Any
) -> tuple[tuple[float | None, float | None], str]:
    """Levels written nearest to both ends; one that speaks of something else than the first is left out."""
    found: list[float | None] = []
    reference = ""
    for at in (0, -1) if len(said) else ():
        away = shapely.distance(shapely.get_point(line, at), spots)
        near = int(np.argmin(away))
        value, what = said[near]
        fits = away[near] <= _BESIDE and reference in ("", what)
        found.append(value if fits else None)
        reference = what if fits else reference
    return ((found[0], found[1]) if found else (None, None)), reference
