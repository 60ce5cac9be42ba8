"""What the parts of operation share in a window: the records as last read, the one that is chosen, and doing things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Command, Project
from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.state import TunnelState

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.figures import Book
    from plugins.tunnel.model.operation.places import Places

#: Layers beside those of operation whose change is news here.
_ALSO = frozenset({"", "tunnel", "tunnel_section", "compartment"})
#: Kinds of what may be chosen.
PLAN, DEFECT, ORDER, SEEN = "plan", "defect", "order", "seen"


@dataclass(frozen=True)
class Shown:
    """The records with what the map needs of them: axes by tunnel, layer and fid of defects and orders by id."""

    book: Book
    tunnels: list[tuple[str, str]]
    axes: dict[str, Any] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    fids: dict[str, tuple[str, int]] = field(default_factory=dict)


class OperationDesk(QObject):
    """One per window (:func:`desk_of`).

    Signals:
        changed(): the records were read anew (``shown``).
        chosen_changed(): another record is chosen, or none (``chosen``: kind and id).
        failed(object): an error that belongs into the page.
    """

    #: Work orders may be printed from here.
    prints = True
    changed = Signal()
    chosen_changed = Signal()
    failed = Signal(object)

    def __init__(self, context: PanelContext, state: TunnelState) -> None:
        super().__init__(state)
        self.context, self.state = context, state
        self.shown: Shown | None = None
        self.chosen: tuple[str, str] = ("", "")
        self._name = ""
        self._places: tuple[Project, Places] | None = None
        state.project_changed.connect(self._other_project)
        state.records_changed.connect(self._records_changed)
        context.selection.changed.connect(self._selected_on_map)
        self.reload()

    # reading

    def reload(self) -> None:
        """Read the records anew, off the UI thread."""
        project = self.context.project
        if project is None:
            self.shown = None
            self.changed.emit()
            return
        self.context.in_background("operation", lambda: _read(project), self._took, self.failed.emit)

    def ensure(self, *, fresh: bool = False) -> None:
        """Read the records now where none were read yet (a dialog is asked for before the page was ever open), or where
        what was just written must be there (``fresh``)."""
        if (fresh or self.shown is None) and (project := self.context.project) is not None:
            self._took(_read(project))

    def _took(self, shown: Shown) -> None:
        self.shown = shown
        if self.chosen[1] and self.record() is None:
            self.choose("", "")
        self.changed.emit()

    def _other_project(self) -> None:
        self.shown, self._places = None, None
        self.choose("", "")
        self.reload()

    def _records_changed(self, touched: frozenset[str]) -> None:
        mine = set(self.shown.layers.values()) if self.shown is not None else set()
        if touched & (mine | _ALSO):
            self._places = None
            self.reload()

    # what is chosen

    def record(self) -> Any:
        """The chosen record (a ``Standing`` for a plan), None if there is none."""
        kind, identity = self.chosen
        if self.shown is None or not identity:
            return None
        book = self.shown.book
        every: dict[str, list[Any]] = {DEFECT: book.defects, ORDER: book.orders, SEEN: book.observations}
        if kind == PLAN:
            return next((one for one in book.standings if one.plan.id == identity), None)
        return next((one for one in every[kind] if one.id == identity), None)

    def choose(self, kind: str, identity: str, *, zoom: bool = False) -> None:
        """Make a record the one that everything speaks of; the map selects it."""
        if (kind, identity) != self.chosen:
            self.chosen = (kind, identity)
            self.chosen_changed.emit()
        if self.shown is None:
            return
        if identity in self.shown.fids:
            layer, fid = self.shown.fids[identity]
            if self.context.selection.fids(layer) != (fid,):
                self.context.selection.set(layer, [fid])
        if zoom:
            self.zoom()
        self.context.map.update_overlays()

    def zoom(self) -> None:
        """Show the chosen record's place."""
        one = self.record()
        record = getattr(one, "plan", one)
        axis = self.shown.axes.get(getattr(record, "tunnel", "")) if self.shown is not None else None
        if axis is None:
            return
        if self.chosen[0] == PLAN:
            xy = piece(axis, record.from_m, record.to_m)
            xs, ys = [x for x, _ in xy], [y for _, y in xy]
            self.context.map.zoom_to_extent((min(xs), min(ys), max(xs), max(ys)))
        elif record.m is not None:
            x, y, _ = axis.at(record.m)
            west, south, east, north = self.context.map.extent()
            if east - west > 1500 or not (west < x < east and south < y < north):
                self.context.map.zoom_to_extent((x - 250, y - 160, x + 250, y + 160))
            self.state.point(record.tunnel, record.m)

    def _selected_on_map(self) -> None:
        if self.shown is None:
            return
        for kind, role in ((DEFECT, "defect"), (ORDER, "work_order")):
            fids = self.context.selection.fids(self.shown.layers.get(role, ""))
            if len(fids) == 1:
                wanted = (self.shown.layers[role], fids[0])
                identity = next((one for one, place in self.shown.fids.items() if place == wanted), "")
                if identity and (kind, identity) != self.chosen:
                    self.choose(kind, identity)

    # doing

    def rules(self) -> list[Rule]:
        """Rules of operation."""
        return self.context.rules("tunnel.")

    def places(self) -> Places:
        """Places of the open project."""
        from plugins.tunnel.model.operation.places import Places

        project = self.project()
        if self._places is None or self._places[0] is not project:
            self._places = (project, Places(project))
        return self._places[1]

    def project(self) -> Project:
        """The open project; asked for only where there is one."""
        project = self.context.project
        if project is None:
            raise PlannerError("tunnel.no_project")
        return project

    def name(self, used: str = "") -> str:
        """The name last used at this desk; with ``used`` it is kept."""
        self._name = used or self._name
        return self._name or self.context.user

    def do(self, make: Callable[[], Command | None], say: Callable[[Exception], None]) -> bool:
        """Check and carry out one command; what goes wrong is said where it was asked for."""
        from plugins.tunnel.model.operation import rows

        try:
            project = self.project()
            command = make()
            rows.prepare(project)
            if command is not None:
                project.execute(command, self)
        except PlannerError as error:
            say(error)
            return False
        return True

    def now(self) -> str:
        """This moment as records keep it; at the same hour of the day that a project's records stand still on."""
        from plugins.tunnel.model.operation.rows import moment

        when = datetime.now().astimezone()
        day = self.shown.book.day if self.shown is not None else when.date()
        return moment(datetime.combine(day, when.timetz()))

    def attach(self, path: Path | None) -> str:
        """Keep a photo; empty for none."""
        from plugins.tunnel.model.operation.rounds import attach_photo

        return attach_photo(self.project(), path) if path is not None else ""

    def photo(self, sha256: str) -> bytes:
        """Content of a photo that a record names."""
        return self.project().read_attachment(sha256)


