"""Which levels of a building are storeys, what each encloses, and how high the building is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.ifc_envelope import Cover, Outline, enclose, thick_area, void_area
from plugins.review.model.drawing.ifc_solids import Solid, merged, polygons_of
from plugins.review.model.drawing.ifc_structure import Block, Level, Part, Product, odd_levels
from plugins.review.model.drawing.types import IfcBuilding, Note, Storey

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: Height of the cut above the floor, m (facts of the drawing review; the usual cut of a floor plan).
CUT = 1.2
#: Walls that reach this high above the floor are no parapets, m.
TALL = 2.0
#: Levels closer than this (m) are one storey drawn twice or a datum.
LOWEST_STOREY = 1.8
#: Envelopes with and without doors and windows may differ by this much.
OPENINGS_TOLERANCE = 0.02

EMPTY = Outline(shapely.Polygon(), 0.0, 0.0, 0.0)
_FOUNDATION = re.compile(r"fdn|found|footing|fundament|基础|地基|承台|桩顶", re.I)
_ROOF = re.compile(r"roof|dach(?!geschoss)|toit|屋面|屋顶|parapet|女儿墙|ridge|屋脊", re.I)


@dataclass(slots=True)
class Floor:
    """A level while it is being judged. ``cuts``: product id → its cut."""

    level: Level
    cuts: dict[int, BaseGeometry]
    cover: Cover
    outline: Outline
    source: str
    dropped: str = ""
    height: float | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def area(self) -> BaseGeometry:
        return self.outline.area

    @property
    def floored(self) -> bool:
        """Whether most of it has a floor."""
        return bool(self.cover.floor.intersection(self.area).area >= 0.5 * self.area.area > 0)

    @property
    def covered(self) -> bool:
        """Whether something lies above most of it."""
        return bool(self.cover.above.intersection(self.area).area >= 0.5 * self.area.area > 0)


def read_building(
    block: Block, solids: Mapping[int, Solid], unfinished: frozenset[Part], ground: Mapping[int, Solid]
) -> tuple[list[Floor], list[Storey], IfcBuilding, list[Note]]:
    """Storeys of one building, lowest first.

    Args:
        solids: triangles by product id; ``ground``: of modelled terrain.
        unfinished: parts that were not all read in time; without all walls no envelope is told.
    """
    notes: list[Note] = []
    walls = [one for one in block.products if one.part is Part.WALL and one.id in solids]
    if not walls:
        walls = [one for one in block.products if one.part is Part.PROXY and one.id in solids]
        if walls:
            notes.append(("review.ifc_proxies", {"building": block.name, "count": len(walls)}))
    if not block.levels:
        if not walls:
            return [], [], IfcBuilding(block.guid, block.name), notes
        z = min(solids[one.id].low for one in walls)
        block.levels = [Level(block.id, block.guid, block.name, z, z - block.base, block.id, block.products)]
        notes.append(("review.ifc_no_storeys", {"building": block.name}))
    for level in odd_levels(block):
        notes.append(("review.ifc_elevation", {"storey": level.name, "stated": level.elevation, "placed": level.z}))
    floors = _floors(block, walls, solids)
    _judge(
        floors, [one for one in (*walls, *block.products) if one.part in (Part.WALL, Part.PROXY, Part.FILLING)], solids
    )
    _heights(floors, solids)
    building = _building(block, [one for one in floors if not one.dropped], walls, solids, ground)
    if Part.WALL in unfinished:
        for floor in floors:
            floor.outline, floor.source, floor.notes = EMPTY, "", []
    storeys = [_storey(floor, block, building.grade) for floor in floors]
    if building.height is not None and building.grade_source == "floor":
        notes.append(("review.ifc_grade_assumed", {"building": block.name, "grade": building.grade}))
    return floors, storeys, building, notes


def _floors(block: Block, walls: list[Product], solids: Mapping[int, Solid]) -> list[Floor]:
    have = [one for one in block.products if one.id in solids]
    slabs = [one for one in have if one.part is Part.FLOOR]
    spaces = [one for one in have if one.part is Part.SPACE and not one.outside]
    upright = walls + [one for one in have if one.part is Part.COLUMN]
    fillings = [one for one in have if one.part is Part.FILLING]
    found: list[Floor] = []
    above, waiting = shapely.Polygon(), slabs + fillings + [one for one in walls if one.kind != "IfcWall"]
    for level in reversed(block.levels):
        cut = level.z + CUT
        over = [one for one in waiting if solids[one.id].high > cut + 0.2]
        above = merged([above, *(solids[one.id].plan() for one in over)])
        taken = {one.id for one in over}
        waiting = [one for one in waiting if one.id not in taken]
        flat = [
            solid.plan()
            for solid in (solids[one.id] for one in slabs)
            if level.z - 0.5 <= solid.high <= level.z + 0.35 and solid.high - solid.low < 1.0
        ]
        cuts = {
            one.id: section
            for one in (*upright, *fillings, *spaces)
            if (section := solids[one.id].section(cut)) is not None
        }
        rooms = merged([cuts.get(one.id) for one in spaces])
        cover = Cover(above, merged(flat), rooms)
        floor = Floor(level, cuts, cover, EMPTY, "")
        _outline(floor, upright, fillings, [one for one in slabs if one.roof or one.kind == "IfcSlab"], solids)
        found.append(floor)
    return found[::-1]


def _outline(
    floor: Floor, upright: list[Product], fillings: list[Product], roofs: list[Product], solids: Mapping[int, Solid]
) -> None:
    """The first of walls, walls with doors and windows, sloping roofs, slab, spaces that encloses an area."""
    cover, level = floor.cover, floor.level
    parts = [floor.cuts.get(one.id) for one in upright]
    bare = enclose(parts, cover)
    full = bare
    if any(one.id in floor.cuts for one in fillings):
        full = enclose([*parts, *(floor.cuts.get(one.id) for one in fillings)], cover)
    best, floor.source = bare, "walls"
    if abs(full.area.area - bare.area.area) > OPENINGS_TOLERANCE * max(full.area.area, bare.area.area):
        floor.notes.append(
            ("review.ifc_openings", {"storey": level.name, "without": bare.area.area, "with": full.area.area})
        )
        if full.area.area > bare.area.area:
            best, floor.source = full, "openings"
    if best.enclosed <= 0.4 * max(cover.floor.area, cover.spaces.area, 1.0):
        cut = level.z + CUT
        sloping = [solids[one.id] for one in roofs if solids[one.id].high - solids[one.id].low > 1.0]
        sections = [section for solid in sloping if (section := solid.section(cut)) is not None]
        attic = enclose([*parts, *sections], cover) if sections else best
        if attic.enclosed > 2 * best.enclosed + 1.0:
            best, floor.source = attic, "roof"
            floor.notes = [("review.ifc_attic", {"storey": level.name, "area": attic.area.area})]
    if best.enclosed <= 0.1 * max(cover.floor.area, cover.spaces.area, 10.0):
        for source, area in (("slab", cover.floor), ("spaces", cover.spaces.buffer(0.1, join_style="mitre"))):
            if area.area >= 4.0:
                best, floor.source = Outline(merged(polygons_of(area)), 0.0, area.area, 0.0), source
                floor.notes = [(f"review.ifc_from_{source}", {"storey": level.name, "area": area.area})]
                break
        else:
            best, floor.source = EMPTY, ""
            floor.notes = []
    if best.gap > 0.25:
        floor.notes.append(("review.ifc_gaps", {"storey": level.name, "gap": best.gap}))
    if best.unsure > 0:
        floor.notes.append(("review.ifc_courtyards", {"storey": level.name, "area": best.unsure}))
    floor.outline = best


def _judge(floors: list[Floor], upright: list[Product], solids: Mapping[int, Solid]) -> None:
    """Datums, foundations and roofs are not storeys; two levels close together are one."""
    lived = [one.level.z for one in floors if one.level.count("IfcSpace", "IfcDoor", "IfcWindow")]
    roofed, slabs = any(one.covered for one in floors), any(one.floored for one in floors)
    for floor in floors:
        level = floor.level
        if not floor.area.is_empty and not floor.covered and (roofed or floor.source == "slab"):
            _raise_cut(floor, upright, solids)
        bare = floor.source == "slab" or not floor.floored
        if floor.dropped:
            continue
        if floor.area.is_empty:
            roof = _ROOF.search(level.name) or any(one.roof for one in level.products)
            floor.dropped = "roof" if roof else "open" if level.products else "datum"
        elif not level.products and slabs and not floor.floored:
            floor.dropped = "datum"
        elif lived and level.z < min(lived) - 0.1 and (_FOUNDATION.search(level.name) or bare):
            floor.dropped = "foundation"
        elif not floor.covered and _ROOF.search(level.name):
            floor.dropped = "roof"
    kept: list[Floor] = []
    for floor in (one for one in floors if not one.dropped):
        while kept and floor.level.z - kept[-1].level.z < LOWEST_STOREY and _overlap(kept[-1], floor):
            if _content(kept[-1]) >= _content(floor):
                floor.dropped = "close"
                break
            kept.pop().dropped = "close"
        if not floor.dropped:
            kept.append(floor)
    for floor in floors:
        if floor.dropped:
            floor.outline, floor.source, floor.notes = EMPTY, "", []
            if floor.dropped != "datum":
                floor.notes.append((f"review.ifc_storey_{floor.dropped}", {"storey": floor.level.name}))


def _raise_cut(floor: Floor, upright: list[Product], solids: Mapping[int, Solid]) -> None:
    """What nothing covers is cut higher, over its parapets: left are rooms on a roof, or a storey without its roof."""
    sections = [solids[one.id].section(floor.level.z + TALL) for one in upright if one.id in solids]
    higher = enclose(sections, floor.cover)
    if floor.source in ("slab", "spaces") and merged(sections).area >= 0.02 * floor.area.area:
        return  # walls that do not close, but stand
    floor.outline, floor.source, floor.dropped = (higher, "walls", "") if higher.enclosed else (EMPTY, "", "roof")


def _overlap(a: Floor, b: Floor) -> bool:
    return bool(a.area.intersection(b.area).area >= 0.5 * min(a.area.area, b.area.area))


def _content(floor: Floor) -> int:
    level = floor.level
    return 3 * level.count("IfcSpace") + level.count("IfcDoor") + len(level.products)


def _heights(floors: list[Floor], solids: Mapping[int, Solid]) -> None:
    """Floor to floor; the last one to the roof's level, else to the top of its walls."""
    for floor in floors:
        z = floor.level.z
        higher = [one for one in floors if one.level.z >= z + LOWEST_STOREY]
        real = [one.level.z for one in higher if not one.dropped]
        roofs = [one.level.z for one in higher if one.dropped == "roof"]
        tops = [solids[one].high for one in floor.cuts if solids[one].high >= z + LOWEST_STOREY]
        top = min(real) if real else min(roofs) if roofs else max(tops) if tops else None
        floor.height = None if floor.dropped or top is None else top - z


