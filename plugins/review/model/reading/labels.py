"""What texts beside or inside the buildings say: name, storeys, height. Declared, never measured."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.reading.convention import Convention
    from plugins.review.model.reading.ledger import Frame

_SCALES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "米": 1.0, "": 1.0}
#: A text that says storeys or height and stands beside a building, not in it, may be this far away, m.
_BESIDE = 6.0
#: Heights beyond these are no building's, m.
_HEIGHTS = (1.0, 1200.0)
_CALLED = re.compile(r"(?:号|#)?(?:住宅|商业|办公)?(?:楼|栋|幢|座|号|#)$|^(?:BLOCK|BLK|BUILDING|BLDG|TOWER)")


@dataclass(frozen=True, slots=True)
class Label:
    """What one text says. ``height`` in m; what it doesn't say is None or ""."""

    entity: Entity
    name: str = ""
    storeys: int | None = None
    storeys_below: int | None = None
    height: float | None = None

    @property
    def telling(self) -> bool:
        """True if it says storeys or a height, which only buildings have."""
        return self.storeys is not None or self.height is not None or self.storeys_below is not None


@functools.lru_cache(maxsize=4096)
def building_key(name: str) -> str:
    """A building's name as it is compared: ``1号楼``, ``1#`` and ``1`` are one building."""
    text = re.sub(r"[\s_.-]+", "-", unicodedata.normalize("NFKC", name).strip().upper())
    return _CALLED.sub("", text).strip("-") or text


def plain(text: str) -> str:
    """A text with half-width characters, one kind of colon, without needless blanks."""
    folded = unicodedata.normalize("NFKC", text).replace("∶", ":")
    return re.sub(r"[ \t\u3000]+", " ", folded).strip()


def read_label(entity: Entity, convention: Convention) -> Label:
    """Name, storeys and height that a text says."""
    text, patterns = plain(entity.text), convention.patterns
    name = ""
    for pattern in patterns.get("name", ()):
        found = pattern.search(text)
        if found:
            name = re.sub(r"\s+", "", found["value"])
            break
    return Label(
        entity,
        name=name,
        storeys=_most(patterns.get("storeys", ()), text),
        storeys_below=_most(patterns.get("storeys_below", ()), text),
        height=read_height(text, convention),
    )


def read_height(text: str, convention: Convention) -> float | None:
    """The height in m that a text states, the largest of several; None if it speaks of another height or of none."""
    if any(pattern.search(text) for pattern in convention.patterns.get("not_height", ())):
        return None
    found = []
    for pattern in convention.patterns.get("height", ()):
        for match in pattern.finditer(text):
            value = float(match["value"]) * _SCALES.get(match.groupdict().get("unit") or "", 1.0)
            # A number in the thousands without a unit is in mm: no building is 1,200 m high.
            found.append(value / 1000 if value > _HEIGHTS[1] else value)
    sound = [value for value in found if _HEIGHTS[0] <= value <= _HEIGHTS[1]]
    return max(sound) if sound else None


def _most(patterns: Sequence[re.Pattern[str]], text: str) -> int | None:
    """The largest number the patterns find (``11+1F`` is 12): a tower's storeys rather than its podium's."""
    found = [
        int(match["value"]) + int(match.groupdict().get("more") or 0)
        for pattern in patterns
        for match in pattern.finditer(text)
    ]
    sound = [number for number in found if 0 < number < 250]
    return max(sound) if sound else None


def assign(
    labels: Sequence[Label], outlines: Sequence[BaseGeometry], names: Sequence[str], frame: Frame
) -> list[int | None]:
    """The outline each label speaks of, or None.

    First the one whose name it says, then the smallest it lies in, then, for labels that say storeys or a height, the
    nearest within 6 m.

    Args:
        outlines: in local metres; names: of the buildings as far as layers say them, "" where they don't.
    """
    if not labels or not outlines:
        return [None] * len(labels)
    named: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        if name:
            named.setdefault(building_key(name), []).append(k)
    tree = shapely.STRtree(outlines)
    found: list[int | None] = []
    for label in labels:
        dots = [shapely.Point(xy) for xy in _places(label.entity, frame)]
        inside: list[int] = next(
            (hits for dot in dots if (hits := tree.query(dot, predicate="intersects").tolist())), []
        )
        called = named.get(building_key(label.name), []) if label.name else []
        if called:
            # A building in several parts: the part it stands in, else the nearest.
            near = [k for k in inside if k in called] or called
            found.append(min(near, key=lambda k: (round(shapely.distance(outlines[k], dots[0]), 3), outlines[k].area)))
        elif inside:
            # A text that names another building than this outline's speaks of that one, wherever it stands.
            other = label.name and all(names[k] for k in inside)
            found.append(None if other else min(inside, key=lambda k: outlines[k].area))
        elif label.telling:
            near = tree.query_nearest(dots[0], max_distance=_BESIDE, all_matches=False).tolist()
            found.append(near[0] if near and not (label.name and names[near[0]]) else None)
        else:
            found.append(None)
    return found


def _places(entity: Entity, frame: Frame) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Where a text stands: its middle if its extent is known, and where it begins. Local metres."""
    places = []
    if entity.box:
        x0, y0, x1, y1 = entity.box
        places.append(frame.local(np.array([(x0 + x1) / 2, (y0 + y1) / 2])))
    places.append(frame.local(entity.points[0]))
    return places
