"""The planted differences of the real data's survey and of the town's project are found, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner_app.domain.finding import Finding, Verdict
from planner_app.project import Project
from plugins.review.model.asbuilt.compare import as_built_json, compare_as_built
from plugins.review.model.asbuilt.types import AsBuilt
from plugins.review.model.cases import opened as opening
from plugins.review.model.cases.workflow import import_drawing
from tests.helpers.plugin_rules import rules_of


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Project]:
    opening.forget()
    with Project.create(tmp_path / "town.sqlite", getattr(request, "param", "EPSG:4549")) as made:
        yield made


def compared(project: Project, approved: Path, survey: Path) -> AsBuilt:
    plan = import_drawing(project, approved)
    built = import_drawing(project, survey, case=plan.case.number, kind="as_built")
    return compare_as_built(project, plan.record.number, built.record.number, rules=rules_of("asbuilt."))


def failed(found: AsBuilt) -> dict[tuple[str, str], Finding]:
    hits = [one for one in found.findings if one.verdict is Verdict.FAIL]
    return {(one.rule.removeprefix("asbuilt."), one.feature): one for one in hits}


@pytest.mark.data
@pytest.mark.parametrize("project", ["EPSG:4528"], indirect=True)
@pytest.mark.parametrize("approved", ["synthetic_zongping_R2000_gbk.dxf", "synthetic_zongping_R2013_utf8.dxf"])
def test_the_synthetic_survey(project: Project, data_dir: Path, approved: str) -> None:
    """2号楼 moved +0.35/−0.12, 4F/13.35 m instead of 3F/12.60; 1号楼 0.6 m deeper; 宅旁绿地 not built."""
    folder = data_dir / "drawings"
    found = compared(project, folder / approved, folder / "synthetic_jungong_asbuilt_R2013.dxf")
    assert found.verdict is Verdict.FAIL
    hits = failed(found)
    assert set(hits) == {
        ("position", "2号楼"), ("storeys", "2号楼"), ("height", "2号楼"), ("setback", "2号楼"), ("outline", "1号楼"),
        ("footprint", "1号楼"), ("setback", "1号楼"), ("green", "宅旁"), ("green", ""),
    }  # fmt: skip
    rows = {row["name"]: row for row in as_built_json(found)["buildings"]}
    assert (rows["2号楼"]["dx_m"], rows["2号楼"]["dy_m"]) == pytest.approx((0.35, -0.12), abs=1e-4)
    assert (rows["2号楼"]["storeys_approved"], rows["2号楼"]["storeys_built"]) == (3, 4)
    assert (rows["2号楼"]["height_m_approved"], rows["2号楼"]["height_m_built"]) == (12.6, 13.35)
    assert rows["2号楼"]["outline_m"] == pytest.approx(0.0, abs=0.01)
    assert (rows["1号楼"]["dx_m"], rows["1号楼"]["dy_m"]) == pytest.approx((0.0, 0.0), abs=1e-4)
    assert rows["1号楼"]["corner_m"] == pytest.approx(0.6, abs=1e-4)
    assert hits["green", "宅旁"].declared == pytest.approx(280.0)
    assert (hits["green", ""].declared, hits["green", ""].measured) == pytest.approx((1148.0, 868.0))
    assert {one.feature for one in found.findings if one.blocking} == {"2号楼", "宅旁", ""}


@pytest.fixture(scope="module")
def town(sample_folder: Path) -> tuple[Path, dict[str, Any]]:
    """The drawings of the sample town with the truth about them."""
    folder = sample_folder / "sample_drawings"
    return folder, json.loads((folder / "truth.json").read_text(encoding="utf-8"))["files"]


def test_the_towns_survey_on_cass_layers(project: Project, town: tuple[Path, dict[str, Any]]) -> None:
    """One block moved, one larger, one taller, less green; the rest within the surveyor's centimetres."""
    folder, truth = town
    found = compared(project, folder / "03_approved.dxf", folder / "03_asbuilt.dxf")
    assert found.facts.survey.plan.convention == "cass"
    planted = {one["kind"]: one for one in truth["03_asbuilt.dxf"]["faults"]}
    hits = failed(found)
    moved, larger = planted["moved"], planted["enlarged"]
    assert {key for key in hits if key[0] not in ("setback", "green")} == {
        ("position", moved["building"]), ("outline", larger["building"]), ("footprint", larger["building"]),
        ("height", planted["taller"]["building"]),
    }  # fmt: skip
    assert hits["position", moved["building"]].measured == pytest.approx(moved["distance_m"], abs=0.05)
    more = hits["footprint", larger["building"]]
    assert (more.measured or 0) - (more.declared or 0) == pytest.approx(larger["footprint_more_m2"], abs=0.01)
    high = hits["height", planted["taller"]["building"]]
    assert (high.measured or 0) - (high.declared or 0) == pytest.approx(planted["taller"]["more_m"], abs=0.001)
    green = hits["green", ""]
    assert (green.declared or 0) - (green.measured or 0) == pytest.approx(planted["green_less"]["area_m2"], abs=0.5)
    built, approved = truth["03_asbuilt.dxf"]["indicators"], truth["03_approved.dxf"]["indicators"]
    for key in ("site_area_m2", "footprint_m2", "density", "green_m2", "green_ratio", "height_m"):
        assert found.facts.before.value(key) == pytest.approx(approved[key], rel=1e-6)
        assert found.facts.after.value(key) == pytest.approx(built[key], rel=1e-6)
    unknown = {one.rule for one in found.findings if one.verdict is Verdict.CANNOT_JUDGE}
    assert unknown == {"asbuilt.floor_area", "asbuilt.far", "asbuilt.parking"}
