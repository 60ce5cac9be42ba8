"""Rule kinds on use: main and compatible uses, and what needs a report made elsewhere."""

from __future__ import annotations

from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.checking.judging import cannot, compare, finding, place, together
from plugins.review.model.checking.limits import NO_CONDITIONS, is_housing
from plugins.review.model.checking.types import Subject
from plugins.review.model.indicators.names import use_of_class
from plugins.review.model.indicators.rule_sets import words


def judge_use(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.use``: uses that texts give the buildings, against the main and the compatible uses of the parcel."""
    conditions = subject.conditions
    if conditions is None:
        return [cannot(rule, subject, NO_CONDITIONS)]
    main = use_of_class(conditions.use)
    if not main:
        return [cannot(rule, subject, ("review.use.unknown_class", {"use": conditions.use or "—"}))]
    allowed = {use_of_class(one) for one in conditions.compatible} - {""}
    buildings = [one for one in subject.indicators.buildings if one.use != "ancillary"]
    known = [one for one in buildings if one.use]
    if not known:
        return [cannot(rule, subject, ("review.use.not_said", {}), **_named("use", main))]
    found = [
        finding(
            rule, subject, Verdict.FAIL, "review.use.not_allowed", feature=one.name, evidence=one.geometry,
            building=one.name, **_named("use", one.use), **_named("main", main),
        )
        for one in known
        if one.use != main and one.use not in allowed
    ]  # fmt: skip
    if silent := [one.name for one in buildings if not one.use]:
        found.append(cannot(rule, subject, ("review.use.silent", {"buildings": ", ".join(silent)})))
    others = [one for one in known if one.use != main and one.use in allowed]
    if others and conditions.compatible_share is not None:
        areas = [one.far_area_m2 for one in known]
        total = sum(area for area in areas if area is not None)
        if None in areas or not total or silent:
            found.append(cannot(rule, subject, ("review.use.no_areas", {}), limit=conditions.compatible_share))
        else:
            share = sum(one.far_area_m2 or 0.0 for one in others) / total
            kept, near = compare(share, conditions.compatible_share, "<=", float(rule.params["tolerance"]))
            texts = together(share, conditions.compatible_share, percent=True)
            found.append(
                finding(
                    rule, subject, Verdict.PASS if kept else Verdict.FAIL,
                    "review.use.share_kept" if kept else "review.use.share_over", measured=share,
                    limit=conditions.compatible_share, borderline=near, value=texts[0], permitted=texts[1],
                )
            )  # fmt: skip
    return found or [finding(rule, subject, Verdict.PASS, "review.use.kept", **_named("use", main))]


def _named(key: str, use: str) -> dict[str, Any]:
    entry = words("uses")[use]
    return {key: entry["en"], f"{key}_zh": entry["zh"]}


def judge_certificate(rule: Rule, subject: Subject) -> list[Finding]:
    """``review.certificate``: a report made elsewhere is needed; one attached to the case is named."""
    if rule.params["for"] == "housing":
        needed = _sunlit(rule, subject)
    else:
        area = subject.indicators.values["gfa_m2"]
        threshold = _threshold(rule, subject)
        if area.value is None or (area.partial and area.value < threshold):
            report = subject.reports.get(rule.id)
            if report is None:
                note = area.notes[0] if area.value is None else ("review.limit.partial", {})
                return [cannot(rule, subject, note, measured=area.value, limit=threshold)]
            return [_answered(rule, subject, report, limit=threshold)]
        if area.value < threshold:
            texts = together(area.value, threshold)
            return [
                finding(
                    rule, subject, Verdict.PASS, "review.certificate.below", measured=area.value, limit=threshold,
                    value=texts[0], permitted=texts[1],
                )
            ]  # fmt: skip
        needed = True
    if not needed:
        return []
    if report := subject.reports.get(rule.id):
        return [_answered(rule, subject, report)]
    return [finding(rule, subject, Verdict.NEEDS_CERTIFICATE, "review.certificate.needed")]


def _answered(rule: Rule, subject: Subject, report: str, **values: Any) -> Finding:
    """A report cites the rule, but nobody here has read what it concludes: told, never passed in silence."""
    return finding(rule, subject, Verdict.NEEDS_CERTIFICATE, "review.certificate.answered", report=report, **values)


def _threshold(rule: Rule, subject: Subject) -> float:
    """The least threshold of the uses there are."""
    uses = {one.use for one in subject.indicators.buildings if one.use not in ("", "ancillary")}
    if subject.conditions is not None and (main := use_of_class(subject.conditions.use)):
        uses.add(main)
    return min(float(rule.params.get(use, rule.params["other"])) for use in uses or {"other"})


def _sunlit(rule: Rule, subject: Subject) -> bool:
    """Whether housing may lose sunlight: the project's own, a neighbour's, or where nobody says what is there."""
    if is_housing(subject) or not any(one.use for one in subject.indicators.buildings):
        return True
    if "building" not in subject.surroundings.searched or subject.to_project is None:
        return True
    near = float(rule.params["near_m"])
    bodies = [place(subject, one.geometry) for one in subject.indicators.buildings]
    uses = subject.surroundings.neighbour_uses or ("",) * len(subject.surroundings.neighbours)
    return any(
        use in ("residential", "") and any(shape.distance(body) <= near for body in bodies)
        for (_, shape, _), use in zip(subject.surroundings.neighbours, uses, strict=True)
    )
