"""The page before a project is open: sample, new, open, and the recent ones."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QScrollArea, QSizePolicy, QWidget

from planner_app.i18n import tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.controls import ElidedLabel, Notice, ThemedIcon, column, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.session import Session
from planner_app.ui.theme import Theme


class Tile(QPushButton):
    """A large button: icon, what it does, what comes of it."""

    def __init__(self, theme: Theme, icon: str, title: str, detail: str) -> None:
        super().__init__()
        self.setProperty("look", "tile")
        self.setAccessibleName(title)
        words = column(label(title, "heading"), label(detail, "small", wrap=True), spacing=3)
        parts = row(spacing=14, margins=(16, 12, 16, 12))
        parts.addWidget(ThemedIcon(theme, icon, 22, "accent"), 0, Qt.AlignmentFlag.AlignTop)
        parts.addLayout(words, 1)
        self._parts = parts
        self.setLayout(parts)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def sizeHint(self) -> QSize:
        return self._parts.sizeHint()

    def heightForWidth(self, width: int) -> int:
        return self._parts.totalHeightForWidth(width)

    def hasHeightForWidth(self) -> bool:
        return True


class RecentRow(QFrame):
    """One recent project."""

    chosen = Signal(str)
    forgotten = Signal(str)

    def __init__(self, theme: Theme, path: str, name: str, crs: str) -> None:
        super().__init__()
        self.path = path
        self.setProperty("look", "card")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        file = Path(path)
        there = file.exists()
        when = datetime.fromtimestamp(file.stat().st_mtime).strftime("%Y-%m-%d %H:%M") if there else tr("not found")
        title = ElidedLabel(name or file.stem, "heading" if there else "secondary")
        place = ElidedLabel(
            " · ".join(part for part in (str(file), crs_name(crs) if crs else "") if part), "small",
            Qt.TextElideMode.ElideMiddle,
        )  # fmt: skip
        parts = row(spacing=12, margins=(14, 9, 14, 9))
        parts.addWidget(ThemedIcon(theme, "map", 18, "secondary"))
        parts.addLayout(column(title, place, spacing=2), 1)
        parts.addWidget(label(when, "tertiary"))
        self.setLayout(parts)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.path)

    def keyPressEvent(self, event: object) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):  # type: ignore[attr-defined]
            self.chosen.emit(self.path)
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction(tr("Take off this list"), lambda: self.forgotten.emit(self.path))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


class StartPage(QFrame):
    """Shown while no project is open."""

    open_path = Signal(str)

    def __init__(self, session: Session, actions: ActionRegistry) -> None:
        super().__init__()
        self.setObjectName("startpage")
        self.session = session
        theme = session.theme
        self.notice = Notice(theme, closable=True)
        tiles = column(spacing=10)
        for action, icon, title, detail in (
            ("project.sample", "building-2", tr("Sample new town"),
             tr("A made-up district with eight plans that disagree. Made in under a minute; try everything on it.")),
            ("project.new", "file-plus-2", tr("New project…"),
             tr("An empty project in your city's coordinate system, kept in one file on this computer.")),
            ("project.open", "folder-open", tr("Open a project…"),
             tr("A project file (.sqlite) from this computer or a network drive.")),
            ("sync.clone", "cloud-download", tr("Open a project of the server…"),
             tr("Layers and area you choose, from the city server into a file you can take along.")),
        ):  # fmt: skip
            tile = Tile(theme, icon, title, detail)
            tile.clicked.connect(lambda *_, i=action: actions.trigger(i))
            tiles.addWidget(tile)
        tiles.addWidget(label(tr("Files can also be dropped on this window."), "tertiary"))
        tiles.addStretch(1)
        self._recent = column(spacing=8)
        recent = QWidget()
        recent.setLayout(self._recent)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(recent)
        right = column(label(tr("Recent projects"), "heading"), spacing=10)
        right.addWidget(area, 1)
        body = row(spacing=36)
        body.addLayout(tiles, 5)
        body.addLayout(right, 6)
        head = column(
            label(tr("Plan, build and manage on one blueprint"), "page-title"),
            label(tr("Compare plans, find where they conflict, decide, and report. Works offline."), "secondary"),
            spacing=6,
        )
        page = QWidget()
        page.setMaximumWidth(theme.px(1040))
        inner = column(spacing=24)
        inner.addLayout(head)
        inner.addWidget(self.notice)
        inner.addLayout(body, 1)
        page.setLayout(inner)
        outer = row(margins=(48, 64, 48, 32), spacing=0)
        outer.addStretch(1)
        outer.addWidget(page, 100)
        outer.addStretch(1)
        self.setLayout(outer)
        session.project_changed.connect(self.reload)
        self.reload()

    def reload(self) -> None:
        """Show the recent projects again."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            shown = item.widget() if item is not None else None
            if shown is not None:
                shown.deleteLater()
        settings = self.session.settings
        entries = list(zip(settings.recent, settings.recent_info, strict=False))
        for path, info in entries:
            name, _, crs = info.partition("\t")
            made = RecentRow(self.session.theme, path, name, crs)
            made.chosen.connect(self.open_path)
            made.forgotten.connect(self._forget)
            self._recent.addWidget(made)
        if not entries:
            self._recent.addWidget(
                label(
                    tr("Projects you open appear here. The sample new town is a good first one."),
                    "secondary",
                    wrap=True,
                )
            )
        self._recent.addStretch(1)

    def _forget(self, path: str) -> None:
        self.session.settings.forget_project(path)
        self.reload()
