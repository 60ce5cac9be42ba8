"""Opening a work order, its permit, a gas test, its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QRegularExpression
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QCheckBox, QDateEdit, QLineEdit, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, combo, label, px
from plugins.tunnel.model.operation import orders
from plugins.tunnel.model.operation.orders import AddGasTest, OpenOrder, SetOrder, check_permit, check_test, new_order
from plugins.tunnel.model.operation.records import ORDER_KINDS, GasTest, OrderStatus, Permit, WorkOrder
from plugins.tunnel.model.operation.sheets import limits_text, place_text
from plugins.tunnel.model.operation.words import order_kind_word
from plugins.tunnel.ui.rounds.desk import ORDER, OperationDesk
from plugins.tunnel.ui.rounds.fields import (
    MomentEdit,
    OperationDialog,
    PhotoField,
    PlaceField,
    beside,
    fill,
    lines_edit,
    lines_of,
)

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Command


def _measures() -> tuple[str, ...]:
    """What every entry needs; people change it for theirs."""
    return (
        tr("Ventilate for 30 min before work"), tr("Barriers and warning signs"), tr("Portable four-gas detector"),
        tr("An attendant stays outside throughout"),
    )  # fmt: skip


class NewOrderDialog(OperationDialog):
    """A new work order, filled in by whoever asks for it."""

    def __init__(
        self, desk: OperationDesk, parent: QWidget | None, *, title: str = "", kind: str = "", subject: str = "",
        steps: Sequence[str] = (), tunnel: str = "", m: float | None = None, compartment: str = "", source: str = "",
    ) -> None:  # fmt: skip
        super().__init__(desk, tr("New work order"), tr("Open work order"), parent, 480)
        self._source = source
        self.order_id = ""
        kind = kind if kind in ORDER_KINDS else next((one for one in ORDER_KINDS if source.startswith(one)), "other")
        self.title, self.subject = QLineEdit(title), QLineEdit(subject)
        self.title.setPlaceholderText(tr("What is to be done"))
        self.kind = combo()
        fill(self.kind, [(order_kind_word(one), one) for one in ORDER_KINDS], kind)
        self.steps = lines_edit(tr("One line for each step, in order"), 5)
        self.steps.setPlainText("\n".join(steps))
        self.who, self.by = QLineEdit(), QLineEdit(desk.name())
        self.due = QDateEdit()
        self.due.setCalendarPopup(True)
        self.due.setDisplayFormat("yyyy-MM-dd")
        day = (desk.shown.book.day if desk.shown is not None else date.today()) + timedelta(days=7)
        self.due.setDate(QDate(day.year, day.month, day.day))
        form = Form()
        form.add(tr("Title"), self.title)
        form.add(tr("Kind"), self.kind)
        form.add(tr("Subject"), self.subject)
        self.place = PlaceField(desk, form, tunnel=tunnel, m=m, compartment=compartment, optional=True)
        form.add(tr("Steps"), self.steps, tall=True)
        form.add(tr("Responsible"), self.who)
        form.add(tr("Due"), self.due)
        form.add(tr("Opened by"), self.by)
        self.body.addWidget(form)

    def apply(self) -> None:
        made: list[WorkOrder] = []

        def opened() -> Command:
            order = new_order(
                self.desk.project(), self.title.text(), by=self.by.text(), kind=str(self.kind.currentData()),
                subject=self.subject.text(), steps=lines_of(self.steps), tunnel=self.place.code(),
                m=self.place.value() if self.place.code() else None, compartment=self.place.room(),
                source=self._source, responsible=self.who.text(), due=self.due.date().toString("yyyy-MM-dd"),
            )  # fmt: skip
            made.append(order)
            return OpenOrder(order)

        if self.do(opened):
            self.desk.name(self.by.text())
            self.desk.choose(ORDER, made[-1].id)


class PermitDialog(OperationDialog):
    """The permit of an order: who, when, which measures; an open order becomes permitted by it."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, order: WorkOrder) -> None:
        super().__init__(desk, tr("Permit for {number}", number=order.number), tr("Issue permit"), parent, 480)
        self._order = order
        permit = order.permit or Permit(measures=_measures())
        self.entry = QCheckBox(tr("People go inside: a gas test is needed before"))
        self.entry.setChecked(permit.entry)
        self.start, self.end = MomentEdit(permit.valid_from or desk.now()), MomentEdit(permit.valid_to or desk.now())
        if not permit.valid_to:
            self.end.setDateTime(self.start.dateTime().addSecs(8 * 3600))
        self.names = QLineEdit("、".join(permit.names))
        self.names.setPlaceholderText(tr("Names, parted by commas"))
        self.attendant, self.issuer = QLineEdit(permit.attendant), QLineEdit(permit.issued_by or desk.name())
        self.measures = lines_edit(tr("One line for each measure"), 5)
        self.measures.setPlainText("\n".join(permit.measures))
        self.reason = QLineEdit(permit.accepted)
        self.reason.setPlaceholderText(tr("Only where a limit that warns is not kept"))
        form = Form()
        form.add("", self.entry)
        form.add(tr("From time"), self.start)
        form.add(tr("To time"), self.end)
        form.add(tr("Working"), self.names)
        form.add(tr("Standing by"), self.attendant)
        form.add(tr("Measures"), self.measures, tall=True)
        form.add(tr("Accepted because"), self.reason)
        form.add(tr("Issued by"), self.issuer)
        self.body.addWidget(label(_about(order), "secondary", wrap=True))
        self.body.addWidget(form)

    def permit(self) -> Permit:
        """The permit as filled in."""
        names = self.names.text().replace("，", "、").replace(",", "、").split("、")
        issuer, accepted = self.issuer.text(), self.reason.text().strip()
        return Permit(
            self.entry.isChecked(), self.start.text_value(), self.end.text_value(), issuer, tuple(names),
            self.attendant.text(), lines_of(self.measures), accepted, issuer if accepted else "",
        )  # fmt: skip

    def apply(self) -> None:
        order = self._order

        def made() -> Command:
            permit = check_permit(self.permit())
            if order.status is not OrderStatus.OPEN:
                return SetOrder(order.id, {"permit": permit}, order.number)
            step = orders.advance(replace(order, permit=permit), OrderStatus.PERMITTED, by=permit.issued_by)
            return replace(step, values={**step.values, "permit": permit})

        if self.do(made):
            self.desk.name(self.issuer.text())


