"""The clearance report of a project: what comes near what, and the verdict on each pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.clearance.bodies import body_gaps, near_bodies
from plugins.tunnel.model.clearance.joined import (
    cut,
    ends_in,
    leads_to_crossing,
    meet,
    only,
    own_tunnels,
    tapped_into,
    through_fitting,
)
from plugins.tunnel.model.clearance.judge import Check, Limits, worst
from plugins.tunnel.model.clearance.kernel import Ints, Near, Pieces, by_lines, is_upright, near_pieces
from plugins.tunnel.model.clearance.lines import Lines, Note, project_lines
from plugins.tunnel.model.clearance.others import Others, is_building, is_work, read_others
from plugins.tunnel.model.clearance.tunnels import Tunnels, project_tunnels
from plugins.tunnel.model.clearance.words import Profile
from plugins.tunnel.model.clearance.zones import Intrusion, intrusions
from plugins.tunnel.model.tables import LINE


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things near each other. Distances in m between outer surfaces; NaN: not known (``vertical`` also where they
    do not overlap in plan). ``checks``: everything that was judged; ``deciding``: the worst of it."""

    a: str
    b: str
    kinds: tuple[str, str]
    plan: float
    vertical: float
    true: float
    where: tuple[float, float]
    checks: tuple[Check, ...]

    @property
    def deciding(self) -> Check:
        """The check that decides the pair's verdict."""
        return worst(self.checks)


@dataclass(slots=True)
class Report:
    """All pairs, worst first, the works inside the zones of tunnels, and what was assumed or left out."""

    pairs: list[Pair] = field(default_factory=list)
    zones: list[Intrusion] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def blocking(self) -> bool:
        """True if a check fails whose rule may block."""
        return any(one.blocking for pair in self.pairs for one in pair.checks)


@dataclass(frozen=True, slots=True)
class _Side:
    """What a number in a ``Near`` means: names, profiles, and whether diameters are known."""

    ids: Sequence[str]
    profiles: Sequence[Profile]
    sized: Any


def assess(
    project: Project, rules: Sequence[Rule], *, layer: str = "", reach: float = 5.0, progress: Progress | None = None
) -> Report:
    """Judge the clearances of a project.

    Args:
        rules: those in force.
        layer: id or name of a layer (planned construction, pits, piles, pipes): only pairs with its features are
            judged. Without it pipes are judged against each other, tunnels and buildings.
        reach: pairs farther apart in plan are left out, m.

    Raises:
        PlannerError: ``tunnel.no_table`` if the project has neither pipes nor tunnels; ``tunnel.reach_wrong``; what
            opening the layer raises.
    """
    if not math.isfinite(reach) or not 0 < reach <= 1_000:
        raise PlannerError("tunnel.reach_wrong", reach=reach)
    judge = _Judge(Limits.of(rules), reach, progress or NoProgress())
    tunnels = project_tunnels(project, judge.limits.settings.wall_m)
    pipes = tables.find(project, LINE)
    if pipes is None and not tunnels.items:
        raise PlannerError("tunnel.no_table", id=LINE.id)
    lines = None if pipes is None else project_lines(project)
    judge.report.notes += [*tunnels.notes, *(lines.notes if lines else [])]
    other = project.layer(layer) if layer else None
    if other is None or (pipes is not None and other.id == pipes.id):
        judge.existing(lines, tunnels, [read_others(project, one) for one in project.layers() if is_building(one)])
        works = [read_others(project, one) for one in project.layers() if is_work(one)]
    else:
        if other.geometry == "none":
            raise PlannerError("tunnel.layer_without_shapes", layer=other.name)
        works = [read_others(project, other)]
        judge.with_layer(lines, tunnels, works[0])
    judge.tell_reach(lines, tunnels, works if layer else [])
    for work in works:
        judge.report.zones += intrusions(work, tunnels, rules)
        judge.report.notes += work.notes
    judge.report.pairs.sort(key=_order)
    return judge.report


def _order(pair: Pair) -> tuple[int, bool, float, str]:
    deciding = pair.deciding
    rank = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE, Verdict.PASS).index(deciding.verdict)
    short = (deciding.measured or 0.0) - (deciding.required or 0.0)
    return rank, not deciding.blocking, short, pair.a


