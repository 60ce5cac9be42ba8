"""``planner headless``: a map picture and every role's work, for machines without a screen."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from planner_app.cli_verbs.render import draw
from planner_app.domain.progress import SubProgress
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

_SIZE = (1600, 1000)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")


def _run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """Works on a copy, so that the project stays as it is however often this runs."""
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / f"work-{arguments.file.name}"
    with context.open_project(arguments.file) as project:
        project.save_copy(work, SubProgress(context.progress, 0.0, 0.1))
    results: dict[str, Any] = {}
    try:
        with context.open_project(work) as project:
            picture = draw(project, folder / "map.png", _SIZE, progress=SubProgress(context.progress, 0.1, 0.3))
            for plugin, run in context.headless:
                results[plugin] = run(project, folder, context.render_map)
    finally:
        for leftover in folder.glob(f"{work.name}*"):
            leftover.unlink()
    return VerbResult({"folder": str(folder.resolve()), "map": picture, "roles": results})


VERBS = [Verb("headless", "Draw the map and do every role's work without a screen", _configure, _run)]
