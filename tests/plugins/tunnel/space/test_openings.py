"""Openings and fire zones along a tunnel: every rule kept and broken by hand, what is not recorded never passed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from planner_app.domain.finding import Finding
from planner_app.domain.rule import parse_rules
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.space import tables as space
from plugins.tunnel.model.space.load import TunnelNode
from plugins.tunnel.model.space.openings import Along, Room, Zone, clear_width, judge_along

from .conftest import Run, fill, run_line

FILE = Path(__file__).resolve().parents[4] / "plugins/tunnel/rules/openings.toml"
RULES = parse_rules(FILE.read_text(encoding="utf-8"), FILE.name)
TODAY = date(2026, 1, 1)
BOTH = (Room("综合", 0, 1000, media=frozenset({"water"})), Room("电力", 0, 1000, media=frozenset({"power"})))


def room(*media: str, length: float = 1000.0) -> tuple[Room, ...]:
    return (Room("舱", 0.0, length, frozenset({"S1-A"}), frozenset(media)),)


def at(kind: str, *ms: float, named: str = "", size: str = "") -> tuple[TunnelNode, ...]:
    return tuple(TunnelNode(f"{kind}{m:g}", kind, m, 5.0, named, size, (m, 0.0)) for m in ms)


def judge(rule: str, rooms: tuple[Room, ...], *openings: TunnelNode, **more: Any) -> list[Finding]:
    along = Along("T", rooms, openings, **({"built": "GB 50838-2015"} | more))
    found = judge_along(along, RULES, today=TODAY)
    return [one for one in found if one.rule == f"openings.{rule}"]


FEED, ESCAPE = "投料口", "逃生口"
SPACING = [
    ("feed_spacing", room("water"), at(FEED, 150, 550, 900), ["pass"]),
    ("feed_spacing", room("water"), at(FEED, 150, 550.02, 900), ["fail"]),
    ("feed_spacing", room("water"), at(FEED, 150) + at("吊装口", 550, 900), ["pass"]),
    ("feed_spacing", room("water"), at(FEED, 100, 550) + at("逃生口", 300), ["fail", "needs_certificate"]),
    ("feed_spacing", room("water"), (), ["cannot_judge"]),
    ("feed_spacing", room("water", length=700), at(FEED, 350), ["pass"]),
    # None says where it leads: 450 m is too far for both compartments, whichever they lead to.
    ("feed_spacing", BOTH, at(FEED, 150, 600, 900), ["fail", "fail"]),
    ("feed_spacing", BOTH, at(FEED, 150, 550, 900), ["cannot_judge", "cannot_judge"]),
    ("feed_spacing", room("water"), at(FEED, 350), ["needs_certificate"]),
    ("escape_power", room("power"), at(ESCAPE, 100, 300, 500, 700, 900), ["pass"]),
    ("escape_power", room("power"), at(ESCAPE, 100, 300, 501, 700, 900), ["fail"]),
    ("escape_power", room("power"), at(ESCAPE, 100, 300, 700, 900) + at("人员出入口", 500), ["pass"]),
    ("escape_power", room("water"), at(ESCAPE, 100), []),
    ("escape_gas", room("gas"), at(ESCAPE, 100, 300, 500, 700, 900), ["pass"]),
    ("escape_gas", room("gas"), at(ESCAPE, 100, 300, 500, 900), ["fail"]),
    ("escape_steam", room("steam", length=250), at(ESCAPE, 75, 175), ["pass"]),
    ("escape_steam", room("steam", length=250), at(ESCAPE, 75, 176), ["fail"]),
    ("escape_steam", room("heat", length=250), at(ESCAPE, 75, 200), ["cannot_judge"]),
    ("escape_steam", room("heat", length=250), at(ESCAPE, 75, 170), []),
    ("escape_steam", room("hot_water"), at(ESCAPE, 75, 475), []),
    ("escape_heat", room("hot_water"), at(ESCAPE, 200, 600, 900), ["pass"]),
    ("escape_heat", room("heat"), at(ESCAPE, 200, 601, 900), ["fail"]),
    ("escape_other", room("water"), at(ESCAPE, 200, 600, 900), ["pass"]),
    ("escape_other", room("telecom"), at(ESCAPE, 200, 601, 900), ["fail"]),
    ("escape_other", room("water", "power"), at(ESCAPE, 200, 601, 900), []),
]


@pytest.mark.parametrize(("rule", "rooms", "openings", "wanted"), SPACING)
def test_spacing(rule: str, rooms: tuple[Room, ...], openings: tuple[TunnelNode, ...], wanted: list[str]) -> None:
    assert [one.verdict.value for one in judge(rule, rooms, *openings)] == wanted


def test_a_gap_says_where_it_is_and_warns_only() -> None:
    (gap,) = judge("feed_spacing", room("water", length=900), *at(FEED, 154, 539, 1309 - 500))
    assert gap.verdict == "pass"
    (gap,) = judge("feed_spacing", room("water", length=1400), *at(FEED, 154, 539, 1309))
    assert (gap.measured, gap.limit, gap.clause) == (770, 400, "5.4.5")
    assert gap.params is not None
    assert (gap.params["from_m"], gap.params["to_m"]) == (539, 1309)
    assert not gap.blocking  # 宜


def test_openings_lead_to_the_compartment_they_name() -> None:
    own = at(ESCAPE, 100, 300, 500, 700, 900, named="电力")
    assert [one.verdict for one in judge("escape_power", BOTH, *own)] == ["pass"]
    assert [one.verdict for one in judge("escape_other", BOTH, *own)] == ["cannot_judge"]  # none of its own
    unnamed = at(ESCAPE, 100, 300, 500, 700, 900)
    assert [one.message for one in judge("escape_power", BOTH, *unnamed)] == ["tunnel.along.room_unknown"]
    some = at(ESCAPE, 100, 300, 700, 900, named="电力")
    assert [one.verdict for one in judge("escape_power", BOTH, *some)] == ["fail"]
    assert [one.verdict for one in judge("escape_power", BOTH, *some, *at(ESCAPE, 500))] == ["cannot_judge"]
    by_code = at(ESCAPE, 100, 300, 500, 700, 900, named="S1-A")
    assert [one.verdict for one in judge("escape_power", room("power"), *by_code)] == ["pass"]


def test_entrances() -> None:
    assert [one.verdict for one in judge("entrances", room("water"), *at("人员出入口", 100, 900))] == ["pass"]
    (one,) = judge("entrances", room("water"), *at("人员出入口", 100))
    assert (one.verdict, one.blocking) == ("fail", True)
    assert [one.verdict for one in judge("entrances", room("water"))] == ["cannot_judge"]


def test_gas_exhausts_stand_apart() -> None:
    rooms = (Room("燃气", 0, 1000, media=frozenset({"gas"})), *BOTH)
    exhaust = at("通风口排", 100, named="燃气")
    (far,) = judge("gas_exhaust", rooms, *exhaust, *at("通风口进", 110, named="综合"))
    assert (far.verdict, far.measured) == ("pass", 10)
    (near,) = judge("gas_exhaust", rooms, *exhaust, *at("人员出入口", 109.9, named="综合"))
    assert (near.verdict, near.blocking) == ("fail", True)
    assert judge("gas_exhaust", rooms, *exhaust, *at("通风口排", 105, named="燃气")) == []  # its own
    assert [one.verdict for one in judge("gas_exhaust", rooms, *at("通风口排", 100, named="综合"))] == ["cannot_judge"]
    lost = TunnelNode("X", "通风口进", 105, compartment="综合")
    assert [one.verdict for one in judge("gas_exhaust", rooms, *exhaust, lost)] == ["cannot_judge"]
    assert judge("gas_exhaust", BOTH, *at("通风口排", 100, named="综合")) == []


@pytest.mark.parametrize(
    ("size", "wanted"), [("φ1.0", 1.0), ("1.2×7.0", 1.2), ("Φ800", 0.8), ("1200x1000", 1.0), ("—", None), ("", None)]
)
def test_clear_sizes(size: str, wanted: float | None) -> None:
    assert clear_width(size) == wanted
    verdict = "cannot_judge" if wanted is None else "pass" if wanted >= 1 else "fail"
    (one,) = judge("escape_size", room("water"), *at(ESCAPE, 10, size=size))
    assert one.verdict == verdict


def test_fire_zones_by_edition() -> None:
    def verdicts(*zones: Zone, media: str = "power", **more: Any) -> list[str]:
        return [one.verdict.value for one in judge("fire_zone", room(media, length=400), zones=zones, **more)]

    good = (Zone("a", "舱", 0, 200), Zone("b", "", 200, 400))
    assert verdicts(*good) == ["pass"]
    assert verdicts(*good, media="water") == []
    assert verdicts(Zone("a", "舱", 0, 201), Zone("b", "舱", 201, 400)) == ["fail"]
    assert verdicts(good[0]) == ["cannot_judge"]
    assert verdicts(good[0], Zone("b", "别舱", 200, 400)) == ["cannot_judge"]
    assert verdicts(Zone("a", "舱", 0, 400), built="GB/T 50838-2015 (2024)") == []  # deleted there


def test_editions_without_rules_and_tunnels_without_compartments() -> None:
    (one,) = judge_along(Along("T", room("water"), at(FEED, 1), built="GB 50838-2012"), RULES, today=TODAY)
    assert (one.verdict, one.message) == ("cannot_judge", "tunnel.along.no_rules")
    found = judge_along(Along("T", (), at(FEED, 1, 900), built="GB 50838-2015"), RULES, today=TODAY)
    assert "tunnel.along.no_rooms" in [one.message for one in found]
    assert not [one for one in found if one.rule == "openings.feed_spacing"]


def test_along_a_tunnel_of_a_project(run: Run, tunnel: Path, tmp_path: Path) -> None:
    with Project.open(tunnel) as project:
        zones = [{"code": "F1", "tunnel": "T1", "compartment": "燃气", "from_m": 0.0, "to_m": 200.0,
                  "wkt": run_line([(0, 0), (200, 0)])}]  # fmt: skip
        fill(project, space.FIRE_ZONE, zones)
    done = run("tunnel", "profile", tunnel, "--tunnel", "T1", "--out", tmp_path / "p.svg")
    verdicts = {(one["rule"], one["feature"]): one["verdict"] for one in done["findings"]}
    # Two compartments, one opening that names neither; the cables in 综合 make its escape rule that of power.
    assert verdicts["openings.feed_spacing", "T1 综合"] == "cannot_judge"
    assert verdicts["openings.escape_power", "T1 综合"] == "cannot_judge"
    assert verdicts["openings.fire_zone", "T1 燃气"] == "pass"
    assert verdicts["openings.fire_zone", "T1 综合"] == "cannot_judge"
    part = run("tunnel", "profile", tunnel, "--tunnel", "T1", "--from", "0", "--to", "50")
    assert {one["rule"] for one in part["findings"]} <= {one["rule"] for one in done["findings"]}
    path = run("tunnel", "profile", tunnel, "--from", "node:A", "--to", "node:C")
    assert path["findings"] == []
