"""A known defect seen again, and one that is repaired."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, label
from plugins.tunnel.model.operation.defects import close, examine
from plugins.tunnel.model.operation.records import Defect
from plugins.tunnel.model.operation.sheets import place_text
from plugins.tunnel.model.operation.words import defect_word, grade_word
from plugins.tunnel.ui.rounds.desk import OperationDesk
from plugins.tunnel.ui.rounds.fields import GradeBox, MomentEdit, OperationDialog, PhotoField, lines_edit


class ExamineDialog(OperationDialog):
    """The next examination of a defect."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, defect: Defect) -> None:
        title = tr("Examine {number}", number=defect.number)
        super().__init__(desk, title, tr("Keep it"), parent)
        self._defect = defect
        self.body.addWidget(_about(defect))
        self.grade = GradeBox(defect.grade)
        self.text = lines_edit(tr("What has changed"), 2)
        self.photo = PhotoField(desk)
        self.who, self.when = QLineEdit(desk.name()), MomentEdit(desk.now())
        form = Form()
        form.add(tr("Grade"), self.grade)
        form.add(tr("Description"), self.text, tall=True)
        form.add(tr("Photo"), self.photo)
        form.add(tr("Seen by"), self.who)
        form.add(tr("When"), self.when)
        self.body.addWidget(form)

    def apply(self) -> None:
        if self.do(
            lambda: examine(
                self._defect,
                int(self.grade.currentData()),
                by=self.who.text(),
                time=self.when.text_value(),
                text=self.text.toPlainText(),
                photo=self.desk.attach(self.photo.path),
            )
        ):
            self.desk.name(self.who.text())


class CloseDefectDialog(OperationDialog):
    """A defect is repaired, or was none."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, defect: Defect) -> None:
        super().__init__(desk, tr("Close out {number}", number=defect.number), tr("Close out"), parent)
        self._defect = defect
        self.body.addWidget(_about(defect))
        self.text = lines_edit(tr("What was done, or why it is none"), 2)
        self.who, self.when = QLineEdit(desk.name()), MomentEdit(desk.now())
        form = Form()
        form.add(tr("Result"), self.text, tall=True)
        form.add(tr("Closed by"), self.who)
        form.add(tr("When"), self.when)
        self.body.addWidget(form)

    def apply(self) -> None:
        told = {"by": self.who.text(), "time": self.when.text_value(), "text": self.text.toPlainText()}
        if self.do(lambda: close(self._defect, **told)):
            self.desk.name(self.who.text())


def _about(defect: Defect) -> QWidget:
    place = place_text(defect.tunnel, defect.m, defect.compartment)
    return label(f"{defect_word(defect.code)} · {place} · {grade_word(defect.grade)}", "secondary", wrap=True)
