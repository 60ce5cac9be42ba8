"""Conflict page: what it offers, finds, filters, decides and admits to be out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.project import Project
from planner_app.project.commands import EditCells
from plugins.planning.ui import words
from plugins.planning.ui.conflict_page import ConflictPage
from tests.helpers.panel_context import FakeContext
from tests.plugins.planning_ui.conftest import EAST, NORTH, planning_context


@pytest.fixture
def page(qtbot: Any, context: FakeContext) -> ConflictPage:
    made = ConflictPage(context)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def checked(page: ConflictPage) -> ConflictPage:
    page._check.click()
    assert page._result is not None
    return page


def row_of(page: ConflictPage, cause: str) -> int:
    return next(row.fid for row in page._rows if row.cause == cause)


def test_plans_are_preselected_and_one_sentence_says_what_will_come(page: ConflictPage) -> None:
    assert (page.form.a.currentText(), page.form.b.currentText()) == ("总规 · class", "土规 · class")
    assert page._before.isVisible()
    assert not page._figures.isVisible()
    assert not page._decide.isVisible()
    assert page._check.isEnabled()
    assert not page._report.isEnabled()


def test_check_lists_each_place_with_area_and_cause(checked: ConflictPage, context: FakeContext) -> None:
    found = sorted((row.cause, round(row.area_m2, 3), row.a_class, row.b_class) for row in checked._rows)
    assert found == [
        ("boundary_sliver", 50.0, "070102", "0101"),
        ("true_conflict", 5000.0, "100101", "0101"),
        ("true_conflict", 10000.0, "070102", "0101"),
    ]
    assert not checked._before.isVisible()
    assert checked._figures.isVisible()
    assert context.tables["conflicts"].title == "Conflicts 3"
    # Longest bar: the pair with the largest area, in the colours of its causes.
    assert checked._cards.keys() == ["070102\x1f0101", "100101\x1f0101"]


def test_a_reopened_project_shows_its_last_check(
    checked: ConflictPage, context: FakeContext, project: Project, qtbot: Any
) -> None:
    again = ConflictPage(planning_context(project))
    qtbot.addWidget(again)
    assert [row.code for row in again._rows] == [row.code for row in checked._rows]


def test_the_same_layer_twice_cannot_be_checked(page: ConflictPage) -> None:
    page.form.b.setCurrentIndex(page.form.a.currentIndex())
    page.form.inputs_changed.emit()
    assert not page._check.isEnabled()
    assert page._notice.isVisible()


def test_legend_filters_by_cause(checked: ConflictPage, context: FakeContext) -> None:
    checked._bar.clicked.emit("boundary_sliver")
    assert [row.cause for row in checked._model.rows] == ["boundary_sliver"]
    assert context.tables["conflicts"].title == "Conflicts 1"
    checked._bar.clicked.emit("boundary_sliver")
    assert checked._model.rowCount() == 3


def test_a_filter_lets_go_of_what_it_hides(checked: ConflictPage, context: FakeContext) -> None:
    fids = [row.fid for row in checked._rows]
    context.selection.set(checked._result.id, fids)
    checked._bar.clicked.emit("boundary_sliver")
    assert context.selection.fids(checked._result.id) == (row_of(checked, "boundary_sliver"),)
    assert checked._cause == "boundary_sliver"


def test_selecting_what_a_filter_hides_lifts_it(checked: ConflictPage, context: FakeContext) -> None:
    checked._bar.clicked.emit("boundary_sliver")
    other = row_of(checked, "true_conflict")
    context.selection.set(checked._result.id, [other])
    assert checked._model.rowCount() == 3
    assert context.tables["conflicts"].rows == checked._model.places([other])


def test_a_card_selects_its_patches_and_shows_them(checked: ConflictPage, context: FakeContext) -> None:
    checked._cards.chosen.emit("070102\x1f0101")
    layer = checked._result.id
    expected = tuple(row.fid for row in checked._rows if row.a_class == "070102")
    assert len(expected) == 2
    assert context.selection.fids(layer) == expected
    assert context.map.shown[-1] == (layer, expected)


def test_decide_is_a_command_with_its_ground_and_undone_by_undo(
    checked: ConflictPage, context: FakeContext, project: Project
) -> None:
    layer = checked._result.id
    fid = row_of(checked, "true_conflict")
    context.selection.set(layer, [fid])
    assert checked._decide.isVisible()
    assert not checked._decide.take_back.isVisible()
    checked._decide.ground.setText(" 土地管理法 第三十五条 ")
    checked._decide.buttons["a_yields"].click()
    table = project.read(layer, fids=[fid], geometry=False)
    assert table.columns["decision"] == ["a_yields"]
    assert table.columns["ground"] == ["土地管理法 第三十五条"]
    assert table.columns["decided_by"] == ["小王"]
    assert project.log(1)[0].command == "planning_decide"
    assert checked._figures._values[2].text() == "33%"
    assert checked._decide.buttons["a_yields"].property("look") == "chosen"
    assert checked._decide.take_back.isVisible()

    project.undo()
    assert project.read(layer, fids=[fid], geometry=False).columns["decision"][0] in ("", None)
    assert checked._figures._values[2].text() == "0%"
    assert checked._decide.buttons["a_yields"].property("look") == ""


def test_pending_is_not_decided(checked: ConflictPage, context: FakeContext) -> None:
    context.selection.set(checked._result.id, [row.fid for row in checked._rows])
    checked._decide.buttons["pending"].click()
    assert {row.decision for row in checked._rows} == {"pending"}
    assert checked._figures._values[2].text() == "0%"


def test_an_edit_of_a_compared_plan_is_said(
    checked: ConflictPage, project: Project, plans: tuple[LayerInfo, LayerInfo]
) -> None:
    assert not checked._notice.isVisible()
    project.execute(EditCells(plans[0].id, [1], "class", ["0101"]))
    assert checked._notice.isVisible()
    assert "edited" in checked._notice._sentence.text()
    checked._check.click()
    assert not checked._notice.isVisible()
    assert len(checked._rows) == 2


def test_a_result_out_of_date_is_said_when_the_project_is_opened(
    checked: ConflictPage, project: Project, plans: tuple[LayerInfo, LayerInfo], qtbot: Any
) -> None:
    project.execute(EditCells(plans[1].id, [1], "class", ["0301"]))
    again = ConflictPage(planning_context(project))
    qtbot.addWidget(again)
    again.show()
    assert again._notice.isVisible()
    assert "edited" in again._notice._sentence.text()


def test_without_plans_the_page_says_what_to_do(qtbot: Any, tmp_path: Path) -> None:
    with Project.create(tmp_path / "empty.sqlite", "EPSG:4549") as empty:
        page = ConflictPage(planning_context(empty))
        qtbot.addWidget(page)
        page.show()
        assert not page._check.isEnabled()
        assert "two polygon layers" in page._notice._sentence.text()


def test_two_plans_that_agree(page: ConflictPage, project: Project, plans: tuple[LayerInfo, LayerInfo]) -> None:
    for fid in (1, 2, 4):
        project.execute(EditCells(plans[0].id, [fid], "class", ["0101"]))
    page._check.click()
    assert page._rows == []
    assert "agree" in page._notice._sentence.text()
    assert not page._figures.isVisible()


def test_report_is_written_where_the_person_says(
    checked: ConflictPage, context: FakeContext, tmp_path: Path, project: Project
) -> None:
    context.answer = tmp_path / "report.xlsx"
    checked._report.click()
    assert context.answer.stat().st_size > 1000
    assert context.answer.name in checked._notice._sentence.text()
    assert shapely.box(*context.rendered[0]).contains(shapely.box(EAST, NORTH, EAST + 100, NORTH + 100))


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "0%"), (0, 9, "0%"), (1, 2576, "<1%"), (1, 3, "33%"), (2575, 2576, ">99%"), (2576, 2576, "100%")],
)
def test_a_share_never_lies(part: int, whole: int, text: str) -> None:
    assert words.percent(part, whole) == text
