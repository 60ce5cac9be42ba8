"""``planner tunnel clearance`` on small towns whose distances are known by hand."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from scipy.spatial.distance import cdist

from planner_app.project import Project
from tests.plugins.tunnel.clearance.towns import E, N, add, at, box, layer, nodes, pipe, pipes, report, tunnel


@pytest.fixture
def town(tmp_path: Path):
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as project:
        yield project


@pytest.fixture
def judge(town: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def call(*arguments: object, code: int = 0) -> dict[str, Any]:
        return report(capsys, tmp_path / "p.sqlite", *arguments, code=code)

    return call


def pair_of(said: dict[str, Any], a: str, b: str) -> dict[str, Any]:
    return next(one for one in said["pairs"] if {one["a"], one["b"]} == {a, b})


def check_of(pair: dict[str, Any], direction: str) -> dict[str, Any]:
    return next(one for one in pair["checks"] if one["direction"] == direction)


def test_beside_crossing_collision_and_unknown_height(town: Project, judge) -> None:
    pipes(
        town,
        pipe("water", "JS", (0, 0, -1), (100, 0, -1)),
        pipe("sewer", "WS", (0, 0.9, -1.5), (100, 0.9, -1.5)),  # 0.7 m beside the water pipe: 1.0 m is needed
        pipe("gas", "RQ", (50, -20, -1.5), (50, -0.4, -1.5), rating="中压A"),  # 0.2 m short of the water pipe
        pipe("cable", "DL", (20, -20, -1.4), (20, 0.5, -1.4), laying="直埋", rating="10 kV"),  # 0.2 m under the water
        pipe("duct", "DX", (80, -20, -1.05), (80, 0.4, -1.05)),  # hits the water pipe
        pipe("old", "JS", (30, -20), (30, 0.5)),  # no height at all
        pipe("dead", "JS", (0, 0, -1), (100, 0, -1), status="abandoned"),
    )
    said = judge("--max", "1", code=1)
    pair = pair_of(said, "line:water", "line:sewer")
    assert (pair["plan_m"], pair["true_m"]) == pytest.approx((0.7, (0.9**2 + 0.5**2) ** 0.5 - 0.2))
    assert (pair["vertical_m"], pair["required_m"], pair["verdict"]) == (None, 1.0, "fail")
    assert (pair["standard"], pair["clause"], pair["edition"]) == ("GB 50289-2016", "table 4.1.9", "2016")
    assert (pair["confidence"], pair["evidence"], pair["blocking"], pair["borderline"]) == (
        "high",
        "found",
        True,
        False,
    )

    gas = pair_of(said, "line:water", "line:gas")
    assert gas["plan_m"] == pytest.approx(0.2)
    assert (gas["required_m"], gas["verdict"], gas["direction"], gas["blocking"]) == (0.5, "fail", "horizontal", False)

    cable = pair_of(said, "line:water", "line:cable")
    assert (cable["plan_m"], cable["vertical_m"], cable["true_m"]) == pytest.approx((0, 0.2, 0.2))
    assert [one["direction"] for one in cable["checks"]] == ["vertical"]  # a crossing is not "beside"
    assert (cable["required_m"], cable["verdict"], cable["rule"]) == (0.5, "fail", "clearance.v_power_direct_any")

    duct = pair_of(said, "line:water", "line:duct")
    assert duct["true_m"] == pytest.approx(-0.15)
    assert (duct["rule"], duct["verdict"], duct["blocking"]) == ("clearance.collision", "fail", True)
    assert duct["where"] == pytest.approx([E + 80, N])

    old = pair_of(said, "line:old", "line:water")
    assert (old["plan_m"], old["vertical_m"], old["true_m"]) == (0, None, None)
    assert old["verdict"] == "cannot_judge"  # never a pass
    assert not any("dead" in (one["a"] + one["b"]) for one in said["pairs"])
    assert {"tunnel.clearance_abandoned", "tunnel.clearance_no_height"} <= {one["code"] for one in said["warnings"]}
    assert said["pairs"][0]["blocking"]
    assert sum(said["counts"].values()) == len(said["pairs"])
    assert all("{" not in one["message"] and one["message"] != "" for one in said["pairs"] + said["warnings"])


def test_only_what_is_sure_blocks_and_the_limit_itself_passes(town: Project, judge) -> None:
    pipes(
        town,
        pipe("water", "JS", (0, 0, -1), (100, 0, -1), dn_mm=300, material="PE"),
        pipe("sewer", "WS", (0, 1.75, -1), (100, 1.75, -1)),  # 1.75 - 0.15 - 0.1 = 1.5, what d > 200 needs
        pipe("heat", "RL", (0, -1.2, -1), (100, -1.2, -1)),  # from memory: warns
    )
    said = judge("--max", "2.9")
    at_limit = pair_of(said, "line:water", "line:sewer")
    assert (at_limit["verdict"], at_limit["borderline"]) == ("pass", True)
    heat = pair_of(said, "line:water", "line:heat")
    assert (heat["verdict"], heat["blocking"], heat["evidence"], heat["required_m"]) == ("fail", False, "memory", 1.5)
    assert said["blocking"] == 0


@pytest.mark.parametrize(
    ("gap", "verdict", "required"), [(0.9, "fail", 1.0), (1.4, "cannot_judge", 2.0), (2.0, "pass", 2.0)]
)
def test_an_unknown_pressure_leaves_the_range_open(
    town: Project, judge, gap: float, verdict: str, required: float
) -> None:
    pipes(
        town,
        pipe("sewer", "WS", (0, 0, -1), (9, 0, -1)),
        pipe("gas", "RQ", (0, gap + 0.2, -1), (9, gap + 0.2, -1)),
    )
    pair = judge(code=1 if verdict == "fail" else 0)["pairs"][0]
    assert (pair["verdict"], pair["required_m"]) == (verdict, required)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_a_town_are_those_of_shapely(town: Project, judge, seed: int) -> None:
    """Which pairs there are and their distance in plan, by shapely on whole lines; in space by a dense sampling."""
    rng = np.random.default_rng(seed)
    starts = np.column_stack([rng.uniform(0, 150, (60, 2)), rng.uniform(-5, -1, 60)])
    courses = [start + np.cumsum(rng.normal(0, (6, 6, 0.1), (5, 3)), axis=0) for start in starts]
    dn = rng.choice([100, 300, 800], 60)
    kinds = rng.choice(["JS", "WS", "RQ", "DL", "TX", "RL"], 60)
    pipes(town, *[pipe(str(n), kinds[n], *courses[n].tolist(), dn_mm=int(dn[n])) for n in range(60)])
    said = judge("--max", "4", code=1)
    found = {tuple(sorted((int(one["a"][5:]), int(one["b"][5:])))): one for one in said["pairs"]}
    flat = [shapely.linestrings(course[:, :2]) for course in courses]
    t = np.linspace(0, 1, 200)[:, None]
    dense = [np.concatenate([a + t * (b - a) for a, b in itertools.pairwise(course)]) for course in courses]
    expected = {}
    for i, j in itertools.combinations(range(60), 2):
        radii = (dn[i] + dn[j]) / 2000
        gap = max(shapely.distance(flat[i], flat[j]) - radii, 0.0)
        if gap <= 4:
            expected[i, j] = (gap, float(cdist(dense[i], dense[j]).min()) - radii)
    assert set(found) == set(expected)
    for key, (plan, true) in expected.items():
        assert found[key]["plan_m"] == pytest.approx(plan, abs=1e-6)
        assert true - 0.1 <= found[key]["true_m"] <= true + 1e-6
        assert (found[key]["rule"] == "clearance.collision") == (found[key]["true_m"] < -0.0005)


def test_lines_that_run_over_each_other_are_not_crossing(town: Project, judge) -> None:
    pipes(town, pipe("w", "JS", (0, 0, -1), (99, 0, -1)), pipe("s", "WS", (0, 0, -3), (99, 0.3, -3)))
    pair = judge(code=1)["pairs"][0]
    assert (check_of(pair, "horizontal")["measured_m"], check_of(pair, "horizontal")["verdict"]) == (0, "fail")
    assert check_of(pair, "vertical")["verdict"] == "pass"


def test_a_crossing_elsewhere_does_not_hide_a_stretch_beside(town: Project, judge) -> None:
    """A bent sewer crosses the water pipe with room enough and then follows it 0.5 m away."""
    pipes(
        town,
        pipe("w", "JS", (0, 0, -1), (100, 0, -1)),
        pipe("s", "WS", (10, -9, -2), (10, 0.7, -2), (90, 0.7, -2)),
    )
    pair = judge(code=1)["pairs"][0]
    assert check_of(pair, "vertical")["verdict"] == "pass"
    assert check_of(pair, "horizontal")["measured_m"] == pytest.approx(0.5)
    assert pair["verdict"] == "fail"


def test_a_manhole_beside_a_crossing_is_no_run_beside(town: Project, judge) -> None:
    """A sewer that crosses a water pipe has a manhole 0.4 m before it: both its lines are judged by the crossing."""
    pipes(
        town,
        pipe("w", "JS", (0, 0, -1), (100, 0, -1)),
        pipe("s1", "WS", (10, -30, -2), (10, -0.4, -2), from_node="1", to_node="2"),
        pipe("s2", "WS", (10, -0.4, -2), (10, 30, -2), from_node="2", to_node="3"),
        pipe("end", "WS", (50, -30, -2), (50, -0.4, -2)),  # does not go on: it lies beside
        pipe("t1", "WS", (70, -9, -2), (70, 0.4, -2), from_node="7", to_node="8"),
        pipe("t2", "WS", (70, 0.4, -2), (90, 0.4, -2), from_node="8", to_node="9"),  # follows the water pipe
    )
    said = judge(code=1)
    verdicts = {one["b"][5:]: (one["direction"], one["verdict"]) for one in said["pairs"] if one["a"] == "line:w"}
    assert verdicts == {
        "s1": ("true", "pass"), "s2": ("vertical", "pass"), "end": ("horizontal", "fail"),
        "t1": ("vertical", "pass"), "t2": ("horizontal", "fail"),
    }  # fmt: skip


def test_what_is_joined_is_no_conflict(town: Project, judge) -> None:
    """Through a node, through a fitting, tapped into the middle; another network's pipe at the same place is one."""
    pipes(
        town,
        pipe("a", "JS", (0, 0, -1), (50, 0, -1), from_node="1", to_node="2"),
        pipe("fitting", "JS", (50, 0, -1), (50.1, 0, -1), from_node="2", to_node="3"),
        pipe("b", "JS", (50.1, 0, -1), (90, 0, -1), from_node="3", to_node="4"),
        pipe("branch", "JS", (20, 0, -1), (20, 30, -1), from_node="5", to_node="6"),
        pipe("stray", "RL", (30, 0, -1), (30, 30, -1)),
    )
    said = judge("--max", "0.5", code=1)
    assert [{one["a"], one["b"]} for one in said["pairs"]] == [{"line:a", "line:stray"}]
    note = next(one for one in said["warnings"] if one["code"] == "tunnel.clearance_joined")
    assert "2" in note["message"]  # a–b and a–branch


