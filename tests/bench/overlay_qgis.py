"""QGIS's side of the overlay bench; runs with QGIS's own Python: ``native:intersection`` on layers in memory.

    /usr/bin/python3 overlay_qgis.py FOLDER [--conflicts CLASSES_A:CLASSES_B ...]

Timed: spatial indexes, the algorithm, and the sum of areas per class pair over its output. With ``--conflicts`` both
layers are filtered by class first and the algorithm runs once per rectangle of the conflict matrix.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.append("/usr/share/qgis/python/plugins")

from qgis.core import Qgis, QgsApplication, QgsFeatureRequest, QgsVectorLayer


def memory_mb(what):
    """A line of /proc/self/status in MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))


def filtered(layer, classes):
    """The features of some classes as a layer in memory."""
    names = ",".join(f"'{name}'" for name in classes.split(","))
    return layer.materialize(QgsFeatureRequest().setFilterExpression(f'"class" in ({names})'))


def intersect(processing, one, two, matrix):
    """Run the algorithm, add its areas to the matrix; returns the number of pieces with area."""
    output = processing.run(
        "native:intersection",
        {
            "INPUT": one,
            "OVERLAY": two,
            "INPUT_FIELDS": ["class"],
            "OVERLAY_FIELDS": ["class"],
            "OVERLAY_FIELDS_PREFIX": "b_",
            "OUTPUT": "memory:",
        },
    )["OUTPUT"]
    pieces = 0
    for feature in output.getFeatures():
        area = feature.geometry().area()
        if area > 0:
            pieces += 1
            matrix[feature.attribute(0), feature.attribute(1)] += area
    return pieces


def main():
    """Load, run, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--conflicts", nargs="*", default=[])
    options = parser.parse_args()
    application = QgsApplication([], False)
    application.initQgis()
    import processing
    from processing.core.Processing import Processing

    Processing.initialize()
    layers = [QgsVectorLayer(f"{options.folder}/{name}.gpkg", name, "ogr") for name in "ab"]
    layers = [layer.materialize(QgsFeatureRequest()) for layer in layers]
    base = memory_mb("VmRSS")

    wall, cpu = time.perf_counter(), time.process_time()
    runs = [layers]
    if options.conflicts:
        runs = [
            [filtered(layer, part) for layer, part in zip(layers, rule.split(":"), strict=True)]
            for rule in options.conflicts
        ]
    matrix, pieces = defaultdict(float), 0
    for one, two in runs:
        one.dataProvider().createSpatialIndex()
        two.dataProvider().createSpatialIndex()
        pieces += intersect(processing, one, two, matrix)
    values = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "base_mb": base,
        "peak_mb": memory_mb("VmHWM"),
        "pieces": pieces,
        "total_m2": sum(matrix.values()),
        "matrix": {f"{a}|{b}": area for (a, b), area in matrix.items()},
        "version": Qgis.QGIS_VERSION,
    }
    print("@@" + json.dumps(values), flush=True)
    os._exit(0)  # QGIS's own tear-down may crash after the work is done


main()
