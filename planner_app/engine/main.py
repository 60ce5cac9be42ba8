"""Entry of the engine process: ``python3 …/planner_app/engine/main.py SOCKET`` with the token on standard input."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path


def _make_package_importable() -> None:
    """Load ``planner_app`` from its own folder.

    Its parent must not be on the path: installed, that is the ``site-packages`` of the shell's environment, whose
    NumPy and Qt belong to another Python.
    """
    folder = Path(__file__).resolve().parent.parent
    if sys.path and Path(sys.path[0] or ".").resolve() == folder / "engine":
        del sys.path[0]
    spec = importlib.util.spec_from_file_location(
        folder.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(str(folder))
    package = importlib.util.module_from_spec(spec)
    sys.modules[folder.name] = package
    spec.loader.exec_module(package)


def main() -> int:
    """Start QGIS, connect to the shell and serve it until it goes away."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if hasattr(os, "nice"):
        os.nice(10)  # the hand on the mouse comes first; threads inherit it, so before any starts
    # Only the provider of project files, beside those inside QGIS's core: the others cost a tenth of a second.
    os.environ.setdefault("QGIS_PROVIDER_FILE", "spatialite")
    # Without a hook of ours PyQt ends the process at an error in a slot.
    sys.excepthook = traceback.print_exception
    token = sys.stdin.readline().strip()

    from qgis.core import QgsApplication

    application = QgsApplication([], False)
    application.setMaxThreads(max(2, os.cpu_count() or 2))
    application.initQgis()

    from planner_app.engine.server import Server

    server = Server(sys.argv[1], token)
    server.closed.connect(application.quit)
    if not server.connect_to_shell():
        print(f"no shell at {sys.argv[1]}: {server.error_text()}", file=sys.stderr)
        return 1
    code = application.exec() if hasattr(application, "exec") else application.exec_()
    server.stop()
    # QGIS's own tear-down may crash in a provider; nothing is left to save here.
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _make_package_importable()
    sys.exit(main())