def _read(project: Project) -> Shown:
    from plugins.tunnel.model.operation import figures, rows, tables
    from plugins.tunnel.model.operation.places import Places

    book, places = figures.read_book(project), Places(project)
    axes = {}
    for code, _ in places.tunnels():
        try:
            axes[code] = places.axis(code)
        except PlannerError:  # a tunnel without a line has no place on the map
            continue
    layers: dict[str, str] = {}
    fids: dict[str, tuple[str, int]] = {}
    for table in tables.TABLES:
        layer = tables.layer_of(project.layers(), table.role)
        if layer is not None:
            layers[table.name] = layer.id
            if table.geometry == "point":
                fids |= {identity: (layer.id, fid) for identity, fid in rows.fids_of(project, table).items()}
    return Shown(book, places.tunnels(), axes, layers, fids)


def piece(axis: Any, from_m: float, to_m: float) -> list[tuple[float, float]]:
    """Points of an axis from one chainage to another."""
    inner = [(float(x), float(y)) for m, (x, y, _) in zip(axis.m, axis.xyz, strict=True) if from_m < m < to_m]
    return [axis.at(from_m)[:2], *inner, axis.at(to_m)[:2]]


def desk_of(context: PanelContext, state: TunnelState) -> OperationDesk:
    """The window's operation; made when first asked for."""
    found = state.findChild(OperationDesk)
    return found if found is not None else OperationDesk(context, state)
