"""The form of one feature: every attribute under its name, its size on both bases; saved as one undoable edit."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFormLayout, QFrame, QLineEdit, QScrollArea, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr
from planner_app.ui.canvas.feature_text import feature_name, shown, sizes
from planner_app.ui.controls import IconButton, Notice, button, column, label, line, row
from planner_app.ui.panels.attribute_model import parse_cell
from planner_app.ui.session import Session


class FeatureForm(QFrame):
    """Stands at the right of the attribute table; shows the first selected feature of the current layer."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._layer: LayerInfo | None = None
        self._fid = 0
        self._values: dict[str, Any] = {}
        self._editors: dict[str, QLineEdit | QCheckBox] = {}
        self._generation = 0
        self.title = label("", "heading")
        self.measure = label("", "small", wrap=True)
        self.notice = Notice(session.theme)
        self._earlier = IconButton(
            session.theme, "arrow-left", tr("Previous selected feature"), lambda: self._step(-1), size=14
        )
        self._later = IconButton(
            session.theme, "arrow-right", tr("Next selected feature"), lambda: self._step(1), size=14
        )
        self._fields = QWidget()
        self._form = QFormLayout(self._fields)
        self._form.setContentsMargins(12, 6, 12, 6)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self._fields)
        self.save = button(tr("Save"), self._save, "primary")
        self.reset = button(tr("Reset"), self.reload)
        foot = row(self.save, self.reset, None, margins=(12, 6, 12, 8))
        body = column(row(self.title, None, self._earlier, self._later, margins=(12, 6, 6, 0)), spacing=2)
        body.addLayout(row(self.measure, margins=(12, 0, 12, 4)))
        body.addWidget(self.notice)
        body.addWidget(line())
        body.addWidget(area, 1)
        body.addLayout(foot)
        self.setLayout(body)
        self.setMinimumWidth(session.theme.px(280))

    def reload(self) -> None:
        """Show the first selected feature again, as it is stored."""
        if self.isVisible():
            layer = self.session.layer(self.session.current_layer)
            fids = self.session.selection.fids(layer.id) if layer is not None else ()
            self._show(layer, self._fid if self._fid in fids else (fids[0] if fids else 0))

    def _step(self, by: int) -> None:
        if self._layer is not None:
            fids = self.session.selection.fids(self._layer.id)
            if self._fid in fids:
                self._show(self._layer, fids[(fids.index(self._fid) + by) % len(fids)])

    def _show(self, layer: LayerInfo | None, fid: int) -> None:
        self._generation += 1
        generation, project = self._generation, self.session.project
        self.notice.hide()
        if layer is None or project is None or not fid:
            self._fill(None, 0, {}, ())
            return

        def work(_progress: object) -> tuple[dict[str, Any], tuple[str, ...]]:
            table = project.read(layer.id, fids=[fid])
            if not len(table):
                return {}, ()
            return {name: cells[0] for name, cells in table.columns.items()}, sizes(table.geometry[0], project.crs)

        def show(result: tuple[dict[str, Any], tuple[str, ...]]) -> None:
            if generation == self._generation:
                self._fill(layer, fid, *result)

        self.session.jobs.run(tr("Read a feature"), work, show, listed=False)

    def _fill(self, layer: LayerInfo | None, fid: int, values: dict[str, Any], size: tuple[str, ...]) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        self._editors.clear()
        self._layer, self._fid, self._values = layer, fid, values
        several = layer is not None and len(self.session.selection.fids(layer.id)) > 1
        self._earlier.setVisible(several)
        self._later.setVisible(several)
        if layer is None or not values:
            self.title.setText(tr("No feature selected"))
            self.measure.setText(tr("Select one on the map or in the table."))
            self.save.setEnabled(False)
            self.reset.setEnabled(False)
            return
        self.title.setText(feature_name(layer, values) or tr("Feature {fid}", fid=fid))
        self.measure.setText("\n".join(size))
        for info in layer.fields:
            if info.type == "blob":
                continue
            value = values.get(info.name)
            editor: QLineEdit | QCheckBox
            if info.type == "boolean":
                editor = QCheckBox()
                editor.setChecked(bool(value))
            else:
                editor = QLineEdit("" if value is None else str(value))
                editor.setCursorPosition(0)
                if info.type in ("integer", "real"):
                    editor.setPlaceholderText(shown(None))
                    editor.setFont(self.session.theme.font(tabular=True))
                editor.returnPressed.connect(self._save)
            editor.setEnabled(not layer.locked)
            self._editors[info.name] = editor
            self._form.addRow(label(info.alias or info.name, "secondary"), editor)
        self.save.setEnabled(not layer.locked)
        self.reset.setEnabled(True)

    def _save(self) -> None:
        if self._layer is None:
            return
        changed: dict[str, Any] = {}
        for info in self._layer.fields:
            editor = self._editors.get(info.name)
            if editor is None:
                continue
            old = self._values.get(info.name)
            if isinstance(editor, QCheckBox):
                value: Any = editor.isChecked()
                same = value == bool(old)
            else:
                if editor.text() == ("" if old is None else str(old)):
                    continue
                try:
                    value = parse_cell(info, editor.text())
                except PlannerError as error:
                    self.notice.show_text(self.session.word(error)[0], "error")
                    editor.setFocus()
                    return
                same = value == old
            if not same:
                changed[info.name] = value
        if changed:
            from planner_app.ui.commands import EditFeature

            self.session.execute(EditFeature(self._layer.id, self._layer.name, self._fid, changed), self)
