"""The conflict matrix: which pair is a conflict, on what ground; and how a person changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from plugins.planning.model.crosswalk import Crosswalk, LandClass, relate_all
from plugins.planning.model.matrix import (
    OUTSIDE,
    Cell,
    ConflictMatrix,
    delete_matrix,
    load_matrix,
    matrix_names,
    matrix_text,
    parse_matrix,
    save_matrix,
)


def _cell(matrix: ConflictMatrix, a: str | None, a_kind: str, b: str | None, b_kind: str) -> Cell | None:
    crosswalk = Crosswalk()

    def land(raw: str | None) -> LandClass:
        if raw == OUTSIDE:
            return LandClass(OUTSIDE, "text")
        name = "gb50137" if raw and raw[0].isalpha() and raw[0].isascii() else "mnr2023"
        return crosswalk.classify(raw, "text" if raw and not raw.isascii() else name)

    one, other = [land(a)], [land(b)]
    number = int(matrix.judge(one, a_kind, other, b_kind, relate_all(one, other))[0, 0])
    return matrix.cells[number] if number >= 0 else None


@pytest.mark.parametrize(
    ("a", "a_kind", "b", "b_kind", "verdict"),
    [
        ("R2", "master", "0101", "farmland", "fail"),
        ("0101", "farmland", "R2", "master", "fail"),
        ("R2", "master", "生态保护红线", "ecological_red_line", "fail"),
        ("G1", "master", "生态保护红线", "ecological_red_line", "needs_certificate"),
        ("R2", "master", "0301", "forestry", "needs_certificate"),
        ("R2", "master", "1701", "land_use", "fail"),
        ("S1", "master", "1701", "land_use", "needs_certificate"),
        ("M1", "master", OUTSIDE, "growth_boundary", "fail"),
        ("R2", "master", OUTSIDE, "growth_boundary", "needs_certificate"),
        ("R2", "master", "0101", "land_use", "needs_certificate"),
        ("R2", "master", "M1", "detailed", "needs_certificate"),
        ("0101", "farmland", "x", "ecological_red_line", "fail"),
        (None, "master", "0101", "farmland", None),
        ("R2", "master", "1001", "growth_boundary", "pass"),
        ("0301", "land_use", "生态保护红线", "ecological_red_line", "pass"),
        ("0301", "land_use", "0401", "master", None),
        ("R2", "master", "070102", "detailed", None),
        ("R1", "master", "R2", "detailed", None),
    ],
)
def test_default_matrix(a: str | None, a_kind: str, b: str | None, b_kind: str, verdict: str | None) -> None:
    cell = _cell(load_matrix(None), a, a_kind, b, b_kind)
    found = None if cell is None else cell.verdict if cell.conflict else "pass"
    assert found == verdict


def test_every_default_cell_has_reasons_in_both_languages() -> None:
    for cell in load_matrix(None).cells:
        if cell.conflict:
            assert cell.reason
            assert cell.reason_zh
            assert cell.ground("zh_CN") == cell.reason_zh
            assert cell.ground("en") == cell.reason


def test_text_round_trip() -> None:
    matrix = load_matrix(None)
    assert parse_matrix(matrix_text(matrix), "default") == matrix


def test_edited_matrix_is_kept_by_name(project: Project) -> None:
    matrix = load_matrix(project)
    cell = Cell(a="1401", b="1402", verdict="fail", reason="park against protective green", reason_zh="公园与防护绿地")
    edited = ConflictMatrix("ours", groups=matrix.groups, cells=matrix.cells).with_cell(cell)
    save_matrix(project, edited)
    assert matrix_names(project) == ["ours", "default"]
    found = _cell(load_matrix(project, "ours"), "1401", "master", "1402", "detailed")
    assert found == cell
    assert _cell(load_matrix(project), "1401", "master", "1402", "detailed") is None

    changed = load_matrix(project, "ours").with_cell(Cell(a="1402", b="1401", conflict=False))
    assert len(changed.cells) == len(edited.cells)  # one pair, one cell, whichever way round
    save_matrix(project, changed)
    found = _cell(load_matrix(project, "ours"), "1401", "master", "1402", "detailed")
    assert found is not None
    assert found.conflict is False

    delete_matrix(project, "ours")
    assert matrix_names(project) == ["default"]
    with pytest.raises(PlannerError, match="matrix_unknown"):
        load_matrix(project, "ours")


def test_matrix_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text('[matrix]\n[groups]\n[[cell]]\na="0701"\nb="1001"\n', encoding="utf-8")
    matrix = load_matrix(None, str(file))
    assert matrix.name == "city"
    assert _cell(matrix, "R2", "master", "M1", "detailed") == Cell(a="0701", b="1001")


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[matrix", "planning.matrix_broken", "table"),
        ("[matrix]\n", "planning.matrix_broken", "cell"),
        ('[matrix]\n[[cell]]\nverdict = "maybe"', "planning.matrix_cell", "maybe"),
        ('[matrix]\n[[cell]]\nseverity = "huge"', "planning.matrix_cell", "huge"),
        ('[matrix]\n[[cell]]\na_kind = "moon"', "planning.matrix_cell", "moon"),
        ('[matrix]\n[[cell]]\ncolour = "red"', "planning.matrix_cell", "colour"),
        ("[matrix]\n[[cell]]\na = 7", "planning.matrix_cell", "7"),
    ],
)
def test_errors_name_what_is_wrong(text: str, code: str, told: str) -> None:
    with pytest.raises(PlannerError) as caught:
        parse_matrix(text, "city.toml")
    assert caught.value.code == code
    assert caught.value.params["file"] == "city.toml"
    assert told in str(caught.value.params["detail"])
