"""Rule kinds on the project's own layers: the approved parcel, control lines, facilities within reach."""

from __future__ import annotations

from typing import Any

import shapely

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.checking.judging import area_of, cannot, finding, one_shape, pieces, place
from plugins.review.model.checking.limits import NO_CONDITIONS, is_housing
from plugins.review.model.checking.types import Subject


def judge_red_line(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.red_line``: the site lies within the approved parcel."""
    site = subject.indicators.values["site_area_m2"]
    if site.geometry is None:
        return [cannot(rule, subject, site.notes[0])]
    parcel: Any = subject.surroundings.parcel
    if subject.conditions is not None and subject.conditions.wkb is not None:
        parcel = shapely.from_wkb(subject.conditions.wkb)
    if parcel is None:
        note = NO_CONDITIONS if subject.conditions is None else ("review.red_line.no_parcel", {})
        return [cannot(rule, subject, note)]
    if subject.to_project is None:
        return [cannot(rule, subject, ("review.unplaced", {}))]
    shape = place(subject, site.geometry)
    if not parcel.intersects(shape):
        away = float(shapely.distance(shape, parcel))
        return [
            finding(
                rule, subject, Verdict.FAIL, "review.red_line.elsewhere", measured=float(shape.area), limit=0.0,
                ground=shape, distance=away,
            )
        ]  # fmt: skip
    counted, dropped = pieces(shapely.difference(shape, parcel), rule)
    if counted:
        over = area_of(counted)
        return [
            finding(
                rule, subject, Verdict.FAIL, "review.red_line.outside", measured=over, limit=0.0,
                ground=one_shape(counted), area=over,
            )
        ]  # fmt: skip
    code = "review.red_line.sliver" if dropped else "review.red_line.within"
    return [
        finding(
            rule, subject, Verdict.PASS, code, measured=0.0, limit=0.0, borderline=bool(dropped), count=len(dropped),
            area=area_of(dropped),
        )
    ]  # fmt: skip


def judge_line(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.control_line``: the site (or the buildings) against one kind of control line of the project."""
    kind = rule.params["line"]
    on_site = rule.params["subject"] == "site"
    for key in ("site_area_m2",) if on_site else ("site_area_m2", "footprint_m2"):  # around the site things were sought
        missing = subject.indicators.values[key]
        if missing.geometry is None:
            return [cannot(rule, subject, next(iter(missing.notes), ("review.not_measured", {})))]
    if subject.to_project is None:
        return [cannot(rule, subject, ("review.unplaced", {}))]
    shapes = _subjects(subject, on_site)
    if kind not in subject.surroundings.searched:
        return [cannot(rule, subject, ("review.line.missing", {}))]
    near = [shape for _, one, shape in subject.surroundings.lines if one == kind]
    names = ", ".join(subject.surroundings.layers.get(kind, ()))
    areas = [one for one in near if one.geom_type in ("Polygon", "MultiPolygon")]
    lines = [one for one in near if one.geom_type not in ("Polygon", "MultiPolygon")]
    areas += list(shapely.get_parts(shapely.polygonize(lines))) if lines and not areas else []
    breach = Verdict(rule.params["verdict"])
    if lines and not areas:
        crossing = float(sum(shapely.intersection(shape, line).length for _, shape in shapes for line in lines))
        if not crossing:
            return [cannot(rule, subject, ("review.line.open", {"layer": names}))]
        met = shapely.intersection(shapely.union_all([one for _, one in shapes]), shapely.union_all(lines))
        return [
            finding(
                rule,
                subject,
                breach,
                "review.line.crosses",
                measured=crossing,
                unit="m",
                ground=met,
                layer=names,
                length=crossing,
            )
        ]
    held = shapely.union_all(areas)
    within = bool(rule.params.get("within", False))
    found: list[Finding] = []
    slivers = 0
    for name, shape in shapes:
        part = shapely.difference(shape, held) if within else shapely.intersection(shape, held)
        counted, dropped = pieces(part, rule)
        slivers += len(dropped)
        if counted:
            area = area_of(counted)
            code = "review.line.outside" if within else "review.line.inside"
            code += "" if on_site else "_building"
            found.append(
                finding(
                    rule, subject, breach, code, feature=name or names, measured=area, limit=0.0,
                    ground=one_shape(counted), area=area, layer=names, building=name,
                )
            )  # fmt: skip
    if found:
        return found
    code = ("review.line.within" if within else "review.line.clear") + ("_sliver" if slivers else "")
    about: dict[str, Any] = {"measured": 0.0, "limit": 0.0, "borderline": slivers > 0, "layer": names}
    return [finding(rule, subject, Verdict.PASS, code, feature=names, count=slivers, **about)]


def _subjects(subject: Subject, on_site: bool) -> list[tuple[str, Any]]:
    if on_site:
        site = subject.indicators.values["site_area_m2"].geometry
        return [] if site is None else [("", place(subject, site))]
    return [(one.name, place(subject, one.outline or one.geometry)) for one in subject.indicators.buildings]


def judge_facility(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.facility``: a facility that housing needs, within a circle around the site."""
    if not is_housing(subject):
        return []
    site = subject.indicators.values["site_area_m2"].geometry
    if site is None or subject.to_project is None:
        note = ("review.unplaced", {}) if site is not None else subject.indicators.values["site_area_m2"].notes[0]
        return [cannot(rule, subject, note)]
    if "facility" not in subject.surroundings.searched:
        return [cannot(rule, subject, ("review.facility.no_layer", {}))]
    shape = place(subject, site)
    radius = float(rule.params["radius_m"])
    classes = tuple(rule.params["classes"])
    there = [
        (float(shapely.distance(shape, one)), code, one)
        for _, code, one in subject.surroundings.facilities
        if code.startswith(classes)
    ]
    distance, code, where = min(there, key=lambda one: one[0], default=(None, "", None))
    if distance is None or distance > radius:
        verdict = Verdict(rule.params["verdict"])
        return [finding(rule, subject, verdict, "review.facility.far", measured=distance, limit=radius, radius=radius)]
    return [
        finding(
            rule, subject, Verdict.PASS, "review.facility.near", feature=code, measured=distance, limit=radius,
            ground=shapely.shortest_line(shape, where) if distance else None, distance=distance,
        )
    ]  # fmt: skip
