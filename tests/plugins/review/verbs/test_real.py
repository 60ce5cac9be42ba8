"""Every truth of the real data, by the verbs that acceptance uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner_app.cli import run_verb
from planner_app.project import Project
from plugins.review.model.cases import opened as opening

pytestmark = pytest.mark.data


@pytest.fixture
def review(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """``review(verb, …)`` on a project in EPSG:4528; an import takes the name of a drawing of the real data."""
    opening.forget()
    path = tmp_path / "p.sqlite"
    Project.create(path, "EPSG:4528").close()

    def run(verb: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        given = list(arguments)
        if verb == "import":
            given[0] = str(data_dir / "drawings" / given[0])
        assert run_verb(["review", verb, str(path), *given, "--json"]) == code
        return dict(json.loads(capsys.readouterr().out))

    return run


def plain(indicators: dict[str, Any]) -> dict[str, Any]:
    """Figures without handles, which two files need not share."""
    rows = [{k: v for k, v in one.items() if k != "handles"} for one in indicators["buildings"]]
    return {**indicators, "buildings": rows}


def test_both_encodings_give_the_same_numbers(review: Any) -> None:
    first = review("import", "synthetic_zongping_R2000_gbk.dxf")
    second = review("import", "synthetic_zongping_R2013_utf8.dxf")
    assert plain(first["indicators"]) == plain(second["indicators"])
    for key in ("layers", "declared", "entities", "repairs", "warnings"):
        assert first[key] == second[key], key
    found = first["indicators"]
    assert found["site_area_m2"] == pytest.approx(9600)
    assert found["footprint_m2"] == pytest.approx(1521.61, abs=0.05)
    assert found["density"] == pytest.approx(0.1585, abs=5e-5)
    assert found["green_m2"] == pytest.approx(1148, abs=0.01)
    assert found["green_ratio"] == pytest.approx(0.1196, abs=5e-5)
    assert (found["gfa_m2"], found["far"]) == (None, None)
    assert first["declared"]["green_ratio"] == 0.305
    assert {"closed_gap", "dropped_duplicate", "hatch_ring"} <= {one["kind"] for one in first["repairs"]}
    checked = review("check", first["drawing"], code=1)
    assert checked["verdict"] == "fail"
    over = next(one for one in checked["findings"] if one["rule"] == "review.over_build_to")
    assert (over["verdict"], over["feature"], over["measured"]) == ("fail", "2号楼", pytest.approx(12.0, abs=0.01))
    assert over["evidence"]["type"] in ("Polygon", "MultiPolygon")
    east = [one for one in found["setbacks"] if (one["building"], one["to"], one["bearing"]) == ("2号楼", "site", "E")]
    assert [one["distance_m"] for one in east] == [pytest.approx(7.40, abs=0.005)]


def test_permit_sheets(review: Any) -> None:
    nic = review("import", "edcr_NIC.dxf")
    assert nic["entities"] == 4512
    assert nic["indicators"]["site_area_m2"] == pytest.approx(200.40, abs=0.005)
    assert nic["indicators"]["height_m"] == pytest.approx(21.19, abs=0.005)
    assert nic["declared"]["site_area_m2"] == 195
    flat = review("import", "edcr_FLAT.dxf")
    assert flat["indicators"]["footprint_m2"] == pytest.approx(162.52, abs=0.005)
    assert flat["indicators"]["site_area_m2"] == pytest.approx(306.48, abs=0.005)


def test_revision_b(review: Any) -> None:
    first = review("import", "edcr_NIC.dxf")
    second = review("import", "edcr_NIC_revB.dxf", "--replaces", first["drawing"])
    assert (second["case"], second["revision"]) == (first["case"], 2)
    found = review("diff", first["drawing"], second["drawing"])
    assert (found["added"], found["removed"]) == ([], [])
    whats = {one["handle"]: one["what"] for one in found["changed"]}
    assert set(whats) == {"364EF", "31E"}
    assert "0.500 m" in whats["364EF"]
    assert "rev B" in whats["31E"]
    back = review("diff", second["sha256"], first["sha256"])
    assert {one["handle"] for one in back["changed"]} == {"364EF", "31E"}


def test_models(review: Any) -> None:
    duplex = review("import", "Duplex_A_georef.ifc")["indicators"]
    assert duplex["footprint_m2"] == pytest.approx(156.6, abs=0.1)
    assert duplex["gfa_m2"] == pytest.approx(2 * 156.6, abs=0.2)
    assert [one["storeys"] for one in duplex["buildings"]] == [2]
    tall = review("import", "whale_TallBuilding.ifc")["indicators"]
    assert [one["storeys"] for one in tall["buildings"]] == [4]
    assert tall["gfa_m2"] == pytest.approx(4 * 67.2, abs=0.5)


def test_other_formats(review: Any) -> None:
    error = review("import", "contoso_Level_2_UNREADABLE.dwg", code=2)["error"]
    assert error["message"] != error["code"]
    assert error["hint"]
    dwg = review("import", "schependomlaan_BG_water_AC1024.dwg")
    assert (dwg["format"], dwg["entities"]) == ("dwg", 6377)
    pdf = review("import", "schep_planning.pdf")
    assert (pdf["format"], pdf["entities"]) == ("pdf", pytest.approx(90_974, abs=5))
    assert [one["drawing"] for one in review("drawings")["drawings"]] == ["D-0001", "D-0002"]


def test_as_built(review: Any) -> None:
    plan = review("import", "synthetic_zongping_R2013_utf8.dxf")["drawing"]
    survey = review("import", "synthetic_jungong_asbuilt_R2013.dxf")["drawing"]
    found = review("asbuilt", plan, survey, code=1)
    assert found["verdict"] == "fail"
    second = next(one for one in found["buildings"] if one["name"] == "2号楼")
    assert (second["dx_m"], second["dy_m"]) == pytest.approx((0.35, -0.12), abs=1e-3)
    assert (second["storeys_built"], second["height_m_built"]) == (4, 13.35)
