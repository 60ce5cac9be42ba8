"""The verb ``tunnel emergency``."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from planner_app.domain.rule import Rule
    from plugins.tunnel.model.emergency.scene import Scene


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--kind", required=True, choices=("leak", "fire", "flood", "power"))
    parser.add_argument(
        "--at", required=True, metavar="ID", help=tr("compartment:ID, sensor:ID, equipment:ID or line:ID in a tunnel")
    )
    parser.add_argument("--rate", type=float, metavar="M3H", help=tr("gas or water that comes in, m³/h"))
    parser.add_argument("--city", default="", metavar="NAME")


def run_emergency(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel emergency``."""
    from planner_app.domain.rule import in_force
    from plugins.tunnel.model.emergency.replay import replay

    rules = in_force(context.rules("tunnel."), date.today(), arguments.city)
    with context.open_project(arguments.file) as project:
        return VerbResult(scene_json(replay(project, arguments.kind, arguments.at, rules, rate=arguments.rate)))


def scene_json(scene: Scene) -> dict[str, Any]:
    """A replay with the keys of the command line."""
    return {
        "kind": scene.kind,
        "at": scene.at,
        "basis": "screening",
        "label": word("tunnel.screening", {}),
        "timeline": [
            {
                "t_s": one.t,
                "event": one.code.removeprefix("tunnel.event_"),
                "message": word(one.code, dict(one.params)),
                "zones": [f"compartment:{name}" for name in one.spaces],
                "level": one.level,
            }
            for one in scene.timeline
        ],
        "zones": [
            {"id": f"compartment:{one.id}", "state": one.state, "since_s": one.since, **one.figures}
            for one in scene.zones
        ],
        "equipment": [
            {"id": one.id, "kind": one.kind, "zone": one.zone, "action": one.action, "t_s": one.t, "known": one.known}
            for one in scene.equipment
        ],
        "exits": [
            {
                "zone": f"compartment:{one.zone}",
                "exit": one.exit or None,
                "kind": one.kind,
                "m": one.m,
                "length_m": one.length,
                "seconds": one.seconds,
                "through": list(one.rooms),
            }
            for one in scene.exits
        ],
        "closed": [f"compartment:{name}" for name in scene.closed],
        "assumptions": [value_json(one) for one in scene.values]
        + [{"id": code.removeprefix("tunnel."), "message": word(code, params)} for code, params in scene.assumptions],
        "warnings": [{"code": code, "message": word(code, params)} for code, params in scene.notes],
    }


def value_json(rule: Rule) -> dict[str, Any]:
    """A value that was used, with its source; ``clause`` empty: an assumption of the screening."""
    return {
        "id": rule.id,
        "message": str(rule.title_zh if language() == "zh_CN" else rule.title),
        "value": rule.params["value"],
        "unit": rule.unit,
        "standard": rule.standard,
        "clause": rule.clause,
        "edition": rule.edition,
        "confidence": rule.confidence,
        "evidence": rule.evidence,
    }


EMERGENCY = Verb(
    "tunnel emergency", "what a leak, fire, flood or power failure comes to (screening)", _configure, run_emergency
)
