"""Planning a round, recording one that was walked, and what was seen on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QCheckBox, QDateEdit, QHBoxLayout, QLineEdit, QRadioButton, QSpinBox, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, combo, label
from plugins.tunnel.model.operation import forms, rows
from plugins.tunnel.model.operation.defects import (
    ExamineDefect,
    KeepSeen,
    RaiseDefect,
    defect_of,
    examine,
    suggestions,
)
from plugins.tunnel.model.operation.records import Defect, DefectStatus, Inspection, Observation, Plan
from plugins.tunnel.model.operation.rounds import (
    RecordRound,
    SavePlan,
    check_inspection,
    check_observation,
    check_plan,
)
from plugins.tunnel.model.operation.schedule import judge_plan
from plugins.tunnel.model.operation.sheets import local, place_text
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.ui.rounds.desk import DEFECT, PLAN, SEEN, OperationDesk
from plugins.tunnel.ui.rounds.fields import (
    CodeBox,
    GradeBox,
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


class PlanDialog(OperationDialog):
    """A new plan, or a known one to change."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, plan: Plan | None = None) -> None:
        title = tr("Change plan {number}", number=plan.number) if plan else tr("New inspection plan")
        super().__init__(desk, title, tr("Save plan"), parent)
        self._plan = plan or Plan(rows.new_id())
        self.name = QLineEdit(self._plan.name)
        self.name.setPlaceholderText(tr("e.g. Weekly round of the gas compartment"))
        self.tunnel = combo(self._tunnel_changed)
        fill(self.tunnel, [(f"{code} {name}".strip(), code) for code, name in _tunnels(desk)], self._plan.tunnel)
        self.from_m, self.to_m = QLineEdit(), QLineEdit()
        self.rooms = QWidget()
        self._rooms = QHBoxLayout(self.rooms)
        self._rooms.setContentsMargins(0, 0, 0, 0)
        self._boxes: list[QCheckBox] = []
        self.every = QSpinBox()
        self.every.setRange(1, 3660)
        self.every.setValue(self._plan.every_days)
        self.every.setSuffix(" " + tr("days"))
        self.every.valueChanged.connect(lambda _: self._judge())
        self.start, self.end = _day_edit(self._plan.start, desk), _day_edit(self._plan.ended, desk)
        self.ends = QCheckBox(tr("ends on"))
        self.ends.setChecked(bool(self._plan.ended))
        self.end.setEnabled(self.ends.isChecked())
        self.ends.toggled.connect(self.end.setEnabled)
        self.look_at = lines_edit(tr("One line for each thing to look at"))
        self.look_at.setPlainText("\n".join(self._plan.look_at))
        self.who = QLineEdit(self._plan.responsible)
        form = Form()
        form.add(tr("Plan name"), self.name)
        form.add(tr("Tunnel"), self.tunnel)
        form.add(tr("Route"), beside(self.from_m, label("–"), self.to_m))
        form.add(tr("Compartments"), self.rooms)
        form.add(tr("Every"), self.every)
        form.add(tr("From day"), beside(self.start, self.ends, self.end))
        form.add(tr("Look at"), self.look_at, tall=True)
        form.add(tr("Responsible"), self.who)
        self.warning = label("", "warning", wrap=True)
        self.body.addWidget(form)
        self.body.addWidget(self.warning)
        self._tunnel_changed()
        if plan is not None:
            self.from_m.setText(station(plan.from_m))
            self.to_m.setText(station(plan.to_m))
        self._judge()

    def _tunnel_changed(self) -> None:
        code = str(self.tunnel.currentData() or "")
        axis = self.desk.shown.axes.get(code) if self.desk.shown is not None else None
        if axis is not None:
            self.from_m.setText(station(axis.ends[0]))
            self.to_m.setText(station(axis.ends[1]))
        for box in self._boxes:
            box.deleteLater()
        self._boxes = [QCheckBox(kind) for kind in (self.desk.places().compartments(code) if code else ())]
        for box in self._boxes:
            box.setChecked(not self._plan.compartments or box.text() in self._plan.compartments)
            self._rooms.addWidget(box)

    def _judge(self) -> None:
        """Warn of rounds rarer than their clause while they are planned."""
        from planner_app.report.findings import finding_message

        plan = replace(self._plan, every_days=self.every.value())
        day = self.desk.shown.book.day if self.desk.shown is not None else date.today()
        found = [one for one in judge_plan(plan, self.desk.rules(), day) if one.verdict != "pass"]
        self.warning.setText("\n".join(finding_message(one) for one in found))
        self.warning.setVisible(bool(found))

    def apply(self) -> None:
        def made() -> SavePlan:
            chosen = tuple(box.text() for box in self._boxes if box.isChecked())
            plan = replace(
                self._plan, name=self.name.text(), tunnel=str(self.tunnel.currentData() or ""),
                from_m=forms.chainage(self.from_m.text()), to_m=forms.chainage(self.to_m.text()),
                compartments=() if len(chosen) == len(self._boxes) else chosen, every_days=self.every.value(),
                start=self.start.date().toString("yyyy-MM-dd"), look_at=lines_of(self.look_at),
                ended=self.end.date().toString("yyyy-MM-dd") if self.ends.isChecked() else "",
                responsible=self.who.text(),
            )  # fmt: skip
            return SavePlan(check_plan(self.desk.project(), plan))

        if self.do(made):
            self.desk.choose(PLAN, self._plan.id)


