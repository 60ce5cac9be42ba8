"""IFC files (IFC2x3, IFC4, IFC4x3): storeys with their envelopes, buildings, georeference, plan outlines of products.

Units become metres for storeys and stay the file's own for entities. Runs inside the child process of ``intake``.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import Drawing, DrawingFormat, DrawingLayer, Entity, IfcBuilding, Note, Storey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.drawing.ifc_solids import Solid
    from plugins.review.model.drawing.ifc_storeys import Floor
    from plugins.review.model.drawing.ifc_structure import Block, Part, Product

#: Most time for geometry, s. What is not reached by then is named in a note.
GEOMETRY_SECONDS = 75.0
#: Most entities for the sheet view; doors, windows and columns are left out first.
MOST_ENTITIES = 60_000

_COLOURS = {
    "IfcBuildingStorey": "#b91c1c", "IfcSpace": "#93c5fd", "IfcSlab": "#a8a29e", "IfcRoof": "#a8a29e",
    "IfcDoor": "#c2410c", "IfcWindow": "#0e7490",
}  # fmt: skip
#: What lies is drawn under what stands.
_ORDER = {"floor": 0, "space": 1}


def read_ifc(path: Path, *, seconds: float = GEOMETRY_SECONDS) -> Drawing:
    """Read an IFC file.

    Args:
        seconds: most time for geometry.

    Raises:
        PlannerError: ``review.ifc_unreadable``, ``review.ifc_schema``, ``review.ifc_truncated``,
            ``review.ifc_empty``, ``review.ifc_cyclic``, ``review.ifc_too_large``.
    """
    from plugins.review.model.drawing.ifc_georeference import read_georeference
    from plugins.review.model.drawing.ifc_solids import triangulate
    from plugins.review.model.drawing.ifc_storeys import read_building
    from plugins.review.model.drawing.ifc_structure import Part, cyclic_placement, of_class, read_structure

    sha256 = _check(path)
    file, notes = _open(path)
    if not of_class(file, "IfcProduct"):
        raise PlannerError("review.ifc_empty", file=path.name)
    if circle := cyclic_placement(file):
        raise PlannerError("review.ifc_cyclic", file=path.name, entity=circle)
    scale, stated = _units(file)
    blocks = read_structure(file, scale)
    if stated is None:
        guess = _guess_units(blocks)
        notes.append(("review.ifc_no_units", {"metres": guess}))
        if guess != scale:
            scale, blocks = guess, read_structure(file, guess)
    factor = scale if stated is None else 1.0  # geometry comes in metres where the file says its units
    until = time.monotonic() + seconds
    solids: dict[int, Solid] = {}
    missing: dict[Part, int] = {}
    products = [one for block in blocks for one in block.products]
    wall_less = any(not any(one.part is Part.WALL for one in block.products) for block in blocks)
    for part in Part:
        if part is Part.PROXY and not wall_less:
            continue
        wanted = [file.by_id(one.id) for one in products if one.part is part]
        found, late = triangulate(file, wanted, until, factor)
        solids |= found
        if late:
            missing[part] = late
            notes.append(("review.ifc_time", {"part": part.value, "count": late, "seconds": round(seconds)}))
    lost = Counter(
        one.kind
        for one in products
        if one.id not in solids and one.part in (Part.WALL, Part.FLOOR) and one.part not in missing
        if getattr(file.by_id(one.id), "Representation", None)
    )
    notes += [("review.ifc_no_geometry", {"kind": kind, "count": count}) for kind, count in sorted(lost.items())]
    terrain = [*of_class(file, "IfcSite"), *of_class(file, "IfcGeographicElement")]
    ground, _ = triangulate(file, terrain, until, factor)
    storeys: list[Storey] = []
    buildings: list[IfcBuilding] = []
    floors: list[tuple[Block, list[Floor]]] = []
    for block in blocks:
        judged, told, building, said = read_building(block, solids, frozenset(missing), ground)
        storeys += told
        notes += said
        floors.append((block, judged))
        if told:
            buildings.append(building)
    if not storeys:
        notes.append(("review.ifc_nothing_built", {}))
    entities, layers, left_out = _entities(floors, storeys, solids, scale)
    if left_out:
        notes.append(("review.ifc_entities", {"count": left_out, "most": MOST_ENTITIES}))
    georeference, place, said = read_georeference(file, scale)
    drawn = [entity for entity in entities if entity.visible]
    return Drawing(
        path.name,
        sha256,
        DrawingFormat.IFC,
        str(file.schema_identifier),
        entities,
        layers,
        metres_per_unit=stated,
        georeference=georeference,
        storeys=tuple(storeys),
        buildings=tuple(buildings),
        extent=_extent(drawn or list(entities)),
        properties=_properties(file) | place,
        notes=(*notes, *said),
    )


def _check(path: Path) -> str:
    """The file's hash; a file that breaks off is refused, for half a building has half the floor area."""
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as source:
        head = source.read(65536)
        source.seek(0)
        while block := source.read(1 << 20):
            digest.update(block)
        source.seek(max(0, size - 65536))
        tail = source.read()
    if b"ISO-10303-21" not in head[:1024]:
        raise PlannerError("review.ifc_unreadable", file=path.name, detail="ISO-10303-21?")
    if b"END-ISO-10303-21" not in tail and not tail.rstrip().endswith(b"ENDSEC;"):
        raise PlannerError("review.ifc_truncated", file=path.name, size=size)
    return digest.hexdigest()


