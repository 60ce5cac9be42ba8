"""Pipes and cables of a project as straight pieces in space with what decides their limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.clearance.kernel import Floats, Ints, Pieces
from plugins.tunnel.model.clearance.words import (
    Profile,
    kind_of,
    kv_of,
    number,
    outer_factor,
    pressure_of,
    word_of,
    words,
)  # fmt: skip
from plugins.tunnel.model.tables import LINE, NODE

Note = tuple[str, dict[str, object]]

_FIELDS = [
    "code", "network", "kind_code", "from_node", "to_node", "dn_mm", "outer_mm", "outer_d", "material", "laying",
    "z_ref", "z1", "z2", "depth1", "depth2", "rating", "pressure_class", "voltage_kv", "status", "length_m",
]  # fmt: skip
_ABANDONED = frozenset({"abandoned", "废弃", "报废", "拆除"})


@dataclass(slots=True)
class Lines:
    """n lines as pieces.

    Attributes:
        pieces: ``pieces.line`` counts in the lists below; ``pieces.nodes`` are the ends of the whole line.
        ids: as reports name them; fids: of the layer.
        network: name of each line's network (``""`` where there is none).
        size_known: bool (n,): False where neither an outer nor a nominal diameter is known (taken as 0).
        inside: bool (n,): lies in a tunnel; ends: int64 (n, 2) node numbers; length: float64 (n,) in plan, m.
        shapes: lines in plan with the axis as Z.
        notes: what was assumed or left out.
    """

    pieces: Pieces
    ids: list[str]
    codes: list[str]
    fids: list[int]
    network: list[str]
    profiles: list[Profile]
    size_known: Any
    inside: Any
    ends: Ints
    length: Floats
    shapes: Any
    notes: list[Note]

    def __len__(self) -> int:
        return len(self.ids)


def project_lines(project: Project) -> Lines:
    """All lines of the project's layer of pipes and cables; those out of use are left out and told.

    Raises:
        PlannerError: ``tunnel.no_table`` if the project has none.
    """
    return layer_lines(project, tables.need(project, LINE), "line:", placed=_placed(project))


def layer_lines(
    project: Project,
    layer: LayerInfo,
    prefix: str,
    *,
    placed: Mapping[str, float] | None = None,
    fids: Sequence[int] | None = None,
) -> Lines:
    """Lines of one layer, read by the field names of the layer of pipes.

    Args:
        prefix: before each line's code in reports.
        placed: outer diameters (m) of the lines that lie in tunnels, by code.
        fids: only these features.
    """
    there = [name for name in _FIELDS if layer.field(name) is not None]
    table = project.read(layer.id, columns=there, fids=fids)
    count = len(table)
    rows = {name: table.columns.get(name, [None] * count) for name in _FIELDS}
    shapes = np.array(shapely.from_wkb(table.geometry), object) if count else np.empty(0, object)
    notes: list[Note] = []
    gone = np.array([str(one or "").casefold() in _ABANDONED for one in rows["status"]], bool)
    above = np.array([word_of("laying", str(one or "")) == "above" for one in rows["laying"]], bool)
    empty = np.array([shape is None or shape.is_empty for shape in shapes], bool)
    for code, mask in (("abandoned", gone), ("above_ground", above & ~gone), ("no_geometry", empty & ~gone & ~above)):
        if mask.any():
            notes.append((f"tunnel.clearance_{code}", {"count": int(mask.sum()), "layer": layer.name}))
    keep = np.flatnonzero(~(gone | above | empty))
    rows = {name: [values[at] for at in keep] for name, values in rows.items()}
    return _build(project, rows, shapes[keep], [int(table.fids[at]) for at in keep], prefix, placed or {}, notes, layer)


def _build(
    project: Project,
    rows: dict[str, list[Any]],
    shapes: Any,
    fids: list[int],
    prefix: str,
    placed: Mapping[str, float],
    notes: list[Note],
    layer: LayerInfo,
) -> Lines:
    codes = [str(code) if code not in (None, "") else str(fid) for code, fid in zip(rows["code"], fids, strict=True)]
    network = [str(one or "") for one in rows["network"]]
    profiles = [_profile(rows, at, layer) for at in range(len(fids))]
    laid = [word_of("laying", str(how or "")) for how in rows["laying"]]
    inside = np.array([code in placed or how == "tunnel" for code, how in zip(codes, laid, strict=True)], bool)
    inner, outer = _diameters(rows, codes, placed, notes, layer)
    size_known = ~np.isnan(outer)
    radius = np.nan_to_num(outer) / 2
    parts, owner = shapely.get_parts(shapes, return_index=True)
    coords, part = shapely.get_coordinates(parts, include_z=True, return_index=True)
    line = owner[part].astype(np.int64)
    along, total = _along(coords, part, line, len(fids))
    z = _heights(project, rows, coords[:, 2], line, along, total, notes, layer)
    known = ~_without_height(z, line, len(fids))
    z = z + _to_axis(rows, profiles, inner, radius, known, notes, layer)[line]
    points = np.column_stack([coords[:, :2], z])
    follows = np.flatnonzero(part[1:] == part[:-1])
    moved = points[follows] != points[follows + 1]
    moved &= ~(np.isnan(points[follows]) & np.isnan(points[follows + 1]))
    follows = follows[moved.any(axis=1)]
    ends = _ends(rows, network, profiles, points, line, len(fids))
    pieces = Pieces(points[follows], points[follows + 1], radius[line[follows]], line[follows], ends[line[follows]])
    for code, mask in (
        ("no_size", ~size_known & ~inside),
        ("no_height", _without_height(z, line, len(fids)) & ~inside),
    ):
        if mask.any():
            notes.append((f"tunnel.clearance_{code}", {"count": int(mask.sum()), "layer": layer.name}))
    flat = shapely.linestrings(points, indices=part) if len(points) else np.empty(0, object)
    whole = shapely.multilinestrings(flat, indices=owner) if len(flat) else np.empty(0, object)
    ids = _unique(prefix, codes, network)
    return Lines(pieces, ids, codes, fids, network, profiles, size_known, inside, ends, total, whole, notes)


def _unique(prefix: str, codes: Sequence[str], network: Sequence[str]) -> list[str]:
    count: dict[str, int] = {}
    for code in codes:
        count[code] = count.get(code, 0) + 1
    return [
        prefix + (code if count[code] == 1 else f"{name}/{code}") for code, name in zip(codes, network, strict=True)
    ]


def _placed(project: Project) -> dict[str, float]:
    """Outer diameters of the lines placed in a tunnel's section (NaN where none is written)."""
    layer = next((one for one in project.layers() if one.role == "tunnel.line_placement"), None)
    layer = layer or next((one for one in project.layers() if one.id == "line_placement"), None)
    if layer is None:
        return {}
    _, found = tables.columns(project, layer, ["line", "outer_d"])
    return {str(line): number(outer) for line, outer in zip(found["line"], found["outer_d"], strict=True)}


