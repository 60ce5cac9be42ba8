"""What the sync shows on the map: outlines of a conflict, what a revision changed, a district, a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.ui.sync.conflict_list import COLOURS
from planner_app.ui.sync.outline_overlay import Outline, OutlineOverlay

if TYPE_CHECKING:
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.types import HistoryRow
    from planner_app.ui.canvas.map_canvas import MapCanvas
    from planner_app.ui.sync.disputes import Dispute


def _sides(conflict: Conflict) -> dict[str, tuple[str, bytes | None]]:
    """Names and outlines of a geometry's sides."""
    return {
        "base": (tr("Was"), conflict.base), "mine": (tr("Mine"), conflict.mine),
        "theirs": (tr("Server"), conflict.theirs),
    }  # fmt: skip


class OnMap:
    """Overlays by what they are for, each shown in place of the one before."""

    def __init__(self, canvas: MapCanvas) -> None:
        self._canvas, self._session = canvas, canvas.session
        self._outlines: dict[str, OutlineOverlay] = {}

    def shown(self, name: str) -> list[str]:
        """Names of the outlines drawn for ``dispute``, ``changes`` or ``district``."""
        return self._outlines[name].shown() if name in self._outlines else []

    def _overlay(self, name: str) -> OutlineOverlay:
        if name not in self._outlines:
            self._outlines[name] = OutlineOverlay(self._canvas, self._session.theme.font(12))
        return self._outlines[name]

    def clear(self) -> None:
        """Take everything away."""
        for overlay in self._outlines.values():
            overlay.show([])

    def show_dispute(self, dispute: Dispute | None) -> None:
        """The outlines that a conflict is about, and the record selected; None: take them away."""
        if dispute is None:
            if "dispute" in self._outlines:
                self._overlay("dispute").show([])
            return
        conflict = dispute.geometry()
        box = None
        if conflict is not None:
            box = self._overlay("dispute").show(
                [
                    Outline(name, COLOURS[side], wkb, side == "base", 5.0 if side == "mine" else 2.0)
                    for side, (name, wkb) in _sides(conflict).items()
                    if wkb is not None
                ]
            )
        else:
            self._overlay("dispute").show([])
        self.show_record(dispute.layer, dispute.fid, zoom=box is None)
        if box is not None:
            self._canvas.zoom_to_extent(box, 0.35)

    def show_guide(self, conflict: Conflict | None, side: str) -> None:
        """The outline of one side, beside which a shape is edited; None: take it away."""
        if conflict is None and "guide" not in self._outlines:
            return
        if conflict is None:
            self._overlay("guide").show([])
            return
        sides = _sides(conflict)
        name, wkb = sides[side]
        other = sides["theirs" if side == "mine" else "mine"][1]
        shown = [Outline(name, COLOURS[side], wkb, dashed=True)] if wkb is not None else []
        self._overlay("guide").show(shown, [other] if other is not None else [])

    def show_record(self, layer_id: str, fid: int | None, *, zoom: bool = True) -> None:
        """Select a record and bring it into view."""
        if self._session.layer(layer_id) is not None and fid is not None:
            self._session.set_current_layer(layer_id)
            self._session.selection.set(layer_id, [fid])
            if zoom:
                self._canvas.zoom_to_features(layer_id, [fid])

    def show_uuid(self, layer_uuid: str, uuid: str, row: HistoryRow) -> None:
        """Bring a record of the log into view: where it is, or where it was."""
        project = self._session.project
        layer = next((one for one in self._session.layers() if one.uuid == layer_uuid), None)
        if project is None or layer is None:
            return
        quoted = uuid.replace("'", "''")
        fids = project.read(layer.id, columns=[], where=f"uuid = '{quoted}'", geometry=False, limit=1).fids
        if len(fids):
            self.show_record(layer.id, int(fids[0]))
        else:
            import shapely

            shape = shapely.from_wkb(row.geometry_before or row.geometry_after)
            if shape is not None and not shape.is_empty:
                self._canvas.zoom_to_extent(shape.bounds, 0.5)

    def show_changes(self, outlines: list[Outline]) -> None:
        """Outlines of what a revision changed, before and after."""
        self._overlay("changes").show(outlines)

    def show_district(self, wkb: bytes | None, name: str) -> None:
        """The area a layer may be edited in."""
        if wkb is None and "district" not in self._outlines:
            return
        box = self._overlay("district").show([Outline(name, "#1F7A3D", wkb)] if wkb is not None else [])
        if box is not None:
            self._canvas.zoom_to_extent(box, 0.1)
