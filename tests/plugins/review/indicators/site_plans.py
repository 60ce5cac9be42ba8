"""Site plans made by hand, whose figures can be worked out on paper. Metres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely

from plugins.review.model.reading.types import Element, Role, SitePlan, UnitCheck

_serial = iter(range(0x100, 10_000_000))


def made(role: Role, shape: Any, building: str = "", **fields: Any) -> Element:
    """An element with a handle of its own."""
    return Element(role, shape, (f"{next(_serial):X}",), building=building, **fields)


def box(x0: float, y0: float, x1: float, y1: float) -> Any:
    return shapely.box(x0, y0, x1, y1)


def house(
    name: str, shape: Any, storeys: int = 0, height: float | None = None, *, text: str = "", counts: bool | None = True
) -> list[Element]:
    """A footprint, a measured height and one floor area per storey, as the bureau's layers say it."""
    found = [made(Role.FOOTPRINT, shape, name, text=text)]
    if height is not None:
        found.append(made(Role.HEIGHT, shape.centroid, name, value=height))
    found += [
        made(Role.FLOOR_AREA, shape, name, floor=floor, coefficient=1.0, counts_far=counts)
        for floor in range(1, storeys + 1)
    ]
    return found


def plan(
    *elements: Element | list[Element],
    declared: Mapping[str, float] | None = None,
    texts: Mapping[str, str] | None = None,
    roles: Mapping[str, tuple[str, ...]] | None = None,
) -> SitePlan:
    """A site plan of these elements."""
    flat: list[Element] = []
    for one in elements:
        flat += one if isinstance(one, list) else [one]
    there = {one.role.value: ("LAYER",) for one in flat}
    return SitePlan(
        tuple(flat), "bureau", UnitCheck(1.0, "header"), there | dict(roles or {}), {}, (), dict(declared or {}),
        {key: f"T-{key}" for key in declared or {}}, dict(texts or {}),
    )  # fmt: skip


def site(width: float = 100.0, depth: float = 80.0) -> Element:
    return made(Role.SITE, box(0, 0, width, depth))


def stated(name: str, height: float, text: str) -> Element:
    """A height that only a text tells."""
    return made(Role.HEIGHT, shapely.Point(0, 0), name, value=height, measured=False, text=text)


def zongping() -> SitePlan:
    """The 120 × 80 m plan of two buildings whose second one stands 0.6 m over the build-to line.

    Site 9600, footprints 675 + 852, density 15.91 %; green 868 + 280 = 1148 (11.96 %), declared 30.5 %; roof green 200.
    """
    first, second = box(12, 15, 57, 30), box(70, 40, 112.6, 60)
    hatch = box(2, 40, 40, 64) - box(10, 48, 18, 53.5)
    return plan(
        made(Role.SITE, box(0, 0, 120, 80)),
        made(Role.BUILD_TO, box(8, 8, 112, 72)),
        made(Role.ROAD_LINE, shapely.LineString([(-10, -8), (130, -8)])),
        made(Role.FOOTPRINT, first, "1号楼", storeys=18),
        made(Role.FOOTPRINT, second, "2号楼", storeys=3),
        stated("1号楼", 54.3, "1号楼 18F/-1F H=54.30m 住宅"),
        stated("2号楼", 12.6, "2号楼 3F H=12.60m 商业"),
        made(Role.BASEMENT, box(10, 10, 110, 65), "地下室"),
        made(Role.GREEN, hatch, kind="集中"),
        made(Role.GREEN, box(62, 2, 118, 7), kind="宅旁"),
        made(Role.GREEN, box(62, 2, 118, 7), kind="宅旁"),
        made(Role.GREEN, box(15, 17, 35, 27), kind="屋顶"),
        declared={
            "site_area_m2": 9600.0, "gfa_m2": 14200.0, "far_area_m2": 13440.0, "far": 1.40, "density": 0.1586,
            "green_ratio": 0.305,
        },
        texts={"density": "15.86%", "green_ratio": "30.5%", "far": "1.40"},
    )  # fmt: skip
