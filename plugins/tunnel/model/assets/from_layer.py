"""Networks from layers: of the project or of any file that can be read, their columns mapped as a survey's are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Progress, Project, look_into, read_layer
from plugins.tunnel.model.assets import cells, cjj61
from plugins.tunnel.model.assets.draft import Draft, DraftLine, DraftNode, join_ends
from plugins.tunnel.model.assets.mapping import Mapping, TableMapping, recognise

#: Columns of lines taken as text.
_TEXTS = ("material", "laying", "owner", "rating")


def layer_tables(project: Project, source: Path) -> list[tuple[str, list[str], str]]:
    """(layer, fields, geometry) of a file's layers, or of the project's layer of that name."""
    if source.exists():
        info = look_into(source)
        return [(one.name, [field.name for field in one.fields], one.geometry) for one in info.layers]
    layer = project.layer(str(source))
    heads = [text for one in layer.fields for text in (one.alias or one.name,)]
    return [(layer.id, heads, layer.geometry)]


def recognised_layers(tables: Sequence[tuple[str, list[str], str]]) -> Mapping:
    """The mapping that the fields suggest: lines are lines, points are points."""
    roles = {"line": "lines", "point": "points"}
    made = [
        TableMapping(_without_places(recognise(heads)), roles[geometry], name, cjj61.kind_of(name))
        for name, heads, geometry in tables
        if geometry in roles
    ]
    return Mapping(tuple(made))


def _without_places(columns: dict[str, str]) -> dict[str, str]:
    """A layer's shapes say where things are; the first column that names a line is its code."""
    return {meaning: head for meaning, head in columns.items() if meaning not in ("x", "y")}


def layer_draft(
    project: Project, source: Path, mapping: Mapping, network: str, progress: Progress | None = None
) -> Draft:
    """The network that layers of lines and points tell.

    Raises:
        PlannerError: ``tunnel.layer_no_lines``, ``tunnel.mapping_column``, ``import.*``.
    """
    draft = Draft(network)
    loose: list[DraftLine] = []
    there = layer_tables(project, source)
    for role in ("points", "lines"):
        for name, _, geometry in there:
            how = mapping.table(name)
            if how is None or how.role != role or geometry != ("line" if role == "lines" else "point"):
                continue
            shapes, column = _read(project, source, name, mapping.crs, draft, progress)
            cell = _cells(column, how, name)
            if role == "points":
                _points(draft, shapes, cell, name, how)
            else:
                loose += _lines(draft, shapes, cell, name, how, mapping)
    if not draft.lines and not loose:
        raise PlannerError("tunnel.layer_no_lines", file=source.name)
    unnamed = [line for line in loose if not (line.start in draft.nodes and line.end in draft.nodes)]
    for line in unnamed:
        if line.start or line.end:
            missing = ", ".join(end or "–" for end in (line.start, line.end) if end not in draft.nodes)
            draft.mend(line.where, "tunnel.row_nodes_from_shape", id=line.code or "–", nodes=missing)
    join_ends(draft, unnamed)
    draft.lines += loose
    draft.check()
    return draft


def _read(
    project: Project, source: Path, name: str, crs: str, draft: Draft, progress: Progress | None
) -> tuple[Any, dict[str, list[Any]]]:
    """Shapes and columns by head."""
    if source.exists():
        found = read_layer(project, source, sublayer=name, crs=crs, progress=progress)
        for one in found.rejected:
            draft.reject(f"{name}:{one.row}", one.reason, **one.params)
        for one in found.repaired:
            draft.mend(f"{name}:{one.row}", one.reason, **one.params)
        draft.notes += [(one.code, one.params) for one in found.warnings if one.code != "import.other_layers"]
        return shapely.from_wkb(found.batch.wkb), dict(found.batch.columns)
    layer = project.layer(name)
    table = project.read(layer.id)
    heads = {one.name: one.alias or one.name for one in layer.fields}
    return shapely.from_wkb(table.geometry), {heads[key]: values for key, values in table.columns.items()}


def _cells(columns: dict[str, list[Any]], how: TableMapping, sheet: str) -> Callable[[int, str], str]:
    missing = [head for head in how.columns.values() if head not in columns]
    if missing:
        raise PlannerError("tunnel.mapping_column", sheet=sheet, columns=", ".join(missing))

    def cell(row: int, meaning: str) -> str:
        head = how.columns.get(meaning)
        value = columns[head][row] if head else None
        return "" if value is None else str(value).strip()

    return cell


