"""Indicators measured from the geometry of a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import shapely

from plugins.review.model.drawing.types import Drawing, Note
from plugins.review.model.indicators.buildings import Body, bodies, buildings_of, uses_by_name
from plugins.review.model.indicators.floor_area import FloorAreas, count_floors
from plugins.review.model.indicators.names import name_key
from plugins.review.model.indicators.rule_sets import AreaRules, CityRules, RuleSets, load_rule_sets
from plugins.review.model.indicators.setbacks import setbacks
from plugins.review.model.indicators.spacing import spacings
from plugins.review.model.indicators.storeys import elements_of
from plugins.review.model.indicators.types import KEYS, Building, Indicator, Indicators
from plugins.review.model.reading.types import Element, Role, SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

UNITS = {
    "site_area_m2": "m²", "footprint_m2": "m²", "gfa_m2": "m²", "far_area_m2": "m²", "far": "", "density": "%",
    "green_m2": "m²", "green_ratio": "%", "height_m": "m", "parking": "",
}  # fmt: skip
#: Green or floor area left out above this (m²) is told.
TOLD_M2 = 0.5


def measure(
    plan: SitePlan, drawing: Drawing | None = None, *, on: date, city: str = "", rule_sets: RuleSets | None = None
) -> Indicators:
    """Measure a site plan.

    Ratios are fractions. What cannot be measured is None with the reason in its notes, never 0.

    Args:
        plan: elements in metres.
        drawing: the drawing it was read from: storeys and buildings of an IFC model.
        on: the permit's day, which chooses the floor-area rules; city: whose rules hold ("" = as the drawing says).
        rule_sets: instead of those shipped (:func:`load_rule_sets` with a project adds its own).
    """
    sets = rule_sets or load_rule_sets()
    notes: list[Note] = []
    rules, town = sets.area_on(on), sets.city(city, on)
    if town is None:
        notes.append(("review.city_rules_missing", {"city": city, "date": on.isoformat()}))
        town = sets.city("", on) or CityRules("default")
    if rules is None:
        notes.append(("review.area_rules_missing", {"date": on.isoformat()}))
    if drawing is not None and drawing.storeys and not plan.of(Role.FLOOR_AREA, Role.FOOTPRINT):
        more, doubts = elements_of(drawing.storeys)
        plan = replace(plan, elements=(*plan.elements, *more))
        notes += doubts
    found, told = bodies(plan)
    floors = count_floors(plan.of(Role.FLOOR_AREA), rules, town, uses_by_name(plan, found))
    buildings, lost = buildings_of(plan, drawing, found, floors, town.outline)
    notes += [*told, *floors.notes, *lost]
    site = _site(plan)
    values = _areas(plan, site, found, floors, rules, town, buildings)
    green, by_kind = _green(plan, site.geometry, found, town)
    values |= {"green_m2": green, "height_m": _height(buildings), "parking": _parking(plan), "site_area_m2": site}
    for key, top in (("far", "far_area_m2"), ("density", "footprint_m2"), ("green_ratio", "green_m2")):
        values[key] = _ratio(key, values[top], site)
    return Indicators(
        values={key: values[key] for key in KEYS},
        buildings=tuple(buildings),
        setbacks=tuple(setbacks(site.geometry, plan, buildings)),
        spacings=tuple(spacings(buildings)),
        green_by_kind=by_kind,
        area_rules=rules.id if rules else "",
        far_rules=town.id,
        notes=tuple(notes),
    )


def _missing(key: str, code: str, **params: Any) -> Indicator:
    return Indicator(key, None, UNITS[key], notes=((code, params),))


def _handles(elements: Iterable[Element]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(handle for element in elements for handle in element.handles))


def _reason(plan: SitePlan, role: Role, code: str) -> tuple[str, dict[str, Any]]:
    """Why a role has no elements: no layer of it, or layers that hold nothing (then ``…_empty``)."""
    names = plan.roles.get(role.value, ())
    return (f"{code}_empty", {"layers": ", ".join(names)}) if names else (code, {})


def _site(plan: SitePlan) -> Indicator:
    elements = plan.of(Role.SITE)
    if not elements:
        code, params = _reason(plan, Role.SITE, "review.no_site")
        return _missing("site_area_m2", code, **params)
    shape = shapely.union_all([one.geometry for one in elements])
    return Indicator("site_area_m2", float(shape.area), "m²", _handles(elements), shape)


def _areas(
    plan: SitePlan,
    site: Indicator,
    found: Sequence[Body],
    floors: FloorAreas,
    rules: AreaRules | None,
    city: CityRules,
    buildings: Sequence[Building],
) -> dict[str, Indicator]:
    """Footprint, gross and FAR-counting floor area."""
    values: dict[str, Indicator] = {}
    if found:
        shape = shapely.union_all([body.geometry for body in found])
        apart = sum(body.area - float(body.geometry.area) for body in found)  # deductions drawn elsewhere
        handles = tuple(dict.fromkeys(handle for body in found for handle in body.handles))
        values["footprint_m2"] = Indicator("footprint_m2", float(shape.area) + apart, "m²", handles, shape)
    else:
        code, params = _reason(plan, Role.FOOTPRINT, "review.no_footprint")
        values["footprint_m2"] = _missing("footprint_m2", code, **params)
    if not floors.counted:
        code, params = _reason(plan, Role.FLOOR_AREA, "review.no_floor_area")
        return values | {key: _missing(key, code, **params) for key in ("gfa_m2", "far_area_m2")}
    short = _incomplete(buildings, floors)
    far_short = [*short, *(_height_missing(floors, city) if any(one.height_missing for one in floors.counted) else [])]
    gross = [one for one in floors.counted if one.coefficient]
    far = [one for one in gross if one.multiplier]
    values["gfa_m2"] = Indicator(
        "gfa_m2", sum(one.gross for one in gross), "m²", _handles(one.element for one in gross),
        _together(one.element.geometry for one in gross), rules.id if rules else "", tuple(short), bool(short),
        all(one.sure for one in floors.counted),
    )  # fmt: skip
    values["far_area_m2"] = Indicator(
        "far_area_m2", sum(one.far_counting for one in far), "m²", _handles(one.element for one in far),
        _together(one.element.geometry for one in far), city.title, tuple(far_short), bool(far_short),
        all(one.far_sure for one in floors.counted),
    )  # fmt: skip
    return values


def _incomplete(buildings: Sequence[Building], floors: FloorAreas) -> list[Note]:
    """Buildings without floor areas, or with fewer storeys drawn than a text states."""
    notes: list[Note] = []
    by_key = floors.by_building()
    nameless = "" in by_key
    for one in buildings:
        own = by_key.get(name_key(one.name), [])
        drawn = {
            floor
            for area in own
            if area.element.floor is not None and area.element.floor > 0
            for floor in range(area.element.floor, area.element.floor + area.element.floors)
        }
        if not own and not nameless:
            notes.append(("review.building_no_floors", {"building": one.name}))
        elif drawn and (missing := sorted(set(range(1, max(drawn | {one.stated_storeys or 0}) + 1)) - drawn)):
            params = {"building": one.name, "floors": _ranges(missing), "storeys": one.stated_storeys or max(drawn)}
            notes.append(("review.floors_missing", params))
    return notes


def _ranges(numbers: Sequence[int]) -> str:
    """1, 2, 3, 7 → ``1–3, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _height_missing(floors: FloorAreas, city: CityRules) -> list[Note]:
    count = sum(one.height_missing for one in floors.counted)
    return [("review.far_height_missing", {"count": count, "city": city.name})]


