"""The sample town, built once, and the real window with the real engine on a copy of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def sample(sample_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    path = tmp_path / "binhai.sqlite"
    shutil.copyfile(sample_folder / "sample.sqlite", path)
    return path


@pytest.fixture
def open_window(qtbot: Any, qgis_python: str, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """``open_window(path, language)``: the whole desktop, as ``planner FILE`` starts it (None: on the start page)."""
    from planner_app.engine_client import EngineClient
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings

    made: list[Any] = []

    def start(path: Path | None, language: str = "zh_CN", theme: str = "light") -> Any:
        settings = Settings.load(tmp_path / "config")
        settings.language, settings.theme = language, theme
        settings.last_folder = str(tmp_path)
        desktop = Desktop(settings, EngineClient(), path)
        made.append(desktop)
        desktop.window.resize(1600, 1000)
        desktop.start()
        qtbot.waitUntil(lambda: desktop.host is not None, timeout=30_000)
        if path is not None:
            qtbot.waitUntil(lambda: desktop.session.project is not None, timeout=30_000)
            qtbot.waitUntil(desktop.window.canvas.scheduler.is_final, timeout=60_000)
        return desktop

    yield start
    for desktop in made:
        desktop.shutdown()
        desktop.window.close()
        desktop.window.deleteLater()
        desktop.deleteLater()
    qtbot.wait(1)


@pytest.fixture
def screenshots() -> Path | None:
    """Where pictures of the steps go (``PLANNER_SCREENSHOTS``), None: nowhere."""
    folder = os.environ.get("PLANNER_SCREENSHOTS")
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)
