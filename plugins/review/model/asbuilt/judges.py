"""The rules of an as-built check: one function per kind, its limits from ``rules/asbuilt.toml`` or a city's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.asbuilt.types import Facts, Pair
from plugins.review.model.indicators.types import Building
from plugins.review.model.reading.types import Role

if TYPE_CHECKING:
    from plugins.review.model.indicators.types import Setback

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.CANNOT_JUDGE
#: Differences that are rounding of the drawings (m, m², places).
_SAME = 1e-6
#: A difference that takes up more of its tolerance than this is near the limit.
_NEAR = 0.9


#: What each indicator is called in a sentence, English and Chinese.
_TITLES = {
    "gfa_m2": ("Gross floor area", "总建筑面积"),
    "far_area_m2": ("Floor area that counts for the FAR", "计容建筑面积"),
    "green_m2": ("Green area", "绿地面积"),
}


def _finding(rule: Rule, verdict: Verdict, message: str, feature: str = "", **values: Any) -> Finding:
    evidence, borderline = values.pop("evidence", None), values.pop("borderline", False)
    title, title_zh = _TITLES.get(values.get("key", ""), (rule.title, rule.title_zh))
    for name in ("more", "less", "dx", "dy"):
        if abs(values.get(name, 1.0)) < 0.005:  # shown with two digits: no −0.00
            values[name] = 0.0
    numbers = {name: values.pop(name, None) for name in ("declared", "measured", "limit")}
    return Finding(
        rule=rule.id, verdict=verdict, feature=feature, unit=rule.unit, standard=rule.standard, clause=rule.clause,
        edition=rule.edition, confidence=rule.confidence, blocking=verdict is FAIL and rule.may_block,
        borderline=borderline, message=f"review.asbuilt_{message}",
        params={"building": feature, **numbers, **values, "title": title, "title_zh": title_zh},
        evidence=evidence, **numbers,
    )  # fmt: skip


def _standing(facts: Facts) -> list[Pair]:
    return [pair for pair in facts.pairs if pair.approved is not None and pair.built is not None]


def judge_buildings(rule: Rule, facts: Facts) -> list[Finding]:
    """Every approved building stands, and no other."""
    if not facts.before.buildings:
        return [_finding(rule, UNKNOWN, "nothing_approved")]
    if not facts.after.buildings:
        return [_finding(rule, UNKNOWN, "nothing_surveyed")]
    found = []
    for pair in facts.pairs:
        if pair.built is None and pair.approved is not None:
            where = facts.evidence(pair.approved_shape) if facts.same_ground else None
            found.append(
                _finding(rule, FAIL, "missing", pair.name, declared=pair.approved.footprint_m2, evidence=where)
            )
        elif pair.approved is None and pair.built is not None:
            if pair.built.footprint_m2 <= float(rule.params.get("least_m2", 0.0)):
                continue
            where = facts.evidence(pair.built.geometry)
            found.append(_finding(rule, FAIL, "extra", pair.name, measured=pair.built.footprint_m2, evidence=where))
    if not found:
        count = float(len(_standing(facts)))
        found.append(_finding(rule, PASS, "all_there", declared=count, measured=count))
    return found


def judge_storeys(rule: Rule, facts: Facts) -> list[Finding]:
    """As many storeys as approved."""
    found = []
    for pair in _standing(facts):
        approved, built = (_storeys(one) for one in (pair.approved, pair.built))
        if approved is None or built is None:
            found.append(_unknown(rule, pair, approved, built, "storeys"))
            continue
        numbers = {"declared": float(approved), "measured": float(built), "limit": float(approved)}
        same = built == approved
        message = "storeys_same" if same else "storeys_more" if built > approved else "storeys_fewer"
        shape = None if same else facts.evidence(pair.built.geometry if pair.built else None)
        found.append(_finding(rule, PASS if same else FAIL, message, pair.name, evidence=shape, **numbers))
    return found


def judge_height(rule: Rule, facts: Facts) -> list[Finding]:
    """Not higher than approved, within the tolerance."""
    found, tolerance = [], float(rule.params["tolerance_m"])
    for pair in _standing(facts):
        approved, built = (_height(one) for one in (pair.approved, pair.built))
        if approved is None or built is None:
            found.append(_unknown(rule, pair, approved, built, "height"))
            continue
        more = built - approved
        high = more > tolerance + _SAME
        found.append(
            _finding(
                rule, FAIL if high else PASS, "height", pair.name, declared=approved, measured=built,
                limit=approved + tolerance, more=more, tolerance=tolerance, borderline=_near(more, tolerance),
                evidence=facts.evidence(pair.built.geometry) if high and pair.built else None,
            )
        )  # fmt: skip
    return found


def judge_position(rule: Rule, facts: Facts) -> list[Finding]:
    """The building stands where it was approved."""
    found, tolerance = [], float(rule.params["tolerance_m"])
    for pair in _standing(facts):
        shift = pair.shift
        if shift is None:
            found.append(_finding(rule, UNKNOWN, "position_unknown", pair.name, limit=tolerance))
            continue
        off = shift.distance > tolerance + _SAME
        found.append(
            _finding(
                rule, FAIL if off else PASS, "position", pair.name, measured=shift.distance, limit=tolerance,
                dx=shift.dx, dy=shift.dy, corner=shift.corner, borderline=_near(shift.distance, tolerance),
                evidence=facts.evidence(pair.built.geometry) if off and pair.built else None,
            )
        )  # fmt: skip
    return found


def judge_outline(rule: Rule, facts: Facts) -> list[Finding]:
    """The building has the outline that was approved, wherever it stands."""
    found, tolerance = [], float(rule.params["tolerance_m"])
    for pair in _standing(facts):
        shift = pair.shift
        if shift is None or pair.approved is None or pair.built is None:
            found.append(_finding(rule, UNKNOWN, "position_unknown", pair.name, limit=tolerance))
            continue
        off = shift.residual > tolerance + _SAME
        more = pair.built.footprint_m2 - pair.approved.footprint_m2
        difference = None
        if off and pair.approved_shape is not None:
            difference = facts.evidence(pair.built.geometry.symmetric_difference(pair.approved_shape))
        found.append(
            _finding(
                rule, FAIL if off else PASS, "outline", pair.name, measured=shift.residual, limit=tolerance, more=more,
                borderline=_near(shift.residual, tolerance), evidence=difference,
            )
        )  # fmt: skip
    return found


def area_tolerance(rule: Rule, approved: float) -> tuple[float, float]:
    """(tolerance, tolerance up to which sources disagree) of an area by its approved size, m²."""
    tiers: Sequence[Mapping[str, float]] = rule.params["tiers"]
    tier = next((one for one in tiers if approved <= one.get("up_to_m2", float("inf"))), tiers[-1])
    cap = float(rule.params.get("cap_m2", float("inf")))
    share = float(tier["share"])
    return min(cap, share * approved), min(cap, float(tier.get("disputed_share", share)) * approved)


def judge_area(rule: Rule, facts: Facts) -> list[Finding]:
    """Areas within the tolerance of their size: indicators, and with the key ``building`` each footprint."""
    found = []
    for key in rule.params["keys"]:
        if key == "building":
            for pair in _standing(facts):
                if pair.approved is not None and pair.built is not None:
                    found += _area(rule, facts, pair.name, "footprint_m2", pair.approved.footprint_m2,
                                   pair.built.footprint_m2, pair.built)  # fmt: skip
        else:
            found += _area(rule, facts, "", key, facts.before.value(key), facts.after.value(key), None)
    return found


def _area(
    rule: Rule, facts: Facts, name: str, key: str, approved: float | None, built: float | None, at: Building | None
) -> list[Finding]:
    if approved is None:
        return []  # nothing was approved that could be exceeded
    if built is None or (key == "site_area_m2" and Role.SITE.value in facts.from_plan):
        return [_finding(rule, UNKNOWN, "not_surveyed", name, declared=approved, key=key)]
    if facts.after.values[key].partial and not name:
        return [_finding(rule, UNKNOWN, "partly_surveyed", name, declared=approved, measured=built, key=key)]
    tolerance, disputed = area_tolerance(rule, approved)
    more = built - approved
    size = abs(more) if rule.params.get("side") == "both" else more
    over = size > tolerance + _SAME
    numbers: dict[str, Any] = {"declared": approved, "measured": built, "limit": approved + tolerance, "more": more}
    shape = facts.evidence(at.geometry) if over and at is not None else None
    near = (over and size <= disputed) or _near(size, tolerance)
    message = "area" if name else "total"
    verdict = FAIL if over else PASS
    return [
        _finding(rule, verdict, message, name, tolerance=tolerance, key=key, borderline=near, evidence=shape, **numbers)
    ]


def judge_ratio(rule: Rule, facts: Facts, areas: Mapping[str, Rule] | None = None) -> list[Finding]:
    """Ratios of an area to the site: the tolerance is that of the area.

    Args:
        areas: the rule that judges each area, by its key.
    """
    found = []
    tops = {"far": "far_area_m2", "density": "footprint_m2"}
    for key in rule.params["keys"]:
        approved, built, top = facts.before.value(key), facts.after.value(key), facts.before.value(tops[key])
        if approved is None or top is None:
            continue
        if built is None or facts.after.values[tops[key]].partial:
            found.append(_finding(rule, UNKNOWN, "not_surveyed", declared=approved, measured=built, key=key))
            continue
        area_rule = (areas or {}).get(tops[key])
        tolerance = approved * area_tolerance(area_rule, top)[0] / top if area_rule is not None and top > 0 else 0.0
        over = built - approved > tolerance + _SAME
        found.append(
            _finding(
                rule, FAIL if over else PASS, "ratio", declared=approved, measured=built, limit=approved + tolerance,
                key=key, borderline=_near(built - approved, tolerance),
            )
        )  # fmt: skip
    return found


def judge_green(rule: Rule, facts: Facts) -> list[Finding]:
    """The approved green is there: each patch, and all of it together."""
    found = []
    least = float(rule.params["least_m2"])
    for patch in facts.patches:
        area = float(patch.shape.area)
        name = patch.element.kind or patch.element.text
        if patch.built_share is None:
            found.append(_finding(rule, UNKNOWN, "green_not_surveyed", name, declared=area))
        elif patch.built_share < float(rule.params["built_share"]) and area >= least:
            there = area * patch.built_share
            where = facts.evidence(patch.shape)
            found.append(_finding(rule, FAIL, "green_missing", name, declared=area, measured=there, evidence=where))
    approved, built = facts.before.value("green_m2"), facts.after.value("green_m2")
    if approved is None:
        return found
    if built is None:
        return [*found, _finding(rule, UNKNOWN, "not_surveyed", declared=approved, key="green_m2")]
    tolerance = approved * float(rule.params["share"])
    less = approved - built
    verdict = FAIL if less > tolerance + _SAME else PASS
    values: dict[str, Any] = {"declared": approved, "measured": built, "limit": approved - tolerance, "less": less}
    ratios = facts.before.value("green_ratio"), facts.after.value("green_ratio")
    if None not in ratios:
        return [*found, _finding(rule, verdict, "green_ratio", borderline=_near(less, tolerance),
                                 ratio_before=ratios[0], ratio_after=ratios[1], **values)]  # fmt: skip
    return [*found, _finding(rule, verdict, "green", borderline=_near(less, tolerance), **values)]


def judge_setback(rule: Rule, facts: Facts) -> list[Finding]:
    """Distances to the lines as conditions demand them, else as approved; the worst of each building is told."""
    found, tolerance = [], float(rule.params["tolerance_m"])
    if not facts.same_ground:
        return [_finding(rule, UNKNOWN, "setbacks_unknown", limit=tolerance)]
    by_building: dict[str, list[tuple[float, float, Setback, Setback]]] = {}
    for approved, built in facts.setbacks:
        demanded = _demanded(facts, approved)
        limit = approved.distance_m - tolerance
        # What was approved nearer than the conditions say stands as it was approved.
        limit = min(demanded, limit) if demanded is not None else limit
        by_building.setdefault(built.building, []).append((built.distance_m - limit, limit, approved, built))
    for name, rows in by_building.items():
        spare, limit, approved, built = min(rows, key=lambda row: (row[3].distance_m >= 0, row[0]))
        short = spare < -_SAME
        found.append(
            _finding(
                rule, FAIL if short else PASS, "setback", name, declared=approved.distance_m,
                measured=built.distance_m, limit=limit, side=built.bearing, to=built.to,
                borderline=not short and spare < 0.1 * tolerance,
                evidence=facts.evidence(built.line) if short else None,
            )
        )  # fmt: skip
    return found


def _demanded(facts: Facts, setback: Setback) -> float | None:
    """The least distance the conditions demand on this side for a building of any height."""
    demands = facts.conditions.setbacks if facts.conditions is not None else ()
    road = "road" if setback.to == "road_line" else setback.bearing
    fitting = [one.metres for one in demands if one.above_m <= 0 and one.side in ("", road)]
    return max(fitting) if fitting and setback.to != "build_to" else None


def judge_parking(rule: Rule, facts: Facts) -> list[Finding]:
    """Places at least as approved."""
    approved, built = facts.before.value("parking"), facts.after.value("parking")
    if not approved:
        return []
    if built is None:
        return [_finding(rule, UNKNOWN, "not_surveyed", declared=approved, key="parking")]
    short = built < approved
    basement = [one.plan.of(Role.BASEMENT) for one in (facts.approved, facts.survey)]
    if short and basement[0] and not basement[1]:  # what is below the ground nobody saw
        return [_finding(rule, UNKNOWN, "parking_below", declared=approved, measured=built)]
    return [_finding(rule, FAIL if short else PASS, "parking", declared=approved, measured=built, limit=approved)]


def _unknown(rule: Rule, pair: Pair, approved: float | None, built: float | None, what: str) -> Finding:
    message = f"{what}_not_approved" if approved is None else f"{what}_not_surveyed"
    values = {"declared": approved, "measured": built}
    return _finding(rule, UNKNOWN, message, pair.name, **values)


def _storeys(building: Building | None) -> int | None:
    return None if building is None else building.storeys or building.stated_storeys


def _height(building: Building | None) -> float | None:
    return None if building is None else building.height_m or building.stated_height_m


def _near(size: float, tolerance: float) -> bool:
    return tolerance > 0 and _NEAR * tolerance < size <= tolerance + _SAME


Judge = Callable[[Rule, Facts], list[Finding]]
JUDGES: dict[str, Judge] = {
    "asbuilt.buildings": judge_buildings,
    "asbuilt.storeys": judge_storeys,
    "asbuilt.height": judge_height,
    "asbuilt.position": judge_position,
    "asbuilt.outline": judge_outline,
    "asbuilt.area": judge_area,
    "asbuilt.ratio": judge_ratio,
    "asbuilt.green": judge_green,
    "asbuilt.setback": judge_setback,
    "asbuilt.parking": judge_parking,
}
