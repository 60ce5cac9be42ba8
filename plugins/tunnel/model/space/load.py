"""Tunnels and their sections from a project's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.space.axis import Axis, Run
from plugins.tunnel.model.space.kinds import line_kind, voltage_kv
from plugins.tunnel.model.space.section import Compartment, Placement, Ring, Section, Support, inside
from plugins.tunnel.model.space.tables import COMPARTMENT, PLACEMENT, SECTION, SUPPORT, TUNNEL, TUNNEL_NODE
from plugins.tunnel.model.tables import LINE, TableSpec

Row = Mapping[str, Any]
Note = tuple[str, dict[str, Any]]
_LINE_FIELDS = (
    "code network kind_code dn_mm material rating cables status weight_kg_m voltage_kv from_node to_node z_ref z1 z2"
)
#: Nodes of a tunnel stand beside its axis, not farther than this (m); a control centre elsewhere is no ground.
_BESIDE = 30.0


@dataclass(frozen=True)
class TunnelNode:
    """An opening, shaft or well of a tunnel.

    Attributes:
        z: of the ground there, None where unknown.
        compartment: code or kind as stated; size: clear size as stated (``1.2×7.0``, ``φ1.0``).
        xy: where it stands in the project's CRS.
    """

    code: str
    kind: str
    m: float
    z: float | None = None
    compartment: str = ""
    size: str = ""
    xy: tuple[float, float] | None = None


@dataclass(frozen=True)
class Tunnel:
    """A tunnel: its row, axis, rows of its sections by chainage, its nodes by chainage; notes: what was left out."""

    row: Row
    axis: Axis
    sections: Sequence[Row]
    nodes: Sequence[TunnelNode]
    notes: Sequence[Note] = ()

    @property
    def code(self) -> str:
        """Its code."""
        return text(self.row["code"])

    def ground_z(self, m: float) -> float | None:
        """Height of the ground at a chainage, between the nodes on both sides; None beyond them."""
        known = [(node.m, node.z) for node in self.nodes if node.z is not None]
        before = max((pair for pair in known if pair[0] <= m), default=None)
        after = min((pair for pair in known if pair[0] >= m), default=None)
        if before is None or after is None:
            return None
        if after[0] == before[0]:
            return before[1]
        share = (m - before[0]) / (after[0] - before[0])
        return float(before[1] + share * (after[1] - before[1]))


def text(value: Any) -> str:
    """A cell as text, empty for None."""
    return "" if value is None else str(value)


def number(value: Any) -> float | None:
    """A cell as a number, None for None, NaN and what is none."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if found == found else None


def rows(project: Project, spec: TableSpec, where: str = "", *, geometry: bool = False, extra: str = "") -> list[Row]:
    """Rows of a table as mappings with ``fid`` and, if asked for, ``shape``; fields it lacks are None.

    Returns an empty list if the project has no such table.
    """
    layer = tables.find(project, spec)
    if layer is None:
        return []
    names = [*(info.name for info in spec.fields), *extra.split()]
    there = [name for name in names if layer.field(name) is not None]
    if where and layer.field(where.split()[0].strip('"')) is None:
        return []
    table = project.read(layer.id, columns=there, where=where, geometry=geometry)
    shapes = shapely.from_wkb(table.geometry) if geometry else [None] * len(table)
    missing: list[Any] = [None] * len(table)
    columns = {name: table.columns.get(name, missing) for name in names}
    return [
        {"fid": int(fid), "shape": shapes[at]} | {name: values[at] for name, values in columns.items()}
        for at, fid in enumerate(table.fids)
    ]


def among(field: str, values: Sequence[str]) -> str:
    """An SQL condition: the field is one of these texts."""
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in dict.fromkeys(values))
    return f'"{field}" IN ({quoted})'


def load_tunnel(project: Project, code: str) -> Tunnel:
    """A tunnel by its code.

    Raises:
        PlannerError: ``tunnel.no_table``, ``tunnel.tunnel_unknown``, ``tunnel.no_axis``.
    """
    tables.need(project, TUNNEL)
    found = rows(project, TUNNEL, among("code", [code]), geometry=True)
    its = rows(project, SECTION, among("tunnel", [code]), geometry=True)
    sections = sorted((row for row in its if number(row["from_m"]) is not None), key=lambda row: row["from_m"])
    notes: list[Note] = [
        ("tunnel.row_unmeasured", {"id": text(row["code"])}) for row in its if number(row["from_m"]) is None
    ]
    if not found:
        known = ", ".join(text(row["code"]) for row in rows(project, TUNNEL))
        raise PlannerError("tunnel.tunnel_unknown", id=code, known=known or "–")
    row = found[0]
    runs = [_run(one) for one in sections]
    if not all(run is not None for run in runs) or not runs:
        runs = [_run(row)]
    axis = Axis.of([run for run in runs if run is not None])
    return Tunnel(row, axis, sections, _nodes(project, code, axis, notes), tuple(notes))