class GasDialog(OperationDialog):
    """One gas test."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, order: WorkOrder) -> None:
        super().__init__(desk, tr("Gas test for {number}", number=order.number), tr("Keep test"), parent, 420)
        self._order = order
        self.readings = {gas: _number() for gas in ("o2", "ch4", "h2s", "co")}
        self.place = QLineEdit(place_text("", order.m, order.compartment))
        self.when, self.by = MomentEdit(desk.now()), QLineEdit(order.permit.attendant if order.permit else desk.name())
        self.instrument = QLineEdit(order.gas_tests[-1].instrument if order.gas_tests else "")
        form = Form()
        for gas, caption, unit in (
            ("o2", "O₂", "%"), ("ch4", "CH₄", "%LEL"), ("h2s", "H₂S", "mg/m³"), ("co", "CO", "mg/m³"),
        ):  # fmt: skip
            told = label(unit, "secondary")
            told.setFixedWidth(px(48))
            form.add(caption, beside(self.readings[gas], told))
        form.add(tr("Where"), self.place)
        form.add(tr("When"), self.when)
        form.add(tr("Tested by"), self.by)
        form.add(tr("Instrument"), self.instrument)
        self.body.addWidget(form)
        self.body.addWidget(label(limits_text(desk.rules()).replace("; ", "\n"), "small", wrap=True))
        self.readings["o2"].setFocus()

    def apply(self) -> None:
        def made() -> Command:
            values = {gas: float(edit.text()) if edit.text().strip() else None for gas, edit in self.readings.items()}
            test = GasTest(
                self.when.text_value(), self.place.text().strip(), **values, by=self.by.text(),
                instrument=self.instrument.text().strip(),
            )  # fmt: skip
            return AddGasTest(self._order.id, check_test(test), self._order.number)

        self.do(made)


class ResultDialog(OperationDialog):
    """The work is done: what came of it."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, order: WorkOrder) -> None:
        super().__init__(desk, tr("Report {number} done", number=order.number), tr("Report done"), parent)
        self._order = order
        self.outcome = lines_edit(tr("What was done"), 3)
        self.outcome.setPlainText(order.result)
        self.photo = PhotoField(desk)
        self.by, self.when = QLineEdit(order.responsible or desk.name()), MomentEdit(desk.now())
        form = Form()
        form.add(tr("Result"), self.outcome, tall=True)
        form.add(tr("Photo"), self.photo)
        form.add(tr("Done by"), self.by)
        form.add(tr("When"), self.when)
        self.body.addWidget(form)

    def apply(self) -> None:
        self.do(
            lambda: orders.advance(
                self._order, OrderStatus.DONE, by=self.by.text(), at=self.when.text_value(),
                result=self.outcome.toPlainText(), photo=self.desk.attach(self.photo.path),
            )
        )  # fmt: skip


class StepDialog(OperationDialog):
    """A step of an order's life that needs a name and a moment: work begins, is accepted, goes back."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, order: WorkOrder, to: OrderStatus) -> None:
        title = f"{order.number} {step_text(order, to)}"
        super().__init__(desk, title, step_text(order, to), parent, 400)
        self._order, self._to = order, to
        self.by, self.when, self.remark = QLineEdit(desk.name()), MomentEdit(desk.now()), QLineEdit()
        if to is OrderStatus.IN_PROGRESS and order.permit is not None and order.permit.names:
            self.by.setText(order.permit.names[0])
        form = Form()
        form.add(tr("Full name"), self.by)
        form.add(tr("When"), self.when)
        form.add(tr("Remark"), self.remark)
        self.body.addWidget(label(_about(order), "secondary", wrap=True))
        self.body.addWidget(form)

    def apply(self) -> None:
        if self.do(
            lambda: orders.advance(
                self._order, self._to, by=self.by.text(), at=self.when.text_value(), rules=self.desk.rules(),
                remark=self.remark.text(),
            )
        ):  # fmt: skip
            self.desk.name(self.by.text())


def step_text(order: WorkOrder, to: OrderStatus) -> str:
    """What a step is called on its button."""
    if to is OrderStatus.IN_PROGRESS:
        return tr("Not accepted") if order.status is OrderStatus.DONE else tr("Begin work")
    return {
        OrderStatus.PERMITTED: tr("Issue permit"), OrderStatus.OPEN: tr("Withdraw permit"),
        OrderStatus.DONE: tr("Report done"), OrderStatus.CLOSED: tr("Accept and close"),
    }[to]  # fmt: skip


def _about(order: WorkOrder) -> str:
    place = place_text(order.tunnel, order.m, order.compartment)
    return " · ".join(text for text in (order.title, place) if text)


def _number() -> QLineEdit:
    edit = QLineEdit()
    edit.setValidator(QRegularExpressionValidator(QRegularExpression(r"\d{0,6}(\.\d{0,3})?"), edit))
    return edit
