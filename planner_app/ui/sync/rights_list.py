"""What the user may do, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import CardList, CardText, label
from planner_app.ui.controls import column
from planner_app.ui.sync.rights import right_of, right_pill, role_word
from planner_app.ui.sync.status import sentences

if TYPE_CHECKING:
    from planner_app.ui.session import Session


class RightsList(QWidget):
    """A card per layer that may not be edited freely; ``district(WKB | None, name)``: show that area on the map."""

    district = Signal(object, str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.intro = label("", "secondary", wrap=True)
        self.cards = CardList()
        self.cards.chosen.connect(self._chosen)
        self.rest = label("", "secondary", wrap=True)
        self.setLayout(column(self.intro, self.cards, self.rest, spacing=10))

    def refresh(self) -> None:
        """Show the rights as the last sync learnt them."""
        rights = self._session.sync.rights
        if rights is None:
            self.intro.setText(tr("Rights are known after the first sync."))
            self.cards.set([])
            self.rest.setText("")
            return
        add = tr("You may add layers.") if rights.add_layers else tr("You may not add layers.")
        self.intro.setText(sentences(tr("Your role: {role}.", role=role_word(rights.role)), add))
        texts, free, layers = [], 0, self._session.layers()
        known = [rights.layers.get(layer.uuid) for layer in layers]
        if layers and not any(right is None or right.write for right in known):
            self.cards.set([])
            self.rest.setText(tr("You may look at all layers, but edit none. An administrator gives other rights."))
            return
        for layer in layers:
            right = rights.layers.get(layer.uuid)
            token, may = right_pill(right, layer.locked)
            if token == "pass":  # noqa: S105 - a colour
                free += 1
                continue
            detail = []
            if right is not None and right.columns is not None and right.write:
                named = [info.alias or info.name for info in layer.fields if info.name in right.columns]
                detail.append(tr("Only: {fields}", fields=tr(", ").join(named)))
            if right is not None and right.district is not None and right.write:
                detail.append(tr("Only inside a district; click to see it."))
            texts.append(CardText(layer.id, layer.name, "", sentences(*detail), (token, may)))
        self.cards.set(texts)
        self.rest.setText(
            tr("You may edit all others ({count}).", count=free) if texts else tr("You may edit all layers.")
        )

    def _chosen(self, layer_id: str) -> None:
        layer = self._session.layer(layer_id)
        if layer is not None:
            self.cards.select(layer_id)
            right = right_of(self._session, layer)
            self._session.set_current_layer(layer_id)
            self.district.emit(right.district if right is not None else None, layer.name)
