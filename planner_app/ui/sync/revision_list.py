"""The newest revisions in the panel, and the ways into the log: of a feature, of a place, all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import CardList, CardText, FlowLayout, label
from planner_app.ui.controls import button, column
from planner_app.ui.sync.audit import History, Subject, read_history, why
from planner_app.ui.sync.status import sentences, short_time

if TYPE_CHECKING:
    from planner_app.sync.types import Revision
    from planner_app.ui.sync.room import SyncRoom

SHOWN = 20


class RevisionList(QWidget):
    """Cards; a click opens the log at that revision."""

    def __init__(self, room: SyncRoom) -> None:
        super().__init__()
        self.room = room
        self._head = -1
        self._asking = False
        self.revisions: tuple[Revision, ...] = ()
        self.feature = button(tr("Selected feature"), room.history_of_feature)
        self.place = button(tr("A place…"), room.history_of_place)
        self.every = button(tr("All revisions"), room.show_history)
        self.says = label("", "secondary", wrap=True)
        self.cards = CardList()
        self.cards.chosen.connect(lambda key: room.show_history(int(key)))
        knobs = QWidget()
        flow = FlowLayout(knobs, 6)
        for knob in (self.feature, self.place, self.every):
            flow.addWidget(knob)
        self.setLayout(column(knobs, self.says, self.cards, spacing=10))
        room.session.project_changed.connect(self._forget)
        room.session.sync.synced.connect(lambda *_: self._synced())

    def _forget(self) -> None:
        self._head, self.revisions = -1, ()
        self.cards.set([])

    def _synced(self) -> None:
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Ask the server for the newest revisions if there may be new ones."""
        state, project = self.room.session.sync.state, self.room.project_uuid()
        head = state.revision if state is not None else 0
        if not project or self._asking or head == self._head:
            return
        self._asking = True
        if not self.revisions:
            self.says.setText(tr("Asking the server…"))
            self.says.show()

        def done(history: History) -> None:
            self._asking, self._head = False, head
            self._show(history.revisions[:SHOWN])

        def failed(error: Exception) -> None:
            self._asking = False
            text, hint = self.room.session.word(error)
            self.says.setText(sentences(text, hint))
            self.says.show()

        self.room.session.sync.ask(lambda transport: read_history(transport, project, Subject()), done, failed)

    def _show(self, revisions: tuple[Revision, ...]) -> None:
        self.revisions = revisions
        self.says.setVisible(not revisions)
        self.says.setText(tr("Nothing was pushed to the server yet."))
        layers = self.room.session.layers()
        self.cards.set(
            [
                CardText(
                    str(one.revision), why(one, layers) or tr("Revision {number}", number=one.revision),
                    f"{one.rows:,}",
                    tr("{user}, {time}, revision {number}", user=one.user, time=short_time(one.time),
                       number=f"{one.revision:,}"),
                )
                for one in revisions
            ]
        )  # fmt: skip
