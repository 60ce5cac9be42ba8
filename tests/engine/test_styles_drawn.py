"""What our styles look like when QGIS draws them: standard colours, line kinds, and the same map in QGIS Desktop."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtGui import QColor, QImage

from planner_app.domain.land_classes import class_table
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, categorised, graduated, to_qml
from planner_app.engine_client import EngineClient
from planner_app.project import Batch, Project
from tests.engine.conftest import EAST, NORTH

pytestmark = pytest.mark.qgis
Wait = Callable[..., None]
ACROSS, CELL = 16, 10.0


def _cell(number: int) -> Any:
    x, y = EAST + CELL * (number % ACROSS), NORTH + CELL * (number // ACROSS)
    return shapely.box(x, y, x + CELL, y + CELL)


def _board(path: Path, name: str, values: list[Any], style: LayerStyle, kind: str = "text") -> None:
    """A layer of one square per value, row by row from the lower left."""
    new = NewLayer(name, "polygon", (FieldInfo("value", kind),), qml=to_qml(style, "polygon"))
    with Project.open(path) if path.exists() else Project.create(path, "EPSG:4549") as project:
        squares = [bytes(shapely.to_wkb(_cell(number))) for number in range(len(values))]
        project.add_layer(new, [Batch(squares, {"value": values})])


@pytest.fixture
def picture(engine: EngineClient, wait: Wait, tmp_path: Path) -> Callable[..., QImage]:
    """Draw layers of a file; 20 pixels per square of the board."""

    def draw(path: Path, *layers: str, rows: int = ACROSS) -> QImage:
        engine.open_project(path)
        answers: list[dict[str, Any]] = []
        out = tmp_path / "board.png"
        params = {
            "out": str(out),
            "width": ACROSS * 20,
            "height": rows * 20,
            "extent": [EAST, NORTH, EAST + ACROSS * CELL, NORTH + rows * CELL],
            "layers": [{"id": layer} for layer in layers],
        }
        engine.request("snapshot", params, answers.append, answers.append)
        wait(lambda: bool(answers))
        assert isinstance(answers[0], dict), answers[0]
        return QImage(str(out))

    return draw


def _colour(image: QImage, number: int) -> str:
    """Colour in the middle of a square."""
    at = (number % ACROSS * 20 + 10, image.height() - number // ACROSS * 20 - 10)
    return image.pixelColor(*at).name().upper()


@pytest.mark.parametrize("standard", ["mnr2023", "gb50137", "dltb"])
def test_every_class_is_drawn_in_its_standards_colour(
    standard: str, picture: Callable[..., QImage], tmp_path: Path
) -> None:
    codes = sorted(class_table(standard))
    path = tmp_path / "classes.sqlite"
    _board(path, "classes", codes, categorised("value", standard, codes))
    image = picture(path, "classes")
    drawn = {code: _colour(image, number) for number, code in enumerate(codes)}
    assert drawn == {code: entry.colour.upper() for code, entry in class_table(standard).items()}


def test_a_value_without_a_class_is_drawn_as_other(picture: Callable[..., QImage], tmp_path: Path) -> None:
    path = tmp_path / "classes.sqlite"
    style = categorised("value", "mnr2023", ["0701"])
    _board(path, "classes", ["0701", "见备注", None], style)
    image = picture(path, "classes", rows=1)
    assert [_colour(image, n) for n in range(4)] == ["#FFFF2D", "#E4E7EB", "#E4E7EB", "#FFFFFF"]


def test_graduated_classes_are_drawn_by_their_ranges(picture: Callable[..., QImage], tmp_path: Path) -> None:
    path = tmp_path / "far.sqlite"
    values = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    style = graduated("value", values, 3)
    _board(path, "far", values, style, "real")
    image = picture(path, "far", rows=1)
    fills = [one.fill.upper() for one in style.classes]
    drawn = [_colour(image, n) for n in range(6)]
    assert set(drawn) == set(fills)
    assert drawn == sorted(drawn, key=fills.index)


def test_lines_and_points_are_drawn_as_they_say(picture: Callable[..., QImage], tmp_path: Path) -> None:
    path = tmp_path / "lines.sqlite"
    red = StyleClass(stroke="#D7263D", stroke_width=1.0)
    with Project.create(path, "EPSG:4549") as project:
        for row, kind in enumerate(("solid", "dash", "dash dot")):
            y = NORTH + CELL * row + CELL / 2
            line = shapely.LineString([(EAST, y), (EAST + ACROSS * CELL, y)])
            style = LayerStyle(classes=(StyleClass(stroke=red.stroke, stroke_width=1.0, line=kind),))
            new = NewLayer(kind.replace(" ", "_"), "line", qml=to_qml(style, "line"))
            project.add_layer(new, [Batch([shapely.to_wkb(line)], {})])
        point = LayerStyle(classes=(StyleClass(fill="#1F5FAE", stroke="", size=4.0, marker="square"),))
        at = shapely.Point(EAST + CELL / 2, NORTH + 3.5 * CELL)
        project.add_layer(NewLayer("points", "point", qml=to_qml(point, "point")), [Batch([shapely.to_wkb(at)], {})])
        layers = [layer.id for layer in project.layers()]
    image = picture(path, *layers, rows=4)

    def inked(row: int) -> float:
        y = 80 - row * 20 - 10
        return sum(image.pixelColor(x, y) != QColor("white") for x in range(320)) / 320

    assert inked(0) == 1.0
    assert 0.3 < inked(1) < 0.9
    assert 0.3 < inked(2) < 0.9
    # 4 mm at 96 dpi are 15 pixels.
    side = sum(image.pixelColor(x, 10).name().upper() == "#1F5FAE" for x in range(20))
    assert 13 <= side <= 16


_DESKTOP = """
import sys, json
from qgis.core import *
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], False); app.initQgis()
path, out, extent, width, height = json.load(sys.stdin)
layers = []
for table in ("labelled", "classes"):
    uri = QgsDataSourceUri(); uri.setDatabase(path); uri.setDataSource("", table, "geom", "", "fid")
    layer = QgsVectorLayer(uri.uri(), table, "spatialite")  # as the browser adds it: with the file's default style
    assert layer.isValid()
    layers.append(layer)
