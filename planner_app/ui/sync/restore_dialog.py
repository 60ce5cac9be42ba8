"""Bringing back what was: one record, a place, or a layer, as a new command that can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QRadioButton, QWidget

from planner_app.i18n import tr
from planner_app.sync.types import Revision, Scope
from planner_app.ui.controls import label
from planner_app.ui.dialogs.form_dialog import FormDialog
from planner_app.ui.session import Session
from planner_app.ui.sync.status import long_time

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to restore of which layers; ``uuids``: these records, ``box``: those in a place, neither: all."""

    title: str
    layers: tuple[LayerInfo, ...]
    uuids: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None

    def scope(self) -> Scope | None:
        """The place as the server's question."""
        return Scope(box=self.box) if self.box is not None else None


class RestoreDialog(FormDialog):
    """Emits ``wanted(Wanted)``."""

    wanted = Signal(object)

    def __init__(self, session: Session, revision: Revision, choices: list[Wanted], parent: QWidget) -> None:
        super().__init__(session, tr("Restore"), tr("Restore"), parent, 480)
        self._choices = choices
        head = tr(
            "As it was after revision {number} ({time}, {user})",
            number=revision.revision, time=long_time(revision.time), user=revision.user,
        )  # fmt: skip
        self.body.addWidget(label(head, "heading", wrap=True))
        self.buttons = [QRadioButton(one.title) for one in choices]
        for knob in self.buttons:
            self.body.addWidget(knob)
        self.buttons[0].setChecked(True)
        self.buttons[0].setFocus()
        self.body.addWidget(
            label(
                tr("Restoring is an edit of its own: Ctrl+Z takes it back, and nothing is erased from the log."),
                "small", wrap=True,
            )
        )  # fmt: skip

    def submit(self) -> None:
        """Hand over the choice."""
        chosen = next(one for one, knob in zip(self._choices, self.buttons, strict=True) if knob.isChecked())
        self.wanted.emit(chosen)
        self.accept()
