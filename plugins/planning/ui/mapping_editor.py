"""The project's mapping table: what values that no crosswalk explains mean in the 2023 classification guide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.plugin_api.model import PlannerError
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Notice, label
from plugins.planning.model.crosswalk import (
    MAPPING_SETTING,
    Crosswalk,
    LandClass,
    read_mapping,
    standard,
    write_mapping,
)
from plugins.planning.model.plan_side import PlanSide
from plugins.planning.ui.words import either

_NOTHING = ""


class MappingEditor(QDialog):
    """Lists each plan's class values, unexplained ones first; a code of the guide can be given to any.

    Args:
        context: the panel's context.
        sides: the plans compared, read from the project.
        parent: the window it stands over.
    """

    def __init__(self, context: PanelContext, sides: Sequence[PlanSide], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setWindowTitle(tr("Class mapping"))
        self.resize(960, 600)
        project = context.project
        self._mapping = read_mapping(project.setting(MAPPING_SETTING, "")) if project else {}
        self._crosswalk = Crosswalk(self._mapping)
        self._rows: list[tuple[str, str]] = []
        self._combos: list[QComboBox] = []

        explanation = label(
            tr(
                "Two plans are compared in the 2023 classification guide. "
                "Give values that it cannot explain a code here; the table is kept in the project."
            ),
            "secondary",
            wrap=True,
        )
        self._only_unmapped = QCheckBox(tr("Only values without a meaning"))
        self._only_unmapped.toggled.connect(self._filter)
        heads = [tr("Plan"), tr("Value"), tr("Features"), tr("Means so far"), tr("Code of the 2023 guide")]
        self.table = QTableWidget(0, len(heads))
        self.table.setHorizontalHeaderLabels(heads)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.notice = Notice()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Save).setText(tr("Save"))
        buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("look", "primary")
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("Cancel"))
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        for widget in (explanation, self._only_unmapped, self.table, self.notice, buttons):
            column.addWidget(widget)
        for side in sides:
            self._add_side(side)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.resizeColumnsToContents()
        for place, widest in enumerate((150, 230, 84, 230)):
            header.resizeSection(place, min(header.sectionSize(place) + 12, widest))
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        if not self._rows:
            self.notice.say(tr("The chosen layers have no class values."))

    def _add_side(self, side: PlanSide) -> None:
        counts = Counter(side.class_index.tolist())
        order = sorted(range(len(side.classes)), key=lambda at: (side.classes[at].mapped, -counts[at]))
        for at in order:
            land = side.classes[at]
            if land.raw is not None:
                self._add_row(side, land, counts[at])

    def _add_row(self, side: PlanSide, land: LandClass, features: int) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        found = Crosswalk({}).classify(land.raw, side.standard)
        meaning = _class_names(found.codes) if found.mapped else tr("nothing known")
        if found.mapped and found.approximate:
            meaning = f"≈ {meaning}"
        for column, text in enumerate((side.layer.name, land.label(), f"{features:,}", meaning)):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            if column == 2:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
        own = self._mapping.get(side.standard, {}).get(land.raw or "")
        chooser = _code_chooser(own)
        self.table.setCellWidget(row, 4, chooser)
        self._rows.append((side.standard, land.raw or ""))
        self._combos.append(chooser)

    def _filter(self, only_unmapped: bool) -> None:
        for row, (name, raw) in enumerate(self._rows):
            known = Crosswalk({}).classify(raw, name).mapped
            self.table.setRowHidden(row, only_unmapped and known)

    def mapping(self) -> dict[str, dict[str, str]]:
        """The table as edited: {standard: {value: code}}; values of other layers are kept."""
        edited = {name: dict(lines) for name, lines in self._mapping.items()}
        for (name, raw), chooser in zip(self._rows, self._combos, strict=True):
            code = chooser.currentData() if chooser.currentIndex() >= 0 else chooser.currentText().strip()
            if chooser.currentText().strip() == _NOTHING:
                code = _NOTHING
            if code:
                edited.setdefault(name, {})[raw] = str(code).split(" ", 1)[0]
            else:
                edited.get(name, {}).pop(raw, None)
        return {name: lines for name, lines in edited.items() if lines}

    def _save(self) -> None:
        project = self._context.project
        if project is None:
            self.reject()
            return
        try:
            project.set_setting(MAPPING_SETTING, write_mapping(self.mapping()))
        except PlannerError as error:
            self.notice.say(*self._context.word(error), level="error")
            return
        self.accept()


def _class_names(codes: Sequence[str]) -> str:
    classes = standard("mnr2023").classes
    return " / ".join(f"{code} {either(classes[code]['zh'], classes[code]['en'])}" for code in codes if code in classes)


def _code_chooser(code: str | None) -> QComboBox:
    chooser = QComboBox()
    chooser.setEditable(True)
    chooser.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    chooser.addItem(_NOTHING, _NOTHING)
    for key, line in standard("mnr2023").classes.items():
        chooser.addItem(f"{key} {either(line['zh'], line['en'])}", key)
    completer = QCompleter(chooser.model(), chooser)
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
    chooser.setCompleter(completer)
    if (editor := chooser.lineEdit()) is not None:
        editor.setPlaceholderText(tr("as the crosswalk says"))
    chooser.setCurrentIndex(max(chooser.findData(code), 0) if code else 0)
    chooser.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return chooser
