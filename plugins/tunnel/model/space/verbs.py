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
    from plugins.tunnel.model.space.profile import Profile, Run
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
        "ground_z": section.ground_z, "wall_m": section.wall,
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


def _configure_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--from", dest="start", default="", metavar="ID", help=tr("node, or chainage with --tunnel"))
    parser.add_argument("--to", dest="end", default="", metavar="ID", help=tr("node, or chainage with --tunnel"))
    parser.add_argument("--tunnel", default="", metavar="ID", help=tr("along this tunnel"))
    parser.add_argument("--out", type=Path, default=None, help=".png .pdf .svg .dxf .csv .json")
    parser.add_argument("--city", default="", metavar="NAME", help=tr("rules of this city count, too"))
    parser.add_argument("--dpi", type=float, default=150.0)


def run_profile(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel profile``: a longitudinal profile between two nodes or along a tunnel.

    Along a tunnel its openings and fire zones are judged (``findings``, with the stretch of chainage they speak of).
    """
    from plugins.tunnel.model.space.along import judge_tunnel
    from plugins.tunnel.model.space.profile_load import path_profile, tunnel_profile
    from plugins.tunnel.model.space.sheet import write_bytes, write_sheet

    out: Path | None = arguments.out
    _check_suffix(out, (".png", ".pdf", ".svg", ".dxf", ".csv", ".json"))
    if not arguments.tunnel and not (arguments.start and arguments.end):
        raise PlannerError("tunnel.profile_ends")
    with context.open_project(arguments.file) as project:
        if arguments.tunnel:
            ends = (_chainage(arguments.start), _chainage(arguments.end))
            profile = tunnel_profile(project, arguments.tunnel, *ends)
            findings = judge_tunnel(
                project, arguments.tunnel, context.rules("tunnel.along"), profile.ends, arguments.city
            )
        else:
            profile, findings = path_profile(project, arguments.start, arguments.end), []
    data = profile_json(profile, findings)
    if out is not None and out.suffix.casefold() == ".json":
        write_bytes(out, json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8"))
    elif out is not None:
        from plugins.tunnel.model.space.profile import profile_csv
        from plugins.tunnel.model.space.profile_sheet import draw_profile

        if out.suffix.casefold() == ".csv":
            write_bytes(out, profile_csv(profile))
        else:
            write_sheet(draw_profile(profile, findings), out, dpi=arguments.dpi)
    return VerbResult(data | ({"out": str(out)} if out else {}))


def _chainage(text: str) -> float | None:
    if not text:
        return None
    try:
        return _kilometres(text) if "+" in text else float(text)
    except ValueError:
        raise PlannerError("tunnel.chainage_unreadable", text=text) from None


def _kilometres(text: str) -> float:
    whole, _, rest = text.upper().removeprefix("K").partition("+")
    return int(whole) * 1000 + float(rest)


def profile_json(profile: Profile, findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """The profile as the command line prints it."""
    from planner_app.report.findings import finding_json
    from plugins.tunnel.model.space.profile import gap, slopes

    low, high = profile.ends
    nodes = [
        {"id": f"node:{one.code}" if profile.subject == "pipe" else one.code, "label": one.label, "m": one.m,
         "ground_z": one.ground_z, "z": one.z,
         "depth_m": None if one.ground_z is None or one.z is None else one.ground_z - one.z}
        for one in profile.stops
    ]  # fmt: skip
    lines = [
        {"id": f"line:{one.code}" if profile.subject == "pipe" else one.code, "kind": one.kind, "from_m": one.from_m,
         "to_m": one.to_m, "z1": one.points[0][1], "z2": one.points[-1][1], "dn_mm": one.dn_mm,
         "outer_d": one.outer_d, "slope": _slope(one)}
        for one in profile.main
    ]  # fmt: skip
    return {
        "subject": profile.subject, "name": profile.name, "from_m": low, "to_m": high, "length_m": high - low,
        "lines": lines, "nodes": nodes,
        "within": [{"line": one.code, "kind": one.kind, "from_m": one.from_m, "to_m": one.to_m, "z1": one.points[0][1],
                    "z2": one.points[-1][1], "outer_d": one.outer_d} for one in profile.within],
        "crossings": [{"line": one.line, "kind": one.kind, "m": one.m, "z": one.z, "outer_d": one.outer_d,
                       "gap_m": gap(profile, one)} for one in profile.crossings],
        "slopes": [
            {"from_m": a, "to_m": b, "slope": slope} for one in profile.main for a, b, slope in slopes(one.points)
        ],
        "unknown": {
            "lines": [
                line["id"]
                for line, one in zip(lines, profile.main, strict=True)
                if any(z is None for _, z in one.points)
            ],
            "ground": [node["id"] for node in nodes if node["ground_z"] is None],
            "crossings": [one.line for one in profile.crossings if one.z is None],
        },
        "findings": [
            finding_json(one) | {key: (one.params or {}).get(key) for key in ("from_m", "to_m")} for one in findings
        ],
        "warnings": [{"code": code, "message": word(code, params)} for code, params in profile.notes],
    }  # fmt: skip


def _slope(run: Run) -> float | None:
    (a, za), (b, zb) = run.points[0], run.points[-1]
    return None if za is None or zb is None or b <= a else (zb - za) / (b - a)


def _configure_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--section", required=True, metavar="ID", help=tr("code of a section, or of a tunnel"))
    parser.add_argument("--at", type=float, default=None, metavar="M", help=tr("chainage along the tunnel, m"))
    parser.add_argument("--line", required=True, metavar="ID", help=tr("code of the line"))
    parser.add_argument("--support", default="", metavar="ID", help=tr("support to lie on"))
    parser.add_argument("--x", type=float, default=None, help=tr("place in the section, m"))
    parser.add_argument("--y", type=float, default=None, help=tr("place in the section, m"))
    parser.add_argument("--dry-run", action="store_true", help=tr("judge only, change nothing"))


def run_place(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel place``: move a line in its section to a support or a place, judged before it is stored."""
    from plugins.tunnel.model.space.judge import judge_section
    from plugins.tunnel.model.space.load import load_section
    from plugins.tunnel.model.space.moving import move_line

    if (arguments.x is None) != (arguments.y is None) or (arguments.x is None and not arguments.support):
        raise PlannerError("tunnel.place_missing")
    place = None if arguments.x is None else (arguments.x, arguments.y)
    with context.open_project(arguments.file) as project:
        section = load_section(project, arguments.section, arguments.at)
        its = [one for one in section.placements if one.line == arguments.line.removeprefix("line:")]
        if not its:
            raise PlannerError("tunnel.placement_unknown", id=arguments.line, section=section.code)
        command = move_line(project, section, its[0].fid, support=arguments.support, place=place)
        if not arguments.dry_run:
            project.execute(command)
    moved = section.moved(its[0].fid, command.x, command.y, support=command.support)
    findings = judge_section(moved, context.rules("tunnel.section"), today=date.today())
    return VerbResult(section_json(moved, findings) | {"stored": not arguments.dry_run})


SECTION = Verb("tunnel section", "a cross section judged and drawn to scale", _configure_section, run_section)
PROFILE = Verb(
    "tunnel profile", "a longitudinal profile between two nodes or along a tunnel", _configure_profile, run_profile
)
PLACE = Verb("tunnel place", "move a line in its section to a support or a place", _configure_place, run_place)
