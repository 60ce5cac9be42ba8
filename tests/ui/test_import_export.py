"""Import and export through the window, on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner_app.ui.dialogs.export_dialog import ExportDialog
from planner_app.ui.dialogs.import_dialog import ImportDialog
from planner_app.ui.dialogs.import_result import ImportResultDialog


def square(x: float, y: float, size: float = 0.001) -> list[list[list[float]]]:
    return [[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]]


@pytest.fixture
def geojson(tmp_path: Path) -> Path:
    """Two parcels near 120E, one of them a bow tie, in WGS 84 as GeoJSON always is."""
    bow = [[[120.0, 26.0], [120.001, 26.001], [120.001, 26.0], [120.0, 26.001], [120.0, 26.0]]]
    features = [
        {
            "type": "Feature",
            "properties": {"dlbm": code, "name": name},
            "geometry": {"type": "Polygon", "coordinates": c},
        }
        for code, name, c in (("0101", "甲", square(120.01, 26.0)), ("0702", "乙", bow))
    ]
    path = tmp_path / "地块.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def dialog_of(desktop: Any, kind: type, qtbot: Any) -> Any:
    qtbot.waitUntil(lambda: bool(desktop.window.findChildren(kind)), timeout=20_000)
    return desktop.window.findChildren(kind)[-1]


def test_import_shows_a_preview_and_says_what_was_repaired(opened: Any, geojson: Path, qtbot: Any) -> None:
    opened.window.layer_flows.import_layer(geojson)
    dialog = dialog_of(opened, ImportDialog, qtbot)
    assert dialog.name.text() == "地块"
    assert dialog.preview.rowCount() == 2
    assert dialog.class_field.currentData() == "dlbm"
    assert dialog.standard.currentData() == "dltb"
    assert "stated in the file" in dialog.crs.text()
    dialog.plan.setCurrentIndex(dialog.plan.findText("New: Land-use plan or survey"))
    dialog.submit()
    result = dialog_of(opened, ImportResultDialog, qtbot)
    assert [state for state, _, _ in result._rows] == ["repaired"]
    layer = next(layer for layer in opened.session.layers() if layer.name == "地块")
    assert opened.session.current_layer == layer.id
    assert opened.session.project.count(layer.id) == 2
    assert layer.class_standard == "dltb"
    assert layer.plan_id
    result.reject()
    opened.session.undo()
    assert all(layer.name != "地块" for layer in opened.session.layers())


def test_a_file_without_crs_is_not_guessed(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    table = tmp_path / "points.csv"
    table.write_text("name,east,north\n甲,500100,2860100\n乙,500200,2860200\n", encoding="utf-8")
    opened.window.layer_flows.import_layer(table)
    dialog = dialog_of(opened, ImportDialog, qtbot)
    before = len(opened.session.layers())
    dialog.submit()
    assert dialog.isVisible()
    assert "does not state" in dialog.notice.text()
    dialog.crs_list.choose("EPSG:4549")
    assert dialog.options()["crs"] == "EPSG:4549"
    dialog.submit()
    qtbot.waitUntil(lambda: len(opened.session.layers()) == before + 1, timeout=20_000)
    layer = next(layer for layer in opened.session.layers() if layer.name == "points")
    assert opened.session.project.extent(layer.id) == pytest.approx((500100, 2860100, 500200, 2860200), abs=0.01)


def test_another_datum_asks_for_the_citys_parameters(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    table = tmp_path / "old.csv"
    table.write_text("name,east,north\n甲,500100,2860100\n", encoding="utf-8")
    opened.window.layer_flows.import_layer(table)
    dialog = dialog_of(opened, ImportDialog, qtbot)
    dialog._toggle_crs()
    dialog.crs_list.choose("EPSG:2385")
    qtbot.waitUntil(dialog.enter_city.isVisible, timeout=10_000)
    dialog.reject()


def test_unreadable_file_is_refused_in_words(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    broken = tmp_path / "broken.geojson"
    broken.write_text("{ not json", encoding="utf-8")
    with qtbot.waitSignal(opened.session.message, timeout=20_000) as said:
        opened.window.layer_flows.import_layer(broken)
    assert said.args[0] == "error"
    assert "broken.geojson" in said.args[1]


def test_export_of_the_selection(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    layer = next(layer for layer in opened.session.layers() if layer.name == "规划用地")
    opened.session.set_current_layer(layer.id)
    opened.session.selection.set(layer.id, [1, 2, 3])
    opened.window.commands.trigger("project.export")
    dialog = dialog_of(opened, ExportDialog, qtbot)
    assert dialog.selected.isChecked()
    dialog.format.setCurrentIndex(dialog.format.findData(".csv"))
    target = tmp_path / "out.csv"
    dialog.path.setText(str(target))
    with qtbot.waitSignal(opened.session.message, timeout=20_000) as said:
        dialog.submit()
    assert said.args[0] in ("success", "warning")
    assert len(target.read_text(encoding="utf-8-sig").strip().splitlines()) == 4
