"""A third party's plugin in the person's plugin folder: its panel stands on the rail of the real window and works."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtWidgets import QToolButton

from planner_app.domain.layer import NewLayer
from planner_app.project import Batch, Project

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    path = tmp_path / "town.sqlite"
    with Project.create(path, "EPSG:4549", "滨海新城") as project:
        box = shapely.box(509_000, 2_944_000, 510_000, 2_945_000)
        project.add_layer(NewLayer("紫线", "polygon"), [Batch([shapely.to_wkb(box)], {})])
        project.add_layer(NewLayer("文物点", "point"), [])
    return path


@pytest.mark.qgis
def test_its_panel_opens_from_the_rail_and_a_broken_neighbour_is_named(
    town: Path, tmp_path: Path, open_window: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plugins"
    shutil.copytree(PLUGINS / "third_party" / "heritage", folder / "heritage")
    shutil.copytree(PLUGINS / "broken" / "raises", folder / "raises")
    monkeypatch.setenv("PLANNER_PLUGIN_DIR", str(folder))

    desktop = open_window(town, "en")
    window = desktop.window

    names = [entry.text() for entry in window.rail.findChildren(QToolButton)]
    assert names.index("Planning") < names.index("Heritage")
    entry = next(entry for entry in window.rail.findChildren(QToolButton) if entry.text() == "Heritage")
    entry.click()
    panel = window.task.panel(window.task.current)
    assert panel is not None
    assert type(panel).__name__ == "HeritagePanel"
    assert panel.isVisible()
    assert set(panel.names.text().split("\n")) == {"紫线", "文物点"}
    assert any("raises" in problem.plugin for problem in desktop.host.failures)

    # It follows the project like the application's own panels.
    with qtbot.waitSignal(desktop.session.project_changed, timeout=10_000):
        desktop.session.close_project()
    assert panel.names.text() == ""