def _open(path: Path) -> tuple[Any, list[Note]]:
    import ifcopenshell

    library: Any = ifcopenshell  # half typed
    library.get_log()  # what came before is of another file
    try:
        file = library.open(str(path), format=".ifc")
        file.schema_identifier  # noqa: B018 - raises where the header names none
    except ifcopenshell.SchemaError as error:
        raise PlannerError("review.ifc_schema", file=path.name, schema=str(error).rpartition(":")[2].strip()) from error
    except (ifcopenshell.Error, OSError, RuntimeError, ValueError) as error:
        raise PlannerError("review.ifc_unreadable", file=path.name, detail=str(error)[:200]) from error
    except MemoryError as error:
        raise PlannerError("review.ifc_too_large", file=path.name, size=path.stat().st_size) from error
    log = library.get_log()
    broken = set(re.findall(r"Instance reference (#\d+) used by .* not found", log))
    if not broken:
        return file, []
    first = ", ".join(sorted(broken, key=lambda one: int(one[1:]))[:5])
    return file, [("review.ifc_broken_references", {"count": len(broken), "first": first})]


def _units(file: Any) -> tuple[float, float | None]:
    """Metres per unit of length, and the same if the file states it."""
    from ifcopenshell.util.unit import calculate_unit_scale

    from plugins.review.model.drawing.ifc_structure import get, of_class

    for project in of_class(file, "IfcProject"):
        for unit in get(get(project, "UnitsInContext"), "Units") or ():
            if get(unit, "UnitType") == "LENGTHUNIT":
                try:
                    scale = float(calculate_unit_scale(file))
                except (RuntimeError, AttributeError, KeyError, TypeError, ValueError):
                    return 1.0, None
                if 1e-6 < scale < 1e4:
                    return scale, scale
    return 1.0, None


