"""Checks planned construction against the tunnels' zones as soon as somebody draws or moves it.

Runs from the window's start, whether or not the tunnel's panel was ever opened: only the features that were touched,
off the window's thread, and nothing at all in a project without a tunnel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from planner_app.domain.changeset import ChangeSet
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext

if TYPE_CHECKING:
    from plugins.tunnel.model.clearance.zones import Intrusion

_TUNNEL_ROLES = ("tunnel.tunnel", "tunnel.tunnel_section", "tunnel.compartment")
_TUNNEL_TABLES = ("tunnel", "tunnel_section", "compartment")
#: Works named one by one; more are counted.
_NAMED = 2
#: Touched features of one step beyond which a whole layer came in: that is not told piece by piece.
_MOST = 5_000
Key = tuple[str, int]


class ZoneWatcher(QObject):
    """One per window.

    Signals:
        changed(): ``found`` is another.

    Attributes:
        found: works inside zones since the project was opened, by layer and feature.
    """

    changed = Signal()

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context if isinstance(context, QObject) else None)
        self._context = context
        self.found: dict[Key, list[Intrusion]] = {}
        self._waiting: dict[str, set[int]] = {}
        self._tunnels: Any = None
        context.project_changed.connect(self._opened)
        context.data_changed.connect(self._data_changed)

    def _opened(self) -> None:
        self._tunnels, self._waiting = None, {}
        self.found = {}
        self.changed.emit()

    def _data_changed(self, changes: ChangeSet, _initiator: object) -> None:
        project = self._context.project
        if project is None:
            return
        layers = {layer.id: layer for layer in project.layers()}
        roles = {layers[table].role or table for table in changes.tables() if table in layers}
        if changes.registry or not roles.isdisjoint((*_TUNNEL_ROLES, *_TUNNEL_TABLES)):
            self._tunnels = None
        gone = [key for key in self.found if key[0] not in layers]
        for key in gone:
            del self.found[key]
        if gone:
            self.changed.emit()
        if not any(layer.role == _TUNNEL_ROLES[0] or layer.id == _TUNNEL_TABLES[0] for layer in layers.values()):
            return
        for touch in changes.touches:
            if touch.table in layers and touch.fids is not None and len(touch.fids) <= _MOST:
                self._waiting.setdefault(touch.table, set()).update(touch.fids)
        if self._waiting:
            self._check()

    def _check(self) -> None:
        project, waiting, known = self._context.project, {k: set(v) for k, v in self._waiting.items()}, self._tunnels
        if project is None:
            return
        rules = self._context.rules("tunnel.zone") + self._context.rules("tunnel.clearance_settings")

        def work() -> tuple[Any, dict[Key, list[Intrusion]], set[str]]:
            from datetime import date

            from planner_app.domain.rule import in_force
            from plugins.tunnel.model.clearance import works

            there = {layer.id: layer for layer in project.layers()}
            looked_at = {one for one in waiting if one in there and works.watched(project, there[one])}
            if not looked_at:
                return known, {}, looked_at
            valid = in_force(rules, date.today())
            tunnels = known or works.zones_of(project, valid)
            found: dict[Key, list[Intrusion]] = {}
            for layer_id in looked_at:
                for one in works.touched(project, there[layer_id], sorted(waiting[layer_id]), tunnels, valid):
                    found.setdefault((layer_id, int(one.feature.rpartition("/")[2])), []).append(one)
            return tunnels, found, looked_at

        def done(answer: tuple[Any, dict[Key, list[Intrusion]], set[str]]) -> None:
            if self._context.project is not project:
                return
            tunnels, found, looked_at = answer
            self._tunnels, self._waiting = tunnels, {}
            touched = {(layer, fid) for layer in looked_at for fid in waiting[layer]}
            before = {key: self.found.pop(key) for key in touched if key in self.found}
            self.found |= found
            if before or found:
                self.changed.emit()
            news = [
                one
                for key, ones in found.items()
                for one in ones
                if _place(one) not in {_place(old) for old in before.get(key, ())}
            ]
            if news:
                self._tell(news)

        self._context.in_background("tunnel-zones", work, done)

    def _tell(self, news: list[Intrusion]) -> None:
        from plugins.tunnel.ui.analysis.words import needs, zone_sentence

        lines = [zone_sentence(one) for one in news[:_NAMED]]
        if len(news) > _NAMED:
            lines.append(tr("… and {count} more", count=len(news) - _NAMED))
        hint = tr("Needed: {what}. The list stands under Tunnels → Analysis → Clearance.", what=needs(news))
        self._context.notify("\n".join(lines), level="warning", hint=hint)


def _place(one: Intrusion) -> tuple[str, str]:
    """What makes it the same finding while a work is moved about."""
    return one.tunnel.code, one.zone


def watcher_of(context: PanelContext) -> ZoneWatcher:
    """The window's watcher."""
    owner = context if isinstance(context, QObject) else None
    found = owner.findChild(ZoneWatcher) if owner is not None else None
    return found or ZoneWatcher(context)
