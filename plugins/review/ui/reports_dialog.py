"""Reports made elsewhere (sunlight, traffic, fire): attached to the case, cited by the rule they answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableWidget, QTableWidgetItem, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, combo, label, px
from plugins.review.model.cases.records import OutsideReport
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.issue_bar import media_type
from plugins.review.ui.issues import date_edit, iso_date
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Case


def kind_word(kind: str) -> str:
    """What a report is about."""
    return {
        "sunlight": tr("Sunlight"), "traffic": tr("Traffic impact"), "fire": tr("Fire safety"),
        "environment": tr("Environment"), "landscape": tr("Landscape and view"), "other": tr("Other"),
    }.get(kind, kind)  # fmt: skip


class ReportsDialog(ReviewDialog):
    """Lists the case's reports; adds and removes them."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Reports made elsewhere"), "", parent)
        case = state.case
        assert case is not None
        self._case: Case = case
        self._reports: list[OutsideReport] = []
        self._titles = {one.id: words.rule_title(one, one.id) for one in state.rules()}
        self.table = QTableWidget(0, 5)
        self.table.setHorizontalHeaderLabels(
            [tr("Kind"), tr("Title"), tr("Institution"), tr("Issued"), tr("Answers the rule")]
        )
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setProperty("look", "boxed")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._empty = label(
            tr("No report yet. A rule that needs one (sunlight, say) cites it once it is attached."),
            "secondary",
            wrap=True,
        )
        self.body.addWidget(self._empty)
        self.body.addWidget(self.table, 1)
        self.body.addStretch(0)
        self.add_button(tr("Attach a report…"), self._attach)
        self.add_button(tr("Save as…"), self._save)
        self.add_button(tr("Remove"), self._remove)
        self.fit(780, 300)
        state.records_changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        from plugins.review.model.cases import store

        project = self.state.project
        self._reports = store.reports(project, self._case.id) if project is not None else []
        self._empty.setVisible(not self._reports)
        self.table.setVisible(bool(self._reports))
        self.table.setRowCount(len(self._reports))
        for row, one in enumerate(self._reports):
            cells = (
                kind_word(one.kind),
                one.title,
                one.institution,
                one.issued,
                self._titles.get(one.serves, one.serves),
            )
            for column, text in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(text))

    def _selected(self) -> OutsideReport | None:
        rows = self.table.selectionModel().selectedRows()
        return self._reports[rows[0].row()] if rows else None

    def _attach(self) -> None:
        patterns = "PDF, Word (*.pdf *.docx *.doc);;" + tr("All files") + " (*)"
        path = self.state.context.ask_open(tr("Attach a report"), patterns)
        if path is not None:
            AttachDialog(self.state, self._case, path, self).show()

    def _save(self) -> None:
        project, chosen = self.state.project, self._selected()
        if project is None or chosen is None:
            self.notice.say(tr("Choose a report in the table first."))
            return
        name = project.attachment(chosen.attachment).name
        path = self.state.context.ask_save(tr("Save as…"), name, tr("All files") + " (*)")
        if path is None:
            return

        def work(progress: Progress) -> Path:
            return project.write_attachment(chosen.attachment, path)

        def done(written: Path) -> None:
            self.notice.say(tr("Written to {file}.", file=written.name), str(written.parent), "success")

        self.run(tr("Writing {name}", name=path.name), work, done)

    def _remove(self) -> None:
        from plugins.review.model.cases.commands import RemoveReport

        chosen = self._selected()
        if chosen is None:
            self.notice.say(tr("Choose a report in the table first."))
        else:
            self.state.execute(RemoveReport(chosen.id, chosen.title), self)


class AttachDialog(ReviewDialog):
    """What a report is, who made it, what it concludes and which rule it answers."""

    def __init__(self, state: ReviewState, case: Case, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Attach {name}", name=path.name), tr("Attach"), parent)
        self._case, self._path = case, path
        self.kind = combo()
        for key in ("sunlight", "traffic", "fire", "environment", "landscape", "other"):
            self.kind.addItem(kind_word(key), key)
        self.title = QLineEdit(path.stem)
        self.institution, self.conclusion = QLineEdit(), QLineEdit()
        self.issued = date_edit()
        self.serves = combo()
        self.serves.addItem(tr("none"), "")
        for rule in state.context.rules("review."):
            self.serves.addItem(words.rule_title(rule, rule.id), rule.id)
        form = Form()
        for caption, field in (
            (tr("Kind"), self.kind), (tr("Title"), self.title), (tr("Institution"), self.institution),
            (tr("Issued"), self.issued), (tr("Conclusion"), self.conclusion), (tr("Answers the rule"), self.serves),
        ):  # fmt: skip
            form.add(caption, field)
        self.body.addWidget(form)
        self.setMinimumWidth(px(460))

    def apply(self) -> None:
        """Keep the file and the record."""
        from plugins.review.model.cases import store

        project, path = self.state.project, self._path
        if project is None:
            return
        report = OutsideReport(
            store.new_id(), self._case.id, self.kind.currentData(), self.title.text().strip() or path.stem,
            self.institution.text().strip(), iso_date(self.issued), self.conclusion.text().strip(),
            self.serves.currentData(), "", self.state.context.user, store.now(),
        )  # fmt: skip

        def work(progress: Progress) -> str:
            return project.attach(path, name=path.name, media_type=media_type(path), progress=progress)

        def done(sha: str) -> None:
            from plugins.review.model.cases.commands import AttachReport

            if self.state.execute(AttachReport(replace(report, attachment=sha)), self) is not None:
                self.accept()
                if self.state.checked is not None:
                    self.state.run_check()

        self.run(tr("Adding {name}", name=path.name), work, done)
