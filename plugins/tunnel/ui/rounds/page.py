"""Inspection rounds, defects and work orders: what is due and late, what is broken, what is being done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QToolButton

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import (
    CardList,
    CardText,
    DistributionBar,
    Form,
    KeyFigures,
    Notice,
    RowTable,
    Share,
    TaskPage,
    button,
    combo,
    label,
    tab_bar,
)
from plugins.tunnel.model.operation.records import OrderStatus
from plugins.tunnel.model.operation.rows import GRADE_COLOURS
from plugins.tunnel.model.operation.schedule import RoundState
from plugins.tunnel.model.operation.words import grade_word, state_word, status_word
from plugins.tunnel.ui.rounds import lists
from plugins.tunnel.ui.rounds.actions import Actions
from plugins.tunnel.ui.rounds.desk import DEFECT, ORDER, PLAN, SEEN, desk_of
from plugins.tunnel.ui.rounds.foot import ChosenBar
from plugins.tunnel.ui.rounds.map_link import TOKENS, RoutesOnMap
from plugins.tunnel.ui.rounds.order_page import BAR_TOKENS
from plugins.tunnel.ui.state import state_of

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.figures import Book

ROUNDS, DEFECTS, ORDERS = range(3)
_TAB_OF = {PLAN: ROUNDS, SEEN: DEFECTS, DEFECT: DEFECTS, ORDER: ORDERS}
_MOST_CARDS = 60
#: What a card is filtered by, and how it is made: most are never shown.
Entry = tuple[str, Callable[[], CardText]]


class RoundsPage(TaskPage):
    """The page; everything it shows comes from the window's :class:`OperationDesk`."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.state = state_of(context)
        self.desk = desk_of(context, self.state)
        self.actions_ = Actions(self.desk, self)
        self._filter = ""
        self._build()
        self._build_table()
        self.routes = RoutesOnMap(self.desk, self.isVisible, lambda: self.tabs.currentIndex() == ROUNDS)
        self.desk.changed.connect(self.refresh)
        self.desk.chosen_changed.connect(self._chosen)
        self.desk.failed.connect(lambda error: self.notice.say(*context.word(error), level="error"))
        context.theme_changed.connect(self.refresh)
        self.refresh()

    # parts

    def _build(self) -> None:
        self.tunnel = combo(self.refresh)
        self.tunnel.addItem(tr("All tunnels"), "")
        self.primary, self.second = button("", self._primary, "primary"), button("", self._second)
        self.more = QToolButton()
        self.more.setIcon(self._context.icon("ellipsis"))
        self.more.setToolTip(tr("Field package, lists, closed ones"))
        self.more.setAccessibleName(self.more.toolTip())
        self.more.clicked.connect(lambda *_: self._menu())
        self._context.theme_changed.connect(lambda: self.more.setIcon(self._context.icon("ellipsis")))
        form = Form()
        form.add(tr("Tunnel"), self.tunnel)
        form.add_buttons(self.primary, self.second, self.more)
        self.notice = Notice()
        self.conflicts = button("", self.actions_.conflicts, "link")
        self.figures = KeyFigures(4)
        self.bar = DistributionBar()
        self.bar.clicked.connect(self._filter_by)
        self.tabs = tab_bar(tr("Patrols"), tr("Defects"), tr("Work orders"))
        self.tabs.currentChanged.connect(self._tab_changed)
        self.day = label("", "tertiary", wrap=True)
        self.none = label("", "secondary", wrap=True)
        self.cards = CardList()
        self.cards.chosen.connect(self._card_chosen)
        self.closed = False
        for part in (form, self.notice, self.conflicts, self.figures, self.tabs, self.bar, self.none, self.cards):
            self.add(part)
        self.add(self.day)
        self.foot = ChosenBar(self.desk, self.actions_)
        self.set_foot(self.foot)

    def _build_table(self) -> None:
        self.table = self._context.add_table("operation", tr("Rounds"))
        self.models: dict[int, RowTable[Any]] = {
            ROUNDS: RowTable(lists.round_columns(lambda: self.book)), DEFECTS: RowTable(lists.defect_columns()),
            ORDERS: RowTable(lists.order_columns()),
        }  # fmt: skip
        self.table.set_model(self.models[ROUNDS])
        self.table.set_empty(tr("Nothing was written down yet."), tr("New plan…"), self.actions_.plan)
        self.table.set_actions([("operation-export", tr("Export…"), self.export)])
        self.table.current_changed.connect(self._row_chosen)
        self.table.row_activated.connect(self._row_opened)

    # what is shown

    @property
    def book(self) -> Book | None:
        """The records as last read."""
        return self.desk.shown.book if self.desk.shown is not None else None

    def refresh(self) -> None:
        """Show the records as they are now."""
        book, tab = self.book, self.tabs.currentIndex()
        self._fill_tunnels()
        texts = {
            ROUNDS: (tr("Record a round…"), tr("New plan…")), DEFECTS: (tr("Observation…"), tr("New defect…")),
            ORDERS: (tr("New work order…"), ""),
        }[tab]  # fmt: skip
        self.primary.setText(texts[0])
        self.second.setText(texts[1])
        self.second.setVisible(bool(texts[1]))
        ready = book is not None and bool(self.desk.shown and self.desk.shown.tunnels)
        self.primary.setEnabled(ready or (tab == ORDERS and book is not None))
        self.second.setEnabled(ready)
        self._show_figures(book)
        self._show_cards(book, tab)
        self._show_rows(book, tab)
        self._show_day(book)
        count = len(book.conflicts) if book is not None else 0
        self.conflicts.setText(tr("{count} conflicts with the field to decide…", count=count))
        self.conflicts.setVisible(count > 0)
        self._chosen()

    def _fill_tunnels(self) -> None:
        known = self.desk.shown.tunnels if self.desk.shown is not None else []
        if [self.tunnel.itemData(at) for at in range(1, self.tunnel.count())] == [code for code, _ in known]:
            return
        chosen = self.tunnel.currentData()
        while self.tunnel.count() > 1:
            self.tunnel.removeItem(1)
        for code, name in known:
            self.tunnel.addItem(f"{code} {name}".strip(), code)
        self.tunnel.setCurrentIndex(max(self.tunnel.findData(chosen), 0))

    def _mine(self, one: Any) -> bool:
        wanted = self.tunnel.currentData() or ""
        return not wanted or getattr(one, "plan", one).tunnel == wanted

    def _show_figures(self, book: Book | None) -> None:
        if book is None:
            self.figures.set([("—", text) for text in (tr("due"), tr("overdue"), tr("defects"), tr("orders"))])
            return
        standings = [one for one in book.standings if self._mine(one)]
        due = sum(one.state is RoundState.DUE for one in standings)
        late = sum(one.state is RoundState.OVERDUE for one in standings)
        defects = [one for one in book.open_defects() if self._mine(one)]
        orders = [one for one in book.open_orders() if self._mine(one)]
        self.figures.set(
            [(f"{due:,}", tr("due")), (f"{late:,}", tr("overdue")), (f"{len(defects):,}", tr("defects")),
             (f"{len(orders):,}", tr("orders"))],
            ["", "fail" if late else "", "fail" if any(one.grade == 4 for one in defects) else "", ""],
        )  # fmt: skip

    def _show_cards(self, book: Book | None, tab: int) -> None:
        texts: list[Entry] = []
        shares: list[Share] = []
        if book is not None:
            texts, shares = {ROUNDS: self._plans, DEFECTS: self._defects, ORDERS: self._orders}[tab](book)
        self.bar.set(shares, self._filter)
        self.bar.setVisible(bool(shares))
        shown = [make for key, make in texts if self._filter in ("", key)]
        self.cards.set([make() for make in shown[:_MOST_CARDS]])
        hidden = len(shown) - _MOST_CARDS
        said = tr("{count} more in the table below", count=f"{hidden:,}") if hidden > 0 else ""
        self.none.setText(said or ("" if shown else self._nothing(book, tab)))
        self.none.setVisible(bool(self.none.text()))

    def _plans(self, book: Book) -> tuple[list[Entry], list[Share]]:
        its = [one for one in book.standings if self._mine(one)]
        count = Counter(one.state.value for one in its)
        colour = self._context.colour
        shares = [
            Share(state, state_word(state), count[state], colour(TOKENS[state]), f"{count[state]:,}")
            for state in ("overdue", "due", "done", "coming") if count[state]
        ]  # fmt: skip
        cards: list[Entry] = [(one.state.value, partial(lists.plan_card, one, book.day, colour)) for one in its]
        return cards, shares

    def _defects(self, book: Book) -> tuple[list[Entry], list[Share]]:
        rules = self.desk.rules()
        every = book.defects if self.closed else book.open_defects()
        its = [one for one in every if self._mine(one)]
        seen = [one for one in book.observations if one.code and not one.defect_id and self._mine(one)]
        count = Counter(one.grade for one in its)
        shares = [
            Share(str(grade), grade_word(grade), count[grade], GRADE_COLOURS[grade], f"{count[grade]:,}")
            for grade in (4, 3, 2, 1) if count[grade]
        ]  # fmt: skip
        cards: list[Entry] = [(SEEN, partial(lists.seen_card, one)) for one in seen]
        return cards + [
            (str(one.grade), partial(lists.defect_card, one, book, rules)) for one in its
        ], shares  # fmt: skip

    def _orders(self, book: Book) -> tuple[list[Entry], list[Share]]:
        every = book.orders if self.closed else book.open_orders()
        its = [one for one in every if self._mine(one)]
        count = Counter(one.status for one in its)
        colour = self._context.colour
        shares = [
            Share(status.value, status_word(status), count[status], colour(BAR_TOKENS[status]), f"{count[status]:,}")
            for status in OrderStatus if count[status]
        ]  # fmt: skip
        cards: list[Entry] = [(one.status.value, partial(lists.order_card, one, book.day)) for one in its]
        return cards, shares

    def _nothing(self, book: Book | None, tab: int) -> str:
        """Why there are no cards."""
        if book is None:
            return ""
        if tab == ORDERS:
            return tr("No work order is open. They come from defects, alarms and isolations, or are opened here.")
        if self.desk.shown is None or not self.desk.shown.tunnels:
            return tr("The project has no tunnel yet: rounds and defects lie along tunnels. Import or draw one first.")
        if tab == DEFECTS:
            return tr("No defect is open.")
        return tr("No plan yet: a plan says who walks where how often, and rounds become due by themselves.")

    def _show_rows(self, book: Book | None, tab: int) -> None:
        rows: dict[int, list[Any]] = {ROUNDS: [], DEFECTS: [], ORDERS: []}
        if book is not None:
            rows = {ROUNDS: list(reversed(book.inspections)), DEFECTS: book.defects, ORDERS: book.orders}
        its = [one for one in rows[tab] if self._mine(one)]
        self.models[tab].show(its)
        title = (tr("Rounds"), tr("Defects"), tr("Work orders"))[tab]
        self.table.set_title(f"{title} {len(its):,}" if its else title)

    def _show_day(self, book: Book | None) -> None:
        still = book is not None and book.day != date.today()
        self.day.setText(tr("As of {day}: this project's records stand still on that day.", day=book.day)
                         if still and book is not None else "")  # fmt: skip
        self.day.setVisible(still)

    # choosing

    def _tab_changed(self, tab: int) -> None:
        self._filter = ""
        self.table.set_model(self.models[tab])
        if _TAB_OF.get(self.desk.chosen[0], tab) != tab:
            self.desk.choose("", "")
        self.refresh()

    def _filter_by(self, key: str) -> None:
        self._filter = "" if self._filter == key else key
        self.refresh()

    def _card_chosen(self, identity: str) -> None:
        tab, book = self.tabs.currentIndex(), self.book
        kind = {ROUNDS: PLAN, DEFECTS: DEFECT, ORDERS: ORDER}[tab]
        if tab == DEFECTS and book is not None and any(one.id == identity for one in book.observations):
            kind = SEEN
        self.desk.choose(kind, identity, zoom=True)

    def _chosen(self) -> None:
        kind, identity = self.desk.chosen
        tab = _TAB_OF.get(kind)
        if tab is not None and tab != self.tabs.currentIndex():
            self.tabs.setCurrentIndex(tab)
            return
        self.cards.select(identity)
        model = self.models[self.tabs.currentIndex()]
        self.table.select_rows([at for at, one in enumerate(model.rows) if one.id == identity])
        self.foot.show_for()

    def _row_chosen(self, rows: list[int]) -> None:
        tab = self.tabs.currentIndex()
        if len(rows) != 1:
            return
        one = self.models[tab].rows[rows[0]]
        if tab == ROUNDS:
            self.desk.choose(PLAN, one.plan_id)
        elif self.desk.chosen[1] != one.id:
            self.desk.choose(DEFECT if tab == DEFECTS else ORDER, one.id, zoom=True)

    def _row_opened(self, row: int) -> None:
        tab = self.tabs.currentIndex()
        one = self.models[tab].rows[row]
        if tab == DEFECTS:
            self.actions_.history(one.id)
        elif tab == ORDERS:
            self.actions_.order(one.id)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._context.map.update_overlays()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._context.map.update_overlays()

    # doing

    def _primary(self) -> None:
        chosen = self.desk.chosen[1] if self.desk.chosen[0] == PLAN else ""
        tab = self.tabs.currentIndex()
        if tab == ROUNDS:
            self.actions_.record(chosen)
        elif tab == DEFECTS:
            self.actions_.observe()
        else:
            self.actions_.new_order()

    def _second(self) -> None:
        if self.tabs.currentIndex() == ROUNDS:
            self.actions_.plan()
        else:
            self.actions_.new_defect()

    def _menu(self) -> None:
        menu = QMenu(self)
        tab = self.tabs.currentIndex()
        entries: list[tuple[str, Callable[[], None]] | None] = [
            (tr("Hand out a field package…"), self.actions_.hand_out),
            (tr("Take in a field package…"), self.actions_.take_in),
            (tr("Write into a field package…"), self.actions_.open_package), None,
            (tr("Export lists and statistics…"), self.export),
        ]  # fmt: skip
        for entry in entries:
            if entry is None:
                menu.addSeparator()
                continue
            action = QAction(entry[0], menu)
            action.setEnabled(self.book is not None)
            action.triggered.connect(lambda _=False, run=entry[1]: run())
            menu.addAction(action)
        if tab != ROUNDS:
            shown = QAction(tr("Show closed ones"), menu)
            shown.setCheckable(True)
            shown.setChecked(self.closed)
            shown.toggled.connect(self.show_closed)
            menu.addAction(shown)
        menu.exec(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def show_closed(self, wanted: bool) -> None:
        """Show closed defects and orders among the cards, too."""
        self.closed = wanted
        self.refresh()

    def export(self) -> None:
        """Write lists and statistics of the last 30 days as a workbook."""
        book, context, rules = self.book, self._context, self.desk.rules()
        if book is None or context.project is None:
            return
        name = f"{tr('Tunnel operation')} {book.day}.xlsx"
        path = context.ask_save(tr("Export lists and statistics"), name, "Excel (*.xlsx)")
        if path is None:
            return
        project = context.project.name

        def work(progress: Progress) -> None:
            from plugins.tunnel.model.operation.sheets import write_workbook

            write_workbook(book, rules, project, book.day - timedelta(days=29), path)

        def done(_: None) -> None:
            context.notify(tr("Written: {file}", file=path.name), level="success")

        context.run_job(tr("Writing {file}", file=path.name), work, done)
