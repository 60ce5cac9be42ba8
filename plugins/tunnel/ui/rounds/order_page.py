"""A work order as a page: where it stands, permit, gas tests judged by clause, steps, result, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.progress import Progress
from planner_app.i18n import language, tr
from planner_app.plugin_api.widgets import button, label, pill, px
from planner_app.report.findings import finding_message, verdict_word
from plugins.tunnel.model.operation import rows
from plugins.tunnel.model.operation.orders import WAYS, SetOrder, judge_order
from plugins.tunnel.model.operation.records import OrderStatus, Step, WorkOrder
from plugins.tunnel.model.operation.sheets import entry_moment, local, number_text, place_text, print_order
from plugins.tunnel.model.operation.words import order_kind_word, status_word
from plugins.tunnel.ui.rounds.desk import OperationDesk
from plugins.tunnel.ui.rounds.fields import OperationDialog
from plugins.tunnel.ui.rounds.history import Thumbnail, enlarge
from plugins.tunnel.ui.rounds.order_dialogs import GasDialog, PermitDialog, ResultDialog, StepDialog, step_text

#: Theme tokens of a status: of its pill, and of its share of the bar.
STATUS_TOKENS = {
    OrderStatus.OPEN: "cannot_judge", OrderStatus.PERMITTED: "needs_certificate",
    OrderStatus.IN_PROGRESS: "needs_certificate",
    OrderStatus.DONE: "cannot_judge", OrderStatus.CLOSED: "pass",
}  # fmt: skip
BAR_TOKENS = {
    OrderStatus.OPEN: "tertiary", OrderStatus.PERMITTED: "needs_certificate", OrderStatus.IN_PROGRESS: "accent",
    OrderStatus.DONE: "secondary", OrderStatus.CLOSED: "pass",
}  # fmt: skip


class FlowBar(QWidget):
    """The five statuses in a line; those behind are filled, the one it stands at is outlined."""

    def __init__(self, desk: OperationDesk) -> None:
        super().__init__()
        self._desk, self.order = desk, WorkOrder("")
        self.setFixedHeight(px(44))
        desk.context.theme_changed.connect(self.update)

    def show_order(self, order: WorkOrder) -> None:
        """Show where an order stands."""
        self.order = order
        passed = {one.status: f"{one.by} {local(one.time)}" for one in order.life}
        told = [f"{status_word(one)}: {passed[one.value]}" for one in OrderStatus if one.value in passed]
        self.setToolTip("\n".join(told))
        self.setAccessibleName(status_word(order.status))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(460), px(44))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(px(12))
        colour = self._desk.context.colour
        every = list(OrderStatus)
        reached = every.index(self.order.status)
        width = self.width() / len(every)
        for at, status in enumerate(every):
            x, y, radius = width * (at + 0.5), px(12), px(6)
            if at:
                painter.setPen(QPen(QColor(colour("accent" if at <= reached else "line")), 2))
                painter.drawLine(int(x - width + radius + 3), y, int(x - radius - 3), y)
            painter.setPen(QPen(QColor(colour("accent" if at <= reached else "tertiary")), 2))
            behind = at < reached or self.order.status is OrderStatus.CLOSED
            painter.setBrush(QColor(colour("accent" if behind else "panel")))
            painter.drawEllipse(QRectF(x - radius, y - radius, radius * 2, radius * 2))
            font.setBold(at == reached)
            painter.setFont(font)
            painter.setPen(QColor(colour("ink" if at == reached else "secondary")))
            box = QRectF(x - width / 2, px(22), width, px(20))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, status_word(status))


class OrderPage(OperationDialog):
    """One work order; it follows what is written while it is open."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, order_id: str) -> None:
        super().__init__(desk, tr("Work order"), "", parent, 560)
        self._id = order_id
        self.order: WorkOrder | None = None
        self.findings: list[Finding] = []
        self.head, self.facts = label("", "title", wrap=True), label("", "secondary", wrap=True)
        self.flow = FlowBar(desk)
        self._parts = QVBoxLayout()
        self._parts.setSpacing(6)
        self._parts.setContentsMargins(0, 0, 6, 0)
        self._inner = QWidget()
        self._inner.setLayout(self._parts)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._inner)
        for part in (self.head, self.facts, self.flow):
            self.body.addWidget(part)
        self.body.addWidget(scroll, 1)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(8)
        self.body.addLayout(self.foot)
        self.knobs: dict[str, QPushButton] = {}
        desk.changed.connect(self.refresh)
        self.resize(px(600), px(680))
        self.refresh()

    def refresh(self) -> None:
        """Show the order as it is now."""
        book = self.desk.shown.book if self.desk.shown is not None else None
        order = next((one for one in book.orders if one.id == self._id), None) if book is not None else None
        if order is None:
            return
        self.order = order
        self.setWindowTitle(f"{order.number} {order.title}")
        self.head.setText(f"{order.number} {order.title}")
        lines = [
            " · ".join(part for part in (order_kind_word(order.kind), order.subject,
                                         place_text(order.tunnel, order.m, order.compartment)) if part),
            " · ".join(part for part in (
                tr("responsible: {name}", name=order.responsible) if order.responsible else "",
                tr("due {date}", date=order.due) if order.due else "",
                tr("opened by {name}, {time}", name=order.created_by, time=local(order.created_at)),
            ) if part),
        ]  # fmt: skip
        self.facts.setText("\n".join(lines))
        self.flow.show_order(order)
        fresh = QWidget()
        fresh_layout = QVBoxLayout(fresh)
        fresh_layout.setContentsMargins(0, 0, 0, 0)
        fresh_layout.setSpacing(6)
        for part in (*self._permit(order), *self._gas(order), *self._steps(order), *self._result(order)):
            fresh_layout.addWidget(part)
        fresh_layout.addStretch(1)
        while (item := self._parts.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._parts.addWidget(fresh)
        self._show_actions(order)

    # parts

    def _permit(self, order: WorkOrder) -> list[QWidget]:
        parts: list[QWidget] = [label(tr("Permit to work"), "heading")]
        permit = order.permit
        if permit is None:
            return [*parts, label(tr("No permit has been issued."), "secondary", wrap=True)]
        inside = tr("People go inside") if permit.entry else tr("Nobody goes inside")
        told = [
            f"{local(permit.valid_from)} – {local(permit.valid_to)} · {inside}",
            tr("working: {names}", names="、".join(permit.names)),
            tr("standing by: {name}", name=permit.attendant) if permit.attendant else "",
            tr("issued by {name}", name=permit.issued_by),
            tr("accepted by {name}: {reason}", name=permit.accepted_by, reason=permit.accepted)
            if permit.accepted else "",
        ]  # fmt: skip
        parts.append(label("\n".join(text for text in told if text), wrap=True))
        if permit.measures:
            parts.append(label("\n".join(f"· {text}" for text in permit.measures), "small", wrap=True))
        return parts

    def _gas(self, order: WorkOrder) -> list[QWidget]:
        if order.permit is not None and not order.permit.entry:
            self.findings = []
            return []
        parts: list[QWidget] = [label(tr("Gas tests before entry"), "heading")]
        if not order.gas_tests:
            self.findings = []
            return [*parts, label(tr("Nobody has tested yet: nobody may go in."), "warning", wrap=True)]
        grid_holder = QWidget()
        grid = QGridLayout(grid_holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        heads = (tr("When"), tr("Where"), "O₂ %", "CH₄ %LEL", "H₂S mg/m³", "CO mg/m³", tr("Tested by"))
        right = Qt.AlignmentFlag.AlignRight
        for column, head in enumerate(heads):
            grid.addWidget(label(head, "tertiary"), 0, column, right if 1 < column < 6 else Qt.AlignmentFlag.AlignLeft)
        for row, test in enumerate(order.gas_tests, 1):
            values = [local(test.time)[5:], test.place or "–", *(number_text(getattr(test, gas)) for gas in
                      ("o2", "ch4", "h2s", "co")), test.by]  # fmt: skip
            for column, text in enumerate(values):
                side = right if 1 < column < 6 else Qt.AlignmentFlag.AlignLeft
                grid.addWidget(label(text, wrap=column == 1), row, column, side)
        grid.setColumnStretch(1, 1)
        parts.append(grid_holder)
        running = order.status in (OrderStatus.OPEN, OrderStatus.PERMITTED)
        at = datetime.fromisoformat(self.desk.now()) if running else entry_moment(order)
        self.findings = judge_order(order, self.desk.rules(), at) if at is not None else []
        worst = [one for one in self.findings if one.verdict is not Verdict.PASS]
        shown = worst or self.findings[:1]
        for one in shown:
            parts.append(self._finding(one, alone=not worst))
        return parts

    def _finding(self, one: Finding, *, alone: bool) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(pill(one.verdict.value, verdict_word(one.verdict.value)), 0, Qt.AlignmentFlag.AlignTop)
        text = tr("All {count} limits are kept.", count=len(self.findings)) if alone else finding_message(one)
        line.addWidget(label(text, "small", wrap=True), 1)
        return holder

    def _steps(self, order: WorkOrder) -> list[QWidget]:
        parts: list[QWidget] = [label(tr("Steps"), "heading")]
        if not order.steps:
            return [*parts, label(tr("No steps are written down."), "secondary")]
        for at, step in enumerate(order.steps):
            done = f"  {step.done_by} {local(step.done_at)}" if step.done_at else ""
            box = QCheckBox(f"{at + 1}. {step.text}{done}")
            box.setChecked(bool(step.done_at))
            box.setEnabled(order.status is OrderStatus.IN_PROGRESS)
            box.clicked.connect(lambda checked, at=at: self._tick(at, checked))
            parts.append(box)
        return parts

    def _tick(self, at: int, checked: bool) -> None:
        order = self.order
        if order is None:
            return
        steps = list(order.steps)
        who = order.responsible or self.desk.name()
        steps[at] = replace(steps[at], done_by=who, done_at=rows.now()) if checked else Step(steps[at].text)
        if not self.do(lambda: SetOrder(order.id, {"steps": tuple(steps)}, order.number), close=False):
            self.refresh()

    def _result(self, order: WorkOrder) -> list[QWidget]:
        if not order.result and not order.photo:
            return []
        parts: list[QWidget] = [label(tr("Close-out"), "heading"), label(order.result, wrap=True)]
        if order.photo:
            picture = QPixmap()
            try:
                picture.loadFromData(self.desk.photo(order.photo))
            except PlannerError as error:
                self.say(error)
            if not picture.isNull():
                parts.append(Thumbnail(picture, partial(enlarge, self)))
        return parts

    # what can be done

    def _show_actions(self, order: WorkOrder) -> None:
        while (item := self.foot.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.knobs = {}
        for place, to in enumerate(WAYS[order.status]):
            self._knob(to.value, step_text(order, to), partial(self._step, to), "" if place else "primary")
        if order.status is not OrderStatus.CLOSED:
            if order.status is not OrderStatus.OPEN:
                self._knob("permit", tr("Permit…"), lambda: self._open(PermitDialog))
            if order.permit is None or order.permit.entry:
                self._knob("gas", tr("Gas test…"), lambda: self._open(GasDialog))
        self.foot.addStretch(1)
        if self.desk.prints:
            self._knob("print", tr("Print…"), self.print)

    def _knob(self, key: str, text: str, run: Callable[[], None], look: str = "") -> None:
        knob = button(text, run, look)
        knob.setAutoDefault(False)
        self.knobs[key] = knob
        self.foot.addWidget(knob)

    def _open(self, kind: type[PermitDialog] | type[GasDialog]) -> None:
        if self.order is not None:
            kind(self.desk, self, self.order).show()

    def _step(self, to: OrderStatus) -> None:
        order = self.order
        if order is None:
            return
        if to is OrderStatus.PERMITTED:
            PermitDialog(self.desk, self, order).show()
        elif to is OrderStatus.DONE:
            ResultDialog(self.desk, self, order).show()
        else:
            StepDialog(self.desk, self, order, to).show()

    def print(self) -> None:
        """Write the work order as PDF or DOCX."""
        order, context = self.order, self.desk.context
        if order is None:
            return
        name = f"{'工作票' if language() == 'zh_CN' else 'Work order'} {order.number}.pdf"
        path = context.ask_save(tr("Print work order"), name, "PDF (*.pdf);;Word (*.docx)")
        if path is None:
            return
        project, rules = self.desk.project(), self.desk.rules()

        def work(progress: Progress) -> None:
            print_order(project, order, rules, path)

        def done(_: None) -> None:
            self.notice.say(tr("Written: {file}", file=path.name), level="success")

        self.run(tr("Printing {number}", number=order.number), work, done)
