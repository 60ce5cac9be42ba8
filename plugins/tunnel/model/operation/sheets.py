"""Operation on paper: the work order to sign (工作票), and lists and statistics as a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule
from planner_app.i18n import tr
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.operation.figures import Book, figures, overdue
from plugins.tunnel.model.operation.forms import a_moment
from plugins.tunnel.model.operation.orders import judge_order
from plugins.tunnel.model.operation.records import GasTest, OrderStatus, WorkOrder
from plugins.tunnel.model.operation.words import (
    defect_status_word,
    defect_word,
    grade_word,
    late_word,
    order_kind_word,
    state_word,
    status_word,
)

if TYPE_CHECKING:
    from planner_app.report.paper import Block, Cell

_GASES = (("o2", "O₂ (%)"), ("ch4", "CH₄ (%LEL)"), ("h2s", "H₂S (mg/m³)"), ("co", "CO (mg/m³)"))


def local(text: str) -> str:
    """A moment as people at the desk read it: ``2024-10-30 09:40``."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (when.astimezone() if when.tzinfo else when).strftime("%Y-%m-%d %H:%M")


def place_text(tunnel: str, m: float | None, compartment: str = "") -> str:
    """``GL01 K0+123.40 综合``."""
    from plugins.tunnel.model.space.axis import station

    return " ".join(part for part in (tunnel, "" if m is None else station(m), compartment) if part)


def number_text(value: float | None) -> str:
    """A number as short as it is; a dash for none."""
    return "–" if value is None else f"{value:g}"


# ---------------------------------------------------------------- the work order


def print_order(project: Project, order: WorkOrder, rules: Sequence[Rule], path: Path) -> None:
    """Print a work order as .pdf, .docx or .html.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``.
    """
    from planner_app.report.paper import write_paper

    write_paper(order_paper(project, order, rules), path)


def order_paper(project: Project, order: WorkOrder, rules: Sequence[Rule]) -> Any:
    """The work order as a document: what, where, permit, gas tests with their limits, steps, close-out, signatures."""
    from planner_app.report.paper import Column, Facts, Heading, Paper, Signature, Signatures, Table, Text

    permit = order.permit
    facts = [
        (tr("Number"), order.number), (tr("Status"), status_word(order.status)),
        (tr("Kind"), order_kind_word(order.kind)), (tr("Where"), place_text(order.tunnel, order.m, order.compartment)),
        (tr("Subject"), order.subject), (tr("Responsible"), order.responsible), (tr("Due"), order.due),
        (tr("Opened"), f"{order.created_by} {local(order.created_at)}"),
    ]  # fmt: skip
    blocks: list[Block] = [Facts([(name, value) for name, value in facts if value])]
    blocks.append(Heading(tr("Permit to work")))
    if permit is None:
        blocks.append(Text(tr("No permit has been issued."), "note"))
    else:
        inside = tr("People go inside") if permit.entry else tr("Nobody goes inside")
        lines = [
            (tr("Valid"), f"{local(permit.valid_from)} – {local(permit.valid_to)}"), (tr("Going in"), inside),
            (tr("Working"), "、".join(permit.names)), (tr("Standing by"), permit.attendant),
            (tr("Issued by"), permit.issued_by),
            (tr("Accepted"), f"{permit.accepted} ({permit.accepted_by})" if permit.accepted else ""),
        ]  # fmt: skip
        blocks.append(Facts(lines))
        if permit.measures:
            columns = [Column(tr("No."), 8), Column(tr("Safety measure"), 72), Column(tr("Carried out"), 20)]
            blocks.append(Table(columns, [(str(at), text, "") for at, text in enumerate(permit.measures, 1)]))
    if permit is None or permit.entry:
        blocks += [Heading(tr("Gas tests before entry")), *_tests(order, rules)]
    blocks.append(Heading(tr("Steps"), str(len(order.steps))))
    columns = [Column(tr("No."), 8), Column(tr("Step"), 58), Column(tr("Done by"), 16), Column(tr("When"), 18)]
    steps = [(str(at), one.text, one.done_by, local(one.done_at)) for at, one in enumerate(order.steps, 1)]
    blocks.append(Table(columns, steps, tr("No steps are written down.")))
    blocks.append(Heading(tr("Close-out")))
    blocks.append(Text(order.result or tr("Not yet done."), "normal" if order.result else "note"))
    if order.photo:
        picture = _photo(project, order.photo)
        if picture:
            from planner_app.report.paper import Picture

            blocks.append(Picture(tr("After the work"), png=picture, width=0.5))
    roles = [
        (tr("Issued by"), permit.issued_by if permit else ""), (tr("Standing by"), permit.attendant if permit else ""),
        (tr("Working"), "、".join(permit.names) if permit else ""), (tr("Accepted by"), _closed_by(order)),
    ]  # fmt: skip
    boxes = [Signature(role, [(tr("Full name"), name), (tr("Date"), "")]) for role, name in roles]
    blocks.append(Signatures(boxes))
    return Paper(
        order.title, blocks, over=f"{project.name} · {tr('Work order')}",
        under=f"{order.number} · {status_word(order.status)}", foot=f"{order.number} {order.title}",
        author=order.created_by,
    )  # fmt: skip


