"""What the tunnel role's window parts share: the asset pointed at and the place along a tunnel.

The panel's pages, the section editor, the profile and the map listen to one :class:`TunnelState` per window
(:func:`state_of`). Whoever lets a person choose an asset calls :meth:`TunnelState.select`; whoever moves along a
tunnel calls :meth:`TunnelState.point`. Nobody reaches into another page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from planner_app.domain.changeset import ChangeSet
from planner_app.plugin_api.ui import PanelContext


class Asset(NamedTuple):
    """A record of the role: the table's id (``tunnel``, ``net_line``, ``valve``, ``sensor`` …), its fid and code."""

    table: str
    fid: int
    code: str


class Mark(NamedTuple):
    """A standing alarm at its place in the tunnel, for whoever draws places: map, section, profile.

    ``level``: ``alarm`` | ``warning`` | ``fault``; ``text``: level, quantity and value in words; ``past``: a replay.
    """

    sensor: int
    code: str
    tunnel: str
    compartment: str
    m: float | None
    level: str
    text: str
    past: bool = False


class TunnelState(QObject):
    """Shared by the parts of one window.

    Signals:
        asset_changed(): another asset is selected, or none (``asset``).
        pointed(str tunnel, float m): the cursor stands at a chainage (metres) of a tunnel; ``""``: nowhere.
        records_changed(frozenset): tables of the role that changed (a layer's id); debounced.
        project_changed(): another project.
        marks_changed(): other alarms stand (``marks``).

    Attributes:
        commands: what the palette's entries and other pages ask for, by name: ``section(code, m)``,
            ``profile(tunnel)``, ``chart(sensor_id)``, ``isolate(reference)``, ``work_order(title, **fields)`` …
    """

    asset_changed = Signal()
    pointed = Signal(str, float)
    records_changed = Signal(object)
    project_changed = Signal()
    marks_changed = Signal()

    def __init__(self, context: PanelContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.asset: Asset | None = None
        self.commands: dict[str, Callable[..., None]] = {}
        self.marks: tuple[Mark, ...] = ()
        self._touched: set[str] = set()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._tell)
        context.project_changed.connect(self._project_changed)
        context.data_changed.connect(self._data_changed)

    def select(self, asset: Asset | None) -> None:
        """Make an asset the one that everything speaks of."""
        if asset != self.asset:
            self.asset = asset
            self.asset_changed.emit()

    def point(self, tunnel: str, m: float) -> None:
        """Put the cursor at a chainage of a tunnel; an empty code takes it away."""
        self.pointed.emit(tunnel, m)

    def set_marks(self, marks: Iterable[Mark]) -> None:
        """Say which alarms stand now (or stood at the moment of a replay)."""
        found = tuple(marks)
        if found != self.marks:
            self.marks = found
            self.marks_changed.emit()

    def run(self, name: str, *arguments: object, **named: object) -> bool:
        """Do what another page offers; False if nobody does."""
        command = self.commands.get(name)
        if command is None:
            return False
        command(*arguments, **named)
        return True

    def _project_changed(self) -> None:
        self.asset = None
        self._touched.clear()
        self.project_changed.emit()
        self.asset_changed.emit()

    def _data_changed(self, changes: ChangeSet, _initiator: object) -> None:
        self._touched |= changes.tables()
        if changes.registry:
            self._touched.add("")
        self._later.start()

    def _tell(self) -> None:
        touched, self._touched = frozenset(self._touched), set()
        if touched:
            self.records_changed.emit(touched)


def state_of(context: PanelContext) -> TunnelState:
    """The window's state; made when first asked for. A context is one per window and plugin."""
    owner = context if isinstance(context, QObject) else None
    if owner is not None and (found := owner.findChild(TunnelState)) is not None:
        return found
    return TunnelState(context, owner)
