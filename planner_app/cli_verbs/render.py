"""``planner render``: a map picture without a screen."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.progress import Progress
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult

_TIMEOUT_S = 600.0


def draw(
    project: Project,
    out: Path,
    size: tuple[int, int],
    *,
    extent: tuple[float, float, float, float] | None = None,
    layers: Sequence[str] | None = None,
    dpi: float = 96.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Draw a project's visible layers (or those named) into a PNG.

    Raises:
        PlannerError: ``engine.*``, ``layer.unknown``.
        Cancelled: the person asked to stop.
    """
    chosen = [project.layer(ref) for ref in layers] if layers else [one for one in project.layers() if one.visible]
    chosen = [layer for layer in chosen if layer.geometry != "none"]
    shown = extent or _extent(project, [layer.id for layer in chosen])
    if not chosen or shown is None:
        raise PlannerError("engine.nothing_to_draw", file=project.path.name)
    params = {
        "out": str(out.resolve()),
        "width": size[0],
        "height": size[1],
        "extent": list(shown if extent else _padded(shown)),
        "layers": [{"id": layer.id, "opacity": layer.opacity} for layer in chosen],
        "dpi": dpi,
    }
    answer = _ask(project.path, params, progress)
    return {"out": str(out), "seconds": answer["seconds"], "layers": [layer.name for layer in chosen]}


def _extent(project: Project, ids: list[str]) -> tuple[float, float, float, float] | None:
    boxes = [box for layer_id in ids if (box := project.extent(layer_id)) is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _padded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A little air around; a single point gets 100 m."""
    pad = max(box[2] - box[0], box[3] - box[1]) * 0.02 or 50.0
    return box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad


def _ask(path: Path, params: dict[str, Any], progress: Progress | None) -> dict[str, Any]:
    """Start an engine, draw, stop it. Runs an event loop of its own where there is none."""
    from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEventLoop

    from planner_app.engine_client import EngineClient

    application = QCoreApplication.instance() or QCoreApplication([])
    client = EngineClient()
    answers: list[dict[str, Any]] = []
    errors: list[PlannerError] = []
    client.open_project(path)
    client.start()
    client.request("snapshot", params, answers.append, errors.append)
    deadline = time.monotonic() + _TIMEOUT_S
    try:
        while not answers and not errors:
            application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, QDeadlineTimer(50))
            if progress is not None and progress.is_cancelled():
                raise Cancelled
            if time.monotonic() > deadline:
                raise PlannerError("engine.timeout", seconds=int(_TIMEOUT_S))
            time.sleep(0.005)
    finally:
        client.stop()
    if errors:
        raise errors[0]
    return answers[0]


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise PlannerError("engine.size_wrong", size=text)
    return int(width), int(height)


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise PlannerError("engine.bbox_wrong", bbox=text) from error
    if not (west < east and south < north):
        raise PlannerError("engine.bbox_wrong", bbox=text)
    return west, south, east, north


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    parser.add_argument("--size", default="1600x1000", metavar="WxH")
    parser.add_argument("--bbox", metavar="x0,y0,x1,y1")
    parser.add_argument("--layers", metavar="L,…")


def _run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    size = _size(arguments.size)
    extent = _bbox(arguments.bbox) if arguments.bbox else None
    layers = [name for name in arguments.layers.split(",") if name] if arguments.layers else None
    with context.open_project(arguments.file) as project:
        return VerbResult(draw(project, arguments.out, size, extent=extent, layers=layers, progress=context.progress))


VERBS = [Verb("render", "Draw the map into a PNG", _configure, _run)]
