"""What the dialogs of operation are made of: the frame, a place along a tunnel, moments, photos, grades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDateTime, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)
from shiboken6 import isValid

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, TaskDialog, button, combo, label, px
from plugins.tunnel.model.operation.words import DEFECT_CODES, GRADE_WORDS, defect_word, grade_word

if TYPE_CHECKING:
    from plugins.tunnel.ui.rounds.desk import OperationDesk

PHOTOS = "(*.jpg *.jpeg *.png *.webp)"


class OperationDialog(TaskDialog):
    """A dialog on the operation's desk."""

    def __init__(self, desk: OperationDesk, title: str, accept: str, parent: QWidget | None, width: int = 460) -> None:
        super().__init__(desk.context, title, accept, parent)
        self.desk = desk
        self.setMinimumWidth(px(width))

    def do(self, make: Callable[[], Any], *, close: bool = True) -> bool:
        """Carry out a command and close, or say here what is wrong."""
        self.notice.clear()
        done = self.desk.do(make, self.say)
        if done and close:
            self.accept()
        return done


def beside(*widgets: QWidget) -> QWidget:
    """Widgets in a line; the first takes what is left."""
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(6)
    for at, widget in enumerate(widgets):
        line.addWidget(widget, 1 if at == 0 else 0)
    return holder


def lines_edit(placeholder: str = "", rows: int = 3) -> QPlainTextEdit:
    """A field of a few lines; Tab leaves it."""
    edit = QPlainTextEdit()
    edit.setPlaceholderText(placeholder)
    edit.setTabChangesFocus(True)
    edit.setProperty("look", "boxed")
    edit.setFixedHeight(edit.fontMetrics().lineSpacing() * rows + 16)
    return edit


def lines_of(edit: QPlainTextEdit) -> tuple[str, ...]:
    """Its lines that say something."""
    return tuple(text.strip() for text in edit.toPlainText().splitlines() if text.strip())


