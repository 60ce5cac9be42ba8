"""Writing BCF 2.1 and 3.0: the same topics give the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from plugins.review.model.exchange.bcf_view import to_older
from plugins.review.model.exchange.topics import (
    NOTHING,
    BcfFile,
    Document,
    ModelFile,
    Snippet,
    Topic,
    TopicComment,
    Viewpoint,
    derived,
)

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNFIT = re.compile(r"[\x00-\x1f<>:\"/\\|?*]")
_XS = "http://www.w3.org/2001/XMLSchema"
_OWN = ("bcf.version", "project.bcfp", "extensions.xml", "extensions.xsd", "documents.xml")
#: Date of every file in the archive: equal content, equal bytes.
_DATE = (2000, 1, 1, 0, 0, 0)


def write_bcf(bcf: BcfFile) -> bytes:
    """The file as ``bcf.version`` says."""
    newer = bcf.version == "3.0"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:

        def put(name: str, content: bytes | Element) -> None:
            data = content if isinstance(content, bytes) else _serialised(content)
            target.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)

        version = Element("Version", VersionId=bcf.version)
        if not newer:
            SubElement(version, "DetailedVersion").text = bcf.version
        put("bcf.version", version)
        put("project.bcfp", _project(bcf, newer))
        if newer:
            put("extensions.xml", _extensions(bcf.topics))
            _put_documents(put, bcf.topics)
        else:
            put("extensions.xsd", _extension_schema(bcf.topics))
        for topic in bcf.topics:
            put(f"{topic.guid}/markup.bcf", _markup(topic, newer))
            for name, content in _attached(topic, newer):
                put(f"{topic.guid}/{name}", content)
        shared = {_model(one): one.data for topic in bcf.topics for one in topic.files if one.data is not None}
        if not newer:
            every = (one for topic in bcf.topics for one in topic.documents if one.document_guid)
            shared |= {_inside(one).removeprefix("../"): one.data for one in every if one.data is not None}
        for name, data in sorted(shared.items()):
            put(name, data)
    return buffer.getvalue()


def _put_documents(put: Callable[[str, bytes | Element], None], topics: Sequence[Topic]) -> None:
    """The documents of all topics, each once."""
    root = Element("DocumentInfo")
    group = SubElement(root, "Documents")
    for guid, document in sorted({_document_guid(one): one for topic in topics for one in topic.documents}.items()):
        if document.data is not None:
            node = SubElement(group, "Document", Guid=guid)
            _add(node, "Filename", document.name or guid)
            _add(node, "Description", document.description)
            put(f"documents/{guid}", document.data)
    if len(group):
        put("documents.xml", root)


def _attached(topic: Topic, newer: bool) -> Iterable[tuple[str, bytes | Element]]:
    """Files of a topic's folder beside its markup."""
    if topic.snippet is not None and topic.snippet.data is not None:
        yield _fit(topic.snippet.reference), topic.snippet.data
    if not newer:
        for document in topic.documents:
            if document.data is not None and not document.document_guid:
                yield _inside(document), document.data
    for view in topic.viewpoints:
        if view.info is not None:
            info = view.info if newer else to_older(view.info)
            info.set("Guid", view.guid)
            yield f"{view.guid}.bcfv", info
        if view.snapshot:
            yield _snapshot(view), view.snapshot
        yield from view.bitmaps.items()