def _together(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """What the shapes cover, for the map."""
    covered: BaseGeometry = shapely.union_all(list(shapes))
    return covered


def _green(
    plan: SitePlan, site: BaseGeometry | None, found: Sequence[Body], city: CityRules
) -> tuple[Indicator, dict[str, float]]:
    """Green that counts: each place once, the better coefficient first; within the site and not under buildings.

    Green on a roof lies on a building; its coefficient is the city's.
    """
    elements = plan.of(Role.GREEN)
    if not elements:
        code, params = _reason(plan, Role.GREEN, "review.no_green")
        return _missing("green_m2", code, **params), {}
    kinds: dict[str, list[BaseGeometry]] = defaultdict(list)
    for element in elements:
        kinds[element.kind].append(element.geometry)
    built = shapely.union_all([body.geometry for body in found])
    taken: BaseGeometry = shapely.Polygon()
    counted: list[BaseGeometry] = []
    notes: list[Note] = []
    by_kind: dict[str, float] = {}
    total = outside = under = 0.0
    for kind in sorted(kinds, key=lambda one: -city.green_coefficient(one)):
        factor = city.green_coefficient(kind)
        shape = shapely.union_all(kinds[kind])
        within = shape if site is None else shapely.intersection(shape, site)
        outside += float(shape.area - within.area)
        free = within
        if "屋顶" not in kind and "roof" not in kind.casefold():
            free = shapely.difference(within, built)
            under += float(within.area - free.area)
        own = shapely.difference(free, taken)
        taken = shapely.union(taken, own)
        by_kind[kind] = float(own.area) * factor
        total += by_kind[kind]
        if factor:
            counted.append(own)
        if factor != 1.0:
            params = {"kind": kind, "area": float(own.area), "coefficient": factor}
            notes.append(("review.green_coefficient", params))
    for code, area in (("review.green_outside", outside), ("review.green_under_building", under)):
        if area > TOLD_M2:
            notes.append((code, {"area": area}))
    used = [element for element in elements if city.green_coefficient(element.kind)]
    return Indicator("green_m2", total, "m²", _handles(used), _together(counted), notes=tuple(notes)), by_kind


def _height(buildings: Sequence[Building]) -> Indicator:
    """The tallest building; partial where another's height is not known."""
    known = [one for one in buildings if one.height_m is not None]
    if not known:
        return _missing("height_m", "review.no_height")
    tallest = max(known, key=lambda one: one.height_m or 0.0)
    notes: list[Note] = []
    if unknown := [one.name for one in buildings if one.height_m is None]:
        notes.append(("review.heights_missing", {"buildings": ", ".join(unknown)}))
    if stated := [one.name for one in known if one.height_source == "text"]:
        notes.append(("review.height_from_text", {"buildings": ", ".join(stated)}))
    return Indicator(
        "height_m", tallest.height_m, "m", tallest.handles, tallest.geometry, tallest.height_source, tuple(notes),
        bool(unknown),
    )  # fmt: skip


def _parking(plan: SitePlan) -> Indicator:
    """Places for cars drawn; an element that states a number stands for that many. A lot's outline is no place."""
    drawn = plan.of(Role.PARKING)
    elements = [one for one in drawn if one.kind not in ("area", "bicycle")]
    if drawn and not elements:
        return _missing("parking", "review.parking_no_places")
    if not elements:
        code, params = _reason(plan, Role.PARKING, "review.no_parking")
        return _missing("parking", code, **params)
    count = sum((1.0 if one.value is None else one.value) * one.floors for one in elements)
    stated = sum(one.value is not None for one in elements)
    notes: tuple[Note, ...] = (("review.parking_stated", {"count": stated}),) if stated else ()
    shape = _together(one.geometry for one in elements)
    return Indicator("parking", count, "", _handles(elements), shape, notes=notes)


def _ratio(key: str, top: Indicator, site: Indicator) -> Indicator:
    """An area over the site's; None with the reason of whichever is missing."""
    if top.value is None or site.value is None or site.value <= 0:
        missing = top if top.value is None else site
        return Indicator(key, None, UNITS[key], notes=missing.notes)
    return replace(top, key=key, value=top.value / site.value, unit=UNITS[key])
