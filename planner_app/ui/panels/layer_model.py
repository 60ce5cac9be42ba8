"""The layer tree's rows: layers grouped by the plan they belong to, in drawing order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr

Index = QModelIndex | QPersistentModelIndex
LAYER_ROLE = Qt.ItemDataRole.UserRole
COUNT_ROLE = Qt.ItemDataRole.UserRole + 1
GROUP_ROLE = Qt.ItemDataRole.UserRole + 2
LOCK_ROLE = Qt.ItemDataRole.UserRole + 3
_ROOT = 0xFFFF


@dataclass(frozen=True)
class Group:
    """A plan's layers, or those of no plan."""

    key: str
    title: str
    layers: tuple[LayerInfo, ...]


def group_layers(layers: list[LayerInfo], plan_names: dict[str, str], role_titles: dict[str, str]) -> list[Group]:
    """Group layers by plan; groups stand in the order of their topmost layer."""
    titles: dict[str, str] = {}
    members: dict[str, list[LayerInfo]] = {}
    for layer in sorted(layers, key=lambda layer: layer.position):
        if layer.plan_id and layer.plan_id in plan_names:
            key, title = f"plan:{layer.plan_id}", plan_names[layer.plan_id]
        elif layer.role:
            title = role_titles.get(layer.role, layer.role)
            key = f"role:{title}"  # roles of one title stand together
        else:
            key, title = "other", tr("Other layers")
        titles.setdefault(key, title)
        members.setdefault(key, []).append(layer)
    return [Group(key, titles[key], tuple(members[key])) for key in members]


class LayerModel(QAbstractItemModel):
    """Two levels: groups, layers. Checking asks ``set_visible(layer ids, visible)``; the change comes back as data."""

    def __init__(self, set_visible: Callable[[list[str], bool], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.groups: list[Group] = []
        self.counts: dict[str, int] = {}
        self._set_visible = set_visible
        self.swatch: Callable[[LayerInfo], Any] = lambda _layer: None
        self.refusal: Callable[[LayerInfo], str] = lambda _layer: ""

    def show(self, groups: list[Group]) -> None:
        """Show these groups; only what changed is announced where the structure is the same."""
        same = [(g.key, g.title, [layer.id for layer in g.layers]) for g in self.groups] == [
            (g.key, g.title, [layer.id for layer in g.layers]) for g in groups
        ]
        if same:
            self.groups = groups
            self.refresh()
            return
        self.beginResetModel()
        self.groups = groups
        self.endResetModel()

    def refresh(self) -> None:
        """Everything may look different; the rows are the same."""
        for row, group in enumerate(self.groups):
            top = self.index(row, 0)
            self.dataChanged.emit(top, top)
            if group.layers:
                self.dataChanged.emit(self.index(0, 0, top), self.index(len(group.layers) - 1, 0, top))

    def layer_at(self, index: Index) -> LayerInfo | None:
        """The layer of a row, None for a group."""
        if not index.isValid() or index.internalId() == _ROOT:
            return None
        return self.groups[index.internalId()].layers[index.row()]

    def group_at(self, index: Index) -> Group | None:
        """The group of a group row or of a layer's row."""
        if not index.isValid():
            return None
        return self.groups[index.row() if index.internalId() == _ROOT else index.internalId()]

    def index_of(self, layer_id: str) -> QModelIndex:
        """The row of a layer, an invalid index if it is not shown."""
        for row, group in enumerate(self.groups):
            for number, layer in enumerate(group.layers):
                if layer.id == layer_id:
                    return self.createIndex(number, 0, row)
        return QModelIndex()

    # QAbstractItemModel

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        if not parent.isValid():
            return self.createIndex(row, column, _ROOT) if row < len(self.groups) else QModelIndex()
        return self.createIndex(row, column, parent.row())

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override] # noqa: B008
        if not index.isValid() or index.internalId() == _ROOT:
            return QModelIndex()
        return self.createIndex(int(index.internalId()), 0, _ROOT)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        if not parent.isValid():
            return len(self.groups)
        return len(self.groups[parent.row()].layers) if parent.internalId() == _ROOT else 0

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 1

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        if self.layer_at(index) is None:
            return flag.ItemIsEnabled | flag.ItemIsDragEnabled | flag.ItemIsDropEnabled
        flags = flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsDragEnabled | flag.ItemNeverHasChildren
        return (
            flags | flag.ItemIsUserCheckable if self.data(index, Qt.ItemDataRole.CheckStateRole) is not None else flags
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        layer = self.layer_at(index)
        if layer is None:
            group = self.group_at(index)
            if group is None:
                return None
            if role == Qt.ItemDataRole.DisplayRole:
                return group.title
            return group if role == GROUP_ROLE else None
        if role == Qt.ItemDataRole.DisplayRole:
            return layer.name
        if role == Qt.ItemDataRole.CheckStateRole:
            if layer.geometry == "none":  # a table: nothing to show on the map
                return None
            return Qt.CheckState.Checked if layer.visible else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole:
            return self.swatch(layer)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (layer.name, self.refusal(layer))))
        if role == LOCK_ROLE:
            return bool(self.refusal(layer))
        if role == LAYER_ROLE:
            return layer
        if role == COUNT_ROLE:
            return self.counts.get(layer.id)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        layer = self.layer_at(index)
        if layer is None or role != Qt.ItemDataRole.CheckStateRole:
            return False
        self._set_visible([layer.id], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


def reorder(model: LayerModel, dragged: Index, target: Index, after: bool) -> list[str] | None:
    """The drawing order after a drop, or None where the drop means nothing.

    Layers move inside their group; a group moves as a whole (a drop on a group's layer counts for that group).
    """
    groups = [list(group.layers) for group in model.groups]
    layer, group, goal = model.layer_at(dragged), model.group_at(dragged), model.group_at(target)
    if group is None or goal is None:
        return None
    if layer is not None:
        over = model.layer_at(target)
        if goal.key != group.key or over is None or over.id == layer.id:
            return None
        members = groups[model.groups.index(group)]
        members.remove(layer)
        members.insert(members.index(over) + (1 if after else 0), layer)
    else:
        if goal.key == group.key:
            return None
        moved = groups.pop(model.groups.index(group))
        place = [g.key for g in model.groups if g.key != group.key].index(goal.key)
        below = after or model.groups.index(goal) > model.groups.index(group)
        groups.insert(place + (1 if below else 0), moved)
    return [layer.id for members in groups for layer in members]
