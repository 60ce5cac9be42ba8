"""``planner tunnel import`` of EPANET files that are wrong in many ways, cut off, or elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.project import Project, Transaction
from plugins.tunnel.model.network import storing

INP = """[TITLE]
[JUNCTIONS]
 A nan 5
 B 3 many
 C
 P1 4 1
 far 1 1
 alone 1 1
[RESERVOIRS]
 R
[TANKS]
 T 9 1 0 2 10 0
[PIPES]
 P1 R A abc 200 100 0 Open ; shares its id with a node
 P2 A B -5 200 100 0 CV
 P3 B C 20 none 100 0 Open
 P4 C P1 10 200 100 0 Closed
 P5 P1 far 10 200 100 0
 P6 C T 30 200 100 0 Open
[VALVES]
 V1 B C 0 PRV 30 0
[STATUS]
 P5 Closed
 ghost Closed
[VERTICES]
 P1 500005 3000020
 ghost 1 2
 P2 x 2
[OPTIONS]
 Units XYZ
[COORDINATES]
 R 500000 3000000
 A 500100 3000000
 B 500103 3000004
 C 500200 3000000
 nan nan nan
[END]
"""
VALVES = 'valve,link,node\n,P1,A\n"v,1",P1,A\nv2,line:P2,node:A\nv3,P2,A\n'


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "odd.inp").write_bytes(b"\xef\xbb\xbf" + INP.replace("\n", "\r\n").encode())
    (tmp_path / "v.csv").write_text(VALVES, encoding="utf-8")

    def call(*arguments: object, code: int = 0) -> dict:
        assert run_verb([*(str(one) for one in arguments), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    call("new", tmp_path / "p.sqlite", "--crs", "EPSG:4549")
    return call


def test_nothing_wrong_is_passed_over(run, tmp_path: Path) -> None:
    done = run("tunnel", "import", tmp_path / "p.sqlite", tmp_path / "odd.inp", "--valves", tmp_path / "v.csv")
    assert (done["nodes"], done["lines"], done["valves"]) == (8, 7, 2)
    codes = [note["code"].removeprefix("tunnel.") for note in done["warnings"]]
    assert codes == [
        "units_unknown", "level_wrong", "demand_wrong", "level_wrong", "length_wrong", "length_wrong",
        "diameter_wrong", "diameter_wrong", "state_lost", "coordinate_lost", "coordinate_lost", "coordinate_lost",
        "no_coordinates", "part_unfed", "part_unfed", "part_unfed", "valve_unnamed", "valve_twice",
    ]  # fmt: skip
    messages = [note["message"] for note in done["warnings"]]
    assert any("reservoir R" in one for one in messages)
    assert not any("{" in one for one in messages)
    assert messages[-2].startswith("Row 2")
    assert "v3" in messages[-1]
    trace = run("tunnel", "trace", tmp_path / "p.sqlite", "--from", "line:P2")
    assert trace["length_m"] == pytest.approx(5 + 2 * 20.615528 + 81.1 + 20 + 30, abs=60)  # drawn where not stated
    two = run("tunnel", "trace", tmp_path / "p.sqlite", "--from", "line:P2", "--direction", "down")
    assert two["nodes"] == ["node:B", "node:C", "node:T"]
    answer = run("tunnel", "isolate", tmp_path / "p.sqlite", "--at", "node:A")
    assert answer["close"] == ["valve:v,1", "valve:v2"]
    assert answer["segment"] == {"nodes": ["node:A"], "lines": []}


def test_a_look_stores_nothing_and_coordinates_move(run, tmp_path: Path) -> None:
    project = tmp_path / "p.sqlite"
    shown = run("tunnel", "import", project, tmp_path / "odd.inp", "--dry-run")
    assert shown["nodes"] == 8
    assert run("layers", project)["layers"] == []
    run("tunnel", "import", project, tmp_path / "odd.inp", "--crs", "EPSG:4548")  # three degrees further west
    low, _, high, _ = next(one for one in run("layers", project)["layers"] if one["layer"] == "net_line")["extent"]
    assert low == pytest.approx(199_500, abs=5_000)
    assert high - low == pytest.approx(200, rel=0.02)
    assert run("tunnel", "import", project, tmp_path / "no.inp", code=2)["error"]["code"] == "import.no_file"


_KILLED = """
import os, sys
from pathlib import Path
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.network import project_network, storing

