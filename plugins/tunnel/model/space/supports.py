"""Rules of supports: what they carry, and how full they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.judged import HAIR, State, finding
from plugins.tunnel.model.space.section import Placement, Section


def carried(section: Section) -> list[tuple[Any, list[Placement]]]:
    """(support, lines on it) of every support that carries something."""
    on: dict[str, list[Placement]] = {}
    for one in section.placements:
        support = section.support_of(one)
        if support is not None:
            on.setdefault(support.code, []).append(one)
    return [(support, on[support.code]) for support in section.supports if support.code in on]


def occupancy(support: Any, lines: Sequence[Placement]) -> float:
    """Share of a support's length taken by outer diameters side by side; above 1 if they need a second layer."""
    return (
        sum((one.outer_d or 0.0) * one.count for one in lines) / support.length if support.length > 0 else float("inf")
    )


def _load(rule: Rule, state: State) -> list[Finding]:
    """Weight on every support that carries something, against its capacity; estimated where it is not stated."""
    span, densities = float(rule.params["span_m"]), rule.params["density_kg_m3"]
    found = []
    for support, lines in carried(state.section):
        if support.capacity_kg is None:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "capacity_unknown", support.code, lines=lines))
            continue
        weights = [_weight(one, densities) for one in lines]
        if any(weight is None for weight, _ in weights):
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "weight_unknown", support.code, lines=lines))
            continue
        load = sum(weight for weight, _ in weights if weight is not None) * span
        stated = all(said for _, said in weights)
        good = load <= support.capacity_kg + HAIR
        over = Verdict.FAIL if stated else Verdict.NEEDS_CERTIFICATE
        code = ("carries" if good else "overloaded") if stated else ("carries_estimated" if good else "load_estimated")
        found.append(
            finding(rule, state, Verdict.PASS if good else over, code, support.code, measured=load,
                     limit=support.capacity_kg, lines=lines, span=span)
        )  # fmt: skip
    return found


def _weight(one: Placement, densities: Mapping[str, float]) -> tuple[float | None, bool]:
    """(kg/m of the whole bundle, whether it is stated)."""
    if one.weight_kg_m is not None:
        return one.weight_kg_m * one.count, True
    density = densities.get(one.kind)
    if density is None or one.outer_d is None:
        return None, False
    return 3.141592653589793 / 4 * one.outer_d**2 * float(density) * one.count, False


def _occupancy(rule: Rule, state: State) -> list[Finding]:
    """What lies on a support fits on its length side by side; more means a second layer, to be justified."""
    limit = float(rule.params["max_share"])
    found = []
    for support, lines in carried(state.section):
        share = occupancy(support, lines)
        good = share <= limit + HAIR
        verdict, code = (Verdict.PASS, "fits") if good else (Verdict.NEEDS_CERTIFICATE, "stacked")
        found.append(
            finding(rule, state, verdict, code, support.code, measured=share, limit=limit, unit="", lines=lines)
        )
    return found


SUPPORTS: Mapping[str, Callable[[Rule, State], list[Finding]]] = {
    "tunnel.section.load": _load,
    "tunnel.section.occupancy": _occupancy,
}
