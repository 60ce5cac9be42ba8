"""Run by QGIS's Python: open a layer of a project file as QGIS Desktop does, edit and save it; prints JSON.

Arguments: file, table, and what to do: ``edit`` | ``ogr_edit`` | ``drop_field`` | ``style`` | ``add_field``.
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsDataSourceUri,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtCore import QVariant


def open_layer(file: str, table: str, provider: str) -> QgsVectorLayer:
    if provider == "ogr":
        return QgsVectorLayer(f"{file}|layername={table}", table, "ogr")
    uri = QgsDataSourceUri()
    uri.setDatabase(file)
    uri.setDataSource("", table, "geom", "", "fid")
    return QgsVectorLayer(uri.uri(), table, "spatialite")


def edit(layer: QgsVectorLayer) -> dict[str, object]:
    """Change a cell and a shape, add a feature, paste a copy (with its uuid), delete one, split one, save."""
    code = layer.fields().indexOf("code")
    layer.startEditing()
    features = {feature.attribute("storeys"): feature for feature in layer.getFeatures()}
    layer.changeAttributeValue(features[1].id(), code, "改")
    moved = QgsGeometry(features[2].geometry())
    moved.translate(3.25, 0)
    layer.changeGeometry(features[2].id(), moved)
    new = QgsFeature(layer.fields())
    new.setGeometry(features[3].geometry())
    new.setAttribute("code", "新")
    layer.addFeature(new)
    pasted = QgsVectorLayerUtils.createFeature(
        layer, features[4].geometry(), {i: v for i, v in enumerate(features[4].attributes()) if i != 0}
    )
    layer.addFeature(pasted)
    layer.deleteFeature(features[5].id())
    box = features[6].geometry().boundingBox()
    middle = (box.xMinimum() + box.xMaximum()) / 2
    from qgis.core import QgsPointXY

    split = layer.splitFeatures([QgsPointXY(middle, box.yMinimum() - 1), QgsPointXY(middle, box.yMaximum() + 1)], False)
    saved = layer.commitChanges()
    return {"saved": saved, "errors": layer.commitErrors(), "split": int(getattr(split, "value", split))}


def main() -> None:
    file, table, what = sys.argv[1:4]
    layer = open_layer(file, table, "ogr" if what in ("ogr_edit", "drop_field") else "spatialite")
    done: dict[str, object] = {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "count": layer.featureCount(),
        "fields": [field.name() for field in layer.fields()],
        "types": [field.typeName() for field in layer.fields()],
        "extent": [layer.extent().xMinimum(), layer.extent().yMinimum(), layer.extent().xMaximum()],
    }
    if what in ("edit", "ogr_edit"):
        done |= edit(layer)
    elif what == "drop_field":
        layer.startEditing()
        layer.deleteAttribute(layer.fields().indexOf("far"))
        done |= {"saved": layer.commitChanges(), "errors": layer.commitErrors()}
    elif what == "add_field":
        layer.startEditing()
        layer.addAttribute(QgsField("height", QVariant.Double, "DOUBLE"))
        done |= {"saved": layer.commitChanges(), "errors": layer.commitErrors()}
        layer.startEditing()
        first = next(layer.getFeatures())
        layer.changeAttributeValue(first.id(), layer.fields().indexOf("height"), 12.5)
        done |= {"saved": layer.commitChanges(), "errors": layer.commitErrors()}
    elif what == "style":
        _text, found = layer.loadDefaultStyle()
        done["style"] = bool(found)
        done["renderer"] = layer.renderer().type()
        message = layer.saveStyleToDatabase("QGIS", "", True, "")
        done["message"] = message
    print(json.dumps(done))
    sys.stdout.flush()


application = QgsApplication([], False)
application.initQgis()
main()
# Leaving without tearing QGIS down: its exit handlers crash with the spatialite provider now and then.
import os  # noqa: E402

os._exit(0)
