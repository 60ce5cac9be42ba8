"""The shipped rules: which block, how cases and unknowns are taken, how pipes are recognised."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest

from planner_app.domain.finding import Verdict
from planner_app.domain.rule import Rule, in_force, parse_rules
from plugins.tunnel.model.clearance.judge import Limits
from plugins.tunnel.model.clearance.words import (
    Profile,
    kind_of,
    kv_of,
    number,
    outer_factor,
    pressure_of,
    word_of,
)

FILE = Path(__file__).resolve().parents[4] / "plugins" / "tunnel" / "rules" / "clearance.toml"
RULES = parse_rules(FILE.read_text(encoding="utf-8"), FILE.name)
P = Profile


def limits(*more: Rule) -> Limits:
    return Limits.of([*in_force(RULES, date(2024, 6, 1)), *more])


def test_only_what_was_found_or_computed_blocks() -> None:
    blocking = {rule.id for rule in RULES if rule.may_block and rule.kind == "tunnel.clearance"}
    assert blocking == {f"clearance.h_drain_{other}" for other in ("building", "water", "gas", "telecom", "power")}
    assert all(rule.clause for rule in RULES if rule.kind == "tunnel.clearance")
    assert all(rule.valid_from and rule.edition for rule in RULES if rule.kind in ("tunnel.clearance", "tunnel.zone"))
    assert all(rule.title and rule.title_zh for rule in RULES)
    assert not in_force(RULES, date(2010, 1, 1))[2:]  # only how to measure, and that nothing may collide


@pytest.mark.parametrize(
    ("direction", "a", "b", "low", "high"),
    [
        ("horizontal", P("water", dn=200), P("drain"), 1.0, 1.0),
        ("horizontal", P("drain"), P("water", dn=201), 1.5, 1.5),
        ("horizontal", P("drain"), P("water"), 1.0, 1.5),
        ("horizontal", P("drain"), P("reclaimed", dn=100), 1.0, 1.0),
        ("horizontal", P("gas", pressure="subhighA"), P("building"), 13.5, 13.5),
        ("horizontal", P("gas", pressure="low"), P("telecom", laying="duct"), 1.0, 1.0),
        ("horizontal", P("gas", pressure="low"), P("telecom"), 0.5, 1.0),
        ("horizontal", P("gas", dn=300), P("gas", dn=300), 0.4, 0.4),
        ("horizontal", P("gas", dn=300), P("gas", dn=400), 0.5, 0.5),
        ("horizontal", P("power", kv=35.0), P("telecom"), 2.0, 2.0),
        ("vertical", P("reclaimed"), P("water"), 0.5, 0.5),
        ("vertical", P("reclaimed"), P("reclaimed"), 0.15, 0.15),
        ("vertical", P("heat"), P("heat"), 0.15, 0.15),  # any pipe is one of its own kind as well
        ("vertical", P("gas", pressure="low"), P("gas", pressure="low"), 0.15, 0.15),
        ("vertical", P("power", laying="duct"), P("power", laying="duct"), 0.25, 0.25),
        (
            "horizontal",
            P("tunnel", method="open_cut", outer_m=4.0),
            P("tunnel", method="open_cut", outer_m=3.0),
            1.0,
            1.0,
        ),
        ("vertical", P("power"), P("gas"), 0.25, 0.5),
        ("vertical", P("power", laying="duct"), P("gas"), 0.25, 0.25),
        ("vertical", P("telecom", laying="direct"), P("drain"), 0.5, 0.5),
        ("vertical", P("tunnel", method="jacking", outer_m=4.0), P("drain"), 1.0, 1.0),
        ("horizontal", P("tunnel", method="shield", outer_m=4.0), P("building"), 4.0, 4.0),
        ("horizontal", P("tunnel", outer_m=4.0), P("structure"), 1.0, 4.0),
    ],
)
def test_limits(direction: str, a: Profile, b: Profile, low: float, high: float) -> None:
    for one, two in ((a, b), (b, a)):
        found = limits().limit(direction, one, two)
        assert found is not None
        assert (found.low, found.high) == (low, high)


def test_a_pair_without_a_rule_is_no_pass() -> None:
    assert limits().limit("horizontal", P("industrial"), P("water")) is None
    assert limits().limit("horizontal", P("gas", pressure="high"), P("drain")) is None
    assert limits().check("horizontal", P("industrial"), P("water"), 99.0).verdict is Verdict.CANNOT_JUDGE
    assert limits().check("vertical", P("structure"), P("water"), math.nan).verdict is Verdict.CANNOT_JUDGE
    assert limits().check("vertical", P("structure"), P("water"), 9.0).verdict is Verdict.NEEDS_CERTIFICATE


def test_a_citys_own_rule_stands_in_place_of_the_national_one() -> None:
    params = {"direction": "horizontal", "a": "drain", "b": "building", "cases": [{"m": 3.0}]}
    city = Rule("city.drain", "tunnel.clearance", "t", "t", params, city="滨海", confirmed=True)
    found = limits(city).limit("horizontal", P("drain"), P("building"))
    assert found is not None
    assert (found.low, found.high, found.rule.id) == (3.0, 3.0, "city.drain")


def test_kinds_pressures_voltages_and_numbers() -> None:
    kinds = {
        ("JS", ""): "water", ("ZS", "water"): "reclaimed", ("GD", ""): "power", ("DX", ""): "telecom",
        ("ws", ""): "drain", ("202", ""): "drain", ("51031001", ""): "reclaimed", ("5302100", ""): "gas",
        ("", "gas"): "gas", ("", "蒸汽热力"): "heat", ("?", ""): "unknown", ("", "高压电力"): "power",
    }  # fmt: skip
    assert {key: kind_of(*key) for key in kinds} == kinds
    pressures = {
        "中压A 0.4 MPa": "midA", "0.4 MPa": "midA", "0.005MPa": "low", "5 kPa": "low", "次高压B": "subhighB",
        "1.6MPa": "subhighA", "2.5 MPa": "high", "高压": "high",
        "次高压": None, "subhighA": "subhighA", "0.01 MPa": "midB", "中压B": "midB", "": None,
    }  # fmt: skip
    assert {key: pressure_of(key) for key in pressures} == pressures
    assert [kv_of(text) for text in ("110 kV", "380V", "10", "x")] == [110.0, 0.38, 10.0, None]
    assert [word_of("laying", text) for text in ("直埋", "GK", "综合管廊（沟）", "")] == [
        "direct",
        "duct",
        "tunnel",
        None,
    ]
    assert [number(cell) for cell in (None, "DN300", "1000×800", 2, "1.5")][1:] == [300, 1000, 2, 1.5]
    assert (outer_factor("PE100"), outer_factor("钢筋混凝土"), outer_factor("钢"), outer_factor(" ")) == (
        1.0,
        1.2,
        1.07,
        1.0,
    )
