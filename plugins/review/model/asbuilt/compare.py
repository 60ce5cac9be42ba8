"""The as-built survey against the approved drawing, measured by the same engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import mapping

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.domain.rule import Rule, in_force, parse_rules
from planner_app.plugin_api.model import Project
from plugins.review.model.asbuilt.judges import JUDGES, judge_ratio
from plugins.review.model.asbuilt.outline import outline_shift
from plugins.review.model.asbuilt.types import AsBuilt, Facts, Pair, Patch
from plugins.review.model.cases.context import conditions_for, permit_day
from plugins.review.model.cases.opened import OpenDrawing, case_of, open_drawing
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.measure import measure
from plugins.review.model.indicators.names import name_key
from plugins.review.model.indicators.rule_sets import RuleSets, load_rule_sets
from plugins.review.model.indicators.setbacks import setbacks
from plugins.review.model.indicators.types import Building, Indicators, Setback
from plugins.review.model.reading.types import Element, Role, SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Move = Callable[["BaseGeometry"], "BaseGeometry"]

#: TOML text of as-built rules a project keeps beside those shipped.
SETTING = "review.asbuilt_rules"
#: What a survey does not show of the plan and is taken from the approved drawing.
_FROM_PLAN = (Role.SITE, Role.ROAD_LINE, Role.BUILD_TO)
_ROOF = "屋顶"
#: Buildings shifted by more than the first and alike within the second, m, are shifted by their coordinates.
_APART, _ALIKE = 1.0, 0.1
_ORDER = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE, Verdict.PASS)


def compare_as_built(
    project: Project,
    approved: str,
    survey: str,
    *,
    rules: Sequence[Rule],
    on: date | None = None,
    city: str = "",
    progress: Progress | None = None,
) -> AsBuilt:
    """Compare an as-built survey with the approved drawing.

    Args:
        approved, survey: drawings of the project (see :func:`store.drawing`).
        rules: those of the kinds ``asbuilt.*``; a city's own stand in place of the national ones of their kind.
        on: day whose tolerances hold; None: the approved case's permit date, else today.

    Raises:
        PlannerError: ``review.drawing_unknown``, what opening refuses.
        Cancelled.
    """
    progress = progress or NoProgress()
    plan = open_drawing(project, approved, SubProgress(progress, 0.0, 0.4))
    built = open_drawing(project, survey, SubProgress(progress, 0.4, 0.8))
    case = case_of(project, plan.record)
    day = on or permit_day(case)
    conditions, _ = conditions_for(project, case, "", day)
    city = city or (case.city if case is not None else "") or (conditions.city if conditions is not None else "")
    check(progress)
    chosen, sets = rules_for(project, rules, day, city), load_rule_sets(project)
    found = compare_opened(plan, built, conditions=conditions, rules=chosen, on=day, city=city, rule_sets=sets)
    progress.update(1.0)
    return found


def compare_opened(
    plan: OpenDrawing,
    built: OpenDrawing,
    *,
    conditions: Conditions | None,
    rules: Sequence[Rule],
    on: date,
    city: str,
    rule_sets: RuleSets,
) -> AsBuilt:
    """Compare two drawings as opened, by rules as chosen (:func:`rules_for`): needs no project."""
    notes: list[Note] = []
    move = _axes(plan, built)
    if move is None:
        notes.append(("review.asbuilt_no_ground", {"approved": plan.record.number, "survey": built.record.number}))
    before = measure(plan.plan, plan.drawing, on=on, city=city, rule_sets=rule_sets)
    seen, taken = _with_plan(built.plan, plan.plan, move or _stay)
    seen, beside = _on_site(seen) if move is not None else (seen, 0)
    notes += [("review.asbuilt_beside", {"count": beside})] if beside else []
    notes += [("review.asbuilt_from_plan", {"roles": ", ".join(taken)})] if taken and move is not None else []
    after = measure(seen, built.drawing, on=on, city=city, rule_sets=rule_sets)
    pairs = tuple(_pairs(before, after, plan.plan, move))
    notes += _shifted(pairs)
    facts = Facts(
        plan, built, conditions, before, after, pairs, tuple(_patches(plan.plan, seen, move)),
        tuple(_setbacks(before, pairs, seen, move)), tuple(taken), move is not None, _evidence(built),
    )  # fmt: skip
    findings = judge(rules, facts)
    verdict = min((one.verdict for one in findings), key=_ORDER.index, default=Verdict.CANNOT_JUDGE)
    return AsBuilt(facts, tuple(findings), verdict, on, city, tuple(notes))


def _shifted(pairs: Sequence[Pair]) -> list[Note]:
    """Buildings that all stand off by the same were not built so: the coordinates differ."""
    steps = np.array([(one.shift.dx, one.shift.dy) for one in pairs if one.shift is not None]).reshape(-1, 2)
    if len(steps) < 2:
        return []
    middle = np.median(steps, axis=0)
    alike = np.hypot(*(steps - middle).T) <= _ALIKE
    if np.hypot(*middle) < _APART or alike.mean() < 0.8:
        return []
    params = {"count": int(alike.sum()), "dx": float(middle[0]), "dy": float(middle[1])}
    return [("review.asbuilt_shifted", params)]


def rules_for(project: Project, rules: Iterable[Rule], on: date, city: str) -> list[Rule]:
    """Rules in force: shipped ones and the project's own; a city's in place of the national ones of its kind and keys.

    Raises:
        PlannerError: ``rule.file_broken``, ``rule.field_wrong`` for the project's own.
    """
    own = parse_rules(project.setting(SETTING), project.path.name)
    known = [one for one in in_force([*rules, *own], on, city) if one.kind in JUDGES]
    best: dict[tuple[str, str], Rule] = {}
    for rule in known:
        for key in rule.params.get("keys", [""]):
            other = best.get((rule.kind, key))
            if other is None or _rank(rule, own) >= _rank(other, own):
                best[rule.kind, key] = rule
    chosen = []
    for rule in known:
        keys = [key for key in rule.params.get("keys", [""]) if best[rule.kind, key] is rule]
        if keys and "keys" in rule.params:
            chosen.append(replace(rule, params={**rule.params, "keys": keys}))
        elif keys:
            chosen.append(rule)
    return chosen


def _rank(rule: Rule, own: Sequence[Rule]) -> tuple[bool, bool, date]:
    return bool(rule.city), rule in own, rule.valid_from or date.min


def judge(rules: Sequence[Rule], facts: Facts) -> list[Finding]:
    """Findings of every rule, failed ones first."""
    areas = {key: rule for rule in rules if rule.kind == "asbuilt.area" for key in rule.params["keys"]}
    found = []
    for rule in rules:
        found += judge_ratio(rule, facts, areas) if rule.kind == "asbuilt.ratio" else JUDGES[rule.kind](rule, facts)
    return sorted(found, key=lambda one: _ORDER.index(one.verdict))


# ---------------------------------------------------------------- common ground


def _stay(shape: BaseGeometry) -> BaseGeometry:
    return shape


def _axes(plan: OpenDrawing, built: OpenDrawing) -> Move | None:
    """Moves the approved drawing into the survey's axes; None where nothing says how they lie to each other."""
    if plan.to_project is not None and built.to_drawing is not None:
        forth, back = plan.to_project, built.to_drawing
        return lambda shape: back(forth(shape))
    # Not both are placed: their own numbers may still be the same local ones.
    ours, theirs = plan.site(), built.site()
    near = ours is not None and theirs is not None and shapely.box(*ours.bounds).intersects(shapely.box(*theirs.bounds))
    return _stay if near else None