class MomentEdit(QDateTimeEdit):
    """A moment at this desk."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.setCalendarPopup(True)
        when = datetime.fromisoformat(text).astimezone()
        self.setDateTime(QDateTime.fromSecsSinceEpoch(int(when.timestamp())))

    def text_value(self) -> str:
        """The moment as records keep it."""
        from plugins.tunnel.model.operation.rows import moment

        return moment(datetime.fromtimestamp(self.dateTime().toSecsSinceEpoch()).astimezone())


class GradeBox(QComboBox):
    """A grade, or none where ``none`` says what that means."""

    def __init__(self, grade: int = 0, none: str = "") -> None:
        super().__init__()
        if none:
            self.addItem(none, 0)
        for each in GRADE_WORDS:
            self.addItem(grade_word(each), each)
        self.setCurrentIndex(max(self.findData(grade), 0))


class CodeBox(QComboBox):
    """A kind of defect, or none where ``none`` says what that means."""

    def __init__(self, code: str = "", none: str = "") -> None:
        super().__init__()
        self.setMaxVisibleItems(24)
        if none:
            self.addItem(none, "")
        for each in DEFECT_CODES:
            self.addItem(defect_word(each), each)
        self.setCurrentIndex(max(self.findData(code), 0))


class PlaceField:
    """A place along a tunnel as rows of a form: tunnel, chainage (typed or clicked on the map), compartment."""

    def __init__(
        self, desk: OperationDesk, form: Form, *, tunnel: str = "", m: float | None = None, compartment: str = "",
        optional: bool = False, changed: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        from plugins.tunnel.model.space.axis import station

        self._desk, self._changed, self._optional = desk, changed or _nothing, optional
        self.tunnel, self.compartment = combo(self._tunnel_changed), combo(self._changed)
        if optional:
            self.tunnel.addItem(tr("no tunnel"), "")
        for code, name in desk.shown.tunnels if desk.shown is not None else ():
            self.tunnel.addItem(f"{code} {name}".strip(), code)
        self.tunnel.setCurrentIndex(max(self.tunnel.findData(tunnel), 0))
        self.m = QLineEdit("" if m is None else station(m))
        self.m.setPlaceholderText("K0+123.4")
        self.m.editingFinished.connect(self._changed)
        self.pick = QToolButton()
        self.pick.setIcon(desk.context.icon("crosshair"))
        self.pick.setToolTip(tr("Click the place on the map"))
        self.pick.setAccessibleName(self.pick.toolTip())
        self.pick.clicked.connect(lambda *_: self._pick())
        form.add(tr("Tunnel"), self.tunnel)
        form.add(tr("Chainage"), beside(self.m, self.pick))
        form.add(tr("Compartment"), self.compartment)
        self._fill_compartments(compartment)

    def code(self) -> str:
        """The tunnel's code."""
        return str(self.tunnel.currentData() or "")

    def value(self) -> float | None:
        """The chainage.

        Raises:
            PlannerError: ``tunnel.chainage_unreadable``, ``tunnel.observation_nowhere`` where one is needed.
        """
        from plugins.tunnel.model.operation.forms import chainage

        if not self.m.text().strip():
            if self._optional:
                return None
            raise PlannerError("tunnel.observation_nowhere")
        return chainage(self.m.text())

    def metres(self) -> float:
        """The chainage, where one is needed."""
        value = self.value()
        return 0.0 if value is None else value

    def room(self) -> str:
        """Kind of the compartment."""
        return str(self.compartment.currentData() or "")

    def set(self, tunnel: str, m: float) -> None:
        """Put it somewhere."""
        from plugins.tunnel.model.space.axis import station

        if tunnel != self.code():
            self.tunnel.setCurrentIndex(max(self.tunnel.findData(tunnel), 0))
            self._fill_compartments(self.room())
        self.m.setText(station(m))
        self._changed()

    def _tunnel_changed(self) -> None:
        self._fill_compartments(self.room())
        self._changed()

    def _fill_compartments(self, chosen: str) -> None:
        self.compartment.clear()
        self.compartment.addItem("–", "")
        for kind in self._desk.places().compartments(self.code()) if self.code() else ():
            self.compartment.addItem(kind, kind)
        self.compartment.setCurrentIndex(max(self.compartment.findData(chosen), 0))

    def _pick(self) -> None:
        from plugins.tunnel.ui.rounds.map_link import PickPlace

        def picked(tunnel: str, m: float) -> None:
            if isValid(self.m):
                self.set(tunnel, m)
                self.m.window().activateWindow()

        self._desk.context.map.use_tool(lambda: PickPlace(self._desk, picked))


class PhotoField(QWidget):
    """A photo chosen from a file, with a small picture of it."""

    def __init__(self, desk: OperationDesk) -> None:
        super().__init__()
        self._desk = desk
        self.path: Path | None = None
        self._picture = QLabel()
        self._name = label("", "small")
        self.choose = button(tr("Photo…"), self._choose)
        self.choose.setAutoDefault(False)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.choose)
        line.addWidget(self._picture)
        line.addWidget(self._name, 1)

    def _choose(self) -> None:
        path = self._desk.context.ask_open(tr("Photo"), f"{tr('Photos')} {PHOTOS}")
        if path is not None:
            self.show_path(path)

    def show_path(self, path: Path) -> None:
        """Take a photo."""
        self.path = path
        self._name.setText(path.name)
        picture = QPixmap(str(path))
        if not picture.isNull():
            self._picture.setPixmap(scaled_picture(picture, px(64), px(40)))


def scaled_picture(picture: QPixmap, width: int, height: int) -> QPixmap:
    """A picture that fits into a box."""
    return picture.scaled(width, height, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def fill(box: QComboBox, items: Iterable[tuple[str, Any]], chosen: Any = None) -> QComboBox:
    """Give a drop-down its (text, value) entries."""
    for text, value in items:
        box.addItem(text, value)
    box.setCurrentIndex(max(box.findData(chosen), 0))
    return box


def _nothing() -> None:
    return None
