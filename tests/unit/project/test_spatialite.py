"""Whatever is imported after SpatiaLite still runs its own GEOS, PROJ and GDAL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.project import Project

_SCRIPT = """
import sys
from pathlib import Path
from planner_app.project import Project
assert not {"shapely", "pyproj", "numpy", "pyogrio"} & set(sys.modules), "imported too early"
with Project.create(Path(sys.argv[1]), "EPSG:4549") as project:
    project.set_setting("a", "b")
    import shapely, pyproj, pyogrio
    assert shapely.to_wkt(shapely.Point(1, 2)) == "POINT (1 2)"
    assert shapely.box(0, 0, 2, 2).intersection(shapely.box(1, 1, 3, 3)).area == 1
    data = Path(pyproj.datadir.get_data_dir(), "proj.db")
    import sqlite3
    made_for = dict(sqlite3.connect(data).execute("SELECT key, value FROM metadata"))["PROJ.VERSION"]
    assert pyproj.proj_version_str == made_for, (pyproj.proj_version_str, made_for)
    pyproj.Transformer.from_crs(4490, 4549, always_xy=True).transform(120.1, 31)
print("end")
"""


def test_libraries_keep_apart(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "a.planner")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_missing_spatialite_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from planner_app.project import spatialite

    Project.create(tmp_path / "a.planner", "EPSG:4549").close()
    monkeypatch.setenv("PLANNER_SPATIALITE", "no_such_library")
    monkeypatch.setattr(spatialite, "_private", lambda: None)
    with Project.open(tmp_path / "a.planner") as project:
        assert project.layers() == []
        with pytest.raises(PlannerError, match=r"project\.no_spatialite"):
            project.set_setting("a", "b")
