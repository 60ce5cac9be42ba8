"""Field packages: hand rounds and work orders out, write into one offline, decide conflicts."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress
from planner_app.i18n import language, tr
from planner_app.plugin_api.widgets import Form, button, combo, label, px
from plugins.tunnel.model.field_names import alias_of
from plugins.tunnel.model.operation import forms, tables
from plugins.tunnel.model.operation.field_making import field_observation, field_round, make_package
from plugins.tunnel.model.operation.field_merge import GONE, decide
from plugins.tunnel.model.operation.field_orders import package_orders
from plugins.tunnel.model.operation.field_package import Package, write_package
from plugins.tunnel.model.operation.records import Conflict, Observation, OrderStatus
from plugins.tunnel.model.operation.schedule import RoundState
from plugins.tunnel.model.operation.sheets import place_text
from plugins.tunnel.model.operation.words import defect_word, grade_word, state_word, status_word
from plugins.tunnel.ui.rounds.desk import OperationDesk
from plugins.tunnel.ui.rounds.fields import CodeBox, GradeBox, OperationDialog, PhotoField, beside, fill, lines_edit
from plugins.tunnel.ui.rounds.package_desk import PackageDesk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PATTERN = "(*.fieldpkg)"


class HandOutDialog(OperationDialog):
    """Choose the rounds that go into a package."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, plan_id: str = "") -> None:
        super().__init__(desk, tr("Hand out a field package"), tr("Write package…"), parent)
        book = desk.shown.book if desk.shown is not None else None
        due = (RoundState.DUE, RoundState.OVERDUE)
        self.list = _checked(
            (f"{one.plan.number} {one.plan.name} · {state_word(one.state)}", one.plan.id,
             one.plan.id == plan_id if plan_id else one.state in due)
            for one in (book.standings if book is not None else ())
        )  # fmt: skip
        self.orders = _checked(
            (f"{one.number} {one.title} · {status_word(one.status)}", one.id, True)
            for one in (book.open_orders() if book is not None else ())
        )
        self.who = QLineEdit(desk.name())
        form = Form()
        form.add(tr("Inspection plans"), self.list, tall=True)
        form.add(tr("Open work orders"), self.orders, tall=True)
        form.add(tr("Handed out by"), self.who)
        self.body.addWidget(
            label(tr("One file with the rounds, open defects with their photos, work orders with permit and gas tests, "
                     "sections and assets on the way. It is read and written without this program."), "secondary",
                  wrap=True)
        )  # fmt: skip
        self.body.addWidget(form)

    def chosen(self) -> list[str]:
        """Ids of the checked plans."""
        return _ids(self.list)

    def apply(self) -> None:
        chosen, work_orders, context = self.chosen(), _ids(self.orders), self.desk.context
        if not chosen and not work_orders:
            self.say(PlannerError("tunnel.field_nothing"))
            return
        day = self.desk.shown.book.day.isoformat() if self.desk.shown is not None else ""
        path = context.ask_save(
            self.windowTitle(), f"{tr('Rounds')} {day}.fieldpkg", f"{tr('Field package')} {PATTERN}"
        )
        if path is None:
            return
        project, by, rules = self.desk.project(), self.who.text(), self.desk.rules()

        def work(progress: Progress) -> Package:
            return make_package(
                project, path, by=by, plans=chosen, orders=work_orders, rules=rules, progress=progress
            )  # fmt: skip

        def done(made: Package) -> None:
            self.desk.name(by)
            count = len(made.base.get(tables.DEFECTS.name, {}))
            said = tr("{file}: {rounds} rounds, {orders} work orders, {defects} open defects, {photos} photos",
                      file=path.name, rounds=len(chosen), orders=len(work_orders), defects=count,
                      photos=len(made.media))  # fmt: skip
            context.notify(said, level="success")
            self.accept()

        self.run(tr("Writing {file}", file=path.name), work, done)


def _checked(items: Iterable[tuple[str, str, bool]]) -> QListWidget:
    """A list of (text, id, checked) that people pick from."""
    made = QListWidget()
    made.setProperty("look", "boxed")
    for text, identity, checked in items:
        item = QListWidgetItem(text)
        item.setData(Qt.ItemDataRole.UserRole, identity)
        item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
        made.addItem(item)
    made.setMaximumHeight(px(120))
    return made


