"""``planner new | layers | log | undo | redo | verify``: the project file on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult
from planner_app.project import CheckResult, Project


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="project file")


def _configure_new(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--crs", required=True, help="coordinate system of the project, e.g. EPSG:4549")
    parser.add_argument("--name", default=None, help="name of the project (default: the file's)")


def _new(_context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    with Project.create(arguments.file, arguments.crs, arguments.name) as project:
        return VerbResult({"file": str(arguments.file), "crs": project.crs, "name": project.name})


def _layers(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    with context.open_project(arguments.file) as project:
        plans = {plan.id: plan for plan in project.plans()}
        found: list[dict[str, Any]] = []
        for layer in project.layers():
            plan = plans.get(layer.plan_id)
            found.append(
                {
                    "layer": layer.id,
                    "name": layer.name,
                    "features": project.count(layer.id),
                    "geometry": layer.geometry,
                    "extent": project.extent(layer.id),
                    "plan": None if plan is None else {"kind": plan.kind.value, "name": plan.name},
                    "class_field": layer.class_field or None,
                    "class_standard": layer.class_standard or None,
                    "fields": [{"name": field.name, "type": field.type} for field in layer.fields],
                    "source": layer.source,
                    "source_crs": layer.source_crs,
                }
            )
        return VerbResult({"crs": project.crs, "layers": found})


def _configure_log(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="newest N entries (default 100)")


def _log(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    with context.open_project(arguments.file) as project:
        entries = [
            {
                "id": entry.id,
                "time": entry.time,
                "user": entry.user,
                "origin": entry.origin,
                "command": entry.command,
                "params": entry.params,
                "rows": entry.rows,
                "undone": entry.undone,
            }
            for entry in project.log(arguments.limit)
        ]
        return VerbResult({"entries": entries})


def _configure_undo(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument(
        "--entry", type=int, default=None, metavar="ID", help="this entry of the log (also of other programs)"
    )


def _undo(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    with context.open_project(arguments.file) as project:
        done = project.undo() if arguments.entry is None else project.undo_entry(arguments.entry)
        return VerbResult({"undone": _about(done)})


def _redo(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    with context.open_project(arguments.file) as project:
        done = _about(project.redo())
        return VerbResult({"undone": done, "redone": done})


def _about(changes: ChangeSet | None) -> dict[str, Any] | None:
    """The command an undo or redo was about; None if there was nothing to do."""
    if changes is None:
        return None
    return {"id": changes.params["entry"], "command": changes.params["command"]}


def _verify(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    try:
        with context.open_project(arguments.file) as project:
            results = project.verify(context.progress)
    except PlannerError as error:
        if error.code != "project.damaged":
            raise
        # So damaged that it does not even open: that is a verdict, not bad input.
        results = [CheckResult("integrity", False, str(error.params["detail"]))]
    checks = [{"name": result.name, "ok": result.ok, "detail": result.detail} for result in results]
    ok = all(result.ok for result in results)
    return VerbResult({"ok": ok, "checks": checks}, 0 if ok else 1)


VERBS = [
    Verb("new", "Create an empty project file", _configure_new, _new),
    Verb("layers", "List the layers of a project", _file, _layers),
    Verb("log", "List what was done, newest first", _configure_log, _log),
    Verb("undo", "Take back the newest command, or any entry of the log", _configure_undo, _undo),
    Verb("redo", "Do again what was undone last", _file, _redo),
    Verb("verify", "Check that the project file is whole", _file, _verify),
]
