"""Networks in a project: stored as layers of nodes, lines, valves and service points, loaded as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.progress import NoProgress, Progress
from planner_app.plugin_api.model import Project, into_project
from plugins.tunnel.model import tables
from plugins.tunnel.model.network.epanet import EpanetFile, Note, kind_params, read_epanet, read_valve_csv
from plugins.tunnel.model.network.fittings import Key, ids_of, key_of, service_arrays, valve_arrays
from plugins.tunnel.model.network.from_epanet import ends_of, good_valves, unfed_notes, valve_notes
from plugins.tunnel.model.network.network import Network
from plugins.tunnel.model.network.storing import Rows, check_name, cut_imports, store_network
from plugins.tunnel.model.space.kinds import line_kind
from plugins.tunnel.model.tables import LINE, NODE, VALVE, TableSpec

#: States of lines that carry nothing.
_NOT_IN_USE = frozenset({"planned", "building", "abandoned", "规划", "在建", "废弃"})


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import stored."""

    network: str
    nodes: int
    lines: int
    valves: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project's networks as arrays, with what is wrong in the tables: each thing named, none dropped in silence.

    Attributes:
        line_codes, line_networks, line_kinds: of each line its code as written, its network's name and what runs in it
            (``space.kinds``).
    """

    network: Network
    node_fids: Sequence[int]
    line_fids: Sequence[int]
    notes: tuple[Note, ...]
    line_codes: Sequence[str] = ()
    line_networks: Sequence[str] = ()
    line_kinds: Sequence[str] = ()


def import_epanet(
    project: Project,
    path: Path,
    *,
    valves: Path | None = None,
    name: str = "",
    crs: str = "",
    replace: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Store an EPANET file as a network of the project. It comes in pieces; what is cut off is taken back, or, where
    the program was killed, said by all that reads it (:func:`storing.cut_imports`) and replaced by the next import.

    Args:
        valves: isolation valves as rows ``valve,link,node``.
        name: name of the network; the file's own without it.
        crs: of the file's coordinates; without it they are taken as they are.
        replace: a network of that name gives way.
        dry_run: say what would come in, store nothing.

    Raises:
        PlannerError: what the readers raise; ``tunnel.network_exists``; ``crs.*``.
    """
    progress = progress or NoProgress()
    file = read_epanet(path)
    numbered = list(read_valve_csv(valves)) if valves else []
    rows = [(valve, line, node) for _, valve, line, node in numbered]
    if crs:
        _move(file, project, crs)
    name = name or path.stem
    check_name(project, name, replace=replace)
    good = good_valves(ends_of(file), rows)
    if not dry_run:
        kinds = (_node_rows(file, name), _line_rows(file, name), _valve_rows(file, name, good))
        store_network(project, name, kinds, progress)
    notes = [*file.notes, *unfed_notes(file), *valve_notes(ends_of(file), rows, [row[0] for row in numbered])]
    return Imported(name, len(file.nodes), len(file.lines), len({valve for valve, _, _ in good}), tuple(notes))


def _move(file: EpanetFile, project: Project, crs: str) -> None:
    """Coordinates of a file into the project's."""
    move = into_project(crs, project)
    placed = [node for node in file.nodes if node.x is not None and node.y is not None]
    inner = [line for line in file.lines if len(line.points) > 2]
    xy = [(node.x, node.y) for node in placed] + [point for line in inner for point in line.points[1:-1]]
    moved = iter(zip(*move.transform(*np.array(xy, float).reshape(-1, 2).T), strict=True))
    for node in placed:
        node.x, node.y = (float(value) for value in next(moved))
    at = {node.id: (node.x, node.y) for node in file.nodes}
    for line in file.lines:
        if line.points:
            middle = [(float(x), float(y)) for x, y in (next(moved) for _ in line.points[1:-1])]
            line.points = [at[line.start], *middle, at[line.end]]  # type: ignore[list-item]


_Rows = tuple[TableSpec, list[bytes | None], dict[str, list[Any]]]


def _node_rows(file: EpanetFile, network: str) -> Rows:
    places = [None if node.x is None or node.y is None else shapely.Point(node.x, node.y) for node in file.nodes]
    return (
        NODE,
        [None if place is None else shapely.to_wkb(place) for place in places],
        {
            "code": [node.id for node in file.nodes],
            "network": [network] * len(file.nodes),
            "kind": [node.kind for node in file.nodes],
            "ground_z": [node.elevation for node in file.nodes],
            "source": [node.kind != "junction" for node in file.nodes],
            "demand": [node.demand for node in file.nodes],
        },
    )


def _line_rows(file: EpanetFile, network: str) -> Rows:
    shapes = [shapely.LineString(line.points) if len(line.points) > 1 else None for line in file.lines]
    return (
        LINE,
        [None if shape is None else shapely.to_wkb(shape) for shape in shapes],
        {
            "code": [line.id for line in file.lines],
            "network": [network] * len(file.lines),
            "kind_code": ["JS"] * len(file.lines),
            "shape": [line.kind for line in file.lines],
            "from_node": [line.start for line in file.lines],
            "to_node": [line.end for line in file.lines],
            "dn_mm": [None if line.diameter is None else round(line.diameter) for line in file.lines],
            "length_m": [None if math.isnan(line.length) else line.length for line in file.lines],
            "closed": [line.closed for line in file.lines],
            "status": ["in_use"] * len(file.lines),
        },
    )


