"""The verbs ``tunnel import``, ``tunnel trace`` and ``tunnel isolate``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.tunnel.model.network.isolation import Isolation
    from plugins.tunnel.model.network.reach import Graph, Reach

_SHOWN_NOTES = 200


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("source", type=Path, metavar="SOURCE", help=tr("EPANET .inp"))
    parser.add_argument("--valves", type=Path, metavar="CSV", help=tr("isolation valves as rows valve,link,node"))
    parser.add_argument("--name", default="", help=tr("name of the network (the file's)"))
    parser.add_argument("--replace", action="store_true", help=tr("a network of that name gives way"))


def _configure_trace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--from",
        dest="start",
        required=True,
        metavar="ID",
        help=tr("node:ID, line:ID, valve:ID, compartment:ID or sensor:ID"),
    )
    parser.add_argument("--direction", choices=("up", "down", "both"), default="both")
    parser.add_argument(
        "--steps", type=int, default=1, metavar="N", help=tr("compartments so many doors away count as adjoining")
    )


def _configure_isolate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--at", required=True, metavar="ID", help=tr("node:ID, line:ID, valve:ID or compartment:ID"))
    parser.add_argument("--seized", default="", metavar="ID,…", help=tr("valves that cannot be closed"))
    parser.add_argument("--order", action="store_true", help=tr("open a work order for it"))
    parser.add_argument("--by", default="", metavar="NAME", help=tr("who opens the work order"))


def run_import(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel import``."""
    from plugins.tunnel.model.network.project_network import import_epanet

    if arguments.source.suffix.casefold() != ".inp":
        raise PlannerError("tunnel.source_unknown", file=arguments.source.name)
    if not arguments.source.exists():
        raise PlannerError("import.no_file", file=str(arguments.source))
    with context.open_project(arguments.file) as project:
        done = import_epanet(
            project,
            arguments.source,
            valves=arguments.valves,
            name=arguments.name,
            crs=arguments.crs,
            replace=arguments.replace,
            dry_run=arguments.dry_run,
            progress=context.progress,
        )
    return VerbResult(
        {
            "network": done.network,
            "nodes": done.nodes,
            "lines": done.lines,
            "valves": done.valves,
            "warnings": _worded(done.notes),
        }
    )


def run_trace(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel trace``."""
    from plugins.tunnel.model.network.reach import Graph

    if arguments.steps < 0:
        raise PlannerError("tunnel.steps_wrong", steps=arguments.steps)
    with context.open_project(arguments.file) as project:
        graph = Graph(project)
        found = graph.trace(arguments.start, arguments.direction, steps=arguments.steps)
    return VerbResult(reach_json(graph, found))


def reach_json(graph: Graph, found: Reach) -> dict[str, Any]:
    """A trace with the keys of the command line."""
    ids = graph.network if graph.loaded else None
    data: dict[str, Any] = {
        "nodes": [f"node:{ids.node_ids[n]}" for n in found.nodes] if ids else [],
        "lines": [f"line:{ids.line_ids[n]}" for n in found.lines] if ids else [],
        "length_m": found.length_m,
        "compartments": [
            {
                "id": f"compartment:{space.id}",
                "tunnel": space.tunnel,
                "kind": space.kind,
                "from_m": space.from_m,
                "to_m": space.to_m,
                "steps": steps,
                "via": via,
            }
            for space, steps, via in found.spaces
        ],
    }
    cut = found.isolation
    data |= {
        "cause": [f"line:{ids.line_ids[n]}" for n in found.held] if ids else [],
        "valves": [f"valve:{one}" for one in cut.close] if cut else [],
        "customers": cut.customers if cut else 0,
        "critical": list(cut.critical) if cut else [],
        "affected": [
            {
                "service": one.id,
                "name": one.name,
                "customers": one.customers,
                "critical": one.critical,
                "buildings": [
                    {"layer": layer, "id": f"{layer}/{fid}", "name": name} for layer, fid, name in one.buildings
                ],
            }
            for one in found.served
        ],
        "without_valves": list(found.unvalved),
    }
    return data | {"warnings": _worded(tuple(found.notes))}


def run_isolate(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel isolate``."""
    from plugins.tunnel.model.network.reach import Graph

    seized = [name.strip() for name in arguments.seized.split(",") if name.strip()]
    with context.open_project(arguments.file) as project:
        graph = Graph(project)
        places = graph.places(arguments.at)
        answer = graph.segments.isolate_all(places, seized)
        data = isolation_json(graph, places, answer)
        if arguments.order:
            from plugins.tunnel.model.operation.orders import isolation_order, open_order

            tunnel, m = graph.station(places)
            order = open_order(
                project, isolation_order(project, answer, arguments.at, by=_by(arguments.by), tunnel=tunnel, m=m)
            )
            data["order"] = {"number": order.number, "title": order.title, "steps": [one.text for one in order.steps]}
    return VerbResult(data)


def isolation_json(graph: Graph, places: Sequence[tuple[str, int]], answer: Isolation) -> dict[str, Any]:
    """An isolation with the keys of the command line."""
    from plugins.tunnel.model.network.explain import explain

    return {
        "close": [f"valve:{one}" for one in answer.close],
        "segment": {
            "nodes": [f"node:{one}" for one in answer.nodes],
            "lines": [f"line:{one}" for one in answer.lines],
        },
        "cut_off": {
            "nodes": [f"node:{one}" for one in answer.cut_off],
            "lines": [f"line:{one}" for one in answer.cut_off_lines],
        },
        "customers": answer.customers,
        "critical": list(answer.critical),
        "unserved": list(answer.unserved),
        "why": [
            {
                "order": one.order,
                "valve": f"valve:{one.valve}",
                "lines": [f"line:{name}" for name in one.lines],
                "reason": one.why.removeprefix("tunnel.why_"),
                "message": word(one.why, one.params),
            }
            for one in explain(graph.segments, places, answer)
        ],
        "already_closed": [f"valve:{one}" for one in answer.already_closed],
        "seized": [f"valve:{one}" for one in answer.seized],
        "source_inside": answer.open_ends,
        "restore": [f"valve:{one}" for one in reversed(answer.close)],
        "alternatives": [
            {
                "reason": one.reason,
                "valve": f"valve:{one.valve}" if one.valve else "",
                "close": [f"valve:{name}" for name in one.close],
                "nodes_without": one.cut_off_nodes,
                "customers": one.customers,
            }
            for one in answer.alternatives
        ],
        "warnings": _worded((*graph.missing_valves(places), *graph.notes)),
    }


def _by(name: str) -> str:
    """Who opens an order: as told, else the account at the desk."""
    import getpass

    return name.strip() or getpass.getuser()


def _worded(notes: tuple[tuple[str, dict[str, object]], ...]) -> list[dict[str, str]]:
    shown = [{"code": code, "message": word(code, params)} for code, params in notes[:_SHOWN_NOTES]]
    if len(notes) > _SHOWN_NOTES:
        more = {"count": len(notes) - _SHOWN_NOTES}
        shown.append({"code": "tunnel.more_notes", "message": word("tunnel.more_notes", more)})
    return shown


IMPORT = Verb("tunnel import", "take in a network", _configure_import, run_import)
TRACE = Verb("tunnel trace", "what lies up- or downstream of a place", _configure_trace, run_trace)
ISOLATE = Verb(
    "tunnel isolate", "which valves to close for a place, and who is without", _configure_isolate, run_isolate
)
