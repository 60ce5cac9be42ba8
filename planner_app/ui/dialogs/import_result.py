"""What an import did: how many features came, which were repaired or rejected and why, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from planner_app.i18n import tr, word
from planner_app.ui.controls import Notice, button, label
from planner_app.ui.dialogs.form_dialog import FormDialog
from planner_app.ui.session import Session

if TYPE_CHECKING:
    from planner_app.project.exchange import ImportReport, RowNote

_SHOWN = 1000


class ImportResultDialog(FormDialog):
    """Lists; each can be copied."""

    def __init__(self, session: Session, report: ImportReport, parent: QWidget) -> None:
        super().__init__(session, tr("Import of “{layer}”", layer=report.layer.name), "", parent, 600)
        self.body.addWidget(label(tr("{count} features imported.", count=f"{report.features:,}"), "heading"))
        for warning in report.warnings:
            notice = Notice(session.theme)
            text, hint = word(warning.code, warning.params), word(warning.code, warning.params, "hint")
            notice.show_text(text, "warning", hint)
            self.body.addWidget(notice)
        self._rows: list[tuple[str, int, str]] = []
        self._list(tr("{count} repaired", count=f"{len(report.repaired):,}"), tr("repaired"), report.repaired)
        self._list(tr("{count} rejected", count=f"{len(report.rejected):,}"), tr("rejected"), report.rejected)
        if self._rows:
            self.foot.insertWidget(0, button(tr("Copy the lists"), self._copy))

    def _list(self, title: str, state: str, rows: Sequence[RowNote]) -> None:
        if not rows:
            return
        self.heading(title)
        table = QTableWidget(min(len(rows), _SHOWN), 2)
        table.setProperty("look", "boxed")
        table.setHorizontalHeaderLabels([tr("Row"), tr("Reason")])
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.verticalHeader().setVisible(False)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for number, entry in enumerate(rows):
            reason = reason_text(entry)
            self._rows.append((state, entry.row, reason))
            if number < _SHOWN:
                table.setItem(number, 0, QTableWidgetItem(f"{entry.row:,}"))
                table.setItem(number, 1, QTableWidgetItem(reason))
        table.setMinimumHeight(self.session.theme.px(120))
        self.body.addWidget(table, 1)

    def _copy(self) -> None:
        text = "\n".join(f"{state}\t{number}\t{reason}" for state, number, reason in self._rows)
        QGuiApplication.clipboard().setText(text)


def reason_text(note: RowNote) -> str:
    """A reason in words: a code with a wording, or GEOS's own text."""
    for key in (note.reason, f"repair.{note.reason}", f"import.{note.reason}"):
        worded = word(key, note.params)
        if worded != key:
            return worded
    return note.reason