def _markup(topic: Topic, newer: bool) -> Element:
    root = Element("Markup")
    if topic.files:
        header = SubElement(root, "Header")
        for one in topic.files:
            (SubElement(header, "Files") if newer and not len(header) else header[0] if newer else header).append(
                _file(one, newer)
            )
    node = SubElement(root, "Topic", Guid=topic.guid)
    for name, value in (
        ("ServerAssignedId", topic.server_id if newer else ""),
        ("TopicType", topic.kind or (NOTHING if newer else "")),
        ("TopicStatus", topic.status or (NOTHING if newer else "")),
    ):
        if value:
            node.set(name, _clean(value))
    _many(node, "ReferenceLinks", "ReferenceLink", topic.links, newer, "ReferenceLink")
    _add(node, "Title", topic.title or NOTHING)
    _add(node, "Priority", topic.priority)
    _add(node, "Index", "" if topic.index is None else str(topic.index))
    _many(node, "Labels", "Label", topic.labels, newer, "Labels")
    _add(node, "CreationDate", topic.created)
    _add(node, "CreationAuthor", topic.author or NOTHING)
    _add(node, "ModifiedDate", topic.modified)
    _add(node, "ModifiedAuthor", topic.modified_author)
    _add(node, "DueDate", topic.due)
    _add(node, "AssignedTo", topic.assignee)
    _add(node, "Stage", topic.stage)
    _add(node, "Description", topic.description)
    if topic.snippet is not None:
        node.append(_snippet(topic.snippet, newer))
    documents = [_document(one, newer) for one in topic.documents]
    related = [Element("RelatedTopic", Guid=one) for one in topic.related]
    comments = [_comment(one, newer) for one in topic.comments]
    views = [_view(one, newer) for one in topic.viewpoints]
    if not newer:
        node.extend([*documents, *related])
        root.extend([*comments, *views])
        return root
    for name, parts in (
        ("DocumentReferences", documents), ("RelatedTopics", related), ("Comments", comments), ("Viewpoints", views),
    ):  # fmt: skip
        if parts:
            SubElement(node, name).extend(parts)
    return root


def _comment(comment: TopicComment, newer: bool) -> Element:
    node = Element("Comment", Guid=comment.guid)
    _add(node, "Date", comment.date)
    _add(node, "Author", comment.author or NOTHING)
    text = comment.text or (NOTHING if newer and not comment.viewpoint else "")
    if text or not newer:
        SubElement(node, "Comment").text = _clean(text)
    if comment.viewpoint:
        SubElement(node, "Viewpoint", Guid=comment.viewpoint)
    _add(node, "ModifiedDate", comment.modified)
    _add(node, "ModifiedAuthor", comment.modified_author)
    return node


def _view(view: Viewpoint, newer: bool) -> Element:
    node = Element("ViewPoint" if newer else "Viewpoints", Guid=view.guid)
    _add(node, "Viewpoint", f"{view.guid}.bcfv" if view.info is not None else "")
    _add(node, "Snapshot", _snapshot(view) if view.snapshot else "")
    _add(node, "Index", "" if view.index is None else str(view.index))
    return node


def _document(document: Document, newer: bool) -> Element:
    node = Element("DocumentReference", Guid=document.guid)
    if not newer:
        if document.data is None:
            node.set("isExternal", "true")
        _add(node, "ReferencedDocument", document.url if document.data is None else _inside(document))
    elif document.data is not None or document.document_guid:
        _add(node, "DocumentGuid", _document_guid(document))
    else:
        _add(node, "Url", document.url or NOTHING)
    _add(node, "Description", document.description)
    return node


def _snippet(snippet: Snippet, newer: bool) -> Element:
    node = Element("BimSnippet", SnippetType=_clean(snippet.kind) or NOTHING)
    node.set("IsExternal" if newer else "isExternal", "true" if snippet.external else "false")
    reference = snippet.reference if snippet.data is None else _fit(snippet.reference)
    SubElement(node, "Reference").text = _clean(reference) or NOTHING
    SubElement(node, "ReferenceSchema").text = _clean(snippet.schema) or NOTHING
    return node


def _file(one: ModelFile, newer: bool) -> Element:
    node = Element("File")
    for name, value in (("IfcProject", one.ifc_project), ("IfcSpatialStructureElement", one.spatial_element)):
        if value:
            node.set(name, value)
    node.set("IsExternal" if newer else "isExternal", "true" if one.external else "false")
    _add(node, "Filename", one.name)
    _add(node, "Date", one.date)
    _add(node, "Reference", one.reference if one.data is None else f"../{_model(one)}")
    return node


