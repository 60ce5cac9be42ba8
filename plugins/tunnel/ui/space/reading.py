"""What section and profile read from the project, away from the window's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.space.along import judge_tunnel
from plugins.tunnel.model.space.axis import Axis
from plugins.tunnel.model.space.judge import judge_section
from plugins.tunnel.model.space.load import lines_of, load_section, load_tunnel, number, rows, text
from plugins.tunnel.model.space.profile import Profile
from plugins.tunnel.model.space.profile_load import path_profile, tunnel_profile
from plugins.tunnel.model.space.section import Section
from plugins.tunnel.model.space.tables import (
    COMPARTMENT,
    FIRE_ZONE,
    PLACEMENT,
    SECTION,
    SUPPORT,
    TUNNEL,
    TUNNEL_NODE,
)
from plugins.tunnel.model.tables import LINE, NODE, TableSpec

#: Tables of which sections and profiles are made.
SPECS = (TUNNEL, SECTION, COMPARTMENT, SUPPORT, PLACEMENT, TUNNEL_NODE, FIRE_ZONE, LINE, NODE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A section of a tunnel in the lists of choosers."""

    code: str
    from_m: float
    to_m: float


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Tunnels as (code, name), the sections of each by chainage, and the axes that could be read.

    ``own_layers``: of which all this is made; ``all_layers``: of which sections and profiles are made.
    """

    tunnels: tuple[tuple[str, str], ...] = ()
    sections: dict[str, tuple[Piece, ...]] = field(default_factory=dict)
    axes: dict[str, Axis] = field(default_factory=dict)
    own_layers: frozenset[str] = frozenset()
    all_layers: frozenset[str] = frozenset()

    def tunnel_of(self, code: str) -> str:
        """The tunnel of a code that names a tunnel or a section; "" for none."""
        if any(code == tunnel for tunnel, _ in self.tunnels):
            return code
        return next((t for t, its in self.sections.items() if any(piece.code == code for piece in its)), "")


@dataclass(frozen=True, slots=True)
class JudgedSection:
    """A section with its findings; ``lines``: fid of every line by code."""

    section: Section
    findings: tuple[Finding, ...]
    lines: dict[str, int]


@dataclass(frozen=True, slots=True)
class JudgedProfile:
    """A profile with what was judged along it; ``axis``: the line in plan by chainage, None where it has none."""

    profile: Profile
    findings: tuple[Finding, ...]
    axis: Axis | None


def layer_ids(project: Project, specs: Sequence[TableSpec] = SPECS) -> frozenset[str]:
    """Ids of the layers of some kinds, and "" for the registry."""
    found = (tables.find(project, spec) for spec in specs)
    return frozenset(layer.id for layer in found if layer is not None) | {""}


def read_catalogue(project: Project) -> Catalogue:
    """What there is to choose from. Tunnels that have only sections count, too."""
    named = {text(row["code"]): text(row["name"]) for row in rows(project, TUNNEL)}
    sections: dict[str, list[Piece]] = {}
    for row in rows(project, SECTION):
        low, high = number(row["from_m"]), number(row["to_m"])
        if low is not None and high is not None:
            sections.setdefault(text(row["tunnel"]), []).append(Piece(text(row["code"]), low, high))
    tunnels = tuple(sorted((named | {code: named.get(code, "") for code in sections}).items()))
    axes = {}
    for code in named:
        try:
            axes[code] = load_tunnel(project, code).axis
        except PlannerError:  # said where the tunnel is opened
            continue
    pieces = {code: tuple(sorted(its, key=lambda one: one.from_m)) for code, its in sections.items()}
    return Catalogue(tunnels, pieces, axes, layer_ids(project, (TUNNEL, SECTION)), layer_ids(project))


def read_section(project: Project, code: str, m: float | None, rules: Sequence[Rule]) -> JudgedSection:
    """A section and its findings.

    Raises:
        PlannerError: what ``load_section`` raises.
    """
    section = load_section(project, code, m)
    lines = lines_of(project, [one.line for one in section.placements])
    findings = judge_section(section, rules, today=date.today())
    return JudgedSection(section, tuple(findings), {code: row["fid"] for code, row in lines.items()})


def read_profile(project: Project, tunnel: str, ends: tuple[str, str], rules: Sequence[Rule]) -> JudgedProfile:
    """The profile of a tunnel, or between two nodes where no tunnel is named.

    Raises:
        PlannerError: what ``tunnel_profile`` and ``path_profile`` raise.
    """
    if tunnel:
        profile = tunnel_profile(project, tunnel)
        findings = judge_tunnel(project, tunnel, rules)
    else:
        profile, findings = path_profile(project, *ends), []
    return JudgedProfile(profile, tuple(findings), _axis(profile))


def _axis(profile: Profile) -> Axis | None:
    import numpy as np

    places = np.array(profile.xy, float).reshape(-1, 3)
    m, first = np.unique(places[:, 0].round(6), return_index=True)
    if len(m) < 2:
        return None
    xy = places[first, 1:]
    return Axis(m, np.column_stack([xy, np.full(len(m), np.nan)]))