def _run(row: Row) -> Run | None:
    shape = single(row["shape"])
    if shape is None:
        return None
    start = number(row["from_m"]) or 0.0
    end = number(row["to_m"])
    return Run(shape, start, start + shape.length if end is None else end)


def single(shape: Any) -> Any:
    """A line in one piece, the pieces of a broken one joined in their order; heights of 0 throughout are none.

    Returns None for what is no line.
    """
    if shape is None or shape.is_empty or shape.geom_type not in ("LineString", "MultiLineString"):
        return None
    xyz = shapely.get_coordinates(shape, include_z=shape.has_z)
    # The store writes 0 where a shape without heights comes into a layer with heights.
    return shapely.linestrings(xyz if xyz.shape[1] == 3 and xyz[:, 2].any() else xyz[:, :2])


def _nodes(project: Project, code: str, axis: Axis, notes: list[Note]) -> list[TunnelNode]:
    found = []
    for row in rows(project, TUNNEL_NODE, among("tunnel", [code]), geometry=True):
        shape, m = row["shape"], number(row["m"])
        z = xy = None
        if shape is not None and not shape.is_empty:
            xy = (float(shape.x), float(shape.y))
            at, away = axis.locate(*xy)
            m = at if m is None else m
            beside = away <= _BESIDE and abs(at - m) <= _BESIDE
            z = (number(shape.z) or None) if beside and shape.has_z else None
            if not beside:
                continue
        if m is None:
            notes.append(("tunnel.node_unplaced", {"id": text(row["code"])}))
            continue
        room, size = text(row["compartment"]), text(row["clear_size"])
        found.append(TunnelNode(text(row["code"]), text(row["kind"]), m, z, room, size, xy))
    return sorted(found, key=lambda node: node.m)


def load_section(project: Project, code: str, m: float | None = None) -> Section:
    """The cross section at a chainage.

    Args:
        code: of a section, or of a tunnel whose section at ``m`` is meant.
        m: chainage along the tunnel; the middle of the section without it.

    Raises:
        PlannerError: ``tunnel.no_table``, ``tunnel.section_unknown``, ``tunnel.section_range``, ``tunnel.no_axis``.
    """
    tables.need(project, SECTION)
    row = _section_row(project, code, m)
    code = text(row["code"])
    low, high = number(row["from_m"]), number(row["to_m"])
    if low is None or high is None:
        raise PlannerError("tunnel.section_unmeasured", id=code)
    m = (low + high) / 2 if m is None else m
    if not low - 0.005 <= m <= high + 0.005:  # chainages are written to the centimetre
        raise PlannerError("tunnel.section_range", id=code, m=m, low=low, high=high)
    notes: list[Note] = []
    compartments = _compartments(project, code, m, notes)
    tunnel_code = text(row["tunnel"])
    try:
        tunnel = load_tunnel(project, tunnel_code)
    except PlannerError as error:
        notes.append((error.code, dict(error.params)))
        tunnel = None
    tunnel_row: Row = tunnel.row if tunnel else {"built_edition": "", "built_year": None}
    year, wall = number(tunnel_row["built_year"]), number(row["wall_m"])
    return Section(
        code=code,
        tunnel=tunnel_code,
        m=m,
        from_m=low,
        to_m=high,
        compartments=compartments,
        supports=_supports(project, code, compartments, notes),
        placements=_placements(project, code, m, compartments, notes),
        profile=text(row["profile"]),
        built=text(tunnel_row["built_edition"]),
        year=None if year is None else int(year),
        at=tunnel.axis.at(m) if tunnel else None,
        ground_z=tunnel.ground_z(m) if tunnel else None,
        wall=wall if wall is not None and 0 < wall < 5 else None,
        notes=tuple(notes),
    )


def _section_row(project: Project, code: str, m: float | None) -> Row:
    found = rows(project, SECTION, among("code", [code]))
    if found:
        return found[0]
    of_tunnel = rows(project, SECTION, among("tunnel", [code]))
    if not of_tunnel:
        known = ", ".join(text(row["code"]) for row in rows(project, SECTION)[:12])
        raise PlannerError("tunnel.section_unknown", id=code, known=known or "–")
    ends = [(number(row["from_m"]), number(row["to_m"]), row) for row in of_tunnel]
    spans = [(low, high, row) for low, high, row in ends if low is not None and high is not None]
    for low, high, row in spans:
        if m is None or low <= m <= high:
            return row
    lows, highs = [low for low, _, _ in spans] or [0.0], [high for _, high, _ in spans] or [0.0]
    raise PlannerError("tunnel.section_range", id=code, m=m, low=min(lows), high=max(highs))


def _covers(row: Row, m: float) -> bool:
    low, high = number(row["from_m"]), number(row["to_m"])
    return (low is None or low - 0.005 <= m) and (high is None or m <= high + 0.005)


