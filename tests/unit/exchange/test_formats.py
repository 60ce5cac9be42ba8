"""Every format into the project and out again: values, encodings, coordinates; what is wrong with a file is named."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import PlanKind
from planner_app.project import Project
from planner_app.project.exchange import export_layer, import_layer, inspect, read_boundary_points

EAST, NORTH = 509_000.0, 2_944_000.0


def _square(x: float = EAST, y: float = NORTH, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(x, y, x + side, y + side)


def _shapefile(path: Path, encoding: str, cpg: str | None, names: list[str], crs: str | None = "EPSG:4549") -> None:
    shapes = shapely.to_wkb([_square(EAST + 200 * at) for at in range(len(names))])
    codes = np.array(["070102", "0101", "1401"][: len(names)], dtype=object)
    pyogrio.raw.write(
        str(path), geometry=shapes, field_data=[np.array(names, dtype=object), codes], fields=["MC", "DLBM"],
        driver="ESRI Shapefile", geometry_type="Polygon", crs=crs, encoding=encoding,
    )  # fmt: skip
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg, encoding="ascii")


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("GBK", None), ("GBK", "GBK"), ("UTF-8", "UTF-8"), ("UTF-8", None), ("GBK", "UTF-8")]
)
def test_a_shapefiles_chinese_is_read_whatever_its_encoding(
    project: Project, tmp_path: Path, encoding: str, cpg: str | None
) -> None:
    path = tmp_path / "DLTB.shp"
    names = ["滨海新城永久基本农田", "水田", "公园绿地"]
    _shapefile(path, encoding, cpg, names)

    report = import_layer(project, path, plan=PlanKind.LAND_USE)

    table = project.read(report.layer.id)
    assert table.columns["MC"] == names
    assert report.layer.class_field == "DLBM"
    assert report.layer.class_standard == "dltb"
    wrong = [note for note in report.warnings if note.code == "import.encoding_overruled"]
    assert bool(wrong) == (encoding == "GBK" and cpg == "UTF-8")
    assert [plan.kind for plan in project.plans()] == [PlanKind.LAND_USE]


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")  # that is what the file is for
def test_a_missing_crs_is_asked_for_and_an_override_is_told(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "plan.shp"
    _shapefile(path, "UTF-8", "UTF-8", ["a"], crs=None)
    with pytest.raises(PlannerError) as error:
        import_layer(project, path)
    assert error.value.code == "import.crs_missing"
    assert project.layers() == []

    assert import_layer(project, path, crs="EPSG:4549").layer.source_crs == "EPSG:4549"
    _shapefile(path, "UTF-8", "UTF-8", ["a"], crs="EPSG:4549")
    codes = [note.code for note in import_layer(project, path, crs="EPSG:4548").warnings]
    assert "import.crs_overridden" in codes


def test_between_chinese_datums_nothing_moves_by_guess(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "xian80.shp"
    _shapefile(path, "UTF-8", "UTF-8", ["a"], crs="EPSG:2385")
    with pytest.raises(PlannerError) as error:
        import_layer(project, path)
    assert error.value.code == "crs.ballpark"


def test_geojson_is_in_degrees_and_comes_back_where_it_was(project: Project, tmp_path: Path) -> None:
    first = tmp_path / "first.geojson"
    ring = [[120.09, 26.60], [120.10, 26.60], [120.10, 26.61], [120.09, 26.60]]
    feature = {
        "type": "Feature",
        "properties": {"面积": 0.1 + 0.2, "n": 9_007_199_254_740_993, "开": True, "空": None},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    first.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    layer = import_layer(project, first).layer
    table = project.read(layer.id)
    assert table.columns["面积"] == [0.1 + 0.2]
    assert table.columns["n"] == [9_007_199_254_740_993]

    out = tmp_path / "out.geojson"
    report = export_layer(project, layer.id, out)
    assert report.crs == "EPSG:4326"
    again = json.loads(out.read_text(encoding="utf-8"))["features"][0]
    back = shapely.geometry.shape(again["geometry"])
    assert shapely.hausdorff_distance(back, shapely.Polygon(ring)) < 1e-8
    assert again["properties"] == {"面积": 0.1 + 0.2, "n": 9_007_199_254_740_993, "开": True, "空": None}


def test_geojson_in_metres_is_not_taken_for_degrees(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "metres.geojson"
    geometry = json.loads(shapely.to_geojson(_square()))
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    with pytest.raises(PlannerError) as error:
        import_layer(project, path)
    assert error.value.code == "import.crs_missing"
    layer = import_layer(project, path, crs="EPSG:4549").layer
    assert shapely.area(shapely.from_wkb(project.read(layer.id).geometry))[0] == pytest.approx(10_000.0)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".csv", ".xlsx", ".geojson"])
def test_what_is_exported_holds_every_row(project: Project, tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "source.shp"
    _shapefile(source, "UTF-8", "UTF-8", ["甲", "乙", "丙"])
    layer = import_layer(project, source, name="规划用地").layer
    out = tmp_path / f"out{suffix}"
    out.write_bytes(b"an older file")
    assert export_layer(project, layer.id, out).features == 3

    if suffix == ".xlsx":
        import openpyxl

        rows = list(openpyxl.load_workbook(out).active.values)
        assert rows[0] == ("MC", "DLBM", "area_m2")
        assert [row[0] for row in rows[1:]] == ["甲", "乙", "丙"]
        assert rows[1][2] == pytest.approx(10_000.0)
    else:
        again = import_layer(project, out, crs="" if suffix != ".csv" else "EPSG:4549", name="again")
        assert project.read(again.layer.id).columns["MC"] == ["甲", "乙", "丙"]
        area = shapely.area(shapely.from_wkb(project.read(again.layer.id).geometry)).sum()
        assert area == pytest.approx(30_000.0, rel=1e-6)
    assert not list(tmp_path.glob(".export-*"))


def test_shapefile_names_are_cut_and_told(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "long.geojson"
    properties = {"规划用地性质代码": "R2", "规划用地性质名称": "居住"}
    ring = [[120.0, 26.0], [120.001, 26.0], [120.001, 26.001], [120.0, 26.0]]
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    layer = import_layer(project, path).layer
    report = export_layer(project, layer.id, tmp_path / "out.shp")
    assert [note.code for note in report.warnings] == ["export.field_renamed"] * 2
    names = pyogrio.read_info(tmp_path / "out.shp")["fields"]
    assert len(set(names)) == 2


def test_never_over_the_project_itself(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "plan.shp"
    _shapefile(path, "UTF-8", "UTF-8", ["a"])
    layer = import_layer(project, path).layer
    link = tmp_path / "link.gpkg"
    link.hardlink_to(project.path)
    with pytest.raises(PlannerError) as error:
        export_layer(project, layer.id, link)
    assert error.value.code == "export.own_project"
    with pytest.raises(PlannerError) as error:
        import_layer(project, project.path)
    assert error.value.code == "import.own_project"


def test_bad_rows_are_repaired_or_rejected_by_number(project: Project, tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    shapes = [
        _square(),
        shapely.transform(bow, lambda xy: xy + np.array([EAST, NORTH])),
        None,
        shapely.Polygon(),
        _square(),
    ]
    path = tmp_path / "dirty.gpkg"
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(shapes), field_data=[np.arange(5)], fields=["n"], driver="GPKG",
        geometry_type="Polygon", crs="EPSG:4549",
    )  # fmt: skip
    report = import_layer(project, path)
    assert [(note.row, note.reason) for note in report.repaired] == [(2, "repair.self_intersection")]
    assert {note.row for note in report.rejected} == {3, 4}
    assert project.read(report.layer.id).columns["n"] == [0, 1, 4]
    assert shapely.is_valid(shapely.from_wkb(project.read(report.layer.id).geometry)).all()


def test_csv_with_bad_rows_leading_zeros_and_survey_axes(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    rows = ["编号,X,Y,代码", f"1,{NORTH},{EAST},0702", "2,abc,5,0101", f"3,{NORTH + 5},{EAST + 5},1401"]
    path.write_bytes("\n".join(rows).encode("gbk"))
    report = import_layer(project, path, crs="EPSG:4549")
    assert [note.code for note in report.warnings] == ["import.xy_north_east"]
    assert [(note.row, note.reason) for note in report.rejected] == [(2, "import.bad_coordinates")]
    table = project.read(report.layer.id)
    assert table.columns["代码"] == ["0702", "1401"]
    point = shapely.from_wkb(table.geometry[0])
    assert (shapely.get_x(point), shapely.get_y(point)) == (EAST, NORTH)


BOUNDARY = f"""[属性描述]
坐标系=2000国家大地坐标系
几度分带=3
带号=40
[地块坐标]
5,1.0,GA-01,甲地块,面,,工业,1001,@
J1,1,{NORTH},{40e6 + EAST}
J2,1,{NORTH + 100},{40e6 + EAST}
J3,1,{NORTH + 100},{40e6 + EAST + 100}
J4,1,{NORTH},{40e6 + EAST + 100}
J1,1,{NORTH},{40e6 + EAST}
J5,2,{NORTH + 10},{40e6 + EAST + 10}
J6,2,{NORTH + 20},{40e6 + EAST + 10}
J7,2,{NORTH + 20},{40e6 + EAST + 20}
J8,2,{NORTH + 10},{40e6 + EAST + 20}
4,0.01,GA-02,乙地块,面,,居住,070102,@
J1,1,{NORTH + 300},{40e6 + EAST}
J2,1,{NORTH + 310},{40e6 + EAST}
J3,1,{NORTH + 310},{40e6 + EAST + 10}
J4,1,{NORTH + 300},{40e6 + EAST + 10}
"""


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_boundary_points_with_hole_and_zone_number(project: Project, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "红线.txt"
    path.write_bytes(BOUNDARY.encode(encoding))
    parcels = read_boundary_points(path)
    assert [(parcel.number, parcel.name, parcel.area_ha) for parcel in parcels] == [
        ("GA-01", "甲地块", 1.0),
        ("GA-02", "乙地块", 0.01),
    ]
    report = import_layer(project, path)
    assert report.source_crs == "EPSG:4528"
    shapes = shapely.from_wkb(project.read(report.layer.id).geometry)
    assert shapely.area(shapes) == pytest.approx([9_900.0, 100.0])
    assert shapely.total_bounds(shapes)[0] == pytest.approx(EAST, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[地块坐标]\n1,1,1,a,面,,,,@\nJ1,1,x,y\n", "import.boundary_line"),
        ("[地块坐标]\n1,1,1,a,面,,,,@\nJ1,1,1,2\nJ2,1,3,4\n", "import.boundary_ring"),
        ("[属性描述]\n坐标系=2000\n", "import.boundary_empty"),
    ],
)
def test_broken_boundary_points_name_the_line(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "broken.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlannerError) as error:
        read_boundary_points(path)
    assert error.value.code == code


def test_dxf_becomes_layers_by_kind(project: Project, tmp_path: Path) -> None:
    ezdxf = pytest.importorskip("ezdxf")
    document = ezdxf.new("R2013")
    document.layers.add("YDHX-用地红线")
    hidden = document.layers.add("冻结")
    hidden.freeze()
    space = document.modelspace()
    corners = [(EAST, NORTH), (EAST + 100, NORTH), (EAST + 100, NORTH + 50), (EAST, NORTH + 50)]
    space.add_lwpolyline(corners, close=True, dxfattribs={"layer": "YDHX-用地红线"})
    space.add_lwpolyline([(0, 0), (1, 1)], dxfattribs={"layer": "冻结"})
    space.add_circle((EAST + 50, NORTH + 25), 10)
    space.add_line((EAST, NORTH), (EAST + 10, NORTH))
    space.add_text("1号楼", dxfattribs={"insert": (EAST, NORTH)})
    block = document.blocks.new("tree")
    block.add_lwpolyline([(0, 0), (1, 0), (1, 1)], close=True)
    space.add_blockref("tree", (EAST + 5, NORTH + 5))
    path = tmp_path / "plan.dxf"
    document.saveas(path)

    info = inspect(path)
    assert {layer.name: layer.features for layer in info.layers} == {"polygons": 3, "lines": 1, "points": 1}
    report = import_layer(project, path, crs="EPSG:4549")
    table = project.read(report.layer.id)
    shapes = shapely.from_wkb(table.geometry)
    areas = dict(zip(table.columns["kind"], shapely.area(shapes), strict=True))
    assert "YDHX-用地红线" in table.columns["layer"]
    assert shapely.area(shapes).max() == pytest.approx(5_000.0)
    assert areas["CIRCLE"] == pytest.approx(np.pi * 100, rel=2e-3)
    assert {note.code for note in report.warnings} == {"import.drawing_hidden", "import.other_layers"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("missing.shp", None, "import.no_file"),
        ("empty.gpkg", b"", "import.empty_file"),
        ("broken.gpkg", b"this is no database", "import.unreadable"),
        ("broken.geojson", b'{"type": "FeatureCollection", "features": [', "import.unreadable"),
        ("broken.dxf", b"\0\1\2 no drawing", "import.unreadable"),
        ("picture.png", b"\x89PNG", "import.format_unknown"),
        ("head.csv", b"a,b\n", "import.table_empty"),
    ],
)
def test_a_bad_file_is_a_sentence(
    project: Project, tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PlannerError) as error:
        import_layer(project, path, crs="EPSG:4549")
    assert error.value.code == code
    assert project.layers() == []


def test_a_truncated_zip_is_a_sentence(project: Project, tmp_path: Path) -> None:
    source = tmp_path / "plan.shp"
    _shapefile(source, "UTF-8", "UTF-8", ["a"])
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in tmp_path.glob("plan.*"):
            archive.write(file, file.name)
    assert import_layer(project, whole).features == 1
    half = tmp_path / "half.zip"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(PlannerError) as error:
        import_layer(project, half)
    assert error.value.code in ("import.unreadable", "import.no_layers")


def test_cancelling_leaves_nothing(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "plan.shp"
    _shapefile(path, "UTF-8", "UTF-8", ["a", "b"])

    class Impatient:
        def update(self, fraction: float | None, stage: str = "") -> None:
            return None

        def is_cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        import_layer(project, path, progress=Impatient())
    assert project.layers() == []
    assert project.log() == []


def test_fields_with_reserved_or_repeated_names_are_renamed(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(f"fid,geom,uuid,x,y\n7,a,b,{EAST},{NORTH}\n", encoding="utf-8")
    report = import_layer(project, path, crs="EPSG:4549", csv_xy=("x", "y"))
    assert [field.name for field in report.layer.fields] == ["fid_1", "geom_1", "uuid_1", "x", "y"]
    assert [note.code for note in report.warnings] == ["import.field_renamed"] * 3


def test_a_layer_far_from_the_rest_is_warned_about(project: Project, tmp_path: Path) -> None:
    near, far = tmp_path / "near.csv", tmp_path / "far.csv"
    near.write_text(f"x,y\n{EAST},{NORTH}\n", encoding="utf-8")
    far.write_text(f"x,y\n{EAST},{NORTH + 1_500_000}\n", encoding="utf-8")
    assert import_layer(project, near, crs="EPSG:4549", csv_xy=("x", "y")).warnings == []
    codes = [note.code for note in import_layer(project, far, crs="EPSG:4549", csv_xy=("x", "y")).warnings]
    assert codes == ["import.far_away"]


def test_several_layers_the_largest_of_polygons_and_the_rest_named(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    for name, count in (("small", 1), ("large", 3)):
        pyogrio.raw.write(
            str(path), geometry=shapely.to_wkb([_square(EAST + 200 * at) for at in range(count)]),
            field_data=[np.arange(count)], fields=["n"], driver="GPKG", layer=name, geometry_type="Polygon",
            crs="EPSG:4549", append=path.exists(),
        )  # fmt: skip
    report = import_layer(project, path)
    assert report.layer.name == "large"
    assert [note.params["others"] for note in report.warnings if note.code == "import.other_layers"] == ["small (1)"]
    assert import_layer(project, path, sublayer="SMALL").features == 1
    with pytest.raises(PlannerError) as error:
        import_layer(project, path, sublayer="none")
    assert error.value.code == "import.layer_missing"
