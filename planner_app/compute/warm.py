"""Compile the overlay kernels once, at set-up: ``python -m planner_app.compute.warm``.

Prints what was done and never fails: without numba the overlay works on GEOS alone.
"""

from __future__ import annotations

import sys
import time


def warm() -> tuple[bool, float]:
    """Compile the kernels or load them from the cache; returns whether they are there, and the seconds taken."""
    from planner_app.compute.accelerated import kernels

    start = time.perf_counter()
    return kernels() is not None, time.perf_counter() - start


def main() -> int:
    """The command: always 0."""
    there, seconds = warm()
    print(f"overlay kernels ready ({seconds:.1f} s)" if there else "no numba: overlay will use GEOS alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
