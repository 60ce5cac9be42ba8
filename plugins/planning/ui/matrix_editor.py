"""The conflict matrix as a grid of classes: a click says whether two classes conflict, and with which verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.finding import Verdict
from planner_app.i18n import language, tr
from planner_app.plugin_api.model import PlannerError
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Notice, button, combo, label
from plugins.planning.model.crosswalk import DIFFERENT, SAME, relate_all
from plugins.planning.model.matrix import (
    DEFAULT,
    Cell,
    ConflictMatrix,
    delete_matrix,
    load_matrix,
    matrix_names,
    matrix_text,
    parse_matrix,
    save_matrix,
)
from plugins.planning.model.plan_side import PlanSide
from plugins.planning.ui.words import verdict

Index = QModelIndex | QPersistentModelIndex
_SIGNS = {Verdict.FAIL.value: "✕", Verdict.NEEDS_CERTIFICATE.value: "!", Verdict.CANNOT_JUDGE.value: "?"}
_NO_CONFLICT = "no_conflict"


class MatrixGrid(QAbstractTableModel):
    """Classes of plan A down, of plan B across; a cell shows what the matrix says of the pair."""

    def __init__(self, context: PanelContext, a: PlanSide, b: PlanSide, matrix: ConflictMatrix) -> None:
        super().__init__()
        self._context, self._a, self._b = context, a, b
        self._relations = relate_all(a.classes, b.classes)
        self.matrix = matrix
        self._cells = matrix.judge(a.classes, a.kind, b.classes, b.kind, self._relations)

    def set_matrix(self, matrix: ConflictMatrix) -> None:
        """Show another matrix, or the same one after an edit."""
        self.matrix = matrix
        self._cells = matrix.judge(self._a.classes, self._a.kind, self._b.classes, self._b.kind, self._relations)
        self.layoutChanged.emit()

    def cell(self, index: Index) -> Cell | None:
        """The matrix's cell that decides a pair, None where it is silent."""
        number = int(self._cells[index.row(), index.column()])
        return self.matrix.cells[number] if number >= 0 else None

    def own_cell(self, index: Index) -> Cell:
        """A cell about exactly this pair of classes of these two kinds of plan."""
        a, b = self._a.classes[index.row()], self._b.classes[index.column()]
        return Cell(a=a.raw or "*", b=b.raw or "*", a_kind=self._a.kind, b_kind=self._b.kind)

    def status(self, index: Index) -> str:
        """``no_conflict``, a verdict, or ``""`` where the matrix is silent about two different classes."""
        cell = self.cell(index)
        if cell is not None:
            return cell.verdict if cell.conflict else _NO_CONFLICT
        return "" if self._relations[index.row(), index.column()] >= DIFFERENT else _NO_CONFLICT

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._a.classes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._b.classes)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        status = self.status(index)
        if role == Qt.ItemDataRole.DisplayRole:
            if self._relations[index.row(), index.column()] == SAME:
                return "="
            return _SIGNS.get(status, "" if status else "·")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignCenter)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._context.colour(status if status in _SIGNS else "tertiary"))
        if role == Qt.ItemDataRole.BackgroundRole and status in _SIGNS:
            ground = QColor(self._context.colour(status))
            ground.setAlpha(40)
            return ground
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(index, status)
        return None

    def _tooltip(self, index: Index, status: str) -> str:
        shown = language()
        a, b = self._a.classes[index.row()].label(shown), self._b.classes[index.column()].label(shown)
        cell = self.cell(index)
        lines = [f"{a} × {b}", status_text(status)]
        if cell is not None:
            lines += [text for text in (cell.ground(shown), cell.citation()) if text]
        return "\n".join(lines)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        classes = self._a.classes if orientation == Qt.Orientation.Vertical else self._b.classes
        if not 0 <= section < len(classes):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            land = classes[section]
            return land.label(language()) if orientation == Qt.Orientation.Vertical else land.raw or "—"
        if role == Qt.ItemDataRole.ToolTipRole:
            return classes[section].label(language())
        return None


