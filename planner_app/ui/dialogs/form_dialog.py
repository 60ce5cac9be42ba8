"""The frame all dialogs share: body, a place for what went wrong, one primary button."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import Notice, button, column, label, pad_spin_boxes, row
from planner_app.ui.session import Session


class FormDialog(QDialog):
    """A dialog with ``body`` above a notice and the buttons. ``accept_text`` "" gives only Close."""

    def __init__(self, session: Session, title: str, accept_text: str, parent: QWidget, width: int = 520) -> None:
        super().__init__(parent)
        self.session = session
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(session.theme.px(width))
        self.body: QVBoxLayout = column(spacing=12)
        self.notice = Notice(session.theme)
        self.foot = row(None, spacing=8)
        self.accept_button: QPushButton | None = None
        cancel = button(tr("Cancel") if accept_text else tr("Close"), self.reject)
        self.foot.addWidget(cancel)
        if accept_text:
            self.accept_button = button(accept_text, self.submit, "primary")
            self.accept_button.setDefault(True)
            self.foot.addWidget(self.accept_button)
        whole = column(spacing=14, margins=(20, 18, 20, 16))
        whole.addLayout(self.body, 1)
        whole.addWidget(self.notice)
        whole.addLayout(self.foot)
        self.setLayout(whole)
        self._whole = whole

    def form(self) -> QFormLayout:
        """A two-column form added to the body."""
        made = QFormLayout()
        made.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        made.setHorizontalSpacing(16)
        made.setVerticalSpacing(8)
        self.body.addLayout(made)
        return made

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        pad_spin_boxes(self)
        if isinstance(self.focusWidget(), QPushButton | None):  # the buttons were made before the fields
            fields = [w for w in self.findChildren(QWidget) if isinstance(w, QLineEdit | QComboBox) and w.isEnabled()]
            target = fields[0] if fields else self.accept_button
            if target is not None:
                target.setFocus()

    def heading(self, text: str) -> None:
        """A small heading in the body."""
        self.body.addWidget(label(text, "heading"))

    def submit(self) -> None:
        """The primary button; a subclass does its work and calls :meth:`accept`."""
        self.accept()

    def complain(self, text: str, hint: str = "") -> None:
        """Say what is wrong, here."""
        self.notice.show_text(text, "error", hint)
        self.fit()

    def fit(self, *, shrink: bool = False) -> None:
        """As high as what it shows now needs, so that nothing is squeezed; lower too with ``shrink``."""
        layout = self._whole
        layout.activate()
        hint = (
            layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
        )
        if shrink or hint > self.height():
            self.resize(self.width(), hint)


def fact(name: str) -> QWidget:
    """The left side of a form row."""
    made = label(name, "secondary")
    made.setMinimumWidth(104)  # forms below each other share one edge
    return made