@dataclass(slots=True)
class _Judge:
    """Collects the pairs of one report."""

    limits: Limits
    reach: float
    progress: Progress
    report: Report = field(default_factory=Report)

    def existing(self, lines: Lines | None, tunnels: Tunnels, buildings: Sequence[Others]) -> None:
        """What is there against each other."""
        if lines is not None:
            buried = only(lines.pieces, ~lines.inside[lines.pieces.line])
            if lines.inside.any():
                self._note("inside", count=int(lines.inside.sum()))
            side = _Side(lines.ids, lines.profiles, lines.size_known)
            own = own_tunnels(lines, tunnels)
            outside = cut(lines, buried, tunnels, own)
            self._among_lines(lines, outside, side)
            self._to_tunnels(outside, side, tunnels, own)
            for layer in buildings:
                self._to_buildings(lines, buried, side, layer)
        self._tunnels(tunnels, buildings)

    def with_layer(self, lines: Lines | None, tunnels: Tunnels, work: Others) -> None:
        """A layer's features against pipes and tunnels."""
        mine = _Side(work.ids, work.profiles, work.sized)
        tunnel_side = _Side(
            [f"tunnel:{one.code}" for one in tunnels.items], [one.profile for one in tunnels.items], None
        )
        pieces = work.lines.pieces if work.lines is not None else work.piles
        if lines is not None:
            buried = only(lines.pieces, ~lines.inside[lines.pieces.line])
            if lines.inside.any():
                self._note("inside", count=int(lines.inside.sum()))
            side = _Side(lines.ids, lines.profiles, lines.size_known)
            if pieces is not None:
                near = near_pieces(buried, self.reach, pieces)
                self._judge_lines(near, buried, pieces, side, mine, one_set=False)
            elif work.bodies is not None:
                near = near_bodies(buried, work.bodies, self.reach)
                self._judge_bodies(near, buried.line[near.a], work.bodies.owner[near.b], side, mine)
        if pieces is not None:
            near = near_bodies(pieces, tunnels.bodies, self.reach)
            self._judge_bodies(near, pieces.line[near.a], tunnels.bodies.owner[near.b], mine, tunnel_side)
        elif work.bodies is not None:
            near = body_gaps(work.bodies, tunnels.bodies, self.reach)
            self._judge_bodies(near, work.bodies.owner[near.a], tunnels.bodies.owner[near.b], mine, tunnel_side)

    def tell_reach(self, lines: Lines | None, tunnels: Tunnels, works: Sequence[Others]) -> None:
        """Say so if a rule may ask for more than was searched."""
        profiles = {Profile("building"), *(lines.profiles if lines else []), *(one.profile for one in tunnels.items)}
        widest = self.limits.widest(profiles.union(*(work.profiles for work in works)))
        if widest is not None and widest[0] > self.reach:
            self._note("reach", most=widest[0], reach=self.reach, clause=f"{widest[1].standard} {widest[1].clause}")
        shield = max((one.width for one in tunnels.items if one.method != "open_cut"), default=0.0)
        if shield > self.reach:
            self._note("reach", most=round(shield, 2), reach=self.reach, clause="GB 50838 5.2.2")

    def _among_lines(self, lines: Lines, pieces: Pieces, side: _Side) -> None:
        near = near_pieces(pieces, self.reach)
        joined = through_fitting(lines, pieces.line[near.a], pieces.line[near.b], self.limits.settings.fitting_m)
        tapped = tapped_into(lines, near, pieces.line[near.a], pieces.line[near.b])
        if (joined | tapped).any():
            a, b = pieces.line[near.a], pieces.line[near.b]
            both = np.column_stack([np.minimum(a, b), np.maximum(a, b)])[joined | tapped]
            self._note("joined", count=len(np.unique(both, axis=0)))
        near = _rows(near, ~(joined | tapped))
        self._judge_lines(near, pieces, pieces, side, side, one_set=True)

    def _judge_lines(self, near: Near, a: Pieces, b: Pieces, side_a: _Side, side_b: _Side, *, one_set: bool) -> None:
        """Pairs of lines: upright distance where they cross, distance in plan where they run beside each other."""
        found, member = by_lines(near, a.line[near.a], b.line[near.b], one_set=one_set)
        along = _angle(a, b, near) < self.limits.settings.along_degrees
        upright = is_upright(a)[near.a] | is_upright(b)[near.b]
        over = near.plan <= 0
        crossing = over & ~along & ~upright
        crosses = np.bincount(member[crossing], minlength=len(found.a)) > 0
        # Beside a crossing the pieces that lead to it are near of necessity; only those that run along count there.
        beside_rows = ~crossing & (along | ~crosses[member])
        beside = np.full(len(found.a), np.inf)
        np.minimum.at(beside, member[beside_rows], near.plan[beside_rows])
        line_a, line_b = a.line[found.a], b.line[found.b]
        ends = a.nodes[found.a], b.nodes[found.b]
        leads = leads_to_crossing(line_a, line_b, *ends, crosses, one_set=one_set)
        leads &= np.bincount(member[along], minlength=len(found.a)) == 0
        if one_set:
            line_a, line_b = np.minimum(line_a, line_b), np.maximum(line_a, line_b)
        for k in range(len(found.a)):
            one, two = int(line_a[k]), int(line_b[k])
            profiles = side_a.profiles[one], side_b.profiles[two]
            sized = bool(side_a.sized[one] and side_b.sized[two])
            checks = []
            if crosses[k] or found.plan[k] <= 0:
                checks.append(self.limits.check("vertical", *profiles, float(found.vertical[k]), sized=sized))
            if leads[k]:
                in_space = self.limits.check("vertical", *profiles, float(found.true[k]), sized=sized)
                checks.append(replace(in_space, direction="true"))
            elif math.isfinite(beside[k]):
                checks.append(self.limits.check("horizontal", *profiles, float(beside[k]), sized=sized))
            self._add(found, k, (side_a.ids[one], side_b.ids[two]), profiles, checks)

    def _to_tunnels(self, pieces: Pieces, side: _Side, tunnels: Tunnels, own: dict[int, set[int]]) -> None:
        near = near_bodies(pieces, tunnels.bodies, self.reach)
        line, owner = pieces.line[near.a], tunnels.bodies.owner[near.b]
        mine = np.array([int(t) in own.get(int(one), ()) for one, t in zip(line, owner, strict=True)], bool)
        if own:
            self._note("connected", count=len(own))
        keep = ~mine
        other = _tunnel_side(tunnels)
        self._judge_bodies(_rows(near, keep), line[keep], owner[keep], side, other)

    def _to_buildings(self, lines: Lines, pieces: Pieces, side: _Side, layer: Others) -> None:
        """Distance in plan; a line that ends in a building serves it."""
        if layer.bodies is None:
            return
        near = near_bodies(pieces, layer.bodies, self.reach)
        line, owner = pieces.line[near.a], layer.bodies.owner[near.b]
        serves = ends_in(lines, layer.shapes, line, owner)
        if serves.any():
            self._note("serves", count=len(set(line[serves].tolist())), layer=layer.layer.name)
        keep = ~serves
        other = _Side(layer.ids, layer.profiles, None)
        self._judge_bodies(_rows(near, keep), line[keep], owner[keep], side, other)

    def _tunnels(self, tunnels: Tunnels, buildings: Sequence[Others]) -> None:
        side = _tunnel_side(tunnels)
        for layer in buildings:
            if layer.bodies is not None:
                near = body_gaps(tunnels.bodies, layer.bodies, self.reach)
                other = _Side(layer.ids, layer.profiles, None)
                a, b = tunnels.bodies.owner[near.a], layer.bodies.owner[near.b]
                self._judge_bodies(near, a, b, side, other)
        near = body_gaps(tunnels.bodies, tunnels.bodies, self.reach)
        a, b = tunnels.bodies.owner[near.a], tunnels.bodies.owner[near.b]
        meets = {(i, j) for i in range(len(tunnels.items)) for j in range(i) if meet(tunnels, i, j)}
        for i, j in sorted(meets):
            self._note("tunnels_meet", a=tunnels.items[j].code, b=tunnels.items[i].code)
        keep = np.array([x > y and (x, y) not in meets for x, y in zip(a.tolist(), b.tolist(), strict=True)], bool)
        self._judge_bodies(_rows(near, keep), a[keep], b[keep], side, side)

    def _judge_bodies(self, near: Near, a: Ints, b: Ints, side_a: _Side, side_b: _Side) -> None:
        """Pairs with a body: upright distance where they overlap in plan, else distance in plan; buildings always by
        their distance in plan."""
        found, member = by_lines(near, a, b, one_set=False)
        if not len(found.a):
            return
        first = np.zeros(len(found.a), np.int64)
        first[member] = np.arange(len(member))
        for k in range(len(found.a)):
            one, two = int(a[first[k]]), int(b[first[k]])
            profiles = side_a.profiles[one], side_b.profiles[two]
            sized = bool(side_a.sized is None or side_a.sized[one]) and bool(side_b.sized is None or side_b.sized[two])
            overlap = found.plan[k] <= 0 and "building" not in (profiles[0].kind, profiles[1].kind)
            direction, measured = ("vertical", found.vertical[k]) if overlap else ("horizontal", found.plan[k])
            checks = [self.limits.check(direction, *profiles, float(measured), sized=sized)]
            self._add(found, k, (side_a.ids[one], side_b.ids[two]), profiles, checks)

    def _add(
        self, near: Near, k: int, ids: tuple[str, str], kinds: tuple[Profile, Profile], checks: list[Check]
    ) -> None:
        if k % 4096 == 0:
            check(self.progress)
        hit = self.limits.hit(float(near.true[k]))
        if hit is not None:
            checks.append(hit)
        where = float(near.where[k, 0]), float(near.where[k, 1])
        distances = float(near.plan[k]), float(near.vertical[k]), float(near.true[k])
        self.report.pairs.append(Pair(*ids, (kinds[0].kind, kinds[1].kind), *distances, where, tuple(checks)))

    def _note(self, what: str, **params: object) -> None:
        note: Note = (f"tunnel.clearance_{what}", params)
        if note not in self.report.notes:
            self.report.notes.append(note)


def _tunnel_side(tunnels: Tunnels) -> _Side:
    return _Side([f"tunnel:{one.code}" for one in tunnels.items], [one.profile for one in tunnels.items], None)


def _rows(near: Near, keep: Any) -> Near:
    return Near(near.a[keep], near.b[keep], near.plan[keep], near.vertical[keep], near.true[keep], near.where[keep])


def _angle(a: Pieces, b: Pieces, near: Near) -> Any:
    """Angle between the pieces in plan, degrees, 0 … 90."""
    u = (a.end - a.start)[near.a, :2]
    v = (b.end - b.start)[near.b, :2]
    cross = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    return np.degrees(np.arctan2(cross, np.abs(np.einsum("ij,ij->i", u, v))))
