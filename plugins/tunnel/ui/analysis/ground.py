"""Where the things of the graph lie: for picking on the map and for drawing answers. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.network.reach import Graph
from plugins.tunnel.model.tables import LINE, NODE

Floats = NDArray[np.float64]
#: Of two things equally near to the pointer the smaller one is meant.
_RANK = {"valve": 0, "node": 1, "line": 2, "compartment": 3}


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies under the pointer: ``reference`` as the command line writes it, its place."""

    reference: str
    kind: str
    number: int
    x: float
    y: float


class Ground:
    """A graph with its geometry, read once.

    Attributes:
        line_xy: coordinates (k, 2) of each line of the network, empty where it has no shape.
        node_xy: (n, 2); valve_xy: (v, 2), the place of the first node it sits on; NaN where unknown.
    """

    def __init__(self, project: Project, graph: Graph) -> None:
        self.graph = graph
        lines: Any = np.empty(0, object)
        self.node_xy: Floats = np.empty((0, 2))
        self.valve_xy: Floats = np.empty((0, 2))
        if graph.loaded is not None:
            lines = _shapes(project, LINE, graph.loaded.line_fids)
            nodes = _shapes(project, NODE, graph.loaded.node_fids)
            self.node_xy = np.column_stack([shapely.get_x(nodes), shapely.get_y(nodes)])
            net = graph.network
            self.valve_xy = np.full((len(net.valve_ids), 2), np.nan)
            self.valve_xy[net.place_valve[::-1]] = self.node_xy[net.place_node[::-1]]
        self.line_xy: list[Floats] = [
            np.empty((0, 2)) if shape is None else shapely.get_coordinates(shape) for shape in lines
        ]
        rooms = [one.shape for one in graph.spaces.items]
        self.room_xy: list[list[Floats]] = [
            [] if shape is None else [shapely.get_coordinates(part) for part in shapely.get_parts(shape)]
            for shape in rooms
        ]
        shapes = {
            "line": lines, "compartment": np.array(rooms, object), "node": shapely.points(self.node_xy),
            "valve": shapely.points(self.valve_xy),
        }  # fmt: skip
        self._trees = {kind: shapely.STRtree(found) for kind, found in shapes.items() if len(found)}
        self._shapes = shapes

    def nearest(self, x: float, y: float, reach: float, kinds: Collection[str] = tuple(_RANK)) -> Hit | None:
        """The valve, node, line or compartment within ``reach`` (m) of a place."""
        place, found = shapely.Point(x, y), []
        for kind in kinds:
            tree = self._trees.get(kind)
            if tree is None:
                continue
            at, away = tree.query_nearest(place, max_distance=reach, return_distance=True, all_matches=False)
            if len(at):
                # Points are meant only when pointed at: half the reach.
                if kind in ("valve", "node") and away[0] > reach / 2:
                    continue
                found.append((_RANK[kind], float(away[0]), int(at[0]), kind))
        if not found:
            return None
        _, _, number, kind = min(found)
        spot = shapely.get_point(shapely.shortest_line(self._shapes[kind][number], place), 0)
        return Hit(self.reference(kind, number), kind, number, float(spot.x), float(spot.y))

    def reference(self, kind: str, number: int) -> str:
        """``line:12`` of a number."""
        if kind == "compartment":
            return f"compartment:{self.graph.spaces.items[number].id}"
        net = self.graph.network
        ids: Sequence[str] = {"line": net.line_ids, "node": net.node_ids, "valve": net.valve_ids}[kind]
        return f"{kind}:{ids[number]}"

    def of_record(self, table: str, fid: int, code: str) -> str:
        """Reference of a record of the project (a layer's id or role), "" if it is none of the graph."""
        loaded = self.graph.loaded
        if loaded is not None and table in ("net_line", "net_node"):
            fids, kind = (loaded.line_fids, "line") if table == "net_line" else (loaded.node_fids, "node")
            return self.reference(kind, list(fids).index(fid)) if fid in fids else ""
        if table == "valve" and loaded is not None and code in loaded.network.valve_number:
            return f"valve:{code}"
        if table in ("compartment", "fire_zone") or table in ("sensor", "equipment"):
            return f"{'compartment' if table in ('compartment', 'fire_zone') else table}:{code}"
        return ""

    def extent(self, lines: Sequence[int], points: Sequence[tuple[float, float]] = ()) -> tuple[float, ...] | None:
        """Box around lines and points; None if they have no place."""
        parts = [self.line_xy[line] for line in lines] + ([np.array(points, float)] if len(points) else [])
        every = np.concatenate(parts) if parts else np.empty((0, 2))
        every = every[~np.isnan(every).any(axis=1)]
        if not len(every):
            return None
        (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
        return float(west), float(south), float(east), float(north)


def _shapes(project: Project, spec: tables.TableSpec, fids: Sequence[int]) -> Any:
    layer = tables.need(project, spec)
    table = project.read(layer.id, columns=[])
    by_fid = dict(zip((int(fid) for fid in table.fids), shapely.from_wkb(table.geometry), strict=True))
    found = np.empty(len(fids), object)
    found[:] = [by_fid.get(fid) for fid in fids]
    return found
