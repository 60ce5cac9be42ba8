"""Two small dialogs: an attachment shown large, and taking a drawing out of its case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import label
from plugins.review.ui.dialog import TaskDialog
from plugins.review.ui.issues import read_picture
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import DrawingRecord

_LARGE = 1600


class PictureDialog(TaskDialog):
    """A photo of an issue; any other file can be saved."""

    def __init__(self, state: ReviewState, sha: str, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Attachment"), "", parent)
        self._sha, self._name = sha, ""
        self.picture = QLabel(tr("Loading the picture…"))
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.picture)
        self.body.addWidget(scroll, 1)
        self.add_button(tr("Save as…"), self._save)
        self.resize(860, 640)
        project = state.project
        self.run(tr("Reading a picture"), lambda _progress: read_picture(project, sha, _LARGE), self._show)

    def _show(self, found: tuple[QImage | None, str]) -> None:
        image, self._name = found
        self.setWindowTitle(self._name)
        if image is None:
            self.picture.setText(tr("{name} is no picture; save it to open it.", name=self._name))
        else:
            self.picture.setPixmap(QPixmap.fromImage(image))

    def _save(self) -> None:
        project = self.state.project
        path = self.state.context.ask_save(tr("Save as…"), self._name, tr("All files") + " (*)")
        if path is None or project is None:
            return

        def work(progress: Progress) -> Path:
            return project.write_attachment(self._sha, path)

        def done(written: Path) -> None:
            self.notice.say(tr("Written to {file}.", file=written.name), str(written.parent), "success")

        self.run(tr("Writing {name}", name=path.name), work, done)


class RemoveDialog(TaskDialog):
    """Asks before a drawing leaves its case; undo brings it back."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Remove the drawing"), tr("Remove"), parent)
        record = state.record
        assert record is not None
        self._record: DrawingRecord = record
        text = tr(
            "{name} leaves the case together with the marks on it. Its file stays in the project; undo brings it back.",
            name=f"{record.number} {record.title}",
        )
        self.body.addWidget(label(text, wrap=True))
        self.setFixedWidth(420)

    def apply(self) -> None:
        """Remove it, unless an issue, a signature or a later revision stands on it."""
        from plugins.review.model.cases.commands import RemoveDrawing

        project = self.state.project
        if project is None:
            return
        command = RemoveDrawing(self._record.id, self._record.file_name)
        self.run(tr("Removing {name}", name=self._record.file_name), lambda _: project.execute(command), self._removed)

    def _removed(self, _changes: object) -> None:
        self.accept()
