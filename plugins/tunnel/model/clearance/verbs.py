"""The verb ``tunnel clearance``."""

from __future__ import annotations

import argparse
import math
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.tunnel.model.clearance.judge import Check
    from plugins.tunnel.model.clearance.report import Pair
    from plugins.tunnel.model.clearance.zones import Intrusion


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--with", dest="layer", default="", metavar="LAYER", help=tr("planned construction, pits or piles to judge")
    )
    parser.add_argument("--max", type=float, default=5.0, metavar="M", help=tr("how far apart in plan things may be"))
    parser.add_argument("--on", default="", metavar="DATE", help=tr("the day whose rules count (today)"))
    parser.add_argument("--city", default="", metavar="NAME")


def run_clearance(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel clearance``: exit code 1 if a rule that may block fails."""
    from planner_app.domain.rule import in_force
    from plugins.tunnel.model.clearance.report import assess

    rules = in_force(context.rules("tunnel."), _day(arguments.on), arguments.city)
    with context.open_project(arguments.file) as project:
        report = assess(project, rules, layer=arguments.layer, reach=arguments.max, progress=context.progress)
    pairs = [pair_json(pair) for pair in report.pairs]
    counts = dict.fromkeys(("fail", "needs_certificate", "cannot_judge", "pass"), 0)
    for pair in pairs:
        counts[pair["verdict"]] += 1
    data = {
        "pairs": pairs,
        "zones": [zone_json(one) for one in report.zones],
        "counts": counts,
        "blocking": sum(pair["blocking"] for pair in pairs),
        "warnings": [{"code": code, "message": word(code, params)} for code, params in report.notes],
    }
    return VerbResult(data, 1 if report.blocking else 0)


def pair_json(pair: Pair) -> dict[str, Any]:
    """A pair with the keys of the command line; distances in m, None where not known."""
    deciding = pair.deciding
    return {
        "a": pair.a,
        "b": pair.b,
        "kind_a": pair.kinds[0],
        "kind_b": pair.kinds[1],
        "plan_m": pair.plan,
        "vertical_m": _known(pair.vertical),
        "true_m": _known(pair.true),
        **_check(deciding),
        "blocking": any(one.blocking for one in pair.checks),
        "message": message(deciding),
        "where": list(pair.where),
        "checks": [_check(one) | {"message": message(one)} for one in pair.checks],
    }


def message(check: Check) -> str:
    """One check as a sentence."""
    params: dict[str, object] = {
        "direction": word(f"tunnel.direction_{check.direction}", {}),
        "measured": "–" if check.measured is None else f"{check.measured:.3f}",
        "required": "–" if check.required is None else f"{check.required:.2f}",
        "rule": "" if check.rule is None else _title(check.rule),
    }
    return word(check.message, params)


def zone_json(one: Intrusion) -> dict[str, Any]:
    """A work in a zone with the keys of the command line."""
    rule = one.rule
    return {
        "feature": one.feature,
        "name": one.name,
        "layer": one.layer,
        "tunnel": f"tunnel:{one.tunnel.code}",
        "zone": one.zone,
        "reach_m": rule.params["reach_m"],
        "title": _title(rule),
        "distance_m": one.distance,
        "depth_m": _known(one.depth),
        "below_tunnel_m": _known(one.below_floor),
        "method": one.method,
        "from_m": _known(one.from_m),
        "to_m": _known(one.to_m),
        "verdict": "needs_certificate",
        "approvals": [{"id": need, "title": word(f"tunnel.need_{need}", {})} for need in one.approvals],
        "monitoring": {
            "quantities": [{"id": what, "title": word(f"tunnel.watch_{what}", {})} for what in one.quantities],
            "spacing_m": one.spacing,
            "points": [{"m": point.m, "x": point.x, "y": point.y} for point in one.points],
        },
        "needs_evidence": rule.params.get("needs_evidence", rule.evidence),
        "method_assumed": one.assumed,
        "standard": rule.standard,
        "clause": rule.clause,
        "edition": rule.edition,
        "confidence": rule.confidence,
        "evidence": rule.evidence,
    }


def _check(check: Check) -> dict[str, Any]:
    rule = check.rule
    return {
        "direction": check.direction,
        "measured_m": check.measured,
        "required_m": check.required,
        "verdict": str(check.verdict),
        "rule": rule.id if rule else "",
        "standard": rule.standard if rule else "",
        "clause": rule.clause if rule else "",
        "edition": rule.edition if rule else "",
        "confidence": rule.confidence if rule else "",
        "evidence": rule.evidence if rule else "",
        "blocking": check.blocking,
        "borderline": check.borderline,
    }


def _title(rule: Any) -> str:
    return str(rule.title_zh if language() == "zh_CN" else rule.title)


def _known(value: float) -> float | None:
    return None if math.isnan(value) or math.isinf(value) else value


def _day(text: str) -> date:
    if not text:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PlannerError("tunnel.day_wrong", value=text) from error


CLEARANCE = Verb(
    "tunnel clearance", "distances of pipes, tunnels and works against their limits", _configure, run_clearance
)
