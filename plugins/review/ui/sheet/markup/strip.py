"""The palette of the mark-up tools, small enough to float over map and sheet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QColor, QCursor, QGuiApplication, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.review.ui.sheet.knobs import Knob, Swatch, rule, scaled
from plugins.review.ui.sheet.markup.board import COLOURS, SIZES, WIDTHS, MarkBoard


def kinds() -> list[tuple[str, str, str]]:
    """(kind, icon, title) of the tools in their order."""
    return [
        ("select", "mouse-pointer-2", tr("Select marks")),
        ("cloud", "cloud", tr("Cloud")),
        ("arrow", "move-up-right", tr("Arrow")),
        ("line", "slash", tr("Line")),
        ("rectangle", "square", tr("Rectangle")),
        ("polygon", "pentagon", tr("Polygon")),
        ("freehand", "pencil", tr("Freehand")),
        ("text", "type", tr("Text")),
        ("callout", "message-square", tr("Callout")),
        ("dimension", "move-horizontal", tr("Dimension (measured)")),
        ("area", "square-dashed", tr("Area (measured)")),
        ("stamp", "stamp", tr("Stamp")),
        ("photo", "camera", tr("Photo")),
    ]


class Palette(QWidget):
    """Tools in two columns, colours and widths below."""

    def __init__(self, context: PanelContext, board: MarkBoard) -> None:
        super().__init__()
        self._board = board
        tools = QGridLayout()
        tools.setSpacing(2)
        self.tools: dict[str, Knob] = {}
        for number, (kind, icon, title) in enumerate(kinds()):
            knob = Knob(context, icon, title, partial(self._take, kind), checkable=True)
            self.tools[kind] = knob
            tools.addWidget(knob, number // 2, number % 2)
        self.bin = Knob(context, "trash-2", tr("Delete the selected mark (Del)"), self._delete)
        tools.addWidget(self.bin, len(self.tools) // 2, len(self.tools) % 2)
        looks = QGridLayout()
        looks.setSpacing(0)
        self.colours = {
            colour: Swatch(context, title, partial(board.restyle, colour=colour), colour=colour)
            for colour, title in zip(COLOURS, self._colour_names(), strict=True)
        }
        self.widths = {
            width: Swatch(context, title, partial(board.restyle, width=width, size=size), width=width * 0.8 + 0.4)
            for width, size, title in zip(
                WIDTHS, SIZES, (tr("Thin, small"), tr("Medium"), tr("Thick, large")), strict=True
            )
        }
        for number, swatch in enumerate([*self.colours.values(), None, *self.widths.values()]):
            if swatch is not None:
                looks.addWidget(swatch, number // 3, number % 3)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(4)
        body.addLayout(tools)
        body.addWidget(rule())
        body.addLayout(looks)
        board.tool_changed.connect(self._mark)
        board.selected_changed.connect(lambda _: self._mark())
        self._mark()

    def _colour_names(self) -> tuple[str, ...]:
        return tr("Colour: red"), tr("Colour: amber"), tr("Colour: green"), tr("Colour: blue"), tr("Colour: black")

    def _mark(self) -> None:
        board = self._board
        for kind, knob in self.tools.items():
            knob.setChecked(board.active and kind == board.kind)
        for colour, swatch in self.colours.items():
            swatch.setChecked(colour == board.style.get("colour"))
        for width, swatch in self.widths.items():
            swatch.setChecked(width == board.style.get("width"))
        self.bin.setEnabled(bool(board.selected))

    def _take(self, kind: str) -> None:
        if kind == "stamp" and not self._choose_stamp():
            self._mark()
            return
        self._board.use(kind)

    def _delete(self) -> None:
        if self._board.selected:
            self._board.delete(self._board.selected)

    def _choose_stamp(self) -> bool:
        """Which stamp; False if none was chosen."""
        board = self._board
        menu = QMenu(self)
        for text, colour in board.stamps():
            entry = menu.addAction(_dot(colour), text)
            entry.setData((text, colour))
        menu.addSeparator()
        edit = menu.addAction(tr("Edit the stamps…"))
        knob = self.tools["stamp"]
        chosen: QAction | None = menu.exec(knob.mapToGlobal(QPoint(knob.width() + 4, 0)))
        menu.deleteLater()
        if chosen is edit:
            self._edit_stamps()
            return False
        if chosen is None:
            return False
        board.stamp = tuple(chosen.data())
        return True

    def _edit_stamps(self) -> None:
        dialog = StampDialog(self._board, self)
        dialog.open()


def _dot(colour: str) -> QIcon:
    image = QPixmap(14, 14)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(2, 2, 10, 10)
    painter.end()
    return QIcon(image)


class StampDialog(QDialog):
    """The texts of the stamps, one a line; their colours follow from the place."""

    def __init__(self, board: MarkBoard, parent: QWidget) -> None:
        super().__init__(parent)
        self._board = board
        self.setWindowTitle(tr("Stamps"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QLabel(
            tr("One stamp a line. They are kept with the project; an empty list brings back the usual ones.")
        )
        words.setWordWrap(True)
        words.setProperty("look", "secondary")
        self.edit = QPlainTextEdit("\n".join(text for text, _ in board.stamps()))
        self.edit.setProperty("look", "boxed")
        buttons = QDialogButtonBox()
        keep = buttons.addButton(tr("Keep"), QDialogButtonBox.ButtonRole.AcceptRole)
        keep.setProperty("look", "primary")
        buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.keep)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout(self)
        body.setSpacing(10)
        body.addWidget(words)
        body.addWidget(self.edit)
        body.addWidget(buttons)
        self.resize(scaled(380), scaled(260))

    def keep(self) -> None:
        """Keep the list."""
        before = dict(self._board.stamps())
        texts = list(dict.fromkeys(line.strip() for line in self.edit.toPlainText().splitlines() if line.strip()))
        order = (COLOURS[2], COLOURS[0], COLOURS[3], COLOURS[1])
        self._board.set_stamps([(text, before.get(text, order[at % 4])) for at, text in enumerate(texts)])
        self.accept()


class TextPopup(QFrame):
    """A text field at the pointer: Enter keeps, Shift+Enter begins a new line, Esc drops; leaving it keeps."""

    def __init__(self, parent: QWidget, text: str, done: Callable[[str], None]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("look", "panel")
        self._done: Callable[[str], None] | None = done
        self.edit = QPlainTextEdit(text)
        self.edit.setPlaceholderText(tr("Text; Enter keeps it"))
        self.edit.selectAll()
        self.edit.installEventFilter(self)
        body = QHBoxLayout(self)
        body.setContentsMargins(6, 6, 6, 6)
        body.addWidget(self.edit)
        self.resize(QSize(scaled(260), scaled(84)))

    def open_at(self, place: QPoint) -> None:
        """Show it there, wholly on the screen."""
        screen = QGuiApplication.screenAt(place) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        x = min(place.x(), area.right() - self.width())
        y = min(place.y() + 8, area.bottom() - self.height())
        self.move(max(x, area.left()), max(y, area.top()))
        self.show()
        self.edit.setFocus()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self._done = None
                self.close()
                return True
            plain = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain:
                self.close()
                return True
        return False

    def closeEvent(self, event: object) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(self.edit.toPlainText().strip())
        super().closeEvent(event)  # type: ignore[arg-type]


def write_at_pointer(parent: QWidget, text: str, done: Callable[[str], None]) -> None:
    """Ask for a text where the pointer is."""
    TextPopup(parent, text, done).open_at(QCursor.pos())
