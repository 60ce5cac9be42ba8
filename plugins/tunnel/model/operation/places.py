"""Places along tunnels: chainages are checked against the tunnel's ends, and get their point on the map."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project

if TYPE_CHECKING:
    from plugins.tunnel.model.space.axis import Axis

#: A chainage beyond the tunnel's end by less than this (m) is its end: axes are measured to the centimetre.
_TOUCH = 0.05
#: How far from an axis (m) a click still means its tunnel.
NEAR = 60.0


class Places:
    """The tunnels of a project as places; each is read when it is first asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._axes: dict[str, Axis] = {}
        self._kinds: dict[str, tuple[str, ...]] = {}

    def tunnels(self) -> list[tuple[str, str]]:
        """(code, name) of every tunnel."""
        from plugins.tunnel.model.space.load import rows, text
        from plugins.tunnel.model.space.tables import TUNNEL

        return [(text(row["code"]), text(row["name"])) for row in rows(self._project, TUNNEL)]

    def must_know(self, tunnel: str, records: Iterable[Any]) -> None:
        """What is asked for is a tunnel, or at least records (with ``tunnel``) name it still; nothing asks for all.

        Raises:
            PlannerError: ``tunnel.tunnel_unknown``.
        """
        if tunnel and not any(one.tunnel == tunnel for one in records):
            known = [code for code, _ in self.tunnels()]
            if tunnel not in known:
                raise PlannerError("tunnel.tunnel_unknown", id=tunnel, known=", ".join(known) or "–")

    def axis(self, tunnel: str) -> Axis:
        """A tunnel's axis.

        Raises:
            PlannerError: ``tunnel.tunnel_unknown``, ``tunnel.no_table``, ``tunnel.no_axis``.
        """
        if tunnel not in self._axes:
            from plugins.tunnel.model.space.load import load_tunnel

            self._axes[tunnel] = load_tunnel(self._project, tunnel).axis
        return self._axes[tunnel]

    def compartments(self, tunnel: str) -> tuple[str, ...]:
        """Kinds of compartments of a tunnel, in the order of its sections."""
        if tunnel not in self._kinds:
            from plugins.tunnel.model.space.load import among, rows, text
            from plugins.tunnel.model.space.tables import COMPARTMENT, SECTION

            sections = [text(row["code"]) for row in rows(self._project, SECTION, among("tunnel", [tunnel]))]
            found = rows(self._project, COMPARTMENT, among("section", sections)) if sections else []
            self._kinds[tunnel] = tuple(dict.fromkeys(text(row["kind"]) for row in found if row["kind"]))
        return self._kinds[tunnel]

    def check(self, tunnel: str, m: float) -> float:
        """The chainage if it lies on the tunnel.

        Raises:
            PlannerError: ``tunnel.m_outside`` and those of :meth:`axis`.
        """
        low, high = self.axis(tunnel).ends
        if not math.isfinite(m) or not low - _TOUCH <= m <= high + _TOUCH:
            raise PlannerError("tunnel.m_outside", tunnel=tunnel, m=m, low=round(low, 2), high=round(high, 2))
        return min(max(m, low), high)

    def check_span(self, tunnel: str, from_m: float, to_m: float) -> tuple[float, float]:
        """A stretch from the lower to the higher chainage.

        Raises:
            PlannerError: ``tunnel.span_empty`` and those of :meth:`check`.
        """
        a, b = sorted((self.check(tunnel, from_m), self.check(tunnel, to_m)))
        if b - a < _TOUCH:
            raise PlannerError("tunnel.span_empty", tunnel=tunnel, m=from_m)
        return a, b

    def check_compartments(self, tunnel: str, names: Sequence[str]) -> tuple[str, ...]:
        """The names if the tunnel has such compartments (any, where its tables do not say).

        Raises:
            PlannerError: ``tunnel.compartment_kind_unknown``.
        """
        known = self.compartments(tunnel)
        for name in names:
            if known and name not in known:
                raise PlannerError("tunnel.compartment_kind_unknown", name=name, tunnel=tunnel, known=", ".join(known))
        return tuple(dict.fromkeys(names))

    def wkb(self, tunnel: str, m: float) -> bytes:
        """The point of a chainage in the project's CRS."""
        import shapely

        x, y, _ = self.axis(tunnel).at(m)
        return bytes(shapely.to_wkb(shapely.Point(x, y)))

    def nearest(self, x: float, y: float, tunnel: str = "", within: float = NEAR) -> tuple[str, float] | None:
        """(tunnel, chainage) nearest to a point of the map, of that tunnel or of any; None beyond ``within`` metres."""
        best: tuple[float, str, float] | None = None
        for code in [tunnel] if tunnel else [code for code, _ in self.tunnels()]:
            try:
                m, away = self.axis(code).locate(x, y)
            except PlannerError:  # a tunnel without an axis is nowhere
                continue
            if away <= within and (best is None or away < best[0]):
                best = (away, code, round(m, 2))
        return None if best is None else best[1:]
