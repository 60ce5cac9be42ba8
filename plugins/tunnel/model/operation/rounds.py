"""Plans, rounds carried out, and what was seen on them: checked records and the commands that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model.operation import rows, tables
from plugins.tunnel.model.operation.forms import a_day, a_moment, somebody
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import GRADES, Inspection, Observation, Plan
from plugins.tunnel.model.operation.words import DEFECT_CODES

#: Setting of a project whose operation stands still on a day (a sample, a training file); empty: today.
DAY_SETTING = "tunnel.operation_day"
_MOST_DAYS = 3660
_MOST_PHOTO = 64 << 20


def today(project: Project) -> date:
    """The day that due and overdue speak of: today, unless the project stands still on another."""
    return rows.day_of(project.setting(DAY_SETTING)) or date.today()


@dataclass(frozen=True)
class SavePlan(Command):
    """Keep an inspection plan, new or changed."""

    name: ClassVar[str] = "tunnel_save_plan"
    plan: Plan

    def params(self) -> dict[str, Any]:
        return {"title": self.plan.name}

    def apply(self, tx: Transaction) -> None:
        layer = rows.layer_for(tx, tables.PLANS)
        if len(tx.read(layer.id, columns=[], where=rows.equals("uuid", self.plan.id), geometry=False)):
            values = {name: getattr(self.plan, name) for name in tables.PLANS.kinds if name != "number"}
            rows.change(tx, tables.PLANS, self.plan.id, values)
        else:
            rows.insert(tx, tables.PLANS, [self.plan])


@dataclass(frozen=True)
class RecordRound(Command):
    """Keep a round carried out, with what was seen on it."""

    name: ClassVar[str] = "tunnel_record_round"
    inspection: Inspection
    observations: Sequence[Observation] = ()

    def params(self) -> dict[str, Any]:
        return {"tunnel": self.inspection.tunnel, "by": self.inspection.by, "count": len(self.observations)}

    def apply(self, tx: Transaction) -> None:
        rows.insert(tx, tables.INSPECTIONS, [self.inspection])
        rows.insert(tx, tables.OBSERVATIONS, self.observations)


def check_plan(project: Project, plan: Plan) -> Plan:
    """The plan with its route on its tunnel.

    Raises:
        PlannerError: ``tunnel.plan_unnamed``, ``tunnel.plan_interval``, ``tunnel.date_wrong`` and those of a place.
    """
    if not plan.name.strip():
        raise PlannerError("tunnel.plan_unnamed")
    if not 1 <= plan.every_days <= _MOST_DAYS:
        raise PlannerError("tunnel.plan_interval", days=plan.every_days)
    places = Places(project)
    low, high = places.check_span(plan.tunnel, plan.from_m, plan.to_m)
    return replace(
        plan, name=plan.name.strip(), from_m=low, to_m=high, start=a_day(plan.start) or today(project).isoformat(),
        ended=a_day(plan.ended), compartments=places.check_compartments(plan.tunnel, plan.compartments),
        look_at=tuple(text.strip() for text in plan.look_at if text.strip()), responsible=plan.responsible.strip(),
    )  # fmt: skip


def check_inspection(project: Project, round_: Inspection) -> Inspection:
    """The round with its stretch on its tunnel; a round of a plan that states none has the plan's.

    Raises:
        PlannerError: ``tunnel.nobody``, ``tunnel.times_wrong``, ``tunnel.record_unknown`` (the plan) and those of a
            place or a moment.
    """
    if round_.plan_id:
        plan = rows.one(project, tables.PLANS, round_.plan_id)
        same = (round_.tunnel or plan.tunnel) == plan.tunnel
        if same and round_.from_m == round_.to_m:
            round_ = replace(round_, from_m=plan.from_m, to_m=plan.to_m)
        round_ = replace(
            round_, plan_id=plan.id, tunnel=round_.tunnel or plan.tunnel,
            compartments=round_.compartments or plan.compartments,
        )  # fmt: skip
    places = Places(project)
    low, high = places.check_span(round_.tunnel, round_.from_m, round_.to_m)
    start = a_moment(round_.started) if round_.started else a_moment(rows.now())
    end = a_moment(round_.ended) if round_.ended else start
    if end < start:
        raise PlannerError("tunnel.times_wrong", start=round_.started, end=round_.ended)
    return replace(
        round_, from_m=low, to_m=high, by=somebody(round_.by), started=rows.moment(start), ended=rows.moment(end),
        compartments=places.check_compartments(round_.tunnel, round_.compartments),
    )  # fmt: skip


def check_observation(places: Places, one: Observation) -> Observation:
    """The observation with its place on its tunnel.

    Raises:
        PlannerError: ``tunnel.observation_empty``, ``tunnel.grade_wrong``, ``tunnel.defect_code_unknown``,
            ``tunnel.nobody`` and those of a place or a moment.
    """
    if not (one.text.strip() or one.code or one.photo):
        raise PlannerError("tunnel.observation_empty")
    if one.grade and one.grade not in GRADES:
        raise PlannerError("tunnel.grade_wrong", grade=one.grade)
    check_code(one.code)
    compartments = places.check_compartments(one.tunnel, [one.compartment] if one.compartment else [])
    return replace(
        one, m=places.check(one.tunnel, one.m), compartment=compartments[0] if compartments else "",
        text=one.text.strip(), position=one.position.strip(), by=somebody(one.by),
        time=rows.moment(a_moment(one.time)) if one.time else rows.now(),
    )  # fmt: skip


def check_code(code: str) -> str:
    """A kind of defect, or none.

    Raises:
        PlannerError: ``tunnel.defect_code_unknown``.
    """
    if code and code not in DEFECT_CODES:
        raise PlannerError("tunnel.defect_code_unknown", kind=code, known=", ".join(DEFECT_CODES))
    return code


def attach_photo(project: Project, path: Path) -> str:
    """Keep a photo in the project; returns its SHA-256.

    Raises:
        PlannerError: ``tunnel.photo_unreadable``, ``tunnel.photo_large``.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_PHOTO else b""
    except OSError as error:
        raise PlannerError("tunnel.photo_unreadable", file=path.name, detail=error.strerror or str(error)) from error
    if not data:
        raise PlannerError("tunnel.photo_large", file=path.name, most=_MOST_PHOTO >> 20)
    kind = photo_type(data)
    if not kind:
        raise PlannerError("tunnel.photo_unreadable", file=path.name, detail="JPEG, PNG, WebP")
    return project.attach(data, name=path.name, media_type=kind)


def photo_type(data: bytes) -> str:
    """The media type of a picture by its first bytes; empty for what is none."""
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""
