"""How kernels are compiled: by numba, without the interpreter lock, machine code kept on disk.

Only :mod:`planner_app.compute.accelerated` decides whether this is imported: numba may be missing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import platformdirs

F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Where machine code is kept: ``NUMBA_CACHE_DIR``, else the user's cache folder, else a temporary one."""
    wanted = os.environ.get("NUMBA_CACHE_DIR") or str(Path(platformdirs.user_cache_dir("planner", False)) / "kernels")
    for folder in (Path(wanted), Path(tempfile.gettempdir()) / "planner-kernels"):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="planner-kernels-"))


def forget() -> None:
    """Delete all machine code kept on disk."""
    shutil.rmtree(numba.config.CACHE_DIR, ignore_errors=True)  # type: ignore[attr-defined]
    cache_folder()


# Beside the sources, numba's own choice, is not writable where an administrator installed the program.
numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


def kernel(function: F) -> F:
    """Compile a function of numbers and arrays at its first call."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def fast_kernel(function: F) -> F:
    """Like :func:`kernel`, and the compiler may reorder sums: no NaN, no dependence on the last bit."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=True)(function))
