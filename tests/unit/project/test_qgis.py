"""QGIS Desktop on a project file: layers open, saves succeed, every edit is in the log and can be undone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from planner_app.domain.layer import FieldInfo, LayerInfo
from planner_app.project import Project, SetStyle, identity
from tests.helpers.project_files import FIELDS, assert_whole, everything

pytestmark = pytest.mark.qgis
_SCRIPT = Path(__file__).with_name("qgis_edits.py")


def _qgis(python: str, project: Project, layer: LayerInfo, what: str) -> dict[str, Any]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [python, str(_SCRIPT), str(project.path), layer.id, what],
        capture_output=True, text=True, timeout=120, check=False, env=environment | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["valid"]
    return found


@pytest.mark.parametrize("what", ["edit", "ogr_edit"])
def test_a_save_in_qgis_is_captured_and_undone(qgis_python: str, project: Project, layer: LayerInfo, what: str) -> None:
    before = everything(project, layer.id)
    found = _qgis(qgis_python, project, layer, what)
    assert (found["crs"], found["count"]) == ("EPSG:4549", 10)
    assert found["extent"] == [500_000.0, 3_500_000.0, 500_190.0]
    assert (found["saved"], found["split"]) == (True, 0), found
    assert project.poll()
    features = project.read(layer.id, columns=["code", "uuid"])
    assert len(features) == 12  # one added, one pasted, one split off, one deleted
    assert {"改", "新"} <= set(features.columns["code"])
    assert len(set(features.columns["uuid"])) == 12
    assert all(identity.is_uuid(uuid) for uuid in features.columns["uuid"])
    assert_whole(project)
    foreign = [entry for entry in project.log() if entry.origin == "foreign"]
    assert foreign
    assert {entry.params["layer"] for entry in foreign} == {"地块"}
    for entry in foreign:
        project.undo_entry(entry.id)
    assert everything(project, layer.id) == before
    assert_whole(project)


def test_a_field_added_in_qgis(qgis_python: str, project: Project, layer: LayerInfo) -> None:
    assert _qgis(qgis_python, project, layer, "add_field")["saved"]
    assert project.poll()
    assert project.layer(layer.id).fields == (*FIELDS, FieldInfo("height", "real"))
    assert project.read(layer.id, fids=[1]).columns["height"] == [12.5]
    assert_whole(project)


def test_dropping_a_field_in_qgis_loses_nothing(qgis_python: str, project: Project, layer: LayerInfo) -> None:
    """Our triggers name the column, so SQLite refuses to drop it: QGIS must say so and the file stay whole."""
    before = everything(project, layer.id)
    found = _qgis(qgis_python, project, layer, "drop_field")
    assert not found["saved"]
    assert found["errors"]
    assert everything(project, layer.id) == before
    assert_whole(project)


def test_styles_go_both_ways(qgis_python: str, project: Project, layer: LayerInfo) -> None:
    qml = '<!DOCTYPE qgis><qgis version="3.40"><renderer-v2 type="nullSymbol"/></qgis>'
    project.execute(SetStyle(layer.id, qml))
    found = _qgis(qgis_python, project, layer, "style")
    assert (found["style"], found["renderer"], found["message"]) == (True, "nullSymbol", "")
    assert project.style(layer.id) != qml
    assert "nullSymbol" in project.style(layer.id)
    project.undo_entry(project.log()[0].id)
    assert project.style(layer.id) == qml
    assert_whole(project)
