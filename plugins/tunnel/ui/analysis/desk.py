"""What the tasks of the analysis share: the graph read once, the place asked about, the picture on the map."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.analysis.marks import Marks
from plugins.tunnel.ui.analysis.pick import PickTool
from plugins.tunnel.ui.state import TunnelState

if TYPE_CHECKING:
    from plugins.tunnel.ui.analysis.ground import Ground

#: Tables (and roles behind ``tunnel.``) whose change makes the graph another.
_TABLES = frozenset({
    "net_node", "net_line", "valve", "service_point", "line_placement", "compartment", "fire_zone", "tunnel_node",
    "tunnel", "tunnel_section", "compartment_link", "equipment", "sensor",
})  # fmt: skip


class AnalysisDesk(QObject):
    """One per window.

    Signals:
        graph_changed(): what was answered may no longer hold; ask again.
        picking_changed(): the pick tool was taken up or put down.
    """

    graph_changed = Signal()
    picking_changed = Signal()

    def __init__(self, context: PanelContext, state: TunnelState) -> None:
        super().__init__(state)
        self.context, self.state = context, state
        self.marks = Marks(context, self)
        self.ground: Ground | None = None
        self.picking = False
        self._edition = 0
        self._known = self._layers()
        self._waiting: list[tuple[Callable[[Ground], None], Callable[[Exception], None]]] = []
        state.project_changed.connect(self._forget)
        state.records_changed.connect(self._records_changed)

    def _records_changed(self, touched: object) -> None:
        names = set(touched) if isinstance(touched, frozenset) else set()
        project = self.context.project
        roles = {layer.id: layer.role.removeprefix("tunnel.") for layer in project.layers()} if project else {}
        other = "" in names and self._known != self._layers()
        if other or not _TABLES.isdisjoint({*names, *(roles.get(name, "") for name in names)}):
            self._forget()

    def _layers(self) -> object:
        """The layers the graph is made of, with their fields: showing or styling one leaves an answer as it is."""
        project = self.context.project
        every = project.layers() if project is not None else []
        return [
            (layer.id, layer.role, layer.fields)
            for layer in sorted(every, key=lambda one: one.id)
            if not _TABLES.isdisjoint((layer.id, layer.role.removeprefix("tunnel.")))
        ]

    def _forget(self) -> None:
        self.ground, self._known = None, self._layers()
        self._edition += 1
        self.graph_changed.emit()

    def with_ground(self, done: Callable[[Ground], None], failed: Callable[[Exception], None]) -> None:
        """Call back with the graph: at once if it is there, else as soon as it was read."""
        project = self.context.project
        if self.ground is not None:
            done(self.ground)
            return
        if project is None:
            return
        self._waiting.append((done, failed))
        edition = self._edition

        def work() -> Ground:
            from plugins.tunnel.model.network.reach import Graph
            from plugins.tunnel.ui.analysis.ground import Ground

            return Ground(project, Graph(project))

        def came(ground: Ground) -> None:
            waiting = self._take()
            if edition != self._edition:  # something changed while it was read
                for pair in waiting:
                    self.with_ground(*pair)
                return
            self.ground = ground
            for answer, _ in waiting:
                answer(ground)

        def went_wrong(error: Exception) -> None:
            for _, wrong in self._take():
                wrong(error)

        self.context.in_background("analysis-graph", work, came, went_wrong)

    def _take(self) -> list[tuple[Callable[[Ground], None], Callable[[Exception], None]]]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def pick(self, kinds: Collection[str], picked: Callable[[str], None]) -> None:
        """Let the person point at things until Esc; a second call puts the tool down again."""
        if self.picking:
            self.context.map.use_tool(None)
            return
        self.with_ground(lambda _: self.context.map.update_overlays(), lambda _: None)

        def left() -> None:
            self.picking = False
            self.picking_changed.emit()

        self.picking = True
        self.context.map.use_tool(lambda: PickTool(self.context, lambda: self.ground, kinds, picked, left))
        self.picking_changed.emit()


def desk_of(state: TunnelState) -> AnalysisDesk:
    """The window's desk; made when first asked for."""
    found = state.findChild(AnalysisDesk)
    return found if found is not None else AnalysisDesk(state.context, state)