def _valve_rows(file: EpanetFile, network: str, valves: Sequence[tuple[str, str, str]]) -> Rows:
    place = {node.id: node for node in file.nodes}
    shapes = [
        None if place[node].x is None or place[node].y is None else shapely.Point(place[node].x, place[node].y)
        for _, _, node in valves
    ]
    return (
        VALVE,
        [None if shape is None else shapely.to_wkb(shape) for shape in shapes],
        {
            "code": [valve for valve, _, _ in valves],
            "line": [line for _, line, _ in valves],
            "node": [node for _, _, node in valves],
            "network": [network] * len(valves),
            "type": [""] * len(valves),
            "normally_open": [True] * len(valves),
            "is_open": [True] * len(valves),
            "operable": [True] * len(valves),
        },
    )


def load_network(project: Project) -> Loaded:
    """All networks of a project as one set of arrays.

    Ids are those of the tables; where two networks use the same one it is written ``NETWORK/ID``. Lines whose nodes are
    unknown, valves whose place is unknown and doubled ids are left out and named in the notes.

    Raises:
        PlannerError: ``tunnel.no_table`` if the project has no nodes or lines.
    """
    notes: list[Note] = [("tunnel.import_cut", {"network": name}) for name in cut_imports(project)]
    nodes, lines = tables.need(project, NODE), tables.need(project, LINE)
    node_fids, node = tables.columns(project, nodes, ["code", "network", "source"])
    node_keys = [key_of(network, code) for network, code in zip(node["network"], node["code"], strict=True)]
    node_number = _numbered(node_keys, "node", notes)
    names = ["code", "network", "from_node", "to_node", "length_m", "status", "closed", "kind_code"]
    line_fids, line = tables.columns(project, lines, names)
    start, end, kept, line_keys = [], [], [], []
    seen: set[tuple[str, str]] = set()
    for at, (network, code, a, b) in enumerate(
        zip(line["network"], line["code"], line["from_node"], line["to_node"], strict=True)
    ):
        key, ends = key_of(network, code), (key_of(network, a), key_of(network, b))
        if key in seen:
            notes.append(("tunnel.duplicate", {"id": code, "line": int(line_fids[at])} | kind_params("line")))
        elif ends[0] not in node_number or ends[1] not in node_number:
            params = {"id": code, "line": int(line_fids[at]), "nodes": f"{a}, {b}"} | kind_params("line")
            notes.append(("tunnel.line_orphan", params))
        else:
            seen.add(key)
            kept.append(at)
            line_keys.append(key)
            start.append(node_number[ends[0]])
            end.append(node_number[ends[1]])
    length = _lengths(project, lines.id, line["length_m"])
    unused = [line["status"][at] in _NOT_IN_USE or bool(line["closed"][at]) for at in kept]
    uses = {key: number for number, key in enumerate(line_keys)}
    valves = valve_arrays(project, node_number, uses, start, end, notes)
    services = service_arrays(project, node_number, uses, notes)
    network = Network(
        node_ids=ids_of(list(node_number)),
        line_ids=ids_of(line_keys),
        start=np.array(start, np.int32),
        end=np.array(end, np.int32),
        length=length[kept] if kept else np.empty(0),
        source=_sources(node_number, node_keys, node["source"]),
        passable=~np.array(unused, bool),
        **valves,
        **services,
    )
    first = {key: int(fid) for key, fid in zip(reversed(node_keys), reversed(list(node_fids)), strict=True)}
    return Loaded(
        network, [first[key] for key in node_number], [int(line_fids[at]) for at in kept], tuple(notes),
        [code for _, code in line_keys], [name for name, _ in line_keys],
        [line_kind(str(line["kind_code"][at] or ""), name) for at, (name, _) in zip(kept, line_keys, strict=True)],
    )  # fmt: skip


def _numbered(keys: Sequence[Key], kind: str, notes: list[Note]) -> dict[Key, int]:
    numbers: dict[Key, int] = {}
    for at, key in enumerate(keys):
        if key in numbers:
            notes.append(("tunnel.duplicate", {"id": key[1], "line": at + 1} | kind_params(kind)))
        else:
            numbers[key] = len(numbers)
    return numbers


def _sources(numbers: Mapping[Key, int], keys: Sequence[Key], flags: Sequence[Any]) -> Any:
    source = np.zeros(len(numbers), bool)
    for key, flag in zip(keys, flags, strict=True):
        source[numbers[key]] |= bool(flag)
    return source


def _lengths(project: Project, layer_id: str, stated: Sequence[Any]) -> Any:
    """Stated lengths in m, and those of the geometry where none is stated."""
    values = np.array([np.nan if value is None else value for value in stated], float)
    if np.isnan(values).any():
        shapes = shapely.from_wkb(project.read(layer_id, columns=[]).geometry)
        values = np.where(np.isnan(values), np.nan_to_num(shapely.length(shapes)), values)
    return values
