"""The layer panel: filter, groups by plan, visibility, order by drag, and the menu of a layer."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QRect, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QDropEvent, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QInputDialog,
    QLineEdit,
    QMenu,
    QSlider,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
    QWidgetAction,
)

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.controls import EmptyState, IconButton, label, row
from planner_app.ui.controls import column as vertical
from planner_app.ui.panels.layer_model import (
    COUNT_ROLE,
    LAYER_ROLE,
    LOCK_ROLE,
    Index,
    LayerModel,
    group_layers,
    reorder,
)
from planner_app.ui.session import Session
from planner_app.ui.swatches import Colours, swatch
from planner_app.ui.sync.rights import refusal
from planner_app.ui.theme import Theme

LAYER_MENU = [
    "layer.zoom", "layer.table", "-", "layer.style", "layer.plan", "layer.rename", "layer.export", "-",
    "layer.properties", "layer.remove",
]  # fmt: skip


class _Delegate(QStyledItemDelegate):
    """Group heads in secondary ink; layers with their count at the right."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        opt = QStyleOptionViewItem(option)
        self.initStyleOption(opt, index)
        style = opt.widget.style()
        layer = index.data(LAYER_ROLE)
        painter.save()
        if layer is None:
            painter.setFont(self.theme.font(12))
            painter.setPen(self.theme.qcolour("secondary"))
            text = painter.fontMetrics().elidedText(opt.text, Qt.TextElideMode.ElideRight, opt.rect.width() - 8)
            painter.drawText(opt.rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            painter.restore()
            return
        count = index.data(COUNT_ROLE)
        shown = "" if count is None else f"{count:,}"
        small = self.theme.font(12, tabular=True)
        painter.setFont(small)
        room = painter.fontMetrics().horizontalAdvance(shown) + self.theme.px(10)
        text_rect = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, opt, opt.widget)
        lock = self.theme.px(18) if index.data(LOCK_ROLE) else 0
        width = opt.rect.right() - text_rect.left() - room - lock - self.theme.px(16)
        opt.text = opt.fontMetrics.elidedText(opt.text, Qt.TextElideMode.ElideRight, max(width, 20))
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, opt, painter, opt.widget)
        painter.setFont(small)
        painter.setPen(self.theme.qcolour("secondary" if layer.visible else "tertiary"))
        area = QRect(opt.rect.right() - room - self.theme.px(12), opt.rect.top(), room, opt.rect.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, shown)
        if lock:
            edge = self.theme.px(13)
            place = QRect(area.left() - lock, area.center().y() - edge // 2, edge, edge)
            self.theme.icon("lock", "tertiary", 13).paint(painter, place)
        painter.restore()


class LayerTree(QTreeView):
    """The tree; dropping asks ``dropped(dragged index, target index, after)``."""

    dropped = Signal(object, object, bool)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setRootIsDecorated(True)
        self.setIndentation(14)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setExpandsOnDoubleClick(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def dropEvent(self, event: QDropEvent) -> None:
        target = self.indexAt(event.position().toPoint())
        after = self.dropIndicatorPosition() == QAbstractItemView.DropIndicatorPosition.BelowItem
        if self.currentIndex().isValid() and target.isValid():
            self.dropped.emit(self.currentIndex(), target, after)
        event.setDropAction(Qt.DropAction.IgnoreAction)  # the model is redrawn from the project, nothing is moved here
        event.accept()


class LayerPanel(QFrame):
    """About 290 px at the left."""

    zoom_requested = Signal(str)
    hide_clicked = Signal()

    def __init__(
        self, session: Session, actions: ActionRegistry, role_titles: Callable[[], dict[str, str]] = dict
    ) -> None:
        super().__init__()
        self.setObjectName("layerpanel")
        self.session, self.commands, self._role_titles = session, actions, role_titles
        theme = session.theme
        self._swatches: dict[tuple[str, float, bool], QIcon] = {}
        self._colours: dict[str, Colours] = {}
        self._legends: dict[str, QIcon] = {}
        self._generation = 0
        self.model = LayerModel(self._set_visible, self)
        self.model.swatch = self._swatch
        self.model.refusal = lambda layer: refusal(session, layer)
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.model)
        self.proxy.setRecursiveFilteringEnabled(True)
        self.proxy.setAutoAcceptChildRows(True)
        self.proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.tree = LayerTree()
        self.tree.setModel(self.proxy)
        self.tree.setItemDelegate(_Delegate(theme, self.tree))
        self.tree.setIconSize(QSize(theme.px(18), theme.px(12)))
        self.tree.customContextMenuRequested.connect(self._menu)
        self.tree.doubleClicked.connect(self._double_clicked)
        self.tree.clicked.connect(self._clicked)
        self.tree.dropped.connect(self._dropped)
        self.tree.selectionModel().currentChanged.connect(self._current_changed)
        self.tree.setAccessibleName(tr("Layers"))
        self.count = label("", "small")
        self.count.setToolTip(tr("Layers shown / all layers"))
        add = IconButton(theme, "plus", tr("Import a layer…"), lambda: actions.trigger("project.import"), size=16)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter layers"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._filter)
        self._empty = EmptyState(
            theme, tr("This project has no layers yet."), tr("Import a layer…"), "layers",
            tr("Shapefile, GeoPackage, GeoJSON, GML, DXF, CSV or boundary points; files can also be dropped here."),
        )  # fmt: skip
        self._empty.clicked.connect(lambda: actions.trigger("project.import"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.tree)
        head = row(label(tr("Layers"), "title"), None, self.count, add, spacing=4, margins=(12, 6, 6, 0))
        body = vertical(
            head, row(self.filter, margins=(12, 4, 12, 6)), row(self._stack, margins=(6, 0, 0, 0)), spacing=0
        )
        self.setLayout(body)
        self.setMinimumWidth(theme.px(200))
        session.project_changed.connect(self.reload)
        session.layers_changed.connect(self.reload)
        session.data_changed.connect(self._recount)
        session.current_layer_changed.connect(self.select)
        session.sync.changed.connect(self.model.refresh)
        theme.changed.connect(self._restyle)
        self.reload()

    # showing

    def reload(self) -> None:
        """Read the registry again."""
        project = self.session.project
        layers = self.session.layers()
        plans = {plan.id: plan.name for plan in project.plans()} if project else {}
        closed = self._closed_groups()
        self._swatches.clear()
        self._colours.clear()
        self._legends.clear()
        self._generation += 1
        self.model.show(group_layers(layers, plans, self._role_titles()))
        self._stack.setCurrentIndex(1 if layers else 0)
        drawn = [layer for layer in layers if layer.geometry != "none"]
        self.count.setText(f"{sum(layer.visible for layer in drawn)} / {len(drawn)}" if layers else "")
        for number, group in enumerate(self.model.groups):
            self.tree.setExpanded(self.proxy.mapFromSource(self.model.index(number, 0)), group.key not in closed)
        self.select(self.session.current_layer)
        self._recount()

    def select(self, layer_id: str) -> None:
        """Mark the current layer."""
        index = self.proxy.mapFromSource(self.model.index_of(layer_id)) if layer_id else QModelIndex()
        flag = QItemSelectionModel.SelectionFlag
        if index.isValid():
            self.tree.selectionModel().setCurrentIndex(index, flag.ClearAndSelect)
            self.tree.scrollTo(index)
        else:
            self.tree.selectionModel().clear()

    def _closed_groups(self) -> set[str]:
        return {
            group.key
            for number, group in enumerate(self.model.groups)
            if not self.tree.isExpanded(self.proxy.mapFromSource(self.model.index(number, 0)))
        }

    def _recount(self, *_: object) -> None:
        project = self.session.project
        if project is None:
            return
        ids = [layer.id for layer in self.session.layers()]

        def show(counts: dict[str, int]) -> None:
            if self.session.project is project and counts != self.model.counts:
                self.model.counts = counts
                self.model.refresh()

        self.session.jobs.run(
            tr("Count features"), lambda _p: {i: project.count(i) for i in ids}, show, lambda _e: None, listed=False
        )

    def _restyle(self) -> None:
        self._swatches.clear()
        self.tree.viewport().update()

    def _swatch(self, layer: LayerInfo) -> QIcon:
        key = (layer.id, layer.opacity, layer.visible)
        if key not in self._swatches:
            theme = self.session.theme
            if layer.geometry == "none":
                return theme.icon("table-2", "tertiary", 14)
            colours = self.colours(layer)
            if not colours:
                return self._engine_swatch(layer)
            size, ratio = (theme.px(18), theme.px(12)), self.devicePixelRatioF()
            picture = swatch(layer.geometry, colours, *size, ratio, layer.opacity, paper=theme.is_dark())
            icon = QIcon(picture)
            icon.addPixmap(picture, QIcon.Mode.Selected)  # otherwise Qt tints the swatch of the marked row
            self._swatches[key] = icon
        return self._swatches[key]

    def _engine_swatch(self, layer: LayerInfo) -> QIcon:
        """The first legend entry as the engine draws it, for styles only QGIS knows; asked for once."""
        if layer.id in self._legends:
            return self._legends[layer.id]
        theme, engine = self.session.theme, self.session.engine
        size = theme.px(18)
        grey = swatch(layer.geometry, (), size, theme.px(12), self.devicePixelRatioF(), paper=theme.is_dark())
        self._legends[layer.id] = QIcon(grey)
        if engine is not None:
            generation = self._generation

            def show(answer: dict[str, Any]) -> None:
                entries = [entry for entry in answer.get("entries", []) if entry.get("png")]
                picture = QPixmap()
                if generation == self._generation and entries and picture.loadFromData(b64decode(entries[0]["png"])):
                    icon = QIcon(picture)
                    icon.addPixmap(picture, QIcon.Mode.Selected)
                    self._legends[layer.id] = icon
                    self.tree.viewport().update()

            engine.request("legend", {"layer": layer.id, "size": size}, show, lambda _error: None)
        return self._legends[layer.id]

    def colours(self, layer: LayerInfo) -> Colours:
        """(fill, stroke) of the layer's classes, as far as its style is one of ours."""
        if layer.id not in self._colours:
            from planner_app.domain.style import from_qml, swatches

            project = self.session.project
            qml = project.style(layer.id) if project is not None else ""
            style = from_qml(qml) if qml else None
            self._colours[layer.id] = [(fill, stroke) for _, fill, stroke in swatches(style)] if style else []
        return self._colours[layer.id]

    # doing

    def _set_visible(self, layer_ids: list[str], visible: bool) -> None:
        from planner_app.project.commands import SetLayer

        if len(layer_ids) == 1:
            self.session.execute(SetLayer(layer_ids[0], {"visible": visible}), self)
        elif layer_ids:
            from planner_app.ui.commands import ShowLayers

            self.session.execute(ShowLayers(tuple(layer_ids), visible), self)

    def _filter(self, text: str) -> None:
        self.proxy.setFilterFixedString(text.strip())
        if text:
            self.tree.expandAll()

    def _current_changed(self, current: Index, _previous: Index) -> None:
        layer = self.model.layer_at(self.proxy.mapToSource(current))
        if layer is not None:
            self.session.set_current_layer(layer.id)

    def _clicked(self, index: Index) -> None:
        if self.model.layer_at(self.proxy.mapToSource(index)) is None:
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    def _double_clicked(self, index: Index) -> None:
        layer = self.model.layer_at(self.proxy.mapToSource(index))
        if layer is not None:
            self.zoom_requested.emit(layer.id)

    def _dropped(self, dragged: Index, target: Index, after: bool) -> None:
        source, goal = self.proxy.mapToSource(dragged), self.proxy.mapToSource(target)
        order = reorder(self.model, source, goal, after)
        if order is not None:
            from planner_app.ui.commands import ArrangeLayers

            self.session.execute(ArrangeLayers(tuple(order)), self)

    def _menu(self, position: QPoint) -> None:
        index = self.tree.indexAt(position)
        source = self.proxy.mapToSource(index)
        layer = self.model.layer_at(source)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if layer is not None:
            self.session.set_current_layer(layer.id)
            self.commands.fill(menu, LAYER_MENU[:3])
            menu.addAction(self._opacity_action(menu, layer))
            self.commands.fill(menu, LAYER_MENU[3:])
        else:
            group = self.model.group_at(source)
            if group is not None:
                ids = [layer.id for layer in group.layers]
                menu.addAction(tr("Show all of this group"), lambda: self._set_visible(ids, True))
                menu.addAction(tr("Hide all of this group"), lambda: self._set_visible(ids, False))
                if group.key.startswith("plan:"):
                    self.session.set_current_layer(ids[0])
                    self.commands.fill(menu, ["-", "layer.plan"])
                menu.addSeparator()
            menu.addAction(tr("Expand all"), self.tree.expandAll)
            menu.addAction(tr("Collapse all"), self.tree.collapseAll)
            self.commands.fill(menu, ["-", "project.import"])
        menu.popup(self.tree.viewport().mapToGlobal(position))

    def _opacity_action(self, menu: QMenu, layer: LayerInfo) -> QWidgetAction:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setValue(round(layer.opacity * 100))
        slider.setMinimumWidth(self.session.theme.px(110))
        value = label(f"{layer.opacity:.0%}", "small")
        value.setMinimumWidth(self.session.theme.px(36))
        slider.valueChanged.connect(lambda v: value.setText(f"{v}%"))

        def store() -> None:
            from planner_app.project.commands import SetLayer

            self.session.execute(SetLayer(layer.id, {"opacity": slider.value() / 100}), self)

        slider.sliderReleased.connect(store)
        box = QWidget()
        box.setLayout(row(label(tr("Opacity")), slider, value, spacing=8, margins=(34, 4, 10, 4)))
        action = QWidgetAction(menu)
        action.setDefaultWidget(box)
        return action

    def rename_current(self) -> None:
        """Ask for a new name of the current layer."""
        from planner_app.project.commands import RenameLayer

        layer = self.session.layer(self.session.current_layer)
        if layer is None:
            return
        name, accepted = QInputDialog.getText(self, tr("Rename layer"), tr("Name"), text=layer.name)
        if accepted and name.strip() and name.strip() != layer.name:
            self.session.execute(RenameLayer(layer.id, name.strip()), self)
