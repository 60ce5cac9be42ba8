"""Issues of a review as topics of a BCF file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.plugin_api.model import Project, RenderMap
from plugins.review.model.cases import store, tables
from plugins.review.model.cases.opened import OpenDrawing, open_drawing
from plugins.review.model.cases.records import Case, Comment, DrawingRecord, Issue, Markup
from plugins.review.model.drawing.types import DrawingFormat, Note
from plugins.review.model.exchange import bcf_words as words
from plugins.review.model.exchange.bcf_read import read_bcf
from plugins.review.model.exchange.bcf_write import write_bcf
from plugins.review.model.exchange.places import IssuePlace, place_of
from plugins.review.model.exchange.topics import (
    VERSIONS,
    BcfFile,
    Document,
    ModelFile,
    Topic,
    TopicComment,
    Viewpoint,
    derived,
    guid_of,
)

if TYPE_CHECKING:
    from plugins.review.model.exchange.picture import Sheet

#: A drawing travels inside the file up to this size, bytes; above it is named with its hash only.
MOST_DOCUMENT = 25 << 20
#: Entries of a thread that only say where imported things are kept.
KEPT = "bcf"
#: Kinds of thread entries that stand for parts of an imported topic and travel with that topic.
CARRIED = (KEPT, "bcf_edit", "bcf_view", "bcf_document")


@dataclass(slots=True)
class Records:
    """Everything an export reads, read once."""

    project: Project
    cases: Mapping[str, Case]
    drawings: Mapping[str, DrawingRecord]
    comments: Mapping[str, list[Comment]]
    markups: Mapping[str, list[Markup]]
    opened: dict[str, OpenDrawing | None] = field(default_factory=dict)
    sheets: dict[tuple[str, int], Sheet] = field(default_factory=dict)
    files: dict[str, bytes | None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @classmethod
    def of(cls, project: Project) -> Records:
        """Read them."""
        threads: dict[str, list[Comment]] = {}
        for comment in store.comments(project):
            threads.setdefault(comment.issue_id, []).append(comment)
        marks: dict[str, list[Markup]] = {}
        for markup in store.markups(project):
            marks.setdefault(markup.issue_id, []).append(markup)
        return cls(
            project,
            {one.id: one for one in store.cases(project)},
            {one.id: one for one in store.drawings(project)},
            threads,
            marks,
        )

    def file(self, sha256: str, most: int = 1 << 31) -> bytes | None:
        """An attachment's content, read once; None where it is larger, or (with a note) missing."""
        if sha256 not in self.files:
            try:
                small = self.project.attachment(sha256).size <= most
                self.files[sha256] = self.project.read_attachment(sha256) if small else None
            except PlannerError as error:
                self.files[sha256] = None
                self.notes.append(("review.bcf_no_attachment", {"sha256": sha256[:12], "detail": error.code}))
        return self.files[sha256]

    def open(self, drawing_id: str, progress: Progress) -> OpenDrawing | None:
        """A drawing; None, with a note, where it cannot be opened."""
        if drawing_id not in self.drawings:
            return None
        if drawing_id not in self.opened:
            try:
                self.opened[drawing_id] = open_drawing(self.project, drawing_id, progress)
            except PlannerError as error:
                self.opened[drawing_id] = None
                number = self.drawings[drawing_id].number
                self.notes.append(("review.bcf_no_drawing", {"drawing": number, "detail": error.code}))
        return self.opened[drawing_id]


def export_bcf(
    project: Project,
    case_id: str,
    path: Path,
    version: str = "2.1",
    *,
    progress: Progress | None = None,
    render_map: RenderMap | None = None,
    pictures: bool = True,
) -> dict[str, Any]:
    """Write the issues of a case (or, with "", of all) as a BCF file.

    Args:
        version: ``2.1`` or ``3.0``.
        render_map: how to get a map for issues that are on no drawing; None: such topics have no picture.
        pictures: draw a picture of each issue's place.

    Returns:
        ``topics``, ``comments``, ``viewpoints`` written; ``cases``: their numbers; ``notes``: what could not go along.

    Raises:
        PlannerError: ``review.bcf_version``, ``review.bcf_unwritable``.
        Cancelled: nothing is written.
    """
    progress = progress or NoProgress()
    if version not in VERSIONS:
        raise PlannerError("review.bcf_version", file=path.name, version=version, known=", ".join(VERSIONS))
    issues = store.issues(project, case_id)
    records = Records.of(project)
    if not issues:  # a script that hands over every case gets a file all the same
        records.notes.append(("review.bcf_no_issues", {"file": path.name}))
    bcf = BcfFile(version, derived(str(project.path.name), "project"), project.path.stem)
    for number, issue in enumerate(issues):
        check(progress)
        progress.update(number / len(issues), "stage.review_bcf_export")
        topic = topic_of(records, issue)
        add_view(records, issue, topic, progress, render_map, pictures)
        bcf.topics.append(topic)
    data = write_bcf(bcf)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PlannerError("review.bcf_unwritable", file=str(path), detail=error.strerror or str(error)) from error
    progress.update(1.0)
    homes = {one.case_id for one in issues}
    numbers = [one.number for one in records.cases.values() if one.id in homes]
    return counts(bcf) | {"cases": numbers, "notes": records.notes}


