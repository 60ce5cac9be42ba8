"""The outer shape of a project's tunnels: the rooms of each section and their walls along the axis."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.clearance.bodies import Bodies
from plugins.tunnel.model.clearance.kernel import Floats
from plugins.tunnel.model.clearance.words import Profile, number, word_of
from plugins.tunnel.model.space.axis import Axis, Run

Note = tuple[str, dict[str, object]]
#: Sections whose ends are so near to each other go on from each other (m).
_JOIN = 0.05
#: A wall cannot be thicker (m): most likely millimetres.
_THICKEST = 5.0


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One tunnel.

    Attributes:
        axis: line with the floor's height as Z; measured: the same with its chainage, as its sections state it.
        footprint: outer faces in plan; width: the widest section, m.
        floor: lowest outer face of all sections at the axis, as height below the inner floor (m).
    """

    code: str
    name: str
    fid: int
    method: str | None
    status: str
    axis: Any
    measured: Axis
    footprint: Any
    width: float

    @property
    def profile(self) -> Profile:
        """What decides its limits."""
        return Profile("tunnel", method=self.method, outer_m=self.width)


@dataclass(frozen=True, slots=True)
class Tunnels:
    """The project's tunnels, their bodies (``owner`` counts in ``items``), and in which one each placed line lies."""

    items: list[Tunnel]
    bodies: Bodies
    of_line: dict[str, str]
    notes: list[Note]


def layer_of(project: Project, table: str) -> LayerInfo | None:
    """A layer of tunnels' data by its role, else by table id."""
    layers = project.layers()
    by_role = next((layer for layer in layers if layer.role == f"tunnel.{table}"), None)
    return by_role or next((layer for layer in layers if layer.id == table), None)


def project_tunnels(project: Project, wall_m: float) -> Tunnels:
    """Tunnels with their outer shape.

    Args:
        wall_m: thickness of outer walls and slabs, where a section states none.
    """
    notes: list[Note] = []
    layer = layer_of(project, "tunnel")
    if layer is None:
        return Tunnels([], join([]), {}, notes)
    names = ["code", "name", "method", "status", "from_m", "to_m"]
    table = project.read(layer.id, columns=[name for name in names if layer.field(name) is not None])
    missing: list[Any] = [None] * len(table)
    columns = {name: table.columns.get(name, missing) for name in names}
    runs, stations, section_tunnel, assumed = _runs(project, wall_m)
    items: list[Tunnel] = []
    made: list[tuple[Any, Floats, float, float, int]] = []
    no_size = []
    for at, wkb in enumerate(table.geometry):
        code = str(columns["code"][at] or table.fids[at])
        axis = None if wkb is None else _one_line(shapely.from_wkb(wkb))
        parts = runs.get(code, [])
        if axis is None or not parts:
            no_size.append(code)
            continue
        boxes = []
        for run, box in _chained(parts):
            boxes += rectangles(run, box, len(items))
        made += boxes
        width = max(box[2] - box[0] for _, box in parts)
        items.append(
            Tunnel(
                code,
                str(columns["name"][at] or code),
                int(table.fids[at]),
                word_of("method", str(columns["method"][at] or "")),
                str(columns["status"][at] or ""),
                axis,
                _measured(axis, stations[code], columns["from_m"][at], columns["to_m"][at]),
                # Where the shape changes a hair's breadth may lie between two sections.
                shapely.union_all([box[0] for box in boxes])
                .buffer(_JOIN, join_style="mitre")
                .buffer(-_JOIN, join_style="mitre"),
                width,
            )
        )
    if no_size:
        notes.append(("tunnel.clearance_no_section", {"tunnels": ", ".join(no_size)}))
    assumed &= {one.code for one in items}
    if assumed:
        notes.append(("tunnel.clearance_walls", {"wall": wall_m, "count": len(assumed)}))
    return Tunnels(items, join(made), _lines_in(project, section_tunnel), notes)


_Box = tuple[float, float, float, float]


def _measured(axis: Any, stations: list[Run | None], begin: Any, end: Any) -> Axis:
    """The chainage of an axis: as all its sections state it, else as the tunnel does, else by its length."""
    known = [one for one in stations if one is not None]
    if known and len(known) == len(stations):
        return Axis.of(known)
    first, last = number(begin), number(end)
    first = 0.0 if math.isnan(first) else first
    return Axis.of([Run(axis, first, last if last > first else first + axis.length)])


_Runs = dict[str, list[tuple[Any, _Box]]]


