"""The top of the reviewer's panel: the case, its drawing, and the buttons for what is done with them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Form, button, combo
from plugins.review.ui import words
from plugins.review.ui.dialogs import Dialogs
from plugins.review.ui.state import ReviewState


class CaseForm(Form):
    """The form; what is chosen in it goes to the window's :class:`ReviewState`."""

    def __init__(
        self,
        context: PanelContext,
        state: ReviewState,
        dialogs: Dialogs,
        import_file: Callable[[], None],
        check: Callable[[], None],
    ) -> None:
        super().__init__()
        self._context, self._state, self._dialogs = context, state, dialogs
        self._icons: list[tuple[QToolButton, str]] = []
        self.case_box = combo(lambda: state.choose_case(self.case_box.currentData()))
        self.drawing_box = combo(lambda: state.choose_drawing(self.drawing_box.currentData()))
        new_case = self._icon_button("plus", tr("New case"), lambda: dialogs.case(None))
        self.import_ = self._icon_button("file-plus-2", tr("Import a drawing (or drop its file here)"), import_file)
        self.check_button = button(tr("Check drawing"), check, "primary")
        self.opinion_button = button(tr("Opinion…"), dialogs.opinion)
        self.more = self._icon_button("ellipsis", tr("Conditions, layers, placing, copies …"), self._open_menu)
        self.add(tr("Case file"), _beside(self.case_box, new_case))
        self.add(tr("Drawing"), _beside(self.drawing_box, self.import_))
        self.add_buttons(self.check_button, self.opinion_button, self.more)

    def _icon_button(self, icon: str, tip: str, clicked: Callable[[], None]) -> QToolButton:
        made = QToolButton()
        made.setToolTip(tip)
        made.setAccessibleName(tip)
        made.setIcon(self._context.icon(icon))
        made.clicked.connect(lambda *_: clicked())
        self._icons.append((made, icon))
        return made

    def retint(self) -> None:
        """The theme changed."""
        for knob, icon in self._icons:
            knob.setIcon(self._context.icon(icon))

    def fill(self) -> None:
        """Offer the project's cases and the drawings of the current one."""
        state = self._state
        cases, drawings = state.cases(), state.drawings()
        self.case_box.clear()
        for case in cases:
            self.case_box.addItem(f"{case.title or case.parcel} · {case.number}", case.id)
        self.case_box.setCurrentIndex(self.case_box.findData(state.case.id) if state.case is not None else -1)
        self.drawing_box.clear()
        for record in drawings:
            revision = tr("rev. {number}", number=record.revision) if record.revision > 1 else ""
            parts = (record.title or record.file_name, revision, words.day(record.imported_at))
            self.drawing_box.addItem(" · ".join(part for part in parts if part), record.id)
            at = self.drawing_box.count() - 1
            tip = f"{record.number} {record.file_name}\n{words.drawing_kind(record.kind)}"
            self.drawing_box.setItemData(at, tip, Qt.ItemDataRole.ToolTipRole)
        self.drawing_box.setCurrentIndex(self.drawing_box.findData(state.record.id) if state.record is not None else -1)

    def enable(self) -> None:
        """Only what makes sense now can be pressed."""
        state = self._state
        self.case_box.setEnabled(state.project is not None and self.case_box.count() > 0)
        self.drawing_box.setEnabled(self.drawing_box.count() > 0)
        self.import_.setEnabled(state.project is not None)
        self.check_button.setEnabled(state.record is not None and not state.busy)
        self.check_button.setText(tr("Recheck") if state.judged else tr("Check drawing"))
        self.opinion_button.setEnabled(state.judged and not state.busy)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        for group in self._dialogs.groups():
            if menu.actions():
                menu.addSeparator()
            for entry in group:
                action = QAction(tr(entry.title), menu)
                action.setEnabled(entry.enabled())
                action.triggered.connect(lambda _=False, run=entry.run: run())
                menu.addAction(action)
        menu.exec(self.more.mapToGlobal(QPoint(0, self.more.height())))


def _beside(wide: QWidget, knob: QWidget) -> QWidget:
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    line.addWidget(wide, 1)
    line.addWidget(knob)
    holder.setFocusProxy(wide)
    return holder
