"""``planner tunnel import`` of surveyed pipe tables: what comes in, and every row that is wrong named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from planner_app.project import Project
from tests.plugins.tunnel.assets.surveys import EAST, HEAD, NORTH, joined_rows, write_csv, write_workbook


def table(file: Path, name: str) -> dict[str, dict]:
    """Rows of a table by code, with their shape."""
    with Project.open(file) as project:
        found = project.read(name)
        shapes = shapely.from_wkb(found.geometry)
        rows = [dict(zip(found.columns, values, strict=True)) for values in zip(*found.columns.values(), strict=True)]
    return {row["code"]: {**row, "shape": shape} for row, shape in zip(rows, shapes, strict=True)}


@pytest.fixture(params=["gb18030", "utf-8-sig", "xlsx"])
def joined(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    rows = [*HEAD, *joined_rows()]
    if request.param == "xlsx":
        return write_workbook(tmp_path / "成果表.xlsx", {"Sheet1": rows, "说明": [["本表由某院编制"]]})
    return write_csv(tmp_path / "成果表.csv", rows, request.param)


def test_a_joined_table(run, file: Path, joined: Path) -> None:
    done = run("tunnel", "import", file, joined)
    assert (done["nodes"], done["lines"], done["valves"]) == (5, 3, 1)
    assert done["rejected"] == done["repaired"] == []
    lines, nodes = table(file, "net_line"), table(file, "net_node")
    assert nodes["JS3"]["shape"].coords[0] == pytest.approx((EAST + 100, NORTH + 60, 4.4))  # X is north
    assert nodes["JS1"]["source"]
    second = lines["JS2-JS3"]
    assert (second["kind_code"], second["dn_mm"], second["material"], second["year"]) == ("JS", 300, "PE", 2019)
    assert (second["z1"], second["z2"], second["depth1"], second["depth2"], second["z_ref"]) == (
        2.9,
        3.0,
        1.3,
        1.4,
        "top",
    )
    assert second["shape"].has_z
    assert second["length_m"] == pytest.approx(60)
    sewer = lines["WS1-WS2"]
    assert (sewer["kind_code"], sewer["z_ref"], sewer["dn_mm"], sewer["shape"]) != ("JS",)
    assert (sewer["kind_code"], sewer["z_ref"], sewer["dn_mm"]) == ("WS", "invert", 800)
    assert table(file, "valve")["JS2"]["node"] == "JS2"
    trace = run("tunnel", "isolate", file, "--at", "line:JS2-JS3")
    assert trace["close"] == ["valve:JS2"]
    assert run("log", file)["entries"][0]["command"] == "tunnel_import"
    run("undo", file)
    assert run("layers", file)["layers"] == []


def test_points_and_lines_apart_with_their_faults(run, file: Path, tmp_path: Path) -> None:
    points = [
        ["点号", "X坐标", "Y坐标", "地面高程", "特征", "附属物"],
        ["RQ1", NORTH, EAST, 4.0, "", ""], ["RQ2", NORTH, EAST + 50, 4.0, "", "阀门"],
        ["RQ3", NORTH, EAST + 90, "NaN", "", ""], ["RQ2", NORTH + 5, EAST + 50, 4.0, "", ""],
        ["RQ4", "无", EAST, 4.0, "", ""], ["RQ5", NORTH + 9e5, EAST, 4.0, "", ""], ["", NORTH, EAST, 4.0, "", ""],
        ["RQ6", NORTH, EAST + 120, 4.0, "", ""], ["RQ7", NORTH + 30, EAST + 120, 4.0, "", ""],
    ]  # fmt: skip
    lines = [
        ["起点点号", "终点点号", "管径(mm)", "材质", "起点埋深(m)", "终点埋深(m)", "压力(MPa)", "使用状态"],
        ["RQ1", "RQ2", 200, "钢", 1.1, 1.2, 0.4, "在用"], ["RQ2", "RQ3", 0.2, "钢", 1250, 1.0, 0.4, "废弃"],
        ["RQ2", "RQ2", 200, "钢", 1, 1, 0.4, ""], ["RQ2", "RQ9", 200, "钢", 1, 1, 0.4, ""],
        ["RQ1", "", 200, "钢", 1, 1, 0.4, ""], ["RQ2", "RQ1", 200, "钢", 1, 1, 0.4, ""],
        ["RQ3", "RQ6", 200, "钢", -1.0, 99, 0.4, "新"],
    ]  # fmt: skip
    source = write_workbook(tmp_path / "燃气.xlsx", {"燃气管点": points, "燃气管线": lines})
    done = run("tunnel", "import", file, source, "--name", "gas")
    assert (done["nodes"], done["lines"], done["valves"]) == (5, 3, 1)
    rejected = {(one["row"], one["reason"].removeprefix("tunnel.")) for one in done["rejected"]}
    assert rejected == {
        ("燃气管点:5", "row_code_twice"), ("燃气管点:6", "row_no_place"), ("燃气管点:7", "row_far"),
        ("燃气管点:8", "row_no_code"), ("燃气管线:4", "row_to_itself"), ("燃气管线:5", "row_orphan"),
        ("燃气管线:6", "row_end_missing"), ("燃气管线:7", "row_line_twice"),
    }  # fmt: skip
    repaired = sorted((one["row"], one["reason"].removeprefix("tunnel.")) for one in done["repaired"])
    assert repaired == [
        ("燃气管点:4", "row_value"), ("燃气管线:3", "row_depth_unit"), ("燃气管线:3", "row_diameter_m"),
        ("燃气管线:8", "row_depth_negative"), ("燃气管线:8", "row_depth_unit"), ("燃气管线:8", "row_value"),
    ]  # fmt: skip
    found = table(file, "net_line")
    assert (found["RQ2-RQ3"]["dn_mm"], found["RQ2-RQ3"]["depth1"], found["RQ2-RQ3"]["status"]) == (
        200,
        1.25,
        "abandoned",
    )
    assert (found["RQ3-RQ6"]["depth1"], found["RQ3-RQ6"]["depth2"]) == (None, None)
    assert found["RQ1-RQ2"]["rating"] == "0.4 MPa"
    assert [one["code"] for one in done["warnings"]] == ["tunnel.nodes_alone"]
    assert run("tunnel", "import", file, source, "--name", "gas", code=2)["error"]["code"] == "tunnel.network_exists"
    run("tunnel", "import", file, source, "--name", "gas", "--replace")
    assert len(table(file, "net_line")) == 3


def test_units_of_whole_columns_and_zone_numbers(run, file: Path, tmp_path: Path) -> None:
    """Millimetres as depths, metres as diameters, X and Y exchanged, eastings with the zone's number."""
    rows = [
        ["物探点号", "连接点号", "X", "Y", "地面高程", "埋深", "管径"],
        ["DL1", "DL2", 40_000_000 + EAST, NORTH, 4, 1200, 0.1],
        ["DL2", "DL1", 40_000_000 + EAST + 80, NORTH, 4, 900, 0.1],
    ]
    done = run("tunnel", "import", file, write_csv(tmp_path / "电力.csv", rows))
    assert {one["code"].removeprefix("tunnel.") for one in done["warnings"]} == {
        "xy_swapped", "zone_number", "depths_mm", "diameters_m",
    }  # fmt: skip
    line = table(file, "net_line")["DL1-DL2"]
    assert (line["kind_code"], line["dn_mm"], line["depth1"], line["z1"]) == ("DL", 100, 1.2, 2.8)
    assert line["shape"].bounds[:2] == pytest.approx((EAST, NORTH), abs=0.01)