class RoundDialog(OperationDialog):
    """A round that was walked; with ``observe`` what was seen is asked for next."""

    def __init__(
        self, desk: OperationDesk, parent: QWidget | None, plan_id: str, observe: Callable[[str], None]
    ) -> None:
        super().__init__(desk, tr("Record a round"), tr("Record round"), parent)
        self._observe = observe
        plans = [one.plan for one in desk.shown.book.standings] if desk.shown is not None else []
        self._plans = {plan.id: plan for plan in plans}
        self.plan = combo(self._plan_changed)
        fill(self.plan, [(f"{plan.number} {plan.name}", plan.id) for plan in plans], plan_id)
        self.plan.addItem(tr("not planned"), "")
        self.tunnel = combo()
        fill(self.tunnel, [(f"{code} {name}".strip(), code) for code, name in _tunnels(desk)])
        self.from_m, self.to_m = QLineEdit(), QLineEdit()
        self.who = QLineEdit()
        self.started, self.ended = MomentEdit(desk.now()), MomentEdit(desk.now())
        self.started.setDateTime(self.ended.dateTime().addSecs(-7200))
        self.remark = QLineEdit()
        form = Form()
        form.add(tr("Inspection plan"), self.plan)
        form.add(tr("Tunnel"), self.tunnel)
        form.add(tr("Walked"), beside(self.from_m, label("–"), self.to_m))
        form.add(tr("Walked by"), self.who)
        form.add(tr("From time"), self.started)
        form.add(tr("To time"), self.ended)
        form.add(tr("Remark"), self.remark)
        self.more = QCheckBox(tr("Then write down what was seen"))
        self.more.setChecked(True)
        self.body.addWidget(form)
        self.body.addWidget(self.more)
        self._plan_changed()

    def _plan_changed(self) -> None:
        plan = self._plans.get(str(self.plan.currentData() or ""))
        self.tunnel.setEnabled(plan is None)
        if plan is not None:
            self.tunnel.setCurrentIndex(max(self.tunnel.findData(plan.tunnel), 0))
            self.from_m.setText(station(plan.from_m))
            self.to_m.setText(station(plan.to_m))
            self.who.setText(self.who.text() or plan.responsible)

    def apply(self) -> None:
        plan = self._plans.get(str(self.plan.currentData() or ""))
        identity = rows.new_id()

        def made() -> RecordRound:
            walked = Inspection(
                identity, "", plan.id if plan else "", str(self.tunnel.currentData() or ""),
                forms.chainage(self.from_m.text()), forms.chainage(self.to_m.text()),
                plan.compartments if plan else (), self.who.text(), self.started.text_value(),
                self.ended.text_value(), self.remark.text(),
            )  # fmt: skip
            return RecordRound(check_inspection(self.desk.project(), walked))

        if self.do(made):
            if plan is not None:
                self.desk.choose(PLAN, plan.id)
            if self.more.isChecked():
                self.desk.ensure(fresh=True)
                self._observe(identity)