def _building(
    block: Block, real: list[Floor], walls: list[Product], solids: Mapping[int, Solid], ground: Mapping[int, Solid]
) -> IfcBuilding:
    bodies = walls + [one for one in block.products if one.part in (Part.WALL, Part.FLOOR) and one.id in solids]
    highest = max(bodies, key=lambda one: (solids[one.id].high, one.id), default=None)
    if highest is None or not real:
        return IfcBuilding(block.guid, block.name)
    entered = [one for one in real if (one.level.z - block.base if block.base else one.level.elevation) >= -1.0]
    first = entered[0] if entered else real[-1]
    grade, source = _terrain(first.area, ground), "terrain"
    if grade is None:
        grade, source = (first.level.z, "floor") if block.terrain is None else (block.base + block.terrain, "attribute")
    return IfcBuilding(block.guid, block.name, solids[highest.id].high, highest.guid, grade, source)


def _terrain(footprint: BaseGeometry, ground: Mapping[int, Solid]) -> float | None:
    """Lowest modelled ground at the corners of the footprint; None where there is none."""
    found: list[float] = []
    corners = np.unique(shapely.get_coordinates(footprint), axis=0)
    for x, y in corners:
        heights = [height for solid in ground.values() if (height := solid.height_at(x, y)) is not None]
        if heights:
            found.append(max(heights))
    return min(found) if len(found) >= 0.5 * len(corners) > 0 else None


def _storey(floor: Floor, block: Block, grade: float | None) -> Storey:
    level, area, height = floor.level, floor.area, floor.height
    spaces = sum(floor.cuts[one.id].area for one in level.products if one.part is Part.SPACE and one.id in floor.cuts)
    empty = area.is_empty
    return Storey(
        guid=level.guid,
        name=level.name,
        elevation=level.elevation,
        height=height,
        envelope=None if empty else area,
        above=not floor.dropped,
        building=block.name,
        spaces_m2=spaces,
        source=floor.source,
        below_ground=grade is not None and not floor.dropped and level.z < grade - 0.5 * (height or 3.0),
        void_m2=0.0 if empty else void_area(area, floor.cover.floor, merged(floor.cuts.values())),
        outside_m2=0.0 if empty else thick_area(floor.cover.floor.difference(area)),
        notes=tuple(floor.notes),
    )
