"""What can be said of the selected patches: who yields, and on what ground."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import FlowLayout, button, label, restyle
from plugins.planning.ui import words
from plugins.planning.ui.conflict_rows import PatchRow


class DecideBar(QWidget):
    """Foot of the conflict page; hidden while nothing is selected.

    Signals:
        decided(decision, ground): a decision was pressed; "" takes decisions back.
    """

    decided = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._chosen = label("", "heading")
        self.take_back = button(tr("Take back"), lambda: self.decided.emit("", ""), "link")
        self.ground = QLineEdit()
        self.ground.setPlaceholderText(tr("Ground of the decision (optional)"))
        choices = QWidget()
        flow = FlowLayout(choices, spacing=6)
        self.buttons: dict[str, QPushButton] = {}
        for key in ("a_yields", "b_yields", "no_conflict", "pending"):
            self.buttons[key] = button(words.decision(key), partial(self._press, key))
            flow.addWidget(self.buttons[key])
        head = QHBoxLayout()
        head.addWidget(self._chosen, 1)
        head.addWidget(self.take_back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.ground)
        column.addWidget(choices)
        self.hide()

    def _press(self, decision: str) -> None:
        self.decided.emit(decision, self.ground.text().strip())

    def show_for(self, rows: Sequence[PatchRow], names: tuple[str, str]) -> None:
        """Offer the decisions for these patches of the plans named; the one they all have is lit."""
        self.setVisible(bool(rows))
        if not rows:
            return
        text = (
            tr("{code}: who yields?", code=rows[0].code)
            if len(rows) == 1
            else tr("{count} patches: who yields?", count=f"{len(rows):,}")
        )
        self._chosen.setText(text)
        decisions = {row.decision for row in rows}
        self.take_back.setVisible(decisions != {""})
        for key, knob in self.buttons.items():
            lit = "chosen" if decisions == {key} else ""
            if (knob.property("look") or "") != lit:
                restyle(knob, lit)
        self.buttons["a_yields"].setToolTip(tr("“{loser}” yields, “{winner}” stands.", loser=names[0], winner=names[1]))
        self.buttons["b_yields"].setToolTip(tr("“{loser}” yields, “{winner}” stands.", loser=names[1], winner=names[0]))