def counts(bcf: BcfFile) -> dict[str, Any]:
    """How many topics, comments and viewpoints a file holds."""
    parts = {name: sum(len(getattr(one, name)) for one in bcf.topics) for name in ("comments", "viewpoints")}
    return {"topics": len(bcf.topics)} | parts


def topic_of(records: Records, issue: Issue, *, alone: bool = False) -> Topic:
    """An issue as a topic, without its view; on top of what was imported with it unless ``alone``."""
    thread = records.comments.get(issue.id, [])
    topic = None if alone else _kept(records, thread)
    if topic is None:
        topic = Topic(guid_of(issue.id), issue.title)
    topic.guid, topic.title = guid_of(issue.id), issue.title
    topic.kind = topic.kind or words.TOPIC_KIND
    if not topic.status or words.status_meant(topic.status) is not issue.status:
        topic.status = words.STATUS[issue.status]
    if not topic.priority or words.priority_meant(topic.priority) != issue.priority:
        topic.priority = words.PRIORITY.get(issue.priority, issue.priority)
    topic.index = issue.number if topic.index is None else topic.index
    topic.assignee = issue.assignee
    if words.day(topic.due) != issue.due:
        topic.due = words.due_time(issue.due)
    topic.created = topic.created or words.moment(issue.created_at) or store.now()
    topic.author = topic.author or issue.created_by
    _label(records, issue, topic)
    known = {one.guid for one in topic.comments}
    added = [one for one in thread if one.kind not in CARRIED and guid_of(one.id) not in known]
    topic.comments += [_comment(records, topic, one) for one in added]
    last = max(added, key=lambda one: words.moment(one.time), default=None)
    if last is not None and words.moment(last.time) > words.moment(topic.modified or topic.created):
        topic.modified, topic.modified_author = words.moment(last.time), last.author
    _refer(records, issue, topic)
    return topic


def add_view(
    records: Records,
    issue: Issue,
    topic: Topic,
    progress: Progress,
    render_map: RenderMap | None,
    pictures: bool,
) -> None:
    """Our view of an issue's place as a viewpoint, in the coordinates of its model or of the project."""
    record = records.drawings.get(issue.drawing_id)
    needed = pictures or (record is not None and record.format == DrawingFormat.IFC)
    opened = records.open(issue.drawing_id, progress) if needed else None
    place = place_of(records.project, issue, records.markups.get(issue.id, []), opened)
    if place is None:
        return
    view = Viewpoint(derived(topic.guid, "view"), index=len(topic.viewpoints))
    view.info = place.info(view.guid, issue, record)
    if pictures:
        view.snapshot = _picture(records, place, opened, render_map)
        view.snapshot_name = "snapshot.png"
    if view.info is None and not view.snapshot:
        return
    topic.viewpoints = [one for one in topic.viewpoints if one.guid != view.guid] + [view]


def _picture(records: Records, place: IssuePlace, opened: OpenDrawing | None, render_map: RenderMap | None) -> bytes:
    from plugins.review.model.exchange.picture import SIZE, Sheet, over_map, window

    if opened is not None and place.on_sheet is not None and opened.drawing.entities:
        key = (opened.record.id, place.page)
        if key not in records.sheets:
            records.sheets[key] = Sheet.of(opened.drawing, place.page)
        return records.sheets[key].picture(window(place.on_sheet, place.least), place.strokes(sheet=True))
    if render_map is not None and place.on_map is not None:
        extent = window(place.on_map, 60.0)
        png = render_map(records.project, extent, SIZE)
        return over_map(png, extent, place.strokes(sheet=False)) if png else b""
    return b""


