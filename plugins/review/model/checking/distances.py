"""Rule kinds on distances: setbacks edge by edge, what reaches over a line, spacing, basements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.checking.judging import area_of, cannot, compare, finding, one_shape, pieces, place, together
from plugins.review.model.checking.limits import NO_CONDITIONS, is_housing
from plugins.review.model.checking.types import Subject
from plugins.review.model.conditions.types import EdgeSetback
from plugins.review.model.indicators.edges import BEARINGS, edges_of
from plugins.review.model.indicators.floor_area import is_below
from plugins.review.model.indicators.names import name_key
from plugins.review.model.indicators.setbacks import beyond_all, build_to_area
from plugins.review.model.indicators.types import Building, Setback
from plugins.review.model.reading.types import Element, Role

#: Sides in both languages.
SIDES = {
    "N": ("north", "北侧"), "NE": ("north-east", "东北侧"), "E": ("east", "东侧"), "SE": ("south-east", "东南侧"),
    "S": ("south", "南侧"), "SW": ("south-west", "西南侧"), "W": ("west", "西侧"), "NW": ("north-west", "西北侧"),
    "road": ("road", "道路"), "": ("any", "各侧"),
}  # fmt: skip


def judge_setback(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.setback``: every building to every side against what the conditions demand of that side.

    A demand for a side (E) goes before one for every side; a demand for parts above a height is judged on those
    floors' outlines where they are drawn in place, else on the whole building; ``road`` is measured to road lines.
    """
    measured = [one for one in subject.indicators.setbacks if one.to == "site"]
    if not measured:
        return [cannot(rule, subject, _nothing(subject))]
    nearest = min(measured, key=lambda one: one.distance_m)
    demands = subject.conditions.setbacks if subject.conditions else ()
    if not demands:
        note = NO_CONDITIONS if subject.conditions is None else ("review.not_demanded", {})
        return [cannot(rule, subject, note, **_about(nearest), measured=nearest.distance_m, evidence=nearest.line)]
    found: list[Finding] = []
    tightest: tuple[float, Setback, float] | None = None
    towers = {one.name: one for one in subject.indicators.buildings}
    uppers = Uppers(subject)
    sides = [one for one in demands if one.side != "road"]
    pairs = [(one, _demands_on(one, sides, towers)) for one in measured]
    if any(one.side == "road" for one in demands):
        roads = _to_roads(subject)
        if not roads:
            found.append(cannot(rule, subject, ("review.setback.no_road_line", {}), side="road"))
        pairs += [(one, [demand for demand in demands if demand.side == "road"]) for one in roads]
    for setback, own in pairs:
        for demand in own:
            judged = _setback(rule, subject, setback, demand, towers[setback.building], uppers)
            if isinstance(judged, Finding):
                found.append(judged)
            elif judged is not None and (tightest is None or judged < tightest[0]):
                tightest = (judged, setback, demand.metres)
    if not found and tightest is not None:
        _, setback, limit = tightest
        texts = together(setback.distance_m, limit)
        found.append(
            finding(
                rule, subject, Verdict.PASS, "review.setback.kept", measured=setback.distance_m, limit=limit,
                evidence=setback.line, value=texts[0], permitted=texts[1], **_about(setback),
            )
        )  # fmt: skip
    return found or [cannot(rule, subject, ("review.setback.no_side", {}), **_about(nearest))]


def _nothing(subject: Subject) -> tuple[str, dict[str, Any]]:
    missing = subject.indicators.values["site_area_m2"]
    if missing.value is not None:
        missing = subject.indicators.values["footprint_m2"]
    return next(iter(missing.notes), ("review.not_measured", {}))


def _about(setback: Setback) -> dict[str, Any]:
    side, side_zh = SIDES[setback.bearing]
    return {
        "feature": f"{setback.building} {setback.bearing}{setback.edge}", "building": setback.building,
        "edge": setback.edge, "bearing": setback.bearing, "side": side, "side_zh": side_zh, "to": setback.to,
    }  # fmt: skip


def _demands_on(setback: Setback, demands: Sequence[EdgeSetback], towers: dict[str, Building]) -> list[EdgeSetback]:
    """What is demanded of an edge: that of its side, else that of every side; the widest for each height step."""
    azimuth = _azimuth(setback)
    mine = [one for one in demands if one.side and _faces(azimuth, one.side)]
    steps: dict[float, EdgeSetback] = {}
    for demand in [one for one in demands if not one.side] + mine:
        before = steps.get(demand.above_m)
        if before is None or (demand.side and not before.side) or (demand.side and demand.metres > before.metres):
            steps[demand.above_m] = demand
    height = towers[setback.building].height_m
    return [one for one in steps.values() if not one.above_m or height is None or height > one.above_m]


