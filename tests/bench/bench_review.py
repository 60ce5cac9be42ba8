"""A site plan of 25,000 entities: read, understood, placed and on the screen, against ezdxf's own drawing back ends.

    xvfb-run -a -s "-screen 0 1600x1000x24" .venv/bin/python -m tests.bench.bench_review [--rounds 3] [--entities 25000]

``ours`` in one process: the file read in its separate process, site plan, indicators, picture of 1600 × 1000 pixels.
``window``: the real window: from choosing the file to the drawing painted above the map, its check done; ``stall`` is
the longest time the window's thread did not answer meanwhile, ``hand`` the longest while the map is panned and zoomed
below the drawing. The peers draw the same file from :func:`ezdxf.readfile` with
ezdxf's front end to a picture of the same size. Limits: window ≤ 5 s, indicators ≤ 2 s.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import harness

WIDTH, HEIGHT = 1600, 1000
LIMIT_WINDOW_S, LIMIT_INDICATORS_S = 5.0, 2.0


def write_plan(path: Path, entities: int, seed: int = 3) -> None:
    """A housing estate of 96 buildings on the bureau's layers in EPSG:4549, with the clutter real sheets carry."""
    import ezdxf

    rng = np.random.default_rng(seed)
    document = ezdxf.new("R2013", setup=True)
    document.header["$INSUNITS"] = 6
    space = document.modelspace()
    x0, y0, width, height = 507_000.0, 2_944_000.0, 900.0, 600.0

    def ring(box: tuple[float, float, float, float], layer: str) -> None:
        west, south, east, north = box
        space.add_lwpolyline(
            [(west, south), (east, south), (east, north), (west, north)], close=True, dxfattribs={"layer": layer}
        )

    ring((x0, y0, x0 + width, y0 + height), "YDHX-用地红线")
    ring((x0 + 8, y0 + 8, x0 + width - 8, y0 + height - 8), "JZKZX-建筑控制线")
    number = 0
    for row in range(8):
        for column in range(12):
            number += 1
            west, south = x0 + 20 + column * 72, y0 + 20 + row * 70
            box = (west, south, west + 48, south + 14)
            ring(box, f"JZJD-{number}号-建筑基底")
            for floor in range(1, 12):
                ring(box, f"MJ-{number}号-F{floor:02d}-全-计容")
            space.add_text(f"{number}号楼 11F H=33.60m", height=2.5, dxfattribs={"layer": "ZJ-注记"}).set_placement(
                (west + 4, south + 5)
            )
            hatch = space.add_hatch(color=3, dxfattribs={"layer": "LD-宅旁"})
            hatch.paths.add_polyline_path(
                [(west, south + 20), (west + 48, south + 20), (west + 48, south + 30), (west, south + 30)],
                is_closed=True,
            )
    while len(space) < entities:
        x, y = x0 + rng.uniform(0, width), y0 + rng.uniform(0, height)
        kind = rng.integers(0, 5)
        if kind == 0:
            space.add_line((x, y), (x + rng.normal(0, 9), y + rng.normal(0, 9)), dxfattribs={"layer": "DX-地形"})
        elif kind == 1:
            points = np.cumsum(rng.normal(0, 2, (14, 2)), axis=0) + np.array((x, y))
            space.add_lwpolyline([tuple(p) for p in points], dxfattribs={"layer": "DGX-等高线"})
        elif kind == 2:
            space.add_circle((x, y), 1.6, dxfattribs={"layer": "LH-乔木"})
        elif kind == 3:
            space.add_arc((x, y), 4.0, 0, 120, dxfattribs={"layer": "DL-内部道路"})
        else:
            space.add_text(f"{rng.uniform(3, 40):.2f}", height=1.5, dxfattribs={"layer": "GC-高程"}).set_placement(
                (x, y)
            )
    document.saveas(path)


def ours(path: Path) -> None:
    """In a process of its own: every step by itself, without a window."""
    from datetime import date

    from PySide6.QtGui import QGuiApplication

    application = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    from plugins.review.model.drawing.intake import read_drawing
    from plugins.review.model.indicators.measure import measure
    from plugins.review.model.reading.convention import load_conventions
    from plugins.review.model.reading.site_plan import read_site_plan
    from plugins.review.ui.sheet.paint import Frame, Look, render
    from plugins.review.ui.sheet.scene import build_scene

    steps: dict[str, float] = {}

    def work() -> dict[str, Any]:
        begun = time.perf_counter()

        def step(name: str) -> None:
            nonlocal begun
            now = time.perf_counter()
            steps[name], begun = now - begun, now

        drawing = read_drawing(path)
        step("read_s")
        plan = read_site_plan(drawing, conventions=load_conventions(None))
        step("site_plan_s")
        found = measure(plan, drawing, on=date(2026, 1, 1))
        step("measure_s")
        scene = build_scene(drawing)
        west, south, east, north = scene.extent() or (0, 0, 1, 1)
        resolution = max((east - west) / WIDTH, (north - south) / HEIGHT)
        image = render(scene, Frame(west, north, resolution, WIDTH, HEIGHT), Look(scene.shown(frozenset())))
        step("picture_s")
        assert image is not None
        assert len(found.buildings) == 96
        return {**steps, "entities": len(drawing.entities), "far": found.value("far") or 0.0}

    harness.measured(work)
    del application


