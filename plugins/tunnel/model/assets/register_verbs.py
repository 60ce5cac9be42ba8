"""``planner tunnel assets``, ``tunnel status`` and ``tunnel adopt``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from planner_app.i18n import tr
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult


def _configure_assets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--find", default="", metavar="TEXT", help=tr("code, name, or chainage such as GL01 K1+250"))


def run_assets(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel assets``: statistics, or what a search finds."""
    from plugins.tunnel.model.assets.register import search, statistics

    with context.open_project(arguments.file) as project:
        if arguments.find:
            found = search(project, arguments.find)
            return VerbResult({"found": [{"id": one.id, **asdict(one)} for one in found]})
        data = asdict(statistics(project))
    for key in ("by_kind", "by_material", "by_status", "by_age", "by_owner"):
        data[key] = [{"key": name, "km": km, "lines": count} for name, km, count in data[key]]
    return VerbResult(data)


def _configure_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--id", required=True, metavar="ID,…", help=tr("assets, as line:GX00012"))
    parser.add_argument("--to", default="", metavar="STATUS", help="planned | building | in_use | abandoned")
    parser.add_argument("--by", default="", metavar="NAME", help=tr("who says so"))
    parser.add_argument("--note", default="", help=tr("why"))


def run_status(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel status``: change the state of assets, or show their history."""
    from plugins.tunnel.model.assets.register import find_one
    from plugins.tunnel.model.assets.status import SetStatus, history

    with context.open_project(arguments.file) as project:
        found = [find_one(project, one.strip()) for one in arguments.id.split(",") if one.strip()]
        if arguments.to:
            by_layer: dict[str, list[int]] = {}
            for one in found:
                by_layer.setdefault(one.layer_id, []).append(one.fid)
            for layer, fids in by_layer.items():
                by = arguments.by or project.user
                project.execute(SetStatus(layer, fids, arguments.to, by, note=arguments.note))
        assets = [
            {"id": one.id, "history": [asdict(event) for event in history(project, one.layer_id, one.fid)]}
            for one in found
        ]  # fmt: skip
    return VerbResult({"assets": assets})


def _configure_adopt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--case", default="", metavar="ID", help=tr("number of one case; all without it"))
    parser.add_argument("--survey", type=Path, metavar="FILE", help=tr("as-built survey of that case as a pipe table"))
    parser.add_argument("--by", default="", metavar="NAME", help=tr("who adopts"))
    parser.add_argument("--dry-run", action="store_true", help=tr("say what would be adopted"))


def run_adopt(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel adopt``: approved pipes become planned assets, surveyed ones assets in use; says what of them
    ``tunnel join`` could join to the city's networks."""
    from planner_app.domain.errors import PlannerError
    from plugins.tunnel.model.assets.adopt import CasePipes, adopt, waiting_cases
    from plugins.tunnel.model.assets.importing import draft_of, look_into
    from plugins.tunnel.model.assets.joining import propose
    from plugins.tunnel.model.assets.joining_verb import proposal_json

    def told(one: CasePipes) -> dict[str, Any]:
        return {
            "case": one.number, "drawing": one.drawing, "survey": one.survey, "new": len(one.new),
            "moved": len(one.moved), "levels": one.levels, "extra": len(one.extra), "missing": list(one.missing),
            "built": [{"dn_mm": pipe.dn_mm, "deviation_m": away} for _, pipe, away in one.built],
        }  # fmt: skip

    if arguments.survey and not arguments.case:
        raise PlannerError("tunnel.survey_without_case")
    with context.open_project(arguments.file) as project:
        if arguments.dry_run:
            return VerbResult({"waiting": [told(one) for one in waiting_cases(project, arguments.case)]})
        survey = draft_of(project, look_into(project, arguments.survey)) if arguments.survey else None
        done = adopt(project, arguments.case, arguments.by, survey)
        joins = proposal_json(propose(project, arguments.case))
    faults = [] if survey is None else [{"row": one.where, "reason": one.code} for one in survey.faults]
    return VerbResult({"adopted": [told(one) for one in done], "faults": faults, "joins": joins})


ASSETS = Verb("tunnel assets", "what there is, by kind, age and state; or what a search finds", _configure_assets,
              run_assets)  # fmt: skip
STATUS = Verb("tunnel status", "change the state of assets, or show their history", _configure_status, run_status)
ADOPT = Verb("tunnel adopt", "pipes approved in review become assets", _configure_adopt, run_adopt)
