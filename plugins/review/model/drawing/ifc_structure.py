"""What an IFC file is made of: buildings, storeys, and the products that make up envelopes, each with its place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Part(StrEnum):
    """What a product does for the envelope."""

    WALL = "wall"
    COLUMN = "column"
    FLOOR = "floor"  # slabs and roofs
    FILLING = "filling"  # doors, windows, panels that stand by themselves
    SPACE = "space"
    PROXY = "proxy"


_CLASSES = (
    ("IfcWall", Part.WALL), ("IfcCurtainWall", Part.WALL), ("IfcColumn", Part.COLUMN), ("IfcSlab", Part.FLOOR),
    ("IfcRoof", Part.FLOOR), ("IfcDoor", Part.FILLING), ("IfcWindow", Part.FILLING), ("IfcPlate", Part.FILLING),
    ("IfcMember", Part.FILLING), ("IfcSpace", Part.SPACE), ("IfcBuildingElementProxy", Part.PROXY),
    ("IfcBuildingElementPart", None),
)  # fmt: skip


@dataclass(slots=True)
class Product:
    """A product that matters for plans. ``kind``: its IFC class; ``name`` as people read it."""

    id: int
    guid: str
    kind: str
    name: str
    part: Part
    level: int | None
    building: int | None
    roof: bool = False
    outside: bool = False


@dataclass(slots=True)
class Level:
    """An IfcBuildingStorey as the file has it. ``z``: floor in the file's own height, m; ``elevation`` as stated, m."""

    id: int
    guid: str
    name: str
    z: float
    elevation: float
    building: int
    products: list[Product] = field(default_factory=list)

    def count(self, *kinds: str) -> int:
        """How many products of these classes it holds."""
        return sum(one.kind in kinds for one in self.products)


@dataclass(slots=True)
class Block:
    """A building with its levels, lowest first. ``name`` is unique in the file; ``base``: height of its ±0.00, m."""

    id: int
    guid: str
    name: str
    base: float
    terrain: float | None = None
    levels: list[Level] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)


def get(entity: Any, name: str) -> Any:
    """An attribute, None where the class has none or the file's reference leads nowhere."""
    with contextlib.suppress(AttributeError, RuntimeError):
        return getattr(entity, name)
    return None


def of_class(file: Any, name: str) -> list[Any]:
    """Instances of a class; none where the schema does not know it."""
    with contextlib.suppress(RuntimeError):
        return list(file.by_type(name))
    return []


def cyclic_placement(file: Any) -> str:
    """``#id`` of a placement that is placed relative to itself, "" for none; geometry of such a file never ends."""
    sound: set[int] = set()
    for placement in of_class(file, "IfcLocalPlacement"):
        way: dict[int, None] = {}
        while placement is not None and placement.id() not in sound:
            if placement.id() in way:
                return f"#{placement.id()}"
            way[placement.id()] = None
            placement = get(placement, "PlacementRelTo")
        sound.update(way)
    return ""


