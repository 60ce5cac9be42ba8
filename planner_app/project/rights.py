"""What the city server lets this file's user change, as the last sync learnt it: refused here before it is made.

Only commands ask. Other programs write what they like; what the server will not take of that waits in quarantine.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.project import replica
from planner_app.project.geometry import to_wkb
from planner_app.project.reading import FID_LIST, fid_text
from planner_app.project.sql import quote

#: A district is as wide as it is drawn and one centimetre more, as on the server.
TOLERANCE: Final = 0.01
#: Registry values that are each person's own.
PERSONAL: Final = frozenset({"visible", "opacity", "position"})


class Rights:
    """Rights kept in a file; everything is allowed in one that has no server.

    All checks raise ``layer.no_right``, ``layer.no_right_field`` or ``layer.no_right_here``.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._layers: dict[str, tuple[bool, frozenset[str] | None, bytes | None]] = {}
        self._reach: dict[str, Any] = {}
        self._role, self._may_add = "", True
        if replica.is_replica(connection):
            self._role = replica.get(connection, "rights_role")
            self._may_add = replica.get(connection, "rights_add_layers", "1") == "1"
            for layer, write, columns, district in connection.execute(
                "SELECT layer, write, columns, district FROM planner_replica_right"
            ):
                names = None if columns is None else frozenset(json.loads(columns))
                self._layers[layer] = (bool(write), names, district)

    def check_adding(self, name: str) -> None:
        """May layers be added?"""
        if not self._may_add:
            raise PlannerError("layer.no_right", layer=name, role=self._role)

    def check_plans(self, name: str) -> None:
        """May plans be changed?"""
        if self._role not in ("", "planner", "admin"):
            raise PlannerError("layer.no_right", layer=name, role=self._role)

    def check_registry(self, layer: LayerInfo) -> None:
        """May the layer itself be changed: its name, style, fields?"""
        write, columns, _ = self._layers.get(layer.uuid, (True, None, None))
        if not write or columns is not None:
            raise PlannerError("layer.no_right", layer=layer.name, role=self._role)

    def check_rows(
        self,
        layer: LayerInfo,
        columns: Iterable[str] | None,
        fids: Sequence[int] = (),
        blobs: Iterable[bytes | None] = (),
    ) -> None:
        """May records be changed?

        Args:
            columns: those that change; None where records come into being or go.
            fids: records as they are; blobs: geometries as they will be.
        """
        write, allowed, district = self._layers.get(layer.uuid, (True, None, None))
        if not write:
            raise PlannerError("layer.no_right", layer=layer.name, role=self._role)
        if allowed is not None:
            wrong = next((name for name in columns if name not in allowed), "") if columns is not None else "…"
            if wrong:
                shown = ", ".join(sorted(allowed))
                raise PlannerError("layer.no_right_field", layer=layer.name, field=wrong, allowed=shown)
        if district is not None and layer.geometry != "none":
            self._check_place(layer, district, [*self._shapes(layer, fids), *blobs])

    def _shapes(self, layer: LayerInfo, fids: Sequence[int]) -> list[bytes | None]:
        query = f"SELECT geom FROM {quote(layer.id)} WHERE fid IN {FID_LIST}"
        return [row[0] for row in self._connection.execute(query, (fid_text(fids),))]

    def _check_place(self, layer: LayerInfo, district: bytes, blobs: Sequence[bytes | None]) -> None:
        import numpy as np
        import shapely

        if layer.uuid not in self._reach:
            self._reach[layer.uuid] = shapely.buffer(shapely.from_wkb(district), TOLERANCE)
            shapely.prepare(self._reach[layer.uuid])
        shapes = shapely.from_wkb(np.array([to_wkb(blob) for blob in blobs], dtype=object))
        if not shapely.covers(self._reach[layer.uuid], shapes).all():
            raise PlannerError("layer.no_right_here", layer=layer.name)
