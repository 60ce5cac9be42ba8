"""Imports of networks other than EPANET: look into a source, map its columns, store it as one step to undo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.assets import citygml, from_layer, survey, table_file
from plugins.tunnel.model.assets.draft import Draft, DraftNode, Fault, line_shape
from plugins.tunnel.model.assets.mapping import Mapping, keep_mapping, kept_mapping, role_of
from plugins.tunnel.model.network.epanet import read_valve_csv
from plugins.tunnel.model.network.from_epanet import good_valves, valve_notes
from plugins.tunnel.model.network.storing import check_name, store_network
from plugins.tunnel.model.tables import LINE, NODE, SERVICE, VALVE, TableSpec

_ALL = (VALVE, LINE, NODE, SERVICE)
_LINE_COLUMNS = (
    "kind_code", "shape", "dn_mm", "material", "laying", "z_ref", "z1", "z2", "depth1", "depth2", "rating", "cables",
    "status", "year", "owner",
)  # fmt: skip


@dataclass(slots=True)
class Source:
    """A file or layer, looked into: ``kind`` survey | layer | citygml; its tables with their heads; its mapping.

    Attributes:
        sheets: (sheet or layer, heads) in order; samples: first rows of each.
        origin: where the mapping comes from: ``file``, ``kept``, ``recognised``.
    """

    path: Path
    kind: str
    sheets: list[tuple[str, list[str]]]
    mapping: Mapping
    origin: str = "recognised"
    samples: dict[str, list[list[str]]] = field(default_factory=dict)
    geometry: dict[str, str] = field(default_factory=dict)
    raw: Sequence[table_file.RawTable] = ()
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import stored, and every row it left out or mended."""

    network: str
    nodes: int
    lines: int
    valves: int
    mapping: Mapping
    faults: tuple[Fault, ...]
    notes: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def rejected(self) -> list[Fault]:
        """Rows left out."""
        return [one for one in self.faults if not one.kept]

    @property
    def mended(self) -> list[Fault]:
        """Rows kept without, or with a changed, value."""
        return [one for one in self.faults if one.kept]


def look_into(
    project: Project, path: Path, *, mapping: Mapping | None = None, encoding: str = "", points: Path | None = None
) -> Source:
    """What a source holds and how it would be read.

    Args:
        mapping: to be used instead of the kept or the recognised one.
        points: the table of points, where it is a file of its own.

    Raises:
        PlannerError: ``tunnel.source_unknown``, ``tunnel.table_*``, ``import.*``, ``layer.unknown``.
    """
    if table_file.is_table_file(path):
        return _survey_source(project, path, mapping, encoding, points)
    if path.is_file() and citygml.is_utilities(path):
        return Source(path, "citygml", [], Mapping())
    if not path.exists() and path.suffix:
        raise PlannerError("import.no_file", file=str(path))
    layers = from_layer.layer_tables(project, path)
    sheets = [(name, heads) for name, heads, _ in layers]
    found = mapping or kept_mapping(project, sheets)
    recognised = found or from_layer.recognised_layers(layers)
    source = Source(path, "layer", sheets, recognised, _origin(mapping, found), encoding=encoding)
    source.geometry = {name: geometry for name, _, geometry in layers}
    return source


def _origin(given: Mapping | None, found: Mapping | None) -> str:
    return "file" if given is not None else "kept" if found is not None else "recognised"


def _survey_source(project: Project, path: Path, mapping: Mapping | None, encoding: str, points: Path | None) -> Source:
    mapped = [head for table in (mapping.tables if mapping else ()) for head in table.columns.values()]
    raw = table_file.read_tables(path, encoding, mapped)
    if points is not None:
        raw = [*table_file.read_tables(points, encoding, mapped), *raw]
    elif not any(role_of(one.recognised()) in ("points", "joined") for one in raw):
        beside = _points_beside(path, encoding, mapped)
        raw = [*beside, *raw]
    sheets = [(one.sheet, list(one.heads)) for one in raw]
    found = mapping or kept_mapping(project, sheets)
    source = Source(path, "survey", sheets, found or survey.recognised_mapping(raw), _origin(mapping, found), raw=raw)
    source.samples = {one.sheet: one.rows[:8] for one in raw}
    return source


def _points_beside(path: Path, encoding: str, mapped: Sequence[str]) -> list[table_file.RawTable]:
    """The table of points beside one of lines: of the same name but for the word that says which it is."""
    words = (("线", "点"), ("line", "point"), ("LINE", "POINT"), ("Line", "Point"))
    for line, point in words:
        other = path.with_name(path.name.replace(line, point))
        if other != path and other.is_file():
            return table_file.read_tables(other, encoding, mapped)
    return []


