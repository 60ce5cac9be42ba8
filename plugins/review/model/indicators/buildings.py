"""Buildings of a site plan: footprint, height with its source, storeys, use, and the outline distances start from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely

from plugins.review.model.drawing.types import Drawing, Note
from plugins.review.model.indicators.edges import edges_of
from plugins.review.model.indicators.floor_area import FloorAreas
from plugins.review.model.indicators.names import name_key, storeys_in, use_in
from plugins.review.model.indicators.types import Building
from plugins.review.model.reading.types import Element, Role, SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: A part this near to a wall (m) stands on it.
TOUCHES = 0.05


@dataclass(slots=True)
class Body:
    """A building in the making: everything of one name, or one outline without a name."""

    name: str
    shapes: list[BaseGeometry] = field(default_factory=list)
    deducted: list[BaseGeometry] = field(default_factory=list)
    handles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    storeys: list[int] = field(default_factory=list)
    geometry: Any = None
    area: float = 0.0


def bodies(plan: SitePlan) -> tuple[list[Body], list[Note]]:
    """Footprints grouped into buildings, deductions taken off, in the order of the drawing.

    Outlines of one name are one building; those without a name are one building each where they do not touch.
    """
    named: dict[str, Body] = {}
    nameless = Body("")
    for element in plan.of(Role.FOOTPRINT):
        body = named.setdefault(name_key(element.building), Body(element.building)) if element.building else nameless
        (body.deducted if element.kind == "deduct" else body.shapes).append(element.geometry)
        body.handles += element.handles
        body.texts += [element.text, element.layer]
        body.storeys += [element.storeys] if element.storeys else []
    found = list(named.values()) + _apart(plan, nameless)
    notes: list[Note] = []
    for number, body in enumerate(found, start=1):
        body.name = body.name or f"({number})"
        whole = shapely.union_all(body.shapes)
        cut = shapely.union_all(body.deducted)
        body.geometry = shapely.difference(whole, cut)
        body.area = float(body.geometry.area)
        outside = float(cut.area - shapely.intersection(cut, whole).area)
        if outside > max(0.05 * float(cut.area), TOUCHES):  # drawn beside the footprint: what it says still holds
            body.area -= outside
            notes.append(("review.deduction_elsewhere", {"building": body.name, "area": outside}))
    return [body for body in found if body.shapes and not body.geometry.is_empty], notes


def _apart(plan: SitePlan, nameless: Body) -> list[Body]:
    """Buildings among outlines that have no name."""
    elements = [one for one in plan.of(Role.FOOTPRINT) if not one.building]
    if not nameless.shapes:
        return []
    solid = [one for one in elements if one.kind != "deduct"]
    inner = shapely.STRtree(shapely.point_on_surface([one.geometry for one in solid]))
    cuts = shapely.STRtree(nameless.deducted)
    made = []
    for part in shapely.get_parts(shapely.union_all(nameless.shapes)):
        mine = [solid[i] for i in sorted(inner.query(part, predicate="intersects"))]
        deducted = [nameless.deducted[i] for i in cuts.query(part, predicate="intersects")]
        handles = [handle for one in mine for handle in one.handles]
        texts = [text for one in mine for text in (one.text, one.layer)]
        made.append(Body("", [part], deducted, handles, texts, [one.storeys for one in mine if one.storeys]))
    return made


def buildings_of(
    plan: SitePlan, drawing: Drawing | None, found: Sequence[Body], floors: FloorAreas, outline: str
) -> tuple[list[Building], list[Note]]:
    """Finish the buildings.

    Args:
        found: from :func:`bodies`.
        outline: wall | projections | share, the city's policy for distances.

    Returns:
        The buildings and notes on heights that belong to none of them.
    """
    by_key = {name_key(body.name): body for body in found}
    tree = shapely.STRtree([body.geometry for body in found])
    heights: dict[str, list[Element]] = defaultdict(list)
    lost = 0
    for element in plan.of(Role.HEIGHT):
        if element.kind:  # a distance that limits heights, no height
            continue
        if owner := _owner(element, found, by_key, tree):
            heights[name_key(owner.name)].append(element)
        else:
            lost += 1
    per_building = floors.by_building()
    projections = _projections(plan, found) if outline != "wall" else {}
    made = []
    for body in found:
        key = name_key(body.name)
        own = per_building.get(key, []) if body.name or len(found) == 1 else []
        above = [one for one in own if not one.below]
        texts = [*body.texts, *(one.text for one in heights[key]), *(one.element.text for one in own)]
        height, source, stated = _height(heights[key], drawing, body.name)
        in_texts = [n for n in map(storeys_in, texts) if n is not None]
        stated_storeys = max(body.storeys or in_texts, default=None)
        tops = [one.element.floor + one.element.floors - 1 for one in above if one.element.floor]
        extra = projections.get(key, [])
        made.append(
            Building(
                name=body.name, geometry=body.geometry, footprint_m2=body.area,
                storeys=max(tops, default=stated_storeys), height_m=height, height_source=source,
                gfa_m2=sum(one.gross for one in own) if own else None,
                far_area_m2=sum(one.far_counting for one in own) if own else None, handles=tuple(body.handles),
                stated_height_m=stated, stated_storeys=stated_storeys, use=use_in(*texts),
                outline=_outline(body.geometry, extra, outline) if extra else body.geometry,
            )
        )  # fmt: skip
    return made, [("review.height_unassigned", {"count": lost})] if lost else []


def uses_by_name(plan: SitePlan, found: Iterable[Body]) -> dict[str, str]:
    """Use by key of a building's name, from every text that names it, for what a storey height counts."""
    texts: dict[str, list[str]] = defaultdict(list)
    for body in found:
        texts[name_key(body.name)] += body.texts
    for element in plan.of(Role.HEIGHT, Role.FLOOR_AREA, Role.BASEMENT):
        texts[name_key(element.building)] += [element.text, element.building]
    return {key: use_in(*words) for key, words in texts.items()}