def _with_plan(survey: SitePlan, plan: SitePlan, move: Move) -> tuple[SitePlan, list[str]]:
    """The survey as a site plan: lines that nobody surveys from the approved plan, planting as green."""
    elements, roles, taken = list(survey.elements), dict(survey.roles), []
    for role in _FROM_PLAN:
        more = plan.of(role)
        if more and not survey.of(role):
            elements += [replace(one, geometry=move(one.geometry)) for one in more]
            roles[role.value] = plan.roles.get(role.value, ())
            taken.append(role.value)
    if not survey.of(Role.GREEN):
        elements = [replace(one, role=Role.GREEN) if one.role is Role.VEGETATION else one for one in elements]
        if survey.of(Role.VEGETATION):
            roles[Role.GREEN.value] = survey.roles.get(Role.VEGETATION.value, ())
    return replace(survey, elements=tuple(elements), roles=roles), taken


def _on_site(seen: SitePlan) -> tuple[SitePlan, int]:
    """The survey without the neighbours' buildings that surveyors draw too, and how many those are."""
    site = shapely.union_all([one.geometry for one in seen.of(Role.SITE)])
    if site.is_empty:
        return seen, 0

    def beside(one: Element) -> bool:
        shape = one.geometry
        if one.role is Role.HEIGHT:
            return bool(shape.distance(site) > 0)
        if one.role not in (Role.FOOTPRINT, Role.FLOOR_AREA, Role.BALCONY):
            return False
        return bool(2 * shape.intersection(site).area < shape.area)

    kept = tuple(one for one in seen.elements if not beside(one))
    gone = sum(one.role is Role.FOOTPRINT for one in seen.elements) - sum(one.role is Role.FOOTPRINT for one in kept)
    return replace(seen, elements=kept), gone


