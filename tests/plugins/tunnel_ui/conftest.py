"""The real window with all plugins and an engine that answers nothing, on a copy of the sample or any project."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import FakeEngine


class TunnelWindow:
    """The window with a project open and the tunnel's panel in front.

    Attributes:
        window, session, context, state, panel.
    """

    def __init__(self, qtbot: Any, desktop: Any) -> None:
        from plugins.tunnel.ui.panel import TunnelPanel
        from plugins.tunnel.ui.state import state_of

        self.qtbot, self.desktop = qtbot, desktop
        self.window, self.session = desktop.window, desktop.session
        self.context = self.window._contexts["tunnel"]
        self.state = state_of(self.context)
        self._panel = TunnelPanel

    @property
    def panel(self) -> Any:
        """The tunnel's panel, opened if it is not yet."""
        self.window.open_panel("tunnel")
        (found,) = self.window.task.findChildren(self._panel)
        return found

    def page(self, name: str) -> Any:
        """A page of the panel by its command: ``assets``, ``monitor``, ``rounds``, ``analysis``."""
        panel = self.panel
        self.state.run(name)
        return panel._stack.currentWidget()

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something that jobs and signals bring about."""
        self.qtbot.waitUntil(condition, timeout=int(seconds * 1000))


@pytest.fixture
def sample(sample_folder: Path, tmp_path: Path) -> Path:
    """A copy of the sample project of its own."""
    path = tmp_path / "binhai.sqlite"
    shutil.copyfile(sample_folder / "sample.sqlite", path)
    return path


@pytest.fixture
def open_window(qtbot: Any, tmp_path: Path) -> Iterator[Callable[[Path], TunnelWindow]]:
    """``open_window(path)`` opens a project in a window of its own."""
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings

    made: list[Any] = []

    def opened(path: Path) -> TunnelWindow:
        settings = Settings.load(tmp_path / "config")
        settings.language, settings.theme, settings.panel = "en", "light", "review"
        desktop = Desktop(settings, FakeEngine())  # type: ignore[arg-type]
        made.append(desktop)
        desktop.window.resize(1600, 1000)
        desktop.window.show()
        qtbot.waitExposed(desktop.window)
        desktop.load_plugins()
        with qtbot.waitSignal(desktop.session.project_changed, timeout=20_000):
            desktop.session.open_project(path)
        qtbot.wait(20)
        return TunnelWindow(qtbot, desktop)

    yield opened
    for desktop in made:
        desktop.shutdown()
        desktop.window.close()
        desktop.window.deleteLater()
        desktop.deleteLater()
    qtbot.wait(1)
