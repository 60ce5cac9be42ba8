"""A hand that marks up a drawing on sheet or map."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from plugins.review.model.cases.records import Markup
from plugins.review.ui.sheet.markup.board import MarkBoard
from plugins.review.ui.sheet.markup.tool import MarkTool
from plugins.review.ui.sheet.model import SheetModel
from plugins.review.ui.sheet.sheet_canvas import SheetEvent
from tests.plugins.review_ui.sheet.desk import Desk
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH

#: Pixels of a metre on the surfaces of these tests.
SCALE = 4.0


class Hand:
    """Works on a surface whose lower left corner is (EAST, NORTH) and whose metre has four pixels."""

    def __init__(self, desk: Desk, surface: str = "sheet", origin: tuple[float, float] = (EAST, NORTH)) -> None:
        self.desk, self.surface, self.origin = desk, surface, origin
        self.model = SheetModel(desk.context, desk.state)  # type: ignore[arg-type]
        self.board = MarkBoard(self.model, desk.state)
        self.words: list[str] = []
        self.photos: list[Markup] = []
        self.left = 0
        self.panned = [0.0, 0.0]
        self.tool = MarkTool(
            self.board,
            surface,
            lambda: None,
            self._pan,
            self._write,
            self.photos.append,
            lambda: setattr(self, "left", 1),
        )
        self.tool.see(self.to_screen)

    def _leave(self) -> None:
        self.left += 1

    def _pan(self, dx: float, dy: float) -> None:
        self.panned = [self.panned[0] + dx, self.panned[1] + dy]

    def _write(self, before: str, done: Any) -> None:
        done(self.words.pop(0))

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.origin[0]) * SCALE, 400 - (y - self.origin[1]) * SCALE

    def event(self, x: float, y: float, **more: Any) -> SheetEvent:
        px, py = self.to_screen(self.origin[0] + x, self.origin[1] + y)
        return SheetEvent(self.origin[0] + x, self.origin[1] + y, px, py, **more)

    def drag(self, *places: tuple[float, float], **more: Any) -> None:
        self.tool.press(self.event(*places[0], left=True, **more))
        for place in places:
            self.tool.move(self.event(*place, left_held=True, **more))
        self.tool.release(self.event(*places[-1], left=True, **more))

    def click(self, x: float, y: float) -> None:
        self.drag((x, y))
        self.tool.move(self.event(x, y))

    def double_click(self, x: float, y: float) -> None:
        self.click(x, y)
        self.tool.double_click(self.event(x, y, left=True))

    def key(self, key: Qt.Key) -> bool:
        return self.tool.key(QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier))

    def use(self, kind: str) -> None:
        self.board.use(kind)

    @property
    def marks(self) -> list[Markup]:
        return self.board.marks

    def last(self) -> tuple[str, list[tuple[float, float]]]:
        mark = self.board.marks[-1]
        return mark.kind, [(round(x - self.origin[0], 6), round(y - self.origin[1], 6)) for x, y in mark.points]
