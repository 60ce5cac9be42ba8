"""``planner tunnel import|trace|isolate`` on files, with ids of several kinds, and what is wrong with them said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner_app.cli import run_verb

INP = """[TITLE]
Two streets
[JUNCTIONS]
;ID Elev Demand
A 10 1
B 11 2
C 12 3
A 99 9
[RESERVOIRS]
R 50
[PIPES]
1 R A 100 300 130 0 Open
2 A B 50 200 130 0 Open
3 B C 70 200 130 0 Closed
4 B nowhere 5 100 130 0 Open
1 A C 5 100 130 0 Open
[PUMPS]
A A B HEAD 1
[OPTIONS]
Units LPS
[COORDINATES]
R 500000 3000000
A 500100 3000000
B 500150 3000000
"""
VALVES = "valve,link,node\nv1,2,A\nv2,1,A\nv3,9,A\nv4,2,C\nv5,A,A\n"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "town.inp").write_text(INP, encoding="utf-8")
    (tmp_path / "valves.csv").write_text(VALVES, encoding="utf-8")

    def call(*arguments: object, code: int = 0) -> dict:
        words = [str(one) for one in arguments]
        assert run_verb([*words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    call("new", tmp_path / "p.sqlite", "--crs", "EPSG:4549")
    return call


def test_from_import_to_isolation(run, tmp_path: Path) -> None:
    project = tmp_path / "p.sqlite"
    done = run("tunnel", "import", project, tmp_path / "town.inp", "--valves", tmp_path / "valves.csv")
    assert (done["nodes"], done["lines"], done["valves"]) == (4, 4, 3)
    codes = [note["code"] for note in done["warnings"]]
    assert codes.count("tunnel.duplicate") == 2  # node A and pipe 1 once more
    assert {
        "tunnel.line_orphan",
        "tunnel.no_coordinates",
        "tunnel.valve_line_unknown",
        "tunnel.valve_node_wrong",
    } <= set(codes)
    assert all("{" not in note["message"] for note in done["warnings"])

    trace = run("tunnel", "trace", project, "--from", "node:A", "--direction", "down")
    assert sorted(trace["nodes"]) == ["node:A", "node:B"]  # pipe 3 is shut for good
    assert sorted(trace["lines"]) == ["line:2", "line:A"]
    assert trace["length_m"] == 50.0
    assert run("tunnel", "trace", project, "--from", "C")["nodes"] == ["node:C"]

    answer = run("tunnel", "isolate", project, "--at", "node:A")
    assert sorted(answer["close"]) == ["valve:v1", "valve:v2", "valve:v5"]
    assert answer["segment"] == {"nodes": ["node:A"], "lines": []}
    assert answer["cut_off"]["nodes"] == ["node:B"]
    assert answer["restore"] == answer["close"][::-1]
    other = run("tunnel", "isolate", project, "--at", "node:A", "--seized", "valve:v1")
    assert sorted(other["close"]) == ["valve:v2", "valve:v5"] or "valve:v1" not in other["close"]
    assert "node:B" in other["segment"]["nodes"]


def test_what_is_wrong_is_said(run, tmp_path: Path) -> None:
    project = tmp_path / "p.sqlite"
    assert run("tunnel", "trace", project, "--from", "node:A", code=2)["error"]["code"] == "tunnel.no_table"
    (tmp_path / "empty.inp").write_text("[TITLE]\nnothing\n", encoding="utf-8")
    assert run("tunnel", "import", project, tmp_path / "empty.inp", code=2)["error"]["code"] == "tunnel.inp_unreadable"
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    wrong = run("tunnel", "import", project, tmp_path / "town.inp", "--valves", tmp_path / "bad.csv", code=2)
    assert wrong["error"]["code"] == "tunnel.valves_head"
    assert run("layers", project)["layers"] == []
    run("tunnel", "import", project, tmp_path / "town.inp")
    again = run("tunnel", "import", project, tmp_path / "town.inp", code=2)
    assert again["error"]["code"] == "tunnel.network_exists"
    run("tunnel", "import", project, tmp_path / "town.inp", "--replace")
    run("tunnel", "import", project, tmp_path / "town.inp", "--name", "second")
    twice = run("tunnel", "trace", project, "--from", "node:A", code=2)
    assert twice["error"]["code"] == "tunnel.id_ambiguous"
    assert "node:second/A" in twice["error"]["message"]
    assert sorted(run("tunnel", "trace", project, "--from", "node:second/A")["nodes"])[:1] == ["node:second/A"]
    for error in (wrong, again):
        assert error["error"]["message"]
        assert error["error"]["hint"]


def test_an_import_is_one_step(run, tmp_path: Path) -> None:
    project = tmp_path / "p.sqlite"
    run("tunnel", "import", project, tmp_path / "town.inp", "--valves", tmp_path / "valves.csv")
    assert len(run("log", project)["entries"]) == 1
    run("undo", project)
    assert run("layers", project)["layers"] == []
    run("redo", project)
    assert sorted(run("tunnel", "trace", project, "--from", "node:A")["nodes"]) == ["node:A", "node:B", "node:R"]
    assert run("verify", project)["ok"]
