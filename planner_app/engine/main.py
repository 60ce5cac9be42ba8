"""Entry of the engine process: ``python3 -m planner_app.engine.main SOCKET`` with the token on standard input."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Start QGIS, connect to the shell and serve it until it goes away."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if hasattr(os, "nice"):
        os.nice(10)  # the hand on the mouse comes first; threads inherit it, so before any starts
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
    sys.exit(main())
