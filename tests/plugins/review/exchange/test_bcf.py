"""Issues go out as BCF and come back; a reader that is not ours reads them in between."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bcf.bcfxml
import bcf.v2.model
import bcf.v3.model
import pytest
from xsdata.models.datatype import XmlDateTime

from planner_app.domain.errors import PlannerError
from planner_app.project import Project
from plugins.review.model.cases import commands, store
from plugins.review.model.cases.commands import AddComment, EditIssue
from plugins.review.model.cases.records import Case, Comment, Issue, IssueStatus
from plugins.review.model.exchange.bcf import export_bcf, import_bcf
from plugins.review.model.exchange.bcf_read import read_bcf
from plugins.review.model.exchange.topics import derived

from .conftest import EAST, GUIDS, NORTH, VERSIONS, exported, issue_titled, png

#: The other library writes a document that several topics share once for each of them.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")

WORK = ("title", "status", "priority", "assignee", "due", "rule", "finding", "anchors", "created_by", "created_at")


def _all(project: Project) -> list[Any]:
    return [store.issues(project), store.comments(project), store.markups(project), project.attachments()]


@pytest.mark.parametrize("version", VERSIONS)
def test_another_program_reads_everything(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    done = exported(project, case, path, version)
    assert {key: done[key] for key in ("topics", "comments", "viewpoints")} == {
        "topics": 3, "comments": 4, "viewpoints": 2,
    }  # fmt: skip
    assert done["notes"] == []
    with bcf.bcfxml.load(path) as other:
        assert other.version.version_id == version
        assert len(other.topics) == 3
        issue = issue_titled(project, "3#")
        handler = other.topics[issue.id]
        topic = handler.topic
        assert topic.title == issue.title
        assert (topic.topic_status, topic.priority, topic.assigned_to) == ("Needs drawing", "High", "李工")
        assert str(topic.due_date).startswith("2026-04-01")
        labels = topic.labels if version == "2.1" else topic.labels.label
        assert labels == [case.number, "D-0001", "review.setback"]
        said = handler.comments if version == "2.1" else topic.comments.comment
        assert [one.author for one in said] == ["王工", "李工", "李工", "王工"]
        assert said[0].comment is not None
        assert said[0].comment.split() == ["请核对", "3#", "西侧退界，", "应不小于", "8", "m。"]
        view = handler.viewpoints[f"{derived(issue.id, 'view')}.bcfv"].visualization_info
        selected = view.components.selection.component
        assert [one.ifc_guid for one in selected] == [*GUIDS, None, None]
        assert [one.authoring_tool_id for one in selected[2:]] == ["364EF", "31E"]
        camera = view.orthogonal_camera
        assert (camera.camera_view_point.x, camera.camera_view_point.y) == (EAST + 20, NORTH + 12)
        assert camera.camera_direction.z == -1
        assert camera.view_to_world_scale >= 24.0
        assert len(view.lines.line) == 3 + 4  # the triangle and the cloud's box
        assert b"EPSG:4549" in (handler.bim_snippet or b"")


@pytest.mark.parametrize("version", VERSIONS)
def test_back_into_the_same_project_changes_nothing(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    exported(project, case, path, version)
    before = _all(project)
    done = import_bcf(project, path, case.id)
    assert (done["added"], done["updated"], done["notes"]) == (0, 0, [])
    assert _all(project) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_into_another_project_everything_arrives(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    exported(project, case, path, version)
    with Project.create(tmp_path / "other.sqlite", "EPSG:4549", "乙方") as other:
        commands.prepare(other)
        home = Case(store.new_id(), "", "海清园")
        other.execute(commands.OpenCase(home))
        done = import_bcf(other, path)
        assert (done["topics"], done["added"], done["updated"]) == (3, 3, 0)
        for one in store.issues(project):
            arrived = next(issue for issue in store.issues(other) if issue.id == one.id)
            for name in WORK:
                assert getattr(arrived, name) == getattr(one, name), name
            sent, got = ({said.id: said for said in store.comments(where, one.id)} for where in (project, other))
            for said in sent.values():
                if version == "3.0" and not said.text:
                    continue
                assert replace(got[said.id], attachment="") == replace(said, attachment="")
        issue = issue_titled(other, "3#")
        (mark,) = store.markups(other, issue_id=issue.id)
        (drawn,) = store.markups(project)
        assert (mark.kind, mark.points, mark.text, mark.style) == (drawn.kind, drawn.points, drawn.text, drawn.style)
        pictures = [one for one in store.comments(other, issue.id) if one.author == "李工" and one.attachment]
        assert png() in [other.read_attachment(one.attachment) for one in pictures]
        contents = [other.read_attachment(one.sha256) for one in other.attachments()]
        assert "说明".encode() in contents
        assert "海清园总平面".encode() * 50 in contents  # the drawing came along
        other.undo()
        assert store.issues(other) == []


def test_another_crs_moves_the_anchors(project: Project, case: Case, tmp_path: Path) -> None:
    path = tmp_path / "out.bcf"
    exported(project, case, path)
    with Project.create(tmp_path / "other.sqlite", "EPSG:4548", "邻带") as other:
        home = Case(store.new_id(), "", "海清园")
        commands.prepare(other)
        other.execute(commands.OpenCase(home))
        assert import_bcf(other, path)["notes"] == []
        from pyproj import Transformer

        way = Transformer.from_crs("EPSG:4549", "EPSG:4548", always_xy=True)
        geometry = issue_titled(other, "3#").anchors.geometry
        assert geometry is not None
        assert geometry["coordinates"][0][1] == pytest.approx(way.transform(EAST + 40, NORTH), abs=1e-6)
        (mark,) = store.markups(other)
        assert mark.points[1] == pytest.approx(way.transform(EAST + 10.5, NORTH + 8.25), abs=1e-6)


def _reply(path: Path, issue: Issue, change: Callable[[Any], None], out: Path) -> None:
    """What the designer does in another program: opens the file, answers, saves it."""
    with bcf.bcfxml.load(path) as other:
        handler = other.topics[issue.id]
        change(handler)
        other.save(out)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_round_trip_through_another_program(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path, back = tmp_path / "out.bcf", tmp_path / "back.bcf"
    exported(project, case, path, version)
    issue = issue_titled(project, "3#")
    model = bcf.v2.model if version == "2.1" else bcf.v3.model
    answer = store.new_id()

    def change(handler: Any) -> None:
        handler.topic.topic_status = "Resolved"
        handler.topic.assigned_to = "designer@example.com"
        handler.topic.due_date = XmlDateTime.from_string("2026-05-06T00:00:00Z")
        said = model.Comment(
            guid=answer, date=XmlDateTime.from_string("2026-03-09T08:00:00+08:00"), author="设计院", comment="已修改"
        )
        (handler.comments if version == "2.1" else handler.topic.comments.comment).append(said)

    _reply(path, issue, change, back)
    before = store.issues(project)
    done = import_bcf(project, back, case.id)
    assert (done["added"], done["updated"]) == (0, 1)
    assert [code for code, _ in done["notes"]] == []
    after = issue_titled(project, "3#")
    assert (after.status, after.assignee, after.due) == (IssueStatus.ANSWERED, "designer@example.com", "2026-05-06")
    assert after.anchors == issue.anchors
    assert [one for one in store.issues(project) if one.id != issue.id] == [one for one in before if one.id != issue.id]
    said = next(one for one in store.comments(project, issue.id) if one.id == answer)
    assert (said.text, said.author, said.time) == ("已修改", "设计院", "2026-03-09T00:00:00Z")
    again = import_bcf(project, back, case.id)
    assert (again["added"], again["updated"]) == (0, 0)
    assert sum(one.text == "已修改" for one in store.comments(project)) == 1
    project.undo()
    assert issue_titled(project, "3#") == issue
    # Out once more: their word for the status stays theirs.
    project.redo()
    third = tmp_path / "third.bcf"
    exported(project, case, third, version)
    topic = next(one for one in read_bcf(third).topics if one.guid == issue.id)
    assert topic.status == "Resolved"
    assert len({one.guid for one in topic.comments}) == len(topic.comments) == 5


def test_what_both_sides_changed_stays_ours_and_is_told(project: Project, case: Case, tmp_path: Path) -> None:
    path, back = tmp_path / "out.bcf", tmp_path / "back.bcf"
    exported(project, case, path)
    issue = issue_titled(project, "3#")

    def change(handler: Any) -> None:
        handler.topic.assigned_to, handler.topic.title = "theirs", "Their title"

    _reply(path, issue, change, back)
    project.execute(EditIssue(issue.id, {"assignee": "ours"}))
    done = import_bcf(project, back, case.id)
    after = next(one for one in store.issues(project) if one.id == issue.id)
    assert (after.assignee, after.title) == ("ours", "Their title")
    ((code, params),) = done["notes"]
    assert (code, params["field"], params["theirs"]) == ("review.bcf_conflict", "assignee", "theirs")


def test_our_later_changes_survive_a_program_that_drops_our_data(project: Project, case: Case, tmp_path: Path) -> None:
    path, back = tmp_path / "out.bcf", tmp_path / "back.bcf"
    exported(project, case, path)
    issue = issue_titled(project, "3#")

    def change(handler: Any) -> None:
        handler.topic.bim_snippet = None

    _reply(path, issue, change, back)
    project.execute(EditIssue(issue.id, {"status": IssueStatus.CLOSED}))
    project.execute(AddComment(Comment(store.new_id(), issue.id, "同意", "王工", "2026-03-20T00:00:00Z")))
    done = import_bcf(project, back, case.id)
    assert issue_titled(project, "3#").status is IssueStatus.CLOSED
    assert [code for code, _ in done["notes"]] == ["review.bcf_conflict"]


def test_an_edited_comment_keeps_both_wordings(project: Project, case: Case, tmp_path: Path) -> None:
    path, back = tmp_path / "out.bcf", tmp_path / "back.bcf"
    exported(project, case, path)
    issue = issue_titled(project, "3#")

    def change(handler: Any) -> None:
        handler.comments[2].comment = "见说明（修正）"
        handler.comments[2].modified_date = XmlDateTime.from_string("2026-03-10T00:00:00Z")
        handler.comments[2].modified_author = "李工"

    _reply(path, issue, change, back)
    import_bcf(project, back, case.id)
    import_bcf(project, back, case.id)
    texts = [one.text for one in store.comments(project, issue.id)]
    assert texts.count("见说明") == 1
    assert texts.count("见说明（修正）") == 1
    third = tmp_path / "third.bcf"
    exported(project, case, third)
    topic = next(one for one in read_bcf(third).topics if one.guid == issue.id)
    assert [one.text for one in topic.comments].count("见说明（修正）") == 1
    assert "见说明" not in [one.text for one in topic.comments]


def test_words_and_files_that_need_care(project: Project, case: Case, tmp_path: Path) -> None:
    issue = issue_titled(project, "报告缺章")
    project.execute(AddComment(Comment(store.new_id(), issue.id, "制表\x0b符\x1f号", "", "not a time")))
    for version in VERSIONS:
        path = tmp_path / f"{version}.bcf"
        exported(project, case, path, version)
        with bcf.bcfxml.load(path) as other:
            topic = other.topics[issue.id]
            said = topic.comments if version == "2.1" else topic.topic.comments.comment
            assert said[0].comment == "制表�符�号"
            assert said[0].author == "–"


def test_the_same_records_give_the_same_file(project: Project, case: Case, tmp_path: Path) -> None:
    first, second = tmp_path / "a.bcf", tmp_path / "b.bcf"
    exported(project, case, first)
    exported(project, case, second)
    assert first.read_bytes() == second.read_bytes()


def test_nothing_to_write_and_nowhere_to_put(project: Project, case: Case, tmp_path: Path) -> None:
    other = Case(store.new_id(), "", "空")
    project.execute(commands.OpenCase(other))
    told = exported(project, other, tmp_path / "empty.bcf")
    assert told["topics"] == 0
    assert [code for code, _ in told["notes"]] == ["review.bcf_no_issues"]
    assert zipfile.is_zipfile(tmp_path / "empty.bcf")
    with pytest.raises(PlannerError) as caught:
        exported(project, case, tmp_path / "no folder" / "x.bcf")
    assert caught.value.code == "review.bcf_unwritable"
    with pytest.raises(PlannerError) as caught:
        export_bcf(project, case.id, tmp_path / "x.bcf", "1.0")
    assert caught.value.code == "review.bcf_version"
    path = tmp_path / "out.bcf"
    exported(project, case, path)
    with Project.create(tmp_path / "other.sqlite", "EPSG:4549", "") as empty, pytest.raises(PlannerError) as caught:
        import_bcf(empty, path)
    assert caught.value.code == "review.bcf_which_case"


def test_pictures_of_a_drawing(project: Project, tmp_path: Path) -> None:
    """An issue on an entity of a DXF: the picture shows it in red in the middle of the drawing's own lines."""
    import io

    import ezdxf
    import numpy as np
    from PIL import Image

    from plugins.review.model.cases import workflow
    from plugins.review.model.cases.records import Anchors

    document = ezdxf.new("R2010", units=6)
    for x in range(0, 200, 20):
        document.modelspace().add_lwpolyline([(x, 0), (x + 15, 0), (x + 15, 30), (x, 30)], close=True)
    source = tmp_path / "总平面.dxf"
    document.saveas(source)
    workflow.import_drawing(project, source)
    record = store.drawings(project)[-1]
    target = workflow.open_drawing(project, record.id).drawing.entities[3]
    issue = Issue(store.new_id(), record.case_id, 0, "在此", record.id, anchors=Anchors(handles=(target.handle,)))
    project.execute(commands.RaiseIssue(issue))
    path = tmp_path / "out.bcf"
    assert export_bcf(project, record.case_id, path)["viewpoints"] == 1
    (topic,) = read_bcf(path).topics
    (view,) = topic.viewpoints
    pixels = np.asarray(Image.open(io.BytesIO(view.snapshot)).convert("RGB")).astype(int)
    red = (pixels[:, :, 0] > 150) & (pixels[:, :, 1] < 100)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    height, width = red.shape
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(width / 2, abs=3)
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(height / 2, abs=3)
    assert (columns[-1] - columns[0]) / (rows[-1] - rows[0]) == pytest.approx(0.5, abs=0.05)  # 15 by 30 m
    dark = (pixels.sum(axis=2) < 200).sum()
    assert dark > 1000  # its neighbours
    assert view.info is not None
    camera = view.info.find("OrthogonalCamera/CameraViewPoint")
    assert camera is not None
    assert [float(one.text or "") for one in camera][:2] == [67.5, 15.0]


