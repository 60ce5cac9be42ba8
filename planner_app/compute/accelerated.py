"""The compiled kernels, if this machine has them.

They need numba and a first compilation (about 20 s; ``python -m planner_app.compute.warm`` at set-up) whose result is
kept on disk and loads in half a second. Without numba, or with ``PLANNER_KERNELS=off``, GEOS does all the work with the
same result.
"""

from __future__ import annotations

import logging
import os
import threading
from types import ModuleType

_log = logging.getLogger(__name__)


class _State:
    """What was found out at the first call."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = False
        self.module: ModuleType | None = None


_state = _State()


def kernels() -> ModuleType | None:
    """The module :mod:`planner_app.compute.kernels`, loaded and tried out; None where it cannot be had."""
    if os.environ.get("PLANNER_KERNELS") == "off":
        return None
    with _state.lock:
        if not _state.known:
            _state.module = load()
            _state.known = True
    return _state.module


def load() -> ModuleType | None:
    """Load and try out the kernels, making damaged machine code anew; :func:`kernels` does this once."""
    try:
        from planner_app.compute import kernels as module
    except ImportError as error:
        _log.info("overlay without compiled kernels: %s", error)
        return None
    try:
        module.try_out()
    except Exception as error:  # a damaged file of machine code can fail in any way
        _log.info("machine code on disk is damaged and made anew: %s", error)
        try:
            module.forget()
            module.try_out()
        except Exception as again:
            _log.warning("overlay without compiled kernels: %s", again)
            return None
    return module
