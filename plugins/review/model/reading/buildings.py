"""Buildings: which outline is whose, how high it is said or dimensioned to be, and which floors are whose."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity, Note
from plugins.review.model.reading.labels import Label, assign, building_key, plain, read_height, read_label
from plugins.review.model.reading.ledger import SLIVER, Ledger
from plugins.review.model.reading.matching import LayerMatch
from plugins.review.model.reading.outlines import Item, Outline, cut
from plugins.review.model.reading.types import Element, Role

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.reading.convention import Convention

#: A dimension or a balcony without a name belongs to the nearest building within this distance, m.
_NEAR = 40.0
_TOUCHES = 0.5


@dataclass(slots=True)
class Buildings:
    """The buildings of a site plan, in local metres: one entry for each outline.

    Attributes:
        names: how each is called, "" if nobody says; labels: what texts say of it.
    """

    outlines: list[Outline]
    names: list[str] = field(default_factory=list)
    labels: dict[int, list[Label]] = field(default_factory=lambda: defaultdict(list))
    _spelled: dict[str, str] = field(default_factory=dict)

    def name_like(self, name: str) -> str:
        """A name as the footprints have it (``1号楼`` where a layer says ``1#``), else itself."""
        if not self._spelled:
            self._spelled = {building_key(mine): mine for mine in reversed(self.names) if mine}
        return self._spelled.get(building_key(name), name)

    def near(self, geometry: BaseGeometry, distance: float) -> str:
        """Name of the building nearest to something, "" beyond the distance."""
        if not self.outlines:
            return ""
        away = shapely.distance(np.array([one.geometry for one in self.outlines], dtype=object), geometry)
        nearest = int(np.argmin(away))
        return self.names[nearest] if away[nearest] <= distance else ""

    def around(self, geometry: BaseGeometry) -> str:
        """Name of the building a floor area lies on most, "" if on none."""
        shapes = np.array([one.geometry for one in self.outlines], dtype=object)
        hits = shapely.STRtree(shapes).query(geometry, predicate="intersects") if len(shapes) else []
        shared = {self.names[k]: 0.0 for k in hits}
        for k in hits:
            shared[self.names[k]] += float(shapely.intersection(shapes[k], geometry).area)
        best = max(shared, key=lambda name: shared[name], default="")
        return best if shared.get(best, 0.0) > SLIVER else ""


def read_buildings(
    outlines: list[Outline], texts: Sequence[Entity], convention: Convention, ledger: Ledger
) -> Buildings:
    """Names and labels of the footprints. A name on the layer counts before one in a text."""
    buildings = Buildings(outlines, [one.match.building for one in outlines])
    shapes = [one.geometry for one in outlines]
    labels = [label for label in _labels(texts, shapes, convention, ledger) if label.name or label.telling]
    for label, k in zip(labels, assign(labels, shapes, buildings.names, ledger.frame), strict=True):
        if k is not None:
            buildings.labels[k].append(label)
    # One name for one building, however its layers and texts spell it; the first outline's spelling.
    for k, name in enumerate(buildings.names):
        if not name:
            said = [label.name for label in buildings.labels[k] if label.name]
            name = Counter(said).most_common(1)[0][0] if said else ""
        buildings.names[k] = name
    spelled: dict[str, str] = {}
    for k, name in enumerate(buildings.names):
        if name:
            buildings.names[k] = spelled.setdefault(building_key(name), name)
    return buildings


def _labels(
    texts: Sequence[Entity], shapes: Sequence[BaseGeometry], convention: Convention, ledger: Ledger
) -> list[Label]:
    """Labels worth reading: texts in or near an outline, and those with a number of storeys or a height anywhere."""
    placed = sorted((one for one in texts if len(one.points)), key=lambda one: ledger.rank(one.handle))
    if not placed or not shapes:
        return []
    dots = shapely.points(ledger.frame.local(np.array([one.points[0] for one in placed])))
    near = set(shapely.STRtree(shapes).query(dots, predicate="dwithin", distance=10.0)[0].tolist())
    telling = re.compile(r"[HhＨ]\s*[=:：＝]|高|\d\s*[FfＦ层]|[Hh]eight|stor(?:e?y|ies)")
    return [
        read_label(one, convention)
        for k, one in enumerate(placed)
        if len(one.text) < 200 and (k in near or telling.search(one.text))
    ]


def footprints(buildings: Buildings, deducts: Sequence[Outline], ledger: Ledger) -> tuple[list[Element], list[Note]]:
    """Footprints without what is to be deducted from them (eDCR's COVERED_AREA_DEDUCT)."""
    elements, notes = [], []
    for k, outline in enumerate(buildings.outlines):
        geometry, handles = outline.geometry, outline.handles
        for deduct in deducts:
            if deduct.match.building and building_key(deduct.match.building) != building_key(buildings.names[k]):
                continue
            shared = float(shapely.intersection(geometry, deduct.geometry).area)
            if shared > SLIVER:
                geometry, handles = (
                    cut(geometry, deduct.geometry),
                    (*handles, *deduct.handles),
                )
                notes.append(("review.footprint_deducted", {"handle": deduct.handles[0], "area_m2": shared}))
        labels = buildings.labels.get(k, [])
        elements.append(
            Element(
                Role.FOOTPRINT,
                geometry,
                handles,
                outline.layer,
                building=buildings.names[k],
                kind=outline.match.kind,
                storeys=max((label.storeys for label in labels if label.storeys), default=None),
                storeys_below=max((label.storeys_below for label in labels if label.storeys_below), default=None),
                text="; ".join(sorted({plain(label.entity.text) for label in labels if label.telling})),
            )
        )
    whole = [one.geometry for one in buildings.outlines]
    for deduct in deducts:
        outside = float(shapely.difference(deduct.geometry, shapely.union_all(whole)).area)
        if outside > SLIVER:
            notes.append(("review.deduct_outside", {"handle": deduct.handles[0], "area_m2": outside}))
    return elements, notes


def height_dimensions(entities: Sequence[Entity], known: Sequence[Item], convention: Convention) -> list[Item]:
    """Dimensions on other layers whose lettering says that they are a building's height (``H=54.30``)."""
    taken = {entity.handle for entity, _ in known}
    found = []
    for entity in entities:
        if entity.kind == "DIMENSION" and entity.text and entity.handle not in taken:
            words, patterns = plain(entity.text), convention.patterns
            if any(one.search(words) for one in patterns.get("height_dimension", ())) and not any(
                one.search(words) for one in patterns.get("not_height", ())
            ):
                found.append((entity, LayerMatch(Role.HEIGHT)))
    return found


def heights(
    items: Sequence[Item], buildings: Buildings, convention: Convention, ledger: Ledger
) -> tuple[list[Element], list[Note]]:
    """Heights: dimensions on the layers for them are measured, texts there and H= texts at buildings are declared."""
    elements: list[Element] = []
    notes: list[Note] = []
    for entity, match in sorted(items, key=lambda item: ledger.rank(item[0].handle)):
        if not len(entity.points):
            continue
        place, words = ledger.frame.local(entity.points), plain(entity.text)
        where = shapely.LineString(place) if np.ptp(place, axis=0).any() else shapely.Point(place[0])
        measured = entity.kind == "DIMENSION"
        if measured:
            value = None if entity.value is None else entity.value * ledger.frame.metres_per_unit
            notes += _overridden(entity, words, value)
        else:
            bare = re.fullmatch(r"[▽▼+±]?\s*(\d+(?:\.\d+)?)\s*(?:m|米)?", words)
            value = float(bare[1]) if bare else read_height(words, convention)
        if value is None or value <= 0:
            continue
        name = buildings.name_like(match.building) if match.building else buildings.near(where, _NEAR)
        elements.append(_height(entity, where, name, value, measured=measured, kind=match.kind))
    taken = {handle for element in elements for handle in element.handles}
    for k in sorted(buildings.labels):
        for label in buildings.labels[k]:
            if label.height is not None and label.entity.handle not in taken:
                where = shapely.Point(ledger.frame.local(label.entity.points[0]))
                elements.append(_height(label.entity, where, buildings.names[k], label.height, measured=False))
    return elements, notes


def _height(entity: Entity, where: BaseGeometry, name: str, value: float, *, measured: bool, kind: str = "") -> Element:
    return Element(
        Role.HEIGHT, where, (entity.handle,), entity.layer, building=name, kind=kind, value=value, measured=measured,
        text=plain(entity.text),
    )  # fmt: skip


def _overridden(entity: Entity, words: str, value: float | None) -> list[Note]:
    """A dimension whose lettering says something else than it measures (a number in mm is the same number)."""
    said = re.search(r"\d+(?:\.\d+)?", words)
    if said is None or value is None or min(abs(float(said[0]) / scale - value) for scale in (1, 1000)) <= 0.05:
        return []
    return [("review.height_overridden", {"handle": entity.handle, "text": words, "measured_m": value})]


def floor_areas(
    outlines: Sequence[Outline], texts: Sequence[Item], buildings: Buildings, convention: Convention
) -> list[Element]:
    """Floor areas with their building; a plan that stands for several floors (typical floor) counts for all of them."""
    alike = _typical(texts, convention)
    drawn = {(one.match.building, one.match.floor) for one in outlines if one.match.kind != "deduct"}
    elements = []
    for one in outlines:
        match = one.match
        others = alike.get((match.building, match.floor), set())
        floors = match.floors + sum((match.building, floor) not in drawn for floor in others)
        name = buildings.name_like(match.building) if match.building else buildings.around(one.geometry)
        elements.append(
            Element(
                Role.FLOOR_AREA, one.geometry, one.handles, one.layer, building=name, floor=match.floor, floors=floors,
                coefficient=match.coefficient, counts_far=match.counts_far, kind=match.kind,
            )
        )  # fmt: skip
    return elements


def _typical(texts: Sequence[Item], convention: Convention) -> dict[tuple[str, int | None], set[int]]:
    """(building, floor) → other floors that its plan stands for, from texts such as ``TYPICAL_FLOOR_PLAN=1,2``."""
    found: dict[tuple[str, int | None], set[int]] = defaultdict(set)
    for entity, layer in texts:
        for pattern in convention.patterns.get("typical_floors", ()):
            match = pattern.search(plain(entity.text))
            for piece in re.split(r"\s*[,&]\s*", match["value"]) if match else ():
                ends = [int(n) for n in re.findall(r"(?<!\d)-?\d+|\d+", re.sub(r"\s*to\s*|(?<=\d)\s*-\s*", " ", piece))]
                levels = range(min(ends), max(ends) + 1) if ends else ()
                found[layer.building, layer.floor] |= {convention.floor_of(level) for level in levels} - {layer.floor}
    return found


def named(element: Element, buildings: Buildings) -> Element:
    """A balcony (or the like) with the building it touches."""
    name = buildings.name_like(element.building) if element.building else buildings.near(element.geometry, _TOUCHES)
    return replace(element, building=name)
