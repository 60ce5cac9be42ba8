"""The role's work without a screen: what it writes, and that a part that fails is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from planner_app.project import Project
from plugins.tunnel.model.headless import run_headless
from tests.helpers.plugin_rules import verb_context


def test_the_samples_tunnels(sample_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "town.sqlite"
    shutil.copyfile(sample_folder / "sample.sqlite", file)
    out = tmp_path / "out"
    out.mkdir()
    with Project.open(file) as project:
        summary = run_headless(verb_context(), project, out)
        assert project.layers(), "the project is still open"
    assert summary["failed"] == []
    names = {Path(one).name for one in summary["files"]}
    assert {"tunnel_profile_GL01.png", "tunnel_alarms.json", "tunnel_isolation.json", "tunnel_clearance.json"} <= names
    assert all((out / name).stat().st_size > 100 for name in names)
    isolation = json.loads((out / "tunnel_isolation.json").read_text(encoding="utf-8"))
    assert summary["isolation"]["close"] == isolation["close"] != []
    assert isolation["customers"] > 0


def test_a_project_without_any(tmp_path: Path) -> None:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549") as project:
        assert run_headless(verb_context(), project, tmp_path) == {"files": [], "failed": []}
