"""A project with a case under review, and the opinion on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from planner_app.i18n import RESOURCES, add_folder, compile_catalogues
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import AddDrawing, AddMarkup, AttachReport, prepare
from plugins.review.model.cases.records import (
    Anchors,
    Case,
    DrawingRecord,
    IssueStatus,
    Markup,
    OutsideReport,
)
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.opinion.types import Opinion
from plugins.review.model.reading.types import ReadingOptions
from tests.plugins.review.opinion.an_opinion import CONDITIONS, FILE, SITE, X, Y, make_opinion, raise_issue

PLUGIN = Path(__file__).resolve().parents[4] / "plugins" / "review"


@pytest.fixture(scope="session", autouse=True)
def _words() -> None:
    for folder in (RESOURCES / "i18n", PLUGIN / "i18n"):
        compile_catalogues(folder)
    add_folder(PLUGIN / "i18n")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4528", "滨海新城") as made:
        made.user = "王工"
        prepare(made)
        case = Case(store.new_id(), "GA-0417", "港湾雅苑二期", "HX-07-12", "滨海置业", "市设计院", "杭州", "2026-05-01",
                    conditions=CONDITIONS, created_by="王工", created_at="2026-11-18T06:02:00Z")  # fmt: skip
        sha = made.attach(FILE, name="总平面图 B 版.dxf")
        record = DrawingRecord(
            store.new_id(), "D-0001", case.id, "总平面图", "总平面图 B 版.dxf", sha, "dxf",
            options=ReadingOptions("bureau", {"道路": "road"}), placement=Placement("coordinates"),
            wkb=shapely.to_wkb(shapely.multipolygons([SITE])), imported_by="王工", imported_at="2026-11-18T06:05:00Z",
        )  # fmt: skip
        made.execute(AddDrawing(record, case))
        yield made


@pytest.fixture
def record(project: Project) -> DrawingRecord:
    return store.drawing(project, "D-0001")


@pytest.fixture
def reviewed(project: Project, record: DrawingRecord) -> Project:
    """The project with two issues, a mark, and a sunlight report."""
    raise_issue(project, record, "东侧退界不足", 3, rule="review.build_to", finding="2号楼")
    raise_issue(project, record, "绿地率申报与图不符", status=IssueStatus.ANSWERED, anchors=Anchors())
    mark = Markup(store.new_id(), record.case_id, "arrow", ((X, Y), (X + 30, Y + 30)), text="入口")
    project.execute(AddMarkup([mark]))
    sha = project.attach(b"%PDF-1.7 sunlight", name="日照分析报告.pdf")
    project.execute(AttachReport(OutsideReport(
        store.new_id(), record.case_id, "日照", "日照分析报告", "某测绘院", "2026-10-01", "满足大寒日 2 小时",
        "review.sunlight", sha,
    )))  # fmt: skip
    return project


@pytest.fixture
def opinion(reviewed: Project, record: DrawingRecord) -> Opinion:
    return make_opinion(reviewed, record)
