"""Tables of the dock: what a revision changed, how a survey differs, and accepting it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import CaseStatus
from plugins.review.ui.compare_dialog import AcceptDialog, AsBuiltDialog, CompareDialog
from plugins.review.ui.highlight import Highlight
from tests.plugins.review.drawings import EAST, HOUSES, NORTH, write_plan, write_survey
from tests.plugins.review_ui.conftest import Window

MOVED = {"1号楼": (14.0, 15.0, 59.0, 30.0), "2号楼": HOUSES["2号楼"]}


def highlighted(window: Window, do: Any) -> list[Highlight]:
    seen: list[list[Highlight]] = []
    window.state.highlight.connect(seen.append)
    do()
    window.state.highlight.disconnect(seen.append)
    return seen[-1] if seen else []


@pytest.fixture
def revised(checked: Window, tmp_path: Path) -> Window:
    """An issue on house 1 of the first drawing; in the second the house stands 2 m further east."""
    checked.panel.raise_issue(next(one for one in checked.state.findings if one.evidence and "1号楼" in one.feature))
    checked.settle()
    checked.take(write_plan(tmp_path / "总平面图B.dxf", houses=MOVED, note="rev B"))
    return checked


def test_a_revision_is_compared_and_shows_what_it_touches(revised: Window) -> None:
    revised.panel.dialogs.compare()
    dialog = revised.dialog(CompareDialog)
    assert dialog.older.currentText().startswith("D-0001")
    dialog.apply()
    revised.settle()
    table = revised.table("revisions")
    rows = table.model.rows
    assert table.title == f"Changes {len(rows)}"
    assert revised.state.comparison is not None
    assert {row.subject for row in rows} >= {"Issue", "Drawing entity"}
    assert rows[0].subject == "Issue"
    assert rows[0].state == "moved"
    added = [row for row in rows if row.state == "added" and row.subject == "Drawing entity"]
    assert len(added) == 1  # the note
    place = next(at for at, row in enumerate(rows) if row.subject == "Drawing entity" and row.state == "changed")
    marks = highlighted(revised, lambda: table.row_activated.emit(place))
    assert [mark.token for mark in marks] == ["fail", "pass"]
    west = [mark.geometry.bounds[0] for mark in marks]
    assert west[1] - west[0] == pytest.approx(2.0)
    table.row_activated.emit(0)
    revised.settle()
    assert revised.state.issue_id == rows[0].issue
    table.actions["diff-stop"]()
    assert table.model.rowCount() == 0
    assert table.title == "Changes"


def test_an_issue_carried_over_says_that_its_place_moved(revised: Window) -> None:
    assert store.issues(revised.project)[0].anchor_state == "moved"
    revised.state.select_issue(store.issues(revised.project)[0].id)
    revised.settle()
    from PySide6.QtWidgets import QLabel

    texts = [label.text() for label in revised.panel.issues._shown[0].findChildren(QLabel)]
    assert "Its place moved with the new revision." in texts


@pytest.fixture
def surveyed(checked: Window, tmp_path: Path) -> Window:
    """A survey in the same case: house 2 stands 0.5 m off."""
    off = {**HOUSES, "2号楼": (70.5, 40.0, 110.5, 60.0)}
    checked.take(write_survey(tmp_path / "竣工.dxf", houses=off), lambda dialog: dialog.replaces.setCurrentIndex(0))
    return checked


def test_a_survey_is_compared_with_the_approved_drawing(surveyed: Window) -> None:
    assert surveyed.state.record is not None
    assert surveyed.state.record.kind == "as_built"
    assert not surveyed.state.judged
    surveyed.panel.form.check_button.click()
    surveyed.settle()
    table = surveyed.table("asbuilt")
    assert surveyed.state.built is not None
    assert table.model.rowCount() == len(surveyed.state.built.findings) == len(surveyed.state.findings)
    assert table.title == "As-built: Fail"
    assert surveyed.panel.figures.isVisible()
    assert surveyed.panel.form.opinion_button.isEnabled()
    assert any("D-0002 checked: Fail" in event.title for event in surveyed.panel.timeline.events)
    place = next(
        at for at, one in enumerate(table.model.rows)
        if one.verdict.value == "fail" and one.feature.startswith("2号楼") and one.evidence
    )  # fmt: skip
    marks = highlighted(surveyed, lambda: table.row_activated.emit(place))
    assert marks[0].token == "fail"


def test_the_dialog_offers_drawings_and_surveys_of_the_case(surveyed: Window) -> None:
    surveyed.panel.dialogs.asbuilt()
    dialog = surveyed.dialog(AsBuiltDialog)
    assert dialog.approved.currentText().startswith("D-0001")
    assert dialog.survey.currentText().startswith("D-0002")
    dialog.apply()
    surveyed.settle()
    assert surveyed.state.built is not None


def test_without_a_survey_the_dialog_says_so(checked: Window) -> None:
    checked.panel.dialogs.asbuilt()
    dialog = checked.dialog(AsBuiltDialog)
    assert "no survey" in dialog.notice._sentence.text()
    assert dialog.ok is not None
    assert not dialog.ok.isEnabled()


def test_accepting_the_survey_updates_the_base_map_as_one_step(surveyed: Window, project: Project) -> None:
    fields = (FieldInfo("name", "text"), FieldInfo("floors", "integer"), FieldInfo("height", "real"))
    box = shapely.box(*(EAST + HOUSES["1号楼"][0], NORTH + 15.0, EAST + 57.0, NORTH + 30.0))
    columns = {"name": ["1号楼"], "floors": [1], "height": [3.0]}
    base = project.add_layer(NewLayer("建筑", "polygon", fields), [Batch([shapely.to_wkb(box)], columns)])
    surveyed.panel.check()
    surveyed.settle()
    surveyed.table("asbuilt").actions["asbuilt-accept"]()
    dialog = surveyed.dialog(AcceptDialog)
    assert dialog.layer.currentText() == "建筑"
    assert dialog._words.text().startswith("1 buildings get their surveyed outline, 1 are added")
    steps = len(project.log())
    dialog.apply()
    surveyed.settle()
    assert len(project.log()) == steps + 1
    assert project.count(base.id) == 2
    assert store.cases(project)[0].status is CaseStatus.BUILT
    project.undo()
    assert project.count(base.id) == 1
