"""``planner review rules``: what a drawing is judged by on a day; a city's own counting rules, kept in the project."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from planner_app.i18n import language, tr
from planner_app.plugin_api.model import PlannerError, Verb, VerbContext, VerbResult


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=tr("project file"))
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help=tr("day whose rules hold (default: today)"))
    parser.add_argument(
        "--city", default="", metavar="NAME", help=tr("city whose own rules go before the national ones")
    )
    parser.add_argument(
        "--add",
        type=Path,
        metavar="TOML",
        help=tr("keep a city's counting rules or a floor-area rule set in the project"),
    )


def _run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from plugins.review.model.checking.check import rule_json, rules_on
    from plugins.review.model.indicators.rule_sets import keep_rule_set, load_rule_sets

    try:
        on = date.fromisoformat(arguments.date) if arguments.date else date.today()
    except ValueError as error:
        raise PlannerError("review.rules_date", text=arguments.date) from error
    data: dict[str, Any] = {"date": on.isoformat(), "city": arguments.city}
    with context.open_project(arguments.file) as project:
        if arguments.add is not None:
            try:
                text = arguments.add.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise PlannerError("review.rule_set_broken", file=str(arguments.add), detail=str(error)) from error
            data["added"] = keep_rule_set(project, text).id
        sets = load_rule_sets(project)
    area, city = sets.area_on(on), sets.city(arguments.city, on)
    chinese = language() == "zh_CN"
    data["floor_area_rules"] = None if area is None else area.id
    data["city_rules"] = None if city is None else city.id
    data["cities"] = [{"id": one.id, "name": one.name} for one in sets.cities]
    data["rules"] = [
        {
            **{key: value for key, value in rule_json(rule).items() if key not in ("title", "title_zh", "params")},
            "title": rule.title_zh if chinese else rule.title,
            "may_block": rule.may_block,
        }
        for rule in rules_on(context.rules("review."), on, arguments.city)
    ]
    return VerbResult(data)


RULES = Verb("review rules", "list the rules in force on a day; keep a city's own counting rules", _configure, _run)
