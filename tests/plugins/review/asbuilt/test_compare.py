"""What was built against what was approved, by dated tolerances."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.affinity import translate

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import parse_rules
from planner_app.project import Project
from plugins.review.model.asbuilt.compare import SETTING, as_built_json, rules_for
from plugins.review.model.asbuilt.judges import JUDGES, area_tolerance
from plugins.review.model.asbuilt.types import AsBuilt
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.reading.types import Element, Role
from tests.plugins.review.asbuilt.conftest import EAST, NORTH, ON, Compare, opened, shipped
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site

ONE, TWO = box(10, 10, 30, 25), box(50, 10, 70, 25)
_SHIFTED = "review.asbuilt_shifted"
GREEN = made(Role.GREEN, box(10, 60, 40, 75), kind="集中")
PATCH = made(Role.GREEN, box(50, 60, 70, 70), kind="宅旁")
APPROVED = plan(site(), house("1号楼", ONE, 3, 10.5), house("2号楼", TWO, 6, 18.6), GREEN, PATCH)


def survey_of(name: str, shape: Any, storeys: int | None, height: float | None) -> list[Element]:
    """A building as a surveyor draws it: outline, storeys, height as texts."""
    found = [made(Role.FOOTPRINT, shape, name, storeys=storeys)]
    if height is not None:
        found.append(made(Role.HEIGHT, shape.centroid, name, value=height, measured=False))
    return found


def as_approved(*, without: tuple[str, ...] = (), **other: Any) -> Any:
    """A survey that agrees with the plan, but for what is given: ``one=(shape, storeys, height)``."""
    houses = {"one": ("1#", ONE, 3, 10.5), "two": ("2#", TWO, 6, 18.6)}
    parts: list[Any] = [survey_of(*(other.get(key) or row)) for key, row in houses.items() if key not in without]
    parts += [made(Role.VEGETATION, one.geometry, kind=one.kind) for one in (GREEN, PATCH) if one.kind not in without]
    return plan(*parts, *other.get("more", ()))


def of(found: AsBuilt, rule: str, feature: str = "") -> Finding:
    hits = [one for one in found.findings if one.rule == f"asbuilt.{rule}" and one.feature == feature]
    assert len(hits) == 1, [(one.feature, one.message) for one in found.findings if one.rule == f"asbuilt.{rule}"]
    return hits[0]


def failed(found: AsBuilt) -> set[tuple[str, str]]:
    return {(one.rule.removeprefix("asbuilt."), one.feature) for one in found.findings if one.verdict is Verdict.FAIL}


def test_built_as_approved(compare: Compare) -> None:
    """A survey without site and floor areas: what it cannot tell is said, everything else passes."""
    found = compare(APPROVED, as_approved())
    assert failed(found) == set()
    unknown = {(one.rule, one.message) for one in found.findings if one.verdict is Verdict.CANNOT_JUDGE}
    assert unknown == {(f"asbuilt.{rule}", "review.asbuilt_not_surveyed") for rule in ("floor_area", "far", "site")}
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert ("review.asbuilt_from_plan", {"roles": "site"}) in found.notes
    assert found.facts.after.value("density") == pytest.approx(600 / 8000)
    assert of(found, "green").verdict is Verdict.PASS
    assert {pair.name: pair.by for pair in found.facts.pairs} == {"1号楼": "overlap", "2号楼": "overlap"}


def test_one_difference_at_a_time(compare: Compare) -> None:
    """Each kind of deviation fails its own rule, and only that."""
    cases: dict[str, tuple[Any, set[tuple[str, str]]]] = {
        "moved": (as_approved(one=("1#", translate(ONE, 0.35, -0.12), 3, 10.5)),
                  {("position", "1号楼"), ("setback", "1号楼")}),
        "moved a little": (as_approved(one=("1#", translate(ONE, 0.1, 0.1), 3, 10.5)), set()),
        "one storey more": (as_approved(two=("2#", TWO, 7, 18.6)), {("storeys", "2号楼")}),
        "one storey less": (as_approved(two=("2#", TWO, 5, 18.6)), {("storeys", "2号楼")}),
        "higher": (as_approved(two=("2#", TWO, 6, 19.05)), {("height", "2号楼")}),
        "lower": (as_approved(two=("2#", TWO, 6, 17.0)), set()),
        "a hand higher": (as_approved(two=("2#", TWO, 6, 18.75)), set()),
        "not built": (as_approved(without=("two",)), {("buildings", "2号楼")}),
        "a green not built": (as_approved(without=("宅旁",)), {("green", "宅旁"), ("green", "")}),
        "a building more": (as_approved(more=survey_of("门卫", box(80, 40, 84, 44), 1, 3.0)), {("buildings", "门卫")}),
        "a kiosk more": (as_approved(more=survey_of("亭", box(80, 40, 81.5, 42), 1, 3.0)), set()),
        "a neighbour": (as_approved(more=survey_of("邻", box(120, 10, 140, 20), 2, 6.0)), set()),
    }  # fmt: skip
    for name, (survey, wanted) in cases.items():
        assert failed(compare(APPROVED, survey)) == wanted, name


def test_deeper_by_more_than_its_area_may(compare: Compare) -> None:
    """15.6 m instead of 15: 4 % more footprint, 0.6 m nearer to the north."""
    found = compare(APPROVED, as_approved(one=("1#", box(10, 10, 30, 25.6), 3, 10.5)))
    assert failed(found) == {("outline", "1号楼"), ("footprint", "1号楼"), ("setback", "1号楼")}
    area = of(found, "footprint", "1号楼")
    assert (area.declared, area.measured, area.limit) == pytest.approx((300.0, 312.0, 309.0))
    outline = of(found, "outline", "1号楼")
    assert (outline.measured, outline.params and outline.params["more"]) == pytest.approx((0.6, 12.0))
    assert outline.evidence is not None
    difference = shapely.geometry.shape(outline.evidence)
    assert difference.area == pytest.approx(12.0)
    assert difference.bounds[0] > EAST
    assert of(found, "position", "1号楼").measured == pytest.approx(0.0, abs=1e-9)


def test_a_move_is_told_with_its_direction(compare: Compare) -> None:
    found = compare(APPROVED, as_approved(one=("1#", translate(ONE, 0.35, -0.12), 3, 10.5)))
    position = of(found, "position", "1号楼")
    assert position.params is not None
    assert (position.params["dx"], position.params["dy"], position.params["corner"]) == pytest.approx(
        (0.35, -0.12, 0.37)
    )
    assert (position.measured, position.limit, position.blocking) == (pytest.approx(0.37), 0.2, False)
    rows = {row["name"]: row for row in as_built_json(found)["buildings"]}
    assert (rows["1号楼"]["dx_m"], rows["1号楼"]["dy_m"]) == pytest.approx((0.35, -0.12))
    json.dumps(as_built_json(found))


def test_all_off_by_the_same_is_a_matter_of_coordinates(compare: Compare) -> None:
    off = {"one": ("1#", translate(ONE, 6, -2), 3, 10.5), "two": ("2#", translate(TWO, 6, -2), 6, 18.6)}
    (params,) = (params for code, params in compare(APPROVED, as_approved(**off)).notes if code == _SHIFTED)
    assert (params["count"], params["dx"], params["dy"]) == (2, pytest.approx(6), pytest.approx(-2))
    one = compare(APPROVED, as_approved(one=off["one"]))
    assert _SHIFTED not in {code for code, _ in one.notes}, "a building by itself was built elsewhere"


def test_what_needs_no_tolerance_blocks(compare: Compare) -> None:
    found = compare(APPROVED, as_approved(two=("2#", TWO, 7, 22.0), without=("one",)))
    blocking = {(one.rule, one.feature) for one in found.findings if one.blocking}
    assert blocking == {("asbuilt.storeys", "2号楼"), ("asbuilt.buildings", "1号楼")}


def test_near_a_limit_is_for_a_person(compare: Compare) -> None:
    height = of(compare(APPROVED, as_approved(two=("2#", TWO, 6, 18.79))), "height", "2号楼")
    assert (height.verdict, height.borderline) == (Verdict.PASS, True)
    assert not of(compare(APPROVED, as_approved(two=("2#", TWO, 6, 18.65))), "height", "2号楼").borderline


def test_parts_of_a_building_and_two_built_as_one(compare: Compare) -> None:
    """Surveyors draw parts of different height by themselves, and joined houses as one."""
    low, high = box(10, 10, 30, 18), box(10, 18, 30, 25)
    parts = [survey_of("", low, 1, 4.0), survey_of("", high, 3, 10.5)]
    found = compare(APPROVED, as_approved(without=("one",), more=[one for part in parts for one in part]))
    assert failed(found) == set()
    assert of(found, "storeys", "1号楼").measured == 3
    assert of(found, "height", "1号楼").measured == 10.5
    joined = compare(APPROVED, plan(survey_of("1#", box(10, 10, 70, 25), 6, 18.6)))
    assert ("footprint", "1号楼") in failed(joined)
    assert not [one for one in joined.findings if one.message in ("review.asbuilt_missing", "review.asbuilt_extra")]


def test_a_building_far_from_its_place_is_known_by_its_name(compare: Compare) -> None:
    found = compare(APPROVED, as_approved(one=("1#楼", box(10, 40, 30, 55), 3, 10.5)))
    pair = next(one for one in found.facts.pairs if one.name == "1号楼")
    assert (pair.by, pair.shift and pair.shift.dy) == ("name", pytest.approx(30.0))
    nameless = compare(APPROVED, as_approved(one=("", box(10, 40, 30, 55), 3, 10.5)))
    assert {one.message for one in nameless.findings if one.rule == "asbuilt.buildings"} == {
        "review.asbuilt_missing", "review.asbuilt_extra"
    }  # fmt: skip


def test_the_survey_has_axes_of_its_own(compare: Compare) -> None:
    """Both are placed, in different local coordinates: positions are compared on the ground."""
    step = (1234.5, -77.0)
    survey = as_approved(one=("1#", translate(ONE, 0.35, -0.12), 3, 10.5))
    elements = tuple(replace(one, geometry=translate(one.geometry, *step)) for one in survey.elements)
    there = opened(replace(survey, elements=elements), EAST - step[0], NORTH - step[1])
    position = of(compare(APPROVED, there), "position", "1号楼")
    assert position.params is not None
    assert (position.params["dx"], position.params["dy"]) == pytest.approx((0.35, -0.12), abs=1e-6)


def test_without_common_ground_nothing_is_said_of_places(compare: Compare) -> None:
    survey = as_approved()
    elements = tuple(replace(one, geometry=translate(one.geometry, 9000, 9000)) for one in survey.elements)
    found = compare(opened(APPROVED), opened(replace(survey, elements=elements), None))
    verdicts = {one.rule: one.verdict for one in found.findings if one.feature == "1号楼"}
    assert verdicts["asbuilt.position"] is verdicts["asbuilt.outline"] is Verdict.CANNOT_JUDGE
    assert verdicts["asbuilt.storeys"] is verdicts["asbuilt.height"] is Verdict.PASS
    assert "review.asbuilt_no_ground" in [code for code, _ in found.notes]
    near = compare(opened(APPROVED, None), opened(as_approved(more=[site()]), None))
    assert of(near, "position", "1号楼").verdict is Verdict.PASS  # the same local coordinates


def test_conditions_say_how_near_a_side_may_be(compare: Compare) -> None:
    survey = as_approved(one=("1#", box(8.5, 10, 30, 25), 3, 10.5))
    strict = Conditions("P", setbacks=(EdgeSetback("", 9.0),))
    loose = Conditions("P", setbacks=(EdgeSetback("", 5.0),))
    assert ("setback", "1号楼") in failed(compare(APPROVED, survey, conditions=strict))
    assert ("setback", "1号楼") not in failed(compare(APPROVED, survey, conditions=loose))
    setback = of(compare(APPROVED, survey, conditions=strict), "setback", "1号楼")
    assert (setback.declared, setback.measured, setback.limit) == pytest.approx((10.0, 8.5, 9.0))


def test_reaching_over_a_line_now(compare: Compare) -> None:
    approved = plan(site(), house("1号楼", ONE, 3, 10.5), made(Role.BUILD_TO, box(5, 5, 95, 75)))
    found = compare(approved, plan(survey_of("1#", box(4.0, 10, 30, 25), 3, 10.5)))
    setback = of(found, "setback", "1号楼")
    assert (setback.verdict, setback.measured) == (Verdict.FAIL, pytest.approx(-1.0))


def test_a_survey_drawn_like_a_plan_tells_floor_areas(compare: Compare) -> None:
    built = plan(site(), house("1号楼", ONE, 3, 10.5), house("2号楼", TWO, 7, 18.6), GREEN, PATCH)
    found = compare(APPROVED, built)
    floor = next(one for one in found.findings if one.rule == "asbuilt.floor_area" and one.declared == 2700)
    assert (floor.verdict, floor.measured, floor.limit) == (Verdict.FAIL, 3000.0, pytest.approx(2754.0))
    assert of(found, "far").verdict is Verdict.FAIL


def test_parking_below_the_ground_is_not_seen(compare: Compare) -> None:
    places = [made(Role.PARKING, box(3.0 * n, 0, 3.0 * n + 2.5, 5)) for n in range(6)]
    approved = plan(site(), house("1号楼", ONE, 3, 10.5), *places, made(Role.BASEMENT, box(5, 5, 60, 50), floor=-1))
    found = compare(approved, plan(survey_of("1#", ONE, 3, 10.5), *places[:2]))
    assert of(found, "parking").verdict is Verdict.CANNOT_JUDGE
    flat = plan(site(), house("1号楼", ONE, 3, 10.5), *places)
    found = compare(flat, plan(survey_of("1#", ONE, 3, 10.5), *places[:2]))
    assert (of(found, "parking").verdict, of(found, "parking").measured) == (Verdict.FAIL, 2.0)


def test_roof_green_is_not_seen_from_the_ground(compare: Compare) -> None:
    roof = made(Role.GREEN, box(12, 12, 20, 20), kind="屋顶")
    approved = plan(site(), house("1号楼", ONE, 3, 10.5), GREEN, roof)
    found = compare(approved, plan(survey_of("1#", ONE, 3, 10.5), made(Role.VEGETATION, GREEN.geometry)))
    assert of(found, "green", "屋顶").verdict is Verdict.CANNOT_JUDGE


def test_an_empty_survey_judges_nothing(compare: Compare) -> None:
    found = compare(APPROVED, plan())
    assert {one.verdict for one in found.findings if one.rule != "asbuilt.buildings"} == {Verdict.CANNOT_JUDGE}
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert of(found, "buildings").message == "review.asbuilt_nothing_surveyed"
    assert compare(plan(), plan()).verdict is Verdict.CANNOT_JUDGE


@pytest.mark.parametrize(
    ("approved", "tolerance"),
    [(800.0, 24.0), (1000.0, 30.0), (4000.0, 80.0), (9000.0, 135.0), (60_000.0, 300.0), (200_000.0, 500.0)],
)
def test_tolerance_of_areas_by_size(approved: float, tolerance: float) -> None:
    rule = next(one for one in shipped() if one.id == "asbuilt.floor_area")
    assert area_tolerance(rule, approved)[0] == pytest.approx(tolerance)


def test_every_kind_is_there_and_worded() -> None:
    import tomllib

    rules = shipped()
    assert {one.kind for one in rules} == set(JUDGES)
    assert all(one.clause and one.standard and one.title_zh for one in rules)
    # What is only remembered, or found in one city's rule, never blocks.
    assert {one.id for one in rules if one.may_block} == {
        "asbuilt.buildings", "asbuilt.storeys", "asbuilt.green", "asbuilt.parking"
    }  # fmt: skip
    words = tomllib.loads(
        (Path(__file__).parents[4] / "plugins/review/i18n/messages/asbuilt.toml").read_text(encoding="utf-8")
    )
    source = (Path(__file__).parents[4] / "plugins/review/model/asbuilt/judges.py").read_text(encoding="utf-8")
    import re

    emitted = set(re.findall(r'(?:FAIL|PASS|UNKNOWN|verdict), "([a-z_]+)"', source))
    assert len(emitted) > 10
    assert {f"review.asbuilt_{name}" for name in emitted} <= set(words)


CITY = """
[[rule]]
id = "hz.position"
kind = "asbuilt.position"
title = "Position"
title_zh = "位置"
city = "杭州"
valid_from = 2025-01-01
confidence = "high"
evidence = "found"
standard = "市规"
clause = "三"
[rule.params]
tolerance_m = 0.5

