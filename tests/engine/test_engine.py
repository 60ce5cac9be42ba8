"""The engine with a real QGIS: pictures, partial ones, supersede, cancel, crash, labels, caches, files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QImage

from planner_app.domain.errors import PlannerError
from planner_app.engine_client import EngineClient, LayerDraw, Picture, RenderRequest
from planner_app.project import EditGeometry, Project, SetStyle
from tests.engine.conftest import BLUE, EXTENT, RED

pytestmark = pytest.mark.qgis
Wait = Callable[..., None]
BOTH = (LayerDraw("west"), LayerDraw("east"))


def _request(layers: tuple[LayerDraw, ...] = BOTH, labels: bool = False, size: int = 400) -> RenderRequest:
    return RenderRequest(EXTENT, size, size, 1.0, layers, labels)


def _near(image: QImage, x: float, y: float, colour: str) -> bool:
    """True if the picture has about that colour at a place given in shares of its size."""
    pixel = image.pixelColor(int(image.width() * x), int(image.height() * y))
    wanted = QColor(colour)
    parts = ((pixel.red(), wanted.red()), (pixel.green(), wanted.green()), (pixel.blue(), wanted.blue()))
    return pixel.alpha() > 250 and all(abs(a - b) < 12 for a, b in parts)


def _draw(engine: EngineClient, wait: Wait, request: RenderRequest, view: str = "map") -> QImage:
    pictures: list[Picture] = []
    failures: list[Exception] = []
    shown = engine.view(view)
    shown.finished.connect(pictures.append)
    shown.failed.connect(failures.append)
    number = shown.render(request)
    wait(lambda: bool(pictures or failures))
    shown.finished.disconnect(pictures.append)
    shown.failed.disconnect(failures.append)
    assert not failures
    assert pictures[0].request_id == number
    assert pictures[0].extent == request.extent
    return pictures[0].image


def test_the_map_is_drawn_in_its_layers_colours(engine: EngineClient, wait: Wait) -> None:
    image = _draw(engine, wait, _request())
    assert (image.width(), image.height()) == (400, 400)
    assert _near(image, 0.25, 0.5, RED)
    assert _near(image, 0.75, 0.5, BLUE)
    assert engine.qgis_version.startswith("3.")


def test_what_is_not_asked_for_is_transparent(engine: EngineClient, wait: Wait) -> None:
    image = _draw(engine, wait, _request((LayerDraw("west"),)))
    assert _near(image, 0.25, 0.5, RED)
    assert image.pixelColor(300, 200).alpha() == 0
    half = _draw(engine, wait, _request((LayerDraw("west", 0.5),)))
    assert 100 < half.pixelColor(100, 200).alpha() < 155


def test_chinese_labels_are_drawn(engine: EngineClient, wait: Wait) -> None:
    plain, labelled = _draw(engine, wait, _request()), _draw(engine, wait, _request(labels=True))
    inked = [(x, y) for x in range(200, 400) for y in range(150, 250) if plain.pixel(x, y) != labelled.pixel(x, y)]
    # Four characters of 24 pt: each about 32 px square, a third of it ink and halo at least.
    assert len(inked) > 4 * 32 * 32 / 3
    assert all(plain.pixel(x, 200) == labelled.pixel(x, 200) for x in range(0, 190))


def test_toggling_a_layer_redraws_only_that_one(engine: EngineClient, wait: Wait) -> None:
    answers: list[dict[str, Any]] = []
    for layers in (BOTH, (LayerDraw("west"),), BOTH, (LayerDraw("east"),), BOTH):
        _draw(engine, wait, _request(layers))
    engine.request("statistics", {}, answers.append)
    wait(lambda: bool(answers))
    assert answers[0]["drawn"] == {"west": 1, "east": 1}


def test_a_newer_render_supersedes_the_older(engine: EngineClient, wait: Wait) -> None:
    view, pictures = engine.view("map"), list[Picture]()
    view.finished.connect(pictures.append)
    numbers = [view.render(_request(size=200 + step)) for step in range(20)]
    wait(lambda: bool(pictures))
    _draw(engine, wait, _request(), "other")  # all answers of the first view are in by now
    assert [picture.request_id for picture in pictures] == [numbers[-1]]
    assert pictures[0].image.width() == 219


def test_an_edit_is_seen_after_a_refresh(engine: EngineClient, wait: Wait, town: Path) -> None:
    import shapely

    assert not _near(_draw(engine, wait, _request()), 0.75, 0.5, RED)
    with Project.open(town) as project:
        project.execute(EditGeometry("west", {1: shapely.to_wkb(shapely.box(*EXTENT))}))
        engine.refresh_layers(["west"])
        assert _near(_draw(engine, wait, _request((LayerDraw("west"),))), 0.75, 0.5, RED)


def test_a_new_style_is_seen_after_a_refresh(engine: EngineClient, wait: Wait, town: Path) -> None:
    from planner_app.domain.style import LayerStyle, StyleClass, to_qml

    _draw(engine, wait, _request())
    with Project.open(town) as project:
        style = LayerStyle(classes=(StyleClass(fill="#20A040", stroke="#20A040"),))
        project.execute(SetStyle("west", to_qml(style, "polygon")))
        engine.refresh_layers(None)
        assert _near(_draw(engine, wait, _request()), 0.25, 0.5, "#20A040")


def test_a_layer_made_while_somebody_writes_is_drawn(engine: EngineClient, wait: Wait, town: Path) -> None:
    """QGIS counts a new table's rows when it opens it and gives up at once where the file is locked."""
    import sqlite3
    import threading
    import time

    import shapely

    from planner_app.domain.layer import NewLayer
    from planner_app.domain.style import LayerStyle, StyleClass, to_qml
    from planner_app.project import Batch

    _draw(engine, wait, _request())
    problems: list[Exception] = []
    engine.problem.connect(problems.append)
    style = LayerStyle(classes=(StyleClass(fill="#20A040", stroke="#20A040"),))
    with Project.open(town) as project:
        made = project.add_layer(
            NewLayer("new", "polygon", (), qml=to_qml(style, "polygon")),
            [Batch([shapely.to_wkb(shapely.box(*EXTENT))], {})],
        )
        writer = sqlite3.connect(town, isolation_level=None, check_same_thread=False)
        writer.execute("UPDATE geometry_columns_statistics SET last_verified = NULL, row_count = NULL "
                       "WHERE f_table_name = ?", (made.id,))  # fmt: skip
        writer.execute("BEGIN IMMEDIATE")

        def release() -> None:
            time.sleep(0.6)
            writer.execute("ROLLBACK")

        holding = threading.Thread(target=release)
        holding.start()
        engine.refresh_layers(None)
        assert _near(_draw(engine, wait, _request((LayerDraw(made.id),))), 0.5, 0.5, "#20A040")
        holding.join()
        writer.close()
    assert problems == []


