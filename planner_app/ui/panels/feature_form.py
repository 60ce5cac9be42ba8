"""The form of one feature: every attribute under its name, its size on both bases; saved as one undoable edit."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLineEdit, QWidget

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr
from planner_app.ui.canvas.feature_text import feature_name, sizes
from planner_app.ui.controls import IconButton, Notice, ThemedIcon, button, column, label, line, row
from planner_app.ui.panels.attribute_model import parse_cell
from planner_app.ui.panels.feature_facts import FactsView
from planner_app.ui.session import Session
from planner_app.ui.sync.rights import refusal, remark


class FeatureForm(QWidget):
    """Shows a selected feature; with several selected it steps through them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._layer: LayerInfo | None = None
        self._fid = 0
        self._values: dict[str, Any] = {}
        self._editors: dict[str, QLineEdit | QCheckBox] = {}
        self._generation = 0
        theme = session.theme
        self.title = label("", "heading", wrap=True)
        self.measure = label("", "small", wrap=True, selectable=True)
        self.notice = Notice(theme)
        self._lock = ThemedIcon(theme, "lock", 14, "needs_certificate")
        self._right = label("", "small", wrap=True)
        self._earlier = IconButton(
            theme, "arrow-left", tr("Previous selected feature"), lambda: self._step(-1), size=14
        )
        self._later = IconButton(theme, "arrow-right", tr("Next selected feature"), lambda: self._step(1), size=14)
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(7)
        self.save = button(tr("Save"), self._save, "primary")
        self.facts = FactsView(session)
        self.reset = button(tr("Reset"), self.reload)
        self.log = button(tr("Server log…"), session.log_asked.emit, "link")
        head = row(spacing=2)
        head.addWidget(self.title, 1)
        head.addWidget(self._earlier)
        head.addWidget(self._later)
        guarded = row(spacing=6)
        guarded.addWidget(self._lock, 0, Qt.AlignmentFlag.AlignTop)
        guarded.addWidget(self._right, 1)
        body = column(head, self.measure, guarded, self.notice, line(), spacing=8, margins=(14, 4, 14, 12))
        body.addLayout(self._form)
        body.addLayout(row(self.save, self.reset, None, self.log))
        body.addWidget(self.facts)
        body.addStretch(1)
        self.setLayout(body)
        session.selection.changed.connect(self.reload)
        session.data_changed.connect(self._data_changed)
        session.project_changed.connect(self.reload)
        session.sync.changed.connect(self._show_right)
        self._fill(None, 0, {}, ())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()

    def _data_changed(self, change: ChangeSet, initiator: object) -> None:
        touch = next((one for one in change.touches if self._layer is not None and one.table == self._layer.id), None)
        if self._layer is None or not (change.registry or touch is not None):
            return
        if initiator is self or not self._typed():
            self.reload()
        elif touch is not None and (touch.fids is None or self._fid in touch.fids):
            # What somebody else did must not wipe out what is being typed.
            hint = tr("“Reset” shows what is stored now; “Save” writes what you typed over it.")
            self.notice.show_text(tr("This feature was changed elsewhere meanwhile."), "info", hint)

    def _typed(self) -> bool:
        """True if something was typed and not yet saved."""
        for name, editor in self._editors.items():
            old = self._values.get(name)
            if isinstance(editor, QCheckBox):
                if editor.isChecked() != bool(old):
                    return True
            elif editor.text() != ("" if old is None else str(old)):
                return True
        return False

    def reload(self) -> None:
        """Show the first selected feature (or the one shown before) as it is stored."""
        if not self.isVisible():
            return
        chosen = self.session.selection.layer_ids()
        current = self.session.current_layer
        layer = self.session.layer(current if current in chosen else chosen[0]) if chosen else None
        fids = self.session.selection.fids(layer.id) if layer is not None else ()
        same = self._layer is not None and layer is not None and self._layer.id == layer.id and self._fid in fids
        self._show(layer, self._fid if same else (fids[0] if fids else 0))

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

        def failed(error: Exception) -> None:
            self._fill(None, 0, {}, ())
            self.notice.show_text(*_error(self.session.word(error)))

        self.session.jobs.run(tr("Read a feature"), work, show, failed, listed=False)

    def _fill(self, layer: LayerInfo | None, fid: int, values: dict[str, Any], size: tuple[str, ...]) -> None:
        while self._form.rowCount():
            self._form.removeRow(0)
        self._editors.clear()
        self._layer, self._fid, self._values = layer, fid, values
        self.facts.show_feature(layer if values else None, fid)
        several = layer is not None and len(self.session.selection.fids(layer.id)) > 1
        shown = layer is not None and bool(values)
        for part in (self._earlier, self._later):
            part.setVisible(several)
        for knob in (self.save, self.reset):
            knob.setVisible(shown)
        self._show_right()
        if layer is None or not values:
            self.title.setText(tr("No feature selected"))
            self.measure.setText(tr("Select one on the map or in the table."))
            return
        name = feature_name(layer, values) or tr("Feature {fid}", fid=fid)
        self.title.setText(f"{layer.name} · {name}")
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
                    editor.setFont(self.session.theme.font(tabular=True))
                elif info.type == "date":
                    editor.setPlaceholderText("YYYY-MM-DD")
                editor.returnPressed.connect(self._save)
            refused = refusal(self.session, layer, info.name)
            editor.setEnabled(not refused)
            editor.setToolTip(refused)
            self._editors[info.name] = editor
            self._form.addRow(label(info.alias or info.name, "secondary"), editor)
        self.save.setEnabled(any(editor.isEnabled() for editor in self._editors.values()))

    def _show_right(self) -> None:
        """Say before an edit what may not be edited."""
        text = remark(self.session, self._layer) if self._layer is not None else ""
        for part in (self._lock, self._right):
            part.setVisible(bool(text))
        self.log.setVisible(self.save.isVisibleTo(self) and bool(self.session.sync.conninfo))
        self._right.setText(text)

    def changed_values(self) -> dict[str, Any]:
        """Fields whose editor differs from what is stored.

        Raises:
            PlannerError: a typed value makes no sense for its field.
        """
        changed: dict[str, Any] = {}
        for info in self._layer.fields if self._layer is not None else ():
            editor, old = self._editors.get(info.name), self._values.get(info.name)
            if isinstance(editor, QCheckBox):
                if editor.isChecked() != bool(old):
                    changed[info.name] = editor.isChecked()
            elif editor is not None and editor.text() != ("" if old is None else str(old)):
                value = parse_cell(info, editor.text())
                if value != old:
                    changed[info.name] = value
        return changed

    def _save(self) -> None:
        if self._layer is None:
            return
        try:
            changed = self.changed_values()
        except PlannerError as error:
            self.notice.show_text(*_error(self.session.word(error)))
            return
        if changed:
            from planner_app.ui.commands import EditFeature

            self.session.execute(EditFeature(self._layer.id, self._layer.name, self._fid, changed), self)


def _error(worded: tuple[str, str]) -> tuple[str, str, str]:
    return worded[0], "error", worded[1]