def _project(bcf: BcfFile, newer: bool) -> Element:
    root = Element("ProjectInfo" if newer else "ProjectExtension")
    project = SubElement(root, "Project", ProjectId=bcf.project_id or derived(bcf.project_name, "project"))
    _add(project, "Name", bcf.project_name)
    if not newer:
        SubElement(root, "ExtensionSchema").text = "extensions.xsd"
    return root


def _values(topics: Sequence[Topic]) -> dict[str, list[str]]:
    """What the topics use of each list that a BCF file declares."""
    people = [name for one in topics for name in (one.author, one.modified_author, one.assignee)]
    people += [name for topic in topics for one in topic.comments for name in (one.author, one.modified_author)]
    used = {
        "TopicType": [one.kind for one in topics],
        "TopicStatus": [one.status for one in topics],
        "Priority": [one.priority for one in topics],
        "TopicLabel": [label for one in topics for label in one.labels],
        "UserIdType": [NOTHING, *people],
        "SnippetType": [one.snippet.kind for one in topics if one.snippet],
        "Stage": [one.stage for one in topics],
    }
    return {name: sorted({_clean(one) for one in values if one}) for name, values in used.items()}


def _extensions(topics: Sequence[Topic]) -> Element:
    values, root = _values(topics), Element("Extensions")
    for group, single, name in (
        ("TopicTypes", "TopicType", "TopicType"), ("TopicStatuses", "TopicStatus", "TopicStatus"),
        ("Priorities", "Priority", "Priority"), ("TopicLabels", "TopicLabel", "TopicLabel"),
        ("Users", "User", "UserIdType"), ("SnippetTypes", "SnippetType", "SnippetType"), ("Stages", "Stage", "Stage"),
    ):  # fmt: skip
        node = SubElement(root, group)
        for value in values[name]:
            SubElement(node, single).text = value
    return root


def _extension_schema(topics: Sequence[Topic]) -> Element:
    register_namespace("xs", _XS)
    root = Element(f"{{{_XS}}}schema")
    redefine = SubElement(root, f"{{{_XS}}}redefine", schemaLocation="markup.xsd")
    for name, values in _values(topics).items():
        kind = SubElement(redefine, f"{{{_XS}}}simpleType", name=name)
        restriction = SubElement(kind, f"{{{_XS}}}restriction", base=name)
        for value in values:
            SubElement(restriction, f"{{{_XS}}}enumeration", value=value)
    return root


def _many(node: Element, group: str, single: str, values: Iterable[str], newer: bool, older: str) -> None:
    kept = [_clean(one) for one in values if one.strip()]
    parent = SubElement(node, group) if newer and kept else node
    for value in kept:
        SubElement(parent, single if newer else older).text = value


def _add(node: Element, tag: str, text: str) -> None:
    if text.strip():
        SubElement(node, tag).text = _clean(text)


def _clean(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _CONTROL.sub("�", text)


def _fit(name: str) -> str:
    """A file name that every system can hold."""
    return _UNFIT.sub("_", PurePosixPath(name.replace("\\", "/")).name)[:120] or "file"


def _inside(document: Document) -> str:
    """Where 2.1 keeps a document: in the topic's folder, or beside all topics where several share it."""
    shared = document.document_guid
    return f"{'../documents/' if shared else ''}{(shared or document.guid)[:8]}_{_fit(document.name or document.guid)}"


def _snapshot(view: Viewpoint) -> str:
    return f"{view.guid}.{'jpg' if view.snapshot[:2] == bytes((0xFF, 0xD8)) else 'png'}"


def _model(one: ModelFile) -> str:
    name = _fit(one.reference or one.name)
    return f"model_{name}" if name in _OWN else name


def _document_guid(document: Document) -> str:
    return document.document_guid or derived(document.guid, "document")


def _serialised(root: Element) -> bytes:
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))