def _ids(box: QListWidget) -> list[str]:
    every = [box.item(at) for at in range(box.count())]
    return [str(one.data(Qt.ItemDataRole.UserRole)) for one in every if one.checkState() == Qt.CheckState.Checked]


class PackageDialog(OperationDialog):
    """A package opened by itself, as in the field: what is in it, its work orders, and a form to write observations
    into it."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, package: Package) -> None:
        name = package.path.name if package.path is not None else ""
        super().__init__(desk, name, tr("Write it down"), parent, 480)
        self.package = package
        manifest = package.manifest
        told = [str(manifest.get(key, "")) for key in ("project", "day", "made_by")]
        self.body.addWidget(label(" · ".join(text for text in told if text), "secondary", wrap=True))
        self.field = PackageDesk(desk, package, self)
        self.order, self.open_order = combo(), button(tr("Open…"), self._open_order)
        self.open_order.setAutoDefault(False)
        plans = package.data.get(tables.PLANS.name, {})
        form = Form()
        if self._list_orders():
            orders = form if plans else Form()
            orders.add(tr("Work order"), beside(self.order, self.open_order))
            self.body.addWidget(orders)
            self.field.changed.connect(self._list_orders)
        self.plan = combo(self._plan_changed)
        fill(self.plan, [(f"{row.get('number', '')} {row.get('name', '')}", uuid) for uuid, row in plans.items()])
        self.who = QLineEdit(desk.name())
        self.m, self.compartment = QLineEdit(), combo()
        self.m.setPlaceholderText("K0+123.4")
        self.position = QLineEdit()
        self.code, self.grade = CodeBox("", tr("no defect")), GradeBox(0, tr("no defect"))
        self.same = combo()
        self.same.addItem(tr("none of the known ones"), "")
        for uuid, row in package.data.get(tables.DEFECTS.name, {}).items():
            where = place_text("", row.get("m"), row.get("compartment") or "")
            text = f"{row.get('number', '')} {defect_word(str(row.get('code', '')))} {where}"
            self.same.addItem(f"{text} {grade_word(int(row.get('grade') or 0))}", uuid)
        self.same.activated.connect(lambda _: self._same_chosen())
        self.text = lines_edit(tr("What was seen"), 2)
        self.photo = PhotoField(desk)
        for caption, field in (
            (tr("Inspection plan"), self.plan), (tr("Seen by"), self.who), (tr("Chainage"), self.m),
            (tr("Compartment"), self.compartment), (tr("Position"), self.position), (tr("Known defect"), self.same),
            (tr("Kind"), self.code), (tr("Grade"), self.grade),
        ):  # fmt: skip
            form.add(caption, field)
        form.add(tr("Description"), self.text, tall=True)
        form.add(tr("Photo"), self.photo)
        self.body.addWidget(form)
        self.count = label("", "small")
        self.body.addWidget(self.count)
        if plans:
            self._plan_changed()
            self._show_count()
        else:  # nothing to walk, only work to do
            form.hide()
            if self.ok is not None:
                self.ok.hide()

    def _list_orders(self) -> int:
        """Fill the list of work orders; returns how many there are."""
        chosen, every = self.order.currentData(), package_orders(self.package)
        self.order.clear()
        fill(self.order, [(f"{one.number} {one.title} · {status_word(one.status)}", one.id) for one in every], chosen)
        return len(every)

    def _open_order(self) -> None:
        from plugins.tunnel.ui.rounds.order_page import OrderPage

        OrderPage(self.field, self, str(self.order.currentData())).show()

    def _plan_changed(self) -> None:
        row = self.package.data.get(tables.PLANS.name, {}).get(str(self.plan.currentData() or ""), {})
        about: dict[str, Any] = next(
            (one for one in self.package.about.get("tunnels", []) if one.get("code") == row.get("tunnel")), {}
        )
        self.compartment.clear()
        fill(self.compartment, [("–", ""), *((kind, kind) for kind in about.get("compartments") or [])])

    def _same_chosen(self) -> None:
        row = self.package.data.get(tables.DEFECTS.name, {}).get(str(self.same.currentData() or ""))
        if row is None:
            return
        self.m.setText(place_text("", row.get("m")))
        self.code.setCurrentIndex(max(self.code.findData(row.get("code")), 0))
        self.grade.setCurrentIndex(max(self.grade.findData(row.get("grade")), 0))
        self.compartment.setCurrentIndex(max(self.compartment.findData(row.get("compartment")), 0))

    def _show_count(self) -> None:
        base = self.package.base.get(tables.OBSERVATIONS.name, {})
        new = [uuid for uuid in self.package.data.get(tables.OBSERVATIONS.name, {}) if uuid not in base]
        self.count.setText(tr("{count} observations written into this package", count=len(new)))

    def apply(self) -> None:
        path = self.package.path
        if path is None:
            return
        self.notice.clear()
        try:
            walk = field_round(self.package, str(self.plan.currentData() or ""), self.who.text())
            seen = Observation(
                "", "", "", forms.chainage(self.m.text()), str(self.compartment.currentData() or ""),
                self.position.text(), self.text.toPlainText(), str(self.code.currentData() or ""),
                int(self.grade.currentData() or 0),
            )  # fmt: skip
            photo = self.photo.path.read_bytes() if self.photo.path is not None else b""
            field_observation(self.package, walk, seen, photo=photo, same=str(self.same.currentData() or ""))
            write_package(self.package, path)
        except PlannerError as error:
            self.say(error)
            return
        except OSError as error:
            name = self.photo.path.name if self.photo.path is not None else ""
            self.say(PlannerError("tunnel.photo_unreadable", file=name, detail=error.strerror or str(error)))
            return
        self.desk.name(self.who.text())
        self.notice.say(tr("Written into {file}", file=path.name), level="success")
        self.text.clear()
        self._show_count()


class ConflictsDialog(OperationDialog):
    """Cells that both sides changed: the desk's value and the field's, one of which a person keeps."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None) -> None:
        super().__init__(desk, tr("Conflicts with the field"), "", parent, 560)
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        inner = QWidget()
        inner.setLayout(self._list)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        self.body.addWidget(scroll, 1)
        self.cards: list[QFrame] = []
        desk.changed.connect(self.refresh)
        self.resize(px(600), px(460))
        self.refresh()

    def refresh(self) -> None:
        """Show what is still to be decided."""
        conflicts: Sequence[Conflict] = self.desk.shown.book.conflicts if self.desk.shown is not None else ()
        while (item := self._list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.cards = [self._card(one) for one in conflicts]
        for card in self.cards:
            self._list.addWidget(card)
        if not conflicts:
            self._list.addWidget(label(tr("Everything is decided."), "secondary"))
        self._list.addStretch(1)

    def _card(self, one: Conflict) -> QFrame:
        frame = QFrame()
        frame.setProperty("look", "card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(11, 9, 11, 9)
        column.addWidget(label(self._title(one), "heading", wrap=True))
        gone = one.column_name == GONE
        ours = tr("deleted at the desk") if gone else _text(one.ours)
        told = [(tr("handed out"), _text(one.base)), (tr("desk"), ours), (tr("field"), _text(one.theirs))]
        form = Form()
        for caption, value in told:
            form.add(caption, label(value, wrap=True))
        column.addWidget(form)
        line = QHBoxLayout()
        line.setSpacing(8)
        for keep, text in (("ours", tr("Keep the desk's")), ("theirs", tr("Take the field's"))):
            knob = button(text, partial(self._decide, one, keep))
            knob.setAutoDefault(False)
            knob.setObjectName(keep)
            line.addWidget(knob)
        line.addStretch(1)
        column.addLayout(line)
        return frame

    def _title(self, one: Conflict) -> str:
        table = next(table for table in tables.TABLES if table.name == one.table_name)
        title = table.title_zh if language() == "zh_CN" else table.title
        book = self.desk.shown.book if self.desk.shown is not None else None
        every: list[Any] = [*book.defects, *book.inspections, *book.orders] if book is not None else []
        number = next((record.number for record in every if record.id == one.row), one.row[:8])
        column = alias_of(one.table_name, one.column_name) if language() == "zh_CN" else ""
        return f"{title} {number}" + ("" if one.column_name == GONE else f" · {column or one.column_name}")

    def _decide(self, one: Conflict, keep: str) -> None:
        self.do(lambda: decide(self.desk.project(), one, keep, self.desk.name()), close=False)


def _text(data: str) -> str:
    """A cell's value as people read it: what is in lists and nested records, a status in words."""
    return _said(json.loads(data)) or "–"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(text for text in map(_said, value.values()) if text)
    if isinstance(value, list):
        return "; ".join(text for text in map(_said, value) if text)
    if value in list(OrderStatus):
        return status_word(OrderStatus(value))
    return "" if value in (None, "") or isinstance(value, bool) else str(value)
