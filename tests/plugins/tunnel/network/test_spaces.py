"""Compartments and pipes in one graph: what a gas alarm leads to, and how doors are derived or stated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.network.reach import Graph
from plugins.tunnel.model.network.spaces import load_spaces
from plugins.tunnel.model.space import tables as space
from tests.plugins.tunnel.network import station


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as made:
        yield made


def ways(project: Project) -> set[tuple[str, str, str]]:
    spaces = load_spaces(project)
    return {(spaces.items[one.a].id, spaces.items[one.b].id, one.via) for one in spaces.links}


def test_doors_and_shafts_are_derived(project: Project) -> None:
    station.tunnels(project)
    spaces = load_spaces(project)
    assert ways(project) == {
        ("T1-G1", "T1-G2", "door"), ("T1-G2", "T1-G3", "door"), ("T1-Z1", "T1-Z2", "door"),
        ("T1-Z2", "T1-Z3", "door"), ("T2-Z1", "T1-Z2", "shaft"),
    }  # fmt: skip
    gas = spaces.items[spaces.numbers["T1-G2"]]
    assert (gas.volume, gas.rooms) == (pytest.approx(2 * 3 * 200), ("T1-1-G",))
    assert gas.floor == pytest.approx((-1.0, -2.0))
    assert {code for code, _ in spaces.notes} == {"tunnel.junction_taken", "tunnel.links_derived"}


def test_zones_that_run_backwards_or_nowhere_are_said(project: Project) -> None:
    station.tunnels(project, zones=False)
    spans = {"Z1": (200.0, 0.0), "Z2": (200.0, 200.0), "Z3": (200.0, 600.0)}
    station.table(
        project, space.FIRE_ZONE,
        *({"code": z, "tunnel": "T1", "compartment": "综合", "from_m": a, "to_m": b} for z, (a, b) in spans.items()),
        {"code": "Z3", "tunnel": "T1", "compartment": "综合", "from_m": 400.0, "to_m": 600.0},
    )  # fmt: skip
    spaces = load_spaces(project)
    zones = {one.id: (one.from_m, one.to_m, one.volume) for one in spaces.items if one.table == "fire_zone"}
    assert zones == {"Z1": (0.0, 200.0, pytest.approx(2400)), "Z3": (200.0, 600.0, pytest.approx(4800))}
    assert ("Z1", "Z3", "door") in ways(project)
    said = [(code, params["id"]) for code, params in spaces.notes if code.startswith(("tunnel.row_", "tunnel.dup"))]
    assert said == [("tunnel.row_backwards", "Z1"), ("tunnel.row_no_stretch", "Z2"), ("tunnel.duplicate", "Z3")]
    (twice,) = (params for code, params in spaces.notes if code == "tunnel.duplicate")
    assert (twice["kind"], twice["kind_zh"]) == ("fire zone", "防火分区")


def test_without_zones_compartments_stand_for_themselves(project: Project) -> None:
    station.tunnels(project, zones=False)
    spaces = load_spaces(project)
    assert sorted(one.id for one in spaces.items) == ["T1-1-G", "T1-1-Z", "T2-1-Z"]
    assert ways(project) == {("T2-1-Z", "T1-1-Z", "shaft")}


def test_stated_ways_count_alone_and_lost_ones_are_named(project: Project) -> None:
    station.tunnels(project)
    station.links(
        project,
        {"a": "T1-G1", "b": "T1-G2", "via": "wall"},
        {"a": "T1-1-Z", "b": "T2-1-Z", "via": "竖井", "m": 300.0, "sill_z": -1.0},
        {"code": "L9", "a": "T1-G3", "b": "nowhere", "via": "door"},
    )
    assert ways(project) == {("T1-G1", "T1-G2", "wall"), ("T1-Z2", "T2-Z1", "shaft")}
    spaces = load_spaces(project)
    assert [params["id"] for code, params in spaces.notes if code == "tunnel.link_lost"] == ["L9"]
    assert spaces.within(spaces.find("T1-G1"), 3) == {spaces.numbers["T1-G1"]: (0, "")}  # a wall leads nowhere


def test_a_gas_alarm_leads_to_rooms_valves_and_buildings(project: Project) -> None:
    station.tunnels(project)
    station.pipes(project)
    graph = Graph(project)
    found = graph.trace("sensor:CH4-300")
    assert [(space.id, steps) for space, steps, _ in found.spaces] == [("T1-G2", 0), ("T1-G1", 1), ("T1-G3", 1)]
    ids = graph.network.line_ids
    assert [ids[line] for line in found.held] == ["G2"]
    assert {ids[line] for line in found.lines} == {"G1", "G2", "G3", "G4"}
    assert found.isolation is not None
    assert found.isolation.close == ("v1", "v2")
    assert [(one.id, {name for *_, name in one.buildings}) for one in found.served] == [
        ("s2", {"门诊楼"}), ("s1", {"一号楼", "二号楼"}),
    ]  # fmt: skip
    down = graph.trace("sensor:7", "down", steps=0)
    assert {ids[line] for line in down.lines} == {"G2", "G3", "G4"}
    assert [space.id for space, *_ in down.spaces] == ["T1-G2"]
    assert [space.id for space, *_ in graph.trace("line:G2", "down").spaces] == ["T1-G2", "T1-G3"]
    water = graph.trace("compartment:T1-Z1")
    assert (water.isolation, water.unvalved) == (None, ("water",))


def test_what_cannot_be_found_is_said(project: Project) -> None:
    with pytest.raises(PlannerError, match="no_table"):
        Graph(project)
    station.tunnels(project)
    graph = Graph(project)
    assert graph.trace("compartment:T1-G1").lines == ()
    with pytest.raises(PlannerError, match="compartment_unknown"):
        graph.trace("compartment:nix")
    with pytest.raises(PlannerError, match="sensor_unknown"):
        graph.trace("sensor:nix")
    station.pipes(project)
    with pytest.raises(PlannerError, match="sensor_nowhere"):
        Graph(project).trace("sensor:LOST")
    with pytest.raises(PlannerError, match="nothing_to_close"):
        Graph(project).places("compartment:T1-Z1")


def test_the_verbs(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station.tunnels(project)
    station.pipes(project)
    project.close()

    def run(*arguments: object, code: int = 0) -> dict:
        words = [str(one) for one in arguments]
        assert run_verb(["tunnel", words[0], str(tmp_path / "p.sqlite"), *words[1:], "--json"]) == code
        return json.loads(capsys.readouterr().out)

    trace = run("trace", "--from", "sensor:CH4-300")
    assert (trace["valves"], trace["customers"], trace["critical"]) == (["valve:v1", "valve:v2"], 41, ["s2"])
    assert trace["compartments"][0]["id"] == "compartment:T1-G2"
    assert trace["affected"][0]["buildings"][0]["name"] == "门诊楼"
    answer = run("isolate", "--at", "compartment:T1-G2", "--order", "--by", "小王")
    assert [(one["order"], one["reason"]) for one in answer["why"]] == [(1, "supply"), (2, "drain")]
    assert "g1" in answer["why"][0]["message"]
    assert answer["order"]["number"]
    assert any("v1" in text for text in answer["order"]["steps"])
    stuck = run("isolate", "--at", "line:G2", "--seized", "v2")
    assert stuck["close"] == ["valve:v1"]
    assert run("isolate", "--at", "line:W1")["warnings"][0]["code"] == "tunnel.no_valves"
    wrong = run("trace", "--from", "compartment:T1-G2", "--steps", "-1", code=2)
    assert wrong["error"]["code"] == "tunnel.steps_wrong"
