"""Records changed here and by others: cards, the chosen one open with every cell's values to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLineEdit, QRadioButton, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Card, CardList, CardText, DistributionBar, Share, label
from planner_app.sync.types import GEOMETRY
from planner_app.ui.controls import IconButton, button, column, row
from planner_app.ui.panels.attribute_model import parse_cell
from planner_app.ui.session import Session
from planner_app.ui.sync.disputes import Dispute, column_name, sides
from planner_app.ui.sync.rights import refusal

if TYPE_CHECKING:
    from planner_app.domain.layer import FieldInfo
    from planner_app.sync.client.conflicts import Conflict

#: The three outlines on the map and the squares before their names: before, mine, the server's.
COLOURS = {"base": "#66707E", "mine": "#1F5FAE", "theirs": "#B3450B"}
#: More cards than this are not drawn; the table in the dock has them all.
MOST = 100
MINE, THEIRS, EDITED = "mine", "theirs", "edited"


def square(colour: str) -> QWidget:
    """A small square in a side's colour."""
    made = label("")
    made.setFixedSize(10, 10)
    made.setStyleSheet(f"background: {colour}; border-radius: 2px;")
    return made


class CellChoice(QWidget):
    """One conflict: the value before, and mine or the server's to choose, or one of the person's own.

    ``reshape(conflict, side)``: a polygon's geometry shall be that side's, and its vertices be edited.
    """

    changed = Signal()
    reshape = Signal(object, str)

    def __init__(
        self, session: Session, conflict: Conflict, field: FieldInfo | None, name: str, *, polygon: bool = False
    ) -> None:
        super().__init__()
        self.conflict, self._field = conflict, field
        before, mine, theirs = sides(conflict, field.type if field is not None else "")
        self.group = QButtonGroup(self)
        self.pencil: IconButton | None = None
        self.buttons: dict[str, QRadioButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(7)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        grid.addWidget(label(name, "heading"), 0, 0, 1, 3)
        if before:
            grid.addWidget(square(COLOURS["base"]), 1, 0, Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(label(tr("Was"), "small"), 1, 1)
            grid.addWidget(self._value(before, "secondary"), 1, 2)
        for line, (side, words, value) in enumerate(
            ((MINE, tr("Mine"), mine), (THEIRS, tr("Server"), theirs)), start=2
        ):
            grid.addWidget(square(COLOURS[side]), line, 0, Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(self._radio(side, words), line, 1)
            grid.addWidget(self._value(value, ""), line, 2)
        self.editor: QLineEdit | None = None
        if field is not None and field.type not in ("blob", "boolean") and conflict.kind == "cell":
            self._add_editor(session, grid)
        if polygon and conflict.column == GEOMETRY and conflict.kind == "cell" and conflict.fid is not None:
            self.pencil = IconButton(
                session.theme, "pencil", tr("Take the chosen shape (mine, if none is chosen) and change its vertices"),
                lambda: self.reshape.emit(conflict, self.chosen() or MINE), size=14,
            )  # fmt: skip
            grid.addWidget(self.pencil, 0, 2, Qt.AlignmentFlag.AlignRight)

    def _value(self, text: str, look: str) -> QWidget:
        made = label(text, look, wrap=True)
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return made

    def _radio(self, side: str, words: str) -> QRadioButton:
        made = QRadioButton(words)
        made.clicked.connect(lambda *_: self.changed.emit())
        self.group.addButton(made)
        self.buttons[side] = made
        return made

    def _add_editor(self, session: Session, grid: QGridLayout) -> None:
        self.editor = QLineEdit()
        self.editor.setPlaceholderText(tr("another value"))
        self.editor.textEdited.connect(lambda *_: self.choose(EDITED))
        pencil = IconButton(session.theme, "pencil", tr("Write another value"), self._edit, size=14)
        grid.addWidget(pencil, 0, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._radio(EDITED, tr("Other value")), 4, 1)
        grid.addWidget(self.editor, 4, 2)
        self._editing(False)

    def _editing(self, on: bool) -> None:
        if self.editor is not None:
            self.editor.setVisible(on)
            self.buttons[EDITED].setVisible(on)

    def _edit(self) -> None:
        if self.editor is not None:
            self._editing(True)
            self.choose(EDITED)
            self.editor.setFocus()

    def chosen(self) -> str:
        """``mine`` | ``theirs`` | ``edited``, "" before a choice."""
        return next((side for side, knob in self.buttons.items() if knob.isChecked()), "")

    def choose(self, side: str) -> None:
        """Choose a side."""
        if side in self.buttons and not self.buttons[side].isChecked():
            self.buttons[side].setChecked(True)
            self.changed.emit()

    def value(self) -> Any:
        """What the chosen side would write: mine, the server's, or the person's own.

        Raises:
            PlannerError: the person's own makes no sense for its field.
        """
        if self.chosen() != EDITED:
            return self.conflict.mine if self.chosen() == MINE else self.conflict.theirs
        assert self._field is not None
        assert self.editor is not None
        return parse_cell(self._field, self.editor.text())


class DisputeCard(Card):
    """A record; open, it shows its cells. ``settle(dispute, choices)`` is called with what was chosen."""

    def __init__(
        self,
        session: Session,
        dispute: Dispute,
        opened: bool,
        settle: Callable[[list[int], str, dict[int, Any]], None],
        complain: Callable[[Exception], None],
        reshape: Callable[[Conflict, str], None],
        who: str = "",
    ) -> None:
        layer = session.layer(dispute.layer)
        names = [column_name(one, layer) for one in dispute.conflicts]
        kinds = {one.kind for one in dispute.conflicts}
        pill = ("needs_certificate", tr("To choose"))
        if "deleted_here" in kinds:
            pill = ("fail", tr("Deleted here"))
        elif "deleted_there" in kinds:
            pill = ("fail", tr("Deleted there"))
        revision = max(one.revision for one in dispute.conflicts)
        detail = "" if opened else tr(", ").join(names)
        told = who or (tr("revision {number}", number=revision) if revision else "")
        super().__init__(CardText(dispute.key, dispute.title, "", " · ".join(filter(None, (detail, told))), pill))
        self._settle, self._complain = settle, complain
        self.choices: list[CellChoice] = []
        if opened:
            for one, name in zip(dispute.conflicts, names, strict=True):
                field = layer.field(one.column) if layer is not None and one.kind == "cell" else None
                polygon = layer is not None and layer.geometry == "polygon" and not refusal(session, layer, GEOMETRY)
                choice = CellChoice(session, one, field, name, polygon=polygon)
                choice.reshape.connect(reshape)
                choice.changed.connect(lambda choice=choice: self._together(choice))
                self.choices.append(choice)
                self.add(choice)
            self._add_buttons()

    def _add_buttons(self) -> None:
        self.apply = button(tr("Apply"), self._apply, "primary")
        self.apply.setEnabled(False)
        self.all_mine = button(tr("Keep mine"), lambda: self._all(MINE))
        self.all_theirs = button(tr("Take theirs"), lambda: self._all(THEIRS))
        holder = QWidget()
        holder.setLayout(row(self.apply, None, self.all_mine, self.all_theirs, spacing=6, margins=(0, 4, 0, 2)))
        self.add(holder)

    def _together(self, chosen: CellChoice) -> None:
        """Columns that belong together are chosen together."""
        group, side = chosen.conflict.group, chosen.chosen()
        if group and side in (MINE, THEIRS):
            for other in self.choices:
                if other is not chosen and other.conflict.group == group and other.chosen() != side:
                    other.choose(side)
        made = sum(bool(one.chosen()) for one in self.choices)
        self.apply.setEnabled(made > 0)
        self.apply.setText(tr("Apply") if made < 2 else tr("Apply {count}", count=made))

    def _all(self, side: str) -> None:
        self._settle([one.conflict.id for one in self.choices], side, {})

    def _apply(self) -> None:
        chosen = {one.conflict.id: one for one in self.choices if one.chosen()}
        sides = {one.chosen() for one in chosen.values()}
        try:
            if THEIRS not in sides:
                values = {key: one.value() for key, one in chosen.items() if one.chosen() == EDITED}
                self._settle(list(chosen), MINE, values)
            else:  # one step to undo: the server's, with what differs written over it
                values = {key: one.value() for key, one in chosen.items() if one.chosen() != THEIRS}
                self._settle(list(chosen), THEIRS, values)
        except PlannerError as error:
            self._complain(error)


class ConflictList(QWidget):
    """Shares by layer, the cards, and what is done with all of them.

    Signals:
        chosen(Dispute | None): another card is open.
        settle(ids, side, values): a person chose.
        reshape(dispute, conflict, side): a geometry shall be that side's, and its vertices be edited.
    """

    chosen = Signal(object)
    settle = Signal(object, str, object)
    complained = Signal(object)
    reshape = Signal(object, object, str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._disputes: list[Dispute] = []
        self._layer = ""
        self._open = ""
        self.who: dict[int, str] = {}
        self.shares = DistributionBar()
        self.shares.clicked.connect(self._filter)
        self.cards = CardList()
        self.cards.chosen.connect(self.open)
        self.more = label("", "small", wrap=True)
        self.empty = label("", "secondary", wrap=True)
        self.empty.setText(tr("Nothing to choose: what you and others changed fits together."))
        self.setLayout(column(self.empty, self.shares, self.cards, self.more, spacing=10))
        session.theme.changed.connect(self._show)
        self._show()

    def shown(self) -> list[Dispute]:
        """What the filter lets through."""
        return [one for one in self._disputes if not self._layer or one.layer == self._layer]

    def opened(self) -> Dispute | None:
        """The record whose cells are open."""
        return next((one for one in self._disputes if one.key == self._open), None)

    def show_disputes(self, disputes: Sequence[Dispute]) -> None:
        """Show these; the open one stays open, and when it was settled the next one opens."""
        before = [one.key for one in self.shown()]
        self._disputes = list(disputes)
        if self._layer and not self.shown():
            self._layer = ""
        keys = [one.key for one in self.shown()]
        if self._open and self._open not in keys:
            after = before[before.index(self._open) :] if self._open in before else []
            self._open = next((key for key in after if key in keys), keys[0] if keys else "")
            self.chosen.emit(self.opened())
        self._show()

    def tell_who(self, who: dict[int, str]) -> None:
        """Who made which revision; cards that are open keep what was chosen in them."""
        self.who |= who
        if not self._open:
            self._show()

    def open(self, key: str) -> None:
        """Open a record's cells."""
        if key != self._open:
            self._open = key
            self._show()
        self.chosen.emit(self.opened())

    def _filter(self, layer: str) -> None:
        self._layer = "" if layer == self._layer else layer
        self._show()

    def _show(self) -> None:
        shown = self.shown()
        counts = Counter(one.layer for one in self._disputes)
        names = {one.layer: one.layer_name for one in self._disputes}
        tints = ("#C0322B", "#D98A2B", "#5A8FD6", "#8A94A3", "#5CA36C", "#9A6FB0")
        self.shares.setVisible(len(counts) > 1)
        self.shares.set(
            [
                Share(layer, names[layer] or tr("Plans"), count, tints[n % len(tints)], f"{count:,}")
                for n, (layer, count) in enumerate(counts.most_common())
            ],
            self._layer,
        )
        self.empty.setVisible(not self._disputes)
        cards: list[Card] = []
        for one in shown[:MOST]:
            opened = one.key == self._open
            revision = max(conflict.revision for conflict in one.conflicts)
            card = DisputeCard(
                self._session, one, opened, self._settled, self.complained.emit, partial(self._reshape, one),
                self.who.get(revision, ""),
            )  # fmt: skip
            cards.append(card)
        self.cards.set_cards(cards)
        self.more.setVisible(len(shown) > MOST)
        self.more.setText(tr("{count} more stand in the table below.", count=f"{len(shown) - MOST:,}"))
        if self._open:
            self.cards.select(self._open)

    def _reshape(self, dispute: Dispute, conflict: Conflict, side: str) -> None:
        self._open = ""  # its vertices are edited next: no other record takes the map's place
        self.reshape.emit(dispute, conflict, side)

    def _settled(self, ids: list[int], side: str, values: dict[int, Any]) -> None:
        self.settle.emit(ids, side, values)
