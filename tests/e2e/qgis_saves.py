"""Run by QGIS's Python: save edits to one layer again and again, as a person in QGIS Desktop would.

Arguments: file, table, journal, provider (``spatialite`` | ``ogr``), seconds. Each journal line tells of one save.
"""

import json
import os
import sys
import time

from qgis.core import QgsApplication, QgsDataSourceUri, QgsVectorLayer


def open_layer(file: str, table: str, provider: str) -> QgsVectorLayer:
    if provider == "ogr":
        return QgsVectorLayer(f"{file}|layername={table}", table, "ogr")
    uri = QgsDataSourceUri()
    uri.setDatabase(file)
    uri.setDataSource("", table, "geom", "", "fid")
    return QgsVectorLayer(uri.uri(), table, "spatialite")


def main() -> None:
    file, table, journal, provider, seconds = sys.argv[1:6]
    layer = open_layer(file, table, provider)
    note = layer.fields().indexOf("note")
    end = time.monotonic() + float(seconds)
    with open(journal, "a", encoding="utf-8") as out:
        number = 0
        while time.monotonic() < end:
            number += 1
            wanted = {200 - (number * 5 + k) % 50 for k in range(5)}  # fids 151 to 200: nobody else edits them
            features = [
                f for f in layer.getFeatures() if (f.attribute("fid") if provider == "spatialite" else f.id()) in wanted
            ]
            stamp = f"qgis-{number}"
            layer.startEditing()
            for feature in features:
                layer.changeAttributeValue(feature.id(), note, stamp)
            started = time.perf_counter()
            saved, refused = layer.commitChanges(), 0
            # GDAL before 3.7 waits for no lock: QGIS says "database is locked", keeps the edits, and the person
            # presses save again.
            while not saved and provider == "ogr" and time.perf_counter() - started < 30:
                refused += 1
                time.sleep(0.03)
                saved = layer.commitChanges()
            took = time.perf_counter() - started
            line = {"saved": saved, "fids": sorted(wanted), "note": stamp, "refused": refused, "took": took}
            if not saved:
                line["errors"] = layer.commitErrors()
            out.write(json.dumps(line) + "\n")
            out.flush()
            time.sleep(0.05)


application = QgsApplication([], False)
application.initQgis()
main()
os._exit(0)  # QGIS's exit handlers crash with the spatialite provider now and then
