"""``planner headless``: a map picture and every role's work, for machines without a screen."""

from __future__ import annotations

import argparse
import shutil
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
    """Works on a copy, so that the project stays as it is however often this runs.

    The copy has the project's name, and beside it the folder of drawings that the project has beside it.
    """
    folder: Path = arguments.out
    place = folder / "work"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    work = place / arguments.file.name
    drawings = arguments.file.with_name(f"{arguments.file.stem}_drawings")
    with context.open_project(arguments.file) as project:
        project.save_copy(work, SubProgress(context.progress, 0.0, 0.1))
    results: dict[str, Any] = {}
    try:
        if drawings.is_dir():
            shutil.copytree(drawings, place / drawings.name)
        with context.open_project(work) as project:
            picture = draw(project, folder / "map.png", _SIZE, progress=SubProgress(context.progress, 0.1, 0.3))
            for plugin, run in context.headless:
                results[plugin] = run(context, project, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return VerbResult({"folder": str(folder.resolve()), "map": picture, "roles": results})


VERBS = [Verb("headless", "Draw the map and do every role's work without a screen", _configure, _run)]
