"""What the search box finds: commands, layers, features by their attributes (Ctrl+K)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from planner_app.i18n import tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.canvas.feature_text import feature_name, shown
from planner_app.ui.controls import ElidedLabel, FloatingFrame, column, label, row
from planner_app.ui.session import Session

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.domain.progress import Progress
    from planner_app.project import Project

_DELAY_MS = 180
_PER_LAYER = 6
_FEATURES = 24


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of the result list."""

    kind: str  # command | layer | feature
    title: str
    detail: str
    run: Callable[[], object]
    icon: str
    shortcut: str = ""


def match_score(query: str, text: str) -> int:
    """How well a text answers a query: 0 no, higher is better. All words must occur, in any order."""
    words = query.casefold().split()
    folded = text.casefold()
    if not words or not all(word in folded for word in words):
        return 0
    if folded == query.casefold():
        return 4
    if folded.startswith(words[0]):
        return 3
    return 2 if any(part.startswith(words[0]) for part in folded.replace("·", " ").split()) else 1


def find_features(
    project: Project, layers: list[LayerInfo], text: str, progress: Progress
) -> list[tuple[str, int, str, str]]:
    """(layer id, fid, title, detail) of features with the text in an attribute. For worker threads."""
    found: list[tuple[str, int, str, str]] = []
    for layer in layers:
        if progress.is_cancelled() or len(found) >= _FEATURES:
            break
        for fid, *cells in project.rows(layer.id, offset=0, limit=_PER_LAYER, filter_text=text):
            values: dict[str, Any] = {f.name: cell for f, cell in zip(layer.fields, cells, strict=False)}
            name = feature_name(layer, values) or f"{layer.name} {fid}"
            why = next(
                (f"{f.alias or f.name}: {shown(values[f.name])}" for f in layer.fields
                 if text.casefold() in shown(values.get(f.name)).casefold() and shown(values.get(f.name)) != name), "",
            )  # fmt: skip
            found.append((layer.id, int(fid), name, " · ".join(part for part in (layer.name, why) if part)))
    return found[:_FEATURES]


class Palette(FloatingFrame):
    """The list under the search box."""

    feature_chosen = Signal(str, int)
    layer_chosen = Signal(str)

    def __init__(self, session: Session, actions: ActionRegistry, field: QLineEdit, window: QWidget) -> None:
        super().__init__(session.theme, window)
        self.session, self.commands, self.field = session, actions, field
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _item: self.accept())
        self.foot = label("", "tertiary")
        self.setLayout(column(self.list, row(self.foot, margins=(8, 2, 8, 4)), spacing=2, margins=(4, 4, 4, 2)))
        self.hits: list[Hit] = []
        self._features: list[Hit] = []
        self._job: Any = None
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_DELAY_MS)
        self._delay.timeout.connect(self._search_features)
        field.textEdited.connect(self._typed)
        field.installEventFilter(self)
        self.hide()

    # what is found

    def _typed(self, _text: str) -> None:
        self._features = []
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._delay.start()
        self.refresh()

    def refresh(self) -> None:
        """Find commands and layers at once; features follow from a job."""
        query = self.field.text().strip()
        scored: list[tuple[int, Hit]] = []
        for spec in self.commands.specs():
            if not spec.searchable or not spec.is_enabled():
                continue
            score = match_score(query, f"{spec.title} {spec.id.replace('.', ' ')}") if query else 1
            if score:
                run = partial(self.commands.trigger, spec.id)
                keys = spec.shortcut.split(";")[0]
                scored.append((score, Hit("command", spec.title.rstrip("…"), "", run, spec.icon or "play", keys)))
        for layer in self.session.layers() if query else []:
            score = match_score(query, layer.name)
            if score:
                choose = partial(self.layer_chosen.emit, layer.id)
                scored.append((score + 1, Hit("layer", layer.name, tr("Layer"), choose, "layers")))
        scored.sort(key=lambda pair: -pair[0])
        best = [hit for _, hit in scored[: 8 if query else 14]]
        self._show(best + self._features)

    def _search_features(self) -> None:
        text, project = self.field.text().strip(), self.session.project
        if project is None or not text:
            return
        layers = self.session.layers()

        def show(found: list[tuple[str, int, str, str]]) -> None:
            if self.field.text().strip() == text and self.isVisible():
                self._features = [
                    Hit("feature", title, detail, partial(self.feature_chosen.emit, layer, fid), "map-pin")
                    for layer, fid, title, detail in found
                ]
                self.refresh()

        self._job = self.session.jobs.run(
            tr("Search"), lambda p: find_features(project, layers, text, p), show, lambda _e: None, listed=False
        )

    def _show(self, hits: list[Hit]) -> None:
        self.hits = hits
        self.list.clear()
        theme = self.session.theme
        for hit in hits:
            item = QListWidgetItem()
            item.setIcon(theme.icon(hit.icon, "tertiary", 14))
            item.setSizeHint(QSize(0, theme.px(30)))
            self.list.addItem(item)
            line = QWidget()
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            parts = row(spacing=10, margins=(theme.px(14) + 4, 0, 8, 0))
            title = ElidedLabel(hit.title)
            parts.addWidget(title, 3)
            if hit.detail:
                detail = ElidedLabel(hit.detail, "tertiary")
                detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                parts.addWidget(detail, 2)
            if hit.shortcut:
                parts.addWidget(label(hit.shortcut, "key"))
            line.setLayout(parts)
            self.list.setItemWidget(item, line)
        if hits:
            self.list.setCurrentRow(0)
        searching = bool(self.field.text().strip()) and self.session.project is not None
        self.foot.setText(
            tr("Enter opens, Esc closes") if hits else tr("Nothing found.") if searching else tr("Type to search.")
        )
        self._place()

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        theme = self.session.theme
        margin = self.MARGIN
        corner = self.field.mapTo(window, QPoint(0, self.field.height()))
        height = theme.px(30) * max(1, min(len(self.hits), 14)) + theme.px(36) + 2 * margin
        width = self.field.width() + theme.px(120)
        left = corner.x() - (width - self.field.width()) // 2
        self.setGeometry(left - margin, corner.y() + 4 - margin, width + 2 * margin, height)
        self.setVisible(True)
        self.raise_()

    # keys

    def open(self) -> None:
        """Ctrl+K."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        self.refresh()

    def accept(self) -> None:
        """Do the marked line."""
        index = self.list.currentRow()
        if 0 <= index < len(self.hits):
            hit = self.hits[index]
            self.dismiss()
            hit.run()

    def dismiss(self) -> None:
        """Close and clear."""
        self._delay.stop()
        self.hide()
        self.field.clear()
        self.field.clearFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            QTimer.singleShot(0, self, self.refresh)
        elif event.type() == QEvent.Type.FocusOut:
            QTimer.singleShot(120, self, lambda: None if self.field.hasFocus() else self.hide())
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.hits:
                step = 1 if key == Qt.Key.Key_Down else -1
                self.list.setCurrentRow((self.list.currentRow() + step) % len(self.hits))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.accept()
                return True
            if key == Qt.Key.Key_Escape:
                self.dismiss()
                return True
        return False
