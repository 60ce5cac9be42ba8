"""Other layers of the project beside pipes and tunnels: buildings, pits, piles, planned work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.clearance.bodies import Bodies, flat_bodies
from plugins.tunnel.model.clearance.kernel import Floats, Pieces
from plugins.tunnel.model.clearance.lines import Lines, Note, layer_lines
from plugins.tunnel.model.clearance.words import Profile, number, words
from plugins.tunnel.model.tables import NODE

#: A surveyed ground height serves for works so near to it (m).
_GROUND_REACH = 200.0


@dataclass(slots=True)
class Others:
    """Features of one layer; one of ``lines``, ``bodies`` and ``piles`` holds them. ``owner`` and ``line`` count in
    ``ids``.

    Attributes:
        shapes: in plan; depth: m below ground (NaN: not known); bottom: height of the lowest point (m).
        names: what people call them.
    """

    layer: LayerInfo
    ids: list[str]
    names: list[str]
    fids: list[int]
    profiles: list[Profile]
    shapes: Any
    depth: Floats
    bottom: Floats
    methods: list[str]
    sized: Any
    lines: Lines | None = None
    bodies: Bodies | None = None
    piles: Pieces | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def radius(self) -> Floats:
        """How far the outer faces lie outside ``shapes``, m: of piles and lines half their thickness."""
        found = np.zeros(len(self.ids))
        pieces = self.piles if self.lines is None else self.lines.pieces
        if pieces is not None and len(pieces):
            np.maximum.at(found, pieces.line, pieces.radius)
        return found


def is_building(layer: LayerInfo) -> bool:
    """True for a layer of outlines that its name calls buildings."""
    about = words()["building"]
    if layer.geometry != "polygon" or layer.role or _named(layer, about["not"]):
        return False
    return _named(layer, about["words"])


def _is_built(layer: LayerInfo) -> bool:
    """True for outlines of planned buildings: a name that says so, or storeys in their table."""
    about = words()["building"]
    fields = any(layer.field(name) is not None for name in about["fields"])
    return layer.geometry == "polygon" and (fields or _named(layer, about["words"]))


def is_work(layer: LayerInfo) -> bool:
    """True for layers of planned or running construction: by role, or by name."""
    about = words()["work"]
    return layer.role in about["roles"] or (
        not layer.role and layer.geometry != "none" and _named(layer, about["words"])
    )


def read_others(project: Project, layer: LayerInfo, fids: Sequence[int] | None = None) -> Others:
    """Features of a layer (all, or ``fids``) with their heights, by the columns that ``words/pipes.toml`` names."""
    if layer.geometry == "line":
        return _lines(project, layer, fids)
    column = {what: _column(layer, names) for what, names in words()["columns"].items()}
    called = [one for one in (layer.label_field, *words()["columns"]["name"]) if one and layer.field(one) is not None]
    wanted = sorted({name for name in column.values() if name} | set(called))
    table = project.read(layer.id, columns=wanted, fids=fids)
    notes: list[Note] = []
    keep = [at for at, wkb in enumerate(table.geometry) if wkb is not None]
    if len(keep) < len(table):
        missing: dict[str, object] = {"count": len(table) - len(keep), "layer": layer.name}
        notes.append(("tunnel.clearance_no_geometry", missing))
    shapes = np.array(shapely.from_wkb([table.geometry[at] for at in keep]), object)
    shapes = shapes if len(shapes) else np.empty(0, object)
    if layer.geometry == "polygon":
        shapes = shapely.make_valid(shapely.force_2d(shapes))
    numbers = [int(table.fids[at]) for at in keep]

    def values(what: str) -> Floats:
        name = column[what]
        cells = [table.columns[name][at] if name else None for at in keep]
        return np.array([number(cell) for cell in cells], float)

    def texts(what: str) -> list[str]:
        name = column[what]
        return [str(table.columns[name][at] or "") if name else "" for at in keep]

    building = is_building(layer) or _is_built(layer)
    depth, bottom, top, ground = values("depth"), values("bottom"), values("top"), values("ground")
    if not is_building(layer):
        ground = _near_ground(project, layer, shapes, ground, needed=np.isnan(bottom) | np.isnan(top), notes=notes)
    top = np.where(np.isnan(top), ground, top)
    bottom = np.where(np.isnan(bottom), top - depth, bottom)
    depth = np.where(np.isnan(depth), ground - bottom, depth)
    count = len(numbers)
    others = Others(
        layer, [f"{layer.id}/{fid}" for fid in numbers],
        [next((str(cell) for name in called if (cell := table.columns[name][at])), "") for at in keep], numbers,
        [Profile("building" if building else "structure")] * count, shapely.force_2d(shapes), depth, bottom,
        texts("method"), np.ones(count, bool), notes=notes,
    )  # fmt: skip
    if not building and np.isnan(bottom).any():
        notes.append(("tunnel.clearance_no_height", {"count": int(np.isnan(bottom).sum()), "layer": layer.name}))
    if layer.geometry == "polygon":
        others.bodies = flat_bodies(others.shapes, bottom, top)
    else:
        width = values("diameter_m")
        width = np.where(np.isnan(width), values("diameter_mm") / 1000, width)
        others.sized = ~np.isnan(width)
        others.piles = _piles(others.shapes, top, bottom, np.nan_to_num(width) / 2)
    return others


def _lines(project: Project, layer: LayerInfo, fids: Sequence[int] | None) -> Others:
    lines = layer_lines(project, layer, f"{layer.id}/", fids=fids)
    like_pipes = any(layer.field(name) is not None for name in ("kind_code", "network"))
    if not like_pipes:
        lines.profiles = [Profile("structure") if one.kind == "unknown" else one for one in lines.profiles]
    count = len(lines)
    low = np.full(count, np.nan)
    if len(lines.pieces):
        low = np.full(count, np.inf)
        ends = np.minimum(lines.pieces.start[:, 2], lines.pieces.end[:, 2]) - lines.pieces.radius
        with np.errstate(invalid="ignore"):  # unknown heights stay unknown
            np.minimum.at(low, lines.pieces.line, ends)
    return Others(
        layer, lines.ids, list(lines.codes), lines.fids, lines.profiles, shapely.force_2d(lines.shapes),
        np.full(count, np.nan), low, [""] * count, lines.size_known, lines=lines, notes=list(lines.notes),
    )  # fmt: skip


def _column(layer: LayerInfo, names: list[str]) -> str:
    return next((found.name for name in names if (found := layer.field(name)) is not None), "")


def _named(layer: LayerInfo, parts: list[str]) -> bool:
    text = f"{layer.name} {layer.id}".casefold()
    return any(part.casefold() in text for part in parts)


def _near_ground(
    project: Project, layer: LayerInfo, shapes: Any, ground: Floats, *, needed: Any, notes: list[Note]
) -> Floats:
    """Ground heights, those that are missing from the nearest surveyed node of the pipes (told in a note)."""
    rows = np.flatnonzero(np.isnan(ground) & needed)
    nodes = tables.find(project, NODE)
    if not len(rows) or nodes is None or nodes.field("ground_z") is None:
        return ground
    table = project.read(nodes.id, columns=["ground_z"])
    height = np.array([number(one) for one in table.columns["ground_z"]], float)
    known = [at for at, wkb in enumerate(table.geometry) if wkb is not None and not math.isnan(height[at])]
    if not known:
        return ground
    tree = shapely.STRtree(shapely.from_wkb([table.geometry[at] for at in known]))
    found = tree.query_nearest(shapes[rows], max_distance=_GROUND_REACH, all_matches=False)
    filled = ground.copy()
    filled[rows[found[0]]] = height[known][found[1]]
    if len(found[0]):
        params: dict[str, object] = {"count": len(found[0]), "layer": layer.name, "reach": _GROUND_REACH}
        notes.append(("tunnel.clearance_ground", params))
    return filled


def _piles(shapes: Any, top: Floats, bottom: Floats, radius: Floats) -> Pieces:
    """Upright pieces of the points of each feature."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    owner = owner.astype(np.int64)
    start, end = np.column_stack([xy, top[owner]]), np.column_stack([xy, bottom[owner]])
    return Pieces(start, end, radius[owner], owner, np.full((len(owner), 2), -1))
