"""What the map shows: the visible layers, and an identity that changes when their picture would."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from planner_app.plugin_api.viewport import Extent, united

if TYPE_CHECKING:
    from planner_app.domain.changeset import ChangeSet
    from planner_app.domain.layer import LayerInfo
    from planner_app.ui.session import Session


class MapContent:
    """Visible layers with the revision of their rows and styles.

    Attributes:
        layers: all layers with a geometry, topmost first; kept here because painting must not ask the file.
        visible: those of them that are switched on.
        key: identity of their picture; None if there are none.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._revisions: dict[str, int] = {}
        self._extents: dict[str, Extent | None] = {}
        self.layers: list[LayerInfo] = []
        self.visible: list[LayerInfo] = []
        self.key: Hashable = None

    def reload(self) -> None:
        """Another project: read everything."""
        self._revisions.clear()
        self._extents.clear()
        self._read()

    def changed(self, change: ChangeSet) -> bool:
        """Take over a change; True if the picture or the set of visible layers changed."""
        before = self.key
        for table in change.tables():
            self._revisions[table] = self._revisions.get(table, 0) + 1
            self._extents.pop(table, None)
        self._read()
        return self.key != before

    def layer(self, layer_id: str) -> LayerInfo | None:
        """The layer of that id, or None."""
        return next((layer for layer in self.layers if layer.id == layer_id), None)

    def extent(self) -> Extent | None:
        """Around the visible layers; around all of them if none is visible; None if nothing has a geometry."""
        shown = self.visible or self.layers
        return united([extent for layer in shown if (extent := self._extent(layer.id)) is not None])

    def _extent(self, layer_id: str) -> Extent | None:
        project = self._session.project
        if layer_id not in self._extents and project is not None:
            self._extents[layer_id] = project.extent(layer_id)
        return self._extents.get(layer_id)

    def _read(self) -> None:
        project = self._session.project
        self.layers = [layer for layer in self._session.layers() if layer.geometry != "none"]
        self.visible = [layer for layer in self.layers if layer.visible and layer.opacity > 0]
        if project is None or not self.visible:
            self.key = None
            return
        self.key = (
            str(project.path),
            *(
                (layer.id, layer.opacity, self._revisions.get(layer.id, 0), hash(project.style(layer.id)))
                for layer in self.visible
            ),
        )
