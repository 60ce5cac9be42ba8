"""Our QML is QGIS's own: every kind of style loads without an error and has the classes we meant."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from planner_app.domain.style import LayerStyle, StyleClass, categorised, default_style, graduated, to_qml

pytestmark = pytest.mark.qgis

_PROBE = """
import json, sys
from qgis.core import *
from qgis.PyQt.QtXml import QDomDocument
app = QgsApplication([], False); app.initQgis()
found, kept = [], []
for geometry, qml in json.load(sys.stdin):
    kind = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "Point"}[geometry]
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:4549&field=code:string&field=far:double&field=name:string", "x", "memory")
    kept.append(layer)  # a freed layer's renderer would lend its Python object to the next one
    document = QDomDocument(); assert document.setContent(qml)[0]
    ok, message = layer.importNamedStyle(document)
    renderer = layer.renderer()
    one = {"ok": ok, "message": message, "renderer": renderer.type(), "opacity": layer.opacity(),
           "labels": layer.labelsEnabled()}
    if renderer.type() == "categorizedSymbol":
        one["classes"] = [[c.value() or "", c.label(), c.symbol().color().name().upper()] for c in renderer.categories()]
    if renderer.type() == "graduatedSymbol":
        one["ranges"] = [[r.lowerValue(), r.upperValue()] for r in renderer.ranges()]
    if renderer.type() == "singleSymbol":
        one["colour"] = renderer.symbol().color().name().upper()
    if layer.labelsEnabled():
        settings = layer.labeling().settings()
        one["field"], one["family"], one["size"] = settings.fieldName, settings.format().font().family(), settings.format().size()
        one["scale"], one["most"] = settings.minimumScale, settings.maxNumLabels
    found.append(one)
print(json.dumps(found))
"""  # noqa: E501 - a program of its own


def test_styles_load_in_qgis_as_they_were_meant(qgis_python: str, tmp_path: Path) -> None:
    land = categorised("code", "mnr2023", ["0701", "1401", "0101"])
    steps = graduated("far", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    line = LayerStyle(classes=(StyleClass(stroke="#D7263D", stroke_width=0.7, line="dash dot"),), opacity=0.5)
    point = default_style("point", label_field="name")
    styles = [("polygon", land), ("polygon", steps), ("line", line), ("point", point)]
    texts = json.dumps([(geometry, to_qml(style, geometry)) for geometry, style in styles])
    run = subprocess.run(
        [qgis_python, "-c", _PROBE], input=texts, capture_output=True, text=True, timeout=120, check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    found = json.loads(run.stdout.strip().splitlines()[-1])

    assert all(one["ok"] for one in found), [one["message"] for one in found]
    assert found[0]["classes"] == [[c.value or "", c.label, c.fill] for c in land.classes]
    assert found[1]["ranges"] == [[c.lower, c.upper] for c in steps.classes]
    assert (found[2]["renderer"], found[2]["colour"], found[2]["opacity"]) == ("singleSymbol", "#D7263D", 0.5)
    assert found[3]["labels"]
    assert (found[3]["field"], found[3]["size"], found[3]["scale"]) == ("name", 8.0, 10_000.0)
    assert found[3]["most"] == 600
    assert "CJK" in found[3]["family"]
