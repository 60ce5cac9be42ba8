"""Planning conditions read from layers whose fields are named in many ways, and entered in a form."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo
from planner_app.plugin_api.model import PlannerError, Project
from plugins.review.model.conditions.doubts import doubts
from plugins.review.model.conditions.from_layer import (
    detailed_layers,
    find_parcel,
    parcel_at,
    parcel_conditions,
    parcel_numbers,
)
from plugins.review.model.conditions.mapping import FieldMapping, keep_mapping, mapping_of
from plugins.review.model.conditions.types import Conditions, EdgeSetback, conditions_from_json, conditions_json
from plugins.review.model.conditions.values import day, number, parking, setbacks, span
from tests.plugins.review.conditions.conftest import EAST, NORTH, AddLayer, detailed

CHINESE = (
    FieldInfo("dkbh", "text", "地块编号"), FieldInfo("ydxz", "text", "用地性质"), FieldInfo("rjl", "text", "容积率"),
    FieldInfo("jzmd", "text", "建筑密度（%）"), FieldInfo("ldl", "real", "绿地率"),
    FieldInfo("jzgd", "text", "建筑限高"), FieldInfo("tj", "text", "建筑退界"), FieldInfo("tc", "text", "停车配建"),
    FieldInfo("mj", "real", "用地面积（公顷）"), FieldInfo("pz", "text", "批准日期"),
    FieldInfo("wh", "text", "规划条件文号"), FieldInfo("bz", "text", "备注"),
)  # fmt: skip


def parcel(x: float, width: float = 100.0) -> Any:
    return shapely.box(x, 0, x + width, 80)


def row(x: float, name: str) -> tuple[Any, ...]:
    return (
        parcel(x), name, "R2", "1.0-2.5", "≤28", 0.35, "≤54m", "8；道路 15；看图", "0.3 车位/床", 0.8, "2024年3月12日",
        "规条〔2024〕17号", "临河",
    )  # fmt: skip


def test_a_layer_with_chinese_fields(project: Project, add: AddLayer) -> None:
    layer = add("地块", CHINESE, [row(0, "DK-01"), row(100, "DK-02")], detailed("控规", "2024-01-01"))
    found = find_parcel(project, " dk-０2 ")
    assert found is not None
    assert (found.parcel, found.use, found.far_min, found.far_max) == ("DK-02", "R2", 1.0, 2.5)
    assert (found.density_max, found.green_min, found.height_max) == (0.28, 0.35, 54.0)
    assert found.setbacks == (EdgeSetback("", 8), EdgeSetback("road", 15))
    assert found.parking is None
    assert found.other == ("建筑退界: 看图", "停车配建: 0.3 车位/床")
    assert (found.site_area_m2, found.issued, found.number) == (8000, "2024-03-12", "规条〔2024〕17号")
    assert found.extra == {"备注": "临河", "plan": "控规 修编"}
    assert (found.source, found.layer_id, found.fid) == ("layer", layer.id, 2)
    assert found.wkb is not None
    assert shapely.from_wkb(found.wkb).area == pytest.approx(8000)
    assert conditions_from_json(conditions_json(found)) == found


def test_english_fields_with_fractions_or_per_cent(project: Project, add: AddLayer) -> None:
    fields = [FieldInfo(n, "real") for n in ("FAR", "Building coverage ratio", "green_pct", "max_height", "setback_E")]
    add(
        "Lots", [FieldInfo("parcel_id", "integer"), *fields],
        [(parcel(0), 7, 2.0, 0.4, 0.5, 30.0, 6.0), (parcel(200), 8, 1.0, 0.3, 1.0, 12.0, None)],
        detailed("Z", "2020-01-01"),
    )  # fmt: skip
    (one,) = detailed_layers(project)
    assert one.mapping.units["density_max"] == "fraction"
    found = find_parcel(project, "7")
    assert found is not None
    assert (found.far_max, found.density_max, found.height_max) == (2.0, 0.4, 30.0)
    assert found.setbacks == (EdgeSetback("E", 6.0),)


def test_names_that_say_little_hold_the_parcel_where_nothing_says_more(project: Project, add: AddLayer) -> None:
    fields = [FieldInfo("id", "integer"), FieldInfo("MAX_FAR", "real"), FieldInfo("MAX_BCR", "real"),
              FieldInfo("MIN_GREEN", "real"), FieldInfo("MAX_HT", "real")]  # fmt: skip
    add("地块", fields, [(parcel(0), 7, 2.5, 0.3, 0.35, 54.0)])
    found = find_parcel(project, "7")
    assert found is not None
    assert (found.parcel, found.far_max, found.density_max, found.green_min, found.height_max) == (
        "7",
        2.5,
        0.3,
        0.35,
        54,
    )
    add("分区", [*fields, FieldInfo("parcel_no", "text")], [(parcel(0), 8, 2.5, 0.3, 0.35, 54.0, "A-8")])
    assert find_parcel(project, "A-8") is not None
    assert find_parcel(project, "8") is None


def test_a_ratio_in_per_cent_is_told_by_its_values(project: Project, add: AddLayer) -> None:
    fields = (FieldInfo("lot_no", "text"), FieldInfo("FAR", "real"), FieldInfo("density", "real"))
    layer = add("Use districts", fields, [(parcel(0), "A", 200.0, 60.0), (parcel(100), "B", 80.0, 40.0)])
    assert mapping_of(project, layer).units["far_max"] == "percent"
    found = find_parcel(project, "B")
    assert found is not None
    assert (found.far_max, found.density_max) == (0.8, 0.4)


def test_the_mapping_is_kept_and_editable(project: Project, add: AddLayer) -> None:
    layer = add("地块", CHINESE, [row(0, "DK-01")], detailed("控规", "2024-01-01"))
    mine = FieldMapping({"parcel": "bz", "green_min": "ldl"}, {"green_min": "percent"})
    keep_mapping(project, layer, mine)
    assert mapping_of(project, layer) == mine
    found = find_parcel(project, "临河")
    assert found is not None
    assert (found.green_min, found.far_max) == (pytest.approx(0.0035), None)
    with pytest.raises(PlannerError) as error:
        keep_mapping(project, layer, FieldMapping({"far_max": "nope"}))
    assert error.value.code == "review.mapping_field"
    keep_mapping(project, layer, None)
    assert mapping_of(project, layer).fields["parcel"] == "dkbh"


def test_the_plan_in_force_goes_first(project: Project, add: AddLayer) -> None:
    old = list(row(0, "DK-01"))
    old[3] = "1.8"
    add("旧地块", CHINESE, [old], detailed("控规 2016", "2016-05-01", "2023-12-31"))
    add("地块", CHINESE, [row(0, "DK-01")], detailed("控规 2024", "2024-01-01"))
    add("没有指标的面", [FieldInfo("name", "text")], [(parcel(0), "x")])
    assert [one.layer.name for one in detailed_layers(project, date(2024, 6, 1))] == ["地块", "旧地块"]
    before, after = (find_parcel(project, "DK-01", on) for on in (date(2020, 1, 1), date(2024, 6, 1)))
    assert before is not None
    assert after is not None
    assert (before.far_max, after.far_max) == (1.8, 2.5)


def test_by_place(project: Project, add: AddLayer) -> None:
    add("地块", CHINESE, [row(0, "DK-01"), row(100, "DK-02")], detailed("控规", "2024-01-01"))
    site = shapely.box(EAST + 60, NORTH, EAST + 190, NORTH + 80)
    found = parcel_at(project, site)
    assert found is not None
    assert found.parcel == "DK-02"
    assert parcel_at(project, shapely.affinity.translate(site, 5000, 0)) is None
    assert parcel_numbers(project) == ["DK-01", "DK-02"]


def test_nobody_chooses_between_two_parcels_of_one_number(project: Project, add: AddLayer) -> None:
    add("地块", CHINESE, [row(0, "DK-01"), row(100, "DK-01")], detailed("控规", "2024-01-01"))
    with pytest.raises(PlannerError) as error:
        find_parcel(project, "DK-01")
    assert (error.value.code, error.value.params["count"]) == ("review.parcel_twice", 2)
    assert find_parcel(project, "DK-09") is None
    with pytest.raises(PlannerError) as error:
        parcel_conditions(project, detailed_layers(project)[0].layer.id, 99)
    assert error.value.code == "review.parcel_gone"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0 车位/户", (1.0, "household")), ("1.2 spaces per dwelling", (1.2, "household")),
        ("1.0 车位/100 m²", (1.0, "100m2")), ("0.008 个/平方米", (0.8, "100m2")), ("≥200个", (200.0, "total")),
        ("0.8 车位/床", None), ("3 车位/100 名学生", None), ("—", None), (None, None), ("2 车位/班", None),
    ],
)  # fmt: skip
def test_parking_texts(text: str | None, expected: tuple[float, str] | None) -> None:
    assert parking(text) == (pytest.approx(expected[0]), expected[1]) if expected else parking(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", (EdgeSetback("", 8),)), (10.0, (EdgeSetback("", 10),)), ("—", ()),
        ("东 8；南 10m；道路 15", (EdgeSetback("E", 8), EdgeSetback("S", 10), EdgeSetback("road", 15))),
        ("8; 12 above 24", (EdgeSetback("", 8), EdgeSetback("", 12, 24))), ("E 6 > 50", (EdgeSetback("E", 6, 50),)),
        ("东北侧退界≥8米，其余5", (EdgeSetback("NE", 8), EdgeSetback("", 5))),
    ],
)  # fmt: skip
def test_setback_texts(text: Any, expected: tuple[EdgeSetback, ...]) -> None:
    assert setbacks(text) == (expected, ())


def test_numbers_ranges_and_dates() -> None:
    assert [number(one) for one in ("≤2.0", "２．５", "12,500.5 m²", "无", None, float("nan"), 3)] == [
        2.0, 2.5, 12500.5, None, None, None, 3.0,
    ]  # fmt: skip
    assert [span(one) for one in ("1.0＜FAR≤2.5", "≥1.2", "不大于 3", 2, "—")] == [
        (1.0, 2.5), (1.2, None), (None, 3.0), (None, 2.0), (None, None),
    ]  # fmt: skip
    assert [day(one) for one in ("2024/3/5", "20240305", "2024-13-01", "下月")] == ["2024-03-05", "2024-03-05", "", ""]


def test_what_cannot_be_is_said() -> None:
    fine = Conditions("BH-01", far_min=1.0, far_max=2.0, density_max=0.28, green_min=0.35, height_max=54.0)
    assert doubts(fine) == []
    odd = replace(fine, density_max=28.0, height_max=-3.0, far_min=3.0)
    assert [(code, params["field"]) for code, params in doubts(odd)] == [
        ("review.condition_range", "density_max"), ("review.condition_range", "height_max"),
        ("review.condition_far", "far_min"),
    ]  # fmt: skip
