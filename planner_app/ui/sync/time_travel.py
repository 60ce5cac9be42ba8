"""The map as it was after a revision: a picture over the map, framed and named so that nobody takes it for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import contains
from planner_app.sync.types import Revision
from planner_app.ui.canvas.picture import MapPicture, paint_pictures
from planner_app.ui.controls import ElidedLabel, FloatingFrame, IconButton, ThemedIcon, button, column, label, row
from planner_app.ui.sync.audit import why
from planner_app.ui.sync.conflict_list import square
from planner_app.ui.sync.past import MOST, Past, read_past
from planner_app.ui.sync.past_picture import CHANGED, GONE, NEW, draw_past
from planner_app.ui.sync.status import long_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPainter

    from planner_app.ui.sync.room import SyncRoom

#: A view is fetched with this much around it, so that small moves ask for nothing.
MARGIN = 0.25


class TravelBar(FloatingFrame):
    """Which revision the map shows, what became of it since, the way back."""

    def __init__(self, room: SyncRoom, travel: TimeTravel) -> None:
        super().__init__(room.session.theme, room.map_area)
        theme, self._over, self.layers = room.session.theme, room.map_area, room.session.layers
        self.title, self.about = ElidedLabel("", "heading"), ElidedLabel("", "small")
        back = button(tr("Back to now"), travel.leave, "primary")
        head = row(ThemedIcon(theme, "history", 18, "accent"), spacing=8)
        head.addWidget(self.title, 1)
        head.addWidget(IconButton(theme, "arrow-left", tr("The revision before"), lambda: travel.step(1), size=16))
        head.addWidget(IconButton(theme, "arrow-right", tr("The next revision"), lambda: travel.step(-1), size=16))
        head.addWidget(back)
        self.counts: dict[str, QLabel] = {}
        legend = row(spacing=5)
        for key, colour in (("changed", CHANGED), ("gone", GONE), ("new", NEW)):
            self.counts[key] = label("", "small")
            legend.addWidget(square(colour))
            legend.addWidget(self.counts[key])
            legend.addSpacing(8)
        legend.addStretch(1)
        legend.addWidget(button(tr("Restore…"), room.restore, "link"))
        self.note = label("", "warning", wrap=True)
        self.setLayout(column(head, self.about, legend, self.note, spacing=3, margins=(12, 8, 10, 6)))
        self.hide()

    def show_revision(self, revision: Revision, past: Past | None) -> None:
        """Say which revision, and what is known of it."""
        self.title.setText(tr("As it was after revision {number}", number=revision.revision))
        told = (long_time(revision.time), revision.user, why(revision, self.layers()))
        self.about.setText(" · ".join(filter(None, told)))
        counts = (len(past.changed), len(past.gone), len(past.new)) if past is not None else None
        figures = [f"{one:,}" for one in counts] if counts is not None else ["…"] * 3
        words = (
            tr("{count} changed since", count=figures[0]), tr("{count} gone since", count=figures[1]),
            tr("{count} new since", count=figures[2]),
        )  # fmt: skip
        for text, knob in zip(words, self.counts.values(), strict=True):
            knob.setText(text)
        self.note.setVisible(past is not None and bool(past.left_out))
        if past is not None and past.left_out:
            self.note.setText(
                tr("Over {count} records here: not all of {layers} is shown. Zoom in, or switch layers off.",
                   count=f"{MOST:,}", layers=tr(", ").join(past.left_out))
            )  # fmt: skip
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """Below the tools, in the middle."""
        side = self.theme.px(56)  # the zoom buttons' side, and as much at the other
        width = min(self._over.width() - 2 * side, self.theme.px(600))
        self.resize(width, self.sizeHint().height())
        self.move((self._over.width() - width) // 2, self.theme.px(44))


class TimeTravel(QObject):
    """Shows one revision at a time; fetches anew where the view leaves what was fetched."""

    def __init__(self, room: SyncRoom) -> None:
        super().__init__(room)
        self.room, self.canvas, self.session = room, room.canvas, room.session
        self.revision: Revision | None = None
        self.past: Past | None = None
        self._picture: MapPicture | None = None
        self._handle: object | None = None
        self._asked = 0
        self.bar: TravelBar | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(120)
        self._settle.timeout.connect(self._moved)
        self.canvas.view_changed.connect(self._view_changed)
        self.session.project_changed.connect(self.leave)
        self.session.layers_changed.connect(self._again)
        self.canvas.tool_changed.connect(self._tool_changed)
        self.canvas.escapes.append(self._escape)

    def show(self, revision: Revision) -> None:
        """Show the map as it was after a revision."""
        self.revision, self.past = revision, None
        if self._handle is None:
            self._handle = self.canvas.add_overlay(self._paint)
        if self.bar is None:
            self.bar = TravelBar(self.room, self)
        self.bar.show_revision(revision, None)
        self._fetch()

    def leave(self) -> None:
        """Back to now."""
        self.revision = self.past = self._picture = None
        self._asked += 1
        self._settle.stop()
        if self._handle is not None:
            self.canvas.remove_overlay(self._handle)
            self._handle = None
        if self.bar is not None:
            self.bar.hide()

    def _escape(self) -> bool:
        shown = self.revision is not None
        self.leave()
        return shown

    def step(self, by: int) -> None:
        """Go to the revision before (1) or the next one (-1) of the history page."""
        self.room.history_page().step(by)

    def _view_changed(self) -> None:
        if self.revision is not None:
            if self.bar is not None:
                self.bar.place()
            self._settle.start()

    def _moved(self) -> None:
        if self.past is None or not contains(self.past.box, self.canvas.extent()):
            self._fetch()
        else:
            self._draw()

    def _tool_changed(self, tool_id: str) -> None:
        """What is edited is what is now: nobody edits the past."""
        if tool_id in ("draw_polygon", "edit_vertices"):
            self.leave()

    def _again(self) -> None:
        if self.revision is not None:
            self._fetch()

    def _fetch(self) -> None:
        project, project_id, revision = self.session.project, self.room.project_uuid(), self.revision
        if project is None or revision is None or not project_id:
            return
        west, south, east, north = self.canvas.extent()
        across, up = (east - west) * MARGIN, (north - south) * MARGIN
        box = (west - across, south - up, east + across, north + up)
        layers = self.canvas.visible_layers()
        self._asked += 1
        number = self._asked

        def done(past: Past) -> None:
            if number == self._asked and self.revision is revision:
                self.past = past
                if self.bar is not None:
                    self.bar.show_revision(revision, past)
                self._draw()

        def failed(error: Exception) -> None:
            if number == self._asked:
                self.leave()
                self.session.show_error(error)

        self.session.sync.ask(
            lambda transport: read_past(
                transport, project_id, project, layers, revision, box, lambda: number == self._asked
            ),
            done,
            failed,
        )

    def _draw(self) -> None:
        past, viewport, family = self.past, self.canvas.viewport, self.session.theme.font(12).family()
        if past is None:
            return

        def done(image: QImage) -> None:
            if self.past is past:
                self._picture = MapPicture(image, viewport, None)
                self.canvas.update()

        self.canvas.background.run("sync-travel", lambda: draw_past(past, viewport, family), done)

    def _paint(self, painter: QPainter, _to_screen: Callable[[float, float], tuple[float, float]]) -> None:
        if self._picture is not None:
            paint_pictures(painter, self.canvas.viewport, [self._picture])