def test_heights_from_ends_depths_and_their_reference(town: Project, judge) -> None:
    """Every pipe crosses the first one, whose axis lies at 0. A store of lines with heights keeps 0 where
    a shape has none, so that 0 throughout a line says nothing by itself."""
    nodes(town, ("n1", "JS", 4.0), ("n2", "JS", 6.0))
    pipes(
        town,
        pipe("flat", "RL", (0, 0, 0), (100, 0, 0), z1=0.0, z2=0.0),
        pipe("ends", "JS", (10, -5), (10, 5), z1=-2.0, z2=0.0),
        pipe("depth", "JS", (20, -5), (20, 5), from_node="n1", to_node="n2", depth1=5.0, depth2=7.0),
        pipe("top", "JS", (30, -5, -1), (30, 5, -1), z_ref="管顶"),
        pipe("invert", "JS", (40, -5, -1), (40, 5, -1), z_ref="invert"),
        pipe("sewer", "WS", (50, -5, -1), (50, 5, -1), z_ref=None, material="混凝土"),
    )
    said = judge("--max", "0.5")
    gaps = {pair["b"] if pair["a"] == "line:flat" else pair["a"]: pair["vertical_m"] for pair in said["pairs"]}
    assert gaps == {
        "line:ends": pytest.approx(1 - 0.2),
        "line:depth": pytest.approx(1 - 0.2),
        "line:top": pytest.approx(1.1 - 0.2),
        "line:invert": pytest.approx(0.9 - 0.2),
        "line:sewer": pytest.approx(0.9 - 0.1 - 0.12),  # inner bottom by CJJ 61, walls of a concrete pipe
    }
    assert "tunnel.clearance_z_ref" in {one["code"] for one in said["warnings"]}


