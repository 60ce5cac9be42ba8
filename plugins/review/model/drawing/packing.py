"""Drawings on their way between processes: entities as columns, their vertices in one array."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from plugins.review.model.drawing.types import Drawing, Entity

_PLAIN = tuple(field.name for field in fields(Entity) if field.name not in ("points", "rings"))
_ORDER = tuple(field.name for field in fields(Entity))


def pack(drawing: Drawing) -> tuple[Any, ...]:
    """A drawing as few large objects, which pickle fast (25,000 entities: some 0.1 s instead of 0.5 s)."""
    entities = drawing.entities
    arrays = [one for entity in entities for one in (entity.points, *entity.rings)]
    sizes = np.fromiter(map(len, arrays), np.int64, len(arrays))
    rings = np.fromiter((len(entity.rings) for entity in entities), np.int64, len(entities))
    vertices = np.concatenate(arrays, dtype=np.float64) if arrays else np.empty((0, 2))
    columns = [[getattr(entity, name) for entity in entities] for name in _PLAIN]
    return replace(drawing, entities=()), columns, rings, sizes, vertices


def unpack(packed: tuple[Any, ...]) -> Drawing:
    """The inverse of :func:`pack`. The arrays cannot be written to: a drawing never changes."""
    drawing: Drawing
    drawing, columns, rings, sizes, vertices = packed
    vertices.flags.writeable = False
    ends = np.cumsum(sizes).tolist()
    arrays = [vertices[end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True)]
    points, inner = [], []
    at = 0
    for count in rings.tolist():
        points.append(arrays[at])
        inner.append(tuple(arrays[at + 1 : at + 1 + count]))
        at += 1 + count
    by_name = {**dict(zip(_PLAIN, columns, strict=True)), "points": points, "rings": inner}
    return replace(drawing, entities=tuple(map(Entity, *(by_name[name] for name in _ORDER))))
