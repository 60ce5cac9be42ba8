"""``planner sync`` and ``planner clone``: a project file and the city server."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.client.quarantine import Quarantined


def listed(text: str) -> list[str]:
    """The names in ``A, B``."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _configure_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="+", metavar="FILE",
        help="project file; “conflicts FILE”: what waits for a choice; “quarantine FILE”: what is held back",
    )  # fmt: skip
    parser.add_argument("--server", metavar="DSN", help="database: postgresql://user@host/name, host=…, service=…")
    parser.add_argument("--resolve", choices=("ours", "theirs", "ask"), default="ask", help="who wins in conflicts")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--message", default="", metavar="TEXT", help="why, for the server's log")
    parser.add_argument(
        "--as", dest="name", default="", metavar="NAME", help="what the project is called from its first sync on"
    )
    parser.add_argument("--status", action="store_true", help="how the file stands, without a connection")
    parser.add_argument(
        "--settle",
        nargs=2,
        action="append",
        default=[],
        metavar=("ID", "mine|theirs"),
        help="with conflicts: choose (ID or “all”)",
    )
    parser.add_argument(
        "--fix", nargs=2, action="append", default=[], metavar=("ID", "clear|convert|repair"),
        help="with quarantine: mend what is held back (ID or “all”)",
    )  # fmt: skip
    parser.add_argument("--retry", action="append", default=[], metavar="ID", help="with quarantine: send once more")
    parser.add_argument(
        "--drop", action="append", default=[], metavar="ID",
        help="with quarantine: back to what the server has (what only this file has goes; undo brings it back)",
    )  # fmt: skip


#: Options that belong to one form of the verb only, by their names.
_BELONG = {"settle": "conflicts", "fix": "quarantine", "retry": "quarantine", "drop": "quarantine"}
_PLAIN = ("server", "dry_run", "message", "name", "status")


def _sync(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    words = arguments.words
    form = words[0] if len(words) == 2 and words[0] in ("conflicts", "quarantine") else ""
    forgotten = words in (["conflicts"], ["quarantine"]) and not Path(words[0]).exists()
    if forgotten or (len(words) > 1 and not form):
        raise PlannerError("sync.one_file", files=", ".join(words))
    given = {name for name in (*_BELONG, *_PLAIN) if getattr(arguments, name)}
    given |= {"resolve"} if arguments.resolve != "ask" else set()
    for name in sorted(given):
        if _BELONG.get(name, "") != form:
            belongs = " ".join(filter(None, ("sync", _BELONG.get(name, ""), "FILE")))
            option = "--as" if name == "name" else f"--{name.replace('_', '-')}"
            raise PlannerError("sync.wrong_option", option=option, form=belongs)
    with context.open_project(Path(words[-1])) as project:
        if form == "conflicts":
            return _conflicts(project, arguments.settle)
        if form == "quarantine":
            chosen = [*arguments.fix, *((one, "retry") for one in arguments.retry)]
            return _quarantine(project, [*chosen, *((one, "discard") for one in arguments.drop)])
        if arguments.status:
            return _status(project)
        return _run(context, project, arguments)


def _status(project: Project) -> VerbResult:
    from planner_app.i18n import word
    from planner_app.sync.client.session import state

    found = asdict(state(project))
    return VerbResult(found | {"message": word(f"sync.state_{found['kind']}", found)})


def _run(context: VerbContext, project: Project, arguments: argparse.Namespace) -> VerbResult:
    from planner_app.sync.client.session import Syncer, note_offline
    from planner_app.sync.connecting import connect

    address = arguments.server or _remembered(project)
    if not address:
        raise PlannerError("sync.which_server", project=project.name)
    try:
        transport = connect(address)
    except PlannerError as error:
        if error.code == "sync.offline" and _public(address) == _remembered(project):
            note_offline(project)
        raise
    with closing(transport):
        syncer = Syncer(project, transport, server=_public(address), name=arguments.name)
        report = syncer.sync(context.progress, arguments.resolve, dry_run=arguments.dry_run, message=arguments.message)
    warnings = warnings_of(address)
    if report.readings_kept:
        warnings.append(_warning("sync.readings_kept", sensors=report.readings_kept))
    return VerbResult(
        {
            "pushed": report.pushed, "pulled": report.pulled, "conflicts": [_told(one) for one in report.conflicts],
            "settled": [_told(one) | {"choice": choice} for one, choice in report.settled],
            "quarantined": [_held(one) for one in report.quarantined], "revision": report.revision,
            "bytes": report.bytes, "seconds": round(report.seconds, 3), "dry_run": arguments.dry_run,
            "warnings": warnings,
        }
    )  # fmt: skip


def _warning(code: str, **params: Any) -> dict[str, str]:
    from planner_app.i18n import word

    return {"code": code, "message": word(code, params)}


def warnings_of(address: str) -> list[dict[str, str]]:
    """What is unsafe about a server's address as it was given."""
    from psycopg.conninfo import conninfo_to_dict

    from planner_app.sync.server.session import is_unchecked

    codes = ["sync.unchecked"] if is_unchecked(address) else []
    if conninfo_to_dict(address).keys() & {"password", "sslpassword"}:
        codes.append("sync.password_shown")
    return [_warning(code) for code in codes]


def _conflicts(project: Project, choices: Sequence[tuple[str, str]]) -> VerbResult:
    from planner_app.sync.client.conflicts import ResolveConflicts, conflicts
    from planner_app.sync.client.quarantine import quarantine

    waiting = {str(one.id): one for one in conflicts(project)}
    chosen_of: dict[str, str] = {}
    for number, chosen in choices:
        if not (number == "all" or number.isdecimal()) or chosen not in ("mine", "theirs"):
            raise PlannerError("sync.choice_wrong", conflict=number, choice=chosen)
        if number != "all" and number not in waiting:
            raise PlannerError("sync.conflict_unknown", conflict=number)
        for one in waiting if number == "all" else [number]:
            if chosen_of.setdefault(one, chosen) != chosen:
                raise PlannerError("sync.chosen_twice")
    for choice in ("mine", "theirs"):
        ids = tuple(int(number) for number, chosen in chosen_of.items() if chosen == choice)
        if ids:
            project.execute(ResolveConflicts(ids, choice))
    return VerbResult(
        {
            "settled": [_told(waiting[number]) | {"choice": choice} for number, choice in chosen_of.items()],
            "conflicts": [_told(one) for one in conflicts(project)],
            "quarantined": [_held(one) for one in quarantine(project)],
        }
    )  # fmt: skip


def _quarantine(project: Project, choices: Sequence[tuple[str, str]]) -> VerbResult:
    """List what is held back; fix some of it. All choices are looked at before the first is made."""
    from planner_app.sync.client.quarantine import FixQuarantined, quarantine

    held = {str(one.id): one for one in quarantine(project)}
    wanted: dict[str, str] = {}
    for number, fix in choices:
        if number != "all" and number not in held:
            raise PlannerError("sync.quarantine_unknown", record=number)
        ids = [number] if number != "all" else [key for key, one in held.items() if fix in one.fixes]
        for key in ids:
            if fix not in held[key].fixes:
                raise PlannerError(
                    "sync.fix_wrong", record=key, fix=fix, layer=held[key].layer_name, fixes=", ".join(held[key].fixes)
                )
            if wanted.setdefault(key, fix) != fix:
                raise PlannerError("sync.chosen_twice")
    for fix in dict.fromkeys(wanted.values()):
        project.execute(FixQuarantined(tuple(int(key) for key, one in wanted.items() if one == fix), fix))  # type: ignore[arg-type]
    return VerbResult(
        {
            "fixed": [_held(held[key]) | {"fix": fix} for key, fix in wanted.items()],
            "quarantined": [_held(one) for one in quarantine(project)],
        }
    )


def _told(one: Conflict) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "table": one.layer or "planner_plan", "layer": one.layer_name, "key": one.uuid,
        "column": one.column, "base": _value(one.base), "ours": _value(one.mine), "theirs": _value(one.theirs),
        "group": one.group, "revision": one.revision,
    }  # fmt: skip