def test_an_unknown_diameter_can_fail_but_not_pass(town: Project, judge) -> None:
    pipes(
        town,
        pipe("s", "WS", (0, 0, -1), (9, 0, -1)),
        pipe("near", "DX", (0, 0.6, -1), (9, 0.6, -1), dn_mm=None),
        pipe("far", "DX", (0, -2.6, -1), (9, -2.6, -1), dn_mm=None),
    )
    said = judge(code=1)
    assert pair_of(said, "line:s", "line:near")["verdict"] == "fail"
    assert pair_of(said, "line:s", "line:far")["verdict"] == "cannot_judge"


def test_buildings_and_the_pipe_that_serves_one(town: Project, judge) -> None:
    pipes(
        town,
        pipe("past", "WS", (0, 0, -1), (100, 0, -1)),
        pipe("in", "WS", (20, -30, -1), (20, 5, -1)),
    )
    ref = add(town, layer("建筑", "polygon"), [(box(10, 2, 30, 12), {}), (box(60, 5, 70, 12), {})])
    said = judge("--max", "3", code=1)
    pair = pair_of(said, "line:past", f"{ref}/1")
    assert (pair["plan_m"], pair["required_m"], pair["verdict"], pair["blocking"]) == (
        pytest.approx(1.9), 2.5, "fail", True,
    )  # fmt: skip
    assert not any(one["a"] == "line:in" and one["b"].startswith(ref) for one in said["pairs"])
    assert "tunnel.clearance_serves" in {one["code"] for one in said["warnings"]}


