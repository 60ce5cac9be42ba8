"""The overdue list and the statistics of operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.operation import rows, tables
from plugins.tunnel.model.operation.defects import repair_by
from plugins.tunnel.model.operation.records import (
    Conflict,
    Defect,
    DefectStatus,
    Examination,
    Inspection,
    Observation,
    OrderStatus,
    Plan,
    WorkOrder,
)
from plugins.tunnel.model.operation.rounds import today
from plugins.tunnel.model.operation.schedule import RoundState, Standing, rounds, standing


@dataclass(frozen=True)
class Book:
    """Everything operation keeps, read once."""

    day: date
    plans: list[Plan]
    inspections: list[Inspection]
    observations: list[Observation]
    defects: list[Defect]
    examinations: list[Examination]
    orders: list[WorkOrder]
    conflicts: list[Conflict]

    @cached_property
    def standings(self) -> list[Standing]:
        """Every plan that goes on, on the book's day; overdue ones first, then by the day they are due."""
        walked: dict[str, list[Inspection]] = {}
        for one in self.inspections:
            walked.setdefault(one.plan_id, []).append(one)
        found = [standing(plan, walked.get(plan.id, []), self.day) for plan in self.plans if not self.ended(plan)]
        order = (RoundState.OVERDUE, RoundState.DUE, RoundState.DONE, RoundState.COMING, RoundState.MISSED)
        return sorted(found, key=lambda one: (order.index(one.state), one.due or date.max))

    @cached_property
    def seen_on(self) -> Counter[str]:
        """How much was seen on each round, by its id."""
        return Counter(one.inspection_id for one in self.observations)

    @cached_property
    def times_seen(self) -> Counter[str]:
        """How often each defect was seen, by its id."""
        return Counter(one.defect_id for one in self.examinations if one.event != "repaired")

    def ended(self, plan: Plan) -> bool:
        """True for a plan whose last day is past."""
        end = rows.day_of(plan.ended) if plan.ended else None
        return end is not None and end < self.day

    def open_defects(self) -> list[Defect]:
        """Open defects, the worst and oldest first."""
        its = [one for one in self.defects if one.status is DefectStatus.OPEN]
        return sorted(its, key=lambda one: (-one.grade, one.first_seen))

    def open_orders(self) -> list[WorkOrder]:
        """Orders that are not closed, in the order they were opened."""
        return [one for one in self.orders if one.status is not OrderStatus.CLOSED]


def read_book(project: Project, on: date | None = None) -> Book:
    """What the project keeps of operation; empty lists where there is nothing yet."""
    return Book(
        on or today(project), rows.read(project, tables.PLANS), rows.read(project, tables.INSPECTIONS),
        rows.read(project, tables.OBSERVATIONS), rows.read(project, tables.DEFECTS),
        rows.read(project, tables.EXAMINATIONS), rows.read(project, tables.ORDERS),
        [one for one in rows.read(project, tables.CONFLICTS) if not one.decided],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something late. ``kind``: round | defect | order | permit; ``days`` late."""

    kind: str
    id: str
    number: str
    title: str
    tunnel: str
    m: float | None
    responsible: str
    due: date
    days: int


def overdue(book: Book, rules: Sequence[Rule], city: str = "") -> list[Overdue]:
    """Everything late on the book's day, the latest first."""
    found: list[Overdue] = []

    def late(
        kind: str, one: Plan | Defect | WorkOrder, title: str, m: float | None, who: str, due: date | None
    ) -> None:
        if due is not None and due < book.day:
            days = (book.day - due).days
            found.append(Overdue(kind, one.id, one.number, title, one.tunnel, m, who, due, days))

    for one in book.standings:
        if one.late is not None:
            late("round", one.plan, one.plan.name, one.plan.from_m, one.plan.responsible, one.late.due)
    for defect in book.open_defects():
        late("defect", defect, defect.text or defect.code, defect.m, "", repair_by(defect, rules, city))
    for order in book.open_orders():
        if order.due and order.status is not OrderStatus.DONE:
            late("order", order, order.title, order.m, order.responsible, rows.day_of(order.due))
        if order.status is OrderStatus.IN_PROGRESS and order.permit is not None:
            late("permit", order, order.title, order.m, order.permit.issued_by, rows.day_of(order.permit.valid_to))
    return sorted(found, key=lambda one: (-one.days, one.kind, one.number))


@dataclass(frozen=True)
class Figures:
    """Statistics of a period, both days included.

    Attributes:
        rounds_due, rounds_done: rounds whose last day lies in the period (of the one that is still open: only if it is
            done).
        open_by_grade, open_by_code, open_by_tunnel: defects open on the book's day.
        found, closed: defects first seen and closed in the period; ``days_to_close``: of the latter, on average.
        orders_opened, orders_closed, order_days: work orders likewise.
    """

    since: date
    until: date
    rounds_due: int
    rounds_done: int
    rounds_by_tunnel: dict[str, tuple[int, int]]
    inspected_m: float
    open_by_grade: dict[int, int]
    open_by_code: dict[str, int]
    open_by_tunnel: dict[str, int]
    found: int
    closed: int
    days_to_close: float | None
    orders_opened: int
    orders_closed: int
    order_days: float | None


def figures(book: Book, since: date, until: date) -> Figures:
    """Statistics of a period up to the book's day."""
    due: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for plan in book.plans:
        for one in rounds(plan, book.inspections, min(until, book.day), since):
            if since <= one.due <= until and (one.state is RoundState.DONE or one.due < book.day):
                due[plan.tunnel] += 1
                done[plan.tunnel] += one.state is RoundState.DONE

    def within(text: str) -> bool:
        day = rows.day_of(text)
        return day is not None and since <= day <= until

    opened = book.open_defects()
    closed = [one for one in book.defects if one.status is DefectStatus.CLOSED and within(one.closed_at)]
    ended = [(one, last) for one in book.orders if (last := _closed_at(one)) and within(last)]
    return Figures(
        since, until, due.total(), done.total(), {code: (done[code], due[code]) for code in sorted(due)},
        sum(abs(one.to_m - one.from_m) for one in book.inspections if within(one.started)),
        {grade: sum(one.grade == grade for one in opened) for grade in (4, 3, 2, 1)},
        dict(Counter(one.code for one in opened).most_common()),
        dict(sorted(Counter(one.tunnel for one in opened).items())),
        sum(within(one.first_seen) for one in book.defects), len(closed),
        _mean([_days(one.first_seen, one.closed_at) for one in closed]),
        sum(within(one.created_at) for one in book.orders), len(ended),
        _mean([_days(one.created_at, last) for one, last in ended]),
    )  # fmt: skip


def _closed_at(order: WorkOrder) -> str:
    if order.status is not OrderStatus.CLOSED:
        return ""
    return next((one.time for one in reversed(order.life) if one.status == OrderStatus.CLOSED.value), "")


def _days(start: str, end: str) -> float:
    a, b = (datetime.fromisoformat(text).astimezone(UTC) for text in (start, end))
    return (b - a).total_seconds() / 86_400


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
