"""The review's panel on a real project file and the real model, with a context that stands in for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog

from planner_app.domain.rule import parse_rules
from planner_app.i18n import add_folder
from planner_app.project import Project
from plugins.review.model.cases import opened as opening
from plugins.review.ui.panel import ReviewPanel
from tests.helpers.panel_context import FakeContext, FakeTable
from tests.plugins.review.drawings import EAST, NORTH, add_zoning, write_plan

RULES = Path(__file__).resolve().parents[3] / "plugins" / "review" / "rules"


@pytest.fixture(autouse=True)
def _wording() -> None:
    """Codes and texts of the plugin, as the host adds them."""
    add_folder(RULES.parent / "i18n")


def review_context(project: Project | None) -> FakeContext:
    """With the plugin's rules, before a map of the site."""
    made = FakeContext(project, (EAST, NORTH, EAST + 200, NORTH + 150))
    made.rule_list = [
        rule for file in sorted(RULES.glob("*.toml")) for rule in parse_rules(file.read_text("utf-8"), file.name)
    ]
    return made


class Window:
    """The panel with everything a test looks at."""

    def __init__(self, qtbot: Any, context: FakeContext) -> None:
        self.qtbot, self.context = qtbot, context
        self.panel = ReviewPanel(context)
        qtbot.addWidget(self.panel)
        self.panel.resize(390, 900)
        self.panel.show()
        self.state = self.panel.state
        self.settle()

    @property
    def project(self) -> Project:
        assert self.context.project is not None
        return self.context.project

    def settle(self) -> None:
        """Until what waits for the event loop is done."""
        self.qtbot.wait(20)

    def dialog(self, kind: type[Any]) -> Any:
        """The dialog of a kind that stands open (the newest)."""
        found = [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]
        assert found, f"no {kind.__name__} is open"
        self.qtbot.wait(5)
        return found[-1]

    def is_open(self, kind: type[QDialog]) -> bool:
        return any(isinstance(one, kind) and one.isVisible() for one in QApplication.topLevelWidgets())

    def take(self, path: Path, prepare: Callable[[Any], None] | None = None) -> None:
        """Import a drawing through its dialog."""
        from plugins.review.ui.intake_dialog import IntakeDialog

        self.panel.dialogs.intake(path)
        dialog = self.dialog(IntakeDialog)
        if prepare is not None:
            prepare(dialog)
        dialog.apply()
        self.settle()

    def table(self, name: str) -> FakeTable:
        return self.context.tables[name]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opening.forget()
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def zoning(project: Project) -> str:
    """The site may be built up to a FAR of 0.7, 13 m from its edges."""
    return add_zoning(project, 0.7, 13.0)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """1号楼 stands 12 m from the west side of the site (13 m are demanded); FAR 0.71 of 0.70."""
    return write_plan(tmp_path / "总平面图.dxf")


@pytest.fixture
def window(qtbot: Any, project: Project, zoning: str) -> Iterator[Window]:
    made = Window(qtbot, review_context(project))
    yield made
    for one in QApplication.topLevelWidgets():
        if isinstance(one, QDialog):
            one.close()
    qtbot.wait(5)


@pytest.fixture
def checked(window: Window, plan: Path) -> Window:
    """A plan imported and checked."""
    window.take(plan)
    assert window.state.check is not None
    return window