def test_tunnels_their_own_lines_and_those_that_pass(town: Project, judge) -> None:
    """Outer faces 2 m beside the axis (1.65 m rooms and 0.35 m walls), floor at −5.35, top at −1.65."""
    tunnel(town, (0, 0, -5), (100, 0, -5))
    pipes(
        town,
        pipe("in1", "JS", (0, 1, -4), (50, 1, -4), laying="管廊", from_node="1", to_node="2"),
        pipe("in2", "DL", (0, 1, -4), (100, 1, -4), laying="管廊"),
        pipe("lateral", "JS", (50, 1, -4), (50, 40, -2), laying="直埋", from_node="2", to_node="3"),
        pipe("above", "JS", (20, -30, -1.4), (20, 30, -1.4)),
        pipe("beside", "JS", (0, -2.8, -3), (100, -2.8, -3)),
        pipe("through", "JS", (80, -30, -3), (80, 30, -3)),
    )
    said = judge("--max", "2", code=1)
    above, beside = (pair_of(said, f"line:{one}", "tunnel:T1") for one in ("above", "beside"))
    assert (above["plan_m"], above["vertical_m"], above["true_m"]) == pytest.approx((0, 0.15, 0.15))
    assert (above["required_m"], above["verdict"], above["clause"], above["blocking"]) == (0.5, "fail", "5.2.2", False)
    assert (beside["plan_m"], beside["true_m"]) == pytest.approx((0.7, 0.7))
    assert (beside["required_m"], beside["verdict"], beside["direction"]) == (1.0, "fail", "horizontal")
    through = pair_of(said, "line:through", "tunnel:T1")
    assert (through["rule"], through["true_m"]) == ("clearance.collision", pytest.approx(-1.45))
    named = {one[side] for one in said["pairs"] for side in "ab"}
    assert not named & {"line:in1", "line:in2", "line:lateral"}
    assert {"tunnel.clearance_inside", "tunnel.clearance_connected"} <= {one["code"] for one in said["warnings"]}


