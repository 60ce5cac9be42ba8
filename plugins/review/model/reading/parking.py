"""Parking places: one for each closed outline of a place's size, one for each block that shows one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity, Note
from plugins.review.model.reading.chains import Piece, walls
from plugins.review.model.reading.labels import plain
from plugins.review.model.reading.ledger import GAP, Ledger
from plugins.review.model.reading.outlines import Item, OpenLine, Outline, read_outlines
from plugins.review.model.reading.overlaps import drop_duplicates
from plugins.review.model.reading.types import Element, Role

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.reading.convention import Convention

#: From a place of a mechanical garage (2.2 × 4.0) to a coach's (4 × 14), m²; JGJ 100 gives 12 to 13 for cars.
_PLACE = (7.0, 60.0)
_BICYCLE = "bicycle"
_NUMBER = re.compile(r"(\d{1,4})\s*(?:个|辆|位|泊位|车位|(?i:spaces|cars|lots|places)\b)")


def read_parking(
    items: Sequence[Item],
    everything: Sequence[Entity],
    site: Sequence[BaseGeometry],
    convention: Convention,
    ledger: Ledger,
) -> tuple[list[Element], list[Note]]:
    """Places for cars, and notes on what on those layers is none.

    Args:
        items: entities on parking layers; everything: all visible entities (parts of blocks may be on other layers).
        site: site outlines in local metres. Places on the ground outside them (a sample in the legend, a diagram) don't
            count if there are any inside.

    Returns:
        An element for each place, and one for each lot with the number that is written in it as its ``value``.
    """
    items = [item for item in items if item[1].kind != _BICYCLE]
    inserts = [
        (entity, match)
        for entity, match in items
        if entity.kind == "INSERT" and convention.kind_of(Role.PARKING, entity.text.upper()) != _BICYCLE
    ]
    cars = {entity.handle for entity, _ in inserts}
    bicycles = tuple(f"{e.handle}/" for e, _ in items if e.kind == "INSERT" and e.handle not in cars)
    shapes = [item for item in items if not item[0].handle.startswith(bicycles)] if bicycles else items
    outlines, loose = read_outlines(shapes, ledger, faces=True, lines_count=True)
    outlines += _divided(outlines, loose, ledger)
    outlines = drop_duplicates(outlines, ledger, lambda one: one.match.floor)
    places, lots, small = _by_size(outlines)
    places += _blocks(inserts, places, everything, ledger)
    places, outside = _on_site(places, site)
    stated, lots = _stated(lots, everything, ledger)
    notes: list[Note] = []
    for code, those in (("small", small), ("lots", lots), ("outside", outside)):
        if those:
            handles = ", ".join(one.handles[0] for one in those[:6])
            notes.append((f"review.parking_{code}", {"count": len(those), "handles": handles}))
    return [_element(one) for one in sorted(places, key=lambda one: ledger.rank(one.handles[0]))] + stated, notes


def _element(one: Outline, value: float | None = None, text: str = "") -> Element:
    return Element(
        Role.PARKING, one.geometry, one.handles, one.layer, floor=one.match.floor, floors=one.match.floors,
        kind=one.match.kind, value=value, measured=value is None, text=text,
    )  # fmt: skip


def _on_site(places: list[Outline], site: Sequence[BaseGeometry]) -> tuple[list[Outline], list[Outline]]:
    """Places that count, and those on the ground that lie outside the site while others lie inside."""
    ground = [one for one in places if one.match.floor is None]
    if not site or not ground:
        return places, []
    middles = shapely.centroid(np.array([one.geometry for one in ground], dtype=object))
    inside = shapely.intersects(shapely.union_all(list(site)), middles)
    if not inside.any():
        return places, []
    outside = [one for one, there in zip(ground, inside.tolist(), strict=True) if not there]
    gone = {id(one) for one in outside}
    return [one for one in places if id(one) not in gone], outside


def _stated(
    lots: Sequence[Outline], everything: Sequence[Entity], ledger: Ledger
) -> tuple[list[Element], list[Outline]]:
    """Lots in which a number of places is written (``50辆``), and the other ones."""
    if not lots:
        return [], []
    said = []
    for entity in everything:
        found = _NUMBER.search(plain(entity.text)) if entity.text and len(entity.points) else None
        if found:
            said.append((entity, float(found[1]), shapely.Point(ledger.frame.local(entity.points[0]))))
    stated: list[Element] = []
    others: list[Outline] = []
    for lot in lots:
        inside = [(entity, number) for entity, number, place in said if lot.geometry.contains(place)]
        if len(inside) == 1:
            stated.append(_element(lot, inside[0][1], plain(inside[0][0].text)))
        else:
            others.append(lot)
    return stated, others


def _divided(outlines: Sequence[Outline], loose: Sequence[OpenLine], ledger: Ledger) -> list[Outline]:
    """Places of rows that are drawn as one outline with lines across."""
    rows = [one for one in outlines if one.geometry.area > _PLACE[1] and one.geometry.geom_type == "Polygon"]
    made: list[Outline] = []
    for layer in sorted({one.layer for one in rows}):
        across = [one for one in loose if one.layer == layer]
        if not across:
            continue
        match = across[0].match
        edges = [one.geometry.exterior for one in rows if one.layer == layer]
        names = [one.handles[0] for one in rows if one.layer == layer]
        pieces = [Piece(shapely.get_coordinates(one.geometry), one.handles[0], layer) for one in across]
        pieces += [Piece(shapely.get_coordinates(edge), name, layer) for edge, name in zip(edges, names, strict=True)]
        faces = [
            (face, handles)
            for face, handles in walls(pieces, GAP, faces=True)
            if _PLACE[0] <= face.area <= _PLACE[1] and len(handles) > 1
        ]
        used = [handle for _, handles in faces for handle in handles]
        if faces and ledger.enter("joined", used, layer, None, pieces=len(set(used)), gap_m=0.0):
            made += [Outline(face, handles, layer, match) for face, handles in faces]
    return made


def _by_size(outlines: Sequence[Outline]) -> tuple[list[Outline], list[Outline], list[Outline]]:
    """(places, what is too large and holds no places, what is too small and lies in no place)."""
    if not outlines:
        return [], [], []
    shapes = np.array([one.geometry for one in outlines], dtype=object)
    areas = shapely.area(shapes)
    fits = (areas >= _PLACE[0]) & (areas <= _PLACE[1])
    tree = shapely.STRtree(shapes)
    dots = shapely.point_on_surface(shapes)
    inner, outer = tree.query(dots, predicate="within")
    larger = (areas[outer] > areas[inner] * 1.05) & np.array(
        [outlines[a].match.floor == outlines[b].match.floor for a, b in zip(inner, outer, strict=True)], dtype=bool
    )
    inside_place = np.zeros(len(outlines), dtype=bool)
    inside_place[inner[larger & fits[outer]]] = True
    holds = np.zeros(len(outlines), dtype=bool)
    holds[outer[larger & fits[inner]]] = True
    places = [outlines[k] for k in np.flatnonzero(fits & ~inside_place).tolist()]
    lots = [outlines[k] for k in np.flatnonzero((areas > _PLACE[1]) & ~holds).tolist()]
    small = [outlines[k] for k in np.flatnonzero((areas < _PLACE[0]) & ~inside_place).tolist()]
    return places, lots, small


def _blocks(
    inserts: Sequence[Item], places: Sequence[Outline], everything: Sequence[Entity], ledger: Ledger
) -> list[Outline]:
    """Blocks on parking layers in which no outline of a place was found and that hold no other such block: one each."""
    if not inserts:
        return []
    covered = {prefix for one in places for handle in one.handles for prefix in _above(handle)}
    nested = {prefix for entity, _ in inserts for prefix in _above(entity.handle)}
    single = {entity.handle: match for entity, match in inserts if entity.handle not in covered | nested}
    at = {entity.handle: entity for entity, _ in inserts}
    parts: dict[str, list[Entity]] = defaultdict(list)
    for entity in everything:
        for prefix in _above(entity.handle):
            if prefix in single:
                parts[prefix].append(entity)
    made = []
    for handle, match in single.items():
        points = [p for part in parts[handle] for p in (part.points, *part.rings) if len(p) and not part.text]
        xy = ledger.frame.local(np.concatenate(points)) if points else np.empty((0, 2))
        hull = (
            shapely.MultiPoint(xy).convex_hull if len(xy) else shapely.Point(ledger.frame.local(at[handle].points[0]))
        )
        made.append(Outline(hull if hull.area > 0 else hull.centroid, (handle,), at[handle].layer, match))
    return made


def _above(handle: str) -> list[str]:
    """Handles of the block references a part is in: ``A/B/C`` → ``A``, ``A/B``."""
    pieces = handle.split("/")
    return ["/".join(pieces[:k]) for k in range(1, len(pieces))]
