"""Issues go out as BCF and come back; a reader that is not ours reads them in between."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

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

from .conftest import EAST, GUIDS, NORTH, png

#: The other library writes a document that several topics share once for each of them.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")

VERSIONS = ["2.1", "3.0"]
WORK = ("title", "status", "priority", "assignee", "due", "rule", "finding", "anchors", "created_by", "created_at")


def _export(project: Project, case: Case, path: Path, version: str = "2.1") -> dict[str, Any]:
    return export_bcf(project, case.id, path, version, pictures=False)


def _issue(project: Project, title: str) -> Issue:
    return next(one for one in store.issues(project) if one.title.startswith(title))


def _all(project: Project) -> list[Any]:
    return [store.issues(project), store.comments(project), store.markups(project), project.attachments()]


@pytest.mark.parametrize("version", VERSIONS)
def test_another_program_reads_everything(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    done = _export(project, case, path, version)
    assert {key: done[key] for key in ("topics", "comments", "viewpoints")} == {
        "topics": 3, "comments": 4, "viewpoints": 2,
    }  # fmt: skip
    assert done["notes"] == []
    with bcf.bcfxml.load(path) as other:
        assert other.version.version_id == version
        assert len(other.topics) == 3
        issue = _issue(project, "3#")
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
def test_every_file_keeps_the_schema(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    _export(project, case, path, version)
    model = bcf.v2.model if version == "2.1" else bcf.v3.model
    kinds: dict[str, Any] = {
        "bcf.version": model.Version,
        "markup.bcf": model.Markup,
        "bcfv": model.VisualizationInfo,
        "project.bcfp": model.ProjectExtension if version == "2.1" else model.ProjectInfo,
    }
    if version == "3.0":
        kinds |= {"extensions.xml": model.Extensions, "documents.xml": model.DocumentInfo}
    checked = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            kind = next((kind for end, kind in kinds.items() if name.endswith(end)), None)
            if kind is not None:
                _keeps(ElementTree.fromstring(archive.read(name)), kind, name)
                checked += 1
    assert checked == (6 if version == "2.1" else 8)


def _keeps(node: ElementTree.Element, kind: Any, where: str) -> None:
    """An element against the schema as the other library's classes carry it: names, order, need, count, pattern."""
    known = {one.metadata["name"]: (rank, one) for rank, one in enumerate(fields(kind)) if "name" in one.metadata}
    elements = {name: one for name, one in known.items() if one[1].metadata["type"] == "Element"}
    attributes = {name: one for name, one in known.items() if one[1].metadata["type"] == "Attribute"}
    assert set(node.attrib) <= set(attributes), f"{where}: {node.attrib}"
    ranks = [elements[child.tag][0] for child in node]  # a KeyError is an element the schema has not
    # The classes list attributes after elements but keep the schema's order among elements.
    assert ranks == sorted(ranks), f"{where}: order of {[child.tag for child in node]}"
    for name, (_, one) in known.items():
        found = [node.get(name)] if name in node.attrib else [child.text for child in node if child.tag == name]
        if one.metadata.get("required"):
            assert found, f"{where}: {node.tag} lacks {name}"
        for text in found:
            if one.metadata.get("pattern") and text is not None:
                assert re.fullmatch(one.metadata["pattern"], text), f"{where}: {name} {text!r}"
            if one.metadata.get("min_length"):
                assert (text or "").strip(), f"{where}: {name} is empty"
    for child in node:
        inner = elements[child.tag][1].type
        namespace = vars(__import__(kind.__module__, fromlist=["x"]))
        hint = eval(inner, namespace) if isinstance(inner, str) else inner  # the classes' own annotations
        part = next((one for one in (hint, *get_args(hint)) if is_dataclass(one)), None)
        if part is not None and part is not XmlDateTime:
            _keeps(child, part, f"{where}/{child.tag}")


@pytest.mark.data
def test_markup_against_the_official_schema(project: Project, case: Case, tmp_path: Path, data_dir: Path) -> None:
    """The sample file carries the 2.1 schema of markup."""
    from lxml import etree

    with zipfile.ZipFile(data_dir / "drawings" / "bcf21_MaximumInformation.bcf") as archive:
        schema = etree.XMLSchema(etree.fromstring(archive.read("markup.xsd")))
    path = tmp_path / "out.bcf"
    _export(project, case, path)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("markup.bcf")]
        assert len(names) == 3
        for name in names:
            schema.assertValid(etree.fromstring(archive.read(name)))


