"""``planner tunnel services`` and ``tunnel labels``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from planner_app.i18n import tr
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult


def _configure_services(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--parcel", required=True, metavar="ID", help=tr("number of the parcel"))
    parser.add_argument("--layer", default="", help=tr("layer of parcels, where several know the number"))
    parser.add_argument(
        "--reach", type=float, default=60.0, metavar="M", help=tr("how far a main in the street may be")
    )


def run_services(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel services``: which lines and tunnels reach a parcel."""
    from plugins.tunnel.model.assets.services import find_parcel, missing, services_of

    with context.open_project(arguments.file) as project:
        layer, fid, shape = find_parcel(project, arguments.parcel, arguments.layer)
        found = services_of(project, shape, arguments.reach)
    return VerbResult(
        {
            "parcel": arguments.parcel,
            "layer": layer.name,
            "fid": fid,
            "services": [asdict(one) for one in found],
            "missing": missing(found),
        }
    )


def _configure_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="PDF")
    parser.add_argument("--table", default="valve", help=tr("table of assets (valve, net_line, sensor …)"))
    parser.add_argument("--ids", default="", metavar="CODE,…", help=tr("only these codes"))
    parser.add_argument("--where", default="", metavar="SQL", help=tr("only rows that meet a condition"))
    parser.add_argument("--grid", default="3x8", metavar="N×M", help=tr("labels per row and rows per sheet"))


def run_labels(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel labels``: a PDF of label sheets with QR codes."""
    from planner_app.domain.errors import PlannerError
    from plugins.tunnel.model.assets.labels import labels_of, write_labels

    columns, _, rows = arguments.grid.lower().replace("×", "x").partition("x")
    if not (columns.isdigit() and rows.isdigit()):
        raise PlannerError("tunnel.labels_grid", columns=columns, rows=rows)
    with context.open_project(arguments.file) as project:
        labels = labels_of(project, arguments.table, where=arguments.where)
    codes = {one.strip() for one in arguments.ids.split(",") if one.strip()}
    if codes:
        unknown = sorted(codes - {one.code for one in labels})
        if unknown:
            raise PlannerError("tunnel.asset_unknown", id=", ".join(unknown[:5]))
        labels = [one for one in labels if one.code in codes]
    sheets = write_labels(labels, arguments.out, columns=int(columns), rows=int(rows))
    return VerbResult({"out": str(arguments.out), "labels": len(labels), "sheets": sheets})


SERVICES = Verb("tunnel services", "which services reach a parcel", _configure_services, run_services)
LABELS = Verb("tunnel labels", "label sheets with QR codes", _configure_labels, run_labels)
