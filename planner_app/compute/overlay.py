"""Overlay of two polygon layers: which features share ground, how much, and where.

Order of work: repair (reported) → Z-order → envelope pairs → exact areas of every pair → class filter and area gate →
shapes of what is left → width gate. Areas of all class pairs cost a tenth of their shapes, so the matrix of classes is
always complete, and shapes are made only where they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from planner_app.compute import pairs
from planner_app.compute.executor import default_executor, run_chunks, shares_memory
from planner_app.compute.layer import Layer
from planner_app.compute.repair import Geometries, Repaired, repair
from planner_app.domain.progress import NoProgress, Progress, SubProgress

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Pairs per task: small enough to show progress and to end soon after a cancel, large enough to hide the hand-over.
_CHUNK_PAIRS = 4_096
#: Rows of the first layer looked up in the tree at once.
_CHUNK_ROWS = 4_000


@dataclass(frozen=True, slots=True)
class Dropped:
    """Pairs that share ground but were left out, and why.

    Attributes:
        i, j: indices into the caller's arrays, shape (m,).
        area: m².
        width: mean width in m; NaN where the area gate spoke first (no shape was made).
        why: ``"area"`` or ``"width"``: the gate that dropped the pair.
    """

    i: Index
    j: Index
    area: Floats
    width: Floats
    why: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Overlay:
    """What two layers share. Patches are sorted by (i, j).

    Attributes:
        i, j: indices into the caller's arrays, shape (n,).
        geometry: polygon or multipolygon of each patch, 2-D; None everywhere without ``want_geometry``.
        area: m² in the coordinates' plane, shape (n,).
        width: mean width 2·area/perimeter in m; NaN where no shape was made.
        matrix: shared m² of every class pair, all pairs of features included, shape (classes of a, classes of b).
        dropped: pairs of wanted classes that the gates left out.
        repaired_a, repaired_b: what was repaired or rejected beforehand.
    """

    i: Index
    j: Index
    geometry: Geometries
    area: Floats
    width: Floats
    matrix: Floats
    dropped: Dropped
    repaired_a: Repaired
    repaired_b: Repaired


def overlay(
    a: Any,
    b: Any,
    *,
    class_a: ArrayLike,
    class_b: ArrayLike,
    keep: ArrayLike | None = None,
    min_area: float = 1.0,
    min_width: float = 0.1,
    want_geometry: bool = True,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Overlay:
    """Intersect every feature of ``a`` with every feature of ``b``.

    Args:
        a, b: shapely geometries in one plane CRS in metres; null, empty, invalid, multipart, with holes, 3-D: all are
            allowed. The same array twice gives the self-overlay (each feature with itself included).
        class_a, class_b: class number of each feature, 0 …, shapes (len(a),) and (len(b),).
        keep: class pairs that patches are wanted of, shape (classes of a, classes of b); None: all.
        min_area: pairs sharing less than this many m² are dropped; 0 keeps all that is more than rounding.
        min_width: pairs whose mean width is less than this many m are dropped.
        want_geometry: False gives areas and the matrix only (shapes are still made if ``min_width`` needs them).
        executor: where chunks run; None: a thread per core.

    Raises:
        Cancelled: the person asked to stop; raised within a second.
    """
    progress = progress or NoProgress()
    run = executor or default_executor()
    try:
        work = _Work(run)
        repaired_a = repair(a, executor=run, progress=SubProgress(progress, 0.0, 0.05))
        repaired_b = repair(b, executor=run, progress=SubProgress(progress, 0.05, 0.1))
        layer_a, layer_b = work.prepare(repaired_a.geoms, repaired_b.geoms, SubProgress(progress, 0.1, 0.15))
        i, j = work.candidates(layer_a, layer_b, SubProgress(progress, 0.15, 0.2))
        area = work.areas(layer_a, layer_b, i, j, SubProgress(progress, 0.2, 0.4))
        classes = _Classes.of(class_a, class_b, keep, layer_a, layer_b)
        matrix = classes.matrix(i, j, area)

        rounding = _rounding(layer_a, layer_b, i, j)
        wanted = classes.wanted(i, j) & (area > rounding)
        small = wanted & (area < min_area - rounding)  # what shares exactly the minimum stays, however it was rounded
        large = wanted & ~small
        small_pairs = (layer_a.row[i[small]], layer_b.row[j[small]], area[small])
        i, j, area = i[large], j[large], area[large]
        if want_geometry or min_width > 0:
            shapes = SubProgress(progress, 0.4, 1.0)
            geometry, width = work.patches(layer_a, layer_b, i, j, area, want_geometry, shapes)
        else:
            geometry, width = np.full(len(i), None, dtype=object), np.full(len(i), np.nan)
        narrow = width < min_width * (1 - 1e-9)
        row_a, row_b = layer_a.row[i], layer_b.row[j]
        dropped = _dropped(small_pairs, (row_a[narrow], row_b[narrow], area[narrow], width[narrow]))
        stay = np.flatnonzero(~narrow)
        stay = stay[np.lexsort((row_b[stay], row_a[stay]))]
        progress.update(1.0)
        return Overlay(
            i=row_a[stay],
            j=row_b[stay],
            geometry=geometry[stay],
            area=area[stay],
            width=width[stay],
            matrix=matrix,
            dropped=dropped,
            repaired_a=repaired_a,
            repaired_b=repaired_b,
        )
    finally:
        if executor is None:
            run.shutdown(wait=False, cancel_futures=True)


def class_areas(site: Any, geoms: Any, classes: ArrayLike, *, progress: Progress | None = None) -> Floats:
    """Area inside one polygon per class of a layer, in m², shape (number of classes,).

    Args:
        site: one polygon or multipolygon.
        geoms: the layer; classes: class number of each feature, 0 …; overlapping features count each for itself.
    """
    one = np.array([site], dtype=object)
    zero = np.zeros(1, np.int64)
    result = overlay(
        one, geoms, class_a=zero, class_b=classes, min_area=0, min_width=0, want_geometry=False, progress=progress
    )
    return np.asarray(result.matrix[0])


@dataclass(frozen=True, slots=True)
class _Classes:
    """Class numbers in the layers' own order, and which class pairs are wanted."""

    a: Index
    b: Index
    keep: NDArray[np.bool_]

    @classmethod
    def of(cls, class_a: ArrayLike, class_b: ArrayLike, keep: ArrayLike | None, a: Layer, b: Layer) -> _Classes:
        all_a, all_b = np.asarray(class_a, dtype=np.int64), np.asarray(class_b, dtype=np.int64)
        if keep is None:
            shape = (int(all_a.max(initial=-1)) + 1, int(all_b.max(initial=-1)) + 1)
            keep = np.ones(shape, dtype=bool)
        return cls(all_a[a.row], all_b[b.row], np.asarray(keep, dtype=bool))

    def matrix(self, i: Index, j: Index, area: Floats) -> Floats:
        cell = self.a[i] * self.keep.shape[1] + self.b[j]
        total = np.bincount(cell, weights=area, minlength=self.keep.size).reshape(self.keep.shape)
        return np.maximum(total, 0.0)  # rounding of pairs that only touch may leave -1e-9

    def wanted(self, i: Index, j: Index) -> NDArray[np.bool_]:
        return self.keep[self.a[i], self.b[j]]