def test_a_line_leaves_a_tunnel_where_sections_meet_in_a_bend(town: Project, judge) -> None:
    tunnel(town, (0, 0, -5), (50.1, 3.3, -5), (90.7, 31.9, -4.7))
    pipes(
        town,
        pipe("in", "JS", (0, 0, -4), (50.1, 3.3, -4), laying="管廊", from_node="1", to_node="2"),
        pipe(
            "lateral",
            "JS",
            (50.1, 3.3, -4),
            (50.1, 3.3, -2),
            (60, -30, -2),
            (60, -30, -1),
            laying="直埋",
            from_node="2",
            to_node="3",
        ),
        pipe("inner", "TX", (50, 3.3, -3), (50.0, 3.3, -2.5)),
        pipe("outer", "TX", (60.5, -30, -2), (70, -30, -2)),
        pipe("beside", "TX", (51.0, -6, -2), (58, -6, -2)),
    )
    said = judge("--max", "9", code=1)
    assert {(one["a"], one["b"]) for one in said["pairs"]} == {
        ("line:lateral", "line:beside"),
        ("line:beside", "tunnel:T1"),
        ("line:lateral", "line:outer"),
        ("line:lateral", "line:inner"),
        ("line:inner", "tunnel:T1"),
    }
    assert pair_of(said, "line:lateral", "line:outer")["plan_m"] == pytest.approx(0.3)
    assert pair_of(said, "line:lateral", "line:inner")["plan_m"] > 1.5  # from the wall on, not from the pipe inside


def test_a_shield_tunnel_keeps_its_diameter(town: Project, judge) -> None:
    tunnel(town, (0, 0, -9), (100, 0, -9), method="盾构", half=1.65)
    pipes(town, pipe("w", "JS", (0, 5, -8), (100, 5, -8)))
    pair = judge()["pairs"][0]
    assert (pair["required_m"], pair["verdict"]) == (pytest.approx(4.0), "fail")


def test_a_pit_and_piles_against_pipes_and_tunnel(town: Project, judge) -> None:
    tunnel(town, (0, 0, -5), (100, 0, -5))
    nodes(town, ("n", "JS", 0.0))
    pipes(
        town,
        pipe("under", "WS", (0, 10, -6), (100, 10, -6)),
        pipe("hit", "JS", (0, 12, -2), (100, 12, -2)),
        pipe("off", "JS", (0, 60, -2), (100, 60, -2)),
    )
    ref = add(
        town, layer("某项目基坑", "polygon", name="text", depth="real"),
        [
            (box(40, 4, 60, 20), {"name": "1号", "depth": 5.0}),
            (box(80, 14, 90, 20), {"name": "2号", "depth": 3.0}),
            (box(0, 30, 9, 39), {"name": "远", "depth": 9.0}),
        ],
    )  # fmt: skip
    said = judge("--with", ref, "--max", "3", code=1)
    hit, under = pair_of(said, "line:hit", f"{ref}/1"), pair_of(said, "line:under", f"{ref}/1")
    assert (hit["verdict"], hit["rule"]) == ("fail", "clearance.collision")
    assert (under["vertical_m"], under["verdict"]) == (pytest.approx(0.9), "needs_certificate")
    beside = pair_of(said, "tunnel:T1", f"{ref}/1")
    assert (beside["plan_m"], beside["required_m"], beside["verdict"]) == (pytest.approx(2.0), 1.0, "pass")
    assert not any(one["a"].startswith("line:") and one["b"].startswith("line:") for one in said["pairs"])
    zones = {one["name"]: one for one in said["zones"]}
    assert set(zones) == {"1号", "2号"}
    one = zones["1号"]
    assert (one["zone"], one["distance_m"], one["depth_m"]) == ("protection", pytest.approx(2.0), 5.0)
    assert one["below_tunnel_m"] == pytest.approx(-0.35)  # the pit ends above the tunnel's lower face at −5.35
    assert (one["from_m"], one["to_m"]) == pytest.approx((40, 60))
    assert one["monitoring"]["points"][0]["m"] == pytest.approx(35)
    assert one["monitoring"]["points"][-1]["m"] == pytest.approx(65)
    assert all(
        b["m"] - a["m"] <= 5 + 1e-9
        for a, b in zip(one["monitoring"]["points"], one["monitoring"]["points"][1:], strict=False)
    )
    assert zones["2号"]["zone"] == "control"
    assert (one["evidence"], one["needs_evidence"]) == ("found", "memory")
    assert {"operator_consent", "safety_protection_plan"} <= {need["id"] for need in one["approvals"]}
    # Without --with the same works are found by the layer's name.
    assert {row["name"] for row in judge(code=0)["zones"]} == {"1号", "2号"}

    piles = add(
        town, layer("桩", "point", diameter="real", top_z="real", bottom_z="real"),
        [
            (shapely.points(E + 50, N + 61, 0), {"diameter": 0.8, "top_z": 0.0, "bottom_z": -20.0}),
            (shapely.points(E + 70, N + 0.5, 0), {"diameter": 0.8, "top_z": 0.0, "bottom_z": -1.0}),
        ],
    )  # fmt: skip
    said = judge("--with", piles)
    near = pair_of(said, "line:off", f"{piles}/1")
    assert (near["plan_m"], near["true_m"]) == pytest.approx((0.5, 0.5))
    over = pair_of(said, "tunnel:T1", f"{piles}/2")
    assert (over["vertical_m"], over["required_m"], over["verdict"]) == (pytest.approx(0.65), 0.5, "pass")


