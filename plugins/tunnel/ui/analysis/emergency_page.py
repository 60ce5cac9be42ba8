"""Emergencies replayed: kind, place, a clock to play, compartments and ways out on the map. A screening."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import (
    CardList,
    CardText,
    Form,
    KeyFigures,
    Notice,
    TaskPage,
    button,
    combo,
    label,
    write_report,
)
from plugins.tunnel.ui.analysis.curve import Curve
from plugins.tunnel.ui.analysis.desk import AnalysisDesk
from plugins.tunnel.ui.analysis.marks import Picture, Spot, Strokes
from plugins.tunnel.ui.analysis.place_row import PlaceRow
from plugins.tunnel.ui.analysis.trace_page import zoom_to_room
from plugins.tunnel.ui.analysis.words import clause, duration, rule_title
from plugins.tunnel.ui.space.looks import Knob

if TYPE_CHECKING:
    from plugins.tunnel.model.emergency.scene import Event, Scene, WayOut
    from plugins.tunnel.ui.analysis.ground import Ground

_TICK_MS, _PLAY_S = 50, 20.0
_TOKENS = {"source": "fail", "adjoining": "needs_certificate", "flooded": "accent", "dark": "cannot_judge"}


class EmergencyPage(TaskPage):
    """The page. Everything shown belongs to the clock's moment."""

    def __init__(self, desk: AnalysisDesk) -> None:
        super().__init__()
        self._desk, self._context = desk, desk.context
        self.scene: Scene | None = None
        self.t = 0.0
        self.kind = combo(self._kind_chosen)
        for key, title in (
            ("leak", tr("Gas leak")), ("fire", tr("Fire")), ("flood", tr("Flood")), ("power", tr("Power failure")),
        ):  # fmt: skip
            self.kind.addItem(title, key)
        self.place = PlaceRow(desk, ("compartment",))
        self.place.field.setPlaceholderText(tr("compartment:… or click on the map"))
        self.place.chosen.connect(lambda _: self.replay())
        self.rate = QDoubleSpinBox()
        self.rate.setRange(0.0, 100_000.0)
        self.rate.setDecimals(0)
        self.rate.setSuffix(" m³/h")
        self.rate.setSpecialValueText(tr("from the pipe there"))
        self.run = button(tr("Run it"), self.replay, "primary")
        self.exporter = button(tr("Report…"), self.export)
        form = Form()
        form.add(tr("Event"), self.kind)
        form.add(tr("Location"), self.place)
        self._rate_caption = form.add(tr("Inflow"), self.rate)
        form.add_buttons(self.run, self.exporter)
        self.notice, self.figures = Notice(), KeyFigures(3)
        self.before = label(
            tr(
                "Follows a leak, fire, flood or power failure through compartments, fans, doors, pumps and sensors, "
                "and shows how people get out. A screening: every assumption is listed."
            ),
            "secondary",
            wrap=True,
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.clock = self._clock()
        self.curve = Curve(self._context)
        self.curve.pointed.connect(self.set_time)
        self.heads = [label("", "heading") for _ in range(3)]
        self.events, self.exits = CardList(), CardList()
        self.events.chosen.connect(self._event_chosen)
        self.exits.chosen.connect(self._exit_chosen)
        self.assumed = label("", "small", wrap=True)
        self.set_foot(self.clock)
        self.add(
            form, self.notice, self.before, self.curve, self.figures, self.heads[0], self.events,
            self.heads[1], self.exits, self.heads[2], self.assumed,
        )  # fmt: skip
        self._show()

    def _clock(self) -> QWidget:
        made = QWidget()
        line = QHBoxLayout(made)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        self.player = Knob(self._context, "play", tr("Play or pause"), self.play)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 1000)
        self.slider.setAccessibleName(tr("Time since the beginning"))
        self.slider.valueChanged.connect(self._slid)
        self.reading = label("0:00", "small")
        for part in (self.player, self.slider, self.reading):
            line.addWidget(part, 1 if part is self.slider else 0)
        return made

    def ask(self, place: str, kind: str = "") -> None:
        """Replay at a place."""
        if kind:
            self.kind.setCurrentIndex(max(self.kind.findData(kind), 0))
            self._kind_chosen()
        self.place.choose(place)

    def _kind_chosen(self) -> None:
        flows = self.kind.currentData() in ("leak", "flood")
        self.rate.setVisible(flows)
        self._rate_caption.setVisible(flows)
        if self.scene is not None:
            self.replay()

    def replay(self) -> None:
        """Ask the model."""
        project, place, kind = self._context.project, self.place.place, str(self.kind.currentData())
        if project is None or not place:
            self.notice.say(
                tr("No place chosen yet."), tr("Click a compartment on the map, or write one: compartment:GL01-…")
            )
            return
        rate = float(self.rate.value()) if kind in ("leak", "flood") and self.rate.value() > 0 else None
        rules, city = self._context.rules("tunnel."), str(self._context.setting("tunnel.city"))

        def asked(ground: Ground) -> None:
            def work() -> Scene:
                from planner_app.domain.rule import in_force
                from plugins.tunnel.model.emergency.replay import replay

                valid = in_force(rules, date.today(), city)
                return replay(project, kind, place, valid, rate=rate, graph=ground.graph)

            self._context.in_background("analysis-emergency", work, self._came, self._failed)

        self._desk.with_ground(asked, self._failed)

    def _came(self, scene: Scene) -> None:
        self.scene, self.t = scene, 0.0
        self._stop()
        self.notice.say(word("tunnel.screening", {}), level="warning")
        self._show()
        source = next((one.id for one in scene.zones if one.state in ("source", "dark")), "")
        if source:
            zoom_to_room(self._desk, source)

    def _failed(self, error: Exception) -> None:
        self.scene = None
        self._stop()
        self.notice.say(*self._context.word(error), level="error")
        self._show()

    def reset(self) -> None:
        """Forget the answer."""
        self.scene = None
        self._stop()
        self.notice.clear()
        self._show()

    # the clock

    def play(self) -> None:
        """Start the clock (from the beginning if it stands at the end), or stop it."""
        if self._timer.isActive():
            self._stop()
        elif self.scene is not None and self.scene.duration > 0:
            if self.t >= self.scene.duration:
                self.set_time(0.0)
            self._timer.start()
            self.player.setIcon(self._context.icon("pause"))

    def _stop(self) -> None:
        self._timer.stop()
        self.player.setIcon(self._context.icon("play"))

    def _tick(self) -> None:
        if self.scene is None or not self.isVisible():
            self._stop()
            return
        self.set_time(self.t + self.scene.duration * _TICK_MS / 1000 / _PLAY_S)
        if self.t >= self.scene.duration:
            self._stop()

    def _slid(self, value: int) -> None:
        if self.scene is not None:
            self.set_time(self.scene.duration * value / 1000)

    def set_time(self, t: float) -> None:
        """Show a moment."""
        if self.scene is None:
            return
        self.t = min(max(t, 0.0), self.scene.duration)
        self.slider.blockSignals(True)
        self.slider.setValue(round(1000 * self.t / (self.scene.duration or 1.0)))
        self.slider.blockSignals(False)
        self.reading.setText(f"{duration(self.t)} / {duration(self.scene.duration)}")
        self.curve.set_time(self.t)
        past = [at for at, one in enumerate(self.scene.timeline) if one.t <= self.t + 1e-6]
        self.events.select(str(past[-1]) if past else "")
        self.draw()

    # showing

    def _show(self) -> None:
        scene = self.scene
        there = scene is not None
        self.before.setVisible(not there)
        self.exporter.setEnabled(there)
        for part in (self.clock, self.figures, self.events, self.exits, self.assumed):
            part.setVisible(there)
        for head in self.heads:
            head.setVisible(there)
        if scene is None:
            self.curve.hide()
            self.draw()
            return
        last = max((one.seconds for one in scene.exits), default=0.0)
        stuck = sum(not one.exit for one in scene.exits)
        self.figures.set(
            [
                (f"{len(scene.zones):,}", tr("compartments")), (f"{len(scene.equipment):,}", tr("equipment")),
                (f"{stuck:,}", tr("without a way out")) if stuck else (duration(last), tr("all out after")),
            ],
            ["", "", "fail" if stuck else ""],
        )  # fmt: skip
        self._show_curve(scene)
        self.heads[0].setText(tr("Timeline"))
        self.events.set([self._event_card(at, one) for at, one in enumerate(scene.timeline)])
        self.heads[1].setText(tr("Ways out"))
        self.exits.set([self._exit_card(at, one) for at, one in enumerate(scene.exits)])
        self.heads[2].setText(tr("By clause and assumed"))
        said = [
            f"{rule_title(one)}: {one.params['value']:g} {one.unit} — {clause(one) or tr('assumption')}"
            for one in scene.values
        ] + [word(code, params) for code, params in scene.assumptions]
        self.assumed.setText("\n".join(said))
        self.set_time(self.t)

    def _show_curve(self, scene: Scene) -> None:
        values = {one.id.partition(".")[2]: float(one.params["value"]) for one in scene.values}
        if scene.kind == "leak":
            lel = values["lel"]
            limits = [(values[key] * 100, f"{values[key] * 100:g} %LEL", token)
                      for key, token in (("gas_alarm", "needs_certificate"), ("gas_cutoff", "fail"))]  # fmt: skip
            self.curve.show_curve([(t, c / lel * 100) for t, c in scene.curve], tr("Gas, %LEL"), limits)
        elif scene.kind == "flood":
            limits = [(values["deep_m"], f"{values['deep_m']:g} m", "fail")]
            self.curve.show_curve(scene.curve, tr("Deepest water, m"), limits)
        else:
            self.curve.show_curve((), "")

    def _event_card(self, at: int, one: Event) -> CardText:
        """Where it happens stands below what happens; the pill only where the compartment is told."""
        where = ", ".join(one.spaces[:2]) + (" …" if len(one.spaces) > 2 else "")
        words = {"danger": ("fail", tr("danger")), "warning": ("needs_certificate", tr("warning"))}
        return CardText(
            str(at), word(one.code, dict(one.params)), duration(one.t), where, words.get(one.level) if where else None
        )  # fmt: skip

    def _exit_card(self, at: int, one: WayOut) -> CardText:
        if not one.exit:
            return CardText(str(at), one.zone, "", tr("No way out is left"), ("fail", tr("closed")))
        way = " → ".join(one.rooms) if len(one.rooms) > 1 else one.kind
        return CardText(str(at), f"{one.zone} → {one.exit}", f"{one.length:,.0f} m · {duration(one.seconds)}", way)

    def draw(self) -> None:
        """The clock's moment on the map."""
        if not self.isVisible():
            return
        ground, scene = self._desk.ground, self.scene
        if ground is None or scene is None:
            self._desk.marks.show()
            return
        picture, numbers = Picture(), ground.graph.spaces.numbers
        for zone in reversed(scene.zones):
            if zone.since <= self.t + 1e-6 and zone.id in numbers:
                alpha = 0.65 if zone.state == "source" else 0.45
                lines = ground.room_xy[numbers[zone.id]]
                picture.strokes.append(Strokes(lines, _TOKENS.get(zone.state, "accent"), 9, alpha=alpha, ground=5.0))
        import numpy as np

        ways = [np.array(one.path, float) for one in scene.exits if len(one.path) > 1]
        picture.strokes.append(Strokes(ways, "pass", 3.0, dashed=True, arrows=True))
        picture.spots += [
            Spot(*one.path[-1], "pass", "exit", f"{one.exit} {duration(one.seconds)}")
            for one in scene.exits
            if one.exit
        ]
        valves = ground.graph.network.valve_number if ground.graph.loaded is not None else {}
        for device in scene.equipment:
            if device.t <= self.t + 1e-6 and device.id in valves:
                x, y = ground.valve_xy[valves[device.id]].tolist()
                picture.spots.append(Spot(x, y, "fail", "shut", "", device.id))
            elif device.t <= self.t + 1e-6 and device.xy is not None:
                picture.spots.append(Spot(*device.xy, "cannot_judge", key=device.id))
        self._desk.marks.show(picture)

    def _event_chosen(self, key: str) -> None:
        assert self.scene is not None
        self._stop()
        event = self.scene.timeline[int(key)]
        self.set_time(event.t)
        self.events.select(key)
        if event.spaces:
            zoom_to_room(self._desk, event.spaces[0])

    def _exit_chosen(self, key: str) -> None:
        assert self.scene is not None
        assert self._desk.ground is not None
        self.exits.select(key)
        one = self.scene.exits[int(key)]
        extent = self._desk.ground.extent([], one.path) if one.path else None
        if extent is not None:
            self._context.map.zoom_to_extent(extent)  # type: ignore[arg-type]

    # report

    def export(self) -> None:
        """Write the replay as a paper with the map."""
        project, scene = self._context.project, self.scene
        if project is None or scene is None:
            return
        path = self._context.ask_save(tr("Emergency report"), f"{tr('Emergency')}.pdf", "PDF (*.pdf);;HTML (*.html)")
        if path is None:
            return

        def with_map(png: bytes) -> None:
            def write() -> None:
                from plugins.tunnel.model.emergency.paper import write_scene

                write_scene(project, scene, path, png)

            write_report(self._context, self.notice, path, write)

        self._context.render_map(self._context.map.extent(), (1400, 900), with_map, dpi=150)
