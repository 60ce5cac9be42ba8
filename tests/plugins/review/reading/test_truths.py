"""Real drawings and the sample's own: every planted truth comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from plugins.review.model.drawing.dxf import read_dxf
from plugins.review.model.drawing.intake import read_drawing
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.model.reading.types import Role, SitePlan
from tests.plugins.review.reading.sheets import area, codes, kinds, read

pytestmark = pytest.mark.data
PLANS = ("synthetic_zongping_R2000_gbk.dxf", "synthetic_zongping_R2013_utf8.dxf")


def real(data_dir: Path, name: str) -> SitePlan:
    return read(read_dxf(data_dir / "drawings" / name))


@pytest.mark.parametrize("name", PLANS)
def test_the_synthetic_site_plan(data_dir: Path, name: str) -> None:
    plan = real(data_dir, name)
    assert plan.convention == "bureau"
    assert area(plan, Role.SITE) == pytest.approx(9600, abs=1e-4)
    # 1号楼 has a rounded corner; the reader's chords take up to 1 cm of its sagitta.
    assert area(plan, Role.FOOTPRINT) == pytest.approx(1521.62, abs=0.04)
    assert area(plan, Role.BASEMENT) == pytest.approx(5500, abs=1e-4)
    ground = [one for one in plan.of(Role.GREEN) if one.kind != "屋顶"]
    assert sum(one.geometry.area for one in ground) == pytest.approx(1148, abs=1e-4)
    assert area(plan, Role.GREEN, "屋顶") == pytest.approx(200, abs=1e-4)
    assert len(plan.of(Role.PARKING)) == 20
    assert kinds(plan) == ["closed_gap", "dropped_duplicate", "hatch_ring"]
    assert plan.declared == pytest.approx(
        {
            "site_area_m2": 9600,
            "gfa_m2": 14200,
            "far_area_m2": 13440,
            "far": 1.4,
            "density": 0.1586,
            "green_ratio": 0.305,
        }
    )
    said = {one.building: (one.value, one.measured) for one in plan.of(Role.HEIGHT)}
    assert said == {"1号楼": (54.3, False), "2号楼": (12.6, False)}
    assert {one.building: (one.storeys, one.storeys_below) for one in plan.of(Role.FOOTPRINT)} == {
        "1号楼": (18, 1),
        "2号楼": (3, None),
    }
    line = plan.of(Role.BUILD_TO)[0].geometry
    over = shapely.union_all([one.geometry for one in plan.of(Role.FOOTPRINT)]).difference(line)
    assert over.area == pytest.approx(12.0, abs=1e-4)


def test_both_encodings_give_the_same(data_dir: Path) -> None:
    first, second = (real(data_dir, name) for name in PLANS)
    assert [(e.role, e.layer, e.handles, e.building, e.geometry.wkt) for e in first.elements] == [
        (e.role, e.layer, e.handles, e.building, e.geometry.wkt) for e in second.elements
    ]
    assert first.declared == second.declared
    assert first.repairs == second.repairs


def test_the_reader_in_its_own_process_gives_the_same(data_dir: Path) -> None:
    path = data_dir / "drawings" / PLANS[0]
    assert read(read_drawing(path)) == real(data_dir, PLANS[0])


def test_repairs_of_the_synthetic_plan_taken_back(data_dir: Path) -> None:
    drawing = read_dxf(data_dir / "drawings" / PLANS[1])
    ids = tuple(repair.id for repair in read(drawing).repairs)
    naive = read(drawing, undone_repairs=ids)
    assert [repair.undone for repair in naive.repairs if repair.id in ids] == [True, True, True]
    assert area(naive, Role.GREEN) == pytest.approx(928 + 280 + 280 + 200, abs=1e-4)
    assert area(naive, Role.FOOTPRINT) == pytest.approx(1521.62 - 852, abs=0.04)


def test_as_built(data_dir: Path) -> None:
    plan = real(data_dir, "synthetic_jungong_asbuilt_R2013.dxf")
    assert area(plan, Role.GREEN, "集中") == pytest.approx(868, abs=1e-4)
    assert area(plan, Role.GREEN, "宅旁") == 0
    assert plan.declared["footprint_m2"] == pytest.approx(area(plan, Role.FOOTPRINT), abs=0.04)
    assert {(one.building, one.value) for one in plan.of(Role.HEIGHT)} == {("1号楼", 54.3), ("2号楼", 13.35)}


def test_a_permit_sheet_with_plans_and_sections_beside_the_site_plan(data_dir: Path) -> None:
    plan = real(data_dir, "edcr_NIC.dxf")
    assert plan.convention == "edcr"
    assert area(plan, Role.SITE) == pytest.approx(200.40, abs=0.005)
    assert plan.declared["site_area_m2"] == pytest.approx(195)
    assert [round(one.value or 0, 2) for one in plan.of(Role.HEIGHT)] == [21.19, 21.19]
    assert all(one.measured and one.building == "BLK_1" for one in plan.of(Role.HEIGHT))
    assert area(plan, Role.FOOTPRINT) == pytest.approx(145.561, abs=1e-3)
    floors = {one.floor: one.geometry.area for one in plan.of(Role.FLOOR_AREA)}
    assert sorted(floors) == [1, 2, 3, 4, 5, 6]
    assert floors[1] == pytest.approx(75.476, abs=1e-3)
    x0, y0, x1, y1 = plan.region or (0, 0, 0, 0)
    assert shapely.box(x0, y0, x1, y1).contains(plan.of(Role.SITE)[0].geometry)
    assert x0 > 300  # floor plans stand left of it
    assert plan.unread["BLK_1_PARAPET_HT"] == 1
    assert plan.units.metres_per_unit == 1


def test_a_flat(data_dir: Path) -> None:
    plan = real(data_dir, "edcr_FLAT.dxf")
    assert area(plan, Role.SITE) == pytest.approx(306.48, abs=0.005)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(162.52, abs=0.005)
    assert {one.kind: round(one.value or 0, 2) for one in plan.of(Role.HEIGHT)} == {"": 9.75, "road_distance": 10.06}
    typical = next(one for one in plan.of(Role.FLOOR_AREA) if one.floor == 2)
    assert typical.floors == 2  # TYPICAL_FLOOR_PLAN=1,2
    assert area(plan, Role.FLOOR_AREA, "deduct") == pytest.approx(60.834, abs=1e-3)
    assert sorted(one.kind for one in plan.of(Role.PARKING)) == ["", "", "accessible"]


def test_a_survey_nobody_knows_the_layers_of(data_dir: Path) -> None:
    plan = real(data_dir, "comanda_survey_cp1251.dxf")
    assert (plan.convention, plan.elements, plan.units.metres_per_unit) == ("", (), 1.0)
    assert plan.units.header == 0.001
    assert {"review.no_convention", "review.unit_header_lies"} <= {*codes(plan), *(c for c, _ in plan.units.notes)}
    assert sum(plan.unread.values()) > 4000


def test_the_sample_town(sample_drawings: tuple[Path, dict[str, Any]]) -> None:
    folder, truth = sample_drawings
    for name in ("01_clean.dxf", "02_faulty.dxf", "03_approved.dxf"):
        plan, expected = read(read_dxf(folder / name)), truth["files"][name]
        indicators = expected["indicators"]
        assert area(plan, Role.SITE) == pytest.approx(indicators["site_area_m2"], abs=1e-3), name
        assert area(plan, Role.FOOTPRINT) == pytest.approx(indicators["footprint_m2"], abs=1e-3), name
        assert area(plan, Role.GREEN) == pytest.approx(indicators["green_m2"], abs=1e-3), name
        assert len(plan.of(Role.PARKING)) == indicators["parking"], name
        counted = sum(
            (e.coefficient or 0) * e.floors * e.geometry.area for e in plan.of(Role.FLOOR_AREA) if e.counts_far
        )
        assert counted == pytest.approx(indicators["far_area_m2"], abs=1e-3), name
        tall = {one.building: one.value for one in plan.of(Role.HEIGHT) if one.measured}
        assert tall == pytest.approx({b["name"]: b["height_m"] for b in indicators["buildings"]}, abs=1e-6), name
        assert plan.units.metres_per_unit == 1
        for key in ("far", "green_ratio", "height_m", "households"):
            assert plan.declared[key] == pytest.approx(expected["declared"][key], abs=0.006), (name, key)
    faulty = read(read_dxf(folder / "02_faulty.dxf"))
    assert sorted(kinds(faulty)) == ["closed_gap", "dropped_duplicate", "dropped_duplicate"]
    assert "review.unit_header_lies" in codes(faulty)
    assert faulty.declared["parking"] == 608
    assert "parking" not in faulty.roles


def test_the_sample_survey(sample_drawings: tuple[Path, dict[str, Any]]) -> None:
    folder, truth = sample_drawings
    plan, expected = read(read_dxf(folder / "03_asbuilt.dxf")), truth["files"]["03_asbuilt.dxf"]["indicators"]
    assert plan.convention == "cass"
    assert area(plan, Role.SITE) == pytest.approx(expected["site_area_m2"], abs=1e-3)
    assert area(plan, Role.VEGETATION) == pytest.approx(expected["green_m2"], abs=1e-3)
    assert {one.building: one.value for one in plan.of(Role.HEIGHT)} == pytest.approx(
        {b["name"]: b["height_m"] for b in expected["buildings"]}
    )
    assert {one.building: one.storeys for one in plan.of(Role.FOOTPRINT)} == {
        b["name"]: b["storeys"] for b in expected["buildings"]
    }
    assert sorted(one.text for one in plan.of(Role.CONTROL_POINT)) == ["BH001", "BH002", "BH003"]
    assert len(plan.of(Role.BALCONY)) == 12
    assert all(one.building for one in plan.of(Role.BALCONY))


def test_other_formats_are_not_read_by_layers(data_dir: Path) -> None:
    from dataclasses import replace

    drawing = replace(read_dxf(data_dir / "drawings" / PLANS[1]), format=DrawingFormat.IFC)
    plan = read(drawing)
    assert (plan.elements, plan.notes, plan.units.metres_per_unit) == ((), (), 1.0)
