"""Topics of a BCF file as issues: new ones raised, known ones brought up to date, nothing twice, nothing lost.

What our records have no field for (labels, cameras, colours, links, other programs' data) stays with the issue as the
topic itself, and goes out again with the next export.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from planner_app.domain.crs import transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store, tables
from plugins.review.model.cases.commands import ImportIssues, prepare
from plugins.review.model.cases.records import Anchors, Case, Comment, DrawingRecord, Issue, IssueStatus, Markup
from plugins.review.model.drawing.types import Note
from plugins.review.model.exchange import bcf_words as words
from plugins.review.model.exchange.bcf_export import KEPT, Records, counts, topic_of
from plugins.review.model.exchange.bcf_read import read_bcf
from plugins.review.model.exchange.bcf_view import selected_guids, selected_ids
from plugins.review.model.exchange.bcf_write import write_bcf
from plugins.review.model.exchange.topics import BcfFile, Topic, TopicComment, derived, guid_of

#: Fields another program may change, with what our own data of the topic said when it went out.
_SHA = re.compile(r"\b[0-9a-f]{64}\b")
_FIELDS = ("title", "status", "priority", "assignee", "due")


@dataclass(slots=True)
class _Coming:
    """What an import will write, in one command."""

    records: Records
    case_id: str
    file: str
    drawings: list[DrawingRecord]
    known: dict[str, Issue]
    said: set[str]
    marked: set[str]
    issues: list[Issue] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    markups: list[Markup] = field(default_factory=list)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    by_name: bool = True  # whether a drawing's name is enough to tell it

    def say(self, comment: Comment) -> None:
        """Add an entry of a thread that is not there yet."""
        if comment.id not in self.said:
            self.said.add(comment.id)
            self.comments.append(comment)
            self.touched.add(comment.issue_id)

    def attach(self, data: bytes, name: str) -> str:
        return self.records.project.attach(data, name=name)


def import_bcf(
    project: Project, path: Path, case_id: str = "", *, new_case: str = "", progress: Progress | None = None
) -> dict[str, Any]:
    """Take over the topics of a BCF file.

    Args:
        case_id: case new issues go to; "": the only case there is. Known topics are updated wherever they are.
        new_case: title of the case opened where there is none or several: topics on a drawing of the project (by its
            hash) go to that drawing's case, the others to the new one; "": that is refused.

    Returns:
        ``topics``, ``comments``, ``viewpoints`` in the file; ``added`` and ``updated`` issues; ``cases``: numbers of
        the cases they are in; ``notes``: doubts.

    Raises:
        PlannerError: ``review.bcf_which_case``, what reading refuses; nothing is written then. Cancelled: nor then.
    """
    progress = progress or NoProgress()
    bcf = read_bcf(path)
    case, opens = _case(project, case_id, bcf, new_case)
    prepare(project)
    records = Records.of(project)
    coming = _Coming(
        records,
        case.id if case is not None else "",
        path.name,
        [one for one in records.drawings.values() if case is None or opens or one.case_id == case.id],
        {one.id: one for one in store.issues(project)},
        {one.id for thread in records.comments.values() for one in thread},
        {one.id for marks in records.markups.values() for one in marks},
        by_name=not opens,
    )
    for number, topic in enumerate(bcf.topics):
        check(progress)
        progress.update(number / len(bcf.topics), "stage.review_bcf_import")
        _take(coming, topic)
    if coming.issues or coming.comments or coming.markups or coming.changed:
        needed = case if opens and any(one.case_id == coming.case_id for one in coming.issues) else None
        project.execute(ImportIssues(path.name, coming.issues, coming.comments, coming.markups, coming.changed, needed))
    progress.update(1.0)
    new = {one.id for one in coming.issues}
    updated = (coming.touched | coming.changed.keys()) - new
    homes = {coming.known[topic.guid].case_id for topic in bcf.topics}
    numbers = [one.number for one in store.cases(project) if one.id in homes]
    notes = [*bcf.notes, *coming.notes]
    return counts(bcf) | {"added": len(new), "updated": len(updated), "cases": numbers, "notes": notes}


def _case(project: Project, case_id: str, bcf: BcfFile, title: str) -> tuple[Case | None, bool]:
    """(the case new issues go to, whether it is yet to be opened); None where every topic is known."""
    if case_id:
        return store.case(project, case_id), False
    known = {one.id for one in store.issues(project)}
    if all(topic.guid in known for topic in bcf.topics):
        return None, False
    cases = store.cases(project)
    if len(cases) != 1 and title:
        return Case(store.new_id(), "", title, created_by=project.user, created_at=store.now()), True
    if len(cases) != 1:
        names = ", ".join(f"{one.number} {one.title}" for one in cases[-20:]) or "–"
        raise PlannerError("review.bcf_which_case", count=len(cases), known=names)
    return cases[0], False


def _take(coming: _Coming, topic: Topic) -> None:
    data = _own_data(topic)
    issue = coming.known.get(topic.guid)
    if issue is None:
        issue = _raise(coming, topic, data)
    else:
        _merge(coming, topic, issue, data)
    views = {one.guid: one for one in topic.viewpoints}
    ours = {derived(topic.guid, "view")} | {derived(one.guid, "photo") for one in topic.comments}
    kinds = _part(data, "kinds")
    if topic.description:
        key = derived(topic.guid, f"description {topic.description}")
        coming.say(_entry(issue, key, topic.description, topic.author, topic.created, "bcf_edit"))
    for said in topic.comments:
        view = views.get(said.viewpoint)
        sha = coming.attach(view.snapshot, view.snapshot_name) if view is not None and view.snapshot else ""
        kind = str(kinds.get(said.guid, "comment"))
        coming.say(_entry(issue, said.guid, said.text, said.author, said.date, kind, sha))
        _edited(coming, issue, said)
    shown = {one.viewpoint for one in topic.comments} | ours
    for view in topic.viewpoints:
        if view.guid not in shown and view.snapshot:
            sha = coming.attach(view.snapshot, view.snapshot_name)
            coming.say(_entry(issue, view.guid, "", topic.author, topic.created, "bcf_view", sha))
    _keep(coming, topic, issue)


def _raise(coming: _Coming, topic: Topic, data: Mapping[str, Any]) -> Issue:
    """A new issue; what travelled as our own data fills the fields BCF has no place for."""
    own = _part(data, "issue")
    drawing = _drawing(coming, topic, data)
    issue = Issue(
        topic.guid,
        drawing.case_id if drawing is not None else coming.case_id,
        0,
        topic.title or "–",
        drawing.id if drawing is not None else "",
        status=_status(coming, topic),
        priority=words.priority_meant(topic.priority),
        assignee=topic.assignee,
        due=words.day(topic.due),
        rule=str(own.get("rule") or ""),
        finding=str(own.get("finding") or ""),
        anchors=_anchors(coming, topic, data, drawing),
        created_by=topic.author,
        created_at=words.moment(topic.created) or store.now(),
    )
    coming.issues.append(issue)
    coming.known[issue.id] = issue
    for mark in data.get("markups") or ():
        _mark(coming, issue, mark, data)
    return issue


def _merge(coming: _Coming, topic: Topic, issue: Issue, data: Mapping[str, Any]) -> None:
    """Fields they changed since it went out are taken, unless we changed the same one meanwhile."""
    theirs = {
        "title": topic.title or issue.title,
        "status": _status(coming, topic),
        "priority": words.priority_meant(topic.priority) if topic.priority else issue.priority,
        "assignee": topic.assignee,
        "due": words.day(topic.due),
    }
    base = _part(data, "issue") or _kept_fields(coming, issue)
    thread = coming.records.comments.get(issue.id, [])
    ours_last = max([words.moment(issue.created_at), *(words.moment(one.time) for one in thread)])
    newer = words.moment(topic.modified or topic.created) > ours_last
    for name in _FIELDS:
        mine, other = getattr(issue, name), theirs[name]
        if mine == other:
            continue
        before = None if base is None else str(base.get(name) or "")
        unchanged_here = before is not None and before == str(mine)
        if before is not None and before == str(other):
            continue  # they left it as it was sent
        if unchanged_here or (before is None and newer):
            coming.changed.setdefault(issue.id, {})[name] = other
        else:
            params = {"title": issue.title, "field": name, "ours": str(mine), "theirs": str(other)}
            coming.notes.append(("review.bcf_conflict", params))


def _kept_fields(coming: _Coming, issue: Issue) -> Mapping[str, Any] | None:
    """The fields of the topic as it came last, for programs that drop our own data."""
    kept = [one for one in coming.records.comments.get(issue.id, ()) if one.kind == KEPT and one.attachment]
    data = coming.records.file(kept[-1].attachment) if kept else None
    if data is None:
        return None
    topic = read_bcf(data, "kept.bcf").topics[0]
    return {
        "title": topic.title, "status": words.status_meant(topic.status) or IssueStatus.OPEN,
        "priority": words.priority_meant(topic.priority), "assignee": topic.assignee, "due": words.day(topic.due),
    }  # fmt: skip


def _status(coming: _Coming, topic: Topic) -> IssueStatus:
    found = words.status_meant(topic.status)
    if found is None and topic.status:
        coming.notes.append(("review.bcf_status", {"title": topic.title, "status": topic.status}))
    return found or IssueStatus.OPEN


def _edited(coming: _Coming, issue: Issue, said: TopicComment) -> None:
    """A comment changed after it was read: the thread keeps both wordings."""
    before = next((one for one in coming.records.comments.get(issue.id, ()) if one.id == said.guid), None)
    if before is not None and said.text and said.text != before.text:
        key = derived(said.guid, f"edit {said.text}")
        author = said.modified_author or said.author
        coming.say(_entry(issue, key, said.text, author, said.modified or said.date, "bcf_edit"))


def _entry(issue: Issue, key: str, text: str, author: str, time: str, kind: str, attachment: str = "") -> Comment:
    return Comment(key, issue.id, text, author, words.moment(time) or issue.created_at, kind, attachment)


def _keep(coming: _Coming, topic: Topic, issue: Issue) -> None:
    """Keep the topic itself where it holds more than our records do; its documents become attachments of their own."""
    drawings = {one.sha256 for one in coming.records.drawings.values()}
    own = topic_of(coming.records, issue, alone=True)
    ours = {one.guid for one in own.documents} | {derived(topic.guid, words.SNIPPET)}
    for document in topic.documents:
        if document.data is not None:
            sha = coming.attach(document.data, document.name or document.guid)
            if sha not in drawings and document.guid not in ours:
                text = document.description or document.name
                key = derived(topic.guid, f"document {sha}")
                coming.say(_entry(issue, key, text, topic.author, topic.created, "bcf_document", sha))
            document.data, document.url, document.document_guid = None, f"attachment:{sha}", ""
    if not _more(topic, own):
        return
    sha = coming.attach(write_bcf(BcfFile("3.0", topics=[topic])), f"{topic.guid}.bcf")
    kept = _entry(issue, derived(topic.guid, f"kept {sha}"), coming.file, topic.author, store.now(), KEPT, sha)
    if kept.id not in coming.said:
        coming.comments.append(kept)


def _more(topic: Topic, own: Topic) -> bool:
    """Whether a topic says anything that our records of it do not."""
    views = {derived(topic.guid, "view")} | {derived(one.guid, "photo") for one in topic.comments}
    documents = {one.guid for one in own.documents} | {derived(topic.guid, words.SNIPPET)}
    documents |= {derived(one.guid, "file") for one in topic.comments}
    return bool(
        topic.kind not in ("", own.kind)
        or topic.status not in ("", own.status)
        or topic.priority not in ("", own.priority)
        or topic.stage
        or topic.description
        or topic.server_id
        or topic.links
        or topic.related
        or set(topic.labels) - set(own.labels)
        or (topic.snippet is not None and topic.snippet.kind != words.SNIPPET)
        or {one.guid for one in topic.documents} - documents
        or {one.guid for one in topic.viewpoints} - views
        or {one.name for one in topic.files} - {one.name for one in own.files}
        or any(one.modified for one in topic.comments)
    )


def _own_data(topic: Topic) -> dict[str, Any]:
    """What we wrote into the topic when it went out; empty if it is not ours or another program dropped it."""
    places = [topic.snippet.data if topic.snippet is not None else None]
    places += [one.data for one in topic.documents if one.name == words.SNIPPET_FILE]
    return next((data for content in places if (data := words.snippet_data(content))), {})


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _drawing(coming: _Coming, topic: Topic, data: Mapping[str, Any]) -> DrawingRecord | None:
    """The drawing of the case a topic speaks of: by its hash, else by the name of its file."""
    hashes = {str(_part(data, "drawing").get("sha256") or "")}
    hashes |= {found for one in topic.documents for found in _SHA.findall(f"{one.url} {one.description}")}
    hashes |= {hashlib.sha256(one.data).hexdigest() for one in topic.documents if one.data}
    names = {one.name.casefold() for one in topic.files if one.name}
    by_hash = [one for one in coming.drawings if one.sha256 in hashes]
    by_name = [one for one in coming.drawings if coming.by_name and one.file_name.casefold() in names]
    return next(iter(reversed(by_hash or by_name)), None)


def _anchors(coming: _Coming, topic: Topic, data: Mapping[str, Any], drawing: DrawingRecord | None) -> Anchors:
    guids = tuple(dict.fromkeys(guid for view in topic.viewpoints for guid in selected_guids(view.info)))
    handles = () if drawing is None else tuple(
        dict.fromkeys(id_ for view in topic.viewpoints for id_ in selected_ids(view.info, drawing.file_name))
    )  # fmt: skip
    try:
        anchors = tables.anchors_from_json(_part(data, "anchors"))
    except (TypeError, ValueError):
        anchors = Anchors()
    return replace(
        anchors,
        geometry=_moved(coming, topic.title, anchors.geometry, str(data.get("crs") or "")),
        guids=anchors.guids or guids,
        handles=anchors.handles or handles,
    )


def _moved(coming: _Coming, title: str, geometry: dict[str, Any] | None, crs: str) -> dict[str, Any] | None:
    """A geometry of another project in this one's CRS; None, with a note, where there is no sound way."""
    import shapely
    from shapely.geometry import mapping, shape

    target = coming.records.project.crs
    if not geometry or not crs:
        return None
    try:
        found = shape(geometry)
        way = transformer(crs, target)
        if way.is_identity:
            return geometry
        moved = shapely.transform(found, lambda points: np.column_stack(way.transform(points[:, 0], points[:, 1])))
        if moved.is_empty or not np.isfinite(shapely.get_coordinates(moved)).all():
            raise ValueError(crs)
        return dict(mapping(moved))
    except (PlannerError, ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError) as error:
        detail = error.code if isinstance(error, PlannerError) else str(error)
        coming.notes.append(("review.bcf_not_moved", {"title": title, "crs": crs, "detail": detail}))
        return None


def _mark(coming: _Coming, issue: Issue, mark: Any, data: Mapping[str, Any]) -> None:
    """A mark that travelled with the issue; those on a sheet need that sheet here."""
    try:
        points = tuple((float(x), float(y)) for x, y in mark["points"])
        found = Markup(
            guid_of(str(mark["id"])), issue.case_id, str(mark["kind"]), points, str(mark.get("surface") or "map"),
            issue.drawing_id, int(mark.get("page") or 0), issue.id, str(mark.get("text") or ""),
            dict(mark.get("style") or {}), "", str(mark.get("author") or ""), str(mark.get("time") or ""),
        )  # fmt: skip
    except (TypeError, ValueError, KeyError, AttributeError):
        coming.notes.append(("review.bcf_mark", {"title": issue.title}))
        return
    if found.id in coming.marked or (found.surface == "sheet" and not issue.drawing_id):
        return
    if found.surface == "map":
        line = {"type": "MultiPoint", "coordinates": [list(one) for one in points]}
        moved = _moved(coming, issue.title, line, str(data.get("crs") or ""))
        if moved is None:
            return
        found = replace(found, points=tuple((float(x), float(y)) for x, y in moved["coordinates"]))
    coming.marked.add(found.id)
    coming.markups.append(found)
