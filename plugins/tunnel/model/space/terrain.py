"""Ground heights of a project's own layers (spot heights, contours, triangles) between surveyed nodes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.space.profile import Point

Floats = NDArray[np.float64]
Note = tuple[str, dict[str, Any]]
_LAYER = re.compile(
    r"等高线|高程|地形|地面|contour|spot.?height|elevation|terrain|\btin\b|\bdtm\b|\bdem\b", re.IGNORECASE
)
_FIELD = re.compile(r"^(height_m|height|elev\w*|z|h|ground_z|高程\w*|标高\w*)$", re.IGNORECASE)
#: Heights count as far from the line as this (m); triangles with a longer side say nothing of what lies within.
_REACH = 300.0
_LONGEST = 300.0
#: Where layer and survey differ by more (m), the survey counts.
_AGREE = 1.0
_STEP = 10.0
_MOST = 400_000


@dataclass(frozen=True)
class Terrain:
    """Triangles over points with known heights. ``points``: (n, 3); ``level``: (n,) True for points of contours."""

    layer: str
    points: Floats
    level: NDArray[np.bool_]

    def at(self, xy: Floats) -> Floats:
        """Heights at places (k, 2); NaN outside, in triangles too large, and in flat ones between points of contours
        (a hilltop or a plain inside one contour is not known to be flat)."""
        from scipy.spatial import Delaunay, QhullError

        try:
            mesh = Delaunay(self.points[:, :2])
        except (QhullError, ValueError):  # fewer than three points, or all on one line
            return np.full(len(xy), np.nan)
        which = mesh.find_simplex(xy)
        corners = mesh.simplices[which]
        a, b, c = (self.points[corners[:, k]] for k in range(3))
        longest = np.max([np.hypot(*(p - q)[:, :2].T) for p, q in ((a, b), (b, c), (c, a))], axis=0)
        flat = (a[:, 2] == b[:, 2]) & (b[:, 2] == c[:, 2]) & self.level[corners].all(axis=1)
        transform = mesh.transform[which]
        two = np.einsum("nij,nj->ni", transform[:, :2], xy - transform[:, 2])
        weights = np.column_stack([two, 1 - two.sum(axis=1)])
        z = (weights * np.column_stack([a[:, 2], b[:, 2], c[:, 2]])).sum(axis=1)
        return np.where((which < 0) | (longest > _LONGEST) | flat, np.nan, z)


def terrain_along(project: Project, xy: Sequence[tuple[float, float, float]], notes: list[Note]) -> Terrain | None:
    """Heights near a line (chainage, x, y) from the layer that has most of them there; None if there is none.

    Layers count that are named for what they are (等高线, 高程点, contours, TIN …) and have a field of heights or
    heights in their geometry.
    """
    places = np.array([(x, y) for _, x, y in xy], float).reshape(-1, 2)
    places = places[np.isfinite(places).all(axis=1)]
    if len(places) < 2:
        return None
    box = (*(places.min(axis=0) - _REACH), *(places.max(axis=0) + _REACH))
    near = shapely.buffer(shapely.linestrings(places), _REACH)
    shapely.prepare(near)
    found: list[Terrain] = []
    for layer in project.layers():
        if layer.geometry == "none" or not (_LAYER.search(layer.name) or _LAYER.search(layer.id.replace("_", " "))):
            continue
        terrain = _points(project, layer, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), near)
        if terrain is not None and len(terrain.points) > _MOST:
            notes.append(("tunnel.ground_unread", {"layer": layer.name, "count": len(terrain.points)}))
        elif terrain is not None:
            found.append(terrain)
    return max(found, key=lambda one: len(one.points), default=None)


def _points(project: Project, layer: LayerInfo, box: tuple[float, float, float, float], near: Any) -> Terrain | None:
    name = None
    if layer.geometry != "polygon":  # a polygon's own field is the height of a building, a forest … on that ground
        name = next((info.name for info in layer.fields if _FIELD.match(info.name) or _FIELD.match(info.alias)), None)
    table = project.read(layer.id, columns=[] if name is None else [name], bbox=box)
    shapes = shapely.from_wkb(table.geometry)
    if not len(shapes):
        return None
    xyz, owner = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    if name is not None:
        stated = np.array([np.nan if value is None else _number(value) for value in table.columns[name]], float)
        xyz[:, 2] = np.where(np.isfinite(stated[owner]), stated[owner], xyz[:, 2])
    elif not xyz[:, 2].any():  # the store writes 0 where a shape without heights comes into a layer with heights
        return None
    keep = np.isfinite(xyz).all(axis=1)
    keep[keep] = shapely.contains_xy(near, xyz[keep, 0], xyz[keep, 1])
    _, first = np.unique(xyz[keep, :2], axis=0, return_index=True)
    points = xyz[keep][first]
    level = np.full(len(points), layer.geometry == "line" and name is not None)
    return Terrain(layer.name, points, level) if len(points) >= 3 else None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def ground_between(
    terrain: Terrain | None, xy: Sequence[tuple[float, float, float]], base: Sequence[Point],
    nodes: Sequence[tuple[str, float, float | None]], notes: list[Note],
) -> tuple[Point, ...]:  # fmt: skip
    """The ground along a line: through the surveyed nodes, between them and beyond as the terrain runs.

    Args:
        xy: (chainage, x, y) of the line; base: the ground as the nodes alone give it.
        nodes: (code, chainage, surveyed height or None).

    Where terrain and survey differ by more than a metre, the ground between the nodes beside stays that of ``base``.
    """
    if terrain is None or len(xy) < 2:
        return tuple(base)
    m, x, y = np.array(sorted(xy), float).T
    m = m.round(6)
    found: dict[float, float | None] = {round(at, 6): height for at, height in base}
    known = {round(at, 6): height for _, at, height in nodes if height is not None and m[0] <= round(at, 6) <= m[-1]}
    steps = np.unique(np.concatenate([np.arange(m[0], m[-1], _STEP).round(6), m, list(found), list(known)]))
    steps = steps[(steps >= m[0]) & (steps <= m[-1])]
    z = terrain.at(np.column_stack([np.interp(steps, m, x), np.interp(steps, m, y)]))
    off = {at: float(z[int(np.searchsorted(steps, at))]) - height for at, height in sorted(known.items())}
    used = False
    for low, high in pairwise([-np.inf, *off, np.inf]):
        a, b = off.get(low, off.get(high, 0.0)), off.get(high, off.get(low, 0.0))
        if not (abs(a) <= _AGREE and abs(b) <= _AGREE):  # NaN, too: the terrain does not reach the node
            continue
        inner = (steps > low) & (steps < high) & np.isfinite(z)
        share = (steps[inner] - low) / (high - low) if np.isfinite(high - low) else 0.0
        found |= {float(at): float(v) for at, v in zip(steps[inner], z[inner] - (a + (b - a) * share), strict=True)}
        used = used or bool(inner.any())
    if used:
        notes.append(("tunnel.ground_of_layer", {"layer": terrain.layer}))
    apart = {at: abs(value) for at, value in off.items() if abs(value) > _AGREE}
    if apart:
        codes = [code for code, at, _ in nodes if round(at, 6) in apart]
        shown = ", ".join(codes[:4]) + (f" … ({len(codes)})" if len(codes) > 4 else "")
        notes.append(("tunnel.ground_differs", {"layer": terrain.layer, "most": max(apart.values()), "nodes": shown}))
    return tuple(sorted(found.items()))
