"""The engine's life beside a shell: closing, hanging, orphaned, edits while it draws, plugins inside it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtGui import QColor, QImage

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, categorised, to_qml
from planner_app.engine_client import EngineClient, LayerDraw, Picture, RenderRequest
from planner_app.project import (
    AddField,
    Batch,
    EditCells,
    EditGeometry,
    InsertFeatures,
    Project,
    SetStyle,
)
from tests.engine.conftest import EAST, EXTENT, NORTH

pytestmark = pytest.mark.qgis
Wait = Callable[..., None]
ROOT = Path(__file__).resolve().parent.parent.parent
ACROSS = 150


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22,500 green cells: a picture of them takes long enough to be caught in the act."""
    path = tmp_path_factory.mktemp("fields") / "fields.sqlite"
    style = LayerStyle(classes=(StyleClass(fill="#20A040", stroke="#104020"),))
    corners = [(EAST + 10.0 * column, NORTH + 10.0 * row) for row in range(ACROSS) for column in range(ACROSS)]
    cells = [bytes(shapely.to_wkb(shapely.box(x, y, x + 10, y + 10))) for x, y in corners]
    with Project.create(path, "EPSG:4549") as project:
        new = NewLayer("cells", "polygon", (FieldInfo("name", "text"),), qml=to_qml(style, "polygon"))
        project.add_layer(new, [Batch(cells, {"name": [""] * len(cells)})])
    return path


@pytest.fixture
def busy(engine: EngineClient, fields: Path, wait: Wait) -> EngineClient:
    """The engine on ``fields``."""
    engine.open_project(fields)
    wait(lambda: engine.state == "ready")
    return engine


def _fields(step: float = 0.0, size: int = 1500) -> RenderRequest:
    extent = (EAST - step, NORTH, EAST + 10.0 * ACROSS - step, NORTH + 10.0 * ACROSS)
    return RenderRequest(extent, size, size, 1.0, (LayerDraw("cells"),), labels=False)


def _draw(engine: EngineClient, wait: Wait, request: RenderRequest) -> QImage:
    pictures: list[Picture] = []
    view = engine.view("map")
    view.finished.connect(pictures.append)
    view.render(request)
    wait(lambda: bool(pictures))
    view.finished.disconnect(pictures.append)
    return pictures[0].image


def _ask(engine: EngineClient, wait: Wait, method: str, params: dict[str, Any]) -> dict[str, Any] | PlannerError:
    answers: list[dict[str, Any] | PlannerError] = []
    engine.request(method, params, answers.append, answers.append)
    wait(lambda: bool(answers))
    return answers[0]


def _alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_partial_pictures_come_on_the_way(busy: EngineClient, wait: Wait) -> None:
    partial: list[Picture] = []
    view = busy.view("map")
    view.partial.connect(partial.append)

    def painted(picture: QImage) -> int:
        return sum(picture.pixelColor(x, y).alpha() > 0 for x in range(50, 3000, 100) for y in range(50, 3000, 100))

    # A shell that is kept waiting finds more in the shared picture than there was when it was announced.
    # Each size is drawn anew: what was drawn once is kept.
    for more in range(8):
        partial.clear()
        assert painted(_draw(busy, wait, _fields(size=3000 + more))) == 900
        if any(painted(p.image) < 900 for p in partial):
            break
    else:
        pytest.fail("no picture came before it was whole")
    assert all((p.image.width(), p.image.height()) == (3000 + more, 3000 + more) for p in partial)


def test_a_cancelled_render_is_never_heard_of_again(busy: EngineClient, wait: Wait) -> None:
    heard: list[object] = []
    view = busy.view("map")
    for signal_ in (view.partial, view.finished, view.failed):
        signal_.connect(heard.append)
    busy.cancel(view.render(_fields(size=4000)))
    started = time.monotonic()
    assert _ask(busy, wait, "ping", {}) == {}
    assert time.monotonic() - started < 20.0
    wait(lambda: busy.state == "ready")
    assert not heard
    assert _draw(busy, wait, _fields(size=300)).pixelColor(150, 150) != QColor(0, 0, 0, 0)


