"""Run by QGIS's Python: edits layers of project files as QGIS Desktop does, one JSON line per edit, until told to end.

{"file", "table", "what", "row", "text"}: ``attribute``, ``geometry``, ``add``, ``paste`` (with the copied identity),
``delete``, ``split``, ``merge`` (of a row with the next). Answers {"saved", "errors"}.
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsDataSourceUri,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)


def edit(wanted: dict) -> dict:
    uri = QgsDataSourceUri()
    uri.setDatabase(wanted["file"])
    uri.setDataSource("", wanted["table"], "geom", "", "fid")
    layer = QgsVectorLayer(uri.uri(), "x", "spatialite")
    features = sorted(layer.getFeatures(), key=lambda feature: feature.id())
    what, text, code = wanted["what"], wanted["text"], layer.fields().indexOf("code")
    if what != "add" and not features:
        return {"saved": True, "errors": []}
    one = features[wanted["row"] % len(features)] if features else None
    other = features[(wanted["row"] + 1) % len(features)] if features else None
    layer.startEditing()
    if what == "attribute":
        layer.changeAttributeValue(one.id(), code, text)
    elif what == "geometry":
        moved = QgsGeometry(one.geometry())
        moved.translate(3.25, 0)
        layer.changeGeometry(one.id(), moved)
    elif what == "add":
        new = QgsFeature(layer.fields())
        new.setGeometry(
            QgsGeometry.fromWkt("MultiPolygon(((500000 3500000,500010 3500000,500010 3500010,500000 3500000)))")
        )
        new.setAttribute(code, text)
        layer.addFeature(new)
    elif what == "paste":
        values = {at: value for at, value in enumerate(one.attributes()) if at != 0} | {code: text}
        layer.addFeature(QgsVectorLayerUtils.createFeature(layer, one.geometry(), values))
    elif what == "delete":
        layer.deleteFeature(one.id())
    elif what == "split" and not one.geometry().isNull():
        box = one.geometry().boundingBox()
        x = (box.xMinimum() + box.xMaximum()) / 2
        layer.splitFeatures([QgsPointXY(x, box.yMinimum() - 1), QgsPointXY(x, box.yMaximum() + 1)], False)
    elif what == "merge" and other.id() != one.id() and not one.geometry().isNull() and not other.geometry().isNull():
        layer.changeGeometry(one.id(), one.geometry().combine(other.geometry()))
        layer.changeAttributeValue(one.id(), code, text)
        layer.deleteFeature(other.id())
    saved = layer.commitChanges()
    return {"saved": saved, "errors": layer.commitErrors()}


application = QgsApplication([], False)
application.initQgis()
for line in sys.stdin:
    print("@@" + json.dumps(edit(json.loads(line))), flush=True)
# Leaving without tearing QGIS down: its exit handlers crash with the spatialite provider now and then.
import os  # noqa: E402

os._exit(0)
