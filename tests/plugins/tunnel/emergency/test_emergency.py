"""Leak, fire, flood and power failure against hand-made numbers; ways out; what is unknown is said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule, in_force, parse_rules
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.emergency.equipment import EQUIPMENT
from plugins.tunnel.model.emergency.flood import fill
from plugins.tunnel.model.emergency.leak import Mixed, outflow, pressure_mpa
from plugins.tunnel.model.emergency.replay import replay
from plugins.tunnel.model.emergency.scene import Scene, Values
from plugins.tunnel.model.network.spaces import load_spaces
from plugins.tunnel.model.space.tables import PLACEMENT
from tests.plugins.tunnel.network import station

FILE = Path(__file__).resolve().parents[4] / "plugins/tunnel/rules/emergency.toml"
RULES = in_force(parse_rules(FILE.read_text(encoding="utf-8"), FILE.name), date(2026, 1, 1))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as made:
        yield made


@pytest.fixture
def town(project: Project) -> Project:
    station.tunnels(project)
    station.pipes(project)
    return project


def when(scene: Scene, code: str, zone: str = "") -> float | None:
    """Second of an event."""
    found = [one.t for one in scene.timeline if one.code == f"tunnel.event_{code}" and (not zone or zone in one.spaces)]
    return found[0] if found else None


def assumed(scene: Scene) -> set[str]:
    return {code.removeprefix("tunnel.assumed_") for code, _ in scene.assumptions}


@pytest.mark.parametrize("n", [0.0, 0.001, 0.01])
def test_the_mixed_zone_solves_its_equation(n: float) -> None:
    zone, share = Mixed(1200.0, 0.08, n, 0.002), 0.002
    for _ in range(6_000):  # Heun's method, steps of 0.1 s
        slope = (zone.q - n * zone.volume * share) / zone.volume
        ahead = (zone.q - n * zone.volume * (share + 0.1 * slope)) / zone.volume
        share += 0.05 * (slope + ahead)
    assert zone.at(600.0) == pytest.approx(share, rel=1e-6)
    reached = zone.until(share)
    assert reached == pytest.approx(600.0, rel=1e-4)
    assert zone.until(zone.steady * 1.01 if n else -1.0) is None
    gone = Mixed(1200.0, 0.0, 0.005, 0.01)
    assert gone.until(0.005) == pytest.approx(math.log(2) / 0.005)


def test_gas_leaves_a_hole_as_the_formula_says() -> None:
    # Sonic flow of methane: A·p·sqrt(γM/RT)·(2/(γ+1))^((γ+1)/(2(γ−1))), by hand for 10 mm and 0.4 MPa.
    area, p, g = math.pi * 0.01**2 / 4, 0.4e6 + 101_325, 1.31
    mass = area * p * math.sqrt(g * 0.01604 / (8.314 * 293.15)) * (2 / (g + 1)) ** ((g + 1) / (2 * (g - 1)))
    assert outflow(0.01, 0.4e6) == pytest.approx(mass / 0.668, rel=1e-9)
    assert outflow(0.01, 0.4e6, 0.6) == pytest.approx(0.6 * mass / 0.668)
    assert 0 < outflow(0.01, 2_000) < outflow(0.01, 20_000)  # subsonic
    assert outflow(0.01, 0.0) == 0.0
    assert (pressure_mpa("中压A 0.4 MPa"), pressure_mpa("低压")) == (0.4, None)


def test_a_leak_runs_by_clause(town: Project) -> None:
    scene = replay(town, "leak", "compartment:T1-G2", RULES, rate=360.0)
    volume, n, lel = 1200.0, 6 / 3600, 0.05
    steady = 0.1 / (n * volume)
    alarm = -math.log(1 - 0.2 * lel / steady) / n
    assert when(scene, "alarm") == pytest.approx(alarm)
    accident = 0.1 / (12 / 3600 * volume)
    cut = alarm - math.log((0.25 * lel - accident) / (0.2 * lel - accident)) / (12 / 3600)
    assert when(scene, "cutoff") == pytest.approx(cut)
    assert when(scene, "shut") == pytest.approx(cut + 60)
    assert (when(scene, "clear") or 0) > cut + 60
    air = next(one for one in scene.timeline if one.code == "tunnel.event_accident_air")
    assert set(air.spaces) == {"T1-G1", "T1-G2", "T1-G3"}
    closed = {one.id: one.t for one in scene.equipment if one.kind == "valve"}
    assert closed == {"v1": pytest.approx(cut), "v2": pytest.approx(cut)}
    fans = {(one.zone, one.action, one.known) for one in scene.equipment if one.kind == "fan"}
    assert fans == {(zone, "start", False) for zone in ("T1-G1", "T1-G2", "T1-G3")}
    assert scene.timeline == sorted(scene.timeline, key=lambda one: one.t)
    cited = {rule.id.partition(".")[2]: rule.clause for rule in scene.values}
    assert (cited["gas_alarm"], cited["air_accident_gas"]) == ("7.5.8", "7.2.2")
    assert {"rate", "mixed", "equipment"} <= assumed(scene)


def test_a_small_leak_raises_nothing_and_another_compartment_has_fewer_air_changes(town: Project) -> None:
    small = replay(town, "leak", "T1-G2", RULES, rate=40.0)  # 40/3600/(2 m³/s) = 0.56 % vol = 11 %LEL
    assert (when(small, "alarm"), when(small, "cutoff")) == (None, None)
    assert when(small, "below_alarm") is not None
    middling = replay(town, "leak", "T1-G2", RULES, rate=150.0)
    assert when(middling, "alarm") is not None
    assert when(middling, "below_cutoff") is not None
    other = replay(town, "leak", "compartment:T1-Z1", RULES, rate=150.0)
    assert {rule.id for rule in other.values} >= {"emergency.air_normal", "emergency.air_accident"}


def test_a_leak_takes_its_rate_from_the_pipe(town: Project) -> None:
    scene = replay(town, "leak", "line:G2", RULES)
    q = scene.zones[0].figures["q_m3s"]
    assert q == pytest.approx(outflow(0.01, 0.4e6))
    assert {"hole_mm", "gas_mpa"} <= {rule.id.partition(".")[2] for rule in scene.values}
    with pytest.raises(PlannerError, match="emergency_not_gas"):
        replay(town, "leak", "line:W1", RULES)


def test_a_city_puts_its_own_values(town: Project) -> None:
    own = Rule("emergency.valve_s", "tunnel.emergency_value", "", "", {"value": 10}, city="滨海")
    scene = replay(town, "leak", "compartment:T1-G2", [own, *RULES], rate=360.0)
    assert (when(scene, "shut") or 0) - (when(scene, "cutoff") or 0) == pytest.approx(10)


def test_fire_stops_fans_and_nobody_walks_through_it(town: Project) -> None:
    scene = replay(town, "fire", "compartment:T1-Z2", RULES)
    stopped = {one.zone for one in scene.equipment if one.kind == "fan" and one.action == "stop"}
    assert stopped == {"T1-Z1", "T1-Z2", "T1-Z3", "T2-Z1"}
    doors = [one for one in scene.equipment if one.kind == "fire_door"]
    assert len(doors) == 2  # the shaft to T2 has no door
    ways = {one.zone: one for one in scene.exits}
    assert (ways["T1-Z1"].exit, ways["T1-Z1"].length) == ("E1", pytest.approx(80.0))
    assert (ways["T1-Z3"].exit, ways["T1-Z3"].seconds) == ("E2", pytest.approx(80.0))
    assert ways["T1-Z2"].length == pytest.approx(280.0)  # both exits are as far from its middle
    assert ways["T2-Z1"].exit == ""  # the only way out leads through the fire
    assert when(scene, "no_exit", "T2-Z1") == 0.0
    assert scene.closed == ("T1-Z2",)
    gas = replay(town, "fire", "compartment:T1-G1", RULES)
    assert {one.id for one in gas.equipment if one.kind == "valve"} == {"v1"}
    assert "exits" not in assumed(gas)  # openings without a compartment serve all


def test_a_way_out_leads_through_doors_that_open(town: Project) -> None:
    station.links(
        town,
        {"a": "T1-Z1", "b": "T1-Z2", "via": "door", "m": 200.0, "openable": False},
        {"a": "T1-Z2", "b": "T1-Z3", "via": "door", "m": 400.0, "openable": True},
        {"a": "T2-Z1", "b": "T1-Z2", "via": "shaft", "m": 0.0},
    )
    way = {one.zone: one for one in replay(town, "fire", "compartment:T1-Z1", RULES).exits}["T1-Z1"]
    assert (way.exit, way.length) == ("E1", pytest.approx(80.0))
    power = {one.zone: one for one in replay(town, "power", "compartment:T2-Z1", RULES).exits}["T2-Z1"]
    assert power.rooms == ("T2-Z1", "T1-Z2", "T1-Z3")
    assert power.length == pytest.approx(100 + 100 + 180)  # down T2, 300 → 400 m, 400 → 580 m
    assert power.path[-1] == pytest.approx((500_580.0, 3_400_000.0))


def test_water_is_neither_lost_nor_made(town: Project) -> None:
    spaces, values = load_spaces(town), Values(RULES)
    start = spaces.numbers["T1-Z1"]
    flood = fill(spaces, start, 0.25, {start: 0.02}, values)
    for step, t in enumerate(flood.t):
        stood = sum(volume[step] for volume in flood.volume.values())
        assert stood <= 0.25 * t + 1e-6
    stood = sum(volume[-1] for volume in flood.volume.values())
    pumped = flood.pumped - 0.02 * 20  # of the step after the last that is told
    assert stood + pumped == pytest.approx(0.25 * flood.t[-1], rel=0.01)
    # It runs down to the lowest zone first, and never through the gas compartment's walls.
    low, gas = spaces.numbers["T1-Z3"], spaces.numbers["T1-G1"]
    assert (flood.when(low, 0.3) or 1e9) < (flood.when(start, 0.3) or 1e9)
    assert max(flood.depth[gas]) == 0.0


def test_a_wedge_of_water_is_as_deep_as_by_hand(town: Project) -> None:
    """2 m wide, 200 m long, falling by 1 m: up to 1 m of depth V = depth² ÷ 2 × 200 × 2 at the lower end."""
    station.links(town, *({"a": f"T1-G{n}", "b": f"T1-G{n + 1}", "via": "wall"} for n in (1, 2)))
    spaces = load_spaces(town)
    start = spaces.numbers["T1-G2"]
    flood = fill(spaces, start, 0.05, {}, Values(RULES))
    for depth in (0.1, 0.3, 0.9):
        assert flood.when(start, depth) == pytest.approx(depth**2 * 200 / 0.05, abs=20 + 0.01 * depth * 4000)
    assert flood.depth[start][-1] == pytest.approx(0.5 + 0.05 * flood.t[-1] / 400, rel=0.01)


def test_a_sill_holds_water_until_it_is_reached(town: Project) -> None:
    station.links(town, {"a": "T1-Z2", "b": "T1-Z3", "via": "door", "m": 400.0, "sill_z": -1.0})
    spaces = load_spaces(town)
    two, three = spaces.numbers["T1-Z2"], spaces.numbers["T1-Z3"]
    flood = fill(spaces, two, 0.2, {}, Values(RULES))
    # Z2 falls from −1 to −2 m over 200 m, 4 m wide: below z = −1 it holds half of 1 m × 200 × 4 = 400 m³, 2,000 s.
    assert flood.when(three, 0.01) == pytest.approx(2_000, abs=60)
    assert flood.depth[two][int(2_400 / 20)] == pytest.approx(1.0, abs=0.03)
    pumped = fill(spaces, two, 0.2, {two: 0.2}, Values(RULES))
    assert pumped.when(three, 0.01) is None


def test_flood_tells_when_and_where(town: Project) -> None:
    scene = replay(town, "flood", "compartment:T1-Z2", RULES)
    states = {one.id: one.state for one in scene.zones}
    assert (states.pop("T1-Z2"), states.pop("T1-Z3")) == ("source", "flooded")
    assert set(states) == {"T1-Z1", "T2-Z1"}  # the surface rises back to them in four hours; gas stays dry
    assert {"burst", "no_pump", "doors_leak"} <= assumed(scene)
    rate = next(one for one in scene.timeline if one.code == "tunnel.event_inflow").params["rate"]
    assert rate == pytest.approx(math.pi * 0.3**2 / 4 * 2.5 * 3600, abs=1)
    assert when(scene, "deep", "T1-Z3") is not None
    with pytest.raises(PlannerError, match="emergency_rate"):
        replay(town, "flood", "compartment:T1-Z2", RULES, rate=-1)


def equipment(project: Project, *rows: dict[str, Any]) -> None:
    station.table(project, EQUIPMENT, *({"tunnel": "T1", "compartment": "综合", **row} for row in rows))


def test_power_is_traced_through_distribution(town: Project) -> None:
    equipment(
        town,
        {"code": "D1", "kind": "配电箱", "m": 100.0},
        {"code": "D2", "kind": "distribution", "m": 300.0, "fed_by": "D1"},
        {"code": "F1", "kind": "风机", "m": 150.0, "fed_by": "D1", "rated_m3h": 20_000.0},
        {"code": "F2", "kind": "fan", "m": 350.0, "fed_by": "D2"},
        {"code": "P9", "kind": "pump", "m": 500.0, "fed_by": "D9", "rated_m3h": 30.0},
    )
    scene = replay(town, "power", "equipment:D1", RULES)
    assert {one.id for one in scene.equipment} == {"D2", "F1", "F2"}
    assert {one.id for one in scene.zones} == {"T1-Z1", "T1-Z2"}
    assert when(scene, "no_air") == 0.0
    assert {one.id for one in replay(town, "power", "D2", RULES).equipment} == {"F2"}
    room = replay(town, "power", "compartment:T1-Z3", RULES)
    assert [one.id for one in room.equipment].count("P9") == 1
    assert {one.id for one in room.equipment} == {"P9"}
    assert "supply" in assumed(room)
    dark = replay(town, "power", "compartment:T1-Z1", RULES)  # the board in it feeds others
    assert {one.id for one in dark.equipment} == {"D1", "D2", "F1", "F2"}
    assert "supply" not in assumed(dark)
    leak = replay(town, "leak", "compartment:T1-Z1", RULES, rate=900.0)
    assert ("F1", True) in {(one.id, one.known) for one in leak.equipment}


def test_without_equipment_the_silent_sensors_are_told(town: Project) -> None:
    scene = replay(town, "power", "compartment:T1-G2", RULES)
    assert [one.id for one in scene.equipment if one.known] == ["CH4-300"]
    assert when(scene, "blind") == 3_600.0


def test_lines_that_are_in_no_network_have_their_place(project: Project) -> None:
    station.tunnels(project)  # no table of nodes
    station.table(
        project, PLACEMENT, {"line": "K1", "section": "T1-1", "compartment": "综合", "from_m": 0.0, "to_m": 200.0}
    )
    for at in ("line:K1", "K1"):
        scene = replay(project, "fire", at, RULES)
        assert (scene.zones[0].id, scene.zones[0].state) == ("T1-Z1", "source")
    with pytest.raises(PlannerError, match="emergency_unknown"):
        replay(project, "fire", "line:nix", RULES)


def test_what_cannot_be_replayed_is_said(project: Project) -> None:
    with pytest.raises(PlannerError, match="no_table"):
        replay(project, "fire", "compartment:x", RULES)
    station.pipes(project)
    with pytest.raises(PlannerError, match="no_spaces"):
        replay(project, "fire", "compartment:x", RULES)
    station.tunnels(project)
    for at, code in (
        ("compartment:x", "compartment_unknown"), ("x", "id_unknown"), ("equipment:x", "emergency_unknown"),
        ("line:G4", "emergency_outside"), ("sensor:LOST", "sensor_nowhere"),
    ):  # fmt: skip
        with pytest.raises(PlannerError, match=code):
            replay(project, "fire", at, RULES)


def test_the_verb(town: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town.close()

    def run(*words: str, code: int = 0) -> dict:
        assert run_verb(["tunnel", "emergency", str(tmp_path / "p.sqlite"), *words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    for kind in ("leak", "fire", "flood", "power"):
        said = run("--kind", kind, "--at", "T1-G2")
        assert {"timeline", "zones", "equipment", "exits", "assumptions", "label"} <= set(said)
        assert all(one["message"] and "{" not in one["message"] for one in (*said["timeline"], *said["assumptions"]))
        assert [one["t_s"] for one in said["timeline"]] == sorted(one["t_s"] for one in said["timeline"])
    assert run("--kind", "fire", "--at", "nix", code=2)["error"]["hint"]
