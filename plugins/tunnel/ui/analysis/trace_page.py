"""Trace: what hangs on a place up- or downstream, from an alarm through compartments to valves and buildings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import (
    CardList,
    CardText,
    DistributionBar,
    Form,
    KeyFigures,
    Notice,
    Share,
    TaskPage,
    button,
    combo,
    label,
)
from plugins.tunnel.ui.analysis.desk import AnalysisDesk
from plugins.tunnel.ui.analysis.marks import Picture, Spot, Strokes
from plugins.tunnel.ui.analysis.place_row import PlaceRow

if TYPE_CHECKING:
    from plugins.tunnel.model.network.reach import Reach, Served
    from plugins.tunnel.ui.analysis.ground import Ground

_MOST_CARDS = 40
_ROOMS = ("compartment:", "zone:", "fire_zone:", "sensor:")


class TracePage(TaskPage):
    """The page; the answer stays until another is asked for or the networks change."""

    def __init__(self, desk: AnalysisDesk) -> None:
        super().__init__()
        self._desk, self._context = desk, desk.context
        self.found: Reach | None = None
        self._kind = ""
        self.place = PlaceRow(desk)
        self.place.chosen.connect(lambda _: self.trace())
        self.direction, self.steps = combo(self._again), combo(self._again)
        for key, title in (("both", tr("Connected")), ("down", tr("Downstream")), ("up", tr("Upstream"))):
            self.direction.addItem(title, key)
        ways = (tr("none"), tr("one door away"), tr("up to two doors away"), tr("up to three doors away"))
        for steps, title in enumerate(ways):
            self.steps.addItem(title, steps)
        self.steps.setCurrentIndex(1)
        self.run = button(tr("Trace"), self.trace, "primary")
        self.cut = button(tr("Valves to close…"), self._isolate)
        form = Form()
        form.add(tr("Location"), self.place)
        form.add(tr("Direction"), self.direction)
        form.add(tr("Adjoining"), self.steps)
        form.add_buttons(self.run, self.cut)
        self.notice, self.figures, self.bar = Notice(), KeyFigures(3), DistributionBar()
        self.bar.clicked.connect(self._filter)
        self.before = label(
            tr(
                "Shows everything that hangs together with a place. From a gas alarm: the compartment, "
                "those next to it, the lines in it, the valves to close and the buildings without supply."
            ),
            "secondary",
            wrap=True,
        )
        self.rooms, self.served = CardList(), CardList()
        self.rooms_head, self.served_head = label("", "heading"), label("", "heading")
        self.more = label("", "small")
        self.rooms.chosen.connect(self._room_chosen)
        self.served.chosen.connect(self._served_chosen)
        self.add(
            form, self.notice, self.before, self.figures, self.bar, self.rooms_head, self.rooms, self.served_head,
            self.served, self.more,
        )  # fmt: skip
        self._show()

    def ask(self, place: str) -> None:
        """Trace from a place."""
        self.place.choose(place)

    def _again(self) -> None:
        if self.found is not None:
            self.trace()

    def trace(self) -> None:
        """Ask the graph."""
        place, direction, steps = self.place.place, self.direction.currentData(), int(self.steps.currentData())
        if not place:
            self.notice.say(tr("No place chosen yet."), tr("Click on the map, or write one such as line:GX00010."))
            return

        def asked(ground: Ground) -> None:
            self._context.in_background(
                "analysis-trace", lambda: ground.graph.trace(place, direction, steps=steps), self._came, self._failed
            )

        self._desk.with_ground(asked, self._failed)

    def _came(self, found: Reach) -> None:
        self.found, self._kind = found, ""
        self.notice.clear()
        if not found.lines and not found.spaces:
            self.notice.say(tr("Nothing hangs on this place."), tr("It may be shut, or its line is not in use."))
        elif found.unvalved:
            names = ", ".join(found.unvalved)
            self.notice.say(tr("Networks without valves here: {names}", names=names), tr("They are cut at the source."))
        self._show()
        self.zoom()

    def _failed(self, error: Exception) -> None:
        self.found = None
        self.notice.say(*self._context.word(error), level="error")
        self._show()

    def reset(self) -> None:
        """Forget the answer."""
        self.found = None
        self.notice.clear()
        self._show()

    # showing

    def _kinds(self) -> Counter[str]:
        ground = self._desk.ground
        if self.found is None or ground is None or ground.graph.loaded is None:
            return Counter()
        return Counter(ground.graph.loaded.line_kinds[line] for line in self.found.lines)

    def _show(self) -> None:
        from plugins.tunnel.model.space.kinds import NAMES

        found, kinds = self.found, self._kinds()
        self.before.setVisible(found is None)
        for part in (self.figures, self.bar, self.rooms, self.served):
            part.setVisible(found is not None)
        from_room = self.place.place.startswith(_ROOMS)
        customers = found.isolation.customers if found is not None and found.isolation is not None else 0
        self.cut.setEnabled(found is not None and bool(found.lines))
        rooms = list(found.spaces) if found is not None else []
        served = list(found.served) if found is not None else []
        if found is not None:
            third = (f"{customers:,}", tr("without supply")) if from_room else (f"{len(rooms):,}", tr("compartments"))
            self.figures.set([
                (f"{len(found.lines):,}", tr("lines")), (f"{found.length_m / 1000:,.2f}", tr("km")), third,
            ])  # fmt: skip
        colours = kind_colours(self._desk, kinds)
        self.bar.set(
            [Share(k, tr(NAMES.get(k, k)), kinds[k], colours[k], f"{kinds[k]:,}") for k in sorted(kinds)], self._kind
        )
        _head(self.rooms_head, tr("Compartments {count}", count=f"{len(rooms):,}"), bool(rooms))
        self.rooms.set([self._room_card(at) for at in range(min(len(rooms), _MOST_CARDS))])
        _head(self.served_head, tr("Without supply {count}", count=f"{len(served):,}"), bool(served))
        self.served.set([served_card(one) for one in served[:_MOST_CARDS]])
        self.more.setText(tr("… and {count} more", count=len(served) - _MOST_CARDS))
        self.more.setVisible(len(served) > _MOST_CARDS)
        self.draw()

    def _room_card(self, at: int) -> CardText:
        assert self.found is not None
        space, steps, via = self.found.spaces[at]
        span = f"{space.tunnel} · {space.kind} · {space.from_m:,.0f}–{space.to_m:,.0f} m"
        ways = {"door": tr("fire door"), "shaft": tr("shaft"), "open": tr("open passage")}
        if steps == 0:
            here = bool(self.found.held or self.found.isolation)
            tag = ("fail", tr("here")) if here else ("cannot_judge", tr("passes"))
        else:
            tag = ("needs_certificate", f"{steps} · {ways.get(via, via)}")
        return CardText(space.id, space.id, "", span, tag)

    def draw(self) -> None:
        """The answer on the map."""
        ground, found = self._desk.ground, self.found
        if not self.isVisible():
            return
        if ground is None or found is None:
            self._desk.marks.show()
            return
        picture, colours = Picture(), kind_colours(self._desk, self._kinds())
        rooms = [(ground.graph.spaces.numbers[space.id], steps) for space, steps, _ in found.spaces]
        for near in (True, False):
            lines = [xy for at, steps in rooms if (steps > 0) == near for xy in ground.room_xy[at]]
            if lines and (found.held or found.isolation):
                token = "needs_certificate" if near else "fail"
                picture.strokes.append(Strokes(lines, token, 10, alpha=0.3, ground=4.0))
        kinds = ground.graph.loaded.line_kinds if ground.graph.loaded else ()
        for kind, colour in colours.items():
            lines = [ground.line_xy[line] for line in found.lines if kinds[line] == kind]
            alpha = 1.0 if not self._kind or kind == self._kind else 0.25
            directed = self.direction.currentData() != "both"
            picture.strokes.append(Strokes(lines, colour, 3.0, arrows=directed and alpha == 1.0, alpha=alpha))
        picture.spots += [Spot(*one.xy, "fail", key=one.id) for one in found.served if one.xy is not None]
        if found.isolation is not None:
            picture.spots += valve_spots(ground, found.isolation.close)
        self._desk.marks.show(picture)

    def zoom(self) -> None:
        """Bring the answer into view."""
        ground, found = self._desk.ground, self.found
        if ground is None or found is None:
            return
        lines = found.held if found.held and found.isolation is None else found.lines
        extent = ground.extent(lines)
        if extent is not None:
            self._context.map.zoom_to_extent(extent)  # type: ignore[arg-type]

    def _filter(self, key: str) -> None:
        self._kind = "" if self._kind == key else key
        self._show()

    def _room_chosen(self, key: str) -> None:
        ground = self._desk.ground
        self.rooms.select(key)
        if ground is not None and key in ground.graph.spaces.numbers:
            zoom_to_room(self._desk, key)

    def _served_chosen(self, key: str) -> None:
        self.served.select(key)
        self._desk.marks.choose(key)
        one = next((one for one in self.found.served if one.id == key), None) if self.found is not None else None
        if one is not None and one.xy is not None:
            x, y = one.xy
            self._context.map.zoom_to_extent((x - 150, y - 150, x + 150, y + 150))

    def _isolate(self) -> None:
        self._desk.state.run("isolate", self.place.place)


def _head(head: QLabel, text: str, visible: bool) -> None:
    head.setText(text)
    head.setVisible(visible)


def served_card(one: Served) -> CardText:
    """A service point without supply."""
    buildings = tr("{count} buildings", count=len(one.buildings)) if one.buildings else tr("no building known")
    pill = ("fail", tr("critical")) if one.critical else None
    return CardText(one.id, one.name or one.id, tr("{count} customers", count=f"{one.customers:,}"), buildings, pill)


def kind_colours(desk: AnalysisDesk, kinds: Counter[str]) -> dict[str, str]:
    """The standard's colour of each kind of line, made to show on the theme's ground."""
    from plugins.tunnel.ui.space.looks import Looks

    looks = Looks(desk.context)
    return {kind: looks.line(kind)[0].name() for kind in sorted(kinds)}


def valve_spots(ground: Ground, close: tuple[str, ...], seized: tuple[str, ...] = ()) -> list[Spot]:
    """Valves to close with the number of their turn, and those that do not close."""
    numbers = ground.graph.network.valve_number
    made = []
    for order, valve in enumerate(close, start=1):
        x, y = ground.valve_xy[numbers[valve]]
        made.append(Spot(float(x), float(y), "accent", "valve", str(order), valve))
    for valve in seized:
        x, y = ground.valve_xy[numbers[valve]]
        made.append(Spot(float(x), float(y), "needs_certificate", "seized", "", valve))
    return made


def zoom_to_room(desk: AnalysisDesk, space: str) -> None:
    """Bring a compartment into view."""
    ground = desk.ground
    if ground is None or space not in ground.graph.spaces.numbers:
        return
    parts = ground.room_xy[ground.graph.spaces.numbers[space]]
    extent = ground.extent([], [tuple(p) for xy in parts for p in xy.tolist()])
    if extent is not None:
        desk.context.map.zoom_to_extent(extent)  # type: ignore[arg-type]
