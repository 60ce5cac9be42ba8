"""How the overlay runs: progress, cancel, other executors, without numba, kernels from disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

import planner_app.compute
from planner_app.compute import Overlay, accelerated, overlay
from planner_app.compute.accelerated import kernels
from planner_app.compute.executor import run_chunks
from planner_app.domain.errors import Cancelled
from planner_app.domain.progress import NoProgress
from planner_app.i18n import RESOURCES
from tests.unit.compute.lattice import lattice_polygons

ROOT = RESOURCES.parent


class Watch:
    """Notes what is reported and cancels after a while."""

    def __init__(self, cancel_after: float = np.inf) -> None:
        self.fractions: list[float] = []
        self.stages: list[str] = []
        self._end = time.monotonic() + cancel_after

    def update(self, fraction: float | None, stage: str = "") -> None:
        if fraction is not None:
            self.fractions.append(fraction)
        if stage:
            self.stages.append(stage)

    def is_cancelled(self) -> bool:
        return time.monotonic() > self._end


class Here(Executor):
    """Runs a task when it is handed over, as a cluster's executor without workers might."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **options))
        return future


def _overlay(**options: Any) -> Overlay:
    rng = np.random.default_rng(11)
    a, b = lattice_polygons(rng, 150, 12), lattice_polygons(rng, 150, 12)
    classes = [rng.integers(0, 3, len(layer)) for layer in (a, b)]
    return overlay(a, b, class_a=classes[0], class_b=classes[1], **options)


def _same(one: Overlay, two: Overlay) -> None:
    assert one.i.tolist() == two.i.tolist()
    assert one.j.tolist() == two.j.tolist()
    np.testing.assert_allclose(one.area, two.area, atol=1e-9)
    np.testing.assert_allclose(one.matrix, two.matrix, atol=1e-7)
    # GEOS may leave a hairline spike where edges coincide: no area, but length.
    assert (~np.isclose(one.width, two.width, rtol=1e-7)).sum() <= 0.001 * len(one.width)
    assert one.dropped.i.tolist() == two.dropped.i.tolist()
    assert shapely.area(shapely.symmetric_difference(one.geometry, two.geometry)).max(initial=0.0) < 1e-9


def test_executors_agree() -> None:
    expected = _overlay()
    assert len(expected.i) > 1_000
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        for executor in (threads, processes, Here()):
            _same(_overlay(executor=executor), expected)


def test_without_numba_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _overlay()
    monkeypatch.setenv("PLANNER_KERNELS", "off")
    assert kernels() is None
    _same(_overlay(), expected)


def test_progress_moves_forward_and_its_stages_have_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[overlay.__module__], "_CHUNK_PAIRS", 100)
    watch = Watch()
    _overlay(progress=watch)
    assert watch.fractions == sorted(watch.fractions)
    assert watch.fractions[-1] == 1.0
    assert len(set(watch.fractions)) > 50
    words = (RESOURCES / "i18n" / "messages" / "compute.toml").read_text(encoding="utf-8")
    assert [stage for stage in set(watch.stages) if f'["{stage}"]' not in words] == []


def _comb(teeth: int) -> shapely.Polygon:
    """A polygon that meets itself turned in teeth² places: seconds of work for GEOS in one call."""
    x = np.repeat(np.arange(teeth) * 2.0, 4) + np.tile([0.0, 0.0, 1.0, 1.0], teeth)
    y = np.tile([0.0, 2.0 * teeth, 2.0 * teeth, 0.0], teeth)
    return shapely.Polygon([*zip(x, y, strict=True), (2.0 * teeth, -1.0), (0.0, -1.0)])


@pytest.mark.parametrize("kind", ["threads", "own executor", "without numba"])
def test_cancel_within_a_second_even_inside_a_long_call(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "without numba":
        monkeypatch.setenv("PLANNER_KERNELS", "off")
    comb = _comb(700)
    turned = shapely.transform(comb, lambda xy: xy[:, ::-1] + [0.25, 0.25])
    _overlay()  # kernels loaded
    own = ThreadPoolExecutor(1) if kind == "own executor" else None
    start = time.monotonic()
    with pytest.raises(Cancelled):
        overlay([comb], [turned], class_a=[0], class_b=[0], executor=own, progress=Watch(cancel_after=0.4))
    # About a second on an idle machine; the call itself takes many.
    assert time.monotonic() - start < 5.0
    if own is not None:
        own.shutdown(wait=False)


def test_cancelled_chunks_never_begin() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        time.sleep(0.02)
        return number

    with ThreadPoolExecutor(2) as executor, pytest.raises(Cancelled):
        list(run_chunks(executor, work, ((n,) for n in range(500)), 500, [1.0] * 500, Watch(cancel_after=0.1), "stage"))
    assert len(begun) < 60


def test_a_task_that_fails_is_not_hidden() -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(ZeroDivisionError):
        list(run_chunks(executor, divmod, [(1, 1), (1, 0)], 2, [1.0, 1.0], NoProgress(), "stage"))


def _python(code: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return run.stdout.strip()


needs_numba = pytest.mark.skipif(kernels() is None, reason="numba is missing")

COMPILED = """
from planner_app.compute.warm import warm
assert warm()[0]
from planner_app.compute import area_kernel, clip_kernel, overlay
import numpy as np, shapely
overlay([shapely.box(0, 0, 3, 3)] * 20, [shapely.box(1, 1, 4, 4)] * 20, class_a=[0] * 20, class_b=[0] * 20)
print(sum(len(f.stats.cache_misses) for f in (area_kernel.shared_areas, clip_kernel.clip_pairs)))
"""

ONE_KERNEL = """
import numpy as np
from planner_app.compute import order, rings
rings._orient(np.zeros((4, 2)), np.zeros(0, rings._RING), np.zeros(0, bool))
"""


@needs_numba
def test_kernels_come_from_disk() -> None:
    _python(COMPILED)
    assert _python(COMPILED) == "0"


class _Damaged:
    """Kernels whose machine code fails until it is forgotten."""

    def __init__(self, heals: bool) -> None:
        self.sound, self._heals = False, heals

    def try_out(self) -> None:
        if not self.sound:
            raise OSError("damaged")

    def forget(self) -> None:
        self.sound = self._heals


@pytest.mark.parametrize("heals", [True, False])
def test_damaged_machine_code_is_forgotten(
    heals: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake = _Damaged(heals)
    monkeypatch.setattr(planner_app.compute, "kernels", fake, raising=False)
    monkeypatch.setitem(sys.modules, "planner_app.compute.kernels", fake)
    assert accelerated.load() is (fake if heals else None)
    assert [record.levelname for record in caplog.records] == ([] if heals else ["WARNING"])


@needs_numba
@pytest.mark.soak
def test_damaged_machine_code_is_made_anew(tmp_path: Path) -> None:
    """Every file of the cache is cut in half; the overlay still runs on kernels."""
    _python(ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert _python(COMPILED, NUMBA_CACHE_DIR=str(tmp_path)).isdigit()


@needs_numba
def test_cache_folder_falls_back_when_it_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    used = _python(
        "from planner_app.compute.jit import cache_folder; print(cache_folder())", NUMBA_CACHE_DIR=str(blocked / "sub")
    )
    assert used
    assert not used.startswith(str(blocked))
