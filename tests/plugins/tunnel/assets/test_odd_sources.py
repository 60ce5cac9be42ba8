"""``planner tunnel import`` of surveys and layers as other offices write them."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import pytest
import shapely

from planner_app.domain.crs import SETTING, CityTransform
from planner_app.i18n import set_language
from planner_app.project import Project
from plugins.tunnel.model.assets.cjj61 import kind_of_table
from tests.plugins.tunnel.assets.test_survey import table

X, Y = 500_000.0, 3_400_000.0


def test_english_heads_decimal_commas_and_a_list_of_valves(run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "b_points.csv").write_text(
        "PointNo;Easting;Northing;Ground_Z\nJ1;500100,456;3401000,123;25,1\nJ2;500150,456;3401000,123;25,25\n"
        "J3;500150,456;3401050,123;25,3\n",
        "utf-8-sig",
    )
    (tmp_path / "b_lines.csv").write_text(
        "Start_Node;End_Node;Depth1;Depth2;Diameter;Status\nJ1;J2;1,0;0,25;200;odd\nJ2;J3;1,1;1,2;200;\n", "utf-8"
    )
    (tmp_path / "v.csv").write_text("valve,link,node\nV1,J1-J2,J2\nV2,J9,J2\n", "utf-8")
    shown = run("tunnel", "import", file, tmp_path / "b_lines.csv", "--valves", tmp_path / "v.csv", "--dry-run")
    done = run("tunnel", "import", file, tmp_path / "b_lines.csv", "--valves", tmp_path / "v.csv")
    assert (
        (done["nodes"], done["lines"], done["valves"])
        == (3, 2, 1)
        == tuple(shown[one] for one in ("nodes", "lines", "valves"))
    )
    assert [one["code"] for one in done["warnings"]] == ["tunnel.valve_line_unknown"]
    found = table(file, "net_line")
    assert (found["J1-J2"]["z1"], found["J1-J2"]["z2"], found["J1-J2"]["status"]) == (24.1, 25.0, None)
    assert run("tunnel", "isolate", file, "--at", "node:J1")["close"] == ["valve:V1"]


@pytest.mark.parametrize("heads", ["纬度,经度", "X,Y", "lon,lat"])
def test_degrees(run, file: Path, tmp_path: Path, heads: str) -> None:
    rows = [(30.70 + 0.0005 * at, 120.0 + 0.001 * at) for at in range(3)]
    cells = [f"J{at},{b},{a}" if heads == "lon,lat" else f"J{at},{a},{b}" for at, (a, b) in enumerate(rows)]
    (tmp_path / "e_point.csv").write_text("点号," + heads + "\n" + "\n".join(cells) + "\n", "utf-8")
    (tmp_path / "e_line.csv").write_text("起点,终点\nJ0,J1\nJ1,J2\n", "utf-8")
    done = run("tunnel", "import", file, tmp_path / "e_line.csv")
    assert [one["code"] for one in done["warnings"]] == ["tunnel.coordinates_degrees"]
    (layer,) = (one for one in run("layers", file)["layers"] if one["layer"] == "net_line")
    assert layer["extent"] == pytest.approx([X, 3_397_714.256, 500_191.602, 3_397_825.122], abs=0.01)


def test_heads_that_only_the_mapping_knows(run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "pp.csv").write_text("nr,c1,c2\nk1,500000,3400000\nk2,500050,3400000\n", "utf-8")
    (tmp_path / "ll.csv").write_text("u,v,w\nk1,k2,150\n", "utf-8")
    mapping = {
        "xy": "east_north",
        "table": [
            {"role": "points", "sheet": "pp", "columns": {"code": "nr", "x": "c1", "y": "c2"}},
            {"role": "lines", "sheet": "ll", "columns": {"start": "u", "end": "v", "dn": "w"}},
        ],
    }
    (tmp_path / "m.json").write_text(json.dumps(mapping), "utf-8")
    words = ("tunnel", "import", file, tmp_path / "ll.csv", "--points", tmp_path / "pp.csv")
    assert run(*words, code=2)["error"]["code"] == "tunnel.table_empty"
    assert run(*words, "--mapping", tmp_path / "m.json")["lines"] == 1
    assert table(file, "net_line")["k1-k2"]["dn_mm"] == 150


def test_the_citys_own_transformation_is_used(run, file: Path, tmp_path: Path) -> None:
    """Xi'an 80 has no way to CGCS2000 but the city's parameters, which the project keeps."""
    (tmp_path / "s.csv").write_text("点号,连接点号,X,Y\nJ1,J2,3400000,500000\nJ2,J1,3400000,500050\n", "utf-8")
    words = ("tunnel", "import", file, tmp_path / "s.csv", "--crs", "EPSG:2384")
    assert run(*words, code=2)["error"]["code"] == "crs.ballpark"
    with Project.open(file) as project:
        moved = CityTransform("EPSG:2384", project.crs, "four", (100.0, 200.0, 0.0, 1.0))
        project.set_setting(SETTING, moved.to_json())
    run(*words)
    (layer,) = (one for one in run("layers", file)["layers"] if one["layer"] == "net_line")
    assert layer["extent"] == pytest.approx([500_100, 3_400_200, 500_150, 3_400_200], abs=0.001)


def _layers(path: Path) -> None:
    rows = [
        ("G1", "a", "b", "DN100", "0.4", 1.0, None, shapely.LineString([(X, Y), (X + 100, Y)])),
        ("G2", "c", "b", "0.2", "", None, 2020, shapely.LineString([(X + 100, Y), (X + 100, Y + 50)])),  # the other way
        ("G3", "", "", "90", "", 1.0, None, None),
        ("G4", "b", "far", "90", "", 1.0, None, shapely.LineString([(X + 100, Y), (X + 150, Y)])),
        ("G5", "b", "a", "90", "", -1.0, None, shapely.LineString([(X + 100, Y + 3), (X, Y)])),
    ]
    names = ["编号", "起点", "终点", "管径", "压力(kPa)", "埋深", "年代", "geometry"]
    lines = geopandas.GeoDataFrame([dict(zip(names, row, strict=True)) for row in rows], crs="EPSG:4549")
    lines.to_file(path, layer="燃气线")
    points = [("a", 20.0, (X, Y)), ("b", 20.5, (X + 100, Y)), ("c", None, (X + 100, Y + 50))]
    nodes = [{"点号": code, "地面高程": z, "geometry": shapely.Point(xy)} for code, z, xy in points]
    geopandas.GeoDataFrame(nodes, crs="EPSG:4549").to_file(path, layer="燃气点")


def test_layers_are_read_as_well_as_tables(run, file: Path, tmp_path: Path) -> None:
    _layers(tmp_path / "gas.gpkg")
    done = run("tunnel", "import", file, tmp_path / "gas.gpkg")
    assert [(one["row"], one["reason"]) for one in done["rejected"]] == [("燃气线:3", "import.no_geometry")]
    assert {(one["row"], one["reason"]) for one in done["repaired"]} == {
        ("燃气线:2", "tunnel.row_diameter_m"),
        ("燃气线:4", "tunnel.row_nodes_from_shape"),  # the row's number in the file, though the third was left out
        ("燃气线:5", "tunnel.row_end_away"),
        ("燃气线:5", "tunnel.row_depth_negative"),
    }
    assert [one["code"] for one in done["warnings"]] == ["tunnel.lines_turned"]
    found = table(file, "net_line")
    assert (found["G1"]["dn_mm"], found["G1"]["rating"], found["G1"]["z_ref"]) == (100, "0.4 kPa", "top")
    assert (found["G1"]["z1"], found["G1"]["z2"], found["G4"]["z2"]) == (19.0, 19.5, None)
    assert (found["G2"]["dn_mm"], found["G2"]["from_node"]) == (200, "c")
    assert found["G5"]["source"] == "燃气线:5"


def test_lines_alone_keep_the_nodes_they_name(run, file: Path, tmp_path: Path) -> None:
    _layers(tmp_path / "all.gpkg")
    lines = geopandas.read_file(tmp_path / "all.gpkg", layer="燃气线").iloc[[0, 1, 3]]
    lines.to_file(tmp_path / "gas.geojson", driver="GeoJSON")
    done = run("tunnel", "import", file, tmp_path / "gas.geojson")
    assert done["nodes"] == 4
    assert run("tunnel", "trace", file, "--from", "node:a", "--direction", "down")["nodes"] == [
        "node:a", "node:b", "node:far",
    ]  # fmt: skip


def test_lines_of_two_kinds_at_one_place_are_not_joined(run, file: Path, tmp_path: Path) -> None:
    """A sewer right below a water main: neither traces into the other, and their clearance is judged."""
    shape = shapely.LineString([(X, Y), (X + 50, Y)])
    rows = [
        ("W", "JS", 5.0, shape),
        ("S", "WS", 4.0, shape),
        ("W2", "JS", 5.0, shapely.LineString([(X + 50, Y), (X + 90, Y)])),
    ]
    names = ["编号", "管类", "管顶高程", "geometry"]
    lines = [dict(zip(names, row, strict=True)) | {"管径": 200} for row in rows]
    geopandas.GeoDataFrame(lines, crs="EPSG:4549").to_file(tmp_path / "two.gpkg", layer="lines")
    assert run("tunnel", "import", file, tmp_path / "two.gpkg")["nodes"] == 5
    assert run("tunnel", "trace", file, "--from", "line:W")["lines"] == ["line:W", "line:W2"]
    (pair,) = (
        one for one in run("tunnel", "clearance", file, code=1)["pairs"] if {one["a"], one["b"]} == {"line:W", "line:S"}
    )
    assert (pair["plan_m"], pair["verdict"]) == (0.0, "fail")


def test_levels_above_the_ground_are_said(run, file: Path, tmp_path: Path) -> None:
    """Of buried lines; one that is laid above the ground may be there. Neither gets a negative depth."""
    rows = [
        ["物探点号", "连接点号", "X", "Y", "地面高程", "管顶高程", "管径", "埋设方式"],
        ["JS1", "JS2", 3_300_000, 500_000, 5.0, 3.5, 300, "直埋"],
        ["JS2", "JS1", 3_300_000, 500_080, 5.1, 6.4, 300, "直埋"],
        ["RL1", "RL2", 3_300_100, 500_000, 5.0, 8.5, 300, "架空"],
        ["RL2", "RL1", 3_300_100, 500_080, 5.1, 8.5, 300, "架空"],
    ]
    source = tmp_path / "gs_gbk.csv"  # “GBK” is no broadcasting
    source.write_bytes("\n".join(",".join(str(cell) for cell in row) for row in rows).encode("gbk"))
    done = run("tunnel", "import", file, source)
    assert [(one["row"], one["reason"]) for one in done["repaired"]] == [("gs_gbk:3", "tunnel.row_above_ground")]
    assert "6.4 m lies 1.3 m above the ground (5.1 m)" in done["repaired"][0]["message"]
    found = table(file, "net_line")
    buried, overhead = found["JS1-JS2"], found["RL1-RL2"]
    assert (buried["kind_code"], buried["z2"], buried["depth1"], buried["depth2"]) == ("JS", 6.4, 1.5, None)
    assert (overhead["kind_code"], overhead["z1"], overhead["depth1"]) == ("RL", 8.5, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("JSLINE", "JS"), ("ws_point", "WS"), ("DL", "DL"), ("给水管线", "JS"), ("gs_gbk", ""), ("xxx", ""), ("t_1", "")],
)
def test_a_table_is_named_after_its_kind_or_not(name: str, kind: str) -> None:
    assert kind_of_table(name) == kind


def test_what_was_changed_is_said_in_the_readers_words(
    run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "物探点号,连接点号,X,Y,管径,使用状态\nJS1,JS2,3400000,500000,-5,新\nJS2,JS1,3400000,500090,300,在用\n"
    (tmp_path / "管线.csv").write_text(rows, "utf-8")
    monkeypatch.setenv("PLANNER_LANG", "zh_CN")
    done = run("tunnel", "import", file, tmp_path / "管线.csv")
    set_language("en")
    said = " ".join(one["message"] for one in done["repaired"])
    assert "管径 的值“-5”" in said
    assert "状态 的值“新”" in said


def test_lines_far_off_and_sizes_in_another_unit_are_said(run, file: Path, tmp_path: Path) -> None:
    places = [(0, 0), (100, 0), (200, 0), (9_000_000, 0)]
    frame = geopandas.GeoDataFrame(
        {"code": ["A", "B", "C", "D"], "dn": ["0.3", "0.4", "800×600", "0.3"]},
        geometry=[shapely.LineString([(X + x, Y + y), (X + x + 100, Y + y)]) for x, y in places],
        crs="EPSG:4549",
    )
    frame.to_file(tmp_path / "lines.gpkg", layer="雨水")
    done = run("tunnel", "import", file, tmp_path / "lines.gpkg")
    assert [(one["row"], one["reason"]) for one in done["repaired"]] == [
        ("雨水:4", "tunnel.row_far_kept"),
        ("雨水:3", "tunnel.row_diameter_mm"),
    ]
    found = table(file, "net_line")
    assert [(found[code]["dn_mm"], found[code]["shape"].is_empty) for code in "ACD"] == [
        (300, False),
        (800, False),
        (300, False),
    ]
