"""Two roles, two people, one seal; what was signed stays, and shows when the case has moved on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from planner_app import i18n
from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import (
    AddComment,
    AddDrawing,
    AttachReport,
    EditIssue,
    SetCase,
    SetDrawing,
)
from plugins.review.model.cases.records import CaseStatus, Comment, DrawingRecord, OutsideReport
from plugins.review.model.opinion.seal import read_sealed, seal, sealed_bytes, verify_sealed
from plugins.review.model.opinion.signing import load_sealed, opinion_state, sign
from plugins.review.model.opinion.types import AS_BUILT, Opinion
from plugins.review.model.opinion.write import export_opinion, write_opinion
from tests.plugins.review.opinion.an_opinion import FILE, make_opinion, raise_issue


def _refused(code: str, run: Callable[[], object]) -> PlannerError:
    with pytest.raises(PlannerError) as caught:
        run()
    assert caught.value.code == f"review.{code}"
    assert " ".join(i18n.word_error(caught.value)) != caught.value.code
    return caught.value


def test_reviewer_then_approver(reviewed: Project, record: DrawingRecord, opinion: Opinion) -> None:
    assert opinion_state(reviewed, record).key == "draft"
    _refused("sign_order", lambda: sign(reviewed, record, "approver", "李总", "returned"))
    first = sign(reviewed, record, "reviewer", " 王  工 ", "returned", "退回", opinion=opinion)
    assert (first.name, first.seal) == ("王 工", seal(opinion).seal)
    state = opinion_state(reviewed, record)
    assert (state.key, state.outdated, state.complete) == ("reviewed", False, False)
    assert store.case(reviewed, record.case_id).status is CaseStatus.OPEN
    second = sign(reviewed, record, "approver", "李总", "returned")
    assert second.seal == first.seal
    state = opinion_state(reviewed, record)
    assert (state.key, state.complete, state.changed) == ("signed", True, ())
    assert store.case(reviewed, record.case_id).status is CaseStatus.RETURNED


@pytest.mark.parametrize("name", ["王工", "王 工", "Wang　Gong", "ＷＡＮＧ gong"])
def test_the_approver_is_another_person(reviewed: Project, record: DrawingRecord, opinion: Opinion, name: str) -> None:
    reviewer = "王工" if "王" in name else "wang gong"
    sign(reviewed, record, "reviewer", reviewer, "returned", opinion=opinion)
    _refused("sign_same_person", lambda: sign(reviewed, record, "approver", name, "returned"))
    assert opinion_state(reviewed, record).key == "reviewed"


def test_what_a_signature_needs(reviewed: Project, record: DrawingRecord, opinion: Opinion) -> None:
    _refused("sign_role", lambda: sign(reviewed, record, "boss", "王工", "approved", opinion=opinion))
    _refused("sign_verdict", lambda: sign(reviewed, record, "reviewer", "王工", "ok", opinion=opinion))
    _refused("sign_name", lambda: sign(reviewed, record, "reviewer", " \t", "returned", opinion=opinion))
    _refused("sign_opinion", lambda: sign(reviewed, record, "reviewer", "王工", "returned"))
    agree = lambda remark: sign(reviewed, record, "reviewer", "王工", "approved", remark, opinion=opinion)  # noqa: E731
    assert _refused("sign_reason", lambda: agree(" ")).params["verdict"] == "fail"
    agree("已专题论证")
    _refused("sign_twice", lambda: sign(reviewed, record, "reviewer", "张工", "returned", opinion=opinion))
    _refused("sign_reason", lambda: sign(reviewed, record, "approver", "李总", "approved"))
    sign(reviewed, record, "approver", "李总", "approved", "同意论证结论")
    assert store.case(reviewed, record.case_id).status is CaseStatus.APPROVED
    _refused("sign_twice", lambda: sign(reviewed, record, "approver", "赵总", "returned"))


def test_an_approved_as_built_opinion_closes_the_case(reviewed: Project, record: DrawingRecord) -> None:
    sign(
        reviewed, record, "reviewer", "王工", "approved", "同意", opinion=make_opinion(reviewed, record, kind=AS_BUILT)
    )
    sign(reviewed, record, "approver", "李总", "approved", "同意")
    assert store.case(reviewed, record.case_id).status is CaseStatus.BUILT


def _comment(project: Project, record: DrawingRecord) -> None:
    issue = store.issues(project, record.case_id)[0]
    project.execute(AddComment(Comment(store.new_id(), issue.id, "已调整", "设计院", store.now())))


def _close(project: Project, record: DrawingRecord) -> None:
    project.execute(EditIssue(store.issues(project, record.case_id)[1].id, {"status": "closed"}))


def _retitle(project: Project, record: DrawingRecord) -> None:
    project.execute(SetCase(record.case_id, {"title": "港湾雅苑三期"}))


def _conditions(project: Project, record: DrawingRecord) -> None:
    case = store.case(project, record.case_id)
    assert case.conditions is not None
    project.execute(SetCase(case.id, {"conditions": replace(case.conditions, far_max=2.2)}))


def _reading(project: Project, record: DrawingRecord) -> None:
    options = replace(record.options, undone_repairs=("gap-1",))
    project.execute(SetDrawing(record.id, {"options": options}))


def _report(project: Project, record: DrawingRecord) -> None:
    sha = project.attach(b"traffic", name="交通.pdf")
    project.execute(AttachReport(OutsideReport(store.new_id(), record.case_id, "交通", "交评", "", "", "", "", sha)))


def _revision(project: Project, record: DrawingRecord) -> None:
    later = replace(record, id=store.new_id(), number="D-0002", revision=2, replaces=record.id)
    project.execute(AddDrawing(later))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_comment, "issues[0]"), (_close, "issues[1]"), (_retitle, "case.title"), (_conditions, "case.conditions"),
        (_reading, "drawing.options"), (_report, "reports[1]"), (_revision, "chain[1]"),
        (lambda project, record: raise_issue(project, record, "新"), "issues[2]"),
    ],
)  # fmt: skip
def test_changing_the_case_makes_the_opinion_outdated(
    reviewed: Project, record: DrawingRecord, opinion: Opinion, change: Callable[..., None], named: str
) -> None:
    sign(reviewed, record, "reviewer", "王工", "returned", opinion=opinion)
    change(reviewed, record)
    state = opinion_state(reviewed, record)
    assert state.key == "outdated"
    assert named in state.changed
    error = _refused("sign_outdated", lambda: sign(reviewed, record, "approver", "李总", "returned"))
    assert state.changed[0] in str(error.params["changed"])


def test_another_drawing_and_undone_changes_do_not(reviewed: Project, record: DrawingRecord, opinion: Opinion) -> None:
    sign(reviewed, record, "reviewer", "王工", "returned", opinion=opinion)
    survey = replace(record, id=store.new_id(), number="D-0009", kind="as_built", replaces="")
    reviewed.execute(AddDrawing(survey))
    raise_issue(reviewed, survey, "竣工图问题")
    assert opinion_state(reviewed, record).key == "reviewed"
    _retitle(reviewed, record)
    reviewed.undo()
    assert opinion_state(reviewed, record).key == "reviewed"


def test_a_signed_opinion_is_superseded_never_rewritten(
    reviewed: Project, record: DrawingRecord, opinion: Opinion, tmp_path: Path
) -> None:
    sign(reviewed, record, "reviewer", "王工", "returned", opinion=opinion)
    sign(reviewed, record, "approver", "李总", "returned")
    old = opinion_state(reviewed, record).seal
    path = tmp_path / "意见.json"
    write_opinion(load_sealed(reviewed, old), path)
    before = path.read_bytes()
    _comment(reviewed, record)
    later = make_opinion(reviewed, record)
    assert (later.number, later.supersedes) == ("GA-0417-D-0001-2", old)
    _refused("opinion_signed_file", lambda: write_opinion(later, path))
    assert path.read_bytes() == before
    sign(reviewed, record, "reviewer", "王工", "returned", opinion=later)
    state = opinion_state(reviewed, record)
    assert (state.key, state.older) == ("reviewed", (old,))
    assert [one.name for one in state.signoffs] == ["王工"]
    assert sealed_bytes(load_sealed(reviewed, old)) == before  # the old one is still there, whole
    write_opinion(later, tmp_path / "意见-2.json")
    assert read_sealed(tmp_path / "意见-2.json").content["about"]["supersedes"] == old


def test_the_case_must_not_move_while_the_opinion_is_built(
    reviewed: Project, record: DrawingRecord, opinion: Opinion
) -> None:
    _comment(reviewed, record)
    _refused("sign_outdated", lambda: sign(reviewed, record, "reviewer", "王工", "returned", opinion=opinion))
    assert store.signoffs(reviewed) == []


def test_undoing_a_signature(reviewed: Project, record: DrawingRecord, opinion: Opinion) -> None:
    sign(reviewed, record, "reviewer", "王工", "returned", opinion=opinion)
    reviewed.undo()
    assert opinion_state(reviewed, record).key == "draft"
    sign(reviewed, record, "reviewer", "王工", "returned", opinion=opinion)
    assert opinion_state(reviewed, record).key == "reviewed"


def test_the_project_gives_the_signed_opinion_back(
    reviewed: Project, record: DrawingRecord, opinion: Opinion, tmp_path: Path
) -> None:
    """``review opinion`` writes what was signed, without opening the drawing (this one could not be read)."""
    sign(reviewed, record, "reviewer", "王工", "returned", "退回", opinion=opinion)
    sign(reviewed, record, "approver", "李总", "returned")
    written = export_opinion(reviewed, "D-0001", tmp_path / "o.json", rules=())
    assert (written.seal, written.state.key, written.number) == (seal(opinion).seal, "signed", "GA-0417-D-0001-1")
    found = verify_sealed(tmp_path / "o.json", expected=written.seal)
    assert found.ok
    assert [(one["role"], one["name"], one["remark"]) for one in found.signatures] == [
        ("reviewer", "王工", "退回"), ("approver", "李总", ""),
    ]  # fmt: skip
    sealed = read_sealed(tmp_path / "o.json")
    assert sealed.files[record.sha256][1] == FILE
    assert {one["sha256"] for one in sealed.content["pictures"]} <= set(sealed.files)
    bare = export_opinion(reviewed, "D-0001", tmp_path / "bare.json", rules=(), embed=False)
    assert bare.seal == written.seal
    assert record.sha256 not in read_sealed(tmp_path / "bare.json").files
