"""Records go into the project file and come out as they were; every command has one undo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.project import Command, EditCells, Project
from plugins.review.model.cases import commands, elements, store, tables
from plugins.review.model.cases.commands import (
    AddComment,
    AddDrawing,
    AddMarkup,
    AttachReport,
    DeleteIssue,
    DeleteMarkup,
    EditIssue,
    EditMarkup,
    ImportIssues,
    OpenCase,
    PrepareReview,
    RaiseIssue,
    Reanchor,
    RemoveDrawing,
    RemoveReport,
    SetCase,
    SetDrawing,
    SetPlacement,
    SetReading,
    SignOffCommand,
)
from plugins.review.model.cases.elements import ElementRow
from plugins.review.model.cases.records import (
    Anchors,
    Case,
    CaseStatus,
    Comment,
    DrawingRecord,
    Issue,
    IssueStatus,
    Markup,
    OutsideReport,
    SignOff,
)
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.drawing.placement import ControlPoint, Placement
from plugins.review.model.reading.types import ReadingOptions
from tests.helpers.project_files import assert_whole, everything

EAST, NORTH = 560_000.0, 3_400_000.0


def square(x: float, y: float, size: float) -> bytes:
    return bytes(shapely.to_wkb(shapely.box(EAST + x, NORTH + y, EAST + x + size, NORTH + y + size)))


CONDITIONS = Conditions(
    parcel="BH-C-10-13", number="规条〔2026〕7号", use="0701", compatible=("0901",), far_max=2.1, green_min=0.3,
    setbacks=(EdgeSetback("N", 8.0), EdgeSetback("road", 10.0, 24.0)), wkb=square(0, 0, 100), other=("配建公厕",),
)  # fmt: skip
CASE = Case(
    store.new_id(), "", "海清园一期", "BH-C-10-13", "海清置业", "某设计院", "滨海", "2026-03-01", conditions=CONDITIONS,
    created_by="王工", created_at=store.now(),
)  # fmt: skip
DRAWING = DrawingRecord(
    store.new_id(), "", CASE.id, "总平面图", "总平 A.dxf", "ab" * 32, "dxf",
    options=ReadingOptions("national", {"JZ-1": "footprint"}, (0.0, 0.0, 1.5, 2.5), 0.001, ("1F", 20.0), ("r1",)),
    placement=Placement("control", "EPSG:4549", (1.0, 0.0, 3.25, 0.0, 1.0, -4.5),
                        (ControlPoint(0, 0, 3.25, -4.5, "K1", 0.01, False),), 0.01, 1.00002, (("review.x", {"n": 1}),)),
    summary={"gfa_m2": 12.5, "buildings": [{"name": "1#"}]}, wkb=square(5, 5, 50), imported_by="王工",
)  # fmt: skip
ISSUE = Issue(
    store.new_id(), CASE.id, 0, "3# 退界不足", DRAWING.id, priority="high", assignee="李工", due="2026-04-01",
    rule="review.setback", finding="3#",
    anchors=Anchors({"type": "Point", "coordinates": [EAST + 10.0, NORTH + 20.0]}, ("364EF",), ("f0",), 1,
                    (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0), ("2O2Fr$t4X7Zf8NOew3FLOH",)),
)  # fmt: skip
COMMENT = Comment(store.new_id(), ISSUE.id, "请核对'退界'; -- 说明", "王工", store.now(), attachment="cd" * 32)
MARKUP = Markup(
    store.new_id(), CASE.id, "cloud", ((0.125, 1.0), (2.0, 3.0)), "sheet", DRAWING.id, 2, ISSUE.id, "注", {"width": 2}
)
SIGNOFF = SignOff(store.new_id(), CASE.id, DRAWING.id, "reviewer", "王工", "fail", store.now(), "ef" * 32, "退回")
REPORT = OutsideReport(
    store.new_id(), CASE.id, "sunlight", "日照分析报告", "某院", "2026-02-01", "满足", "review.sunlight", "99" * 32
)
ROW = ElementRow("footprint", "1#", None, 1, 625.0, None, "", "2A,2B", "1#", square(10, 10, 25))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def review(project: Project) -> Project:
    """One of everything."""
    commands.prepare(project)
    project.execute(AddDrawing(DRAWING, CASE, [ROW]))
    project.execute(RaiseIssue(ISSUE, [COMMENT], [MARKUP]))
    project.execute(SignOffCommand(SIGNOFF))
    project.execute(AttachReport(REPORT))
    return project


def test_records_come_back_as_they_went_in(review: Project) -> None:
    assert store.cases(review) == [replace(CASE, number="GA-0001")]
    drawing = replace(DRAWING, number="D-0001", wkb=store.drawings(review)[0].wkb)
    assert store.drawings(review, CASE.id) == [drawing]
    assert shapely.equals(shapely.from_wkb(drawing.wkb), shapely.from_wkb(DRAWING.wkb))
    assert store.issues(review, CASE.id, DRAWING.id) == [replace(ISSUE, number=1, raised_on=DRAWING.id)]
    assert store.comments(review, ISSUE.id) == [COMMENT]
    assert store.markups(review, CASE.id, issue_id=ISSUE.id) == [MARKUP]
    assert store.signoffs(review, drawing_id=DRAWING.id) == [SIGNOFF]
    assert store.reports(review, CASE.id) == [REPORT]
    assert_whole(review)


def test_nothing_there_is_nothing_found(project: Project) -> None:
    assert store.cases(project) == []
    assert store.issues(project) == []
    with pytest.raises(PlannerError) as caught:
        store.drawing(project, "D-0001")
    assert (caught.value.code, caught.value.params["known"]) == ("review.drawing_unknown", "–")


def test_a_drawing_by_all_its_names(review: Project, tmp_path: Path) -> None:
    file = tmp_path / "copy.dxf"
    file.write_bytes(b"the same content")
    digest = store.file_digest(file)
    second = replace(DRAWING, id=store.new_id(), sha256=digest, file_name="总平 B.dxf", title="修改稿")
    review.execute(AddDrawing(second))
    for ref in (second.id, "D-0002", "d-0002", "2", digest, digest[:8], "总平 B.dxf", "/else/总平 B.dxf", "修改稿",
                str(file)):  # fmt: skip
        assert store.drawing(review, ref).id == second.id, ref
    review.execute(AddDrawing(replace(second, id=store.new_id())))
    for ref in (digest, "总平 B.dxf", str(file)):
        with pytest.raises(PlannerError) as caught:
            store.drawing(review, ref)
        assert caught.value.code == "review.drawing_ambiguous"
        assert "D-0002" in str(caught.value.params["found"])
        assert "D-0003" in str(caught.value.params["found"])
    with pytest.raises(PlannerError) as caught:
        store.drawing(review, "D-9999")
    assert caught.value.code == "review.drawing_unknown"
    assert "D-0001 总平 A.dxf" in str(caught.value.params["known"])


def test_a_case_by_all_its_names(review: Project) -> None:
    later = replace(CASE, id=store.new_id(), title="二期", number="")
    review.execute(OpenCase(later))
    for ref, wanted in ((CASE.id, CASE), ("ga-0001", CASE), ("海清园一期", CASE), ("GA-0002", later),
                        ("BH-C-10-13", later)):  # fmt: skip
        assert store.case(review, ref).id == wanted.id
    with pytest.raises(PlannerError, match=r"review\.case_unknown"):
        store.case(review, "nobody's")


def test_the_chain_of_revisions(review: Project) -> None:
    second = replace(DRAWING, id=store.new_id(), revision=2, replaces=DRAWING.id)
    third = replace(DRAWING, id=store.new_id(), revision=3, replaces=second.id)
    other = replace(DRAWING, id=store.new_id(), kind="as_built")
    for record in (second, other, third):
        review.execute(AddDrawing(record))
    for start in (DRAWING, second, third):
        assert [one.id for one in store.revisions(review, start)] == [DRAWING.id, second.id, third.id]


_OTHER = replace(ISSUE, id=store.new_id())
_COMMANDS: list[Command] = [
    OpenCase(replace(CASE, id=store.new_id())),
    SetCase(CASE.id, {"conditions": replace(CONDITIONS, far_max=2.5, wkb=square(0, 0, 90)), "applicant": "新"}),
    AddDrawing(replace(DRAWING, id=store.new_id()), elements=[ROW, ROW],
               reanchored={ISSUE.id: {"anchor_state": "lost"}}),
    SetReading(DRAWING.id, ReadingOptions("edcr"), summary={"far": 1.0}, wkb=square(1, 1, 9), elements=[]),
    SetPlacement(DRAWING.id, Placement("crs", "EPSG:4548"), wkb=None, elements=[ROW, ROW, ROW]),
    SetDrawing(DRAWING.id, {"title": "新总平"}),
    RaiseIssue(_OTHER),
    ImportIssues("a.bcf", [replace(_OTHER, number=7)], [replace(COMMENT, id=store.new_id())],
                 changed={ISSUE.id: {"assignee": "赵"}}),
    EditIssue(ISSUE.id, {"status": IssueStatus.CLOSED, "anchors": Anchors()}, replace(COMMENT, id=store.new_id())),
    DeleteIssue(ISSUE.id),
    Reanchor({ISSUE.id: {"anchors": replace(ISSUE.anchors, handles=("1", "2")), "anchor_state": "moved"}}),
    AddComment(replace(COMMENT, id=store.new_id()), IssueStatus.ANSWERED),
    AddMarkup([replace(MARKUP, id=store.new_id())]),
    EditMarkup(MARKUP.id, {"points": ((0.0, 0.0),), "style": {}}),
    DeleteMarkup([MARKUP.id]),
    SignOffCommand(replace(SIGNOFF, id=store.new_id()), CaseStatus.RETURNED),
    AttachReport(replace(REPORT, id=store.new_id())),
    RemoveReport(REPORT.id),
]  # fmt: skip


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda command: command.name)
def test_each_command_and_back_and_again(review: Project, command: Command) -> None:
    ids = [layer.id for layer in review.layers()]
    before = [everything(review, one) for one in ids]
    done = review.execute(command)
    assert done.id
    after = [everything(review, one) for one in ids]
    assert after != before
    review.undo()
    assert [everything(review, one) for one in ids] == before
    review.redo()
    assert [everything(review, one) for one in ids] == after
    assert_whole(review)


def test_every_command_is_declared_worded_and_tried() -> None:
    import tomllib

    folder = Path(commands.__file__).parents[2] / "i18n" / "messages"
    words = tomllib.loads((folder / "cases.toml").read_text(encoding="utf-8"))
    for command in commands.COMMANDS:
        assert words[f"command.{command.name}"].keys() == {"en", "zh"}
    tried = {type(command) for command in _COMMANDS} | {PrepareReview, RemoveDrawing}
    assert set(commands.COMMANDS) == tried


def test_undoing_the_import_takes_back_the_case_and_leaves_the_tables(project: Project) -> None:
    commands.prepare(project)
    commands.prepare(project)
    assert [entry.command for entry in project.log()] == ["review_prepare"]
    project.execute(AddDrawing(DRAWING, CASE, [ROW]))
    assert project.can_undo() == "review_import"
    project.undo()
    assert store.cases(project) == []
    assert store.drawings(project) == []
    assert project.count("review_element") == 0
    project.undo()
    assert project.layers() == []
    project.redo()
    project.redo()
    assert [one.number for one in store.drawings(project)] == ["D-0001"]
    assert project.count("review_element") == 1
    assert_whole(project)


def test_what_does_not_exist_is_refused_and_nothing_is_written(review: Project) -> None:
    log = review.log()
    missing = store.new_id()
    for command in (SetCase(missing, {"title": "x"}), DeleteMarkup([MARKUP.id, missing]),
                    AddComment(replace(COMMENT, id=store.new_id(), issue_id=missing))):  # fmt: skip
        with pytest.raises(PlannerError, match=r"review\.record_gone"):
            review.execute(command)
    with pytest.raises(PlannerError, match=r"review\.field_unknown"):
        review.execute(SetCase(CASE.id, {"colour": "red"}))
    with pytest.raises(PlannerError, match=r"review\.drawing_in_use"):
        review.execute(RemoveDrawing(DRAWING.id))
    assert review.log() == log


def test_a_drawing_without_issues_is_removed_with_its_marks(project: Project) -> None:
    commands.prepare(project)
    project.execute(AddDrawing(DRAWING, CASE, [ROW]))
    project.execute(AddMarkup([replace(MARKUP, issue_id="")]))
    project.execute(RemoveDrawing(DRAWING.id))
    assert store.drawings(project) == store.markups(project) == []
    assert project.count("review_element") == 0


def test_issue_numbers_count_within_their_case(review: Project) -> None:
    other_case = replace(CASE, id=store.new_id())
    review.execute(OpenCase(other_case))
    review.execute(RaiseIssue(replace(ISSUE, id=store.new_id())))
    review.execute(RaiseIssue(replace(ISSUE, id=store.new_id(), case_id=other_case.id)))
    assert [one.number for one in store.issues(review, CASE.id)] == [1, 2]
    assert [one.number for one in store.issues(review, other_case.id)] == [1]


def test_the_issue_layer_shows_where_it_is(review: Project) -> None:
    layer = tables.layer_of(review.layers(), "review.issue")
    assert layer is not None
    (wkb,) = review.read(layer.id).geometry
    assert shapely.from_wkb(wkb).coords[0] == (EAST + 10.0, NORTH + 20.0)


def test_rows_that_others_broke_are_named(review: Project) -> None:
    review.execute(EditCells("review_case", [1], "conditions", ["{"]))
    with pytest.raises(PlannerError, match=r"review\.record_broken") as caught:
        store.cases(review)
    assert caught.value.params["id"] == CASE.id
    review.undo()
    review.execute(EditCells("review_case", [1], "status", ["maybe"]))
    with pytest.raises(PlannerError, match=r"review\.record_broken"):
        store.cases(review)
    review.undo()
    review.execute(EditCells("review_case", [1], "applicant", [None]))
    review.execute(EditCells("review_case", [1], "title", [None]))
    assert (store.cases(review)[0].applicant, store.cases(review)[0].title) == ("", "")


def test_a_table_of_another_name_is_found_by_its_role(project: Project, tmp_path: Path) -> None:
    """Undone and made again, the tables have new names; a copy of the file carries everything."""
    commands.prepare(project)
    project.undo()
    project.execute(AddDrawing(DRAWING, CASE, [ROW]))  # even without prepare
    assert "review_case_2" in [layer.id for layer in project.layers()]
    project.save_copy(tmp_path / "copy.sqlite")
    with Project.open(tmp_path / "copy.sqlite") as copy:
        assert copy.layer("review_drawing_2")
        assert [one.title for one in store.drawings(copy)] == ["总平面图"]


def test_the_elements_layer_has_the_looks_of_a_plan(review: Project) -> None:
    layer = tables.layer_of(review.layers(), elements.ROLE)
    assert layer is not None
    table = review.read(layer.id)
    assert table.columns["drawing"] == ["D-0001"]
    assert table.columns["area_m2"] == [625.0]
    assert "footprint" in review.style(layer.id)
