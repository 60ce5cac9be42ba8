"""Reading BCF 2.1 and 3.0."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from planner_app.domain.errors import PlannerError
from plugins.review.model.exchange.archive import Archive
from plugins.review.model.exchange.bcf_view import to_newer
from plugins.review.model.exchange.topics import (
    NOTHING,
    VERSIONS,
    BcfFile,
    Document,
    ModelFile,
    Snippet,
    Topic,
    TopicComment,
    Viewpoint,
    guid_of,
)

#: Put before a document's name where 2.1 has it among others.
_PREFIX = re.compile(r"^[0-9a-f]{8}_")


def read_bcf(path: Path | bytes, name: str = "") -> BcfFile:
    """Read a BCF file. Topics that cannot be read are left out and named in its notes.

    Raises:
        PlannerError: ``review.bcf_version``, ``review.bcf_empty``, ``review.bcf_xml_unsafe``, what
            :class:`Archive` refuses.
    """
    archive = Archive.open(path, name)
    try:
        return _read(archive)
    finally:
        archive.close()


def _read(archive: Archive) -> BcfFile:
    if "bcf.version" not in archive.names:
        raise PlannerError("review.bcf_version", file=archive.file, version="–", known=", ".join(VERSIONS))
    version = archive.xml("bcf.version").get("VersionId", "").strip()
    if version not in VERSIONS:
        raise PlannerError("review.bcf_version", file=archive.file, version=version[:40], known=", ".join(VERSIONS))
    bcf = BcfFile(version)
    if "project.bcfp" in archive.names:
        project = archive.xml("project.bcfp").find("Project")
        if project is not None:
            bcf.project_id, bcf.project_name = project.get("ProjectId", ""), _text(project, "Name")
    documents = _documents(archive) if version == "3.0" else {}
    seen: set[str] = set()
    for name in sorted(archive.names):
        folder, _, file = name.rpartition("/")
        if file != "markup.bcf" or not folder or "/" in folder:
            continue
        try:
            topic = _topic(archive, folder, version, documents)
        except PlannerError as error:
            if error.code != "review.bcf_xml_broken":
                raise
            bcf.notes.append(("review.bcf_topic_broken", {"topic": folder, "detail": str(error.params["detail"])}))
            continue
        if topic is None or topic.guid in seen:
            bcf.notes.append(("review.bcf_topic_broken", {"topic": folder, "detail": "Topic"}))
            continue
        seen.add(topic.guid)
        bcf.topics.append(topic)
    if not bcf.topics:
        raise PlannerError("review.bcf_empty", file=archive.file)
    return bcf


def _topic(archive: Archive, folder: str, version: str, documents: dict[str, Document]) -> Topic | None:
    root = archive.xml(f"{folder}/markup.bcf")
    node = root.find("Topic")
    if node is None:
        return None
    topic = Topic(
        guid_of(node.get("Guid") or folder),
        _text(node, "Title"),
        kind=_said(node, "TopicType"),
        status=_said(node, "TopicStatus"),
        priority=_text(node, "Priority"),
        index=_integer(_text(node, "Index")),
        created=_text(node, "CreationDate"),
        author=_text(node, "CreationAuthor"),
        modified=_text(node, "ModifiedDate"),
        modified_author=_text(node, "ModifiedAuthor"),
        due=_text(node, "DueDate"),
        assignee=_text(node, "AssignedTo"),
        stage=_text(node, "Stage"),
        description=_text(node, "Description"),
        server_id=node.get("ServerAssignedId", ""),
        labels=[_own(one) for one in _either(node, "Labels", "Label") if _own(one)],
        links=[_own(one) for one in _either(node, "ReferenceLinks", "ReferenceLink") if _own(one)],
        related=[guid_of(one.get("Guid", "")) for one in node.iter("RelatedTopic") if one.get("Guid")],
        files=[_file(archive, folder, one) for one in root.iter("File")],
        snippet=_snippet(archive, folder, node.find("BimSnippet")),
        documents=[
            _document(archive, folder, one, documents)
            for one in node.iter("DocumentReference")
            if len(one) or one.get("Guid")
        ],
    )
    threads = node.find("Comments") if version == "3.0" else root
    views = node.find("Viewpoints") if version == "3.0" else root
    topic.comments = [_comment(one) for one in _children(threads, "Comment")]
    tag = "ViewPoint" if version == "3.0" else "Viewpoints"
    topic.viewpoints = [_viewpoint(archive, folder, one, version) for one in _children(views, tag)]
    return topic


def _comment(node: Element) -> TopicComment:
    view = node.find("Viewpoint")
    return TopicComment(
        guid_of(node.get("Guid", "")),
        _text(node, "Date"),
        _text(node, "Author"),
        _text(node, "Comment"),
        guid_of(view.get("Guid", "")) if view is not None and view.get("Guid") else "",
        _text(node, "ModifiedDate"),
        _text(node, "ModifiedAuthor"),
    )


def _viewpoint(archive: Archive, folder: str, node: Element, version: str) -> Viewpoint:
    view = Viewpoint(guid_of(node.get("Guid", "")), index=_integer(_text(node, "Index")))
    if name := archive.find(folder, _text(node, "Viewpoint")):
        info = archive.xml(name)
        view.info = to_newer(info) if version == "2.1" else info
        for bitmap in view.info.iter("Reference"):
            if found := archive.find(folder, _own(bitmap)):
                view.bitmaps[posixpath.basename(found)] = archive.read(found)
                bitmap.text = posixpath.basename(found)
    if name := archive.find(folder, _text(node, "Snapshot")):
        view.snapshot, view.snapshot_name = archive.read(name), posixpath.basename(name)
    return view


def _snippet(archive: Archive, folder: str, node: Element | None) -> Snippet | None:
    if node is None:
        return None
    reference, external = _text(node, "Reference"), _flag(node)
    name = "" if external else archive.find(folder, reference)
    return Snippet(
        node.get("SnippetType", ""),
        posixpath.basename(name) if name else reference,
        _text(node, "ReferenceSchema"),
        archive.read(name) if name else None,
        external,
    )


def _document(archive: Archive, folder: str, node: Element, documents: dict[str, Document]) -> Document:
    guid = node.get("Guid")
    description, inside = _text(node, "Description"), _text(node, "DocumentGuid")
    reference = _text(node, "ReferencedDocument") or _text(node, "Url")
    own = guid_of(guid) if guid else guid_of(f"{folder}/{reference}{inside}")
    if inside:
        known = documents.get(guid_of(inside))
        name, data = (known.name, known.data) if known is not None else ("", None)
        return Document(own, name, data, "", description, guid_of(inside))
    found = "" if _flag(node) else archive.find(folder, reference)
    if found:
        return Document(own, _PREFIX.sub("", posixpath.basename(found)), archive.read(found), "", description)
    return Document(own, "", None, reference, description)


def _documents(archive: Archive) -> dict[str, Document]:
    found: dict[str, Document] = {}
    if "documents.xml" in archive.names:
        for node in archive.xml("documents.xml").iter("Document"):
            guid = node.get("Guid", "")
            name = archive.find("documents", guid)
            data = archive.read(name) if name else None
            found[guid_of(guid)] = Document(guid_of(guid), _text(node, "Filename"), data)
    return found


def _file(archive: Archive, folder: str, node: Element) -> ModelFile:
    external = _flag(node, True)
    inside = "" if external else archive.find(folder, _text(node, "Reference"))
    return ModelFile(
        _text(node, "Filename"),
        _text(node, "Date"),
        _text(node, "Reference"),
        node.get("IfcProject", ""),
        node.get("IfcSpatialStructureElement", ""),
        external,
        archive.read(inside) if inside else None,
    )


def _either(node: Element, group: str, single: str) -> Iterator[Element]:
    """Entries of a list as 3.0 writes it (a group of singles) or 2.1 (repeated)."""
    for one in node:
        if one.tag == group and len(one):
            yield from one
        elif one.tag in (group, single):
            yield one


def _children(node: Element | None, tag: str) -> Iterable[Element]:
    return () if node is None else node.findall(tag)


def _said(node: Element, name: str) -> str:
    """An attribute; BCF 3.0 wants a value where there is none to tell."""
    value = node.get(name, "").strip()
    return "" if value == NOTHING else value


def _flag(node: Element, default: bool = False) -> bool:
    value = node.get("IsExternal", node.get("isExternal"))
    return default if value is None else value.strip().lower() in ("true", "1")


def _text(node: Element, tag: str) -> str:
    found = node.find(tag)
    return "" if found is None else _own(found)


def _own(node: Element) -> str:
    return (node.text or "").strip()


def _integer(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdigit() and len(text) < 10 else None