@pytest.mark.parametrize("version", VERSIONS)
def test_back_into_the_same_project_changes_nothing(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    _export(project, case, path, version)
    before = _all(project)
    done = import_bcf(project, path, case.id)
    assert (done["added"], done["updated"], done["notes"]) == (0, 0, [])
    assert _all(project) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_into_another_project_everything_arrives(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    _export(project, case, path, version)
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
        issue = _issue(other, "3#")
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
    _export(project, case, path)
    with Project.create(tmp_path / "other.sqlite", "EPSG:4548", "邻带") as other:
        home = Case(store.new_id(), "", "海清园")
        commands.prepare(other)
        other.execute(commands.OpenCase(home))
        assert import_bcf(other, path)["notes"] == []
        from pyproj import Transformer

        way = Transformer.from_crs("EPSG:4549", "EPSG:4548", always_xy=True)
        geometry = _issue(other, "3#").anchors.geometry
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
    _export(project, case, path, version)
    issue = _issue(project, "3#")
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
    after = _issue(project, "3#")
    assert (after.status, after.assignee, after.due) == (IssueStatus.ANSWERED, "designer@example.com", "2026-05-06")
    assert after.anchors == issue.anchors
    assert [one for one in store.issues(project) if one.id != issue.id] == [one for one in before if one.id != issue.id]
    said = next(one for one in store.comments(project, issue.id) if one.id == answer)
    assert (said.text, said.author, said.time) == ("已修改", "设计院", "2026-03-09T00:00:00Z")
    again = import_bcf(project, back, case.id)
    assert (again["added"], again["updated"]) == (0, 0)
    assert sum(one.text == "已修改" for one in store.comments(project)) == 1
    project.undo()
    assert _issue(project, "3#") == issue
    # Out once more: their word for the status stays theirs.
    project.redo()
    third = tmp_path / "third.bcf"
    _export(project, case, third, version)
    topic = next(one for one in read_bcf(third).topics if one.guid == issue.id)
    assert topic.status == "Resolved"
    assert len({one.guid for one in topic.comments}) == len(topic.comments) == 5


def test_what_both_sides_changed_stays_ours_and_is_told(project: Project, case: Case, tmp_path: Path) -> None:
    path, back = tmp_path / "out.bcf", tmp_path / "back.bcf"
    _export(project, case, path)
    issue = _issue(project, "3#")

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
    _export(project, case, path)
    issue = _issue(project, "3#")

    def change(handler: Any) -> None:
        handler.topic.bim_snippet = None

    _reply(path, issue, change, back)
    project.execute(EditIssue(issue.id, {"status": IssueStatus.CLOSED}))
    project.execute(AddComment(Comment(store.new_id(), issue.id, "同意", "王工", "2026-03-20T00:00:00Z")))
    done = import_bcf(project, back, case.id)
    assert _issue(project, "3#").status is IssueStatus.CLOSED
    assert [code for code, _ in done["notes"]] == ["review.bcf_conflict"]


def test_an_edited_comment_keeps_both_wordings(project: Project, case: Case, tmp_path: Path) -> None:
    path, back = tmp_path / "out.bcf", tmp_path / "back.bcf"
    _export(project, case, path)
    issue = _issue(project, "3#")

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
    _export(project, case, third)
    topic = next(one for one in read_bcf(third).topics if one.guid == issue.id)
    assert [one.text for one in topic.comments].count("见说明（修正）") == 1
    assert "见说明" not in [one.text for one in topic.comments]


@pytest.mark.data
def test_maximum_information(project: Project, case: Case, tmp_path: Path, data_dir: Path) -> None:
    source = data_dir / "drawings" / "bcf21_MaximumInformation.bcf"
    done = import_bcf(project, source, case.id)
    assert {key: done[key] for key in ("topics", "comments", "viewpoints", "added")} == {
        "topics": 2, "comments": 4, "viewpoints": 3, "added": 2,
    }  # fmt: skip
    assert done["notes"] == []
    issue = _issue(project, "Maximum Content")
    assert (issue.status, issue.priority, issue.assignee, issue.due) == (
        IssueStatus.OPEN, "high", "linhard@iabi.eu", "2016-10-02",
    )  # fmt: skip
    assert "0cSRUx$EX1NRjqiKcYQ$a0" in issue.anchors.guids
    thread = store.comments(project, issue.id)
    texts = [one.text for one in thread]
    assert "This is a topic with all informations present." in texts
    assert sum(one.kind == "comment" for one in thread) == 4
    referring = next(one for one in thread if "It references a viewpoint" in one.text)
    assert project.read_attachment(referring.attachment).startswith(b"\x89PNG")
    assert import_bcf(project, source, case.id) | {"notes": []} == done | {"added": 0, "updated": 0}
    _same_again(project, case, source, tmp_path)


@pytest.mark.data
def test_document_reference_internal(project: Project, case: Case, tmp_path: Path, data_dir: Path) -> None:
    source = data_dir / "drawings" / "bcf30_DocumentReferenceInternal.bcf"
    done = import_bcf(project, source, case.id)
    assert {key: done[key] for key in ("topics", "comments", "viewpoints", "added")} == {
        "topics": 1, "comments": 1, "viewpoints": 1, "added": 1,
    }  # fmt: skip
    issue = _issue(project, "Document Reference Internal")
    assert issue.assignee == "OtherUser@doe.com"
    _same_again(project, case, source, tmp_path)


def _same_again(project: Project, case: Case, source: Path, tmp_path: Path) -> None:
    """What came from another program goes out again in both versions, with all that our records have no field for."""
    for version in VERSIONS:
        path = tmp_path / f"again{version}.bcf"
        _export(project, case, path, version)
        out = {one.guid: one for one in read_bcf(path).topics}
        for topic in read_bcf(source).topics:
            again = out[topic.guid]
            for name in (
                "title", "status", "priority", "index", "author", "created", "modified", "due", "assignee", "stage",
                "description", "links", "related", "comments",
            ):  # fmt: skip
                if name == "index" and topic.index is None:
                    continue
                theirs = getattr(topic, name) or {"status": "Open", "priority": "Normal"}.get(
                    name, getattr(topic, name)
                )
                assert getattr(again, name) == theirs, name
            assert set(topic.labels) <= set(again.labels)
            documents = {(one.guid, one.url, one.data, one.description) for one in again.documents}
            assert {(one.guid, one.url, one.data, one.description) for one in topic.documents} <= documents
            files = {(one.name, one.date, one.ifc_project, one.data) for one in again.files}
            assert {(one.name, one.date, one.ifc_project, one.data) for one in topic.files} <= files
            if topic.snippet is not None:
                assert again.snippet == topic.snippet
            views = {one.guid: one for one in again.viewpoints}
            for view in topic.viewpoints:
                assert views[view.guid].snapshot == view.snapshot
                assert views[view.guid].bitmaps == view.bitmaps
                assert (view.info is None) == (views[view.guid].info is None)
                if view.info is not None:
                    ours, theirs = (_flat(one) for one in (views[view.guid].info, view.info))
                    assert ours == theirs


def _flat(info: ElementTree.Element | None) -> list[tuple[str, str, str]]:
    """What a view says; which version's aspect ratio it was given, and groups without entries, do not matter."""
    assert info is not None
    said = [
        (one.tag, (one.text or "").strip(), ",".join(f"{key}={value}" for key, value in sorted(one.attrib.items())))
        for one in info.iter()
        if one.tag not in ("AspectRatio", "VisualizationInfo")
    ]
    return [one for one in said if one[1] or one[2]]


def test_words_and_files_that_need_care(project: Project, case: Case, tmp_path: Path) -> None:
    issue = _issue(project, "报告缺章")
    project.execute(AddComment(Comment(store.new_id(), issue.id, "制表\x0b符\x1f号", "", "not a time")))
    for version in VERSIONS:
        path = tmp_path / f"{version}.bcf"
        _export(project, case, path, version)
        with bcf.bcfxml.load(path) as other:
            topic = other.topics[issue.id]
            said = topic.comments if version == "2.1" else topic.topic.comments.comment
            assert said[0].comment == "制表�符�号"
            assert said[0].author == "–"


def test_the_same_records_give_the_same_file(project: Project, case: Case, tmp_path: Path) -> None:
    first, second = tmp_path / "a.bcf", tmp_path / "b.bcf"
    _export(project, case, first)
    _export(project, case, second)
    assert first.read_bytes() == second.read_bytes()


def test_nothing_to_write_and_nowhere_to_put(project: Project, case: Case, tmp_path: Path) -> None:
    other = Case(store.new_id(), "", "空")
    project.execute(commands.OpenCase(other))
    told = _export(project, other, tmp_path / "empty.bcf")
    assert told["topics"] == 0
    assert [code for code, _ in told["notes"]] == ["review.bcf_no_issues"]
    assert zipfile.is_zipfile(tmp_path / "empty.bcf")
    with pytest.raises(PlannerError) as caught:
        _export(project, case, tmp_path / "no folder" / "x.bcf")
    assert caught.value.code == "review.bcf_unwritable"
    with pytest.raises(PlannerError) as caught:
        export_bcf(project, case.id, tmp_path / "x.bcf", "1.0")
    assert caught.value.code == "review.bcf_version"
    path = tmp_path / "out.bcf"
    _export(project, case, path)
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
