"""The verb ``tunnel field``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult
from plugins.tunnel.model.operation.order_verbs import Keeper, act, add_act_arguments, asked, order_json
from plugins.tunnel.model.operation.verbs import add_observation_arguments, observation_of

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.records import Conflict


def _configure_field(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help=tr("a project, or a field package to look at or write into"))
    parser.add_argument("--out", type=Path, default=None, metavar="X.fieldpkg", help=tr("hand rounds out"))
    parser.add_argument("--plan", action="append", default=[], metavar="PLAN", help=tr("these plans; repeatable"))
    parser.add_argument("--tunnel", action="append", default=[], metavar="CODE", help=tr("plans of these tunnels"))
    parser.add_argument(
        "--order", action="append", default=[], metavar="ORDER",
        help=tr("these work orders, else those on the way; in a package: the one to take on"),
    )  # fmt: skip
    parser.add_argument("--take-in", type=Path, default=None, metavar="X.fieldpkg", help=tr("merge a package"))
    parser.add_argument("--resolve", choices=("ours", "theirs", "ask"), default="ask", help=tr("who wins conflicts"))
    parser.add_argument("--decide", default="", metavar="CONFLICT", help=tr("decide one conflict with --resolve"))
    parser.add_argument("--add-observation", action="store_true", help=tr("write an observation into a package"))
    parser.add_argument("--by", default="", metavar="NAME")
    parser.add_argument("--at", default="", metavar="TIME", help=tr("the moment, now unless given"))
    add_observation_arguments(parser)
    add_act_arguments(parser)


def run_field(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel field``: hand a package out, write into it, take it in, decide conflicts."""
    if arguments.add_observation:
        return VerbResult(_written(arguments))
    if not arguments.out and not arguments.take_in and not arguments.decide and _is_zip(arguments.file):
        rules = context.rules("tunnel.entry")
        return VerbResult(_worked(arguments, rules) if asked(arguments) else _looked_at(arguments.file, rules))
    with context.open_project(arguments.file) as project:
        if arguments.out is not None:
            return VerbResult(_handed_out(context, project, arguments))
        if arguments.take_in is not None:
            return VerbResult(_taken_in(context, project, arguments))
        if arguments.decide:
            _decided(project, arguments)
        return VerbResult({"conflicts": _open_conflicts(project)})


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"PK"
    except OSError:
        return False


def _handed_out(context: VerbContext, project: Project, arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation.field_making import make_package

    by = arguments.by or project.user
    made = make_package(
        project, arguments.out, by=by, plans=arguments.plan, tunnels=arguments.tunnel, orders=arguments.order or None,
        rules=context.rules("tunnel.entry"), progress=context.progress,
    )  # fmt: skip
    return {
        "out": str(arguments.out), "package": made.id, **{name: len(rows) for name, rows in made.base.items()},
        "assets": len(made.about["assets"]), "sections": len(made.about["sections"]), "photos": len(made.media),
    }  # fmt: skip


def _looked_at(path: Path, rules: list[Any]) -> dict[str, Any]:
    from plugins.tunnel.model.operation.field_orders import package_orders
    from plugins.tunnel.model.operation.field_package import read_package

    package = read_package(path)
    new = {
        name: sum(uuid not in package.base.get(name, {}) for uuid in rows) for name, rows in package.data.items()
    }  # fmt: skip
    return {
        "manifest": package.manifest, "rows": {name: len(rows) for name, rows in package.data.items()}, "new": new,
        "rounds": package.about.get("rounds", []), "photos": len(package.media),
        "orders": [order_json(one, rules) for one in package_orders(package)],
    }  # fmt: skip


def _worked(arguments: argparse.Namespace, rules: list[Any]) -> dict[str, Any]:
    """A work order of a package after what was done to it there."""
    from plugins.tunnel.model.operation.field_orders import field_do, field_order, field_photo, package_orders
    from plugins.tunnel.model.operation.field_package import read_package, write_package

    package = read_package(arguments.file)
    if len(arguments.order) != 1:
        raise PlannerError("tunnel.order_which")
    kept = Keeper(
        lambda command: field_do(package, command),
        lambda ref: next(one for one in package_orders(package) if one.id == ref),
        lambda path: field_photo(package, path),
    )
    order = act(kept, field_order(package, arguments.order[0]), arguments, rules)
    write_package(package, arguments.file)
    return {"order": order_json(order, rules, arguments.at)}


def _written(arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation.field_making import field_observation, field_round
    from plugins.tunnel.model.operation.field_package import read_package, write_package

    package = read_package(arguments.file)
    walk = field_round(package, arguments.plan[0] if arguments.plan else "", arguments.by, arguments.at)
    photo = b""
    if arguments.photo is not None:
        try:
            photo = arguments.photo.read_bytes()
        except OSError as error:
            raise PlannerError(
                "tunnel.photo_unreadable", file=arguments.photo.name, detail=error.strerror or str(error)
            ) from error
    seen = observation_of(arguments, time=arguments.at, tunnel=arguments.tunnel[0] if arguments.tunnel else "")
    kept = field_observation(package, walk, seen, photo=photo, same=arguments.same)
    write_package(package, arguments.file)
    return {"observation": kept.id, "round": walk.id, "m": kept.m, "photo": kept.photo or None}


def _taken_in(context: VerbContext, project: Project, arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation import rows
    from plugins.tunnel.model.operation.field_merge import decide, take_in
    from plugins.tunnel.model.operation.field_package import read_package

    rows.prepare(project)
    done = take_in(project, read_package(arguments.take_in), context.progress, context.rules("tunnel.entry"))
    if not done.empty:
        project.execute(done)
    if arguments.resolve != "ask":
        for one in done.conflicts:
            project.execute(decide(project, one, arguments.resolve, arguments.by or project.user))
    return {
        "notes": [{"code": code, "text": word(code, params)} for code, params in done.notes],
        "new": len(done.inserts), "changed": len(done.updates), "conflicts_found": len(done.conflicts),
        "conflicts": _open_conflicts(project),
    }  # fmt: skip


def _decided(project: Project, arguments: argparse.Namespace) -> None:
    from plugins.tunnel.model.operation import rows, tables
    from plugins.tunnel.model.operation.field_merge import decide

    every = [one for one in rows.read(project, tables.CONFLICTS) if one.id.startswith(arguments.decide.casefold())]
    if len(every) != 1:
        known = ", ".join(one["id"] for one in _open_conflicts(project)) or "–"
        raise PlannerError(
            "tunnel.record_unknown", id=arguments.decide, table=tables.CONFLICTS.title,
            table_zh=tables.CONFLICTS.title_zh, known=known,
        )  # fmt: skip
    project.execute(decide(project, every[0], arguments.resolve, arguments.by or project.user))


def _open_conflicts(project: Project) -> list[dict[str, Any]]:
    from plugins.tunnel.model.operation import rows, tables

    return [conflict_json(one) for one in rows.read(project, tables.CONFLICTS) if not one.decided]


def conflict_json(one: Conflict) -> dict[str, Any]:
    """A conflict as the command line prints it; ``column`` is None where the desk deleted the row."""
    return {
        "id": one.id, "table": one.table_name, "key": one.row,
        "column": None if one.column_name == "*" else one.column_name, "base": json.loads(one.base),
        "ours": json.loads(one.ours), "theirs": json.loads(one.theirs),
    }  # fmt: skip


FIELD = Verb("tunnel field", "field packages: hand out, write into, take in", _configure_field, run_field)
