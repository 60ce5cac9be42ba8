"""A real project file and the real window with an engine that answers nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal

from tests.ui.survey_plugin import BAD, GOOD, MODEL, write_plugin

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class FakeView(QObject):
    """A render view that remembers what it was asked and never answers."""

    partial = Signal(object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def render(self, request: Any) -> int:
        self.requests.append(request)
        return len(self.requests)


class FakeEngine(QObject):
    """The engine client's interface without a process."""

    state_changed = Signal(str)
    problem = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = "ready"
        self.process_id = 0
        self.last_error = ""
        self.opened: list[Path] = []
        self.refreshed: list[Any] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.views: dict[str, FakeView] = {}

    def start(self) -> None:
        self.state_changed.emit(self.state)

    def stop(self) -> None:
        self.state = "stopped"

    def open_project(self, path: Path) -> None:
        self.opened.append(path)

    def close_project(self) -> None:
        self.opened.clear()

    def refresh_layers(self, ids: Any = None) -> None:
        self.refreshed.append(ids)

    def request(
        self, method: str, params: dict[str, Any], done: Callable[[dict[str, Any]], None], failed: Any = None
    ) -> int:
        self.requests.append((method, params))
        if method in self.answers:
            done(self.answers[method])
        return len(self.requests)

    def cancel(self, request_id: int) -> None:
        return None

    def view(self, view_id: str) -> FakeView:
        return self.views.setdefault(view_id, FakeView())


@pytest.fixture(autouse=True)
def _quiet_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("PLANNER_PLUGIN_DIR", str(tmp_path / "plugins"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def town(town_made: Path, tmp_path: Path) -> Path:
    """A project with two plans, four layers and known attributes."""
    return shutil.copyfile(town_made, tmp_path / "town.sqlite")


@pytest.fixture(scope="session")
def town_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What :func:`town` copies."""
    import shapely

    from planner_app.domain.layer import FieldInfo, NewLayer, PlanInfo, PlanKind
    from planner_app.project import Batch, Project

    fields = (
        FieldInfo("code", "text", "用地代码"),
        FieldInfo("name", "text", "名称"),
        FieldInfo("far", "real", "容积率"),
        FieldInfo("floors", "integer"),
        FieldInfo("approved", "date"),
    )
    master = PlanInfo("m", PlanKind.MASTER, "总体规划 2035")
    land = PlanInfo("l", PlanKind.LAND_USE, "土地利用规划 2020")
    path = tmp_path_factory.mktemp("town") / "town.sqlite"
    with Project.create(path, "EPSG:4549", "滨海新城") as project:
        for name, plan, count in (
            ("规划用地", master, 40),
            ("农田", land, 6),
            ("地类图斑", land, 30),
            ("建筑", None, 10),
        ):
            boxes = [shapely.box(500000 + i * 100, 2860000, 500080 + i * 100, 2860080) for i in range(count)]
            columns = {
                "code": [("R2", "B1", "G1")[i % 3] for i in range(count)],
                "name": [f"地块 {i:04}" for i in range(count)],
                "far": [i / 10 for i in range(count)],
                "floors": list(range(count)),
                "approved": ["2024-03-01"] * count,
            }
            new = NewLayer(name, "polygon", fields, plan=plan, class_field="code" if plan else "")
            project.add_layer(new, [Batch(list(shapely.to_wkb(boxes)), columns)])
    return path


@pytest.fixture
def desktop(qtbot: Any, tmp_path: Path) -> Iterator[Any]:
    """The real window on the start page, in English and the light theme."""
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings

    settings = Settings.load(tmp_path / "config")
    settings.language, settings.theme = "en", "light"
    made = Desktop(settings, FakeEngine())  # type: ignore[arg-type]
    made.window.resize(1600, 1000)
    made.window.show()
    qtbot.waitExposed(made.window)
    yield made
    made.shutdown()
    made.window.close()
    made.window.deleteLater()
    made.deleteLater()
    qtbot.wait(1)


@pytest.fixture
def opened(desktop: Any, town: Path, qtbot: Any) -> Any:
    """The window with the project open."""
    with qtbot.waitSignal(desktop.session.project_changed, timeout=10_000):
        desktop.session.open_project(town)
    qtbot.wait(50)
    return desktop


@pytest.fixture
def with_plugins(opened: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    from planner_app.plugin_host import PluginHost

    root = tmp_path / "someones_plugins"
    write_plugin(root, "survey", ui=GOOD, model=MODEL)
    write_plugin(root, "unlucky", ui=BAD)
    host = PluginHost([root])
    host.load_uis()
    caplog.clear()  # the host logs the broken one, as it should
    opened.host = host
    opened.window.add_plugins(host)
    return opened
