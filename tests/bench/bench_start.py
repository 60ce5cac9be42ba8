"""Start against QGIS Desktop on the same project of 100,000 polygons.

    xvfb-run -a -s "-screen 0 1600x1000x24" .venv/bin/python -m tests.bench.bench_start [--rounds 3] [--folder DIR]

Ours, from the start of the process: ``window`` is when the window has been painted and the event loop answers, ``map``
when the finished map of the full extent is on the screen. Theirs: ``qgis --nologo --noplugins --project P --snapshot
X``, which ends when the map is drawn; it needs the package ``qgis`` (the desktop program). Limits: window ≤ 0.25 and
map ≤ 1.0 of QGIS Desktop's time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import harness

LIMITS = {"window": 0.25, "map": 1.0}
_PROJECT = """
import sys
from qgis.core import *
app = QgsApplication([], False); app.initQgis()
uri = QgsDataSourceUri(); uri.setDatabase(sys.argv[1]); uri.setDataSource("", sys.argv[2], "geom", "", "fid")
layer = QgsVectorLayer(uri.uri(), sys.argv[2], "spatialite"); assert layer.isValid()
project = QgsProject.instance(); project.setCrs(layer.crs()); project.addMapLayer(layer)
project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(layer.extent(), layer.crs()))
assert project.write(sys.argv[3])
"""


def ours(file: Path, started: float) -> None:
    """In a process of its own: open the desktop on a project and say when its window and its map stood."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from planner_app.engine_client import EngineClient
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setStyle("Fusion")
    desktop = Desktop(Settings(path=file.with_name("settings.toml")), EngineClient(), file)
    desktop.window.resize(1600, 1000)
    seen: dict[str, float] = {}

    def painted() -> None:
        # A timer of zero runs only when the event loop has dealt with the first paint: it answers.
        QTimer.singleShot(0, lambda: seen.setdefault("window", time.time() - started))

    def look() -> None:
        if desktop.session.project is not None and desktop.window.canvas.scheduler.is_final():
            seen["map"] = time.time() - started
            timer.stop()
            QTimer.singleShot(0, app.quit)
        elif time.time() - started > 60:
            timer.stop()
            app.quit()

    desktop.window.first_shown.connect(painted)
    timer = QTimer(interval=5)
    timer.timeout.connect(look)
    timer.start()
    desktop.start()
    app.exec()
    desktop.shutdown()
    print(harness.MARK + json.dumps({"wall_s": seen["map"], "cpu_s": time.process_time(), "peak_mb": 0, **seen}))


def theirs(project: Path, picture: Path) -> None:
    """In a process of its own: let QGIS Desktop draw the project and end."""
    picture.unlink(missing_ok=True)
    started = time.time()
    command = ["qgis", "--nologo", "--noplugins", "--project", str(project), "--snapshot", str(picture)]
    subprocess.run([*command, "--width", "1600", "--height", "1000"], check=False, capture_output=True, timeout=120)
    took = time.time() - started
    assert picture.exists(), "QGIS Desktop wrote no picture"
    print(harness.MARK + json.dumps({"wall_s": took, "cpu_s": took, "peak_mb": 0}))


def main() -> int:
    """Build the project, run both in turn, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ours", type=Path)
    parser.add_argument("--theirs", type=Path)
    parser.add_argument("--started", type=float, default=0.0)
    arguments = parser.parse_args()
    if arguments.ours:
        ours(arguments.ours, arguments.started)
        return 0
    if arguments.theirs:
        theirs(arguments.theirs, arguments.theirs.with_suffix(".png"))
        return 0
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="planner-start-"))
    file, project = folder / "polygons.sqlite", folder / "polygons.qgs"
    if not file.exists():
        from tests.bench.bench_canvas import build

        folder.mkdir(parents=True, exist_ok=True)
        build(file, 317, 6)
    if not project.exists():
        subprocess.run(["/usr/bin/python3", "-c", _PROJECT, str(file), "parcels", str(project)], check=True)
    probe = "import time,sys,subprocess; sys.exit(subprocess.call([sys.executable,'-m','tests.bench.bench_start','--ours',sys.argv[1],'--started',str(time.time())]))"  # noqa: E501
    methods = [
        harness.Method("planner", [sys.executable, "-c", probe, str(file)]),
        harness.Method("QGIS Desktop", [sys.executable, "-m", "tests.bench.bench_start", "--theirs", str(project)]),
    ]
    results = harness.run(methods, arguments.rounds)
    for name, row in results.items():
        print(f"{name:<16} {json.dumps(row)}")
    if all("error" not in row for row in results.values()):
        whole = results["QGIS Desktop"]["wall_s"]
        for name, limit in LIMITS.items():
            ratio = results["planner"][name] / whole
            print(f"{name:<8} {results['planner'][name]:.2f} s = {ratio:.2f} of {whole:.2f} s   (limit {limit})")
    harness.save(results, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
