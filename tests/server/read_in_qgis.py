"""In QGIS's own Python: open a server layer as a member and tell what can be done with it. Prints one JSON object."""

import json
import sys

from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorDataProvider, QgsVectorLayer

QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(sys.argv[1], "layer", "postgres")
provider = layer.dataProvider()
window = QgsFeatureRequest().setFilterRect(QgsRectangle(0, 0, 105, 105))
features = list(layer.getFeatures(window))
said = {
    "valid": layer.isValid(),
    "count": layer.featureCount(),
    "in_window": sorted(feature["name"] for feature in features),
    "fields": [field.name() for field in layer.fields()],
    "crs": layer.crs().authid(),
    "may_edit": bool(provider.capabilities() & QgsVectorDataProvider.EditingCapabilities),
    "edited": False,
}
if features:
    said["edited"] = provider.changeAttributeValues({features[0].id(): {layer.fields().indexOf("name"): "mine"}})
    said["deleted"] = provider.deleteFeatures([features[0].id()])
print(json.dumps(said))
del layer, provider, features
application.exitQgis()
