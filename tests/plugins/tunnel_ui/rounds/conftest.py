"""The page of rounds at a small tunnel, and the handles of its dialogs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog

from planner_app.project import Project
from plugins.tunnel.model.operation import defects, rounds, rows
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import Defect, Plan
from plugins.tunnel.ui.rounds.order_dialogs import (
    GasDialog,
)
from tests.plugins.tunnel.space.conftest import _made, tunnel

__all__ = ["_made", "tunnel"]

DAY = "2024-10-30"


@pytest.fixture
def looked_after(tunnel: Path) -> Path:
    """T1 with one weekly plan, overdue since yesterday, and one defect at 50 m."""
    with Project.open(tunnel) as project:
        project.set_setting(rounds.DAY_SETTING, DAY)
        rows.prepare(project)
        plan = Plan(rows.new_id(), "", "每周巡检", "T1", 0.0, 200.0, (), 7, responsible="王工", start="2024-10-23")
        project.execute(rounds.SavePlan(rounds.check_plan(project, plan)))
        leak = Defect("", "", "T1", 50.0, None, "综合", "顶板", "seepage", 2, text="渗水")
        project.execute(defects.new_defect(Places(project), leak, by="王工", time="2024-10-24T02:00:00Z"))
    return tunnel


@pytest.fixture
def desk(looked_after: Path, open_window: Callable[[Path], Any]) -> Any:
    """The page, loaded."""
    return loaded(open_window(looked_after))


def loaded(made: Any) -> Any:
    made.page_ = made.page("rounds")
    made.until(lambda: made.page_.book is not None)
    return made


def dialog(kind: type[Any]) -> Any:
    found = [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]
    assert found, f"no {kind.__name__} is open"
    return found[-1]


def figures(desk: Any) -> list[str]:
    return [one.text() for one in desk.page_.figures._values]


def gas_tested(desk: Any, shown: Any, oxygen: str) -> None:
    """One gas test through its dialog."""
    count = len(shown.order.gas_tests)
    shown.knobs["gas"].click()
    form = dialog(GasDialog)
    for gas, text in (("o2", oxygen), ("ch4", "0"), ("h2s", "0"), ("co", "1")):
        form.readings[gas].setText(text)
    form.apply()
    settled(desk, lambda: len(shown.order.gas_tests) == count + 1)


def settled(desk: Any, condition: Callable[[], bool]) -> None:
    desk.until(condition)
    desk.qtbot.wait(5)


@pytest.fixture(autouse=True)
def _close_dialogs(qtbot: Any) -> Any:
    yield
    for one in QApplication.topLevelWidgets():
        if isinstance(one, QDialog):
            one.close()
    qtbot.wait(5)
