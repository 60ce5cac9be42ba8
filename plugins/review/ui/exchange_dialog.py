"""Issues as BCF files, and copies of the drawing with the redlines in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QCheckBox, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, combo, label, px
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.map_bridge import MapBridge
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Case

_MOST_NOTES = 8


class BcfDialog(ReviewDialog):
    """The case's issues to and from other programs."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Exchange issues (BCF)"), tr("Export…"), parent, stays=True)
        case = state.case
        assert case is not None
        self._case: Case = case
        self._bridge = MapBridge(state.context, self)
        self.version = combo()
        for one in ("2.1", "3.0"):
            self.version.addItem(f"BCF {one}", one)
        self.pictures = QCheckBox(tr("with a picture of each issue's place"))
        self.pictures.setChecked(True)
        count = len(state.issues())
        form = Form()
        form.add(tr("Case file"), label(f"{case.title} · {case.number}", wrap=True))
        form.add(tr("Issues"), label(str(count)))
        form.add(tr("Format"), self.version)
        form.add("", self.pictures)
        self.body.addWidget(form)
        self.body.addWidget(
            label(
                tr("Threads, states, places and pictures go along. Issues that come back are merged with those here."),
                "small",
                wrap=True,
            )
        )
        self.add_button(tr("Import…"), self.import_)
        if self.ok is not None:
            self.ok.setEnabled(count > 0)
        self.setMinimumWidth(px(460))

    def apply(self) -> None:
        """Write the case's issues."""
        project, case_id, bridge = self.state.project, self._case.id, self._bridge
        path = self.state.context.ask_save(
            tr("Exchange issues (BCF)"), f"{self._case.number}.bcf", "BCF (*.bcf *.bcfzip)"
        )
        if path is None or project is None:
            return
        version, pictures = self.version.currentData(), self.pictures.isChecked()

        def work(progress: Progress) -> dict[str, Any]:
            from plugins.review.model.exchange.bcf import export_bcf

            return export_bcf(project, case_id, path, version, progress=progress, render_map=bridge, pictures=pictures)

        def done(told: dict[str, Any]) -> None:
            self._say(tr("{topics} issues with {comments} comments written to {file}.", **told, file=path.name), told)

        self.run(tr("Writing {name}", name=path.name), work, done)

    def import_(self) -> None:
        """Take over the issues of a file."""
        project, case_id = self.state.project, self._case.id
        path = self.state.context.ask_open(tr("Exchange issues (BCF)"), "BCF (*.bcf *.bcfzip)")
        if path is None or project is None:
            return

        def work(progress: Progress) -> dict[str, Any]:
            from plugins.review.model.exchange.bcf import import_bcf

            return import_bcf(project, path, case_id, progress=progress)

        def done(told: dict[str, Any]) -> None:
            self._say(tr("{added} issues added, {updated} updated.", **told), told)

        self.run(tr("Importing {name}", name=path.name), work, done)

    def _say(self, sentence: str, told: dict[str, Any]) -> None:
        notes = [words.note(one) for one in told.get("notes", ())]
        more = [tr("and {count} more", count=len(notes) - _MOST_NOTES)] if len(notes) > _MOST_NOTES else []
        self.notice.say(sentence, "\n".join([*notes[:_MOST_NOTES], *more]), "warning" if notes else "success")


class CopiesDialog(ReviewDialog):
    """A copy of the drawing with issues, marks and findings in it: annotations of a PDF, a layer of a DXF."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Copy with redlines"), tr("Export…"), parent, stays=True)
        opened = state.opened
        assert opened is not None
        self._record = opened.record
        self.issues = QCheckBox(tr("issues with their threads"))
        self.marks = QCheckBox(tr("marks drawn on map and sheet"))
        self.findings = QCheckBox(tr("what the rules found not to pass"))
        form = Form()
        form.add(tr("Drawing"), label(f"{self._record.number} {self._record.file_name}", wrap=True))
        self.body.addWidget(form)
        for box in (self.issues, self.marks, self.findings):
            box.setChecked(True)
            self.body.addWidget(box)
        self.findings.setEnabled(state.check is not None)
        self.findings.setChecked(state.check is not None)
        self.body.addWidget(
            label(tr("The original stays as it is inside the project; the copy is another file."), "small", wrap=True)
        )
        self.setMinimumWidth(px(440))

    def apply(self) -> None:
        """Write the copy."""
        project, record, check = self.state.project, self._record, self.state.check
        pdf = record.format == "pdf"
        suffix, patterns = (".pdf", "PDF (*.pdf)") if pdf else (".dxf", "DXF (*.dxf)")
        stem = record.file_name.rsplit(".", 1)[0]
        path = self.state.context.ask_save(tr("Copy with redlines"), f"{stem}_{tr('redlines')}{suffix}", patterns)
        if path is None or project is None:
            return
        findings = check.findings if check is not None and self.findings.isChecked() else ()
        marks, issues = self.marks.isChecked(), self.issues.isChecked()

        def work(progress: Progress) -> dict[str, Any]:
            from plugins.review.model.exchange.redlines import write_redlines

            return write_redlines(
                project, record.id, path, findings=findings, markups=marks, issues=issues, progress=progress
            )

        def done(told: dict[str, Any]) -> None:
            notes = [words.note(one) for one in told.get("notes", ())]
            hint = "\n".join([str(path.parent), *notes[:_MOST_NOTES]])
            self.notice.say(tr("Written to {file}.", file=path.name), hint, "warning" if notes else "success")

        self.run(tr("Writing {name}", name=path.name), work, done)
