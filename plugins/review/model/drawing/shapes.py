"""What readers make of things before a drawing is complete, and how it becomes one: fingerprints, extent, counts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.review.model.drawing.types import (
    Drawing,
    DrawingFormat,
    DrawingLayer,
    Entity,
    Georeference,
    Note,
    Page,
)

Points = NDArray[np.float64]
NO_POINTS: Points = np.empty((0, 2))

#: Most entities a drawing may have; what is beyond is counted in a note. A city block's survey has some 50,000.
MOST_ENTITIES = 300_000
#: Most vertices of all entities together (16 bytes each).
MOST_VERTICES = 8_000_000
#: Grid of fingerprints, m on the ground.
GRID_M = 0.0001
#: Vertices are rounded to a grid whose cell borders lie where no one draws: not at k or k + ½ of the grid.
_GRID_SHIFT = 0.6180339887
#: Coordinates beyond this are damage, not places.
FARTHEST = 1e12
#: Characters as high as wide (CJK), the others being some 0.6 of it.
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")


@dataclass(slots=True)
class Shape:
    """An entity in the making; fields as :class:`Entity`, ``colour`` and ``width`` perhaps still to be inherited.

    Attributes:
        colour: ``#rrggbb``, "" by layer, "*" by block; width: mm, −1 by layer, −2 by block.
    """

    handle: str
    kind: str
    layer: str
    points: Points = field(default_factory=lambda: NO_POINTS)
    closed: bool = False
    rings: tuple[Points, ...] = ()
    text: str = ""
    value: float | None = None
    size: float = 0.0
    angle: float = 0.0
    colour: str = ""
    width: float = -1.0
    z: float = 0.0
    page: int = 0
    visible: bool = True
    tag: str = ""
    box: tuple[float, ...] = ()
    z_end: float | None = None


class TooMuch(Exception):  # noqa: N818 - ends the collecting, not the reading
    """The drawing has more than a drawing may have."""


class Collector:
    """Gathers the shapes of one drawing."""

    def __init__(self, most_entities: int = MOST_ENTITIES, most_vertices: int = MOST_VERTICES) -> None:
        self.shapes: list[Shape] = []
        self.notes: list[Note] = []
        self._handles: set[str] = set()
        self._most_entities, self._vertices_left = most_entities, most_vertices
        self._broken: Counter[str] = Counter()

    def note(self, code: str, **params: Any) -> None:
        """Say something about the drawing."""
        shown = {key: clean(value) if isinstance(value, str) else value for key, value in params.items()}
        self.notes.append((code, shown))

    def add(self, shape: Shape) -> None:
        """Take a shape in. One with coordinates that are no numbers is left out and counted.

        Raises:
            TooMuch: the drawing is full.
        """
        whole = abs(shape.z) < FARTHEST and abs(shape.size) < FARTHEST and math.isfinite(shape.angle)
        whole = whole and (shape.value is None or abs(shape.value) < FARTHEST)
        for points in (shape.points, *shape.rings):
            self._vertices_left -= len(points)
            whole = whole and bool((np.abs(points) < FARTHEST).all())
        if not whole:
            self._broken[shape.kind] += 1
            return
        if len(self.shapes) >= self._most_entities or self._vertices_left < 0:
            raise TooMuch
        if shape.handle in self._handles:
            at = 2
            while f"{shape.handle}#{at}" in self._handles:
                at += 1
            shape.handle = f"{shape.handle}#{at}"
        self._handles.add(shape.handle)
        self.shapes.append(shape)

    def finish(
        self,
        name: str,
        kind: DrawingFormat,
        version: str,
        layers: Mapping[str, DrawingLayer],
        *,
        ground_unit: float = 1.0,
        metres_per_unit: float | None = None,
        georeference: Georeference | None = None,
        pages: Sequence[Page] = (),
        properties: Mapping[str, str] | None = None,
        count: int = 0,
    ) -> Drawing:
        """The drawing of all shapes.

        Args:
            layers: by name; layers of shapes that are not in it are added.
            ground_unit: metres per drawing unit by which fingerprints round.
        """
        if self._broken:
            self.note("review.not_numbers", count=self._broken.total(), kinds=counted(self._broken))
        prints = _fingerprints(self.shapes, GRID_M / ground_unit)
        per_layer = Counter(shape.layer for shape in self.shapes)
        all_layers = {
            one: replace(layers.get(one) or DrawingLayer(one), name=clean(one), count=per_layer[one])
            for one in {**layers, **per_layer}
        }
        return Drawing(
            name=name,
            sha256="",
            format=kind,
            version=version,
            entities=tuple(
                _entity(shape, print_, all_layers[shape.layer])
                for shape, print_ in zip(self.shapes, prints, strict=True)
            ),
            layers=tuple(all_layers.values()),
            metres_per_unit=metres_per_unit,
            georeference=georeference,
            pages=tuple(pages),
            extent=_extent([shape for shape in self.shapes if shape.visible and not all_layers[shape.layer].hidden]),
            properties={
                key: clean(str(value))[:300] for key, value in (properties or {}).items() if str(value).strip()
            },
            notes=tuple(self.notes),
            count=count or len(self.shapes),
        )


def counted(kinds: Counter[str]) -> str:
    """``HATCH × 12, REGION × 3``, the most frequent first."""
    return ", ".join(f"{kind} × {count}" for kind, count in kinds.most_common(30))


def clean(text: str) -> str:
    """Text that can be written anywhere: what could not be decoded and control characters are replaced."""
    if not text or text.isprintable():
        return text
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def text_box(x: float, y: float, text: str, size: float, angle: float = 0.0) -> tuple[float, ...]:
    """Estimated box of a text whose first line begins at (x, y): em for CJK, 0.6 em for others, 1.6 em a line."""
    lines = text.split("\n")
    width = size * max((0.6 * len(line) + 0.4 * len(_WIDE.findall(line)) for line in lines), default=0.0)
    below = -1.6 * size * (len(lines) - 1)
    if angle == 0.0:
        return (x, y + below, x + width, y + size)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    xs = [x + u * cos - v * sin for u in (0.0, width) for v in (below, size)]
    ys = [y + u * sin + v * cos for u in (0.0, width) for v in (below, size)]
    return (float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys)))


def _entity(shape: Shape, fingerprint: str, layer: DrawingLayer) -> Entity:
    return Entity(
        shape.handle,
        shape.kind,
        layer.name,
        shape.points,
        shape.closed,
        shape.rings,
        clean(shape.text),
        shape.value,
        shape.size,
        shape.angle,
        shape.colour if shape.colour.startswith("#") else layer.colour,
        max(shape.width, 0.0),
        shape.z,
        shape.page,
        fingerprint,
        shape.visible and not layer.hidden,
        clean(shape.tag),
        shape.box,
        shape.z_end,
    )


def _extent(shapes: Sequence[Shape]) -> tuple[float, float, float, float] | None:
    arrays = [one for shape in shapes for one in (shape.points, *shape.rings) if len(one)]
    if not arrays:
        return None
    xy = np.concatenate(arrays)
    low, high = xy.min(axis=0), xy.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _fingerprints(shapes: Sequence[Shape], grid: float) -> list[str]:
    """A hash of what each shape is and shows."""
    arrays = [one for shape in shapes for one in (shape.points, *shape.rings)]
    if not arrays:
        return []
    # Beyond ±2⁵³ grid cells differences are below the coordinates' own precision; casting keeps those bits.
    cells = np.floor(np.concatenate(arrays) / grid + _GRID_SHIFT).astype(np.int64)
    raw = memoryview(np.ascontiguousarray(cells).tobytes())
    found, at = [], 0
    for shape in shapes:
        sizes = [len(shape.points), *map(len, shape.rings)]
        end = at + 16 * sum(sizes)
        said = (
            shape.kind, shape.closed, sizes, shape.text, shape.tag, round(shape.size / grid + _GRID_SHIFT),
            round(shape.angle, 3), round(shape.z / grid + _GRID_SHIFT), shape.page,
        )  # fmt: skip
        digest = blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=12)
        digest.update(raw[at:end])
        found.append(digest.hexdigest())
        at = end
    return found
