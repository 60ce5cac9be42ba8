"""Rule kinds on numbers: indicators, heights, parking, the deed's area, housing limits of the national table."""

from __future__ import annotations

import math
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.checking.judging import cannot, compare, finding, place, together
from plugins.review.model.checking.types import Subject
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.names import use_of_class
from plugins.review.model.indicators.rule_sets import CityRules, load_rule_sets
from plugins.review.model.indicators.types import Building, Indicator

NO_CONDITIONS: Note = ("review.no_conditions", {})
PERCENT = ("density", "green_ratio")


def judge_indicator(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.indicator``: an indicator against the parcel's conditions, unrounded."""
    key = rule.params["key"]
    indicator = subject.indicators.values[key]
    if subject.conditions is None:
        if not rule.params.get("required", True):
            return []
        return [cannot(rule, subject, NO_CONDITIONS, measured=indicator.value, key=key)]
    limit = getattr(subject.conditions, rule.params["condition"])
    if limit is None:
        if not rule.params.get("required", True):
            return []
        return [cannot(rule, subject, ("review.not_demanded", {}), measured=indicator.value, key=key)]
    return [against(rule, subject, indicator, limit, rule.params["relation"])]


def against(rule: Rule, subject: Subject, indicator: Indicator, limit: float, relation: str) -> Finding:
    """An indicator against a limit: pass, fail or cannot judge."""
    key, value = indicator.key, indicator.value
    if value is None:
        return cannot(rule, subject, _reason(indicator), limit=limit, key=key, relation=relation)
    kept, near = compare(value, limit, relation, float(rule.params.get("tolerance", 0.0)))
    texts = together(value, limit, percent=key in PERCENT)
    about: dict[str, Any] = {
        "measured": value, "limit": limit, "key": key, "relation": relation,
        "value": texts[0], "permitted": texts[1],
    }  # fmt: skip
    upper = relation == "<="
    if indicator.partial and kept == upper:  # what is missing could still bring it over (or up to) the limit
        return cannot(rule, subject, ("review.limit.partial", {}), **about)
    if kept:
        code = "review.limit.within" if upper else "review.limit.reached"
        return finding(rule, subject, Verdict.PASS, f"{code}_borderline" if near else code, borderline=near, **about)
    shown = subject.indicators.values["footprint_m2"] if key == "far" else indicator
    return finding(
        rule, subject, Verdict.FAIL, "review.limit.over" if upper else "review.limit.under", borderline=near,
        sure=indicator.sure, evidence=shown.geometry, **about,
    )  # fmt: skip


def _reason(indicator: Indicator) -> Note:
    return indicator.notes[0] if indicator.notes else ("review.not_measured", {})


def judge_height(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.height``: every building against the height limit.

    A height that only a text states is declared, not measured: it is judged, and the finding says so.
    """
    conditions, value = subject.conditions, subject.indicators.values["height_m"]
    if conditions is None or conditions.height_max is None:
        note = NO_CONDITIONS if conditions is None else ("review.not_demanded", {})
        return [cannot(rule, subject, note, measured=value.value, key="height_m")]
    limit = conditions.height_max
    known = [one for one in subject.indicators.buildings if one.height_m is not None]
    if not known:
        return [cannot(rule, subject, _reason(value), limit=limit, key="height_m", relation="<=")]
    judged = [(one, *compare(one.height_m or 0.0, limit, "<=", _tolerance(rule), _noise(rule))) for one in known]
    found = [_height(rule, subject, one, limit, kept, near) for one, kept, near in judged if not kept]
    unknown = [one.name for one in subject.indicators.buildings if one.height_m is None]
    if unknown:
        note = ("review.heights_missing", {"buildings": ", ".join(unknown)})
        found.append(cannot(rule, subject, note, limit=limit, key="height_m", relation="<="))
    if not found:
        tallest = max(known, key=lambda one: one.height_m or 0.0)
        near = any(near for _, _, near in judged)
        found.append(_height(rule, subject, tallest, limit, True, near))
    return found


def _height(rule: Rule, subject: Subject, building: Building, limit: float, kept: bool, near: bool) -> Finding:
    height = building.height_m or 0.0
    stated = building.height_source == "text"
    texts = together(height, limit)
    code = "review.height.within" if kept else "review.height.over"
    return finding(
        rule, subject, Verdict.PASS if kept else Verdict.FAIL, f"{code}_text" if stated else code,
        feature=building.name, declared=height if stated else building.stated_height_m,
        measured=None if stated else height, limit=limit, borderline=near,
        evidence=None if kept else building.geometry, key="height_m", relation="<=", building=building.name,
        value=texts[0], permitted=texts[1],
    )  # fmt: skip


def judge_surface(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.height_surface``: buildings under surfaces that limit heights; nothing where the project has none."""
    if "height_surface" not in subject.surroundings.searched:
        return []
    if subject.to_project is None:
        return [cannot(rule, subject, ("review.unplaced", {}))]
    found: list[Finding] = []
    under = 0
    for building in subject.indicators.buildings:
        shape = place(subject, building.geometry)
        for name, surface, limit in subject.surroundings.surfaces:
            if not surface.intersects(shape):
                continue
            under += 1
            about: dict[str, Any] = {
                "feature": building.name,
                "limit": limit,
                "surface": name,
                "building": building.name,
            }
            if building.height_m is None:
                found.append(cannot(rule, subject, ("review.heights_missing", {"buildings": building.name}), **about))
                continue
            kept, near = compare(building.height_m, limit, "<=", _tolerance(rule))
            texts = together(building.height_m, limit)
            about |= {"measured": building.height_m, "value": texts[0], "permitted": texts[1], "borderline": near}
            if not kept:
                verdict = Verdict(rule.params["verdict"])
                found.append(finding(rule, subject, verdict, "review.surface.over", ground=shape, **about))
            elif near:
                found.append(finding(rule, subject, Verdict.PASS, "review.surface.within", ground=shape, **about))
    if found:
        return found
    code = "review.surface.kept" if under else "review.surface.none"
    return [finding(rule, subject, Verdict.PASS, code, count=under)]


def judge_site_area(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.site_area``: the site's area against the deed's (the conditions'), or the parcel's own."""
    value = subject.indicators.values["site_area_m2"]
    conditions = subject.conditions
    if conditions is None:
        return [cannot(rule, subject, NO_CONDITIONS, measured=value.value, key="site_area_m2")]
    deed = conditions.site_area_m2
    if deed is None and conditions.wkb is not None:
        import shapely

        deed = float(shapely.area(shapely.from_wkb(conditions.wkb)))
    if deed is None:
        return [cannot(rule, subject, ("review.not_demanded", {}), measured=value.value, key="site_area_m2")]
    if value.value is None:
        return [cannot(rule, subject, _reason(value), limit=deed, key="site_area_m2", relation="=")]
    difference = value.value - deed
    allowed = max(float(rule.params["tolerance_m2"]), float(rule.params["tolerance_share"]) * deed)
    texts = together(value.value, deed)
    kept = abs(difference) <= allowed
    code = (
        "review.site_area.same" if kept else "review.site_area.larger" if difference > 0 else "review.site_area.smaller"
    )
    return [
        finding(
            rule, subject, Verdict.PASS if kept else Verdict.FAIL, code, measured=value.value, limit=deed,
            borderline=kept and abs(difference) > allowed / 2, evidence=None if kept else value.geometry,
            key="site_area_m2", relation="=", value=texts[0], permitted=texts[1], difference=abs(difference),
        )
    ]  # fmt: skip


def judge_parking(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.parking``: places drawn against units × rate."""
    conditions, places = subject.conditions, subject.indicators.values["parking"]
    if conditions is None:
        return [cannot(rule, subject, NO_CONDITIONS, measured=places.value, key="parking")]
    if conditions.parking is None:
        return [cannot(rule, subject, ("review.not_demanded", {}), measured=places.value, key="parking")]
    units, reason = _units(subject, conditions.parking_per)
    declared = subject.plan.declared.get("parking")
    if units is None:
        return [cannot(rule, subject, reason, declared=declared, measured=places.value, key="parking")]
    limit = conditions.parking * units
    about: dict[str, Any] = {"declared": declared, "limit": limit, "key": "parking", "relation": ">="}
    if places.value is None:
        return [cannot(rule, subject, _reason(places), **about)]
    kept, near = compare(places.value, limit, ">=", _tolerance(rule))
    texts = together(places.value, limit, digits=0)
    code = "review.parking.enough" if kept else "review.parking.short"
    return [
        finding(
            rule, subject, Verdict.PASS if kept else Verdict.FAIL, code, measured=places.value, borderline=near,
            evidence=None if kept else places.geometry, value=texts[0], permitted=texts[1],
            rate=f"{conditions.parking:g}", units=f"{units:,.6g}", **about,
        )
    ]  # fmt: skip


def _units(subject: Subject, per: str) -> tuple[float | None, Note]:
    """What a parking rate is multiplied by, or why it is not known."""
    if per == "total":
        return 1.0, NO_CONDITIONS
    if per == "household":
        count = subject.plan.declared.get("households")
        return count, ("review.parking.no_households", {})
    area = subject.indicators.values["far_area_m2"]
    if area.partial or area.value is None:
        return None, _reason(area)
    return area.value / 100.0, NO_CONDITIONS


def judge_housing(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.housing_table``: FAR, density, green ratio and height of housing by climate zone and mean storeys."""
    if not is_housing(subject):
        return []
    zone = city_rules(subject).climate_zone
    table = next((one for one in rule.params["zones"] if zone in one["names"]), None)
    if table is None:
        return [cannot(rule, subject, ("review.housing.no_zone", {}))]
    storeys, note = _mean_storeys(subject)
    if storeys is None:
        return [cannot(rule, subject, note)]
    row = next((one for one in table["rows"] if round(storeys) <= one[0]), None)
    if row is None:
        return [cannot(rule, subject, ("review.housing.too_high", {"storeys": storeys}))]
    found = []
    limits = (
        ("far", row[1], "<="),
        ("density", row[2], "<="),
        ("green_ratio", row[3], ">="),
        ("height_m", row[4], "<="),
    )
    for key, limit, relation in limits:
        one = against(rule, subject, subject.indicators.values[key], limit, relation)
        found.append(_of_table(one, key, storeys, zone))
    return found


def _of_table(one: Finding, key: str, storeys: float, zone: str) -> Finding:
    from dataclasses import replace

    title, title_zh = INDICATOR_TITLES[key]
    params = dict(one.params or {}) | {
        "title": f"{title} (housing, {storeys:.1f} storeys on average, zone {zone})",
        "title_zh": f"{title_zh}（居住街坊，平均 {storeys:.1f} 层，气候区{zone}）",
        "key": "", "table_key": key,
    }  # fmt: skip
    unit = {"density": "%", "green_ratio": "%", "height_m": "m"}.get(key, "")
    return replace(one, params=params, unit=unit, feature=INDICATOR_TITLES[key][1])


#: English (``tr``) and Chinese names of indicators.
INDICATOR_TITLES = {
    "site_area_m2": ("Site area", "用地面积"),
    "footprint_m2": ("Footprint area", "建筑基底面积"),
    "gfa_m2": ("Gross floor area", "总建筑面积"),
    "far_area_m2": ("FAR-counting floor area", "计容建筑面积"),
    "far": ("Floor area ratio", "容积率"),
    "density": ("Building density", "建筑密度"),
    "green_m2": ("Green area", "绿地面积"),
    "green_ratio": ("Green ratio", "绿地率"),
    "height_m": ("Building height", "建筑高度"),
    "parking": ("Parking places", "停车位"),
}


def _mean_storeys(subject: Subject) -> tuple[float | None, Note]:
    """Mean storeys above the ground, weighed by footprints."""
    known = [(one.storeys, one.footprint_m2) for one in subject.indicators.buildings if one.storeys is not None]
    if len(known) < len(subject.indicators.buildings) or not known:
        missing = ", ".join(one.name for one in subject.indicators.buildings if one.storeys is None)
        return None, ("review.housing.no_storeys", {"buildings": missing})
    weight = math.fsum(area for _, area in known)
    return math.fsum(storeys * area for storeys, area in known) / weight, NO_CONDITIONS


def is_housing(subject: Subject) -> bool:
    """True if the conditions' use or any building's is housing."""
    conditions: Conditions | None = subject.conditions
    by_class = conditions is not None and use_of_class(conditions.use) == "residential"
    return by_class or any(one.use == "residential" for one in subject.indicators.buildings)


def city_rules(subject: Subject) -> CityRules:
    """The city's parameters; the default set where it has none."""
    if subject.city_rules is not None:
        return subject.city_rules
    sets = load_rule_sets()
    return sets.city(subject.city, subject.on) or sets.city("", subject.on) or CityRules("default")


def _tolerance(rule: Rule) -> float:
    return float(rule.params.get("tolerance", 0.0))


def _noise(rule: Rule) -> float:
    return float(rule.params.get("noise_m", 0.0))
