"""Two small dialogs: an attachment shown large, and taking a drawing out of its case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import label, px
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.issues import read_picture
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import DrawingRecord

_LARGE = 1600


class _Fitted(QLabel):
    """A picture as large as there is room for it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumSize(1, 1)
        self._image: QImage | None = None

    def show_image(self, image: QImage) -> None:
        """Show it."""
        self._image = image
        self.setText("")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            super().paintEvent(event)
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(QPoint((self.width() - size.width()) // 2, (self.height() - size.height()) // 2), size)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)


class PictureDialog(ReviewDialog):
    """A photo of an issue; any other file can be saved."""

    def __init__(self, state: ReviewState, sha: str, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Attachment"), "", parent)
        self._sha, self._name = sha, ""
        self.picture = _Fitted(tr("Loading the picture…"))
        self.body.addWidget(self.picture, 1)
        self.add_button(tr("Save as…"), self._save)
        self.fit(860, 640)
        project = state.project
        self.run(tr("Reading a picture"), lambda _progress: read_picture(project, sha, _LARGE), self._show)

    def _show(self, found: tuple[QImage | None, str]) -> None:
        image, self._name = found
        self.setWindowTitle(self._name)
        if image is None:
            self.picture.setText(tr("{name} is no picture; save it to open it.", name=self._name))
        else:
            self.picture.show_image(image)

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


class RemoveDialog(ReviewDialog):
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
        self.setFixedWidth(px(420))

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
