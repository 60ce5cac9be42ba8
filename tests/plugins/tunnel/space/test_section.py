"""Cross sections judged: every rule kept and broken by hand-made sections, and what is unknown never passed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import parse_rules
from plugins.tunnel.model.space.edition import edition_day
from plugins.tunnel.model.space.judge import judge_section
from plugins.tunnel.model.space.kinds import line_kind, voltage_kv
from plugins.tunnel.model.space.section import Compartment, Placement, Section, Support, aisle

RULES_FILE = Path(__file__).resolve().parents[4] / "plugins/tunnel/rules/sections.toml"
RULES = parse_rules(RULES_FILE.read_text(encoding="utf-8"), RULES_FILE.name)
TODAY = date(2026, 1, 1)


def box(left: float, right: float, height: float = 3.0) -> tuple[tuple[tuple[float, float], ...], ...]:
    return (((left, 0.0), (left, height), (right, height), (right, 0.0)),)


def line(fid: int, kind: str, x: float | None, y: float | None, d: float | None = 0.3, **more) -> Placement:
    return Placement(fid, f"L{fid}", kind, more.pop("room", "A"), x, y, d, **more)


def section(*placements: Placement, supports: tuple[Support, ...] = (), **more) -> Section:
    more = {"built": "GB 50838-2015", "at": (500_000.0, 3_000_000.0, -2.0)} | more
    rooms = more.pop("rooms", (Compartment("A", "综合", box(-2, 2)), Compartment("B", "燃气", box(2.3, 4.3))))
    return Section("S1", "T1", 100.0, 0.0, 500.0, rooms, supports, placements, **more)


def found(one: Section, rule: str) -> list[Finding]:
    return [finding for finding in judge_section(one, RULES, today=TODAY) if finding.rule == f"section.{rule}"]


def verdicts(one: Section, rule: str) -> list[str]:
    return [finding.verdict.value for finding in found(one, rule)]


LEFT, RIGHT = -1.6, 1.6
CASES = [
    ("gas_alone", [line(1, "gas", 3, 1, room="B")], ["pass"]),
    ("gas_alone", [line(1, "gas", LEFT, 1), line(2, "water", RIGHT, 1)], ["fail"]),
    ("gas_alone", [line(1, "gas", LEFT, 1), line(2, "unknown", RIGHT, 1)], ["cannot_judge"]),
    ("gas_alone", [line(1, "water", LEFT, 1)], []),
    ("steam_alone", [line(1, "steam", LEFT, 1)], ["pass"]),
    ("steam_alone", [line(1, "steam", LEFT, 1), line(2, "hot_water", RIGHT, 1)], ["fail"]),
    ("steam_alone", [line(1, "heat", LEFT, 1), line(2, "water", RIGHT, 1)], ["cannot_judge"]),
    ("heat_not_with_power", [line(1, "hot_water", LEFT, 1), line(2, "power", RIGHT, 1)], ["fail"]),
    ("heat_not_with_power", [line(1, "heat", LEFT, 1), line(2, "water", RIGHT, 1)], ["pass"]),
    ("heat_not_with_power", [line(1, "heat", LEFT, 1), line(2, "unknown", RIGHT, 1)], ["cannot_judge"]),
    ("high_voltage_side", [line(1, "power", RIGHT, 1, voltage_kv=110.0), line(2, "telecom", RIGHT, 2)], ["fail"]),
    ("high_voltage_side", [line(1, "power", LEFT, 1, voltage_kv=110.0), line(2, "telecom", RIGHT, 2)], ["pass"]),
    ("high_voltage_side", [line(1, "power", RIGHT, 1, voltage_kv=35.0), line(2, "telecom", RIGHT, 2)], []),
    ("high_voltage_side", [line(1, "power", RIGHT, 1), line(2, "telecom", RIGHT, 2)], ["cannot_judge"]),
    ("high_voltage_side", [line(1, "power", LEFT, 1), line(2, "telecom", RIGHT, 2)], ["pass"]),
    ("water_below_heat", [line(1, "water", LEFT, 0.5), line(2, "hot_water", LEFT, 1.5)], ["pass"]),
    ("water_below_heat", [line(1, "water", LEFT, 1.5), line(2, "hot_water", LEFT, 0.5)], ["fail"]),
    ("water_below_heat", [line(1, "water", LEFT, 1.5), line(2, "hot_water", RIGHT, 0.5)], []),
    ("water_below_heat", [line(1, "water", LEFT, None), line(2, "hot_water", LEFT, 0.5)], ["cannot_judge"]),
    ("separate_drainage", [line(1, "combined", LEFT, 0.5)], ["fail"]),
    ("separate_drainage", [line(1, "sewage", LEFT, 0.5)], ["pass"]),
    ("separate_drainage", [line(1, "drainage", LEFT, 0.5)], ["cannot_judge"]),
    ("sewage_at_floor", [line(1, "sewage", LEFT, 0.4)], ["pass"]),
    ("sewage_at_floor", [line(1, "sewage", LEFT, 1.5)], ["fail"]),
    ("sewage_at_floor", [line(1, "sewage", LEFT, 0.8), line(2, "water", LEFT, 0.3)], ["fail"]),
    ("sewage_at_floor", [line(1, "sewage", LEFT, None)], ["cannot_judge"]),
    ("inside", [line(1, "water", LEFT, 1)], ["pass"]),
    ("inside", [line(1, "water", -1.9, 1)], ["fail"]),
    ("inside", [line(1, "water", 9, 1, room="")], ["fail"]),
    ("inside", [line(1, "water", LEFT, 1, d=None)], ["cannot_judge"]),
    ("overlap", [line(1, "water", LEFT, 1), line(2, "water", LEFT, 1.3)], ["pass"]),
    ("overlap", [line(1, "water", LEFT, 1), line(2, "water", LEFT, 1.29)], ["fail"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "lines", "wanted"), CASES)
def test_a_rule_kept_broken_and_not_to_be_judged(rule: str, lines: list[Placement], wanted: list[str]) -> None:
    assert verdicts(section(*lines), rule) == wanted


def test_clauses_and_what_blocks() -> None:
    shared = section(line(1, "gas", LEFT, 1), line(2, "water", RIGHT, 1))
    (alone,) = found(shared, "gas_alone")
    assert (alone.standard, alone.clause, alone.edition, alone.blocking) == ("GB 50838-2015", "4.3.4", "2015", True)
    assert alone.evidence == {"type": "Point", "coordinates": [500_000.0, 3_000_000.0]}
    assert alone.params is not None
    assert alone.params["fids"] == [1, 2]
    (order,) = found(section(line(1, "water", LEFT, 1.5), line(2, "hot_water", LEFT, 0.5)), "water_below_heat")
    assert order.verdict is Verdict.FAIL
    assert not order.blocking  # 宜


@pytest.mark.parametrize(("height", "verdict"), [(2.4, "pass"), (2.39, "fail")])
def test_clear_height(height: float, verdict: str) -> None:
    one = section(rooms=(Compartment("A", "综合", box(-2, 2, height)),))
    assert verdicts(one, "clear_height") == [verdict]
    assert verdicts(section(rooms=(Compartment("A", "综合"),)), "clear_height") == ["cannot_judge"]


@pytest.mark.parametrize(
    ("width", "two", "verdict", "limit"),
    [(0.9, False, "pass", 0.9), (0.89, False, "fail", 0.9), (0.95, True, "fail", 1.0), (1.0, True, "pass", 1.0)],
)
def test_aisle(width: float, two: bool, verdict: str, limit: float) -> None:
    supports = [Support("Z1", "A", "左", 1, 0.3, 0.6, 0.6)]
    if two:
        supports.append(Support("Z2", "A", "右", 1, 0.6 + width + 0.3, 0.6, 0.6))
    wall = 0.6 + width + (0.6 if two else 0.0)
    one = section(supports=tuple(supports), rooms=(Compartment("A", "综合", box(0, wall)),))
    (finding,) = found(one, "aisle")
    assert (finding.verdict.value, finding.limit) == (verdict, limit)
    assert finding.measured == pytest.approx(width)


def test_a_line_overhead_leaves_the_aisle_and_one_of_unknown_place_leaves_it_unjudged() -> None:
    room = (Compartment("A", "综合", box(0, 1.5)),)
    assert verdicts(section(line(1, "water", 0.75, 2.5), rooms=room), "aisle") == ["pass"]
    assert verdicts(section(line(1, "water", 0.75, 1.5), rooms=room), "aisle") == ["fail"]
    assert verdicts(section(line(1, "water", None, 1.5), rooms=room), "aisle") == ["cannot_judge"]


def test_height_and_aisle_of_a_round_tunnel() -> None:
    from math import cos, pi, sin

    ring = tuple((2 * cos(k * pi / 180), 2 + 2 * sin(k * pi / 180)) for k in range(360))
    room = Compartment("A", "综合", (ring,))
    way = aisle(section(rooms=(room,)), room)
    assert way is not None
    assert way.height == pytest.approx(4.0, abs=1e-3)
    assert way.width == pytest.approx(2 * 3**0.5, abs=1e-2)  # the chord a metre above the floor


SUPPORT = Support("Z1", "A", "右", 1, 1.7, 1.0, 0.6, 250.0)


@pytest.mark.parametrize(
    ("kg_m", "count", "load", "occupancy"),
    [
        (20.0, 6, "pass", "pass"),
        (50.0, 6, "fail", "pass"),
        (None, 6, "pass", "pass"),
        (None, 14, "needs_certificate", "needs_certificate"),
    ],
)  # fmt: skip
def test_supports(kg_m: float | None, count: int, load: str, occupancy: str) -> None:
    one = section(line(1, "power", 1.7, 1.05, 0.09, count=count, weight_kg_m=kg_m, support="Z1"), supports=(SUPPORT,))
    assert verdicts(one, "support_load") == [load]
    assert verdicts(one, "support_occupancy") == [occupancy]
    assert not any(finding.blocking for finding in judge_section(one, RULES, today=TODAY))


def test_a_line_rests_on_the_support_right_below_it_only() -> None:
    upper = replace(SUPPORT, code="Z2", y=1.5)
    one = section(supports=(SUPPORT, upper))
    on = line(1, "power", 1.7, 1.545, 0.09)
    assert one.support_of(on) == upper
    assert one.support_of(replace(on, y=2.2)) is None
    assert one.support_of(replace(on, support="Z1")) == SUPPORT


def test_a_bundle_spreads_over_its_support_and_stays_round_its_middle() -> None:
    one = section(supports=(SUPPORT,))
    circles = one.circles(line(1, "power", 1.7, 1.1, 0.1, count=8, support="Z1"))
    assert len(circles) == 8
    assert max(x + r for x, _, r in circles) - min(x - r for x, _, r in circles) == pytest.approx(0.6)
    assert sum(y for _, y, _ in circles[:6]) / 6 < 1.1 < circles[-1][1]
    for i, (x, y, r) in enumerate(circles):
        assert all((x - u) ** 2 + (y - v) ** 2 >= (r + s) ** 2 - 1e-9 for u, v, s in circles[i + 1 :])


def test_the_edition_a_tunnel_was_built_to_counts() -> None:
    assert edition_day("GB/T 50838-2015（2024年版）", 2020) == date(2024, 12, 31)
    assert edition_day("GB 50838-2015", 2025) == date(2015, 12, 31)
    assert edition_day("", 2013) == date(2013, 12, 31)
    assert edition_day("", None) is None
    shared = [line(1, "gas", LEFT, 1), line(2, "water", RIGHT, 1)]
    old = judge_section(section(*shared, built="GB 50838-2012"), RULES, today=TODAY)
    assert [f.rule for f in old if f.verdict is Verdict.CANNOT_JUDGE] == ["tunnel.section.edition"]
    assert not [f for f in old if f.rule == "section.gas_alone"]
    assert verdicts(section(*shared, built=""), "gas_alone") == ["fail"]


def test_a_citys_rule_takes_the_place_of_the_national_one() -> None:
    national = next(rule for rule in RULES if rule.id == "section.clear_height")
    own = replace(national, city="滨海", params={"min_m": 3.2, "strength": "must"})
    one = section()
    assert {f.limit for f in judge_section(one, [*RULES, own], today=TODAY, city="滨海") if f.rule == own.id} == {3.2}
    assert {f.limit for f in judge_section(one, [*RULES, own], today=TODAY) if f.rule == own.id} == {2.4}


def test_moving_judges_within_a_drag() -> None:
    lines = [line(n, "power", RIGHT, 0.2 + 0.2 * n, 0.09, count=12, voltage_kv=10.0) for n in range(12)]
    lines += [line(20 + n, "telecom", LEFT, 0.2 + 0.2 * n, 0.1, count=12) for n in range(12)]
    one = section(*lines, line(40, "water", LEFT, 0.4, 0.8))
    judge_section(one, RULES, today=TODAY)
    times = []
    for step in range(20):
        start = time.perf_counter()
        moved = one.moved(40, -1.0 + step * 0.05, 0.5)
        judge_section(moved, RULES, today=TODAY)
        times.append(time.perf_counter() - start)
    assert sorted(times)[10] < 0.01
    assert one.moved(40, 3.0, 1.0).placements[-1].compartment == "B"
    with pytest.raises(PlannerError):
        one.moved(99, 0, 0)


def test_kinds_and_voltages() -> None:
    assert [line_kind(code) for code in ("JS", "zs", "RQ", "GD", "WS", "HS", "RS", "ZQ", "RL", "PS", "??")] == [
        "water", "reclaimed", "gas", "power", "sewage", "combined", "hot_water", "steam", "heat", "drainage", "unknown",
    ]  # fmt: skip
    assert line_kind("RL", "城西蒸汽管网") == "steam"
    assert line_kind("", "reclaimed water") == "reclaimed"
    assert line_kind("PS", "污水") == "sewage"
    assert voltage_kv("YJV 8.7/15kV") == 15
    assert voltage_kv("380 V") == pytest.approx(0.38)
    assert voltage_kv("0.4 MPa") is None