def odd_levels(block: Block) -> list[Level]:
    """Levels whose stated elevation and placed height tell different things (10 cm)."""
    if len(block.levels) < 2:
        return []
    shifts = sorted(one.z - one.elevation for one in block.levels)
    usual = shifts[len(shifts) // 2]
    return [one for one in block.levels if abs(one.z - one.elevation - usual) > 0.1]


def read_structure(file: Any, scale: float) -> list[Block]:
    """Buildings with levels and products; what hangs on no building is in a block of id 0.

    Args:
        file: ``ifcopenshell.file``.
        scale: metres per unit of length.
    """
    parents = _parents(file)
    blocks = {one.id(): _block(one, scale) for one in of_class(file, "IfcBuilding")}
    nowhere = Block(0, "", "", 0.0)
    levels: dict[int, Level] = {}
    for storey in of_class(file, "IfcBuildingStorey"):
        above = next((one for one in _ancestors(storey, parents) if one.id() in blocks), None)
        levels[storey.id()] = _level(storey, scale, above.id() if above is not None else 0)
    _trust_elevations(list(levels.values()), scale)
    for product in _products(file, parents, levels, blocks):
        (blocks.get(product.building or 0) or nowhere).products.append(product)
        if product.level is not None:
            levels[product.level].products.append(product)
    for level in levels.values():
        (blocks.get(level.building) or nowhere).levels.append(level)
    kept = [one for one in blocks.values() if one.levels or one.products]
    if len(kept) == 1 and nowhere.products and not any(one.part is Part.WALL for one in kept[0].products):
        kept[0].products += nowhere.products  # a file that hangs its walls on the site or on nothing
        nowhere.products = []
    if nowhere.levels or (nowhere.products and not kept):
        kept.append(nowhere)
    for block in kept:
        block.levels.sort(key=lambda level: (level.z, level.id))
        block.products.sort(key=lambda product: product.id)
    _name_apart(kept)
    return kept


def _parents(file: Any) -> dict[int, Any]:
    """Instance id → what it is part of or stands in."""
    found: dict[int, Any] = {}
    for name, whole, parts in (
        ("IfcRelFillsElement", "RelatingOpeningElement", "RelatedBuildingElement"),
        ("IfcRelVoidsElement", "RelatingBuildingElement", "RelatedOpeningElement"),
        ("IfcRelNests", "RelatingObject", "RelatedObjects"),
        ("IfcRelContainedInSpatialStructure", "RelatingStructure", "RelatedElements"),
        ("IfcRelAggregates", "RelatingObject", "RelatedObjects"),
    ):
        for relation in of_class(file, name):
            owner, members = get(relation, whole), get(relation, parts)
            if owner is None or members is None:
                continue
            for one in members if isinstance(members, tuple) else (members,):
                if one is not None:
                    found[one.id()] = owner
    return found


def _ancestors(entity: Any, parents: dict[int, Any]) -> Iterator[Any]:
    seen = {entity.id()}
    while (entity := parents.get(entity.id())) is not None and entity.id() not in seen:
        seen.add(entity.id())
        yield entity


def _products(
    file: Any, parents: dict[int, Any], levels: dict[int, Level], blocks: dict[int, Block]
) -> Iterator[Product]:
    seen: set[int] = set()
    for name, own in _CLASSES:
        for entity in of_class(file, name):
            if entity.id() in seen:
                continue
            seen.add(entity.id())
            chain = list(_ancestors(entity, parents))
            host = next((one for one in chain if _is(one, "IfcWall", "IfcCurtainWall", "IfcRoof", "IfcSlab")), None)
            part = own
            if host is not None and own in (Part.FILLING, None) and not _is(entity, "IfcDoor", "IfcWindow"):
                if own is None and get(host, "Representation") is not None:
                    continue  # layers of a wall that has a body of its own
                part = Part.WALL if _is(host, "IfcWall", "IfcCurtainWall") else Part.FLOOR
            if part is None or get(entity, "PredefinedType") == "LANDING":
                continue
            level = next((one.id() for one in chain if one.id() in levels), None)
            building = next((one.id() for one in chain if one.id() in blocks), None)
            yield Product(
                entity.id(),
                str(get(entity, "GlobalId") or f"#{entity.id()}"),
                str(entity.is_a()),
                str(get(entity, "LongName") or get(entity, "Name") or ""),
                part,
                level,
                building,
                roof=_is(entity, "IfcRoof") or get(entity, "PredefinedType") == "ROOF" or _is(host, "IfcRoof"),
                outside="EXTERNAL" in (get(entity, "InteriorOrExteriorSpace"), get(entity, "PredefinedType")),
            )


def _is(entity: Any, *names: str) -> bool:
    return entity is not None and any(entity.is_a(name) for name in names)


def _block(building: Any, scale: float) -> Block:
    terrain, reference = get(building, "ElevationOfTerrain"), get(building, "ElevationOfRefHeight")
    # Both zero is what programs write that were told nothing.
    stated = terrain is not None and (terrain or reference)
    return Block(
        building.id(),
        str(get(building, "GlobalId") or f"#{building.id()}"),
        str(get(building, "LongName") or get(building, "Name") or "").strip(),
        base=_height(building, scale) or 0.0,
        terrain=(float(terrain) - float(reference or 0.0)) * scale if stated else None,
    )


def _level(storey: Any, scale: float, building: int) -> Level:
    z, stated = _height(storey, scale), get(storey, "Elevation")
    elevation = float(stated) * scale if stated is not None else None
    floor = z if z is not None else elevation if elevation is not None else 0.0
    return Level(
        storey.id(),
        str(get(storey, "GlobalId") or f"#{storey.id()}"),
        str(get(storey, "Name") or get(storey, "LongName") or "").strip(),
        floor,
        floor if elevation is None else elevation,
        building,
    )


def _trust_elevations(levels: list[Level], scale: float) -> None:
    """Where all storeys were placed at one height, the stated elevations tell them apart."""
    if len({round(one.z, 3) for one in levels}) == 1 and len({round(one.elevation, 3) for one in levels}) > 1:
        for level in levels:
            level.z += level.elevation


def _height(entity: Any, scale: float) -> float | None:
    """Height of a thing's placement, m; None where it has none."""
    from ifcopenshell.util.placement import get_local_placement

    placement = get(entity, "ObjectPlacement")
    if placement is None:
        return None
    try:
        return float(get_local_placement(placement)[2][3]) * scale
    except (RecursionError, RuntimeError, AttributeError, TypeError, ValueError):
        return None


def _name_apart(blocks: list[Block]) -> None:
    taken: set[str] = set()
    for number, block in enumerate(blocks, 1):
        name = block.name or str(number)
        while name in taken:
            name = f"{name} ({number})"
        block.name = name
        taken.add(name)
