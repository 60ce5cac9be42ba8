"""How plans, defects and work orders read: as cards in the page, as rows of the dock's table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from planner_app.domain.rule import Rule
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import CardText, Column
from plugins.tunnel.model.operation import rows
from plugins.tunnel.model.operation.defects import repair_by
from plugins.tunnel.model.operation.records import Defect, DefectStatus, Inspection, Observation, OrderStatus, WorkOrder
from plugins.tunnel.model.operation.schedule import RoundState, Standing
from plugins.tunnel.model.operation.sheets import local, place_text
from plugins.tunnel.model.operation.words import (
    defect_status_word,
    defect_word,
    grade_word,
    order_kind_word,
    state_word,
    status_word,
)
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.ui.rounds.map_link import TOKENS
from plugins.tunnel.ui.rounds.order_page import STATUS_TOKENS

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.figures import Book

#: Theme token of a grade: the pill says the grade in words.
GRADE_TOKENS = {1: "cannot_judge", 2: "needs_certificate", 3: "needs_certificate", 4: "fail"}
Colour = Callable[[str], str]


def plan_card(one: Standing, day: date, colour: Colour) -> CardText:
    """A plan: until when somebody must walk, what was walked of the open round."""
    plan = one.plan
    rooms = "、".join(plan.compartments) or tr("all compartments")
    last = tr("last walked {day}", day=f"{one.last:%m-%d}") if one.last else tr("never walked")
    lines = [
        f"{plan.tunnel} {station(plan.from_m)[:-3]}–{station(plan.to_m)[:-3]} · {rooms}",
        " · ".join(part for part in (tr("every {days} days", days=plan.every_days), plan.responsible, last) if part),
    ]
    share = one.now.covered if one.now is not None else 0.0
    if 0.0 < share < 1.0:
        lines.append(tr("{share} of the route walked", share=f"{share:.0%}"))
    segments = ((share, colour("accent")), (1.0 - share, colour("line"))) if 0.0 < share < 1.0 else ()
    return CardText(
        plan.id, f"{plan.number} {plan.name}", due_text(one, day), "\n".join(lines),
        (TOKENS[one.state.value], state_word(one.state)), segments,
    )  # fmt: skip


def due_text(one: Standing, day: date) -> str:
    """``3 days late``, ``today``, ``by 11-03``."""
    if one.due is None:
        return ""
    if one.state is RoundState.OVERDUE:
        return tr("{days} days late", days=(day - one.due).days)
    if one.due == day:
        return tr("today")
    return tr("by {day}", day=f"{one.due:%m-%d}")


def defect_card(one: Defect, book: Book, rules: Sequence[Rule]) -> CardText:
    """A defect: grade, place, how often it was seen, until when it should be repaired."""
    seen = tr("seen {count} times, last {day}", count=book.times_seen[one.id], day=local(one.last_seen)[5:10])
    due = repair_by(one, rules)
    late = due is not None and due < book.day and one.status is DefectStatus.OPEN
    repair = ""
    if due is not None and one.status is DefectStatus.OPEN:
        days = (book.day - due).days
        repair = tr("repair {days} days late", days=days) if late else tr("repair by {day}", day=f"{due:%m-%d}")
    elif one.status is DefectStatus.CLOSED:
        repair = tr("closed out {day} by {name}", day=local(one.closed_at)[5:10], name=one.closed_by)
    lines = [
        f"{place_text(one.tunnel, one.m, one.compartment)} {one.position}".strip(), one.text,
        " · ".join(part for part in (seen, repair) if part),
    ]  # fmt: skip
    token = "pass" if one.status is DefectStatus.CLOSED else GRADE_TOKENS[one.grade]
    word = defect_status_word(one.status) if one.status is DefectStatus.CLOSED else grade_word(one.grade)
    return CardText(
        one.id, f"{one.number} {defect_word(one.code)}", "", "\n".join(line for line in lines if line), (token, word)
    )  # fmt: skip


def seen_card(one: Observation) -> CardText:
    """An observation that nobody has called a defect yet."""
    lines = [
        f"{place_text(one.tunnel, one.m, one.compartment)} {one.position}".strip(), one.text,
        f"{local(one.time)} {one.by}",
    ]  # fmt: skip
    title = f"{defect_word(one.code)} {grade_word(one.grade)}" if one.grade else defect_word(one.code)
    return CardText(
        one.id, title, "", "\n".join(line for line in lines if line), ("needs_certificate", tr("to be decided"))
    )  # fmt: skip


def order_card(one: WorkOrder, day: date) -> CardText:
    """A work order: where it stands, until when, who."""
    due = rows.day_of(one.due) if one.due else None
    open_ = one.status not in (OrderStatus.DONE, OrderStatus.CLOSED)
    late = tr("{days} days late", days=(day - due).days) if due is not None and due < day and open_ else ""
    when = late or (tr("due {date}", date=one.due[5:]) if one.due and open_ else "")
    over = permit_over(one, day)
    lines = [
        " · ".join(part for part in (place_text(one.tunnel, one.m, one.compartment), one.subject) if part),
        " · ".join(part for part in (order_kind_word(one.kind), one.responsible, when) if part),
    ]  # fmt: skip
    if over:
        lines.append(tr("the permit ended {time}", time=local(one.permit.valid_to) if one.permit else ""))
    return CardText(
        one.id, f"{one.number} {one.title}", "", "\n".join(line for line in lines if line),
        ("fail" if late or over else STATUS_TOKENS[one.status], status_word(one.status)),
    )  # fmt: skip


def permit_over(one: WorkOrder, day: date) -> bool:
    """Work goes on under a permit that has ended."""
    end = rows.day_of(one.permit.valid_to) if one.permit is not None else None
    return one.status is OrderStatus.IN_PROGRESS and end is not None and end < day


def round_columns(book: Callable[[], Book | None]) -> list[Column[Inspection]]:
    """Rounds carried out."""

    def plan_of(one: Inspection) -> str:
        found = book()
        every = found.plans if found is not None else []
        return next((f"{plan.number} {plan.name}" for plan in every if plan.id == one.plan_id), "–")

    def seen(one: Inspection) -> int:
        found = book()
        return found.seen_on[one.id] if found is not None else 0

    return [
        Column(tr("Number"), lambda one: one.number),
        Column(tr("Inspection plan"), plan_of, width=220),
        Column(tr("Tunnel"), lambda one: one.tunnel),
        *_metres(("from_m", tr("From (m)")), ("to_m", tr("To (m)"))),
        Column(tr("Compartments"), lambda one: "、".join(one.compartments) or tr("all compartments")),
        Column(tr("Walked by"), lambda one: one.by),
        Column(tr("Begun"), lambda one: local(one.started)),
        Column(tr("Ended"), lambda one: local(one.ended)),
        Column(tr("Seen"), lambda one: f"{seen(one):,}", lambda one: float(seen(one)), right=True),
        Column(tr("Remark"), lambda one: one.remark, width=260),
    ]


def defect_columns() -> list[Column[Defect]]:
    """Defects."""
    return [
        Column(tr("Number"), lambda one: one.number),
        Column(tr("Grade"), lambda one: grade_word(one.grade), lambda one: float(one.grade),
               pill=lambda one: GRADE_TOKENS[one.grade]),
        Column(tr("Kind"), lambda one: defect_word(one.code)),
        Column(tr("Tunnel"), lambda one: one.tunnel),
        *_metres(("m", tr("Chainage (m)"))),
        Column(tr("Compartment"), lambda one: one.compartment),
        Column(tr("Position"), lambda one: one.position),
        Column(tr("Status"), lambda one: defect_status_word(one.status)),
        Column(tr("First seen"), lambda one: local(one.first_seen)),
        Column(tr("Last seen"), lambda one: local(one.last_seen)),
        Column(tr("Description"), lambda one: one.text, width=320),
    ]  # fmt: skip


def order_columns() -> list[Column[WorkOrder]]:
    """Work orders."""
    return [
        Column(tr("Number"), lambda one: one.number),
        Column(tr("Title"), lambda one: one.title, width=260),
        Column(tr("Kind"), lambda one: order_kind_word(one.kind)),
        Column(tr("Status"), lambda one: status_word(one.status),
               lambda one: float(list(OrderStatus).index(one.status)), pill=lambda one: STATUS_TOKENS[one.status]),
        Column(tr("Tunnel"), lambda one: one.tunnel),
        *_metres(("m", tr("Chainage (m)"))),
        Column(tr("Responsible"), lambda one: one.responsible),
        Column(tr("Due"), lambda one: one.due),
        Column(tr("Opened"), lambda one: local(one.created_at)),
        Column(tr("Result"), lambda one: one.result, width=260),
    ]  # fmt: skip


def _metres(*columns: tuple[str, str]) -> list[Column[Any]]:
    def column(name: str, title: str) -> Column[Any]:
        def value(one: Any) -> float | None:
            found: float | None = getattr(one, name)
            return found

        def sort(one: Any) -> float:
            found = value(one)
            return float("-inf") if found is None else found

        def text(one: Any) -> str:
            found = value(one)
            return "–" if found is None else f"{found:,.1f}"

        return Column(title, text, sort, right=True)

    return [column(name, title) for name, title in columns]
