"""Drawings made by hand, with known places, and a large one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plugins.review.model.drawing.types import Drawing, DrawingFormat, DrawingLayer, Entity

EAST, NORTH = 512_000.0, 2_861_000.0


def entity(handle: str, kind: str, layer: str, points: Any = (), **more: Any) -> Entity:
    """An entity with its points as a list."""
    return Entity(handle, kind, layer, np.array(points, dtype=np.float64).reshape(-1, 2), **more)


def hatch(handle: str, layer: str, *rings: Any, **more: Any) -> Entity:
    """A filled area of outer rings and holes."""
    return entity(handle, "HATCH", layer, rings=tuple(np.array(one, dtype=np.float64) for one in rings), **more)


def square(x: float, y: float, size: float) -> list[tuple[float, float]]:
    """Corners from the lower left, counter-clockwise."""
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def drawing(entities: Sequence[Entity], **more: Any) -> Drawing:
    """A DXF drawing of these entities; a layer whose name starts with ``off`` is switched off in the file."""
    names = list(dict.fromkeys(one.layer for one in entities))
    layers = tuple(
        DrawingLayer(name, hidden=name.startswith("off"), count=sum(one.layer == name for one in entities))
        for name in names
    )
    points = np.concatenate([part for one in entities for part in (one.points, *one.rings)])
    low, high = points.min(axis=0), points.max(axis=0)
    values: dict[str, Any] = {
        "name": "site.dxf", "sha256": "0" * 64, "format": DrawingFormat.DXF, "version": "R2013",
        "entities": tuple(entities), "layers": layers, "metres_per_unit": 1.0,
        "extent": (*low.tolist(), *high.tolist()),
    }  # fmt: skip
    return Drawing(**(values | more))


def site() -> Drawing:
    """100 m by 80 m: red line, two buildings, a green with a hole, texts, a dimension, a layer that is off."""
    x, y = EAST, NORTH
    red = [(x, y), (x + 100, y), (x + 100, y + 80), (x, y + 80)]
    return drawing(
        [
            entity("10", "LWPOLYLINE", "YDHX-用地红线", red, closed=True, colour="#c0322b", width=0.5),
            entity("11", "LWPOLYLINE", "JZJD-1号楼", square(x + 10, y + 10, 20), closed=True),
            entity("12", "LWPOLYLINE", "JZJD-2号楼", square(x + 60, y + 10, 20), closed=True),
            hatch("13", "LD-集中", square(x + 10, y + 45, 30), square(x + 20, y + 55, 10), colour="#1f7a3d"),
            entity("14", "TEXT", "TXT", [(x + 12, y + 18)], text="1号楼 18F", size=3.0),
            entity("15", "MTEXT", "TXT", [(x + 62, y + 22)], text="2号楼\n11F", size=3.0),
            entity("16", "DIMENSION", "GD", [(x + 30, y + 20), (x + 60, y + 20)], value=30.0, size=2.0),
            entity("17", "POINT", "KZD", [(x + 50, y + 60)]),
            entity("18", "LINE", "off-轴线", [(x, y + 40), (x + 100, y + 40)], visible=False, colour="#0000ff"),
            entity("19/1", "LINE", "TXT", [(x + 70, y + 60), (x + 90, y + 60)], colour="#336699"),
            entity("1A", "LINE", "TXT", [(x + 70, y + 70), (x + 90, y + 70)], colour="#ff00ff", visible=False),
        ]
    )


def large(count: int = 25_000, seed: int = 7) -> Drawing:
    """``count`` entities like those of a general plan: short polylines, texts, hatches over 40 layers."""
    chance = np.random.default_rng(seed)
    places = chance.uniform((EAST, NORTH), (EAST + 800, NORTH + 600), (count, 2))
    made = []
    for number, (x, y) in enumerate(places.tolist()):
        layer, handle = f"L{number % 40:02d}", f"{number + 16:X}"
        colour = f"#{(number % 40) * 0x060A0E & 0xFFFFFF:06x}"
        if number % 10 < 7:
            points = np.cumsum(chance.normal(0, 3, (4 + number % 12, 2)), axis=0) + np.array([x, y])
            made.append(Entity(handle, "LWPOLYLINE", layer, points, closed=number % 3 == 0, colour=colour))
        elif number % 10 < 9:
            made.append(entity(handle, "TEXT", layer, [(x, y)], text=f"地块 {number}", size=1.5, colour=colour))
        else:
            made.append(hatch(handle, layer, square(x, y, 4), square(x + 1, y + 1, 2), colour=colour))
    return drawing(made)
