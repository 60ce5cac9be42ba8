"""The tunnels of the sample town are complete: their rules can be judged, and emergencies assume no equipment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from planner_app.domain.finding import Verdict
from planner_app.domain.rule import Rule, in_force, parse_rules
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.emergency.replay import replay
from plugins.tunnel.model.network.spaces import load_spaces
from plugins.tunnel.model.space.along import judge_tunnel
from plugins.tunnel.model.space.profile_load import tunnel_profile

RULES = Path(__file__).resolve().parents[3] / "plugins" / "tunnel" / "rules"


def _rules(name: str) -> list[Rule]:
    return parse_rules((RULES / name).read_text(encoding="utf-8"), name)


@pytest.fixture(scope="module")
def town(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    file = tmp_path_factory.mktemp("town") / "town.sqlite"
    shutil.copyfile(sample_folder / "sample.sqlite", file)
    with Project.open(file) as opened:
        yield opened


def test_every_rule_along_the_tunnels_is_judged_and_only_the_planted_gap_fails(town: Project) -> None:
    found = {code: judge_tunnel(town, code, _rules("openings.toml")) for code in ("GL01", "GL02")}
    assert {one.verdict for one in found["GL01"]} == {Verdict.PASS}
    wrong = [one for one in found["GL02"] if one.verdict is not Verdict.PASS]
    assert [(one.rule, one.verdict, one.measured) for one in wrong] == [
        ("openings.feed_spacing", Verdict.FAIL, pytest.approx(770.0))
    ]
    assert "openings.gas_exhaust" in {one.rule for one in found["GL01"]}


def test_contours_and_surveyed_ground_agree(town: Project) -> None:
    for code in ("GL01", "GL02"):
        assert "tunnel.ground_differs" not in {note for note, _ in tunnel_profile(town, code).notes}


def test_ways_are_stated_and_lead_from_end_to_end(town: Project) -> None:
    spaces = load_spaces(town)
    assert spaces.notes == ()
    assert len(spaces.links) == town.count("compartment_link")
    assert {link.via for link in spaces.links} == {"door", "wall", "shaft"}
    for kind, tunnels in (("综合", {"GL01", "GL02"}), ("电力", {"GL01", "GL02"}), ("燃气", {"GL01"})):
        every = {at for at, one in enumerate(spaces.items) if one.kind == kind}
        assert set(spaces.within([min(every)], 99)) == every
        assert {spaces.items[at].tunnel for at in every} == tunnels


def test_emergencies_know_the_equipment(town: Project) -> None:
    rules = in_force(_rules("emergency.toml"), date(2026, 1, 1))
    for kind, place in (("fire", "GL01-D-0777"), ("leak", "GL01-G-0777"), ("flood", "GL02-Z-1103")):
        scene = replay(town, kind, f"compartment:{place}", rules)
        assert {one.id for one in scene.equipment if not one.known and one.kind != "valve"} == set(), kind
        assumed = {code for code, _ in scene.assumptions}
        assert assumed.isdisjoint({"tunnel.assumed_equipment", "tunnel.assumed_no_pump", "tunnel.assumed_exits"}), kind
    dark = replay(town, "power", "equipment:GL01-Z-BD-0595", rules)
    assert sum(one.kind == "distribution" for one in dark.equipment) == 7
    assert {"fan", "pump", "sensor"} <= {one.kind for one in dark.equipment}
    assert len(dark.zones) == 21  # seven fire zones of three compartments
    assert "tunnel.assumed_supply" not in {code for code, _ in dark.assumptions}


def test_tables_without_a_picture_are_hidden(town: Project) -> None:
    roles = {layer.id: layer.role for layer in town.layers()}
    for table in ("support", "line_placement", "compartment_link"):
        assert roles[table] == f"tunnel.{table}"
