"""BCF against its schema and the examples that come with it."""

from __future__ import annotations

import re
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import bcf.bcfxml
import bcf.v2.model
import bcf.v3.model
import pytest
from xsdata.models.datatype import XmlDateTime

from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import Case, IssueStatus
from plugins.review.model.exchange.bcf import import_bcf
from plugins.review.model.exchange.bcf_read import read_bcf

from .conftest import VERSIONS, exported, issue_titled

#: The other library writes a document that several topics share once for each of them.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_file_keeps_the_schema(project: Project, case: Case, tmp_path: Path, version: str) -> None:
    path = tmp_path / "out.bcf"
    exported(project, case, path, version)
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
    exported(project, case, path)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("markup.bcf")]
        assert len(names) == 3
        for name in names:
            schema.assertValid(etree.fromstring(archive.read(name)))


@pytest.mark.data
def test_maximum_information(project: Project, case: Case, tmp_path: Path, data_dir: Path) -> None:
    source = data_dir / "drawings" / "bcf21_MaximumInformation.bcf"
    done = import_bcf(project, source, case.id)
    assert {key: done[key] for key in ("topics", "comments", "viewpoints", "added")} == {
        "topics": 2, "comments": 4, "viewpoints": 3, "added": 2,
    }  # fmt: skip
    assert done["notes"] == []
    issue = issue_titled(project, "Maximum Content")
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
    issue = issue_titled(project, "Document Reference Internal")
    assert issue.assignee == "OtherUser@doe.com"
    _same_again(project, case, source, tmp_path)


def _same_again(project: Project, case: Case, source: Path, tmp_path: Path) -> None:
    """What came from another program goes out again in both versions, with all that our records have no field for."""
    for version in VERSIONS:
        path = tmp_path / f"again{version}.bcf"
        exported(project, case, path, version)
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