def _azimuth(setback: Setback) -> float:
    """Where an edge faces: the left of its line, clockwise from north."""
    from math import atan2, degrees

    xy = shapely.get_coordinates(setback.edge_geometry)
    dx, dy = xy[-1] - xy[0]
    if not dx and not dy:
        return BEARINGS.index(setback.bearing) * 45.0
    return (degrees(atan2(dx, dy)) - 90.0) % 360.0


def _faces(azimuth: float, side: str) -> bool:
    """True if an edge faces a side: within 45° of a cardinal one, within 22.5° of one between."""
    away = abs((azimuth - BEARINGS.index(side) * 45.0 + 180.0) % 360.0 - 180.0)
    return away <= (45.0 if len(side) == 1 else 22.5) + 1e-6


def _to_roads(subject: Subject) -> list[Setback]:
    """Distances to the drawing's road lines, else to those of the project's layers."""
    drawn = [one for one in subject.indicators.setbacks if one.to == "road_line"]
    lines = [shape for _, kind, shape in subject.surroundings.lines if kind == "road_line"]
    if drawn or not lines or subject.to_project is None:
        return drawn
    road = shapely.union_all(lines)
    found = []
    for building in subject.indicators.buildings:
        outline = place(subject, building.outline or building.geometry)
        line = shapely.shortest_line(outline, road)
        found.append(
            Setback(building.name, 0, "road", "road_layer", float(shapely.distance(outline, road)), road, line)
        )
    return found


def _setback(
    rule: Rule, subject: Subject, setback: Setback, demand: EdgeSetback, building: Building, uppers: Uppers
) -> Finding | float | None:
    """One building at one side against one demand: a finding, or what there is to spare (m) where it is clearly kept.

    None where a height step does not reach it.
    """
    distance, line = setback.distance_m, setback.line
    limit = demand.metres
    about = _about(setback) | {"limit": limit, "above": demand.above_m}
    if demand.above_m:
        if building.height_m is None:
            if distance >= limit:
                return None  # kept, however high it is
            note = ("review.setback.no_height", {"above_text": f"{demand.above_m:g}"})
            return cannot(rule, subject, note, **about, measured=distance, evidence=line)
        upper = uppers.above(building, demand.above_m)
        if upper is not None and distance >= 0:
            distance = float(shapely.distance(upper, setback.edge_geometry))
            line = shapely.shortest_line(upper, setback.edge_geometry)
    kept, near = compare(distance, limit, ">=", float(rule.params["tolerance"]), float(rule.params["noise_m"]))
    if kept and not near:
        return distance - limit
    texts = together(distance, limit)
    about |= {"measured": distance, "value": texts[0], "permitted": texts[1], "borderline": near}
    if setback.to == "road_layer":
        about["ground"] = line
    else:
        about["evidence"] = line
    if kept:
        return finding(rule, subject, Verdict.PASS, "review.setback.close", **about)
    code = "review.setback.over" if distance < 0 else "review.setback.short"
    stepped = "_above" if demand.above_m and distance >= 0 else ""
    about |= {"over": f"{-distance:,.2f}", "above_text": f"{demand.above_m:g}"}
    return finding(rule, subject, Verdict.FAIL, code + stepped, **about)


class Uppers:
    """Outlines of the floors of buildings above a height, each worked out once."""

    def __init__(self, subject: Subject) -> None:
        self._floors: dict[str, list[Element]] = defaultdict(list)
        for one in subject.plan.of(Role.FLOOR_AREA):
            if one.floor is not None and not is_below(one) and one.kind != "deduct":
                self._floors[name_key(one.building)].append(one)
        self._known: dict[tuple[str, float], Any] = {}

    def above(self, building: Building, height: float) -> Any:
        """The outline of a building's floors that reach above a height; None where they are not drawn in place."""
        key = building.name, height
        if key not in self._known:
            self._known[key] = self._outline(building, height)
        return self._known[key]

    def _outline(self, building: Building, height: float) -> Any:
        if not building.height_m or not building.storeys:
            return None
        per_floor = building.height_m / building.storeys
        shapes = []
        for one in self._floors.get(name_key(building.name), ()):
            if ((one.floor or 0) + one.floors - 1) * per_floor <= height + 1e-6:
                continue
            if shapely.area(shapely.intersection(one.geometry, building.geometry)) >= 0.5 * one.geometry.area:
                shapes.append(one.geometry)
            elif one.kind != "balcony" and one.coefficient in (None, 1.0):
                return None  # drawn elsewhere on the sheet
        return shapely.union_all(shapes) if shapes else None