def _evidence(built: OpenDrawing) -> Callable[[BaseGeometry | None], dict[str, Any] | None]:
    to_project = built.to_project

    def of(shape: BaseGeometry | None) -> dict[str, Any] | None:
        if shape is None or shape.is_empty or to_project is None:
            return None
        return dict(mapping(to_project(shape)))

    return of


# ---------------------------------------------------------------- buildings


def _pairs(before: Indicators, after: Indicators, plan: SitePlan, move: Move | None) -> list[Pair]:
    """Buildings matched by overlap, then by name; what is built outside the site is not part of the project."""
    place = move or _stay
    shapes = [place(one.geometry) for one in before.buildings]
    shares: dict[int, list[int]] = defaultdict(list)
    owner: dict[int, int] = {}
    if move is not None and shapes and after.buildings:
        shares, owner = _overlaps(shapes, after.buildings)
    names = _unique_names(before.buildings)
    for at, one in enumerate(after.buildings):
        if at not in owner and (number := names.get(name_key(one.name))) is not None and number not in shares:
            shares[number].append(at)
            owner[at] = number
    found = []
    for number, approved in enumerate(before.buildings):
        parts = [after.buildings[at] for at in shares.get(number, ())]
        if not parts:
            found.append(Pair(approved.name, approved, None, shapes[number]))
            continue
        built = _together(approved.name, parts)
        shift = outline_shift(shapes[number], built.geometry) if move is not None else None
        by = "overlap" if move is not None and shapes[number].intersects(built.geometry) else "name"
        found.append(Pair(approved.name, approved, built, shapes[number], shift, by))
    site = shapely.union_all([place(one.geometry) for one in plan.of(Role.SITE)])
    for at, one in enumerate(after.buildings):
        inside = site.is_empty or move is None or 2 * one.geometry.intersection(site).area > one.geometry.area
        if at not in owner and inside:
            found.append(Pair(one.name, None, one))
    return found


def _overlaps(
    approved: Sequence[BaseGeometry], built: Sequence[Building]
) -> tuple[dict[int, list[int]], dict[int, int]]:
    """(approved → built, built → approved) where one covers most of the other: a survey draws parts of a building."""
    shares: dict[int, list[int]] = defaultdict(list)
    owner: dict[int, int] = {}
    common: dict[tuple[int, int], float] = {}
    tree = shapely.STRtree([one.geometry for one in built])
    for number, at in tree.query(approved, predicate="intersects").T:
        common[int(number), int(at)] = float(approved[number].intersection(built[at].geometry).area)
    for (number, at), area in sorted(common.items(), key=lambda entry: -entry[1]):
        most = area >= 0.5 * built[at].geometry.area or area >= 0.5 * approved[number].area
        if most and (at not in owner or area >= 0.5 * approved[number].area):
            shares[number].append(at)
            owner.setdefault(at, number)
    return shares, owner