def _owner(element: Element, found: Sequence[Body], by_key: dict[str, Body], tree: Any) -> Body | None:
    if len(found) == 1:
        return found[0]
    if element.building and (body := by_key.get(name_key(element.building))):
        return body
    hits = tree.query(element.geometry, predicate="intersects")
    return found[hits[0]] if len(hits) == 1 else None


def _height(elements: Sequence[Element], drawing: Drawing | None, name: str) -> tuple[float | None, str, float | None]:
    """(height in m, where it comes from, what a text says): the tallest dimension, the model, else the text."""
    measured = [one.value for one in elements if one.measured and one.value is not None]
    stated = max((one.value for one in elements if not one.measured and one.value is not None), default=None)
    if measured:
        return max(measured), "dimension", stated
    if drawing is not None:
        models = [one for one in drawing.buildings if one.height is not None]
        mine = [one for one in models if one.name == name] or (models if len(models) == 1 else [])
        if mine:
            return mine[0].height, "model", stated
    return stated, "text" if stated is not None else "", stated


def _projections(plan: SitePlan, found: Sequence[Body]) -> dict[str, list[BaseGeometry]]:
    """What stands out of each building's walls: balconies and floors drawn in place that reach beyond its footprint."""
    parts = [one for one in plan.of(Role.BALCONY, Role.FLOOR_AREA) if one.kind != "deduct" and (one.floor or 1) > 0]
    shapes: Any = [one.geometry for one in parts]
    if not shapes or not found:
        return {}
    tree = shapely.STRtree(shapes)
    out: dict[str, list[BaseGeometry]] = {}
    for body in found:
        near = tree.query(body.geometry, predicate="dwithin", distance=TOUCHES)
        key = name_key(body.name)
        mine = [shapes[i] for i in near if not parts[i].building or name_key(parts[i].building) == key]
        beyond = shapely.difference(shapely.union_all(mine), body.geometry) if mine else shapely.Polygon()
        out[key] = [part for part in shapely.get_parts(beyond) if part.area > TOUCHES]
    return out


def _outline(geometry: Any, projections: Sequence[BaseGeometry], policy: str) -> Any:
    """The outline distances are measured from; by ``share`` only projections of walls that carry enough of them."""
    counted = list(projections)
    if policy == "share":
        counted = []
        for edge in edges_of(geometry):
            strip = shapely.buffer(edge.geometry, 2 * TOUCHES, cap_style="flat")
            # What lies in the strip beside the wall, as long as it is there.
            on = [(one, shapely.intersection(strip, one).length / 2) for one in projections if strip.intersects(one)]
            lengths = [length for _, length in on]
            if lengths and (sum(lengths) > edge.geometry.length / 2 or max(lengths) > edge.geometry.length / 3):
                counted += [one for one, _ in on]
    return shapely.union_all([geometry, *counted])
