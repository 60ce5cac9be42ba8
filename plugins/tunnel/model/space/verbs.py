"""The verbs ``tunnel section`` and ``tunnel profile``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.tunnel.model.space.section import Section

_SECTION_SUFFIXES = (".png", ".pdf", ".svg", ".dxf", ".json")


def _configure_section(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--section", required=True, metavar="ID", help=tr("code of a section, or of a tunnel"))
    parser.add_argument("--at", type=float, default=None, metavar="M", help=tr("chainage along the tunnel, m"))
    parser.add_argument("--out", type=Path, default=None, help=".png .pdf .svg .dxf .json")
    parser.add_argument("--city", default="", metavar="NAME", help=tr("rules of this city count, too"))
    parser.add_argument("--dpi", type=float, default=150.0)


def run_section(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel section``: a cross section judged and drawn."""
    from plugins.tunnel.model.space.judge import judge_section
    from plugins.tunnel.model.space.load import load_section

    out: Path | None = arguments.out
    _check_suffix(out, _SECTION_SUFFIXES)
    with context.open_project(arguments.file) as project:
        section = load_section(project, arguments.section, arguments.at)
    findings = judge_section(section, context.rules("tunnel.section"), today=date.today(), city=arguments.city)
    data = section_json(section, findings)
    if out is not None and out.suffix.casefold() == ".json":
        from plugins.tunnel.model.space.sheet import write_bytes

        write_bytes(out, json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8"))
    elif out is not None:
        from plugins.tunnel.model.space.section_sheet import draw_section
        from plugins.tunnel.model.space.sheet import write_sheet

        write_sheet(draw_section(section, findings), out, dpi=arguments.dpi)
    return VerbResult(data | ({"out": str(out)} if out else {}))


def _check_suffix(out: Path | None, known: Sequence[str]) -> None:
    if out is not None and out.suffix.casefold() not in known:
        raise PlannerError("tunnel.format_unknown", file=out.name, known=" ".join(known))


def section_json(section: Section, findings: Sequence[Finding]) -> dict[str, Any]:
    """The section as the command line prints it."""
    from planner_app.report.findings import finding_json
    from plugins.tunnel.model.space.judge import carried, occupancy
    from plugins.tunnel.model.space.section import aisle

    at = section.at
    floor = None if at is None or at[2] != at[2] else at[2]
    placements = []
    for one in section.placements:
        support = section.support_of(one)
        placements.append(
            {
                "line": one.line, "network": one.network, "kind": one.kind, "kind_code": one.kind_code,
                "compartment": one.compartment or None, "stated_compartment": one.stated,
                "support": support.code if support else None, "x": one.x, "y": one.y, "outer_d": one.outer_d,
                "nominal": one.nominal, "count": one.count, "dn_mm": one.dn_mm, "material": one.material,
                "rating": one.rating, "voltage_kv": one.voltage_kv,
                "z": None if floor is None or one.y is None else floor + one.y,
                "circles": [list(circle) for circle in section.circles(one)],
            }
        )  # fmt: skip
    aisles = {room.code: aisle(section, room) for room in section.compartments}
    load = {support.code: (lines, occupancy(support, lines)) for support, lines in carried(section)}
    return {
        "section": section.code, "tunnel": section.tunnel, "m": section.m, "from_m": section.from_m,
        "to_m": section.to_m, "profile": section.profile, "built_edition": section.built, "floor_z": floor,
        "ground_z": section.ground_z,
        "compartments": [
            {"code": room.code, "kind": room.kind, "box": room.box, "aisle_m": _of(aisles[room.code], "width"),
             "height_m": _of(aisles[room.code], "height")}
            for room in section.compartments
        ],
        "supports": [
            {"code": one.code, "compartment": one.compartment, "side": one.side, "level": one.level, "x": one.x,
             "y": one.y, "length_m": one.length, "capacity_kg": one.capacity_kg,
             "lines": [line.line for line in load[one.code][0]] if one.code in load else [],
             "occupancy": load[one.code][1] if one.code in load else 0.0}
            for one in section.supports
        ],
        "placements": placements,
        "findings": [
            finding_json(one) | {"lines": [line for line in (one.params or {}).get("lines", "").split(", ") if line]}
            for one in findings
        ],
        "warnings": [{"code": code, "message": word(code, params)} for code, params in section.notes],
    }  # fmt: skip


def _of(thing: Any, name: str) -> Any:
    return None if thing is None else getattr(thing, name)


SECTION = Verb("tunnel section", "a cross section judged and drawn to scale", _configure_section, run_section)