def _unique_names(buildings: Sequence[Building]) -> dict[str, int]:
    keys = [name_key(one.name) for one in buildings]
    return {key: at for at, key in enumerate(keys) if key and keys.count(key) == 1 and not key.startswith("(")}


def _together(name: str, parts: Sequence[Building]) -> Building:
    """Parts of a survey as the building they are."""
    if len(parts) == 1:
        return replace(parts[0], name=name)
    shape = shapely.union_all([one.geometry for one in parts])
    storeys = [one.storeys or one.stated_storeys for one in parts]
    heights = [one.height_m or one.stated_height_m for one in parts]
    areas = [one.gfa_m2 for one in parts]
    return replace(
        parts[0], name=name, geometry=shape, outline=shapely.union_all([one.outline or one.geometry for one in parts]),
        footprint_m2=float(shape.area), storeys=max((n for n in storeys if n), default=None),
        height_m=max((h for h in heights if h), default=None),
        gfa_m2=sum(a for a in areas if a) if all(areas) else None,
        handles=tuple(handle for one in parts for handle in one.handles),
    )  # fmt: skip


def _setbacks(
    before: Indicators, pairs: Sequence[Pair], seen: SitePlan, move: Move | None
) -> list[tuple[Setback, Setback]]:
    """Approved distances beside those of the built outlines to the same lines."""
    if move is None:
        return []
    site = shapely.union_all([one.geometry for one in seen.of(Role.SITE)])
    standing = [pair for pair in pairs if pair.approved is not None and pair.built is not None]
    approved = [
        replace(one, geometry=move(one.geometry), outline=move(one.outline or one.geometry))
        for pair in standing
        if (one := pair.approved) is not None
    ]
    built = [pair.built for pair in standing if pair.built is not None]
    area = None if site.is_empty else site
    now = {(one.building, one.to, one.edge): one for one in setbacks(area, seen, built)}
    then = {(one.building, one.to, one.edge): one for one in setbacks(area, seen, approved)}
    found = [(then[key], now[key]) for key in then if key in now]
    # What reaches over a line now was on its near side as approved: at least 0.
    return found + [
        (replace(one, distance_m=0.0), one) for key, one in now.items() if key not in then and one.distance_m < 0
    ]


def _patches(plan: SitePlan, seen: SitePlan, move: Move | None) -> list[Patch]:
    """Approved greens and how much of each is there."""
    green: list[Element] = seen.of(Role.GREEN)
    there = shapely.union_all([one.geometry for one in green])
    roofs_seen = any(_ROOF in one.kind for one in green)
    found = []
    for one in plan.of(Role.GREEN):
        shape = (move or _stay)(one.geometry)
        known = move is not None and bool(green) and (roofs_seen or _ROOF not in one.kind)
        share = float(shape.intersection(there).area / shape.area) if known and shape.area > 0 else None
        found.append(Patch(one, shape, share))
    return found


def as_built_json(found: AsBuilt) -> Mapping[str, Any]:
    """Figures beside the findings, as ``planner review asbuilt`` prints them."""
    facts = found.facts
    return {
        "indicators": [
            {"key": key, "approved": facts.before.value(key), "built": facts.after.value(key)}
            for key in facts.before.values
        ],
        "buildings": [_pair_json(pair) for pair in facts.pairs],
    }


def _pair_json(pair: Pair) -> dict[str, Any]:
    sides = {"approved": pair.approved, "built": pair.built}
    shift = pair.shift
    return {
        "name": pair.name,
        "matched_by": pair.by or None,
        "dx_m": shift.dx if shift else None,
        "dy_m": shift.dy if shift else None,
        "corner_m": shift.corner if shift else None,
        "outline_m": shift.residual if shift else None,
        **{
            f"{key}_{side}": (getattr(one, key) or getattr(one, f"stated_{key}", None)) if one is not None else None
            for key in ("footprint_m2", "storeys", "height_m")
            for side, one in sides.items()
        },
    }
