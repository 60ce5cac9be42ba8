"""Attributes as bureaus hand them over: cut in the middle of a character, dates that do not exist, empty files."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from planner_app.project.exchange import import_layer

EAST, NORTH = 509_000.0, 2_944_000.0


def _shapefile(path: Path, columns: dict[str, Any], encoding: str, crs: str = "EPSG:4549") -> None:
    count = len(next(iter(columns.values())))
    boxes = [shapely.box(EAST + at, NORTH, EAST + at + 1, NORTH + 1) for at in range(count)]
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(boxes), field_data=[np.array(cells) for cells in columns.values()],
        fields=list(columns), driver="ESRI Shapefile", geometry_type="Polygon", crs=crs, encoding=encoding,
    )  # fmt: skip


def _rename_fields(shapefile: Path, names: list[bytes]) -> None:
    """Field names as other programs cut them: ten bytes each, wherever that falls."""
    dbf = shapefile.with_suffix(".dbf")
    data = bytearray(dbf.read_bytes())
    for number, name in enumerate(names):
        data[32 + 32 * number : 43 + 32 * number] = name[:10].ljust(11, b"\0")
    dbf.write_bytes(data)


@pytest.mark.parametrize("cpg", [True, False])
def test_utf8_field_names_cut_in_the_middle_of_a_character(project: Project, tmp_path: Path, cpg: bool) -> None:
    """A DBF keeps ten bytes of a name: three Chinese characters in UTF-8 and a third of the next."""
    path = tmp_path / "用地.shp"
    big = 2**53 + 1
    _shapefile(path, {"a": ["居住用地", "绿地"], "b": ["R2", "G1"], "c": np.array([big, 7])}, "UTF-8")
    _rename_fields(path, ["地块类名称".encode(), "地块类编码".encode(), "用地面积".encode()])
    if not cpg:
        path.with_suffix(".cpg").unlink()
    report = import_layer(project, path)
    assert project.read(report.layer.id).columns == {
        "地块类": ["居住用地", "绿地"], "地块类_1": ["R2", "G1"], "用地面": [big, 7],
    }  # fmt: skip


@pytest.mark.parametrize(("encoding", "kept"), [("utf-8", "规划用"), ("gbk", "规划用地性")])
def test_texts_cut_by_the_width_of_their_column(project: Project, tmp_path: Path, encoding: str, kept: str) -> None:
    path = tmp_path / "cut.shp"
    _shapefile(path, {"n": ["x" * 11, "y" * 11]}, "UTF-8")
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    head = struct.unpack_from("<H", data, 8)[0]
    data[head + 1 : head + 12] = "规划用地性质名称".encode(encoding)[:11]
    path.with_suffix(".dbf").write_bytes(data)
    path.with_suffix(".cpg").unlink()
    report = import_layer(project, path)
    assert project.read(report.layer.id).columns["n"] == [kept, "y" * 11]


@pytest.mark.parametrize("suffix", [".geojson", ".shp"])
def test_dates_that_do_not_exist_are_left_out_by_name(project: Project, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dates{suffix}"
    if suffix == ".shp":
        _shapefile(
            path, {"n": [1, 2, 3], "批准日期": np.array(["2024-02-29", "2024-03-28", "NaT"], "datetime64[D]")}, "GBK"
        )
        dbf = path.with_suffix(".dbf")
        dbf.write_bytes(dbf.read_bytes().replace(b"20240328", b"20240230"))
    else:
        features = [
            {
                "type": "Feature",
                "properties": {"n": n, "批准日期": day},
                "geometry": {"type": "Point", "coordinates": [120, 30]},
            }
            for n, day in ((1, "2024-02-29"), (2, "2024-02-30"), (3, None))
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    report = import_layer(project, path)
    columns = project.read(report.layer.id).columns
    assert columns == {"n": [1, 2, 3], "批准日期": ["2024-02-29", None, None]}
    assert report.features == 3
    (note,) = report.repaired
    assert (note.row, note.reason) == (2, "import.value_unfit")
    assert note.params == {"field": "批准日期", "value": "2024-02-30"}


def test_other_values_a_field_cannot_hold(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "odd.geojson"
    point = {"type": "Point", "coordinates": [120, 30]}
    features = [
        {"type": "Feature", "properties": {"t": time}, "geometry": point}
        for time in ("2024-02-29T10:00:00", "2024-02-30T10:00:00")
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    report = import_layer(project, path)
    (value, nothing) = project.read(report.layer.id).columns["t"]
    assert value.startswith("2024-02-29T10:00:00")
    assert nothing is None
    assert [note.row for note in report.repaired] == [2]


def test_why_nothing_was_imported(project: Project, tmp_path: Path) -> None:
    _shapefile(tmp_path / "none.shp", {"n": np.array([], dtype=np.int64)}, "UTF-8")
    with pytest.raises(PlannerError, match=r"import\.no_features"):
        import_layer(project, tmp_path / "none.shp")
    _shapefile(tmp_path / "zone.shp", {"n": [1]}, "UTF-8", crs="EPSG:4528")  # wants the zone number 40 before eastings
    with pytest.raises(PlannerError, match=r"import\.crs_unfit"):
        import_layer(project, tmp_path / "zone.shp")
    assert project.layers() == []


def test_polygons_win_a_draw_of_kinds(project: Project, tmp_path: Path) -> None:
    shapes = [shapely.box(120, 30, 120.01, 30.01), shapely.Point(120, 30)]
    features = [
        {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(shape))} for shape in shapes
    ]
    path = tmp_path / "two.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    report = import_layer(project, path)
    assert (report.layer.geometry, report.features) == ("polygon", 1)
