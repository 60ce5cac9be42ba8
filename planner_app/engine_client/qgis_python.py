"""Where QGIS's own Python is on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from planner_app.domain.errors import PlannerError

#: How long an interpreter may take to say whether it has PyQGIS (a cold disk).
_PROBE_S = 60


def candidates() -> list[str]:
    """Interpreters to try, the user's own choice (``PLANNER_QGIS_PYTHON``) first."""
    found = [os.environ["PLANNER_QGIS_PYTHON"]] if os.environ.get("PLANNER_QGIS_PYTHON") else []
    if sys.platform == "win32":
        for root in (
            os.environ.get("OSGEO4W_ROOT", "C:\\OSGeo4W"),
            *map(str, Path("C:\\Program Files").glob("QGIS 3.*")),
        ):
            found += [str(Path(root) / "bin" / name) for name in ("python-qgis-ltr.bat", "python-qgis.bat")]
    elif sys.platform == "darwin":
        found += [
            "/Applications/QGIS-LTR.app/Contents/MacOS/bin/python3",
            "/Applications/QGIS.app/Contents/MacOS/bin/python3",
        ]
    else:
        found += ["/usr/bin/python3"]
    return [path for path in found if Path(path).exists()]


@lru_cache(maxsize=1)
def qgis_python() -> str:
    """The first interpreter that has PyQGIS.

    Where the system package puts it, it is looked for on disk; others are asked, which takes a second.

    Raises:
        PlannerError: ``engine.missing``.
    """
    for path in candidates():
        if path == "/usr/bin/python3" and Path("/usr/lib/python3/dist-packages/qgis/core").is_dir():
            return path
        probe = subprocess.run([path, "-c", "import qgis.core"], capture_output=True, timeout=_PROBE_S, check=False)
        if probe.returncode == 0:
            return path
    raise PlannerError("engine.missing")
