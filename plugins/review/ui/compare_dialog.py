"""Choosing what to compare: two revisions, or a survey with the approved drawing; and accepting the survey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, combo, label, px
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from plugins.review.model.asbuilt.accept import AcceptAsBuilt
    from plugins.review.model.asbuilt.types import AsBuilt
    from plugins.review.model.cases.records import DrawingRecord
    from plugins.review.ui.dialogs import Dialogs


def _title(record: DrawingRecord) -> str:
    day = words.day(record.imported_at)
    return " · ".join(text for text in (record.number, record.title or record.file_name, day) if text)


class CompareDialog(ReviewDialog):
    """The older drawing that the current one is compared with."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Compare revisions"), tr("Compare"), parent)
        record = state.record
        assert record is not None
        self.older = combo()
        for one in state.drawings():
            if one.id != record.id:
                self.older.addItem(_title(one), one.id)
        self.older.setCurrentIndex(max(self.older.findData(record.replaces), 0))
        form = Form()
        form.add(tr("Older"), self.older)
        form.add(tr("Newer"), label(_title(record)))
        self.body.addWidget(form)
        self.setMinimumWidth(px(440))

    def apply(self) -> None:
        """Compare."""
        self.state.compare(self.older.currentData() or "")
        self.accept()


class AsBuiltDialog(ReviewDialog):
    """The approved drawing and the survey; a survey not yet in the case is imported from here."""

    def __init__(self, state: ReviewState, dialogs: Dialogs, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("As-built check"), tr("Compare"), parent)
        self._dialogs = dialogs
        self.approved, self.survey = combo(), combo()
        form = Form()
        form.add(tr("Approved"), self.approved)
        form.add(tr("Survey"), self.survey)
        self.body.addWidget(form)
        self.body.addWidget(
            label(
                tr("Every indicator, and each building's place and height, is compared within the city's tolerances."),
                "small",
                wrap=True,
            )
        )
        self.add_button(tr("Import a survey…"), self._import)
        self.setMinimumWidth(px(480))
        state.records_changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        every = self.state.drawings()
        current = self.state.record.id if self.state.record is not None else ""
        _fill(self.approved, [one for one in every if one.kind == "site_plan"], current)
        _fill(self.survey, [one for one in every if one.kind == "as_built"], current)
        ready = self.approved.count() > 0 and self.survey.count() > 0
        if self.ok is not None:
            self.ok.setEnabled(ready)
        if self.survey.count() == 0:
            self.notice.say(tr("This case has no survey yet."), tr("Import the survey drawing (CASS layers, DXF)."))
        elif self.approved.count() == 0:
            self.notice.say(tr("This case has no site plan to compare with."), level="warning")
        else:
            self.notice.clear()

    def _import(self) -> None:
        path = self.state.context.ask_open(tr("Import a survey"), tr("Drawings") + " (*.dxf *.dwg)")
        if path is not None:
            self._dialogs.intake(Path(path), kind="as_built")

    def apply(self) -> None:
        """Compare."""
        self.state.compare_built(self.approved.currentData(), self.survey.currentData())
        self.accept()


def _fill(box: QComboBox, records: list[DrawingRecord], current: str) -> None:
    chosen = box.currentData() or current
    box.clear()
    for one in records:
        box.addItem(_title(one), one.id)
    box.setCurrentIndex(max(box.findData(chosen), 0) if records else -1)


class AcceptDialog(ReviewDialog):
    """Says what accepting would write into the base map, and does it as one step that can be undone."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Accept the survey"), tr("Accept"), parent)
        found = state.built
        assert found is not None
        self._found: AsBuilt = found
        self._command: AcceptAsBuilt | None = None
        self.layer = combo(self._plan)
        form = Form()
        form.add(tr("Buildings"), self.layer)
        self._words = label("", wrap=True)
        self.body.addWidget(form)
        self.body.addWidget(self._words)
        if found.verdict.value != "pass":
            self.body.addWidget(label(tr("The comparison has open points: they stay on record."), "warning", wrap=True))
        self.setMinimumWidth(px(460))
        project = state.project

        def layers(progress: Progress) -> list[LayerInfo]:
            from plugins.review.model.asbuilt.accept import building_layers

            return building_layers(project) if project is not None else []

        self.run(tr("Reading layers"), layers, self._listed)

    def _listed(self, layers: list[LayerInfo]) -> None:
        for layer in layers:
            self.layer.addItem(layer.name, layer.id)
        self._plan()

    def _plan(self) -> None:
        project, found, layer = self.state.project, self._found, self.layer.currentData() or ""
        if project is None:
            return

        def work(progress: Progress) -> AcceptAsBuilt:
            from plugins.review.model.asbuilt.accept import plan_acceptance

            return plan_acceptance(project, found, layer)

        self._command = None
        self.run(tr("Comparing with the base map"), work, self._planned)

    def _planned(self, command: AcceptAsBuilt) -> None:
        self._command = command
        changed = sum(row.fid is not None for row in command.rows)
        self.layer.setEnabled(bool(command.layer_id))
        if not command.layer_id:
            self._words.setText(
                tr("The survey shows pipes only: nothing is written into the base map. The case is set to as-built "
                   "accepted, and the tunnel role can adopt its pipes.")
            )  # fmt: skip
            return
        self._words.setText(
            tr(
                "{changed} buildings get their surveyed outline, {added} are added, {removed} that are no longer there "
                "are removed. The case is set to as-built accepted.",
                changed=changed, added=len(command.rows) - changed, removed=len(command.gone),
            )
        )  # fmt: skip

    def apply(self) -> None:
        """Write it."""
        project, command = self.state.project, self._command
        if project is not None and command is not None:
            self.run(tr("Updating the base map"), lambda _progress: project.execute(command), self._written)

    def _written(self, _changes: object) -> None:
        self.accept()
        written = self._command is None or self._command.layer_id
        said = tr("The survey is accepted: {layer} is up to date.", layer=self.layer.currentText())
        self.state.context.notify(
            said if written else tr("The survey is accepted."),
            level="success",
            hint=tr("Undo takes the whole step back."),
        )
