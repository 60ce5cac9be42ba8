"""The form of an asset: its columns with the choices of CJJ 61; saved as one step to undo. And its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from planner_app.domain.layer import FieldInfo
from planner_app.i18n import tr
from planner_app.plugin_api.model import Command
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Form, TaskDialog, combo
from plugins.tunnel.model.assets.edit import CHOICES
from plugins.tunnel.model.assets.overview import Details
from plugins.tunnel.ui.assets import words

#: Columns that commands of their own write.
_NOT_HERE = ("status", "source", "deviation_m", "outline")


class AssetForm(TaskDialog):
    """Every column of an asset but its state, which has commands of its own.

    Args:
        stored: cells as they are; shown: what the form begins with, where that is more.
        make: the command that writes what differs from ``stored``; saved: called with it when that is done.
    """

    def __init__(
        self, context: PanelContext, title: str, columns: Sequence[FieldInfo], stored: Mapping[str, Any],
        make: Callable[[dict[str, Any]], Command], parent: QWidget | None = None, *,
        shown: Mapping[str, Any] | None = None, saved: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(context, title, tr("Save"), parent)
        self._stored, self._make, self._saved = stored, make, saved
        self.editors: dict[str, QWidget] = {}
        self._fields: dict[str, FieldInfo] = {}
        form = Form()
        for info in columns:
            if info.name not in _NOT_HERE and info.type != "blob":
                self._fields[info.name] = info
                self.editors[info.name] = self._editor(info, (stored if shown is None else shown).get(info.name))
                form.add(words.caption(info), self.editors[info.name])
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(form)
        self.body.addWidget(area, 1)
        self.resize(440, min(620, 120 + 34 * len(self.editors)))

    def _editor(self, info: FieldInfo, value: Any) -> QWidget:
        if info.type == "boolean":
            box = QCheckBox()
            box.setChecked(bool(value))
            return box
        if info.name in CHOICES:
            chooser = combo()
            chooser.setEditable(True)
            for one in CHOICES[info.name]:
                shown = f"{one} {words.kind(one)}" if info.name == "kind_code" else words.cell(info.name, one)
                chooser.addItem(shown if info.name != "z_ref" else words.word_of(one), one)
            at = chooser.findData(value)
            if at >= 0:
                chooser.setCurrentIndex(at)
            else:
                chooser.setCurrentIndex(-1)
                chooser.setEditText("" if value is None else str(value))
            return chooser
        line = QLineEdit("" if value is None else str(value))
        line.setCursorPosition(0)
        if info.type == "date":
            line.setPlaceholderText("YYYY-MM-DD")
        return line

    def changed(self) -> dict[str, Any]:
        """Columns whose editor differs from what is stored.

        Raises:
            ValueError: a number is none.
        """
        found: dict[str, Any] = {}
        for name, editor in self.editors.items():
            old, info = self._stored.get(name), self._fields[name]
            if isinstance(editor, QCheckBox):
                value: Any = editor.isChecked()
                old = bool(old)
            else:
                text = _text(editor).strip()
                value = text or None
                if value is not None and info.type == "integer":
                    value = int(text)
                elif value is not None and info.type == "real":
                    value = float(text)
            if value != old:
                found[name] = value
        return found

    def apply(self) -> None:
        """Save what was changed."""
        try:
            values = self.changed()
        except ValueError as error:
            self.notice.say(tr("A number cannot be read: {detail}", detail=str(error)), level="error")
            return
        project = self.context.project
        if project is None or (self._stored and not values):
            self.accept()
            return

        def work(_progress: object) -> object:
            return project.execute(self._make(values))

        def done(_entry: object) -> None:
            self.accept()
            if self._saved is not None:
                self._saved(values)

        self.run(tr("Saving the asset"), work, done)


def _text(editor: QWidget) -> str:
    if isinstance(editor, QComboBox):
        at = editor.findText(editor.currentText())
        return str(editor.itemData(at)) if at >= 0 else editor.currentText()
    return editor.text() if isinstance(editor, QLineEdit) else ""


class HistoryDialog(TaskDialog):
    """States of an asset with who, when and why."""

    def __init__(self, context: PanelContext, details: Details, parent: QWidget | None = None) -> None:
        super().__init__(context, tr("History of {code}", code=details.row.code), "", parent)
        table = QTableWidget(len(details.events), 5)
        table.setHorizontalHeaderLabels([tr("When"), tr("State"), tr("Who"), tr("Why"), tr("Source")])
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        for at, one in enumerate(details.events):
            change = words.status(one.now)
            if one.was and one.was != one.now:
                change = f"{words.status(one.was)} → {change}"
            cells = (one.time.replace("T", " ").removesuffix("Z") + " UTC", change, one.by, one.note, one.source)
            for column, text in enumerate(cells):
                table.setItem(at, column, QTableWidgetItem(text))
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setStretchLastSection(True)
        if not details.events:
            self.notice.say(tr("No change of state was recorded yet."))
        self.body.addWidget(table)
        self.resize(640, 300)
