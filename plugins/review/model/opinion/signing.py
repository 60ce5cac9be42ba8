"""Signing an opinion: two roles, two people, one seal; and whether what they signed still holds.

The sealed content, its pictures and the drawing are attachments of the project under their own hashes, so the seal a
signature names *is* the attachment: a signed opinion cannot be rewritten, only superseded by another one.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import SignOffCommand, prepare
from plugins.review.model.cases.records import CaseStatus, DrawingRecord, SignOff
from plugins.review.model.opinion.canonical import canonical, changed_parts, parts
from plugins.review.model.opinion.seal import MOST_EMBEDDED, Sealed, seal, sign_sealed
from plugins.review.model.opinion.sections import RECORDS, record_sections
from plugins.review.model.opinion.types import APPROVER, AS_BUILT, CONCLUSIONS, REVIEWER, Opinion

_STATUS = {
    "approved": CaseStatus.APPROVED, "returned": CaseStatus.RETURNED, "rejected": CaseStatus.REJECTED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpinionState:
    """Where the opinion on a drawing stands.

    Attributes:
        seal: the seal signed last, "" if nobody has signed; signoffs: the signatures under it.
        changed: entries of the case that are no longer as they were signed (``issues[2]``, ``case.title``).
        older: seals signed before it, oldest first: opinions it superseded.
    """

    seal: str = ""
    signoffs: tuple[SignOff, ...] = ()
    changed: tuple[str, ...] = ()
    older: tuple[str, ...] = ()

    @property
    def outdated(self) -> bool:
        """Something was signed that no longer is what the case says."""
        return bool(self.changed)

    @property
    def complete(self) -> bool:
        """Both roles have signed."""
        return {one.role for one in self.signoffs} >= {REVIEWER, APPROVER}

    @property
    def key(self) -> str:
        """``draft`` | ``reviewed`` | ``signed`` | ``outdated``."""
        if not self.seal:
            return "draft"
        if self.outdated:
            return "outdated"
        return "signed" if self.complete else "reviewed"


def opinion_state(project: Project, record: DrawingRecord) -> OpinionState:
    """Where the opinion on a drawing stands; looks at the records only, never at the drawing's file."""
    signed = store.signoffs(project, drawing_id=record.id)
    if not signed:
        return OpinionState()
    seals = list(dict.fromkeys(one.seal for one in signed))
    newest = seals[-1]
    return OpinionState(
        newest,
        tuple(one for one in signed if one.seal == newest),
        tuple(_changed(project, record, newest)),
        tuple(seals[:-1]),
    )


def _changed(project: Project, record: DrawingRecord, signed: str) -> list[str]:
    content = sealed_content_of(project, signed)
    before = parts({key: content[key] for key in RECORDS if key in content})
    return changed_parts(before, parts(record_sections(project, record)))


def sealed_content_of(project: Project, sealed: str) -> dict[str, object]:
    """The content behind a seal.

    Raises:
        PlannerError: ``attachment.missing``, ``attachment.damaged``.
    """
    found: dict[str, object] = json.loads(project.read_attachment(sealed))
    return found


def load_sealed(project: Project, sealed: str, *, embed: bool = True) -> Sealed:
    """A sealed opinion of the project with its files and its signatures.

    Args:
        embed: with the drawings, up to 64 MiB each.
    """
    content = json.loads(project.read_attachment(sealed))
    names = {str(picture["sha256"]): f"{picture['kind']}-{picture['key']}" for picture in content["pictures"]}
    if embed:
        drawings = [content["drawing"], *([content["approved"]["drawing"]] if content["approved"] else [])]
        names |= {str(one["sha256"]): str(one["file_name"]) for one in drawings}
    files = {}
    for sha, name in names.items():
        if project.attachment(sha).size <= MOST_EMBEDDED:
            files[sha] = (name, project.read_attachment(sha))
    found = Sealed(content, sealed, files)
    return sign_sealed(found, [one for one in store.signoffs(project) if one.seal == sealed])


def keep_sealed(project: Project, opinion: Opinion, progress: Progress | None = None) -> Sealed:
    """Seal an opinion and keep it in the project: its content and its pictures as attachments."""
    made = seal(opinion)
    for shot in opinion.shots:
        project.attach(shot.data, name=f"{opinion.number}-{shot.kind}", media_type=shot.media)
    raw = canonical(made.content)
    kept = project.attach(raw, name=f"{opinion.number}.json", media_type="application/json",
                          progress=progress or NoProgress())  # fmt: skip
    assert kept == made.seal == hashlib.sha256(raw).hexdigest()
    return made


