"""What a person does at the window, and a picture of every step; shared by the paths through the roles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

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