settings = QgsMapSettings()
settings.setLayers(layers); settings.setDestinationCrs(layers[0].crs()); settings.setOutputSize(QSize(width, height))
settings.setExtent(QgsRectangle(*extent)); settings.setOutputDpi(96); settings.setBackgroundColor(QColor("white"))
for flag in (Qgis.MapSettingsFlag.Antialiasing, Qgis.MapSettingsFlag.UseRenderingOptimization,
             Qgis.MapSettingsFlag.DrawLabeling):
    settings.setFlag(flag, True)
job = QgsMapRendererParallelJob(settings); job.start(); job.waitForFinished()
assert job.renderedImage().save(out)
"""


def test_qgis_desktop_shows_the_same_map(picture: Callable[..., QImage], qgis_python: str, tmp_path: Path) -> None:
    path = tmp_path / "town.sqlite"
    codes = sorted(class_table("mnr2023"))[:96]
    _board(path, "classes", codes, categorised("value", "mnr2023", codes))
    outline = LayerStyle(
        classes=(StyleClass(fill="", stroke="#D7263D", stroke_width=0.7, line="dash dot"),),
        label_field="value",
        label_min_scale=0.0,
    )
    _board(path, "labelled", ["滨海新城"] + ["城"] * 5, outline)
    ours = picture(path, "labelled", "classes", rows=6)
    out = tmp_path / "desktop.png"
    extent = [EAST, NORTH, EAST + ACROSS * CELL, NORTH + 6 * CELL]
    subprocess.run(
        [qgis_python, "-c", _DESKTOP], input=json.dumps([str(path), str(out), extent, ours.width(), ours.height()]),
        capture_output=True, text=True, timeout=120, check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    theirs = QImage(str(out))
    assert theirs.size() == ours.size()
    different = [
        (x, y)
        for x in range(ours.width())
        for y in range(ours.height())
        if any(
            abs(a - b) > 8
            for a, b in zip(ours.pixelColor(x, y).getRgb(), theirs.pixelColor(x, y).getRgb(), strict=True)
        )
    ]
    assert len(different) < 0.002 * ours.width() * ours.height(), different[:20]