def _tests(order: WorkOrder, rules: Sequence[Rule]) -> list[Any]:
    """The readings, and below them what each limit says of the newest at each place."""
    from planner_app.report.paper import Column, Table, Text

    columns = [
        Column(tr("When"), 20), Column(tr("Where"), 18), *(Column(head, 12, "right") for _, head in _GASES),
        Column(tr("Tested by"), 14),
    ]  # fmt: skip
    rows: list[list[str | Cell]] = [
        [local(one.time), one.place or "–", *(number_text(getattr(one, gas)) for gas, _ in _GASES), one.by]
        for one in order.gas_tests
    ]
    blanks = [["\u00a0"] * 7] * max(2 - len(rows), 0)  # to be filled in by hand on the spot
    parts: list[Any] = [Table(columns, [*rows, *blanks])]
    at = entry_moment(order)
    if at is not None:
        findings = judge_order(order, rules, at)
        head = [Column(tr("Limit"), 34), Column(tr("Where"), 16), Column(tr("Measured"), 14, "right"),
                Column(tr("Verdict"), 14), Column(tr("Clause"), 22)]  # fmt: skip
        parts.append(Table(head, [_judged(one) for one in findings]))
    else:
        parts.append(Text(limits_text(rules), "note"))
    return parts


def _judged(one: Finding) -> list[str | Cell]:
    from planner_app.i18n import language
    from planner_app.report.findings import verdict_word
    from planner_app.report.paper import Cell

    params = one.params or {}
    title = params["title_zh"] if language() == "zh_CN" else params["title"]
    limit = "" if one.limit is None else f" {one.limit:g} {one.unit}"
    verdict = Cell(verdict_word(one.verdict.value), tone=one.verdict.value)
    return [f"{title}{limit}", one.feature or "–", number_text(one.measured), verdict,
            f"{one.standard} {one.clause}".strip()]  # fmt: skip


def limits_text(rules: Sequence[Rule]) -> str:
    """The limits in one line: ``氧含量下限 19.5 % (GB/T 50493-2019 5.5.2); …``."""
    from planner_app.i18n import language
    from plugins.tunnel.model.operation.entry import LIMIT

    told = []
    for rule in rules:
        if rule.kind == LIMIT:
            title = rule.title_zh if language() == "zh_CN" else rule.title
            value = rule.params.get("low", rule.params.get("high"))
            told.append(f"{title} {value:g} {rule.unit} ({f'{rule.standard} {rule.clause}'.strip()})")
    return "; ".join(told)


def entry_moment(order: WorkOrder) -> datetime | None:
    """When work began (its gas tests are judged for then); the newest test before it began; None without either."""
    began = [one.time for one in order.life if one.status == OrderStatus.IN_PROGRESS.value]
    newest: GasTest | None = max(order.gas_tests, key=lambda one: one.time, default=None)
    text = began[0] if began else (newest.time if newest is not None else "")
    return a_moment(text) if text else None


def _closed_by(order: WorkOrder) -> str:
    return next((one.by for one in reversed(order.life) if one.status == OrderStatus.CLOSED.value), "")


def _photo(project: Project, sha256: str) -> bytes:
    """A photo as a PNG of bearable size; nothing where it cannot be read."""
    import io

    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(project.read_attachment(sha256)))
        picture.thumbnail((1600, 1600))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, PlannerError):
        return b""
    memory = io.BytesIO()
    picture.convert("RGB").save(memory, "PNG")
    return memory.getvalue()


# ---------------------------------------------------------------- the workbook


