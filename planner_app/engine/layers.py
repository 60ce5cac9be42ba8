"""The project file's layers as QGIS layers, kept in step with its registry."""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDataSourceUri,
    QgsLayerTreeLayer,
    QgsLayerTreeModelLegendNode,
    QgsNullSymbolRenderer,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
    QgsVectorSimplifyMethod,
)
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QSize
from qgis.PyQt.QtXml import QDomDocument

from planner_app.engine.errors import EngineError

#: Labels of one layer in one picture; more than that is a smear, and placing them took a map from 0.5 to 5.2 s.
MOST_LABELS = 600
#: QGIS counts a new table's rows when it first opens it, which fails while somebody writes: seconds to wait.
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)


@dataclass
class Entry:
    """A layer as drawn, and its labels as a layer of their own, so that either is redrawn without the other."""

    layer: QgsVectorLayer
    labels: QgsVectorLayer | None
    name: str
    qml: str
    columns: tuple[str, ...] = ()
    opacity: float = 1.0
    """What the style says; the layer tree's opacity multiplies it."""


class LayerSet:
    """The open project's layers by id."""

    def __init__(self) -> None:
        self.path = ""
        self.crs = QgsCoordinateReferenceSystem()
        self.entries: dict[str, Entry] = {}
        self.order: list[str] = []
        self.unreadable: dict[str, EngineError] = {}
        """Layers that QGIS cannot read; the others are drawn."""

    def open(self, path: str) -> list[str]:
        """Open a project file; returns the ids of its layers, top first.

        Raises:
            EngineError: ``engine.no_file``.
        """
        if not Path(path).exists():
            raise EngineError("engine.no_file", file=path)
        self.path = path
        self.read_registry()
        return list(self.order)

    def close(self) -> None:
        """Let go of the project file. Nothing may be drawing any more."""
        self.path = ""
        self.order = []
        self.entries.clear()
        self.unreadable.clear()
        QgsProject.instance().clear()
        # The provider's pool would hold a connection for another minute, and with it the file's journal.
        QgsProviderRegistry.instance().providerMetadata("spatialite").cleanupProvider()

    def read_registry(self) -> list[str]:
        """Bring the layers in step with the file's registry; returns the ids that are new or look different."""
        rows, styles, columns, srid = self._registry()
        self.crs = QgsCoordinateReferenceSystem.fromEpsgId(srid)
        QgsProject.instance().setCrs(self.crs)
        known = {row[0] for row in rows}
        # A layer whose fields changed is made anew: the provider reads them only when it is opened.
        for gone in [key for key, one in self.entries.items() if key not in known or one.columns != columns[key]]:
            del self.entries[gone]
        changed = []
        self.unreadable.clear()
        for layer_id, name, layer_srid in rows:
            qml = styles.get(layer_id, "")
            entry = self.entries.get(layer_id)
            if entry is None:
                try:
                    layer = self._new_layer(layer_id, name, layer_srid)
                except EngineError as error:
                    self.unreadable[layer_id] = error
                    continue
                entry = self.entries[layer_id] = Entry(layer, None, name, "", columns[layer_id])
            if entry.qml != qml or entry.labels is None:
                self._restyle(entry, qml)
                changed.append(layer_id)
            entry.name = name
            entry.layer.setName(name)
        self.order = [row[0] for row in rows if row[0] in self.entries]
        return changed

    def _registry(self) -> tuple[list[tuple[str, str, int]], dict[str, str], dict[str, tuple[str, ...]], int]:
        uri = Path(self.path).absolute().as_uri() + "?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            rows = connection.execute(
                "SELECT id, name, srid FROM planner_layer WHERE geometry <> 'none' ORDER BY position, fid"
            ).fetchall()
            styles = dict(
                connection.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault ORDER BY id")
            )
            columns = {
                row[0]: tuple(one[0] for one in connection.execute("SELECT name FROM pragma_table_info(?)", row[:1]))
                for row in rows
            }
            crs = connection.execute("SELECT value FROM planner_meta WHERE key = 'crs'").fetchone()
        code = crs[0].rpartition(":")[2] if crs else ""
        return rows, styles, columns, int(code) if code.isdigit() else 0

    def _new_layer(self, layer_id: str, name: str, srid: int) -> QgsVectorLayer:
        uri = QgsDataSourceUri()
        uri.setDatabase(self.path)
        uri.setDataSource("", layer_id, "geom", "", "fid")
        options = QgsVectorLayer.LayerOptions(QgsProject.instance().transformContext())
        options.loadDefaultStyle = False
        layer = QgsVectorLayer(uri.uri(), name, "spatialite", options)
        for pause in _PAUSES:
            if layer.isValid():
                break
            time.sleep(pause)
            layer = QgsVectorLayer(uri.uri(), name, "spatialite", options)
        if not layer.isValid():
            raise EngineError("engine.layer_unreadable", layer=name, detail=layer.error().summary())
        if srid:
            layer.setCrs(QgsCoordinateReferenceSystem.fromEpsgId(srid))
        method = layer.simplifyMethod()
        method.setSimplifyHints(QgsVectorSimplifyMethod.SimplifyHint.FullSimplification)
        method.setThreshold(1.0)
        method.setForceLocalOptimization(True)
        layer.setSimplifyMethod(method)
        return layer

    def _restyle(self, entry: Entry, qml: str) -> None:
        """Apply a QML style; its labels go to a layer that draws nothing else."""
        entry.qml = qml
        if qml:
            document = QDomDocument()
            if document.setContent(qml):
                categories = QgsVectorLayer.StyleCategory
                wanted = categories.Symbology | categories.Labeling | categories.Rendering
                entry.layer.importNamedStyle(document, wanted)
        entry.opacity = entry.layer.opacity()
        labels: QgsVectorLayer = entry.layer.clone()
        labels.setRenderer(QgsNullSymbolRenderer())
        labels.setOpacity(1.0)
        labeling = labels.labeling()
        if labels.labelsEnabled() and labeling is not None:
            for provider in labeling.subProviders() or [""]:
                settings = labeling.settings(provider)
                settings.limitNumLabels = True
                settings.maxNumLabels = MOST_LABELS
                labeling.setSettings(settings, provider)
            labels.setLabeling(labeling.clone())
        entry.labels = labels
        entry.layer.setLabelsEnabled(False)

    def reload(self, ids: Iterable[str]) -> list[str]:
        """The rows of these layers changed."""
        changed = []
        for layer_id in ids:
            entry = self.entries.get(layer_id)
            if entry is None:
                continue
            for layer in (entry.layer, entry.labels):
                if layer is not None:
                    layer.dataProvider().reloadData()
                    layer.updateExtents(True)
            changed.append(layer_id)
        return changed

    def get(self, layer_id: str) -> Entry:
        """A layer by id.

        Raises:
            EngineError: ``engine.no_layer``, ``engine.layer_unreadable``.
        """
        entry = self.entries.get(layer_id)
        if layer_id in self.unreadable:
            raise self.unreadable[layer_id]
        if entry is None:
            raise EngineError("engine.no_layer", layer=layer_id)
        return entry

    def legend(self, layer_id: str, size: int) -> list[dict[str, str]]:
        """The layer's legend: label and swatch (PNG as base64) per class."""
        entry = self.get(layer_id)
        node = QgsLayerTreeLayer(entry.layer)
        entries = []
        for item in entry.layer.legend().createLayerTreeModelLegendNodes(node):
            if not isinstance(item, QgsLayerTreeModelLegendNode):
                continue
            icon = item.data(1)  # Qt.ItemDataRole.DecorationRole
            pixmap = icon.pixmap(QSize(size, size)) if hasattr(icon, "pixmap") else icon
            entries.append({"label": str(item.data(0) or ""), "png": _png(pixmap)})
        return entries


def _png(pixmap: object) -> str:
    if pixmap is None or not hasattr(pixmap, "save"):
        return ""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixmap.save(buffer, "PNG")
    return base64.b64encode(bytes(data)).decode("ascii")
