"""The verbs ``tunnel import``, ``tunnel trace`` and ``tunnel isolate``."""

from __future__ import annotations

import argparse
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

_SHOWN_NOTES = 200


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("source", type=Path, metavar="SOURCE", help=tr("EPANET .inp"))
    parser.add_argument("--valves", type=Path, metavar="CSV", help=tr("isolation valves as rows valve,link,node"))
    parser.add_argument("--name", default="", help=tr("name of the network (the file's)"))
    parser.add_argument("--replace", action="store_true", help=tr("a network of that name gives way"))


def _configure_trace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--from", dest="start", required=True, metavar="ID", help=tr("node:ID, line:ID or valve:ID"))
    parser.add_argument("--direction", choices=("up", "down", "both"), default="both")


def _configure_isolate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--at", required=True, metavar="ID", help=tr("node:ID, line:ID or valve:ID"))
    parser.add_argument("--seized", default="", metavar="ID,…", help=tr("valves that cannot be closed"))


def run_import(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel import``."""
    from plugins.tunnel.model.network.project_network import import_epanet

    if arguments.source.suffix.casefold() != ".inp":
        raise PlannerError("tunnel.source_unknown", file=arguments.source.name)
    with context.open_project(arguments.file) as project:
        done = import_epanet(
            project,
            arguments.source,
            valves=arguments.valves,
            name=arguments.name,
            replace=arguments.replace,
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
    from plugins.tunnel.model.network.project_network import load_network
    from plugins.tunnel.model.network.trace import Tracer

    with context.open_project(arguments.file) as project:
        loaded = load_network(project)
    net = loaded.network
    found = Tracer(net).trace(*net.find(arguments.start), arguments.direction)
    return VerbResult(
        {
            "nodes": [f"node:{net.node_ids[n]}" for n in found.nodes],
            "lines": [f"line:{net.line_ids[n]}" for n in found.lines],
            "length_m": found.length_m,
            "warnings": _worded(loaded.notes),
        }
    )


def run_isolate(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel isolate``."""
    from plugins.tunnel.model.network.isolation import Segments
    from plugins.tunnel.model.network.project_network import load_network

    with context.open_project(arguments.file) as project:
        loaded = load_network(project)
    net = loaded.network
    seized = [name.strip() for name in arguments.seized.split(",") if name.strip()]
    answer = Segments(net).isolate(*net.find(arguments.at), seized)
    return VerbResult(
        {
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
            "warnings": _worded(loaded.notes),
        }
    )


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
