"""Nothing committed is lost and nothing half-written stays, whenever the writer is killed and whoever else writes."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from planner_app.project.connection import connect

_WORKER = Path(__file__).with_name("store_worker.py")
_QGIS_SAVES = Path(__file__).with_name("qgis_saves.py")
_ROOT = Path(__file__).resolve().parents[2]
_SOAK = bool(os.environ.get("PLANNER_SOAK"))
_KILLS = 50 if _SOAK else 2  # of each kind


def _town(path: Path) -> None:
    """A project with one layer of 200 squares that the workers edit."""
    x = [500_000 + 30.0 * n for n in range(200)]
    shapes = shapely.to_wkb(shapely.box(x, 3_500_000, [v + 20 for v in x], 3_500_020)).tolist()
    with Project.create(path, "EPSG:4549") as project:
        project.add_layer(NewLayer("base", "polygon", (FieldInfo("note", "text"),)), [Batch(shapes)])


def _start(
    path: Path, journal: Path, mode: str, seed: int, seconds: float, pause: float = 0.0
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(_WORKER), str(path), str(journal), mode, str(seed), str(seconds), str(pause)],
        cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _journal(journal: Path) -> list[dict[str, Any]]:
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _assert_whole(project: Project) -> None:
    faults = [result for result in project.verify() if not result.ok]
    assert not faults, faults


def _assert_all_there(project: Project, done: list[dict[str, Any]]) -> None:
    """Every command the worker saw committed is in the log; every layer it made is there unless undone."""
    entries = {entry.id: entry for entry in project.log(None)}
    told = [line["id"] for line in done if line.get("id")]
    assert set(told) <= entries.keys()
    layers = {layer.id: project.count(layer.id) for layer in project.layers()}
    for line in done:
        if "layer" in line and not entries[line["id"]].undone:
            assert layers[line["layer"]] == line["rows"]


@pytest.mark.parametrize("mode", ["edits", "imports", "undos"])
def test_killed_at_random_moments(tmp_path: Path, mode: str) -> None:
    path, journal = tmp_path / "town.planner", tmp_path / "journal"
    _town(path)
    chance = random.Random(mode)
    for number in range(_KILLS):
        known = len(_journal(journal))
        worker = _start(path, journal, mode, number, 60)
        deadline = time.monotonic() + 30
        while len(_journal(journal)) <= known and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(chance.random() * (1.0 if mode == "imports" else 0.5))
        worker.send_signal(signal.SIGKILL)
        _, errors = worker.communicate(timeout=30)
        assert worker.returncode == -signal.SIGKILL, errors
        done = _journal(journal)
        assert len(done) > known, errors
        with Project.open(path) as project:
            _assert_whole(project)
            _assert_all_there(project, done)
            last = {line["fid"]: line["note"] for line in done if "fid" in line}
            if mode == "edits" and last:
                # What was told last of a feature is what it says, or a later edit that was committed but not told.
                found = project.read(project.layer("base").id, fids=list(last), geometry=False)
                notes = dict(zip(found.fids.tolist(), found.columns["note"], strict=True))
                assert sum(notes[fid] != note for fid, note in last.items()) <= number + 1
    assert [file.name for file in tmp_path.iterdir() if "planner" in file.name] == ["town.planner"]


def _writing_together(tmp_path: Path, seconds: float) -> None:
    """Three processes write, this one polls and copies: no error, no lost save, whole file, whole copies."""
    path = tmp_path / "town.planner"
    _town(path)
    journals = [tmp_path / f"journal{n}" for n in range(3)]
    workers = [
        _start(path, journals[0], "mixed", 1, seconds),
        _start(path, journals[1], "mixed", 2, seconds),
        _start(path, journals[2], "imports", 3, seconds),
    ]
    copies = 0
    heard = 0
    with Project.open(path, origin="desktop") as project:
        while any(worker.poll() is None for worker in workers):
            heard += len(project.poll())
            copy = tmp_path / "copy.planner"
            project.save_copy(copy)
            with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as alone:
                assert alone.execute("PRAGMA journal_mode").fetchone() == ("delete",)
                assert alone.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            with Project.open(copy) as copied:
                _assert_whole(copied)
            copies += 1
            time.sleep(0.1)
        for worker in workers:
            _, errors = worker.communicate(timeout=30)
            assert (worker.returncode, errors) == (0, "")
        _assert_whole(project)
        done = [line for journal in journals for line in _journal(journal)]
        _assert_all_there(project, done)
        imported = [line for line in _journal(journals[2]) if "layer" in line]
        assert len(imported) >= 2
    assert copies >= 2
    assert heard > 10
    slowest = max(line["took"] for line in done if "layer" not in line and "took" in line)
    print(f"{len(done)} commands, {len(imported)} imports, {copies} copies, slowest edit or undo {slowest:.2f} s")
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_two_writers_an_import_and_copies(tmp_path: Path) -> None:
    _writing_together(tmp_path, 10)


@pytest.mark.soak
def test_two_writers_an_import_and_copies_for_ten_minutes(tmp_path: Path) -> None:
    _writing_together(tmp_path, 600)


def _beside_qgis(tmp_path: Path, python: str, provider: str, seconds: float) -> None:
    """QGIS saves while the command line edits and imports: every save succeeds, is there, and is in the log."""
    path, told = tmp_path / "town.planner", tmp_path / "qgis_journal"
    _town(path)
    with Project.open(path) as project:
        table = project.layer("base").id
    workers = [
        _start(path, tmp_path / "journal0", "imports", 1, seconds + 5, pause=0.2),
        _start(path, tmp_path / "journal1", "edits", 2, seconds + 5, pause=0.1),
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    qgis = subprocess.run(
        [python, str(_QGIS_SAVES), str(path), table, str(told), provider, str(seconds)],
        capture_output=True, text=True, timeout=seconds + 60, check=False,
        env=environment | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert qgis.returncode == 0, qgis.stderr
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert (worker.returncode, errors) == (0, "")
    saves = _journal(told)
    assert len(saves) >= 3
    assert [save for save in saves if not save["saved"]] == []
    last = {fid: save["note"] for save in saves for fid in save["fids"]}
    with Project.open(path) as project:
        _assert_whole(project)
        found = project.read(table, fids=list(last), geometry=False)
        assert dict(zip(found.fids.tolist(), found.columns["note"], strict=True)) == last
        foreign = {row.fid for e in project.log(None) if e.origin == "foreign" for row in project.rows_of(e.id)}
        assert foreign >= last.keys()
        done = _journal(tmp_path / "journal0") + _journal(tmp_path / "journal1")
        _assert_all_there(project, done)
    slowest, refused = max(save["took"] for save in saves), sum(save["refused"] for save in saves)
    print(f"{len(saves)} saves of QGIS ({provider}), {refused} refused at first, slowest {slowest:.2f} s")


@pytest.mark.qgis
@pytest.mark.parametrize("provider", ["spatialite", "ogr"])
def test_qgis_saves_while_we_import(tmp_path: Path, qgis_python: str, provider: str) -> None:
    _beside_qgis(tmp_path, qgis_python, provider, 6)


@pytest.mark.qgis
@pytest.mark.soak
@pytest.mark.parametrize("provider", ["spatialite", "ogr"])
def test_qgis_saves_while_we_import_for_five_minutes(tmp_path: Path, qgis_python: str, provider: str) -> None:
    _beside_qgis(tmp_path, qgis_python, provider, 300)
