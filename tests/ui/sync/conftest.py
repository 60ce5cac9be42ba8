"""The window on a town that belongs to a server made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ui.sync.fakes import FakeBackend, busy_town


@pytest.fixture
def backend(town: Path) -> FakeBackend:
    """Conflicts, records held back, rights and a log."""
    from planner_app.project import Project

    with Project.open(town) as project:
        return busy_town(project)


@pytest.fixture
def at_server(desktop: Any, town: Path, backend: FakeBackend, qtbot: Any) -> Any:
    """The window with the project open, nothing synced by itself."""
    desktop.session.sync.backend = backend
    desktop.session.settings.sync["automatic"] = False
    desktop.window.sync.put_on_rail()
    with qtbot.waitSignal(desktop.session.project_changed, timeout=10_000):
        desktop.session.open_project(town)
    qtbot.waitUntil(lambda: desktop.session.sync.status.kind == "conflicts")
    return desktop
