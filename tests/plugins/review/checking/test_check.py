"""A whole check: rules in force, findings, the table, the verdict, both languages."""

from __future__ import annotations

import json
import string
import time
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app import i18n
from planner_app.cli import run_verb
from planner_app.domain.finding import blocks
from planner_app.domain.rule import Rule
from planner_app.i18n import add_folder, set_language, tr
from planner_app.plugin_host import PluginHost
from planner_app.report.findings import finding_json, finding_message
from plugins.review.model.checking.check import check, rules_on
from plugins.review.model.checking.kinds import TITLES
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.reading.types import Role
from tests.plugins.review.checking.judged import RULES, TODAY, ground, one, subject
from tests.plugins.review.indicators.site_plans import box, house, made, plan, site, zongping

PLUGIN = Path(__file__).resolve().parents[4] / "plugins" / "review"


@pytest.fixture(scope="module", autouse=True)
def _words() -> None:
    i18n.compile_catalogues(PLUGIN / "i18n")
    add_folder(PLUGIN / "i18n")


def parcel(**limits: Any) -> Conditions:
    wkb = bytes(shapely.to_wkb(ground(box(0, 0, 120, 80))))
    return Conditions("BH-01", number="2026-014", issued="2026-01-05", use="R2", wkb=wkb, **limits)


LIMITS = parcel(
    far_max=2.0, density_max=0.28, green_min=0.35, height_max=54.0, setbacks=(EdgeSetback("", 8.0),), parking=1.0,
    parking_per="household", site_area_m2=9600.0,
)  # fmt: skip


def test_the_synthetic_plan_against_its_conditions() -> None:
    found = check(subject(zongping(), LIMITS), RULES)
    verdicts = {(each.rule, each.feature): each.verdict.value for each in found.findings}
    assert verdicts["review.over_build_to", "2号楼"] == "fail"
    assert verdicts["review.setback", "2号楼 E2"] == "fail"
    assert verdicts["review.green_ratio", ""] == "fail"
    assert verdicts["review.declared", "绿地率"] == "fail"
    assert verdicts["review.density", ""] == "pass"
    assert verdicts["review.far_max", ""] == "cannot_judge"
    assert verdicts["review.height", "1号楼"] == "fail"
    assert verdicts["review.red_line", ""] == "pass"
    assert verdicts["review.sunlight", ""] == "needs_certificate"
    assert (found.verdict, found.on) == ("fail", TODAY)
    assert blocks(list(found.findings))
    assert all(each.standard and each.confidence for each in found.findings)
    json.dumps([finding_json(each) for each in found.findings], allow_nan=False)


def test_the_table() -> None:
    rows = check(subject(zongping(), LIMITS), RULES).rows
    by_key = {row.key: row for row in rows if row.key not in ("setback", "spacing")}
    green = by_key["green_ratio"]
    assert (green.declared, green.measured, green.limit) == (0.305, pytest.approx(0.11958333), 0.35)
    assert (green.relation, green.unit, green.verdict, green.blocking) == ("≥", "%", "fail", True)
    far = by_key["far"]
    assert (far.declared, far.measured, far.limit, far.relation, far.verdict) == (1.40, None, 2.0, "≤", "cannot_judge")
    height = by_key["height_m"]
    assert (height.declared, height.measured, height.limit, height.feature) == (54.3, None, 54.0, "1号楼")
    assert by_key["site_area_m2"].verdict == "pass"
    (setback,) = [row for row in rows if row.key == "setback"]
    assert (setback.title, setback.feature, setback.measured) == ("Setback east", "2号楼 E2", pytest.approx(7.40))
    assert (setback.limit, setback.relation, setback.clause) == (8.0, "≥", "规划条件 2026-014 建筑退界")
    assert setback.handles
    assert setback.evidence is not None
    assert len([row for row in rows if row.key == "spacing"]) == 1
    assert [row.key for row in rows][:10] == list(by_key)[:10]


