"""Layer conventions: names in many spellings, what they say, a project's own edits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from planner_app.domain.errors import PlannerError
from plugins.review.model.reading.convention import (
    LayerRule,
    best_convention,
    convention_text,
    delete_convention,
    load_conventions,
    parse_convention,
    save_convention,
    with_alias,
)
from plugins.review.model.reading.layer_pattern import read_floors
from plugins.review.model.reading.types import Role
from tests.plugins.review.reading.sheets import CONVENTIONS, Sheet, area, small_plan


class Project:
    """What a convention needs of a project."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def setting(self, key: str, default: str = "") -> str:
        return self.kept.get(key, default)

    def set_setting(self, key: str, value: str) -> None:
        self.kept[key] = value


def said(convention: str, layer: str) -> tuple[Any, ...] | None:
    match = CONVENTIONS[convention].match(layer)
    return match and (match.role.value, match.building, match.floor, match.floors, match.coefficient, match.counts_far)


@pytest.mark.parametrize(
    "layer",
    [
        "YDHX-用地红线",
        "ydhx-用地红线",
        "YDHX_用地红线",
        "ＹＤＨＸ－用地红线",
        "YDHX 用地红线",
        "A-REDL",
        "plot_boundary",
        "x$0$YDHX-用地红线",
        "x|YDHX",
    ],
)
def test_spellings_of_the_site_layer(layer: str) -> None:
    assert said("bureau", layer) == ("site", "", None, 1, None, None)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("JZJD-1号楼-建筑基底", ("footprint", "1号楼", None, 1, None, None)),
        ("JZJD_1＃_建筑基底", ("footprint", "1#", None, 1, None, None)),
        ("JZJD-1-2#-建筑基底", ("footprint", "1-2#", None, 1, None, None)),
        ("A-MAST-ROOF", ("footprint", "", None, 1, None, None)),
        ("JZJD-地下室-外轮廓", ("basement", "地下室", None, 1, None, None)),
        ("JZJD-3#地下室-建筑基底", ("basement", "3#地下室", None, 1, None, None)),
        ("DXS-外轮廓", ("basement", "", None, 1, None, None)),
        ("JZKZX-建筑控制线", ("build_to", "", None, 1, None, None)),
        ("A-REDL-ARCH", ("build_to", "", None, 1, None, None)),
        ("DLHX-道路红线", ("road_line", "", None, 1, None, None)),
        ("MJ-1#-F01-全-计容", ("floor_area", "1#", 1, 1, 1.0, True)),
        ("MJ-1#-F02-半-计容", ("floor_area", "1#", 2, 1, 0.5, True)),
        ("MJ-1#-F03-不计-不计容", ("floor_area", "1#", 3, 1, 0.0, False)),
        ("MJ-地下室-B01-全-不计容", ("floor_area", "地下室", -1, 1, 1.0, False)),
        ("MJ-3#-F02-F17-全-计容", ("floor_area", "3#", 2, 16, 1.0, True)),
        ("MJ-3#-F02~17-全-计容", ("floor_area", "3#", 2, 16, 1.0, True)),
        ("MJ-3#-F02～F17-全", ("floor_area", "3#", 2, 16, 1.0, None)),
        ("MJ-3#-B01-B02-全-不计容", ("floor_area", "3#", -1, 2, 1.0, False)),
        ("MJ-3#-F05、F07-全-计容", ("floor_area", "3#", 5, 2, 1.0, True)),
        ("MJ-3#-二层-全-计容", ("floor_area", "3#", 2, 1, 1.0, True)),
        ("MJ-3#-RF-半-计容", ("floor_area", "3#", None, 1, 0.5, True)),
        ("MJ-1-F01", ("floor_area", "1", 1, 1, None, None)),
        ("GD-1#", ("height", "1#", None, 1, None, None)),
        ("TCW-B01", ("parking", "", -1, 1, None, None)),
        ("JJZB-经济技术指标表", ("declared", "", None, 1, None, None)),
        ("GDX-管线", None),
        ("LDX", None),
        ("0", None),
        ("墙体", None),
    ],
)
def test_names_of_the_bureau(layer: str, expected: tuple[Any, ...] | None) -> None:
    assert said("bureau", layer) == expected


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("LD-集中绿地", "集中"),
        ("LD-宅间", "宅旁"),
        ("LD-屋顶绿化", "屋顶"),
        ("LD-道路", "道路"),
        ("LD-湿地花园", "湿地花园"),
        ("LD", ""),
    ],
)
def test_kinds_of_green(layer: str, kind: str) -> None:
    match = CONVENTIONS["bureau"].match(layer)
    assert match is not None
    assert (match.role, match.kind) == (Role.GREEN, kind)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("BLK_1_FLR_0_BLT_UP_AREA", ("floor_area", "BLK_1", 1, 1, None, None)),
        ("BLK_12_FLR_7_BLT_UP_AREA", ("floor_area", "BLK_12", 8, 1, None, None)),
        ("BLK_1_FLR_-1_BLT_UP_AREA", ("floor_area", "BLK_1", -1, 1, None, None)),
        ("BLK_1_FLR_-2_BLT_UP_AREA_DEDUCT", ("floor_area", "BLK_1", -2, 1, None, None)),
        ("BLK_2_COVERED_AREA", ("footprint", "BLK_2", None, 1, None, None)),
        ("BLK_2_HT_OF_BLDG", ("height", "BLK_2", None, 1, None, None)),
        ("PARKING_SLOT", ("parking", "", None, 1, None, None)),
        ("TWO_WHEELER_PARKING", None),
        ("BLK_1_PARAPET_HT", None),
    ],
)
def test_names_of_edcr(layer: str, expected: tuple[Any, ...] | None) -> None:
    assert said("edcr", layer) == expected