def test_killed_while_drawing_it_comes_back_with_the_picture(engine: EngineClient, wait: Wait) -> None:
    repeats = 50 if os.environ.get("PLANNER_SOAK") else 3
    states: list[str] = []
    engine.state_changed.connect(states.append)
    for round_number in range(repeats):
        view, pictures = engine.view("map"), list[Picture]()
        view.finished.connect(pictures.append)
        killed = engine.process_id
        view.render(_request(size=900 + round_number))
        os.kill(killed, signal.SIGKILL)
        wait(lambda killed=killed: engine.process_id != killed and engine.state in ("ready", "busy"))
        wait(lambda pictures=pictures: bool(pictures))
        assert pictures[-1].image.width() == 900 + round_number
        view.finished.disconnect(pictures.append)
        engine._deaths.clear()  # the soak kills more often than an engine may die on its own
    assert "restarting" in states


def test_other_requests_fail_with_a_sentence_when_it_dies(engine: EngineClient, wait: Wait, tmp_path: Path) -> None:
    errors: list[PlannerError] = []
    params = {"out": str(tmp_path / "x.png"), "width": 9000, "height": 9000, "extent": list(EXTENT)}
    engine.request("snapshot", params, lambda answer: None, errors.append)
    os.kill(engine.process_id, signal.SIGKILL)
    wait(lambda: bool(errors))
    assert errors[0].code == "engine.died"


def test_an_engine_that_keeps_dying_is_given_up(qapp: Any, wait: Wait, tmp_path: Path, monkeypatch: Any) -> None:
    from planner_app.engine_client import client as module

    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 'no QGIS here' >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setattr(module, "qgis_python", lambda: str(fake))
    monkeypatch.setattr(module, "_RESTART_MS", (1,))
    client, errors = EngineClient(), list[PlannerError]()
    client.request("ping", {}, lambda answer: None, errors.append)
    client.start()
    wait(lambda: client.state == "failed")
    assert errors[0].code == "engine.died"
    assert "no QGIS here" in client.last_error
    client.stop()


