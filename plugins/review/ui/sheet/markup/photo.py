"""A photo of a mark, large."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import label
from plugins.review.model.cases.records import Markup


class PhotoDialog(QDialog):
    """The whole picture, as large as the dialog; any key closes it."""

    def __init__(self, context: PanelContext, mark: Markup, read: Callable[[], QImage], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(mark.text or tr("Photo"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picture = _Picture()
        self.words = label(" · ".join(part for part in (mark.author, mark.time[:10], mark.text) if part), "small")
        body = QVBoxLayout(self)
        body.setContentsMargins(8, 8, 8, 8)
        body.addWidget(self.picture, 1)
        body.addWidget(self.words)
        self.resize(860, 640)
        context.in_background("photo", read, self._show, lambda error: self._fail(context, error))

    def _show(self, image: QImage) -> None:
        if image.isNull():
            self.words.setText(tr("This file is no picture that can be shown."))
        self.picture.image = image
        self.picture.update()

    def _fail(self, context: PanelContext, error: Exception) -> None:
        self.words.setText(" ".join(part for part in context.word(error) if part))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.close()


class _Picture(QWidget):
    """An image scaled into the widget."""

    def __init__(self) -> None:
        super().__init__()
        self.image = QImage()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.image.isNull():
            return
        size = QSizeF(self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio))
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(QRectF(self.rect()).center())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self.image)
        painter.end()
