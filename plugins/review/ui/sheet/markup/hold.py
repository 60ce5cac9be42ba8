"""Taking hold of a mark: by a handle or the mark itself, moved on map and sheet alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, Qt

from plugins.review.model.cases.records import Markup
from plugins.review.ui.sheet.markup.board import MarkBoard, changed, moved_by, with_corner
from plugins.review.ui.sheet.markup.shapes import Place, outline

if TYPE_CHECKING:
    from plugins.review.ui.sheet.live import ToScreen

#: A press that moves less than this is a click.
CLICK_PIXELS = 4.0
_HANDLE_PIXELS = 8.0
_WHOLE = -1


class Hold:
    """What of the selected mark is held, and the mark as it is being dragged (``draft``)."""

    def __init__(self, board: MarkBoard, surface: str) -> None:
        self._board, self._surface = board, surface
        self.to_screen: ToScreen = lambda x, y: (x, y)
        self.draft: Markup | None = None
        self.over = Qt.CursorShape.ArrowCursor
        self._handle: int | None = None  # or _WHOLE
        self._pressed = 0.0, 0.0
        self._from: Place | None = None

    @property
    def holding(self) -> bool:
        """True between a press on a mark and its release."""
        return self._handle is not None

    def under(self, px: float, py: float) -> Markup | None:
        """The topmost mark under a pixel."""
        at = QPointF(px, py)
        shown = (self._board.drawn(mark, self._surface) for mark in reversed(self._board.seen(self._surface)))
        return next((drawn.mark for drawn in shown if drawn and outline(drawn, self.to_screen).hit(at)), None)

    def _handle_at(self, px: float, py: float) -> int | None:
        mark = self._board.mark(self._board.selected)
        drawn = self._board.drawn(mark, self._surface) if mark is not None else None
        if drawn is None:
            return None
        for number, handle in enumerate(outline(drawn, self.to_screen).handles):
            if abs(handle.x() - px) <= _HANDLE_PIXELS and abs(handle.y() - py) <= _HANDLE_PIXELS:
                return number
        return None

    def take(self, event: Any) -> bool:
        """Take what is under the pointer, selecting its mark; False (and nothing selected) if that is nothing."""
        handle = self._handle_at(event.px, event.py)
        if handle is None:
            mark = self.under(event.px, event.py)
            self._board.select(mark.id if mark is not None else "")
            if mark is None:
                return False
            handle = _WHOLE
        mark = self._board.mark(self._board.selected)
        self._handle, self._pressed, self.draft = handle, (event.px, event.py), None
        self._from = self._own(mark, (event.x, event.y)) if mark is not None else None
        return True

    def _own(self, mark: Markup, place: Place) -> Place | None:
        """A place of this surface in the mark's own coordinates."""
        moved = self._board.convert([place], self._surface, mark.surface)
        return moved[0] if moved else None

    def drag(self, event: Any) -> bool:
        """Follow the pointer; False while there is nothing to see of it."""
        mark = self._board.mark(self._board.selected)
        place = self._own(mark, (event.x, event.y)) if mark is not None else None
        if mark is None or place is None or self._from is None:
            return False
        if self.draft is None and math.hypot(event.px - self._pressed[0], event.py - self._pressed[1]) < CLICK_PIXELS:
            return False
        dx, dy = place[0] - self._from[0], place[1] - self._from[1]
        if self._handle is not None and self._handle != _WHOLE:
            values = with_corner(mark, self._handle, place)
        elif mark.kind == "callout" and len(mark.points) > 1:  # the note moves, what it means stays
            values = {"points": (*mark.points[:-1], (mark.points[-1][0] + dx, mark.points[-1][1] + dy))}
        else:
            values = moved_by(mark, dx, dy)
        self.draft = changed(mark, values)
        return True

    def let_go(self) -> None:
        """Keep what was dragged."""
        draft = self.draft
        self.drop()
        if draft is not None:
            self._board.edit(draft.id, points=draft.points)

    def drop(self) -> None:
        """Let go, keeping nothing."""
        self._handle = self._from = self.draft = None

    def look_over(self, event: Any) -> None:
        """The pointer over what could be taken."""
        self.over = Qt.CursorShape.ArrowCursor
        if self._handle_at(event.px, event.py) is not None:
            self.over = Qt.CursorShape.CrossCursor
        elif self.under(event.px, event.py) is not None:
            self.over = Qt.CursorShape.SizeAllCursor
