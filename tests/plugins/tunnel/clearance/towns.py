"""Small projects of pipes, tunnels and works, written as rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.cli import run_verb
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.plugin_api.model import Batch, Project
from plugins.tunnel.model.tables import LINE, NODE, TableSpec

E, N = 500_000.0, 3_400_000.0


def at(*points: tuple[float, ...]) -> Any:
    """A line at offsets from the corner of the town."""
    return shapely.linestrings([(E + p[0], N + p[1], *p[2:]) for p in points])


def box(x0: float, y0: float, x1: float, y1: float) -> Any:
    """An outline at offsets from the corner of the town."""
    return shapely.box(E + x0, N + y0, E + x1, N + y1)


def add(project: Project, spec: TableSpec | NewLayer, rows: Sequence[tuple[Any, Mapping[str, Any]]]) -> str:
    """A layer with these rows; the fields of a free layer are those of its first row."""
    if isinstance(spec, TableSpec):
        spec = NewLayer(spec.name, spec.geometry, spec.fields, role=spec.role, label_field=spec.label_field)
    names = sorted({name for _, row in rows for name in row})
    columns = {name: [row.get(name) for _, row in rows] for name in names}
    shapes = [None if shape is None else shapely.to_wkb(shape) for shape, _ in rows]
    return project.add_layer(spec, [Batch(shapes, columns)], command="import", params={}).id


def layer(name: str, geometry: Any, role: str = "", /, **fields: Any) -> NewLayer:
    """A free layer: fields by name and type."""
    return NewLayer(name, geometry, tuple(FieldInfo(key, kind) for key, kind in fields.items()), role=role)


def pipe(code: str, kind: str, *points: tuple[float, ...], **more: Any) -> tuple[Any, dict[str, Any]]:
    """A row of the layer of pipes, 200 mm, heights of the axis."""
    row = {"code": code, "kind_code": kind, "network": kind, "dn_mm": 200, "material": "PE", "z_ref": "axis"}
    return at(*points), row | more


def pipes(project: Project, *rows: tuple[Any, dict[str, Any]]) -> str:
    """The layer of pipes."""
    return add(project, LINE, rows)


def tunnel(
    project: Project, *axis: tuple[float, ...], method: str = "明挖", half: float = 1.65, wall: float | None = None,
    stations: tuple[float, ...] = (),
) -> None:  # fmt: skip
    """A tunnel with one room of 3 m height, a section for each straight piece; the axis lies at the floor. Its outer
    width is 2 × half + 0.7 m where no thickness of its walls (m) is stated; ``stations``: chainage of its points."""
    room = f"POLYGON (({-half} 0, {-half} 3, {half} 3, {half} 0, {-half} 0))"
    text = {"code": "text", "tunnel": "text", "section": "text", "outline": "text", "method": "text", "name": "text"}
    text |= {"wall_m": "real", "from_m": "real", "to_m": "real"}

    def table(name: str, role: str, rows: list[tuple[Any, dict[str, Any]]]) -> None:
        add(project, layer(name, "line", role, **{key: text[key] for key in rows[0][1]}), rows)

    runs = [(f"T1-{n}", at(*ends)) for n, ends in enumerate(pairwise(axis), start=1)]
    table("管廊", "tunnel.tunnel", [(at(*axis), {"code": "T1", "name": "一号", "method": method})])
    about = {} if wall is None else {"wall_m": wall}
    spans = [{"from_m": a, "to_m": b} for a, b in pairwise(stations)] or [{} for _ in runs]
    sections = [
        (line, {"code": code, "tunnel": "T1"} | about | span) for (code, line), span in zip(runs, spans, strict=True)
    ]
    table("区段", "tunnel.tunnel_section", sections)
    table("舱室", "tunnel.compartment", [(line, {"section": code, "outline": room}) for code, line in runs])


def nodes(project: Project, *rows: tuple[str, str, float]) -> str:
    """Nodes (code, network, ground height) at the corner of the town."""
    place = shapely.points(E, N, 0.0)
    return add(project, NODE, [(place, {"code": c, "network": n, "ground_z": z}) for c, n, z in rows])


def report(capsys: pytest.CaptureFixture[str], file: Path, *arguments: object, code: int = 0) -> dict[str, Any]:
    """What ``planner tunnel clearance`` says."""
    words = ["tunnel", "clearance", str(file), *map(str, arguments), "--json"]
    got = run_verb(words)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert got == code, said
    return said
