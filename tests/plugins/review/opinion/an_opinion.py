"""An opinion whose every value is known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import shapely

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import RaiseIssue
from plugins.review.model.cases.records import (
    Anchors,
    Comment,
    DrawingRecord,
    Issue,
    Markup,
)
from plugins.review.model.checking.types import Check, Row, Surroundings
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.indicators.rule_sets import load_rule_sets
from plugins.review.model.indicators.types import KEYS, Building, Indicator, Indicators, Setback, Spacing
from plugins.review.model.opinion.document import against
from plugins.review.model.opinion.pictures import COLOURS, close_shot, issue_shape, scene, shape_of, site_shot
from plugins.review.model.opinion.sections import said
from plugins.review.model.opinion.signing import next_number
from plugins.review.model.opinion.types import DESIGN, Inputs, Opinion, Subject
from plugins.review.model.reading.convention import load_conventions
from plugins.review.model.reading.types import Element, Repair, Role, SitePlan, UnitCheck

FILE = "0\nSECTION\n总平面\n".encode("gbk") * 40
X, Y = 40_512_000.0, 3_352_000.0


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """In metres from the corner of the site."""
    return shapely.box(X + x0, Y + y0, X + x1, Y + y1)


SITE, HOUSE_1, HOUSE_2 = box(0, 0, 120, 80), box(12, 45, 62, 60), box(76, 14, 112.6, 34)
OVER = box(112, 14, 112.6, 34)

RULES = (
    Rule("review.density", "review.limit", "Building density", "建筑密度", {"key": "density"}, "%", "规划条件",
         "第三条",         confidence="high", evidence="found", valid_from=date(2020, 1, 1)),
    Rule("review.build_to", "review.build_to", "Build-to line", "建筑控制线", {"min_area_m2": 0.5}, "m²", "规划条件",
         "第五条",         "2026", date(2020, 1, 1), confidence="high", evidence="found"),
    Rule("review.green", "review.limit", "Green ratio", "绿地率", {"key": "green_ratio", "from": date(2018, 12, 1)},
         "%",         "GB 50180-2018", "表4.0.2", "2018", date(2018, 12, 1), confidence="high", evidence="memory"),
    Rule("review.sunlight", "review.certificate", "Sunlight", "日照", {}, "min", "GB 50180-2018", "4.0.9", "2018",
         date(2018, 12, 1), confidence="high", evidence="memory"),
    Rule("review.far", "review.limit", "Floor area ratio", "容积率", {"key": "far"}, "", "规划条件", "第三条",
         valid_from=date(2020, 1, 1)),
    Rule("review.old", "review.limit", "Old rule", "旧规则", {}, valid_to=date(2019, 1, 1)),
)  # fmt: skip


def findings() -> tuple[Finding, ...]:
    """Of every verdict; one borderline, one fail that only warns."""
    return (
        Finding("review.density", Verdict.PASS, "", 0.158, 0.158501, 0.28, "%", "规划条件", "第三条", "", "high"),
        Finding(
            "review.build_to", Verdict.FAIL, "2号楼", None, 12.0, 0.5, "m²", "规划条件", "第五条", "2026", "high", True,
            message="test.over", params={"building": "2号楼"}, evidence=json.loads(shapely.to_geojson(OVER)),
        ),
        Finding("review.green", Verdict.FAIL, "", 0.305, 0.1195833333333, 0.3, "%", "GB 50180-2018", "表4.0.2", "2018",
                "high", False),
        Finding("review.sunlight", Verdict.NEEDS_CERTIFICATE, "1号楼", None, None, 120.0, "min", "GB 50180-2018",
                "4.0.9"),
        Finding("review.far", Verdict.CANNOT_JUDGE, "", 1.98, None, 2.0, ""),
        Finding("review.height", Verdict.PASS, "1号楼", None, 53.99, 54.0, "m", borderline=True),
    )  # fmt: skip


def rows() -> tuple[Row, ...]:
    """The table."""
    return (
        Row("site_area_m2", "Site area", 9600.0, 9600.0000001, None, "", "m²", Verdict.PASS, clause="用地红线"),
        Row("density", "Building density", 0.158, 0.158501, 0.28, "≤", "%", Verdict.PASS, clause="规划条件 第三条"),
        Row("green_ratio", "Green ratio", 0.305, 0.1195833333333, 0.3, "≥", "%", Verdict.FAIL, clause="GB 50180-2018"),
        Row("gfa_m2", "Gross floor area", 1_234_567.891, None, 1_200_000.0, "≤", "m²", Verdict.CANNOT_JUDGE),
        Row("height_m", "Building height", None, 53.998, 54.0, "≤", "m", Verdict.PASS, borderline=True,
            feature="1号楼"),
        Row("setback", "Setback", None, 7.9996, 8.0, "≥", "m", Verdict.FAIL, blocking=True, feature="2号楼 E2"),
    )  # fmt: skip


def plan() -> SitePlan:
    """As read."""
    return SitePlan(
        (
            Element(Role.SITE, SITE, ("A1",), "YDHX-用地红线"),
            Element(Role.BUILD_TO, box(8, 8, 112, 72), ("A2",), "JZKZX-建筑控制线"),
            Element(Role.FOOTPRINT, HOUSE_1, ("B1",), "JZJD-1号楼-建筑基底", "1号楼"),
            Element(Role.FOOTPRINT, HOUSE_2, ("B2",), "JZJD-2号楼-建筑基底", "2号楼"),
            Element(Role.GREEN, box(10, 10, 60, 32), ("C1",), "LD-集中", kind="集中"),
        ),
        "bureau",
        UnitCheck(1.0, "coordinates", 0.001),
        {"site": ("YDHX-用地红线",), "footprint": ("JZJD-1号楼-建筑基底", "JZJD-2号楼-建筑基底")},
        {"0": 12, "文字\udcb0": 3},
        tuple(
            Repair(f"gap-{at}", "closed_gap", f"{at:X}", "LD-宅旁", ("test.gap", {"gap": 0.03}), undone=at == 2)
            for at in range(1, 5)
        ),
        {"site_area_m2": 9600.0, "green_ratio": 0.305},
        {"green_ratio": "F1"},
        {"green_ratio": "绿地率 30.5%"},
    )


def indicators() -> Indicators:
    """As measured."""
    values = {key: Indicator(key, None, "m²", notes=(("test.no_layer", {"layer": "MJ"}),)) for key in KEYS}
    values["site_area_m2"] = Indicator("site_area_m2", 9600.0000001, "m²", ("A1",), SITE)
    buildings = (
        Building("1号楼", HOUSE_1, 750.0, 18, 53.998, "dimension"), Building("2号楼", HOUSE_2, 732.0, 6, None),
    )  # fmt: skip
    line = shapely.LineString([(X + 112.6, Y + 20), (X + 120, Y + 20)])
    return Indicators(
        values, buildings, (Setback("2号楼", 2, "E", "site", 7.4, line, line),),
        (Spacing("1号楼", "2号楼", 17.8, line),),
        {"集中": 1100.0}, "gbt50353_2013", "default",
    )  # fmt: skip


CONDITIONS = Conditions(
    "HX-07-12", "规条〔2026〕014号", "2026-03-18", "070102 二类城镇住宅用地", ("0901 商业",), 0.1, 9600.0, 1.2, 2.0,
    0.28, 0.30, 54.0, (EdgeSetback("road", 10.0), EdgeSetback("E", 8.0, 24.0), EdgeSetback("", 5.125)), 1.0,
    "household", "杭州", wkb=shapely.to_wkb(SITE), other=("沿滨江大道设置公共廊道。",),
)  # fmt: skip


def raise_issue(project: Project, record: DrawingRecord, title: str, comments: int = 1, **more: object) -> Issue:
    """An issue with a thread."""
    place = shapely.geometry.mapping(shapely.Point(X + 112, Y + 24))
    issue = Issue(store.new_id(), record.case_id, 0, title, record.id, assignee="市设计院", due="2026-11-25",
                  anchors=Anchors(place), created_by="王工", created_at="2026-11-18T07:00:00Z")  # fmt: skip
    issue = replace(issue, **more)  # type: ignore[arg-type]
    thread = [
        Comment(store.new_id(), issue.id, f"第{at}条：2号楼东北角越控制线，请调整。", "王工" if at % 2 else "李工",
                f"2026-11-18T07:{at % 60:02d}:00Z")
        for at in range(1, comments + 1)
    ]  # fmt: skip
    cloud = Markup(store.new_id(), record.case_id, "cloud", ((X + 108, Y + 10), (X + 118, Y + 38)), issue_id=issue.id,
                   text="越线", author="王工", time="2026-11-18T07:00:00Z")  # fmt: skip
    project.execute(RaiseIssue(issue, thread, [cloud]))
    return store.issues(project, record.case_id)[-1]


def make_opinion(project: Project, record: DrawingRecord, *, pictures: bool = True, **changes: object) -> Opinion:
    """The opinion on the case as it is now, with a made-up reading and check."""
    case = store.case(project, record.case_id)
    chain = store.revisions(project, record)
    threads, markups = said(project, case, chain)
    number, supersedes = next_number(project, record, case.number)
    check = Check(findings(), rows(), Verdict.FAIL, date(2026, 5, 1), notes=(("test.note", {}),))
    opinion = Opinion(
        DESIGN, number, "2026-11-20T02:00:00Z", "王工", project.name, project.crs, case, case.conditions,
        Subject(record, plan(), indicators(), (("test.skipped", {"count": 2}),), 1234), check,
        Inputs(load_conventions(project), RULES, load_rule_sets(), "杭州",
               Surroundings(parcel=SITE, searched=("green_line",)),
               drawings={record.sha256: project.read_attachment(record.sha256)}),
        chain=tuple(chain), threads=tuple(threads), markups=tuple(markups),
        reports=tuple(store.reports(project, case.id)), supersedes=supersedes,
    )  # fmt: skip
    opinion = replace(opinion, **changes)  # type: ignore[arg-type]
    return replace(opinion, shots=tuple(_shots(opinion))) if pictures else opinion


def _shots(opinion: Opinion) -> list[object]:
    made = scene(None, opinion.subject.plan, opinion.subject.indicators)
    numbered = [(str(at), one) for at, one in enumerate(against(opinion.check.findings), start=1)]
    shots: list[object] = [site_shot(made, numbered, opinion.markups)]
    for number, finding in numbered:
        place = shape_of(finding.evidence)
        if place is not None:
            shots.append(close_shot(made, "finding", number, place, COLOURS[finding.verdict]))
    for thread in opinion.threads:
        place = issue_shape(thread.issue)
        own = [one for one in opinion.markups if one.issue_id == thread.issue.id]
        if place is not None:
            shots.append(close_shot(made, "issue", str(thread.issue.number), place, "#1F5FAE", own))
    return shots