@pytest.mark.parametrize(("wall", "face"), [(None, 2.0), (0.6, 2.25), (600.0, 2.0)])
def test_zones_begin_at_the_outer_face_of_the_walls(town: Project, judge, wall: float | None, face: float) -> None:
    """Rooms 3.3 m wide: 1.65 m to the wall and what it is thick, as stated, else 0.35 m. What is round counts by its
    outer face as well."""
    tunnel(town, (0, 0, -5), (100, 0, -5), wall=wall)
    pits = [face + 2.99, face + 3.01, face + 14.99, face + 15.01]
    add(
        town, layer("基坑", "polygon", name="text", depth="real"),
        [(box(20 * n, y, 20 * n + 5, 40), {"name": f"pit{n}", "depth": 4.0}) for n, y in enumerate(pits)],
    )  # fmt: skip
    add(
        town, layer("施工桩", "point", name="text", diameter="real"),
        [(shapely.points(E + 30, N - face - y), {"name": f"pile{y}", "diameter": 1.2}) for y in (3.59, 3.61, 15.61)],
    )  # fmt: skip
    said = judge()
    zones = {one["name"]: (one["zone"], round(one["distance_m"], 3)) for one in said["zones"]}
    assert zones == {
        "pit0": ("protection", 2.99), "pit1": ("control", 3.01), "pit2": ("control", 14.99),
        "pile3.59": ("protection", 2.99), "pile3.61": ("control", 3.01),
    }  # fmt: skip
    assert {one["code"] for one in said["warnings"]} >= ({"tunnel.clearance_walls"} if face == 2.0 else set())
    pile = next(one for one in said["zones"] if one["name"] == "pile3.59")
    assert (pile["from_m"], pile["to_m"]) == pytest.approx((30, 30), abs=0.6)


def test_places_of_works_have_the_chainage_that_the_sections_state(town: Project, judge) -> None:
    """100 m on the ground are 110 m of chainage here, and the next 100 m start after a jump of chainage."""
    tunnel(town, (0, 0, -5), (100, 0, -5), (200, 0, -5), stations=(1000.0, 1110.0, 1200.0))
    add(
        town, layer("基坑", "polygon", name="text", depth="real"),
        [(box(40, 4, 60, 9), {"name": "a", "depth": 3.0}), (box(140, 4, 160, 9), {"name": "b", "depth": 3.0})],
    )  # fmt: skip
    zones = {one["name"]: one for one in judge()["zones"]}
    assert (zones["a"]["from_m"], zones["a"]["to_m"]) == pytest.approx((1044, 1066))
    assert (zones["b"]["from_m"], zones["b"]["to_m"]) == pytest.approx((1146, 1164))
    first = zones["a"]["monitoring"]["points"][0]
    assert (first["m"], first["x"]) == (pytest.approx(1039), pytest.approx(E + 39 / 1.1))


def test_planned_pipes_of_another_layer(town: Project, judge) -> None:
    pipes(town, pipe("w", "JS", (0, 0, -1), (100, 0, -1)))
    fields = {"code": "text", "kind_code": "text", "dn_mm": "integer", "material": "text", "z_ref": "text"}
    row = {"code": "p1", "kind_code": "WS", "dn_mm": 200, "material": "PE", "z_ref": "axis"}
    ref = add(town, layer("新管线", "line", **fields), [(at((0, 0.8, -1), (9, 0.8, -1)), row)])
    pair = judge("--with", "新管线", code=1)["pairs"][0]
    assert {pair["a"], pair["b"]} == {"line:w", f"{ref}/p1"}
    assert (pair["plan_m"], pair["required_m"]) == (pytest.approx(0.6), 1.0)


