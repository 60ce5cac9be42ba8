"""Rules on the project's layers, and how those are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import Batch, Project
from plugins.review.model.checking.surroundings import look_around
from plugins.review.model.checking.types import Surroundings
from plugins.review.model.conditions.types import Conditions
from tests.plugins.review.checking.judged import ground, one, subject, told
from tests.plugins.review.indicators.site_plans import box, house, plan, site

DRAWN = plan(site(), house("1#", box(10, 10, 30, 20), 3, 9.0, text="住宅"))
SITE = ground(box(0, 0, 100, 80))


def parcel(shape: Any) -> Conditions:
    return Conditions("A-01", wkb=bytes(shapely.to_wkb(ground(shape))))


def test_the_site_lies_within_its_parcel() -> None:
    assert told(one("review.red_line", subject(DRAWN, parcel(box(0, 0, 100, 80))))) == ("pass", False, False)
    out = one("review.red_line", subject(DRAWN, parcel(box(0, 0, 98, 80))))
    assert (told(out), out.measured) == (("fail", False, True), pytest.approx(160))
    assert shapely.geometry.shape(out.evidence).area == pytest.approx(160)
    hair = one("review.red_line", subject(DRAWN, parcel(box(0, 0, 99.99, 80))))
    assert told(hair) == ("pass", True, False)
    away = one("review.red_line", subject(DRAWN, parcel(box(500, 0, 600, 80))))
    assert (away.verdict, away.message) == ("fail", "review.red_line.elsewhere")


def test_a_parcel_that_is_not_known() -> None:
    assert one("review.red_line", subject(DRAWN)).message == "review.no_conditions"
    assert one("review.red_line", subject(DRAWN, Conditions("A"))).message == "review.red_line.no_parcel"
    by_place = subject(DRAWN, Conditions("A"), around=Surroundings(parcel=SITE))
    assert one("review.red_line", by_place).verdict == "pass"
    assert one("review.red_line", subject(DRAWN, parcel(box(0, 0, 9, 9)), placed=False)).message == "review.unplaced"
    assert one("review.red_line", subject(plan(), parcel(box(0, 0, 9, 9)))).message == "review.no_site"


def line(kind: str, shape: Any = None) -> Surroundings:
    found = () if shape is None else ((kind, kind, ground(shape)),)
    return Surroundings(lines=found, searched=(kind,), layers={kind: (f"图层 {kind}",)})


@pytest.mark.parametrize(
    ("rule", "kind", "verdict", "blocking"),
    [
        ("review.ecological_red_line", "ecological_red_line", "fail", True),
        ("review.permanent_farmland", "farmland", "fail", False),
        ("review.green_line", "green_line", "fail", False), ("review.blue_line", "blue_line", "fail", False),
        ("review.yellow_line", "yellow_line", "fail", False), ("review.road_red_line", "road_line", "fail", False),
        ("review.purple_line", "purple_line", "needs_certificate", False),
    ],
)  # fmt: skip
def test_lines_to_keep_clear_of(rule: str, kind: str, verdict: str, blocking: bool) -> None:
    broken = one(rule, subject(DRAWN, around=line(kind, box(-50, 15, 15, 30))))
    assert told(broken) == (verdict, False, blocking)
    assert broken.measured in (pytest.approx(25), pytest.approx(225))  # of the building, or of the whole site
    assert told(one(rule, subject(DRAWN, around=line(kind, box(-50, 100, 15, 130))))) == ("pass", False, False)
    assert told(one(rule, subject(DRAWN, around=line(kind)))) == ("pass", False, False)
    sliver = box(-5, -5, 105, 0.005) if kind in ("ecological_red_line", "farmland") else box(-5, 0, 50, 10.01)
    assert told(one(rule, subject(DRAWN, around=line(kind, sliver)))) == ("pass", True, False)
    assert one(rule, subject(DRAWN)).message == "review.line.missing"
    assert one(rule, subject(DRAWN, around=line(kind, sliver), placed=False)).message == "review.unplaced"
    assert one(rule, subject(plan())).message == "review.no_site"


def test_the_growth_boundary_must_hold_the_site() -> None:
    rule, kind = "review.growth_boundary", "growth_boundary"
    assert told(one(rule, subject(DRAWN, around=line(kind, box(-9, -9, 200, 200))))) == ("pass", False, False)
    out = one(rule, subject(DRAWN, around=line(kind, box(-9, -9, 90, 200))))
    assert (out.verdict, out.measured) == ("needs_certificate", pytest.approx(800))
    assert one(rule, subject(DRAWN, around=line(kind))).measured == pytest.approx(8000)  # nowhere near
    assert told(one(rule, subject(DRAWN, around=line(kind, box(0, 0, 99.99, 80))))) == ("pass", True, False)
    assert one(rule, subject(DRAWN)).message == "review.line.missing"


def test_open_lines() -> None:
    across = line("blue_line", shapely.LineString([(-10, 15), (200, 15)]))
    crossed = one("review.blue_line", subject(DRAWN, around=across))
    assert (crossed.verdict, crossed.measured, crossed.unit) == ("fail", pytest.approx(20), "m")
    beside = line("blue_line", shapely.LineString([(-10, 50), (200, 50)]))
    assert one("review.blue_line", subject(DRAWN, around=beside)).message == "review.line.open"


@pytest.mark.parametrize(("rule", "code"), [("kindergarten", "R22"), ("school", "A33"), ("park", "1401")])
def test_facilities_within_reach(rule: str, code: str) -> None:
    def around(x: float) -> Surroundings:
        return Surroundings(facilities=(("某处", code, ground(box(x, 0, x + 50, 50))),), searched=("facility",))

    near = one(f"review.{rule}", subject(DRAWN, around=around(300)))
    assert (near.verdict, near.measured) == ("pass", pytest.approx(200))
    far = one(f"review.{rule}", subject(DRAWN, around=around(2000)))
    assert far.verdict == "needs_certificate"
    assert one(f"review.{rule}", subject(DRAWN)).message == "review.facility.no_layer"
    assert one(f"review.{rule}", subject(DRAWN, around=around(0), placed=False)).message == "review.unplaced"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4528", "测试") as made:
        yield made


def add(project: Project, name: str, shapes: list[Any], plan: PlanInfo | None = None, /, **columns: list[Any]) -> None:
    fields = tuple(
        FieldInfo(key, "real" if isinstance(values[0], float) else "text") for key, values in columns.items()
    )
    kind: Any = "polygon" if shapes[0].geom_type.endswith("Polygon") else "line"
    about: dict[str, Any] = {"class_field": "class_code"} if "class_code" in columns else {}
    wkb = [shapely.to_wkb(ground(shape)) for shape in shapes]
    project.add_layer(NewLayer(name, kind, fields, plan=plan, **about), [Batch(wkb, columns)])


def test_a_project_is_searched(project: Project) -> None:
    zoning = PlanInfo("z", PlanKind.DETAILED, "控规", valid_from="2024-01-01")
    add(project, "城市绿线", [box(-30, 0, -5, 40), box(900, 0, 910, 9)])
    add(project, "东部", [box(-500, -500, 500, 500)], PlanInfo("g", PlanKind.GROWTH_BOUNDARY, "开发边界"))
    add(project, "道路红线", [shapely.LineString([(-50, -10), (200, -10)])])
    add(
        project, "道路中心线", [shapely.LineString([(-50, -20), (200, -20)])], PlanInfo("t", PlanKind.TRANSPORT, "交通")
    )
    add(project, "机场净空区", [box(-900, -900, 900, 900)], 限高=[45.0])
    add(project, "机场净空图框", [box(-900, -900, 900, 900)])
    add(
        project, "现状建筑", [box(-20, 0, -10, 10), box(20, 20, 30, 30), box(900, 0, 910, 10)],
        name=["老楼", "拟拆", "远处"], height_m=[12.0, 9.0, 6.0], use=["住宅", "仓库", "住宅"],
    )  # fmt: skip
    add(
        project, "地块", [box(0, 0, 100, 80), box(300, 0, 350, 50)], zoning,
        parcel_no=["A-1", "A-2"], class_code=["R2", "A33"], far_max=[2.0, 0.9],
    )  # fmt: skip
    found = look_around(project, SITE)
    assert set(found.searched) == {
        "green_line", "growth_boundary", "road_line", "height_surface", "building", "facility", "parcel",
    }  # fmt: skip
    assert found.layers["green_line"] == ("城市绿线",)
    assert [(name, kind) for name, kind, _ in found.lines if kind == "green_line"] == [("城市绿线", "green_line")]
    assert [(name, height) for name, _, height in found.neighbours] == [("老楼", 12.0)]
    assert found.neighbour_uses == ("residential",)
    assert found.notes == (("review.neighbours_on_site", {"count": 1}),)
    assert [limit for _, _, limit in found.surfaces] == [45.0]
    assert [code for _, code, _ in found.facilities] == ["R2", "A33"]
    assert found.parcel is not None
    assert found.parcel.area == pytest.approx(8000)
    assert one("review.green_line", subject(DRAWN, around=found)).verdict == "pass"
    assert one("review.blue_line", subject(DRAWN, around=found)).message == "review.line.missing"
    assert one("review.school", subject(DRAWN, around=found)).measured == pytest.approx(200)


def test_an_empty_project(project: Project) -> None:
    found = look_around(project, SITE)
    assert (found.searched, found.lines, found.neighbours, found.parcel) == ((), (), (), None)
