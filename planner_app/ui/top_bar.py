"""The top bar: project menu, file and CRS, search, undo and redo, sync state, language and theme."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QMenu, QSizePolicy, QToolButton, QWidget

from planner_app.i18n import LANGUAGES, language, tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.controls import ElidedLabel, IconButton, ThemedIcon, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.session import Session
from planner_app.ui.sync.pill import SyncPill

PROJECT_MENU = [
    "project.new", "project.open", "project.sample", "sync.clone", "-", "project.import", "project.export",
    "project.print", "-", "project.copy", "project.verify", "sync.connect", "project.properties", "project.close", "-",
    "app.language", "app.theme", "app.plugins", "app.about", "-", "app.quit",
]  # fmt: skip
_LANGUAGE_NAMES = {"zh_CN": "简体中文", "en": "English"}


class SearchField(QLineEdit):
    """The search box; its key hint stands at its right end."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        theme = session.theme
        self.setProperty("look", "search")
        self.setPlaceholderText(tr("Search parcels, layers, commands…"))
        self.setAccessibleName(tr("Search"))
        self.setClearButtonEnabled(False)
        self._hint = label("Ctrl K", "key")
        self._icon = ThemedIcon(theme, "search", 14, "tertiary")
        self.setLayout(row(self._icon, None, self._hint, margins=(8, 0, 6, 0)))
        self.setTextMargins(theme.px(18), 0, theme.px(48), 0)


class TopBar(QFrame):
    """44 px at the top of the window."""

    language_chosen = Signal(str)

    def __init__(self, session: Session, actions: ActionRegistry) -> None:
        super().__init__()
        self.setObjectName("topbar")
        self.session, self.commands = session, actions
        theme = session.theme
        self.setFixedHeight(theme.px(44))
        self.project_button = QToolButton()
        self.project_button.setProperty("look", "project")
        self.project_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.project_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow stands after the name
        self.project_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.project_button.setToolTip(tr("Project menu"))
        self.menu = QMenu(self.project_button)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.project_button.setMenu(self.menu)
        self.place = ElidedLabel("", "secondary")
        self.search = SearchField(session)
        self.undo = IconButton(theme, "undo-2", tr("Undo"), lambda: actions.trigger("edit.undo"))
        self.redo = IconButton(theme, "redo-2", tr("Redo"), lambda: actions.trigger("edit.redo"))
        self.sync = SyncPill(session)
        self.sync.clicked.connect(lambda *_: actions.trigger("sync.panel"))
        self.language = IconButton(theme, "languages", tr("Language"), self._choose_language)
        self.theme_button = IconButton(theme, "sun", tr("Theme"), lambda: actions.trigger("app.theme"))
        left = QWidget()
        left.setLayout(row(self.project_button, self.place, None, spacing=6))
        right = QWidget()
        right.setLayout(row(None, self.undo, self.redo, 4, self.sync, 4, self.language, self.theme_button, spacing=2))
        for side in (left, right):
            side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = row(spacing=12, margins=(8, 0, 10, 0))
        layout.addWidget(left, 1)
        self.search.setFixedWidth(theme.px(430))
        layout.addWidget(self.search, 0)
        layout.addWidget(right, 1)
        self.setLayout(layout)
        session.project_changed.connect(self.refresh)
        session.data_changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the project's name and place, and what undo and redo would do."""
        project = self.session.project
        theme = self.session.theme
        self.project_button.setText(project.name if project else tr("Planner"))
        self.project_button.setIcon(theme.icon("chevron-down", size=14))
        self.place.setText(f"{Path(project.path).name} · {crs_name(project.crs)}" if project else "")
        self.place.setToolTip(str(project.path) if project else "")
        for widget in (self.undo, self.redo, self.sync):
            widget.setVisible(project is not None)
        for knob, bare, worded, keys in (
            (self.undo, tr("Undo"), self.session.can_undo(), "Ctrl+Z"),
            (self.redo, tr("Redo"), self.session.can_redo(), "Ctrl+Y"),
        ):
            knob.setEnabled(bool(worded))
            text = tr("{do}: {name}", do=bare, name=worded) if worded else tr("{do}: nothing yet", do=bare)
            knob.setToolTip(f"{text} ({keys})")
        self.theme_button.set_icon("moon" if theme.is_dark() else "sun")
        names = {"system": tr("follows the system"), "light": tr("light"), "dark": tr("dark")}
        self.theme_button.setToolTip(tr("Theme: {name}", name=names[theme.mode]))

    def _fill_menu(self) -> None:
        self.menu.clear()
        self.commands.fill(self.menu, PROJECT_MENU)

    def _choose_language(self) -> None:
        menu = QMenu(self)
        for code in LANGUAGES:
            action = menu.addAction(_LANGUAGE_NAMES[code], partial(self.language_chosen.emit, code))
            action.setCheckable(True)
            action.setChecked(language() == code)
        menu.addSeparator()
        follow = menu.addAction(tr("Follow the system"), lambda: self.language_chosen.emit("system"))
        follow.setCheckable(True)
        follow.setChecked(self.session.settings.language == "system")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.language.mapToGlobal(self.language.rect().bottomLeft()))
