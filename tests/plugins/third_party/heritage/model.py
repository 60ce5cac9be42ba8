"""A third party's plugin: a verb and a rule kind that caps the height near heritage sites."""

from __future__ import annotations

import argparse
from pathlib import Path

from planner_app.plugin_api.model import Finding, ModelApi, Rule, RuleKind, Verb, VerbContext, VerbResult, Verdict


def judge_height(rule: Rule, height_m: float | None, distance_m: float) -> list[Finding]:
    """Height allowed grows with the distance from the site: limit = base + slope × distance."""
    limit = rule.params["base_m"] + rule.params["slope"] * distance_m
    if height_m is None:
        return [Finding(rule.id, Verdict.CANNOT_JUDGE, limit=limit, unit="m")]
    verdict = Verdict.PASS if height_m <= limit else Verdict.FAIL
    return [Finding(rule.id, verdict, measured=height_m, limit=limit, unit="m", blocking=rule.may_block)]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)


def _run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    with context.open_project(arguments.file) as project:
        return VerbResult({"layers": [layer.name for layer in project.layers()]})


def register(api: ModelApi) -> None:
    api.add_verb(Verb("heritage", "List the layers a heritage check would read", _configure, _run))
    api.add_rule_kind(RuleKind("heritage.height", "Height near heritage", judge_height))
    api.add_rules(api.folder / "rules.toml")