def sign(
    project: Project,
    record: DrawingRecord,
    role: str,
    name: str,
    verdict: str,
    remark: str = "",
    *,
    opinion: Opinion | None = None,
    initiator: object = None,
) -> SignOff:
    """Sign the opinion on a drawing: the reviewer a new one, the approver the one the reviewer has signed.

    Args:
        role: ``reviewer`` | ``approver``; verdict: one of :data:`CONCLUSIONS`.
        opinion: what the reviewer signs, as built just now; the approver signs what is sealed.

    Raises:
        PlannerError: ``review.sign_role``, ``review.sign_verdict``, ``review.sign_name`` (empty),
            ``review.sign_reason`` (agreeing although the check did not pass needs a remark), ``review.sign_twice``
            (nothing changed since), ``review.sign_order`` (the reviewer goes first), ``review.sign_same_person``,
            ``review.sign_outdated``.
    """
    name, remark = " ".join(name.split()), remark.strip()
    if role not in (REVIEWER, APPROVER):
        raise PlannerError("review.sign_role", role=role)
    if verdict not in CONCLUSIONS:
        raise PlannerError("review.sign_verdict", verdict=verdict, known=", ".join(CONCLUSIONS))
    if not name:
        raise PlannerError("review.sign_name")
    state = opinion_state(project, record)
    if role == REVIEWER:
        if state.seal and not state.outdated:
            raise PlannerError("review.sign_twice", drawing=record.number, name=state.signoffs[0].name)
        if opinion is None or opinion.subject.record.id != record.id:
            raise PlannerError("review.sign_opinion", drawing=record.number)
        _needs_reason(str(opinion.check.verdict), verdict, remark)
        signed = keep_sealed(project, opinion)
        if changed := _changed(project, record, signed.seal):  # somebody worked on the case while it was built
            raise PlannerError("review.sign_outdated", drawing=record.number, changed=", ".join(changed[:6]))
        seal_hash, kind = signed.seal, opinion.kind
    else:
        _may_approve(record, state, name)
        content = sealed_content_of(project, state.seal)
        _needs_reason(str(_at(content, "check", "verdict")), verdict, remark)
        seal_hash, kind = state.seal, str(_at(content, "about", "kind"))
    made = SignOff(store.new_id(), record.case_id, record.id, role, name, verdict, store.now(), seal_hash, remark)
    status = None
    if role == APPROVER:
        status = CaseStatus.BUILT if kind == AS_BUILT and verdict == "approved" else _STATUS[verdict]
    prepare(project)
    project.execute(SignOffCommand(made, status), initiator)
    return made


def _may_approve(record: DrawingRecord, state: OpinionState, name: str) -> None:
    if not state.seal:
        raise PlannerError("review.sign_order", drawing=record.number)
    if state.outdated:
        raise PlannerError("review.sign_outdated", drawing=record.number, changed=", ".join(state.changed[:6]))
    for one in state.signoffs:
        if one.role == APPROVER:
            raise PlannerError("review.sign_twice", drawing=record.number, name=one.name)
        if same_person(one.name, name):
            raise PlannerError("review.sign_same_person", name=name)


def _needs_reason(found: str, verdict: str, remark: str) -> None:
    if verdict == "approved" and found != "pass" and not remark:
        raise PlannerError("review.sign_reason", verdict=found)


def _at(content: dict[str, object], section: str, key: str) -> object:
    inner = content[section]
    assert isinstance(inner, dict)
    return inner[key]


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: case, width of letters and spaces aside."""

    def folded(name: str) -> str:
        return "".join(unicodedata.normalize("NFKC", name).casefold().split())

    return folded(one) == folded(other)


def next_number(project: Project, record: DrawingRecord, case_number: str) -> tuple[str, str]:
    """(number of the next opinion on a drawing, seal of the one it supersedes or "")."""
    seals = list(dict.fromkeys(one.seal for one in store.signoffs(project, drawing_id=record.id)))
    number = "-".join(part for part in (case_number, record.number, str(len(seals) + 1)) if part)
    return number, seals[-1] if seals else ""
