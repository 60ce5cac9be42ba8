"""Defects: found once, seen again at the same place, graded each time, repaired; and which one an observation means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule, in_force
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model.operation import rows, tables
from plugins.tunnel.model.operation.forms import a_moment, somebody
from plugins.tunnel.model.operation.orders import repaired
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import GRADES, Defect, DefectStatus, Examination, Observation
from plugins.tunnel.model.operation.rounds import check_code

#: Nearer than this along the tunnel (m), in the same compartment and of the same kind, may be the same defect.
SAME_PLACE = 5.0


@dataclass(frozen=True)
class RaiseDefect(Command):
    """A defect found; with ``observation_id`` it is the one that was seen there."""

    name: ClassVar[str] = "tunnel_raise_defect"
    defect: Defect
    first: Examination

    def params(self) -> dict[str, Any]:
        return {"tunnel": self.defect.tunnel, "m": self.defect.m, "code": self.defect.code, "grade": self.defect.grade}

    def apply(self, tx: Transaction) -> None:
        rows.insert(tx, tables.DEFECTS, [self.defect])
        rows.insert(tx, tables.EXAMINATIONS, [self.first])
        _claim(tx, self.first.observation_id, self.defect.id)


@dataclass(frozen=True)
class ExamineDefect(Command):
    """A known defect seen again. The defect's grade is that of its newest examination, whichever came in last; a closed
    one that is seen after it was closed is open again."""

    name: ClassVar[str] = "tunnel_examine_defect"
    seen: Examination
    number: str = ""

    def params(self) -> dict[str, Any]:
        return {"number": self.number, "grade": self.seen.grade}

    def apply(self, tx: Transaction) -> None:
        defect = rows.find(tx, tables.DEFECTS, self.seen.defect_id)[2]
        back = defect.status is DefectStatus.CLOSED and self.seen.time > defect.closed_at
        rows.insert(tx, tables.EXAMINATIONS, [replace(self.seen, event="reopened") if back else self.seen])
        newest = newest_of(tx, defect.id)
        values: dict[str, Any] = {"grade": newest.grade, "last_seen": newest.time}
        if back:
            values |= {"status": DefectStatus.OPEN, "closed_at": "", "closed_by": ""}
        if self.seen.time < defect.first_seen:
            values["first_seen"] = self.seen.time
        rows.change(tx, tables.DEFECTS, defect.id, values)
        _claim(tx, self.seen.observation_id, defect.id)


@dataclass(frozen=True)
class KeepSeen(Command):
    """Keep something seen together with what a person takes it for, as one step: a new defect, or a known one again."""

    name: ClassVar[str] = "tunnel_add_observation"
    observation: Observation
    follow: RaiseDefect | ExamineDefect | None = None

    def params(self) -> dict[str, Any]:
        return {"tunnel": self.observation.tunnel, "m": self.observation.m}

    def apply(self, tx: Transaction) -> None:
        rows.insert(tx, tables.OBSERVATIONS, [self.observation])
        if self.follow is not None:
            self.follow.apply(tx)


@dataclass(frozen=True)
class NoDefect(Command):
    """A person says that something seen is no defect; its words stay."""

    name: ClassVar[str] = "tunnel_no_defect"
    observation_id: str

    def apply(self, tx: Transaction) -> None:
        rows.change(tx, tables.OBSERVATIONS, self.observation_id, {"code": "", "grade": 0})


@dataclass(frozen=True)
class CloseDefect(Command):
    """A defect is repaired, or was none."""

    name: ClassVar[str] = "tunnel_close_defect"
    defect_id: str
    by: str
    time: str
    text: str = ""
    number: str = ""

    def params(self) -> dict[str, Any]:
        return {"number": self.number, "by": self.by}

    def apply(self, tx: Transaction) -> None:
        if rows.find(tx, tables.DEFECTS, self.defect_id)[2].status is DefectStatus.CLOSED:
            raise PlannerError("tunnel.defect_closed", number=self.number)
        repaired(tx, self.defect_id, self.by, self.time, self.text)


def newest_of(tx: Transaction, defect_id: str) -> Examination:
    """The examination of a defect that was made last; repairs are none."""
    its = rows.read(tx, tables.EXAMINATIONS, rows.equals("defect_id", defect_id))
    return max((one for one in its if one.event != "repaired"), key=lambda one: one.time)


def _claim(tx: Transaction, observation_id: str, defect_id: str) -> None:
    """An observation belongs to one defect."""
    if not observation_id:
        return
    seen = rows.find(tx, tables.OBSERVATIONS, observation_id)[2]
    if seen.defect_id and seen.defect_id != defect_id:
        other = rows.find(tx, tables.DEFECTS, seen.defect_id)[2]
        raise PlannerError("tunnel.observation_taken", number=other.number)
    rows.change(tx, tables.OBSERVATIONS, observation_id, {"defect_id": defect_id})


# ---------------------------------------------------------------- what may be done


def new_defect(
    places: Places, defect: Defect, *, by: str, time: str = "", photo: str = "", observation_id: str = ""
) -> RaiseDefect:
    """The command for a defect found, checked.

    Raises:
        PlannerError: ``tunnel.grade_wrong``, ``tunnel.defect_code_unknown``, ``tunnel.nobody`` and those of a place.
    """
    if defect.grade not in GRADES:
        raise PlannerError("tunnel.grade_wrong", grade=defect.grade)
    code = check_code(defect.code or "other")
    m = places.check(defect.tunnel, defect.m)
    to_m = None if defect.to_m is None else places.check(defect.tunnel, defect.to_m)
    compartments = places.check_compartments(defect.tunnel, [defect.compartment] if defect.compartment else [])
    when = rows.moment(a_moment(time)) if time else rows.now()
    defect = replace(
        defect, id=defect.id or rows.new_id(), code=code, m=m, to_m=to_m, first_seen=when, last_seen=when,
        compartment=compartments[0] if compartments else "", text=defect.text.strip(),
        position=defect.position.strip(), wkb=places.wkb(defect.tunnel, m),
    )  # fmt: skip
    first = Examination(
        rows.new_id(), defect.id, observation_id, "found", defect.grade, defect.text, photo, somebody(by), when
    )  # fmt: skip
    return RaiseDefect(defect, first)


def defect_of(places: Places, seen: Observation, grade: int = 0) -> RaiseDefect:
    """The command that makes an observation a defect of its own."""
    defect = Defect(
        "", "", seen.tunnel, seen.m, None, seen.compartment, seen.position, seen.code, grade or seen.grade or 1,
        text=seen.text,
    )  # fmt: skip
    return new_defect(places, defect, by=seen.by, time=seen.time, photo=seen.photo, observation_id=seen.id)


def examine(
    defect: Defect,
    grade: int,
    *,
    by: str,
    time: str = "",
    text: str = "",
    photo: str = "",
    observation_id: str = "",
) -> ExamineDefect:
    """The command for a known defect seen again.

    Raises:
        PlannerError: ``tunnel.grade_wrong``, ``tunnel.nobody``, ``tunnel.moment_wrong``.
    """
    if grade not in GRADES:
        raise PlannerError("tunnel.grade_wrong", grade=grade)
    when = rows.moment(a_moment(time)) if time else rows.now()
    seen = Examination(
        rows.new_id(), defect.id, observation_id, "seen", grade, text.strip(), photo, somebody(by), when
    )  # fmt: skip
    return ExamineDefect(seen, defect.number)


def close(defect: Defect, *, by: str, time: str = "", text: str = "") -> CloseDefect:
    """The command for a defect repaired."""
    when = rows.moment(a_moment(time)) if time else rows.now()
    return CloseDefect(defect.id, somebody(by), when, text.strip(), defect.number)


def suggestions(
    defects: Iterable[Defect], tunnel: str, m: float, compartment: str, code: str, within: float = SAME_PLACE
) -> list[tuple[Defect, float]]:
    """(defect, metres away) of those an observation may mean, open ones before closed ones, the nearest first. A person
    decides."""
    found = [
        (one, away)
        for one in defects
        if (one.tunnel, one.compartment, one.code) == (tunnel, compartment, code) and (away := _away(one, m)) <= within
    ]
    return sorted(found, key=lambda pair: (pair[0].status is DefectStatus.CLOSED, pair[1]))


def _away(defect: Defect, m: float) -> float:
    low, high = sorted((defect.m, defect.m if defect.to_m is None else defect.to_m))
    return max(low - m, m - high, 0.0)


def history(project: Project, defect_id: str) -> list[Examination]:
    """A defect's examinations, oldest first."""
    its = rows.read(project, tables.EXAMINATIONS, rows.equals("defect_id", defect_id))
    return sorted(its, key=lambda one: one.time)


def repair_by(defect: Defect, rules: Iterable[Rule], city: str = "") -> date | None:
    """The day by which a defect of its grade should be repaired (rules of kind ``tunnel.repair``: days by grade,
    counted from when it was first seen)."""
    day = rows.day_of(defect.first_seen)
    if day is None or defect.grade not in GRADES:
        return None
    mine = [rule for rule in in_force(rules, day, city) if rule.kind == "tunnel.repair"]
    chosen = max(mine, key=lambda rule: rule.city != "", default=None)
    return None if chosen is None else day + timedelta(days=int(chosen.params["days"][defect.grade - 1]))
