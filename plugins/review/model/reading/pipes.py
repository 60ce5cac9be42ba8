"""Pipes and cables of a design: the lines on layers for them, with their kind and the diameter written beside them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

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
_DIAMETER = re.compile(r"(?:DN|De|[φΦØø⌀]|(?<![A-Za-z])[dD])\s*=?\s*(\d{2,4})(?!\d)")
_BOX = re.compile(r"(?<!\d)(\d{3,4})\s*[×xX*]\s*(\d{3,4})(?!\d)")


def diameter(text: str) -> int | None:
    """The nominal diameter (larger side of a box) in mm that a text states: ``DN300``, ``d800``, ``1200×800``."""
    plain = unicodedata.normalize("NFKC", text)
    if box := _BOX.search(plain):
        return max(int(box[1]), int(box[2]))
    found = _DIAMETER.search(plain)
    return int(found[1]) if found else None


def read_pipes(items: Sequence[Item], texts: Sequence[Entity], frame: Frame) -> list[Element]:
    """The open curves of pipe layers, in local metres.

    ``kind``: abbreviation of CJJ 61 (``JS``, ``WS`` …); ``value``: diameter in mm from the nearest text that states
    one, else from the layer's name; ``text``: that text.
    """
    stated = [(entity, size) for entity in texts if len(entity.points) and (size := diameter(entity.text)) is not None]
    places = shapely.points(np.array([frame.local(entity.points[0]) for entity, _ in stated]).reshape(-1, 2))
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
        made.append(
            Element(
                Role.PIPE, line, (entity.handle,), entity.layer, kind=match.kind,
                value=None if size is None else float(size), measured=False, text=said,
            )
        )  # fmt: skip
    return made
