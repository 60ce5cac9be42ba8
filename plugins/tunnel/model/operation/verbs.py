"""The verbs ``tunnel rounds``, ``tunnel inspect`` and ``tunnel defects``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.figures import Book
    from plugins.tunnel.model.operation.records import Defect, Examination, Observation, Plan


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("，", ",").split(",") if part.strip())


def a_chainage(text: str) -> float:
    """``123.4`` or ``K0+123.4`` as metres.

    Raises:
        argparse.ArgumentTypeError: for what is neither.
    """
    from plugins.tunnel.model.operation.forms import chainage

    try:
        return chainage(text)
    except PlannerError as error:
        raise argparse.ArgumentTypeError(word(error.code, error.params)) from error


def _day(text: str) -> date | None:
    from plugins.tunnel.model.operation.forms import a_day

    return date.fromisoformat(a_day(text)) if text else None


# ---------------------------------------------------------------- rounds


def _configure_rounds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--on", default="", metavar="DATE", help=tr("as of this day"))
    parser.add_argument("--tunnel", default="", metavar="CODE")
    parser.add_argument("--days", type=int, default=30, metavar="N", help=tr("statistics of so many days"))
    parser.add_argument("--xlsx", type=Path, default=None, metavar="X.xlsx", help=tr("lists and statistics"))
    parser.add_argument("--add", default="", metavar="NAME", help=tr("a new plan of that name"))
    parser.add_argument("--change", default="", metavar="PLAN", help=tr("change a plan"))
    parser.add_argument("--end", default="", metavar="PLAN", help=tr("a plan ends today"))
    parser.add_argument("--from", dest="from_m", type=a_chainage, default=None, metavar="M")
    parser.add_argument("--to", dest="to_m", type=a_chainage, default=None, metavar="M")
    parser.add_argument("--compartments", default=None, metavar="KIND,…")
    parser.add_argument("--every", type=int, default=None, metavar="DAYS")
    parser.add_argument("--look-at", default=None, metavar="TEXT,…", help=tr("what to look at"))
    parser.add_argument("--responsible", default=None, metavar="NAME")
    parser.add_argument("--start", default=None, metavar="DATE", help=tr("first day of the first round"))


def run_rounds(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel rounds``: plans with their rounds due, what is late, statistics; new and changed plans."""
    from plugins.tunnel.model.operation import figures, rounds, rows, tables
    from plugins.tunnel.model.operation.places import Places

    rules = context.rules("tunnel.")
    with context.open_project(arguments.file) as project:
        saved = None
        Places(project).must_know(arguments.tunnel, rows.read(project, tables.PLANS))
        if arguments.add or arguments.change or arguments.end:
            saved = _saved_plan(project, arguments)
            rows.prepare(project)
            project.execute(rounds.SavePlan(saved))
            saved = rows.one(project, tables.PLANS, saved.id)
        book = figures.read_book(project, _day(arguments.on))
        if arguments.xlsx is not None:
            from plugins.tunnel.model.operation.sheets import write_workbook

            write_workbook(book, rules, project.name, book.day - timedelta(days=arguments.days - 1), arguments.xlsx)
    data = rounds_json(book, rules, arguments.tunnel, arguments.days)
    if saved is not None:
        # It may run in another tunnel than those that are listed.
        every = data["plans"] if not arguments.tunnel else rounds_json(book, rules, "", arguments.days)["plans"]
        data = {"plan": next(one for one in every if one["id"] == saved.id)} | data
    return VerbResult(data | ({"out": str(arguments.xlsx)} if arguments.xlsx else {}))


def _saved_plan(project: Project, arguments: argparse.Namespace) -> Plan:
    from plugins.tunnel.model.operation import rounds, rows, tables
    from plugins.tunnel.model.operation.places import Places
    from plugins.tunnel.model.operation.records import Plan

    if arguments.add:
        if not arguments.tunnel:
            raise PlannerError("tunnel.plan_nowhere")
        low, high = Places(project).axis(arguments.tunnel).ends
        plan = Plan(rows.new_id(), name=arguments.add, tunnel=arguments.tunnel, from_m=low, to_m=high)
    else:
        plan = rows.one(project, tables.PLANS, arguments.change or arguments.end)
        if arguments.end:
            plan = replace(plan, ended=rounds.today(project).isoformat())
    given = {
        "from_m": arguments.from_m, "to_m": arguments.to_m, "every_days": arguments.every,
        "responsible": arguments.responsible, "start": arguments.start,
        "compartments": None if arguments.compartments is None else _names(arguments.compartments),
        "look_at": None if arguments.look_at is None else _names(arguments.look_at),
    }  # fmt: skip
    return rounds.check_plan(project, replace(plan, **{key: one for key, one in given.items() if one is not None}))


