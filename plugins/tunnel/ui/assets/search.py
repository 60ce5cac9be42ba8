"""The search field of the assets' page: a code, a name or a chainage; Enter goes there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import CardList, CardText, EnterFilter, Notice
from plugins.tunnel.model.assets.register import Found, search
from plugins.tunnel.ui.assets import words
from plugins.tunnel.ui.state import Asset, TunnelState

_MOST = 12


class SearchBox(QWidget):
    """One match is gone to at once, several are offered as cards."""

    def __init__(self, context: PanelContext, state: TunnelState) -> None:
        super().__init__()
        self._context, self._state = context, state
        self.hits: Sequence[Found] = ()
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Code, name, or GL01 K1+250"))
        self.field.setClearButtonEnabled(True)
        self.cards = CardList()
        self.field.installEventFilter(EnterFilter(self.run, self.field))
        self.field.textChanged.connect(self._typed)
        self.cards.chosen.connect(self._chosen)
        self._notice = Notice()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self._notice)
        column.addWidget(self.cards)
        self.forget()

    def forget(self) -> None:
        """Empty the field and what was found."""
        self.field.clear()
        self._typed("")

    def _typed(self, _text: str) -> None:
        self._notice.clear()
        self._offer([])

    def _offer(self, hits: Sequence[Found]) -> None:
        self.hits = hits
        self.cards.setVisible(bool(hits))
        self.cards.set([_card(at, one) for at, one in enumerate(hits)])

    def run(self, text: str = "") -> None:
        """Search for what stands in the field, or for a text."""
        project = self._context.project
        if text:
            self.field.setText(text)
        wanted = self.field.text().strip()
        if project is None or not wanted:
            self.field.setFocus()
            return

        def work() -> list[Found]:
            return search(project, wanted, _MOST)

        self._context.in_background("assets.search", work, partial(self._show, wanted), self._failed)

    def _failed(self, error: Exception) -> None:
        self._notice.say(*self._context.word(error), level="error")

    def _show(self, wanted: str, hits: list[Found]) -> None:
        self._notice.clear()
        exact = [one for one in hits if wanted.casefold() in (one.code.casefold(), one.name.casefold())]
        if not hits:
            self._notice.say(
                tr("Nothing is called “{wanted}”.", wanted=wanted),
                tr("Codes, names, chainages and scanned labels are searched."),
            )
        if len(hits) == 1 or len(exact) == 1:
            self._offer([])
            self.go((exact or hits)[0])
        else:
            self._offer(hits)

    def _chosen(self, key: str) -> None:
        self.cards.select(key)
        self.go(self.hits[int(key)])

    def go(self, hit: Found) -> None:
        """Choose an asset and bring it into view; of a chainage the place itself, with the section there."""
        self._context.selection.set(hit.layer_id, [hit.fid])
        self._state.select(Asset(hit.table, hit.fid, hit.code))
        if hit.m is not None and hit.xy is not None:
            self._state.run("section", hit.code, hit.m)
            x, y = hit.xy
            self._context.map.zoom_to_extent((x - 60, y - 60, x + 60, y + 60))
        else:
            self._context.map.zoom_to_features(hit.layer_id, [hit.fid])


def _card(at: int, one: Found) -> CardText:
    title = one.code if one.m is None else f"{one.code} {words.station(one.m)}"
    name = one.name if one.name != one.code else ""
    return CardText(str(at), title, "", " · ".join(part for part in (words.table(one.table), name) if part))
