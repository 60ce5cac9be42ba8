"""``planner sample``: the sample new town."""

from __future__ import annotations

import argparse
from pathlib import Path

from planner_app.plugin_api.model import Verb, VerbContext, VerbResult


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="project file to make")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="another number makes another town")


def _run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    from sample_projects.build import SEED, build

    seed = SEED if arguments.seed is None else arguments.seed
    return VerbResult(build(arguments.file, seed, context.progress))


VERBS = [Verb("sample", "make the sample new town", _configure, _run)]