def test_an_opacity_is_applied_without_drawing_anew(busy: EngineClient, wait: Wait) -> None:
    full = _draw(busy, wait, _fields(size=300))
    request = RenderRequest(_fields().extent, 300, 300, 1.0, (LayerDraw("cells", 0.5),), labels=False)
    half = _draw(busy, wait, request)
    assert full.pixelColor(150, 150).alpha() > 250
    assert 120 < half.pixelColor(150, 150).alpha() < 135
    assert _ask(busy, wait, "statistics", {}) == {"drawn": {"cells": 1}, "labelled": 0}


def test_labels_are_placed_once_while_another_layer_is_toggled(engine: EngineClient, wait: Wait) -> None:
    for layers in (("west", "east"), ("east",), ("west", "east")):
        _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, tuple(map(LayerDraw, layers)), labels=True))
    assert _ask(engine, wait, "statistics", {}) == {"drawn": {"west": 1, "east": 1}, "labelled": 1}


def test_a_pan_draws_what_it_shows(engine: EngineClient, wait: Wait) -> None:
    for step in range(3):
        moved = (EXTENT[0] + step, EXTENT[1], EXTENT[2] + step, EXTENT[3])
        _draw(engine, wait, RenderRequest(moved, 300, 300, 1.0, (LayerDraw("west"),), labels=False))
    assert _ask(engine, wait, "statistics", {}) == {"drawn": {"west": 3}, "labelled": 0}


def test_twice_the_pixels_show_the_same_map(engine: EngineClient, wait: Wait) -> None:
    request = RenderRequest(EXTENT, 800, 800, 2.0, (LayerDraw("east"),), labels=True)
    image = _draw(engine, wait, request)
    assert image.devicePixelRatio() == 2.0
    once = _draw(engine, wait, RenderRequest(EXTENT, 400, 400, 1.0, (LayerDraw("east"),), labels=True))
    blue = QColor("#2060C0").rgb()
    wide = [sum(picture.pixel(x, y) != blue for x in range(w, 2 * w)) for picture, w, y in
            ((image, 400, 400), (once, 200, 200))]  # fmt: skip
    # The label is as long on screen: about twice the pixels.
    assert 1.5 < wide[0] / wide[1] < 2.5


def test_features_beyond_the_old_extent_are_drawn(engine: EngineClient, wait: Wait, town: Path) -> None:
    far = (EXTENT[0] + 5000, EXTENT[1], EXTENT[2] + 5000, EXTENT[3])
    request = RenderRequest(far, 300, 300, 1.0, (LayerDraw("west"),), labels=False)
    assert _draw(engine, wait, request).pixelColor(150, 150).alpha() == 0
    with Project.open(town) as project:
        project.execute(InsertFeatures("west", [shapely.to_wkb(shapely.box(*far))], {"name": ["new"]}))
        engine.refresh_layers(["west"])
        assert _draw(engine, wait, request).pixelColor(150, 150).alpha() == 255