def test_floors() -> None:
    assert read_floors("F02~17") == (2, 16)
    assert read_floors("F02-F04,F06") == (2, 4)
    assert read_floors("-1F") == (-1, 1)
    assert read_floors("地下二层") == (-2, 1)
    assert read_floors("十二层") == (12, 1)
    assert read_floors("夹层") == (None, 1)


def test_the_best_convention_is_found() -> None:
    def best(*layers: str) -> str:
        found = best_convention(CONVENTIONS, Counter(layers))
        return found.name if found else ""

    assert best("YDHX-用地红线", "JZJD-1#-建筑基底", "0") == "bureau"
    assert best("PLOT_BOUNDARY", "BLK_1_COVERED_AREA", "BLK_1_FLR_0_BLT_UP_AREA") == "edcr"
    assert best("JMD", "DLSS", "KZD", "ZBTZ") == "cass"
    assert best("0", "墙", "WINDOW", "KZD", "TCW") == ""


def test_a_project_edits_and_adds_conventions() -> None:
    project = Project()
    assert set(load_conventions(project)) == {"bureau", "edcr", "cass"}
    edited = with_alias(load_conventions(project)["bureau"], "红线图层", Role.SITE)
    save_convention(project, edited)
    again = load_conventions(project)["bureau"]
    assert again.own
    assert again.match("红线_图层") is None
    assert again.match("红线图层").role == Role.SITE  # type: ignore[union-attr]
    assert again.match("JZJD-1#-建筑基底").building == "1#"  # type: ignore[union-attr]
    save_convention(project, with_alias(again, "红线图层", None))
    assert load_conventions(project)["bureau"].match("红线图层") is None
    delete_convention(project, "bureau")
    assert not load_conventions(project)["bureau"].own

    city = parse_convention(
        '[convention]\nname="临江市"\nextends="bureau"\n[[layer]]\nrole="green"\nkind="集中"\npatterns=["公园-{kind}"]\n',
        "x",
    )
    save_convention(project, city)
    found = load_conventions(project)["临江市"]
    assert found.match("公园-东").kind == "集中"  # type: ignore[union-attr]
    assert found.match("YDHX").role == Role.SITE  # type: ignore[union-attr]


