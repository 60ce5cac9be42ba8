"""A project with one tunnel, made by hand: two compartments, supports, lines, nodes with known and unknown heights."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.cli import run_verb
from planner_app.domain.layer import NewLayer
from planner_app.plugin_api.model import Batch, NoProgress, Project
from plugins.tunnel.model.space import tables as space
from plugins.tunnel.model.tables import LINE, NODE, TableSpec

Rows = Sequence[Mapping[str, Any]]
X, Y = 500_000.0, 3_000_000.0


def run_line(points: Sequence[tuple[float, ...]]) -> str:
    """WKT of a line, places from the tunnel's start."""
    return shapely.LineString([(X + p[0], Y + p[1], *p[2:]) for p in points]).wkt


def at(*place: float) -> str:
    """WKT of a point, from the tunnel's start."""
    return shapely.Point(X + place[0], Y + place[1], *place[2:]).wkt


def fill(project: Project, spec: TableSpec, rows: Rows) -> None:
    """A layer of that kind with these rows."""
    wkb = [shapely.to_wkb(shapely.from_wkt(row["wkt"])) if "wkt" in row else None for row in rows]
    columns = {info.name: [row.get(info.name) for row in rows] for info in spec.fields}
    new = NewLayer(spec.name, spec.geometry, spec.fields, role=spec.role, label_field=spec.label_field)
    project.add_layer(new, [Batch(wkb, columns)], NoProgress(), command="tunnel_import", params={"network": ""})


#: The tunnel runs east for 200 m, its floor falling from 0 to −1 m, the ground 6 m above; one section per 100 m.
TABLES: list[tuple[TableSpec, list[dict[str, Any]]]] = [
    (space.TUNNEL, [{"code": "T1", "name": "东路管廊", "from_m": 0.0, "to_m": 200.0, "built_edition": "GB 50838-2015",
                     "wkt": run_line([(0, 0, 0), (200, 0, -1)])}]),
    (space.SECTION, [
        {"code": "T1-1", "tunnel": "T1", "from_m": 0.0, "to_m": 100.0, "profile": "P1",
         "wkt": run_line([(0, 0, 0), (100, 0, -0.5)])},
        {"code": "T1-2", "tunnel": "T1", "from_m": 100.0, "to_m": 200.0, "profile": "P1",
         "wkt": run_line([(100, 0, -0.5), (200, 0, -1)])},
    ]),
    (space.COMPARTMENT, [
        {"code": f"T1-{n}-{letter}", "section": f"T1-{n}", "kind": kind, "from_m": n * 100.0 - 100, "to_m": n * 100.0,
         "outline": shapely.box(left, 0, right, 2.8).wkt}
        for n in (1, 2) for letter, kind, left, right in (("Z", "综合", -2.0, 2.0), ("G", "燃气", 2.3, 4.3))
    ]),
    (space.SUPPORT, [
        {"code": f"T1-{n}-Z-{level}", "section": f"T1-{n}", "compartment": "综合", "side": "右", "level": level,
         "x": 1.7, "y": 0.5 * level, "length_m": 0.6, "capacity_kg": 250.0}
        for n in (1, 2) for level in (1, 2, 3)
    ]),
    (space.TUNNEL_NODE, [
        {"code": "J1", "tunnel": "T1", "kind": "端部井", "m": 0.0, "wkt": at(0, 0, 6)},
        {"code": "J2", "tunnel": "T1", "kind": "投料口", "m": 150.0, "wkt": at(150, 2, 5.25)},
        {"code": "J3", "tunnel": "T1", "kind": "端部井", "m": 200.0, "wkt": at(200, 0, 5)},
        {"code": "J4", "tunnel": "T1", "kind": "监控中心", "m": 0.0, "wkt": at(60, 90, 40)},
    ]),
    (NODE, [
        {"code": "A", "network": "water", "ground_z": 6.0, "wkt": at(0, 1, 1)},
        {"code": "B", "network": "water", "ground_z": 5.5, "feature_code": "阀门", "wkt": at(100, 1, 0.5)},
        {"code": "C", "network": "water", "ground_z": 5.0, "wkt": at(200, 1, 0)},
        {"code": "D", "network": "water", "wkt": at(200, 80)},
        {"code": "E", "network": "gas", "ground_z": 6.0, "wkt": at(50, -20, 4)},
        {"code": "F", "network": "gas", "ground_z": 6.0, "wkt": at(50, 20, 4.4)},
        {"code": "G", "network": "telecom", "wkt": at(120, -20)},
        {"code": "H", "network": "telecom", "wkt": at(120, 20)},
    ]),
    (LINE, [
        {"code": "W1", "network": "water", "kind_code": "JS", "from_node": "A", "to_node": "B", "dn_mm": 500,
         "z_ref": "axis", "z1": 1.0, "z2": 0.5, "wkt": run_line([(0, 1, 1), (100, 1, 0.5)])},
        {"code": "W2", "network": "water", "kind_code": "JS", "from_node": "C", "to_node": "B", "dn_mm": 500,
         "z_ref": "axis", "z1": 0.0, "z2": 0.5, "wkt": run_line([(200, 1, 0), (100, 1, 0.5)])},
        {"code": "W3", "network": "water", "kind_code": "JS", "from_node": "C", "to_node": "D", "dn_mm": 300,
         "wkt": run_line([(200, 1), (200, 80)])},
        {"code": "R1", "network": "gas", "kind_code": "RQ", "from_node": "E", "to_node": "F", "dn_mm": 200,
         "z_ref": "invert", "z1": 4.0, "z2": 4.4, "wkt": run_line([(50, -20, 4), (50, 20, 4.4)])},
        {"code": "X1", "network": "telecom", "kind_code": "DX", "from_node": "G", "to_node": "H", "dn_mm": 100,
         "wkt": run_line([(120, -20), (120, 20)])},
        {"code": "K1", "network": "power", "kind_code": "GD", "rating": "110 kV", "cables": 3, "dn_mm": 100,
         "from_node": "", "to_node": ""},
    ]),
    (space.PLACEMENT, [
        {"line": "W1", "section": "T1-1", "compartment": "综合", "from_m": 0.0, "to_m": 100.0, "x": -1.5, "y": 1.0,
         "outer_d": 0.53},
        {"line": "W2", "section": "T1-2", "compartment": "综合", "from_m": 100.0, "to_m": 200.0, "x": -1.5, "y": 1.0,
         "outer_d": 0.53},
        {"line": "K1", "section": "T1-1", "compartment": "综合", "from_m": 0.0, "to_m": 100.0, "x": 1.7, "y": 1.05,
         "outer_d": 0.1},
    ]),
]  # fmt: skip

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("space") / "tunnel.sqlite"
    assert run_verb(["new", str(path), "--crs", "EPSG:4549", "--json"]) == 0
    with Project.open(path) as project:
        for spec, rows in TABLES:
            fill(project, spec, rows)
    return path


@pytest.fixture
def tunnel(_made: Path, tmp_path: Path) -> Path:
    """A copy of the project with the tunnel."""
    with sqlite3.connect(_made) as source:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(shutil.copy(_made, tmp_path / "tunnel.sqlite"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A verb's JSON answer."""

    def call(*arguments: object, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert run_verb([*(str(one) for one in arguments), "--json"]) == code
        return dict(json.loads(capsys.readouterr().out))

    return call
