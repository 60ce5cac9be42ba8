"""Rule kinds of control lines: what it means that a site reaches into (or out of) a line's areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.layer import LayerInfo, PlanInfo
from planner_app.domain.rule import Rule, in_force, parse_rules

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

RULES = Path(__file__).resolve().parent.parent / "rules"
KEEP_CLEAR = "planning.keep_clear"
STAY_WITHIN = "planning.stay_within"


@dataclass(frozen=True, slots=True)
class Spot:
    """One contiguous piece of a site inside (or outside) a line: m², mean width in m, whether in a strict zone."""

    geometry: BaseGeometry
    area: float
    width: float
    strict: bool = False


@dataclass(frozen=True, slots=True)
class LineEvidence:
    """What was measured of one line.

    Attributes:
        site: the site's name; layer: the layer's name, empty if there is none.
        state: ``measured``; or why nothing was: ``missing`` (no layer), ``unknown`` (a named layer is not there),
            ``not_named`` (there is one, but others were named), ``empty``, ``open_lines`` (drawn as lines that enclose
            nothing), ``no_rule``, ``none_in_force``.
        spots: pieces in breach, gates not yet applied; crossing: length in m where only open lines exist.
        purpose: what the project declares itself to be, an entry of a rule's ``exceptions``.
    """

    site: str
    layer: str = ""
    state: str = "measured"
    spots: tuple[Spot, ...] = ()
    crossing: float = 0.0
    purpose: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def gates(rule: Rule | None) -> tuple[float, float]:
    """Smallest area in m² and mean width in m that count."""
    params = rule.params if rule else {}
    return float(params.get("min_area_m2", 1.0)), float(params.get("min_width_m", 0.1))


def passes_gates(rule: Rule | None, spot: Spot) -> bool:
    """True if a piece is large enough to count."""
    area, width = gates(rule)
    return spot.area > area and spot.width > width


def judge_line(rule: Rule, seen: LineEvidence) -> list[Finding]:
    """One finding about one line. Both kinds judge alike; they differ in what was measured."""
    stay = rule.kind == STAY_WITHIN
    if seen.state == "open_lines" and seen.crossing > 0:
        return [_finding(rule, seen, _verdict(rule, seen, False), seen.crossing, "planning.control.crosses", unit="m")]
    if seen.state != "measured":
        return [_finding(rule, seen, Verdict.CANNOT_JUDGE, None, f"planning.control.{seen.state}")]
    counted = [spot for spot in seen.spots if passes_gates(rule, spot)]
    dropped = len(seen.spots) - len(counted)
    if not counted:
        code = "planning.control.within" if stay else "planning.control.clear"
        code = f"{code}_borderline" if dropped else code
        return [_finding(rule, seen, Verdict.PASS, 0.0, code, borderline=dropped > 0)]
    area = sum(spot.area for spot in counted)
    verdict = _verdict(rule, seen, any(spot.strict for spot in counted))
    code = "planning.control.outside" if stay else "planning.control.inside"
    found = _finding(rule, seen, verdict, area, code, counted=counted)
    return [found]


def judge_without_rule(seen: LineEvidence) -> Finding:
    """The finding about a layer whose kind of line no rule knows."""
    rule = Rule("planning.control_line", KEEP_CLEAR, "Control line", "控制线", unit="m²")
    return _finding(rule, seen, Verdict.CANNOT_JUDGE, sum(spot.area for spot in seen.spots), "planning.control.no_rule")


def _verdict(rule: Rule, seen: LineEvidence, strict: bool) -> Verdict:
    if strict:
        return Verdict(rule.params.get("strict_verdict", "fail"))
    if seen.purpose and seen.purpose in rule.params.get("exceptions", []):
        return Verdict.NEEDS_CERTIFICATE
    return Verdict(rule.params["verdict"])


def _finding(
    rule: Rule,
    seen: LineEvidence,
    verdict: Verdict,
    measured: float | None,
    message: str,
    *,
    counted: Sequence[Spot] = (),
    borderline: bool = False,
    unit: str = "",
) -> Finding:
    evidence = None
    if counted:
        import shapely

        shapes = [part for spot in counted for part in shapely.get_parts(spot.geometry)]
        evidence = shapely.geometry.mapping(shapely.multipolygons(shapes) if len(shapes) > 1 else shapes[0])
    params = {
        "site": seen.site,
        "layer": seen.layer,
        "line": rule.title[:1].lower() + rule.title[1:],
        "line_zh": rule.title_zh,
        **seen.params,
    }
    return Finding(
        rule=rule.id,
        verdict=verdict,
        feature=seen.site,
        measured=measured,
        limit=None if measured is None else 0.0,
        unit=unit or rule.unit,
        standard=rule.standard,
        clause=rule.clause,
        edition=rule.edition,
        confidence=rule.confidence,
        blocking=verdict is Verdict.FAIL and rule.may_block,
        borderline=borderline,
        message=message,
        params={**params, "area": measured},
        evidence=evidence,
    )


def shipped_rules() -> list[Rule]:
    """The control-line rules that come with the plugin."""
    return [
        rule
        for file in sorted(RULES.glob("*.toml"))
        for rule in parse_rules(file.read_text(encoding="utf-8"), file.name)
    ]


def line_rules(rules: Sequence[Rule], on: date, city: str = "") -> list[Rule]:
    """The rules about control lines in force on a day; a city's own rule replaces the national one of its id."""
    chosen = {rule.id: rule for rule in sorted(in_force(rules, on, city), key=lambda rule: rule.city != "")}
    order = dict.fromkeys(rule.id for rule in rules)
    return [chosen[name] for name in order if name in chosen and chosen[name].kind in (KEEP_CLEAR, STAY_WITHIN)]


def rule_named(text: str, rules: Sequence[Rule]) -> Rule | None:
    """The rule whose name (the longest, where several do) stands in a text."""
    folded = text.casefold()
    hits = [(len(word), rule) for rule in rules for word in rule.params.get("names", []) if word.casefold() in folded]
    return max(hits, key=lambda hit: hit[0])[1] if hits else None


def rule_of_layer(layer: LayerInfo, plan: PlanInfo | None, rules: Sequence[Rule]) -> Rule | None:
    """Which line a layer is: by its own name, its plan's name, its plan's kind.

    The kind speaks for polygons only: a road's centre line is not its red line.
    """
    found = rule_named(layer.name, rules)
    if found is None and plan is not None:
        found = rule_named(plan.name, rules)
        if found is None and layer.geometry == "polygon":
            found = next((rule for rule in rules if plan.kind.value in rule.params.get("plan_kinds", [])), None)
    return found
