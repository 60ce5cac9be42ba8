"""Isolation and tracing equal a plain search by NetworkX, on real networks and on hostile random ones."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.network import isolation
from plugins.tunnel.model.network.isolation import Segments
from plugins.tunnel.model.network.network import Network
from plugins.tunnel.model.network.trace import Tracer
from tests.plugins.tunnel.network.graphs import Plain, plain_trace, random_network, with_valves

#: Places asked about on each real network.
PLACES = 200 if os.environ.get("PLANNER_SOAK") else 25


def same_isolation(net: Network, segments: Segments, plain: Plain, kind: str, number: int, seized: set[int]) -> None:
    answer = segments.isolate(kind, number, [net.valve_ids[v] for v in seized], alternatives=False)
    truth = plain.isolation(kind, number, seized)
    assert {net.valve_number[v] for v in answer.close} == truth["close"]
    assert {net.node_number[n] for n in answer.nodes} == truth["nodes"]
    assert {net.line_number[n] for n in answer.lines} == truth["lines"]
    assert {net.node_number[n] for n in answer.cut_off} == truth["cut_off"]
    assert set(answer.unserved) == {net.service_ids[n] for n in truth["unserved"]}
    assert answer.customers == sum(int(net.service_customers[n]) for n in truth["unserved"])
    assert set(answer.critical) == {net.service_ids[n] for n in truth["unserved"] if net.service_critical[n]}


@pytest.mark.parametrize("seed", range(25))
def test_isolation_on_random_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_network(rng, 40, int(rng.integers(20, 80)), int(rng.integers(0, 60)), int(rng.integers(1, 4)))
    segments, plain = Segments(net), Plain(net)
    for _ in range(12):
        kind = str(rng.choice(["node", "line"]))
        number = int(rng.integers(0, len(net.node_ids if kind == "node" else net.line_ids)))
        valves = len(net.valve_ids)
        seized = {int(v) for v in rng.integers(0, valves, int(rng.integers(0, 3)))} if valves else set()
        same_isolation(net, segments, plain, kind, number, seized)


@pytest.mark.parametrize("seed", range(15))
def test_traces_on_random_networks(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    net = random_network(rng, 40, int(rng.integers(20, 70)), int(rng.integers(0, 40)), 2)
    tracer = Tracer(net)
    for direction in ("up", "down", "both"):
        for _ in range(8):
            kind = str(rng.choice(["node", "line"]))
            number = int(rng.integers(0, len(net.node_ids if kind == "node" else net.line_ids)))
            found = tracer.trace(kind, number, direction)
            nodes, lines = plain_trace(net, kind, number, direction)
            assert set(found.nodes.tolist()) == nodes
            assert set(found.lines.tolist()) == lines
            assert found.length_m == pytest.approx(float(net.length[sorted(lines)].sum()))


@pytest.mark.parametrize("seed", range(6))
def test_long_ways_of_supply_are_judged_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past so many segments the whole network is searched instead of what is fed through the dry part."""
    monkeypatch.setattr(isolation, "_LEVELS", seed % 3)
    net = random_network(np.random.default_rng(seed), 60, 75, 90, 2)
    segments, plain = Segments(net), Plain(net)
    for number in range(0, 60, 3):
        same_isolation(net, segments, plain, "node", number, set())


@pytest.mark.parametrize("seed", range(12))
def test_a_valve_that_shuts_several_lines_of_a_node_parts_them_all(seed: int) -> None:
    """Closing it for one of them takes the supply of those fed from another of them through the node."""
    net = random_network(np.random.default_rng(seed), 25, 35, 40, 2)
    _, first = np.unique(net.place_node, return_index=True)
    one_each = first[np.searchsorted(net.place_node[first], net.place_node)]  # the first valve of a node stands for all
    net = dataclasses.replace(net, place_valve=net.place_valve[one_each])
    segments, plain = Segments(net), Plain(net)
    for number in range(len(net.node_ids)):
        same_isolation(net, segments, plain, "node", number, set())
    for number in range(len(net.line_ids)):
        same_isolation(net, segments, plain, "line", number, set())


def test_a_valve_point_between_two_lines_is_one_valve() -> None:
    """As surveys draw it, a point that both lines end at: no customer is without there, and supply stands behind it."""
    net = dataclasses.replace(
        line_of_nodes(),
        valve_ids=["V"],
        place_valve=np.array([0, 0], np.int32),
        place_line=np.array([0, 1], np.int32),
        place_node=np.array([1, 1], np.int32),
        valve_open=np.ones(1, bool),
        valve_operable=np.ones(1, bool),
        service_node=np.array([3, -1, 3], np.int32),
    )
    answer = Segments(net).isolate("line", 1)
    assert (answer.close, answer.feeding, answer.cut_off) == (("V",), 1, ())
    assert (answer.nodes, answer.customers) == (("C", "D"), 14)