def test_a_change_under_a_picture_being_drawn_is_in_it(
    busy: EngineClient, wait: Wait, fields: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    with Project.open(fields) as project:
        project.save_copy(copy)
    busy.open_project(copy)
    wait(lambda: busy.state == "ready")
    pictures: list[Picture] = []
    view = busy.view("map")
    view.finished.connect(pictures.append)
    with Project.open(copy) as project:
        view.render(_fields(size=2500))
        started = time.monotonic()
        gone = bytes(shapely.to_wkb(shapely.box(EAST - 900, NORTH, EAST - 890, NORTH + 10)))
        project.execute(EditGeometry("cells", {1: gone}))
        # The engine reads the whole layer meanwhile; a commit does not wait for it.
        assert time.monotonic() - started < 10.0
        busy.refresh_layers(["cells"])
        wait(lambda: bool(pictures))
    assert len(pictures) == 1
    corner, next_to_it = (10, 2490), (27, 2490)  # the first cell is 16 pixels wide, at the lower left
    assert pictures[0].image.pixelColor(*corner).alpha() == 0
    assert pictures[0].image.pixelColor(*next_to_it).alpha() == 255
    again = _draw(busy, wait, _fields(size=2500))
    assert again.pixelColor(*corner).alpha() == 0


def test_a_closed_project_is_let_go_of(engine: EngineClient, wait: Wait, town: Path) -> None:
    project = Project.open(town)
    _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"), LayerDraw("east"))))
    held = [os.readlink(entry) for entry in Path(f"/proc/{engine.process_id}/fd").iterdir() if entry.is_symlink()]
    assert str(town) in held
    engine.close_project()
    for entry in Path(f"/proc/{engine.process_id}/fd").iterdir():
        assert not os.readlink(entry).startswith(str(town))
    project.close()
    # Bytes 18 and 19 of the file are 1 in DELETE mode, 2 in WAL mode.
    assert town.read_bytes()[18:20] == b"\x01\x01"
    assert not town.with_name(town.name + "-wal").exists()
    engine.open_project(town)
    assert _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"),))).width() == 300


def test_a_hung_engine_is_replaced(engine: EngineClient, wait: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    from planner_app.engine_client import client as module

    monkeypatch.setattr(module, "_HUNG_S", 1.0)
    engine._ping.setInterval(200)
    hung = engine.process_id
    os.kill(hung, signal.SIGSTOP)
    assert _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"),))).width() == 300
    assert engine.process_id != hung
    assert not _alive(hung)


def test_a_long_print_is_not_taken_for_a_hang(
    engine: EngineClient, wait: Wait, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from planner_app.engine_client import client as module

    monkeypatch.setattr(module, "_HUNG_S", 1.0)
    engine._ping.setInterval(200)
    process = engine.process_id
    plugin = tmp_path / "slow"
    plugin.mkdir()
    (plugin / "engine.py").write_text(
        "import time\n"
        "def register(api):\n"
        "    api.add_algorithm('wait', lambda layers, arguments: time.sleep(arguments['s']) or {'slept': True})\n"
    )
    params = {"folder": str(plugin), "name": "wait", "arguments": {"s": 3}}
    assert _ask(engine, wait, "algorithm", params) == {"slept": True}
    assert engine.process_id == process


_SHELL = """
import sys, time
from pathlib import Path
from PySide6.QtGui import QGuiApplication
from planner_app.engine_client import EngineClient, LayerDraw, RenderRequest
app = QGuiApplication([])
client = EngineClient()
client.open_project(Path(sys.argv[1]))
client.start()
view, done = client.view("map"), []
view.finished.connect(done.append)
view.render(RenderRequest((509000, 2944000, 510000, 2945000), 300, 300, 1.0, (LayerDraw("west"),)))
while not done:
    app.processEvents()
    time.sleep(0.01)
print(client.process_id, view._pixels.path, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_engine_ends_with_its_shell(qgis_python: str, town: Path, wait: Wait) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        [sys.executable, "-c", _SHELL, str(town)], stdout=subprocess.PIPE, text=True, env=environment
    ) as shell:
        assert shell.stdout is not None
        words = shell.stdout.readline().split()
        shell.kill()
    engine, pixels = int(words[0]), Path(words[1])
    wait(lambda: not _alive(engine))
    assert not pixels.exists()


def test_a_picture_that_cannot_be_written_is_an_error(engine: EngineClient, wait: Wait) -> None:
    answer = _ask(
        engine, wait, "snapshot", {"out": "/nowhere/map.png", "width": 30, "height": 30, "extent": list(EXTENT)}
    )
    assert isinstance(answer, PlannerError)
    assert (answer.code, answer.params) == ("engine.not_written", {"file": "/nowhere/map.png"})


def test_a_plugin_sees_qgis_and_nothing_of_the_shell(engine: EngineClient, wait: Wait, tmp_path: Path) -> None:
    plugin = tmp_path / "probe"
    plugin.mkdir()
    (plugin / "engine.py").write_text(
        "import sys\n"
        "from qgis.core import QgsLayoutItemLabel\n"
        "def look(layers, arguments):\n"
        "    files = [getattr(module, '__file__', None) or '' for module in sys.modules.values()]\n"
        "    return {'path': sys.path, 'files': files, 'count': layers.get('west').layer.featureCount()}\n"
        "def sheet(sheet, layers, params):\n"
        "    label = QgsLayoutItemLabel(sheet)\n"
        "    label.setText(params['title'])\n"
        "    sheet.addLayoutItem(label)\n"
        "def register(api):\n"
        "    api.add_algorithm('look', look)\n"
        "    api.add_layout('sheet', sheet)\n"
    )
    seen = _ask(engine, wait, "algorithm", {"folder": str(plugin), "name": "look"})
    assert isinstance(seen, dict)
    assert seen["count"] == 1
    assert not [folder for folder in seen["path"] if folder.startswith((str(ROOT), sys.prefix + "/lib"))]
    assert not [file for file in seen["files"] if file.startswith(sys.prefix + "/lib") or "PySide6" in file]
    out = tmp_path / "sheet.pdf"
    params = {"out": str(out), "title": "图则", "extent": list(EXTENT), "layers": [], "paper": "A4",
              "layout": {"folder": str(plugin), "name": "sheet"}}  # fmt: skip
    assert _ask(engine, wait, "print", params) == {"out": str(out), "scale": 0.0}
    assert out.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("source", "code"),
    [("raise RuntimeError('broken')", "engine.plugin_failed"), ("def register(api): ...", "engine.no_algorithm")],
)
def test_a_broken_plugin_is_named(engine: EngineClient, wait: Wait, tmp_path: Path, source: str, code: str) -> None:
    plugin = tmp_path / "broken"
    plugin.mkdir()
    (plugin / "engine.py").write_text(source)
    answer = _ask(engine, wait, "algorithm", {"folder": str(plugin), "name": "x"})
    assert isinstance(answer, PlannerError)
    assert (answer.code, answer.params["plugin"]) == (code, "broken")
    assert _ask(engine, wait, "ping", {}) == {}


def test_a_layer_that_cannot_be_read_leaves_the_others_on_the_map(engine: EngineClient, wait: Wait, town: Path) -> None:
    with Project.open(town):
        pass
    with contextlib.closing(sqlite3.connect(town)) as connection:  # a program that knew nothing of our registry
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM geometry_columns WHERE f_table_name = 'west'")
        connection.commit()
    problems: list[PlannerError] = []
    engine.problem.connect(problems.append)
    engine.open_project(town)
    image = _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"), LayerDraw("east"))))
    assert image.pixelColor(75, 150).alpha() == 0
    assert image.pixelColor(225, 20).alpha() == 255
    engine.refresh_layers(None)
    assert _ask(engine, wait, "ping", {}) == {}
    assert [(p.code, p.params["layer"]) for p in problems] == [("engine.layer_unreadable", "west")]


def test_a_broken_style_does_not_stop_the_map(engine: EngineClient, wait: Wait, town: Path) -> None:
    with Project.open(town) as project:
        project.execute(SetStyle("west", "<qgis><renderer-v2"))
        engine.refresh_layers(None)
        image = _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"), LayerDraw("east"))))
    assert image.pixelColor(75, 150).alpha() == 255
    assert image.pixelColor(225, 20).alpha() == 255


def test_a_new_field_can_be_drawn_by(engine: EngineClient, wait: Wait, town: Path) -> None:
    _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"),)))
    with Project.open(town) as project:
        project.execute(AddField("west", FieldInfo("code", "text")))
        project.execute(EditCells("west", (1,), "code", ["0701"]))
        project.execute(SetStyle("west", to_qml(categorised("code", "mnr2023", ["0701"]), "polygon")))
        engine.refresh_layers(None)
        image = _draw(engine, wait, RenderRequest(EXTENT, 300, 300, 1.0, (LayerDraw("west"),)))
    assert image.pixelColor(75, 150).name().upper() == "#FFFF2D"