def _held(one: Quarantined) -> dict[str, Any]:
    from planner_app.i18n import word

    params = dict(one.params)
    return {
        "id": one.id, "table": one.layer or "planner_plan", "layer": one.layer_name, "key": one.uuid, "code": one.code,
        "message": word(one.code, params), "hint": word(one.code, params, "hint"), "fixes": list(one.fixes),
        "next_sync": one.again,
    }  # fmt: skip


def _value(value: Any) -> Any:
    """Bytes and geometries as hexadecimal."""
    return value.hex() if isinstance(value, bytes) else value


def _remembered(project: Project) -> str:
    from planner_app.sync.client.session import state

    return state(project).server


def _public(address: str) -> str:
    """The address as the file remembers it: without secrets."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    given = conninfo_to_dict(address).items()
    return make_conninfo(**{key: str(value) for key, value in given if key not in ("password", "sslpassword")})


def _configure_clone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dsn", metavar="DSN", help="database: postgresql://user@host/name, host=…, service=…")
    parser.add_argument("project", metavar="PROJECT", help="name of the project on the server")
    parser.add_argument("file", type=Path, metavar="FILE", help="project file to make")
    parser.add_argument("--bbox", metavar="x0,y0,x1,y1", help="only what touches this area")
    parser.add_argument("--layers", metavar="L,…", help="only these layers, by name or UUID")


def _clone(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    import time

    from planner_app.sync.client.clone import clone, layers_named
    from planner_app.sync.connecting import connect
    from planner_app.sync.types import Scope

    started = time.perf_counter()
    with closing(connect(arguments.dsn)) as transport:
        named = arguments.layers
        layers = None if named is None else layers_named(transport, arguments.project, listed(named) or [named])
        scope = Scope(layers, _box(arguments.bbox))
        clone(transport, arguments.project, arguments.file, scope, context.progress, server=_public(arguments.dsn))
    with context.open_project(arguments.file) as project:
        layers_made = project.layers()
        features = sum(project.count(layer.id) for layer in layers_made)
    warnings = warnings_of(arguments.dsn)
    if arguments.bbox and layers_made and not features:
        warnings.append(_warning("sync.area_empty"))
    return VerbResult(
        {
            "file": str(arguments.file), "layers": len(layers_made), "features": features,
            "seconds": round(time.perf_counter() - started, 3), "warnings": warnings,
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
