"""Broken and hostile files end in an error a person understands or in a drawing with notes, and leave nothing behind.

A part of them in CI, all of them with PLANNER_SOAK=1.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from planner_app import i18n
from planner_app.compute.separate import Limits
from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.intake import read_drawing
from plugins.review.model.drawing.types import Drawing, Note

from .malformed import Make, corpus

#: Of the patterns that repeat every so many are tried in CI; the ones with a purpose are all tried, but the slowest.
_EVERY = 12
_SLOW = ("million", "edges", "bomb", "5-MB")
_WITHIN = Limits(seconds=60.0, memory=2 << 30)


def _worded(code: str, params: dict[str, object], hint: bool) -> None:
    for language in i18n.LANGUAGES:
        i18n.set_language(language)
        said = i18n.word(code, params)
        assert said != code, f"{code} has no words in {language}"
        assert "{" not in said, said
        said.encode("utf-8")
        if hint:
            assert i18n.word(code, params, "hint"), f"{code} does not say what to do in {language}"


def _whole(drawing: Drawing) -> None:
    assert drawing.entities or drawing.notes
    handles = [entity.handle for entity in drawing.entities]
    assert len(set(handles)) == len(handles)
    for entity in drawing.entities:
        for points in (entity.points, *entity.rings):
            assert np.isfinite(points).all()
        assert math.isfinite(entity.z)
        assert math.isfinite(entity.size)
        assert math.isfinite(entity.angle)
        assert entity.value is None or math.isfinite(entity.value)
        (entity.text + entity.layer + entity.tag).encode("utf-8")
    notes: tuple[Note, ...] = drawing.notes
    for code, params in notes:
        _worded(code, params, hint=False)


def _children() -> set[str]:
    """Processes started by this one that still run."""
    task = Path("/proc/self/task")
    if not task.is_dir():
        return set()
    found: set[str] = set()
    for one in task.iterdir():
        found |= set((one / "children").read_text().split())
    return found


def _read(path: Path) -> str:
    """How reading ends."""
    try:
        drawing = read_drawing(path, within=_WITHIN)
    except PlannerError as error:
        _worded(error.code, dict(error.params), hint=True)
        return error.code
    _whole(drawing)
    return f"{len(drawing.entities)} entities, notes: {', '.join(code for code, _ in drawing.notes)}"


def _selected() -> list[tuple[str, Make]]:
    every = corpus()
    if os.environ.get("PLANNER_SOAK"):
        return every
    repeated = [one for one in every if one[0].startswith(("cut-", "flip-", "lines-"))]
    purpose = [one for one in every if one not in repeated and not any(word in one[0] for word in _SLOW)]
    return [*purpose[:: _EVERY // 4], *repeated[::_EVERY]]


def test_there_are_many() -> None:
    names = [name for name, _ in corpus()]
    assert len(set(names)) == len(names) >= 200


def test_every_file_ends_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv("PLANNER_ODA_CONVERTER", raising=False)
    before = _children()
    failures, report = [], []
    for name, make in _selected():
        path = tmp_path / name
        path.write_bytes(make())
        left = {one.name for one in temporary.iterdir()}
        started = time.monotonic()
        try:
            ended = _read(path)
            assert {one.name for one in temporary.iterdir()} == left, "temporary files are left"
            assert _children() == before, "processes are left"
        except Exception as error:  # all of them are wanted in one list
            failures.append(f"{name}: {type(error).__name__}: {error}")
            ended = "FAILED"
        seconds = time.monotonic() - started
        report.append(f"{seconds:6.2f} s  {name:32} {ended}")
        if seconds > (_WITHIN.seconds or 0.0) + 10.0:
            failures.append(f"{name}: {seconds:.0f} s")
        path.unlink()
    if os.environ.get("PLANNER_SOAK"):
        print("\n".join(report))
    assert not failures, "\n".join(failures)
