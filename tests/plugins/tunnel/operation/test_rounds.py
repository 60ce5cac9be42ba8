"""Rounds due, defects at the same place, what is late and the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from plugins.tunnel.model.operation import defects, orders, rounds, rows, tables
from plugins.tunnel.model.operation.figures import figures, overdue, read_book
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import Defect, DefectStatus, Inspection, Observation, OrderStatus, Plan
from plugins.tunnel.model.operation.schedule import RoundState, coverage, judge_plan, standing
from plugins.tunnel.model.operation.schedule import rounds as rounds_of

PLAN = Plan("p", "XJ-0001", "每周巡检", "T1", 0.0, 200.0, ("综合", "燃气"), 7, start="2024-10-01")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def walk(day, from_m=0.0, to_m=200.0, compartments=()):
    return Inspection(
        f"i{day}{from_m}{compartments}", "", "p", "T1", from_m, to_m, compartments, "王工", f"{day}T04:00"
    )


def states(walked, on, **values):
    return [one.state.value for one in rounds_of(replace(PLAN, **values), walked, date.fromisoformat(on))]


def test_rounds_follow_each_other_from_the_start():
    walked = [walk("2024-10-03"), walk("2024-10-22")]
    assert states(walked, "2024-10-25") == ["done", "missed", "missed", "done"]
    assert states(walked, "2024-10-28") == ["done", "missed", "missed", "done"]
    assert states(walked, "2024-10-29") == ["done", "missed", "missed", "done", "due"]
    assert states([], "2024-09-30") == []
    assert states(walked, "2024-12-01", ended="2024-10-14") == ["done", "missed"]
    assert [str(one.due) for one in rounds_of(PLAN, [], date(2024, 10, 15))] == [
        "2024-10-07", "2024-10-14", "2024-10-21",
    ]  # fmt: skip


def test_a_plan_is_overdue_until_somebody_walks():
    def at(on, *days):
        found = standing(PLAN, [walk(day) for day in days], date.fromisoformat(on))
        return found.state.value, str(found.due), str(found.last)

    assert at("2024-10-05") == ("due", "2024-10-07", "None")
    assert at("2024-10-09") == ("overdue", "2024-10-07", "None")
    assert at("2024-10-09", "2024-10-08") == ("done", "2024-10-21", "2024-10-08")
    assert at("2024-10-09", "2024-10-03") == ("due", "2024-10-14", "2024-10-03")
    assert at("2024-09-20") == ("coming", "2024-10-01", "None")


def test_a_round_counts_when_its_parts_cover_the_route_in_every_compartment():
    assert coverage(PLAN, [walk("2024-10-03", 0, 120)]) == pytest.approx(0.6)
    assert coverage(PLAN, [walk("2024-10-03", 200, 119.5), walk("2024-10-04", 0, 120)]) == 1.0
    both = [walk("2024-10-03", compartments=("综合",)), walk("2024-10-03", compartments=("燃气",))]
    assert coverage(PLAN, both[:1]) == 0.0
    assert coverage(PLAN, both) == 1.0
    assert states([walk("2024-10-03", 0, 120)], "2024-10-09") == ["missed", "due"]


@given(st.lists(st.tuples(st.floats(-50, 250), st.floats(-50, 250)), max_size=6))
def test_coverage_is_the_share_of_metres_walked(spans):
    walked = shapely.union_all([shapely.LineString([(a, 0), (b, 0)]) for a, b in spans])
    exact = shapely.intersection(walked, shapely.LineString([(0, 0), (200, 0)])).length / 200
    share = coverage(replace(PLAN, compartments=()), [walk("2024-10-03", a, b) for a, b in spans])
    # Gaps below a metre count as walked: one before each part and one behind the last.
    assert exact - 1e-9 <= share <= min(exact + (len(spans) + 1) / 200, 1.0) + 1e-9


def test_a_plan_rarer_than_its_clause_is_warned_of(rules):
    def verdict(days):
        (found,) = judge_plan(replace(PLAN, every_days=days), rules, date(2024, 10, 1))
        return found.verdict, found.blocking, found.standard

    assert verdict(7) == (Verdict.PASS, False, "GB 51354-2019")
    assert verdict(8) == (Verdict.FAIL, False, "GB 51354-2019")
    assert judge_plan(PLAN, rules, date(2018, 1, 1)) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": " "}, "plan_unnamed"), ({"every_days": 0}, "plan_interval"), ({"to_m": 250.0}, "m_outside"),
        ({"to_m": 0.0}, "span_empty"), ({"tunnel": "T7"}, "tunnel_unknown"), ({"start": "gestern"}, "date_wrong"),
        ({"compartments": ("蒸汽",)}, "compartment_kind_unknown"),
    ],
)  # fmt: skip
def test_plans_that_cannot_be_walked_are_refused(project, values, code):
    with pytest.raises(PlannerError) as error:
        rounds.check_plan(project, replace(PLAN, **values))
    assert error.value.code == f"tunnel.{code}"


def test_plan_round_and_observation_are_kept_and_undone(project, tmp_path):
    rows.prepare(project)
    plan = rounds.check_plan(project, replace(PLAN, id=rows.new_id(), from_m=150.0, to_m=10.0))
    project.execute(rounds.SavePlan(plan))
    project.execute(rounds.SavePlan(replace(plan, every_days=3)))
    (kept,) = rows.read(project, tables.PLANS)
    assert (kept.number, kept.from_m, kept.to_m, kept.every_days) == ("XJ-0001", 10.0, 150.0, 3)
    inspection = rounds.check_inspection(project, Inspection(rows.new_id(), plan_id="1", by="王工"))
    assert (inspection.tunnel, inspection.from_m, inspection.to_m) == ("T1", 10.0, 150.0)
    (tmp_path / "a.png").write_bytes(PNG)
    photo = rounds.attach_photo(project, tmp_path / "a.png")
    seen = Observation(rows.new_id(), inspection.id, "T1", 50.0, "综合", "顶板", "渗水", photo=photo, by="王工")
    project.execute(rounds.RecordRound(inspection, [rounds.check_observation(Places(project), seen)]))
    (one,) = rows.read(project, tables.OBSERVATIONS)
    assert (one.text, project.read_attachment(one.photo)) == ("渗水", PNG)
    project.undo()
    assert rows.read(project, tables.OBSERVATIONS) == rows.read(project, tables.INSPECTIONS) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"text": ""}, "observation_empty"), ({"grade": 5}, "grade_wrong"), ({"code": "x"}, "defect_code_unknown"),
        ({"m": 201.0}, "m_outside"), ({"by": ""}, "nobody"), ({"time": "9 Uhr"}, "moment_wrong"),
        ({"compartment": "热力"}, "compartment_kind_unknown"),
    ],
)  # fmt: skip
def test_observations_that_cannot_be_are_refused(project, values, code):
    seen = replace(Observation("", "", "T1", 5.0, "综合", text="x", by="王工"), **values)
    with pytest.raises(PlannerError) as error:
        rounds.check_observation(Places(project), seen)
    assert error.value.code == f"tunnel.{code}"


def test_a_photo_must_be_one(project, tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(PlannerError, match="photo_unreadable"):
        rounds.attach_photo(project, tmp_path / "a.jpg")
    with pytest.raises(PlannerError, match="photo_unreadable"):
        rounds.attach_photo(project, tmp_path / "missing.jpg")


# ---------------------------------------------------------------- defects


def found(project, m=50.0, grade=2, time="2024-10-01T02:00:00Z", code="seepage"):
    rows.prepare(project)
    defect = Defect("", "", "T1", m, None, "综合", "顶板", code, grade, text="渗水")
    command = defects.new_defect(Places(project), defect, by="王工", time=time)
    project.execute(command)
    return rows.one(project, tables.DEFECTS, command.defect.id)


def test_an_observation_near_a_defect_suggests_it_and_a_person_decides(project):
    near, far = found(project, 50.0), found(project, 57.0)
    other = found(project, 51.0, code="crack")
    every = [near, far, other]

    def suggested(m, **values):
        given = {"compartment": "综合", "code": "seepage"} | values
        return [(one.number, away) for one, away in defects.suggestions(every, "T1", m, **given)]

    assert suggested(52.5) == [("QX-0001", 2.5), ("QX-0002", 4.5)]
    assert suggested(55.0) == [("QX-0002", 2.0), ("QX-0001", 5.0)]
    assert suggested(62.1) == []
    assert suggested(50.0, compartment="燃气") == []
    assert suggested(50.0, code="crack") == [("QX-0003", 1.0)]
    closed = replace(near, status=DefectStatus.CLOSED)
    assert [one.number for one, _ in defects.suggestions([closed, far], "T1", 52.0, "综合", "seepage")] == [
        "QX-0002", "QX-0001",
    ]  # fmt: skip


def test_a_defect_seen_again_has_a_history_and_the_grade_of_its_newest_examination(project):
    defect = found(project, grade=1)
    for grade, time in ((3, "2024-10-15T02:00:00Z"), (2, "2024-10-08T02:00:00Z")):
        project.execute(defects.examine(defect, grade, by="赵工", time=time))
    defect = rows.one(project, tables.DEFECTS, defect.id)
    assert (defect.grade, defect.first_seen, defect.last_seen) == (3, "2024-10-01T02:00:00Z", "2024-10-15T02:00:00Z")
    assert [one.grade for one in defects.history(project, defect.id)] == [1, 2, 3]
    project.execute(defects.close(defect, by="李工", time="2024-10-20T02:00:00Z"))
    with pytest.raises(PlannerError, match="defect_closed"):
        project.execute(defects.close(defect, by="李工"))
    project.execute(defects.examine(defect, 2, by="赵工", time="2024-10-25T02:00:00Z"))
    again = rows.one(project, tables.DEFECTS, defect.id)
    assert (again.status, again.grade, again.closed_at) == (DefectStatus.OPEN, 2, "")
    assert [one.event for one in defects.history(project, defect.id)] == [
        "found", "seen", "seen", "repaired", "reopened",
    ]  # fmt: skip
    with pytest.raises(PlannerError, match="grade_wrong"):
        defects.examine(defect, 5, by="赵工")


def test_an_observation_belongs_to_one_defect(project):
    first = found(project)
    seen = Observation(rows.new_id(), "", "T1", 51.0, "综合", text="渗水", code="seepage", grade=3, by="王工")
    project.execute(defects.KeepSeen(rounds.check_observation(Places(project), seen)))
    project.execute(defects.examine(first, 3, by="王工", observation_id=seen.id))
    (kept,) = rows.read(project, tables.OBSERVATIONS)
    assert kept.defect_id == first.id
    with pytest.raises(PlannerError, match="observation_taken"):
        project.execute(defects.defect_of(Places(project), kept))
    assert len(rows.read(project, tables.DEFECTS)) == 1


def test_closing_an_order_closes_the_defect_it_came_from(project):
    defect = found(project)
    order = orders.new_order(project, "堵漏", by="王工", source=f"defect:{defect.id}", tunnel="T1", m=50.0)
    order = orders.open_order(project, replace(order, status=OrderStatus.DONE, result="已注浆"))
    project.execute(orders.advance(order, OrderStatus.CLOSED, by="李工"))
    assert rows.one(project, tables.DEFECTS, defect.id).status is DefectStatus.CLOSED
    assert defects.history(project, defect.id)[-1].text == order.number
    project.undo()
    assert rows.one(project, tables.DEFECTS, defect.id).status is DefectStatus.OPEN


# ---------------------------------------------------------------- late, and in figures


def test_the_overdue_list_and_the_figures_of_a_month(project, rules):
    rows.prepare(project)
    day = date(2024, 10, 30)
    plan = rounds.check_plan(project, replace(PLAN, id=rows.new_id()))
    project.execute(rounds.SavePlan(plan))
    for start in ("2024-10-03", "2024-10-10"):
        done = rounds.check_inspection(
            project, Inspection(rows.new_id(), plan_id=plan.id, by="王工", started=f"{start}T02:00:00Z")
        )
        project.execute(rounds.RecordRound(done))
    serious = found(project, grade=3, time="2024-10-20T02:00:00Z")
    slight = found(project, 120.0, grade=1, time="2024-10-21T02:00:00Z", code="sign")
    mended = found(project, 130.0, grade=2, time="2024-10-02T02:00:00Z", code="lighting")
    project.execute(defects.close(mended, by="李工", time="2024-10-06T02:00:00Z"))
    order = orders.new_order(project, "堵漏", by="王工", due="2024-10-25", responsible="赵工")
    orders.open_order(project, replace(order, created_at="2024-10-21T02:00:00Z"))
    book = read_book(project, day)
    late = [(one.kind, one.number, one.days) for one in overdue(book, rules)]
    assert late == [("order", "GD-0001", 5), ("defect", serious.number, 3), ("round", "XJ-0001", 2)]
    told = figures(book, date(2024, 10, 1), date(2024, 10, 31))
    assert (told.rounds_done, told.rounds_due, told.rounds_by_tunnel) == (2, 4, {"T1": (2, 4)})
    assert told.inspected_m == 400.0
    assert told.open_by_grade == {4: 0, 3: 1, 2: 0, 1: 1}
    assert told.open_by_code == {"seepage": 1, "sign": 1}
    assert (told.found, told.closed, told.days_to_close) == (3, 1, pytest.approx(4.0))
    assert (told.orders_opened, told.orders_closed, told.order_days) == (1, 0, None)
    assert slight.number in [one.number for one in book.open_defects()]
    assert read_book(project, day - timedelta(days=12)).standings[0].state is RoundState.DUE