def _kept(records: Records, thread: Iterable[Comment]) -> Topic | None:
    """The topic as it was last imported."""
    kept = [one for one in thread if one.kind == KEPT and one.attachment]
    if not kept:
        return None
    data = records.file(kept[-1].attachment)
    if data is None:
        return None
    topic = read_bcf(data, "kept.bcf").topics[0]
    for document in topic.documents:
        sha = document.url.removeprefix("attachment:")
        if sha != document.url:
            document.url, document.data = "", records.file(sha)
    return topic


def _label(records: Records, issue: Issue, topic: Topic) -> None:
    """What lists in other programs are filtered by: case, drawing, rule."""
    case, record = records.cases.get(issue.case_id), records.drawings.get(issue.drawing_id)
    ours = [case.number if case else "", record.number if record else "", issue.rule]
    topic.labels += [one for one in ours if one and one not in topic.labels]


def _comment(records: Records, topic: Topic, comment: Comment) -> TopicComment:
    """An entry of our thread; a photo becomes the picture of a viewpoint, another file a document."""
    made = TopicComment(guid_of(comment.id), words.moment(comment.time) or topic.created, comment.author, comment.text)
    if not comment.attachment:
        return made
    data = records.file(comment.attachment)
    if data is None:
        return made
    name = records.project.attachment(comment.attachment).name
    if data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        view = Viewpoint(derived(made.guid, "photo"), snapshot=data, snapshot_name=name, index=len(topic.viewpoints))
        topic.viewpoints.append(view)
        made.viewpoint = view.guid
    else:
        topic.documents.append(Document(derived(made.guid, "file"), name, data, "", comment.text or name))
    return made


def _refer(records: Records, issue: Issue, topic: Topic) -> None:
    """The drawing with its hash, and our own data for another copy of this program."""
    record, case = records.drawings.get(issue.drawing_id), records.cases.get(issue.case_id)
    if record is not None:
        guid = derived(topic.guid, f"drawing {record.sha256}")
        if guid not in {one.guid for one in topic.documents}:
            data = records.file(record.sha256, MOST_DOCUMENT)
            title = f"{record.number} {record.title} · {record.revision} · sha256:{record.sha256}"
            url = "" if data is not None else f"urn:sha256:{record.sha256}"
            inside = derived(record.sha256, "document")
            topic.documents.append(Document(guid, record.file_name, data, url, title, inside))
        if record.format == DrawingFormat.IFC and record.file_name not in {one.name for one in topic.files}:
            topic.files.append(ModelFile(record.file_name, words.moment(record.imported_at), record.file_name))
    own = {
        "form": words.SNIPPET_FORM,
        "crs": records.project.crs,
        "anchors": tables.anchors_json(issue.anchors),
        "issue": {
            "number": issue.number, "title": issue.title, "status": issue.status.value, "priority": issue.priority,
            "assignee": issue.assignee, "due": issue.due, "rule": issue.rule, "finding": issue.finding,
            "anchor_state": issue.anchor_state,
        },
        "case": {"number": case.number, "title": case.title, "parcel": case.parcel} if case else None,
        "drawing": {
            "number": record.number, "title": record.title, "file": record.file_name, "sha256": record.sha256,
            "revision": record.revision,
        } if record else None,
        "markups": [_markup(one) for one in records.markups.get(issue.id, [])],
        "kinds": {one.id: one.kind for one in records.comments.get(issue.id, ()) if one.kind not in CARRIED},
    }  # fmt: skip
    ours = words.snippet_of(own)
    if topic.snippet is None or topic.snippet.kind == words.SNIPPET:
        topic.snippet = ours
        return
    # Only one snippet has room: what another program put there stays, ours becomes a document.
    guid = derived(topic.guid, words.SNIPPET)
    topic.documents = [one for one in topic.documents if one.guid != guid]
    topic.documents.append(Document(guid, words.SNIPPET_FILE, ours.data, "", words.SNIPPET))


def _markup(markup: Markup) -> dict[str, Any]:
    return {
        "id": markup.id, "kind": markup.kind, "points": [list(one) for one in markup.points],
        "surface": markup.surface, "page": markup.page, "text": markup.text, "style": markup.style,
        "author": markup.author, "time": markup.time,
    }  # fmt: skip
