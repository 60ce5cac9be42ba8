"""Reports: text that can be extracted, numbers that are numbers, both languages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pypdfium2
import pytest

from planner_app import i18n
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, PlanInfo, PlanKind
from planner_app.project import Project
from plugins.planning.model.conflict_print import template_values
from plugins.planning.model.conflict_report import ConflictReport, write_conflict_report
from plugins.planning.model.conflicts import run_conflicts
from plugins.planning.model.control import SiteCheck, check_site
from plugins.planning.model.decide import DecideConflicts
from plugins.planning.model.plan_side import LayerField
from plugins.planning.model.result_layer import save_result
from plugins.planning.model.site import site_from_polygon
from plugins.planning.model.site_report import write_site_report

Box = Callable[..., Any]
Add = Callable[..., LayerInfo]


def _text(path: Path) -> str:
    """All text of a PDF without the spaces and breaks of its setting."""
    with pypdfium2.PdfDocument(path) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return "".join("".join(pages).split())


def _rows(path: Path, sheet: str) -> list[tuple[Any, ...]]:
    return [row for row in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True) if any(row)]


@pytest.fixture
def compared(project: Project, add: Add, box: Box) -> tuple[Project, str]:
    master = PlanInfo(
        "m", PlanKind.MASTER, "滨海新城总体规划", "市自然资源和规划局", "2035 修编", "2022-03-01", "2035-12-31"
    )
    add("规划用地", [("R2", box(0, 0, 100, 100)), ("M1", box(100, 0, 200, 100)), (None, box(300, 0, 310, 10))],
        plan=master, standard="gb50137")  # fmt: skip
    add("地类图斑", [("0101", box(0, 0, 150, 100)), ("0301", box(150, 0, 199.7, 100)), ("X9", box(300, 0, 310, 10)),
        ("0101", box(0, 99.99, 100, 120))], PlanKind.LAND_USE, standard="mnr2023")  # fmt: skip
    result = run_conflicts(project, LayerField("规划用地"), LayerField("地类图斑"))
    layer = save_result(project, result, "冲突图斑")
    project.execute(DecideConflicts(layer.id, [1], "a_yields", "专题会议纪要〔2026〕12号"))
    return project, layer.id


def test_chinese_pdf_keeps_its_text(compared: tuple[Project, str], tmp_path: Path) -> None:
    i18n.set_language("zh_CN")
    path = tmp_path / "冲突报告.pdf"
    write_conflict_report(ConflictReport.of_layer(*compared), path)
    text = _text(path)
    for part in (
        "多规冲突检测报告", "滨海新城总体规划", "市自然资源和规划局", "2035修编", "2022-03-01–2035-12-31", "规划用地",
        "R2二类居住用地", "0101水田", "10,000.00", "5,000.00", "4,970.00", "真实冲突", "需论证", "土地管理法第四十四条",
        "甲让", "专题会议纪要〔2026〕12号", "（无分类）", "X9", "C-0001", "编制", "审定", "1/", "无法判定",
    ):  # fmt: skip
        assert part in text, part
    assert "Patches" not in text


def test_english_pdf_and_html(compared: tuple[Project, str], tmp_path: Path) -> None:
    report = ConflictReport.of_layer(*compared)
    write_conflict_report(report, tmp_path / "report.pdf")
    text = _text(tmp_path / "report.pdf")
    for part in ("Planconflictreport", "R2Residential,class2", "Needscertificate", "Ayields", "(noclass)", "C-0003"):
        assert part in text, part
    write_conflict_report(report, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert 'src="' not in html


def test_pdf_has_a_map_picture_when_given(compared: tuple[Project, str], tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "map.png"
    Image.new("RGB", (320, 200), "#68B167").save(picture)
    values = template_values(ConflictReport.of_layer(*compared), picture.read_bytes())
    assert values["map_svg"] == ""
    write_conflict_report(ConflictReport.of_layer(*compared), tmp_path / "r.html", picture.read_bytes())
    assert "data:image/png;base64," in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_workbook_has_numbers(compared: tuple[Project, str], tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    write_conflict_report(ConflictReport.of_layer(*compared), path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "By cause", "By class", "Class areas", "Patches", "Dropped", "Repaired"]
    patches = _rows(path, "Patches")
    assert patches[0][:7] == ("No.", "Cause", "Plan A", "Plan B", "Planar (m²)", "Ellipsoidal (m²)", "Width (m)")
    assert patches[1][4] == pytest.approx(10_000)
    assert isinstance(patches[1][5], float)
    assert (patches[1][11], patches[1][12]) == ("A yields", "专题会议纪要〔2026〕12号")
    assert sum(row[4] for row in patches[1:]) == pytest.approx(20_070)
    assert book["Patches"].freeze_panes == "A2"
    assert book["Patches"]["E2"].number_format == "#,##0.00"
    dropped = _rows(path, "Dropped")
    assert dropped[1][:2] == (1, 4)
    assert (dropped[1][4], dropped[1][6]) == (pytest.approx(1.0), "width")
    assert sum(row[2] for row in _rows(path, "Class areas")[1:-1]) == pytest.approx(20_071)
    lines = dict(row[:2] for row in _rows(path, "Summary")[1:] if row[1] is not None)
    assert lines["Planar (m²)"] == pytest.approx(20_070)
    assert lines["Dropped pairs"] == 1


def test_report_of_an_unsaved_result(project: Project, add: Add, box: Box, tmp_path: Path) -> None:
    add("甲", [("R2", box(0, 0, 10, 10))], standard="gb50137")
    add("乙", [("070102", box(0, 0, 10, 10))], standard="mnr2023")
    result = run_conflicts(project, LayerField("甲"), LayerField("乙"))
    path = tmp_path / "empty.pdf"
    write_conflict_report(ConflictReport.of_result(project, result), path)
    assert "Thetwoplansagreeeverywhere." in _text(path)


def test_a_class_that_looks_like_a_formula_or_markup(project: Project, add: Add, box: Box, tmp_path: Path) -> None:
    add("甲", [("=1+1", box(0, 0, 10, 10))], standard="text")
    add("乙", [("<b>x</b>", box(0, 0, 10, 10))], standard="text")
    report = ConflictReport.of_result(project, run_conflicts(project, LayerField("甲"), LayerField("乙")))
    write_conflict_report(report, tmp_path / "r.xlsx")
    assert _rows(tmp_path / "r.xlsx", "Patches")[1][2:4] == ("=1+1", "<b>x</b>")
    assert openpyxl.load_workbook(tmp_path / "r.xlsx")["Patches"]["C2"].data_type == "s"
    write_conflict_report(report, tmp_path / "r.html")
    assert "&lt;b&gt;x&lt;/b&gt;" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.fixture
def checked(project: Project, add: Add, box: Box) -> SiteCheck:
    add("生态保护红线", [("一般", box(-50, -50, 20, 150))], PlanKind.ECOLOGICAL_RED_LINE)
    add("开发边界", [("集中建设区", box(-100, -100, 70, 200))], PlanKind.GROWTH_BOUNDARY)
    add("蓝线", [("河", box(99.95, 0, 300, 100))])
    add("总规", [("R2", box(0, 0, 60, 100)), ("X", box(60, 0, 90, 100))], PlanKind.MASTER, standard="gb50137")
    site = site_from_polygon(box(0, 0, 100, 100), "滨海路北侧地块", "红线.dxf")
    return check_site(project, site, plans=[LayerField("总规")])


def test_site_report_in_chinese(checked: SiteCheck, project: Project, tmp_path: Path) -> None:
    i18n.set_language("zh_CN")
    write_site_report(checked, tmp_path / "选址.pdf", project.name)
    text = _text(tmp_path / "选址.pdf")
    for part in (
        "选址合规性检查报告", "滨海路北侧地块", "红线.dxf", "不通过", "需论证", "无法判定", "生态保护红线", "2,000.00",
        "城镇开发边界", "3,000.00", "自然资发〔2022〕142号", "R2二类居住用地", "070102", "6,000.00", "规划未覆盖",
        "1,000.00", "城市紫线", "项目中没有城市紫线图层", "临界，人工复核", "60.0%",
    ):  # fmt: skip
        assert part in text, part


def test_site_workbook(checked: SiteCheck, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "site.xlsx"
    write_site_report(checked, path, project.name)
    assert openpyxl.load_workbook(path).sheetnames == ["Summary", "Control lines", "Land classes", "Dropped"]
    lines = _rows(path, "Control lines")
    assert lines[1][:4] == ("Ecological red line", "生态保护红线", "Fail", pytest.approx(2_000))
    assert lines[1][7] == "yes"
    assert len(lines) == 10
    classes = _rows(path, "Land classes")
    assert [row[3] for row in classes[1:]] == [pytest.approx(6_000), pytest.approx(3_000), pytest.approx(1_000)]
    assert _rows(path, "Dropped")[1][1] == pytest.approx(5.0)


def test_formats_and_folders_are_checked(checked: SiteCheck, project: Project, tmp_path: Path) -> None:
    with pytest.raises(PlannerError, match="format_unknown"):
        write_site_report(checked, tmp_path / "r.docx", project.name)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(PlannerError) as caught:
        write_site_report(checked, tmp_path / "file" / "r.html", project.name)
    assert caught.value.code == "report.not_written"
