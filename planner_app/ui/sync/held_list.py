"""Records that the server does not take: why, and what can be done with one click."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Card, CardList, CardText, FlowLayout, label
from planner_app.ui.controls import button, column
from planner_app.ui.sync.disputes import Held

if TYPE_CHECKING:
    from planner_app.sync.client.quarantine import Fix

#: More cards than this are not drawn; what can be done with all is offered on each.
MOST = 100


def fix_word(fix: Fix) -> str:
    """A fix as a button says it."""
    return {
        "clear": tr("Empty the cell"), "convert": tr("Convert the value"), "repair": tr("Repair the geometry"),
        "discard": tr("Take the server's"), "retry": tr("Send again"),
    }[fix]  # fmt: skip


class HeldCard(Card):
    """One record; ``fix(ids, fix)``."""

    fixed = Signal(object, str)

    def __init__(self, held: Held, alike: Sequence[Held], opened: bool) -> None:
        why, what = held.reason()
        pill = ("fail", tr("Refused")) if held.entry.refused else ("needs_certificate", tr("Not sent"))
        super().__init__(CardText(str(held.entry.id), held.title, "", why, pill))
        if not opened:
            return
        if what:
            self.add(label(what, "small", wrap=True))
        self.fixes = {
            fix: button(fix_word(fix), partial(self.fixed.emit, [held.entry.id], fix)) for fix in held.entry.fixes
        }
        self.add(_flow(self.fixes.values(), 6))
        if len(alike) > 1:
            ids = [one.entry.id for one in alike]
            self.add(label(tr("All {count} with this reason:", count=len(ids)), "small"))
            links = [button(fix_word(fix), partial(self.fixed.emit, ids, fix), "link") for fix in held.entry.fixes]
            self.add(_flow(links, 2))


def _flow(knobs: Iterable[QWidget], spacing: int) -> QWidget:
    """Side by side, wrapped where the panel is narrow."""
    holder = QWidget()
    layout = FlowLayout(holder, spacing)
    for knob in knobs:
        layout.addWidget(knob)
    return holder


class HeldList(QWidget):
    """The cards.

    Signals:
        chosen(Held): a card was opened. fix(ids, fix): a person chose a fix.
    """

    chosen = Signal(object)
    fix = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._held: list[Held] = []
        self._open = ""
        self.cards = CardList()
        self.cards.chosen.connect(self.open)
        self.more = label("", "small", wrap=True)
        self.empty = label(tr("The server takes everything that was changed here."), "secondary", wrap=True)
        self.setLayout(column(self.empty, self.cards, self.more, spacing=10))
        self.show_held([])

    def show_held(self, held: Sequence[Held]) -> None:
        """Show these."""
        self._held = list(held)
        self.empty.setVisible(not held)
        cards: list[Card] = []
        reasons = Counter((one.entry.code, one.entry.fixes) for one in held)
        for one in self._held[:MOST]:
            key = (one.entry.code, one.entry.fixes)
            opened = str(one.entry.id) == self._open
            several = opened and reasons[key] > 1
            alike = [each for each in held if (each.entry.code, each.entry.fixes) == key] if several else []
            card = HeldCard(one, alike, opened)
            card.fixed.connect(self.fix)
            cards.append(card)
        self.cards.set_cards(cards)
        self.more.setVisible(len(held) > MOST)
        self.more.setText(tr("{count} more follow when these are done.", count=f"{len(held) - MOST:,}"))
        if self._open:
            self.cards.select(self._open)

    def open(self, key: str) -> None:
        """Open a record's fixes and show it on the map."""
        found = next((one for one in self._held if str(one.entry.id) == key), None)
        if found is not None:
            if key != self._open:
                self._open = key
                self.show_held(self._held)
            self.chosen.emit(found)
