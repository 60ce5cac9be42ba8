"""Numbers, pictures, workbooks and findings as they are printed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
import shapely
from jinja2 import UndefinedError

from planner_app import i18n
from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.report.document import environment, hectares, number, percent, render_html
from planner_app.report.findings import finding_json, finding_message, verdict_word
from planner_app.report.sketch import SketchLayer, sketch_svg
from planner_app.report.workbook import Column, Sheet, Summary, write_xlsx


def test_numbers() -> None:
    assert (number(1234567.891, 2), number(-0.2), number(None), number(math.nan)) == ("1,234,567.89", "0", "–", "–")
    assert (hectares(12_345.6), hectares(None), percent(0.1234), percent(math.nan)) == ("1.23", "–", "12.3%", "–")


def test_template_values_are_escaped_and_must_exist(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("{{ name }} {{ area | ha }} {{ share | pct }}", encoding="utf-8")
    values = {"name": "<b>&", "area": 20_000.0, "share": 0.5}
    assert render_html("x.html", values, [tmp_path]) == "&lt;b&gt;&amp; 2.00 50.0%"
    with pytest.raises(UndefinedError):
        render_html("x.html", {"name": ""}, [tmp_path])
    assert "report.css" in environment().list_templates()


def test_finding_has_the_keys_of_the_command_line() -> None:
    finding = Finding(
        "r", Verdict.NEEDS_CERTIFICATE, "site", measured=1 / 3, limit=0.0, unit="m²", standard="S", clause="1",
        edition="2020", confidence="high", message="report.not_written", params={"file": "a", "detail": "b"},
        evidence={"type": "Point", "coordinates": [0, 0]},
    )  # fmt: skip
    data = finding_json(finding)
    assert list(data) == [
        "rule", "verdict", "feature", "declared", "measured", "limit", "unit", "standard", "clause", "edition",
        "confidence", "blocking", "borderline", "message", "evidence",
    ]  # fmt: skip
    assert (data["measured"], data["verdict"]) == (1 / 3, "needs_certificate")
    assert data["message"] == "“a” could not be written: b."


def test_chinese_parameters_stand_in(tmp_path: Path) -> None:
    finding = Finding(
        "r", Verdict.FAIL, message="report.not_written", params={"file": "a", "file_zh": "甲", "detail": ""}
    )
    assert "“a”" in finding_message(finding)
    i18n.set_language("zh_CN")
    assert "“甲”" in finding_message(finding)


@pytest.mark.parametrize(
    ("verdict", "zh"),
    [("pass", "通过"), ("fail", "不通过"), ("needs_certificate", "需论证"), ("cannot_judge", "无法判定")],
)
def test_verdict_words(verdict: str, zh: str) -> None:
    i18n.compile_catalogues(i18n.RESOURCES / "i18n")
    i18n.set_language("zh_CN")
    assert verdict_word(verdict) == zh


def test_workbook(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "x.xlsx"
    columns = [Column("Name"), Column("Area (m²)", "area"), Column("Share", "share")]
    rows = iter([["=cmd", 12.5, 0.25], ["坏\x07字", math.nan, None]])
    write_xlsx(Summary("Summary", "Title", [("A", 1), ("", "Part"), ("B", "x")]), [Sheet("a/b", columns, rows)], path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "a-b"]
    sheet = book["a-b"]
    assert [cell.value for cell in sheet[1]] == ["Name", "Area (m²)", "Share"]
    assert (sheet["A2"].value, sheet["A2"].data_type, sheet["B2"].value) == ("=cmd", "s", 12.5)
    assert (sheet["A3"].value, sheet["B3"].value) == ("坏字", None)
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet["C2"].number_format) == ("A2", "A1:C3", "0.0%")


def test_workbook_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(PlannerError, match="not_written"):
        write_xlsx(Summary("S", "T"), [], tmp_path / "file" / "x.xlsx")


def test_workbook_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    def rows() -> Iterator[list[str]]:
        yield ["a"]
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        write_xlsx(Summary("S", "T"), [Sheet("a", [Column("x")], rows())], tmp_path / "x.xlsx")
    assert not (tmp_path / "x.xlsx").exists()


def test_sketch_keeps_scale_and_leaves_out_what_is_elsewhere() -> None:
    near, far = shapely.box(0, 0, 1000, 500), shapely.box(9e6, 9e6, 9e6 + 10, 9e6 + 10)
    svg = sketch_svg([SketchLayer([near, None, far], "#ff0000")], (0, 0, 1000, 500), 1000, 620)
    assert svg.count("M970.0 ") == 1  # 0.94 of the width, centred
    assert "200 m" not in svg
    assert ">100 m<" in svg
    assert svg.count("Z") == 2  # one ring and the north arrow
