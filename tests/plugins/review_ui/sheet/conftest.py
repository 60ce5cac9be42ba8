"""Qt without a screen; a desk with a case and a drawing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner_app.project import Project
from plugins.review.ui.sheet import install
from tests.plugins.review_ui.sheet.desk import Desk
from tests.plugins.review_ui.sheet.hand import Hand

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _application(qapp: Any) -> None:
    """Fonts need one."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def desk(project: Project) -> Desk:
    """The site of 100 m by 80 m, turned by 30° on the map."""
    return Desk(project)


@pytest.fixture
def sheets(desk: Desk, qtbot: Any) -> Any:
    """The window's sheet, 600 by 480 pixels, shown whole."""
    made = install(desk.context, desk.state)  # type: ignore[arg-type]
    made.show_sheet()
    view = made.sheet
    qtbot.addWidget(view)
    view.resize(600, 540)
    view.show()
    qtbot.waitExposed(view)
    yield made
    if made.model.pages is not None:
        made.model.pages.close()


@pytest.fixture
def hand(desk: Desk) -> Hand:
    return Hand(desk)