class _Work:
    """The stages that run in chunks on the executor."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._whole = shares_memory(executor)

    def prepare(self, a: Geometries, b: Geometries, progress: Progress) -> list[Layer]:
        tasks = ((geoms, self._whole) for geoms in (a, b))
        if not self._whole:
            return [pairs.prepare(*task) for task in tasks]
        return list(run_chunks(self._executor, pairs.prepare, tasks, 2, (1, 1), progress, "stage.overlay_pairs"))

    def candidates(self, a: Layer, b: Layer, progress: Progress) -> tuple[Index, Index]:
        """Pairs whose envelopes meet."""
        starts = range(0, len(a), _CHUNK_ROWS)
        tree = shapely.STRtree(b.geoms)
        tasks = ((tree, a.geoms[start : start + _CHUNK_ROWS], start) for start in starts)
        # A tree does not travel: where memory is not shared, the lookups stay in this process.
        here = None if self._whole else default_executor()
        weights = [1.0] * len(starts)
        try:
            found = list(
                run_chunks(
                    here or self._executor,
                    pairs.candidates,
                    tasks,
                    len(starts),
                    weights,
                    progress,
                    "stage.overlay_pairs",
                )
            )
        finally:
            if here is not None:
                here.shutdown(wait=False, cancel_futures=True)
        none = np.zeros(0, np.int64)
        return np.concatenate([none, *(i for i, _ in found)]), np.concatenate([none, *(j for _, j in found)])

    def areas(self, a: Layer, b: Layer, i: Index, j: Index, progress: Progress) -> Floats:
        run = self._run(pairs.shared_areas, a, b, (i, j), progress, "stage.overlay_areas")
        return np.concatenate([np.zeros(0), *run])

    def patches(
        self, a: Layer, b: Layer, i: Index, j: Index, area: Floats, keep_geometry: bool, progress: Progress
    ) -> tuple[Geometries, Floats]:
        geometry = np.full(len(i), None, dtype=object)
        width = np.full(len(i), np.nan)
        start = 0
        for shapes, widths in self._run(pairs.patches, a, b, (i, j, area), progress, "stage.overlay_patches"):
            chunk = slice(start, start + len(shapes))
            width[chunk] = widths
            if keep_geometry:
                geometry[chunk] = shapes
            start += len(shapes)
        return geometry, width

    def _run(
        self, task: Callable[..., Any], a: Layer, b: Layer, columns: tuple[Any, ...], progress: Progress, stage: str
    ) -> Iterator[Any]:
        """``task(a, b, i, j, …)`` on chunks of the pair columns (i, j, …), results in order."""
        count = len(columns[0])
        slices = [slice(start, min(start + _CHUNK_PAIRS, count)) for start in range(0, count, _CHUNK_PAIRS)]
        tasks = (_task(a, b, [column[part] for column in columns], self._whole) for part in slices)
        weights = [float(part.stop - part.start) for part in slices]
        return run_chunks(self._executor, task, tasks, count, weights, progress, stage)


def _task(a: Layer, b: Layer, columns: list[Any], whole: bool) -> tuple[Any, ...]:
    """Arguments of one task: the layers themselves for threads, the part of them it needs for other processes."""
    if whole:
        return (a, b, *columns)
    used_a, i = np.unique(columns[0], return_inverse=True)
    used_b, j = np.unique(columns[1], return_inverse=True)
    return (a.take(used_a), b.take(used_b), i, j, *columns[2:])


def _rounding(a: Layer, b: Layer, i: Index, j: Index) -> Floats:
    """Shared m² up to which a pair is taken to touch only: a square millimetre, more where envelopes share much.

    Double arithmetic on a common envelope of W m² leaves about 1e-14·W of each pair of edges.
    """
    low = np.maximum(a.bounds[i, :2], b.bounds[j, :2])
    high = np.minimum(a.bounds[i, 2:], b.bounds[j, 2:])
    return np.asarray(1e-6 + 1e-12 * np.prod(np.maximum(high - low, 0.0), axis=1))


def _dropped(small: tuple[Any, ...], narrow: tuple[Any, ...]) -> Dropped:
    i, j, area = (np.concatenate(column) for column in zip(small, narrow[:3], strict=True))
    width = np.concatenate([np.full(len(small[0]), np.nan), narrow[3]])
    why = np.repeat(np.array(["area", "width"]), [len(small[0]), len(narrow[0])])
    order = np.lexsort((j, i))
    return Dropped(i[order], j[order], area[order], width[order], why[order])
