"""Adopted pipes joined to the city's networks: proposed, joined as one step, traced and isolated through the joint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from planner_app.domain.layer import NewLayer
from planner_app.plugin_api.model import Batch
from planner_app.project import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets.joining import propose
from plugins.tunnel.model.assets.status import history
from plugins.tunnel.model.assets.weaving import JoinPipes
from plugins.tunnel.model.network.isolation import Segments
from plugins.tunnel.model.network.project_network import load_network
from tests.helpers.project_files import assert_whole

X, Y = 500_000.0, 3_400_000.0


def fill(project: Project, spec: tables.TableSpec, rows: list[dict[str, Any]]) -> None:
    wkb = [
        shapely.to_wkb(shapely.transform(row["at"], lambda xy: np.add(xy, (X, Y)))) if row.get("at") else None
        for row in rows
    ]
    columns = {info.name: [row.get(info.name) for row in rows] for info in spec.fields}
    new = NewLayer(spec.name, spec.geometry, spec.fields, role=spec.role, label_field=spec.label_field)
    project.add_layer(new, [Batch(wkb, columns)])


def line(code: str, network: str, a: str, b: str, *xy: tuple[float, float], **cells: Any) -> dict[str, Any]:
    row = {"code": code, "network": network, "from_node": a, "to_node": b, "at": shapely.LineString(xy)}
    return row | {"kind_code": "JS", "status": "in_use", "length_m": row["at"].length} | cells


def node(code: str, network: str, x: float, y: float, **cells: Any) -> dict[str, Any]:
    return {"code": code, "network": network, "at": shapely.Point(x, y)} | cells


def adopted(code: str, a: str, b: str, *xy: tuple[float, float], case: str = "GA-1", **cells: Any) -> dict[str, Any]:
    return line(code, case, a, b, *xy, source=f"review:{case}/{code}") | cells


def near_a_main(made: Project) -> None:
    """A water main from a source at 0 east to 200, valved at both ends of its second pipe; pipes of GA-1 from near its
    end north and from near its middle south, and a sewer that nothing is near."""
    fill(made, tables.NODE, [
        node("A", "城", 0, 0, source=True), node("B", "城", 100, 0), node("C", "城", 200, 0),
        node("A", "污", 0, 90), node("B", "污", 90, 90),
        node("P1", "GA-1", 200.4, 0.3), node("P2", "GA-1", 200, 80), node("P3", "GA-1", 150, -0.6),
        node("P4", "GA-1", 150, -50), node("P5", "GA-1", 30, 0.2), node("P6", "GA-1", 30, 40),
    ])  # fmt: skip
    fill(made, tables.LINE, [
        line("1", "城", "A", "B", (0, 0), (100, 0)),
        line("2", "城", "B", "C", (100, 0), (200, 0), z1=3.0, z2=1.0, length_m=104.0, dn_mm=300),
        line("1", "污", "A", "B", (0, 90), (90, 90), kind_code="WS"),
        adopted("GA-1-01", "P1", "P2", (200.4, 0.3), (200, 80)),
        adopted("GA-1-02", "P3", "P4", (150, -0.6), (150, -50)),
        adopted("GA-1-03", "P5", "P6", (30, 0.2), (30, 40), kind_code="WS", status="planned"),
    ])  # fmt: skip
    fill(made, tables.VALVE, [
        {"code": "V1", "network": "城", "line": "2", "node": "B", "at": shapely.Point(101, 0)},
        {"code": "V2", "network": "城", "line": "2", "node": "C", "at": shapely.Point(199, 0)},
    ])  # fmt: skip
    fill(made, tables.SERVICE, [
        {"code": "S1", "network": "城", "line": "2", "customer_count": 7, "at": shapely.Point(120, 5)},
        {"code": "S2", "network": "城", "line": "2", "customer_count": 5, "at": shapely.Point(180, 5)},
        {"code": "S3", "network": "GA-1", "node": "P2", "customer_count": 11, "at": shapely.Point(200, 80)},
    ])  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "city.sqlite", "EPSG:4549") as made:
        near_a_main(made)
        yield made


def rows_of(project: Project, spec: tables.TableSpec) -> dict[tuple[str, str], dict[str, Any]]:
    table = project.read(tables.need(project, spec).id)
    found = {}
    for fid, wkb, cells in zip(table.fids, table.geometry, zip(*table.columns.values(), strict=True), strict=True):
        row = dict(zip(table.columns, cells, strict=True)) | {"fid": int(fid), "shape": shapely.from_wkb(wkb)}
        found[(row["network"], row["code"])] = row
    return found


def test_what_could_be_joined_is_proposed_and_what_not_is_told(project: Project) -> None:
    found = propose(project)
    assert [(one.node[1], one.target_node, one.target_line, one.distance) for one in found.joins] == [
        ("P1", "C", "", 0.5), ("P3", "", "2", 0.6),
    ]  # fmt: skip
    left = {one.node[1]: (one.code, one.params) for one in found.left}
    assert set(left) == {"P2", "P4", "P5", "P6"}
    assert left["P6"] == ("tunnel.join_too_far", {"id": "1", "away": 50.0, "metres": 1.0})
    assert left["P5"][0] == "tunnel.join_nothing"  # a water main 0.2 m away is no sewer
    assert left["P4"] == ("tunnel.join_too_far", {"id": "2", "away": 50.0, "metres": 1.0})
    assert propose(project, tolerance=0.55).joins == found.joins[:1]
    assert propose(project, "GA-9").joins == ()


def test_before_the_joint_nothing_arrives_and_after_it_trace_and_isolation_go_through(project: Project) -> None:
    def answer(place: str) -> Any:
        network = load_network(project).network
        return network, Segments(network).isolate(*network.find(place))

    network, before = answer("GA-1-01")
    assert not Segments(network).supplied(~network.valve_open)[Segments(network).at(*network.find("GA-1-01"))].any()
    assert before.close == ()
    project.execute(JoinPipes(propose(project).joins, "小王"))
    network, after = answer("GA-1-01")
    assert after.close == ("V2",)
    assert after.customers == 11
    assert set(answer("GA-1-02")[1].close) == {"V1", "V2"}
    assert answer("V1")[1].customers >= 11  # everything behind it
    assert load_network(project).notes == ()
    assert_whole(project)


def test_a_line_that_is_cut_keeps_what_hangs_on_it(project: Project) -> None:
    before = rows_of(project, tables.LINE)
    project.execute(JoinPipes(propose(project).joins, "小王"))
    lines, nodes = rows_of(project, tables.LINE), rows_of(project, tables.NODE)
    first, rest = lines[("城", "2")], lines[("城", "2-2")]
    assert (first["from_node"], first["to_node"], rest["from_node"], rest["to_node"]) == ("B", "2-J", "2-J", "C")
    assert (first["z1"], first["z2"], rest["z1"], rest["z2"]) == (3.0, 2.0, 2.0, 1.0)
    assert (first["length_m"], rest["length_m"], rest["dn_mm"]) == (52.0, 52.0, 300)
    assert first["fid"] == before[("城", "2")]["fid"]
    assert (first["shape"].length, rest["shape"].length) == (50.0, 50.0)
    assert shapely.get_coordinates(nodes[("城", "2-J")]["shape"]).tolist() == [[X + 150, Y]]
    assert ("GA-1", "P3") not in nodes
    assert ("城", "P4") in nodes
    pipe = lines[("城", "GA-1-02")]
    assert (pipe["from_node"], pipe["to_node"]) == ("2-J", "P4")
    assert pipe["shape"].equals(before[("GA-1", "GA-1-02")]["shape"])  # measured is measured
    valves, services = rows_of(project, tables.VALVE), rows_of(project, tables.SERVICE)
    assert (valves[("城", "V1")]["line"], valves[("城", "V2")]["line"]) == ("2", "2-2")
    assert (services[("城", "S1")]["line"], services[("城", "S2")]["line"]) == ("2", "2-2")
    assert services[("城", "S3")]["node"] == "P2"
    layer = tables.need(project, tables.LINE).id
    assert len(history(project, layer, first["fid"])) == len(history(project, layer, rest["fid"])) == 1


def test_it_is_one_step_to_undo(project: Project) -> None:
    def dump() -> list[Any]:
        specs = (tables.LINE, tables.NODE, tables.VALVE, tables.SERVICE)
        return [
            {key: {**row, "shape": row["shape"].wkt} for key, row in rows_of(project, spec).items()} for spec in specs
        ]

    before, entries = dump(), len(project.log())
    project.execute(JoinPipes(propose(project).joins, "小王"))
    assert len(project.log()) == entries + 1
    after = dump()
    assert after != before
    assert propose(project).joins == ()
    project.undo()
    assert dump() == before
    project.redo()
    assert dump() == after


def test_one_network_only_and_two_cases_that_meet_become_one(tmp_path: Path) -> None:
    with Project.create(tmp_path / "two.sqlite", "EPSG:4549") as project:
        fill(project, tables.NODE, [
            node("A", "甲", 0, 0), node("B", "甲", 10, 0), node("A", "乙", 100, 0), node("B", "乙", 110, 0),
            node("P1", "GA-1", 10.1, 0), node("P2", "GA-1", 50, 0), node("P1", "GA-2", 50.2, 0),
            node("P2", "GA-2", 99.5, 0),
        ])  # fmt: skip
        fill(project, tables.LINE, [
            line("1", "甲", "A", "B", (0, 0), (10, 0)), line("1", "乙", "A", "B", (100, 0), (110, 0)),
            adopted("1", "P1", "P2", (10.1, 0), (50, 0)),
            adopted("1", "P1", "P2", (50.2, 0), (99.5, 0), case="GA-2"),
        ])  # fmt: skip
        for _ in range(3):
            if found := propose(project).joins:
                project.execute(JoinPipes(found, "x"))
        found = propose(project)
        assert found.joins == ()
        assert [one.code for one in found.left] == ["tunnel.join_other_network"]
        lines = rows_of(project, tables.LINE)
        assert {key[0] for key in lines} == {"甲", "乙"}
        assert len(lines) == 4  # codes that were taken got another
        assert load_network(project).notes == ()
        ends = {(net, row[side]) for (net, _), row in lines.items() for side in ("from_node", "to_node")}
        assert len(ends) == 6  # of eight
        assert_whole(project)


def test_lines_in_tunnels_and_planned_ones_are_not_cut(project: Project) -> None:
    from plugins.tunnel.model.space.tables import PLACEMENT

    fill(project, PLACEMENT, [{"line": "2", "section": "S", "from_m": 0.0, "to_m": 1.0}])
    reasons = {one.node[1]: one.code for one in propose(project).left}
    assert reasons["P3"] == "tunnel.join_in_tunnel"


def test_two_ends_on_one_line_cut_it_twice(project: Project) -> None:
    layer = tables.need(project, tables.LINE)
    nodes = tables.need(project, tables.NODE)

    class More(JoinPipes):
        def apply(self, tx: Any) -> None:
            point = [bytes(shapely.to_wkb(shapely.Point(X + x, Y + y))) for x, y in ((170, 0.4), (170, 40))]
            tx.insert(nodes.id, Batch(point, {"code": ["P7", "P8"], "network": ["GA-1", "GA-1"]}))
            wkb = bytes(shapely.to_wkb(shapely.LineString([(X + 170, Y + 0.4), (X + 170, Y + 40)])))
            tx.insert(layer.id, Batch([wkb], {
                "code": ["GA-1-04"], "network": ["GA-1"], "from_node": ["P7"], "to_node": ["P8"], "kind_code": ["JS"],
                "status": ["in_use"], "source": ["review:GA-1/GA-1-04"],
            }))  # fmt: skip

    project.execute(More((), "x"))
    project.execute(JoinPipes(propose(project).joins, "x"))
    its = [row for (net, code), row in rows_of(project, tables.LINE).items() if net == "城" and code.startswith("2")]
    assert sorted(round(row["shape"].length, 3) for row in its) == [20.0, 30.0, 50.0]
    assert load_network(project).notes == ()
    valves = rows_of(project, tables.VALVE)
    far = next(row for row in its if row["to_node"] == "C")
    assert valves[("城", "V2")]["line"] == far["code"]


def test_the_verb_proposes_joins_and_says_what_is_left(project: Project, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "city.sqlite"
    told = run("tunnel", "join", path, "--dry-run")
    assert (told["joined"], len(told["proposed"]), len(told["left"])) == ([], 2, 4)
    assert all(one["reason"] != one["code"] for one in told["left"])
    told = run("tunnel", "join", path, "--node", "P3", "--by", "小王")
    assert [(one["node"], one["cuts"], one["network"]) for one in told["joined"]] == [("P3", "2", "城")]
    assert run("tunnel", "join", path, "--tolerance", "99", code=2)["error"]["code"] == "tunnel.join_metres"


def test_adopting_says_what_could_be_joined(project: Project, run: Any, tmp_path: Path) -> None:
    told = run("tunnel", "adopt", tmp_path / "city.sqlite")
    assert (told["adopted"], [one["node"] for one in told["joins"]["proposed"]]) == ([], ["P1", "P3"])
