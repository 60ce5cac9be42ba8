"""Checks planned construction against the tunnels' zones as soon as somebody draws or moves it.

Runs from the window's start, whether or not the tunnel's panel was ever opened: only the features that were touched,
off the window's thread, and nothing at all in a project without a tunnel. Where very many were touched, those near the
zones are looked at in pieces, as a job that people see and can end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from planner_app.domain.changeset import ChangeSet
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner_app.domain.progress import Progress
    from planner_app.domain.rule import Rule
    from plugins.tunnel.model.clearance.zones import Intrusion

_TUNNEL_ROLES = ("tunnel.tunnel", "tunnel.tunnel_section", "tunnel.compartment")
_TUNNEL_TABLES = ("tunnel", "tunnel_section", "compartment")
#: Works named one by one; more are counted.
_NAMED = 2
#: So many features are looked at in one go; more touched in one step are a job of their own.
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
        self._many: dict[str, set[int] | None] = {}
        self._since: set[Key] = set()
        self._tunnels: Any = None
        context.project_changed.connect(self._opened)
        context.data_changed.connect(self._data_changed)

    def _opened(self) -> None:
        self._tunnels, self._waiting, self._many = None, {}, {}
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
            if touch.table not in layers:
                continue
            if touch.fids is not None and len(touch.fids) <= _MOST:
                self._waiting.setdefault(touch.table, set()).update(touch.fids)
                self._since.update((touch.table, fid) for fid in touch.fids)
            else:
                self._many[touch.table] = _both(self._many.get(touch.table, set()), touch.fids)
        if self._waiting:
            self._check()
        if self._many:
            self._check_many()

    def _rules(self) -> list[Rule]:
        return self._context.rules("tunnel.zone") + self._context.rules("tunnel.clearance_settings")

    def _check(self) -> None:
        project, waiting, known = self._context.project, {k: set(v) for k, v in self._waiting.items()}, self._tunnels
        if project is None:
            return
        rules = self._rules()

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
            self._take({(layer, fid) for layer in looked_at for fid in waiting[layer]}, found)

        self._context.in_background("tunnel-zones", work, done)

    def _take(self, touched: set[Key], found: dict[Key, list[Intrusion]]) -> None:
        """What was found of features takes the place of what was known of them; what is new is told."""
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

    # very many at once

    def _check_many(self) -> None:
        """Which of them are near a zone at all; few are waited for with the others, many are a job."""
        project, many, rules = self._context.project, dict(self._many), self._rules()
        if project is None:
            return

        def look() -> tuple[Any, dict[str, list[int]], set[str]]:
            from datetime import date

            from planner_app.domain.rule import in_force
            from plugins.tunnel.model.clearance import works

            there = {layer.id: layer for layer in project.layers()}
            watched = {one for one in many if one in there and works.watched(project, there[one])}
            if not watched:
                return None, {}, watched
            valid = in_force(rules, date.today())
            tunnels = works.zones_of(project, valid)
            near: dict[str, list[int]] = {}
            for one in watched:
                wanted, its = many[one], works.near_zones(project, there[one], tunnels, valid)
                near[one] = sorted(its if wanted is None else its & wanted)
            return tunnels, near, watched

        def done(answer: tuple[Any, dict[str, list[int]], set[str]]) -> None:
            if self._context.project is not project:
                return
            tunnels, near, watched = answer
            for layer in many:
                if self._many.get(layer) == many[layer]:
                    del self._many[layer]
            touched = {key for key in self.found if key[0] in watched and _among(many[key[0]], key[1])}
            if any(near.values()):
                self._run_many(tunnels, near, touched)
            elif touched:
                self._take(touched, {})

        self._context.in_background("tunnel-zones-many", look, done)

    def _run_many(self, tunnels: Any, near: dict[str, list[int]], touched: set[Key]) -> None:
        project, rules = self._context.project, self._rules()
        if project is None:
            return
        total = sum(map(len, near.values()))
        self._since = set()

        def work(progress: Progress) -> dict[Key, list[Intrusion]]:
            from datetime import date

            from planner_app.domain.progress import check
            from planner_app.domain.rule import in_force
            from plugins.tunnel.model.clearance import works

            valid, looked = in_force(rules, date.today()), 0
            there = {layer.id: layer for layer in project.layers()}
            found: dict[Key, list[Intrusion]] = {}
            for layer_id, fids in near.items():
                for begin in range(0, len(fids), _MOST):
                    check(progress)
                    piece = fids[begin : begin + _MOST]
                    if layer_id in there:
                        for one in works.touched(project, there[layer_id], piece, tunnels, valid):
                            found.setdefault((layer_id, int(one.feature.rpartition("/")[2])), []).append(one)
                    looked += len(piece)
                    progress.update(looked / total)
            return found

        def done(found: dict[Key, list[Intrusion]]) -> None:
            if self._context.project is not project:
                return
            later = self._since  # looked at again meanwhile, as they are now
            self._take(touched - later, {key: ones for key, ones in found.items() if key not in later})

        title = tr("Checking {count} features near tunnels", count=f"{total:,}")
        self._context.run_job(title, work, done)

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


def _both(known: set[int] | None, more: Iterable[int] | None) -> set[int] | None:
    """Features of two steps; None: all of the layer."""
    return None if known is None or more is None else known | set(more)


def _among(wanted: set[int] | None, fid: int) -> bool:
    return wanted is None or fid in wanted


def watcher_of(context: PanelContext) -> ZoneWatcher:
    """The window's watcher."""
    owner = context if isinstance(context, QObject) else None
    found = owner.findChild(ZoneWatcher) if owner is not None else None
    return found or ZoneWatcher(context)
