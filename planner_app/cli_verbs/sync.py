"""``planner sync`` and ``planner clone``: a project file and the city server."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.client.quarantine import Quarantined
    from planner_app.sync.transport import Transport


def _configure_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="+", metavar="FILE", help="project file; “conflicts FILE”: what waits for a choice"
    )
    parser.add_argument("--server", metavar="DSN", help="database: postgresql://user@host/name, host=…, service=…")
    parser.add_argument("--resolve", choices=("ours", "theirs", "ask"), default="ask", help="who wins in conflicts")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--message", default="", metavar="TEXT", help="why, for the server's log")
    parser.add_argument("--status", action="store_true", help="how the file stands, without a connection")
    parser.add_argument(
        "--settle", nargs=2, action="append", default=[], metavar=("ID", "mine|theirs"), help="with conflicts: choose"
    )


def _sync(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    words = arguments.words
    asked = len(words) == 2 and words[0] == "conflicts"
    if len(words) > 1 and not asked:
        raise PlannerError("sync.one_file", files=", ".join(words))
    with context.open_project(Path(words[-1])) as project:
        if asked:
            return _conflicts(project, arguments.settle)
        if arguments.status:
            from planner_app.sync.client.session import state

            return VerbResult(asdict(state(project)))
        return _run(context, project, arguments)


def _run(context: VerbContext, project: Project, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.client.session import Syncer

    address = arguments.server or _remembered(project)
    with _connected(address) as transport:
        syncer = Syncer(project, transport, server=_public(address))
        report = syncer.sync(context.progress, arguments.resolve, dry_run=arguments.dry_run, message=arguments.message)
    return VerbResult(
        {
            "pushed": report.pushed, "pulled": report.pulled, "conflicts": [_told(one) for one in report.conflicts],
            "quarantined": [_held(one) for one in report.quarantined], "revision": report.revision,
            "bytes": report.bytes, "seconds": round(report.seconds, 3), "dry_run": arguments.dry_run,
        }
    )  # fmt: skip


def _conflicts(project: Project, choices: Sequence[tuple[str, str]]) -> VerbResult:
    from planner_app.sync.client.conflicts import Choice, ResolveConflicts, conflicts
    from planner_app.sync.client.quarantine import quarantine

    for number, chosen in choices:
        if not number.isdecimal() or chosen not in ("mine", "theirs"):
            raise PlannerError("sync.choice_wrong", conflict=number, choice=chosen)
        choice: Choice = "mine" if chosen == "mine" else "theirs"
        project.execute(ResolveConflicts((int(number),), choice))
    return VerbResult(
        {
            "settled": len(choices), "conflicts": [_told(one) for one in conflicts(project)],
            "quarantined": [_held(one) for one in quarantine(project)],
        }
    )  # fmt: skip


def _told(one: Conflict) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "table": one.layer or "planner_plan", "layer": one.layer_name, "key": one.uuid,
        "column": one.column, "base": _value(one.base), "ours": _value(one.mine), "theirs": _value(one.theirs),
        "group": one.group, "revision": one.revision,
    }  # fmt: skip


def _held(one: Quarantined) -> dict[str, Any]:
    from planner_app.i18n import word

    return {
        "table": one.layer or "planner_plan", "layer": one.layer_name, "key": one.uuid, "code": one.code,
        "message": word(one.code, dict(one.params)), "fixes": list(one.fixes),
    }  # fmt: skip


def _value(value: Any) -> Any:
    """Bytes and geometries as hexadecimal."""
    return value.hex() if isinstance(value, bytes) else value


def _remembered(project: Project) -> str:
    from planner_app.sync.client.session import state

    found = state(project)
    if not found.server:
        raise PlannerError("sync.which_server", project=project.name)
    return found.server


def _public(address: str) -> str:
    """The address as the file remembers it: without a password."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    return make_conninfo(**{key: str(value) for key, value in conninfo_to_dict(address).items() if key != "password"})


@contextmanager
def _connected(address: str) -> Iterator[Transport]:
    from planner_app.sync.connecting import connect

    transport = connect(address)
    try:
        yield transport
    finally:
        transport.close()


def _configure_clone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dsn", metavar="DSN", help="database: postgresql://user@host/name, host=…, service=…")
    parser.add_argument("project", metavar="PROJECT", help="name of the project on the server")
    parser.add_argument("file", type=Path, metavar="FILE", help="project file to make")
    parser.add_argument("--bbox", metavar="x0,y0,x1,y1", help="only what touches this area")
    parser.add_argument("--layers", metavar="L,…", help="only these layers, by name or UUID")


def _clone(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    import time

    from planner_app.sync.client.clone import clone, layers_named
    from planner_app.sync.types import Scope

    started = time.perf_counter()
    with _connected(arguments.dsn) as transport:
        wanted = arguments.layers.split(",") if arguments.layers else None
        layers = None if wanted is None else layers_named(transport, arguments.project, wanted)
        scope = Scope(layers, _box(arguments.bbox))
        clone(transport, arguments.project, arguments.file, scope, context.progress, server=_public(arguments.dsn))
    with context.open_project(arguments.file) as project:
        layers_made = project.layers()
        features = sum(project.count(layer.id) for layer in layers_made)
    return VerbResult(
        {
            "file": str(arguments.file), "layers": len(layers_made), "features": features,
            "seconds": round(time.perf_counter() - started, 3),
        }
    )  # fmt: skip


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise PlannerError("sync.bbox_wrong", bbox=text) from error
    if not (x0 < x1 and y0 < y1):
        raise PlannerError("sync.bbox_wrong", bbox=text)
    return (x0, y0, x1, y1)


VERBS = [
    Verb("sync", "Send and take over changes between a project file and the city server", _configure_sync, _sync),
    Verb("clone", "Make a project file of a project on the city server", _configure_clone, _clone),
]