def test_a_clean_plan_passes_all_that_can_be_judged() -> None:
    drawn = plan(
        site(), made(Role.BUILD_TO, box(8, 8, 92, 72)), made(Role.ROAD_LINE, shapely.LineString([(-9, -9), (120, -9)])),
        house("1#", box(10, 30, 50, 45), 3, 9.0, text="住宅"),
        made(Role.GREEN, box(8, 50, 92, 79), kind="集中"),
        declared={"far": 0.225, "site_area_m2": 8000.0, "far_area_m2": 1800.0},
    )  # fmt: skip
    conditions = replace(
        parcel(far_max=1.0, density_max=0.28, green_min=0.3, height_max=18.0, setbacks=(EdgeSetback("", 8.0),)),
        wkb=bytes(shapely.to_wkb(ground(box(0, 0, 100, 80)))), site_area_m2=8000.0, parking=0.0, parking_per="total",
    )  # fmt: skip
    drawn = replace(drawn, elements=(*drawn.elements, made(Role.PARKING, box(60, 10, 62.5, 15))))
    found = check(subject(drawn, conditions, zone="Ⅲ"), RULES)
    failed = {each.rule for each in found.findings if each.verdict == "fail"}
    assert failed == set()
    assert {row.key for row in found.rows if row.verdict == "pass"} >= {"far", "density", "green_ratio", "height_m"}
    unsure = {each.rule for each in found.findings if each.verdict == "cannot_judge"}
    assert unsure <= {each.id for each in RULES if each.kind in ("review.control_line", "review.facility")} | {
        "review.fire_separation"
    }


def test_missing_data_never_passes() -> None:
    nothing = check(subject(plan(), Conditions("A"), placed=False), RULES)
    assert {each.verdict.value for each in nothing.findings} <= {"cannot_judge", "needs_certificate"}
    assert all(row.verdict == "cannot_judge" for row in nothing.rows)
    assert nothing.verdict == "needs_certificate"


def test_rules_of_the_permits_date_and_of_a_city() -> None:
    def ids(on: date, city: str = "") -> dict[str, Rule]:
        return {each.id: each for each in rules_on(RULES, on, city)}

    assert "review.ecological_red_line" not in ids(date(2020, 1, 1))
    assert ids(date(2016, 1, 1))["review.sunlight"].standard == "GB 50180-93"
    assert ids(TODAY)["review.sunlight"].standard == "GB 50180-2018"
    assert ids(TODAY)["review.underground"].params["metres"] == 0.0
    assert ids(TODAY, "示例市")["review.underground"].params["metres"] == 3.0
    assert "review.city_spacing" not in ids(TODAY)
    early = check(subject(zongping(), LIMITS, on=date(2020, 1, 1)), RULES)
    params = next(params for code, params in early.notes if code == "review.rule_not_in_force")
    set_language("zh_CN")
    try:
        assert params["rule_zh"] in i18n.word("review.rule_not_in_force", params), (
            "a rule's name in the language spoken"
        )
    finally:
        set_language("en")


def test_only_confirmed_rules_block() -> None:
    far_over = plan(site(), house("1#", box(0, 0, 80, 60), 11, 33.0, text="住宅"))
    by_table = check(subject(far_over, zone="Ⅲ"), RULES)
    failed = [each for each in by_table.findings if each.rule == "review.housing_table" and each.verdict == "fail"]
    assert failed
    assert not any(each.blocking for each in failed)
    confirmed = [replace(each, confirmed=True) for each in RULES]
    by_city = check(subject(far_over, zone="Ⅲ"), confirmed)
    assert any(each.blocking for each in by_city.findings if each.rule == "review.housing_table")
    low = made(Role.FLOOR_AREA, box(0, 0, 80, 60), "1#", floor=2, coefficient=0.0, counts_far=True, value=3.0)
    unsure = plan(site(), house("1#", box(0, 0, 80, 60), 1, 3.0), low)
    found = one("review.far_max", subject(unsure, parcel(far_max=0.7)))
    assert (found.verdict, found.blocking) == ("fail", False)  # only with a rule from memory against the drawing