def _runs(project: Project, wall_m: float) -> tuple[_Runs, dict[str, list[Run | None]], dict[str, str], set[str]]:
    """Axis and outer box (left, lower face, right, upper face; m) of each tunnel's sections, the chainage of their axes
    (None where not stated), each section's tunnel, and the tunnels of which a section states no thickness."""
    sections, rooms = layer_of(project, "tunnel_section"), layer_of(project, "compartment")
    runs: dict[str, list[tuple[Any, _Box]]] = defaultdict(list)
    stations: dict[str, list[Run | None]] = defaultdict(list)
    tunnel_of: dict[str, str] = {}
    assumed: set[str] = set()
    if sections is None or rooms is None:
        return runs, stations, tunnel_of, assumed
    _, room = tables.columns(project, rooms, ["section", "outline"])
    boxes: dict[str, _Box] = {}
    for section, outline in zip(room["section"], room["outline"], strict=True):
        shape = shapely.from_wkt(str(outline or "POLYGON EMPTY"), on_invalid="ignore")
        if shape is not None and not shape.is_empty:
            known = boxes.get(str(section))
            bounds = shape.bounds if known is None else shapely.union(shape, shapely.box(*known)).bounds
            boxes[str(section)] = bounds
    wanted = ("wall_m", "from_m", "to_m")
    table = project.read(
        sections.id, columns=["code", "tunnel", *(name for name in wanted if sections.field(name) is not None)]
    )
    missing: list[Any] = [None] * len(table)
    walls, lows, highs = (table.columns.get(name, missing) for name in wanted)
    for code, tunnel, wkb, wall, low, high in zip(
        table.columns["code"], table.columns["tunnel"], table.geometry, walls, lows, highs, strict=True
    ):
        tunnel_of[str(code)] = str(tunnel)
        line = None if wkb is None else _one_line(shapely.from_wkb(wkb))
        begin, end = number(low), number(high)
        if line is not None:
            stations[str(tunnel)].append(Run(line, begin, end) if end > begin else None)
        if line is not None and str(code) in boxes:
            thick = number(wall)
            if not 0 < thick < _THICKEST:
                thick = wall_m
                assumed.add(str(tunnel))
            left, floor, right, ceiling = boxes[str(code)]
            runs[str(tunnel)].append((line, (left - thick, floor - thick, right + thick, ceiling + thick)))
    return runs, stations, tunnel_of, assumed


def _chained(parts: list[tuple[Any, _Box]]) -> list[tuple[Any, _Box]]:
    """Sections of one shape that go on from each other as one run, so that bends at their ends are closed too."""
    made: list[tuple[Any, _Box]] = []
    for line, box in parts:
        points = shapely.get_coordinates(line, include_z=True)
        if made and made[-1][1] == box:
            last = shapely.get_coordinates(made[-1][0], include_z=True)
            if np.hypot(*(last[-1] - points[0])[:2]) <= _JOIN:
                made[-1] = (shapely.linestrings(np.concatenate([last, points[1:]])), box)
                continue
        made.append((line, box))
    return made


def _lines_in(project: Project, tunnel_of: dict[str, str]) -> dict[str, str]:
    layer = layer_of(project, "line_placement")
    if layer is None:
        return {}
    _, found = tables.columns(project, layer, ["line", "section"])
    return {
        str(line): tunnel_of.get(str(section), "")
        for line, section in zip(found["line"], found["section"], strict=True)
    }


def _one_line(shape: Any) -> Any | None:
    """The line of a geometry (its longest part); None if there is none."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "LineString" and part.length > 0]
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts))) if len(parts) > 1 else parts
    return max(merged, key=lambda part: part.length, default=None)


def rectangles(axis: Any, box: _Box, owner: int) -> list[tuple[Any, Floats, float, float, int]]:
    """(outline, start with the lower face's height, rise per metre, height, owner) for each straight piece of an axis.
    At bends both rectangles reach to where their outer sides meet."""
    points = shapely.get_coordinates(axis, include_z=True)
    points = points[np.concatenate([[True], (np.diff(points[:, :2], axis=0) != 0).any(axis=1)])]
    way = np.diff(points, axis=0)
    length = np.hypot(way[:, 0], way[:, 1])
    unit = way[:, :2] / length[:, None]
    turn = np.arctan2(
        unit[:-1, 0] * unit[1:, 1] - unit[:-1, 1] * unit[1:, 0], np.einsum("ij,ij->i", unit[:-1], unit[1:])
    )
    half = max(abs(box[0]), abs(box[2]))
    extra = np.concatenate([[0.0], np.minimum(half * np.tan(np.abs(turn) / 2), half), [0.0]])
    found = []
    for at in range(len(way)):
        right = np.array([unit[at, 1], -unit[at, 0]])
        a = points[at, :2] - unit[at] * extra[at]
        b = points[at + 1, :2] + unit[at] * extra[at + 1]
        outline = shapely.polygons([a + right * box[0], b + right * box[0], b + right * box[2], a + right * box[2]])
        start = np.array([*points[at, :2], points[at, 2] + box[1]])
        slope = way[at, 2] / length[at]
        found.append((outline, np.array([*start, *(unit[at] * slope)]), slope, box[3] - box[1], owner))
    return found


def join(made: list[tuple[Any, Floats, float, float, int]]) -> Bodies:
    count = len(made)
    plan = np.empty(count, object)
    plan[:] = [one[0] for one in made]
    numbers = np.array([one[1] for one in made], float).reshape(count, 5)
    return Bodies(
        plan,
        numbers[:, :2],
        numbers[:, 2],
        numbers[:, 3:],
        np.array([one[3] for one in made], float),
        np.array([one[4] for one in made], np.int64),
    )