def test_a_valve_on_shut_lines_only_asks_for_what_it_sits_on() -> None:
    net = dataclasses.replace(line_of_nodes(), passable=np.array([True, True, False]))
    answer = Segments(net).isolate("valve", 2)
    assert (answer.nodes, answer.lines, answer.close) == (("D",), (), ())


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "nodes"), [("Net3", 97), ("ky4", 964), ("ky10", 935), ("Net6", 3_356), ("Net6", 12_527)]
)
def test_real_networks(name: str, nodes: int, data_dir: Path) -> None:
    """Lines and nodes at random; in every other place valves that would have to be closed are seized."""
    rng = np.random.default_rng(7)
    path = data_dir / "water_networks" / f"{name}.inp"
    net = with_valves(path, rng, copies_to=nodes if nodes == 12_527 else 0)
    assert len(net.node_ids) == nodes
    segments, tracer, plain = Segments(net), Tracer(net), Plain(net)
    seized_met = 0
    for place in range(PLACES):
        kind = ("node", "line")[int(rng.integers(0, 2))]
        number = int(rng.integers(0, len(net.node_ids if kind == "node" else net.line_ids)))
        seized: set[int] = set()
        if place % 2:
            near = sorted(plain.isolation(kind, number, set())["close"])
            seized = {int(one) for one in rng.choice(near, min(len(near), 2), replace=False)} if near else set()
            seized_met += bool(seized)
        same_isolation(net, segments, plain, kind, number, seized)
        for direction in ("up", "down", "both"):
            found = tracer.trace(kind, number, direction)  # type: ignore[arg-type]
            assert (set(found.nodes.tolist()), set(found.lines.tolist())) == plain_trace(net, kind, number, direction)
    assert seized_met > PLACES // 4


def line_of_nodes() -> Network:
    """Source A –1– B –2– C –3– D with valves on both sides of B and one before D, C serves a hospital."""
    return Network(
        node_ids=["A", "B", "C", "D"],
        line_ids=["1", "2", "3"],
        start=np.array([0, 1, 2], np.int32),
        end=np.array([1, 2, 3], np.int32),
        length=np.array([10.0, 20.0, 30.0]),
        source=np.array([True, False, False, False]),
        passable=np.ones(3, bool),
        valve_ids=["left", "right", "last"],
        place_valve=np.array([0, 1, 2], np.int32),
        place_line=np.array([0, 1, 2], np.int32),
        place_node=np.array([1, 1, 3], np.int32),
        valve_open=np.ones(3, bool),
        valve_operable=np.ones(3, bool),
        service_ids=["house", "hospital", "shop"],
        service_node=np.array([1, -1, 3], np.int32),
        service_line=np.array([-1, 1, -1], np.int32),
        service_customers=np.array([5, 7, 2]),
        service_critical=np.array([False, True, False]),
    )


def test_an_answer_explains_itself() -> None:
    answer = Segments(line_of_nodes()).isolate("node", 1)
    assert answer.close == ("left", "right")  # supply side first
    assert (answer.nodes, answer.lines) == (("B",), ())
    assert (answer.cut_off, answer.cut_off_lines) == (("C", "D"), ("2", "3"))
    assert (answer.customers, answer.critical, answer.open_ends) == (14, ("hospital",), False)
    seized = {one.valve: one for one in answer.alternatives if one.reason == "seized"}
    assert seized["right"].close == ("left", "last")
    assert seized["left"].close == ("right",)  # and the source runs dry with it: see open_ends


def test_a_seized_valve_lets_the_next_segment_in() -> None:
    answer = Segments(line_of_nodes()).isolate("node", 1, ["valve:right"])
    assert answer.close == ("left", "last")
    assert answer.seized == ("right",)
    assert answer.nodes == ("B", "C")
    assert answer.cut_off == ("D",)


def test_a_source_inside_is_said() -> None:
    answer = Segments(line_of_nodes()).isolate("line", 0)
    assert answer.open_ends
    assert answer.close == ("left",)


def test_ids_of_several_kinds() -> None:
    net = random_network(np.random.default_rng(1), 5, 5, 3, 1)
    with pytest.raises(PlannerError, match="id_ambiguous"):
        net.find("N1")
    assert net.find("line:N1") == ("line", 1)
    assert net.find("V0") == ("valve", 0)
    with pytest.raises(PlannerError, match="id_unknown"):
        net.find("node:nowhere")
