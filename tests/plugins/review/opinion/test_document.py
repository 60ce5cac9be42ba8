"""The opinion on paper: what the files say is what was sealed, in both languages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner_app import i18n
from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.plugin_api.model import Project
from planner_app.report.paper import Item, Paper, Table
from plugins.review.model.cases.records import DrawingRecord
from plugins.review.model.checking.types import Check, Row
from plugins.review.model.conditions.print import conditions_paper, outline_rings, write_conditions
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.opinion.document import against, opinion_paper
from plugins.review.model.opinion.seal import seal
from plugins.review.model.opinion.signing import load_sealed, opinion_state, sign
from plugins.review.model.opinion.types import AS_BUILT, Opinion
from plugins.review.model.opinion.wording import difference, number, row_cells
from plugins.review.model.opinion.write import write_opinion
from tests.helpers.pdf_text import pdf_text
from tests.plugins.review.opinion.an_opinion import CONDITIONS, make_opinion, raise_issue


def test_chinese_pdf_says_what_was_sealed(opinion: Opinion, tmp_path: Path) -> None:
    i18n.set_language("zh_CN")
    path = tmp_path / "意见.pdf"
    write_opinion(opinion, path)
    text, sealed = pdf_text(path), seal(opinion)
    for part in (
        "规划审查意见书", "编号GA-0417-D-0001-1", "2026-11-20", "港湾雅苑二期", "滨海置业", "市设计院", "HX-07-12",
        "规条〔2026〕014号2026-03-18", "2026-05-01", "按图内坐标", opinion.subject.record.sha256, sealed.seal,
        "不通过2项（具约束力1项，仅警示1项）", "需论证1项（其中1项已附报告答复）", "无法判定1项", "临界1项",
        "未答复意见1条",
        "9,600.00", "15.85", "11.96", "≥30.00", "1,234,567.89", "≤1,200,000.00", "7.9996", "53.998", "2号楼E2",
        "实测12.00m²；限值0.50m²", "规划条件第五条（2026版）",
        "由所附报告《日照分析报告》（某测绘院）答复：满足大寒日2小时",
        "#1东侧退界不足", "待回复", "已答复", "期限2026-11-25", "第3条：2号楼东北角越控制线，请调整。", "审查人",
        "审定人",
        "070102二类城镇住宅用地", "≥5.125m", "沿滨江大道设置公共廊道。", "读图修复4", "已撤回", "高；凭记忆",
        "否，仅警示",
        "不含施工图安全审查", "草稿", "1/", sealed.content["inputs"]["rules"], sealed.content["inputs"]["conditions"],
    ):  # fmt: skip
        assert part in text, part
    assert "Findings" not in text
    assert "旧规则" not in text  # not in force on the day


def test_english_pdf(opinion: Opinion, tmp_path: Path) -> None:
    write_opinion(opinion, tmp_path / "o.pdf")
    text = pdf_text(tmp_path / "o.pdf")
    for part in ("Planningreviewopinion", "Fail2(1blocking,1warnings)", "(1answeredbyanattachedreport)",
                 "borderline,checkbyhand", "Build-toline2号楼", "measured12.00m²;limit0.50m²",
                 "high;frommemory",
                 "Rulesinforceon2026-05-01", "Awaitingreply"):  # fmt: skip
        assert part in text, part
    assert "审查" not in text
    assert opinion_paper(seal(opinion)).mark == "Draft"


def test_docx_and_html_say_the_same(opinion: Opinion, tmp_path: Path) -> None:
    import docx

    i18n.set_language("zh_CN")
    write_opinion(opinion, tmp_path / "o.docx")
    write_opinion(opinion, tmp_path / "o.html")
    document = docx.Document(str(tmp_path / "o.docx"))
    lines = [line.text for line in document.paragraphs]
    cells = {cell.text for table in document.tables for row in table.rows for cell in row.cells}
    html = (tmp_path / "o.html").read_text(encoding="utf-8")
    for paper_table in (block for block in opinion_paper(seal(opinion)).blocks if isinstance(block, Table)):
        for row in paper_table.rows:
            for cell in row:
                told = cell if isinstance(cell, str) else cell.text
                assert any(told in found for found in cells), told
                assert told.replace("&", "&amp;") in html, told
    assert "4. review.height 1号楼  [通过；临界，人工复核]" in lines
    assert html.count("<svg") == 3  # the site; of the findings and of the issues one each has a place
    assert len(document.inline_shapes) == 3


def test_many_findings_long_threads_wide_numbers(project: Project, record: DrawingRecord, tmp_path: Path) -> None:
    raise_issue(project, record, "很长的讨论" * 12, 150)
    opinion = make_opinion(project, record)
    many = tuple(
        Finding("review.build_to", Verdict.FAIL, f"{at}号楼", None, 1e9 + at / 7, 0.5, "m²", "规划条件", "第五条" * 20)
        for at in range(120)
    )
    rows = tuple(Row("gfa_m2", f"第{at}项", 1e12 + at, -1e12, 1e11, "≤", "m²", Verdict.FAIL) for at in range(90))
    opinion = replace(opinion, check=replace(opinion.check, findings=many, rows=rows))
    write_opinion(opinion, tmp_path / "long.pdf")
    text = pdf_text(tmp_path / "long.pdf")
    for part in ("120.Build-toline119号楼", "1,000,000,017.00m²", "1,000,000,000,089.00", "-1,000,000,000,000.00",
                 "第150条"):  # fmt: skip
        assert part in text, part


def test_nothing_to_tell(project: Project, record: DrawingRecord, tmp_path: Path) -> None:
    opinion = make_opinion(project, record, pictures=False)
    plan = replace(opinion.subject.plan, elements=(), repairs=(), unread={})
    empty = replace(
        opinion, subject=replace(opinion.subject, plan=plan, drawing_notes=()), conditions=None,
        check=Check((), (), Verdict.CANNOT_JUDGE, opinion.check.on), inputs=replace(opinion.inputs, rules=()),
    )  # fmt: skip
    write_opinion(empty, tmp_path / "empty.pdf")
    text = pdf_text(tmp_path / "empty.pdf")
    for part in ("Norulewasapplied.", "Nothingwasmeasured.", "Norulespeaksagainstthedrawing.", "Nocommentsweremade.",
                 "Nothinghadtoberepaired.", "Norulewasinforce.", "noneknown"):  # fmt: skip
        assert part in text, part


def test_signatures_and_what_became_of_them(
    reviewed: Project, record: DrawingRecord, opinion: Opinion, tmp_path: Path
) -> None:
    i18n.set_language("zh_CN")
    sign(reviewed, record, "reviewer", "王工", "returned", "退回修改", opinion=opinion)
    state = opinion_state(reviewed, record)
    assert opinion_paper(load_sealed(reviewed, state.seal)).mark == "草稿"  # one of two
    sign(reviewed, record, "approver", "李总", "returned")
    sealed = load_sealed(reviewed, state.seal)
    write_opinion(sealed, tmp_path / "signed.pdf")
    text = pdf_text(tmp_path / "signed.pdf")
    for part in ("姓名王工", "姓名李总", "结论修改后重新报审", "备注退回修改"):
        assert part in text, part
    assert "草稿" not in text
    assert text.count(sealed.seal) == 3  # under both signatures and in the list of hashes
    raise_issue(reviewed, record, "新问题")
    changed = opinion_state(reviewed, record).changed
    write_opinion(sealed, tmp_path / "old.pdf", outdated=changed)
    text = pdf_text(tmp_path / "old.pdf")
    assert "已失效" in text
    assert "封存后案件有变化：审查意见3；图面标注4。" in text


def test_an_answered_certificate_is_never_a_pass(opinion: Opinion) -> None:
    paper = opinion_paper(seal(opinion))
    items = {one.title: one for one in paper.blocks if isinstance(one, Item)}
    sunlight = items["3. Sunlight 1号楼"]
    assert (sunlight.chip.text, sunlight.chip.tone) == ("Needs certificate", "needs_certificate")
    assert any("Answered by the attached report “日照分析报告”" in line.text for line in sunlight.lines)
    assert not any(
        "Answered" in line.text for key, one in items.items() if key != "3. Sunlight 1号楼" for line in one.lines
    )


def test_a_report_does_not_touch_a_fail(opinion: Opinion) -> None:
    served = replace(opinion.reports[0], serves="review.build_to")
    paper = opinion_paper(seal(replace(opinion, reports=(served,))))
    item = next(one for one in paper.blocks if isinstance(one, Item) and one.title.startswith("1. Build-to"))
    assert item.chip.text == "Fail"
    assert any("The verdict stays as it is." in line.text for line in item.lines)


def test_order_of_findings(opinion: Opinion) -> None:
    order = [(one.verdict.value, one.blocking, one.borderline) for one in against(opinion.check.findings)]
    assert order == [
        ("fail", True, False), ("fail", False, False), ("needs_certificate", False, False),
        ("pass", False, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (28.004, 28.0, "28.004"), (28.0, 28.0, "28.00"), (27.9999999, 28.0, "27.9999999"),
        (28.0 + 4e-15, 28.0, "28.000000000"),
        (1234567.891, None, "1,234,567.89"), (None, 1.0, "–"), (-0.001, None, "0.00"), (12.0, 0.5, "12.00"),
    ],
)  # fmt: skip
def test_a_number_that_misses_its_limit_does_not_read_like_it(
    value: float | None, limit: float | None, shown: str
) -> None:
    assert number(value, apart_from=limit) == shown


def test_rows() -> None:
    row = Row("density", "Building density", 0.28, 0.280004, 0.28, "≤", "%", Verdict.FAIL, clause="第三条")
    title, declared, measured, limit, verdict, basis = row_cells(row)
    assert (declared, measured, limit, basis) == ("28.00", "28.0004", "≤ 28.00", "第三条")
    assert not isinstance(verdict, str)
    assert title == "Building density (%)"
    assert (verdict.text, verdict.note, verdict.tone) == ("Fail", "warning only", "fail")
    assert (difference(10.0, 12.5), difference(12.5, 10.0), difference(None, 1.0), difference(1.0, 1.0)) == (
        "+2.50", "-2.50", "–", "0.00",
    )  # fmt: skip


def test_as_built_tables(opinion: Opinion) -> None:
    told = {
        "indicators": [{"key": "density", "approved": 0.1585, "built": 0.1634},
                       {"key": "far", "approved": None, "built": 1.0}],
        "buildings": [{
            "name": "2号楼", "dx_m": 0.35, "dy_m": -0.12, "corner_m": 0.37, "footprint_m2_approved": 732.0,
            "footprint_m2_built": 731.5, "storeys_approved": 6, "storeys_built": 4, "height_m_approved": None,
            "height_m_built": 13.35,
        }],
    }  # fmt: skip
    i18n.set_language("zh_CN")
    built = replace(opinion, kind=AS_BUILT, as_built=told, approved=opinion.subject)
    paper = opinion_paper(seal(built))
    assert paper.title == "竣工规划核实意见"
    rows = [row for block in paper.blocks if isinstance(block, Table) for row in block.rows]
    assert ["建筑密度", "15.85", "16.34", "+0.49", "%"] in rows
    assert ["容积率", "–", "1.00", "–", ""] in rows
    assert ["2号楼", "-0.120", "0.350", "0.370", "732.00 → 731.50", "6 → 4", "– → 13.35"] in rows


def test_formats_are_checked(opinion: Opinion, tmp_path: Path) -> None:
    with pytest.raises(PlannerError, match="format_unknown"):
        write_opinion(opinion, tmp_path / "o.xlsx")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for suffix in ("json", "html", "docx"):
        with pytest.raises(PlannerError, match="not_written"):
            write_opinion(opinion, tmp_path / "file" / f"o.{suffix}")


# ---------------------------------------------------------------- planning conditions


def test_conditions_pdf(tmp_path: Path) -> None:
    i18n.set_language("zh_CN")
    write_conditions(CONDITIONS, tmp_path / "c.pdf", project="滨海新城", crs="EPSG:4528")
    text = pdf_text(tmp_path / "c.pdf")
    for part in ("规划条件通知书", "规条〔2026〕014号", "070102二类城镇住宅用地", "0901商业（不超过建筑面积的10.00%）",
                 "≥1.20,≤2.00",
                 "≤28.00", "≥30.00", "≤54.00", "车位/户", "临道路", "5.125", "高度24m以上部分",
                 "沿滨江大道设置公共廊道。",
                 "X（北，m）", "Y（东，m）", "3352080.000", "40512120.000", "120.000", "J4–J1",
                 "EPSG:4528", "9,600.00m²"):  # fmt: skip
        assert part in text, part


def test_conditions_docx_with_a_map(tmp_path: Path) -> None:
    import docx
    from PIL import Image

    picture = tmp_path / "map.png"
    Image.new("RGB", (320, 200), "#68B167").save(picture)
    write_conditions(CONDITIONS, tmp_path / "c.docx", picture.read_bytes(), crs="EPSG:4528")
    document = docx.Document(str(tmp_path / "c.docx"))
    assert len(document.inline_shapes) == 2  # the map and the outline
    rows = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    assert ["J1", "3352080.000", "40512000.000", "J1–J2", "120.000"] in rows


def test_points_run_clockwise_from_the_north_west() -> None:
    import shapely

    hole = shapely.Polygon(
        [(0, 0), (0, 10), (10, 10), (10, 0)], [[(4, 4), (6, 4), (6, 6), (4, 6)]]
    ).normalize().reverse()  # fmt: skip
    two = shapely.multipolygons([hole, shapely.box(20, 0, 30, 10)])
    rings = outline_rings(shapely.to_wkb(two))
    told = sorted([tuple(map(tuple, ring.tolist())) for ring in rings], key=lambda ring: ring[0])
    assert told[0] == ((0, 10), (10, 10), (10, 0), (0, 0))
    assert told[1] == ((4, 6), (4, 4), (6, 4), (6, 6))  # a hole runs the other way
    assert told[2] == ((20, 10), (30, 10), (30, 0), (20, 0))


def test_conditions_that_say_nothing(tmp_path: Path) -> None:
    paper: Paper = conditions_paper(Conditions("P-1"))
    assert [block.empty for block in paper.blocks if isinstance(block, Table)] == [
        "The document sets no indicators.", "The document sets no setbacks.",
    ]  # fmt: skip
    write_conditions(Conditions("P-1", far_max=2.123456), tmp_path / "c.pdf")
    assert "≤2.123456" in pdf_text(tmp_path / "c.pdf")  # a limit is never rounded