class ObserveDialog(OperationDialog):
    """What was seen at a place: a note, a new defect, or a known one again, which a person confirms.

    Args:
        round_id: of which round; empty: the newest one, or none.
        defect: without a round: the dialog raises a defect.
    """

    def __init__(
        self, desk: OperationDesk, parent: QWidget | None, round_id: str = "", *, defect: bool = False
    ) -> None:
        super().__init__(desk, tr("New defect") if defect else tr("Observation"), tr("Keep it"), parent, 480)
        self._defect_wanted = defect
        book = desk.shown.book if desk.shown is not None else None
        walks = list(reversed(book.inspections)) if book is not None else []
        self._walks = {one.id: one for one in walks}
        self.round = combo(self._round_changed)
        fill(self.round, [(_walk_text(one), one.id) for one in walks[:60]])
        self.round.addItem(tr("on no round"), "")
        self.round.setCurrentIndex(max(self.round.findData(round_id if round_id else ("" if defect else None)), 0))
        form = Form()
        form.add(tr("On round"), self.round)
        walk = self._walks.get(round_id)
        self.place = PlaceField(
            desk, form, tunnel=walk.tunnel if walk else "", changed=self._suggest,
            compartment=walk.compartments[0] if walk and walk.compartments else "",
        )  # fmt: skip
        self.position = QLineEdit()
        self.position.setPlaceholderText(tr("e.g. ceiling, left wall, second support"))
        self.code = CodeBox("", "" if defect else tr("no defect"))
        self.code.activated.connect(lambda _: self._code_chosen())
        self.grade = GradeBox(2 if defect else 0, "" if defect else tr("no defect"))
        self.text = lines_edit(tr("What was seen"), 2)
        self.photo = PhotoField(desk)
        self.who = QLineEdit(walk.by if walk else desk.name())
        self.when = MomentEdit(walk.started if walk else desk.now())
        form.add(tr("Position"), self.position)
        form.add(tr("Kind"), self.code)
        form.add(tr("Grade"), self.grade)
        form.add(tr("Description"), self.text, tall=True)
        form.add(tr("Photo"), self.photo)
        form.add(tr("Seen by"), self.who)
        form.add(tr("When"), self.when)
        self.body.addWidget(form)
        self._choices: list[tuple[QRadioButton, str]] = []
        self._decided: str | None = None  # what a person clicked; else the nearest known one is proposed
        self._graded = defect
        self.grade.activated.connect(self._grade_chosen)
        self.choices = QWidget()
        self.body.addWidget(self.choices)
        self._suggest()

    def _round_changed(self) -> None:
        walk = self._walks.get(str(self.round.currentData() or ""))
        if walk is not None:
            self.who.setText(walk.by)
            if self.place.code() != walk.tunnel:
                self.place.set(walk.tunnel, walk.from_m)

    def _code_chosen(self) -> None:
        """A defect has a grade: that of the known one near by, else the lowest until somebody says otherwise."""
        if not self.code.currentData():
            self.grade.setCurrentIndex(max(self.grade.findData(0), 0))
        self._suggest()

    def _grade_chosen(self) -> None:
        self._graded = True

    def _decide(self, key: str) -> None:
        self._decided = key

    def _suggest(self) -> None:
        """Known defects near by, to be confirmed."""
        if not hasattr(self, "choices"):
            return
        fresh = QWidget()
        column = QVBoxLayout(fresh)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._choices = []
        near = self._near()
        code = str(self.code.currentData() or "")
        if code and not (self._graded and self.grade.currentData()):
            self.grade.setCurrentIndex(self.grade.findData(near[0][0].grade if near else 1))
        entries = [(_known_text(one, away), one.id) for one, away in near[:4]]
        if code:
            column.addWidget(label(tr("What is it?"), "heading"))
            entries.append((tr("a new defect"), "new"))
            if not self._defect_wanted:
                entries.append((tr("to be decided later"), ""))
            for text, key in entries:
                knob = QRadioButton(text)
                knob.clicked.connect(lambda *_, key=key: self._decide(key))
                self._choices.append((knob, key))
                column.addWidget(knob)
            wanted = self._decided if self._decided in [key for _, key in entries] else entries[0][1]
            next(knob for knob, key in self._choices if key == wanted).setChecked(True)
        self.body.replaceWidget(self.choices, fresh)
        self.choices.deleteLater()
        self.choices = fresh

    def _near(self) -> list[tuple[Defect, float]]:
        book, code = (self.desk.shown.book if self.desk.shown is not None else None), str(self.code.currentData() or "")
        if book is None or not code:
            return []
        try:
            m = self.place.metres()
        except Exception:  # not yet a chainage: said when it is kept
            return []
        return suggestions(book.defects, self.place.code(), m, self.place.room(), code)

    def apply(self) -> None:
        key = next((key for knob, key in self._choices if knob.isChecked()), "")
        seen_id, made_defect = rows.new_id(), [""]

        def made() -> Command:
            places = self.desk.places()
            seen = check_observation(
                places,
                Observation(
                    seen_id, str(self.round.currentData() or ""), self.place.code(), self.place.metres(),
                    self.place.room(), self.position.text(), self.text.toPlainText(),
                    str(self.code.currentData() or ""), int(self.grade.currentData() or 0),
                    self.desk.attach(self.photo.path), self.who.text(), self.when.text_value(),
                ),
            )  # fmt: skip
            follow: RaiseDefect | ExamineDefect | None = None
            if key == "new":
                follow = raised = defect_of(places, seen)
                made_defect[0] = raised.defect.id
            elif key:
                book = self.desk.shown.book if self.desk.shown is not None else None
                same = next(one for one in (book.defects if book is not None else []) if one.id == key)
                told = {"by": seen.by, "time": seen.time, "text": seen.text, "photo": seen.photo}
                follow = examine(same, seen.grade or same.grade, **told, observation_id=seen.id)
                made_defect[0] = key
            return KeepSeen(seen, follow)

        if self.do(made):
            self.desk.name(self.who.text())
            self.desk.choose(*((DEFECT, made_defect[0]) if made_defect[0] else (SEEN, seen_id)))


def _tunnels(desk: OperationDesk) -> list[tuple[str, str]]:
    return desk.shown.tunnels if desk.shown is not None else []


def _day_edit(text: str, desk: OperationDesk) -> QDateEdit:
    edit = QDateEdit()
    edit.setCalendarPopup(True)
    edit.setDisplayFormat("yyyy-MM-dd")
    day = rows.day_of(text) if text else None
    day = day or (desk.shown.book.day if desk.shown is not None else date.today())
    edit.setDate(QDate(day.year, day.month, day.day))
    return edit


def _walk_text(one: Inspection) -> str:
    return f"{one.number} {one.tunnel} {local(one.started)} {one.by}"


def _known_text(one: Defect, away: float) -> str:
    from plugins.tunnel.model.operation.words import defect_status_word, defect_word, grade_word

    closed = f" · {defect_status_word(one.status)}" if one.status is DefectStatus.CLOSED else ""
    place = place_text("", one.m)
    return tr(
        "{number} again: {kind}, {place}, {away} m away, {grade}", number=one.number, kind=defect_word(one.code),
        place=place, away=f"{away:.1f}", grade=grade_word(one.grade),
    ) + closed  # fmt: skip
