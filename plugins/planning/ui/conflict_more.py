"""Behind the ⋯ of the conflict check: the matrix, the class mapping, the area basis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.planning.ui.conflict_form import EVERY_PAIR, ConflictForm

if TYPE_CHECKING:
    from plugins.planning.model.plan_side import PlanSide


class MoreButton(QToolButton):
    """The button, its menu and the editors behind it."""

    mapping_changed = Signal()
    failed = Signal(object)
    """Exception: a plan could not be read"""

    def __init__(self, context: PanelContext, form: ConflictForm) -> None:
        super().__init__()
        self._context, self._form = context, form
        self.setIcon(context.icon("ellipsis"))
        self.setToolTip(tr("Matrix, class mapping, area basis"))
        self.clicked.connect(self._open)

    def _open(self) -> None:
        menu = QMenu(self)
        for title, handler in ((tr("Conflict matrix…"), self.edit_matrix), (tr("Class mapping…"), self.edit_mapping)):
            action = QAction(title, menu)
            action.triggered.connect(lambda _=False, run=handler: run())
            menu.addAction(action)
        menu.addSeparator()
        for key, title in (("planar", tr("Areas in the plane")), ("ellipsoidal", tr("Areas on the ellipsoid"))):
            action = QAction(title, menu)
            action.setCheckable(True)
            action.setChecked(self._context.setting("planning.basis") == key)
            action.triggered.connect(lambda _=False, chosen=key: self._context.set_setting("planning.basis", chosen))
            menu.addAction(action)
        menu.exec(self.mapToGlobal(QPoint(0, self.height())))

    def edit_matrix(self) -> None:
        """Open the matrix as a grid of the two plans' classes."""

        def opened(sides: list[PlanSide]) -> None:
            from plugins.planning.model.matrix import DEFAULT
            from plugins.planning.ui.matrix_editor import MatrixEditor

            chosen = self._form.scope.currentData()
            name = chosen if chosen and chosen != EVERY_PAIR else DEFAULT
            editor = MatrixEditor(self._context, sides[0], sides[1], name, self.window())
            if editor.exec():
                self._form.fill_scope(self._context.project, editor.name)

        self._with_sides(opened)

    def edit_mapping(self) -> None:
        """Open the table of what class values mean."""

        def opened(sides: list[PlanSide]) -> None:
            from plugins.planning.ui.mapping_editor import MappingEditor

            if MappingEditor(self._context, sides, self.window()).exec():
                self.mapping_changed.emit()

        self._with_sides(opened)

    def _with_sides(self, then: Callable[[list[PlanSide]], None]) -> None:
        """Read both plans off the UI thread, then open an editor on them."""
        project = self._context.project
        if project is None:
            return
        wanted = self._form.sides()

        def work(progress: Progress) -> list[PlanSide]:
            from plugins.planning.model.plan_side import read_side

            return [read_side(project, side, date.today().isoformat()) for side in wanted]

        self._context.run_job(tr("Reading classes"), work, then, self.failed.emit)
