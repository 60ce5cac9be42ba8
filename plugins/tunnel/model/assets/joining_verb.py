"""``planner tunnel join``: adopted pipes joined to the city's networks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.tunnel.model.assets.joining import Proposal


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--case", default="", metavar="ID", help=tr("pipes of one case; of all without it"))
    parser.add_argument("--node", action="append", default=[], metavar="CODE", help=tr("only these ends; repeatable"))
    parser.add_argument("--tolerance", type=float, default=None, metavar="M", help=tr("how far apart both may lie"))
    parser.add_argument("--by", default="", metavar="NAME", help=tr("who joins"))
    parser.add_argument("--dry-run", action="store_true", help=tr("say what would be joined"))


def run_join(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """What could be joined is joined as one step; what could not is told with its reason."""
    from plugins.tunnel.model.assets import joining
    from plugins.tunnel.model.assets.weaving import JoinPipes

    metres = joining.TOLERANCE if arguments.tolerance is None else arguments.tolerance
    if not 0 < metres <= joining.REACH:
        raise PlannerError("tunnel.join_metres", value=metres, most=joining.REACH)
    with context.open_project(arguments.file) as project:
        found = joining.propose(project, arguments.case, metres)
        ends = joining.chosen(found, arguments.node) if arguments.node else found.joins
        if ends and not arguments.dry_run:
            project.execute(JoinPipes(ends, arguments.by or project.user))
    return VerbResult({"joined": [] if arguments.dry_run else _joins(ends), **proposal_json(found)})


def proposal_json(found: Proposal) -> dict[str, Any]:
    """A proposal as the command line prints it."""
    left = [
        {"case": one.case, "node": one.node[1], "lines": list(one.lines), "code": one.code,
         "reason": word(one.code, dict(one.params))}
        for one in found.left
    ]  # fmt: skip
    return {"proposed": _joins(found.joins), "left": left}


def _joins(ends: Any) -> list[dict[str, Any]]:
    return [
        {"case": one.case, "node": one.node[1], "lines": list(one.lines), "network": one.network,
         "to_node": one.target_node or None, "cuts": one.target_line or None, "metres": one.distance}
        for one in ends
    ]  # fmt: skip


JOIN = Verb("tunnel join", "adopted pipes joined to the city's networks", _configure, run_join)
