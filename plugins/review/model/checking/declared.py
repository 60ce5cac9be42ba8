"""Rule kinds on the drawing's own statements: declared against measured, sums, floors and footprints, topology."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.checking.judging import cannot, finding, one_shape, together
from plugins.review.model.checking.limits import INDICATOR_TITLES, PERCENT
from plugins.review.model.checking.types import Subject
from plugins.review.model.indicators.names import name_key
from plugins.review.model.indicators.types import KEYS
from plugins.review.model.reading.types import Element, Role

_UNITS = {"density": "%", "green_ratio": "%", "height_m": "m", "far": "", "parking": ""}
#: Repairs after which an area is missing, and those after which it stands.
_LOST = ("open_outline", "tangled")
_MENDED = ("closed_gap", "joined", "dropped_duplicate", "self_crossing", "merged_overlap")
_AREAL = (Role.SITE, Role.FOOTPRINT, Role.BASEMENT, Role.FLOOR_AREA, Role.GREEN, Role.BUILD_TO)


def judge_declared(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.declared``: every value of the indicator table against what the geometry gives."""
    declared = {key: value for key, value in subject.plan.declared.items() if key in KEYS}
    if not declared:
        return [cannot(rule, subject, ("review.declared.none", {}))]
    found = [_declared(rule, subject, key, declared[key]) for key in KEYS if key in declared]
    for one in subject.indicators.buildings:
        height, stated = one.height_m, one.stated_height_m
        if height is None or stated is None or one.height_source == "text":
            continue
        if abs(height - stated) > float(rule.params["height_m"]):
            texts = together(stated, height)
            found.append(
                finding(
                    rule, subject, Verdict.FAIL, "review.declared.height", feature=one.name, declared=stated,
                    measured=height, unit="m", evidence=one.geometry, building=one.name, said=texts[0], value=texts[1],
                )
            )  # fmt: skip
    return found


def _declared(rule: Rule, subject: Subject, key: str, declared: float) -> Finding:
    indicator = subject.indicators.values[key]
    title, title_zh = INDICATOR_TITLES[key]
    value, unit = indicator.value, _UNITS.get(key, "m²")
    about: dict[str, Any] = {
        "feature": title_zh,
        "declared": declared,
        "unit": unit,
        "key": key,
        "title": title,
        "title_zh": title_zh,
    }
    if value is None or indicator.basis == "text":
        note = next(iter(indicator.notes), ("review.not_measured", {}))
        if value is not None:
            note = ("review.height_from_text", dict(indicator.notes)["review.height_from_text"])
        return cannot(rule, subject, note, **about)
    step = _rounding(subject.plan.declared_texts.get(key, ""), declared)
    share = 0.0 if key in rule.params.get("exact", ()) else float(rule.params["share"])
    difference = abs(value - declared)
    same = difference <= step + 1e-9 * abs(value)
    texts = together(declared, value, percent=key in PERCENT, digits=0 if key == "parking" else 2, apart=not same)
    about |= {"measured": value, "said": texts[0], "value": texts[1]}
    if indicator.partial and declared > value:
        return cannot(rule, subject, ("review.limit.partial", {}), **about)
    if same:
        return finding(rule, subject, Verdict.PASS, "review.declared.same", **about)
    if difference <= share * abs(value):
        return finding(rule, subject, Verdict.PASS, "review.declared.near", borderline=True, **about)
    code = "review.declared.more" if declared > value else "review.declared.less"
    return finding(rule, subject, Verdict.FAIL, code, sure=indicator.sure, evidence=indicator.geometry, **about)


def _rounding(text: str, declared: float) -> float:
    """Half a unit of the last digit that a declared value is written with; 0 if its text is not known."""
    hit = re.search(r"\d[\d,]*(?:\.(\d+))?", text)
    if hit is None:
        return 0.0
    step = 0.5 * 10.0 ** -len(hit[1] or "")
    written = float(hit[0].replace(",", ""))
    return step * (declared / written) if written else step  # percentages are fractions here, hectares m²