def test_without_qgis_the_state_is_missing(qapp: Any, wait: Wait, monkeypatch: Any) -> None:
    from planner_app.engine_client import client as module

    def missing() -> str:
        raise PlannerError("engine.missing")

    monkeypatch.setattr(module, "qgis_python", missing)
    client, errors = EngineClient(), list[PlannerError]()
    client.start()
    assert client.state == "missing"
    client.request("ping", {}, lambda answer: None, errors.append)
    wait(lambda: bool(errors))
    assert errors[0].code == "engine.missing"


def test_a_stranger_on_the_socket_is_turned_away(engine: EngineClient, caplog: Any) -> None:
    assert engine._token
    engine._greet({"token": "guessed", "qgis": "x", "process": 1})
    assert "turned away" in caplog.text
    caplog.clear()


def test_a_picture_into_a_file(engine: EngineClient, wait: Wait, tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    out = tmp_path / "map.png"
    engine.request("snapshot", {"out": str(out), "width": 300, "height": 300, "extent": list(EXTENT)}, answers.append)
    wait(lambda: bool(answers))
    image = QImage(str(out))
    assert (image.width(), image.height()) == (300, 300)
    assert _near(image, 0.25, 0.5, RED)


def test_a_printed_sheet(engine: EngineClient, wait: Wait, tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    errors: list[PlannerError] = []
    out = tmp_path / "sheet.pdf"
    params = {
        "out": str(out), "title": "滨海新城 规划图", "extent": list(EXTENT), "layers": [{"id": "west"}, {"id": "east"}],
        "paper": "A4", "dpi": 100, "legend_title": "图例", "note": "EPSG:4549",
    }  # fmt: skip
    engine.request("print", params, answers.append, errors.append)
    wait(lambda: bool(answers or errors))
    assert not errors
    assert out.read_bytes().startswith(b"%PDF")
    assert answers[0]["scale"] > 1000


def test_the_legend_names_classes(engine: EngineClient, wait: Wait) -> None:
    answers: list[dict[str, Any]] = []
    engine.request("legend", {"layer": "west"}, answers.append)
    wait(lambda: bool(answers))
    assert answers[0]["entries"][0]["png"]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("nothing", {}, "engine.unknown_method"),
        ("legend", {"layer": "none"}, "engine.no_layer"),
        ("open", {"path": "/nowhere/x.sqlite"}, "engine.no_file"),
        ("snapshot", {"out": "x", "width": 0, "height": 1, "extent": [0, 0, 1, 1]}, "engine.picture_size"),
    ],
)
def test_a_wrong_request_is_answered_with_its_code(
    engine: EngineClient, wait: Wait, method: str, params: dict[str, Any], code: str
) -> None:
    errors: list[PlannerError] = []
    engine.request(method, params, lambda answer: None, errors.append)
    wait(lambda: bool(errors))
    assert errors[0].code == code


_TWICE = """
import sys
from qgis.core import Qgis, QgsApplication, QgsMapRendererCache, QgsMapSettings, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
app = QgsApplication([], False); app.initQgis()
from planner_app.engine.render import _Pass
layer = QgsVectorLayer("Polygon?crs=EPSG:4549", "empty", "memory")
settings = QgsMapSettings()
settings.setLayers([layer]); settings.setOutputSize(QSize(300, 200)); settings.setExtent(QgsRectangle(0, 0, 300, 200))
settings.setFlag(Qgis.MapSettingsFlag.DrawLabeling, False)
cache = QgsMapRendererCache()
for turn in range(2):
    ended = []
    one = _Pass(settings, cache, ended.append)
    print(cache.hasAnyCacheImage("_labels_"), cache.hasAnyCacheImage("_preview_labels_"))
    while not ended:
        app.processEvents()
"""


def test_what_qgis_sets_aside_for_labels_is_not_laid_over_the_next_picture(qgis_python: str, tmp_path: Path) -> None:
    """A job without labels caches memory that it never cleared as their picture."""
    import subprocess

    root = Path(__file__).resolve().parents[2]
    env = {"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [qgis_python, "-c", _TWICE], capture_output=True, text=True, timeout=120, check=True, env=env
    )  # fmt: skip
    assert done.stdout.split() == ["False"] * 4
