"""Isolation: which valves to close in which order and why, who is without, what else can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtWidgets import QHBoxLayout, QWidget

from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import (
    Card,
    CardList,
    CardText,
    FlowLayout,
    Form,
    KeyFigures,
    Notice,
    TaskPage,
    button,
    label,
)
from plugins.tunnel.ui.analysis.desk import AnalysisDesk
from plugins.tunnel.ui.analysis.marks import Picture, Spot, Strokes
from plugins.tunnel.ui.analysis.place_row import PlaceRow
from plugins.tunnel.ui.analysis.trace_page import served_card, valve_spots

if TYPE_CHECKING:
    from plugins.tunnel.model.network.explain import Step
    from plugins.tunnel.model.network.isolation import Isolation
    from plugins.tunnel.model.network.reach import Served
    from plugins.tunnel.model.network.spaces import Note
    from plugins.tunnel.ui.analysis.ground import Ground

_MOST_SERVED = 30


class Answer(NamedTuple):
    """What was asked and what came."""

    at: str
    places: list[tuple[str, int]]
    isolation: Isolation
    steps: list[Step]
    served: list[Served]
    notes: tuple[Note, ...]


class IsolatePage(TaskPage):
    """The page. Valves marked as seized here are a question first; one button writes them into their assets."""

    def __init__(self, desk: AnalysisDesk) -> None:
        super().__init__()
        self._desk, self._context = desk, desk.context
        self.answer: Answer | None = None
        self.seized: list[str] = []
        self.place = PlaceRow(desk)
        self.place.chosen.connect(self._place_chosen)
        self.run = button(tr("Find valves"), self.solve, "primary")
        self.order = button(tr("Work order…"), self.work_order)
        form = Form()
        form.add(tr("Location"), self.place)
        self._seized_row = QWidget()
        self._seized_flow = FlowLayout(self._seized_row, spacing=4)
        self._seized_caption = form.add(tr("Seized"), self._seized_row, tall=True)
        form.add_buttons(self.run, self.order)
        self.notice, self.figures = Notice(), KeyFigures(3)
        self.before = label(
            tr(
                "Names the fewest valves that cut a place off, in the order of closing, with the reason for each, "
                "who is without supply, and what to do if a valve does not close."
            ),
            "secondary",
            wrap=True,
        )
        self.valves, self.others, self.served = CardList(), CardList(), CardList()
        self.heads = [label("", "heading") for _ in range(3)]
        self.more = label("", "small")
        self.valves.chosen.connect(self._valve_chosen)
        self.others.chosen.connect(self._other_chosen)
        self.served.chosen.connect(self._served_chosen)
        self.add(
            form, self.notice, self.before, self.figures, self.heads[0], self.valves, self.heads[1], self.others,
            self.heads[2], self.served, self.more,
        )  # fmt: skip
        self._show()

    def ask(self, place: str) -> None:
        """Isolate a place."""
        self.place.choose(place)

    def _place_chosen(self, _place: str) -> None:
        self.seized = []
        self.solve()

    def solve(self) -> None:
        """Ask the graph."""
        place, seized = self.place.place, tuple(self.seized)
        if not place:
            self.notice.say(tr("No place chosen yet."), tr("Click on the map, or write one such as line:GX00010."))
            return

        def asked(ground: Ground) -> None:
            def work() -> Answer:
                from plugins.tunnel.model.network.explain import explain

                graph = ground.graph
                places = graph.places(place)
                found = graph.segments.isolate_all(places, seized)
                steps = explain(graph.segments, places, found)
                return Answer(
                    place, places, found, steps, graph.served(found.unserved), graph.missing_valves(places)
                )  # fmt: skip

            self._context.in_background("analysis-isolate", work, self._came, self._failed)

        self._desk.with_ground(asked, self._failed)

    def _came(self, answer: Answer) -> None:
        zoom = self.answer is None or self.answer.at != answer.at
        self.answer = answer
        self.notice.clear()
        found = answer.isolation
        if answer.notes:
            self.notice.say("\n".join(word(code, params) for code, params in answer.notes), level="warning")
        elif found.open_ends:
            self.notice.say(
                tr("A source lies in the part to be cut off: closing valves does not make it dry."),
                tr("Shut the source itself."), "warning",
            )  # fmt: skip
        elif not found.close:
            self.notice.say(tr("No open valve borders on this place: it is cut off already."))
        self._show()
        if zoom:
            self.zoom()

    def _failed(self, error: Exception) -> None:
        self.answer = None
        self.notice.say(*self._context.word(error), level="error")
        self._show()

    def reset(self) -> None:
        """Forget the answer, or ask again if there was one (the networks changed)."""
        if self.answer is not None and self._context.project is not None and self.isVisible():
            self.solve()
            return
        self.answer, self.seized = None, []
        self.notice.clear()
        self._show()

    # showing

    def _show(self) -> None:
        answer = self.answer
        there = answer is not None
        self.before.setVisible(not there)
        for part in (self.figures, self.valves, self.others, self.served):
            part.setVisible(there)
        self.order.setEnabled(there and bool(answer and answer.isolation.close))
        self._show_seized()
        if answer is None:
            for head in self.heads:
                head.hide()
            self.more.hide()
            self.draw()
            return
        found = answer.isolation
        self.figures.set(
            [
                (f"{len(found.close):,}", tr("valves to close")), (f"{found.customers:,}", tr("customers without")),
                (f"{len(found.critical):,}", tr("critical users")),
            ],
            ["", "", "fail" if found.critical else ""],
        )  # fmt: skip
        self._head(0, tr("Close in this order, open in the reverse"), bool(found.close or found.already_closed))
        cards = [self._valve_card(step) for step in answer.steps]
        for valve in found.already_closed:
            text = CardText(f"shut:{valve}", valve, "", tr("Shut now: must stay shut"), ("cannot_judge", tr("shut")))
            cards.append(Card(text))
        for valve in found.seized:
            if valve not in self.seized:
                said = tr("Cannot be worked, as its asset says: passed over")
                cards.append(Card(CardText(valve, valve, "", said, ("needs_certificate", tr("Seized")))))
        self.valves.set_cards(cards)
        others = [(at, one) for at, one in enumerate(found.alternatives) if one.close != found.close]
        self._head(1, tr("What else"), bool(others))
        self.others.set([self._other_card(at) for at, _ in others])
        self._head(2, tr("Without supply {count}", count=f"{len(answer.served):,}"), bool(answer.served))
        self.served.set([served_card(one) for one in answer.served[:_MOST_SERVED]])
        self.more.setText(tr("… and {count} more", count=len(answer.served) - _MOST_SERVED))
        self.more.setVisible(len(answer.served) > _MOST_SERVED)
        self.draw()

    def _head(self, at: int, text: str, visible: bool) -> None:
        self.heads[at].setText(text)
        self.heads[at].setVisible(visible)

    def _show_seized(self) -> None:
        self._seized_flow.clear()
        for valve in self.seized:
            self._seized_flow.addWidget(button(f"{valve}  ✕", lambda valve=valve: self.mark(valve)))  # type: ignore[misc]
        if self.seized:
            self._seized_flow.addWidget(button(tr("Write into the assets"), self.record, "link"))
        self._seized_row.setVisible(bool(self.seized))
        self._seized_caption.setVisible(bool(self.seized))

    def _valve_card(self, step: Step) -> Card:
        title = f"{step.order}  {step.valve}"
        card = Card(CardText(step.valve, title, "", word(step.why, step.params)))
        foot = button(tr("It is seized"), lambda: self.mark(step.valve), "link")
        foot.setToolTip(tr("Find the valves without this one"))
        left = QWidget()
        line = QHBoxLayout(left)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(foot)
        line.addStretch(1)
        card.add(left)
        return card

    def _other_card(self, at: int) -> CardText:
        assert self.answer is not None
        one, now = self.answer.isolation.alternatives[at], self.answer.isolation
        title = tr("If {valve} is seized", valve=one.valve) if one.reason == "seized" else tr("With fewer valves")
        more = one.customers - now.customers
        valves = tr("Close {valves}", valves=", ".join(one.close) or "–")
        figure = tr("{count} customers", count=f"{more:+,}")
        return CardText(str(at), title, figure, valves)

    def draw(self) -> None:
        """The answer on the map: the dry part, what is cut off with it, valves with their order, who is without."""
        if not self.isVisible():
            return
        ground, answer = self._desk.ground, self.answer
        if ground is None or answer is None:
            self._desk.marks.show()
            return
        found, net = answer.isolation, ground.graph.network
        picture = Picture()
        cut = [ground.line_xy[net.line_number[one]] for one in found.cut_off_lines]
        dry = [ground.line_xy[net.line_number[one]] for one in found.lines]
        picture.strokes.append(Strokes(cut, "needs_certificate", 3.0, dashed=True))
        picture.strokes.append(Strokes(dry, "fail", 4.5))
        picture.spots += [
            Spot(*one.xy, "fail" if one.critical else "needs_certificate", key=one.id)
            for one in answer.served if one.xy is not None
        ]  # fmt: skip
        for valve in found.already_closed:
            x, y = ground.valve_xy[net.valve_number[valve]]
            picture.spots.append(Spot(float(x), float(y), "cannot_judge", "shut", "", f"shut:{valve}"))
        picture.spots += valve_spots(ground, found.close, found.seized)
        self._desk.marks.show(picture)

    def zoom(self) -> None:
        """Bring valves and the dry part into view."""
        ground, answer = self._desk.ground, self.answer
        if ground is None or answer is None:
            return
        net, found = ground.graph.network, answer.isolation
        lines = [net.line_number[one] for one in found.lines]
        valves = [tuple(ground.valve_xy[net.valve_number[one]].tolist()) for one in found.close]
        extent = ground.extent(lines, valves)
        if extent is not None:
            self._context.map.zoom_to_extent(extent)  # type: ignore[arg-type]

    # what is done

    def mark(self, valve: str) -> None:
        """Take a valve as seized, or no longer, and ask again."""
        if valve in self.seized:
            self.seized.remove(valve)
        else:
            self.seized.append(valve)
        self.solve()

    def record(self) -> None:
        """Write into the valves' assets that they cannot be worked (undoable)."""
        from plugins.tunnel.model.network.valves import SetOperable

        project = self._context.project
        if project is None or not self.seized:
            return
        if self._context.execute(SetOperable.of(project, self.seized, operable=False)) is not None:
            self.seized = []
            self._show_seized()

    def work_order(self) -> None:
        """Hand the answer to the page of work orders."""
        answer = self.answer
        if answer is None or self._desk.ground is None:
            return
        from plugins.tunnel.model.operation.orders import isolation_steps

        tunnel, m = self._desk.ground.graph.station(answer.places)
        done = self._desk.state.run(
            "work_order", word("tunnel.order_isolation", {"place": answer.at}), kind="isolation", subject=answer.at,
            steps=isolation_steps(answer.isolation), tunnel=tunnel, m=m, source=f"isolation:{answer.at}",
        )  # fmt: skip
        if not done:
            self.notice.say(tr("Work orders are not at hand in this window."), level="warning")

    def _valve_chosen(self, key: str) -> None:
        ground = self._desk.ground
        self.valves.select(key)
        self._desk.marks.choose(key)
        valve = key.removeprefix("shut:")
        if ground is not None and valve in ground.graph.network.valve_number:
            x, y = ground.valve_xy[ground.graph.network.valve_number[valve]].tolist()
            if x == x:
                self._context.map.zoom_to_extent((x - 60, y - 60, x + 60, y + 60))

    def _other_chosen(self, key: str) -> None:
        """Take the alternative: its valve as seized."""
        assert self.answer is not None
        one = self.answer.isolation.alternatives[int(key)]
        if one.valve and one.valve not in self.seized:
            self.mark(one.valve)

    def _served_chosen(self, key: str) -> None:
        self.served.select(key)
        self._desk.marks.choose(key)
        one = next((one for one in self.answer.served if one.id == key), None) if self.answer is not None else None
        if one is not None and one.xy is not None:
            x, y = one.xy
            self._context.map.zoom_to_extent((x - 150, y - 150, x + 150, y + 150))