def write_workbook(book: Book, rules: Sequence[Rule], project: str, since: date, path: Path) -> None:
    """Lists and statistics from a day to the book's as .xlsx.

    Raises:
        PlannerError: ``report.not_written``.
    """
    from planner_app.report.workbook import Column, Kind, Sheet, Summary, write_xlsx

    told = figures(book, since, book.day)
    days = tr("days")
    lines: list[tuple[str, Any]] = [
        (tr("Statistics period"), f"{told.since} – {told.until}"),
        (tr("Rounds done / due"), f"{told.rounds_done} / {told.rounds_due}"),
        (tr("Walked (m)"), round(told.inspected_m, 1)), ("", tr("Open defects")),
        *((grade_word(grade), count) for grade, count in told.open_by_grade.items()),
        *((defect_word(code), count) for code, count in told.open_by_code.items()), *told.open_by_tunnel.items(),
        ("", tr("In the period")), (tr("Defects found"), told.found), (tr("Defects closed"), told.closed),
        (f"{tr('Mean time to close a defect')} ({days})", _rounded(told.days_to_close)),
        (tr("Work orders opened"), told.orders_opened), (tr("Work orders closed"), told.orders_closed),
        (f"{tr('Mean time to close a work order')} ({days})", _rounded(told.order_days)),
    ]  # fmt: skip

    def sheet(title: str, heads: Iterable[tuple[str, Kind]], rows: Iterable[Sequence[Any]]) -> Sheet:
        return Sheet(title, [Column(head, kind) for head, kind in heads], list(rows))

    names = {one.plan.id: one for one in book.standings}
    numbers = {one.id: one.number for one in book.defects}
    sheets = [
        sheet(
            tr("Overdue"),
            ((tr("Kind"), "text"), (tr("Number"), "text"), (tr("Title"), "wide"), (tr("Tunnel"), "text"),
             (tr("Chainage (m)"), "length"), (tr("Responsible"), "text"), (tr("Due"), "text"), (days, "count")),
            ((late_word(one.kind), one.number, one.title, one.tunnel, one.m, one.responsible, one.due.isoformat(),
              one.days) for one in overdue(book, rules)),
        ),
        sheet(
            tr("Inspection plans"),
            ((tr("Number"), "text"), (tr("Name"), "wide"), (tr("Tunnel"), "text"), (tr("From (m)"), "length"),
             (tr("To (m)"), "length"), (tr("Compartments"), "text"), (tr("Every (days)"), "count"),
             (tr("Responsible"), "text"), (tr("Status"), "text"), (tr("Due"), "text"), (tr("Last walked"), "text")),
            ((one.number, one.name, one.tunnel, one.from_m, one.to_m, "、".join(one.compartments), one.every_days,
              one.responsible, state_word(names[one.id].state) if one.id in names else tr("ended"),
              _date(names[one.id].due if one.id in names else None),
              _date(names[one.id].last if one.id in names else None)) for one in book.plans),
        ),
        sheet(
            tr("Rounds"),
            ((tr("Number"), "text"), (tr("Tunnel"), "text"), (tr("From (m)"), "length"), (tr("To (m)"), "length"),
             (tr("Walked by"), "text"), (tr("Begun"), "text"), (tr("Ended"), "text"), (tr("Seen"), "count"),
             (tr("Remark"), "wide")),
            ((one.number, one.tunnel, one.from_m, one.to_m, one.by, local(one.started), local(one.ended),
              book.seen_on[one.id], one.remark) for one in book.inspections),
        ),
        sheet(
            tr("Defects"),
            ((tr("Number"), "text"), (tr("Grade"), "count"), (tr("Kind"), "text"), (tr("Tunnel"), "text"),
             (tr("Chainage (m)"), "length"), (tr("Compartment"), "text"), (tr("Position"), "text"),
             (tr("Status"), "text"), (tr("First seen"), "text"), (tr("Last seen"), "text"),
             (tr("Examinations"), "count"), (tr("Description"), "wide")),
            ((one.number, one.grade, defect_word(one.code), one.tunnel, one.m, one.compartment, one.position,
              defect_status_word(one.status), local(one.first_seen), local(one.last_seen),
              book.times_seen[one.id], one.text) for one in book.defects),
        ),
        sheet(
            tr("Observations"),
            ((tr("When"), "text"), (tr("Tunnel"), "text"), (tr("Chainage (m)"), "length"),
             (tr("Compartment"), "text"), (tr("Position"), "text"), (tr("Kind"), "text"), (tr("Grade"), "count"),
             (tr("Defect"), "text"), (tr("Seen by"), "text"), (tr("Description"), "wide")),
            ((local(one.time), one.tunnel, one.m, one.compartment, one.position, defect_word(one.code),
              one.grade or None, numbers.get(one.defect_id, ""), one.by, one.text) for one in book.observations),
        ),
        sheet(
            tr("Work orders"),
            ((tr("Number"), "text"), (tr("Title"), "wide"), (tr("Kind"), "text"), (tr("Status"), "text"),
             (tr("Tunnel"), "text"), (tr("Chainage (m)"), "length"), (tr("Responsible"), "text"), (tr("Due"), "text"),
             (tr("Opened"), "text"), (tr("Result"), "wide")),
            ((one.number, one.title, order_kind_word(one.kind), status_word(one.status), one.tunnel, one.m,
              one.responsible, one.due, local(one.created_at), one.result) for one in book.orders),
        ),
    ]  # fmt: skip
    write_xlsx(Summary(project, tr("Operation of utility tunnels"), lines), sheets, path)


def _date(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
