"""Drawings made by hand: entities with the fingerprints a reader would give them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity, Page

Make = Callable[..., Entity]
Draw = Callable[..., Drawing]


def marked(entity: Entity) -> Entity:
    """The entity with its fingerprint: what it is and shows, to 0.1 mm, without its layer."""
    parts = [entity.kind, entity.text, entity.closed, entity.page, round(entity.angle, 3), round(entity.size, 4)]
    curves = [np.round(curve, 4).tolist() for curve in (entity.points, *entity.rings)]
    return replace(entity, fingerprint=hashlib.sha1(repr((parts, curves)).encode()).hexdigest())


@pytest.fixture
def entity() -> Make:
    """``entity(handle, kind, points, …)``."""

    def make(handle: str, kind: str = "LINE", points: Sequence[Any] = (), **more: Any) -> Entity:
        layer = more.pop("layer", "0")
        rings = tuple(np.array(ring, dtype=float) for ring in more.pop("rings", ()))
        return marked(Entity(handle, kind, layer, np.array(points, dtype=float).reshape(-1, 2), rings=rings, **more))

    return make


@pytest.fixture
def drawing() -> Draw:
    """``drawing(entities, …)``."""

    def make(entities: Sequence[Entity], **more: Any) -> Drawing:
        pages = tuple(Page(number, 600.0, 800.0) for number in sorted({one.page for one in entities} - {0}))
        given = {"format": DrawingFormat.DXF, "metres_per_unit": 1.0, "pages": pages} | more
        name = hashlib.sha1(repr([one.fingerprint for one in entities]).encode()).hexdigest()
        return Drawing(name=f"{name[:6]}.dxf", sha256=name, version="", entities=tuple(entities), layers=(), **given)

    return make


@pytest.fixture
def town(entity: Make) -> list[Entity]:
    """Forty different houses, a label in each, and a row of equal parking places."""
    rng = np.random.default_rng(7)
    made: list[Entity] = []
    for number in range(40):
        x, y = 60.0 * (number % 8), 50.0 * (number // 8)
        wide, deep = rng.uniform(8, 30, 2).round(3)
        ring = [(x, y), (x + wide, y), (x + wide, y + deep), (x, y + deep)]
        made.append(entity(f"A{number:X}", "LWPOLYLINE", ring, closed=True, layer="JZJD"))
        made.append(entity(f"B{number:X}", "TEXT", [(x + 2, y + 2)], text=f"{number}#楼", size=2.5, layer="WZ",
                           box=(x + 2, y + 2, x + 8, y + 4.5)))  # fmt: skip
    for number in range(12):
        x = 3.0 * number
        ring = [(x, -20), (x + 2.5, -20), (x + 2.5, -15), (x, -15)]
        made.append(entity(f"C{number:X}", "LWPOLYLINE", ring, closed=True, layer="TCW"))
    return made
