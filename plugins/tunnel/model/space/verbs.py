"""The verbs ``tunnel section`` and ``tunnel profile``."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult


def _configure_section(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--section", required=True, metavar="ID", help=tr("code of a section, or of a tunnel"))
    parser.add_argument("--at", type=float, default=None, metavar="M", help=tr("chainage along the tunnel, m"))
    parser.add_argument("--out", type=Path, default=None, help=".png .pdf .svg .dxf .csv .json")
    parser.add_argument("--city", default="", metavar="NAME", help=tr("rules of this city count, too"))
    parser.add_argument("--dpi", type=float, default=150.0)


def run_section(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel section``: a cross section judged and drawn."""
    from plugins.tunnel.model.space.export import SECTION_SUFFIXES, check_suffix, section_json, write_section
    from plugins.tunnel.model.space.judge import judge_section
    from plugins.tunnel.model.space.load import load_section

    out: Path | None = arguments.out
    check_suffix(out, SECTION_SUFFIXES, arguments.dpi)
    with context.open_project(arguments.file) as project:
        section = load_section(project, arguments.section, arguments.at)
    findings = judge_section(section, context.rules("tunnel.section"), today=date.today(), city=arguments.city)
    if out is not None:
        write_section(section, findings, out, dpi=arguments.dpi)
    return VerbResult(section_json(section, findings) | ({"out": str(out)} if out else {}))


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
    from plugins.tunnel.model.space.axis import parse_station
    from plugins.tunnel.model.space.export import PROFILE_SUFFIXES, check_suffix, profile_json, write_profile
    from plugins.tunnel.model.space.profile_load import path_profile, tunnel_profile

    out: Path | None = arguments.out
    check_suffix(out, PROFILE_SUFFIXES, arguments.dpi)
    if not arguments.tunnel and not (arguments.start and arguments.end):
        raise PlannerError("tunnel.profile_ends")
    with context.open_project(arguments.file) as project:
        if arguments.tunnel:
            ends = [parse_station(one) if one else None for one in (arguments.start, arguments.end)]
            profile = tunnel_profile(project, arguments.tunnel, *ends)
            findings = judge_tunnel(
                project, arguments.tunnel, context.rules("tunnel.along"), profile.ends, arguments.city
            )
        else:
            profile, findings = path_profile(project, arguments.start, arguments.end), []
    if out is not None:
        write_profile(profile, findings, out, dpi=arguments.dpi)
    return VerbResult(profile_json(profile, findings) | ({"out": str(out)} if out else {}))


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
    from plugins.tunnel.model.space.export import section_json
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
