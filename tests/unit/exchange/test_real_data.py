"""Real files: Cambridge's plans and parcels, Hangzhou's land use, PLATEAU city models, drawings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from planner_app.project.exchange import ImportReport, import_layer, inspect

pytestmark = pytest.mark.data


def _shapes(project: Project, report: ImportReport) -> np.ndarray:
    return shapely.from_wkb(project.read(report.layer.id).geometry)


def test_cambridge_reference_overlap(tmp_path: Path, data_dir: Path) -> None:
    """Zoning × overlay districts, pairs over 1 m²: 197, 5,474,879.389 m² (computed with GEOS in EPSG:26986)."""
    folder = data_dir / "cambridge"
    with Project.create(tmp_path / "cambridge.sqlite", "EPSG:26986") as project:
        zoning = import_layer(project, folder / "CDD_ZoningDistricts.geojson")
        overlay = import_layer(project, folder / "CDD_ZoningOverlayDistricts.geojson")
        a, b = _shapes(project, zoning), _shapes(project, overlay)
    assert (zoning.features, overlay.features) == (261, 53)
    assert (zoning.layer.class_field, zoning.layer.class_standard) == ("ZONE_TYPE", "text")
    left, right = shapely.STRtree(b).query(a, predicate="intersects")
    areas = shapely.area(shapely.intersection(a[left], b[right]))
    assert (areas > 1.0).sum() == 197
    assert areas[areas > 1.0].sum() == pytest.approx(5_474_879.389, rel=1e-6)


def test_dirty_parcels_lose_nothing_unnamed(tmp_path: Path, data_dir: Path) -> None:
    with Project.create(tmp_path / "cambridge.sqlite", "EPSG:26986") as project:
        report = import_layer(project, data_dir / "cambridge" / "derived_parcels_fy2014_tax.gpkg")
        shapes = _shapes(project, report)
    assert report.features + len(report.rejected) == 13_116
    assert [(note.row, note.reason) for note in report.rejected] == [(1896, "import.empty_geometry")]
    assert {note.reason for note in report.repaired} == {"repair.mixed_geometry"}
    assert len(report.repaired) == 17
    assert shapely.is_valid(shapes).all()
    assert (shapely.area(shapes) > 0).all()


def test_topojson_without_crs_is_asked_for(tmp_path: Path, data_dir: Path) -> None:
    source = data_dir / "cambridge" / "BASEMAP_Roads.topojson"
    with Project.create(tmp_path / "cambridge.sqlite", "EPSG:26986") as project:
        with pytest.raises(PlannerError) as error:
            import_layer(project, source)
        assert error.value.code == "import.crs_missing"
        assert import_layer(project, source, crs="EPSG:4326").warnings == []


def test_hangzhou_in_cgcs2000(project: Project, data_dir: Path) -> None:
    report = import_layer(project, data_dir / "hangzhou" / "hangzhou-landuse.geojson")
    assert report.features + len(report.rejected) == 8_707
    assert any("\u4e00" <= letter <= "\u9fff" for letter in "".join(map(str, _columns_text(project, report))))
    west, south, east, north = shapely.total_bounds(_shapes(project, report))
    assert 4.5e5 < west < east < 5.7e5
    assert 3.2e6 < south < north < 3.5e6
    assert "import.far_away" not in {note.code for note in report.warnings}


def _columns_text(project: Project, report: ImportReport) -> list[object]:
    columns = project.read(report.layer.id, geometry=False).columns
    return [value for values in columns.values() for value in values if value is not None]


@pytest.mark.parametrize(
    ("name", "layers", "box"),
    [
        ("takeo-shi_urf_493060_urf_6668_op.gml", {"UseDistrict": ("polygon", 40)}, (129.9, 33.1, 130.2, 33.3)),
        ("numazu-shi_luse_523836_luse_6668_op.gml", {"LandUse": ("polygon", 225)}, (138.8, 34.9, 138.9, 35.1)),
        (
            "elec_53403039_unf_6697.gml",
            {"Duct": ("polygon", 1), "ElectricityCable": ("line", 1)},
            (140.1, 35.6, 140.2, 35.7),
        ),
        (
            "sewer_53403039_unf_6697.gml",
            {"SewerPipe": ("line", 3), "Manhole": ("point", 3)},
            (140.1, 35.6, 140.2, 35.7),
        ),
        ("yokosuka-shi_bldg_52397519_bldg_6697_op.gml", {"Building": ("polygon", 13)}, (139.7, 35.2, 139.8, 35.3)),
    ],
)
def test_city_models_lie_where_they_are(
    data_dir: Path, name: str, layers: dict[str, tuple[str, int]], box: tuple[float, float, float, float]
) -> None:
    """Longitude first for every layer of every file (GDAL leaves some of them turned) and every feature counted."""
    source = data_dir / "plateau" / name
    info = inspect(source)
    found = {layer.name: layer for layer in info.layers}
    for layer, (geometry, count) in layers.items():
        assert (found[layer].geometry, found[layer].features) == (geometry, count)
        assert found[layer].crs == "EPSG:6668"
        west, south, east, north = found[layer].extent or (0, 0, 0, 0)
        assert box[0] < west <= east < box[2]
        assert box[1] < south <= north < box[3]
    assert not source.with_suffix(".gfs").exists()  # GDAL would leave one beside the source


def test_use_districts_with_ratios_and_code_names(tmp_path: Path, data_dir: Path) -> None:
    with Project.create(tmp_path / "takeo.sqlite", "EPSG:6670") as project:
        source = data_dir / "plateau" / "takeo-shi_urf_493060_urf_6668_op.gml"
        report = import_layer(project, source, sublayer="UseDistrict")
        columns = project.read(report.layer.id, geometry=False).columns
        hectares = shapely.area(_shapes(project, report)) / 1e4
    assert set(columns) >= {"floorAreaRate", "buildingCoverageRate", "wallSetbackDistance", "function_name"}
    assert columns["function_name"][0] == "第2種低層住居専用地域"
    stated = np.array([np.nan if value is None else value for value in columns["nominalArea"]])
    # The plan's own figures are for a whole class of districts; none is larger than what it says by much.
    assert (hectares <= np.nan_to_num(stated, nan=np.inf) * 1.1).mean() > 0.9


@pytest.mark.parametrize("name", ["synthetic_zongping_R2000_gbk.dxf", "synthetic_zongping_R2013_utf8.dxf"])
def test_drawings_in_both_encodings(tmp_path: Path, data_dir: Path, name: str) -> None:
    """The planted truth: a site of 9,600 m² on the layer YDHX-用地红线."""
    with Project.create(tmp_path / "site.sqlite", "EPSG:4528") as project:
        report = import_layer(project, data_dir / "drawings" / name, sublayer="polygons", crs="EPSG:4528")
        table = project.read(report.layer.id)
    site = [at for at, layer in enumerate(table.columns["layer"]) if layer == "YDHX-用地红线"]
    assert shapely.area(shapely.from_wkb(table.geometry[site])).tolist() == pytest.approx([9600.0])
