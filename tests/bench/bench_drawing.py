"""A general plan of 27,000 entities: from its DXF to the map, in the real window; what the hand feels meanwhile.

    QT_QPA_PLATFORM=offscreen .venv/bin/python -m tests.bench.bench_drawing [ENTITIES]

The limits are the product's own: 5 s until the drawing stands on the map, and no pause of the window over 0.1 s
meanwhile (a machine that does other work shows more). No peer draws a DXF over a map by itself: AutoCAD and QGIS
import it into layers first.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

EAST, NORTH = 512_000.0, 2_945_000.0


def write_drawing(path: Path, count: int) -> None:
    """Polylines, texts, circles and hatches over 60 layers on 900 m by 700 m, within a red line."""
    import ezdxf

    chance = random.Random(3)
    made = ezdxf.new("R2013")
    made.header["$INSUNITS"] = 6
    space = made.modelspace()
    layers = [f"L-{number:02d}" for number in range(60)]
    for number, name in enumerate(layers):
        made.layers.add(name, color=1 + number)
    made.layers.add("YDHX-用地红线", color=1)
    corners = [(EAST, NORTH), (EAST + 900, NORTH), (EAST + 900, NORTH + 700), (EAST, NORTH + 700)]
    space.add_lwpolyline(corners, close=True, dxfattribs={"layer": "YDHX-用地红线"})
    for number in range(count - 1):
        x, y = EAST + chance.random() * 900, NORTH + chance.random() * 700
        look = {"layer": chance.choice(layers)}
        kind = number % 10
        if kind < 6:
            points = [(x + chance.gauss(0, 4), y + chance.gauss(0, 4)) for _ in range(4 + number % 9)]
            space.add_lwpolyline(points, close=bool(number % 2), dxfattribs=look)
        elif kind < 8:
            space.add_text(f"地块{number}", height=1.8, dxfattribs=look).set_placement((x, y))
        elif kind < 9:
            space.add_circle((x, y), 2 + chance.random() * 4, dxfattribs=look)
        else:
            hatch = space.add_hatch(dxfattribs=look)
            hatch.paths.add_polyline_path([(x, y), (x + 6, y), (x + 6, y + 5), (x, y + 5)], is_closed=True)
    made.saveas(path)


class Pulse:
    """Longest pause between two steps of the window's loop, s."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self.worst, self._last = 0.0, time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(2)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.worst, self._last = max(self.worst, now - self._last), now

    def take(self) -> float:
        """The worst since the last look."""
        worst, self.worst, self._last = self.worst, 0.0, time.perf_counter()
        return worst


def until(holds: Any, seconds: float = 60.0) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        loop = QEventLoop()
        QTimer.singleShot(5, loop.quit)
        loop.exec()


def rest() -> None:
    """One step of a hand: 10 ms."""
    end = time.perf_counter() + 0.01
    until(lambda: time.perf_counter() > end)


def main(count: int) -> None:
    from PySide6.QtWidgets import QApplication

    from planner_app.project import Project
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings
    from tests.ui.conftest import FakeEngine

    app = QApplication([])
    app.setStyle("Fusion")
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        write_drawing(folder / "plan.dxf", count)
        Project.create(folder / "town.sqlite", "EPSG:4549").close()
        os.environ["PLANNER_CONFIG_DIR"] = str(folder / "config")
        desktop = Desktop(Settings.load(folder / "config"), FakeEngine())  # type: ignore[arg-type]
        desktop.window.resize(1600, 1000)
        desktop.window.show()
        desktop.load_plugins()
        desktop.session.open_project(folder / "town.sqlite")
        until(lambda: desktop.session.project is not None)
        _measure(desktop, folder / "plan.dxf", count)
        desktop.shutdown()
        desktop.window.close()


def _measure(desktop: Any, plan: Path, count: int) -> None:
    from plugins.review.model.cases.workflow import import_drawing
    from plugins.review.ui.sheet import install
    from plugins.review.ui.state import state_of

    context, canvas = desktop.window._contexts["review"], desktop.window.canvas
    desktop.window.open_panel("review")
    state = state_of(context)
    sheets = install(context, state)
    project = desktop.session.project
    pulse, times = Pulse(), {}
    began = time.perf_counter()

    def done(imported: Any) -> None:
        times["read, placed, kept in the project"] = time.perf_counter() - began
        state.choose_case(imported.case.id)
        canvas.zoom_to_extent((EAST, NORTH, EAST + 900, NORTH + 700), 0.1)

    context.run_job("import", lambda progress: import_drawing(project, plan, progress=progress), done)
    until(lambda: sheets.model.shown is not None and sheets.overlay.ready)
    times["on the map"] = time.perf_counter() - began
    times["longest pause of the window meanwhile"] = pulse.take()
    for _ in range(60):
        canvas.pan(6, 3)
        canvas.zoom_about(1.02, 400, 300)
        rest()
    times["longest pause while panning and zooming"] = pulse.take()
    print(f"{count:,} entities")
    for name, seconds in times.items():
        print(f"  {name:<42} {seconds:7.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 27_000)
