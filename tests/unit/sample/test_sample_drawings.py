"""Site plans of the sample: layers by the convention, true indicators, planted faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from sample_projects.drawings import write_drawings
from sample_projects.tables import Table, to_world
from sample_projects.town import Sample

ezdxf = pytest.importorskip("ezdxf")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> tuple[Path, dict[str, Any], Table]:
    folder = tmp_path_factory.mktemp("drawings")
    zoning = sample.table("zoning_parcels")
    return folder, write_drawings(sample.town, zoning, folder), zoning


def rings(folder: Path, file: str, prefix: str) -> dict[str, list[shapely.Polygon]]:
    """Areas of a drawing by layer; a ring left open is closed."""
    found: dict[str, list[shapely.Polygon]] = {}
    for entity in ezdxf.readfile(folder / file).modelspace().query("LWPOLYLINE"):
        if entity.dxf.layer.startswith(prefix):
            xy = np.array([point[:2] for point in entity.get_points()])
            found.setdefault(entity.dxf.layer, []).append(shapely.Polygon(xy))
    return found


def total(found: dict[str, list[shapely.Polygon]]) -> float:
    return sum(shape.area for shapes in found.values() for shape in shapes)


def test_the_truth_stands_beside_the_drawings(made):
    folder, truth, _ = made
    assert json.loads((folder / "truth.json").read_text(encoding="utf-8")) == json.loads(json.dumps(truth))
    assert set(truth["files"]) == {path.name for path in folder.glob("*.dxf")}
    assert len(truth["files"]) == 4


@pytest.mark.parametrize("file", ["01_clean.dxf", "03_approved.dxf"])
def test_a_clean_drawing_keeps_every_limit_of_its_parcel(made, file):
    folder, truth, zoning = made
    about = truth["files"][file]
    limits, shown = about["limits"], about["indicators"]
    row = zoning.columns["parcel_no"].index(about["parcel"])
    for key, value in limits.items():
        assert zoning.columns[key][row] == value
    site = next(iter(rings(folder, file, "A-REDL" if "03" in file else "YDHX").values()))[0]
    assert site.symmetric_difference(to_world([zoning.shapes[row]])[0]).area < 0.5
    footprint = shapely.union_all([g for shapes in rings(folder, file, "JZJD").values() for g in shapes])
    floors = rings(folder, file, "MJ-")
    far_area = sum(
        {"全": 1.0, "半": 0.5}[layer.split("-")[-2]] * sum(g.area for g in shapes)
        for layer, shapes in floors.items()
        if layer.endswith("-计容")
    )
    assert site.area == pytest.approx(shown["site_area_m2"], abs=1e-3)
    assert footprint.area == pytest.approx(shown["footprint_m2"], abs=1e-2)
    assert far_area / site.area == pytest.approx(shown["far"], abs=1e-6)
    assert total(rings(folder, file, "LD-")) == pytest.approx(shown["green_m2"], abs=1e-2)
    assert 0.9 * limits["far_max"] < shown["far"] <= limits["far_max"]
    assert footprint.area / site.area <= limits["density_max_pct"] / 100
    assert shown["green_ratio"] >= limits["green_min_pct"] / 100
    assert shown["height_m"] <= limits["height_max_m"]
    assert site.exterior.distance(footprint) >= limits["setback_m"]
    build_to = rings(folder, file, "JZKZX")["JZKZX-建筑控制线"][0]
    assert build_to.buffer(0.001).contains(footprint)
    assert shown["parking"] >= shown["households"]
    assert about["faults"] == []


def test_green_parking_and_buildings_do_not_overlap(made):
    folder, _, _ = made
    shapes = [
        g for prefix in ("LD-", "JZJD") for found in rings(folder, "01_clean.dxf", prefix).values() for g in found
    ]
    shapes += rings(folder, "01_clean.dxf", "TCW")["TCW"]
    assert sum(g.area for g in shapes) == pytest.approx(shapely.union_all(shapes).area, abs=0.5)


def test_heights_are_dimensions(made):
    folder, truth, _ = made
    for file in ("01_clean.dxf", "02_faulty.dxf"):
        measured = {
            entity.dxf.layer: entity.get_measurement()
            for entity in ezdxf.readfile(folder / file).modelspace().query("DIMENSION")
            if entity.dxf.layer.startswith("GD-")
        }
        for building in truth["files"][file]["indicators"]["buildings"]:
            assert measured[f"GD-{building['name']}"] == pytest.approx(building["height_m"], abs=1e-3)


def test_planted_faults_are_in_the_faulty_drawing(made):
    folder, truth, _ = made
    about = truth["files"]["02_faulty.dxf"]
    faults = {fault["kind"]: fault for fault in about["faults"]}
    assert len(faults) >= 8
    assert about["indicators"]["setback_m"] == pytest.approx(faults["setback"]["limit_m"] - 0.6, abs=0.01)
    build_to = rings(folder, "02_faulty.dxf", "JZKZX")["JZKZX-建筑控制线"][0]
    ground = rings(folder, "02_faulty.dxf", "JZJD")
    victim = ground[f"JZJD-{faults['setback']['building']}-建筑基底"][0]
    assert victim.difference(build_to).area == pytest.approx(faults["setback"]["encroachment_m2"], abs=0.05)
    green = [g for shapes in rings(folder, "02_faulty.dxf", "LD-").values() for g in shapes]
    assert sum(g.area for g in green) - shapely.union_all(green).area == pytest.approx(
        faults["green_counted_twice"]["area_m2"], abs=0.1
    )
    assert (
        about["indicators"]["green_ratio"] < about["limits"]["green_min_pct"] / 100 < about["declared"]["green_ratio"]
    )
    assert about["indicators"]["far"] > about["limits"]["far_max"] > about["declared"]["far"]
    assert len(ground[f"JZJD-{faults['duplicate_footprint']['building']}-建筑基底"]) == 2
    document = ezdxf.readfile(folder / "02_faulty.dxf")
    assert document.header["$INSUNITS"] == 4
    assert "TCW" in document.layers
    assert not document.modelspace().query('LWPOLYLINE[layer=="TCW"]')
    open_rings = [
        e for e in document.modelspace().query("LWPOLYLINE") if e.dxf.layer.startswith("JZJD") and not e.closed
    ]
    first, last = (np.array(open_rings[0].get_points()[k][:2]) for k in (0, -1))
    assert np.hypot(*(first - last)) == pytest.approx(0.03, abs=1e-6)


def test_the_survey_is_on_cass_layers_and_differs_as_told(made):
    folder, truth, _ = made
    document = ezdxf.readfile(folder / "03_asbuilt.dxf")
    assert {"JMD", "DLSS", "ZBTZ", "KZD"} <= {layer.dxf.name for layer in document.layers}
    approved, built = truth["files"]["03_approved.dxf"], truth["files"]["03_asbuilt.dxf"]
    assert built["approved"] == "03_approved.dxf"
    assert {fault["kind"] for fault in built["faults"]} == {"moved", "enlarged", "taller", "green_less"}
    surveyed = total(rings(folder, "03_asbuilt.dxf", "JMD")) - total(rings(folder, "03_asbuilt.dxf", "JMD-"))
    assert surveyed == pytest.approx(built["indicators"]["footprint_m2"], abs=0.01)
    assert built["indicators"]["footprint_m2"] > approved["indicators"]["footprint_m2"] + 10


def test_drawings_declare_their_indicators_in_chinese(made):
    folder, truth, _ = made
    document = ezdxf.readfile(folder / "01_clean.dxf")
    words = [text.dxf.text for text in document.modelspace().query("TEXT") if text.dxf.layer.startswith("JJZB")]
    shown = dict(zip(words[::2], words[1::2], strict=True))
    about = truth["files"]["01_clean.dxf"]
    assert shown["项目名称"] == about["project"]
    assert float(shown["容积率"]) == pytest.approx(about["indicators"]["far"], abs=0.005)
    assert document.header["$INSUNITS"] == 6
    known = [e for e in document.modelspace().query("DIMENSION") if e.dxf.layer == "BZ-标注"]
    assert 5 < known[0].get_measurement() < 60
