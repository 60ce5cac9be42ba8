"""Site check on hand-made cases: known areas for each line and verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ezdxf
import pytest
import shapely

from planner_app.domain.area import ellipsoidal
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.finding import Verdict, blocks
from planner_app.domain.layer import LayerInfo, PlanKind
from planner_app.domain.progress import NoProgress
from planner_app.project import Project
from planner_app.report.findings import finding_json
from plugins.planning.model.control import LineCheck, SiteCheck, check_site
from plugins.planning.model.control_rules import line_rules, shipped_rules
from plugins.planning.model.plan_side import LayerField
from plugins.planning.model.site import Site, read_site, site_from_polygon

Box = Callable[..., Any]
Add = Callable[..., LayerInfo]
EAST, NORTH = 560_000.0, 3_400_000.0
STANDARD_SET = [
    "planning.ecological_red_line", "planning.permanent_farmland", "planning.growth_boundary", "planning.green_line",
    "planning.purple_line", "planning.blue_line", "planning.yellow_line", "planning.road_red_line",
    "planning.water_protection",
]  # fmt: skip


def _line(check: SiteCheck, rule: str) -> LineCheck:
    return next(line for line in check.lines if line.finding.rule == f"planning.{rule}")


@pytest.fixture
def site(box: Box) -> Site:
    """100 × 100 m."""
    return site_from_polygon(box(0, 0, 100, 100), "地块一")


@pytest.fixture
def town(project: Project, add: Add, box: Box) -> Project:
    """Nine lines around the site, each with an area that can be read off."""
    add("生态保护红线", [("一般", box(-50, -50, 20, 150))], PlanKind.ECOLOGICAL_RED_LINE)  # 2,000 m² inside
    add("基本农田", [("0101", box(90, 90, 200, 200)), ("0101", box(95, 85, 200, 200))], PlanKind.FARMLAND)  # 100 + 25
    add("开发边界", [("集中建设区", box(-100, -100, 70, 200))], PlanKind.GROWTH_BOUNDARY)  # 3,000 m² outside
    add("绿线", [("G1", box(0, 0, 10, 100))])  # 1,000 m²
    add("紫线", [("建设控制地带", box(40, 40, 60, 60))])  # 400 m²
    add("蓝线", [("河", box(200, 0, 300, 100))])  # none
    add("城市黄线", [("变电站", box(0, 99.95, 100, 200))])  # 5 m², 0.05 m wide: below the gate
    add("道路红线", [("支路", box(50, -20, 60, 1))])  # 10 m²
    add("水源保护区", [("二级", box(0, 0, 30, 30)), ("一级", box(-30, 0, 10, 10))], PlanKind.WATER)  # 900 m²
    return project


@pytest.mark.parametrize(
    ("rule", "verdict", "measured", "blocking"),
    [
        ("ecological_red_line", "fail", 2_000.0, True),
        ("permanent_farmland", "fail", 125.0, False),
        ("growth_boundary", "needs_certificate", 3_000.0, False),
        ("green_line", "fail", 1_000.0, False),
        ("purple_line", "needs_certificate", 400.0, False),
        ("blue_line", "pass", 0.0, False),
        ("yellow_line", "pass", 0.0, False),
        ("road_red_line", "fail", 10.0, False),
        ("water_protection", "fail", 900.0, False),
    ],
)
def test_every_line(town: Project, site: Site, rule: str, verdict: str, measured: float, blocking: bool) -> None:
    line = _line(check_site(town, site), rule)
    finding = line.finding
    assert (finding.verdict, finding.blocking) == (verdict, blocking)
    assert finding.measured == pytest.approx(measured, abs=1e-6)
    assert finding.limit == 0.0
    assert finding.standard
    if measured:
        shape = shapely.geometry.shape(finding.evidence)
        assert shape.area == pytest.approx(measured)
        assert line.breach_ellipsoidal == pytest.approx(float(ellipsoidal([shape], "EPSG:4549")[0]))
        assert line.breach_ellipsoidal != line.finding.measured
    else:
        assert finding.evidence is None


def test_standard_set_in_its_order_and_areas(town: Project, site: Site) -> None:
    check = check_site(town, site)
    assert [finding.rule for finding in check.findings] == STANDARD_SET
    assert check.verdict() is Verdict.FAIL
    assert blocks(check.findings)
    inside = {row.layer: row.area for row in check.areas}
    assert inside == {
        "生态保护红线": pytest.approx(2_000), "基本农田": pytest.approx(125), "开发边界": pytest.approx(7_000),
        "绿线": pytest.approx(1_000), "紫线": pytest.approx(400), "蓝线": 0.0, "城市黄线": pytest.approx(5),
        "道路红线": pytest.approx(10), "水源保护区": pytest.approx(900),
    }  # fmt: skip
    assert check.site_area == pytest.approx(10_000)
    assert check.site_area_ellipsoidal == pytest.approx(float(ellipsoidal([site.geometry], "EPSG:4549")[0]))


def test_gate_lists_what_it_drops_and_makes_a_pass_borderline(town: Project, site: Site) -> None:
    line = _line(check_site(town, site), "yellow_line")
    assert line.finding.borderline
    assert [(round(spot.area, 6), round(spot.width, 3)) for spot in line.dropped] == [(5.0, 0.05)]
    assert "below the gates" in finding_json(line.finding)["message"]


def test_strict_zone(project: Project, add: Add, box: Box, site: Site) -> None:
    add("水源保护区", [("二级", box(0, 0, 30, 30)), ("一级", box(-30, 0, -1, 10))], PlanKind.WATER)
    assert _line(check_site(project, site), "water_protection").finding.verdict == "needs_certificate"


def test_missing_lines_cannot_be_judged(project: Project, site: Site) -> None:
    check = check_site(project, site)
    assert [finding.rule for finding in check.findings] == STANDARD_SET
    assert {finding.verdict for finding in check.findings} == {Verdict.CANNOT_JUDGE}
    assert {finding.message for finding in check.findings} == {"planning.control.missing"}
    assert not blocks(check.findings)
    assert check.areas == []


def test_named_lines_only(town: Project, site: Site) -> None:
    check = check_site(town, site, lines=["蓝线", "没有这个图层", "永久基本农田划定"])
    assert _line(check, "blue_line").finding.verdict == "pass"
    farmland = _line(check, "permanent_farmland").finding  # a name that is a line, though the layer is not there
    assert (farmland.verdict, farmland.message) == ("cannot_judge", "planning.control.unknown")
    assert _line(check, "ecological_red_line").finding.message == "planning.control.not_named"
    assert check.lines[-1].finding.rule == "planning.control_line"
    assert "没有这个图层" in finding_json(check.lines[-1].finding)["message"]
    assert {line.finding.verdict for line in check.lines} == {Verdict.PASS, Verdict.CANNOT_JUDGE}


def test_a_layer_no_rule_knows(project: Project, add: Add, box: Box, site: Site) -> None:
    add("机场净空", [("x", box(0, 0, 50, 50))], PlanKind.OTHER)
    line = check_site(project, site, lines=["机场净空"]).lines[-1]
    assert (line.finding.verdict, line.finding.measured) == ("cannot_judge", pytest.approx(2_500))


def test_empty_layer_and_open_lines(project: Project, add: Add, box: Box, site: Site) -> None:
    add("蓝线", [])
    road = shapely.LineString([(EAST - 10, NORTH + 50), (EAST + 110, NORTH + 50)])
    add("道路红线", [("x", road)], geometry="line")
    ring = box(80, 80, 120, 120).exterior
    add("紫线", [("x", ring)], geometry="line")
    check = check_site(project, site)
    assert _line(check, "blue_line").finding.message == "planning.control.empty"
    crossing = _line(check, "road_red_line").finding
    assert (crossing.verdict, crossing.measured, crossing.unit) == ("fail", pytest.approx(100), "m")
    assert _line(check, "purple_line").finding.measured == pytest.approx(400)
    far = site_from_polygon(box(1000, 1000, 1100, 1100), "远")
    assert _line(check_site(project, far), "road_red_line").finding.message == "planning.control.open_lines"
    assert _line(check_site(project, far), "purple_line").finding.verdict == "pass"


def test_invalid_line_geometry_is_repaired(project: Project, add: Add, box: Box, site: Site) -> None:
    twice = shapely.Polygon([(0, 0), (40, 40), (40, 0), (0, 40)])
    add("绿线", [("x", shapely.affinity.translate(twice, EAST, NORTH))])
    assert _line(check_site(project, site), "green_line").finding.measured == pytest.approx(800)


def test_declared_purpose(town: Project, site: Site) -> None:
    check = check_site(town, site, purpose="national_project")
    assert _line(check, "ecological_red_line").finding.verdict == "needs_certificate"
    assert _line(check, "green_line").finding.verdict == "fail"
    assert not blocks(check.findings)
    with pytest.raises(PlannerError) as caught:
        check_site(town, site, purpose="holiday")
    assert caught.value.params["known"] == "limited_activity, national_project"


def test_core_of_the_red_line_takes_no_exception(project: Project, add: Add, box: Box, site: Site) -> None:
    add("生态保护红线", [("核心保护区", box(0, 0, 10, 10))], PlanKind.ECOLOGICAL_RED_LINE)
    check = check_site(project, site, purpose="limited_activity")
    assert _line(check, "ecological_red_line").finding.verdict == "fail"


def test_rules_of_the_day() -> None:
    from datetime import date

    early = [rule.id for rule in line_rules(shipped_rules(), date(2005, 1, 1))]
    assert "planning.green_line" in early
    assert "planning.ecological_red_line" not in early
    assert [rule.id for rule in line_rules(shipped_rules(), date(2026, 11, 20))] == STANDARD_SET


def test_only_what_was_found_with_high_confidence_blocks() -> None:
    assert [rule.id for rule in shipped_rules() if rule.may_block] == ["planning.ecological_red_line"]


def test_land_classes_of_each_plan(project: Project, add: Add, box: Box, site: Site) -> None:
    add("总规", [("R2", box(0, 0, 60, 100)), ("R2", box(50, 0, 60, 100)), ("G1", box(60, 0, 90, 100))], PlanKind.MASTER,
        standard="gb50137")  # fmt: skip
    add("土规", [("0101", box(0, 0, 100, 50)), (None, box(0, 50, 100, 100)), ("X", box(500, 0, 600, 9))],
        PlanKind.LAND_USE, standard="mnr2023")  # fmt: skip
    check = check_site(project, site, lines=[], plans=[LayerField("总规"), LayerField("土规", "用地代码")])
    found = [(row.layer, row.land.raw if row.land else "-", row.covered, round(row.area, 6)) for row in check.areas]
    assert found == [
        ("总规", "R2", True, 6_000.0),
        ("总规", "G1", True, 3_000.0),
        ("总规", "-", False, 1_000.0),
        ("土规", "0101", True, 5_000.0),
        ("土规", None, True, 5_000.0),
    ]
    assert check.areas[0].area_ellipsoidal == pytest.approx(float(ellipsoidal([box(0, 0, 60, 100)], "EPSG:4549")[0]))
    assert check.unmapped == {}
    with pytest.raises(PlannerError, match="field_missing"):
        check_site(project, site, plans=[LayerField("总规", "x")])
    with pytest.raises(PlannerError, match=r"layer\.unknown"):
        check_site(project, site, plans=[LayerField("没有")])


def test_a_plan_that_is_not_there_at_all(project: Project, add: Add, box: Box, site: Site) -> None:
    add("总规", [("R2", box(500, 0, 600, 100))], PlanKind.MASTER, standard="gb50137")
    check = check_site(project, site, lines=[], plans=[LayerField("总规")])
    assert [(row.covered, round(row.area, 6)) for row in check.areas] == [(False, 10_000.0)]


def test_cancel(town: Project, site: Site) -> None:
    class Stopped(NoProgress):
        def is_cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        check_site(town, site, progress=Stopped())


# ---------------------------------------------------------------- where sites come from


def test_site_from_a_layer_and_from_one_feature(project: Project, add: Add, box: Box) -> None:
    layer = add("地块", [("a", box(0, 0, 10, 10)), ("b", box(5, 0, 20, 10)), ("c", None)])
    assert read_site(project, "地块").geometry.area == pytest.approx(200)
    assert read_site(project, f"{layer.id}#2").geometry.area == pytest.approx(150)
    assert read_site(project, "地块", feature=1).name == "地块 #1"
    with pytest.raises(PlannerError, match="site_no_area"):
        read_site(project, "地块#3")
    with pytest.raises(PlannerError, match=r"layer\.unknown"):
        read_site(project, "没有")


def _drawing(path: Path, outlines: dict[str, list[list[tuple[float, float]]]], close: bool = True) -> Path:
    drawing = ezdxf.new("R2013")
    for layer, rings in outlines.items():
        for ring in rings:
            drawing.modelspace().add_lwpolyline(ring, close=close, dxfattribs={"layer": layer})
    drawing.saveas(path)
    return path


def _ring(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(EAST + x, NORTH + y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]


def test_site_from_a_drawing(project: Project, tmp_path: Path) -> None:
    file = _drawing(
        tmp_path / "总平.dxf",
        {"YDHX-用地红线": [_ring(0, 0, 100, 100), _ring(40, 40, 60, 60)], "JZJD-1-建筑基底": [_ring(10, 10, 20, 20)]},
    )
    assert read_site(project, str(file)).geometry.area == pytest.approx(9_600)  # the inner ring is a hole
    assert read_site(project, str(file), drawing_layer="JZJD-1-建筑基底").geometry.area == pytest.approx(100)


def test_arcs_of_a_drawing_are_flattened(project: Project, tmp_path: Path) -> None:
    drawing = ezdxf.new("R2013")
    line = drawing.modelspace().add_lwpolyline([(EAST, NORTH, 1.0), (EAST + 20, NORTH, 1.0)], format="xyb", close=True)
    line.dxf.layer = "用地红线"
    drawing.saveas(tmp_path / "圆.dxf")
    assert read_site(project, str(tmp_path / "圆.dxf")).geometry.area == pytest.approx(314.159, rel=2e-3)


def test_a_small_gap_is_closed_and_said(project: Project, tmp_path: Path) -> None:
    ring = [*_ring(0, 0, 100, 100), (EAST, NORTH + 0.03)]
    file = _drawing(tmp_path / "gap.dxf", {"YDHX": [ring]}, close=False)
    site = read_site(project, str(file))
    assert site.geometry.area == pytest.approx(10_000, abs=2)
    assert [code for code, _ in site.notes] == ["planning.site_gap"]


def test_a_drawing_that_does_not_say_which(project: Project, tmp_path: Path) -> None:
    file = _drawing(tmp_path / "x.dxf", {"A": [_ring(0, 0, 10, 10)], "B": [_ring(0, 0, 5, 5), _ring(0, 0, 6, 6)]})
    with pytest.raises(PlannerError) as caught:
        read_site(project, str(file))
    assert (caught.value.code, caught.value.params["known"]) == ("planning.site_ambiguous", "A (1), B (2)")
    only = _drawing(tmp_path / "y.dxf", {"0": [_ring(0, 0, 10, 10)]})
    assert read_site(project, str(only)).geometry.area == pytest.approx(100)
    (tmp_path / "z.dxf").write_text("no drawing", encoding="utf-8")
    with pytest.raises(PlannerError, match="site_drawing"):
        read_site(project, str(tmp_path / "z.dxf"))


def test_zone_number_in_the_drawing(project: Project, tmp_path: Path) -> None:
    prefixed = [(x + 40e6, y) for x, y in _ring(0, 0, 100, 100)]
    site = read_site(project, str(_drawing(tmp_path / "40.dxf", {"YDHX": [prefixed]})))
    assert site.geometry.bounds[0] == pytest.approx(EAST)
    assert [code for code, _ in site.notes] == ["planning.site_prefix"]
    wrong = [(x + 39e6, y) for x, y in _ring(0, 0, 100, 100)]
    with pytest.raises(PlannerError, match="site_zone"):
        read_site(project, str(_drawing(tmp_path / "39.dxf", {"YDHX": [wrong]})))


def test_site_from_boundary_points(project: Project, add: Add, box: Box, tmp_path: Path) -> None:
    add("底图", [("x", box(0, 0, 1000, 1000))])
    points = [(0, 0), (0, 100), (100, 100), (100, 0), (0, 0)]
    hole = [(40, 40), (40, 60), (60, 60), (60, 40), (40, 40)]
    lines = ["[属性描述]", "坐标系=2000国家大地坐标系", "几度分带=3", "投影类型=高斯克吕格", "计量单位=米", "带号=40",
             "[地块坐标]", "9,0.96,1,地块一,面,,,,@"]  # fmt: skip
    for ring, corners in ((1, points), (2, hole)):
        for number, (x, y) in enumerate(corners, start=1):
            lines.append(f"J{number},{ring},{NORTH + y:.3f},{EAST + x:.3f}")  # X is north, Y is east
    file = tmp_path / "界址点.txt"
    file.write_text("\n".join(lines), encoding="gbk")
    site = read_site(project, str(file))
    assert site.geometry.area == pytest.approx(9_600)
    assert site.geometry.bounds == pytest.approx((EAST, NORTH, EAST + 100, NORTH + 100))


def test_site_from_geojson(project: Project, box: Box, tmp_path: Path) -> None:
    shape = box(0, 0, 100, 100)
    file = tmp_path / "site.geojson"
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)}
    file.write_text(json.dumps({"type": "FeatureCollection", "crs": named, "features": [feature]}), encoding="utf-8")
    assert read_site(project, str(file)).geometry.area == pytest.approx(10_000)

    from pyproj import Transformer

    to_degrees = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
    degrees = shapely.transform(shape, lambda x, y: to_degrees.transform(x, y), interleaved=False)
    file.write_text(shapely.to_geojson(degrees), encoding="utf-8")
    site = read_site(project, str(file))
    assert site.geometry.area == pytest.approx(10_000, rel=1e-4)
    assert [code for code, _ in site.notes] == ["planning.site_moved"]

    file.write_text("{", encoding="utf-8")
    with pytest.raises(PlannerError, match="site_geojson"):
        read_site(project, str(file))


def test_crossed_outline_is_repaired_and_said(box: Box) -> None:
    west, south, east, north = box(0, 0, 10, 10).bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    site = site_from_polygon(shapely.to_wkb(bow), "x")
    assert site.geometry.area == pytest.approx(50)
    assert [code for code, _ in site.notes] == ["planning.site_repaired"]
    with pytest.raises(PlannerError, match="site_no_area"):
        site_from_polygon(shapely.Polygon([(0, 0), (1, 1), (0, 0)]), "x")


def test_far_site_is_said(project: Project, add: Add, box: Box, tmp_path: Path) -> None:
    add("底图", [("x", box(0, 0, 100, 100))])
    file = _drawing(tmp_path / "far.dxf", {"YDHX": [_ring(50_000, 0, 50_100, 100)]})
    notes = dict(read_site(project, str(file)).notes)
    assert notes["planning.site_far"]["kilometres"] == pytest.approx(49.9)