[[rule]]
id = "hz.gfa"
kind = "asbuilt.area"
title = "GFA"
title_zh = "建筑面积"
city = "杭州"
standard = "市规"
clause = "四"
[rule.params]
keys = ["gfa_m2"]
tiers = [{ share = 0.01 }]
"""


def test_a_citys_own_tolerances_stand_in_place_of_the_national_ones(tmp_path: Path, compare: Compare) -> None:
    rules = [*shipped(), *parse_rules(CITY, "hz.toml")]
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as project:
        here = {one.id: one for one in rules_for(project, rules, ON, "杭州")}
        assert "asbuilt.position" not in here
        assert here["hz.position"].params["tolerance_m"] == 0.5
        assert (here["hz.gfa"].params["keys"], here["asbuilt.floor_area"].params["keys"]) == (
            ["gfa_m2"], ["far_area_m2"]
        )  # fmt: skip
        assert "asbuilt.position" in {one.id for one in rules_for(project, rules, ON, "宁波")}
        before = {one.id for one in rules_for(project, rules, date(2024, 1, 1), "杭州")}
        assert "asbuilt.position" in before
        project.set_setting(SETTING, CITY.replace("hz.", "own.").replace("0.5", "0.3"))
        own = {one.id: one for one in rules_for(project, rules, ON, "杭州")}
        assert own["own.position"].params["tolerance_m"] == 0.3
        assert "hz.position" not in own
    moved = as_approved(one=("1#", translate(ONE, 0.35, -0.12), 3, 10.5))
    assert ("position", "1号楼") not in failed(compare(APPROVED, moved, here.values()))
    judged = compare(APPROVED, as_approved(one=("1#", translate(ONE, 0.8, 0), 3, 10.5)), here.values())
    assert [one.rule for one in judged.findings if one.blocking] == ["hz.position"]
