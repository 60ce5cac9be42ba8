"""``planner import`` and ``planner export`` answer as the command line is specified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app import cli

EAST, NORTH = 509_000.0, 2_944_000.0


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = cli.run_verb([*map(str, arguments), "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def _plots(folder: Path) -> Path:
    bow = shapely.Polygon([(EAST, NORTH), (EAST + 10, NORTH + 10), (EAST + 10, NORTH), (EAST, NORTH + 10)])
    rows = [("070102", shapely.box(EAST, NORTH, EAST + 10, NORTH + 10).wkt), ("0101", bow.wkt), ("1401", "")]
    path = folder / "plots.csv"
    path.write_text("YDDM,wkt\n" + "\n".join(f'{code},"{wkt}"' for code, wkt in rows), encoding="utf-8")
    return path


def test_import_and_export_with_their_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, source = tmp_path / "city.planner", _plots(tmp_path)
    _run(capsys, "new", file, "--crs", "EPSG:4549")

    code, answer = _run(capsys, "import", file, source)
    assert (code, answer["error"]["code"]) == (2, "import.crs_missing")
    assert answer["error"]["hint"]

    code, answer = _run(
        capsys, "import", file, source, "--crs", "EPSG:4549", "--name", "控规", "--plan", "detailed",
        "--class-field", "yddm",
    )  # fmt: skip
    assert code == 0
    assert answer["features"] == 2
    assert (answer["name"], answer["geometry"], answer["crs"]) == ("控规", "polygon", "EPSG:4549")
    assert (answer["class_field"], answer["class_standard"]) == ("YDDM", "mnr2023")
    (repaired,), (rejected,) = answer["repaired"], answer["rejected"]
    assert repaired["row"] == 2
    assert repaired["area_after_m2"] == pytest.approx(50.0)
    assert (rejected["row"], rejected["code"]) == (3, "import.no_geometry")
    assert answer["warnings"] == []

    code, layers = _run(capsys, "layers", file)
    assert layers["layers"][0]["plan"] == {"kind": "detailed", "name": "控规"}
    code, log = _run(capsys, "log", file)
    assert [(entry["command"], entry["rows"]) for entry in log["entries"]] == [("import_layer", 2)]

    code, written = _run(capsys, "export", file, "控规", tmp_path / "out.geojson")
    assert (code, written["features"], written["crs"]) == (0, 2, "EPSG:4326")
    collection = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))
    for feature in collection["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert all(part.exterior.is_ccw for part in shapely.get_parts(shape))
    code, answer = _run(capsys, "export", file, "控规", tmp_path / "out.docx")
    assert (code, answer["error"]["code"]) == (2, "export.format_unknown")

    code, _ = _run(capsys, "undo", file)
    assert _run(capsys, "layers", file)[1]["layers"] == []


def test_control_points_are_kept_for_the_next_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, source = tmp_path / "city.planner", _plots(tmp_path)
    _run(capsys, "new", file, "--crs", "EPSG:4549")
    code, answer = _run(capsys, "import", file, source, "--crs", "EPSG:2437")
    assert (code, answer["error"]["code"]) == (2, "crs.ballpark")
    points = tmp_path / "points.csv"
    corners = [(EAST, NORTH), (EAST + 5000, NORTH), (EAST, NORTH + 5000)]
    lines = [f"{x},{y},{x + 117.25},{y - 3.5}" for x, y in corners]
    points.write_text("x,y,x2,y2\n" + "\n".join(lines), encoding="utf-8")
    code, answer = _run(capsys, "import", file, source, "--crs", "EPSG:2437", "--city", points)
    assert (code, answer["crs"]) == (0, "EPSG:2437")
    code, answer = _run(capsys, "import", file, source, "--crs", "EPSG:2437")
    assert code == 0
    boxes = [layer["extent"] for layer in _run(capsys, "layers", file)[1]["layers"]]
    assert boxes[0] == pytest.approx(boxes[1])
    assert boxes[0][:2] == pytest.approx([EAST + 117.25, NORTH - 3.5], abs=1e-6)
