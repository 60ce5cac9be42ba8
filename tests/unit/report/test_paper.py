"""Papers: the same blocks as PDF, HTML and DOCX, each with the whole text."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.report import paper as papers
from planner_app.report.paper import (
    Banner,
    Cell,
    Column,
    Facts,
    Heading,
    Item,
    Paper,
    Picture,
    Signature,
    Signatures,
    Table,
    Text,
    paper_html,
    write_paper,
)
from planner_app.report.sketch import SketchLabel, SketchLayer, sketch_svg
from tests.helpers.pdf_text import pdf_text


def _picture() -> str:
    import shapely

    red = SketchLayer([shapely.box(0, 0, 100, 60), shapely.LineString([(0, 70), (100, 70)]), shapely.Point(5, 5)],
                      "none", "#C0322B", 2)  # fmt: skip
    return sketch_svg([red], (0, 0, 100, 80), 1000, 500, [SketchLabel(50, 30, "2号楼 <18F>")])


@pytest.fixture
def paper() -> Paper:
    columns = [Column("指标", 22), Column("申报", 20, "right"), Column("实测", 20, "right"), Column("结论", 38)]
    rows: list[list[str | Cell]] = [
        ["用地面积", "9,600.00", "9,599.999999", Cell("通过", "GB 50180-2018 表4.0.2", "pass")],
        ["总建筑面积", "1,234,567,890.12", "–", Cell("无法判定", "没有楼层面积图层", "cannot_judge")],
    ]
    rows += [[f"第{number}栋", "1.00", f"{number}.25", "条款"] for number in range(3, 70)]
    return Paper(
        "规划审查意见书",
        (
            Banner("fail", "不通过", "不通过 2 项"),
            Facts([("项目", "港湾雅苑二期"), ("编号", "GA-0417"), ("空", ""), ("地块", "很长的说明" * 9), ("尾", "1")]),
            Heading("指标核对", "9"),
            Table(columns, rows),
            Table(columns, [], "没有内容"),
            Item("1. 越线", Cell("待回复", tone="open"), [Text("坏\x07字\udcb0", lead="王工"), Text("小", "note")],
                 Picture("图1", svg=_picture())),
            Item("2. 长串", Cell(""), [Text("讨论 " * 30) for _ in range(20)]),
            Picture("总图", svg=_picture(), width=0.8),
            Signatures([Signature("审查人", [("姓名", "王工")], "0123456789abcdef" * 4), Signature("审定人", [])]),
            Text("仅供参考。", "warning"),
        ),
        over="滨海新城", under="编号 GA-0417", foot="脚注 <1>", mark="草稿", author="滨海新城",
    )  # fmt: skip


def test_pdf_text_is_what_was_written(paper: Paper, tmp_path: Path) -> None:
    path = tmp_path / "意见.pdf"
    write_paper(paper, path)
    text = pdf_text(path)
    for part in ("规划审查意见书", "9,599.999999", "1,234,567,890.12", "第69栋", "69.25", "没有内容", "坏字",
                 "2号楼<18F>", "0123456789abcdef", "脚注<1>", "1/"):  # fmt: skip
        assert part in text, part
    assert text.count("指标") >= 4  # heading, table, the table's second page, the empty table


def test_a_pdf_whose_text_cannot_be_read_back_is_not_kept(
    paper: Paper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = papers.paper_html
    monkeypatch.setattr(papers, "paper_html", lambda shown: honest(shown).replace("9,599.999999", "9,599.99999O"))
    with pytest.raises(PlannerError) as caught:
        write_paper(paper, tmp_path / "x.pdf")
    assert caught.value.code == "report.text_layer"
    assert caught.value.params["text"] == "9,599.999999"
    assert not (tmp_path / "x.pdf").exists()


def test_html_is_one_file_and_escaped(paper: Paper, tmp_path: Path) -> None:
    write_paper(paper, tmp_path / "x.html")
    html = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "脚注 &lt;1&gt;" in html
    assert "2号楼 &lt;18F&gt;" in html
    assert "坏字?" in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert html == paper_html(paper)


def test_docx_opens_with_text_tables_fonts_and_pictures(paper: Paper, tmp_path: Path) -> None:
    import docx

    path = tmp_path / "意见.docx"
    write_paper(paper, path)
    document = docx.Document(str(path))
    told = "\n".join(line.text for line in document.paragraphs)
    cells = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    for part in ("规划审查意见书", "1. 越线  [待回复]", "仅供参考。", "草稿"):
        assert part in told, part
    assert ["用地面积", "9,600.00", "9,599.999999", "通过\nGB 50180-2018 表4.0.2"] in cells
    assert ["没有内容"] * 4 in cells
    assert document.core_properties.title == "规划审查意见书"
    with zipfile.ZipFile(path) as packed:
        xml = packed.read("word/document.xml").decode()
        assert len([name for name in packed.namelist() if name.startswith("word/media/")]) >= 1
        foot = packed.read("word/footer1.xml").decode()
    assert 'w:eastAsia="Microsoft YaHei"' in xml
    assert xml.count("<w:r>") == xml.count("<w:rFonts ") + xml.count("<w:drawing>")
    assert "w:tblHeader" in xml
    assert "PAGE" in foot
    assert "NUMPAGES" in foot
    assert 'descr="总图"' in xml


def test_facts_pair_short_lines_and_give_long_ones_a_row() -> None:
    facts = Facts([("a", "1"), ("b", ""), ("c", "2"), ("d", "长" * 30), ("e", "3"), ("f", "长" * 30), ("g", "4")])
    shape = [[label for label, _ in row] for row in facts.rows()]
    assert shape == [["a", "c"], ["d"], ["e"], ["f"], ["g"]]


def test_formats_and_folders_are_checked(paper: Paper, tmp_path: Path) -> None:
    with pytest.raises(PlannerError, match="format_unknown"):
        write_paper(paper, tmp_path / "x.odt")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(PlannerError, match="not_written"):
        write_paper(Paper("t", ()), tmp_path / "file" / "x.docx")