def _points(draft: Draft, shapes: Any, cell: Callable[[int, str], str], name: str, how: TableMapping) -> None:
    for row, shape in enumerate(shapes):
        where, code = f"{name}:{row + 1}", cell(row, "code")
        if shape is None or shape.is_empty:
            draft.reject(where, "tunnel.row_no_place", id=code or "–", values="–")
            continue
        if not code:
            draft.reject(where, "tunnel.row_no_code")
            continue
        point = shape.centroid
        ground = cells.number(cell(row, "ground_z"))
        extra = cell(row, "appurtenance")
        kind = cjj61.kind_of(cell(row, "kind"), how.kind, name, code)
        draft.add_node(DraftNode(
            code, point.x, point.y, math.nan if ground is None else ground, kind, cell(row, "feature"), extra,
            cjj61.is_source(extra), where,
        ))  # fmt: skip


def _lines(
    draft: Draft, shapes: Any, cell: Callable[[int, str], str], name: str, how: TableMapping, mapping: Mapping
) -> list[DraftLine]:
    made = []
    metres = mapping.dn_unit == "m"
    for row, shape in enumerate(shapes):
        where = f"{name}:{row + 1}"
        code = cell(row, "line_code") or cell(row, "code")
        parts = [] if shape is None else [part for part in shapely.get_parts(shapely.line_merge(shape)) if part.length]
        if not parts:
            draft.reject(where, "tunnel.row_no_shape", id=code or "–")
            continue
        values = _values(draft, cell, row, where, name, how, metres)
        for number, part in enumerate(parts):
            xyz = shapely.get_coordinates(part, include_z=True)
            if not shapely.has_z(part) or not xyz[:, 2].any():  # heights of nothing but zero are none
                xyz[:, 2] = math.nan
            points = [(float(x), float(y), float(z)) for x, y, z in xyz]
            piece = f"{code}_{number + 1}" if code and len(parts) > 1 else code
            levels = {"z1": _known(points[0][2], values.get("z1")), "z2": _known(points[-1][2], values.get("z2"))}
            start, end = ("", "") if len(parts) > 1 else (cell(row, "start"), cell(row, "end"))
            made.append(DraftLine(piece, start, end, points, values | levels, where))
        if len(parts) > 1:
            draft.mend(where, "tunnel.row_several_parts", id=code or "–", count=len(parts))
    return made


def _known(z: float, stated: float | None) -> float | None:
    return stated if math.isnan(z) else round(z, 3)


def _values(
    draft: Draft, cell: Callable[[int, str], str], row: int, where: str, name: str, how: TableMapping, metres: bool
) -> dict[str, Any]:
    kind = cjj61.kind_of(cell(row, "kind"), how.kind, name, cell(row, "code")) or "BM"
    values: dict[str, Any] = {"kind_code": kind, "status": cjj61.status_of(cell(row, "status")) or "in_use"}
    found = cells.size(cell(row, "dn"))
    if found is not None:
        value = found.value * (1000 if metres else 1)
        if 0 < value <= 20_000:
            values |= {"dn_mm": round(value), "shape": f"{found.shape} {found.text}".strip()}
        else:
            draft.mend(where, "tunnel.row_value", id=cell(row, "code") or "–", field="dn", value=cell(row, "dn"))
    for one in _TEXTS:
        values[one] = cell(row, one) or None
    for one in ("depth1", "depth2", "z1", "z2"):
        given = cells.number(cell(row, one) or (cell(row, "depth") if one.startswith("depth") else ""))
        if given is not None and (math.isnan(given) or (one.startswith("depth") and given < 0)):
            reason = "tunnel.row_value" if math.isnan(given) else "tunnel.row_depth_negative"
            draft.mend(where, reason, id=cell(row, "code") or "–", field=one, value=cell(row, one) or "–")
            given = None
        values[one] = given
    values["year"] = cells.year(cell(row, "year"))
    count = cells.number(cell(row, "cables"))
    values["cables"] = None if count is None or math.isnan(count) else int(count)
    return values