def test_a_mapping_is_given_kept_and_refused(run, file: Path, tmp_path: Path) -> None:
    rows = [["甲", "乙", "丙", "丁", "戊"], ["A", "B", NORTH, EAST, 150], ["B", "A", NORTH, EAST + 10, 150]]
    source = write_csv(tmp_path / "old.csv", rows)
    assert run("tunnel", "import", file, source, code=2)["error"]["code"] == "tunnel.table_empty"
    rows.insert(0, ["点号", "连接点号", "北", "东", "规格x"])
    rows.pop(1)
    source = write_csv(tmp_path / "odd.csv", rows)
    error = run("tunnel", "import", file, source, code=2)["error"]
    assert error["code"] == "tunnel.survey_not_recognised"
    columns = {"code": "点号", "end": "连接点号", "x": "北", "y": "东", "dn": "规格x"}
    mapping = tmp_path / "m.json"
    mapping.write_text(json.dumps({"table": [{"role": "joined", "kind": "RL", "columns": columns}]}), "utf-8")
    first = run("tunnel", "import", file, source, "--mapping", mapping)
    assert (first["lines"], first["mapping"]["from"]) == (1, "file")
    again = run("tunnel", "import", file, source, "--name", "again", "--dry-run")
    assert (again["lines"], again["mapping"]["from"]) == (1, "kept")
    assert table(file, "net_line")["A-B"]["dn_mm"] == 150
    bad = tmp_path / "m.toml"
    for text in ('xy = "up"', '[[table]]\nrole = "joined"\n[table.columns]\nwrong = "点号"', "not toml ="):
        bad.write_text(text, "utf-8")
        assert (
            run("tunnel", "import", file, source, "--mapping", bad, code=2)["error"]["code"] == "tunnel.mapping_wrong"
        )