def judge_sums(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.declared_sums``: the table's ratios follow from its areas, its totals from their parts."""
    declared, texts = subject.plan.declared, subject.plan.declared_texts
    share = float(rule.params["share"])
    found: list[Finding] = []
    for key, over, under in rule.params["ratios"]:
        if key in declared and over in declared and declared.get(under, 0.0) > 0:
            expected = declared[over] / declared[under]
            found.append(_sum(rule, subject, key, expected, _rounding(texts.get(key, ""), declared[key]), share))
    for total, *parts in rule.params["sums"]:
        if total in declared and all(part in declared for part in parts):
            step = sum(_rounding(texts.get(one, ""), declared[one]) for one in (total, *parts))
            found.append(_sum(rule, subject, total, sum(declared[part] for part in parts), step, 0.0))
    return found or [cannot(rule, subject, ("review.sums.none", {}))]


def _sum(rule: Rule, subject: Subject, key: str, expected: float, step: float, share: float) -> Finding:
    declared = subject.plan.declared[key]
    title, title_zh = INDICATOR_TITLES[key]
    kept = abs(declared - expected) <= max(step, share * abs(expected)) + 1e-9 * abs(expected)
    texts = together(declared, expected, percent=key in PERCENT, digits=0 if key == "parking" else 2, apart=not kept)
    return finding(
        rule, subject, Verdict.PASS if kept else Verdict.FAIL, "review.sums.same" if kept else "review.sums.differ",
        feature=title_zh, declared=declared, limit=expected, unit=_UNITS.get(key, "m²"), said=texts[0], value=texts[1],
        title=title, title_zh=title_zh,
    )  # fmt: skip


def judge_floors(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.floors``: the ground floor's outlines cover the footprint, and every storey has its outlines."""
    floors: dict[str, list[Element]] = defaultdict(list)
    for element in subject.plan.of(Role.FLOOR_AREA):
        floors[name_key(element.building)].append(element)
    if not subject.indicators.buildings:
        return [cannot(rule, subject, next(iter(subject.indicators.values["footprint_m2"].notes)))]
    gaps = {note[1].get("building"): note for note in subject.indicators.values["gfa_m2"].notes}
    found: list[Finding] = []
    agreed = 0
    for building in subject.indicators.buildings:
        ground = [one for one in floors.get(name_key(building.name), ()) if one.floor == 1]
        if building.gfa_m2 is not None and not floors:
            continue  # a model: its footprint is its ground floor
        if not ground:
            note = gaps.get(building.name, ("review.building_no_floors", {"building": building.name}))
            found.append(cannot(rule, subject, note, feature=building.name))
            continue
        outline = _union(one.geometry for one in ground if one.kind not in ("deduct", "balcony"))
        deducted = _union(one.geometry for one in ground if one.kind == "deduct")
        allowed = max(float(rule.params["area_m2"]), float(rule.params["share"]) * building.footprint_m2)
        # A deduction (a car park on stilts) may be taken off the footprint as well, or off the floor only.
        areas = [float(outline.area), float(outline.area - deducted.area)]
        nearest, away = min(((area, abs(area - building.footprint_m2)) for area in areas), key=lambda one: one[1])
        if away > allowed:
            texts = together(nearest, building.footprint_m2)
            found.append(
                finding(
                    rule, subject, Verdict.FAIL, "review.floors.differ", feature=building.name, measured=nearest,
                    limit=building.footprint_m2, evidence=building.geometry, building=building.name,
                    value=texts[0], permitted=texts[1],
                )
            )  # fmt: skip
        elif building.name in gaps:
            found.append(cannot(rule, subject, gaps[building.name], feature=building.name))
        else:
            agreed += 1
    if agreed and not found:
        found.append(finding(rule, subject, Verdict.PASS, "review.floors.agree", count=agreed))
    return found


def _union(shapes: Any) -> Any:
    import shapely

    return shapely.union_all(list(shapes))


def judge_topology(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.topology``: outlines that had to be left out fail, those that were mended a person looks at."""
    roles = {layer: role for role, layers in subject.plan.roles.items() for layer in layers}
    areal = {role.value for role in _AREAL}
    mine = [one for one in subject.plan.repairs if roles.get(one.layer, "") in areal]
    lost: Mapping[str, Any] = {one.id: one for one in mine if one.kind in _LOST and not one.undone}
    found = []
    for one in lost.values():
        found.append(
            finding(
                rule, subject, Verdict.FAIL, "review.topology.open", feature=one.handle or one.layer,
                evidence=one.where, handle=one.handle, layer=one.layer,
            )
        )  # fmt: skip
    mended = [one for one in mine if one.kind in _MENDED and not one.undone]
    if not subject.plan.of(*_AREAL):
        return [*found, cannot(rule, subject, ("review.topology.nothing", {}))]
    if mended:
        where = [one.where for one in mended if one.where is not None and one.where.geom_type == "Polygon"]
        found.append(
            finding(
                rule, subject, Verdict.PASS, "review.topology.mended", borderline=True, count=len(mended),
                evidence=one_shape(where) if where else None,
            )
        )  # fmt: skip
    return found or [finding(rule, subject, Verdict.PASS, "review.topology.sound")]
