"""Where heavy work runs: any :class:`concurrent.futures.Executor`, in chunks that can be cancelled.

Threads are the default: the kernels and GEOS release the interpreter lock, so threads use all cores without copying
a layer. A process pool or a cluster's executor (Dask's ``Client.get_executor()``) takes the same tasks; those get the
part of the layers that they need, pickled.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from planner_app.domain.progress import Progress, check

R = TypeVar("R")

#: Seconds between two looks at the cancel button.
POLL_S = 0.1


def workers() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_executor() -> Executor:
    """Threads, one per core."""
    return ThreadPoolExecutor(workers(), thread_name_prefix="compute")


def shares_memory(executor: Executor) -> bool:
    """True if tasks see the caller's arrays; False if arguments are pickled and should be cut to what is needed."""
    return isinstance(executor, ThreadPoolExecutor)


def run_chunks(
    executor: Executor,
    function: Callable[..., R],
    tasks: Iterable[tuple[Any, ...]],
    total: float,
    weights: Iterable[float],
    progress: Progress,
    stage: str,
) -> Iterator[R]:
    """Run ``function(*task)`` for each task, giving back the results in order.

    Only a few tasks are under way at once, so arguments of tasks to come take no memory. When the person cancels, what
    has not begun is dropped and what has begun is left to end by itself: nobody waits for it.

    Args:
        total: sum of ``weights``; weights: share of each task in the progress.
        stage: message id of the stage.

    Raises:
        Cancelled: within about ``POLL_S`` of the request.
    """
    pending: deque[tuple[Future[R], float]] = deque()
    queue = iter(zip(tasks, weights, strict=True))
    ahead = 3 * (getattr(executor, "_max_workers", None) or workers())
    done = 0.0
    progress.update(0.0, stage)
    try:
        while True:
            while len(pending) < ahead and (following := next(queue, None)) is not None:
                task, weight = following
                pending.append((executor.submit(function, *task), weight))
            if not pending:
                break
            future, weight = pending[0]
            while not future.done():
                check(progress)
                wait([future], timeout=POLL_S, return_when=FIRST_COMPLETED)
            check(progress)
            pending.popleft()
            yield future.result()
            done += weight
            progress.update(min(done / total, 1.0) if total else 1.0, stage)
    finally:
        for future, _ in pending:
            future.cancel()
    progress.update(1.0, stage)