def _compartments(project: Project, section: str, m: float, notes: list[Note]) -> tuple[Compartment, ...]:
    found = []
    for row in rows(project, COMPARTMENT, among("section", [section])):
        if not _covers(row, m):
            continue
        outline = _rings(text(row["outline"]))
        if not outline:
            notes.append(("tunnel.outline_unreadable", {"id": text(row["code"])}))
        found.append(Compartment(text(row["code"]), text(row["kind"]), outline))
    return tuple(sorted(found, key=lambda one: one.box[0] if one.box else 0.0))


def _rings(wkt: str) -> tuple[Ring, ...]:
    try:
        shape = shapely.from_wkt(wkt) if wkt else None
    except shapely.errors.ShapelyError:
        shape = None
    if shape is None or shape.geom_type != "Polygon" or shape.is_empty or not shape.is_valid:
        return ()
    return tuple(
        tuple((float(x), float(y)) for x, y, *_ in ring.coords[:-1]) for ring in (shape.exterior, *shape.interiors)
    )


def _supports(
    project: Project, section: str, compartments: Sequence[Compartment], notes: list[Note]
) -> tuple[Support, ...]:
    found = []
    for row in rows(project, SUPPORT, among("section", [section])):
        x, y, length = number(row["x"]), number(row["y"]), number(row["length_m"])
        if x is None or y is None or length is None:
            notes.append(("tunnel.support_unplaced", {"id": text(row["code"])}))
            continue
        level = number(row["level"])
        found.append(
            Support(
                text(row["code"]),
                room_of(compartments, text(row["compartment"]), x, y),
                text(row["side"]),
                None if level is None else int(level),
                x,
                y,
                length,
                number(row["capacity_kg"]),
            )
        )
    return tuple(found)


def room_of(compartments: Sequence[Compartment], named: str, x: float | None, y: float | None) -> str:
    """Code of the compartment that a row names by code or by kind; of several of a kind the one that holds (x, y).

    Without a name the compartment that holds (x, y); "" if there is none.
    """
    if any(one.code == named for one in compartments):
        return named
    fitting = [one for one in compartments if one.kind == named] if named else list(compartments)
    if x is not None and y is not None:
        holding = next((one for one in fitting if inside(one.outline, x, y)), None)
        if holding is not None:
            return holding.code
    return fitting[0].code if len(fitting) == 1 or (named and fitting) else ""


def _placements(
    project: Project, section: str, m: float, compartments: Sequence[Compartment], notes: list[Note]
) -> tuple[Placement, ...]:
    there = [row for row in rows(project, PLACEMENT, among("section", [section])) if _covers(row, m)]
    lines = lines_of(project, [text(row["line"]) for row in there])
    found = []
    for row in there:
        code = text(row["line"])
        line = lines.get(code)
        if line is None:
            notes.append(("tunnel.placement_lineless", {"id": code or "–", "section": section}))
        found.append(placement_of(row, line or {}, compartments))
    return tuple(found)


def lines_of(project: Project, codes: Sequence[str]) -> dict[str, Row]:
    """Lines by code."""
    spec = TableSpec(LINE.id, LINE.name, LINE.geometry, ())
    found: dict[str, Row] = {}
    for start in range(0, len(codes), 500):
        for row in rows(project, spec, among("code", codes[start : start + 500]), extra=_LINE_FIELDS):
            found.setdefault(text(row["code"]), row)
    return found


def placement_of(row: Row, line: Row, compartments: Sequence[Compartment]) -> Placement:
    """A placement from its row and that of its line (empty if the line is unknown)."""
    x, y = number(row["x"]), number(row["y"])
    outer, dn = number(row["outer_d"]), number(line.get("dn_mm"))
    outer = outer if outer is not None and outer > 0 else None
    rating, stated = text(line.get("rating")), text(row["compartment"])
    kv = number(line.get("voltage_kv"))
    return Placement(
        fid=row["fid"],
        line=text(row["line"]),
        kind=line_kind(text(line.get("kind_code")), text(line.get("network"))),
        compartment=room_of(compartments, stated, x, y),
        x=x,
        y=y,
        outer_d=outer if outer is not None else dn / 1000 if dn else None,
        count=max(1, int(number(line.get("cables")) or 1)),
        support=text(row["support"]),
        stated=stated,
        nominal=outer is None and bool(dn),
        network=text(line.get("network")),
        kind_code=text(line.get("kind_code")),
        dn_mm=dn,
        material=text(line.get("material")),
        rating=rating,
        voltage_kv=kv if kv is not None else voltage_kv(rating),
        weight_kg_m=number(line.get("weight_kg_m")),
        status=text(line.get("status")),
    )


def room_heights(project: Project, sections: Sequence[str]) -> dict[str, float]:
    """Clear height (m) of the highest compartment by section; sections without a readable outline are missing."""
    found: dict[str, float] = {}
    for row in rows(project, COMPARTMENT, among("section", sections)) if sections else ():
        box = Compartment("", "", _rings(text(row["outline"]))).box
        if box is not None:
            found[text(row["section"])] = max(found.get(text(row["section"]), 0.0), box[3] - min(box[1], 0.0))
    return found
