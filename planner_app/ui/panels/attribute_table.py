"""The attribute table tab: rows of the current layer, filter, sort, edit; selection goes both ways."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QMenu, QSizePolicy, QStackedWidget, QWidget

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.controls import EmptyState, IconButton, Notice, column, label, row
from planner_app.ui.panels.attribute_model import AttributeModel, split_filter
from planner_app.ui.session import Session
from planner_app.ui.tables import fit_columns, select_rows, table_view

_SELECT_LIMIT = 50_000


class AttributeTable(QWidget):
    """One table for all layers; it follows the current layer of the layer panel."""

    zoom_requested = Signal(str, list)

    def __init__(self, session: Session, actions: ActionRegistry) -> None:
        super().__init__()
        self.session, self.commands = session, actions
        theme = session.theme
        self.layers = QComboBox()
        self.layers.setMinimumWidth(theme.px(110))
        self.layers.setMaximumWidth(theme.px(220))
        self.layers.setAccessibleName(tr("Layer"))
        self.layers.activated.connect(lambda _: session.set_current_layer(self.layers.currentData() or ""))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter: text, or =expression such as =far > 2.5"))
        self.filter.setClearButtonEnabled(True)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(250)
        self._delay.timeout.connect(self.reload)
        self.filter.textChanged.connect(lambda _: self._delay.start())
        self.only_selected = IconButton(
            theme, "list-filter", tr("Only selected rows"), self.reload, size=16, checkable=True
        )
        self.select_all = IconButton(
            theme, "list-checks", tr("Select all filtered rows"), self.select_filtered, size=16
        )
        self.zoom = IconButton(theme, "focus", tr("Zoom to the selected features"), self._zoom, size=16)
        self.form = IconButton(
            theme, "square-pen", tr("Feature form (F4)"), partial(actions.trigger, "edit.form"), size=16
        )
        self.filter.setMinimumWidth(theme.px(60))
        self.count = label("", "small")
        self.count.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)  # never less than its words
        self.notice = Notice(theme)
        self.model = AttributeModel(session, self)
        self.view = table_view(theme)
        self.view.setModel(self.model)
        self.view.horizontalHeader().setSectionsClickable(True)
        self.view.horizontalHeader().setSortIndicatorShown(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.horizontalHeader().sortIndicatorChanged.connect(lambda *_: self.reload())
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.selectionModel().selectionChanged.connect(self._table_selected)
        self._empty = EmptyState(
            theme, tr("Choose a layer at the left to see its attributes."), tr("Import a layer…"), "table-2"
        )
        self._empty.clicked.connect(lambda: actions.trigger("project.import"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.view)
        tools = row(spacing=4, margins=(12, 6, 8, 6))
        for part in (self.layers, self.filter):
            tools.addWidget(part, 1 if part is self.filter else 0)
        for tool in (self.only_selected, self.select_all, self.zoom, self.form):
            tools.addWidget(tool)
        tools.addSpacing(4)
        tools.addWidget(self.count)
        body = column(tools, self.notice, spacing=0)
        body.addWidget(self._stack, 1)
        self.setLayout(body)
        self._quiet = False
        self._generation = 0
        self._stale = True
        session.project_changed.connect(self._project_changed)
        session.layers_changed.connect(self._fill_layers)
        session.current_layer_changed.connect(self._layer_changed)
        session.data_changed.connect(self._data_changed)
        session.selection.changed.connect(self._selection_changed)
        self._project_changed()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        if self._stale:
            self.reload()

    # following the session

    def _project_changed(self) -> None:
        self.filter.clear()
        self._fill_layers()
        self._layer_changed("")

    def _fill_layers(self) -> None:
        self.layers.clear()
        for layer in self.session.layers():
            self.layers.addItem(layer.name, layer.id)
        self.layers.setCurrentIndex(self.layers.findData(self.session.current_layer))
        self.layers.setEnabled(self.layers.count() > 0)
        current = self.session.layer(self.session.current_layer)
        if self.model.layer is not None and current is not None and current.fields != self.model.layer.fields:
            self.reload()

    def _layer_changed(self, layer_id: str) -> None:
        self.layers.setCurrentIndex(self.layers.findData(layer_id))
        blocked = self.view.horizontalHeader().blockSignals(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.horizontalHeader().blockSignals(blocked)
        self._delay.stop()
        blocked = self.filter.blockSignals(True)
        self.filter.clear()
        self.filter.blockSignals(blocked)
        self.only_selected.setChecked(False)
        self.reload()

    def _data_changed(self, change: ChangeSet, _initiator: object) -> None:
        layer = self.model.layer
        touch = next((t for t in change.touches if layer is not None and t.table == layer.id), None)
        if touch is None:
            return
        if touch.inserted or touch.deleted or self.filter.text():
            self.reload()
        else:
            self.model.forget(change)

    def reload(self) -> None:
        """Read the order of rows again, off the UI thread."""
        if not self.isVisible():
            self._stale = True
            return
        self._stale = False
        self._generation += 1
        generation = self._generation
        project, layer = self.session.project, self.session.layer(self.session.current_layer)
        if project is None or layer is None:
            self.model.show(None, [])
            self._show_state()
            return
        text, where = split_filter(self.filter.text())
        header = self.view.horizontalHeader()
        section = header.sortIndicatorSection()
        name = layer.fields[section - 1].name if 0 < section <= len(layer.fields) else "fid"
        descending = header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
        chosen = set(self.session.selection.fids(layer.id)) if self.only_selected.isChecked() else None

        def work(_progress: object) -> list[int]:
            fids = project.fid_list(layer.id, order_by=name, descending=descending, filter_text=text, where=where)
            return fids if chosen is None else [f for f in fids if f in chosen]

        def show(fids: list[int]) -> None:
            if generation == self._generation:
                fresh = self.model.layer is None or self.model.layer.id != layer.id
                self.notice.hide()
                self.model.show(layer, fids)
                if fresh:
                    fit_columns(self.view, self.session.theme)
                self._show_state()
                self._selection_changed()

        def failed(error: Exception) -> None:
            if generation == self._generation:
                text, hint = self.session.word(error)
                if isinstance(error, PlannerError) and self.filter.text().startswith("="):
                    hint = hint or tr("Write column names as in the head, text in 'single quotes': =class = 'R2'")
                self.notice.show_text(text, "error", hint)

        self.session.jobs.run(tr("Read attributes"), work, show, failed, listed=False)

    def _show_state(self) -> None:
        self._stack.setCurrentIndex(1 if self.model.layer is not None else 0)
        shown = self.model.rowCount()
        self.count.setText(tr("{count} rows", count=f"{shown:,}") if self.model.layer is not None else "")
        for part in (self.filter, self.only_selected, self.select_all, self.zoom, self.form):
            part.setEnabled(self.model.layer is not None)

    # selection, both ways

    def _table_selected(self) -> None:
        if self._quiet or self.model.layer is None:
            return
        fids = [self.model.fids[index.row()] for index in self.view.selectionModel().selectedRows()]
        self._quiet = True
        self.session.selection.set(self.model.layer.id, fids)
        self._quiet = False

    def _selection_changed(self) -> None:
        if self._quiet or self.model.layer is None or not self.isVisible():
            return
        if self.only_selected.isChecked():
            self.reload()
        chosen = self.session.selection.fids(self.model.layer.id)[:_SELECT_LIMIT]
        rows = [row for row in map(self.model.row_of, chosen) if row >= 0]
        self._quiet = True
        select_rows(self.view, [self.model.index(row, 0) for row in rows])
        self._quiet = False

    def select_filtered(self) -> None:
        """Select every row the filter leaves."""
        if self.model.layer is not None:
            self.session.selection.set(self.model.layer.id, self.model.fids)

    def show_selected(self) -> None:
        """Open the layer with selected features and show them."""
        chosen = self.session.selection.layer_ids()
        if chosen and self.session.current_layer not in chosen:
            self.session.set_current_layer(chosen[0])
        self._selection_changed()

    def _zoom(self) -> None:
        if self.model.layer is not None:
            self.zoom_requested.emit(self.model.layer.id, list(self.session.selection.fids(self.model.layer.id)))

    def _menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Zoom to the selected features"), self._zoom)
        menu.addAction(tr("Copy rows"), self._copy)
        menu.addSeparator()
        self.commands.fill(menu, ["edit.delete", "layer.export"])
        menu.popup(self.view.viewport().mapToGlobal(position))

    def _copy(self) -> None:
        from PySide6.QtGui import QGuiApplication

        columns = range(self.model.columnCount())
        lines = ["\t".join(str(self.model.headerData(c, Qt.Orientation.Horizontal)) for c in columns)]
        lines += [
            "\t".join(str(self.model.data(self.model.index(index.row(), c)) or "") for c in columns)
            for index in self.view.selectionModel().selectedRows()
        ]
        QGuiApplication.clipboard().setText("\n".join(lines))
