"""The role's work without a screen: every drawing beside the project is reviewed, one nobody can read is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner_app.plugin_host import PluginHost
from planner_app.project import Project
from plugins.review.model.cases import opened as opening
from plugins.review.model.headless import run_headless
from tests.helpers.plugin_rules import verb_context
from tests.plugins.review.drawings import write_plan, write_survey

pytest.importorskip("weasyprint")


def test_drawings_beside_the_project(tmp_path: Path) -> None:
    opening.forget()
    beside, out = tmp_path / "town_drawings", tmp_path / "out"
    beside.mkdir()
    out.mkdir()
    write_plan(beside / "01_plan.dxf")
    write_plan(beside / "02_approved.dxf", note="批准")
    write_survey(beside / "02_asbuilt.dxf", storeys={"2号楼": (7, 18.6)})
    (beside / "03_broken.dwg").write_bytes(b"AC1027" + bytes(200))
    (beside / "truth.json").write_text("{}")
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549") as project:
        summary = run_headless(verb_context(), project, out)
    assert [(one["file"], one["drawing"]) for one in summary["drawings"]] == [
        ("01_plan.dxf", "D-0001"), ("02_approved.dxf", "D-0002"), ("02_asbuilt.dxf", "D-0003")
    ]  # fmt: skip
    assert summary["drawings"][2]["verdict"] == "fail"
    (broken,) = summary["failed"]
    assert broken["file"] == "03_broken.dwg"
    assert len(broken["error"]) > 20
    written = {Path(one).name for one in summary["files"]}
    assert {"opinion_01_plan.pdf", "opinion_02_asbuilt.docx", "review_02_asbuilt_asbuilt.json"} <= written
    assert all((out / name).stat().st_size > 500 for name in written)
    survey = json.loads((out / "review_02_asbuilt_asbuilt.json").read_text(encoding="utf-8"))
    assert [one["storeys_built"] for one in survey["buildings"]] == [3, 7]


def test_a_project_without_drawings(tmp_path: Path) -> None:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549") as project:
        assert run_headless(verb_context(), project, tmp_path) == {"files": [], "drawings": [], "failed": []}


def test_its_rules_have_their_kinds() -> None:
    host = PluginHost()
    host.load_models()
    assert host.rules("review.")
    assert {one.kind for one in (*host.rules("review."), *host.rules("asbuilt."))} <= set(host.rule_kinds())