def _guess_units(blocks: list[Block]) -> float:
    """Storeys lie 2 to 8 m apart: millimetres, centimetres, feet or metres."""
    gaps = sorted(
        high.z - low.z
        for block in blocks
        for low, high in zip(block.levels, block.levels[1:], strict=False)
        if high.z > low.z
    )
    middle = gaps[len(gaps) // 2] if gaps else 3.0
    return next((unit for unit in (1.0, 0.001, 0.01, 0.3048) if 2.0 <= middle * unit <= 8.0), 1.0)


def _entities(
    floors: list[tuple[Block, list[Floor]]], storeys: list[Storey], solids: dict[int, Solid], scale: float
) -> tuple[tuple[Entity, ...], tuple[DrawingLayer, ...], int]:
    """Outlines of storeys, then of products: shown are the products of each building's ground storey."""
    by_guid = {storey.guid: storey for storey in storeys}
    found: list[Entity] = []
    minor: list[Entity] = []
    several = len(floors) > 1
    for block, judged in floors:
        real = [one for one in judged if not one.dropped and not by_guid[one.level.guid].below_ground]
        shown = real[0] if real else judged[0] if judged else None
        for floor in judged:
            level = floor.level
            layer = " · ".join(one for one in (block.name if several else "", level.name or level.guid) if one)
            for product in sorted(
                level.products, key=lambda one: (one.part.value != "floor", one.part.value != "space")
            ):
                shape = _shape(product, floor, solids)
                if shape is None:
                    continue
                kind = product.kind.removesuffix("StandardCase")
                into = found if product.part.value in ("wall", "floor", "space") else minor
                into += _outlines(
                    product.guid, kind, f"{layer} · {kind}", product.name, shape, level.z, scale, floor is shown
                )
            if not floor.area.is_empty:  # drawn over its products
                found += _outlines(
                    level.guid, "IfcBuildingStorey", layer, level.name, floor.area, level.z, scale, floor is shown
                )
    everything = found + minor
    kept = everything[:MOST_ENTITIES]
    count = Counter(entity.layer for entity in kept)
    visible = {entity.layer for entity in kept if entity.visible}
    colours = {entity.layer: entity.colour for entity in kept}
    layers = tuple(DrawingLayer(name, colours[name], name not in visible, number) for name, number in count.items())
    return tuple(kept), layers, len(everything) - len(kept)


def _shape(product: Product, floor: Floor, solids: dict[int, Solid]) -> BaseGeometry | None:
    """Cut of what stands, outline from above of what lies, and of what the cut misses."""
    solid = solids.get(product.id)
    if solid is None:
        return None
    cut = None if product.part.value == "floor" else floor.cuts.get(product.id)
    shape = cut if cut is not None else solid.plan()
    return None if shape.is_empty else shape


def _outlines(
    guid: str, kind: str, layer: str, text: str, shape: BaseGeometry, z: float, scale: float, visible: bool
) -> Iterator[Entity]:
    import numpy as np
    import shapely

    from plugins.review.model.drawing.ifc_solids import polygons_of

    rings = [
        _corners(shapely.get_coordinates(ring)[:-1]) / scale
        for part in polygons_of(shape)
        for ring in (part.exterior, *part.interiors)
    ]
    if not rings:
        return
    one = len(rings) == 1
    yield Entity(
        guid,
        kind,
        layer,
        rings[0] if one else np.empty((0, 2)),
        closed=one,
        rings=() if one else tuple(rings),
        text=text,
        colour=_COLOURS.get(kind, "#44403c"),
        width=0.5 if kind == "IfcBuildingStorey" else 0.0,
        z=z / scale,
        fingerprint=_fingerprint(kind, text, rings, scale),
        visible=visible or kind == "IfcBuildingStorey",
    )


def _corners(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """A ring's vertices without those on a straight line (10 µm), which the cut of triangles leaves behind."""
    import numpy as np

    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    chord, way = after - before, ring - before
    length = np.hypot(chord[:, 0], chord[:, 1])
    off = np.abs(chord[:, 0] * way[:, 1] - chord[:, 1] * way[:, 0]) / np.maximum(length, 1e-12)
    kept = ring[(off > 1e-5) | (length < 1e-9)]
    return kept if len(kept) > 2 else ring


def _fingerprint(kind: str, text: str, rings: Iterable[NDArray[np.float64]], scale: float) -> str:
    import numpy as np

    digest = hashlib.blake2b(f"{kind}\n{text}".encode(), digest_size=12)
    for ring in rings:
        places = np.round(ring * scale * 1e4).astype(np.int64)
        first = int(np.lexsort((places[:, 1], places[:, 0]))[0])  # the same outline from whichever corner
        digest.update(np.roll(places, -first, axis=0).tobytes())
    return digest.hexdigest()


def _extent(entities: list[Entity]) -> tuple[float, float, float, float] | None:
    import numpy as np

    parts = [one for entity in entities for one in (entity.points, *entity.rings) if len(one)]
    if not parts:
        return None
    points = np.concatenate(parts)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _properties(file: Any) -> dict[str, str]:
    from plugins.review.model.drawing.ifc_structure import get, of_class

    found: dict[str, str] = {"schema": str(file.schema_identifier)}
    for project in of_class(file, "IfcProject"):
        found["project"] = str(get(project, "LongName") or get(project, "Name") or "")
    for program in of_class(file, "IfcApplication"):
        found["program"] = f"{get(program, 'ApplicationFullName') or ''} {get(program, 'Version') or ''}".strip()
    written = get(get(file, "header"), "file_name")
    for key, value in (("author", get(written, "author") or ()), ("written", get(written, "time_stamp") or "")):
        found[key] = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return {key: value.strip() for key, value in found.items() if value.strip()}