def judge_encroachment(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.encroachment``: parts of buildings over a build-to line, a road line or the site's boundary."""
    site = subject.indicators.values["site_area_m2"].geometry
    line = rule.params["line"]
    area: Any = None
    lines: list[Any] = []
    if line == "build_to":
        area, lines = build_to_area(subject.plan)
    elif line == "site":
        area = site
    else:
        lines = [one.geometry for one in subject.plan.of(Role.ROAD_LINE)]
    if area is None and not lines:
        return [cannot(rule, subject, (f"review.encroachment.no_{line}", {}))]
    if not subject.indicators.buildings:
        return [cannot(rule, subject, _nothing(subject))]
    outlines: Any = np.array([one.outline or one.geometry for one in subject.indicators.buildings], dtype=object)
    overs = [shapely.difference(outlines, area)] if area is not None else []
    overs += [beyond_all(outlines, one, site) for one in lines]
    depths: dict[str, float] = defaultdict(float)
    for one in subject.indicators.setbacks:
        if one.to == line:
            depths[one.building] = max(depths[one.building], -one.distance_m)
    found: list[Finding] = []
    slivers = 0
    for building, over_each in zip(subject.indicators.buildings, shapely.union_all(overs, axis=0), strict=True):
        counted, dropped = pieces(over_each, rule)
        slivers += len(dropped)
        if not counted:
            continue
        over, shape = area_of(counted), one_shape(counted)
        found.append(
            finding(
                rule, subject, Verdict.FAIL, "review.encroachment.over", feature=building.name, measured=over,
                limit=0.0, evidence=shape, building=building.name, area=over, depth=depths[building.name],
            )
        )  # fmt: skip
    if found:
        return found
    code = "review.encroachment.sliver" if slivers else "review.encroachment.clear"
    return [finding(rule, subject, Verdict.PASS, code, measured=0.0, limit=0.0, borderline=slivers > 0, count=slivers)]


def judge_underground(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.underground``: the basement's outline within the site and as far from its boundary as demanded."""
    basements = subject.plan.of(Role.BASEMENT)
    if not basements:
        below = [one for one in subject.plan.of(Role.FLOOR_AREA) if is_below(one)]
        stated = subject.plan.declared.get("gfa_below_m2", 0.0) > 0
        deep = any(one.storeys_below for one in subject.plan.of(Role.FOOTPRINT))
        if below or stated or deep:
            return [cannot(rule, subject, ("review.underground.no_outline", {}))]
        return []
    site = subject.indicators.values["site_area_m2"].geometry
    if site is None:
        return [cannot(rule, subject, _nothing(subject))]
    outline = shapely.union_all([one.geometry for one in basements])
    over = shapely.difference(outline, site)
    edges = edges_of(site)
    border = shapely.union_all([edge.geometry for edge in edges])
    limit = float(rule.params["metres"])
    line = shapely.shortest_line(outline, border)
    distance = float(shapely.distance(outline, border))
    if over.area > 1e-6:
        points = shapely.points(shapely.get_coordinates(over))
        depths = shapely.distance(points, site)
        k = int(depths.argmax())
        distance, line = -float(depths[k]), shapely.shortest_line(border, points[k])
    kept, near = compare(distance, limit, ">=", float(rule.params["tolerance"]), float(rule.params["noise_m"]))
    texts = together(distance, limit)
    about: dict[str, Any] = {"measured": distance, "limit": limit, "value": texts[0], "permitted": texts[1]}
    if kept:
        return [finding(rule, subject, Verdict.PASS, "review.underground.within", borderline=near, **about)]
    code = "review.underground.over" if distance < 0 else "review.underground.close"
    evidence = over if distance < 0 else line
    about |= {"over": f"{-distance:,.2f}", "area": float(over.area)}
    return [finding(rule, subject, Verdict.FAIL, code, borderline=near, evidence=evidence, **about)]


# ---------------------------------------------------------------- spacing


def judge_fire(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.fire_separation``: every pair of buildings, and buildings to neighbours, by height class."""

    housing = is_housing(subject)

    def needed(a: Building, b: Building) -> tuple[float | None, float]:
        kinds = [_high(rule, housing, one) for one in (a, b)]
        assumed = int(rule.params["assumed_class"])
        if all(kinds):
            return float(rule.params["high_high"]), float(rule.params["reducible_high_from_m"])
        if None in kinds:
            return None, float(rule.params["reducible_from_m"])
        if any(kinds):
            return float(rule.params["high_low"][assumed]), float(rule.params["reducible_high_from_m"])
        return float(rule.params["low"][assumed][assumed]), float(rule.params["reducible_from_m"])

    most = float(rule.params["high_high"])
    least = float(rule.params["low"][0][0])
    return _spacing(rule, subject, needed, least, most)


def _high(rule: Rule, housing: bool, building: Building) -> bool | None:
    """Whether a building is a high-rise; None if its height is not known."""
    if building.height_m is None:
        return None
    own = building.use == "residential" or (not building.use and housing)
    return building.height_m > float(rule.params["high_residential_m" if own else "high_other_m"])


def judge_city_spacing(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.city_spacing``: every pair by the height of the taller building, from a city's table."""
    table = rule.params["table"]

    def needed(a: Building, b: Building) -> tuple[float | None, float]:
        if a.height_m is None or b.height_m is None:
            return None, 0.0
        taller = max(a.height_m, b.height_m)
        return max(float(row["metres"]) for row in table if taller > float(row["above"])), float("inf")

    distances = [float(row["metres"]) for row in table]
    return _spacing(rule, subject, needed, min(distances), max(distances))


def _spacing(rule: Rule, subject: Subject, needed: Any, least: float, most: float) -> list[Finding]:
    """Findings for pairs nearer than demanded; one pass for the tightest pair if none is."""
    buildings = {one.name: one for one in subject.indicators.buildings}
    pairs = [(buildings[s.a], buildings[s.b], s.distance_m, s.line, False) for s in subject.indicators.spacings]
    pairs += _neighbour_pairs(subject, most)
    if not buildings:
        return [cannot(rule, subject, _nothing(subject))]
    found: list[Finding] = []
    tightest: tuple[float, dict[str, Any]] | None = None
    for a, b, distance, line, ground in pairs:
        limit, reducible = needed(a, b)
        about: dict[str, Any] = {
            "feature": f"{a.name} – {b.name}", "measured": distance, "a": a.name, "b": b.name,
            "ground" if ground else "evidence": line,
        }  # fmt: skip
        if limit is None:
            if distance >= most:
                continue  # enough for any height
            if distance >= least:
                unknown = ", ".join(one.name for one in (a, b) if one.height_m is None)
                found.append(cannot(rule, subject, ("review.heights_missing", {"buildings": unknown}), **about))
                continue
            limit = least  # too near for any height
        kept, near = compare(distance, limit, ">=", float(rule.params["tolerance"]), float(rule.params["noise_m"]))
        texts = together(distance, limit)
        about |= {"limit": limit, "value": texts[0], "permitted": texts[1], "borderline": near}
        if kept and not near:
            if tightest is None or distance - limit < tightest[0]:
                tightest = (distance - limit, about)
        elif kept:
            found.append(finding(rule, subject, Verdict.PASS, "review.spacing.close", **about))
        elif distance == 0.0 or distance >= reducible:
            found.append(finding(rule, subject, Verdict.NEEDS_CERTIFICATE, "review.spacing.reducible", **about))
        else:
            found.append(finding(rule, subject, Verdict.FAIL, "review.spacing.short", **about))
    if found:
        return found
    if tightest is not None:
        return [finding(rule, subject, Verdict.PASS, "review.spacing.kept", **tightest[1])]
    if "building" not in subject.surroundings.searched or subject.to_project is None:
        return [cannot(rule, subject, ("review.spacing.no_neighbours", {}))]
    return [finding(rule, subject, Verdict.PASS, "review.spacing.alone", limit=most)]


def _neighbour_pairs(subject: Subject, within: float) -> list[tuple[Building, Building, float, Any, bool]]:
    """Buildings of the design and what stands around, nearer than ``within`` m; geometry in the project's CRS."""
    around = subject.surroundings
    if subject.to_project is None or not around.neighbours:
        return []
    uses = around.neighbour_uses or ("",) * len(around.neighbours)
    others = [
        Building(name, shape, float(shape.area), height_m=height, use=use)
        for (name, shape, height), use in zip(around.neighbours, uses, strict=True)
    ]
    tree = shapely.STRtree([one.geometry for one in others])
    found = []
    for building in subject.indicators.buildings:
        outline = place(subject, building.outline or building.geometry)
        for index in tree.query(outline, predicate="dwithin", distance=within):
            other = others[index]
            line = shapely.shortest_line(outline, other.geometry)
            found.append((building, other, float(shapely.distance(outline, other.geometry)), line, True))
    return found