@pytest.mark.data
def test_issues_on_a_building_model(project: Project, tmp_path: Path, data_dir: Path) -> None:
    """The view is in the model's own coordinates, its elements are selected, and the model is named."""
    from plugins.review.model.cases import workflow
    from plugins.review.model.cases.records import Anchors

    workflow.import_drawing(project, data_dir / "drawings" / "Duplex_A_georef.ifc")
    record = store.drawings(project)[-1]
    wall = "2O2Fr$t4X7Zf8NOew3FNhv"  # west outer wall of Level 1: x from 0 to 0.42, y from -17.38 to -0.42
    issue = Issue(store.new_id(), record.case_id, 0, "西墙", record.id, anchors=Anchors(guids=(wall,)))
    project.execute(commands.RaiseIssue(issue))
    path = tmp_path / "out.bcf"
    export_bcf(project, record.case_id, path)
    with bcf.bcfxml.load(path) as other:
        topic = other.topics[issue.id]
        (view,) = topic.viewpoints.values()
        info = view.visualization_info
        assert [one.ifc_guid for one in info.components.selection.component] == [wall]
        camera = info.orthogonal_camera.camera_view_point
        assert (camera.x, camera.y) == (pytest.approx(0.2085, abs=0.01), pytest.approx(-8.9, abs=0.01))
        assert camera.z > 6.6
        assert topic.header.file[0].filename == "Duplex_A_georef.ifc"
        assert len(info.lines.line) == 4
