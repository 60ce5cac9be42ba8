"""What a person does at the window, and a picture of every step; shared by the paths through the roles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QMenu, QPushButton, QTabBar, QTableView, QWidget

from planner_app.plugin_api.widgets import Card

LEFT, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Walk:
    """A person at the whole desktop. ``folder``: where pictures go, None for none; ``language``: begins their names."""

    def __init__(self, desktop: Any, qtbot: Any, folder: Path | None, language: str) -> None:
        self.desktop, self.window, self.canvas = desktop, desktop.window, desktop.window.canvas
        self.session = desktop.session
        self._qtbot, self._folder, self._language, self._step = qtbot, folder, language, 0

    def until(self, holds: Callable[[], bool], seconds: float = 40.0) -> None:
        """Wait for something, the window reacting."""
        self._qtbot.waitUntil(holds, timeout=int(seconds * 1000))

    def settle(self) -> None:
        """Until all jobs are done and the map is drawn."""
        self._qtbot.wait(50)
        self.until(lambda: not self.session.jobs.active())
        self.until(self.canvas.scheduler.is_final)

    def picture(self, name: str, widget: Any = None) -> None:
        """Wait until everything is drawn; keep a picture of the window, or of one widget."""
        self.settle()
        if self._folder is not None:
            self._qtbot.wait(150)
            self._step += 1
            (widget or self.window).grab().save(str(self._folder / f"{self._language}-{self._step:02d}-{name}.png"))

    def answer_dialog(self, kind: type, do: Callable[[Any], None]) -> list[bool]:
        """Once a modal dialog of that kind stands open: do something with it, then close it."""
        answered: list[bool] = []

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if isinstance(dialog, kind):
                answered.append(True)
                try:
                    do(dialog)
                finally:
                    dialog.reject()
            else:
                QTimer.singleShot(50, look)

        QTimer.singleShot(0, look)
        return answered

    def dialog(self, kind: type) -> Any:
        """The open dialog of a kind; waits for it."""

        def found() -> list[QWidget]:
            return [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]

        self.until(lambda: bool(found()))
        return found()[-1]

    def pixel(self, x: float, y: float) -> QPoint:
        """Where a place of the map lies in the canvas."""
        px, py = self.canvas.viewport.to_screen(x, y)
        return QPoint(round(px), round(py))

    def click_map(self, x: float, y: float) -> None:
        """A click on the map."""
        place = self.pixel(x, y)
        QTest.mouseMove(self.canvas, place)
        QTest.mouseClick(self.canvas, LEFT, pos=place)

    def drag_map(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press on the map, move, let go."""
        a, b = self.pixel(*start), self.pixel(*end)
        QTest.mouseMove(self.canvas, a)
        QTest.mousePress(self.canvas, LEFT, PLAIN, a)
        QTest.mouseMove(self.canvas, (a + b) / 2)
        QTest.mouseMove(self.canvas, b)
        QTest.mouseRelease(self.canvas, LEFT, PLAIN, b)

    def press(self, knob: QWidget) -> None:
        """A click in the middle of a button, once it can be clicked."""
        self.until(lambda: knob.isVisible() and knob.isEnabled())
        QTest.mouseClick(knob, LEFT, pos=knob.rect().center())

    def press_tab(self, tabs: QTabBar, number: int) -> None:
        """A click on a tab."""
        QTest.mouseClick(tabs, LEFT, pos=tabs.tabRect(number).center())
        assert tabs.currentIndex() == number

    def click(self, card: QWidget) -> None:
        """A click on the upper left of a card."""
        QTest.mouseClick(card, LEFT, pos=QPoint(12, 12))

    def type(self, field: QWidget, text: str) -> None:
        """Click into a field and type; no window manager is there to activate its window."""
        field.window().activateWindow()
        self.until(field.isActiveWindow)
        self.press(field)
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.write(field, text)

    def write(self, field: QWidget, text: str) -> None:
        """Type into what has the focus; Chinese comes from an input method."""
        if text.isascii():
            QTest.keyClicks(field, text)
        else:
            typed = QInputMethodEvent()
            typed.setCommitString(text)
            QApplication.sendEvent(field, typed)

    def choose(self, box: QComboBox, number: int) -> None:
        """An entry of a combo box, with the keys."""
        box.window().activateWindow()
        box.setFocus()
        while box.currentIndex() != number:
            QTest.keyClick(box, Qt.Key.Key_Up if box.currentIndex() > number else Qt.Key.Key_Down)

    def knobs(self, of: QWidget) -> list[QPushButton]:
        """Its visible buttons that aren't a dialog's usual ones."""
        usual = {getattr(of, "ok", None), getattr(of, "cancel", None)}
        return [one for one in of.findChildren(QPushButton) if one.isVisible() and one not in usual]

    def says(self, of: QWidget, words: str) -> bool:
        """Whether a label in there says it."""
        return any(words in one.text() for one in of.findChildren(QLabel) if one.isVisible())

    def card(self, of: QWidget, words: str) -> QWidget:
        """The card whose title holds these words."""

        def found() -> list[QWidget]:
            return [one for one in of.findChildren(Card) if one.isVisible() and words in one.accessibleName()]

        self._qtbot.wait(20)  # cards drawn anew take the place of the old ones
        self.until(lambda: bool(found()))
        return found()[0]

    def is_red(self, x: float, y: float) -> bool:
        """Whether the map is red at a place."""
        image, at = self.canvas.snapshot(), self.pixel(x, y)
        ratio = image.devicePixelRatio()
        near = [(at.x() + i, at.y() + j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2)]
        seen = [image.pixelColor(round(px * ratio), round(py * ratio)) for px, py in near]
        return any(one.red() > 150 and one.green() < 100 and one.blue() < 100 for one in seen)

    def menu(self, knob: QWidget, text: str) -> None:
        """Open a button's menu and choose an entry."""
        chosen: list[bool] = []

        def look() -> None:
            menu = QApplication.activePopupWidget()
            if not isinstance(menu, QMenu):
                QTimer.singleShot(20, look)
                return
            action = next(one for one in menu.actions() if one.text() == text)
            chosen.append(action.isEnabled())
            self.picture("menu", menu)
            menu.setActiveAction(action)
            QTest.keyClick(menu, Qt.Key.Key_Return)

        QTimer.singleShot(0, look)
        self.press(knob)
        self.until(lambda: chosen == [True])

    def cells(self, view: QTableView) -> list[list[str]]:
        """What a table reads, row by row."""
        model = view.model()
        columns = range(model.columnCount())
        return [[str(model.index(row, at).data() or "") for at in columns] for row in range(model.rowCount())]


def pdf_text(path: Path) -> str:
    """Everything a PDF says."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def pdf_pictures(path: Path) -> int:
    """How many pictures stand in a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return sum(1 for page in document for thing in page.get_objects() if thing.type == 3)
    finally:
        document.close()