def test_every_kind_is_registered_with_the_host() -> None:
    host = PluginHost([PLUGIN.parent])
    host.load_models()
    assert not host.failures
    kinds = {kind.id: kind for api in host.model_apis for kind in api.rule_kinds}
    assert set(TITLES) <= set(kinds)
    assert {each.kind for each in RULES if each.kind.startswith("review.")} == set(TITLES)
    (found,) = kinds["review.red_line"].judge(rules_on(RULES, TODAY)[0], subject(zongping(), LIMITS))
    assert found.verdict == "pass"


def messages() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for area in ("indicators", "conditions", "checking", "cases"):
        found |= tomllib.loads((PLUGIN / "i18n" / "messages" / f"{area}.toml").read_text(encoding="utf-8"))
    return found


def test_findings_are_worded_in_both_languages_with_every_value() -> None:
    known = messages()
    subjects = [
        subject(zongping(), LIMITS), subject(zongping()), subject(plan(), LIMITS, placed=False),
        subject(plan(site(), house("1#", box(90, -5, 130, 20), 30, 90.0, text="商业")), LIMITS, city="示例市"),
    ]  # fmt: skip
    seen = set()
    for about in subjects:
        for each in check(about, RULES).findings:
            entry = known[each.message]
            params = set(each.params or {})
            wanted = {name for text in entry.values() for _, name, _, _ in string.Formatter().parse(text) if name}
            assert wanted <= params, (each.message, wanted - params)
            set_language("zh_CN")
            chinese = finding_message(each)
            set_language("en")
            assert chinese != finding_message(each)
            assert "{" not in chinese + finding_message(each)
            seen.add(each.message)
    assert len(seen) > 25


def test_titles_are_translated() -> None:
    rows = check(subject(zongping(), LIMITS), RULES).rows
    set_language("zh_CN")
    assert [tr(row.title) for row in rows if row.key == "setback"] == ["东侧退界"]
    assert all(tr(row.title) != row.title for row in rows)
    assert all(tr(title) != title for title in TITLES.values())


def test_hundreds_of_buildings_are_checked_in_two_seconds() -> None:
    houses = [
        house(f"{n}#", box(x, y, x + 20, y + 10), 10, 30.0, text="住宅")
        for n, (x, y) in enumerate((x, y) for x in range(0, 800, 40) for y in range(0, 600, 30))
    ]
    drawn = plan(made(Role.SITE, box(-20, -20, 820, 620)), made(Role.BUILD_TO, box(-10, -10, 810, 610)), *houses)
    about = subject(drawn, parcel(far_max=3.0, setbacks=(EdgeSetback("", 8.0), EdgeSetback("", 12.0, 24.0))))
    started = time.process_time()
    check(about, RULES)
    assert time.process_time() - started < 2.0


def test_the_verb_lists_rules_and_keeps_a_citys_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, city = tmp_path / "p.sqlite", tmp_path / "city.toml"
    assert run_verb(["new", str(file), "--crs", "EPSG:4549", "--json"]) == 0
    city.write_text('[city]\nid = "bh"\nname = "滨海市"\ntitle = "B"\ntitle_zh = "滨"\nclimate_zone = "Ⅲ"\n', "utf-8")
    capsys.readouterr()
    arguments = ["review", "rules", str(file), "--city", "滨海市", "--json"]
    assert run_verb([*arguments, "--date", "2022-05-01", "--add", str(city)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["city_rules"], told["floor_area_rules"]) == ("bh", "bh", "GB/T 50353-2013")
    by_id = {each["id"]: each for each in told["rules"]}
    assert by_id["review.fire_separation"]["standard"] == "GB 50016-2014"
    assert by_id["review.far_max"]["may_block"]
    assert not by_id["review.housing_table"]["may_block"]
    assert run_verb(arguments) == 0
    assert json.loads(capsys.readouterr().out)["city_rules"] == "bh"  # kept
    assert run_verb([*arguments, "--date", "soon"]) == 2
    city.write_text("[city", "utf-8")
    assert run_verb([*arguments, "--add", str(city)]) == 2