def _profile(rows: Mapping[str, Sequence[Any]], at: int, layer: LayerInfo) -> Profile:
    kind = kind_of(str(rows["kind_code"][at] or ""), str(rows["network"][at] or ""))
    if kind == "unknown":
        kind = kind_of("", layer.name)
    rating = str(rows["pressure_class"][at] or rows["rating"][at] or "")
    dn = number(rows["dn_mm"][at])
    laying = word_of("laying", str(rows["laying"][at] or ""))
    return Profile(
        kind,
        pressure=pressure_of(rating) if kind == "gas" else None,
        laying=laying if kind in ("power", "telecom") else None,
        kv=(kv_of(str(rows["voltage_kv"][at] or rating)) if kind == "power" else None),
        dn=None if math.isnan(dn) or kind in ("power", "telecom", "drain", "heat") else dn,
    )


def _diameters(
    rows: Mapping[str, Sequence[Any]],
    codes: Sequence[str],
    placed: Mapping[str, float],
    notes: list[Note],
    layer: LayerInfo,
) -> tuple[Floats, Floats]:
    """Inner (nominal) and outer diameters, m; NaN where not known."""
    inner = np.array([number(one) for one in rows["dn_mm"]], float) / 1000
    given = np.array([number(one) for one in rows["outer_mm"]], float) / 1000
    metres = np.array([number(one) for one in rows["outer_d"]], float)
    inside = np.array([placed.get(code, math.nan) for code in codes], float)
    factor = np.array([outer_factor(str(one or "")) for one in rows["material"]], float)
    inner, given, metres, inside = (np.where(one > 0, one, np.nan) for one in (inner, given, metres, inside))
    outer = np.where(np.isnan(given), np.where(np.isnan(metres), inside, metres), given)
    bare = np.array([not str(one or "").strip() for one in rows["material"]], bool) & np.isnan(outer) & ~np.isnan(inner)
    if bare.any():
        notes.append(("tunnel.clearance_outer", {"count": int(bare.sum()), "layer": layer.name}))
    return inner, np.where(np.isnan(outer), inner * factor, outer)


