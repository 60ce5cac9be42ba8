"""Print the map as it is seen: title, note, paper, PDF file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import button, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session


class PrintDialog(FormDialog):
    """Emits ``wanted(path, title, note, paper)``."""

    wanted = Signal(Path, str, str, str)

    def __init__(self, session: Session, folder: str, parent: QWidget) -> None:
        super().__init__(session, tr("Print the map"), tr("Print"), parent)
        project = session.project
        name = project.name if project is not None else ""
        self.title = QLineEdit(name)
        self.note = QLineEdit(f"{crs_name(project.crs)} · {date.today().isoformat()}" if project is not None else "")
        self.paper = QComboBox()
        for paper in ("A4", "A3"):
            self.paper.addItem(tr("{paper} landscape", paper=paper), paper)
        self.path = QLineEdit(str(Path(folder) / f"{name or 'map'}.pdf"))
        place = row(spacing=6)
        place.addWidget(self.path, 1)
        place.addWidget(button(tr("Browse…"), self._browse))
        form = self.form()
        form.addRow(fact(tr("Title")), self.title)
        form.addRow(fact(tr("Note")), self.note)
        form.addRow(fact(tr("Paper")), self.paper)
        form.addRow(fact(tr("File")), place)
        self.body.addWidget(label(tr("The view and the visible layers are printed, with legend and scale."), "small"))

    def _browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), self.path.text(), "*.pdf")
        if name:
            self.path.setText(str(Path(name).with_suffix(".pdf")))

    def submit(self) -> None:
        """Check and hand over."""
        path = Path(self.path.text().strip())
        if not path.parent.is_dir():
            self.complain(
                tr("The folder “{folder}” does not exist.", folder=str(path.parent)), tr("Choose another place.")
            )
            return
        self.session.settings.last_folder = str(path.parent)
        self.wanted.emit(path, self.title.text().strip(), self.note.text().strip(), self.paper.currentData())
        self.accept()
