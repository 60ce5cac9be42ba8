"""A replay as a printed paper."""

from __future__ import annotations

from pathlib import Path

from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Project
from planner_app.report.paper import Banner, Block, Column, Facts, Heading, Paper, Picture, Table, Text, write_paper
from plugins.tunnel.model.emergency.scene import Scene

_KINDS = {"leak": "Gas leak", "fire": "Fire", "flood": "Flood", "power": "Power failure"}
_ACTIONS = {"stop": "stops", "start": "starts", "close": "closes", "open": "opens", "dead": "without power"}


def clock(seconds: float) -> str:
    """``1:04:00``, minutes and seconds below an hour."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def write_scene(project: Project, scene: Scene, path: Path, map_png: bytes = b"") -> None:
    """Write a replay as .pdf, .html or .docx.

    Raises:
        PlannerError: ``report.not_written``.
    """
    title = tr(_KINDS[scene.kind])
    blocks: list[Block] = [
        Banner("needs_certificate", tr("Screening"), word("tunnel.screening", {})),
        Facts([(tr("Event"), title), (tr("Location"), scene.at), (tr("Followed for"), clock(scene.duration))]),
    ]
    if map_png:
        blocks.append(Picture(tr("Location"), png=map_png))
    blocks += [
        Heading(tr("Timeline")),
        Table(
            [Column(tr("Time"), 12, "right"), Column(tr("What happens"), 58), Column(tr("Compartments"), 30)],
            [[clock(one.t), word(one.code, dict(one.params)), ", ".join(one.spaces)] for one in scene.timeline],
        ),
        Heading(tr("Ways out")),
        Table(
            [Column(tr("Compartment"), 24), Column(tr("Exit"), 18), Column(tr("Way (m)"), 12, "right"),
             Column(tr("Time"), 12, "right"), Column(tr("Through"), 34)],
            [[one.zone, one.exit or tr("No way out is left"), f"{one.length:,.0f}" if one.exit else "–",
              clock(one.seconds) if one.exit else "–", " → ".join(one.rooms)] for one in scene.exits],
            empty=tr("Nobody has to leave."),
        ),
        Heading(tr("Equipment")),
        Table(
            [Column(tr("Code"), 36), Column(tr("Compartment"), 26), Column(tr("What it does"), 22),
             Column(tr("Time"), 16, "right")],
            [[one.id if one.known else tr("{id} (assumed)", id=one.id), one.zone, tr(_ACTIONS[one.action]),
              clock(one.t)]
             for one in scene.equipment],
            empty=tr("None is concerned."),
        ),
        Heading(tr("By clause and assumed")),
    ]  # fmt: skip
    for rule in scene.values:
        source = f"{rule.standard} {rule.clause}".strip() or tr("assumption")
        named = rule.title_zh if language() == "zh_CN" else rule.title
        blocks.append(Text(f"{named}: {rule.params['value']:g} {rule.unit} — {source}", "note"))
    blocks += [Text(word(code, params), "note") for code, params in (*scene.assumptions, *scene.notes)]
    write_paper(Paper(tr("Emergency: {what}", what=title), blocks, over=project.name, under=scene.at), path)