def test_a_convention_as_text_reads_back() -> None:
    for name, convention in CONVENTIONS.items():
        again = parse_convention(convention_text(convention), name)
        assert again.layers == convention.layers
        assert (again.kinds, again.texts, again.declared) == (convention.kinds, convention.texts, convention.declared)


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        '[[layer]]\nrole="garden"\npatterns=["A"]',
        '[[layer]]\nrole="site"\npatterns=["A-{storey}"]',
        '[[layer]]\nrole="site"\npatterns=["A[-B"]',
        '[[layer]]\nrole="site"\npatterns=["A"]\nwidth=3',
        '[texts]\nheight=["(["]',
        '[texts]\nheight=["H=[0-9]+"]',
        '[layers]\nsite="A"',
        '[declared]\nfar="FAR"',
    ],
)
def test_broken_conventions_are_named(text: str) -> None:
    with pytest.raises(PlannerError, match=r"review\.convention_broken.*mine"):
        parse_convention(text, "mine")


def test_conventions_that_extend_each_other_or_nobody() -> None:
    project = Project()
    for name, above in (("a", "b"), ("b", "a")):
        save_convention(project, parse_convention(f'[convention]\nname="{name}"\nextends="{above}"', name))
    with pytest.raises(PlannerError, match=r"review\.convention_broken"):
        load_conventions(project)
    project = Project()
    save_convention(project, parse_convention('[convention]\nname="a"\nextends="gone"', "a"))
    with pytest.raises(PlannerError, match=r"review\.convention_broken"):
        load_conventions(project)


def test_layers_named_by_hand_for_one_drawing() -> None:
    sheet = Sheet()
    sheet.box("边界", 0, 0, 100, 100)
    sheet.box("房子", 10, 10, 20, 20)
    assert sheet.read().convention == ""
    plan = sheet.read(aliases={"边界": "site", "房子": "footprint"})
    assert (area(plan, Role.SITE), area(plan, Role.FOOTPRINT)) == pytest.approx((10000, 400))
    assert plan.roles == {"site": ("边界",), "footprint": ("房子",)}
    with pytest.raises(PlannerError, match=r"review\.alias_role"):
        sheet.read(aliases={"边界": "wall"})
    with pytest.raises(PlannerError, match=r"review\.convention_unknown"):
        sheet.read(convention="nobody's")


def test_an_alias_stands_above_the_convention() -> None:
    sheet = small_plan()
    plan = sheet.read(aliases={"LD-宅旁绿地": "other"})
    assert area(plan, Role.GREEN) == pytest.approx(360)
    assert plan.convention == "bureau"


def test_names_of_edcr_are_understood_beside_the_bureaus() -> None:
    sheet = small_plan()
    sheet.box("BLK_3_COVERED_AREA", 100, 5, 10, 10)
    sheet.box("BLK_3_FLR_0_BLT_UP_AREA", 100, 5, 10, 10)
    sheet.box("JMD", 60, 70, 10, 8)  # a survey's building below the plan is none of its own
    plan = sheet.read()
    assert plan.convention == "bureau"
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1300)
    assert [(one.building, one.floor) for one in plan.of(Role.FLOOR_AREA)] == [("BLK_3", 1)]
    assert plan.unread == {"JMD": 1}
    assert best_convention(CONVENTIONS, {"PLOT_BOUNDARY": 1, "BLK_1_COVERED_AREA": 1}).name == "edcr"  # type: ignore[union-attr]


def test_a_fallback_layer_counts_only_where_the_first_choice_is_missing() -> None:
    sheet = Sheet()
    sheet.box("PLOT_BOUNDARY", 0, 0, 60, 40)
    sheet.box("BLK_1_COVERED_AREA", 5, 5, 10, 10)
    sheet.box("BLK_1_LVL_0_BLDG_FOOT_PRINT", 5, 5, 12, 12)
    sheet.box("BLK_2_LVL_0_BLDG_FOOT_PRINT", 30, 5, 10, 20)
    plan = sheet.read()
    assert {one.building: one.geometry.area for one in plan.of(Role.FOOTPRINT)} == pytest.approx(
        {"BLK_1": 100, "BLK_2": 200}
    )
    assert LayerRule(Role.FOOTPRINT, ("A",)).fallback is False
