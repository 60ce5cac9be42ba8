"""``planner tunnel import`` of everything that is not EPANET."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner_app.i18n import tr, word
from planner_app.plugin_api.model import VerbContext, VerbResult

#: Rows listed one by one; the rest is counted.
_SHOWN = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of sources that are tables or layers."""
    parser.add_argument("--mapping", type=Path, metavar="TOML|JSON", help=tr("which column means what"))
    parser.add_argument("--points", type=Path, metavar="FILE", help=tr("the survey's points, where SOURCE holds lines"))
    parser.add_argument("--crs", default="", metavar="EPSG:N", help=tr("the source's coordinates (the project's)"))
    parser.add_argument("--encoding", default="", help=tr("of a CSV file (found by itself)"))
    parser.add_argument("--dry-run", action="store_true", help=tr("say what would come in, store nothing"))


def run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """Import a survey's table, CityGML or a layer."""
    from dataclasses import replace

    from plugins.tunnel.model.assets.importing import draft_of, import_source, look_into
    from plugins.tunnel.model.assets.mapping import read_mapping

    mapping = read_mapping(arguments.mapping) if arguments.mapping else None
    with context.open_project(arguments.file) as project:
        source = look_into(
            project, arguments.source, mapping=mapping, encoding=arguments.encoding, points=arguments.points
        )
        if arguments.crs:
            source.mapping = replace(source.mapping, crs=arguments.crs)
        about = {"source": source.kind, "mapping": {"from": source.origin, **source.mapping.to_dict()}}
        if arguments.dry_run:
            draft = draft_of(project, source, arguments.name, context.progress, valves=arguments.valves)
            found: dict[str, Any] = {"network": draft.network, "nodes": len(draft.nodes), "lines": len(draft.lines)}
            found["valves"] = draft.valve_count()
            faults, notes = draft.faults, draft.notes
        else:
            done = import_source(
                project, source, network=arguments.name, replace=arguments.replace, valves=arguments.valves,
                progress=context.progress,
            )  # fmt: skip
            found = {"network": done.network, "nodes": done.nodes, "lines": done.lines, "valves": done.valves}
            faults, notes = list(done.faults), list(done.notes)
    warnings = [{"code": code, "message": word(code, params)} for code, params in notes]
    rejected, mended = [one for one in faults if not one.kept], [one for one in faults if one.kept]
    return VerbResult(
        found
        | {
            "rejected": _worded(rejected),
            "repaired": _worded(mended),
            "counts": {"rejected": len(rejected), "repaired": len(mended)},
            "warnings": warnings,
        }
        | about
    )


def _worded(faults: Sequence[Any]) -> list[dict[str, str]]:
    return [
        {"row": one.where, "reason": one.code, "message": word(one.code, one.params)} for one in faults[:_SHOWN]
    ]  # fmt: skip