def rounds_json(book: Book, rules: list[Any], tunnel: str, days: int) -> dict[str, Any]:
    """Plans, what is late, statistics, as the command line prints them."""
    from planner_app.report.findings import finding_json
    from plugins.tunnel.model.operation import figures
    from plugins.tunnel.model.operation.schedule import judge_plan, standing

    plans = []
    for plan in book.plans:
        if tunnel in ("", plan.tunnel):
            one = standing(plan, book.inspections, book.day)
            warned = [f for f in judge_plan(plan, rules, book.day) if f.verdict != "pass"]
            plans.append(
                {
                    "number": plan.number, "name": plan.name, "tunnel": plan.tunnel, "from_m": plan.from_m,
                    "to_m": plan.to_m, "compartments": list(plan.compartments), "every_days": plan.every_days,
                    "look_at": list(plan.look_at), "responsible": plan.responsible, "start": plan.start,
                    "ended": plan.ended or None, "state": "ended" if book.ended(plan) else one.state.value,
                    "due": one.due.isoformat() if one.due else None, "last": one.last.isoformat() if one.last else None,
                    "covered": one.now.covered if one.now else None, "id": plan.id,
                    "findings": [finding_json(finding) for finding in warned],
                }
            )  # fmt: skip
    late = [
        {"kind": one.kind, "number": one.number, "title": one.title, "tunnel": one.tunnel, "m": one.m,
         "responsible": one.responsible, "due": one.due.isoformat(), "days": one.days, "id": one.id}
        for one in figures.overdue(book, rules) if tunnel in ("", one.tunnel)
    ]  # fmt: skip
    told = figures.figures(book, book.day - timedelta(days=max(days, 1) - 1), book.day)
    return {
        "day": book.day.isoformat(), "plans": plans, "overdue": late,
        "statistics": {
            "since": told.since.isoformat(), "until": told.until.isoformat(), "rounds_due": told.rounds_due,
            "rounds_done": told.rounds_done,
            "rounds_by_tunnel": {code: {"done": a, "due": b} for code, (a, b) in told.rounds_by_tunnel.items()},
            "inspected_m": told.inspected_m,
            "open_defects_by_grade": {str(grade): count for grade, count in told.open_by_grade.items()},
            "open_defects_by_code": told.open_by_code, "open_defects_by_tunnel": told.open_by_tunnel,
            "defects_found": told.found, "defects_closed": told.closed, "mean_days_to_close": told.days_to_close,
            "orders_opened": told.orders_opened, "orders_closed": told.orders_closed,
            "mean_days_per_order": told.order_days,
        },
    }  # fmt: skip


# ---------------------------------------------------------------- inspect


def add_observation_arguments(parser: argparse.ArgumentParser) -> None:
    """What an observation is, on the command line."""
    parser.add_argument("--m", type=a_chainage, default=None, metavar="M", help=tr("chainage, m or K0+123.4"))
    parser.add_argument("--compartment", default="", metavar="KIND")
    parser.add_argument("--position", default="", metavar="TEXT", help=tr("where in the section"))
    parser.add_argument("--text", default="")
    parser.add_argument("--code", default="", metavar="KIND", help=tr("kind of defect"))
    parser.add_argument("--grade", type=int, default=0, metavar="1-4")
    parser.add_argument("--photo", type=Path, default=None, metavar="FILE")
    parser.add_argument("--same", default="", metavar="DEFECT", help=tr("it is this known defect"))


def observation_of(arguments: argparse.Namespace, **given: Any) -> Observation:
    """The observation of the arguments.

    Raises:
        PlannerError: ``tunnel.observation_nowhere``.
    """
    from plugins.tunnel.model.operation.records import Observation

    if arguments.m is None:
        raise PlannerError("tunnel.observation_nowhere")
    told = {name: getattr(arguments, name) for name in ("m", "compartment", "position", "text", "code", "grade")}
    return Observation(**({"id": ""} | told | given))


