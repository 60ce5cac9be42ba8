"""Actions as data. One registry feeds shortcuts, menus, buttons and the search box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from planner_app.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing a person can do.

    Attributes:
        id: stable dotted name (``project.open``).
        title: worded in the language in use.
        enabled: asked whenever menus or the search box are shown.
        checked: for a toggle: its state.
        searchable: False keeps it out of the search box (steps that only make sense on a selection there).
    """

    id: str
    title: str
    handler: Callable[[], object]
    icon: str = ""
    shortcut: str = ""
    enabled: Callable[[], bool] | None = None
    checked: Callable[[], bool] | None = None
    searchable: bool = True

    def is_enabled(self) -> bool:
        """True if it makes sense now."""
        return self.enabled is None or self.enabled()


class ActionRegistry(QObject):
    """Holds the actions of the window by id."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._window, self._theme = window, theme
        self._specs: dict[str, ActionSpec] = {}
        self._actions: dict[str, QAction] = {}

    def add(self, spec: ActionSpec) -> QAction:
        """Register an action; its shortcut works in the whole window."""
        action = QAction(spec.title, self._window)
        if spec.shortcut:
            action.setShortcuts([QKeySequence(keys) for keys in spec.shortcut.split(";")])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(spec.checked is not None)
        action.triggered.connect(lambda *_, i=spec.id: self.trigger(i))
        action.setIconVisibleInMenu(True)
        self._specs[spec.id] = spec
        self._actions[spec.id] = action
        self._window.addAction(action)
        return action

    def trigger(self, action_id: str) -> None:
        """Do it, if it makes sense now."""
        spec = self._specs[action_id]
        if spec.is_enabled():
            spec.handler()
        self.refresh()

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def specs(self) -> list[ActionSpec]:
        """All actions in the order they were added."""
        return list(self._specs.values())

    def refresh(self) -> None:
        """Ask every action whether it makes sense now."""
        for action_id, spec in self._specs.items():
            action = self._actions[action_id]
            # A disabled QAction swallows its shortcut silently, which is what is wanted.
            action.setEnabled(spec.is_enabled())
            if spec.checked is not None:
                action.setChecked(spec.checked())

    def fill(self, menu: QMenu, ids: list[str]) -> None:
        """Put actions into a menu; "-" is a separator."""
        self.refresh()
        for action_id in ids:
            if action_id == "-":
                menu.addSeparator()
            else:
                icon = self._specs[action_id].icon
                if icon:  # drawn only when a menu shows it: drawing all at the start took a fifth of it
                    self._actions[action_id].setIcon(self._theme.icon(icon, size=16))
                menu.addAction(self._actions[action_id])