def draft_of(
    project: Project,
    source: Source,
    network: str = "",
    progress: Progress | None = None,
    *,
    valves: Path | None = None,
) -> Draft:
    """The network a source tells, not stored yet: what the preview counts and what an import stores.

    Args:
        valves: isolation valves as rows ``valve,link,node``; at their nodes they stand for those the source tells.

    Raises:
        PlannerError: what the readers raise; ``tunnel.nothing_left``.
    """
    name = network or source.path.stem
    if source.kind == "survey":
        draft = survey.survey_draft(project, source.raw, source.mapping, name)
    elif source.kind == "citygml":
        draft = citygml.citygml_draft(project, source.path, name)
    else:
        draft = from_layer.layer_draft(project, source.path, source.mapping, name, progress, encoding=source.encoding)
    if not draft.lines:
        raise PlannerError("tunnel.nothing_left", file=source.path.name, rejected=len(draft.faults))
    if valves is not None:
        ends = {line.code: (line.start, line.end) for line in draft.lines}
        rows = list(read_valve_csv(valves))
        told = [(valve, line, node) for _, valve, line, node in rows]
        draft.valves = good_valves(ends, told)
        draft.notes += valve_notes(ends, told, [row[0] for row in rows])
    return draft


def store(
    project: Project, draft: Draft, mapping: Mapping, *, replace: bool = False, progress: Progress | None = None
) -> ImportResult:
    """Store a draft as one step to undo.

    Raises:
        PlannerError: ``tunnel.network_exists``.
    """
    check_name(project, draft.network, replace=replace)
    nodes = list(draft.nodes.values())
    rows = [_node_rows(draft, nodes), _line_rows(draft), _valve_rows(draft)]
    store_network(project, draft.network, rows, progress or NoProgress())
    return ImportResult(
        draft.network,
        len(nodes),
        len(draft.lines),
        draft.valve_count(),
        mapping,
        tuple(draft.faults),
        tuple(draft.notes),
    )


def import_source(
    project: Project,
    source: Source,
    *,
    network: str = "",
    replace: bool = False,
    valves: Path | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Import what was looked into, and keep its mapping for the next file of its kind."""
    progress = progress or NoProgress()
    progress.update(0.1, "stage.tunnel_read")
    draft = draft_of(project, source, network, progress, valves=valves)
    check(progress)
    progress.update(0.6, "stage.tunnel_import")
    done = store(project, draft, source.mapping, replace=replace, progress=SubProgress(progress, 0.6, 1.0))
    if source.sheets:
        keep_mapping(project, source.sheets, source.mapping)
    progress.update(1.0)
    return done


def _node_rows(draft: Draft, nodes: Sequence[DraftNode]) -> tuple[TableSpec, list[bytes | None], dict[str, list[Any]]]:
    points = np.array([(n.x, n.y, n.ground_z) for n in nodes], float).reshape(-1, 3)
    flat = np.isnan(points[:, 2])
    made = np.where(flat, shapely.points(points[:, :2]), shapely.points(np.nan_to_num(points)))
    return (
        NODE,
        list(shapely.to_wkb(made)),
        {
            "code": [n.code for n in nodes],
            "network": [draft.network] * len(nodes),
            "kind": [n.appurtenance or n.feature or None for n in nodes],
            "feature_code": [n.kind_code or None for n in nodes],
            "ground_z": [None if math.isnan(n.ground_z) else round(n.ground_z, 3) for n in nodes],
            "source": [n.source for n in nodes],
        },
    )


def _line_rows(draft: Draft) -> tuple[TableSpec, list[bytes | None], dict[str, list[Any]]]:
    lines = draft.lines
    shapes = [line_shape(draft, line) for line in lines]
    columns: dict[str, list[Any]] = {
        "code": [line.code for line in lines],
        "network": [draft.network] * len(lines),
        "from_node": [line.start for line in lines],
        "to_node": [line.end for line in lines],
        "source": [line.where for line in lines],
        "length_m": [round(float(shapely.length(shape)), 3) for shape in shapes],
    }
    columns |= {name: [line.values.get(name) for line in lines] for name in _LINE_COLUMNS}
    return LINE, [bytes(shapely.to_wkb(shape)) for shape in shapes], columns


def _valve_rows(draft: Draft) -> tuple[TableSpec, list[bytes | None], dict[str, list[Any]]]:
    valves = draft.valve_nodes()
    places = [*valves, *(draft.nodes[node] for _, _, node in draft.valves)]
    count = len(places)
    return (
        VALVE,
        [bytes(shapely.to_wkb(shapely.points(n.x, n.y))) for n in places],
        {
            "code": [*(n.code for n in valves), *(valve for valve, _, _ in draft.valves)],
            "line": [*[None] * len(valves), *(line for _, line, _ in draft.valves)],
            "node": [n.code for n in places], "network": [draft.network] * count,
            "type": [*(n.appurtenance for n in valves), *[""] * len(draft.valves)],
            "normally_open": [True] * count, "is_open": [True] * count, "operable": [True] * count,
        },
    )  # fmt: skip
