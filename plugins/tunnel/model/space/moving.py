"""Moving a line within its section: to another support, or to a place. One undo step; the line in space follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.space.axis import Axis
from plugins.tunnel.model.space.load import load_tunnel, number
from plugins.tunnel.model.space.section import Placement, Section, inside
from plugins.tunnel.model.space.tables import PLACEMENT
from plugins.tunnel.model.tables import LINE

_HEIGHTS = ("z1", "z2", "depth1", "depth2")
#: Vertices of a line farther from the axis (m) belong to its buried part and stay.
_IN_TUNNEL = 15.0


@dataclass(frozen=True)
class MoveLine(Command):
    """Give a line another place in its section; ``wkb`` and ``heights``: the line in space, where it follows."""

    name: ClassVar[str] = "tunnel_move_line"
    section: str
    line: str
    fid: int
    x: float
    y: float
    compartment: str
    support: str = ""
    line_fid: int | None = None
    wkb: bytes | None = None
    heights: tuple[tuple[str, float], ...] = ()

    def params(self) -> dict[str, Any]:
        return {"line": self.line, "section": self.section, "x": self.x, "y": self.y, "support": self.support}

    def apply(self, tx: Transaction) -> None:
        layer = tables.ensure(tx, PLACEMENT, ["support"])
        values = {"x": self.x, "y": self.y, "compartment": self.compartment, "support": self.support or None}
        tx.update(layer.id, [self.fid], {key: [value] for key, value in values.items()})
        lines = tables.find(tx, LINE)
        if lines is None or self.line_fid is None:
            return
        if self.wkb is not None:
            tx.update_geometry(lines.id, {self.line_fid: self.wkb})
        if self.heights:
            tx.update(lines.id, [self.line_fid], {key: [value] for key, value in self.heights})


def place_on(section: Section, fid: int, support: str) -> tuple[float, float]:
    """Where a line comes to lie on a support: beside what lies there, as near to where it was as there is room.

    Raises:
        PlannerError: ``tunnel.placement_unknown``, ``tunnel.support_unknown``, ``tunnel.support_full``,
            ``tunnel.line_unsized``.
    """
    one = _placement(section, fid)
    bracket = next((found for found in section.supports if found.code == support), None)
    if bracket is None:
        raise PlannerError("tunnel.support_unknown", id=support, section=section.code)
    if one.outer_d is None:
        raise PlannerError("tunnel.line_unsized", line=one.line)
    others = [other for other in section.placements if other.fid != fid and section.support_of(other) == bracket]
    spans = [(x - r, x + r) for other in others for x, _, r in section.circles(other)]
    lying = section.moved(fid, bracket.x, bracket.y, support=support, compartment=bracket.compartment)
    circles = lying.circles(_placement(lying, fid))
    wide = max(x + r for x, _, r in circles) - min(x - r for x, _, r in circles)
    tall = max(y + r for _, y, r in circles) - min(y - r for _, y, r in circles)
    low, high = bracket.x - bracket.length / 2, bracket.x + bracket.length / 2
    wanted = bracket.x if one.x is None else one.x
    spots = []
    edge = low
    for left, right in [*sorted(spans), (high, high)]:
        if left - edge >= wide - 1e-9:
            spots.append(min(max(wanted, edge + wide / 2), max(left - wide / 2, edge + wide / 2)))
        edge = max(edge, right)
    if not spots:
        taken = sum((other.outer_d or 0.0) * other.count for other in others)
        raise PlannerError(
            "tunnel.support_full", id=support, length=bracket.length, taken=taken, line=one.line, needed=wide
        )
    return min(spots, key=lambda x: abs(x - wanted)), bracket.y + tall / 2


def move_line(
    project: Project, section: Section, fid: int, *, support: str = "", place: tuple[float, float] | None = None
) -> MoveLine:
    """The command that moves a line of a section; the caller executes it.

    Args:
        support: code of a support to lie on; with ``place`` only named, the place counts.
        place: x, y in the section (m); within a compartment.

    The line's vertices in the tunnel and its stated heights move by as much; a line that had no place keeps its shape.

    Raises:
        PlannerError: what :func:`place_on` raises; ``tunnel.outside_section``.
    """
    one = _placement(section, fid)
    x, y = place if place is not None else place_on(section, fid, support)
    x, y = round(x, 4), round(y, 4)
    room = next((room for room in section.compartments if inside(room.outline, x, y)), None)
    if room is None:
        raise PlannerError("tunnel.outside_section", x=x, y=y, section=section.code)
    same = [other for other in section.compartments if other.kind == room.kind]
    named = room.kind if len(same) == 1 and room.kind else room.code
    command = MoveLine(section.code, one.line, fid, x, y, named, support)
    lines = tables.find(project, LINE)
    if lines is None or one.x is None or one.y is None:
        return command
    quoted = one.line.replace("'", "''")
    there = [name for name in _HEIGHTS if lines.field(name) is not None]
    table = project.read(lines.id, columns=there, where=f"\"code\" = '{quoted}'")
    if len(table) != 1:  # two networks share the code: which of them lies here the tables do not say
        return command
    axis = load_tunnel(project, section.tunnel).axis
    shape = shapely.from_wkb(table.geometry[0])
    moved, ends = _shifted(shape, axis, (section.from_m, section.to_m), x - one.x, y - one.y)
    heights = []
    for name in there:
        value = number(table.columns[name][0])
        if value is not None and ends[int(name[-1]) - 1]:
            heights.append((name, round(value + (y - one.y) * (1 if name.startswith("z") else -1), 4)))
    wkb = None if moved is None else shapely.to_wkb(moved)
    return MoveLine(
        section.code, one.line, fid, x, y, named, support, int(table.fids[0]), wkb, tuple(heights)
    )  # fmt: skip


def _placement(section: Section, fid: int) -> Placement:
    found = next((one for one in section.placements if one.fid == fid), None)
    if found is None:
        raise PlannerError("tunnel.placement_unknown", id=fid, section=section.code)
    return found


def _shifted(shape: Any, axis: Axis, span: Sequence[float], dx: float, dy: float) -> tuple[Any, tuple[bool, bool]]:
    """(the line with its vertices in the section moved right and up, whether its first and last vertex moved)."""
    if shape is None or shape.is_empty:
        return None, (True, True)
    xyz = shapely.get_coordinates(shape, include_z=shape.has_z).copy()
    moves = np.zeros(len(xyz), bool)
    for k, point in enumerate(xyz):
        m, away = axis.locate(float(point[0]), float(point[1]))
        if away <= _IN_TUNNEL and span[0] - 0.5 <= m <= span[1] + 0.5:
            right = axis.right(m)
            moves[k] = True
            xyz[k, 0] += right[0] * dx
            xyz[k, 1] += right[1] * dx
            if shape.has_z:
                xyz[k, 2] += dy
    return shapely.set_coordinates(shapely.force_3d(shape) if shape.has_z else shape, xyz), (
        bool(moves[0]),
        bool(moves[-1]),
    )
