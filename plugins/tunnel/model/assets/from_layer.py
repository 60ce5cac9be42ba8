"""Networks from layers: of the project or of any file that can be read, their columns mapped as a survey's are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Progress, Project, look_into, read_layer
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.draft import FAR, NEAR_MISS, Draft, DraftLine, DraftNode, join_ends
from plugins.tunnel.model.assets.mapping import Mapping, TableMapping, recognise
from plugins.tunnel.model.assets.survey import LineReader, Row, node_of


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
        TableMapping(_without_places(recognise(heads)), roles[geometry], name, cjj61.kind_of_table(name))
        for name, heads, geometry in tables
        if geometry in roles
    ]
    return Mapping(tuple(made))


def _without_places(columns: dict[str, str]) -> dict[str, str]:
    """A layer's shapes say where things are; the first column that names a line is its code."""
    return {meaning: head for meaning, head in columns.items() if meaning not in ("x", "y")}


def layer_draft(
    project: Project,
    source: Path,
    mapping: Mapping,
    network: str,
    progress: Progress | None = None,
    *,
    encoding: str = "",
) -> Draft:
    """The network that layers of lines and points tell.

    Raises:
        PlannerError: ``tunnel.layer_no_lines``, ``tunnel.mapping_column``, ``import.*``.
    """
    draft = Draft(network)
    loose: list[tuple[DraftLine, Row]] = []
    there = layer_tables(project, source)
    for role in ("points", "lines"):
        for name, _, geometry in there:
            how = mapping.table(name)
            if how is None or how.role != role or geometry != ("line" if role == "lines" else "point"):
                continue
            shapes, rows = _read(project, source, name, how, mapping.crs, encoding, draft, progress)
            if role == "points":
                _points(draft, shapes, rows)
            else:
                loose += _lines(draft, shapes, rows)
    if not loose:
        raise PlannerError("tunnel.layer_no_lines", file=source.name)
    _tell_far(draft, [line for line, _ in loose])
    reader = _attributes(draft, mapping, loose)
    _name_ends(draft, [line for line, _ in loose])
    _levels(reader, loose)
    draft.lines += [line for line, _ in loose]
    draft.check()
    return draft


def _read(
    project: Project,
    source: Path,
    name: str,
    how: TableMapping,
    crs: str,
    encoding: str,
    draft: Draft,
    progress: Progress | None,
) -> tuple[Any, list[Row]]:
    """Shapes, and rows of cells by meaning, numbered as in the file or by the project's fids."""
    if source.exists():
        found = read_layer(project, source, sublayer=name, crs=crs, encoding=encoding, progress=progress)
        for one in found.rejected:
            draft.reject(f"{name}:{one.row}", one.reason, **one.params)
        for one in found.repaired:
            draft.mend(f"{name}:{one.row}", one.reason, **one.params)
        draft.notes += [(one.code, one.params) for one in found.warnings if one.code != "import.other_layers"]
        shapes, columns = shapely.from_wkb(found.batch.wkb), dict(found.batch.columns)
        gone = {one.row for one in found.rejected}
        numbers = [at for at in range(1, len(shapes) + len(gone) + 1) if at not in gone]
    else:
        layer = project.layer(name)
        table = project.read(layer.id)
        heads = {one.name: one.alias or one.name for one in layer.fields}
        shapes, columns = shapely.from_wkb(table.geometry), {heads[key]: v for key, v in table.columns.items()}
        numbers = [int(fid) for fid in table.fids]
    missing = [head for head in how.columns.values() if head not in columns]
    if missing:
        raise PlannerError("tunnel.mapping_column", sheet=name, columns=", ".join(missing))
    return shapes, [
        Row({meaning: _text(columns[head][at]) for meaning, head in how.columns.items()}, f"{name}:{number}", how)
        for at, number in enumerate(numbers)
    ]


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN stands for nothing in columns of numbers
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _points(draft: Draft, shapes: Any, rows: Sequence[Row]) -> None:
    for row, shape in zip(rows, shapes, strict=True):
        code = row.text("code")
        if shape is None or shape.is_empty:
            draft.reject(row.where, "tunnel.row_no_place", id=code or "–", values="–")
        elif not code:
            draft.reject(row.where, "tunnel.row_no_code")
        else:
            point = shape.centroid
            draft.add_node(node_of(draft, row, code, float(point.x), float(point.y)))


