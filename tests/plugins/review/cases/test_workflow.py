"""From a file to a checked drawing, and on to its revision: what is kept, what one undo takes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import NewLayer
from planner_app.domain.progress import NoProgress
from planner_app.project import Project
from plugins.review.model.cases import opened as opening
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import OpenCase, RaiseIssue, SetCase
from plugins.review.model.cases.records import Anchors, Case, CaseStatus, Issue
from plugins.review.model.cases.workflow import (
    check_drawing,
    import_drawing,
    open_case,
    open_drawing,
    place_drawing,
    reread,
)
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.reading.types import ReadingOptions
from tests.helpers.project_files import assert_whole, everything
from tests.plugins.review.drawings import EAST, GREENS, HOUSES, NORTH, add_zoning, write_plan, write_survey


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opening.forget()
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_plan(tmp_path / "总平面图.dxf")


@pytest.fixture
def zoning(project: Project) -> None:
    """The site may be built up to a FAR of 1.0, 5 m from its edges."""
    add_zoning(project, 1.0, 5.0)


def tables(project: Project) -> dict[str, list[tuple[object, ...]]]:
    return {layer.id: everything(project, layer.id) for layer in project.layers() if layer.role.startswith("review.")}


def test_an_import_keeps_everything_and_one_undo_takes_it_back(project: Project, plan: Path, zoning: None) -> None:
    done = import_drawing(project, plan, parcel="BH-01-07", city="滨海", permit_date="2026-03-01")
    record, case = done.record, done.case
    assert (record.number, record.revision, record.kind, record.format) == ("D-0001", 1, "site_plan", "dxf")
    assert (case.number, case.parcel, case.title, case.city) == ("GA-0001", "BH-01-07", "总平面图", "滨海")
    assert case.conditions is not None
    assert case.conditions.far_max == 1.0
    assert record.placement.placed
    outline = shapely.from_wkb(record.wkb)
    assert outline.bounds == pytest.approx((EAST, NORTH, EAST + 120, NORTH + 80))
    assert done.indicators.value("footprint_m2") == pytest.approx(45 * 15 + 40 * 20)
    assert record.summary["indicators"]["far"] == pytest.approx((45 * 15 * 3 + 40 * 20 * 6) / 9600)
    assert record.summary["declared"]["far"] == 0.75
    assert project.read_attachment(record.sha256) == plan.read_bytes()
    layer = project.layer("review_element")
    shown = project.read(layer.id)
    roles = shown.columns["role"]
    assert {role: roles.count(role) for role in ("site", "footprint", "green")} == {
        "site": 1,
        "footprint": 2,
        "green": 2,
    }
    assert set(shown.columns["drawing"]) == {"D-0001"}
    areas = {b: a for b, a, r in zip(shown.columns["building"], shown.columns["area_m2"], roles, strict=True)
             if r == "footprint"}  # fmt: skip
    assert areas == {"1号楼": pytest.approx(675.0), "2号楼": pytest.approx(800.0)}
    after = tables(project)
    assert [entry.command for entry in project.log()][:2] == ["review_import", "review_prepare"]
    project.undo()
    assert store.cases(project) == store.drawings(project) == []
    assert project.count(layer.id) == 0
    assert [one.sha256 for one in project.attachments()] == [record.sha256]  # the file itself stays
    project.redo()
    assert tables(project) == after
    assert_whole(project)


def test_nothing_is_written_if_it_fails_or_is_cancelled(project: Project, plan: Path, tmp_path: Path) -> None:
    class CancelAfter(NoProgress):
        def __init__(self, looks: int) -> None:
            self.looks = looks

        def is_cancelled(self) -> bool:
            self.looks -= 1
            return self.looks < 0

    before = project.log()
    broken = tmp_path / "broken.dxf"
    broken.write_bytes(plan.read_bytes()[:5000])
    with pytest.raises(PlannerError):
        import_drawing(project, broken)
    for looks in range(3):
        opening.forget()
        with pytest.raises(Cancelled):
            import_drawing(project, plan, progress=CancelAfter(looks))
    with pytest.raises(PlannerError, match=r"review\.kind_unknown"):
        import_drawing(project, plan, kind="sketch")
    with pytest.raises(PlannerError, match=r"review\.file_missing"):
        import_drawing(project, tmp_path / "nothing.dxf")
    with pytest.raises(PlannerError, match=r"review\.case_unknown"):
        import_drawing(project, plan, case="GA-9")
    with pytest.raises(PlannerError, match=r"review\.drawing_unknown"):
        import_drawing(project, plan, replaces="D-9")
    assert project.log() == before
    assert project.layers() == []
    assert project.attachments() == []


def test_the_same_file_again_is_the_same_drawing(project: Project, plan: Path, tmp_path: Path) -> None:
    first = import_drawing(project, plan)
    log = project.log()
    copy = tmp_path / "anderer Name.dxf"
    copy.write_bytes(plan.read_bytes())
    again = import_drawing(project, copy)
    assert (again.again, again.record.id, again.case.id) == (True, first.record.id, first.case.id)
    assert again.notes[0][0] == "review.imported_before"
    assert project.log() == log
    assert len(project.attachments()) == 1
    # What is asked of it now is applied to it.
    region = (EAST - 5, NORTH - 5, EAST + 125, NORTH + 85)
    asked = import_drawing(project, plan, region=region)
    assert asked.record.options.region == region
    assert project.can_undo() == "review_set_reading"
    # In another case it is another drawing.
    other = open_case(project, _case("另一案件"))
    elsewhere = import_drawing(project, plan, case=other.number)
    assert (elsewhere.again, elsewhere.record.number, elsewhere.case.id) == (False, "D-0002", other.id)


def _case(title: str, **more: object) -> Case:
    return replace(Case(store.new_id(), "", title), **more)  # type: ignore[arg-type]


def test_the_parcel_is_found_below_the_drawing(project: Project, plan: Path, zoning: None) -> None:
    done = import_drawing(project, plan)
    assert (done.case.parcel, done.case.conditions and done.case.conditions.height_max) == ("BH-01-07", 24.0)


def test_an_unknown_parcel_is_said(project: Project, plan: Path, zoning: None) -> None:
    done = import_drawing(project, plan, parcel="XX-99")
    assert (done.case.parcel, done.case.conditions) == ("XX-99", None)
    assert ("review.parcel_not_found", {"parcel": "XX-99"}) in done.notes


def test_a_parcels_case_goes_on(project: Project, plan: Path, tmp_path: Path, zoning: None) -> None:
    first = import_drawing(project, plan, parcel="BH-01-07")
    survey = write_survey(tmp_path / "竣工.dxf")
    second = import_drawing(project, survey)
    assert (second.case.id, second.record.kind, second.record.revision) == (first.case.id, "as_built", 1)
    project.execute(SetCase(first.case.id, {"status": CaseStatus.REJECTED}))
    third = import_drawing(project, write_plan(tmp_path / "new.dxf", note="重报"), parcel="BH-01-07")
    assert third.case.id != first.case.id


def test_a_revision_stands_in_its_chain(project: Project, plan: Path, tmp_path: Path) -> None:
    first = import_drawing(project, plan)
    reread(project, first.record.id, replace(first.record.options, aliases={"WZ-文字": "other"}))
    moved = {**HOUSES, "1号楼": (12.0, 15.0, 57.0, 31.0)}
    second = import_drawing(project, write_plan(tmp_path / "B.dxf", houses=moved), replaces="D-0001")
    assert (second.record.revision, second.record.replaces, second.case.id) == (2, first.record.id, first.case.id)
    assert second.record.options.aliases == {"WZ-文字": "other"}  # read as the one before
    third = import_drawing(project, write_plan(tmp_path / "C.dxf", note="C"), case="GA-0001", replaces="latest")
    assert (third.record.revision, third.record.replaces) == (3, second.record.id)
    fourth = import_drawing(project, write_plan(tmp_path / "D.dxf", note="D"), case="GA-0001")
    assert (fourth.record.revision, fourth.record.replaces) == (1, "")
    assert [one.number for one in store.revisions(project, third.record)] == ["D-0001", "D-0002", "D-0003"]
    other = open_case(project, _case("别的"))
    with pytest.raises(PlannerError, match=r"review\.replaces_elsewhere"):
        import_drawing(project, write_plan(tmp_path / "E.dxf", note="E"), case=other.number, replaces="D-0001")
    with pytest.raises(PlannerError, match=r"review\.nothing_to_replace"):
        import_drawing(project, write_plan(tmp_path / "E.dxf", note="E"), case=other.number, replaces="latest")


def test_issues_go_over_to_the_revision(project: Project, plan: Path, tmp_path: Path) -> None:
    """One step takes in the drawing and carries its issues; its undo brings both back."""
    first = import_drawing(project, plan)
    houses = {one.building: one for one in first.opened.plan.elements if one.role == "footprint"}
    for name, house in houses.items():
        anchors = Anchors(handles=house.handles)
        project.execute(RaiseIssue(Issue(store.new_id(), first.case.id, 0, name, first.record.id, anchors=anchors)))
    lawn = next(one for one in first.opened.plan.elements if one.kind.startswith("宅旁"))
    anchors = Anchors(handles=lawn.handles)
    project.execute(RaiseIssue(Issue(store.new_id(), first.case.id, 0, "绿地", first.record.id, anchors=anchors)))
    before = store.issues(project)
    deeper = {**HOUSES, "1号楼": (12.0, 15.0, 57.0, 31.0)}
    lawns = {kind: box for kind, box in GREENS.items() if kind != "宅旁"}
    second = import_drawing(
        project, write_plan(tmp_path / "B.dxf", houses=deeper, greens=lawns), replaces=first.record.number
    )
    states = {one.title: (one.anchor_state, one.drawing_id) for one in store.issues(project)}
    assert states == {
        "1号楼": ("moved", second.record.id), "2号楼": ("ok", second.record.id), "绿地": ("lost", first.record.id)
    }  # fmt: skip
    assert all(one.raised_on == first.record.id for one in store.issues(project))
    assert ("review.issues_carried", {"count": 3, "ok": 1, "moved": 1, "lost": 1}) in second.notes
    project.undo()
    assert store.issues(project) == before
    project.redo()
    # What was lost is found again when it comes back.
    third = import_drawing(project, write_plan(tmp_path / "C.dxf", houses=deeper, note="C"), replaces="D-0002")
    found = {one.title: (one.anchor_state, one.drawing_id) for one in store.issues(project)}
    assert found["绿地"][1] == third.record.id
    assert found["绿地"][0] in ("ok", "moved")


def test_reading_and_placing_anew_is_one_step_each(project: Project, plan: Path) -> None:
    done = import_drawing(project, plan)
    start = tables(project)
    opened = reread(project, done.record.number, ReadingOptions(metres_per_unit=0.5))
    assert opened.plan.units.metres_per_unit == 0.5
    assert opened.record.summary["indicators"]["site_area_m2"] == pytest.approx(9600 / 4)
    project.undo()
    assert tables(project) == start
    moved = Placement("by_hand", "", (1.0, 0.0, 100.0, 0.0, 1.0, 0.0))
    placed = place_drawing(project, done.record.number, placement=moved)
    assert shapely.from_wkb(placed.record.wkb).bounds[0] == pytest.approx(EAST + 100)
    shown = shapely.from_wkb(project.read("review_element").geometry)
    assert shapely.total_bounds(shown)[0] == pytest.approx(EAST + 100)
    nowhere = place_drawing(project, done.record.number, placement=Placement())
    assert (nowhere.to_project, nowhere.record.wkb, project.count("review_element")) == (None, None, 0)
    project.undo()
    project.undo()
    assert tables(project) == start


def test_a_revision_lies_where_a_person_placed_the_one_before(project: Project, tmp_path: Path) -> None:
    local = write_plan(tmp_path / "A.dxf", east=1000.0, north=500.0)
    first = import_drawing(project, local)
    assert not first.record.placement.placed
    by_hand = Placement("by_hand", "", (1.0, 0.0, EAST - 1000.0, 0.0, 1.0, NORTH - 500.0))
    place_drawing(project, first.record.id, placement=by_hand)
    second = import_drawing(
        project, write_plan(tmp_path / "B.dxf", east=1000.0, north=500.0, note="B"), replaces="D-0001"
    )
    assert second.record.placement == by_hand
    assert "review.placed_as_before" in [code for code, _ in second.notes]


def test_opening_parses_and_reads_once(project: Project, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.review.model.drawing import intake

    done = import_drawing(project, plan)
    calls: list[str] = []
    read = intake.read_drawing
    monkeypatch.setattr(
        intake, "read_drawing", lambda path, *rest, **more: calls.append(path.name) or read(path, *rest)
    )
    first = open_drawing(project, done.record.id)
    assert open_drawing(project, done.record.number) is first
    assert open_drawing(project, done.record.sha256).plan is first.plan
    assert calls == []
    opening.forget()
    again = open_drawing(project, done.record.id)
    assert calls == ["总平面图.dxf"]  # from the attachment, under its own name
    assert [one.fingerprint for one in again.drawing.entities] == [one.fingerprint for one in first.drawing.entities]


def test_a_check_goes_by_the_cases_conditions(project: Project, plan: Path, zoning: None) -> None:
    from tests.helpers.plugin_rules import rules_of

    rules = rules_of("review.")
    done = import_drawing(project, plan, parcel="BH-01-07")
    checked = check_drawing(project, done.record.number, rules=rules)
    assert checked.conditions is not None
    assert checked.conditions.parcel == "BH-01-07"
    assert checked.opened.plan is done.opened.plan
    rows = {row.key: row for row in checked.check.rows}
    assert rows["far"].measured == pytest.approx(6825 / 9600)
    assert rows["far"].limit == 1.0
    other = check_drawing(project, done.record.number, rules=rules, parcel="BH-01-08")
    assert other.conditions is not None
    assert other.conditions.far_max == 2.0
    with pytest.raises(PlannerError, match=r"review\.parcel_unknown"):
        check_drawing(project, done.record.number, rules=rules, parcel="nowhere")
    strict = Conditions("BH-01-07", far_max=0.5)
    project.execute(SetCase(done.case.id, {"conditions": strict}))
    again = check_drawing(project, done.record.number, rules=rules)
    assert again.conditions is not None
    assert again.conditions.far_max == 0.5
    project.execute(SetCase(done.case.id, {"permit_date": "someday"}))
    with pytest.raises(PlannerError, match=r"review\.date_wrong"):
        check_drawing(project, done.record.number, rules=rules)


def test_a_drawing_nobody_has_conditions_for(project: Project, plan: Path) -> None:
    from tests.helpers.plugin_rules import rules_of

    done = import_drawing(project, plan)
    checked = check_drawing(project, done.record.number, rules=rules_of("review."))
    assert checked.conditions is None
    assert ("review.no_conditions", {}) in checked.notes
    assert checked.check.verdict.value != "pass"


def test_a_newer_version_adds_columns_to_the_tables(project: Project, plan: Path) -> None:
    """A file from before a field existed: the column is added when something is written."""
    from planner_app.project import Command, Transaction
    from plugins.review.model.cases import tables as schema

    class Old(Command):
        name = "old"

        def apply(self, tx: Transaction) -> None:
            fields = tuple(one for one in schema.CASES.fields() if one.name != "permit_date")
            tx.create_layer(NewLayer("案件", "polygon", fields, role="review.case"), table="review_case")

    project.execute(Old())
    project.execute(OpenCase(_case("旧", permit_date="2026-01-01")))
    assert store.cases(project)[0].permit_date == "2026-01-01"
    assert_whole(project)
