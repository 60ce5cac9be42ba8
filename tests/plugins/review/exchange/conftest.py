"""A project with a case, a drawing, issues, photos and marks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner_app.i18n import add_folder
from planner_app.project import Project
from plugins.review.model.cases import commands, store
from plugins.review.model.cases.commands import AddDrawing, RaiseIssue
from plugins.review.model.cases.records import Anchors, Case, Comment, DrawingRecord, Issue, IssueStatus, Markup
from plugins.review.model.exchange.bcf import export_bcf

EAST, NORTH = 560_000.0, 3_400_000.0
GUIDS = ("2O2Fr$t4X7Zf8NOew3FLOH", "1xS3BCk291UvhgP2dvNMKI")
VERSIONS = ["2.1", "3.0"]
TRIANGLE = {
    "type": "Polygon",
    "coordinates": [[[EAST, NORTH], [EAST + 40.0, NORTH], [EAST + 40.0, NORTH + 24.0], [EAST, NORTH]]],
}


@pytest.fixture(scope="session", autouse=True)
def _words() -> None:
    add_folder(Path(__file__).resolve().parents[4] / "plugins" / "review" / "i18n")


def png(colour: str = "red") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        commands.prepare(made)
        yield made


@pytest.fixture
def case(project: Project) -> Case:
    """A case with three issues: anchored four ways, on PDF only, nowhere; thread with photo and text file."""
    case = Case(store.new_id(), "", "海清园一期", "BH-C-10-13", created_at="2026-03-01T01:00:00Z")
    sha = project.attach("海清园总平面".encode() * 50, name="总平面 A.dxf", media_type="image/vnd.dxf")
    drawing = DrawingRecord(
        store.new_id(), "", case.id, "总平面图", "总平面 A.dxf", sha, "dxf", imported_at="2026-03-02T01:00:00Z"
    )
    project.execute(AddDrawing(drawing, case))
    photo = project.attach(png(), name="现场.png", media_type="image/png")
    letter = project.attach("说明".encode(), name="说明.txt", media_type="text/plain")
    first = Issue(
        store.new_id(), case.id, 0, "3# 退界不足 <8 m & “西侧”", drawing.id, status=IssueStatus.NEEDS_DRAWING,
        priority="high", assignee="李工", due="2026-04-01", rule="review.setback", finding="3#",
        anchors=Anchors(TRIANGLE, ("364EF", "31E"), ("f0", "f1"), 1, (0, 0, 10, 0, 10, 5, 0, 5), GUIDS),
        created_by="王工", created_at="2026-03-03T02:00:00Z",
    )  # fmt: skip
    thread = [
        Comment(store.new_id(), first.id, "请核对 3# 西侧退界，\n应不小于 8 m。", "王工", "2026-03-03T02:00:00Z"),
        Comment(store.new_id(), first.id, "", "李工", "2026-03-04T02:00:00Z", attachment=photo),
        Comment(store.new_id(), first.id, "见说明", "李工", "2026-03-05T02:00:00Z", attachment=letter),
        Comment(store.new_id(), first.id, "待回复 → 待补图", "王工", "2026-03-06T02:00:00Z", "status"),
    ]
    cloud = Markup(
        store.new_id(), case.id, "cloud", ((EAST, NORTH), (EAST + 10.5, NORTH + 8.25)), issue_id=first.id, text="退界",
        style={"colour": "#C0322B", "width": 2},
    )  # fmt: skip
    project.execute(RaiseIssue(first, thread, [cloud]))
    second = replace(
        first, id=store.new_id(), title="绿地率", status=IssueStatus.OPEN, due="", rule="", finding="",
        anchors=Anchors(page=1, quad=(1, 2, 3, 2, 3, 4, 1, 4)),
    )  # fmt: skip
    third = replace(second, id=store.new_id(), title="报告缺章", anchors=Anchors(), drawing_id="", assignee="")
    project.execute(RaiseIssue(second))
    project.execute(RaiseIssue(third))
    return store.cases(project)[0]


def exported(project: Project, case: Case, path: Path, version: str = "2.1") -> dict[str, Any]:
    return export_bcf(project, case.id, path, version, pictures=False)


def issue_titled(project: Project, title: str) -> Issue:
    return next(one for one in store.issues(project) if one.title.startswith(title))