def _lines(draft: Draft, shapes: Any, rows: Sequence[Row]) -> list[tuple[DraftLine, Row]]:
    made = []
    for row, shape in zip(rows, shapes, strict=True):
        code = row.text("line_code") or row.text("code")
        parts = [] if shape is None else [part for part in shapely.get_parts(shapely.line_merge(shape)) if part.length]
        if not parts:
            draft.reject(row.where, "tunnel.row_no_shape", id=code or "–")
            continue
        for number, part in enumerate(parts):
            xyz = shapely.get_coordinates(part, include_z=True)
            if not shapely.has_z(part) or not xyz[:, 2].any():  # heights of nothing but zero are none
                xyz[:, 2] = math.nan
            points = [(float(x), float(y), float(z)) for x, y, z in xyz]
            piece = f"{code}_{number + 1}" if code and len(parts) > 1 else code
            start, end = ("", "") if len(parts) > 1 else (row.text("start"), row.text("end"))
            made.append((DraftLine(piece, start, end, points, where=row.where), row))
        if len(parts) > 1:
            draft.mend(row.where, "tunnel.row_several_parts", id=code or "–", count=len(parts))
    return made


def _tell_far(draft: Draft, lines: Sequence[DraftLine]) -> None:
    """Lines far from the middle of all others are kept (a pipeline may be long) and told: a wrong zone or a slip."""
    x, y = (median(line.points[0][axis] for line in lines) for axis in (0, 1))
    for line in lines:
        away = math.hypot(line.points[0][0] - x, line.points[0][1] - y)
        if away > FAR:
            draft.mend(line.where, "tunnel.row_far_kept", id=line.code or "–", km=round(away / 1000))


def _name_ends(draft: Draft, lines: Sequence[DraftLine]) -> None:
    """Give every line its nodes: those it names; without a layer of points a name is where a line first has it. Lines
    that name none, or one that no point has, end where their shape does."""
    if not draft.nodes:
        for line in lines:
            if line.start and line.end:
                _turn(draft, line)
                for code, (x, y, _) in ((line.start, line.points[0]), (line.end, line.points[-1])):
                    if code not in draft.nodes:
                        draft.add_node(DraftNode(code, x, y, where=line.where))
    unnamed, turned = [], 0
    for line in lines:
        if line.start in draft.nodes and line.end in draft.nodes:
            turned += _turn(draft, line)
            for code, (x, y, _) in ((line.start, line.points[0]), (line.end, line.points[-1])):
                away = math.hypot(draft.nodes[code].x - x, draft.nodes[code].y - y)
                if away > NEAR_MISS:
                    draft.mend(line.where, "tunnel.row_end_away", id=line.code or "–", node=code, metres=round(away, 2))
            continue
        if line.start or line.end:
            missing = ", ".join(end or "–" for end in (line.start, line.end) if end not in draft.nodes)
            draft.mend(line.where, "tunnel.row_nodes_from_shape", id=line.code or "–", nodes=missing)
        unnamed.append(line)
    if turned:
        draft.notes.append(("tunnel.lines_turned", {"count": turned}))
    join_ends(draft, unnamed)


def _turn(draft: Draft, line: DraftLine) -> bool:
    """Let a line's shape run from the node it names first to the other."""
    nodes = [draft.nodes.get(code) for code in (line.start, line.end)]
    first, last = line.points[0], line.points[-1]
    straight = [math.hypot(n.x - at[0], n.y - at[1]) for n, at in zip(nodes, (first, last), strict=True) if n]
    turned = [math.hypot(n.x - at[0], n.y - at[1]) for n, at in zip(nodes, (last, first), strict=True) if n]
    if sum(turned) >= sum(straight):
        return False
    line.points = line.points[::-1]
    return True


def _attributes(draft: Draft, mapping: Mapping, lines: Sequence[tuple[DraftLine, Row]]) -> LineReader:
    rows = list({id(row): row for _, row in lines}.values())
    for row in rows:
        for one in ("depth", "z"):
            for side in "12":
                row.cells[one + side] = row.text(one + side) or row.text(one)
    reader = LineReader(draft, mapping, rows)
    known: dict[int, dict[str, Any]] = {}
    for line, row in lines:
        if id(row) not in known:
            known[id(row)] = reader.values(row, line.code, line.start, line.end)
        line.values = dict(known[id(row)])
    return reader


def _levels(reader: LineReader, lines: Sequence[tuple[DraftLine, Row]]) -> None:
    """Those of the shape go before stated ones."""
    for line, row in lines:
        for side, code, z in (("1", line.start, line.points[0][2]), ("2", line.end, line.points[-1][2])):
            end = reader.end(row, f"depth{side}", f"z{side}", code)
            level = end.z if math.isnan(z) else z
            if level is not None and level != end.z:
                reader.above_ground(row, code, level)
            line.values |= {f"z{side}": _rounded(level), f"depth{side}": _rounded(end.depth)}
        line.values["z_ref"] = reader.reference(line)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