def test_a_planned_building_is_a_building(town: Project, judge) -> None:
    pipes(town, pipe("s", "WS", (0, 0, -1), (100, 0, -1)))
    ref = add(town, layer("拟建建筑", "polygon", storeys="integer"), [(box(10, 2, 30, 12), {"storeys": 18})])
    pair = judge("--with", ref, code=1)["pairs"][0]
    assert (pair["kind_b"], pair["required_m"], pair["blocking"]) == ("building", 2.5, True)
    assert not [one for one in judge()["pairs"] if ref in one["b"]]  # it does not stand yet


def test_limits_beyond_the_search_are_told(town: Project, judge) -> None:
    pipes(town, pipe("g", "RQ", (0, 0, -1), (100, 0, -1), rating="1.6 MPa"))
    add(town, layer("建筑", "polygon", code="text"), [(box(10, 8, 30, 12), {})])
    said = judge()
    assert said["pairs"] == []
    assert "13.5" in next(one["message"] for one in said["warnings"] if one["code"] == "tunnel.clearance_reach")
    assert not [one for one in judge("--with", "建筑", "--max", "13.6")["warnings"] if "reach" in one["code"]]
    wide = judge("--max", "15")
    assert (wide["pairs"][0]["verdict"], wide["pairs"][0]["required_m"]) == ("fail", 13.5)
    assert not [one for one in wide["warnings"] if one["code"] == "tunnel.clearance_reach"]


def test_odd_shapes_do_not_stop_a_report(town: Project, judge) -> None:
    """Points as lines, rings, several parts, shapes of nothing; layers without a row."""
    ring = shapely.linestrings([(E, N, -1), (E + 9, N, -1), (E + 9, N + 9, -1), (E, N, -1)])
    parts = shapely.multilinestrings([at((0, 5, -1), (9, 5, -1)), at((50, 0, -1), (50, 0, -1), (59, 0, -1))])
    rows = [
        (ring, {"code": "ring", "kind_code": "JS"}),
        (parts, {"code": "parts", "kind_code": "WS", "dn_mm": 300, "material": "混凝土"}),
        (at((5, 5, -1), (5, 5, -1)), {"code": "dot", "kind_code": "RQ"}),
        (at((5, 5, -1), (5, 5, -4)), {"code": "riser", "kind_code": "RQ", "dn_mm": 100}),
        (None, {"code": "none", "kind_code": "RQ"}),
    ]
    pipes(town, *rows)
    empty = add(town, layer("空", "polygon", code="text"), [])
    said = judge(code=1)
    riser = pair_of(said, "line:parts", "line:riser")
    assert riser["true_m"] < 0
    codes = {one["code"] for one in said["warnings"]}
    assert {"tunnel.clearance_no_geometry", "tunnel.clearance_no_size"} <= codes
    assert judge("--with", empty)["pairs"] == []


def test_an_empty_layer_of_pipes_has_no_pairs(town: Project, judge) -> None:
    pipes(town)
    add(town, layer("建筑", "polygon", code="text"), [(box(10, 8, 30, 12), {})])
    assert judge()["pairs"] == []


def test_bad_input_is_said(town: Project, judge) -> None:
    assert judge(code=2)["error"]["code"] == "tunnel.no_table"
    pipes(town, pipe("w", "JS", (0, 0, -1), (100, 0, -1)))
    table = add(town, layer("表", "none", a="text"), [(None, {"a": "x"})])
    for arguments, code in (
        (("--max", "nan"), "tunnel.reach_wrong"),
        (("--max", "0"), "tunnel.reach_wrong"),
        (("--on", "morgen"), "tunnel.day_wrong"),
        (("--with", table), "tunnel.layer_without_shapes"),
    ):
        error = judge(*arguments, code=2)["error"]
        assert error["code"] == code
        assert error["message"]
        assert error["hint"]
    assert judge()["pairs"] == []


def test_rules_count_from_their_day(town: Project, judge) -> None:
    pipes(town, pipe("w", "JS", (0, 0, -1), (9, 0, -1)), pipe("s", "WS", (0, 0.6, -1), (9, 0.6, -1)))
    assert judge(code=1)["pairs"][0]["verdict"] == "fail"
    assert judge("--on", "2010-01-01")["pairs"][0]["verdict"] == "cannot_judge"
