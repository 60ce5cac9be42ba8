"""What can be done with the chosen plan, observation, defect or work order, at the foot of the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import FlowLayout, button, label
from plugins.tunnel.model.operation.defects import NoDefect, defect_of, examine, suggestions
from plugins.tunnel.model.operation.records import Defect, DefectStatus, Observation
from plugins.tunnel.model.operation.words import defect_word
from plugins.tunnel.ui.rounds.actions import Actions
from plugins.tunnel.ui.rounds.desk import DEFECT, ORDER, PLAN, OperationDesk

Entry = tuple[str, Callable[[], object]]


class ChosenBar(QWidget):
    """Hidden while nothing is chosen."""

    def __init__(self, desk: OperationDesk, actions: Actions) -> None:
        super().__init__()
        self._desk, self._actions = desk, actions
        self.title = label("", "heading")
        self.row = QWidget()
        self._flow = FlowLayout(self.row, spacing=8)
        self.buttons: list[QPushButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.row)
        self.hide()

    def show_for(self) -> None:
        """Offer what can be done with what is chosen now."""
        desk, kind = self._desk, self._desk.chosen[0]
        one = desk.record()
        self.setVisible(one is not None)
        self._flow.clear()
        self.buttons = []
        if one is None:
            return
        entries: list[Entry] = []
        act = self._actions
        if kind == PLAN:
            title = f"{one.plan.number} {one.plan.name}"
            entries = [
                (tr("Record a round…"), lambda: act.record(one.plan.id)),
                (tr("Change…"), lambda: act.plan(one.plan.id)), (tr("Hand out…"), lambda: act.hand_out(one.plan.id)),
            ]  # fmt: skip
        elif kind == DEFECT:
            title = f"{one.number} {defect_word(one.code)}"
            entries = [(tr("History…"), lambda: act.history(one.id)), (tr("Examine…"), lambda: act.examine(one))]
            if one.status is DefectStatus.OPEN:
                entries += [
                    (tr("Work order…"), lambda: act.order_for(one)), (tr("Close out…"), lambda: act.close_defect(one))
                ]  # fmt: skip
        elif kind == ORDER:
            title = f"{one.number} {one.title}"
            entries = [(tr("Open…"), lambda: act.order(one.id))]
        else:
            title = tr("What is it?")
            entries = self._seen(one)
        if kind != PLAN and getattr(one, "m", None) is not None:
            entries.append((tr("Show section"), lambda: desk.state.run("section", one.tunnel, one.m)))
        metrics = self.title.fontMetrics()
        self.title.setText(metrics.elidedText(title, Qt.TextElideMode.ElideRight, max(self.width() - 8, 260)))
        for text, run in entries:
            knob = button(text, partial(_run, run))
            self.buttons.append(knob)
            self._flow.addWidget(knob)

    def _seen(self, seen: Observation) -> list[Entry]:
        """Known defects near by, a new one, or none: a person decides."""
        book = self._desk.shown.book if self._desk.shown is not None else None
        near = suggestions(book.defects, seen.tunnel, seen.m, seen.compartment, seen.code) if book is not None else []

        def again(defect: Defect) -> None:
            told = {"by": seen.by, "time": seen.time, "text": seen.text, "photo": seen.photo}
            grade = seen.grade or defect.grade
            if self._do(lambda: examine(defect, grade, **told, observation_id=seen.id)):
                self._desk.choose(DEFECT, defect.id)

        def fresh() -> None:
            command = defect_of(self._desk.places(), seen)
            if self._do(lambda: command):
                self._desk.choose(DEFECT, command.defect.id)

        entries: list[Entry] = [
            (tr("{number} again ({away} m)", number=one.number, away=f"{away:.1f}"), partial(again, one))
            for one, away in near[:3]
        ]  # fmt: skip
        return [*entries, (tr("New defect"), fresh), (tr("No defect"), lambda: self._do(lambda: NoDefect(seen.id)))]

    def _do(self, make: Callable[[], object]) -> bool:
        return self._desk.do(make, self._desk.failed.emit)  # type: ignore[arg-type]


def _run(run: Callable[[], object]) -> None:
    run()
