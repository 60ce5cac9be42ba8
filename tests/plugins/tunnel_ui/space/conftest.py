"""The window on the hand-made tunnel of the model's tests, and a hand for its canvases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from planner_app.plugin_api.model import Project
from tests.plugins.tunnel.space.conftest import TABLES, fill
from tests.plugins.tunnel_ui.conftest import TunnelWindow

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


class Hand:
    """Mouse events as the window system sends them, with the button held while dragging."""

    def __init__(self, widget: QWidget) -> None:
        self.widget, self.held = widget, NONE

    def _send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, modifiers: Any) -> None:
        there = QPointF(self.widget.mapToGlobal(at))
        QApplication.sendEvent(self.widget, QMouseEvent(kind, at, there, button, self.held, modifiers))

    def move(self, at: QPointF, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        self._send(QEvent.Type.MouseMove, at, NONE, modifiers)

    def press(self, at: QPointF) -> None:
        self.held = LEFT
        self._send(QEvent.Type.MouseButtonPress, at, LEFT, Qt.KeyboardModifier.NoModifier)

    def release(self, at: QPointF) -> None:
        self.held = NONE
        self._send(QEvent.Type.MouseButtonRelease, at, LEFT, Qt.KeyboardModifier.NoModifier)

    def click(self, at: QPointF) -> None:
        self.press(at)
        self.release(at)

    def drag(self, start: QPointF, end: QPointF, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        """Press and move there; the button stays down."""
        self.press(start)
        for step in range(1, 6):
            self.move(start + (end - start) * (step / 5), modifiers)


class SpaceWindow(TunnelWindow):
    """The window with section and profile at hand."""

    @property
    def desk(self) -> Any:
        from plugins.tunnel.ui.space import desk_of

        return desk_of(self.context, self.state)

    @property
    def project(self) -> Any:
        return self.session.project

    def layer(self, table: str) -> str:
        """Id of the layer of a kind."""
        return str(next(one.id for one in self.project.layers() if one.role == f"tunnel.{table}"))

    def section(self, *arguments: object) -> Any:
        """Open the section page and wait until it shows something."""
        assert self.panel is not None
        self.state.run("section", *arguments)
        page = self.desk.section_page
        self.until(lambda: page.shown is not None)
        return page

    def profile(self, *arguments: object) -> Any:
        """Open the profile page and wait until it shows something."""
        assert self.panel is not None
        self.state.run("profile", *arguments)
        page = self.desk.profile_page
        self.until(lambda: page.shown is not None)
        return page


@pytest.fixture(scope="module")
def _town(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("space") / "tunnel.sqlite"
    with Project.create(path, "EPSG:4549", "滨海新城") as project:
        for spec, rows in TABLES:
            fill(project, spec, rows)
    return path.read_bytes()


@pytest.fixture
def tunnel(_town: bytes, tmp_path: Path) -> Path:
    """A project with one tunnel of its own."""
    path = tmp_path / "tunnel.sqlite"
    path.write_bytes(_town)
    return path


@pytest.fixture
def desk(open_window: Callable[[Path], TunnelWindow], qtbot: Any) -> Callable[[Path], SpaceWindow]:
    """``desk(path)``: the window on a project."""
    return lambda path: SpaceWindow(qtbot, open_window(path).desktop)


@pytest.fixture
def window(desk: Callable[[Path], SpaceWindow], tunnel: Path) -> SpaceWindow:
    """The window on the tunnel."""
    return desk(tunnel)