def peer(path: Path, backend: str) -> None:
    """In a process of its own: ezdxf reads and draws it."""
    import ezdxf
    from ezdxf.addons.drawing import Frontend, RenderContext

    if backend == "qt":
        from PySide6.QtWidgets import QApplication

        application = QApplication.instance() or QApplication(sys.argv[:1])

    def work() -> dict[str, Any]:
        document = ezdxf.readfile(path)
        context, space = RenderContext(document), document.modelspace()
        if backend == "matplotlib":
            import matplotlib

            matplotlib.use("Agg")
            from ezdxf.addons.drawing.matplotlib import MatplotlibBackend
            from matplotlib import pyplot

            figure = pyplot.figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
            axes = figure.add_axes((0, 0, 1, 1))
            Frontend(context, MatplotlibBackend(axes)).draw_layout(space, finalize=True)
            figure.canvas.draw()
        elif backend == "svg":
            from ezdxf.addons.drawing import layout, svg

            made = svg.SVGBackend()
            Frontend(context, made).draw_layout(space)
            made.get_string(layout.Page(400, 250))
        else:
            from ezdxf.addons.drawing.pyqt import PyQtBackend
            from PySide6.QtGui import QImage, QPainter
            from PySide6.QtWidgets import QGraphicsScene

            scene = QGraphicsScene()
            Frontend(context, PyQtBackend(scene)).draw_layout(space)
            image = QImage(WIDTH, HEIGHT, QImage.Format.Format_ARGB32)
            image.fill(0xFFFFFFFF)
            painter = QPainter(image)
            scene.render(painter)
            painter.end()
        return {}

    harness.measured(work)
    if backend == "qt":
        del application


def window(path: Path, folder: Path) -> None:
    """In a process of its own: the real window takes the drawing in; when it is painted on the map and checked."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from planner_app.engine_client import EngineClient
    from planner_app.project import Project
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings

    file = folder / f"bench-{time.time_ns()}.sqlite"
    Project.create(file, "EPSG:4549").close()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setStyle("Fusion")
    desktop = Desktop(Settings(path=file.with_suffix(".toml")), EngineClient(), file)
    desktop.window.resize(WIDTH, HEIGHT)
    marks: dict[str, float] = {}
    beat = {"last": 0.0, "worst": 0.0, "stall": float("nan"), "steps": 0.0}

    def begin() -> None:
        from plugins.review.model.cases.workflow import import_drawing
        from plugins.review.ui.sheet.sheets import Sheets
        from plugins.review.ui.state import state_of

        main = desktop.window
        main.open_panel("review")
        context = main._contexts["review"]
        state = state_of(context)
        sheets = state.findChild(Sheets)
        assert isinstance(sheets, Sheets)
        started = time.perf_counter()
        beat["last"] = started

        def work(progress: Any) -> Any:
            return import_drawing(context.project, path, progress=progress)

        context.run_job("import", work, lambda done: state.take_up(done.record))

        def look() -> None:
            now = time.perf_counter()
            beat["worst"] = max(beat["worst"], now - beat["last"])
            beat["last"] = now
            if "shown" not in marks and sheets.overlay.ready:
                marks["shown"] = now - started
            if "checked" not in marks and state.check is not None:
                marks["checked"] = now - started
            if len(marks) == 2:
                move()
            if beat["steps"] > 60 or now - started > 60:
                timer.stop()
                QTimer.singleShot(0, app.quit)

        def move() -> None:
            """One step of a hand."""
            if not beat["steps"]:
                beat["stall"], beat["worst"] = beat["worst"], 0.0
                timer.setInterval(10)
            beat["steps"] += 1
            main.canvas.pan(6, 3)
            main.canvas.zoom_about(1.02, 400, 300)

        timer = QTimer(desktop.window, interval=5)
        timer.timeout.connect(look)
        timer.start()

    def wait() -> None:
        if desktop.session.project is not None and desktop.window.host is not None:
            starter.stop()
            QTimer.singleShot(1500, begin)  # the engine and the panels stand

    starter = QTimer(interval=50)
    starter.timeout.connect(wait)
    starter.start()
    desktop.start()
    usage = harness.timed(lambda: {"code": float(app.exec())})
    desktop.session.shutdown()
    wall = marks.get("shown", float("nan"))
    checked = marks.get("checked", float("nan"))
    harness.report({**usage, "wall_s": wall, "checked_s": checked, "stall_s": beat["stall"], "hand_s": beat["worst"]})


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--entities", type=int, default=25_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--method", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method == "ours":
        return ours(arguments.path)
    if arguments.method == "window":
        return window(arguments.path, arguments.path.parent)
    if arguments.method:
        return peer(arguments.path, arguments.method)
    with tempfile.TemporaryDirectory(prefix="planner-bench-") as folder:
        path = Path(folder) / "estate.dxf"
        write_plan(path, arguments.entities)
        names = {
            "ours": "ours",
            "window": "window",
            "matplotlib": "ezdxf matplotlib",
            "svg": "ezdxf svg",
            "qt": "ezdxf Qt",
        }
        methods = [
            harness.Method(
                title, [sys.executable, "-m", "tests.bench.bench_review", "--method", name, "--path", str(path)]
            )
            for name, title in names.items()
        ]
        results = harness.run(methods, arguments.rounds)
    print(harness.table(results, "ours"))
    own, seen = results["ours"], results["window"]
    steps = ", ".join(f"{key[:-2]} {own[key]:.2f} s" for key in ("read_s", "site_plan_s", "measure_s", "picture_s"))
    print(f"ours: {own['entities']:.0f} entities: {steps}")
    indicators = own["site_plan_s"] + own["measure_s"]
    print(f"indicators {indicators:.2f} s (limit {LIMIT_INDICATORS_S:.0f})")
    if "error" not in seen:
        print(
            f"window: on the map after {seen['wall_s']:.2f} s (limit {LIMIT_WINDOW_S:.0f}), checked after "
            f"{seen['checked_s']:.2f} s, longest silence {seen['stall_s'] * 1000:.0f} ms, "
            f"{seen['hand_s'] * 1000:.0f} ms while panning and zooming"
        )
    harness.save(results, arguments.json)


if __name__ == "__main__":
    main()
