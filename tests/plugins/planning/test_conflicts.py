"""Comparing two plans: hand-made cases with known areas, and the reference on real plans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress
from planner_app.project import Batch, Project
from plugins.planning.model.causes import CAUSES
from plugins.planning.model.conflict_result import ConflictOptions, ConflictResult
from plugins.planning.model.conflicts import run_conflicts
from plugins.planning.model.plan_side import LayerField

Box = Callable[..., Any]
Add = Callable[..., LayerInfo]
A, B = LayerField("甲"), LayerField("乙")


def _run(project: Project, **options: Any) -> ConflictResult:
    return run_conflicts(project, A, B, ConflictOptions(**options))


def _causes(result: ConflictResult) -> dict[str, float]:
    return {row.cause.value: round(row.area, 6) for row in result.by_cause() if row.patches}


@pytest.fixture
def two_plans(project: Project, add: Add, box: Box) -> Project:
    """A master plan of three strips against a land-use plan: cropland, the same housing, a school in other words."""
    add(
        "甲",
        [("R2", box(0, 0, 100, 100)), ("M1", box(100, 0, 200, 100)), ("A33", box(200, 0, 300, 100))],
        PlanKind.MASTER,
        standard="gb50137",
    )
    add(
        "乙",
        [("0101", box(0, 0, 50, 100)), ("070102", box(50, 0, 150, 100)), ("0804", box(200, 0, 300, 100))],
        PlanKind.LAND_USE,
        standard="mnr2023",
    )
    return project


def test_classes_that_differ_after_the_crosswalk(two_plans: Project) -> None:
    result = _run(two_plans)
    found = {(row.a.raw, row.b.raw): (row.pairs, row.area, row.verdict) for row in result.by_class()}
    assert found == {
        ("R2", "0101"): (1, pytest.approx(5_000), "needs_certificate"),
        ("M1", "070102"): (1, pytest.approx(5_000), "needs_certificate"),
        ("A33", "0804"): (1, pytest.approx(10_000), "pass"),
    }
    assert _causes(result) == {"true_conflict": 10_000.0, "class_difference": 10_000.0}
    assert result.by_class()[1].cell is not None
    assert result.class_areas.sum() == pytest.approx(25_000)  # R2 × 070102 too, though equal


def test_json_has_the_shape_of_the_command_line(two_plans: Project) -> None:
    data = _run(two_plans).as_json()
    assert {"pairs", "patches", "area_m2", "basis", "by_class", "by_cause", "dropped", "repaired", "seconds"} <= set(
        data
    )
    assert (data["pairs"], data["patches"], data["basis"]) == (3, 3, "planar")
    assert data["area_m2"] == pytest.approx(20_000)
    assert sum(row["area_m2"] for row in data["by_class"]) == pytest.approx(data["area_m2"], rel=1e-12)
    assert sum(row["area_m2"] for row in data["by_cause"]) == pytest.approx(data["area_m2"], rel=1e-12)
    assert [row["cause"] for row in data["by_cause"]] == [
        "true_conflict", "boundary_sliver", "class_difference", "outdated_version",
    ]  # fmt: skip
    assert data["dropped"] == {"pairs": 0, "area_m2": 0}
    assert data["repaired"] == {"a": 0, "b": 0}


def test_every_pair(two_plans: Project) -> None:
    result = _run(two_plans, every_pair=True)
    assert result.pairs == 4
    assert result.area == pytest.approx(25_000)
    assert _causes(result)["same_class"] == 5_000.0


def test_matrix_decides(two_plans: Project, tmp_path: Path) -> None:
    assert _run(two_plans, matrix="default").area == pytest.approx(10_000)  # the school is no conflict
    own = tmp_path / "own.toml"
    own.write_text('[matrix]\n[groups]\n[[cell]]\na = "0804"\nb = "080403"\nverdict = "fail"\n', encoding="utf-8")
    result = _run(two_plans, matrix=str(own))
    assert [(row.a.raw, row.b.raw, row.verdict) for row in result.by_class()] == [("A33", "0804", "fail")]
    assert _causes(result) == {"true_conflict": 10_000.0}


def test_ellipsoidal_basis(two_plans: Project) -> None:
    result = _run(two_plans, basis="ellipsoidal")
    from planner_app.domain.area import ellipsoidal

    expected = ellipsoidal(result.patches.geometry, "EPSG:4549").sum()
    assert result.as_json()["area_m2"] == pytest.approx(expected, rel=1e-12)
    assert result.as_json()["area_planar_m2"] == pytest.approx(20_000)
    assert result.area != pytest.approx(20_000, rel=1e-9)


def test_missing_and_unknown_classes_are_listed_and_never_equal(project: Project, add: Add, box: Box) -> None:
    add("甲", [(None, box(0, 0, 10, 10)), ("C-3", box(10, 0, 20, 10)), ("", box(20, 0, 30, 10))], standard="text")
    add("乙", [(None, box(0, 0, 10, 10)), ("BA", box(10, 0, 20, 10)), ("耕地", box(20, 0, 30, 10))], standard="text")
    result = _run(project)
    data = result.as_json()
    assert data["pairs"] == 3
    assert {(row["a"], row["b"]) for row in data["by_class"]} == {
        ("(no class)", "(no class)"), ("C-3", "BA"), ("(no class)", "耕地"),
    }  # fmt: skip
    assert {row["verdict"] for row in data["by_class"]} == {"cannot_judge"}
    assert data["unmapped"] == {"a": ["C-3"], "b": ["BA"]}


def test_gates_drop_and_list(project: Project, add: Add, box: Box) -> None:
    add("甲", [("R2", box(0, 0, 100, 100)), ("M1", box(200, 0, 300, 100))], standard="gb50137")
    add(
        "乙",
        [
            ("0101", box(99.5, 0, 150, 1.5)),  # 0.75 m²
            ("0101", box(0, 99.95, 100, 150)),  # 5 m², 0.1 m wide by the formula's measure: 2·5/200.1
            ("0101", box(200, 0, 210, 10)),  # 100 m²
        ],
        standard="mnr2023",
    )
    result = _run(project)
    assert (result.pairs, result.area) == (1, pytest.approx(100))
    assert [(pair.a_fid, pair.b_fid, pair.why) for pair in result.dropped] == [(1, 1, "area"), (1, 2, "width")]
    assert sum(pair.area for pair in result.dropped) == pytest.approx(5.75)
    everything = _run(project, min_area=0.0, min_width=0.0)
    assert (everything.pairs, everything.area) == (3, pytest.approx(105.75))
    with pytest.raises(PlannerError, match="option_wrong"):
        _run(project, min_area=-1.0)


def test_boundary_sliver_and_two_spots_of_one_pair(project: Project, add: Add, box: Box) -> None:
    comb = shapely.union_all([box(100, 0, 200, 100), box(60, 40, 101, 60), box(99, 0, 101, 100)])
    add("甲", [("R2", box(0, 0, 100, 100))], standard="gb50137")
    add("乙", [("0101", shapely.difference(comb, box(80, 30, 99.5, 70)))], standard="mnr2023")
    result = _run(project)
    # a block of 20 × 20 m, and strips of 1 m (0.5 m in the middle) along the shared edge
    assert result.pairs == 1
    assert result.area == pytest.approx(20 * 20 + 100 - 0.5 * 40)
    assert _causes(result) == {"true_conflict": 400.0, "boundary_sliver": 80.0}


def test_spots_below_the_gates_stay_with_the_largest(project: Project, add: Add, box: Box) -> None:
    two = shapely.union_all([box(0, 0, 10, 10), box(20, 0, 20.5, 1)])
    add("甲", [("R2", two)], standard="gb50137")
    add("乙", [("0101", box(-5, -5, 50, 50))], standard="mnr2023")
    result = _run(project)
    assert len(result.patches) == 1
    assert result.area == pytest.approx(100.5)
    assert len(shapely.get_parts(result.patches.geometry[0])) == 2


def test_invalid_geometry_is_repaired_and_named(project: Project, add: Add, box: Box) -> None:
    west, south, east, north = box(0, 0, 10, 10).bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    add("甲", [("R2", bow), ("R2", None)], standard="gb50137")
    add("乙", [("0101", box(0, 0, 10, 10))], standard="mnr2023")
    result = _run(project)
    assert result.area == pytest.approx(50)
    assert result.repaired == {"a": [(1, "repair.self_intersection")], "b": []}
    assert [fid for fid, _ in result.rejected["a"]] == [2]


def test_outside_the_growth_boundary_under_a_matrix(project: Project, add: Add, box: Box) -> None:
    add(
        "甲",
        [("M1", box(0, 0, 100, 100)), ("R2", box(80, 100, 180, 200)), ("E2", box(200, 0, 300, 100))],
        PlanKind.MASTER,
        standard="gb50137",
    )
    add("乙", [("集中建设区", box(-10, -10, 90, 210))], PlanKind.GROWTH_BOUNDARY, standard="text")
    result = _run(project, matrix="default")
    found = {(row.a.raw, row.b.raw): (row.area, row.verdict) for row in result.by_class()}
    assert found == {
        ("M1", "(outside)"): (pytest.approx(1_000), "fail"),
        ("R2", "(outside)"): (pytest.approx(9_000), "needs_certificate"),
    }
    swapped = run_conflicts(project, B, A, ConflictOptions(matrix="default"))
    assert swapped.area == pytest.approx(10_000)


def test_outdated_where_the_newer_plan_says_something_else(project: Project, add: Add, box: Box) -> None:
    old = PlanInfo("p1", PlanKind.LAND_USE, "土地利用规划 2010", valid_from="2010-01-01")
    new = PlanInfo("p2", PlanKind.LAND_USE, "土地利用规划 2021", valid_from="2021-01-01")
    add("甲", [("R2", box(0, 0, 100, 100))], PlanKind.MASTER, standard="gb50137")
    add("乙", [("0101", box(0, 0, 50, 100)), ("0101", box(50, 0, 100, 100))], plan=old, standard="mnr2023")
    add("丙", [("070102", box(0, 0, 50, 100)), ("0101", box(50, 0, 100, 100))], plan=new, standard="mnr2023")
    result = _run(project)
    assert _causes(result) == {"outdated_version": 5_000.0, "true_conflict": 5_000.0}
    assert result.newer == {"b": "土地利用规划 2021"}


def test_outdated_plan_and_outdated_feature(project: Project, add: Add, box: Box) -> None:
    ended = PlanInfo("p1", PlanKind.LAND_USE, "旧规划", valid_from="2010-01-01", valid_to="2020-12-31")
    add("甲", [("R2", box(0, 0, 100, 100))], PlanKind.MASTER, standard="gb50137")
    add("乙", [("0101", box(0, 0, 50, 100))], plan=ended, standard="mnr2023")
    assert _causes(_run(project, on="2026-11-20")) == {"outdated_version": 5_000.0}
    assert _causes(_run(project, on="2019-06-01")) == {"true_conflict": 5_000.0}
    add("丁", [("0101", box(0, 0, 50, 100)), ("0101", box(50, 0, 100, 100))], PlanKind.FORESTRY, standard="mnr2023",
        extra={"有效期至": ["2020-12-31", None]})  # fmt: skip
    result = run_conflicts(project, A, LayerField("丁"), ConflictOptions(on="2026-11-20"))
    assert _causes(result) == {"outdated_version": 5_000.0, "true_conflict": 5_000.0}


def test_an_ended_plan_is_outdated_where_another_plan_in_force_disagrees(project: Project, add: Add, box: Box) -> None:
    ended = PlanInfo("p1", PlanKind.LAND_USE, "旧规划", valid_from="2010-01-01", valid_to="2020-12-31")
    detailed = PlanInfo("p2", PlanKind.DETAILED, "控规", valid_from="2024-01-01")
    add("甲", [("R2", box(0, 0, 100, 100))], PlanKind.MASTER, standard="gb50137")
    add("乙", [("0101", box(0, 0, 50, 100)), ("0101", box(50, 0, 100, 100))], plan=ended, standard="mnr2023")
    add("丙", [("R2", box(0, 0, 50, 100))], plan=detailed, standard="gb50137")
    result = _run(project, on="2026-11-20")
    assert _causes(result) == {"outdated_version": 5_000.0, "true_conflict": 5_000.0}
    assert result.newer == {"b": "控规"}


def test_wrong_choices_are_named(project: Project, add: Add, box: Box) -> None:
    add("甲", [("R2", box(0, 0, 10, 10))])
    line = shapely.LineString([(500_000, 3_400_000), (500_010, 3_400_000)])
    add("线", [("x", line)], geometry="line")
    with pytest.raises(PlannerError) as caught:
        run_conflicts(project, A, LayerField("甲", "没有"))
    assert (caught.value.code, caught.value.params["known"]) == ("planning.field_missing", "用地代码")
    with pytest.raises(PlannerError, match=r"planning\.same_layer"):
        run_conflicts(project, A, A)
    with pytest.raises(PlannerError, match=r"planning\.not_polygons"):
        run_conflicts(project, A, LayerField("线"))
    with pytest.raises(PlannerError, match=r"layer\.unknown"):
        run_conflicts(project, A, LayerField("没有"))
    with pytest.raises(PlannerError, match=r"planning\.matrix_unknown"):
        run_conflicts(project, A, LayerField("甲", "用地代码"), ConflictOptions(matrix="没有"))


def test_a_field_of_names_is_no_class_field(project: Project, add: Add, box: Box) -> None:
    add("甲", [(f"名称{n}x", box(n, 0, n + 1, 1)) for n in range(2_100)], standard="text")
    add("乙", [("0101", box(0, 0, 10, 10))])
    with pytest.raises(PlannerError) as caught:
        _run(project)
    assert (caught.value.code, caught.value.params["classes"]) == ("planning.too_many_classes", 2_100)


def test_layer_field_with_colons_in_the_name(project: Project, add: Add, box: Box) -> None:
    add("总规:2035", [("R2", box(0, 0, 10, 10))])
    assert LayerField.parse("总规:2035", project) == LayerField("总规:2035")
    assert LayerField.parse("总规:2035:用地代码", project) == LayerField("总规:2035", "用地代码")


def test_cancel(two_plans: Project) -> None:
    class Stopped(NoProgress):
        def is_cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        run_conflicts(two_plans, A, B, progress=Stopped())


@pytest.mark.data
def test_cambridge_reference(project: Project, tmp_path: Path, data_dir: Path) -> None:
    """Zoning × overlay districts of Cambridge, MA, against GEOS after make_valid (MANIFEST.md of the data)."""
    import pyogrio

    with Project.create(tmp_path / "cambridge.sqlite", "EPSG:26986") as real:
        from planner_app.domain.crs import transformer

        change = transformer("EPSG:4326", "EPSG:26986")
        for name, file, column in (
            ("甲", "CDD_ZoningDistricts.geojson", "ZONE_TYPE"),
            ("乙", "CDD_ZoningOverlayDistricts.geojson", "Name"),
        ):
            _meta, _, wkb, columns = pyogrio.raw.read(data_dir / "cambridge" / file, columns=[column])
            shapes = shapely.transform(
                shapely.force_2d(shapely.from_wkb(wkb)),
                lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])),
            )
            new = NewLayer(name, "polygon", (FieldInfo(column, "text"),), class_field=column)
            values = {column: list(columns[0])}
            real.add_layer(new, [Batch(wkb=list(shapely.to_wkb(shapes)), columns=values)])
        result = _run(real, every_pair=True, min_width=0.0)
    assert result.pairs == 197
    assert result.area == pytest.approx(5_474_879.389, rel=1e-6)
    assert sum(pair.area for pair in result.dropped) == pytest.approx(9.005, abs=0.01)
    assert {CAUSES[number].value for number in result.patches.cause} == {"true_conflict", "boundary_sliver"}
