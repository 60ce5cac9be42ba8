"""Matrix editor and mapping editor on the two plans of the project."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from planner_app.domain.layer import LayerInfo
from planner_app.project import Project
from plugins.planning.model.crosswalk import MAPPING_SETTING
from plugins.planning.model.matrix import DEFAULT, load_matrix, matrix_names
from plugins.planning.model.plan_side import LayerField, PlanSide, read_side
from plugins.planning.ui.mapping_editor import MappingEditor
from plugins.planning.ui.matrix_editor import MatrixEditor
from tests.helpers.panel_context import FakeContext


@pytest.fixture
def sides(project: Project, plans: tuple[LayerInfo, LayerInfo]) -> list[PlanSide]:
    return [read_side(project, LayerField(layer.id, "class"), "2026-01-01") for layer in plans]


@pytest.fixture
def matrix(qtbot: Any, context: FakeContext, sides: list[PlanSide]) -> MatrixEditor:
    editor = MatrixEditor(context, *sides)
    qtbot.addWidget(editor)
    return editor


def cell(editor: MatrixEditor, sides: list[PlanSide], a: str, b: str) -> Any:
    raws = [[land.raw for land in side.classes] for side in sides]
    return editor.grid.index(raws[0].index(a), raws[1].index(b))


def test_the_grid_shows_what_the_matrix_says(matrix: MatrixEditor, sides: list[PlanSide]) -> None:
    housing = cell(matrix, sides, "070102", "0101")
    assert matrix.grid.status(housing) in ("fail", "needs_certificate")
    assert matrix.grid.data(housing) in ("✕", "!")
    assert matrix.grid.data(cell(matrix, sides, "0101", "0101")) == "="
    matrix._read_out(housing)
    assert "070102" in matrix._reading.text()


def test_an_edited_cell_is_kept_with_the_project(matrix: MatrixEditor, sides: list[PlanSide], project: Project) -> None:
    housing, industry = cell(matrix, sides, "070102", "0101"), cell(matrix, sides, "100101", "0101")
    before = matrix.grid.status(industry)
    matrix.set_status([housing], "no_conflict")
    assert matrix.grid.status(housing) == "no_conflict"
    assert matrix.grid.status(industry) == before
    matrix._save()
    stored = load_matrix(project, matrix.name)
    judged = stored.judge(sides[0].classes, sides[0].kind, sides[1].classes, sides[1].kind, matrix.grid._relations)
    number = int(judged[housing.row(), housing.column()])
    assert not stored.cells[number].conflict
    matrix.set_status([housing], "")
    assert matrix.grid.status(housing) in ("fail", "needs_certificate")


def test_a_copy_gets_its_name_and_can_be_deleted(
    matrix: MatrixEditor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.planning.ui.matrix_editor.QInputDialog.getText", lambda *_: (" 滨海新城 ", True))
    matrix._copy()
    assert matrix.name == "滨海新城"
    assert "滨海新城" in matrix_names(project)
    matrix._delete_matrix()
    assert "滨海新城" not in matrix_names(project)
    assert matrix.name == DEFAULT
    matrix._delete_matrix()
    assert "cannot be deleted" in matrix.notice._sentence.text()


def test_mapping_says_what_a_value_means(qtbot: Any, context: FakeContext, sides: list[PlanSide]) -> None:
    editor = MappingEditor(context, sides)
    qtbot.addWidget(editor)
    assert editor.mapping() == {}
    texts = [[editor.table.item(row, column).text() for column in range(4)] for row in range(editor.table.rowCount())]
    assert {line[0] for line in texts} == {"总规", "土规"}
    place = next(at for at, line in enumerate(texts) if line[0] == "土规" and line[1].startswith("0301"))
    chooser = editor._combos[place]
    chooser.setCurrentIndex(chooser.findData("0302"))
    assert editor.mapping() == {"dltb": {"0301": "0302"}}
    editor._save()
    again = MappingEditor(context, sides)
    qtbot.addWidget(again)
    assert again.mapping() == {"dltb": {"0301": "0302"}}
    again._combos[place].setCurrentIndex(0)
    assert again.mapping() == {}


def test_mapping_of_other_layers_is_kept(
    qtbot: Any, context: FakeContext, sides: list[PlanSide], project: Project
) -> None:
    from plugins.planning.model.crosswalk import write_mapping

    project.set_setting(MAPPING_SETTING, write_mapping({"text": {"学校": "0804"}}))
    editor = MappingEditor(context, sides)
    qtbot.addWidget(editor)
    assert editor.mapping() == {"text": {"学校": "0804"}}


def test_only_values_without_a_meaning_can_be_shown(qtbot: Any, context: FakeContext, sides: list[PlanSide]) -> None:
    editor = MappingEditor(context, sides)
    qtbot.addWidget(editor)
    editor._only_unmapped.setChecked(True)
    assert all(editor.table.isRowHidden(row) for row in range(editor.table.rowCount()))
    assert editor.table.horizontalHeader().defaultAlignment() & Qt.AlignmentFlag.AlignLeft