def _along(coords: Floats, part: Ints, line: Ints, count: int) -> tuple[Floats, Floats]:
    """How far along its line each vertex lies (0 … 1), and the lines' lengths in plan."""
    step = np.zeros(len(coords))
    same = part[1:] == part[:-1]
    step[1:][same] = np.hypot(*(coords[1:, :2] - coords[:-1, :2])[same].T)
    run = np.cumsum(step)
    total: Floats = np.bincount(line, step, minlength=count).astype(np.float64)
    first = np.unique(line, return_index=True)[1]
    begin = np.zeros(count)
    begin[line[first]] = run[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num((run - begin[line]) / total[line]), total


def _heights(
    project: Project, rows: Mapping[str, Sequence[Any]], z: Floats, line: Ints, along: Floats, total: Floats,
    notes: list[Note], layer: LayerInfo,
) -> Floats:  # fmt: skip
    """Heights of the vertices where their table's reference lies: from the geometry, else from z1 and z2, else ground
    minus depth; NaN where none of them is known."""
    count = len(total)
    # A table of shapes with heights keeps 0 where a shape came without.
    zero = np.bincount(line, np.nan_to_num(z) != 0, minlength=count) == 0
    stored = np.bincount(line, ~np.isnan(z), minlength=count) > 0
    z = np.where(zero[line], np.nan, z)
    z1, z2 = (np.array([number(one) for one in rows[name]], float) for name in ("z1", "z2"))
    if np.isnan(z1).any() or np.isnan(z2).any():
        ground = _ground(project)
        for which, (values, node, depth) in enumerate(((z1, "from_node", "depth1"), (z2, "to_node", "depth2"))):
            for at in np.flatnonzero(np.isnan(values)).tolist():
                level = ground.get((str(rows["network"][at] or ""), str(rows[node][at] or "")), math.nan)
                (z1, z2)[which][at] = level - number(rows[depth][at])
    whole = ~_without_height(z, line, count)
    table = z1[line] + along * (z2 - z1)[line]
    lost = zero & stored & np.isnan(z1 + z2)
    if lost.any():
        notes.append(("tunnel.clearance_flat", {"count": int(lost.sum()), "layer": layer.name}))
    return np.where(whole[line], z, table)


def _without_height(z: Floats, line: Ints, count: int) -> Any:
    return np.bincount(line, np.isnan(z), minlength=count) > 0


def _ground(project: Project) -> dict[tuple[str, str], float]:
    layer = tables.find(project, NODE)
    if layer is None:
        return {}
    _, found = tables.columns(project, layer, ["network", "code", "ground_z"])
    return {
        (str(network or ""), str(code or "")): number(z)
        for network, code, z in zip(found["network"], found["code"], found["ground_z"], strict=True)
    }


def _to_axis(
    rows: Mapping[str, Sequence[Any]], profiles: Sequence[Profile], inner: Floats, radius: Floats, known: Any,
    notes: list[Note], layer: LayerInfo,
) -> Floats:  # fmt: skip
    """What to add to a table's heights to come to the axis, m."""
    default = words()["z_ref_default"]
    stated = [word_of("z_ref", str(one or "")) for one in rows["z_ref"]]
    assumed = sum(one is None and bool(has) for one, has in zip(stated, known, strict=True))
    if assumed:
        notes.append(("tunnel.clearance_z_ref", {"count": assumed, "layer": layer.name}))
    half = np.where(np.isnan(inner), radius, inner / 2)
    refs = [ref or default.get(profile.kind, default["other"]) for ref, profile in zip(stated, profiles, strict=True)]
    table = {"axis": 0.0 * half, "top": -radius, "invert": half, "bottom": radius}
    return np.array([table[ref][at] for at, ref in enumerate(refs)], float)


def _ends(
    rows: Mapping[str, Sequence[Any]], network: Sequence[str], profiles: Sequence[Profile], points: Floats, line: Ints,
    count: int,
) -> Ints:  # fmt: skip
    """Numbers of the nodes at both ends: one for each node code of a network; ends of one kind at one place are one."""
    first = np.searchsorted(line, np.arange(count), "left")
    last = np.searchsorted(line, np.arange(count), "right") - 1
    numbers: dict[tuple[object, ...], int] = {}
    parent: list[int] = []

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    def at_key(key: tuple[object, ...]) -> int:
        if key not in numbers:
            numbers[key] = len(parent)
            parent.append(len(parent))
        return root(numbers[key])

    found = np.empty((count, 2), np.int64)
    for at in range(count):
        for side, (vertex, column) in enumerate(((first[at], "from_node"), (last[at], "to_node"))):
            x, y, z = points[vertex].tolist()
            place = (profiles[at].kind, round(x, 2), round(y, 2), None if math.isnan(z) else round(z, 1))
            node = at_key(place)
            if rows[column][at]:
                named = at_key((network[at], str(rows[column][at])))
                parent[node] = named
                node = named
            found[at, side] = node
    return np.array([root(int(n)) for n in found.ravel()], np.int64).reshape(-1, 2)