def _configure_inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--plan", default="", metavar="PLAN", help=tr("record a round of this plan"))
    parser.add_argument("--tunnel", default="", metavar="CODE", help=tr("record a round that nobody planned"))
    parser.add_argument("--from", dest="from_m", type=a_chainage, default=None, metavar="M")
    parser.add_argument("--to", dest="to_m", type=a_chainage, default=None, metavar="M")
    parser.add_argument("--compartments", default="", metavar="KIND,…")
    parser.add_argument("--by", default="", metavar="NAME")
    parser.add_argument("--started", default="", metavar="TIME")
    parser.add_argument("--ended", default="", metavar="TIME")
    parser.add_argument("--remark", default="")
    parser.add_argument("--round", default="", metavar="ROUND", help=tr("add an observation to this round"))
    parser.add_argument("--defect", action="store_true", help=tr("the observation is a new defect"))
    add_observation_arguments(parser)


def run_inspect(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel inspect``: rounds carried out and what was seen; records a round, adds an observation."""
    from plugins.tunnel.model.operation import rounds, rows, tables
    from plugins.tunnel.model.operation.places import Places
    from plugins.tunnel.model.operation.records import Inspection

    with context.open_project(arguments.file) as project:
        data: dict[str, Any] = {}
        if arguments.round:
            data = _observe(project, arguments)
        elif arguments.plan or arguments.by:
            span = (arguments.from_m or 0.0, arguments.to_m if arguments.to_m is not None else arguments.from_m or 0.0)
            record = Inspection(
                rows.new_id(), "", arguments.plan, arguments.tunnel, *span, _names(arguments.compartments),
                arguments.by, arguments.started, arguments.ended, arguments.remark,
            )  # fmt: skip
            record = rounds.check_inspection(project, record)
            rows.prepare(project)
            project.execute(rounds.RecordRound(record))
            data = {"recorded": rows.one(project, tables.INSPECTIONS, record.id).number, "id": record.id}
        seen = rows.read(project, tables.OBSERVATIONS)
        numbers = {one.id: one.number for one in rows.read(project, tables.DEFECTS)}
        plans = {one.id: one.number for one in rows.read(project, tables.PLANS)}
        every = rows.read(project, tables.INSPECTIONS)
        Places(project).must_know(arguments.tunnel, every)
    data["inspections"] = [
        {
            "number": one.number, "plan": plans.get(one.plan_id) or None, "tunnel": one.tunnel, "from_m": one.from_m,
            "to_m": one.to_m, "compartments": list(one.compartments), "by": one.by, "started": one.started,
            "ended": one.ended, "remark": one.remark, "id": one.id,
            "observations": [_seen_json(its, numbers) for its in seen if its.inspection_id == one.id],
        }
        for one in every
        if arguments.tunnel in ("", one.tunnel)
    ]  # fmt: skip
    return VerbResult(data)


def _observe(project: Project, arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation import defects, rounds, rows, tables
    from plugins.tunnel.model.operation.places import Places

    places = Places(project)
    walk = rows.one(project, tables.INSPECTIONS, arguments.round)
    given = {
        "id": rows.new_id(), "inspection_id": walk.id, "tunnel": arguments.tunnel or walk.tunnel,
        "by": arguments.by or walk.by, "time": arguments.started,
        "photo": rounds.attach_photo(project, arguments.photo) if arguments.photo else "",
    }  # fmt: skip
    seen = rounds.check_observation(places, observation_of(arguments, **given))
    same = rows.one(project, tables.DEFECTS, arguments.same) if arguments.same else None
    follow: defects.RaiseDefect | defects.ExamineDefect | None = None
    if same is not None:
        told = {"by": seen.by, "time": seen.time, "text": seen.text, "photo": seen.photo, "observation_id": seen.id}
        follow = defects.examine(same, seen.grade or same.grade, **told)
    elif arguments.defect:
        follow = defects.defect_of(places, seen)
    project.execute(defects.KeepSeen(seen, follow))
    near = defects.suggestions(rows.read(project, tables.DEFECTS), seen.tunnel, seen.m, seen.compartment, seen.code)
    kept = next(one for one in rows.read(project, tables.OBSERVATIONS) if one.id == seen.id)
    numbers = {one.id: one.number for one in rows.read(project, tables.DEFECTS)}
    return {
        "observation": _seen_json(kept, numbers),
        "may_be": [{"defect": one.number, "away_m": away} for one, away in near if not kept.defect_id],
    }


def _seen_json(seen: Observation, numbers: dict[str, str]) -> dict[str, Any]:
    return {
        "m": seen.m, "tunnel": seen.tunnel, "compartment": seen.compartment, "position": seen.position,
        "text": seen.text, "code": seen.code or None, "grade": seen.grade or None, "photo": seen.photo or None,
        "by": seen.by, "time": seen.time, "defect": numbers.get(seen.defect_id), "id": seen.id,
    }  # fmt: skip


# ---------------------------------------------------------------- defects


def _configure_defects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--tunnel", default="", metavar="CODE")
    parser.add_argument("--all", action="store_true", help=tr("closed ones, too"))
    parser.add_argument("--show", default="", metavar="DEFECT", help=tr("one defect with its history"))
    parser.add_argument("--add", action="store_true", help=tr("a new defect at --tunnel and --m"))
    parser.add_argument("--examine", default="", metavar="DEFECT", help=tr("seen again: its next examination"))
    parser.add_argument("--close", default="", metavar="DEFECT", help=tr("repaired"))
    parser.add_argument("--by", default="", metavar="NAME")
    parser.add_argument("--at", default="", metavar="TIME")
    parser.add_argument("--to-m", type=a_chainage, default=None, metavar="M", help=tr("as far as this chainage"))
    add_observation_arguments(parser)


def run_defects(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel defects``: defects with their grade; a new one, one seen again, one closed, one's history."""
    from plugins.tunnel.model.operation import defects, figures, rounds, rows, tables
    from plugins.tunnel.model.operation.places import Places
    from plugins.tunnel.model.operation.records import Defect

    ref = arguments.show or arguments.examine or arguments.close
    with context.open_project(arguments.file) as project:
        told = {"by": arguments.by, "time": arguments.at}
        photo = rounds.attach_photo(project, arguments.photo) if arguments.photo else ""
        if arguments.add:
            seen = observation_of(arguments)
            defect = Defect(
                rows.new_id(), "", arguments.tunnel, seen.m, arguments.to_m, seen.compartment, seen.position,
                seen.code, seen.grade or 1, text=seen.text,
            )  # fmt: skip
            command = defects.new_defect(Places(project), defect, photo=photo, **told)
            rows.prepare(project)
            project.execute(command)
            ref = defect.id
        elif arguments.examine:
            known = rows.one(project, tables.DEFECTS, ref)
            grade = arguments.grade or known.grade
            project.execute(defects.examine(known, grade, text=arguments.text, photo=photo, **told))
        elif arguments.close:
            project.execute(defects.close(rows.one(project, tables.DEFECTS, ref), text=arguments.text, **told))
        book = figures.read_book(project)
        Places(project).must_know(arguments.tunnel, book.defects)
        one = rows.one(project, tables.DEFECTS, ref) if ref else None
        history = defects.history(project, one.id) if one is not None else []
    rules = context.rules("tunnel.repair")
    if one is not None:
        return VerbResult({"defect": defect_json(one, rules), "history": [_examination_json(its) for its in history]})
    its = book.defects if arguments.all else book.open_defects()
    return VerbResult({"defects": [defect_json(one, rules) for one in its if arguments.tunnel in ("", one.tunnel)]})


def defect_json(one: Defect, rules: list[Any]) -> dict[str, Any]:
    """A defect as the command line prints it."""
    from plugins.tunnel.model.operation.defects import repair_by
    from plugins.tunnel.model.operation.words import defect_word

    due = repair_by(one, rules)
    return {
        "number": one.number, "grade": one.grade, "status": one.status.value, "code": one.code,
        "kind": defect_word(one.code), "tunnel": one.tunnel, "m": one.m, "to_m": one.to_m,
        "compartment": one.compartment, "position": one.position, "text": one.text, "first_seen": one.first_seen,
        "last_seen": one.last_seen, "repair_by": due.isoformat() if due else None,
        "closed_at": one.closed_at or None, "closed_by": one.closed_by or None, "id": one.id,
    }  # fmt: skip


def _examination_json(one: Examination) -> dict[str, Any]:
    return {
        "time": one.time, "event": one.event, "grade": one.grade, "by": one.by, "text": one.text,
        "photo": one.photo or None, "observation": one.observation_id or None, "id": one.id,
    }  # fmt: skip


ROUNDS = Verb(
    "tunnel rounds", "inspection plans with rounds due, what is late, statistics", _configure_rounds, run_rounds
)
INSPECT = Verb("tunnel inspect", "rounds carried out and what was seen", _configure_inspect, run_inspect)
DEFECTS = Verb("tunnel defects", "defects with grade and history", _configure_defects, run_defects)
