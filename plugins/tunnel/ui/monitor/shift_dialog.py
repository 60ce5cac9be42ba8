"""The shift log (值班记录) and the hand-over (交接班)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import CardList, CardText, Form, TaskDialog, button, combo, label
from plugins.tunnel.model.monitoring import shift
from plugins.tunnel.model.monitoring.shift_report import handover_paper, local
from plugins.tunnel.model.monitoring.words import rule_title
from plugins.tunnel.ui.monitor.live import Live

if TYPE_CHECKING:
    from planner_app.domain.rule import Rule
    from planner_app.plugin_api.model import Progress
    from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm

_PRINTED = "PDF (*.pdf);;Word (*.docx)"
_MOST_CARDS = 100


class ShiftDialog(TaskDialog):
    """Notes of the shift above, the hand-over below; earlier hand-overs can be printed again.

    Args:
        about: an alarm that the note speaks of.
        names: keeps and gives the name last used at this desk.
    """

    def __init__(
        self, live: Live, parent: QWidget | None, about: KeptAlarm | None, names: Callable[[str], str]
    ) -> None:
        super().__init__(live.context, tr("Shift log and hand-over"), "", parent)
        self._live, self._about, self._names = live, about, names
        mine = names("")
        self.author, self.text = QLineEdit(mine), QLineEdit()
        self.author.setPlaceholderText(tr("Name"))
        self.author.setMaximumWidth(110)
        self.text.setPlaceholderText(tr("What was seen or done"))
        self.text.returnPressed.connect(self.add)
        self.entries = CardList()
        self._shift = label("", "small", wrap=True)
        self._subject = label("", "small", wrap=True)
        note = QHBoxLayout()
        note.setSpacing(6)
        note.addWidget(self.author)
        note.addWidget(self.text, 1)
        note.addWidget(button(tr("Write down"), self.add))
        self.giver, self.taker, self.remark = QLineEdit(mine), QLineEdit(), QPlainTextEdit()
        self.remark.setFixedHeight(64)
        self.remark.setProperty("look", "boxed")
        self.past: QComboBox = combo()
        self.printer = button(tr("Print…"), self.print)
        form = Form()
        form.add(tr("Handed over by"), self.giver)
        form.add(tr("Taken over by"), self.taker)
        form.add(tr("Remarks"), self.remark, tall=True)
        self.hand = button(tr("Hand over"), self.hand_over, "primary")
        form.add_buttons(self.hand)
        again = Form()
        again.add(tr("Earlier hand-overs"), self.past)
        again.add_buttons(self.printer)
        self._stands = label("", "small", wrap=True)
        left, right = QVBoxLayout(), QVBoxLayout()
        for part in (label(tr("Shift log"), "heading"), self._shift):
            left.addWidget(part)
        left.addLayout(note)
        left.addWidget(self._subject)
        left.addWidget(_scrolled(self.entries), 1)
        right.addWidget(label(tr("Hand-over"), "heading"))
        right.addWidget(self._stands)
        right.addWidget(form)
        right.addSpacing(10)
        right.addWidget(again)
        right.addStretch(1)
        both = QHBoxLayout()
        both.setSpacing(22)
        both.addLayout(left, 3)
        both.addLayout(right, 2)
        self.body.addLayout(both)
        for knob in self.findChildren(QPushButton):  # Enter writes the note down, it hands nothing over
            knob.setAutoDefault(False)
        self.resize(860, 520)
        if about is not None:
            self._subject.setText(tr("About: {alarm}", alarm=f"{about.alarm.code} · {live.headline(about)}"))
        self._subject.setVisible(about is not None)
        live.changed.connect(self.refresh)
        live.state.records_changed.connect(self.refresh)
        self.refresh()
        self.text.setFocus()

    def refresh(self) -> None:
        """Show the log of the shift that runs, what stands, and earlier hand-overs."""
        project = self.context.project
        if project is None:
            return
        here, overview = self._live.here, self._live.overview
        handovers, entries = shift.read_handovers(project), shift.read_entries(project)
        since = handovers[-1].at if handovers else ""
        of_shift = shift.entries_between(entries, since, "")
        self._shift.setText(
            tr("Since {time}, taken over by {name}", time=local(since, here), name=handovers[-1].taker)
            if handovers
            else tr("No hand-over yet: the log begins with its first note.")
        )
        if handovers and not self.giver.text():
            self.giver.setText(handovers[-1].taker)
        self.entries.set(
            [
                CardText(one.id, one.text, "", f"{local(one.at, here)} · {one.author}" + _subject(one, overview.rules))
                for one in reversed(of_shift[-_MOST_CARDS:])
            ]
        )
        orders = shift.open_orders(project)
        self._stands.setText(
            tr(
                "{alarms} alarms stand, {silent} sensors are silent, {orders} work orders are open. They go with it.",
                alarms=len(overview.standing), silent=sum(one.silent for one in overview.sensors.values()),
                orders=len(orders),
            )
        )  # fmt: skip
        chosen = self.past.currentData()
        self.past.clear()
        for one in reversed(handovers):
            self.past.addItem(f"{one.number} · {local(one.at, here)} · {one.giver} → {one.taker}", one.number)
        self.past.setCurrentIndex(max(self.past.findData(chosen), 0))
        self.printer.setEnabled(bool(handovers))

    def add(self) -> None:
        """Write the note."""
        about = self._about.alarm if self._about is not None else None
        if self._do(shift.AddEntry(shift.entry_of(self.author.text(), self.text.text(), about))):
            self._names(self.author.text().strip())
            self.text.clear()
            self._about = None
            self._subject.hide()

    def hand_over(self) -> None:
        """Keep the hand-over with what stands now, then offer to print it."""
        project = self.context.project
        if project is None:
            return
        giver, taker = self.giver.text().strip(), self.taker.text().strip()
        record = shift.handover_of(project, self._live.overview, giver, taker, self.remark.toPlainText().strip())
        if self._do(shift.HandOverShift(record)):
            self._names(taker)
            self.giver.setText(taker)
            self.author.setText(taker)
            self.taker.clear()
            self.remark.clear()
            self.past.setCurrentIndex(0)
            self.notice.say(tr("{giver} handed over to {taker}.", giver=giver, taker=taker), level="success")

    def _do(self, command: shift.AddEntry | shift.HandOverShift) -> bool:
        """Run a command; what is wrong with it is said here."""
        self.notice.clear()
        project = self.context.project
        if project is None:
            return False
        try:
            project.execute(command, self)
        except Exception as error:
            self.say(error)
            return False
        self.refresh()
        return True

    def print(self) -> None:
        """Write the chosen hand-over as PDF or DOCX."""
        project = self.context.project
        if project is None:
            return
        record = shift.find_handover(shift.read_handovers(project), str(self.past.currentData() or ""))
        path = self.context.ask_save(tr("Print the hand-over"), f"{record.number}.pdf", _PRINTED)
        if path is None:
            return
        lines = shift.entries_between(shift.read_entries(project), record.since, record.at)
        here = self._live.here

        def work(_: Progress) -> Path:
            from planner_app.report.paper import write_paper

            write_paper(handover_paper(record, lines, project.name, here), path)
            return path

        self.run(
            tr("Print the hand-over"), work,
            lambda made: self.notice.say(tr("“{name}” is written.", name=made.name), level="success"),
        )  # fmt: skip


def _subject(entry: shift.Entry, rules: Mapping[str, Rule]) -> str:
    title = rule_title(rules, entry.rule) if entry.rule else ""
    return "".join(f" · {part}" for part in (entry.sensor, title) if part)


def _scrolled(cards: QWidget) -> QWidget:
    holder, area = QWidget(), QScrollArea()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 8, 0)
    column.addWidget(cards)
    column.addStretch(1)
    area.setWidget(holder)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