apply = storing._AddRows.apply
def dies(self, tx):
    if self.spec.id == "net_line":
        os._exit(9)
    apply(self, tx)

storing._AddRows.apply = dies
with Project.open(Path(sys.argv[1])) as project:
    project_network.import_epanet(project, Path(sys.argv[2]), replace=True)
"""


@pytest.mark.parametrize("way", ["again", "undo"])
def test_an_import_killed_half_way_is_said_and_mended(run, tmp_path: Path, way: str) -> None:
    project, file = tmp_path / "p.sqlite", tmp_path / "odd.inp"
    run("tunnel", "import", project, file)
    before = run("tunnel", "trace", project, "--from", "node:A")
    assert subprocess.run([sys.executable, "-c", _KILLED, str(project), str(file)], timeout=60).returncode == 9
    assert run("verify", project)["ok"]
    half = run("tunnel", "trace", project, "--from", "node:A")
    assert half["lines"] == []
    assert "tunnel.import_cut" in [note["code"] for note in half["warnings"]]
    if way == "undo":
        run("undo", project)
    else:
        run("tunnel", "import", project, file)  # what is there of it gives way without --replace
    after = run("tunnel", "trace", project, "--from", "node:A")
    assert after == before


@pytest.mark.parametrize("source", ["odd.inp", "survey.csv"])
def test_an_import_that_fails_leaves_nothing(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    rows = "点号,连接点号,X,Y\nJ1,J2,3000000,500000\nJ2,J1,3000000,500050\n"
    (tmp_path / "survey.csv").write_text(rows, encoding="utf-8")
    project, file = tmp_path / "p.sqlite", tmp_path / source
    run("tunnel", "import", project, file)
    before = run("layers", project)
    apply = storing._AddRows.apply

    def fails(self: storing._AddRows, tx: Transaction) -> None:
        if self.spec.id == "net_line":
            raise PlannerError("project.disk_full")
        apply(self, tx)

    monkeypatch.setattr(storing._AddRows, "apply", fails)
    assert run("tunnel", "import", project, file, "--replace", code=2)["error"]["code"] == "project.disk_full"
    monkeypatch.undo()
    assert run("layers", project) == before
    with Project.open(project) as opened:
        assert storing.cut_imports(opened) == []
    assert run("tunnel", "import", project, file, code=2)["error"]["code"] == "tunnel.network_exists"
    assert run("tunnel", "import", project, file, "--replace")["lines"] == (7 if source == "odd.inp" else 1)
    run("undo", project)
    assert run("layers", project) == before


def test_one_id_for_valves_at_several_nodes_is_said(run, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("valve,link,node\nv,P2,A\nv,P5,far\nw,P2,B\nw,P3,B\n", encoding="utf-8")
    done = run("tunnel", "import", tmp_path / "p.sqlite", tmp_path / "odd.inp", "--valves", tmp_path / "v.csv")
    said = [note["message"] for note in done["warnings"] if note["code"] == "tunnel.valve_apart"]
    assert len(said) == 1
    assert "Valve v stands at 2 nodes (A, far)" in said[0]
    answer = run("tunnel", "isolate", tmp_path / "p.sqlite", "--at", "node:A")
    assert [one["message"] for one in answer["warnings"] if one["code"] == "tunnel.valve_apart"] == said


def test_isolating_a_shut_line_says_what_that_leaves_open(run, tmp_path: Path) -> None:
    run("tunnel", "import", tmp_path / "p.sqlite", tmp_path / "odd.inp", "--valves", tmp_path / "v.csv")
    codes = {
        line: [
            one["code"]
            for one in run("tunnel", "isolate", tmp_path / "p.sqlite", "--at", f"line:{line}")["warnings"]
            if one["code"] == "tunnel.line_shut"
        ]
        for line in ("P4", "P1")
    }
    assert codes == {"P4": ["tunnel.line_shut"], "P1": []}