def status_text(status: str) -> str:
    """A pair's status in words."""
    if status == _NO_CONFLICT:
        return tr("No conflict")
    return verdict(status) if status else tr("Not decided by the matrix")


class MatrixEditor(QDialog):
    """Edit, copy, import, export and choose a conflict matrix for two plans.

    Args:
        context: the panel's context.
        a, b: the plans compared, read from the project.
        name: the matrix shown first.
        parent: the window it stands over.
    """

    def __init__(
        self, context: PanelContext, a: PlanSide, b: PlanSide, name: str = DEFAULT, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self.setWindowTitle(tr("Conflict matrix"))
        self.resize(900, 620)
        self._changed = False
        self.grid = MatrixGrid(context, a, b, load_matrix(context.project, name))

        self._names = combo(self._switch)
        self._fill_names(name)
        copy = button(tr("Copy as…"), self._copy)
        self._delete = button(tr("Delete"), self._delete_matrix)
        head = QHBoxLayout()
        for widget in (
            self._names,
            copy,
            self._delete,
            button(tr("Import…"), self._import),
            button(tr("Export…"), self._export),
        ):
            head.addWidget(widget)
        head.setStretch(0, 1)

        sides = label(tr("Down: {a}   Across: {b}", a=a.layer.name, b=b.layer.name), "secondary")
        key = label(
            "   ".join(
                [
                    f"✕ {verdict('fail')}",
                    f"! {verdict('needs_certificate')}",
                    f"? {verdict('cannot_judge')}",
                    f"· {tr('Not decided by the matrix')}",
                    f"= {tr('Same class')}",
                    tr("empty: no conflict"),
                ]
            ),
            "small",
        )
        self.view = QTableView()
        self.view.setModel(self.grid)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.horizontalHeader().setDefaultSectionSize(52)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.view.verticalHeader().setDefaultSectionSize(28)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.doubleClicked.connect(lambda index: self._menu(self.view.visualRect(index).center()))
        # Row lines of the window's tables would double the grid here.
        self.view.setStyleSheet("QTableView::item { border: none; padding: 0; }")
        self.view.setMouseTracking(True)
        self.view.entered.connect(self._read_out)
        self._reading = label(
            tr("Select cells, then right-click or press the button to say what they mean."), "small", wrap=True
        )
        self._reading.setMinimumHeight(self._reading.fontMetrics().lineSpacing() * 2)
        change = button(tr("Change selected cells…"), self._menu_below)
        self._change = change
        self.notice = Notice()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Save).setText(tr("Save and use"))
        buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("look", "primary")
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("Cancel"))
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)

        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(sides)
        column.addWidget(self.view, 1)
        column.addWidget(key)
        foot = QHBoxLayout()
        foot.addWidget(change)
        foot.addWidget(self._reading, 1)
        column.addLayout(foot)
        column.addWidget(self.notice)
        column.addWidget(buttons)

    @property
    def name(self) -> str:
        """The matrix chosen."""
        return self.grid.matrix.name

    def _read_out(self, index: QModelIndex) -> None:
        """Say in words what the cell under the pointer means."""
        self._reading.setText(" · ".join(str(index.data(Qt.ItemDataRole.ToolTipRole)).split("\n")))

    def _fill_names(self, chosen: str) -> None:
        self._names.clear()
        for name in matrix_names(self._context.project):
            matrix = load_matrix(self._context.project, name)
            title = matrix.title_zh if language() == "zh_CN" else matrix.title
            self._names.addItem(title or name, name)
        self._names.setCurrentIndex(max(self._names.findData(chosen), 0))

    def _switch(self) -> None:
        self.grid.set_matrix(load_matrix(self._context.project, self._names.currentData()))
        self._changed = False

    def set_status(self, indexes: list[QModelIndex], status: str) -> None:
        """Say what the pairs mean: a verdict, ``no_conflict``, or ``""`` for what the general cells say."""
        matrix = self.grid.matrix
        for index in indexes:
            own = self.grid.own_cell(index)
            if status == "":
                matrix = matrix.without_cell(own)
                continue
            base = self.grid.cell(index)
            ground = replace(base, a=own.a, b=own.b, a_kind=own.a_kind, b_kind=own.b_kind) if base else own
            edited = replace(
                ground,
                conflict=status != _NO_CONFLICT,
                verdict=Verdict.PASS.value if status == _NO_CONFLICT else status,
                confidence="high" if base and base.verdict == status else "medium",
            )
            matrix = matrix.with_cell(edited)
        self.grid.set_matrix(matrix)
        self._changed = True

    def _menu(self, point: QPoint) -> None:
        indexes = self.view.selectionModel().selectedIndexes()
        if not indexes:
            self.notice.say(tr("Select one or more cells first."))
            return
        self.notice.clear()
        menu = QMenu(self)
        choices = [_NO_CONFLICT, Verdict.NEEDS_CERTIFICATE.value, Verdict.FAIL.value]
        for status in choices:
            action = QAction(status_text(status), menu)
            action.triggered.connect(lambda _=False, chosen=status: self.set_status(indexes, chosen))
            menu.addAction(action)
        menu.addSeparator()
        general = QAction(tr("As the general cells say"), menu)
        general.triggered.connect(lambda: self.set_status(indexes, ""))
        menu.addAction(general)
        menu.exec(self.view.viewport().mapToGlobal(point))

    def _menu_below(self) -> None:
        self._menu(self.view.viewport().mapFromGlobal(self._change.mapToGlobal(self._change.rect().bottomLeft())))

    def _copy(self) -> None:
        name, ok = QInputDialog.getText(self, tr("Copy as…"), tr("Name of the copy"))
        if ok and name.strip():
            title = name.strip()
            self._store(replace(self.grid.matrix, name=title, title=title, title_zh=title))

    def _store(self, matrix: ConflictMatrix) -> bool:
        project = self._context.project
        if project is None:
            return False
        try:
            save_matrix(project, matrix)
        except PlannerError as error:
            self.notice.say(*self._context.word(error), level="error")
            return False
        self._fill_names(matrix.name)
        self.grid.set_matrix(load_matrix(project, matrix.name))
        self._changed = False
        return True

    def _delete_matrix(self) -> None:
        project, name = self._context.project, self.grid.matrix.name
        if project is None:
            return
        if not project.setting(f"planning.matrix.{name}", ""):
            self.notice.say(
                tr("This matrix comes with the program and cannot be deleted."), tr("Copy it to change it.")
            )
            return
        delete_matrix(project, name)
        self._fill_names(DEFAULT)
        self._switch()

    def _import(self) -> None:
        path = self._context.ask_open(tr("Import a conflict matrix"), "TOML (*.toml)")
        if path is None:
            return
        try:
            matrix = parse_matrix(path.read_text(encoding="utf-8"), path.name)
        except (PlannerError, UnicodeDecodeError, OSError) as error:
            self.notice.say(*self._context.word(error), level="error")
            return
        self._store(matrix)

    def _export(self) -> None:
        suggested = f"{self.grid.matrix.name}.toml"
        path: Path | None = self._context.ask_save(tr("Export the conflict matrix"), suggested, "TOML (*.toml)")
        if path is None:
            return
        try:
            path.write_text(matrix_text(self.grid.matrix), encoding="utf-8")
        except OSError as error:
            self.notice.say(*self._context.word(error), level="error")
            return
        self.notice.say(tr("Written to {file}.", file=str(path)), level="success")

    def _save(self) -> None:
        if not self._changed or self._store(self.grid.matrix):
            self.accept()
