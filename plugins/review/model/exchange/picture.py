"""A picture of an issue's place: the drawing's lines around it, what the issue speaks of in red."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from plugins.review.model.drawing.types import Drawing, Entity
from plugins.review.model.exchange.fonts import chinese_font

if TYPE_CHECKING:
    from numpy.typing import NDArray

Extent = tuple[float, float, float, float]

SIZE = (960, 640)
_RED = "#C0322B"
#: Entities drawn into one picture, at most; texts smaller than this many pixels are left out.
_MOST, _SMALLEST = 40_000, 6


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line to draw over the picture, in the drawing's coordinates."""

    points: Sequence[tuple[float, float]]
    colour: str = _RED
    width: int = 4


@dataclass(slots=True)
class Sheet:
    """A drawing ready to be drawn at any window of it."""

    entities: list[Entity]
    boxes: NDArray[np.float64]

    @classmethod
    def of(cls, drawing: Drawing, page: int = 0) -> Sheet:
        """Visible entities (of one page) that have a place."""
        kept, boxes = [], []
        for entity in drawing.entities:
            parts = [part for part in (entity.points, *entity.rings) if len(part)]
            if entity.visible and parts and (not page or entity.page in (0, page)):
                points = np.concatenate(parts)
                kept.append(entity)
                boxes.append([*points.min(axis=0), *points.max(axis=0)])
        return cls(kept, np.asarray(boxes, np.float64).reshape(-1, 4))

    def picture(self, extent: Extent, strokes: Iterable[Stroke], size: tuple[int, int] = SIZE) -> bytes:
        """PNG of what lies in a window (drawing's coordinates), red strokes on top."""
        image = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(image)
        scale = _fit(extent, size)
        inside = (
            (self.boxes[:, 0] <= extent[2]) & (self.boxes[:, 2] >= extent[0])
            & (self.boxes[:, 1] <= extent[3]) & (self.boxes[:, 3] >= extent[1])
        )  # fmt: skip
        for number in np.flatnonzero(inside)[:_MOST]:
            _draw(pen, self.entities[number], scale)
        for stroke in strokes:
            _line(pen, _pixels(np.asarray(stroke.points, np.float64), scale), stroke.colour, stroke.width)
        return _png(image)


def over_map(png: bytes, extent: Extent, strokes: Iterable[Stroke]) -> bytes:
    """Strokes (map coordinates) drawn over a picture of the map."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    pen, scale = ImageDraw.Draw(image), _fit(extent, image.size)
    for stroke in strokes:
        _line(pen, _pixels(np.asarray(stroke.points, np.float64), scale), stroke.colour, stroke.width)
    return _png(image)


def window(points: NDArray[np.float64], least: float, size: tuple[int, int] = SIZE) -> Extent:
    """A window of the picture's shape around points (n, 2), ``least`` wide at least."""
    low, high = points.min(axis=0), points.max(axis=0)
    (x, y), (wide, tall) = (low + high) / 2, (high - low) * 1.8
    wide = max(wide, tall * size[0] / size[1], least)
    tall = wide * size[1] / size[0]
    return float(x - wide / 2), float(y - tall / 2), float(x + wide / 2), float(y + tall / 2)


Scale = tuple[float, float, float]


def _fit(extent: Extent, size: tuple[int, int]) -> Scale:
    """(pixels per unit, x, y of the picture's upper left corner)."""
    per_unit = min(size[0] / max(extent[2] - extent[0], 1e-9), size[1] / max(extent[3] - extent[1], 1e-9))
    return per_unit, extent[0], extent[3]


def _pixels(points: NDArray[np.float64], scale: Scale) -> list[tuple[float, float]]:
    per_unit, x, y = scale
    # Far beyond the picture the library's integers would overflow.
    moved = np.clip(np.column_stack([(points[:, 0] - x) * per_unit, (y - points[:, 1]) * per_unit]), -1e5, 1e5)
    return [(float(a), float(b)) for a, b in moved]


def _draw(pen: ImageDraw.ImageDraw, entity: Entity, scale: Scale) -> None:
    for ring in entity.rings:
        pixels = _pixels(ring, scale)
        _line(pen, [*pixels, pixels[0]], entity.colour, 1)
    if not len(entity.points):
        return
    pixels = _pixels(entity.points, scale)
    if entity.text and entity.kind in ("TEXT", "MTEXT", "ATTRIB"):
        height = round(entity.size * scale[0])
        if height >= _SMALLEST:
            pen.text(pixels[0], entity.text[:200], fill=entity.colour, font=_font(min(height, 120)), anchor="ls")
        return
    _line(pen, [*pixels, pixels[0]] if entity.closed else pixels, entity.colour, 1)


def _line(pen: ImageDraw.ImageDraw, pixels: list[tuple[float, float]], colour: str, width: int) -> None:
    if len(pixels) == 1:
        (x, y), r = pixels[0], width * 2
        pen.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=max(1, width // 2))
    elif pixels:
        pen.line(pixels, fill=colour, width=width, joint="curve" if width > 2 else None)


def _font(height: int) -> Any:
    found = chinese_font()
    return ImageFont.load_default(height) if found is None else ImageFont.truetype(str(found[0]), height, found[1])


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
